//! Making a request's body ready to send: its length, its checksum, what the signature says of it.

pub(crate) mod blocks;
pub(crate) mod file;
mod framed;
mod once;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use sha2::{Digest, Sha256};
use std::future::poll_fn;
use std::pin::Pin;
use wharf_proto::body::{ByteStream, Source};
use wharf_proto::checksum::{Checksum, ChecksumAlgorithm, ChecksumHasher, ChecksumType};
use wharf_proto::operation::{ChecksumPolicy, Request};
use wharf_proto::provider::Habits;
use wharf_proto::sigv4::{self, SignedChunks, UnsignedChunks, encoded_len};
use wharf_proto::{Body, BoxError, Error, ErrorKind};

use crate::progress::{Progress, Watched};
use crate::transport;
use file::File;
use framed::{Framed, Frames, Summed};
use once::Once;

/// A body of unknown length is held in memory up to here.
const MAX_HELD: usize = 16 * 1024 * 1024;

/// No server takes more in one request; S3 itself takes 5 GiB.
const MAX_LENGTH: u64 = 5 << 40;

/// The size of the chunks of a framed body. A body that is no longer goes out in one piece.
const CHUNK: usize = 64 * 1024;

const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

const SDK_CHECKSUM_ALGORITHM: HeaderName = HeaderName::from_static("x-amz-sdk-checksum-algorithm");

/// Hashing more than this would keep a runtime's thread for longer than a moment.
const HASH_INLINE: usize = 1024 * 1024;

/// What decides how a body travels, beside the body itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conditions {
    /// There are credentials: the request will be signed.
    pub(crate) signed: bool,
    /// The signature covers the body.
    pub(crate) sign_payload: bool,
    /// What must have a digest has `Content-MD5`.
    pub(crate) content_md5: bool,
    /// The provider's habits, but for what the client's settings say otherwise.
    pub(crate) habits: Habits,
}

/// A body that is ready to send, as often as it can be.
#[derive(Debug)]
pub(crate) struct Payload {
    content: Content,
    signing: sigv4::Payload,
    /// What the server must have found, if it says so.
    expected: Option<Checksum>,
    trailer: Option<ChecksumAlgorithm>,
    /// The caller wants to know what was computed.
    tells: bool,
}

#[derive(Debug)]
enum Content {
    Bytes(Bytes),
    File(File),
    Once(Arc<Once>),
}

impl Content {
    fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(file) => file.length(),
            Self::Once(once) => once.length(),
        }
    }

    /// The checksum, and SHA-256 for a signature, of what can be read more than once.
    async fn digests(
        &self,
        algorithm: Option<ChecksumAlgorithm>,
        sha256: bool,
    ) -> Result<(Option<Checksum>, Option<[u8; 32]>), Error> {
        match self {
            Self::Bytes(bytes) if bytes.len() <= HASH_INLINE || (algorithm.is_none() && !sha256) => {
                Ok(digest(bytes, algorithm, sha256))
            }
            Self::Bytes(bytes) => {
                let bytes = bytes.clone();
                Box::pin(blocking(move || Ok(digest(&bytes, algorithm, sha256)))).await
            }
            Self::File(file) if algorithm.is_some() || sha256 => Box::pin(file.digest(algorithm, sha256)).await,
            _ => Ok((None, None)),
        }
    }
}

