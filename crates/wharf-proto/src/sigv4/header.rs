//! Signing by header: the `Authorization` that travels with a request.

use http::header::{AUTHORIZATION, HeaderName};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use super::canonical::{CanonicalRequest, SignedHeaders, Sink};
use super::{ALGORITHM, Explanation, Payload, Signature, Signer, SigningError, TokenName};

const X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const X_AMZ_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");

/// Whether [`Signer::sign`] covers a header of this name (in lower case).
///
/// Every header that a request has when it is signed is covered, `content-length` too, except those that belong to one
/// connection or that a proxy, a load balancer or the HTTP library may set or change on the way.
pub fn is_signed(name: &str) -> bool {
    !matches!(
        name,
        "authorization"
            | "user-agent"
            | "connection"
            | "keep-alive"
            | "expect"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "accept-encoding"
            | "proxy-authorization"
            | "proxy-connection"
            | "via"
            | "forwarded"
            | "x-forwarded-for"
            | "x-forwarded-host"
            | "x-forwarded-proto"
            | "x-amzn-trace-id"
            | "traceparent"
            | "tracestate"
    )
}

impl Signer<'_> {
    /// Signs a request: sets `x-amz-date`, `x-amz-content-sha256`, the session token's header and `authorization`.
    ///
    /// The URI must be absolute, or there must be a `Host` header. Nothing that [`is_signed`] covers may change
    /// afterwards; without a `Host` header the one to send is [`host`](super::host) of the URI. A request may be signed
    /// again, by any signer: what the last one set is replaced, and a session token that no longer applies is removed.
    /// For the streaming payloads `content-encoding: aws-chunked`, `x-amz-decoded-content-length` and `x-amz-trailer`
    /// are the caller's to set before.
    ///
    /// The signature is what a [`SignedChunks`](super::SignedChunks) starts from.
    ///
    /// # Errors
    ///
    /// If there is no host, or if the keys, the region or the service cannot stand in a header.
    pub fn sign(&self, request: &mut Parts, payload: Payload) -> Result<Signature, SigningError> {
        let mut buffer = [0; 64];
        let payload_value = payload.value(&mut buffer);
        self.set_headers(&mut request.headers, payload, payload_value)?;

        let headers = SignedHeaders::collect(&request.headers, &request.uri, is_signed)?;
        let hash = self.canonical(request, &headers, payload_value).hash();
        let signature = self.signature(&hash);

        let mut authorization = Vec::with_capacity(384);
        authorization.put(ALGORITHM.as_bytes());
        authorization.put(b" Credential=");
        self.put_credential(&mut authorization);
        authorization.put(b", SignedHeaders=");
        headers.put_names(&mut authorization);
        authorization.put(b", Signature=");
        authorization.put(&signature.0);
        let mut authorization = HeaderValue::try_from(authorization).map_err(|_| SigningError::NotAHeader)?;
        authorization.set_sensitive(true);
        request.headers.insert(AUTHORIZATION, authorization);
        Ok(signature)
    }

    /// What [`sign`](Self::sign) signed, or would sign, for a request that has its headers.
    ///
    /// # Errors
    ///
    /// If there is no host.
    pub fn explain(&self, request: &Parts, payload: Payload) -> Result<Explanation, SigningError> {
        let mut buffer = [0; 64];
        let headers = SignedHeaders::collect(&request.headers, &request.uri, is_signed)?;
        Ok(self.explanation(&self.canonical(request, &headers, payload.value(&mut buffer))))
    }

    fn canonical<'r>(
        &self,
        request: &'r Parts,
        headers: &'r SignedHeaders<'r>,
        payload: &'r [u8],
    ) -> CanonicalRequest<'r> {
        CanonicalRequest { method: &request.method, uri: &request.uri, path: self.scope.path, headers, payload }
    }

    fn set_headers(&self, headers: &mut HeaderMap, payload: Payload, payload_value: &[u8]) -> Result<(), SigningError> {
        let value = |text: &[u8]| HeaderValue::from_bytes(text).map_err(|_| SigningError::NotAHeader);
        headers.insert(X_AMZ_DATE, value(self.date.as_bytes())?);
        if self.scope.payload_header {
            let value = match payload.word() {
                Some(word) => HeaderValue::from_static(word),
                None => value(payload_value)?,
            };
            headers.insert(X_AMZ_CONTENT_SHA256, value);
        }
        // Looking at each name costs less than removing what is seldom there.
        let tokens = const { [TokenName::Security.header(), TokenName::S3Session.header()] };
        for token in tokens {
            if headers.keys().any(|name| *name == token) {
                headers.remove(token);
            }
        }
        if let Some(token) = self.credentials.session_token() {
            let mut token = value(token.as_bytes())?;
            token.set_sensitive(true);
            headers.insert(self.scope.token.header(), token);
        }
        Ok(())
    }
}
