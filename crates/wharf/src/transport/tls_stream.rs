//! A TLS connection, by rustls's unbuffered interface.
//!
//! The buffered one copies what is received once more, by 4 KiB, and gives one record at a time, which is a quarter of what it
//! costs to receive a large object (docs/performance.md).

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use rustls::ClientConfig;
use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::pki_types::ServerName;
use rustls::unbuffered::{ConnectionState, EncodeError, EncodeTlsData, EncryptError, UnbufferedStatus};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::BoxError;
use super::connect::Socket;

/// What is received at once. Of it, only what was once filled is in memory.
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
    /// What came was no TLS, or not what this session takes.
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
    /// What rustls says of the server is the inner error, a [`rustls::Error`]; all others are the socket's.
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
                Stop::Open => {
                    ready!(sent)?;
                    return Pin::new(&mut self.socket).poll_flush(cx);
                }
                Stop::Ended => return Poll::Ready(Err(cut_off())),
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
                Ok(ConnectionState::WriteTraffic(_)) if !self.is_ended => Some(Stop::Open),
                Ok(ConnectionState::BlockedHandshake) => Some(Stop::Handshake),
                Ok(_) => Some(Stop::Ended),
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
        let next = self.session.process_tls_records(&mut self.received[self.waiting.clone()]).state;
        if let Ok(ConnectionState::EncodeTlsData(alert)) = next
            && let Err(error) = put(alert, &mut self.sealed, &mut self.unsent)
        {
            return error;
        }
        broken(error)
    }

    /// Seals `data`, to be sent.
    fn seal(&mut self, data: &[u8]) -> io::Result<()> {
        self.go_through(None)?;
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
            if !this.plain.is_empty() {
                let kept = this.plain.split_to(into.remaining().min(this.plain.len()));
                into.put_slice(&kept);
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
        if length <= RECORD {
            let mut joined = Vec::with_capacity(length);
            data.iter().for_each(|piece| joined.extend_from_slice(piece));
            self.seal(&joined)?;
        } else {
            let mut left = length;
            for piece in data {
                let now = left.min(piece.len());
                left -= now;
                self.seal(&piece[..now])?;
            }
        }
        // What cannot be sent yet is sent by the next write or flush.
        let _ = self.poll_send(cx)?;
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
mod tests {
    use std::time::Duration;

    use rustls::pki_types::PrivateKeyDer;
    use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::timeout;
    use tokio_rustls::{TlsAcceptor, server};

    use super::super::tls::provider;
    use super::*;

    fn config(versions: &[&'static SupportedProtocolVersion]) -> (Arc<ClientConfig>, TlsAcceptor) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let client = ClientConfig::builder_with_provider(provider().unwrap()).with_protocol_versions(versions).unwrap();
        let server = ServerConfig::builder_with_provider(provider().unwrap()).with_protocol_versions(versions).unwrap();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let server = server.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        (Arc::new(client.with_root_certificates(roots).with_no_client_auth()), TlsAcceptor::from(Arc::new(server)))
    }

    fn localhost() -> ServerName<'static> {
        "localhost".try_into().unwrap()
    }

    /// Both ends of a connection through which at most so many bytes go at once.
    async fn connected(room: usize) -> (TlsStream, server::TlsStream<DuplexStream>) {
        let (client, acceptor) = config(rustls::ALL_VERSIONS);
        let (near, far) = duplex(room);
        let (stream, accepted) =
            tokio::join!(TlsStream::connect(Box::new(near), client, localhost()), acceptor.accept(far));
        (stream.unwrap(), accepted.unwrap())
    }

    fn bytes(count: usize) -> Vec<u8> {
        (0..count).map(|at| (at * 31 % 251) as u8).collect()
    }

    #[tokio::test]
    async fn bytes_go_both_ways_however_they_are_cut() {
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            for (room, length) in [(1, 40_000), (7, 40_000), (5000, 600_000), (1 << 20, 600_000)] {
                let (client, acceptor) = config(&[version]);
                let (near, far) = duplex(room);
                let server = tokio::spawn(async move {
                    let mut accepted = acceptor.accept(far).await.unwrap();
                    let mut came = vec![0; length + 5];
                    accepted.read_exact(&mut came).await.unwrap();
                    accepted.write_all(&came).await.unwrap();
                    accepted.shutdown().await.unwrap();
                    came
                });
                let stream = TlsStream::connect(Box::new(near), client, localhost()).await.unwrap();
                let (head, body) = (b"head\n", bytes(length));
                let (mut reading, mut writing) = tokio::io::split(stream);
                let write = async {
                    let sent = writing.write_vectored(&[IoSlice::new(head), IoSlice::new(&body)]).await.unwrap();
                    assert!(sent > head.len() && sent <= AT_ONCE);
                    let (now, later) = body[sent - head.len()..].split_at(5.min(body.len() + head.len() - sent));
                    writing.write_all(now).await.unwrap();
                    writing.write_all(later).await.unwrap();
                    writing.flush().await.unwrap();
                };
                let read = async {
                    let (mut came, mut piece) = (Vec::new(), [0; 20_000]);
                    // Now there is room for a piece of a record, now for more than one.
                    for size in [1, 100, 20_000].into_iter().cycle() {
                        match reading.read(&mut piece[..size]).await.unwrap() {
                            0 => break,
                            count => came.extend_from_slice(&piece[..count]),
                        }
                    }
                    assert_eq!(reading.read(&mut piece).await.unwrap(), 0, "an end stays one");
                    came
                };
                let both = async { tokio::join!(write, read).1 };
                let came = timeout(Duration::from_secs(60), both).await.expect("it hangs");
                assert!(came.len() == head.len() + body.len() && came[5..] == body, "{room} at once");
                assert_eq!(reading.unsplit(writing).sealed.capacity(), 0, "memory is kept");
                assert!(server.await.unwrap() == came);
            }
        }
    }

    #[tokio::test]
    async fn a_connection_that_is_cut_off_did_not_end() {
        let (mut stream, mut server) = connected(1 << 16).await;
        server.write_all(b"half").await.unwrap();
        drop(server);
        let mut came = [0; 100];
        assert_eq!(stream.read(&mut came).await.unwrap(), 4);
        assert_eq!(stream.read(&mut came).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn what_came_before_a_forged_record_is_given_and_nothing_after_it() {
        let (mut stream, mut server) = connected(1 << 16).await;
        server.write_all(b"true").await.unwrap();
        server.get_mut().0.write_all(b"\x17\x03\x03\x00\x20this was never sealed by anybody").await.unwrap();
        server.write_all(b"later").await.unwrap();
        let mut came = [0; 100];
        assert_eq!(stream.read(&mut came).await.unwrap(), 4);
        let error = stream.read(&mut came).await.unwrap_err();
        assert_eq!(error.into_inner().unwrap().downcast_ref(), Some(&rustls::Error::DecryptError));
        // And the server hears why.
        let heard = server.read(&mut came).await.unwrap_err().into_inner().unwrap();
        let alert = rustls::Error::AlertReceived(rustls::AlertDescription::BadRecordMac);
        assert_eq!(heard.downcast_ref(), Some(&alert));
    }

    #[tokio::test]
    async fn a_server_that_is_not_believed_hears_why() {
        let (client, _) = config(rustls::ALL_VERSIONS);
        let (_, acceptor) = config(rustls::ALL_VERSIONS);
        let (near, far) = duplex(1 << 16);
        let (stream, accepted) =
            tokio::join!(TlsStream::connect(Box::new(near), client, localhost()), acceptor.accept(far));
        let said = stream.err().unwrap().into_inner().unwrap();
        assert!(matches!(said.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))), "{said}");
        let heard = accepted.unwrap_err().into_inner().unwrap();
        assert!(matches!(heard.downcast_ref(), Some(rustls::Error::AlertReceived(_))), "{heard}");
    }

    #[tokio::test]
    async fn keys_are_changed_amid_what_is_sent() {
        let (mut stream, mut server) = connected(1 << 16).await;
        let mut came = [0; 5];
        for _ in 0..3 {
            server.get_mut().1.refresh_traffic_keys().unwrap();
            server.write_all(b"hello").await.unwrap();
            server.flush().await.unwrap();
            stream.read_exact(&mut came).await.unwrap();
            stream.write_all(&came).await.unwrap();
            stream.flush().await.unwrap();
            server.read_exact(&mut came).await.unwrap();
            assert_eq!(&came, b"hello");
        }
    }
}
