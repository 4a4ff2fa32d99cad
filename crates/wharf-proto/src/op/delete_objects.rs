//! DeleteObjects.

mod batch;

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::SystemTime;

use super::delete_object::{DeleteObject, DeleteObjectOutput};
use super::list_object_versions::ListedVersion;
use super::list_objects::ListedObject;
use super::mfa::Mfa;
use crate::checksum::ChecksumAlgorithm;
use crate::condition::entity_tag;
use crate::operation::{ChecksumPolicy, SendFuture, Sender};
use crate::provider::Condition;
use crate::{ETag, Error, ErrorKind, escape, name, time, xml};
use batch::DeleteBatch;

/// How many objects S3 takes in one request.
const BATCH: usize = 1000;

/// Deletes any number of objects: DeleteObjects requests for 1,000 keys each, one after the other.
///
/// Awaited, it says for each key whether it was deleted. Keys that XML cannot hold (control characters) go one by one
/// as DeleteObject requests. Without keys nothing is sent. A key that does not exist counts as deleted.
///
/// # Errors
/// The first request's, such as [`NoSuchBucket`](crate::ErrorKind::NoSuchBucket) or
/// [`AccessDenied`](crate::ErrorKind::AccessDenied): nothing was deleted then, unless its answer was lost
/// ([`Transport`](crate::ErrorKind::Transport), [`Timeout`](crate::ErrorKind::Timeout),
/// [`Server`](crate::ErrorKind::Server)). (What S3 says of one key that goes alone is among [`errors`](DeleteObjectsOutput::errors) always.) Where a later request fails, the keys it
/// was about are among [`errors`](DeleteObjectsOutput::errors) and the rest goes on, so that nothing that was done is
/// lost. [`InvalidInput`](crate::ErrorKind::InvalidInput) for an empty key or one over 1,024 bytes, before anything is
/// sent.
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct DeleteObjects<S = ()> {
    sender: S,
    objects: Vec<ObjectIdentifier>,
    settings: Settings,
}

/// What is the same for all of a call's requests.
#[derive(Debug, Clone)]
struct Settings {
    bucket: String,
    quiet: bool,
    mfa: Option<Mfa>,
    bypass_governance: bool,
    checksum: ChecksumPolicy,
    request_payer: bool,
    expected_bucket_owner: Option<String>,
}

impl<S> DeleteObjects<S> {
    /// Deletes `objects` from `bucket`, sent by `sender`. An object is a key, a key and a version, or an
    /// [`ObjectIdentifier`] with conditions.
    pub fn new<O: Into<ObjectIdentifier>>(
        sender: S,
        bucket: impl Into<String>,
        objects: impl IntoIterator<Item = O>,
    ) -> Self {
        let settings = Settings {
            bucket: bucket.into(),
            quiet: false,
            mfa: None,
            bypass_governance: false,
            checksum: ChecksumPolicy::Required,
            request_payer: false,
            expected_bucket_owner: None,
        };
        Self { sender, objects: objects.into_iter().map(Into::into).collect(), settings }
    }

    /// The same call about other objects.
    pub fn with_objects(mut self, objects: Vec<ObjectIdentifier>) -> Self {
        self.objects = objects;
        self
    }

    /// Has S3 answer with the errors only: [`deleted`](DeleteObjectsOutput::deleted) stays empty.
    pub fn quiet(mut self) -> Self {
        self.settings.quiet = true;
        self
    }

    /// The serial number of an authentication device and its present code, for a bucket with MFA delete. A code is good
    /// for one request.
    pub fn mfa(mut self, serial: impl Into<String>, code: impl Into<String>) -> Self {
        self.settings.mfa = Some(Mfa::new(serial, code));
        self
    }

    /// Deletes versions in spite of a lock of mode governance, by who may.
    pub fn bypass_governance(mut self) -> Self {
        self.settings.bypass_governance = true;
        self
    }

    /// The algorithm of the checksum that S3 insists on: the client's default unless set.
    pub fn checksum(mut self, algorithm: ChecksumAlgorithm) -> Self {
        self.settings.checksum = ChecksumPolicy::Algorithm(algorithm);
        self
    }

    /// Agrees to pay for the requests in a requester-pays bucket.
    pub fn request_payer(mut self) -> Self {
        self.settings.request_payer = true;
        self
    }

