//! Directory buckets (S3 Express One Zone): two hosts, and sessions that a client begins and renews by itself.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use futures_util::{FutureExt, StreamExt, stream};
use http::{HeaderMap, Method, Request};
use support::{Fake, FakeClock, answer, error_document, line, soon};
use wharf::transport::Body;
use wharf::{Client, Credentials, ErrorKind};

const BUCKET: &str = "mybucket--use1-az4--x-s3";
const ZONE: &str = "mybucket--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com";
const SESSION: &str = "https://mybucket--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com/?session";

/// What was sent.
#[derive(Debug, Clone)]
struct Sent {
    method: Method,
    uri: String,
    headers: HeaderMap,
}

impl Sent {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Who signed, and for which service.
    fn signed(&self) -> (&str, &str) {
        let mut scope = self.header("authorization").unwrap().split("Credential=").nth(1).unwrap().split('/');
        (scope.next().unwrap(), scope.nth(2).unwrap())
    }

    fn is_session(&self) -> bool {
        self.uri.ends_with("?session")
    }
}

/// S3 with directory buckets: its answers may be replaced by `script`, by the request and its number.
#[derive(Clone, Default)]
struct Express(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    sent: Vec<Sent>,
    sessions: u32,
}

type Script = fn(&Sent, usize) -> Option<(u16, &'static str)>;

impl Express {
    fn client(&self, clock: &FakeClock, script: Script) -> Client {
        let (state, time) = (self.0.clone(), clock.clone());
        let transport = Fake::new(move |number, request: Request<Body>| {
            let mut state = state.lock().unwrap();
            let (head, _) = request.into_parts();
            let sent = Sent { method: head.method, uri: head.uri.to_string(), headers: head.headers };
            state.sent.push(sent.clone());
            let given = match script(&sent, number) {
                Some((status, code)) => {
                    let named = "<Region>us-west-2</Region></Error>";
                    answer(status, error_document(code, "No.").replace("</Error>", named))
                }
                None if sent.is_session() => {
                    state.sessions += 1;
                    answer(200, session(state.sessions, wharf::Clock::now(&time) + Duration::from_secs(300)))
                }
                None => answer(200, "Hello!"),
            };
            async move {
                // Others get their turn meanwhile.
                tokio::task::yield_now().await;
                Ok(given)
            }
        });
        let own = Credentials::new("AKIDOWN", "secret").with_session_token("own-token");
        let builder = Client::builder().environment(|_| None).region("us-east-1").clock(clock.clone());
        builder.credentials_provider(own).transport(transport).build().unwrap()
    }

    fn sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.0.lock().unwrap().sent)
    }
}

