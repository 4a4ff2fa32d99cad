//! Servers and connections that do not behave: redirects, odd answers, stale and abandoned connections.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use support::{Conn, FakeClock, Server, client_of, line, soon};
use tokio::sync::Notify;
use wharf::{AddressingStyle, Body, ErrorKind};

async fn hello(mut conn: Conn) {
    while conn.request().await.is_some() {
        conn.answer(200, "Hello!").await;
    }
}

/// Nothing that is signed goes where an answer points.
#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Server::start(hello).await;
    for status in [301, 302, 303, 307, 308] {
        for location in [format!("{}/my-bucket/a", elsewhere.url()), "/my-bucket/b".to_owned()] {
            let answer = format!("HTTP/1.1 {status} X\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
            let server = Server::always(answer).await;
            let s3 = client_of(server.url()).build().unwrap();
            let read = s3.get_object("my-bucket", "a").await.map(|object| object.content_length).unwrap_err();
            let written = s3.put_object("my-bucket", "a", "Hello!").await.unwrap_err();
            for error in [read, written] {
                assert_eq!(error.status().unwrap().as_u16(), status);
                assert_eq!(error.attempts(), 1);
            }
            assert_eq!(server.requests().len(), 2);
        }
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn answers_before_the_answer() {
    let server = Server::always(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nx: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n\
         HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nHello!",
    )
    .await;
    let s3 = client_of(server.url()).build().unwrap();
    for _ in 0..3 {
        assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "Hello!");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn another_protocol_is_no_answer() {
    let server = Server::always("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n").await;
    let s3 = client_of(server.url()).build().unwrap();
    let error = soon(s3.get_object("my-bucket", "a").into_future()).await.unwrap_err();
    assert_eq!((error.kind(), error.status().map(|status| status.as_u16())), (ErrorKind::MalformedResponse, Some(101)));
}

#[tokio::test]
async fn headers_without_end() {
    for (name, head) in [
        ("one that is huge", format!("x-huge: {}\r\n", "x".repeat(1 << 20))),
        ("very many", (0..5000).map(|n| format!("x-{n}: 1\r\n")).collect()),
    ] {
        let server = Server::always(format!("HTTP/1.1 200 OK\r\n{head}content-length: 0\r\n\r\n")).await;
        let s3 = client_of(server.url()).build().unwrap();
        let error = soon(s3.get_object("my-bucket", "a").into_future()).await.unwrap_err();
        assert_eq!(
            line(&error),
            "GetObject my-bucket/a: the HTTP exchange failed: the head of its answer is too large",
            "{name}"
        );
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Transport, 1), "{name}");
    }
}

/// A hundred user metadata entries and more are nothing unusual.
#[tokio::test]
async fn many_headers_of_a_sensible_size() {
    let head: String = (0..200).map(|n| format!("x-amz-meta-{n}: value\r\n")).collect();
    let server = Server::always(format!("HTTP/1.1 200 OK\r\n{head}content-length: 6\r\n\r\nHello!")).await;
    let s3 = client_of(server.url()).max_attempts(1).build().unwrap();
    let held = s3.get_object("my-bucket", "a").await.unwrap();
    assert_eq!(held.metadata.len(), 200);
    let object = s3.get_object("my-bucket", "a").await.unwrap();
    assert_eq!((object.metadata.len(), server.connections()), (200, 2));
}

#[tokio::test]
async fn an_answer_without_a_length_goes_on_to_the_end() {
    let server = Server::start(|mut conn: Conn| async move {
        conn.request().await;
        conn.write("HTTP/1.1 200 OK\r\n\r\nHello!").await;
    })
    .await;
    let s3 = client_of(server.url()).build().unwrap();
    for _ in 0..2 {
        assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "Hello!");
    }
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn an_answer_in_chunks() {
    let server = Server::always(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;x=1\r\nHel\r\n3\r\nlo!\r\n0\r\nx-trailer: 1\r\n\r\n",
    )
    .await;
    let s3 = client_of(server.url()).build().unwrap();
    for _ in 0..3 {
        assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "Hello!");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn chunks_that_break_off() {
    let server = Server::start(|mut conn: Conn| async move {
        conn.request().await;
        conn.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nHel\r\n").await;
    })
    .await;
    let error = client_of(server.url()).build().unwrap().get_object("my-bucket", "a").text().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
}

#[tokio::test]
async fn one_connection_serves_one_call_after_the_other() {
    let server = Server::start(hello).await;
    let s3 = client_of(server.url()).build().unwrap();
    for _ in 0..10 {
        assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "Hello!");
        s3.put_object("my-bucket", "a", vec![0; 2 << 20]).await.unwrap();
    }
    assert_eq!((server.connections(), server.requests().len()), (1, 20));
}

/// Clones share connections; a client of its own has its own.
#[tokio::test]
async fn calls_at_once_have_a_connection_each() {
    let server = Server::start(hello).await;
    let s3 = client_of(server.url()).build().unwrap();
    for _ in 0..5 {
        let calls = (0..8).map(|_| tokio::spawn(s3.clone().get_object("my-bucket", "a").text()));
        for call in calls.collect::<Vec<_>>() {
            call.await.unwrap().unwrap();
        }
    }
    assert!(server.connections() <= 8, "{}", server.connections());
}

/// The server claims to keep the connection and closes it: no call ever sees that.
#[tokio::test]
async fn a_stale_connection_is_replaced_unseen() {
    let closed = Arc::new(Notify::new());
    let tell = closed.clone();
    let server = Server::start(move |mut conn: Conn| {
        let tell = tell.clone();
        async move {
            conn.request().await;
            conn.write("HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: 6\r\n\r\nHello!").await;
            drop(conn);
            tell.notify_one();
        }
    })
    .await;
    let clock = FakeClock::default();
    let s3 = client_of(server.url()).clock(clock.clone()).max_attempts(1).build().unwrap();
    for _ in 0..50 {
        assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "Hello!");
        soon(closed.notified()).await;
    }
    assert_eq!(server.connections(), 50);
    assert!(clock.waits().is_empty());
}

