//! Where the body of an answer ends.

use bytes::{Buf, Bytes, BytesMut};
use httparse::{InvalidChunkSize, Status, parse_chunk_size};
use memchr::memchr;

/// A chunk's size with its extensions may be as long as this.
const MAX_SIZE_LINE: usize = 1024;

/// The trailers may be as long as this in all.
const MAX_TRAILERS: usize = 16 * 1024;

/// What is left of an answer's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// `left` of `whole` bytes.
    Length { left: u64, whole: u64 },
    /// Chunks, of which the last is empty.
    Chunked(Chunked),
    /// All that comes until the server closes the connection.
    UntilClosed,
}

/// Where in a chunked body the next byte belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chunked {
    /// To the line with the size of a chunk.
    Size,
    /// To a chunk of which so much is left.
    Data(u64),
    /// To the end of line after a chunk.
    DataEnd,
    /// To the trailers, of which so many bytes came.
    Trailers(usize),
}

/// What a body can give of what has come so far.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Data(Bytes),
    /// Nothing before more has come.
    Wanted,
    Over,
}

impl Framing {
    pub(crate) const NONE: Self = Self::Length { left: 0, whole: 0 };

    pub(crate) fn chunked() -> Self {
        Self::Chunked(Chunked::Size)
    }

    pub(crate) fn is_over(self) -> bool {
        matches!(self, Self::Length { left: 0, .. })
    }

    /// The bytes that are still to come, where that is known.
    pub(crate) fn left(self) -> Option<u64> {
        match self {
            Self::Length { left, .. } => Some(left),
            Self::Chunked(_) | Self::UntilClosed => None,
        }
    }

    /// Takes the next piece of the body from the front of `came`.
    pub(crate) fn take(&mut self, came: &mut BytesMut) -> Result<Piece, &'static str> {
        loop {
            match self {
                Self::Length { left: 0, .. } => return Ok(Piece::Over),
                Self::Length { left, .. } => return Ok(take_up_to(left, came)),
                Self::UntilClosed if came.is_empty() => return Ok(Piece::Wanted),
                Self::UntilClosed => return Ok(Piece::Data(came.split().freeze())),
                Self::Chunked(Chunked::Data(left)) if *left > 0 => return Ok(take_up_to(left, came)),
                Self::Chunked(chunked) => match chunked.step(came)? {
                    Step::Next(next) => *chunked = next,
                    Step::Wanted => return Ok(Piece::Wanted),
                    Step::Over => *self = Self::NONE,
                },
            }
        }
    }

    /// The server has closed the connection: whether the body is whole, and if not, what to say.
    pub(crate) fn close(&mut self) -> Result<(), String> {
        match *self {
            Self::UntilClosed => {
                *self = Self::NONE;
                Ok(())
            }
            Self::Length { left, whole } => Err(format!("{} of its {whole} bytes came", whole - left)),
            Self::Chunked(_) => Err("its last chunk did not come".to_owned()),
        }
    }
}

fn take_up_to(left: &mut u64, came: &mut BytesMut) -> Piece {
    let count = usize::try_from(*left).unwrap_or(usize::MAX).min(came.len());
    if count == 0 {
        return Piece::Wanted;
    }
    *left -= count as u64;
    Piece::Data(came.split_to(count).freeze())
}

enum Step {
    Next(Chunked),
    Wanted,
    Over,
}

const NOT_CHUNKED: &str = "a chunk of its answer does not begin with its size";

impl Chunked {
    /// Reads what is between the data.
    fn step(self, came: &mut BytesMut) -> Result<Step, &'static str> {
        Ok(match self {
            // An empty line is no size of zero.
            Self::Size if came.first().is_some_and(|byte| !byte.is_ascii_hexdigit()) => return Err(NOT_CHUNKED),
            Self::Size => match parse_chunk_size(came) {
                Ok(Status::Complete((length, size))) => {
                    came.advance(length);
                    Step::Next(if size == 0 { Self::Trailers(0) } else { Self::Data(size) })
                }
                Ok(Status::Partial) if came.len() <= MAX_SIZE_LINE => Step::Wanted,
                Ok(Status::Partial) | Err(InvalidChunkSize) => return Err(NOT_CHUNKED),
            },
            Self::Data(_) => Step::Next(Self::DataEnd),
            Self::DataEnd => match came[..] {
                [b'\r', b'\n', ..] => {
                    came.advance(2);
                    Step::Next(Self::Size)
                }
                [] | [b'\r'] => Step::Wanted,
                _ => return Err("a chunk of its answer is longer than it says"),
            },
            // They say nothing that S3 needs.
            Self::Trailers(length) => match memchr(b'\n', came) {
                Some(at) => {
                    let is_empty = matches!(came[..at], [] | [b'\r']);
                    came.advance(at + 1);
                    match length + at {
                        _ if is_empty => Step::Over,
                        length if length > MAX_TRAILERS => return Err(TRAILERS_TOO_LARGE),
                        length => Step::Next(Self::Trailers(length)),
                    }
                }
                None if length + came.len() > MAX_TRAILERS => return Err(TRAILERS_TOO_LARGE),
                None => Step::Wanted,
            },
        })
    }
}

