//! What AWS documents of partitions, access points and directory buckets, as cases.

#![allow(clippy::unwrap_used, reason = "a failure fails the test")]

use wharf_proto::endpoint::{AddressingStyle, Endpoint, Plane};
use wharf_proto::operation::Request;
use wharf_proto::{Error, ErrorKind};

const FIPS: u8 = 1;
const DUALSTACK: u8 = 2;
const ACCELERATE: u8 = 4;
const PATH: u8 = 8;
const CONTROL: u8 = 16;

/// The base, the region and the service that are signed for.
fn resolve(region: &str, bucket: &str, flags: u8) -> Result<(String, String, String), Error> {
    resolve_at(Endpoint::aws(region)?, bucket, flags)
}

fn resolve_at(endpoint: Endpoint, bucket: &str, flags: u8) -> Result<(String, String, String), Error> {
    let style = if flags & PATH == 0 { AddressingStyle::Auto } else { AddressingStyle::Path };
    let plane = if flags & CONTROL == 0 { Plane::Data } else { Plane::Control };
    let target = endpoint
        .with_style(style)
        .with_fips(flags & FIPS != 0)
        .with_dualstack(flags & DUALSTACK != 0)
        .with_accelerate(flags & ACCELERATE != 0)
        .target(Some(bucket), plane)?;
    let scope = target.scope();
    Ok((target.base().to_owned(), scope.region.to_owned(), scope.service.to_owned()))
}

