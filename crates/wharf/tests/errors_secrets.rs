//! No secret is ever shown: by no error, no `Debug`, no trace.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::{Conn, FakeClock, Server, client_of, error_document};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use wharf::{Client, Credentials, CustomerKey, Encryption};
use wharf_embedded::Store;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+SECRET";
const TOKEN: &str = "FwoGZXIvYXdzEBYaDTOKEN";
/// What `CustomerKey::new([0x5a; 32])` is in base64.
const CUSTOMER_KEY: &str = "WlpaWlpaWlpa";

/// Everything that was traced, at every level, from every crate.
#[derive(Clone, Default)]
struct Everything(Arc<Mutex<String>>, Arc<AtomicU64>);

impl Everything {
    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        writeln!(self.0, "{} = {value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut text = self.0.lock().unwrap();
        writeln!(text, "span {}", span.metadata().name()).unwrap();
        span.record(&mut Fields(&mut text));
        Id::from_u64(self.1.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Fields(&mut self.0.lock().unwrap()));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = self.0.lock().unwrap();
        writeln!(text, "event of {}", event.metadata().target()).unwrap();
        event.record(&mut Fields(&mut text));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn credentials() -> Credentials {
    Credentials::new("AKIDEXAMPLE", SECRET).with_session_token(TOKEN)
}

fn assert_clean(text: &str, signatures: &[String]) {
    for secret in [SECRET, TOKEN, CUSTOMER_KEY, "90, 90, 90", "Signature="] {
        assert!(!text.contains(secret), "{secret} is in:\n{text}");
    }
    for signature in signatures {
        assert!(!text.contains(signature), "{signature} is in:\n{text}");
    }
}

/// The signatures that the server saw.
fn signatures(server: &Server) -> Vec<String> {
    let signature = |value: &str| value.split("Signature=").nth(1).unwrap().to_owned();
    server.requests().iter().filter_map(|head| head.header("authorization").map(signature)).collect()
}

/// Answers that break in every way, one after the other.
async fn breaking(mut conn: Conn) {
    let denied = error_document("AccessDenied", "Access Denied");
    let mismatch = error_document("SignatureDoesNotMatch", "The signature does not match.")
        .replace("</Error>", "<StringToSign>AWS4-HMAC-SHA256</StringToSign></Error>");
    for number in conn.number.. {
        if conn.request().await.is_none() {
            return;
        }
        match number % 6 {
            0 => conn.answer(403, &denied).await,
            1 => conn.answer(403, &mismatch).await,
            2 => conn.answer(503, "").await,
            3 => conn.answer(200, "<html>no</html>").await,
            4 => conn.answer(200, "Hello!").await,
            _ => return,
        };
    }
}

#[tokio::test]
async fn nothing_that_is_sent_can_be_read_in_errors_or_traces() {
    let everything = Everything::default();
    let tracing = tracing::subscriber::set_default(everything.clone());
    let server = Server::start(breaking).await;
    let key = || CustomerKey::new([0x5a; 32]);
    let s3 = client_of(server.url()).credentials_provider(credentials()).build().unwrap();
    let mut told = String::new();
    let mut tell = |error: wharf::Error| writeln!(told, "{error}\n{error:?}\n{error:#?}\n{:?}", error.cause()).unwrap();
    for _ in 0..8 {
        let put = s3.put_object("my-bucket", "a", "Hello!").encryption(Encryption::Customer(key()));
        writeln!(everything.0.lock().unwrap(), "{put:?}").unwrap();
        let _ = put.await.map_err(&mut tell);
        let _ = s3.get_object("my-bucket", "a").customer_key(key()).text().await.map_err(&mut tell);
        let _ = s3.list_objects("my-bucket").await.map_err(&mut tell);
    }
    drop(tracing);
    assert!(server.requests().iter().all(|head| head.header("x-amz-security-token") == Some(TOKEN)));
    let sent = server.requests().iter().any(|head| {
        head.header("x-amz-server-side-encryption-customer-key").is_some_and(|key| key.starts_with(CUSTOMER_KEY))
    });
    assert!(sent, "the test sends no customer key");
    let traced = everything.text();
    assert!(traced.contains("span s3") && traced.contains("span attempt") && traced.contains("status = 403"));
    assert!(told.contains("AccessDenied") && told.contains("SignatureDoesNotMatch"), "{told}");
    assert_clean(&traced, &signatures(&server));
    assert_clean(&told, &signatures(&server));
}

#[tokio::test]
async fn no_debug_shows_a_secret() {
    let builder = || {
        Client::builder().environment(|_| None).region("us-east-1").clock(FakeClock::default()).session_credentials(
            "AKIDEXAMPLE",
            SECRET,
            TOKEN,
        )
    };
    let s3 = builder().build().unwrap();
    let link = s3.get_object("my-bucket", "a").customer_key(CustomerKey::new([0x5a; 32]));
    let link = link.presign(Duration::from_secs(60)).await.unwrap();
    let signature = link.url.split("X-Amz-Signature=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let blocking = builder().build_blocking().unwrap();
    let store = Store::builder().credentials("AKIDEXAMPLE", SECRET).build();
    let defaults = wharf::transport::Transport::defaults(&store);
    let text = format!(
        "{s3:?} {blocking:?} {:?} {link:?} {:?} {:?} {store:?} {defaults:?} {:#?}",
        builder(),
        credentials(),
        CustomerKey::new([0x5a; 32]),
        s3.get_object("my-bucket", "a").customer_key(CustomerKey::new([0x5a; 32])),
    );
    assert!(text.contains("AKIDEXAMPLE"));
    assert_clean(&text, &[signature]);
}

/// Keys in a URL are refused without being repeated, and so is a file that holds them in the wrong place.
#[test]
fn no_setting_that_is_refused_shows_a_secret() {
    let error = Client::builder()
        .environment(|_| None)
        .endpoint(format!("https://AKIDEXAMPLE:{SECRET}@s3.example.com"))
        .build()
        .unwrap_err();
    assert_clean(&format!("{error} {error:?}"), &[]);
    let file = std::env::temp_dir().join(format!("wharf-secrets-{}", std::process::id()));
    std::fs::write(&file, format!("[work]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key {SECRET}\n"))
        .unwrap();
    let error = Client::builder().environment(|_| None).profile("work").credentials_file(&file).build().unwrap_err();
    std::fs::remove_file(&file).unwrap();
    assert!(error.to_string().contains("line 3"), "{error}");
    assert_clean(&format!("{error} {error:?}"), &[]);
}

/// A name or value that cannot stand in a header is told without the value.
#[tokio::test]
async fn a_secret_that_cannot_be_sent_is_not_shown() {
    let token = format!("{TOKEN}\n");
    let client = || client_of("http://127.0.0.1:1");
    let error = client().session_credentials("AKIDEXAMPLE", SECRET, &*token).build().unwrap_err();
    assert_clean(&format!("{error} {error:?}"), &[]);
    // What a provider gives is not known before.
    let given = wharf::Credentials::new("AKIDEXAMPLE", SECRET).with_session_token(token);
    let s3 = client().credentials_provider(given).build();
    let error = s3.unwrap().get_object("my-bucket", "a").await.unwrap_err();
    assert_eq!(error.attempts(), 1);
    assert_clean(&format!("{error} {error:?} {:?}", error.cause()), &[]);
}
