//! Bodies on their way out: refused early, too short, too long, broken, changed meanwhile.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::path::PathBuf;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::Request;
use support::{ACCESS_KEY, Conn, Fake, SECRET, Server, answer, client_of, drain, error_document, line, soon};
use wharf::transport::Body as Bytestream;
use wharf::{Body, Client, ClientBuilder, Error, ErrorKind, IntoBody, Reader};
use wharf_embedded::Store;

const MIB: usize = 1 << 20;

/// Answers 403 after the first 64 KiB of the body, and closes without reading more.
async fn refusing(mut conn: Conn) {
    let Some(_) = conn.head().await else { return };
    conn.read(64 * 1024).await;
    let body = error_document("AccessDenied", "Access Denied");
    conn.write(format!("HTTP/1.1 403 X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())).await;
}

fn bodies() -> [Body; 2] {
    let piece = Bytes::from(vec![7; 256 * 1024]);
    let pieces = stream::iter((0..256).map(move |_| Ok::<_, std::io::Error>(piece.clone())));
    [Body::bytes(vec![7; 64 * MIB]), Body::sized_stream(pieces, 64 * MIB as u64)]
}

#[tokio::test]
async fn a_refusal_while_the_body_still_goes_out() {
    let server = Server::start(refusing).await;
    for body in bodies() {
        let s3 = client_of(server.url()).unsigned_payload().max_attempts(1).build().unwrap();
        let error = soon(s3.put_object("my-bucket", "a", body).into_future()).await.unwrap_err();
        assert_eq!(line(&error), "PutObject my-bucket/a: Access Denied (AccessDenied, HTTP 403, request ID)");
    }
}

#[tokio::test]
async fn a_refusal_while_the_body_still_goes_out_over_tls() {
    let (acceptor, pem) = support::tls("127.0.0.1");
    let server = Server::start_tls(acceptor, refusing).await;
    for body in bodies() {
        let s3 = client_of(server.url()).root_certificates_pem(&pem).max_attempts(1).build().unwrap();
        let error = soon(s3.put_object("my-bucket", "a", body).into_future()).await.unwrap_err();
        assert_eq!(line(&error), "PutObject my-bucket/a: Access Denied (AccessDenied, HTTP 403, request ID)");
    }
}

/// The refusal of a caller that would go on for ever.
#[tokio::test]
async fn a_refusal_while_the_caller_gives_nothing() {
    let server = Server::start(|mut conn: Conn| async move {
        conn.head().await;
        conn.answer(403, error_document("AccessDenied", "Access Denied")).await;
        conn.until_closed().await;
    })
    .await;
    let s3 = client_of(server.url()).build().unwrap();
    let never = Body::sized_stream(stream::pending::<Result<Bytes, std::io::Error>>(), 10);
    let error = soon(s3.put_object("my-bucket", "a", never).into_future()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
}

/// A store behind a port, and clients that send streams in each of the ways there are.
async fn stores() -> (Store, wharf_embedded::Server, Vec<(&'static str, Client)>) {
    let store = Store::builder().credentials(ACCESS_KEY, SECRET).build();
    let server = store.serve("127.0.0.1:0").await.unwrap();
    let http = || {
        let builder = Client::builder().environment(|_| None).endpoint(server.endpoint()).max_attempts(3);
        builder.credentials(ACCESS_KEY, SECRET)
    };
    let in_process = Client::builder().environment(|_| None).transport(store.clone());
    let clients = [
        ("signed chunks", http()),
        ("signed chunks and trailer", http().checksum_trailers(true)),
        ("unsigned", http().unsigned_payload()),
        ("unsigned trailer", http().unsigned_payload().checksum_trailers(true)),
        ("in process", in_process),
    ];
    let clients: Vec<_> = clients.into_iter().map(|(name, builder)| (name, builder.build().unwrap())).collect();
    clients[0].1.create_bucket("my-bucket").await.unwrap();
    (store, server, clients)
}

fn pieces(count: usize) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> + Send {
    stream::iter((0..count).map(|_| Ok(Bytes::from_static(&[7; 1000]))))
}

#[tokio::test]
async fn a_stream_as_long_as_declared() {
    let (_store, _server, clients) = stores().await;
    for (way, s3) in clients {
        for count in [0, 1, 65, 66, 300] {
            let body = Body::sized_stream(pieces(count), count as u64 * 1000);
            s3.put_object("my-bucket", "a", body).await.unwrap();
            let read = s3.get_object("my-bucket", "a").checksum_mode(true).bytes().await.unwrap();
            assert_eq!(read, vec![7; count * 1000], "{way}");
        }
        s3.delete_object("my-bucket", "a").await.unwrap();
    }
}

#[tokio::test]
async fn a_stream_of_another_length_than_declared() {
    let (store, _server, clients) = stores().await;
    for (way, s3) in clients {
        for (count, declared, problem) in [
            (3, 3001, "the body ended after 3000 of the 3001 bytes declared"),
            (0, 1, "the body ended after 0 of the 1 bytes declared"),
            (200, 300_000, "the body ended after 200000 of the 300000 bytes declared"),
            (3, 2999, "the body is longer than the 2999 bytes declared"),
            (3, 2000, "the body is longer than the 2000 bytes declared"),
            (3, 0, "the body is longer than the 0 bytes declared"),
            (201, 200_000, "the body is longer than the 200000 bytes declared"),
        ] {
            let body = Body::sized_stream(pieces(count), declared);
            let error = soon(s3.put_object("my-bucket", "a", body).into_future()).await.unwrap_err();
            assert_eq!(line(&error), format!("PutObject my-bucket/a: {problem}"), "{way}");
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{way}");
            let stored = s3.get_object("my-bucket", "a").await.map(|object| object.content_length);
            assert_eq!(stored.unwrap_err().kind(), ErrorKind::NoSuchKey, "{way} {count} {declared}");
        }
    }
    let stored = |request: &wharf_embedded::LoggedRequest| {
        request.operation == "PutObject" && request.status == Some(http::StatusCode::OK)
    };
    assert!(!store.requests().iter().any(stored));
}

#[tokio::test]
async fn a_stream_that_breaks() {
    let (_store, _server, clients) = stores().await;
    let broken = |count| pieces(count).chain(stream::iter([Err(std::io::Error::other("the tape tore"))]));
    for (way, s3) in clients {
        for body in [
            Body::sized_stream(broken(0), 300_000),
            Body::sized_stream(broken(200), 300_000),
            Body::sized_stream(broken(300), 300_000),
            Body::stream(broken(10)),
        ] {
            let error = soon(s3.put_object("my-bucket", "a", body).into_future()).await.unwrap_err();
            assert_eq!(line(&error), "PutObject my-bucket/a: the body could not be read: the tape tore", "{way}");
            assert_eq!(error.kind(), ErrorKind::Body);
            let cause = error.cause().unwrap().downcast_ref::<std::io::Error>();
            assert_eq!(cause.unwrap().to_string(), "the tape tore");
            let stored = s3.get_object("my-bucket", "a").await;
            assert_eq!(stored.unwrap_err().kind(), ErrorKind::NoSuchKey, "{way}");
        }
    }
}

#[tokio::test]
async fn a_reader_is_held_to_its_length() {
    let (_store, _server, clients) = stores().await;
    let s3 = &clients[0].1;
    s3.put_object("my-bucket", "a", Reader::new(&[7_u8; 100][..]).length(100)).await.unwrap();
    let error = s3.put_object("my-bucket", "b", Reader::new(&[7_u8; 100][..]).length(101)).await.unwrap_err();
    assert_eq!(line(&error), "PutObject my-bucket/b: the body ended after 100 of the 101 bytes declared");
    s3.put_object("my-bucket", "c", Reader::new(&[7_u8; 100][..])).await.unwrap();
    assert_eq!(s3.get_object("my-bucket", "c").bytes().await.unwrap(), vec![7; 100]);
}

#[tokio::test]
async fn a_body_of_unknown_length() {
    let (store, _server, clients) = stores().await;
    let s3 = &clients[0].1;
    let megabytes = |count: usize, more: usize| {
        let piece = Bytes::from(vec![7; MIB]);
        let all = (0..count).map(move |_| piece.clone()).chain((more > 0).then(|| Bytes::from(vec![7; more])));
        Body::stream(stream::iter(all.map(Ok::<_, std::io::Error>)))
    };
    s3.put_object("my-bucket", "a", megabytes(16, 0)).await.unwrap();
    assert_eq!(s3.head_object("my-bucket", "a").await.unwrap().content_length, 16 * MIB as u64);
    store.clear_requests();
    let error = s3.put_object("my-bucket", "b", megabytes(16, 1)).await.unwrap_err();
    assert_eq!(
        line(&error),
        "PutObject my-bucket/b: a body of unknown length may have at most 16 MiB in one request; say its length \
         (`.length(n)`), or use `upload`, which sends it in parts"
    );
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidInput, 0));
    assert!(store.requests().is_empty());

    let upload = s3.create_multipart_upload("my-bucket", "c").await.unwrap().upload_id;
    let part = s3.upload_part("my-bucket", "c", &upload, 1, megabytes(16, 0)).await.unwrap();
    store.clear_requests();
    let error = s3.upload_part("my-bucket", "c", &upload, 2, megabytes(16, 1)).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidInput, 0));
    assert!(line(&error).contains("use `upload`") && store.requests().is_empty(), "{error}");
    s3.complete_multipart_upload("my-bucket", "c", upload).part(part).await.unwrap();
    assert_eq!(s3.head_object("my-bucket", "c").await.unwrap().content_length, 16 * MIB as u64);
}

