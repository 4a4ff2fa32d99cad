//! Copies: one CopyObject to its limit, parts beyond, through this machine where the server cannot.

mod options;
mod single;
mod through;

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tracing::Instrument;
use wharf_proto::checksum::{Checksum, ChecksumType};
use wharf_proto::evidence::{Evidence, Facts, Likeness};
use wharf_proto::op::CopyObject;
use wharf_proto::operation::SendFuture;
use wharf_proto::provider::{Condition, Habits};
use wharf_proto::{Body, ETag, EncryptionInfo, Error, ErrorKind, ObjectHead, Tag};

use super::handle::{Transfer, Watch};
use super::lane::Lane;
use super::patience::{PATIENCE, patiently};
use super::upload::Uploaded;
use super::upload::copied::{self, Moving};
use super::verification::Verification;
use crate::Client;

/// What one CopyObject copies at most.
const LIMIT: u64 = 5 << 30;

/// How many bytes a part has that the server copies: its bytes cost nothing here.
const PART_SIZE: u64 = 64 << 20;

/// Copies an object of any size: [`Client::copy`].
///
/// One CopyObject up to 5 GiB. Beyond, or from [`multipart_threshold`](Copy::multipart_threshold) on, HeadObject and GetObjectTagging say what the
/// source has, and CreateMultipartUpload, UploadPartCopy and CompleteMultipartUpload make an object with the same metadata,
/// headers and tags: as one CopyObject would have. All that [`CopyObject`] has can be said here too, and holds at every size; but
/// for annotations, which only CopyObject takes along.
///
/// All parts are of the version and the ETag that were seen first. A provider that is known to ignore conditions on the source
/// is asked for its ETag once more before the copy is completed; there a source that is replaced between HeadObject and
/// CopyObject goes unnoticed, so that [`keep_metadata`](Copy::keep_metadata) may keep the metadata of the one with the bytes of
/// the other. What was begun is aborted where the copy fails for good or is dropped. Where the server keeps a checksum of all
/// bytes, the copy must have it.
///
/// With [`to`](Copy::to), and for a large object on a server without UploadPartCopy, the bytes pass through this machine: read
/// in order by one request, which goes on at its last good byte where it breaks off.
///
/// # Errors
/// As [`CopyObject`] and the multipart operations have them.
/// [`PreconditionFailed`](ErrorKind::PreconditionFailed) too where the source was replaced meanwhile,
/// [`Unsupported`](ErrorKind::Unsupported) for a large source with metadata that headers cannot hold,
/// [`Corrupt`](ErrorKind::Corrupt) where the copy has other bytes than the source.
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct Copy {
    client: Client,
    call: CopyObject<Client>,
    to: Option<Client>,
    multipart_threshold: Option<u64>,
    part_size: Option<u64>,
    concurrency: Option<usize>,
    patience: Duration,
    verify: bool,
    keep_metadata: bool,
}

/// An object that was copied.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Copied {
    /// The copy's entity tag; empty where the server sent none. That of a copy in parts is another than the source's.
    pub etag: ETag,
    /// The copy's version; `None` where its bucket has no versions.
    pub version_id: Option<String>,
    /// The version that was copied; `None` where the source's bucket has no versions.
    pub source_version_id: Option<String>,
    /// When the copy was written, where the server said so.
    pub last_modified: Option<SystemTime>,
    /// The checksum that the server keeps of the copy.
    pub checksum: Option<Checksum>,
    /// Whether the checksum covers the object's bytes or its parts' checksums.
    pub checksum_type: Option<ChecksumType>,
    /// How the copy is encrypted at rest.
    pub encryption: Option<EncryptionInfo>,
    /// How many bytes it has; `None` where one request copied it and nobody asked.
    pub size: Option<u64>,
    /// How many parts it was copied in; 1 for one request.
    pub parts: u32,
    /// Whether the requester was charged.
    pub request_charged: bool,
    /// Whether an answer to CreateMultipartUpload was lost on the way, so that another upload without parts may be left over:
    /// [`list_multipart_uploads`](crate::Client::list_multipart_uploads) shows it.
    pub lost_create: bool,
    /// Whether the copy is known to have the source's bytes.
    pub verification: Verification,
}

