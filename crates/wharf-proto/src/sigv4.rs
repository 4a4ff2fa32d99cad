//! AWS Signature Version 4: how a request proves who sent it.
//!
//! Everything is an argument: the time, the region, the service. So each of the published examples is a plain test,
//! and a signature that a server refuses can be taken apart with [`Signer::explain`].
//!
//! * [`Signer::sign`] signs a request's headers.
//! * [`Signer::presign`] puts the signature into the URI, for somebody who has no keys.
//! * [`SignedChunks`] and [`UnsignedChunks`] frame a body whose checksum or signature follows it.
//! * [`Signer::sign_policy`] signs an HTML form's POST policy.
//!
//! # Examples
//!
//! The S3 documentation's first example, a ranged GET:
//!
//! ```
//! use std::time::{Duration, SystemTime};
//! use wharf_proto::Credentials;
//! use wharf_proto::sigv4::{Payload, Scope, Signer, SigningKeyCache};
//!
//! let keys = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
//! let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600); // 2013-05-24
//! let cache = SigningKeyCache::new();
//!
//! let mut request = http::Request::get("https://examplebucket.s3.amazonaws.com/test.txt")
//!     .header("range", "bytes=0-9")
//!     .body(())?
//!     .into_parts()
//!     .0;
//! let signer = Signer::new(&keys, Scope::s3("us-east-1"), time, &cache);
//! let signature = signer.sign(&mut request, Payload::EMPTY)?;
//!
//! assert_eq!(signature.as_str(), "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
//! assert_eq!(request.headers["x-amz-date"], "20130524T000000Z");
//! assert!(request.headers["authorization"].to_str()?.starts_with("AWS4-HMAC-SHA256 Credential=AKIA"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod canonical;
mod chunked;
mod date;
mod header;
mod key;
mod post_policy;
mod presign;
pub mod uri_encode;

use std::fmt;
use std::time::{Duration, SystemTime};

use hmac::Mac;
use http::{HeaderName, Uri};
use sha2::{Digest, Sha256};

use crate::Credentials;
use canonical::{Sink, put_credential_scope, put_preamble};
use key::HmacSha256;

pub use chunked::{SignedChunks, UnsignedChunks, encoded_len};
pub use date::AmzDate;
pub use header::is_signed;
pub use key::{SigningKey, SigningKeyCache};
pub use post_policy::SignedPolicy;
pub use presign::MAX_EXPIRY;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The SHA-256 of nothing.
const EMPTY_SHA256: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// Where a signature is good for, and that service's habits.
///
/// [`Scope::s3`] is right for S3; change a field for its relatives: `Scope { service: "s3-outposts", ..Scope::s3(r) }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    /// The region, such as `eu-west-1`. Servers that have none want `us-east-1`, R2 wants `auto`.
    pub region: &'a str,
    /// The service's signing name, `s3`.
    pub service: &'a str,
    /// How the path is signed.
    pub path: UriPath,
    /// Whether `x-amz-content-sha256` is sent. S3 demands it, other services do without.
    pub payload_header: bool,
    /// What a session token is called.
    pub token: TokenName,
}

/// What a session token is called on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenName {
    /// `x-amz-security-token`: of temporary credentials, everywhere.
    #[default]
    Security,
    /// `x-amz-s3session-token`: of a directory bucket's session, as CreateSession gives it.
    S3Session,
}

impl TokenName {
    const fn header(self) -> HeaderName {
        match self {
            Self::Security => const { HeaderName::from_static("x-amz-security-token") },
            Self::S3Session => const { HeaderName::from_static("x-amz-s3session-token") },
        }
    }

    const fn parameter(self) -> &'static str {
        match self {
            Self::Security => "X-Amz-Security-Token",
            Self::S3Session => "X-Amz-S3session-Token",
        }
    }
}

impl<'a> Scope<'a> {
    /// S3 in `region`.
    pub const fn s3(region: &'a str) -> Self {
        Self { region, service: "s3", path: UriPath::Once, payload_header: true, token: TokenName::Security }
    }

