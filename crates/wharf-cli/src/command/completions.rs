//! `wharf completions`: what makes the Tab key work.

use clap::{Command, ValueEnum};
use clap_complete::generate;

use crate::cli;
use crate::error::{Exit, Failure};
use crate::printer::Printer;

const EXAMPLE: &str = "\
Example: for bash, from the next shell on

  wharf completions bash > ~/.local/share/bash-completion/completions/wharf";

/// Print a script that completes verbs and options
///
/// zsh looks in the directories of $fpath for a file _wharf, fish in ~/.config/fish/completions
/// for wharf.fish.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLE, verbatim_doc_comment)]
pub(crate) struct Args {
    /// For which shell
    shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

pub(crate) fn run(args: Args, printer: &mut Printer) -> Result<Exit, Failure> {
    let shell = match args.shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    let mut whole = cli::definition();
    // What all verbs share is put into each, where it may be hidden.
    whole.build();
    generate(shell, &mut shown(&whole), "wharf", &mut script);
    printer.data(&script)?;
    Ok(Exit::Done)
}

/// What help shows of a command, which is all that is offered: clap_complete offers what is hidden as well.
fn shown(whole: &Command) -> Command {
    // These every command is given anew.
    let is_given = |name: &str| matches!(name, "help" | "version");
    let options = whole.get_arguments().filter(|option| !option.is_hide_set() && !is_given(option.get_id().as_str()));
    let verbs = whole.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help");
    // Names in clap live as long as the program, which ends when this is printed.
    let made = Command::new(&*whole.get_name().to_owned().leak())
        .args(options.map(|option| option.clone().global(false)))
        .subcommands(verbs.map(shown));
    let made = if whole.get_version().is_some() { made.version(env!("CARGO_PKG_VERSION")) } else { made };
    whole.get_about().into_iter().fold(made, |made, about| made.about(about.clone()))
}
