//! The database file, opened again after a failure that it does not get over by itself.

use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};

use redb::{Database, ReadTransaction, ReadableDatabase, WriteTransaction};

use super::failure::{Failure, Result};

/// What the database may keep of its file in memory; the system keeps the rest.
const CACHE: usize = 32 * 1024 * 1024;

/// The database. Its lock is held shared by whoever uses it.
pub(super) struct Metadata {
    path: PathBuf,
    slot: RwLock<Slot>,
}

struct Slot {
    database: Option<Database>,
    /// How often it was opened.
    generation: u64,
    closed: bool,
}

impl Metadata {
    pub(super) fn open(path: PathBuf) -> Result<Self, redb::Error> {
        let slot = Slot { database: Some(open(&path)?), generation: 0, closed: false };
        Ok(Self { path, slot: RwLock::new(slot) })
    }

    /// Reads one state of everything. Where the database has failed it is opened again and read once more.
    pub(super) fn read<T>(&self, mut step: impl FnMut(&ReadTransaction) -> Result<T>) -> Result<T> {
        let (generation, result) = self.try_read(&mut step);
        match result {
            Err(Failure::Broken(_)) => {
                self.mend(generation);
                self.try_read(&mut step).1
            }
            result => result,
        }
    }

    fn try_read<T>(&self, step: &mut impl FnMut(&ReadTransaction) -> Result<T>) -> (u64, Result<T>) {
        let slot = self.slot.read().unwrap_or_else(PoisonError::into_inner);
        let result = match &slot.database {
            Some(database) => database.begin_read().map_err(Failure::from).and_then(|transaction| step(&transaction)),
            None => Err(closed()),
        };
        (slot.generation, result)
    }

    /// Runs `step` in a transaction, and makes what it wrote outlive a crash. Nothing is left of a step that fails.
    pub(super) fn write<T>(&self, step: impl FnOnce(&WriteTransaction) -> Result<T>) -> Result<T> {
        let slot = self.slot.read().unwrap_or_else(PoisonError::into_inner);
        let result = slot.database.as_ref().ok_or_else(closed).and_then(|database| {
            let mut transaction = database.begin_write()?;
            // After a crash the database opens at once, whatever its size.
            transaction.set_quick_repair(true);
            let result = step(&transaction)?;
            transaction.commit()?;
            Ok(result)
        });
        let generation = slot.generation;
        drop(slot);
        if matches!(result, Err(Failure::Broken(_))) {
            self.mend(generation);
        }
        result
    }

    /// Runs `step` while nobody is reading.
    pub(super) fn exclusively<T>(&self, step: impl FnOnce() -> T) -> T {
        let _slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        step()
    }

    /// Opens the database again: after a failure it refuses everything until that is done.
    fn mend(&self, generation: u64) {
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        if slot.generation != generation || slot.closed {
            return;
        }
        slot.database = None;
        if let Ok(database) = open(&self.path) {
            slot.database = Some(database);
            slot.generation += 1;
        }
    }

    pub(super) fn close(&self) {
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        slot.closed = true;
        slot.database = None;
    }
}

fn closed() -> Failure {
    Failure::Broken(redb::Error::DatabaseClosed)
}

fn open(path: &PathBuf) -> Result<Database, redb::Error> {
    Ok(Database::builder().set_cache_size(CACHE).create(path)?)
}