impl Payload {
    /// Takes the body out of `request`, makes it ready, and adds the headers that go with it.
    ///
    /// What only some bodies wait for is boxed: every request's future would have room for it.
    pub(crate) async fn prepare(request: &mut Request, conditions: &Conditions) -> Result<Self, Error> {
        let Request { method, headers, body, checksum: policy, .. } = request;
        let policy = &*policy;
        if *policy == ChecksumPolicy::Announce {
            announce(headers, conditions);
        }
        let content = match std::mem::take(body).into_source()? {
            Source::Empty => Content::Bytes(Bytes::new()),
            Source::Bytes(bytes) => Content::Bytes(bytes),
            Source::File(path) => Content::File(Box::pin(File::open(path, None)).await?),
            Source::FileRange { path, offset, length } => {
                Content::File(Box::pin(File::open(path, Some((offset, length)))).await?)
            }
            Source::Stream { length: Some(0), stream } => Content::Bytes(Box::pin(hold(stream, 0)).await?),
            Source::Stream { length: Some(length), stream } => Content::Once(Arc::new(Once::new(stream, length))),
            Source::Stream { length: None, stream } => Content::Bytes(Box::pin(hold(stream, MAX_HELD)).await?),
            other => return Err(Error::invalid_input(format!("this version cannot send {other:?}"))),
        };
        if content.length() > MAX_LENGTH {
            let length = content.length();
            let problem = format!("a body of {length} bytes is too long: one request has at most 5 TiB");
            return Err(Error::invalid_input(problem).with_hint("send it in parts: create_multipart_upload"));
        }
        let is_data = !matches!(policy, ChecksumPolicy::None | ChecksumPolicy::Required | ChecksumPolicy::Announce);
        let signs_body = conditions.signed && (!is_data || conditions.sign_payload);
        let md5_is_header =
            *policy == ChecksumPolicy::Required && conditions.content_md5 && !matches!(content, Content::Once(_));
        let algorithm = match policy {
            ChecksumPolicy::Default => conditions.habits.checksum,
            ChecksumPolicy::Required if md5_is_header => Some(ChecksumAlgorithm::Md5),
            ChecksumPolicy::Required => Some(conditions.habits.checksum.unwrap_or(ChecksumAlgorithm::Crc64Nvme)),
            ChecksumPolicy::Algorithm(algorithm) | ChecksumPolicy::WhileSending(algorithm) => Some(*algorithm),
            _ => None,
        };
        let while_sending = matches!(policy, ChecksumPolicy::WhileSending(_));
        let one_pass = match &content {
            Content::Once(_) => true,
            // One that is signed as a whole has to be read before.
            Content::File(file) => while_sending && file.length() > 0 && (conditions.habits.chunks || !signs_body),
            Content::Bytes(_) => false,
        };
        let mut payload = if one_pass {
            Self::one_pass(content, algorithm, signs_body, conditions, headers)?
        } else {
            Self::replayable(content, algorithm, signs_body).await?
        };
        payload.tells = while_sending || matches!(policy, ChecksumPolicy::Algorithm(_));
        if let ChecksumPolicy::Value(checksum) = policy {
            payload.expected = Some(*checksum);
        }
        if let Some(md5) = payload.expected.take_if(|_| md5_is_header) {
            set_content_md5(headers, &md5);
        } else if let Some(checksum) = &payload.expected {
            set_checksum(headers, checksum);
        }
        if let Some(algorithm) = payload.expected.map(|checksum| checksum.algorithm()).or(payload.trailer) {
            // Some servers keep a checksum only where this names it.
            headers.insert(SDK_CHECKSUM_ALGORITHM, HeaderValue::from_static(algorithm.as_str()));
        }
        if payload.content.length() > 0 || is_data || matches!(*method, Method::PUT | Method::POST) {
            headers.insert(http::header::CONTENT_LENGTH, HeaderValue::from(payload.encoded_length()));
        }
        Ok(payload)
    }

    async fn replayable(
        content: Content,
        algorithm: Option<ChecksumAlgorithm>,
        signs_body: bool,
    ) -> Result<Self, Error> {
        let (expected, sha256) = match &content {
            Content::Bytes(bytes) if bytes.is_empty() && algorithm.is_none() => {
                return Ok(Self {
                    content,
                    signing: sigv4::Payload::EMPTY,
                    expected: None,
                    trailer: None,
                    tells: false,
                });
            }
            content => content.digests(algorithm, signs_body).await?,
        };
        let signing = sha256.map_or(sigv4::Payload::Unsigned, sigv4::Payload::Sha256);
        Ok(Self { content, signing, expected, trailer: None, tells: false })
    }

    /// Sent while its checksum is computed, which follows it where the provider takes that.
    fn one_pass(
        mut content: Content,
        algorithm: Option<ChecksumAlgorithm>,
        signs_body: bool,
        conditions: &Conditions,
        headers: &mut HeaderMap,
    ) -> Result<Self, Error> {
        if signs_body && !conditions.habits.chunks {
            let problem = "this provider takes no framed bodies, without which a stream cannot be signed";
            return Err(Error::new(ErrorKind::Unsupported, problem)
                .with_hint("use https, give bytes or a file, or leave the body out of the signature: ClientBuilder::unsigned_payload"));
        }
        let trailer = algorithm.filter(|_| conditions.habits.trailers && conditions.signed);
        let signing = match (signs_body, trailer) {
            (true, None) => sigv4::Payload::StreamingSigned,
            (true, Some(_)) => sigv4::Payload::StreamingSignedTrailer,
            (false, Some(_)) => sigv4::Payload::StreamingUnsignedTrailer,
            (false, None) => sigv4::Payload::Unsigned,
        };
        if let Some(algorithm) = algorithm {
            match &mut content {
                Content::Once(once) => once.compute(algorithm),
                Content::File(file) => file.compute(algorithm),
                Content::Bytes(_) => {}
            }
        }
        if signing != sigv4::Payload::Unsigned {
            headers
                .insert(HeaderName::from_static("x-amz-decoded-content-length"), HeaderValue::from(content.length()));
            add_framing(headers);
        }
        if let Some(algorithm) = trailer {
            headers.insert(HeaderName::from_static("x-amz-trailer"), HeaderValue::from_static(algorithm.header_name()));
        }
        Ok(Self { content, signing, expected: None, trailer, tells: false })
    }

