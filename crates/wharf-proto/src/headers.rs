//! Reading an answer's headers, leniently: what cannot be read is taken as not sent.

use std::str::FromStr;
use std::time::SystemTime;

use http::{HeaderMap, HeaderValue};

use crate::ETag;
use crate::checksum::{Checksum, ChecksumAlgorithm};
use crate::time::{parse_http_date, parse_iso8601};

/// The first value of `name`, in lower case.
///
/// Most names that are asked for are not there. Among a few headers, comparing lengths finds that out in a fraction of
/// the time that hashing the name takes.
pub(crate) fn get<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h HeaderValue> {
    const FEW: usize = 24;
    if headers.len() > FEW {
        return headers.get(name);
    }
    headers.iter().find(|(known, _)| known.as_str() == name).map(|(_, value)| value)
}

pub(crate) fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = get(headers, name)?.as_bytes();
    Some(String::from_utf8_lossy(value).into_owned()).filter(|text| !text.is_empty())
}

pub(crate) fn parsed<T: FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
    get(headers, name)?.to_str().ok()?.trim().parse().ok()
}

pub(crate) fn flag(headers: &HeaderMap, name: &str) -> bool {
    get(headers, name).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"))
}

pub(crate) fn etag(headers: &HeaderMap) -> ETag {
    text(headers, "etag").map(ETag::from).unwrap_or_default()
}

pub(crate) fn http_date(headers: &HeaderMap, name: &str) -> Option<SystemTime> {
    get(headers, name)?.to_str().ok().and_then(parse_http_date)
}

pub(crate) fn iso8601(headers: &HeaderMap, name: &str) -> Option<SystemTime> {
    get(headers, name)?.to_str().ok().and_then(parse_iso8601)
}

/// The first checksum that the answer carries: servers send one.
pub(crate) fn checksum(headers: &HeaderMap) -> Option<Checksum> {
    headers.iter().find_map(|(name, value)| {
        let algorithm = ChecksumAlgorithm::of_header(name.as_str())?;
        Checksum::parse(algorithm, value.to_str().ok()?).ok()
    })
}

/// Whether the requester was charged (`x-amz-request-charged`).
pub(crate) fn request_charged(headers: &HeaderMap) -> bool {
    get(headers, "x-amz-request-charged").is_some()
}
