//! The requests of a download.

use std::future::IntoFuture;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use wharf_proto::op::GetObject;
use wharf_proto::provider::{Condition, Habits};
use wharf_proto::transfer::journal::DownloadStart;
use wharf_proto::{ByteRange, ContentRange, CustomerKey, ETag, Error, ErrorKind, ObjectHead};

use super::OnChange;
use crate::transfer::budgets::Share;
use crate::transfer::handle::Watch;
use crate::transfer::journal::whole_path;
use crate::transfer::lane::{Lane, Slot};
use crate::transfer::patience::patiently_with;
use crate::{Client, ObjectBody};

/// What a download was told.
#[derive(Debug, Clone)]
pub(in crate::transfer) struct Options {
    pub(in crate::transfer) version_id: Option<String>,
    pub(in crate::transfer) range: Option<ByteRange>,
    pub(in crate::transfer) if_match: Option<ETag>,
    pub(in crate::transfer) if_none_match: Option<ETag>,
    pub(in crate::transfer) if_modified_since: Option<SystemTime>,
    pub(in crate::transfer) if_unmodified_since: Option<SystemTime>,
    pub(in crate::transfer) customer_key: Option<CustomerKey>,
    pub(in crate::transfer) request_payer: bool,
    pub(in crate::transfer) expected_bucket_owner: Option<String>,
    pub(in crate::transfer) part_size: u64,
    pub(in crate::transfer) concurrency: Option<usize>,
    pub(in crate::transfer) patience: Duration,
    pub(in crate::transfer) verify: Option<bool>,
    pub(in crate::transfer) on_change: OnChange,
}

/// A download: what is asked for, and all that its requests share. A cheap clone.
#[derive(Clone)]
pub struct Job(Arc<Shared>);

struct Shared {
    client: Client,
    bucket: String,
    key: String,
    options: Options,
    watch: Arc<Watch>,
    lane: Lane,
    /// The object was replaced meanwhile.
    changed: AtomicBool,
    /// The server does not give ranges of this object, or does not say of which object they are.
    no_ranges: AtomicBool,
    /// Bytes are missing that cannot be asked for alone.
    lost: AtomicBool,
    /// The bytes came, and were not the object's.
    spoilt: AtomicBool,
}

/// Of answers that are not of the object that was found.
const REPLACED: &str = "the object was replaced while it was read";

/// How often a download begins anew.
const RESTARTS: u32 = 3;

/// The object that a download found.
#[derive(Debug, Clone)]
pub(in crate::transfer) struct Found {
    /// Apart, for this goes from one future to the next.
    pub(in crate::transfer) head: Box<ObjectHead>,
    /// Which of its bytes are wanted. Without a known end it ends at `u64::MAX`.
    pub(in crate::transfer) wanted: Range<u64>,
    /// How many it has; `None` where the server does not say.
    pub(in crate::transfer) size: Option<u64>,
}

impl Found {
    fn of(head: ObjectHead, body: &ObjectBody, asked: Option<ByteRange>) -> Result<Self, Error> {
        let head = Box::new(head);
        let Some(header) = &head.content_range else {
            let length = body.left();
            let size = length.filter(|_| asked.is_none());
            return Ok(Self { wanted: 0..length.unwrap_or(u64::MAX), size, head });
        };
        let range = ContentRange::parse(header);
        let range = range.filter(|range| body.left().is_none_or(|left| left == range.bytes.end - range.bytes.start));
        let Some(ContentRange { bytes, size }) = range else {
            return Err(wrong_range(header));
        };
        let right = match (asked, size) {
            (Some(asked), Some(size)) => asked.of(size) == Some(bytes.clone()),
            // It was not asked for: then it must be everything.
            (None, size) => bytes.start == 0 && size == Some(bytes.end),
            (Some(_), None) => true,
        };
        if right { Ok(Self { head: head.clone(), wanted: bytes, size }) } else { Err(wrong_range(header)) }
    }

    pub(in crate::transfer) fn is_known_length(&self) -> bool {
        self.wanted.end != u64::MAX
    }

    pub(in crate::transfer) fn length(&self) -> u64 {
        self.wanted.end - self.wanted.start
    }

