//! Where a client's settings come from, and the line for each that cannot be used.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use support::{Fake, FakeClock, answer, soon};
use wharf::{Client, ClientBuilder, Error, ErrorKind};

/// A folder for the files of one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("wharf-config-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn builder(environment: &[(&str, &str)]) -> ClientBuilder {
    let environment: Vec<_> = environment.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    Client::builder()
        .clock(FakeClock::default())
        .environment(move |name| environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()))
}

fn display(path: &Path) -> String {
    path.display().to_string()
}

/// What a request of this client looks like: its URI, access key, region and session token.
#[derive(Debug, PartialEq)]
struct Sent {
    uri: String,
    authorization: Option<String>,
    token: Option<String>,
}

async fn sent(builder: ClientBuilder) -> Sent {
    let (tell, told) = std::sync::mpsc::channel();
    let transport = Fake::new(move |_, request: http::Request<wharf::transport::Body>| {
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let authorization = header("authorization").map(|value| {
            let scope = value.split("Credential=").nth(1).unwrap().split(',').next().unwrap();
            let mut parts = scope.split('/');
            format!("{} in {}", parts.next().unwrap(), parts.nth(1).unwrap())
        });
        let token = header("x-amz-security-token");
        tell.send(Sent { uri: request.uri().to_string(), authorization, token }).unwrap();
        std::future::ready(Ok(answer(200, "")))
    });
    builder.transport(transport).build().unwrap().get_object("my-bucket", "a").await.unwrap();
    told.recv().unwrap()
}

fn failure(builder: ClientBuilder) -> (String, ErrorKind) {
    let error: Error = builder.build().unwrap_err();
    (error.to_string(), error.kind())
}

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIDENV"), ("AWS_SECRET_ACCESS_KEY", "secret")];

fn with_keys<'a>(more: &[(&'a str, &'a str)]) -> ClientBuilder {
    builder(&[&KEYS, more].concat())
}

