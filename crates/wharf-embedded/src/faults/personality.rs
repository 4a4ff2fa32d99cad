//! Habits of other servers, put together of faults.

use std::fmt;
use std::str::FromStr;

use super::{Fault, FaultError};
use crate::operations::Operation;

/// The operations whose conditions guard what is there.
const GUARDED: [Operation; 5] = [
    Operation::PutObject,
    Operation::CopyObject,
    Operation::CompleteMultipartUpload,
    Operation::DeleteObject,
    Operation::DeleteObjects,
];

const TAGGING: [Operation; 6] = [
    Operation::GetObjectTagging,
    Operation::PutObjectTagging,
    Operation::DeleteObjectTagging,
    Operation::GetBucketTagging,
    Operation::PutBucketTagging,
    Operation::DeleteBucketTagging,
];

const COPYING: [Operation; 2] = [Operation::CopyObject, Operation::UploadPartCopy];

/// The habits of another server, to test against: faults that a store has from its beginning and keeps.
///
/// Each takes over habits of a server that break programs, found by running it; the store remains itself in all else. So
/// a test that passes here need not pass there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Personality {
    /// Ceph 16: checksums are neither compared nor kept nor told; a checksum that follows the body (`x-amz-trailer`) is
    /// refused with 400 `XAmzContentSHA256Mismatch`. Conditions of CopyObject, CompleteMultipartUpload, DeleteObject
    /// and DeleteObjects, and those on the source of a copy, are ignored; only those of PutObject hold.
    Ceph,
    /// Garage 2: conditions of all writes and deletes are ignored. There are no tags and no versions: tagging,
    /// PutBucketVersioning and ListObjectVersions are 501 `NotImplemented`. A signed trailer is refused with 400.
    Garage,
    /// `rclone serve s3`: checksums are neither compared nor kept nor told; conditions of all writes and deletes, and
    /// those on the source of a copy, are ignored. PutBucketVersioning and ListObjectVersions are 501 `NotImplemented`.
    Rclone,
    /// The least that is called S3, which is no server in particular: buckets in the path only, no checksums, no
    /// conditions at all, and bodies framed as `aws-chunked` are 501 `NotImplemented`.
    Plain,
}

impl Personality {
    /// All of them.
    pub const ALL: [Personality; 4] = [Personality::Ceph, Personality::Garage, Personality::Rclone, Personality::Plain];

    /// The name, as `wharf serve --personality` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Personality::Ceph => "ceph",
            Personality::Garage => "garage",
            Personality::Rclone => "rclone",
            Personality::Plain => "plain",
        }
    }

    /// The faults it is made of.
    pub fn faults(self) -> Vec<Fault> {
        let versions = [Operation::PutBucketVersioning, Operation::ListObjectVersions];
        match self {
            Personality::Ceph => vec![
                Fault::forget_checksums(),
                on(Fault::ignore_conditions(), &GUARDED[1..]),
                on(Fault::ignore_source_conditions(), &COPYING),
                Fault::respond(400, "XAmzContentSHA256Mismatch").if_header("x-amz-trailer", "*"),
            ],
            Personality::Garage => vec![
                on(Fault::ignore_conditions(), &GUARDED),
                on(Fault::respond(501, "NotImplemented"), &TAGGING),
                on(Fault::respond(501, "NotImplemented"), &versions),
                Fault::respond(400, "InvalidRequest")
                    .if_header("x-amz-content-sha256", "STREAMING-AWS4-*-PAYLOAD-TRAILER"),
            ],
            Personality::Rclone => vec![
                Fault::forget_checksums(),
                on(Fault::ignore_conditions(), &GUARDED),
                on(Fault::ignore_source_conditions(), &COPYING),
                on(Fault::respond(501, "NotImplemented"), &versions),
            ],
            Personality::Plain => vec![
                Fault::path_style_only(),
                Fault::forget_checksums(),
                Fault::ignore_conditions(),
                Fault::ignore_source_conditions(),
                Fault::refuse_framing(),
            ],
        }
    }
}

fn on(fault: Fault, operations: &[Operation]) -> Fault {
    operations.iter().fold(fault, |fault, operation| fault.on(*operation))
}

impl fmt::Display for Personality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Personality {
    type Err = FaultError;

    fn from_str(name: &str) -> Result<Self, FaultError> {
        Self::ALL.into_iter().find(|personality| personality.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            FaultError::new(format!("there is no personality {name:?}; say one of {names}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_holds_together() {
        for personality in Personality::ALL {
            assert_eq!(personality.name().parse(), Ok(personality));
            for fault in personality.faults() {
                assert_eq!(fault.check(), Ok(()), "{personality}: {fault:?}");
            }
        }
        let error = "aws".parse::<Personality>().unwrap_err().to_string();
        assert_eq!(error, "there is no personality \"aws\"; say one of ceph, garage, rclone, plain");
    }
}