    /// Whether the rest can be asked for without the danger of another object's bytes.
    pub(in crate::transfer) fn can_be_pinned(&self) -> bool {
        // Without its size there is no telling whether a range is of the same object, or where this one lies.
        self.is_known_length()
            && self.size.is_some()
            && !self.head.etag.is_empty()
            && self.head.accept_ranges.as_deref().is_none_or(|unit| !unit.eq_ignore_ascii_case("none"))
    }

    /// What a journal says of a download of it.
    pub(super) fn start(&self, job: &Job, target: &Path) -> DownloadStart {
        let Shared { client, bucket, key, .. } = &*job.0;
        DownloadStart {
            endpoint: client.inner().endpoint.server(),
            bucket: bucket.clone(),
            key: key.clone(),
            path: whole_path(target).display().to_string(),
            etag: self.head.etag.clone(),
            version_id: self.head.version_id.clone(),
            size: self.size,
            wanted: self.wanted.clone(),
            since: client.inner().now(),
        }
    }

    /// Whether it is all of the object.
    pub(in crate::transfer) fn is_whole(&self) -> bool {
        self.wanted.start == 0 && self.size.is_none_or(|size| size == self.wanted.end)
    }
}

fn wrong_range(header: &str) -> Error {
    Error::new(ErrorKind::MalformedResponse, format!("the server sent another range than asked for: {header:?}"))
}

/// The error of a body without a length of its own that ends well, and is not whole.
pub(super) fn ended_early() -> Error {
    Error::new(ErrorKind::Transport, "the body ended before the last byte of its range")
}

impl Job {
    pub(in crate::transfer) fn new(
        client: Client,
        bucket: String,
        key: String,
        options: Options,
        watch: Arc<Watch>,
    ) -> Self {
        let lane = Lane::of(&client, options.concurrency);
        Self(Arc::new(Shared {
            client: client.for_transfers(),
            bucket,
            key,
            options,
            watch,
            lane,
            changed: AtomicBool::new(false),
            no_ranges: AtomicBool::new(false),
            lost: AtomicBool::new(false),
            spoilt: AtomicBool::new(false),
        }))
    }

    pub(super) fn options(&self) -> &Options {
        &self.0.options
    }

    /// Whose requests are made once.
    pub(super) fn client(&self) -> &Client {
        &self.0.client
    }

    pub(super) fn bucket(&self) -> &str {
        &self.0.bucket
    }

    pub(super) fn key(&self) -> &str {
        &self.0.key
    }

    pub(super) fn lane(&self) -> &Lane {
        &self.0.lane
    }

    /// What the server's provider does in its own way.
    pub(super) fn habits(&self) -> &Habits {
        &self.0.client.inner().sending.habits
    }

    pub(super) fn watch(&self) -> &Arc<Watch> {
        &self.0.watch
    }

    /// Makes `attempt` until it succeeds: see [`patiently`](crate::transfer::patience::patiently).
    pub(in crate::transfer) async fn patiently<T, F>(&self, mut attempt: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        self.patiently_with(|_| attempt()).await
    }

    /// The same for an attempt that waits for other things than the server: see [`patiently_with`].
    pub(super) async fn patiently_with<T, F>(&self, attempt: impl FnMut(Arc<Slot>) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let Shared { client, options, watch, lane, .. } = &*self.0;
        patiently_with(lane, watch, options.patience, || client.inner().clock.jitter(), attempt).await
    }

    /// A request moved so many bytes.
    pub(in crate::transfer) fn moved(&self, bytes: usize) {
        self.0.watch.moved(bytes as u64);
        self.0.lane.moved(bytes as u64);
    }

    /// Whether what its tasks fetch can be read on this thread.
    #[cfg(feature = "tokio-io")]
    pub(in crate::transfer) fn must_be_readable_here(&self) -> Result<(), Error> {
        self.0.client.inner().runtime.must_be_readable_here()
    }

    /// Memory for so many bytes, if there is any now.
    pub(in crate::transfer) fn try_memory(&self, bytes: usize) -> Option<Share> {
        self.0.client.inner().budgets.try_memory(bytes)
    }

    /// Whether the rest of a body that broke off can be asked for.
    pub(super) fn can_go_on(&self, found: &Found) -> bool {
        found.can_be_pinned() && !self.0.no_ranges.load(Ordering::Relaxed)
    }

