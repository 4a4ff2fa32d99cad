//! The canonical request and the string to sign: what both sides must write down alike, byte for byte.
//!
//! Each is written piece by piece into a [`Sink`]: a hash or an HMAC when something is signed, a `Vec<u8>` when
//! somebody wants to read it. So the text that is shown is the text that was signed.

use std::borrow::Cow;

use hmac::Mac;
use http::{HeaderMap, Method, Uri};
use sha2::{Digest, Sha256};

use super::key::HmacSha256;
use super::uri_encode::{self, Part};
use super::{AmzDate, Scope, SigningError, UriPath, host};

pub(super) trait Sink {
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Sha256 {
    fn put(&mut self, bytes: &[u8]) {
        Digest::update(self, bytes);
    }
}

impl Sink for HmacSha256 {
    fn put(&mut self, bytes: &[u8]) {
        Mac::update(self, bytes);
    }
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

const HOST: &str = "host";

/// The headers that a signature covers, sorted by name; the values of one name in the order they are sent.
pub(super) struct SignedHeaders<'a>(Vec<(&'a str, &'a [u8])>);

impl<'a> SignedHeaders<'a> {
    /// Takes those of `headers` for which `covered` holds, and the host.
    ///
    /// Fails if there is neither a `Host` header nor a host in the URI.
    pub(super) fn collect(
        headers: &'a HeaderMap,
        uri: &'a Uri,
        covered: impl Fn(&str) -> bool,
    ) -> Result<Self, SigningError> {
        let mut entries = Vec::with_capacity(headers.len() + 1);
        let given = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        entries.extend(given.filter(|(name, _)| covered(name)));
        if entries.iter().all(|(name, _)| *name != HOST) {
            entries.push((HOST, host(uri).ok_or(SigningError::NoHost)?.as_bytes()));
        }
        // Stable: several values of one name stay in their order.
        entries.sort_by_key(|(name, _)| *name);
        Ok(Self(entries))
    }

    /// Writes the names, each once: `host;x-amz-date`.
    pub(super) fn put_names(&self, sink: &mut impl Sink) {
        let mut last = "";
        for (name, _) in &self.0 {
            if *name != last {
                if !last.is_empty() {
                    sink.put(b";");
                }
                sink.put(name.as_bytes());
                last = name;
            }
        }
    }

    /// Writes a line for each name: `name:value,value\n`.
    fn put_lines(&self, sink: &mut impl Sink) {
        let mut last = "";
        for (name, value) in &self.0 {
            if *name == last {
                sink.put(b",");
            } else {
                if !last.is_empty() {
                    sink.put(b"\n");
                }
                sink.put(name.as_bytes());
                sink.put(b":");
                last = name;
            }
            put_words(value, sink);
        }
        sink.put(b"\n");
    }
}

/// Writes a header's value without the blanks around it, and with one space for each run of blanks in it.
fn put_words(value: &[u8], sink: &mut impl Sink) {
    // Most have none.
    if memchr::memchr2(b' ', b'\t', value).is_none() {
        return sink.put(value);
    }
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    for (at, word) in value.split(blank).filter(|word| !word.is_empty()).enumerate() {
        if at > 0 {
            sink.put(b" ");
        }
        sink.put(word);
    }
}

/// A request as it is signed.
pub(super) struct CanonicalRequest<'a> {
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    pub(super) path: UriPath,
    pub(super) headers: &'a SignedHeaders<'a>,
    /// `x-amz-content-sha256` or what stands in its place.
    pub(super) payload: &'a [u8],
}

impl CanonicalRequest<'_> {
    pub(super) fn put(&self, sink: &mut impl Sink) {
        sink.put(self.method.as_str().as_bytes());
        sink.put(b"\n");
        put_path(self.uri.path(), self.path, sink);
        sink.put(b"\n");
        if let Some(query) = self.uri.query() {
            put_query(query, sink);
        }
        sink.put(b"\n");
        self.headers.put_lines(sink);
        sink.put(b"\n");
        self.headers.put_names(sink);
        sink.put(b"\n");
        sink.put(self.payload);
    }

    pub(super) fn hash(&self) -> [u8; 32] {
        // It has about sixty pieces, each of which a hash would look at by itself.
        let mut text = Vec::with_capacity(1024);
        self.put(&mut text);
        Sha256::digest(text).into()
    }

    /// The text itself. A header that is not UTF-8 shows replacement characters.
    pub(super) fn text(&self) -> String {
        let mut text = Vec::with_capacity(512);
        self.put(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    }
}

fn put_path(path: &str, how: UriPath, sink: &mut impl Sink) {
    match how {
        UriPath::Once => sink.put(uri_encode::canonical(path, Part::Path).as_bytes()),
        UriPath::Twice => {
            let mut twice = String::new();
            uri_encode::path(path, &mut twice);
            sink.put(twice.as_bytes());
        }
    }
}

/// Writes the parameters sorted by name, then by value, each with its `=`.
fn put_query(query: &str, sink: &mut impl Sink) {
    let mut parameters: Vec<(Cow<'_, str>, Cow<'_, str>)> = query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
        // A presigned URI carries its signature, which cannot cover itself.
        .filter(|(name, _)| *name != "X-Amz-Signature")
        .map(|(name, value)| (uri_encode::canonical(name, Part::Query), uri_encode::canonical(value, Part::Query)))
        .collect();
    parameters.sort_unstable();
    for (at, (name, value)) in parameters.iter().enumerate() {
        if at > 0 {
            sink.put(b"&");
        }
        sink.put(name.as_bytes());
        sink.put(b"=");
        sink.put(value.as_bytes());
    }
}

/// Writes `20130524/us-east-1/s3/aws4_request`.
pub(super) fn put_credential_scope(date: AmzDate, scope: Scope<'_>, sink: &mut impl Sink) {
    sink.put(date.day_bytes());
    for piece in ["/", scope.region, "/", scope.service, "/aws4_request"] {
        sink.put(piece.as_bytes());
    }
}

/// Writes the lines that every string to sign begins with: the algorithm, the time, the credential scope.
pub(super) fn put_preamble(algorithm: &str, date: AmzDate, scope: Scope<'_>, sink: &mut impl Sink) {
    for piece in [algorithm.as_bytes(), b"\n", date.as_bytes(), b"\n"] {
        sink.put(piece);
    }
    put_credential_scope(date, scope, sink);
    sink.put(b"\n");
}
