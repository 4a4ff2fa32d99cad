//! An object as a file that is read where one likes.

use std::collections::VecDeque;
use std::fmt;
use std::future::IntoFuture;
use std::io::{self, SeekFrom};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use wharf_proto::operation::SendFuture;
use wharf_proto::{ByteRange, CustomerKey, ETag, Error, ErrorKind, ObjectHead};

use super::download::{Ahead, Found, Job, Options, ahead};
use super::handle::Watch;
use crate::Client;

/// What the first read fetches, and the first after a jump.
const FIRST: u64 = 256 << 10;

/// How far back one can go without a request.
const KEPT: u64 = 1 << 20;

/// Bytes that are on their way are read over if there are no more of them than this.
const NEAR: u64 = 1 << 20;

/// Opens an object to be read where one likes: made by [`Client::object_reader`]. One GetObject of its first 256 KiB.
///
/// # Errors
/// Those of [`GetObject`](crate::op::GetObject); [`MalformedResponse`](ErrorKind::MalformedResponse) from a server that gives
/// no ranges.
#[must_use = "a call does nothing until it is awaited"]
pub struct OpenObject {
    client: Client,
    bucket: String,
    key: String,
    options: Options,
    most: u64,
}

impl Client {
    /// Opens an object as an `AsyncRead` and `AsyncSeek`: see [`ObjectReader`].
    ///
    /// ```
    /// use std::io::SeekFrom;
    /// use tokio::io::{AsyncReadExt, AsyncSeekExt};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?; s3.put_object("my-bucket", "a", "0123456789").await?;
    /// let mut reader = s3.object_reader("my-bucket", "a").await?;
    /// reader.seek(SeekFrom::End(-3)).await?;
    /// let mut text = String::new();
    /// reader.read_to_string(&mut text).await?;
    /// assert_eq!(text, "789");
    /// # Ok(()) }
    /// ```
    pub fn object_reader(&self, bucket: impl Into<String>, key: impl Into<String>) -> OpenObject {
        let options = Options { verify: Some(false), ..Options::default() };
        OpenObject { client: self.clone(), bucket: bucket.into(), key: key.into(), options, most: 8 << 20 }
    }
}

impl OpenObject {
    /// Reads this version in place of the newest.
    pub fn version_id(mut self, version_id: impl Into<String>) -> Self {
        self.options.version_id = Some(version_id.into());
        self
    }

    /// Opens the object only if its tag is this one; else [`PreconditionFailed`](ErrorKind::PreconditionFailed).
    pub fn if_match(mut self, etag: impl Into<ETag>) -> Self {
        self.options.if_match = Some(etag.into());
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

    /// Fails with [`AccessDenied`](ErrorKind::AccessDenied) unless this account owns the bucket.
    pub fn expected_bucket_owner(mut self, account_id: impl Into<String>) -> Self {
        self.options.expected_bucket_owner = Some(account_id.into());
        self
    }

    /// The most that one request fetches: 8 MiB by default. Who reads on from where he is gets twice as much each time, up to
    /// this, and the next of it before he asks; who jumps gets 256 KiB. Twice this is held, and 1 MiB behind.
    pub fn read_ahead(mut self, bytes: u64) -> Self {
        self.most = bytes.max(1);
        self
    }

    async fn open(mut self) -> Result<ObjectReader, Error> {
        let first = FIRST.min(self.most);
        self.options.range = Some(ByteRange::from(0..first));
        let (found, start) = match self.first().await {
            Ok(found) => found,
            // An empty object has no first bytes, and says so.
            Err(error) if error.kind() == ErrorKind::InvalidRange => {
                self.options.range = None;
                self.first().await?
            }
            Err(error) => return Err(error),
        };
        let size = found.size.filter(|_| found.can_be_pinned() || found.is_whole());
        let Some(size) = size else {
            let problem = "the server does not say how long the object is, or which one it is";
            return Err(Error::new(ErrorKind::MalformedResponse, problem));
        };
        let length = start.len() as u64;
        Ok(ObjectReader {
            job: self.job(),
            found: Arc::new(found),
            size,
            position: 0,
            held: VecDeque::from([start]),
            held_from: 0,
            held_to: length,
            coming: None,
            next: None,
            width: first,
            most: self.most,
            runtime: Handle::try_current().ok(),
        })
    }

    fn job(&self) -> Job {
        Job::new(self.client.clone(), self.bucket.clone(), self.key.clone(), self.options.clone(), Watch::new())
    }

    /// What there is, and its first bytes.
    async fn first(&self) -> Result<(Found, Bytes), Error> {
        let job = self.job();
        job.patiently(|| async {
            let (found, mut body) = job.first().await?;
            let mut start = Vec::new();
            while let Some(bytes) = body.next().await {
                let bytes = bytes?;
                job.moved(bytes.len());
                if start.is_empty() && body.left() == Some(0) {
                    return Ok((found, bytes));
                }
                start.extend_from_slice(&bytes);
            }
            Ok((found, start.into()))
        })
        .await
    }
}

impl IntoFuture for OpenObject {
    type Output = Result<ObjectReader, Error>;
    type IntoFuture = SendFuture<ObjectReader>;

