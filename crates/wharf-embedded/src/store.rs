//! The store itself: who may use it, what it is called, and the way of a request through it.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use http::header::{CONTENT_LENGTH, DATE, HOST, HeaderValue, ORIGIN, SERVER};
use http::{Method, Request, Response, StatusCode};
use wharf_transport::{Body, Defaults, ResponseFuture, Transport};

use crate::account::Account;
use crate::backend::Backend;
use crate::builder::Builder;
use crate::call::{self, Call, Peer, Reply};
use crate::cors::{self, Question};
use crate::document::Document;
use crate::error::Result;
use crate::front::{self, Gate, Verifier, Watch};
use crate::id::Ids;
use crate::log::{Log, LoggedRequest};
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
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.shared.log.all()
    }

    /// Forgets the requests that came so far.
    pub fn clear_requests(&self) {
        self.shared.log.clear();
    }

    fn own_account(&self) -> &Account {
        // The builder always puts the own account first.
        &self.shared.accounts[0]
    }

    /// Answers one request. Every refusal is an answer, as it would be over a socket.
    ///
    /// The request's URI may be absolute, in which case it also names the host; its path and query are taken byte for
    /// byte. The answer has all its headers, `Date` and `Content-Length` among them, and to a HEAD request no body.
    pub async fn handle(&self, request: Request<Body>) -> Response<Body> {
        let (mut head, body) = request.into_parts();
        front::complete_host(&mut head);
        let shared = &self.shared;
        let number = shared.log.push(LoggedRequest::new(head.method.clone(), &head.uri, &head.headers));
        let now = (shared.clock)();
        let (request_id, watch, method) = (shared.ids.request(), Watch::default(), head.method.clone());
        let host_id = format!("{}{request_id}", shared.ids.host());
        let mut resource = head.uri.path().to_owned();
        let crossing = self.crossing(&head);
        let result = self.answer(head, body, &watch, now, number, &mut resource).await;
        let mut reply = result.unwrap_or_else(|error| call::refusal(&error, &resource, &request_id, &host_id));
        if let Some((bucket, origin)) = crossing {
            self.answer_crossing(&mut reply, &bucket, &origin, method.as_str()).await;
        }
        complete(&mut reply, &method, now);
        call::set(reply.headers_mut(), "x-amz-request-id", &request_id);
        call::set(reply.headers_mut(), "x-amz-id-2", &host_id);
        shared.log.update(number, |entry| {
            entry.status = Some(reply.status());
            entry.bytes_in = watch.count();
            entry.bytes_out = reply.body().length().unwrap_or(0);
        });
        reply
    }

    async fn answer(
        &self,
        head: http::request::Parts,
        body: Body,
        watch: &Watch,
        now: SystemTime,
        number: u64,
        resource: &mut String,
    ) -> Result<Reply> {
        let shared = &self.shared;
        let query = Query::parse(head.uri.query())?;
        let host = head.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let target = Target::parse(head.uri.path(), host, &shared.domains)?;
        *resource = target.resource();
        // An operation the store does not know is still logged by its target, and refused once its sender is known.
        let hoisted = front::hoisted(&head.headers, &query);
        let operation = Operation::of(&head.method, &target, &query, hoisted.as_ref().unwrap_or(&head.headers));
        let name = operation.as_ref().map_or("", |operation| operation.name());
        shared.log.update(number, |entry| entry.aim(name, &target));
        let (account, body) = shared.gate(now).admit(&head, &query, body, watch).await?;
        let peer = head.extensions.get::<Peer>().copied();
        let call = Call {
            shared: self.shared.clone(),
            account,
            target,
            query,
            headers: hoisted.unwrap_or(head.headers),
            body,
            document: bytes::Bytes::new(),
            now,
            peer,
            rules: None,
            found: None,
        };
        op::run(operation?, call).await
    }
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
        Box::pin(async move { Ok(store.handle(request).await) })
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