/// Wherever keys, tokens and objects are to come from: who listens there hears of nobody.
#[tokio::test]
async fn to_build_a_client_asks_no_server() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let url = format!("http://{}", server.local_addr().unwrap());
    let folder = Folder::new("no-server");
    let token = folder.file("token", "a token");
    let role = "[default]\nrole_arn = arn:aws:iam::123456789012:role/a\nsource_profile = keys\nregion = us-east-1\n\
                [profile keys]\naws_access_key_id = AKID\naws_secret_access_key = secret\n\
                [profile sso]\nsso_start_url = https://127.0.0.1:1\nsso_region = us-east-1\nsso_account_id = 1\n\
                sso_role_name = a\nregion = us-east-1\n";
    let config = display(&folder.file("config", role));
    let everywhere = [
        ("AWS_ENDPOINT_URL", &*url),
        ("AWS_ENDPOINT_URL_STS", &url),
        ("AWS_ENDPOINT_URL_SSO", &url),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url),
        ("AWS_REGION", "us-east-1"),
        ("AWS_CONFIG_FILE", &config),
        ("HTTP_PROXY", &url),
    ];
    let token = display(&token);
    let container = format!("{url}/keys");
    let sources: [&[(&str, &str)]; 5] = [
        &[],
        &[("AWS_PROFILE", "sso")],
        &[("AWS_CONFIG_FILE", "")],
        &[("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/a"), ("AWS_WEB_IDENTITY_TOKEN_FILE", &token)],
        &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &container), ("AWS_CONFIG_FILE", "")],
    ];
    for source in sources {
        let client = builder(&[source, &everywhere].concat()).build().unwrap();
        // What it had begun in a task would run now.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let asked = server.accept().map(|_| ()).map_err(|error| error.kind());
        assert_eq!(asked, Err(std::io::ErrorKind::WouldBlock), "{source:?}");
        drop(client);
    }
    // And it would have heard: the first request goes there.
    let client = builder(&everywhere).build().unwrap();
    let asking = tokio::spawn(client.get_object("my-bucket", "a").text());
    soon(async {
        while server.accept().is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    asking.abort();
}

#[tokio::test]
async fn keys_of_the_environment() {
    let sent = sent(with_keys(&[("AWS_REGION", "eu-west-1"), ("AWS_SESSION_TOKEN", "token")])).await;
    assert_eq!(sent.uri, "https://my-bucket.s3.eu-west-1.amazonaws.com/a");
    assert_eq!(sent.authorization.as_deref(), Some("AKIDENV in eu-west-1"));
    assert_eq!(sent.token.as_deref(), Some("token"));
}

#[tokio::test]
async fn an_empty_token_is_no_token() {
    assert_eq!(sent(with_keys(&[("AWS_REGION", "eu-west-1"), ("AWS_SESSION_TOKEN", "")])).await.token, None);
    let given = builder(&[]).region("eu-west-1").session_credentials("AKIDGIVEN", "secret", "");
    assert_eq!(sent(given).await.token, None);
    let folder = Folder::new("token");
    let file = folder.file("credentials", "[work]\naws_access_key_id=A\naws_secret_access_key=s\naws_session_token=\n");
    let profile = builder(&[]).region("eu-west-1").profile("work").credentials_file(file);
    assert_eq!(sent(profile).await.token, None);
}

#[tokio::test]
async fn given_keys_beat_all_others() {
    let sent = sent(with_keys(&[]).region("eu-west-1").credentials("AKIDGIVEN", "secret")).await;
    assert_eq!(sent.authorization.as_deref(), Some("AKIDGIVEN in eu-west-1"));
}

#[tokio::test]
async fn a_profile_that_is_named_here_beats_the_environment() {
    let folder = Folder::new("profile");
    let credentials = "[default]\naws_access_key_id = AKIDDEFAULT\naws_secret_access_key = s\n\
                       [work]\naws_access_key_id = AKIDWORK\naws_secret_access_key = s\naws_session_token = worktoken\n";
    let config = "[profile work]\nregion = eu-north-1\nendpoint_url = http://localhost:9000\n";
    let (credentials, config) = (folder.file("credentials", credentials), folder.file("config", config));
    let (credentials_path, config_path) = (display(&credentials), display(&config));
    let files = [("AWS_SHARED_CREDENTIALS_FILE", &*credentials_path), ("AWS_CONFIG_FILE", &*config_path)];

    let work = sent(with_keys(&files).profile("work")).await;
    assert_eq!(work.authorization.as_deref(), Some("AKIDWORK in eu-north-1"));
    assert_eq!(work.token.as_deref(), Some("worktoken"));
    assert_eq!(work.uri, "http://localhost:9000/my-bucket/a");

    // One that only the environment names does not: keys come first there.
    let named_outside = [files.as_slice(), &[("AWS_PROFILE", "work")]].concat();
    let sent_with = sent(with_keys(&named_outside)).await;
    assert_eq!(sent_with.authorization.as_deref(), Some("AKIDENV in eu-north-1"));
    let sent_with = sent(builder(&named_outside)).await;
    assert_eq!(sent_with.authorization.as_deref(), Some("AKIDWORK in eu-north-1"));
    // No profile named at all: `default`.
    let sent_with = sent(builder(&files).region("us-west-2")).await;
    assert_eq!(sent_with.authorization.as_deref(), Some("AKIDDEFAULT in us-west-2"));
}

#[tokio::test]
async fn a_credentials_file_of_ones_own() {
    let folder = Folder::new("own-file");
    let file =
        folder.file("keys", "[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = s\nregion=eu-west-1\n");
    // It was named in the program, so it comes before keys that happen to be in the environment.
    let from_file = sent(with_keys(&[]).credentials_file(&file)).await;
    assert_eq!(from_file.authorization.as_deref(), Some("AKIDFILE in eu-west-1"));
    let missing = folder.0.join("missing");
    let (line, kind) = failure(builder(&[]).region("eu-west-1").credentials_file(&missing));
    assert!(line.starts_with(&format!("the credentials file {} cannot be read: ", missing.display())), "{line}");
    assert_eq!(kind, ErrorKind::InvalidInput);
}

#[test]
fn a_profile_that_does_not_exist() {
    let folder = Folder::new("missing");
    let file = folder.file("credentials", "[work]\naws_access_key_id=A\n[default]\naws_access_key_id=B\n");
    let shown = file.display();
    for (builder, line) in [
        (builder(&[]).profile("wrk").credentials_file(&file), "profile \"wrk\""),
        (builder(&[("AWS_PROFILE", "wrk")]).credentials_file(&file), "AWS_PROFILE: profile \"wrk\""),
        (with_keys(&[]).profile("Work").credentials_file(&file), "profile \"Work\""),
    ] {
        assert_eq!(
            failure(builder.region("eu-west-1")),
            (format!("{line} is not in {shown}; there are default, work"), ErrorKind::InvalidInput)
        );
    }
    let (line, _) = failure(builder(&[]).region("eu-west-1").profile("work"));
    assert_eq!(line, "profile \"work\" is not in any file; there are none");
}

/// The profile's other settings count although its keys, region and endpoint are not asked for.
#[tokio::test]
async fn the_profile_says_the_rest() {
    let folder = Folder::new("rest");
    let config = "[default]\nmax_attempts = 7\ns3 =\n  addressing_style = virtual\n";
    let path = display(&folder.file("config", config));
    let all_said = || {
        let builder = builder(&[("AWS_CONFIG_FILE", &path)]).region("eu-west-1").endpoint("http://s3.example.test");
        builder.credentials("AKIDGIVEN", "secret")
    };
    assert_eq!(sent(all_said()).await.uri, "http://my-bucket.s3.example.test/a");
    let told = all_said().build().unwrap().explain();
    assert_eq!(told.get("attempts").unwrap().origin().to_string(), format!("{path}:2"));
    // What cannot be read is no reason to fail, and is told.
    folder.file("config", "[default\n");
    let told = all_said().build().unwrap().explain();
    assert!(told.notes()[0].starts_with(&format!("no profile is used: {path}: ")), "{:?}", told.notes());
    assert_eq!(told.get("attempts").unwrap().value(), "3");
}

/// What the environment says of profiles harms nobody where nothing has to be found in them.
#[tokio::test]
async fn a_profile_may_be_missing_where_all_is_said() {
    let all_said = || builder(&[("AWS_PROFILE", "nope")]).region("eu-west-1").endpoint("http://localhost:9000");
    sent(all_said().credentials("AKIDGIVEN", "secret")).await;
    sent(all_said().anonymous()).await;
    assert_eq!(failure(all_said()).1, ErrorKind::InvalidInput);
}

#[test]
fn half_of_a_pair_of_keys() {
    let (line, kind) = failure(builder(&[("AWS_ACCESS_KEY_ID", "AKID")]).region("eu-west-1"));
    assert_eq!(line, "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not; set both or neither");
    assert_eq!(kind, ErrorKind::NoCredentials);
    let folder = Folder::new("half");
    let file = folder.file("credentials", "[work]\naws_access_key_id=A\n");
    let (line, kind) = failure(builder(&[]).region("eu-west-1").profile("work").credentials_file(&file));
    let place = file.display();
    assert_eq!(line, format!("{place}:2: profile \"work\" has aws_access_key_id and no aws_secret_access_key"));
    assert_eq!(kind, ErrorKind::NoCredentials);
}

#[test]
fn no_credentials() {
    let error = builder(&[("AWS_EC2_METADATA_DISABLED", "true")]).region("eu-west-1").build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "no credentials found: AWS_ACCESS_KEY_ID is not set, there is no default profile, and instance metadata is \
         switched off"
    );
    assert_eq!(error.kind(), ErrorKind::NoCredentials);
    assert!(error.hint().unwrap().contains(".credentials(id, secret)"));
    let folder = Folder::new("none");
    let file = folder.file("config", "[profile work]\nregion = eu-west-1\n");
    let (line, kind) = failure(with_keys(&[("AWS_CONFIG_FILE", &display(&file))]).profile("work"));
    assert_eq!(line, "no credentials found: profile \"work\" has no access key");
    assert_eq!(kind, ErrorKind::NoCredentials);
}

