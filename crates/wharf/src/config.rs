//! Setting a client up.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use wharf_proto::checksum::ChecksumAlgorithm;
use wharf_proto::endpoint::check_region;
use wharf_proto::provider::{Conditions, Habits};
use wharf_proto::retry::RetryPolicy;
use wharf_proto::{AddressingStyle, Credentials, Endpoint, Error, ErrorKind, Provider};

use crate::blocking;
use crate::client::{Client, Sending, Shared};
use crate::clock::{Clock, SystemClock};
use crate::credentials::{ProvideCredentials, from_environment, from_profile};
use crate::profiles::{self, Profile};
use crate::runtime::RuntimeHandle;
use crate::transport::proxy::Proxies;
use crate::transport::tls::{Tls, Trust, certificates};
use crate::transport::{Defaults, Http1, Settings, Transport};

/// Sets a [`Client`] up. What is not said is looked up when it is built:
///
/// | setting | said here, else | else | else |
/// |---|---|---|---|
/// | keys | the transport's | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | the profile |
/// | region | the transport's | `AWS_REGION`, `AWS_DEFAULT_REGION` | the profile, `us-east-1` for a custom endpoint |
/// | endpoint | the transport's | `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL` | the profile, AWS by region |
/// | certificates trusted beside the system's | | `AWS_CA_BUNDLE` | the profile's `ca_bundle` |
///
/// The profile is the one of [`profile`](ClientBuilder::profile), of `AWS_PROFILE`, or `default`. One that is named
/// here, or whose [`credentials_file`](ClientBuilder::credentials_file) is, beats keys in the environment.
#[derive(Default)]
#[must_use = "a builder does nothing until it is built"]
pub struct ClientBuilder {
    region: Option<String>,
    endpoint: Option<String>,
    addressing: AddressingStyle,
    fips: bool,
    dualstack: bool,
    accelerate: bool,
    keys: Keys,
    profile: Option<String>,
    credentials_file: Option<PathBuf>,
    provider: Option<Provider>,
    habits: Option<Habits>,
    assume_conditions: bool,
    checksum: Option<Option<ChecksumAlgorithm>>,
    trailers: Option<bool>,
    unsigned_payload: bool,
    transport: Option<Arc<dyn Transport>>,
    root_certificates: Vec<u8>,
    accept_invalid_certificates: bool,
    proxy: ProxyChoice,
    retry: RetryPolicy,
    connect_timeout: Option<Duration>,
    progress_timeout: Option<Duration>,
    long_operation_timeout: Option<Duration>,
    deadline: Option<Duration>,
    clock: Option<Arc<dyn Clock>>,
    environment: Environment,
}

/// Where proxies are looked for.
#[derive(Default)]
enum ProxyChoice {
    #[default]
    Environment,
    Url(String),
    None,
}

#[derive(Default)]
enum Keys {
    #[default]
    Find,
    Given(Arc<dyn ProvideCredentials>),
    Anonymous,
}

/// Environment variables, or what a test has in their place.
#[derive(Clone)]
pub(crate) struct Environment(Arc<Lookup>);

type Lookup = dyn Fn(&str) -> Option<OsString> + Send + Sync;

impl Environment {
    pub(crate) fn get_os(&self, name: &str) -> Option<OsString> {
        (self.0)(name)
    }

    /// A variable's text; an empty one is none.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.get_os(name).and_then(|value| value.into_string().ok()).filter(|value| !value.is_empty())
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self(Arc::new(|name| env::var_os(name)))
    }
}

impl ClientBuilder {
    /// The region that requests are signed for, such as `eu-west-1`.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// A server other than AWS: `http://` or `https://`, host, and if need be port and path.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// Where the bucket's name stands in URLs. By default: in the host name on AWS, in the path elsewhere.
    pub fn addressing_style(mut self, style: AddressingStyle) -> Self {
        self.addressing = style;
        self
    }

    /// Whether to use AWS's hosts with cryptography validated by FIPS 140.
    pub fn use_fips(mut self, enabled: bool) -> Self {
        self.fips = enabled;
        self
    }

    /// Whether to use AWS's hosts that have IPv6 addresses beside those of IPv4.
    pub fn use_dualstack(mut self, enabled: bool) -> Self {
        self.dualstack = enabled;
        self
    }

    /// Whether objects travel by AWS's Transfer Acceleration, which must be turned on for the bucket.
    pub fn accelerate(mut self, enabled: bool) -> Self {
        self.accelerate = enabled;
        self
    }

