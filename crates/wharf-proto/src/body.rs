//! What is sent: bytes, a file, a stream, typed content.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use http::HeaderValue;

use crate::operation::header_value;
use crate::{BoxError, Error};

/// A request's body.
///
/// Three kinds, told apart by type. **Replayable** (bytes, text, a file, typed content): its checksum is known before
/// it is sent, and a failed request is tried again. **One pass, length known** ([`Body::sized_stream`]): sent once;
/// after its first byte a failure is final. **Length unknown** ([`Body::stream`]): up to 16 MiB are held in memory and
/// sent as bytes; more is an error.
#[derive(Debug, Default)]
pub struct Body {
    source: Source,
    content_type: Option<Cow<'static, str>>,
    error: Option<Error>,
}

/// Where a body's bytes come from.
#[derive(Default)]
#[non_exhaustive]
pub enum Source {
    /// No bytes at all.
    #[default]
    Empty,
    /// Bytes in memory.
    Bytes(Bytes),
    /// The whole of a file, which is opened once and read anew for every attempt.
    File(PathBuf),
    /// A part of a file, which is opened once and read anew for every attempt.
    FileRange {
        /// The file.
        path: PathBuf,
        /// How many bytes of it are left out in front.
        offset: u64,
        /// How many bytes are sent.
        length: u64,
    },
    /// A stream that can be read once; its exact length where that is known.
    Stream {
        /// The number of bytes that the stream promises.
        length: Option<u64>,
        /// The bytes.
        stream: ByteStream,
    },
}

/// A boxed stream of bytes.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send + Sync>>;

impl Body {
    /// No bytes.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Bytes in memory, without a content type.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self { source: Source::Bytes(bytes.into()), ..Self::default() }
    }

    /// A file, read anew for every attempt. Its content type follows its extension. It is opened when the request is sent
    /// first: a file that is put in its place before another attempt is not seen.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let content_type = mime_guess::from_path(&path).first_raw().map(Cow::Borrowed);
        Self { source: Source::File(path), content_type, error: None }
    }

    /// The `length` bytes of a file that begin at `offset`, read anew for every attempt; such as a part of a multipart
    /// upload. It has no content type. A file that ends before that, or changes anywhere while it is read, is an error.
    pub fn file_range(path: impl Into<PathBuf>, offset: u64, length: u64) -> Self {
        Self::from_source(Source::FileRange { path: path.into(), offset, length })
    }

    /// A stream of unknown length. At most 16 MiB are held; more is an error that names `upload`.
    pub fn stream<S, B, E>(stream: S) -> Self
    where
        S: Stream<Item = Result<B, E>> + Send + 'static,
        B: Into<Bytes>,
        E: Into<BoxError>,
    {
        Self::from_source(Source::Stream { length: None, stream: boxed(stream) })
    }

    /// A stream of exactly `length` bytes. A stream that turns out shorter or longer is an error, and nothing is
    /// stored that looks whole.
    ///
    /// So the stream's end is waited for, however long that takes, before the last bytes are sent. A stream that may
    /// stay open, as that of a socket or a channel, must be cut off at `length`; `reader.take(length)` does so for a
    /// reader.
    pub fn sized_stream<S, B, E>(stream: S, length: u64) -> Self
    where
        S: Stream<Item = Result<B, E>> + Send + 'static,
        B: Into<Bytes>,
        E: Into<BoxError>,
    {
        Self::from_source(Source::Stream { length: Some(length), stream: boxed(stream) })
    }

    /// The same body with this content type, for where the caller gives none.
    #[must_use]
    pub fn with_content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(Cow::Owned(content_type.into()));
        self
    }

    /// The same with a type that is known beforehand.
    #[must_use]
    pub(crate) fn of_type(mut self, content_type: &'static str) -> Self {
        self.content_type = Some(Cow::Borrowed(content_type));
        self
    }

    /// A body that could not be made: the call that carries it fails with `error` when it is awaited.
    pub fn failed(error: Error) -> Self {
        Self { error: Some(error), ..Self::default() }
    }

    /// The content type that follows from what the body is.
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// The same, as a header has it; known ones are not copied.
    pub(crate) fn content_type_header(&self) -> Option<Result<HeaderValue, Error>> {
        Some(match self.content_type.as_ref()? {
            Cow::Borrowed(known) => Ok(HeaderValue::from_static(known)),
            Cow::Owned(given) => header_value("content-type", given),
        })
    }

    /// The source of the bytes, or why there is none.
    ///
    /// # Errors
    /// What went wrong when the body was made, such as a value that cannot be serialised.
    pub fn into_source(self) -> Result<Source, Error> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.source),
        }
    }

    fn from_source(source: Source) -> Self {
        Self { source, ..Self::default() }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::FileRange { path, offset, length } => {
                f.debug_struct("FileRange").field("path", path).field("offset", offset).field("length", length).finish()
            }
            Self::Stream { length, .. } => write!(f, "Stream({length:?})"),
        }
    }
}

