//! CompleteMultipartUpload.

use std::future::IntoFuture;

use bytes::Bytes;
use http::Method;

use super::CompletedPart;
use super::completed_part::write_parts;
use super::elements::{self, some_text};
use crate::checksum::{Checksum, ChecksumType};
use crate::condition::WriteCondition;
use crate::headers::Headers;
use crate::operation::{Operation, Request, SendFuture, Sender, Success};
use crate::xml::{self, Scanner};
use crate::{Body, CustomerKey, ETag, EncryptionInfo, Error};

/// Makes an object of the parts of a multipart upload: one CompleteMultipartUpload request.
///
/// Name every part that belongs to the object; parts that are not named are dropped. The server may take minutes to
/// answer. The object appears whole or not at all, and replaces what was there unless a condition forbids it.
///
/// # Errors
/// [`NoSuchUpload`](crate::ErrorKind::NoSuchUpload) once it is completed or aborted,
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) without parts, for two parts of one number, and where S3 does not
/// know a part or finds it too small,
/// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed) where a condition does not hold,
/// [`ConditionalRequestConflict`](crate::ErrorKind::ConditionalRequestConflict) where the object was changed meanwhile: S3 wants a new upload then,
/// [`BadDigest`](crate::ErrorKind::BadDigest) where the checksum is not that of the parts.
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct CompleteMultipartUpload<S = ()> {
    sender: S,
    bucket: String,
    key: String,
    upload_id: String,
    parts: Vec<CompletedPart>,
    checksum: Option<Checksum>,
    checksum_type: Option<ChecksumType>,
    object_size: Option<u64>,
    pub(super) condition: WriteCondition,
    pub(super) customer_key: Option<CustomerKey>,
    pub(super) request_payer: bool,
    pub(super) expected_bucket_owner: Option<String>,
}

impl<S> CompleteMultipartUpload<S> {
    /// Completes the upload `upload_id` to `key` in `bucket`, sent by `sender`.
    pub fn new(sender: S, bucket: impl Into<String>, key: impl Into<String>, upload_id: impl Into<String>) -> Self {
        Self {
            sender,
            bucket: bucket.into(),
            key: key.into(),
            upload_id: upload_id.into(),
            parts: Vec::new(),
            checksum: None,
            checksum_type: None,
            object_size: None,
            condition: WriteCondition::default(),
            customer_key: None,
            request_payer: false,
            expected_bucket_owner: None,
        }
    }

    /// Adds a part: what [`UploadPart`](super::UploadPart), [`UploadPartCopy`](super::UploadPartCopy) or
    /// [`ListParts`](super::ListParts) gave, or a number and a tag. The order does not matter: parts are sent by their
    /// numbers, as S3 wants them.
    pub fn part(mut self, part: impl Into<CompletedPart>) -> Self {
        self.parts.push(part.into());
        self
    }

    /// Adds parts, in any order.
    pub fn parts<P: Into<CompletedPart>>(mut self, parts: impl IntoIterator<Item = P>) -> Self {
        self.parts.extend(parts.into_iter().map(Into::into));
        self
    }

    /// The checksum that the whole object must have.
    pub fn checksum_value(mut self, checksum: Checksum) -> Self {
        self.checksum = Some(checksum);
        self
    }

    /// Whether the object's checksum covers its bytes or the parts' checksums: as the upload began.
    pub fn checksum_type(mut self, checksum_type: ChecksumType) -> Self {
        self.checksum_type = Some(checksum_type);
        self
    }

    /// The size in bytes that the whole object must have (`x-amz-mp-object-size`).
    pub fn object_size(mut self, bytes: u64) -> Self {
        self.object_size = Some(bytes);
        self
    }

    /// Writes only over the object with this tag; else [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn if_match(mut self, etag: impl Into<ETag>) -> Self {
        self.condition = WriteCondition::IfMatch(etag.into());
        self
    }

    /// Writes only where there is no object yet; else [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn if_absent(mut self) -> Self {
        self.condition = WriteCondition::IfAbsent;
        self
    }

    /// The key that the upload began with (SSE-C), where it has a checksum.
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
}

