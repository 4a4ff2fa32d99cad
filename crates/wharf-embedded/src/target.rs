//! Which bucket and key a request is about: from its path, or from its host name.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::error::{Code, Error, Result};

/// The longest key, in bytes.
const MOST_KEY: usize = 1024;

/// What a URL's path has encoded.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// What a request addresses. Both are "" where absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// Whether the host name names the bucket, and the path does not.
    pub(crate) in_host: bool,
}

impl Target {
    /// Reads the target of `path` at `host`. Bytes are taken as they stand: no segment is ever resolved away. A path that
    /// would climb out of its root is refused all the same, as S3 does.
    pub(crate) fn parse(path: &str, host: &str, domains: &[String]) -> Result<Self> {
        let decoded = percent_decode_str(path.strip_prefix('/').unwrap_or(path))
            .decode_utf8()
            .map_err(|_| Error::from(Code::InvalidUri))?;
        if climbs_out(&decoded) {
            return Err(Code::BadRequest.into());
        }
        let target = match virtual_bucket(host, domains) {
            Some(bucket) => Self { bucket: bucket.to_owned(), key: decoded.into_owned(), in_host: true },
            None => {
                let (bucket, key) = decoded.split_once('/').unwrap_or((&decoded, ""));
                Self { bucket: bucket.to_owned(), key: key.to_owned(), in_host: false }
            }
        };
        if target.bucket.is_empty() && !target.key.is_empty() {
            return Err(Code::InvalidBucketName.into());
        }
        check_key(&target.key)?;
        Ok(target)
    }

    /// The URL of the same target at `host`, which must be the host it was read from.
    pub(crate) fn url(&self, secure: bool, host: &str) -> String {
        let scheme = if secure { "https" } else { "http" };
        let key = utf8_percent_encode(&self.key, PATH);
        if self.in_host {
            format!("{scheme}://{host}/{key}")
        } else {
            format!("{scheme}://{host}/{}/{key}", self.bucket)
        }
    }

    /// The `Resource` of an error document.
    pub(crate) fn resource(&self) -> String {
        match (self.bucket.as_str(), self.key.as_str()) {
            ("", _) => "/".to_owned(),
            (bucket, "") => format!("/{bucket}"),
            (bucket, key) => format!("/{bucket}/{key}"),
        }
    }
}

/// Whether more segments of a path lead up than down, at any of its places.
fn climbs_out(path: &str) -> bool {
    let mut depth = 0usize;
    path.split('/').any(|segment| match segment {
        ".." if depth == 0 => true,
        ".." => {
            depth -= 1;
            false
        }
        "." => false,
        _ => {
            depth += 1;
            false
        }
    })
}

/// Refuses a key that is too long.
pub(crate) fn check_key(key: &str) -> Result<()> {
    if key.len() <= MOST_KEY {
        return Ok(());
    }
    let error = Error::from(Code::KeyTooLong).detail("Size", key.len().to_string());
    Err(error.detail("MaxSizeAllowed", MOST_KEY.to_string()))
}

/// The bucket in front of one of our domains.
pub(crate) fn virtual_bucket<'a>(host: &'a str, domains: &[String]) -> Option<&'a str> {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    domains.iter().find_map(|domain| {
        let at = name.len().checked_sub(domain.len())?;
        let bucket = name.get(..at)?.strip_suffix('.')?;
        (!bucket.is_empty() && name.get(at..)?.eq_ignore_ascii_case(domain)).then_some(bucket)
    })
}

/// Whether `name` follows S3's rules for general purpose buckets.
pub(crate) fn is_bucket_name(name: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.'))
        && edge(bytes.first())
        && edge(bytes.last())
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
        && !["xn--", "sthree-", "amzn-s3-demo-"].iter().any(|prefix| name.starts_with(prefix))
        && !["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"].iter().any(|suffix| name.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(path: &str, host: &str) -> (String, String) {
        let target = Target::parse(path, host, &["s3.localhost".to_owned()]).unwrap();
        (target.bucket, target.key)
    }

    #[test]
    fn paths_stay_as_they_are() {
        for (path, host, bucket, key) in [
            ("/", "s3.localhost", "", ""),
            ("/b", "s3.localhost:80", "b", ""),
            ("/b/", "127.0.0.1:9000", "b", ""),
            ("/b/a/../b", "s3.localhost", "b", "a/../b"),
            ("/b//lead", "s3.localhost", "b", "/lead"),
            ("/b/a%2Fb%2B%00+", "s3.localhost", "b", "a/b+\0+"),
            ("//lead", "b.s3.localhost:8080", "b", "/lead"),
            ("/k", "a.b.S3.localhost", "a.b", "k"),
            ("/b/k", "other.host", "b", "k"),
            ("/b/k", ".s3.localhost", "b", "k"),
        ] {
            assert_eq!(parse(path, host), (bucket.to_owned(), key.to_owned()), "{path} at {host}");
        }
        let domains = ["s3.localhost".to_owned()];
        for (path, host, climbs) in [
            ("/b/../d", "x", false),
            ("/b/..", "x", false),
            ("/b/a/../../d", "x", false),
            ("/b/../../d", "x", true),
            ("/b/%2E%2E/.%2e%2Fd", "x", true),
            ("/b/./../../d", "x", true),
            ("/a/../d", "b.s3.localhost", false),
            ("/../d", "b.s3.localhost", true),
            ("/a/../../d/e/f", "b.s3.localhost", true),
            ("/...", "b.s3.localhost", false),
        ] {
            assert_eq!(Target::parse(path, host, &domains).is_err(), climbs, "{path} at {host}");
        }
        assert!(Target::parse("/b/%ff", "x", &[]).is_err());
        assert!(Target::parse("//b", "x", &[]).is_err());
    }

    #[test]
    fn urls_lead_back() {
        for (path, host, secure) in [
            ("/b/k", "s3.localhost", false),
            ("/b/a%20b/%C3%A9%3F~", "127.0.0.1:9000", true),
            ("/k", "b.s3.localhost:9000", true),
            ("//lead%2B", "b.s3.localhost", false),
        ] {
            let target = Target::parse(path, host, &["s3.localhost".to_owned()]).unwrap();
            let scheme = if secure { "https" } else { "http" };
            assert_eq!(target.url(secure, host), format!("{scheme}://{host}{path}"));
        }
    }

    #[test]
    fn bucket_names() {
        for good in ["abc", "my.bucket-1", "0ab", &"a".repeat(63)] {
            assert!(is_bucket_name(good), "{good}");
        }
        for bad in ["ab", "Abc", "a_b", "-ab", "ab-", "a..b", "1.2.3.4", "xn--abc", "a-s3alias", "", &"a".repeat(64)] {
            assert!(!is_bucket_name(bad), "{bad}");
        }
    }
}
