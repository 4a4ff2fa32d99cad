//! Sizes and durations as they are typed, and sizes as they are printed.

use std::str::FromStr;
use std::time::Duration;

const SIZES: [(&str, u32); 6] = [("B", 0), ("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40), ("PiB", 50)];

const TIMES: [(char, u64); 5] = [('s', 1), ('m', 60), ('h', 3600), ('d', 24 * 3600), ('w', 7 * 24 * 3600)];

/// Reads `8388608`, `8MiB`, `8M`, `8MB` or `1.5GiB`: units are powers of 1024, with and without the `i`, as in aws-cli's files.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let problem = || not_like("a size", "1048576, 512KiB, 8MiB or 1.5GiB", text);
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let is_unit = |name: &str| {
        [name, &name.replace('i', ""), name.trim_end_matches("iB")].iter().any(|name| unit.eq_ignore_ascii_case(name))
    };
    let bits = match unit {
        "" => 0,
        _ => SIZES.iter().find(|(name, _)| is_unit(name)).map(|(_, bits)| *bits).ok_or_else(problem)?,
    };
    let bytes = match number.contains('.') {
        false => number.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << bits)),
        true => number.parse::<f64>().ok().map(|number| (number * (1_u64 << bits) as f64) as u64),
    };
    bytes.filter(|bytes| *bytes > 0).ok_or_else(problem)
}

/// The same for what is meant a second: `10MiB` and `10MiB/s`.
pub(crate) fn rate(text: &str) -> Result<u64, String> {
    size(text.strip_suffix("/s").unwrap_or(text))
}

/// Reads how many names a page of a listing has. S3 knows no more than 1000, and to ask for more is no mistake.
pub(crate) fn page_size(text: &str) -> Result<u32, String> {
    let count = text.parse::<u64>().ok().filter(|count| *count > 0);
    count.map(|count| count.min(1000) as u32).ok_or_else(|| "it is a number, from 1 on".to_owned())
}

/// Reads `90s`, `30m`, `12h`, `1d`, `2w`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.chars().last().and_then(|unit| {
        let (_, seconds) = TIMES.iter().find(|(name, _)| *name == unit)?;
        text[..text.len() - 1].parse::<u64>().ok()?.checked_mul(*seconds)
    });
    seconds.map(Duration::from_secs).ok_or_else(|| not_like("a duration", "10s, 30m, 12h or 7d", text))
}

/// Reads a number that may be 0.
pub(crate) fn whole<N: FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| not_like("a whole number", "0, 5 or 60", text))
}

/// What to say of a text that is no `what`.
fn not_like(what: &str, examples: &str, text: &str) -> String {
    let is_negative = text.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let but = if is_negative { ", and is never negative".to_owned() } else { format!(", not {text:?}") };
    format!("{what} reads like {examples}{but}")
}

/// A size as aws-cli writes it: `1 Byte`, `512 Bytes`, `2.9 KiB`.
pub(crate) fn human(bytes: u64) -> String {
    match bytes {
        1 => return "1 Byte".to_owned(),
        0..1024 => return format!("{bytes} Bytes"),
        _ => {}
    }
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    // What would be written as 1024.0 of one unit is 1.0 of the next.
    while value.round() >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_change_units_where_aws_does() {
        for (bytes, text) in [
            (0, "0 Bytes"),
            (1, "1 Byte"),
            (1023, "1023 Bytes"),
            (1024, "1.0 KiB"),
            (2950, "2.9 KiB"),
            (1_048_063, "1023.5 KiB"),
            (1_048_064, "1.0 MiB"),
            (5 << 30, "5.0 GiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(human(bytes), text, "{bytes}");
        }
    }

    #[test]
    fn sizes_are_read_with_and_without_units() {
        for (text, bytes) in [
            ("1", 1),
            ("1048576", 1 << 20),
            ("512b", 512),
            ("8MiB", 8 << 20),
            ("8m", 8 << 20),
            ("1.5GiB", 3 << 29),
            ("64kib", 64 << 10),
            ("2T", 2 << 40),
            ("10MB", 10 << 20),
            ("64kb", 64 << 10),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "0", "8Mi", "8BB", "MiB", "-1", "1e3", "8 MiB", "99999999999999999999", "20000PiB", "0.0K"] {
            assert!(size(text).is_err(), "{text}");
        }
        assert_eq!((rate("10MiB/s"), rate("10MB")), (Ok(10 << 20), Ok(10 << 20)));
    }

    #[test]
    fn no_page_has_more_than_1000_names() {
        for (text, count) in [("1", 1), ("1000", 1000), ("1001", 1000), ("9999999999", 1000)] {
            assert_eq!(page_size(text), Ok(count), "{text}");
        }
        for text in ["0", "-1", "x", "", "1.5"] {
            assert!(page_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_have_a_unit() {
        for (text, seconds) in [("90s", 90), ("30m", 1800), ("12h", 43_200), ("1d", 86_400), ("2w", 1_209_600)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "1", "d", "1y", "-1d", "1.5h", "99999999999999999999d", "é"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert_eq!(duration("-1d").unwrap_err(), "a duration reads like 10s, 30m, 12h or 7d, and is never negative");
        assert_eq!(duration("--quiet").unwrap_err(), "a duration reads like 10s, 30m, 12h or 7d, not \"--quiet\"");
    }
}
