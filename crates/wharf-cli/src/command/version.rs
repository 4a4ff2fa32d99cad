//! `wharf version`.

use std::fmt;

use serde::Serialize;

use crate::error::{Exit, Failure};
use crate::printer::Printer;

const EXAMPLE: &str = "Example: wharf version";

/// Print the version
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLE)]
pub(crate) struct Args {}

#[derive(Serialize)]
#[serde(tag = "type", rename = "version")]
struct Version {
    version: &'static str,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wharf {}", self.version)
    }
}

pub(crate) fn run(_: Args, printer: &mut Printer) -> Result<Exit, Failure> {
    printer.say(&Version { version: env!("CARGO_PKG_VERSION") })?;
    Ok(Exit::Done)
}
