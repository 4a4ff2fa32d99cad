//! The transport that a client brings: HTTP/1.1 over connections of our own pool.

use std::future::{poll_fn, ready as at_once};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::header::PROXY_AUTHORIZATION;
use http::{Request, Response, StatusCode};
use tokio::time::timeout;

use super::connect::connect;
use super::connection::Connection;
use super::head::{Form, Head};
use super::pool::{Destination, Pool};
use super::proxy::Proxies;
use super::tls::Tls;
use super::{Body, BoxError, ResponseFuture, Transport, TransportError, TransportErrorKind};
use crate::counters::Tally;

/// How connections are made.
pub(crate) struct Settings {
    pub(crate) connect_timeout: Duration,
    /// How long a server's system may say nothing of what was sent to it.
    pub(crate) silence: Duration,
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
}

impl Http1 {
    pub(crate) fn new(settings: Settings) -> Self {
        Self(Arc::new(Shared { settings, pool: Pool::default() }))
    }
}

impl Transport for Http1 {
    fn send(&self, request: Request<Body>) -> ResponseFuture {
        let Some(destination) = Destination::of(request.uri()) else {
            let error = TransportError::new(TransportErrorKind::Other, "the request's URI names no host");
            return Box::pin(at_once(Err(error)));
        };
        Box::pin(exchange(self.0.clone(), destination, request))
    }
}

#[expect(clippy::manual_async_fn, reason = "an async fn would have room for the request twice")]
fn exchange(
    shared: Arc<Shared>,
    destination: Destination,
    request: Request<Body>,
) -> impl Future<Output = Result<Response<Body>, TransportError>> {
    async move {
        let (mut request, body) = request.into_parts();
        let mut form = Form::Origin;
        if !destination.https
            && let Some(proxy) = shared.settings.proxies.of(&destination)
        {
            form = Form::Absolute;
            if let Some(authorization) = &proxy.authorization {
                request.headers.insert(PROXY_AUTHORIZATION, authorization.clone());
            }
        }
        let mut connection = loop {
            match shared.pool.take(&destination) {
                Some(mut connection) => {
                    if connection.settle().await {
                        break connection;
                    }
                }
                // Boxed, for it is seldom needed and would be half of this future.
                None => break Box::pin(open(&shared, &destination)).await?,
            }
        };
        let head = connection.exchange(&mut request, form, body).await?;
        answered(head, Reading { shared, destination, connection })
    }
}

async fn open(shared: &Shared, to: &Destination) -> Result<Connection, TransportError> {
    let turn = shared.settings.tally.connection() as usize;
    let (socket, wire) = connect(to, &shared.settings, turn).await?;
    Ok(Connection::new(socket, wire))
}

/// The answer, whose body gives the connection back.
fn answered(head: Head, reading: Reading) -> Result<Response<Body>, TransportError> {
    if head.status.is_success() && !reading.connection.took_whole_request() {
        let problem = format!("the server answered {} before it had the whole body", head.status.as_u16());
        return Err(TransportError::new(TransportErrorKind::Closed, problem));
    }
    if head.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED
        && !reading.destination.https
        && let Some(proxy) = reading.shared.settings.proxies.of(&reading.destination)
    {
        return Err(proxy.wants_user(reading.destination.host(), reading.destination.port()));
    }
    let body = if reading.connection.is_over() {
        reading.put_back();
        Body::empty()
    } else {
        Body::stream(reading.connection.left(), ResponseBody(Some(reading)))
    };
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    *response.version_mut() = head.version;
    *response.headers_mut() = head.headers;
    Ok(response)
}

/// What is left of an abandoned answer is read where it is no more than this: another connection costs more, most of
/// all with TLS.
const CHEAP_TO_READ: u64 = 64 * 1024;

/// How long that may take.
const DRAINING: Duration = Duration::from_secs(1);

/// An answer's body, which gives its connection back at its end. Dropped before, it closes the connection, unless
/// there is little left to read. `None` once it has ended.
struct ResponseBody(Option<Reading>);

/// A connection whose answer is being read, and where it goes afterwards.
struct Reading {
    shared: Arc<Shared>,
    destination: Destination,
    connection: Connection,
}

impl Reading {
    /// The answer is read: the next request may have the connection, where it is of use for another.
    fn put_back(self) {
        if let Some(connection) = self.connection.into_idle() {
            self.shared.pool.put(&self.destination, connection);
        }
    }

    /// Reads what is left and gives the connection back.
    async fn drain(mut self) {
        while let Some(Ok(_)) = poll_fn(|cx| self.connection.poll_data(cx)).await {}
        self.put_back();
    }
}

impl Stream for ResponseBody {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(reading) = &mut self.0 else { return Poll::Ready(None) };
        let item = ready!(reading.connection.poll_data(cx));
        let is_last = !matches!(item, Some(Ok(_))) || reading.connection.is_over();
        if let Some(reading) = self.0.take_if(|_| is_last) {
            reading.put_back();
        }
        Poll::Ready(item.map(|item| item.map_err(BoxError::from)))
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        let Some(reading) = self.0.take() else { return };
        let is_cheap = reading.connection.left().is_some_and(|left| left <= CHEAP_TO_READ);
        if is_cheap
            && reading.connection.may_follow()
            && let Some(runtime) = reading.connection.runtime().cloned()
        {
            // Not this thread's, which may be one without timers.
            runtime.spawn(async { timeout(DRAINING, reading.drain()).await });
        }
    }
}
