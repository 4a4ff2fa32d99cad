//! Opening a data directory, and putting right what a crash left behind.

use std::path::Path;
use std::sync::{Arc, mpsc};

use redb::{ReadableTable, TableError};

use super::directory::Directory;
use super::failure::{Failure, Result};
use super::metadata::Metadata;
use super::place::Shared;
use super::tables::{self, Tx};
use super::{Disk, OpenError, commit};
use crate::id::Ids;

impl Disk {
    /// Opens the store in `path`, which is made where there is none, and gives the names it goes on with.
    pub(crate) fn open(path: &Path) -> Result<(Self, Arc<Ids>), OpenError> {
        let directory = Directory::take(path)?;
        let metadata = Metadata::open(directory.database()).map_err(|error| OpenError::database(path, error))?;
        let failed = |failure| match failure {
            Failure::Broken(error) => OpenError::database(path, error),
            Failure::Refused(error) => OpenError::Damaged { path: path.to_owned(), source: error.into() },
        };
        let numbers = numbers(&metadata).map_err(failed)?;
        let ids = Arc::new(match numbers {
            Some((salt, mark)) => Ids::resume(salt.to_le_bytes(), mark),
            None => Ids::new(),
        });
        let (jobs, queue) = mpsc::channel();
        let shared = Arc::new(Shared::new(directory, metadata, ids.clone(), jobs));
        if numbers.is_none() {
            begin(&shared).map_err(failed)?;
        }
        sweep(&shared).map_err(failed)?;
        if !shared.directory.has_reserve() {
            shared.directory.hold_reserve();
        }
        let theirs = shared.clone();
        let thread = std::thread::Builder::new()
            .name("wharf-store".to_owned())
            .spawn(move || commit::run(&theirs, &queue))
            .map_err(|error| OpenError::io(path, error))?;
        Ok((Self { shared, thread: Some(thread) }, ids))
    }
}

/// The salt and the mark, unless the database is new.
fn numbers(metadata: &Metadata) -> Result<Option<(u64, u64)>> {
    metadata.read(|transaction| {
        let table = match transaction.open_table(tables::NUMBERS) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let number = |name| -> Result<_> { Ok(table.get(name)?.map(|number| number.value())) };
        Ok(number(tables::SALT)?.zip(number(tables::MARK)?))
    })
}

/// Makes all tables, and writes down how this store's names look.
fn begin(shared: &Arc<Shared>) -> Result<()> {
    shared.metadata.write(|transaction| {
        let mut tx = Tx::open(transaction, shared)?;
        tx.set_number(tables::SALT, u64::from_le_bytes(shared.ids.salt()))?;
        tx.finish().map(drop)
    })
}

/// Removes what a crash left that no object needs. It looks only at what was under way: files that had not settled,
/// and places that the database let go of.
fn sweep(shared: &Arc<Shared>) -> Result<()> {
    let arriving = shared.directory.left_over()?;
    let (named, freed) = shared.metadata.read(|transaction| {
        let places = transaction.open_table(tables::PLACES)?;
        let mut named = Vec::new();
        for place in &arriving {
            named.push(places.get(place)?.is_some());
        }
        let freed = transaction.open_table(tables::FREED)?;
        let freed: Result<Vec<u64>> = freed.iter()?.map(|row| Ok(row?.0.value())).collect();
        Ok((named, freed?))
    })?;
    for (place, named) in arriving.into_iter().zip(named) {
        match named {
            true => shared.directory.settle(place),
            false => shared.directory.remove(place),
        }
    }
    if freed.is_empty() {
        return Ok(());
    }
    freed.iter().for_each(|place| shared.directory.remove(*place));
    // On a full disk the rows stay for another time.
    let _ = shared.metadata.write(|transaction| {
        let mut tx = Tx::open(transaction, shared)?;
        tx.forget(&freed)?;
        tx.finish().map(drop)
    });
    Ok(())
}
