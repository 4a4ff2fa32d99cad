//! The strict layer: everything a request must be before an operation sees it.

mod auth;
mod body;
mod chunks;
mod verify;

use std::time::SystemTime;

use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Uri, request};
use wharf_transport::Body;

use crate::account::{self, Account};
use crate::error::{Code, Error, Result, invalid_argument};
use crate::query::Query;

use auth::Claim;
use body::{Framing, Raw};
pub(crate) use body::{Incoming, Watch};
pub(crate) use verify::Verifier;

/// The fields that sign a form.
pub(crate) struct FormSignature<'a> {
    /// What is signed, as it came.
    pub(crate) policy: &'a str,
    pub(crate) algorithm: &'a str,
    pub(crate) credential: &'a str,
    pub(crate) date: &'a str,
    pub(crate) signature: &'a str,
    pub(crate) token: Option<&'a str>,
}

/// What admission depends on.
pub(crate) struct Gate<'a> {
    pub(crate) verifier: &'a Verifier,
    pub(crate) accounts: &'a [Account],
    pub(crate) region: &'a str,
    pub(crate) now: SystemTime,
}

impl Gate<'_> {
    /// Verifies who sent the request, and gives back that account and the verified body. Without a signature it is the
    /// anonymous account.
    pub(crate) async fn admit(
        &self,
        head: &request::Parts,
        query: &Query,
        body: Body,
        watch: &Watch,
    ) -> Result<(Account, Incoming)> {
        // A preflight comes to the URL of the request that is to follow: what signs that one says nothing of this.
        let is_preflight = head.method == Method::OPTIONS;
        let claim = if is_preflight { None } else { auth::claim(&head.headers, query, self.region, self.now)? };
        let payload = match &claim {
            Some(claim) => claim.payload.as_str(),
            None => head.headers.get("x-amz-content-sha256").and_then(|value| value.to_str().ok()).unwrap_or_default(),
        };
        let framing = match (payload.starts_with("STREAMING-"), &claim) {
            (false, _) => Framing::None,
            (true, Some(_)) => Framing::Signed,
            (true, None) if payload == "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Framing::Unsigned,
            // Chunks are signed by whoever signs the request.
            (true, None) => return Err(Code::AccessDenied.into()),
        };
        let declared = match head.headers.get(CONTENT_LENGTH) {
            Some(length) => Some(number(length).ok_or_else(|| Error::new(Code::InvalidRequest, "Bad Content-Length"))?),
            None => body.length(),
        };
        // A framed body ends by itself; SDKs send it in HTTP's chunks too, and tell the length of what is inside.
        let framed = !matches!(framing, Framing::None);
        if declared.is_none() && !(framed && head.headers.contains_key("x-amz-decoded-content-length")) {
            return Err(Code::MissingContentLength.into());
        }
        let raw = match body.into_full() {
            Ok(bytes) if bytes.is_empty() && declared == Some(0) && !framed => s3s::Body::empty(),
            Ok(bytes) => s3s::Body::http_body_unsync(Raw::new(bytes.into(), declared, framing, watch.clone())),
            Err(body) => s3s::Body::http_body_unsync(Raw::new(body, declared, framing, watch.clone())),
        };
        let Some(claim) = claim else {
            // Who may do what without a signature is decided by the bucket; a form carries its signature in its body.
            return Ok((Account::anonymous(), Incoming::new(raw, None, watch.clone())));
        };
        let account = account::find(self.accounts, &claim.access_key_id)?.clone();
        let token = head.headers.get("x-amz-security-token").and_then(|value| value.to_str().ok());
        account.check_token(token.or(query.get("X-Amz-Security-Token")), self.now)?;
        let request = rewrite(head, &claim, raw, declared)?;
        let verified = self.verifier.verify(request).await.map_err(|error| match error.code() {
            Code::SignatureDoesNotMatch => {
                error.detail("AWSAccessKeyId", &claim.access_key_id).detail("SignatureProvided", &claim.signature)
            }
            _ => error,
        })?;
        Ok((account, Incoming::new(verified.input, verified.trailing_headers, watch.clone())))
    }
}

