//! What a request says about who sent it, judged before its signature: shape, key, scope and time.

use std::time::{Duration, SystemTime};

use http::HeaderMap;

use super::FormSignature;
use crate::error::{Code, Error, Result, invalid_argument};
use crate::query::Query;
use crate::time::{iso_date, parse_amz_date};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const MAX_SKEW: Duration = Duration::from_secs(15 * 60);
const MAX_EXPIRES: u64 = 7 * 24 * 60 * 60;

/// A signature, in either of its two places.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) access_key_id: String,
    /// `key/date/region/service/aws4_request`
    pub(crate) credential: String,
    /// Lower-case names, joined by `;`.
    pub(crate) signed_headers: String,
    pub(crate) signature: String,
    /// `20151021T072800Z`
    pub(crate) date: String,
    /// What the signature says the body's hash is.
    pub(crate) payload: String,
    pub(crate) presigned: bool,
}

/// Reads and judges the claim; `Ok(None)` is an anonymous request.
pub(crate) fn claim(headers: &HeaderMap, query: &Query, region: &str, now: SystemTime) -> Result<Option<Claim>> {
    let in_query = query.has("X-Amz-Algorithm") || query.has("X-Amz-Signature") || query.has("X-Amz-Credential");
    let in_header = headers.contains_key("authorization");
    if query.has("Signature") && query.has("AWSAccessKeyId") {
        return Err(unsupported());
    }
    match (in_header, in_query) {
        (true, true) => Err(Error::new(
            Code::InvalidArgument,
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
             parameter or the Authorization header should be specified",
        )),
        (true, false) => from_header(headers, region, now).map(Some),
        (false, true) => from_query(headers, query, region, now).map(Some),
        (false, false) => Ok(None),
    }
}