/// The same while this thread does something else, so that the runtime cannot hear of it. Not even a stream, which can
/// be sent once only, is lost to a closed connection.
#[tokio::test]
async fn a_connection_that_was_closed_while_the_runtime_was_busy() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, closed) = std::sync::mpsc::channel();
    let (close, told_to_close) = std::sync::mpsc::channel();
    let server = std::thread::spawn(move || {
        for _ in 0..20 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"0;Hello!") {
                let mut piece = [0; 4096];
                let count = stream.read(&mut piece).unwrap();
                assert!(count > 0, "{}", String::from_utf8_lossy(&request));
                request.extend_from_slice(&piece[..count]);
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
            told_to_close.recv().unwrap();
            drop(stream);
            tell.send(()).unwrap();
        }
    });
    let s3 = client_of(url).unsigned_payload().max_attempts(1).build().unwrap();
    for _ in 0..20 {
        let pieces = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"0;Hello!"))]);
        s3.put_object("my-bucket", "a", Body::sized_stream(pieces, 8)).await.unwrap();
        close.send(()).unwrap();
        closed.recv().unwrap();
    }
    server.join().unwrap();
}

/// A client outlives the runtimes that its connections were opened on, and whoever sends a stream does not notice.
#[test]
fn a_connection_whose_runtime_is_gone_is_replaced_unseen() {
    let servers = tokio::runtime::Runtime::new().unwrap();
    let server = servers.block_on(Server::start(hello));
    let s3 = client_of(server.url()).unsigned_payload().max_attempts(1).build().unwrap();
    for _ in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let pieces = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"Hello!"))]);
            s3.put_object("my-bucket", "a", Body::sized_stream(pieces, 6)).await.unwrap();
            assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "Hello!");
        });
    }
    assert_eq!((server.connections(), server.requests().len()), (3, 6));
}

