//! Why a checksum could not be read or made.

use std::fmt;

use super::ChecksumAlgorithm;

/// Why a checksum could not be read or made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChecksumError {
    /// No algorithm has this name.
    UnknownAlgorithm(String),
    /// No checksum type has this name.
    UnknownType(String),
    /// The text or bytes are no checksum of this algorithm.
    InvalidText(ChecksumAlgorithm),
    /// An object without parts has no checksum of parts.
    NoParts,
    /// A part's algorithm (second) differs from that of the first part (first).
    MixedAlgorithms(ChecksumAlgorithm, ChecksumAlgorithm),
    /// A part's checksum is itself composite.
    CompositePart,
    /// Checksums of parts cannot be joined into one of the whole object: only CRCs can.
    NotCombinable(ChecksumAlgorithm),
}

impl fmt::Display for ChecksumError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownAlgorithm(name) => {
                let names = ChecksumAlgorithm::ALL.map(ChecksumAlgorithm::as_str).join(", ");
                write!(f, "unknown checksum algorithm {name:?}; there are {names}")
            }
            Self::UnknownType(name) => write!(f, "unknown checksum type {name:?}; use FULL_OBJECT or COMPOSITE"),
            Self::InvalidText(algorithm) => write!(
                f,
                "not a {algorithm} checksum; it is the base64 of {} bytes, with -N after it when made from N parts",
                algorithm.digest_len()
            ),
            Self::NoParts => f.write_str("no parts to make a checksum from; give at least one"),
            Self::MixedAlgorithms(first, other) => {
                write!(f, "a part has a {other} checksum and the first part {first}; use one algorithm for all parts")
            }
            Self::CompositePart => f.write_str("the checksum of a part is composite; give the one of its bytes"),
            Self::NotCombinable(algorithm) => write!(
                f,
                "{algorithm} checksums of parts do not give one of the whole object; use a CRC, or a composite checksum"
            ),
        }
    }
}

impl std::error::Error for ChecksumError {}
