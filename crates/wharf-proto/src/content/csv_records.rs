//! Records read from CSV as its bytes arrive.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use csv::{ByteRecord, ErrorKind, StringRecord};
use futures_core::Stream;
use serde::de::DeserializeOwned;

use super::csv_decoder::Decoder;
use super::format::Problem;
use super::read::Place;
use crate::Error;
use crate::object::Object;

/// The records of a CSV object, decoded as its bytes arrive.
///
/// Holds one row at a time, of at most 16 MiB: the object may be of any size. The header row names the fields; blank
/// lines are skipped. An object without a byte has no records: so is an empty list written. An empty field is `None` of an
/// `Option`, also where `Some("")` was written: CSV cannot tell them apart. [`next`](CsvRecords::next) gives one record after the other, [`collect`](CsvRecords::collect)
/// all of them; it is a [`Stream`] too.
///
/// A row that is not a `T` is an error in its place, and the rows after it can still be read. After any other error,
/// such as a body that breaks off, the stream ends.
///
/// ```
/// # use wharf_proto::{Error, Object, content::CsvRecords};
/// # use wharf_proto::operation::Sender;
/// # async fn example<S: Sender>(call: wharf_proto::op::GetObject<S>) -> Result<(), Error> {
/// #[derive(serde::Deserialize)]
/// struct Sale { product: String, units: u32 }
///
/// let mut sales = call.csv::<Sale>().await?;
/// let mut units = 0;
/// while let Some(sale) = sales.next().await {
///     units += sale?.units;
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "records are read as they are asked for"]
pub struct CsvRecords<T, B> {
    /// `None` after its end or an error that ends the stream.
    body: Option<B>,
    /// The bytes that have come.
    came: u64,
    limit: u64,
    chunk: Bytes,
    decoder: Decoder,
    header: StringRecord,
    /// Kept for its memory.
    row: ByteRecord,
    /// Which row is in hand or comes next; 0 is the header.
    number: u64,
    place: Place,
    record: PhantomData<fn() -> T>,
}

impl<T, B: Stream<Item = Result<Bytes, Error>> + Unpin> CsvRecords<T, B> {
    /// Reads as far as the header row.
    pub(super) async fn open(object: Object<B>) -> Result<Self, Error> {
        let place = object.place();
        let mut records = Self {
            body: Some(object.body),
            came: 0,
            limit: object.limit.unwrap_or(u64::MAX),
            chunk: Bytes::new(),
            decoder: Decoder::new(),
            header: StringRecord::new(),
            row: ByteRecord::new(),
            number: 0,
            place,
            record: PhantomData,
        };
        match poll_fn(|cx| records.poll_row(cx)).await {
            // As no records are written.
            None if records.came == 0 => Ok(records),
            None => Err(records
                .place
                .invalid(Problem::new("the object has no line but blank ones: CSV with a header row was expected"))),
            Some(row) => {
                row?;
                records.header = records.text()?;
                records.number = 1;
                Ok(records)
            }
        }
    }

    /// Has the decoder hold the next row.
    fn poll_row(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<(), Error>>> {
        loop {
            let found = if !self.chunk.is_empty() {
                self.decoder.feed(&mut self.chunk)
            } else if let Some(body) = &mut self.body {
                match ready!(Pin::new(body).poll_next(cx)) {
                    Some(Ok(chunk)) => {
                        self.came += chunk.len() as u64;
                        self.chunk = chunk;
                        continue;
                    }
                    Some(Err(error)) => {
                        self.end();
                        return Poll::Ready(Some(Err(error)));
                    }
                    None => {
                        self.body = None;
                        self.decoder.finish()
                    }
                }
            } else {
                return Poll::Ready(None);
            };
            match found {
                Ok(true) => return Poll::Ready(Some(Ok(()))),
                Ok(false) => {}
                Err(problem) => {
                    self.end();
                    return Poll::Ready(Some(Err(self.wrong(format_args!(": {}", problem.message)))));
                }
            }
        }
    }

    fn end(&mut self) {
        self.body = None;
        self.chunk = Bytes::new();
    }

    /// The row in hand as text.
    fn text(&mut self) -> Result<StringRecord, Error> {
        let mut row = std::mem::take(&mut self.row);
        row.clear();
        for field in self.decoder.fields() {
            row.push_field(field);
        }
        StringRecord::from_byte_record(row).map_err(|error| {
            let (field, at) = (error.utf8_error().field(), error.utf8_error().valid_up_to());
            let field = self.field(field as u64);
            self.wrong(format_args!(", {field}: not UTF-8, invalid from its byte {at}"))
        })
    }

    fn field(&self, index: u64) -> String {
        match usize::try_from(index).ok().and_then(|index| self.header.get(index)) {
            Some(name) => format!("field {name:?}"),
            None => format!("field {}", index + 1),
        }
    }

    /// An error about the row in hand.
    fn wrong(&self, what: fmt::Arguments<'_>) -> Error {
        self.place.invalid(self.problem(what))
    }

    fn problem(&self, what: fmt::Arguments<'_>) -> Problem {
        let line = self.decoder.line();
        match self.number {
            0 => Problem::new(format_args!("the object is not the expected CSV: the header (line {line}){what}")),
            number => {
                Problem::new(format_args!("the object is not the expected CSV: record {number} (line {line}){what}"))
            }
        }
    }
}

impl<T: DeserializeOwned, B: Stream<Item = Result<Bytes, Error>> + Unpin> CsvRecords<T, B> {
    /// The next record; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// All records that are left, in memory.
    ///
    /// # Errors
    /// The first error of any record or of the body; [`InvalidContent`](crate::ErrorKind::InvalidContent) over the object's
    /// [`limit`](Object::limit).
    pub async fn collect(mut self) -> Result<Vec<T>, Error> {
        let mut records = Vec::new();
        while let Some(record) = self.next().await {
            if self.came > self.limit {
                return Err(self.place.over_limit("more bytes than", self.limit));
            }
            records.push(record?);
        }
        Ok(records)
    }

