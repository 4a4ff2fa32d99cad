//! Downloads of any size.

mod ahead;
mod attributes;
mod check;
mod crew;
mod file;
mod in_order;
mod into_file;
mod known;
mod name;
mod pace;
mod parts;
mod request;
mod resume;
mod sinks;
mod target;
mod turn;

use std::fmt;
use std::future::IntoFuture;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tracing::Instrument;
use wharf_proto::operation::SendFuture;
use wharf_proto::transfer::PREFERRED_PART_SIZE;
use wharf_proto::{ByteRange, CustomerKey, ETag, Error, ObjectHead};

use super::handle::{Transfer, Watch};
use super::patience::PATIENCE;
use super::verification::Verification;
use crate::Client;

#[cfg(feature = "tokio-io")]
pub(super) use ahead::{Ahead, ahead};
use file::FileOptions;
pub(super) use file::{KEPT_NAME, PART, is_kept_name};
#[cfg(feature = "tokio-io")]
pub(super) use request::Found;
pub(super) use request::{Job, Options};
pub use sinks::Memory;
#[cfg(feature = "tokio-io")]
pub use sinks::Writer;
pub use target::Target;

/// Reads an object of any size, in as many requests as are good: made by [`Client::download`].
///
/// An object of up to two parts is one GetObject. For a larger one, several requests fetch ranges of what the first one
/// saw, all of them pinned to its ETag; what one of them leaves another fetches. A request that fails is made again from its
/// last good byte, until nothing has moved for [`patience`](Download::patience).
///
/// Where tags are weak (`W/"..."`), as some proxies make them, ranges are held to the strong one that it was; a server whose own
/// are, and match nothing, is asked for all of the object at once, and again where that breaks off.
///
/// Where the server keeps a checksum of the object, the bytes are compared with it, and
/// [`Downloaded::verification`] says so. Bytes that do not match are fetched once more, all of them, unless a
/// [`Writer`](super::Writer) was given some.
///
/// # Errors
/// Those of [`GetObject`](crate::op::GetObject). [`Corrupt`](crate::ErrorKind::Corrupt) for bytes that do not match their
/// checksum (its [`attempts`](Error::attempts) are the copies that came), [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed) for an object that was replaced meanwhile and one
/// that [`overwrite(false)`](Download::overwrite) protects, [`Body`](crate::ErrorKind::Body) for a file that could not be
/// written: its [`cause`](Error::cause) is the [`io::Error`](std::io::Error).
#[must_use = "a call does nothing until it is awaited"]
pub struct Download<T> {
    client: Client,
    bucket: String,
    key: String,
    options: Options,
    file: FileOptions,
    target: Box<dyn target::Deliver<T>>,
}

/// What to do when the object is replaced while it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnChange {
    /// Begin anew with the new object, at most three times. A [`Writer`](super::Writer) to which bytes were given cannot.
    #[default]
    Restart,
    /// Fail with [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    Fail,
}

/// What was downloaded.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Downloaded<T = PathBuf> {
    /// Where the bytes are now: the file's path, the bytes themselves, or the writer.
    pub target: T,
    /// Everything else that S3 says about the object, as the first answer had it.
    pub head: ObjectHead,
    /// How many bytes were read: of the object, or of the range.
    pub size: u64,
    /// Whether they are known to be those that were stored.
    pub verification: Verification,
    /// How many of the bytes an earlier run had read: see [`resumable`](Download::resumable).
    pub resumed_bytes: u64,
}

impl Client {
    /// Reads an object of any size into a file, memory or a writer: see [`Download`].
    ///
    /// ```
    /// use std::path::Path;
    /// use wharf::transfer::Memory;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?; s3.put_object("my-bucket", "a.txt", "Hello!").await?;
    /// # let folder = std::env::temp_dir().join(format!("wharf-doc-download-{}", std::process::id()));
    /// # let path = &folder.join("a.txt");
    /// let done = s3.download("my-bucket", "a.txt", Path::new(path)).create_directories(true).await?;
    /// println!("{} bytes, {}", done.size, done.verification);
    /// let bytes = s3.download("my-bucket", "a.txt", Memory).await?.target;
    /// assert_eq!(bytes, "Hello!");
    /// # std::fs::remove_dir_all(folder).ok();
    /// # Ok(()) }
    /// ```
    pub fn download<T: Target>(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        target: T,
    ) -> Download<T::Output> {
        Download {
            client: self.clone(),
            bucket: bucket.into(),
            key: key.into(),
            options: Options::default(),
            file: FileOptions::default(),
            target: target.deliver(),
        }
    }
}

