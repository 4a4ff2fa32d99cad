//! Asking the services that hand out credentials.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use serde::de::DeserializeOwned;
use wharf_proto::endpoint::Plane;
use wharf_proto::retry::{Decision, FailureClass, RetryPolicy, RetryQuota, RetryState, TransportFailure};
use wharf_proto::sigv4;
use wharf_proto::time::parse_iso8601;
use wharf_proto::{Credentials, Endpoint, Error, ErrorKind};

use super::none;
use crate::clock::{Clock, ServerClock};
use crate::dispatch::{USER_AGENT, read_up_to};
use crate::transport::{self, Transport, transport_error};

/// What these services answer has a few kilobytes.
const MAX_ANSWER: usize = 1024 * 1024;

/// What a source of credentials needs to ask.
#[derive(Clone)]
pub(crate) struct Services {
    /// To services of the internet: STS, SSO.
    pub(crate) transport: Arc<dyn Transport>,
    /// To what belongs to this machine, past every proxy: instance and container metadata.
    pub(crate) direct: Arc<dyn Transport>,
    pub(crate) clock: Arc<ServerClock>,
}

/// How patiently to ask.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// How long an attempt may take, from connecting to the answer's end.
    pub(crate) limit: Duration,
    pub(crate) attempts: u32,
}

impl Patience {
    /// For what should be there.
    pub(crate) const USUAL: Self = Self { limit: Duration::from_secs(10), attempts: 3 };
}

impl Services {
    /// Asks until there is an answer that another attempt would not mend. `make` is called for each, so that each has
    /// its own signature.
    pub(crate) async fn ask(
        &self,
        what: &str,
        transport: &Arc<dyn Transport>,
        patience: Patience,
        make: impl Fn() -> Result<Request<Bytes>, Error>,
    ) -> Result<Response<Bytes>, Error> {
        let mut policy = RetryPolicy::default();
        policy.max_attempts = patience.attempts;
        let mut state = RetryState::new(policy);
        let quota = RetryQuota::default();
        loop {
            let request = with_usual_headers(make()?);
            let place = format!("{what} at {}", origin(request.uri()));
            tracing::debug!(place, "asking for credentials");
            let (class, wish, result) = match self.attempt(transport, patience.limit, request).await {
                Ok(answer) if answer.status().is_success() => return Ok(answer),
                Ok(answer) => {
                    let error = Error::from_response(answer.status(), answer.headers(), answer.body());
                    (FailureClass::of_response(answer.status(), error.code()), error.retry_after(), Ok(answer))
                }
                Err((failure, error)) => {
                    let told = Error::new(error.kind(), format!("{place}: {}", error.message())).with_cause(error);
                    (FailureClass::of_transport(failure), None, Err(told))
                }
            };
            match state.failed(class, wish, self.clock.jitter(), &quota) {
                Decision::GiveUp => return result,
                Decision::RetryAfter(wait) => self.clock.sleep(wait).await,
            }
        }
    }

