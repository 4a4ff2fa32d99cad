//! The file in which a sign-in's token is kept, and how it is renewed.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, header};
use serde_json::{Map, Value};
use sha1::{Digest, Sha1};
use tokio::sync::Mutex;
use tracing::Instrument;
use wharf_proto::time::{format_iso8601, parse_iso8601};
use wharf_proto::{Endpoint, Error, ErrorKind};

use super::super::none;
use super::super::service::{self, Patience, Services, read_file};
use super::Sso;
use crate::clock::Clock;

/// A token that ends within this time is renewed where that is possible.
const RENEW_EARLY: Duration = Duration::from_secs(5 * 60);

/// As long as another process may take to write what it got.
const UNTIL_WRITTEN: Duration = Duration::from_millis(500);

/// Where the token of a session, or of a start URL, is kept.
#[derive(Debug, Clone)]
pub(crate) struct TokenCache(PathBuf);

impl TokenCache {
    /// `name` is the session's name, or the start URL where there is no session.
    pub(crate) fn of(home: &Path, name: &str) -> Self {
        let hash: String = Sha1::digest(name).iter().map(|byte| format!("{byte:02x}")).collect();
        Self(home.join(".aws").join("sso").join("cache").join(format!("{hash}.json")))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

/// The fields that are used. All others are kept when the file is written.
struct Token(Map<String, Value>);

impl Token {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    fn time(&self, name: &str) -> Option<SystemTime> {
        let text = self.text(name)?;
        // Old ones end in the name of the zone.
        match text.strip_suffix("UTC") {
            Some(bare) => parse_iso8601(&format!("{bare}Z")),
            None => parse_iso8601(text),
        }
    }
}

/// The access token, renewed where it must be and can be.
pub(super) async fn get(sso: &Sso, services: &Services, turn: &Arc<Mutex<()>>) -> Result<String, Error> {
    let (_, access, end) = read(sso).await?;
    if services.clock.now() + RENEW_EARLY < end {
        return Ok(access);
    }
    // Goes on also where the caller goes away: once the refresh token was sent, it is the new one that counts, and
    // whoever comes next must not send the old one beside it.
    let (sso, services, turn) = (sso.clone(), services.clone(), turn.clone());
    let renewal = async move {
        let _turn = turn.lock().await;
        renewed(&sso, &services).await
    };
    tokio::spawn(renewal.in_current_span())
        .await
        .unwrap_or_else(|_| Err(none("the SSO token was not renewed: the runtime has ended")))
}

/// The token of the file, its access token, and when that ends.
async fn read(sso: &Sso) -> Result<(Token, String, SystemTime), Error> {
    let path = &sso.cache.0;
    let text = read_file("the SSO token file", path).await.map_err(|error| {
        match error.cause().and_then(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind) {
            Some(io::ErrorKind::NotFound) => sso.needs_login(&format!("is not there ({})", path.display())),
            _ => error,
        }
    })?;
    let unusable = || sso.needs_login(&format!("cannot be read ({})", path.display()));
    let token = Token(serde_json::from_str(&text).map_err(|_| unusable())?);
    let (access, end) = token.text("accessToken").zip(token.time("expiresAt")).ok_or_else(unusable)?;
    let access = access.to_owned();
    Ok((token, access, end))
}

/// What [`get`] does in its turn.
async fn renewed(sso: &Sso, services: &Services) -> Result<String, Error> {
    // Whoever had the turn before may have left a new one.
    let (token, access, end) = read(sso).await?;
    let now = services.clock.now();
    if now + RENEW_EARLY < end {
        return Ok(access);
    }
    let the_old_one = || if now < end { Ok(access) } else { Err(sso.needs_login("has expired")) };
    let Some(body) = refresh(sso, &token, now) else { return the_old_one() };
    let error = match ask(&sso.oidc.value, services, body).await {
        Ok(answer) => return take(sso, token, answer, now).await.map_or_else(the_old_one, Ok),
        Err(error) => error,
    };
    tracing::debug!(%error, "the SSO token was not renewed");
    if now >= end {
        if let Some(access) = renewed_elsewhere(sso, services).await {
            return Ok(access);
        }
        // Nobody needs to sign in for a service that is away; and what a lost answer had in it is lost either way.
        if [ErrorKind::Transport, ErrorKind::Timeout, ErrorKind::Server, ErrorKind::SlowDown].contains(&error.kind()) {
            return Err(error);
        }
    }
    the_old_one()
}

/// The token that another process has left meanwhile: it may have been quicker, and a refresh token works once.
async fn renewed_elsewhere(sso: &Sso, services: &Services) -> Option<String> {
    for wait in [Duration::ZERO, UNTIL_WRITTEN] {
        tokio::time::sleep(wait).await;
        if let Ok((_, access, end)) = read(sso).await
            && services.clock.now() < end
        {
            return Some(access);
        }
    }
    None
}

/// What is asked of the service for a new token, where the sign-in allows it.
fn refresh(sso: &Sso, token: &Token, now: SystemTime) -> Option<Bytes> {
    sso.session.as_ref()?;
    let registered = token.time("registrationExpiresAt").is_none_or(|end| now < end);
    let (id, secret) = token.text("clientId").zip(token.text("clientSecret")).filter(|_| registered)?;
    let body = serde_json::json!({
        "clientId": id,
        "clientSecret": secret,
        "grantType": "refresh_token",
        "refreshToken": token.text("refreshToken")?,
    });
    Some(Bytes::from(body.to_string()))
}

/// The new access token, which is kept in the old one's place.
async fn take(sso: &Sso, token: Token, answer: Answer, now: SystemTime) -> Option<String> {
    let access = answer.access_token.clone();
    let mut fields = token.0;
    let end = now.checked_add(Duration::from_secs(answer.expires_in))?;
    fields.insert("accessToken".to_owned(), answer.access_token.into());
    fields.insert("expiresAt".to_owned(), format_iso8601(end).ok()?.into());
    if let Some(refresh) = answer.refresh_token {
        fields.insert("refreshToken".to_owned(), refresh.into());
    }
    keep(sso.cache.0.clone(), Value::Object(fields)).await;
    Some(access)
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    access_token: String,
    expires_in: u64,
    refresh_token: Option<String>,
}

async fn ask(oidc: &Endpoint, services: &Services, body: Bytes) -> Result<Answer, Error> {
    const WHAT: &str = "the SSO token service";
    let uri = service::uri(oidc, Some("token"), &[])?;
    let make = || {
        let request = Request::post(&uri).header(header::CONTENT_TYPE, "application/json");
        request.body(body.clone()).map_err(service::unusable)
    };
    // A refresh token works once, and may have been used up by an answer that was lost: nobody but who waits for keys sends it again.
    let patience = Patience { attempts: 1, ..Patience::USUAL };
    let answer = services.ask(WHAT, &services.transport, patience, make).await?;
    match answer.status().is_success() {
        true => service::json(WHAT, answer.body()),
        false => Err(service::refusal(WHAT, &answer)),
    }
}

/// Leaves the new token to other programs, for the old one is of no more use. Where that fails, they sign in again.
async fn keep(path: PathBuf, fields: Value) {
    let kept = tokio::task::spawn_blocking(move || replace(&path, fields.to_string().as_bytes())).await;
    if let Ok(Err(error)) = kept {
        tracing::debug!(%error, "the renewed SSO token was not written");
    }
}

/// Writes beside the file and renames, so that nobody reads half of it. Only its owner may read it.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let beside = path.with_extension(format!("{}.{:08x}.tmp", std::process::id(), fastrand::u32(..)));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written =
        options.open(&beside).and_then(|mut file| file.write_all(text)).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files() {
        let cache = |name| TokenCache::of(Path::new("/home/ada"), name).0.display().to_string();
        assert_eq!(cache("admin"), "/home/ada/.aws/sso/cache/d033e22ae348aeb5660fc2140aec35850c4da997.json");
    }

    #[test]
    fn times_of_both_kinds() {
        let token = |time: &str| Token(Map::from_iter([("expiresAt".to_owned(), time.into())])).time("expiresAt");
        assert_eq!(token("1970-01-01T00:01:00Z"), Some(SystemTime::UNIX_EPOCH + Duration::from_secs(60)));
        assert_eq!(token("1970-01-01T00:01:00UTC"), token("1970-01-01T00:01:00Z"));
        assert_eq!(token("later"), None);
    }
}
