//! The instance metadata of EC2, in its second version: a token first, then everything with it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use wharf_proto::{Credentials, Endpoint, Error, ErrorKind};

use super::service::{self, Keys, Patience, Services};
use super::{CredentialsFuture, ProvideCredentials, none};
use crate::clock::Clock;
use crate::explain::Setting;
use crate::settings::{Found, Origin, Places, attempts, boolean};

const WHAT: &str = "the instance metadata service";

/// Six hours, the most there is. A token is used for all of it but the last minute.
const TOKEN_SECONDS: u64 = 21_600;

/// Where nothing answers, as on any machine outside of EC2, this is what finding out costs.
const PATIENCE: Duration = Duration::from_millis(800);

/// How long it is remembered that nothing answers. Not for ever: an instance that has just started is slow to.
const ABSENCE: Duration = Duration::from_secs(60);

/// An instance that cannot renew its role's keys hands out the old ones, which S3 is told to take a while longer.
const STABLE: Duration = Duration::from_secs(15 * 60);

/// How the service is asked.
#[derive(Debug, Clone)]
pub(crate) struct Imds {
    pub(crate) endpoint: Endpoint,
    pub(crate) origin: Origin,
    /// The role, where it is not the instance's.
    role: Option<Found<String>>,
    limit: Found<Duration>,
    attempts: Found<u32>,
    /// Where else was looked before, for the error of a machine that has none.
    looked_in: String,
}

impl Imds {
    /// What the settings say; `None` where it must not be asked.
    pub(crate) fn find(places: &Places<'_>) -> Result<Option<Self>, Error> {
        let disabled = places.parsed(&["AWS_EC2_METADATA_DISABLED"], &["disable_ec2_metadata"], boolean)?;
        if disabled.is_some_and(|found| found.value) {
            return Ok(None);
        }
        let named = places.text(&["AWS_EC2_METADATA_SERVICE_ENDPOINT"], &["ec2_metadata_service_endpoint"]);
        let endpoint = match named {
            Some(endpoint) => endpoint,
            None => {
                let variables = ["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"];
                let mode = places.parsed(&variables, &["ec2_metadata_service_endpoint_mode"], mode)?;
                mode.unwrap_or_else(|| Found::new(IPV4.to_owned(), Origin::Default))
            }
        };
        let limit = places.parsed(&["AWS_METADATA_SERVICE_TIMEOUT"], &["metadata_service_timeout"], seconds)?;
        let attempts =
            places.parsed(&["AWS_METADATA_SERVICE_NUM_ATTEMPTS"], &["metadata_service_num_attempts"], attempts)?;
        Ok(Some(Self {
            endpoint: Endpoint::custom(&endpoint.value).map_err(|error| endpoint.origin.blame(error))?,
            origin: endpoint.origin,
            role: places.text(&["AWS_EC2_INSTANCE_PROFILE_NAME"], &["ec2_instance_profile_name"]),
            limit: limit.unwrap_or(Found::new(PATIENCE, Origin::Default)),
            attempts: attempts.unwrap_or(Found::new(1, Origin::Default)),
            looked_in: String::new(),
        }))
    }

    fn patience(&self) -> Patience {
        Patience { limit: self.limit.value, attempts: self.attempts.value }
    }

    /// How it is asked, for people.
    pub(super) fn tell(&self) -> Vec<Setting> {
        let (limit, attempts) = (&self.limit, &self.attempts);
        let mut rows = vec![
            Setting::new("instance metadata timeout", format!("{:?}", limit.value), limit.origin.clone()),
            Setting::new("instance metadata attempts", attempts.value.to_string(), attempts.origin.clone()),
        ];
        let role = self.role.as_ref();
        rows.extend(role.map(|role| Setting::new("instance metadata role", role.value.clone(), role.origin.clone())));
        rows
    }

    /// The same, as the last of several places to look.
    pub(super) fn after(mut self, looked_in: String) -> Self {
        self.looked_in = looked_in;
        self
    }
}

const IPV4: &str = "http://169.254.169.254";

fn mode(text: &str) -> Result<String, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "ipv4" => Ok(IPV4.to_owned()),
        "ipv6" => Ok("http://[fd00:ec2::254]".to_owned()),
        _ => Err("IPv4 or IPv6"),
    }
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.filter(|limit| !limit.is_zero()).ok_or("a number of seconds")
}

pub(crate) struct ImdsProvider {
    imds: Imds,
    services: Services,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Nothing was there; it is not asked again before this.
    absent_until: Option<SystemTime>,
    token: Option<(HeaderValue, SystemTime)>,
}

