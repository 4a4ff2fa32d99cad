//! The exact line of every failure of the way to the server and back.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use std::net::ToSocketAddrs as _;

use support::{Conn, Fake, FakeClock, Server, client_of, line, soon};
use wharf::{Client, Error, ErrorKind};

fn told<T: std::fmt::Debug>(result: Result<T, Error>) -> (String, ErrorKind) {
    let error = result.unwrap_err();
    (line(&error), error.kind())
}

#[tokio::test]
async fn connection_refused() {
    let free = Server::start(Conn::stall).await.port();
    let s3 = client_of(format!("http://127.0.0.1:{free}")).build().unwrap();
    let error = s3.get_object("my-bucket", "a").await.unwrap_err();
    let (line, kind) = (line(&error), error.kind());
    // The system's own words end the line: on Linux "Connection refused (os error 111)".
    let refused = std::net::TcpStream::connect(("127.0.0.1", free)).unwrap_err();
    let expected =
        format!("GetObject my-bucket/a: no connection could be made: 127.0.0.1:PORT: {refused} (3 attempts)");
    assert_eq!(line, expected);
    assert_eq!(kind, ErrorKind::Transport);
    assert_eq!(error.hint(), Some("see that a server listens there, and that the endpoint names its port"));
}

#[tokio::test]
async fn a_host_that_is_unknown() {
    // Never registered (RFC 2606), so that it is unknown without any network too.
    let s3 = client_of("http://nope.invalid").build().unwrap();
    // In other words without a network than with one, and a resolver may change its mind.
    let told = || {
        let unknown = ("nope.invalid", 80).to_socket_addrs().unwrap_err();
        format!("GetObject my-bucket/a: the host name could not be resolved: nope.invalid: {unknown} (3 attempts)")
    };
    let before = told();
    let error = s3.get_object("my-bucket", "a").await.unwrap_err();
    let (line, kind) = (line(&error), error.kind());
    assert!(line == before || line == told(), "{line} is not {before}");
    assert_eq!(kind, ErrorKind::Transport);
    assert_eq!(
        error.hint(),
        Some("check the endpoint and the region; where the server has no host name per bucket, use path style")
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers() {
    let s3 = fake(Fake::new(|_, _| std::future::pending())).max_attempts(1).build().unwrap();
    assert_eq!(
        told(s3.get_object("my-bucket", "a").await),
        ("GetObject my-bucket/a: the server was silent for 30s".to_owned(), ErrorKind::Timeout)
    );
}

#[tokio::test]
async fn closed_before_any_answer() {
    let server = Server::start(|mut conn: Conn| async move {
        conn.request().await;
    })
    .await;
    let s3 = client_of(server.url()).build().unwrap();
    assert_eq!(
        told(s3.get_object("my-bucket", "a").await),
        (
            "GetObject my-bucket/a: the connection was closed before the answer was whole: nothing of it came \
             (3 attempts)"
                .to_owned(),
            ErrorKind::Transport
        )
    );
}

#[tokio::test]
async fn closed_amid_an_object() {
    let server = Server::start(|mut conn: Conn| async move {
        conn.request().await;
        conn.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nHel").await;
    })
    .await;
    let s3 = client_of(server.url()).build().unwrap();
    assert_eq!(
        told(s3.get_object("my-bucket", "a").text().await),
        (
            "GetObject my-bucket/a: the connection was closed before the answer was whole: 3 of its 10 bytes came"
                .to_owned(),
            ErrorKind::Transport
        )
    );
}

#[tokio::test]
async fn closed_amid_a_listing() {
    let server = Server::start(|mut conn: Conn| async move {
        conn.request().await;
        conn.write("HTTP/1.1 200 OK\r\nx-amz-request-id: 1\r\ncontent-length: 100\r\n\r\n<ListBucketResult>").await;
    })
    .await;
    let s3 = client_of(server.url()).build().unwrap();
    let (line, kind) = told(s3.list_objects("my-bucket").await);
    assert_eq!(
        line,
        "ListObjectsV2 my-bucket: the connection was closed before the answer was whole: 18 of its 100 bytes came \
         (HTTP 200, request ID, 3 attempts)"
    );
    assert_eq!((kind, server.requests().len()), (ErrorKind::Transport, 3));
}

#[tokio::test]
async fn something_that_is_not_http() {
    let server = Server::start(|mut conn: Conn| async move {
        conn.head().await;
        conn.write("SSH-2.0-OpenSSH_9.9\r\n").await;
        conn.until_closed().await;
    })
    .await;
    let s3 = client_of(server.url()).build().unwrap();
    let (line, kind) = told(s3.get_object("my-bucket", "a").await);
    assert_eq!(line, "GetObject my-bucket/a: the HTTP exchange failed: what answers there does not speak HTTP/1.1");
    assert_eq!(kind, ErrorKind::Transport);
}

/// 100 MB of error page: a little of it is read, then the connection is dropped.
#[tokio::test]
async fn an_error_body_without_end() {
    const SIZE: usize = 100_000_000;
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    let (tell, ended) = tokio::sync::oneshot::channel();
    let tell = Arc::new(std::sync::Mutex::new(Some(tell)));
    let server = Server::start(move |mut conn: Conn| {
        let (count, tell) = (count.clone(), tell.clone());
        async move {
            conn.request().await;
            conn.write(format!("HTTP/1.1 500 X\r\ncontent-length: {SIZE}\r\n\r\n<Error><Code>InternalError</Code>"))
                .await;
            conn.write("<Message>It broke.</Message><Dump>").await;
            let piece = vec![b'x'; 64 * 1024];
            while count.load(Ordering::SeqCst) < SIZE && conn.write(&piece).await {
                count.fetch_add(piece.len(), Ordering::SeqCst);
            }
            let _ = tell.lock().unwrap().take().unwrap().send(());
        }
    })
    .await;
    let s3 = client_of(server.url()).max_attempts(1).build().unwrap();
    let error = soon(s3.get_object("my-bucket", "a").into_future()).await.unwrap_err();
    assert_eq!(line(&error), "GetObject my-bucket/a: It broke. (InternalError, HTTP 500)");
    soon(ended).await.unwrap();
    // Beyond the 256 KiB that are read there is only what the system's socket buffers hold.
    assert!(taken.load(Ordering::SeqCst) < SIZE / 2, "{} bytes were taken", taken.load(Ordering::SeqCst));
}

/// How much is read of it, to a piece.
#[tokio::test]
async fn an_error_body_is_read_to_a_cap() {
    const PIECE: usize = 64 * 1024;
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    let fake = Fake::new(move |_, _| {
        let count = count.clone();
        let pieces = futures_util::stream::repeat_with(move || {
            count.fetch_add(PIECE, Ordering::SeqCst);
            Ok(bytes::Bytes::from(vec![b'x'; PIECE]))
        });
        let answer = http::Response::builder().status(500).body(wharf::transport::Body::stream(None, pieces));
        std::future::ready(Ok(answer.unwrap()))
    });
    let s3 = self::fake(fake).max_attempts(1).build().unwrap();
    let error = s3.get_object("my-bucket", "a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server, "{error}");
    // The last piece shows that there is more.
    assert_eq!(taken.load(Ordering::SeqCst), 256 * 1024 + PIECE);
}

/// The same in one piece, as a transport of one's own may give it.
#[tokio::test]
async fn a_long_error_in_one_piece() {
    let long = format!("<Error><Code>AccessDenied</Code><Message>No.</Message><X>{}</X></Error>", "x".repeat(1 << 20));
    let fake = Fake::new(move |_, _| std::future::ready(Ok(support::answer(403, long.clone()))));
    let error = self::fake(fake).build().unwrap().get_object("my-bucket", "a").await.unwrap_err();
    assert_eq!(line(&error), "GetObject my-bucket/a: No. (AccessDenied, HTTP 403)");
}

/// Connecting takes in the handshake, which this server never begins.
#[tokio::test(start_paused = true)]
async fn a_connection_that_takes_too_long() {
    let server = Server::start(Conn::stall).await;
    let s3 = client_of(server.url().replace("http:", "https:")).build().unwrap();
    assert_eq!(
        told(s3.get_object("my-bucket", "a").await),
        (
            "GetObject my-bucket/a: no connection could be made: 127.0.0.1:PORT: no answer within 5s (3 attempts)"
                .to_owned(),
            ErrorKind::Timeout
        )
    );
}

fn fake(fake: Fake) -> wharf::ClientBuilder {
    Client::builder()
        .environment(|_| None)
        .endpoint("http://127.0.0.1:1")
        .credentials("AKIDEXAMPLE", "secret")
        .clock(FakeClock::default())
        .transport(fake)
}