#[tokio::test]
async fn an_abandoned_body_takes_its_connection_with_it() {
    let server = Server::start(|mut conn: Conn| async move {
        while conn.request().await.is_some() {
            conn.write("HTTP/1.1 200 OK\r\ncontent-length: 4000000\r\n\r\n").await;
            conn.write(vec![b'x'; 4_000_000]).await;
        }
    })
    .await;
    let s3 = client_of(server.url()).build().unwrap();
    for _ in 0..5 {
        let mut body = s3.get_object("my-bucket", "a").await.unwrap().stream();
        body.next().await.unwrap().unwrap();
        drop(body);
        drop(s3.get_object("my-bucket", "a").await.unwrap());
    }
    let whole = s3.get_object("my-bucket", "a").bytes().await.unwrap();
    assert_eq!(whole.len(), 4_000_000);
    assert_eq!(server.connections(), 11);
}

/// Where little is left, reading it costs less than another connection.
#[tokio::test]
async fn an_abandoned_body_that_has_all_but_come_is_read_to_its_end() {
    let server = Server::start(|mut conn: Conn| async move {
        while conn.request().await.is_some() {
            conn.answer(200, "x".repeat(60_000)).await;
        }
    })
    .await;
    let s3 = client_of(server.url()).build().unwrap();
    for _ in 0..5 {
        drop(s3.get_object("my-bucket", "a").await.unwrap());
        // Reading the rest is a task of its own, which gets its turns here.
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        assert_eq!(s3.get_object("my-bucket", "a").bytes().await.unwrap().len(), 60_000);
    }
    assert!(server.connections() < 5, "{} connections", server.connections());
}

/// An answer that came before the request's body was sent leaves a connection that nobody can use.
#[tokio::test]
async fn a_connection_with_an_unsent_body_is_not_used_again() {
    let server = Server::start(|mut conn: Conn| async move {
        let Some(head) = conn.head().await else { return };
        if head.method == "PUT" {
            conn.answer(403, "").await;
            conn.stall().await;
        } else {
            conn.answer(200, "Hello!").await;
            hello(conn).await;
        }
    })
    .await;
    let s3 = client_of(server.url()).unsigned_payload().max_attempts(1).build().unwrap();
    let error = s3.put_object("my-bucket", "a", vec![0; 64 << 20]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    assert_eq!(soon(s3.get_object("my-bucket", "a").text()).await.unwrap(), "Hello!");
    assert_eq!(server.connections(), 2);
}

/// Path and query reach the server as they are signed.
#[tokio::test]
async fn keys_travel_byte_for_byte() {
    let server = Server::start(hello).await;
    let s3 = client_of(server.url()).addressing_style(AddressingStyle::Path).build().unwrap();
    for (key, path) in [
        ("../x", "/my-bucket/../x"),
        ("./x/./y", "/my-bucket/./x/./y"),
        ("a//b", "/my-bucket/a//b"),
        ("/lead", "/my-bucket//lead"),
        ("a b+c%20?#", "/my-bucket/a%20b%2Bc%2520%3F%23"),
        ("ünï\u{1}", "/my-bucket/%C3%BCn%C3%AF%01"),
    ] {
        s3.get_object("my-bucket", key).await.unwrap();
        assert_eq!(server.requests().last().unwrap().target, path);
    }
}

/// What follows an answer is nobody's answer: the next call must not read it as its own.
#[tokio::test]
async fn an_answer_too_many_is_not_the_next_ones() {
    let server = Server::start(|mut conn: Conn| async move {
        while conn.request().await.is_some() {
            let real = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nreal";
            conn.write(format!("{real}{}", real.replace("real", "evil"))).await;
        }
    })
    .await;
    let s3 = client_of(server.url()).build().unwrap();
    for _ in 0..3 {
        assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "real");
    }
    assert_eq!(server.connections(), 3);
}

/// A runtime that nobody drives now, for its thread does something else, hears nothing of its connections.
#[test]
fn the_connections_of_another_runtime_are_left_to_it() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let driven = tokio::runtime::Runtime::new().unwrap();
    let server = driven.block_on(Server::start(hello));
    let s3 = client_of(server.url()).max_attempts(1).progress_timeout(Duration::from_secs(5)).build().unwrap();
    let (first, second) = (runtime(), runtime());
    for runtime in [&first, &second, &first, &second] {
        assert_eq!(runtime.block_on(s3.get_object("my-bucket", "a").text()).unwrap(), "Hello!");
    }
    assert_eq!(server.connections(), 2);
}
