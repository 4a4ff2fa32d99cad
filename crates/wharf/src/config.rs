//! Setting a client up.

mod build;
mod check;
mod environment;
mod sending;
mod sockets;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use wharf_proto::checksum::ChecksumAlgorithm;
use wharf_proto::provider::Habits;
use wharf_proto::{AddressingStyle, Credentials, Provider};

use crate::clock::Clock;
use crate::credentials::ProvideCredentials;
use crate::settings::Said;
use crate::transfer::Budgets;
use crate::transport::Transport;
pub(crate) use environment::Environment;
use sockets::{ProxyChoice, Sockets};

/// Sets a [`Client`](crate::Client) up.
///
/// ```
/// use std::time::Duration;
///
/// # fn main() -> wharf::Result<()> {
/// let s3 = wharf::Client::builder()
///     .endpoint("http://localhost:9000")
///     .region("us-east-1")
///     .credentials("minio-user", "minio-password")
///     .connect_timeout(Duration::from_secs(2))
///     .max_attempts(5)
///     .build()?;
/// assert_eq!(s3.region(), "us-east-1");
/// println!("{}", s3.explain());
/// # Ok(())
/// # }
/// ```
///
/// What is not said is looked up when it is built:
///
/// | setting | said here, else | else | else |
/// |---|---|---|---|
/// | region | the transport's | `AWS_REGION`, `AWS_DEFAULT_REGION` | the profile, `us-east-1` for a custom endpoint |
/// | endpoint | the transport's | `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL` | the profile, AWS by region |
/// | certificates trusted beside the system's | | `AWS_CA_BUNDLE` | the profile's `ca_bundle` |
/// | attempts | | `AWS_MAX_ATTEMPTS` | the profile's `max_attempts`, 3 |
///
/// Every other variable and property of the AWS SDKs that concerns S3 is found in the same way; what a client took from
/// where is told by [`Client::explain`](crate::Client::explain).
///
/// **Credentials** come from the first of these that is configured; one that is and fails is an error:
///
/// 1. what is said here, or the transport's own
/// 2. `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`
/// 3. `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`
/// 4. the profile: a role (`role_arn` with `source_profile`, `credential_source` or `web_identity_token_file`), SSO,
///    keys, or `credential_process`
/// 5. the container's service (`AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` or `_FULL_URI`): ECS, EKS Pod Identity
/// 6. the instance metadata of EC2, unless `AWS_EC2_METADATA_DISABLED`
///
/// The profile is the one of [`profile`](ClientBuilder::profile), of `AWS_PROFILE`, or `default`. One that is named
/// here, or whose [`credentials_file`](ClientBuilder::credentials_file) is, beats all but 1, and none is asked after it.
/// Where keys, region and endpoint are said here, one that the environment names may be missing.
#[derive(Default)]
#[must_use = "a builder does nothing until it is built"]
pub struct ClientBuilder {
    said: Said,
    keys: Keys,
    profile: Option<String>,
    credentials_file: Option<PathBuf>,
    provider: Option<Provider>,
    habits: Option<Habits>,
    assume_conditions: bool,
    trust_etags: Option<bool>,
    checksum: Option<Option<ChecksumAlgorithm>>,
    trailers: Option<bool>,
    unsigned_payload: bool,
    transport: Option<Arc<dyn Transport>>,
    sockets: Sockets,
    long_operation_timeout: Option<Duration>,
    deadline: Option<Duration>,
    budgets: Option<Budgets>,
    clock: Option<Arc<dyn Clock>>,
    environment: Environment,
}

#[derive(Default)]
enum Keys {
    #[default]
    Find,
    Fixed(Credentials),
    Given(Arc<dyn ProvideCredentials>),
    Anonymous,
}