impl Client {
    /// Copies an object of any size: see [`Copy`](crate::transfer::Copy).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?; s3.put_object("my-bucket", "a", "Hello!").await?;
    /// let copied = s3.copy("my-bucket", "a", "my-bucket", "b").if_absent().await?;
    /// assert_eq!(copied.parts, 1);
    /// # Ok(()) }
    /// ```
    pub fn copy(
        &self,
        source_bucket: impl Into<String>,
        source_key: impl Into<String>,
        bucket: impl Into<String>,
        key: impl Into<String>,
    ) -> Copy {
        Copy {
            client: self.clone(),
            call: CopyObject::new(self.for_transfers(), source_bucket, source_key, bucket, key),
            to: None,
            multipart_threshold: None,
            part_size: None,
            concurrency: None,
            patience: PATIENCE,
            verify: false,
            keep_metadata: false,
        }
    }
}

impl Copy {
    /// Starts it in a task of its own, which can be watched and cancelled.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) outside a Tokio runtime, but for a client of
    /// [`wharf::blocking`](crate::blocking).
    pub fn start(self) -> Result<Transfer<Copied>, Error> {
        let client = self.client.clone();
        Transfer::start(&client.inner().runtime, |watch| self.run(watch))
    }

    pub(super) async fn run(self, watch: Arc<Watch>) -> Result<Copied, Error> {
        let (bucket, key) = self.call.place();
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        let span = tracing::debug_span!("copy", bucket, key);
        let copied = self.copy(watch).instrument(span).await;
        copied.map_err(|error| error.at("copy", Some(&bucket), Some(&key)))
    }

    /// With [`if_absent`](Copy::if_absent), unless the server is known to ignore that for an object of so many bytes.
    pub(super) fn if_absent_unless_ignored(self, length: u64) -> Self {
        let writer = self.to.as_ref().unwrap_or(&self.client);
        let habits = &writer.inner().sending.habits;
        let condition = match (&self.to, self.is_large(length)) {
            (None, false) => Condition::CopyIfAbsent,
            (None, true) if habits.parts.copies => Condition::CompleteIfAbsent,
            _ => copied::absence(writer, self.part_size, length),
        };
        if habits.ignores.contains(condition) { self } else { self.if_absent() }
    }

    /// Whether an object of so many bytes is copied in parts.
    fn is_large(&self, length: u64) -> bool {
        length > LIMIT || self.multipart_threshold.is_some_and(|threshold| length >= threshold)
    }

    async fn copy(mut self, watch: Arc<Watch>) -> Result<Copied, Error> {
        let mut seen = None;
        if self.keep_metadata && self.call.changes_metadata() {
            let source = self.source(&watch).await?;
            self.call = self.call.with_metadata_of(&source)?;
            seen = Some(source);
        }
        let may_be_large = self.multipart_threshold.is_some_and(|threshold| threshold <= LIMIT);
        if seen.is_none() && (self.to.is_some() || may_be_large) {
            seen = Some(self.source(&watch).await?);
        }
        let Some(source) = seen else {
            return match single::copy(&self, None, &watch).await {
                // Too large, or anything else that is wrong with it: the codes differ from server to server.
                Err(error) if error.status().is_some_and(|status| matches!(status.as_u16(), 400 | 413)) => {
                    let Ok(source) = self.source(&watch).await else { return Err(error) };
                    match self.is_large(source.content_length) {
                        true => self.large(&source, watch).await,
                        false => Err(error),
                    }
                }
                done => done,
            };
        };
        if let Some(client) = self.to.clone() {
            return self.through_here(client, &source, watch).await;
        }
        match self.is_large(source.content_length) {
            true => self.large(&source, watch).await,
            false => single::copy(&self, Some(&source), &watch).await,
        }
    }

