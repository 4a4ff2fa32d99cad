//! The sections of docs/performance.md that this program writes, and the chart beside it.

use std::fmt::Write;
use std::process::Command;

use job::{MIB, Result};

use crate::chart;
use crate::command::{self, CommandResult};
use crate::programs::{Folders, PROGRAMS};
use crate::report::judgement;
use crate::results::{Measured, RowResult};
use crate::rows::Counts;
use crate::settings::Settings;

/// The parts of the page, by the marks around them. Each is written when rows of it were measured.
const BESIDE: &str = "bench";
const LATENCY: &str = "bench at 50 ms";
const COMMAND: &str = "bench of the command";

pub fn write(results: &[RowResult], commands: &[CommandResult], settings: &Settings, folders: &Folders) -> Result {
    let docs = folders.bench.join("../docs");
    let file = docs.join("performance.md");
    let mut page = std::fs::read_to_string(&file)?;
    for (mark, counts) in [(BESIDE, Counts::Cpu), (LATENCY, Counts::Time)] {
        let rows: Vec<&RowResult> = results.iter().filter(|result| result.row.counts == counts).collect();
        if !rows.is_empty() {
            page = put(&page, mark, &section(&rows, counts, settings, folders))?;
        }
        if !rows.is_empty() && counts == Counts::Cpu {
            std::fs::write(docs.join("performance.svg"), chart::svg(results))?;
        }
    }
    if !commands.is_empty() {
        page = put(&page, COMMAND, &command_section(commands, settings, folders))?;
    }
    std::fs::write(&file, page)?;
    println!("written: docs/performance.md");
    Ok(())
}

/// The page with this between its marks, or at the end where it has no such marks yet.
fn put(page: &str, mark: &str, section: &str) -> Result<String> {
    let begin = format!("<!-- {mark}: begin; written by bench/run --write -->");
    let end = format!("<!-- {mark}: end -->");
    let section = format!("{begin}\n\n{section}{end}");
    match (page.split_once(&begin), page.split_once(&end)) {
        (Some((before, _)), Some((_, after))) => Ok(format!("{before}{section}{after}")),
        (None, None) => Ok(format!("{}\n\n{section}\n", page.trim_end())),
        _ => Err(format!("the page has one of the marks of `{mark}`, and not the other").into()),
    }
}

fn section(results: &[&RowResult], counts: Counts, settings: &Settings, folders: &Folders) -> String {
    let mut text = match counts {
        Counts::Cpu => "## Side by side\n\n".to_owned(),
        Counts::Time => "## Side by side, at 50 ms\n\n".to_owned(),
    };
    let _ = writeln!(
        text,
        "{} Large objects have {} MiB, small ones 4 KiB; {} of those, {} keys.\n",
        circumstances(settings),
        settings.size / MIB,
        settings.count,
        settings.keys,
    );
    text.push_str(match counts {
        Counts::Cpu => {
            "`floor` is a small raw-socket program that does the same work.\n\n\
             ![bars: processor time by row](performance.svg)\n\n\
             Processor time of the client, seconds; in brackets, as a multiple of the floor:\n\n"
        }
        Counts::Time => {
            "At 50 ms a round trip (a proxy that delays), 16 parts of 8 MiB at once whatever is said of two below, seconds of \
             time:\n\n"
        }
    });
    table(&mut text, results);
    for result in results.iter().filter(|result| !judgement(result).is_empty()) {
        let _ = writeln!(text, "* {}: {}.", result.row.title, judgement(result).join("; "));
    }
    text.push('\n');
    if counts == Counts::Cpu {
        memory(&mut text, results);
    }
    failures(&mut text, results.iter().flat_map(|result| result.measured.iter().map(|one| (result.row.title, one))));
    let names = names(results);
    let setups = PROGRAMS.iter().filter(|program| names.contains(&program.name)).map(|program| {
        [program.name.to_owned(), format!("{} {}", program.package, program.version(folders)), program.setup.to_owned()]
    });
    setup_table(&mut text, setups);
    text
}

