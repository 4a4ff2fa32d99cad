//! What is known of a file's bytes when all have come.

use std::sync::{Mutex, PoisonError};

use wharf_proto::evidence::{Comparison, Doubt, Evidence, Proof, likely_cuts};
use wharf_proto::transfer::Ledger;
use wharf_proto::{Error, ErrorKind};

use super::check::Check;
use super::file::PartFile;
use super::request::{Found, Job};
use crate::transfer::verification::Verification;

/// What was found out while they came; where that is nothing and the caller wants to know, the file is read once more.
///
/// # Errors
/// `Corrupt` where they are known to be wrong.
pub(super) async fn known(
    job: &Job,
    found: &Found,
    check: &Check,
    ledger: &Mutex<Ledger>,
    file: &PartFile,
) -> Result<Verification, Error> {
    let (size, verification) = {
        let ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let size = ledger.bytes();
        if found.is_known_length() && size != found.length() {
            let problem = format!("{size} bytes came in place of {}", found.length());
            return Err(Error::new(ErrorKind::Corrupt, problem));
        }
        (size, check.conclude(&ledger)?)
    };
    let is_wanted = job.options().verify == Some(true) && found.is_whole();
    match check {
        Check::Nothing(_) if is_wanted => read_again(job, found, file, size).await,
        _ => Ok(verification),
    }
}

/// By a checksum that could not be compared before, such as one of parts, or by an ETag that is an MD5.
async fn read_again(job: &Job, found: &Found, file: &PartFile, size: u64) -> Result<Verification, Error> {
    let habits = job.habits();
    let unknown = |doubt: Doubt| Ok(Verification::NotVerified(doubt.as_str()));
    let proof = match Evidence::of((&*found.head).into(), habits, job.bucket()).proof() {
        Ok(proof) => proof,
        Err(doubt) => return unknown(doubt),
    };
    let cuts = match proof.checksum.part_count() {
        Some(count) => likely_cuts(size, count, job.options().part_size, habits.parts),
        None => Vec::new(),
    };
    let comparison = match Comparison::new(proof, size, &cuts) {
        Ok(comparison) => comparison,
        Err(doubt) => return unknown(doubt),
    };
    match Verification::of(file.compare(comparison, size).await?) {
        Some(verification) => Ok(verification),
        None => differs(found, proof),
    }
}

fn differs(found: &Found, proof: Proof) -> Result<Verification, Error> {
    if !proof.is_etag && found.head.checksum_type.is_none() {
        return Ok(Verification::NotVerified("the server does not say what its checksum covers"));
    }
    Err(match proof.is_etag {
        true => {
            let problem =
                format!("the bytes that came are not the object's: its ETag {} is not their MD5", found.head.etag);
            Error::new(ErrorKind::Corrupt, problem)
                .with_hint("download it again; or its ETags are no MD5s: say `trust_etags(false)`")
        }
        false => {
            let algorithm = proof.checksum.algorithm();
            Error::new(ErrorKind::Corrupt, format!("the bytes do not match the object's {algorithm} checksum"))
        }
    })
}
