//! CreateMultipartUpload.

use std::future::IntoFuture;
use std::time::SystemTime;

use bytes::Bytes;
use http::Method;

use super::elements::some_text;
use crate::checksum::{ChecksumAlgorithm, ChecksumType};
use crate::headers::Headers;
use crate::new_object::{EventHoldDuration, NewObject};
use crate::operation::{ChecksumPolicy, Operation, Request, SendFuture, Sender, Success};
use crate::storage::{CannedAcl, Grantee, ObjectLockMode, StorageClass, Tag};
use crate::xml::{self, Scanner};
use crate::{Encryption, EncryptionInfo, Error, ErrorKind};

/// Begins an upload in parts: one CreateMultipartUpload request.
///
/// All that is said about the object is said here. Then [`UploadPart`](super::UploadPart) and
/// [`UploadPartCopy`](super::UploadPartCopy) store its parts, and
/// [`CompleteMultipartUpload`](super::CompleteMultipartUpload) makes the object of them. Until it is completed or
/// aborted, an upload and its parts cost storage.
///
/// # Errors
/// [`NoSuchBucket`](crate::ErrorKind::NoSuchBucket), [`AccessDenied`](crate::ErrorKind::AccessDenied),
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) for metadata over 2 KB or with line breaks, and for a checksum type
/// that the algorithm does not have.
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct CreateMultipartUpload<S = ()> {
    sender: S,
    bucket: String,
    key: String,
    pub(super) object: NewObject,
    checksum: ChecksumPolicy,
    checksum_type: Option<ChecksumType>,
    pub(super) request_payer: bool,
    pub(super) expected_bucket_owner: Option<String>,
}

