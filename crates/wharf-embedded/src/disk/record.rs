//! How values are written into the database: MessagePack, with the version of this form in front.
//!
//! Structs are arrays of their fields, so a field can be added at the end of one with `#[serde(default)]`, and what
//! was written before it was added is still read. Whatever else changes needs a new version.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::access::acl::{Acl, StoredAcl};
use crate::backend::{Blob, Bucket, Extent, Lock, Object, Part, Retention, Upload, Version, Versioning};
use crate::checksum::{Algorithm, Checksum, Kind};
use crate::error::{Code, Error, Result};

/// The version of this form.
const FORM: u8 = 1;

pub(super) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    let mut out = vec![FORM];
    rmp_serde::encode::write(&mut out, value).map_err(|_| Error::from(Code::InternalError))?;
    Ok(out)
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    match bytes.split_first() {
        Some((&FORM, rest)) => rmp_serde::from_slice(rest).map_err(|_| unreadable()),
        _ => Err(unreadable()),
    }
}

fn unreadable() -> Error {
    Error::new(Code::InternalError, "The store's database holds a value that cannot be read.")
}

/// Makes the blob that lies in these places.
pub(super) type Opener<'a> = &'a dyn Fn(&[Extent]) -> Arc<dyn Blob>;

/// Seconds since 1970, which may be negative, and nanoseconds.
type Stamp = (i64, u32);

fn stamp(at: SystemTime) -> Stamp {
    match at.duration_since(UNIX_EPOCH) {
        Ok(since) => (i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_nanos()),
        Err(error) => {
            let before = error.duration();
            let up = u64::from(before.subsec_nanos() > 0);
            let seconds = i64::try_from(before.as_secs() + up).unwrap_or(i64::MAX);
            (-seconds, (1_000_000_000 - before.subsec_nanos()) % 1_000_000_000)
        }
    }
}

fn time((seconds, nanos): Stamp) -> SystemTime {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let at = if seconds < 0 { UNIX_EPOCH.checked_sub(whole) } else { UNIX_EPOCH.checked_add(whole) };
    at.and_then(|at| at.checked_add(Duration::from_nanos(nanos.into()))).unwrap_or(UNIX_EPOCH)
}

/// A bucket. Its number stands for it in the keys of its rows, so that a bucket made anew under an old name is another.
#[derive(Serialize, Deserialize)]
pub(super) struct BucketRecord {
    pub(super) number: u64,
    name: String,
    owner: String,
    region: String,
    created: Stamp,
    versioning: u8,
    object_lock: bool,
    acl: StoredAcl,
    tags: Vec<(String, String)>,
    documents: BTreeMap<String, Bytes>,
}

const VERSIONINGS: [Versioning; 3] = [Versioning::Never, Versioning::Enabled, Versioning::Suspended];

impl BucketRecord {
    pub(super) fn of(number: u64, bucket: &Bucket) -> Self {
        Self {
            number,
            name: bucket.name.clone(),
            owner: bucket.owner.clone(),
            region: bucket.region.clone(),
            created: stamp(bucket.created),
            versioning: match bucket.versioning {
                Versioning::Never => 0,
                Versioning::Enabled => 1,
                Versioning::Suspended => 2,
            },
            object_lock: bucket.object_lock,
            acl: bucket.acl.to_stored(),
            tags: bucket.tags.clone(),
            documents: bucket.documents.clone(),
        }
    }

    pub(super) fn bucket(self) -> Result<Bucket> {
        Ok(Bucket {
            name: self.name,
            owner: self.owner,
            region: self.region,
            created: time(self.created),
            versioning: *VERSIONINGS.get(usize::from(self.versioning)).ok_or_else(unreadable)?,
            object_lock: self.object_lock,
            acl: acl(self.acl)?,
            tags: self.tags,
            documents: self.documents,
        })
    }
}

fn acl(stored: StoredAcl) -> Result<Acl> {
    Acl::of_stored(stored).ok_or_else(unreadable)
}

/// A version, without its key.
#[derive(Serialize, Deserialize)]
pub(super) struct VersionRecord {
    pub(super) id: String,
    modified: Stamp,
    object: Option<ObjectRecord>,
}

