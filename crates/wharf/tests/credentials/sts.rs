//! Roles that STS gives the keys of.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use wharf::ErrorKind;

use crate::common::{Folder, IN_AN_HOUR, Service, builder, failure, key_id, keys_answer, sts_answer, with_config};
use crate::support::{FakeClock, Head, Server};

/// The access key and scope that a request was signed with.
fn signed_with(head: &Head) -> Option<&str> {
    let (_, rest) = head.header("authorization")?.split_once("Credential=")?;
    rest.split_once('/').map(|(id, _)| id)
}

#[tokio::test]
async fn a_chain_of_roles() {
    let folder = Folder::new("chain");
    let service = Service::start(|head, _| match signed_with(head) {
        Some("AKIDBASE") => sts_answer("ASIAMIDDLE"),
        Some("ASIAMIDDLE") => sts_answer("ASIATARGET"),
        _ => (403, String::new()),
    })
    .await;
    let config = "[profile work]\nrole_arn = arn:aws:iam::1:role/target\nsource_profile = middle\n\
                  duration_seconds = 900\nexternal_id = x/y\nrole_session_name = me\n\
                  [profile middle]\nrole_arn = arn:aws:iam::1:role/middle\nsource_profile = base\n\
                  [profile base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = s3cr3t\n";
    let url = service.url();
    let s3 = with_config(&folder, config, &[("AWS_ENDPOINT_URL_STS", &url)]).build().unwrap();
    let keys = s3.credentials().await.unwrap().unwrap();
    assert_eq!((keys.access_key_id(), keys.session_token()), ("ASIATARGET", Some("t0k3n")));
    assert_eq!(
        service.asked(),
        [
            "POST / Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fmiddle\
         &RoleSessionName=wharf-1767225600000",
            "POST / Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Ftarget\
         &RoleSessionName=me&DurationSeconds=900&ExternalId=x%2Fy"
        ]
    );
    let heads = service.heads();
    let scope = "/20260101/eu-west-1/sts/aws4_request";
    assert!(heads.iter().all(|head| head.header("authorization").unwrap().contains(scope)));
    assert_eq!(heads[1].header("x-amz-security-token"), Some("t0k3n"));
    let path = folder.path().join("config").display().to_string();
    let told = s3.explain();
    let source = format!(
        "role arn:aws:iam::1:role/target by role arn:aws:iam::1:role/middle by an access key ({path}:11) ({path}:8)"
    );
    assert_eq!(told.get("credentials").unwrap().value(), source);
    assert_eq!(told.get("credentials").unwrap().origin().to_string(), format!("{path}:2"));
}

#[tokio::test]
async fn a_profile_that_is_its_own_source() {
    let folder = Folder::new("self");
    let service = Service::start(|head, _| match signed_with(head) {
        Some("AKIDOWN") => sts_answer("ASIAROLE"),
        _ => (403, String::new()),
    })
    .await;
    let config = "[profile work]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = work\n\
                  aws_access_key_id = AKIDOWN\naws_secret_access_key = s3cr3t\n";
    assert_eq!(key_id(with_config(&folder, config, &[("AWS_ENDPOINT_URL_STS", &service.url())])).await, "ASIAROLE");
}

#[tokio::test]
async fn a_source_is_asked_for_its_keys_before_its_role() {
    let folder = Folder::new("keys-first");
    let service = Service::start(|head, _| match signed_with(head) {
        Some("AKIDOWN") => sts_answer("ASIAROLE"),
        _ => (403, String::new()),
    })
    .await;
    let config = "[profile work]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n\
                  [profile base]\nrole_arn = arn:aws:iam::1:role/other\nsource_profile = gone\n\
                  aws_access_key_id = AKIDOWN\naws_secret_access_key = s3cr3t\n";
    assert_eq!(key_id(with_config(&folder, config, &[("AWS_ENDPOINT_URL_STS", &service.url())])).await, "ASIAROLE");
    assert_eq!(service.asked().len(), 1);
}

