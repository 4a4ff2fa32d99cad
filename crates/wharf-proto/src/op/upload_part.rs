//! UploadPart.

use std::future::IntoFuture;
use std::time::Duration;

use bytes::Bytes;
use http::Method;

use super::elements;
use crate::body::{Body, IntoBody};
use crate::checksum::{Checksum, ChecksumAlgorithm};
use crate::headers::Headers;
use crate::operation::{ChecksumPolicy, Operation, Presigned, Request, SendFuture, Sender, SentChecksum};
use crate::{CustomerKey, ETag, EncryptionInfo, Error, ErrorKind};

/// Stores one part of a multipart upload: one UploadPart request.
///
/// A part has at least 5 MiB, except the last, and at most 5 GiB. Parts may be uploaded in any order and at the same
/// time; a part of the same number is replaced. What comes back is what
/// [`CompleteMultipartUpload`](super::CompleteMultipartUpload) needs to know of the part.
///
/// # Errors
/// [`NoSuchUpload`](crate::ErrorKind::NoSuchUpload) once it is completed or aborted,
/// [`BadDigest`](crate::ErrorKind::BadDigest) where what arrived is not what was sent,
/// [`AccessDenied`](crate::ErrorKind::AccessDenied), [`InvalidInput`](crate::ErrorKind::InvalidInput) for a part number
/// outside 1 to 10,000.
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug)]
pub struct UploadPart<S = ()> {
    sender: S,
    bucket: String,
    key: String,
    upload_id: String,
    part_number: u32,
    body: Body,
    checksum: ChecksumPolicy,
    content_md5: Option<String>,
    pub(super) customer_key: Option<CustomerKey>,
    pub(super) request_payer: bool,
    pub(super) expected_bucket_owner: Option<String>,
}

impl<S> UploadPart<S> {
    /// Stores `body` as part `part_number`, 1 to 10,000, of the upload `upload_id` to `key` in `bucket`, sent by
    /// `sender`. The body's content type is not sent: the object's was given when the upload began.
    pub fn new(
        sender: S,
        bucket: impl Into<String>,
        key: impl Into<String>,
        upload_id: impl Into<String>,
        part_number: u32,
        body: impl IntoBody,
    ) -> Self {
        let key = key.into();
        Self {
            sender,
            bucket: bucket.into(),
            body: body.into_body(&key),
            key,
            upload_id: upload_id.into(),
            part_number,
            checksum: ChecksumPolicy::Default,
            content_md5: None,
            customer_key: None,
            request_payer: false,
            expected_bucket_owner: None,
        }
    }

    /// Has the part checked by this algorithm, in place of the client's default. It must be the one that the upload
    /// began with.
    pub fn checksum(mut self, algorithm: ChecksumAlgorithm) -> Self {
        self.checksum = ChecksumPolicy::Algorithm(algorithm);
        self
    }

    /// Has the part checked by this algorithm, computed while a file's bytes go out, so that they are read once. What
    /// was computed is the output's [`sent_checksum`](UploadPartOutput::sent_checksum).
    ///
    /// Where neither a trailer nor the answer carries the checksum, nobody has compared it: then the whole object's,
    /// made of those of the parts, should go with the CompleteMultipartUpload.
    pub fn checksum_while_sending(mut self, algorithm: ChecksumAlgorithm) -> Self {
        self.checksum = ChecksumPolicy::WhileSending(algorithm);
        self
    }

    /// Has the part checked against a checksum that is known already.
    pub fn checksum_value(mut self, checksum: Checksum) -> Self {
        self.checksum = ChecksumPolicy::Value(checksum);
        self
    }

    /// Sends no checksum.
    pub fn no_checksum(mut self) -> Self {
        self.checksum = ChecksumPolicy::Off;
        self
    }

