//! A TCP connection as the layers above it see it.

use std::io;
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker, ready};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

/// A TCP connection, of which both the layers above it and the pool know.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    /// Set once bytes were lost.
    broken: AtomicBool,
}

/// What waits on a [`Wire`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peeked {
    Nothing,
    Unread,
    Closed,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> Arc<Self> {
        Arc::new(Self { stream, broken: AtomicBool::new(false) })
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    /// What waits to be read, as the system knows: a runtime that was busy elsewhere may not have heard of it.
    pub(crate) fn peek(&self) -> Peeked {
        let mut nobody = Context::from_waker(Waker::noop());
        if matches!(self.stream.poll_write_ready(&mut nobody), Poll::Ready(Err(_))) {
            // The runtime that it was opened on is gone.
            return Peeked::Closed;
        }
        match SockRef::from(&self.stream).peek(&mut [MaybeUninit::uninit()]) {
            Ok(0) => Peeked::Closed,
            Ok(_) => Peeked::Unread,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Peeked::Nothing,
            Err(_) => Peeked::Closed,
        }
    }

    fn forgive(&self, written: io::Result<usize>, length: usize) -> io::Result<usize> {
        match written {
            Err(error) if is_closed(&error) => {
                self.broken.store(true, Ordering::Release);
                Ok(length)
            }
            other => other,
        }
    }

    fn poll_write_with(
        &self,
        cx: &mut Context<'_>,
        length: usize,
        write: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        if self.is_broken() {
            return Poll::Ready(Ok(length));
        }
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            match write(&self.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(self.forgive(written, length)),
            }
        }
    }
}

/// A [`Wire`] to read from and write to, which takes what cannot be written any more as written, so that the answer is
/// still read.
///
/// A server may refuse a large body early, answer and close. Writing then fails with a broken pipe while the reason
/// waits to be read.
pub(crate) struct AnswerFirst(pub(crate) Arc<Wire>);

impl AsyncWrite for AnswerFirst {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.0.poll_write_with(cx, data.len(), |stream| stream.try_write(data))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = data.iter().map(|slice| slice.len()).sum();
        self.0.poll_write_with(cx, length, |stream| stream.try_write_vectored(data))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(SockRef::from(&self.0.stream).shutdown(Shutdown::Write))
    }
}

impl AsyncRead for AnswerFirst {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let stream = &self.0.stream;
        let room = buffer.remaining();
        loop {
            ready!(stream.poll_read_ready(cx))?;
            let mut read = None;
            let attempt = stream.try_io(Interest::READABLE, || {
                let count = stream.try_read_buf(buffer)?;
                read = Some(count);
                // What did not fill the buffer was all there is: waiting for more needs no other read to find that out.
                if (1..room).contains(&count) { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
            });
            match attempt {
                Err(error) if read.is_none() && error.kind() != io::ErrorKind::WouldBlock => {
                    return Poll::Ready(Err(error));
                }
                _ if read.is_some() => return Poll::Ready(Ok(())),
                _ => {}
            }
        }
    }
}

fn is_closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted
    )
}
