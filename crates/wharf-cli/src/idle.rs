//! Options that do nothing for a verb: its help leaves them out, and who says one after it is told.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

/// Which server, and as whom: what aws-cli takes at every verb, and scripts say once for all of theirs. Where it does nothing it is
/// taken all the same.
const OF_AWS: [&str; 7] = [
    "endpoint_url",
    "profile",
    "no_sign_request",
    "no_verify_ssl",
    "ca_bundle",
    "cli_connect_timeout",
    "cli_read_timeout",
];

const OF_SERVERS: [&str; 4] = ["provider", "unsigned_payload", "trust_etags", "embedded"];

const OF_MANY_REQUESTS: [&str; 2] = ["concurrency", "bandwidth"];

const OF_LARGE_FILES: [&str; 3] = ["part_size", "fsync", "no_resume"];

/// What `cp`, `mv` and `sync` ask of a source that is an object, or many.
const OF_SOURCES: [&str; 15] = [
    "exclude",
    "include",
    "follow_symlinks",
    "no_follow_symlinks",
    "page_size",
    "ignore_glacier_warnings",
    "force_glacier_transfer",
    "case_conflict",
    "metadata_directive",
    "copy_props",
    "source_region",
    "source_endpoint_url",
    "source_profile",
    "sse_c_copy_source",
    "sse_c_copy_source_key",
];

/// What does nothing for a verb.
fn of(verb: &str) -> Vec<&'static str> {
    let of_clients = || [&OF_AWS[..], &OF_SERVERS, &OF_MANY_REQUESTS, &["patience"], &OF_LARGE_FILES].concat();
    match verb {
        "completions" | "version" => [&of_clients()[..], &["region"]].concat(),
        "serve" => of_clients(),
        "head" | "mb" | "presign" | "website" | "whoami" => [&OF_MANY_REQUESTS[..], &OF_LARGE_FILES].concat(),
        "cat" | "du" | "ls" | "rb" | "rm" => OF_LARGE_FILES.to_vec(),
        "pipe" => [&["fsync", "no_resume"][..], &OF_SOURCES].concat(),
        "verify" => vec!["fsync", "no_resume"],
        _ => Vec::new(),
    }
}

/// Whether it is taken in silence. `serve` is no client: whoever says it of a server of his own means something else.
fn is_taken(verb: &str, option: &str) -> bool {
    verb != "serve" && (option == "region" || OF_AWS.contains(&option))
}

/// Leaves them out of the help of each verb.
pub(crate) fn hide(cli: Command) -> Command {
    let shared: Vec<Arg> = cli.get_arguments().cloned().collect();
    let hide = |verb: Command| {
        of(verb.get_name()).into_iter().fold(verb, |verb, id| {
            match shared.iter().find(|option| option.get_id() == id) {
                Some(option) => verb.arg(option.clone().hide(true)),
                None => verb.mut_arg(id, |option| option.hide(true)),
            }
        })
    };
    cli.mut_subcommands(|verb| hide(verb).mut_subcommands(&hide))
}

/// What is wrong with what was typed, if one of them was, in clap's form.
pub(crate) fn said(typed: &ArgMatches) -> Option<String> {
    let (verb, typed, s3) = match typed.subcommand()? {
        ("s3", typed) => typed.subcommand().map(|(verb, typed)| (verb, typed, "s3 "))?,
        (verb, typed) => (verb, typed, ""),
    };
    let is_said = |id: &&str| typed.value_source(id) == Some(ValueSource::CommandLine) && !is_taken(verb, id);
    let option = of(verb).into_iter().find(is_said)?.replace('_', "-");
    Some(format!("{verb} has no use for --{option}\n\n  tip: `wharf {s3}{verb} --help` says what can be typed"))
}
