//! Points in time, as S3 writes and reads them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use s3s::dto::{Timestamp, TimestampFormat};

/// `Wed, 21 Oct 2015 07:28:00 GMT`, for HTTP headers.
pub(crate) fn http_date(at: SystemTime) -> String {
    httpdate::fmt_http_date(writable(at))
}

/// The nearest time that both forms can write: a clock of the caller's making may say anything.
fn writable(at: SystemTime) -> SystemTime {
    const LAST: Duration = Duration::from_secs(253_402_300_799);
    at.clamp(UNIX_EPOCH, UNIX_EPOCH + LAST)
}

/// Reads the date of an HTTP header. What is not a date counts as absent, as it does at S3.
pub(crate) fn parse_http_date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text.trim()).ok()
}

/// `2015-10-21T07:28:00.000Z`, for documents.
pub(crate) fn iso_date(at: SystemTime) -> String {
    let mut out = Vec::new();
    match Timestamp::from(writable(at)).format(TimestampFormat::DateTime, &mut out) {
        Ok(()) => String::from_utf8(out).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

/// The same in whole seconds, as S3 says when an object was written.
pub(crate) fn object_date(at: SystemTime) -> String {
    iso_date(UNIX_EPOCH + Duration::from_secs(whole_seconds(at)))
}

/// Reads `2015-10-21T07:28:00Z`, with or without a fraction or an offset.
pub(crate) fn parse_iso_date(text: &str) -> Option<SystemTime> {
    let at = Timestamp::parse(TimestampFormat::DateTime, text).ok()?;
    let mut out = Vec::new();
    at.format(TimestampFormat::EpochSeconds, &mut out).ok()?;
    let seconds: f64 = std::str::from_utf8(&out).ok()?.parse().ok()?;
    UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?)
}

/// Reads `20151021T072800Z`, the time of a signature.
pub(crate) fn parse_amz_date(text: &str) -> Option<SystemTime> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 16
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 => *byte == b'T',
            15 => *byte == b'Z',
            _ => byte.is_ascii_digit(),
        });
    if !shaped {
        return None;
    }
    let (date, time) = (text.get(..8)?, text.get(9..15)?);
    parse_iso_date(&format!(
        "{}-{}-{}T{}:{}:{}Z",
        &date[..4],
        &date[4..6],
        &date[6..],
        &time[..2],
        &time[2..4],
        &time[4..]
    ))
}

/// The whole seconds of `at`, in which HTTP compares dates.
pub(crate) fn whole_seconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_every_form() {
        let at = UNIX_EPOCH + Duration::from_millis(1_445_412_480_250);
        assert_eq!(http_date(at), "Wed, 21 Oct 2015 07:28:00 GMT");
        assert_eq!(iso_date(at), "2015-10-21T07:28:00.250Z");
        assert_eq!(object_date(at), "2015-10-21T07:28:00.000Z");
        let second = UNIX_EPOCH + Duration::from_secs(1_445_412_480);
        assert_eq!(parse_amz_date("20151021T072800Z"), Some(second));
        assert_eq!(parse_http_date("Wed, 21 Oct 2015 07:28:00 GMT"), Some(second));
        assert_eq!(parse_iso_date("2015-10-21T07:28:00Z"), Some(second));
        assert_eq!(http_date(UNIX_EPOCH - Duration::from_secs(1)), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(iso_date(UNIX_EPOCH + Duration::from_secs(1 << 50)), "9999-12-31T23:59:59.000Z");
        assert_eq!(parse_amz_date("20151321T072800Z"), None);
        assert_eq!(parse_amz_date("2015-10-21"), None);
        assert_eq!(parse_http_date("yesterday"), None);
    }
}
