//! The client: settings, state, and how it sends.

use std::fmt;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use wharf_proto::op::{PostForm, PresignedPost};
use wharf_proto::operation::{Operation, Presigned, Request, SendFuture, Sender, unsent};
use wharf_proto::provider::{ContentMd5, Habits};
use wharf_proto::retry::RetryPolicy;
use wharf_proto::sigv4::SigningKeyCache;
use wharf_proto::{Credentials, Endpoint, Error, ErrorKind, Provider};

use crate::body::{Again, Call, ObjectBody};
use crate::buckets::Buckets;
use crate::clock::{Clock, ServerClock};
use crate::config::ClientBuilder;
use crate::counters::{Counters, Tally};
use crate::dispatch::{self, Answer, Read};
use crate::explain::{Explanation, Setting, Told};
use crate::identity::Identity;
use crate::payload::Conditions;
use crate::presign::{presign, presign_post};
use crate::progress::Flight;
use crate::runtime::{RuntimeHandle, must_be_here};
use crate::settings::Origin;
use crate::transfer::{Budgets, KnownEmpty, ServerLimit, Waiting};
use crate::transport::Transport;

/// An S3 client. A cheap clone: all clones share connections, credentials and retry quotas.
///
/// Its calls run on the Tokio runtime that awaits them, which needs its timer and its I/O (`enable_all()`, as
/// `#[tokio::main]` does). Awaited, a call is made:
///
/// ```
/// #![deny(unused_must_use)]
/// async fn deletes(s3: wharf::Client) -> wharf::Result<()> {
///     s3.delete_object("my-bucket", "a").await?;
///     Ok(())
/// }
/// ```
///
/// One that is not does nothing, of which the compiler warns:
///
/// ```compile_fail
/// #![deny(unused_must_use)]
/// async fn deletes(s3: wharf::Client) -> wharf::Result<()> {
///     s3.delete_object("my-bucket", "a");
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Client(Arc<Inner>);

/// A client: how it sends, and all the rest.
pub(crate) struct Inner {
    pub(crate) sending: Sending,
    /// Who wants to know which bytes of bodies are under way.
    pub(crate) flight: Option<Arc<Flight>>,
    shared: Arc<Shared>,
}

/// How requests are put together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sending {
    pub(crate) provider: Provider,
    /// The provider's, but for what the client's settings say otherwise.
    pub(crate) habits: Habits,
    pub(crate) sign_payload: bool,
    /// Once, and no more: a transfer has its own way of trying again.
    pub(crate) one_attempt: bool,
}

/// A client's other settings, and its state.
pub(crate) struct Shared {
    pub(crate) endpoint: Endpoint,
    /// Whether nobody on the way to it can read what is sent.
    pub(crate) is_private: bool,
    pub(crate) identity: Identity,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) runtime: RuntimeHandle,
    /// Whether reads ask for the stored checksum although the call does not say so.
    pub(crate) checks_answers: bool,
    pub(crate) retry: RetryPolicy,
    pub(crate) budgets: Budgets,
    /// What the server takes of all transfers together.
    pub(crate) server_takes: Arc<ServerLimit>,
    /// Where programs of this user keep what they have to remember.
    pub(crate) state_folder: Option<PathBuf>,
    /// Whether the folder of uploads' journals has any.
    pub(crate) no_journals: KnownEmpty,
    pub(crate) tally: Arc<Tally>,
    pub(crate) buckets: Buckets,
    pub(crate) stall_limit: Duration,
    pub(crate) patience: Duration,
    pub(crate) deadline: Option<Duration>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) server_clock: Arc<ServerClock>,
    /// Whether the server has asked for `Content-MD5` in place of a checksum.
    pub(crate) asked_for_md5: AtomicBool,
    pub(crate) signing_keys: SigningKeyCache,
    pub(crate) told: Told,
    /// What the server of the first answer calls itself.
    pub(crate) server: OnceLock<String>,
}

impl Deref for Inner {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl Inner {
    /// The same, whose requests are each made once.
    pub(crate) fn once(&self) -> Arc<Self> {
        let sending = Sending { one_attempt: true, ..self.sending };
        Arc::new(Self { sending, flight: self.flight.clone(), shared: self.shared.clone() })
    }

    /// The time that requests are signed with.
    pub(crate) fn now(&self) -> SystemTime {
        self.server_clock.now()
    }

