//! Through a proxy: what it gets to see, what it can refuse, and what never passes it.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::{ACCESS_KEY, Conn, FakeClock, SECRET, Server, line, tls};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use wharf::{Client, ClientBuilder, ErrorKind};

const HOUR: Duration = Duration::from_secs(3600);

trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

fn client(endpoint: &str, variables: &'static [(&str, &str)]) -> ClientBuilder {
    Client::builder()
        .environment(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
        .endpoint(endpoint)
        .credentials(ACCESS_KEY, SECRET)
        .clock(FakeClock::default())
}

async fn hello(mut conn: Conn) {
    while conn.request().await.is_some() {
        conn.answer(200, "Hello!").await;
    }
}

/// A proxy that leads every tunnel to `port` of this machine, and what it was asked. It is spoken to by TLS where it has a
/// certificate.
async fn tunnels_to(port: u16, tls: Option<TlsAcceptor>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = heads.clone();
    let scheme = if tls.is_some() { "https" } else { "http" };
    tokio::spawn(async move {
        loop {
            let client = listener.accept().await.unwrap().0;
            let client: Box<dyn Socket> = match &tls {
                Some(tls) => match tls.accept(client).await {
                    Ok(client) => Box::new(client),
                    Err(_) => continue,
                },
                None => Box::new(client),
            };
            let mut client = BufReader::new(client);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                client.read_line(&mut head).await.unwrap();
            }
            seen.lock().unwrap().push(head);
            let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            client.write_all(b"HTTP/1.1 200 Connection established\r\nVia: here\r\n\r\n").await.unwrap();
            client.flush().await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
        }
    });
    (format!("{scheme}://{address}"), heads)
}

#[tokio::test]
async fn plain_http_goes_to_the_proxy_as_it_is() {
    let proxy = Server::start(hello).await;
    let url = proxy.url().replace("http://", "http://user:pass%21@");
    let s3 = client("http://s3.example.test:8080", &[]).proxy(url).build().unwrap();
    for _ in 0..2 {
        assert_eq!(s3.get_object("my-bucket", "a/../b c").text().await.unwrap(), "Hello!");
    }
    let request = &proxy.requests()[0];
    assert_eq!(request.target, "http://s3.example.test:8080/my-bucket/a/../b%20c");
    assert_eq!(request.header("host"), Some("s3.example.test:8080"));
    assert_eq!(request.header("proxy-authorization"), Some("Basic dXNlcjpwYXNzIQ=="));
    assert!(!request.header("authorization").unwrap().contains("proxy-authorization"));
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test]
async fn https_goes_through_the_proxy_unseen() {
    let (acceptor, pem) = tls("s3.example.test");
    let server = Server::start_tls(acceptor, hello).await;
    let (proxy, heads) = tunnels_to(server.port(), None).await;
    let url = proxy.replace("http://", "http://user:pass@");
    let s3 = client("https://s3.example.test", &[]).proxy(url).root_certificates_pem(pem).build().unwrap();
    for _ in 0..2 {
        assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "Hello!");
    }
    let expected = "CONNECT s3.example.test:443 HTTP/1.1\r\nHost: s3.example.test:443\r\n\
                    Proxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n";
    assert_eq!(*heads.lock().unwrap(), [expected]);
    assert_eq!(server.requests()[0].target, "/my-bucket/a");
    assert_eq!(server.requests()[0].header("proxy-authorization"), None);
}

#[tokio::test]
async fn a_proxy_that_is_spoken_to_by_tls() {
    let (acceptor, of_proxy) = tls("127.0.0.1");
    let proxy = Server::start_tls(acceptor.clone(), hello).await;
    let s3 = client("http://s3.example.test", &[]).proxy(proxy.url()).root_certificates_pem(&of_proxy).build().unwrap();
    for _ in 0..2 {
        assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "Hello!");
    }
    assert_eq!(proxy.requests()[0].target, "http://s3.example.test/my-bucket/a");
    assert_eq!(proxy.connections(), 1);

    let (of_server, pem) = tls("s3.example.test");
    let server = Server::start_tls(of_server, hello).await;
    let (proxy, heads) = tunnels_to(server.port(), Some(acceptor)).await;
    let roots = format!("{of_proxy}{pem}");
    let s3 = client("https://s3.example.test", &[]).proxy(&proxy).root_certificates_pem(roots).build().unwrap();
    s3.put_object("my-bucket", "a", "x".repeat(1 << 20)).await.unwrap();
    assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "Hello!");
    assert_eq!(*heads.lock().unwrap(), ["CONNECT s3.example.test:443 HTTP/1.1\r\nHost: s3.example.test:443\r\n\r\n"]);
    assert_eq!(server.requests()[0].header("content-length"), Some("1048576"));

    // It must be whom it says, as the server behind it must.
    let s3 = client("https://s3.example.test", &[]).proxy(&proxy).root_certificates_pem(pem).build().unwrap();
    let error = s3.get_object("my-bucket", "a").await.unwrap_err();
    let beginning = "GetObject my-bucket/a: the TLS handshake failed: the proxy https://127.0.0.1:PORT (said in the \
                     program) cannot be reached: 127.0.0.1:PORT: invalid peer certificate: ";
    assert!(line(&error).starts_with(beginning), "{error}");
    // Also where the server need not be: it is told a password.
    let s3 = client("https://s3.example.test", &[]).proxy(&proxy).danger_accept_invalid_certificates().build().unwrap();
    let error = s3.get_object("my-bucket", "a").await.unwrap_err();
    assert!(line(&error).starts_with(beginning), "{error}");
}

