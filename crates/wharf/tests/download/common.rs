//! A store with a bucket, a folder, and bytes to tell apart.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use wharf::{Client, ClientBuilder};
use wharf_embedded::{Fault, Operation, Store};

pub(crate) const MIB: usize = 1 << 20;

/// A folder of its own, removed when dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("wharf-download-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The names of what is in it.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Bytes of which no two pages are the same.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 + at / 251 + at / 4096 * 7) as u8).collect()
}

/// A client of a store of its own with the bucket `my-bucket`.
pub(crate) async fn client() -> (Client, Store) {
    built(|builder| builder).await
}

pub(crate) async fn built(more: impl FnOnce(ClientBuilder) -> ClientBuilder) -> (Client, Store) {
    let store = Store::in_memory();
    let s3 = more(Client::builder().transport(store.clone())).build().unwrap();
    s3.create_bucket("my-bucket").await.unwrap();
    (s3, store)
}

/// An object `a` of these bytes.
pub(crate) async fn with_object(data: &[u8]) -> (Client, Store) {
    let (s3, store) = client().await;
    s3.put_object("my-bucket", "a", data.to_vec()).await.unwrap();
    store.clear_requests();
    (s3, store)
}

/// Has the next read's body wait, so that others are asked for meanwhile. For tests with a paused clock.
pub(crate) fn slowly(store: &Store) {
    let wait = Fault::delay_body(1000, Duration::from_millis(20)).on(Operation::GetObject);
    store.inject(wait.nth(1)).unwrap();
}

/// An object `a` in parts of these lengths.
pub(crate) async fn in_parts(s3: &Client, algorithm: wharf::ChecksumAlgorithm, composite: bool, parts: &[&[u8]]) {
    use wharf::ChecksumType::{Composite, FullObject};
    let kind = if composite { Composite } else { FullObject };
    let upload = s3.create_multipart_upload("my-bucket", "a").checksum_algorithm(algorithm).checksum_type(kind);
    let upload = upload.await.unwrap().upload_id;
    let mut complete = s3.complete_multipart_upload("my-bucket", "a", &upload).checksum_type(kind);
    for (number, part) in (1..).zip(parts) {
        let part = s3.upload_part("my-bucket", "a", &upload, number, part.to_vec()).checksum(algorithm);
        complete = complete.part(part.await.unwrap());
    }
    complete.await.unwrap();
}
