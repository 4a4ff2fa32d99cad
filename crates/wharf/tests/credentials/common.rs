//! A folder for files, an environment, and a service that answers from a table.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use wharf::{Client, ClientBuilder, Credentials, ErrorKind};

use crate::support::{FakeClock, Head, Server};

/// One hour after a [`FakeClock`] begins.
pub(crate) const IN_AN_HOUR: &str = "2026-01-01T01:00:00Z";

/// A folder for the files of one test, removed at its end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("wharf-credentials-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A client's settings, with this environment and no other.
pub(crate) fn builder(environment: &[(&str, &str)]) -> ClientBuilder {
    let environment: Vec<_> = environment.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    Client::builder()
        .region("eu-west-1")
        .clock(FakeClock::default())
        .environment(move |name| environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()))
}

/// A client whose profile `work` is in a config file of this text, beside other variables.
pub(crate) fn with_config(folder: &Folder, config: &str, more: &[(&str, &str)]) -> ClientBuilder {
    let path = folder.file("config", config);
    let home = folder.path().display().to_string();
    let own = [("AWS_CONFIG_FILE", &*path), ("AWS_PROFILE", "work"), ("HOME", &*home)];
    builder(&[&own, more].concat())
}

/// The credentials of a client.
pub(crate) async fn keys(builder: ClientBuilder) -> wharf::Result<Credentials> {
    builder.build()?.credentials().await.map(|keys| keys.expect("it is not anonymous"))
}

pub(crate) async fn key_id(builder: ClientBuilder) -> String {
    keys(builder).await.unwrap().access_key_id().to_owned()
}

/// The line and kind of the error that comes of it.
pub(crate) async fn failure(builder: ClientBuilder) -> (String, ErrorKind) {
    let error = keys(builder).await.unwrap_err();
    let line = error.to_string();
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");
    (line, error.kind())
}

/// A service on loopback and what it was asked: "METHOD target body".
pub(crate) struct Service {
    server: Server,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Service {
    pub(crate) async fn start(answer: impl Fn(&Head, &str) -> (u16, String) + Send + Sync + 'static) -> Self {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = asked.clone();
        let answer = Arc::new(answer);
        let server = Server::start(move |mut conn| {
            let (answer, seen) = (answer.clone(), seen.clone());
            async move {
                while let Some((head, body)) = conn.request().await {
                    let body = String::from_utf8(body).unwrap();
                    let line = format!("{} {} {body}", head.method, head.target);
                    seen.lock().unwrap().push(line.trim_end().to_owned());
                    let (status, text) = answer(&head, &body);
                    conn.answer(status, text).await;
                }
            }
        })
        .await;
        Self { server, asked }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn heads(&self) -> Vec<Head> {
        self.server.requests()
    }
}

/// The answer of STS.
pub(crate) fn sts_answer(id: &str) -> (u16, String) {
    let document = format!(
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{id}</AccessKeyId>\
         <SecretAccessKey>s3cr3t</SecretAccessKey><SessionToken>t0k3n</SessionToken>\
         <Expiration>{IN_AN_HOUR}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    );
    (200, document)
}

/// The answer of instance and container metadata.
pub(crate) fn keys_answer(id: &str, expiration: &str) -> (u16, String) {
    let document = format!(
        "{{\"Code\":\"Success\",\"AccessKeyId\":\"{id}\",\"SecretAccessKey\":\"s3cr3t\",\"Token\":\"t0k3n\",\
         \"Expiration\":\"{expiration}\"}}"
    );
    (200, document)
}