/// No number is too large to be answered with a line.
#[tokio::test]
async fn a_body_that_no_server_takes() {
    for length in [(5 << 40) + 1, u64::MAX] {
        let s3 = client_of("http://127.0.0.1:1").build().unwrap();
        let body = Body::sized_stream(pieces(1), length);
        let error = s3.put_object("my-bucket", "a", body).await.unwrap_err();
        let problem = format!("a body of {length} bytes is too long: one request has at most 5 TiB");
        assert_eq!(line(&error), format!("PutObject my-bucket/a: {problem}"));
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidInput, 0));
    }
}

/// 9 KiB a second: slow, and never silent.
#[tokio::test(start_paused = true)]
async fn a_slow_server_has_time_for_a_body_of_any_size() {
    let transport = Fake::new(|_, request: Request<Bytestream>| async move {
        let mut body = request.into_body();
        while let Some(piece) = body.next().await {
            tokio::time::sleep(std::time::Duration::from_secs(piece.unwrap().len() as u64 / 9216)).await;
        }
        Ok(answer(200, ""))
    });
    for length in [65_536, 300_000, MIB] {
        let s3 = fake(transport.clone()).max_attempts(1).build().unwrap();
        s3.put_object("my-bucket", "a", vec![0; length]).await.unwrap();
    }
}

fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("wharf-{name}-{}", std::process::id()))
}

fn fake(fake: Fake) -> ClientBuilder {
    client_of("http://127.0.0.1:1").transport(fake)
}

/// What can be read again is known before it is sent: its length and checksum are in headers, and the body is itself.
#[tokio::test]
async fn what_can_be_sent_again_is_not_framed() {
    const BODY: &[u8] = b"Hello from a file!";
    let path = temporary("unframed");
    std::fs::write(&path, BODY).unwrap();
    let bodies = || [path.as_path().into_body("a"), BODY.into_body("a")];
    for unsigned in [false, true] {
        for body in bodies() {
            let server = Server::start(async |mut conn: Conn| {
                let (_, body) = conn.request().await.unwrap();
                assert_eq!(body, BODY);
                conn.answer(200, "").await;
            })
            .await;
            let builder = client_of(server.url()).provider(wharf::Provider::Aws);
            let s3 = if unsigned { builder.unsigned_payload() } else { builder }.build().unwrap();
            s3.put_object("my-bucket", "a", body).await.unwrap();
            let head = &server.requests()[0];
            assert_eq!(head.header("content-length"), Some("18"));
            let checksum = wharf::ChecksumAlgorithm::Crc64Nvme.checksum(BODY).to_base64();
            assert_eq!(head.header("x-amz-checksum-crc64nvme"), Some(&*checksum));
            for framing in ["transfer-encoding", "content-encoding", "x-amz-decoded-content-length", "x-amz-trailer"] {
                assert_eq!(head.header(framing), None, "{framing}");
            }
            let sha256 = head.header("x-amz-content-sha256").unwrap();
            assert_eq!(sha256 == "UNSIGNED-PAYLOAD", unsigned, "{sha256}");
        }
    }
    std::fs::remove_file(&path).unwrap();
}

