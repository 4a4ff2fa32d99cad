use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use wharf_embedded::Fault;

use crate::support::*;

/// A request's head as it goes over a connection.
pub(crate) fn wire(ask: &Ask) -> String {
    let (request, _) = ask.signed();
    let target = request.uri().path_and_query().unwrap().as_str().to_owned();
    let mut out = format!("{} {target} HTTP/1.1\r\n", ask.method);
    for (name, value) in request.headers() {
        out += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    out + "\r\n"
}

/// Reads one answer whose length is declared.
pub(crate) async fn answer(stream: &mut TcpStream) -> String {
    let mut out = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&out).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        let read = stream.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "closed after {text}");
        out.extend_from_slice(&buffer[..read]);
    }
}

#[tokio::test]
async fn the_same_store_over_a_socket() {
    let store = store_with_bucket().await;
    let server = store.serve("127.0.0.1:0").await.unwrap();
    assert_eq!(server.endpoint(), format!("http://{}", server.local_addr()));
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    let upload = put("/bucket/a/../b").header("content-length", "5").body("hello");
    stream.write_all((wire(&upload) + "hello").as_bytes()).await.unwrap();
    assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200 OK\r\n"));
    // The same connection serves the next request.
    stream.write_all(wire(&get("/bucket/a/../b")).as_bytes()).await.unwrap();
    let got = answer(&mut stream).await;
    assert!(got.ends_with("\r\n\r\nhello"), "{got}");
    for name in ["date: ", "server: wharf-embedded", "x-amz-request-id: ", "x-amz-id-2: ", "etag: "] {
        assert!(got.to_lowercase().contains(name), "{name} in {got}");
    }
    stream.write_all((wire(&upload) + "jello").as_bytes()).await.unwrap();
    assert!(answer(&mut stream).await.contains("XAmzContentSHA256Mismatch"), "another body than was signed");
    assert_eq!(get("/bucket/a/../b").send(&store).await.text(), "hello");
    stream.write_all(wire(&head("/bucket/none")).as_bytes()).await.unwrap();
    let missing = answer(&mut stream).await;
    assert!(missing.starts_with("HTTP/1.1 404") && missing.ends_with("\r\n\r\n"), "{missing}");
    server.stop().await;
    assert!(TcpStream::connect(stream.peer_addr().unwrap()).await.is_err());
}

#[tokio::test]
async fn a_connection_outlives_a_body_in_http_chunks() {
    let store = store_with_bucket().await;
    let server = store.serve("127.0.0.1:0").await.unwrap();
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    let upload = put("/bucket/k")
        .header("transfer-encoding", "chunked")
        .header("x-amz-decoded-content-length", "5")
        .header("x-amz-trailer", "x-amz-checksum-crc32")
        .set(|it| it.payload = Some("STREAMING-UNSIGNED-PAYLOAD-TRAILER".to_owned()));
    let framed = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";
    let chunks = format!("{:x}\r\n{framed}\r\n0\r\n\r\n", framed.len());
    for _ in 0..2 {
        stream.write_all((wire(&upload) + &chunks).as_bytes()).await.unwrap();
        let got = answer(&mut stream).await;
        assert!(got.starts_with("HTTP/1.1 200") && !got.to_lowercase().contains("connection: close"), "{got}");
    }
}

#[tokio::test]
async fn a_refusal_reaches_a_sender_in_full_flow() {
    let store = store_with_bucket().await;
    let server = store.serve("127.0.0.1:0").await.unwrap();
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    const SIZE: usize = 16 * 1024 * 1024;
    let upload = put("/bucket/k")
        .header("content-length", &SIZE.to_string())
        .set(|it| it.payload = Some(UNSIGNED.to_owned()))
        .set(|it| it.secret.push('x'));
    stream.write_all(wire(&upload).as_bytes()).await.unwrap();
    // A client that reads no answer before all is written, as many do.
    let piece = vec![0; 256 * 1024];
    for _ in 0..SIZE / piece.len() {
        stream.write_all(&piece).await.unwrap();
    }
    let got = answer(&mut stream).await;
    assert!(got.starts_with("HTTP/1.1 403") && got.contains("SignatureDoesNotMatch"), "{got}");
    assert!(got.to_lowercase().contains("connection: close"), "{got}");
}

#[tokio::test]
async fn a_body_that_breaks_off_stores_nothing() {
    let store = store_with_bucket().await;
    let server = store.serve("127.0.0.1:0").await.unwrap();
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    let upload = put("/bucket/k").header("content-length", "10").set(|it| it.payload = Some(UNSIGNED.to_owned()));
    stream.write_all((wire(&upload) + "hello").as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    server.stop().await;
    get("/bucket/k").send(&store).await.refused(404, "NoSuchKey");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_is_given_up() {
    let store = store_with_bucket().await;
    let server = store.serve("127.0.0.1:0").await.unwrap();
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    let upload = put("/bucket/k").header("content-length", "10").set(|it| it.payload = Some(UNSIGNED.to_owned()));
    stream.write_all((wire(&upload) + "hello").as_bytes()).await.unwrap();
    let got = answer(&mut stream).await;
    assert!(got.starts_with("HTTP/1.1 400") && got.contains("<Code>RequestTimeout</Code>"), "{got}");
    assert!(got.to_lowercase().contains("connection: close"), "{got}");
    // One that is silent does not keep a server from its end.
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    stream.write_all((wire(&upload) + "hello").as_bytes()).await.unwrap();
    server.stop().await;
    get("/bucket/k").send(&store).await.refused(404, "NoSuchKey");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_reads_is_given_up_at_the_end() {
    let store = store_with_bucket().await;
    // More than the sockets' buffers take.
    let big = put("/bucket/k").body(vec![b'x'; 16 * 1024 * 1024]).set(|it| it.payload = Some(UNSIGNED.to_owned()));
    big.send(&store).await.expect(200);
    let server = store.serve("127.0.0.1:0").await.unwrap();
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    stream.write_all(wire(&get("/bucket/k")).as_bytes()).await.unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 200");
    timeout(Duration::from_secs(90), server.stop()).await.expect("the server stops");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_its_time_is_waited_for_at_the_end() {
    let store = store_with_bucket().await;
    put("/bucket/k").body("hello").send(&store).await.expect(200);
    store.inject(Fault::delay_body(1, Duration::from_secs(90))).unwrap();
    let server = store.serve("127.0.0.1:0").await.unwrap();
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    stream.write_all(wire(&get("/bucket/k")).as_bytes()).await.unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.unwrap();
    let (_, got) = tokio::join!(server.stop(), answer(&mut stream));
    assert!(got.ends_with("\r\n\r\nhello"), "{got}");
}

#[tokio::test]
async fn a_policy_may_ask_where_a_request_comes_from() {
    let store = store_with_bucket().await;
    put("/bucket/k").body("hello").send(&store).await.expect(200);
    let server = store.serve("127.0.0.1:0").await.unwrap();
    for (network, status) in [("127.0.0.0/8", "200 OK"), ("192.0.2.0/24", "403 Forbidden")] {
        let policy = serde_json::json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::bucket/*", "Condition": {"IpAddress": {"aws:SourceIp": network}}}});
        put("/bucket?policy").body(policy.to_string()).send(&store).await.expect(204);
        let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
        stream.write_all(b"GET /bucket/k HTTP/1.1\r\nhost: s3.localhost\r\n\r\n").await.unwrap();
        let text = answer(&mut stream).await;
        assert!(text.starts_with(&format!("HTTP/1.1 {status}")), "{network}: {text}");
    }
    server.stop().await;
}
