//! Answers that come before the server has the whole request.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use support::{Conn, Server, client_of, error_document, line, soon};
use tokio::sync::oneshot;
use wharf::{Body, ErrorKind};

const MIB: usize = 1 << 20;

const STORED: &str = "HTTP/1.1 200 OK\r\netag: \"x\"\r\ncontent-length: 0\r\n\r\n";

/// Half of the bytes declared, and then nothing; `kept` lives as long as the stream.
fn half(kept: impl Send + 'static) -> Body {
    let first = stream::iter([Ok::<_, std::io::Error>(Bytes::from(vec![7; 1000]))]);
    let never = stream::pending().inspect(move |_| {
        let _ = &kept;
    });
    Body::sized_stream(first.chain(never), 2000)
}

/// Nobody has that object.
#[tokio::test]
async fn a_success_before_the_body_was_sent_is_none() {
    let server = Server::start(|mut conn: Conn| async move {
        conn.head().await;
        conn.write(STORED).await;
        conn.stall().await;
    })
    .await;
    for (body, attempts) in [(half(()), 1), (Body::bytes(vec![0; 64 * MIB]), 2)] {
        let s3 = client_of(server.url()).unsigned_payload().max_attempts(2).build().unwrap();
        let error = soon(s3.put_object("my-bucket", "a", body).into_future()).await.unwrap_err();
        let problem = "PutObject my-bucket/a: the connection was closed before the answer was whole: the server \
                       answered 200 before it had the whole body";
        assert!(line(&error).starts_with(problem), "{error}");
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Transport, attempts));
    }
}

/// The rest of the body goes to a socket that takes nothing more; it is not sent all the same.
#[tokio::test]
async fn a_success_of_a_server_that_closes_is_none() {
    let server = Server::start(|mut conn: Conn| async move {
        conn.head().await;
        conn.write(STORED).await;
        conn.reset();
    })
    .await;
    let s3 = client_of(server.url()).unsigned_payload().max_attempts(1).build().unwrap();
    for _ in 0..20 {
        let body = Body::bytes(vec![0; 8 * MIB]);
        let error = soon(s3.put_object("my-bucket", "a", body).into_future()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    }
}

/// Bodies that are whole from the start, and none at all.
#[tokio::test]
async fn small_bodies_are_sent_with_their_head() {
    let server = Server::always(STORED).await;
    let s3 = client_of(server.url()).build().unwrap();
    for length in [0, 1, 4096, 65_536, 65_537, MIB] {
        s3.put_object("my-bucket", "a", vec![0; length]).await.unwrap();
        let pieces = stream::iter([Ok::<_, std::io::Error>(Bytes::from(vec![0; length]))]);
        s3.put_object("my-bucket", "a", Body::sized_stream(pieces, length as u64)).await.unwrap();
    }
    assert_eq!(server.connections(), 1);
}

/// Once the call is over, nobody reads the caller's stream any more, and the connection is closed.
#[tokio::test]
async fn a_refused_upload_ends_with_its_call() {
    let (tell, closed) = oneshot::channel();
    let tell = std::sync::Mutex::new(Some(tell));
    let server = Server::start(move |mut conn: Conn| {
        let tell = tell.lock().unwrap().take();
        async move {
            conn.head().await;
            conn.answer(403, error_document("AccessDenied", "Access Denied")).await;
            conn.until_closed().await;
            tell.unwrap().send(()).unwrap();
        }
    })
    .await;
    let (kept, dropped) = oneshot::channel::<()>();
    let s3 = client_of(server.url()).unsigned_payload().build().unwrap();
    let error = soon(s3.put_object("my-bucket", "a", half(kept)).into_future()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    assert!(soon(dropped).await.is_err());
    soon(closed).await.unwrap();
}
