//! TLS as S3 agrees on it with a client of today: 1.3, AES-128-GCM.

use std::path::Path;
use std::sync::Arc;

use job::Result;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;

/// Makes an authority, writes its certificate to `ca`, and has it vouch for this server.
pub fn config(ca: &Path) -> Result<Arc<ServerConfig>> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(rcgen::DnType::CommonName, "wharf bench");
    let ca_key = KeyPair::generate()?;
    let ca_certificate = params.self_signed(&ca_key)?;
    std::fs::write(ca, ca_certificate.pem())?;
    let issuer = Issuer::new(params, ca_key);

    let key = KeyPair::generate()?;
    let mut params =
        CertificateParams::new(["localhost".to_owned(), "*.localhost".to_owned(), "127.0.0.1".to_owned()])?;
    params.use_authority_key_identifier_extension = true;
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.signed_by(&key, &issuer)?;

    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites = vec![aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256];
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))?;
    Ok(Arc::new(config))
}
