//! The client: settings, state, and how it sends.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use http::{HeaderValue, header};
use wharf_proto::checksum::ChecksumAlgorithm;
use wharf_proto::op::{PostForm, PresignedPost};
use wharf_proto::operation::{Operation, Presigned, SendFuture, Sender};
use wharf_proto::retry::RetryPolicy;
use wharf_proto::sigv4::SigningKeyCache;
use wharf_proto::{Credentials, Endpoint, Error};

use crate::body::{ObjectBody, Place};
use crate::buckets::Buckets;
use crate::clock::Clock;
use crate::config::ClientBuilder;
use crate::dispatch::{self, Answer, Read};
use crate::explain::{Explanation, Told};
use crate::identity::Identity;
use crate::payload::Conditions;
use crate::presign::{presign, presign_post};
use crate::runtime::RuntimeHandle;
use crate::transport::Transport;

/// An S3 client. A cheap clone: all clones share connections, credentials and retry quotas.
///
/// Its calls run on the Tokio runtime that awaits them, which needs its timer and its I/O (`enable_all()`, as
/// `#[tokio::main]` does).
#[derive(Clone)]
pub struct Client(Arc<Inner>);

/// A client's settings and state.
pub(crate) struct Inner {
    pub(crate) endpoint: Endpoint,
    pub(crate) identity: Identity,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) runtime: RuntimeHandle,
    pub(crate) checksum: Option<ChecksumAlgorithm>,
    /// Whether reads ask for the stored checksum although the call does not say so.
    pub(crate) checks_answers: bool,
    pub(crate) trailers: bool,
    pub(crate) announces_checksum: bool,
    pub(crate) sign_payload: bool,
    pub(crate) retry: RetryPolicy,
    pub(crate) buckets: Buckets,
    pub(crate) stall_limit: Duration,
    pub(crate) patience: Duration,
    pub(crate) deadline: Option<Duration>,
    pub(crate) clock: Arc<dyn Clock>,
    /// How many seconds the servers' clock is ahead of ours, as an answer said.
    pub(crate) clock_ahead: AtomicI64,
    pub(crate) signing_keys: SigningKeyCache,
    pub(crate) told: Told,
}

impl Inner {
    /// The time that requests are signed with.
    pub(crate) fn now(&self) -> SystemTime {
        let ahead = self.clock_ahead.load(Ordering::Relaxed);
        let by = Duration::from_secs(ahead.unsigned_abs());
        let now = self.clock.now();
        let corrected = if ahead < 0 { now.checked_sub(by) } else { now.checked_add(by) };
        corrected.unwrap_or(now)
    }

    /// Has [`now`](Inner::now) agree with a server's clock, for all requests to come.
    pub(crate) fn set_clock(&self, theirs: SystemTime) {
        let seconds = |by: Duration| i64::try_from(by.as_secs()).unwrap_or_default();
        let ahead = match theirs.duration_since(self.clock.now()) {
            Ok(ahead) => seconds(ahead),
            Err(behind) => -seconds(behind.duration()),
        };
        self.clock_ahead.store(ahead, Ordering::Relaxed);
    }

    pub(crate) fn payload_conditions(&self) -> Conditions {
        Conditions {
            signed: self.identity.provider().is_some(),
            sign_payload: self.sign_payload,
            checksum: self.checksum,
            trailers: self.trailers,
            announces_checksum: self.announces_checksum,
        }
    }
}

impl Client {
    /// A client whose keys, region and endpoint come from the environment and the AWS files: see [`ClientBuilder`].
    ///
    /// # Errors
    /// As [`ClientBuilder::build`].
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// Sets a client up.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// The region that requests are signed for.
    pub fn region(&self) -> &str {
        self.0.endpoint.region()
    }

    /// What each setting is and where it came from: the variable, or the file and its line.
    ///
    /// Asks nobody. Which source the credentials come from is known at once; what it gave is known after a first call,
    /// or after [`credentials`](Client::credentials). Secrets are hidden.
    pub fn explain(&self) -> Explanation {
        Explanation::new(&self.0.told, self.0.identity.tell())
    }

    /// The credentials that a request would be signed with now, looked up where need be; `None` for an anonymous
    /// client.
    ///
    /// # Errors
    /// As the source of credentials has them: an SSO token that has expired, a program that fails, a role that may not
    /// be assumed.
    pub fn credentials(&self) -> SendFuture<Option<Credentials>> {
        let inner = self.0.clone();
        self.0.runtime.run(async move {
            match inner.identity.provider() {
                Some(provider) => provider.credentials().await.map(Some),
                None => Ok(None),
            }
        })
    }
}

impl Sender for Client {
    type Body = ObjectBody;

    fn send<O: Operation>(&self, mut operation: O) -> SendFuture<O::Output> {
        let inner = self.0.clone();
        self.0.runtime.run(async move {
            let request = operation.request().map_err(|error| error.at(O::NAME, None, None))?;
            let place = Place::new(O::NAME, &request);
            let answer = dispatch::send(&inner, O::NAME, request, Read::Whole).await?;
            let (status, headers) = (answer.response.status(), answer.response.headers().clone());
            operation
                .response(answer.response)
                .map_err(|error| place.of(error.with_answer(status, &headers).with_attempts(answer.attempts)))
        })
    }

    fn open<O: Operation>(&self, mut operation: O) -> SendFuture<(O::Output, ObjectBody)> {
        let inner = self.0.clone();
        self.0.runtime.run(async move {
            let mut request = operation.request().map_err(|error| error.at(O::NAME, None, None))?;
            let place = Place::new(O::NAME, &request);
            if inner.checks_answers && !request.headers.contains_key(header::RANGE) {
                request.headers.entry("x-amz-checksum-mode").or_insert(HeaderValue::from_static("ENABLED"));
            }
            let answer = dispatch::send(&inner, O::NAME, request, Read::Head).await?;
            let Answer { response, rest, attempts } = answer;
            let body = ObjectBody::new(rest, response.headers(), attempts, &inner, place.clone());
            let output = operation.response(response).map_err(|error| place.of(error))?;
            Ok((output, body))
        })
    }

    fn presign<O: Operation>(&self, mut operation: O, expires_in: Duration) -> SendFuture<Presigned> {
        let inner = self.0.clone();
        self.0.runtime.run(async move {
            let request = operation.request().map_err(|error| error.at(O::NAME, None, None))?;
            let place = Place::new(O::NAME, &request);
            presign(&inner, request, expires_in).await.map_err(|error| place.of(error))
        })
    }

    fn presign_post(&self, form: PostForm, expires_in: Duration) -> SendFuture<PresignedPost> {
        let inner = self.0.clone();
        self.0.runtime.run(async move { presign_post(&inner, form, expires_in).await })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("region", &self.0.endpoint.region())
            .field("endpoint", &self.0.endpoint)
            .finish_non_exhaustive()
    }
}
