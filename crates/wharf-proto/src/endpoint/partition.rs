//! AWS's partitions: clouds of their own, each with its own domain and accounts.

/// One of AWS's clouds. Credentials of one mean nothing in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    /// Its name in ARNs, such as `aws-cn`.
    pub name: &'static str,
    /// The domain that its host names end in.
    pub domain: &'static str,
    /// What its regions' names begin with: `us` of `us-east-1`.
    prefixes: &'static [&'static str],
}

const AWS: Partition = Partition {
    name: "aws",
    domain: "amazonaws.com",
    prefixes: &["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"],
};

const TABLE: &[Partition] = &[
    AWS,
    Partition { name: "aws-cn", domain: "amazonaws.com.cn", prefixes: &["cn"] },
    Partition { name: "aws-us-gov", domain: "amazonaws.com", prefixes: &["us-gov"] },
    Partition { name: "aws-iso", domain: "c2s.ic.gov", prefixes: &["us-iso"] },
    Partition { name: "aws-iso-b", domain: "sc2s.sgov.gov", prefixes: &["us-isob"] },
    Partition { name: "aws-iso-e", domain: "cloud.adc-e.uk", prefixes: &["eu-isoe"] },
    Partition { name: "aws-iso-f", domain: "csp.hci.ic.gov", prefixes: &["us-isof"] },
    Partition { name: "aws-eusc", domain: "amazonaws.eu", prefixes: &["eusc-de"] },
];

impl Partition {
    /// The partition that a region's name tells: `None` for a name that AWS has not given.
    pub fn of_region(region: &str) -> Option<Self> {
        let (rest, number) = region.rsplit_once('-')?;
        let (prefix, direction) = rest.rsplit_once('-')?;
        let is_region = !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
            && !direction.is_empty()
            && direction.bytes().all(|b| b.is_ascii_lowercase());
        TABLE.iter().find(|partition| is_region && partition.prefixes.contains(&prefix)).copied()
    }

    /// The same, and `aws` for a name that is not known here: there may be new ones.
    pub fn of_region_or_aws(region: &str) -> Self {
        Self::of_region(region).unwrap_or(AWS)
    }

    /// The partition of this name.
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|partition| partition.name == name).copied()
    }

    /// The domains of all partitions.
    pub(crate) fn domains() -> impl Iterator<Item = &'static str> {
        let is_first = |at: usize| TABLE[..at].iter().all(|before| before.domain != TABLE[at].domain);
        TABLE.iter().enumerate().filter(move |(at, _)| is_first(*at)).map(|(_, partition)| partition.domain)
    }

    /// Whether a host is AWS's, in any partition.
    pub fn owns(host: &str) -> bool {
        TABLE.iter().any(|partition| under(host, partition.domain))
    }

    /// Whether the public cloud's extras are there: Transfer Acceleration.
    pub(super) fn is_public(&self) -> bool {
        *self == AWS
    }

    /// Whether S3 has FIPS endpoints there.
    pub(super) fn has_fips(&self) -> bool {
        self.name != "aws-cn"
    }
}

/// The region in the name of one of S3's hosts, such as a redirect's `<Endpoint>`: `bucket.s3.eu-west-1.amazonaws.com`,
/// `bucket.s3-eu-west-1.amazonaws.com` (the older form), `s3.amazonaws.com`.
pub(crate) fn region_of_host(host: &str) -> Option<&str> {
    let partition = TABLE.iter().find(|partition| under(host, partition.domain))?;
    let name = host.strip_suffix(partition.domain)?.strip_suffix('.')?;
    let (before, last) = name.rsplit_once('.').unwrap_or(("", name));
    let region = match last {
        "s3" if *partition == AWS => return Some("us-east-1"),
        "dualstack" => return None,
        _ => last.strip_prefix("s3-").filter(|region| Partition::of_region(region).is_some()).unwrap_or(last),
    };
    let service = before.strip_suffix(".dualstack").unwrap_or(before).rsplit('.').next();
    let is_s3 = region != last || matches!(service, Some("s3" | "s3-fips"));
    (is_s3 && Partition::of_region(region).is_some()).then_some(region)
}

fn under(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_tell_their_partition() {
        for (region, partition) in [
            ("us-east-1", "aws"),
            ("ap-southeast-5", "aws"),
            ("mx-central-1", "aws"),
            ("cn-northwest-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            assert_eq!(Partition::of_region(region).unwrap().name, partition, "{region}");
            assert_eq!(Partition::named(partition), Partition::of_region(region));
        }
        for unknown in ["", "garage", "us-east", "us-east-", "us--1", "xx-east-1", "us-east-1a", "us-moon-base-1"] {
            assert_eq!(Partition::of_region(unknown), None, "{unknown}");
            assert_eq!(Partition::of_region_or_aws(unknown).name, "aws");
        }
    }

    #[test]
    fn regions_in_hosts() {
        for (host, region) in [
            ("my.bucket.s3.eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("s3.eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("bucket.s3-us-west-2.amazonaws.com", Some("us-west-2")),
            ("bucket.s3.dualstack.us-west-2.amazonaws.com", Some("us-west-2")),
            ("bucket.s3-fips.us-gov-west-1.amazonaws.com", Some("us-gov-west-1")),
            ("bucket.s3.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("bucket.s3.amazonaws.com", Some("us-east-1")),
            ("s3.amazonaws.com", Some("us-east-1")),
            ("bucket.s3.evil.amazonaws.com", None),
            ("ec2-1-2-3-4.eu-west-1.amazonaws.com", None),
            ("bucket.s3.eu-west-1.evil.example", None),
            ("eu-west-1", None),
            ("", None),
        ] {
            assert_eq!(region_of_host(host), region, "{host}");
        }
    }

    #[test]
    fn hosts_of_aws() {
        for host in ["s3.eu-west-1.amazonaws.com", "s3.cn-north-1.amazonaws.com.cn", "b.s3.us-iso-east-1.c2s.ic.gov"] {
            assert!(Partition::owns(host), "{host}");
        }
        for host in ["amazonaws.com", "notamazonaws.com", "s3.amazonaws.com.evil.example", "amazonaws.com.", ""] {
            assert!(!Partition::owns(host), "{host}");
        }
    }
}
