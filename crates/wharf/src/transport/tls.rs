//! TLS by rustls: the system's roots, and those that the user adds.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::sync::OnceCell;
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

/// Makes rustls's configuration when the first https connection needs it: reading the system's roots takes milliseconds, and is
/// done away from the runtime's threads. A failure is not kept: the next connection tries again.
pub(crate) struct Tls {
    trust: Trust,
    config: OnceCell<Arc<ClientConfig>>,
}

/// Whom to believe.
#[derive(Clone)]
pub(crate) enum Trust {
    /// Whoever the system's roots vouch for, or these.
    Roots(RootCertStore),
    /// Whoever answers.
    Anybody,
}

impl Tls {
    pub(crate) fn new(trust: Trust) -> Self {
        Self { trust, config: OnceCell::new() }
    }

    pub(crate) async fn config(&self) -> Result<Arc<ClientConfig>, BoxError> {
        self.config_with(|| rustls_native_certs::load_native_certs().certs).await
    }

    async fn config_with(
        &self,
        system_roots: impl FnOnce() -> Vec<CertificateDer<'static>> + Send + 'static,
    ) -> Result<Arc<ClientConfig>, BoxError> {
        let make = || async {
            let trust = self.trust.clone();
            let config = tokio::task::spawn_blocking(move || match trust {
                Trust::Roots(mut roots) => {
                    roots.add_parsable_certificates(system_roots());
                    connect_config(Trust::Roots(roots))
                }
                Trust::Anybody => connect_config(Trust::Anybody),
            });
            Ok(Arc::new(config.await??))
        };
        self.config.get_or_try_init(make).await.cloned()
    }
}

fn connect_config(trust: Trust) -> Result<ClientConfig, String> {
    let provider = provider()?;
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let builder = match trust {
        Trust::Roots(roots) if roots.is_empty() => {
            return Err("this system has no root certificates; add some with root_certificates_pem()".to_owned());
        }
        Trust::Roots(roots) => builder.with_root_certificates(roots),
        Trust::Anybody => builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider))),
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Believes every certificate; that the server has its key is still checked.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(feature = "aws-lc-rs")]
pub(super) fn provider() -> Result<Arc<CryptoProvider>, String> {
    Ok(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
}

#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
pub(super) fn provider() -> Result<Arc<CryptoProvider>, String> {
    Ok(Arc::new(rustls::crypto::ring::default_provider()))
}

#[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
pub(super) fn provider() -> Result<Arc<CryptoProvider>, String> {
    Err("wharf was built without TLS; turn on its feature aws-lc-rs or ring".to_owned())
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[tokio::test]
    async fn roots_that_come_later_are_found() {
        let tls = Tls::new(Trust::Roots(RootCertStore::empty()));
        let error = tls.config_with(Vec::new).await.err().unwrap();
        assert_eq!(error.to_string(), "this system has no root certificates; add some with root_certificates_pem()");
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let root = made.cert.der().clone();
        let here = thread::current().id();
        let found = move || {
            assert_ne!(thread::current().id(), here, "files are read on the runtime's thread");
            vec![root]
        };
        assert!(tls.config_with(found).await.is_ok());
        assert!(tls.config_with(Vec::new).await.is_ok());
    }
}
