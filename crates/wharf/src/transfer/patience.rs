//! Trying again for as long as anything moves.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use wharf_proto::{Error, ErrorKind};

use super::handle::Watch;
use super::lane::{Lane, Slot};
use super::silence::LEAST;
use crate::transport::was_never_sent;

/// How long a transfer goes on trying while nothing moves, unless it is told otherwise: 5 minutes.
pub const PATIENCE: Duration = Duration::from_secs(5 * 60);

const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// A server that asks for a longer wait is asked after this one.
const LONGEST_WISH: Duration = Duration::from_secs(60);

/// How often a request is made again whose bytes were not those that were sent when they arrived. Once is a fault of the way
/// there; what happens each time is none. A success that ends without its document is asked for as often.
const SPOILT: u32 = 2;

/// How often a write is made again that meets another one of the same key, as S3 wants it, and after what wait.
pub(super) const CONFLICTS: u32 = 3;
pub(super) const AFTER_CONFLICT: Duration = Duration::from_millis(100);

/// How often a server is tried that cannot be reached and never was: there is nothing that could come back.
const STRANGER_ATTEMPTS: u32 = 6;

/// Makes a request again and again until it succeeds, fails for good, or the whole transfer has not moved for `patience`. The
/// waits between are random (`jitter` gives from 0 to 1), up to a limit that doubles until 20 s, and no shorter than the
/// server asks for; the last attempt is made when patience ends. Waiting for leave to send tries nobody's patience. A server
/// that this client has never reached is given up after a few seconds.
///
/// The client's own retries and their quota are for small requests: those that go through here are sent by a client that makes
/// one attempt ([`Client::for_transfers`](crate::Client)).
pub(crate) async fn patiently<T, F>(
    lane: &Lane,
    watch: &Watch,
    patience: Duration,
    jitter: impl Fn() -> f64,
    mut attempt: impl FnMut() -> F,
) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    patiently_with(lane, watch, patience, jitter, |_| attempt()).await
}

/// The same for an attempt that waits for other things than the server: [`Slot::aside`]. That tries nobody's patience either.
pub(crate) async fn patiently_with<T, F>(
    lane: &Lane,
    watch: &Watch,
    patience: Duration,
    jitter: impl Fn() -> f64,
    mut attempt: impl FnMut(Arc<Slot>) -> F,
) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut mark = watch.still_for().1;
    let mut tried = Duration::ZERO;
    let mut longest = FIRST_WAIT;
    let (mut attempts, mut spoilt) = (0, 0);
    let mut again = lane.again();
    loop {
        let slot = Arc::new(lane.enter().await);
        let begin = Instant::now();
        let result = attempt(slot.clone()).await;
        attempts += 1;
        let error = match result {
            Ok(done) => {
                again.came();
                return Ok(done);
            }
            Err(error) => error,
        };
        if error.kind() == ErrorKind::SlowDown {
            lane.throttled();
        }
        // As long as a peer took bytes something moved, though it came to nothing.
        let moved = begin.max(watch.flight().taken());
        tried += begin.elapsed().saturating_sub(slot.time_aside()).min(moved.elapsed());
        drop(slot);
        let (still, now) = watch.still_for();
        if now != mark {
            (mark, tried, longest) = (now, still.min(tried), FIRST_WAIT);
            again.came();
        }
        let is_spoilt = was_spoilt(&error);
        let passes_soon = is_spoilt || broke_off(&error);
        spoilt += u32::from(passes_soon);
        let may_pass = if passes_soon { spoilt <= SPOILT } else { may_pass(&error) };
        let mut silence_ends = lane.silence().end();
        let wish = error.retry_after().unwrap_or_default().min(LONGEST_WISH);
        if is_unheard(&error) {
            lane.silence().unheard(moved, wish);
        } else if error.kind() == ErrorKind::SlowDown {
            lane.silence().refused(moved, wish);
        } else if error.status().is_some() {
            lane.silence().served();
        }
        if !may_pass {
            let error = if is_spoilt && spoilt > SPOILT { spoilt_each_time(error) } else { error };
            return Err(error.with_attempts(attempts));
        }
        if attempts >= STRANGER_ATTEMPTS && !lane.was_answered() && was_never_sent(&error) {
            return Err(error.with_attempts(attempts));
        }
        // A thousand that are begun one after another must not wait one after another.
        let in_vain = lane.silence().lasted().unwrap_or_default();
        let own = patience.saturating_sub(tried);
        let left = patience.saturating_sub(in_vain).max(LEAST.saturating_sub(tried)).min(own);
        if left.is_zero() || wish > left {
            return Err(exhausted(error, patience, left, own).with_attempts(attempts));
        }
        let wait = longest.mul_f64(jitter().clamp(0.0, 1.0)).max(wish).min(left);
        again.failed(&error, tried, left);
        tracing::debug!(%error, ?wait, "trying again");
        watch.retried();
        lane.retried();
        let began = Instant::now();
        longest = (longest * 2).min(LONGEST_WAIT);
        sleep(wish).await;
        // Where one is served again of those that wait, all go on, but not all at once.
        if timeout(wait.saturating_sub(wish), silence_ends.changed()).await.is_ok() {
            sleep(FIRST_WAIT.mul_f64(jitter().clamp(0.0, 1.0))).await;
            longest = FIRST_WAIT;
        }
        tried += began.elapsed();
    }
}