    /// Has the part checked against its MD5, given in base64 (`Content-MD5`), in place of the default checksum. MD5 is
    /// never computed unless asked for:
    /// see [`md5_base64`](crate::checksum::md5_base64).
    pub fn content_md5(mut self, base64: impl Into<String>) -> Self {
        self.content_md5 = Some(base64.into());
        if self.checksum == ChecksumPolicy::Default {
            self.checksum = ChecksumPolicy::Off;
        }
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

    fn without_body(mut self) -> Result<Self, Error> {
        self.body = Body::empty();
        self.checksum = elements::presigned_checksum(self.checksum)
            .map_err(|error| error.at("UploadPart", Some(&self.bucket), Some(&self.key)))?;
        Ok(self)
    }
}

impl<S: Sender> UploadPart<S> {
    /// Signs this part into a URL to which anybody may upload for `expires_in`, at most 7 days.
    ///
    /// The bytes come from whoever uses the URL, so the body given to this call is left out, and so is the checksum
    /// that would follow from it. What was set on the call is signed and must be sent. Whoever completes the upload
    /// needs the `ETag` of the answer.
    ///
    /// Begin the upload with [`no_checksum`](super::CreateMultipartUpload::no_checksum): where a checksum of the parts was announced,
    /// which is the default, some servers (Garage, MinIO) refuse a part without it.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) over 7 days, under a second, for what cannot be sent, and for a
    /// checksum algorithm without a value.
    pub fn presign(self, expires_in: Duration) -> SendFuture<Presigned> {
        let sender = self.sender.clone();
        match self.without_body() {
            Ok(operation) => sender.presign(operation, expires_in),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }
}

/// A part that was stored; [`CompleteMultipartUpload`](super::CompleteMultipartUpload) takes it as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct UploadPartOutput {
    /// Its number.
    pub part_number: u32,
    /// Its entity tag.
    pub etag: ETag,
    /// The checksum that S3 keeps of it.
    pub checksum: Option<Checksum>,
    /// The checksum of the bytes that were sent, where [`checksum`](UploadPart::checksum) or
    /// [`checksum_while_sending`](UploadPart::checksum_while_sending) had it computed.
    pub sent_checksum: Option<Checksum>,
    /// How it is encrypted at rest.
    pub encryption: Option<EncryptionInfo>,
    /// The version that the object will be, where the server says so.
    pub version_id: Option<String>,
    /// Whether the requester was charged.
    pub request_charged: bool,
}

impl UploadPartOutput {
    /// Reads what UploadPart and UploadPartCopy say in headers; the tag and checksum of a copy are in its document.
    pub(super) fn read(part_number: u32, headers: &Headers<'_>) -> Self {
        Self {
            part_number,
            etag: headers.etag(),
            checksum: headers.checksum(),
            sent_checksum: None,
            encryption: EncryptionInfo::read(headers),
            version_id: headers.text("x-amz-version-id"),
            request_charged: headers.request_charged(),
        }
    }

    /// Refuses a part without a tag: the upload could never be completed.
    pub(super) fn with_etag(self) -> Result<Self, Error> {
        if self.etag.is_empty() {
            let problem = "the answer has no ETag, and without it the upload cannot be completed";
            return Err(Error::new(ErrorKind::MalformedResponse, problem));
        }
        Ok(self)
    }
}

impl<S: Send + 'static> Operation for UploadPart<S> {
    const NAME: &'static str = "UploadPart";
    type Output = UploadPartOutput;

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), Some(&self.key))
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::object(Method::PUT, &self.bucket, &self.key)?;
        request.query("partNumber", elements::part_number(self.part_number)?.to_string());
        request.query("uploadId", elements::upload_id(&self.upload_id)?);
        request.body = std::mem::take(&mut self.body);
        request.checksum = self.checksum.clone();
        request.header_opt("content-md5", self.content_md5.as_deref())?;
        if let Some(key) = &self.customer_key {
            key.apply(&mut request)?;
        }
        request.payer_and_owner(self.request_payer, self.expected_bucket_owner.as_deref())?;
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<UploadPartOutput, Error> {
        let sent_checksum = response.extensions().get().map(|SentChecksum(sent)| *sent);
        let read = UploadPartOutput::read(self.part_number, &Headers::of(response.headers()));
        UploadPartOutput { sent_checksum, ..read }.with_etag()
    }
}

impl<S: Sender> IntoFuture for UploadPart<S> {
    type Output = Result<UploadPartOutput, Error>;
    type IntoFuture = SendFuture<UploadPartOutput>;

