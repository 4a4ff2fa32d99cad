//! S3's operations, one file each.

mod create_bucket;
mod delete_bucket;
mod elements;
mod get_bucket_location;
mod get_bucket_versioning;
mod get_object;
mod head_bucket;
mod list_buckets;
mod list_objects;
mod mfa;
mod put_bucket_versioning;
#[cfg(test)]
mod testing;

pub use create_bucket::{BucketNamespace, CreateBucket, CreateBucketOutput, LocationType, ObjectOwnership};
pub use delete_bucket::DeleteBucket;
pub use get_bucket_location::GetBucketLocation;
pub use get_bucket_versioning::{GetBucketVersioning, GetBucketVersioningOutput, VersioningStatus};
pub use get_object::GetObject;
pub use head_bucket::{HeadBucket, HeadBucketOutput};
pub use list_buckets::{ListBuckets, ListBucketsOutput, ListedBucket};
pub use list_objects::{ListObjects, ListObjectsOutput, ListedObject, Owner, RestoreStatus};
pub use put_bucket_versioning::PutBucketVersioning;
