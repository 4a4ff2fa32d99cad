//! What each provider of S3 is known to want: a table, so that no `if` hides it elsewhere.

mod apply;
mod condition;
mod habits;
mod table;

use std::fmt;
use std::str::FromStr;

pub use condition::{Condition, Conditions};
pub use habits::{ContentMd5, Habits, Parts, Source};

use crate::Error;
use crate::endpoint::{Endpoint, Partition};

/// Whose S3 it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// Amazon S3.
    Aws,
    /// Cloudflare R2.
    R2,
    /// Google Cloud Storage by its XML API and HMAC keys.
    Gcs,
    /// Backblaze B2.
    B2,
    /// Wasabi.
    Wasabi,
    /// DigitalOcean Spaces.
    Spaces,
    /// Oracle Cloud Infrastructure.
    Oci,
    /// Scaleway.
    Scaleway,
    /// Storj's gateway.
    Storj,
    /// Ceph's RADOS Gateway.
    Ceph,
    /// MinIO.
    Minio,
    /// SeaweedFS.
    SeaweedFs,
    /// Garage.
    Garage,
    /// `rclone serve s3`.
    Rclone,
    /// moto, which mocks AWS.
    Moto,
    /// `wharf-embedded`.
    Embedded,
    /// Anything else: what every S3 can do, no more.
    Other,
}

/// Host names that belong to one provider: the name itself, and all that end with a dot and it. AWS's are the
/// [endpoint's](Endpoint::is_aws) affair.
const HOSTS: &[(&str, Provider)] = &[
    ("r2.cloudflarestorage.com", Provider::R2),
    ("storage.googleapis.com", Provider::Gcs),
    ("backblazeb2.com", Provider::B2),
    ("wasabisys.com", Provider::Wasabi),
    ("digitaloceanspaces.com", Provider::Spaces),
    ("oraclecloud.com", Provider::Oci),
    ("customer-oci.com", Provider::Oci),
    ("scw.cloud", Provider::Scaleway),
    ("storjshare.io", Provider::Storj),
];

/// How servers begin to name themselves in the header `Server`. Only those that stand under any host name; rclone, for
/// one, says `AmazonS3`.
const SERVERS: &[(&str, Provider)] = &[
    ("MinIO", Provider::Minio),
    ("SeaweedFS", Provider::SeaweedFs),
    ("Ceph Object Gateway", Provider::Ceph),
    ("Werkzeug", Provider::Moto),
    ("wharf-embedded", Provider::Embedded),
];

impl Provider {
    /// All of them, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        table::TABLE.iter().map(|(provider, _)| *provider)
    }

    /// The provider that a host name gives away; [`Provider::Other`] where it does not.
    pub fn of(endpoint: &Endpoint) -> Self {
        if endpoint.is_aws() {
            return Self::Aws;
        }
        let host = endpoint.host().to_ascii_lowercase();
        let is_of =
            |domain: &str| host.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.'));
        HOSTS.iter().find(|(domain, _)| is_of(domain)).map_or(Self::Other, |(_, provider)| *provider)
    }

    /// The provider that an answer's header `Server` claims. Anybody can write that header, so it is good for a hint,
    /// and decides only what costs nothing but time.
    pub fn of_server_header(server: &str) -> Option<Self> {
        SERVERS.iter().find(|(begin, _)| server.starts_with(begin)).map(|(_, provider)| *provider)
    }

    /// The host names it is known by.
    pub fn hosts(self) -> impl Iterator<Item = &'static str> {
        let aws = Partition::domains().filter(move |_| self == Self::Aws);
        let others = HOSTS.iter().filter(move |(_, provider)| *provider == self).map(|(domain, _)| *domain);
        aws.chain(others)
    }

    /// What it wants: its row of the table.
    pub fn habits(self) -> Habits {
        table::TABLE.iter().find(|(provider, _)| *provider == self).map_or(table::OTHER, |(_, habits)| *habits)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aws => "Amazon S3",
            Self::R2 => "Cloudflare R2",
            Self::Gcs => "Google Cloud Storage",
            Self::B2 => "Backblaze B2",
            Self::Wasabi => "Wasabi",
            Self::Spaces => "DigitalOcean Spaces",
            Self::Oci => "Oracle Cloud",
            Self::Scaleway => "Scaleway",
            Self::Storj => "Storj",
            Self::Ceph => "Ceph",
            Self::Minio => "MinIO",
            Self::SeaweedFs => "SeaweedFS",
            Self::Garage => "Garage",
            Self::Rclone => "rclone",
            Self::Moto => "moto",
            Self::Embedded => "wharf-embedded",
            Self::Other => "any other",
        }
    }
}

/// Reads the variant's name, in any case: `ceph`, `SeaweedFs`.
impl FromStr for Provider {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let ids: Vec<_> = Self::all().map(|provider| format!("{provider:?}").to_ascii_lowercase()).collect();
        Self::all().zip(&ids).find(|(_, id)| id.eq_ignore_ascii_case(name)).map(|(provider, _)| provider).ok_or_else(
            || Error::invalid_input(format!("there is no provider {name:?}; say one of {}", ids.join(", "))),
        )
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests;