    /// Puts `Content-MD5` in the place of the checksum.
    pub(crate) async fn go_by_md5(&mut self, headers: &mut HeaderMap) -> Result<(), Error> {
        if let Some(checksum) = self.expected.take() {
            headers.remove(checksum.algorithm().header());
            headers.remove(SDK_CHECKSUM_ALGORITHM);
        }
        let (md5, _) = self.content.digests(Some(ChecksumAlgorithm::Md5), false).await?;
        if let Some(md5) = md5 {
            set_content_md5(headers, &md5);
        }
        Ok(())
    }

    /// Whether this is the body of a request that must have a digest, whose checksum may give way to `Content-MD5`.
    pub(crate) fn may_go_by_md5(&self, request: &Request) -> bool {
        request.checksum == ChecksumPolicy::Required && self.expected.is_some()
    }

    /// What the signature says of the body.
    pub(crate) fn signing(&self) -> sigv4::Payload {
        self.signing
    }

    /// How many bytes go over the wire.
    fn encoded_length(&self) -> u64 {
        let trailer = self.trailer.map(|algorithm| (algorithm.header_name(), algorithm.digest_len().div_ceil(3) * 4));
        encoded_len(self.signing, self.content.length(), CHUNK as u64, trailer.as_slice())
    }

    /// Whether the body can be sent (again): it can be replayed, or no byte of it has been read yet.
    pub(crate) fn can_be_sent(&self) -> bool {
        match &self.content {
            Content::Once(once) => once.is_untouched(),
            _ => true,
        }
    }

    /// The body of one attempt; `chunks` signs it piece by piece where the signature says so.
    pub(crate) fn body(
        &self,
        chunks: Option<SignedChunks>,
        progress: &Arc<Progress>,
    ) -> Result<transport::Body, Error> {
        let length = Some(self.encoded_length());
        Ok(match &self.content {
            Content::Bytes(bytes) if bytes.len() <= CHUNK => {
                progress.sent(bytes.len());
                transport::Body::from(bytes.clone())
            }
            Content::Bytes(bytes) => {
                transport::Body::stream(length, Watched::new(transport::Body::from(bytes.clone()), progress.clone()))
            }
            Content::File(file) => self.stream(file.stream(), chunks, progress),
            Content::Once(once) => self.stream(once.start()?, chunks, progress),
        })
    }

    /// The body that `stream` gives, in frames where the signature says so.
    fn stream<S>(&self, stream: S, chunks: Option<SignedChunks>, progress: &Arc<Progress>) -> transport::Body
    where
        S: Stream<Item = Result<Bytes, BoxError>> + Summed + Send + Unpin + 'static,
    {
        let length = Some(self.encoded_length());
        let frames = match (chunks, self.trailer) {
            (Some(chunks), _) => Frames::Signed(Box::new(chunks)),
            (None, Some(_)) => Frames::Unsigned(UnsignedChunks::default()),
            (None, None) => return transport::Body::stream(length, Watched::new(stream, progress.clone())),
        };
        let framed = Framed::new(stream, frames, self.trailer, CHUNK);
        transport::Body::stream(length, Watched::new(framed, progress.clone()))
    }

    /// The error of a body that failed while it was sent, which says more than the transport's.
    pub(crate) fn take_error(&self) -> Option<Error> {
        match &self.content {
            Content::Once(once) => once.take_error(),
            Content::File(file) => file.take_error(),
            Content::Bytes(_) => None,
        }
    }

    /// The checksum of what was sent.
    fn checksum(&self) -> Option<Checksum> {
        let computed = match &self.content {
            Content::Once(once) => once.computed(),
            Content::File(file) => file.computed(),
            Content::Bytes(_) => None,
        };
        computed.or(self.expected)
    }

    /// What the caller wants to know of it.
    pub(crate) fn told_checksum(&self) -> Option<Checksum> {
        self.checksum().filter(|_| self.tells)
    }