impl Gate<'_> {
    /// Verifies who signed a form. How long the signature holds is a matter of the form's policy.
    pub(crate) async fn admit_form(&self, form: &FormSignature<'_>) -> Result<Account> {
        let access_key_id = auth::check_form(form, self.region)?;
        let account = account::find(self.accounts, access_key_id)?;
        account.check_token(form.token, self.now)?;
        self.verifier.verify_form(form).await.map_err(|error| match error.code() {
            Code::SignatureDoesNotMatch => {
                error.detail("AWSAccessKeyId", access_key_id).detail("SignatureProvided", form.signature)
            }
            _ => error,
        })?;
        Ok(account.clone())
    }
}

/// The request in the one form that is verified: signed in its header, with an encoded path. A presigned URL says the
/// same in other places; moving it keeps what was signed, byte for byte, and leaves its time to our clock.
fn rewrite(head: &request::Parts, claim: &Claim, body: s3s::Body, declared: Option<u64>) -> Result<Request<s3s::Body>> {
    let path = encode_path(head.uri.path());
    let query: Vec<&str> = head
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|piece| !piece.is_empty() && !piece.starts_with("X-Amz-Signature="))
        .collect();
    let uri = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
    let mut request = Request::new(body);
    *request.method_mut() = head.method.clone();
    *request.uri_mut() = Uri::try_from(uri).map_err(|_| Error::from(Code::InvalidUri))?;
    *request.headers_mut() = head.headers.clone();
    let headers = request.headers_mut();
    if let Some(declared) = declared {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(declared));
    }
    if claim.presigned {
        let Claim { credential, signed_headers, signature, .. } = claim;
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed_headers}, Signature={signature}");
        for (name, value) in
            [("authorization", &authorization), ("x-amz-date", &claim.date), ("x-amz-content-sha256", &claim.payload)]
        {
            let value =
                HeaderValue::from_str(value).map_err(|_| Error::from(Code::AuthorizationQueryParametersError))?;
            headers.insert(name, value);
        }
    }
    debug_assert!(headers.contains_key(AUTHORIZATION));
    Ok(request)
}

/// Encodes what a canonical path has encoded. Left as it is, `s3s` would accept a signature over the bare path.
fn encode_path(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' | b'%' => {
                out.push(char::from(byte))
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// What signs a URL, which speaks of no operation.
const SIGNING: [&str; 8] = [
    "x-amz-algorithm",
    "x-amz-content-sha256",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
];

/// The headers as operations see them, where a presigned URL has some of them: SDKs put them there, where whoever uses it
/// cannot leave them out.
pub(crate) fn hoisted(headers: &HeaderMap, query: &Query) -> Option<HeaderMap> {
    if !query.has("X-Amz-Signature") {
        return None;
    }
    let mut headers = headers.clone();
    for (name, _) in query.names() {
        let lower = name.to_ascii_lowercase();
        if !lower.starts_with("x-amz-") || SIGNING.contains(&lower.as_str()) || headers.contains_key(&lower) {
            continue;
        }
        let value = HeaderValue::from_bytes(query.get(name).unwrap_or_default().as_bytes());
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(lower), value) {
            headers.insert(name, value);
        }
    }
    Some(headers)
}

/// Refuses headers that nobody could read, for what cannot be read must not count as absent: a condition would not be
/// judged, and a value that is not UTF-8 is left out of what `s3s` has signed. Metadata and the headers that are only
/// kept may be any UTF-8.
pub(crate) fn check_text(headers: &HeaderMap) -> Result<()> {
    for (name, value) in headers {
        let name = name.as_str();
        let is_read = name.starts_with("if-")
            || name == "content-md5"
            || (name.starts_with("x-amz-") && !name.starts_with("x-amz-meta-"));
        let message = match std::str::from_utf8(value.as_bytes()) {
            Err(_) => "The value of a header must be UTF-8",
            Ok(text) if is_read && !text.is_ascii() => "The value of this header must be ASCII",
            Ok(_) => continue,
        };
        return Err(invalid_argument(message, name, &String::from_utf8_lossy(value.as_bytes())));
    }
    Ok(())
}

/// A request in process may name its host in its URI alone.
pub(crate) fn complete_host(head: &mut request::Parts) {
    if !head.headers.contains_key(HOST)
        && let Some(authority) = head.uri.authority()
        && let Ok(value) = HeaderValue::from_str(authority.as_str())
    {
        head.headers.insert(HOST, value);
    }
}

fn number(value: &HeaderValue) -> Option<u64> {
    value.to_str().ok()?.trim().parse().ok()
}
