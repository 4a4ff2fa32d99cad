//! CopyObject.

use http::HeaderMap;

use super::put_object::{CUSTOMER, etag, written_beside};
use super::write_checksum;
use crate::backend::Object;
use crate::backend::blob;
use crate::call::{Call, Reply, document, set};
use crate::checksum::{Algorithm, Checksum};
use crate::condition::Guard;
use crate::copy_source::{self, CopySource};
use crate::error::{Code, Error, Result, invalid_argument};
use crate::kept;
use crate::receive::MOST;
use crate::tags;
use crate::time::object_date;
use crate::xml::Writer;

/// Request headers that change an object enough for it to be copied onto itself.
const CHANGES: [&str; 5] = [
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-checksum-algorithm",
];

pub(super) async fn run(call: Call) -> Result<Reply> {
    let rules = call.rules()?;
    let guard = Guard::of(&call.headers)?;
    let source = CopySource::of(&call)?;
    let replace = replaces(&call, "x-amz-metadata-directive")?;
    let replace_tags = replaces(&call, "x-amz-tagging-directive")?;
    let found = source.open(&call, !replace_tags).await?;
    let (from, bytes) = copy_source::object(&found)?;
    let itself = source.bucket == call.bucket() && source.key == call.key() && source.version.is_none();
    if itself && !replace && !CHANGES.iter().any(|name| call.headers.contains_key(*name)) {
        return Err(Error::new(
            Code::InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing the \
             object's metadata, storage class, website redirect location or encryption attributes.",
        ));
    }
    if bytes.len() > MOST {
        return Err(Error::new(
            Code::InvalidRequest,
            "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120",
        ));
    }
    let mut headers = HeaderMap::new();
    // The source's own headers stand in for the request's where they are to be kept.
    kept::metadata(if replace { &call.headers } else { &from.headers }, &mut headers)?;
    kept::class_and_encryption(&call.headers, &rules.bucket, &mut headers)?;
    let tags = match replace_tags {
        true => call.header("x-amz-tagging").map(tags::of_header).transpose()?.unwrap_or_default(),
        false => from.tags.clone(),
    };
    let (md5, checksum) = digests(&call, from).await?;
    let object = Object {
        blob: bytes,
        etag: etag(&call, &md5, &headers),
        headers,
        tags,
        checksum: call.keeps(checksum),
        parts: Vec::new(),
        customer_key: kept::customer_key(&call.headers, CUSTOMER)?,
        lock: kept::lock(&call.headers, &rules.bucket, call.now)?,
        acl: rules.object_acl(&call)?,
    };
    let put = call.backend().put(call.bucket(), call.key(), call.now, object, &guard).await?;
    let mut xml = Writer::new("CopyObjectResult");
    xml.text("LastModified", &object_date(put.version.modified));
    if let Some(object) = &put.version.object {
        xml.text("ETag", &format!("\"{}\"", object.etag));
        write_checksum(&mut xml, object.checksum.as_ref(), true);
    }
    let mut reply = document(xml);
    written_beside(&put, reply.headers_mut());
    if found.versioned {
        set(reply.headers_mut(), "x-amz-copy-source-version-id", &found.version.id);
    }
    Ok(reply)
}

fn replaces(call: &Call, directive: &str) -> Result<bool> {
    match call.header(directive) {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(other) => Err(invalid_argument("Unknown metadata directive.", directive, other)),
    }
}

/// The MD5 and checksum of the copy, read from the bytes where the source does not have them as they must be.
async fn digests(call: &Call, from: &Object) -> Result<([u8; 16], Checksum)> {
    let asked = call.header("x-amz-checksum-algorithm").map(Algorithm::parse).transpose()?;
    let has = from.checksum.as_ref();
    let algorithm = asked.or(has.map(|checksum| checksum.kind.algorithm)).unwrap_or(Algorithm::Crc64Nvme);
    let same = has.filter(|checksum| checksum.kind.algorithm == algorithm && !checksum.kind.composite);
    let encrypted = from.customer_key.is_some()
        || from.headers.get("x-amz-server-side-encryption").is_some_and(|value| value != "AES256");
    if let (Some(checksum), Some(md5)) = (same, hex_md5(&from.etag).filter(|_| !encrypted)) {
        return Ok((md5, checksum.clone()));
    }
    blob::digest(&*from.blob, algorithm).await
}

fn hex_md5(etag: &str) -> Option<[u8; 16]> {
    (etag.len() == 32).then(|| u128::from_str_radix(etag, 16).ok().map(u128::to_be_bytes))?
}