    /// The row in hand as a record.
    fn decode(&mut self) -> Result<T, Error> {
        let (found, expected) = (self.decoder.fields().count(), self.header.len());
        if found != expected {
            return Err(self.separated(self.wrong(format_args!(" has {found} fields, the header has {expected}"))));
        }
        let row = self.text()?;
        let record = row.deserialize(Some(&self.header)).map_err(|error| self.separated(self.mismatch(error)));
        self.row = row.into_byte_record();
        record
    }

    /// A document of another format on a single line has the form of a header without rows. Told once, at the end.
    fn unlike_a_header(&mut self) -> Option<Error> {
        let header = std::mem::take(&mut self.header);
        let format = another_format(&header).filter(|_| self.number == 1)?;
        let problem = format_args!("the object is not the expected CSV: it begins as {format} does, and has no rows");
        Some(self.place.invalid(Problem::new(problem)))
    }

    /// Adds to the error of a row what a header says that has no comma.
    fn separated(&self, error: Error) -> Error {
        let separator = [(";", "semicolons"), ("\t", "tabs"), ("|", "'|'")]
            .into_iter()
            .find(|(separator, _)| self.header.len() == 1 && self.header[0].contains(separator));
        match separator {
            Some((_, name)) => error.with_hint(format!(
                "its header seems to be separated by {name}, and CSV is by commas: read it with .stream() and a parser that can be told"
            )),
            None => error,
        }
    }

    fn mismatch(&self, error: csv::Error) -> Error {
        let problem = match error.kind() {
            ErrorKind::Deserialize { err, .. } => match err.field() {
                Some(index) => self.problem(format_args!(", {}: {}", self.field(index), err.kind())),
                None => self.problem(format_args!(": {}", err.kind())),
            },
            _ => self.problem(format_args!(": {error}")),
        };
        self.place.invalid(problem.with_cause(error))
    }
}

impl<T: DeserializeOwned, B: Stream<Item = Result<Bytes, Error>> + Unpin> Stream for CsvRecords<T, B> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        Poll::Ready(match ready!(this.poll_row(cx)) {
            None => this.unlike_a_header().map(Err),
            Some(Err(error)) => Some(Err(error)),
            Some(Ok(())) => {
                let record = this.decode();
                this.number += 1;
                Some(record)
            }
        })
    }
}

/// The format that a header is the beginning of, where it is no names of fields.
fn another_format(header: &StringRecord) -> Option<&'static str> {
    let first = header.get(0)?.trim_start();
    if let Some(inside) = first.strip_prefix(['{', '[']) {
        let next = inside.trim_start().chars().next();
        return next.is_some_and(|c| matches!(c, '{' | '[' | '}' | ']' | '"' | '0'..='9')).then_some("JSON");
    }
    let is_closed = header.iter().any(|field| field.contains("</") || field.contains("/>"));
    (first.starts_with('<') && is_closed).then_some("XML or HTML")
}

impl<T, B> fmt::Debug for CsvRecords<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsvRecords").field("header", &self.header).field("next", &self.number).finish_non_exhaustive()
    }
}
