//! An object's bytes as they arrive, checked on the way.

mod resume;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE};
use tokio::runtime::Handle;
use wharf_proto::checksum::{Checksum, ChecksumAlgorithm, ChecksumHasher};
use wharf_proto::operation::Request;
use wharf_proto::{Error, ErrorKind};

use crate::client::Inner;
use crate::counters::Tally;
use crate::progress::StallTimer;
use crate::runtime::RuntimeHandle;
use crate::transfer::Pace;
use crate::transport::{self, transport_error};

pub(crate) use resume::Again;
use resume::Resume;

/// An object's bytes: a [`Stream`] of buffers, and with the feature `tokio-io` an `AsyncRead`.
///
/// The length that the server announced is checked, and so is the checksum where one was asked for and covers the whole
/// object: what does not match ends with [`ErrorKind::Corrupt`]. A server that sends nothing for the client's progress
/// timeout ends it with [`ErrorKind::Timeout`]. Dropping it cancels the download.
///
/// A body that breaks off goes on at its next byte by another request, which `If-Match` holds to the same object: after the
/// waits of the client's retries, and as often as they allow without any progress. So it ends with the error of what broke it
/// off only where that does not help, where the server sent no ETag, or where `max_attempts(1)` turns retries off; and with
/// [`ErrorKind::PreconditionFailed`] where the object was replaced meanwhile.
pub struct ObjectBody {
    body: transport::Body,
    timer: StallTimer,
    pace: Pace,
    tally: Arc<Tally>,
    left: Option<u64>,
    verify: Option<(ChecksumHasher, Checksum)>,
    call: Call,
    /// Where timers run: a body may be polled on a thread that has no runtime.
    timers: Option<Handle>,
    /// A runtime of the client's own has to outlive the body.
    runtime: RuntimeHandle,
    done: bool,
    /// How it goes on where it breaks off.
    resume: Option<Box<Resume>>,
    /// How many bytes came.
    came: u64,
    /// How many times the request was sent.
    attempts: u32,
    /// What was read from the stream and not yet from the `AsyncRead`.
    #[cfg(feature = "tokio-io")]
    buffered: Bytes,
}

/// Which call an error is about.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) operation: &'static str,
    pub(crate) bucket: Option<String>,
    pub(crate) key: Option<String>,
}

impl Call {
    pub(crate) fn new(operation: &'static str, request: Request) -> Self {
        Self { operation, bucket: request.bucket, key: request.key }
    }

    pub(crate) fn of(&self, error: Error) -> Error {
        error.at(self.operation, self.bucket.as_deref(), self.key.as_deref())
    }
}

impl ObjectBody {
    pub(crate) fn new(
        body: transport::Body,
        head: &HeaderMap,
        attempts: u32,
        client: &Arc<Inner>,
        call: Call,
        again: Option<Again>,
    ) -> Self {
        let left = head.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let resume = again.zip(left).and_then(|(again, length)| Resume::of(client, again, head, length));
        Self {
            body,
            timer: StallTimer::new(client.stall_limit),
            pace: Pace::new(&client.budgets),
            tally: client.tally.clone(),
            left,
            verify: full_object_checksum(head).map(|sum| (ChecksumHasher::new(sum.algorithm()), sum)),
            call,
            timers: Handle::try_current().ok(),
            runtime: client.runtime.clone(),
            done: false,
            resume: resume.map(Box::new),
            came: 0,
            attempts,
            #[cfg(feature = "tokio-io")]
            buffered: Bytes::new(),
        }
    }

    /// How many bytes are still to come, where the server says.
    pub(crate) fn left(&self) -> Option<u64> {
        self.left
    }

    /// Leaves comparing with the checksum to the caller.
    pub(crate) fn unchecked(&mut self) {
        self.verify = None;
    }

    /// How long the server may be silent amid it, in place of the client's progress timeout.
    pub(crate) fn silent_for(&mut self, limit: Duration) {
        self.timer = StallTimer::new(limit);
    }

    /// The call that it is the answer of.
    pub(crate) fn call(&self) -> &Call {
        &self.call
    }

    /// The next buffer; `None` after the last one.
    pub async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    fn poll_checked(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        // It is not the server that we wait for here.
        ready!(self.pace.poll_ready(self.timers.as_ref(), cx));
        match Pin::new(&mut self.body).poll_next(cx) {
            Poll::Ready(Some(Ok(bytes))) => {
                self.timer.moved();
                self.tally.received(bytes.len());
                self.pace.moved(bytes.len());
                self.came += bytes.len() as u64;
                if let Some(left) = &mut self.left {
                    *left = match left.checked_sub(bytes.len() as u64) {
                        Some(left) => left,
                        None => {
                            return Poll::Ready(Some(Err(Error::new(
                                ErrorKind::Corrupt,
                                "the server sent more bytes than it announced",
                            ))));
                        }
                    };
                }
                if let Some((hasher, _)) = &mut self.verify {
                    hasher.update(&bytes);
                }
                // Now, and not at the end: who reads as many bytes as were announced never asks for the end.
                let checked = if self.left == Some(0) { self.check_end() } else { Ok(()) };
                Poll::Ready(Some(checked.map(|()| bytes)))
            }
            Poll::Ready(Some(Err(error))) if self.left != Some(0) => Poll::Ready(Some(Err(body_error(error)))),
            // What happens to the connection once all has come is of no interest.
            Poll::Ready(_) => Poll::Ready(self.check_end().err().map(Err)),
            Poll::Pending => {
                let _entered = self.timers.as_ref().map(Handle::enter);
                ready!(self.timer.poll_stalled(cx));
                Poll::Ready(Some(Err(self.timer.error())))
            }
        }
    }

