//! What is known of an object that was written.

use wharf_proto::checksum::{Checksum, ChecksumType};
use wharf_proto::evidence::{Comparison, Doubt, Evidence, Likeness};
use wharf_proto::transfer::PartPlan;
use wharf_proto::{Error, ErrorKind, ObjectHead};

use super::Uploaded;
use super::file::Snapshot;
use super::job::Job;
use super::replay::Replay;
use crate::transfer::Verification;

const WRONG: &str = "the object named here is stored and wrong: delete it or write it again";

/// What was sent.
#[derive(Default)]
pub(super) struct Sent {
    /// The bytes, where they can be read once more.
    pub(super) content: Option<Replay>,
    /// The file that they are in.
    pub(super) file: Option<Snapshot>,
    /// How they were cut.
    pub(super) plan: Option<PartPlan>,
}

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
    Err(Error::new(ErrorKind::Corrupt, problem).with_hint(WRONG))
}

/// Asks the server for what it has, where the caller wants that.
pub(super) async fn finish(
    job: &Job,
    mut uploaded: Uploaded,
    ours: Option<&Checksum>,
    sent: Sent,
) -> Result<Uploaded, Error> {
    if !job.settings.verify {
        return Ok(uploaded);
    }
    let mut call = job.object.head_object(job.client()).checksum_mode(true);
    // Some servers call what has no versions so, and then do not know it by that name.
    if let Some(version) = uploaded.version_id.as_ref().filter(|version| *version != "null") {
        call = call.version_id(version);
    }
    let head = call.await.map_err(|error| error.with_note("the object was written, and could not be verified"))?;
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
        return Err(Error::new(ErrorKind::Corrupt, problem).with_hint(WRONG));
    }
    if let Some(found) = found {
        uploaded.verification = found?;
    }
    if !uploaded.verification.is_verified() {
        uploaded.verification = once_more(job, &head, uploaded.size, sent).await?;
    }
    if uploaded.checksum.is_none() {
        (uploaded.checksum, uploaded.checksum_type) = (head.checksum, head.checksum_type);
    }
    uploaded.encryption = uploaded.encryption.or(head.encryption);
    Ok(uploaded)
}

/// Reads what was sent once more, if the object has a checksum or an ETag that it can be compared with.
async fn once_more(job: &Job, head: &ObjectHead, size: u64, sent: Sent) -> Result<Verification, Error> {
    let unknown = |doubt: Doubt| Ok(Verification::NotVerified(doubt.as_str()));
    let evidence = Evidence::of(head.into(), job.habits(), job.object.bucket());
    let proof = match evidence.proof() {
        Ok(proof) => proof,
        Err(doubt) => return unknown(doubt),
    };
    let Some(content) = sent.content else { return unknown(Doubt::Gone) };
    let likeness = match Comparison::new(proof, size, sent.plan.as_slice()) {
        Ok(comparison) => content.compare(comparison).await?,
        Err(doubt) => Likeness::Unknown(doubt),
    };
    if let Some(verification) = Verification::of(likeness) {
        return Ok(verification);
    }
    if let Some(file) = sent.file
        && file.check().await.is_err()
    {
        return unknown(Doubt::Changed);
    }
    let algorithm = proof.checksum.algorithm();
    Err(match proof.is_etag {
        true => Error::new(
            ErrorKind::Corrupt,
            format!("the server stored other bytes than were sent: its ETag {} is not their {algorithm}", head.etag),
        )
        .with_hint(format!("{WRONG}; or its ETags are no MD5s: say `trust_etags(false)`")),
        false => Error::new(
            ErrorKind::Corrupt,
            format!("the server stored other bytes than were sent: {} is not their {algorithm}", proof.checksum),
        )
        .with_hint(WRONG),
    })
}
