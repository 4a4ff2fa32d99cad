//! ListObjectVersions.

use super::list_objects::{MOST, Naming, described, owner, query_of};
use crate::call::{Call, Reply, document};
use crate::error::{Result, invalid_argument};
use crate::xml::Writer;

pub(super) async fn run(call: Call) -> Result<Reply> {
    let naming = Naming::of(&call)?;
    let limit = call.query.count("max-keys", MOST)?;
    let marker = call.query.filled("key-marker");
    let id_marker = call.query.filled("version-id-marker");
    if let (None, Some(id)) = (marker, id_marker) {
        let message = "A version-id marker cannot be specified without a key marker.";
        return Err(invalid_argument(message, "version-id-marker", id));
    }
    let after = marker.map(|marker| (marker.to_owned(), id_marker.map(str::to_owned)));
    let query = query_of(&call, limit, after);
    let page = call.backend().list_versions(call.bucket(), &query).await?;
    let mut xml = Writer::new("ListVersionsResult");
    xml.text("Name", call.bucket());
    xml.text("Prefix", &naming.write(&query.prefix));
    xml.text("KeyMarker", &naming.write(marker.unwrap_or_default()));
    xml.text("VersionIdMarker", id_marker.unwrap_or_default());
    if let Some((key, id)) = &page.last {
        xml.text("NextKeyMarker", &naming.write(key));
        xml.optional("NextVersionIdMarker", id.as_deref());
    }
    xml.show("MaxKeys", limit);
    xml.optional("Delimiter", query.delimiter.as_deref().map(|delimiter| naming.write(delimiter)).as_deref());
    naming.declare(&mut xml);
    xml.show("IsTruncated", page.truncated);
    for listed in &page.entries {
        let name = if listed.version.object.is_some() { "Version" } else { "DeleteMarker" };
        xml.element(name, |xml| {
            xml.text("Key", &naming.write(&listed.version.key));
            xml.text("VersionId", &listed.version.id);
            xml.show("IsLatest", listed.latest);
            described(xml, &listed.version);
            owner(&call, xml, "Owner", listed.version.object.as_ref().map(|object| &object.acl));
        });
    }
    naming.prefixes(&mut xml, &page.prefixes);
    Ok(document(xml))
}
