//! CreateSession.

use std::future::IntoFuture;
use std::str::FromStr;

use bytes::Bytes;
use http::Method;

use crate::headers::Headers;
use crate::operation::{Operation, Request, SendFuture, Sender, Success};
use crate::xml::{self, Scanner};
use crate::{Credentials, Encryption, EncryptionInfo, Error, ErrorKind, time};

/// Begins a session with a directory bucket: one CreateSession request.
///
/// The session's keys sign what follows, for five minutes, with `x-amz-s3session-token` in place of the usual token. A
/// client does all that by itself for buckets whose name ends in `--x-s3`: this call is for those who sign elsewhere.
///
/// # Errors
/// [`NoSuchBucket`](crate::ErrorKind::NoSuchBucket), [`AccessDenied`](crate::ErrorKind::AccessDenied) without the
/// permission `s3express:CreateSession`.
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct CreateSession<S = ()> {
    sender: S,
    bucket: String,
    mode: Option<SessionMode>,
    encryption: Option<Encryption>,
}

/// What a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionMode {
    /// Read and list.
    ReadOnly,
    /// All that works on objects: the default, where the caller may.
    ReadWrite,
}

impl SessionMode {
    /// As headers have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "ReadOnly",
            Self::ReadWrite => "ReadWrite",
        }
    }
}

impl FromStr for SessionMode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "ReadOnly" => Ok(Self::ReadOnly),
            "ReadWrite" => Ok(Self::ReadWrite),
            other => Err(Error::invalid_input(format!("{other:?} is not a session's mode: ReadOnly or ReadWrite"))),
        }
    }
}

impl<S> CreateSession<S> {
    /// Begins a session with `bucket`, sent by `sender`.
    pub fn new(sender: S, bucket: impl Into<String>) -> Self {
        Self { sender, bucket: bucket.into(), mode: None, encryption: None }
    }

    /// What the session may do: as much as the caller, by default.
    pub fn mode(mut self, mode: SessionMode) -> Self {
        self.mode = Some(mode);
        self
    }

    /// How objects that the session writes are encrypted: as the bucket says, by default. A customer's key is none
    /// that S3 takes here.
    pub fn encryption(mut self, encryption: Encryption) -> Self {
        self.encryption = Some(encryption);
        self
    }
}

/// A session that was begun.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CreateSessionOutput {
    /// The session's keys, with their token and when they end.
    pub credentials: Credentials,
    /// How objects that the session writes are encrypted.
    pub encryption: Option<EncryptionInfo>,
}

impl<S: Send + 'static> Operation for CreateSession<S> {
    const NAME: &'static str = "CreateSession";
    type Output = CreateSessionOutput;

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), None)
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::bucket(Method::GET, &self.bucket)?;
        request.success = Success::Document;
        request.subresource("session");
        request.header_opt("x-amz-create-session-mode", self.mode.map(SessionMode::as_str))?;
        match &self.encryption {
            Some(Encryption::Customer(_)) => {
                return Err(Error::invalid_input("a session cannot have a customer's key: say it with each object"));
            }
            Some(encryption) => encryption.apply(&mut request)?,
            None => {}
        }
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<CreateSessionOutput, Error> {
        let credentials = read_credentials(xml::text(response.body())?)?;
        Ok(CreateSessionOutput { credentials, encryption: EncryptionInfo::read(&Headers::of(response.headers())) })
    }
}

impl<S: Sender> IntoFuture for CreateSession<S> {
    type Output = Result<CreateSessionOutput, Error>;
    type IntoFuture = SendFuture<CreateSessionOutput>;

    fn into_future(self) -> Self::IntoFuture {
        self.sender.clone().send(self)
    }
}

fn read_credentials(document: &str) -> Result<Credentials, Error> {
    let (mut id, mut secret, mut token, mut expiration) = Default::default();
    let mut scanner = Scanner::new(document, "CreateSessionResult")?;
    while let Some(name) = scanner.child()? {
        if name != "Credentials" {
            scanner.skip()?;
            continue;
        }
        while let Some(name) = scanner.child()? {
            let field: &mut String = match name {
                "AccessKeyId" => &mut id,
                "SecretAccessKey" => &mut secret,
                "SessionToken" => &mut token,
                "Expiration" => &mut expiration,
                _ => {
                    scanner.skip()?;
                    continue;
                }
            };
            *field = scanner.text()?.into_owned();
        }
    }
    let Some(expires_at) = time::parse_iso8601(&expiration).filter(|_| {
        let all = [&id, &secret, &token];
        all.iter().all(|text| !text.is_empty())
    }) else {
        let message = "the answer is no session: it lacks a key, the token, or when they end";
        return Err(Error::new(ErrorKind::MalformedResponse, message));
    };
    Ok(Credentials::new(id, secret).with_session_token(token).with_expiry(expires_at))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::op::testing;
    use crate::{CustomerKey, KmsKey};

    const BUCKET: &str = "mybucket--use1-az4--x-s3";

    #[test]
    fn every_parameter_reaches_the_request() {
        let call = CreateSession::new((), BUCKET).mode(SessionMode::ReadOnly);
        let request = call.encryption(Encryption::Kms(KmsKey::id("key"))).request().unwrap();
        assert_eq!((&request.method, request.bucket.as_deref()), (&Method::GET, Some(BUCKET)));
        assert_eq!(testing::query(&request), "session");
        assert_eq!(request.headers["x-amz-create-session-mode"], "ReadOnly");
        assert_eq!(request.headers["x-amz-server-side-encryption"], "aws:kms");
        assert_eq!(request.headers["x-amz-server-side-encryption-aws-kms-key-id"], "key");
        assert!(CreateSession::new((), BUCKET).request().unwrap().headers.is_empty());
        let customer = Encryption::Customer(CustomerKey::new([0; 32]));
        let error = CreateSession::new((), BUCKET).encryption(customer).request().unwrap_err();
        assert_eq!(error.to_string(), "a session cannot have a customer's key: say it with each object");
    }

    #[test]
    fn the_answer_is_read() {
        let answer = testing::answer(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CreateSessionResult xmlns=\"http://x/\"><Credentials>\
             <SessionToken>t0k3n</SessionToken><SecretAccessKey>s3cr3t</SecretAccessKey><AccessKeyId>AKID</AccessKeyId>\
             <Expiration>2026-01-01T00:05:00Z</Expiration></Credentials></CreateSessionResult>",
        );
        let output = CreateSession::new((), BUCKET).response(answer).unwrap();
        let keys = &output.credentials;
        assert_eq!((keys.access_key_id(), keys.secret_access_key()), ("AKID", "s3cr3t"));
        assert_eq!(keys.session_token(), Some("t0k3n"));
        assert_eq!(keys.expires_at(), Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_900)));
        let shown = format!("{output:?}");
        assert!(!shown.contains("s3cr3t") && !shown.contains("t0k3n"), "{shown}");
    }

    #[test]
    fn half_a_session_is_none() {
        for document in [
            "<CreateSessionResult/>",
            "<CreateSessionResult><Credentials><AccessKeyId>A</AccessKeyId></Credentials></CreateSessionResult>",
            "<CreateSessionResult><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
             <SessionToken>t</SessionToken><Expiration>soon</Expiration></Credentials></CreateSessionResult>",
        ] {
            let error = CreateSession::new((), BUCKET).response(testing::answer(document)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::MalformedResponse, "{document}");
        }
    }
}
