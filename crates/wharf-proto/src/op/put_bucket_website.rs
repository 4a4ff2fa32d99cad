//! PutBucketWebsite.

use std::future::IntoFuture;

use bytes::Bytes;
use http::Method;

use crate::checksum::ChecksumAlgorithm;
use crate::operation::{ChecksumPolicy, Operation, Request, SendFuture, Sender};
use crate::xml::write_document;
use crate::{Body, Error};

/// Has a bucket served as a website: one PutBucketWebsite request.
///
/// For pages that are served as they lie there. A site that only redirects, and rules for some of its pages, go by
/// [`SignedRequest`](super::SignedRequest).
///
/// # Errors
/// [`NoSuchBucket`](crate::ErrorKind::NoSuchBucket), [`AccessDenied`](crate::ErrorKind::AccessDenied); a suffix that is
/// empty or has a slash is S3's `InvalidArgument`.
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct PutBucketWebsite<S = ()> {
    sender: S,
    bucket: String,
    index_document: Option<String>,
    error_document: Option<String>,
    checksum: ChecksumPolicy,
    content_md5: Option<String>,
    expected_bucket_owner: Option<String>,
}

impl<S> PutBucketWebsite<S> {
    /// Serves `bucket` as a website, sent by `sender`.
    pub fn new(sender: S, bucket: impl Into<String>) -> Self {
        Self {
            sender,
            bucket: bucket.into(),
            index_document: None,
            error_document: None,
            checksum: ChecksumPolicy::Required,
            content_md5: None,
            expected_bucket_owner: None,
        }
    }

    /// What is appended to the path of a directory, such as `index.html`.
    pub fn index_document(mut self, suffix: impl Into<String>) -> Self {
        self.index_document = Some(suffix.into());
        self
    }

    /// The key of what is served with an error of the 400s.
    pub fn error_document(mut self, key: impl Into<String>) -> Self {
        self.error_document = Some(key.into());
        self
    }

    /// The algorithm of the checksum that S3 insists on: the client's default unless set.
    pub fn checksum(mut self, algorithm: ChecksumAlgorithm) -> Self {
        self.checksum = ChecksumPolicy::Algorithm(algorithm);
        self
    }

    /// Sends this `Content-MD5` (base64) in place of a checksum, for servers that know no other.
    pub fn content_md5(mut self, md5: impl Into<String>) -> Self {
        self.content_md5 = Some(md5.into());
        self.checksum = ChecksumPolicy::Off;
        self
    }

    /// Fails with [`AccessDenied`](crate::ErrorKind::AccessDenied) unless this account owns the bucket.
    pub fn expected_bucket_owner(mut self, account_id: impl Into<String>) -> Self {
        self.expected_bucket_owner = Some(account_id.into());
        self
    }
}

impl<S: Send + 'static> Operation for PutBucketWebsite<S> {
    const NAME: &'static str = "PutBucketWebsite";
    type Output = ();

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), None)
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::bucket(Method::PUT, &self.bucket)?;
        request.subresource("website");
        request.header_opt("content-md5", self.content_md5.as_deref())?;
        request.header_opt("x-amz-expected-bucket-owner", self.expected_bucket_owner.as_deref())?;
        request.checksum = self.checksum.clone();
        request.body = Body::bytes(write_document("WebsiteConfiguration", |root| {
            if let Some(suffix) = &self.index_document {
                root.child("IndexDocument", |document| document.text("Suffix", suffix));
            }
            if let Some(key) = &self.error_document {
                root.child("ErrorDocument", |document| document.text("Key", key));
            }
        }));
        Ok(request)
    }

    fn response(&self, _response: http::Response<Bytes>) -> Result<(), Error> {
        Ok(())
    }
}

impl<S: Sender> IntoFuture for PutBucketWebsite<S> {
    type Output = Result<(), Error>;
    type IntoFuture = SendFuture<()>;

    fn into_future(self) -> Self::IntoFuture {
        self.sender.clone().send(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::testing;

    #[test]
    fn every_parameter_reaches_the_request() {
        let request = PutBucketWebsite::new((), "bucket")
            .index_document("index.html")
            .error_document("a&b.html")
            .checksum(ChecksumAlgorithm::Sha256)
            .expected_bucket_owner("1")
            .request()
            .unwrap();
        assert_eq!((&request.method, request.bucket.as_deref()), (&Method::PUT, Some("bucket")));
        assert_eq!(testing::query(&request), "website");
        assert_eq!(request.headers["x-amz-expected-bucket-owner"], "1");
        assert_eq!(request.checksum, ChecksumPolicy::Algorithm(ChecksumAlgorithm::Sha256));
        assert_eq!(
            testing::document(request),
            "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument>\
             <ErrorDocument><Key>a&amp;b.html</Key></ErrorDocument></WebsiteConfiguration>"
        );
    }

    #[test]
    fn what_is_not_said_is_not_there() {
        let mut call = PutBucketWebsite::new((), "bucket");
        let request = call.request().unwrap();
        assert_eq!(request.checksum, ChecksumPolicy::Required);
        assert_eq!(testing::document(request), "<WebsiteConfiguration></WebsiteConfiguration>");
        let request = call.content_md5("1B2M2Y8AsgTpgAmY7PhCfg==").request().unwrap();
        assert_eq!(request.headers["content-md5"], "1B2M2Y8AsgTpgAmY7PhCfg==");
        assert_eq!(request.checksum, ChecksumPolicy::Off);
    }
}
