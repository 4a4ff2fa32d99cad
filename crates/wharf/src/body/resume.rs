//! A body that breaks off goes on at its next byte, while the object is still the same.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::header::{CONTENT_RANGE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
use http::{HeaderMap, HeaderValue, Method};
use wharf_proto::operation::{Request, SendFuture, Success};
use wharf_proto::retry::{Decision, FailureClass, RetryState};
use wharf_proto::{ByteRange, ContentRange, ETag, Error, ErrorKind};

use super::Call;
use crate::client::Inner;
use crate::dispatch::{self, Read};
use crate::runtime::driven;
use crate::transport;

/// What of a request is needed to ask for the rest of its answer.
#[derive(Clone)]
pub(crate) struct Again {
    query: Vec<(Cow<'static, str>, Option<String>)>,
    headers: HeaderMap,
}

/// How a body goes on, as often as the client's retries allow without any progress.
pub(super) struct Resume {
    client: Arc<Inner>,
    again: Again,
    /// Which bytes of the object the first answer held.
    bytes: Range<u64>,
    etag: ETag,
    retries: RetryState,
    /// How many bytes had come when it last broke off.
    came: u64,
    opening: Option<SendFuture<(Opened, RetryState)>>,
}

/// The rest of a body.
pub(super) struct Opened {
    pub(super) body: transport::Body,
    /// How many requests it took.
    pub(super) attempts: u32,
}

impl Again {
    /// Takes it out of a request that was sent. `None` for one whose answer cannot be had in two pieces, or that is made
    /// once only.
    pub(crate) fn of(client: &Inner, request: &mut Request) -> Option<Self> {
        let retries = client.retry.max_attempts > 1 && !client.sending.one_attempt;
        let is_read = request.method == Method::GET && request.key.is_some() && request.success != Success::Verbatim;
        let (query, headers) = (&mut request.query, &mut request.headers);
        (retries && is_read).then(|| Self { query: std::mem::take(query), headers: std::mem::take(headers) })
    }

    /// The request for these bytes of the object that has this tag.
    fn request(&self, call: &Call, bytes: Range<u64>, etag: &ETag) -> Result<Request, Error> {
        let bucket = call.bucket.as_deref().unwrap_or_default();
        let mut request = Request::object(Method::GET, bucket, call.key.as_deref().unwrap_or_default())?;
        // A part's bytes are asked for by their place in the object.
        request.query = self.query.iter().filter(|(name, _)| name != "partNumber").cloned().collect();
        request.headers = self.headers.clone();
        // They held once, and the tag says that it is the same object.
        for condition in [IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE] {
            request.headers.remove(condition);
        }
        request.headers.remove("x-amz-checksum-mode");
        request.header("range", &ByteRange::from(bytes).to_header()?)?;
        request.header("if-match", &format!("\"{}\"", etag.unquoted()))?;
        Ok(request)
    }
}

impl Resume {
    /// How the answer with this head goes on, if it can.
    pub(super) fn of(client: &Arc<Inner>, again: Again, head: &HeaderMap, length: u64) -> Option<Self> {
        let etag = ETag::from(head.get(ETAG)?.to_str().ok()?);
        let bytes = match head.get(CONTENT_RANGE) {
            Some(range) => ContentRange::parse(range.to_str().ok()?)?.bytes,
            None => 0..length,
        };
        // A weak one may be that of other bytes.
        let is_possible = !etag.is_empty() && !etag.is_weak() && bytes.end - bytes.start == length;
        let retries = RetryState::new(client.retry);
        is_possible.then(|| Self { client: client.clone(), again, bytes, etag, retries, came: 0, opening: None })
    }

