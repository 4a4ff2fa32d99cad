//! GetObject.

use std::future::IntoFuture;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Method, StatusCode};

use super::elements::part_to_read;
use crate::condition::ReadConditions;
use crate::object::{Object, ObjectHead};
use crate::operation::{Operation, Presigned, Request, SendFuture, Sender};
use crate::{ByteRange, ContentRange, CustomerKey, ETag, Error, ErrorKind, time};

/// Reads an object: one GetObject request.
///
/// Awaited, it gives the [`Object`]: its head, and its body as it arrives. [`text`](GetObject::text) and its kin read
/// the body whole. To read one of several versions, or a part, or a range, say so first.
///
/// # Errors
/// [`NoSuchKey`](crate::ErrorKind::NoSuchKey), [`NoSuchBucket`](crate::ErrorKind::NoSuchBucket),
/// [`AccessDenied`](crate::ErrorKind::AccessDenied), [`NotModified`](crate::ErrorKind::NotModified) and
/// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed) where a condition does not hold,
/// [`InvalidRange`](crate::ErrorKind::InvalidRange),
/// [`InvalidObjectState`](crate::ErrorKind::InvalidObjectState) for an archived object.
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct GetObject<S = ()> {
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
    limit: Option<u64>,
}

/// Headers that the answer shall carry in place of the stored ones.
#[derive(Debug, Clone, Default)]
pub(super) struct ResponseOverrides {
    pub(super) cache_control: Option<String>,
    pub(super) content_disposition: Option<String>,
    pub(super) content_encoding: Option<String>,
    pub(super) content_language: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) expires: Option<SystemTime>,
}

impl ResponseOverrides {
    pub(super) fn apply(&self, request: &mut Request) -> Result<(), Error> {
        request.query_opt("response-cache-control", self.cache_control.as_deref());
        request.query_opt("response-content-disposition", self.content_disposition.as_deref());
        request.query_opt("response-content-encoding", self.content_encoding.as_deref());
        request.query_opt("response-content-language", self.content_language.as_deref());
        request.query_opt("response-content-type", self.content_type.as_deref());
        request.query_opt("response-expires", self.expires.map(time::format_http_date).transpose()?);
        Ok(())
    }
}

impl<S> GetObject<S> {
    /// Reads `key` from `bucket`, sent by `sender`.
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
            limit: None,
        }
    }

    /// Reads this version in place of the newest.
    pub fn version_id(mut self, version_id: impl Into<String>) -> Self {
        self.version_id = Some(version_id.into());
        self
    }

    /// Reads some of the bytes only: `0..10`, `100..`, `..=9`, or [`ByteRange::last`].
    pub fn range(mut self, range: impl Into<ByteRange>) -> Self {
        self.range = Some(range.into());
        self
    }

    /// Reads one part of an object that was uploaded in parts, 1 to 10,000. Not together with a range.
    pub fn part_number(mut self, part_number: u32) -> Self {
        self.part_number = Some(part_number);
        self
    }

    /// Reads the object only while its tag is this one; else
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn if_match(mut self, etag: impl Into<ETag>) -> Self {
        self.conditions.if_match = Some(etag.into());
        self
    }

    /// Reads the object only if its tag is another; else [`NotModified`](crate::ErrorKind::NotModified).
    pub fn if_none_match(mut self, etag: impl Into<ETag>) -> Self {
        self.conditions.if_none_match = Some(etag.into());
        self
    }

    /// Reads the object only if it was written after `time` (to the second); else
    /// [`NotModified`](crate::ErrorKind::NotModified).
    pub fn if_modified_since(mut self, time: SystemTime) -> Self {
        self.conditions.if_modified_since = Some(time);
        self
    }

    /// Reads the object only if it was not written after `time` (to the second); else
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

    /// Asks for the stored checksum (`x-amz-checksum-mode: ENABLED`), which the body is then compared with where it
    /// covers the whole object. A client asks for it of itself where the body is the whole object, unless its
    /// `ClientBuilder::checksum_mode`, `AWS_RESPONSE_CHECKSUM_VALIDATION` or the profile says that it shall not; a presigned
    /// request does not.
    pub fn checksum_mode(mut self, enabled: bool) -> Self {
        self.checksum_mode = enabled;
        self
    }

    /// Has the answer carry this `Cache-Control`.
    pub fn response_cache_control(mut self, value: impl Into<String>) -> Self {
        self.response.cache_control = Some(value.into());
        self
    }

    /// Has the answer carry this `Content-Disposition`, such as `attachment; filename="report.csv"`.
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

    /// Refuses to read more than `bytes` into memory: see [`Object::limit`].
    pub fn limit(mut self, bytes: u64) -> Self {
        self.limit = Some(bytes);
        self
    }
}

impl<S: Sender> GetObject<S> {
    /// Signs this read into a URL that anybody may use for `expires_in`, at most 7 days.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) over 7 days, under a second, or for what cannot be sent.
    pub fn presign(self, expires_in: Duration) -> SendFuture<Presigned> {
        self.sender.clone().presign(self, expires_in)
    }

    pub(crate) fn open(self) -> SendFuture<Object<S::Body>> {
        let (bucket, key, limit) = (self.bucket.clone(), self.key.clone(), self.limit);
        let opening = self.sender.clone().open(self);
        Box::pin(async move {
            let (head, body) = opening.await?;
            Ok(Object { head, body, bucket, key, limit })
        })
    }
}

