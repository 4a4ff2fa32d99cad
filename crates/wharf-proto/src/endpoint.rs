//! Where a request goes: the rules that make a host, a path and a signature's scope of what a client and a call say.
//!
//! [`Endpoint`] is what a client says once; [`Endpoint::target`] is the rule, pure and public: it gives the [`Target`] of
//! one bucket, which is the only thing that makes URIs.
//!
//! ```
//! use wharf_proto::endpoint::{Endpoint, Plane};
//!
//! let ireland = Endpoint::aws("eu-west-1")?;
//! let target = ireland.target(Some("my-bucket"), Plane::Data)?;
//! assert_eq!(target.base(), "https://my-bucket.s3.eu-west-1.amazonaws.com");
//!
//! // An access point is where its ARN says, and signed for that region.
//! let arn = "arn:aws:s3:us-west-2:123456789012:accesspoint/reports";
//! let target = ireland.target(Some(arn), Plane::Data)?;
//! assert_eq!(target.base(), "https://reports-123456789012.s3-accesspoint.us-west-2.amazonaws.com");
//! assert_eq!(target.scope().region, "us-west-2");
//! # Ok::<(), wharf_proto::Error>(())
//! ```

mod arn;
mod express;
mod partition;
mod rules;
mod target;

use http::Uri;
use http::uri::{Authority, Scheme};

use crate::Error;

pub(crate) use arn::BucketArn;
pub use express::{Plane, is_directory_bucket};
pub use partition::Partition;
pub(crate) use partition::region_of_host;
pub use target::Target;

/// Where the bucket's name stands in a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum AddressingStyle {
    /// As [`PreferVirtualHost`](AddressingStyle::PreferVirtualHost) on AWS, path style everywhere else.
    #[default]
    Auto,
    /// `https://host/bucket/key`.
    Path,
    /// `https://bucket.host/key`; a bucket whose name cannot be part of a host name is an error.
    VirtualHost,
    /// In the host name where the bucket's name can be part of it, else in the path.
    PreferVirtualHost,
}

/// What a client says of where its requests go: a server, AWS in a region or any other S3 by URL, and which of AWS's
/// hosts to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `None`: AWS's own, by the rules.
    custom: Option<Custom>,
    region: String,
    style: AddressingStyle,
    fips: bool,
    dualstack: bool,
    accelerate: bool,
    global: bool,
    /// The region was given as `aws-global`.
    aws_global: bool,
    /// An ARN's region may be another than the client's.
    arn_regions: bool,
    /// Directory buckets have sessions.
    sessions: bool,
}

/// A server's URL.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Custom {
    scheme: Scheme,
    authority: Authority,
    /// Without a slash at its end; empty, or `/prefix`.
    path: String,
}

impl Endpoint {
    /// AWS's S3 in `region`, over https. `aws-global` is us-east-1 at the host that names no region.
    ///
    /// # Errors
    /// A region that cannot be part of a host name.
    pub fn aws(region: &str) -> Result<Self, Error> {
        Self::new(None, region)
    }

