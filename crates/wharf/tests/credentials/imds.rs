//! The instance metadata of EC2.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use wharf::ErrorKind;

use crate::common::{IN_AN_HOUR, Service, builder, failure, key_id, keys, keys_answer};
use crate::support::{FakeClock, Head, Server};

const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

fn instance(head: &Head) -> (u16, String) {
    match (&*head.method, head.target.strip_prefix(ROLES)) {
        ("PUT", None) if head.target == "/latest/api/token" => (200, "token\n".to_owned()),
        ("GET", Some("")) => (200, "my-role\n".to_owned()),
        ("GET", Some("my-role")) => keys_answer("ASIAINSTANCE", IN_AN_HOUR),
        ("GET", Some("named")) => keys_answer("ASIANAMED", IN_AN_HOUR),
        _ => (404, String::new()),
    }
}

fn at(url: &str) -> [(&str, &str); 1] {
    [("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)]
}

#[tokio::test]
async fn a_token_first_and_everything_with_it() {
    let service = Service::start(|head, _| instance(head)).await;
    let clock = FakeClock::default();
    let s3 = builder(&at(&service.url())).clock(clock.clone()).build().unwrap();
    for _ in 0..2 {
        let keys = s3.credentials().await.unwrap().unwrap();
        assert_eq!((keys.access_key_id(), keys.session_token()), ("ASIAINSTANCE", Some("t0k3n")));
        clock.advance(Duration::from_secs(56 * 60));
    }
    let role = format!("GET {ROLES}my-role");
    let roles = format!("GET {ROLES}");
    assert_eq!(service.asked(), ["PUT /latest/api/token", &*roles, &*role, &*roles, &*role]);
    let heads = service.heads();
    assert_eq!(heads[0].header("x-aws-ec2-metadata-token-ttl-seconds"), Some("21600"));
    assert!(heads[1..].iter().all(|head| head.header("x-aws-ec2-metadata-token") == Some("token")));
    // The token is asked for anew before its six hours are over.
    clock.advance(Duration::from_secs(5 * 3600));
    s3.credentials().await.unwrap();
    assert_eq!(service.asked().iter().filter(|line| line.starts_with("PUT")).count(), 2);
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced() {
    let service = Service::start({
        let tokens = AtomicUsize::new(0);
        move |head, _| match head.header("x-aws-ec2-metadata-token") {
            None => (200, format!("token{}", tokens.fetch_add(1, Ordering::SeqCst) + 1)),
            Some("token1") if head.target.ends_with("my-role") => (401, String::new()),
            Some(_) => instance(head),
        }
    })
    .await;
    assert_eq!(key_id(builder(&at(&service.url()))).await, "ASIAINSTANCE");
    assert_eq!(service.asked().len(), 5, "{:?}", service.asked());
}

#[tokio::test]
async fn a_role_that_the_environment_names() {
    let service = Service::start(|head, _| instance(head)).await;
    let url = service.url();
    let variables = [at(&url)[0], ("AWS_EC2_INSTANCE_PROFILE_NAME", "named")];
    assert_eq!(key_id(builder(&variables)).await, "ASIANAMED");
    assert_eq!(service.asked().len(), 2);
}

/// Time is paused: it moves on where everybody waits, so that the wait is known to the millisecond and takes none.
#[tokio::test(start_paused = true)]
async fn where_nobody_answers_is_found_out_once_in_under_a_second() {
    let silent = Server::start(|conn| conn.stall()).await;
    let start = tokio::time::Instant::now();
    let s3 = builder(&at(&silent.url())).build().unwrap();
    let (first, second) = (s3.credentials().await.unwrap_err(), s3.credentials().await.unwrap_err());
    assert_eq!(start.elapsed().as_millis(), 800);
    let line = "no credentials found: AWS_ACCESS_KEY_ID is not set, there is no default profile, and no instance \
                metadata service answers at 127.0.0.1";
    assert_eq!((first.to_string(), second.to_string()), (line.to_owned(), line.to_owned()));
    assert_eq!(first.kind(), ErrorKind::NoCredentials);
    assert!(first.hint().unwrap().contains(".credentials(id, secret)"));
    // A limit of one's own.
    let url = silent.url();
    let start = tokio::time::Instant::now();
    let variables = [at(&url)[0], ("AWS_METADATA_SERVICE_TIMEOUT", "2.5"), ("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "2")];
    keys(builder(&variables)).await.unwrap_err();
    assert_eq!(start.elapsed().as_millis(), 5000);
}

#[tokio::test]
async fn one_that_is_switched_off_is_not_asked_again() {
    for status in [403, 404, 405] {
        let service = Service::start(move |_, _| (status, String::new())).await;
        let s3 = builder(&at(&service.url())).build().unwrap();
        for _ in 0..2 {
            let line = s3.credentials().await.unwrap_err().to_string();
            assert!(line.ends_with("no instance metadata service answers at 127.0.0.1"), "{line}");
        }
        assert_eq!(service.asked().len(), 1, "{status}");
    }
    // Refused connections too, which a listener that is gone makes.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let (line, _) = failure(builder(&at(&url))).await;
    assert!(line.ends_with("no instance metadata service answers at 127.0.0.1"), "{line}");
}

#[tokio::test]
async fn what_an_instance_answers_in_words() {
    let document = "{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"EC2 cannot assume the role\"}";
    for (roles, keys, line) in [
        ((404, ""), (404, ""), "this instance has no role, so its metadata service has no credentials"),
        ((200, ""), (404, ""), "this instance has no role, so its metadata service has no credentials"),
        ((500, ""), (404, ""), "the instance metadata service answered HTTP 500"),
        ((200, "r"), (404, ""), "the instance metadata service answered HTTP 404"),
        (
            (200, "r"),
            (200, document),
            "the instance metadata service answered HTTP 200: AssumeRoleUnauthorizedAccess: EC2 cannot assume the role",
        ),
    ] {
        let service = Service::start(move |head, _| match head.target.strip_prefix(ROLES) {
            None => (200, "token".to_owned()),
            Some("") => (roles.0, roles.1.to_owned()),
            Some(_) => (keys.0, keys.1.to_owned()),
        })
        .await;
        let kind = if roles.0 == 500 { ErrorKind::Server } else { ErrorKind::NoCredentials };
        assert_eq!(failure(builder(&at(&service.url()))).await, (line.to_owned(), kind));
    }
}

#[tokio::test]
async fn keys_that_an_instance_could_not_renew_are_used_on() {
    let service = Service::start(|head, _| match head.target.ends_with("my-role") {
        true => keys_answer("ASIAOLD", "2025-12-31T23:00:00Z"),
        false => instance(head),
    })
    .await;
    let clock = FakeClock::default();
    let s3 = builder(&at(&service.url())).clock(clock.clone()).build().unwrap();
    let keys = s3.credentials().await.unwrap().unwrap();
    assert_eq!(keys.access_key_id(), "ASIAOLD");
    assert!(keys.expires_at() > Some(wharf::Clock::now(&clock)));
}

#[tokio::test]
async fn settings_of_the_service() {
    for (variables, line) in [
        (
            &[("AWS_EC2_METADATA_DISABLED", "TRUE")] as &[_],
            "no credentials found: AWS_ACCESS_KEY_ID is not set, there is no default profile, and instance metadata is \
             switched off",
        ),
        (&[("AWS_EC2_METADATA_DISABLED", "1")], "AWS_EC2_METADATA_DISABLED is \"1\"; it must be true or false"),
        (
            &[("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv5")],
            "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE is \"IPv5\"; it must be IPv4 or IPv6",
        ),
        (
            &[("AWS_METADATA_SERVICE_TIMEOUT", "0")],
            "AWS_METADATA_SERVICE_TIMEOUT is \"0\"; it must be a number of seconds",
        ),
        (
            &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", "169.254.169.254")],
            "AWS_EC2_METADATA_SERVICE_ENDPOINT: the endpoint \"169.254.169.254\" cannot be used: it must begin with \
             http:// or https://",
        ),
    ] {
        assert_eq!(builder(variables).build().unwrap_err().to_string(), line);
    }
    let ipv6 = builder(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6")]).build().unwrap().explain();
    assert_eq!(ipv6.get("credentials").unwrap().value(), "instance metadata at [fd00:ec2::254]");
}

/// An instance that has just started.
#[tokio::test]
async fn one_that_comes_late_is_found_after_a_minute() {
    let count = AtomicUsize::new(0);
    let service = Service::start(move |head, _| match count.fetch_add(1, Ordering::SeqCst) {
        0 => (404, String::new()),
        _ => instance(head),
    })
    .await;
    let clock = FakeClock::default();
    let s3 = builder(&at(&service.url())).clock(clock.clone()).build().unwrap();
    for _ in 0..2 {
        s3.credentials().await.unwrap_err();
        clock.advance(Duration::from_secs(30));
    }
    assert_eq!(service.asked().len(), 1);
    assert_eq!(s3.credentials().await.unwrap().unwrap().access_key_id(), "ASIAINSTANCE");
}

/// All clones of a client, and all their calls, share what was found out.
#[tokio::test]
async fn callers_at_the_same_time_ask_once() {
    let service = Service::start(|head, _| instance(head)).await;
    let s3 = Arc::new(builder(&at(&service.url())).build().unwrap());
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let s3 = s3.clone();
            tokio::spawn(async move { s3.credentials().await.unwrap().unwrap().access_key_id().to_owned() })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), "ASIAINSTANCE");
    }
    assert_eq!(service.asked().len(), 3);
}
