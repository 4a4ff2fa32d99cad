//! Reading an object's body: whole, as a value, or record by record.

use std::future::poll_fn;
use std::pin::Pin;
#[cfg(any(feature = "json", feature = "xml"))]
use std::str::Utf8Error;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use serde::de::DeserializeOwned;

#[cfg(feature = "csv")]
use super::csv_records::CsvRecords;
use super::format::{Format, Problem};
#[cfg(feature = "csv")]
use super::record::{many_are_csv, records_format};
use super::record::{one_is_not_csv, record_format};
use crate::object::Object;
use crate::{Error, ErrorKind};

impl<B: Stream<Item = Result<Bytes, Error>> + Unpin> Object<B> {
    /// The whole body. Refused as [`InvalidContent`](ErrorKind::InvalidContent) over the [`limit`](Object::limit), if
    /// there is one.
    ///
    /// # Errors
    /// As the body breaks off, or does not match its checksum.
    pub async fn bytes(mut self) -> Result<Bytes, Error> {
        self.read_whole().await
    }

    /// The same, for a future that has the object already: it is large.
    pub(super) async fn read_whole(&mut self) -> Result<Bytes, Error> {
        let limit = self.limit.unwrap_or(u64::MAX);
        if self.head.content_length > limit {
            return Err(self.too_large(limit));
        }
        let mut first = Bytes::new();
        let mut whole = BytesMut::new();
        let mut body = Pin::new(&mut self.body);
        while let Some(chunk) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
            let chunk = chunk?;
            if (first.len() + whole.len() + chunk.len()) as u64 > limit {
                return Err(self.too_large(limit));
            }
            // A small object is one chunk: it is handed on as it came.
            if first.is_empty() && whole.is_empty() {
                first = chunk;
            } else {
                if whole.is_empty() {
                    whole.reserve(self.head.content_length.min(MAX_RESERVED) as usize);
                    whole.extend_from_slice(&std::mem::take(&mut first));
                }
                whole.extend_from_slice(&chunk);
            }
        }
        Ok(if whole.is_empty() { first } else { whole.freeze() })
    }

    /// The whole body as text, which must be UTF-8. A byte order mark is kept.
    ///
    /// # Errors
    /// [`InvalidContent`](ErrorKind::InvalidContent) where it is not; else as [`bytes`](Object::bytes).
    pub async fn text(self) -> Result<String, Error> {
        let place = self.place();
        let bytes = self.bytes().await?;
        String::from_utf8(bytes.into()).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let line = line_at(error.as_bytes(), at);
            let message = format_args!("the object is not UTF-8 text: line {line}, invalid from byte offset {at}");
            place.invalid(Problem::new(message).with_cause(error.utf8_error()))
        })
    }

    /// The whole body as JSON, read into a value. A byte order mark is skipped; 128 levels are the limit.
    ///
    /// # Errors
    /// [`InvalidContent`](ErrorKind::InvalidContent) where it is not that, with line and column; else as
    /// [`bytes`](Object::bytes).
    #[cfg(feature = "json")]
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        self.value(Format::Json, super::json::read).await
    }

    /// The whole body as an XML document, read into a value. A byte order mark is skipped; 128 levels are the limit.
    ///
    /// The root element may have any name. Entities other than XML's own five are errors, and nothing outside the
    /// document is ever read.
    ///
    /// # Errors
    /// [`InvalidContent`](ErrorKind::InvalidContent) where it is not that, with the line; else as
    /// [`bytes`](Object::bytes).
    #[cfg(feature = "xml")]
    pub async fn xml<T: DeserializeOwned>(self) -> Result<T, Error> {
        self.value(Format::Xml, super::xml::read).await
    }

    /// The records of a CSV object with a header row, decoded as its bytes arrive. A byte order mark is skipped. The
    /// [`limit`](Object::limit) holds for [`collect`](CsvRecords::collect) alone: else one row is in memory at a time, of at most 16 MiB. Only the end of the body shows
    /// that its bytes were the right ones: what must not be done with spoilt rows waits until the last was read.
    ///
    /// # Errors
    /// [`InvalidContent`](ErrorKind::InvalidContent) where there is no header row; else as the body breaks off. What
    /// is wrong with a row, [`CsvRecords`] says when it is read.
    #[cfg(feature = "csv")]
    pub async fn csv<T: DeserializeOwned>(self) -> Result<CsvRecords<T, B>, Error> {
        CsvRecords::open(self).await
    }

    /// The whole body as one record: JSON or XML by the key's extension, `.json` or `.xml`, in any case.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) where the key has no such extension:
    /// [`record_as`](Object::record_as) takes the format. Else as `json` and `xml`.
    pub async fn record<T: DeserializeOwned>(self) -> Result<T, Error> {
        match record_format(&self.key) {
            Ok(format) => self.record_as(format).await,
            Err(error) => Err(self.place().on(error)),
        }
    }

    /// The whole body as one record in this format.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for CSV, which holds many, and for a format whose feature is off. Else
    /// as `json` and `xml`.
    pub async fn record_as<T: DeserializeOwned>(self, format: Format) -> Result<T, Error> {
        match format {
            #[cfg(feature = "json")]
            Format::Json => self.json().await,
            #[cfg(feature = "xml")]
            Format::Xml => self.xml().await,
            Format::Csv => Err(self.place().on(one_is_not_csv())),
            #[cfg(not(all(feature = "json", feature = "xml")))]
            off => Err(self.place().on(off.feature_off())),
        }
    }

    /// The records of an object whose key ends in `.csv`, in any case: see [`csv`](Object::csv), which takes any key.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) where the key has no such extension; else as [`csv`](Object::csv).
    #[cfg(feature = "csv")]
    pub async fn records<T: DeserializeOwned>(self) -> Result<CsvRecords<T, B>, Error> {
        match records_format(&self.key) {
            Ok(format) => self.records_as(format).await,
            Err(error) => Err(self.place().on(error)),
        }
    }

    /// The records of an object in this format, which can only be CSV.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for another; else as [`csv`](Object::csv).
    #[cfg(feature = "csv")]
    pub async fn records_as<T: DeserializeOwned>(self, format: Format) -> Result<CsvRecords<T, B>, Error> {
        match format {
            Format::Csv => self.csv().await,
            other => Err(self.place().on(many_are_csv(other))),
        }
    }

    /// The whole body, read by `read`.
    #[cfg(any(feature = "json", feature = "xml"))]
    async fn value<T>(self, format: Format, read: fn(&str) -> Result<T, Problem>) -> Result<T, Error> {
        let place = self.place();
        let bytes = self.bytes().await?;
        if bytes.is_empty() {
            return Err(place.invalid(Problem::new(format_args!("the object is empty: {format} was expected"))));
        }
        let text = std::str::from_utf8(&bytes).map_err(|error| not_utf8(&bytes, error));
        text.and_then(|text| read(text.strip_prefix('\u{feff}').unwrap_or(text))).map_err(|problem| {
            let message = format!("the object is not the expected {format}: {}", problem.message);
            place.invalid(Problem { message, ..problem })
        })
    }

    pub(super) fn place(&self) -> Place {
        let encoding = self.head.content_encoding.clone();
        Place { bucket: self.bucket.clone(), key: self.key.clone(), encoding }
    }

    fn too_large(&self, limit: u64) -> Error {
        let size = self.head.content_length;
        // A server that gives no length, or a wrong one, is found out by the bytes.
        let size = if size > limit { format!("{size} bytes, more than") } else { "more bytes than".to_owned() };
        self.place().over_limit(&size, limit)
    }
}

