//! Deleting any number of objects.

mod batch;
mod keys;

use std::fmt;
use std::future::{IntoFuture, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use std::vec;

use futures_core::Stream;
use tokio::sync::{Semaphore, mpsc};
use tracing::Instrument;
use wharf_proto::Error;
use wharf_proto::checksum::ChecksumAlgorithm;
use wharf_proto::op::{DeleteError, DeleteObjects, DeletedObject, ObjectIdentifier};
use wharf_proto::operation::SendFuture;

use super::feed::{Feed, Tasks};
use super::handle::{Transfer, Watch};
use super::lane::Lane;
use super::patience::PATIENCE;
use crate::Client;
use batch::Batch;
pub use keys::Keys;

/// How many of the errors a [`Deleted`] holds.
const ERRORS: usize = 1000;
/// How many batches are under way at most where the caller names no number. How many of them are sent is the lane's business.
const BATCHES: usize = 16;

/// Deletes any number of objects: DeleteObjects requests for 1,000 keys each, several at a time.
///
/// The keys are taken as they are needed: a hundred million cost no more memory than a few thousand. Keys that XML cannot hold
/// (control characters) go one by one as DeleteObject requests. A key that does not exist counts as deleted. A request, or a
/// single key of it, that fails for a passing reason is tried again until [`patience`](Delete::patience) is over.
///
/// Awaited, it gives the numbers and the first 1,000 errors. [`outcomes`](Delete::outcomes) says for each key what became of it.
///
/// # Errors
/// The first request's, which goes ahead of the others: [`NoSuchBucket`](crate::ErrorKind::NoSuchBucket),
/// [`AccessDenied`](crate::ErrorKind::AccessDenied). Nothing was deleted then, unless its answer was lost. Where a later request fails, its keys are among
/// the errors and the rest goes on. An error of the stream that gives the keys ends it once what was begun is done.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
/// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
/// # s3.create_bucket("my-bucket").await?;
/// let keys = (0..2500).map(|number| format!("logs/{number}"));
/// let deleted = s3.delete("my-bucket", keys).await?;
/// assert_eq!((deleted.deleted, deleted.failed), (2500, 0));
/// # Ok(()) }
/// ```
#[must_use = "a call does nothing until it is awaited"]
pub struct Delete {
    client: Client,
    keys: Keys,
    call: DeleteObjects<Client>,
    concurrency: Option<usize>,
    patience: Duration,
}

/// What became of the keys.
#[must_use = "what could not be deleted is in `errors`"]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deleted {
    /// How many objects were deleted.
    pub deleted: u64,
    /// How many were not.
    pub failed: u64,
    /// The first 1,000 of those that were not, and why.
    pub errors: Vec<DeleteError>,
}

impl Client {
    /// Deletes any number of objects: see [`Delete`]. The keys are an iterator that owns what it gives, of keys or of keys with
    /// versions, or a stream by [`Keys::stream`], or a listing.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?;
    /// let deleted = s3.delete("my-bucket", ["a", "b"]).await?;
    /// assert!(deleted.errors.is_empty());
    /// # Ok(()) }
    /// ```
    pub fn delete(&self, bucket: impl Into<String>, keys: impl Into<Keys>) -> Delete {
        let call = DeleteObjects::new(self.for_transfers(), bucket, Vec::<ObjectIdentifier>::new());
        Delete { client: self.clone(), keys: keys.into(), call, concurrency: None, patience: PATIENCE }
    }
}

