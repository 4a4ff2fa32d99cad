//! Idle connections, by where they lead.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use http::Uri;
use http::uri::Authority;
use tokio::runtime::{Handle, Id};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use super::connection::{Connection, this_runtime};

/// Servers close idle connections after 20 s and more; these are closed before.
const MAX_IDLE: Duration = Duration::from_secs(15);

/// More idle connections than this to one server are closed.
const MAX_IDLE_CONNECTIONS: usize = 128;

/// Where a connection leads: scheme, host, port. Each request makes one, of a piece of its URI.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    pub(crate) https: bool,
    authority: Authority,
}

impl Destination {
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        Some(Self { https: uri.scheme_str() == Some("https"), authority: uri.authority()?.clone() })
    }

    pub(crate) fn host(&self) -> &str {
        self.authority.host()
    }

    pub(crate) fn port(&self) -> u16 {
        self.authority.port_u16().unwrap_or(if self.https { 443 } else { 80 })
    }
}

// Of the text as it stands: that of `Authority` looks at each byte by itself.
impl PartialEq for Destination {
    fn eq(&self, other: &Self) -> bool {
        self.https == other.https && self.authority.as_str() == other.authority.as_str()
    }
}

impl Eq for Destination {}

impl Hash for Destination {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.authority.as_str().hash(state);
    }
}

/// Last in, first out: the connection used last is the likeliest to be open still.
#[derive(Default)]
pub(crate) struct Pool(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// The longest idle first.
    idle: HashMap<Destination, Vec<Idle>>,
    /// The tasks that close what nobody asks for again, one on each runtime: another's may not be driven any more.
    sweepers: Vec<(Id, AbortHandle)>,
}

struct Idle {
    connection: Connection,
    until: Instant,
}

impl Pool {
    /// A connection of this runtime that has not idled too long, if there is one. It may have been closed meanwhile.
    pub(crate) fn take(&self, destination: &Destination) -> Option<Connection> {
        let runtime = this_runtime();
        let mut state = lock(&self.0);
        let connections = state.idle.get_mut(destination)?;
        let last = connections.iter().rposition(|idle| idle.connection.runtime().map(Handle::id) == runtime)?;
        let last = connections.remove(last);
        (last.until > Instant::now()).then_some(last.connection)
    }

    /// Keeps a connection for the next request.
    pub(crate) fn put(&self, destination: &Destination, connection: Connection) {
        let mut state = lock(&self.0);
        state.sweep_later(&self.0, connection.runtime());
        let idle = Idle { connection, until: Instant::now() + MAX_IDLE };
        match state.idle.get_mut(destination) {
            Some(connections) if connections.len() < MAX_IDLE_CONNECTIONS => connections.push(idle),
            Some(_) => {}
            None => drop(state.idle.insert(destination.clone(), vec![idle])),
        }
    }
}

impl State {
    /// Starts a sweeper where the connection's runtime has none.
    fn sweep_later(&mut self, shared: &Arc<Mutex<State>>, of_connection: Option<&Handle>) {
        let Some(runtime) = of_connection else { return };
        if !self.is_swept_by(runtime.id()) {
            self.sweepers.retain(|(_, sweeper)| !sweeper.is_finished());
            let sweeper = runtime.spawn(sweep(Arc::downgrade(shared), runtime.id()));
            self.sweepers.push((runtime.id(), sweeper.abort_handle()));
        }
    }

    fn is_swept_by(&self, runtime: Id) -> bool {
        // A runtime that is gone counts as one whose sweeper is finished.
        self.sweepers.iter().any(|(of, sweeper)| *of == runtime && !sweeper.is_finished())
    }

    /// Closes what idled too long or was closed by the server; gives back when the next will have idled too long.
    fn sweep(&mut self) -> Option<Instant> {
        let now = Instant::now();
        self.idle.retain(|_, connections| {
            connections.retain(|idle| idle.until > now && idle.connection.is_open());
            !connections.is_empty()
        });
        self.idle.values().flatten().map(|idle| idle.until).min()
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.sweepers.iter().for_each(|(_, sweeper)| sweeper.abort());
    }
}

async fn sweep(pool: Weak<Mutex<State>>, runtime: Id) {
    let mut next = Instant::now() + MAX_IDLE;
    loop {
        sleep_until(next).await;
        let Some(pool) = pool.upgrade() else { return };
        let mut state = lock(&pool);
        match state.sweep() {
            Some(until) => next = until,
            None => {
                // Whoever puts a connection next starts another.
                state.sweepers.retain(|(of, _)| *of != runtime);
                return;
            }
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::advance;

    use super::super::connect::over;
    use super::*;

    async fn connection() -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (socket, wire) = over(ours);
        (Connection::new(socket, wire), listener.accept().await.unwrap().0)
    }

    fn to(host: &str) -> Destination {
        Destination { https: false, authority: host.parse().unwrap() }
    }

    #[tokio::test]
    async fn what_nobody_asks_for_again_is_closed() {
        let pool = Pool::default();
        let mut servers = Vec::new();
        for n in 0..20 {
            let (connection, server) = connection().await;
            servers.push(server);
            pool.put(&to(&format!("bucket-{n}")), connection);
        }
        assert_eq!(lock(&pool.0).idle.len(), 20);
        tokio::time::pause();
        advance(MAX_IDLE).await;
        for mut server in servers {
            assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
        }
        assert!(lock(&pool.0).idle.is_empty());
        assert!(lock(&pool.0).sweepers.is_empty());
    }

    #[tokio::test]
    async fn a_connection_that_idled_too_long_is_not_taken() {
        let pool = Pool::default();
        let (first, _server) = connection().await;
        tokio::time::pause();
        pool.put(&to("a"), first);
        advance(MAX_IDLE / 2).await;
        assert!(pool.take(&to("b")).is_none());
        let first = pool.take(&to("a")).unwrap();
        pool.put(&to("a"), first);
        lock(&pool.0).sweepers.pop().unwrap().1.abort();
        advance(MAX_IDLE).await;
        assert!(pool.take(&to("a")).is_none());
    }

    /// Each runtime sweeps, for another may not be driven any more.
    #[test]
    fn a_runtime_that_is_not_driven_keeps_nothing_open() {
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let pool = Pool::default();
        let (kept, other) = (runtime(), runtime());
        let put = async |host: &str| {
            let (connection, server) = connection().await;
            pool.put(&to(host), connection);
            server
        };
        let first = kept.block_on(put("a"));
        let mut second = other.block_on(put("b"));
        // One sweeper of each is enough.
        let third = kept.block_on(put("c"));
        assert_eq!(lock(&pool.0).sweepers.len(), 2);
        other.block_on(async {
            tokio::time::pause();
            advance(MAX_IDLE).await;
            assert_eq!(second.read(&mut [0]).await.unwrap(), 0);
        });
        assert!(lock(&pool.0).idle.is_empty());
        drop((first, third));
    }

    #[tokio::test]
    async fn what_the_server_closed_is_swept() {
        let pool = Pool::default();
        let (first, server) = connection().await;
        let (second, _open) = connection().await;
        pool.put(&to("a"), first);
        pool.put(&to("a"), second);
        drop(server);
        assert!(lock(&pool.0).sweep().is_some());
        assert_eq!(lock(&pool.0).idle.values().map(Vec::len).sum::<usize>(), 1);
    }
}
