//! Writing CSV, by `csv`.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use csv::{ErrorKind, Writer};
use futures_core::Stream;
use serde::Serialize;

use super::format::{Format, Problem, cannot_write};
use crate::body::{Body, IntoBody};
use crate::{BoxError, Error};

/// Records as CSV (`text/csv; charset=utf-8`): a header row from the first record's field names, then a record a row.
///
/// Rows end with a line feed; fields are quoted where they need to be. A record is a struct of plain values; tuples
/// and lists are written without a header. No records give an empty object, without a header.
///
/// Serialised when the call is made; a record that cannot be serialised fails the call when it is awaited.
///
/// ```
/// # #[derive(serde::Serialize)]
/// # struct Sale { product: String, units: u32 }
/// # use wharf_proto::{IntoBody, content::Csv};
/// let sales = vec![Sale { product: "tea".into(), units: 3 }];
/// let body = Csv(&sales).into_body("sales.csv");
/// assert_eq!(body.content_type(), Some("text/csv; charset=utf-8"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Csv<I>(pub I);

impl<I: IntoIterator<Item: Serialize>> IntoBody for Csv<I> {
    fn into_body(self, _key: &str) -> Body {
        body(self.0)
    }
}

/// Records as CSV, written as they come from a stream: like [`Csv`], in bounded memory.
///
/// The stream gives `Result`s, as [`CsvRecords`](super::CsvRecords) does; its first error ends the body and fails the
/// call. The length is not known and the body can be sent once only, so `put_object` and `upload_part` take up to
/// 16 MiB of it; see [`Body::stream`].
#[derive(Debug, Clone, Copy)]
pub struct CsvStream<S>(pub S);

impl<S, T, E> IntoBody for CsvStream<S>
where
    S: Stream<Item = Result<T, E>> + Send + 'static,
    T: Serialize,
    E: Into<BoxError>,
{
    fn into_body(self, _key: &str) -> Body {
        let rows = Rows { records: Some(Box::pin(self.0)), writer: RowWriter::new() };
        Body::stream(rows).of_type(CONTENT_TYPE)
    }
}

pub(super) fn body<I: IntoIterator<Item: Serialize>>(records: I) -> Body {
    let mut writer = RowWriter::new();
    match records.into_iter().try_for_each(|record| writer.write(record)).and_then(|()| writer.take()) {
        Ok(bytes) => Body::bytes(bytes).of_type(CONTENT_TYPE),
        Err(error) => Body::failed(error),
    }
}

const CONTENT_TYPE: &str = "text/csv; charset=utf-8";

/// Rows go out in chunks of this many bytes, or a little more.
const CHUNK: usize = 64 * 1024;

/// The bytes of a stream of records.
struct Rows<S> {
    /// `None` after its end or an error.
    records: Option<Pin<Box<S>>>,
    writer: RowWriter,
}

impl<S, T, E> Stream for Rows<S>
where
    S: Stream<Item = Result<T, E>>,
    T: Serialize,
    E: Into<BoxError>,
{
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        while let Some(records) = &mut this.records {
            let written = match ready!(records.as_mut().poll_next(cx)) {
                Some(Ok(record)) => this.writer.write(record).map_err(Into::into),
                Some(Err(error)) => Err(error.into()),
                None => {
                    this.records = None;
                    break;
                }
            };
            if let Err(error) = written {
                this.records = None;
                this.writer.take().ok();
                return Poll::Ready(Some(Err(error)));
            }
            if this.writer.len() >= CHUNK {
                break;
            }
        }
        let chunk = this.writer.take()?;
        Poll::Ready((!chunk.is_empty()).then_some(Ok(chunk)))
    }
}

/// One writer for all records, so that the header is written once and every row has as many fields as the first.
struct RowWriter {
    csv: Writer<Sink>,
    records: u64,
}

impl RowWriter {
    fn new() -> Self {
        Self { csv: Writer::from_writer(Sink::default()), records: 0 }
    }

    fn write(&mut self, record: impl Serialize) -> Result<(), Error> {
        self.records += 1;
        self.csv.serialize(record).map_err(|error| {
            let record = self.records;
            let is_nested = matches!(error.kind(), ErrorKind::Serialize(_));
            let problem = match error.kind() {
                ErrorKind::Serialize(reason) => {
                    // Some reasons go on about where to ask the library for more.
                    let reason = reason.split(", if you").next().unwrap_or_default();
                    Problem::new(format_args!("record {record}: {reason}"))
                }
                ErrorKind::UnequalLengths { expected_len, len, .. } => Problem::new(format_args!(
                    "record {record} has {len} fields, the rows before it have {expected_len}"
                )),
                _ => Problem::new(format_args!("record {record}: {error}")),
            };
            let error = cannot_write(Format::Csv, problem.with_cause(error));
            match is_nested {
                true => {
                    error.with_hint("a record of CSV is a struct of plain values: write what is nested as Json(list)")
                }
                false => error,
            }
        })
    }

    /// How many bytes have left the writer's own small buffer.
    fn len(&self) -> usize {
        self.csv.get_ref().0.borrow().len()
    }

    fn take(&mut self) -> Result<Bytes, Error> {
        self.csv.flush().map_err(|error| cannot_write(Format::Csv, Problem::new(&error).with_cause(error)))?;
        Ok(self.csv.get_ref().0.take().into())
    }
}

/// Bytes that can be taken away through the `&` that is all a [`Writer`] gives.
#[derive(Default)]
struct Sink(RefCell<Vec<u8>>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.get_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
