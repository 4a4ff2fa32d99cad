//! SSO: the token that a sign-in left, and how it is renewed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use wharf::ErrorKind;

use crate::common::{Folder, Service, failure, key_id, with_config};
use crate::support::{FakeClock, Head, Server};

const SESSION: &str = "[profile work]\nsso_session = corp\nsso_account_id = 123\nsso_role_name = Reader\n\
                       [sso-session corp]\nsso_start_url = https://corp.example.com/start\nsso_region = eu-west-1\n";
const LEGACY: &str = "[profile work]\nsso_start_url = https://corp.example.com/start\nsso_region = eu-west-1\n\
                      sso_account_id = 123\nsso_role_name = Reader\n";

/// The SHA-1 of `corp`, and of the start URL.
const SESSION_FILE: &str = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
const LEGACY_FILE: &str = ".aws/sso/cache/320c065519a2fc37b0f28a1bd477dc924a630080.json";

fn portal(head: &Head, _: &str) -> (u16, String) {
    match (&*head.method, head.header("x-amz-sso_bearer_token")) {
        ("GET", Some("s3cr3t-access" | "s3cr3t-new")) => {
            let keys = "\"accessKeyId\":\"ASIASSO\",\"secretAccessKey\":\"s3cr3t\",\"sessionToken\":\"t0k3n\"";
            (200, format!("{{\"roleCredentials\":{{{keys},\"expiration\":1767229200000}}}}"))
        }
        ("GET", Some("s3cr3t-denied")) => {
            (403, "{\"__type\":\"com.amazonaws#ForbiddenException\",\"message\":\"No access\"}".to_owned())
        }
        ("POST", None) => {
            let token = "\"accessToken\":\"s3cr3t-new\",\"expiresIn\":28800,\"refreshToken\":\"s3cr3t-refresh2\"";
            (200, format!("{{{token},\"tokenType\":\"Bearer\"}}"))
        }
        _ => (401, "{\"message\":\"Session token not found or invalid\"}".to_owned()),
    }
}

fn token(access: &str, expires: &str, more: &str) -> String {
    format!(
        "{{\"startUrl\":\"https://corp.example.com/start\",\"region\":\"eu-west-1\",\"accessToken\":\"{access}\",\
         \"expiresAt\":\"{expires}\"{more}}}"
    )
}

const REFRESH: &str = ",\"clientId\":\"client\",\"clientSecret\":\"s3cr3t-client\",\
                       \"registrationExpiresAt\":\"2026-03-01T00:00:00Z\",\"refreshToken\":\"s3cr3t-refresh\",\
                       \"somethingElse\":[1]";

fn variables(url: &str) -> [(&str, &str); 2] {
    [("AWS_ENDPOINT_URL_SSO", url), ("AWS_ENDPOINT_URL_SSO_OIDC", url)]
}

#[tokio::test]
async fn the_token_of_a_sign_in() {
    let folder = Folder::new("sso");
    let service = Service::start(portal).await;
    for (config, file, end) in
        [(SESSION, SESSION_FILE, "2026-01-01T08:00:00Z"), (LEGACY, LEGACY_FILE, "2026-01-01T08:00:00UTC")]
    {
        folder.file(file, &token("s3cr3t-access", end, ""));
        assert_eq!(key_id(with_config(&folder, config, &variables(&service.url()))).await, "ASIASSO");
        std::fs::remove_file(folder.path().join(file)).unwrap();
    }
    let asked = "GET /federation/credentials?account_id=123&role_name=Reader";
    assert_eq!(service.asked(), [asked, asked]);
}

