//! From a host name to a TCP connection: all addresses of a host get their share, and none can hold a call up.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{TransportError, TransportErrorKind};

/// How long an address may take before the next is tried beside it, as RFC 8305 has it.
const HEAD_START: Duration = Duration::from_millis(250);

/// Who waits for longer than this waits as long as the system does.
const LONGEST_SILENCE: Duration = Duration::from_secs(3600);

/// Connects to the first address of `host` (as a URI has it) that answers. `turn` chooses which is asked first.
/// A machine that is gone is noticed after `silence`, however long its answer may be waited for.
pub(crate) async fn dial(host: &str, port: u16, turn: usize, silence: Duration) -> Result<TcpStream, TransportError> {
    let addresses = in_turn(resolve(host, port).await?, turn);
    match first_of(addresses, TcpStream::connect).await {
        Ok(stream) => {
            // Requests are written whole; waiting to fill a packet only delays them.
            let _ = stream.set_nodelay(true);
            notice_death(&stream, silence);
            Ok(stream)
        }
        Err(error) => {
            let error = Unreachable { host: host.to_owned(), port, error };
            Err(TransportError::new(TransportErrorKind::Connect, error))
        }
    }
}

/// Has the system end the connection where the other's says nothing for so long. As far as a system knows how; waiting for an
/// answer has limits of its own.
fn notice_death(stream: &TcpStream, silence: Duration) {
    // What a system can be told of is less than what a `Duration` can be.
    if silence > LONGEST_SILENCE {
        return;
    }
    let socket = SockRef::from(stream);
    let probe = (silence / 3).max(Duration::from_secs(1));
    let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(probe).with_interval(probe));
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(Some(silence));
}

/// Whether it is this machine under any name.
pub(crate) fn is_loopback(host: &str) -> bool {
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => is_localhost(host),
    }
}

fn is_localhost(host: &str) -> bool {
    // With a dot at its end a name is the same, said in full.
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, TransportError> {
    let bare = host.trim_matches(['[', ']']);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    if is_localhost(host) {
        // Not every resolver knows that all names under localhost are this machine.
        return Ok(vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()]);
    }
    match lookup_host((host, port)).await {
        Ok(addresses) => Ok(addresses.collect()),
        Err(error) => {
            let error = io::Error::new(error.kind(), format!("{host}: {error}"));
            Err(TransportError::new(TransportErrorKind::Dns, error))
        }
    }
}

/// The addresses in the order they are tried: the family that the system prefers first, the two in turns, and within
/// each another address first each time, so that connections spread over all of them.
fn in_turn(addresses: Vec<SocketAddr>, turn: usize) -> Vec<SocketAddr> {
    let Some(first) = addresses.first().map(SocketAddr::is_ipv6) else { return addresses };
    let (mut preferred, mut others): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first);
    for family in [&mut preferred, &mut others] {
        let start = turn % family.len().max(1);
        family.rotate_left(start);
    }
    let mut others = others.into_iter();
    let mut order = Vec::new();
    for address in preferred {
        order.push(address);
        order.extend(others.next());
    }
    order.extend(others);
    order
}

/// Connects to the addresses one after the other, each a moment after the one before or as soon as that has failed,
/// and takes the first that answers.
async fn first_of<T, F>(addresses: Vec<SocketAddr>, connect: impl Fn(SocketAddr) -> F) -> io::Result<T>
where
    T: Send + 'static,
    F: Future<Output = io::Result<T>> + Send + 'static,
{
    let mut addresses = addresses.into_iter();
    let mut attempts = JoinSet::new();
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    loop {
        if let Some(address) = addresses.next() {
            attempts.spawn(connect(address));
        }
        let next = attempts.join_next();
        let ended = if addresses.len() == 0 { Some(next.await) } else { timeout(HEAD_START, next).await.ok() };
        match ended {
            Some(Some(Ok(Ok(connected)))) => return Ok(connected),
            // A family that the machine cannot use says least of why the host was not reached.
            Some(Some(Ok(Err(error)))) if !has_no_route(&error) || failure.kind() == io::ErrorKind::NotFound => {
                failure = error;
            }
            Some(None) => return Err(failure),
            _ => {}
        }
    }
}

fn has_no_route(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable | io::ErrorKind::AddrNotAvailable
    )
}

/// A connection that failed, with where it went: the one thing a reader of the error needs.
#[derive(Debug)]
pub(crate) struct Unreachable {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) error: io::Error,
}

impl std::fmt::Display for Unreachable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.host, self.port, self.error)
    }
}

impl std::error::Error for Unreachable {}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::time::Instant;

    use super::*;

    fn v4(last: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, last], 443))
    }

    fn v6(last: u16) -> SocketAddr {
        SocketAddr::from(([0xfd00, 0, 0, 0, 0, 0, 0, last], 443))
    }

    #[test]
    fn both_families_and_every_address_in_turn() {
        let found = vec![v6(1), v6(2), v4(1), v4(2), v4(3)];
        assert_eq!(in_turn(found.clone(), 0), [v6(1), v4(1), v6(2), v4(2), v4(3)]);
        assert_eq!(in_turn(found.clone(), 1), [v6(2), v4(2), v6(1), v4(3), v4(1)]);
        let firsts: Vec<_> = (0..4).map(|turn| in_turn(vec![v4(1), v4(2)], turn)[0]).collect();
        assert_eq!(firsts, [v4(1), v4(2), v4(1), v4(2)]);
        assert!(in_turn(Vec::new(), 3).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_address_holds_nobody_up() {
        let tried = Arc::new(Mutex::new(Vec::new()));
        let connect = |address: SocketAddr| {
            let tried = tried.clone();
            async move {
                tried.lock().unwrap().push(address);
                match address.ip().to_string().as_str() {
                    "10.0.0.1" => std::future::pending().await,
                    "10.0.0.2" => Err(io::ErrorKind::ConnectionRefused.into()),
                    "fd00::1" => Err(io::ErrorKind::NetworkUnreachable.into()),
                    _ => Ok(address),
                }
            }
        };
        let start = Instant::now();
        let found = first_of(vec![v6(1), v4(1), v4(2), v4(3), v4(4)], connect).await.unwrap();
        assert_eq!((found, start.elapsed()), (v4(3), HEAD_START));
        assert_eq!(*tried.lock().unwrap(), [v6(1), v4(1), v4(2), v4(3)]);
        let error = first_of(vec![v4(2), v6(1)], connect).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let error = first_of(vec![v6(1)], connect).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NetworkUnreachable);
        assert_eq!(first_of(Vec::new(), connect).await.unwrap_err().to_string(), "the host has no address");
    }

    /// What the system makes of it cannot be tried here without its privileges.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_machine_that_is_gone_is_noticed() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stream = dial("127.0.0.1", port, 0, Duration::from_secs(30)).await.unwrap();
        let socket = SockRef::from(&stream);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(30)));
        assert_eq!((socket.keepalive().unwrap(), socket.tcp_keepalive_time().unwrap().as_secs()), (true, 10));
        let stream = dial("127.0.0.1", port, 0, Duration::MAX).await.unwrap();
        let socket = SockRef::from(&stream);
        assert_eq!((socket.tcp_user_timeout().unwrap(), socket.keepalive().unwrap()), (None, false));
    }

    #[test]
    fn names_of_this_machine() {
        for host in [
            "localhost",
            "s3.LOCALHOST",
            "127.0.0.1",
            "127.9.9.9",
            "[::1]",
            "::1",
            "[::ffff:127.0.0.1]",
            "s3.localhost.",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example", "10.0.0.1", "notlocalhost", "[::2]"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
