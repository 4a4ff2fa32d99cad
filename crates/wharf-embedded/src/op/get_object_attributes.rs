//! GetObjectAttributes.

use super::list_objects::MOST;
use super::put_object::CUSTOMER;
use super::read_object::readable;
use super::write_checksum;
use crate::backend::{Object, Part};
use crate::call::{Call, Reply, document, set};
use crate::checksum::Checksum;
use crate::error::{Result, invalid_argument};
use crate::kept;
use crate::time::http_date;
use crate::xml::Writer;

const NAMES: [&str; 5] = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];

pub(super) async fn run(call: Call) -> Result<Reply> {
    let values = call.headers.get_all("x-amz-object-attributes");
    let lines: Vec<&str> = values.iter().filter_map(|value| value.to_str().ok()).collect();
    let asked: Vec<&str> = lines.iter().flat_map(|line| line.split(',')).map(str::trim).collect();
    if asked.is_empty() || asked.iter().any(|name| !NAMES.contains(name)) {
        let message = "Invalid attribute name specified.";
        return Err(invalid_argument(message, "x-amz-object-attributes", &lines.join(",")));
    }
    let found = call.found()?;
    let object = readable(&call, found)?;
    let customer = kept::customer_key(&call.headers, CUSTOMER)?;
    kept::check_customer_key(customer.as_deref(), object.customer_key.as_deref())?;
    let mut xml = Writer::new("GetObjectAttributesResponse");
    let wants = |name| asked.contains(&name);
    if wants("ETag") {
        xml.text("ETag", &object.etag);
    }
    if wants("Checksum")
        && let Some(checksum) = &object.checksum
    {
        // Here, and only here, a composite checksum goes without its number of parts.
        let value = checksum.value.split('-').next().unwrap_or_default().to_owned();
        let bare = Checksum { value, ..checksum.clone() };
        xml.element("Checksum", |xml| write_checksum(xml, Some(&bare), true));
    }
    if wants("ObjectParts") && !object.parts.is_empty() {
        if object.checksum.as_ref().is_some_and(|checksum| checksum.kind.composite) {
            parts(&call, object, &mut xml)?;
        } else {
            xml.element("ObjectParts", |xml| xml.show("PartsCount", object.parts.len()));
        }
    }
    if wants("StorageClass") {
        xml.text("StorageClass", object.storage_class());
    }
    if wants("ObjectSize") {
        xml.show("ObjectSize", object.size());
    }
    let mut reply = document(xml);
    set(reply.headers_mut(), "last-modified", http_date(found.version.modified));
    if found.versioned {
        set(reply.headers_mut(), "x-amz-version-id", &found.version.id);
    }
    Ok(reply)
}

fn parts(call: &Call, object: &Object, xml: &mut Writer) -> Result<()> {
    let number = |name: &str, most: usize| match call.header(name).map(str::parse::<usize>) {
        None => Ok(most),
        Some(Ok(number)) => Ok(number.min(most)),
        Some(Err(_)) => Err(invalid_argument("It must be an integer", name, call.header(name).unwrap_or_default())),
    };
    let limit = number("x-amz-max-parts", MOST)?;
    let marker =
        call.header("x-amz-part-number-marker").map_or(Ok(0), |_| number("x-amz-part-number-marker", 10_000))?;
    let left: Vec<&Part> = object.parts.iter().filter(|part| usize::from(part.number) > marker).collect();
    let page = &left[..left.len().min(limit)];
    xml.element("ObjectParts", |xml| {
        xml.show("PartsCount", object.parts.len());
        xml.show("PartNumberMarker", marker);
        if let Some(last) = page.last() {
            xml.show("NextPartNumberMarker", last.number);
        }
        xml.show("MaxParts", limit);
        xml.show("IsTruncated", page.len() < left.len());
        for part in page {
            xml.element("Part", |xml| {
                xml.show("PartNumber", part.number);
                xml.show("Size", part.blob.len());
                write_checksum(xml, part.checksum.as_ref(), false);
            });
        }
    });
    Ok(())
}
