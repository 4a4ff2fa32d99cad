//! A transfer that runs by itself: how far it is, how it ends, how to stop it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use wharf_proto::{Error, ErrorKind};

pub(crate) use super::watch::Watch;
use crate::runtime::RuntimeHandle;

/// How far a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes that have arrived and count, those of an earlier run that is resumed among them.
    pub bytes: u64,
    /// Bytes of an upload that were handed to the network and are not known to have arrived: a part counts when all of it
    /// is stored. They are sent again where their request fails.
    pub in_flight: u64,
    /// Bytes in all, where that is known.
    pub total: Option<u64>,
    /// Parts, ranges or objects that are done.
    pub parts: u64,
    /// Requests that failed and were made again.
    pub retries: u64,
    /// How long it has been running.
    pub elapsed: Duration,
    /// Bytes that this run moved.
    pub(super) moved: u64,
    /// Bytes a second, of late.
    pub(super) recent: u64,
}

impl Progress {
    /// Bytes a second, over the last three.
    pub fn rate(&self) -> f64 {
        self.recent as f64
    }

    /// Bytes a second since this run began.
    pub fn average_rate(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { self.moved as f64 / seconds } else { 0.0 }
    }
}

/// A transfer that runs in a task of its own. Await it for its result; dropping it cancels it.
#[derive(Debug)]
#[must_use = "dropping a transfer cancels it"]
pub struct Transfer<T> {
    task: JoinHandle<Result<T, Error>>,
    watch: Arc<Watch>,
    /// One of the client's own lives as long.
    runtime: RuntimeHandle,
}

impl<T: Send + 'static> Transfer<T> {
    /// Runs `work` in a task of the client's own `runtime`, or of the current one.
    pub(crate) fn start<W>(runtime: &RuntimeHandle, work: impl FnOnce(Arc<Watch>) -> W) -> Result<Self, Error>
    where
        W: Future<Output = Result<T, Error>> + Send + 'static,
    {
        // Where it runs, its time is kept.
        let _runtime = runtime.enter();
        let watch = Watch::new();
        let (end, work) = (End(watch.clone()), work(watch.clone()));
        let task = runtime.spawn(async move {
            let _end = end;
            work.await
        })?;
        Ok(Self { task, watch, runtime: runtime.clone() })
    }
}

impl<T> Transfer<T> {
    /// How far it is.
    pub fn progress(&self) -> Progress {
        self.watch.progress()
    }

    /// How far it is, at once and ten times a second, and a last time when it ends; then the stream ends. Ask the transfer
    /// itself how it went.
    ///
    /// What happens in between is left out, so a slow reader holds nothing up. Has to be polled inside a Tokio runtime, but for a
    /// transfer of [`wharf::blocking`](crate::blocking). Where the transfer itself may not be waited for, it ends at once.
    pub fn updates(&self) -> Updates {
        let watch = self.watch.clone();
        Updates { next: Box::pin(std::future::ready(())), watch, has_ended: false, runtime: self.runtime.clone() }
    }

    /// Stops it, and waits until what it began is undone: the upload aborted, the unfinished file removed, unless they were to
    /// be kept for resuming. That has the time that it takes, where a transfer that is dropped has 5 s. One that has ended
    /// already is left as it is.
    ///
    /// # Errors
    /// What could not be undone.
    pub async fn cancel(mut self) -> Result<(), Error> {
        self.runtime.must_be_awaitable_here()?;
        self.watch.will_be_awaited();
        self.task.abort();
        // Only when the task has ended is everything dropped that tidies up.
        if !self.task.is_finished() {
            let _ = (&mut self.task).await;
        }
        self.watch.tidied().await
    }
}

impl<T> Future for Transfer<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.runtime.must_be_awaitable_here()?;
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

