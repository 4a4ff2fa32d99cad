//! The command `wharf`.
//!
//! [`cli`] and [`globals`] say what can be typed, [`command`] has a file for every verb. What verbs tell are values
//! ([`message`]), which [`printer`] alone prints; [`error`] says what goes wrong and how it exits.

mod aws_words;
mod cli;
mod command;
mod context;
mod customer_key;
mod error;
mod filter;
mod globals;
mod idle;
mod local_time;
mod message;
mod paramfile;
mod pattern;
mod payer;
mod printer;
mod progress;
mod signals;
mod streams;
mod terminal;
mod transfer;
mod units;
mod url;
mod vigil;

use std::process::ExitCode;

use crate::printer::Printer;

fn main() -> ExitCode {
    let mut printer = Printer::new();
    let outcome = match cli::parse() {
        Ok(cli) => command::run(cli, &mut printer),
        Err(error) => cli::explain(error, &mut printer),
    };
    printer.finish(outcome).into()
}
