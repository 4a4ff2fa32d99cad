//! ListMultipartUploads.

use std::sync::Arc;

use super::list_objects::{MOST, Naming, owner, query_of};
use crate::backend::{Page, Upload};
use crate::call::{Call, Reply, document};
use crate::error::Result;
use crate::time::object_date;
use crate::xml::Writer;

pub(super) async fn run(call: Call) -> Result<Reply> {
    let naming = Naming::of(&call)?;
    let limit = call.query.count("max-uploads", MOST)?;
    let marker = call.query.filled("key-marker");
    // An upload id means nothing without its key.
    let id_marker = call.query.filled("upload-id-marker").filter(|_| marker.is_some());
    let after = marker.map(|marker| (marker.to_owned(), id_marker.map(str::to_owned)));
    let query = query_of(&call, limit, after);
    let page = call.backend().list_uploads(call.bucket(), &query).await?;
    let mut xml = Writer::new("ListMultipartUploadsResult");
    xml.text("Bucket", call.bucket());
    xml.text("KeyMarker", &naming.write(marker.unwrap_or_default()));
    xml.text("UploadIdMarker", id_marker.unwrap_or_default());
    let (key, id) = next(&page);
    xml.text("NextKeyMarker", &naming.write(key));
    xml.text("NextUploadIdMarker", id);
    xml.text("Prefix", &naming.write(&query.prefix));
    xml.optional("Delimiter", query.delimiter.as_deref().map(|delimiter| naming.write(delimiter)).as_deref());
    naming.declare(&mut xml);
    xml.show("MaxUploads", limit);
    xml.show("IsTruncated", page.truncated);
    for upload in &page.entries {
        xml.element("Upload", |xml| {
            xml.text("Key", &naming.write(&upload.key));
            xml.text("UploadId", &upload.id);
            owner(&call, xml, "Initiator", Some(&upload.acl));
            owner(&call, xml, "Owner", Some(&upload.acl));
            let class = upload.headers.get("x-amz-storage-class").and_then(|value| value.to_str().ok());
            xml.text("StorageClass", class.unwrap_or("STANDARD"));
            xml.text("Initiated", &object_date(upload.started));
            if let Some(kind) = upload.checksum {
                xml.text("ChecksumAlgorithm", kind.algorithm.name());
                xml.text("ChecksumType", kind.type_name());
            }
        });
    }
    naming.prefixes(&mut xml, &page.prefixes);
    Ok(document(xml))
}

/// Where the next page begins. S3 tells it of the last one too, unless that ends with a common prefix.
fn next(page: &Page<Arc<Upload>>) -> (&str, &str) {
    if let Some((key, id)) = &page.last {
        return (key, id.as_deref().unwrap_or_default());
    }
    match (page.entries.last(), page.prefixes.last()) {
        (Some(upload), None) => (&upload.key, &upload.id),
        (Some(upload), Some(prefix)) if upload.key > *prefix => (&upload.key, &upload.id),
        _ => ("", ""),
    }
}