    /// Keeps what an answer says of its server, for whoever asks.
    pub(crate) fn saw_server(&self, headers: &HeaderMap) {
        if self.server.get().is_none()
            && let Some(name) = headers.get(header::SERVER).and_then(|name| name.to_str().ok())
        {
            let _ = self.server.set(name.chars().take(128).collect());
        }
    }

    /// Whose a server that nobody has named claims to be.
    fn claims(&self) -> Option<Provider> {
        let named = self.server.get().filter(|_| self.sending.provider == Provider::Other)?;
        Provider::of_server_header(named)
    }

    /// What to say to the client, where the server claims to be one that the client does not take it for.
    pub(crate) fn server_hint(&self) -> Option<String> {
        let claims = self.claims()?;
        Some(format!("if this is {claims}, as it says, tell the client: .provider(Provider::{claims:?})"))
    }

    /// Whether a server that nobody has named claims to be one that does not list in the order of keys. That is believed where
    /// it costs time alone.
    pub(crate) fn may_be_unsorted(&self) -> bool {
        self.claims().is_some_and(|provider| !provider.habits().sorted)
    }

    pub(crate) fn payload_conditions(&self) -> Conditions {
        let content_md5 = match self.sending.habits.content_md5 {
            // A server whose requests are to have no checksums may refuse their headers.
            ContentMd5::WhenAsked => {
                self.asked_for_md5.load(Ordering::Relaxed) || self.sending.habits.checksum.is_none()
            }
            when => when == ContentMd5::Always,
        };
        Conditions {
            content_md5,
            signed: self.identity.provider().is_some(),
            sign_payload: self.sending.sign_payload,
            habits: self.sending.habits,
        }
    }

    /// Refuses to send a key that the caller keeps (SSE-C) where others can read it. S3 would too, when it is too late.
    fn must_hide_customer_keys(&self, request: &Request) -> Result<(), Error> {
        if self.is_private || !CUSTOMER_KEYS.iter().any(|name| request.headers.contains_key(name)) {
            return Ok(());
        }
        Err(Error::invalid_input(format!(
            "an SSE-C key is not sent over plain http, where anybody on the way to {} can read it: use an https:// \
             endpoint",
            self.endpoint.server()
        )))
    }

    /// Says what may be wrong with the place that was asked for: a key that begins with a slash, or an endpoint which names a
    /// bucket, so that buckets are taken for keys.
    pub(crate) fn doubt_place(&self, request: &Request, error: Error) -> Error {
        let is_missing = matches!(error.kind(), ErrorKind::NoSuchKey | ErrorKind::NotFound);
        // Of a copy it is the source that is missing.
        let is_named = is_missing && !request.headers.contains_key("x-amz-copy-source");
        if is_named && request.key.as_ref().is_some_and(|key| key.starts_with('/')) {
            return error.with_hint("leave out the slash at the beginning of the key, if it is not part of it");
        }
        let path = self.endpoint.path();
        let is_doubtful = match error.kind() {
            ErrorKind::NoSuchKey => request.key.is_none(),
            ErrorKind::NoSuchBucket | ErrorKind::MalformedResponse => true,
            _ => false,
        };
        // More than one name is a gateway's, as a rule.
        let is_one_name = path.strip_prefix('/').is_some_and(|name| !name.is_empty() && !name.contains('/'));
        if !is_one_name || !is_doubtful {
            return error;
        }
        error.with_hint(format!("the endpoint has a path, {path}: a bucket is named by the call, not by the endpoint"))
    }

    /// Says of an answer that cannot be read what may have sent it.
    fn doubt_answer(&self, request: &Request, is_html: bool, error: Error) -> Error {
        let error = self.doubt_place(request, error);
        if error.kind() != ErrorKind::MalformedResponse || error.hint().is_some() || !is_html {
            return error;
        }
        error.with_hint(format!("the answer is a web page, not S3's: is {} an S3 endpoint?", self.endpoint.server()))
    }

