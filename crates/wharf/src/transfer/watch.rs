//! What a transfer reports into, and its handle reads.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use wharf_proto::{Error, ErrorKind};

use super::handle::Progress;
use super::patience::PATIENCE;
use crate::progress::Flight;

/// How far a transfer is, written by its requests.
#[derive(Debug)]
pub(crate) struct Watch {
    bytes: AtomicU64,
    flight: Arc<Flight>,
    /// Those of `bytes` that an earlier run moved.
    kept: AtomicU64,
    /// `u64::MAX` while it is not known.
    total: AtomicU64,
    parts: AtomicU64,
    /// Those that are known to come, where they become known one after the other.
    known: AtomicU64,
    retries: AtomicU64,
    start: Instant,
    /// Milliseconds after `start` at which there was progress last.
    progressed: AtomicU64,
    rate: Mutex<Rate>,
    has_ended: AtomicBool,
    end: Arc<Notify>,
    /// Where the transfer runs: it may be dropped elsewhere.
    runtime: Option<Handle>,
    /// What goes on after the transfer was dropped: see [`Watch::tidy_up`].
    tidying: Mutex<Tidying>,
    /// Whether somebody waits for that.
    is_awaited: AtomicBool,
    /// Of what this is a part.
    whole: Option<Arc<Self>>,
}

/// What is being tidied up, and the first error of what has been.
#[derive(Debug, Default)]
struct Tidying {
    tasks: Vec<JoinHandle<Result<(), Error>>>,
    failed: Option<Error>,
}

impl Tidying {
    /// Those that are done are not kept: there may be as many as a transfer has parts.
    fn add(&mut self, task: JoinHandle<Result<(), Error>>) {
        // One that is not done has to wake whoever waits for it, and is left as it is.
        self.hear(&mut Context::from_waker(Waker::noop()), JoinHandle::is_finished);
        self.tasks.push(task);
    }

    /// Asks those of its tasks how they went that are asked for.
    fn hear(&mut self, cx: &mut Context<'_>, which: impl Fn(&JoinHandle<Result<(), Error>>) -> bool) {
        let Self { tasks, failed } = self;
        tasks.retain_mut(|task| {
            if !which(task) {
                return true;
            }
            let Poll::Ready(done) = Pin::new(task).poll(cx) else { return true };
            let error = done.unwrap_or_else(|_| Err(untidy())).err();
            *failed = failed.take().or(error);
            false
        });
    }
}

impl Watch {
    pub(crate) fn new() -> Arc<Self> {
        Self::within(None)
    }

    /// Of a transfer that is a part of another: its bytes and retries are the other's too, what all parts have in flight is
    /// counted in one place, and the other waits for what it leaves to be done. Parts are not: those of the whole are whole transfers.
    pub(super) fn part_of(whole: &Arc<Self>) -> Arc<Self> {
        Self::within(Some(whole.clone()))
    }

    fn within(whole: Option<Arc<Self>>) -> Arc<Self> {
        Arc::new(Self {
            bytes: AtomicU64::new(0),
            flight: Arc::new(whole.as_ref().map(|whole| whole.flight.beside()).unwrap_or_default()),
            kept: AtomicU64::new(0),
            total: AtomicU64::new(u64::MAX),
            parts: AtomicU64::new(0),
            known: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            start: Instant::now(),
            progressed: AtomicU64::new(0),
            rate: Mutex::default(),
            has_ended: AtomicBool::new(false),
            end: Arc::default(),
            runtime: Handle::try_current().ok(),
            tidying: Mutex::default(),
            is_awaited: AtomicBool::new(false),
            whole,
        })
    }

    pub(crate) fn moved(&self, bytes: u64) {
        let now = self.start.elapsed();
        if bytes > 0 {
            self.progressed.store(now.as_millis() as u64, Ordering::Relaxed);
        }
        self.sample(now, self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes);
        if let Some(whole) = &self.whole {
            whole.moved(bytes);
        }
    }

    /// What is under way of it.
    pub(crate) fn flight(&self) -> Arc<Flight> {
        self.flight.clone()
    }

    /// Bytes that an earlier run of the same transfer moved.
    pub(crate) fn resumed(&self, bytes: u64) {
        self.kept.fetch_add(bytes, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if let Some(whole) = &self.whole {
            whole.resumed(bytes);
        }
    }

    /// All of it begins anew. That is rare enough that what is moved again is progress.
    pub(crate) fn begins_anew(&self) {
        let (bytes, kept) = (self.bytes.swap(0, Ordering::Relaxed), self.kept.swap(0, Ordering::Relaxed));
        if let Some(whole) = &self.whole {
            whole.take_back(bytes, kept);
        }
    }

    fn take_back(&self, bytes: u64, kept: u64) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.kept.fetch_sub(kept, Ordering::Relaxed);
    }

