//! GetBucketAcl and GetObjectAcl.

use super::read_object::readable;
use crate::call::{Call, Reply, document, set};
use crate::error::Result;

pub(super) async fn of_bucket(call: Call) -> Result<Reply> {
    let bucket = call.own_bucket().await?;
    Ok(document(bucket.acl.document(&call.account.number, &call.account.name)))
}

pub(super) async fn of_object(call: Call) -> Result<Reply> {
    let found = call.backend().find(call.bucket(), call.key(), call.version()?).await?;
    let object = readable(&call, &found)?;
    let mut reply = document(object.acl.document(&call.account.number, &call.account.name));
    if found.versioned {
        set(reply.headers_mut(), "x-amz-version-id", &found.version.id);
    }
    Ok(reply)
}
