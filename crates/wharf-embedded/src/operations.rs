//! The operations by their names, to aim faults at and to look for in the log.

use std::fmt;
use std::str::FromStr;

use crate::faults::FaultError;

/// The operations the store carries, by S3's names.
#[allow(missing_docs, reason = "S3's reference says what each does")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    AbortMultipartUpload,
    CompleteMultipartUpload,
    CopyObject,
    CreateBucket,
    CreateMultipartUpload,
    DeleteBucket,
    DeleteBucketCors,
    DeleteBucketEncryption,
    DeleteBucketLifecycle,
    DeleteBucketOwnershipControls,
    DeleteBucketPolicy,
    DeleteBucketReplication,
    DeleteBucketTagging,
    DeleteBucketWebsite,
    DeleteObject,
    DeleteObjectTagging,
    DeleteObjects,
    DeletePublicAccessBlock,
    GetBucketAccelerateConfiguration,
    GetBucketAcl,
    GetBucketCors,
    GetBucketEncryption,
    GetBucketLifecycleConfiguration,
    GetBucketLocation,
    GetBucketLogging,
    GetBucketNotificationConfiguration,
    GetBucketOwnershipControls,
    GetBucketPolicy,
    GetBucketPolicyStatus,
    GetBucketReplication,
    GetBucketRequestPayment,
    GetBucketTagging,
    GetBucketVersioning,
    GetBucketWebsite,
    GetObject,
    GetObjectAcl,
    GetObjectAttributes,
    GetObjectLegalHold,
    GetObjectLockConfiguration,
    GetObjectRetention,
    GetObjectTagging,
    GetPublicAccessBlock,
    HeadBucket,
    HeadObject,
    ListBuckets,
    ListMultipartUploads,
    ListObjectVersions,
    ListObjects,
    ListObjectsV2,
    ListParts,
    OptionsObject,
    PostObject,
    PutBucketAccelerateConfiguration,
    PutBucketAcl,
    PutBucketCors,
    PutBucketEncryption,
    PutBucketLifecycleConfiguration,
    PutBucketLogging,
    PutBucketNotificationConfiguration,
    PutBucketOwnershipControls,
    PutBucketPolicy,
    PutBucketRequestPayment,
    PutBucketTagging,
    PutBucketVersioning,
    PutBucketWebsite,
    PutObject,
    PutObjectAcl,
    PutObjectLegalHold,
    PutObjectLockConfiguration,
    PutObjectRetention,
    PutObjectTagging,
    PutPublicAccessBlock,
    UploadPart,
    UploadPartCopy,
}

