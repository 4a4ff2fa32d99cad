//! Records: typed content whose format the key names.

use serde::Serialize;

use super::format::Format;
use crate::Error;
use crate::body::{Body, IntoBody};

/// One record, as JSON or XML by the key's extension: `.json` or `.xml`, in any case.
///
/// In XML the root element has the key's file name without extension, made a legal XML name: `users/1.xml` holds
/// `<_1>`. Else it is written as [`Json`](super::Json) and [`Xml`](super::Xml) are.
///
/// # Errors
/// The call fails with [`InvalidInput`](crate::ErrorKind::InvalidInput) where the key has no such extension and no
/// [`format`](Record::format) is given, and for CSV, which holds [`Records`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<T>(pub T);

impl<T> Record<T> {
    /// Writes it in this format, whatever the key's extension.
    pub fn format(self, format: Format) -> Formatted<Self> {
        Formatted { content: self, format }
    }
}

/// Many records, as CSV by the key's extension `.csv`, in any case: a header row, then a record a row.
///
/// # Errors
/// The call fails with [`InvalidInput`](crate::ErrorKind::InvalidInput) where the key has another extension, or none,
/// and no [`format`](Records::format) is given. A list as one JSON document is [`Json`](super::Json)`(list)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Records<I>(pub I);

impl<I> Records<I> {
    /// Writes them in this format, whatever the key's extension. Only CSV holds many records.
    pub fn format(self, format: Format) -> Formatted<Self> {
        Formatted { content: self, format }
    }
}

/// A [`Record`] or [`Records`] in a given format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Formatted<C> {
    content: C,
    format: Format,
}

impl<T: Serialize> IntoBody for Record<T> {
    fn into_body(self, key: &str) -> Body {
        record_format(key).map_or_else(Body::failed, |format| self.format(format).into_body(key))
    }
}

impl<I: IntoIterator<Item: Serialize>> IntoBody for Records<I> {
    fn into_body(self, key: &str) -> Body {
        records_format(key).map_or_else(Body::failed, |format| self.format(format).into_body(key))
    }
}

impl<T: Serialize> IntoBody for Formatted<Record<T>> {
    #[cfg_attr(not(feature = "xml"), expect(unused_variables, reason = "the key names the root element of XML"))]
    fn into_body(self, key: &str) -> Body {
        match self.format {
            #[cfg(feature = "json")]
            Format::Json => super::json::body(&self.content.0),
            #[cfg(feature = "xml")]
            Format::Xml => super::xml::body(&self.content.0, Some(&super::xml_name::root_name(key))),
            Format::Csv => Body::failed(one_is_not_csv()),
            #[cfg(not(all(feature = "json", feature = "xml")))]
            off => Body::failed(off.feature_off()),
        }
    }
}

impl<I: IntoIterator<Item: Serialize>> IntoBody for Formatted<Records<I>> {
    fn into_body(self, _key: &str) -> Body {
        match self.format {
            #[cfg(feature = "csv")]
            Format::Csv => super::csv::body(self.content.0),
            #[cfg(not(feature = "csv"))]
            Format::Csv => Body::failed(Format::Csv.feature_off()),
            other => Body::failed(many_are_csv(other)),
        }
    }
}

/// The format of one record under `key`.
pub(super) fn record_format(key: &str) -> Result<Format, Error> {
    match Format::from_key(key) {
        Some(Format::Csv) => Err(one_is_not_csv()),
        Some(format) => Ok(format),
        None => Err(Error::invalid_input("the key's extension is neither .json nor .xml, and no format is given")),
    }
}

/// The format of many records under `key`: CSV.
pub(super) fn records_format(key: &str) -> Result<Format, Error> {
    match Format::from_key(key) {
        Some(Format::Csv) => Ok(Format::Csv),
        Some(other) => Err(many_are_csv(other)),
        None => Err(Error::invalid_input("the key's extension is not .csv, and no format is given")),
    }
}

pub(super) fn one_is_not_csv() -> Error {
    Error::invalid_input("CSV holds many records, this is one").with_hint("write Records(list); read .records()")
}

pub(super) fn many_are_csv(format: Format) -> Error {
    let hint = match format {
        Format::Xml => "write the list in a struct, Xml(..); read .xml()",
        _ => "write the list as one value, Json(list); read .json::<Vec<_>>()",
    };
    Error::invalid_input(format!("records are CSV, a row each, and {format} is one document")).with_hint(hint)
}
