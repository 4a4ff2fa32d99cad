//! A real browser uploads with what was signed for it: by forms, and by a link across origins.
//!
//! `cargo test -p wharf --test browser -- --ignored`; `scripts/install-chromium` installs the browser on Debian.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test")]

mod support;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use std::{env, fs};

use http::Method;
use serde_json::{Value, json};
use support::Server;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use wharf::op::PresignedPost;
use wharf::{Client, Presigned};
use wharf_embedded::{Operation, Store};

const HOUR: Duration = Duration::from_secs(3600);
/// For a machine that has a lot to do; nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(180);
const PAGE: &str = include_str!("browser/page.html");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium"]
async fn a_browser_uploads() {
    let Some(chromium) = chromium() else {
        // Not by println!, which nobody sees of a test that passes.
        let note = "note: a browser's uploads skipped, no chromium on the PATH; scripts/install-chromium installs it";
        writeln!(std::io::stderr(), "\n{note}").unwrap();
        return;
    };
    let store = Store::in_memory();
    let server = store.serve("127.0.0.1:0").await.unwrap();
    let s3 = Client::builder()
        .environment(|_| None)
        .endpoint(server.endpoint())
        .region(store.region())
        .credentials(store.access_key_id(), store.secret_access_key())
        .build()
        .unwrap();
    let (tell, mut told) = mpsc::channel(1);
    let (plan, planned) = tokio::sync::watch::channel(String::new());
    let page = Server::start(move |conn| serve_page(conn, planned.clone(), tell.clone())).await;
    plan.send_replace(prepare(&s3, &page.url()).await.to_string());
    store.clear_requests();

    let profile = Profile::new();
    let mut browser = Browser::open(&chromium, &profile.0, &page.url());
    let found = tokio::select! {
        found = told.recv() => found.unwrap(),
        ended = browser.0.wait() => panic!("chromium ended by itself: {ended:?}\n{}", profile.log()),
        () = tokio::time::sleep(PATIENCE) => panic!("nothing from the page\n{}\n{}", profile.log(), store.requests()),
    };
    browser.close().await;
    let found: Value = serde_json::from_str(&found).unwrap();
    println!("{found:#}\n{}", store.requests());
    check_findings(&found, &page.url());
    check_objects(&s3).await;
    check_requests(&store, &page.url());
    server.stop().await;
}

/// The buckets, and what the page needs to know: the forms and links that were signed for it.
async fn prepare(s3: &Client, origin: &str) -> Value {
    for bucket in ["open", "closed"] {
        s3.create_bucket(bucket).await.unwrap();
    }
    let rules = format!(
        "<CORSConfiguration><CORSRule><AllowedOrigin>{origin}</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>\
         <AllowedMethod>POST</AllowedMethod><AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>\
         </CORSRule></CORSConfiguration>"
    );
    s3.request(Method::PUT).bucket("open").subresource("cors").body(rules).await.unwrap();

    let posted = s3
        .post_object("open", "posted.bin")
        .content_length_range(1..=1_000_000)
        .content_type("application/x-posted")
        .metadata("note", "a \"b\" & c")
        .tag("from", "a browser")
        .success_action_status(201);
    let submitted = s3
        .post_object("open", "submitted/${filename}")
        .starts_with("Content-Type", "application/")
        .success_action_redirect(format!("{origin}/done"));
    let mut submitted = submitted.presign(HOUR).await.unwrap();
    submitted.fields.push(("Content-Type".to_owned(), "application/x-submitted".to_owned()));
    let too_large = s3.post_object("open", "too-large.bin").content_length_range(1..=1_000_000);
    let put = s3.put_object("open", "put.bin", "").content_type("application/x-put").metadata("note", "by a link");
    let no_rules = s3.put_object("closed", "put.bin", "");
    json!({
        "posted": form(&posted.presign(HOUR).await.unwrap()),
        "put": link(&put.presign(HOUR).await.unwrap()),
        "submitted": form(&submitted),
        "too_large": form(&too_large.presign(HOUR).await.unwrap()),
        "no_rules": link(&no_rules.presign(HOUR).await.unwrap()),
    })
}

fn form(form: &PresignedPost) -> Value {
    json!({ "url": form.url, "fields": form.fields })
}

fn link(link: &Presigned) -> Value {
    let headers = link.headers.iter().map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap())));
    json!({ "url": link.url, "headers": headers.collect::<serde_json::Map<_, _>>() })
}

