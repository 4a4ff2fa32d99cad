//! STS on paper: the two calls that turn an identity into temporary keys.
//!
//! STS is not S3: its requests are forms, sent by POST to `/` of its endpoint. AssumeRole is signed for the service
//! `sts`; AssumeRoleWithWebIdentity is not signed, the token in it is what proves who asks.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::sigv4::uri_encode;
use crate::time::parse_iso8601;
use crate::xml::{self, Scanner};
use crate::{Credentials, Error, ErrorKind};

/// `AssumeRole`, or with a token `AssumeRoleWithWebIdentity`.
///
/// ```
/// use wharf_proto::sts::AssumeRole;
///
/// let call = AssumeRole::new("arn:aws:iam::123456789012:role/reader", "wharf").duration_seconds(900);
/// assert!(call.form().starts_with("Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam"));
/// ```
#[derive(Clone)]
#[must_use = "a call does nothing until it is sent"]
pub struct AssumeRole {
    role_arn: String,
    session_name: String,
    external_id: Option<String>,
    duration_seconds: Option<u32>,
    web_identity_token: Option<String>,
}

impl AssumeRole {
    /// What a POST of the form says in `Content-Type`.
    pub const CONTENT_TYPE: &'static str = "application/x-www-form-urlencoded; charset=utf-8";

    /// The role, and the name that its session has in AWS's logs.
    pub fn new(role_arn: impl Into<String>, session_name: impl Into<String>) -> Self {
        Self {
            role_arn: role_arn.into(),
            session_name: session_name.into(),
            external_id: None,
            duration_seconds: None,
            web_identity_token: None,
        }
    }

    /// What the role's owner asks for beside the right identity.
    pub fn external_id(mut self, id: impl Into<String>) -> Self {
        self.external_id = Some(id.into());
        self
    }

    /// How long the keys shall work; STS's default is an hour.
    pub fn duration_seconds(mut self, seconds: u32) -> Self {
        self.duration_seconds = Some(seconds);
        self
    }

    /// The token of an identity provider, in place of a signature.
    pub fn web_identity_token(mut self, token: impl Into<String>) -> Self {
        self.web_identity_token = Some(token.into());
        self
    }

    /// The body to send. It may hold a token: never print it.
    pub fn form(&self) -> String {
        let action = match self.web_identity_token {
            Some(_) => "AssumeRoleWithWebIdentity",
            None => "AssumeRole",
        };
        let mut form = format!("Action={action}&Version=2011-06-15");
        let mut add = |name: &str, value: &str| {
            form.push('&');
            form.push_str(name);
            form.push('=');
            uri_encode::query(value, &mut form);
        };
        add("RoleArn", &self.role_arn);
        add("RoleSessionName", &self.session_name);
        if let Some(seconds) = self.duration_seconds {
            add("DurationSeconds", &seconds.to_string());
        }
        if let Some(id) = &self.external_id {
            add("ExternalId", id);
        }
        if let Some(token) = &self.web_identity_token {
            add("WebIdentityToken", token);
        }
        form
    }

    /// The keys that the answer brings.
    ///
    /// # Errors
    /// What STS refused, or an answer that is not STS's.
    pub fn response(&self, status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Result<Credentials, Error> {
        if !status.is_success() {
            return Err(Error::from_response(status, headers, body));
        }
        let mut scanner = Scanner::any_root(xml::text(body)?)?;
        while let Some(name) = scanner.child()? {
            match name {
                "AssumeRoleResult" | "AssumeRoleWithWebIdentityResult" => {
                    while let Some(name) = scanner.child()? {
                        match name {
                            "Credentials" => return credentials(&mut scanner),
                            _ => scanner.skip()?,
                        }
                    }
                }
                _ => scanner.skip()?,
            }
        }
        Err(malformed("the answer holds no credentials"))
    }
}

fn credentials(scanner: &mut Scanner<'_>) -> Result<Credentials, Error> {
    let (mut id, mut secret, mut token, mut expiry) = (None, None, None, None);
    while let Some(name) = scanner.child()? {
        let field = match name {
            "AccessKeyId" => &mut id,
            "SecretAccessKey" => &mut secret,
            "SessionToken" => &mut token,
            "Expiration" => &mut expiry,
            _ => {
                scanner.skip()?;
                continue;
            }
        };
        *field = Some(scanner.text()?.trim().to_owned()).filter(|text| !text.is_empty());
    }
    let (Some(id), Some(secret)) = (id, secret) else {
        return Err(malformed("the answer's credentials have no key or no secret"));
    };
    let mut credentials = Credentials::new(id, secret).with_session_token(token.unwrap_or_default());
    if let Some(expiry) = expiry {
        let end = parse_iso8601(&expiry).ok_or_else(|| malformed("the answer's Expiration is no time"))?;
        credentials = credentials.with_expiry(end);
    }
    Ok(credentials)
}

fn malformed(problem: &str) -> Error {
    Error::new(ErrorKind::MalformedResponse, problem)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    const ROLE: &str = "arn:aws:iam::123456789012:role/reader";

    fn answer(status: u16, body: &'static str) -> Result<Credentials, Error> {
        let status = StatusCode::from_u16(status).unwrap();
        AssumeRole::new(ROLE, "s").response(status, &HeaderMap::new(), &Bytes::from_static(body.as_bytes()))
    }

    #[test]
    fn forms() {
        assert_eq!(
            AssumeRole::new(ROLE, "me@x").external_id("a b").duration_seconds(900).form(),
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Freader\
             &RoleSessionName=me%40x&DurationSeconds=900&ExternalId=a%20b"
        );
        assert_eq!(
            AssumeRole::new("r", "s").web_identity_token("a.b+c").form(),
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=r&RoleSessionName=s&WebIdentityToken=a.b%2Bc"
        );
    }

    #[test]
    fn keys_of_an_answer() {
        let keys = answer(
            200,
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
             <AssumedRoleUser><Arn>a</Arn></AssumedRoleUser><Credentials><AccessKeyId>ASIA</AccessKeyId>\
             <SecretAccessKey>s/+</SecretAccessKey><SessionToken>t==</SessionToken>\
             <Expiration>1970-01-01T01:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
        )
        .unwrap();
        assert_eq!((keys.access_key_id(), keys.secret_access_key()), ("ASIA", "s/+"));
        assert_eq!(keys.session_token(), Some("t=="));
        assert_eq!(keys.expires_at(), Some(SystemTime::UNIX_EPOCH + Duration::from_secs(3600)));
    }

    #[test]
    fn refusals_and_garbage() {
        let refused = answer(
            403,
            "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>No.</Message></Error>\
             <RequestId>1</RequestId></ErrorResponse>",
        );
        assert_eq!(refused.unwrap_err().to_string(), "No. (AccessDenied, HTTP 403, request 1)");
        for body in [
            "",
            "<html>",
            "<AssumeRoleResponse></AssumeRoleResponse>",
            "<R><AssumeRoleResult><Credentials><AccessKeyId>A</AccessKeyId></Credentials></AssumeRoleResult></R>",
            "<R><AssumeRoleResult><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>s3cr3t</SecretAccessKey>\
             <Expiration>soon</Expiration></Credentials></AssumeRoleResult></R>",
        ] {
            let error = answer(200, body).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::MalformedResponse, "{body}");
            assert!(!format!("{error:?}").contains("s3cr3t"));
        }
    }
}
