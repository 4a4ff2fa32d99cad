//! The rules: an endpoint and a bucket make a target.

use core::net::{IpAddr, Ipv4Addr};

use http::HeaderValue;

use super::{
    AddressingStyle, BucketArn, Endpoint, Partition, Plane, Target, express, is_directory_bucket, is_dns_label,
};
use crate::sigv4::{self, uri_encode};
use crate::{Error, check_bucket};

impl Endpoint {
    /// Whether a bucket's [`Plane`]s have different targets.
    pub fn has_planes(&self, bucket: &str) -> bool {
        self.accelerate || is_directory_bucket(bucket)
    }

    /// The rule: where requests on `bucket` (a name or an ARN like one) go, or those to the service itself.
    ///
    /// The bucket's name is taken as it is; [`check_bucket`] refuses those that none can have.
    ///
    /// # Errors
    /// Settings that exclude each other, a bucket that cannot be addressed so, an ARN that is not one of a bucket.
    pub fn target(&self, bucket: Option<&str>, plane: Plane) -> Result<Target, Error> {
        self.check()?;
        let Some(bucket) = bucket else { return Ok(self.made(self.host_base(false), true)) };
        if !bucket.starts_with("arn:") {
            return self.bucket(bucket, plane);
        }
        check_bucket(bucket)?;
        match BucketArn::parse(bucket)? {
            BucketArn::Bucket { partition, name } => {
                self.must_be_in(partition, bucket)?;
                self.bucket(name, plane)
            }
            BucketArn::Directory { partition, region, name } => {
                self.must_be_in(partition, bucket)?;
                self.in_region_of(bucket, region)?.bucket(name, plane)
            }
            BucketArn::AccessPoint { partition, region, account, name } => {
                self.must_be_in(partition, bucket)?;
                self.in_region_of(bucket, region)?.access_point(&format!("{name}-{account}"))
            }
        }
    }

    fn bucket(&self, bucket: &str, plane: Plane) -> Result<Target, Error> {
        if self.is_aws() && is_directory_bucket(bucket) {
            return self.directory(bucket, plane);
        }
        let accelerate = self.accelerate && plane == Plane::Data;
        let base = self.host_base(accelerate);
        if self.puts_into_host(bucket)? {
            return Ok(self.made(in_front(bucket, &base), false));
        }
        if accelerate {
            return Err(Error::invalid_input(format!(
                "bucket {bucket:?} cannot be reached by S3 Accelerate: its name cannot be part of a host name"
            )));
        }
        Ok(self.made(in_path(&base, bucket), false))
    }

    /// A directory bucket's two hosts.
    fn directory(&self, bucket: &str, plane: Plane) -> Result<Target, Error> {
        let zone = express::zone(bucket).ok_or_else(|| {
            Error::invalid_input(format!(
                "bucket {bucket:?} is no directory bucket's name; those read NAME--ZONE--x-s3, such as a--use1-az4--x-s3"
            ))
        })?;
        if self.accelerate {
            return Err(Error::invalid_input("directory buckets have no S3 Accelerate: leave it out for them"));
        }
        let host = self.aws_host(&match (plane, self.fips) {
            (Plane::Data, false) => format!("s3express-{zone}"),
            (Plane::Data, true) => format!("s3express-fips-{zone}"),
            (Plane::Control, false) => "s3express-control".to_owned(),
            (Plane::Control, true) => "s3express-control-fips".to_owned(),
        });
        let base = match (&self.custom, plane) {
            (None, Plane::Data) => format!("https://{bucket}.{host}"),
            (None, Plane::Control) => in_path(&format!("https://{host}"), bucket),
            (Some(_), _) => in_front(bucket, &self.host_base(false)),
        };
        let target = self.made(base, false);
        Ok(Target { service: "s3express", sessions: self.sessions && plane == Plane::Data, ..target })
    }

    fn access_point(&self, name: &str) -> Result<Target, Error> {
        if self.accelerate {
            return Err(Error::invalid_input("access points have no S3 Accelerate: leave it out for them"));
        }
        if self.style == AddressingStyle::Path || self.is_ip() {
            return Err(Error::invalid_input("an access point's ARN needs a host name of its own, not path style"));
        }
        let base = match self.custom {
            Some(_) => self.host_base(false),
            None => format!("https://{}", self.aws_host(&fips("s3-accesspoint", self.fips))),
        };
        Ok(self.made(in_front(name, &base), false))
    }

