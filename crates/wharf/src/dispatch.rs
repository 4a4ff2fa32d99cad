//! The loop that every request passes: credentials, sign, send, read, decide.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use tracing::Instrument;
use wharf_proto::correct::{Asked, Correction, Corrections, correction};
use wharf_proto::operation::{Request, SentChecksum, Success};
use wharf_proto::provider::ContentMd5;
use wharf_proto::retry::{Decision, FailureClass, RetryQuota, RetryState, TransportFailure, retry_after};
use wharf_proto::sigv4::{self, Scope, SignedChunks, Signer};
use wharf_proto::{Credentials, Error, ErrorKind, is_error_document, is_web_page, is_whole_document};

use crate::body::body_error;
use crate::client::Inner;
use crate::payload::Payload;
use crate::progress::{Progress, StallTimer, with_limit};
use crate::route::{Route, Way, once_more};
use crate::transfer;
use crate::transport::{self, transport_error};

/// How much of an error's body is read.
const MAX_ERROR_BODY: usize = 256 * 1024;

/// How much of an answer that must be held in memory is read. A page of 1,000 long keys has under 10 MiB.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// What to do with a successful answer's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read {
    /// Read it into memory; a body that breaks off is a failed attempt.
    Whole,
    /// Hand it over.
    Head,
}

/// A successful answer: its body in memory, or still to come.
pub(crate) struct Answer {
    pub(crate) response: Response<Bytes>,
    pub(crate) rest: transport::Body,
    /// How many times the request was sent.
    pub(crate) attempts: u32,
}

/// A failed attempt: what to tell the caller, and what it means for the next one.
struct Failure {
    error: Error,
    class: FailureClass,
    retry_after: Option<Duration>,
    /// The server works: it answered, and its answer is final. Gives the retry quota back.
    answered: bool,
    /// What the answer says to change.
    correction: Option<Correction>,
}

/// Sends `request` until it succeeds or there is no point in trying again. What errors tell of it stays in it, and so do
/// the headers that it was sent with; its body is taken.
pub(crate) async fn send(
    client: &Arc<Inner>,
    operation: &'static str,
    request: &mut Request,
    read: Read,
) -> Result<Answer, Error> {
    let span = tracing::debug_span!("s3", operation, bucket = request.bucket, key = request.key);
    let sent = AtomicU32::new(0);
    let sending = prepare_and_send(client, request, read, &sent).instrument(span);
    // A transfer has its patience.
    let answer = match client.deadline.filter(|_| !client.sending.one_attempt) {
        None => sending.await,
        Some(limit) => tokio::time::timeout(limit, Box::pin(sending)).await.unwrap_or_else(|_| {
            let error = format!("the call took longer than its deadline of {limit:?}");
            Err(Error::new(ErrorKind::Timeout, error).with_attempts(sent.load(Ordering::Relaxed)))
        }),
    };
    answer.map_err(|error| error.at(operation, request.bucket.as_deref(), request.key.as_deref()))
}

async fn prepare_and_send(
    client: &Arc<Inner>,
    request: &mut Request,
    read: Read,
    sent: &AtomicU32,
) -> Result<Answer, Error> {
    let route = Route::of(client, request)?;
    let payload = Payload::prepare(request, &client.payload_conditions()).await?;
    attempts(client, &mut Prepared { request, route, payload }, read, sent).await
}

/// A request that can be signed and sent, again and again where its payload allows.
struct Prepared<'r> {
    request: &'r mut Request,
    route: Route,
    payload: Payload,
}

impl Prepared<'_> {
    fn way(&self, client: &Inner) -> Result<Way, Error> {
        self.route.way(client, self.request)
    }
}

