//! What verbs tell: each type of message has a form for people, its `Display`, and one for programs, its JSON.
//!
//! The JSON of every message has `type`; docs/command.md lists all of them with their fields.

use std::fmt;
use std::time::SystemTime;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use wharf::proto::escape;

use crate::error::HINT;

/// Something that is printed.
pub(crate) trait Message: fmt::Display + Serialize {}

impl<M: fmt::Display + Serialize> Message for M {}

/// What somebody should know, and what ends no command.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename = "warning")]
pub(crate) struct Warning {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// Whether the message says it all.
    #[serde(skip)]
    is_whole: bool,
}

impl Warning {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { path: None, message: message.into(), hint: None, is_whole: true }
    }

    /// Of a file or an object that the message names.
    pub(crate) fn about(path: impl fmt::Display, message: impl Into<String>) -> Self {
        Self { path: Some(path.to_string()), message: message.into(), hint: None, is_whole: true }
    }

    /// Of a file or an object that is left out.
    pub(crate) fn skipping(path: impl fmt::Display, why: impl Into<String>) -> Self {
        Self { path: Some(path.to_string()), message: why.into(), hint: None, is_whole: false }
    }

    /// Of what was under way when a signal came. `left`: how to find it.
    pub(crate) fn not_put_away(left: &str) -> Self {
        Self::new("what was under way could not be put away in time").hint(left)
    }

    /// Adds what the reader can do about it.
    pub(crate) fn hint(self, text: impl Into<String>) -> Self {
        Self { hint: Some(text.into()), ..self }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) if !self.is_whole => {
                let name = escape::name(path);
                // A dot at its end and the sentence's would be taken for `..`.
                let quote = if name.ends_with('.') { "\"" } else { "" };
                write!(f, "warning: Skipping file {quote}{name}{quote}. {}", escape::line(&self.message))?;
            }
            _ => write!(f, "warning: {}", escape::line(&self.message))?,
        }
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "{HINT}{}", escape::line(hint)))
    }
}

/// A time in JSON: `2026-11-25T20:15:18Z`, or null where it is not known.
pub(crate) fn time<S: Serializer>(time: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
    time.and_then(|time| Timestamp::try_from(time).ok()).map(|time| time.to_string()).serialize(serializer)
}
