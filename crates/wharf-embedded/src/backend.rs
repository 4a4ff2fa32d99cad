//! The narrow trait between the wire and whatever keeps the data, and the values that pass through it.
//!
//! The wire asks for one atomic step at a time and holds no locks of its own, so that a backend on disk can take the
//! place of the one in memory. Times, owners and entity tags are decided above; version ids and order are decided here.

pub(crate) mod blob;
pub(crate) mod endings;
pub(crate) mod history;
pub(crate) mod list;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use wharf_transport::Body;

use crate::access::acl::Acl;
use crate::backend::endings::Ending;
use crate::checksum::{Checksum, Kind};
use crate::condition::Guard;
use crate::document::Document;
use crate::error::Result;

/// Stored bytes, never changed once written.
pub(crate) trait Blob: Send + Sync {
    fn len(&self) -> u64;

    /// Some of the bytes; the range is within them.
    fn read(&self, range: Range<u64>) -> Body;

    /// Where some of the bytes are kept, for a backend that keeps them outside of memory.
    fn extents(&self, _range: Range<u64>) -> Vec<Extent> {
        Vec::new()
    }
}

/// Bytes behind one another in one place of a backend's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Extent {
    /// The place's number, which is the backend's to give.
    pub(crate) place: u64,
    /// Whether the place is small: within the database, not a file of its own.
    pub(crate) small: bool,
    pub(crate) start: u64,
    pub(crate) len: u64,
}

/// Takes the bytes of a blob as they arrive. Dropped unfinished, it leaves nothing behind.
#[async_trait]
pub(crate) trait BlobWriter: Send {
    async fn write(&mut self, bytes: Bytes) -> Result<()>;

    async fn finish(self: Box<Self>) -> Result<Arc<dyn Blob>>;
}

/// Whether a bucket keeps old versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Versioning {
    Never,
    Enabled,
    Suspended,
}

/// A bucket without its objects.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    /// The owner's account number.
    pub(crate) owner: String,
    pub(crate) region: String,
    pub(crate) created: SystemTime,
    pub(crate) versioning: Versioning,
    pub(crate) object_lock: bool,
    pub(crate) acl: Acl,
    pub(crate) tags: Vec<(String, String)>,
    /// What else is configured, as it was put and will be got: by sub-resource, such as `cors`.
    pub(crate) documents: BTreeMap<String, Bytes>,
}

impl Bucket {
    /// Whether versions in it can be locked: since it was made, or since its object lock was configured.
    pub(crate) fn has_object_lock(&self) -> bool {
        self.object_lock || self.documents.contains_key(Document::ObjectLock.subresource())
    }
}

/// One version of a key: an object, or a delete marker.
#[derive(Clone)]
pub(crate) struct Version {
    pub(crate) key: String,
    /// "null" for what was written without versioning.
    pub(crate) id: String,
    pub(crate) modified: SystemTime,
    pub(crate) object: Option<Object>,
}

/// What a version holds when it is no delete marker.
#[derive(Clone)]
pub(crate) struct Object {
    pub(crate) blob: Arc<dyn Blob>,
    /// Without quotes.
    pub(crate) etag: String,
    /// Headers given when it was written, as they go out again when it is read.
    pub(crate) headers: HeaderMap,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) checksum: Option<Checksum>,
    /// The parts it was completed from; empty for an object put in one piece.
    pub(crate) parts: Vec<Part>,
    /// The MD5 of the customer's key, in base64, where there is one.
    pub(crate) customer_key: Option<String>,
    pub(crate) lock: Lock,
    pub(crate) acl: Acl,
}

impl Object {
    pub(crate) fn size(&self) -> u64 {
        self.blob.len()
    }

    /// The storage class, where it is not the standard one.
    pub(crate) fn storage_class(&self) -> &str {
        self.headers.get("x-amz-storage-class").and_then(|value| value.to_str().ok()).unwrap_or("STANDARD")
    }
}

/// The object lock of a version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lock {
    pub(crate) retention: Option<Retention>,
    pub(crate) legal_hold: Option<bool>,
}

/// Until when a version must stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Retention {
    /// `GOVERNANCE` or `COMPLIANCE`.
    pub(crate) mode: String,
    pub(crate) until: SystemTime,
}

/// One part of a multipart upload.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) number: u16,
    pub(crate) blob: Arc<dyn Blob>,
    pub(crate) etag: String,
    pub(crate) md5: [u8; 16],
    pub(crate) checksum: Option<Checksum>,
    pub(crate) modified: SystemTime,
}

/// A multipart upload that is still open, without its parts.
#[derive(Clone)]
pub(crate) struct Upload {
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) started: SystemTime,
    pub(crate) headers: HeaderMap,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) customer_key: Option<String>,
    pub(crate) lock: Lock,
    pub(crate) acl: Acl,
    /// The checksum its parts must carry, where its creator chose one.
    pub(crate) checksum: Option<Kind>,
    /// Whether there was an object under its key when it began: the backend's to say.
    pub(crate) replaces: bool,
}

