//! S3's operations, one file each.

mod abort_multipart_upload;
mod complete_multipart_upload;
mod completed_part;
mod copy_object;
mod create_bucket;
mod create_multipart_upload;
mod create_session;
mod delete_bucket;
mod delete_object;
mod delete_object_tagging;
mod delete_objects;
mod elements;
mod get_bucket_location;
mod get_bucket_versioning;
mod get_object;
mod get_object_attributes;
mod get_object_tagging;
mod head_bucket;
mod head_object;
mod list_buckets;
mod list_multipart_uploads;
mod list_object_versions;
mod list_objects;
mod list_parts;
mod mfa;
mod post_object;
mod put_bucket_versioning;
mod put_object;
mod put_object_tagging;
mod signed_request;
#[cfg(test)]
mod testing;
mod upload_part;
mod upload_part_copy;

pub use abort_multipart_upload::{AbortMultipartUpload, AbortMultipartUploadOutput};
pub use complete_multipart_upload::{CompleteMultipartUpload, CompleteMultipartUploadOutput};
pub use completed_part::CompletedPart;
pub use copy_object::{CopyObject, CopyObjectOutput};
pub use create_bucket::{BucketNamespace, CreateBucket, CreateBucketOutput, LocationType, ObjectOwnership};
pub use create_multipart_upload::{CreateMultipartUpload, CreateMultipartUploadOutput};
pub use create_session::{CreateSession, CreateSessionOutput, SessionMode};
pub use delete_bucket::DeleteBucket;
pub use delete_object::{DeleteObject, DeleteObjectOutput};
pub use delete_object_tagging::{DeleteObjectTagging, DeleteObjectTaggingOutput};
pub use delete_objects::{DeleteError, DeleteObjects, DeleteObjectsOutput, DeletedObject, ObjectIdentifier};
pub use get_bucket_location::GetBucketLocation;
pub use get_bucket_versioning::{GetBucketVersioning, GetBucketVersioningOutput, VersioningStatus};
pub use get_object::GetObject;
pub use get_object_attributes::{
    GetObjectAttributes, GetObjectAttributesOutput, ObjectAttribute, ObjectPart, ObjectParts,
};
pub use get_object_tagging::{GetObjectTagging, GetObjectTaggingOutput};
pub use head_bucket::{HeadBucket, HeadBucketOutput};
pub use head_object::HeadObject;
pub use list_buckets::{ListBuckets, ListBucketsOutput, ListedBucket};
pub use list_multipart_uploads::{ListMultipartUploads, ListMultipartUploadsOutput, ListedUpload};
pub use list_object_versions::{ListObjectVersions, ListObjectVersionsOutput, ListedVersion};
pub use list_objects::{ListObjects, ListObjectsOutput, ListedObject, Owner, RestoreStatus};
pub use list_parts::{ListParts, ListPartsOutput, ListedPart};
pub use post_object::{PostForm, PostObject, PresignedPost};
pub use put_bucket_versioning::PutBucketVersioning;
pub use put_object::{PartsChecksum, PutInParts, PutObject, PutObjectOutput};
pub use put_object_tagging::{PutObjectTagging, PutObjectTaggingOutput};
pub use signed_request::SignedRequest;
pub use upload_part::{UploadPart, UploadPartOutput};
pub use upload_part_copy::{UploadPartCopy, UploadPartCopyOutput};
