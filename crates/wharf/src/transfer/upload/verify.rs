//! What is known of an object that was written.

use std::future::IntoFuture;

use wharf_proto::checksum::{Checksum, ChecksumType};
use wharf_proto::{Error, ErrorKind, ObjectHead};

use super::Uploaded;
use super::job::Job;
use crate::transfer::Verification;

/// The object as a HEAD shows it, where the answer to the write was lost. `ours` is the checksum that it must have.
pub(super) fn of_head(head: ObjectHead, ours: Option<&Checksum>, size: u64, parts: u32) -> Result<Uploaded, Error> {
    let verification = match (ours, &head.checksum) {
        (Some(ours), Some(named)) => compare(ours, named, head.checksum_type)?,
        _ => Verification::NotVerified("the answer was lost, and the server names no checksum of what it stored"),
    };
    Ok(Uploaded {
        etag: head.etag,
        version_id: head.version_id,
        checksum: head.checksum,
        checksum_type: head.checksum_type,
        encryption: head.encryption,
        size,
        parts,
        expiration: head.expiration,
        request_charged: head.request_charged,
        resumed_bytes: 0,
        left_over: Vec::new(),
        verification,
    })
}

/// What a checksum that the server names of the whole object says, where `ours` is what it must be.
pub(super) fn compare(ours: &Checksum, named: &Checksum, kind: Option<ChecksumType>) -> Result<Verification, Error> {
    let is_composite = named.is_composite() || kind == Some(ChecksumType::Composite);
    if named.algorithm() != ours.algorithm() || is_composite != ours.is_composite() {
        return Ok(Verification::NotVerified("the server keeps another checksum than ours"));
    }
    if named.as_bytes() == ours.as_bytes() {
        return Ok(Verification::Verified(ours.algorithm()));
    }
    let problem =
        format!("the server stored other bytes than were sent: its {} is {named}, ours {ours}", ours.algorithm());
    let hint = "the object named here is stored and wrong: delete it or write it again";
    Err(Error::new(ErrorKind::Corrupt, problem).with_hint(hint))
}

/// Asks the server for what it has, where the caller wants that.
pub(super) async fn finish(job: &Job, mut uploaded: Uploaded, ours: Option<&Checksum>) -> Result<Uploaded, Error> {
    if !job.settings.verify {
        return Ok(uploaded);
    }
    // Some servers call what has no versions so, and then do not know it by that name.
    let version = uploaded.version_id.as_ref().filter(|version| *version != "null");
    let looked = job.patiently(|| {
        let call = job.object.head_object(job.sender.clone()).checksum_mode(true);
        let call = if let Some(version) = version { call.version_id(version) } else { call };
        call.into_future()
    });
    let head = looked.await.map_err(|error| error.with_note("the object was written, and could not be verified"))?;
    let found = match (ours, &head.checksum) {
        (Some(ours), Some(named)) => Some(compare(ours, named, head.checksum_type)),
        _ => None,
    };
    if head.etag != uploaded.etag && !matches!(found, Some(Ok(Verification::Verified(_)))) {
        uploaded.verification = Verification::NotVerified("what stands there has not the ETag that the write got");
        return Ok(uploaded);
    }
    if head.content_length != uploaded.size {
        let problem = format!("the server has {} bytes of the {} sent", head.content_length, uploaded.size);
        let hint = "the object named here is stored and wrong: delete it or write it again";
        return Err(Error::new(ErrorKind::Corrupt, problem).with_hint(hint));
    }
    if let Some(found) = found {
        uploaded.verification = found?;
    }
    uploaded.checksum = uploaded.checksum.or(head.checksum);
    Ok(uploaded)
}
