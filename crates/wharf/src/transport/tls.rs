//! TLS by rustls: the system's roots, and those that the user adds.

use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;
use wharf_proto::Error;

use super::BoxError;

/// Reads certificates in PEM form, all of which must be usable as roots.
pub(crate) fn certificates(pem: &[u8]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate =
            certificate.map_err(|error| Error::invalid_input(format!("the root certificates are not PEM: {error}")))?;
        roots
            .add(certificate)
            .map_err(|error| Error::invalid_input(format!("a root certificate cannot be used: {error}")))?;
    }
    match roots.is_empty() {
        true => Err(Error::invalid_input("the root certificates hold no PEM certificate")),
        false => Ok(roots),
    }
}

/// Makes the connector when the first https connection needs it: reading the system's roots takes milliseconds.
pub(crate) struct Tls {
    extra_roots: RootCertStore,
    connector: OnceLock<Result<TlsConnector, String>>,
}

impl Tls {
    pub(crate) fn new(extra_roots: RootCertStore) -> Self {
        Self { extra_roots, connector: OnceLock::new() }
    }

    pub(crate) fn connector(&self) -> Result<TlsConnector, BoxError> {
        let made =
            self.connector.get_or_init(|| self.connect_config().map(|config| TlsConnector::from(Arc::new(config))));
        made.clone().map_err(Into::into)
    }

    fn connect_config(&self) -> Result<ClientConfig, String> {
        let mut roots = self.extra_roots.clone();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err("this system has no root certificates; add some with root_certificates_pem()".to_owned());
        }
        let builder = ClientConfig::builder_with_provider(provider()?)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

#[cfg(feature = "aws-lc-rs")]
fn provider() -> Result<Arc<rustls::crypto::CryptoProvider>, String> {
    Ok(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
}

#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
fn provider() -> Result<Arc<rustls::crypto::CryptoProvider>, String> {
    Ok(Arc::new(rustls::crypto::ring::default_provider()))
}

#[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
fn provider() -> Result<Arc<rustls::crypto::CryptoProvider>, String> {
    Err("wharf was built without TLS; turn on its feature aws-lc-rs or ring".to_owned())
}
