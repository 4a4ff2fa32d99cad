//! Metadata outside ASCII, which comes as the encoded words of RFC 2047.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// How many bytes the value has once its encoded words are decoded, by which S3 counts it. What is no encoded word counts as it is.
pub(crate) fn decoded_length(value: &[u8]) -> usize {
    let Ok(text) = std::str::from_utf8(value) else { return value.len() };
    let mut length = 0;
    let mut after_word = false;
    for (at, piece) in text.split(' ').enumerate() {
        let word = word_length(piece);
        // The space between two words belongs to neither.
        let space = usize::from(at > 0 && !(after_word && word.is_some()));
        length += space + word.unwrap_or(piece.len());
        after_word = word.is_some();
    }
    length
}

fn word_length(piece: &str) -> Option<usize> {
    let mut parts = piece.strip_prefix("=?")?.strip_suffix("?=")?.split('?');
    let (_charset, encoding, text) = (parts.next()?, parts.next()?, parts.next()?);
    match (encoding, parts.next()) {
        ("B" | "b", None) => STANDARD.decode(text).ok().map(|bytes| bytes.len()),
        ("Q" | "q", None) => Some(text.len() - 2 * text.matches('=').count().min(text.len() / 3)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_count_as_what_they_stand_for() {
        for (value, length) in [
            ("", 0),
            ("plain text", 10),
            ("=?UTF-8?B?w7zDvA==?=", 4),
            ("=?UTF-8?Q?=C3=BC_x?=", 4),
            ("=?UTF-8?B?w7w=?= =?utf-8?b?w7w=?=", 4),
            ("a =?UTF-8?B?w7w=?= b", 6),
            ("=?UTF-8?B?no base64?=", 21),
            ("=?UTF-8?B?w7w=", 14),
            ("=?UTF-8?Q?===?=", 1),
        ] {
            assert_eq!(decoded_length(value.as_bytes()), length, "{value}");
        }
        assert_eq!(decoded_length(b"\xff\xff"), 2);
    }
}
