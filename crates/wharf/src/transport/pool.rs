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
#[derive(Debug)]
pub(crate) struct Pool(Mutex<State>);

#[derive(Debug)]
struct State {
    idle: HashMap<Destination, Vec<Idle>>,
    pruned: Instant,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    since: Instant,
}

impl Idle {
    fn is_usable(&self) -> bool {
        self.since.elapsed() < MAX_IDLE && !self.connection.sender.is_closed()
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self(Mutex::new(State { idle: HashMap::new(), pruned: Instant::now() }))
    }
}

impl Pool {
    /// An open connection, if there is one that has not idled too long.
    pub(crate) fn take(&self, destination: &Destination) -> Option<Connection> {
        let mut state = self.lock();
        let connections = state.idle.get_mut(destination)?;
        connections.retain(Idle::is_usable);
        connections.pop().map(|idle| idle.connection)
    }

    /// Keeps a connection for the next request. From time to time, closes those that nobody asked for again.
    pub(crate) fn put(&self, destination: &Destination, connection: Connection) {
        if connection.sender.is_closed() {
            return;
        }
        let mut state = self.lock();
        if state.pruned.elapsed() >= MAX_IDLE {
            state.pruned = Instant::now();
            state.idle.retain(|_, connections| {
                connections.retain(Idle::is_usable);
                !connections.is_empty()
            });
        }
        if !state.idle.contains_key(destination) {
            state.idle.insert(destination.clone(), Vec::new());
        }
        if let Some(connections) = state.idle.get_mut(destination).filter(|list| list.len() < MAX_IDLE_CONNECTIONS) {
            connections.push(Idle { connection, since: Instant::now() });
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::{DuplexStream, duplex};
    use tokio::time::advance;

    use super::*;

    async fn connection() -> (Connection, DuplexStream) {
        let (ours, theirs) = duplex(64);
        (Connection::start(Box::new(ours), Arc::default()).await.unwrap(), theirs)
    }

    fn to(host: &str) -> Destination {
        Destination { https: false, host: host.to_owned(), port: 80 }
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_asks_for_again_is_closed() {
        let pool = Pool::default();
        let mut servers = Vec::new();
        for n in 0..100 {
            let (connection, server) = connection().await;
            servers.push(server);
            pool.put(&to(&format!("bucket-{n}")), connection);
        }
        assert_eq!(pool.lock().idle.len(), 100);
        advance(MAX_IDLE).await;
        let (connection, _server) = connection().await;
        pool.put(&to("another"), connection);
        assert_eq!(pool.lock().idle.len(), 1);
        for mut server in servers {
            assert_eq!(tokio::io::AsyncReadExt::read(&mut server, &mut [0]).await.unwrap(), 0);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_idled_too_long_is_not_taken() {
        let pool = Pool::default();
        let (first, _server) = connection().await;
        pool.put(&to("a"), first);
        advance(MAX_IDLE / 2).await;
        assert!(pool.take(&to("b")).is_none());
        let first = pool.take(&to("a")).unwrap();
        pool.put(&to("a"), first);
        advance(MAX_IDLE).await;
        assert!(pool.take(&to("a")).is_none());
    }
}
