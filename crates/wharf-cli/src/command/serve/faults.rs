//! What goes wrong on purpose: `--faults` and `--personality`.

use std::fs;
use std::path::PathBuf;

use wharf_embedded::{Fault, Personality, Store};

use crate::error::{Exit, Failure};

#[derive(Debug, clap::Args)]
#[group(skip)]
pub(super) struct Args {
    /// A TOML file of faults: what goes wrong, and when
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// The habits of another server: ceph, garage, rclone or plain
    #[arg(long, value_name = "NAME")]
    pub(super) personality: Option<Personality>,
}

impl Args {
    /// The faults of the file.
    pub(super) fn read(&self) -> Result<Vec<Fault>, Failure> {
        let Some(path) = &self.faults else { return Ok(Vec::new()) };
        let shown = path.display();
        let text = fs::read_to_string(path)
            .map_err(|error| Failure::new(Exit::Configuration, format!("cannot read {shown}: {error}")))?;
        Fault::from_toml(&text).map_err(|error| {
            Failure::new(Exit::Configuration, format!("{shown}, {error}"))
                .hint("docs/embedded.md says what can be in it; nothing was served")
        })
    }

    /// Puts faults in force, and says so in a line that can be pasted with the others.
    pub(super) fn inject(&self, faults: Vec<Fault>, store: &Store) -> Result<Vec<String>, Failure> {
        let count = faults.len();
        for fault in faults {
            store.inject(fault).map_err(|error| Failure::new(Exit::Configuration, error.to_string()))?;
        }
        let habits = self.personality.map(|personality| format!("# it has the habits of {personality}"));
        let faults = self.faults.as_ref().map(|path| format!("# faults in force: {count}, of {}", path.display()));
        Ok(habits.into_iter().chain(faults).collect())
    }
}
