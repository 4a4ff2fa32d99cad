//! Syncs: a folder and a prefix of a bucket, or two prefixes, become the same.

mod item;
mod outcome;
mod place;
mod side;
mod spill;
pub(super) mod walk;
mod work;

use std::fmt;
use std::future::{IntoFuture, poll_fn};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use tracing::Instrument;
use wharf_proto::operation::SendFuture;
use wharf_proto::sync_plan::{Compare, Rules};
use wharf_proto::{CustomerKey, Error};

use super::copy::Copy;
use super::download::Download;
use super::feed::Feed;
use super::handle::{Progress, Transfer, Watch};
use super::patience::PATIENCE;
use super::upload::Upload;
use crate::Client;
use crate::runtime::RuntimeHandle;
pub use outcome::{SyncAction, SyncItem, Synced};
pub use place::{IntoSyncPlace, SyncPlace};
use walk::Links;
pub use walk::{Hides, Trouble};
use work::{Told, Work};

/// How many entries are carried out at a time.
const AT_ONCE: usize = 16;

/// Makes a target like its source: [`Client::sync`].
///
/// Both ends are read in the order of their keys and compared as they come, so that ten million entries take no more memory than
/// ten; of a folder that is read, and of each above it, 8 MiB of names are held. More names than that, and an end that does not
/// come in order, are sorted on disk (`TMPDIR`). What is missing or differs is uploaded, downloaded or copied, by [`Client::upload`], [`Client::download`] and
/// [`Client::copy`]. When nothing has changed, that is one listing request for a thousand keys, and no more
/// but for files of the second in which they were stored.
///
/// An entry differs if its size does, or if the source was written later. S3 keeps whole seconds: where a file was written later in the
/// very second in which its object was stored, its bytes decide, for which the object is asked for (HeadObject), also in a dry
/// run, and the file is read. A file that was downloaded gets the
/// object's time, unless its file system takes none.
///
/// One entry that fails does not stop the others: it is told of, and counted. So is what cannot be read, and what cannot be
/// written: a name that is not UTF-8, a key that leads out of the folder, or that is called like what a download has not ended
/// ([`LocalTree`](super::LocalTree)), a file where a folder must be, two keys that are one name on the disk. The markers of
/// folders, empty objects whose key ends with `/`, are left alone where the other end is a folder.
///
/// # Deleting
/// Nothing is deleted unless [`delete`](Sync::delete) says so. Then it comes last, when both ends have been read to their end.
/// Where a part of one could not be read, or something could not be transferred, nothing is: see [`Synced::withheld`] and
/// [`delete_after_failures`](Sync::delete_after_failures). What stands for something that could not be read itself, as for a pipe,
/// is left alone; where there are more than 10,000 of those, everything is.
///
/// # Errors
/// Those of the listings. [`InvalidInput`](crate::ErrorKind::InvalidInput) for a source folder that does not exist, for ends that
/// lie in each other, and for an empty source that would delete all of the target, unless
/// [`allow_empty_source`](Sync::allow_empty_source) permits that.
#[must_use = "a call does nothing until it is awaited"]
pub struct Sync {
    client: Client,
    source: SyncPlace,
    target: SyncPlace,
    rules: Rules,
    filter: Box<dyn Fn(&str) -> bool + Send + std::marker::Sync>,
    tweaks: Tweaks,
    links: Links,
    dry_run: bool,
    allow_empty_source: bool,
    deletes_after_failures: bool,
    leaves_markers: bool,
    report_skipped: bool,
    concurrency: usize,
    parallel: usize,
    page_size: Option<u32>,
    patience: Duration,
    request_payer: bool,
    customer_keys: CustomerKeys,
    resumable: bool,
    takes_new: Option<Choose>,
}

/// Whether an entry is transferred.
type Choose = Arc<dyn Fn(&str) -> Result<bool, Error> + Send + std::marker::Sync>;

type Tweak<T> = Option<Box<dyn Fn(T) -> T + Send + std::marker::Sync>>;

/// What the objects of both ends are encrypted with.
#[derive(Default)]
struct CustomerKeys {
    source: Option<CustomerKey>,
    target: Option<CustomerKey>,
}

/// What the caller changes about each call.
#[derive(Default)]
struct Tweaks {
    upload: Tweak<Upload>,
    download: Tweak<Download<PathBuf>>,
    copy: Tweak<Copy>,
}

