//! A stream that can be read once and must have an exact length.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use wharf_proto::body::ByteStream;
use wharf_proto::checksum::{Checksum, ChecksumAlgorithm, ChecksumHasher};
use wharf_proto::{BoxError, Error, ErrorKind};

use super::failed_body;
use super::framed::Summed;

/// The stream, kept here until its first byte is asked for, and what was found while it was sent.
pub(crate) struct Once {
    length: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    stream: Option<ByteStream>,
    hasher: Option<ChecksumHasher>,
    computed: Option<Checksum>,
    error: Option<Error>,
}

impl Once {
    pub(crate) fn new(stream: ByteStream, length: u64) -> Self {
        Self { length, state: Mutex::new(State { stream: Some(stream), ..State::default() }) }
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Has this checksum computed while the stream is read.
    pub(crate) fn compute(&self, algorithm: ChecksumAlgorithm) {
        self.state().hasher = Some(ChecksumHasher::new(algorithm));
    }

    pub(crate) fn computed(&self) -> Option<Checksum> {
        self.state().computed
    }

    pub(crate) fn is_untouched(&self) -> bool {
        self.state().stream.is_some()
    }

    pub(crate) fn take_error(&self) -> Option<Error> {
        self.state().error.take()
    }

    /// The bytes, for one attempt. The stream itself is taken only when its first byte is asked for.
    pub(crate) fn start(self: &Arc<Self>) -> Result<Exact, Error> {
        if !self.is_untouched() {
            return Err(Error::new(ErrorKind::Body, "the stream was read already; it cannot be sent again"));
        }
        Ok(Exact { once: self.clone(), stream: None, hasher: None, left: self.length, last: Bytes::new(), done: false })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the error for the caller and gives the transport a reason to stop.
    fn fail(&self, error: Error) -> BoxError {
        let text = error.to_string();
        self.state().error = Some(error);
        text.into()
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Once({} bytes)", self.length)
    }
}

/// The stream while it is sent: not a byte more or less than was declared.
///
/// Its last piece is held back until the stream has ended, so that one that goes on after all is found out before the
/// server has a whole body.
pub(crate) struct Exact {
    once: Arc<Once>,
    stream: Option<ByteStream>,
    hasher: Option<ChecksumHasher>,
    left: u64,
    last: Bytes,
    done: bool,
}

impl Exact {
    fn poll_stream(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                let mut state = self.once.state();
                self.hasher = state.hasher.take();
                let Some(stream) = state.stream.take() else {
                    return Poll::Ready(Some(Err("the stream was read already".into())));
                };
                self.stream.insert(stream)
            }
        };
        stream.as_mut().poll_next(cx)
    }

    fn problem(&self, item: Option<BoxError>) -> Error {
        let declared = self.once.length;
        match item {
            Some(error) => failed_body(error),
            None => Error::invalid_input(format!(
                "the body ended after {} of the {declared} bytes declared",
                declared - self.left
            )),
        }
    }
}

impl Summed for Exact {
    fn checksum(&self) -> Option<Checksum> {
        self.once.computed()
    }
}

impl Stream for Exact {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        while !this.done {
            let problem = match ready!(this.poll_stream(cx)) {
                Some(Ok(bytes)) if bytes.is_empty() => continue,
                Some(Ok(bytes)) => match this.left.checked_sub(bytes.len() as u64) {
                    Some(left) => {
                        this.left = left;
                        if let Some(hasher) = &mut this.hasher {
                            hasher.update(&bytes);
                        }
                        if left > 0 {
                            return Poll::Ready(Some(Ok(bytes)));
                        }
                        this.last = bytes;
                        continue;
                    }
                    None => {
                        Error::invalid_input(format!("the body is longer than the {} bytes declared", this.once.length))
                    }
                },
                None if this.left == 0 => {
                    this.done = true;
                    this.once.state().computed = this.hasher.take().map(ChecksumHasher::finish);
                    return Poll::Ready(Some(Ok(std::mem::take(&mut this.last))));
                }
                None => this.problem(None),
                Some(Err(error)) => this.problem(Some(error)),
            };
            this.done = true;
            return Poll::Ready(Some(Err(this.once.fail(problem))));
        }
        Poll::Ready(None)
    }
}
