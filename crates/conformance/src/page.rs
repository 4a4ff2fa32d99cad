//! The page about providers, made of the checks and the servers' tables.

mod habits;

use std::fmt::Write;

use crate::checks::AREAS;
use crate::servers::{SERVERS, Server};

const HEAD: &str = "\
# Providers

What S3 does, and what servers do instead. This page is made of the tables in `crates/wharf-proto/src/provider` and
`crates/conformance/src/servers` by `cargo run -p conformance --bin providers`; do not edit it.

";

const CHECKS: &str = "\
## What was run

Each row is a check that was run. A tick means that the server passed it. A number is a note on what it does instead:
there the check was run as well and failed as the note says. `cargo test -p conformance --test endpoint` runs all checks
on the server that `WHARF_TEST_ENDPOINT` names and fails if this page is wrong in either direction.

A condition that a server ignores does damage: the answer is 200, and the object is overwritten. Such notes are in bold.

";

/// The text of `docs/providers.md`.
pub fn providers() -> String {
    let mut page = HEAD.to_owned();
    habits::tables(&mut page);
    page.push_str(CHECKS);
    summary(&mut page);
    for area in AREAS {
        let names: Vec<_> = SERVERS.iter().map(|server| server.provider).collect();
        line(
            &mut page,
            &format!("## {}\n\n| | {} |\n|---|{}", area.title, names.join(" | "), ":---:|".repeat(names.len())),
        );
        let mut notes = Vec::new();
        for check in area.checks {
            let mut row = format!("| {}", check.sentence.replace('|', "\\|"));
            for server in SERVERS {
                let cell = match server.difference(check.name) {
                    None => "\u{2713}".to_owned(),
                    Some(difference) => format!("[{}]", number(&mut notes, server, difference.instead)),
                };
                row.push_str(&format!(" | {cell}"));
            }
            line(&mut page, &format!("{row} |"));
        }
        line(&mut page, "");
        for (at, (note, servers)) in notes.iter().enumerate() {
            line(&mut page, &format!("{}. {}: {note}", at + 1, servers.join(", ")));
        }
        if !notes.is_empty() {
            line(&mut page, "");
        }
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

/// How many checks each server passes.
fn summary(page: &mut String) {
    let all: usize = AREAS.iter().map(|area| area.checks.len()).sum();
    line(page, "| server | version that was run | passes |\n|---|---|---|");
    for server in SERVERS {
        let differs: usize = server.differences.iter().map(|difference| difference.checks.len()).sum();
        line(page, &format!("| {} | {} | {} of {all} |", server.provider, server.version, all - differs));
    }
    line(page, "");
}

/// What servers do instead, and which of them do.
type Note = (&'static str, Vec<&'static str>);

/// The note's number in its area. Servers that do the same share a note.
fn number(notes: &mut Vec<Note>, server: &'static Server, instead: &'static str) -> usize {
    let at = notes.iter().position(|(text, _)| *text == instead).unwrap_or_else(|| {
        notes.push((instead, Vec::new()));
        notes.len() - 1
    });
    if let Some((_, servers)) = notes.get_mut(at)
        && !servers.contains(&server.provider)
    {
        servers.push(server.provider);
    }
    at + 1
}

fn line(page: &mut String, text: &str) {
    // Writing to a `String` cannot fail.
    let _ = writeln!(page, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/providers.md");
        let written = std::fs::read_to_string(path).unwrap();
        assert!(written == providers(), "docs/providers.md is old: cargo run -p conformance --bin providers");
    }
}
