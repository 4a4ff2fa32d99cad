//! What an operation must be allowed: the actions that policies know it by, and what of an ACL opens it too.

use http::HeaderMap;

use crate::access::acl::Permission;
use crate::document::Document;
use crate::route::Operation;

/// Who may do something that no policy decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opens {
    /// The bucket's owner.
    Owner,
    /// The bucket's owner, and whom its ACL grants this.
    Bucket(Permission),
    /// The object's owner, and whom its ACL grants this.
    Object(Permission),
    /// The owners of both.
    Owners,
    /// Writing a key: the bucket's owner, and whom its ACL lets write, if what is there is his own.
    Key,
    /// An open upload: the bucket's owner, and who began it.
    Upload,
}

/// The demands of an operation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// All of them must be allowed.
    pub(crate) actions: Vec<&'static str>,
    pub(crate) opens: Opens,
}

impl Need {
    pub(crate) fn new(action: &'static str, opens: Opens) -> Self {
        Self { actions: vec![action], opens }
    }

    /// To read a version of an object, or the latest.
    pub(crate) fn to_read(by_version: bool) -> Self {
        let action = if by_version { "s3:GetObjectVersion" } else { "s3:GetObject" };
        Self::new(action, Opens::Object(Permission::Read))
    }

    /// To read the tags of a version of an object, or of the latest.
    pub(crate) fn to_read_tags(by_version: bool) -> Self {
        let action = if by_version { "s3:GetObjectVersionTagging" } else { "s3:GetObjectTagging" };
        Self::new(action, Opens::Owners)
    }

    /// To write a new object with these headers.
    pub(crate) fn to_write(headers: &HeaderMap) -> Self {
        let mut need = Self::new("s3:PutObject", Opens::Key);
        for (header, action) in [
            ("x-amz-acl", "s3:PutObjectAcl"),
            ("x-amz-tagging", "s3:PutObjectTagging"),
            ("x-amz-object-lock-mode", "s3:PutObjectRetention"),
            ("x-amz-object-lock-legal-hold", "s3:PutObjectLegalHold"),
        ] {
            if headers.contains_key(header) {
                need.actions.push(action);
            }
        }
        let grants = headers.keys().any(|name| name.as_str().starts_with("x-amz-grant-"));
        if grants && !headers.contains_key("x-amz-acl") {
            need.actions.push("s3:PutObjectAcl");
        }
        need
    }

    /// To delete a version of an object, or the latest.
    pub(crate) fn to_delete(headers: &HeaderMap, by_version: bool) -> Self {
        let action = if by_version { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
        Self::new(action, Opens::Key).bypassing(headers)
    }

    fn bypassing(mut self, headers: &HeaderMap) -> Self {
        if headers.get("x-amz-bypass-governance-retention").is_some_and(|value| value.as_bytes() != b"false") {
            self.actions.push("s3:BypassGovernanceRetention");
        }
        self
    }

    /// The demands of `operation`. None where it is no bucket's business, or decided key by key.
    pub(crate) fn of(operation: Operation, headers: &HeaderMap, by_version: bool) -> Option<Self> {
        let either = |version, latest| if by_version { version } else { latest };
        let list = |action| Self::new(action, Opens::Bucket(Permission::Read));
        let owner = |action| Self::new(action, Opens::Owner);
        Some(match operation {
            Operation::CreateBucket
            | Operation::DeleteObjects
            | Operation::ListBuckets
            | Operation::OptionsObject
            | Operation::PostObject => return None,
            Operation::BucketDocument(act, document) => owner(document.named(act)?.action),
            Operation::DeleteBucket => owner("s3:DeleteBucket"),
            Operation::GetBucketAcl => Self::new("s3:GetBucketAcl", Opens::Bucket(Permission::ReadAcp)),
            Operation::PutBucketAcl => Self::new("s3:PutBucketAcl", Opens::Bucket(Permission::WriteAcp)),
            Operation::GetBucketLocation => owner("s3:GetBucketLocation"),
            Operation::GetBucketPolicyStatus => owner("s3:GetBucketPolicyStatus"),
            Operation::GetBucketTagging => owner("s3:GetBucketTagging"),
            Operation::PutBucketTagging | Operation::DeleteBucketTagging => owner("s3:PutBucketTagging"),
            Operation::GetBucketVersioning => owner("s3:GetBucketVersioning"),
            Operation::PutBucketVersioning => owner("s3:PutBucketVersioning"),
            Operation::HeadBucket | Operation::ListObjects | Operation::ListObjectsV2 => list("s3:ListBucket"),
            Operation::ListObjectVersions => list("s3:ListBucketVersions"),
            Operation::ListMultipartUploads => list("s3:ListBucketMultipartUploads"),
            Operation::GetObject | Operation::HeadObject => Self::to_read(by_version),
            Operation::GetObjectAttributes => {
                let mut need = Self::to_read(by_version);
                need.actions.push(either("s3:GetObjectVersionAttributes", "s3:GetObjectAttributes"));
                need
            }
            Operation::GetObjectAcl => {
                let action = either("s3:GetObjectVersionAcl", "s3:GetObjectAcl");
                Self::new(action, Opens::Object(Permission::ReadAcp))
            }
            Operation::PutObjectAcl => {
                let action = either("s3:PutObjectVersionAcl", "s3:PutObjectAcl");
                Self::new(action, Opens::Object(Permission::WriteAcp))
            }
            Operation::GetObjectTagging => Self::to_read_tags(by_version),
            Operation::PutObjectTagging => {
                Self::new(either("s3:PutObjectVersionTagging", "s3:PutObjectTagging"), Opens::Owners)
            }
            Operation::DeleteObjectTagging => {
                Self::new(either("s3:DeleteObjectVersionTagging", "s3:DeleteObjectTagging"), Opens::Owners)
            }
            Operation::GetObjectLegalHold => Self::new("s3:GetObjectLegalHold", Opens::Owners),
            Operation::PutObjectLegalHold => Self::new("s3:PutObjectLegalHold", Opens::Owners),
            Operation::GetObjectRetention => Self::new("s3:GetObjectRetention", Opens::Owners),
            Operation::PutObjectRetention => Self::new("s3:PutObjectRetention", Opens::Owners).bypassing(headers),
            Operation::PutObject | Operation::CopyObject | Operation::CreateMultipartUpload => Self::to_write(headers),
            Operation::UploadPart | Operation::UploadPartCopy => Self::new("s3:PutObject", Opens::Upload),
            Operation::CompleteMultipartUpload => Self::new("s3:PutObject", Opens::Upload),
            Operation::DeleteObject => Self::to_delete(headers, by_version),
            Operation::AbortMultipartUpload => Self::new("s3:AbortMultipartUpload", Opens::Upload),
            Operation::ListParts => Self::new("s3:ListMultipartUploadParts", Opens::Upload),
        })
    }
}

/// What nobody does without an account, whatever is open to the public.
pub(crate) fn of_accounts(operation: Operation) -> Option<&'static str> {
    match operation {
        Operation::CopyObject => Some("copy objects"),
        Operation::CreateMultipartUpload => Some("initiate multipart uploads"),
        _ => None,
    }
}

/// Whether an operation is about the policy itself, from which no policy can shut out the bucket's owner.
pub(crate) fn is_of_policy(operation: Operation) -> bool {
    matches!(operation, Operation::BucketDocument(_, Document::Policy))
}
