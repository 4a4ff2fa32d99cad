//! What a read gives back: an object's head, and the object with its body.

use std::ops::Deref;
use std::time::SystemTime;

use http::HeaderMap;

use crate::ETag;
use crate::checksum::{Checksum, ChecksumType};
use crate::encryption::EncryptionInfo;
use crate::headers::Headers;
use crate::metadata::{self, Metadata};
use crate::new_object::EventHoldDuration;
use crate::storage::{ObjectLockMode, StorageClass};

/// Everything that S3 says about an object in front of its bytes: what GetObject and HeadObject answer.
///
/// What every server sends is a plain field, what some omit is an `Option`.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ObjectHead {
    /// The entity tag; empty where the server sent none.
    pub etag: ETag,
    /// How many bytes this answer stands for: the object's size, or the range's.
    pub content_length: u64,
    /// When the object was written, to the second.
    pub last_modified: Option<SystemTime>,
    /// The version; `None` where the bucket never had versions.
    pub version_id: Option<String>,
    /// Whether this version is a delete marker.
    pub delete_marker: bool,
    /// The media type.
    pub content_type: Option<String>,
    /// Codings that a reader must undo, such as `gzip`. The framing `aws-chunked`, which some servers leave in, is
    /// dropped.
    pub content_encoding: Option<String>,
    /// How a browser shall present it.
    pub content_disposition: Option<String>,
    /// The language of the content.
    pub content_language: Option<String>,
    /// What caches may do.
    pub cache_control: Option<String>,
    /// Until when caches may keep it, as stored: a date, or any text such as `0`.
    pub expires: Option<String>,
    /// Which bytes of how many, for a range or part: `bytes 0-9/443`.
    pub content_range: Option<String>,
    /// `bytes` where ranges can be asked for.
    pub accept_ranges: Option<String>,
    /// User metadata (`x-amz-meta-*`), names in lower case, RFC 2047 words decoded.
    pub metadata: Metadata,
    /// How many metadata entries could not be sent as headers (`x-amz-missing-meta`).
    pub missing_metadata: u32,
    /// The storage class.
    pub storage_class: StorageClass,
    /// How the object is encrypted at rest.
    pub encryption: Option<EncryptionInfo>,
    /// The checksum, where the server keeps one and `checksum_mode` asked for it.
    pub checksum: Option<Checksum>,
    /// Whether the checksum covers the object's bytes or its parts' checksums.
    pub checksum_type: Option<ChecksumType>,
    /// How many parts the object was uploaded in (only where a part number was asked for).
    pub parts_count: Option<u32>,
    /// How many tags the object has.
    pub tag_count: Option<u32>,
    /// The object lock's mode.
    pub object_lock_mode: Option<ObjectLockMode>,
    /// Until when the object is locked.
    pub object_lock_retain_until: Option<SystemTime>,
    /// Whether a legal hold is on.
    pub legal_hold: Option<bool>,
    /// Whether an event hold is on.
    pub event_hold: Option<bool>,
    /// How long the version stays locked once its event hold is taken off.
    pub event_hold_duration: Option<EventHoldDuration>,
    /// Which lifecycle rule will remove it, and when, as sent (`x-amz-expiration`).
    pub expiration: Option<String>,
    /// The state of a restore from the archive, as sent (`x-amz-restore`).
    pub restore: Option<String>,
    /// The archive tier, as sent (`x-amz-archive-status`).
    pub archive_status: Option<String>,
    /// The state of replication, as sent (`x-amz-replication-status`).
    pub replication_status: Option<String>,
    /// Where a website's reader is sent (`x-amz-website-redirect-location`).
    pub website_redirect_location: Option<String>,
    /// Whether the requester was charged.
    pub request_charged: bool,
}

