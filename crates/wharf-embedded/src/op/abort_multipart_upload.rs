//! AbortMultipartUpload.

use http::StatusCode;

use super::upload_id;
use crate::call::{Call, Reply, empty};
use crate::error::{Code, Result};

pub(super) async fn run(call: Call) -> Result<Reply> {
    let (backend, bucket, key, id) = (call.backend(), call.bucket(), call.key(), upload_id(&call)?);
    match backend.abort(bucket, key, id).await {
        // Over is over, for about a day at S3.
        Err(error) if error.code() == Code::NoSuchUpload && backend.ending(bucket, key, id).await?.is_some() => {}
        outcome => outcome?,
    }
    Ok(empty(StatusCode::NO_CONTENT))
}