    /// The operation's request as the provider wants it.
    fn request<O: Operation>(&self, operation: &mut O) -> Result<Request, Error> {
        let mut request = operation.request().map_err(|error| unsent(operation, error))?;
        self.must_hide_customer_keys(&request).map_err(|error| about::<O>(&request, error))?;
        match self.sending.habits.apply(&mut request) {
            Ok(()) => Ok(request),
            Err(error) => Err(about::<O>(&request, error).with_hint(format!(
                "the server is taken for {}: Client::probe finds out what it really does, \
                 ClientBuilder::assume_conditions sends conditions all the same",
                self.sending.provider
            ))),
        }
    }
}

/// Says that the error is about this request of an operation.
fn about<O: Operation>(request: &Request, error: Error) -> Error {
    error.at(O::NAME, request.bucket.as_deref(), request.key.as_deref())
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

    pub(crate) fn new(sending: Sending, shared: Shared) -> Self {
        Self(Arc::new(Inner { sending, flight: None, shared: Arc::new(shared) }))
    }

    /// The same client, which puts requests together in another way.
    pub(crate) fn sending(&self, change: impl FnOnce(&mut Sending)) -> Self {
        let mut sending = self.0.sending;
        change(&mut sending);
        Self(Arc::new(Inner { sending, flight: self.0.flight.clone(), shared: self.0.shared.clone() }))
    }

    /// The same client, which tells of the bytes of bodies that are under way.
    pub(crate) fn telling(&self, flight: Arc<Flight>) -> Self {
        let Inner { sending, shared, .. } = &*self.0;
        Self(Arc::new(Inner { sending: *sending, flight: Some(flight), shared: shared.clone() }))
    }

    /// The same client for the requests of a transfer: each is made once, for the transfer itself tries again.
    pub(crate) fn for_transfers(&self) -> Self {
        Self(self.0.once())
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Whose S3 it takes the endpoint for: what [`ClientBuilder::provider`] said, else what the host name tells.
    pub fn provider(&self) -> Provider {
        self.0.sending.provider
    }

    /// Where its requests go: the URL of the endpoint, or AWS's host of the region, as `https://...`.
    pub fn server(&self) -> String {
        self.0.endpoint.server()
    }

    /// The region that requests are signed for.
    pub fn region(&self) -> &str {
        self.0.endpoint.region()
    }

    /// What this client and its clones have done so far. Costs nothing to ask.
    ///
    /// ```
    /// # async fn measure(s3: &wharf::Client) -> wharf::Result<()> {
    /// let before = s3.counters();
    /// s3.put_object("my-bucket", "hello.txt", "Hello!").await?;
    /// assert_eq!(s3.counters().bytes_sent - before.bytes_sent, 6);
    /// # Ok(())
    /// # }
    /// ```
    pub fn counters(&self) -> Counters {
        self.0.tally.read()
    }

    /// What the transfers of this client and its clones wait for, if their last requests failed and are made again: to tell
    /// somebody, while nothing moves. Costs nothing to ask.
    ///
    /// It is the client's, not a transfer's: where several wait, the reason is that of the last which failed, the time left that of
    /// the one that goes on longest, and one that is served ends it for all until another fails. Other clients of the process have
    /// their own. Single operations, such as `put_object`, are not in it.
    ///
    /// ```
    /// # fn tell(s3: &wharf::Client) {
    /// if let Some(waiting) = s3.waiting().filter(|waiting| waiting.so_far.as_secs() >= 5) {
    ///     println!("waiting for {}: {}, for {} s at most", waiting.server, waiting.reason, waiting.left.as_secs());
    /// }
    /// # }
    /// ```
    pub fn waiting(&self) -> Option<Waiting> {
        self.0.tally.waits().now(|| self.server())
    }

    /// Whether transfers have tried the server for `patience` and it served none of them: nothing of S3 came, or nothing but wishes
    /// for fewer requests ([`SlowDown`](crate::ErrorKind::SlowDown)); any other error shows that it is there. One that was never
    /// heard from is away at once. Whoever begins one transfer after another can stop there: each would wait for itself, be it
    /// for a second. It is forgotten with the next thing that is served, and after 30 seconds in which nothing is tried.
    ///
    /// Asks nobody.
    ///
    /// ```
    /// # async fn all(s3: &wharf::Client, files: &[&str]) -> Result<(), wharf::Error> {
    /// use wharf::transfer::PATIENCE;
    ///
    /// for file in files {
    ///     if let Err(error) = s3.upload("my-bucket", *file, std::path::Path::new(file)).await {
    ///         if s3.is_away(PATIENCE) {
    ///             return Err(error);
    ///         }
    ///         println!("{file}: {error}");
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_away(&self, patience: Duration) -> bool {
        self.0.tally.is_away(patience)
    }

    /// What each setting is and where it came from: the variable, or the file and its line.
    ///
    /// Asks nobody. Which source the credentials come from is known at once; what it gave is known after a first call,
    /// or after [`credentials`](Client::credentials). Secrets are hidden.
    pub fn explain(&self) -> Explanation {
        let mut more = self.0.identity.tell();
        let origin = Origin::Service("an answer's header Server".to_owned());
        more.extend(self.0.server.get().map(|name| Setting::new("server", name.clone(), origin)));
        Explanation::new(&self.0.told, more, self.0.server_hint())
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
            must_be_here()?;
            match inner.identity.provider() {
                Some(provider) => provider.credentials().await.map(Some),
                None => Ok(None),
            }
        })
    }
}