fn from_header(headers: &HeaderMap, region: &str, now: SystemTime) -> Result<Claim> {
    let malformed = |what: &str| {
        Error::new(Code::AuthorizationHeaderMalformed, format!("The authorization header is malformed; {what}"))
    };
    let text = single(headers, "authorization").ok_or_else(|| malformed("it must be given once, in ASCII."))?;
    let (scheme, fields) = text.split_once(' ').unwrap_or((text, ""));
    match scheme {
        ALGORITHM => {}
        "AWS" => return Err(unsupported()),
        _ => return Err(invalid_argument("Unsupported Authorization Type", "Authorization", scheme)),
    }
    let field = |name: &str| {
        let found = fields.split(',').filter_map(|field| field.trim().split_once('=')).find(|(at, _)| *at == name);
        found.map(|(_, value)| value).filter(|value| !value.is_empty())
    };
    let credential = field("Credential").ok_or_else(|| malformed("the Credential is missing."))?;
    let signed_headers = field("SignedHeaders").ok_or_else(|| malformed("the SignedHeaders are missing."))?;
    let signature = field("Signature").ok_or_else(|| malformed("the Signature is missing."))?;
    let scope = Scope::parse(credential).ok_or_else(|| {
        malformed("the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".")
    })?;
    scope.check(region, malformed)?;
    let date = single(headers, "x-amz-date").unwrap_or_default();
    let at = parse_amz_date(date).ok_or_else(|| {
        Error::new(Code::AccessDenied, "AWS authentication requires a valid Date or x-amz-date header")
    })?;
    if !date.starts_with(scope.date) {
        return Err(malformed(&format!(
            "Invalid credential date \"{}\". This date is not the same as X-Amz-Date: \"{}\".",
            scope.date,
            &date[..8]
        )));
    }
    check_skew(date, at, now)?;
    let payload = single(headers, "x-amz-content-sha256").ok_or_else(|| {
        Error::new(Code::InvalidRequest, "Missing required header for this request: x-amz-content-sha256")
    })?;
    check_payload(payload)?;
    check_signed(headers, signed_headers, false)?;
    Ok(Claim {
        access_key_id: scope.access_key_id.to_owned(),
        credential: credential.to_owned(),
        signed_headers: signed_headers.to_owned(),
        signature: signature.to_owned(),
        date: date.to_owned(),
        payload: payload.to_owned(),
        presigned: false,
    })
}

fn from_query(headers: &HeaderMap, query: &Query, region: &str, now: SystemTime) -> Result<Claim> {
    let malformed = |what: &str| Error::new(Code::AuthorizationQueryParametersError, what);
    let parameter = |name: &str| query.filled(name).ok_or_else(|| Error::from(Code::AuthorizationQueryParametersError));
    if parameter("X-Amz-Algorithm")? != ALGORITHM {
        return Err(malformed("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\""));
    }
    let credential = parameter("X-Amz-Credential")?;
    let (date, signed_headers) = (parameter("X-Amz-Date")?, parameter("X-Amz-SignedHeaders")?);
    let (expires, signature) = (parameter("X-Amz-Expires")?, parameter("X-Amz-Signature")?);
    let scope = Scope::parse(credential).ok_or_else(|| {
        malformed("Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".")
    })?;
    scope.check(region, |what| malformed(&format!("Error parsing the X-Amz-Credential parameter; {what}")))?;
    let at = parse_amz_date(date)
        .ok_or_else(|| malformed("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""))?;
    if !date.starts_with(scope.date) {
        return Err(malformed(&format!(
            "Invalid credential date \"{}\". This date is not the same as X-Amz-Date: \"{}\".",
            scope.date,
            &date[..8]
        )));
    }
    let seconds: i64 = expires.parse().map_err(|_| malformed("X-Amz-Expires should be a number"))?;
    let seconds = u64::try_from(seconds).map_err(|_| malformed("X-Amz-Expires must be non-negative"))?;
    if seconds > MAX_EXPIRES {
        return Err(malformed(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than \
             604800 seconds",
        ));
    }
    if at > now + MAX_SKEW {
        return Err(Error::new(Code::AccessDenied, "Request is not valid yet").detail("ServerTime", iso_date(now)));
    }
    let end = at + Duration::from_secs(seconds);
    if now > end {
        return Err(Error::new(Code::AccessDenied, "Request has expired")
            .detail("X-Amz-Expires", expires)
            .detail("Expires", iso_date(end))
            .detail("ServerTime", iso_date(now)));
    }
    check_signed(headers, signed_headers, true)?;
    let signs_payload = signed_headers.split(';').any(|name| name == "x-amz-content-sha256");
    let in_header = single(headers, "x-amz-content-sha256").filter(|_| signs_payload);
    let payload = query.filled("X-Amz-Content-Sha256").or(in_header).unwrap_or("UNSIGNED-PAYLOAD");
    check_payload(payload)?;
    Ok(Claim {
        access_key_id: scope.access_key_id.to_owned(),
        credential: credential.to_owned(),
        signed_headers: signed_headers.to_owned(),
        signature: signature.to_owned(),
        date: date.to_owned(),
        payload: payload.to_owned(),
        presigned: true,
    })
}

/// Judges the fields that sign a form, and gives back the access key id in them.
pub(super) fn check_form<'a>(form: &FormSignature<'a>, region: &str) -> Result<&'a str> {
    if form.algorithm != ALGORITHM {
        return Err(invalid_argument("Only AWS4-HMAC-SHA256 is supported", "x-amz-algorithm", form.algorithm));
    }
    let malformed = |what: &str| invalid_argument(what, "x-amz-credential", form.credential);
    let scope = Scope::parse(form.credential).ok_or_else(|| {
        malformed("the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".")
    })?;
    scope.check(region, malformed)?;
    if parse_amz_date(form.date).is_none() || !form.date.starts_with(scope.date) {
        let message = "x-amz-date must be in the form YYYYMMDDTHHMMSSZ, of the date in x-amz-credential";
        return Err(invalid_argument(message, "x-amz-date", form.date));
    }
    Ok(scope.access_key_id)
}

struct Scope<'a> {
    access_key_id: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
}

impl<'a> Scope<'a> {
    fn parse(credential: &'a str) -> Option<Self> {
        // An access key may hold slashes, so the scope is read from its end.
        let mut parts = credential.rsplitn(5, '/');
        let (end, service, region, date) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let access_key_id = parts.next()?;
        let shaped = end == "aws4_request" && !access_key_id.is_empty() && date.len() == 8;
        shaped.then_some(Self { access_key_id, date, region, service })
    }

    fn check(&self, region: &str, malformed: impl Fn(&str) -> Error) -> Result<()> {
        if self.service != "s3" {
            return Err(malformed(&format!(
                "incorrect service \"{}\". This endpoint belongs to \"s3\".",
                self.service
            )));
        }
        if self.region != region {
            let what = format!("the region '{}' is wrong; expecting '{region}'", self.region);
            return Err(malformed(&what).detail("Region", region).header("x-amz-bucket-region", region));
        }
        Ok(())
    }
}

fn check_skew(date: &str, at: SystemTime, now: SystemTime) -> Result<()> {
    let apart = now.duration_since(at).unwrap_or_else(|ahead| ahead.duration());
    if apart <= MAX_SKEW {
        return Ok(());
    }
    Err(Error::from(Code::RequestTimeTooSkewed)
        .detail("RequestTime", date)
        .detail("ServerTime", iso_date(now))
        .detail("MaxAllowedSkewMilliseconds", MAX_SKEW.as_millis().to_string()))
}

fn check_payload(payload: &str) -> Result<()> {
    let known = matches!(
        payload,
        "UNSIGNED-PAYLOAD"
            | "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
            | "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
            | "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
    );
    let hash = payload.len() == 64 && payload.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if known || hash {
        return Ok(());
    }
    if payload.starts_with("STREAMING-AWS4-ECDSA") {
        return Err(Error::new(Code::NotImplemented, "Signatures by AWS4-ECDSA-P256-SHA256 are not implemented"));
    }
    Err(invalid_argument(
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
         STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
        "x-amz-content-sha256",
        payload,
    ))
}

/// `host` and every `x-amz-*` header must be under the signature.
fn check_signed(headers: &HeaderMap, signed: &str, presigned: bool) -> Result<()> {
    let is_signed = |name: &str| signed.split(';').any(|at| at.eq_ignore_ascii_case(name));
    let must = |name: &str| {
        // The body's hash is no instruction to the store, and a plain HTTP client adds it to a presigned URL in vain.
        name.starts_with("x-amz-") && !(presigned && name == "x-amz-content-sha256")
    };
    let mut missing: Vec<&str> = headers.keys().map(http::HeaderName::as_str).filter(|name| must(name)).collect();
    missing.push("host");
    missing.retain(|name| !is_signed(name));
    missing.sort_unstable();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::new(Code::AccessDenied, "There were headers present in the request which were not signed")
        .detail("HeadersNotSigned", missing.join(", ")))
}

fn unsupported() -> Error {
    Error::new(
        Code::InvalidRequest,
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
    )
}

/// The only value of a header, where it is text.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}
