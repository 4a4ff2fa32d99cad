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
