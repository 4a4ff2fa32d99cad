//! UploadPartCopy.

use std::future::IntoFuture;
use std::ops::Range;
use std::time::SystemTime;

use bytes::Bytes;
use http::Method;

use super::UploadPartOutput;
use super::copy_object::copy_source;
use super::elements;
use crate::condition::ReadConditions;
use crate::headers::Headers;
use crate::operation::{Operation, Request, SendFuture, Sender, Success};
use crate::xml::{self, Scanner};
use crate::{ByteRange, CustomerKey, ETag, Error, time};

/// Copies an object, or some of its bytes, into one part of a multipart upload: one UploadPartCopy request. No bytes
/// pass through this machine.
///
/// A part has at least 5 MiB, except the last, and at most 5 GiB. S3 may take minutes before it answers, and may answer
/// 200 with an error; both are dealt with.
///
/// # Errors
/// [`NoSuchKey`](crate::ErrorKind::NoSuchKey), [`NoSuchBucket`](crate::ErrorKind::NoSuchBucket),
/// [`NoSuchUpload`](crate::ErrorKind::NoSuchUpload) once it is completed or aborted,
/// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed) where a condition does not hold,
/// [`InvalidRange`](crate::ErrorKind::InvalidRange), [`AccessDenied`](crate::ErrorKind::AccessDenied),
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a part number outside 1 to 10,000.
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct UploadPartCopy<S = ()> {
    sender: S,
    bucket: String,
    key: String,
    upload_id: String,
    part_number: u32,
    pub(super) customer_key: Option<CustomerKey>,
    source_bucket: String,
    source_key: String,
    pub(super) source_version_id: Option<String>,
    pub(super) source_range: Option<Range<u64>>,
    pub(super) source_conditions: ReadConditions,
    pub(super) source_customer_key: Option<CustomerKey>,
    pub(super) source_expected_bucket_owner: Option<String>,
    pub(super) request_payer: bool,
    pub(super) expected_bucket_owner: Option<String>,
}

impl<S> UploadPartCopy<S> {
    /// Copies `source_key` in `source_bucket` into part `part_number`, 1 to 10,000, of the upload `upload_id` to `key`
    /// in `bucket`, sent by `sender`.
    pub fn new(
        sender: S,
        source_bucket: impl Into<String>,
        source_key: impl Into<String>,
        bucket: impl Into<String>,
        key: impl Into<String>,
        upload_id: impl Into<String>,
        part_number: u32,
    ) -> Self {
        Self {
            sender,
            bucket: bucket.into(),
            key: key.into(),
            upload_id: upload_id.into(),
            part_number,
            customer_key: None,
            source_bucket: source_bucket.into(),
            source_key: source_key.into(),
            source_version_id: None,
            source_range: None,
            source_conditions: ReadConditions::default(),
            source_customer_key: None,
            source_expected_bucket_owner: None,
            request_payer: false,
            expected_bucket_owner: None,
        }
    }

    /// Copies this version in place of the newest.
    pub fn source_version_id(mut self, version_id: impl Into<String>) -> Self {
        self.source_version_id = Some(version_id.into());
        self
    }

    /// Copies these bytes only, such as `0..5_242_880`. S3 takes a range only of a source over 5 MiB.
    pub fn source_range(mut self, range: Range<u64>) -> Self {
        self.source_range = Some(range);
        self
    }

    /// Copies only while the source's tag is this one; else
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn source_if_match(mut self, etag: impl Into<ETag>) -> Self {
        self.source_conditions.if_match = Some(etag.into());
        self
    }

