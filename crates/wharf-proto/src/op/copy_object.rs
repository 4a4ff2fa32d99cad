//! CopyObject.

mod in_parts;

use std::future::IntoFuture;
use std::time::SystemTime;

use bytes::Bytes;
use http::Method;

use super::elements::checksum;
use crate::checksum::{Checksum, ChecksumAlgorithm, ChecksumType};
use crate::condition::{ReadConditions, WriteCondition};
use crate::endpoint::BucketArn;
use crate::headers::Headers;
use crate::new_object::{EventHoldDuration, NewObject};
use crate::operation::{Operation, Request, SendFuture, Sender, Success};
use crate::sigv4::uri_encode;
use crate::storage::{CannedAcl, Grantee, ObjectLockMode, StorageClass, Tag};
use crate::xml::{self, Scanner};
use crate::{CustomerKey, ETag, Encryption, EncryptionInfo, Error, name, time};

/// Copies an object inside S3: one CopyObject request, at most 5 GiB. No bytes pass through this machine.
///
/// Metadata, the headers stored with it and the tags come along, unless the call sets some of its own. **Setting any
/// metadata entry, `content_type`, `content_encoding`, `content_disposition`, `content_language`, `cache_control` or
/// `expires` replaces all of these**, for S3 cannot change one alone; setting a tag replaces all tags. ACL, storage
/// class, encryption, locks and website redirect never come along.
///
/// S3 may take minutes before it answers, and may answer 200 with an error; both are dealt with.
///
/// # Errors
/// [`NoSuchKey`](crate::ErrorKind::NoSuchKey), [`NoSuchBucket`](crate::ErrorKind::NoSuchBucket),
/// [`AccessDenied`](crate::ErrorKind::AccessDenied),
/// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed) where a condition does not hold,
/// [`InvalidObjectState`](crate::ErrorKind::InvalidObjectState) for an archived source.
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct CopyObject<S = ()> {
    sender: S,
    bucket: String,
    key: String,
    source: CopySource,
    object: NewObject,
    replace_metadata: bool,
    replace_tags: bool,
    exclude_annotations: bool,
    condition: WriteCondition,
    checksum_algorithm: Option<ChecksumAlgorithm>,
    request_payer: bool,
    expected_bucket_owner: Option<String>,
}

/// What is copied.
#[derive(Debug, Clone)]
struct CopySource {
    bucket: String,
    key: String,
    version_id: Option<String>,
    conditions: ReadConditions,
    customer_key: Option<CustomerKey>,
    expected_bucket_owner: Option<String>,
}

impl CopySource {
    fn apply(&self, request: &mut Request) -> Result<(), Error> {
        request.header("x-amz-copy-source", &copy_source(&self.bucket, &self.key, self.version_id.as_deref())?)?;
        self.conditions.apply_to_source(request)?;
        if let Some(key) = &self.customer_key {
            key.apply_to_source(request)?;
        }
        request.header_opt("x-amz-source-expected-bucket-owner", self.expected_bucket_owner.as_deref())
    }
}

/// Names a copy's source as `x-amz-copy-source` has it: URI-encoded, so that the header is ASCII and a `?` in the key
/// does not begin the version.
pub(super) fn copy_source(bucket: &str, key: &str, version_id: Option<&str>) -> Result<String, Error> {
    let of_source = |error: Error| Error::new(error.kind(), format!("the copy's source: {}", error.message()));
    name::check_bucket(bucket).map_err(of_source)?;
    name::check_key(key).map_err(of_source)?;
    let (bucket, separator) = match bucket.starts_with("arn:").then(|| BucketArn::parse(bucket)) {
        // An access point's ARN has an object of its own kind: `arn:.../object/KEY`.
        Some(Ok(BucketArn::AccessPoint { .. })) => (bucket, "/object/"),
        Some(Ok(BucketArn::Bucket { name, .. } | BucketArn::Directory { name, .. })) => (name, "/"),
        _ => (bucket, "/"),
    };
    let mut source = String::new();
    uri_encode::path(bucket, &mut source);
    source.push_str(separator);
    uri_encode::path(key, &mut source);
    if let Some(version_id) = version_id {
        source.push_str("?versionId=");
        uri_encode::query(version_id, &mut source);
    }
    Ok(source)
}