/// More than this is not reserved on a server's word alone.
const MAX_RESERVED: u64 = 64 * 1024 * 1024;

/// Which object an error is about.
pub(super) struct Place {
    bucket: String,
    key: String,
    encoding: Option<String>,
}

impl Place {
    /// Content that is not what it was read as.
    pub(super) fn invalid(&self, problem: Problem) -> Error {
        let error = self.on(Error::new(ErrorKind::InvalidContent, problem.message));
        let error = match &self.encoding {
            Some(encoding) => error.with_hint(format!(
                "its content encoding is {}: read .bytes() or .stream() and decode it",
                encoding.escape_debug()
            )),
            None => error,
        };
        match problem.cause {
            Some(cause) => error.with_cause(cause),
            None => error,
        }
    }

    pub(super) fn over_limit(&self, size: &str, limit: u64) -> Error {
        self.on(Error::new(ErrorKind::InvalidContent, format!("the object has {size} the limit of {limit}")))
            .with_hint("raise .limit(), or read it with .stream()")
    }

    fn on(&self, error: Error) -> Error {
        error.at("GetObject", Some(&self.bucket), Some(&self.key))
    }
}

/// Bytes that cannot be read as text, and where they are.
fn line_at(bytes: &[u8], at: usize) -> usize {
    1 + bytes[..at].iter().filter(|&&byte| byte == b'\n').count()
}

#[cfg(any(feature = "json", feature = "xml"))]
fn not_utf8(bytes: &[u8], error: Utf8Error) -> Problem {
    let at = error.valid_up_to();
    let line = line_at(bytes, at);
    Problem::new(format_args!("line {line}: not UTF-8, invalid from byte offset {at}")).with_cause(error)
}
