//! A store behind a TCP port.

mod health;
mod outlet;
#[cfg(feature = "tls")]
pub(crate) mod tls;

use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{self, Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use http::Request;
use http::header::{CONNECTION, HeaderValue};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep, sleep};
use wharf_transport::{Body, BoxError, TransportError};

use crate::call::Peer;
use crate::error::{Code, Error};
use crate::store::Store;

use outlet::{Outlet, Progress};

/// How much of a refused body is still read, so that its sender sees the refusal and not a reset connection.
const MOST_LEFTOVER: usize = 64 * 1024 * 1024;

/// How long a sender may be silent while its refused body is read, and take to hear that a connection ends.
const LEFTOVER_SILENCE: Duration = Duration::from_secs(2);

/// How long a sender may be silent amid a body, about as long as S3 lets him.
const BODY_SILENCE: Duration = Duration::from_secs(20);

/// How long a server that stops waits for a reader to go on with his answer. The system may tell of what he reads by the megabyte.
const READER_SILENCE: Duration = Duration::from_secs(60);

/// How long a connection may take to agree on its encryption.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A [`Store`] served over TCP, until it is stopped or dropped.
#[derive(Debug)]
pub struct Server {
    scheme: &'static str,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Store {
    /// Serves this store over HTTP/1.1 at `address`, such as `"127.0.0.1:0"` for a free port of this machine's own.
    /// [`/_health`](Server::health_url) answers whoever asks.
    ///
    /// # Errors
    ///
    /// The address cannot be bound to.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub async fn serve(&self, address: impl ToSocketAddrs) -> io::Result<Server> {
        Server::start(TcpListener::bind(address).await?, self.clone(), "http", |stream| ready(Ok(stream)))
    }
}

impl Server {
    /// Serves what `listener` accepts, each connection after its `handshake`.
    pub(crate) fn start<S, F, H>(
        listener: TcpListener,
        store: Store,
        scheme: &'static str,
        handshake: H,
    ) -> io::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        F: Future<Output = io::Result<S>> + Send + 'static,
        H: Fn(TcpStream) -> F + Send + 'static,
    {
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let is_secure = scheme == "https";
        let task = tokio::spawn(accept(listener, store, handshake, is_secure, stopped));
        Ok(Self { scheme, address, stop, task })
    }

    /// The address it listens on, with the port that was chosen.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The URL for clients on this machine, such as `http://127.0.0.1:9000`.
    pub fn endpoint(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            let home: std::net::IpAddr = if address.is_ipv4() {
                std::net::Ipv4Addr::LOCALHOST.into()
            } else {
                std::net::Ipv6Addr::LOCALHOST.into()
            };
            address.set_ip(home);
        }
        format!("{}://{address}", self.scheme)
    }

    /// The URL that answers 200 without a signature while the server runs. It is no request of S3's, and in no log.
    pub fn health_url(&self) -> String {
        format!("{}{}", self.endpoint(), health::PATH)
    }

    /// Takes no more connections, finishes the requests that are under way, and closes. A body that stalls is waited for
    /// no longer than 20 s, and the reader of an answer who does not go on no longer than a minute. Dropping the server instead starts the
    /// same and does not wait.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

