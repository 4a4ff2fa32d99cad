//! Keys that stand in a profile. Where S3 calls them expired the files are read again: some programs keep them fresh
//! there.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use wharf_proto::{Credentials, Error};

use super::plan::Plan;
use super::{CredentialsFuture, ProvideCredentials, none, profile};
use crate::config::Environment;
use crate::profiles::Files;

/// Which keys of which files.
#[derive(Clone)]
pub(crate) struct FileKeys {
    pub(super) profile: String,
    pub(super) credentials_file: Option<PathBuf>,
    pub(super) environment: Environment,
}

impl fmt::Debug for FileKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileKeys").field("profile", &self.profile).finish_non_exhaustive()
    }
}

impl FileKeys {
    fn read(&self) -> Result<Credentials, Error> {
        let files = Files::read(Some(&self.profile), self.credentials_file.as_deref(), &self.environment)?;
        match profile::keys(&files.profile(&self.profile)?, &self.environment)? {
            Some(Plan::Keys { credentials, .. }) => Ok(credentials),
            _ => Err(none(format!("profile {:?} has no access key any more", self.profile))),
        }
    }
}

pub(crate) struct FileKeysProvider {
    place: FileKeys,
    /// None once they were refused.
    kept: Mutex<Option<Credentials>>,
}

impl FileKeysProvider {
    pub(super) fn new(place: FileKeys, credentials: Credentials) -> Self {
        Self { place, kept: Mutex::new(Some(credentials)) }
    }
}

impl ProvideCredentials for FileKeysProvider {
    fn credentials(&self) -> CredentialsFuture<'_> {
        Box::pin(async move {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(credentials) = kept {
                return Ok(credentials);
            }
            let place = self.place.clone();
            let read = tokio::task::spawn_blocking(move || place.read()).await;
            let credentials = read.unwrap_or_else(|error| Err(none(format!("the files were not read: {error}"))))?;
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(credentials.clone());
            Ok(credentials)
        })
    }

    fn refused(&self, _: &Credentials) -> bool {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
        true
    }
}