    async fn large(self, source: &ObjectHead, watch: Arc<Watch>) -> Result<Copied, Error> {
        if !self.habits().parts.copies {
            let client = self.client.clone();
            return self.through_here(client, source, watch).await;
        }
        let object = self.call.written(source, self.tags(source, &watch).await?)?;
        let part_size = self.part_size.unwrap_or(PART_SIZE);
        let moving = self.moving(self.client.clone(), Some(part_size), watch);
        let (call, seen, habits) = (self.call.clone(), source.clone(), *self.habits());
        let copy = move |client, upload_id: &str, part| call.copy_part(client, &seen, &habits, upload_id, part);
        let is_whole = self.is_still(source, &moving.watch);
        let copied = copied::in_parts(&moving, object, source.content_length, copy, is_whole).await?;
        self.of_upload(copied, source, &moving.client)
    }

    async fn through_here(self, client: Client, source: &ObjectHead, watch: Arc<Watch>) -> Result<Copied, Error> {
        let object = self.call.written(source, self.tags(source, &watch).await?)?;
        let body = Body::sized_stream(through::read(&self, source), source.content_length);
        let moving = self.moving(client, self.part_size, watch);
        let uploaded = copied::through_here(&moving, object, body).await?;
        self.of_upload(uploaded, source, &moving.client)
    }

    /// Makes a request about the source until it succeeds: see [`patiently`].
    async fn ask<T, F>(&self, watch: &Watch, attempt: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let (lane, clock) = (Lane::of(&self.client, self.concurrency), &self.client.inner().clock);
        patiently(&lane, watch, self.patience, || clock.jitter(), attempt).await
    }

    /// Fails where parts that were not held to what was seen of their source may be of another object.
    async fn is_still(&self, seen: &ObjectHead, watch: &Watch) -> Result<(), Error> {
        if self.is_pinned(seen) || self.source(watch).await?.etag == seen.etag { Ok(()) } else { Err(replaced()) }
    }

    /// Whether what is copied is held to what was seen of it.
    fn is_pinned(&self, source: &ObjectHead) -> bool {
        CopyObject::<Client>::pins(source, self.habits())
    }

    fn habits(&self) -> &Habits {
        &self.client.inner().sending.habits
    }

    /// What there is to be copied.
    async fn source(&self, watch: &Watch) -> Result<ObjectHead, Error> {
        let sender = self.client.for_transfers();
        let source = self.ask(watch, || self.call.head_of_source(sender.clone()).into_future()).await;
        source.map_err(|error| match error.kind() {
            // As CopyObject says it.
            ErrorKind::NotModified => error.with_kind(ErrorKind::PreconditionFailed),
            _ => error,
        })
    }