    /// Copies only if the source's tag is another; else [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn source_if_none_match(mut self, etag: impl Into<ETag>) -> Self {
        self.source_conditions.if_none_match = Some(etag.into());
        self
    }

    /// Copies only if the source was written after `time` (to the second); else
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn source_if_modified_since(mut self, time: SystemTime) -> Self {
        self.source_conditions.if_modified_since = Some(time);
        self
    }

    /// Copies only if the source was not written after `time` (to the second); else
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn source_if_unmodified_since(mut self, time: SystemTime) -> Self {
        self.source_conditions.if_unmodified_since = Some(time);
        self
    }

    /// The key that the source is encrypted with (SSE-C).
    pub fn source_customer_key(mut self, key: CustomerKey) -> Self {
        self.source_customer_key = Some(key);
        self
    }

    /// Fails with [`AccessDenied`](crate::ErrorKind::AccessDenied) unless this account owns the source's bucket.
    pub fn source_expected_bucket_owner(mut self, account_id: impl Into<String>) -> Self {
        self.source_expected_bucket_owner = Some(account_id.into());
        self
    }

    /// The key that the upload began with (SSE-C).
    pub fn customer_key(mut self, key: CustomerKey) -> Self {
        self.customer_key = Some(key);
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

    fn apply_source(&self, request: &mut Request) -> Result<(), Error> {
        let source = copy_source(&self.source_bucket, &self.source_key, self.source_version_id.as_deref())?;
        request.header("x-amz-copy-source", &source)?;
        let range = self.source_range.clone().map(|range| ByteRange::from(range).to_header()).transpose()?;
        request.header_opt("x-amz-copy-source-range", range)?;
        self.source_conditions.apply_to_source(request)?;
        if let Some(key) = &self.source_customer_key {
            key.apply_to_source(request)?;
        }
        request.header_opt("x-amz-source-expected-bucket-owner", self.source_expected_bucket_owner.as_deref())
    }
}

/// A part that was copied; [`CompleteMultipartUpload`](super::CompleteMultipartUpload) takes it as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct UploadPartCopyOutput {
    /// The part, as [`UploadPart`](super::UploadPart) would have given it.
    pub part: UploadPartOutput,
    /// When it was copied.
    pub last_modified: Option<SystemTime>,
    /// The version that was copied; `None` where the source's bucket has no versions.
    pub copy_source_version_id: Option<String>,
}

impl<S: Send + 'static> Operation for UploadPartCopy<S> {
    const NAME: &'static str = "UploadPartCopy";
    type Output = UploadPartCopyOutput;

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), Some(&self.key))
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::object(Method::PUT, &self.bucket, &self.key)?;
        request.query("partNumber", elements::part_number(self.part_number)?.to_string());
        request.query("uploadId", elements::upload_id(&self.upload_id)?);
        self.apply_source(&mut request)?;
        if let Some(key) = &self.customer_key {
            key.apply(&mut request)?;
        }
        request.payer_and_owner(self.request_payer, self.expected_bucket_owner.as_deref())?;
        request.success = Success::DocumentBegunEarly;
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<UploadPartCopyOutput, Error> {
        let headers = Headers::of(response.headers());
        let mut part = UploadPartOutput::read(self.part_number, &headers);
        let mut last_modified = None;
        let mut scanner = Scanner::new(xml::text(response.body())?, "CopyPartResult")?;
        while let Some(name) = scanner.child()? {
            match name {
                "ETag" => part.etag = ETag::from(scanner.text()?.into_owned()),
                "LastModified" => last_modified = time::parse_iso8601(&scanner.text()?),
                other => part.checksum = elements::checksum(other, &mut scanner)?.or(part.checksum),
            }
        }
        let copy_source_version_id = headers.text("x-amz-copy-source-version-id");
        Ok(UploadPartCopyOutput { part: part.with_etag()?, last_modified, copy_source_version_id })
    }
}

impl<S: Sender> IntoFuture for UploadPartCopy<S> {
    type Output = Result<UploadPartCopyOutput, Error>;
    type IntoFuture = SendFuture<UploadPartCopyOutput>;

