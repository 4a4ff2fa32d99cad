//! `wharf run`: many commands at a time.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf, absolute};

use clap::error::ErrorKind;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use wharf::Client;

use super::{Command, Verb, dispatch};
use crate::cli::{Cli, Reader, usage};
use crate::context::{Context, Dialect};
use crate::error::{Exit, Failure};
use crate::globals::{Connection, Globals, Tuning};
use crate::printer::Printer;
use crate::transfer::place::{INPUT, OUTPUT, Place};

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
/// `run` holds for all of them, as far as a line says nothing else.
///
/// None may read standard input, and what writes bytes to standard output (`cat`, `cp URL -`)
/// needs --jobs 1. Nobody is asked: what `rm` would ask about needs --recursive or --force.
///
/// Exits with 1 if any failed, else with 2 if any skipped something.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLE, verbatim_doc_comment)]
pub(crate) struct Args {
    /// The file with the commands; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How many run at a time
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024), allow_negative_numbers = true)]
    jobs: u16,
}

/// What ends or joins commands in a shell, which a line is not for.
const SHELLS: [&str; 8] = ["&&", "||", "|", ";", "&", ">", ">>", "<"];

/// How many lines are read between two looks for a signal.
const READ_AT_ONCE: usize = 16;

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
    // How some editors begin a file.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    // All lines are read before anything is done: a mistake in the last one stops the first one too.
    let (mut lines, mut mistake) = (Vec::new(), None);
    let mut reader = Reader::new();
    for (at, line) in text.lines().enumerate() {
        // A long list takes its time, and Ctrl-C is heard meanwhile.
        if at % READ_AT_ONCE == 0 {
            tokio::task::yield_now().await;
        }
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        match parse(&mut reader, at + 1, line, &args, &context.globals) {
            Ok(line) => lines.push(line),
            Err(another) => {
                if let Some(told) = mistake.replace(another) {
                    printer.failure(told);
                }
            }
        }
    }
    if let Some(last) = mistake {
        return Err(last);
    }
    let mut clients = Clients(Vec::new());
    let mut waiting = lines.into_iter();
    let mut running = FuturesUnordered::new();
    let (mut exit, mut stopped) = (Exit::Done, None);
    loop {
        while stopped.is_none()
            && running.len() < usize::from(args.jobs)
            && let Some(mut line) = waiting.next()
        {
            line.cli.globals.connection.makes_store = line.cli.command.makes_store();
            line.cli.globals.connection.patience = line.cli.globals.tuning.patience;
            let client = clients.of(&line.cli.globals.connection);
            let printer = printer.of_line(line.number);
            running.push(one(line, client, printer));
        }
        let Some(ended) = running.next().await else { return stopped.map_or(Ok(exit), Err) };
        exit = match (exit, ended) {
            // All hear of the signal, and each puts away what it began.
            (exit, Err(failure)) if failure.is_interrupted() => {
                stopped.get_or_insert(failure);
                exit
            }
            (_, Err(failure)) => return Err(failure),
            (exit, Ok(Exit::Done)) => exit,
            (Exit::Failed, Ok(_)) => Exit::Failed,
            (_, Ok(Exit::Skipped)) => Exit::Skipped,
            _ => Exit::Failed,
        };
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    let read = match file.to_str() {
        Some("-") => {
            let mut bytes = Vec::new();
            io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
        }
        _ => fs::read(file),
    };
    let bytes =
        read.map_err(|error| Failure::new(Exit::Other, format!("{} cannot be read: {error}", file.display())))?;
    String::from_utf8(bytes).map_err(|error| {
        let lines = error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        Failure::usage("it is no UTF-8, which every line must be").of_line(lines + 1)
    })
}

