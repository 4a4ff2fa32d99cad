//! The store itself: who may use it, what it is called, and the way of a request through it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use http::header::{CONTENT_LENGTH, DATE, HOST, HeaderValue, ORIGIN, SERVER};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use wharf_transport::{Body, Defaults, ResponseFuture, Transport, TransportError};

use crate::account::Account;
use crate::backend::Backend;
use crate::builder::Builder;
use crate::call::{self, Call, Peer, Reply};
use crate::cors::{self, Question};
use crate::disk::OpenError;
use crate::document::Document;
use crate::error::Result;
use crate::faults::{self, Asked, Fault, FaultError, Faults, Habits, Injected};
use crate::front::{self, Gate, Verifier, Watch};
use crate::id::Ids;
use crate::log::{Log, LoggedRequest, Requests};
use crate::op;
use crate::query::Query;
use crate::route::Operation;
use crate::target::Target;
use crate::time::http_date;

/// An S3 store inside this process.
///
/// A clone is the same store: it costs one reference count. The last one to go takes the data with it. In process a
/// store has no thread and no port; a thousand side by side cost a few kilobytes each.
///
/// See the [crate's documentation](crate) for examples.
#[derive(Clone)]
pub struct Store {
    pub(crate) shared: Arc<Shared>,
}

/// What all clones share.
pub(crate) struct Shared {
    pub(crate) backend: Box<dyn Backend>,
    pub(crate) region: String,
    pub(crate) ids: Arc<Ids>,
    /// The store's own account first.
    pub(crate) accounts: Arc<[Account]>,
    pub(crate) domains: Arc<[String]>,
    pub(crate) clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    pub(crate) verifier: Verifier,
    pub(crate) log: Log,
    pub(crate) faults: Arc<Faults>,
}

impl Shared {
    /// The gate as it stands at `now`.
    pub(crate) fn gate(&self, now: SystemTime) -> Gate<'_> {
        Gate { verifier: &self.verifier, accounts: &self.accounts, region: &self.region, now }
    }
}

impl Store {
    /// An empty store in memory, in us-east-1, under `s3.localhost`, with a random pair of keys.
    ///
    /// The keys are random so that nothing else can reach a store by accident; a client given the store as its
    /// transport learns them from [`Transport::defaults`].
    pub fn in_memory() -> Self {
        Self::builder().build()
    }