    /// Fails with [`AccessDenied`](crate::ErrorKind::AccessDenied) unless this account owns the bucket.
    pub fn expected_bucket_owner(mut self, account_id: impl Into<String>) -> Self {
        self.settings.expected_bucket_owner = Some(account_id.into());
        self
    }
}

/// An object that is to be deleted. Keys, and pairs of key and version, turn into one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObjectIdentifier {
    /// The key, byte for byte.
    pub key: String,
    /// The version; without one, the object is hidden behind a delete marker where the bucket has versions.
    pub version_id: Option<String>,
    /// Deletes only the object with this tag.
    pub etag: Option<ETag>,
    /// Deletes only the object that was written then, to the second (directory buckets only).
    pub last_modified: Option<SystemTime>,
    /// Deletes only an object of this many bytes (directory buckets only).
    pub size: Option<u64>,
}

impl From<String> for ObjectIdentifier {
    fn from(key: String) -> Self {
        Self { key, ..Self::default() }
    }
}

impl From<&str> for ObjectIdentifier {
    fn from(key: &str) -> Self {
        Self::from(key.to_owned())
    }
}

impl From<&String> for ObjectIdentifier {
    fn from(key: &String) -> Self {
        Self::from(key.clone())
    }
}

impl From<ListedObject> for ObjectIdentifier {
    fn from(object: ListedObject) -> Self {
        Self::from(object.key)
    }
}

/// The version, be it a delete marker.
impl From<ListedVersion> for ObjectIdentifier {
    fn from(version: ListedVersion) -> Self {
        // Empty where the server has named none.
        Self { version_id: Some(version.version_id).filter(|id| !id.is_empty()), ..Self::from(version.key) }
    }
}

impl<K: Into<String>, V: Into<String>> From<(K, V)> for ObjectIdentifier {
    fn from((key, version_id): (K, V)) -> Self {
        Self { version_id: Some(version_id.into()), ..Self::from(key.into()) }
    }
}

/// What became of each key.
#[must_use = "what could not be deleted is in `errors`"]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeleteObjectsOutput {
    /// What was deleted, in the order it was asked for.
    pub deleted: Vec<DeletedObject>,
    /// What was not, in the order it was asked for.
    pub errors: Vec<DeleteError>,
    /// Whether the requester was charged.
    pub request_charged: bool,
}

/// An object that was deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeletedObject {
    /// The key.
    pub key: String,
    /// The version that was asked for.
    pub version_id: Option<String>,
    /// Whether a delete marker was made, or the named version was one.
    pub delete_marker: bool,
    /// The version of that marker.
    pub delete_marker_version_id: Option<String>,
}

impl DeletedObject {
    /// Key and version, by which it is told what this is the outcome of.
    pub fn key_and_version(&self) -> (&str, Option<&str>) {
        (&self.key, self.version_id.as_deref())
    }
}

/// An object that was not deleted, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeleteError {
    /// The key.
    pub key: String,
    /// The version that was asked for.
    pub version_id: Option<String>,
    /// S3's error code, such as `AccessDenied`; where no answer came, the name of the
    /// [`ErrorKind`](crate::ErrorKind), such as `Timeout`.
    pub code: String,
    /// A sentence that says what is wrong.
    pub message: String,
}

impl DeleteError {
    /// Key and version, by which it is told what this is the outcome of.
    pub fn key_and_version(&self) -> (&str, Option<&str>) {
        (&self.key, self.version_id.as_deref())
    }
}

impl fmt::Display for DeleteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", escape::name(&self.key), escape::line(&self.message), self.code)
    }
}

impl std::error::Error for DeleteError {}

impl<S: Sender> IntoFuture for DeleteObjects<S> {
    type Output = Result<DeleteObjectsOutput, Error>;
    type IntoFuture = SendFuture<DeleteObjectsOutput>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(delete_all(self))
    }
}

/// An object and its place among those asked for, by which the outcomes are put in order.
type Numbered<T> = (usize, T);
type Outcome = Result<DeletedObject, DeleteError>;

