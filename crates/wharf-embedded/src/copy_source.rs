//! The source of a copy: what `x-amz-copy-source` names, opened for the caller.

use std::sync::Arc;

use percent_encoding::percent_decode;

use crate::access::{Need, Rules};
use crate::backend::{Blob, Found, Object};
use crate::call::Call;
use crate::condition::check_read;
use crate::error::{Code, Error, Result, invalid_argument};
use crate::kept;
use crate::target::is_bucket_name;

/// `bucket/key`, with or without a version.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CopySource {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version: Option<String>,
}

impl CopySource {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self> {
        let text = String::from_utf8_lossy(bytes);
        let bad = |what: &str| invalid_argument(what.to_owned(), "x-amz-copy-source", &text);
        let mark = b"?versionId=";
        // The version is told off before decoding: a key may hold an encoded question mark.
        let at = bytes.windows(mark.len()).position(|window| window == mark);
        let (path, version) = match at {
            Some(at) => (&bytes[..at], Some(&bytes[at + mark.len()..])),
            None => (bytes, None),
        };
        let decode = |bytes| percent_decode(bytes).decode_utf8().map(|text| text.into_owned());
        // Here, unlike in a URL's path, a plus is a space.
        let path: Vec<u8> = path.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        let path = decode(&path).map_err(|_| bad("Copy Source must be encoded in UTF-8"))?;
        let version = version.map(decode).transpose().map_err(|_| bad("Copy Source must be encoded in UTF-8"))?;
        let path = path.strip_prefix('/').unwrap_or(&path);
        let split = path.split_once('/').filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty());
        let Some((bucket, key)) = split else {
            return Err(bad("Copy Source must mention the source bucket and key: sourcebucket/sourcekey"));
        };
        if version.as_deref() == Some("") {
            return Err(bad("Version id cannot be the empty string"));
        }
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned(), version })
    }

    pub(crate) fn of(call: &Call) -> Result<Self> {
        let value = call.headers.get("x-amz-copy-source").map(http::HeaderValue::as_bytes);
        Self::parse(value.unwrap_or_default())
    }

    /// Finds the source and checks everything the request demands of it. Its tags are another matter than its bytes to
    /// whoever takes them `with_tags`.
    pub(crate) async fn open(&self, call: &Call, with_tags: bool) -> Result<Found> {
        if !is_bucket_name(&self.bucket) {
            return Err(Error::from(Code::InvalidBucketName).detail("BucketName", &self.bucket));
        }
        let rules = Rules::of(call, &self.bucket, "x-amz-source-expected-bucket-owner").await?;
        let need = Need::to_read(self.version.is_some());
        let found = rules.find(call, &self.key, self.version.as_deref(), &need).await?;
        let Some(object) = &found.version.object else {
            return Err(match self.version {
                Some(_) => Error::new(
                    Code::InvalidRequest,
                    "The source of a copy request may not specifically refer to a delete marker by version id.",
                ),
                None => Error::from(Code::NoSuchKey).detail("Key", &self.key),
            });
        };
        if with_tags && !object.tags.is_empty() {
            rules.admit_tags(call, &self.key, self.version.as_deref(), object)?;
        }
        let prefix = "x-amz-copy-source-server-side-encryption-customer";
        let customer = kept::customer_key(&call.headers, prefix)?;
        kept::check_customer_key(customer.as_deref(), object.customer_key.as_deref())?;
        check_read(&call.headers, "x-amz-copy-source-", object, found.version.modified, call.now)?;
        if matches!(object.storage_class(), "GLACIER" | "DEEP_ARCHIVE") {
            let message = "Operation is not valid for the source object's storage class";
            return Err(Error::new(Code::InvalidObjectState, message));
        }
        Ok(found)
    }
}

/// The bytes of a source that was opened.
pub(crate) fn object(found: &Found) -> Result<(&Object, Arc<dyn Blob>)> {
    let object = found.version.object.as_ref().ok_or(Code::NoSuchKey)?;
    Ok((object, object.blob.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form() {
        let source = |bucket: &str, key: &str, version: Option<&str>| CopySource {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version: version.map(str::to_owned),
        };
        for (text, expected) in [
            ("/b/k", source("b", "k", None)),
            ("b/a/../k", source("b", "a/../k", None)),
            ("b//lead", source("b", "/lead", None)),
            ("b/a%3FversionId%3Dx%2By", source("b", "a?versionId=x+y", None)),
            ("b/a+b", source("b", "a b", None)),
            ("b%2Fk?versionId=1", source("b", "k", Some("1"))),
        ] {
            assert_eq!(CopySource::parse(text.as_bytes()).unwrap(), expected, "{text}");
        }
        for bad in ["", "b", "/b/", "b/%ff", "b/k?versionId="] {
            assert!(CopySource::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
