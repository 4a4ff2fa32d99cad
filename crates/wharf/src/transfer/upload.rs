//! Uploads: one PutObject where that is enough, a multipart upload where it is not.

mod abandoned;
pub(super) mod copied;
mod cutter;
mod file;
mod job;
mod multipart;
mod options;
mod part;
mod proof;
mod replay;
mod resume;
mod single;
mod source;
mod undo;
mod verify;

use std::future::IntoFuture;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument;
use wharf_proto::checksum::{Checksum, ChecksumType};
use wharf_proto::op::PutObject;
use wharf_proto::operation::SendFuture;
use wharf_proto::provider::Condition;
use wharf_proto::transfer::{PREFERRED_PART_SIZE, PartPlan};
use wharf_proto::{ETag, EncryptionInfo, Error, IntoBody};

use super::handle::{Transfer, Watch};
use super::patience::PATIENCE;
use super::verification::Verification;
use crate::Client;

/// From how many bytes on an object is sent in parts, unless [`Upload::multipart_threshold`] says otherwise: 16 MiB.
pub const MULTIPART_THRESHOLD: u64 = 16 << 20;

/// How many parts of one object are in work at most, those that wait for leave to be sent or for another attempt included;
/// and how many of those whose bytes are held here until they are stored, of how many bytes together if they are more than two.
const IN_WORK: usize = 256;
const HELD_IN_WORK: usize = 32;
const BYTES_IN_WORK: u64 = 4 << 30;

/// Writes an object of any size: [`Client::upload`].
///
/// One PutObject for what is small, CreateMultipartUpload, UploadPart and CompleteMultipartUpload for the rest: the
/// parts and two requests. The object appears whole or not at all. All that [`PutObject`] has can be said here too, and
/// holds at every size.
///
/// * A file is sent from where it lies, many parts at a time. One that changes meanwhile is an error that names it, and
///   nothing is stored.
/// * Bytes are sent as they are.
/// * A stream or [`Reader`](crate::Reader) is cut into parts, each of which is kept until it is stored: in memory within
///   [`Limits::memory`](super::Limits), else in a temporary file without a name ([`spool_dir`](Upload::spool_dir)). With a length
///   it must have exactly that.
///
/// Requests that fail are made again until nothing has moved for [`patience`](Upload::patience). Where it fails for good,
/// or is dropped, what was begun is aborted.
///
/// # Errors
/// As [`PutObject`] and the multipart operations have them;
/// [`Body`](crate::ErrorKind::Body) where the file or stream fails or changes,
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) for more than the server takes and for a stream of another length
/// than was said, [`Corrupt`](crate::ErrorKind::Corrupt) where the bytes are not those of the checksum that was given.
/// The error says whether what was begun could be aborted.
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug)]
pub struct Upload {
    put: PutObject<Client>,
    settings: Settings,
}

/// How it is moved.
#[derive(Debug)]
struct Settings {
    client: Client,
    part_size: u64,
    threshold: u64,
    expected_size: Option<u64>,
    concurrency: Option<usize>,
    patience: Duration,
    spool_dir: Option<PathBuf>,
    verify: bool,
    write_id: bool,
    /// Whether it is written down what was done, for a later run to go on.
    resumable: bool,
    journal_dir: Option<PathBuf>,
}

impl Settings {
    /// Those that hold unless others are said.
    fn of(client: Client) -> Self {
        Self {
            client,
            part_size: PREFERRED_PART_SIZE,
            threshold: MULTIPART_THRESHOLD,
            expected_size: None,
            concurrency: None,
            patience: PATIENCE,
            spool_dir: None,
            verify: false,
            write_id: false,
            resumable: false,
            journal_dir: None,
        }
    }

    /// Whether so many bytes, cut like this, are sent in parts.
    fn in_parts(&self, length: u64, plan: &PartPlan) -> bool {
        let limits = self.client.inner().sending.habits.parts;
        plan.count(length) > 1 && length >= self.threshold.min(limits.max_size)
    }

    /// The condition by which an object of so many bytes is written only where there is none.
    fn absence(&self, length: u64) -> Condition {
        let limits = self.client.inner().sending.habits.parts;
        match PartPlan::of_length(length, self.part_size, limits) {
            Ok(plan) if self.in_parts(length, &plan) => Condition::CompleteIfAbsent,
            _ => Condition::PutIfAbsent,
        }
    }
}

