//! `wharf whoami`: what every setting is, and where it came from.

use wharf::{Client, Origin};

use crate::error::{Exit, Failure};
use crate::printer::Printer;

const EXAMPLE: &str = "\
Example: which keys, region and server would be used, and why those

  wharf whoami --profile work";

/// Show which settings are used, and where each came from
///
/// Asks the source of the credentials for them, and S3 for nothing. Secrets are hidden.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLE, verbatim_doc_comment)]
pub(crate) struct Args {
    /// Ask nobody, not even for credentials
    #[arg(long)]
    offline: bool,
}

pub(crate) async fn run(args: Args, s3: &Client, printer: &mut Printer) -> Result<Exit, Failure> {
    let asked = if args.offline { Ok(None) } else { s3.credentials().await };
    let code = Origin::Code.to_string();
    for line in s3.explain().to_string().lines() {
        // Whoever types a command has not written the program.
        match line.strip_suffix(&code) {
            Some(setting) => printer.line(format_args!("{setting}an option"))?,
            None => printer.line(line)?,
        }
    }
    asked.map_err(|error| Failure::from(error).exits(Exit::Configuration))?;
    Ok(Exit::Done)
}
