//! What each provider of S3 is known to want: a table, so that no `if` hides it elsewhere.

use crate::checksum::ChecksumAlgorithm;
use crate::endpoint::Endpoint;

/// Whose S3 it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// Amazon S3.
    Aws,
    /// Cloudflare R2.
    R2,
    /// Ceph's RADOS Gateway.
    Ceph,
    /// Garage.
    Garage,
    /// SeaweedFS.
    SeaweedFs,
    /// `wharf-embedded`.
    Embedded,
    /// Anything else: what every S3 can do, no more.
    Other,
}

/// A provider's habits, as far as sending depends on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Habits {
    /// The checksum that goes with data by default.
    pub checksum: Option<ChecksumAlgorithm>,
    /// Whether a checksum may follow the body as a trailer (`aws-chunked`). Where not, the checksum of a stream is
    /// compared with what the server answers.
    pub trailers: bool,
    /// Whether CreateMultipartUpload may name the checksum of the parts to come.
    pub announces_checksum: bool,
}

const CRC64: Option<ChecksumAlgorithm> = Some(ChecksumAlgorithm::Crc64Nvme);

const TABLE: &[(Provider, Habits)] = &[
    (Provider::Aws, Habits { checksum: CRC64, trailers: true, announces_checksum: true }),
    (Provider::R2, Habits { checksum: CRC64, trailers: false, announces_checksum: true }),
    (Provider::Ceph, Habits { checksum: CRC64, trailers: false, announces_checksum: true }),
    (Provider::Garage, Habits { checksum: CRC64, trailers: true, announces_checksum: true }),
    (Provider::SeaweedFs, Habits { checksum: CRC64, trailers: false, announces_checksum: true }),
    (Provider::Embedded, Habits { checksum: CRC64, trailers: true, announces_checksum: true }),
];

const OTHER: Habits = Habits { checksum: CRC64, trailers: false, announces_checksum: true };

impl Provider {
    /// The provider that a host name gives away; [`Provider::Other`] where it does not.
    pub fn of(endpoint: &Endpoint) -> Self {
        let host = endpoint.host();
        if endpoint.is_aws() {
            Self::Aws
        } else if host.ends_with(".r2.cloudflarestorage.com") {
            Self::R2
        } else {
            Self::Other
        }
    }

    /// What it wants.
    pub fn habits(self) -> Habits {
        TABLE.iter().find(|(provider, _)| *provider == self).map_or(OTHER, |(_, habits)| *habits)
    }
}
