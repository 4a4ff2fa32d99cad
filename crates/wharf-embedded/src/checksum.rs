//! The five checksums of S3, of whole bodies and of parts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use http::{HeaderMap, HeaderName};
use sha1::{Digest, Sha1};
use sha2::Sha256;

use crate::error::{Code, Error, Result};

/// A checksum algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

pub(crate) const ALL: [Algorithm; 5] =
    [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme, Algorithm::Sha1, Algorithm::Sha256];

/// Those of S3 that the store does not have.
const YOUNG: [&str; 5] = ["MD5", "SHA512", "XXHASH3", "XXHASH64", "XXHASH128"];

/// To store what was never compared would be a wrong success.
fn not_carried(name: &str) -> Error {
    Error::new(Code::NotImplemented, format!("This store does not have the checksum {name}."))
}

impl Algorithm {
    /// As `x-amz-checksum-algorithm` names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Algorithm::Crc32 => "CRC32",
            Algorithm::Crc32c => "CRC32C",
            Algorithm::Crc64Nvme => "CRC64NVME",
            Algorithm::Sha1 => "SHA1",
            Algorithm::Sha256 => "SHA256",
        }
    }

    /// The header that carries it.
    pub(crate) fn header(self) -> &'static str {
        match self {
            Algorithm::Crc32 => "x-amz-checksum-crc32",
            Algorithm::Crc32c => "x-amz-checksum-crc32c",
            Algorithm::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Algorithm::Sha1 => "x-amz-checksum-sha1",
            Algorithm::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The element that carries it.
    pub(crate) fn element(self) -> &'static str {
        match self {
            Algorithm::Crc32 => "ChecksumCRC32",
            Algorithm::Crc32c => "ChecksumCRC32C",
            Algorithm::Crc64Nvme => "ChecksumCRC64NVME",
            Algorithm::Sha1 => "ChecksumSHA1",
            Algorithm::Sha256 => "ChecksumSHA256",
        }
    }

    pub(crate) fn parse(name: &str) -> Result<Self> {
        ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name)).ok_or_else(|| {
            if YOUNG.iter().any(|young| young.eq_ignore_ascii_case(name)) {
                return not_carried(name);
            }
            Error::new(
                Code::InvalidRequest,
                "Checksum algorithm provided is unsupported. Please try again with any of the valid types: \
                 [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
            )
        })
    }

    /// Its bytes.
    pub(crate) fn length(self) -> usize {
        match self {
            Algorithm::Crc32 | Algorithm::Crc32c => 4,
            Algorithm::Crc64Nvme => 8,
            Algorithm::Sha1 => 20,
            Algorithm::Sha256 => 32,
        }
    }

    /// Whose checksum the header of this name, in lower case, carries.
    pub(crate) fn of_header(name: &str) -> Result<Self> {
        ALL.into_iter().find(|algorithm| algorithm.header() == name).ok_or_else(|| match is_unknown(name) {
            true => not_carried(name),
            false => {
                Error::new(Code::InvalidRequest, "The value specified in the x-amz-trailer header is not supported")
            }
        })
    }

    /// How `crc-fast` names it; the hashes cannot be combined.
    fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Algorithm::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Algorithm::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Algorithm::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            Algorithm::Sha1 | Algorithm::Sha256 => None,
        }
    }
}

/// An algorithm, and what it is taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) algorithm: Algorithm,
    /// Over the parts' checksums instead of the object's bytes.
    pub(crate) composite: bool,
}

impl Kind {
    pub(crate) fn type_name(self) -> &'static str {
        if self.composite { "COMPOSITE" } else { "FULL_OBJECT" }
    }

    /// The kind of a multipart upload, from the algorithm and the type its creator gave.
    pub(crate) fn of_upload(algorithm: Algorithm, kind: Option<&str>) -> Result<Self> {
        let composite = match kind {
            Some("COMPOSITE") => true,
            Some("FULL_OBJECT") => false,
            None => algorithm != Algorithm::Crc64Nvme,
            Some(_) => {
                return Err(Error::new(Code::InvalidRequest, "Value for x-amz-checksum-type header is invalid."));
            }
        };
        let possible = if composite { algorithm != Algorithm::Crc64Nvme } else { algorithm.crc().is_some() };
        if !possible {
            let kind = Kind { algorithm, composite }.type_name();
            let algorithm = algorithm.name().to_lowercase();
            return Err(Error::new(
                Code::InvalidRequest,
                format!("The {kind} checksum type cannot be used with the {algorithm} checksum algorithm."),
            ));
        }
        Ok(Self { algorithm, composite })
    }
}

/// A checksum as S3 shows it: base64, for a composite one followed by `-` and the number of parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checksum {
    pub(crate) kind: Kind,
    pub(crate) value: String,
}

/// Takes a checksum of bytes as they come.
pub(crate) enum Hasher {
    Crc(Algorithm, crc_fast::Digest),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Hasher {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        match (algorithm.crc(), algorithm) {
            (Some(crc), _) => Hasher::Crc(algorithm, crc_fast::Digest::new(crc)),
            (None, Algorithm::Sha1) => Hasher::Sha1(Sha1::new()),
            (None, _) => Hasher::Sha256(Sha256::new()),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Hasher::Crc(_, digest) => digest.update(bytes),
            Hasher::Sha1(digest) => digest.update(bytes),
            Hasher::Sha256(digest) => digest.update(bytes),
        }
    }