impl<S: Send + 'static> Operation for GetObject<S> {
    const NAME: &'static str = "GetObject";
    type Output = ObjectHead;

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), Some(&self.key))
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::object(Method::GET, &self.bucket, &self.key)?;
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
        let head = ObjectHead::read(response.headers());
        let has_length = response.headers().contains_key(CONTENT_LENGTH);
        let problem = match (self.range, &head.content_range) {
            (Some(range), None)
                if response.status() == StatusCode::OK && !has_length && range != ByteRange::from(0..) =>
            {
                "the server does not say which bytes it sent, and a range was asked for"
            }
            // Some servers answer 200 to a range that they honour.
            (Some(range), None) if response.status() == StatusCode::OK && !range.is_whole(head.content_length) => {
                "the server ignored the range and sent the whole object"
            }
            (Some(range), Some(sent)) if is_of_others(range, sent) => "the server sent other bytes than the range has",
            (None, None)
                if head.parts_count.is_none()
                    && response.status() == StatusCode::OK
                    && self.part_number.is_some_and(|number| number > 1) =>
            {
                "the server ignored the part's number and sent the whole object"
            }
            _ => return Ok(head),
        };
        Err(Error::new(ErrorKind::MalformedResponse, problem))
    }
}

/// Whether an answer says that it holds other bytes than the range has.
fn is_of_others(range: ByteRange, content_range: &str) -> bool {
    let sent = ContentRange::parse(content_range);
    sent.is_some_and(|sent| sent.size.is_some_and(|size| range.of(size).is_some_and(|bytes| bytes != sent.bytes)))
}

impl<S: Sender> IntoFuture for GetObject<S> {
    type Output = Result<Object<S::Body>, Error>;
    type IntoFuture = SendFuture<Object<S::Body>>;

    fn into_future(self) -> Self::IntoFuture {
        self.open()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_reaches_the_request() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_792_567_680);
        let mut call = GetObject::new((), "bucket", "a//b")
            .version_id("v1")
            .range(0..10)
            .if_match("\"e\"")
            .if_none_match("f")
            .if_modified_since(time)
            .if_unmodified_since(time)
            .customer_key(CustomerKey::new([7; 32]))
            .checksum_mode(true)
            .response_cache_control("no-store")
            .response_content_disposition("attachment")
            .response_content_encoding("gzip")
            .response_content_language("de")
            .response_content_type("text/plain")
            .response_expires(time)
            .request_payer()
            .expected_bucket_owner("111122223333");
        let request = call.request().unwrap();
        assert_eq!((request.method, request.key.as_deref()), (Method::GET, Some("a//b")));
        let query: Vec<_> = request.query.iter().map(|(n, v)| format!("{n}={}", v.as_deref().unwrap())).collect();
        let date = "Wed, 21 Oct 2026 07:28:00 GMT";
        assert_eq!(
            query,
            [
                "versionId=v1",
                "response-cache-control=no-store",
                "response-content-disposition=attachment",
                "response-content-encoding=gzip",
                "response-content-language=de",
                "response-content-type=text/plain",
                &format!("response-expires={date}"),
            ]
        );
        for (name, value) in [
            ("range", "bytes=0-9"),
            ("if-match", "\"e\""),
            ("if-none-match", "\"f\""),
            ("if-modified-since", date),
            ("if-unmodified-since", date),
            ("x-amz-checksum-mode", "ENABLED"),
            ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
            ("x-amz-server-side-encryption-customer-key", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="),
            ("x-amz-request-payer", "requester"),
            ("x-amz-expected-bucket-owner", "111122223333"),
        ] {
            assert_eq!(request.headers[name], value, "{name}");
        }
    }

    #[test]
    fn a_part_is_read_by_its_number_alone() {
        let call = |number| GetObject::new((), "bucket", "k").part_number(number);
        assert_eq!(call(10_000).request().unwrap().query, [("partNumber".into(), Some("10000".to_owned()))]);
        for (mut call, line) in [
            (call(0), "part number 0 is not between 1 and 10,000"),
            (call(10_001), "part number 10001 is not between 1 and 10,000"),
            (call(1).range(0..2), "a range and a part number: give one of them"),
        ] {
            let error = call.request().unwrap_err();
            assert_eq!((error.kind(), error.message()), (ErrorKind::InvalidInput, line));
        }
    }

    #[test]
    fn a_server_that_ignores_the_range_is_noticed() {
        let answer = |status: u16, content_range: Option<&str>| {
            let mut answer = http::Response::builder().status(status).header("content-length", "10");
            if let Some(range) = content_range {
                answer = answer.header("content-range", range);
            }
            GetObject::new((), "bucket", "k").range(2..4).response(answer.body(Bytes::new()).unwrap())
        };
        assert_eq!(answer(200, None).unwrap_err().kind(), ErrorKind::MalformedResponse);
        assert!(answer(206, None).is_ok() && answer(200, Some("bytes 2-3/10")).is_ok());
        let whole = GetObject::new((), "bucket", "k").range(0..100);
        let answer = http::Response::builder().header("content-length", "10").body(Bytes::new()).unwrap();
        assert!(whole.response(answer).is_ok());
    }

    #[test]
    fn an_empty_key_fails_before_any_request() {
        let error = GetObject::new((), "bucket", "").request().unwrap_err();
        assert_eq!(error.to_string(), "the key is empty");
    }
}
