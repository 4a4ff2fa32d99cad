//! HTTP/1.1 by hyper, over connections of our own pool.

use std::fmt;
use std::future::{poll_fn, ready as at_once};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::header::PROXY_AUTHORIZATION;
use http::{Request, Response, StatusCode, Uri};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::connect::connect;
use super::connection::Connection;
use super::pool::{Destination, Pool};
use super::proxy::{Proxies, Proxy};
use super::tls::Tls;
use super::{Body, BoxError, ResponseFuture, Transport, TransportError, TransportErrorKind};
use crate::counters::Tally;

/// How connections are made.
pub(crate) struct Settings {
    pub(crate) connect_timeout: Duration,
    pub(crate) tls: Tls,
    /// For proxies that are spoken to by TLS.
    pub(crate) proxy_tls: Tls,
    pub(crate) proxies: Proxies,
    pub(crate) tally: Arc<Tally>,
}

/// The transport that a client brings.
pub(crate) struct Http1(Arc<Shared>);

struct Shared {
    settings: Settings,
    pool: Pool,
    /// An answer had more headers than connections have room for at first. All have from then on.
    roomy: AtomicBool,
}

impl Http1 {
    pub(crate) fn new(settings: Settings) -> Self {
        Self(Arc::new(Shared { settings, pool: Pool::default(), roomy: AtomicBool::new(false) }))
    }
}

impl Transport for Http1 {
    fn send(&self, request: Request<Body>) -> ResponseFuture {
        let shared = self.0.clone();
        let Some(destination) = Destination::of(request.uri()) else {
            let error = TransportError::new(TransportErrorKind::Other, "the request's URI names no host");
            return Box::pin(at_once(Err(error)));
        };
        let sent = Arc::new(AtomicBool::new(request.body().length() == Some(0)));
        let request = match shared.settings.proxies.of(&destination) {
            Some(proxy) if !destination.https => proxy_form(request, proxy),
            _ => origin_form(request),
        };
        let request = request.map(|body| RequestBody { body, sent: sent.clone() });
        Box::pin(exchange(shared, destination, request, sent))
    }
}

#[expect(clippy::manual_async_fn, reason = "an async fn would have room for the request twice")]
fn exchange(
    shared: Arc<Shared>,
    destination: Destination,
    mut request: Request<RequestBody>,
    sent: Arc<AtomicBool>,
) -> impl Future<Output = Result<Response<Body>, TransportError>> {
    async move {
        let (response, connection) = loop {
            let (mut connection, pooled) = match shared.pool.take(&destination) {
                Some(connection) => (connection, true),
                // Boxed, for it is seldom needed and would be half of this future.
                None => (Box::pin(open(&shared, &destination)).await?, false),
            };
            let is_too_small = shared.roomy.load(Ordering::Relaxed) && !connection.roomy;
            if pooled && (is_too_small || !connection.settle().await) {
                continue;
            }
            let answer = pin!(connection.send(request));
            match connection.drive_until(answer).await {
                Ok(response) => break (response, connection),
                Err(mut failed) => match failed.take_message() {
                    // It was closed before it took the request: nothing was sent, the next one gets it.
                    Some(unsent) if pooled => request = unsent,
                    _ => return Err(no_answer(&shared, &connection, failed.into_error())),
                },
            }
        };
        answered(response, Keep { shared, destination, connection, sent })
    }
}

/// The answer, whose body gives the connection back.
fn answered(response: Response<Incoming>, keep: Keep) -> Result<Response<Body>, TransportError> {
    if response.status().is_success() && !keep.took_whole_request() {
        let problem = format!("the server answered {} before it had the whole body", response.status().as_u16());
        return Err(TransportError::new(TransportErrorKind::Closed, problem));
    }
    if response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED
        && !keep.destination.https
        && let Some(proxy) = keep.shared.settings.proxies.of(&keep.destination)
    {
        return Err(proxy.wants_user(keep.destination.host(), keep.destination.port()));
    }
    Ok(response.map(|incoming| {
        let length = incoming.size_hint().exact();
        if incoming.is_end_stream() {
            keep.put_back();
            return Body::empty();
        }
        Body::stream(length, ResponseBody(Some(Reading { incoming, keep })))
    }))
}

const TOO_LARGE: &str = "message head is too large";

/// Why no answer came. Where it had too many headers, the next connection has room for them.
fn no_answer(shared: &Shared, connection: &Connection, error: hyper::Error) -> TransportError {
    // hyper has a method that tells, for servers alone.
    if error.is_parse() && error.to_string() == TOO_LARGE && !connection.roomy {
        shared.roomy.store(true, Ordering::Relaxed);
        return TransportError::new(TransportErrorKind::Other, SendAgain(error));
    }
    transport_error(error)
}

