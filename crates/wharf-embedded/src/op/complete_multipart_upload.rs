//! CompleteMultipartUpload.

use std::sync::Arc;

use md5::{Digest, Md5};
use s3s::dto::{CompletedMultipartUpload, CompletedPart, ETag};

use super::put_object::written_beside;
use super::{upload_id, write_checksum};
use crate::backend::blob::Concat;
use crate::backend::endings::{Ending, fingerprint};
use crate::backend::{Found, Object, Part, Upload};
use crate::call::{Call, Reply, document};
use crate::checksum::{self, Algorithm, Checksum, Kind};
use crate::condition::Guard;
use crate::error::{Code, Error, Result};
use crate::hex::hex;
use crate::xml::{self, Writer};

/// The least size of every part but the last: 5 MiB.
const LEAST: u64 = 5 * 1024 * 1024;

pub(super) async fn run(call: Call) -> Result<Reply> {
    let guard = Guard::of(&call.headers)?;
    let id = upload_id(&call)?;
    let found = match complete(&call, id, &guard).await {
        Err(error) if error.code() == Code::NoSuchUpload => before(&call, id).await?.ok_or(error)?,
        done => done?,
    };
    let mut xml = Writer::new("CompleteMultipartUploadResult");
    xml.text("Location", &call.location());
    xml.text("Bucket", call.bucket());
    xml.text("Key", call.key());
    if let Some(object) = &found.version.object {
        xml.text("ETag", &format!("\"{}\"", object.etag));
        write_checksum(&mut xml, object.checksum.as_ref(), true);
    }
    let mut reply = document(xml);
    written_beside(&found, reply.headers_mut());
    Ok(reply)
}

async fn complete(call: &Call, id: &str, guard: &Guard) -> Result<Found> {
    let upload = call.backend().upload(call.bucket(), call.key(), id).await?;
    let asked = asked(call)?;
    let there = call.backend().parts(call.bucket(), call.key(), id).await?;
    let parts = choose(call, &upload, &asked, &there)?;
    let object = assemble(call, &upload, parts)?;
    call.backend().complete(call.bucket(), &upload, object, guard).await
}

/// What came of the same request before.
async fn before(call: &Call, id: &str) -> Result<Option<Found>> {
    let ending = call.backend().ending(call.bucket(), call.key(), id).await?;
    let Some(Ending::Completed { parts, found }) = ending else { return Ok(None) };
    let asked = asked(call)?;
    let asked =
        asked.iter().map(|part| (part.part_number.unwrap_or_default(), part.e_tag.as_ref().map_or("", ETag::value)));
    Ok((fingerprint(asked) == parts).then_some(found))
}

fn asked(call: &Call) -> Result<Vec<CompletedPart>> {
    let asked: CompletedMultipartUpload = xml::parse(&call.document)?;
    asked.parts.filter(|parts| !parts.is_empty()).ok_or_else(|| Code::MalformedXml.into())
}

/// The parts that the document names, in its order, which must be that of their numbers.
fn choose(call: &Call, upload: &Upload, asked: &[CompletedPart], there: &[Part]) -> Result<Vec<Part>> {
    let mut chosen: Vec<Part> = Vec::with_capacity(asked.len());
    for part in asked {
        let (number, etag) = match (part.part_number, &part.e_tag) {
            (Some(number), Some(etag)) => (number, etag.value()),
            _ => return Err(Code::MalformedXml.into()),
        };
        if chosen.last().is_some_and(|last| i32::from(last.number) >= number) {
            return Err(Error::from(Code::InvalidPartOrder).detail("UploadId", &upload.id));
        }
        let invalid = || {
            Error::from(Code::InvalidPart)
                .detail("UploadId", &upload.id)
                .detail("PartNumber", number.to_string())
                .detail("ETag", etag)
        };
        let at = there.binary_search_by_key(&number, |part| i32::from(part.number)).map_err(|_| invalid())?;
        let found = &there[at];
        let same = call.habits.forget_checksums || same_checksum(upload, part, found)?;
        if found.etag != etag || !same {
            return Err(invalid());
        }
        chosen.push(found.clone());
    }
    let (_, others) = chosen.split_last().ok_or(Code::MalformedXml)?;
    if let Some(part) = others.iter().find(|part| part.blob.len() < LEAST) {
        return Err(Error::from(Code::EntityTooSmall)
            .detail("ProposedSize", part.blob.len().to_string())
            .detail("MinSizeAllowed", LEAST.to_string())
            .detail("PartNumber", part.number.to_string())
            .detail("ETag", &part.etag));
    }
    Ok(chosen)
}