impl<S> CopyObject<S> {
    /// Copies `source_key` in `source_bucket` to `key` in `bucket`, sent by `sender`.
    pub fn new(
        sender: S,
        source_bucket: impl Into<String>,
        source_key: impl Into<String>,
        bucket: impl Into<String>,
        key: impl Into<String>,
    ) -> Self {
        Self {
            sender,
            bucket: bucket.into(),
            key: key.into(),
            source: CopySource {
                bucket: source_bucket.into(),
                key: source_key.into(),
                version_id: None,
                conditions: ReadConditions::default(),
                customer_key: None,
                expected_bucket_owner: None,
            },
            object: NewObject::default(),
            replace_metadata: false,
            replace_tags: false,
            exclude_annotations: false,
            condition: WriteCondition::default(),
            checksum_algorithm: None,
            request_payer: false,
            expected_bucket_owner: None,
        }
    }

    /// Copies this version in place of the newest.
    pub fn source_version_id(mut self, version_id: impl Into<String>) -> Self {
        self.source.version_id = Some(version_id.into());
        self
    }

    /// Copies only while the source's tag is this one; else
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn source_if_match(mut self, etag: impl Into<ETag>) -> Self {
        self.source.conditions.if_match = Some(etag.into());
        self
    }

    /// Copies only if the source's tag is another; else [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn source_if_none_match(mut self, etag: impl Into<ETag>) -> Self {
        self.source.conditions.if_none_match = Some(etag.into());
        self
    }

    /// Copies only if the source was written after `time` (to the second); else
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn source_if_modified_since(mut self, time: SystemTime) -> Self {
        self.source.conditions.if_modified_since = Some(time);
        self
    }

    /// Copies only if the source was not written after `time` (to the second); else
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn source_if_unmodified_since(mut self, time: SystemTime) -> Self {
        self.source.conditions.if_unmodified_since = Some(time);
        self
    }

    /// The key that the source was encrypted with (SSE-C). For the copy's own, see
    /// [`encryption`](CopyObject::encryption).
    pub fn source_customer_key(mut self, key: CustomerKey) -> Self {
        self.source.customer_key = Some(key);
        self
    }

    /// Fails with [`AccessDenied`](crate::ErrorKind::AccessDenied) unless this account owns the source's bucket.
    pub fn source_expected_bucket_owner(mut self, account_id: impl Into<String>) -> Self {
        self.source.expected_bucket_owner = Some(account_id.into());
        self
    }

    /// Copies only over the object with this tag; else [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn if_match(mut self, etag: impl Into<ETag>) -> Self {
        self.condition = WriteCondition::IfMatch(etag.into());
        self
    }

    /// Copies only where there is no object yet; else [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn if_absent(mut self) -> Self {
        self.condition = WriteCondition::IfAbsent;
        self
    }

    /// Leaves the source's metadata and stored headers behind, whether or not the call sets others
    /// (`x-amz-metadata-directive: REPLACE`).
    pub fn replace_metadata(mut self) -> Self {
        self.replace_metadata = true;
        self
    }

    /// Leaves the source's tags behind, whether or not the call sets others (`x-amz-tagging-directive: REPLACE`).
    pub fn replace_tags(mut self) -> Self {
        self.replace_tags = true;
        self
    }

    /// Leaves the source's annotations behind (`x-amz-object-annotation-directive: EXCLUDE`).
    pub fn exclude_annotations(mut self) -> Self {
        self.exclude_annotations = true;
        self
    }

    /// The media type. Replaces the source's metadata and stored headers.
    pub fn content_type(mut self, value: impl Into<String>) -> Self {
        self.object.content_type = Some(value.into());
        self
    }

    /// Codings that a reader must undo, such as `gzip`. Replaces the source's metadata and stored headers.
    pub fn content_encoding(mut self, value: impl Into<String>) -> Self {
        self.object.content_encoding = Some(value.into());
        self
    }

    /// How a browser shall present it. Replaces the source's metadata and stored headers.
    pub fn content_disposition(mut self, value: impl Into<String>) -> Self {
        self.object.content_disposition = Some(value.into());
        self
    }

    /// The language of the content. Replaces the source's metadata and stored headers.
    pub fn content_language(mut self, value: impl Into<String>) -> Self {
        self.object.content_language = Some(value.into());
        self
    }

    /// What caches may do. Replaces the source's metadata and stored headers.
    pub fn cache_control(mut self, value: impl Into<String>) -> Self {
        self.object.cache_control = Some(value.into());
        self
    }

    /// Until when caches may keep it. Replaces the source's metadata and stored headers.
    pub fn expires(mut self, time: SystemTime) -> Self {
        self.object.expires = Some(time);
        self
    }

    /// Adds a metadata entry (`x-amz-meta-*`): see [`Metadata`](crate::Metadata). Replaces the source's metadata and
    /// stored headers.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.object.add_metadata(name, value);
        self
    }

    /// Adds a tag; an object has at most 10. Replaces the source's tags.
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.object.tags.push(Tag { key: key.into(), value: value.into() });
        self
    }

    /// The storage class, in place of `STANDARD`.
    pub fn storage_class(mut self, class: StorageClass) -> Self {
        self.object.storage_class = Some(class);
        self
    }

    /// How the copy is encrypted at rest, in place of its bucket's own setting.
    pub fn encryption(mut self, encryption: Encryption) -> Self {
        self.object.encryption = Some(encryption);
        self
    }

    /// A canned ACL.
    pub fn acl(mut self, acl: CannedAcl) -> Self {
        self.object.acl = Some(acl);
        self
    }

    /// Lets somebody read and write the copy and its ACL. May be called for several.
    pub fn grant_full_control(mut self, grantee: Grantee) -> Self {
        self.object.grant_full_control.push(grantee);
        self
    }

    /// Lets somebody read the copy. May be called for several.
    pub fn grant_read(mut self, grantee: Grantee) -> Self {
        self.object.grant_read.push(grantee);
        self
    }

    /// Lets somebody read the copy's ACL. May be called for several.
    pub fn grant_read_acp(mut self, grantee: Grantee) -> Self {
        self.object.grant_read_acp.push(grantee);
        self
    }

    /// Lets somebody write the copy's ACL. May be called for several.
    pub fn grant_write_acp(mut self, grantee: Grantee) -> Self {
        self.object.grant_write_acp.push(grantee);
        self
    }

    /// Locks the copy's version until then, in a bucket with object lock.
    pub fn object_lock(mut self, mode: ObjectLockMode, until: SystemTime) -> Self {
        self.object.object_lock = Some((mode, until));
        self
    }

    /// Puts a legal hold on the copy's version, or none: it cannot be deleted while the hold is on.
    pub fn legal_hold(mut self, on: bool) -> Self {
        self.object.legal_hold = Some(on);
        self
    }

    /// Puts an event hold on the copy's version, or none.
    pub fn event_hold(mut self, on: bool) -> Self {
        self.object.event_hold = Some(on);
        self
    }

    /// How long the copy's version stays locked after its event hold.
    pub fn event_hold_duration(mut self, duration: EventHoldDuration) -> Self {
        self.object.event_hold_duration = Some(duration);
        self
    }

    /// Where a website's reader is sent: a key that begins with `/`, or a URL.
    pub fn website_redirect_location(mut self, location: impl Into<String>) -> Self {
        self.object.website_redirect_location = Some(location.into());
        self
    }

    /// Has S3 compute the copy's checksum by this algorithm, in place of the source's.
    pub fn checksum_algorithm(mut self, algorithm: ChecksumAlgorithm) -> Self {
        self.checksum_algorithm = Some(algorithm);
        self
    }

    /// Agrees to pay for the request in a requester-pays bucket.
    pub fn request_payer(mut self) -> Self {
        self.request_payer = true;
        self
    }

    /// Fails with [`AccessDenied`](crate::ErrorKind::AccessDenied) unless this account owns the copy's bucket.
    pub fn expected_bucket_owner(mut self, account_id: impl Into<String>) -> Self {
        self.expected_bucket_owner = Some(account_id.into());
        self
    }
}

