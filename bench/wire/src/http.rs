//! HTTP/1.1 at its barest: heads are searched for the words that matter.

use std::io;

use memchr::memmem;

use crate::{Each, Wire};

/// A connection that takes one message after another.
pub struct Http<W> {
    pub wire: W,
    head: Vec<u8>,
}

impl<W: Wire> Http<W> {
    pub fn new(wire: W) -> Self {
        Self { wire, head: Vec::new() }
    }

    /// The head of the next message, its empty line included; `None` where the connection ends before it.
    pub fn head(&mut self) -> io::Result<Option<&[u8]>> {
        self.head.clear();
        loop {
            if self.wire.buffer().is_empty() && !self.wire.receive()? {
                return if self.head.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
            let before = self.head.len();
            let from = before.saturating_sub(3);
            let buffer = self.wire.buffer();
            // Heads are short; what follows them is not.
            self.head.extend_from_slice(&buffer[..buffer.len().min(4096)]);
            if let Some(at) = memmem::find(&self.head[from..], b"\r\n\r\n") {
                let end = from + at + 4;
                self.head.truncate(end);
                self.wire.consume(end - before);
                return Ok(Some(&self.head));
            }
            self.wire.consume(self.head.len() - before);
        }
    }

    /// The head that was read last.
    pub fn last_head(&self) -> &[u8] {
        &self.head
    }

    /// Gives `length` bytes of the body to `each`, as they come.
    pub fn body(&mut self, length: u64, each: &mut Each<'_>) -> io::Result<()> {
        let mut left = length;
        let count = left.min(self.wire.buffer().len() as u64) as usize;
        if count > 0 {
            each(&self.wire.buffer()[..count])?;
            self.wire.consume(count);
            left -= count as u64;
        }
        while left > 0 {
            match self.wire.pass(left, each)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => left -= count,
            }
        }
        Ok(())
    }

    /// Drops what is buffered of a body that has `length` bytes left, and says how many bytes are still to come.
    pub fn drop_buffered(&mut self, length: u64) -> u64 {
        let count = length.min(self.wire.buffer().len() as u64);
        self.wire.consume(count as usize);
        length - count
    }
}

/// A header of this name (in lower case), of a head.
pub fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    let mut lines = head.split(|byte| *byte == b'\n');
    lines.next();
    for line in lines {
        if line.len() > name.len()
            && line[name.len()] == b':'
            && line[..name.len()].eq_ignore_ascii_case(name.as_bytes())
        {
            return std::str::from_utf8(&line[name.len() + 1..]).ok().map(str::trim);
        }
    }
    None
}

/// The status of an answer's head.
pub fn status(head: &[u8]) -> u16 {
    std::str::from_utf8(head.get(9..12).unwrap_or_default()).ok().and_then(|code| code.parse().ok()).unwrap_or(0)
}
