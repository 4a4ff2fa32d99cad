//! Versions of keys in one bucket.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use super::BucketState;
use crate::backend::history::{self, History, HistoryMut, Numbered};
use crate::backend::list;
use crate::backend::{
    Amendment, Deleted, Found, ListQuery, ListedVersion, Object, Page, Removal, Upload, Version, Versioning,
};
use crate::condition::Guard;
use crate::error::{Error, Result};
use crate::id::Ids;

/// A key's versions, the latest first; never empty.
pub(super) type Objects = BTreeMap<String, Vec<Numbered>>;

impl BucketState {
    fn versioned(&self) -> bool {
        self.info.versioning != Versioning::Never
    }

    fn history<'a>(&'a mut self, key: &'a str) -> Versions<'a, &'a mut Objects> {
        Versions { objects: &mut self.objects, key }
    }

    pub(super) fn put(&mut self, ids: &Ids, key: &str, at: SystemTime, object: Object, guard: &Guard) -> Result<Found> {
        let versioning = self.info.versioning;
        history::put(&mut self.history(key), versioning, ids, at, object, guard)
    }

    pub(super) fn complete(&mut self, ids: &Ids, upload: &Upload, object: Object, guard: &Guard) -> Result<Found> {
        let versioning = self.info.versioning;
        history::complete(&mut self.history(&upload.key), versioning, ids, upload, object, guard)
    }

    /// Whether there is an object under a key.
    pub(super) fn has_object(&self, key: &str) -> Result<bool> {
        let latest = Versions { objects: &self.objects, key }.latest()?;
        Ok(history::object_of(&latest).is_some())
    }

    pub(super) fn find(&self, key: &str, id: Option<&str>) -> Result<Found> {
        let (_, version) = history::find(&Versions { objects: &self.objects, key }, id)?;
        Ok(Found { version, versioned: self.versioned() })
    }

    pub(super) fn delete(&mut self, ids: &Ids, key: &str, id: Option<&str>, how: &Removal) -> Result<Deleted> {
        let versioning = self.info.versioning;
        history::delete(&mut self.history(key), versioning, ids, id, how)
    }

    pub(super) fn amend(&mut self, key: &str, id: Option<&str>, at: SystemTime, change: Amendment) -> Result<Found> {
        let versioned = self.versioned();
        let version = history::amend(&mut self.history(key), id, at, change)?;
        Ok(Found { version, versioned })
    }

    pub(super) fn list(&self, query: &ListQuery) -> Page<Arc<Version>> {
        list::page_of_map(
            &self.objects,
            query,
            |_, _| 0,
            |versions| {
                let latest = versions.first().filter(|(_, version)| version.object.is_some());
                latest.map(|(_, version)| (None, version.clone()))
            },
        )
    }

    pub(super) fn list_versions(&self, ids: &Ids, query: &ListQuery) -> Page<ListedVersion> {
        let seen = |versions: &Vec<Numbered>, marker: &str| {
            let number = match versions.iter().find(|(_, version)| version.id == marker) {
                Some((number, _)) => Some(*number),
                None => ids.number_of(marker),
            };
            // One that is gone and was called "null" had a place that nobody knows: better all of the key again than
            // too little.
            number.map_or(0, |number| versions.partition_point(|(other, _)| *other >= number))
        };
        list::page_of_map(&self.objects, query, seen, |versions| {
            versions.iter().enumerate().map(|(at, (_, version))| {
                (Some(version.id.as_str()), ListedVersion { version: version.clone(), latest: at == 0 })
            })
        })
    }
}

/// The versions of one key; `O` is a reference to the map, of either kind.
struct Versions<'a, O> {
    objects: O,
    key: &'a str,
}

impl<O: std::ops::Deref<Target = Objects>> History for Versions<'_, O> {
    type Error = Error;

    fn key(&self) -> &str {
        self.key
    }

    fn latest(&self) -> Result<Option<Numbered>> {
        Ok(self.objects.get(self.key).and_then(|versions| versions.first()).cloned())
    }

    fn by_id(&self, id: &str) -> Result<Option<Numbered>> {
        let versions = self.objects.get(self.key).map(Vec::as_slice).unwrap_or_default();
        Ok(versions.iter().find(|(_, version)| version.id == id).cloned())
    }
}

impl HistoryMut for Versions<'_, &mut Objects> {
    fn add(&mut self, number: u64, version: Arc<Version>, instead: Option<u64>) -> Result<()> {
        let versions = self.objects.entry(self.key.to_owned()).or_default();
        if let Some(instead) = instead {
            versions.retain(|(other, _)| *other != instead);
        }
        versions.insert(versions.partition_point(|(other, _)| *other > number), (number, version));
        Ok(())
    }

    fn remove(&mut self, number: u64) -> Result<()> {
        if let Some(versions) = self.objects.get_mut(self.key) {
            versions.retain(|(other, _)| *other != number);
            if versions.is_empty() {
                self.objects.remove(self.key);
            }
        }
        Ok(())
    }

    fn replace(&mut self, number: u64, version: Arc<Version>) -> Result<()> {
        let mut versions = self.objects.get_mut(self.key).into_iter().flatten();
        if let Some((_, slot)) = versions.find(|(other, _)| *other == number) {
            *slot = version;
        }
        Ok(())
    }
}