/// What to say at the end of patience, or where what is `left` of it is less than the server asks to wait. There may be less left
/// than of its `own`, for others have tried as long; a little less is only what it waited for leave to send.
fn exhausted(error: Error, patience: Duration, left: Duration, own: Duration) -> Error {
    let why = match left {
        _ if left + LEAST <= own => "nothing was served to any transfer within",
        Duration::ZERO => "nothing moved within",
        _ => "the server asks for a wait beyond",
    };
    let message = format!("{why} a patience of {}: {}", seconds(patience), error.message());
    error.with_message(message).with_hint("a longer patience goes on trying")
}

/// What to say where the bytes were others each time they arrived.
fn spoilt_each_time(error: Error) -> Error {
    let message = format!("the bytes were spoilt on their way each time: {}", error.message());
    error
        .with_message(message)
        .with_hint("something between here and the server changes them: a proxy, or a faulty network card")
}

/// As somebody would say it: `90 s`, `0.5 s`.
fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

/// Whether the same request may succeed later.
pub(super) fn may_pass(error: &Error) -> bool {
    let kinds = [ErrorKind::SlowDown, ErrorKind::Timeout, ErrorKind::Transport, ErrorKind::Server];
    !is_refusal(error)
        && (kinds.contains(&error.kind())
            || error.status().is_some_and(|status| status.is_server_error())
            || error.code() == Some("RequestTimeout"))
}

/// Whether the server says that it will not do it. One that is full is no sooner empty for being asked again.
fn is_refusal(error: &Error) -> bool {
    matches!(error.status(), Some(http::StatusCode::NOT_IMPLEMENTED | http::StatusCode::INSUFFICIENT_STORAGE))
}

/// Whether the request may have been carried out although it failed.
pub(super) fn answer_was_lost(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Transport | ErrorKind::Timeout | ErrorKind::Server => !was_never_sent(error) && !is_refusal(error),
        _ => is_unreadable_success(error),
    }
}

/// Whether it is a success that was begun before the server knew how it ends, and has no whole document.
fn broke_off(error: &Error) -> bool {
    let is_begun_early = matches!(error.operation(), Some("CopyObject" | "UploadPartCopy" | "CompleteMultipartUpload"));
    is_begun_early && is_unreadable_success(error)
}

/// Whether the server did it, and what it says of it cannot be read.
fn is_unreadable_success(error: &Error) -> bool {
    error.kind() == ErrorKind::MalformedResponse && error.status().is_some_and(|status| status.is_success())
}

/// Whether it says something of the whole server: it cannot be heard, or wants fewer requests.
pub(super) fn is_unserved(error: &Error) -> bool {
    is_unheard(error) || error.kind() == ErrorKind::SlowDown
}

/// Whether nothing came of S3: no answer at all, or the one of a gateway that does not reach it.
fn is_unheard(error: &Error) -> bool {
    match error.status() {
        None => matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Transport),
        Some(status) => status.is_server_error() && error.code().is_none() && error.request_id().is_none(),
    }
}

/// Whether the server got other bytes than were sent, and said so.
pub(super) fn was_spoilt(error: &Error) -> bool {
    match error.code() {
        Some("BadDigest" | "XAmzContentSHA256Mismatch" | "XAmzContentChecksumMismatch" | "IncompleteBody") => true,
        // The upload was begun with the same keys, so that they are right: what was signed is what did not arrive.
        Some("SignatureDoesNotMatch") => error.operation() == Some("UploadPart"),
        // It has stored them, and takes the right ones in their place.
        None => error.operation() == Some("UploadPart") && error.kind() == ErrorKind::Corrupt,
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests;
