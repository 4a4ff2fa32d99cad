//! Multipart uploads that were neither completed nor aborted, whoever began them.

use std::future::{IntoFuture, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_core::Stream;
use tokio::task::JoinSet;
use wharf_proto::op::{ListMultipartUploads, ListedUpload};
use wharf_proto::operation::SendFuture;
use wharf_proto::{Error, ErrorKind};

use super::feed::next_of;
use super::handle::Watch;
use super::lane::Lane;
use super::patience::{PATIENCE, patiently};
use crate::Client;

/// How old an upload must be unless it is said otherwise.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How many are aborted at a time at most; how many requests there are is the lane's business.
const MOST: usize = 64;

/// The multipart uploads of a bucket that were begun some time ago and neither completed nor aborted: made by
/// [`Client::incomplete_uploads`].
///
/// Their parts cost storage until they are aborted. Awaited, it lists them (ListMultipartUploads, one request for a
/// thousand); [`abort_all`](IncompleteUploads::abort_all) aborts them. A bucket can do that by itself, by the lifecycle
/// rule `AbortIncompleteMultipartUpload`.
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct IncompleteUploads {
    client: Client,
    bucket: String,
    prefix: String,
    list: ListMultipartUploads<Client>,
    older_than: Duration,
    request_payer: bool,
    expected_bucket_owner: Option<String>,
}

/// What became of the uploads that were to be aborted.
#[must_use = "those that could not be aborted are in `failed`"]
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct AbortedUploads {
    /// How many were aborted, or were gone by then.
    pub aborted: u64,
    /// Those that could not be, and why.
    pub failed: Vec<(ListedUpload, Error)>,
}

impl Client {
    /// The uploads of a bucket that somebody began and did not end: see
    /// [`IncompleteUploads`](crate::transfer::IncompleteUploads).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?;
    /// # s3.create_multipart_upload("my-bucket", "a").await?;
    /// let week = Duration::from_secs(7 * 24 * 60 * 60);
    /// for upload in s3.incomplete_uploads("my-bucket").older_than(week).await? {
    ///     println!("{} since {:?}", upload.key, upload.initiated);
    /// }
    /// let done = s3.incomplete_uploads("my-bucket").older_than(week).abort_all().await?;
    /// println!("{} aborted, {} not", done.aborted, done.failed.len());
    /// # assert_eq!(done.aborted, 0);
    /// # Ok(()) }
    /// ```
    pub fn incomplete_uploads(&self, bucket: impl Into<String>) -> IncompleteUploads {
        let bucket = bucket.into();
        IncompleteUploads {
            client: self.clone(),
            list: self.list_multipart_uploads(&bucket),
            bucket,
            prefix: String::new(),
            older_than: A_DAY,
            request_payer: false,
            expected_bucket_owner: None,
        }
    }
}

impl IncompleteUploads {
    /// Only uploads to keys that begin with this.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self.list = self.list.prefix(&self.prefix);
        self
    }

    /// Only uploads that were begun longer ago than this: a day by default. An upload that is being sent is incomplete
    /// too, and one that is aborted meanwhile fails. One of which the server does not say when it was begun is left out.
    pub fn older_than(mut self, age: Duration) -> Self {
        self.older_than = age;
        self
    }

    /// Agrees to pay for the requests in a requester-pays bucket.
    pub fn request_payer(mut self) -> Self {
        self.list = self.list.request_payer();
        self.request_payer = true;
        self
    }

    /// Fails with [`AccessDenied`](crate::ErrorKind::AccessDenied) unless this account owns the bucket.
    pub fn expected_bucket_owner(mut self, account_id: impl Into<String>) -> Self {
        let account_id = account_id.into();
        self.list = self.list.expected_bucket_owner(&account_id);
        self.expected_bucket_owner = Some(account_id);
        self
    }

    /// Aborts them: AbortMultipartUpload, several requests at a time.
    ///
    /// # Errors
    /// Those of ListMultipartUploads. What was found by then is aborted. An upload that cannot be aborted is in
    /// [`AbortedUploads::failed`], and the others go on.
    pub fn abort_all(self) -> SendFuture<AbortedUploads> {
        let client = self.client.clone();
        client.inner().runtime.run(self.abort_each())
    }

    async fn abort_each(self) -> Result<AbortedUploads, Error> {
        let (watch, lane) = (Watch::new(), Lane::of(&self.client, None));
        let this = Arc::new(self);
        let mut uploads = this.list.clone().items();
        let mut tasks = JoinSet::new();
        let mut done = AbortedUploads::default();
        let ended = loop {
            if tasks.len() >= MOST {
                done.note(&mut tasks).await?;
            }
            match poll_fn(|cx| Pin::new(&mut uploads).poll_next(cx)).await {
                Some(Ok(upload)) if this.is_meant(&upload) => {
                    let (this, lane, watch) = (this.clone(), lane.clone(), watch.clone());
                    tasks.spawn(async move {
                        let aborted = this.abort(&upload, &lane, &watch).await;
                        Ok((upload, aborted))
                    });
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => break Err(error),
                None => break Ok(()),
            }
        };
        while !tasks.is_empty() {
            done.note(&mut tasks).await?;
        }
        match ended {
            Ok(()) => Ok(done),
            Err(error) => Err(done.told_in(error)),
        }
    }

    async fn abort(&self, upload: &ListedUpload, lane: &Lane, watch: &Watch) -> Result<(), Error> {
        let sender = self.client.for_transfers();
        let attempt = || {
            let mut call = sender.abort_multipart_upload(&self.bucket, &upload.key, &upload.upload_id);
            if self.request_payer {
                call = call.request_payer();
            }
            if let Some(owner) = &self.expected_bucket_owner {
                call = call.expected_bucket_owner(owner);
            }
            call.into_future()
        };
        match patiently(lane, watch, PATIENCE, || self.client.inner().clock.jitter(), attempt).await {
            Err(error) if error.kind() != ErrorKind::NoSuchUpload => Err(error),
            _ => {
                watch.part_done();
                Ok(())
            }
        }
    }

    async fn list(self) -> Result<Vec<ListedUpload>, Error> {
        let mut uploads = self.list.clone().items();
        let mut old = Vec::new();
        while let Some(upload) = poll_fn(|cx| Pin::new(&mut uploads).poll_next(cx)).await {
            old.extend(Some(upload?).filter(|upload| self.is_meant(upload)));
        }
        Ok(old)
    }

    fn is_meant(&self, upload: &ListedUpload) -> bool {
        let age = |begun: SystemTime| self.client.inner().now().duration_since(begun).unwrap_or_default();
        // Some servers take no prefix here.
        upload.key.starts_with(&self.prefix) && upload.initiated.is_some_and(|begun| age(begun) >= self.older_than)
    }
}

impl IntoFuture for IncompleteUploads {
    type Output = Result<Vec<ListedUpload>, Error>;
    type IntoFuture = SendFuture<Vec<ListedUpload>>;

    fn into_future(self) -> Self::IntoFuture {
        let client = self.client.clone();
        client.inner().runtime.run(self.list())
    }
}

/// An upload that was to be aborted.
type Tried = (ListedUpload, Result<(), Error>);

impl AbortedUploads {
    /// Adds to an error what nobody else would tell.
    fn told_in(self, error: Error) -> Error {
        match self.failed.first() {
            Some((upload, problem)) => error.with_note(format_args!(
                "{} uploads that were found before could not be aborted; the first was {} of {}: {problem}",
                self.failed.len(),
                upload.upload_id,
                upload.key
            )),
            None => error,
        }
    }

    /// Waits for one.
    async fn note(&mut self, tasks: &mut JoinSet<Result<Tried, Error>>) -> Result<(), Error> {
        match next_of(tasks).await.transpose()? {
            Some((_, Ok(()))) => self.aborted += 1,
            Some((upload, Err(error))) => self.failed.push((upload, error)),
            None => {}
        }
        Ok(())
    }
}