async fn serve_page(
    mut conn: support::Conn,
    plan: tokio::sync::watch::Receiver<String>,
    findings: mpsc::Sender<String>,
) {
    while let Some((head, body)) = conn.request().await {
        let (kind, answer) = match (head.method.as_str(), head.target.split('?').next().unwrap()) {
            ("GET", "/") => ("text/html", PAGE.to_owned()),
            ("GET", "/plan") => ("application/json", plan.borrow().clone()),
            ("GET", "/done") => ("text/plain", "done".to_owned()),
            ("POST", "/findings") => {
                let _ = findings.try_send(String::from_utf8(body).unwrap());
                ("text/plain", String::new())
            }
            _ => {
                conn.answer(404, "").await;
                continue;
            }
        };
        let length = answer.len();
        conn.write(format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{answer}"))
            .await;
    }
}

/// What the page's script saw.
fn check_findings(found: &Value, origin: &str) {
    let posted = &found["posted"];
    assert_eq!(posted["status"], 201);
    let document = posted["body"].as_str().unwrap();
    assert!(document.contains("<Key>posted.bin</Key>"), "{document}");
    assert!(posted["etag"].is_string(), "CORS exposes it");
    assert_eq!(found["put"]["status"], 200);
    assert_eq!(found["put"]["etag"], posted["etag"], "the same bytes");
    let submitted = found["submitted"].as_str().unwrap();
    let done = format!("{origin}/done?bucket=open&key=submitted%2FGr%C3%B6%C3%9Fe%201.bin&etag=%22");
    assert!(submitted.starts_with(&done), "{submitted}");
    assert_eq!(found["too_large"]["status"], 400);
    let refusal = found["too_large"]["body"].as_str().unwrap();
    assert!(refusal.contains("<Code>EntityTooLarge</Code>"), "{refusal}");
    assert_eq!(found["no_rules"], json!({ "stopped": "TypeError" }), "the browser asks first");
}

/// What the store has.
async fn check_objects(s3: &Client) {
    let bytes: Vec<u8> = (0..300_000_usize).map(|n| (n * 7 + (n >> 8)) as u8).collect();
    for (key, kind, note) in [
        ("posted.bin", "application/x-posted", Some("a \"b\" & c")),
        ("put.bin", "application/x-put", Some("by a link")),
        ("submitted/Gr\u{f6}\u{df}e 1.bin", "application/x-submitted", None),
    ] {
        let object = s3.get_object("open", key).await.unwrap();
        assert_eq!(object.content_type.as_deref(), Some(kind), "{key}");
        assert_eq!(object.metadata.get("note").map(String::as_str), note, "{key}");
        assert!(object.bytes().await.unwrap() == bytes, "{key}: other bytes");
    }
    let tags = s3.get_object_tagging("open", "posted.bin").await.unwrap().tags;
    assert_eq!(tags, [wharf::Tag { key: "from".to_owned(), value: "a browser".to_owned() }]);
    assert_eq!(s3.list_objects("open").items().collect().await.unwrap().len(), 3, "the one too large is not there");
    assert!(s3.list_objects("closed").items().collect().await.unwrap().is_empty());
}

/// What the browser asked the store: permission first, for a link; nothing first, for forms.
fn check_requests(store: &Store, origin: &str) {
    let requests = store.requests();
    let asked: Vec<_> = requests.of(Operation::OptionsObject).into_iter().collect();
    assert_eq!(asked.len(), 2, "{requests}");
    for (preflight, bucket, status) in [(&asked[0], "open", 200), (&asked[1], "closed", 403)] {
        assert_eq!((preflight.bucket.as_str(), preflight.key.as_str()), (bucket, "put.bin"));
        assert_eq!((preflight.method.as_str(), preflight.status.unwrap().as_u16()), ("OPTIONS", status));
        let header = |name: &str| preflight.headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!((header("origin"), header("access-control-request-method")), (Some(origin), Some("PUT")));
    }
    assert_eq!(asked[0].headers["access-control-request-headers"], "content-type,x-amz-meta-note");
    let put = requests.iter().position(|request| request.operation == "PutObject").unwrap();
    assert_eq!(requests[put - 1].operation, "OptionsObject", "{requests}");
    assert_eq!(requests.of(Operation::PutObject).bucket("closed").len(), 0, "{requests}");
}

/// The browser that `CHROMIUM` names, which must be there; or the one on the `PATH`.
fn chromium() -> Option<PathBuf> {
    if let Some(named) = env::var_os("CHROMIUM").map(PathBuf::from) {
        assert!(named.is_file(), "CHROMIUM={} is no file; scripts/install-chromium installs it", named.display());
        return Some(named);
    }
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join("chromium")).find(|file| file.is_file())
}

/// A fresh folder for all that the browser writes; it goes afterwards.
struct Profile(PathBuf);

impl Profile {
    fn new() -> Self {
        let folder = env::temp_dir().join(format!("wharf-browser-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.0.join("log")).unwrap_or_default()
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Browser(Child);

impl Browser {
    fn open(chromium: &Path, profile: &Path, url: &str) -> Self {
        let log = fs::File::create(profile.join("log")).unwrap();
        let child = Command::new(chromium)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic"])
            .args(["--no-first-run", "--no-proxy-server", "--disable-sync"])
            .args(["--disable-background-networking", "--disable-component-update"])
            // Without a debugging port headless chromium prints the page and leaves.
            .arg("--remote-debugging-port=0")
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(url)
            .env("HOME", profile)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self(child)
    }

    /// Its helpers end when it is gone.
    async fn close(&mut self) {
        self.0.kill().await.unwrap();
    }
}
