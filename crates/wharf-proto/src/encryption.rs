//! Encryption at rest: what is asked for, and what a server says it did.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::Error;
use crate::checksum::md5_base64;
use crate::headers::Headers;
use crate::operation::Request;

/// How S3 shall encrypt a new object (`x-amz-server-side-encryption*`).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encryption {
    /// SSE-S3: a key that S3 keeps (`AES256`).
    S3,
    /// SSE-KMS: a key of the Key Management Service (`aws:kms`).
    Kms(KmsKey),
    /// DSSE-KMS: two layers, with a key of the Key Management Service (`aws:kms:dsse`).
    KmsDualLayer(KmsKey),
    /// By the file system of Amazon FSx that an access point leads to (`aws:fsx`).
    Fsx,
    /// By the vault of AWS Backup that an access point leads to (`aws:backup`).
    Backup,
    /// SSE-C: a key that only the caller has. Every read needs it again; see `customer_key` on the reading calls.
    Customer(CustomerKey),
}

/// Which key of the Key Management Service, and how it is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KmsKey {
    key_id: Option<String>,
    context: BTreeMap<String, String>,
    bucket_key: Option<bool>,
}

impl KmsKey {
    /// The key of this id, ARN or alias.
    pub fn id(key_id: impl Into<String>) -> Self {
        Self { key_id: Some(key_id.into()), ..Self::default() }
    }

    /// The account's own key for S3 (`aws/s3`).
    pub fn aws_managed() -> Self {
        Self::default()
    }

    /// Adds a pair to the encryption context.
    #[must_use]
    pub fn context(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.context.insert(name.into(), value.into());
        self
    }

    /// Whether to use an S3 Bucket Key, which makes fewer calls to the key service. The bucket decides by default.
    #[must_use]
    pub fn bucket_key(mut self, enabled: bool) -> Self {
        self.bucket_key = Some(enabled);
        self
    }
}

/// A 256-bit key that the caller keeps (SSE-C). `Debug` shows nothing of it.
///
/// It travels with each request: S3 and most servers take it over https alone, and `wharf::Client` sends it over plain http
/// to this machine only.
#[derive(Clone, PartialEq, Eq)]
pub struct CustomerKey([u8; 32]);

impl CustomerKey {
    /// The key itself: 32 random bytes that the caller must not lose.
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// What a server shows of it.
    pub(crate) fn md5_base64(&self) -> String {
        md5_base64(&self.0)
    }

    pub(crate) fn apply(&self, request: &mut Request) -> Result<(), Error> {
        self.apply_as(
            request,
            [
                "x-amz-server-side-encryption-customer-algorithm",
                "x-amz-server-side-encryption-customer-key",
                "x-amz-server-side-encryption-customer-key-md5",
            ],
        )
    }

    /// As the key of a copy's source.
    pub(crate) fn apply_to_source(&self, request: &mut Request) -> Result<(), Error> {
        self.apply_as(
            request,
            [
                "x-amz-copy-source-server-side-encryption-customer-algorithm",
                "x-amz-copy-source-server-side-encryption-customer-key",
                "x-amz-copy-source-server-side-encryption-customer-key-md5",
            ],
        )
    }

    fn apply_as(&self, request: &mut Request, names: [&'static str; 3]) -> Result<(), Error> {
        request.header(names[0], "AES256")?;
        request.header(names[1], &STANDARD.encode(self.0))?;
        if let Some(value) = request.headers.get_mut(names[1]) {
            value.set_sensitive(true);
        }
        request.header(names[2], &self.md5_base64())
    }
}

impl fmt::Debug for CustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomerKey(..)")
    }
}

impl Encryption {
    pub(crate) fn apply(&self, request: &mut Request) -> Result<(), Error> {
        const ALGORITHM: &str = "x-amz-server-side-encryption";
        match self {
            Self::S3 => request.header(ALGORITHM, "AES256"),
            Self::Kms(key) => {
                request.header(ALGORITHM, "aws:kms")?;
                key.apply(request)
            }
            Self::KmsDualLayer(key) => {
                request.header(ALGORITHM, "aws:kms:dsse")?;
                key.apply(request)
            }
            Self::Fsx => request.header(ALGORITHM, "aws:fsx"),
            Self::Backup => request.header(ALGORITHM, "aws:backup"),
            Self::Customer(key) => key.apply(request),
        }
    }
}

