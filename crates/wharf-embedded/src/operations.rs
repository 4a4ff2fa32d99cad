//! The operations by their names.

use std::fmt;
use std::str::FromStr;

use crate::faults::FaultError;
use crate::route::Operation;

impl Operation {
    /// All that the store carries, in order of their names.
    pub const ALL: [Operation; 36] = [
        Operation::AbortMultipartUpload,
        Operation::CompleteMultipartUpload,
        Operation::CopyObject,
        Operation::CreateBucket,
        Operation::CreateMultipartUpload,
        Operation::DeleteBucket,
        Operation::DeleteBucketTagging,
        Operation::DeleteObject,
        Operation::DeleteObjectTagging,
        Operation::DeleteObjects,
        Operation::GetBucketAcl,
        Operation::GetBucketLocation,
        Operation::GetBucketTagging,
        Operation::GetBucketVersioning,
        Operation::GetObject,
        Operation::GetObjectAcl,
        Operation::GetObjectAttributes,
        Operation::GetObjectLegalHold,
        Operation::GetObjectRetention,
        Operation::GetObjectTagging,
        Operation::HeadBucket,
        Operation::HeadObject,
        Operation::ListBuckets,
        Operation::ListMultipartUploads,
        Operation::ListObjectVersions,
        Operation::ListObjects,
        Operation::ListObjectsV2,
        Operation::ListParts,
        Operation::PutBucketTagging,
        Operation::PutBucketVersioning,
        Operation::PutObject,
        Operation::PutObjectLegalHold,
        Operation::PutObjectRetention,
        Operation::PutObjectTagging,
        Operation::UploadPart,
        Operation::UploadPartCopy,
    ];
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Operation {
    type Err = FaultError;

    fn from_str(name: &str) -> Result<Self, FaultError> {
        Self::ALL.into_iter().find(|operation| operation.name() == name).ok_or_else(|| {
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
    fn none_is_missing() {
        // The list has the enum's order; one left out would shift those behind it, of which this is the last.
        assert!(Operation::ALL.iter().enumerate().all(|(at, operation)| *operation as usize == at));
        assert_eq!(Operation::ALL.len() - 1, Operation::UploadPartCopy as usize);
        for operation in Operation::ALL {
            assert_eq!(operation.name().parse::<Operation>().ok(), Some(operation));
        }
    }
}
