//! ListParts.

use super::list_objects::{MOST, Naming, owner};
use super::{upload_id, write_checksum};
use crate::call::{Call, Reply, document};
use crate::error::Result;
use crate::time::object_date;
use crate::xml::Writer;

pub(super) async fn run(call: Call) -> Result<Reply> {
    let id = upload_id(&call)?;
    let naming = Naming::of(&call)?;
    let limit = call.query.count("max-parts", MOST)?;
    let marker = call.query.count("part-number-marker", 10_000)?;
    let marker = if call.query.filled("part-number-marker").is_some() { marker } else { 0 };
    let upload = call.backend().upload(call.bucket(), call.key(), id).await?;
    let mut parts = call.backend().parts(call.bucket(), call.key(), id).await?;
    parts.retain(|part| usize::from(part.number) > marker);
    let truncated = limit > 0 && parts.len() > limit;
    parts.truncate(limit);
    let mut xml = Writer::new("ListPartsResult");
    xml.text("Bucket", call.bucket());
    xml.text("Key", &naming.write(call.key()));
    xml.text("UploadId", id);
    owner(&call, &mut xml, "Initiator", Some(&upload.acl));
    owner(&call, &mut xml, "Owner", Some(&upload.acl));
    let class = upload.headers.get("x-amz-storage-class").and_then(|value| value.to_str().ok());
    xml.text("StorageClass", class.unwrap_or("STANDARD"));
    xml.show("PartNumberMarker", marker);
    xml.show("NextPartNumberMarker", parts.last().map_or(0, |last| last.number));
    xml.show("MaxParts", limit);
    xml.show("IsTruncated", truncated);
    if let Some(kind) = upload.checksum {
        xml.text("ChecksumAlgorithm", kind.algorithm.name());
        xml.text("ChecksumType", kind.type_name());
    }
    for part in &parts {
        xml.element("Part", |xml| {
            xml.show("PartNumber", part.number);
            xml.text("LastModified", &object_date(part.modified));
            xml.text("ETag", &format!("\"{}\"", part.etag));
            xml.show("Size", part.blob.len());
            write_checksum(xml, part.checksum.as_ref().filter(|_| upload.checksum.is_some()), false);
        });
    }
    Ok(document(xml))
}