    /// The checksum in base64.
    pub(crate) fn finish(self) -> String {
        match self {
            Hasher::Crc(algorithm, digest) => crc_text(algorithm, digest.finalize()),
            Hasher::Sha1(digest) => STANDARD.encode(digest.finalize()),
            Hasher::Sha256(digest) => STANDARD.encode(digest.finalize()),
        }
    }
}

fn crc_text(algorithm: Algorithm, value: u64) -> String {
    STANDARD.encode(&value.to_be_bytes()[8 - algorithm.length()..])
}

/// The checksum of a completed upload, from those of its parts, each with the part's size.
pub(crate) fn of_parts(kind: Kind, parts: &[(&str, u64)]) -> Result<Checksum> {
    let bytes = |value: &str| STANDARD.decode(value).map_err(|_| Error::from(Code::InternalError));
    let value = match kind.algorithm.crc() {
        Some(crc) if !kind.composite => {
            let mut sum = 0;
            for (at, (value, size)) in parts.iter().enumerate() {
                let part = bytes(value)?.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
                sum = if at == 0 { part } else { crc_fast::checksum_combine(crc, sum, part, *size) };
            }
            crc_text(kind.algorithm, sum)
        }
        _ => {
            let mut hasher = Hasher::new(kind.algorithm);
            for (value, _) in parts {
                hasher.update(&bytes(value)?);
            }
            format!("{}-{}", hasher.finish(), parts.len())
        }
    };
    Ok(Checksum { kind, value })
}

/// The checksum that headers or trailers give, if any; there may be one at most.
pub(crate) fn given(headers: &HeaderMap) -> Result<Option<(Algorithm, String)>> {
    if let Some(name) = headers.keys().map(HeaderName::as_str).find(|name| is_unknown(name)) {
        return Err(not_carried(name));
    }
    let mut found = None;
    for algorithm in ALL {
        let Some(value) = headers.get(algorithm.header()) else { continue };
        if found.is_some() {
            return Err(Error::new(
                Code::InvalidRequest,
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            ));
        }
        let text = value.to_str().unwrap_or_default().trim();
        let bare = text.split_once('-').map_or(text, |(value, _)| value);
        let valid = STANDARD.decode(bare).is_ok_and(|bytes| bytes.len() == algorithm.length());
        if !valid {
            let message = format!("Value for {} header is invalid.", algorithm.header());
            return Err(Error::new(Code::InvalidRequest, message));
        }
        found = Some((algorithm, text.to_owned()));
    }
    Ok(found)
}

/// Whether it is the header of a checksum of tomorrow, or of one of S3's young ones.
fn is_unknown(name: &str) -> bool {
    let settings = ["x-amz-checksum-algorithm", "x-amz-checksum-type", "x-amz-checksum-mode"];
    name.starts_with("x-amz-checksum-")
        && !settings.contains(&name)
        && !ALL.iter().any(|algorithm| algorithm.header() == name)
}

/// The refusal of a checksum that does not hold.
pub(crate) fn mismatch(algorithm: Algorithm) -> Error {
    let message = format!("The {} you specified did not match the calculated checksum.", algorithm.name());
    Error::new(Code::BadDigest, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(algorithm: Algorithm, bytes: &[u8]) -> String {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    #[test]
    fn known_values() {
        // The check value of each CRC's definition, and the hashes that FIPS 180 gives for "abc".
        assert_eq!(sum(Algorithm::Crc32, b"123456789"), STANDARD.encode([0xcb, 0xf4, 0x39, 0x26]));
        assert_eq!(sum(Algorithm::Crc32c, b"123456789"), STANDARD.encode([0xe3, 0x06, 0x92, 0x83]));
        let nvme = 0xae8b_1486_0a79_9888_u64.to_be_bytes();
        assert_eq!(sum(Algorithm::Crc64Nvme, b"123456789"), STANDARD.encode(nvme));
        assert_eq!(sum(Algorithm::Sha1, b"abc"), "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
        assert_eq!(sum(Algorithm::Sha256, b"abc"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    }

    #[test]
    fn parts_combine_to_the_whole() {
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
            let (a, b) = (sum(algorithm, b"hello, "), sum(algorithm, b"world"));
            let kind = Kind { algorithm, composite: false };
            let whole = of_parts(kind, &[(&a, 7), (&b, 5)]).unwrap();
            assert_eq!(whole.value, sum(algorithm, b"hello, world"));
        }
        let kind = Kind { algorithm: Algorithm::Sha256, composite: true };
        let value = sum(Algorithm::Sha256, b"abc");
        assert!(of_parts(kind, &[(&value, 3), (&value, 3)]).unwrap().value.ends_with("=-2"));
    }

    #[test]
    fn types_that_do_not_go_together() {
        assert!(Kind::of_upload(Algorithm::Sha1, Some("FULL_OBJECT")).is_err());
        assert!(Kind::of_upload(Algorithm::Crc64Nvme, Some("COMPOSITE")).is_err());
        assert!(Kind::of_upload(Algorithm::Crc32, Some("OTHER")).is_err());
        assert!(Kind::of_upload(Algorithm::Crc32, None).unwrap().composite);
        assert!(!Kind::of_upload(Algorithm::Crc64Nvme, None).unwrap().composite);
    }
}