/// An object that was made of parts.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct CompleteMultipartUploadOutput {
    /// The object's URL, as the server sees it.
    pub location: Option<String>,
    /// The new entity tag; empty where the server sent none.
    pub etag: ETag,
    /// The new version; `None` where the bucket has no versions.
    pub version_id: Option<String>,
    /// The checksum that S3 keeps.
    pub checksum: Option<Checksum>,
    /// Whether the checksum covers the object's bytes or its parts' checksums.
    pub checksum_type: Option<ChecksumType>,
    /// Which lifecycle rule will remove it, and when, as sent (`x-amz-expiration`).
    pub expiration: Option<String>,
    /// How the object is encrypted at rest.
    pub encryption: Option<EncryptionInfo>,
    /// Whether the requester was charged.
    pub request_charged: bool,
}

impl<S: Send + 'static> Operation for CompleteMultipartUpload<S> {
    const NAME: &'static str = "CompleteMultipartUpload";
    type Output = CompleteMultipartUploadOutput;

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), Some(&self.key))
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::object(Method::POST, &self.bucket, &self.key)?;
        request.query("uploadId", elements::upload_id(&self.upload_id)?);
        if let Some(checksum) = &self.checksum {
            request.header(checksum.algorithm().header_name(), &checksum.to_string())?;
        }
        request.header_opt("x-amz-checksum-type", self.checksum_type.map(ChecksumType::as_str))?;
        request.header_opt("x-amz-mp-object-size", self.object_size.map(|size| size.to_string()))?;
        self.condition.apply(&mut request)?;
        if let Some(key) = &self.customer_key {
            key.apply(&mut request)?;
        }
        request.payer_and_owner(self.request_payer, self.expected_bucket_owner.as_deref())?;
        self.parts.sort_by_key(|part| part.part_number);
        request.body = Body::bytes(write_parts(&self.parts)?);
        request.success = Success::DocumentBegunEarly;
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<CompleteMultipartUploadOutput, Error> {
        read_object(&Headers::of(response.headers()), xml::text(response.body())?)
    }
}

impl<S: Sender> IntoFuture for CompleteMultipartUpload<S> {
    type Output = Result<CompleteMultipartUploadOutput, Error>;
    type IntoFuture = SendFuture<CompleteMultipartUploadOutput>;

    fn into_future(self) -> Self::IntoFuture {
        self.sender.clone().send(self)
    }
}

