//! Decoding what listings URL-encode.

use memchr::memchr2;

use crate::sigv4::uri_encode::escaped;

/// Decodes `%XX` and `+`, as `encoding-type=url` has them, once. What is not an escape stays as it is, and so does
/// text that would not be UTF-8.
pub(crate) fn decode_in_place(text: &mut String) {
    let mut decoded = Vec::new();
    let mut rest = text.as_bytes();
    while let Some(at) = memchr2(b'%', b'+', rest) {
        decoded.reserve(rest.len());
        decoded.extend_from_slice(&rest[..at]);
        let (byte, length) = match (rest[at], escaped(&rest[at..])) {
            (b'+', _) => (b' ', 1),
            (_, Some(byte)) => (byte, 3),
            (percent, None) => (percent, 1),
        };
        decoded.push(byte);
        rest = &rest[at + length..];
    }
    if decoded.is_empty() {
        return;
    }
    decoded.extend_from_slice(rest);
    if let Ok(decoded) = String::from_utf8(decoded) {
        *text = decoded;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoded_once_and_left_alone_where_it_cannot_be() {
        for (encoded, plain) in [
            ("", ""),
            ("a/b", "a/b"),
            ("%61", "a"),
            ("a+b%2Bc%252Fd", "a b+c%2Fd"),
            ("caf%c3%A9+%", "café %"),
            ("%zz%4", "%zz%4"),
            ("é%20é", "é é"),
            ("a+%ff", "a+%ff"),
        ] {
            let mut text = encoded.to_owned();
            decode_in_place(&mut text);
            assert_eq!(text, plain);
        }
    }
}
