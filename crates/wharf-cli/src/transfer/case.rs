//! Keys that differ only in case, which are one name to some file systems.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::options::CaseConflict;
use crate::message::Warning;

/// What to do with a key.
pub(crate) enum Verdict {
    Take,
    TakeAndSay(Warning),
    Leave(Warning),
    /// End everything.
    Stop(String),
}

/// The names that one command gives to files.
pub(crate) struct Cases {
    wanted: CaseConflict,
    /// Whether to say it as aws-cli does.
    is_aws: bool,
    names: Mutex<Names>,
    stopped: AtomicBool,
}

/// What aws-cli adds to its warning.
const OF_AWS: &str = "This behavior is not defined on case-insensitive filesystems and may result in overwriting existing \
                      files or race conditions between concurrent downloads. For more information, see \
                      https://docs.aws.amazon.com/cli/latest/topic/s3-case-insensitivity.html.";

#[derive(Default)]
struct Names {
    /// Those given so far, by their lower case.
    lower: HashMap<String, String>,
    /// What was in each directory at first.
    there: HashMap<PathBuf, HashSet<OsString>>,
}

impl Cases {
    pub(crate) fn new(wanted: CaseConflict, is_aws: bool) -> Self {
        Self { wanted, is_aws, names: Mutex::default(), stopped: AtomicBool::new(false) }
    }

    /// Whether an object may become this file. `name` is the file's below the target.
    pub(crate) fn verdict(&self, source: &str, name: &str, path: &Path) -> Verdict {
        if self.wanted == CaseConflict::Ignore || self.is_alone(name, path) {
            return Verdict::Take;
        }
        let pair = format!("{source} -> {}", path.display());
        let about = |text: String| Warning::about(source, text);
        match self.wanted {
            CaseConflict::Skip => Verdict::Leave(about(format!(
                "Skipping {pair} because a file whose name differs only by case either exists or is being downloaded."
            ))),
            CaseConflict::Error => {
                self.stopped.store(true, Ordering::Relaxed);
                Verdict::Stop(format!(
                    "Failed to download {pair} because a file whose name differs only by case either exists or is being \
                     downloaded."
                ))
            }
            CaseConflict::Warn | CaseConflict::Ignore => Verdict::TakeAndSay(about(format!(
                "Downloading {pair} despite a file whose name differs only by case either existing or being downloaded. {}",
                if self.is_aws { OF_AWS } else { "On a file system that takes both for one name, one is lost." }
            ))),
        }
    }

    /// Whether it was this that ended everything.
    pub(crate) fn has_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Whether no other file has the name but for its case.
    fn is_alone(&self, name: &str, path: &Path) -> bool {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if path.exists() {
            let (Some(parent), Some(file)) = (path.parent(), path.file_name()) else { return true };
            let there = names.there.entry(parent.to_owned()).or_insert_with(|| entries(parent));
            if there.contains(file) {
                return true;
            }
        }
        // A sync that has to sort what it lists asks for all of it once more.
        let known = names.lower.entry(name.to_lowercase()).or_insert_with(|| name.to_owned());
        known == name && !path.exists()
    }
}

fn entries(directory: &Path) -> HashSet<OsString> {
    fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.file_name()).collect()
}
