//! `wharf completions`: what makes the Tab key work.

use clap::{CommandFactory, ValueEnum};
use clap_complete::generate;

use crate::cli::Cli;
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
    generate(shell, &mut Cli::command(), "wharf", &mut script);
    printer.data(&script)?;
    Ok(Exit::Done)
}