#[tokio::test]
async fn a_token_is_renewed_and_left_to_others() {
    let folder = Folder::new("sso-renew");
    let service = Service::start(portal).await;
    // One that has ended, and one that is about to.
    for end in ["2025-12-31T23:00:00Z", "2026-01-01T00:04:00Z"] {
        folder.file(SESSION_FILE, &token("s3cr3t-old", end, REFRESH));
        assert_eq!(key_id(with_config(&folder, SESSION, &variables(&service.url()))).await, "ASIASSO");
        let kept = std::fs::read_to_string(folder.path().join(SESSION_FILE)).unwrap();
        let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
        assert_eq!(kept["accessToken"], "s3cr3t-new");
        assert_eq!(kept["refreshToken"], "s3cr3t-refresh2");
        assert_eq!(kept["expiresAt"], "2026-01-01T08:00:00Z");
        assert_eq!(kept["clientSecret"], "s3cr3t-client");
        assert_eq!(kept["somethingElse"][0], 1);
    }
    let body: serde_json::Value =
        serde_json::from_str(service.asked()[0].strip_prefix("POST /token ").unwrap()).unwrap();
    let expected = serde_json::json!({
        "clientId": "client",
        "clientSecret": "s3cr3t-client",
        "grantType": "refresh_token",
        "refreshToken": "s3cr3t-refresh",
    });
    assert_eq!(body, expected);
    let folder = std::fs::read_dir(folder.path().join(".aws/sso/cache")).unwrap();
    assert_eq!(folder.count(), 1, "nothing is left beside the token");
}

/// A refresh token works once: whoever began to use it ends that, and nobody else uses it meanwhile.
#[tokio::test]
async fn a_renewal_outlives_its_caller() {
    let folder = Folder::new("sso-gone");
    let (asked, answered) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (ask, wait) = (asked.clone(), answered.clone());
    let server = Server::start(move |mut conn| {
        let (ask, wait) = (ask.clone(), wait.clone());
        async move {
            while let Some((head, body)) = conn.request().await {
                if head.method == "POST" {
                    ask.add_permits(1);
                    wait.acquire().await.unwrap().forget();
                }
                let (status, text) = portal(&head, std::str::from_utf8(&body).unwrap());
                conn.answer(status, text).await;
            }
        }
    })
    .await;
    folder.file(SESSION_FILE, &token("s3cr3t-old", "2025-12-31T23:00:00Z", REFRESH));
    let s3 = with_config(&folder, SESSION, &variables(&server.url())).build().unwrap();
    let first = tokio::spawn(s3.credentials());
    asked.acquire().await.unwrap().forget();
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let second = tokio::spawn(s3.credentials());
    while server.requests().len() < 2 && !second.is_finished() {
        answered.add_permits(1);
        tokio::task::yield_now().await;
    }
    assert_eq!(second.await.unwrap().unwrap().unwrap().access_key_id(), "ASIASSO");
    let methods: Vec<_> = server.requests().into_iter().map(|head| head.method).collect();
    assert_eq!(methods, ["POST", "GET"]);
    let kept = std::fs::read_to_string(folder.path().join(SESSION_FILE)).unwrap();
    assert!(kept.contains("s3cr3t-refresh2"), "{kept}");
}

#[tokio::test]
async fn a_token_that_has_ended_names_the_command_that_renews_it() {
    let folder = Folder::new("sso-expired");
    let refusing = Service::start(|_, _| (400, "{\"error\":\"invalid_grant\"}".to_owned())).await;
    let path = |file: &str| folder.path().join(file).display().to_string();
    let run = "run: aws sso login --profile work";
    let config = |config| with_config(&folder, config, &variables(refusing.url().leak()));
    let (line, kind) = failure(config(SESSION)).await;
    assert_eq!(line, format!("the SSO token of profile \"work\" is not there ({}); {run}", path(SESSION_FILE)));
    assert_eq!(kind, ErrorKind::NoCredentials);
    for (config_text, file, more) in [
        (SESSION, SESSION_FILE, ""),
        // It could be renewed, and is not.
        (SESSION, SESSION_FILE, REFRESH),
        (SESSION, SESSION_FILE, &*REFRESH.replace("2026-03-01", "2025-12-01")),
        (LEGACY, LEGACY_FILE, REFRESH),
    ] {
        folder.file(file, &token("s3cr3t-old", "2025-12-31T23:00:00Z", more));
        let error = config(config_text).build().unwrap().credentials().await.unwrap_err();
        assert_eq!(error.to_string(), format!("the SSO token of profile \"work\" has expired; {run}"));
    }
    assert_eq!(refusing.asked().len(), 1, "only the second can be renewed");
    folder.file(SESSION_FILE, "s3cr3t, and no JSON");
    let (line, _) = failure(config(SESSION)).await;
    assert_eq!(line, format!("the SSO token of profile \"work\" cannot be read ({}); {run}", path(SESSION_FILE)));
}

