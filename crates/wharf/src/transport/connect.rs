//! Opening a connection: name, address, TLS.

use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use rustls::pki_types::ServerName;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, BufReader, Interest, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::tls::Tls;
use super::{TransportError, TransportErrorKind};

/// Anything that bytes can be written to and read from.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// Between the socket and TLS: with it, a gigabyte takes 5,000 reads and not 67,000.
const TLS_READ_BUFFER: usize = 64 * 1024;

/// Connects to `host` (as a URI has it), with TLS where there is a `tls`.
///
/// `limit` is what the caller gives to all of it.
pub(crate) async fn connect(
    host: &str,
    port: u16,
    tls: Option<&Tls>,
    limit: Duration,
) -> Result<(Box<dyn Socket>, Arc<Wire>), TransportError> {
    let stream = connect_tcp(host, port, limit).await?;
    let Some(tls) = tls else { return Ok(over(stream)) };
    let wire = Wire::new(stream);
    let stream = AnswerFirst(wire.clone());
    let failed = |error: super::BoxError| TransportError::new(TransportErrorKind::Tls, error);
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(|error| failed(error.into()))?;
    let connector = tls.connector().await.map_err(failed)?;
    let stream = connector.connect(name, BufReader::with_capacity(TLS_READ_BUFFER, stream)).await;
    Ok((Box::new(stream.map_err(|error| handshake_failed(host, port, error))?), wire))
}

/// Plain HTTP over `stream`.
pub(crate) fn over(stream: TcpStream) -> (Box<dyn Socket>, Arc<Wire>) {
    let wire = Wire::new(stream);
    (Box::new(AnswerFirst(wire.clone())), wire)
}

/// What TLS refuses stays refused; a handshake that the network cut short may go well next time.
fn handshake_failed(host: &str, port: u16, error: io::Error) -> TransportError {
    let (kind, error) = match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidMessage(_)) => {
            (TransportErrorKind::Tls, io::Error::other("what answers there is not TLS; is the endpoint http://?"))
        }
        Some(_) => (TransportErrorKind::Tls, error),
        None => (TransportErrorKind::Connect, error),
    };
    TransportError::new(kind, Unreachable { host: host.to_owned(), port, error })
}

async fn connect_tcp(host: &str, port: u16, limit: Duration) -> Result<TcpStream, TransportError> {
    let addresses = resolve(host, port).await?;
    match first_of(&addresses, limit, TcpStream::connect).await {
        Ok(stream) => {
            // Requests are written whole; waiting to fill a packet only delays them.
            let _ = stream.set_nodelay(true);
            Ok(stream)
        }
        Err(error) => {
            let error = Unreachable { host: host.to_owned(), port, error };
            Err(TransportError::new(TransportErrorKind::Connect, error))
        }
    }
}

/// The first address that answers. Each has a share of the time only, the last one what is left: one that is dead must
/// not keep a host from being reached by another.
async fn first_of<T, F: Future<Output = io::Result<T>>>(
    addresses: &[SocketAddr],
    limit: Duration,
    connect: impl Fn(SocketAddr) -> F,
) -> io::Result<T> {
    let Some((last, others)) = addresses.split_last() else {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the host has no address"));
    };
    let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for address in others {
        if let Ok(Ok(connected)) = timeout(limit / count, connect(*address)).await {
            return Ok(connected);
        }
    }
    connect(*last).await
}

/// A connection that failed, with where it went: the one thing a reader of the error needs.
#[derive(Debug)]
struct Unreachable {
    host: String,
    port: u16,
    error: io::Error,
}

impl std::fmt::Display for Unreachable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.host, self.port, self.error)
    }
}

impl std::error::Error for Unreachable {}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, TransportError> {
    let bare = host.trim_matches(['[', ']']);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    if host == "localhost" || host.ends_with(".localhost") {
        // Not every resolver knows that all names under localhost are this machine.
        return Ok(vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()]);
    }
    match lookup_host((host, port)).await {
        Ok(addresses) => Ok(addresses.collect()),
        Err(error) => {
            let error = io::Error::new(error.kind(), format!("{host}: {error}"));
            Err(TransportError::new(TransportErrorKind::Dns, error))
        }
    }
}

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
    fn new(stream: TcpStream) -> Arc<Self> {
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
struct AnswerFirst(Arc<Wire>);

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

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_dead_address_leaves_time_for_the_next() {
        let addresses = [1, 2, 3, 4].map(|n| SocketAddr::from((Ipv4Addr::LOCALHOST, n)));
        let connect = |address: SocketAddr| async move {
            match address.port() {
                1 => std::future::pending().await,
                2 => Err(io::ErrorKind::ConnectionRefused.into()),
                port => Ok(port),
            }
        };
        let start = Instant::now();
        let limit = Duration::from_secs(4);
        let port = timeout(limit, first_of(&addresses, limit, connect)).await.unwrap().unwrap();
        assert_eq!((port, start.elapsed().as_secs()), (3, 1));
        let error = first_of(&addresses[..2], limit, connect).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(first_of(&[], limit, connect).await.unwrap_err().to_string(), "the host has no address");
    }
}
