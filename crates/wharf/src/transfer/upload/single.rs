//! An object in one request.

use std::future::IntoFuture;

use wharf_proto::Error;
use wharf_proto::checksum::ChecksumAlgorithm;
use wharf_proto::op::PutObjectOutput;

use super::file::Snapshot;
use super::job::{Job, Unconfirmed};
use super::replay::Replay;
use super::source::other_bytes;
use super::verify::Sent;
use super::{Uploaded, proof, verify};
use crate::transfer::Verification;
use crate::transfer::patience::{AFTER_CONFLICT, CONFLICTS, was_spoilt};

pub(super) async fn put(job: &Job, content: Replay, file: Option<&Snapshot>, length: u64) -> Result<Uploaded, Error> {
    job.watch.expect(length);
    // Else it is computed where the request is made, and nowhere else; what is appended is not all that the object has.
    let is_wanted = job.settings.verify && !job.object.is_append();
    let ours = match job.object.algorithm(job.habits()).filter(|_| is_wanted) {
        Some(algorithm) => Some(content.checksum(algorithm).await?),
        None => None,
    };
    let mut conflicts = 0;
    let mut lost_before = false;
    let uploaded = loop {
        let written = job.write(|| async {
            if let Some(file) = file {
                file.check().await?;
            }
            let sent = job.object.put_object(job.sender.clone(), content.body()).into_future().await;
            if let Err(error) = &sent
                && was_spoilt(error)
            {
                check_known(job, &content).await?;
            }
            let output = sent?;
            job.moved(length);
            Ok(output)
        });
        match written.await {
            Ok(output) => break of_put(job, output, length),
            Err(Unconfirmed { error, lost }) => {
                lost_before |= lost;
                conflicts += 1;
                let may_pass = error.kind().is_conflict() && job.object.outlives_conflicts();
                if !may_pass || lost_before || conflicts > CONFLICTS {
                    let attempts = error.attempts() + conflicts - 1;
                    let error = error.with_attempts(attempts);
                    let head = proof::settle(job, Unconfirmed { error, lost: lost_before }).await?;
                    break verify::of_head(head, ours.as_ref(), length, 1)?;
                }
                tokio::time::sleep(AFTER_CONFLICT * conflicts).await;
            }
        }
    };
    job.watch.part_done();
    let sent = Sent { content: Some(content), file: file.cloned(), plan: None };
    verify::finish(job, uploaded, ours.as_ref(), sent).await
}

/// Fails where the bytes are not those of the checksum that the caller has given: sent again, they would not be either.
async fn check_known(job: &Job, content: &Replay) -> Result<(), Error> {
    let Some(known) = job.object.known_checksum()? else { return Ok(()) };
    let found = content.checksum(known.algorithm()).await?;
    if found == known { Ok(()) } else { Err(other_bytes(&known, &found)) }
}

fn of_put(job: &Job, output: PutObjectOutput, size: u64) -> Uploaded {
    let verification = match (job.object.algorithm(job.habits()), &output.checksum) {
        // What it names was compared with what was sent.
        (Some(sent), Some(named)) if named.algorithm() == sent && !named.is_composite() => Verification::Verified(sent),
        (None, _) => of_md5(job, &output).unwrap_or(Verification::NotVerified("no checksum was sent")),
        _ => Verification::NotVerified("the server names no checksum of what it stored"),
    };
    Uploaded {
        etag: output.etag,
        version_id: output.version_id,
        checksum: output.checksum,
        checksum_type: output.checksum_type,
        encryption: output.encryption,
        size: output.size.unwrap_or(size),
        parts: 1,
        expiration: output.expiration,
        request_charged: output.request_charged,
        resumed_bytes: 0,
        left_over: Vec::new(),
        lost_create: false,
        verification,
    }
}

/// A tag that is the MD5 which the caller has given is one that the server has computed.
fn of_md5(job: &Job, output: &PutObjectOutput) -> Option<Verification> {
    let md5 = job.object.known_checksum().ok().flatten().filter(|it| it.algorithm() == ChecksumAlgorithm::Md5)?;
    let hex: String = md5.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    (output.etag.unquoted() == hex).then_some(Verification::Verified(ChecksumAlgorithm::Md5))
}
