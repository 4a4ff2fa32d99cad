//! The documents that configure a bucket: a table of how each is asked for, by which action it is guarded, and what
//! its absence is answered with. What a document must say is in `op/bucket_document/`.

use crate::error::Code;

/// A document, named after its sub-resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Document {
    Accelerate,
    Cors,
    Encryption,
    Lifecycle,
    Logging,
    Notification,
    ObjectLock,
    OwnershipControls,
    Policy,
    PublicAccessBlock,
    Replication,
    RequestPayment,
    Website,
}

/// What is done to a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Get,
    Put,
    Delete,
}

/// An operation on a document: S3's name for it, and the action that policies know it by.
pub(crate) struct Named {
    pub(crate) operation: &'static str,
    pub(crate) action: &'static str,
}

/// What a GET answers when nothing was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absent {
    Error(Code),
    /// A root, and what is in it.
    Default(&'static str, &'static str),
}

/// One row of the table.
pub(crate) struct Row {
    pub(crate) subresource: &'static str,
    /// The elements that its root may have; `s3s`, which reads them, passes over others. None where it is no XML.
    pub(crate) elements: &'static [&'static str],
    pub(crate) get: Named,
    /// Nothing where the store must not accept what it would not do.
    pub(crate) put: Option<Named>,
    pub(crate) delete: Option<Named>,
    pub(crate) absent: Absent,
}

const fn named(operation: &'static str, action: &'static str) -> Named {
    Named { operation, action }
}

impl Document {
    const ALL: [Self; 13] = [
        Self::Accelerate,
        Self::Cors,
        Self::Encryption,
        Self::Lifecycle,
        Self::Logging,
        Self::Notification,
        Self::ObjectLock,
        Self::OwnershipControls,
        Self::Policy,
        Self::PublicAccessBlock,
        Self::Replication,
        Self::RequestPayment,
        Self::Website,
    ];

