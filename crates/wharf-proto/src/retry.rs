//! Retry decisions: which failures are tried again, after how long, and when to stop.
//!
//! This is the *standard* retry mode of the AWS SDKs in its version 2.1. Nothing here waits, reads a clock or throws
//! dice: the caller brings the jitter and does the waiting.
//!
//! One [`RetryQuota`] is shared by all requests of a client to one bucket; one [`RetryState`] belongs to one call.
//!
//! ```
//! use std::time::Duration;
//! use http::{HeaderMap, StatusCode};
//! use wharf_proto::retry::{Decision, FailureClass, RetryPolicy, RetryQuota, RetryState, retry_after};
//!
//! let quota = RetryQuota::default();
//! let mut state = RetryState::new(RetryPolicy::default());
//! let class = FailureClass::of_response(StatusCode::SERVICE_UNAVAILABLE, Some("SlowDown"));
//! let decision = state.failed(class, retry_after(&HeaderMap::new()), 0.25, &quota);
//! assert_eq!(decision, Decision::RetryAfter(Duration::from_millis(250)));
//! state.succeeded(&quota);
//! ```

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::{HeaderMap, StatusCode};

/// What the first retry of a request waits at most when the server did not ask to slow down.
const BASE_DELAY: Duration = Duration::from_millis(50);
/// The same for throttling.
const THROTTLING_BASE_DELAY: Duration = Duration::from_secs(1);
/// How far a server can stretch a wait beyond the one computed here.
const SERVER_STRETCH: Duration = Duration::from_secs(5);

const QUOTA_CAPACITY: u32 = 500;
const RETRY_COST: u32 = 14;
const THROTTLING_RETRY_COST: u32 = 5;
/// What a success without any retry brings back.
const PLAIN_SUCCESS_REFUND: u32 = 1;

/// Error codes that decide on their own, whatever the status: S3's, and those of the services that hand out
/// credentials (STS, SSO).
const CODES: [(&str, FailureClass); 24] = [
    ("InternalError", FailureClass::Transient),
    ("ServiceUnavailable", FailureClass::Transient),
    ("RequestTimeout", FailureClass::Transient),
    ("RequestTimeoutException", FailureClass::Transient),
    ("IDPCommunicationError", FailureClass::Transient),
    ("SlowDown", FailureClass::Throttling),
    // MinIO's two spellings.
    ("SlowDownRead", FailureClass::Throttling),
    ("SlowDownWrite", FailureClass::Throttling),
    ("BandwidthLimitExceeded", FailureClass::Throttling),
    ("RequestLimitExceeded", FailureClass::Throttling),
    ("LimitExceededException", FailureClass::Throttling),
    ("Throttling", FailureClass::Throttling),
    ("ThrottlingException", FailureClass::Throttling),
    ("ThrottledException", FailureClass::Throttling),
    ("RequestThrottled", FailureClass::Throttling),
    ("RequestThrottledException", FailureClass::Throttling),
    ("TooManyRequests", FailureClass::Throttling),
    ("TooManyRequestsException", FailureClass::Throttling),
    ("ProvisionedThroughputExceededException", FailureClass::Throttling),
    ("TransactionInProgressException", FailureClass::Throttling),
    ("PriorRequestNotComplete", FailureClass::Throttling),
    ("ConditionalRequestConflict", FailureClass::Conflict),
    ("OperationAborted", FailureClass::Conflict),
    ("ConcurrentModification", FailureClass::Conflict),
];

/// What a failed attempt means for the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureClass {
    /// The server or the way to it had a fault that may be over at once: a broken connection, a timeout, 500, 502, 503,
    /// 504, `InternalError`, `RequestTimeout`.
    Transient,
    /// The server asked for fewer requests: `SlowDown` and its relatives, 429.
    Throttling,
    /// Another request changed the same object or bucket meanwhile: `ConditionalRequestConflict`, `OperationAborted`.
    /// See [`RetryState::retry_conflicts`].
    Conflict,
    /// The same request would fail the same way.
    NotRetryable,
}

impl FailureClass {
    /// Classifies an answer by S3's error code, if it has one, then by its status. The code comes first because a 200
    /// can carry `InternalError`, a 400 `RequestTimeout`, and a 503 with `SlowDown` is more than a fault.
    ///
    /// Answers that a *changed* request would cure are `NotRetryable` here: a redirect to another region, a skewed
    /// clock, an expired token.
    pub fn of_response(status: StatusCode, code: Option<&str>) -> Self {
        let by_code = code.and_then(|code| CODES.iter().find(|(known, _)| *known == code));
        match (by_code, status.as_u16()) {
            (Some((_, class)), _) => *class,
            (None, 408 | 500 | 502 | 503 | 504) => Self::Transient,
            // 509 is Bandwidth Limit Exceeded, never registered but in use.
            (None, 429 | 509) => Self::Throttling,
            (None, _) => Self::NotRetryable,
        }
    }

    /// Classifies an attempt that got no whole answer.
    pub const fn of_transport(failure: TransportFailure) -> Self {
        match failure {
            TransportFailure::Dns
            | TransportFailure::Connect
            | TransportFailure::Timeout
            | TransportFailure::Closed => Self::Transient,
            TransportFailure::Tls | TransportFailure::RequestBody | TransportFailure::Protocol => Self::NotRetryable,
        }
    }
}

/// How an attempt can fail without a whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportFailure {
    /// The host name was not resolved. Retried: a resolver's answer "no such name" is often a passing one.
    Dns,
    /// No connection: refused, unreachable, reset while it was set up.
    Connect,
    /// The two sides do not trust or understand each other: certificate, name, protocol version. A handshake that the
    /// network cut short is [`TransportFailure::Connect`].
    Tls,
    /// No progress, or no first byte, in the time allowed.
    Timeout,
    /// The connection closed or was reset before the answer was whole.
    Closed,
    /// The request's own body could not be read.
    RequestBody,
    /// The answer was not HTTP.
    Protocol,
}

