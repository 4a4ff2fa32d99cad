//! `--case-conflict`: keys that differ only in case, where files may not.

use std::collections::hash_map::{Entry, HashMap};

use crate::error::{Exit, Failure};
use crate::message::Warning;
use crate::url::Shown;

/// What to do with keys that differ only in case, where files cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum CaseConflict {
    /// Nothing: the file system knows.
    #[cfg_attr(not(any(windows, target_os = "macos")), default)]
    Ignore,
    /// Leave the second out.
    #[cfg_attr(any(windows, target_os = "macos"), default)]
    Skip,
    /// Say so.
    Warn,
    /// Stop.
    Error,
}

/// What is done about a conflict.
pub(crate) enum Verdict {
    Skipped(Warning),
    Told(Warning),
}

/// The names so far, by their lower case.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<String, String>);

impl Names {
    /// Takes a name up; no where another has it but for its case.
    pub(crate) fn take(&mut self, name: &str) -> bool {
        match self.0.entry(name.to_lowercase()) {
            Entry::Vacant(free) => {
                free.insert(name.to_owned());
                true
            }
            Entry::Occupied(taken) => taken.get() == name,
        }
    }
}

impl CaseConflict {
    /// What is done with an object that would be a file whose name another has but for its case.
    pub(crate) fn verdict(self, source: Shown<'_>, path: &str) -> Result<Verdict, Failure> {
        let conflict = "a file whose name differs only by case either exists or is being downloaded.";
        match self {
            Self::Error => {
                Err(Failure::new(Exit::Failed, format!("Failed to download {source} -> {path} because {conflict}")))
            }
            Self::Skip => {
                Ok(Verdict::Skipped(Warning::skipping(source, format!("It would be {path}, and {conflict}"))))
            }
            Self::Ignore | Self::Warn => {
                Ok(Verdict::Told(Warning::new(format!("Downloading {source} -> {path} although {conflict}"))))
            }
        }
    }
}
