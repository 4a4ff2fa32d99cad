//! https: what is trusted, what is not, and what is no TLS at all.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use bytes::Bytes;
use futures_util::stream;
use support::{ACCESS_KEY, Conn, FakeClock, SECRET, Server, client_of, line};
use wharf::{Body, ErrorKind};
use wharf_embedded::Store;

/// A server with a certificate of its own for `name`, and that certificate in PEM form.
async fn server<F>(name: &str, script: impl Fn(Conn) -> F + Send + Sync + 'static) -> (Server, String)
where
    F: Future<Output = ()> + Send + 'static,
{
    let (acceptor, pem) = support::tls(name);
    (Server::start_tls(acceptor, script).await, pem)
}

async fn hello(mut conn: Conn) {
    while conn.request().await.is_some() {
        conn.answer(200, "Hello!").await;
    }
}

#[tokio::test]
async fn a_certificate_that_is_trusted() {
    let (server, pem) = server("127.0.0.1", hello).await;
    let s3 = client_of(server.url()).root_certificates_pem(pem).build().unwrap();
    s3.put_object("my-bucket", "a", "Hello!").await.unwrap();
    assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "Hello!");
    assert_eq!(server.connections(), 1);
    assert_eq!(server.requests()[0].header("x-amz-content-sha256"), Some("UNSIGNED-PAYLOAD"));
}

#[tokio::test]
async fn a_certificate_of_nobody_known() {
    let (server, _) = server("127.0.0.1", hello).await;
    let s3 = client_of(server.url()).build().unwrap();
    let error = s3.get_object("my-bucket", "a").await.unwrap_err();
    assert_eq!(
        line(&error),
        "GetObject my-bucket/a: the TLS handshake failed: 127.0.0.1:PORT: invalid peer certificate: UnknownIssuer"
    );
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Transport, 1));
    assert_eq!(error.hint(), Some("a certificate of your own is trusted by AWS_CA_BUNDLE or .root_certificates_pem()"));
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_certificate_that_the_environment_names() {
    let (server, pem) = server("127.0.0.1", hello).await;
    let file = std::env::temp_dir().join(format!("wharf-bundle-{}.pem", std::process::id()));
    let path = file.to_str().unwrap().to_owned();
    let told = path.clone();
    let client = |url: String| {
        let told = told.clone();
        client_of(url).environment(move |name| (name == "AWS_CA_BUNDLE").then(|| told.clone()))
    };
    let error = client(server.url()).build().unwrap_err();
    assert!(error.to_string().starts_with(&format!("AWS_CA_BUNDLE: cannot read the CA bundle {path}: ")), "{error}");
    assert!(client(server.url().replace("https:", "http:")).build().is_ok(), "plain http needs no certificates");
    std::fs::write(&file, "none").unwrap();
    let error = client(server.url()).build().unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("AWS_CA_BUNDLE: the CA bundle {path}: the root certificates hold no PEM certificate")
    );
    std::fs::write(&file, pem).unwrap();
    let s3 = client(server.url()).build().unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "Hello!");
}

#[tokio::test]
async fn a_certificate_of_another_host() {
    let (server, pem) = server("s3.example.com", hello).await;
    let s3 = client_of(server.url()).root_certificates_pem(pem).build().unwrap();
    let error = s3.get_object("my-bucket", "a").await.unwrap_err();
    assert!(
        line(&error).starts_with(
            "GetObject my-bucket/a: the TLS handshake failed: 127.0.0.1:PORT: invalid peer certificate: certificate \
             not valid for name \"127.0.0.1\""
        ),
        "{error}"
    );
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Transport, 1));
}

#[tokio::test]
async fn anybody_is_trusted_where_that_was_said() {
    let (server, _) = server("s3.example.com", hello).await;
    let s3 = client_of(server.url()).danger_accept_invalid_certificates().build().unwrap();
    assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "Hello!");
}

#[tokio::test]
async fn a_server_without_tls() {
    let server = Server::start(|mut conn: Conn| async move {
        conn.write("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
        conn.until_closed().await;
    })
    .await;
    let s3 = client_of(server.url().replace("http:", "https:")).build().unwrap();
    let error = s3.get_object("my-bucket", "a").await.unwrap_err();
    assert_eq!(
        line(&error),
        "GetObject my-bucket/a: the TLS handshake failed: 127.0.0.1:PORT: what answers there is not TLS; is the \
         endpoint http://?"
    );
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Transport, 1));
}