#[derive(Serialize, Deserialize)]
struct ObjectRecord {
    /// Empty where there are parts, which have their own.
    extents: Vec<Extent>,
    etag: String,
    headers: Vec<(String, Bytes)>,
    tags: Vec<(String, String)>,
    checksum: Option<ChecksumRecord>,
    parts: Vec<PartRecord>,
    customer_key: Option<String>,
    lock: LockRecord,
    acl: StoredAcl,
}

impl VersionRecord {
    pub(super) fn of(version: &Version) -> Result<Self> {
        let object = version.object.as_ref().map(ObjectRecord::of).transpose()?;
        Ok(Self { id: version.id.clone(), modified: stamp(version.modified), object })
    }

    /// Every place it has bytes in, as often as it has some there.
    pub(super) fn extents(&self) -> Vec<Extent> {
        let Some(object) = &self.object else { return Vec::new() };
        object.extents.iter().chain(object.parts.iter().flat_map(|part| &part.extents)).copied().collect()
    }

    pub(super) fn version(self, key: &str, open: Opener<'_>) -> Result<Version> {
        let object = self.object.map(|object| object.object(open)).transpose()?;
        Ok(Version { key: key.to_owned(), id: self.id, modified: time(self.modified), object })
    }
}

impl ObjectRecord {
    fn of(object: &Object) -> Result<Self> {
        let whole = object.parts.is_empty();
        Ok(Self {
            extents: if whole { extents(&*object.blob)? } else { Vec::new() },
            etag: object.etag.clone(),
            headers: headers(&object.headers),
            tags: object.tags.clone(),
            checksum: object.checksum.as_ref().map(ChecksumRecord::of),
            parts: object.parts.iter().map(PartRecord::of).collect::<Result<_>>()?,
            customer_key: object.customer_key.clone(),
            lock: LockRecord::of(&object.lock),
            acl: object.acl.to_stored(),
        })
    }

    fn object(self, open: Opener<'_>) -> Result<Object> {
        let parts = self.parts.into_iter().map(|part| part.part(open)).collect::<Result<Vec<_>>>()?;
        let blob = match parts.is_empty() {
            true => open(&self.extents),
            false => Arc::new(crate::backend::blob::Concat::new(parts.iter().map(|part| part.blob.clone()).collect())),
        };
        Ok(Object {
            blob,
            etag: self.etag,
            headers: header_map(self.headers)?,
            tags: self.tags,
            checksum: self.checksum.map(ChecksumRecord::checksum).transpose()?,
            parts,
            customer_key: self.customer_key,
            lock: self.lock.lock(),
            acl: acl(self.acl)?,
        })
    }
}

/// The places of a blob, which must be all of it.
fn extents(blob: &dyn Blob) -> Result<Vec<Extent>> {
    let extents = blob.extents(0..blob.len());
    let len: u64 = extents.iter().map(|extent| extent.len).sum();
    if len == blob.len() { Ok(extents) } else { Err(Code::InternalError.into()) }
}

fn headers(map: &HeaderMap) -> Vec<(String, Bytes)> {
    map.iter().map(|(name, value)| (name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes()))).collect()
}

fn header_map(pairs: Vec<(String, Bytes)>) -> Result<HeaderMap> {
    let mut map = HeaderMap::with_capacity(pairs.len());
    for (name, value) in pairs {
        let name = HeaderName::try_from(name).map_err(|_| unreadable())?;
        map.append(name, HeaderValue::from_maybe_shared(value).map_err(|_| unreadable())?);
    }
    Ok(map)
}

#[derive(Serialize, Deserialize)]
struct KindRecord {
    algorithm: String,
    composite: bool,
}

impl KindRecord {
    fn of(kind: Kind) -> Self {
        Self { algorithm: kind.algorithm.name().to_owned(), composite: kind.composite }
    }

    fn kind(self) -> Result<Kind> {
        let algorithm = Algorithm::parse(&self.algorithm).map_err(|_| unreadable())?;
        Ok(Kind { algorithm, composite: self.composite })
    }
}

#[derive(Serialize, Deserialize)]
struct ChecksumRecord {
    kind: KindRecord,
    value: String,
}

impl ChecksumRecord {
    fn of(checksum: &Checksum) -> Self {
        Self { kind: KindRecord::of(checksum.kind), value: checksum.value.clone() }
    }

