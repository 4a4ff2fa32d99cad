//! PutObject.

mod in_parts;

use std::future::IntoFuture;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Method;

use super::elements::presigned_checksum;
use crate::body::{Body, IntoBody};
use crate::checksum::{Checksum, ChecksumAlgorithm, ChecksumType};
use crate::condition::WriteCondition;
use crate::headers::Headers;
use crate::new_object::{EventHoldDuration, NewObject};
use crate::operation::{ChecksumPolicy, Operation, Presigned, Request, SendFuture, Sender};
use crate::storage::{CannedAcl, Grantee, ObjectLockMode, StorageClass, Tag};
use crate::{ETag, Encryption, EncryptionInfo, Error};

pub use in_parts::{PartsChecksum, PutInParts};

/// Writes an object: one PutObject request, at most 5 GiB.
///
/// The object appears whole or not at all, and replaces what was there unless a condition forbids it. The content type
/// follows from the body unless one is given.
///
/// # Errors
/// [`NoSuchBucket`](crate::ErrorKind::NoSuchBucket), [`AccessDenied`](crate::ErrorKind::AccessDenied),
/// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed) where a condition does not hold,
/// [`BadDigest`](crate::ErrorKind::BadDigest) where what arrived is not what was sent,
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) for metadata over 2 KB or with line breaks.
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug)]
pub struct PutObject<S = ()> {
    sender: S,
    bucket: String,
    key: String,
    body: Body,
    object: NewObject,
    condition: WriteCondition,
    checksum: ChecksumPolicy,
    content_md5: Option<String>,
    write_offset_bytes: Option<u64>,
    request_payer: bool,
    expected_bucket_owner: Option<String>,
}