    /// Keys that do not change.
    pub fn credentials(self, access_key_id: impl Into<String>, secret_access_key: impl Into<String>) -> Self {
        self.credentials_provider(Credentials::new(access_key_id.into(), secret_access_key.into()))
    }

    /// Temporary keys with their session token. An empty token is no token.
    pub fn session_credentials(
        self,
        access_key_id: impl Into<String>,
        secret_access_key: impl Into<String>,
        session_token: impl Into<String>,
    ) -> Self {
        let keys = Credentials::new(access_key_id.into(), secret_access_key.into());
        self.credentials_provider(keys.with_session_token(session_token.into()))
    }

    /// Keys from anywhere: asked before every attempt. A [`Credentials`] value is one.
    pub fn credentials_provider(mut self, provider: impl ProvideCredentials) -> Self {
        self.keys = Keys::Given(Arc::new(provider));
        self
    }

    /// Signs nothing: for what everybody may read.
    pub fn anonymous(mut self) -> Self {
        self.keys = Keys::Anonymous;
        self
    }

    /// The profile of the AWS files to take keys, region and endpoint from. It beats keys in the environment.
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// The credentials file to read in place of `AWS_SHARED_CREDENTIALS_FILE` or `~/.aws/credentials`. It must exist.
    pub fn credentials_file(mut self, path: impl AsRef<Path>) -> Self {
        self.credentials_file = Some(path.as_ref().to_owned());
        self
    }

    /// Whose S3 it is, where the host name does not tell: decides what is sent by default.
    pub fn provider(mut self, provider: Provider) -> Self {
        self.provider = Some(provider);
        self
    }

    /// How the server likes its requests, in place of what is known of its provider: from
    /// [`ProbeReport::habits`](crate::ProbeReport::habits), or a changed copy of [`Provider::habits`]. The methods below
    /// come before it.
    pub fn habits(mut self, habits: Habits) -> Self {
        self.habits = Some(habits);
        self
    }

    /// Sends conditions also where the provider is known to ignore them. Without this, such a call fails with
    /// [`Unsupported`](ErrorKind::Unsupported) before anything is sent: else it would overwrite or delete what it was
    /// to spare.
    pub fn assume_conditions(mut self) -> Self {
        self.assume_conditions = true;
        self
    }

    /// The checksum that goes with data: the provider's by default, which is CRC64NVME where nothing speaks against it;
    /// `None` for none.
    pub fn checksum(mut self, algorithm: impl Into<Option<ChecksumAlgorithm>>) -> Self {
        self.checksum = Some(algorithm.into());
        self
    }

    /// Whether a stream's checksum may follow it as a trailer, framed as `aws-chunked`. By default only over https and
    /// where the provider is known to take it. Where not, it is compared with what the server answers.
    pub fn checksum_trailers(mut self, enabled: bool) -> Self {
        self.trailers = Some(enabled);
        self
    }

    /// Over plain http, leaves bodies out of the signature, which saves their SHA-256. Whoever sits between may then
    /// change them unseen. Over https they are left out always: TLS protects them.
    pub fn unsigned_payload(mut self) -> Self {
        self.unsigned_payload = true;
        self
    }

    /// What carries the bytes, in place of sockets: an embedded store, a test's fake.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Trusts these certificates (PEM) beside the system's.
    pub fn root_certificates_pem(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.root_certificates.extend_from_slice(pem.as_ref());
        self.root_certificates.push(b'\n');
        self
    }

    /// Trusts whoever answers: whoever sits between can read and change everything. For a test against a server whose
    /// certificate cannot be had; [`root_certificates_pem`](ClientBuilder::root_certificates_pem) is the safe way.
    pub fn danger_accept_invalid_certificates(mut self) -> Self {
        self.accept_invalid_certificates = true;
        self
    }

