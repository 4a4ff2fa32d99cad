//! How bytes travel: the seam, and the HTTP behind it.
//!
//! [`Transport`] is one method: a request in, an answer out. A client brings its own, which speaks HTTP/1.1 over TCP
//! and TLS; [`ClientBuilder::transport`](crate::ClientBuilder::transport) takes any other, such as the embedded store
//! or a test's.

mod connect;
mod connection;
mod dial;
mod framing;
mod head;
mod http1;
mod pool;
pub(crate) mod proxy;
pub(crate) mod tls;
mod tls_stream;
mod wire;

pub use wharf_transport::{Body, BoxError, Defaults, ResponseFuture, Transport, TransportError, TransportErrorKind};

pub(crate) use dial::is_loopback;
pub(crate) use http1::{Http1, Settings};

use wharf_proto::retry::TransportFailure;
use wharf_proto::{Error, ErrorKind};

/// What a transport's failure means for the next attempt.
pub(crate) fn failure(kind: TransportErrorKind) -> TransportFailure {
    match kind {
        TransportErrorKind::Dns => TransportFailure::Dns,
        TransportErrorKind::Connect => TransportFailure::Connect,
        TransportErrorKind::Tls => TransportFailure::Tls,
        TransportErrorKind::Closed => TransportFailure::Closed,
        TransportErrorKind::RequestBody => TransportFailure::RequestBody,
        _ => TransportFailure::Protocol,
    }
}

/// The error that the caller sees: the innermost cause is what helps.
pub(crate) fn transport_error(error: TransportError) -> Error {
    let kind = match error.kind() {
        TransportErrorKind::RequestBody => ErrorKind::Body,
        _ => ErrorKind::Transport,
    };
    let kind = if is_timeout(&error) { ErrorKind::Timeout } else { kind };
    let failed_at = error.kind();
    let mut innermost: &(dyn std::error::Error + 'static) = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let told = Error::new(kind, format!("{error}: {innermost}")).with_cause(error);
    match failed_at {
        TransportErrorKind::Tls if told.message().contains("certificate") => {
            told.with_hint("a certificate of your own is trusted by AWS_CA_BUNDLE or .root_certificates_pem()")
        }
        TransportErrorKind::Connect | TransportErrorKind::Dns if told.message().contains("the proxy ") => {
            told.with_hint("look at HTTP_PROXY, HTTPS_PROXY and ALL_PROXY, or except the host by NO_PROXY")
        }
        TransportErrorKind::Connect => {
            told.with_hint("see that a server listens there, and that the endpoint names its port")
        }
        TransportErrorKind::Dns => told.with_hint(
            "check the endpoint and the region; where the server has no host name per bucket, use path style",
        ),
        _ => told,
    }
}

/// Whether a request failed before any of it can have reached the server.
pub(crate) fn was_never_sent(error: &Error) -> bool {
    let transport = error.cause().and_then(|cause| cause.downcast_ref::<TransportError>());
    let kind = transport.map(TransportError::kind);
    matches!(kind, Some(TransportErrorKind::Connect | TransportErrorKind::Dns | TransportErrorKind::Tls))
}

fn is_timeout(error: &TransportError) -> bool {
    let source = std::error::Error::source(error);
    let io = source.and_then(|source| source.downcast_ref::<std::io::Error>());
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::TimedOut)
}
