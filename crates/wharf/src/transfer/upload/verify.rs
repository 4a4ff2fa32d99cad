//! What is known of an object that was written.

use std::future::IntoFuture;

use wharf_proto::checksum::{Checksum, ChecksumType};
use wharf_proto::evidence::{Comparison, Doubt, Evidence, Likeness};
use wharf_proto::transfer::PartPlan;
use wharf_proto::{Error, ErrorKind, ObjectHead, version_name};

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
        lost_create: false,
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

/// Asks the server for what it has, where the caller wants that. Of an append it has more than was sent, which proves nothing.
pub(super) async fn finish(
    job: &Job,
    mut uploaded: Uploaded,
    ours: Option<&Checksum>,
    sent: Sent,
) -> Result<Uploaded, Error> {
    if !job.settings.verify || job.object.is_append() {
        return Ok(uploaded);
    }
    let version = version_name(uploaded.version_id.as_deref());
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
    let is_another = head.etag != uploaded.etag;
    if head.content_length != uploaded.size {
        if is_another {
            uploaded.verification = ANOTHER;
            return Ok(uploaded);
        }
        let problem = format!("the server has {} bytes of the {} sent", head.content_length, uploaded.size);
        return Err(Error::new(ErrorKind::Corrupt, problem).with_hint(WRONG));
    }
    uploaded.verification = match found {
        Some(Ok(verified @ Verification::Verified(_))) => verified,
        Some(Err(wrong)) if !is_another => return Err(wrong),
        // By the answer to the write.
        None if !is_another && uploaded.verification.is_verified() => uploaded.verification,
        _ => match likeness(job, &head, uploaded.size, &sent).await? {
            Likeness::Unknown(doubt) if !is_another || uploaded.etag.is_empty() => {
                Verification::NotVerified(doubt.as_str())
            }
            Likeness::Differs if !is_another => return Err(other_bytes(job, &head)),
            // Bytes that are the same are so whoever wrote them; and rclone's answer names another ETag than it has then.
            same @ Likeness::Same(_) => Verification::of(same).unwrap_or(ANOTHER),
            _ => ANOTHER,
        },
    };
    if uploaded.verification == ANOTHER {
        return Ok(uploaded);
    }
    if uploaded.checksum.is_none() {
        (uploaded.checksum, uploaded.checksum_type) = (head.checksum, head.checksum_type);
    }
    if uploaded.etag.is_empty() {
        uploaded.etag = head.etag;
    }
    uploaded.encryption = uploaded.encryption.or(head.encryption);
    Ok(uploaded)
}

const ANOTHER: Verification = Verification::NotVerified("what stands there has not the ETag that the write got");

/// Reads what was sent once more, if the object has a checksum or an ETag that it can be compared with.
async fn likeness(job: &Job, head: &ObjectHead, size: u64, sent: &Sent) -> Result<Likeness, Error> {
    let proof = match Evidence::of(head.into(), job.habits(), job.object.bucket()).proof() {
        Ok(proof) => proof,
        Err(doubt) => return Ok(Likeness::Unknown(doubt)),
    };
    let Some(content) = &sent.content else { return Ok(Likeness::Unknown(Doubt::Gone)) };
    let likeness = match Comparison::new(proof, size, sent.plan.as_slice()) {
        Ok(comparison) => content.compare(comparison).await?,
        Err(doubt) => Likeness::Unknown(doubt),
    };
    match &sent.file {
        Some(file) if likeness == Likeness::Differs && file.check().await.is_err() => {
            Ok(Likeness::Unknown(Doubt::Changed))
        }
        _ => Ok(likeness),
    }
}

fn other_bytes(job: &Job, head: &ObjectHead) -> Error {
    let corrupt = |what: String, hint: String| {
        Error::new(ErrorKind::Corrupt, format!("the server stored other bytes than were sent: {what}")).with_hint(hint)
    };
    match Evidence::of(head.into(), job.habits(), job.object.bucket()).proof() {
        Ok(proof) if !proof.is_etag => {
            let algorithm = proof.checksum.algorithm();
            corrupt(format!("its {algorithm} is {}, which is not theirs", proof.checksum), WRONG.to_owned())
        }
        _ => corrupt(
            format!("its ETag {} is not their MD5", head.etag),
            format!("{WRONG}; or its ETags are no MD5s: say `trust_etags(false)`"),
        ),
    }
}