async fn attempts(
    client: &Arc<Inner>,
    prepared: &mut Prepared<'_>,
    read: Read,
    sent: &AtomicU32,
) -> Result<Answer, Error> {
    let quota = &prepared.route.bucket.quota;
    let mut policy = client.retry;
    if client.sending.one_attempt {
        policy.max_attempts = 1;
    }
    let mut state = RetryState::new(policy).retry_conflicts(prepared.request.retry_conflict);
    let mut corrections = Corrections::default();
    let mut way = prepared.way(client)?;
    let mut number = 0;
    // An earlier attempt may have been carried out although its answer was lost.
    let mut maybe_done = false;
    let mut goes_by_md5 = false;
    // How far ahead the server's clock was taken to be, where this call has changed that.
    let mut clock_was = None;
    loop {
        number += 1;
        sent.store(number, Ordering::Relaxed);
        if number > 1 {
            client.tally.retry();
        }
        let span = tracing::debug_span!("attempt", number);
        let mut signed_with = None;
        let mut failure = match attempt(client, prepared, &way, read, &mut signed_with).instrument(span).await {
            Ok(mut answer) => {
                if let Some(sent) = prepared.payload.told_checksum() {
                    answer.response.extensions_mut().insert(SentChecksum(sent));
                }
                state.succeeded(quota);
                if goes_by_md5 {
                    client.asked_for_md5.store(true, Ordering::Relaxed);
                }
                let (status, headers) = (answer.response.status(), answer.response.headers());
                let checked = prepared.payload.check_answer(prepared.request, headers);
                checked.map_err(|error| error.with_answer(status, headers).with_attempts(number))?;
                return Ok(Answer { attempts: number, ..answer });
            }
            Err(failure) => failure,
        };
        if failure.error.kind() == ErrorKind::RequestTimeTooSkewed
            && let Some(ahead) = clock_was.take()
        {
            // The time that the server told is none that it takes: not worth keeping.
            client.server_clock.set_ahead(ahead);
        }
        let ahead = client.server_clock.ahead();
        if let Some(correction) = failure.correction.take().filter(|correction| corrections.allow(correction))
            // Boxed, for it is seldom needed.
            && Box::pin(prepared.route.correct(client, prepared.request, &way, &correction, signed_with.as_ref())).await
        {
            if prepared.payload.can_be_sent() {
                tracing::debug!(error = %failure.error, ?correction, "trying again, corrected");
                clock_was = clock_was.or(matches!(correction, Correction::Clock(_)).then_some(ahead));
                if correction == Correction::ContentMd5 {
                    Box::pin(prepared.payload.go_by_md5(&mut prepared.request.headers)).await?;
                    goes_by_md5 = true;
                }
                way = prepared.way(client)?;
                continue;
            }
            failure.error = once_more(failure.error, &correction);
        }
        let decision = if prepared.payload.can_be_sent() {
            state.failed(failure.class, failure.retry_after, client.clock.jitter(), quota)
        } else {
            Decision::GiveUp
        };
        match decision {
            Decision::GiveUp => {
                give_back(state, failure.answered, quota);
                let maybe_done = maybe_done && !prepared.request.method.is_safe();
                let error = client.doubt_place(prepared.request, failure.error);
                let of_object = prepared.request.query.iter().all(|(name, _)| name == "versionId");
                let is_delete = prepared.request.method == Method::DELETE && of_object;
                let error = explain(error, &way, maybe_done, is_delete);
                return Err(name_source(error, prepared.request).with_attempts(number));
            }
            Decision::RetryAfter(wait) => {
                tracing::debug!(error = %failure.error, ?wait, "trying again");
                maybe_done |= failure.class == FailureClass::Transient && !transport::was_never_sent(&failure.error);
                client.clock.sleep(wait).await;
            }
        }
    }
}

