//! A range that is fetched ahead of whoever reads it.

use std::future::poll_fn;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use wharf_proto::{Error, ErrorKind};

use super::request::{Found, Job, ended_early};
use crate::transfer::budgets::Share;

/// The bytes of a range, as they come and as long as they wait to be read.
#[derive(Debug)]
pub(in crate::transfer) struct Ahead {
    pub(in crate::transfer) range: Range<u64>,
    bytes: UnboundedReceiver<Result<Bytes, Error>>,
    /// What they take of the budget until they are read.
    _memory: Option<Share>,
}

impl Ahead {
    pub(in crate::transfer) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        self.bytes.poll_recv(cx)
    }

    pub(super) async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }
}

/// A range to be read, and what fetches it, for a task of its own.
pub(in crate::transfer) fn ahead(
    job: Job,
    found: Arc<Found>,
    range: Range<u64>,
    memory: Option<Share>,
) -> (Ahead, impl Future<Output = Result<(), Error>> + Send + 'static) {
    let (sender, bytes) = unbounded_channel();
    let fetching = fetch(job, found, range.clone(), sender);
    (Ahead { range, bytes, _memory: memory }, fetching)
}

/// Fetches a range. What fails is told to the reader.
async fn fetch(
    job: Job,
    found: Arc<Found>,
    range: Range<u64>,
    sender: UnboundedSender<Result<Bytes, Error>>,
) -> Result<(), Error> {
    let (at, silences) = (AtomicU64::new(range.start), AtomicU32::new(0));
    let attempt = || async {
        let left = at.load(Ordering::Relaxed)..range.end;
        if left.is_empty() {
            return Ok(());
        }
        let mut body = job.range(&found, left, silences.load(Ordering::Relaxed)).await?;
        while let Some(bytes) = body.next().await {
            let bytes = bytes.inspect_err(|error| {
                silences.fetch_add(u32::from(error.kind() == ErrorKind::Timeout), Ordering::Relaxed);
            })?;
            let left = usize::try_from(range.end - at.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
            // What follows is somebody else's.
            let count = bytes.len().min(left);
            at.fetch_add(count as u64, Ordering::Relaxed);
            job.moved(count);
            // Nobody takes it any more where the download has ended; then this task ends too.
            let _ = sender.send(Ok(bytes.slice(..count)));
            if count == left && body.left() != Some(0) {
                break;
            }
        }
        if at.load(Ordering::Relaxed) < range.end { Err(ended_early()) } else { Ok(()) }
    };
    match job.patiently(attempt).await {
        Ok(()) => job.watch().part_done(),
        Err(error) => drop(sender.send(Err(error))),
    }
    Ok(())
}