type Good = (&'static str, &'static str, u8, &'static str, &'static str, &'static str);

const AP: &str = "arn:aws:s3:us-west-2:123456789012:accesspoint/myendpoint";
const AP_COLON: &str = "arn:aws:s3:us-west-2:123456789012:accesspoint:myendpoint";
const AP_CHINA: &str = "arn:aws-cn:s3:cn-north-1:123456789012:accesspoint/myendpoint";
const AP_GOV: &str = "arn:aws-us-gov:s3:us-gov-east-1:123456789012:accesspoint/myendpoint";
const ZONAL: &str = "mybucket--use1-az4--x-s3";
const LOCAL: &str = "mybucket--usw2-lax1-az1--x-s3";
const ZONAL_AP: &str = "myaccesspoint--use1-az4--xa-s3";
const ZONAL_ARN: &str = "arn:aws:s3express:us-west-2:123456789012:bucket/mybucket--usw2-az1--x-s3";

#[rustfmt::skip]
const GOOD: &[Good] = &[
    // Partitions.
    ("eu-west-1", "bucket", 0, "https://bucket.s3.eu-west-1.amazonaws.com", "eu-west-1", "s3"),
    ("cn-northwest-1", "bucket", 0, "https://bucket.s3.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1", "s3"),
    ("us-gov-east-1", "bucket", 0, "https://bucket.s3.us-gov-east-1.amazonaws.com", "us-gov-east-1", "s3"),
    ("us-gov-west-1", "bucket", FIPS | DUALSTACK, "https://bucket.s3-fips.dualstack.us-gov-west-1.amazonaws.com", "us-gov-west-1", "s3"),
    ("us-iso-east-1", "bucket", 0, "https://bucket.s3.us-iso-east-1.c2s.ic.gov", "us-iso-east-1", "s3"),
    ("us-iso-west-1", "bucket", FIPS, "https://bucket.s3-fips.us-iso-west-1.c2s.ic.gov", "us-iso-west-1", "s3"),
    ("us-isob-east-1", "bucket", 0, "https://bucket.s3.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1", "s3"),
    ("eu-isoe-west-1", "bucket", 0, "https://bucket.s3.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1", "s3"),
    ("us-isof-south-1", "bucket", 0, "https://bucket.s3.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1", "s3"),
    ("eusc-de-east-1", "bucket", 0, "https://bucket.s3.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", "s3"),
    ("xx-newland-1", "bucket", 0, "https://bucket.s3.xx-newland-1.amazonaws.com", "xx-newland-1", "s3"),
    // A bucket's own ARN is its name.
    ("eu-west-1", "arn:aws:s3:::bucket", 0, "https://bucket.s3.eu-west-1.amazonaws.com", "eu-west-1", "s3"),
    ("cn-north-1", "arn:aws-cn:s3:::my.bucket", 0, "https://s3.cn-north-1.amazonaws.com.cn/my.bucket", "cn-north-1", "s3"),
    // An access point's alias is a bucket's name.
    ("us-west-2", "ap-abcdefghijklmnopqrstuvwxyz123456usw2a-s3alias", 0, "https://ap-abcdefghijklmnopqrstuvwxyz123456usw2a-s3alias.s3.us-west-2.amazonaws.com", "us-west-2", "s3"),
    // Accelerate is for objects; a bucket is made by its region's host.
    ("us-west-2", "bucket", ACCELERATE, "https://bucket.s3-accelerate.amazonaws.com", "us-west-2", "s3"),
    ("us-west-2", "bucket", ACCELERATE | DUALSTACK, "https://bucket.s3-accelerate.dualstack.amazonaws.com", "us-west-2", "s3"),
    ("us-west-2", "bucket", ACCELERATE | CONTROL, "https://bucket.s3.us-west-2.amazonaws.com", "us-west-2", "s3"),
    // Access points by ARN: in the ARN's region.
    ("us-west-2", AP, 0, "https://myendpoint-123456789012.s3-accesspoint.us-west-2.amazonaws.com", "us-west-2", "s3"),
    ("us-west-2", AP_COLON, 0, "https://myendpoint-123456789012.s3-accesspoint.us-west-2.amazonaws.com", "us-west-2", "s3"),
    ("eu-west-1", AP, 0, "https://myendpoint-123456789012.s3-accesspoint.us-west-2.amazonaws.com", "us-west-2", "s3"),
    ("us-west-2", AP, FIPS, "https://myendpoint-123456789012.s3-accesspoint-fips.us-west-2.amazonaws.com", "us-west-2", "s3"),
    ("us-west-2", AP, DUALSTACK, "https://myendpoint-123456789012.s3-accesspoint.dualstack.us-west-2.amazonaws.com", "us-west-2", "s3"),
    ("us-west-2", AP, FIPS | DUALSTACK, "https://myendpoint-123456789012.s3-accesspoint-fips.dualstack.us-west-2.amazonaws.com", "us-west-2", "s3"),
    ("cn-northwest-1", AP_CHINA, 0, "https://myendpoint-123456789012.s3-accesspoint.cn-north-1.amazonaws.com.cn", "cn-north-1", "s3"),
    ("us-gov-west-1", AP_GOV, 0, "https://myendpoint-123456789012.s3-accesspoint.us-gov-east-1.amazonaws.com", "us-gov-east-1", "s3"),
    // Directory buckets: the zone's host for objects, the region's for the bucket.
    ("us-east-1", ZONAL, 0, "https://mybucket--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com", "us-east-1", "s3express"),
    ("us-west-2", LOCAL, 0, "https://mybucket--usw2-lax1-az1--x-s3.s3express-usw2-lax1-az1.us-west-2.amazonaws.com", "us-west-2", "s3express"),
    ("us-east-1", ZONAL, FIPS, "https://mybucket--use1-az4--x-s3.s3express-fips-use1-az4.us-east-1.amazonaws.com", "us-east-1", "s3express"),
    ("us-east-1", ZONAL, DUALSTACK, "https://mybucket--use1-az4--x-s3.s3express-use1-az4.dualstack.us-east-1.amazonaws.com", "us-east-1", "s3express"),
    ("us-east-1", ZONAL, FIPS | DUALSTACK, "https://mybucket--use1-az4--x-s3.s3express-fips-use1-az4.dualstack.us-east-1.amazonaws.com", "us-east-1", "s3express"),
    ("us-east-1", ZONAL, PATH, "https://mybucket--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com", "us-east-1", "s3express"),
    ("us-east-1", ZONAL_AP, 0, "https://myaccesspoint--use1-az4--xa-s3.s3express-use1-az4.us-east-1.amazonaws.com", "us-east-1", "s3express"),
    ("us-east-1", ZONAL, CONTROL, "https://s3express-control.us-east-1.amazonaws.com/mybucket--use1-az4--x-s3", "us-east-1", "s3express"),
    ("us-east-1", ZONAL, CONTROL | FIPS, "https://s3express-control-fips.us-east-1.amazonaws.com/mybucket--use1-az4--x-s3", "us-east-1", "s3express"),
    ("us-east-1", ZONAL, CONTROL | DUALSTACK, "https://s3express-control.dualstack.us-east-1.amazonaws.com/mybucket--use1-az4--x-s3", "us-east-1", "s3express"),
    ("us-east-1", ZONAL, CONTROL | FIPS | DUALSTACK, "https://s3express-control-fips.dualstack.us-east-1.amazonaws.com/mybucket--use1-az4--x-s3", "us-east-1", "s3express"),
    ("us-east-1", ZONAL_ARN, 0, "https://mybucket--usw2-az1--x-s3.s3express-usw2-az1.us-west-2.amazonaws.com", "us-west-2", "s3express"),
    ("cn-north-1", "mybucket--test-ab1--x-s3", CONTROL, "https://s3express-control.cn-north-1.amazonaws.com.cn/mybucket--test-ab1--x-s3", "cn-north-1", "s3express"),
];

#[rustfmt::skip]
const BAD: &[(&str, &str, u8, &str)] = &[
    ("us-west-2", AP, ACCELERATE, "access points have no S3 Accelerate"),
    ("us-west-2", AP, PATH, "an access point's ARN needs a host name of its own, not path style"),
    ("us-west-2", AP_CHINA, 0, "is in partition aws-cn, and the client's region us-west-2 in aws"),
    ("cn-north-1", AP, 0, "is in partition aws, and the client's region cn-north-1 in aws-cn"),
    ("us-east-1", AP_GOV, 0, "is in partition aws-us-gov"),
    ("cn-north-1", AP_CHINA, FIPS, "S3 has no FIPS endpoints in cn-north-1"),
    ("eu-west-1", "arn:aws-cn:s3:::bucket", 0, "is in partition aws-cn"),
    ("us-east-1", ZONAL, ACCELERATE, "directory buckets have no S3 Accelerate"),
    ("us-east-1", "mybucket--x-s3", 0, "no directory bucket's name; those read NAME--ZONE--x-s3"),
    ("us-east-1", "my.bucket--use1-az4--x-s3", 0, "no directory bucket's name"),
    ("us-gov-west-1", "bucket", ACCELERATE, "S3 Accelerate is not available in us-gov-west-1"),
];

#[test]
fn documented_cases() {
    for (region, bucket, flags, base, signed_region, service) in GOOD {
        let resolved = resolve(region, bucket, *flags).unwrap();
        let expected = (base.to_string(), signed_region.to_string(), service.to_string());
        assert_eq!(resolved, expected, "{region} {bucket} {flags}");
    }
    for (region, bucket, flags, problem) in BAD {
        let error = resolve(region, bucket, *flags).unwrap_err();
        assert!(error.to_string().contains(problem), "{region} {bucket}: {error}");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
    println!("note: {} cases from AWS's documentation resolve and {} are refused", GOOD.len(), BAD.len());
}

#[test]
fn on_a_server_of_ones_own() {
    let at = |url: &str| Endpoint::custom(url).unwrap().with_region("eu-west-1").unwrap();
    // There is no S3 Express elsewhere: the name is a name.
    let (base, _, service) = resolve_at(at("http://localhost:9000"), ZONAL, 0).unwrap();
    assert_eq!((base.as_str(), service.as_str()), ("http://localhost:9000/mybucket--use1-az4--x-s3", "s3"));
    let (base, ..) = resolve_at(at("http://localhost:9000"), "arn:aws:s3:::bucket", 0).unwrap();
    assert_eq!(base, "http://localhost:9000/bucket");
    let (base, region, _) = resolve_at(at("https://s3.example.com:444/x"), AP, 0).unwrap();
    assert_eq!(base, "https://myendpoint-123456789012.s3.example.com:444/x");
    assert_eq!(region, "us-west-2");
    assert!(resolve_at(at("http://127.0.0.1:9000"), AP, 0).is_err());
    // A VPC endpoint is AWS by URL.
    let vpce = "https://bucket.vpce-1a2b3c4d-5e6f.s3.eu-west-1.vpce.amazonaws.com";
    let (base, ..) = resolve_at(at(vpce), "my-bucket", 0).unwrap();
    assert_eq!(base, "https://my-bucket.bucket.vpce-1a2b3c4d-5e6f.s3.eu-west-1.vpce.amazonaws.com");
}

#[test]
fn a_bucket_that_cannot_be_addressed_that_way() {
    let hosted = |url| Endpoint::custom(url).unwrap().with_style(AddressingStyle::VirtualHost);
    for (url, bucket, line) in [
        (
            "http://localhost:9000",
            "Old_Bucket",
            "bucket \"Old_Bucket\" cannot be part of a host name; use AddressingStyle::Path",
        ),
        (
            "http://127.0.0.1:9000",
            "bucket",
            "no bucket can stand in front of 127.0.0.1, which is no name; use AddressingStyle::Path",
        ),
        (
            "http://[::1]:9000",
            "bucket",
            "no bucket can stand in front of [::1], which is no name; use AddressingStyle::Path",
        ),
    ] {
        let error = hosted(url).target(Some(bucket), Plane::Data).unwrap_err();
        assert_eq!(error.to_string(), line);
    }
    let preferring = hosted("http://127.0.0.1:9000").with_style(AddressingStyle::PreferVirtualHost);
    let target = preferring.target(Some("bucket"), Plane::Data).unwrap();
    assert_eq!(target.base(), "http://127.0.0.1:9000/bucket");
    assert_eq!(target.host().unwrap(), "127.0.0.1:9000");
}

#[test]
fn settings_for_arns_and_sessions() {
    let strict = |region| Endpoint::aws(region).unwrap().with_arn_regions(false);
    assert!(strict("us-west-2").target(Some(AP), Plane::Data).is_ok());
    let error = strict("eu-west-1").target(Some(AP), Plane::Data).unwrap_err();
    let line = format!(
        "{AP:?} is in us-west-2, the client in eu-west-1, and the settings forbid to leave it (s3_use_arn_region)"
    );
    assert_eq!(error.to_string(), line);
    let wants_session = |endpoint: Endpoint| {
        let get = Request::object(http::Method::GET, ZONAL, "a").unwrap();
        endpoint.target(Some(ZONAL), Plane::of(&get)).unwrap().wants_session(&get)
    };
    let aws = Endpoint::aws("us-east-1").unwrap();
    assert!(wants_session(aws.clone()));
    assert!(!wants_session(aws.with_sessions(false)));
}

#[test]
fn where_an_answer_may_lead() {
    let aws = Endpoint::aws("eu-west-1").unwrap();
    assert_eq!(aws.moved_to("us-east-1").unwrap(), Endpoint::aws("us-east-1").unwrap());
    let china = Endpoint::aws("cn-north-1").unwrap();
    assert!(china.moved_to("cn-northwest-1").is_some());
    for region in ["", "cn-north-1", "us-gov-west-1", "evil", "evil.example", "us-east-1.evil.example", "a/b", "a@b"] {
        assert_eq!(aws.moved_to(region), None, "{region}");
    }
    // A server of one's own is signed for whatever it calls its region, and stays where it is.
    let own = Endpoint::custom("https://garage.example:3900").unwrap();
    let moved = own.moved_to("garage").unwrap().target(Some("bucket"), Plane::Data).unwrap();
    assert_eq!((moved.base(), moved.scope().region), ("https://garage.example:3900/bucket", "garage"));
    assert_eq!(moved.host().unwrap(), "garage.example:3900");
    for region in ["", "evil.example", "a/b", "a:1", "Ä"] {
        assert_eq!(own.moved_to(region), None, "{region}");
    }
}
