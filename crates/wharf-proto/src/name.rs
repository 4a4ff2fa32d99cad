//! Names: buckets, keys, `s3://` URIs and ETags.

use std::fmt;
use std::str::FromStr;

use crate::Error;
use crate::endpoint::BucketArn;

/// The longest key S3 has, in bytes of UTF-8.
pub const MAX_KEY_BYTES: usize = 1024;

/// Refuses a name that no bucket can have, before anything is sent.
///
/// Old buckets of us-east-1 have capitals and underscores and up to 255 characters, so those are let through. So are
/// ARNs that stand for a bucket: of a bucket, an access point, a directory bucket.
///
/// # Errors
/// [`InvalidInput`](crate::ErrorKind::InvalidInput); [`Unsupported`](crate::ErrorKind::Unsupported) for the ARNs of
/// multi-region access points, of Object Lambda and of Outposts.
pub fn check_bucket(bucket: &str) -> Result<(), Error> {
    if bucket.starts_with("arn:") {
        return match BucketArn::parse(bucket) {
            Ok(BucketArn::Bucket { name, .. } | BucketArn::Directory { name, .. }) => check_bucket(name),
            Ok(BucketArn::AccessPoint { .. }) => Ok(()),
            Err(error) => Err(Error::new(error.kind(), format!("invalid bucket name {bucket:?}: {}", error.message()))),
        };
    }
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let problem = if bucket.is_empty() {
        "it is empty"
    } else if bucket.starts_with("s3://") {
        "it is a URI; give the bucket alone, or parse it with S3Uri"
    } else if bucket.contains('/') {
        "it contains '/'; a bucket and a key are two arguments"
    } else if bucket.contains(['*', '?']) {
        "a bucket is named in full, * and ? stand for nothing in its name"
    } else if bucket.len() < 3 || bucket.len() > 255 {
        "it must have 3 to 63 characters"
    } else if !bucket.bytes().all(legal) {
        "only a-z, 0-9, '.' and '-' may be used"
    } else if bucket.contains("..") || bucket.starts_with(['.', '-']) || bucket.ends_with(['.', '-']) {
        "it must begin and end with a letter or digit, without two dots in a row"
    } else {
        return Ok(());
    };
    Err(Error::invalid_input(format!("invalid bucket name {bucket:?}: {problem}")))
}

/// The name by which a version is asked for: some servers call what has no versions `null`, and then do not know it by that name.
pub fn version_name(version_id: Option<&str>) -> Option<&str> {
    version_id.filter(|id| *id != "null")
}

/// Refuses an empty key and one of more than [`MAX_KEY_BYTES`], before anything is sent.
pub fn check_key(key: &str) -> Result<(), Error> {
    if key.is_empty() {
        return Err(Error::invalid_input("the key is empty"));
    }
    if key.len() > MAX_KEY_BYTES {
        return Err(Error::invalid_input(format!(
            "the key has {} bytes; S3 keys have at most {MAX_KEY_BYTES}",
            key.len()
        )));
    }
    Ok(())
}

/// An `s3://bucket/key` URI, parsed explicitly: no method takes one in place of a bucket and a key.
///
/// The key is everything after the bucket's `/`, byte for byte; nothing is decoded. It may be empty.
///
/// ```
/// let uri: wharf_proto::S3Uri = "s3://my-bucket/a//b%20c".parse()?;
/// assert_eq!((uri.bucket(), uri.key()), ("my-bucket", "a//b%20c"));
/// # Ok::<(), wharf_proto::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct S3Uri {
    bucket: String,
    key: String,
}

impl S3Uri {
    /// The bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The key; empty where the URI names the bucket alone.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl FromStr for S3Uri {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let rest = text.strip_prefix("s3://").ok_or_else(|| {
            Error::invalid_input(format!("{text:?} is not an S3 URI: it must read s3://BUCKET or s3://BUCKET/KEY"))
        })?;
        let (bucket, key) = match rest.starts_with("arn:") {
            true => rest.split_at(BucketArn::end(rest)),
            false => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        };
        let key = key.strip_prefix('/').unwrap_or(key);
        check_bucket(bucket)?;
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }
}

impl fmt::Display for S3Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// An entity tag, kept as the server wrote it, quotes included.
///
/// Opaque: it is an MD5 only for some objects on some servers. Two tags are equal when they are equal without quotes
/// and without the `W/` that some proxies add. Empty where a server sent none.
#[derive(Clone, Default)]
pub struct ETag(String);

impl ETag {
    /// The tag as received.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tag without quotes.
    pub fn unquoted(&self) -> &str {
        let text = self.0.strip_prefix("W/").unwrap_or(&self.0);
        text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
    }

    /// Whether the server, or a proxy on the way, calls it weak (`W/"..."`): the same for bytes that may differ. As a
    /// condition it is sent as a strong one, for that is what a proxy has made it of; a server whose own tags are weak lets
    /// none match (RFC 9110, 13.1.1).
    pub fn is_weak(&self) -> bool {
        self.0.starts_with("W/")
    }

    /// Whether the server sent none.
    pub fn is_empty(&self) -> bool {
        self.unquoted().is_empty()
    }
}

impl PartialEq for ETag {
    fn eq(&self, other: &Self) -> bool {
        self.unquoted() == other.unquoted()
    }
}

impl Eq for ETag {}

impl std::hash::Hash for ETag {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.unquoted().hash(state);
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ETag({})", self.0)
    }
}

impl From<&str> for ETag {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for ETag {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&ETag> for ETag {
    fn from(tag: &ETag) -> Self {
        tag.clone()
    }
}