#[tokio::test]
async fn no_region_and_bad_regions() {
    let (line, kind) = failure(with_keys(&[]));
    assert_eq!(line, "no region is set: not in AWS_REGION, not in the profile");
    assert_eq!(kind, ErrorKind::InvalidInput);
    for region in ["", "eu west 1", "eu-west-1.evil.example", "eu-west-1/x", "EU@x", "é"] {
        let (line, kind) = failure(with_keys(&[]).region(region));
        assert!(line.contains(&format!("{region:?}")), "{line}");
        assert_eq!((line.lines().count(), kind), (1, ErrorKind::InvalidInput));
    }
    let fallback = sent(with_keys(&[("AWS_DEFAULT_REGION", "eu-west-2")])).await;
    assert_eq!(fallback.authorization.as_deref(), Some("AKIDENV in eu-west-2"));
    // A server of one's own may call its region anything that can be signed.
    for region in ["RegionOne", "my_region"] {
        let own = sent(with_keys(&[]).endpoint("http://localhost:9000").region(region)).await;
        assert_eq!(own.authorization, Some(format!("AKIDENV in {region}")));
    }
    let (line, _) = failure(with_keys(&[("AWS_REGION", "a/b")]).endpoint("http://localhost:9000"));
    assert_eq!(line, "AWS_REGION: \"a/b\" is not a region; regions have letters, digits, '-' and '_'");
    // A server of one's own has no regions.
    let own = sent(with_keys(&[]).endpoint("http://localhost:9000")).await;
    assert_eq!(own.authorization.as_deref(), Some("AKIDENV in us-east-1"));
}

