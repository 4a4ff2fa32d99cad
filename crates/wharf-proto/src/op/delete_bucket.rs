//! DeleteBucket.

use std::future::IntoFuture;

use bytes::Bytes;
use http::Method;

use crate::Error;
use crate::operation::{Operation, Request, SendFuture, Sender};

/// Deletes an empty bucket: one DeleteBucket request.
///
/// # Errors
/// [`BucketNotEmpty`](crate::ErrorKind::BucketNotEmpty) while it holds objects, versions or delete markers,
/// [`NoSuchBucket`](crate::ErrorKind::NoSuchBucket), [`AccessDenied`](crate::ErrorKind::AccessDenied).
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct DeleteBucket<S = ()> {
    sender: S,
    bucket: String,
    expected_bucket_owner: Option<String>,
}

impl<S> DeleteBucket<S> {
    /// Deletes `bucket`, sent by `sender`.
    pub fn new(sender: S, bucket: impl Into<String>) -> Self {
        Self { sender, bucket: bucket.into(), expected_bucket_owner: None }
    }

    /// Fails with [`AccessDenied`](crate::ErrorKind::AccessDenied) unless this account owns the bucket.
    pub fn expected_bucket_owner(mut self, account_id: impl Into<String>) -> Self {
        self.expected_bucket_owner = Some(account_id.into());
        self
    }
}

impl<S: Send + 'static> Operation for DeleteBucket<S> {
    const NAME: &'static str = "DeleteBucket";
    type Output = ();

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), None)
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::bucket(Method::DELETE, &self.bucket)?;
        request.header_opt("x-amz-expected-bucket-owner", self.expected_bucket_owner.as_deref())?;
        Ok(request)
    }

    fn response(&self, _response: http::Response<Bytes>) -> Result<(), Error> {
        Ok(())
    }
}

impl<S: Sender> IntoFuture for DeleteBucket<S> {
    type Output = Result<(), Error>;
    type IntoFuture = SendFuture<()>;

    fn into_future(self) -> Self::IntoFuture {
        self.sender.clone().send(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_reaches_the_request() {
        let request = DeleteBucket::new((), "bucket").expected_bucket_owner("1").request().unwrap();
        assert_eq!((request.method, request.bucket.as_deref()), (Method::DELETE, Some("bucket")));
        assert!(request.key.is_none() && request.query.is_empty());
        assert_eq!(request.headers["x-amz-expected-bucket-owner"], "1");
    }
}
