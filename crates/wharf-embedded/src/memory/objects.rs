//! Versions of keys in one bucket.

use std::sync::Arc;
use std::time::SystemTime;

use super::BucketState;
use crate::backend::{Amendment, Deleted, Found, ListQuery, ListedVersion, Object, Page, Removal, Version, Versioning};
use crate::condition::Guard;
use crate::error::{Code, Error, Result};
use crate::id::Ids;
use crate::list;
use crate::lock;

const NULL: &str = "null";

impl BucketState {
    fn versioned(&self) -> bool {
        self.info.versioning != Versioning::Never
    }

    fn latest(&self, key: &str) -> Option<&Arc<Version>> {
        self.objects.get(key).and_then(|versions| versions.first())
    }

    pub(super) fn put(&mut self, ids: &Ids, key: &str, at: SystemTime, object: Object, guard: &Guard) -> Result<Found> {
        guard.check(self.latest(key).and_then(|version| version.object.as_ref()))?;
        let version = self.push(ids, key, at, Some(object));
        Ok(Found { version, versioned: self.versioned() })
    }

    /// Adds the newest version; without versioning it takes the place of the one called "null".
    fn push(&mut self, ids: &Ids, key: &str, at: SystemTime, object: Option<Object>) -> Arc<Version> {
        let enabled = self.info.versioning == Versioning::Enabled;
        let id = if enabled { ids.next() } else { NULL.to_owned() };
        let version = Arc::new(Version { key: key.to_owned(), id, modified: at, object });
        let versions = self.objects.entry(key.to_owned()).or_default();
        if !enabled {
            versions.retain(|version| version.id != NULL);
        }
        versions.insert(0, version.clone());
        version
    }

    pub(super) fn find(&self, key: &str, id: Option<&str>) -> Result<Found> {
        let at = self.position(key, id)?;
        let Some(version) = self.objects.get(key).and_then(|versions| versions.get(at)) else {
            return Err(no_such_key(key));
        };
        Ok(Found { version: version.clone(), versioned: self.versioned() })
    }

    fn position(&self, key: &str, id: Option<&str>) -> Result<usize> {
        let versions = self.objects.get(key).map(Vec::as_slice).unwrap_or_default();
        match id {
            None if versions.is_empty() => Err(no_such_key(key)),
            None => Ok(0),
            Some(id) => versions
                .iter()
                .position(|version| version.id == id)
                .ok_or_else(|| Error::from(Code::NoSuchVersion).detail("Key", key).detail("VersionId", id)),
        }
    }

    pub(super) fn delete(&mut self, ids: &Ids, key: &str, id: Option<&str>, how: &Removal) -> Result<Deleted> {
        let Some(id) = id else {
            how.guard.check(self.latest(key).and_then(|version| version.object.as_ref()))?;
            if self.versioned() {
                let marker = self.push(ids, key, how.at, None);
                return Ok(Deleted { version: Some(marker.id.clone()), marker: true });
            }
            self.objects.remove(key);
            return Ok(Deleted::default());
        };
        // Deleting a version that is not there succeeds, as S3 has it.
        let Ok(at) = self.position(key, Some(id)) else {
            return Ok(Deleted { version: Some(id.to_owned()), marker: false });
        };
        let Some(versions) = self.objects.get_mut(key) else { return Ok(Deleted::default()) };
        if let Some(object) = &versions[at].object {
            how.guard.check(Some(object))?;
            lock::check_removal(&object.lock, how.at, how.bypass_governance)?;
        }
        let gone = versions.remove(at);
        if versions.is_empty() {
            self.objects.remove(key);
        }
        Ok(Deleted { version: Some(id.to_owned()), marker: gone.object.is_none() })
    }

    pub(super) fn amend(&mut self, key: &str, id: Option<&str>, at: SystemTime, change: Amendment) -> Result<Found> {
        let position = self.position(key, id)?;
        let versioned = self.versioned();
        let slot = self.objects.get_mut(key).and_then(|versions| versions.get_mut(position));
        let Some(slot) = slot else { return Err(no_such_key(key)) };
        let mut version = Version::clone(slot);
        let Some(object) = &mut version.object else {
            return Err(match id {
                Some(_) => Code::MethodNotAllowed.into(),
                None => no_such_key(key),
            });
        };
        match change {
            Amendment::Tags(tags) => object.tags = tags,
            Amendment::LegalHold(on) => object.lock.legal_hold = Some(on),
            Amendment::Retention(retention, bypass) => {
                lock::check_change(object.lock.retention.as_ref(), &retention, at, bypass)?;
                object.lock.retention = Some(retention);
            }
            Amendment::Acl(acl) => object.acl = acl,
        }
        *slot = Arc::new(version);
        Ok(Found { version: slot.clone(), versioned })
    }

    pub(super) fn list(&self, query: &ListQuery) -> Page<Arc<Version>> {
        list::page(&self.objects, query, |versions| {
            versions.first().filter(|version| version.object.is_some()).map(|version| (None, version.clone()))
        })
    }

    pub(super) fn list_versions(&self, query: &ListQuery) -> Page<ListedVersion> {
        list::page(&self.objects, query, |versions| {
            versions.iter().enumerate().map(|(at, version)| {
                (Some(version.id.as_str()), ListedVersion { version: version.clone(), latest: at == 0 })
            })
        })
    }
}

pub(super) fn no_such_key(key: &str) -> Error {
    Error::from(Code::NoSuchKey).detail("Key", key)
}
