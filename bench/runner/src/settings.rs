//! What the command line says.

use std::path::PathBuf;

use job::{MIB, Result};

use crate::command;
use crate::rows::{Counts, ROWS, Row};

pub const HELP: &str = "\
bench/run [OPTIONS]
  --rounds N          rounds, in turns (5)
  --quick             some of the rows, or all that are asked for, smaller, three rounds: about five minutes,
                      or two with --programs floor,wharf,s5cmd
  --latency           the rows at 50 ms alone
  --no-latency        all rows but those
  --command           the rows of the command itself alone
  --no-command        all rows but those
  --rows A,B          rows whose names begin so
  --programs A,B      programs whose names begin so
  --size MIB          of the large object (1024)
  --count N           small objects (10000)
  --keys N            keys listed (1000000)
  --files N           files of a folder that is synced (100000)
  --part-size MIB     for all programs that can be told (each its own)
  --concurrency N     the same, of requests at once
  --write             the parts of docs/performance.md whose rows were measured, and docs/performance.svg
  --strict            fails where a program failed
  --list              rows and programs, and nothing else
  --show              the command of each run, before it
  --tmpfs DIR         a folder in memory (/dev/shm)
  --disk DIR          a folder on a disk (bench/.run)";

#[derive(Debug, Clone)]
pub struct Settings {
    pub rounds: usize,
    pub is_quick: bool,
    /// Rows were named.
    is_chosen: bool,
    pub rows: Vec<Row>,
    pub commands: Vec<command::Row>,
    pub programs: Vec<String>,
    pub size: u64,
    pub count: usize,
    pub keys: usize,
    /// Of the folder that is synced.
    pub files: usize,
    pub part_size: Option<u64>,
    pub concurrency: Option<usize>,
    pub write: bool,
    pub strict: bool,
    pub list: bool,
    pub show: bool,
    pub tmpfs: PathBuf,
    pub disk: PathBuf,
    /// The arguments as they were given.
    pub words: Vec<String>,
}

impl Settings {
    pub fn from_args(bench: &std::path::Path) -> Result<Self> {
        let words: Vec<String> = std::env::args().skip(1).collect();
        let mut settings = Self {
            rounds: 0,
            is_quick: false,
            is_chosen: false,
            rows: ROWS.to_vec(),
            commands: command::ROWS.to_vec(),
            programs: Vec::new(),
            size: 0,
            count: 0,
            keys: 0,
            files: 0,
            part_size: None,
            concurrency: None,
            write: false,
            strict: false,
            list: false,
            show: false,
            tmpfs: "/dev/shm".into(),
            disk: bench.join(".run"),
            words: words.clone(),
        };
        let mut left = words.into_iter();
        while let Some(word) = left.next() {
            let mut value = || left.next().ok_or_else(|| format!("`{word}` needs a value"));
            match word.as_str() {
                "--rounds" => settings.rounds = value()?.parse()?,
                "--quick" => settings.is_quick = true,
                "--latency" => {
                    settings.is_chosen = true;
                    settings.rows.retain(|row| row.counts == Counts::Time);
                    settings.commands.clear();
                }
                "--command" => {
                    settings.is_chosen = true;
                    settings.rows.clear();
                }
                "--no-command" => settings.commands.clear(),
                "--no-latency" => settings.rows.retain(|row| row.counts == Counts::Cpu),
                "--rows" => {
                    settings.is_chosen = true;
                    let names = value()?;
                    let is_meant = |row: &str| names.split(',').any(|name| row.starts_with(name));
                    settings.rows.retain(|row| is_meant(row.name));
                    settings.commands.retain(|row| is_meant(row.name));
                }
                "--programs" => settings.programs = value()?.split(',').map(str::to_owned).collect(),
                "--size" => settings.size = value()?.parse::<u64>()? * MIB,
                "--count" => settings.count = value()?.parse()?,
                "--keys" => settings.keys = value()?.parse()?,
                "--files" => settings.files = value()?.parse()?,
                "--part-size" => settings.part_size = Some(value()?.parse::<u64>()? * MIB),
                "--concurrency" => settings.concurrency = Some(value()?.parse()?),
                "--write" => settings.write = true,
                "--strict" => settings.strict = true,
                "--list" => settings.list = true,
                "--show" => settings.show = true,
                "--tmpfs" => settings.tmpfs = value()?.into(),
                "--disk" => settings.disk = value()?.into(),
                _ => return Err(format!("`{word}` is no option\n{HELP}").into()),
            }
        }
        settings.fill();
        if settings.rows.is_empty() && settings.commands.is_empty() {
            return Err("no row has such a name: see --list".into());
        }
        if settings.write && settings.is_quick {
            return Err("a quick run is not for the record: --write without --quick".into());
        }
        Ok(settings)
    }

    fn fill(&mut self) {
        if self.is_quick && !self.is_chosen {
            self.rows.retain(|row| row.in_quick);
            self.commands.retain(|row| row.in_quick);
        }
        let [rounds, size, count, keys, files] = match self.is_quick {
            true => [3, 256 * MIB, 2_000, 200_000, 10_000],
            false => [5, 1024 * MIB, 10_000, 1_000_000, 100_000],
        };
        let or = |value: u64, default| if value == 0 { default } else { value };
        self.rounds = or(self.rounds as u64, rounds) as usize;
        self.size = or(self.size, size);
        self.count = or(self.count as u64, count) as usize;
        self.keys = or(self.keys as u64, keys) as usize;
        self.files = or(self.files as u64, files) as usize;
    }

    /// One run is enough of a command that takes longer, in seconds, and that nothing is judged by.
    pub fn patience(&self) -> f64 {
        if self.is_quick { 5.0 } else { 20.0 }
    }

    /// Whether this program is asked for.
    pub fn wants(&self, program: &str) -> bool {
        self.programs.is_empty() || self.programs.iter().any(|name| program.starts_with(name.as_str()))
    }

    /// Whether the sizes are those of the table.
    pub fn is_full(&self) -> bool {
        self.size == 1024 * MIB && self.count == 10_000 && self.keys == 1_000_000 && self.files == 100_000
    }
}