async fn delete_all<S: Sender>(call: DeleteObjects<S>) -> Result<DeleteObjectsOutput, Error> {
    let DeleteObjects { sender, objects, settings } = call;
    check_keys(&objects).map_err(|error| error.at(batch::NAME, Some(&settings.bucket), None))?;
    let (in_batches, one_by_one): (Vec<_>, Vec<_>) =
        objects.into_iter().enumerate().partition(|(_, object)| object.fits_into_xml());

    let mut outcomes: Vec<Numbered<Outcome>> = Vec::new();
    let mut request_charged = false;
    // Once something may have been deleted, a failure must not hide it.
    let mut begun = false;
    let mut in_batches = in_batches.into_iter();
    loop {
        let objects: Arc<[_]> = in_batches.by_ref().take(BATCH).collect();
        if objects.is_empty() {
            break;
        }
        match sender.send(DeleteBatch::new(settings.clone(), Arc::clone(&objects))).await {
            Ok(answer) => {
                outcomes.extend(answer.outcomes);
                request_charged |= answer.request_charged;
            }
            Err(error) if !begun => return Err(error),
            Err(error) => outcomes.extend(objects.iter().map(|(place, object)| (*place, Err(object.failed(&error))))),
        }
        begun = true;
    }
    for (place, object) in one_by_one {
        match sender.send(object.delete_alone(&settings)).await {
            Ok(answer) => {
                request_charged |= answer.request_charged;
                if !settings.quiet {
                    outcomes.push((place, Ok(object.deleted(answer))));
                }
            }
            Err(error) if !begun && !is_of_one_key(&error) => return Err(error),
            Err(error) => outcomes.push((place, Err(object.failed(&error)))),
        }
        begun = true;
    }

    outcomes.sort_by_key(|(place, _)| *place);
    let mut output = DeleteObjectsOutput { request_charged, ..DeleteObjectsOutput::default() };
    for (_, outcome) in outcomes {
        match outcome {
            Ok(deleted) => output.deleted.push(deleted),
            Err(error) => output.errors.push(error),
        }
    }
    Ok(output)
}

/// Whether an error is one that S3 gives for a key of a batch, rather than for a request.
fn is_of_one_key(error: &Error) -> bool {
    use ErrorKind::{AccessDenied, NoSuchKey, NoSuchVersion, PreconditionFailed};
    let kind = error.kind();
    kind.is_conflict() || matches!(kind, AccessDenied | NoSuchKey | NoSuchVersion | PreconditionFailed)
}

fn check_keys(objects: &[ObjectIdentifier]) -> Result<(), Error> {
    for (place, object) in objects.iter().enumerate() {
        name::check_key(&object.key).and_then(|()| object.check_conditions()).map_err(|error| {
            Error::invalid_input(format!("object {} of {}: {}", place + 1, objects.len(), error.message()))
        })?;
    }
    Ok(())
}

impl ObjectIdentifier {
    /// Key and version, by which its outcome is found.
    pub fn key_and_version(&self) -> (&str, Option<&str>) {
        (&self.key, self.version_id.as_deref())
    }

    fn conditions(&self) -> impl Iterator<Item = Condition> {
        let by_etag = self.etag.is_some().then_some(Condition::DeleteObjectsIfMatch);
        let by_others = self.last_modified.is_some() || self.size.is_some();
        by_etag.into_iter().chain(by_others.then_some(Condition::DeleteIfSizeOrDate))
    }

    fn check_conditions(&self) -> Result<(), Error> {
        entity_tag(&self.etag)?;
        self.last_modified.map(time::format_http_date).transpose()?;
        Ok(())
    }

    fn fits_into_xml(&self) -> bool {
        let tag = self.etag.as_ref().map(ETag::as_str);
        [Some(&*self.key), self.version_id.as_deref(), tag].into_iter().flatten().all(xml::holds)
    }

    fn delete_alone(&self, settings: &Settings) -> DeleteObject {
        let mut delete = DeleteObject::new((), &settings.bucket, &self.key);
        delete.version_id.clone_from(&self.version_id);
        delete.if_match.clone_from(&self.etag);
        delete.if_match_last_modified_time = self.last_modified;
        delete.if_match_size = self.size;
        delete.mfa.clone_from(&settings.mfa);
        delete.bypass_governance = settings.bypass_governance;
        delete.request_payer = settings.request_payer;
        delete.expected_bucket_owner.clone_from(&settings.expected_bucket_owner);
        delete
    }

    fn deleted(self, answer: DeleteObjectOutput) -> DeletedObject {
        DeletedObject {
            key: self.key,
            version_id: self.version_id,
            delete_marker: answer.delete_marker,
            delete_marker_version_id: answer.version_id.filter(|_| answer.delete_marker),
        }
    }

    fn failed(&self, error: &Error) -> DeleteError {
        DeleteError {
            key: self.key.clone(),
            version_id: self.version_id.clone(),
            code: error.code().map_or_else(|| format!("{:?}", error.kind()), str::to_owned),
            message: error.message().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