    fn checksum(self) -> Result<Checksum> {
        Ok(Checksum { kind: self.kind.kind()?, value: self.value })
    }
}

#[derive(Serialize, Deserialize)]
struct LockRecord {
    /// Mode and end.
    retention: Option<(String, Stamp)>,
    legal_hold: Option<bool>,
}

impl LockRecord {
    fn of(lock: &Lock) -> Self {
        let retention = lock.retention.as_ref().map(|retention| (retention.mode.clone(), stamp(retention.until)));
        Self { retention, legal_hold: lock.legal_hold }
    }

    fn lock(self) -> Lock {
        let retention = self.retention.map(|(mode, until)| Retention { mode, until: time(until) });
        Lock { retention, legal_hold: self.legal_hold }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct PartRecord {
    number: u16,
    pub(super) extents: Vec<Extent>,
    etag: String,
    md5: Bytes,
    checksum: Option<ChecksumRecord>,
    modified: Stamp,
}

impl PartRecord {
    pub(super) fn of(part: &Part) -> Result<Self> {
        Ok(Self {
            number: part.number,
            extents: extents(&*part.blob)?,
            etag: part.etag.clone(),
            md5: Bytes::copy_from_slice(&part.md5),
            checksum: part.checksum.as_ref().map(ChecksumRecord::of),
            modified: stamp(part.modified),
        })
    }

    pub(super) fn part(self, open: Opener<'_>) -> Result<Part> {
        Ok(Part {
            number: self.number,
            blob: open(&self.extents),
            etag: self.etag,
            md5: self.md5.as_ref().try_into().map_err(|_| unreadable())?,
            checksum: self.checksum.map(ChecksumRecord::checksum).transpose()?,
            modified: time(self.modified),
        })
    }
}

/// An open upload, without its parts.
#[derive(Serialize, Deserialize)]
pub(super) struct UploadRecord {
    started: Stamp,
    headers: Vec<(String, Bytes)>,
    tags: Vec<(String, String)>,
    customer_key: Option<String>,
    lock: LockRecord,
    acl: StoredAcl,
    checksum: Option<KindRecord>,
    #[serde(default)]
    replaces: bool,
}

impl UploadRecord {
    pub(super) fn of(upload: &Upload) -> Self {
        Self {
            started: stamp(upload.started),
            headers: headers(&upload.headers),
            tags: upload.tags.clone(),
            customer_key: upload.customer_key.clone(),
            lock: LockRecord::of(&upload.lock),
            acl: upload.acl.to_stored(),
            checksum: upload.checksum.map(KindRecord::of),
            replaces: upload.replaces,
        }
    }

    pub(super) fn upload(self, key: &str, id: &str) -> Result<Upload> {
        Ok(Upload {
            id: id.to_owned(),
            key: key.to_owned(),
            started: time(self.started),
            headers: header_map(self.headers)?,
            tags: self.tags,
            customer_key: self.customer_key,
            lock: self.lock.lock(),
            acl: acl(self.acl)?,
            checksum: self.checksum.map(KindRecord::kind).transpose()?,
            replaces: self.replaces,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_time_comes_back() {
        for (seconds, nanos) in [(0, 0), (5, 999_999_999), (1 << 40, 1)] {
            let offset = Duration::new(seconds, nanos);
            for at in [UNIX_EPOCH + offset, UNIX_EPOCH - offset] {
                assert_eq!(time(stamp(at)), at);
            }
        }
    }

    #[test]
    fn fields_can_be_added_at_the_end() {
        #[derive(Serialize)]
        struct Old {
            a: String,
        }
        #[derive(Deserialize)]
        struct New {
            a: String,
            #[serde(default)]
            b: Option<u64>,
        }
        let new: New = decode(&encode(&Old { a: "x".to_owned() }).unwrap()).unwrap();
        assert_eq!((new.a.as_str(), new.b), ("x", None));
    }

    #[test]
    fn another_form_is_not_read() {
        let mut bytes = encode(&1u8).unwrap();
        assert_eq!(decode::<u8>(&bytes).unwrap(), 1);
        bytes[0] = FORM + 1;
        assert!(decode::<u8>(&bytes).is_err());
        assert!(decode::<u8>(&[]).is_err());
    }
}
