//! A connection to the endpoint.

use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;

use job::{Job, Result};
use rustls::client::UnbufferedClientConnection;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use wire::{Http, Plain, Tls, Wire, header, status};

/// Something to do over a connection, with TLS or without.
pub trait Talk {
    fn over<W: Wire>(self, connect: &mut dyn FnMut() -> Result<Http<W>>) -> Result;
}

/// Has `talk` done over connections as the endpoint wants them.
pub fn with(job: &Job, talk: impl Talk) -> Result {
    let address = job.authority().to_socket_addrs()?.find(|address| address.is_ipv4()).ok_or("no address")?;
    if !job.is_https() {
        return talk.over(&mut || Ok(Http::new(Plain::new(TcpStream::connect(address)?)?)));
    }
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(job.ca.as_ref().ok_or("https needs ca=FILE")?)?)?;
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let config = Arc::new(config);
    let host = job.authority().rsplit_once(':').map_or(job.authority(), |(host, _)| host);
    let name = ServerName::try_from(host.to_owned())?;
    talk.over::<Tls<UnbufferedClientConnection>>(&mut || {
        Ok(Http::new(Tls::connect(TcpStream::connect(address)?, config.clone(), name.clone())?))
    })
}

/// Reads an answer's head, which must be of a success, and gives the body's length.
pub fn answer<W: Wire>(http: &mut Http<W>) -> Result<u64> {
    let head = http.head()?.ok_or("the server hung up")?;
    let (status, length) = (status(head), header(head, "content-length").and_then(|value| value.parse().ok()));
    let length = length.unwrap_or(0);
    if (200..300).contains(&status) {
        return Ok(length);
    }
    let mut text = Vec::new();
    http.body(length, &mut |piece| {
        text.extend_from_slice(piece);
        Ok(())
    })?;
    Err(format!("the server answered {status}: {}", String::from_utf8_lossy(&text)).into())
}
