//! DeleteObject.

use http::StatusCode;

use crate::backend::Removal;
use crate::call::{Call, Reply, empty, set};
use crate::condition::Guard;
use crate::error::{Code, Error, Result};

pub(super) async fn run(call: Call) -> Result<Reply> {
    let etag = call.header("if-match");
    if etag.is_some() && call.version()?.is_some() {
        return Err(Error::from(Code::NotImplemented).detail("Header", "If-Match"));
    }
    let how = Removal {
        at: call.now,
        guard: Guard::etag(etag),
        bypass_governance: call.flag("x-amz-bypass-governance-retention"),
    };
    let deleted = call.backend().delete(call.bucket(), call.key(), call.version()?, &how).await?;
    let mut reply = empty(StatusCode::NO_CONTENT);
    if let Some(version) = &deleted.version {
        set(reply.headers_mut(), "x-amz-version-id", version);
    }
    if deleted.marker {
        set(reply.headers_mut(), "x-amz-delete-marker", true);
    }
    Ok(reply)
}