#[tokio::test]
async fn endpoints() {
    for (url, problem) in [
        ("localhost:9000", "it must begin with http:// or https://"),
        ("s3.example.com", "it must begin with http:// or https://"),
        ("ftp://s3.example.com", "it must begin with http:// or https://"),
        ("http://s3.example.com?...", "it must not have a query"),
        ("http://", "it is no URL"),
        ("", "it is no URL"),
        ("http://a b", "it is no URL"),
    ] {
        let (line, kind) = failure(with_keys(&[]).endpoint(url));
        assert!(line.contains(problem) && line.contains(&format!("{url:?}")), "{url}: {line}");
        assert_eq!(kind, ErrorKind::InvalidInput);
    }
    let (line, _) = failure(with_keys(&[]).endpoint("https://h/?X-Amz-Signature=secret"));
    assert_eq!(line, "the endpoint \"https://h/?...\" cannot be used: it must not have a query");
    let both = [("AWS_ENDPOINT_URL", "http://general:1"), ("AWS_ENDPOINT_URL_S3", "http://s3:2")];
    assert_eq!(sent(with_keys(&both)).await.uri, "http://s3:2/my-bucket/a");
    assert_eq!(sent(with_keys(&both[..1])).await.uri, "http://general:1/my-bucket/a");
    assert_eq!(sent(with_keys(&both).endpoint("http://given:3/base/")).await.uri, "http://given:3/base/my-bucket/a");
}

#[tokio::test]
async fn an_anonymous_client_signs_nothing() {
    let sent = sent(with_keys(&[("AWS_SESSION_TOKEN", "token")]).region("eu-west-1").anonymous()).await;
    assert_eq!((sent.authorization, sent.token), (None, None));
    let s3 = builder(&[]).region("eu-west-1").anonymous().build().unwrap();
    let link = s3.get_object("my-bucket", "a").presign(std::time::Duration::from_secs(60)).await.unwrap_err();
    assert_eq!(link.to_string(), "GetObject my-bucket/a: an anonymous client has no keys to presign with");
}

