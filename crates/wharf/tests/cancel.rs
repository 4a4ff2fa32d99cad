//! Dropping a call cancels it, and blocking calls work wherever they are made.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, stream};
use support::{Conn, Server, soon};
use tokio::sync::{Notify, mpsc, oneshot};
use wharf::blocking::{self, Wait, WaitEach};
use wharf::{Body, Client, ClientBuilder, ErrorKind};
use wharf_embedded::Store;

/// No timeout ends a connection here: only cancelling does.
fn client_of(url: String) -> ClientBuilder {
    support::client_of(url).progress_timeout(Duration::from_secs(3600))
}

#[derive(Debug, PartialEq)]
enum Saw {
    Request,
    End,
}

/// A server that answers `head` and no more, and tells what it sees.
async fn telling(head: &'static str) -> (Server, mpsc::UnboundedReceiver<Saw>) {
    let (tell, told) = mpsc::unbounded_channel();
    let server = Server::start(move |mut conn: Conn| {
        let tell = tell.clone();
        async move {
            conn.head().await;
            conn.write(head).await;
            tell.send(Saw::Request).unwrap();
            conn.until_closed().await;
            tell.send(Saw::End).unwrap();
        }
    })
    .await;
    (server, told)
}

#[tokio::test]
async fn a_dropped_call_closes_its_connection() {
    let (server, mut told) = telling("").await;
    let s3 = client_of(server.url()).build().unwrap();
    let waiting = Body::sized_stream(stream::pending::<Result<Bytes, std::io::Error>>(), 10);
    let calls: Vec<Pin<Box<dyn Future<Output = ()>>>> = vec![
        Box::pin(s3.get_object("my-bucket", "a").into_future().map(|_| ())),
        Box::pin(s3.list_objects("my-bucket").into_future().map(|_| ())),
        Box::pin(s3.put_object("my-bucket", "a", waiting).into_future().map(|_| ())),
    ];
    for mut call in calls {
        tokio::select! {
            _ = &mut call => panic!("it was never answered"),
            saw = told.recv() => assert_eq!(saw, Some(Saw::Request)),
        }
        drop(call);
        assert_eq!(soon(told.recv()).await, Some(Saw::End));
    }
}

#[tokio::test]
async fn a_dropped_body_closes_its_connection() {
    let (server, mut told) = telling("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nHel").await;
    let s3 = client_of(server.url()).build().unwrap();
    let mut body = s3.get_object("my-bucket", "a").await.unwrap().stream();
    body.next().await.unwrap().unwrap();
    assert_eq!(soon(told.recv()).await, Some(Saw::Request));
    drop(body);
    assert_eq!(soon(told.recv()).await, Some(Saw::End));
}

/// A peer that reads nothing does not keep the connection of a call that was given up: it is reset, or ends after the
/// bytes that the system had taken already.
#[tokio::test]
async fn a_dropped_upload_ends_where_it_is() {
    let (acceptor, pem) = support::tls("127.0.0.1");
    for tls in [false, true] {
        let (tell, mut told) = mpsc::unbounded_channel();
        let go_on = Arc::new(Notify::new());
        let going_on = go_on.clone();
        let script = move |mut conn: Conn| {
            let (tell, go_on) = (tell.clone(), going_on.clone());
            async move {
                conn.head().await;
                tell.send(0).unwrap();
                go_on.notified().await;
                tell.send(conn.until_closed().await).unwrap();
            }
        };
        let server = match tls {
            true => Server::start_tls(acceptor.clone(), script).await,
            false => Server::start(script).await,
        };
        let s3 = client_of(server.url()).root_certificates_pem(&pem).unsigned_payload().build().unwrap();
        let mut call = s3.put_object("my-bucket", "a", vec![0; 64 << 20]).into_future();
        tokio::select! {
            _ = &mut call => panic!("it was never answered"),
            count = told.recv() => assert_eq!(count, Some(0)),
        }
        drop(call);
        go_on.notify_one();
        let count = soon(told.recv()).await.unwrap();
        assert!(count < 48 << 20, "{count} bytes came after the call was dropped");
    }
}

#[test]
fn a_blocking_client_cancels_too() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, mut told) = runtime.block_on(telling(""));
    let s3 = client_of(server.url()).build_blocking().unwrap();
    // A call of a client with its own thread is a future like any other: polled once, then dropped.
    let mut call = s3.get_object("my-bucket", "a").into_future();
    let saw = runtime.block_on(async {
        tokio::select! {
            _ = &mut call => panic!("it was never answered"),
            saw = told.recv() => saw,
        }
    });
    assert_eq!(saw, Some(Saw::Request));
    drop(call);
    assert_eq!(runtime.block_on(soon(told.recv())), Some(Saw::End));
}

