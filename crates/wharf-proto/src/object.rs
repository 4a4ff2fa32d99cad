//! What a read gives back: an object's head, and the object with its body.

use std::ops::Deref;
use std::time::SystemTime;

use http::HeaderMap;

use crate::checksum::{Checksum, ChecksumType};
use crate::encryption::EncryptionInfo;
use crate::metadata::{self, Metadata};
use crate::storage::{ObjectLockMode, StorageClass};
use crate::{ETag, headers};

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
        Self {
            etag: headers::etag(map),
            content_length: headers::parsed(map, "content-length").unwrap_or_default(),
            last_modified: headers::http_date(map, "last-modified"),
            version_id: headers::text(map, "x-amz-version-id"),
            delete_marker: headers::flag(map, "x-amz-delete-marker"),
            content_type: headers::text(map, "content-type"),
            content_encoding: headers::text(map, "content-encoding").and_then(|text| without_framing(&text)),
            content_disposition: headers::text(map, "content-disposition"),
            content_language: headers::text(map, "content-language"),
            cache_control: headers::text(map, "cache-control"),
            expires: headers::text(map, "expires"),
            content_range: headers::text(map, "content-range"),
            accept_ranges: headers::text(map, "accept-ranges"),
            metadata: metadata::read(map),
            missing_metadata: headers::parsed(map, "x-amz-missing-meta").unwrap_or_default(),
            storage_class: headers::parsed(map, "x-amz-storage-class").unwrap_or_default(),
            encryption: EncryptionInfo::read(map),
            checksum: headers::checksum(map),
            checksum_type: headers::parsed(map, "x-amz-checksum-type"),
            parts_count: headers::parsed(map, "x-amz-mp-parts-count"),
            tag_count: headers::parsed(map, "x-amz-tagging-count"),
            object_lock_mode: headers::parsed(map, "x-amz-object-lock-mode"),
            object_lock_retain_until: headers::iso8601(map, "x-amz-object-lock-retain-until-date"),
            legal_hold: headers::text(map, "x-amz-object-lock-legal-hold").map(|text| text == "ON"),
            expiration: headers::text(map, "x-amz-expiration"),
            restore: headers::text(map, "x-amz-restore"),
            archive_status: headers::text(map, "x-amz-archive-status"),
            replication_status: headers::text(map, "x-amz-replication-status"),
            website_redirect_location: headers::text(map, "x-amz-website-redirect-location"),
            request_charged: headers::request_charged(map),
        }
    }
}

/// A content encoding without `aws-chunked`, which is framing on the wire and never a property of the object.
fn without_framing(encoding: &str) -> Option<String> {
    let kept: Vec<_> = encoding.split(',').map(str::trim).filter(|coding| *coding != "aws-chunked").collect();
    let kept = kept.join(", ");
    (!kept.is_empty()).then_some(kept)
}

/// An object that is being read: its head, and its body as it arrives.
///
/// The fields of [`ObjectHead`] are read through it (`object.etag`). The body is read whole by
/// [`bytes`](Object::bytes), [`text`](Object::text) and the typed methods, or taken as a stream.
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
    use super::*;

    #[test]
    fn framing_is_dropped_from_the_encoding() {
        assert_eq!(without_framing("aws-chunked"), None);
        assert_eq!(without_framing("aws-chunked,gzip"), Some("gzip".to_owned()));
        assert_eq!(without_framing("gzip, br"), Some("gzip, br".to_owned()));
    }
}
