//! The signature check, which is `s3s`'s own: an opinion from outside, independent of any client of ours.
//!
//! `s3s` verifies header signatures, chunk signatures and payload hashes, and hands the verified request to its route
//! hook, which keeps it for us. Clocks, regions and keys are judged before, in [`super::auth`].

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::StreamExt;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::{Extensions, HeaderMap, Method, Request, Uri};
use s3s::auth::{S3Auth, SecretKey};
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::host::{S3Host, VirtualHost};
use s3s::route::S3Route;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::validation::NameValidation;
use s3s::{S3, S3ErrorCode, S3Request, S3Response, S3Result};

use super::FormSignature;
use crate::account::Account;
use crate::error::{Code, Error, Result};
use crate::target::virtual_bucket;

/// Where the route hook leaves a verified request.
#[derive(Clone, Default)]
struct Slot(Arc<Mutex<Option<S3Request<s3s::Body>>>>);

/// `s3s`, set up to verify and nothing more.
pub(crate) struct Verifier(S3Service);

impl Verifier {
    pub(crate) fn new(accounts: Arc<[Account]>, domains: Arc<[String]>) -> Self {
        let mut config = S3Config::default();
        // Time is ours to judge, by the store's own clock.
        config.presigned_url_max_skew_time_secs = u32::MAX;
        let mut builder = S3ServiceBuilder::new(NoOperations);
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
        builder.set_auth(Keys(accounts));
        builder.set_host(Hosts(domains));
        builder.set_validation(AnyName);
        builder.set_route(Keep);
        Self(builder.build())
    }

    /// Gives `request` back with its body unframed and under verification.
    pub(crate) async fn verify(&self, mut request: Request<s3s::Body>) -> Result<S3Request<s3s::Body>> {
        let slot = Slot::default();
        request.extensions_mut().insert(slot.clone());
        let answer = self.0.call(request).await.map_err(|_| Error::from(Code::InternalError))?;
        if let Some(request) = slot.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Ok(request);
        }
        let mut document = Vec::new();
        let mut body = answer.into_body();
        while let Some(Ok(bytes)) = body.next().await {
            document.extend_from_slice(&bytes);
        }
        Err(translate(&String::from_utf8_lossy(&document)))
    }
}

impl Verifier {
    /// Verifies the signature of a form, whose signing fields `s3s` gets as a form of their own.
    pub(super) async fn verify_form(&self, form: &FormSignature<'_>) -> Result<()> {
        const BOUNDARY: &str = "form";
        let fields = [
            ("policy", form.policy),
            ("x-amz-algorithm", form.algorithm),
            ("x-amz-credential", form.credential),
            ("x-amz-date", form.date),
            ("x-amz-signature", form.signature),
            ("file", ""),
        ];
        // A value that breaks the line could end its field.
        if fields.iter().any(|(_, value)| value.contains(['\r', '\n'])) {
            return Err(Code::SignatureDoesNotMatch.into());
        }
        let mut body = String::new();
        for (name, value) in fields {
            let file = if name == "file" { "; filename=\"file\"" } else { "" };
            body.push_str(&format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n"
            ));
        }
        body.push_str(&format!("--{BOUNDARY}--\r\n"));
        let request = Request::post("/form")
            .header(HOST, "localhost")
            .header(CONTENT_TYPE, format!("multipart/form-data; boundary={BOUNDARY}"))
            .header(CONTENT_LENGTH, body.len())
            .body(s3s::Body::from(body));
        self.verify(request.map_err(|_| Error::from(Code::InternalError))?).await.map(|_| ())
    }
}

/// The refusals of `s3s` that the checks before it leave over.
fn translate(document: &str) -> Error {
    let part = |name: &str| {
        let (_, rest) = document.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0)
    };
    let code = match part("Code") {
        Some("SignatureDoesNotMatch") => Code::SignatureDoesNotMatch,
        Some("AccessDenied") => Code::AccessDenied,
        Some("InvalidURI") => Code::InvalidUri,
        Some("KeyTooLongError") => Code::KeyTooLong,
        Some("InvalidBucketName") => Code::InvalidBucketName,
        Some("MissingContentLength") => Code::MissingContentLength,
        // What a form's policy says of its file is judged later; `s3s` looks at what it says of its signature.
        Some("InvalidPolicyDocument") => {
            let message = "Invalid according to Policy: x-amz-algorithm, x-amz-credential and x-amz-date must be \
                           conditions of it, and sent as it has them";
            return Error::new(Code::AccessDenied, message);
        }
        Some("NotImplemented") => Code::NotImplemented,
        _ => return Error::new(Code::InvalidRequest, part("Message").unwrap_or("Invalid Request")),
    };
    code.into()
}

struct NoOperations;

impl S3 for NoOperations {}

struct Keys(Arc<[Account]>);

#[async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        match self.0.iter().find(|account| account.access_key_id == access_key) {
            Some(account) => Ok(account.secret_access_key.as_str().into()),
            None => Err(S3ErrorCode::InvalidAccessKeyId.into()),
        }
    }
}

struct Hosts(Arc<[String]>);

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let name = VirtualHost::new(host);
        Ok(match virtual_bucket(host, &self.0) {
            Some(bucket) => name.with_bucket(bucket),
            None => name,
        })
    }
}

/// Names are judged after the signature.
struct AnyName;

impl NameValidation for AnyName {
    fn validate_bucket_name(&self, _name: &str) -> bool {
        true
    }
}

struct Keep;

#[async_trait]
impl S3Route for Keep {
    fn is_match(&self, _method: &Method, _uri: &Uri, _headers: &HeaderMap, _extensions: &mut Extensions) -> bool {
        true
    }

    async fn call(&self, request: S3Request<s3s::Body>) -> S3Result<S3Response<s3s::Body>> {
        if let Some(slot) = request.extensions.get::<Slot>().cloned() {
            *slot.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(request);
        }
        Ok(S3Response::new(s3s::Body::empty()))
    }
}