    fn made(&self, base: String, is_service: bool) -> Target {
        let after_scheme = base.find("://").map_or(0, |at| at + 3);
        let slash = is_service || !base[after_scheme..].contains('/');
        let uri = base.parse().unwrap_or_default();
        let host = sigv4::host(&uri).and_then(|host| HeaderValue::from_str(host).ok());
        Target { base, host, slash, region: self.region.clone(), service: "s3", sessions: false }
    }

    /// Scheme, host, port and path of the service, or of Accelerate.
    fn host_base(&self, accelerate: bool) -> String {
        let stack = if self.dualstack { ".dualstack" } else { "" };
        match &self.custom {
            Some(custom) => format!("{}://{}{}", custom.scheme, custom.authority, custom.path),
            // The published rules name the region here, and only here.
            None if accelerate && self.dualstack && self.aws_global => {
                format!("https://{}", self.aws_host("s3-accelerate"))
            }
            None if accelerate => format!("https://s3-accelerate{stack}.amazonaws.com"),
            None if self.is_global() => "https://s3.amazonaws.com".to_owned(),
            None => format!("https://{}", self.aws_host(&fips("s3", self.fips))),
        }
    }

    fn is_global(&self) -> bool {
        (self.global || self.aws_global) && self.region == "us-east-1" && !self.fips && !self.dualstack
    }

    /// AWS's host of this name in the region.
    fn aws_host(&self, name: &str) -> String {
        let stack = if self.dualstack { ".dualstack" } else { "" };
        let domain = Partition::of_region_or_aws(&self.region).domain;
        format!("{name}{stack}.{}.{domain}", self.region)
    }

    fn must_be_in(&self, partition: &str, arn: &str) -> Result<(), Error> {
        let own = Partition::of_region_or_aws(&self.region).name;
        if self.custom.is_some() || own == partition {
            return Ok(());
        }
        Err(Error::invalid_input(format!(
            "{arn:?} is in partition {partition}, and the client's region {} in {own}",
            self.region
        )))
    }

    fn in_region_of(&self, arn: &str, region: &str) -> Result<Self, Error> {
        if !self.arn_regions && region != self.region {
            return Err(Error::invalid_input(format!(
                "{arn:?} is in {region}, the client in {}, and the settings forbid to leave it (s3_use_arn_region)",
                self.region
            )));
        }
        self.clone().with_region(region)
    }

    fn is_ip(&self) -> bool {
        self.host().trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
    }

    fn puts_into_host(&self, bucket: &str) -> Result<bool, Error> {
        // A certificate for `*.host` covers one label: a bucket with dots would fail its check.
        let fits = fits_host(bucket) && !self.is_ip() && !(self.is_https() && bucket.contains('.'));
        match self.style {
            AddressingStyle::Path => Ok(false),
            AddressingStyle::Auto => Ok(self.is_aws() && fits),
            AddressingStyle::PreferVirtualHost => Ok(fits),
            AddressingStyle::VirtualHost if fits_host(bucket) && !self.is_ip() => Ok(true),
            AddressingStyle::VirtualHost => Err(Error::invalid_input(match self.is_ip() {
                true => format!(
                    "no bucket can stand in front of {}, which is no name; use AddressingStyle::Path",
                    self.host()
                ),
                false => format!("bucket {bucket:?} cannot be part of a host name; use AddressingStyle::Path"),
            })),
        }
    }
}

fn fips(name: &str, enabled: bool) -> String {
    if enabled { format!("{name}-fips") } else { name.to_owned() }
}

/// `https://host/path` with a label in front of the host.
fn in_front(label: &str, base: &str) -> String {
    base.replacen("://", &format!("://{label}."), 1)
}

fn in_path(base: &str, bucket: &str) -> String {
    let mut text = format!("{base}/");
    uri_encode::query(bucket, &mut text);
    text
}

/// Whether a bucket's name can stand in front of a host name: DNS labels divided by dots, and no address.
fn fits_host(bucket: &str) -> bool {
    let in_bounds = (3..=63).contains(&bucket.len());
    in_bounds && bucket.split('.').all(is_dns_label) && bucket.parse::<Ipv4Addr>().is_err()
}
