//! DeleteObjects.

use futures_util::future::join_all;
use s3s::dto::{Delete, ObjectIdentifier};

use crate::access::Need;
use crate::backend::{Deleted, Removal};
use crate::call::{Call, Reply, document};
use crate::condition::Guard;
use crate::error::{Code, Error, Result};
use crate::receive::Expected;
use crate::target::check_key;
use crate::xml::{self, Writer};

/// The most keys of one request.
const MOST: usize = 1000;

pub(super) async fn run(call: Call) -> Result<Reply> {
    if !call.habits.forget_checksums && !Expected::of(&call.headers)?.is_given() {
        let message = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";
        return Err(Error::new(Code::InvalidRequest, message));
    }
    let asked: Delete = xml::parse(&call.document)?;
    let is_void = |object: &ObjectIdentifier| object.key.is_empty() || object.version_id.as_deref() == Some("");
    if asked.objects.is_empty() || asked.objects.len() > MOST || asked.objects.iter().any(is_void) {
        return Err(Code::MalformedXml.into());
    }
    let quiet = asked.quiet.unwrap_or_default();
    let mut xml = Writer::new("DeleteResult");
    // Side by side, so that a backend can make them safe all at once.
    let outcomes = join_all(asked.objects.iter().map(|object| delete(&call, object))).await;
    for (object, outcome) in asked.objects.iter().zip(outcomes) {
        match outcome {
            Ok(_) if quiet => {}
            Ok(deleted) => xml.element("Deleted", |xml| {
                xml.text("Key", &object.key);
                xml.optional("VersionId", object.version_id.as_deref());
                if deleted.marker {
                    xml.show("DeleteMarker", true);
                    xml.optional("DeleteMarkerVersionId", deleted.version.as_deref());
                }
            }),
            Err(error) => xml.element("Error", |xml| {
                xml.text("Key", &object.key);
                xml.optional("VersionId", object.version_id.as_deref());
                xml.text("Code", error.code().name());
                xml.text("Message", error.message());
            }),
        }
    }
    Ok(document(xml))
}

async fn delete(call: &Call, object: &ObjectIdentifier) -> Result<Deleted> {
    if object.last_modified_time.is_some() || object.size.is_some() {
        return Err(Code::NotImplemented.into());
    }
    check_key(&object.key)?;
    let etag = object.e_tag.as_ref().filter(|_| !call.habits.ignore_conditions);
    let how = Removal {
        at: call.now,
        guard: Guard::etag(etag.map(|etag| etag.value())),
        bypass_governance: call.flag("x-amz-bypass-governance-retention"),
    };
    let version = object.version_id.as_deref();
    let need = Need::to_delete(&call.headers, version.is_some());
    call.rules()?.admit_key(call, &object.key, version, &need).await?;
    call.backend().delete(call.bucket(), &object.key, object.version_id.as_deref(), &how).await
}
