//! The published rules for buckets, where they lie beside the workspace; some of them as values.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure fails the test")]
#![cfg(feature = "json")]

use std::path::Path;

use serde_json::Value;
use wharf_proto::endpoint::{AddressingStyle, Endpoint, Plane};
use wharf_proto::{Error, check_bucket};

/// A case: what a client and a call say.
#[derive(Debug, Default, Clone)]
struct Case<'a> {
    bucket: &'a str,
    region: &'a str,
    endpoint: Option<&'a str>,
    fips: bool,
    dualstack: bool,
    accelerate: bool,
    path: bool,
    global: bool,
}

impl Case<'_> {
    /// The base, and the region and service that are signed for.
    fn resolve(&self) -> Result<(String, String, &'static str), Error> {
        let endpoint = match self.endpoint {
            Some(url) => Endpoint::custom(url)?.with_region(self.region)?,
            None => Endpoint::aws(self.region)?,
        };
        // AWS's clients prefer the host everywhere; `Auto` does so for AWS alone.
        let style = if self.path { AddressingStyle::Path } else { AddressingStyle::PreferVirtualHost };
        let target = endpoint
            .with_style(style)
            .with_fips(self.fips)
            .with_dualstack(self.dualstack)
            .with_accelerate(self.accelerate)
            .with_global(self.global)
            .target(Some(self.bucket), Plane::Data)?;
        let scope = target.scope();
        assert!(scope.payload_header);
        Ok((target.base().to_owned(), scope.region.to_owned(), if scope.service == "s3" { "s3" } else { "other" }))
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the cases are a file")]
fn every_published_case() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases/endpoint_cases.json"));
    if !path.exists() {
        println!("skipped: no endpoint cases at ../shared/cases/endpoint_cases.json");
        return;
    }
    let document: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = document["cases"].as_array().unwrap();
    let flag = |case: &Value, name: &str| case[name].as_bool().unwrap();
    let (mut resolved, mut refused) = (0, 0);
    for published in cases {
        let case = Case {
            bucket: published["bucket"].as_str().unwrap(),
            region: published["region"].as_str().unwrap_or_default(),
            endpoint: published["endpoint"].as_str(),
            fips: flag(published, "use_fips"),
            dualstack: flag(published, "use_dualstack"),
            accelerate: flag(published, "accelerate"),
            path: flag(published, "force_path_style"),
            global: flag(published, "use_global_endpoint"),
        };
        match (case.resolve(), published["expected_url"].as_str()) {
            (Ok((base, region, service)), Some(expected)) => {
                assert_eq!(base, expected, "{published}");
                assert_eq!(published["signing"]["signingRegion"], region, "{published}");
                assert_eq!(published["signing"]["signingName"], service, "{published}");
                resolved += 1;
            }
            (Err(error), None) => {
                assert_eq!(error.to_string().lines().count(), 1, "{published}");
                refused += 1;
            }
            (other, _) => panic!("{published}: {other:?}"),
        }
    }
    println!("note: {resolved} of the published endpoint cases resolve and {refused} are refused, of {}", cases.len());
    assert_eq!((resolved + refused, cases.len()), (130, 130));
}