#[tokio::test]
async fn sources_that_are_no_profile() {
    let folder = Folder::new("source");
    let service = Service::start(|head, _| match signed_with(head) {
        Some("AKIDENV") => sts_answer("ASIAROLE"),
        _ => (403, String::new()),
    })
    .await;
    let url = service.url();
    let config =
        |source: &str| format!("[profile work]\nrole_arn = arn:aws:iam::1:role/r\ncredential_source = {source}\n");
    let variables =
        [("AWS_ENDPOINT_URL_STS", &*url), ("AWS_ACCESS_KEY_ID", "AKIDENV"), ("AWS_SECRET_ACCESS_KEY", "s3cr3t")];
    // Named in the program, for else the keys of the environment would be used as they are.
    let named = with_config(&folder, &config("Environment"), &variables).profile("work");
    assert_eq!(key_id(named).await, "ASIAROLE");
    let path = folder.path().join("config").display().to_string();
    for (source, variables, problem) in [
        ("Environment", &[] as &[_], "is Environment, and AWS_ACCESS_KEY_ID is not set"),
        (
            "EcsContainer",
            &[],
            "is EcsContainer, and neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor \
             AWS_CONTAINER_CREDENTIALS_FULL_URI is set",
        ),
        (
            "Ec2InstanceMetadata",
            &[("AWS_EC2_METADATA_DISABLED", "true")],
            "is Ec2InstanceMetadata, which is switched off (AWS_EC2_METADATA_DISABLED)",
        ),
        ("Mars", &[], "is \"Mars\"; it must be Environment, Ec2InstanceMetadata or EcsContainer"),
    ] {
        let (line, _) = failure(with_config(&folder, &config(source), variables)).await;
        assert_eq!(line, format!("{path}:3: credential_source {problem}"));
    }
}

/// Whatever gives keys can be what a role is assumed with.
#[tokio::test]
async fn every_kind_of_source() {
    let folder = Folder::new("kinds");
    let service = Service::start(|head, body| match (&*head.method, &*head.target) {
        ("POST", "/") if body.contains("AssumeRoleWithWebIdentity") => sts_answer("ASIAWEB"),
        ("POST", "/") => sts_answer(&format!("{}-ROLE", signed_with(head).unwrap())),
        ("GET", "/agent") => keys_answer("ASIAAGENT", IN_AN_HOUR),
        ("PUT", "/latest/api/token") => (200, "token".to_owned()),
        ("GET", "/latest/meta-data/iam/security-credentials/") => (200, "role".to_owned()),
        ("GET", "/latest/meta-data/iam/security-credentials/role") => keys_answer("ASIAINSTANCE", IN_AN_HOUR),
        ("GET", target) if target.starts_with("/federation/") => {
            let keys = "\"accessKeyId\":\"ASIASSO\",\"secretAccessKey\":\"s3cr3t\",\"sessionToken\":\"t0k3n\"";
            (200, format!("{{\"roleCredentials\":{{{keys},\"expiration\":1767229200000}}}}"))
        }
        _ => (404, String::new()),
    })
    .await;
    let (url, agent) = (service.url(), format!("{}/agent", service.url()));
    let jwt = folder.file("jwt", "jwt");
    let printed = "{\"Version\":1,\"AccessKeyId\":\"AKIDPROGRAM\",\"SecretAccessKey\":\"s3cr3t\"}";
    let printed = folder.file("printed", printed);
    // The SHA-1 of the start URL.
    folder.file(
        ".aws/sso/cache/f9bd89c67fef27fcb5df8d2e4b64eabe5bae45a4.json",
        "{\"accessToken\":\"s3cr3t\",\"expiresAt\":\"2026-01-01T08:00:00Z\"}",
    );
    let variables = [
        ("AWS_ENDPOINT_URL_STS", &*url),
        ("AWS_ENDPOINT_URL_SSO", &*url),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &*url),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &*agent),
    ];
    for (source, id) in [
        ("credential_source = EcsContainer\n".to_owned(), "ASIAAGENT-ROLE"),
        ("credential_source = Ec2InstanceMetadata\n".to_owned(), "ASIAINSTANCE-ROLE"),
        (
            format!("source_profile = other\n[profile other]\nrole_arn = x\nweb_identity_token_file = {jwt}\n"),
            "ASIAWEB-ROLE",
        ),
        (format!("source_profile = other\n[profile other]\ncredential_process = cat {printed}\n"), "AKIDPROGRAM-ROLE"),
        (
            "source_profile = other\n[profile other]\nsso_start_url = https://x/start\nsso_region = eu-west-1\n\
             sso_account_id = 1\nsso_role_name = r\n"
                .to_owned(),
            "ASIASSO-ROLE",
        ),
    ] {
        let config = format!("[profile work]\nrole_arn = arn:aws:iam::1:role/r\n{source}");
        assert_eq!(key_id(with_config(&folder, &config, &variables)).await, id);
    }
}