#[tokio::test]
async fn a_proxy_whose_certificate_the_environment_names() {
    let (acceptor, pem) = tls("127.0.0.1");
    let proxy = Server::start_tls(acceptor, hello).await;
    let file = std::env::temp_dir().join(format!("wharf-proxy-{}.pem", std::process::id()));
    std::fs::write(&file, pem).unwrap();
    let (path, url) = (file.to_str().unwrap().to_owned(), proxy.url());
    let told = move |name: &str| match name {
        "AWS_CA_BUNDLE" => Some(path.clone()),
        "http_proxy" => Some(url.clone()),
        _ => None,
    };
    let s3 = client("http://s3.example.test", &[]).environment(told).build().unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "Hello!");
}

#[tokio::test]
async fn a_proxy_that_speaks_no_tls() {
    let proxy = Server::start(|mut conn: Conn| async move {
        conn.write("HTTP/1.1 400 Bad Request\r\n\r\n").await;
        conn.head().await;
    })
    .await;
    let url = proxy.url().replace("http:", "https:");
    let s3 = client("http://s3.example.test", &[]).proxy(url).max_attempts(1).build().unwrap();
    let error = s3.get_object("my-bucket", "a").await.unwrap_err();
    assert!(error.to_string().ends_with("what answers there is not TLS; is the proxy http://?"), "{error}");
}

#[tokio::test]
async fn a_proxy_that_refuses() {
    for (answer, said) in [
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            "it wants a user and a password, as in http://user:password@proxy",
        ),
        ("HTTP/1.1 403 Forbidden\r\nX: y\r\n\r\n", "it answered \"HTTP/1.1 403 Forbidden\""),
        ("", "it closed the connection"),
    ] {
        let proxy = Server::start(move |mut conn: Conn| async move {
            conn.head().await;
            conn.write(answer).await;
        })
        .await;
        led_nowhere("https://s3.example.test", &proxy.url(), &format!("s3.example.test:443: {said}")).await;
    }
}

