//! The verbs: one file each, with its arguments and its `run`.

mod cat;
mod completions;
mod cp;
mod du;
mod head;
mod ls;
mod mb;
mod mv;
mod pipe;
mod presign;
mod rb;
mod rm;
mod run;
mod second_thread;
mod serve;
mod sync;
mod verify;
mod version;
mod website;
mod whoami;

use std::io;
use std::num::NonZero;
use std::thread::available_parallelism;
use std::time::Duration;

use clap::{Args, Subcommand};
use tokio::runtime::{Builder, Runtime};
use wharf::Client;

use crate::cli::Cli;
use crate::context::{Context, Dialect};
use crate::error::{Exit, Failure};
use crate::globals::{Connection, Globals};
use crate::printer::Printer;
use crate::{signals, streams, url};

/// How long what is still read or written may take at the end. Standard input may stay silent for ever.
const TO_END: Duration = Duration::from_millis(100);

const S3_EXAMPLE: &str = "\
Example: what is typed after `aws`, typed after `wharf`

  wharf s3 sync photos s3://my-bucket/photos --exclude '*.tmp' --delete";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Verb(Verb),
    Cat(cat::Args),
    Pipe(Box<pipe::Args>),
    Head(head::Args),
    Du(du::Args),
    Run(run::Args),
    Serve(serve::Args),
    Verify(verify::Args),
    Whoami(whoami::Args),
    Completions(completions::Args),
    Version(version::Args),
    /// The verbs of `aws s3`, as it has them
    ///
    /// Keys are literal, and an empty source empties the target of `sync --delete`, as there.
    #[command(before_help = S3_EXAMPLE)]
    S3 {
        #[command(subcommand)]
        verb: Verb,
    },
}

/// The verbs that `aws s3` has as well.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Ls(ls::Args),
    Cp(Box<cp::Args>),
    Mv(Box<mv::Args>),
    Rm(rm::Args),
    Sync(Box<sync::Args>),
    Mb(mb::Args),
    Rb(rb::Args),
    Presign(presign::Args),
    Website(website::Args),
}

