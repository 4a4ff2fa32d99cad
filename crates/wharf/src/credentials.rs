//! Where credentials come from.

use std::future::Future;
use std::pin::Pin;

use wharf_proto::{Credentials, Error};

use crate::config::Environment;
use crate::profiles::Profile;

/// Gives the credentials that a request is signed with. Asked before every attempt, so it should keep what it has.
pub trait ProvideCredentials: Send + Sync + 'static {
    /// The credentials to use now.
    fn credentials(&self) -> Pin<Box<dyn Future<Output = Result<Credentials, Error>> + Send + '_>>;
}

/// Credentials that never change.
impl ProvideCredentials for Credentials {
    fn credentials(&self) -> Pin<Box<dyn Future<Output = Result<Credentials, Error>> + Send + '_>> {
        Box::pin(std::future::ready(Ok(self.clone())))
    }
}

/// The keys of `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, where the first is set.
pub(crate) fn from_environment(environment: &Environment) -> Result<Option<Credentials>, Error> {
    let Some(id) = environment.get("AWS_ACCESS_KEY_ID") else { return Ok(None) };
    let secret = environment
        .get("AWS_SECRET_ACCESS_KEY")
        .ok_or_else(|| incomplete("AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not; set both or neither"))?;
    Ok(Some(with_token(Credentials::new(id, secret), environment.get("AWS_SESSION_TOKEN"))))
}

/// The keys of a profile, where it has any.
pub(crate) fn from_profile(profile: &Profile) -> Result<Option<Credentials>, Error> {
    let Some(id) = profile.get("aws_access_key_id") else { return Ok(None) };
    let secret = profile.get("aws_secret_access_key").ok_or_else(|| {
        incomplete(&format!("profile {:?} has aws_access_key_id and no aws_secret_access_key", profile.name()))
    })?;
    Ok(Some(with_token(Credentials::new(id, secret), profile.get("aws_session_token").map(str::to_owned))))
}

fn with_token(credentials: Credentials, token: Option<String>) -> Credentials {
    match token {
        Some(token) => credentials.with_session_token(token),
        None => credentials,
    }
}

fn incomplete(problem: &str) -> Error {
    Error::new(wharf_proto::ErrorKind::NoCredentials, problem)
}
