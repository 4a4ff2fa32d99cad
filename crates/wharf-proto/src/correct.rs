//! Corrections: what an answer says is wrong with a request, where another request would do.
//!
//! An answer may name a region, or tell the time, or say that a token has ended, or ask for `Content-MD5`. It may never name a host: where a
//! request goes is for [`Endpoint`](crate::Endpoint)'s own rules to say.
//!
//! ```
//! use http::{HeaderMap, Method, StatusCode};
//! use wharf_proto::Error;
//! use wharf_proto::correct::{Asked, Correction, correction};
//!
//! let mut headers = HeaderMap::new();
//! headers.insert("x-amz-bucket-region", "eu-west-1".parse()?);
//! let error = Error::from_response(StatusCode::MOVED_PERMANENTLY, &headers, &Default::default());
//! let asked = Asked { method: &Method::HEAD, region: "us-east-1", at: std::time::SystemTime::UNIX_EPOCH, token: false, digest: false };
//! assert_eq!(correction(&asked, &error, &headers), Some(Correction::Region("eu-west-1".to_owned())));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::endpoint::is_dns_label;
use crate::headers::Headers;
use crate::{Error, ErrorKind};

/// S3 takes signatures whose time is no further from its own.
const MAX_SKEW: Duration = Duration::from_secs(15 * 60);

/// A clock that is wrong by less was not what the server complained of.
const MIN_SKEW: Duration = Duration::from_secs(60);

/// A clock that is further off is to be set by hand. Whoever sits between, over plain http, may tell any time: what was signed
/// for a time to come could be sent then, and by certificates https goes no further either.
const MAX_OFFSET: Duration = Duration::from_secs(366 * 24 * 3600);

/// What servers say of keys that have ended.
const ENDED: [&str; 5] =
    ["ExpiredToken", "ExpiredTokenException", "InvalidToken", "RequestExpired", "TokenRefreshRequired"];

/// What a request was, as far as its corrections depend on it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The method: the answer to a HEAD has no body to say what is wrong.
    pub method: &'a Method,
    /// The region that it was signed for.
    pub region: &'a str,
    /// The time that it was signed with.
    pub at: SystemTime,
    /// Whether it was signed with temporary keys.
    pub token: bool,
    /// Whether it must have a digest, and had a checksum that may give way to `Content-MD5`.
    pub digest: bool,
}

/// What to change before the same request is sent once more.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Correction {
    /// Sign for this region, and go where the rules say that it is.
    Region(String),
    /// Sign by the server's clock, on which it is this time now.
    Clock(SystemTime),
    /// Sign with other keys: these have ended.
    Credentials,
    /// Send `Content-MD5` in place of a checksum.
    ContentMd5,
}

/// What `error`, made of an answer with these `headers`, asks to change; `None` where the same would come again.
pub fn correction(asked: &Asked<'_>, error: &Error, headers: &HeaderMap) -> Option<Correction> {
    match (error.kind(), error.code()) {
        _ if asked.digest && asks_md5(error) => Some(Correction::ContentMd5),
        (ErrorKind::WrongRegion, _) => another_region(asked, error).or_else(|| ended(asked, error)),
        (ErrorKind::RequestTimeTooSkewed, _) => clock(asked, headers, MIN_SKEW),
        (_, Some(code)) if ENDED.contains(&code) => Some(Correction::Credentials),
        // All that the answer to a HEAD says of a wrong clock is its own time.
        (ErrorKind::AccessDenied, None) if *asked.method == Method::HEAD => clock(asked, headers, MAX_SKEW),
        (ErrorKind::InvalidInput, None) => ended(asked, error),
        _ => None,
    }
}

/// Whether a server's time is one that `ours`, the machine's own clock, may be corrected by: no more than a year away.
pub fn is_credible(theirs: SystemTime, ours: SystemTime) -> bool {
    let apart = theirs.duration_since(ours).unwrap_or_else(|behind| behind.duration());
    apart <= MAX_OFFSET
}