/// The file is changed by the server's hand, when the head has been sent and the body has not been read.
#[tokio::test]
async fn a_file_that_changes_while_it_is_sent() {
    let path = temporary("changes");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    for (change, touched) in [(400_000, true), (700_000, true), (600_000, true), (700_000, false)] {
        std::fs::write(&path, vec![7; 600_000]).unwrap();
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
        let changed = path.clone();
        let transport = Fake::new(move |_, request: Request<Bytestream>| {
            let path = changed.clone();
            async move {
                std::fs::write(&path, vec![8; change]).unwrap();
                if !touched {
                    std::fs::File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
                }
                let sent = drain(request.into_body()).await;
                assert!(sent.is_err(), "{sent:?} bytes were sent as if they were whole");
                Ok(answer(400, error_document("IncompleteBody", "Too short.")))
            }
        });
        let s3 = fake(transport.clone()).build().unwrap();
        let error = s3.put_object("my-bucket", "a", path.as_path()).await.unwrap_err();
        let expected =
            format!("PutObject my-bucket/a: {} changed while it was read; nothing was stored", path.display());
        assert_eq!((line(&error), error.kind()), (expected, ErrorKind::Body));
        assert_eq!(transport.count(), 1);
    }
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn files_that_cannot_be_sent() {
    let s3 = client_of("http://127.0.0.1:1").build().unwrap();
    let path = temporary("nowhere");
    let error = s3.put_object("my-bucket", "a", path.as_path()).await.unwrap_err();
    assert!(
        line(&error).starts_with(&format!("PutObject my-bucket/a: {} cannot be read: ", path.display())),
        "{error}"
    );
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Body, 0));
    let folder = std::env::temp_dir();
    let error = s3.put_object("my-bucket", "a", folder.as_path()).await.unwrap_err();
    let expected = format!("PutObject my-bucket/a: {} is a directory, not a file", folder.display());
    assert_eq!((line(&error), error.kind()), (expected, ErrorKind::Body));
}

/// The server says what it stored, and it is not what was sent.
#[tokio::test]
async fn a_server_that_stored_other_bytes() {
    let transport = || {
        Fake::new(|_, request: Request<Bytestream>| async move {
            drain(request.into_body()).await.unwrap();
            let mut answer = answer(200, "");
            answer.headers_mut().insert("x-amz-checksum-crc64nvme", "AAAAAAAAAAA=".parse().unwrap());
            answer.headers_mut().insert("x-amz-request-id", "1".parse().unwrap());
            Ok(answer)
        })
    };
    for body in [Body::bytes("Hello!"), Body::sized_stream(pieces(1), 1000)] {
        let transport = transport();
        let error = fake(transport.clone()).build().unwrap().put_object("my-bucket", "a", body).await.unwrap_err();
        let line = line(&error);
        let expected = "PutObject my-bucket/a: the server stored other bytes than were sent: its CRC64NVME is \
                        AAAAAAAAAAA=, ours ";
        assert!(line.starts_with(expected) && line.ends_with("= (HTTP 200, request ID)"), "{line}");
        assert_eq!((error.kind(), error.attempts(), transport.count()), (ErrorKind::Corrupt, 1, 1));
        assert_eq!(error.hint(), Some("the object named here is stored and wrong: delete it or write it again"));
    }
    let s3 = fake(transport()).checksum(None).build().unwrap();
    s3.put_object("my-bucket", "a", "Hello!").await.unwrap();
}

#[tokio::test]
async fn the_error_of_a_body_that_could_not_be_made() {
    let s3 = client_of("http://127.0.0.1:1").build().unwrap();
    let body = Body::failed(Error::invalid_input("no such thing"));
    let error = s3.put_object("my-bucket", "a", body).await.unwrap_err();
    assert_eq!((line(&error), error.attempts()), ("PutObject my-bucket/a: no such thing".to_owned(), 0));
}
