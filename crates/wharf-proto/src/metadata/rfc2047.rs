//! Text outside ASCII in headers: RFC 2047 encoded words.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

/// RFC 2047: an encoded word has at most 75 characters. 12 of them are `=?UTF-8?B?` and `?=`, which leaves 60 of
/// base64.
const MAX_BYTES_A_WORD: usize = 45;

/// Some writers leave the padding out.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The value as a header can hold it. Visible ASCII stays as it is, unless a reader would take it for an encoded word
/// or would trim it.
pub(super) fn encode(value: &str) -> Cow<'_, str> {
    let visible = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if visible && value.trim_matches(' ') == value && decode(value) == value {
        return Cow::Borrowed(value);
    }
    let mut words = String::new();
    let mut rest = value;
    while !rest.is_empty() {
        let (piece, others) = rest.split_at(rest.floor_char_boundary(MAX_BYTES_A_WORD));
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str("=?UTF-8?B?");
        STANDARD.encode_string(piece, &mut words);
        words.push_str("?=");
        rest = others;
    }
    Cow::Owned(words)
}

/// The value that a header stands for. Encoded words count only where they stand between spaces; words in a charset
/// that is not known stay as they are.
pub(super) fn decode(header: &str) -> String {
    let mut value = String::with_capacity(header.len());
    let mut rest = header;
    while !rest.is_empty() {
        let (blanks, text) = rest.split_at(rest.len() - rest.trim_start_matches(BLANK).len());
        let (decoded, length) = run_of_words(text);
        value.push_str(blanks);
        match decoded {
            Some(decoded) => {
                value.push_str(&decoded);
                rest = &text[length..];
            }
            None => {
                let (token, others) = text.split_at(text.find(BLANK).unwrap_or(text.len()));
                value.push_str(token);
                rest = others;
            }
        }
    }
    value
}

const BLANK: [char; 2] = [' ', '\t'];

/// The encoded words that `text` begins with, decoded, and how much of it they take. White space between two words is
/// not part of the value, and a character may begin in one word and end in the next, as careless writers have it.
fn run_of_words(text: &str) -> (Option<String>, usize) {
    let mut bytes = Vec::new();
    let mut length = 0;
    let mut at = 0;
    loop {
        let token = text[at..].split(BLANK).next().unwrap_or_default();
        let Some(decoded) = word(token) else { break };
        bytes.extend(decoded);
        length = at + token.len();
        let blanks = text[length..].len() - text[length..].trim_start_matches(BLANK).len();
        at = length + blanks;
    }
    if length == 0 {
        return (None, 0);
    }
    (String::from_utf8(bytes).ok(), length)
}

/// The UTF-8 bytes of one encoded word: `=?charset?encoding?text?=`.
fn word(token: &str) -> Option<Vec<u8>> {
    let inside = token.strip_prefix("=?")?.strip_suffix("?=")?;
    let mut parts = inside.split('?');
    let (charset, encoding, text) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let bytes = match encoding {
        "B" | "b" => LENIENT.decode(text).ok()?,
        "Q" | "q" => quoted(text)?,
        _ => return None,
    };
    // RFC 2231 adds a language: `utf-8*en`.
    let charset = charset.split('*').next().unwrap_or_default();
    match charset.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" | "us-ascii" => Some(bytes),
        "iso-8859-1" => Some(bytes.into_iter().map(char::from).collect::<String>().into_bytes()),
        _ => None,
    }
}

/// The Q encoding: `_` is a space, `=XX` a byte.
fn quoted(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'_' => b' ',
            b'=' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                (digit()? * 16 + digit()?) as u8
            }
            other => other,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_survives() {
        let long = "Übergrößenträger ".repeat(20);
        for value in [
            "",
            "plain",
            "two  spaces inside",
            " leading",
            "trailing ",
            " ",
            "tab\tinside",
            "\u{1}\u{7f}",
            "é",
            "日本語",
            "😀",
            "=?UTF-8?B?w6k=?=",
            "say =?utf-8?q?a?= now",
            "=?",
            "=?x?=",
            "=?utf-7?B?w6k=?=",
            "a =? b ?= c",
            &long,
            &"😀".repeat(100),
            &"x".repeat(300),
        ] {
            let header = encode(value);
            assert!(header.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{header}");
            assert_eq!(header.trim(), header);
            assert_eq!(decode(&header), value, "{header}");
            let is_plain = header == value;
            assert!(is_plain || header.split(' ').all(|word| word.len() <= 75), "{header}");
        }
    }

    #[test]
    fn only_what_must_be_is_encoded() {
        for value in ["plain", "a=?b", "=?", "two  spaces", "=?utf-7?B?w6k=?=", "~!@#$%^&*()"] {
            assert_eq!(encode(value), value);
        }
        assert_eq!(encode("é"), "=?UTF-8?B?w6k=?=");
        assert_eq!(encode(" a"), "=?UTF-8?B?IGE=?=");
    }

    #[test]
    fn words_never_split_a_character() {
        for word in encode(&format!("a{}", "😀".repeat(30))).split(' ') {
            assert!(word.len() <= 75);
            assert!(String::from_utf8(super::word(word).unwrap()).is_ok());
        }
    }

    #[test]
    fn what_others_write_is_read() {
        for (header, value) in [
            ("=?utf-8?Q?caf=C3=A9_au_lait?=", "café au lait"),
            ("=?ISO-8859-1?q?caf=E9?=", "café"),
            ("=?iso-8859-1?B?6Q==?=", "é"),
            ("=?US-ASCII*en?Q?Keith_Moore?=", "Keith Moore"),
            ("=?UTF-8?b?w6k?=", "é"),
            // White space between two words goes; next to text it stays.
            ("=?utf-8?Q?a?= \t =?utf-8?Q?b?=", "ab"),
            ("=?utf-8?Q?a?= b =?utf-8?Q?c?= ", "a b c "),
            ("=?utf-8?Q?a?= =?iso-8859-1?Q?=E9?=", "aé"),
            // A character that two words share.
            ("=?utf-8?Q?=C3?= =?utf-8?Q?=A9?=", "é"),
            // Not words: unknown charset or encoding, broken, or glued to text.
            ("=?koi8-r?B?w6k=?=", "=?koi8-r?B?w6k=?="),
            ("=?utf-8?X?a?=", "=?utf-8?X?a?="),
            ("=?utf-8?B?*?=", "=?utf-8?B?*?="),
            ("=?utf-8?Q?=4?=", "=?utf-8?Q?=4?="),
            ("=?utf-8?Q?=FF?= x", "=?utf-8?Q?=FF?= x"),
            ("x=?utf-8?Q?a?=", "x=?utf-8?Q?a?="),
            ("=?utf-8?Q?a?=, b", "=?utf-8?Q?a?=, b"),
        ] {
            assert_eq!(decode(header), value, "{header}");
        }
    }
}
