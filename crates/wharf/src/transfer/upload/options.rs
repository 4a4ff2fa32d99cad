//! The options of an upload: those of [`PutObject`](crate::op::PutObject), which hold at every size, and its own.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use wharf_proto::checksum::{Checksum, ChecksumAlgorithm};
use wharf_proto::op::PutObject;
use wharf_proto::{CannedAcl, ETag, Encryption, EventHoldDuration, Grantee, ObjectLockMode, StorageClass};

use super::Upload;
use crate::Client;

/// What is said of the object, as [`put_object`](crate::Client::put_object) has it.
impl Upload {
    /// Writes only over the object with this tag; else [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn if_match(self, etag: impl Into<ETag>) -> Self {
        self.said(|put| put.if_match(etag))
    }

    /// Writes only where there is no object yet; else [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    pub fn if_absent(self) -> Self {
        self.said(|put| put.if_absent())
    }

    /// The media type, in place of the one that follows from the body.
    pub fn content_type(self, value: impl Into<String>) -> Self {
        self.said(|put| put.content_type(value))
    }

    /// Codings that a reader must undo, such as `gzip`.
    pub fn content_encoding(self, value: impl Into<String>) -> Self {
        self.said(|put| put.content_encoding(value))
    }

    /// How a browser shall present it, such as `attachment; filename="report.csv"`.
    pub fn content_disposition(self, value: impl Into<String>) -> Self {
        self.said(|put| put.content_disposition(value))
    }

    /// The language of the content.
    pub fn content_language(self, value: impl Into<String>) -> Self {
        self.said(|put| put.content_language(value))
    }

    /// What caches may do.
    pub fn cache_control(self, value: impl Into<String>) -> Self {
        self.said(|put| put.cache_control(value))
    }

    /// Until when caches may keep it.
    pub fn expires(self, time: SystemTime) -> Self {
        self.said(|put| put.expires(time))
    }

    /// Adds a metadata entry (`x-amz-meta-*`): see [`Metadata`](crate::Metadata).
    pub fn metadata(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.said(|put| put.metadata(name, value))
    }

    /// Adds a tag; an object has at most 10.
    pub fn tag(self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.said(|put| put.tag(key, value))
    }

    /// The storage class, in place of `STANDARD`.
    pub fn storage_class(self, class: StorageClass) -> Self {
        self.said(|put| put.storage_class(class))
    }

    /// How the object is encrypted at rest, in place of the bucket's own setting.
    pub fn encryption(self, encryption: Encryption) -> Self {
        self.said(|put| put.encryption(encryption))
    }

    /// A canned ACL.
    pub fn acl(self, acl: CannedAcl) -> Self {
        self.said(|put| put.acl(acl))
    }

    /// Lets somebody read and write the object and its ACL. May be called for several.
    pub fn grant_full_control(self, grantee: Grantee) -> Self {
        self.said(|put| put.grant_full_control(grantee))
    }

    /// Lets somebody read the object. May be called for several.
    pub fn grant_read(self, grantee: Grantee) -> Self {
        self.said(|put| put.grant_read(grantee))
    }

    /// Lets somebody read the object's ACL. May be called for several.
    pub fn grant_read_acp(self, grantee: Grantee) -> Self {
        self.said(|put| put.grant_read_acp(grantee))
    }

    /// Lets somebody write the object's ACL. May be called for several.
    pub fn grant_write_acp(self, grantee: Grantee) -> Self {
        self.said(|put| put.grant_write_acp(grantee))
    }

    /// Locks the version until then, in a bucket with object lock.
    pub fn object_lock(self, mode: ObjectLockMode, until: SystemTime) -> Self {
        self.said(|put| put.object_lock(mode, until))
    }

    /// Puts a legal hold on the version, or none: it cannot be deleted while the hold is on.
    pub fn legal_hold(self, on: bool) -> Self {
        self.said(|put| put.legal_hold(on))
    }

    /// Puts an event hold on the version, or none.
    pub fn event_hold(self, on: bool) -> Self {
        self.said(|put| put.event_hold(on))
    }

    /// How long the version stays locked after its event hold.
    pub fn event_hold_duration(self, duration: EventHoldDuration) -> Self {
        self.said(|put| put.event_hold_duration(duration))
    }

    /// Where a website's reader is sent: a key that begins with `/`, or a URL.
    pub fn website_redirect_location(self, location: impl Into<String>) -> Self {
        self.said(|put| put.website_redirect_location(location))
    }

    /// Has the body checked by this algorithm, in place of the client's default.
    pub fn checksum(self, algorithm: ChecksumAlgorithm) -> Self {
        self.said(|put| put.checksum(algorithm))
    }

    /// Has the body checked against a checksum that is known already.
    pub fn checksum_value(self, checksum: Checksum) -> Self {
        self.said(|put| put.checksum_value(checksum))
    }

    /// Sends no checksum.
    pub fn no_checksum(self) -> Self {
        self.said(|put| put.no_checksum())
    }

    /// Has the body checked against its MD5, given in base64 (`Content-MD5`), in place of the default checksum. It is
    /// never computed unasked: see [`md5_base64`](crate::proto::checksum::md5_base64).
    pub fn content_md5(self, base64: impl Into<String>) -> Self {
        self.said(|put| put.content_md5(base64))
    }

    /// Appends to the object, which must have this many bytes now (`x-amz-write-offset-bytes`; directory buckets only).
    /// [`verify`](Upload::verify) has nothing to compare then: the object is more than what was sent.
    pub fn write_offset_bytes(self, offset: u64) -> Self {
        self.said(|put| put.write_offset_bytes(offset))
    }

    /// Agrees to pay for the request in a requester-pays bucket.
    pub fn request_payer(self) -> Self {
        self.said(|put| put.request_payer())
    }

    /// Fails with [`AccessDenied`](crate::ErrorKind::AccessDenied) unless this account owns the bucket.
    pub fn expected_bucket_owner(self, account_id: impl Into<String>) -> Self {
        self.said(|put| put.expected_bucket_owner(account_id))
    }

    fn said(self, say: impl FnOnce(PutObject<Client>) -> PutObject<Client>) -> Self {
        Self { put: say(self.put), settings: self.settings }
    }
}