impl KmsKey {
    /// Whether a server is seen to use this key in this way. It names the key by its ARN, from which neither an alias nor the
    /// account's own key is known, and shows no context.
    pub(crate) fn is_shown_by(&self, shown: &EncryptionInfo) -> bool {
        let is_key = |said: &str, arn: &str| said == arn || arn.rsplit_once(":key/").is_some_and(|(_, id)| id == said);
        let key = self.key_id.as_deref().zip(shown.kms_key_id.as_deref());
        key.is_some_and(|(said, arn)| is_key(said, arn))
            && self.context.is_empty()
            && self.bucket_key.is_none_or(|enabled| enabled == shown.bucket_key)
    }

    fn apply(&self, request: &mut Request) -> Result<(), Error> {
        request.header_opt("x-amz-server-side-encryption-aws-kms-key-id", self.key_id.as_deref())?;
        if !self.context.is_empty() {
            let pairs: Vec<_> = self.context.iter().map(|(k, v)| format!("{}:{}", json(k), json(v))).collect();
            let context = STANDARD.encode(format!("{{{}}}", pairs.join(",")));
            request.header("x-amz-server-side-encryption-context", &context)?;
        }
        let bucket_key = self.bucket_key.map(|enabled| enabled.to_string());
        request.header_opt("x-amz-server-side-encryption-bucket-key-enabled", bucket_key)
    }
}

/// A JSON string. Written here because the `json` feature, and with it the library, may be off.
pub(crate) fn json(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", c as u32)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// How a server says an object is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct EncryptionInfo {
    /// `AES256`, `aws:kms`, `aws:kms:dsse`, `aws:fsx`, `aws:backup`; for SSE-C the customer algorithm, `AES256`.
    pub algorithm: String,
    /// The ARN of the KMS key.
    pub kms_key_id: Option<String>,
    /// The encryption context, as sent: base64 of JSON.
    pub context: Option<String>,
    /// Whether a bucket key was used.
    pub bucket_key: bool,
    /// Whether the key is the caller's own (SSE-C).
    pub customer_key: bool,
    /// Base64 of the MD5 of the customer's key (SSE-C).
    pub customer_key_md5: Option<String>,
}

impl EncryptionInfo {
    pub(crate) fn read(headers: &Headers<'_>) -> Option<Self> {
        let customer_algorithm = headers.text("x-amz-server-side-encryption-customer-algorithm");
        let customer_key = customer_algorithm.is_some();
        Some(Self {
            algorithm: headers.text("x-amz-server-side-encryption").or(customer_algorithm)?,
            customer_key,
            kms_key_id: headers.text("x-amz-server-side-encryption-aws-kms-key-id"),
            context: headers.text("x-amz-server-side-encryption-context"),
            bucket_key: headers.text("x-amz-server-side-encryption-bucket-key-enabled").as_deref() == Some("true"),
            customer_key_md5: headers.text("x-amz-server-side-encryption-customer-key-md5"),
        })
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    #[test]
    fn what_keeps_its_own_keys_is_named() {
        for (encryption, name) in
            [(Encryption::S3, "AES256"), (Encryption::Fsx, "aws:fsx"), (Encryption::Backup, "aws:backup")]
        {
            let mut request = Request::service(Method::PUT);
            encryption.apply(&mut request).unwrap();
            assert_eq!(request.headers.len(), 1);
            assert_eq!(request.headers["x-amz-server-side-encryption"], name);
        }
    }

    #[test]
    fn the_context_is_json_in_base64() {
        let key = KmsKey::id("key").context("path", "a/é").context("say \"it\"", "back\\slash\n").bucket_key(true);
        for (encryption, algorithm) in
            [(Encryption::Kms(key.clone()), "aws:kms"), (Encryption::KmsDualLayer(key.clone()), "aws:kms:dsse")]
        {
            let mut request = Request::service(Method::PUT);
            encryption.apply(&mut request).unwrap();
            let header = |name: &str| request.headers[name].to_str().unwrap().to_owned();
            assert_eq!(header("x-amz-server-side-encryption"), algorithm);
            assert_eq!(header("x-amz-server-side-encryption-aws-kms-key-id"), "key");
            assert_eq!(header("x-amz-server-side-encryption-bucket-key-enabled"), "true");
            let context = STANDARD.decode(header("x-amz-server-side-encryption-context")).unwrap();
            let expected = r#"{"path":"a/é","say \"it\"":"back\\slash\u000a"}"#;
            assert_eq!(std::str::from_utf8(&context).unwrap(), expected);
        }
    }
}