#[test]
fn the_last_clone_ends_its_connections() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, mut told) = runtime.block_on(telling("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
    let s3 = client_of(server.url()).build_blocking().unwrap();
    s3.put_object("my-bucket", "a", "").wait().unwrap();
    let clone = s3.clone();
    drop(s3);
    assert_eq!(runtime.block_on(soon(told.recv())), Some(Saw::Request));
    drop(clone);
    assert_eq!(runtime.block_on(soon(told.recv())), Some(Saw::End));
}

/// The body outlives its client.
#[test]
fn a_body_keeps_its_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Server::start(|mut conn: Conn| async move {
        conn.request().await;
        conn.write("HTTP/1.1 200 OK\r\ncontent-length: 4000000\r\n\r\n").await;
        conn.write(vec![b'x'; 4_000_000]).await;
    }));
    let s3 = client_of(server.url()).build_blocking().unwrap();
    let object = s3.get_object("my-bucket", "a").wait().unwrap();
    drop(s3);
    assert_eq!(object.bytes().wait().unwrap().len(), 4_000_000);
}

#[test]
fn a_silent_body_times_out_on_a_thread_without_a_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Server::start(|mut conn: Conn| async move {
        conn.request().await;
        conn.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nHel").await;
        conn.stall().await;
    }));
    let limit = Duration::from_millis(20);
    let s3 = client_of(server.url()).progress_timeout(limit).build_blocking().unwrap();
    let mut read = s3.get_object("my-bucket", "a").wait().unwrap().stream().into_read();
    let error = std::io::Read::read_to_end(&mut read, &mut Vec::new()).unwrap_err();
    assert_eq!(error.into_inner().unwrap().downcast::<wharf::Error>().unwrap().kind(), ErrorKind::Timeout);
}

/// `.wait()` of a blocking client inside a runtime of one thread: its own thread does the work.
#[tokio::test(flavor = "current_thread")]
async fn waiting_inside_async_code() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let store = Store::in_memory();
    let server = runtime.spawn({
        let store = store.clone();
        async move { store.serve("127.0.0.1:0").await.unwrap() }
    });
    let server = server.await.unwrap();
    let s3 = Client::builder()
        .environment(|_| None)
        .endpoint(server.endpoint())
        .credentials(store.access_key_id(), store.secret_access_key())
        .build_blocking()
        .unwrap();
    s3.create_bucket("my-bucket").wait().unwrap();
    s3.put_object("my-bucket", "a", "Hello!").wait().unwrap();
    assert_eq!(s3.get_object("my-bucket", "a").text().wait().unwrap(), "Hello!");
    // Its calls can be awaited as well, and it can be dropped here.
    assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "Hello!");
    drop(s3);
    runtime.shutdown_background();
}

/// The async client by mistake: its calls would wait for the thread that waits for them, whatever the runtime.
#[test]
fn waiting_for_an_async_client() {
    let servers = tokio::runtime::Runtime::new().unwrap();
    let server = servers.block_on(Server::always("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nHello!"));
    for mut runtime in [tokio::runtime::Builder::new_current_thread(), tokio::runtime::Builder::new_multi_thread()] {
        let s3 = client_of(server.url()).build().unwrap();
        let (tell, told) = oneshot::channel();
        // Where this is broken, it waits for ever: not on this thread.
        std::thread::spawn(move || {
            let runtime = runtime.enable_all().build().unwrap();
            let calls = runtime.spawn(async move {
                let call = s3.get_object("my-bucket", "a").text().wait();
                let listed = s3.list_objects("my-bucket").items().wait_each().next().unwrap();
                let awaited = s3.get_object("my-bucket", "a").text().await;
                tell.send((call, listed, awaited)).unwrap();
            });
            runtime.block_on(calls).unwrap();
        });
        let (call, listed, awaited) = servers.block_on(soon(told)).unwrap();
        for error in [call.unwrap_err(), listed.unwrap_err()] {
            let problem = "wait() is for the client of wharf::blocking; the calls of this one are awaited";
            assert!(error.to_string().ends_with(problem), "{error}");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
        assert_eq!(awaited.unwrap(), "Hello!");
    }
}

/// A client outlives the runtime it was used on first; the connections of that one are not used on the next.
#[test]
fn one_client_on_several_runtimes() {
    let servers = tokio::runtime::Runtime::new().unwrap();
    let server = servers.block_on(Server::always("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nHello!"));
    let s3 = client_of(server.url()).max_attempts(1).build().unwrap();
    for _ in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for _ in 0..2 {
            assert_eq!(runtime.block_on(s3.get_object("my-bucket", "a").text()).unwrap(), "Hello!");
        }
    }
    assert_eq!(server.connections(), 3);
}

#[test]
fn threads_share_a_blocking_client() {
    let s3 = blocking::Client::builder().transport(Store::in_memory()).build_blocking().unwrap();
    s3.create_bucket("my-bucket").wait().unwrap();
    std::thread::scope(|scope| {
        for n in 0..8 {
            let s3 = &s3;
            scope.spawn(move || {
                let key = format!("key-{n}");
                s3.put_object("my-bucket", &key, key.clone()).wait().unwrap();
                assert_eq!(s3.get_object("my-bucket", &key).text().wait().unwrap(), key);
            });
        }
    });
}
