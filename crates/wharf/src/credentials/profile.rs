//! What a profile says of credentials: the chain of roles and sources that it leads to.

use std::path::PathBuf;

use wharf_proto::{Credentials, Error};

use super::assume_role::Role;
use super::container::Container;
use super::endpoints::{Sts, StsOptions, sso_oidc, sso_portal};
use super::file_keys::FileKeys;
use super::imds::Imds;
use super::plan::{Plan, environment};
use super::process::Process;
use super::sso::{Sso, TokenCache};
use super::{check, none};
use crate::config::Environment;
use crate::profiles::Profile;
use crate::settings::{Origin, Places};

/// Why what `aws login` wrote is not read: its tokens are bound to a key that aws-cli keeps.
fn login(name: &str, origin: &Origin) -> Error {
    let problem = format!("{origin}: profile {name:?} is one of `aws login` (login_session), which is not read here");
    let command = format!("aws configure export-credentials --profile {name} --format process");
    none(problem).with_hint(format!("have aws-cli give the keys, in another profile: credential_process = {command}"))
}

/// The plan of a profile; `None` where it says nothing of credentials.
pub(super) fn plan(profile: &Profile<'_>, places: &Places<'_>, sts: &StsOptions) -> Result<Option<Plan>, Error> {
    Chain { places, sts, visited: Vec::new() }.follow(profile)
}

struct Chain<'a> {
    places: &'a Places<'a>,
    sts: &'a StsOptions,
    /// The profiles that led here.
    visited: Vec<String>,
}

