//! GetBucketAcl and GetObjectAcl.

use super::read_object::readable;
use crate::call::{Call, Reply, document, set};
use crate::error::Result;

pub(super) async fn of_bucket(call: Call) -> Result<Reply> {
    let rules = call.rules()?;
    Ok(document(rules.told(&rules.bucket.acl).document(&call.shared.accounts)))
}

pub(super) async fn of_object(call: Call) -> Result<Reply> {
    let found = call.found()?;
    let object = readable(&call, found)?;
    let mut reply = document(call.rules()?.told(&object.acl).document(&call.shared.accounts));
    if found.versioned {
        set(reply.headers_mut(), "x-amz-version-id", &found.version.id);
    }
    Ok(reply)
}
