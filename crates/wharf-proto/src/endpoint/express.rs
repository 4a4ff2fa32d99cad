//! Directory buckets (S3 Express One Zone): a name that says where the bucket is, hosts of their own, sessions.

use http::Method;

use crate::operation::Request;

/// How directory buckets' names end, and those of their access points.
const SUFFIXES: [&str; 2] = ["--x-s3", "--xa-s3"];

/// Which of a directory bucket's two hosts a request goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Plane {
    /// Objects and their listings: the zone's host (S3 calls these Zonal endpoint operations).
    Data,
    /// The bucket itself, made, deleted and configured: the region's host (Regional endpoint operations).
    Control,
}

impl Plane {
    /// Where `request` belongs.
    pub fn of(request: &Request) -> Self {
        if request.key.is_some() || request.bucket.is_none() {
            return Self::Data;
        }
        // Listings, DeleteObjects and CreateSession name themselves by their first parameter.
        let subresource = request.query.iter().find(|(_, value)| value.is_none()).map(|(name, _)| name.as_ref());
        match (&request.method, subresource) {
            (&Method::HEAD, _) | (_, Some("session" | "uploads" | "delete" | "versions")) => Self::Data,
            (&Method::GET, None) | (&Method::POST, _) => Self::Data,
            _ => Self::Control,
        }
    }
}

/// Whether `request`, on a directory bucket's zone, is signed with a session's keys. CreateSession cannot be, and for
/// copies and HeadBucket S3 wants the caller's own.
pub(super) fn uses_session(request: &Request) -> bool {
    let is_head_bucket = request.method == Method::HEAD && request.key.is_none();
    !is_head_bucket
        && !request.headers.contains_key("x-amz-copy-source")
        && !request.query.iter().any(|(name, _)| name == "session")
}

/// Whether the name is one that S3 keeps for directory buckets.
pub fn is_directory_bucket(bucket: &str) -> bool {
    SUFFIXES.iter().any(|suffix| bucket.ends_with(suffix))
}

/// The zone in a directory bucket's name: `use1-az4` of `NAME--use1-az4--x-s3`.
pub(super) fn zone(bucket: &str) -> Option<&str> {
    let rest = SUFFIXES.iter().find_map(|suffix| bucket.strip_suffix(suffix))?;
    let (name, zone) = rest.rsplit_once("--")?;
    (super::is_dns_label(name) && super::is_dns_label(zone) && bucket.len() <= 63).then_some(zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones() {
        for (bucket, zone_of_it) in [
            ("mybucket--use1-az4--x-s3", Some("use1-az4")),
            ("my--bucket--usw2-lax1-az1--x-s3", Some("usw2-lax1-az1")),
            ("myaccesspoint--usw2-az1--xa-s3", Some("usw2-az1")),
            ("mybucket--x-s3", None),
            ("--use1-az4--x-s3", None),
            ("mybucket----x-s3", None),
            ("my.bucket--use1-az4--x-s3", None),
            ("Mybucket--use1-az4--x-s3", None),
            ("mybucket--use1.evil--x-s3", None),
        ] {
            assert!(is_directory_bucket(bucket));
            assert_eq!(zone(bucket), zone_of_it, "{bucket}");
        }
        assert!(!is_directory_bucket("mybucket") && !is_directory_bucket("mybucket--x-s3-not"));
    }

    #[test]
    fn planes_and_sessions() {
        let bucket = |method: Method, query: &[&'static str]| {
            let mut request = Request::bucket(method, "mybucket--use1-az4--x-s3").unwrap();
            for name in query {
                match *name {
                    "list-type" => request.query(name, "2"),
                    name => request.subresource(name),
                }
            }
            request
        };
        for (method, query, plane) in [
            (Method::PUT, &[][..], Plane::Control),
            (Method::DELETE, &[], Plane::Control),
            (Method::GET, &["policy"], Plane::Control),
            (Method::PUT, &["policy"], Plane::Control),
            (Method::PUT, &["lifecycle"], Plane::Control),
            (Method::GET, &["encryption"], Plane::Control),
            (Method::HEAD, &[], Plane::Data),
            (Method::GET, &["list-type"], Plane::Data),
            (Method::GET, &["uploads"], Plane::Data),
            (Method::GET, &["session"], Plane::Data),
            (Method::POST, &["delete"], Plane::Data),
        ] {
            assert_eq!(Plane::of(&bucket(method.clone(), query)), plane, "{method} {query:?}");
        }
        assert_eq!(Plane::of(&Request::service(Method::GET)), Plane::Data);
        let mut object = Request::object(Method::PUT, "mybucket--use1-az4--x-s3", "a").unwrap();
        object.subresource("acl");
        assert_eq!(Plane::of(&object), Plane::Data);

        assert!(uses_session(&object) && !uses_session(&bucket(Method::GET, &["session"])));
        object.header("x-amz-copy-source", "a/b").unwrap();
        assert!(!uses_session(&object));
    }
}