impl Chain<'_> {
    fn follow(&mut self, profile: &Profile<'_>) -> Result<Option<Plan>, Error> {
        let is_source = !self.visited.is_empty();
        self.visited.push(profile.name().to_owned());
        // A profile that another names as its source is asked for its keys first.
        if is_source && let Some(keys) = keys(profile, self.places.environment)? {
            return Ok(Some(keys));
        }
        if let Some(plan) = self.role(profile)? {
            return Ok(Some(plan));
        }
        if let Some(sso) = self.sso(profile)? {
            return Ok(Some(sso));
        }
        if let Some(keys) = keys(profile, self.places.environment)? {
            return Ok(Some(keys));
        }
        if let Some((command, origin)) = profile.find("credential_process") {
            return Process::parse(command, origin).map(Plan::Process).map(Some);
        }
        // Passed over, whatever comes next would be somebody else's identity.
        profile.find("login_session").map_or(Ok(None), |(_, origin)| Err(login(profile.name(), &origin)))
    }

    fn role(&mut self, profile: &Profile<'_>) -> Result<Option<Plan>, Error> {
        let Some((arn, origin)) = profile.find("role_arn") else { return Ok(None) };
        let name = profile.name();
        let duration_seconds =
            profile.find("duration_seconds").map(|(text, origin)| duration(text, &origin)).transpose()?;
        let role = Role {
            arn: arn.to_owned(),
            session_name: profile.get("role_session_name").map(str::to_owned),
            external_id: profile.get("external_id").map(str::to_owned),
            duration_seconds,
        };
        if let Some((_, origin)) = profile.find("mfa_serial") {
            let problem = format!(
                "{origin}: profile {name:?} assumes its role with an MFA code (mfa_serial), which is not asked for \
                 here; run: eval \"$(aws configure export-credentials --profile {name} --format env)\""
            );
            return Err(none(problem).with_hint("or name a profile whose role needs no MFA"));
        }
        let sts = Sts::find(self.sts)?;
        let source = match (profile.find("source_profile"), profile.find("credential_source")) {
            (Some(_), Some((_, origin))) => {
                return Err(Error::invalid_input(format!(
                    "{origin}: profile {name:?} has source_profile and credential_source; keep one"
                )));
            }
            (Some((source, at)), None) => self.source_profile(profile, source, &at)?,
            (None, Some((source, origin))) => self.credential_source(source, &origin)?,
            (None, None) => match profile.get("web_identity_token_file") {
                Some(file) => {
                    let token_file = file.into();
                    return Ok(Some(Plan::WebIdentity { role, token_file, sts, origin }));
                }
                None => {
                    return Err(none(format!(
                        "{origin}: profile {name:?} has role_arn and nothing to assume it with; add source_profile, \
                         credential_source or web_identity_token_file"
                    )));
                }
            },
        };
        Ok(Some(Plan::AssumeRole { role, source: Box::new(source), sts, origin }))
    }

    fn source_profile(&mut self, profile: &Profile<'_>, source: &str, origin: &Origin) -> Result<Plan, Error> {
        let nothing = || none(format!("{origin}: source_profile {source:?} has no credentials"));
        if source == profile.name() {
            // Its own keys, not its role again.
            if let Some(keys) = keys(profile, self.places.environment)? {
                return Ok(keys);
            }
            let command = profile.find("credential_process");
            let (command, at) = command.ok_or_else(nothing)?;
            return Process::parse(command, at).map(Plan::Process);
        }
        if self.visited.iter().any(|name| name == source) {
            let way = self.visited.join(" -> ");
            return Err(none(format!("{origin}: source_profile goes in a circle: {way} -> {source}")));
        }
        let found = profile
            .files()
            .profile(source)
            .map_err(|error| Error::invalid_input(format!("{origin}: source_profile: {}", error.message())))?;
        self.follow(&found)?.ok_or_else(nothing)
    }

    fn credential_source(&self, source: &str, origin: &Origin) -> Result<Plan, Error> {
        match source {
            "Environment" => environment(self.places)?.ok_or_else(|| {
                none(format!("{origin}: credential_source is Environment, and AWS_ACCESS_KEY_ID is not set"))
            }),
            "EcsContainer" => match Container::of(self.places.environment)? {
                Some(container) => Ok(Plan::Container(container)),
                None => Err(none(format!(
                    "{origin}: credential_source is EcsContainer, and neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI \
                     nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set"
                ))),
            },
            "Ec2InstanceMetadata" => match Imds::find(self.places)? {
                Some(imds) => Ok(Plan::Imds(imds)),
                None => Err(none(format!(
                    "{origin}: credential_source is Ec2InstanceMetadata, which is switched off \
                     (AWS_EC2_METADATA_DISABLED)"
                ))),
            },
            other => Err(Error::invalid_input(format!(
                "{origin}: credential_source is {other:?}; it must be Environment, Ec2InstanceMetadata or EcsContainer"
            ))),
        }
    }

    fn sso(&self, profile: &Profile<'_>) -> Result<Option<Plan>, Error> {
        let session = profile.find("sso_session");
        let start_url = profile.find("sso_start_url");
        let Some((_, origin)) = session.as_ref().or(start_url.as_ref()).cloned() else { return Ok(None) };
        let name = profile.name();
        let lacks = |property: &str, place: &Origin| none(format!("{place}: SSO of profile {name:?} needs {property}"));
        let of_profile = |property: &str| {
            profile.find(property).map(|(value, _)| value.to_owned()).ok_or_else(|| lacks(property, &origin))
        };
        let (session, start_url, region) = match session {
            None => (None, of_profile("sso_start_url")?, of_profile("sso_region")?),
            Some((session, origin)) => {
                let section = profile.files().sso_session(session).ok_or_else(|| {
                    Error::invalid_input(format!(
                        "{origin}: there is no [sso-session {session}]; add it, or run: aws configure sso"
                    ))
                })?;
                let of_session = |property: &str| -> Result<String, Error> {
                    let (value, _) = section.find(property).ok_or_else(|| lacks(property, &section.origin()))?;
                    match profile.find(property) {
                        Some((other, place)) if other != value => Err(Error::invalid_input(format!(
                            "{place}: {property} is another than that of [sso-session {session}]; keep one"
                        ))),
                        _ => Ok(value.to_owned()),
                    }
                };
                (Some(session.to_owned()), of_session("sso_start_url")?, of_session("sso_region")?)
            }
        };
        let portal = self.places.own_endpoint("AWS_ENDPOINT_URL_SSO", "sso")?;
        let oidc = self.places.own_endpoint("AWS_ENDPOINT_URL_SSO_OIDC", "sso_oidc")?;
        Ok(Some(Plan::Sso(Sso {
            profile: name.to_owned(),
            account_id: of_profile("sso_account_id")?,
            role_name: of_profile("sso_role_name")?,
            portal: sso_portal(portal.as_ref(), &region)?,
            oidc: sso_oidc(oidc.as_ref(), &region)?,
            cache: TokenCache::of(profile.files().home(), session.as_deref().unwrap_or(&start_url)),
            session,
            origin,
        })))
    }
}

/// The keys that a profile holds itself.
pub(super) fn keys(profile: &Profile<'_>, environment: &Environment) -> Result<Option<Plan>, Error> {
    let Some((id, origin)) = profile.find("aws_access_key_id") else { return Ok(None) };
    let secret = profile.get("aws_secret_access_key").ok_or_else(|| {
        none(format!("{origin}: profile {:?} has aws_access_key_id and no aws_secret_access_key", profile.name()))
    })?;
    let token = profile.get("aws_session_token").unwrap_or_default();
    let file = FileKeys {
        profile: profile.name().to_owned(),
        credentials_file: profile.files().credentials_file().map(PathBuf::from),
        environment: environment.clone(),
    };
    let credentials = Credentials::new(id, secret).with_session_token(token);
    check(&credentials).map_err(|error| origin.blame(error))?;
    Ok(Some(Plan::Keys { credentials, origin, file: Some(file) }))
}

fn duration(text: &str, origin: &Origin) -> Result<u32, Error> {
    text.parse().ok().filter(|seconds| (900..=43_200).contains(seconds)).ok_or_else(|| {
        Error::invalid_input(format!(
            "{origin}: duration_seconds is {text:?}; it must be a number from 900 (15 minutes) to 43200 (12 hours)"
        ))
    })
}
