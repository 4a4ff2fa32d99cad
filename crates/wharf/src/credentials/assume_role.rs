//! A role, assumed with other credentials by STS.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::{Method, Request, header};
use wharf_proto::correct::sts_clock;
use wharf_proto::sigv4::{Payload, Scope, Signer, SigningKeyCache};
use wharf_proto::sts::AssumeRole;
use wharf_proto::{Credentials, Error};

use super::endpoints::Sts;
use super::service::{self, Patience, Services};
use super::{CredentialsFuture, ProvideCredentials};
use crate::clock::Clock;
use crate::dispatch::unsignable;

/// Which role, and what its owner asks for.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) arn: String,
    /// None for a name made of the time.
    pub(crate) session_name: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) duration_seconds: Option<u32>,
}

impl Role {
    pub(super) fn call(&self, now: SystemTime) -> AssumeRole {
        let session_name = self.session_name.clone().unwrap_or_else(|| {
            let millis = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
            format!("wharf-{millis}")
        });
        let mut call = AssumeRole::new(&*self.arn, session_name);
        if let Some(id) = &self.external_id {
            call = call.external_id(&**id);
        }
        if let Some(seconds) = self.duration_seconds {
            call = call.duration_seconds(seconds);
        }
        call
    }
}

pub(crate) struct AssumeRoleProvider {
    pub(super) role: Role,
    pub(super) source: Arc<dyn ProvideCredentials>,
    pub(super) sts: Sts,
    pub(super) services: Services,
}

impl AssumeRoleProvider {
    async fn ask(&self, source: &Credentials) -> Result<Credentials, Error> {
        ask(&self.services, &self.sts, &self.role, Proof::Signature(source)).await
    }
}

/// Whether STS does not take the keys that it was asked with any more.
fn have_ended(error: &Error) -> bool {
    let refusal = error.cause().and_then(|cause| cause.downcast_ref::<Error>());
    let code = refusal.and_then(Error::code);
    matches!(code, Some("ExpiredToken" | "ExpiredTokenException" | "InvalidClientTokenId"))
}

impl ProvideCredentials for AssumeRoleProvider {
    fn credentials(&self) -> CredentialsFuture<'_> {
        Box::pin(async move {
            let source = self.source.credentials().await?;
            match self.ask(&source).await {
                // S3 never sees the source's keys: nobody else would have them forgotten.
                Err(error) if have_ended(&error) && self.source.refused(&source) => {
                    self.ask(&self.source.credentials().await?).await
                }
                answered => answered,
            }
        })
    }

    fn refused(&self, credentials: &Credentials) -> bool {
        self.source.refused(credentials)
    }
}

/// How STS is shown who asks.
#[derive(Clone, Copy)]
pub(super) enum Proof<'a> {
    Signature(&'a Credentials),
    Token(&'a str),
}

pub(super) async fn ask(services: &Services, sts: &Sts, role: &Role, proof: Proof<'_>) -> Result<Credentials, Error> {
    let call = match proof {
        Proof::Signature(_) => role.call(services.clock.now()),
        Proof::Token(token) => role.call(services.clock.now()).web_identity_token(token),
    };
    let body = Bytes::from(call.form());
    let keys = SigningKeyCache::new();
    let make = || {
        let request = Request::builder()
            .method(Method::POST)
            .uri(service::uri(&sts.endpoint, None, &[])?)
            .header(header::CONTENT_TYPE, AssumeRole::CONTENT_TYPE)
            .body(body.clone())
            .map_err(service::unusable)?;
        let Proof::Signature(source) = proof else { return Ok(request) };
        let (mut head, body) = request.into_parts();
        let signer = Signer::new(source, Scope::other("sts", &sts.region), services.clock.now(), &keys);
        signer.sign(&mut head, Payload::sha256(&body)).map_err(unsignable)?;
        Ok(Request::from_parts(head, body))
    };
    let ask = async || services.ask("STS", &services.transport, Patience::USUAL, make).await;
    let mut answer = ask().await?;
    if matches!(proof, Proof::Signature(_))
        && let Some(theirs) = sts_clock(services.clock.now(), answer.status(), answer.headers(), answer.body())
        && services.clock.set(theirs)
    {
        answer = ask().await?;
    }
    call.response(answer.status(), answer.headers(), answer.body()).map_err(|error| {
        let code = error.code().map(|code| format!(" ({code})")).unwrap_or_default();
        let told = format!("the role {} was not assumed: {}{code}", role.arn, error.message());
        Error::new(service::kind(&error), told).with_cause(error)
    })
}
