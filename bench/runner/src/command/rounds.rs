//! Runs the commands in turns, as the other rows.

use std::fs::{self, File, FileTimes};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use job::{Result, SMALL, synced_name};

use super::programs::{Program, Task};
use super::results::{CommandResult, Typed};
use super::rows::{Row, Verb};
use crate::measure::Outcome;
use crate::programs::Kind;
use crate::results::Measured;
use crate::rounds::{Bench, is_of_blocks};
use crate::servers::Sums;

/// When the files of the folder that is synced were written: before the objects, as the sink tells their times.
const WRITTEN: Duration = Duration::from_secs(1_790_000_000);

impl Bench<'_> {
    /// The folder that is synced. Its files are never read, so they have a length alone.
    pub fn prepare_commands(&self) -> Result {
        if !self.settings.commands.iter().any(|row| row.verb == Verb::Sync) {
            return Ok(());
        }
        let root = self.synced();
        for number in 0..self.settings.files {
            let path = root.join(synced_name(number));
            if number % 1000 == 0 {
                fs::create_dir_all(path.parent().ok_or("a file has no folder")?)?;
            }
            let file = File::create(path)?;
            file.set_len(SMALL as u64)?;
            file.set_times(FileTimes::new().set_modified(UNIX_EPOCH + WRITTEN))?;
        }
        Ok(())
    }

    fn synced(&self) -> PathBuf {
        self.scratch[0].join("synced")
    }

    /// All commands of a row.
    pub fn commands(&self, row: &Row, programs: &[&Program]) -> CommandResult {
        let count = match row.verb {
            Verb::ListOne | Verb::Up | Verb::Down => 1,
            Verb::FilesUp | Verb::FilesDown => self.settings.count,
            Verb::Sync => self.settings.files,
            Verb::ListAll => self.settings.keys,
        };
        let typed = |program: &&Program| Typed {
            measured: Measured::new(program.name, if program.is_wharf() { Kind::Wharf } else { Kind::Peer }),
            is_s5cmd: program.is_s5cmd(),
            asked: None,
            is_once: false,
        };
        let mut result = CommandResult { row: *row, typed: programs.iter().map(typed).collect(), count };
        for round in 0..self.settings.rounds {
            for turn in 0..programs.len() {
                // Nobody always comes after the same one.
                let at = (turn + round) % programs.len();
                let typed = &mut result.typed[at];
                if typed.measured.is_out() || typed.is_once {
                    continue;
                }
                let (outcome, others) = self.type_once(row, programs[at], count, round == 0, &mut typed.asked);
                self.keep(row.name, programs[at].name, round, &outcome, others);
                let is_long = matches!(&outcome, Outcome::Done(usage) if usage.wall > self.settings.patience());
                typed.is_once = is_long && round == 0 && self.settings.rounds > 1 && !programs[at].is_judged();
                typed.measured.add(outcome, others);
            }
        }
        result.typed.retain(|typed| !typed.measured.is_unsupported);
        result
    }

    /// One run, and the share of a processor that whatever else runs here took meanwhile.
    fn type_once(
        &self,
        row: &Row,
        program: &Program,
        count: usize,
        compare: bool,
        asked: &mut Option<Sums>,
    ) -> (Outcome, f64) {
        let task = Task {
            verb: row.verb,
            endpoint: if row.is_https { &self.servers.https } else { &self.servers.http }.clone(),
            path: match row.verb {
                Verb::FilesUp => self.folders.small_source.join("small"),
                Verb::FilesDown => self.folders.small_target.clone(),
                Verb::Up => self.source(),
                Verb::Sync => self.synced(),
                Verb::Down | Verb::ListOne | Verb::ListAll => self.target(row.place),
            },
            part_size: self.settings.part_size,
            concurrency: self.settings.concurrency,
        };
        let Some(mut command) = program.command(&task, self.folders) else { return (Outcome::Unsupported, 0.0) };
        let cleaned = self.clean_task(&task).and_then(|()| self.servers.reset());
        if let Err(error) = cleaned {
            return (Outcome::Failed(error.to_string()), 0.0);
        }
        let (outcome, others) = self.watch(&mut command);
        let checked = self.servers.reset().and_then(|sums| {
            *asked = Some(sums);
            self.check_task(&task, count, sums, compare)
        });
        match (outcome, checked) {
            (Outcome::Done(_), Err(error)) => (Outcome::Failed(format!("it ended well, but {error}")), others),
            (outcome, _) => (outcome, others),
        }
    }

    fn clean_task(&self, task: &Task) -> Result {
        match task.verb {
            Verb::FilesDown => {
                let _ = fs::remove_dir_all(&task.path);
                fs::create_dir_all(&task.path)?;
            }
            Verb::Down => self.clean_target(&task.path)?,
            _ => (),
        }
        Ok(())
    }

    /// Whether the work was done.
    fn check_task(&self, task: &Task, count: usize, sums: Sums, compare: bool) -> Result {
        let small = (count as u64, (count * SMALL) as u64);
        match task.verb {
            Verb::ListOne if sums.requests == 0 => Err("the server was not asked".into()),
            Verb::ListAll if sums.listed < count as u64 => Err(format!("not all keys were listed: {sums:?}").into()),
            Verb::FilesUp if sums.put != small => Err(format!("the server has not all objects: {sums:?}").into()),
            Verb::Up if sums.put != (1, self.settings.size) => {
                Err(format!("the server has not one whole object: {sums:?}").into())
            }
            Verb::Sync if sums.put != (0, 0) || sums.sent > 0 || sums.listed < count as u64 => {
                Err(format!("something was copied, or not all was looked at: {sums:?}").into())
            }
            Verb::FilesDown => {
                let came = check_files(&task.path, compare)?;
                fs::remove_dir_all(&task.path)?;
                if came == count { Ok(()) } else { Err(format!("{came} files came, {count} are there").into()) }
            }
            Verb::Down => self.check_file(&task.path, self.settings.size, compare),
            _ => Ok(()),
        }
    }
}

/// How many files there are, all of which are whole.
fn check_files(folder: &Path, compare: bool) -> Result<usize> {
    let block = job::block();
    let mut count = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_whole = entry.metadata()?.len() == SMALL as u64 && (!compare || is_of_blocks(&entry.path(), &block)?);
        if !is_whole {
            return Err(format!("{} is not what the object is", entry.path().display()).into());
        }
        count += 1;
    }
    Ok(count)
}
