//! The three ways S3 writes time, to and from [`SystemTime`].

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use crate::Error;

/// `Wed, 21 Oct 2026 07:28:00 GMT`, as headers have it.
pub(crate) fn format_http_date(time: SystemTime) -> Result<String, Error> {
    let unrepresentable = |_| Error::invalid_input("the time is too far away to be written as a date");
    let timestamp = Timestamp::try_from(time).map_err(unrepresentable)?;
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&timestamp).map_err(unrepresentable)
}

/// `2026-10-21T07:28:00Z`, as object lock dates and policies have it. Fractions of a second are kept, to the
/// millisecond.
///
/// # Errors
/// A time before the year -9999 or after 9999.
pub fn format_iso8601(time: SystemTime) -> Result<String, Error> {
    let unrepresentable = |_| Error::invalid_input("the time is too far away to be written as a date");
    let timestamp = Timestamp::try_from(time).map_err(unrepresentable)?;
    let millis = timestamp.as_millisecond();
    let timestamp = Timestamp::from_millisecond(millis).map_err(unrepresentable)?;
    Ok(timestamp.to_string())
}

/// Reads a header's date.
pub(crate) fn parse_http_date(text: &str) -> Option<SystemTime> {
    let parsed = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text.trim());
    parsed.ok().map(SystemTime::from)
}

/// Reads a document's date. Listings are full of them, so the form that all servers use is read by hand.
pub fn parse_iso8601(text: &str) -> Option<SystemTime> {
    utc_by_hand(text.as_bytes()).or_else(|| text.trim().parse::<Timestamp>().ok().map(SystemTime::from))
}

/// `YYYY-MM-DDTHH:MM:SS[.fff]Z` after 1970, nothing else.
fn utc_by_hand(text: &[u8]) -> Option<SystemTime> {
    let number = |from: usize, to: usize| -> Option<u64> {
        let digits = text.get(from..to)?;
        digits.iter().try_fold(0u64, |n, d| d.is_ascii_digit().then(|| n * 10 + u64::from(d - b'0')))
    };
    let separator = |at: usize, c: u8| text.get(at) == Some(&c);
    if !(separator(4, b'-') && separator(7, b'-') && separator(10, b'T') && separator(13, b':') && separator(16, b':'))
    {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let fraction = text.get(19..text.len().checked_sub(1)?)?;
    let in_range = year >= 1970 && (1..=12).contains(&month) && (1..=28).contains(&day);
    if text.last() != Some(&b'Z') || !in_range || hour > 23 || minute > 59 || second > 59 {
        // Days 29 to 31 are left to the library, which knows how long months are.
        return None;
    }
    let nanos = match fraction {
        [] => 0,
        [b'.', digits @ ..] if (1..=9).contains(&digits.len()) => {
            let value = number(20, 20 + digits.len())?;
            value * 10u64.pow(9 - digits.len() as u32)
        }
        _ => return None,
    };
    // Days from the civil calendar, counted from a year that begins in March so that the leap day comes last.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719_468;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanos as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand_agrees_with_the_library() {
        for text in [
            "1970-01-01T00:00:00Z",
            "2000-02-28T23:59:59.999Z",
            "2000-03-01T00:00:00.5Z",
            "2024-02-28T12:00:00.000Z",
            "2100-12-01T01:02:03.123456789Z",
        ] {
            let expected = SystemTime::from(text.parse::<Timestamp>().unwrap());
            assert_eq!(utc_by_hand(text.as_bytes()), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_unusual_is_left_to_the_library() {
        assert!(utc_by_hand(b"2024-02-29T12:00:00Z").is_none());
        assert!(parse_iso8601("2024-02-29T12:00:00Z").is_some());
        assert!(parse_iso8601("2024-02-30T12:00:00Z").is_none());
        assert!(parse_iso8601("2024-02-01T12:00:00+01:00").is_some());
        assert!(parse_iso8601("yesterday").is_none());
    }

    #[test]
    fn http_dates_round_trip() {
        let text = "Wed, 21 Oct 2026 07:28:00 GMT";
        assert_eq!(format_http_date(parse_http_date(text).unwrap()).unwrap(), text);
    }
}
