//! TLS in front of a store: a certificate, given or made here.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::server::Server;
use crate::store::Store;

/// What every self-made certificate is for.
const NAMES: [&str; 5] = ["localhost", "s3.localhost", "*.s3.localhost", "127.0.0.1", "::1"];

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Some clients trust no certificate that is valid for longer than 825 days.
const VALID: Duration = Duration::from_secs(800 * 24 * 60 * 60);

/// A certificate and its key, for [`Store::serve_tls`].
#[derive(Clone)]
pub struct Certificate {
    pem: String,
    config: Arc<ServerConfig>,
}

impl Certificate {
    /// A certificate that vouches for itself, valid from now on for `localhost`, `127.0.0.1`, `::1`, `s3.localhost`,
    /// the buckets under it, and `names`: host names, `*.` in front of one for the buckets under it, and addresses.
    /// Its key is never written anywhere.
    ///
    /// # Errors
    ///
    /// One of the names is none.
    pub fn self_signed(names: &[&str]) -> io::Result<Self> {
        let mut all: Vec<String> = NAMES.into_iter().chain(names.iter().copied()).map(str::to_owned).collect();
        all.sort();
        all.dedup();
        let failed = |error: rcgen::Error| invalid(format!("no certificate for {}: {error}", names.join(", ")));
        let mut params = CertificateParams::new(all).map_err(failed)?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "wharf-embedded");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let now = SystemTime::now();
        // Another machine's clock may be behind.
        (params.not_before, params.not_after) = ((now - DAY).into(), (now + VALID).into());
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.self_signed(&key).map_err(failed)?;
        Self::new(certificate.pem(), vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
    }

    /// A certificate with those that vouch for it, its own first, and its key, all in PEM form.
    ///
    /// # Errors
    ///
    /// What is given is not PEM, or the key is another certificate's.
    pub fn from_pem(certificates: &str, key: &str) -> io::Result<Self> {
        let chain = CertificateDer::pem_slice_iter(certificates.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| invalid(format!("the certificate is not PEM: {error}")))?;
        if chain.is_empty() {
            return Err(invalid("the certificate is not PEM: there is no BEGIN CERTIFICATE in it"));
        }
        // The reason could quote the key.
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
            .map_err(|_| invalid("the key is not PEM: there is no whole private key in it"))?;
        Self::new(certificates.to_owned(), chain, key)
    }

    fn new(pem: String, chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> io::Result<Self> {
        let failed = |error| invalid(format!("the certificate cannot be used with its key: {error}"));
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(failed)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { pem, config: Arc::new(config) })
    }

    /// The certificate in PEM form, without its key: what clients must trust where it vouches for itself.
    pub fn pem(&self) -> &str {
        &self.pem
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("pem", &self.pem).finish_non_exhaustive()
    }
}

impl Store {
    /// Serves this store over HTTPS, else as [`serve`](Store::serve) does.
    ///
    /// # Errors
    ///
    /// The address cannot be bound to.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub async fn serve_tls(&self, address: impl ToSocketAddrs, certificate: &Certificate) -> io::Result<Server> {
        let listener = TcpListener::bind(address).await?;
        let acceptor = TlsAcceptor::from(certificate.config.clone());
        Server::start(listener, self.clone(), "https", move |stream| acceptor.accept(stream))
    }
}

fn invalid(text: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text.into())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::pki_types::ServerName;
    use tokio_rustls::rustls::{ClientConfig, RootCertStore};

    use super::*;

    fn trusting(pem: &str) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap();
        TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
    }

    #[tokio::test]
    async fn serves_each_of_its_names_and_no_other() {
        let store = Store::in_memory();
        let certificate = Certificate::self_signed(&["s3.test", "*.s3.test", "10.1.2.3"]).unwrap();
        let server = store.serve_tls("127.0.0.1:0", &certificate).await.unwrap();
        assert_eq!(server.endpoint(), format!("https://{}", server.local_addr()));
        // A connection on which nothing is said keeps nobody waiting.
        let _silent = TcpStream::connect(server.local_addr()).await.unwrap();
        let connector = trusting(certificate.pem());
        let connect = async |name: &'static str| {
            let stream = TcpStream::connect(server.local_addr()).await.unwrap();
            connector.connect(ServerName::try_from(name).unwrap(), stream).await
        };
        for name in ["localhost", "127.0.0.1", "::1", "my-bucket.s3.localhost", "my-bucket.s3.test", "10.1.2.3"] {
            let mut stream = connect(name).await.unwrap();
            let ask = "GET /_health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            stream.write_all(ask.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nok\n"), "{name}: {answer}");
        }
        assert!(connect("example.com").await.is_err());
        assert!(store.requests().is_empty(), "a health check is no request of S3's");
        server.stop().await;
    }

    #[test]
    fn a_key_is_never_shown() {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (pem, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let shown = format!("{:?}", Certificate::from_pem(&pem, &key).unwrap());
        let broken = format!("{:?}", Certificate::from_pem(&pem, &key.replace("END", "AND")).unwrap_err());
        for secret in key.lines().filter(|line| !line.starts_with('-')) {
            assert!(!shown.contains(secret) && !broken.contains(secret), "{shown} {broken}");
        }
        assert!(Certificate::self_signed(&["höst"]).is_err());
    }
}
