//! Reading an answer's headers, leniently: what cannot be read is taken as not sent.

use std::str::FromStr;
use std::time::SystemTime;

use http::HeaderMap;

use crate::ETag;
use crate::checksum::{Checksum, ChecksumAlgorithm};
use crate::time::{parse_http_date, parse_iso8601};

pub(crate) fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.as_bytes();
    Some(String::from_utf8_lossy(value).into_owned()).filter(|text| !text.is_empty())
}

pub(crate) fn parsed<T: FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

pub(crate) fn flag(headers: &HeaderMap, name: &str) -> bool {
    headers.get(name).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"))
}

pub(crate) fn etag(headers: &HeaderMap) -> ETag {
    text(headers, "etag").map(ETag::from).unwrap_or_default()
}

pub(crate) fn http_date(headers: &HeaderMap, name: &str) -> Option<SystemTime> {
    headers.get(name)?.to_str().ok().and_then(parse_http_date)
}

pub(crate) fn iso8601(headers: &HeaderMap, name: &str) -> Option<SystemTime> {
    headers.get(name)?.to_str().ok().and_then(parse_iso8601)
}

/// The first checksum that the answer carries, strongest CRC first: servers send one.
pub(crate) fn checksum(headers: &HeaderMap) -> Option<Checksum> {
    use ChecksumAlgorithm::{Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256, Sha512, Xxhash3, Xxhash64, Xxhash128};
    let order = [Crc64Nvme, Crc32c, Crc32, Sha256, Sha1, Sha512, Xxhash128, Xxhash3, Xxhash64, Md5];
    order.into_iter().find_map(|algorithm| {
        let value = headers.get(algorithm.header_name())?.to_str().ok()?;
        Checksum::parse(algorithm, value).ok()
    })
}

/// Whether the requester was charged (`x-amz-request-charged`).
pub(crate) fn request_charged(headers: &HeaderMap) -> bool {
    headers.contains_key("x-amz-request-charged")
}
