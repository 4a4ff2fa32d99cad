//! HeadObject.

use std::future::IntoFuture;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Method;

use super::elements::part_to_read;
use super::get_object::ResponseOverrides;
use crate::condition::ReadConditions;
use crate::object::ObjectHead;
use crate::operation::{Operation, Presigned, Request, SendFuture, Sender};
use crate::{ByteRange, CustomerKey, ETag, Error};

/// Reads what S3 knows about an object, without its bytes: one HeadObject request.
///
/// # Errors
/// A HEAD answer has no body, so a missing key and a missing bucket are both
/// [`NotFound`](crate::ErrorKind::NotFound), and what a caller may not see is
/// [`AccessDenied`](crate::ErrorKind::AccessDenied). [`NotModified`](crate::ErrorKind::NotModified) and
/// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed) where a condition does not hold,
/// [`InvalidRange`](crate::ErrorKind::InvalidRange).
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct HeadObject<S = ()> {
    sender: S,
    bucket: String,
    key: String,
    pub(super) version_id: Option<String>,
    range: Option<ByteRange>,
    part_number: Option<u32>,
    pub(super) conditions: ReadConditions,
    pub(super) customer_key: Option<CustomerKey>,
    checksum_mode: bool,
    response: ResponseOverrides,
    pub(super) request_payer: bool,
    pub(super) expected_bucket_owner: Option<String>,
}

impl<S> HeadObject<S> {
    /// Reads the head of `key` in `bucket`, sent by `sender`.
    pub fn new(sender: S, bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            sender,
            bucket: bucket.into(),
            key: key.into(),
            version_id: None,
            range: None,
            part_number: None,
            conditions: ReadConditions::default(),
            customer_key: None,
            checksum_mode: false,
            response: ResponseOverrides::default(),
            request_payer: false,
            expected_bucket_owner: None,
        }
    }

    /// Asks about this version in place of the newest.
    pub fn version_id(mut self, version_id: impl Into<String>) -> Self {
        self.version_id = Some(version_id.into());
        self
    }

    /// Asks as a read of these bytes would: `0..10`, `100..`, `..=9`, or [`ByteRange::last`].
    pub fn range(mut self, range: impl Into<ByteRange>) -> Self {
        self.range = Some(range.into());
        self
    }

    /// Asks about one part of an object that was uploaded in parts, 1 to 10,000, and how many parts there are. Not
    /// together with a range.
    pub fn part_number(mut self, part_number: u32) -> Self {
        self.part_number = Some(part_number);
        self
    }

    /// Answers only while the object's tag is this one; else
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn if_match(mut self, etag: impl Into<ETag>) -> Self {
        self.conditions.if_match = Some(etag.into());
        self
    }

    /// Answers only if the object's tag is another; else [`NotModified`](crate::ErrorKind::NotModified).
    pub fn if_none_match(mut self, etag: impl Into<ETag>) -> Self {
        self.conditions.if_none_match = Some(etag.into());
        self
    }

    /// Answers only if the object was written after `time` (to the second); else
    /// [`NotModified`](crate::ErrorKind::NotModified).
    pub fn if_modified_since(mut self, time: SystemTime) -> Self {
        self.conditions.if_modified_since = Some(time);
        self
    }

    /// Answers only if the object was not written after `time` (to the second); else
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn if_unmodified_since(mut self, time: SystemTime) -> Self {
        self.conditions.if_unmodified_since = Some(time);
        self
    }

    /// The key that the object was encrypted with (SSE-C).
    pub fn customer_key(mut self, key: CustomerKey) -> Self {
        self.customer_key = Some(key);
        self
    }

    /// Asks for the stored checksum (`x-amz-checksum-mode: ENABLED`).
    pub fn checksum_mode(mut self, enabled: bool) -> Self {
        self.checksum_mode = enabled;
        self
    }

    /// Has the answer carry this `Cache-Control`.
    pub fn response_cache_control(mut self, value: impl Into<String>) -> Self {
        self.response.cache_control = Some(value.into());
        self
    }

    /// Has the answer carry this `Content-Disposition`.
    pub fn response_content_disposition(mut self, value: impl Into<String>) -> Self {
        self.response.content_disposition = Some(value.into());
        self
    }

    /// Has the answer carry this `Content-Encoding`.
    pub fn response_content_encoding(mut self, value: impl Into<String>) -> Self {
        self.response.content_encoding = Some(value.into());
        self
    }

    /// Has the answer carry this `Content-Language`.
    pub fn response_content_language(mut self, value: impl Into<String>) -> Self {
        self.response.content_language = Some(value.into());
        self
    }

    /// Has the answer carry this `Content-Type`.
    pub fn response_content_type(mut self, value: impl Into<String>) -> Self {
        self.response.content_type = Some(value.into());
        self
    }

    /// Has the answer carry this `Expires`.
    pub fn response_expires(mut self, time: SystemTime) -> Self {
        self.response.expires = Some(time);
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

impl<S: Sender> HeadObject<S> {
    /// Signs this request into a URL that anybody may use for `expires_in`, at most 7 days.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) over 7 days, under a second, or for what cannot be sent.
    pub fn presign(self, expires_in: Duration) -> SendFuture<Presigned> {
        self.sender.clone().presign(self, expires_in)
    }
}

impl<S: Send + 'static> Operation for HeadObject<S> {
    const NAME: &'static str = "HeadObject";
    type Output = ObjectHead;

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), Some(&self.key))
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::object(Method::HEAD, &self.bucket, &self.key)?;
        request.query_opt("versionId", self.version_id.as_deref());
        request.query_opt("partNumber", part_to_read(self.part_number, self.range)?);
        self.response.apply(&mut request)?;
        request.header_opt("range", self.range.map(ByteRange::to_header).transpose()?)?;
        request.header_opt("x-amz-checksum-mode", self.checksum_mode.then_some("ENABLED"))?;
        self.conditions.apply(&mut request)?;
        if let Some(key) = &self.customer_key {
            key.apply(&mut request)?;
        }
        request.payer_and_owner(self.request_payer, self.expected_bucket_owner.as_deref())?;
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<ObjectHead, Error> {
        Ok(ObjectHead::read(response.headers()))
    }
}