impl Delete {
    /// How many requests are in flight at most.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.concurrency = Some(requests);
        self
    }

    /// How long a request is tried again for: 5 minutes unless set.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Deletes versions in spite of a lock of mode governance, by who may.
    pub fn bypass_governance(mut self) -> Self {
        self.call = self.call.bypass_governance();
        self
    }

    /// The algorithm of the checksum that S3 insists on: the client's default unless set.
    pub fn checksum(mut self, algorithm: ChecksumAlgorithm) -> Self {
        self.call = self.call.checksum(algorithm);
        self
    }

    /// Agrees to pay for the requests in a requester-pays bucket.
    pub fn request_payer(mut self) -> Self {
        self.call = self.call.request_payer();
        self
    }

    /// Fails with [`AccessDenied`](crate::ErrorKind::AccessDenied) unless this account owns the bucket.
    pub fn expected_bucket_owner(mut self, account_id: impl Into<String>) -> Self {
        self.call = self.call.expected_bucket_owner(account_id);
        self
    }

    /// What becomes of each key, as it becomes known: not in the order of the keys. Ends with an error where the call does.
    pub fn outcomes(self) -> DeleteOutcomes {
        self.outcomes_within(Watch::new())
    }

    pub(super) fn outcomes_within(self, watch: Arc<Watch>) -> DeleteOutcomes {
        let client = self.client.clone();
        DeleteOutcomes {
            feed: Feed::new(&client, 2, |out| self.run(watch, out).instrument(tracing::debug_span!("delete"))),
            batch: Vec::new().into_iter(),
        }
    }

    /// Begins in a task of its own. [`Progress::parts`](super::Progress::parts) counts the keys that are done.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) outside a Tokio runtime, but for a client of
    /// [`wharf::blocking`](crate::blocking).
    pub fn start(self) -> Result<Transfer<Deleted>, Error> {
        let client = self.client.clone();
        Transfer::start(&client.inner().runtime, |watch| self.total(watch))
    }

    async fn total(self, watch: Arc<Watch>) -> Result<Deleted, Error> {
        let client = self.client.clone();
        let mut feed = Feed::new(&client, 2, |out| self.run(watch, out).instrument(tracing::debug_span!("delete")));
        let mut total = Deleted::default();
        while let Some(outcomes) = poll_fn(|cx| Pin::new(&mut feed).poll_next(cx)).await {
            for outcome in outcomes? {
                match outcome {
                    Ok(_) => total.deleted += 1,
                    Err(error) => {
                        total.failed += 1;
                        if total.errors.len() < ERRORS {
                            total.errors.push(error);
                        }
                    }
                }
            }
        }
        Ok(total)
    }

    async fn run(self, watch: Arc<Watch>, out: mpsc::Sender<Vec<Outcome>>) -> Result<(), Error> {
        let Self { client, mut keys, call, concurrency, patience } = self;
        let lane = Lane::of(&client, concurrency);
        let batch = Batch { client, call, lane, watch, patience };
        // Errors of the call as a whole are met here, before anything was done.
        let (mut objects, mut end) = keys.take(&out).await;
        if !objects.is_empty() {
            deliver(&out, batch.delete(objects).await?).await;
        }

        let at_once = concurrency.unwrap_or(BATCHES).clamp(1, Semaphore::MAX_PERMITS);
        let under_way = Arc::new(Semaphore::new(at_once));
        let mut tasks = Tasks::new(&batch.watch);
        while end.is_none() && !out.is_closed() {
            (objects, end) = keys.take(&out).await;
            let Ok(place) = under_way.clone().acquire_owned().await else { break };
            let (batch, out) = (batch.clone(), out.clone());
            let deleted = async move {
                deliver(&out, batch.delete_or_tell(objects).await).await;
                drop(place);
                Ok(())
            };
            tasks.spawn(deleted.in_current_span());
            tasks.reap()?;
        }
        while let Some(task) = tasks.next().await {
            task?;
        }
        end.unwrap_or(Ok(()))
    }
}

type Outcome = Result<DeletedObject, DeleteError>;

/// Hands outcomes out. Nobody may want them any more: then the stream was dropped, which ends the work too.
async fn deliver(out: &mpsc::Sender<Vec<Outcome>>, outcomes: Vec<Outcome>) {
    let _ = out.send(outcomes).await;
}

impl IntoFuture for Delete {
    type Output = Result<Deleted, Error>;
    type IntoFuture = SendFuture<Deleted>;

    fn into_future(self) -> Self::IntoFuture {
        let client = self.client.clone();
        client.inner().runtime.run(self.total(Watch::new()))
    }
}

impl fmt::Debug for Delete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delete").field("call", &self.call).finish_non_exhaustive()
    }
}

/// What becomes of each key, as a [`Stream`]. Nothing is sent until it is polled; dropping it stops the deleting.
#[must_use = "streams do nothing unless polled"]
pub struct DeleteOutcomes {
    feed: Feed<Vec<Outcome>>,
    batch: vec::IntoIter<Outcome>,
}

impl DeleteOutcomes {
    /// What became of the next key; `None` after the last one.
    pub async fn next(&mut self) -> Option<Result<Outcome, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for DeleteOutcomes {
    type Item = Result<Outcome, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(outcome) = self.batch.next() {
                return Poll::Ready(Some(Ok(outcome)));
            }
            match ready!(Pin::new(&mut self.feed).poll_next(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(batch)) => self.batch = batch.into_iter(),
            }
        }
    }
}

impl fmt::Debug for DeleteOutcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeleteOutcomes").finish_non_exhaustive()
    }
}
