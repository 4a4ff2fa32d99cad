//! GetBucketLocation.

use std::future::IntoFuture;

use bytes::Bytes;
use http::Method;

use crate::operation::{Operation, Request, SendFuture, Sender, Success};
use crate::xml::{self, Scanner};
use crate::{Error, ErrorKind};

/// Asks for a bucket's region: one GetBucketLocation request.
///
/// Awaited, it gives the region's name. S3's two historical answers are put into today's names: no location at all is
/// `us-east-1`, and `EU` is `eu-west-1`.
///
/// # Errors
/// [`NoSuchBucket`](crate::ErrorKind::NoSuchBucket), [`AccessDenied`](crate::ErrorKind::AccessDenied).
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct GetBucketLocation<S = ()> {
    sender: S,
    bucket: String,
    expected_bucket_owner: Option<String>,
}

impl<S> GetBucketLocation<S> {
    /// Asks for the region of `bucket`, sent by `sender`.
    pub fn new(sender: S, bucket: impl Into<String>) -> Self {
        Self { sender, bucket: bucket.into(), expected_bucket_owner: None }
    }

    /// Fails with [`AccessDenied`](crate::ErrorKind::AccessDenied) unless this account owns the bucket.
    pub fn expected_bucket_owner(mut self, account_id: impl Into<String>) -> Self {
        self.expected_bucket_owner = Some(account_id.into());
        self
    }
}

impl<S: Send + 'static> Operation for GetBucketLocation<S> {
    const NAME: &'static str = "GetBucketLocation";
    type Output = String;

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), None)
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::bucket(Method::GET, &self.bucket)?;
        request.success = Success::Document;
        request.subresource("location");
        request.header_opt("x-amz-expected-bucket-owner", self.expected_bucket_owner.as_deref())?;
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<String, Error> {
        let constraint = read_constraint(xml::text(response.body())?)?;
        Ok(match constraint.trim() {
            "" => "us-east-1".to_owned(),
            "EU" => "eu-west-1".to_owned(),
            region => region.to_owned(),
        })
    }
}

impl<S: Sender> IntoFuture for GetBucketLocation<S> {
    type Output = Result<String, Error>;
    type IntoFuture = SendFuture<String>;

    fn into_future(self) -> Self::IntoFuture {
        self.sender.clone().send(self)
    }
}

fn read_constraint(document: &str) -> Result<String, Error> {
    let mut scanner = Scanner::any_root(document)?;
    match scanner.root() {
        "LocationConstraint" => Ok(scanner.text()?.into_owned()),
        // SeaweedFS answers with the document that CreateBucket is sent.
        "CreateBucketConfiguration" => {
            let mut constraint = String::new();
            while let Some(name) = scanner.child()? {
                match name {
                    "LocationConstraint" => constraint = scanner.text()?.into_owned(),
                    _ => scanner.skip()?,
                }
            }
            Ok(constraint)
        }
        other => {
            let message = format!("the answer is no bucket's location: expected <LocationConstraint>, found <{other}>");
            Err(Error::new(ErrorKind::MalformedResponse, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::testing;

    #[test]
    fn every_parameter_reaches_the_request() {
        let request = GetBucketLocation::new((), "bucket").expected_bucket_owner("1").request().unwrap();
        assert_eq!((&request.method, request.bucket.as_deref()), (&Method::GET, Some("bucket")));
        assert_eq!(testing::query(&request), "location");
        assert_eq!(request.headers["x-amz-expected-bucket-owner"], "1");
    }

    #[test]
    fn all_forms_of_a_location_are_read() {
        for (document, region) in [
            (
                "<?xml version=\"1.0\"?>\n<LocationConstraint xmlns=\"http://x/\">us-west-2</LocationConstraint>",
                "us-west-2",
            ),
            ("<LocationConstraint>\n  EU\n</LocationConstraint>", "eu-west-1"),
            ("<LocationConstraint xmlns=\"http://x/\"/>", "us-east-1"),
            ("<LocationConstraint></LocationConstraint>", "us-east-1"),
            ("<CreateBucketConfiguration><LocationConstraint/></CreateBucketConfiguration>", "us-east-1"),
            ("<CreateBucketConfiguration><LocationConstraint>a</LocationConstraint></CreateBucketConfiguration>", "a"),
        ] {
            let read = GetBucketLocation::new((), "bucket").response(testing::answer(document)).unwrap();
            assert_eq!(read, region, "{document}");
        }
    }

    #[test]
    fn a_page_of_html_is_no_location() {
        let answer = testing::answer("<html><body>Welcome</body></html>");
        let error = GetBucketLocation::new((), "bucket").response(answer).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedResponse);
        assert!(error.to_string().ends_with("expected <LocationConstraint>, found <html>"), "{error}");
    }
}
