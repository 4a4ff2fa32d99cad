//! What can be typed: the verbs, and the options that all of them share.

use std::env;
use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser};

use crate::aws_words;
use crate::command::{self, Command};
use crate::error::{Exit, Failure};
use crate::globals::Globals;
use crate::idle;
use crate::printer::Printer;
use crate::url;

const EXAMPLE: &str = "\
Example: a server of your own in one terminal, a folder that goes up and comes back in another

  wharf serve                      # prints variables: paste them into the other terminal
  wharf mb s3://my-bucket
  wharf sync reports s3://my-bucket/reports
  wharf ls s3://my-bucket/reports/
  wharf cp 's3://my-bucket/reports/*.csv' copies/";

/// S3 from the command line: any S3, or one of your own
///
/// The words of `aws s3` do the same here, and after `wharf s3` nothing else: there every key is
/// literal. Without `s3`, * and ? in S3 URLs are wild.
///
/// Exits with 0 when all is done, 1 when something failed, 2 when something was skipped, 130 after
/// Ctrl-C, 143 after SIGTERM, 252 for what cannot be typed, 253 without a usable configuration, 254
/// when the server refused, 255 for anything else.
#[derive(Debug, Parser)]
#[command(name = "wharf", version, before_help = EXAMPLE, verbatim_doc_comment)]
#[command(arg_required_else_help = true, args_override_self = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// All that can be typed. After `s3` there is one source; else there may be any number, and the last place is the target.
pub(crate) fn definition() -> clap::Command {
    let used = |parent: clap::Command, verb: &'static str, usage: &'static str| {
        parent.mut_subcommand(verb, |command| command.override_usage(usage))
    };
    let definition = used(idle::hide(Cli::command()), "cp", "wharf cp [OPTIONS] <SOURCE>... <TARGET>");
    used(definition, "mv", "wharf mv [OPTIONS] <SOURCE>... <TARGET>").mut_subcommand("s3", |s3| {
        let s3 = used(s3, "cp", "wharf s3 cp [OPTIONS] <SOURCE> <TARGET>");
        let s3 = used(s3, "mv", "wharf s3 mv [OPTIONS] <SOURCE> <TARGET>");
        used(s3, "rm", "wharf s3 rm [OPTIONS] <URL>").mut_subcommands(aws_words::of)
    })
}

/// What was typed.
pub(crate) fn parse() -> Result<Cli, clap::Error> {
    let words = with_help(env::args_os().collect());
    if let Some(cli) = of_one_verb(&words) {
        return Ok(cli);
    }
    read(words)
}

/// What words say. Help and mistakes need all verbs.
fn read(words: Vec<OsString>) -> Result<Cli, clap::Error> {
    Reader::new().read(words)
}

/// Reads one line of words after another.
pub(crate) struct Reader(clap::Command);

impl Reader {
    pub(crate) fn new() -> Self {
        Self(definition())
    }

    /// What words say, the first of which is the program's name.
    pub(crate) fn read(&mut self, words: Vec<OsString>) -> Result<Cli, clap::Error> {
        let mut typed = self.0.try_get_matches_from_mut(&words)?;
        if let Some(problem) = idle_of_verb(&mut self.0, &typed, words) {
            return Err(clap::Error::raw(ErrorKind::UnknownArgument, problem));
        }
        Cli::from_arg_matches_mut(&mut typed).map_err(|error| error.format(&mut self.0))
    }
}

/// What is wrong where an option that does nothing stands after the verb. What stands before it may be an alias's, said for all.
fn idle_of_verb(definition: &mut clap::Command, typed: &ArgMatches, words: Vec<OsString>) -> Option<String> {
    let problem = idle::said(typed)?;
    match from_verb(words) {
        // Clap hands what is said for all down to the verb, so that the two are one there.
        Some(words) => idle::said(&definition.try_get_matches_from_mut(words).ok()?),
        None => Some(problem),
    }
}

/// The same words without the options that stand before the verb.
fn from_verb(words: Vec<OsString>) -> Option<Vec<OsString>> {
    let (mut kept, mut rest) = (vec![OsString::from("wharf")], words);
    loop {
        let before = clap::Command::new("wharf").args_override_self(true).allow_external_subcommands(true);
        let before = before.external_subcommand_value_parser(clap::value_parser!(OsString));
        let typed = Globals::augment_args(before).try_get_matches_from(rest).ok()?;
        let (verb, after) = typed.subcommand()?;
        kept.push(verb.into());
        let after = after.get_many::<OsString>("").into_iter().flatten().cloned();
        if verb != "s3" {
            kept.extend(after);
            return Some(kept);
        }
        rest = [verb.into()].into_iter().chain(after).collect();
    }
}

/// `aws s3 cp help` is how aws-cli is asked for help.
fn with_help(mut words: Vec<OsString>) -> Vec<OsString> {
    if let [_, s3, _, help] = words.as_mut_slice()
        && s3 == "s3"
        && help == "help"
    {
        *help = OsString::from("--help");
    }
    words
}

