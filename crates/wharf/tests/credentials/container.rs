//! The agents of ECS and EKS Pod Identity.

use wharf::ErrorKind;

use crate::common::{Folder, IN_AN_HOUR, Service, builder, failure, keys, keys_answer};
use crate::support::{FakeClock, Server, tls};

#[tokio::test]
async fn an_agent_with_a_token_in_a_file() {
    let folder = Folder::new("container");
    let service = Service::start(|_, _| keys_answer("ASIAPOD", IN_AN_HOUR)).await;
    let uri = format!("{}/v1/credentials?x=1", service.url());
    let file = folder.file("token", "first\n");
    let variables = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &*uri),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &*file),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "not this one"),
    ];
    let clock = FakeClock::default();
    let s3 = builder(&variables).clock(clock.clone()).build().unwrap();
    let keys = s3.credentials().await.unwrap().unwrap();
    assert_eq!((keys.access_key_id(), keys.session_token()), ("ASIAPOD", Some("t0k3n")));
    // The file is read anew when the keys are.
    folder.file("token", "second");
    clock.advance(std::time::Duration::from_secs(56 * 60));
    s3.credentials().await.unwrap();
    let tokens: Vec<_> = service.heads().iter().map(|head| head.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(tokens, ["first", "second"]);
    assert_eq!(service.asked()[0], "GET /v1/credentials?x=1");
}

#[tokio::test]
async fn what_an_agent_refuses() {
    let service = Service::start(|head, _| match &*head.target {
        "/denied" => (403, "{\"code\":\"AccessDenied\",\"message\":\"not\\nyours\"}".to_owned()),
        "/garbage" => (200, "<html>s3cr3t</html>".to_owned()),
        "/half" => (200, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":7,\"Token\":\"s3cr3t\"}".to_owned()),
        "/time" => keys_answer("A", "soon"),
        _ => (500, String::new()),
    })
    .await;
    let what = "the container's credentials service";
    for (path, line) in [
        ("/denied", format!("{what} answered HTTP 403: AccessDenied: notyours")),
        ("/garbage", format!("{what} answered what cannot be used: it is not JSON (line 1, column 1)")),
        (
            "/half",
            format!("{what} answered what cannot be used: its fields are not those of credentials (line 1, column 38)"),
        ),
        ("/time", format!("{what} gave an Expiration that is no time, such as 2026-01-31T12:00:00Z")),
        ("/broken", format!("{what} answered HTTP 500")),
    ] {
        let uri = format!("{}{path}", service.url());
        let found = failure(builder(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &uri)])).await;
        let kind = if path == "/broken" { ErrorKind::Server } else { ErrorKind::NoCredentials };
        assert_eq!(found, (line, kind));
    }
    // A server's failure is worth another attempt, a refusal is not.
    let count = |path: &str| service.asked().iter().filter(|line| line.ends_with(path)).count();
    assert_eq!((count("/broken"), count("/denied")), (3, 1));
    let uri = format!("{}/x", service.url());
    let broken = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", &*uri), ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\nb")];
    let (line, _) = failure(builder(&broken)).await;
    assert_eq!(line, "the container's authorization token has a line break or other control character");
}

/// An agent behind TLS, for which the program's certificates count, but not that it trusts anybody for S3.
#[tokio::test]
async fn a_certificate_that_nobody_vouches_for() {
    let (acceptor, pem) = tls("127.0.0.1");
    let server = Server::start_tls(acceptor, |mut conn| async move {
        while conn.request().await.is_some() {
            let (status, keys) = keys_answer("ASIATLS", IN_AN_HOUR);
            conn.answer(status, keys).await;
        }
    })
    .await;
    let url = server.url();
    let variables = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", &*url)];
    let (line, kind) = failure(builder(&variables).danger_accept_invalid_certificates()).await;
    let what = format!("the container's credentials service at {url}");
    assert!(line.starts_with(&format!("{what}: the TLS handshake failed: ")), "{line}");
    assert_eq!((kind, server.requests().len()), (ErrorKind::Transport, 0));
    assert_eq!(keys(builder(&variables).root_certificates_pem(&pem)).await.unwrap().access_key_id(), "ASIATLS");
    let folder = Folder::new("container-tls");
    let bundle = folder.file("bundle.pem", &pem);
    let named = [variables[0], ("AWS_CA_BUNDLE", &*bundle)];
    let over_http = builder(&named).endpoint("http://127.0.0.1:1");
    assert_eq!(keys(over_http).await.unwrap().access_key_id(), "ASIATLS");
}

#[tokio::test]
async fn a_host_that_may_not_be_asked() {
    let error = keys(builder(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://agent.example.com/x")])).await;
    let line = error.unwrap_err().to_string();
    assert!(
        line.starts_with("AWS_CONTAINER_CREDENTIALS_FULL_URI leads to \"agent.example.com\", which may not"),
        "{line}"
    );
}