impl<S: Sender> IntoFuture for HeadObject<S> {
    type Output = Result<ObjectHead, Error>;
    type IntoFuture = SendFuture<ObjectHead>;

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
        let mut call = HeadObject::new((), "bucket", "k")
            .version_id("v1")
            .range(ByteRange::last(5))
            .if_match("e")
            .if_none_match("\"f\"")
            .if_modified_since(time())
            .if_unmodified_since(time())
            .customer_key(CustomerKey::new([7; 32]))
            .checksum_mode(true)
            .response_cache_control("no-store")
            .response_content_disposition("attachment")
            .response_content_encoding("gzip")
            .response_content_language("de")
            .response_content_type("text/plain")
            .response_expires(time())
            .request_payer()
            .expected_bucket_owner("111122223333");
        let request = call.request().unwrap();
        assert_eq!(request.method, Method::HEAD);
        let date = "Wed, 21 Oct 2026 07:28:00 GMT";
        let expected = format!(
            "versionId=v1 response-cache-control=no-store response-content-disposition=attachment \
             response-content-encoding=gzip response-content-language=de response-content-type=text/plain \
             response-expires={date}"
        );
        assert_eq!(query(&request), expected);
        for (name, value) in [
            ("range", "bytes=-5"),
            ("if-match", "\"e\""),
            ("if-none-match", "\"f\""),
            ("if-modified-since", date),
            ("if-unmodified-since", date),
            ("x-amz-checksum-mode", "ENABLED"),
            ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
            ("x-amz-request-payer", "requester"),
            ("x-amz-expected-bucket-owner", "111122223333"),
        ] {
            assert_eq!(request.headers[name], value, "{name}");
        }
    }

    #[test]
    fn the_answer_is_all_headers() {
        let answer = headers(&[
            ("content-length", "443"),
            ("etag", "\"e\""),
            ("last-modified", "Wed, 21 Oct 2026 07:28:00 GMT"),
            ("x-amz-meta-city", "=?UTF-8?B?WsO8cmljaA==?="),
            ("x-amz-storage-class", "GLACIER"),
            ("x-amz-restore", "ongoing-request=\"true\""),
        ]);
        let head = HeadObject::new((), "bucket", "k").response(answer).unwrap();
        assert_eq!((head.content_length, head.etag.as_str()), (443, "\"e\""));
        assert_eq!(head.last_modified, Some(time()));
        assert_eq!(head.metadata["city"], "Zürich");
        assert_eq!(head.storage_class, crate::StorageClass::Glacier);
        assert_eq!(head.restore.as_deref(), Some("ongoing-request=\"true\""));
    }

    #[test]
    fn a_missing_object_is_not_found() {
        let empty = Bytes::new();
        let error = Error::from_response(http::StatusCode::NOT_FOUND, &http::HeaderMap::new(), &empty);
        assert_eq!(error.kind(), crate::ErrorKind::NotFound);
    }

    #[test]
    fn a_part_is_asked_about_by_its_number_alone() {
        let call = |number| HeadObject::new((), "bucket", "k").part_number(number);
        assert_eq!(query(&call(3).request().unwrap()), "partNumber=3");
        for mut call in [call(0), call(3).range(0..2)] {
            assert_eq!(call.request().unwrap_err().kind(), crate::ErrorKind::InvalidInput);
        }
    }
}
