//! AbortMultipartUpload.

use http::StatusCode;

use super::upload_id;
use crate::call::{Call, Reply, empty};
use crate::error::Result;

pub(super) async fn run(call: Call) -> Result<Reply> {
    call.backend().abort(call.bucket(), call.key(), upload_id(&call)?).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
