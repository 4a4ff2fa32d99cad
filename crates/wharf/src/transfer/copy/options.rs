//! The options of a copy: those of [`CopyObject`](crate::op::CopyObject), which hold at every size, and its own.

use std::time::{Duration, SystemTime};

use wharf_proto::checksum::ChecksumAlgorithm;
use wharf_proto::op::CopyObject;
use wharf_proto::{CannedAcl, CustomerKey, ETag, Encryption, EventHoldDuration, Grantee, ObjectLockMode, StorageClass};

use super::Copy;
use crate::Client;

/// What is said of source and copy, as [`copy_object`](crate::Client::copy_object) has it.
impl Copy {
    /// Copies this version in place of the newest.
    pub fn source_version_id(self, version_id: impl Into<String>) -> Self {
        self.said(|call| call.source_version_id(version_id))
    }

    /// Copies only while the source's tag is this one; else
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn source_if_match(self, etag: impl Into<ETag>) -> Self {
        self.said(|call| call.source_if_match(etag))
    }

    /// Copies only if the source's tag is another; else [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn source_if_none_match(self, etag: impl Into<ETag>) -> Self {
        self.said(|call| call.source_if_none_match(etag))
    }

    /// Copies only if the source was written after `time` (to the second); else
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn source_if_modified_since(self, time: SystemTime) -> Self {
        self.said(|call| call.source_if_modified_since(time))
    }

    /// Copies only if the source was not written after `time` (to the second); else
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn source_if_unmodified_since(self, time: SystemTime) -> Self {
        self.said(|call| call.source_if_unmodified_since(time))
    }

    /// The key that the source was encrypted with (SSE-C). For the copy's own, see
    /// [`encryption`](Copy::encryption).
    pub fn source_customer_key(self, key: CustomerKey) -> Self {
        self.said(|call| call.source_customer_key(key))
    }

    /// Fails with [`AccessDenied`](crate::ErrorKind::AccessDenied) unless this account owns the source's bucket.
    pub fn source_expected_bucket_owner(self, account_id: impl Into<String>) -> Self {
        self.said(|call| call.source_expected_bucket_owner(account_id))
    }

    /// Copies only over the object with this tag; else [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn if_match(self, etag: impl Into<ETag>) -> Self {
        self.said(|call| call.if_match(etag))
    }

    /// Copies only where there is no object yet; else [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn if_absent(self) -> Self {
        self.said(|call| call.if_absent())
    }

    /// Leaves the source's metadata and stored headers behind, whether or not the call sets others
    /// (`x-amz-metadata-directive: REPLACE`).
    pub fn replace_metadata(self) -> Self {
        self.said(|call| call.replace_metadata())
    }

    /// Leaves the source's tags behind, whether or not the call sets others (`x-amz-tagging-directive: REPLACE`).
    pub fn replace_tags(self) -> Self {
        self.said(|call| call.replace_tags())
    }

    /// Leaves the source's annotations behind (`x-amz-object-annotation-directive: EXCLUDE`).
    pub fn exclude_annotations(self) -> Self {
        self.said(|call| call.exclude_annotations())
    }

    /// The media type. Replaces the source's metadata and stored headers.
    pub fn content_type(self, value: impl Into<String>) -> Self {
        self.said(|call| call.content_type(value))
    }

    /// Codings that a reader must undo, such as `gzip`. Replaces the source's metadata and stored headers.
    pub fn content_encoding(self, value: impl Into<String>) -> Self {
        self.said(|call| call.content_encoding(value))
    }

    /// How a browser shall present it. Replaces the source's metadata and stored headers.
    pub fn content_disposition(self, value: impl Into<String>) -> Self {
        self.said(|call| call.content_disposition(value))
    }

    /// The language of the content. Replaces the source's metadata and stored headers.
    pub fn content_language(self, value: impl Into<String>) -> Self {
        self.said(|call| call.content_language(value))
    }

    /// What caches may do. Replaces the source's metadata and stored headers.
    pub fn cache_control(self, value: impl Into<String>) -> Self {
        self.said(|call| call.cache_control(value))
    }

    /// Until when caches may keep it. Replaces the source's metadata and stored headers.
    pub fn expires(self, time: SystemTime) -> Self {
        self.said(|call| call.expires(time))
    }

    /// Adds a metadata entry (`x-amz-meta-*`): see [`Metadata`](crate::Metadata). Replaces the source's metadata and
    /// stored headers.
    pub fn metadata(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.said(|call| call.metadata(name, value))
    }

    /// Adds a tag; an object has at most 10. Replaces the source's tags.
    pub fn tag(self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.said(|call| call.tag(key, value))
    }

    /// The storage class, in place of `STANDARD`.
    pub fn storage_class(self, class: StorageClass) -> Self {
        self.said(|call| call.storage_class(class))
    }

    /// How the copy is encrypted at rest, in place of its bucket's own setting.
    pub fn encryption(self, encryption: Encryption) -> Self {
        self.said(|call| call.encryption(encryption))
    }

    /// A canned ACL.
    pub fn acl(self, acl: CannedAcl) -> Self {
        self.said(|call| call.acl(acl))
    }

    /// Lets somebody read and write the copy and its ACL. May be called for several.
    pub fn grant_full_control(self, grantee: Grantee) -> Self {
        self.said(|call| call.grant_full_control(grantee))
    }

    /// Lets somebody read the copy. May be called for several.
    pub fn grant_read(self, grantee: Grantee) -> Self {
        self.said(|call| call.grant_read(grantee))
    }

    /// Lets somebody read the copy's ACL. May be called for several.
    pub fn grant_read_acp(self, grantee: Grantee) -> Self {
        self.said(|call| call.grant_read_acp(grantee))
    }

    /// Lets somebody write the copy's ACL. May be called for several.
    pub fn grant_write_acp(self, grantee: Grantee) -> Self {
        self.said(|call| call.grant_write_acp(grantee))
    }

    /// Locks the copy's version until then, in a bucket with object lock.
    pub fn object_lock(self, mode: ObjectLockMode, until: SystemTime) -> Self {
        self.said(|call| call.object_lock(mode, until))
    }

    /// Puts a legal hold on the copy's version, or none: it cannot be deleted while the hold is on.
    pub fn legal_hold(self, on: bool) -> Self {
        self.said(|call| call.legal_hold(on))
    }

    /// Puts an event hold on the copy's version, or none.
    pub fn event_hold(self, on: bool) -> Self {
        self.said(|call| call.event_hold(on))
    }

    /// How long the copy's version stays locked after its event hold.
    pub fn event_hold_duration(self, duration: EventHoldDuration) -> Self {
        self.said(|call| call.event_hold_duration(duration))
    }

    /// Where a website's reader is sent: a key that begins with `/`, or a URL.
    pub fn website_redirect_location(self, location: impl Into<String>) -> Self {
        self.said(|call| call.website_redirect_location(location))
    }

    /// Has S3 compute the copy's checksum by this algorithm, in place of the source's.
    pub fn checksum_algorithm(self, algorithm: ChecksumAlgorithm) -> Self {
        self.said(|call| call.checksum_algorithm(algorithm))
    }

    /// Agrees to pay for the request in a requester-pays bucket.
    pub fn request_payer(self) -> Self {
        self.said(|call| call.request_payer())
    }

    /// Fails with [`AccessDenied`](crate::ErrorKind::AccessDenied) unless this account owns the copy's bucket.
    pub fn expected_bucket_owner(self, account_id: impl Into<String>) -> Self {
        self.said(|call| call.expected_bucket_owner(account_id))
    }

    fn said(mut self, change: impl FnOnce(CopyObject<Client>) -> CopyObject<Client>) -> Self {
        self.call = change(self.call);
        self
    }
}

