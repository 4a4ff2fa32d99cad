//! The headers that are kept with an object and go out again when it is read.

use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_ENCODING, HeaderName, HeaderValue};
use http::{HeaderMap, HeaderMap as Headers};
use md5::{Digest, Md5};
use s3s::dto::ServerSideEncryptionConfiguration;

use crate::backend::{Bucket, Lock, Object, Retention};
use crate::document::Document;
use crate::encoded_words::decoded_length;
use crate::error::{Code, Error, Result, invalid_argument};
use crate::lock::default_retention;
use crate::time::{iso_date, parse_iso_date};
use crate::xml;

/// System headers, which a copy takes along with the metadata or replaces with it.
const SYSTEM: [&str; 5] = ["content-type", "content-disposition", "content-language", "cache-control", "expires"];

const STORAGE_CLASS: &str = "x-amz-storage-class";
const REDIRECT: &str = "x-amz-website-redirect-location";
const ENCRYPTION: &str = "x-amz-server-side-encryption";
const KMS_KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
/// Told to whoever writes, and never to whoever reads.
pub(crate) const KMS_CONTEXT: &str = "x-amz-server-side-encryption-context";
const BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";
const CUSTOMER_ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";
const CUSTOMER_MD5: &str = "x-amz-server-side-encryption-customer-key-md5";

const STORAGE_CLASSES: [&str; 11] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "DEEP_ARCHIVE",
    "GLACIER_IR",
    "EXPRESS_ONEZONE",
    "OUTPOSTS",
    "SNOW",
];

/// The most that user metadata may take, names and values together.
const MOST_METADATA: usize = 2 * 1024;

/// Everything a request says that is kept with its object.
pub(crate) fn of_request(headers: &Headers, bucket: &Bucket) -> Result<HeaderMap> {
    let mut kept = HeaderMap::new();
    metadata(headers, &mut kept)?;
    class_and_encryption(headers, bucket, &mut kept)?;
    Ok(kept)
}

/// System headers, the redirect and user metadata: what a copy's metadata directive is about.
pub(crate) fn metadata(headers: &Headers, kept: &mut HeaderMap) -> Result<()> {
    for name in SYSTEM {
        if let Some(value) = headers.get(name) {
            kept.insert(HeaderName::from_static(name), value.clone());
        }
    }
    if let Some(encoding) = content_encoding(headers) {
        kept.insert(CONTENT_ENCODING, encoding);
    }
    let mut size = 0;
    for name in headers.keys() {
        let Some(short) = name.as_str().strip_prefix("x-amz-meta-") else { continue };
        // Several headers of one name are one value to S3, joined by commas.
        let values: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        let value = values.join(&b","[..]);
        size += short.len() + decoded_length(&value);
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            kept.insert(name.clone(), value);
        }
    }
    if size > MOST_METADATA {
        return Err(Error::from(Code::MetadataTooLarge)
            .detail("Size", size.to_string())
            .detail("MaxSizeAllowed", MOST_METADATA.to_string()));
    }
    Ok(())
}

/// Storage class, redirect and encryption: what a copy always takes from its request.
pub(crate) fn class_and_encryption(headers: &Headers, bucket: &Bucket, kept: &mut HeaderMap) -> Result<()> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(class) = text(STORAGE_CLASS)
        && !STORAGE_CLASSES.contains(&class)
    {
        return Err(Code::InvalidStorageClass.into());
    }
    for name in [STORAGE_CLASS, REDIRECT] {
        if let Some(value) = headers.get(name).filter(|value| *value != "STANDARD") {
            kept.insert(HeaderName::from_static(name), value.clone());
        }
    }
    if let Some(redirect) = text(REDIRECT)
        && !["/", "http://", "https://"].iter().any(|start| redirect.starts_with(start))
    {
        return Err(Code::InvalidRedirectLocation.into());
    }
    encryption(headers, bucket, kept)
}

