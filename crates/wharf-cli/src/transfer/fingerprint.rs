//! What stands for a name where very many are remembered.

use std::hash::{BuildHasher, RandomState};

/// Makes fingerprints, which take less room than names. Its keys are made here: nobody can choose names that have the same.
#[derive(Default)]
pub(crate) struct Fingerprints([RandomState; 2]);

impl Fingerprints {
    pub(crate) fn of(&self, name: &str) -> (u64, u64) {
        let [one, other] = &self.0;
        (one.hash_one(name), other.hash_one(name))
    }
}
