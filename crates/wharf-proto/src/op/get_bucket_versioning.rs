//! GetBucketVersioning.

use std::future::IntoFuture;
use std::str::FromStr;

use bytes::Bytes;
use http::Method;

use crate::Error;
use crate::operation::{Operation, Request, SendFuture, Sender, Success};
use crate::xml::{self, Scanner};

/// Asks whether a bucket keeps old versions: one GetBucketVersioning request.
///
/// # Errors
/// [`NoSuchBucket`](crate::ErrorKind::NoSuchBucket), [`AccessDenied`](crate::ErrorKind::AccessDenied).
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct GetBucketVersioning<S = ()> {
    sender: S,
    bucket: String,
    expected_bucket_owner: Option<String>,
}

impl<S> GetBucketVersioning<S> {
    /// Asks about `bucket`, sent by `sender`.
    pub fn new(sender: S, bucket: impl Into<String>) -> Self {
        Self { sender, bucket: bucket.into(), expected_bucket_owner: None }
    }

    /// Fails with [`AccessDenied`](crate::ErrorKind::AccessDenied) unless this account owns the bucket.
    pub fn expected_bucket_owner(mut self, account_id: impl Into<String>) -> Self {
        self.expected_bucket_owner = Some(account_id.into());
        self
    }
}

/// Whether a bucket keeps old versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VersioningStatus {
    /// Every write makes a new version.
    Enabled,
    /// Old versions are kept, and writes replace the version `null`.
    Suspended,
}

impl VersioningStatus {
    /// S3's name of the status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "Enabled",
            Self::Suspended => "Suspended",
        }
    }
}

impl FromStr for VersioningStatus {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "Enabled" => Ok(Self::Enabled),
            "Suspended" => Ok(Self::Suspended),
            other => Err(Error::invalid_input(format!("{other:?} is no versioning status; use Enabled or Suspended"))),
        }
    }
}

/// A bucket's versioning.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct GetBucketVersioningOutput {
    /// Whether versions are kept; `None` where versioning was never turned on.
    pub status: Option<VersioningStatus>,
    /// Whether deleting a version takes an authentication device; `None` where that was never set.
    pub mfa_delete: Option<bool>,
}

impl<S: Send + 'static> Operation for GetBucketVersioning<S> {
    const NAME: &'static str = "GetBucketVersioning";
    type Output = GetBucketVersioningOutput;

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), None)
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::bucket(Method::GET, &self.bucket)?;
        request.success = Success::Document;
        request.subresource("versioning");
        request.header_opt("x-amz-expected-bucket-owner", self.expected_bucket_owner.as_deref())?;
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<GetBucketVersioningOutput, Error> {
        let mut output = GetBucketVersioningOutput::default();
        // The second is moto's.
        let (root, other) = ("VersioningConfiguration", "GetBucketVersioningResponse");
        let mut scanner = Scanner::either(xml::text(response.body())?, root, other)?;
        while let Some(name) = scanner.child()? {
            match name {
                "Status" => output.status = scanner.text()?.parse().ok(),
                // AWS writes the first, some servers the second.
                "MfaDelete" | "MFADelete" => output.mfa_delete = mfa_delete(&scanner.text()?),
                _ => scanner.skip()?,
            }
        }
        Ok(output)
    }
}

impl<S: Sender> IntoFuture for GetBucketVersioning<S> {
    type Output = Result<GetBucketVersioningOutput, Error>;
    type IntoFuture = SendFuture<GetBucketVersioningOutput>;

    fn into_future(self) -> Self::IntoFuture {
        self.sender.clone().send(self)
    }
}

fn mfa_delete(text: &str) -> Option<bool> {
    match text {
        "Enabled" => Some(true),
        "Disabled" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::testing;

    fn read(document: &'static str) -> Result<GetBucketVersioningOutput, Error> {
        GetBucketVersioning::new((), "bucket").response(testing::answer(document))
    }

    #[test]
    fn every_parameter_reaches_the_request() {
        let request = GetBucketVersioning::new((), "bucket").expected_bucket_owner("1").request().unwrap();
        assert_eq!((&request.method, request.bucket.as_deref()), (&Method::GET, Some("bucket")));
        assert_eq!(testing::query(&request), "versioning");
        assert_eq!(request.headers["x-amz-expected-bucket-owner"], "1");
    }

    #[test]
    fn the_answer_is_read() {
        let output = read(
            "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>Suspended</Status>\
             <MfaDelete>Disabled</MfaDelete></VersioningConfiguration>",
        )
        .unwrap();
        let expected = GetBucketVersioningOutput { status: Some(VersioningStatus::Suspended), mfa_delete: Some(false) };
        assert_eq!(output, expected);
        let enabled = "<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>\
                       </VersioningConfiguration>";
        let expected = GetBucketVersioningOutput { status: Some(VersioningStatus::Enabled), mfa_delete: Some(true) };
        assert_eq!(read(enabled).unwrap(), expected);
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for status in [VersioningStatus::Enabled, VersioningStatus::Suspended] {
            assert_eq!(status.as_str().parse::<VersioningStatus>().unwrap(), status);
        }
    }

    #[test]
    fn a_bucket_that_never_had_versions_has_no_status() {
        assert_eq!(read("<VersioningConfiguration/>").unwrap(), GetBucketVersioningOutput::default());
        let empty = "<VersioningConfiguration><Status></Status></VersioningConfiguration>";
        assert_eq!(read(empty).unwrap(), GetBucketVersioningOutput::default());
        assert_eq!(read("<GetBucketVersioningResponse/>").unwrap(), GetBucketVersioningOutput::default());
        assert!(read("<html/>").is_err());
    }
}