/// A handful of them, one for each rule.
#[test]
fn some_published_cases() {
    let bucket = "bucket-name";
    let aws = |region| Case { bucket, region, ..Case::default() };
    let custom = |bucket, url| Case { bucket, region: "us-west-2", endpoint: Some(url), ..Case::default() };
    for (case, base) in [
        (aws("us-west-2"), "https://bucket-name.s3.us-west-2.amazonaws.com"),
        (aws("cn-north-1"), "https://bucket-name.s3.cn-north-1.amazonaws.com.cn"),
        (aws("aws-global"), "https://bucket-name.s3.amazonaws.com"),
        (Case { path: true, ..aws("af-south-1") }, "https://s3.af-south-1.amazonaws.com/bucket-name"),
        (Case { bucket: "99a_b", ..aws("af-south-1") }, "https://s3.af-south-1.amazonaws.com/99a_b"),
        (Case { bucket: "bucket.name", ..aws("us-east-1") }, "https://s3.us-east-1.amazonaws.com/bucket.name"),
        (Case { fips: true, ..aws("us-gov-west-1") }, "https://bucket-name.s3-fips.us-gov-west-1.amazonaws.com"),
        (Case { dualstack: true, ..aws("us-west-2") }, "https://bucket-name.s3.dualstack.us-west-2.amazonaws.com"),
        (Case { accelerate: true, ..aws("us-west-2") }, "https://bucket-name.s3-accelerate.amazonaws.com"),
        (Case { global: true, ..aws("us-east-1") }, "https://bucket-name.s3.amazonaws.com"),
        (custom("bucket.name", "http://example.com"), "http://bucket.name.example.com"),
        (custom("bucketName", "http://10.0.1.12:433"), "http://10.0.1.12:433/bucketName"),
        (custom("bucket", "https://foo.com:8443/s3/"), "https://bucket.foo.com:8443/s3"),
    ] {
        assert_eq!(case.resolve().unwrap().0, base, "{case:?}");
    }
    for (case, problem) in [
        (Case { fips: true, ..aws("cn-north-1") }, "S3 has no FIPS endpoints in cn-north-1"),
        (Case { fips: true, ..custom(bucket, "http://foo.com") }, "a custom endpoint (foo.com) has no FIPS host"),
        (Case { dualstack: true, ..custom(bucket, "http://foo.com") }, "no dual-stack host: leave one of the two out"),
        (Case { accelerate: true, ..custom(bucket, "http://foo.com") }, "no accelerated host"),
        (Case { accelerate: true, fips: true, ..aws("us-west-2") }, "S3 Accelerate has no FIPS endpoints"),
        (Case { accelerate: true, path: true, ..aws("us-west-2") }, "S3 Accelerate needs the bucket in the host name"),
        (Case { accelerate: true, ..aws("cn-north-1") }, "S3 Accelerate is not available in cn-north-1"),
        (Case { accelerate: true, bucket: "bucket!", ..aws("us-east-2") }, "cannot be reached by S3 Accelerate"),
        (aws("us-east-2!"), "\"us-east-2!\" is not a region"),
        (aws(""), "\"\" is not a region"),
        (custom(bucket, "abcde://nota#url"), "it must begin with http:// or https://"),
    ] {
        let error = case.resolve().unwrap_err().to_string();
        assert!(error.contains(problem), "{case:?}: {error}");
    }
}

/// Where a bucket is asked for, a name or an ARN like one is taken, nothing else.
#[test]
fn what_is_no_bucket() {
    for (bucket, problem) in [
        ("", "it is empty"),
        ("s3://bucket", "it is a URI"),
        ("https://bucket.s3.amazonaws.com", "a bucket and a key are two arguments"),
        ("bucket/key", "a bucket and a key are two arguments"),
        ("bucket name", "only a-z"),
        ("example.com#", "only a-z"),
        ("arn:aws:s3:::bucket/key", "a bucket and a key are two arguments"),
        ("arn:aws:iam::123456789012:user/a", "no ARN of a bucket"),
        ("arn:aws:s3::123456789012:accesspoint:mfzwi23gnjvgw.mrap", "SigV4A"),
    ] {
        let error = check_bucket(bucket).unwrap_err().to_string();
        assert!(error.contains(problem) && error.contains(&format!("{bucket:?}")), "{bucket}: {error}");
    }
    let error = check_bucket("arn:aws:s3:::a").unwrap_err().to_string();
    assert_eq!(error, "invalid bucket name \"a\": it must have 3 to 63 characters");
    for bucket in ["arn:aws:s3:::bucket", "arn:aws:s3:us-west-2:123456789012:accesspoint/name", "Old_Bucket"] {
        check_bucket(bucket).unwrap();
    }
}