impl<S> PutObject<S> {
    /// Writes `body` to `key` in `bucket`, sent by `sender`.
    pub fn new(sender: S, bucket: impl Into<String>, key: impl Into<String>, body: impl IntoBody) -> Self {
        let key = key.into();
        Self {
            sender,
            bucket: bucket.into(),
            body: body.into_body(&key),
            key,
            object: NewObject::default(),
            condition: WriteCondition::default(),
            checksum: ChecksumPolicy::Default,
            content_md5: None,
            write_offset_bytes: None,
            request_payer: false,
            expected_bucket_owner: None,
        }
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

    /// The media type, in place of the one that follows from the body.
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

    /// How the object is encrypted at rest, in place of the bucket's own setting.
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

    /// Has the body checked by this algorithm, in place of the client's default. A stream that no trailer follows (over plain http
    /// with an unsigned payload, or to a provider without trailers) is compared with the checksum of the answer, where that is by
    /// this algorithm: S3 keeps CRC64NVME where it is told of none.
    pub fn checksum(mut self, algorithm: ChecksumAlgorithm) -> Self {
        self.checksum = ChecksumPolicy::Algorithm(algorithm);
        self
    }

    /// Has the body checked against a checksum that is known already.
    pub fn checksum_value(mut self, checksum: Checksum) -> Self {
        self.checksum = ChecksumPolicy::Value(checksum);
        self
    }

    /// Sends no checksum.
    pub fn no_checksum(mut self) -> Self {
        self.checksum = ChecksumPolicy::Off;
        self
    }

    /// Has the body checked against its MD5, given in base64 (`Content-MD5`), in place of the default checksum. It is
    /// never computed unasked: see [`md5_base64`](crate::checksum::md5_base64).
    pub fn content_md5(mut self, base64: impl Into<String>) -> Self {
        self.content_md5 = Some(base64.into());
        if self.checksum == ChecksumPolicy::Default {
            self.checksum = ChecksumPolicy::Off;
        }
        self
    }

    /// Appends to the object, which must have this many bytes now (`x-amz-write-offset-bytes`; directory buckets only).
    pub fn write_offset_bytes(mut self, offset: u64) -> Self {
        self.write_offset_bytes = Some(offset);
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

impl<S: Sender> PutObject<S> {
    /// Signs this write into a URL to which anybody may upload for `expires_in`, at most 7 days.
    ///
    /// The bytes come from whoever uses the URL, so the body given to this call is left out, and so are the content
    /// type and checksum that would follow from it. What was set on the call is signed and must be sent.
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

impl<S> PutObject<S> {
    fn without_body(mut self) -> Result<Self, Error> {
        self.body = Body::empty();
        self.checksum = presigned_checksum(self.checksum)
            .map_err(|error| error.at("PutObject", Some(&self.bucket), Some(&self.key)))?;
        Ok(self)
    }
}

/// What S3 says about an object that was just written.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct PutObjectOutput {
    /// The new entity tag; empty where the server sent none.
    pub etag: ETag,
    /// The new version; `None` where the bucket has no versions.
    pub version_id: Option<String>,
    /// How the object is encrypted at rest.
    pub encryption: Option<EncryptionInfo>,
    /// The checksum that S3 keeps.
    pub checksum: Option<Checksum>,
    /// Whether the checksum covers the object's bytes or its parts' checksums.
    pub checksum_type: Option<ChecksumType>,
    /// Which lifecycle rule will remove it, and when, as sent (`x-amz-expiration`).
    pub expiration: Option<String>,
    /// The size in bytes, where the server says it (appends to directory buckets).
    pub size: Option<u64>,
    /// Whether the requester was charged.
    pub request_charged: bool,
}

impl<S: Send + 'static> Operation for PutObject<S> {
    const NAME: &'static str = "PutObject";
    type Output = PutObjectOutput;

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), Some(&self.key))
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::object(Method::PUT, &self.bucket, &self.key)?;
        request.body = std::mem::take(&mut self.body);
        request.checksum = self.checksum.clone();
        request.retry_conflict = self.condition.outlives_conflicts();
        request.implied_content_type()?;
        self.object.apply(&mut request)?;
        self.condition.apply(&mut request)?;
        request.header_opt("content-md5", self.content_md5.as_deref())?;
        request.header_opt("x-amz-write-offset-bytes", self.write_offset_bytes.map(|offset| offset.to_string()))?;
        request.payer_and_owner(self.request_payer, self.expected_bucket_owner.as_deref())?;
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<PutObjectOutput, Error> {
        let headers = Headers::of(response.headers());
        Ok(PutObjectOutput {
            etag: headers.etag(),
            version_id: headers.text("x-amz-version-id"),
            encryption: EncryptionInfo::read(&headers),
            checksum: headers.checksum(),
            checksum_type: headers.parsed("x-amz-checksum-type"),
            expiration: headers.text("x-amz-expiration"),
            size: headers.parsed("x-amz-object-size"),
            request_charged: headers.request_charged(),
        })
    }
}

impl<S: Sender> IntoFuture for PutObject<S> {
    type Output = Result<PutObjectOutput, Error>;
    type IntoFuture = SendFuture<PutObjectOutput>;