/// All of them with their names, in the order of the enum.
const NAMES: [(Operation, &str); 74] = [
    (Operation::AbortMultipartUpload, "AbortMultipartUpload"),
    (Operation::CompleteMultipartUpload, "CompleteMultipartUpload"),
    (Operation::CopyObject, "CopyObject"),
    (Operation::CreateBucket, "CreateBucket"),
    (Operation::CreateMultipartUpload, "CreateMultipartUpload"),
    (Operation::DeleteBucket, "DeleteBucket"),
    (Operation::DeleteBucketCors, "DeleteBucketCors"),
    (Operation::DeleteBucketEncryption, "DeleteBucketEncryption"),
    (Operation::DeleteBucketLifecycle, "DeleteBucketLifecycle"),
    (Operation::DeleteBucketOwnershipControls, "DeleteBucketOwnershipControls"),
    (Operation::DeleteBucketPolicy, "DeleteBucketPolicy"),
    (Operation::DeleteBucketReplication, "DeleteBucketReplication"),
    (Operation::DeleteBucketTagging, "DeleteBucketTagging"),
    (Operation::DeleteBucketWebsite, "DeleteBucketWebsite"),
    (Operation::DeleteObject, "DeleteObject"),
    (Operation::DeleteObjectTagging, "DeleteObjectTagging"),
    (Operation::DeleteObjects, "DeleteObjects"),
    (Operation::DeletePublicAccessBlock, "DeletePublicAccessBlock"),
    (Operation::GetBucketAccelerateConfiguration, "GetBucketAccelerateConfiguration"),
    (Operation::GetBucketAcl, "GetBucketAcl"),
    (Operation::GetBucketCors, "GetBucketCors"),
    (Operation::GetBucketEncryption, "GetBucketEncryption"),
    (Operation::GetBucketLifecycleConfiguration, "GetBucketLifecycleConfiguration"),
    (Operation::GetBucketLocation, "GetBucketLocation"),
    (Operation::GetBucketLogging, "GetBucketLogging"),
    (Operation::GetBucketNotificationConfiguration, "GetBucketNotificationConfiguration"),
    (Operation::GetBucketOwnershipControls, "GetBucketOwnershipControls"),
    (Operation::GetBucketPolicy, "GetBucketPolicy"),
    (Operation::GetBucketPolicyStatus, "GetBucketPolicyStatus"),
    (Operation::GetBucketReplication, "GetBucketReplication"),
    (Operation::GetBucketRequestPayment, "GetBucketRequestPayment"),
    (Operation::GetBucketTagging, "GetBucketTagging"),
    (Operation::GetBucketVersioning, "GetBucketVersioning"),
    (Operation::GetBucketWebsite, "GetBucketWebsite"),
    (Operation::GetObject, "GetObject"),
    (Operation::GetObjectAcl, "GetObjectAcl"),
    (Operation::GetObjectAttributes, "GetObjectAttributes"),
    (Operation::GetObjectLegalHold, "GetObjectLegalHold"),
    (Operation::GetObjectLockConfiguration, "GetObjectLockConfiguration"),
    (Operation::GetObjectRetention, "GetObjectRetention"),
    (Operation::GetObjectTagging, "GetObjectTagging"),
    (Operation::GetPublicAccessBlock, "GetPublicAccessBlock"),
    (Operation::HeadBucket, "HeadBucket"),
    (Operation::HeadObject, "HeadObject"),
    (Operation::ListBuckets, "ListBuckets"),
    (Operation::ListMultipartUploads, "ListMultipartUploads"),
    (Operation::ListObjectVersions, "ListObjectVersions"),
    (Operation::ListObjects, "ListObjects"),
    (Operation::ListObjectsV2, "ListObjectsV2"),
    (Operation::ListParts, "ListParts"),
    (Operation::OptionsObject, "OptionsObject"),
    (Operation::PostObject, "PostObject"),
    (Operation::PutBucketAccelerateConfiguration, "PutBucketAccelerateConfiguration"),
    (Operation::PutBucketAcl, "PutBucketAcl"),
    (Operation::PutBucketCors, "PutBucketCors"),
    (Operation::PutBucketEncryption, "PutBucketEncryption"),
    (Operation::PutBucketLifecycleConfiguration, "PutBucketLifecycleConfiguration"),
    (Operation::PutBucketLogging, "PutBucketLogging"),
    (Operation::PutBucketNotificationConfiguration, "PutBucketNotificationConfiguration"),
    (Operation::PutBucketOwnershipControls, "PutBucketOwnershipControls"),
    (Operation::PutBucketPolicy, "PutBucketPolicy"),
    (Operation::PutBucketRequestPayment, "PutBucketRequestPayment"),
    (Operation::PutBucketTagging, "PutBucketTagging"),
    (Operation::PutBucketVersioning, "PutBucketVersioning"),
    (Operation::PutBucketWebsite, "PutBucketWebsite"),
    (Operation::PutObject, "PutObject"),
    (Operation::PutObjectAcl, "PutObjectAcl"),
    (Operation::PutObjectLegalHold, "PutObjectLegalHold"),
    (Operation::PutObjectLockConfiguration, "PutObjectLockConfiguration"),
    (Operation::PutObjectRetention, "PutObjectRetention"),
    (Operation::PutObjectTagging, "PutObjectTagging"),
    (Operation::PutPublicAccessBlock, "PutPublicAccessBlock"),
    (Operation::UploadPart, "UploadPart"),
    (Operation::UploadPartCopy, "UploadPartCopy"),
];

impl Operation {
    /// All that the store carries.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.into_iter().map(|(operation, _)| operation)
    }

    /// The name S3 gives it.
    pub fn name(self) -> &'static str {
        NAMES[self as usize].1
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Operation {
    type Err = FaultError;

    fn from_str(name: &str) -> Result<Self, FaultError> {
        let found = NAMES.into_iter().find(|(_, other)| *other == name);
        found.map(|(operation, _)| operation).ok_or_else(|| {
            FaultError::new(format!(
                "{name:?} is no operation of the store's; they are named as S3 names them, such as PutObject"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_own_name() {
        for (at, (operation, name)) in NAMES.into_iter().enumerate() {
            assert_eq!((operation as usize, operation.name()), (at, name));
            assert_eq!(format!("{operation:?}"), name);
            assert_eq!(name.parse(), Ok(operation));
        }
        // The last of the enum: where one is missing above, this is at another place.
        assert_eq!(Operation::UploadPartCopy as usize, NAMES.len() - 1);
    }
}
