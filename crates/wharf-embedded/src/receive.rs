//! Bodies that become blobs: counted, hashed and compared while they arrive.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use md5::{Digest, Md5};
use std::sync::Arc;

use crate::backend::{Backend, Blob};
use crate::checksum::{self, Algorithm, Checksum, Hasher, Kind};
use crate::error::{Code, Error, Result};
use crate::front::Incoming;

/// The largest body of one request: 5 GiB.
pub(crate) const MOST: u64 = 5 * 1024 * 1024 * 1024;

/// A body that arrived whole and is what its sender said.
pub(crate) struct Received {
    pub(crate) blob: Arc<dyn Blob>,
    pub(crate) md5: [u8; 16],
    /// What is kept.
    pub(crate) checksum: Checksum,
    /// What the sender gave.
    pub(crate) given: Option<Checksum>,
}

/// Reads the body of a PutObject or UploadPart. Where `keep` names no algorithm, the sender's own is kept.
pub(crate) async fn receive(
    backend: &dyn Backend,
    headers: &HeaderMap,
    body: &mut Incoming,
    keep: Option<Algorithm>,
) -> Result<Received> {
    let expected = Expected::of(headers)?;
    let algorithm = keep.or(expected.algorithm).unwrap_or(Algorithm::Crc64Nvme);
    let other = expected.algorithm.filter(|given| *given != algorithm);
    let mut writer = backend.writer();
    let (mut md5, mut hasher, mut size) = (Md5::new(), Hasher::new(algorithm), 0);
    let mut second = other.map(|other| (other, Hasher::new(other)));
    while let Some(bytes) = body.next().await? {
        size += bytes.len() as u64;
        if size > MOST {
            return Err(too_large());
        }
        md5.update(&bytes);
        hasher.update(&bytes);
        if let Some((_, hasher)) = &mut second {
            hasher.update(&bytes);
        }
        writer.write(bytes).await?;
    }
    if expected.length.is_some_and(|length| length != size) {
        return Err(Code::IncompleteBody.into());
    }
    let md5: [u8; 16] = md5.finalize().into();
    let whole = |algorithm, value| Checksum { kind: Kind { algorithm, composite: false }, value };
    let checksum = whole(algorithm, hasher.finish());
    let sent = match second {
        Some((algorithm, hasher)) => whole(algorithm, hasher.finish()),
        None => checksum.clone(),
    };
    expected.check(&md5, sent.kind.algorithm, &sent.value, &body.trailers())?;
    let given = expected.algorithm.map(|_| sent);
    Ok(Received { blob: writer.finish().await?, md5, checksum, given })
}

/// What the sender says of a body.
pub(crate) struct Expected {
    algorithm: Option<Algorithm>,
    /// The checksum itself, unless it is a trailer.
    value: Option<String>,
    trailer: bool,
    md5: Option<Vec<u8>>,
    length: Option<u64>,
}

impl Expected {
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let number = |name: &str| text(name).and_then(|value| value.parse::<u64>().ok());
        let length = number("x-amz-decoded-content-length");
        if length.or(number("content-length")).is_some_and(|length| length > MOST) {
            return Err(too_large());
        }
        let md5 = text("content-md5").map(parse_md5).transpose()?;
        let given = checksum::given(headers)?;
        let trailer = match text("x-amz-trailer") {
            Some(name) => Some(Algorithm::of_header(&name.trim().to_ascii_lowercase())?),
            None => None,
        };
        if given.is_some() && trailer.is_some() {
            return Err(Error::new(
                Code::InvalidRequest,
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            ));
        }
        let named = text("x-amz-sdk-checksum-algorithm").map(Algorithm::parse).transpose()?;
        let carried = given.as_ref().map(|(algorithm, _)| *algorithm).or(trailer);
        match (named, carried) {
            (Some(_), None) => Err(Error::new(
                Code::InvalidRequest,
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers \
                 were found.",
            )),
            (Some(named), Some(carried)) if named != carried => {
                Err(Error::new(Code::InvalidRequest, "Value for x-amz-sdk-checksum-algorithm header is invalid."))
            }
            _ => Ok(Self {
                algorithm: carried,
                value: given.map(|(_, value)| value),
                trailer: trailer.is_some(),
                md5,
                length,
            }),
        }
    }

    /// Compares a body's own values with what was said of it.
    fn check(&self, md5: &[u8; 16], algorithm: Algorithm, value: &str, trailers: &HeaderMap) -> Result<()> {
        if self.md5.as_ref().is_some_and(|expected| expected != md5) {
            return Err(Error::new(Code::BadDigest, "The Content-MD5 you specified did not match what we received."));
        }
        let expected = match (&self.value, self.trailer) {
            (Some(expected), _) => expected.clone(),
            (None, true) => match checksum::given(trailers)? {
                Some((carried, expected)) if carried == algorithm => expected,
                _ => return Err(Code::MalformedTrailer.into()),
            },
            (None, false) => return Ok(()),
        };
        if expected == value { Ok(()) } else { Err(checksum::mismatch(algorithm)) }
    }

    /// Checks a body that was read whole, such as a document.
    pub(crate) fn check_bytes(&self, bytes: &[u8], trailers: &HeaderMap) -> Result<()> {
        let algorithm = self.algorithm.unwrap_or(Algorithm::Crc32);
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        self.check(&Md5::digest(bytes).into(), algorithm, &hasher.finish(), trailers)
    }

    /// Of which kind the body's checksum is, if it has one.
    pub(crate) fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// Whether anything vouches for the body's integrity.
    pub(crate) fn is_given(&self) -> bool {
        self.md5.is_some() || self.algorithm.is_some()
    }
}

fn parse_md5(text: &str) -> Result<Vec<u8>> {
    STANDARD.decode(text.trim()).ok().filter(|bytes| bytes.len() == 16).ok_or_else(|| Code::InvalidDigest.into())
}

fn too_large() -> Error {
    Error::from(Code::EntityTooLarge).detail("MaxSizeAllowed", MOST.to_string())
}
