//! Where credentials come from.
//!
//! [`plan`] decides by environment and files alone which source it is; the sources are a file each, and [`cache`] keeps
//! what they give.

mod assume_role;
mod cache;
mod container;
mod endpoints;
mod file_keys;
mod imds;
mod plan;
mod process;
mod profile;
mod service;
mod sso;
mod web_identity;

use std::future::Future;
use std::pin::Pin;

use wharf_proto::{Credentials, Error, ErrorKind};

pub use cache::CachedCredentials;
pub(crate) use endpoints::StsOptions;
pub(crate) use plan::{Plan, plan};
pub(crate) use service::Services;

/// What [`ProvideCredentials::credentials`] gives back.
pub type CredentialsFuture<'a> = Pin<Box<dyn Future<Output = Result<Credentials, Error>> + Send + 'a>>;

/// Gives the credentials that a request is signed with. Asked before every attempt, so it should keep what it has:
/// [`CachedCredentials`] does that for one that does not.
pub trait ProvideCredentials: Send + Sync + 'static {
    /// The credentials to use now.
    fn credentials(&self) -> CredentialsFuture<'_>;

    /// The server refused these as expired. Whoever kept them forgets them, and says whether asking again can bring
    /// others: then the request is sent once more.
    fn refused(&self, credentials: &Credentials) -> bool {
        let _ = credentials;
        false
    }
}

/// Credentials that never change.
impl ProvideCredentials for Credentials {
    fn credentials(&self) -> CredentialsFuture<'_> {
        Box::pin(std::future::ready(Ok(self.clone())))
    }
}

impl<P: ProvideCredentials + ?Sized> ProvideCredentials for std::sync::Arc<P> {
    fn credentials(&self) -> CredentialsFuture<'_> {
        (**self).credentials()
    }

    fn refused(&self, credentials: &Credentials) -> bool {
        (**self).refused(credentials)
    }
}

/// Refuses keys that no request can be signed with. Values are not repeated: id and secret may be the wrong way round.
pub(crate) fn check(credentials: &Credentials) -> Result<(), Error> {
    let (id, secret) = (credentials.access_key_id(), credentials.secret_access_key());
    let problem = if id.is_empty() {
        "the access key id is empty"
    } else if id.contains('/') {
        "the access key id has a '/'; are id and secret the wrong way round?"
    } else if !id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',') {
        "the access key id has a space, a comma, a line break or a letter outside ASCII"
    } else if secret.is_empty() {
        "the secret access key is empty"
    } else if secret.trim() != secret || secret.contains(char::is_control) {
        "the secret access key has a space or a line break at its end, or a control character"
    } else if !credentials.session_token().unwrap_or_default().bytes().all(|byte| byte.is_ascii_graphic()) {
        "the session token has a space, a line break or a letter outside ASCII"
    } else {
        return Ok(());
    };
    Err(Error::invalid_input(problem))
}

/// No credentials came of it, and why.
fn none(problem: impl Into<String>) -> Error {
    Error::new(ErrorKind::NoCredentials, problem)
}
