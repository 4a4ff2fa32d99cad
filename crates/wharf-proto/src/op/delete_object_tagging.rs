//! DeleteObjectTagging.

use std::future::IntoFuture;

use bytes::Bytes;
use http::Method;

use crate::Error;
use crate::headers::Headers;
use crate::operation::{Operation, Request, SendFuture, Sender};

/// Removes all of an object's tags: one DeleteObjectTagging request.
///
/// # Errors
/// [`NoSuchKey`](crate::ErrorKind::NoSuchKey), [`NoSuchBucket`](crate::ErrorKind::NoSuchBucket),
/// [`AccessDenied`](crate::ErrorKind::AccessDenied).
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct DeleteObjectTagging<S = ()> {
    sender: S,
    bucket: String,
    key: String,
    version_id: Option<String>,
    expected_bucket_owner: Option<String>,
}

impl<S> DeleteObjectTagging<S> {
    /// Removes the tags of `key` in `bucket`, sent by `sender`.
    pub fn new(sender: S, bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self { sender, bucket: bucket.into(), key: key.into(), version_id: None, expected_bucket_owner: None }
    }

    /// Removes this version's tags in place of the newest's.
    pub fn version_id(mut self, version_id: impl Into<String>) -> Self {
        self.version_id = Some(version_id.into());
        self
    }

    /// Fails with [`AccessDenied`](crate::ErrorKind::AccessDenied) unless this account owns the bucket.
    pub fn expected_bucket_owner(mut self, account_id: impl Into<String>) -> Self {
        self.expected_bucket_owner = Some(account_id.into());
        self
    }
}

/// What S3 says about tags that were just removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeleteObjectTaggingOutput {
    /// The version that has no tags now; `None` where the bucket never had versions.
    pub version_id: Option<String>,
}

impl<S: Send + 'static> Operation for DeleteObjectTagging<S> {
    const NAME: &'static str = "DeleteObjectTagging";
    type Output = DeleteObjectTaggingOutput;

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), Some(&self.key))
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::object(Method::DELETE, &self.bucket, &self.key)?;
        request.subresource("tagging");
        request.query_opt("versionId", self.version_id.as_deref());
        request.header_opt("x-amz-expected-bucket-owner", self.expected_bucket_owner.as_deref())?;
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<DeleteObjectTaggingOutput, Error> {
        Ok(DeleteObjectTaggingOutput { version_id: Headers::of(response.headers()).text("x-amz-version-id") })
    }
}

impl<S: Sender> IntoFuture for DeleteObjectTagging<S> {
    type Output = Result<DeleteObjectTaggingOutput, Error>;
    type IntoFuture = SendFuture<DeleteObjectTaggingOutput>;

    fn into_future(self) -> Self::IntoFuture {
        self.sender.clone().send(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::testing::{headers, query};

    #[test]
    fn every_parameter_reaches_the_request() {
        let mut call = DeleteObjectTagging::new((), "bucket", "k").version_id("v").expected_bucket_owner("1");
        let request = call.request().unwrap();
        // Without the sub-resource this would delete the object.
        assert_eq!((&request.method, query(&request).as_str()), (&Method::DELETE, "tagging versionId=v"));
        assert_eq!(request.headers["x-amz-expected-bucket-owner"], "1");
    }

    #[test]
    fn the_answer_names_the_version() {
        let call = DeleteObjectTagging::new((), "bucket", "k");
        let output = call.response(headers(&[("x-amz-version-id", "v")])).unwrap();
        assert_eq!(output.version_id.as_deref(), Some("v"));
    }
}
