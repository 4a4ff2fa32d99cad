//! The checksums S3 keeps beside an object: computing, reading, comparing and joining them.
//!
//! S3 stores one checksum per object. It travels as base64 text in a header or trailer named after its algorithm, such
//! as `x-amz-checksum-crc64nvme`. A multipart object has one of two kinds, see [`ChecksumType`]; this module makes both
//! from the checksums of the parts, so no byte is read twice.
//!
//! ```
//! use wharf_proto::checksum::{Checksum, ChecksumAlgorithm, ChecksumHasher};
//!
//! let mut hasher = ChecksumHasher::new(ChecksumAlgorithm::Crc64Nvme);
//! hasher.update(b"Hello ");
//! hasher.update(b"world");
//! let sent = Checksum::parse(ChecksumAlgorithm::Crc64Nvme, "OOJZ0D8xKts=")?;
//! assert_eq!(hasher.finish(), sent);
//! # Ok::<(), wharf_proto::checksum::ChecksumError>(())
//! ```

mod error;
mod join;

use std::fmt;
use std::hash::Hasher as _;
use std::num::NonZeroU32;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use crc_fast::CrcAlgorithm;
use http::HeaderName;
use sha2::Digest as _;

pub use error::ChecksumError;

/// The longest digest among the algorithms: SHA-512.
const MAX_LEN: usize = 64;

/// A checksum algorithm that S3 computes and stores.
///
/// `Display` and `FromStr` use S3's own spelling (`CRC64NVME`); reading ignores case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ChecksumAlgorithm {
    /// CRC-32 as in zip and gzip (ISO-HDLC), 4 bytes.
    Crc32,
    /// CRC-32C (Castagnoli), 4 bytes.
    Crc32c,
    /// CRC-64/NVME, 8 bytes. S3's default, and the fastest here. For multipart objects it is always a full-object
    /// checksum.
    Crc64Nvme,
    /// SHA-1, 20 bytes. For multipart objects it is always composite.
    Sha1,
    /// SHA-256, 32 bytes. For multipart objects it is always composite.
    Sha256,
    /// SHA-512, 64 bytes. For multipart objects it is always composite. This one and those below are
    /// young: compatible servers may not have them.
    Sha512,
    /// MD5, 16 bytes, kept beside the object as the others are; `Content-MD5` is another header. For multipart objects
    /// it is always composite.
    Md5,
    /// XXH64 with seed 0, 8 bytes. For multipart objects it is always composite.
    Xxhash64,
    /// XXH3 with seed 0, 8 bytes. For multipart objects it is always composite.
    Xxhash3,
    /// XXH3 of 128 bits with seed 0, 16 bytes. For multipart objects it is always composite.
    Xxhash128,
}