/// How it is moved.
impl Upload {
    /// The size of parts in bytes: 8 MiB by default. They are larger where the server would not take so many, or so small
    /// ones, and those of a stream whose length is not known grow.
    pub fn part_size(mut self, bytes: u64) -> Self {
        self.settings.part_size = bytes;
        self
    }

    /// From how many bytes on it is sent in parts: 16 MiB by default. What would be one part is one request in any case.
    pub fn multipart_threshold(mut self, bytes: u64) -> Self {
        self.settings.threshold = bytes;
        self
    }

    /// How many bytes a stream of unknown length may have, so that its parts need not grow. No promise.
    pub fn expected_size(mut self, bytes: u64) -> Self {
        self.settings.expected_size = Some(bytes);
        self
    }

    /// How many requests may be in flight; by default as many as turn out to be good.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.settings.concurrency = Some(requests);
        self
    }

    /// How long it goes on trying while nothing moves: 5 minutes by default.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.settings.patience = patience;
        self
    }

    /// Where parts of a stream are kept until they are stored, once [`Limits::memory`](crate::transfer::Limits) is used
    /// up: the system's directory for temporary files by default. What is there has no name, and goes with the process. At most
    /// 4 GiB and a part are, or three parts where those are larger: parts of a stream of unknown length grow to 5 GiB, beyond some
    /// 400 GiB of it.
    pub fn spool_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.settings.spool_dir = Some(directory.into());
        self
    }

    /// Has an upload from a path that is interrupted, by a failure, a crash or a power failure, go on when the same call is
    /// made again, also by another process. No by default.
    ///
    /// What is sent in parts is written down in a journal, in
    /// [`journal_dir`](Upload::journal_dir). The same call is one to the same bucket and key, from the same path, with
    /// the same options, while the file has neither been written to nor replaced. It asks the server which parts there
    /// are (ListParts), and sends the others; [`Uploaded::resumed_bytes`](super::Uploaded::resumed_bytes) says how much that saved. Where file or
    /// options have changed, what was begun is aborted, and the upload begins anew; so it does where the upload is gone.
    /// A second call at the same time is [`InUse`](crate::ErrorKind::InUse).
    ///
    /// An upload that fails or is dropped is kept then, and its parts cost storage: the same call finishes it, and
    /// [`Interrupted::remove`](crate::transfer::Interrupted::remove) gives it up. What cannot succeed by being repeated,
    /// such as a condition that does not hold, is aborted as ever.
    ///
    /// One orphan there can be: an upload without parts, where the process ended before the answer to
    /// CreateMultipartUpload came. The next run looks for it (ListMultipartUploads) and names those that it may be, in
    /// [`Uploaded::left_over`](super::Uploaded::left_over) and in errors. It aborts none, for it may be another program's.
    ///
    /// Bytes, streams and readers cannot be resumed: [`InvalidInput`](crate::ErrorKind::InvalidInput).
    pub fn resumable(mut self, resumable: bool) -> Self {
        self.settings.resumable = resumable;
        self
    }

    /// Where the journal of a [`resumable`](Upload::resumable) upload is kept: by default `wharf/uploads` in the user's
    /// state folder (`$XDG_STATE_HOME`, or `~/.local/state`; `~/Library/Application Support` on macOS, `%LOCALAPPDATA%`
    /// on Windows). It is made if it is not there.
    ///
    /// An upload that was dropped is written down there as well where it could not be aborted, for the time for that or its runtime
    /// ended, so that it is listed and can be removed: by [`Client::interrupted_transfers`](crate::Client::interrupted_transfers) in
    /// the default folder, by [`Interrupted::list`](crate::transfer::Interrupted::list) in one that was named.
    pub fn journal_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.settings.journal_dir = Some(directory.into());
        self
    }

    /// Asks the server for what it stored, by one HeadObject, and compares length and checksum. Where the server keeps
    /// none, but its ETags are known to be MD5s ([`trust_etags`](crate::ClientBuilder::trust_etags)), what was sent is
    /// read once more for its MD5, unless it was a stream in parts.
    pub fn verify(mut self, verify: bool) -> Self {
        self.settings.verify = verify;
        self
    }

    /// Writes a random id into the object's metadata (`x-amz-meta-wharf-write-id`). Where the answer to the write is
    /// lost and the same request is refused when it is made again, HeadObject finds out by it whether the object
    /// that stands there is this call's. Without it the call fails with an error that is
    /// [`maybe_ours`](crate::Error::maybe_ours).
    pub fn write_id(mut self, write_id: bool) -> Self {
        self.settings.write_id = write_id;
        self
    }
}