    /// Any other AWS service, such as `sts`: the path is encoded twice, and no `x-amz-content-sha256` is sent.
    pub const fn other(service: &'a str, region: &'a str) -> Self {
        Self { region, service, path: UriPath::Twice, payload_header: false, token: TokenName::Security }
    }
}

/// How a request's path is signed. Dot segments and double slashes are never touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UriPath {
    /// As it stands on the wire, percent-encoded once: S3.
    ///
    /// A path that is not encoded as [`uri_encode::path`] does it is signed as if it were, since that is what a server
    /// does; the path that is sent stays as it is.
    Once,
    /// Percent-encoded once more, so that `%20` is signed as `%2520`: every other service.
    Twice,
}

/// What a signature says about the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Payload {
    /// The body's SHA-256: the server refuses any other body. The only choice over plain http.
    Sha256([u8; 32]),
    /// `UNSIGNED-PAYLOAD`: the signature does not cover the body. For https, and for presigned URIs.
    Unsigned,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`: each chunk of the body is signed, see [`SignedChunks`].
    StreamingSigned,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER`: signed chunks, then signed trailers.
    StreamingSignedTrailer,
    /// `STREAMING-UNSIGNED-PAYLOAD-TRAILER`: plain chunks, then trailers, see [`UnsignedChunks`].
    StreamingUnsignedTrailer,
}

impl Payload {
    /// No body: the SHA-256 of nothing.
    pub const EMPTY: Self = Self::Sha256(EMPTY_SHA256);

    /// The SHA-256 of a body that is in memory.
    pub fn sha256(body: &[u8]) -> Self {
        Self::Sha256(Sha256::digest(body).into())
    }

    /// The fixed word for the kinds that are not a hash.
    const fn word(&self) -> Option<&'static str> {
        match self {
            Self::Sha256(_) => None,
            Self::Unsigned => Some("UNSIGNED-PAYLOAD"),
            Self::StreamingSigned => Some("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
            Self::StreamingSignedTrailer => Some("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"),
            Self::StreamingUnsignedTrailer => Some("STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        }
    }

    /// The value of `x-amz-content-sha256`, which is also the canonical request's last line.
    fn value<'a>(&self, buffer: &'a mut [u8; 64]) -> &'a [u8] {
        match self {
            Self::Sha256(hash) => {
                *buffer = hex(hash);
                buffer
            }
            other => other.word().unwrap_or_default().as_bytes(),
        }
    }
}

/// A signature: 64 digits of lower-case hex.
///
/// `Debug` hides it, since it lets whoever reads it send the request again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl Signature {
    fn of(mac: HmacSha256) -> Self {
        Self(hex(&mac.finalize().into_bytes().into()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        ascii(&self.0)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(<redacted>)")
    }
}

/// Why something could not be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SigningError {
    /// The URI names no host and there is no `Host` header.
    NoHost,
    /// The access key id, the session token, the region or the service has a character that no header can carry.
    NotAHeader,
    /// A presigned URI was to last for under a second or for over seven days.
    Expiry(Duration),
    /// The URI to presign has a parameter that presigning adds.
    AlreadyPresigned,
    /// The presigned URI would be longer than a URI can be here, 65,534 bytes.
    UriTooLong,
}

impl fmt::Display for SigningError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHost => f.write_str("cannot sign a request without a host: give an absolute URI or a Host header"),
            Self::NotAHeader => f.write_str(
                "cannot sign: the access key id, session token, region or service has a character that no header can \
                 carry (a line break at its end?)",
            ),
            Self::Expiry(expires) => write!(
                f,
                "cannot presign for {expires:?}: a presigned URI lasts from 1 second to 7 days ({} seconds)",
                MAX_EXPIRY.as_secs()
            ),
            Self::AlreadyPresigned => f.write_str("cannot presign a URI that has X-Amz- signing parameters already"),
            Self::UriTooLong => f.write_str("cannot presign: the URI would be longer than 65,534 bytes"),
        }
    }
}

impl std::error::Error for SigningError {}

