//! Reading an answer's headers, leniently: what cannot be read is taken as not sent.

use std::str::FromStr;
use std::time::SystemTime;

use http::{HeaderMap, HeaderValue};

use crate::ETag;
use crate::checksum::{Checksum, ChecksumAlgorithm};
use crate::time::{parse_http_date, parse_iso8601};

/// The headers of an answer, with what makes a look for one cheap: an answer's output asks for up to forty names, most
/// of which are not there, and hashing each takes longer than all else that reading an answer needs.
pub(crate) struct Headers<'h> {
    entries: Vec<(&'h str, &'h HeaderValue)>,
    /// The marks of all names that are there.
    marks: u128,
}

impl<'h> Headers<'h> {
    pub(crate) fn of(map: &'h HeaderMap) -> Self {
        let entries: Vec<_> = map.iter().map(|(name, value)| (name.as_str(), value)).collect();
        let marks = entries.iter().fold(0, |marks, (name, _)| marks | mark(name));
        Self { entries, marks }
    }

    /// The first value of `name`, in lower case.
    pub(crate) fn get(&self, name: &str) -> Option<&'h HeaderValue> {
        if self.marks & mark(name) == 0 {
            return None;
        }
        self.entries.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let value = self.get(name)?.as_bytes();
        let text = str::from_utf8(value).map_or_else(|_| String::from_utf8_lossy(value).into_owned(), str::to_owned);
        Some(text).filter(|text| !text.is_empty())
    }

    pub(crate) fn parsed<T: FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.to_str().ok()?.trim().parse().ok()
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"))
    }

    pub(crate) fn etag(&self) -> ETag {
        self.text("etag").map(ETag::from).unwrap_or_default()
    }

    pub(crate) fn http_date(&self, name: &str) -> Option<SystemTime> {
        self.get(name)?.to_str().ok().and_then(parse_http_date)
    }

    pub(crate) fn iso8601(&self, name: &str) -> Option<SystemTime> {
        self.get(name)?.to_str().ok().and_then(parse_iso8601)
    }

    /// The first checksum that the answer carries: servers send one.
    pub(crate) fn checksum(&self) -> Option<Checksum> {
        self.entries.iter().find_map(|(name, value)| {
            let algorithm = ChecksumAlgorithm::of_header(name)?;
            Checksum::parse(algorithm, value.to_str().ok()?).ok()
        })
    }

    /// Whether the requester was charged (`x-amz-request-charged`).
    pub(crate) fn request_charged(&self) -> bool {
        self.get("x-amz-request-charged").is_some()
    }
}

/// One bit, made of what differs most between names: their length and their last byte.
fn mark(name: &str) -> u128 {
    let last = name.as_bytes().last().copied().unwrap_or_default();
    1 << ((name.len() + 7 * usize::from(last)) % 128)
}