impl<S> CreateMultipartUpload<S> {
    /// Begins an upload to `key` in `bucket`, sent by `sender`.
    pub fn new(sender: S, bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            sender,
            bucket: bucket.into(),
            key: key.into(),
            object: NewObject::default(),
            checksum: ChecksumPolicy::Announce,
            checksum_type: None,
            request_payer: false,
            expected_bucket_owner: None,
        }
    }

    /// The media type. The parts' bodies have no say in it.
    pub fn content_type(mut self, value: impl Into<String>) -> Self {
        self.object.content_type = Some(value.into());
        self
    }

    /// Codings that a reader must undo, such as `gzip`.
    pub fn content_encoding(mut self, value: impl Into<String>) -> Self {
        self.object.content_encoding = Some(value.into());
        self
    }

    /// How a browser shall present it, such as `attachment; filename="report.csv"`.
    pub fn content_disposition(mut self, value: impl Into<String>) -> Self {
        self.object.content_disposition = Some(value.into());
        self
    }

    /// The language of the content.
    pub fn content_language(mut self, value: impl Into<String>) -> Self {
        self.object.content_language = Some(value.into());
        self
    }

    /// What caches may do.
    pub fn cache_control(mut self, value: impl Into<String>) -> Self {
        self.object.cache_control = Some(value.into());
        self
    }

    /// Until when caches may keep it.
    pub fn expires(mut self, time: SystemTime) -> Self {
        self.object.expires = Some(time);
        self
    }

    /// Adds a metadata entry (`x-amz-meta-*`): see [`Metadata`](crate::Metadata).
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.object.add_metadata(name, value);
        self
    }

    /// Adds a tag; an object has at most 10.
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.object.tags.push(Tag { key: key.into(), value: value.into() });
        self
    }

    /// The storage class, in place of `STANDARD`.
    pub fn storage_class(mut self, class: StorageClass) -> Self {
        self.object.storage_class = Some(class);
        self
    }

    /// How the object is encrypted at rest, in place of the bucket's own setting. With a customer's key, each part
    /// needs it again.
    pub fn encryption(mut self, encryption: Encryption) -> Self {
        self.object.encryption = Some(encryption);
        self
    }

    /// A canned ACL.
    pub fn acl(mut self, acl: CannedAcl) -> Self {
        self.object.acl = Some(acl);
        self
    }

    /// Lets somebody read and write the object and its ACL. May be called for several.
    pub fn grant_full_control(mut self, grantee: Grantee) -> Self {
        self.object.grant_full_control.push(grantee);
        self
    }

    /// Lets somebody read the object. May be called for several.
    pub fn grant_read(mut self, grantee: Grantee) -> Self {
        self.object.grant_read.push(grantee);
        self
    }

    /// Lets somebody read the object's ACL. May be called for several.
    pub fn grant_read_acp(mut self, grantee: Grantee) -> Self {
        self.object.grant_read_acp.push(grantee);
        self
    }

    /// Lets somebody write the object's ACL. May be called for several.
    pub fn grant_write_acp(mut self, grantee: Grantee) -> Self {
        self.object.grant_write_acp.push(grantee);
        self
    }

    /// Locks the version until then, in a bucket with object lock.
    pub fn object_lock(mut self, mode: ObjectLockMode, until: SystemTime) -> Self {
        self.object.object_lock = Some((mode, until));
        self
    }

    /// Puts a legal hold on the version, or none: it cannot be deleted while the hold is on.
    pub fn legal_hold(mut self, on: bool) -> Self {
        self.object.legal_hold = Some(on);
        self
    }

    /// Puts an event hold on the version, or none.
    pub fn event_hold(mut self, on: bool) -> Self {
        self.object.event_hold = Some(on);
        self
    }

    /// How long the version stays locked after its event hold.
    pub fn event_hold_duration(mut self, duration: EventHoldDuration) -> Self {
        self.object.event_hold_duration = Some(duration);
        self
    }

    /// Where a website's reader is sent: a key that begins with `/`, or a URL.
    pub fn website_redirect_location(mut self, location: impl Into<String>) -> Self {
        self.object.website_redirect_location = Some(location.into());
        self
    }

    /// The algorithm that every part will be checked by, in place of the client's default.
    pub fn checksum_algorithm(mut self, algorithm: ChecksumAlgorithm) -> Self {
        self.checksum = ChecksumPolicy::Algorithm(algorithm);
        self
    }

    /// Announces no checksum for the parts, as for those that others send by [links](super::UploadPart::presign). S3 may still
    /// compute one of its own.
    pub fn no_checksum(mut self) -> Self {
        self.checksum = ChecksumPolicy::Off;
        self
    }

    /// Whether the object's checksum shall cover its bytes or the parts' checksums. By default it is what S3 has for an
    /// algorithm that the call names: the bytes for CRC64NVME, the parts for the others. The client's own algorithm, where
    /// the call names none, is announced for the bytes if it can cover them: CRC64NVME, CRC32 and CRC32C can.
    pub fn checksum_type(mut self, checksum_type: ChecksumType) -> Self {
        self.checksum_type = Some(checksum_type);
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

    /// An algorithm that the caller named is a header like any other; the client's own default is left to the sender.
    fn apply_checksum(&self, request: &mut Request) -> Result<(), Error> {
        match (&self.checksum, self.checksum_type) {
            (ChecksumPolicy::Algorithm(algorithm), Some(kind)) if !algorithm.supports(kind) => {
                let problem = format!("S3 has no {kind} checksum of a multipart upload with {algorithm}");
                return Err(Error::invalid_input(problem));
            }
            (ChecksumPolicy::Algorithm(algorithm), _) => {
                request.header("x-amz-checksum-algorithm", algorithm.as_str())?;
            }
            (ChecksumPolicy::Announce, Some(ChecksumType::Composite)) => {
                let problem = "a composite checksum needs its algorithm named, with checksum_algorithm()";
                return Err(Error::invalid_input(problem));
            }
            (policy, _) => request.checksum = policy.clone(),
        }
        request.header_opt("x-amz-checksum-type", self.checksum_type.map(ChecksumType::as_str))
    }
}

