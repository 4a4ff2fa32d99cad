//! Opening a connection: straight or through a proxy, with TLS where it is https.

use std::io;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, BufReader};
use tokio::net::TcpStream;

use super::dial::{Unreachable, dial};
use super::http1::Settings;
use super::pool::Destination;
use super::wire::{AnswerFirst, Wire};
use super::{BoxError, TransportError, TransportErrorKind};

/// Anything that bytes can be written to and read from.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// Between the socket and TLS, which reads 4 KiB at a time. Of it, only what was once filled is in memory.
const TLS_READ_BUFFER: usize = 256 * 1024;

/// Connects to where `to` leads. `turn` spreads connections over a host's addresses.
pub(crate) async fn connect(
    to: &Destination,
    settings: &Settings,
    turn: usize,
) -> Result<(Box<dyn Socket>, Arc<Wire>), TransportError> {
    let stream = match settings.proxies.of(to) {
        Some(proxy) if to.https => proxy.tunnel(to.host(), to.port(), turn).await?,
        Some(proxy) => proxy.dial(turn).await?,
        None => dial(to.host(), to.port(), turn).await?,
    };
    if !to.https {
        return Ok(over(stream));
    }
    let wire = Wire::new(stream);
    let stream = BufReader::with_capacity(TLS_READ_BUFFER, AnswerFirst(wire.clone()));
    let failed = |error: BoxError| TransportError::new(TransportErrorKind::Tls, error);
    let name =
        ServerName::try_from(to.host().trim_matches(['[', ']']).to_owned()).map_err(|error| failed(error.into()))?;
    let connector = settings.tls.connector().await.map_err(failed)?;
    match connector.connect(name, stream).await {
        Ok(stream) => Ok((Box::new(stream), wire)),
        Err(error) => Err(handshake_failed(to, error)),
    }
}

/// Plain HTTP over `stream`.
pub(crate) fn over(stream: TcpStream) -> (Box<dyn Socket>, Arc<Wire>) {
    let wire = Wire::new(stream);
    (Box::new(AnswerFirst(wire.clone())), wire)
}

/// What TLS refuses stays refused; a handshake that the network cut short may go well next time.
fn handshake_failed(to: &Destination, error: io::Error) -> TransportError {
    let (kind, error) = match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidMessage(_)) => {
            (TransportErrorKind::Tls, io::Error::other("what answers there is not TLS; is the endpoint http://?"))
        }
        Some(_) => (TransportErrorKind::Tls, error),
        None => (TransportErrorKind::Connect, error),
    };
    TransportError::new(kind, Unreachable { host: to.host().to_owned(), port: to.port(), error })
}