#[test]
fn a_file_that_cannot_be_read_as_profiles() {
    let folder = Folder::new("broken");
    let file = folder.file("credentials", "[work]\naws_access_key_id\n");
    let (line, kind) = failure(builder(&[]).region("eu-west-1").profile("work").credentials_file(&file));
    assert!(line.starts_with(&format!("{}: AWS credentials file, line 2: ", file.display())), "{line}");
    assert_eq!(kind, ErrorKind::InvalidInput);
}

/// The place that AWS documents for one service's endpoint.
#[tokio::test]
async fn the_endpoint_of_a_services_section() {
    let folder = Folder::new("services");
    let text = "[profile local]\nregion = eu-west-1\nservices = here\nendpoint_url = http://wrong\n\
                [services here]\ns3 =\n  endpoint_url = http://localhost:9000\n";
    let file = folder.file("config", text);
    let sent = sent(with_keys(&[("AWS_CONFIG_FILE", &display(&file)), ("AWS_PROFILE", "local")])).await;
    assert_eq!(sent.uri, "http://localhost:9000/my-bucket/a");
}

const SHA256_OF_TEXT: &str = "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1";

/// Every other variable and property, by what becomes of it.
#[tokio::test]
async fn settings_that_a_request_shows() {
    let put = |variables: &'static [(&str, &str)]| async move {
        let transport = Fake::new(|_, request: http::Request<wharf::transport::Body>| {
            let found = request.headers().contains_key("x-amz-checksum-crc64nvme");
            std::future::ready(Ok(answer(if found { 200 } else { 404 }, "")))
        });
        let s3 = with_keys(variables).region("eu-west-1").transport(transport).build().unwrap();
        s3.put_object("my-bucket", "a", "text").await.is_ok()
    };
    assert!(put(&[]).await);
    assert!(!put(&[("AWS_REQUEST_CHECKSUM_CALCULATION", "WHEN_REQUIRED")]).await);
    assert!(put(&[("AWS_REQUEST_CHECKSUM_CALCULATION", "when_supported")]).await);

    let asks = |variables: &'static [(&str, &str)], said: Option<bool>, ranged: bool| async move {
        let (tell, told) = std::sync::mpsc::channel();
        let transport = Fake::new(move |_, request: http::Request<wharf::transport::Body>| {
            tell.send(request.headers().contains_key("x-amz-checksum-mode")).unwrap();
            std::future::ready(Ok(answer(200, "")))
        });
        let builder = with_keys(variables).region("eu-west-1").transport(transport);
        let builder = match said {
            Some(said) => builder.checksum_mode(said),
            None => builder,
        };
        let s3 = builder.build().unwrap();
        let get = s3.get_object("my-bucket", "a");
        let _ = if ranged { get.range(0..1) } else { get }.await;
        told.recv().unwrap()
    };
    let required = &[("AWS_RESPONSE_CHECKSUM_VALIDATION", "when_required")];
    assert!(asks(&[], None, false).await && !asks(&[], None, true).await && !asks(required, None, false).await);
    assert!(asks(required, Some(true), false).await && !asks(&[], Some(false), false).await);

    let folder = Folder::new("payload");
    let file = display(&folder.file("config", "[default]\ns3 =\n  payload_signing_enabled = true\n"));
    for (variables, says) in [(&[] as &[_], "UNSIGNED-PAYLOAD"), (&[("AWS_CONFIG_FILE", &*file)], SHA256_OF_TEXT)] {
        let (tell, told) = std::sync::mpsc::channel();
        let transport = Fake::new(move |_, request: http::Request<wharf::transport::Body>| {
            tell.send(request.headers()["x-amz-content-sha256"].clone()).unwrap();
            std::future::ready(Ok(answer(200, "")))
        });
        let s3 = with_keys(variables).region("eu-west-1").transport(transport).build().unwrap();
        s3.put_object("my-bucket", "a", "text").await.unwrap();
        assert_eq!(told.recv().unwrap(), says);
    }

    for (variables, waits) in [(&[] as &[_], 2), (&[("AWS_MAX_ATTEMPTS", "1")], 0), (&[("AWS_MAX_ATTEMPTS", "5")], 4)] {
        let clock = FakeClock::default();
        let transport = Fake::new(|_, _| std::future::ready(Ok(answer(503, ""))));
        let s3 = with_keys(variables).region("eu-west-1").clock(clock.clone()).transport(transport).build().unwrap();
        s3.get_object("my-bucket", "a").await.unwrap_err();
        assert_eq!(clock.waits().len(), waits);
    }
}