    /// A part of a whole has ended, of which so many bytes count, however many it has counted itself.
    pub(super) fn counts(&self, bytes: u64) {
        let Some(whole) = &self.whole else { return };
        let counted = self.bytes.swap(bytes, Ordering::Relaxed);
        match bytes.checked_sub(counted) {
            Some(more) => whole.moved(more),
            // What failed counts nothing, also not what an earlier run had.
            None if bytes == 0 => whole.take_back(counted, self.kept.swap(0, Ordering::Relaxed)),
            None => whole.take_back(counted - bytes, 0),
        }
    }

    pub(crate) fn expect(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    /// One more part, range or object is to come, of so many bytes.
    pub(crate) fn expect_more(&self, bytes: u64) {
        self.known.fetch_add(1, Ordering::Relaxed);
        // Nothing was known before the first.
        let more = |known: u64| Some(if known == u64::MAX { bytes } else { known.saturating_add(bytes) });
        let _ = self.total.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    pub(super) fn known(&self) -> u64 {
        self.known.load(Ordering::Relaxed)
    }

    pub(crate) fn part_done(&self) {
        self.parts.fetch_add(1, Ordering::Relaxed);
        self.progressed.store(self.start.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    pub(crate) fn retried(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
        if let Some(whole) = &self.whole {
            whole.retried();
        }
    }

    /// How long there has been no progress, and a mark of how far it is that changes with any.
    pub(super) fn still_for(&self) -> (Duration, (u64, u64)) {
        let progressed = Duration::from_millis(self.progressed.load(Ordering::Relaxed));
        let mark = (self.bytes.load(Ordering::Relaxed), self.parts.load(Ordering::Relaxed));
        (self.start.elapsed().saturating_sub(progressed), mark)
    }

    /// Somebody will wait for what is tidied up: it has the time that it takes.
    pub(super) fn will_be_awaited(&self) {
        self.is_awaited.store(true, Ordering::Relaxed);
    }

    fn is_awaited(&self) -> bool {
        self.is_awaited.load(Ordering::Relaxed) || self.whole.as_ref().is_some_and(|whole| whole.is_awaited())
    }

    /// Runs what a transfer that was dropped leaves to be done, for at most `limit`, or as long as a transfer goes on trying
    /// where somebody waits for it; `what` it is about is said where that fails, for perhaps nobody asks. Without a runtime
    /// nothing is done.
    pub(crate) fn tidy_up(
        &self,
        what: String,
        work: impl Future<Output = Result<(), Error>> + Send + 'static,
        limit: Duration,
    ) {
        let Some(runtime) = Handle::try_current().ok().or_else(|| self.runtime.clone()) else { return };
        let limit = if self.is_awaited() { limit.max(PATIENCE) } else { limit };
        let task = runtime.spawn(async move {
            let done = tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
                Err(Error::new(ErrorKind::Timeout, format!("{what}: not tidied up within {} s", limit.as_secs())))
            });
            done.inspect_err(|error| tracing::warn!(%error, what, "a transfer left something behind"))
        });
        let Some(whole) = &self.whole else { return self.tidies(task) };
        // How it went, the whole is told; the part only that it is over.
        let (over, heard) = oneshot::channel::<()>();
        whole.tidies(runtime.spawn(async move {
            let _over = over;
            task.await.unwrap_or_else(|_| Err(untidy()))
        }));
        self.tidies(runtime.spawn(async move {
            let _ = heard.await;
            Ok(())
        }));
    }

    fn tidies(&self, task: JoinHandle<Result<(), Error>>) {
        self.tidying().add(task);
    }

    fn tidying(&self) -> MutexGuard<'_, Tidying> {
        self.tidying.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for all that [`tidy_up`](Watch::tidy_up) began. One waits at a time; dropped before the end, it has taken nothing
    /// from who waits next.
    pub(super) async fn tidied(&self) -> Result<(), Error> {
        poll_fn(|cx| {
            let mut tidying = self.tidying();
            tidying.hear(cx, |_| true);
            match tidying.tasks.is_empty() {
                true => Poll::Ready(tidying.failed.take().map_or(Ok(()), Err)),
                false => Poll::Pending,
            }
        })
        .await
    }

    /// There will be no more to report.
    pub(super) fn end(&self) {
        self.has_ended.store(true, Ordering::Release);
        self.end.notify_waiters();
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    /// Wakes whoever waits when it ends.
    pub(super) fn ending(&self) -> Arc<Notify> {
        self.end.clone()
    }

    pub(super) fn progress(&self) -> Progress {
        let (bytes, now) = (self.bytes.load(Ordering::Relaxed), self.start.elapsed());
        let total = self.total.load(Ordering::Relaxed);
        let here = |bytes: u64| bytes.saturating_sub(self.kept.load(Ordering::Relaxed));
        Progress {
            bytes,
            in_flight: self.flight.bytes(),
            total: (total != u64::MAX).then_some(total),
            parts: self.parts.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            elapsed: now,
            moved: here(bytes),
            recent: self.rate.lock().unwrap_or_else(PoisonError::into_inner).at(now, here(bytes)),
        }
    }

    fn sample(&self, now: Duration, bytes: u64) {
        // Who finds it locked leaves it to the other.
        if let Ok(mut rate) = self.rate.try_lock() {
            rate.sample(now, bytes.saturating_sub(self.kept.load(Ordering::Relaxed)));
        }
    }
}

fn untidy() -> Error {
    Error::new(ErrorKind::Other, "the transfer is stopped, but its runtime ended before it was tidied up")
}

/// Bytes a second, of late.
#[derive(Debug, Default)]
struct Rate {
    /// When there were how many bytes, the oldest first.
    samples: VecDeque<(Duration, u64)>,
}

impl Rate {
    const EVERY: Duration = Duration::from_millis(100);
    const FOR: Duration = Duration::from_secs(3);

    fn sample(&mut self, now: Duration, bytes: u64) {
        let is_new = self.samples.back().is_none_or(|(at, _)| now.saturating_sub(*at) >= Self::EVERY);
        if is_new {
            self.samples.push_back((now, bytes));
            // The last one that is too old stays: it is where the time begins.
            while self.samples.get(1).is_some_and(|(at, _)| now.saturating_sub(*at) >= Self::FOR) {
                self.samples.pop_front();
            }
        }
    }

    fn at(&self, now: Duration, bytes: u64) -> u64 {
        let begin = now.saturating_sub(Self::FOR);
        let before = self.samples.iter().rev().find(|(at, _)| *at <= begin).copied().unwrap_or_default();
        // Since then nothing came, or less than the sampling shows.
        let (at, had) = (before.0.max(begin), before.1);
        let time = now.saturating_sub(at).as_secs_f64();
        if time > 0.0 { (bytes.saturating_sub(had) as f64 / time) as u64 } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_of_the_last_seconds() {
        let mut rate = Rate::default();
        let second = |n: u64| Duration::from_millis(n * 1000);
        for n in 0..=10 {
            rate.sample(second(n), n * 100);
        }
        assert_eq!(rate.at(second(10), 1000), 100);
        for n in 11..=20 {
            rate.sample(second(n), 1000 + (n - 10) * 10);
        }
        assert_eq!(rate.at(second(20), 1100), 10);
        assert_eq!(rate.at(second(40), 1100), 0);
        assert_eq!(Rate::default().at(second(2), 50), 25);
        assert_eq!(Rate::default().at(second(0), 50), 0);
        assert!(rate.samples.len() < 8);
    }

    #[tokio::test(start_paused = true)]
    async fn what_begins_anew_is_progress_again() {
        let watch = Watch::new();
        watch.resumed(100);
        watch.moved(10);
        watch.begins_anew();
        tokio::time::advance(Duration::from_secs(7)).await;
        watch.moved(10);
        assert_eq!(watch.still_for(), (Duration::ZERO, (10, 0)));
        let progress = watch.progress();
        assert_eq!((progress.bytes, progress.moved), (10, 10));
    }

    #[tokio::test]
    async fn who_stops_waiting_takes_nothing_from_who_waits_next() {
        let watch = Watch::new();
        let (done, heard) = oneshot::channel::<()>();
        let work = async {
            let _ = heard.await;
            Err(Error::new(ErrorKind::Other, "no"))
        };
        watch.tidy_up(String::new(), work, Duration::from_secs(5));
        let mut cx = Context::from_waker(Waker::noop());
        let mut waiting = Box::pin(watch.tidied());
        assert!(waiting.as_mut().poll(&mut cx).is_pending());
        drop(waiting);
        let next = tokio::spawn({
            let watch = watch.clone();
            async move { watch.tidied().await }
        });
        tokio::task::yield_now().await;
        assert!(!next.is_finished());
        // What is begun meanwhile silences nobody who waits.
        watch.tidy_up(String::new(), std::future::ready(Ok(())), Duration::from_secs(5));
        done.send(()).unwrap();
        assert_eq!(next.await.unwrap().unwrap_err().message(), "no");
    }

    /// However many parts of it fail.
    #[tokio::test]
    async fn what_was_tidied_up_is_not_kept() {
        let whole = Watch::new();
        for n in 0..1000 {
            let part = Watch::part_of(&whole);
            let done = if n == 500 { Err(Error::new(ErrorKind::Other, "no")) } else { Ok(()) };
            part.tidy_up(String::new(), std::future::ready(done), Duration::from_secs(5));
            let _ = part.tidied().await;
            tokio::task::yield_now().await;
        }
        let kept = whole.tidying().tasks.len();
        assert!(kept < 100, "{kept} are kept");
        assert_eq!(whole.tidied().await.unwrap_err().message(), "no");
        whole.tidied().await.unwrap();
    }

    #[tokio::test]
    async fn what_a_part_counts_the_whole_does() {
        let whole = Watch::new();
        let (one, two) = (Watch::part_of(&whole), Watch::part_of(&whole));
        one.moved(10);
        two.resumed(5);
        two.moved(5);
        one.retried();
        let progress = whole.progress();
        assert_eq!((progress.bytes, progress.moved, progress.retries), (20, 15, 1));
        one.begins_anew();
        one.moved(3);
        one.counts(4);
        two.counts(0);
        let progress = whole.progress();
        assert_eq!((progress.bytes, progress.moved, one.progress().bytes), (4, 4, 4));
    }
}