impl Client {
    /// Writes an object of any size, from a path, bytes, text, a stream or a reader: see
    /// [`Upload`](crate::transfer::Upload).
    ///
    /// **A file is named by a [`Path`](std::path::Path).** Text is what is written: `upload("my-bucket", "film.mp4",
    /// "film.mp4")` makes an object of eight letters, which [`Uploaded::size`](crate::transfer::Uploaded::size) shows.
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?;
    /// # let folder = std::env::temp_dir().join(format!("wharf-doc-upload-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # let film = &folder.join("film.mp4");
    /// # std::fs::write(film, vec![7; 20 << 20]).unwrap();
    /// let uploaded = s3.upload("my-bucket", "film.mp4", Path::new(film)).if_absent().await?;
    /// println!("{} bytes in {} parts, {}", uploaded.size, uploaded.parts, uploaded.verification);
    /// # assert_eq!(uploaded.parts, 3);
    /// let uploaded = s3.upload("my-bucket", "greeting.txt", "Hello!").await?;
    /// assert_eq!(uploaded.size, 6);
    /// # std::fs::remove_dir_all(folder).ok();
    /// # Ok(()) }
    /// ```
    pub fn upload(&self, bucket: impl Into<String>, key: impl Into<String>, body: impl IntoBody) -> Upload {
        let settings = Settings::of(self.clone());
        Upload { put: PutObject::new(self.clone(), bucket, key, body), settings }
    }
}

impl Upload {
    /// Starts it in a task of its own, which can be watched and cancelled.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) outside a Tokio runtime, but for a client of
    /// [`wharf::blocking`](crate::blocking).
    pub fn start(self) -> Result<Transfer<Uploaded>, Error> {
        let client = self.settings.client.clone();
        Transfer::start(&client.inner().runtime, |watch| self.run(watch))
    }

    /// With [`if_absent`](Upload::if_absent), unless the server is known to ignore that for an object of so many bytes.
    pub(super) fn if_absent_unless_ignored(self, length: u64) -> Self {
        let condition = self.settings.absence(length);
        let is_ignored = self.settings.client.inner().sending.habits.ignores.contains(condition);
        if is_ignored { self } else { self.if_absent() }
    }

    /// The size of parts that was said, or is taken.
    pub(super) fn wanted_part_size(&self) -> u64 {
        self.settings.part_size
    }

    pub(super) async fn run(self, watch: Arc<Watch>) -> Result<Uploaded, Error> {
        let (object, body) = self.put.take_apart();
        let (bucket, key) = (object.bucket().to_owned(), object.key().to_owned());
        let span = tracing::debug_span!("upload", bucket, key);
        let uploaded = source::upload(object, body, self.settings, watch).instrument(span).await;
        uploaded.map_err(|error| error.at("upload", Some(&bucket), Some(&key)))
    }
}

impl IntoFuture for Upload {
    type Output = Result<Uploaded, Error>;
    type IntoFuture = SendFuture<Uploaded>;

    fn into_future(self) -> Self::IntoFuture {
        let client = self.settings.client.clone();
        client.inner().runtime.run(async move { self.run(Watch::new()).await })
    }
}

/// An object that was uploaded.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Uploaded {
    /// The new entity tag; empty where the server sent none.
    pub etag: ETag,
    /// The new version; `None` where the bucket has no versions.
    pub version_id: Option<String>,
    /// The checksum that the server keeps.
    pub checksum: Option<Checksum>,
    /// Whether the checksum covers the object's bytes or its parts' checksums.
    pub checksum_type: Option<ChecksumType>,
    /// How the object is encrypted at rest.
    pub encryption: Option<EncryptionInfo>,
    /// How many bytes it has.
    pub size: u64,
    /// How many parts it was sent in; 1 for one PutObject.
    pub parts: u32,
    /// Which lifecycle rule will remove it, and when, as sent (`x-amz-expiration`).
    pub expiration: Option<String>,
    /// Whether the requester was charged.
    pub request_charged: bool,
    /// How many bytes were not sent, for an earlier run had: see [`Upload::resumable`].
    pub resumed_bytes: u64,
    /// Uploads to this key of which one may be an earlier run's that never heard whether it was begun. It has no parts,
    /// and nobody but you can tell whether it is another program's: see [`Upload::resumable`]. Where uploads could not be
    /// listed, a `tracing` warning says so.
    pub left_over: Vec<String>,
    /// Whether an answer to CreateMultipartUpload was lost on the way, so that another upload without parts may be left over:
    /// [`list_multipart_uploads`](crate::Client::list_multipart_uploads) shows it.
    pub lost_create: bool,
    /// Whether the server is known to have the same bytes.
    pub verification: Verification,
}