/// The same, if it can be read with one verb alone: to put all of them together takes longer than to list a key.
fn of_one_verb(words: &[OsString]) -> Option<Cli> {
    let verb = words.iter().skip(1).find_map(|word| command::alone(word.to_str()?))?;
    let alone = Globals::augment_args(clap::Command::new("wharf").args_override_self(true)).subcommand(verb);
    let typed = alone.try_get_matches_from(words).ok()?;
    if idle::said(&typed).is_some() { None } else { Cli::from_arg_matches(&typed).ok() }
}

/// What to say to somebody who typed what cannot be read, or asked for help or the version.
pub(crate) fn explain(error: clap::Error, printer: &mut Printer) -> Result<Exit, Failure> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            printer.line(error.to_string().trim_end())?;
            Ok(Exit::Done)
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            printer.note(error.to_string().trim_end());
            Ok(Exit::Usage)
        }
        _ => Err(usage(error)),
    }
}

/// What is wrong with what was typed. Clap quotes it, and what is secret in it must not be shown.
pub(crate) fn usage(mut error: clap::Error) -> Failure {
    let is_key = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(option)) => option.starts_with("--sse-c"),
        _ => false,
    };
    let shown = |(kind, value): (ContextKind, &ContextValue)| match value {
        ContextValue::String(_) if is_key && kind == ContextKind::InvalidValue => Some((kind, "...".to_owned())),
        ContextValue::String(text) => Some((kind, url::without_secrets(text).into_owned())),
        _ => None,
    };
    let shown: Vec<_> = error.context().filter_map(shown).collect();
    for (kind, text) in shown {
        error.insert(kind, ContextValue::String(text));
    }
    in_short(&error.to_string())
}

/// Clap's error has a paragraph that says what is wrong, perhaps one with a tip, and the usage. Ours is a line and a
/// hint.
fn in_short(text: &str) -> Failure {
    let mut paragraphs = text.split("\n\n").map(one_line);
    let problem = paragraphs.next().unwrap_or_default();
    let problem = problem.strip_prefix("error: ").unwrap_or(&problem);
    let failure = Failure::usage(problem);
    if let Some(hint) = hint(problem, &verb(text).unwrap_or_default()) {
        return failure.hint(hint);
    }
    // What clap says of `-- --name` is right of files that are called so, which is seldom meant.
    let tip =
        |paragraph: String| paragraph.strip_prefix("tip: ").filter(|tip| !tip.contains("'-- ")).map(str::to_owned);
    match paragraphs.find_map(tip) {
        Some(tip) => failure.hint(tip),
        // What a value must be like is said with it.
        None if problem.starts_with("invalid value") => failure,
        None => match verb(text) {
            Some(verb) => failure.hint(format!("`wharf {verb} --help` says what can be typed")),
            None => failure.hint("`wharf --help` says what can be typed"),
        },
    }
}

/// The verb whose usage clap tells.
fn verb(text: &str) -> Option<String> {
    let usage = text.split_once("Usage: wharf ")?.1;
    let is_word = |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let words: Vec<_> = usage.split_whitespace().take_while(is_word).collect();
    Some(words.join(" ")).filter(|verb| !verb.is_empty())
}

/// What other programs call our options.
const ELSEWHERE: [(&str, &[&str]); 14] = [
    ("-r", &["--recursive"]),
    ("-R", &["--recursive"]),
    ("-n", &["--dryrun", "--no-overwrite"]),
    ("-H", &["--human-readable"]),
    ("--no-clobber", &["--no-overwrite"]),
    ("--ignore-existing", &["--no-overwrite"]),
    ("--transfers", &["--concurrency"]),
    ("--bwlimit", &["--bandwidth"]),
    ("--dry-run", &["--dryrun"]),
    ("-q", &["--quiet"]),
    ("--endpoint", &["--endpoint-url"]),
    ("--numworkers", &["--concurrency"]),
    ("--port", &["--listen 127.0.0.1:PORT"]),
    ("--log", &["--quiet", "--only-show-errors"]),
];

/// How other programs are told to copy only what has changed.
const UPDATES: [&str; 4] = ["-u", "--update", "--if-size-differ", "--if-source-newer"];

/// What other programs call our verbs.
const VERBS_ELSEWHERE: [(&str, &str); 13] = [
    ("get", "cp"),
    ("put", "cp"),
    ("upload", "cp"),
    ("download", "cp"),
    ("copy", "cp"),
    ("move", "mv"),
    ("del", "rm"),
    ("delete", "rm"),
    ("list", "ls"),
    ("stat", "head"),
    ("info", "head"),
    ("mirror", "sync"),
    ("tree", "ls --recursive"),
];

