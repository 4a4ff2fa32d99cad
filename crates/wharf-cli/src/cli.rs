//! What can be typed: the verbs, and the options that all of them share.

use clap::error::ErrorKind;
use clap::{Args, Parser};
use wharf::Client;

use crate::command::Command;
use crate::error::{Exit, Failure};
use crate::printer::Printer;

const EXAMPLE: &str = "\
Example: a server of your own in one terminal, a look into it from another

  wharf serve
  wharf ls s3://my-bucket/reports/
  wharf cat s3://my-bucket/reports/2026.csv | head
  wharf presign s3://my-bucket/reports/2026.csv --expires-in 600";

/// S3 from the command line: any S3, or one of your own
#[derive(Debug, Parser)]
#[command(name = "wharf", version, before_help = EXAMPLE, arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) connection: Connection,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Which server to talk to, and as whom. What is not said here comes from the environment and the AWS files.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which server, and as whom")]
pub(crate) struct Connection {
    /// A server other than AWS, such as http://127.0.0.1:9000
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
    /// The region, such as eu-west-1
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) region: Option<String>,
    /// The profile of the AWS files to take keys, region and endpoint from
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Sign nothing, for what everybody may read
    #[arg(long, global = true)]
    pub(crate) no_sign_request: bool,
}

impl Connection {
    /// The client that these options ask for.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let mut builder = Client::builder();
        if let Some(url) = &self.endpoint_url {
            builder = builder.endpoint(url);
        }
        if let Some(region) = &self.region {
            builder = builder.region(region);
        }
        if let Some(profile) = &self.profile {
            builder = builder.profile(profile);
        }
        if self.no_sign_request {
            builder = builder.anonymous();
        }
        builder.build().map_err(|error| Failure::from(error).exits(Exit::Configuration))
    }
}

/// What to say to somebody who typed what cannot be read, or asked for help or the version.
pub(crate) fn explain(error: &clap::Error, printer: &mut Printer) -> Result<Exit, Failure> {
    let text = error.to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            printer.line(text.trim_end())?;
            Ok(Exit::Done)
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            printer.note(text.trim_end());
            Ok(Exit::Usage)
        }
        _ => Err(usage(&text)),
    }
}

/// Clap's error has a paragraph that says what is wrong, perhaps one with a tip, and the usage. Ours is a line and a
/// hint.
fn usage(text: &str) -> Failure {
    let mut paragraphs = text.split("\n\n").map(one_line);
    let problem = paragraphs.next().unwrap_or_default();
    let problem = problem.strip_prefix("error: ").unwrap_or(&problem);
    let failure = Failure::usage(problem);
    match paragraphs.find_map(|paragraph| paragraph.strip_prefix("tip: ").map(str::to_owned)) {
        Some(tip) => failure.hint(tip),
        None => failure.hint("`wharf --help` and `wharf VERB --help` say what can be typed"),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_usage_error_is_a_line_and_a_hint() {
        let failure = usage("error: these are missing:\n  <URI>\n\n  tip: say one\n\nUsage: wharf cat <URI>\n");
        assert_eq!(failure.to_string(), "wharf: these are missing: <URI>\nhint: say one");
    }
}
