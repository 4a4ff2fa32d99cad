//! `wharf whoami`: which keys, which server, and who said so.

use std::fmt;

use serde::Serialize;
use wharf::{Client, ErrorKind, Origin};

use crate::context::Context;
use crate::error::{Exit, Failure, by_option};
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

/// A setting without which there is no client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    Region,
    Credentials,
}

pub(crate) async fn run(args: Args, context: &Context, printer: &mut Printer) -> Result<Exit, Failure> {
    let (s3, missing) = client(context)?;
    let asks = !args.offline && missing.iter().all(|(what, _)| *what != Missing::Credentials);
    let asked = if asks { s3.credentials().await.map_err(Failure::from) } else { Ok(None) };
    let explanation = s3.explain();
    let is_missing = |what| missing.iter().any(|(missing, _)| *missing == what);
    let rows: Vec<_> = explanation
        .settings()
        .iter()
        .map(|row| {
            let told = |value: &str| (row.name(), value.to_owned(), Origin::Default.to_string());
            match (row.name(), row.origin()) {
                ("region", _) if is_missing(Missing::Region) => told("not set"),
                ("endpoint", Origin::Default) if is_missing(Missing::Region) => told("AWS, by region"),
                ("credentials", _) if is_missing(Missing::Credentials) => told("none found"),
                // Whoever types a command has not written the program.
                (name, Origin::Code) => (name, row.value().to_owned(), "an option".to_owned()),
                (name, Origin::Transport) => (name, row.value().to_owned(), "the embedded store".to_owned()),
                (name, origin) => (name, row.value().to_owned(), origin.to_string()),
            }
        })
        .collect();
    let width = |text: fn(&(&str, String, String)) -> usize| rows.iter().map(text).max().unwrap_or_default();
    // One long value does not push all others apart.
    let widths = (width(|row| row.0.chars().count()), width(|row| row.1.chars().count()).min(48));
    for (name, value, origin) in &rows {
        printer.say(&Setting { name, value, origin: origin.clone(), widths })?;
    }
    for note in explanation.notes() {
        printer.warn(&Warning::new(by_option(note)));
    }
    let mut failures = missing.into_iter().map(|(_, failure)| failure).chain(asked.err());
    let Some(first) = failures.next() else { return Ok(Exit::Done) };
    for failure in failures {
        printer.failure(failure);
    }
    Err(first.exits(Exit::Configuration))
}

/// A client that can tell what is set: where something is missing, with something in its place that is not told.
fn client(context: &Context) -> Result<(Client, Vec<(Missing, Failure)>), Failure> {
    let mut missing = Vec::new();
    let mut client = context.client();
    let mut connection = context.globals.connection.clone();
    loop {
        let failure = match client {
            Ok(client) => return Ok((client, missing)),
            Err(failure) => failure,
        };
        if failure.is(ErrorKind::NoCredentials) && !connection.no_sign_request {
            connection.no_sign_request = true;
            missing.push((Missing::Credentials, failure));
        } else if failure.is_missing_region() && connection.region.is_none() {
            connection.region = Some("us-east-1".to_owned());
            missing.push((Missing::Region, failure));
        } else {
            return Err(failure);
        }
        client = connection.client();
    }
}
