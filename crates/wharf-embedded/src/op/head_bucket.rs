//! HeadBucket.

use http::StatusCode;

use crate::call::{Call, Reply, empty, set};
use crate::error::Result;

pub(super) async fn run(call: Call) -> Result<Reply> {
    let bucket = &call.rules()?.bucket;
    let mut reply = empty(StatusCode::OK);
    set(reply.headers_mut(), "x-amz-bucket-region", &bucket.region);
    set(reply.headers_mut(), "x-amz-access-point-alias", false);
    Ok(reply)
}