impl Client {
    /// Makes `target` like `source`, a folder or a prefix each: see [`Sync`](crate::transfer::Sync).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?;
    /// # let directory = std::env::temp_dir().join(format!("wharf-doc-sync-{}", std::process::id()));
    /// # std::fs::create_dir_all(&directory).unwrap();
    /// # let photos = directory.as_path();
    /// std::fs::write(photos.join("a.jpg"), "a photo").unwrap();
    /// let synced = s3.sync(photos, ("my-bucket", "photos/")).delete(true).await?;
    /// assert_eq!((synced.transferred, synced.failed), (1, 0));
    /// # std::fs::remove_dir_all(&directory).unwrap();
    /// # Ok(()) }
    /// ```
    pub fn sync(&self, source: impl IntoSyncPlace, target: impl IntoSyncPlace) -> Sync {
        Sync {
            client: self.clone(),
            source: source.into_sync_place(),
            target: target.into_sync_place(),
            rules: Rules::default(),
            filter: Box::new(|_| true),
            tweaks: Tweaks::default(),
            links: Links::Follow,
            dry_run: false,
            allow_empty_source: false,
            deletes_after_failures: false,
            leaves_markers: false,
            report_skipped: false,
            concurrency: AT_ONCE,
            parallel: 1,
            page_size: None,
            patience: PATIENCE,
            request_payer: false,
            customer_keys: CustomerKeys::default(),
            resumable: false,
            takes_new: None,
        }
    }
}

impl Sync {
    /// Whether entries of the target that the source does not have are deleted. No by default.
    pub fn delete(mut self, delete: bool) -> Self {
        self.rules.delete = delete;
        self
    }

    /// What counts as a difference: [`Compare::SizeAndTime`] by default. [`Compare::Checksum`] asks for each object that has the
    /// size of its file (HeadObject) and reads the file. A checksum that the server keeps comes first; where there is none, the
    /// ETag does if it is an MD5 there ([`trust_etags`](crate::ClientBuilder::trust_etags)). Of an object in parts, what the
    /// server has depends on where they were cut: the size that [`uploads`](Sync::uploads) says, wharf's own and those of other
    /// clients are tried. What nothing proves to be the same is transferred ([`Reason::Unproven`](crate::transfer::Reason::Unproven)).
    pub fn compare(mut self, compare: Compare) -> Self {
        self.rules.compare = compare;
        self
    }