#[tokio::test]
async fn the_token_of_a_web_identity_is_read_anew() {
    let folder = Folder::new("web");
    let service = Service::start(|head, _| match head.header("authorization") {
        None => sts_answer("ASIAWEB"),
        Some(_) => (403, String::new()),
    })
    .await;
    let (url, file) = (service.url(), folder.file("token", "first\n"));
    let variables = [
        ("AWS_ENDPOINT_URL_STS", &*url),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", &*file),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r"),
        ("AWS_ROLE_SESSION_NAME", "pod"),
    ];
    let clock = FakeClock::default();
    let s3 = builder(&variables).clock(clock.clone()).build().unwrap();
    s3.credentials().await.unwrap();
    folder.file("token", "second\n");
    clock.advance(Duration::from_secs(56 * 60));
    s3.credentials().await.unwrap();
    let form = |token: &str| {
        format!(
            "POST / Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr\
             &RoleSessionName=pod&WebIdentityToken={token}"
        )
    };
    assert_eq!(service.asked(), [form("first"), form("second")]);
    // The same from a profile.
    let config = format!("[profile work]\nrole_arn = arn:aws:iam::1:role/r\nweb_identity_token_file = {file}\n");
    assert_eq!(key_id(with_config(&folder, &config, &variables[..1])).await, "ASIAWEB");
    folder.file("token", " \n");
    let (line, _) = failure(builder(&variables)).await;
    assert_eq!(line, format!("the web identity token file {file} is empty"));
}

#[tokio::test]
async fn what_sts_refuses_and_what_it_fails_at() {
    let folder = Folder::new("refusal");
    let token = folder.file("token", "s3cr3t-token");
    let failing = Service::start({
        let count = AtomicUsize::new(0);
        move |_, _| match count.fetch_add(1, Ordering::SeqCst) {
            0 => (500, String::new()),
            1 => (400, "<ErrorResponse><Error><Code>IDPCommunicationError</Code></Error></ErrorResponse>".to_owned()),
            _ => sts_answer("ASIALATE"),
        }
    })
    .await;
    let refusing = Service::start(|_, _| {
        let error = "<Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRole</Message>";
        (403, format!("<ErrorResponse><Error>{error}</Error></ErrorResponse>"))
    })
    .await;
    let variables = |url: &'static str| {
        [
            ("AWS_ENDPOINT_URL_STS", url),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", &*token.clone().leak()),
            ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r"),
        ]
    };
    assert_eq!(key_id(builder(&variables(failing.url().leak()))).await, "ASIALATE");
    let (line, kind) = failure(builder(&variables(refusing.url().leak()))).await;
    assert_eq!(
        line,
        "the role arn:aws:iam::1:role/r was not assumed: Not authorized to perform sts:AssumeRole (AccessDenied)"
    );
    assert_eq!((kind, refusing.asked().len()), (ErrorKind::NoCredentials, 1));
    let (line, kind) = failure(builder(&variables("http://127.0.0.1:1"))).await;
    assert!(line.starts_with("STS at http://127.0.0.1:1: no connection could be made: "), "{line}");
    assert_eq!(kind, ErrorKind::Transport);
}

