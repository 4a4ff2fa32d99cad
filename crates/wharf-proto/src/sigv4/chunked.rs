//! `aws-chunked`: a body in chunks, each signed, or with trailers behind them, or both.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::canonical::{Sink, put_preamble};
use super::key::HmacSha256;
use super::{EMPTY_SHA256, Payload, Signature, Signer, SigningKey, hex};

const CRLF: &[u8] = b"\r\n";
const SIGNATURE_ATTRIBUTE: &[u8] = b";chunk-signature=";
const TRAILER_SIGNATURE: &[u8] = b"x-amz-trailer-signature:";
const SIGNATURE_LENGTH: usize = 64;

/// The framing of a body whose chunks are signed, each signature covering the one before.
///
/// For [`Payload::StreamingSigned`] and, with trailers, [`Payload::StreamingSignedTrailer`]. Only the framing is made
/// here. The data goes on the wire between two pieces of it, uncopied:
///
/// ```text
/// chunk(a)    10000;chunk-signature=...\r\n
///             a, as it is
/// chunk(b)    \r\n400;chunk-signature=...\r\n
///             b, as it is
/// finish(&[]) \r\n0;chunk-signature=...\r\n\r\n
/// ```
///
/// Such a request has `content-encoding: aws-chunked`, its real length in `x-amz-decoded-content-length`, the names of
/// its trailers in `x-amz-trailer`, and the length that [`encoded_len`] gives in `content-length`. S3 wants 8 KiB or more in
/// each chunk but the last. Owns all it needs, to move into a body. `Debug` shows no key and no signature.
#[derive(Clone, Debug)]
pub struct SignedChunks {
    key: SigningKey,
    /// The lines between the algorithm and the signature before: time and credential scope.
    context: Box<[u8]>,
    previous: Signature,
    started: bool,
}

impl SignedChunks {
    /// The framing of the request whose headers `signer` has just signed with `seed`.
    pub fn new(signer: &Signer<'_>, seed: Signature) -> Self {
        let mut context = Vec::with_capacity(64);
        put_preamble("", signer.date, signer.scope, &mut context);
        Self { key: signer.key.clone(), context: context.into(), previous: seed, started: false }
    }

    /// The bytes to send before `data`: the end of the chunk before, if there is one, and `data`'s own header.
    ///
    /// `data` is one chunk, not empty: a chunk of no bytes ends a body, which is for [`finish`](Self::finish) to do. For
    /// empty `data` nothing is to be sent and nothing is.
    pub fn chunk(&mut self, data: &[u8]) -> Bytes {
        if data.is_empty() {
            return Bytes::new();
        }
        let mut head = Vec::with_capacity(128);
        self.put_head(data, &mut head);
        head.into()
    }

    /// The bytes to send last: the end of the chunk before, the empty chunk, and the trailers with their signature.
    ///
    /// `trailers` are pairs of a lower-case name and a value, in the order of `x-amz-trailer`; none for
    /// [`Payload::StreamingSigned`].
    pub fn finish(mut self, trailers: &[(&str, &str)]) -> Bytes {
        let mut tail = Vec::with_capacity(384);
        self.put_head(&[], &mut tail);
        if !trailers.is_empty() {
            put_trailers(trailers, CRLF, &mut tail);
            let signature = self.trailer_signature(trailers);
            tail.put(TRAILER_SIGNATURE);
            tail.put(signature.as_str().as_bytes());
            tail.put(CRLF);
        }
        tail.put(CRLF);
        tail.into()
    }

    fn put_head(&mut self, data: &[u8], sink: &mut Vec<u8>) {
        self.previous = self.chunk_signature(data);
        if std::mem::replace(&mut self.started, true) {
            sink.put(CRLF);
        }
        put_size(data.len() as u64, sink);
        sink.put(SIGNATURE_ATTRIBUTE);
        sink.put(self.previous.as_str().as_bytes());
        sink.put(CRLF);
    }

    fn chunk_signature(&self, data: &[u8]) -> Signature {
        let mut mac = self.mac(b"AWS4-HMAC-SHA256-PAYLOAD");
        mac.put(&hex(&EMPTY_SHA256));
        mac.put(b"\n");
        mac.put(&hex(&Sha256::digest(data).into()));
        Signature::of(mac)
    }

    fn trailer_signature(&self, trailers: &[(&str, &str)]) -> Signature {
        let mut hash = Sha256::new();
        put_trailers(trailers, b"\n", &mut hash);
        let mut mac = self.mac(b"AWS4-HMAC-SHA256-TRAILER");
        mac.put(&hex(&hash.finalize().into()));
        Signature::of(mac)
    }

    /// An HMAC that has seen the string to sign up to the line of the signature before.
    fn mac(&self, algorithm: &[u8]) -> HmacSha256 {
        let mut mac = self.key.mac();
        for piece in [algorithm, &self.context, self.previous.as_str().as_bytes(), b"\n"] {
            mac.put(piece);
        }
        mac
    }
}

