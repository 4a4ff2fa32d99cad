//! Listing a bucket, several pages at a time.

mod work;

use std::collections::HashSet;
use std::fmt;
use std::future::{IntoFuture, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};
use std::vec;

use futures_core::Stream;
use tracing::Instrument;
use wharf_proto::endpoint::is_directory_bucket;
use wharf_proto::op::{ListObjects, ListedObject};
use wharf_proto::operation::SendFuture;
use wharf_proto::{ETag, Error, ErrorKind, Provider};

use super::delete::Keys;
use super::feed::Feed;
use super::handle::Watch;
use super::patience::PATIENCE;
use crate::Client;
use work::Work;

/// Lists a bucket's objects: ListObjectsV2 requests of which the next is under way while a page is read, or, with
/// [`parallel`](List::parallel), many are.
///
/// [`items`](List::items) is a stream of the objects, [`pages`](List::pages) one of what came together. Awaited, it gives all
/// objects, in memory. A request that fails for a passing reason is made again until [`patience`](List::patience) is over.
///
/// # Errors
/// [`NoSuchBucket`](crate::ErrorKind::NoSuchBucket), [`AccessDenied`](crate::ErrorKind::AccessDenied);
/// [`MalformedResponse`](crate::ErrorKind::MalformedResponse) where a server lists out of order and it turned out too late to go
/// on without `parallel`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
/// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
/// # s3.create_bucket("my-bucket").await?;
/// # s3.put_object("my-bucket", "logs/1", "Hello!").await?;
/// let mut objects = s3.list("my-bucket").prefix("logs/").parallel(16).items();
/// while let Some(object) = objects.next().await {
///     println!("{}", object?.key);
/// }
/// # Ok(()) }
/// ```
#[must_use = "a call does nothing until it is awaited"]
#[derive(Clone)]
pub struct List {
    client: Client,
    call: ListObjects<Client>,
    bucket: String,
    prefix: String,
    start_after: Option<String>,
    parallel: usize,
    unordered: bool,
    patience: Duration,
}

/// A part of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedPage {
    /// The objects, in the order of their keys.
    pub objects: Vec<ListedObject>,
    /// The common prefixes, where a delimiter was given.
    pub common_prefixes: Vec<String>,
}

impl Client {
    /// Lists a bucket with many requests at a time: see [`List`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?;
    /// let objects = s3.list("my-bucket").prefix("docs/").await?;
    /// assert!(objects.is_empty());
    /// # Ok(()) }
    /// ```
    pub fn list(&self, bucket: impl Into<String>) -> List {
        let bucket = bucket.into();
        List {
            client: self.clone(),
            call: ListObjects::new(self.for_transfers(), bucket.clone()),
            bucket,
            prefix: String::new(),
            start_after: None,
            parallel: 1,
            unordered: false,
            patience: PATIENCE,
        }
    }
}

