//! A connection's stream that knows whether its other end still takes what is written.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::timeout;

/// How the writing goes on.
#[derive(Default)]
pub(super) struct Progress {
    /// Whether the other end must read before more can be written.
    is_waiting: AtomicBool,
    /// Told when something was written, and when the waiting begins.
    moved: Notify,
}

impl Progress {
    /// Waits until the other end has read nothing for so `long`, although it could. Time in which there is nothing to
    /// write is not counted.
    pub(super) async fn stalls(&self, long: Duration) {
        while timeout(long, self.moved.notified()).await.is_ok() || !self.is_waiting.load(Ordering::Relaxed) {}
    }

    fn note(&self, is_waiting: bool) {
        let was_waiting = self.is_waiting.swap(is_waiting, Ordering::Relaxed);
        if !is_waiting || !was_waiting {
            self.moved.notify_one();
        }
    }
}

/// A stream whose writing is noted.
pub(super) struct Outlet<S> {
    stream: S,
    progress: Arc<Progress>,
}

impl<S> Outlet<S> {
    pub(super) fn new(stream: S, progress: Arc<Progress>) -> Self {
        Self { stream, progress }
    }

    fn noted<T>(&self, written: Poll<T>) -> Poll<T> {
        self.progress.note(written.is_pending());
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Outlet<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Outlet<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.noted(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.noted(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Encryption holds back what it was given; that it can be given no more shows here.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.noted(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
