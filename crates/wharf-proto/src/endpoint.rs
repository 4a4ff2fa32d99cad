//! Where a request goes: region or URL, addressing style, bucket and key make a URI.

use std::borrow::Cow;

use http::Uri;
use http::uri::{Authority, Scheme};

use crate::sigv4::uri_encode;
use crate::{Error, name};

/// Where the bucket's name stands in a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum AddressingStyle {
    /// Virtual host on AWS where the bucket's name can be part of a host name, path style everywhere else.
    #[default]
    Auto,
    /// `https://host/bucket/key`.
    Path,
    /// `https://bucket.host/key`.
    VirtualHost,
}

/// A server: AWS in a region, or any other S3 by URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    scheme: Scheme,
    authority: Authority,
    /// Without a slash at its end; empty, or `/prefix`.
    path_prefix: String,
    style: AddressingStyle,
    aws: bool,
}

impl Endpoint {
    /// AWS's S3 in `region`, over https.
    ///
    /// # Errors
    /// A region that cannot be part of a host name.
    pub fn aws(region: &str) -> Result<Self, Error> {
        check_region(region)?;
        let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let authority = format!("s3.{region}.{suffix}");
        let authority = authority.parse().map_err(|_| unusable(&authority, "it is no host name"))?;
        Ok(Self {
            scheme: Scheme::HTTPS,
            authority,
            path_prefix: String::new(),
            style: AddressingStyle::Auto,
            aws: true,
        })
    }

    /// Any S3 server by its URL: `http://localhost:9000`, `https://host/prefix`.
    ///
    /// # Errors
    /// No `http://` or `https://`, no host, a query, or a user name and password.
    pub fn custom(url: &str) -> Result<Self, Error> {
        // Before anything can quote it: secrets contain '/', so one in a URL need not stand where a parser looks for it.
        if url.contains('@') {
            return Err(unusable("(hidden)", "keys do not belong into the URL; set them with .credentials()"));
        }
        let uri: Uri = url.trim().parse().map_err(|_| unusable(url, "it is no URL"))?;
        let scheme = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS => scheme.clone(),
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
        let host = authority.host();
        let aws = host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
        let path_prefix = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { scheme, authority, path_prefix, style: AddressingStyle::Auto, aws })
    }

    /// The same server, addressed in this style.
    #[must_use]
    pub fn with_style(mut self, style: AddressingStyle) -> Self {
        self.style = style;
        self
    }

    /// Whether requests go over TLS.
    pub fn is_https(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// The host name, without the port.
    pub fn host(&self) -> &str {
        self.authority.host()
    }

    /// Whether this is AWS itself.
    pub fn is_aws(&self) -> bool {
        self.aws
    }

    /// The URI of the service, a bucket or an object, with its query.
    ///
    /// The key is percent-encoded byte by byte and otherwise left alone: `a/../b` and `a//b` stay.
    ///
    /// # Errors
    /// A bucket that cannot be part of a host name where the style says so; a URI over 65,534 bytes.
    pub fn uri(
        &self,
        bucket: Option<&str>,
        key: Option<&str>,
        query: &[(Cow<'static, str>, Option<String>)],
    ) -> Result<Uri, Error> {
        let mut text = String::with_capacity(128);
        text.push_str(self.scheme.as_str());
        text.push_str("://");
        match bucket {
            Some(bucket) if self.puts_into_host(bucket)? => {
                text.push_str(bucket);
                text.push('.');
                text.push_str(self.authority.as_str());
                text.push_str(&self.path_prefix);
            }
            bucket => {
                text.push_str(self.authority.as_str());
                text.push_str(&self.path_prefix);
                if let Some(bucket) = bucket {
                    text.push('/');
                    uri_encode::query(bucket, &mut text);
                }
            }
        }
        if let Some(key) = key {
            text.push('/');
            uri_encode::path(key, &mut text);
        } else if bucket.is_none() || !text[self.scheme.as_str().len() + 3..].contains('/') {
            text.push('/');
        }
        let mut separator = '?';
        for (name, value) in query {
            text.push(separator);
            uri_encode::query(name, &mut text);
            if let Some(value) = value {
                text.push('=');
                uri_encode::query(value, &mut text);
            }
            separator = '&';
        }
        Uri::try_from(text).map_err(|error| Error::invalid_input(format!("the request makes no valid URI: {error}")))
    }

    fn puts_into_host(&self, bucket: &str) -> Result<bool, Error> {
        // A certificate for `*.host` covers one label: a bucket with dots would fail its check.
        let fits = name::is_dns_label_like(bucket) && !(self.is_https() && bucket.contains('.'));
        match self.style {
            AddressingStyle::Path => Ok(false),
            AddressingStyle::Auto => Ok(self.aws && fits),
            AddressingStyle::VirtualHost if name::is_dns_label_like(bucket) => Ok(true),
            AddressingStyle::VirtualHost => Err(Error::invalid_input(format!(
                "bucket {bucket:?} cannot be part of a host name; use AddressingStyle::Path"
            ))),
        }
    }
}

/// Refuses a region that cannot be one.
pub fn check_region(region: &str) -> Result<(), Error> {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if region.is_empty() || region.len() > 63 || !region.chars().all(legal) || region.starts_with('-') {
        return Err(Error::invalid_input(format!(
            "{region:?} is not a region; regions read like us-east-1 (lower case, digits, '-')"
        )));
    }
    Ok(())
}

fn unusable(url: &str, problem: &str) -> Error {
    Error::invalid_input(format!("the endpoint {url:?} cannot be used: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(endpoint: &Endpoint, bucket: &str, key: Option<&str>) -> String {
        endpoint.uri(Some(bucket), key, &[]).unwrap().to_string()
    }

    #[test]
    fn aws_addresses_by_virtual_host_where_it_can() {
        let aws = Endpoint::aws("eu-west-1").unwrap();
        assert_eq!(uri(&aws, "my-bucket", Some("a b")), "https://my-bucket.s3.eu-west-1.amazonaws.com/a%20b");
        assert_eq!(uri(&aws, "my-bucket", None), "https://my-bucket.s3.eu-west-1.amazonaws.com/");
        assert_eq!(uri(&aws, "my.bucket", Some("k")), "https://s3.eu-west-1.amazonaws.com/my.bucket/k");
        assert_eq!(uri(&aws, "Old_Bucket", Some("k")), "https://s3.eu-west-1.amazonaws.com/Old_Bucket/k");
        assert_eq!(aws.uri(None, None, &[]).unwrap().to_string(), "https://s3.eu-west-1.amazonaws.com/");
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
        assert!(hosted.uri(Some("Old_Bucket"), None, &[]).is_err());
    }

    #[test]
    fn keys_and_queries_survive_byte_for_byte() {
        let custom = Endpoint::custom("http://h").unwrap();
        for (key, path) in [(".", "/b-1/."), ("..", "/b-1/.."), ("a//b", "/b-1/a//b"), ("%46+", "/b-1/%2546%2B")] {
            assert_eq!(custom.uri(Some("b-1"), Some(key), &[]).unwrap().path(), path);
        }
        let query = [("tagging".into(), None), ("prefix".into(), Some("a/ b&".to_owned()))];
        let uri = custom.uri(None, None, &query).unwrap();
        assert_eq!(uri.to_string(), "http://h/?tagging&prefix=a%2F%20b%26");
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
}