impl List {
    /// Lists only keys that begin with this.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self.call = self.call.prefix(self.prefix.clone());
        self
    }

    /// Groups keys: all that share the text up to the first `delimiter` after the prefix are one common prefix.
    pub fn delimiter(mut self, delimiter: impl Into<String>) -> Self {
        self.call = self.call.delimiter(delimiter);
        self
    }

    /// Begins after this key.
    pub fn start_after(mut self, key: impl Into<String>) -> Self {
        self.start_after = Some(key.into());
        self
    }

    /// How many keys and common prefixes a request may bring: 1,000 by default and at most.
    pub fn max_keys(mut self, max_keys: u32) -> Self {
        self.call = self.call.max_keys(max_keys);
        self
    }

    /// Makes up to so many requests at a time, each for keys of its own, whatever the keys are: how they are spelled is learnt
    /// as they come. A listing of one page is one request all the same; a long one takes a few more requests than one after the
    /// other would, in bad cases a third more.
    ///
    /// The objects still come in the order of their keys, for which pages that came early wait in memory: about four for each
    /// request, eight at most. [`unordered`](List::unordered) does without.
    ///
    /// Without effect where the server is known not to list in the order of keys, such as directory buckets, or is found not to.
    pub fn parallel(mut self, requests: usize) -> Self {
        self.parallel = requests;
        self
    }

    /// Gives pages as they come: in order within, in any order among each other.
    pub fn unordered(mut self) -> Self {
        self.unordered = true;
        self
    }

    /// Has each object say who owns it.
    pub fn fetch_owner(mut self) -> Self {
        self.call = self.call.fetch_owner();
        self
    }

    /// Has each archived object say whether it is being restored.
    pub fn restore_status(mut self) -> Self {
        self.call = self.call.restore_status();
        self
    }

    /// How long a request is tried again for: 5 minutes unless set.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
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

    /// All objects. Common prefixes are left out; [`pages`](List::pages) have them.
    pub fn items(self) -> ListItems {
        ListItems { pages: self.pages(), page: Vec::new().into_iter() }
    }

    /// What comes with each request: cheaper than one by one.
    pub fn pages(self) -> ListPages {
        let client = self.client.clone();
        // The next page is fetched while this many wait.
        let ahead = if self.parallel > 1 { 4 } else { 1 };
        ListPages(Feed::new(&client, ahead, |out| {
            Work::new(self, Watch::new()).run(out).instrument(tracing::debug_span!("list"))
        }))
    }

    /// Whether both show one bucket: that of one name at the same [`server`](Client::server), or, since a server can have several
    /// names, on their first page an object of the same key, ETag and time. To be asked before what one shows is written to the other.
    /// What must not be listed shows nothing, as does an empty bucket.
    ///
    /// At most two requests for each.
    ///
    /// # Errors
    /// Those of ListObjectsV2 but `AccessDenied`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = wharf_embedded::Store::in_memory();
    /// let server = store.serve("127.0.0.1:0").await?;
    /// let by_name = |host: &str| {
    ///     let endpoint = server.endpoint().replace("127.0.0.1", host);
    ///     let keys = (store.access_key_id(), store.secret_access_key());
    ///     wharf::Client::builder().endpoint(endpoint).region("us-east-1").credentials(keys.0, keys.1).build()
    /// };
    /// let (one, other) = (by_name("127.0.0.1")?, by_name("localhost")?);
    /// one.create_bucket("my-bucket").await?;
    /// one.put_object("my-bucket", "a", "1").await?;
    /// assert!(one.list("my-bucket").shows_same_bucket(other.list("my-bucket")).await?);
    /// # Ok(()) }
    /// ```
    pub fn shows_same_bucket(self, other: List) -> SendFuture<bool> {
        let client = self.client.clone();
        client.inner().runtime.run(async move {
            if self.bucket == other.bucket && self.client.server() == other.client.server() {
                return Ok(true);
            }
            let (here, there) = (self.marks().await?, other.marks().await?);
            Ok(!here.is_disjoint(&there))
        })
    }

    /// What tells the objects of the first page from all others.
    async fn marks(self) -> Result<HashSet<(String, ETag, SystemTime)>, Error> {
        let page = match self.pages().next().await {
            Some(Err(error)) if error.kind() == ErrorKind::AccessDenied => None,
            page => page.transpose()?,
        };
        let objects = page.into_iter().flat_map(|page| page.objects);
        Ok(objects.filter_map(|object| Some((object.key, object.etag, object.last_modified?))).collect())
    }

    /// Whether the server lists in the order of keys, as far as anybody knows.
    fn is_sorted(&self) -> bool {
        let sending = &self.client.inner().sending;
        let may_be = sending.habits.sorted || sending.provider == Provider::Other;
        may_be && !is_directory_bucket(&self.bucket)
    }
}

impl IntoFuture for List {
    type Output = Result<Vec<ListedObject>, Error>;
    type IntoFuture = SendFuture<Vec<ListedObject>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.items().collect())
    }
}

impl From<List> for Keys {
    fn from(list: List) -> Self {
        Self::stream(list.items())
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List").field("call", &self.call).field("parallel", &self.parallel).finish_non_exhaustive()
    }
}

/// The parts of a listing, as a [`Stream`]. Nothing is sent until it is polled. Ends after the last page or the first error.
#[must_use = "streams do nothing unless polled"]
pub struct ListPages(Feed<ListedPage>);

impl ListPages {
    /// The next part; `None` after the last one.
    pub async fn next(&mut self) -> Option<Result<ListedPage, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for ListPages {
    type Item = Result<ListedPage, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.0).poll_next(cx)
    }
}

impl fmt::Debug for ListPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListPages").finish_non_exhaustive()
    }
}

/// The objects of a listing, as a [`Stream`]. Nothing is sent until it is polled. Ends after the last object or the first error.
#[must_use = "streams do nothing unless polled"]
#[derive(Debug)]
pub struct ListItems {
    pages: ListPages,
    page: vec::IntoIter<ListedObject>,
}

impl ListItems {
    /// The next object; `None` after the last one.
    pub async fn next(&mut self) -> Option<Result<ListedObject, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// All objects, in memory: what an awaited [`List`] gives.
    ///
    /// # Errors
    /// The first error of any page.
    pub async fn collect(mut self) -> Result<Vec<ListedObject>, Error> {
        let mut objects = Vec::from_iter(self.page);
        while let Some(page) = self.pages.next().await {
            objects.append(&mut page?.objects);
        }
        Ok(objects)
    }
}

impl Stream for ListItems {
    type Item = Result<ListedObject, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(object) = self.page.next() {
                return Poll::Ready(Some(Ok(object)));
            }
            match ready!(Pin::new(&mut self.pages).poll_next(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(page)) => self.page = page.objects.into_iter(),
            }
        }
    }
}