    async fn tags(&self, source: &ObjectHead, watch: &Watch) -> Result<Vec<Tag>, Error> {
        let sender = self.client.for_transfers();
        let Some(call) = self.call.tags_of_source(sender, source) else { return Ok(Vec::new()) };
        match self.ask(watch, || call.clone().into_future()).await {
            Ok(output) => Ok(output.tags),
            // A server without tags.
            Err(error) if error.kind() == ErrorKind::NotImplemented => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn moving(&self, client: Client, part_size: Option<u64>, watch: Arc<Watch>) -> Moving {
        let (concurrency, patience, verify) = (self.concurrency, self.patience, self.verify);
        Moving { client, part_size, concurrency, patience, verify, watch }
    }

    /// Whether source and copy, which `to` has written, have the same bytes, as far as checksums and ETags tell.
    fn likeness(&self, source: &ObjectHead, copy: Facts<'_>, to: &Client) -> Likeness {
        let source = Evidence::of(source.into(), self.habits(), self.call.source_bucket());
        source.compare(&Evidence::of(copy, &to.inner().sending.habits, self.call.place().0))
    }

    fn of_upload(&self, uploaded: Uploaded, source: &ObjectHead, to: &Client) -> Result<Copied, Error> {
        let mut verification = of_both(uploaded.verification, uploaded.checksum, source)?;
        if self.verify && !verification.is_verified() {
            let Uploaded { etag, checksum, checksum_type, encryption, .. } = &uploaded;
            let (checksum, checksum_type, encryption) = (*checksum, *checksum_type, encryption.as_ref());
            let likeness = self.likeness(source, Facts { etag, checksum, checksum_type, encryption }, to);
            verification = Verification::of(likeness).ok_or_else(other_bytes)?;
        }
        Ok(Copied {
            etag: uploaded.etag,
            version_id: uploaded.version_id,
            source_version_id: source.version_id.clone(),
            last_modified: None,
            verification,
            checksum: uploaded.checksum,
            checksum_type: uploaded.checksum_type,
            encryption: uploaded.encryption,
            size: Some(uploaded.size),
            parts: uploaded.parts,
            request_charged: uploaded.request_charged,
            lost_create: uploaded.lost_create,
        })
    }
}

/// The error of a source that is another object by now.
fn replaced() -> Error {
    Error::new(ErrorKind::PreconditionFailed, "the source was replaced while it was copied")
}

/// The error of a copy that is known to have other bytes.
fn other_bytes() -> Error {
    Error::new(ErrorKind::Corrupt, "the copy has other bytes than its source, by their checksums or ETags")
        .with_hint("the copy is stored: delete it or make it again")
}

/// That the parts are what was copied is no proof: the source's checksum must be the copy's.
fn of_both(copy: Verification, checksum: Option<Checksum>, source: &ObjectHead) -> Result<Verification, Error> {
    let of_all = |checksum: Option<Checksum>| checksum.filter(|checksum| !checksum.is_composite());
    match (of_all(checksum), of_all(source.checksum)) {
        (Some(copied), Some(there)) if copied.algorithm() == there.algorithm() && copied != there => Err(other_bytes()),
        _ if !copy.is_verified() || (checksum.is_some() && source.checksum == checksum) => Ok(copy),
        _ => Ok(Verification::NotVerified("the source has no checksum like the copy's")),
    }
}

impl IntoFuture for Copy {
    type Output = Result<Copied, Error>;
    type IntoFuture = SendFuture<Copied>;

    fn into_future(self) -> Self::IntoFuture {
        let client = self.client.clone();
        client.inner().runtime.run(self.run(Watch::new()))
    }
}

#[cfg(test)]
mod tests {
    use wharf_proto::checksum::ChecksumAlgorithm::{self, Crc64Nvme, Sha256};

    use super::*;

    #[test]
    fn a_copy_is_what_its_source_is() {
        let of = |bytes: &[u8], algorithm: ChecksumAlgorithm| Some(algorithm.checksum(bytes));
        let [verified, unknown] =
            [Verification::Verified(Crc64Nvme), Verification::NotVerified("nothing was compared")];
        for (copied, there, expected) in [
            (of(b"a", Crc64Nvme), of(b"a", Crc64Nvme), Some(true)),
            (of(b"a", Crc64Nvme), of(b"a", Sha256), Some(false)),
            (of(b"a", Crc64Nvme), None, Some(false)),
            (of(b"a", Sha256), of(b"b", Sha256), None),
        ] {
            let mut source = ObjectHead::default();
            source.checksum = there;
            let verification = of_both(verified, copied, &source).map_err(|error| error.kind());
            assert_eq!(verification.map(Verification::is_verified), expected.ok_or(ErrorKind::Corrupt));
        }
        assert!(!of_both(unknown, None, &ObjectHead::default()).unwrap().is_verified());
    }
}
