//! Tag sets: from a header or a document, and the rules they follow.

use percent_encoding::percent_decode_str;
use s3s::dto::{Tag, Tagging};

use crate::error::{Code, Error, Result, invalid_argument};
use crate::xml;

/// The most tags of an object and of a bucket.
pub(crate) const MOST_OF_OBJECT: usize = 10;
pub(crate) const MOST_OF_BUCKET: usize = 50;

pub(crate) type Tags = Vec<(String, String)>;

/// Reads `x-amz-tagging`: a query of names and values.
pub(crate) fn of_header(text: &str) -> Result<Tags> {
    let bad = || {
        invalid_argument(
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
            "x-amz-tagging",
            text,
        )
    };
    let decode = |piece: &str| {
        percent_decode_str(&piece.replace('+', " ")).decode_utf8().map(|text| text.into_owned()).map_err(|_| bad())
    };
    let mut tags = Vec::new();
    for piece in text.split('&').filter(|piece| !piece.is_empty()) {
        let (key, value) = piece.split_once('=').unwrap_or((piece, ""));
        tags.push((decode(key)?, decode(value)?));
    }
    check(tags, MOST_OF_OBJECT)
}

/// Reads a `Tagging` document.
pub(crate) fn of_document(bytes: &[u8], most: usize) -> Result<Tags> {
    let document: Tagging = xml::parse(bytes)?;
    of_list(document.tag_set, most)
}

/// Reads those of a `CreateBucketConfiguration`.
pub(crate) fn of_new_bucket(bytes: &[u8]) -> Result<Tags> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    of_list(xml::list(bytes, "Tags", "Tag")?, MOST_OF_BUCKET)
}

fn of_list(tags: Vec<Tag>, most: usize) -> Result<Tags> {
    let tags = tags.into_iter().map(|tag| match (tag.key, tag.value) {
        (Some(key), Some(value)) => Ok((key, value)),
        _ => Err(Error::from(Code::MalformedXml)),
    });
    check(tags.collect::<Result<_>>()?, most)
}

fn check(tags: Tags, most: usize) -> Result<Tags> {
    let invalid = |message: &str| Err(Error::new(Code::InvalidTag, message));
    if tags.len() > most {
        return Err(Error::new(Code::InvalidTag, format!("Tags cannot be greater than {most}")));
    }
    for (at, (key, value)) in tags.iter().enumerate() {
        if key.is_empty() || key.chars().count() > 128 || key.starts_with("aws:") {
            return invalid("The TagKey you have provided is invalid");
        }
        if value.chars().count() > 256 {
            return invalid("The TagValue you have provided is invalid");
        }
        if tags[..at].iter().any(|(other, _)| other == key) {
            return invalid("Cannot provide multiple Tags with the same key");
        }
        let allowed = |char: char| char.is_alphanumeric() || char.is_whitespace() || "_.:/=+-@".contains(char);
        if !key.chars().chain(value.chars()).all(allowed) {
            return invalid("The TagKey or TagValue you have provided is invalid");
        }
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_and_rules() {
        let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(of_header("a=1&b=x%2Fy&c=").unwrap(), [tag("a", "1"), tag("b", "x/y"), tag("c", "")]);
        let eleven: Vec<String> = (0..11).map(|at| format!("k{at}=v")).collect();
        for bad in ["a=1&a=2", "=x", "aws:x=1", "a=%ff", "a=<", &eleven.join("&")] {
            assert!(of_header(bad).is_err(), "{bad}");
        }
    }
}
