//! Measures wharf beside a floor and its peers. `bench/run` builds all and calls this; README.md has the rest.

mod chart;
mod cli;
mod command;
mod measure;
mod page;
mod programs;
mod report;
mod results;
mod rounds;
mod rows;
mod servers;
mod settings;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use job::Result;

use command::CommandResult;
use programs::{Folders, Kind, PROGRAMS, Program};
use results::RowResult;
use rounds::Bench;
use rows::ROWS;
use servers::Servers;
use settings::Settings;

fn main() -> ExitCode {
    if std::env::args().skip(1).any(|word| word == "--help" || word == "-h") {
        println!("{}", settings::HELP);
        return ExitCode::SUCCESS;
    }
    match measure() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("a program failed");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The bench's folder: above `target/release/runner`, unless `BENCH` names it.
fn bench_folder(binaries: &Path) -> Result<PathBuf> {
    match std::env::var_os("BENCH") {
        Some(folder) => Ok(folder.into()),
        None => Ok(binaries.ancestors().nth(2).ok_or("set BENCH to the bench's folder")?.to_owned()),
    }
}

fn measure() -> Result<bool> {
    let binaries = std::env::current_exe()?.parent().ok_or("this program has no folder")?.to_owned();
    let bench = bench_folder(&binaries)?;
    let settings = Settings::from_args(&bench)?;
    let run = bench.join(".run");
    let scratch = [settings.tmpfs.join("wharf-bench"), settings.disk.join("wharf-bench")];
    let folders = Folders {
        bench,
        binaries,
        small_source: scratch[0].join("small-source"),
        small_target: scratch[0].join("small-target"),
        run,
    };
    if settings.list {
        list(&folders);
        return Ok(true);
    }
    for folder in scratch.iter().chain([&folders.run]) {
        std::fs::create_dir_all(folder)?;
    }
    let head = "row\tprogram\tround\tuser s\tsystem s\ttime s\tMiB\tothers\n";
    std::fs::write(folders.run.join("samples.tsv"), head)?;
    let programs = chosen(&settings, &folders);
    let servers = Servers::start(&folders.binaries, &folders.run, &settings)?;
    let bench = Bench { settings: &settings, folders: &folders, servers: &servers, scratch };
    bench.prepare()?;
    bench.prepare_commands()?;
    let mut results: Vec<RowResult> = Vec::new();
    for row in &settings.rows {
        let result = bench.row(row, &programs);
        report::print_row(&result);
        results.push(result);
    }
    let programs = chosen_commands(&settings, &folders);
    let mut commands: Vec<CommandResult> = Vec::new();
    for row in &settings.commands {
        let result = bench.commands(row, &programs);
        command::print_row(&result);
        commands.push(result);
    }
    for folder in &bench.scratch {
        std::fs::remove_dir_all(folder)?;
    }
    if !results.is_empty() {
        report::print_summary(&results);
    }
    if !commands.is_empty() {
        command::print_summary(&commands);
    }
    if !settings.is_full() {
        println!("\nsmaller than the table: the figures show where to look, no more");
    }
    if settings.write {
        page::write(&results, &commands, &settings, &folders)?;
    }
    let typed = commands.iter().flat_map(|result| result.typed.iter().map(|typed| &typed.measured));
    let mut measured = results.iter().flat_map(|result| &result.measured).chain(typed);
    Ok(!settings.strict || measured.all(|program| program.failures.is_empty()))
}

fn chosen(settings: &Settings, folders: &Folders) -> Vec<&'static Program> {
    let mut programs = Vec::new();
    for program in PROGRAMS.iter().filter(|program| settings.wants(program.name)) {
        if program.is_there(folders) {
            programs.push(program);
        } else {
            println!("{} is not there: it is left out", program.name);
        }
    }
    if !settings.rows.is_empty() && !programs.iter().any(|program| program.kind == Kind::Floor) {
        println!("without the floor, no ratio to it");
    }
    programs
}

fn chosen_commands(settings: &Settings, folders: &Folders) -> Vec<&'static command::Program> {
    let mut programs = Vec::new();
    for program in command::PROGRAMS.iter().filter(|program| settings.wants(program.name)) {
        if program.is_there(folders) {
            programs.push(program);
        } else if !settings.commands.is_empty() {
            println!("the command {} is not there: it is left out", program.name);
        }
    }
    programs
}

fn list(folders: &Folders) {
    println!("rows:");
    for row in ROWS {
        println!("  {:26} {}{}", row.name, row.title, if row.in_quick { " (quick)" } else { "" });
    }
    for row in command::ROWS {
        println!("  {:26} {}{}", row.name, row.title, if row.in_quick { " (quick)" } else { "" });
    }
    println!("programs:");
    for program in PROGRAMS {
        let there = if program.is_there(folders) { "" } else { " (not built or installed)" };
        println!("  {:23} {} {}; {}{there}", program.name, program.package, program.version(folders), program.setup);
    }
    println!("in the rows of the command:");
    for program in command::PROGRAMS {
        let there = if program.is_there(folders) { "" } else { " (not built or installed)" };
        println!("  {:23} {} {}; {}{there}", program.name, program.package, program.version(folders), program.setup);
    }
}
