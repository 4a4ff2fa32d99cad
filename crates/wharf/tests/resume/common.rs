//! A store with a bucket, a folder, and bytes to tell apart.

use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;
use wharf::transfer::{Download, Upload};
use wharf::transport::{Body, Defaults, ResponseFuture, Transport};
use wharf::{Client, Error};
use wharf_embedded::{Operation, Store};

pub(crate) const BUCKET: &str = "my-bucket";
pub(crate) const MIB: usize = 1 << 20;
/// The least that a part may have.
pub(crate) const PART: usize = 5 * MIB;

pub(crate) struct Place {
    pub(crate) store: Store,
    pub(crate) s3: Client,
    pub(crate) folder: TempDir,
}

impl Place {
    pub(crate) async fn new() -> Self {
        let store = Store::in_memory();
        let s3 = Client::builder().environment(|_| None).transport(store.clone()).build().unwrap();
        s3.create_bucket(BUCKET).await.unwrap();
        store.clear_requests();
        Self { store, s3, folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn file(&self, content: &[u8]) -> PathBuf {
        let path = self.path("source");
        fs::write(&path, content).unwrap();
        path
    }

    /// Where the journals of uploads are.
    pub(crate) fn journals(&self) -> PathBuf {
        self.path("journals")
    }

    /// A resumable upload of a file to the key `a`, one part after another.
    pub(crate) fn upload(&self, path: &Path) -> Upload {
        let upload = self.s3.upload(BUCKET, "a", path).resumable(true).journal_dir(self.journals());
        upload.part_size(PART as u64).multipart_threshold(0).concurrency(1)
    }

    /// A resumable download of the key `a`, by one request after another.
    pub(crate) fn download(&self) -> Download<PathBuf> {
        self.s3.download(BUCKET, "a", self.path("target")).resumable(true).concurrency(1)
    }

    pub(crate) async fn object(&self, content: &[u8]) {
        self.s3.put_object(BUCKET, "a", content.to_vec()).await.unwrap();
        self.store.clear_requests();
    }

    pub(crate) async fn stored(&self) -> Bytes {
        self.s3.get_object(BUCKET, "a").bytes().await.unwrap()
    }

    /// The ids of the uploads that are left over.
    pub(crate) async fn uploads(&self) -> Vec<String> {
        let listed = self.s3.list_multipart_uploads(BUCKET).await.unwrap().uploads;
        listed.into_iter().map(|upload| upload.upload_id).collect()
    }

    pub(crate) fn count(&self, operation: Operation) -> usize {
        self.store.requests().count(operation)
    }

    /// The only journal of an upload.
    pub(crate) fn journal(&self) -> PathBuf {
        let [journal] = names(&self.journals()).try_into().unwrap();
        self.journals().join(journal)
    }
}

/// A client of that store; each of its requests passes by `hook`, which gets its method and URI.
pub(crate) fn hooked(store: &Store, hook: impl Fn(String) + Send + Sync + 'static) -> Client {
    let hooked = Hooked { store: store.clone(), hook: Arc::new(hook) };
    Client::builder().environment(|_| None).transport(hooked).build().unwrap()
}

struct Hooked {
    store: Store,
    hook: Arc<dyn Fn(String) + Send + Sync>,
}

impl Transport for Hooked {
    fn send(&self, request: http::Request<Body>) -> ResponseFuture {
        (self.hook)(format!("{} {}", request.method(), request.uri()));
        self.store.send(request)
    }

    fn defaults(&self) -> Option<Defaults> {
        self.store.defaults()
    }
}

/// The names of what is in a folder, if it is there.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Bytes of which no two pages are the same.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    static ALL: OnceLock<Vec<u8>> = OnceLock::new();
    let next =
        |state: &u64| Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
    let numbers = || std::iter::successors(Some(1_u64), next).take(32 * MIB / 8);
    let all = ALL.get_or_init(|| numbers().flat_map(|number| number.to_be_bytes()).collect());
    all[..length].to_vec()
}

/// It says that something was kept, in the message and in the hint.
pub(crate) fn says_kept(error: &Error) {
    assert!(error.to_string().contains("kept, to be resumed"), "{error}");
    assert!(error.hint().unwrap().contains("the same call goes on"), "{error:?}");
}

/// A limit for what hangs where the code is broken; nothing is measured by it.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("it hangs")
}
