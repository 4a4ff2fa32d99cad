//! TLS by rustls: the system's roots, and those that the user adds.

use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;
use wharf_proto::Error;

use super::BoxError;

/// Reads certificates in PEM form.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(Error::invalid_input("the root certificates hold no PEM certificate")),
        Err(error) => Err(Error::invalid_input(format!("the root certificates are not PEM: {error}"))),
    }
}

/// Makes the connector when the first https connection needs it: reading the system's roots takes milliseconds.
#[derive(Default)]
pub(crate) struct Tls {
    extra_roots: Vec<CertificateDer<'static>>,
    connector: OnceLock<Result<TlsConnector, String>>,
}

impl Tls {
    pub(crate) fn new(extra_roots: Vec<CertificateDer<'static>>) -> Self {
        Self { extra_roots, connector: OnceLock::new() }
    }

    pub(crate) fn connector(&self) -> Result<TlsConnector, BoxError> {
        let made =
            self.connector.get_or_init(|| self.connect_config().map(|config| TlsConnector::from(Arc::new(config))));
        made.clone().map_err(Into::into)
    }

    fn connect_config(&self) -> Result<ClientConfig, String> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for certificate in &self.extra_roots {
            let added = roots.add(certificate.clone());
            added.map_err(|error| format!("a root certificate cannot be used: {error}"))?;
        }
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
