//! The operations, one file each; those that differ in little share one.

mod abort_multipart_upload;
mod bucket_document;
mod bucket_tagging;
mod bucket_versioning;
mod complete_multipart_upload;
mod copy_object;
mod create_bucket;
mod create_multipart_upload;
mod delete_bucket;
mod delete_object;
mod delete_objects;
mod get_acl;
mod get_bucket_location;
mod get_object_attributes;
mod head_bucket;
mod list_buckets;
mod list_multipart_uploads;
mod list_object_versions;
mod list_objects;
mod list_parts;
mod object_lock;
mod object_tagging;
mod options_object;
mod post_object;
mod put_acl;
mod put_object;
mod read_object;
mod upload_part;

use crate::access::{self, Rules};
use crate::call::{Call, Reply};
use crate::checksum::Checksum;
use crate::error::{Code, Error, Result};
use crate::receive::Expected;
use crate::route::Operation;
use crate::target::{check_key, is_bucket_name};
use crate::xml::Writer;

/// The largest document that is read: the most parts a completion can name take about a megabyte.
const MOST_DOCUMENT: usize = 4 * 1024 * 1024;

/// Headers that ask for what the store does not do: appending, conditions of directory buckets, MFA delete, names of buckets
/// within an account, holds until an event. (Whether annotations are copied, aws-cli says of every copy; there are none.)
const UNCARRIED: [&str; 9] = [
    "x-amz-bucket-namespace",
    "x-amz-if-match-initiated-time",
    "x-amz-if-match-last-modified-time",
    "x-amz-if-match-size",
    "x-amz-mfa",
    "x-amz-object-lock-event-hold",
    "x-amz-object-lock-event-hold-duration-days",
    "x-amz-object-lock-event-hold-duration-years",
    "x-amz-write-offset-bytes",
];

/// Runs an admitted request.
pub(crate) async fn run(operation: Operation, mut call: Call) -> Result<Reply> {
    check_names(&call)?;
    if UNCARRIED.iter().any(|name| call.headers.contains_key(*name)) {
        return Err(Code::NotImplemented.into());
    }
    if !matches!(operation, Operation::ListBuckets | Operation::CreateBucket | Operation::OptionsObject) {
        call.rules = Some(Rules::of(&call, call.bucket(), "x-amz-expected-bucket-owner").await?);
    }
    if !operation.takes_bytes() {
        // Reading to the end verifies the hash or signature of every body, an empty one too.
        call.document = call.body.all(MOST_DOCUMENT).await?;
        // A completion carries the object's checksum in headers that otherwise speak of the body.
        if operation != Operation::CompleteMultipartUpload {
            Expected::of(&call.headers)?.check_bytes(&call.document, &call.body.trailers())?;
        }
    }
    access::admit(&mut call, operation).await?;
    match operation {
        Operation::AbortMultipartUpload => abort_multipart_upload::run(call).await,
        Operation::BucketDocument(act, document) => bucket_document::run(call, act, document).await,
        Operation::CompleteMultipartUpload => complete_multipart_upload::run(call).await,
        Operation::CopyObject => copy_object::run(call).await,
        Operation::CreateBucket => create_bucket::run(call).await,
        Operation::CreateMultipartUpload => create_multipart_upload::run(call).await,
        Operation::DeleteBucket => delete_bucket::run(call).await,
        Operation::DeleteBucketTagging => bucket_tagging::delete(call).await,
        Operation::DeleteObject => delete_object::run(call).await,
        Operation::DeleteObjectTagging => object_tagging::delete(call).await,
        Operation::DeleteObjects => delete_objects::run(call).await,
        Operation::GetBucketAcl => get_acl::of_bucket(call).await,
        Operation::GetBucketLocation => get_bucket_location::run(call).await,
        Operation::GetBucketPolicyStatus => bucket_document::policy_status(call),
        Operation::GetBucketTagging => bucket_tagging::get(call).await,
        Operation::GetBucketVersioning => bucket_versioning::get(call).await,
        Operation::GetObjectAcl => get_acl::of_object(call).await,
        Operation::GetObject => read_object::run(call, true).await,
        Operation::GetObjectAttributes => get_object_attributes::run(call).await,
        Operation::GetObjectLegalHold => object_lock::get_legal_hold(call).await,
        Operation::GetObjectRetention => object_lock::get_retention(call).await,
        Operation::GetObjectTagging => object_tagging::get(call).await,
        Operation::HeadBucket => head_bucket::run(call).await,
        Operation::HeadObject => read_object::run(call, false).await,
        Operation::ListBuckets => list_buckets::run(call).await,
        Operation::ListMultipartUploads => list_multipart_uploads::run(call).await,
        Operation::ListObjectVersions => list_object_versions::run(call).await,
        Operation::ListObjects => list_objects::v1(call).await,
        Operation::ListObjectsV2 => list_objects::v2(call).await,
        Operation::ListParts => list_parts::run(call).await,
        Operation::OptionsObject => options_object::run(call).await,
        Operation::PostObject => post_object::run(call).await,
        Operation::PutBucketAcl => put_acl::of_bucket(call).await,
        Operation::PutBucketTagging => bucket_tagging::put(call).await,
        Operation::PutBucketVersioning => bucket_versioning::put(call).await,
        Operation::PutObject => put_object::run(call).await,
        Operation::PutObjectAcl => put_acl::of_object(call).await,
        Operation::PutObjectLegalHold => object_lock::put_legal_hold(call).await,
        Operation::PutObjectRetention => object_lock::put_retention(call).await,
        Operation::PutObjectTagging => object_tagging::put(call).await,
        Operation::UploadPart => upload_part::run(call).await,
        Operation::UploadPartCopy => upload_part::copy(call).await,
    }
}

/// The upload a request is about.
fn upload_id(call: &Call) -> Result<&str> {
    match call.query.filled("uploadId") {
        Some(id) => Ok(id),
        None => Err(Code::NoSuchUpload.into()),
    }
}

/// Adds a checksum to a document, with its type where that is told too.
fn write_checksum(xml: &mut Writer, checksum: Option<&Checksum>, with_type: bool) {
    let Some(checksum) = checksum else { return };
    xml.text(checksum.kind.algorithm.element(), &checksum.value);
    if with_type {
        xml.text("ChecksumType", checksum.kind.type_name());
    }
}

fn check_names(call: &Call) -> Result<()> {
    let bucket = call.bucket();
    if !bucket.is_empty() && !is_bucket_name(bucket) {
        return Err(Error::from(Code::InvalidBucketName).detail("BucketName", bucket));
    }
    check_key(call.key())
}