    /// The store in a data directory, which is made where there is none. Otherwise as [`in_memory`](Self::in_memory).
    ///
    /// A write is answered when it would outlive a crash. The directory is this store's alone until the last clone is
    /// dropped. The keys are not kept in it: [`builder`](Self::builder) takes fixed ones.
    ///
    /// # Errors
    ///
    /// The directory is in use, was written by a later version, is something else, or cannot be read or written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::builder().open(path)
    }

    /// Settings for a store that [`in_memory`](Self::in_memory) does not suit.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The access key id of the store's own account.
    pub fn access_key_id(&self) -> &str {
        &self.own_account().access_key_id
    }

    /// The secret that goes with [`access_key_id`](Self::access_key_id).
    pub fn secret_access_key(&self) -> &str {
        &self.own_account().secret_access_key
    }

    /// The number of the store's own account, for `x-amz-expected-bucket-owner`: twelve digits.
    pub fn account_id(&self) -> &str {
        &self.own_account().number
    }

    /// The region that requests must be signed for.
    pub fn region(&self) -> &str {
        &self.shared.region
    }

    /// The requests that came so far, the oldest first, at most [`LOG_CAPACITY`](crate::LOG_CAPACITY) of them. Each
    /// HTTP request is one entry, those that were refused too.
    pub fn requests(&self) -> Requests {
        self.shared.log.all()
    }

    /// Forgets the requests that came so far.
    pub fn clear_requests(&self) {
        self.shared.log.clear();
    }

    pub(crate) fn domains(&self) -> &[String] {
        &self.shared.domains
    }

    /// Puts a fault in force, behind those that are. It can be counted, and taken back, by what this gives.
    ///
    /// # Errors
    ///
    /// The fault could never happen, or contradicts itself.
    pub fn inject(&self, fault: Fault) -> Result<Injected, FaultError> {
        fault.check()?;
        Ok(self.shared.faults.inject(fault))
    }

    /// Takes all injected faults out of force. A [`Personality`](crate::Personality) stays.
    pub fn clear_faults(&self) {
        self.shared.faults.clear();
    }

    fn own_account(&self) -> &Account {
        // The builder always puts the own account first.
        &self.shared.accounts[0]
    }

    /// Answers one request. Every refusal is an answer, as it would be over a socket.
    ///
    /// The request's URI may be absolute, in which case it also names the host; its path and query are taken byte for
    /// byte. The answer has all its headers, `Date` and `Content-Length` among them, and to a HEAD request no body.
    ///
    /// Where a [`Fault`] leaves no answer this gives one that breaks off before its body. [`Transport::send`] gives the
    /// error that a client is to see.
    pub async fn handle(&self, request: Request<Body>) -> Response<Body> {
        self.exchange(request).await.unwrap_or_else(faults::no_answer)
    }

    /// Answers one request, unless a fault closes the connection.
    pub(crate) async fn exchange(&self, request: Request<Body>) -> Result<Response<Body>, TransportError> {
        let (mut head, body) = request.into_parts();
        front::complete_host(&mut head);
        let shared = &self.shared;
        let number = shared.log.push(LoggedRequest::new(head.method.clone(), &head.uri, &head.headers));
        let now = (shared.clock)();
        let (request_id, watch, method) = (shared.ids.request(), Watch::default(), head.method.clone());
        let host_id = format!("{}{request_id}", shared.ids.host());
        let crossing = self.crossing(&head);
        let mut aim = Aim::of(&head, &shared.domains);
        let mut plan = shared.faults.plan(&Asked {
            operation: name_of(&aim),
            target: aim.as_ref().ok().map(|aim| &aim.target),
            headers: &head.headers,
        });
        if plan.path_style_only {
            aim = Aim::of(&head, &[]);
        }
        let operation = name_of(&aim);
        let resource = aim.as_ref().map_or_else(|_| head.uri.path().to_owned(), |aim| aim.target.resource());
        shared.log.update(number, |entry| {
            if let Ok(aim) = &aim {
                // An operation the store does not know is still logged by its target.
                entry.aim(operation, &aim.target);
            }
            entry.faults = std::mem::take(&mut plan.words);
        });
        if plan.request.closes_at_once() {
            faults::wait(plan.delay).await;
            return Err(faults::closed());
        }
        let closed = Arc::new(AtomicBool::new(false));
        let body = plan.request.wrap(body, &closed);
        let mut read = 0;
        let result = if let Some(answer) = plan.answer {
            read = answer.awaits(body).await;
            Ok(answer.reply(&resource, &request_id, &host_id))
        } else {
            if let (Some(bytes), Ok(aim)) = (plan.replacement, &aim) {
                // Where there is nothing to replace the reader will learn it.
                let _ = faults::replace(&*shared.backend, &aim.target, now, bytes).await;
            }
            self.answer(head, body, &watch, now, aim, plan.habits).await
        };
        let bytes_in = read + watch.count();
        faults::wait(plan.delay).await;
        if plan.drop_answer || closed.load(Ordering::Relaxed) {
            shared.log.update(number, |entry| entry.bytes_in = bytes_in);
            return Err(faults::closed());
        }
        let mut reply = result.unwrap_or_else(|error| call::refusal(&error, &resource, &request_id, &host_id));
        faults::bend(&mut reply, operation, plan.habits, plan.shuffle);
        if let Some((bucket, origin)) = crossing {
            self.answer_crossing(&mut reply, &bucket, &origin, method.as_str()).await;
        }
        complete(&mut reply, &method, now);
        call::set(reply.headers_mut(), "x-amz-request-id", &request_id);
        call::set(reply.headers_mut(), "x-amz-id-2", &host_id);
        let body = std::mem::take(reply.body_mut());
        let body = plan.response.of_answer(body.length()).wrap(body, &closed);
        *reply.body_mut() = shared.log.answered(number, reply.status(), bytes_in, body);
        Ok(reply)
    }

    async fn answer(
        &self,
        head: http::request::Parts,
        body: Body,
        watch: &Watch,
        now: SystemTime,
        aim: Result<Aim>,
        habits: Habits,
    ) -> Result<Reply> {
        let shared = &self.shared;
        let Aim { query, target, operation, hoisted } = aim?;
        front::check_text(hoisted.as_ref().unwrap_or(&head.headers))?;
        let (account, body) = shared.gate(now).admit(&head, &query, body, watch).await?;
        let mut headers = hoisted.unwrap_or(head.headers);
        habits.blind(&mut headers);
        let peer = head.extensions.get::<Peer>().copied();
        let call = Call {
            shared: self.shared.clone(),
            account,
            target,
            query,
            headers,
            body,
            document: bytes::Bytes::new(),
            now,
            habits,
            peer,
            rules: None,
            found: None,
        };
        // What the store does not know is refused once its sender is known.
        op::run(operation?, call).await
    }
}

