//! The timestamp of a signature, `YYYYMMDDTHHMMSSZ`.

use std::fmt;
use std::time::{Duration, SystemTime};

const DAY: u64 = 86_400;
/// 9999-12-31T23:59:59Z: the last second that four digits of year can say.
const LAST: u64 = 253_402_300_799;

/// A time as SigV4 writes it: UTC, whole seconds, `20130524T000000Z`.
///
/// Times before 1970 and after 9999 become the nearest one that can be written. A server refuses such a signature
/// because of the skew, so an error here would add nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AmzDate([u8; 16]);

impl AmzDate {
    /// Writes `time` down.
    pub fn new(time: SystemTime) -> Self {
        let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs().min(LAST);
        let (year, month, day) = civil(seconds / DAY);
        let clock = seconds % DAY;

        let mut text = *b"YYYYmmddTHHMMSSZ";
        two_digits(&mut text, 0, year / 100);
        two_digits(&mut text, 2, year % 100);
        two_digits(&mut text, 4, month);
        two_digits(&mut text, 6, day);
        two_digits(&mut text, 9, clock / 3600);
        two_digits(&mut text, 11, clock / 60 % 60);
        two_digits(&mut text, 13, clock % 60);
        Self(text)
    }

    /// The whole timestamp, `20130524T000000Z`: the value of `x-amz-date`.
    pub fn as_str(&self) -> &str {
        super::ascii(&self.0)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn day_bytes(&self) -> &[u8] {
        &self.0[..8]
    }

    /// Its day, `20130524`: what a signing key and a credential scope are made for.
    pub fn day(&self) -> &str {
        super::ascii(&self.0[..8])
    }
}

impl fmt::Debug for AmzDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for AmzDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn two_digits(text: &mut [u8; 16], at: usize, number: u64) {
    // Below 100 by construction, so that neither cast loses anything.
    text[at] = b'0' + (number / 10) as u8;
    text[at + 1] = b'0' + (number % 10) as u8;
}

/// Year, month and day of the Gregorian calendar, from the days since 1970-01-01.
///
/// Counted in years that begin on 1 March, which puts the leap day last, in eras of 400 years (146,097 days) that
/// began on 0000-03-01, which is 719,468 days before 1970.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> String {
        AmzDate::new(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
    }

    #[test]
    fn known_times() {
        assert_eq!(at(0), "19700101T000000Z");
        assert_eq!(at(951_827_696), "20000229T123456Z");
        assert_eq!(at(1_369_353_600), "20130524T000000Z");
        assert_eq!(at(1_440_938_160), "20150830T123600Z");
        assert_eq!(at(4_107_542_399), "21000228T235959Z");
        assert_eq!(at(4_107_542_400), "21000301T000000Z");
        assert_eq!(at(LAST), "99991231T235959Z");
    }

    #[test]
    fn every_day_agrees_with_a_date_library() {
        for day in 0..200_000 {
            let seconds = day * DAY + day % DAY;
            let expected = jiff::Timestamp::from_second(seconds as i64).unwrap().strftime("%Y%m%dT%H%M%SZ").to_string();
            assert_eq!(at(seconds), expected);
        }
    }

    #[test]
    fn times_that_cannot_be_written_become_the_nearest() {
        assert_eq!(AmzDate::new(SystemTime::UNIX_EPOCH - Duration::from_secs(1)).as_str(), "19700101T000000Z");
        assert_eq!(at(LAST + 1), "99991231T235959Z");
    }

    #[test]
    fn the_day_is_its_head() {
        assert_eq!(AmzDate::new(SystemTime::UNIX_EPOCH).day(), "19700101");
    }
}
