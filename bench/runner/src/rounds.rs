//! Runs the rows: each program once a round, in turns, so that a noisy minute hits all alike.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use job::{BLOCK, Job, LARGE_KEY, MIB, Result, SMALL, Work, small_key};

use crate::command::Verb;
use crate::measure::{self, Outcome, Usage};
use crate::programs::{Folders, Kind, Program};
use crate::results::{Measured, RowResult};
use crate::rows::{Counts, Place, Row};
use crate::servers::Servers;
use crate::settings::Settings;

/// Parts under way at once at a latency.
const AT_LATENCY: usize = 16;

pub struct Bench<'a> {
    pub settings: &'a Settings,
    pub folders: &'a Folders,
    pub servers: &'a Servers,
    /// In memory and on a disk.
    pub scratch: [PathBuf; 2],
}

impl Bench<'_> {
    /// What is sent.
    pub fn prepare(&self) -> Result {
        let block = job::block();
        let mut source = File::create(self.source())?;
        let mut left = self.settings.size;
        while left > 0 {
            let count = left.min(block.len() as u64) as usize;
            source.write_all(&block[..count])?;
            left -= count as u64;
        }
        let sends_small = self.settings.rows.iter().any(|row| row.work == Work::SmallPut);
        if sends_small || self.settings.commands.iter().any(|row| row.verb == Verb::FilesUp) {
            let folder = self.folders.small_source.join("small");
            std::fs::create_dir_all(&folder)?;
            for number in 0..self.settings.count {
                std::fs::write(self.folders.small_source.join(small_key(number)), &block[..SMALL])?;
            }
        }
        Ok(())
    }

    pub fn source(&self) -> PathBuf {
        self.scratch[0].join("source")
    }

    pub fn target(&self, place: Place) -> PathBuf {
        self.scratch[usize::from(place == Place::Disk)].join("target")
    }

    /// The programs of a row, the floor first.
    pub fn row(&self, row: &Row, programs: &[&Program]) -> RowResult {
        let mut measured: Vec<Measured> = Vec::new();
        for program in programs {
            // At a latency there is no floor: one connection at a time is not how that is done. Nor is there who is not
            // to have as many requests as all.
            if row.counts == Counts::Time && (program.kind == Kind::Floor || program.chooses_itself()) {
                continue;
            }
            let mut one = Measured::new(program.name, program.kind);
            one.in_one_stream = program.is_one_stream(row.work, self.job(row).concurrency);
            measured.push(one);
        }
        for round in 0..self.settings.rounds {
            let count = measured.len();
            for turn in 0..count {
                // Nobody always comes after the same one.
                let at = (turn + round) % count;
                let Some(program) = programs.iter().find(|program| program.name == measured[at].name) else { continue };
                if measured[at].is_out() {
                    continue;
                }
                let (outcome, others) = self.once(row, program, round);
                self.keep(row.name, program.name, round, &outcome, others);
                measured[at].add(outcome, others);
            }
        }
        measured.retain(|program| !program.is_unsupported);
        RowResult { row: *row, measured }
    }

    /// Prints a run, and writes a line of .run/samples.tsv, so that nothing is lost where the bench itself is ended.
    pub fn keep(&self, row: &str, program: &str, round: usize, outcome: &Outcome, others: f64) {
        print_outcome(row, program, round, outcome);
        let Outcome::Done(Usage { user, system, wall, resident }) = outcome else { return };
        let line =
            format!("{row}\t{program}\t{}\t{user:.4}\t{system:.4}\t{wall:.4}\t{resident:.1}\t{others:.2}\n", round + 1);
        let file = File::options().create(true).append(true).open(self.folders.run.join("samples.tsv"));
        // The figures are printed as well.
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }

    /// One run, and the share of a processor that whatever else runs here took meanwhile.
    fn once(&self, row: &Row, program: &Program, round: usize) -> (Outcome, f64) {
        let job = self.job(row);
        let Some(mut command) = program.command(&job, self.folders) else { return (Outcome::Unsupported, 0.0) };
        if let Err(error) = self.clean(&job) {
            return (Outcome::Failed(error.to_string()), 0.0);
        }
        let (outcome, others) = self.watch(&mut command);
        match outcome {
            Outcome::Done(usage) => match self.check(&job, round == 0) {
                Ok(()) => (Outcome::Done(usage), others),
                Err(error) => (Outcome::Failed(format!("it ended well, but {error}")), others),
            },
            other => (other, others),
        }
    }

    /// Runs a command, and tells the share of a processor that whatever else runs here took meanwhile.
    pub fn watch(&self, command: &mut Command) -> (Outcome, f64) {
        if self.settings.show {
            println!("    {command:?}");
        }
        let busy = || measure::machine_busy() - self.servers.ids().map(measure::process_busy).sum::<f64>();
        let before = busy();
        let outcome = measure::run(command, &self.servers.ca, &self.folders.run);
        let others = busy() - before;
        let share = match &outcome {
            Outcome::Done(usage) => ((others - usage.cpu()) / usage.wall.max(0.05)).max(0.0),
            _ => 0.0,
        };
        (outcome, share)
    }

    fn job(&self, row: &Row) -> Job {
        let servers = self.servers;
        let endpoint = match (row.counts, row.is_https) {
            (Counts::Cpu, false) => &servers.http,
            (Counts::Cpu, true) => &servers.https,
            (Counts::Time, false) => &servers.slow_http,
            (Counts::Time, true) => &servers.slow_https,
        };
        let at_latency = (row.counts == Counts::Time).then_some(AT_LATENCY);
        Job {
            work: row.work,
            endpoint: endpoint.clone(),
            ca: row.is_https.then(|| servers.ca.clone()),
            file: if row.work == Work::Put { self.source() } else { self.target(row.place) },
            key: if row.work == Work::Put { "put-large" } else { LARGE_KEY }.to_owned(),
            size: self.settings.size,
            count: if row.work == Work::List { self.settings.keys } else { row.count.unwrap_or(self.settings.count) },
            signed: row.signed,
            variant: String::new(),
            part_size: self.settings.part_size.or(at_latency.map(|_| 8 * MIB)),
            concurrency: self.settings.concurrency.or(at_latency),
        }
    }

    fn clean(&self, job: &Job) -> Result {
        self.servers.reset()?;
        if job.work == Work::GetFile {
            self.clean_target(&job.file)?;
        }
        if job.work == Work::SmallGet {
            let _ = std::fs::remove_dir_all(&self.folders.small_target);
            std::fs::create_dir_all(self.folders.small_target.join("small"))?;
        }
        Ok(())
    }

    /// Clients that keep a part beside the target leave it when they fail.
    pub fn clean_target(&self, file: &Path) -> Result {
        let folder = file.parent().ok_or("the target has no folder")?;
        for entry in std::fs::read_dir(folder)?.flatten() {
            if entry.file_name().to_string_lossy().contains("target") && entry.file_type()?.is_file() {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Whether the work was done.
    fn check(&self, job: &Job, compare: bool) -> Result {
        let sums = self.servers.reset()?;
        let small = (job.count as u64, (job.count * SMALL) as u64);
        match job.work {
            Work::Put if sums.put != (1, job.size) => {
                Err(format!("the server has not one whole object: {sums:?}").into())
            }
            Work::SmallPut if sums.put != small => Err(format!("the server has not all objects: {sums:?}").into()),
            Work::GetNull if sums.sent < job.size => Err(format!("not all was read: {sums:?}").into()),
            Work::SmallGet if sums.sent < small.1 => Err(format!("not all objects were read: {sums:?}").into()),
            Work::List if sums.listed < job.count as u64 => Err(format!("not all keys were listed: {sums:?}").into()),
            Work::GetFile => self.check_file(&job.file, job.size, compare),
            _ => Ok(()),
        }
    }

    /// Whether the file is the object. It is removed.
    pub fn check_file(&self, file: &Path, size: u64, compare: bool) -> Result {
        let length = file.metadata()?.len();
        if length != size {
            return Err(format!("{length} bytes came, {size} are there").into());
        }
        if compare && !is_of_blocks(file, &job::block())? {
            return Err("the file has other bytes than the object".into());
        }
        std::fs::remove_file(file)?;
        Ok(())
    }
}

/// Whether a file is made of this again and again.
pub fn is_of_blocks(path: &Path, block: &[u8]) -> io::Result<bool> {
    let file = File::open(path)?;
    let mut piece = Vec::new();
    loop {
        piece.clear();
        (&file).take(BLOCK as u64).read_to_end(&mut piece)?;
        if piece.is_empty() {
            return Ok(true);
        }
        if piece != block[..piece.len()] {
            return Ok(false);
        }
    }
}

fn print_outcome(row: &str, program: &str, round: usize, outcome: &Outcome) {
    match outcome {
        Outcome::Done(Usage { user, system, wall, resident }) => println!(
            "  {row} {program:23} round {}: cpu {:6.3} s (user {user:.3}, system {system:.3}), {wall:6.3} s, {resident:6.1} MiB",
            round + 1,
            user + system,
        ),
        Outcome::Unsupported => (),
        Outcome::Failed(why) => println!("  {row} {program:23} round {}: FAILED: {why}", round + 1),
    }
}
