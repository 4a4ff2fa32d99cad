//! A TLS connection, by rustls's unbuffered interface.
//!
//! The buffered one copies what is received once more, by 4 KiB, and gives one record at a time, which was an eighth to
//! a third of what it costs to receive a large object and leave it (docs/performance.md).

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use rustls::ClientConfig;
use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::pki_types::ServerName;
use rustls::unbuffered::{ConnectionState, EncodeError, EncodeTlsData, EncryptError, UnbufferedStatus};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::BoxError;
use super::connect::Socket;

/// What is received at once. As a rule, only what was once filled of it is in memory.
const RECEIVED: usize = 256 * 1024;

/// So much of what is written is sealed before it is sent, where there is so much.
const AT_ONCE: usize = 256 * 1024;

/// A record holds at most so much, with at most so much around it.
const RECORD: usize = 16 * 1024;
const AROUND: usize = 64;

/// TLS over a socket. What was taken to be written is sent no later than by a flush.
pub(crate) struct TlsStream {
    socket: Box<dyn Socket>,
    session: UnbufferedClientConnection,
    received: Vec<u8>,
    /// What of `received` is still to be decrypted.
    waiting: Range<usize>,
    /// What was decrypted when nobody had room for it.
    plain: BytesMut,
    sealed: Vec<u8>,
    /// What of `sealed` is still to be sent.
    unsent: Range<usize>,
    /// To be told once the bytes that came before it are.
    error: Option<io::Error>,
    /// The server has said that nothing follows.
    is_ended: bool,
    /// Nothing more is to be made of what comes: rustls has given up.
    is_broken: bool,
}

/// Where going through what was received came to a stop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// The handshake needs more from the server.
    Handshake,
    /// All is decrypted that came.
    Open,
    /// There is no room for more.
    Full,
    /// Nothing comes any more.
    Ended,
}