impl<T> Download<T> {
    /// Reads this version in place of the newest.
    pub fn version_id(mut self, version_id: impl Into<String>) -> Self {
        self.options.version_id = Some(version_id.into());
        self
    }

    /// Reads some of the bytes only: `0..10`, `100..`, `..=9`, or [`ByteRange::last`]. What is read then is not verified.
    pub fn range(mut self, range: impl Into<ByteRange>) -> Self {
        self.options.range = Some(range.into());
        self
    }

    /// Reads the object only while its tag is this one; else
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn if_match(mut self, etag: impl Into<ETag>) -> Self {
        self.options.if_match = Some(etag.into());
        self
    }

    /// Reads the object only if its tag is another; else [`NotModified`](crate::ErrorKind::NotModified).
    pub fn if_none_match(mut self, etag: impl Into<ETag>) -> Self {
        self.options.if_none_match = Some(etag.into());
        self
    }

    /// Reads the object only if it was written after `time` (to the second); else
    /// [`NotModified`](crate::ErrorKind::NotModified).
    pub fn if_modified_since(mut self, time: SystemTime) -> Self {
        self.options.if_modified_since = Some(time);
        self
    }

    /// Reads the object only if it was not written after `time` (to the second); else
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn if_unmodified_since(mut self, time: SystemTime) -> Self {
        self.options.if_unmodified_since = Some(time);
        self
    }

    /// The key that the object was encrypted with (SSE-C).
    pub fn customer_key(mut self, key: CustomerKey) -> Self {
        self.options.customer_key = Some(key);
        self
    }

    /// Agrees to pay for the requests in a requester-pays bucket.
    pub fn request_payer(mut self) -> Self {
        self.options.request_payer = true;
        self
    }

    /// Fails with [`AccessDenied`](crate::ErrorKind::AccessDenied) unless this account owns the bucket.
    pub fn expected_bucket_owner(mut self, account_id: impl Into<String>) -> Self {
        self.options.expected_bucket_owner = Some(account_id.into());
        self
    }

    /// The least that is worth a request of its own: 8 MiB by default. An object of up to twice as much is one request.
    pub fn part_size(mut self, bytes: u64) -> Self {
        self.options.part_size = bytes.max(1);
        self
    }

    /// How many requests there are at a time. Where it is not said, as many as make it faster: where one brings 256 MiB a second,
    /// one for each thread of the runtime into a file, and one alone where the bytes have to come in order. With one, a file
    /// too is read in order, so that any checksum can be compared.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.options.concurrency = Some(requests.max(1));
        self
    }

    /// How long to go on trying while nothing moves: 5 minutes by default.
    pub fn patience(mut self, limit: Duration) -> Self {
        self.options.patience = limit;
        self
    }

    /// Whether the bytes are compared with the object's checksum.
    ///
    /// By default they are, where that takes no request. The checksum of an object that was uploaded in parts may be one of
    /// its parts' checksums: then `true` also asks where the parts are (GetObjectAttributes, one request for a thousand of
    /// them), which a large object has done anyway. And a file of which nothing could be compared while it came is read once
    /// more, before it has its name: by a checksum of parts that were cut in a usual way, or by an ETag that is an MD5 there
    /// ([`trust_etags`](crate::ClientBuilder::trust_etags)). `false` computes nothing; one that is
    /// [`resumable`](Download::resumable) records checksums of what has arrived all the same.
    pub fn verify(mut self, verify: bool) -> Self {
        self.options.verify = Some(verify);
        self
    }

    /// What to do when the object is replaced while it is read.
    pub fn on_change(mut self, on_change: OnChange) -> Self {
        self.options.on_change = on_change;
        self
    }

    /// Starts it in a task of its own, with a handle that tells its progress and cancels it.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) outside a Tokio runtime, but for a client of
    /// [`wharf::blocking`](crate::blocking).
    pub fn start(self) -> Result<Transfer<Downloaded<T>>, Error>
    where
        T: Send + 'static,
    {
        let client = self.client.clone();
        Transfer::start(&client.inner().runtime, |watch| self.run(watch))
    }

    pub(super) fn run(self, watch: Arc<Watch>) -> SendFuture<Downloaded<T>>
    where
        T: Send + 'static,
    {
        let Self { client, bucket, key, options, file, target } = self;
        let job = Job::new(client.clone(), bucket.clone(), key.clone(), options, watch);
        client.inner().runtime.run(async move {
            let span = tracing::debug_span!("download", bucket, key);
            let done = target.deliver(job, file).instrument(span).await;
            done.map_err(|error| error.at("download", Some(&bucket), Some(&key)))
        })
    }
}

