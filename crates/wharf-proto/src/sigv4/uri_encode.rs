//! Percent-encoding as SigV4 wants it: every byte but `A-Z a-z 0-9 - . _ ~` becomes `%XX`, in upper case.

use std::borrow::Cow;

/// Appends an object key to a URI path: [`query`]'s rule, but `/` stays.
///
/// Nothing is normalised: `a//b/../c` stays `a//b/../c`.
///
/// ```
/// let mut target = String::from("/");
/// wharf_proto::sigv4::uri_encode::path("café/a b+c", &mut target);
/// assert_eq!(target, "/caf%C3%A9/a%20b%2Bc");
/// ```
pub fn path(key: &str, out: &mut String) {
    encode(key, true, out);
}

/// Appends the name or the value of a query parameter: `/`, `+`, `=` and the space are encoded like the rest.
///
/// ```
/// let mut query = String::from("prefix=");
/// wharf_proto::sigv4::uri_encode::query("a/b c", &mut query);
/// assert_eq!(query, "prefix=a%2Fb%20c");
/// ```
pub fn query(text: &str, out: &mut String) {
    encode(text, false, out);
}

const UPPER_HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Whether a byte stands for itself.
const UNRESERVED: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'-' | b'.' | b'_' | b'~');
        byte += 1;
    }
    table
};

fn kept(byte: u8, keep_slash: bool) -> bool {
    UNRESERVED[usize::from(byte)] || (keep_slash && byte == b'/')
}

fn push_encoded(byte: u8, out: &mut String) {
    out.push('%');
    out.push(char::from(UPPER_HEX[usize::from(byte >> 4)]));
    out.push(char::from(UPPER_HEX[usize::from(byte & 15)]));
}

fn encode(text: &str, keep_slash: bool, out: &mut String) {
    out.reserve(text.len());
    // Kept bytes are ASCII, so a run of them begins and ends between characters; an empty run may not.
    let mut run = 0;
    for (at, byte) in text.bytes().enumerate() {
        if !kept(byte, keep_slash) {
            if run < at {
                out.push_str(&text[run..at]);
            }
            push_encoded(byte, out);
            run = at + 1;
        }
    }
    out.push_str(&text[run..]);
}

/// Which part of a URI is being read: they differ in what `/` and `+` mean.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Path,
    Query,
}

/// What [`path`] or [`query`] would have made of the text that `wire` stands for.
///
/// A server decodes what it got and encodes it in the one canonical way before it checks a signature. What wharf wrote
/// is canonical already and comes back as it is; a URI from elsewhere may have `(`, `%2f`, `%41`, raw UTF-8, or a `+`
/// for a space in its query.
pub(super) fn canonical(wire: &str, part: Part) -> Cow<'_, str> {
    let keep_slash = part == Part::Path;
    let bytes = wire.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if kept(byte, keep_slash) {
            at += 1;
        } else if byte == b'%' && is_canonical_escape(&bytes[at..]) {
            at += 3;
        } else {
            break;
        }
    }
    if at == bytes.len() {
        return Cow::Borrowed(wire);
    }

    let mut out = String::with_capacity(wire.len() + 16);
    out.push_str(&wire[..at]);
    while let Some(&byte) = bytes.get(at) {
        let (meant, length) = match (byte, escaped(&bytes[at..])) {
            (b'%', Some(meant)) => (meant, 3),
            (b'+', _) if part == Part::Query => (b' ', 1),
            _ => (byte, 1),
        };
        // A path's `%2F` is not a separator and must stay apart from one.
        if kept(meant, keep_slash && length == 1) {
            out.push(char::from(meant));
        } else {
            push_encoded(meant, &mut out);
        }
        at += length;
    }
    Cow::Owned(out)
}

/// The byte that `text`, which begins with a `%`, stands for; `None` if two hex digits do not follow.
pub(crate) fn escaped(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| text.get(at).and_then(|&digit| char::from(digit).to_digit(16));
    Some((digit(1)? * 16 + digit(2)?) as u8)
}

fn is_canonical_escape(text: &[u8]) -> bool {
    let upper = |at: usize| text.get(at).is_some_and(|digit| UPPER_HEX.contains(digit));
    upper(1) && upper(2) && escaped(text).is_some_and(|meant| !kept(meant, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_of(key: &str) -> String {
        let mut out = String::new();
        path(key, &mut out);
        out
    }

    fn query_of(text: &str) -> String {
        let mut out = String::new();
        query(text, &mut out);
        out
    }

    #[test]
    fn every_ascii_byte() {
        for byte in 0..128u8 {
            let text = char::from(byte).to_string();
            let itself = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            let expected = if itself { text.clone() } else { format!("%{byte:02X}") };
            assert_eq!(query_of(&text), expected);
            assert_eq!(path_of(&text), if byte == b'/' { "/".to_owned() } else { expected });
        }
    }

    #[test]
    fn beyond_ascii_and_runs() {
        assert_eq!(path_of("ሴ/né.txt"), "%E1%88%B4/n%C3%A9.txt");
        assert_eq!(path_of("😀"), "%F0%9F%98%80");
        assert_eq!(path_of("/lead//a/../b/."), "/lead//a/../b/.");
        assert_eq!(query_of("a=b&c/d"), "a%3Db%26c%2Fd");
        assert_eq!(path_of(""), "");
    }

    #[test]
    fn what_wharf_wrote_is_canonical() {
        for key in ["a b+c", "ሴ", "50%", "100%25", "a/../b", "(x)*'!"] {
            assert!(
                matches!(canonical(&path_of(key), Part::Path), Cow::Borrowed(text) if text == path_of(key)),
                "{key}"
            );
            assert!(matches!(canonical(&query_of(key), Part::Query), Cow::Borrowed(_)), "{key}");
        }
    }

    #[test]
    fn what_others_wrote_becomes_canonical() {
        assert_eq!(canonical("/a(b)", Part::Path), "/a%28b%29");
        assert_eq!(canonical("/%7e%41%2a/x", Part::Path), "/~A%2A/x");
        assert_eq!(canonical("/a%2fb/c", Part::Path), "/a%2Fb/c");
        assert_eq!(canonical("/a+b", Part::Path), "/a%2Bb");
        assert_eq!(canonical("a+b", Part::Query), "a%20b");
        assert_eq!(canonical("a/b", Part::Query), "a%2Fb");
        assert_eq!(canonical("ሴ", Part::Query), "%E1%88%B4");
        assert_eq!(canonical("50%", Part::Query), "50%25");
        assert_eq!(canonical("5%zz0%4", Part::Query), "5%25zz0%254");
    }
}