    fn into_future(self) -> Self::IntoFuture {
        self.sender.clone().send(self)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::body::Source;
    use crate::new_object::tests::{assert_everything, time};

    /// One whose every setter was called.
    pub(in crate::op) fn everything() -> PutObject {
        PutObject::new((), "bucket", "a//b", "text")
            .if_match("\"e\"")
            .content_type("text/csv")
            .content_encoding("gzip")
            .content_disposition("attachment")
            .content_language("de")
            .cache_control("no-store")
            .expires(time())
            .metadata("Team", "red")
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
            .checksum(ChecksumAlgorithm::Sha256)
            .content_md5("CY9rzUYh03PK3k6DJie09g==")
            .write_offset_bytes(7)
            .request_payer()
            .expected_bucket_owner("111122223333")
    }

    #[test]
    fn every_parameter_reaches_the_request() {
        let request = everything().request().unwrap();
        assert_eq!((&request.method, request.key.as_deref()), (&Method::PUT, Some("a//b")));
        assert!(request.query.is_empty());
        assert_everything(&request.headers);
        for (name, value) in [
            ("if-match", "\"e\""),
            ("content-md5", "CY9rzUYh03PK3k6DJie09g=="),
            ("x-amz-write-offset-bytes", "7"),
            ("x-amz-request-payer", "requester"),
            ("x-amz-expected-bucket-owner", "111122223333"),
        ] {
            assert_eq!(request.headers[name], value, "{name}");
        }
        assert_eq!(request.checksum, ChecksumPolicy::Algorithm(ChecksumAlgorithm::Sha256));
        assert!(!request.retry_conflict, "its tag is another one then");
        assert!(matches!(request.body.into_source(), Ok(Source::Bytes(bytes)) if bytes == "text"));
    }

    #[test]
    fn the_content_type_follows_the_body_unless_given() {
        let request = PutObject::new((), "bucket", "k", "text").if_absent().request().unwrap();
        assert_eq!(request.headers["content-type"], "text/plain; charset=utf-8");
        assert_eq!(request.headers["if-none-match"], "*");
        assert_eq!(request.checksum, ChecksumPolicy::Default);
        let request = PutObject::new((), "bucket", "k", "text").content_type("a/b").request().unwrap();
        assert_eq!(request.headers["content-type"], "a/b");
    }

    #[test]
    fn an_md5_takes_the_place_of_the_default_checksum_alone() {
        let put = || PutObject::new((), "bucket", "k", "text");
        assert_eq!(put().content_md5("x").request().unwrap().checksum, ChecksumPolicy::Off);
        let crc32 = ChecksumPolicy::Algorithm(ChecksumAlgorithm::Crc32);
        let both = put().checksum(ChecksumAlgorithm::Crc32).content_md5("x");
        assert_eq!({ both }.request().unwrap().checksum, crc32);
    }

    #[test]
    fn only_what_was_set_is_presigned() {
        let put = |body: &str| PutObject::new((), "bucket", "k", body);
        let request = put("ignored").without_body().unwrap().request().unwrap();
        assert!(request.headers.is_empty());
        assert_eq!(request.checksum, ChecksumPolicy::Off);
        assert!(matches!(request.body.into_source(), Ok(Source::Empty)));

        let checksum = ChecksumAlgorithm::Crc32.checksum(b"x");
        let request = put("").content_type("a/b").checksum_value(checksum).without_body().unwrap().request().unwrap();
        assert_eq!(request.headers.len(), 1);
        assert_eq!(request.checksum, ChecksumPolicy::Value(checksum));

        let error = put("x").checksum(ChecksumAlgorithm::Crc32).without_body().unwrap_err();
        assert_eq!(
            error.to_string(),
            "PutObject bucket/k: a presigned upload has no body to compute its CRC32 from; give the checksum_value, \
             or none"
        );
    }

    #[test]
    fn the_answer_is_read() {
        let response = http::Response::builder()
            .header("etag", "\"e\"")
            .header("x-amz-version-id", "v")
            .header("x-amz-server-side-encryption", "AES256")
            .header("x-amz-checksum-crc32", "y/Q5Jg==")
            .header("x-amz-checksum-type", "FULL_OBJECT")
            .header("x-amz-expiration", "rule")
            .header("x-amz-object-size", "9")
            .header("x-amz-request-charged", "requester");
        let put = PutObject::new((), "bucket", "k", "");
        let output = put.response(response.body(Bytes::new()).unwrap()).unwrap();
        assert_eq!((output.etag.as_str(), output.version_id.as_deref(), output.size), ("\"e\"", Some("v"), Some(9)));
        assert_eq!(output.encryption.unwrap().algorithm, "AES256");
        assert_eq!(output.checksum, Some(ChecksumAlgorithm::Crc32.checksum(b"123456789")));
        assert_eq!(output.checksum_type, Some(ChecksumType::FullObject));
        assert_eq!(output.expiration.as_deref(), Some("rule"));
        assert!(output.request_charged);
    }
}