/// Into a file.
///
/// The bytes are written to `NAME.wharf-part` beside the file, which gets the name when it is whole and verified: it is
/// there whole or not at all, whatever becomes of the program (on some file systems with an exception: [`overwrite`](Download::overwrite)).
/// Two downloads into one file at a time are an error of the second. A symbolic link is replaced, not followed. A file whose
/// own name ends in `.wharf-part` or `.wharf-journal` is [`InvalidInput`](crate::ErrorKind::InvalidInput).
impl Download<PathBuf> {
    /// Has the file and its name survive a power failure before the call returns (`fsync` of the file, of its directory and of
    /// those above it that may be new). No by default: then a power failure soon after may cost the bytes of a file that has its name.
    pub fn durable(mut self, durable: bool) -> Self {
        self.file.durable = durable;
        self
    }

    /// Gives the file the object's time: the seconds since 1970 in its metadata `mtime`, as rclone and s3fs write it, else
    /// when it was stored. Where its metadata has a `mode`, the file gets that too: permissions alone, in octal, or s3fs's
    /// decimal. No by default.
    pub fn preserve_modified(mut self, preserve: bool) -> Self {
        self.file.preserve = preserve;
        self
    }

    /// Gives the file the time at which the object was stored, of which a listing says this; unless it is to have that of the
    /// metadata.
    pub(super) fn dated(mut self, listed: Option<SystemTime>) -> Self {
        (self.file.is_dated, self.file.listed) = (true, listed);
        self
    }

    /// Gives the file these permissions, such as `0o640`, on Unix.
    pub fn mode(mut self, mode: u32) -> Self {
        self.file.mode = Some(mode);
        self
    }

    /// Whether a file of that name is replaced: yes by default. If not, it is
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed), also where it appears meanwhile.
    ///
    /// On Linux the file gets its name then by a rename that replaces nothing, and where a file system has none, or on another
    /// Unix, by a hard link. Where there is neither (some network file systems and FUSE, Windows), the name is taken by an empty
    /// file first: a crash right then leaves that one, and what another program puts in its place at that moment is replaced.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.file.keep_existing = !overwrite;
        self
    }

    /// Has a download that is interrupted, by a failure, a crash or a power failure, go on when the same call is made
    /// again, also by another process. No by default: then nothing is left beside the file.
    ///
    /// What has arrived is kept in `NAME.wharf-part`, and `NAME.wharf-journal` beside it says which bytes those are: only
    /// such as were synced to the disk before, every 32 MiB or 5 seconds, or more often for an object of less than a
    /// gibibyte, but after the first time no more than once a second; more arrives while they are synced, at most as much
    /// again, and what each request has under way is recorded once it is whole, in pieces of up to 4 MiB or the object's parts. The next call asks whether the object is still the
    /// same (HeadObject; by its tag, version and size) and fetches the rest; [`Downloaded::resumed_bytes`] says how much that saved. What is in the file is read once more:
    /// bytes that are no longer what arrived are fetched again, whether or not the server keeps a checksum of the object. Of an object that was replaced it begins anew or fails, as
    /// [`on_change`](Download::on_change) says. All bytes are compared with the object's checksum in the end, those of an
    /// earlier run with the others. A second call at the same time is
    /// [`InUse`](crate::ErrorKind::InUse).
    ///
    /// A download that fails or is dropped leaves both files: the same call finishes it, and
    /// [`Interrupted::remove`](super::Interrupted::remove) gives it up. An object of up to 1 MiB, and one that the server
    /// gives no ranges of, is fetched anew.
    pub fn resumable(mut self, resumable: bool) -> Self {
        self.file.resumable = resumable;
        self
    }

    /// Makes the directories above the file that are missing. No by default.
    pub fn create_directories(mut self, create: bool) -> Self {
        self.file.create_directories = create;
        self
    }
}

impl<T: Send + 'static> IntoFuture for Download<T> {
    type Output = Result<Downloaded<T>, Error>;
    type IntoFuture = SendFuture<Downloaded<T>>;

    fn into_future(self) -> Self::IntoFuture {
        self.run(Watch::new())
    }
}

impl<T> fmt::Debug for Download<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("bucket", &self.bucket)
            .field("key", &self.key)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            version_id: None,
            range: None,
            if_match: None,
            if_none_match: None,
            if_modified_since: None,
            if_unmodified_since: None,
            customer_key: None,
            request_payer: false,
            expected_bucket_owner: None,
            part_size: PREFERRED_PART_SIZE,
            concurrency: None,
            patience: PATIENCE,
            verify: None,
            on_change: OnChange::default(),
        }
    }
}
