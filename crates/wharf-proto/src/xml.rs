//! S3's own XML: answers are scanned, requests are written.
//!
//! A listing page is the hottest document there is, so answers are read by a scanner that makes nothing but the values
//! asked for. Content that users store as XML is another matter: see [`content`](crate::content).

mod error_document;
mod scanner;
mod writer;

pub(crate) use error_document::ErrorDocument;
pub(crate) use scanner::Scanner;
pub(crate) use writer::{holds, write_document};

use bytes::Bytes;

use crate::{Error, ErrorKind};

/// Whether a body that came with a success is an error all the same: `<Error>` after any white space and declaration.
pub fn is_error_document(body: &[u8]) -> bool {
    let mut rest = without_mark(body);
    if rest.starts_with(b"<?") {
        let Some(end) = memchr::memmem::find(rest, b"?>") else { return false };
        rest = rest[end + 2..].trim_ascii_start();
    }
    rest.strip_prefix(b"<Error").is_some_and(|rest| matches!(rest.first(), Some(b'>' | b' ' | b'/' | b'\n' | b'\r')))
}

/// Whether a body is a web page, which no S3 answers with.
pub fn is_web_page(body: &[u8]) -> bool {
    let rest = without_mark(body);
    let begins = |with: &str| rest.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with.as_bytes()));
    begins("<!doctype html") || begins("<html")
}

/// What follows a byte order mark and white space.
fn without_mark(body: &[u8]) -> &[u8] {
    let rest = body.trim_ascii_start();
    rest.strip_prefix(b"\xef\xbb\xbf").unwrap_or(rest).trim_ascii_start()
}

/// Whether a body holds a document from the beginning of its root to its end.
pub fn is_whole_document(body: &Bytes) -> bool {
    let scan = || {
        let mut scanner = Scanner::any_root(text(body)?)?;
        scanner.skip()
    };
    scan().is_ok()
}

/// The text of an answer that must be XML.
pub(crate) fn text(body: &Bytes) -> Result<&str, Error> {
    std::str::from_utf8(body).map_err(|_| Error::new(ErrorKind::MalformedResponse, "the answer is not UTF-8"))
}
