//! Typed content: what can be written as a body and read back as a value.
//!
//! [`Json`], [`Xml`], [`Csv`], [`CsvStream`], [`Record`] and [`Records`] wrap a value to write; they are bodies
//! ([`IntoBody`](crate::IntoBody)). Reading is on [`Object`](crate::Object) and, in short, on
//! [`GetObject`](crate::op::GetObject): `.bytes()`, `.text()`, `.json()`, `.xml()`, `.csv()`, `.record()`,
//! `.records()`. serde does the typing. Each format has a feature of its name.

#[cfg(feature = "csv")]
mod csv;
#[cfg(feature = "csv")]
mod csv_decoder;
#[cfg(feature = "csv")]
mod csv_records;
mod format;
mod get;
#[cfg(feature = "json")]
mod json;
mod read;
mod record;
#[cfg(test)]
mod tests;
#[cfg(feature = "xml")]
mod xml;
#[cfg(feature = "xml")]
mod xml_name;

#[cfg(feature = "csv")]
pub use csv::{Csv, CsvStream};
#[cfg(feature = "csv")]
pub use csv_records::CsvRecords;
pub use format::Format;
#[cfg(feature = "json")]
pub use json::Json;
pub use record::{Formatted, Record, Records};
#[cfg(feature = "xml")]
pub use xml::Xml;
