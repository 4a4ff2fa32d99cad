//! Items that come out of work which goes on while they are read.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use wharf_proto::operation::SendFuture;
use wharf_proto::{Error, ErrorKind};

use super::handle::Watch;
use crate::Client;

/// What a piece of work hands out, then its error if it has failed. The work runs where the client's calls run, nothing of it
/// before the first poll; dropping this ends it.
pub(crate) struct Feed<T> {
    work: Option<SendFuture<()>>,
    items: mpsc::Receiver<T>,
    error: Option<Error>,
}

impl<T: Send + 'static> Feed<T> {
    /// At most `ahead` items wait to be read: then the work does.
    pub(crate) fn new<F>(client: &Client, ahead: usize, work: impl FnOnce(mpsc::Sender<T>) -> F) -> Self
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let (sender, items) = mpsc::channel(ahead);
        Self { work: Some(client.inner().runtime.run(work(sender))), items, error: None }
    }

    /// Stops the work, and waits until it is gone.
    pub(crate) async fn stop(mut self) {
        self.work = None;
        // Each part of it has a sender. Closed here, the channel would not wait for them.
        while self.items.recv().await.is_some() {}
    }
}

impl<T: Send + 'static> Stream for Feed<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(work) = &mut self.work
            && let Poll::Ready(result) = work.as_mut().poll(cx)
        {
            self.work = None;
            self.error = result.err();
        }
        // Its sender is gone with the work, so that what still waits is followed by `None`.
        self.items.poll_recv(cx).map(|item| match item {
            Some(item) => Some(Ok(item)),
            None => self.error.take().map(Err),
        })
    }
}

/// How long tasks may take to end that nobody wants any more.
const TIDY_UP: Duration = Duration::from_secs(5);

/// Tasks that end with it, and whose transfer has not ended before they have.
#[derive(Debug)]
pub(crate) struct Tasks<T: Send + 'static> {
    set: JoinSet<Result<T, Error>>,
    watch: Arc<Watch>,
}

impl<T: Send + 'static> Tasks<T> {
    pub(crate) fn new(watch: &Arc<Watch>) -> Self {
        Self { set: JoinSet::new(), watch: watch.clone() }
    }

    /// Begins one.
    pub(crate) fn spawn(&mut self, task: impl Future<Output = Result<T, Error>> + Send + 'static) {
        self.set.spawn(task);
    }

    /// The next one to end, with its panic if that is how.
    pub(crate) async fn next(&mut self) -> Option<Result<T, Error>> {
        next_of(&mut self.set).await
    }
}

impl Tasks<()> {
    /// Those that have ended, the first error of which counts.
    pub(crate) fn reap(&mut self) -> Result<(), Error> {
        while let Some(joined) = self.set.try_join_next() {
            joined.unwrap_or_else(|error| Err(ended(error)))?;
        }
        Ok(())
    }
}

impl<T: Send + 'static> Drop for Tasks<T> {
    fn drop(&mut self) {
        if self.set.is_empty() {
            return;
        }
        let mut set = std::mem::take(&mut self.set);
        set.abort_all();
        // Only when they have ended has each of them handed on what it leaves to be undone.
        self.watch.tidy_up(
            "what was under way".to_owned(),
            async move {
                set.shutdown().await;
                Ok(())
            },
            TIDY_UP,
        );
    }
}

/// The next of a set of tasks to end, with its panic if that is how.
pub(crate) async fn next_of<T: 'static>(tasks: &mut JoinSet<Result<T, Error>>) -> Option<Result<T, Error>> {
    tasks.join_next().await.map(|joined| joined.unwrap_or_else(|error| Err(ended(error))))
}

/// What is said of a task that did not end by itself, with its panic if that is how it ended.
pub(crate) fn ended(error: JoinError) -> Error {
    match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => Error::new(ErrorKind::Other, "the transfer was cancelled: its runtime has ended"),
    }
}