/// What the caller has to know of a failure that this call could not mend.
fn explain(error: Error, way: &Way, maybe_done: bool, is_delete: bool) -> Error {
    let region = way.scope().region;
    match error.kind() {
        ErrorKind::WrongRegion if error.region() == Some(region) => {
            let hint = format!("the request was signed for {region} already: are endpoint and credentials right?");
            // To a HEAD, any 400 looks like this one.
            let about_region = error.code().is_some() || error.status() != Some(StatusCode::BAD_REQUEST);
            let kind = if about_region { error.kind() } else { ErrorKind::InvalidInput };
            error.with_kind(kind).with_hint(hint)
        }
        _ if maybe_done && is_in_its_own_way(&error, is_delete) => {
            // What deletes or makes a bucket has no object that could be its own.
            let of_bucket = matches!(error.kind(), ErrorKind::BucketAlreadyOwnedByYou | ErrorKind::NoSuchBucket);
            error.with_maybe_ours(!of_bucket).with_hint(
                "an earlier attempt of this call broke off and may have succeeded: look before you try again",
            )
        }
        _ => error,
    }
}

/// An error names the target of a copy; what is not there is the source.
fn name_source(error: Error, request: &Request) -> Error {
    let source = request
        .headers
        .get("x-amz-copy-source")
        .filter(|_| error.kind() == ErrorKind::NoSuchKey && error.hint().is_none());
    match source.map(|source| percent_encoding::percent_decode(source.as_bytes()).decode_utf8_lossy()) {
        Some(source) => error.with_hint(format!("it is the source that is not there: {source}")),
        None => error,
    }
}

/// A write whose first answer was lost can fail the second time because of its own success.
fn is_in_its_own_way(error: &Error, is_delete: bool) -> bool {
    use ErrorKind::{BucketAlreadyOwnedByYou, NoSuchBucket, NoSuchKey, NoSuchUpload, PreconditionFailed};
    matches!(error.kind(), PreconditionFailed | NoSuchUpload | BucketAlreadyOwnedByYou | NoSuchBucket)
        || is_delete && error.kind() == NoSuchKey
        // An append has moved the end at which it was made.
        || error.code() == Some("InvalidWriteOffset")
}

fn give_back(state: RetryState, answered: bool, quota: &RetryQuota) {
    if answered {
        state.succeeded(quota);
    }
}