/// The same request would succeed on a connection as they are from now on.
#[derive(Debug)]
pub(crate) struct SendAgain(hyper::Error);

impl fmt::Display for SendAgain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for SendAgain {}

async fn open(shared: &Shared, to: &Destination) -> Result<Connection, TransportError> {
    let turn = shared.settings.tally.connection() as usize;
    let (socket, wire) = connect(to, &shared.settings, turn).await?;
    Connection::start(socket, wire, shared.roomy.load(Ordering::Relaxed)).await.map_err(transport_error)
}

/// The request as HTTP/1.1 has it: path and query alone, byte for byte.
fn origin_form(mut request: Request<Body>) -> Request<Body> {
    let uri = request.uri_mut();
    *uri = uri.path_and_query().cloned().map(Uri::from).unwrap_or_default();
    request
}

/// The request as a proxy for plain HTTP has it: the whole URI, and the user's name for the proxy.
fn proxy_form(mut request: Request<Body>, proxy: &Proxy) -> Request<Body> {
    if let Some(authorization) = &proxy.authorization {
        request.headers_mut().insert(PROXY_AUTHORIZATION, authorization.clone());
    }
    request
}

fn transport_error(error: hyper::Error) -> TransportError {
    let kind = if error.is_user() {
        TransportErrorKind::RequestBody
    } else if error.is_parse() {
        TransportErrorKind::Other
    } else {
        TransportErrorKind::Closed
    };
    TransportError::new(kind, error)
}

/// A connection in use, and where it goes afterwards.
struct Keep {
    shared: Arc<Shared>,
    destination: Destination,
    connection: Connection,
    sent: Arc<AtomicBool>,
}

impl Keep {
    /// Whether hyper took the request to its end, and the socket what hyper gave it.
    fn took_whole_request(&self) -> bool {
        self.sent.load(Ordering::Acquire) && !self.connection.is_broken()
    }

    /// The answer is read. A connection whose request was not sent to its end is of no more use.
    fn put_back(self) {
        if self.took_whole_request() {
            self.shared.pool.put(&self.destination, self.connection);
        }
    }
}

/// A request's body as hyper wants it.
#[derive(Debug)]
pub(crate) struct RequestBody {
    body: Body,
    /// Set once hyper needs no more of it.
    sent: Arc<AtomicBool>,
}

#[cfg(test)]
impl RequestBody {
    pub(crate) fn empty() -> Self {
        Self { body: Body::empty(), sent: Arc::default() }
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_next(cx));
        if frame.is_none() || self.body.length() == Some(0) {
            self.sent.store(true, Ordering::Release);
        }
        Poll::Ready(frame.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        let ended = self.body.length() == Some(0);
        if ended {
            self.sent.store(true, Ordering::Release);
        }
        ended
    }

    fn size_hint(&self) -> SizeHint {
        self.body.length().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// What is left of an abandoned answer is read where it is no more than this: another connection costs more, most of
/// all with TLS.
const CHEAP_TO_READ: u64 = 64 * 1024;

/// How long that may take.
const DRAINING: Duration = Duration::from_secs(1);

/// An answer's body, which gives its connection back at its end. Dropped before, it closes the connection, unless
/// there is little left to read. `None` once it has ended.
struct ResponseBody(Option<Reading>);

struct Reading {
    incoming: Incoming,
    keep: Keep,
}

impl Reading {
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, hyper::Error>>> {
        loop {
            match ready!(self.keep.connection.poll_frame(&mut self.incoming, cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                // Trailers say nothing that S3 needs.
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                }
            }
        }
    }

    /// Reads what is left and gives the connection back.
    async fn drain(mut self) {
        while let Some(Ok(_)) = poll_fn(|cx| self.poll_data(cx)).await {}
        if self.incoming.is_end_stream() {
            self.keep.put_back();
        }
    }
}

impl Stream for ResponseBody {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(reading) = &mut self.0 else { return Poll::Ready(None) };
        let item = ready!(reading.poll_data(cx));
        let is_over = !matches!(item, Some(Ok(_))) || reading.incoming.is_end_stream();
        if let Some(reading) = self.0.take_if(|_| is_over)
            && !matches!(item, Some(Err(_)))
        {
            reading.keep.put_back();
        }
        Poll::Ready(item.map(|item| item.map_err(|error| transport_error(error).into())))
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        let Some(reading) = self.0.take() else { return };
        let is_cheap = reading.incoming.size_hint().upper().is_some_and(|left| left <= CHEAP_TO_READ);
        if is_cheap && let Ok(runtime) = Handle::try_current() {
            runtime.spawn(timeout(DRAINING, reading.drain()));
        }
    }
}