fn boxed<S, B, E>(stream: S) -> ByteStream
where
    S: Stream<Item = Result<B, E>> + Send + 'static,
    B: Into<Bytes>,
    E: Into<BoxError>,
{
    Box::pin(Boxed { stream: Mutex::new(Box::pin(stream)) })
}

/// A stream with its item and error types made one.
struct Boxed<S> {
    /// Never locked: a mutex is `Sync` whatever is in it, and so a body is, to which a future may refer while it waits.
    stream: Mutex<Pin<Box<S>>>,
}

impl<S, B, E> Stream for Boxed<S>
where
    S: Stream<Item = Result<B, E>>,
    B: Into<Bytes>,
    E: Into<BoxError>,
{
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let stream = self.stream.get_mut().unwrap_or_else(PoisonError::into_inner);
        stream.as_mut().poll_next(cx).map(|item| item.map(|item| item.map(Into::into).map_err(Into::into)))
    }
}

/// What can be the body of an object or part: bytes, text, a path, a stream, and the typed content of
/// [`content`](crate::content).
///
/// `&str` and `String` are text (`text/plain; charset=utf-8`); a file is always a [`Path`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the body of an object",
    note = "a value of your own goes as `Json(&value)`, `Xml(&value)`, `Csv(&rows)` or `Record(&value)`, a file as `Path::new(..)`, what is read as `Reader::new(..)`"
)]
pub trait IntoBody {
    /// The body for an object under `key`, whose extension names the format of records.
    fn into_body(self, key: &str) -> Body;
}

impl IntoBody for Body {
    fn into_body(self, _key: &str) -> Body {
        self
    }
}

impl IntoBody for Bytes {
    fn into_body(self, _key: &str) -> Body {
        Body::bytes(self).of_type(OCTETS)
    }
}

impl IntoBody for Vec<u8> {
    fn into_body(self, key: &str) -> Body {
        Bytes::from(self).into_body(key)
    }
}

impl IntoBody for &[u8] {
    fn into_body(self, key: &str) -> Body {
        Bytes::copy_from_slice(self).into_body(key)
    }
}

impl<const N: usize> IntoBody for &[u8; N] {
    fn into_body(self, key: &str) -> Body {
        self.as_slice().into_body(key)
    }
}

impl IntoBody for String {
    fn into_body(self, _key: &str) -> Body {
        Body::bytes(self).of_type("text/plain; charset=utf-8")
    }
}

impl IntoBody for &str {
    fn into_body(self, key: &str) -> Body {
        self.to_owned().into_body(key)
    }
}

impl IntoBody for &String {
    fn into_body(self, key: &str) -> Body {
        self.clone().into_body(key)
    }
}

impl IntoBody for PathBuf {
    fn into_body(self, _key: &str) -> Body {
        Body::file(self)
    }
}

impl IntoBody for &PathBuf {
    fn into_body(self, _key: &str) -> Body {
        Body::file(self)
    }
}

impl IntoBody for &Path {
    fn into_body(self, _key: &str) -> Body {
        Body::file(self)
    }
}

const OCTETS: &str = "application/octet-stream";