    /// Compares what was sent with what the server says it stored.
    pub(crate) fn check_answer(&self, request: &Request, headers: &HeaderMap) -> Result<(), Error> {
        let Some(sent) = self.checksum() else { return Ok(()) };
        let algorithm = sent.algorithm();
        let Some(stored) = headers.get(algorithm.header()).and_then(|value| value.to_str().ok()) else {
            return Ok(());
        };
        match Checksum::parse(algorithm, stored) {
            Ok(stored) if stored != sent && !stored.is_composite() => {
                let is_part = request.query.iter().any(|(name, _)| name == "partNumber");
                let hint = match is_part {
                    true => "the part is stored and wrong: send it again before the upload is completed",
                    false => "the object named here is stored and wrong: delete it or write it again",
                };
                let problem =
                    format!("the server stored other bytes than were sent: its {algorithm} is {stored}, ours {sent}");
                Err(Error::new(ErrorKind::Corrupt, problem).with_hint(hint))
            }
            _ => Ok(()),
        }
    }
}

fn announce(headers: &mut HeaderMap, conditions: &Conditions) {
    let Some(algorithm) = conditions.habits.checksum.filter(|_| conditions.habits.announces_checksum) else { return };
    if headers.contains_key("x-amz-checksum-algorithm") {
        return;
    }
    headers.insert("x-amz-checksum-algorithm", HeaderValue::from_static(algorithm.as_str()));
    if algorithm.supports(ChecksumType::FullObject) && !headers.contains_key("x-amz-checksum-type") {
        headers.insert("x-amz-checksum-type", HeaderValue::from_static(ChecksumType::FullObject.as_str()));
    }
}

fn set_content_md5(headers: &mut HeaderMap, md5: &Checksum) {
    if let Ok(value) = HeaderValue::try_from(md5.to_base64()) {
        headers.insert(CONTENT_MD5, value);
    }
}

pub(crate) fn set_checksum(headers: &mut HeaderMap, checksum: &Checksum) {
    if let Ok(value) = HeaderValue::try_from(checksum.to_base64()) {
        headers.insert(checksum.algorithm().header(), value);
    }
}

/// Puts `aws-chunked` in front of whatever coding the object has.
fn add_framing(headers: &mut HeaderMap) {
    let own = headers.get(http::header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    let value = match own {
        Some(own) => HeaderValue::from_str(&format!("aws-chunked,{own}")).ok(),
        None => Some(HeaderValue::from_static("aws-chunked")),
    };
    if let Some(value) = value {
        headers.insert(http::header::CONTENT_ENCODING, value);
    }
}

type Digests = (Option<Checksum>, Option<[u8; 32]>);

fn digest(bytes: &[u8], algorithm: Option<ChecksumAlgorithm>, sha256: bool) -> Digests {
    (algorithm.map(|algorithm| algorithm.checksum(bytes)), sha256.then(|| Sha256::digest(bytes).into()))
}

fn digest_pieces(
    pieces: impl IntoIterator<Item = Bytes>,
    algorithm: Option<ChecksumAlgorithm>,
    sha256: bool,
) -> Digests {
    let mut hasher = algorithm.map(ChecksumHasher::new);
    let mut sha = sha256.then(Sha256::new);
    for piece in pieces {
        if let Some(hasher) = &mut hasher {
            hasher.update(&piece);
        }
        if let Some(sha) = &mut sha {
            sha.update(&piece);
        }
    }
    (hasher.map(ChecksumHasher::finish), sha.map(|sha| sha.finalize().into()))
}

/// Runs work that takes long or blocks away from the runtime's threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Error::new(ErrorKind::Other, "the call was cancelled: its runtime has ended")),
        },
    }
}

/// Reads a stream of unknown length into memory, up to the limit.
async fn hold(mut stream: ByteStream, limit: usize) -> Result<Bytes, Error> {
    let mut held = BytesMut::new();
    while let Some(piece) = poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await {
        let piece = piece.map_err(failed_body)?;
        if held.len() + piece.len() > limit {
            return Err(Error::invalid_input(match limit {
                0 => "the body is longer than the 0 bytes declared",
                _ => {
                    "a body of unknown length may have at most 16 MiB in one request; say its length (`.length(n)`), or use \
                     `upload`, which sends it in parts"
                }
            }));
        }
        held.extend_from_slice(&piece);
    }
    Ok(held.freeze())
}

/// The error of a stream that the caller gave. One of our own, such as a record's that cannot be written, says it best.
pub(crate) fn failed_body(error: BoxError) -> Error {
    match error.downcast::<Error>() {
        Ok(own) => *own,
        Err(error) => Error::new(ErrorKind::Body, format!("the body could not be read: {error}")).with_cause(error),
    }
}

/// The body of a request that is signed and not sent.
pub(crate) fn must_be_empty(body: Body) -> Result<(), Error> {
    match body.into_source()? {
        Source::Empty => Ok(()),
        Source::Bytes(bytes) if bytes.is_empty() => Ok(()),
        _ => Err(Error::invalid_input("a presigned request has no body yet: its holder sends it; give an empty one")),
    }
}
