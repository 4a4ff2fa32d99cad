//! The framing of `aws-chunked` bodies. Of signed requests it is watched on its way to `s3s`, which checks and unframes
//! them but lets short chunks and a missing end pass; bodies that nobody signed are unframed here.

use http::{HeaderMap, HeaderName};

use crate::error::{Code, Error, Result};

/// The least size of every chunk but the last.
const LEAST: u64 = 8 * 1024;

/// The most that a chunk's head may take.
const MOST_HEAD: usize = 1024;

/// The most that all trailers may take.
const MOST_TRAILERS: usize = 16 * 1024;

/// Follows the framing byte by byte, buffering no data.
#[derive(Default)]
pub(crate) struct Chunks {
    state: State,
    last: Option<u64>,
    trailers: Vec<u8>,
}

enum State {
    Head(Vec<u8>),
    Data(u64),
    /// The line break after a chunk's data: how many of its bytes came.
    Break(u8),
    /// After the chunk of no bytes.
    End,
}

impl Default for State {
    fn default() -> Self {
        State::Head(Vec::new())
    }
}

impl Chunks {
    /// Takes the next bytes of the body, and gives `data` those that are no framing.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], mut data: impl FnMut(&[u8])) -> Result<()> {
        while let Some((&byte, rest)) = bytes.split_first() {
            match &mut self.state {
                State::End => {
                    self.trailers.extend_from_slice(bytes);
                    return if self.trailers.len() > MOST_TRAILERS { Err(malformed()) } else { Ok(()) };
                }
                State::Data(left) => {
                    let taken = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    *left -= taken as u64;
                    data(&bytes[..taken]);
                    bytes = &bytes[taken..];
                    if *left == 0 {
                        self.state = State::Break(0);
                    }
                    continue;
                }
                State::Break(seen) => {
                    if byte != b"\r\n"[usize::from(*seen)] {
                        return Err(malformed());
                    }
                    *seen += 1;
                    if *seen == 2 {
                        self.state = State::default();
                    }
                }
                State::Head(head) => {
                    head.push(byte);
                    if head.len() > MOST_HEAD {
                        return Err(malformed());
                    }
                    if byte == b'\n' {
                        let size = size(head)?;
                        self.begin(size)?;
                    }
                }
            }
            bytes = rest;
        }
        Ok(())
    }

    /// The body ended.
    pub(crate) fn end(&self) -> Result<()> {
        match self.state {
            State::End => Ok(()),
            _ => Err(Code::IncompleteBody.into()),
        }
    }

    /// The headers behind the body, as far as they are some.
    pub(crate) fn trailers(&self) -> HeaderMap {
        let text = String::from_utf8_lossy(&self.trailers);
        let pairs = text.lines().filter_map(|line| line.split_once(':'));
        pairs.filter_map(|(name, value)| Some((name.parse::<HeaderName>().ok()?, value.trim().parse().ok()?))).collect()
    }

    fn begin(&mut self, size: u64) -> Result<()> {
        if size == 0 {
            self.state = State::End;
            return Ok(());
        }
        if self.last.is_some_and(|last| last < LEAST) {
            return Err(Code::InvalidChunkSizeError.into());
        }
        self.last = Some(size);
        self.state = State::Data(size);
        Ok(())
    }
}

fn size(head: &[u8]) -> Result<u64> {
    let digits = head.split(|byte| matches!(byte, b';' | b'\r')).next().unwrap_or_default();
    let text = std::str::from_utf8(digits).map_err(|_| malformed())?;
    let shaped = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit()) && head.ends_with(b"\r\n");
    if !shaped {
        return Err(malformed());
    }
    u64::from_str_radix(text, 16).map_err(|_| malformed())
}

fn malformed() -> Error {
    Error::new(Code::InvalidRequest, "The body is not framed as aws-chunked")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `body` in pieces of `step` bytes.
    fn run(body: &[u8], step: usize) -> Result<()> {
        let mut chunks = Chunks::default();
        for piece in body.chunks(step) {
            chunks.feed(piece, |_| {})?;
        }
        chunks.end()
    }

    #[test]
    fn data_and_trailers() {
        for step in [1, 3, 100] {
            let (mut chunks, mut data) = (Chunks::default(), Vec::new());
            for piece in b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32: abc\r\n\r\n".chunks(step) {
                chunks.feed(piece, |bytes| data.extend_from_slice(bytes)).unwrap();
            }
            assert_eq!(data, b"hello");
            assert_eq!(chunks.trailers()["x-amz-checksum-crc32"], "abc");
        }
    }

    fn body(sizes: &[usize], end: &str) -> Vec<u8> {
        let mut out = Vec::new();
        for size in sizes {
            out.extend(format!("{size:x};chunk-signature=0\r\n").bytes());
            out.extend(vec![b'x'; *size]);
            out.extend(b"\r\n");
        }
        out.extend(end.bytes());
        out
    }

    #[test]
    fn good_framing_in_any_pieces() {
        for step in [1, 7, 4096, 1 << 20] {
            run(&body(&[8192, 9000, 1], "0\r\nx-amz-checksum-crc32:abc\r\n\r\n"), step).unwrap();
            run(&body(&[], "0\r\n\r\n"), step).unwrap();
        }
    }

    #[test]
    fn bad_framing() {
        for (bad, code) in [
            (body(&[8192], ""), Code::IncompleteBody),
            (body(&[3, 3], "0\r\n\r\n"), Code::InvalidChunkSizeError),
            (b"zz\r\n".to_vec(), Code::InvalidRequest),
            (b"3\r\nabcd\r\n0\r\n\r\n".to_vec(), Code::InvalidRequest),
            (b"5\r\nab".to_vec(), Code::IncompleteBody),
            (vec![b'1'; 2000], Code::InvalidRequest),
        ] {
            assert_eq!(run(&bad, 1).unwrap_err().code(), code);
        }
    }
}