    /// The document of a sub-resource.
    pub(crate) fn of(subresource: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|document| document.subresource() == subresource)
    }

    pub(crate) fn subresource(self) -> &'static str {
        self.row().subresource
    }

    /// What `act` is called here, unless there is no such operation.
    pub(crate) fn named(self, act: Act) -> Option<Named> {
        let row = self.row();
        match act {
            Act::Get => Some(row.get),
            Act::Put => row.put,
            Act::Delete => row.delete,
        }
    }

    pub(crate) fn row(self) -> Row {
        match self {
            Self::Accelerate => Row {
                subresource: "accelerate",
                elements: &["Status"],
                get: named("GetBucketAccelerateConfiguration", "s3:GetAccelerateConfiguration"),
                put: Some(named("PutBucketAccelerateConfiguration", "s3:PutAccelerateConfiguration")),
                delete: None,
                absent: Absent::Default("AccelerateConfiguration", ""),
            },
            Self::Cors => Row {
                subresource: "cors",
                elements: &["CORSRule"],
                get: named("GetBucketCors", "s3:GetBucketCORS"),
                put: Some(named("PutBucketCors", "s3:PutBucketCORS")),
                delete: Some(named("DeleteBucketCors", "s3:PutBucketCORS")),
                absent: Absent::Error(Code::NoSuchCorsConfiguration),
            },
            Self::Encryption => Row {
                subresource: "encryption",
                elements: &["Rule"],
                get: named("GetBucketEncryption", "s3:GetEncryptionConfiguration"),
                put: Some(named("PutBucketEncryption", "s3:PutEncryptionConfiguration")),
                delete: Some(named("DeleteBucketEncryption", "s3:PutEncryptionConfiguration")),
                absent: Absent::Default(
                    "ServerSideEncryptionConfiguration",
                    "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>\
                     </ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule>",
                ),
            },
            Self::Lifecycle => Row {
                subresource: "lifecycle",
                elements: &["Rule"],
                get: named("GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration"),
                put: Some(named("PutBucketLifecycleConfiguration", "s3:PutLifecycleConfiguration")),
                delete: Some(named("DeleteBucketLifecycle", "s3:PutLifecycleConfiguration")),
                absent: Absent::Error(Code::NoSuchLifecycleConfiguration),
            },
            Self::Logging => Row {
                subresource: "logging",
                elements: &["LoggingEnabled"],
                get: named("GetBucketLogging", "s3:GetBucketLogging"),
                put: Some(named("PutBucketLogging", "s3:PutBucketLogging")),
                delete: None,
                absent: Absent::Default("BucketLoggingStatus", ""),
            },
            Self::Notification => Row {
                subresource: "notification",
                elements: &[
                    "TopicConfiguration",
                    "QueueConfiguration",
                    "CloudFunctionConfiguration",
                    "EventBridgeConfiguration",
                ],
                get: named("GetBucketNotificationConfiguration", "s3:GetBucketNotification"),
                put: Some(named("PutBucketNotificationConfiguration", "s3:PutBucketNotification")),
                delete: None,
                absent: Absent::Default("NotificationConfiguration", ""),
            },
            Self::ObjectLock => Row {
                subresource: "object-lock",
                elements: &["ObjectLockEnabled", "Rule"],
                get: named("GetObjectLockConfiguration", "s3:GetBucketObjectLockConfiguration"),
                put: Some(named("PutObjectLockConfiguration", "s3:PutBucketObjectLockConfiguration")),
                delete: None,
                absent: Absent::Error(Code::ObjectLockConfigurationNotFound),
            },
            Self::OwnershipControls => Row {
                subresource: "ownershipControls",
                elements: &["Rule"],
                get: named("GetBucketOwnershipControls", "s3:GetBucketOwnershipControls"),
                put: Some(named("PutBucketOwnershipControls", "s3:PutBucketOwnershipControls")),
                delete: Some(named("DeleteBucketOwnershipControls", "s3:PutBucketOwnershipControls")),
                absent: Absent::Error(Code::OwnershipControlsNotFound),
            },
            Self::Policy => Row {
                subresource: "policy",
                elements: &[],
                get: named("GetBucketPolicy", "s3:GetBucketPolicy"),
                put: Some(named("PutBucketPolicy", "s3:PutBucketPolicy")),
                delete: Some(named("DeleteBucketPolicy", "s3:DeleteBucketPolicy")),
                absent: Absent::Error(Code::NoSuchBucketPolicy),
            },
            Self::PublicAccessBlock => Row {
                subresource: "publicAccessBlock",
                elements: &["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"],
                get: named("GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
                put: Some(named("PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock")),
                delete: Some(named("DeletePublicAccessBlock", "s3:PutBucketPublicAccessBlock")),
                absent: Absent::Error(Code::NoSuchPublicAccessBlockConfiguration),
            },
            Self::Replication => Row {
                subresource: "replication",
                elements: &[],
                get: named("GetBucketReplication", "s3:GetReplicationConfiguration"),
                put: None,
                delete: Some(named("DeleteBucketReplication", "s3:PutReplicationConfiguration")),
                absent: Absent::Error(Code::ReplicationConfigurationNotFound),
            },
            Self::RequestPayment => Row {
                subresource: "requestPayment",
                elements: &["Payer"],
                get: named("GetBucketRequestPayment", "s3:GetBucketRequestPayment"),
                put: Some(named("PutBucketRequestPayment", "s3:PutBucketRequestPayment")),
                delete: None,
                absent: Absent::Default("RequestPaymentConfiguration", "<Payer>BucketOwner</Payer>"),
            },
            Self::Website => Row {
                subresource: "website",
                elements: &["RedirectAllRequestsTo", "IndexDocument", "ErrorDocument", "RoutingRules"],
                get: named("GetBucketWebsite", "s3:GetBucketWebsite"),
                put: Some(named("PutBucketWebsite", "s3:PutBucketWebsite")),
                delete: Some(named("DeleteBucketWebsite", "s3:DeleteBucketWebsite")),
                absent: Absent::Error(Code::NoSuchWebsiteConfiguration),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::Operation;

    #[test]
    fn faults_can_be_aimed_at_each() {
        for document in Document::ALL {
            for named in [Act::Get, Act::Put, Act::Delete].into_iter().filter_map(|act| document.named(act)) {
                assert!(
                    named.operation.parse::<Operation>().is_ok(),
                    "{} is missing in operations.rs",
                    named.operation
                );
            }
        }
    }
}