    /// The same, through bodies that break off.
    fn poll_resumed(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        loop {
            if let Some(resume) = self.resume.as_mut().filter(|resume| resume.is_busy()) {
                let _entered = self.timers.as_ref().map(Handle::enter);
                match ready!(resume.poll_opened(cx)) {
                    Some(Ok(opened)) => {
                        self.body = opened.body;
                        self.attempts += opened.attempts;
                        self.timer.moved();
                    }
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => {}
                }
            }
            match (ready!(self.poll_checked(cx)), &mut self.resume) {
                (Some(Err(error)), Some(resume)) => {
                    // The connection is closed now: it is of no more use.
                    self.body = transport::Body::empty();
                    if let Err(error) = resume.begin(&self.call, self.came, error) {
                        return Poll::Ready(Some(Err(error)));
                    }
                }
                (item, _) => {
                    if self.left == Some(0)
                        && let Some(resume) = self.resume.take()
                    {
                        resume.ended(&self.call);
                    }
                    return Poll::Ready(item);
                }
            }
        }
    }

    /// What the caller has to know of a body that failed.
    fn explain(&self, error: Error) -> Error {
        let attempts = self.attempts + error.attempts();
        let error = self.call.of(error).with_attempts(attempts);
        match error.kind() {
            // Where the rest was asked for, there is a reason why it did not come.
            ErrorKind::Transport | ErrorKind::Timeout if error.hint().is_none() => error.with_hint(format!(
                "{} bytes had come: make the call again, or ask for the rest by .range() and .if_match()",
                self.came
            )),
            _ => error,
        }
    }

    fn check_end(&mut self) -> Result<(), Error> {
        if let Some(left) = self.left.filter(|left| *left > 0) {
            return Err(Error::new(
                ErrorKind::Transport,
                format!("the connection was closed {left} bytes before the end of the body"),
            ));
        }
        match self.verify.take().map(|(hasher, expected)| (hasher.finish(), expected)) {
            Some((computed, expected)) if computed != expected => Err(Error::new(
                ErrorKind::Corrupt,
                format!("the body does not match its {} checksum", expected.algorithm()),
            )
            .with_hint("make the call again: the bytes were spoilt on their way, or are where they are stored")),
            _ => Ok(()),
        }
    }
}

/// The checksum to compare the body with: only one that covers the whole object, of an answer that holds all of it.
fn full_object_checksum(head: &HeaderMap) -> Option<Checksum> {
    let (algorithm, value) =
        head.iter().find_map(|(name, value)| Some((ChecksumAlgorithm::of_header(name.as_str())?, value)))?;
    let is_part = head.contains_key(CONTENT_RANGE) || head.contains_key("x-amz-mp-parts-count");
    let is_composite = head.get("x-amz-checksum-type").is_some_and(|kind| kind == "COMPOSITE");
    if is_part || is_composite {
        return None;
    }
    Checksum::parse(algorithm, value.to_str().ok()?).ok().filter(|checksum| !checksum.is_composite())
}

/// The error of a body that broke off.
pub(crate) fn body_error(error: transport::BoxError) -> Error {
    match error.downcast::<transport::TransportError>() {
        Ok(error) => transport_error(*error),
        Err(error) => Error::new(ErrorKind::Transport, format!("the body broke off: {error}")).with_cause(error),
    }
}

impl Stream for ObjectBody {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        #[cfg(feature = "tokio-io")]
        if !self.buffered.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.buffered))));
        }
        if self.done {
            return Poll::Ready(None);
        }
        let item = match self.runtime.must_be_readable_here() {
            Ok(()) => ready!(self.poll_resumed(cx)),
            Err(error) => Some(Err(error)),
        };
        self.done = !matches!(item, Some(Ok(_)));
        if self.done {
            // The connection is given back, or closed, at once.
            self.body = transport::Body::empty();
        }
        Poll::Ready(item.map(|item| item.map_err(|error| self.explain(error))))
    }
}

#[cfg(feature = "tokio-io")]
impl tokio::io::AsyncRead for ObjectBody {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        while self.buffered.is_empty() {
            match ready!(self.as_mut().poll_next(cx)) {
                None => return Poll::Ready(Ok(())),
                Some(Err(error)) => return Poll::Ready(Err(std::io::Error::other(error))),
                Some(Ok(bytes)) => self.buffered = bytes,
            }
        }
        let count = self.buffered.len().min(buffer.remaining());
        buffer.put_slice(&self.buffered.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for ObjectBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectBody").field("left", &self.left).finish_non_exhaustive()
    }
}
