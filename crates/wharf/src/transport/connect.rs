//! Opening a connection: straight or through a proxy, with TLS where it is https.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::dial::{Unreachable, dial};
use super::http1::Settings;
use super::pool::Destination;
use super::proxy::Proxy;
use super::tls::Tls;
use super::tls_stream::TlsStream;
use super::wire::{AnswerFirst, Wire};
use super::{BoxError, TransportError, TransportErrorKind};
use crate::progress::within;

/// Anything that bytes can be written to and read from.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// Connects to where `to` leads. `turn` spreads connections over a host's addresses.
pub(crate) async fn connect(
    to: &Destination,
    settings: &Settings,
    turn: usize,
) -> Result<(Box<dyn Socket>, Arc<Wire>), TransportError> {
    let mut limit = Limit { whole: settings.connect_timeout, left: settings.connect_timeout };
    let (host, port) = (to.host(), to.port());
    let server = || format!("{host}:{port}");
    let proxy = settings.proxies.of(to);
    let (mut socket, wire) = match proxy {
        Some(proxy) => {
            limit.hold(reach(proxy, settings, turn), || format!("the proxy {proxy} cannot be reached")).await?
        }
        None => over(limit.hold(dial(host, port, turn, settings.silence), server).await?),
    };
    if !to.https {
        return Ok((socket, wire));
    }
    if let Some(proxy) = proxy {
        let what = || format!("the proxy {proxy} did not connect to {host}:{port}");
        limit.hold(proxy.tunnel(&mut socket, host, port), what).await?;
    }
    Ok((limit.hold(secure(socket, "endpoint", host, port, &settings.tls), server).await?, wire))
}

/// The time in which a connection must stand, with all its steps.
struct Limit {
    whole: Duration,
    left: Duration,
}

impl Limit {
    /// Ends a step that takes too long. `what` says who has not answered.
    async fn hold<T>(
        &mut self,
        step: impl Future<Output = Result<T, TransportError>>,
        what: impl FnOnce() -> String,
    ) -> Result<T, TransportError> {
        within(&mut self.left, step).await.unwrap_or_else(|| {
            let text = format!("{}: no answer within {:?}", what(), self.whole);
            Err(TransportError::new(TransportErrorKind::Connect, io::Error::new(io::ErrorKind::TimedOut, text)))
        })
    }
}

/// A connection to the proxy itself.
async fn reach(
    proxy: &Proxy,
    settings: &Settings,
    turn: usize,
) -> Result<(Box<dyn Socket>, Arc<Wire>), TransportError> {
    let failed = |error: TransportError| {
        let kind = error.kind();
        TransportError::new(kind, format!("the proxy {proxy} cannot be reached: {}", error.into_source()))
    };
    let (host, port) = (proxy.host(), proxy.port());
    let (socket, wire) = over(dial(host, port, turn, settings.silence).await.map_err(failed)?);
    match proxy.is_https() {
        true => Ok((secure(socket, "proxy", host, port, &settings.proxy_tls).await.map_err(failed)?, wire)),
        false => Ok((socket, wire)),
    }
}

/// Plain HTTP over `stream`.
pub(crate) fn over(stream: TcpStream) -> (Box<dyn Socket>, Arc<Wire>) {
    let wire = Wire::new(stream);
    (Box::new(AnswerFirst(wire.clone())), wire)
}

/// TLS over `socket`, at whose other end `host` must be, the `what` of the settings.
async fn secure(
    socket: Box<dyn Socket>,
    what: &str,
    host: &str,
    port: u16,
    tls: &Tls,
) -> Result<Box<dyn Socket>, TransportError> {
    let failed = |error: BoxError| TransportError::new(TransportErrorKind::Tls, error);
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(|error| failed(error.into()))?;
    let config = tls.config().await.map_err(failed)?;
    match TlsStream::connect(socket, config, name).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(handshake_failed(what, host, port, error)),
    }
}

/// What TLS refuses stays refused; a handshake that the network cut short may go well next time.
fn handshake_failed(what: &str, host: &str, port: u16, error: io::Error) -> TransportError {
    let (kind, error) = match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidMessage(_)) => {
            let problem = format!("what answers there is not TLS; is the {what} http://?");
            (TransportErrorKind::Tls, io::Error::other(problem))
        }
        Some(_) => (TransportErrorKind::Tls, error),
        None => (TransportErrorKind::Connect, error),
    };
    TransportError::new(kind, Unreachable { host: host.to_owned(), port, error })
}
