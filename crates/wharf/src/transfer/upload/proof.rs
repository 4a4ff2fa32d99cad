//! Whose object stands there after an answer was lost.

use std::future::IntoFuture;

use wharf_proto::checksum::{Checksum, ChecksumAlgorithm, ChecksumType};
use wharf_proto::transfer::journal::{StoredPart, hex};
use wharf_proto::{ETag, Error, ErrorKind, ObjectHead};

use super::job::{Job, Unconfirmed};

/// The metadata entry that holds the write id.
pub(super) const NAME: &str = "wharf-write-id";

/// An id that no other write has.
pub(super) fn new_id() -> String {
    format!("{:032x}", fastrand::u128(..))
}

/// What stands there, if it is what a write without a condition was to write: the answer to its completion was lost, and its
/// upload is gone. Either the server has completed it, or somebody has aborted it and the same object stands there anyway.
/// Which, nobody can tell; but what the caller wants is there, in each byte and all its metadata. Whoever made a condition
/// wants to know whose object it is, and that equal bytes do not tell.
pub(super) async fn stands(
    job: &Job,
    write: &Unconfirmed,
    parts: &[StoredPart],
    ours: Option<&Checksum>,
    size: u64,
) -> Option<ObjectHead> {
    let is_gone = write.lost && write.error.kind() == ErrorKind::NoSuchUpload;
    if !is_gone || job.object.is_conditional() || job.write_id.is_some() {
        return None;
    }
    let look = || job.object.head_object(job.sender.clone()).checksum_mode(true).into_future();
    let head = job.patiently(look).await;
    let head = head.inspect_err(|error| tracing::debug!(%error, "what stands there is not known")).ok()?;
    let is_same = head.content_length == size && job.object.has_metadata_of(&head) && has_bytes(&head, parts, ours);
    is_same.then_some(head)
}

/// Whether the object is made of these parts: by the checksum that the server keeps of it, else by its tag.
fn has_bytes(head: &ObjectHead, parts: &[StoredPart], ours: Option<&Checksum>) -> bool {
    let is_composite =
        |checksum: &Checksum| checksum.is_composite() || head.checksum_type == Some(ChecksumType::Composite);
    match (&head.checksum, ours) {
        (Some(theirs), Some(ours)) if theirs.algorithm() == ours.algorithm() => {
            is_composite(theirs) == ours.is_composite() && theirs.as_bytes() == ours.as_bytes()
        }
        _ => tag_of(parts).is_some_and(|tag| head.etag.unquoted() == tag),
    }
}

/// The tag of an object of these parts, where tags are MD5s: the MD5 of theirs, and how many there are.
fn tag_of(parts: &[StoredPart]) -> Option<String> {
    let digests: Option<Vec<_>> = parts.iter().map(|part| md5_of(&part.etag)).collect();
    let digest = ChecksumAlgorithm::Md5.checksum(&digests?.concat());
    Some(format!("{}-{}", hex(&digest), parts.len()))
}

fn md5_of(etag: &ETag) -> Option<[u8; 16]> {
    let digits = etag.unquoted();
    let mut digest = [0; 16];
    if digits.len() != 2 * digest.len() || !digits.is_ascii() {
        return None;
    }
    for (at, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(digest)
}

/// What stands there, if it is known to be this call's; else the error of the write.
pub(super) async fn settle(job: &Job, write: Unconfirmed) -> Result<ObjectHead, Error> {
    let Unconfirmed { error, lost } = write;
    // A condition may have failed for what an earlier run has stored, and was not told.
    let done = job.resume.as_ref().and_then(|resume| resume.done.as_ref());
    let done = done.filter(|_| error.kind() == ErrorKind::PreconditionFailed);
    if !lost && done.is_none() {
        return Err(error);
    }
    let earlier_id = done.and_then(|done| done.write_id.as_deref());
    let is_ours = |id: &str| Some(id) == job.write_id.as_deref() || Some(id) == earlier_id;
    if job.write_id.is_none() && earlier_id.is_none() {
        return Err(error.with_maybe_ours(true).with_hint(
            "an answer was lost, and what stands there may be what this call wrote: Upload::write_id finds out",
        ));
    }
    match job.object.head_object(job.client()).checksum_mode(true).await {
        Ok(head) if head.metadata.get(NAME).is_some_and(|id| is_ours(id)) => Ok(head),
        Ok(_) => Err(undecided(error).with_note("what stands there is not this call's")),
        Err(head) if head.kind() == ErrorKind::NotFound => Err(undecided(error)),
        Err(head) => Err(error
            .with_maybe_ours(true)
            .with_note(format_args!("an answer was lost, and what stands there could not be found out: {head}"))),
    }
}

/// The write may still arrive, unless the server has said that it will not carry it out.
fn undecided(error: Error) -> Error {
    let refused = matches!(error.kind(), ErrorKind::PreconditionFailed | ErrorKind::Conflict | ErrorKind::NoSuchUpload);
    error.with_maybe_ours(!refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(number: u32, etag: &str) -> StoredPart {
        StoredPart { number, length: 1, etag: etag.into(), checksum: None, confirmed: false }
    }

    #[test]
    fn the_tag_of_parts() {
        // printf 'a' | md5sum, printf 'b' | md5sum, and md5sum of both digests' bytes.
        let (a, b) = ("\"0cc175b9c0f1b6a831c399e269772661\"", "92eb5ffee6ae2fec3ad71c777531578f");
        assert_eq!(tag_of(&[part(1, a), part(2, b)]).unwrap(), "96e024ba2074fe77e8e965ba43a704be-2");
        assert_eq!(tag_of(&[part(1, a), part(2, "not-an-md5")]), None);
        assert_eq!(tag_of(&[part(1, "\"0cc175b9c0f1b6a831c399e26977266\u{e4}\"")]), None);
    }
}
