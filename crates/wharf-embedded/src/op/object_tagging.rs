//! GetObjectTagging, PutObjectTagging and DeleteObjectTagging.

use http::StatusCode;

use super::read_object::readable;
use crate::backend::{Amendment, Found};
use crate::call::{Call, Reply, document, empty, set};
use crate::error::Result;
use crate::tags::{self, Tags};
use crate::xml::Writer;

pub(super) async fn get(call: Call) -> Result<Reply> {
    let found = call.found()?;
    let object = readable(&call, found)?;
    Ok(told(document(tag_set(&object.tags)), found))
}

pub(super) async fn put(call: Call) -> Result<Reply> {
    let tags = tags::of_document(&call.document, tags::MOST_OF_OBJECT)?;
    let found = amend(&call, tags).await?;
    Ok(told(empty(StatusCode::OK), &found))
}

pub(super) async fn delete(call: Call) -> Result<Reply> {
    let found = amend(&call, Tags::new()).await?;
    Ok(told(empty(StatusCode::NO_CONTENT), &found))
}

/// Tags as a document.
pub(super) fn tag_set(tags: &[(String, String)]) -> Writer {
    let mut xml = Writer::new("Tagging");
    xml.element("TagSet", |xml| {
        for (key, value) in tags {
            xml.element("Tag", |xml| {
                xml.text("Key", key);
                xml.text("Value", value);
            });
        }
    });
    xml
}

async fn amend(call: &Call, tags: Tags) -> Result<Found> {
    call.backend().amend(call.bucket(), call.key(), call.version()?, call.now, Amendment::Tags(tags)).await
}

fn told(mut reply: Reply, found: &Found) -> Reply {
    if found.versioned {
        set(reply.headers_mut(), "x-amz-version-id", &found.version.id);
    }
    reply
}
