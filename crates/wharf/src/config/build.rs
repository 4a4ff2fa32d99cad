//! From what was said, and what is found, to a client.

use std::sync::Arc;
use std::time::Duration;

use wharf_proto::retry::RetryPolicy;
use wharf_proto::{AddressingStyle, Credentials, Endpoint, Error, Provider};

use super::{ClientBuilder, Keys};
use crate::blocking;
use crate::client::{Client, Sending, Shared};
use crate::clock::{ServerClock, SystemClock};
use crate::counters::Tally;
use crate::credentials::Services;
use crate::explain::{Setting, Told};
use crate::identity::Identity;
use crate::profiles::Files;
use crate::runtime::RuntimeHandle;
use crate::settings::{Found, Origin, Places, Resolved, When};
use crate::transfer::{Budgets, KnownEmpty, state_folder};
use crate::transport::is_loopback;
use crate::transport::proxy::Proxies;

impl ClientBuilder {
    /// The client. Reads environment and files where need be, never the network.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for what cannot be used: a region, an endpoint, a profile that
    /// does not exist, keys that cannot sign, a timeout of zero, settings of sockets beside
    /// [`transport`](ClientBuilder::transport); [`NoCredentials`](crate::ErrorKind::NoCredentials) where none are found.
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
        self.check()?;
        let defaults = self.transport.as_ref().and_then(|transport| transport.defaults());
        let profile_is_explicit = self.profile.is_some() || self.credentials_file.is_some();
        let (files, unread) = self.read_files(profile_is_explicit, defaults.is_some())?;
        let places = Places { defaults: defaults.as_ref(), environment: &self.environment, files: files.as_ref() };
        let settings = Resolved::find(self.said.clone(), &places)?;
        let region = match &settings.region {
            Some(region) => region.clone(),
            None if settings.endpoint.is_some() => Found::new("us-east-1".to_owned(), Origin::Default),
            None => {
                return Err(Error::invalid_input("no region is set: not in AWS_REGION, not in the profile")
                    .with_hint("set AWS_REGION, put region into the profile, or say .region(\"eu-west-1\")"));
            }
        };
        let endpoint = match &settings.endpoint {
            Some(url) => {
                Endpoint::custom(&url.value).map_err(|error| url.origin.blame(error))?.with_region(&region.value)
            }
            None => Endpoint::aws(&region.value),
        }
        .map_err(|error| region.origin.blame(error))?
        .with_style(settings.addressing.value)
        .with_fips(settings.use_fips.value)
        .with_dualstack(settings.use_dualstack.value)
        .with_accelerate(settings.accelerate.value)
        .with_global(!settings.us_east_1_regional.value)
        .with_arn_regions(settings.use_arn_region.value)
        .with_sessions(!settings.disable_express_session_auth.value);
        let is_https = endpoint.is_https();
        let provider = self.provider.unwrap_or_else(|| Provider::of(&endpoint));
        let habits = self.sent_habits(provider, &settings, is_https);
        let mut more = self.tell_sending(provider, &habits, &settings);
        let endpoint = match settings.addressing.value {
            AddressingStyle::Auto => endpoint.with_style(habits.addressing),
            _ => endpoint,
        };
        endpoint.check()?;
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let server_clock = Arc::new(ServerClock::new(clock.clone()));
        let found = match self.keys {
            Keys::Anonymous => Identity::anonymous(),
            Keys::Fixed(credentials) => Identity::fixed(credentials, Origin::Code),
            Keys::Given(provider) => Identity::given(provider),
            Keys::Find => match defaults.as_ref().filter(|_| !profile_is_explicit) {
                Some(own) => {
                    let keys = Credentials::new(own.access_key_id.clone(), own.secret_access_key.clone());
                    Identity::fixed(keys, Origin::Transport)
                }
                None => Identity::find(&places, &settings, profile_is_explicit)?,
            },
        };
        let sockets = &self.sockets;
        if self.transport.is_some() && !found.asks_services() {
            sockets.must_be_unsaid()?;
        }
        let is_private = is_https || is_loopback(endpoint.host()) || self.transport.is_some();
        let opens_sockets = self.transport.is_none() || found.asks_services();
        let proxied = found.asks_services() || !is_loopback(endpoint.host());
        let proxies = if opens_sockets { sockets.proxies(&self.environment, proxied)? } else { Proxies::default() };
        let speaks_tls = is_https || found.asks_services() || proxies.speak_tls_for_http();
        let roots = sockets.roots(&settings, speaks_tls)?;
        let tally = Arc::<Tally>::default();
        let transport = match self.transport {
            Some(transport) => transport,
            None => sockets.to_s3(&roots, proxies.clone(), tally.clone()),
        };
        // What is given in place of sockets leads to a store, not to STS.
        let identity = found.on(|| {
            Ok(Services {
                transport: sockets.to_services(&roots, proxies.clone()),
                direct: sockets.to_services(&roots, Proxies::default()),
                clock: server_clock.clone(),
            })
        })?;
        let mut retry = RetryPolicy::default();
        retry.max_attempts = settings.max_attempts.value;
        let stall_limit = self.sockets.progress_timeout();
        let patience = self.long_operation_timeout.unwrap_or(Duration::from_secs(600));
        let said = |is_said: bool| if is_said { Origin::Code } else { Origin::Default };
        if opens_sockets {
            more.extend(sockets.tell(&settings, &proxies));
        }
        more.extend([
            Setting::new("progress timeout", format!("{stall_limit:?}"), said(self.sockets.progress_timeout.is_some())),
            Setting::new(
                "long operation timeout",
                format!("{patience:?}"),
                said(self.long_operation_timeout.is_some()),
            ),
            Setting::new(
                "deadline",
                self.deadline.map_or("none".to_owned(), |limit| format!("{limit:?}")),
                said(self.deadline.is_some()),
            ),
        ]);
        let told = Told::new(&settings, &region, &endpoint, files.as_ref(), more).and(unread);
        let sign_payload = !self.unsigned_payload && (!is_https || settings.sign_payload.value);
        let sending = Sending { provider, habits, sign_payload, one_attempt: false };
        let shared = Shared {
            endpoint,
            is_private,
            identity,
            transport,
            runtime,
            checks_answers: settings.response_checksum.value == When::Supported,
            retry,
            budgets: self.budgets.unwrap_or_else(Budgets::process),
            state_folder: state_folder(|name| self.environment.get_os(name)),
            no_journals: KnownEmpty::default(),
            tally,
            server_takes: Arc::default(),
            buckets: Default::default(),
            server_clock,
            asked_for_md5: Default::default(),
            stall_limit,
            patience,
            deadline: self.deadline,
            clock,
            signing_keys: Default::default(),
            told,
            server: Default::default(),
        };
        Ok(Client::new(sending, shared))
    }

    /// The AWS files, or why there are none. They are not read for a transport that has its own settings.
    fn read_files(&self, is_explicit: bool, has_defaults: bool) -> Result<(Option<Files>, Option<String>), Error> {
        if !is_explicit && has_defaults {
            return Ok((None, None));
        }
        let all_said = !matches!(self.keys, Keys::Find) && self.said.region.is_some() && self.said.endpoint.is_some();
        match Files::read(self.profile.as_deref(), self.credentials_file.as_deref(), &self.environment) {
            Ok(files) => Ok((Some(files), None)),
            // Nothing has to be found in them: what the machine's files are like is no reason to fail.
            Err(error) if all_said && !is_explicit => Ok((None, Some(format!("no profile is used: {error}")))),
            Err(error) => Err(error),
        }
    }
}