/// How long a server asks to wait, before any clamping.
///
/// `x-amz-retry-after` counts milliseconds and comes first; `Retry-After` counts seconds. Anything but digits is
/// ignored, and so is a `Retry-After` that names a date, since no clock is at hand.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name| {
        let text = headers.get(name)?.to_str().ok()?.trim();
        // `parse` would accept a sign.
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok())?
    };
    number("x-amz-retry-after").map(Duration::from_millis).or_else(|| number("retry-after").map(Duration::from_secs))
}

/// The limits of retrying: set once per client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Attempts in all, the first included. Default 3; 1 (or 0) turns retries off.
    pub max_attempts: u32,
    /// The longest wait computed here, before jitter. Default 20 s. A server can stretch a wait by up to 5 s more.
    pub max_backoff: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { max_attempts: 3, max_backoff: Duration::from_secs(20) }
    }
}

/// A bucket of tokens that retries take from and successes fill, so that a server that fails widely is not asked three
/// times as much. First attempts never need tokens.
///
/// A retry costs 14 tokens, or 5 after throttling. Shared by reference; it needs no lock.
#[derive(Debug)]
pub struct RetryQuota {
    available: AtomicU32,
    capacity: u32,
}

impl Default for RetryQuota {
    /// A full bucket of 500 tokens.
    fn default() -> Self {
        Self::with_capacity(QUOTA_CAPACITY)
    }
}

impl RetryQuota {
    /// A full bucket that holds `capacity` tokens at most; 0 means no retries at all.
    pub const fn with_capacity(capacity: u32) -> Self {
        Self { available: AtomicU32::new(capacity), capacity }
    }

    /// Tokens left.
    pub fn available(&self) -> u32 {
        self.available.load(Ordering::Relaxed)
    }

    fn try_take(&self, cost: u32) -> bool {
        let taken = self.available.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(cost));
        taken.is_ok()
    }

    fn give_back(&self, tokens: u32) {
        // The closure always returns a value, so this cannot fail.
        let _ = self.available.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            Some(left.saturating_add(tokens).min(self.capacity))
        });
    }
}

/// What to do after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Wait this long, then send the request again, signed anew.
    RetryAfter(Duration),
    /// Return the failure to the caller.
    GiveUp,
}

/// The attempts of one call.
#[derive(Debug)]
pub struct RetryState {
    policy: RetryPolicy,
    retry_conflicts: bool,
    attempts: u32,
    /// What the retry under way took from the quota.
    held: Option<u32>,
}

impl RetryState {
    /// The first attempt is about to be sent.
    pub const fn new(policy: RetryPolicy) -> Self {
        Self { policy, retry_conflicts: true, attempts: 1, held: None }
    }

    /// Whether [`FailureClass::Conflict`] is worth another attempt; it is, unless said otherwise.
    ///
    /// S3 says to send the same request again after a conflict, save two: one about an object of a certain tag, which is to be
    /// read anew first, and a conditional CompleteMultipartUpload, which has to start from CreateMultipartUpload. Those pass
    /// `false`.
    #[must_use]
    pub const fn retry_conflicts(mut self, retry: bool) -> Self {
        self.retry_conflicts = retry;
        self
    }

    /// Attempts so far, the one under way included.
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Decides what follows a failed attempt, and takes the tokens for a retry from `quota`.
    ///
    /// `retry_after` is the server's wish, see [`retry_after`]; it is held between the computed wait and 5 s more.
    /// `jitter` is a random number from 0 to 1 that shortens the computed wait, so that clients that failed together
    /// do not come back together; a number outside is taken as the nearer end, NaN as 1.
    ///
    /// Whether the request's body can be sent again is for the caller to know, before it asks.
    pub fn failed(
        &mut self,
        class: FailureClass,
        retry_after: Option<Duration>,
        jitter: f64,
        quota: &RetryQuota,
    ) -> Decision {
        let (base, cost) = match class {
            FailureClass::NotRetryable => return Decision::GiveUp,
            FailureClass::Conflict if !self.retry_conflicts => return Decision::GiveUp,
            FailureClass::Transient | FailureClass::Conflict => (BASE_DELAY, RETRY_COST),
            FailureClass::Throttling => (THROTTLING_BASE_DELAY, THROTTLING_RETRY_COST),
        };
        if self.attempts >= self.policy.max_attempts || !quota.try_take(cost) {
            return Decision::GiveUp;
        }
        let backoff = self.backoff(base, jitter);
        self.held = Some(cost);
        self.attempts += 1;
        Decision::RetryAfter(retry_after.map_or(backoff, |wish| wish.clamp(backoff, backoff + SERVER_STRETCH)))
    }

    /// Ends the call and returns tokens to `quota`: those of the last retry, or one when there was none.
    ///
    /// It is right after every answer of a server that works: success, and also 304, 404 or 412. Otherwise a client
    /// that mostly asks for what is not there would lose its retries for good.
    pub fn succeeded(self, quota: &RetryQuota) {
        quota.give_back(self.held.unwrap_or(PLAIN_SUCCESS_REFUND));
    }

    fn backoff(&self, base: Duration, jitter: f64) -> Duration {
        // Past 31 doublings the wait is over 60 years; the bound also keeps the product far from overflow.
        let doublings = (self.attempts - 1).min(31);
        let longest = base.saturating_mul(1 << doublings).min(self.policy.max_backoff);
        longest.mul_f64(if jitter.is_nan() { 1.0 } else { jitter.clamp(0.0, 1.0) })
    }
}
