//! Which source the credentials come from: a decision by environment and files alone, made when a client is built.
//!
//! A source that is configured is the one: where it fails, its error is told and no other is asked. Only the last, the
//! instance metadata, is a guess.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use wharf_proto::{Credentials, Endpoint, Error};

use super::assume_role::{AssumeRoleProvider, Role};
use super::container::{Container, ContainerProvider};
use super::endpoints::Sts;
use super::file_keys::{FileKeys, FileKeysProvider};
use super::imds::{self, Imds};
use super::process::{Process, ProcessProvider};
use super::service::{self, Services};
use super::sso::{Sso, SsoProvider};
use super::web_identity::WebIdentityProvider;
use super::{ProvideCredentials, check, endpoints::StsOptions, none, profile};
use crate::explain::Setting;
use crate::settings::{Found, Origin, Places};

pub(crate) const HINT: &str = "say .credentials(id, secret), set the environment, name a profile, or be .anonymous()";

/// A source of credentials, or a role assumed with one.
#[derive(Debug, Clone)]
pub(crate) enum Plan {
    Keys { credentials: Credentials, origin: Origin, file: Option<FileKeys> },
    WebIdentity { role: Role, token_file: PathBuf, sts: Sts, origin: Origin },
    Sso(Sso),
    Process(Process),
    Container(Container),
    Imds(Imds),
    AssumeRole { role: Role, source: Box<Plan>, sts: Sts, origin: Origin },
}

/// The source to use: a profile that the program names, else environment, web identity, profile, container, instance.
pub(crate) fn plan(places: &Places<'_>, sts: &StsOptions, profile_is_explicit: bool) -> Result<Plan, Error> {
    let of_profile = || match places.profile() {
        Some(found) => profile::plan(&found, places, sts),
        None => Ok(None),
    };
    if profile_is_explicit {
        let name = places.files.map_or("default", |files| files.name());
        return of_profile()?
            .ok_or_else(|| none(format!("no credentials found: profile {name:?} has no access key")).with_hint(HINT));
    }
    if let Some(plan) = environment(places)? {
        return Ok(plan);
    }
    if let Some(plan) = web_identity(places, sts)? {
        return Ok(plan);
    }
    if let Some(plan) = of_profile()? {
        return Ok(plan);
    }
    if let Some(container) = Container::of(places.environment)? {
        return Ok(Plan::Container(container));
    }
    let of_profile = match places.profile() {
        Some(profile) => format!("profile {:?} has no access key", profile.name()),
        None => "there is no default profile".to_owned(),
    };
    let looked_in = format!("AWS_ACCESS_KEY_ID is not set, {of_profile}");
    match Imds::find(places)? {
        Some(imds) => Ok(Plan::Imds(imds.after(format!("{looked_in}, and ")))),
        None => {
            let problem = format!("no credentials found: {looked_in}, and instance metadata is switched off");
            Err(none(problem).with_hint(HINT))
        }
    }
}

/// The keys of the environment.
pub(super) fn environment(places: &Places<'_>) -> Result<Option<Plan>, Error> {
    let environment = places.environment;
    let Some(id) = environment.get("AWS_ACCESS_KEY_ID") else { return Ok(None) };
    let secret = environment
        .get("AWS_SECRET_ACCESS_KEY")
        .ok_or_else(|| none("AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not; set both or neither"))?;
    let credentials =
        Credentials::new(id, secret).with_session_token(environment.get("AWS_SESSION_TOKEN").unwrap_or_default());
    let origin = Origin::Variable("AWS_ACCESS_KEY_ID");
    // What is wrong with them says which of the three it is.
    check(&credentials).map_err(|error| {
        let message = format!("the keys of the environment (AWS_ACCESS_KEY_ID and so on): {}", error.message());
        error.with_message(message)
    })?;
    Ok(Some(Plan::Keys { credentials, origin, file: None }))
}

