//! The formats of records, and the words that their errors share.

use std::fmt::{self, Display};

use crate::{BoxError, Error, escape};

/// A format that records are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// One record as a JSON document.
    Json,
    /// One record as an XML document.
    Xml,
    /// Many records as CSV: a header row, then a record a row.
    Csv,
}

impl Format {
    /// The format that a key's extension names: `.json`, `.xml` or `.csv`, in any case.
    ///
    /// ```
    /// use wharf_proto::content::Format;
    /// assert_eq!(Format::from_key("users/1.JSON"), Some(Format::Json));
    /// assert_eq!(Format::from_key("v1.json/users"), None);
    /// ```
    pub fn from_key(key: &str) -> Option<Self> {
        let (_, extension) = file_name(key).rsplit_once('.')?;
        [Self::Json, Self::Xml, Self::Csv].into_iter().find(|format| extension.eq_ignore_ascii_case(format.extension()))
    }

    /// The extension of its keys, and the crate feature that it needs.
    const fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Xml => "xml",
            Self::Csv => "csv",
        }
    }

    #[cfg(not(all(feature = "json", feature = "xml", feature = "csv")))]
    pub(super) fn feature_off(self) -> Error {
        let feature = self.extension();
        Error::invalid_input(format!("{self} needs the feature `{feature}`, which is off"))
    }
}

impl Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "JSON",
            Self::Xml => "XML",
            Self::Csv => "CSV",
        })
    }
}

/// What follows the last slash of a key.
pub(super) fn file_name(key: &str) -> &str {
    key.rsplit_once('/').map_or(key, |(_, name)| name)
}

/// What is wrong with a document, before it is known which object it came from.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) cause: Option<BoxError>,
}

impl Problem {
    pub(super) fn new(message: impl Display) -> Self {
        Self { message: one_line(message), cause: None }
    }

    pub(super) fn with_cause(self, cause: impl Into<BoxError>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }
}

/// A value that cannot be written. `problem` says what it is about it.
#[cfg(any(feature = "json", feature = "xml", feature = "csv"))]
pub(super) fn cannot_write(format: Format, problem: Problem) -> Error {
    let error = Error::invalid_input(format!("the value cannot be written as {format}: {}", problem.message));
    match problem.cause {
        Some(cause) => error.with_cause(cause),
        None => error,
    }
}

/// A library's message on one line of bounded length: it may quote the content, which may hold anything.
fn one_line(message: impl Display) -> String {
    const MAX_CHARS: usize = 240;
    let message = message.to_string();
    match message.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}...", escape::line(&message[..end])),
        None => escape::line(&message).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_names_the_format() {
        for (key, format) in [
            ("users/1.json", Some(Format::Json)),
            ("users/1.JSON", Some(Format::Json)),
            ("a.b.xMl", Some(Format::Xml)),
            ("/x/.csv", Some(Format::Csv)),
            ("users/1.json.gz", None),
            ("v1.json/users", None),
            ("json", None),
            ("users/", None),
            ("", None),
            ("1.jso\u{212a}n", None),
        ] {
            assert_eq!(Format::from_key(key), format, "{key}");
        }
    }

    #[test]
    fn a_message_stays_on_one_short_line() {
        assert_eq!(one_line("a\r\nb\u{0}\u{2028}c é"), "a\\r\\nb\\0\\u{2028}c é");
        assert_eq!(one_line("é".repeat(240)), "é".repeat(240));
        assert_eq!(one_line("é".repeat(241)), "é".repeat(240) + "...");
    }
}