#[tokio::test]
async fn a_handshake_that_is_cut_short_is_tried_again() {
    let server = Server::start(|conn: Conn| async move { drop(conn) }).await;
    let clock = FakeClock::default();
    let s3 = client_of(server.url().replace("http:", "https:")).clock(clock.clone()).build().unwrap();
    let error = s3.get_object("my-bucket", "a").await.unwrap_err();
    assert!(
        line(&error).starts_with("GetObject my-bucket/a: no connection could be made: 127.0.0.1:PORT: "),
        "{error}"
    );
    assert_eq!((error.kind(), error.attempts(), clock.waits().len()), (ErrorKind::Transport, 3, 2));
}

#[tokio::test]
async fn a_tls_server_asked_in_plain_http() {
    let (server, _) = server("127.0.0.1", hello).await;
    let s3 = client_of(server.url().replace("https:", "http:")).build().unwrap();
    let error = s3.get_object("my-bucket", "a").await.unwrap_err();
    assert_eq!(
        line(&error),
        "GetObject my-bucket/a: the HTTP exchange failed: what answers there speaks TLS; is the endpoint https://?"
    );
    assert_eq!(error.kind(), ErrorKind::Transport);
}

#[tokio::test]
async fn certificates_that_are_none() {
    for (pem, problem) in [
        ("", "the root certificates hold no PEM certificate"),
        ("not a certificate", "the root certificates hold no PEM certificate"),
        ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "the root certificates are not PEM: "),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "a root certificate cannot be used: "),
    ] {
        let error = client_of("https://s3.example.com").root_certificates_pem(pem).build().unwrap_err();
        assert!(error.to_string().starts_with(problem), "{error}");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}

/// Over https a stream's checksum follows it, and nothing is stored that is not what was declared.
#[tokio::test]
async fn streams() {
    let store = Store::builder().credentials(ACCESS_KEY, SECRET).build();
    let plain = store.serve("127.0.0.1:0").await.unwrap();
    let address = plain.local_addr();
    let (server, pem) = server("127.0.0.1", move |conn: Conn| conn.pipe(address)).await;
    for trailers in [true, false] {
        let builder = client_of(server.url()).clock(FakeClock::system()).root_certificates_pem(&pem);
        let s3 = builder.checksum_trailers(trailers).build().unwrap();
        if trailers {
            s3.create_bucket("my-bucket").await.unwrap();
        }
        let pieces =
            |count: usize| stream::iter((0..count).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&[7; 1000]))));
        store.clear_requests();
        s3.put_object("my-bucket", "a", Body::sized_stream(pieces(200), 200_000)).await.unwrap();
        let sent = store.requests()[0].headers.clone();
        let payload = if trailers { "STREAMING-UNSIGNED-PAYLOAD-TRAILER" } else { "UNSIGNED-PAYLOAD" };
        assert_eq!(sent["x-amz-content-sha256"], payload);
        assert_eq!(s3.get_object("my-bucket", "a").bytes().await.unwrap(), vec![7; 200_000]);
        for (count, declared) in [(200, 200_001), (201, 200_000)] {
            let error = s3.put_object("my-bucket", "b", Body::sized_stream(pieces(count), declared)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
            let stored = s3.get_object("my-bucket", "b").await.map(|object| object.content_length);
            assert_eq!(stored.unwrap_err().kind(), ErrorKind::NoSuchKey);
        }
    }
}

/// What TLS still holds of it would be taken for the next answer.
#[tokio::test]
async fn more_than_an_answer_ends_its_connection() {
    for size in [1000, 30_000, 60_000, 100_000] {
        let body = "x".repeat(size);
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n{body}");
        let answers = format!("{answer}HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison");
        let script = move |mut conn: Conn| {
            let answers = answers.clone();
            async move { while conn.request().await.is_some() && conn.write(&answers).await {} }
        };
        let (server, pem) = server("127.0.0.1", script).await;
        let s3 = client_of(server.url()).root_certificates_pem(pem).max_attempts(1).build().unwrap();
        for connections in 1..4 {
            assert!(s3.get_object("my-bucket", "a").text().await.unwrap() == body, "{size}, {connections}");
            assert_eq!(server.connections(), connections, "{size}");
        }
    }
}
