//! Blocking connections at the least cost: what the sink and the floor are made of.

mod http;
mod plain;
mod tls;

use std::io;
use std::net::TcpStream;

pub use http::{Http, header, status};
pub use plain::Plain;
pub use tls::Tls;

/// How much is read at once.
pub const BUFFER: usize = 256 * 1024;

/// One end of a connection, with a buffer of what came and is not used yet.
pub trait Wire {
    /// Waits for more; false at the end. The buffer must be empty.
    fn receive(&mut self) -> io::Result<bool>;

    /// What came and is not used yet.
    fn buffer(&self) -> &[u8];

    /// Forgets the first bytes of the buffer.
    fn consume(&mut self, count: usize);

    /// Waits for more and gives up to `most` bytes of it to `each`, where possible without copying them. What is beyond
    /// them stays in the buffer, which must be empty before. Says how many it were, 0 at the end.
    fn pass(&mut self, most: u64, each: &mut Each<'_>) -> io::Result<u64>;

    /// Sends all of this.
    fn send(&mut self, pieces: &[&[u8]]) -> io::Result<()>;

    /// The socket, where what is sent and received goes over it unchanged.
    fn bare(&self) -> Option<&TcpStream>;
}

/// Takes the bytes of a body as they come.
pub type Each<'a> = dyn FnMut(&[u8]) -> io::Result<()> + 'a;
