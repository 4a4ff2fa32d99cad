//! SSO (IAM Identity Center): the token that `aws sso login` left, turned into a role's keys.

mod token;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode};
use tokio::sync::Mutex;
use wharf_proto::{Credentials, Endpoint, Error};

use super::service::{self, Patience, Services};
use super::{CredentialsFuture, ProvideCredentials, none};
use crate::settings::{Found, Origin};
pub(crate) use token::TokenCache;

const WHAT: &str = "the SSO portal";

/// What a profile says of SSO, its session's section included.
#[derive(Debug, Clone)]
pub(crate) struct Sso {
    pub(crate) profile: String,
    pub(crate) account_id: String,
    pub(crate) role_name: String,
    pub(crate) origin: Origin,
    /// The `sso-session`; a profile of the older kind has none, and its tokens cannot be renewed.
    pub(crate) session: Option<String>,
    pub(crate) portal: Found<Endpoint>,
    pub(crate) oidc: Found<Endpoint>,
    pub(crate) cache: TokenCache,
}

impl Sso {
    fn needs_login(&self, problem: &str) -> Error {
        let profile = &self.profile;
        none(format!("the SSO token of profile {profile:?} {problem}; run: aws sso login --profile {profile}"))
    }
}

pub(crate) struct SsoProvider {
    sso: Sso,
    services: Services,
    /// Held by whoever renews the token.
    turn: Arc<Mutex<()>>,
}

impl SsoProvider {
    pub(super) fn new(sso: Sso, services: Services) -> Self {
        Self { sso, services, turn: Arc::default() }
    }
}

impl ProvideCredentials for SsoProvider {
    fn credentials(&self) -> CredentialsFuture<'_> {
        Box::pin(async move {
            let token = token::get(&self.sso, &self.services, &self.turn).await?;
            let mut token =
                HeaderValue::from_str(&token).map_err(|_| self.sso.needs_login("has characters that no token has"))?;
            token.set_sensitive(true);
            let query = [("account_id", &*self.sso.account_id), ("role_name", &*self.sso.role_name)];
            let uri = service::uri(&self.sso.portal.value, Some("federation/credentials"), &query)?;
            let make = || {
                let request = Request::get(&uri).header("x-amz-sso_bearer_token", &token);
                request.body(Bytes::new()).map_err(service::unusable)
            };
            let answer = self.services.ask(WHAT, &self.services.transport, Patience::USUAL, make).await?;
            match answer.status() {
                StatusCode::UNAUTHORIZED => Err(self.sso.needs_login("is not accepted any more")),
                status if !status.is_success() => {
                    let refusal = service::refusal(WHAT, &answer);
                    let Sso { role_name, account_id, .. } = &self.sso;
                    let told = format!("{} (role {role_name} in account {account_id})", refusal.message());
                    Err(refusal.with_message(told))
                }
                _ => service::json::<Answer>(WHAT, answer.body())?.role_credentials.credentials(),
            }
        })
    }
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    role_credentials: RoleCredentials,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct RoleCredentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    /// Milliseconds since 1970.
    expiration: u64,
}

impl RoleCredentials {
    fn credentials(self) -> Result<Credentials, Error> {
        let end = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(self.expiration));
        let end = end.ok_or_else(|| none(format!("{WHAT} gave an expiration that is no time")))?;
        let credentials = Credentials::new(self.access_key_id, self.secret_access_key);
        Ok(credentials.with_session_token(self.session_token).with_expiry(end))
    }
}
