//! `wharf run`: many commands at a time.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Parser;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::{Command, dispatch};
use crate::cli::{Cli, usage};
use crate::context::Context;
use crate::error::{Exit, Failure};
use crate::globals::Globals;
use crate::printer::Printer;

const EXAMPLE: &str = "\
Example: three copies at a time, from a list

  echo 'cp a.txt s3://my-bucket/
        cp \"b c.txt\" s3://my-bucket/
        rm s3://my-bucket/old.txt' | wharf run -";

/// Run many commands, one a line
///
/// A line is what would follow `wharf`; quotes and backslashes are a shell's, nothing is
/// expanded. Empty lines and those that begin with # are left out. The commands run at the same
/// time, in no order: what depends on another belongs into another run. What is said before
/// `run` holds for all of them.
///
/// Exits with 1 if any failed, else with 2 if any skipped something.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLE, verbatim_doc_comment)]
pub(crate) struct Args {
    /// The file with the commands; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How many run at a time
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: u16,
}

/// A command, and in which line it was.
struct Line {
    number: usize,
    cli: Cli,
}

pub(crate) async fn run(args: Args, context: &Context, printer: &mut Printer) -> Result<Exit, Failure> {
    let file = args.file.clone();
    // Ctrl-C is heard while standard input is silent.
    let reading = tokio::task::spawn_blocking(move || read(&file)).await;
    let text = reading.map_err(|error| Failure::new(Exit::Other, error.to_string()))??;
    // All lines are read before anything is done: a mistake in the last one stops the first one too.
    let lines: Vec<_> = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
        .map(|(at, line)| parse(at + 1, line, &context.globals))
        .collect::<Result<_, _>>()?;
    let mut waiting = lines.into_iter();
    let mut running = FuturesUnordered::new();
    let mut exit = Exit::Done;
    loop {
        while running.len() < usize::from(args.jobs)
            && let Some(line) = waiting.next()
        {
            running.push(one(line, context, printer.another()));
        }
        let Some(ended) = running.next().await else { return Ok(exit) };
        exit = match (exit, ended?) {
            (exit, Exit::Done) => exit,
            (Exit::Failed, _) => Exit::Failed,
            (_, Exit::Skipped) => Exit::Skipped,
            _ => Exit::Failed,
        };
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = match file.to_str() {
        Some("-") => io::stdin().lock().read_to_string(&mut text),
        _ => fs::read_to_string(file).map(|all| {
            text = all;
            text.len()
        }),
    };
    read.map_err(|error| Failure::new(Exit::Other, format!("{} cannot be read: {error}", file.display())))?;
    Ok(text)
}

/// Reads a line. What was said for all holds unless the line says otherwise.
fn parse(number: usize, line: &str, globals: &Globals) -> Result<Line, Failure> {
    let wrong = |failure: Failure| failure.of_line(number);
    let words = shlex::split(line).ok_or_else(|| wrong(Failure::usage("a quote is not closed")))?;
    let words = words.iter().map(String::as_str).skip_while(|word| *word == "wharf");
    let mut cli =
        Cli::try_parse_from(std::iter::once("wharf").chain(words)).map_err(|error| wrong(usage(&error.to_string())))?;
    if matches!(cli.command, Command::Run(_) | Command::Serve(_)) {
        return Err(wrong(Failure::usage("run and serve have no place in a list of commands")));
    }
    cli.globals.inherit(globals);
    Ok(Line { number, cli })
}

/// Carries one out, and says why it failed as it was to say everything.
///
/// # Errors
/// A signal came, which ends all.
async fn one(line: Line, context: &Context, mut printer: Printer) -> Result<Exit, Failure> {
    let Line { number, cli } = line;
    printer.set(&cli.globals.output);
    // Whoever talks to the same server as the same user shares its connections.
    let client = cli.globals.connection == context.globals.connection;
    let client = if client { context.client().ok() } else { None };
    let outcome = Box::pin(dispatch(cli.command, cli.globals, client, &mut printer)).await;
    match printer.end(outcome) {
        Err(failure) if !failure.is_interrupted() => {
            printer.failure(&failure.of_line(number));
            Ok(Exit::Failed)
        }
        outcome => outcome,
    }
}