#[test]
fn settings_that_cannot_be() {
    let folder = Folder::new("cannot");
    let text = "[default]\nmax_attempts = many\n[profile style]\ns3 =\n  addressing_style = round\n\
                [profile services]\nservices = gone\n";
    let file = display(&folder.file("config", text));
    for (variables, line) in [
        (
            &[("AWS_MAX_ATTEMPTS", "0")] as &[(&str, &str)],
            "AWS_MAX_ATTEMPTS is \"0\"; it must be a whole number, at least 1",
        ),
        (&[("AWS_RETRY_MODE", "never")], "AWS_RETRY_MODE is \"never\"; it must be standard, adaptive or legacy"),
        (&[("AWS_USE_FIPS_ENDPOINT", "yes")], "AWS_USE_FIPS_ENDPOINT is \"yes\"; it must be true or false"),
        (
            &[("AWS_REQUEST_CHECKSUM_CALCULATION", "always")],
            "AWS_REQUEST_CHECKSUM_CALCULATION is \"always\"; it must be when_supported or when_required",
        ),
        (
            &[("AWS_S3_US_EAST_1_REGIONAL_ENDPOINT", "global")],
            "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT is \"global\"; it must be regional or legacy",
        ),
        (&[("AWS_CONFIG_FILE", &*file)], "FILE:2: max_attempts is \"many\"; it must be a whole number, at least 1"),
        (
            &[("AWS_CONFIG_FILE", &*file), ("AWS_DEFAULT_PROFILE", "style")],
            "FILE:5: addressing_style is \"round\"; it must be auto, path or virtual",
        ),
        (
            &[("AWS_CONFIG_FILE", &*file), ("AWS_PROFILE", "services"), ("AWS_DEFAULT_PROFILE", "style")],
            "FILE:7: there is no [services gone]; add it to the config file",
        ),
        (
            &[("AWS_REGION", "Ireland")],
            "AWS_REGION: \"Ireland\" is not a region; regions read like us-east-1 (lower case, digits, '-')",
        ),
        (
            &[("AWS_REGION", "eu-west-1"), ("AWS_ENDPOINT_URL", "localhost:9000")],
            "AWS_ENDPOINT_URL: the endpoint \"localhost:9000\" cannot be used: it must begin with http:// or https://",
        ),
    ] {
        assert_eq!(failure(with_keys(variables)), (line.replace("FILE", &file), ErrorKind::InvalidInput));
    }
}

