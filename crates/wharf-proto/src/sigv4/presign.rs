//! Signing by query: a URI that whoever holds it may use, without keys, until it expires.

use std::time::Duration;

use http::{HeaderMap, Method, Uri};

use super::canonical::{CanonicalRequest, SignedHeaders};
use super::{ALGORITHM, Explanation, Payload, Signer, SigningError, host, uri_encode};

/// The longest that a presigned URI may last: seven days.
pub const MAX_EXPIRY: Duration = Duration::from_secs(7 * 86_400);

/// The parameters that presigning adds.
const PARAMETERS: [&str; 8] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Security-Token",
    "X-Amz-S3session-Token",
    "X-Amz-Signature",
];

impl Signer<'_> {
    /// Puts a signature into `uri`'s query, good for `method` and for `expires` from the signer's time.
    ///
    /// `uri` is absolute and has the operation's own query. All of `headers` are signed, so the holder must send each
    /// of them exactly so; with none it is enough to use the URI (`curl -T file "$URI"`). A session token goes into the
    /// query. Nothing else is added, no checksum either. `payload` is [`Payload::Unsigned`] for S3.
    ///
    /// `expires` is cut to whole seconds. Credentials that end sooner end the URI too.
    ///
    /// # Errors
    ///
    /// If `expires` is under one second or over [`MAX_EXPIRY`], if the URI has no host, is presigned already or would
    /// get too long (65,534 bytes).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use http::{HeaderMap, Method};
    /// use wharf_proto::Credentials;
    /// use wharf_proto::sigv4::{Payload, Scope, Signer, SigningKeyCache};
    ///
    /// let keys = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    /// let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600); // 2013-05-24
    /// let signer = Signer::new(&keys, Scope::s3("us-east-1"), time, &SigningKeyCache::new());
    ///
    /// let uri = "https://examplebucket.s3.amazonaws.com/test.txt".parse()?;
    /// let day = Duration::from_secs(86_400);
    /// let link = signer.presign(&Method::GET, &uri, &HeaderMap::new(), day, Payload::Unsigned)?;
    /// assert!(link.to_string().ends_with("aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn presign(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        expires: Duration,
        payload: Payload,
    ) -> Result<Uri, SigningError> {
        if expires < Duration::from_secs(1) || expires > MAX_EXPIRY {
            return Err(SigningError::Expiry(expires));
        }
        if uri.query().is_some_and(is_presigned) {
            return Err(SigningError::AlreadyPresigned);
        }

        let signed_headers = SignedHeaders::collect(headers, uri, |_| true)?;
        let mut text = self.unsigned(uri, &signed_headers, expires)?;
        let unsigned = Uri::try_from(text.as_str()).map_err(|_| SigningError::UriTooLong)?;
        let mut buffer = [0; 64];
        let hash = CanonicalRequest {
            method,
            uri: &unsigned,
            path: self.scope.path,
            headers: &signed_headers,
            payload: payload.value(&mut buffer),
        }
        .hash();

        text.push_str("&X-Amz-Signature=");
        text.push_str(self.signature(&hash).as_str());
        Uri::try_from(text).map_err(|_| SigningError::UriTooLong)
    }

    /// What [`presign`](Self::presign) signed for the URI that it gave back, by a signer of the same time.
    ///
    /// # Errors
    ///
    /// If there is no host.
    pub fn explain_presigned(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        payload: Payload,
    ) -> Result<Explanation, SigningError> {
        let headers = SignedHeaders::collect(headers, uri, |_| true)?;
        let payload = payload.value(&mut [0; 64]).to_vec();
        let request = CanonicalRequest { method, uri, path: self.scope.path, headers: &headers, payload: &payload };
        Ok(self.explanation(&request))
    }

    /// The URI with every parameter but the signature.
    fn unsigned(&self, uri: &Uri, headers: &SignedHeaders<'_>, expires: Duration) -> Result<String, SigningError> {
        let path_and_query = uri.path_and_query().map_or("/", |whole| whole.as_str());
        let token = self.credentials.session_token();
        let mut text = String::with_capacity(path_and_query.len() + 512 + token.map_or(0, |token| 3 * token.len()));
        text.push_str(uri.scheme_str().unwrap_or("https"));
        text.push_str("://");
        text.push_str(host(uri).ok_or(SigningError::NoHost)?);
        text.push_str(path_and_query);
        if uri.query().is_none() {
            text.push('?');
        }

        let mut names = Vec::new();
        headers.put_names(&mut names);
        let credential = self.credential();
        let mut add = |name: &str, value: &str| {
            if !text.ends_with(['?', '&']) {
                text.push('&');
            }
            text.push_str(name);
            text.push('=');
            uri_encode::query(value, &mut text);
        };
        add("X-Amz-Algorithm", ALGORITHM);
        add("X-Amz-Credential", &credential);
        add("X-Amz-Date", self.date.as_str());
        add("X-Amz-Expires", &expires.as_secs().to_string());
        if let Some(token) = token {
            add(self.scope.token.parameter(), token);
        }
        add("X-Amz-SignedHeaders", &String::from_utf8_lossy(&names));
        Ok(text)
    }
}

fn is_presigned(query: &str) -> bool {
    query.split('&').any(|parameter| {
        let name = parameter.split('=').next().unwrap_or_default();
        PARAMETERS.iter().any(|known| known.eq_ignore_ascii_case(name))
    })
}
