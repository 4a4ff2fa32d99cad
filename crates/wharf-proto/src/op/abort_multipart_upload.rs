//! AbortMultipartUpload.

use std::future::IntoFuture;
use std::time::SystemTime;

use bytes::Bytes;
use http::Method;

use super::elements;
use crate::headers::Headers;
use crate::operation::{Operation, Request, SendFuture, Sender};
use crate::{Error, time};

/// Gives up a multipart upload and frees what its parts take up: one AbortMultipartUpload request.
///
/// A part that is still being uploaded may be stored after this. Where that can be, list the parts, and abort again
/// while there are any.
///
/// # Errors
/// [`NoSuchUpload`](crate::ErrorKind::NoSuchUpload) once it is completed or aborted,
/// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed) where the condition does not hold,
/// [`AccessDenied`](crate::ErrorKind::AccessDenied).
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct AbortMultipartUpload<S = ()> {
    sender: S,
    bucket: String,
    key: String,
    upload_id: String,
    if_match_initiated_time: Option<SystemTime>,
    pub(super) request_payer: bool,
    pub(super) expected_bucket_owner: Option<String>,
}

impl<S> AbortMultipartUpload<S> {
    /// Aborts the upload `upload_id` to `key` in `bucket`, sent by `sender`.
    pub fn new(sender: S, bucket: impl Into<String>, key: impl Into<String>, upload_id: impl Into<String>) -> Self {
        Self {
            sender,
            bucket: bucket.into(),
            key: key.into(),
            upload_id: upload_id.into(),
            if_match_initiated_time: None,
            request_payer: false,
            expected_bucket_owner: None,
        }
    }

    /// Aborts the upload only if it was begun at `time` (to the second). Only directory buckets have this.
    pub fn if_match_initiated_time(mut self, time: SystemTime) -> Self {
        self.if_match_initiated_time = Some(time);
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

/// What S3 says to an abort.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AbortMultipartUploadOutput {
    /// The version that the object would have been, where the server says so.
    pub version_id: Option<String>,
    /// Whether the requester was charged.
    pub request_charged: bool,
}

impl<S: Send + 'static> Operation for AbortMultipartUpload<S> {
    const NAME: &'static str = "AbortMultipartUpload";
    type Output = AbortMultipartUploadOutput;

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), Some(&self.key))
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::object(Method::DELETE, &self.bucket, &self.key)?;
        request.query("uploadId", elements::upload_id(&self.upload_id)?);
        let initiated = self.if_match_initiated_time.map(time::format_http_date).transpose()?;
        request.header_opt("x-amz-if-match-initiated-time", initiated)?;
        request.payer_and_owner(self.request_payer, self.expected_bucket_owner.as_deref())?;
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<AbortMultipartUploadOutput, Error> {
        Ok(AbortMultipartUploadOutput {
            version_id: Headers::of(response.headers()).text("x-amz-version-id"),
            request_charged: Headers::of(response.headers()).request_charged(),
        })
    }
}

impl<S: Sender> IntoFuture for AbortMultipartUpload<S> {
    type Output = Result<AbortMultipartUploadOutput, Error>;
    type IntoFuture = SendFuture<AbortMultipartUploadOutput>;

    fn into_future(self) -> Self::IntoFuture {
        self.sender.clone().send(self)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::op::testing;

    #[test]
    fn every_parameter_reaches_the_request() {
        let request = AbortMultipartUpload::new((), "bucket", "key", "u1")
            .if_match_initiated_time(SystemTime::UNIX_EPOCH + Duration::from_secs(1_792_567_680))
            .request_payer()
            .expected_bucket_owner("1")
            .request()
            .unwrap();
        assert_eq!((&request.method, request.key.as_deref()), (&Method::DELETE, Some("key")));
        assert_eq!(testing::query(&request), "uploadId=u1");
        assert_eq!(request.headers["x-amz-if-match-initiated-time"], "Wed, 21 Oct 2026 07:28:00 GMT");
        assert_eq!(request.headers["x-amz-request-payer"], "requester");
        assert_eq!(request.headers["x-amz-expected-bucket-owner"], "1");
    }

    #[test]
    fn without_an_upload_id_it_would_delete_the_object() {
        let error = AbortMultipartUpload::new((), "bucket", "key", "").request().unwrap_err();
        assert_eq!(error.to_string(), "the upload id is empty");
    }

    #[test]
    fn the_answer_is_read() {
        let answer = testing::headers(&[("x-amz-version-id", "v"), ("x-amz-request-charged", "requester")]);
        let output = AbortMultipartUpload::new((), "bucket", "key", "u1").response(answer).unwrap();
        assert_eq!((output.version_id.as_deref(), output.request_charged), (Some("v"), true));
    }
}