async fn accept<S, F>(
    listener: TcpListener,
    store: Store,
    handshake: impl Fn(TcpStream) -> F,
    secure: bool,
    mut stopped: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Future<Output = io::Result<S>> + Send + 'static,
{
    let mut connections = tokio::task::JoinSet::new();
    let theirs = stopped.clone();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => {
                    // Small answers must not wait for the acknowledgement of those before.
                    let _ = stream.set_nodelay(true);
                    let peer = Peer { ip: address.ip(), secure };
                    let (store, mut stopped, shaken) = (store.clone(), theirs.clone(), handshake(stream));
                    connections.spawn(async move {
                        let shaken = tokio::select! {
                            shaken = tokio::time::timeout(HANDSHAKE, shaken) => shaken,
                            _ = told(&mut stopped) => return,
                        };
                        if let Ok(Ok(stream)) = shaken {
                            serve_connection(stream, peer, store, stopped).await;
                        }
                    });
                }
                // Out of descriptors, say: what is open goes on, and the next one waits a moment.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next() => {}
            _ = told(&mut stopped) => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Waits until the server is told to stop, or is gone.
async fn told(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn serve_connection<S>(stream: S, peer: Peer, store: Store, mut stopped: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let unread = Arc::new(AtomicBool::new(false));
    let flag = unread.clone();
    let service = service_fn(move |mut request: Request<Incoming>| -> Pin<Box<dyn Future<Output = _> + Send>> {
        request.extensions_mut().insert(peer);
        let (store, flag) = (store.clone(), flag.clone());
        Box::pin(async move {
            if health::is_asked(&request, store.domains()) {
                return Ok(health::answer().map(Outgoing));
            }
            let unread = flag.clone();
            // Without an answer the connection is closed as it stands.
            let mut response = store.exchange(request.map(|body| incoming(body, flag))).await?;
            if unread.load(Ordering::Relaxed) {
                // Nothing more can be asked on this connection; its owner should know before he tries.
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, TransportError>(response.map(Outgoing))
        })
    });
    let progress = Arc::new(Progress::default());
    let outlet = TokioIo::new(Outlet::new(stream, progress.clone()));
    let mut connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(outlet, service);
    let mut stopping = false;
    let served = loop {
        tokio::select! {
            served = std::future::poll_fn(|cx| connection.poll_without_shutdown(cx)) => break served,
            _ = told(&mut stopped), if !stopping => {
                stopping = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
            // Only now: who reads slowly is no trouble to a server that stays.
            _ = progress.stalls(READER_SILENCE), if stopping => return,
        }
    };
    if served.is_ok() {
        close(connection.into_parts().io.into_inner(), unread.load(Ordering::Relaxed)).await;
    }
}

/// Ends a connection: says that no more answers follow. Where its last request was not read to the end, also reads what
/// is still coming: closing at once would reset the connection and could take the answer with it.
async fn close(mut stream: impl AsyncRead + AsyncWrite + Unpin, is_unread: bool) {
    let said = tokio::time::timeout(LEFTOVER_SILENCE, stream.shutdown()).await;
    if !is_unread || !matches!(said, Ok(Ok(()))) {
        return;
    }
    let mut buffer = vec![0; 64 * 1024];
    let mut left = MOST_LEFTOVER;
    while left > 0 {
        match tokio::time::timeout(LEFTOVER_SILENCE, stream.read(&mut buffer)).await {
            Ok(Ok(read)) if read > 0 => left = left.saturating_sub(read),
            _ => return,
        }
    }
}

fn incoming(body: Incoming, unread: Arc<AtomicBool>) -> Body {
    let length = http_body::Body::size_hint(&body).exact();
    if length == Some(0) {
        return Body::empty();
    }
    let silence = Box::pin(sleep(BODY_SILENCE));
    Body::stream(length, Frames { body, unread, silence, is_waiting: false, has_ended: false })
}

/// The data of a body's frames.
struct Frames {
    body: Incoming,
    /// Set where the body is dropped before its end.
    unread: Arc<AtomicBool>,
    /// Over when the sender, once waited for, has been silent for too long.
    silence: Pin<Box<Sleep>>,
    is_waiting: bool,
    /// Whether its end was seen, which a body in chunks does not say of itself.
    has_ended: bool,
}

impl Drop for Frames {
    fn drop(&mut self) {
        if !self.has_ended && !http_body::Body::is_end_stream(&self.body) {
            self.unread.store(true, Ordering::Relaxed);
        }
    }
}

impl Stream for Frames {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match http_body::Body::poll_frame(Pin::new(&mut self.body), cx) {
                Poll::Ready(None) => {
                    self.has_ended = true;
                    return Poll::Ready(None);
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error.into()))),
                Poll::Ready(Some(Ok(frame))) => {
                    self.is_waiting = false;
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
                Poll::Pending => {
                    if !std::mem::replace(&mut self.is_waiting, true) {
                        self.silence.as_mut().reset(Instant::now() + BODY_SILENCE);
                    }
                    task::ready!(self.silence.as_mut().poll(cx));
                    return Poll::Ready(Some(Err(Error::from(Code::RequestTimeout).into())));
                }
            }
        }
    }
}

struct Outgoing(Body);

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.0).poll_next(cx).map(|item| item.map(|item| item.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.length() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.length().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
