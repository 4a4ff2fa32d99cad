//! What is known of the bytes after a transfer.

use std::fmt;

use wharf_proto::checksum::ChecksumAlgorithm;

/// Whether the bytes at both ends are known to be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verification {
    /// Both ends computed this checksum over all bytes, and the two agree.
    Verified(ChecksumAlgorithm),
    /// Nothing contradicts it, and nothing proves it: why.
    NotVerified(&'static str),
}

impl Verification {
    /// Whether both ends computed the same checksum.
    pub fn is_verified(self) -> bool {
        matches!(self, Self::Verified(_))
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verified(algorithm) => write!(f, "verified by {algorithm}"),
            Self::NotVerified(reason) => write!(f, "not verified: {reason}"),
        }
    }
}
