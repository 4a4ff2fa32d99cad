//! ARNs in place of a bucket's name.

use crate::{Error, ErrorKind};

/// What an ARN stands for where a bucket is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BucketArn<'a> {
    /// `arn:aws:s3:::NAME`: the bucket, wherever it is.
    Bucket { partition: &'a str, name: &'a str },
    /// `arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME`.
    AccessPoint { partition: &'a str, region: &'a str, account: &'a str, name: &'a str },
    /// `arn:aws:s3express:REGION:ACCOUNT:bucket/NAME`, or `accesspoint/NAME`: a directory bucket's name has all else.
    Directory { partition: &'a str, region: &'a str, name: &'a str },
}

const ACCESS_POINT: &str = "it must read arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME";

impl<'a> BucketArn<'a> {
    /// # Errors
    /// What is wrong with it, as the end of a sentence; [`ErrorKind::Unsupported`] for what S3 has and wharf has not.
    pub(crate) fn parse(arn: &'a str) -> Result<Self, Error> {
        let mut parts = arn.splitn(6, ':');
        let mut next = || parts.next().unwrap_or_default();
        let (_arn, partition, service, region, account, resource) = (next(), next(), next(), next(), next(), next());
        let wrong = |problem: &str| Err(Error::invalid_input(problem));
        let unsupported = |problem: &str| Err(Error::new(ErrorKind::Unsupported, problem));
        match service {
            "s3" | "s3express" => {}
            "s3-outposts" => return unsupported("S3 on Outposts is not supported yet"),
            "s3-object-lambda" => {
                return unsupported("S3 Object Lambda is not supported yet; read by the access point behind it");
            }
            _ => return wrong("it is no ARN of a bucket or an access point"),
        }
        if super::Partition::named(partition).is_none() {
            return wrong("its partition is none of AWS's");
        }
        let (kind, name) = resource.split_once(['/', ':']).unwrap_or(("", resource));
        if service == "s3" && kind.is_empty() {
            return match region.is_empty() && account.is_empty() && !name.is_empty() {
                true => Ok(Self::Bucket { partition, name }),
                false => wrong(ACCESS_POINT),
            };
        }
        match (service, kind) {
            ("s3", "accesspoint") | ("s3express", "accesspoint" | "bucket") => {}
            ("s3", _) if region.is_empty() => {
                return wrong("it names an object; a bucket and a key are two arguments");
            }
            ("s3", _) => return wrong(ACCESS_POINT),
            _ => return wrong("it must read arn:aws:s3express:REGION:ACCOUNT:bucket/NAME"),
        }
        if service == "s3" && region.is_empty() {
            return unsupported(
                "a multi-region access point is signed with SigV4A, which is not supported; use one region's bucket or \
                 access point",
            );
        }
        super::check_region(region)?;
        if account.is_empty() || !account.bytes().all(|b| b.is_ascii_digit()) {
            return wrong("its account is not a number");
        }
        if name.contains(['/', ':']) {
            return wrong("it names more than an access point; a bucket and a key are two arguments");
        }
        if service == "s3express" {
            return Ok(Self::Directory { partition, region, name });
        }
        let in_host = format!("{name}-{account}");
        match super::is_dns_label(&in_host) {
            true => Ok(Self::AccessPoint { partition, region, account, name }),
            false => wrong("its name cannot be part of a host name"),
        }
    }