/// A proxy that does not connect to the endpoint, and says why.
async fn led_nowhere(endpoint: &str, proxy: &str, said: &str) {
    let s3 = client(endpoint, &[]).proxy(proxy).max_attempts(1).build().unwrap();
    let error = s3.get_object("my-bucket", "a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    let to = "GetObject my-bucket/a: no connection could be made: 127.0.0.1:PORT: the proxy did not connect to ";
    assert_eq!(line(&error), format!("{to}{said}"));
}

/// It is said who has not answered.
#[tokio::test]
async fn a_proxy_that_is_silent() {
    let (arrived, mut seen) = mpsc::unbounded_channel();
    let silent = async |answers: &'static str| {
        let arrived = arrived.clone();
        Server::start(move |mut conn: Conn| {
            let arrived = arrived.clone();
            async move {
                if answers.is_empty() {
                    conn.read(1).await;
                } else {
                    conn.head().await;
                    conn.write(answers).await;
                    conn.read(1).await;
                }
                let _ = arrived.send(());
                conn.stall().await;
            }
        })
        .await
    };
    for (scheme, answers, said) in [
        ("https", "", "the proxy https://127.0.0.1:PORT (said in the program) cannot be reached"),
        ("http", "", "the proxy 127.0.0.1:PORT (said in the program) did not connect to s3.example.test:443"),
        ("http", "HTTP/1.1 200 OK\r\n\r\n", "s3.example.test:443"),
    ] {
        let proxy = silent(answers).await;
        let url = proxy.url().replace("http://", &format!("{scheme}://"));
        let s3 = client("https://s3.example.test", &[]).proxy(url).connect_timeout(HOUR).progress_timeout(2 * HOUR);
        let s3 = s3.max_attempts(1).build().unwrap();
        let call = tokio::spawn(s3.get_object("my-bucket", "a").into_future());
        seen.recv().await.unwrap();
        tokio::time::pause();
        tokio::time::advance(HOUR).await;
        let error = call.await.unwrap().unwrap_err();
        tokio::time::resume();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        let expected = format!("GetObject my-bucket/a: no connection could be made: {said}: no answer within 3600s");
        assert_eq!(line(&error), expected);
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there() {
    let variables = &[("HTTP_PROXY", "http://me:pa55word@127.0.0.1:1")];
    let s3 = client("http://s3.example.test", variables).max_attempts(1).build().unwrap();
    let error = s3.get_object("my-bucket", "a").await.unwrap_err();
    let beginning = "GetObject my-bucket/a: no connection could be made: the proxy 127.0.0.1:PORT (HTTP_PROXY) cannot \
                     be reached: 127.0.0.1:PORT: ";
    assert!(line(&error).starts_with(beginning), "{error}");
    assert_eq!(error.hint(), Some("look at HTTP_PROXY, HTTPS_PROXY and ALL_PROXY, or except the host by NO_PROXY"));
}

#[tokio::test]
async fn a_proxy_that_knows_another_password() {
    let proxy = Server::start(|mut conn: Conn| async move {
        conn.head().await;
        conn.write("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
    })
    .await;
    let url = proxy.url().replace("http://", "http://user:pa55word@");
    let s3 = client("https://s3.example.test", &[]).proxy(url).max_attempts(1).build().unwrap();
    let error = s3.get_object("my-bucket", "a").await.unwrap_err().to_string();
    assert!(error.ends_with("it does not take this user and password"), "{error}");
    assert!(!error.contains("pa55word"));
}

/// What goes by plain http is answered by the proxy itself.
#[tokio::test]
async fn a_proxy_that_wants_a_user_for_plain_http() {
    let proxy = Server::always("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n").await;
    for (user, said) in [
        ("", "it wants a user and a password, as in http://user:password@proxy"),
        ("user:pa55word@", "it does not take this user and password"),
    ] {
        let url = proxy.url().replace("http://", &format!("http://{user}"));
        led_nowhere("http://s3.example.test", &url, &format!("s3.example.test:80: {said}")).await;
    }
    // A server that is reached without one, or through it, has another reason.
    let (acceptor, pem) = tls("s3.example.test");
    let server = Server::start_tls(acceptor, |mut conn: Conn| async move {
        conn.request().await;
        conn.answer(407, "").await;
    })
    .await;
    let (tunnels, _) = tunnels_to(server.port(), None).await;
    let through = client("https://s3.example.test", &[]).proxy(tunnels).root_certificates_pem(pem);
    for s3 in [client(&proxy.url(), &[]), through] {
        let error = s3.max_attempts(1).build().unwrap().get_object("my-bucket", "a").await.unwrap_err();
        assert_eq!(error.status().map(|status| status.as_u16()), Some(407), "{error}");
    }
}

/// The proxies of the environment lead nowhere here: whoever asked one would fail.
#[tokio::test]
async fn this_machine_is_reached_without_a_proxy() {
    let server = Server::start(hello).await;
    let s3 = client(&server.url(), &[("HTTP_PROXY", "http://nowhere.invalid:1")]).build().unwrap();
    assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "Hello!");
    let s3 =
        client("http://s3.example.test", &[("HTTP_PROXY", "http://nowhere.invalid:1"), ("NO_PROXY", "example.test")]);
    let error = s3.max_attempts(1).build().unwrap().get_object("my-bucket", "a").await.unwrap_err();
    assert!(error.to_string().contains("s3.example.test") && !error.to_string().contains("nowhere"), "{error}");
}

#[tokio::test]
async fn no_proxy_at_all() {
    let variables = &[("HTTP_PROXY", "http://nowhere.invalid:1")];
    let s3 = client("http://s3.example.test", variables).no_proxy().max_attempts(1).build().unwrap();
    let error = s3.get_object("my-bucket", "a").await.unwrap_err();
    assert!(!error.to_string().contains("nowhere"), "{error}");
}

#[test]
fn a_proxy_that_is_none() {
    let error =
        client("http://s3.example.test", &[("HTTPS_PROXY", "socks5://me:secret@proxy:1080")]).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(
        error.to_string(),
        "HTTPS_PROXY: proxies of the kind socks5:// are not supported; it reads like http://proxy.example:3128"
    );
}

/// A desktop's proxy for others is no matter where nothing would go through it.
#[tokio::test]
async fn a_proxy_that_is_none_and_is_not_needed() {
    let server = Server::start(hello).await;
    let variables = &[("ALL_PROXY", "socks5://proxy:1080")];
    let s3 = client(&server.url(), variables).build().unwrap();
    assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "Hello!");
    // What the program itself says is a mistake in any case.
    let error = client(&server.url(), &[]).proxy("socks5://proxy:1080").build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}