fn session(number: u32, ends: SystemTime) -> String {
    let seconds = ends.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() - 1_767_225_600;
    let ends = format!("2026-01-01T{:02}:{:02}:{:02}Z", seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!(
        "<CreateSessionResult><Credentials><SessionToken>token-{number}</SessionToken><SecretAccessKey>s</SecretAccessKey>\
         <AccessKeyId>ASIA{number}</AccessKeyId><Expiration>{ends}</Expiration></Credentials></CreateSessionResult>"
    )
}

fn all_well(_: &Sent, _: usize) -> Option<(u16, &'static str)> {
    None
}

#[tokio::test]
async fn a_session_is_begun_once_and_signs_what_follows() {
    let (express, clock) = (Express::default(), FakeClock::default());
    let s3 = express.client(&clock, all_well);
    assert_eq!(s3.get_object(BUCKET, "a").text().await.unwrap(), "Hello!");
    s3.put_object(BUCKET, "a", "Hello!").await.unwrap();
    s3.head_object(BUCKET, "a").await.unwrap();
    let sent = express.sent();
    assert_eq!(sent.iter().map(Sent::is_session).collect::<Vec<_>>(), [true, false, false, false]);
    // The session is asked for with the caller's keys and their token.
    assert_eq!((sent[0].method.clone(), sent[0].uri.as_str()), (Method::GET, SESSION));
    assert_eq!(sent[0].signed(), ("AKIDOWN", "s3express"));
    assert_eq!(sent[0].header("x-amz-security-token"), Some("own-token"));
    assert_eq!(sent[0].header("x-amz-s3session-token"), None);
    // What follows is signed with the session's.
    for request in &sent[1..] {
        assert!(request.uri.starts_with(&format!("https://{ZONE}/")), "{}", request.uri);
        assert_eq!(request.signed(), ("ASIA1", "s3express"));
        assert_eq!(request.header("x-amz-s3session-token"), Some("token-1"));
        assert_eq!(request.header("x-amz-security-token"), None);
        assert!(request.header("authorization").unwrap().contains("x-amz-s3session-token"));
    }
}

#[tokio::test]
async fn calls_at_once_share_one_session_and_buckets_none() {
    let (express, clock) = (Express::default(), FakeClock::default());
    let s3 = express.client(&clock, all_well);
    let calls = stream::iter(0..16).map(|n| s3.get_object(BUCKET, n.to_string()).text()).buffer_unordered(16);
    assert!(calls.all(|text| std::future::ready(text.unwrap() == "Hello!")).await);
    assert_eq!(express.sent().iter().filter(|sent| sent.is_session()).count(), 1);
    s3.get_object("other--use1-az4--x-s3", "a").await.unwrap();
    s3.get_object("ordinary-bucket", "a").await.unwrap();
    let sent = express.sent();
    assert_eq!(sent.len(), 3);
    assert_eq!(sent[1].header("x-amz-s3session-token"), Some("token-2"));
    assert_eq!(sent[2].uri, "https://ordinary-bucket.s3.us-east-1.amazonaws.com/a");
    assert_eq!((sent[2].signed(), sent[2].header("x-amz-security-token")), (("AKIDOWN", "s3"), Some("own-token")));
}

#[tokio::test]
async fn a_session_is_renewed_before_it_ends() {
    let (express, clock) = (Express::default(), FakeClock::default());
    let s3 = express.client(&clock, all_well);
    let mut tokens = Vec::new();
    for seconds in [0, 230, 15, 230, 15] {
        clock.advance(Duration::from_secs(seconds));
        s3.get_object(BUCKET, "a").await.unwrap();
        tokens.push(express.sent().pop().unwrap().header("x-amz-s3session-token").unwrap().to_owned());
    }
    // At 0, 230, 245, 475 and 490 seconds; each is good for 300, the last minute left out.
    assert_eq!(tokens, ["token-1", "token-1", "token-2", "token-2", "token-3"]);
}

/// One CreateSession answers all that wait for it, also where it is refused.
#[tokio::test]
async fn calls_at_once_share_a_refusal() {
    let (express, clock) = (Express::default(), FakeClock::default());
    let s3 = express.client(&clock, |sent, _| sent.is_session().then_some((403, "AccessDenied")));
    let calls = stream::iter(0..16).map(|n| s3.get_object(BUCKET, n.to_string()).text()).buffer_unordered(16);
    let errors: Vec<_> = calls.map(Result::unwrap_err).collect().await;
    assert!(errors.iter().all(|error| error.kind() == ErrorKind::AccessDenied));
    assert!(errors.iter().all(|error| error.to_string().contains("AccessDenied, HTTP 403")), "{errors:?}");
    assert_eq!(express.sent().len(), 1);
    s3.get_object(BUCKET, "a").await.unwrap_err();
    assert_eq!(express.sent().len(), 1, "a later call asks again");
}

/// As when the first stands in a `buffered` stream whose consumer awaits the second.
#[tokio::test]
async fn a_call_that_is_not_polled_holds_nobody_up() {
    let (express, clock) = (Express::default(), FakeClock::default());
    let s3 = express.client(&clock, all_well);
    let mut first = Box::pin(s3.get_object(BUCKET, "a").text());
    assert!((&mut first).now_or_never().is_none());
    assert_eq!(soon(s3.get_object(BUCKET, "b").text()).await.unwrap(), "Hello!");
    assert_eq!(first.await.unwrap(), "Hello!");
    assert_eq!(express.sent().iter().filter(|sent| sent.is_session()).count(), 1);
}

/// While a session lasts, one that cannot be renewed is none the worse.
#[tokio::test]
async fn a_renewal_that_fails() {
    let (express, clock) = (Express::default(), FakeClock::default());
    let s3 = express.client(&clock, |sent, number| (sent.is_session() && number > 1).then_some((403, "AccessDenied")));
    s3.get_object(BUCKET, "a").await.unwrap();
    clock.advance(Duration::from_secs(250));
    s3.get_object(BUCKET, "a").await.unwrap();
    assert_eq!(express.sent().last().unwrap().header("x-amz-s3session-token"), Some("token-1"));
    clock.advance(Duration::from_secs(60));
    let error = s3.get_object(BUCKET, "a").await.unwrap_err();
    assert_eq!(line(&error), format!("CreateSession {BUCKET}/a: No. (AccessDenied, HTTP 403, request ID)"));
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    assert!(express.sent().iter().all(Sent::is_session));
}

#[tokio::test]
async fn a_session_that_ended_early_is_begun_again_once() {
    let (express, clock) = (Express::default(), FakeClock::default());
    let s3 = express.client(&clock, |sent, _| {
        (sent.header("x-amz-s3session-token") == Some("token-1")).then_some((400, "ExpiredToken"))
    });
    assert_eq!(s3.get_object(BUCKET, "a").text().await.unwrap(), "Hello!");
    assert_eq!(express.sent().len(), 4);
    assert!(clock.waits().is_empty());
    // Calls at once replace it once.
    let express = Express::default();
    let s3 = express.client(&clock, |sent, _| {
        (sent.header("x-amz-s3session-token") == Some("token-1")).then_some((400, "ExpiredToken"))
    });
    let calls = stream::iter(0..8).map(|n| s3.get_object(BUCKET, n.to_string()).text()).buffer_unordered(8);
    assert!(calls.all(|text| std::future::ready(text.unwrap() == "Hello!")).await);
    assert_eq!(express.sent().iter().filter(|sent| sent.is_session()).count(), 2);
    let s3 = express.client(&clock, |sent, _| (!sent.is_session()).then_some((400, "ExpiredToken")));
    let error = s3.get_object(BUCKET, "a").await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidCredentials, 2));
    assert_eq!(express.sent().len(), 4);
}