    /// The HTTP proxy to go through, such as `http://user:password@proxy.example:3128`, in place of those that
    /// `HTTP_PROXY`, `HTTPS_PROXY` and `ALL_PROXY` name, less what `NO_PROXY` excepts. This machine itself and its
    /// metadata services are always reached straight.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = ProxyChoice::Url(url.into());
        self
    }

    /// Goes straight, whatever the environment says of proxies.
    pub fn no_proxy(mut self) -> Self {
        self.proxy = ProxyChoice::None;
        self
    }

    /// How often a request is sent at most: 3 by default; 1 means no retries.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.retry.max_attempts = attempts;
        self
    }

    /// How long a connection may take to be made, TLS included: 5 s by default.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = Some(limit);
        self
    }

    /// How long the server may be silent while we wait for it: 30 s by default, `Duration::MAX` for no limit. Never
    /// counts while the caller reads or writes slowly.
    pub fn progress_timeout(mut self, limit: Duration) -> Self {
        self.progress_timeout = Some(limit);
        self
    }

    /// The same for the first byte of operations that S3 may work at for minutes (CopyObject, UploadPartCopy,
    /// CompleteMultipartUpload): 10 minutes by default.
    pub fn long_operation_timeout(mut self, limit: Duration) -> Self {
        self.long_operation_timeout = Some(limit);
        self
    }

    /// How long a call may take in all, retries included, until its answer (for a stream: the answer's head). None by
    /// default.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = Some(limit);
        self
    }

    /// Time and chance, for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Environment variables, for tests: looked up here in place of the process's.
    pub fn environment(mut self, lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.environment = Environment(Arc::new(move |name| lookup(name).map(OsString::from)));
        self
    }

    /// The client. Reads environment and files where need be, never the network.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for what cannot be used: a region, an endpoint, a profile that does
    /// not exist; [`NoCredentials`](ErrorKind::NoCredentials) where none are found.
    pub fn build(self) -> Result<Client, Error> {
        self.build_on(RuntimeHandle::default())
    }

    /// A client for use without async: its calls run on a thread of its own. See [`wharf::blocking`](crate::blocking).
    ///
    /// # Errors
    /// As [`build`](ClientBuilder::build), and where the thread cannot be started.
    pub fn build_blocking(self) -> Result<blocking::Client, Error> {
        self.build_on(RuntimeHandle::own()?).map(blocking::Client::new)
    }

    fn build_on(self, runtime: RuntimeHandle) -> Result<Client, Error> {
        let defaults = self.transport.as_ref().and_then(|transport| transport.defaults());
        let profile_is_explicit = self.profile.is_some() || self.credentials_file.is_some();
        let profile = self.load_profile(profile_is_explicit, defaults.is_some())?;
        let found = Found { defaults: defaults.as_ref(), profile: profile.as_ref(), environment: &self.environment };
        let custom_url = self.endpoint.clone().or_else(|| found.endpoint());
        let region = match self.region.clone().or_else(|| found.region()) {
            Some(region) => region,
            None if custom_url.is_some() => "us-east-1".to_owned(),
            None => {
                return Err(Error::invalid_input("no region is set: not in AWS_REGION, not in the profile")
                    .with_hint("set AWS_REGION, put region into the profile, or say .region(\"eu-west-1\")"));
            }
        };
        check_region(&region)?;
        let endpoint = match &custom_url {
            Some(url) => Endpoint::custom(url)?.with_region(&region)?,
            None => Endpoint::aws(&region)?,
        }
        .with_style(self.addressing)
        .with_fips(self.fips)
        .with_dualstack(self.dualstack)
        .with_accelerate(self.accelerate);
        let credentials: Option<Arc<dyn ProvideCredentials>> = match self.keys {
            Keys::Anonymous => None,
            Keys::Given(provider) => Some(provider),
            Keys::Find => Some(Arc::new(found.credentials(profile_is_explicit)?)),
        };
        let provider = self.provider.unwrap_or_else(|| Provider::of(&endpoint));
        let mut habits = self.habits.unwrap_or_else(|| provider.habits());
        habits.checksum = self.checksum.unwrap_or(habits.checksum);
        habits.trailers = self.trailers.unwrap_or(habits.trailers && endpoint.is_https());
        habits.chunks |= habits.trailers;
        if self.assume_conditions {
            habits.ignores = Conditions::NONE;
        }
        let endpoint = match self.addressing {
            AddressingStyle::Auto => endpoint.with_style(habits.addressing),
            _ => endpoint,
        };
        endpoint.check()?;
        let transport = match self.transport {
            Some(transport) => transport,
            None => {
                let trust = match self.root_certificates.as_slice() {
                    _ if self.accept_invalid_certificates => Trust::Anybody,
                    [] if endpoint.is_https() => Trust::Roots(found.root_certificates()?),
                    [] => Trust::Roots(rustls::RootCertStore::empty()),
                    pem => Trust::Roots(certificates(pem)?),
                };
                let proxies = match &self.proxy {
                    ProxyChoice::Environment => Proxies::from_environment(|name| self.environment.get(name))?,
                    ProxyChoice::Url(url) => Proxies::all(url)?,
                    ProxyChoice::None => Proxies::default(),
                };
                Arc::new(Http1::new(Settings {
                    connect_timeout: self.connect_timeout.unwrap_or(Duration::from_secs(5)),
                    tls: Tls::new(trust),
                    proxies,
                }))
            }
        };
        let sending = Sending { provider, habits, sign_payload: !self.unsigned_payload };
        let shared = Shared {
            endpoint,
            credentials,
            transport,
            runtime,
            retry: self.retry,
            buckets: Default::default(),
            clock_ahead: Default::default(),
            stall_limit: self.progress_timeout.unwrap_or(Duration::from_secs(30)),
            patience: self.long_operation_timeout.unwrap_or(Duration::from_secs(600)),
            deadline: self.deadline,
            clock: self.clock.unwrap_or_else(|| Arc::new(SystemClock)),
            signing_keys: Default::default(),
        };
        Ok(Client::new(sending, shared))
    }

    /// Files are read only where something could come of it.
    fn load_profile(&self, is_explicit: bool, has_defaults: bool) -> Result<Option<Profile>, Error> {
        let all_said = !matches!(self.keys, Keys::Find) && self.region.is_some() && self.endpoint.is_some();
        if !is_explicit && (has_defaults || all_said) {
            return Ok(None);
        }
        profiles::load(self.profile.as_deref(), self.credentials_file.as_deref(), &self.environment)
    }
}