fn encryption(headers: &Headers, bucket: &Bucket, kept: &mut HeaderMap) -> Result<()> {
    let managed = headers.get(ENCRYPTION);
    if let Some(customer) = customer_key(headers, "x-amz-server-side-encryption-customer")? {
        if managed.is_some() {
            let message = "Server Side Encryption with Customer provided key is incompatible with the encryption method specified";
            return Err(invalid_argument(message, ENCRYPTION, "both"));
        }
        kept.insert(HeaderName::from_static(CUSTOMER_ALGORITHM), HeaderValue::from_static("AES256"));
        if let Ok(md5) = HeaderValue::from_str(&customer) {
            kept.insert(HeaderName::from_static(CUSTOMER_MD5), md5);
        }
        return Ok(());
    }
    if managed.is_none()
        && !headers.contains_key(KMS_KEY)
        && let Some(document) = bucket.documents.get(Document::Encryption.subresource())
    {
        return default_encryption(headers, document, kept);
    }
    let method = managed.and_then(|value| value.to_str().ok()).unwrap_or("AES256");
    let kms = method.starts_with("aws:kms");
    if !matches!(method, "AES256" | "aws:kms" | "aws:kms:dsse") {
        return Err(invalid_argument("The encryption method specified is not supported", ENCRYPTION, method));
    }
    if !kms && headers.contains_key(KMS_KEY) {
        let message = "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms";
        return Err(invalid_argument(message, ENCRYPTION, method));
    }
    if let Ok(value) = HeaderValue::from_str(method) {
        kept.insert(HeaderName::from_static(ENCRYPTION), value);
    }
    for name in [KMS_KEY, KMS_CONTEXT, BUCKET_KEY] {
        if let Some(value) = headers.get(name).filter(|_| kms) {
            kept.insert(HeaderName::from_static(name), value.clone());
        }
    }
    Ok(())
}

/// The encryption that the bucket has chosen for whoever chooses none.
fn default_encryption(headers: &Headers, document: &[u8], kept: &mut HeaderMap) -> Result<()> {
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            kept.insert(HeaderName::from_static(name), value);
        }
    };
    let configured: ServerSideEncryptionConfiguration = xml::parse(document)?;
    let Some(rule) = configured.rules.into_iter().next() else { return Ok(()) };
    let chosen = rule.apply_server_side_encryption_by_default;
    let method = chosen.as_ref().map_or("AES256", |chosen| chosen.sse_algorithm.as_str());
    set(ENCRYPTION, method);
    if !method.starts_with("aws:kms") {
        return Ok(());
    }
    if let Some(key) = chosen.as_ref().and_then(|chosen| chosen.kms_master_key_id.as_deref()) {
        set(KMS_KEY, key);
    }
    match headers.get(BUCKET_KEY).and_then(|value| value.to_str().ok()) {
        Some(asked) => set(BUCKET_KEY, asked),
        None if rule.bucket_key_enabled == Some(true) => set(BUCKET_KEY, "true"),
        None => {}
    }
    Ok(())
}

/// The headers of encryption, which answers to writes repeat.
pub(crate) fn encryption_of(kept: &HeaderMap, answer: &mut HeaderMap) {
    for name in [ENCRYPTION, KMS_KEY, KMS_CONTEXT, BUCKET_KEY, CUSTOMER_ALGORITHM, CUSTOMER_MD5] {
        if let Some(value) = kept.get(name) {
            answer.insert(HeaderName::from_static(name), value.clone());
        }
    }
}

/// The content encodings without `aws-chunked`, which is framing and never stored.
fn content_encoding(headers: &Headers) -> Option<HeaderValue> {
    let value = headers.get(CONTENT_ENCODING)?;
    let Ok(text) = value.to_str() else { return Some(value.clone()) };
    if !text.to_ascii_lowercase().contains("aws-chunked") {
        return Some(value.clone());
    }
    let rest: Vec<&str> =
        text.split(',').map(str::trim).filter(|name| !name.eq_ignore_ascii_case("aws-chunked")).collect();
    if rest.is_empty() { None } else { HeaderValue::from_str(&rest.join(",")).ok() }
}