async fn attempt(
    client: &Arc<Inner>,
    prepared: &Prepared<'_>,
    way: &Way,
    read: Read,
    signed_with: &mut Option<Credentials>,
) -> Result<Answer, Failure> {
    let payload = &prepared.payload;
    let scope = keys(client, prepared, way, signed_with).await.map_err(Failure::last)?;
    let at = client.now();
    let signer =
        signed_with.as_ref().zip(scope).map(|(keys, scope)| Signer::new(keys, scope, at, &client.signing_keys));
    let progress = Progress::new(client.tally.clone(), client.flight.clone());
    let signed = sign(client, prepared, way, signer, &progress).map_err(Failure::last)?;
    let success = prepared.request.success;
    let limit = first_byte_limit(client, success);
    client.tally.request();
    let exchange = client.transport.send(signed);
    let response = match with_limit(exchange, &progress, limit).await {
        Some(Ok(response)) => response,
        Some(Err(error)) => return Err(Failure::of_transport(error, payload)),
        None => {
            let error = Error::new(ErrorKind::Timeout, format!("the server was silent for {limit:?}"));
            return Err(Failure::transient(error, TransportFailure::Timeout));
        }
    };
    let (head, body) = response.into_parts();
    client.saw_server(&head.headers);
    client.tally.answer();
    if !head.status.is_server_error() && head.status != StatusCode::TOO_MANY_REQUESTS {
        client.tally.silence().served();
    }
    tracing::debug!(status = head.status.as_u16(), "answered");
    if !head.status.is_success() {
        let (document, _) = read_up_to(body, MAX_ERROR_BODY, [client.stall_limit; 2], |_| {}).await;
        let error = Error::from_response(head.status, &head.headers, &document);
        if error.kind() == ErrorKind::SlowDown {
            client.tally.throttle();
        }
        let mut failure = Failure::of_answer(error, &head.headers, payload);
        let token = signed_with.as_ref().is_some_and(|keys| keys.session_token().is_some());
        let digest =
            client.sending.habits.content_md5 == ContentMd5::WhenAsked && payload.may_go_by_md5(prepared.request);
        let asked = Asked { method: &prepared.request.method, region: way.scope().region, at, token, digest };
        failure.correction = correction(&asked, &failure.error, &head.headers);
        return Err(failure);
    }
    if read == Read::Head {
        return Ok(Answer { response: Response::from_parts(head, Bytes::new()), rest: body, attempts: 0 });
    }
    let received = |count| client.tally.received(count);
    let (document, ended) = read_up_to(body, MAX_ANSWER, [limit, client.stall_limit], received).await;
    // What is waited for from here on is not the server.
    drop(progress);
    transfer::pace(document.len(), &client.budgets).await;
    if let Err(error) = ended {
        let error = error.with_answer(head.status, &head.headers);
        return Err(match error.kind() {
            ErrorKind::MalformedResponse => Failure::last(error),
            _ => Failure::transient(error, TransportFailure::Closed),
        });
    }
    if success != Success::Verbatim && is_error_document(&document) {
        let error = Error::from_response(head.status, &head.headers, &document);
        return Err(Failure::of_answer(error, &head.headers, payload));
    }
    if success == Success::Other && is_web_page(&document) {
        let error = Error::new(ErrorKind::MalformedResponse, "the server answered with a web page")
            .with_answer(head.status, &head.headers);
        let hint = format!("is {} an S3 endpoint?", client.endpoint.server());
        return Err(Failure::last(error.with_hint(hint)));
    }
    // One that never ends well is no reason to wait for long.
    if success == Success::DocumentBegunEarly && !is_whole_document(&document) {
        let error = Error::new(ErrorKind::MalformedResponse, "the server ended its answer without a whole document");
        let error = error.with_answer(head.status, &head.headers);
        return Err(Failure::transient(error, TransportFailure::Closed));
    }
    Ok(Answer { response: Response::from_parts(head, document), rest: transport::Body::empty(), attempts: 0 })
}

/// How long the server may be silent before its answer.
fn first_byte_limit(client: &Inner, success: Success) -> Duration {
    let limit = match success {
        Success::DocumentBegunEarly => client.patience,
        // A transfer asks again within its patience: one answer that never comes must not be its end.
        Success::Document if client.sending.one_attempt => client.patience.min(OF_TRANSFERS),
        Success::Document => client.patience,
        _ => client.stall_limit,
    };
    limit.max(client.stall_limit)
}

/// How long a transfer waits for a listing and the like.
const OF_TRANSFERS: Duration = Duration::from_secs(120);

/// Has in `signed_with` what to sign with, and gives back what for; `None` where requests are not signed.
async fn keys<'w>(
    client: &Arc<Inner>,
    prepared: &Prepared<'_>,
    way: &'w Way,
    signed_with: &mut Option<Credentials>,
) -> Result<Option<Scope<'w>>, Error> {
    let Some(provider) = client.identity.provider() else { return Ok(None) };
    let own = match client.identity.unchanging() {
        Some(own) => own.clone(),
        None => provider.credentials().await?,
    };
    let (keys, scope) = prepared.route.keys(client, prepared.request.bucket.as_deref(), way, own).await?;
    *signed_with = Some(keys);
    Ok(Some(scope))
}