fn web_identity(places: &Places<'_>, sts: &StsOptions) -> Result<Option<Plan>, Error> {
    let environment = places.environment;
    let Some(token_file) = environment.get("AWS_WEB_IDENTITY_TOKEN_FILE") else { return Ok(None) };
    let arn = environment
        .get("AWS_ROLE_ARN")
        .ok_or_else(|| none("AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not; set both or neither"))?;
    let role =
        Role { arn, session_name: environment.get("AWS_ROLE_SESSION_NAME"), external_id: None, duration_seconds: None };
    let origin = Origin::Variable("AWS_WEB_IDENTITY_TOKEN_FILE");
    Ok(Some(Plan::WebIdentity { role, token_file: token_file.into(), sts: Sts::find(sts)?, origin }))
}

impl Plan {
    /// What carries the plan out. Nothing is asked yet.
    pub(crate) fn provider(&self, services: &Services) -> Arc<dyn ProvideCredentials> {
        let services = services.clone();
        match self.clone() {
            Self::Keys { credentials, file: Some(file), .. } => Arc::new(FileKeysProvider::new(file, credentials)),
            Self::Keys { credentials, file: None, .. } => Arc::new(credentials),
            Self::WebIdentity { role, token_file, sts, .. } => {
                Arc::new(WebIdentityProvider { role, token_file, sts, services })
            }
            Self::Sso(sso) => Arc::new(SsoProvider::new(sso, services)),
            Self::Process(process) => Arc::new(ProcessProvider(process)),
            Self::Container(container) => Arc::new(ContainerProvider { container, services }),
            Self::Imds(imds) => imds::provider(imds, &services),
            Self::AssumeRole { role, source, sts, .. } => {
                Arc::new(AssumeRoleProvider { role, source: source.provider(&services), sts, services })
            }
        }
    }

    /// Where it is written that it is this one.
    pub(crate) fn origin(&self) -> &Origin {
        match self {
            Self::Keys { origin, .. } | Self::WebIdentity { origin, .. } | Self::AssumeRole { origin, .. } => origin,
            Self::Sso(sso) => &sso.origin,
            Self::Process(process) => &process.origin,
            Self::Container(container) => &container.origin,
            Self::Imds(imds) => &imds.origin,
        }
    }
}

impl Plan {
    /// What else decides how credentials are asked for, each with its origin.
    pub(crate) fn tell(&self) -> Vec<Setting> {
        let of_sts = |sts: &Sts| Setting::new("STS endpoint", url(&sts.endpoint), sts.origin.clone());
        match self {
            Self::Keys { .. } | Self::Process(_) => Vec::new(),
            Self::WebIdentity { sts, .. } => vec![of_sts(sts)],
            Self::AssumeRole { sts, source, .. } => {
                let mut rows = source.tell();
                rows.retain(|row| row.name() != "STS endpoint");
                rows.push(of_sts(sts));
                rows
            }
            Self::Sso(sso) => {
                let place = |name, found: &Found<Endpoint>| Setting::new(name, url(&found.value), found.origin.clone());
                let token = sso.cache.path().display().to_string();
                vec![
                    place("SSO portal", &sso.portal),
                    place("SSO token service", &sso.oidc),
                    Setting::new("SSO token file", token, sso.origin.clone()),
                ]
            }
            Self::Container(container) => container.tell().into_iter().collect(),
            Self::Imds(imds) => imds.tell(),
        }
    }
}

fn url(endpoint: &Endpoint) -> String {
    let uri = service::uri(endpoint, None, &[]);
    uri.map_or_else(|_| endpoint.host().to_owned(), |uri| uri.to_string().trim_end_matches('/').to_owned())
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys { .. } => f.write_str("an access key"),
            Self::WebIdentity { role, token_file, .. } => {
                write!(f, "role {} by the token in {}", role.arn, token_file.display())
            }
            Self::Sso(sso) => write!(f, "SSO: role {} in account {}", sso.role_name, sso.account_id),
            Self::Process(process) => write!(f, "the program {}", process.program),
            Self::Container(container) => write!(f, "the container's service at {}", service::origin(&container.uri)),
            Self::Imds(imds) => write!(f, "instance metadata at {}", imds.endpoint.host()),
            Self::AssumeRole { role, source, .. } => write!(f, "role {} by {source} ({})", role.arn, source.origin()),
        }
    }
}
