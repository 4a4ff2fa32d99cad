//! Which Tokio runtime a call runs on: the caller's, or one of the client's own (blocking use).

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

use tokio::runtime::{EnterGuard, Handle};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::Instrument;
use wharf_proto::operation::SendFuture;
use wharf_proto::{Error, ErrorKind};

use crate::blocking::is_waiting;

/// Where a client's calls run. A cheap clone; the last one of an own runtime ends its thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct RuntimeHandle(Option<Arc<OwnRuntime>>);

/// A thread with a runtime that ends when this is dropped. It is never joined, so that dropping it inside async code
/// neither blocks nor panics.
#[derive(Debug)]
struct OwnRuntime {
    handle: Handle,
    _stop: oneshot::Sender<()>,
}

impl RuntimeHandle {
    /// A runtime on a thread of its own.
    pub(crate) fn own() -> Result<Self, Error> {
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::Other, format!("the runtime thread could not be started: {error}")).with_cause(error)
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        thread::Builder::new()
            .name("wharf".to_owned())
            .spawn(move || {
                // Ends when the last handle is dropped; nothing is ever sent.
                let _ = runtime.block_on(stopped);
                runtime.shutdown_background();
            })
            .map_err(failed)?;
        Ok(Self(Some(Arc::new(OwnRuntime { handle, _stop: stop }))))
    }

    /// Whether an answer of the client's can be read on this thread.
    pub(crate) fn must_be_readable_here(&self) -> Result<(), Error> {
        self.0.as_ref().map_or(Ok(()), |own| own.must_not_wait_here())
    }

    /// Whether what [`spawn`](Self::spawn) has begun can be waited for on this thread.
    pub(crate) fn must_be_awaitable_here(&self) -> Result<(), Error> {
        match &self.0 {
            Some(own) => own.must_not_wait_here(),
            None if is_waiting() && Handle::try_current().is_ok() => Err(awaited_elsewhere()),
            None => Ok(()),
        }
    }

    /// Begins `work` in a task where the client's calls run.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<JoinHandle<T>, Error> {
        let runtime = match &self.0 {
            Some(own) => own.handle.clone(),
            None => Handle::try_current().map_err(|_| {
                Error::invalid_input(
                    "no Tokio runtime on this thread: start the transfer inside one, or use wharf::blocking",
                )
            })?,
        };
        Ok(runtime.spawn(work.in_current_span()))
    }

    /// Lets timers be those of the client's own runtime, where it has one.
    pub(crate) fn enter(&self) -> Option<EnterGuard<'_>> {
        self.0.as_ref().map(|own| own.handle.enter())
    }

    /// Runs `call` where the client's calls run. Dropping the future cancels it.
    ///
    /// A call begins with [`must_be_here`]: a future around it that did so would be of twice its size.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        call: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> SendFuture<T> {
        // At once, for it is large and copied once more where it waits for a decision.
        let call = Box::pin(call);
        match &self.0 {
            None => call,
            Some(own) => {
                let (own, mut call) = (own.clone(), call);
                Box::pin(async move {
                    own.must_not_wait_here()?;
                    if own.is_here() {
                        // A part of what runs there: who waits for that to end is not to wait for a task that was left behind.
                        return poll_fn(|cx| {
                            own.must_not_wait_here()?;
                            let _runtime = own.handle.enter();
                            call.as_mut().poll(cx)
                        })
                        .await;
                    }
                    let mut task = Task(own.handle.spawn(call.in_current_span()));
                    // It may be polled elsewhere than it was begun.
                    poll_fn(|cx| {
                        own.must_not_wait_here()?;
                        Pin::new(&mut task).poll(cx)
                    })
                    .await
                })
            }
        }
    }
}

impl OwnRuntime {
    fn is_here(&self) -> bool {
        Handle::try_current().is_ok_and(|here| here.id() == self.handle.id())
    }

    /// This thread does all that the client does: one that waits on it for the client waits for ever.
    fn must_not_wait_here(&self) -> Result<(), Error> {
        if is_waiting() && self.is_here() {
            return Err(Error::invalid_input(
                "wait() in what the client itself runs, such as a stream that is a body: await there, or use another client",
            ));
        }
        Ok(())
    }
}

/// Whether calls can be made on this thread, which is asked when one is polled first.
pub(crate) fn must_be_here() -> Result<(), Error> {
    if Handle::try_current().is_err() {
        return Err(Error::invalid_input(
            "no Tokio runtime on this thread: await the call inside one, or use wharf::blocking",
        ));
    }
    // It would wait for ever for tasks that only this thread can run; also with several threads, for some of the tasks
    // cannot be taken over by another.
    if is_waiting() {
        return Err(awaited_elsewhere());
    }
    Ok(())
}

fn awaited_elsewhere() -> Error {
    Error::invalid_input("wait() is for the client of wharf::blocking; the calls of this one are awaited")
}

/// Does what others wait for too, in a task of its own: it moves on also while nobody polls the future that began it, as
/// in a `buffered` stream whose consumer does something else. Dropping the future cancels it.
pub(crate) async fn driven<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    match Handle::try_current() {
        Ok(runtime) => Task(runtime.spawn(work.in_current_span())).await,
        Err(_) => work.await,
    }
}

/// A task that is aborted when nobody waits for it any more.
struct Task<T>(JoinHandle<Result<T, Error>>);

impl<T> Future for Task<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|joined| match joined {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(Error::new(ErrorKind::Other, "the call was cancelled: its runtime has ended")),
            },
        })
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