/// What a request is about.
struct Aim {
    query: Query,
    target: Target,
    operation: Result<Operation>,
    /// The headers with those that are in a presigned URL.
    hoisted: Option<HeaderMap>,
}

impl Aim {
    fn of(head: &http::request::Parts, domains: &[String]) -> Result<Self> {
        let query = Query::parse(head.uri.query())?;
        let host = head.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let target = Target::parse(head.uri.path(), host, domains)?;
        let hoisted = front::hoisted(&head.headers, &query);
        let operation = Operation::of(&head.method, &target, &query, hoisted.as_ref().unwrap_or(&head.headers));
        Ok(Self { query, target, operation, hoisted })
    }
}

/// The name of the operation; "" where the store knows none.
fn name_of(aim: &Result<Aim>) -> &'static str {
    let operation = aim.as_ref().ok().and_then(|aim| aim.operation.as_ref().ok());
    operation.map_or("", |operation| operation.name())
}

impl Store {
    /// The bucket and the origin of a request across origins, but for preflights, which answer for themselves.
    fn crossing(&self, head: &http::request::Parts) -> Option<(String, String)> {
        let origin = head.headers.get(ORIGIN).filter(|_| head.method != Method::OPTIONS)?.to_str().ok()?;
        let host = head.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let target = Target::parse(head.uri.path(), host, &self.shared.domains).ok()?;
        Some((target.bucket, origin.to_owned()))
    }

    /// Adds what the bucket's CORS rules say of such a request. A refusal has it too, or nobody could read it.
    async fn answer_crossing(&self, reply: &mut Reply, bucket: &str, origin: &str, method: &str) {
        let Ok(bucket) = self.shared.backend.bucket(bucket).await else { return };
        let rules = bucket.documents.get(Document::Cors.subresource()).and_then(|bytes| cors::parse(bytes).ok());
        let question = Question { origin, method, headers: None };
        if let Some(headers) = cors::answer(&rules.unwrap_or_default(), question) {
            reply.headers_mut().extend(headers);
        }
    }
}

/// Adds what every answer has, and takes what this one must not have.
fn complete(reply: &mut Reply, method: &Method, now: SystemTime) {
    let status = reply.status();
    let bodiless = status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED;
    if method == Method::HEAD {
        if status.is_client_error() || status.is_server_error() {
            reply.headers_mut().remove(CONTENT_LENGTH);
        }
        *reply.body_mut() = Body::empty();
    } else if let Some(length) = reply.body().length()
        && !bodiless
    {
        reply.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    let headers = reply.headers_mut();
    headers.insert(SERVER, HeaderValue::from_static("wharf-embedded"));
    if let Ok(date) = HeaderValue::try_from(http_date(now)) {
        headers.insert(DATE, date);
    }
}

impl Transport for Store {
    fn send(&self, request: Request<Body>) -> ResponseFuture {
        let store = self.clone();
        Box::pin(async move { store.exchange(request).await })
    }

    fn defaults(&self) -> Option<Defaults> {
        let domain = self.shared.domains.first().map_or(crate::builder::DOMAIN, String::as_str);
        Some(Defaults {
            endpoint: format!("http://{domain}"),
            region: self.shared.region.clone(),
            access_key_id: self.access_key_id().to_owned(),
            secret_access_key: self.secret_access_key().to_owned(),
        })
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("region", &self.shared.region).finish_non_exhaustive()
    }
}