/// Compares the checksum a part is named with, which a composite one cannot do without.
fn same_checksum(upload: &Upload, asked: &CompletedPart, found: &Part) -> Result<bool> {
    for algorithm in checksum::ALL {
        if let Some(value) = named(asked, algorithm) {
            // Of an algorithm that the upload does not have, nothing was kept to compare with.
            if upload.checksum.is_none() && algorithm != Algorithm::Crc64Nvme {
                return Ok(true);
            }
            return Ok(found.checksum.as_ref().is_some_and(|it| it.kind.algorithm == algorithm && it.value == value));
        }
    }
    let Some(kind) = upload.checksum.filter(|kind| kind.composite) else { return Ok(true) };
    let message = format!(
        "The upload was created using a {} checksum. The complete request must include the checksum for each part. It was \
         missing for part {} in the request.",
        kind.algorithm.name().to_lowercase(),
        found.number
    );
    Err(Error::new(Code::InvalidRequest, message))
}

fn named(part: &CompletedPart, algorithm: Algorithm) -> Option<&str> {
    match algorithm {
        Algorithm::Crc32 => part.checksum_crc32.as_deref(),
        Algorithm::Crc32c => part.checksum_crc32c.as_deref(),
        Algorithm::Crc64Nvme => part.checksum_crc64nvme.as_deref(),
        Algorithm::Sha1 => part.checksum_sha1.as_deref(),
        Algorithm::Sha256 => part.checksum_sha256.as_deref(),
    }
}

fn assemble(call: &Call, upload: &Upload, parts: Vec<Part>) -> Result<Object> {
    let size: u64 = parts.iter().map(|part| part.blob.len()).sum();
    if let Some(said) = call.header("x-amz-mp-object-size")
        && said.parse() != Ok(size)
    {
        let message =
            format!("The provided 'x-amz-mp-object-size' header value {said} does not match what was computed: {size}");
        return Err(Error::new(Code::InvalidRequest, message));
    }
    let kind = upload.checksum.unwrap_or(Kind { algorithm: Algorithm::Crc64Nvme, composite: false });
    let checksum = sum(call, kind, &parts)?;
    let mut md5 = Md5::new();
    for part in &parts {
        md5.update(part.md5);
    }
    Ok(Object {
        blob: Arc::new(Concat::new(parts.iter().map(|part| part.blob.clone()).collect())),
        etag: format!("{}-{}", hex(&md5.finalize()), parts.len()),
        headers: upload.headers.clone(),
        tags: upload.tags.clone(),
        checksum: call.keeps(checksum),
        parts,
        customer_key: upload.customer_key.clone(),
        lock: upload.lock.clone(),
        acl: upload.acl.clone(),
    })
}

/// The object's checksum, compared with the one the request gives.
fn sum(call: &Call, kind: Kind, parts: &[Part]) -> Result<Checksum> {
    let values: Option<Vec<(&str, u64)>> =
        parts.iter().map(|part| Some((part.checksum.as_ref()?.value.as_str(), part.blob.len()))).collect();
    let checksum = checksum::of_parts(kind, &values.ok_or(Code::InternalError)?)?;
    if call.header("x-amz-checksum-type").is_some_and(|name| name != kind.type_name()) {
        let message = format!(
            "The upload was created using the {} checksum mode. The complete request must use the same checksum mode.",
            kind.type_name()
        );
        return Err(Error::new(Code::InvalidRequest, message));
    }
    match checksum::given(&call.headers)? {
        None => Ok(checksum),
        Some((algorithm, _)) if algorithm != kind.algorithm => {
            let message = format!(
                "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
                kind.algorithm.name().to_lowercase(),
                algorithm.name().to_lowercase()
            );
            Err(Error::new(Code::InvalidRequest, message))
        }
        // A composite value may be given with or without the number of parts.
        Some((_, value)) if value == checksum.value || Some(value.as_str()) == bare(&checksum) => Ok(checksum),
        Some((algorithm, _)) => Err(checksum::mismatch(algorithm)),
    }
}

fn bare(checksum: &Checksum) -> Option<&str> {
    checksum.value.split('-').next().filter(|_| checksum.kind.composite)
}
