//! The verbs: one file each, with its arguments and its `run`.

mod cat;
mod ls;
mod presign;
mod serve;
mod whoami;

use std::io;

use clap::Subcommand;
use tokio::runtime::{Builder, Runtime};

use crate::cli::Cli;
use crate::error::{Exit, Failure};
use crate::printer::Printer;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(serve::Args),
    Ls(ls::Args),
    Cat(cat::Args),
    Presign(presign::Args),
    Whoami(whoami::Args),
}

/// Carries out what was typed.
pub(crate) fn run(cli: Cli, printer: &mut Printer) -> Result<Exit, Failure> {
    let Cli { connection, command } = cli;
    match command {
        Command::Serve(args) => all_cores()?.block_on(serve::run(args, &connection, printer)),
        Command::Ls(args) => one_thread()?.block_on(ls::run(args, &connection.client()?, printer)),
        Command::Cat(args) => one_thread()?.block_on(cat::run(args, &connection.client()?, printer)),
        Command::Presign(args) => one_thread()?.block_on(presign::run(args, &connection.client()?, printer)),
        Command::Whoami(args) => one_thread()?.block_on(whoami::run(args, &connection.client()?, printer)),
    }
}

/// For what does one thing at a time: no threads to start.
fn one_thread() -> Result<Runtime, Failure> {
    Builder::new_current_thread().enable_all().build().map_err(no_runtime)
}

fn all_cores() -> Result<Runtime, Failure> {
    Builder::new_multi_thread().enable_all().build().map_err(no_runtime)
}

fn no_runtime(error: io::Error) -> Failure {
    Failure::new(Exit::Other, format!("the system gives no runtime: {error}"))
}
