//! A store behind a TCP port.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
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
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use wharf_transport::{Body, BoxError};

use crate::call::Peer;
use crate::store::Store;

/// How much of a refused body is still read, so that its sender sees the refusal and not a reset connection.
const MOST_LEFTOVER: usize = 64 * 1024 * 1024;

/// How long a sender may be silent while its refused body is read.
const LEFTOVER_SILENCE: Duration = Duration::from_secs(2);

/// A [`Store`] served over TCP, until it is stopped or dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Store {
    /// Serves this store over HTTP/1.1 at `address`, such as `"127.0.0.1:0"` for a free port of this machine's own.
    ///
    /// # Errors
    ///
    /// The address cannot be bound to.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub async fn serve(&self, address: impl ToSocketAddrs) -> io::Result<Server> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(accept(listener, self.clone(), stopped));
        Ok(Server { address, stop, task })
    }
}

impl Server {
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
        format!("http://{address}")
    }

    /// Takes no more connections, finishes the requests that are under way, and closes. Dropping the server instead
    /// starts the same and does not wait.
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

async fn accept(listener: TcpListener, store: Store, mut stopped: watch::Receiver<bool>) {
    let mut connections = tokio::task::JoinSet::new();
    let theirs = stopped.clone();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_connection(stream, store.clone(), theirs.clone()));
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

async fn serve_connection(stream: TcpStream, store: Store, mut stopped: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let peer = stream.peer_addr().ok().map(|address| Peer { ip: address.ip(), secure: false });
    let unread = Arc::new(AtomicBool::new(false));
    let flag = unread.clone();
    let service = service_fn(move |mut request: Request<Incoming>| -> Pin<Box<dyn Future<Output = _> + Send>> {
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        let (store, flag) = (store.clone(), flag.clone());
        Box::pin(async move {
            let unread = flag.clone();
            let mut response = store.handle(request.map(|body| incoming(body, flag))).await;
            if unread.load(Ordering::Relaxed) {
                // Nothing more can be asked on this connection; its owner should know before he tries.
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, std::convert::Infallible>(response.map(Outgoing))
        })
    });
    let mut connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    let mut stopping = false;
    let served = loop {
        tokio::select! {
            served = std::future::poll_fn(|cx| connection.poll_without_shutdown(cx)) => break served,
            _ = told(&mut stopped), if !stopping => {
                stopping = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    if served.is_ok() && unread.load(Ordering::Relaxed) {
        linger(connection.into_parts().io.into_inner()).await;
    }
}

/// Ends a connection whose last request may not have been read to its end: says that no more answers follow, then
/// reads what is still coming. Closing at once would reset the connection and could take the answer with it.
async fn linger(mut stream: TcpStream) {
    if stream.shutdown().await.is_err() {
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
    if length == Some(0) { Body::empty() } else { Body::stream(length, Frames { body, unread }) }
}

/// The data of a body's frames.
struct Frames {
    body: Incoming,
    /// Set where the body is dropped before its end.
    unread: Arc<AtomicBool>,
}

impl Drop for Frames {
    fn drop(&mut self) {
        if !http_body::Body::is_end_stream(&self.body) {
            self.unread.store(true, Ordering::Relaxed);
        }
    }
}

impl Stream for Frames {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match ready!(http_body::Body::poll_frame(Pin::new(&mut self.body), cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
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
