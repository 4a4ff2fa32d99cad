//! A request's head, taken apart.

use std::ops::Range;

use wire::header;

pub struct Request<'a> {
    pub head: &'a [u8],
    pub method: &'a str,
    pub bucket: &'a str,
    pub key: String,
    query: &'a str,
}

impl<'a> Request<'a> {
    pub fn parse(head: &'a [u8]) -> Option<Self> {
        let line = std::str::from_utf8(head.split(|byte| *byte == b'\r').next()?).ok()?;
        let (method, rest) = line.split_once(' ')?;
        let (target, _) = rest.split_once(' ')?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = path.strip_prefix('/')?;
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        Some(Self { head, method, bucket, key: decode(key), query })
    }

    pub fn header(&self, name: &str) -> Option<&'a str> {
        header(self.head, name)
    }

    /// A parameter of the query, decoded; empty where it stands without a value.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| {
            let (found, value) = pair.split_once('=').unwrap_or((pair, ""));
            (found == name).then(|| decode(value))
        })
    }

    /// The `Range` within an object of this length.
    pub fn range(&self, length: u64) -> Option<Range<u64>> {
        let (start, end) = self.header("range")?.strip_prefix("bytes=")?.split_once('-')?;
        if start.is_empty() {
            return Some(length.saturating_sub(end.parse().ok()?)..length);
        }
        let end = if end.is_empty() { length } else { end.parse::<u64>().ok()?.saturating_add(1).min(length) };
        Some(start.parse().ok()?..end)
    }
}

/// Undoes percent-encoding.
fn decode(text: &str) -> String {
    if !text.contains(['%', '+']) {
        return text.to_owned();
    }
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16)).unwrap_or(0) as u8;
                digit() * 16 + digit()
            }
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
