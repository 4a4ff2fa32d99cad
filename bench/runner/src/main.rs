//! Measures wharf beside a floor and its peers. `bench/run` builds all and calls this; README.md has the rest.

mod chart;
mod cli;
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
    let mut results: Vec<RowResult> = Vec::new();
    for row in &settings.rows {
        let result = bench.row(row, &programs);
        report::print_row(&result);
        results.push(result);
    }
    for folder in &bench.scratch {
        std::fs::remove_dir_all(folder)?;
    }
    report::print_summary(&results);
    if !settings.is_full() {
        println!("\nsmaller than the table: the figures show where to look, no more");
    }
    if settings.write {
        page::write(&results, &settings, &folders)?;
    }
    Ok(!settings.strict
        || results.iter().all(|result| result.measured.iter().all(|program| program.failures.is_empty())))
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
    if !programs.iter().any(|program| program.kind == Kind::Floor) {
        println!("without the floor, no ratio to it");
    }
    programs
}

fn list(folders: &Folders) {
    println!("rows:");
    for row in ROWS {
        println!("  {:20} {}{}", row.name, row.title, if row.in_quick { " (quick)" } else { "" });
    }
    println!("programs:");
    for program in PROGRAMS {
        let there = if program.is_there(folders) { "" } else { " (not built or installed)" };
        println!("  {:22} {} {}; {}{there}", program.name, program.package, program.version(folders), program.setup);
    }
}
