//! The tasks that help one future.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::task::JoinSet;
use wharf_proto::{Error, ErrorKind};

/// Tasks that end with it. The first that fails ends everything.
#[derive(Debug, Default)]
pub(super) struct Crew(Mutex<Tasks>);

#[derive(Debug, Default)]
struct Tasks {
    set: JoinSet<Result<(), Error>>,
    /// Nobody would end what began now.
    is_over: bool,
}

impl Crew {
    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has it done beside the others, unless they were ended.
    pub(super) fn spawn(&self, work: impl Future<Output = Result<(), Error>> + Send + 'static) {
        let mut tasks = self.tasks();
        if !tasks.is_over {
            tasks.set.spawn(work);
        }
    }

    /// Ready when all tasks have ended well, or one has not.
    fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            match self.tasks().set.poll_join_next(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Ready(Some(Ok(Ok(())))) => {}
                Poll::Ready(Some(Ok(Err(error)))) => return Poll::Ready(Err(error)),
                Poll::Ready(Some(Err(error))) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => return Poll::Ready(Err(Error::new(ErrorKind::Other, "the runtime has ended"))),
                },
            }
        }
    }

    /// What `front` gives, unless a task fails before.
    pub(super) async fn beside<T>(
        &self,
        mut front: Pin<&mut impl Future<Output = Result<T, Error>>>,
    ) -> Result<T, Error> {
        poll_fn(|cx| {
            // Before the tasks, for it begins some.
            if let Poll::Ready(done) = front.as_mut().poll(cx) {
                return Poll::Ready(done);
            }
            match self.poll_ended(cx) {
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                _ => Poll::Pending,
            }
        })
        .await
    }

    /// Ends all tasks, and waits until they hold nothing any more.
    pub(super) async fn stop(&self) {
        self.abort();
        // How each ended does not matter any more.
        while poll_fn(|cx| self.tasks().set.poll_join_next(cx)).await.is_some() {}
    }

    /// The same, without waiting. Needs no runtime.
    pub(super) fn abort(&self) {
        let mut tasks = self.tasks();
        tasks.is_over = true;
        tasks.set.abort_all();
    }

    /// Waits for all tasks.
    pub(super) async fn join(&self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_ended(cx)).await
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::time::Duration;

    use futures_util::FutureExt;
    use tokio::sync::oneshot;
    use tokio::task::yield_now;
    use tokio::time::sleep;

    use super::*;

    /// On a paused clock: what would wait for ever fails at once, also where looking once more would help.
    async fn soon<T>(waited_for: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            () = sleep(Duration::from_secs(60)) => panic!("it was not woken"),
            done = waited_for => done,
        }
    }

    /// Holds `held` until it is ended.
    async fn forever(held: Arc<()>) -> Result<(), Error> {
        let _held = held;
        std::future::pending().await
    }

    #[tokio::test(start_paused = true)]
    async fn what_begins_after_the_end_does_not() {
        let (crew, held) = (Crew::default(), Arc::new(()));
        crew.spawn(forever(held.clone()));
        yield_now().await;
        soon(crew.stop()).await;
        assert_eq!(Arc::strong_count(&held), 1, "stopped");
        crew.spawn(forever(held.clone()));
        assert_eq!(Arc::strong_count(&held), 1, "never begun");
        soon(crew.join()).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_fails_ends_what_it_helps() {
        let (crew, held) = (Crew::default(), Arc::new(()));
        let front = async {
            assert_eq!(crew.beside(pin!(async { Ok(7) })).await.unwrap(), 7);
            crew.spawn(forever(held.clone()));
            // Nothing else wakes who waits.
            crew.spawn(async { Err(Error::invalid_input("no")) });
            std::future::pending::<Result<(), Error>>().await
        };
        assert_eq!(soon(crew.beside(pin!(front))).await.unwrap_err().to_string(), "no");
        crew.abort();
        soon(crew.join()).await.unwrap_err();
    }

    #[tokio::test(start_paused = true)]
    async fn all_are_waited_for() {
        let crew = Crew::default();
        let (ends, end) = oneshot::channel();
        crew.spawn(async { Ok(()) });
        crew.spawn(async { end.await.map_err(|_| Error::invalid_input("no")) });
        yield_now().await;
        assert!(crew.join().now_or_never().is_none());
        ends.send(()).unwrap();
        soon(crew.join()).await.unwrap();
        crew.spawn(async { Err(Error::invalid_input("no")) });
        assert_eq!(soon(crew.join()).await.unwrap_err().to_string(), "no");
    }

    #[tokio::test(start_paused = true)]
    #[should_panic = "of a task"]
    async fn a_panic_is_handed_on() {
        let crew = Crew::default();
        crew.spawn(async { panic!("of a task") });
        let _ = soon(crew.join()).await;
    }
}
