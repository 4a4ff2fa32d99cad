//! A copy by one request.

use std::future::IntoFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use wharf_proto::evidence::Facts;
use wharf_proto::op::CopyObjectOutput;
use wharf_proto::{Error, ErrorKind, ObjectHead, version_name};

use super::{Copied, Copy, other_bytes};
use crate::transfer::Verification;
use crate::transfer::handle::Watch;
use crate::transfer::lane::Lane;
use crate::transfer::patience::{AFTER_CONFLICT, CONFLICTS, answer_was_lost, patiently};

const OTHERS: &str = "source and copy have other checksums: one of them may have been replaced meanwhile";

/// Copies it. `source` is what was seen of it, if anything.
pub(super) async fn copy(copy: &Copy, source: Option<&ObjectHead>, watch: &Arc<Watch>) -> Result<Copied, Error> {
    let call = match source {
        Some(source) => copy.call.clone().pinned_to(source, copy.habits()),
        None => copy.call.clone(),
    };
    let lane = Lane::of(&copy.client, copy.concurrency);
    let lost = AtomicBool::new(false);
    let mut conflicts = 0;
    let output = loop {
        let jitter = || copy.client.inner().clock.jitter();
        let attempt = || {
            let sent = call.clone().into_future();
            async {
                sent.await.inspect_err(|error| {
                    lost.fetch_or(answer_was_lost(error), Ordering::Relaxed);
                })
            }
        };
        match patiently(&lane, watch, copy.patience, jitter, attempt).await {
            Ok(output) => break output,
            Err(error) if error.kind().is_conflict() && call.outlives_conflicts() && conflicts < CONFLICTS => {
                conflicts += 1;
                tokio::time::sleep(AFTER_CONFLICT * conflicts).await;
            }
            Err(error) if lost.into_inner() => {
                let note = match error.kind() {
                    ErrorKind::Server => "what failed on the server may have been done all the same",
                    _ => "an answer was lost, and what stands there may be this copy",
                };
                return Err(error.with_maybe_ours(true).with_note(note));
            }
            Err(error) => return Err(error),
        }
    };
    watch.part_done();
    let mut copied = of_output(copy, output, source)?;
    if copy.verify {
        verify(copy, &mut copied, source, watch).await?;
    }
    if let Some(size) = copied.size {
        watch.moved(size);
    }
    Ok(copied)
}

fn of_output(copy: &Copy, output: CopyObjectOutput, source: Option<&ObjectHead>) -> Result<Copied, Error> {
    let CopyObjectOutput { etag, checksum, checksum_type, encryption, .. } = &output;
    let facts = Facts { etag, checksum: *checksum, checksum_type: *checksum_type, encryption: encryption.as_ref() };
    let verification = match source {
        Some(source) => {
            let likeness = copy.likeness(source, facts, &copy.client);
            match Verification::of(likeness) {
                Some(verification) => verification,
                None if copy.is_pinned(source) => return Err(other_bytes()),
                None => Verification::NotVerified(OTHERS),
            }
        }
        None => Verification::NotVerified("the server copied it, and was not asked what it has"),
    };
    Ok(Copied {
        verification,
        etag: output.etag,
        version_id: output.version_id,
        source_version_id: output.copy_source_version_id,
        last_modified: output.last_modified,
        checksum: output.checksum,
        checksum_type: output.checksum_type,
        encryption: output.encryption,
        size: source.map(|source| source.content_length),
        parts: 1,
        request_charged: output.request_charged,
        lost_create: false,
    })
}

/// Asks what there is at both ends, and compares.
async fn verify(copy: &Copy, copied: &mut Copied, source: Option<&ObjectHead>, watch: &Watch) -> Result<(), Error> {
    let sender = copy.client.for_transfers();
    let seen = match source {
        Some(source) => source.clone(),
        None => {
            let mut head = copy.call.head_of_source(sender.clone());
            if let Some(version) = version_name(copied.source_version_id.as_deref()) {
                head = head.version_id(version);
            }
            copy.ask(watch, || head.clone().into_future()).await.map_err(unverified)?
        }
    };
    let head = copy.call.head_of_copy(sender);
    let head = match version_name(copied.version_id.as_deref()) {
        Some(version) => head.version_id(version),
        None => head,
    };
    let head = copy.ask(watch, || head.clone().into_future()).await.map_err(unverified)?;
    if head.etag != copied.etag && !copied.etag.is_empty() {
        copied.verification = Verification::NotVerified("another object stands there by now");
        return Ok(());
    }
    if head.content_length != seen.content_length {
        // Without versions, a source that was replaced meanwhile looks the same.
        let problem = format!("the copy has {} bytes, its source {}", head.content_length, seen.content_length);
        return Err(Error::new(ErrorKind::Corrupt, problem).with_hint("the copy is stored: delete it or make it again"));
    }
    copied.size = Some(head.content_length);
    copied.verification = match Verification::of(copy.likeness(&seen, (&head).into(), &copy.client)) {
        Some(verification) => verification,
        None if source.is_some_and(|source| copy.is_pinned(source)) => return Err(other_bytes()),
        // Without versions, a source that was replaced meanwhile looks the same.
        None => Verification::NotVerified(OTHERS),
    };
    Ok(())
}

fn unverified(error: Error) -> Error {
    error.with_note("the copy was made, and could not be verified")
}
