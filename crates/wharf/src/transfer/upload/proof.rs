//! Whose object stands there after an answer was lost.

use std::future::IntoFuture;

use wharf_proto::checksum::Checksum;
use wharf_proto::evidence::is_made_of;
use wharf_proto::transfer::journal::StoredPart;
use wharf_proto::{Error, ErrorKind, ObjectHead};

use super::job::{Job, Unconfirmed};

/// The metadata entry that holds the write id.
pub(super) const NAME: &str = "wharf-write-id";

/// An id that no other write has.
pub(super) fn new_id() -> String {
    format!("{:032x}", fastrand::u128(..))
}

/// What stands there, if it is what a write without a condition was to write: the answer to its completion was lost, and its
/// upload is gone. Either the server has completed it, or somebody has aborted it and the same object stands there anyway.
/// Which, nobody can tell; but what the caller wants is there, in each byte and all else that was said of it. Where HeadObject
/// does not show all of that, it is not known. Whoever made a condition wants to know whose object it is, and that equal
/// bytes do not tell.
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
    let tags = parts.iter().map(|part| &part.etag);
    let is_same = head.content_length == size && job.object.is_shown_by(&head) && is_made_of(&head, tags, ours);
    is_same.then_some(head)
}

/// What stands there, if it is known to be this call's; else the error of the write.
pub(super) async fn settle(job: &Job, write: Unconfirmed) -> Result<ObjectHead, Error> {
    let Unconfirmed { error, lost } = write;
    // Its upload is gone, completed or not: what stands there is the condition's only answer.
    let is_gone = lost && job.object.is_conditional() && error.kind() == ErrorKind::NoSuchUpload;
    let refused = |error: Error| if is_gone { error.with_kind(ErrorKind::PreconditionFailed) } else { error };
    let look = || job.object.head_object(job.sender.clone()).checksum_mode(true).into_future();
    // A condition may have failed for what an earlier run has stored, and was not told.
    let done = job.resume.as_ref().and_then(|resume| resume.done.as_ref());
    let done = done.filter(|_| error.kind() == ErrorKind::PreconditionFailed);
    if !lost && done.is_none() {
        return Err(error);
    }
    let earlier_id = done.and_then(|done| done.write_id.as_deref());
    let is_ours = |id: &str| Some(id) == job.write_id.as_deref() || Some(id) == earlier_id;
    if job.write_id.is_none() && earlier_id.is_none() {
        let hint = match error.kind() {
            ErrorKind::Server => "what failed on the server may be stored all the same: Upload::write_id finds out",
            _ => "an answer was lost, and what stands there may be what this call wrote: Upload::write_id finds out",
        };
        let is_there = is_gone && job.patiently(look).await.is_ok();
        let error = if is_there { refused(error) } else { error };
        return Err(error.with_maybe_ours(true).with_hint(hint));
    }
    match job.patiently(look).await {
        Ok(head) if head.metadata.get(NAME).is_some_and(|id| is_ours(id)) => Ok(head),
        Ok(_) => Err(refused(undecided(error)).with_note("what stands there is not this call's")),
        Err(head) if head.kind() == ErrorKind::NotFound => Err(undecided(error)),
        Err(head) => Err(error
            .with_maybe_ours(true)
            .with_note(format_args!("an answer was lost, and what stands there could not be found out: {head}"))),
    }
}

/// The write may still arrive, unless the server has said that it will not carry it out.
fn undecided(error: Error) -> Error {
    let kind = error.kind();
    let refused = kind.is_conflict() || matches!(kind, ErrorKind::PreconditionFailed | ErrorKind::NoSuchUpload);
    error.with_maybe_ours(!refused)
}
