//! A request whose credentials the server calls expired is signed anew, once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Request;
use wharf::transport::Body;
use wharf::{Credentials, CredentialsFuture, ErrorKind, ProvideCredentials};

use crate::common::{Folder, Service, builder, keys_answer, sts_answer, with_config};
use crate::support::{Fake, FakeClock, answer};

/// Gives others once some were refused.
#[derive(Default)]
struct Numbered(AtomicUsize);

impl ProvideCredentials for Numbered {
    fn credentials(&self) -> CredentialsFuture<'_> {
        let number = self.0.load(Ordering::SeqCst) + 1;
        let keys = Credentials::new(format!("AKID{number}"), "s3cr3t").with_session_token(format!("t{number}"));
        Box::pin(std::future::ready(Ok(keys)))
    }

    fn refused(&self, _: &Credentials) -> bool {
        self.0.fetch_add(1, Ordering::SeqCst);
        true
    }
}

/// A server that knows one key id, and what it saw.
fn server(known: &'static str, code: &'static str) -> (Fake, std::sync::Arc<Mutex<Vec<String>>>) {
    let seen: std::sync::Arc<Mutex<Vec<String>>> = std::sync::Arc::default();
    let tell = seen.clone();
    let fake = Fake::new(move |_, request: Request<Body>| {
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let signed = header("authorization").unwrap();
        let id = signed.split("Credential=").nth(1).unwrap().split('/').next().unwrap().to_owned();
        let token = header("x-amz-security-token").unwrap_or_default();
        tell.lock().unwrap().push(format!("{id} {token}"));
        std::future::ready(Ok(match id == known {
            true => answer(200, ""),
            false if request.method() == http::Method::HEAD => answer(400, ""),
            false => answer(400, format!("<Error><Code>{code}</Code><Message>No.</Message></Error>")),
        }))
    });
    (fake, seen)
}

#[tokio::test]
async fn expired_credentials_are_replaced_at_once() {
    for code in ["ExpiredToken", "ExpiredTokenException", "InvalidToken", "RequestExpired", "TokenRefreshRequired"] {
        let (fake, seen) = server("AKID2", code);
        let s3 = builder(&[]).credentials_provider(Numbered::default()).transport(fake).max_attempts(1);
        s3.build().unwrap().put_object("my-bucket", "a", "text").await.unwrap();
        assert_eq!(*seen.lock().unwrap(), ["AKID1 t1", "AKID2 t2"], "{code}");
    }
}

#[tokio::test]
async fn the_answer_to_a_head_has_no_code() {
    let (fake, seen) = server("AKID2", "");
    let s3 = builder(&[]).credentials_provider(Numbered::default()).transport(fake).build().unwrap();
    s3.head_object("my-bucket", "a").await.unwrap();
    assert_eq!(*seen.lock().unwrap(), ["AKID1 t1", "AKID2 t2"]);
}

/// The same with a source of wharf's own, which is asked by sockets although S3 is a fake.
#[tokio::test]
async fn a_role_is_assumed_anew() {
    let folder = Folder::new("refused");
    let count = AtomicUsize::new(0);
    let sts =
        Service::start(move |_, _| sts_answer(&format!("AKID{}", count.fetch_add(1, Ordering::SeqCst) + 1))).await;
    let (url, file) = (sts.url(), folder.file("token", "jwt"));
    let variables = [
        ("AWS_ENDPOINT_URL_STS", &*url),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", &*file),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r"),
    ];
    let (fake, seen) = server("AKID2", "ExpiredToken");
    let s3 = builder(&variables).transport(fake).build().unwrap();
    for _ in 0..2 {
        s3.put_object("my-bucket", "a", "text").await.unwrap();
    }
    assert_eq!(*seen.lock().unwrap(), ["AKID1 t0k3n", "AKID2 t0k3n", "AKID2 t0k3n"]);
    assert_eq!(sts.asked().len(), 2);
}