/// What was meant, where it has another name here or is a verb that aws-cli lacks.
fn hint(problem: &str, verb: &str) -> Option<String> {
    let quoted = problem.split('\'').nth(1)?;
    let is_aws = verb.split(' ').next() == Some("s3");
    if problem.starts_with("unexpected argument") {
        if UPDATES.contains(&quoted) && verb.ends_with("cp") {
            let sync = verb.replace("cp", "sync");
            return Some(format!("`wharf {sync}` copies a folder or a prefix, and leaves alone what has not changed"));
        }
        return dashed_name(quoted).or_else(|| ours(quoted, verb)).or_else(|| of_other_verbs(quoted));
    }
    if problem.starts_with("unrecognized subcommand")
        && let Some((_, ours)) = VERBS_ELSEWHERE.iter().find(|(theirs, _)| *theirs == quoted)
    {
        let s3 = if is_aws && *ours != "head" { "s3 " } else { "" };
        return Some(format!("did you mean `wharf {s3}{ours}`?"));
    }
    if problem.starts_with("invalid value") && (problem.contains("[URL]") || problem.contains("<URL>")) {
        let is_bare = problem.contains("is not an S3 URI");
        return url::meant(quoted).or_else(|| is_bare.then(|| format!("say s3://{quoted}")));
    }
    let is_ours = Cli::command().get_subcommands().any(|verb| verb.get_name() == quoted);
    (is_aws && problem.starts_with("unrecognized subcommand") && is_ours)
        .then(|| format!("aws-cli has no such verb: it is `wharf {quoted}`"))
}

/// What of this verb another program calls so.
fn ours(option: &str, verb: &str) -> Option<String> {
    let (_, ours) = ELSEWHERE.iter().find(|(theirs, _)| *theirs == option)?;
    let cli = Cli::command();
    let command = verb.split_whitespace().try_fold(&cli, |command, word| command.find_subcommand(word))?;
    let has = |ours: &&&str| {
        let name = ours.trim_start_matches('-').split(' ').next();
        [&cli, command].iter().any(|command| command.get_arguments().any(|argument| argument.get_long() == name))
    };
    let meant: Vec<_> = ours.iter().filter(has).copied().collect();
    (!meant.is_empty()).then(|| format!("did you mean {}?", meant.join(", or ")))
}

/// What to say where a file is called like what was taken for an option.
fn dashed_name(option: &str) -> Option<String> {
    let is_meant =
        |word: &String| word.starts_with('-') && word.starts_with(option) && Path::new(word).symlink_metadata().is_ok();
    let name = env::args_os().skip(1).filter_map(|word| word.into_string().ok()).find(is_meant)?;
    Some(format!("a name that begins with - goes as ./{name}"))
}

/// Which verbs have an option that this one lacks.
fn of_other_verbs(option: &str) -> Option<String> {
    let name = option.strip_prefix("--")?;
    let cli = Cli::command();
    let has_it = |verb: &&clap::Command| verb.get_arguments().any(|argument| argument.get_long() == Some(name));
    let verbs: Vec<_> =
        cli.get_subcommands().filter(has_it).map(|verb| format!("`wharf {}`", verb.get_name())).collect();
    (!verbs.is_empty()).then(|| format!("{option} is an option of {}", verbs.join(", ")))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_holds_together() {
        definition().debug_assert();
    }

    fn alone(words: &[&str]) -> Option<Cli> {
        of_one_verb(&["wharf"].iter().chain(words).map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn one_verb_alone_is_read_as_among_all() {
        for verb in Cli::command().get_subcommands().filter(|verb| verb.get_name() != "s3") {
            let alone = command::alone(verb.get_name()).unwrap();
            let ids =
                |command: &clap::Command| command.get_arguments().map(clap::Arg::get_id).cloned().collect::<Vec<_>>();
            assert_eq!((alone.get_name(), ids(&alone)), (verb.get_name(), ids(verb)));
        }
        for words in [
            &["--region", "eu-west-1", "ls", "s3://my-bucket", "--summarize", "--quiet"][..],
            &["cp", "ls", "s3://my-bucket/ls", "--concurrency", "3"],
            &["whoami"],
        ] {
            let all = Cli::try_parse_from([&["wharf"], words].concat()).unwrap();
            assert_eq!(format!("{:?}", alone(words).unwrap()), format!("{all:?}"));
        }
    }

    #[test]
    fn what_one_verb_alone_cannot_read_is_left_to_all() {
        for words in [
            &[][..],
            &["--help"],
            &["-V"],
            &["help", "ls"],
            &["ls", "--help"],
            &["ls", "--nothing"],
            &["--profile", "ls", "cp", "a", "s3://my-bucket"],
            &["s3", "ls"],
            &["nothing"],
        ] {
            assert!(alone(words).is_none(), "{words:?}");
        }
    }

    #[test]
    fn a_usage_error_is_a_line_and_a_hint() {
        let failure = in_short("error: these are missing:\n  <URI>\n\n  tip: say one\n\nUsage: wharf cat <URI>\n");
        assert_eq!(failure.to_string(), "wharf: these are missing: <URI>\nhint: say one");
    }
}
