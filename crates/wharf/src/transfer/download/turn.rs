//! One at a time does what blocks its thread.

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use tokio::sync::Mutex;

/// Whose turn it is, among tasks.
#[derive(Debug, Default)]
pub(super) struct Turn {
    held: Mutex<()>,
    waiting: AtomicUsize,
}

/// One more that waits, until this is dropped.
struct Waiting<'t>(&'t AtomicUsize);

impl Turn {
    /// Does `work` when nobody else does. On this thread, whoever waits comes before what the caller does next.
    pub(super) async fn take<T>(&self, work: impl FnOnce() -> T) -> T {
        let turn = {
            let _waiting = Waiting::of(&self.waiting);
            self.held.lock().await
        };
        let done = work();
        drop(turn);
        if self.waiting.load(Ordering::Relaxed) > 0 {
            step_aside().await;
        }
        done
    }
}

impl<'t> Waiting<'t> {
    fn of(waiting: &'t AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Goes to the back of the run queue, from which other workers steal. The task that got the turn is in this worker's LIFO slot,
/// from which none does: without this, one worker would do everything. (Tokio's `yield_now` would wait until this worker has
/// nothing else to do.)
async fn step_aside() {
    let mut is_first = true;
    poll_fn(|cx| {
        if !std::mem::take(&mut is_first) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex as Log};

    use tokio::task::{JoinSet, yield_now};

    use super::*;

    /// On one thread: a task goes on only after the next has had its turn.
    #[tokio::test]
    async fn who_waits_comes_before_what_follows() {
        let (turn, log) = (Arc::new(Turn::default()), Arc::new(Log::new(Vec::new())));
        let first = turn.held.lock().await;
        let mut tasks = JoinSet::new();
        for name in ["a", "b"] {
            let (turn, log) = (turn.clone(), log.clone());
            tasks.spawn(async move {
                turn.take(|| log.lock().unwrap().push(format!("{name} has it"))).await;
                log.lock().unwrap().push(format!("{name} goes on"));
            });
        }
        while turn.waiting.load(Ordering::Relaxed) < 2 {
            yield_now().await;
        }
        drop(first);
        tasks.join_all().await;
        assert_eq!(*log.lock().unwrap(), ["a has it", "b has it", "b goes on", "a goes on"]);
    }

    #[tokio::test]
    async fn who_does_not_wait_any_more_is_not_counted() {
        let turn = Turn::default();
        let held = turn.held.lock().await;
        {
            let mut given_up = std::pin::pin!(turn.take(|| ()));
            assert!(poll_fn(|cx| Poll::Ready(given_up.as_mut().poll(cx).is_pending())).await);
            assert_eq!(turn.waiting.load(Ordering::Relaxed), 1);
        }
        assert_eq!(turn.waiting.load(Ordering::Relaxed), 0);
        drop(held);
        assert_eq!(turn.take(|| 7).await, 7);
    }
}
