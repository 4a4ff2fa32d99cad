//! The tables of the database, and a transaction that writes to them.

use std::collections::BTreeSet;
use std::sync::Arc;

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};

use super::failure::Result;
use super::place::Shared;
use super::record::{self, BucketRecord};
use crate::backend::{Bucket, Extent};
use crate::error::{Code, Error};

/// Buckets, by their names.
pub(super) const BUCKETS: TableDefinition<&str, &[u8]> = TableDefinition::new("buckets");
/// Versions, by bucket, key and the complement of a number that grows: so the latest of a key comes first.
pub(super) const VERSIONS: TableDefinition<(u64, &str, u64), &[u8]> = TableDefinition::new("versions");
/// Open uploads, by bucket, key and id.
pub(super) const UPLOADS: TableDefinition<(u64, &str, &str), &[u8]> = TableDefinition::new("uploads");
/// Parts, by upload and number.
pub(super) const PARTS: TableDefinition<(&str, u16), &[u8]> = TableDefinition::new("parts");
/// How often a place is named. Places that are not are not in it.
pub(super) const PLACES: TableDefinition<u64, u64> = TableDefinition::new("places");
/// The bytes of small places.
pub(super) const SMALL: TableDefinition<u64, &[u8]> = TableDefinition::new("small");
/// Places that are no longer named, and whose bytes may still be there.
pub(super) const FREED: TableDefinition<u64, ()> = TableDefinition::new("freed");
/// [`SALT`] and [`MARK`].
pub(super) const NUMBERS: TableDefinition<&str, u64> = TableDefinition::new("numbers");

/// The salt of the store's names.
pub(super) const SALT: &str = "salt";
/// No number that the database holds is as great as this one.
pub(super) const MARK: &str = "mark";

/// How far ahead the mark is set, so that it is seldom moved.
const AHEAD: u64 = 1 << 20;

/// A transaction that writes.
pub(super) struct Tx<'t> {
    pub(super) shared: &'t Arc<Shared>,
    pub(super) buckets: Table<'t, &'static str, &'static [u8]>,
    pub(super) versions: Table<'t, (u64, &'static str, u64), &'static [u8]>,
    pub(super) uploads: Table<'t, (u64, &'static str, &'static str), &'static [u8]>,
    pub(super) parts: Table<'t, (&'static str, u16), &'static [u8]>,
    places: Table<'t, u64, u64>,
    small: Table<'t, u64, &'static [u8]>,
    freed: Table<'t, u64, ()>,
    numbers: Table<'t, &'static str, u64>,
    changes: Changes,
}

/// What a transaction does to places.
#[derive(Default)]
pub(super) struct Changes {
    /// Named for the first time.
    pub(super) named: BTreeSet<u64>,
    /// Those of them that are files.
    pub(super) files: BTreeSet<u64>,
    /// No longer named.
    pub(super) unnamed: BTreeSet<u64>,
}

impl<'t> Tx<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction, shared: &'t Arc<Shared>) -> Result<Self> {
        Ok(Self {
            shared,
            buckets: transaction.open_table(BUCKETS)?,
            versions: transaction.open_table(VERSIONS)?,
            uploads: transaction.open_table(UPLOADS)?,
            parts: transaction.open_table(PARTS)?,
            places: transaction.open_table(PLACES)?,
            small: transaction.open_table(SMALL)?,
            freed: transaction.open_table(FREED)?,
            numbers: transaction.open_table(NUMBERS)?,
            changes: Changes::default(),
        })
    }

    /// A bucket and its number.
    pub(super) fn bucket(&self, name: &str) -> Result<(u64, Bucket)> {
        bucket(&self.buckets, name)
    }

    pub(super) fn put_bucket(&mut self, number: u64, bucket: &Bucket) -> Result<()> {
        let record = record::encode(&BucketRecord::of(number, bucket))?;
        self.buckets.insert(bucket.name.as_str(), record.as_slice())?;
        Ok(())
    }

    /// Names places once more.
    pub(super) fn take(&mut self, extents: &[Extent]) -> Result<()> {
        for Extent { place, small, .. } in extents {
            let count = self.places.get(place)?.map_or(0, |count| count.value());
            if count == 0 {
                self.take_new(*place, *small)?;
            }
            self.places.insert(place, count + 1)?;
        }
        Ok(())
    }

    fn take_new(&mut self, place: u64, small: bool) -> Result<()> {
        if self.freed.remove(place)?.is_some() {
            // Its last name went while a copy of it was made: the copy holds it.
            self.changes.unnamed.remove(&place);
            self.changes.named.insert(place);
            return Ok(());
        }
        if small {
            let held = self.shared.find_held(place);
            let bytes = held.and_then(|held| held.bytes.clone()).ok_or_else(|| Error::from(Code::InternalError))?;
            self.small.insert(place, bytes.as_ref())?;
        } else {
            self.changes.files.insert(place);
        }
        self.changes.named.insert(place);
        Ok(())
    }

    /// Names places once less.
    pub(super) fn release(&mut self, extents: &[Extent]) -> Result<()> {
        for Extent { place, .. } in extents {
            let count = self.places.get(place)?.map_or(0, |count| count.value());
            if count > 1 {
                self.places.insert(place, count - 1)?;
                continue;
            }
            self.places.remove(place)?;
            self.freed.insert(place, ())?;
            self.changes.unnamed.insert(*place);
            self.changes.named.remove(place);
        }
        Ok(())
    }

    /// Forgets places whose files are gone.
    pub(super) fn forget(&mut self, places: &[u64]) -> Result<()> {
        for place in places {
            self.small.remove(place)?;
            self.freed.remove(place)?;
        }
        Ok(())
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>> {
        Ok(self.numbers.get(name)?.map(|number| number.value()))
    }

    pub(super) fn set_number(&mut self, name: &str, number: u64) -> Result<()> {
        self.numbers.insert(name, number)?;
        Ok(())
    }

    /// The end of the transaction: sees to it that no number in it is made again by another process.
    pub(super) fn finish(mut self) -> Result<Changes> {
        let number = self.shared.ids.number();
        if self.number(MARK)?.is_none_or(|mark| mark <= number) {
            self.set_number(MARK, number + AHEAD)?;
        }
        Ok(self.changes)
    }
}

/// A bucket and its number.
pub(super) fn bucket(table: &impl ReadableTable<&'static str, &'static [u8]>, name: &str) -> Result<(u64, Bucket)> {
    let found = table.get(name)?;
    let found = found.ok_or_else(|| Error::from(Code::NoSuchBucket).detail("BucketName", name))?;
    let record: BucketRecord = record::decode(found.value())?;
    Ok((record.number, record.bucket()?))
}

/// A bucket and its number, and another table of the same state.
pub(super) fn bucket_and<K: redb::Key + 'static, V: redb::Value + 'static>(
    transaction: &ReadTransaction,
    name: &str,
    definition: TableDefinition<'_, K, V>,
) -> Result<(u64, Bucket, ReadOnlyTable<K, V>)> {
    let (number, bucket) = bucket(&transaction.open_table(BUCKETS)?, name)?;
    Ok((number, bucket, transaction.open_table(definition)?))
}