    /// Whether what differs is replaced: yes by default. If not, only what the target does not have is brought, no bytes are
    /// compared, and what is left alone is told of as [`SyncAction::Keep`]. What appears meanwhile is not replaced either, and is
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed): objects are written with `if_absent`. Where the server is
    /// known to ignore that ([`Habits::ignores`](crate::provider::Habits::ignores)), it is left out, and they are replaced; no
    /// file is. A bucket of which it is not known whether it comes in order is sorted first.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.rules.keep = !overwrite;
        self
    }

    /// Leaves out what this says no to, at both ends: it is neither transferred nor deleted. It gets the path below them.
    pub fn filter(mut self, keep: impl Fn(&str) -> bool + Send + std::marker::Sync + 'static) -> Self {
        self.filter = Box::new(keep);
        self
    }

    /// Says what would be done, and does nothing.
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Whether symbolic links in a source folder are what they lead to. Yes by default; else they are left out, and those in a
    /// target folder are not deleted. What is downloaded replaces a link to a file either way, and never what it leads to.
    pub fn follow_symlinks(mut self, follow: bool) -> Self {
        self.links = if follow { Links::Follow } else { Links::Skip };
        self
    }

    /// Whether an empty source may delete all of the target, and a folder that does not exist counts as empty.
    pub fn allow_empty_source(mut self, allow: bool) -> Self {
        self.allow_empty_source = allow;
        self
    }

    /// Whether deletes are carried out although something could not be transferred. No by default: what was given another name and
    /// could not be stored under it would be nowhere. What no file or key can be named, and what is there already, counts for nothing.
    pub fn delete_after_failures(mut self, delete: bool) -> Self {
        self.deletes_after_failures = delete;
        self
    }

    /// Whether the markers of folders are left alone between two prefixes as well. No by default: there they are objects.
    pub fn leave_markers(mut self, leave: bool) -> Self {
        self.leaves_markers = leave;
        self
    }

    /// Whether entries that are left alone are told of too. A bucket of which it is not known whether it comes in order is sorted
    /// first then.
    pub fn report_skipped(mut self, report: bool) -> Self {
        self.report_skipped = report;
        self
    }

    /// How many entries are transferred at a time: 16 by default. Each may have several requests in flight.
    pub fn concurrency(mut self, entries: usize) -> Self {
        self.concurrency = entries.max(1);
        self
    }

    /// How many requests list a bucket at a time: see [`List::parallel`](super::List::parallel). One by default.
    pub fn list_parallel(mut self, requests: usize) -> Self {
        self.parallel = requests;
        self
    }

    /// How many names a listing request asks for: 1,000 by default, which is the most that S3 gives.
    pub fn page_size(mut self, names: u32) -> Self {
        self.page_size = Some(names);
        self
    }

    /// Asks of each entry that the target does not have whether it is transferred; one at a time, and mostly in the order of
    /// the keys. It gets the path below both ends. What it says `false` to counts as skipped, and an error ends the sync. It
    /// runs on a thread that may block.
    pub fn take_new(
        mut self,
        takes: impl Fn(&str) -> Result<bool, Error> + Send + std::marker::Sync + 'static,
    ) -> Self {
        self.takes_new = Some(Arc::new(takes));
        self
    }

    /// How long to go on trying while nothing moves: 5 minutes by default.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Confirms that the caller pays for the requests, where the bucket's owner does not.
    pub fn request_payer(mut self) -> Self {
        self.request_payer = true;
        self
    }

    /// The key that the source's objects are encrypted with, for the HeadObject by which [`Compare::Checksum`] compares them. The
    /// transfers get theirs by [`downloads`](Sync::downloads) and [`copies`](Sync::copies).
    pub fn source_customer_key(mut self, key: CustomerKey) -> Self {
        self.customer_keys.source = Some(key);
        self
    }

    /// The same of the target's objects. The transfers get theirs by [`uploads`](Sync::uploads) and [`copies`](Sync::copies).
    pub fn target_customer_key(mut self, key: CustomerKey) -> Self {
        self.customer_keys.target = Some(key);
        self
    }

    /// Has uploads in parts, and downloads from 64 MiB on, go on where an interrupted sync left them: see
    /// [`Upload::resumable`] and [`Download::resumable`]. No by default.
    pub fn resumable(mut self, resumable: bool) -> Self {
        self.resumable = resumable;
        self
    }

    /// Changes each upload before it is sent: its storage class, say. [`Compare::Checksum`] has it change one for each object in
    /// parts, to learn their size, and it is not sent where the bytes turn out to be the same.
    pub fn uploads(mut self, change: impl Fn(Upload) -> Upload + Send + std::marker::Sync + 'static) -> Self {
        self.tweaks.upload = Some(Box::new(change));
        self
    }

    /// Changes each download before it is sent. With [`preserve_modified`](Download::preserve_modified) a file gets the time that
    /// the metadata has, which is before the object was stored: compared by their times, it is downloaded again every time.
    pub fn downloads(
        mut self,
        change: impl Fn(Download<PathBuf>) -> Download<PathBuf> + Send + std::marker::Sync + 'static,
    ) -> Self {
        self.tweaks.download = Some(Box::new(change));
        self
    }

    /// Changes each copy before it is sent.
    pub fn copies(mut self, change: impl Fn(Copy) -> Copy + Send + std::marker::Sync + 'static) -> Self {
        self.tweaks.copy = Some(Box::new(change));
        self
    }

    /// What becomes of each entry, as it becomes known: not in the order of the keys. Ends with an error where the sync does.
    pub fn events(self) -> SyncEvents {
        let watch = Watch::new();
        let runtime = self.client.inner().runtime.clone();
        SyncEvents { runtime, feed: self.feed(watch.clone()), watch, skipped: 0, withheld: 0, source_was_empty: false }
    }

    /// Begins in a task of its own. Its progress counts what is transferred.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) outside a Tokio runtime, but for a client of
    /// [`wharf::blocking`](crate::blocking).
    pub fn start(self) -> Result<Transfer<Synced>, Error> {
        let client = self.client.clone();
        Transfer::start(&client.inner().runtime, |watch| self.total(watch))
    }

    fn feed(self, watch: Arc<Watch>) -> Feed<Told> {
        let client = self.client.clone();
        Feed::new(&client, 64, |out| {
            Arc::new(Work {
                client: self.client,
                source: self.source.0,
                target: self.target.0,
                rules: self.rules,
                filter: self.filter,
                tweaks: self.tweaks,
                links: self.links,
                dry_run: self.dry_run,
                allow_empty_source: self.allow_empty_source,
                leaves_markers: self.leaves_markers,
                report_skipped: self.report_skipped,
                at_once: self.concurrency,
                parallel: self.parallel,
                page_size: self.page_size,
                takes_new: self.takes_new,
                patience: self.patience,
                request_payer: self.request_payer,
                customer_keys: self.customer_keys,
                resumable: self.resumable,
                watch,
                out,
                blind: false.into(),
                unread: Mutex::default(),
                incomplete: false.into(),
                deletes_after_failures: self.deletes_after_failures,
                again: false.into(),
                unserved: false.into(),
                same: 0.into(),
                failed: Mutex::default(),
            })
            .run()
            .instrument(tracing::debug_span!("sync"))
        })
    }

    async fn total(self, watch: Arc<Watch>) -> Result<Synced, Error> {
        let mut feed = self.feed(watch);
        let mut synced = Synced::default();
        while let Some(told) = poll_fn(|cx| Pin::new(&mut feed).poll_next(cx)).await {
            synced.count(told?);
        }
        Ok(synced)
    }
}

