//! A file's time and permissions, as an object's metadata have them.

use std::time::{Duration, SystemTime};

use wharf_proto::ObjectHead;

/// When the file was changed: `mtime` as rclone and s3fs write it, in seconds since 1970, else when the object was stored.
pub(super) fn modified(head: &ObjectHead) -> Option<SystemTime> {
    head.metadata.get("mtime").and_then(|text| time(text)).or(head.last_modified)
}

fn time(text: &str) -> Option<SystemTime> {
    let (seconds, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let (seconds, before_1970) = match seconds.strip_prefix('-') {
        Some(seconds) => (seconds, true),
        None => (seconds, false),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if seconds.is_empty() || !digits(seconds) || !digits(fraction) {
        return None;
    }
    let nanoseconds = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let distance = Duration::new(seconds.parse().ok()?, nanoseconds);
    if before_1970 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    }
}

/// The file's permissions, never more than these: `mode` in octal, with or without the kind of the file in front, or in
/// decimal as s3fs writes it.
pub(super) fn mode(head: &ObjectHead) -> Option<u32> {
    head.metadata.get("mode").and_then(|text| permissions(text.trim()))
}

fn permissions(text: &str) -> Option<u32> {
    /// A regular file, in `st_mode`.
    const REGULAR: u32 = 0o100_000;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Five digits are s3fs's decimal: a regular file's mode in octal has six, permissions alone three or four.
    let is_decimal = text.len() == 5 && text.starts_with('3');
    let mode = u32::from_str_radix(text, if is_decimal { 10 } else { 8 }).ok()?;
    let kind = mode & !0o7777;
    (kind == 0 || kind == REGULAR).then_some(mode & 0o777)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_with_a_fraction() {
        let at = |seconds, nanoseconds| Some(SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds));
        assert_eq!(time("1700000000"), at(1_700_000_000, 0));
        assert_eq!(time(" 1700000000.25"), at(1_700_000_000, 250_000_000));
        assert_eq!(time("0.1234567891"), at(0, 123_456_789));
        assert_eq!(time("-1.5"), Some(SystemTime::UNIX_EPOCH - Duration::from_millis(1500)));
        for nonsense in ["", "x", "1e9", "1.x", ".5", "99999999999999999999"] {
            assert_eq!(time(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn permissions_come_in_three_writings_and_never_with_more() {
        for (text, expected) in [
            ("644", Some(0o644)),
            ("0644", Some(0o644)),
            ("100640", Some(0o640)),
            ("0100640", Some(0o640)),
            ("33188", Some(0o644)),
            ("4755", Some(0o755)),
            ("104755", Some(0o755)),
            ("040755", None),
            ("16877", None),
            ("rw-r--r--", None),
            ("", None),
        ] {
            assert_eq!(permissions(text), expected, "{text}");
        }
    }
}