impl ChecksumAlgorithm {
    /// Every algorithm, the five that every S3 knows first.
    pub const ALL: [Self; 10] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64Nvme,
        Self::Sha1,
        Self::Sha256,
        Self::Sha512,
        Self::Md5,
        Self::Xxhash64,
        Self::Xxhash3,
        Self::Xxhash128,
    ];

    /// S3's name, as `x-amz-checksum-algorithm` and `x-amz-sdk-checksum-algorithm` carry it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
            Self::Md5 => "MD5",
            Self::Xxhash64 => "XXHASH64",
            Self::Xxhash3 => "XXHASH3",
            Self::Xxhash128 => "XXHASH128",
        }
    }

    /// The header or trailer that carries a checksum of this algorithm, in lower case.
    pub const fn header_name(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
            Self::Sha512 => "x-amz-checksum-sha512",
            Self::Md5 => "x-amz-checksum-md5",
            Self::Xxhash64 => "x-amz-checksum-xxhash64",
            Self::Xxhash3 => "x-amz-checksum-xxhash3",
            Self::Xxhash128 => "x-amz-checksum-xxhash128",
        }
    }

    /// The same, as a map of headers wants it.
    pub const fn header(self) -> HeaderName {
        match self {
            Self::Crc32 => const { HeaderName::from_static(Self::Crc32.header_name()) },
            Self::Crc32c => const { HeaderName::from_static(Self::Crc32c.header_name()) },
            Self::Crc64Nvme => const { HeaderName::from_static(Self::Crc64Nvme.header_name()) },
            Self::Sha1 => const { HeaderName::from_static(Self::Sha1.header_name()) },
            Self::Sha256 => const { HeaderName::from_static(Self::Sha256.header_name()) },
            Self::Sha512 => const { HeaderName::from_static(Self::Sha512.header_name()) },
            Self::Md5 => const { HeaderName::from_static(Self::Md5.header_name()) },
            Self::Xxhash64 => const { HeaderName::from_static(Self::Xxhash64.header_name()) },
            Self::Xxhash3 => const { HeaderName::from_static(Self::Xxhash3.header_name()) },
            Self::Xxhash128 => const { HeaderName::from_static(Self::Xxhash128.header_name()) },
        }
    }

    /// The algorithm whose checksum a header of this name (in lower case) carries.
    pub fn of_header(name: &str) -> Option<Self> {
        name.strip_prefix("x-amz-checksum-")?.parse().ok()
    }

    /// Length of a digest in bytes.
    pub const fn digest_len(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme | Self::Xxhash64 | Self::Xxhash3 => 8,
            Self::Md5 | Self::Xxhash128 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// Whether S3 allows a multipart upload with this algorithm to end in a checksum of type `checksum_type`.
    pub const fn supports(self, checksum_type: ChecksumType) -> bool {
        match self {
            Self::Crc32 | Self::Crc32c => true,
            Self::Crc64Nvme => matches!(checksum_type, ChecksumType::FullObject),
            _ => matches!(checksum_type, ChecksumType::Composite),
        }
    }

    /// The checksum of `data`.
    pub fn checksum(self, data: &[u8]) -> Checksum {
        match self.crc() {
            Some(crc) => Checksum::from_crc(self, crc_fast::checksum(crc, data)),
            None => {
                let mut hasher = ChecksumHasher::new(self);
                hasher.update(data);
                hasher.finish()
            }
        }
    }

    const fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            _ => None,
        }
    }
}

impl fmt::Display for ChecksumAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ChecksumAlgorithm {
    type Err = ChecksumError;

    fn from_str(name: &str) -> Result<Self, ChecksumError> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(name))
            .ok_or_else(|| ChecksumError::UnknownAlgorithm(name.to_owned()))
    }
}

/// What the checksum of a multipart object was computed over: `x-amz-checksum-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChecksumType {
    /// The bytes of the object, as if it had been sent in one piece. Only CRCs can be.
    FullObject,
    /// The digests of the parts, one after the other. It depends on where the parts were cut.
    Composite,
}

impl ChecksumType {
    /// S3's name: `FULL_OBJECT` or `COMPOSITE`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FullObject => "FULL_OBJECT",
            Self::Composite => "COMPOSITE",
        }
    }
}

impl fmt::Display for ChecksumType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ChecksumType {
    type Err = ChecksumError;

    fn from_str(name: &str) -> Result<Self, ChecksumError> {
        [Self::FullObject, Self::Composite]
            .into_iter()
            .find(|checksum_type| checksum_type.as_str().eq_ignore_ascii_case(name))
            .ok_or_else(|| ChecksumError::UnknownType(name.to_owned()))
    }
}

/// A checksum and the algorithm that made it.
///
/// `Display` writes the text S3 uses: base64, followed by `-` and the number of parts when it is composite. Two values
/// are equal when algorithm, digest and number of parts are; so a composite checksum never equals that of the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Checksum {
    algorithm: ChecksumAlgorithm,
    /// Left-aligned; bytes past the algorithm's length are zero, which the derived equality relies on.
    digest: [u8; MAX_LEN],
    parts: Option<NonZeroU32>,
}

impl Checksum {
    /// Takes raw digest bytes; a CRC is big-endian.
    ///
    /// # Errors
    /// When `digest` is not [`ChecksumAlgorithm::digest_len`] bytes long.
    pub fn from_bytes(algorithm: ChecksumAlgorithm, digest: &[u8]) -> Result<Self, ChecksumError> {
        if digest.len() != algorithm.digest_len() {
            return Err(ChecksumError::InvalidText(algorithm));
        }
        Ok(Self::padded(algorithm, digest))
    }

