//! The documents that configure a bucket: got as they were put, after a check of what they say. Which there are, and
//! what they are called, is in the table of `document.rs`; what each must say is in a file of its family here.

mod encryption;
mod lifecycle;
mod notification;
mod object_lock;
mod settings;
mod website;

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use s3s::xml::{Serialize, Serializer};
use wharf_transport::Body;

use crate::access::policy::Policy;
use crate::backend::Bucket;
use crate::call::{Call, Reply, document as reply_with, empty};
use crate::cors;
use crate::document::{Absent, Act, Document};
use crate::error::{Code, Result};
use crate::xml::{self, Writer};

/// What is kept of a document.
enum Kept {
    AsPut,
    /// The same with what S3 adds to it.
    Instead(Bytes),
    /// It says nothing, which is as good as none.
    Nothing,
}

pub(super) async fn run(call: Call, act: Act, document: Document) -> Result<Reply> {
    match act {
        Act::Get => get(&call.rules()?.bucket, document),
        Act::Put => put(&call, document).await,
        Act::Delete => {
            call.backend().set_bucket_document(call.bucket(), document.subresource(), None).await?;
            Ok(empty(StatusCode::NO_CONTENT))
        }
    }
}

/// GetBucketPolicyStatus.
pub(super) fn policy_status(call: Call) -> Result<Reply> {
    let bucket = &call.rules()?.bucket;
    let bytes = bucket.documents.get(Document::Policy.subresource()).ok_or(Code::NoSuchBucketPolicy)?;
    let mut xml = Writer::new("PolicyStatus");
    xml.show("IsPublic", Policy::parse(bytes, &bucket.name)?.is_public());
    Ok(reply_with(xml))
}

fn get(bucket: &Bucket, document: Document) -> Result<Reply> {
    let Some(bytes) = bucket.documents.get(document.subresource()) else { return absent(bucket, document) };
    let mut reply = empty(StatusCode::OK);
    *reply.body_mut() = Body::from(bytes.clone());
    let kind = if document == Document::Policy { "application/json" } else { "application/xml" };
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(reply)
}

fn absent(bucket: &Bucket, document: Document) -> Result<Reply> {
    let (root, inside) = match document.row().absent {
        // A bucket that was made with object lock has it without a document.
        Absent::Error(Code::ObjectLockConfigurationNotFound) if bucket.object_lock => {
            ("ObjectLockConfiguration", "<ObjectLockEnabled>Enabled</ObjectLockEnabled>")
        }
        Absent::Error(code) => return Err(code.into()),
        Absent::Default(root, inside) => (root, inside),
    };
    let mut xml = Writer::new(root);
    xml.raw(inside);
    Ok(reply_with(xml))
}

async fn put(call: &Call, document: Document) -> Result<Reply> {
    let kept = match check(call, document)? {
        Kept::AsPut => Some(call.document.clone()),
        Kept::Instead(bytes) => Some(bytes),
        Kept::Nothing => None,
    };
    call.backend().set_bucket_document(call.bucket(), document.subresource(), kept).await?;
    Ok(empty(if document == Document::Policy { StatusCode::NO_CONTENT } else { StatusCode::OK }))
}

/// Refuses what S3 would refuse.
fn check(call: &Call, document: Document) -> Result<Kept> {
    let (bytes, rules) = (&call.document, call.rules()?);
    let elements = document.row().elements;
    if !elements.is_empty() {
        xml::check_elements(bytes, elements)?;
    }
    match document {
        Document::Accelerate => settings::accelerate(bytes, &rules.bucket),
        Document::Cors => cors::parse(bytes).map(|_| Kept::AsPut),
        Document::Encryption => encryption::check(bytes),
        Document::Lifecycle => lifecycle::check(bytes, &call.shared.ids),
        Document::Logging => settings::logging(bytes),
        Document::Notification => notification::check(bytes, &call.shared.ids),
        Document::ObjectLock => object_lock::check(bytes, &rules.bucket),
        Document::OwnershipControls => settings::ownership(bytes, &rules.bucket),
        Document::Policy => {
            rules.check_policy(&Policy::accept(bytes, call.bucket())?)?;
            Ok(Kept::AsPut)
        }
        Document::PublicAccessBlock => settings::public_access_block(bytes),
        Document::RequestPayment => settings::request_payment(bytes),
        Document::Website => website::check(bytes),
        Document::Replication => Err(Code::NotImplemented.into()),
    }
}

/// Writes a document that something was added to.
fn rewritten(document: &impl Serialize) -> Result<Kept> {
    let mut out = Vec::new();
    document.serialize(&mut Serializer::new(&mut out)).map_err(|_| Code::InternalError)?;
    Ok(Kept::Instead(out.into()))
}