/// What S3 says about a copy that was just made.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct CopyObjectOutput {
    /// The copy's entity tag; empty where the server sent none.
    pub etag: ETag,
    /// When the copy was written.
    pub last_modified: Option<SystemTime>,
    /// The copy's version; `None` where its bucket has no versions.
    pub version_id: Option<String>,
    /// The version that was copied; `None` where the source's bucket has no versions.
    pub copy_source_version_id: Option<String>,
    /// How the copy is encrypted at rest.
    pub encryption: Option<EncryptionInfo>,
    /// The checksum that S3 keeps of the copy.
    pub checksum: Option<Checksum>,
    /// Whether the checksum covers the object's bytes or its parts' checksums.
    pub checksum_type: Option<ChecksumType>,
    /// Which lifecycle rule will remove the copy, and when, as sent (`x-amz-expiration`).
    pub expiration: Option<String>,
    /// Whether the requester was charged.
    pub request_charged: bool,
}

impl<S: Send + 'static> Operation for CopyObject<S> {
    const NAME: &'static str = "CopyObject";
    type Output = CopyObjectOutput;

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), Some(&self.key))
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::object(Method::PUT, &self.bucket, &self.key)?;
        request.success = Success::DocumentBegunEarly;
        request.retry_conflict = self.condition.outlives_conflicts();
        self.source.apply(&mut request)?;
        self.condition.apply(&mut request)?;
        self.object.apply(&mut request)?;
        let replace_metadata = self.replace_metadata || self.object.has_metadata();
        request.header_opt("x-amz-metadata-directive", replace_metadata.then_some("REPLACE"))?;
        let replace_tags = self.replace_tags || !self.object.tags.is_empty();
        request.header_opt("x-amz-tagging-directive", replace_tags.then_some("REPLACE"))?;
        request.header_opt("x-amz-object-annotation-directive", self.exclude_annotations.then_some("EXCLUDE"))?;
        request.header_opt("x-amz-checksum-algorithm", self.checksum_algorithm.map(ChecksumAlgorithm::as_str))?;
        request.payer_and_owner(self.request_payer, self.expected_bucket_owner.as_deref())?;
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<CopyObjectOutput, Error> {
        let headers = Headers::of(response.headers());
        let mut output = CopyObjectOutput {
            version_id: headers.text("x-amz-version-id"),
            copy_source_version_id: headers.text("x-amz-copy-source-version-id"),
            encryption: EncryptionInfo::read(&headers),
            expiration: headers.text("x-amz-expiration"),
            request_charged: headers.request_charged(),
            ..CopyObjectOutput::default()
        };
        let mut scanner = Scanner::new(xml::text(response.body())?, "CopyObjectResult")?;
        while let Some(name) = scanner.child()? {
            match name {
                "ETag" => output.etag = ETag::from(scanner.text()?.into_owned()),
                "LastModified" => output.last_modified = time::parse_iso8601(&scanner.text()?),
                "ChecksumType" => output.checksum_type = scanner.text()?.parse().ok(),
                other => output.checksum = checksum(other, &mut scanner)?.or(output.checksum),
            }
        }
        Ok(output)
    }
}

impl<S: Sender> IntoFuture for CopyObject<S> {
    type Output = Result<CopyObjectOutput, Error>;
    type IntoFuture = SendFuture<CopyObjectOutput>;

    fn into_future(self) -> Self::IntoFuture {
        self.sender.clone().send(self)
    }
}

#[cfg(test)]
mod tests;