/// The canonical request and the string to sign, as text: to lay beside those that a server shows when it answers
/// `SignatureDoesNotMatch`.
///
/// `Debug` hides them: with temporary credentials the canonical request holds the session token. Do not log it.
#[derive(Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What was signed, line by line.
    pub canonical_request: String,
    /// What its hash was put into, and what the signing key was applied to.
    pub string_to_sign: String,
}

impl fmt::Debug for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explanation").finish_non_exhaustive()
    }
}

/// Who signs, what for, and when: everything about a signature but the request.
#[derive(Clone, Debug)]
pub struct Signer<'a> {
    credentials: &'a Credentials,
    scope: Scope<'a>,
    date: AmzDate,
    key: SigningKey,
}

impl<'a> Signer<'a> {
    /// A signer for one moment. The day's key comes out of `cache`, or goes into it.
    pub fn new(credentials: &'a Credentials, scope: Scope<'a>, time: SystemTime, cache: &SigningKeyCache) -> Self {
        let date = AmzDate::new(time);
        Self { credentials, scope, date, key: cache.get(credentials, date, scope) }
    }

    /// The time that is signed.
    pub fn date(&self) -> AmzDate {
        self.date
    }

    /// The credential that is named: `AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request`.
    pub fn credential(&self) -> String {
        let mut text = Vec::with_capacity(96);
        self.put_credential(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    fn put_credential(&self, sink: &mut impl Sink) {
        sink.put(self.credentials.access_key_id().as_bytes());
        sink.put(b"/");
        put_credential_scope(self.date, self.scope, sink);
    }

    fn put_string_to_sign(&self, canonical_request_hash: &[u8; 32], sink: &mut impl Sink) {
        put_preamble(ALGORITHM, self.date, self.scope, sink);
        sink.put(&hex(canonical_request_hash));
    }

    /// Signs a canonical request's hash.
    fn signature(&self, canonical_request_hash: &[u8; 32]) -> Signature {
        let mut mac = self.key.mac();
        self.put_string_to_sign(canonical_request_hash, &mut mac);
        Signature::of(mac)
    }

    fn explanation(&self, request: &canonical::CanonicalRequest<'_>) -> Explanation {
        let mut string_to_sign = Vec::with_capacity(192);
        self.put_string_to_sign(&request.hash(), &mut string_to_sign);
        Explanation {
            canonical_request: request.text(),
            string_to_sign: String::from_utf8_lossy(&string_to_sign).into_owned(),
        }
    }
}

/// The `Host` header that a request to `uri` must be sent with if it has none: host and port, without the port that its
/// scheme implies and without user information.
///
/// This is what gets signed, so it is what must be sent.
///
/// ```
/// use wharf_proto::sigv4::host;
///
/// assert_eq!(host(&"https://s3.eu-west-1.amazonaws.com:443/b/k".parse()?), Some("s3.eu-west-1.amazonaws.com"));
/// assert_eq!(host(&"http://localhost:9000/b/k".parse()?), Some("localhost:9000"));
/// assert_eq!(host(&"/b/k".parse()?), None);
/// # Ok::<(), http::uri::InvalidUri>(())
/// ```
pub fn host(uri: &Uri) -> Option<&str> {
    let authority = uri.authority()?;
    let implied =
        matches!((uri.scheme_str(), authority.port_u16()), (Some("https"), Some(443)) | (Some("http"), Some(80)));
    if implied {
        return Some(authority.host());
    }
    let text = authority.as_str();
    Some(text.rsplit_once('@').map_or(text, |(_user, host)| host))
}

/// Lower-case hex.
fn hex(bytes: &[u8; 32]) -> [u8; 64] {
    // Computed, for a compiler makes sixteen digits at a time of this, and one of a table.
    let digit = |number: u8| number + if number < 10 { b'0' } else { b'a' - 10 };
    let mut text = [0; 64];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = digit(byte >> 4);
        pair[1] = digit(byte & 15);
    }
    text
}

/// Text that we wrote digit by digit.
fn ascii(text: &[u8]) -> &str {
    str::from_utf8(text).unwrap_or_default()
}
