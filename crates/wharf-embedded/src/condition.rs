//! Conditions: what a request demands of the object that is there.

use std::time::SystemTime;

use http::HeaderMap;

use crate::backend::Object;
use crate::error::{Code, Error, Result};
use crate::time::{parse_http_date, whole_seconds};

/// The entity tags of If-Match or If-None-Match.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    Any,
    /// Without quotes.
    These(Vec<String>),
}

impl Tags {
    fn parse(text: &str) -> Self {
        if text.trim() == "*" {
            return Tags::Any;
        }
        let bare = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned();
        Tags::These(text.split(',').map(bare).collect())
    }

    fn hold(&self, etag: &str) -> bool {
        match self {
            Tags::Any => true,
            Tags::These(tags) => tags.iter().any(|tag| tag == etag),
        }
    }
}

/// The conditions of a write or a delete, judged in the same step as it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Guard {
    matches: Option<Tags>,
    absent: bool,
}

impl Guard {
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self> {
        let matches = text(headers, "if-match").map(Tags::parse);
        let absent = match text(headers, "if-none-match") {
            None => false,
            Some(value) if value.trim() == "*" => true,
            Some(_) => {
                return Err(Error::from(Code::NotImplemented).detail("Header", "If-None-Match").detail(
                    "additionalMessage",
                    "We don't accept the provided value of If-None-Match header for this API",
                ));
            }
        };
        if absent && matches.is_some() {
            return Err(Error::new(Code::NotImplemented, "If-Match and If-None-Match cannot be used together"));
        }
        Ok(Self { matches, absent })
    }

    /// The condition that an entity tag holds, as DeleteObjects has it per key.
    pub(crate) fn etag(etag: Option<&str>) -> Self {
        Self { matches: etag.map(Tags::parse), absent: false }
    }

    pub(crate) fn check(&self, current: Option<&Object>) -> Result<()> {
        match (&self.matches, current) {
            (Some(_), None) => return Err(Code::NoSuchKey.into()),
            (Some(tags), Some(object)) if !tags.hold(&object.etag) => return Err(failed("If-Match")),
            _ => {}
        }
        if self.absent && current.is_some() {
            return Err(failed("If-None-Match"));
        }
        Ok(())
    }
}

/// What happened to a key since an upload to it began.
pub(crate) struct Since {
    /// There was an object when it began.
    pub(crate) replaces: bool,
    /// The object that is there now has come since.
    pub(crate) overwritten: bool,
}

impl Guard {
    /// Whether it holds by what happened since an upload began, which is for a new upload to settle.
    pub(crate) fn check_since(&self, since: &Since, key: &str) -> Result<()> {
        let condition = match self {
            Self { absent: true, .. } if since.replaces => "If-None-Match",
            Self { matches: Some(_), .. } if since.overwritten => "If-Match",
            _ => return Ok(()),
        };
        Err(Error::from(Code::ConditionalRequestConflict).detail("Condition", condition).detail("Key", key))
    }
}

/// The four conditions of a read at `now`; `prefix` is "" or "x-amz-copy-source-".
pub(crate) fn check_read(
    headers: &HeaderMap,
    prefix: &str,
    object: &Object,
    modified: SystemTime,
    now: SystemTime,
) -> Result<()> {
    let header = |name: &str| text(headers, &format!("{prefix}{name}"));
    let date = |name: &str| header(name).and_then(parse_http_date).map(whole_seconds);
    let modified = whole_seconds(modified);
    let unmet = |name: &str| failed(&format!("{prefix}{name}"));
    match header("if-match") {
        Some(tags) if !Tags::parse(tags).hold(&object.etag) => return Err(unmet("If-Match")),
        Some(_) => {}
        // A date counts only where no tag was given, as in HTTP.
        None => {
            if date("if-unmodified-since").is_some_and(|date| modified > date) {
                return Err(unmet("If-Unmodified-Since"));
            }
        }
    }
    // A copy whose source has not changed fails; a read of it is told so.
    let unchanged = |name| if prefix.is_empty() { Error::from(Code::NotModified) } else { unmet(name) };
    match header("if-none-match") {
        Some(tags) if Tags::parse(tags).hold(&object.etag) => Err(unchanged("If-None-Match")),
        Some(_) => Ok(()),
        // A date of the future counts as absent, as in HTTP.
        None if date("if-modified-since").is_some_and(|date| modified <= date && date <= whole_seconds(now)) => {
            Err(unchanged("If-Modified-Since"))
        }
        None => Ok(()),
    }
}

fn failed(condition: &str) -> Error {
    Error::from(Code::PreconditionFailed).detail("Condition", condition)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