    fn into_future(self) -> Self::IntoFuture {
        self.sender.clone().send(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::checksum::ChecksumAlgorithm;
    use crate::new_object::tests::time;
    use crate::op::testing;

    fn copy(part_number: u32) -> UploadPartCopy {
        UploadPartCopy::new((), "source", "a?b/ü", "bucket", "key", "u+1", part_number)
    }

    #[test]
    fn every_parameter_reaches_the_request() {
        let request = copy(3)
            .source_version_id("v/1")
            .source_range(0..10)
            .source_if_match("\"e\"")
            .source_if_none_match("f")
            .source_if_modified_since(time())
            .source_if_unmodified_since(time())
            .source_customer_key(CustomerKey::new([1; 32]))
            .source_expected_bucket_owner("2")
            .customer_key(CustomerKey::new([7; 32]))
            .request_payer()
            .expected_bucket_owner("1")
            .request()
            .unwrap();
        assert_eq!((&request.method, request.bucket.as_deref()), (&Method::PUT, Some("bucket")));
        assert_eq!(request.key.as_deref(), Some("key"));
        assert_eq!(testing::query(&request), "partNumber=3 uploadId=u+1");
        let date = "Wed, 21 Oct 2026 07:28:00 GMT";
        for (name, value) in [
            ("x-amz-copy-source", "source/a%3Fb/%C3%BC?versionId=v%2F1"),
            ("x-amz-copy-source-range", "bytes=0-9"),
            ("x-amz-copy-source-if-match", "\"e\""),
            ("x-amz-copy-source-if-none-match", "\"f\""),
            ("x-amz-copy-source-if-modified-since", date),
            ("x-amz-copy-source-if-unmodified-since", date),
            ("x-amz-copy-source-server-side-encryption-customer-key", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="),
            ("x-amz-source-expected-bucket-owner", "2"),
            ("x-amz-server-side-encryption-customer-key", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="),
            ("x-amz-request-payer", "requester"),
            ("x-amz-expected-bucket-owner", "1"),
        ] {
            assert_eq!(request.headers[name], value, "{name}");
        }
        assert!(request.success == Success::DocumentBegunEarly);
    }

    #[test]
    fn what_cannot_be_copied_is_refused() {
        for (call, problem) in [
            (copy(0), "part number 0 is not between 1 and 10,000"),
            (copy(1).source_range(5..5), "the byte range is empty"),
            (UploadPartCopy::new((), "source", "key", "bucket", "key", "", 1), "the upload id is empty"),
            (UploadPartCopy::new((), "source", "", "bucket", "key", "u", 1), "the copy's source: the key is empty"),
        ] {
            let error = { call }.request().unwrap_err();
            assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::InvalidInput, problem));
        }
    }

    #[test]
    fn the_answer_is_read() {
        let mut answer = testing::answer(
            "<?xml version=\"1.0\"?>\n<CopyPartResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <LastModified>2026-10-21T07:28:00.000Z</LastModified><ETag>&quot;e&quot;</ETag>\
             <ChecksumCRC32>y/Q5Jg==</ChecksumCRC32></CopyPartResult>",
        );
        for (name, value) in [
            ("x-amz-copy-source-version-id", "v1"),
            ("x-amz-version-id", "v2"),
            ("x-amz-server-side-encryption", "AES256"),
            ("x-amz-request-charged", "requester"),
        ] {
            answer.headers_mut().insert(name, http::HeaderValue::from_static(value));
        }
        let UploadPartCopyOutput { part, last_modified, copy_source_version_id } = copy(3).response(answer).unwrap();
        assert_eq!((part.part_number, part.etag.as_str()), (3, "\"e\""));
        assert_eq!(part.checksum, Some(ChecksumAlgorithm::Crc32.checksum(b"123456789")));
        assert_eq!(part.encryption.unwrap().algorithm, "AES256");
        assert_eq!((part.version_id.as_deref(), part.request_charged), (Some("v2"), true));
        assert_eq!((last_modified, copy_source_version_id.as_deref()), (Some(time()), Some("v1")));
    }

    #[test]
    fn an_answer_without_a_tag_is_an_error() {
        let error = copy(3).response(testing::answer("<CopyPartResult></CopyPartResult>")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedResponse);
    }
}