/// The time that STS tells when it refuses a request that was signed `at` another. It calls the signature wrong then, as
/// it does where the secret is.
pub fn sts_clock(at: SystemTime, status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Option<SystemTime> {
    const REFUSALS: [&str; 3] = ["SignatureDoesNotMatch", "RequestExpired", "RequestTimeTooSkewed"];
    if status.is_success() {
        return None;
    }
    let error = Error::from_response(status, headers, body);
    error.code().is_some_and(|code| REFUSALS.contains(&code)).then(|| told(at, headers, MIN_SKEW)).flatten()
}

fn another_region(asked: &Asked<'_>, error: &Error) -> Option<Correction> {
    let region = error.region().filter(|region| is_dns_label(region) && *region != asked.region)?;
    Some(Correction::Region(region.to_owned()))
}

/// 400 without a word, to a HEAD that is signed for the right region: so S3 says that a token has ended.
fn ended(asked: &Asked<'_>, error: &Error) -> Option<Correction> {
    let without_a_word = *asked.method == Method::HEAD && error.code().is_none() && asked.token;
    let status = error.status().map(|status| status.as_u16());
    (without_a_word && status == Some(400)).then_some(Correction::Credentials)
}

fn clock(asked: &Asked<'_>, headers: &HeaderMap, least: Duration) -> Option<Correction> {
    told(asked.at, headers, least).map(Correction::Clock)
}

/// 400 that names the digest of old, or the header of the new one: `MissingContentMD5`, "Missing required header for this
/// request: Content-MD5", "Unsupported header 'x-amz-checksum-crc64nvme'". One that did not match says nothing of what is
/// wanted.
fn asks_md5(error: &Error) -> bool {
    let names = |text: &str| {
        let text = text.to_ascii_lowercase();
        ["md5", "x-amz-checksum", "x-amz-sdk-checksum"].iter().any(|name| text.contains(name))
    };
    let of_the_request = error.status() == Some(StatusCode::BAD_REQUEST) && error.kind() != ErrorKind::BadDigest;
    of_the_request && (error.code().is_some_and(names) || names(error.message()))
}

/// The time that an answer tells, where it is as far as this from the one that the request was signed with.
fn told(at: SystemTime, headers: &HeaderMap, least: Duration) -> Option<SystemTime> {
    let theirs = Headers::of(headers).http_date("date")?;
    let apart = theirs.duration_since(at).unwrap_or_else(|behind| behind.duration());
    (apart >= least).then_some(theirs)
}

/// The corrections of one call. There are few, so that two servers cannot send a request back and forth.
#[derive(Debug, Default)]
pub struct Corrections {
    regions: u8,
    clock: bool,
    credentials: bool,
    content_md5: bool,
}

/// How often a call changes its region.
const MAX_REGIONS: u8 = 2;

impl Corrections {
    /// Whether the call may make this correction; counts it.
    pub fn allow(&mut self, correction: &Correction) -> bool {
        match correction {
            Correction::Region(_) => {
                self.regions += u8::from(self.regions <= MAX_REGIONS);
                self.regions <= MAX_REGIONS
            }
            Correction::Clock(_) => !std::mem::replace(&mut self.clock, true),
            Correction::Credentials => !std::mem::replace(&mut self.credentials, true),
            Correction::ContentMd5 => !std::mem::replace(&mut self.content_md5, true),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn after(
        method: Method,
        status: u16,
        headers: &[(&'static str, &'static str)],
        body: &'static str,
    ) -> Option<Correction> {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let status = StatusCode::from_u16(status).unwrap();
        let error = Error::from_response(status, &headers, &Bytes::from_static(body.as_bytes()));
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        correction(&Asked { method: &method, region: "us-east-1", at, token: true, digest: true }, &error, &headers)
    }

    fn region(name: &str) -> Option<Correction> {
        Some(Correction::Region(name.to_owned()))
    }

    const REGION: &str = "x-amz-bucket-region";

    #[test]
    fn regions() {
        let moved = "<Error><Code>PermanentRedirect</Code><Endpoint>b.s3.eu-west-3.amazonaws.com</Endpoint></Error>";
        let malformed = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>garage</Region></Error>";
        let location = "<Error><Code>IllegalLocationConstraintException</Code><Message>No.</Message></Error>";
        for (method, status, headers, body, expected) in [
            (Method::GET, 301, &[(REGION, "eu-west-1")][..], "", region("eu-west-1")),
            (Method::HEAD, 301, &[(REGION, "eu-west-1")], "", region("eu-west-1")),
            (Method::HEAD, 400, &[(REGION, "eu-west-1")], "", region("eu-west-1")),
            (Method::GET, 307, &[(REGION, "eu-west-1")], "", region("eu-west-1")),
            (Method::GET, 301, &[], moved, region("eu-west-3")),
            (Method::GET, 301, &[(REGION, "eu-west-1")], moved, region("eu-west-1")),
            (Method::PUT, 400, &[], malformed, region("garage")),
            (Method::GET, 301, &[(REGION, "EU_1")], "", None),
            (Method::PUT, 400, &[(REGION, "us-west-2")], location, region("us-west-2")),
            // The same again would come to the same.
            (Method::GET, 301, &[(REGION, "us-east-1")], "", None),
            (Method::GET, 301, &[], "", None),
            (Method::PUT, 400, &[], location, None),
            // The region of an answer that does not complain of it.
            (Method::GET, 404, &[(REGION, "eu-west-1")], "", None),
            (Method::HEAD, 403, &[(REGION, "eu-west-1")], "", None),
            (Method::GET, 200, &[(REGION, "eu-west-1")], "", None),
            // What is no name, and what names a host.
            (Method::GET, 301, &[(REGION, "evil.example")], "", None),
            (Method::GET, 301, &[(REGION, "evil.example/")], "", None),
            (Method::GET, 301, &[(REGION, "a@b")], "", None),
            (Method::GET, 301, &[(REGION, "-")], "", None),
            (Method::GET, 301, &[("location", "https://b.s3.eu-west-1.amazonaws.com/")], "", None),
            (Method::GET, 301, &[], "<Error><Endpoint>b.s3.eu-west-1.evil.example</Endpoint></Error>", None),
        ] {
            assert_eq!(after(method.clone(), status, headers, body), expected, "{method} {status} {headers:?} {body}");
        }
    }

    #[test]
    fn clocks() {
        let skewed = "<Error><Code>RequestTimeTooSkewed</Code></Error>";
        let at = |hours: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600 - 3600 + hours * 3600);
        let ahead = Some(Correction::Clock(at(2)));
        for (method, status, date, body, expected) in [
            (Method::GET, 403, "Thu, 01 Jan 2026 01:00:00 GMT", skewed, ahead.clone()),
            (Method::GET, 403, "Wed, 31 Dec 2025 23:00:00 GMT", skewed, Some(Correction::Clock(at(0)))),
            (Method::HEAD, 403, "Thu, 01 Jan 2026 01:00:00 GMT", "", ahead),
            // Not the clock's fault.
            (Method::GET, 403, "Thu, 01 Jan 2026 00:00:30 GMT", skewed, None),
            (Method::GET, 403, "yesterday", skewed, None),
            (Method::HEAD, 403, "Thu, 01 Jan 2026 00:10:00 GMT", "", None),
            (Method::GET, 403, "Thu, 01 Jan 2026 01:00:00 GMT", "<Error><Code>AccessDenied</Code></Error>", None),
            (Method::GET, 500, "Thu, 01 Jan 2026 01:00:00 GMT", "", None),
        ] {
            assert_eq!(after(method.clone(), status, &[("date", date)], body), expected, "{method} {date} {body}");
        }
    }

    #[test]
    fn the_clock_of_sts() {
        let told = |status: u16, date: &'static str, code: &str| {
            let headers = HeaderMap::from_iter([(http::header::DATE, HeaderValue::from_static(date))]);
            let body = format!("<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>");
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
            sts_clock(at, StatusCode::from_u16(status).unwrap(), &headers, &body.into())
        };
        let (later, now) = ("Thu, 01 Jan 2026 00:20:00 GMT", "Thu, 01 Jan 2026 00:00:30 GMT");
        for (status, date, code, corrected) in [
            (403, later, "SignatureDoesNotMatch", true),
            (400, later, "RequestExpired", true),
            (403, now, "SignatureDoesNotMatch", false),
            (403, later, "AccessDenied", false),
            (200, later, "SignatureDoesNotMatch", false),
        ] {
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600 + 20 * 60);
            assert_eq!(told(status, date, code), corrected.then_some(at), "{status} {date} {code}");
        }
    }

    #[test]
    fn a_time_is_credible_for_a_year() {
        let (ours, day) = (SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600), Duration::from_secs(24 * 3600));
        for (days, credible) in [(0, true), (1, true), (366, true), (367, false), (40 * 365, false)] {
            assert_eq!(is_credible(ours + day * days, ours), credible, "{days}");
            assert_eq!(is_credible(ours - day * days, ours), credible, "-{days}");
        }
    }

    #[test]
    fn tokens() {
        for code in ENDED {
            let body = format!("<Error><Code>{code}</Code></Error>").leak();
            assert_eq!(after(Method::GET, 400, &[], body), Some(Correction::Credentials), "{code}");
        }
        assert_eq!(after(Method::HEAD, 400, &[], ""), Some(Correction::Credentials));
        assert_eq!(after(Method::HEAD, 400, &[(REGION, "us-east-1")], ""), Some(Correction::Credentials));
        assert_eq!(after(Method::GET, 400, &[], ""), None);
        assert_eq!(after(Method::HEAD, 404, &[], ""), None);
        assert_eq!(after(Method::GET, 403, &[], "<Error><Code>InvalidAccessKeyId</Code></Error>"), None);
    }

    #[test]
    fn digests() {
        for (status, code, message, asks) in [
            (400, "MissingContentMD5", "No.", true),
            (400, "InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*", true),
            (400, "InvalidArgument", "Unsupported header 'x-amz-checksum-crc64nvme' received for this API call.", true),
            (400, "BadDigest", "The Content-MD5 or x-amz-checksum-crc64nvme did not match what we received.", false),
            (400, "MissingArgument", "Missing Some Required Arguments.", false),
            (400, "InvalidRequest", "No.", false),
            (400, "MalformedXML", "No.", false),
            (403, "AccessDenied", "no content-md5", false),
        ] {
            let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>").leak();
            let expected = asks.then_some(Correction::ContentMd5);
            assert_eq!(after(Method::POST, status, &[], body), expected, "{status} {code} {message}");
        }
        let missing =
            "<Error><Code>MissingArgument</Code><Message>No.</Message><ArgumentName>Content-MD5</ArgumentName></Error>";
        assert_eq!(after(Method::POST, 400, &[], missing), Some(Correction::ContentMd5));
        let error =
            Error::from_response(StatusCode::BAD_REQUEST, &HeaderMap::new(), &Bytes::from_static(missing.as_bytes()));
        let at = SystemTime::UNIX_EPOCH;
        let asked = Asked { method: &Method::POST, region: "us-east-1", at, token: false, digest: false };
        assert_eq!(correction(&asked, &error, &HeaderMap::new()), None, "it had one, or another that the call chose");
    }

    #[test]
    fn a_call_is_not_corrected_for_ever() {
        let mut corrections = Corrections::default();
        let region = |name: &str| Correction::Region(name.to_owned());
        assert!(corrections.allow(&region("a")) && corrections.allow(&region("b")));
        for _ in 0..300 {
            assert!(!corrections.allow(&region("a")));
        }
        let clock = Correction::Clock(SystemTime::UNIX_EPOCH);
        assert!(corrections.allow(&clock) && !corrections.allow(&clock));
        assert!(corrections.allow(&Correction::Credentials) && !corrections.allow(&Correction::Credentials));
    }
}
