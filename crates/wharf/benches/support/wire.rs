//! HTTP/1.1 at its barest, for the server and for the floor: heads are searched for three words, bodies are dropped.

use std::io::{self, Read, Write};

/// One end of a connection.
pub struct Wire<S> {
    pub stream: S,
    buffer: Vec<u8>,
    filled: usize,
}

impl<S: Read + Write> Wire<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, buffer: vec![0; 256 * 1024], filled: 0 }
    }

    /// Reads a message; gives its head to `answer` once its body is read. `false` where the peer has closed.
    pub fn message(&mut self, answer: impl FnOnce(&mut S, &str) -> io::Result<()>) -> io::Result<bool> {
        let end = loop {
            if let Some(at) = self.buffer[..self.filled].windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            let count = self.stream.read(&mut self.buffer[self.filled..])?;
            if count == 0 {
                return Ok(false);
            }
            self.filled += count;
        };
        let (head, rest) = self.buffer.split_at_mut(end);
        let head = std::str::from_utf8(head).map_err(io::Error::other)?;
        let length: usize = header(head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut left = length.saturating_sub(self.filled - end);
        while left > 0 {
            let count = self.stream.read(rest)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            left = left.saturating_sub(count);
        }
        // Nobody here sends a second message before the first is answered.
        self.filled = 0;
        answer(&mut self.stream, head)?;
        Ok(true)
    }
}

/// The value of a header, whose name is given in lower case.
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .find_map(|line| line.split_once(": ").filter(|(found, _)| found.eq_ignore_ascii_case(name)))
        .map(|(_, value)| value)
}