    /// Reads S3's text: base64 with padding, and `-N` after it when the checksum is composite.
    ///
    /// # Errors
    /// When `text` is not base64, has the wrong length for `algorithm`, or names no valid number of parts.
    pub fn parse(algorithm: ChecksumAlgorithm, text: &str) -> Result<Self, ChecksumError> {
        let invalid = || ChecksumError::InvalidText(algorithm);
        // '-' is not in the base64 alphabet, so the first one ends the digest.
        let (digest, parts) = match text.split_once('-') {
            None => (text, None),
            // `parse` would accept "+3".
            Some((digest, count)) if count.bytes().all(|byte| byte.is_ascii_digit()) => {
                (digest, Some(count.parse::<NonZeroU32>().map_err(|_| invalid())?))
            }
            Some(_) => return Err(invalid()),
        };
        // What is longer than the longest digest does not fit, and is none.
        let mut bytes = [0; MAX_LEN.next_multiple_of(3)];
        let length = BASE64.decode_slice(digest, &mut bytes).map_err(|_| invalid())?;
        Ok(Self { parts, ..Self::from_bytes(algorithm, &bytes[..length])? })
    }

    /// The full-object checksum of an object, from the checksum and length in bytes of each part in order.
    ///
    /// # Errors
    /// When there are no parts, a part has another algorithm than the first or is itself composite, or the algorithm is
    /// not a CRC.
    pub fn full_object_of(parts: impl IntoIterator<Item = (Self, u64)>) -> Result<Self, ChecksumError> {
        let mut parts = parts.into_iter();
        let (first, _) = parts.next().ok_or(ChecksumError::NoParts)?;
        let algorithm = first.algorithm;
        let crc = algorithm.crc().ok_or(ChecksumError::NotCombinable(algorithm))?;
        first.check_part_of(algorithm)?;
        let mut whole = first.to_crc();
        for (part, len) in parts {
            part.check_part_of(algorithm)?;
            whole = join::join(crc, whole, part.to_crc(), len);
        }
        Ok(Self::from_crc(algorithm, whole))
    }

    /// The composite checksum of an object, from the checksum of each part in order.
    ///
    /// # Errors
    /// When there are no parts, or a part has another algorithm than the first or is itself composite.
    pub fn composite_of(parts: impl IntoIterator<Item = Self>) -> Result<Self, ChecksumError> {
        let mut parts = parts.into_iter().peekable();
        let algorithm = parts.peek().ok_or(ChecksumError::NoParts)?.algorithm;
        let mut hasher = ChecksumHasher::new(algorithm);
        let mut count = 0_u32;
        for part in parts {
            part.check_part_of(algorithm)?;
            hasher.update(part.as_bytes());
            count = count.saturating_add(1);
        }
        Ok(Self { parts: NonZeroU32::new(count), ..hasher.finish() })
    }

    /// The algorithm.
    pub const fn algorithm(&self) -> ChecksumAlgorithm {
        self.algorithm
    }

    /// The raw digest; a CRC is big-endian.
    pub fn as_bytes(&self) -> &[u8] {
        &self.digest[..self.algorithm.digest_len()]
    }

    /// The digest in base64, without the number of parts.
    pub fn to_base64(&self) -> String {
        BASE64.encode(self.as_bytes())
    }

    /// How many parts a composite checksum covers; `None` when it is not composite, or the server left the number out
    /// and names the [`ChecksumType`] beside it.
    pub fn part_count(&self) -> Option<u32> {
        self.parts.map(NonZeroU32::get)
    }

    /// Whether this is a checksum of checksums, which says nothing about the bytes unless the parts are known.
    pub const fn is_composite(&self) -> bool {
        self.parts.is_some()
    }

    /// The same digest as that of the checksums of so many parts.
    pub(crate) const fn with_parts(self, parts: NonZeroU32) -> Self {
        Self { parts: Some(parts), ..self }
    }

    fn check_part_of(&self, algorithm: ChecksumAlgorithm) -> Result<(), ChecksumError> {
        if self.algorithm != algorithm {
            return Err(ChecksumError::MixedAlgorithms(algorithm, self.algorithm));
        }
        if self.is_composite() {
            return Err(ChecksumError::CompositePart);
        }
        Ok(())
    }

    /// `digest` has the algorithm's length: every caller has checked it or taken it from the algorithm.
    fn padded(algorithm: ChecksumAlgorithm, digest: &[u8]) -> Self {
        let mut bytes = [0; MAX_LEN];
        bytes[..digest.len()].copy_from_slice(digest);
        Self { algorithm, digest: bytes, parts: None }
    }

    fn from_crc(algorithm: ChecksumAlgorithm, crc: u64) -> Self {
        Self::padded(algorithm, &crc.to_be_bytes()[8 - algorithm.digest_len()..])
    }