fn is_html(headers: &HeaderMap) -> bool {
    let is_page =
        |value: &HeaderValue| value.as_bytes().get(..9).is_some_and(|kind| kind.eq_ignore_ascii_case(b"text/html"));
    headers.get(header::CONTENT_TYPE).is_some_and(is_page)
}

/// What an error names of an answer that has been read by then.
struct Ids([Option<HeaderValue>; 2]);

impl Ids {
    const NAMES: [HeaderName; 2] = [HeaderName::from_static("x-amz-request-id"), HeaderName::from_static("x-amz-id-2")];

    fn of(headers: &HeaderMap) -> Self {
        Self(Self::NAMES.map(|name| headers.get(name).cloned()))
    }
}

impl From<Ids> for HeaderMap {
    fn from(ids: Ids) -> Self {
        Ids::NAMES.into_iter().zip(ids.0).filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// The headers that hold a key of the caller's.
const CUSTOMER_KEYS: [HeaderName; 2] = [
    HeaderName::from_static("x-amz-server-side-encryption-customer-key"),
    HeaderName::from_static("x-amz-copy-source-server-side-encryption-customer-key"),
];

const CHECKSUM_MODE: HeaderName = HeaderName::from_static("x-amz-checksum-mode");

impl Sender for Client {
    type Body = ObjectBody;

    fn send<O: Operation>(&self, mut operation: O) -> SendFuture<O::Output> {
        let inner = self.0.clone();
        self.0.runtime.run(async move {
            must_be_here()?;
            let mut request = inner.request(&mut operation)?;
            let answer = dispatch::send(&inner, O::NAME, &mut request, Read::Whole).await?;
            let status = answer.response.status();
            let ids = Ids::of(answer.response.headers());
            let is_html = is_html(answer.response.headers());
            operation.response(answer.response).map_err(|error| {
                let error = inner.doubt_answer(&request, is_html, error);
                about::<O>(&request, error.with_answer(status, &ids.into()).with_attempts(answer.attempts))
            })
        })
    }

    fn open<O: Operation>(&self, mut operation: O) -> SendFuture<(O::Output, ObjectBody)> {
        let inner = self.0.clone();
        self.0.runtime.run(async move {
            must_be_here()?;
            let mut request = inner.request(&mut operation)?;
            let asks = inner.checks_answers && inner.sending.habits.checksum_mode;
            if asks && !request.headers.contains_key(header::RANGE) {
                request.headers.entry(CHECKSUM_MODE).or_insert(HeaderValue::from_static("ENABLED"));
            }
            let answer = dispatch::send(&inner, O::NAME, &mut request, Read::Head).await?;
            let Answer { response, rest, attempts } = answer;
            let again = Again::of(&inner, &mut request);
            let call = Call::new(O::NAME, request);
            let body = ObjectBody::new(rest, response.headers(), attempts, &inner, call, again);
            let (status, ids) = (response.status(), Ids::of(response.headers()));
            let output = operation
                .response(response)
                .map_err(|error| body.call().of(error.with_answer(status, &ids.into()).with_attempts(attempts)))?;
            Ok((output, body))
        })
    }

    fn presign<O: Operation>(&self, mut operation: O, expires_in: Duration) -> SendFuture<Presigned> {
        let inner = self.0.clone();
        self.0.runtime.run(async move {
            must_be_here()?;
            let mut request = inner.request(&mut operation)?;
            presign(&inner, &mut request, expires_in).await.map_err(|error| about::<O>(&request, error))
        })
    }

    fn presign_post(&self, form: PostForm, expires_in: Duration) -> SendFuture<PresignedPost> {
        let inner = self.0.clone();
        let (bucket, key) = (form.bucket.clone(), form.key.clone());
        self.0.runtime.run(async move {
            must_be_here()?;
            let signed = presign_post(&inner, form, expires_in).await;
            signed.map_err(|error| error.at("PostObject", Some(&bucket), Some(&key)))
        })
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