/// Some programs keep the keys of a file fresh, also those that a role is assumed with.
#[tokio::test]
async fn a_source_whose_keys_have_ended_is_read_anew() {
    let folder = Folder::new("source-reread");
    for code in ["ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId"] {
        let service = Service::start(move |head, _| match signed_with(head) {
            Some("AKIDNEW") => sts_answer("ASIAROLE"),
            _ => (403, format!("<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>")),
        })
        .await;
        let config = |id: &str| {
            format!(
                "[profile work]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n\
                 [profile base]\naws_access_key_id = {id}\naws_secret_access_key = s3cr3t\naws_session_token = t\n"
            )
        };
        let url = service.url();
        let s3 = with_config(&folder, &config("AKIDOLD"), &[("AWS_ENDPOINT_URL_STS", &url)]).build().unwrap();
        let error = s3.credentials().await.unwrap_err();
        let line = format!("the role arn:aws:iam::1:role/r was not assumed: forbidden ({code})");
        assert_eq!((error.to_string(), error.kind()), (line, ErrorKind::NoCredentials));
        let before = service.asked().len();
        folder.file("config", &config("AKIDNEW"));
        assert_eq!(s3.credentials().await.unwrap().unwrap().access_key_id(), "ASIAROLE", "{code}");
        assert_eq!(service.asked().len() - before, 2, "{code}");
    }
    // Once more, and not for ever; and not at all where there is nothing to be read.
    let service = Service::start(|_, _| {
        (403, "<ErrorResponse><Error><Code>ExpiredToken</Code></Error></ErrorResponse>".to_owned())
    })
    .await;
    let url = service.url();
    let config = "[profile work]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n\
                  [profile base]\naws_access_key_id = AKIDOLD\naws_secret_access_key = s3cr3t\n";
    failure(with_config(&folder, config, &[("AWS_ENDPOINT_URL_STS", &url)])).await;
    assert_eq!(service.asked().len(), 2);
    let config = "[profile work]\nrole_arn = arn:aws:iam::1:role/r\ncredential_source = Environment\n";
    let variables = [("AWS_ENDPOINT_URL_STS", &*url), ("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "s3cr3t")];
    failure(with_config(&folder, config, &variables).profile("work")).await;
    assert_eq!(service.asked().len(), 3);
}

/// STS calls the signature wrong, and tells its time.
#[tokio::test]
async fn a_clock_that_is_wrong() {
    let folder = Folder::new("skew");
    let config = "[profile work]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n\
                  [profile base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = s3cr3t\n";
    for (date, requests) in [
        ("Sun, 01 Mar 2026 12:00:00 GMT", 2),
        // What is too far off to be believed, and what is our own time: then it is the secret that is wrong.
        ("Mon, 01 Mar 2032 12:00:00 GMT", 1),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 1),
    ] {
        let server = Server::start(move |mut conn| async move {
            while let Some((head, _)) = conn.request().await {
                if head.header("x-amz-date").unwrap().starts_with("20260301T12") {
                    let (status, answer) = sts_answer("ASIAROLE");
                    conn.answer(status, answer.replace(IN_AN_HOUR, "2026-03-01T13:00:00Z")).await;
                    continue;
                }
                let body = "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature expired</Message>\
                            </Error></ErrorResponse>";
                let head = format!("HTTP/1.1 403 X\r\ndate: {date}\r\ncontent-length: {}\r\n\r\n", body.len());
                conn.write(head + body).await;
            }
        })
        .await;
        let url = server.url();
        let s3 = with_config(&folder, config, &[("AWS_ENDPOINT_URL_STS", &url)]).build().unwrap();
        let told = s3.credentials().await;
        assert_eq!(server.requests().len(), requests, "{date}");
        if requests == 1 {
            let line = "the role arn:aws:iam::1:role/r was not assumed: Signature expired (SignatureDoesNotMatch)";
            assert_eq!(told.unwrap_err().to_string(), line);
            continue;
        }
        assert_eq!(told.unwrap().unwrap().access_key_id(), "ASIAROLE");
        // By that clock they are kept, and links are signed.
        s3.credentials().await.unwrap();
        assert_eq!(server.requests().len(), requests);
        let link = s3.get_object("my-bucket", "a").presign(Duration::from_secs(60)).await.unwrap();
        assert!(link.url.contains("X-Amz-Date=20260301T12"), "{}", link.url);
    }
}

/// What passes is told from what does not: a transfer waits for it.
#[tokio::test]
async fn a_service_that_is_overloaded_keeps_its_kind() {
    let folder = Folder::new("overloaded");
    let token = folder.file("token", "s3cr3t-token");
    let throttled =
        "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>";
    for (status, body, told, kind) in [
        (500, "", "internal server error", ErrorKind::Server),
        (503, "", "service unavailable", ErrorKind::Server),
        (429, "", "too many requests", ErrorKind::SlowDown),
        (400, throttled, "Rate exceeded (Throttling)", ErrorKind::SlowDown),
    ] {
        let head = format!("HTTP/1.1 {status} X\r\nretry-after: 3\r\ncontent-length: {}\r\n\r\n", body.len());
        let server = Server::always(format!("{head}{body}")).await;
        let url = server.url();
        let variables = [
            ("AWS_ENDPOINT_URL_STS", &*url),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", &*token),
            ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r"),
        ];
        let clock = FakeClock::default();
        let found = failure(builder(&variables).clock(clock.clone())).await;
        assert_eq!(found, (format!("the role arn:aws:iam::1:role/r was not assumed: {told}"), kind));
        assert_eq!(clock.waits(), [Duration::from_secs(3); 2]);
    }
}

/// What is said for all services is said for STS too; what the program says of S3 is not.
#[tokio::test]
async fn where_sts_is() {
    let folder = Folder::new("where");
    let service = Service::start(|_, _| sts_answer("ASIAROLE")).await;
    let profile = "role_arn = arn:aws:iam::1:role/r\nsource_profile = base\n";
    let base = "[profile base]\naws_access_key_id = A\naws_secret_access_key = s3cr3t\n";
    let url = service.url();
    let config = |more: &str| format!("[profile work]\n{profile}{more}{base}");
    for config in
        [config("services = own\n[services own]\nsts =\n  endpoint_url = URL\n"), config("endpoint_url = URL\n")]
    {
        let config = config.replace("URL", &url);
        assert_eq!(key_id(with_config(&folder, &config, &[]).endpoint("http://127.0.0.1:1")).await, "ASIAROLE");
    }
    assert_eq!(key_id(with_config(&folder, &config(""), &[("AWS_ENDPOINT_URL", &*url)])).await, "ASIAROLE");
    assert_eq!(service.asked().len(), 3);
    let wrong = with_config(&folder, &config(""), &[("AWS_ENDPOINT_URL_STS", "sts.example.com")]);
    let line = wrong.build().unwrap_err().to_string();
    let problem = "the endpoint \"sts.example.com\" cannot be used: it must begin with http:// or https://";
    assert_eq!(line, format!("AWS_ENDPOINT_URL_STS: {problem}"));
}
