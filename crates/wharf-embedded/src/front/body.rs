//! A request's body: watched raw on its way into `s3s`, read verified on its way out.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use s3s::TrailingHeaders;
use wharf_transport::{Body, BoxError};

use super::chunks::Chunks;
use crate::error::{Code, Error, Result};

/// What is known about a raw body beside its bytes, shared between both of its ends.
#[derive(Clone, Default)]
pub(crate) struct Watch {
    count: Arc<AtomicU64>,
    /// Our own refusal, which would reach the reader only as text inside an error of `s3s`.
    fault: Arc<Mutex<Option<Error>>>,
    /// The trailers of a body that `s3s` did not unframe.
    trailers: Arc<Mutex<HeaderMap>>,
}

impl Watch {
    /// The bytes that came so far.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Leaves a refusal for the reader, and makes the error that gets him to look.
    pub(crate) fn fail(&self, error: Error) -> BoxError {
        let text = error.to_string();
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        text.into()
    }

    fn take(&self) -> Option<Error> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// How a body is framed, and who takes the framing away.
pub(crate) enum Framing {
    None,
    /// `s3s`, which verifies it.
    Signed,
    /// We do, as nobody signed it.
    Unsigned,
}

/// The raw body, as `s3s` reads it.
pub(crate) struct Raw {
    body: Body,
    declared: Option<u64>,
    framing: Framing,
    chunks: Chunks,
    watch: Watch,
}

impl Raw {
    /// A body that must have exactly `declared` bytes, where that is said.
    pub(crate) fn new(body: Body, declared: Option<u64>, framing: Framing, watch: Watch) -> Self {
        Self { body, declared, framing, chunks: Chunks::default(), watch }
    }

    /// Checks the next piece, or the end, and gives back what goes on.
    fn pass(&mut self, piece: Option<Bytes>) -> Result<Option<Bytes>> {
        let count = match &piece {
            Some(piece) => self.watch.count.fetch_add(piece.len() as u64, Ordering::Relaxed) + piece.len() as u64,
            None => self.watch.count(),
        };
        let wrong = |declared: u64| count > declared || (piece.is_none() && count < declared);
        if self.declared.is_some_and(wrong) {
            return Err(Code::IncompleteBody.into());
        }
        match (&self.framing, &piece) {
            (Framing::None, _) => Ok(piece),
            (Framing::Signed, None) => self.chunks.end().map(|()| None),
            (Framing::Unsigned, None) => {
                self.chunks.end()?;
                *self.watch.trailers.lock().unwrap_or_else(PoisonError::into_inner) = self.chunks.trailers();
                Ok(None)
            }
            (Framing::Signed, Some(bytes)) => self.chunks.feed(bytes, |_| {}).map(|()| piece),
            (Framing::Unsigned, Some(bytes)) => {
                let mut data = BytesMut::with_capacity(bytes.len());
                self.chunks.feed(bytes, |bytes| data.extend_from_slice(bytes))?;
                Ok(Some(data.freeze()))
            }
        }
    }
}

impl http_body::Body for Raw {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let item = match ready!(Pin::new(&mut self.body).poll_next(cx)) {
            Some(Ok(bytes)) => self.pass(Some(bytes)),
            Some(Err(error)) => Err(match error.downcast::<Error>() {
                Ok(refusal) => *refusal,
                Err(_) => Code::IncompleteBody.into(),
            }),
            None => self.pass(None),
        };
        Poll::Ready(match item {
            Ok(bytes) => bytes.map(|bytes| Ok(Frame::data(bytes))),
            Err(error) => Some(Err(self.watch.fail(error))),
        })
    }

    fn size_hint(&self) -> SizeHint {
        let Some(declared) = self.declared else { return SizeHint::default() };
        let left = declared.saturating_sub(self.watch.count());
        if let Framing::Unsigned = self.framing {
            let mut hint = SizeHint::new();
            hint.set_upper(left);
            return hint;
        }
        SizeHint::with_exact(left)
    }
}

/// The verified body, as operations read it: unframed, and failing where its signature or hash does not hold.
pub(crate) struct Incoming {
    stream: s3s::Body,
    trailers: Option<TrailingHeaders>,
    watch: Watch,
}

impl Incoming {
    pub(crate) fn new(stream: s3s::Body, trailers: Option<TrailingHeaders>, watch: Watch) -> Self {
        Self { stream, trailers, watch }
    }

    /// Leaves an empty body in its place.
    pub(crate) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::new(s3s::Body::empty(), None, Watch::default()))
    }

    /// The next bytes, or `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>> {
        match self.stream.next().await {
            None => Ok(None),
            Some(Ok(bytes)) => Ok(Some(bytes)),
            Some(Err(error)) => Err(self.watch.take().unwrap_or_else(|| translate(&error.to_string()))),
        }
    }

    /// The whole body, of at most `limit` bytes.
    pub(crate) async fn all(&mut self, limit: usize) -> Result<Bytes> {
        let mut out = BytesMut::new();
        while let Some(bytes) = self.next().await? {
            if out.len() + bytes.len() > limit {
                return Err(Code::MaxMessageLengthExceeded.into());
            }
            out.extend_from_slice(&bytes);
        }
        Ok(out.freeze())
    }

    /// The headers that came after the body; empty before its end, and where there were none.
    pub(crate) fn trailers(&self) -> HeaderMap {
        let verified = self.trailers.as_ref().and_then(|trailers| trailers.read(HeaderMap::clone));
        verified.unwrap_or_else(|| self.watch.trailers.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// The errors of `s3s`'s body streams are private, so their text has to tell them apart.
fn translate(text: &str) -> Error {
    if text.contains("Sha256Mismatch") {
        Code::XAmzContentSha256Mismatch.into()
    } else if text.contains("SignatureMismatch") {
        Code::SignatureDoesNotMatch.into()
    } else if text.contains("Trailer") {
        Code::MalformedTrailer.into()
    } else if text.contains("FormatError") {
        Error::new(Code::InvalidRequest, "The body is not framed as aws-chunked")
    } else {
        Code::IncompleteBody.into()
    }
}
