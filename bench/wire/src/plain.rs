//! Without TLS.

use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
use std::ops::Range;

use crate::{BUFFER, Each, Wire};

pub struct Plain {
    socket: TcpStream,
    buffer: Vec<u8>,
    unused: Range<usize>,
}

impl Plain {
    pub fn new(socket: TcpStream) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        Ok(Self { socket, buffer: vec![0; BUFFER], unused: 0..0 })
    }
}

impl Wire for Plain {
    fn receive(&mut self) -> io::Result<bool> {
        self.unused = 0..self.socket.read(&mut self.buffer)?;
        Ok(!self.unused.is_empty())
    }

    fn buffer(&self) -> &[u8] {
        &self.buffer[self.unused.clone()]
    }

    fn consume(&mut self, count: usize) {
        self.unused.start += count;
    }

    fn pass(&mut self, most: u64, each: &mut Each<'_>) -> io::Result<u64> {
        self.receive()?;
        let count = most.min(self.unused.len() as u64) as usize;
        if count > 0 {
            each(&self.buffer[..count])?;
        }
        self.consume(count);
        Ok(count as u64)
    }

    fn send(&mut self, pieces: &[&[u8]]) -> io::Result<()> {
        let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        let mut left = slices.as_mut_slice();
        while !left.is_empty() {
            let count = self.socket.write_vectored(left)?;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            IoSlice::advance_slices(&mut left, count);
        }
        Ok(())
    }

    fn bare(&self) -> Option<&TcpStream> {
        Some(&self.socket)
    }
}