    async fn attempt(
        &self,
        transport: &Arc<dyn Transport>,
        limit: Duration,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, (TransportFailure, Error)> {
        let exchange = async {
            let response = transport.send(request.map(transport::Body::from)).await;
            let (head, body) =
                response.map_err(|error| (transport::failure(error.kind()), transport_error(error)))?.into_parts();
            let (body, ended) = read_up_to(body, MAX_ANSWER, [limit; 2], |_| {}).await;
            ended.map_err(|error| (TransportFailure::Closed, error))?;
            Ok(Response::from_parts(head, body))
        };
        tokio::time::timeout(limit, exchange).await.unwrap_or_else(|_| {
            let error = Error::new(ErrorKind::Timeout, format!("no answer within {limit:?}"));
            Err((TransportFailure::Timeout, error))
        })
    }
}

fn with_usual_headers(mut request: Request<Bytes>) -> Request<Bytes> {
    let host = sigv4::host(request.uri()).and_then(|host| HeaderValue::from_str(host).ok());
    let headers = request.headers_mut();
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    if let Some(host) = host {
        headers.insert(header::HOST, host);
    }
    request
}

/// Scheme, host and port of a URI: its path and query may hold what nobody else should read.
pub(super) fn origin(uri: &http::Uri) -> String {
    match (uri.scheme_str(), uri.authority()) {
        (Some(scheme), Some(authority)) => format!("{scheme}://{authority}"),
        _ => "an unknown place".to_owned(),
    }
}

/// A request that cannot be made, for a reason that quotes nothing.
pub(super) fn unusable(error: http::Error) -> Error {
    Error::invalid_input(format!("the request for credentials cannot be made: {error}"))
}

/// A path of a service.
pub(super) fn uri(endpoint: &Endpoint, path: Option<&str>, query: &[(&'static str, &str)]) -> Result<http::Uri, Error> {
    let query: Vec<_> = query.iter().map(|(name, value)| ((*name).into(), Some((*value).to_owned()))).collect();
    endpoint.target(None, Plane::Data)?.uri(path, &query)
}

/// An answer's JSON. What it says is never quoted, for it holds secrets.
pub(super) fn json<T: DeserializeOwned>(what: &str, body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| {
        // The library's own text quotes values.
        let problem = match error.classify() {
            serde_json::error::Category::Data => "its fields are not those of credentials",
            _ => "it is not JSON",
        };
        none(format!(
            "{what} answered what cannot be used: {problem} (line {}, column {})",
            error.line(),
            error.column()
        ))
    })
}

/// Credentials by their parts, as most of these services name them.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Keys {
    pub(super) access_key_id: String,
    pub(super) secret_access_key: String,
    #[serde(alias = "SessionToken")]
    pub(super) token: Option<String>,
    pub(super) expiration: Option<String>,
}

impl Keys {
    pub(super) fn credentials(self, what: &str) -> Result<Credentials, Error> {
        if self.access_key_id.is_empty() || self.secret_access_key.is_empty() {
            return Err(none(format!("{what} gave an empty access key or secret")));
        }
        let credentials = Credentials::new(self.access_key_id, self.secret_access_key)
            .with_session_token(self.token.unwrap_or_default());
        match self.expiration.filter(|time| !time.is_empty()) {
            None => Ok(credentials),
            Some(time) => {
                let end = parse_iso8601(&time).ok_or_else(|| {
                    none(format!("{what} gave an Expiration that is no time, such as 2026-01-31T12:00:00Z"))
                })?;
                Ok(credentials.with_expiry(end))
            }
        }
    }
}

/// What a service refused, as a line: its own code and message where it sent them.
pub(super) fn refusal(what: &str, answer: &Response<Bytes>) -> Error {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Refusal {
        #[serde(alias = "Code", alias = "__type", alias = "error")]
        code: Option<String>,
        #[serde(alias = "Message", alias = "error_description")]
        message: Option<String>,
    }
    let said: Refusal = serde_json::from_slice(answer.body()).unwrap_or_default();
    let mut line = format!("{what} answered HTTP {}", answer.status().as_u16());
    for part in [said.code, said.message].into_iter().flatten() {
        line.push_str(": ");
        line.extend(part.chars().filter(|c| !c.is_control()).take(200));
    }
    Error::new(kind(&Error::from_response(answer.status(), answer.headers(), answer.body())), line)
}

/// What kind a refusal is for whoever waits for credentials: there are none, unless it may pass.
pub(super) fn kind(refusal: &Error) -> ErrorKind {
    match refusal.kind() {
        passing @ (ErrorKind::Server | ErrorKind::SlowDown) => passing,
        _ => ErrorKind::NoCredentials,
    }
}

/// Reads a file away from the runtime's threads.
pub(super) async fn read_file(what: &str, path: &std::path::Path) -> Result<String, Error> {
    let owned = path.to_owned();
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(owned)).await;
    let read = read.unwrap_or_else(|error| Err(std::io::Error::other(error)));
    read.map_err(|error| none(format!("{what} {} cannot be read: {error}", path.display())).with_cause(error))
}
