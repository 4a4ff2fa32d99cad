//! What a server's answer proves of an object's bytes, and how they are compared with bytes at hand.
//!
//! A checksum that the server keeps comes first. Where there is none, the ETag may be the MD5 of the bytes, or of the MD5s
//! of its parts: if the provider's [habits](Habits) say so, the tag has the form, and the object is not encrypted with a
//! key of KMS or of the caller. Nothing else is believed.
//!
//! ```
//! use wharf_proto::evidence::{Comparison, Doubt, Evidence, Facts, Likeness};
//! use wharf_proto::{ETag, Provider};
//!
//! let etag = ETag::from("\"5d41402abc4b2a76b9719d911017c592\"");
//! let head = Facts { etag: &etag, checksum: None, checksum_type: None, encryption: None };
//! let evidence = Evidence::of(head, &Provider::Aws.habits(), "my-bucket");
//! let mut comparison = Comparison::new(evidence.proof()?, 5, &[])?;
//! comparison.update(b"hello");
//! assert!(matches!(comparison.finish(), Likeness::Same(proof) if proof.is_etag));
//! assert_eq!(Evidence::of(head, &Provider::Other.habits(), "my-bucket").proof(), Err(Doubt::NotTrusted));
//! # Ok::<_, Doubt>(())
//! ```

mod comparison;
mod cuts;
mod parts;

use std::fmt;
use std::num::NonZeroU32;

use crate::checksum::{Checksum, ChecksumAlgorithm, ChecksumType};
use crate::endpoint::is_directory_bucket;
use crate::provider::Habits;
use crate::{ETag, EncryptionInfo, ObjectHead};

pub use comparison::Comparison;
pub use cuts::likely_cuts;
pub use parts::is_made_of;

/// What an answer says of an object that bears on its bytes.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Its tag.
    pub etag: &'a ETag,
    /// The checksum that the server keeps of it.
    pub checksum: Option<Checksum>,
    /// What that covers.
    pub checksum_type: Option<ChecksumType>,
    /// How it is encrypted.
    pub encryption: Option<&'a EncryptionInfo>,
}

impl<'a> From<&'a ObjectHead> for Facts<'a> {
    fn from(head: &'a ObjectHead) -> Self {
        let ObjectHead { etag, checksum, checksum_type, encryption, .. } = head;
        Self { etag, checksum: *checksum, checksum_type: *checksum_type, encryption: encryption.as_ref() }
    }
}

/// What of it can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// What the server keeps beside the object.
    kept: Option<Checksum>,
    etag: Result<Checksum, Doubt>,
}

/// A checksum that tells whether bytes are an object's: of all of them or, where it
/// [is composite](Checksum::is_composite), of those of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proof {
    /// The checksum.
    pub checksum: Checksum,
    /// Whether it is the object's ETag.
    pub is_etag: bool,
}

/// Whether bytes are an object's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// They are, by this.
    Same(Proof),
    /// They are not, by this or by their number.
    Differs,
    /// Nothing tells: why.
    Unknown(Doubt),
}

/// Why nothing tells whether bytes are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Doubt {
    /// There is no checksum, and the provider's ETags are not known to be MD5s.
    NotTrusted,
    /// There is no checksum, and the provider's ETags of objects in parts are not known to be MD5s.
    PartsNotTrusted,
    /// There is no checksum, and the ETag is none of plain bytes.
    Encrypted,
    /// There is no checksum, and ETags of directory buckets are random.
    DirectoryBucket,
    /// There is no checksum, and the ETag has not the form of an MD5.
    NoMd5,
    /// The checksum or ETag is that of parts, and it is not known where they end.
    OtherParts,
    /// Two objects have no checksum of the same kind.
    NothingInCommon,
    /// The bytes were a stream, and are gone.
    Gone,
    /// The file was written to meanwhile.
    Changed,
}

impl Evidence {
    /// What is to be believed of an object in this bucket of a provider with these habits.
    pub fn of(facts: Facts<'_>, habits: &Habits, bucket: &str) -> Self {
        let is_composite = facts.checksum_type == Some(ChecksumType::Composite);
        // Where the parts' number is missing, it is not known what it covers.
        let kept = facts.checksum.filter(|checksum| checksum.is_composite() || !is_composite);
        Self { kept, etag: md5_of(facts, habits, bucket) }
    }

