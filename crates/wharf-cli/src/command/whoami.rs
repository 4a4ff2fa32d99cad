//! `wharf whoami`: which keys, which server, and who said so.

use std::fmt;

use serde::Serialize;
use wharf::Origin;

use crate::context::Context;
use crate::error::{Exit, Failure};
use crate::message::Warning;
use crate::printer::Printer;

const EXAMPLE: &str = "\
Example: what is taken from where for another profile

  wharf whoami --profile work";

/// Say where every setting came from
///
/// Asks the source of the credentials for them, which may be a service or a program, and S3 for
/// nothing. Secrets are hidden.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLE, verbatim_doc_comment)]
pub(crate) struct Args {
    /// Ask nobody, not even for credentials
    #[arg(long)]
    offline: bool,
}

/// One setting.
#[derive(Serialize)]
#[serde(tag = "type", rename = "setting")]
struct Setting<'a> {
    name: &'a str,
    value: &'a str,
    origin: String,
    #[serde(skip)]
    widths: (usize, usize),
}

impl fmt::Display for Setting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, value) = self.widths;
        write!(f, "{:name$}  {:value$}  {}", self.name, self.value, self.origin)
    }
}

pub(crate) async fn run(args: Args, context: &Context, printer: &mut Printer) -> Result<Exit, Failure> {
    let s3 = context.client()?;
    let asked = if args.offline { Ok(None) } else { s3.credentials().await };
    let explanation = s3.explain();
    let settings = explanation.settings();
    let width = |text: fn(&wharf::Setting) -> &str| settings.iter().map(|row| text(row).chars().count()).max();
    // One long value does not push all others apart.
    let widths = (width(|row| row.name()).unwrap_or_default(), width(|row| row.value()).unwrap_or_default().min(48));
    for row in settings {
        let origin = match row.origin() {
            // Whoever types a command has not written the program.
            Origin::Code => "an option".to_owned(),
            origin => origin.to_string(),
        };
        printer.say(&Setting { name: row.name(), value: row.value(), origin, widths })?;
    }
    for note in explanation.notes() {
        printer.warn(&Warning::new(note));
    }
    asked.map_err(|error| Failure::from(error).exits(Exit::Configuration))?;
    Ok(Exit::Done)
}