/// An upload that was begun.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct CreateMultipartUploadOutput {
    /// The id that all that follows must name.
    pub upload_id: String,
    /// The bucket, as the call named it.
    pub bucket: String,
    /// The key, as the call named it.
    pub key: String,
    /// How the object will be encrypted at rest.
    pub encryption: Option<EncryptionInfo>,
    /// The algorithm that the parts are checked by.
    pub checksum_algorithm: Option<ChecksumAlgorithm>,
    /// Whether the object's checksum will cover its bytes or the parts' checksums.
    pub checksum_type: Option<ChecksumType>,
    /// When a lifecycle rule will abort the upload.
    pub abort_date: Option<SystemTime>,
    /// The id of that rule.
    pub abort_rule_id: Option<String>,
    /// The version that the object will be, where the server says so.
    pub version_id: Option<String>,
    /// Whether the requester was charged.
    pub request_charged: bool,
}

impl<S: Send + 'static> Operation for CreateMultipartUpload<S> {
    const NAME: &'static str = "CreateMultipartUpload";
    type Output = CreateMultipartUploadOutput;

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), Some(&self.key))
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::object(Method::POST, &self.bucket, &self.key)?;
        request.success = Success::Document;
        request.subresource("uploads");
        self.object.apply(&mut request)?;
        self.apply_checksum(&mut request)?;
        request.payer_and_owner(self.request_payer, self.expected_bucket_owner.as_deref())?;
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<CreateMultipartUploadOutput, Error> {
        let upload_id = read_upload_id(xml::text(response.body())?)?;
        let (bucket, key) = (self.bucket.clone(), self.key.clone());
        Ok(CreateMultipartUploadOutput { upload_id, bucket, key, ..read_headers(&Headers::of(response.headers())) })
    }
}

impl<S: Sender> IntoFuture for CreateMultipartUpload<S> {
    type Output = Result<CreateMultipartUploadOutput, Error>;
    type IntoFuture = SendFuture<CreateMultipartUploadOutput>;

    fn into_future(self) -> Self::IntoFuture {
        self.sender.clone().send(self)
    }
}

fn read_headers(headers: &Headers<'_>) -> CreateMultipartUploadOutput {
    CreateMultipartUploadOutput {
        encryption: EncryptionInfo::read(headers),
        checksum_algorithm: headers.parsed("x-amz-checksum-algorithm"),
        checksum_type: headers.parsed("x-amz-checksum-type"),
        abort_date: headers.http_date("x-amz-abort-date"),
        abort_rule_id: headers.text("x-amz-abort-rule-id"),
        version_id: headers.text("x-amz-version-id"),
        request_charged: headers.request_charged(),
        ..CreateMultipartUploadOutput::default()
    }
}