impl ObjectHead {
    pub(crate) fn read(map: &HeaderMap) -> Self {
        let headers = Headers::of(map);
        Self {
            etag: headers.etag(),
            content_length: headers.parsed("content-length").unwrap_or_default(),
            last_modified: headers.http_date("last-modified"),
            version_id: headers.text("x-amz-version-id"),
            delete_marker: headers.flag("x-amz-delete-marker"),
            content_type: headers.text("content-type"),
            content_encoding: headers.text("content-encoding").and_then(|text| without_framing(&text)),
            content_disposition: headers.text("content-disposition"),
            content_language: headers.text("content-language"),
            cache_control: headers.text("cache-control"),
            expires: headers.text("expires"),
            content_range: headers.text("content-range"),
            accept_ranges: headers.text("accept-ranges"),
            metadata: metadata::read(map),
            missing_metadata: headers.parsed("x-amz-missing-meta").unwrap_or_default(),
            storage_class: headers.parsed("x-amz-storage-class").unwrap_or_default(),
            encryption: EncryptionInfo::read(&headers),
            checksum: headers.checksum(),
            checksum_type: headers.parsed("x-amz-checksum-type"),
            parts_count: headers.parsed("x-amz-mp-parts-count"),
            tag_count: headers.parsed("x-amz-tagging-count"),
            object_lock_mode: headers.parsed("x-amz-object-lock-mode"),
            object_lock_retain_until: headers.iso8601("x-amz-object-lock-retain-until-date"),
            legal_hold: headers.text("x-amz-object-lock-legal-hold").map(|text| text == "ON"),
            event_hold: headers.text("x-amz-object-lock-event-hold").map(|text| text == "ON"),
            event_hold_duration: event_hold_duration(&headers),
            expiration: headers.text("x-amz-expiration"),
            restore: headers.text("x-amz-restore"),
            archive_status: headers.text("x-amz-archive-status"),
            replication_status: headers.text("x-amz-replication-status"),
            website_redirect_location: headers.text("x-amz-website-redirect-location"),
            request_charged: headers.request_charged(),
        }
    }
}

fn event_hold_duration(headers: &Headers<'_>) -> Option<EventHoldDuration> {
    let days = headers.parsed("x-amz-object-lock-event-hold-duration-days").map(EventHoldDuration::Days);
    days.or_else(|| headers.parsed("x-amz-object-lock-event-hold-duration-years").map(EventHoldDuration::Years))
}

/// A content encoding without `aws-chunked`, which is framing on the wire and never a property of the object.
pub(crate) fn without_framing(encoding: &str) -> Option<String> {
    let kept: Vec<_> = encoding.split(',').map(str::trim).filter(|coding| *coding != "aws-chunked").collect();
    let kept = kept.join(", ");
    (!kept.is_empty()).then_some(kept)
}

/// An object that is being read: its head, and its body as it arrives.
///
/// The fields of [`ObjectHead`] are read through it (`object.etag`). The body is read whole by
/// [`bytes`](Object::bytes), [`text`](Object::text) and the typed methods, or taken as a stream: of `wharf`'s, the `body` is an
/// `AsyncRead` and a `Stream`.
#[derive(Debug)]
pub struct Object<B> {
    /// Everything but the bytes.
    pub head: ObjectHead,
    /// The bytes as they arrive.
    pub body: B,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) limit: Option<u64>,
}

impl<B> Deref for Object<B> {
    type Target = ObjectHead;

    fn deref(&self) -> &ObjectHead {
        &self.head
    }
}

impl<B> Object<B> {
    /// The bucket it was read from.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Its key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Refuses to read more than `bytes` into memory: a larger object is an
    /// [`InvalidContent`](crate::ErrorKind::InvalidContent) error. Streams are not limited.
    #[must_use]
    pub fn limit(mut self, bytes: u64) -> Self {
        self.limit = Some(bytes);
        self
    }