/// Says that a transfer has ended, also one that is aborted.
struct End(Arc<Watch>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// A transfer's progress as a stream: see [`Transfer::updates`].
pub struct Updates {
    watch: Arc<Watch>,
    /// When to tell the next.
    next: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
    has_ended: bool,
    runtime: RuntimeHandle,
}

const INTERVAL: Duration = Duration::from_millis(100);

impl Updates {
    /// How far it is now; `None` when the transfer has ended.
    pub async fn next(&mut self) -> Option<Progress> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for Updates {
    type Item = Progress;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Progress>> {
        let this = &mut *self;
        if this.has_ended || this.runtime.must_be_awaitable_here().is_err() {
            return Poll::Ready(None);
        }
        std::task::ready!(this.next.as_mut().poll(cx));
        let mut end = Box::pin(this.watch.ending().notified_owned());
        // Only what is enabled before the question hears of an end that comes right after it.
        end.as_mut().enable();
        this.has_ended = this.watch.has_ended();
        let _runtime = this.runtime.enter();
        let next = timeout(INTERVAL, end);
        this.next = Box::pin(async move {
            let _ = next.await;
        });
        Poll::Ready(Some(this.watch.progress()))
    }
}

impl fmt::Debug for Updates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Updates").field("progress", &self.watch.progress()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::sync::oneshot;
    use tokio::time::{Instant, sleep};

    use super::*;

    fn here() -> RuntimeHandle {
        RuntimeHandle::default()
    }

    async fn next(updates: &mut Updates) -> Option<Progress> {
        poll_fn(|cx| Pin::new(&mut *updates).poll_next(cx)).await
    }

    #[tokio::test(start_paused = true)]
    async fn progress_is_told_now_and_then_and_to_the_end() {
        let work = |watch: Arc<Watch>| {
            watch.expect(1000);
            async move {
                for _ in 0..1000 {
                    sleep(Duration::from_millis(1)).await;
                    watch.moved(1);
                }
                watch.part_done();
                Ok(7)
            }
        };
        let transfer = Transfer::start(&here(), work).unwrap();
        let mut updates = transfer.updates();
        let mut seen = Vec::new();
        while let Some(progress) = next(&mut updates).await {
            seen.push(progress);
        }
        assert!((10..=13).contains(&seen.len()), "{}", seen.len());
        assert_eq!((seen[0].bytes, seen[0].total), (0, Some(1000)));
        assert!(seen.is_sorted_by_key(|progress| progress.bytes));
        let last = seen.last().unwrap();
        assert_eq!((last.bytes, last.parts), (1000, 1));
        assert!((900.0..1100.0).contains(&last.average_rate()), "{last:?}");
        assert_eq!(transfer.await.unwrap(), 7);
        assert!(next(&mut updates).await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_is_told_at_once() {
        let (done, until) = oneshot::channel::<()>();
        let transfer = Transfer::start(&here(), |_| async move {
            let _ = until.await;
            Ok(())
        })
        .unwrap();
        let mut updates = transfer.updates();
        next(&mut updates).await.unwrap();
        let start = Instant::now();
        done.send(()).unwrap();
        assert!(next(&mut updates).await.is_some());
        assert!(next(&mut updates).await.is_none());
        assert_eq!(start.elapsed(), Duration::ZERO);
        transfer.await.unwrap();
    }

    /// A transfer that, dropped, takes a second to tidy up.
    struct Tidy(Arc<Watch>, Option<oneshot::Sender<()>>);

    impl Drop for Tidy {
        fn drop(&mut self) {
            let done = self.1.take();
            let work = async move {
                sleep(Duration::from_secs(1)).await;
                done.map(|done| done.send(()));
                Ok(())
            };
            self.0.tidy_up(String::new(), work, Duration::from_secs(5));
        }
    }

    fn untidy() -> (Transfer<()>, oneshot::Receiver<()>) {
        let (done, tidied) = oneshot::channel();
        let work = |watch| {
            let guard = Tidy(watch, Some(done));
            async move {
                let _guard = guard;
                std::future::pending().await
            }
        };
        (Transfer::start(&here(), work).unwrap(), tidied)
    }

    #[tokio::test(start_paused = true)]
    async fn cancel_waits_for_what_is_tidied_up() {
        let (transfer, mut tidied) = untidy();
        let mut updates = transfer.updates();
        transfer.cancel().await.unwrap();
        tidied.try_recv().unwrap();
        next(&mut updates).await.unwrap();
        assert!(next(&mut updates).await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_dropped_tidies_up_in_the_background() {
        let (transfer, tidied) = untidy();
        drop(transfer);
        tidied.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn tidying_has_its_time_and_no_more() {
        let watch = Watch::new();
        let start = Instant::now();
        watch.tidy_up("a".to_owned(), std::future::pending(), Duration::from_secs(5));
        let error = watch.tidied().await.unwrap_err();
        assert_eq!((error.kind(), start.elapsed()), (ErrorKind::Timeout, Duration::from_secs(5)));
    }

    #[tokio::test]
    async fn one_that_has_ended_can_be_cancelled() {
        let mut transfer = Transfer::start(&here(), |_| async { Ok(1) }).unwrap();
        assert_eq!((&mut transfer).await.unwrap(), 1);
        transfer.cancel().await.unwrap();
    }

    #[test]
    fn a_runtime_that_ends_takes_its_transfers_along() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (transfer, other) = runtime.block_on(async { (untidy(), untidy()) });
        drop(runtime);
        drop(other);
        let mut updates = transfer.0.updates();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            while next(&mut updates).await.is_some() {}
            let error = transfer.0.cancel().await.unwrap_err();
            assert!(error.to_string().contains("its runtime ended"), "{error}");
        });
        // Dropped where there has never been a runtime.
        drop(Tidy(Watch::new(), None));
    }
}