/// The bucket itself is made and deleted at the region's host, with the caller's keys; with them it is asked for, and copies
/// are made.
#[tokio::test]
async fn what_needs_no_session() {
    let (express, clock) = (Express::default(), FakeClock::default());
    let s3 = express.client(&clock, |sent, _| sent.header("x-amz-copy-source").map(|_| (403, "AccessDenied")));
    let zone = wharf::op::LocationType::AvailabilityZone;
    s3.create_bucket(BUCKET).directory(zone, "use1-az4").await.unwrap();
    s3.delete_bucket(BUCKET).await.unwrap();
    for sent in express.sent() {
        let control = format!("https://s3express-control.us-east-1.amazonaws.com/{BUCKET}");
        assert_eq!((sent.uri, sent.headers.get("x-amz-s3session-token")), (control, None));
    }
    s3.head_bucket(BUCKET).await.unwrap();
    let sent = express.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].signed(), &*sent[0].uri), (("AKIDOWN", "s3express"), &*format!("https://{ZONE}/")));
    let session = s3.create_session(BUCKET).await.unwrap();
    assert_eq!(session.credentials.access_key_id(), "ASIA1");
    assert_eq!(express.sent()[0].signed(), ("AKIDOWN", "s3express"));
    let _ = s3.copy_object("from", "a", BUCKET, "b").await;
    let sent = express.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(
        (sent[0].signed(), sent[0].header("x-amz-security-token")),
        (("AKIDOWN", "s3express"), Some("own-token"))
    );
    assert_eq!(sent[0].uri, format!("https://{ZONE}/b"));
}

#[tokio::test]
async fn a_link_lasts_as_long_as_its_session() {
    let (express, clock) = (Express::default(), FakeClock::default());
    let s3 = express.client(&clock, all_well);
    let link = s3.get_object(BUCKET, "a").presign(Duration::from_secs(3600)).await.unwrap();
    assert!(link.url.starts_with(&format!("https://{ZONE}/a?")), "{}", link.url);
    assert!(link.url.contains("X-Amz-S3session-Token=token-1") && !link.url.contains("Security-Token"), "{}", link.url);
    assert!(link.url.contains("%2Fs3express%2F"), "{}", link.url);
    assert_eq!(link.expires_at, wharf::Clock::now(&clock) + Duration::from_secs(300));
    assert!(!format!("{link:?}").contains("token-1"));
}

#[tokio::test]
async fn it_takes_no_forms() {
    let (express, clock) = (Express::default(), FakeClock::default());
    let s3 = express.client(&clock, all_well);
    let error = s3.post_object(BUCKET, "a").presign(Duration::from_secs(60)).await.unwrap_err();
    assert_eq!(error.message(), "a directory bucket takes no forms; presign a PUT for it");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(express.sent().is_empty());
}

/// A directory bucket is in its zone, whatever an answer says.
#[tokio::test]
async fn it_does_not_move() {
    let (express, clock) = (Express::default(), FakeClock::default());
    let s3 = express.client(&clock, |sent, _| (!sent.is_session()).then_some((301, "PermanentRedirect")));
    let error = s3.get_object(BUCKET, "a").await.unwrap_err();
    assert_eq!((error.region(), error.attempts()), (Some("us-west-2"), 1));
    assert!(express.sent().iter().all(|sent| sent.uri.starts_with(&format!("https://{ZONE}/"))));
}