    /// Whether one request is to read everything.
    pub(super) fn in_one_stream(&self, found: &Found) -> bool {
        !self.can_go_on(found) || found.length() <= self.options().part_size.saturating_mul(2)
    }

    /// The rest of a body that broke off cannot be asked for: only all of it.
    pub(super) fn lost(&self, error: Error) -> Error {
        self.0.no_ranges.store(true, Ordering::Relaxed);
        self.0.lost.store(true, Ordering::Relaxed);
        error
    }

    /// Whether a download that failed by `error` is to be begun anew, of which `before` failed so. Bytes that came spoilt are
    /// fetched once more: what happens each time is no fault of the way here.
    pub(super) fn begin_anew(&self, error: &Error, before: u32) -> bool {
        // What has a hint has another reason.
        let spoilt = error.kind() == ErrorKind::Corrupt && error.hint().is_none();
        let spoilt = spoilt && !self.0.spoilt.swap(true, Ordering::Relaxed);
        let changed = self.0.changed.swap(false, Ordering::Relaxed);
        let lost = self.0.lost.swap(false, Ordering::Relaxed);
        let wanted = changed && self.options().on_change == OnChange::Restart;
        let anew = spoilt || (before < RESTARTS && (wanted || (!changed && lost)));
        if anew {
            self.0.watch.begins_anew();
        }
        if spoilt {
            self.0.watch.retried();
            self.0.lane.retried();
        }
        anew
    }

    /// What is said of a download that is not begun anew, of which `before` were.
    pub(super) fn given_up(&self, error: Error, before: u32) -> Error {
        if error.kind() != ErrorKind::Corrupt {
            return error;
        }
        let error = error.with_attempts(before + 1);
        match error.hint() {
            Some(_) => error,
            None if self.0.spoilt.load(Ordering::Relaxed) => error.with_hint(
                "it came so each time: the object may be spoilt where it is kept, or something on the way changes it",
            ),
            None => error.with_hint("download it again, and use nothing of what came"),
        }
    }

    fn get(&self) -> GetObject<Client> {
        let Shared { client, bucket, key, options, .. } = &*self.0;
        let mut get = client.get_object(bucket, key);
        if let Some(version) = &options.version_id {
            get = get.version_id(version);
        }
        if let Some(key) = &options.customer_key {
            get = get.customer_key(key.clone());
        }
        if options.request_payer {
            get = get.request_payer();
        }
        if let Some(owner) = &options.expected_bucket_owner {
            get = get.expected_bucket_owner(owner);
        }
        get
    }

    /// What there is, without its bytes; `None` where it cannot be read, or not so.
    pub(super) async fn look(&self) -> Result<Option<Found>, Error> {
        let options = self.options();
        let Shared { client, bucket, key, .. } = &*self.0;
        let looked = self.patiently(|| {
            let mut head = client.head_object(bucket, key).checksum_mode(options.verify != Some(false));
            if let Some(version) = &options.version_id {
                head = head.version_id(version);
            }
            if let Some(key) = &options.customer_key {
                head = head.customer_key(key.clone());
            }
            if options.request_payer {
                head = head.request_payer();
            }
            if let Some(owner) = &options.expected_bucket_owner {
                head = head.expected_bucket_owner(owner);
            }
            if let Some(etag) = &options.if_match {
                head = head.if_match(etag);
            }
            if let Some(etag) = &options.if_none_match {
                head = head.if_none_match(etag);
            }
            if let Some(time) = options.if_modified_since {
                head = head.if_modified_since(time);
            }
            if let Some(time) = options.if_unmodified_since {
                head = head.if_unmodified_since(time);
            }
            head.into_future()
        });
        let head = match looked.await {
            Ok(head) => head,
            // Reading it says why, in more words.
            Err(error) if error.status().is_some_and(|status| !status.is_server_error()) => return Ok(None),
            Err(error) => return Err(error),
        };
        let size = head.content_length;
        let wanted = options.range.map_or(Some(0..size), |range| range.of(size));
        let found =
            wanted.map(|wanted| Found { head: Box::new(head), wanted, size: Some(size) }).filter(Found::can_be_pinned);
        if let Some(found) = &found {
            self.watch().expect(found.length());
        }
        Ok(found)
    }

