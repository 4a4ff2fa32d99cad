//! Times for people: in the time zone of this machine, as aws-cli writes them.

use std::env;
use std::fs;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Where Unix systems keep their time zones.
const ZONES: &str = "/usr/share/zoneinfo";

/// Writes times in the zone of `TZ`, or else of the system, or else in UTC.
pub(crate) struct LocalTime(TimeZone);

impl LocalTime {
    pub(crate) fn new() -> Self {
        Self(named_zone().or_else(|| TimeZone::try_system().ok()).unwrap_or(TimeZone::UTC))
    }

    /// `2026-11-22 10:00:00`; as many spaces where the server did not say.
    pub(crate) fn text(&self, time: Option<SystemTime>) -> String {
        format!("{:19}", self.written(time, "%Y-%m-%d %H:%M:%S"))
    }

    /// `10:00:00`.
    pub(crate) fn time_of_day(&self, time: Option<SystemTime>) -> String {
        self.written(time, "%H:%M:%S")
    }

    fn written(&self, time: Option<SystemTime>, format: &str) -> String {
        let timestamp = time.and_then(|time| Timestamp::try_from(time).ok());
        timestamp.map(|at| self.0.to_datetime(at).strftime(format).to_string()).unwrap_or_default()
    }
}

/// The zone that `TZ` names, such as `Europe/Lisbon`. Its one file is read here: the library would look through all of
/// them first, and that takes longer than the rest of a short listing.
fn named_zone() -> Option<TimeZone> {
    let name = env::var("TZ").ok()?;
    let name = name.strip_prefix(':').unwrap_or(&name);
    if name.is_empty() || name.contains("..") || name.starts_with('/') {
        return None;
    }
    TimeZone::tzif(name, &fs::read(format!("{ZONES}/{name}")).ok()?).ok()
}