    fn into_future(self) -> Self::IntoFuture {
        let client = self.client.clone();
        let (bucket, key) = (self.bucket.clone(), self.key.clone());
        client
            .inner()
            .runtime
            .run(async move { self.open().await.map_err(|error| error.at("GetObject", Some(&bucket), Some(&key))) })
    }
}

impl fmt::Debug for OpenObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenObject").field("bucket", &self.bucket).field("key", &self.key).finish_non_exhaustive()
    }
}

/// An object that is read where one likes: an [`AsyncRead`] and [`AsyncSeek`].
///
/// All that is read is of one object: every request is held to the ETag that the first one saw, and an object that is replaced
/// meanwhile is [`PreconditionFailed`](ErrorKind::PreconditionFailed). Who reads on gets ever larger ranges, the next of
/// which is fetched before it is asked for, where the [budget](super::Budgets) of memory allows; where it does not, 256 KiB come at
/// a time. Going back by up to 1 MiB, or
/// ahead within what was fetched, takes no request. What is read is not compared with the object's checksum, which covers
/// all of it.
///
/// Errors are [`io::Error`]s that hold an [`Error`].
pub struct ObjectReader {
    job: Job,
    found: Arc<Found>,
    size: u64,
    position: u64,
    /// Bytes one after another, from `held_from` to `held_to`.
    held: VecDeque<Bytes>,
    held_from: u64,
    held_to: u64,
    /// What follows them.
    coming: Option<Coming>,
    /// What follows that.
    next: Option<Coming>,
    /// How much the last request asked for.
    width: u64,
    most: u64,
    runtime: Option<Handle>,
}

/// A range on its way, fetched by a task that ends with it.
struct Coming {
    ahead: Ahead,
    task: JoinHandle<Result<(), Error>>,
}

impl Drop for Coming {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl ObjectReader {
    /// How many bytes the object has.
    #[allow(clippy::len_without_is_empty, reason = "a size, not a collection")]
    pub fn len(&self) -> u64 {
        self.size
    }

    /// Everything else that S3 says about it. Its `content_length` and `content_range` are those of the first request.
    pub fn head(&self) -> &ObjectHead {
        &self.found.head
    }

    /// Where it is.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The bytes at the position, if they are held.
    fn at_position(&self) -> Option<&[u8]> {
        if self.position < self.held_from {
            return None;
        }
        // What is asked for next is mostly in the last piece.
        let mut end = self.held_to;
        for piece in self.held.iter().rev() {
            let start = end - piece.len() as u64;
            if self.position >= start && self.position < end {
                return piece.get((self.position - start) as usize..);
            }
            end = start;
        }
        None
    }

    fn hold(&mut self, bytes: Bytes) {
        self.held_to += bytes.len() as u64;
        self.held.push_back(bytes);
        while let Some(first) = self.held.front()
            && self.held_from + first.len() as u64 + KEPT < self.position
        {
            self.held_from += first.len() as u64;
            self.held.pop_front();
        }
    }