/// Where a conversation with the service ended without credentials.
enum End {
    /// There is none, or it may not be asked.
    Absent,
    Failed(Error),
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl ImdsProvider {
    pub(super) fn new(imds: Imds, services: Services) -> Self {
        Self { imds, services, state: Mutex::default() }
    }

    async fn get(&self) -> Result<Credentials, Error> {
        let now = self.services.clock.now();
        if self.state().absent_until.is_some_and(|end| now < end) {
            return Err(self.nothing_there());
        }
        match self.keys().await {
            Ok(credentials) => Ok(credentials),
            Err(End::Failed(error)) => Err(error),
            Err(End::Absent) => {
                self.state().absent_until = Some(self.services.clock.now() + ABSENCE);
                Err(self.nothing_there())
            }
        }
    }

    async fn keys(&self) -> Result<Credentials, End> {
        const ROLES: &str = "latest/meta-data/iam/security-credentials/";
        let role = match &self.imds.role {
            Some(role) => role.value.clone(),
            None => {
                let answer = self.read(ROLES).await?;
                let text = String::from_utf8_lossy(answer.body()).into_owned();
                match (answer.status(), text.lines().next().map(str::trim).filter(|role| !role.is_empty())) {
                    (StatusCode::OK, Some(role)) => role.to_owned(),
                    (StatusCode::OK | StatusCode::NOT_FOUND, _) => {
                        let error = none("this instance has no role, so its metadata service has no credentials");
                        return Err(error.with_hint("attach an instance profile with a role to the instance").into());
                    }
                    _ => return Err(service::refusal(WHAT, &answer).into()),
                }
            }
        };
        let answer = self.read(&format!("{ROLES}{role}")).await?;
        if !answer.status().is_success() {
            return Err(service::refusal(WHAT, &answer).into());
        }
        let keys: Keys = service::json(WHAT, answer.body()).map_err(|error| {
            // A role that cannot be assumed is a 200 with a code.
            let refusal = service::refusal(WHAT, &answer);
            if refusal.message().contains(": ") { refusal } else { error }
        })?;
        let credentials = keys.credentials(WHAT)?;
        let soon = self.services.clock.now() + STABLE;
        Ok(match credentials.expires_at() {
            Some(end) if end <= self.services.clock.now() => credentials.with_expiry(soon),
            _ => credentials,
        })
    }

    /// Reads a path, with a new token where the old one is refused.
    async fn read(&self, path: &str) -> Result<Response<Bytes>, End> {
        let (token, is_new) = self.token().await?;
        let answer = self.read_with(path, &token).await?;
        if answer.status() != StatusCode::UNAUTHORIZED || is_new {
            return Ok(answer);
        }
        self.state().token = None;
        let (token, _) = self.token().await?;
        Ok(self.read_with(path, &token).await?)
    }

    async fn read_with(&self, path: &str, token: &HeaderValue) -> Result<Response<Bytes>, Error> {
        let uri = service::uri(&self.imds.endpoint, Some(path), &[])?;
        let make = || {
            Request::get(&uri).header("x-aws-ec2-metadata-token", token).body(Bytes::new()).map_err(service::unusable)
        };
        // It answered when it gave the token: now it is worth some patience.
        let Patience { limit, attempts } = self.imds.patience();
        let patience = Patience { limit: limit.max(Duration::from_secs(5)), attempts: attempts.max(3) };
        self.services.ask(WHAT, &self.services.direct, patience, make).await
    }

    async fn token(&self) -> Result<(HeaderValue, bool), End> {
        let now = self.services.clock.now();
        if let Some((token, _)) = self.state().token.as_ref().filter(|(_, end)| now < *end) {
            return Ok((token.clone(), false));
        }
        let uri = service::uri(&self.imds.endpoint, Some("latest/api/token"), &[])?;
        let make = || {
            Request::builder()
                .method(Method::PUT)
                .uri(&uri)
                .header("x-aws-ec2-metadata-token-ttl-seconds", TOKEN_SECONDS)
                .body(Bytes::new())
                .map_err(service::unusable)
        };
        let asked = self.services.ask(WHAT, &self.services.direct, self.imds.patience(), make).await;
        let answer = asked.map_err(|error| match error.kind() {
            ErrorKind::Transport | ErrorKind::Timeout => {
                tracing::debug!(%error, "there is no instance metadata service");
                End::Absent
            }
            _ => End::Failed(error),
        })?;
        match answer.status() {
            StatusCode::OK => {}
            // Switched off for this instance, or something else that happens to listen there.
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => return Err(End::Absent),
            _ => return Err(service::refusal(WHAT, &answer).into()),
        }
        let mut token = HeaderValue::from_bytes(answer.body().trim_ascii())
            .map_err(|_| none(format!("{WHAT} gave a token that is none")))?;
        token.set_sensitive(true);
        let seconds = answer.headers().get("x-aws-ec2-metadata-token-ttl-seconds");
        let seconds = seconds.and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(TOKEN_SECONDS);
        let end = now + Duration::from_secs(seconds.min(TOKEN_SECONDS).saturating_sub(60));
        self.state().token = Some((token.clone(), end));
        Ok((token, true))
    }

    fn nothing_there(&self) -> Error {
        let Imds { looked_in, endpoint, .. } = &self.imds;
        none(format!("no credentials found: {looked_in}no instance metadata service answers at {}", endpoint.host()))
            .with_hint(super::plan::HINT)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProvideCredentials for ImdsProvider {
    fn credentials(&self) -> CredentialsFuture<'_> {
        Box::pin(self.get())
    }
}

/// A provider for the plan's tree.
pub(super) fn provider(imds: Imds, services: &Services) -> Arc<dyn ProvideCredentials> {
    Arc::new(ImdsProvider::new(imds, services.clone()))
}