impl IntoFuture for Sync {
    type Output = Result<Synced, Error>;
    type IntoFuture = SendFuture<Synced>;

    fn into_future(self) -> Self::IntoFuture {
        let client = self.client.clone();
        client.inner().runtime.run(self.total(Watch::new()))
    }
}

impl fmt::Debug for Sync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sync")
            .field("source", &self.source)
            .field("target", &self.target)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

/// What becomes of each entry, as a [`Stream`]. Nothing is done until it is polled; dropping it stops the sync, and
/// [`cancel`](SyncEvents::cancel) waits until it has stopped.
#[must_use = "streams do nothing unless polled"]
pub struct SyncEvents {
    runtime: RuntimeHandle,
    feed: Feed<Told>,
    watch: Arc<Watch>,
    skipped: u64,
    withheld: u64,
    source_was_empty: bool,
}

impl SyncEvents {
    /// What became of the next entry; `None` after the last one.
    pub async fn next(&mut self) -> Option<Result<SyncItem, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Stops it, and waits until what was under way is undone: uploads aborted, unfinished files removed, unless they were to be
    /// kept for resuming. That has the time that it takes, where a sync that is dropped has 5 s. What has arrived stays.
    ///
    /// # Errors
    /// What could not be undone.
    pub async fn cancel(self) -> Result<(), Error> {
        self.runtime.must_be_awaitable_here()?;
        self.watch.will_be_awaited();
        self.feed.stop().await;
        self.watch.tidied().await
    }

    /// How far it is: `bytes` are those that have arrived, `parts` the entries that are whole, and `total` has the bytes of all
    /// that are known to be transferred, so far. The two listings are read no further ahead than there is work to do.
    pub fn progress(&self) -> Progress {
        self.watch.progress()
    }

    /// How many entries are known to be transferred, so far, with those that were.
    pub fn known(&self) -> u64 {
        self.watch.known()
    }

    /// How many entries were left alone, as far as is known: [`Synced::skipped`].
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// How many deletes were not carried out: [`Synced::withheld`].
    pub fn withheld(&self) -> u64 {
        self.withheld
    }

    /// Whether the source had nothing, as is known at the end: [`Synced::source_was_empty`].
    pub fn source_was_empty(&self) -> bool {
        self.source_was_empty
    }
}

impl Stream for SyncEvents {
    type Item = Result<SyncItem, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match ready!(Pin::new(&mut self.feed).poll_next(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(Told::Item(item))) => return Poll::Ready(Some(Ok(item))),
                Some(Ok(Told::Skipped(count))) => self.skipped += count,
                Some(Ok(Told::Withheld(count))) => self.withheld += count,
                Some(Ok(Told::SourceEmpty)) => self.source_was_empty = true,
            }
        }
    }
}

impl fmt::Debug for SyncEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncEvents").finish_non_exhaustive()
    }
}
