//! The seam between an S3 client and whatever carries its bytes.
//!
//! A [`Transport`] takes one [`http::Request`] and gives back one [`http::Response`]. It does not know S3, does not
//! sign, does not retry and follows no redirects. `wharf` brings one that speaks HTTP over sockets;
//! `wharf-embedded` is one that answers by itself, in the same process; tests put theirs here.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use http::{Request, Response};

/// Any error, boxed.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// What [`Transport::send`] gives back.
pub type ResponseFuture = Pin<Box<dyn Future<Output = Result<Response<Body>, TransportError>> + Send>>;

/// Carries one request to its server and one answer back.
///
/// The request's URI is absolute (`http://host:port/path?query`) and its path and query must reach the server byte for
/// byte: S3 keys such as `a/../b` are signed as they stand. Dropping the returned future, or the answer's body, must
/// cancel the exchange.
pub trait Transport: Send + Sync + 'static {
    /// Sends `request` and waits for the head of its answer.
    ///
    /// An answer may come before the server has taken the whole body, unless it is a success: nobody has what was not
    /// sent, so that is [`TransportErrorKind::Closed`].
    fn send(&self, request: Request<Body>) -> ResponseFuture;

    /// What a client that was told nothing else should assume. A store in this process knows its own keys; a socket
    /// knows nothing, which is the default.
    fn defaults(&self) -> Option<Defaults> {
        None
    }
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(&self, request: Request<Body>) -> ResponseFuture {
        (**self).send(request)
    }

    fn defaults(&self) -> Option<Defaults> {
        (**self).defaults()
    }
}

/// The settings with which a [`Transport`]'s server is reached.
#[derive(Clone)]
pub struct Defaults {
    /// The server's URL, such as `http://s3.localhost`.
    pub endpoint: String,
    /// The region that requests are signed for.
    pub region: String,
    /// An access key that the server knows.
    pub access_key_id: String,
    /// That key's secret.
    pub secret_access_key: String,
}

impl fmt::Debug for Defaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Defaults")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// The bytes of a request or an answer: none, one buffer, or a stream of buffers.
#[derive(Default)]
pub struct Body(Inner);

#[derive(Default)]
enum Inner {
    #[default]
    Empty,
    Full(Bytes),
    Stream {
        length: Option<u64>,
        stream: Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>,
    },
}

impl Body {
    /// A body without bytes.
    pub fn empty() -> Self {
        Self(Inner::Empty)
    }

    /// A body that arrives in pieces; `length` is its exact number of bytes where that is known.
    pub fn stream(length: Option<u64>, stream: impl Stream<Item = Result<Bytes, BoxError>> + Send + 'static) -> Self {
        Self(Inner::Stream { length, stream: Box::pin(stream) })
    }

    /// The exact number of bytes still to come, where known.
    pub fn length(&self) -> Option<u64> {
        match &self.0 {
            Inner::Empty => Some(0),
            Inner::Full(bytes) => Some(bytes.len() as u64),
            Inner::Stream { length, .. } => *length,
        }
    }

    /// The whole body where it is already in memory, else the body unchanged.
    pub fn into_full(self) -> Result<Bytes, Self> {
        match self.0 {
            Inner::Empty => Ok(Bytes::new()),
            Inner::Full(bytes) => Ok(bytes),
            stream => Err(Self(stream)),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        if bytes.is_empty() { Self::empty() } else { Self(Inner::Full(bytes)) }
    }
}

impl Stream for Body {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.0 {
            Inner::Empty => Poll::Ready(None),
            Inner::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                self.0 = Inner::Empty;
                Poll::Ready(Some(Ok(bytes)))
            }
            Inner::Stream { stream, length } => {
                let item = std::task::ready!(stream.as_mut().poll_next(cx));
                if let (Some(Ok(bytes)), Some(left)) = (&item, length) {
                    *left = left.saturating_sub(bytes.len() as u64);
                }
                Poll::Ready(item)
            }
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.length() {
            Some(length) => write!(f, "Body({length} bytes)"),
            None => f.write_str("Body(unknown length)"),
        }
    }
}

/// Why no answer came, or why a body broke off.
#[derive(Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    source: BoxError,
}

/// The kinds of [`TransportError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The host name has no address.
    Dns,
    /// No connection was made: refused, unreachable, or no answer in time. No byte of the request was sent.
    Connect,
    /// The TLS handshake failed. No byte of the request was sent.
    Tls,
    /// The peer closed or reset the connection before its answer was whole, or answered that all is well before it
    /// had the whole request.
    Closed,
    /// The request's own body failed while it was read.
    RequestBody,
    /// Anything else: not HTTP, a protocol error.
    Other,
}

impl TransportError {
    /// An error of `kind`, caused by `source`.
    pub fn new(kind: TransportErrorKind, source: impl Into<BoxError>) -> Self {
        Self { kind, source: source.into() }
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// The cause itself.
    pub fn into_source(self) -> BoxError {
        self.source
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            TransportErrorKind::Dns => "the host name could not be resolved",
            TransportErrorKind::Connect => "no connection could be made",
            TransportErrorKind::Tls => "the TLS handshake failed",
            TransportErrorKind::Closed => "the connection was closed before the answer was whole",
            TransportErrorKind::RequestBody => "the request body could not be read",
            TransportErrorKind::Other => "the HTTP exchange failed",
        })
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}
