//! What writing, deleting and changing do to the versions of one key: decided here, whatever keeps them.

use std::sync::Arc;
use std::time::SystemTime;

use crate::backend::{Amendment, Deleted, Found, Object, Removal, Upload, Version, Versioning};
use crate::condition::{Guard, Since};
use crate::error::{Code, Error, Result};
use crate::id::Ids;
use crate::lock;

/// The id of what was written without versioning; a key has one such version at most.
pub(crate) const NULL: &str = "null";

/// A version and its number, which is greater than those of all that are older.
pub(crate) type Numbered = (u64, Arc<Version>);

/// The versions of one key, the latest first.
pub(crate) trait History {
    /// A refusal, or what keeps the versions has failed.
    type Error: From<Error>;

    fn key(&self) -> &str;

    fn latest(&self) -> Result<Option<Numbered>, Self::Error>;

    fn by_id(&self, id: &str) -> Result<Option<Numbered>, Self::Error>;
}

/// A history that can be written to. Nothing is written before all refusals are spoken, so that a step that is
/// refused leaves nothing of itself.
pub(crate) trait HistoryMut: History {
    /// Adds a version, in the place of another one where that is given. Its id is its number's name, unless it is called
    /// "null".
    fn add(&mut self, number: u64, version: Arc<Version>, instead: Option<u64>) -> Result<(), Self::Error>;

    fn remove(&mut self, number: u64) -> Result<(), Self::Error>;

    /// Changes a version in its place.
    fn replace(&mut self, number: u64, version: Arc<Version>) -> Result<(), Self::Error>;
}

/// A version, or the latest. A delete marker is found too.
pub(crate) fn find<H: History>(history: &H, id: Option<&str>) -> Result<Numbered, H::Error> {
    let key = history.key();
    match id {
        None => history.latest()?.ok_or_else(|| no_such_key(key).into()),
        Some(id) => history
            .by_id(id)?
            .ok_or_else(|| Error::from(Code::NoSuchVersion).detail("Key", key).detail("VersionId", id).into()),
    }
}

pub(crate) fn put<H: HistoryMut>(
    history: &mut H,
    versioning: Versioning,
    ids: &Ids,
    at: SystemTime,
    object: Object,
    guard: &Guard,
) -> Result<Found, H::Error> {
    let latest = history.latest()?;
    guard.check(object_of(&latest))?;
    let version = push(history, latest, versioning, ids, ids.number(), at, Some(object))?;
    Ok(Found { version, versioned: versioning != Versioning::Never })
}

/// Puts what became of an upload. Among versions it has the place of its upload's beginning.
pub(crate) fn complete<H: HistoryMut>(
    history: &mut H,
    versioning: Versioning,
    ids: &Ids,
    upload: &Upload,
    object: Object,
    guard: &Guard,
) -> Result<Found, H::Error> {
    let latest = history.latest()?;
    guard.check(object_of(&latest))?;
    let began = ids.number_of(&upload.id);
    let overwritten = latest.as_ref().is_some_and(|(number, _)| began.is_some_and(|began| *number > began));
    guard.check_since(&Since { replaces: upload.replaces, overwritten }, history.key())?;
    let number = began.filter(|_| versioning == Versioning::Enabled).unwrap_or_else(|| ids.number());
    let version = push(history, latest, versioning, ids, number, upload.started, Some(object))?;
    Ok(Found { version, versioned: versioning != Versioning::Never })
}

/// The object that is there, if one is.
pub(crate) fn object_of(latest: &Option<Numbered>) -> Option<&Object> {
    latest.as_ref().and_then(|(_, version)| version.object.as_ref())
}

/// Adds a version; without versioning it takes the place of the one called "null".
fn push<H: HistoryMut>(
    history: &mut H,
    latest: Option<Numbered>,
    versioning: Versioning,
    ids: &Ids,
    number: u64,
    at: SystemTime,
    object: Option<Object>,
) -> Result<Arc<Version>, H::Error> {
    let enabled = versioning == Versioning::Enabled;
    let id = if enabled { ids.name(number) } else { NULL.to_owned() };
    let instead = match latest {
        Some(_) if enabled => None,
        Some((number, version)) if version.id == NULL => Some(number),
        Some(_) => history.by_id(NULL)?.map(|(number, _)| number),
        None => None,
    };
    let version = Arc::new(Version { key: history.key().to_owned(), id, modified: at, object });
    history.add(number, version.clone(), instead)?;
    Ok(version)
}

pub(crate) fn delete<H: HistoryMut>(
    history: &mut H,
    versioning: Versioning,
    ids: &Ids,
    id: Option<&str>,
    how: &Removal,
) -> Result<Deleted, H::Error> {
    let Some(id) = id else {
        let latest = history.latest()?;
        how.guard.check(object_of(&latest))?;
        if versioning != Versioning::Never {
            let marker = push(history, latest, versioning, ids, ids.number(), how.at, None)?;
            return Ok(Deleted { version: Some(marker.id.clone()), marker: true });
        }
        // A bucket that never had versions has one of a key at most.
        if let Some((number, _)) = latest {
            history.remove(number)?;
        }
        return Ok(Deleted::default());
    };
    // Deleting a version that is not there succeeds, as S3 has it.
    let Some((number, version)) = history.by_id(id)? else {
        return Ok(Deleted { version: Some(id.to_owned()), marker: false });
    };
    if let Some(object) = &version.object {
        how.guard.check(Some(object))?;
        lock::check_removal(&object.lock, how.at, how.bypass_governance)?;
    }
    history.remove(number)?;
    Ok(Deleted { version: Some(id.to_owned()), marker: version.object.is_none() })
}

pub(crate) fn amend<H: HistoryMut>(
    history: &mut H,
    id: Option<&str>,
    at: SystemTime,
    change: Amendment,
) -> Result<Arc<Version>, H::Error> {
    let (number, found) = find(history, id)?;
    let mut version = Version::clone(&found);
    let Some(object) = &mut version.object else {
        let refusal = match id {
            Some(_) => Code::MethodNotAllowed.into(),
            None => no_such_key(history.key()),
        };
        return Err(refusal.into());
    };
    match change {
        Amendment::Tags(tags) => object.tags = tags,
        Amendment::LegalHold(on) => object.lock.legal_hold = Some(on),
        Amendment::Retention(retention, bypass) => {
            lock::check_change(object.lock.retention.as_ref(), retention.as_ref(), at, bypass)?;
            object.lock.retention = retention;
        }
        Amendment::Acl(acl) => object.acl = acl,
    }
    let version = Arc::new(version);
    history.replace(number, version.clone())?;
    Ok(version)
}

fn no_such_key(key: &str) -> Error {
    Error::from(Code::NoSuchKey).detail("Key", key)
}