/// Reads a line. What was said for all holds unless the line says otherwise.
fn parse(reader: &mut Reader, number: usize, line: &str, args: &Args, globals: &Globals) -> Result<Line, Failure> {
    let wrong = |failure: Failure| failure.of_line(number);
    let words = shlex::split(line).ok_or_else(|| wrong(Failure::usage("a quote is not closed")))?;
    if let Some(word) = words.iter().find(|word| SHELLS.contains(&word.as_str())) {
        return Err(wrong(
            Failure::usage(format!("{word} means nothing here")).hint("a line is one command, and no shell's"),
        ));
    }
    let words = words.into_iter().skip_while(|word| word == "wharf").map(OsString::from);
    let mut cli = reader.read(std::iter::once("wharf".into()).chain(words).collect()).map_err(|error| {
        wrong(match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                Failure::usage("--help and --version have no place in a list of commands")
            }
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                Failure::usage("it names no verb").hint("`wharf --help` lists them")
            }
            _ => usage(error),
        })
    })?;
    if matches!(cli.command, Command::Run(_) | Command::Serve(_)) {
        return Err(wrong(Failure::usage("run and serve have no place in a list of commands")));
    }
    cli.command.check().map_err(wrong)?;
    refuse_streams(&cli.command, args.jobs).map_err(wrong)?;
    refuse_questions(&cli.command).map_err(wrong)?;
    refuse_limits(&cli.globals.tuning).map_err(wrong)?;
    cli.globals.inherit(globals).map_err(wrong)?;
    Ok(Line { number, cli })
}

/// Refuses what all would share: of standard input the list may have been read, and bytes of several commands would mix on
/// standard output.
fn refuse_streams(command: &Command, jobs: u16) -> Result<(), Failure> {
    let (reads, writes) = match command {
        Command::Pipe(_) => (true, false),
        Command::Cat(_) => (false, true),
        Command::Verb(verb) | Command::S3 { verb } => match verb {
            Verb::Cp(args) => streams(&args.paths),
            Verb::Mv(args) => streams(&args.paths),
            _ => (false, false),
        },
        _ => (false, false),
    };
    if reads {
        return Err(Failure::usage("standard input has no place in a list of commands").hint("name a file"));
    }
    if writes && jobs > 1 {
        return Err(Failure::usage("what commands write to standard output at the same time would mix")
            .hint("--jobs 1 runs them one after the other; or name a file"));
    }
    Ok(())
}

/// Refuses what would hold for the other lines as well.
fn refuse_limits(tuning: &Tuning) -> Result<(), Failure> {
    let said = [("--bandwidth", tuning.bandwidth.is_some()), ("--concurrency", tuning.concurrency.is_some())];
    match said.iter().find(|(_, said)| *said) {
        Some((option, _)) => Err(Failure::usage(format!("{option} is a limit of all that runs, and not of a line"))
            .hint(format!("say it before `run`: `wharf {option} N run LIST`"))),
        None => Ok(()),
    }
}

fn refuse_questions(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Verb(Verb::Rm(args)) => args.refuse_questions(Dialect::Wharf),
        Command::S3 { verb: Verb::Rm(args) } => args.refuse_questions(Dialect::Aws),
        _ => Ok(()),
    }
}

/// Whether some of these places, of which the last is the target, are standard input and output.
fn streams(paths: &[OsString]) -> (bool, bool) {
    let is = |path: &OsString, names| Place::parse(path).is_ok_and(|place| place.or_standard(names) == Place::Standard);
    let Some((target, sources)) = paths.split_last() else { return (false, false) };
    (sources.iter().any(|path| is(path, &INPUT)), is(target, &OUTPUT))
}

/// A client for each connection that was asked for: whoever talks to the same server as the same user shares it.
struct Clients(Vec<(Connection, Client)>);

impl Clients {
    /// None where none can be made, which is told by the command that needs it.
    fn of(&mut self, connection: &Connection) -> Option<Client> {
        let mut asked = Connection { makes_store: false, ..connection.clone() };
        if let Some(folder) = &asked.embedded {
            // A store is open once, however its folder is written, and in one region.
            asked.embedded = Some(absolute(folder).unwrap_or_else(|_| folder.clone()));
            asked.region = None;
            asked.patience = None;
        }
        if let Some((_, client)) = self.0.iter().find(|(known, _)| *known == asked) {
            return Some(client.clone());
        }
        let client = connection.client().ok()?;
        self.0.push((asked, client.clone()));
        Some(client)
    }
}

/// Carries one out, and says why it failed as it was to say everything.
///
/// # Errors
/// A signal came, which ends all.
async fn one(line: Line, client: Option<Client>, mut printer: Printer) -> Result<Exit, Failure> {
    let cli = line.cli;
    printer.set(&cli.globals.output);
    let outcome = Box::pin(dispatch(cli.command, cli.globals, client, &mut printer)).await;
    match printer.end(outcome) {
        Err(Failure::ReaderGone) => Ok(Exit::Done),
        Err(failure) if !failure.is_interrupted() => {
            printer.failure(failure);
            Ok(Exit::Failed)
        }
        outcome => outcome,
    }
}