/// The MD5 of the customer's key that the three headers under `prefix` give.
pub(crate) fn customer_key(headers: &Headers, prefix: &str) -> Result<Option<String>> {
    let text = |name: &str| headers.get(format!("{prefix}-{name}")).and_then(|value| value.to_str().ok());
    let (algorithm, key, md5) = (text("algorithm"), text("key"), text("key-md5"));
    if algorithm.is_none() && key.is_none() && md5.is_none() {
        return Ok(None);
    }
    let refuse = |what: &str| Err(invalid_argument(what, &format!("{prefix}-algorithm"), algorithm.unwrap_or("null")));
    let (Some(algorithm), Some(key), Some(md5)) = (algorithm, key, md5) else {
        return refuse(
            "Requests specifying Server Side Encryption with Customer provided keys must provide all of its headers.",
        );
    };
    if algorithm != "AES256" {
        return Err(Code::InvalidEncryptionAlgorithm.into());
    }
    let Some(bytes) = STANDARD.decode(key).ok().filter(|bytes| bytes.len() == 32) else {
        return refuse("The secret key was invalid for the specified algorithm.");
    };
    let digest = STANDARD.encode(Md5::digest(&bytes));
    if digest != md5 {
        return refuse("The calculated MD5 hash of the key did not match the hash that was provided.");
    }
    Ok(Some(digest))
}

/// Whether the key of the request opens what is stored under `stored`.
pub(crate) fn check_customer_key(given: Option<&str>, stored: Option<&str>) -> Result<()> {
    match (given, stored) {
        (None, Some(_)) => Err(Error::new(
            Code::InvalidRequest,
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to \
             retrieve the object.",
        )),
        (Some(_), None) => {
            Err(Error::new(Code::InvalidRequest, "The encryption parameters are not applicable to this object."))
        }
        (Some(given), Some(stored)) if given != stored => Err(Code::AccessDenied.into()),
        _ => Ok(()),
    }
}

/// The object lock a request asks for, or its bucket for it.
pub(crate) fn lock(headers: &Headers, bucket: &Bucket, now: SystemTime) -> Result<Lock> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let mode = text("x-amz-object-lock-mode");
    let until = text("x-amz-object-lock-retain-until-date");
    let hold = text("x-amz-object-lock-legal-hold");
    if (mode.is_some() || until.is_some() || hold.is_some()) && !bucket.has_object_lock() {
        return Err(Error::new(Code::InvalidRequest, "Bucket is missing Object Lock Configuration"));
    }
    let retention = match (mode, until) {
        (None, None) => default_retention(bucket, now)?,
        (Some(mode @ ("GOVERNANCE" | "COMPLIANCE")), Some(until)) => {
            let Some(until) = parse_iso_date(until) else {
                let name = "x-amz-object-lock-retain-until-date";
                return Err(invalid_argument("The retain until date must be provided in ISO 8601 format", name, until));
            };
            check_future(until, now)?;
            Some(Retention { mode: mode.to_owned(), until })
        }
        (Some(mode), Some(_)) => {
            return Err(invalid_argument("Unknown wormMode directive.", "x-amz-object-lock-mode", mode));
        }
        _ => {
            let message = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied";
            return Err(invalid_argument(message, "x-amz-object-lock-mode", mode.unwrap_or("null")));
        }
    };
    let legal_hold = match hold {
        None => None,
        Some("ON") => Some(true),
        Some("OFF") => Some(false),
        Some(other) => {
            return Err(invalid_argument(
                "Legal Hold must be either of 'ON' or 'OFF'",
                "x-amz-object-lock-legal-hold",
                other,
            ));
        }
    };
    Ok(Lock { retention, legal_hold })
}

/// A retention must end after it began.
pub(crate) fn check_future(until: SystemTime, now: SystemTime) -> Result<()> {
    if until > now {
        return Ok(());
    }
    let name = "x-amz-object-lock-retain-until-date";
    Err(invalid_argument("The retain until date must be in the future!", name, &iso_date(until)))
}

/// An object's lock as headers.
pub(crate) fn lock_headers(object: &Object, answer: &mut HeaderMap) {
    if let Some(retention) = &object.lock.retention {
        crate::call::set(answer, "x-amz-object-lock-mode", &retention.mode);
        crate::call::set(answer, "x-amz-object-lock-retain-until-date", iso_date(retention.until));
    }
    if let Some(hold) = object.lock.legal_hold {
        crate::call::set(answer, "x-amz-object-lock-legal-hold", if hold { "ON" } else { "OFF" });
    }
}
