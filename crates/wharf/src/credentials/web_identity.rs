//! A role, assumed with the token of an identity provider: EKS, and whoever else writes one into a file.

use std::path::PathBuf;

use super::assume_role::{Proof, Role, ask};
use super::endpoints::Sts;
use super::service::{Services, read_file};
use super::{CredentialsFuture, ProvideCredentials, none};

pub(crate) struct WebIdentityProvider {
    pub(super) role: Role,
    pub(super) token_file: PathBuf,
    pub(super) sts: Sts,
    pub(super) services: Services,
}

impl ProvideCredentials for WebIdentityProvider {
    fn credentials(&self) -> CredentialsFuture<'_> {
        Box::pin(async move {
            // Whoever writes the file replaces it before its token expires, so it is read each time.
            let token = read_file("the web identity token file", &self.token_file).await?;
            let token = token.trim();
            if token.is_empty() {
                return Err(none(format!("the web identity token file {} is empty", self.token_file.display())));
            }
            ask(&self.services, &self.sts, &self.role, Proof::Token(token)).await
        })
    }
}
