//! What the proofs share.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use wharf::{Client, ClientBuilder, Clock, Error};
use wharf_embedded::{Server, Store};

use crate::support::Hostile;

pub(crate) const BUCKET: &str = "my-bucket";
pub(crate) const MIB: usize = 1 << 20;

/// The system's time, and no wait at all.
pub(crate) struct Hasty;

impl Clock for Hasty {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::ready(()))
    }

    fn jitter(&self) -> f64 {
        0.0
    }
}

/// A store, a client that reaches it straight, and one that reaches it by a proxy that does harm.
pub(crate) struct Place {
    pub(crate) store: Store,
    pub(crate) direct: Client,
    pub(crate) hostile: Hostile,
    pub(crate) s3: Client,
    pub(crate) folder: Folder,
    _server: Server,
}

impl Place {
    pub(crate) async fn new(change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        let store = Store::in_memory();
        let direct = Client::builder().transport(store.clone()).build().unwrap();
        direct.create_bucket(BUCKET).await.unwrap();
        let server = store.serve("127.0.0.1:0").await.unwrap();
        let hostile = Hostile::before(&server.endpoint()).await;
        let builder = Client::builder()
            .environment(|_| None)
            .endpoint(hostile.url())
            .credentials(store.access_key_id(), store.secret_access_key())
            .clock(Hasty);
        let s3 = change(builder).build().unwrap();
        Self { store, direct, hostile, s3, folder: Folder::new(), _server: server }
    }

    /// The object's bytes; `None` where there is none.
    pub(crate) async fn stored(&self, key: &str) -> Option<bytes::Bytes> {
        let is_there = self.direct.object_exists(BUCKET, key).await.unwrap();
        if is_there { Some(self.direct.get_object(BUCKET, key).bytes().await.unwrap()) } else { None }
    }

    /// How many uploads are left over.
    pub(crate) async fn uploads(&self) -> usize {
        self.direct.list_multipart_uploads(BUCKET).await.unwrap().uploads.len()
    }
}

/// A folder of its own, removed when dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("wharf-proofs-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// One clear line, without a secret.
pub(crate) fn is_clear(error: &Error, store: &Store) {
    let line = error.to_string();
    assert!(!line.is_empty() && !line.contains('\n'), "{line:?}");
    let all = format!("{line} {error:?} {:?}", error.hint());
    assert!(!all.contains(store.secret_access_key()), "{line}");
}

/// A process of its own that runs one test of this program.
pub(crate) struct Child;

impl Child {
    const ARGUMENT: &str = "WHARF_PROOF_CHILD";

    /// Runs it, by way of another program where one is given, and shows what it printed if it fails.
    pub(crate) fn run(by: Option<Command>, test: &str, argument: &str) {
        let done = Self::command(by, test, argument).output().unwrap();
        let printed = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success(), "{}\n{printed}\n{}", done.status, String::from_utf8_lossy(&done.stderr));
        assert!(printed.contains("1 passed"), "{printed}");
        println!("{printed}");
    }

    pub(crate) fn command(by: Option<Command>, test: &str, argument: &str) -> Command {
        let program = std::env::current_exe().unwrap();
        let mut command = match by {
            Some(mut by) => {
                by.arg(program);
                by
            }
            None => Command::new(program),
        };
        command.args(["--exact", test, "--ignored", "--nocapture"]).env(Self::ARGUMENT, argument);
        command
    }

    /// What the child was told; `None` in a process that is no child.
    pub(crate) fn argument() -> Option<String> {
        std::env::var(Self::ARGUMENT).ok()
    }
}
