//! Versions of keys, as rows: the latest of a key first.

use std::ops::Bound;
use std::sync::Arc;

use redb::{ReadOnlyTable, ReadableTable};

use super::failure::{Failure, Result};
use super::place::Shared;
use super::record::{self, VersionRecord};
use super::tables::Tx;
use crate::backend::history::{History, HistoryMut, NULL, Numbered};
use crate::backend::list::{Entry, Source, Start};
use crate::backend::{ListedVersion, Version};

type VersionKey = (u64, &'static str, u64);
type Versions = ReadOnlyTable<VersionKey, &'static [u8]>;

/// Where rows begin, and that they go on to the table's end.
type Rows<'a> = (Bound<(u64, &'a str, u64)>, Bound<(u64, &'a str, u64)>);

/// The versions of one key in some state of the database.
pub(super) struct Seen<'a, T> {
    pub(super) table: &'a T,
    pub(super) shared: &'a Arc<Shared>,
    pub(super) bucket: u64,
    pub(super) key: &'a str,
}

impl<T: ReadableTable<VersionKey, &'static [u8]>> Seen<'_, T> {
    /// The first row from the latest on that `wanted` wants.
    fn first(&self, wanted: impl Fn(&VersionRecord) -> bool) -> Result<Option<Numbered>> {
        for row in self.table.range((self.bucket, self.key, 0)..=(self.bucket, self.key, u64::MAX))? {
            let (place, value) = row?;
            let record: VersionRecord = record::decode(value.value())?;
            if wanted(&record) {
                return Ok(Some((!place.value().2, self.version(record)?)));
            }
        }
        Ok(None)
    }

    fn version(&self, record: VersionRecord) -> Result<Arc<Version>> {
        Ok(Arc::new(record.version(self.key, &|extents| self.shared.blob(extents))?))
    }
}

impl<T: ReadableTable<VersionKey, &'static [u8]>> History for Seen<'_, T> {
    type Error = Failure;

    fn key(&self) -> &str {
        self.key
    }

    fn latest(&self) -> Result<Option<Numbered>> {
        self.first(|_| true)
    }

    fn by_id(&self, id: &str) -> Result<Option<Numbered>> {
        if id == NULL {
            return self.first(|record| record.id == NULL);
        }
        let Some(number) = self.shared.ids.number_of(id) else { return Ok(None) };
        let Some(value) = self.table.get((self.bucket, self.key, !number))? else { return Ok(None) };
        let record: VersionRecord = record::decode(value.value())?;
        // A number can be written in other ways, and a version called "null" has one that is not its id.
        if record.id != id {
            return Ok(None);
        }
        Ok(Some((number, self.version(record)?)))
    }
}

/// The versions of one key, to be written to.
pub(super) struct Written<'a, 't> {
    pub(super) tx: &'a mut Tx<'t>,
    pub(super) bucket: u64,
    pub(super) key: &'a str,
}

impl Written<'_, '_> {
    fn seen(&self) -> Seen<'_, redb::Table<'_, VersionKey, &'static [u8]>> {
        Seen { table: &self.tx.versions, shared: self.tx.shared, bucket: self.bucket, key: self.key }
    }
}

impl History for Written<'_, '_> {
    type Error = Failure;

    fn key(&self) -> &str {
        self.key
    }

    fn latest(&self) -> Result<Option<Numbered>> {
        self.seen().latest()
    }

    fn by_id(&self, id: &str) -> Result<Option<Numbered>> {
        self.seen().by_id(id)
    }
}

impl HistoryMut for Written<'_, '_> {
    fn add(&mut self, number: u64, version: Arc<Version>, instead: Option<u64>) -> Result<()> {
        let record = VersionRecord::of(&version)?;
        let bytes = record::encode(&record)?;
        if let Some(instead) = instead {
            self.remove(instead)?;
        }
        self.tx.take(&record.extents())?;
        self.tx.versions.insert((self.bucket, self.key, !number), bytes.as_slice())?;
        Ok(())
    }

    fn remove(&mut self, number: u64) -> Result<()> {
        let at = (self.bucket, self.key, !number);
        let Some(value) = self.tx.versions.get(at)? else { return Ok(()) };
        let record: VersionRecord = record::decode(value.value())?;
        drop(value);
        self.tx.versions.remove(at)?;
        self.tx.release(&record.extents())
    }

    fn replace(&mut self, number: u64, version: Arc<Version>) -> Result<()> {
        let bytes = record::encode(&VersionRecord::of(&version)?)?;
        self.tx.versions.insert((self.bucket, self.key, !number), bytes.as_slice())?;
        Ok(())
    }
}

