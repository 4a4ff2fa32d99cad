//! HeadBucket.

use std::future::IntoFuture;

use bytes::Bytes;
use http::Method;

use super::LocationType;
use crate::Error;
use crate::headers::Headers;
use crate::operation::{Operation, Request, SendFuture, Sender};

/// Makes sure that a bucket is there and may be used: one HeadBucket request.
///
/// # Errors
/// The answer to a HEAD has no body, so its status is all there is: [`NotFound`](crate::ErrorKind::NotFound) without
/// such a bucket, [`AccessDenied`](crate::ErrorKind::AccessDenied) where it is somebody else's,
/// [`WrongRegion`](crate::ErrorKind::WrongRegion) where it lives elsewhere; [`Error::region`] then says where.
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct HeadBucket<S = ()> {
    sender: S,
    bucket: String,
    expected_bucket_owner: Option<String>,
}

impl<S> HeadBucket<S> {
    /// Asks for `bucket`, sent by `sender`.
    pub fn new(sender: S, bucket: impl Into<String>) -> Self {
        Self { sender, bucket: bucket.into(), expected_bucket_owner: None }
    }

    /// Fails with [`AccessDenied`](crate::ErrorKind::AccessDenied) unless this account owns the bucket.
    pub fn expected_bucket_owner(mut self, account_id: impl Into<String>) -> Self {
        self.expected_bucket_owner = Some(account_id.into());
        self
    }
}

/// What is known of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct HeadBucketOutput {
    /// The region it is in. Only some servers besides AWS say so.
    pub region: Option<String>,
    /// Its ARN, where the server has one.
    pub bucket_arn: Option<String>,
    /// What kind of place a directory bucket is in.
    pub location_type: Option<LocationType>,
    /// The zone that a directory bucket is in.
    pub location_name: Option<String>,
    /// Whether the name is an access point's alias.
    pub access_point_alias: bool,
}

impl<S: Send + 'static> Operation for HeadBucket<S> {
    const NAME: &'static str = "HeadBucket";
    type Output = HeadBucketOutput;

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), None)
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::bucket(Method::HEAD, &self.bucket)?;
        request.header_opt("x-amz-expected-bucket-owner", self.expected_bucket_owner.as_deref())?;
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<HeadBucketOutput, Error> {
        let headers = Headers::of(response.headers());
        Ok(HeadBucketOutput {
            region: headers.text("x-amz-bucket-region"),
            bucket_arn: headers.text("x-amz-bucket-arn"),
            location_type: headers.parsed("x-amz-bucket-location-type"),
            location_name: headers.text("x-amz-bucket-location-name"),
            access_point_alias: headers.flag("x-amz-access-point-alias"),
        })
    }
}

impl<S: Sender> IntoFuture for HeadBucket<S> {
    type Output = Result<HeadBucketOutput, Error>;
    type IntoFuture = SendFuture<HeadBucketOutput>;

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
        let request = HeadBucket::new((), "bucket").expected_bucket_owner("1").request().unwrap();
        assert_eq!((request.method, request.bucket.as_deref()), (Method::HEAD, Some("bucket")));
        assert_eq!(request.headers["x-amz-expected-bucket-owner"], "1");
    }

    #[test]
    fn the_answer_is_read() {
        let answer = testing::headers(&[
            ("x-amz-bucket-region", "us-west-2"),
            ("x-amz-bucket-arn", "arn:aws:s3:::bucket"),
            ("x-amz-bucket-location-type", "LocalZone"),
            ("x-amz-bucket-location-name", "usw2-lax1-az1"),
            ("x-amz-access-point-alias", "true"),
        ]);
        let output = HeadBucket::new((), "bucket").response(answer).unwrap();
        let expected = HeadBucketOutput {
            region: Some("us-west-2".to_owned()),
            bucket_arn: Some("arn:aws:s3:::bucket".to_owned()),
            location_type: Some(LocationType::LocalZone),
            location_name: Some("usw2-lax1-az1".to_owned()),
            access_point_alias: true,
        };
        assert_eq!(output, expected);
    }

    #[test]
    fn a_server_may_say_nothing_or_something_new() {
        let call = HeadBucket::new((), "bucket");
        assert_eq!(call.response(testing::headers(&[])).unwrap(), HeadBucketOutput::default());
        let new = testing::headers(&[("x-amz-bucket-location-type", "Moon")]);
        assert_eq!(call.response(new).unwrap(), HeadBucketOutput::default());
    }
}
