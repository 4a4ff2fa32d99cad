//! Where AWS's services are that hand out credentials.

use wharf_proto::endpoint::Partition;
use wharf_proto::{Endpoint, Error};

use crate::settings::{Found, Origin};

/// What host names end in, in the partition that a region belongs to.
fn suffix(region: &str) -> &'static str {
    Partition::of_region_or_aws(region).domain
}

/// The regions that had `sts.amazonaws.com` for their endpoint before there were regional ones.
const OF_OLD: [&str; 16] = [
    "ap-northeast-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "aws-global",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// How STS is reached.
#[derive(Debug, Clone)]
pub(crate) struct Sts {
    pub(crate) endpoint: Endpoint,
    pub(crate) origin: Origin,
    /// The region that requests are signed for.
    pub(crate) region: String,
}

/// What decides where STS is.
#[derive(Debug, Clone, Default)]
pub(crate) struct StsOptions {
    /// An endpoint that the user names.
    pub(crate) url: Option<Found<String>>,
    pub(crate) region: Option<String>,
    pub(crate) use_fips: bool,
    pub(crate) use_dualstack: bool,
    /// `sts_regional_endpoints = legacy`, where that is said.
    pub(crate) legacy: Option<Origin>,
}

impl Sts {
    pub(crate) fn find(options: &StsOptions) -> Result<Self, Error> {
        // Other providers' regions (`auto`, `garage`) have no STS of AWS.
        let is_aws = |region: &&str| region.matches('-').count() >= 2 || *region == "aws-global";
        let region = options.region.as_deref().filter(is_aws).unwrap_or("us-east-1");
        if let Some(url) = &options.url {
            let Found { value: endpoint, origin } = named(url)?;
            return Ok(Self { endpoint, origin, region: region.to_owned() });
        }
        let fips = if options.use_fips { "sts-fips" } else { "sts" };
        let is_global = !options.use_fips && !options.use_dualstack;
        let legacy = options.legacy.clone().filter(|_| is_global && OF_OLD.contains(&region));
        let (host, region) = if legacy.is_some() || is_global && region == "aws-global" {
            ("sts.amazonaws.com".to_owned(), "us-east-1")
        } else if options.use_dualstack {
            let suffix = if region.starts_with("cn-") { "api.amazonwebservices.com.cn" } else { "api.aws" };
            (format!("{fips}.{region}.{suffix}"), region)
        } else if options.use_fips && region.starts_with("us-gov-") {
            // GovCloud's plain endpoints are the validated ones.
            (format!("sts.{region}.amazonaws.com"), region)
        } else {
            (format!("{fips}.{region}.{}", suffix(region)), region)
        };
        let endpoint = Endpoint::custom(&format!("https://{host}"))?;
        Ok(Self { endpoint, origin: legacy.unwrap_or(Origin::Default), region: region.to_owned() })
    }
}

/// The portal that gives keys for an SSO token.
pub(crate) fn sso_portal(url: Option<&Found<String>>, region: &str) -> Result<Found<Endpoint>, Error> {
    named_or(url, || format!("https://portal.sso.{region}.{}", suffix(region)))
}

/// The service that gives new SSO tokens for old ones.
pub(crate) fn sso_oidc(url: Option<&Found<String>>, region: &str) -> Result<Found<Endpoint>, Error> {
    named_or(url, || format!("https://oidc.{region}.{}", suffix(region)))
}

fn named_or(url: Option<&Found<String>>, usual: impl FnOnce() -> String) -> Result<Found<Endpoint>, Error> {
    match url {
        Some(url) => named(url),
        None => Ok(Found::new(Endpoint::custom(&usual())?, Origin::Default)),
    }
}

fn named(url: &Found<String>) -> Result<Found<Endpoint>, Error> {
    let endpoint = Endpoint::custom(&url.value).map_err(|error| url.origin.blame(error))?;
    Ok(Found::new(endpoint, url.origin.clone()))
}

#[cfg(test)]
mod tests {
    use wharf_proto::endpoint::Plane;

    use super::*;

    fn said(url: &str) -> Found<String> {
        Found::new(url.to_owned(), Origin::Code)
    }

    fn sts(region: &str, change: impl FnOnce(&mut StsOptions)) -> (String, String) {
        let mut options = StsOptions { region: Some(region.to_owned()), ..StsOptions::default() };
        change(&mut options);
        let sts = Sts::find(&options).unwrap();
        (sts.endpoint.target(None, Plane::Data).unwrap().uri(None, &[]).unwrap().to_string(), sts.region)
    }

    #[test]
    fn sts_is_regional_unless_told_otherwise() {
        for (region, legacy, fips, dualstack, host, signed) in [
            ("eu-west-1", false, false, false, "sts.eu-west-1.amazonaws.com", "eu-west-1"),
            ("eu-west-1", true, false, false, "sts.amazonaws.com", "us-east-1"),
            ("eu-south-1", true, false, false, "sts.eu-south-1.amazonaws.com", "eu-south-1"),
            ("aws-global", false, false, false, "sts.amazonaws.com", "us-east-1"),
            ("cn-north-1", true, false, false, "sts.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            ("us-isob-east-1", false, false, false, "sts.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"),
            ("us-east-2", false, true, false, "sts-fips.us-east-2.amazonaws.com", "us-east-2"),
            ("us-gov-west-1", false, true, false, "sts.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
            ("us-east-2", true, true, true, "sts-fips.us-east-2.api.aws", "us-east-2"),
            ("eu-west-1", false, false, true, "sts.eu-west-1.api.aws", "eu-west-1"),
            ("auto", false, false, false, "sts.us-east-1.amazonaws.com", "us-east-1"),
        ] {
            let found = sts(region, |options| {
                options.legacy = legacy.then_some(Origin::Code);
                (options.use_fips, options.use_dualstack) = (fips, dualstack);
            });
            assert_eq!(found, (format!("https://{host}/"), signed.to_owned()));
        }
        let named = sts("eu-west-1", |options| options.url = Some(said("http://localhost:9000/sts")));
        assert_eq!(named, ("http://localhost:9000/sts/".to_owned(), "eu-west-1".to_owned()));
    }

    #[test]
    fn sso_is_where_its_region_is() {
        assert_eq!(sso_portal(None, "eu-west-1").unwrap().value.host(), "portal.sso.eu-west-1.amazonaws.com");
        assert_eq!(sso_oidc(None, "cn-north-1").unwrap().value.host(), "oidc.cn-north-1.amazonaws.com.cn");
        assert_eq!(sso_oidc(Some(&said("http://localhost:1")), "cn-north-1").unwrap().value.host(), "localhost");
    }
}
