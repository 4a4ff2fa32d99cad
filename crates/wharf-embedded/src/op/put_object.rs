//! PutObject.

use http::{HeaderMap, StatusCode};

use crate::backend::{Found, Lock, Object};
use crate::call::{Call, Reply, empty, set, set_etag};
use crate::condition::Guard;
use crate::error::{Code, Error, Result};
use crate::hex::hex;
use crate::kept;
use crate::receive::{Expected, receive};
use crate::tags;

pub(super) const CUSTOMER: &str = "x-amz-server-side-encryption-customer";

pub(super) async fn run(mut call: Call) -> Result<Reply> {
    let found = store(&mut call).await?;
    let mut reply = empty(StatusCode::OK);
    written(&found, reply.headers_mut());
    Ok(reply)
}

/// Puts the body under the key, with all that the headers ask for.
pub(super) async fn store(call: &mut Call) -> Result<Found> {
    let rules = call.rules()?;
    let guard = Guard::of(&call.headers)?;
    let headers = kept::of_request(&call.headers, &rules.bucket)?;
    let customer_key = kept::customer_key(&call.headers, CUSTOMER)?;
    let lock = kept::lock(&call.headers, &rules.bucket, call.now)?;
    let vouched = call.habits.forget_checksums || Expected::of(&call.headers)?.is_given();
    if lock != Lock::default() && !vouched {
        let message = "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters";
        return Err(Error::new(Code::InvalidRequest, message));
    }
    let acl = rules.object_acl(call)?;
    let tags = call.header("x-amz-tagging").map(tags::of_header).transpose()?.unwrap_or_default();
    let received = receive(&*call.shared.backend, &call.headers, &mut call.body, None).await?;
    let object = Object {
        blob: received.blob,
        etag: etag(call, &received.md5, &headers),
        headers,
        tags,
        checksum: call.keeps(received.checksum),
        parts: Vec::new(),
        customer_key,
        lock,
        acl,
    };
    call.backend().put(call.bucket(), call.key(), call.now, object, &guard).await
}

/// The entity tag of bytes: their MD5, except where they are encrypted by a key of KMS's or the customer's.
pub(super) fn etag(call: &Call, md5: &[u8; 16], headers: &HeaderMap) -> String {
    let kms =
        headers.get("x-amz-server-side-encryption").is_some_and(|method| method.as_bytes().starts_with(b"aws:kms"));
    let customer = headers.contains_key("x-amz-server-side-encryption-customer-algorithm");
    if kms || customer { call.shared.ids.etag(md5) } else { hex(md5) }
}

/// What the answer to a write says of the object written.
pub(super) fn written(found: &Found, answer: &mut HeaderMap) {
    written_beside(found, answer);
    let Some(object) = &found.version.object else { return };
    set_etag(answer, &object.etag);
    if let Some(checksum) = &object.checksum {
        set(answer, checksum.kind.algorithm.header(), &checksum.value);
        set(answer, "x-amz-checksum-type", checksum.kind.type_name());
    }
}

/// The same, beside a document that has the entity tag and the checksum.
pub(super) fn written_beside(found: &Found, answer: &mut HeaderMap) {
    if found.versioned {
        set(answer, "x-amz-version-id", &found.version.id);
    }
    if let Some(object) = &found.version.object {
        kept::encryption_of(&object.headers, answer);
    }
}
