//! PutBucketVersioning.

use std::future::IntoFuture;

use bytes::Bytes;
use http::Method;

use super::VersioningStatus;
use super::mfa::Mfa;
use crate::checksum::ChecksumAlgorithm;
use crate::operation::{ChecksumPolicy, Operation, Request, SendFuture, Sender};
use crate::xml::write_document;
use crate::{Body, Error};

/// Says whether a bucket keeps old versions: one PutBucketVersioning request.
///
/// Versioning that was once on can be suspended, never turned off.
///
/// # Errors
/// [`NoSuchBucket`](crate::ErrorKind::NoSuchBucket), [`AccessDenied`](crate::ErrorKind::AccessDenied).
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct PutBucketVersioning<S = ()> {
    sender: S,
    bucket: String,
    status: VersioningStatus,
    mfa_delete: Option<bool>,
    mfa: Option<Mfa>,
    checksum: ChecksumPolicy,
    content_md5: Option<String>,
    expected_bucket_owner: Option<String>,
}

impl<S> PutBucketVersioning<S> {
    /// Sets the versioning of `bucket` to `status`, sent by `sender`.
    pub fn new(sender: S, bucket: impl Into<String>, status: VersioningStatus) -> Self {
        Self {
            sender,
            bucket: bucket.into(),
            status,
            mfa_delete: None,
            mfa: None,
            checksum: ChecksumPolicy::Required,
            content_md5: None,
            expected_bucket_owner: None,
        }
    }

    /// Whether deleting a version is to take an authentication device. Changing it takes one as well: see
    /// [`mfa`](PutBucketVersioning::mfa).
    pub fn mfa_delete(mut self, enabled: bool) -> Self {
        self.mfa_delete = Some(enabled);
        self
    }

    /// The authentication device of the bucket's owner: its serial number (or ARN), and the code it shows now. Only
    /// the root account's device will do.
    pub fn mfa(mut self, serial: impl Into<String>, code: impl Into<String>) -> Self {
        self.mfa = Some(Mfa::new(serial, code));
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

impl<S: Send + 'static> Operation for PutBucketVersioning<S> {
    const NAME: &'static str = "PutBucketVersioning";
    type Output = ();

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), None)
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::bucket(Method::PUT, &self.bucket)?;
        request.subresource("versioning");
        if let Some(mfa) = &self.mfa {
            mfa.apply(&mut request)?;
        }
        request.header_opt("content-md5", self.content_md5.as_deref())?;
        request.header_opt("x-amz-expected-bucket-owner", self.expected_bucket_owner.as_deref())?;
        request.checksum = self.checksum.clone();
        request.body = Body::bytes(write_document("VersioningConfiguration", |root| {
            root.text("Status", self.status.as_str());
            root.text_opt("MfaDelete", self.mfa_delete.map(|enabled| if enabled { "Enabled" } else { "Disabled" }));
        }));
        Ok(request)
    }

    fn response(&self, _response: http::Response<Bytes>) -> Result<(), Error> {
        Ok(())
    }
}

impl<S: Sender> IntoFuture for PutBucketVersioning<S> {
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
        let request = PutBucketVersioning::new((), "bucket", VersioningStatus::Enabled)
            .mfa_delete(true)
            .mfa("serial", "123456")
            .checksum(ChecksumAlgorithm::Sha256)
            .expected_bucket_owner("1")
            .request()
            .unwrap();
        assert_eq!((&request.method, request.bucket.as_deref()), (&Method::PUT, Some("bucket")));
        assert_eq!(testing::query(&request), "versioning");
        assert_eq!(request.headers["x-amz-mfa"], "serial 123456");
        assert_eq!(request.headers["x-amz-expected-bucket-owner"], "1");
        assert_eq!(request.checksum, ChecksumPolicy::Algorithm(ChecksumAlgorithm::Sha256));
        assert_eq!(
            testing::document(request),
            "<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>"
        );
    }

    #[test]
    fn a_checksum_is_required_unless_md5_takes_its_place() {
        let mut call = PutBucketVersioning::new((), "bucket", VersioningStatus::Suspended);
        let request = call.request().unwrap();
        assert_eq!(request.checksum, ChecksumPolicy::Required);
        assert_eq!(
            testing::document(request),
            "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>"
        );
        let request = call.content_md5("1B2M2Y8AsgTpgAmY7PhCfg==").request().unwrap();
        assert_eq!(request.headers["content-md5"], "1B2M2Y8AsgTpgAmY7PhCfg==");
        assert_eq!(request.checksum, ChecksumPolicy::Off);
    }
}