/// Another process may renew it at the same time, and a refresh token works once.
#[tokio::test]
async fn a_token_that_another_process_has_renewed_is_used() {
    let folder = Folder::new("sso-elsewhere");
    let path = folder.path().join(SESSION_FILE);
    let service = Service::start(move |head, body| match &*head.method {
        "POST" => {
            std::fs::write(&path, token("s3cr3t-new", "2026-01-01T08:00:00Z", REFRESH)).unwrap();
            (400, "{\"error\":\"invalid_grant\"}".to_owned())
        }
        _ => portal(head, body),
    })
    .await;
    folder.file(SESSION_FILE, &token("s3cr3t-old", "2025-12-31T23:00:00Z", REFRESH));
    assert_eq!(key_id(with_config(&folder, SESSION, &variables(&service.url()))).await, "ASIASSO");
}

/// What will pass is no reason to sign in, and transfers wait for it.
#[tokio::test]
async fn a_service_that_is_away_is_no_token_that_has_ended() {
    let folder = Folder::new("sso-away");
    let away = Service::start(|_, _| (503, String::new())).await;
    folder.file(SESSION_FILE, &token("s3cr3t-old", "2025-12-31T23:00:00Z", REFRESH));
    let (line, kind) = failure(with_config(&folder, SESSION, &variables(&away.url()))).await;
    assert_eq!((&*line, kind), ("the SSO token service answered HTTP 503", ErrorKind::Server));
}

#[tokio::test]
async fn a_renewed_token_that_never_ends_is_none() {
    let folder = Folder::new("sso-endless");
    let endless = format!("{{\"accessToken\":\"s3cr3t-new\",\"expiresIn\":{}}}", u64::MAX);
    let service = Service::start(move |_, _| (200, endless.clone())).await;
    folder.file(SESSION_FILE, &token("s3cr3t-old", "2025-12-31T23:00:00Z", REFRESH));
    let (line, _) = failure(with_config(&folder, SESSION, &variables(&service.url()))).await;
    assert_eq!(line, "the SSO token of profile \"work\" has expired; run: aws sso login --profile work");
}

#[tokio::test]
async fn what_the_portal_refuses() {
    let folder = Folder::new("sso-refused");
    let service = Service::start(portal).await;
    let url = service.url();
    folder.file(SESSION_FILE, &token("s3cr3t-unknown", "2026-01-01T08:00:00Z", ""));
    let (line, _) = failure(with_config(&folder, SESSION, &variables(&url))).await;
    let run = "run: aws sso login --profile work";
    assert_eq!(line, format!("the SSO token of profile \"work\" is not accepted any more; {run}"));
    folder.file(SESSION_FILE, &token("s3cr3t-denied", "2026-01-01T08:00:00Z", ""));
    let (line, _) = failure(with_config(&folder, SESSION, &variables(&url))).await;
    assert_eq!(
        line,
        "the SSO portal answered HTTP 403: com.amazonaws#ForbiddenException: No access (role Reader in account 123)"
    );
}

/// The bearer token goes to an endpoint that is named for SSO, not to one that is named for everything.
#[tokio::test]
async fn an_endpoint_for_all_services_is_not_shown_the_token() {
    let folder = Folder::new("sso-endpoint");
    let service = Service::start(portal).await;
    let url = service.url();
    folder.file(SESSION_FILE, &token("s3cr3t-access", "2026-01-01T08:00:00Z", ""));
    let own =
        SESSION.replace("[sso-session", "services = own\n[services own]\nsso =\n  endpoint_url = URL\n[sso-session");
    let own = own.replace("URL", &url);
    let clock = FakeClock::default();
    let s3 = with_config(&folder, &own, &[("AWS_ENDPOINT_URL", "http://127.0.0.1:1")]).clock(clock.clone());
    let s3 = s3.build().unwrap();
    for _ in 0..2 {
        s3.credentials().await.unwrap();
        clock.advance(Duration::from_secs(56 * 60));
    }
    assert_eq!(service.asked().len(), 2, "the role's keys are fetched anew, by the same token");
}
