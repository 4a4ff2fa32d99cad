//! Faults that close connections, over TCP.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wharf_embedded::{Fault, Operation, Server, Store};

use crate::support::*;
use crate::tcp::{answer, wire};

async fn served(fault: Fault) -> (Store, Server) {
    let store = store_with_bucket().await;
    put("/bucket/k").body("0123456789").send(&store).await.expect(200);
    store.inject(fault).unwrap();
    let server = store.serve("127.0.0.1:0").await.unwrap();
    (store, server)
}

/// Sends a request, and reads what comes until the connection is closed or reset.
async fn exchange(server: &Server, ask: &Ask, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    stream.write_all(wire(ask).as_bytes()).await.unwrap();
    // It may be closed before all is written.
    let _ = stream.write_all(body).await;
    let mut out = Vec::new();
    let _ = stream.read_to_end(&mut out).await;
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn an_answer_that_is_dropped_was_done() {
    let (store, server) = served(Fault::drop_answer().on(Operation::PutObject)).await;
    let upload = put("/bucket/new").header("content-length", "5").body("hello");
    assert_eq!(exchange(&server, &upload, b"hello").await, "");
    assert_eq!(get("/bucket/new").send(&store).await.expect(200).text(), "hello");
    // The next connection is as good as any.
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    stream.write_all(wire(&get("/bucket/new")).as_bytes()).await.unwrap();
    assert!(answer(&mut stream).await.ends_with("hello"));
}

#[tokio::test]
async fn a_request_is_closed_amid_its_body() {
    let (store, server) = served(Fault::close_request_after(100_000).on(Operation::PutObject)).await;
    let size = 1_000_000;
    let upload =
        put("/bucket/new").header("content-length", &size.to_string()).set(|it| it.payload = Some(UNSIGNED.to_owned()));
    assert_eq!(exchange(&server, &upload, &vec![b'x'; size]).await, "");
    server.stop().await;
    let logged = &store.requests()[2];
    assert_eq!((logged.status, logged.bytes_in), (None, 100_000));
    get("/bucket/new").send(&store).await.refused(404, "NoSuchKey");
}

#[tokio::test]
async fn an_answer_is_closed_amid_its_body() {
    for (after, text) in [(0, ""), (4, "0123")] {
        let (_store, server) = served(Fault::close_response_after(after).on(Operation::GetObject)).await;
        let got = exchange(&server, &get("/bucket/k"), b"").await;
        let (head, body) = got.split_once("\r\n\r\n").unwrap_or_else(|| panic!("a whole head, not {got:?}"));
        assert!(head.to_lowercase().contains("content-length: 10"), "{head}");
        assert_eq!(body, text);
    }
}

#[tokio::test]
async fn a_large_answer_is_closed_where_it_was_told() {
    let store = store_with_bucket().await;
    put("/bucket/k").body(vec![b'x'; 8_000_000]).send(&store).await.expect(200);
    store.inject(Fault::close_response_after(5_000_000).on(Operation::GetObject)).unwrap();
    let server = store.serve("127.0.0.1:0").await.unwrap();
    let got = exchange(&server, &get("/bucket/k"), b"").await;
    let (_, body) = got.split_once("\r\n\r\n").unwrap();
    assert_eq!(body.len(), 5_000_000);
    server.stop().await;
    assert_eq!(store.requests()[2].bytes_out, 5_000_000);
}

#[tokio::test]
async fn a_refusal_reaches_its_sender_and_the_connection_goes_on() {
    let (_store, server) = served(Fault::respond(503, "SlowDown").times(1)).await;
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    for expected in ["HTTP/1.1 503", "HTTP/1.1 200"] {
        stream.write_all(wire(&get("/bucket/k")).as_bytes()).await.unwrap();
        let got = answer(&mut stream).await;
        assert!(got.starts_with(expected), "{got}");
    }
}

#[tokio::test]
async fn a_byte_is_spoilt_on_its_way() {
    let (_store, server) = served(Fault::corrupt_response(5)).await;
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    stream.write_all(wire(&get("/bucket/k")).as_bytes()).await.unwrap();
    assert!(answer(&mut stream).await.ends_with("0123446789"));
}