    fn fetch(&self, range: Range<u64>, must: bool) -> io::Result<Option<Coming>> {
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let memory = self.job.try_memory(length);
        if memory.is_none() && !must {
            return Ok(None);
        }
        let Some(runtime) = &self.runtime else { return Err(io::Error::other("there is no Tokio runtime")) };
        let (ahead, fetching) = ahead(self.job.clone(), self.found.clone(), range, memory);
        Ok(Some(Coming { ahead, task: runtime.spawn(fetching) }))
    }

    /// Has the range fetched that begins at `from`, `width` bytes of it.
    fn range(&self, from: u64) -> Range<u64> {
        from..from.saturating_add(self.width).min(self.size)
    }

    /// Sees to it that what comes next is what is wanted.
    fn aim(&mut self) -> io::Result<()> {
        if self.coming.as_ref().is_some_and(|coming| self.held_to >= coming.ahead.range.end) {
            self.coming = self.next.take();
        }
        let end = self.coming.as_ref().map_or(self.held_to, |coming| coming.ahead.range.end);
        let is_near = self.position >= self.held_to && self.position - self.held_to <= NEAR;
        if is_near && (self.coming.is_some() && self.position < end) {
            return Ok(());
        }
        if self.position == self.held_to {
            // Straight on, and nothing was fetched ahead.
            self.width = self.width.saturating_mul(2).min(self.most);
        } else {
            self.width = FIRST.min(self.most);
            self.held.clear();
            (self.held_from, self.held_to) = (self.position, self.position);
        }
        self.next = None;
        self.coming = self.fetch(self.range(self.position), false)?;
        if self.coming.is_none() {
            // There is no room for that much: a little at a time always comes through.
            self.width = FIRST.min(self.most);
            self.coming = self.fetch(self.range(self.position), true)?;
        }
        Ok(())
    }

    /// Fetches what follows, once half of what is coming has come.
    fn fetch_next(&mut self) -> io::Result<()> {
        let Some(Coming { ahead, .. }) = &self.coming else { return Ok(()) };
        let Range { start, end } = ahead.range;
        if self.next.is_none() && end < self.size && self.held_to - start >= (end - start) / 2 {
            let width = self.width;
            self.width = width.saturating_mul(2).min(self.most);
            self.next = self.fetch(self.range(end), false)?;
            if self.next.is_none() {
                self.width = width;
            }
        }
        Ok(())
    }
}

impl AsyncRead for ObjectReader {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.job.must_be_readable_here().map_err(io::Error::other)?;
        loop {
            if this.position >= this.size || buffer.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            if let Some(bytes) = this.at_position() {
                let count = bytes.len().min(buffer.remaining());
                buffer.put_slice(bytes.get(..count).unwrap_or_default());
                this.position += count as u64;
                return Poll::Ready(Ok(()));
            }
            this.aim()?;
            this.fetch_next()?;
            let Some(coming) = &mut this.coming else { continue };
            match ready!(coming.ahead.poll_next(cx)) {
                Some(Ok(bytes)) => this.hold(bytes),
                failed => {
                    (this.coming, this.next) = (None, None);
                    let ended = || Error::new(ErrorKind::Other, "the runtime has ended");
                    let error = failed.and_then(Result::err).unwrap_or_else(ended);
                    return Poll::Ready(Err(io::Error::other(error)));
                }
            }
        }
    }
}

impl AsyncSeek for ObjectReader {
    fn start_seek(mut self: Pin<&mut Self>, to: SeekFrom) -> io::Result<()> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        let outside = || io::Error::new(io::ErrorKind::InvalidInput, "no position is before the first byte");
        self.position = target.ok_or_else(outside)?;
        Ok(())
    }

    fn poll_complete(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Poll::Ready(Ok(self.position))
    }
}

impl fmt::Debug for ObjectReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectReader")
            .field("size", &self.size)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}