    /// The first request: it tells what there is, and its body is the beginning.
    pub(in crate::transfer) async fn first(&self) -> Result<(Found, ObjectBody), Error> {
        let options = self.options();
        let mut get = self.get();
        if let Some(range) = options.range {
            get = get.range(range);
        }
        if let Some(etag) = &options.if_match {
            get = get.if_match(etag);
        }
        if let Some(etag) = &options.if_none_match {
            get = get.if_none_match(etag);
        }
        if let Some(time) = options.if_modified_since {
            get = get.if_modified_since(time);
        }
        if let Some(time) = options.if_unmodified_since {
            get = get.if_unmodified_since(time);
        }
        let object = get.checksum_mode(options.range.is_none() && options.verify != Some(false)).await?;
        let (head, mut body) = (object.head, object.body);
        body.unchecked();
        let found = Found::of(head, &body, options.range)?;
        // A server that can only be asked for all of it gets all the time there is.
        if self.can_go_on(&found) {
            body.silent_for(self.silence(0));
        }
        self.watch().expect(if found.is_known_length() { found.length() } else { u64::MAX });
        Ok((found, body))
    }

    /// How long a body may be silent until what is left of it is asked for again, after `silences` that were too long: a third
    /// of the client's progress timeout, so that a connection that hangs holds up less, then two, then all of it, for a
    /// server that is slow.
    fn silence(&self, silences: u32) -> Duration {
        let limit = self.0.client.inner().stall_limit;
        (limit / 3).saturating_mul(silences.saturating_add(1)).min(limit)
    }

    /// The body of a range of what was found, of which others broke off after `silences`.
    ///
    /// # Errors
    /// `PreconditionFailed` where the object is another now, `MalformedResponse` where the server sends other bytes.
    pub(super) async fn range(&self, found: &Found, range: Range<u64>, silences: u32) -> Result<ObjectBody, Error> {
        let mut get = self.get().range(range.clone());
        // Where the provider ignores it, the answer's tag has to do; a weak one cannot.
        let is_ignored = self.habits().ignores.contains(Condition::ReadIfMatch);
        if is_ignored && found.head.etag.is_weak() {
            let problem =
                "the server's tags are weak, and it compares none: the bytes of two answers may be of two objects";
            return Err(self.lost(Error::new(ErrorKind::Unsupported, problem)));
        }
        if !is_ignored {
            get = get.if_match(&found.head.etag);
        }
        let object = match get.await {
            Ok(object) => object,
            // A weak tag of the server's own matches nothing, though the object is the same: then it is read as a whole.
            Err(error) if error.kind() == ErrorKind::PreconditionFailed && found.head.etag.is_weak() => {
                return Err(self.lost(error));
            }
            Err(error) if error.kind() == ErrorKind::PreconditionFailed => {
                self.0.changed.store(true, Ordering::Relaxed);
                return Err(error);
            }
            // What a shorter one has not.
            Err(error) if error.kind() == ErrorKind::InvalidRange => {
                self.0.changed.store(true, Ordering::Relaxed);
                return Err(error.with_kind(ErrorKind::PreconditionFailed).with_message(REPLACED));
            }
            Err(error) if error.kind() == ErrorKind::MalformedResponse => return Err(self.lost(error)),
            Err(error) => return Err(error),
        };
        if object.etag != found.head.etag && !object.etag.is_empty() {
            self.0.changed.store(true, Ordering::Relaxed);
            return Err(Error::new(ErrorKind::PreconditionFailed, REPLACED));
        }
        let header = object.content_range.as_deref().unwrap_or_default();
        let right = match ContentRange::parse(header) {
            Some(sent) => sent.bytes == range && (sent.size.is_none() || sent.size == found.size),
            // All of it, from a server without ranges.
            None => header.is_empty() && range.start == 0 && Some(range.end) == found.size,
        };
        if !right || object.etag.is_empty() {
            return Err(self.lost(wrong_range(header)));
        }
        let mut body = object.body;
        body.unchecked();
        body.silent_for(self.silence(silences));
        Ok(body)
    }
}
