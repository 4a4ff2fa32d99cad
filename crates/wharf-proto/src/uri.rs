//! Decoding what listings URL-encode.

/// Decodes `%XX` and `+`, as `encoding-type=url` has them, once. What is not an escape stays as it is, and so does
/// text that would not be UTF-8.
pub(crate) fn decode_in_place(text: &mut String) {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return;
    }
    let with_spaces = text.replace('+', " ");
    if let Ok(decoded) = percent_encoding::percent_decode_str(&with_spaces).decode_utf8() {
        *text = decoded.into_owned();
    }
}
