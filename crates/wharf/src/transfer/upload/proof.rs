//! Whose object stands there after an answer was lost.

use wharf_proto::{Error, ErrorKind, ObjectHead};

use super::job::{Job, Unconfirmed};

/// The metadata entry that holds the write id.
pub(super) const NAME: &str = "wharf-write-id";

/// An id that no other write has.
pub(super) fn new_id() -> String {
    format!("{:032x}", fastrand::u128(..))
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
