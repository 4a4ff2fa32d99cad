//! Answers that a fault gives, and what one does to the answers of operations.

use bytes::Bytes;
use fastrand::Rng;
use futures_util::StreamExt;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use wharf_transport::Body;

use super::Habits;
use crate::call::{Reply, empty};
use crate::xml::Writer;

/// The elements of which a page has many.
const ENTRIES: [&str; 6] = ["Contents", "CommonPrefixes", "Version", "DeleteMarker", "Upload", "Part"];

/// An answer in the place of the operation's.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    code: String,
    headers: HeaderMap,
}

impl Answer {
    /// What cannot be sent was refused when the fault was injected.
    pub(super) fn new(status: u16, code: &str, headers: &[(String, String)]) -> Self {
        let pair = |(name, value): &(String, String)| {
            Some((name.parse::<HeaderName>().ok()?, value.parse::<HeaderValue>().ok()?))
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, code: code.to_owned(), headers: headers.iter().filter_map(pair).collect() }
    }

    /// Reads what must be read before it may be given: a success says that the whole body came. Gives its length.
    pub(crate) async fn awaits(&self, mut body: Body) -> u64 {
        let mut read = 0;
        while self.status.is_success()
            && let Some(Ok(bytes)) = body.next().await
        {
            read += bytes.len() as u64;
        }
        read
    }

    pub(crate) fn reply(self, resource: &str, request_id: &str, host_id: &str) -> Reply {
        let mut reply = empty(self.status);
        let bodiless = matches!(self.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if !self.code.is_empty() && !bodiless {
            let mut xml = Writer::bare("Error");
            xml.text("Code", &self.code);
            xml.text("Message", "A fault of the embedded store: it was told to answer so.");
            xml.text("Resource", resource);
            xml.text("RequestId", request_id);
            xml.text("HostId", host_id);
            *reply.body_mut() = Body::from(Bytes::from(xml.finish()));
            reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        }
        reply.headers_mut().extend(self.headers);
        reply
    }
}

/// Changes what an operation answered.
pub(crate) fn bend(reply: &mut Reply, operation: &str, habits: Habits, shuffle: Option<u64>) {
    let is_object = operation == "GetObject";
    if habits.forget_checksums {
        remove(reply.headers_mut(), |name| name.starts_with("x-amz-checksum-"));
        if !is_object {
            rewrite(reply, without_checksums);
        }
    }
    if let Some(seed) = shuffle {
        rewrite(reply, |document| shuffled(document, seed));
    }
}

/// Removes the headers whose names are `unwanted`.
pub(super) fn remove(headers: &mut HeaderMap, unwanted: impl Fn(&str) -> bool) {
    let names: Vec<_> = headers.keys().filter(|name| unwanted(name.as_str())).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// Puts another document in the place of a reply's, where it has one.
fn rewrite(reply: &mut Reply, change: impl FnOnce(&str) -> String) {
    match std::mem::take(reply.body_mut()).into_full() {
        Ok(bytes) => {
            let changed = std::str::from_utf8(&bytes).map(|document| Bytes::from(change(document)));
            *reply.body_mut() = Body::from(changed.unwrap_or(bytes));
        }
        Err(body) => *reply.body_mut() = body,
    }
}

/// A document of ours without what it tells of checksums.
fn without_checksums(document: &str) -> String {
    let mut out = String::with_capacity(document.len());
    let mut rest = document;
    while let Some((before, behind)) = rest.split_once("<Checksum") {
        out.push_str(before);
        let name = behind.split('>').next().unwrap_or_default();
        // Ours are written without attributes and spaces.
        let Some((_, after)) = behind.split_once(&format!("</Checksum{name}>")) else { break };
        rest = after;
    }
    out + rest
}

/// A listing of ours with its entries in another order.
fn shuffled(document: &str, seed: u64) -> String {
    let (mut between, mut entries) = (Vec::new(), Vec::new());
    let mut rest = document;
    while let Some((start, end)) = first_entry(rest) {
        between.push(&rest[..start]);
        entries.push(&rest[start..end]);
        rest = &rest[end..];
    }
    let ordered = entries.clone();
    Rng::with_seed(seed).shuffle(&mut entries);
    if entries == ordered && !entries.is_empty() {
        // Chance may leave a short page as it was.
        entries.rotate_left(1);
    }
    let mixed = between.into_iter().zip(entries).flat_map(|(between, entry)| [between, entry]);
    mixed.collect::<String>() + rest
}

/// Where the first entry starts and ends.
fn first_entry(document: &str) -> Option<(usize, usize)> {
    let find = |name: &&str| Some((document.find(&format!("<{name}>"))?, format!("</{name}>")));
    let (start, close) = ENTRIES.iter().filter_map(find).min()?;
    let end = start + document[start..].find(&close)? + close.len();
    Some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_cut_out() {
        let document = "<A><Checksum><ChecksumCRC32>x</ChecksumCRC32></Checksum><Key>&lt;ChecksumType&gt;</Key>\
                        <ChecksumType>FULL_OBJECT</ChecksumType><Size>1</Size></A>";
        assert_eq!(without_checksums(document), "<A><Key>&lt;ChecksumType&gt;</Key><Size>1</Size></A>");
    }

    #[test]
    fn entries_change_places_and_nothing_else_does() {
        let entry = |key: &str| format!("<Contents><Key>{key}</Key></Contents>");
        let page = |keys: &[&str]| {
            let entries: String = keys.iter().map(|key| entry(key)).collect();
            format!("<L><IsTruncated>false</IsTruncated>{entries}<Z/></L>")
        };
        for seed in 0..20 {
            assert_eq!(shuffled(&page(&["a", "b"]), seed), page(&["b", "a"]));
            assert_eq!(shuffled(&page(&["a"]), seed), page(&["a"]));
        }
        let keys = ["a", "b", "c", "d", "e"];
        let other = shuffled(&page(&keys), 7);
        assert_eq!(shuffled(&page(&keys), 7), other);
        assert_ne!(other, page(&keys));
        assert_eq!(other.len(), page(&keys).len());
        assert!(keys.iter().all(|key| other.contains(&entry(key))), "{other}");
    }
}