/// What became of a delete.
#[derive(Debug, Default)]
pub(crate) struct Deleted {
    /// The version that was removed, or the delete marker that was added, where the bucket has versions.
    pub(crate) version: Option<String>,
    pub(crate) marker: bool,
}

/// A version found, and whether its bucket has versions to tell of.
#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) version: Arc<Version>,
    pub(crate) versioned: bool,
}

/// Which entries of a bucket a listing asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct ListQuery {
    pub(crate) prefix: String,
    pub(crate) delimiter: Option<String>,
    /// Only entries behind this one: a key or a common prefix, and an entry's id where keys have several entries.
    pub(crate) after: Option<(String, Option<String>)>,
    /// Whether a common prefix that `after` is in counts as before it.
    pub(crate) skips_prefix: bool,
    pub(crate) limit: usize,
}

/// One page of a listing.
pub(crate) struct Page<T> {
    pub(crate) entries: Vec<T>,
    pub(crate) prefixes: Vec<String>,
    pub(crate) truncated: bool,
    /// The last entry or common prefix of this page.
    pub(crate) last: Option<(String, Option<String>)>,
}

/// A version in a listing of versions.
#[derive(Clone)]
pub(crate) struct ListedVersion {
    pub(crate) version: Arc<Version>,
    pub(crate) latest: bool,
}

/// What can change about a version once it is written.
#[derive(Clone)]
pub(crate) enum Amendment {
    Tags(Vec<(String, String)>),
    LegalHold(bool),
    /// A retention or none, and whether the caller may shorten one of governance.
    Retention(Option<Retention>, bool),
    Acl(Acl),
}

/// Keeps buckets, versions and uploads. Every method is one atomic step.
#[async_trait]
pub(crate) trait Backend: Send + Sync + 'static {
    async fn create_bucket(&self, bucket: Bucket) -> Result<()>;
    async fn delete_bucket(&self, name: &str) -> Result<()>;
    async fn bucket(&self, name: &str) -> Result<Bucket>;
    /// All buckets in order of their names.
    async fn buckets(&self) -> Result<Vec<Bucket>>;
    async fn set_bucket_tags(&self, name: &str, tags: Vec<(String, String)>) -> Result<()>;
    async fn set_bucket_acl(&self, name: &str, acl: Acl) -> Result<()>;
    /// Puts a document of the bucket's in the place of the one before; without one, removes it.
    async fn set_bucket_document(&self, name: &str, subresource: &str, document: Option<Bytes>) -> Result<()>;
    async fn set_versioning(&self, name: &str, versioning: Versioning) -> Result<()>;

    fn writer(&self) -> Box<dyn BlobWriter>;

    async fn put(&self, bucket: &str, key: &str, at: SystemTime, object: Object, guard: &Guard) -> Result<Found>;
    /// A version, or the latest. A delete marker is found too.
    async fn find(&self, bucket: &str, key: &str, version: Option<&str>) -> Result<Found>;
    async fn delete(&self, bucket: &str, key: &str, version: Option<&str>, how: &Removal) -> Result<Deleted>;
    async fn amend(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        at: SystemTime,
        change: Amendment,
    ) -> Result<Found>;
    async fn list(&self, bucket: &str, query: &ListQuery) -> Result<Page<Arc<Version>>>;
    async fn list_versions(&self, bucket: &str, query: &ListQuery) -> Result<Page<ListedVersion>>;

    async fn create_upload(&self, bucket: &str, upload: Upload) -> Result<()>;
    async fn upload(&self, bucket: &str, key: &str, id: &str) -> Result<Arc<Upload>>;
    async fn put_part(&self, bucket: &str, key: &str, id: &str, part: Part) -> Result<()>;
    /// All parts in order of their numbers.
    async fn parts(&self, bucket: &str, key: &str, id: &str) -> Result<Vec<Part>>;
    /// Puts the object, as old as its upload, and closes the upload. How it ended is remembered for a while.
    async fn complete(&self, bucket: &str, upload: &Upload, object: Object, guard: &Guard) -> Result<Found>;
    /// How an upload ended that is no longer open, as far as that is remembered.
    async fn ending(&self, bucket: &str, key: &str, id: &str) -> Result<Option<Ending>>;
    async fn abort(&self, bucket: &str, key: &str, id: &str) -> Result<()>;
    async fn list_uploads(&self, bucket: &str, query: &ListQuery) -> Result<Page<Arc<Upload>>>;
}

/// Under which conditions something may be deleted.
#[derive(Clone)]
pub(crate) struct Removal {
    pub(crate) at: SystemTime,
    pub(crate) guard: Guard,
    /// `x-amz-bypass-governance-retention`
    pub(crate) bypass_governance: bool,
}
