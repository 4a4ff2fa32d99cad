//! A transfer that runs by itself: how far it is, how it ends, how to stop it.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;
use wharf_proto::{Error, ErrorKind};

/// How far a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes that have arrived and count, those of an earlier run that is resumed among them.
    pub bytes: u64,
    /// Bytes in all, where that is known.
    pub total: Option<u64>,
    /// Parts, ranges or objects that are done.
    pub parts: u64,
    /// Requests that failed and were made again.
    pub retries: u64,
    /// How long it has been running.
    pub elapsed: Duration,
}

impl Progress {
    /// Bytes a second since the beginning.
    pub fn rate(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { self.bytes as f64 / seconds } else { 0.0 }
    }
}

/// What a transfer reports into and its handle reads.
#[derive(Debug)]
pub(crate) struct Watch {
    bytes: AtomicU64,
    /// `u64::MAX` while it is not known.
    total: AtomicU64,
    parts: AtomicU64,
    retries: AtomicU64,
    start: Instant,
    /// What goes on after the transfer was dropped: see [`Watch::tidy_up`].
    tidying: Mutex<Vec<JoinHandle<Result<(), Error>>>>,
}

impl Watch {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            bytes: AtomicU64::new(0),
            total: AtomicU64::new(u64::MAX),
            parts: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            start: Instant::now(),
            tidying: Mutex::default(),
        })
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn moved(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes that were counted and have to be moved again.
    pub(crate) fn lost(&self, bytes: u64) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(crate) fn expect(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    pub(crate) fn part_done(&self) {
        self.parts.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn retried(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// Runs what a transfer that was dropped leaves to be done, for at most `limit`. Without a runtime nothing is done.
    pub(crate) fn tidy_up(&self, work: impl Future<Output = Result<(), Error>> + Send + 'static, limit: Duration) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let task = runtime.spawn(async move {
            tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
                Err(Error::new(ErrorKind::Timeout, format!("not tidied up within {} s", limit.as_secs())))
            })
        });
        self.tidying.lock().unwrap_or_else(PoisonError::into_inner).push(task);
    }

    fn progress(&self) -> Progress {
        let total = self.total.load(Ordering::Relaxed);
        Progress {
            bytes: self.bytes(),
            total: (total != u64::MAX).then_some(total),
            parts: self.parts.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            elapsed: self.start.elapsed(),
        }
    }
}

/// A transfer that runs in a task of its own. Await it for its result; dropping it cancels it.
#[derive(Debug)]
#[must_use = "dropping a transfer cancels it"]
pub struct Transfer<T> {
    task: JoinHandle<Result<T, Error>>,
    watch: Arc<Watch>,
}

impl<T: Send + 'static> Transfer<T> {
    /// Runs `work` in a task of the current runtime.
    pub(crate) fn start(
        watch: Arc<Watch>,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<Self, Error> {
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|_| Error::invalid_input("no Tokio runtime on this thread: start the transfer inside one"))?;
        Ok(Self { task: runtime.spawn(work), watch })
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        self.watch.progress()
    }

    /// Stops it, and waits until what it began is undone: the upload aborted, the unfinished file removed, unless they were to
    /// be kept for resuming.
    ///
    /// # Errors
    /// What could not be undone.
    pub async fn cancel(mut self) -> Result<(), Error> {
        self.task.abort();
        // Only when the task has ended is everything dropped that tidies up.
        let _ = (&mut self.task).await;
        let tidying = std::mem::take(&mut *self.watch.tidying.lock().unwrap_or_else(PoisonError::into_inner));
        let mut result = Ok(());
        for task in tidying {
            result =
                result.and(task.await.unwrap_or_else(|_| Err(Error::new(ErrorKind::Other, "the runtime has ended"))));
        }
        result
    }
}

impl<T> Future for Transfer<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.task).poll(cx).map(|joined| match joined {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(Error::new(ErrorKind::Other, "the transfer was cancelled: its runtime has ended")),
            },
        })
    }
}

impl<T> Drop for Transfer<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}