fn command_section(results: &[CommandResult], settings: &Settings, folders: &Folders) -> String {
    let mut text = "## The command\n\n".to_owned();
    let _ = writeln!(
        text,
        "{} `wharf` is the command, as `cargo build --release -p wharf-cli` makes it. Large objects have {} MiB, files that \
         are moved are {}, those that are synced {}, keys that are listed {}. Files lie in memory (tmpfs).\n\n\
         Processor time in seconds, time in seconds, peak resident memory in MiB:\n",
        circumstances(settings),
        settings.size / MIB,
        settings.count,
        settings.files,
        settings.keys,
    );
    let is_measured = |name| results.iter().any(|result| result.typed.iter().any(|one| one.measured.name == name));
    let programs: Vec<&command::Program> =
        command::PROGRAMS.iter().filter(|program| is_measured(program.name)).collect();
    let head: Vec<&str> = programs.iter().map(|program| program.name).collect();
    let head = format!("| | {} |\n|---|{}\n", head.join(" | "), "---|".repeat(head.len()));
    let mut requests = format!("Requests in all, of them list calls, of them HEADs:\n\n{head}");
    text.push_str(&head);
    for result in results {
        let mut cells = [format!("| {} |", result.row.title), format!("| {} |", result.row.title)];
        for program in &programs {
            let found = result.typed.iter().find(|typed| typed.measured.name == program.name);
            let costs = found.map_or(String::new(), |typed| match &typed.measured {
                measured if measured.runs.is_empty() => "failed".to_owned(),
                measured => {
                    format!("{}, {}, {:.0}", short(measured.cpu()), short(measured.wall()), measured.resident())
                }
            });
            let asked = found.filter(|typed| !typed.measured.runs.is_empty()).and_then(|typed| typed.asked);
            let asked =
                asked.map_or(String::new(), |sums| format!("{}, {}, {}", sums.requests, sums.lists, sums.heads));
            let is_bold = if program.name == "wharf" && !costs.is_empty() { "**" } else { "" };
            let _ = write!(cells[0], " {is_bold}{costs}{is_bold} |");
            let _ = write!(cells[1], " {asked} |");
        }
        let _ = writeln!(text, "{}", cells[0]);
        let _ = writeln!(requests, "{}", cells[1]);
    }
    text.push('\n');
    for result in results {
        let says = command::judgement(result);
        if !says.is_empty() {
            let _ = writeln!(text, "* {}: {}.", result.row.title, says.join("; "));
        }
    }
    let _ = writeln!(text, "\n{requests}");
    failures(&mut text, results.iter().flat_map(|one| one.typed.iter().map(|typed| (one.row.title, &typed.measured))));
    let setups = programs.iter().map(|program| {
        [program.name.to_owned(), format!("{} {}", program.package, program.version(folders)), program.setup.to_owned()]
    });
    setup_table(&mut text, setups);
    text
}

/// Milliseconds where they are what there is.
fn short(seconds: f64) -> String {
    if seconds < 0.1 { format!("{seconds:.4}") } else { format!("{seconds:.2}") }
}

/// What every figure needs beside it.
fn circumstances(settings: &Settings) -> String {
    format!(
        "`bench/run {}` on {}: {}, {} cores, Linux {}, {}. Each figure is the median of {} rounds in turns. The server is \
         another process ([bench](../bench/README.md)), so the processor time is the client's alone: user and system, from \
         start to end.",
        settings.words.join(" "),
        output("date", &["-u", "+%Y-%m-%d"]),
        processor(),
        std::thread::available_parallelism().map_or(0, usize::from),
        output("uname", &["-r"]),
        output("rustc", &["--version"]),
        settings.rounds,
    )
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

fn memory(text: &mut String, results: &[&RowResult]) {
    let rows: Vec<&RowResult> = results.iter().copied().filter(|result| result.row.first.is_some()).collect();
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

fn failures<'a>(text: &mut String, measured: impl Iterator<Item = (&'static str, &'a Measured)>) {
    let before = text.len();
    for (title, program) in measured {
        if let Some(why) = program.failures.first() {
            let count = program.failures.len();
            let _ = writeln!(text, "* {} failed {count} times in \"{title}\": {}", program.name, plain(why));
        }
    }
    if text.len() > before {
        text.push('\n');
    }
}

/// A message of others, without what tells of this machine or would be Markdown.
fn plain(why: &str) -> String {
    let words = why.split_whitespace().filter(|word| !word.contains('/'));
    words.collect::<Vec<_>>().join(" ").replace(['|', '<', '>', '`', '*'], " ")
}

/// Name, version, how it is set up.
fn setup_table(text: &mut String, setups: impl Iterator<Item = [String; 3]>) {
    text.push_str("| program | version | set up |\n|---|---|---|\n");
    for [name, version, setup] in setups {
        let _ = writeln!(text, "| {name} | {} | {setup} |", version.trim());
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