    /// What bytes are best compared by.
    ///
    /// # Errors
    /// Where there is nothing: why.
    pub fn proof(&self) -> Result<Proof, Doubt> {
        match (self.kept, self.etag) {
            (Some(checksum), _) => Ok(Proof { checksum, is_etag: false }),
            (None, Ok(checksum)) => Ok(Proof { checksum, is_etag: true }),
            (None, Err(doubt)) => Err(doubt),
        }
    }

    /// Whether another object has the same bytes, as far as checksums and ETags tell.
    pub fn compare(&self, other: &Self) -> Likeness {
        let (etag, other_etag) = (self.etag.ok(), other.etag.ok());
        let pairs = [
            (self.kept, other.kept, false),
            (etag, other_etag, true),
            (self.kept, other_etag, true),
            (etag, other.kept, true),
        ];
        for (one, other, is_etag) in pairs {
            let (Some(one), Some(other)) = (one, other) else { continue };
            if one == other {
                return Likeness::Same(Proof { checksum: one, is_etag });
            }
            if one.algorithm() == other.algorithm() && !one.is_composite() && !other.is_composite() {
                return Likeness::Differs;
            }
        }
        let doubts = [self, other].map(|evidence| evidence.proof().err());
        Likeness::Unknown(doubts.into_iter().flatten().next().unwrap_or(Doubt::NothingInCommon))
    }
}

/// The MD5 that an ETag is.
fn md5_of(facts: Facts<'_>, habits: &Habits, bucket: &str) -> Result<Checksum, Doubt> {
    if is_directory_bucket(bucket) {
        return Err(Doubt::DirectoryBucket);
    }
    if !habits.etag_is_md5 && !habits.multipart_etag {
        return Err(Doubt::NotTrusted);
    }
    // By a key of S3's own (AES256) the ETag stays what it is without. Of any other way that is not known.
    let is_plain =
        |encryption: &EncryptionInfo| encryption.algorithm.eq_ignore_ascii_case("AES256") && !encryption.customer_key;
    if !facts.encryption.is_none_or(is_plain) {
        return Err(Doubt::Encrypted);
    }
    let (digest, parts) = match facts.etag.unquoted().split_once('-') {
        Some((digest, parts)) => (digest, Some(parts)),
        None => (facts.etag.unquoted(), None),
    };
    let digest = from_hex(digest).ok_or(Doubt::NoMd5)?;
    let md5 = Checksum::from_bytes(ChecksumAlgorithm::Md5, &digest).map_err(|_| Doubt::NoMd5)?;
    match parts {
        None if habits.etag_is_md5 => Ok(md5),
        None => Err(Doubt::NotTrusted),
        Some(_) if !habits.multipart_etag => Err(Doubt::PartsNotTrusted),
        // `parse` would take "+3".
        Some(parts) if !parts.bytes().all(|byte| byte.is_ascii_digit()) => Err(Doubt::NoMd5),
        Some(parts) => parts.parse::<NonZeroU32>().map(|parts| md5.with_parts(parts)).map_err(|_| Doubt::NoMd5),
    }
}

/// The bytes of an MD5 in hexadecimal.
fn from_hex(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    if text.len() != 2 * bytes.len() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

impl Doubt {
    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotTrusted => {
                "the server keeps no checksum of it, and ETags of this provider are not trusted: `trust_etags(true)` overrides"
            }
            Self::PartsNotTrusted => {
                "the server keeps no checksum of it, and this provider's ETags of objects in parts are not trusted: \
                 `trust_etags(true)` overrides"
            }
            Self::Encrypted => "the server keeps no checksum of it, and its encryption makes its ETag no MD5",
            Self::DirectoryBucket => "the server keeps no checksum of it, and a directory bucket's ETags are no MD5s",
            Self::NoMd5 => "the server keeps no checksum of it, and its ETag is no MD5",
            Self::OtherParts => {
                "what the server keeps depends on how it was cut into parts, and no usual size of parts gives it"
            }
            Self::NothingInCommon => "source and copy have no checksum in common",
            Self::Gone => "the server names no checksum that could be compared, and a stream cannot be read once more",
            Self::Changed => "the file has changed since",
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for Doubt {}

#[cfg(test)]
mod tests;
