//! What is known of the bytes after a transfer.

use std::fmt;

use wharf_proto::checksum::ChecksumAlgorithm;
use wharf_proto::evidence::Likeness;

/// Whether the bytes at both ends are known to be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verification {
    /// Both ends computed this checksum over all bytes, and the two agree.
    Verified(ChecksumAlgorithm),
    /// The object's ETag is the MD5 of all bytes, or of its parts' MD5s, on a server whose ETags are known to be that
    /// ([`Habits::etag_is_md5`](crate::provider::Habits::etag_is_md5)), and no checksum that both keep could be
    /// compared.
    VerifiedByEtag,
    /// Nothing contradicts it, and nothing proves it: why.
    NotVerified(&'static str),
}

impl Verification {
    /// Whether both ends computed the same checksum.
    pub fn is_verified(self) -> bool {
        matches!(self, Self::Verified(_) | Self::VerifiedByEtag)
    }

    /// What this says of bytes that were compared; `None` where they differ.
    pub(super) fn of(likeness: Likeness) -> Option<Self> {
        match likeness {
            Likeness::Same(proof) if proof.is_etag => Some(Self::VerifiedByEtag),
            Likeness::Same(proof) => Some(Self::Verified(proof.checksum.algorithm())),
            Likeness::Unknown(doubt) => Some(Self::NotVerified(doubt.as_str())),
            Likeness::Differs => None,
        }
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verified(algorithm) => write!(f, "verified by {algorithm}"),
            Self::VerifiedByEtag => f.write_str("verified by MD5, which its ETag is"),
            Self::NotVerified(reason) => write!(f, "not verified: {reason}"),
        }
    }
}
