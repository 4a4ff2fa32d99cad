//! Idle connections, by where they lead.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Uri;
use tokio::time::Instant;

use super::connection::Connection;

/// Servers close idle connections after 20 s and more; these are closed before.
const MAX_IDLE: Duration = Duration::from_secs(15);

/// More idle connections than this to one server are closed.
const MAX_IDLE_CONNECTIONS: usize = 128;

/// Where a connection leads: scheme, host, port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Destination {
    pub(crate) https: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Destination {
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        let https = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        Some(Self { https, host: uri.host()?.to_owned(), port })
    }
}

/// Last in, first out: the connection used last is the likeliest to be open still.
#[derive(Debug, Default)]
pub(crate) struct Pool(Mutex<HashMap<Destination, Vec<Idle>>>);

#[derive(Debug)]
struct Idle {
    connection: Connection,
    since: Instant,
}

impl Pool {
    /// An open connection, if there is one that has not idled too long.
    pub(crate) fn take(&self, destination: &Destination) -> Option<Connection> {
        let mut idle = self.lock();
        let connections = idle.get_mut(destination)?;
        let fresh = Instant::now() - MAX_IDLE;
        connections.retain(|idle| idle.since > fresh && !idle.connection.sender.is_closed());
        connections.pop().map(|idle| idle.connection)
    }

    /// Keeps a connection for the next request.
    pub(crate) fn put(&self, destination: &Destination, connection: Connection) {
        if connection.sender.is_closed() {
            return;
        }
        let mut idle = self.lock();
        if !idle.contains_key(destination) {
            idle.insert(destination.clone(), Vec::new());
        }
        if let Some(connections) = idle.get_mut(destination).filter(|list| list.len() < MAX_IDLE_CONNECTIONS) {
            connections.push(Idle { connection, since: Instant::now() });
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Destination, Vec<Idle>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
