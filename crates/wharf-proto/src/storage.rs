//! What an object is stored as: class, access, lock, tags.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The storage class of an object (`x-amz-storage-class`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum StorageClass {
    /// `STANDARD`, the default.
    #[default]
    Standard,
    /// `STANDARD_IA`: rarely read.
    StandardIa,
    /// `ONEZONE_IA`: rarely read, in one zone.
    OnezoneIa,
    /// `INTELLIGENT_TIERING`: moved between tiers by use.
    IntelligentTiering,
    /// `REDUCED_REDUNDANCY`: fewer copies.
    ReducedRedundancy,
    /// `GLACIER_IR`: archived, read at once.
    GlacierIr,
    /// `GLACIER`: archived, restored before it is read.
    Glacier,
    /// `DEEP_ARCHIVE`: archived, restored within hours.
    DeepArchive,
    /// `EXPRESS_ONEZONE`: directory buckets.
    ExpressOnezone,
    /// Any other name, as the server has it.
    Other(String),
}

impl StorageClass {
    /// S3's name of the class.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Standard => "STANDARD",
            Self::StandardIa => "STANDARD_IA",
            Self::OnezoneIa => "ONEZONE_IA",
            Self::IntelligentTiering => "INTELLIGENT_TIERING",
            Self::ReducedRedundancy => "REDUCED_REDUNDANCY",
            Self::GlacierIr => "GLACIER_IR",
            Self::Glacier => "GLACIER",
            Self::DeepArchive => "DEEP_ARCHIVE",
            Self::ExpressOnezone => "EXPRESS_ONEZONE",
            Self::Other(name) => name,
        }
    }
}

impl FromStr for StorageClass {
    type Err = Infallible;

    fn from_str(name: &str) -> Result<Self, Infallible> {
        Ok(match name {
            "" | "STANDARD" => Self::Standard,
            "STANDARD_IA" => Self::StandardIa,
            "ONEZONE_IA" => Self::OnezoneIa,
            "INTELLIGENT_TIERING" => Self::IntelligentTiering,
            "REDUCED_REDUNDANCY" => Self::ReducedRedundancy,
            "GLACIER_IR" => Self::GlacierIr,
            "GLACIER" => Self::Glacier,
            "DEEP_ARCHIVE" => Self::DeepArchive,
            "EXPRESS_ONEZONE" => Self::ExpressOnezone,
            other => Self::Other(other.to_owned()),
        })
    }
}

impl fmt::Display for StorageClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A canned ACL (`x-amz-acl`). Buckets made since 2023 refuse all but the default unless they are told otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CannedAcl {
    /// `private`: the owner alone.
    Private,
    /// `public-read`: everybody reads.
    PublicRead,
    /// `public-read-write`: everybody reads and writes.
    PublicReadWrite,
    /// `authenticated-read`: everybody with an AWS account reads.
    AuthenticatedRead,
    /// `aws-exec-read`: EC2 reads machine images.
    AwsExecRead,
    /// `bucket-owner-read`: the bucket's owner reads.
    BucketOwnerRead,
    /// `bucket-owner-full-control`: the bucket's owner has full control.
    BucketOwnerFullControl,
    /// `log-delivery-write`: S3's logging writes (buckets only).
    LogDeliveryWrite,
}

impl CannedAcl {
    /// S3's name of the ACL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::PublicRead => "public-read",
            Self::PublicReadWrite => "public-read-write",
            Self::AuthenticatedRead => "authenticated-read",
            Self::AwsExecRead => "aws-exec-read",
            Self::BucketOwnerRead => "bucket-owner-read",
            Self::BucketOwnerFullControl => "bucket-owner-full-control",
            Self::LogDeliveryWrite => "log-delivery-write",
        }
    }
}

/// Who is granted something on a bucket or object (`x-amz-grant-*`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Grantee {
    /// An account, by its canonical user id.
    Id(String),
    /// A predefined group, by its URI.
    Uri(String),
    /// An account, by its mail address.
    EmailAddress(String),
}

impl fmt::Display for Grantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "id=\"{id}\""),
            Self::Uri(uri) => write!(f, "uri=\"{uri}\""),
            Self::EmailAddress(address) => write!(f, "emailAddress=\"{address}\""),
        }
    }
}

/// How firmly an object version is locked (`x-amz-object-lock-mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ObjectLockMode {
    /// Who has the right may lift the lock.
    Governance,
    /// Nobody may delete the version before its time.
    Compliance,
}

impl ObjectLockMode {
    /// S3's name of the mode.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Governance => "GOVERNANCE",
            Self::Compliance => "COMPLIANCE",
        }
    }
}

impl FromStr for ObjectLockMode {
    type Err = crate::Error;

    fn from_str(name: &str) -> Result<Self, crate::Error> {
        match name {
            "GOVERNANCE" => Ok(Self::Governance),
            "COMPLIANCE" => Ok(Self::Compliance),
            other => Err(crate::Error::invalid_input(format!("{other:?} is not an object lock mode"))),
        }
    }
}

/// One tag of an object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tag {
    /// Up to 128 characters, unique on the object.
    pub key: String,
    /// Up to 256 characters.
    pub value: String,
}

impl<K: Into<String>, V: Into<String>> From<(K, V)> for Tag {
    fn from((key, value): (K, V)) -> Self {
        Self { key: key.into(), value: value.into() }
    }
}

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Tags as `x-amz-tagging` has them: a query string.
pub(crate) fn tagging_header(tags: &[Tag]) -> String {
    let encode = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
    let pairs: Vec<_> = tags.iter().map(|tag| format!("{}={}", encode(&tag.key), encode(&tag.value))).collect();
    pairs.join("&")
}
