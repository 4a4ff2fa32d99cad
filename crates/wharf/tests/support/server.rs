//! A TCP server that does what a test tells it to, byte by byte.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A server on a loopback port; every connection is handed to the script. Ends when dropped.
pub struct Server {
    port: u16,
    scheme: &'static str,
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    connections: usize,
    requests: Vec<Head>,
}

/// The head of a request.
#[derive(Debug, Clone)]
pub struct Head {
    pub method: String,
    /// Path and query, as they came.
    pub target: String,
    pub headers: HeaderMap,
}

impl Head {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn length(&self) -> usize {
        self.header("content-length").map_or(0, |length| length.parse().unwrap())
    }
}

/// One connection.
pub struct Conn {
    /// From 1, in the order of acceptance.
    pub number: usize,
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
    seen: Arc<Mutex<Seen>>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {
    fn reset_on_drop(&mut self);
}

impl Stream for TcpStream {
    fn reset_on_drop(&mut self) {
        self.set_zero_linger().unwrap();
    }
}

impl Stream for tokio_rustls::server::TlsStream<TcpStream> {
    fn reset_on_drop(&mut self) {
        self.get_mut().0.set_zero_linger().unwrap();
    }
}

impl Server {
    pub async fn start<F>(script: impl Fn(Conn) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::serve(None, script).await
    }

    /// The same behind TLS.
    pub async fn start_tls<F>(acceptor: TlsAcceptor, script: impl Fn(Conn) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::serve(Some(acceptor), script).await
    }

    async fn serve<F>(tls: Option<TlsAcceptor>, script: impl Fn(Conn) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let shared = seen.clone();
        let script = Arc::new(script);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // What was written has left when the script closes the connection, even where that resets it.
                stream.set_nodelay(true).unwrap();
                let number = {
                    let mut seen = shared.lock().unwrap();
                    seen.connections += 1;
                    seen.connections
                };
                let (tls, script, seen) = (tls.clone(), script.clone(), shared.clone());
                connections.spawn(async move {
                    let stream: Box<dyn Stream> = match tls {
                        None => Box::new(stream),
                        Some(acceptor) => match acceptor.accept(stream).await {
                            Ok(stream) => Box::new(stream),
                            Err(_) => return,
                        },
                    };
                    script(Conn { number, stream, buffer: Vec::new(), seen }).await;
                });
            }
        });
        Self { port, scheme, seen, task }
    }

    /// Answers every request of every connection with the same bytes.
    pub async fn always(answer: impl Into<String>) -> Self {
        let answer = answer.into();
        Self::start(move |mut conn| {
            let answer = answer.clone();
            async move {
                while conn.request().await.is_some() {
                    conn.write(&answer).await;
                }
            }
        })
        .await
    }

    pub fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    /// The heads of all requests so far.
    pub fn requests(&self) -> Vec<Head> {
        self.seen.lock().unwrap().requests.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Conn {
    /// The next request's head; `None` where the client closes instead.
    pub async fn head(&mut self) -> Option<Head> {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            if !self.fill().await {
                return None;
            }
        };
        let text = String::from_utf8(self.buffer.drain(..end).collect()).unwrap();
        let mut lines = text.split("\r\n").filter(|line| !line.is_empty());
        let mut words = lines.next().unwrap().split(' ');
        let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
        let mut headers = HeaderMap::new();
        for (name, value) in lines.map(|line| line.split_once(": ").unwrap()) {
            headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let head = Head { method, target, headers };
        self.seen.lock().unwrap().requests.push(head.clone());
        Some(head)
    }

    /// The next request, with its whole body.
    pub async fn request(&mut self) -> Option<(Head, Vec<u8>)> {
        let head = self.head().await?;
        let body = self.read(head.length()).await;
        Some((head, body))
    }

    /// Up to `count` bytes; fewer where the client closes.
    pub async fn read(&mut self, count: usize) -> Vec<u8> {
        while self.buffer.len() < count && self.fill().await {}
        let count = count.min(self.buffer.len());
        self.buffer.drain(..count).collect()
    }

    /// Writes bytes; whether the client still takes them.
    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok() && self.stream.flush().await.is_ok()
    }

    /// An answer with a body and its length.
    pub async fn answer(&mut self, status: u16, body: impl AsRef<[u8]>) -> bool {
        let body = body.as_ref();
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
        self.write(head).await && self.write(body).await
    }

    /// Reads until the client closes, or resets; how many bytes that were.
    pub async fn until_closed(&mut self) -> usize {
        let mut count = std::mem::take(&mut self.buffer).len();
        while self.fill().await {
            count += std::mem::take(&mut self.buffer).len();
        }
        count
    }

    /// Hands every byte on to another server, and its answers back.
    pub async fn pipe(mut self, address: std::net::SocketAddr) {
        let mut to = TcpStream::connect(address).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut self.stream, &mut to).await;
    }

    /// Ends the connection with a reset in place of an orderly close.
    pub fn reset(mut self) {
        self.stream.reset_on_drop();
    }

    /// Keeps the connection open and does nothing more, until the server is dropped.
    pub async fn stall(self) {
        std::future::pending::<()>().await;
    }

    async fn fill(&mut self) -> bool {
        let mut piece = [0; 16 * 1024];
        match self.stream.read(&mut piece).await {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.buffer.extend_from_slice(&piece[..count]);
                true
            }
        }
    }
}

/// A limit for tests that hang where the code is broken; nothing is measured by it.
pub async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("it hangs")
}