/// The request as it goes to the transport: with its URI, the client's headers, a signature and a body.
fn sign(
    client: &Inner,
    prepared: &Prepared<'_>,
    way: &Way,
    signer: Option<Signer<'_>>,
    progress: &Arc<Progress>,
) -> Result<http::Request<transport::Body>, Error> {
    let (mut head, ()) = http::Request::new(()).into_parts();
    head.method = prepared.request.method.clone();
    head.uri = way.uri.clone();
    let count = prepared.request.headers.len() + SIGNED_HEADERS;
    head.headers = HeaderMap::with_capacity(count.max(ANSWER_HEADERS));
    head.headers.extend(prepared.request.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
    head.headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    if let Some(host) = way.host() {
        head.headers.insert(header::HOST, host.clone());
    }
    let mut chunks = None;
    if let Some(signer) = signer {
        let signing = prepared.payload.signing();
        let seed = signer.sign(&mut head, signing).map_err(unsignable)?;
        let signs_chunks = matches!(signing, sigv4::Payload::StreamingSigned | sigv4::Payload::StreamingSignedTrailer);
        chunks = signs_chunks.then(|| SignedChunks::new(&signer, seed));
    }
    let body = prepared.payload.body(chunks, progress)?;
    Ok(http::Request::from_parts(head, transfer::paced(body, &client.budgets, progress)))
}

/// How many headers a request gets here: its date, digest and signature, our name, and the host's.
const SIGNED_HEADERS: usize = 5;

/// The answer's headers go where the request's were: room for as many as S3 answers with.
const ANSWER_HEADERS: usize = 12;

pub(crate) fn unsignable(error: sigv4::SigningError) -> Error {
    Error::invalid_input(error.to_string())
}

pub(crate) const USER_AGENT: &str = concat!("wharf/", env!("CARGO_PKG_VERSION"));

impl Failure {
    /// Nothing that another attempt could mend.
    fn last(error: Error) -> Self {
        Self { error, class: FailureClass::NotRetryable, retry_after: None, answered: false, correction: None }
    }

    fn transient(error: Error, failure: TransportFailure) -> Self {
        Self { error, class: FailureClass::of_transport(failure), retry_after: None, answered: false, correction: None }
    }

    /// An answer that stands for an error. Where the request's own body failed meanwhile, that is the reason.
    fn of_answer(error: Error, headers: &HeaderMap, payload: &Payload) -> Self {
        if let Some(error) = payload.take_error() {
            return Self::last(error);
        }
        let class = FailureClass::of_response(error.status().unwrap_or_default(), error.code());
        let answered = class == FailureClass::NotRetryable;
        Self { error, class, retry_after: retry_after(headers), answered, correction: None }
    }

    fn of_transport(error: transport::TransportError, payload: &Payload) -> Self {
        if let Some(error) = payload.take_error() {
            return Self::last(error);
        }
        let failure = transport::failure(error.kind());
        Self::transient(transport_error(error), failure)
    }
}

/// Reads a body up to `limit` bytes; what came, and whether that was all. `received` is told of each piece.
pub(crate) async fn read_up_to(
    mut body: transport::Body,
    limit: usize,
    [for_the_first_byte, stall_limit]: [Duration; 2],
    received: impl Fn(usize),
) -> (Bytes, Result<(), Error>) {
    let mut timer = StallTimer::new(for_the_first_byte);
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    let ended = loop {
        let piece = poll_fn(|cx| match Pin::new(&mut body).poll_next(cx) {
            Poll::Pending => timer.poll_stalled(cx).map(|()| Some(Err(timer.error()))),
            Poll::Ready(piece) => Poll::Ready(piece.map(|piece| piece.map_err(body_error))),
        })
        .await;
        timer = StallTimer::new(stall_limit);
        let mut piece = match piece {
            None => break Ok(()),
            Some(Err(error)) => break Err(error),
            Some(Ok(piece)) => piece,
        };
        received(piece.len());
        let room = limit - first.len() - whole.len();
        let too_long = piece.len() > room;
        piece.truncate(room);
        if first.is_empty() && whole.is_empty() {
            first = piece;
        } else {
            if whole.is_empty() {
                whole.extend_from_slice(&std::mem::take(&mut first));
            }
            whole.extend_from_slice(&piece);
        }
        if too_long {
            break Err(Error::new(ErrorKind::MalformedResponse, format!("the answer has more than {limit} bytes")));
        }
    };
    (if whole.is_empty() { first } else { whole.freeze() }, ended)
}
