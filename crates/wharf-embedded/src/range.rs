//! Ranges of bytes.

use std::ops::Range;

use crate::error::{Code, Error, Result};

/// Reads a `Range` header against an object of `size` bytes. What is not one range of bytes counts as absent, as HTTP
/// allows and S3 does.
pub(crate) fn of_header(text: &str, size: u64) -> Result<Option<Range<u64>>> {
    let Some(spec) = text.trim().strip_prefix("bytes=") else { return Ok(None) };
    let Some((first, last)) = spec.trim().split_once('-') else { return Ok(None) };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    let range = match (number(first), number(last), first.is_empty(), last.is_empty()) {
        (Some(first), Some(last), ..) if first <= last => first..last.saturating_add(1).min(size),
        (Some(first), None, _, true) => first..size,
        (None, Some(length), true, _) if length > 0 => size.saturating_sub(length)..size,
        (None, Some(_), true, _) => size..size,
        _ => return Ok(None),
    };
    if range.start >= size {
        return Err(Error::from(Code::InvalidRange)
            .detail("RangeRequested", text)
            .detail("ActualObjectSize", size.to_string())
            .header("content-range", format!("bytes */{size}")));
    }
    Ok(Some(range))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form() {
        for (text, expected) in [
            ("bytes=0-0", Some(0..1)),
            ("bytes=2-5", Some(2..6)),
            ("bytes=2-", Some(2..10)),
            ("bytes=2-99999999999999999999999", Some(2..10)),
            ("bytes=-3", Some(7..10)),
            ("bytes=-30", Some(0..10)),
            ("bytes=5-2", None),
            ("bytes=0-1,3-4", None),
            ("lines=0-1", None),
            ("bytes=x-1", None),
            ("bytes=-", None),
            ("", None),
        ] {
            assert_eq!(of_header(text, 10).unwrap(), expected, "{text}");
        }
        for (text, size) in
            [("bytes=10-", 10), ("bytes=10-11", 10), ("bytes=-0", 10), ("bytes=0-0", 0), ("bytes=-1", 0)]
        {
            assert_eq!(of_header(text, size).unwrap_err().code(), Code::InvalidRange, "{text} of {size}");
        }
    }
}
