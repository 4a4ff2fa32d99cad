//! The command `wharf`.
//!
//! [`cli`] says what can be typed, [`command`] has a file for every verb, [`printer`] is the only place that prints,
//! and [`error`] says what goes wrong and how it exits.

mod cli;
mod command;
mod error;
mod local_time;
mod printer;
mod size;
mod uri;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;
use crate::printer::Printer;

fn main() -> ExitCode {
    let mut printer = Printer::new();
    let outcome = match Cli::try_parse() {
        Ok(cli) => command::run(cli, &mut printer),
        Err(error) => cli::explain(&error, &mut printer),
    };
    printer.finish(outcome).into()
}
