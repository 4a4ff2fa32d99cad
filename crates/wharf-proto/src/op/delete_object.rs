//! DeleteObject.

use std::future::IntoFuture;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Method;

use super::mfa::Mfa;
use crate::condition::entity_tag;
use crate::headers::Headers;
use crate::operation::{Operation, Presigned, Request, SendFuture, Sender};
use crate::{ETag, Error, time};

/// Deletes an object: one DeleteObject request.
///
/// In a bucket with versions the object is hidden behind a delete marker, unless a version is named: that one is gone
/// for good. A key that does not exist is deleted without an error.
///
/// # Errors
/// [`NoSuchBucket`](crate::ErrorKind::NoSuchBucket), [`AccessDenied`](crate::ErrorKind::AccessDenied) (a locked version
/// too), [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed) where a condition does not hold.
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct DeleteObject<S = ()> {
    sender: S,
    bucket: String,
    key: String,
    pub(super) version_id: Option<String>,
    pub(super) mfa: Option<Mfa>,
    pub(super) bypass_governance: bool,
    pub(super) if_match: Option<ETag>,
    pub(super) if_match_last_modified_time: Option<SystemTime>,
    pub(super) if_match_size: Option<u64>,
    pub(super) request_payer: bool,
    pub(super) expected_bucket_owner: Option<String>,
}

impl<S> DeleteObject<S> {
    /// Deletes `key` from `bucket`, sent by `sender`.
    pub fn new(sender: S, bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            sender,
            bucket: bucket.into(),
            key: key.into(),
            version_id: None,
            mfa: None,
            bypass_governance: false,
            if_match: None,
            if_match_last_modified_time: None,
            if_match_size: None,
            request_payer: false,
            expected_bucket_owner: None,
        }
    }

    /// Deletes this version for good; `null` is the one from before the bucket had versions.
    pub fn version_id(mut self, version_id: impl Into<String>) -> Self {
        self.version_id = Some(version_id.into());
        self
    }

    /// The serial number of an authentication device and its present code, for a bucket with MFA delete.
    pub fn mfa(mut self, serial: impl Into<String>, code: impl Into<String>) -> Self {
        self.mfa = Some(Mfa::new(serial, code));
        self
    }

    /// Deletes a version in spite of a lock of mode governance, by who may.
    pub fn bypass_governance(mut self) -> Self {
        self.bypass_governance = true;
        self
    }

    /// Deletes only the object with this tag; else [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed). `*` is
    /// any object.
    pub fn if_match(mut self, etag: impl Into<ETag>) -> Self {
        self.if_match = Some(etag.into());
        self
    }

    /// Deletes only the object that was written then, to the second (directory buckets only); else
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn if_match_last_modified_time(mut self, time: SystemTime) -> Self {
        self.if_match_last_modified_time = Some(time);
        self
    }

    /// Deletes only an object of this many bytes (directory buckets only); else
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn if_match_size(mut self, bytes: u64) -> Self {
        self.if_match_size = Some(bytes);
        self
    }

    /// Agrees to pay for the request in a requester-pays bucket.
    pub fn request_payer(mut self) -> Self {
        self.request_payer = true;
        self
    }

    /// Fails with [`AccessDenied`](crate::ErrorKind::AccessDenied) unless this account owns the bucket.
    pub fn expected_bucket_owner(mut self, account_id: impl Into<String>) -> Self {
        self.expected_bucket_owner = Some(account_id.into());
        self
    }
}

impl<S: Sender> DeleteObject<S> {
    /// Signs this deletion into a URL that anybody may use for `expires_in`, at most 7 days.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) over 7 days, under a second, or for what cannot be sent.
    pub fn presign(self, expires_in: Duration) -> SendFuture<Presigned> {
        self.sender.clone().presign(self, expires_in)
    }
}

/// What a deletion did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeleteObjectOutput {
    /// Whether a delete marker was made, or the named version was one.
    pub delete_marker: bool,
    /// The version of that marker, or the version that was deleted; `None` where the bucket has no versions.
    pub version_id: Option<String>,
    /// Whether the requester was charged.
    pub request_charged: bool,
}

impl<S: Send + 'static> Operation for DeleteObject<S> {
    const NAME: &'static str = "DeleteObject";
    type Output = DeleteObjectOutput;

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), Some(&self.key))
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::object(Method::DELETE, &self.bucket, &self.key)?;
        request.query_opt("versionId", self.version_id.as_deref());
        if let Some(mfa) = &self.mfa {
            mfa.apply(&mut request)?;
        }
        request.header_opt("x-amz-bypass-governance-retention", self.bypass_governance.then_some("true"))?;
        request.header_opt("if-match", entity_tag(&self.if_match)?)?;
        let written = self.if_match_last_modified_time.map(time::format_http_date).transpose()?;
        request.header_opt("x-amz-if-match-last-modified-time", written)?;
        request.header_opt("x-amz-if-match-size", self.if_match_size.map(|size| size.to_string()))?;
        request.payer_and_owner(self.request_payer, self.expected_bucket_owner.as_deref())?;
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<DeleteObjectOutput, Error> {
        let headers = Headers::of(response.headers());
        Ok(DeleteObjectOutput {
            delete_marker: headers.flag("x-amz-delete-marker"),
            version_id: headers.text("x-amz-version-id"),
            request_charged: headers.request_charged(),
        })
    }
}

impl<S: Sender> IntoFuture for DeleteObject<S> {
    type Output = Result<DeleteObjectOutput, Error>;
    type IntoFuture = SendFuture<DeleteObjectOutput>;

    fn into_future(self) -> Self::IntoFuture {
        self.sender.clone().send(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::new_object::tests::time;
    use crate::op::testing::{headers, query};

    #[test]
    fn every_parameter_reaches_the_request() {
        let mut call = DeleteObject::new((), "bucket", "../k")
            .version_id("v1")
            .mfa("serial", "123456")
            .bypass_governance()
            .if_match("e")
            .if_match_last_modified_time(time())
            .if_match_size(0)
            .request_payer()
            .expected_bucket_owner("111122223333");
        let request = call.request().unwrap();
        assert_eq!((&request.method, request.key.as_deref()), (&Method::DELETE, Some("../k")));
        assert_eq!(query(&request), "versionId=v1");
        for (name, value) in [
            ("x-amz-mfa", "serial 123456"),
            ("x-amz-bypass-governance-retention", "true"),
            ("if-match", "\"e\""),
            ("x-amz-if-match-last-modified-time", "Wed, 21 Oct 2026 07:28:00 GMT"),
            ("x-amz-if-match-size", "0"),
            ("x-amz-request-payer", "requester"),
            ("x-amz-expected-bucket-owner", "111122223333"),
        ] {
            assert_eq!(request.headers[name], value, "{name}");
        }
    }

    #[test]
    fn the_answer_names_the_marker() {
        let answer = headers(&[
            ("x-amz-delete-marker", "true"),
            ("x-amz-version-id", "m"),
            ("x-amz-request-charged", "requester"),
        ]);
        let output = DeleteObject::new((), "bucket", "k").response(answer).unwrap();
        assert_eq!((output.delete_marker, output.version_id.as_deref()), (true, Some("m")));
        assert!(output.request_charged);
        let output = DeleteObject::new((), "bucket", "k").response(headers(&[])).unwrap();
        assert_eq!(output, DeleteObjectOutput::default());
    }
}
