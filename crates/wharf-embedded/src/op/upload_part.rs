//! UploadPart and UploadPartCopy.

use std::ops::Range;
use std::sync::Arc;

use http::StatusCode;

use super::put_object::{CUSTOMER, etag};
use super::{upload_id, write_checksum};
use crate::backend::blob::{self, Slice};
use crate::backend::{Blob, Part, Upload};
use crate::call::{Call, Reply, document, empty, set, set_etag};
use crate::checksum::Algorithm;
use crate::copy_source::{self, CopySource};
use crate::error::{Code, Error, Result, invalid_argument};
use crate::kept;
use crate::receive::{Expected, MOST, receive};
use crate::time::iso_date;
use crate::xml::Writer;

pub(super) async fn run(mut call: Call) -> Result<Reply> {
    let (number, upload) = open(&call).await?;
    check_algorithm(&call, &upload)?;
    let keep = upload.checksum.map_or(Algorithm::Crc64Nvme, |kind| kind.algorithm);
    let received = receive(&*call.shared.backend, &call.headers, &mut call.body, Some(keep)).await?;
    let part = Part {
        number,
        blob: received.blob,
        etag: etag(&call, &received.md5, &upload.headers),
        md5: received.md5,
        checksum: Some(received.checksum),
        modified: call.now,
    };
    let mut reply = empty(StatusCode::OK);
    let headers = reply.headers_mut();
    set_etag(headers, &part.etag);
    kept::encryption_of(&upload.headers, headers);
    let kept = part.checksum.as_ref().filter(|_| upload.checksum.is_some());
    if let Some(checksum) = received.given.as_ref().or(kept) {
        set(headers, checksum.kind.algorithm.header(), &checksum.value);
    }
    call.backend().put_part(call.bucket(), call.key(), &upload.id, part).await?;
    Ok(reply)
}

pub(super) async fn copy(call: Call) -> Result<Reply> {
    let (number, upload) = open(&call).await?;
    let source = CopySource::of(&call)?;
    let found = source.open(&call, false).await?;
    let (_, bytes) = copy_source::object(&found)?;
    let bytes: Arc<dyn Blob> = match call.header("x-amz-copy-source-range") {
        Some(text) => Arc::new(Slice { range: range(text, bytes.len())?, blob: bytes }),
        None => bytes,
    };
    if bytes.len() > MOST {
        let message =
            "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120";
        return Err(Error::new(Code::InvalidRequest, message));
    }
    let algorithm = upload.checksum.map_or(Algorithm::Crc64Nvme, |kind| kind.algorithm);
    let (md5, checksum) = blob::digest(&*bytes, algorithm).await?;
    let etag = etag(&call, &md5, &upload.headers);
    let mut xml = Writer::new("CopyPartResult");
    xml.text("LastModified", &iso_date(call.now));
    xml.text("ETag", &format!("\"{etag}\""));
    write_checksum(&mut xml, Some(&checksum), false);
    let part = Part { number, blob: bytes, etag, md5, checksum: Some(checksum), modified: call.now };
    call.backend().put_part(call.bucket(), call.key(), &upload.id, part).await?;
    let mut reply = document(xml);
    kept::encryption_of(&upload.headers, reply.headers_mut());
    if found.versioned {
        set(reply.headers_mut(), "x-amz-copy-source-version-id", &found.version.id);
    }
    Ok(reply)
}

/// The part number and the upload it is for, which must be of the same customer's key.
async fn open(call: &Call) -> Result<(u16, Arc<Upload>)> {
    let number = call.part_number()?;
    let number = number.ok_or_else(|| {
        invalid_argument("This operation does not accept a query-string without partNumber.", "partNumber", "")
    })?;
    let upload = call.backend().upload(call.bucket(), call.key(), upload_id(call)?).await?;
    let customer = kept::customer_key(&call.headers, CUSTOMER)?;
    if customer != upload.customer_key {
        let message = match (&customer, &upload.customer_key) {
            (None, _) => {
                "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate \
                 encryption parameters."
            }
            (Some(_), None) => {
                "The multipart upload initiate did not request encryption. Please resend the request without sending encryption parameters."
            }
            _ => "The provided encryption parameters did not match the ones used originally.",
        };
        return Err(Error::new(Code::InvalidRequest, message));
    }
    Ok((number, upload))
}

/// A part carries the upload's algorithm and no other; only a composite checksum cannot do without it. Where the upload
/// has none, any may be sent and is verified: SDKs send CRC32 with every part, whatever the upload was created with.
fn check_algorithm(call: &Call, upload: &Upload) -> Result<()> {
    let given = Expected::of(&call.headers)?.algorithm();
    let Some(wanted) = upload.checksum else { return Ok(()) };
    if given == Some(wanted.algorithm) || (given.is_none() && !wanted.composite) {
        return Ok(());
    }
    let message = format!(
        "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
        wanted.algorithm.name().to_lowercase(),
        given.map_or("null".to_owned(), |given| given.name().to_lowercase())
    );
    Err(Error::new(Code::InvalidRequest, message))
}

/// `bytes=first-last`, the only form there is here, within the source.
fn range(text: &str, size: u64) -> Result<Range<u64>> {
    let parsed = text
        .strip_prefix("bytes=")
        .and_then(|spec| spec.split_once('-'))
        .and_then(|(first, last)| Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?)))
        .filter(|(first, last)| first <= last);
    let name = "x-amz-copy-source-range";
    let Some((first, last)) = parsed else {
        let message = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are \
                       the zero-based offsets of the first and last bytes to copy";
        return Err(invalid_argument(message, name, text));
    };
    if last >= size {
        return Err(invalid_argument(
            format!("Range specified is not valid for source object of size: {size}"),
            name,
            text,
        ));
    }
    Ok(first..last + 1)
}
