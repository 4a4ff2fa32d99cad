//! A copy by one request.

use std::future::IntoFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use wharf_proto::checksum::{Checksum, ChecksumType};
use wharf_proto::op::CopyObjectOutput;
use wharf_proto::{Error, ErrorKind, ObjectHead};

use super::{Copied, Copy};
use crate::transfer::Verification;
use crate::transfer::handle::Watch;
use crate::transfer::lane::Lane;
use crate::transfer::patience::{AFTER_CONFLICT, CONFLICTS, patiently};

/// Copies it. `source` is what was seen of it, if anything.
pub(super) async fn copy(copy: &Copy, source: Option<&ObjectHead>, watch: &Arc<Watch>) -> Result<Copied, Error> {
    let call = match source.filter(|source| !source.etag.is_empty()) {
        Some(source) => copy.call.clone().source_if_match(source.etag.clone()),
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
                    let kinds = [ErrorKind::Transport, ErrorKind::Timeout, ErrorKind::Server];
                    lost.fetch_or(kinds.contains(&error.kind()), Ordering::Relaxed);
                })
            }
        };
        match patiently(&lane, watch, copy.patience, jitter, attempt).await {
            Ok(output) => break output,
            Err(error) if error.kind() == ErrorKind::Conflict && conflicts < CONFLICTS => {
                conflicts += 1;
                tokio::time::sleep(AFTER_CONFLICT * conflicts).await;
            }
            Err(error) if error.kind() == ErrorKind::PreconditionFailed && lost.into_inner() => {
                let hint = "an answer was lost, and what stands there may be this copy";
                return Err(error.with_maybe_ours(true).with_hint(hint));
            }
            Err(error) => return Err(error),
        }
    };
    watch.part_done();
    let mut copied = of_output(output, source);
    if copy.verify {
        verify(copy, &mut copied, source).await?;
    }
    if let Some(size) = copied.size {
        watch.moved(size);
    }
    Ok(copied)
}

fn of_output(output: CopyObjectOutput, source: Option<&ObjectHead>) -> Copied {
    Copied {
        etag: output.etag,
        version_id: output.version_id,
        source_version_id: output.copy_source_version_id,
        last_modified: output.last_modified,
        verification: match source {
            Some(source) => same_checksum(source, output.checksum.as_ref(), output.checksum_type),
            None => Verification::NotVerified("the server copied it, and was not asked what it has"),
        },
        checksum: output.checksum,
        checksum_type: output.checksum_type,
        encryption: output.encryption,
        size: source.map(|source| source.content_length),
        parts: 1,
        request_charged: output.request_charged,
    }
}

/// Asks what there is at both ends, and compares.
async fn verify(copy: &Copy, copied: &mut Copied, source: Option<&ObjectHead>) -> Result<(), Error> {
    let seen = match source {
        Some(source) => source.clone(),
        None => {
            let mut head = copy.call.head_of_source(copy.client.clone());
            if let Some(version) = &copied.source_version_id {
                head = head.version_id(version);
            }
            head.await.map_err(unverified)?
        }
    };
    let head = copy.call.head_of_copy(copy.client.clone());
    let head = match &copied.version_id {
        Some(version) => head.version_id(version),
        None => head,
    };
    let head = head.await.map_err(unverified)?;
    if head.etag != copied.etag {
        copied.verification = Verification::NotVerified("another object stands there by now");
        return Ok(());
    }
    if head.content_length != seen.content_length {
        // Without versions, a source that was replaced meanwhile looks the same.
        let problem = format!("the copy has {} bytes, its source {}", head.content_length, seen.content_length);
        return Err(Error::new(ErrorKind::Corrupt, problem).with_hint("the copy is stored: delete it or make it again"));
    }
    copied.size = Some(head.content_length);
    copied.verification = same_checksum(&seen, head.checksum.as_ref(), head.checksum_type);
    Ok(())
}

fn unverified(error: Error) -> Error {
    error.with_note("the copy was made, and could not be verified")
}

fn same_checksum(source: &ObjectHead, checksum: Option<&Checksum>, kind: Option<ChecksumType>) -> Verification {
    match (&source.checksum, checksum) {
        (Some(theirs), Some(ours)) if theirs == ours && (source.checksum_type == kind || kind.is_none()) => {
            Verification::Verified(ours.algorithm())
        }
        _ => Verification::NotVerified("source and copy have no checksum in common"),
    }
}
