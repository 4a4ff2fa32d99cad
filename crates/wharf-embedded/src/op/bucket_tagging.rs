//! GetBucketTagging, PutBucketTagging and DeleteBucketTagging.

use http::StatusCode;

use super::object_tagging::tag_set;
use crate::call::{Call, Reply, document, empty};
use crate::error::{Code, Result};
use crate::tags;

pub(super) async fn get(call: Call) -> Result<Reply> {
    let bucket = &call.rules()?.bucket;
    if bucket.tags.is_empty() {
        return Err(Code::NoSuchTagSet.into());
    }
    Ok(document(tag_set(&bucket.tags)))
}

pub(super) async fn put(call: Call) -> Result<Reply> {
    let tags = tags::of_document(&call.document, tags::MOST_OF_BUCKET)?;
    call.backend().set_bucket_tags(call.bucket(), tags).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn delete(call: Call) -> Result<Reply> {
    call.backend().set_bucket_tags(call.bucket(), Vec::new()).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