fn read_object(headers: &Headers<'_>, document: &str) -> Result<CompleteMultipartUploadOutput, Error> {
    let mut output = CompleteMultipartUploadOutput {
        version_id: headers.text("x-amz-version-id"),
        expiration: headers.text("x-amz-expiration"),
        encryption: EncryptionInfo::read(headers),
        request_charged: headers.request_charged(),
        ..CompleteMultipartUploadOutput::default()
    };
    let mut scanner = Scanner::new(document, "CompleteMultipartUploadResult")?;
    while let Some(name) = scanner.child()? {
        match name {
            "Location" => output.location = some_text(&mut scanner)?,
            "ETag" => output.etag = ETag::from(scanner.text()?.into_owned()),
            "ChecksumType" => output.checksum_type = scanner.text()?.parse().ok(),
            other => output.checksum = elements::checksum(other, &mut scanner)?.or(output.checksum),
        }
    }
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::checksum::ChecksumAlgorithm;
    use crate::op::testing;

    fn complete() -> CompleteMultipartUpload {
        CompleteMultipartUpload::new((), "bucket", "key", "u+1")
    }

    #[test]
    fn every_parameter_reaches_the_request() {
        let request = complete()
            .part((1, "\"e1\""))
            .checksum_value(ChecksumAlgorithm::Crc32.checksum(b"123456789"))
            .checksum_type(ChecksumType::FullObject)
            .object_size(9)
            .if_match("e")
            .customer_key(CustomerKey::new([7; 32]))
            .request_payer()
            .expected_bucket_owner("1")
            .request()
            .unwrap();
        assert_eq!((&request.method, request.key.as_deref()), (&Method::POST, Some("key")));
        assert_eq!(testing::query(&request), "uploadId=u+1");
        for (name, value) in [
            ("x-amz-checksum-crc32", "y/Q5Jg=="),
            ("x-amz-checksum-type", "FULL_OBJECT"),
            ("x-amz-mp-object-size", "9"),
            ("if-match", "\"e\""),
            ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
            ("x-amz-request-payer", "requester"),
            ("x-amz-expected-bucket-owner", "1"),
        ] {
            assert_eq!(request.headers[name], value, "{name}");
        }
        // S3 wants a new upload after a conflict, and may take minutes to answer.
        assert!(request.success == Success::DocumentBegunEarly && !request.retry_conflict);
        let request = complete().part((1, "e")).if_absent().request().unwrap();
        assert_eq!(request.headers["if-none-match"], "*");
    }

    #[test]
    fn parts_are_sent_by_their_numbers() {
        let request = complete().parts([(10, "\"e10\""), (2, "\"e2\"")]).part((1, "e1")).request().unwrap();
        assert_eq!(
            testing::document(request),
            "<CompleteMultipartUpload>\
             <Part><PartNumber>1</PartNumber><ETag>e1</ETag></Part>\
             <Part><PartNumber>2</PartNumber><ETag>\"e2\"</ETag></Part>\
             <Part><PartNumber>10</PartNumber><ETag>\"e10\"</ETag></Part></CompleteMultipartUpload>"
        );
    }

    #[test]
    fn what_cannot_be_completed_is_refused() {
        for (call, problem) in [
            (complete(), "an upload cannot be completed without parts; abort it instead"),
            (complete().parts([(2, "a"), (1, "b"), (2, "c")]), "there are two parts of number 2"),
            (complete().part((1, "")), "part 1 has no ETag"),
            (complete().part((0, "a")), "part number 0 is not between 1 and 10,000"),
            (CompleteMultipartUpload::new((), "bucket", "key", "").part((1, "a")), "the upload id is empty"),
        ] {
            let error = { call }.request().unwrap_err();
            assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::InvalidInput, problem));
        }
    }

    #[test]
    fn the_answer_is_read_behind_the_white_space_that_keeps_it_alive() {
        let mut answer = testing::answer(
            "<?xml version=\"1.0\"?>\n   \n<CompleteMultipartUploadResult \
             xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Location>http://s3/bucket/key</Location>\
             <Bucket>bucket</Bucket><Key>key</Key><ETag>&quot;e-2&quot;</ETag>\
             <ChecksumSHA256>ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=-2</ChecksumSHA256>\
             <ChecksumType>COMPOSITE</ChecksumType></CompleteMultipartUploadResult>",
        );
        for (name, value) in [
            ("x-amz-version-id", "v"),
            ("x-amz-expiration", "rule"),
            ("x-amz-server-side-encryption", "AES256"),
            ("x-amz-request-charged", "requester"),
        ] {
            answer.headers_mut().insert(name, http::HeaderValue::from_static(value));
        }
        let output = complete().response(answer).unwrap();
        assert_eq!(output.location.as_deref(), Some("http://s3/bucket/key"));
        assert_eq!((output.etag.as_str(), output.version_id.as_deref()), ("\"e-2\"", Some("v")));
        assert_eq!(output.checksum.unwrap().part_count(), Some(2));
        assert_eq!(output.checksum_type, Some(ChecksumType::Composite));
        assert_eq!(output.expiration.as_deref(), Some("rule"));
        assert_eq!(output.encryption.unwrap().algorithm, "AES256");
        assert!(output.request_charged);
    }

    #[test]
    fn a_success_that_carries_an_error_is_no_object() {
        let answer = testing::answer("\n<Error><Code>InternalError</Code><Message>No.</Message></Error>");
        assert!(complete().response(answer).is_err());
        assert!(complete().response(testing::answer("")).is_err());
    }
}