fn read_upload_id(document: &str) -> Result<String, Error> {
    let mut upload_id = None;
    // Not all servers call it InitiateMultipartUploadResult; the id is what counts.
    let mut scanner = Scanner::any_root(document)?;
    while let Some(name) = scanner.child()? {
        match name {
            "UploadId" => upload_id = some_text(&mut scanner)?,
            _ => scanner.skip()?,
        }
    }
    upload_id.ok_or_else(|| Error::new(ErrorKind::MalformedResponse, "the answer names no upload id"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::new_object::tests::{assert_everything, time};
    use crate::op::testing;

    #[test]
    fn every_parameter_reaches_the_request() {
        let mut call = CreateMultipartUpload::new((), "bucket", "a//b")
            .content_type("text/csv")
            .content_encoding("gzip")
            .content_disposition("attachment")
            .content_language("de")
            .cache_control("no-store")
            .expires(time())
            .metadata("team", "blue")
            .tag("k 1", "a/b")
            .tag("k2", "")
            .storage_class(StorageClass::GlacierIr)
            .encryption(Encryption::Kms(crate::KmsKey::id("key")))
            .acl(CannedAcl::PublicRead)
            .grant_full_control(Grantee::Id("1".to_owned()))
            .grant_read(Grantee::Id("1".to_owned()))
            .grant_read(Grantee::Uri("u".to_owned()))
            .grant_read_acp(Grantee::Id("2".to_owned()))
            .grant_write_acp(Grantee::EmailAddress("a@b.c".to_owned()))
            .object_lock(ObjectLockMode::Governance, time())
            .legal_hold(true)
            .event_hold(false)
            .event_hold_duration(EventHoldDuration::Days(30))
            .website_redirect_location("/other")
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .checksum_type(ChecksumType::Composite)
            .request_payer()
            .expected_bucket_owner("1");
        let request = call.request().unwrap();
        assert_eq!((&request.method, request.key.as_deref()), (&Method::POST, Some("a//b")));
        assert_eq!(testing::query(&request), "uploads");
        assert_everything(&request.headers);
        for (name, value) in [
            ("x-amz-checksum-algorithm", "CRC32"),
            ("x-amz-checksum-type", "COMPOSITE"),
            ("x-amz-request-payer", "requester"),
            ("x-amz-expected-bucket-owner", "1"),
        ] {
            assert_eq!(request.headers[name], value, "{name}");
        }
        assert_eq!(request.checksum, ChecksumPolicy::None);
    }

    #[test]
    fn the_default_algorithm_is_announced_unless_turned_off() {
        let mut call = CreateMultipartUpload::new((), "bucket", "key");
        let request = call.request().unwrap();
        assert_eq!(request.checksum, ChecksumPolicy::Announce);
        assert!(request.headers.is_empty());
        assert_eq!(call.no_checksum().request().unwrap().checksum, ChecksumPolicy::Off);
    }

    #[test]
    fn a_checksum_that_s3_does_not_have_is_refused() {
        let call = CreateMultipartUpload::new((), "bucket", "key").checksum_algorithm(ChecksumAlgorithm::Sha256);
        let error = call.checksum_type(ChecksumType::FullObject).request().unwrap_err();
        assert_eq!(error.to_string(), "S3 has no FULL_OBJECT checksum of a multipart upload with SHA256");
    }

    #[test]
    fn the_answer_is_read() {
        let mut answer = testing::answer(
            "<?xml version=\"1.0\"?><InitiateMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <Bucket>bucket</Bucket><Key>a//b</Key><UploadId>u+1</UploadId></InitiateMultipartUploadResult>",
        );
        for (name, value) in [
            ("x-amz-server-side-encryption", "AES256"),
            ("x-amz-checksum-algorithm", "CRC64NVME"),
            ("x-amz-checksum-type", "FULL_OBJECT"),
            ("x-amz-abort-date", "Wed, 21 Oct 2026 07:28:00 GMT"),
            ("x-amz-abort-rule-id", "rule"),
            ("x-amz-version-id", "v"),
            ("x-amz-request-charged", "requester"),
        ] {
            answer.headers_mut().insert(name, http::HeaderValue::from_static(value));
        }
        let output = CreateMultipartUpload::new((), "bucket", "a//b").response(answer).unwrap();
        let names = (output.upload_id.as_str(), output.bucket.as_str(), output.key.as_str());
        assert_eq!(names, ("u+1", "bucket", "a//b"));
        assert_eq!(output.encryption.unwrap().algorithm, "AES256");
        assert_eq!(output.checksum_algorithm, Some(ChecksumAlgorithm::Crc64Nvme));
        assert_eq!(output.checksum_type, Some(ChecksumType::FullObject));
        assert_eq!(output.abort_date, Some(time()));
        assert_eq!((output.abort_rule_id.as_deref(), output.version_id.as_deref()), (Some("rule"), Some("v")));
        assert!(output.request_charged);
    }

    #[test]
    fn a_document_of_another_name_is_read() {
        let answer = testing::answer("<InitiateMultipartUpload><UploadId>u</UploadId></InitiateMultipartUpload>");
        assert_eq!(CreateMultipartUpload::new((), "bucket", "key").response(answer).unwrap().upload_id, "u");
    }

    #[test]
    fn an_answer_without_an_upload_id_is_an_error() {
        for document in [
            "<InitiateMultipartUploadResult><Key>key</Key></InitiateMultipartUploadResult>",
            "<InitiateMultipartUploadResult><UploadId/></InitiateMultipartUploadResult>",
        ] {
            let call = CreateMultipartUpload::new((), "bucket", "key");
            let error = call.response(testing::answer(document)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::MalformedResponse);
            assert_eq!(error.to_string(), "the answer names no upload id");
        }
    }
}
