//! Counts what is taken of an answer.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use wharf_transport::{Body, BoxError};

use super::Log;

/// An answer's body that tells the log, when it is gone, how much of it was taken.
pub(super) struct Sent {
    pub(super) body: Body,
    pub(super) count: u64,
    pub(super) log: Log,
    pub(super) number: u64,
}

impl Stream for Sent {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = Pin::new(&mut self.body).poll_next(cx);
        if let Poll::Ready(Some(Ok(bytes))) = &item {
            self.count += bytes.len() as u64;
        }
        item
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        let count = self.count;
        self.log.update(self.number, |entry| entry.bytes_out = count);
    }
}
