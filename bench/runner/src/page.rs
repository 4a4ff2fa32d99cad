//! The section of docs/performance.md that this program writes, and the chart beside it.

use std::fmt::Write;
use std::process::Command;

use job::{MIB, Result};

use crate::chart;
use crate::programs::{Folders, PROGRAMS};
use crate::report::judgement;
use crate::results::RowResult;
use crate::rows::Counts;
use crate::settings::Settings;

const BEGIN: &str = "<!-- bench: begin; written by bench/run --write -->";
const END: &str = "<!-- bench: end -->";

pub fn write(results: &[RowResult], settings: &Settings, folders: &Folders) -> Result {
    let docs = folders.bench.join("../docs");
    let file = docs.join("performance.md");
    let old = std::fs::read_to_string(&file)?;
    let section = section(results, settings, folders);
    let new = match (old.split_once(BEGIN), old.split_once(END)) {
        (Some((before, _)), Some((_, after))) => format!("{before}{section}{after}"),
        (None, None) => format!("{}\n\n{section}\n", old.trim_end()),
        _ => return Err(format!("{}: one of the two marks is missing", file.display()).into()),
    };
    std::fs::write(&file, new)?;
    std::fs::write(docs.join("performance.svg"), chart::svg(results))?;
    println!("written: docs/performance.md, docs/performance.svg");
    Ok(())
}

fn section(results: &[RowResult], settings: &Settings, folders: &Folders) -> String {
    let mut text = format!("{BEGIN}\n\n## Side by side\n\n");
    let _ = writeln!(
        text,
        "`bench/run {}` on {}: {}, {} cores, Linux {}, {}. Each figure is the median of {} rounds in turns; \
         `floor` is a small raw-socket program that does the same work. The server is another process \
         ([bench](../bench/README.md)), so the processor time is the client's alone: user and system, from start to end. \
         Large objects have {} MiB, small ones 4 KiB; {} of those, {} keys.\n",
        settings.words.join(" "),
        output("date", &["-u", "+%Y-%m-%d"]),
        processor(),
        std::thread::available_parallelism().map_or(0, usize::from),
        output("uname", &["-r"]),
        output("rustc", &["--version"]),
        settings.rounds,
        settings.size / MIB,
        settings.count,
        settings.keys,
    );
    text.push_str("![bars: processor time by row](performance.svg)\n\n");
    for (counts, heading) in [
        (Counts::Cpu, "Processor time of the client, seconds; in brackets, as a multiple of the floor:"),
        (Counts::Time, "At 50 ms a round trip (a proxy that delays), 16 parts of 8 MiB at once, seconds of time:"),
    ] {
        let rows: Vec<&RowResult> = results.iter().filter(|result| result.row.counts == counts).collect();
        if !rows.is_empty() {
            let _ = writeln!(text, "{heading}\n");
            table(&mut text, &rows);
            for result in rows.iter().filter(|result| !judgement(result).is_empty()) {
                let _ = writeln!(text, "* {}: {}.", result.row.title, judgement(result).join("; "));
            }
            text.push('\n');
        }
    }
    memory(&mut text, results);
    failures(&mut text, results);
    setups(&mut text, results, folders);
    text.push_str(END);
    text
}

/// The names of all programs that were measured, in their order.
fn names(results: &[&RowResult]) -> Vec<&'static str> {
    let is_measured = |name| results.iter().any(|result| result.measured.iter().any(|one| one.name == name));
    PROGRAMS.iter().map(|program| program.name).filter(|name| is_measured(*name)).collect()
}

fn table(text: &mut String, results: &[&RowResult]) {
    let names = names(results);
    let _ = writeln!(text, "| | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len()));
    for result in results {
        let _ = write!(text, "| {} |", result.row.title);
        for name in &names {
            let cell = match result.measured.iter().find(|program| program.name == *name) {
                None => String::new(),
                Some(program) if program.runs.is_empty() => "failed".to_owned(),
                Some(program) => {
                    let value = result.value(program);
                    let ratio = result.floor().map_or(String::new(), |floor| format!(" ({:.1})", value / floor));
                    let is_wharf = if *name == "wharf" { "**" } else { "" };
                    format!("{is_wharf}{value:.2}{is_wharf}{ratio}")
                }
            };
            let _ = write!(text, " {cell} |");
        }
        text.push('\n');
    }
    text.push('\n');
}

fn memory(text: &mut String, results: &[RowResult]) {
    let rows: Vec<&RowResult> =
        results.iter().filter(|result| result.row.counts == Counts::Cpu && result.row.first.is_some()).collect();
    if rows.is_empty() {
        return;
    }
    let names = names(&rows);
    text.push_str("Peak resident memory, MiB:\n\n");
    let _ = writeln!(text, "| | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len()));
    for result in rows {
        let _ = write!(text, "| {} |", result.row.title);
        for name in &names {
            let found = result.measured.iter().find(|program| program.name == *name && !program.runs.is_empty());
            let _ = write!(text, " {} |", found.map_or(String::new(), |program| format!("{:.0}", program.resident())));
        }
        text.push('\n');
    }
    text.push('\n');
}

fn failures(text: &mut String, results: &[RowResult]) {
    for result in results {
        for program in &result.measured {
            if let Some(why) = program.failures.first() {
                let count = program.failures.len();
                let _ = writeln!(
                    text,
                    "* {} failed {count} times in \"{}\": {}",
                    program.name,
                    result.row.title,
                    plain(why)
                );
            }
        }
    }
    text.push('\n');
}

/// A message of others, without what tells of this machine or would be Markdown.
fn plain(why: &str) -> String {
    let words = why.split_whitespace().filter(|word| !word.contains('/'));
    words.collect::<Vec<_>>().join(" ").replace(['|', '<', '>', '`', '*'], " ")
}

fn setups(text: &mut String, results: &[RowResult], folders: &Folders) {
    let all: Vec<&RowResult> = results.iter().collect();
    let names = names(&all);
    text.push_str("| program | version | set up |\n|---|---|---|\n");
    for program in PROGRAMS.iter().filter(|program| names.contains(&program.name)) {
        let version = format!("{} {}", program.package, program.version(folders));
        let _ = writeln!(text, "| {} | {} | {} |", program.name, version.trim(), program.setup);
    }
    text.push('\n');
}

fn output(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.trim().split(" (").next().unwrap_or_default().to_owned()
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    line.and_then(|line| line.split(": ").nth(1)).unwrap_or("an unknown processor").to_owned()
}
