//! User metadata: names and values that go with an object.

mod rfc2047;

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::Error;
use crate::operation::Request;

/// User metadata, by name. Names are case-insensitive on the wire and come back in lower case.
///
/// S3 takes at most 2,048 bytes of names and values together, counted in UTF-8. Values may be any text without CR, LF
/// and NUL: what a header cannot hold as it is travels as RFC 2047 words and is decoded when it is read.
pub type Metadata = BTreeMap<String, String>;

const PREFIX: &str = "x-amz-meta-";

/// What S3 takes: bytes of names and values together, before they are encoded.
const MAX_BYTES: usize = 2048;

/// Puts each entry into a header of its own.
pub(crate) fn apply(metadata: &Metadata, request: &mut Request) -> Result<(), Error> {
    let bytes: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > MAX_BYTES {
        return Err(Error::invalid_input(format!(
            "the metadata has {bytes} bytes of names and values; S3 takes at most {MAX_BYTES}"
        )));
    }
    for (name, value) in metadata {
        let header = header_name(name)?;
        request.headers.insert(header, header_value(name, value)?);
    }
    Ok(())
}

/// The entries of an answer. Several headers of one name are one entry, joined with commas.
pub(crate) fn read(headers: &HeaderMap) -> Metadata {
    let mut metadata = Metadata::new();
    for (header, value) in headers {
        let Some(name) = header.as_str().strip_prefix(PREFIX) else { continue };
        let value = rfc2047::decode(&text(value));
        metadata
            .entry(name.to_owned())
            .and_modify(|joined| {
                joined.push(',');
                joined.push_str(&value);
            })
            .or_insert(value);
    }
    metadata
}

fn header_name(name: &str) -> Result<HeaderName, Error> {
    if name.is_empty() {
        return Err(Error::invalid_input("a metadata entry has an empty name"));
    }
    HeaderName::try_from(format!("{PREFIX}{name}")).map_err(|_| {
        Error::invalid_input(format!("metadata {name:?}: a name may have letters, digits and !#$%&'*+-.^_`|~ only"))
    })
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue, Error> {
    if let Some(c) = value.chars().find(|c| matches!(c, '\r' | '\n' | '\0')) {
        return Err(Error::invalid_input(format!("metadata {name:?}: a value must not contain {c:?}")));
    }
    HeaderValue::try_from(rfc2047::encode(value).as_ref())
        .map_err(|_| Error::invalid_input(format!("metadata {name:?}: no header can hold this value")))
}

/// Some servers send UTF-8 as it is; what is not UTF-8 is Latin-1, which headers once were.
fn text(value: &HeaderValue) -> String {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.to_owned(),
        Err(_) => value.as_bytes().iter().copied().map(char::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    fn sent(entries: &[(&str, &str)]) -> Result<HeaderMap, Error> {
        let metadata = entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut request = Request::service(Method::PUT);
        apply(&metadata, &mut request)?;
        Ok(request.headers)
    }

    #[test]
    fn names_are_lower_cased_and_values_come_back() {
        let headers = sent(&[("Team", "blue"), ("city", "Zürich"), ("empty", "")]).unwrap();
        assert_eq!(headers["x-amz-meta-team"], "blue");
        assert_eq!(headers["x-amz-meta-city"], "=?UTF-8?B?WsO8cmljaA==?=");
        let read = read(&headers);
        let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(read, [("city", "Zürich"), ("empty", ""), ("team", "blue")]);
    }

    #[test]
    fn several_headers_of_one_name_are_joined() {
        let mut headers = HeaderMap::new();
        headers.append("x-amz-meta-a", HeaderValue::from_static("1"));
        headers.append("x-amz-meta-a", HeaderValue::from_static("=?utf-8?q?=C3=BC?="));
        headers.append("x-amz-metadata-directive", HeaderValue::from_static("COPY"));
        assert_eq!(read(&headers), Metadata::from([("a".to_owned(), "1,ü".to_owned())]));
    }

    #[test]
    fn raw_utf8_and_latin1_are_understood() {
        let mut headers = HeaderMap::new();
        headers.append("x-amz-meta-a", HeaderValue::from_bytes("ü".as_bytes()).unwrap());
        headers.append("x-amz-meta-b", HeaderValue::from_bytes(b"\xfc").unwrap());
        assert!(read(&headers).values().all(|value| value == "ü"));
    }

    #[test]
    fn what_cannot_be_sent_is_named() {
        for (name, value, line) in [
            ("a b", "", "metadata \"a b\": a name may have letters, digits and !#$%&'*+-.^_`|~ only"),
            ("é", "", "metadata \"é\": a name may have letters, digits and !#$%&'*+-.^_`|~ only"),
            ("", "x", "a metadata entry has an empty name"),
            ("note", "a\r\nb", "metadata \"note\": a value must not contain '\\r'"),
            ("note", "é\n", "metadata \"note\": a value must not contain '\\n'"),
            ("note", "\0", "metadata \"note\": a value must not contain '\\0'"),
        ] {
            let error = sent(&[(name, value)]).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::InvalidInput);
            assert_eq!(error.to_string(), line);
        }
    }

    #[test]
    fn size_counts_utf8_before_encoding() {
        // 4 + 2,044 bytes; in base64 it is far more.
        assert!(sent(&[("name", &"ü".repeat(1022))]).is_ok());
        let error = sent(&[("name", &"ü".repeat(1022)), ("a", "")]).unwrap_err();
        assert_eq!(error.to_string(), "the metadata has 2049 bytes of names and values; S3 takes at most 2048");
    }
}