    /// Any S3 server by its URL: `http://localhost:9000`, `https://host/prefix`. Signed for us-east-1 unless
    /// [`with_region`](Endpoint::with_region) says otherwise.
    ///
    /// # Errors
    /// No `http://` or `https://`, no host, a query, or a user name and password.
    pub fn custom(url: &str) -> Result<Self, Error> {
        // Before anything can quote it: secrets contain '/', so one in a URL need not stand where a parser looks for it.
        if url.contains('@') {
            return Err(unusable("(hidden)", "keys do not belong into the URL: set them as credentials"));
        }
        let uri: Uri = url.trim().parse().map_err(|_| unusable(url, "it is no URL"))?;
        let scheme = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS => scheme.clone(),
            None => {
                let error = unusable(url, "it must begin with http:// or https://");
                let host = url.split_once('?').map_or(url, |(host, _)| host);
                return Err(error.with_hint(format!("say https://{host}, or http://{host} where it speaks no TLS")));
            }
            _ => return Err(unusable(url, "it must begin with http:// or https://")),
        };
        let authority = uri.authority().cloned().ok_or_else(|| unusable(url, "it names no host"))?;
        if authority.host().is_empty() {
            return Err(unusable(url, "it names no host"));
        }
        let has_port = authority.as_str().len() > authority.host().len();
        if has_port && authority.port_u16().is_none() {
            return Err(unusable(url, "its port is not a number from 0 to 65535"));
        }
        if uri.query().is_some() {
            return Err(unusable(url, "it must not have a query"));
        }
        let path = uri.path().trim_end_matches('/').to_owned();
        Self::new(Some(Custom { scheme, authority, path }), "us-east-1")
    }

    fn new(custom: Option<Custom>, region: &str) -> Result<Self, Error> {
        let endpoint = Self {
            custom,
            region: String::new(),
            style: AddressingStyle::Auto,
            fips: false,
            dualstack: false,
            accelerate: false,
            global: false,
            aws_global: false,
            arn_regions: true,
            sessions: true,
        };
        endpoint.with_region(region)
    }

    /// The same server, with requests signed for `region`; AWS's host follows it.
    ///
    /// # Errors
    /// A region that cannot be part of AWS's host names. A server of another's own has it in signatures alone: there it may
    /// have capitals and `_` too.
    pub fn with_region(mut self, region: &str) -> Result<Self, Error> {
        match self.custom {
            Some(_) if is_region(region) => {}
            Some(_) => {
                let problem = format!("{region:?} is not a region; regions have letters, digits, '-' and '_'");
                return Err(Error::invalid_input(problem));
            }
            None => check_region(region)?,
        }
        self.aws_global = region == "aws-global";
        self.region = if self.aws_global { "us-east-1".to_owned() } else { region.to_owned() };
        Ok(self)
    }

    /// The same server, addressed in this style.
    #[must_use]
    pub fn with_style(mut self, style: AddressingStyle) -> Self {
        self.style = style;
        self
    }

    /// AWS's hosts with cryptography validated by FIPS 140.
    #[must_use]
    pub fn with_fips(mut self, enabled: bool) -> Self {
        self.fips = enabled;
        self
    }

    /// AWS's hosts that have IPv6 addresses beside those of IPv4.
    #[must_use]
    pub fn with_dualstack(mut self, enabled: bool) -> Self {
        self.dualstack = enabled;
        self
    }

    /// AWS's Transfer Acceleration, for buckets on which it is turned on.
    #[must_use]
    pub fn with_accelerate(mut self, enabled: bool) -> Self {
        self.accelerate = enabled;
        self
    }

    /// In us-east-1, AWS's oldest host, `s3.amazonaws.com`, which knows the buckets of all regions.
    #[must_use]
    pub fn with_global(mut self, enabled: bool) -> Self {
        self.global = enabled;
        self
    }

    /// Whether an access point's ARN may be of another region than the client's (`s3_use_arn_region`): yes by default.
    #[must_use]
    pub fn with_arn_regions(mut self, enabled: bool) -> Self {
        self.arn_regions = enabled;
        self
    }

    /// Whether requests on a directory bucket are signed with a session's keys
    /// (`s3_disable_express_session_auth` turns that off): yes by default.
    #[must_use]
    pub fn with_sessions(mut self, enabled: bool) -> Self {
        self.sessions = enabled;
        self
    }

    /// Whether requests go over TLS.
    pub fn is_https(&self) -> bool {
        self.custom.as_ref().is_none_or(|custom| custom.scheme == Scheme::HTTPS)
    }

    /// The host name of the URL, without the port; for AWS by region the domain that all its hosts end in.
    pub fn host(&self) -> &str {
        match &self.custom {
            Some(custom) => custom.authority.host(),
            None => Partition::of_region_or_aws(&self.region).domain,
        }
    }

    /// What tells this server from others: its URL; for AWS the domain of all its hosts, for a bucket is the same one from
    /// wherever it is reached.
    pub fn server(&self) -> String {
        match &self.custom {
            Some(Custom { scheme, authority, path }) => format!("{scheme}://{authority}{path}"),
            None => format!("https://{}", self.host()),
        }
    }

    /// The path of the URL, without a slash at its end; mostly none.
    pub fn path(&self) -> &str {
        self.custom.as_ref().map_or("", |custom| custom.path.as_str())
    }

    /// Whether this is AWS itself.
    pub fn is_aws(&self) -> bool {
        self.custom.is_none() || Partition::owns(self.host())
    }

    /// The region that requests are signed for, where a bucket's ARN does not say otherwise.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Refuses settings that exclude each other, whatever the bucket.
    ///
    /// # Errors
    /// Says which, and what to leave out.
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |problem: &str| Err(Error::invalid_input(problem));
        let region = &self.region;
        if self.custom.is_some() {
            let host = self.host();
            for (set, name) in [(self.fips, "FIPS"), (self.dualstack, "dual-stack"), (self.accelerate, "accelerated")] {
                if set {
                    return wrong(&format!("a custom endpoint ({host}) has no {name} host: leave one of the two out"));
                }
            }
        }
        let partition = Partition::of_region_or_aws(region);
        if self.fips && !partition.has_fips() {
            return wrong(&format!("S3 has no FIPS endpoints in {region}"));
        }
        if self.accelerate && self.fips {
            return wrong("S3 Accelerate has no FIPS endpoints: leave one of the two out");
        }
        if self.accelerate && self.style == AddressingStyle::Path {
            return wrong("S3 Accelerate needs the bucket in the host name: leave AddressingStyle::Path out");
        }
        if self.accelerate && !partition.is_public() {
            return wrong(&format!("S3 Accelerate is not available in {region}"));
        }
        Ok(())
    }

    /// The same client where an answer says that the bucket is; `None` where `region` is none that our own rules lead
    /// to: no DNS label, or on AWS a region that this partition has not.
    pub fn moved_to(&self, region: &str) -> Option<Self> {
        let moved = self.clone().with_region(region).ok()?;
        let partition = Partition::of_region_or_aws(&self.region);
        let leads_there = self.custom.is_some() || Partition::of_region(region) == Some(partition);
        leads_there.then_some(moved)
    }
}