/// What is said in the program and cannot be used, each in a line that repeats no value.
#[test]
fn what_the_program_cannot_have_meant() {
    let said = || builder(&[]).region("eu-west-1");
    let keys = |id: &str, secret: &str| said().credentials(id, secret);
    let good = || keys("AKID", "s3cr3t/key");
    let fake = || Fake::new(|_, _| std::future::ready(Ok(answer(200, ""))));
    let ascii = "the access key id has a space, a comma, a line break or a letter outside ASCII";
    let ends = "the secret access key has a space or a line break at its end, or a control character";
    let token = "the session token has a space, a line break or a letter outside ASCII";
    let zero = |name: &str| format!("{name} is zero, in which nothing can be done; Duration::MAX means no limit");
    let sockets =
        |name: &str| format!("{name} is for sockets, which transport() takes the place of; leave one of the two out");
    for (builder, line) in [
        (keys("", "s3cr3t"), "the access key id is empty".to_owned()),
        (keys("AKID", ""), "the secret access key is empty".to_owned()),
        (keys("s3cr3t/key", "AKID"), "the access key id has a '/'; are id and secret the wrong way round?".to_owned()),
        (keys("AKID\n", "s3cr3t"), ascii.to_owned()),
        (keys("AK ID", "s3cr3t"), ascii.to_owned()),
        (keys("AK,ID", "s3cr3t"), ascii.to_owned()),
        (keys("ÄKID", "s3cr3t"), ascii.to_owned()),
        (keys("AKID", "s3cr3t\n"), ends.to_owned()),
        (keys("AKID", " s3cr3t"), ends.to_owned()),
        (said().session_credentials("AKID", "s3cr3t", "s3cr3t\n"), token.to_owned()),
        (good().max_attempts(0), "max_attempts(0) sends nothing; 1 means no retries".to_owned()),
        (good().connect_timeout(Duration::ZERO), zero("connect_timeout")),
        (good().progress_timeout(Duration::ZERO), zero("progress_timeout")),
        (good().long_operation_timeout(Duration::ZERO), zero("long_operation_timeout")),
        (good().deadline(Duration::ZERO), zero("deadline")),
        (good().transport(fake()).connect_timeout(Duration::from_secs(1)), sockets("connect_timeout")),
        (good().transport(fake()).root_certificates_pem("x"), sockets("root_certificates_pem")),
        (good().transport(fake()).danger_accept_invalid_certificates(), sockets("danger_accept_invalid_certificates")),
        (good().transport(fake()).proxy("http://user:s3cr3t@proxy"), sockets("proxy")),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!((error.to_string(), error.kind()), (line, ErrorKind::InvalidInput));
        assert!(!format!("{error:?}").contains("s3cr3t"));
    }
    assert!(good().transport(fake()).no_proxy().build().is_ok());
    assert!(good().deadline(Duration::MAX).connect_timeout(Duration::MAX).build().is_ok());
    // What opens sockets to ask for credentials may be told of them.
    let role = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/token"), ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/r")];
    let asks = builder(&role).region("eu-west-1").transport(fake()).connect_timeout(Duration::from_secs(1));
    assert!(asks.build().is_ok());
}

/// The same of keys that are found, with the place.
#[test]
fn keys_that_cannot_sign() {
    let variables = [("AWS_ACCESS_KEY_ID", "s3cr3t/key"), ("AWS_SECRET_ACCESS_KEY", "AKID")];
    let (line, _) = failure(builder(&variables).region("eu-west-1"));
    let of_environment = "the keys of the environment (AWS_ACCESS_KEY_ID and so on): ";
    let problem = "the access key id has a '/'; are id and secret the wrong way round?";
    assert_eq!(line, format!("{of_environment}{problem}"));
    let folder = Folder::new("cannot-sign");
    let file = folder.file("keys", "[default]\naws_access_key_id = A B\naws_secret_access_key = s\n");
    let (line, _) = failure(builder(&[]).region("eu-west-1").credentials_file(&file));
    let problem = "the access key id has a space, a comma, a line break or a letter outside ASCII";
    assert_eq!(line, format!("{}:2: {problem}", file.display()));
}

#[tokio::test]
async fn endpoints_that_are_to_be_ignored() {
    let variables = [
        ("AWS_ENDPOINT_URL_S3", "http://s3:2"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
    ];
    assert_eq!(sent(with_keys(&variables)).await.uri, "https://my-bucket.s3.eu-west-1.amazonaws.com/a");
    let given = with_keys(&variables).endpoint("http://given:3");
    assert_eq!(sent(given).await.uri, "http://given:3/my-bucket/a", "what the program says is not configured");
    let folder = Folder::new("ignored");
    let file = folder.file(
        "config",
        "[default]\nregion = eu-west-1\nendpoint_url = http://wrong\nignore_configured_endpoint_urls = true\n",
    );
    let sent = sent(with_keys(&[("AWS_CONFIG_FILE", &display(&file))])).await;
    assert_eq!(sent.uri, "https://my-bucket.s3.eu-west-1.amazonaws.com/a");
}