    /// The bytes as a stream.
    pub fn stream(self) -> B {
        self.body
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use http::{HeaderName, HeaderValue};

    use super::*;
    use crate::checksum::ChecksumAlgorithm;

    fn head(headers: &[(&'static str, &'static str)]) -> ObjectHead {
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        ObjectHead::read(&headers.collect())
    }

    #[test]
    fn every_header_of_an_object_is_read() {
        let head = head(&[
            ("etag", "\"e\""),
            ("content-length", "10"),
            ("last-modified", "Wed, 21 Oct 2026 07:28:00 GMT"),
            ("x-amz-version-id", "v1"),
            ("x-amz-delete-marker", "true"),
            ("content-type", "text/csv"),
            ("content-encoding", "aws-chunked, gzip"),
            ("content-disposition", "attachment"),
            ("content-language", "de"),
            ("cache-control", "no-store"),
            ("expires", "0"),
            ("content-range", "bytes 0-9/443"),
            ("accept-ranges", "bytes"),
            ("x-amz-meta-team", "blue"),
            ("x-amz-missing-meta", "2"),
            ("x-amz-storage-class", "DEEP_ARCHIVE"),
            ("x-amz-server-side-encryption", "aws:kms"),
            ("x-amz-server-side-encryption-aws-kms-key-id", "arn:key"),
            ("x-amz-server-side-encryption-bucket-key-enabled", "true"),
            ("x-amz-checksum-crc32", "y/Q5Jg=="),
            ("x-amz-checksum-type", "FULL_OBJECT"),
            ("x-amz-mp-parts-count", "3"),
            ("x-amz-tagging-count", "4"),
            ("x-amz-object-lock-mode", "COMPLIANCE"),
            ("x-amz-object-lock-retain-until-date", "2026-10-21T07:28:00.000Z"),
            ("x-amz-object-lock-legal-hold", "ON"),
            ("x-amz-object-lock-event-hold", "OFF"),
            ("x-amz-object-lock-event-hold-duration-days", "30"),
            ("x-amz-expiration", "rule"),
            ("x-amz-restore", "ongoing-request=\"true\""),
            ("x-amz-archive-status", "ARCHIVE_ACCESS"),
            ("x-amz-replication-status", "REPLICA"),
            ("x-amz-website-redirect-location", "/other"),
            ("x-amz-request-charged", "requester"),
        ]);
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_792_567_680);
        assert_eq!((head.etag.as_str(), head.content_length, head.last_modified), ("\"e\"", 10, Some(time)));
        assert_eq!((head.version_id.as_deref(), head.delete_marker), (Some("v1"), true));
        for (name, found, expected) in [
            ("content-type", &head.content_type, "text/csv"),
            ("content-encoding", &head.content_encoding, "gzip"),
            ("content-disposition", &head.content_disposition, "attachment"),
            ("content-language", &head.content_language, "de"),
            ("cache-control", &head.cache_control, "no-store"),
            ("expires", &head.expires, "0"),
            ("content-range", &head.content_range, "bytes 0-9/443"),
            ("accept-ranges", &head.accept_ranges, "bytes"),
            ("x-amz-expiration", &head.expiration, "rule"),
            ("x-amz-restore", &head.restore, "ongoing-request=\"true\""),
            ("x-amz-archive-status", &head.archive_status, "ARCHIVE_ACCESS"),
            ("x-amz-replication-status", &head.replication_status, "REPLICA"),
            ("x-amz-website-redirect-location", &head.website_redirect_location, "/other"),
        ] {
            assert_eq!(found.as_deref(), Some(expected), "{name}");
        }
        assert_eq!((head.metadata["team"].as_str(), head.missing_metadata), ("blue", 2));
        assert_eq!(head.storage_class, StorageClass::DeepArchive);
        let encryption = head.encryption.unwrap();
        assert_eq!((encryption.algorithm.as_str(), encryption.bucket_key), ("aws:kms", true));
        assert_eq!(encryption.kms_key_id.as_deref(), Some("arn:key"));
        assert_eq!(head.checksum, Some(ChecksumAlgorithm::Crc32.checksum(b"123456789")));
        assert_eq!(head.checksum_type, Some(ChecksumType::FullObject));
        assert_eq!((head.parts_count, head.tag_count), (Some(3), Some(4)));
        assert_eq!(
            (head.object_lock_mode, head.object_lock_retain_until),
            (Some(ObjectLockMode::Compliance), Some(time))
        );
        assert_eq!((head.legal_hold, head.event_hold), (Some(true), Some(false)));
        assert_eq!(head.event_hold_duration, Some(EventHoldDuration::Days(30)));
        assert!(head.request_charged);
    }

    #[test]
    fn an_event_hold_may_last_years() {
        let head =
            head(&[("x-amz-object-lock-event-hold", "ON"), ("x-amz-object-lock-event-hold-duration-years", "2")]);
        assert_eq!((head.event_hold, head.event_hold_duration), (Some(true), Some(EventHoldDuration::Years(2))));
        let head = self::head(&[]);
        assert_eq!((head.event_hold, head.event_hold_duration), (None, None));
    }

    #[test]
    fn framing_is_dropped_from_the_encoding() {
        assert_eq!(without_framing("aws-chunked"), None);
        assert_eq!(without_framing("aws-chunked,gzip"), Some("gzip".to_owned()));
        assert_eq!(without_framing("gzip, br"), Some("gzip, br".to_owned()));
    }
}