/// Some programs keep the keys of a file fresh.
#[tokio::test]
async fn a_file_is_read_anew() {
    let folder = Folder::new("reread");
    let config = |id: &str| {
        format!("[profile work]\naws_access_key_id = {id}\naws_secret_access_key = s\naws_session_token = of-{id}\n")
    };
    let (fake, seen) = server("AKID2", "ExpiredToken");
    let s3 = with_config(&folder, &config("AKID1"), &[]).transport(fake).build().unwrap();
    assert_eq!(s3.explain().get("access key id").unwrap().value(), "AKID1");
    folder.file("config", &config("AKID2"));
    for _ in 0..2 {
        s3.put_object("my-bucket", "a", "text").await.unwrap();
    }
    assert_eq!(*seen.lock().unwrap(), ["AKID1 of-AKID1", "AKID2 of-AKID2", "AKID2 of-AKID2"]);
    assert_eq!(s3.explain().get("access key id").unwrap().value(), "AKID2");
    // A file of the program's own is found again too, and one that has lost its keys is told.
    let keys = folder.file("keys", "[default]\naws_access_key_id = AKID1\naws_secret_access_key = s\n");
    let (fake, _) = server("AKID2", "ExpiredToken");
    let s3 = builder(&[]).credentials_file(&keys).transport(fake).build().unwrap();
    folder.file("keys", "[default]\n");
    let error = s3.put_object("my-bucket", "a", "text").await.unwrap_err();
    assert_eq!(error.to_string(), "PutObject my-bucket/a: profile \"default\" has no access key any more (2 attempts)");
}

#[tokio::test]
async fn once_and_only_where_there_are_others() {
    let (fake, seen) = server("none", "ExpiredToken");
    let s3 = builder(&[]).credentials_provider(Numbered::default()).transport(fake).build().unwrap();
    let error = s3.get_object("my-bucket", "a").await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidCredentials, 2));
    assert_eq!(seen.lock().unwrap().len(), 2);

    let (fake, seen) = server("none", "ExpiredToken");
    let s3 = builder(&[]).session_credentials("AKID", "s3cr3t", "t").transport(fake).build().unwrap();
    assert_eq!(s3.get_object("my-bucket", "a").await.unwrap_err().attempts(), 1);
    assert_eq!(*seen.lock().unwrap(), ["AKID t"]);

    // What is refused for another reason.
    let (fake, seen) = server("AKID2", "AccessDenied");
    let s3 = builder(&[]).credentials_provider(Numbered::default()).transport(fake).build().unwrap();
    s3.get_object("my-bucket", "a").await.unwrap_err();
    assert_eq!(seen.lock().unwrap().len(), 1);
}

/// Keys end by the clock of those who gave them, which S3 tells of a machine whose own is ahead.
#[tokio::test]
async fn keys_end_by_the_servers_clock() {
    let agent = Service::start(|_, _| keys_answer("AKID", "2025-12-31T23:00:00Z")).await;
    let fake = Fake::new(|_, request: Request<Body>| {
        let is_right = request.headers()["x-amz-date"].to_str().unwrap().starts_with("20251231T22");
        let mut answer = match is_right {
            true => answer(200, ""),
            false => answer(403, "<Error><Code>RequestTimeTooSkewed</Code></Error>"),
        };
        answer.headers_mut().insert("date", "Wed, 31 Dec 2025 22:00:00 GMT".parse().unwrap());
        std::future::ready(Ok(answer))
    });
    let uri = format!("{}/keys", agent.url());
    let clock = FakeClock::default();
    let s3 = builder(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &uri)]).transport(fake.clone()).clock(clock.clone());
    let s3 = s3.build().unwrap();
    for _ in 0..5 {
        s3.put_object("my-bucket", "a", "text").await.unwrap();
    }
    assert_eq!((agent.asked().len(), fake.count()), (1, 6));
    // And are renewed before they do, whatever was to wait until a time by the clock of before.
    clock.advance(Duration::from_secs(56 * 60));
    s3.put_object("my-bucket", "a", "text").await.unwrap();
    assert_eq!(agent.asked().len(), 2);
}