/// The places where settings are found, in the order they are asked.
struct Found<'a> {
    defaults: Option<&'a Defaults>,
    profile: Option<&'a Profile>,
    environment: &'a Environment,
}

impl Found<'_> {
    fn root_certificates(&self) -> Result<rustls::RootCertStore, Error> {
        let profile = || self.profile.and_then(|profile| profile.get("ca_bundle")).map(str::to_owned);
        let Some(path) = self.environment.get("AWS_CA_BUNDLE").or_else(profile) else {
            return Ok(rustls::RootCertStore::empty());
        };
        let pem = std::fs::read(&path)
            .map_err(|error| Error::invalid_input(format!("cannot read the CA bundle {path}: {error}")))?;
        certificates(&pem).map_err(|error| Error::invalid_input(format!("the CA bundle {path}: {error}")))
    }

    fn region(&self) -> Option<String> {
        let environment = || self.environment.get("AWS_REGION").or_else(|| self.environment.get("AWS_DEFAULT_REGION"));
        let profile = || self.profile.and_then(|profile| profile.get("region")).map(str::to_owned);
        self.defaults.map(|defaults| defaults.region.clone()).or_else(environment).or_else(profile)
    }

    fn endpoint(&self) -> Option<String> {
        let environment =
            || self.environment.get("AWS_ENDPOINT_URL_S3").or_else(|| self.environment.get("AWS_ENDPOINT_URL"));
        let profile = || self.profile.and_then(Profile::endpoint_url).map(str::to_owned);
        self.defaults.map(|defaults| defaults.endpoint.clone()).or_else(environment).or_else(profile)
    }

    fn credentials(&self, profile_is_explicit: bool) -> Result<Credentials, Error> {
        let profile = || self.profile.map(from_profile).transpose().map(Option::flatten);
        if let Some(defaults) = self.defaults.filter(|_| !profile_is_explicit) {
            return Ok(Credentials::new(defaults.access_key_id.clone(), defaults.secret_access_key.clone()));
        }
        let found = if profile_is_explicit {
            profile()?
        } else {
            match from_environment(self.environment)? {
                Some(keys) => Some(keys),
                None => profile()?,
            }
        };
        found.ok_or_else(|| {
            let looked_in = match self.profile {
                Some(profile) if profile_is_explicit => profile.lacks_keys(),
                Some(profile) => format!("AWS_ACCESS_KEY_ID is not set, and {}", profile.lacks_keys()),
                None => "AWS_ACCESS_KEY_ID is not set, and there is no default profile".to_owned(),
            };
            Error::new(ErrorKind::NoCredentials, format!("no credentials found: {looked_in}"))
                .with_hint("say .credentials(id, secret), set the environment, name a profile, or be .anonymous()")
        })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}
