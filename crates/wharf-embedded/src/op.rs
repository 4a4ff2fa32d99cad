//! The operations, one file each; those that differ in little share one.

mod create_bucket;
mod delete_bucket;
mod delete_object;
mod get_bucket_location;
mod head_bucket;
mod list_buckets;
mod list_objects;
mod put_object;
mod read_object;

use crate::call::{Call, Reply};
use crate::error::{Code, Error, Result};
use crate::receive::Expected;
use crate::route::Operation;
use crate::target::is_bucket_name;

/// The largest document that is read: the most parts a completion can name take about a megabyte.
const MOST_DOCUMENT: usize = 4 * 1024 * 1024;

/// The longest key, in bytes.
const MOST_KEY: usize = 1024;

/// Runs an admitted request.
pub(crate) async fn run(operation: Operation, mut call: Call) -> Result<Reply> {
    check_names(&call)?;
    if !matches!(operation, Operation::ListBuckets | Operation::CreateBucket) {
        call.own_bucket().await?;
    }
    if !operation.takes_bytes() {
        // Reading to the end verifies the hash or signature of every body, an empty one too.
        call.document = call.body.all(MOST_DOCUMENT).await?;
        // A completion carries the object's checksum in headers that otherwise speak of the body.
        if operation != Operation::CompleteMultipartUpload {
            Expected::of(&call.headers)?.check_bytes(&call.document, &call.body.trailers())?;
        }
    }
    match operation {
        Operation::CreateBucket => create_bucket::run(call).await,
        Operation::DeleteBucket => delete_bucket::run(call).await,
        Operation::DeleteObject => delete_object::run(call).await,
        Operation::GetBucketLocation => get_bucket_location::run(call).await,
        Operation::GetObject => read_object::run(call, true).await,
        Operation::HeadBucket => head_bucket::run(call).await,
        Operation::HeadObject => read_object::run(call, false).await,
        Operation::ListBuckets => list_buckets::run(call).await,
        Operation::ListObjects => list_objects::v1(call).await,
        Operation::ListObjectsV2 => list_objects::v2(call).await,
        Operation::PutObject => put_object::run(call).await,
        _ => Err(Code::NotImplemented.into()),
    }
}

fn check_names(call: &Call) -> Result<()> {
    let (bucket, key) = (call.bucket(), call.key());
    if !bucket.is_empty() && !is_bucket_name(bucket) {
        return Err(Error::from(Code::InvalidBucketName).detail("BucketName", bucket));
    }
    if key.len() > MOST_KEY {
        return Err(Error::from(Code::KeyTooLong)
            .detail("Size", key.len().to_string())
            .detail("MaxSizeAllowed", MOST_KEY.to_string()));
    }
    Ok(())
}