    /// Where the ARN at the beginning of `text` ends and `/KEY` begins, for `s3://` URIs.
    pub(crate) fn end(text: &str) -> usize {
        let resource = text.match_indices(':').nth(4).map_or(text.len(), |(at, _)| at + 1);
        let kind = text[resource..].find(['/', ':']).filter(|length| {
            let kind = &text[resource..resource + length];
            matches!(kind, "accesspoint") || (kind == "bucket" && text.contains(":s3express:"))
        });
        let name = resource + kind.map_or(0, |length| length + 1);
        text[name..].find('/').map_or(text.len(), |length| name + length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_like_a_bucket() {
        let name = "mybucket";
        assert_eq!(BucketArn::parse("arn:aws:s3:::mybucket").unwrap(), BucketArn::Bucket { partition: "aws", name });
        for separator in ["/", ":"] {
            let arn = format!("arn:aws-cn:s3:cn-north-1:123456789012:accesspoint{separator}myendpoint");
            let expected = BucketArn::AccessPoint {
                partition: "aws-cn",
                region: "cn-north-1",
                account: "123456789012",
                name: "myendpoint",
            };
            assert_eq!(BucketArn::parse(&arn).unwrap(), expected);
        }
        let directory = BucketArn::parse("arn:aws:s3express:us-west-2:123456789012:bucket/b--usw2-az1--x-s3").unwrap();
        let expected = BucketArn::Directory { partition: "aws", region: "us-west-2", name: "b--usw2-az1--x-s3" };
        assert_eq!(directory, expected);
    }

    #[test]
    fn what_is_not() {
        for (arn, problem) in [
            ("arn:", "no ARN of a bucket"),
            ("arn:aws:sqs:us-east-1:123456789012:queue", "no ARN of a bucket"),
            ("arn:aws:s3:::", "it must read"),
            ("arn:aws:s3:::bucket/key", "a bucket and a key are two arguments"),
            ("arn:nowhere:s3:::bucket", "partition"),
            ("arn:aws:s3:us-west-2:123456789012:bucket_name:mybucket", "it must read"),
            ("arn:aws:s3:us-west-2:123456789012:mybucket", "it must read"),
            ("arn:aws:s3:us-west-2::accesspoint:name", "account"),
            ("arn:aws:s3:us-west-2:12a:accesspoint:name", "account"),
            ("arn:aws:s3:us-west-2:123456789012:accesspoint:name:more", "more than an access point"),
            ("arn:aws:s3:us-west-2:123456789012:accesspoint/name/object/key", "more than an access point"),
            ("arn:aws:s3:us-west-2:123456789012:accesspoint/na.me", "part of a host name"),
            ("arn:aws:s3:us-west-2:123456789012:accesspoint/", "part of a host name"),
            ("arn:aws:s3:us-west_2:123456789012:accesspoint/name", "not a region"),
            ("arn:aws:s3:us-west-2.evil.example:123456789012:accesspoint/name", "not a region"),
            ("arn:aws:s3express:us-west-2:123456789012:queue/b--usw2-az1--x-s3", "s3express"),
        ] {
            let error = BucketArn::parse(arn).unwrap_err();
            assert!(error.message().contains(problem), "{arn}: {error}");
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{arn}");
        }
        for (arn, problem) in [
            ("arn:aws:s3::123456789012:accesspoint:mfzwi23gnjvgw.mrap", "SigV4A"),
            ("arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-01234567890123456/bucket/b", "Outposts"),
            ("arn:aws:s3-object-lambda:us-west-2:123456789012:accesspoint/banner", "Object Lambda"),
        ] {
            let error = BucketArn::parse(arn).unwrap_err();
            assert!(error.message().contains(problem), "{arn}: {error}");
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{arn}");
        }
    }

    #[test]
    fn where_the_key_begins() {
        for (arn, key) in [
            ("arn:aws:s3:us-west-2:123456789012:accesspoint/name", "/a/b"),
            ("arn:aws:s3:us-west-2:123456789012:accesspoint:name", "/a:b"),
            ("arn:aws:s3express:us-west-2:123456789012:bucket/b--usw2-az1--x-s3", "/k"),
            ("arn:aws:s3:::mybucket", "/accesspoint/k"),
            ("arn:aws:s3:::mybucket", ""),
        ] {
            assert_eq!(BucketArn::end(&format!("{arn}{key}")), arn.len(), "{arn}{key}");
        }
    }
}
