//! Where the parts of an object end, for a checksum that is made of theirs.

use std::time::Duration;

use tokio::time::timeout;
use wharf_proto::Error;
use wharf_proto::op::{GetObjectAttributesOutput, ObjectAttribute};

use super::check::Check;
use super::request::{Found, Job};
use crate::transfer::lane::Slot;
use crate::transfer::patience::{may_pass, patiently};

/// For how long they are asked for at most: the object can be had without them.
const TO_ASK: Duration = Duration::from_secs(10);

/// Why a checksum of parts could not be compared.
const UNKNOWN: &str = "the server does not tell where the object's parts end";
const UNANSWERED: &str = "the server gave no answer when it was asked where the object's parts end";

/// What the bytes can be compared with. Where that takes a request, the leave to send it is that of `slot`, if there is one.
pub(super) async fn check(job: &Job, found: &Found, slot: Option<&Slot>) -> Check {
    let verify = job.options().verify;
    let check = Check::of(found, verify);
    let is_worth_it = verify == Some(true) || verify.is_none() && !job.in_one_stream(found);
    match check.of_parts(found) {
        Some(expected) if is_worth_it => {
            let asked = timeout(TO_ASK, ends(job, found));
            let told = match slot {
                Some(slot) => slot.aside(asked).await,
                None => asked.await,
            };
            match told {
                Ok(Ok(Some(ends))) => Check::Parts { expected, ends },
                Ok(Ok(None)) => Check::Nothing(UNKNOWN),
                Ok(Err(error)) => {
                    tracing::debug!(%error, "the object's parts are not known");
                    Check::Nothing(if may_pass(&error) { UNANSWERED } else { UNKNOWN })
                }
                Err(_) => Check::Nothing(UNANSWERED),
            }
        }
        _ => check,
    }
}

/// `None` where the server does not tell.
async fn ends(job: &Job, found: &Found) -> Result<Option<Vec<u64>>, Error> {
    let mut ends: Vec<u64> = Vec::new();
    let mut marker = None;
    loop {
        let told = page(job, marker).await?;
        if told.etag.is_some_and(|etag| etag != found.head.etag) {
            return Ok(None);
        }
        let Some(parts) = told.parts else { return Ok(None) };
        for part in &parts.parts {
            let Some(end) = ends.last().copied().unwrap_or_default().checked_add(part.size) else { return Ok(None) };
            ends.push(end);
        }
        marker =
            parts.next_part_number_marker.filter(|next| parts.is_truncated && marker.is_none_or(|now| *next > now));
        if marker.is_none() {
            break;
        }
    }
    let are_all = ends.last() == found.size.as_ref() && ends.is_sorted_by(|a, b| a < b);
    Ok(are_all.then_some(ends))
}

/// Those after the part of this number.
async fn page(job: &Job, marker: Option<u32>) -> Result<GetObjectAttributesOutput, Error> {
    let options = job.options();
    let attempt = || {
        let mut ask = job
            .client()
            .get_object_attributes(job.bucket(), job.key())
            .attributes([ObjectAttribute::ETag, ObjectAttribute::ObjectParts]);
        if let Some(version) = &options.version_id {
            ask = ask.version_id(version);
        }
        if let Some(key) = &options.customer_key {
            ask = ask.customer_key(key.clone());
        }
        if options.request_payer {
            ask = ask.request_payer();
        }
        if let Some(owner) = &options.expected_bucket_owner {
            ask = ask.expected_bucket_owner(owner);
        }
        if let Some(marker) = marker {
            ask = ask.part_number_marker(marker);
        }
        ask.into_future()
    };
    let jitter = || job.client().inner().clock.jitter();
    patiently(job.lane(), job.watch(), options.patience, jitter, attempt).await
}