/// How it is copied.
impl Copy {
    /// Where the call sets some of the metadata and stored headers, keeps what the source has of the others: a content type that
    /// is set changes the content type alone. Metadata entries count as one: those that are set replace all. It costs a request
    /// that asks for them (HeadObject). Without it, whatever is set replaces all, as with
    /// [`copy_object`](crate::Client::copy_object).
    pub fn keep_metadata(mut self) -> Self {
        self.keep_metadata = true;
        self
    }

    /// The endpoint, or account, that the copy goes to: the bytes pass through this machine, and nothing is kept of them here.
    pub fn to(mut self, client: &Client) -> Self {
        self.to = Some(client.clone());
        self
    }

    /// From how many bytes on an object is copied in parts: from 5 GiB, which is S3's limit, unless set. A smaller number costs a
    /// request that asks for the source's size.
    pub fn multipart_threshold(mut self, bytes: u64) -> Self {
        self.multipart_threshold = Some(bytes);
        self
    }

    /// How many bytes a part has: 64 MiB by default, 8 MiB where they pass through this machine, more where there would be too
    /// many parts.
    pub fn part_size(mut self, bytes: u64) -> Self {
        self.part_size = Some(bytes);
        self
    }

    /// How many requests are in flight at most; found out where it is not said.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.concurrency = Some(requests);
        self
    }

    /// How long to go on trying while nothing moves: 5 minutes by default.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Asks afterwards what the server has at both ends and compares: two more HeadObject requests, or one where the copy was
    /// made in parts. Checksums come first; where there are none, ETags that are known to be MD5s
    /// ([`trust_etags`](crate::ClientBuilder::trust_etags)). No by default.
    pub fn verify(mut self, verify: bool) -> Self {
        self.verify = verify;
        self
    }
}