impl TlsStream {
    /// Shakes hands with `server` over `socket`.
    ///
    /// # Errors
    /// What rustls finds wrong with what the server says is the inner error, a [`rustls::Error`].
    pub(crate) async fn connect(
        socket: Box<dyn Socket>,
        config: Arc<ClientConfig>,
        server: ServerName<'static>,
    ) -> io::Result<Self> {
        let mut stream = Self {
            socket,
            session: UnbufferedClientConnection::new(config, server).map_err(broken)?,
            received: vec![0; RECEIVED],
            waiting: 0..0,
            plain: BytesMut::new(),
            sealed: Vec::new(),
            unsent: 0..0,
            error: None,
            is_ended: false,
            is_broken: false,
        };
        poll_fn(|cx| stream.poll_handshake(cx)).await?;
        Ok(stream)
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let stop = self.go_through(None);
            // The server may not take what it is told before it is heard.
            let sent = self.poll_send(cx);
            match stop? {
                Stop::Open | Stop::Ended => {
                    ready!(sent)?;
                    return Pin::new(&mut self.socket).poll_flush(cx);
                }
                Stop::Handshake | Stop::Full => _ = sent?,
            }
            if ready!(self.poll_receive(cx))? == 0 {
                return Poll::Ready(Err(cut_off()));
            }
        }
    }

    /// Goes through what was received. What is for the caller goes into `into`, or is kept where there is no room; what TLS itself
    /// has to say is put to what is sent next, such as why it does not go on.
    fn go_through(&mut self, mut into: Option<&mut ReadBuf<'_>>) -> io::Result<Stop> {
        if self.is_broken {
            return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the connection has failed before"));
        }
        loop {
            let UnbufferedStatus { mut discard, state, .. } =
                self.session.process_tls_records(&mut self.received[self.waiting.clone()]);
            let stop = match state {
                Ok(ConnectionState::EncodeTlsData(message)) => {
                    put(message, &mut self.sealed, &mut self.unsent)?;
                    None
                }
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record.map_err(broken)?;
                        discard += record.discard;
                        let room = into.as_ref().map_or(0, |into| into.remaining());
                        let (now, later) = record.payload.split_at(room.min(record.payload.len()));
                        if let Some(into) = &mut into {
                            into.put_slice(now);
                        }
                        self.plain.extend_from_slice(later);
                    }
                    into.as_ref().filter(|into| into.remaining() == 0).map(|_| Stop::Full)
                }
                // It is among what is sent before anything is waited for.
                Ok(ConnectionState::TransmitTlsData(message)) => {
                    message.done();
                    None
                }
                Ok(ConnectionState::PeerClosed) => {
                    self.is_ended = true;
                    None
                }
                Ok(ConnectionState::WriteTraffic(_)) => Some(if self.is_ended { Stop::Ended } else { Stop::Open }),
                Ok(ConnectionState::Closed) => Some(Stop::Ended),
                Ok(ConnectionState::BlockedHandshake) => Some(Stop::Handshake),
                Ok(state) => return Err(broken(format!("rustls is in a state of which nothing is known: {state:?}"))),
                Err(error) => {
                    self.waiting.start += discard;
                    return Err(self.fail(error));
                }
            };
            self.waiting.start += discard;
            if let Some(stop) = stop {
                return Ok(stop);
            }
        }
    }

    /// Puts what the server is to hear of an error, where it is to hear of it, to what is sent. What else came is looked at no more.
    fn fail(&mut self, error: rustls::Error) -> io::Error {
        self.is_broken = true;
        // Asked once more than it has to say, it would go on with what came.
        while self.session.wants_write()
            && let Ok(ConnectionState::EncodeTlsData(message)) =
                self.session.process_tls_records(&mut self.received[self.waiting.clone()]).state
        {
            if let Err(error) = put(message, &mut self.sealed, &mut self.unsent) {
                return error;
            }
        }
        broken(error)
    }

    /// Seals `data`, to be sent.
    fn seal(&mut self, data: &[u8]) -> io::Result<()> {
        if let Err(error) = self.go_through(None) {
            // Reading tells it.
            self.error.get_or_insert(error);
        }
        if self.is_broken {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let UnbufferedStatus { discard, state, .. } =
            self.session.process_tls_records(&mut self.received[self.waiting.clone()]);
        let Ok(ConnectionState::WriteTraffic(mut traffic)) = state else {
            return Err(io::Error::new(io::ErrorKind::BrokenPipe, "TLS takes no more"));
        };
        let mut room = data.len() + (data.len() / RECORD + 1) * AROUND;
        loop {
            make_room(&mut self.sealed, &self.unsent, room);
            match traffic.encrypt(data, &mut self.sealed[self.unsent.end..]) {
                Ok(count) => {
                    self.unsent.end += count;
                    self.waiting.start += discard;
                    return Ok(());
                }
                Err(EncryptError::InsufficientSize(needed)) => room = needed.required_size,
                Err(error) => return Err(broken(error)),
            }
        }
    }

    /// Seals so many bytes from the front of `pieces`, as one record where they fit.
    fn seal_all(&mut self, pieces: &[IoSlice<'_>], count: usize) -> io::Result<()> {
        if pieces.len() > 1 && count <= RECORD {
            let mut joined = Vec::with_capacity(count);
            pieces.iter().for_each(|piece| joined.extend_from_slice(piece));
            return self.seal(&joined);
        }
        let mut left = count;
        for piece in pieces {
            let now = left.min(piece.len());
            left -= now;
            if now > 0 {
                self.seal(&piece[..now])?;
            }
        }
        Ok(())
    }

    /// Receives more; 0 where the server has closed the connection.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.waiting.start > 0 {
            self.received.copy_within(self.waiting.clone(), 0);
            self.waiting = 0..self.waiting.len();
        }
        let mut room = ReadBuf::new(&mut self.received[self.waiting.end..]);
        if room.remaining() == 0 {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "a message of TLS is too long")));
        }
        ready!(Pin::new(&mut self.socket).poll_read(cx, &mut room))?;
        let count = room.filled().len();
        self.waiting.end += count;
        Poll::Ready(Ok(count))
    }

    /// Sends what is sealed.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            match ready!(Pin::new(&mut self.socket).poll_write(cx, &self.sealed[self.unsent.clone()]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.unsent.start += count,
            }
        }
        self.unsent = 0..0;
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = into.filled().len();
        loop {
            let kept = this.plain.len().min(into.remaining());
            into.put_slice(&this.plain[..kept]);
            this.plain.advance(kept);
            if into.remaining() == 0 || (kept > 0 && this.error.is_some()) {
                return Poll::Ready(Ok(()));
            }
            if let Some(error) = this.error.take() {
                return Poll::Ready(Err(error));
            }
            let stop = this.go_through(Some(into));
            // Words of TLS itself. Where they cannot be sent now, the next write does that; why not, reading tells.
            let _ = this.poll_send(cx);
            match stop {
                stop if into.filled().len() > before => {
                    this.error = stop.err();
                    return Poll::Ready(Ok(()));
                }
                Err(error) => return Poll::Ready(Err(error)),
                Ok(Stop::Ended | Stop::Full) => return Poll::Ready(Ok(())),
                Ok(Stop::Open | Stop::Handshake) => {}
            }
            if ready!(this.poll_receive(cx))? == 0 {
                return Poll::Ready(Err(cut_off()));
            }
        }
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(data)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_send(cx))?;
        let length = data.iter().map(|piece| piece.len()).sum::<usize>().min(AT_ONCE);
        let sealed = self.seal_all(data, length);
        // What cannot be sent yet is sent by the next write or flush.
        let sent = self.poll_send(cx);
        sealed?;
        let _ = sent?;
        Poll::Ready(Ok(length))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx))?;
        if self.sealed.len() > RECORD {
            // A connection that idles needs little.
            self.sealed = Vec::new();
        }
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    /// Says nothing of an end to the server: who dropped the connection did not, and HTTP says where a request ends.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

/// Puts a message of TLS itself to what is sent.
fn put(
    mut message: EncodeTlsData<'_, ClientConnectionData>,
    sealed: &mut Vec<u8>,
    unsent: &mut Range<usize>,
) -> io::Result<()> {
    loop {
        match message.encode(&mut sealed[unsent.end..]) {
            Ok(count) => {
                unsent.end += count;
                return Ok(());
            }
            Err(EncodeError::InsufficientSize(needed)) => make_room(sealed, unsent, needed.required_size),
            Err(error) => return Err(broken(error)),
        }
    }
}

/// Has `count` bytes of room after what is unsent.
fn make_room(sealed: &mut Vec<u8>, unsent: &Range<usize>, count: usize) {
    let needed = unsent.end + count;
    if sealed.len() < needed {
        sealed.resize(needed, 0);
    }
}

fn broken(error: impl Into<BoxError>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn cut_off() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection without saying so by TLS")
}

#[cfg(test)]
mod tests;
