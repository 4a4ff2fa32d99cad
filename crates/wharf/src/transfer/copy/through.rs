//! The bytes of a source on their way through this machine.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::Instrument;
use wharf_proto::{ContentRange, Error, ErrorKind, ObjectHead};

use super::{Copy, replaced};
use crate::transfer::handle::Watch;
use crate::transfer::lane::{Lane, Slot};
use crate::transfer::patience::patiently_with;

/// How many pieces wait to be taken.
const WAITING: usize = 2;

/// The source, as `seen`, as patiently as it is written: what breaks off goes on at its last good byte.
pub(super) fn read(copy: &Copy, seen: &ObjectHead) -> SourceBytes {
    let (out, pieces) = mpsc::channel(WAITING);
    let reading = Reading {
        lane: Lane::of(&copy.client, Some(1)),
        // What has arrived here has not been moved yet.
        watch: Watch::new(),
        copy: copy.clone(),
        seen: seen.clone(),
        at: AtomicU64::new(0),
        out,
    };
    let mut task = JoinSet::new();
    // Of its own, so that it gives its request back also while nobody takes what it has read.
    task.spawn(reading.run().in_current_span());
    SourceBytes { pieces, _task: task }
}

/// What was read, in order.
pub(super) struct SourceBytes {
    pieces: mpsc::Receiver<Result<Bytes, Error>>,
    /// It ends with this.
    _task: JoinSet<()>,
}

impl Stream for SourceBytes {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.pieces.poll_recv(cx)
    }
}

struct Reading {
    copy: Copy,
    seen: ObjectHead,
    lane: Lane,
    watch: Arc<Watch>,
    /// Where the next byte is.
    at: AtomicU64,
    out: mpsc::Sender<Result<Bytes, Error>>,
}

impl Reading {
    async fn run(self) {
        let clock = &self.copy.client.inner().clock;
        let attempt = |slot: Arc<Slot>| {
            let this = &self;
            async move { this.attempt(&slot).await }
        };
        let read = patiently_with(&self.lane, &self.watch, self.copy.patience, || clock.jitter(), attempt).await;
        if let Err(error) = read {
            let _ = self.out.send(Err(error)).await;
        }
    }

    async fn attempt(&self, slot: &Slot) -> Result<(), Error> {
        let at = self.at.load(Ordering::Relaxed);
        if at > 0 && at == self.seen.content_length {
            return Ok(());
        }
        let client = &self.copy.client;
        let call = self.copy.call.read_source(client.for_transfers(), &self.seen, &client.inner().sending.habits);
        let mut object = if at > 0 { call.range(at..) } else { call }.await?;
        // The server may not have looked at the condition, or not have been told any.
        if object.etag != self.seen.etag && !object.etag.is_empty() && !self.seen.etag.is_empty() {
            return Err(replaced());
        }
        if at > 0 {
            let header = object.content_range.as_deref().unwrap_or_default();
            let goes_on = ContentRange::parse(header).is_some_and(|sent| sent.bytes.start == at);
            if !goes_on || self.seen.etag.is_empty() || object.etag != self.seen.etag {
                let problem = "the source broke off, and its server does not give the rest of the same object";
                return Err(Error::new(ErrorKind::MalformedResponse, problem));
            }
        }
        while let Some(piece) = object.body.next().await {
            let piece = piece?;
            let length = piece.len() as u64;
            // Who does not take it any more has ended the copy.
            if slot.aside(self.out.send(Ok(piece))).await.is_err() {
                return Ok(());
            }
            self.at.fetch_add(length, Ordering::Relaxed);
            self.watch.moved(length);
            self.lane.moved(length);
        }
        // A body without a length of its own may end well and early.
        match self.at.load(Ordering::Relaxed) < self.seen.content_length {
            true => Err(Error::new(ErrorKind::Transport, "the source's body ended before its last byte")),
            false => Ok(()),
        }
    }
}