const TRAILERS_TOO_LARGE: &str = "the trailers of its answer are too large";

#[cfg(test)]
mod tests {
    use super::*;

    /// What a body gives of `text` that comes in pieces of `at_once` bytes, and what is left over.
    fn read(mut framing: Framing, text: &str, at_once: usize) -> Result<(String, String), &'static str> {
        let (mut came, mut data, mut rest) = (BytesMut::new(), Vec::new(), text.as_bytes());
        loop {
            match framing.take(&mut came)? {
                Piece::Data(piece) => {
                    assert!(!piece.is_empty());
                    data.extend_from_slice(&piece);
                }
                Piece::Over => break,
                Piece::Wanted if rest.is_empty() => return Err("it has no end"),
                Piece::Wanted => {
                    let (now, later) = rest.split_at(at_once.min(rest.len()));
                    came.extend_from_slice(now);
                    rest = later;
                }
            }
        }
        assert!(framing.is_over());
        came.extend_from_slice(rest);
        Ok((String::from_utf8(data).unwrap(), String::from_utf8(came.to_vec()).unwrap()))
    }

    fn every_way(framing: Framing, text: &str) -> Result<(String, String), &'static str> {
        let slowly = read(framing, text, 1);
        for at_once in 2..=text.len().max(2) {
            assert_eq!(read(framing, text, at_once), slowly, "{text:?}, {at_once} at once");
        }
        slowly
    }

    fn told(data: &str, rest: &str) -> Result<(String, String), &'static str> {
        Ok((data.to_owned(), rest.to_owned()))
    }

    #[test]
    fn bodies_that_end() {
        let length = Framing::Length { left: 6, whole: 6 };
        assert_eq!(every_way(length, "Hello!HTTP"), told("Hello!", "HTTP"));
        assert_eq!(every_way(Framing::NONE, "HTTP"), told("", "HTTP"));
        for text in [
            "3\r\nHel\r\n3;x=1\r\nlo!\r\n0\r\n\r\n",
            "6\r\nHello!\r\n00;a\r\nx-trailer: 1\r\nx: 2\r\n\r\n",
            "0006 \r\nHello!\r\n0\r\n\n",
        ] {
            assert_eq!(every_way(Framing::chunked(), &format!("{text}HTTP")), told("Hello!", "HTTP"), "{text:?}");
        }
        assert_eq!(every_way(Framing::chunked(), "A\r\n0123456789\r\n0\r\n\r\n"), told("0123456789", ""));
    }

    #[test]
    fn chunks_that_are_none() {
        for wrong in ["\r\n", "x\r\n", "-1\r\n", ";x\r\n", "11111111111111111\r\n", "3\nHel", " 3\r\n"] {
            assert_eq!(every_way(Framing::chunked(), wrong), Err(NOT_CHUNKED), "{wrong:?}");
        }
        assert_eq!(every_way(Framing::chunked(), "3\r\nHello"), Err("a chunk of its answer is longer than it says"));
        let endless = format!("3;{}", "x".repeat(MAX_SIZE_LINE));
        assert_eq!(read(Framing::chunked(), &endless, 1000), Err(NOT_CHUNKED));
        for trailers in ["x".repeat(MAX_TRAILERS + 1), "x: 1\r\n".repeat(MAX_TRAILERS / 4)] {
            assert_eq!(read(Framing::chunked(), &format!("0\r\n{trailers}"), 1000), Err(TRAILERS_TOO_LARGE));
        }
    }

    #[test]
    fn bodies_that_the_server_ends() {
        let mut framing = Framing::UntilClosed;
        let mut came = BytesMut::from("Hello!");
        assert_eq!(framing.take(&mut came), Ok(Piece::Data("Hello!".into())));
        assert_eq!(framing.take(&mut came), Ok(Piece::Wanted));
        assert_eq!(framing.close(), Ok(()));
        assert_eq!(framing.take(&mut came), Ok(Piece::Over));
        let mut framing = Framing::Length { left: 6, whole: 6 };
        framing.take(&mut BytesMut::from("Hel")).unwrap();
        assert_eq!(framing.close(), Err("3 of its 6 bytes came".to_owned()));
        assert_eq!(Framing::chunked().close(), Err("its last chunk did not come".to_owned()));
    }
}