    fn into_future(self) -> Self::IntoFuture {
        self.sender.clone().send(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Source;
    use crate::op::testing;

    fn part(part_number: u32) -> UploadPart {
        UploadPart::new((), "bucket", "key", "u+1", part_number, "text")
    }

    #[test]
    fn every_parameter_reaches_the_request() {
        let request = part(10_000)
            .checksum(ChecksumAlgorithm::Sha1)
            .content_md5("CY9rzUYh03PK3k6DJie09g==")
            .customer_key(CustomerKey::new([7; 32]))
            .request_payer()
            .expected_bucket_owner("1")
            .request()
            .unwrap();
        assert_eq!((&request.method, request.key.as_deref()), (&Method::PUT, Some("key")));
        assert_eq!(testing::query(&request), "partNumber=10000 uploadId=u+1");
        for (name, value) in [
            ("content-md5", "CY9rzUYh03PK3k6DJie09g=="),
            ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
            ("x-amz-request-payer", "requester"),
            ("x-amz-expected-bucket-owner", "1"),
        ] {
            assert_eq!(request.headers[name], value, "{name}");
        }
        // The text's own content type is not the object's.
        assert!(!request.headers.contains_key("content-type"));
        assert_eq!(request.checksum, ChecksumPolicy::Algorithm(ChecksumAlgorithm::Sha1));
        assert!(matches!(request.body.into_source(), Ok(Source::Bytes(bytes)) if bytes == "text"));
    }

    #[test]
    fn a_part_has_the_default_checksum_a_known_one_or_none() {
        let known = ChecksumAlgorithm::Crc32.checksum(b"text");
        assert_eq!(part(1).request().unwrap().checksum, ChecksumPolicy::Default);
        assert_eq!(part(1).checksum_value(known).request().unwrap().checksum, ChecksumPolicy::Value(known));
        let while_sending = ChecksumPolicy::WhileSending(ChecksumAlgorithm::Crc32);
        let crc32 = part(1).checksum_while_sending(ChecksumAlgorithm::Crc32).request().unwrap().checksum;
        assert_eq!(crc32, while_sending);
        assert_eq!(part(1).no_checksum().request().unwrap().checksum, ChecksumPolicy::Off);
    }

    #[test]
    fn a_number_that_no_part_has_is_refused() {
        for number in [0, 10_001] {
            let error = part(number).request().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert_eq!(error.to_string(), format!("part number {number} is not between 1 and 10,000"));
        }
        // Without an id the part would replace the object.
        let error = UploadPart::new((), "bucket", "key", "", 1, "text").request().unwrap_err();
        assert_eq!(error.to_string(), "the upload id is empty");
    }

    #[test]
    fn only_what_was_set_is_presigned() {
        let request = part(1).without_body().unwrap().request().unwrap();
        assert!(request.headers.is_empty());
        assert_eq!(request.checksum, ChecksumPolicy::Off);
        assert!(matches!(request.body.into_source(), Ok(Source::Empty)));
        let known = ChecksumAlgorithm::Crc32.checksum(b"text");
        let request = part(1).checksum_value(known).without_body().unwrap().request().unwrap();
        assert_eq!(request.checksum, ChecksumPolicy::Value(known));
        let error = part(1).checksum(ChecksumAlgorithm::Crc32).without_body().unwrap_err();
        assert_eq!(
            error.to_string(),
            "UploadPart bucket/key: a presigned upload has no body to compute its CRC32 from; give the \
             checksum_value, or none"
        );
    }

    #[test]
    fn the_answer_is_read() {
        let answer = testing::headers(&[
            ("etag", "\"e\""),
            ("x-amz-checksum-crc32", "y/Q5Jg=="),
            ("x-amz-server-side-encryption", "AES256"),
            ("x-amz-version-id", "v"),
            ("x-amz-request-charged", "requester"),
        ]);
        let output = part(3).response(answer).unwrap();
        assert_eq!((output.part_number, output.etag.as_str()), (3, "\"e\""));
        assert_eq!(output.checksum, Some(ChecksumAlgorithm::Crc32.checksum(b"123456789")));
        assert_eq!(output.encryption.unwrap().algorithm, "AES256");
        assert_eq!((output.version_id.as_deref(), output.request_charged), (Some("v"), true));
        assert_eq!(output.sent_checksum, None);
        let sent = ChecksumAlgorithm::Crc64Nvme.checksum(b"text");
        let mut answer = testing::headers(&[("etag", "\"e\"")]);
        answer.extensions_mut().insert(SentChecksum(sent));
        assert_eq!(part(3).response(answer).unwrap().sent_checksum, Some(sent));
    }

    #[test]
    fn an_answer_without_a_tag_is_an_error() {
        let error = part(3).response(testing::headers(&[])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedResponse);
    }
}