impl ClientBuilder {
    /// The region that requests are signed for, such as `eu-west-1`.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.said.region = Some(region.into());
        self
    }

    /// A server other than AWS: `http://` or `https://`, host, and if need be port and path.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.said.endpoint = Some(url.into());
        self
    }

    /// Where the bucket's name stands in URLs. By default: in the host name on AWS, in the path elsewhere.
    pub fn addressing_style(mut self, style: AddressingStyle) -> Self {
        self.said.addressing = Some(style);
        self
    }

    /// AWS's FIPS endpoints.
    pub fn use_fips(mut self, enabled: bool) -> Self {
        self.said.use_fips = Some(enabled);
        self
    }

    /// AWS's endpoints that have IPv6 addresses too.
    pub fn use_dualstack(mut self, enabled: bool) -> Self {
        self.said.use_dualstack = Some(enabled);
        self
    }

    /// AWS's transfer acceleration, for buckets that have it switched on.
    pub fn accelerate(mut self, enabled: bool) -> Self {
        self.said.accelerate = Some(enabled);
        self
    }

    /// Keys that do not change.
    pub fn credentials(mut self, access_key_id: impl Into<String>, secret_access_key: impl Into<String>) -> Self {
        self.keys = Keys::Fixed(Credentials::new(access_key_id.into(), secret_access_key.into()));
        self
    }

    /// Temporary keys with their session token. An empty token is no token.
    pub fn session_credentials(
        mut self,
        access_key_id: impl Into<String>,
        secret_access_key: impl Into<String>,
        session_token: impl Into<String>,
    ) -> Self {
        let keys = Credentials::new(access_key_id.into(), secret_access_key.into());
        self.keys = Keys::Fixed(keys.with_session_token(session_token.into()));
        self
    }

    /// Keys from anywhere: asked before every attempt. A [`Credentials`] value is one;
    /// [`CachedCredentials`](crate::CachedCredentials) keeps what another gives.
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
    /// [`Unsupported`](crate::ErrorKind::Unsupported) before anything is sent: else it would overwrite or delete what it
    /// was to spare.
    pub fn assume_conditions(mut self) -> Self {
        self.assume_conditions = true;
        self
    }

    /// Whether an object's ETag that looks like an MD5 is believed to be that of its bytes, or of its parts' MD5s: as the
    /// provider is known for by default, and for an unknown one never. It counts where bytes are compared
    /// ([`Compare::Checksum`](crate::transfer::Compare::Checksum), [`Upload::verify`](crate::transfer::Upload::verify),
    /// [`Copy::verify`](crate::transfer::Copy::verify), [`Download::verify`](crate::transfer::Download::verify)) and the server keeps no
    /// checksum. `client.probe(bucket)` finds out
    /// what a server does.
    pub fn trust_etags(mut self, trust: bool) -> Self {
        self.trust_etags = Some(trust);
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

    /// Whether [`get_object`](crate::Client::get_object) compares what it reads of a whole object with the checksum that the
    /// server keeps: yes by default, where the provider takes the question. Where it is off, a call can ask for it all the same
    /// ([`checksum_mode`](crate::op::GetObject::checksum_mode)). In the environment that is `AWS_RESPONSE_CHECKSUM_VALIDATION`. Downloads have
    /// [`verify`](crate::transfer::Download::verify).
    pub fn checksum_mode(mut self, enabled: bool) -> Self {
        self.said.checksum_mode = Some(enabled);
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
        self.sockets.root_certificates.extend_from_slice(pem.as_ref());
        self.sockets.root_certificates.push(b'\n');
        self
    }

    /// Trusts whoever answers: whoever sits between can read and change everything. For a test against a server whose
    /// certificate cannot be had; [`root_certificates_pem`](ClientBuilder::root_certificates_pem) is the safe way. What
    /// gives credentials (STS, SSO) is never trusted so, nor is a proxy.
    pub fn danger_accept_invalid_certificates(mut self) -> Self {
        self.sockets.accept_invalid_certificates = true;
        self
    }

    /// The HTTP proxy to go through, such as `http://user:password@proxy.example:3128`, or `https://` where the proxy
    /// itself is spoken to by TLS, in place of those that `HTTP_PROXY`, `HTTPS_PROXY` and `ALL_PROXY` name, less what
    /// `NO_PROXY` excepts. This machine itself and its metadata services are always reached straight.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.sockets.proxy = ProxyChoice::Url(url.into());
        self
    }

    /// Goes straight, whatever the environment says of proxies.
    pub fn no_proxy(mut self) -> Self {
        self.sockets.proxy = ProxyChoice::None;
        self
    }

    /// How often a request is sent at most: 3 by default; 1 means no retries.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.said.max_attempts = Some(attempts);
        self
    }

    /// How long a connection may take to be made, TLS included: 5 s by default.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.sockets.connect_timeout = Some(limit);
        self
    }

    /// How long the server may be silent while we wait for it: 30 s by default, `Duration::MAX` for no limit. Never
    /// counts while the caller reads or writes slowly. Of a time in which nobody polls the call a second counts: a test with a
    /// paused clock lets it pass by waiting, not by `advance`.
    pub fn progress_timeout(mut self, limit: Duration) -> Self {
        self.sockets.progress_timeout = Some(limit);
        self
    }

    /// The same for the first byte of the operations whose success is an XML document, at which a server may work for minutes,
    /// such as CopyObject, CompleteMultipartUpload, DeleteObjects and ListObjectsV2: 10 minutes by default. A machine that is
    /// gone altogether is noticed within the progress timeout all the same (by the system: on Linux, and where no proxy is between).
    /// Transfers wait 2 minutes for such an answer, copies and CompleteMultipartUpload apart, and ask again.
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

    /// What this client's transfers may use of memory, requests and bandwidth, in place of what the whole process shares
    /// ([`Budgets::process`]).
    pub fn budgets(mut self, budgets: Budgets) -> Self {
        self.budgets = Some(budgets);
        self
    }

    /// Time and chance, for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Environment variables, for tests: looked up here in place of the process's.
    pub fn environment(mut self, lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.environment = Environment::of(lookup);
        self
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("region", &self.said.region)
            .field("endpoint", &self.said.endpoint)
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}