/// Lower case, digits and inner hyphens.
pub(crate) fn is_dns_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Whether some server can have a region of that name.
fn is_region(text: &str) -> bool {
    is_dns_label(&text.to_ascii_lowercase().replace('_', "-"))
}

/// Refuses a region that AWS cannot have.
///
/// # Errors
/// What is no DNS label.
pub fn check_region(region: &str) -> Result<(), Error> {
    if is_dns_label(region) {
        return Ok(());
    }
    Err(Error::invalid_input(format!(
        "{region:?} is not a region; regions read like us-east-1 (lower case, digits, '-')"
    )))
}

fn unusable(url: &str, problem: &str) -> Error {
    // A link's query may hold a signature.
    let shown =
        url.split_once('?').map_or_else(|| format!("{url:?}"), |(url, _)| format!("{:?}", format!("{url}?...")));
    Error::invalid_input(format!("the endpoint {shown} cannot be used: {problem}"))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn uri(endpoint: &Endpoint, bucket: &str, key: Option<&str>) -> String {
        endpoint.target(Some(bucket), Plane::Data).unwrap().uri(key, &[]).unwrap().to_string()
    }

    fn service(endpoint: &Endpoint, query: &[(Cow<'static, str>, Option<String>)]) -> String {
        endpoint.target(None, Plane::Data).unwrap().uri(None, query).unwrap().to_string()
    }

    #[test]
    fn aws_addresses_by_virtual_host_where_it_can() {
        let aws = Endpoint::aws("eu-west-1").unwrap();
        assert_eq!(uri(&aws, "my-bucket", Some("a b")), "https://my-bucket.s3.eu-west-1.amazonaws.com/a%20b");
        assert_eq!(uri(&aws, "my-bucket", None), "https://my-bucket.s3.eu-west-1.amazonaws.com/");
        assert_eq!(uri(&aws, "my.bucket", Some("k")), "https://s3.eu-west-1.amazonaws.com/my.bucket/k");
        assert_eq!(uri(&aws, "Old_Bucket", Some("k")), "https://s3.eu-west-1.amazonaws.com/Old_Bucket/k");
        assert_eq!(service(&aws, &[]), "https://s3.eu-west-1.amazonaws.com/");
        let china = Endpoint::aws("cn-north-1").unwrap();
        assert_eq!(uri(&china, "b-1", None), "https://b-1.s3.cn-north-1.amazonaws.com.cn/");
    }

    #[test]
    fn other_servers_are_addressed_by_path_unless_told_otherwise() {
        let custom = Endpoint::custom("http://localhost:9000/s3/").unwrap();
        assert_eq!(uri(&custom, "my-bucket", Some("a/../b")), "http://localhost:9000/s3/my-bucket/a/../b");
        assert_eq!(uri(&custom, "my-bucket", None), "http://localhost:9000/s3/my-bucket");
        let hosted = custom.with_style(AddressingStyle::VirtualHost);
        assert_eq!(uri(&hosted, "my-bucket", Some("/lead")), "http://my-bucket.localhost:9000/s3//lead");
        assert_eq!(service(&hosted, &[]), "http://localhost:9000/s3/");
    }

    #[test]
    fn keys_and_queries_survive_byte_for_byte() {
        let custom = Endpoint::custom("http://h").unwrap();
        for (key, path) in [(".", "/b-1/."), ("..", "/b-1/.."), ("a//b", "/b-1/a//b"), ("%46+", "/b-1/%2546%2B")] {
            assert_eq!(uri(&custom, "b-1", Some(key)), format!("http://h{path}"));
        }
        let query = [("tagging".into(), None), ("prefix".into(), Some("a/ b&".to_owned()))];
        assert_eq!(service(&custom, &query), "http://h/?tagging&prefix=a%2F%20b%26");
    }

    #[test]
    fn what_cannot_be_an_endpoint_says_why() {
        for (url, problem) in [
            ("localhost:9000", "must begin with http"),
            ("ftp://host", "must begin with http"),
            ("http://host/?a=b", "query"),
            ("http://me:secret@host", "keys do not belong"),
            ("s3://me:secret@host", "keys do not belong"),
            ("https://me:sec/secret/x@host", "keys do not belong"),
            ("http://host:99999", "port"),
            ("http://host:", "port"),
            ("http://host:9000abc", "port"),
            ("http://", "no URL"),
        ] {
            let error = Endpoint::custom(url).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
            assert!(!error.contains("secret"));
        }
        assert!(Endpoint::aws("Ireland").is_err() && Endpoint::aws("x.evil.com/").is_err());
    }

    #[test]
    fn regions_of_other_servers_are_only_signed() {
        let custom = Endpoint::custom("https://ceph.example").unwrap();
        for region in ["RegionOne", "my_region", "us-east-1"] {
            assert_eq!(custom.clone().with_region(region).unwrap().region(), region);
            assert_eq!(custom.moved_to(region).unwrap().region(), region);
        }
        for region in ["", "a/b", "a b", "a,b", "-a", "é", "evil.example"] {
            assert!(custom.clone().with_region(region).is_err(), "{region}");
        }
        let aws = Endpoint::aws("us-east-1").unwrap();
        assert!(aws.moved_to("RegionOne").is_none() && aws.moved_to("eu_west").is_none());
    }
}