    /// Begins to ask for what follows the `came` bytes that there are.
    ///
    /// # Errors
    /// `error` itself, where that would not help.
    pub(super) fn begin(&mut self, call: &Call, came: u64, error: Error) -> Result<(), Error> {
        if !matches!(error.kind(), ErrorKind::Transport | ErrorKind::Timeout) {
            return Err(error);
        }
        let left = self.bytes.start + came..self.bytes.end;
        if left.is_empty() || self.again.request(call, left.clone(), &self.etag).is_err() {
            return Err(error);
        }
        let quota = self.client.buckets.of(call.bucket.as_deref());
        let mut retries = std::mem::replace(&mut self.retries, RetryState::new(self.client.retry));
        if came > self.came {
            self.came = came;
            std::mem::replace(&mut retries, RetryState::new(self.client.retry)).succeeded(&quota.quota);
        }
        let (again, call, etag) = (self.again.clone(), call.clone(), self.etag.clone());
        let asking = ask(self.client.clone(), again, call, left, etag, retries, error);
        self.opening = Some(Box::pin(driven(asking)));
        Ok(())
    }

    /// All has come: what the last retry took from the quota is given back.
    pub(super) fn ended(self, call: &Call) {
        if self.came > 0 {
            self.retries.succeeded(&self.client.buckets.of(call.bucket.as_deref()).quota);
        }
    }

    pub(super) fn is_busy(&self) -> bool {
        self.opening.is_some()
    }

    /// The rest, once it begins to come; `None` where it was not asked for.
    pub(super) fn poll_opened(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Opened, Error>>> {
        let Some(opening) = &mut self.opening else { return Poll::Ready(None) };
        let opened = ready!(opening.as_mut().poll(cx));
        self.opening = None;
        Poll::Ready(Some(opened.map(|(opened, retries)| {
            self.retries = retries;
            opened
        })))
    }
}

/// Asks for the bytes that are left until they come or there is no point in it. `error` is why they have to be asked for.
async fn ask(
    client: Arc<Inner>,
    again: Again,
    call: Call,
    left: Range<u64>,
    etag: ETag,
    mut retries: RetryState,
    mut error: Error,
) -> Result<(Opened, RetryState), Error> {
    let bucket = client.buckets.of(call.bucket.as_deref());
    let once = client.once();
    let mut attempts = 0;
    loop {
        match retries.failed(class(&error), error.retry_after(), client.clock.jitter(), &bucket.quota) {
            Decision::GiveUp => return Err(error.with_attempts(attempts)),
            Decision::RetryAfter(wait) => {
                tracing::debug!(%error, ?wait, "going on at byte {}", left.start);
                client.clock.sleep(wait).await;
            }
        }
        let mut request = again.request(&call, left.clone(), &etag)?;
        attempts += 1;
        match dispatch::send(&once, call.operation, &mut request, Read::Head).await {
            Ok(answer) => {
                let head = answer.response.headers();
                let text = |name| head.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
                if text(ETAG).is_some_and(|sent| ETag::from(sent) != etag) {
                    let error = Error::new(ErrorKind::PreconditionFailed, "the answer is of another object");
                    return Err(replaced(error, attempts));
                }
                let is_rest = text(CONTENT_RANGE).and_then(ContentRange::parse).is_some_and(|sent| sent.bytes == left);
                if !is_rest || !head.contains_key(ETAG) {
                    // No range, or of whichever object: what broke off is all that there is to tell.
                    return Err(error.with_attempts(attempts));
                }
                return Ok((Opened { body: answer.rest, attempts }, retries));
            }
            Err(failed) if matches!(failed.kind(), ErrorKind::PreconditionFailed | ErrorKind::InvalidRange) => {
                return Err(replaced(failed, attempts));
            }
            Err(failed) => error = failed,
        }
    }
}

fn replaced(error: Error, attempts: u32) -> Error {
    error
        .with_attempts(attempts)
        .with_kind(ErrorKind::PreconditionFailed)
        .with_hint("the body broke off, and the object was replaced before the rest was asked for: make the call again")
}

fn class(error: &Error) -> FailureClass {
    match (error.status(), error.kind()) {
        (Some(status), _) => FailureClass::of_response(status, error.code()),
        (None, ErrorKind::Transport | ErrorKind::Timeout) => FailureClass::Transient,
        _ => FailureClass::NotRetryable,
    }
}
