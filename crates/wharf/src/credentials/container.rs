//! The agents of containers: ECS, and EKS Pod Identity.

use std::net::IpAddr;
use std::path::PathBuf;

use bytes::Bytes;
use http::{HeaderValue, Request, Uri, header};
use wharf_proto::Error;

use super::service::{self, Keys, Patience, Services, read_file};
use super::{CredentialsFuture, ProvideCredentials, none};
use crate::config::Environment;
use crate::explain::Setting;
use crate::settings::Origin;

const ECS: &str = "http://169.254.170.2";

const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

/// Where the agent is, and what it wants to see.
#[derive(Debug, Clone)]
pub(crate) struct Container {
    pub(crate) uri: Uri,
    pub(crate) origin: Origin,
    token: Option<Token>,
}

#[derive(Clone)]
enum Token {
    Text(String),
    File(PathBuf),
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(<redacted>)"),
            Self::File(path) => write!(f, "File({path:?})"),
        }
    }
}

impl Container {
    /// What it is shown, for people.
    pub(super) fn tell(&self) -> Option<Setting> {
        const NAME: &str = "authorization token";
        Some(match self.token.as_ref()? {
            Token::Text(_) => Setting::new(NAME, "(hidden)".to_owned(), Origin::Variable(TOKEN)),
            Token::File(path) => Setting::new(NAME, format!("in {}", path.display()), Origin::Variable(TOKEN_FILE)),
        })
    }

    /// What the variables of a container say; `None` outside of one.
    pub(crate) fn of(environment: &Environment) -> Result<Option<Self>, Error> {
        let (relative, full) = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI");
        let (uri, variable) = if let Some(path) = environment.get(relative) {
            if !path.starts_with('/') {
                return Err(Error::invalid_input(format!("{relative} must begin with /")));
            }
            (format!("{ECS}{path}"), relative)
        } else if let Some(uri) = environment.get(full) {
            (uri, full)
        } else {
            return Ok(None);
        };
        let uri: Uri = uri.parse().map_err(|_| Error::invalid_input(format!("{variable} is no URL")))?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            let problem = format!("{variable} has a user or password in it; the token belongs into");
            return Err(Error::invalid_input(format!("{problem} {TOKEN}")));
        }
        if !may_have_a_token(&uri) {
            return Err(Error::invalid_input(format!(
                "{variable} leads to {:?}, which may not be asked: it must be https, or http to this machine, \
                 169.254.170.2, 169.254.170.23 or [fd00:ec2::23]",
                uri.host().unwrap_or_default()
            )));
        }
        let file = environment.get(TOKEN_FILE).map(|path| Token::File(path.into()));
        let token = file.or_else(|| environment.get(TOKEN).map(Token::Text));
        Ok(Some(Self { uri, origin: Origin::Variable(variable), token }))
    }
}

/// Over plain http only the agents themselves are asked, for the token must not travel the network.
fn may_have_a_token(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    match uri.scheme_str() {
        Some("https") => !host.is_empty(),
        Some("http") if host.eq_ignore_ascii_case("localhost") => true,
        Some("http") => match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => {
                address.is_loopback() || matches!(address.octets(), [169, 254, 170, 2] | [169, 254, 170, 23])
            }
            Ok(IpAddr::V6(address)) => {
                address.is_loopback() || address.segments() == [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x23]
            }
            Err(_) => false,
        },
        _ => false,
    }
}

pub(crate) struct ContainerProvider {
    pub(super) container: Container,
    pub(super) services: Services,
}

impl ContainerProvider {
    async fn token(&self) -> Result<Option<HeaderValue>, Error> {
        let token = match &self.container.token {
            None => return Ok(None),
            Some(Token::Text(token)) => token.clone(),
            // Replaced before it expires, so it is read each time.
            Some(Token::File(path)) => read_file(TOKEN_FILE, path).await?,
        };
        let mut value = HeaderValue::from_str(token.trim_end_matches(['\r', '\n']))
            .map_err(|_| none("the container's authorization token has a line break or other control character"))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

impl ProvideCredentials for ContainerProvider {
    fn credentials(&self) -> CredentialsFuture<'_> {
        const WHAT: &str = "the container's credentials service";
        Box::pin(async move {
            let token = self.token().await?;
            let make = || {
                let mut request = Request::get(&self.container.uri);
                if let Some(token) = &token {
                    request = request.header(header::AUTHORIZATION, token);
                }
                request.header(header::ACCEPT, "application/json").body(Bytes::new()).map_err(service::unusable)
            };
            let answer = self.services.ask(WHAT, &self.services.direct, Patience::USUAL, make).await?;
            if !answer.status().is_success() {
                return Err(service::refusal(WHAT, &answer));
            }
            service::json::<Keys>(WHAT, answer.body())?.credentials(WHAT)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(variables: &'static [(&str, &str)]) -> Result<Option<Container>, Error> {
        Container::of(&Environment::of(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        }))
    }

    #[test]
    fn hosts_that_may_be_asked() {
        for uri in [
            "https://agent.example.com/x",
            "http://localhost:1/x",
            "http://127.0.0.9/x",
            "http://[::1]:8080/x",
            "http://169.254.170.2/x",
            "http://169.254.170.23/v1/credentials",
            "http://[fd00:ec2::23]/v1/credentials",
        ] {
            assert!(may_have_a_token(&uri.parse().unwrap()), "{uri}");
        }
        for uri in [
            "http://agent.example.com/x",
            "http://169.254.169.254/x",
            "http://169.254.170.3/x",
            "http://[fd00:ec2::24]/x",
            "http://localhost.evil.example/x",
            "http://127.0.0.1.evil.example/x",
            "/x",
        ] {
            assert!(!may_have_a_token(&uri.parse().unwrap()), "{uri}");
        }
    }

    #[test]
    fn the_relative_path_goes_first_and_stays_on_its_host() {
        let both = container(&[
            ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/x"),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "https://elsewhere/"),
        ]);
        assert_eq!(both.unwrap().unwrap().uri, "http://169.254.170.2/v2/credentials/x");
        assert!(container(&[]).unwrap().is_none());
        let sly = container(&[("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@evil.example/s3cr3t")]).unwrap_err();
        assert_eq!(sly.to_string(), "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI must begin with /");
        let far = container(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://evil.example/x")]).unwrap_err();
        assert!(
            far.to_string().starts_with("AWS_CONTAINER_CREDENTIALS_FULL_URI leads to \"evil.example\", which may not")
        );
    }

    #[test]
    fn what_a_url_holds_is_not_shown() {
        let user = container(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "https://me:s3cr3t@agent.example.com/x")]);
        assert_eq!(
            user.unwrap_err().to_string(),
            "AWS_CONTAINER_CREDENTIALS_FULL_URI has a user or password in it; the token belongs into \
             AWS_CONTAINER_AUTHORIZATION_TOKEN"
        );
        let broken = container(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "https://me:s3cr3t@agent example/x")]);
        assert_eq!(broken.unwrap_err().to_string(), "AWS_CONTAINER_CREDENTIALS_FULL_URI is no URL");
        let query = container(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "https://agent.example.com:8/s3cr3t?s3cr3t")]);
        let plan = super::super::Plan::Container(query.unwrap().unwrap());
        assert_eq!(plan.to_string(), "the container's service at https://agent.example.com:8");
    }

    #[test]
    fn a_token_is_not_shown() {
        let found = container(&[
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost/x"),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "s3cr3t"),
        ]);
        assert!(!format!("{found:?}").contains("s3cr3t"));
    }
}