    fn to_crc(self) -> u64 {
        self.as_bytes().iter().fold(0, |crc, byte| crc << 8 | u64::from(*byte))
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_base64())?;
        match self.parts {
            Some(parts) => write!(f, "-{parts}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({} {self})", self.algorithm)
    }
}

/// Computes a checksum piece by piece.
///
/// How the data is cut into pieces makes no difference. A clone carries the state so far.
#[derive(Clone)]
pub struct ChecksumHasher {
    algorithm: ChecksumAlgorithm,
    state: State,
}

impl fmt::Debug for ChecksumHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChecksumHasher").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

#[derive(Clone)]
enum State {
    // Boxed: the CRC state carries its folding constants and is several times larger than the others.
    Crc(Box<crc_fast::Digest>),
    Sha1(sha1::Sha1),
    Sha256(sha2::Sha256),
    Sha512(sha2::Sha512),
    Md5(md5::Md5),
    Xxhash64(twox_hash::XxHash64),
    // Boxed: they buffer up to 1 KiB.
    Xxhash3(Box<twox_hash::XxHash3_64>),
    Xxhash128(Box<twox_hash::XxHash3_128>),
}

impl ChecksumHasher {
    /// Starts with no data.
    pub fn new(algorithm: ChecksumAlgorithm) -> Self {
        let crc = |algorithm| State::Crc(Box::new(crc_fast::Digest::new(algorithm)));
        let state = match algorithm {
            ChecksumAlgorithm::Crc32 => crc(CrcAlgorithm::Crc32IsoHdlc),
            ChecksumAlgorithm::Crc32c => crc(CrcAlgorithm::Crc32Iscsi),
            ChecksumAlgorithm::Crc64Nvme => crc(CrcAlgorithm::Crc64Nvme),
            ChecksumAlgorithm::Sha1 => State::Sha1(sha1::Sha1::new()),
            ChecksumAlgorithm::Sha256 => State::Sha256(sha2::Sha256::new()),
            ChecksumAlgorithm::Sha512 => State::Sha512(sha2::Sha512::new()),
            ChecksumAlgorithm::Md5 => State::Md5(md5::Md5::new()),
            ChecksumAlgorithm::Xxhash64 => State::Xxhash64(twox_hash::XxHash64::with_seed(0)),
            ChecksumAlgorithm::Xxhash3 => State::Xxhash3(Box::new(twox_hash::XxHash3_64::new())),
            ChecksumAlgorithm::Xxhash128 => State::Xxhash128(Box::new(twox_hash::XxHash3_128::new())),
        };
        Self { algorithm, state }
    }

    /// The algorithm.
    pub const fn algorithm(&self) -> ChecksumAlgorithm {
        self.algorithm
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, data: &[u8]) {
        match &mut self.state {
            State::Crc(crc) => crc.update(data),
            State::Sha1(sha1) => sha1.update(data),
            State::Sha256(sha256) => sha256.update(data),
            State::Sha512(sha512) => sha512.update(data),
            State::Md5(md5) => md5.update(data),
            State::Xxhash64(hash) => hash.write(data),
            State::Xxhash3(hash) => hash.write(data),
            State::Xxhash128(hash) => hash.write(data),
        }
    }

    /// The checksum of all bytes taken in.
    pub fn finish(self) -> Checksum {
        match self.state {
            State::Crc(crc) => Checksum::from_crc(self.algorithm, crc.finalize()),
            State::Sha1(sha1) => Checksum::padded(self.algorithm, &sha1.finalize()),
            State::Sha256(sha256) => Checksum::padded(self.algorithm, &sha256.finalize()),
            State::Sha512(sha512) => Checksum::padded(self.algorithm, &sha512.finalize()),
            State::Md5(md5) => Checksum::padded(self.algorithm, &md5.finalize()),
            State::Xxhash64(hash) => Checksum::padded(self.algorithm, &hash.finish().to_be_bytes()),
            State::Xxhash3(hash) => Checksum::padded(self.algorithm, &hash.finish().to_be_bytes()),
            State::Xxhash128(hash) => Checksum::padded(self.algorithm, &hash.finish_128().to_be_bytes()),
        }
    }
}

/// The MD5 digest of `data` in base64, for `Content-MD5` and the MD5 of a customer's encryption key (SSE-C).
///
/// MD5 is computed for those two and for [`ChecksumAlgorithm::Md5`], and only when asked for.
pub fn md5_base64(data: &[u8]) -> String {
    BASE64.encode(md5::Md5::digest(data))
}
