//! The tasks that help one future.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::task::JoinSet;
use wharf_proto::{Error, ErrorKind};

/// Tasks that end with it. The first that fails ends everything.
#[derive(Debug, Default)]
pub(super) struct Crew(Mutex<JoinSet<Result<(), Error>>>);

impl Crew {
    fn tasks(&self) -> MutexGuard<'_, JoinSet<Result<(), Error>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn spawn(&self, work: impl Future<Output = Result<(), Error>> + Send + 'static) {
        self.tasks().spawn(work);
    }

    /// Ready when all tasks have ended well, or one has not.
    fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            match self.tasks().poll_join_next(cx) {
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
    pub(super) async fn beside<T>(&self, front: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let mut front = pin!(front);
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
        let mut tasks = std::mem::take(&mut *self.tasks());
        tasks.shutdown().await;
    }

    /// Waits for all tasks.
    pub(super) async fn join(&self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_ended(cx)).await
    }
}