/// The framing of a body whose chunks are not signed and that ends with trailers:
/// [`Payload::StreamingUnsignedTrailer`], for https.
///
/// A body of known length may be one single chunk. The request's headers are those of [`SignedChunks`].
///
/// ```
/// use wharf_proto::sigv4::UnsignedChunks;
///
/// let mut chunks = UnsignedChunks::default();
/// let mut wire = chunks.chunk(5).to_vec();
/// wire.extend_from_slice(b"hello");
/// wire.extend_from_slice(&chunks.finish(&[("x-amz-checksum-crc32", "NhCmhg==")]));
/// assert_eq!(wire, b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n");
/// ```
#[derive(Clone, Debug, Default)]
pub struct UnsignedChunks {
    started: bool,
}

impl UnsignedChunks {
    /// The bytes to send before a chunk of `length` bytes: the end of the chunk before, if there is one, and this one's
    /// header. Nothing if `length` is 0.
    pub fn chunk(&mut self, length: u64) -> Bytes {
        if length == 0 {
            return Bytes::new();
        }
        let mut head = Vec::with_capacity(20);
        self.put_head(length, &mut head);
        head.into()
    }

    /// The bytes to send last: the end of the chunk before, the empty chunk, and the trailers.
    ///
    /// `trailers` are pairs of a lower-case name and a value.
    pub fn finish(mut self, trailers: &[(&str, &str)]) -> Bytes {
        let mut tail = Vec::with_capacity(96);
        self.put_head(0, &mut tail);
        put_trailers(trailers, CRLF, &mut tail);
        tail.put(CRLF);
        tail.into()
    }

    fn put_head(&mut self, length: u64, sink: &mut Vec<u8>) {
        if std::mem::replace(&mut self.started, true) {
            sink.put(CRLF);
        }
        put_size(length, sink);
        sink.put(CRLF);
    }
}

/// The exact number of bytes on the wire for a body of `length` bytes, sent as chunks of `chunk_size` bytes and a
/// shorter last one. At most `u64::MAX`.
///
/// `trailers` are pairs of a name and the length of its value. For payloads that are not streaming this is `length`. A
/// `chunk_size` of 0 counts as one chunk for all.
///
/// ```
/// use wharf_proto::sigv4::{Payload, encoded_len};
///
/// assert_eq!(encoded_len(Payload::StreamingSigned, 66_560, 65_536, &[]), 66_824);
/// assert_eq!(encoded_len(Payload::StreamingUnsignedTrailer, 5, 65_536, &[("x-amz-checksum-crc32", 8)]), 46);
/// ```
pub fn encoded_len(payload: Payload, length: u64, chunk_size: u64, trailers: &[(&str, usize)]) -> u64 {
    let (signed, trailer_signed) = match payload {
        Payload::Sha256(_) | Payload::Unsigned => return length,
        Payload::StreamingSigned => (true, false),
        Payload::StreamingSignedTrailer => (true, true),
        Payload::StreamingUnsignedTrailer => (false, false),
    };
    let attribute = if signed { SIGNATURE_ATTRIBUTE.len() + SIGNATURE_LENGTH } else { 0 };
    // Size, signature and line end before the data.
    let head = |size: u64| hex_digits(size) + (attribute + CRLF.len()) as u64;
    let chunk = |size: u64| size.saturating_add(head(size) + CRLF.len() as u64);

    let chunk_size = if chunk_size == 0 { length.max(1) } else { chunk_size };
    let (whole, rest) = (length / chunk_size, length % chunk_size);
    let chunks = whole.saturating_mul(chunk(chunk_size)).saturating_add(if rest > 0 { chunk(rest) } else { 0 });
    let line = |name: usize, value: usize| name + 1 + value + CRLF.len();
    let trailer_lines: usize = trailers.iter().map(|(name, value)| line(name.len(), *value)).sum();
    let signature_line = if trailer_signed { TRAILER_SIGNATURE.len() + SIGNATURE_LENGTH + CRLF.len() } else { 0 };
    chunks.saturating_add(head(0) + (trailer_lines + signature_line + CRLF.len()) as u64)
}

fn hex_digits(size: u64) -> u64 {
    u64::from(size.checked_ilog2().unwrap_or(0)) / 4 + 1
}

/// Writes a chunk's size: lower-case hex without leading zeros.
fn put_size(size: u64, sink: &mut Vec<u8>) {
    for digit in (0..hex_digits(size)).rev() {
        sink.push(b"0123456789abcdef"[(size >> (4 * digit) & 15) as usize]);
    }
}

fn put_trailers(trailers: &[(&str, &str)], line_end: &[u8], sink: &mut impl Sink) {
    for (name, value) in trailers {
        sink.put(name.as_bytes());
        sink.put(b":");
        sink.put(value.as_bytes());
        sink.put(line_end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_without_end_has_an_encoded_length() {
        for payload in [Payload::StreamingSigned, Payload::StreamingSignedTrailer, Payload::StreamingUnsignedTrailer] {
            for chunk_size in [0, 1, 65_536, u64::MAX] {
                assert_eq!(encoded_len(payload, u64::MAX, chunk_size, &[("x-amz-checksum-crc32", 8)]), u64::MAX);
            }
        }
    }
}
