//! Keys that differ only in case, as a sync comes upon them.

use std::collections::HashSet;
use std::mem;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use wharf::transfer::LocalTree;

use crate::transfer::case::{CaseConflict, Names};

/// Looks at every name, and remembers all of them.
pub(super) struct Cases {
    pub(super) wanted: CaseConflict,
    /// What the target has: these names are taken.
    there: HashSet<String>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    names: Names,
    conflicts: Vec<String>,
}

impl Cases {
    pub(super) fn of(wanted: CaseConflict, target: &Path) -> Self {
        let there: HashSet<_> = match target.is_dir() {
            true => LocalTree::new(target).files(false).filter_map(|file| Some(file.ok()?.key)).collect(),
            false => HashSet::new(),
        };
        let mut seen = Seen::default();
        for name in &there {
            seen.names.take(name);
        }
        Self { wanted, there, seen: Mutex::new(seen) }
    }

    /// Whether this name may be synced.
    pub(super) fn take(&self, name: &str) -> bool {
        if self.there.contains(name) {
            return true;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.names.take(name) {
            return true;
        }
        seen.conflicts.push(name.to_owned());
        self.wanted == CaseConflict::Warn
    }

    /// The names that came too late, since this was asked before.
    pub(super) fn conflicts(&self) -> Vec<String> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        mem::take(&mut seen.conflicts)
    }
}
