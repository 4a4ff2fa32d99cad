//! DeleteBucket.

use http::StatusCode;

use crate::call::{Call, Reply, empty};
use crate::error::Result;

pub(super) async fn run(call: Call) -> Result<Reply> {
    call.backend().delete_bucket(call.bucket()).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
