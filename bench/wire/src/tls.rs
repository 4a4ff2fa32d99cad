//! TLS by rustls's unbuffered interface: large reads, decrypted where they lie.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::sync::Arc;

use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use rustls::{ClientConfig, ServerConfig};

use crate::{BUFFER, Each, Wire};

/// The most that is encrypted before it is sent.
const BATCH: usize = 256 * 1024;

/// A record has at most this much of content, and this much around it.
const RECORD: usize = 16 * 1024;
const AROUND: usize = 32;

/// The client's or the server's end.
pub trait Side {
    type Data;
    fn process<'c, 'i>(&'c mut self, incoming: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data>;
}

impl Side for UnbufferedClientConnection {
    type Data = rustls::client::ClientConnectionData;
    fn process<'c, 'i>(&'c mut self, incoming: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(incoming)
    }
}

impl Side for UnbufferedServerConnection {
    type Data = rustls::server::ServerConnectionData;
    fn process<'c, 'i>(&'c mut self, incoming: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(incoming)
    }
}

pub struct Tls<S> {
    socket: TcpStream,
    side: S,
    incoming: Vec<u8>,
    /// What is received and not yet decrypted.
    waiting: Range<usize>,
    /// What is decrypted and not used yet.
    plain: Vec<u8>,
    used: usize,
    outgoing: Vec<u8>,
    is_open: bool,
}

impl Tls<UnbufferedClientConnection> {
    pub fn connect(socket: TcpStream, config: Arc<ClientConfig>, name: ServerName<'static>) -> io::Result<Self> {
        Self::begin(socket, UnbufferedClientConnection::new(config, name).map_err(io::Error::other)?)
    }
}

impl Tls<UnbufferedServerConnection> {
    pub fn accept(socket: TcpStream, config: Arc<ServerConfig>) -> io::Result<Self> {
        Self::begin(socket, UnbufferedServerConnection::new(config).map_err(io::Error::other)?)
    }
}

impl<S: Side> Tls<S> {
    /// Shakes hands.
    fn begin(socket: TcpStream, side: S) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        let mut tls = Self {
            socket,
            side,
            incoming: vec![0; BUFFER],
            waiting: 0..0,
            plain: Vec::new(),
            used: 0,
            outgoing: Vec::new(),
            is_open: false,
        };
        loop {
            tls.decrypt(0, &mut |_| Ok(()))?;
            if tls.is_open {
                return Ok(tls);
            }
            if !tls.read()? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn read(&mut self) -> io::Result<bool> {
        self.incoming.copy_within(self.waiting.clone(), 0);
        self.waiting = 0..self.waiting.len();
        let count = self.socket.read(&mut self.incoming[self.waiting.end..])?;
        self.waiting.end += count;
        Ok(count > 0)
    }

    /// Decrypts all whole records that wait, and sends what the protocol itself has to say. The first `most` bytes go to
    /// `each`, the others are kept.
    fn decrypt(&mut self, most: u64, each: &mut Each<'_>) -> io::Result<u64> {
        let mut left = most;
        loop {
            let before = self.waiting.len();
            let UnbufferedStatus { mut discard, state, .. } =
                self.side.process(&mut self.incoming[self.waiting.clone()]);
            let mut is_idle = false;
            match state.map_err(io::Error::other)? {
                ConnectionState::ReadTraffic(mut traffic) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record.map_err(io::Error::other)?;
                        let now = left.min(record.payload.len() as u64) as usize;
                        if now > 0 {
                            each(&record.payload[..now])?;
                            left -= now as u64;
                        }
                        self.plain.extend_from_slice(&record.payload[now..]);
                        discard += record.discard;
                    }
                }
                ConnectionState::EncodeTlsData(mut data) => {
                    let filled = self.outgoing.len();
                    self.outgoing.resize(filled + 4096, 0);
                    let mut written = data.encode(&mut self.outgoing[filled..]);
                    if let Err(EncodeError::InsufficientSize(more)) = &written {
                        self.outgoing.resize(filled + more.required_size, 0);
                        written = data.encode(&mut self.outgoing[filled..]);
                    }
                    self.outgoing.truncate(filled + written.map_err(io::Error::other)?);
                }
                ConnectionState::TransmitTlsData(data) => {
                    self.socket.write_all(&self.outgoing)?;
                    self.outgoing.clear();
                    data.done();
                }
                ConnectionState::WriteTraffic(_) => {
                    self.is_open = true;
                    is_idle = true;
                }
                // Blocked, or closed by the other end.
                _ => is_idle = true,
            }
            self.waiting.start += discard;
            if is_idle && (discard == 0 || discard == before) {
                return Ok(most - left);
            }
        }
    }
}

impl<S: Side> Wire for Tls<S> {
    fn receive(&mut self) -> io::Result<bool> {
        self.pass(0, &mut |_| Ok(()))?;
        Ok(!self.plain.is_empty())
    }

    fn buffer(&self) -> &[u8] {
        &self.plain[self.used..]
    }

    fn consume(&mut self, count: usize) {
        self.used += count;
    }

    fn pass(&mut self, most: u64, each: &mut Each<'_>) -> io::Result<u64> {
        self.plain.clear();
        self.used = 0;
        // A read may bring less than a record, or none that is the user's.
        loop {
            if !self.read()? {
                return Ok(0);
            }
            let count = self.decrypt(most, each)?;
            if count > 0 || !self.plain.is_empty() {
                return Ok(count);
            }
        }
    }

    fn send(&mut self, pieces: &[&[u8]]) -> io::Result<()> {
        for piece in pieces.iter().flat_map(|piece| piece.chunks(BATCH)) {
            let room = piece.len() + (piece.len() / RECORD + 1) * AROUND;
            let filled = self.outgoing.len();
            if self.outgoing.capacity() == 0 || filled + room > self.outgoing.capacity() {
                self.socket.write_all(&self.outgoing)?;
                self.outgoing.clear();
            }
            let filled = self.outgoing.len();
            self.outgoing.resize(filled + room, 0);
            let ConnectionState::WriteTraffic(mut traffic) =
                self.side.process(&mut []).state.map_err(io::Error::other)?
            else {
                return Err(io::Error::other("the connection cannot be written to"));
            };
            match traffic.encrypt(piece, &mut self.outgoing[filled..]) {
                Ok(count) => self.outgoing.truncate(filled + count),
                Err(EncryptError::InsufficientSize(more)) => {
                    return Err(io::Error::other(format!("{} bytes of room are too few", more.required_size)));
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        self.socket.write_all(&self.outgoing)?;
        self.outgoing.clear();
        Ok(())
    }

    fn bare(&self) -> Option<&TcpStream> {
        None
    }
}