/// A verb by its name, with its arguments.
type Row = (&'static str, fn(clap::Command) -> clap::Command);

const VERBS: [Row; 19] = [
    ("ls", ls::Args::augment_args),
    ("cp", cp::Args::augment_args),
    ("mv", mv::Args::augment_args),
    ("rm", rm::Args::augment_args),
    ("sync", sync::Args::augment_args),
    ("mb", mb::Args::augment_args),
    ("rb", rb::Args::augment_args),
    ("presign", presign::Args::augment_args),
    ("website", website::Args::augment_args),
    ("cat", cat::Args::augment_args),
    ("pipe", pipe::Args::augment_args),
    ("head", head::Args::augment_args),
    ("du", du::Args::augment_args),
    ("run", run::Args::augment_args),
    ("serve", serve::Args::augment_args),
    ("verify", verify::Args::augment_args),
    ("whoami", whoami::Args::augment_args),
    ("completions", completions::Args::augment_args),
    ("version", version::Args::augment_args),
];

/// How the words of one verb are read, without those of the others.
pub(crate) fn alone(verb: &str) -> Option<clap::Command> {
    let (name, arguments) = VERBS.iter().find(|(name, _)| *name == verb)?;
    Some(arguments(clap::Command::new(name)))
}

/// Carries out what was typed.
pub(crate) fn run(cli: Cli, printer: &mut Printer) -> Result<Exit, Failure> {
    let Cli { globals, command } = cli;
    printer.set(&globals.output);
    command.check()?;
    match command {
        Command::Completions(args) => completions::run(args, printer),
        Command::Version(args) => version::run(args, printer),
        command => {
            streams::allow_more_files();
            let runtime = if command.takes_all_cores(&globals.connection) { all_cores()? } else { one_thread()? };
            if command.hears_signals() {
                signals::listen().map_err(no_runtime)?;
            }
            let outcome = runtime.block_on(async {
                tokio::select! {
                    biased;
                    outcome = dispatch(command, globals, None, printer) => outcome,
                    signal = signals::unanswered() => Err(Failure::interrupted(signal)),
                }
            });
            runtime.shutdown_timeout(TO_END);
            outcome
        }
    }
}

/// `client` is one that does as the options say, where there is one already.
async fn dispatch(
    command: Command,
    mut globals: Globals,
    client: Option<Client>,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    globals.connection.makes_store = command.makes_store();
    globals.connection.patience = globals.tuning.patience;
    let dialect = if matches!(command, Command::S3 { .. }) { Dialect::Aws } else { Dialect::Wharf };
    let context = &Context::new(globals, dialect, client);
    context.tune();
    match command {
        Command::Verb(verb) | Command::S3 { verb } => match verb {
            Verb::Ls(args) => ls::run(args, context, printer).await,
            Verb::Cp(args) => cp::run(*args, context, printer).await,
            Verb::Mv(args) => mv::run(*args, context, printer).await,
            Verb::Sync(args) => sync::run(*args, context, printer).await,
            Verb::Rm(args) => rm::run(args, context, printer).await,
            Verb::Mb(args) => mb::run(args, context, printer).await,
            Verb::Rb(args) => rb::run(args, context, printer).await,
            Verb::Presign(args) => presign::run(args, context, printer).await,
            Verb::Website(args) => website::run(args, context, printer).await,
        },
        Command::Cat(args) => cat::run(args, context, printer).await,
        Command::Pipe(args) => pipe::run(*args, context, printer).await,
        Command::Head(args) => head::run(args, context, printer).await,
        Command::Du(args) => du::run(args, context, printer).await,
        Command::Run(args) => run::run(args, context, printer).await,
        Command::Serve(args) => serve::run(args, &context.globals.connection, printer).await,
        Command::Verify(args) => verify::run(args, context, printer).await,
        Command::Whoami(args) => whoami::run(args, context, printer).await,
        Command::Completions(args) => completions::run(args, printer),
        Command::Version(args) => version::run(args, printer),
    }
}

impl Command {
    /// Whether a store is made for it: nothing else is of use where there is no bucket yet.
    pub(crate) fn makes_store(&self) -> bool {
        matches!(self, Self::Verb(Verb::Mb(_)) | Self::S3 { verb: Verb::Mb(_) })
    }

    /// What one who reads a word after the other cannot know.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.must_leave_something_out()?;
        self.must_have_target()
    }

    /// Where `--include` alone is typed, others mean nothing else by it. After `s3` it has no effect, as with aws-cli.
    fn must_leave_something_out(&self) -> Result<(), Failure> {
        let filters = match self {
            Self::Verb(Verb::Cp(args)) => args.filters(),
            Self::Verb(Verb::Mv(args)) => args.filters(),
            Self::Verb(Verb::Sync(args)) => args.filters(),
            Self::Verb(Verb::Rm(args)) => args.filters(),
            Self::Verify(args) => args.filters(),
            _ => return Ok(()),
        };
        if !filters.begin_with_include() {
            return Ok(());
        }
        Err(Failure::usage("--include takes what an --exclude before it leaves out, and there is none")
            .hint("--exclude '*' --include 'PATTERN' takes what fits, and nothing else"))
    }

    /// Options may stand between the source and the target.
    fn must_have_target(&self) -> Result<(), Failure> {
        let (verb, s3) = match self {
            Self::Verb(verb) => (verb, ""),
            Self::S3 { verb } => (verb, "s3 "),
            _ => return Ok(()),
        };
        let (name, paths) = match verb {
            Verb::Cp(args) => ("cp", &args.paths),
            Verb::Mv(args) => ("mv", &args.paths),
            _ => return Ok(()),
        };
        let missing = match paths.as_slice() {
            [] => "the source and the target are missing".to_owned(),
            [source] => {
                let source = source.to_string_lossy();
                format!("the target is missing: where {} goes to", url::without_secrets(&source))
            }
            _ => return Ok(()),
        };
        Err(Failure::usage(missing).hint(format!("`wharf {s3}{name} --help` says what can be typed")))
    }

    /// Whether it says that it was stopped. What begins nothing that would have to be put away dies of a signal as other programs
    /// do, which saves a third of the time that it takes; `serve` ends in its own way, and takes as long as it takes.
    fn hears_signals(&self) -> bool {
        match self {
            Self::Verb(verb) | Self::S3 { verb } => {
                !matches!(verb, Verb::Ls(_) | Verb::Mb(_) | Verb::Presign(_) | Verb::Website(_))
            }
            Self::Serve(_) | Self::Head(_) | Self::Whoami(_) => false,
            _ => true,
        }
    }

    /// Whether it does so much at a time that more than one core helps. Of two, files and the kernel's part of the network
    /// keep one busy: a second thread would mostly pass things to and fro, but for a large file or object that is named.
    fn takes_all_cores(&self, connection: &Connection) -> bool {
        let cores = available_parallelism().map_or(1, NonZero::get);
        let named = |paths: &[_], recursive: bool| cores == 2 && !recursive && second_thread::helps(paths, connection);
        match self {
            Self::Serve(_) => true,
            Self::Verb(verb) | Self::S3 { verb } => match verb {
                Verb::Cp(args) => cores > 2 || named(&args.paths, args.recursive),
                Verb::Mv(args) => cores > 2 || named(&args.paths, args.recursive),
                Verb::Sync(_) | Verb::Rm(_) => cores > 2,
                _ => false,
            },
            Self::Pipe(_) | Self::Run(_) | Self::Verify(_) => cores > 2,
            _ => false,
        }
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

#[cfg(test)]
mod tests {
    use clap::Parser;
    use wharf::transfer::{Budgets, Limits};

    use super::*;

    /// No byte goes by them: what they hold back is the library's.
    #[tokio::test]
    async fn every_verb_that_moves_bytes_keeps_to_the_limits() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().to_str().unwrap();
        for (number, verb) in [
            &["cat", "s3://my-bucket/a"][..],
            &["cp", "s3://my-bucket/a", "-"],
            &["cp", "s3://my-bucket/a", "b"],
            &["verify", store, "s3://my-bucket"],
        ]
        .into_iter()
        .enumerate()
        {
            let (requests, bandwidth) = (100 + number, (1 << 40) + number as u64);
            let (many, fast) = (requests.to_string(), bandwidth.to_string());
            let options = ["--quiet", "--embedded", store, "--concurrency", &many, "--bandwidth", &fast];
            let cli = Cli::try_parse_from([&["wharf"], verb, &options].concat()).unwrap();
            let mut printer = Printer::new();
            printer.set(&cli.globals.output);
            let ended = dispatch(cli.command, cli.globals, None, &mut printer).await;
            assert!(!matches!(ended, Ok(Exit::Done)), "there is no such bucket");
            let limits = Budgets::process().limits();
            assert_eq!((limits.requests, limits.bandwidth), (requests, Some(bandwidth)), "{verb:?}");
        }
        Budgets::process().set(Limits::default());
    }
}
