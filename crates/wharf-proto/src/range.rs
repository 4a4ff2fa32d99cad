//! Byte ranges.

use std::ops::{Range, RangeFrom, RangeInclusive, RangeTo, RangeToInclusive};

use crate::Error;

/// Which bytes of an object: made from Rust's own ranges, or its last `n` bytes.
///
/// ```
/// use wharf_proto::ByteRange;
/// assert_eq!(ByteRange::from(0..10).to_header()?, "bytes=0-9");
/// assert_eq!(ByteRange::from(100..).to_header()?, "bytes=100-");
/// assert_eq!(ByteRange::last(500).to_header()?, "bytes=-500");
/// # Ok::<(), wharf_proto::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ByteRange(Form);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Form {
    /// First byte, and how many; `None` for all that follow.
    From(u64, Option<u64>),
    Last(u64),
}

impl ByteRange {
    /// The last `count` bytes, or the whole object where it is shorter.
    pub fn last(count: u64) -> Self {
        Self(Form::Last(count))
    }

    /// As the `Range` header has it.
    ///
    /// # Errors
    /// A range without bytes: HTTP cannot ask for nothing.
    pub fn to_header(self) -> Result<String, Error> {
        match self.0 {
            Form::From(_, Some(0)) | Form::Last(0) => Err(Error::invalid_input("the byte range is empty")),
            Form::From(first, Some(count)) => Ok(format!("bytes={first}-{}", first.saturating_add(count - 1))),
            Form::From(first, None) => Ok(format!("bytes={first}-")),
            Form::Last(count) => Ok(format!("bytes=-{count}")),
        }
    }
}

impl ByteRange {
    /// Which bytes these are of an object of `size` bytes; `None` where it has none of them.
    ///
    /// ```
    /// # use wharf_proto::ByteRange;
    /// assert_eq!(ByteRange::from(5..).of(9), Some(5..9));
    /// assert_eq!(ByteRange::last(20).of(9), Some(0..9));
    /// assert_eq!(ByteRange::from(9..).of(9), None);
    /// ```
    pub fn of(self, size: u64) -> Option<Range<u64>> {
        let range = match self.0 {
            Form::From(first, None) => first..size,
            Form::From(first, Some(count)) => first..first.saturating_add(count).min(size),
            Form::Last(count) => size.saturating_sub(count)..size,
        };
        (range.start < range.end).then_some(range)
    }

    /// Whether an answer of `length` bytes that begins with the object's first byte can be this range.
    pub(crate) fn is_whole(self, length: u64) -> bool {
        match self.0 {
            Form::From(first, count) => first == 0 && count.is_none_or(|count| length <= count),
            Form::Last(count) => length <= count,
        }
    }
}

impl From<Range<u64>> for ByteRange {
    fn from(range: Range<u64>) -> Self {
        Self(Form::From(range.start, Some(range.end.saturating_sub(range.start))))
    }
}

impl From<RangeInclusive<u64>> for ByteRange {
    fn from(range: RangeInclusive<u64>) -> Self {
        let count = range.end().saturating_add(1).saturating_sub(*range.start());
        Self(Form::From(*range.start(), Some(count)))
    }
}

impl From<RangeFrom<u64>> for ByteRange {
    fn from(range: RangeFrom<u64>) -> Self {
        Self(Form::From(range.start, None))
    }
}

impl From<RangeTo<u64>> for ByteRange {
    fn from(range: RangeTo<u64>) -> Self {
        Self::from(0..range.end)
    }
}

impl From<RangeToInclusive<u64>> for ByteRange {
    fn from(range: RangeToInclusive<u64>) -> Self {
        Self::from(0..=range.end)
    }
}

/// Which bytes an answer holds, of how many: `Content-Range`.
///
/// ```
/// let range = wharf_proto::ContentRange::parse("bytes 5-9/443").unwrap();
/// assert_eq!((range.bytes, range.size), (5..10, Some(443)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentRange {
    /// The bytes.
    pub bytes: Range<u64>,
    /// The size of the whole object, where the server knows it.
    pub size: Option<u64>,
}

impl ContentRange {
    /// Reads the header; `None` for what names no bytes.
    pub fn parse(header: &str) -> Option<Self> {
        let (bytes, size) = header.trim().strip_prefix("bytes")?.trim_start().split_once('/')?;
        let (first, last) = bytes.split_once('-')?;
        let first: u64 = first.trim().parse().ok()?;
        let end = last.trim().parse::<u64>().ok()?.checked_add(1)?;
        let size = match size.trim() {
            "*" => None,
            size => Some(size.parse().ok()?),
        };
        let holds = first < end && size.is_none_or(|size| end <= size);
        holds.then_some(Self { bytes: first..end, size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_read_and_nonsense_is_not() {
        assert_eq!(ContentRange::parse("bytes 0-0/1"), Some(ContentRange { bytes: 0..1, size: Some(1) }));
        assert_eq!(ContentRange::parse("bytes 3-7/*"), Some(ContentRange { bytes: 3..8, size: None }));
        for nonsense in
            ["", "bytes */10", "bytes 5-4/10", "bytes 5-10/10", "items 0-1/2", "bytes 0-18446744073709551615/*"]
        {
            assert_eq!(ContentRange::parse(nonsense), None, "{nonsense}");
        }
    }
}