/// The versions of a bucket, for a listing.
pub(super) struct Listing<'a> {
    pub(super) table: &'a Versions,
    pub(super) shared: &'a Arc<Shared>,
    pub(super) bucket: u64,
}

impl Listing<'_> {
    /// All versions in order.
    fn rows(&self, start: Start) -> Result<impl Iterator<Item = Result<(String, Arc<Version>, bool)>>> {
        let (from, end) = self.from(&start)?;
        let mut last = match (&start, &from) {
            // The marker may be gone, and all that was newer: then the first behind it is the latest.
            (Start::Amid(key, _), Bound::Excluded(marker)) => {
                let before = self.table.range((self.bucket, key.as_str(), 0)..=*marker)?.next().transpose()?;
                before.map(|_| key.clone())
            }
            _ => None,
        };
        let rows = self.table.range::<(u64, &str, u64)>((from, end))?;
        Ok(rows.map_while(move |row| {
            let (place, value) = match row {
                Ok(row) => row,
                Err(error) => return Some(Err(error.into())),
            };
            let (bucket, key, _) = place.value();
            (bucket == self.bucket).then(|| {
                let latest = last.as_deref() != Some(key);
                if latest {
                    last = Some(key.to_owned());
                }
                let record: VersionRecord = record::decode(value.value())?;
                let version = record.version(key, &|extents| self.shared.blob(extents))?;
                Ok((key.to_owned(), Arc::new(version), latest))
            })
        }))
    }

    fn from<'s>(&self, start: &'s Start) -> Result<Rows<'s>> {
        let behind = |key: &'s str, number: u64| Bound::Excluded((self.bucket, key, !number));
        let from = match start {
            Start::At(key) => Bound::Included((self.bucket, key.as_str(), 0)),
            Start::Behind(key) => behind(key, 0),
            Start::Amid(key, id) => match self.shared.ids.number_of(id) {
                Some(number) => behind(key, number),
                None => {
                    let seen = Seen { table: self.table, shared: self.shared, bucket: self.bucket, key };
                    // One that is gone had a place that nobody knows: better all of the key again than too little.
                    match seen.by_id(id)? {
                        Some((number, _)) => behind(key, number),
                        None => Bound::Included((self.bucket, key.as_str(), 0)),
                    }
                }
            },
        };
        Ok((from, Bound::Unbounded))
    }
}

/// All versions and delete markers.
pub(super) struct AllVersions<'a>(pub(super) Listing<'a>);

impl Source for AllVersions<'_> {
    type Text = String;
    type Listed = ListedVersion;
    type Error = Failure;

    fn entries(&self, start: Start) -> Result<impl Iterator<Item = Result<Entry<Self>>>> {
        Ok(self.0.rows(start)?.map(|row| {
            let (key, version, latest) = row?;
            Ok((key, Some(version.id.clone()), ListedVersion { version, latest }))
        }))
    }
}

/// The latest version of each key, where that is no delete marker.
pub(super) struct Current<'a>(pub(super) Listing<'a>);

impl Source for Current<'_> {
    type Text = String;
    type Listed = Arc<Version>;
    type Error = Failure;

    fn entries(&self, start: Start) -> Result<impl Iterator<Item = Result<Entry<Self>>>> {
        let Listing { table, shared, bucket } = self.0;
        let mut rows = table.range::<(u64, &str, u64)>(self.0.from(&start)?)?;
        let mut last: Option<String> = None;
        Ok(std::iter::from_fn(move || {
            loop {
                let (place, value) = match rows.next()? {
                    Ok(row) => row,
                    Err(error) => return Some(Err(error.into())),
                };
                let (owner, key, _) = place.value();
                if owner != bucket {
                    return None;
                }
                if last.as_deref() == Some(key) {
                    // Older versions are passed over in one leap: there may be any number of them.
                    let behind = (Bound::Excluded((bucket, key, u64::MAX)), Bound::Unbounded);
                    rows = match table.range::<(u64, &str, u64)>(behind) {
                        Ok(rows) => rows,
                        Err(error) => return Some(Err(error.into())),
                    };
                    continue;
                }
                last = Some(key.to_owned());
                let record: Result<VersionRecord, _> = record::decode(value.value());
                let version = record.and_then(|record| record.version(key, &|extents| shared.blob(extents)));
                match version {
                    Ok(version) if version.object.is_none() => {}
                    Ok(version) => return Some(Ok((key.to_owned(), None, Arc::new(version)))),
                    Err(error) => return Some(Err(error.into())),
                }
            }
        }))
    }
}
