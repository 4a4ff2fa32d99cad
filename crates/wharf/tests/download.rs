//! Downloads into files: how many requests, and what is there afterwards.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use support::line;
use wharf::transfer::Verification;
use wharf::{ChecksumAlgorithm, Client, ErrorKind};
use wharf_embedded::{Operation, Store};

/// A folder of its own, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("wharf-download-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn names(&self) -> Vec<String> {
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

const MIB: usize = 1 << 20;

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 + at / 251) as u8).collect()
}

async fn client() -> (Client, Store) {
    let store = Store::in_memory();
    let s3 = Client::builder().transport(store.clone()).build().unwrap();
    s3.create_bucket("my-bucket").await.unwrap();
    (s3, store)
}

#[tokio::test]
async fn a_small_object_is_one_request() {
    let (s3, store) = client().await;
    let folder = Folder::new();
    for length in [0, 1, 100_000, 16 * MIB] {
        let data = bytes(length);
        s3.put_object("my-bucket", "a", data.clone()).content_type("text/plain").await.unwrap();
        store.clear_requests();
        let path = folder.0.join("a");
        let done = s3.download("my-bucket", "a", &path).await.unwrap();
        assert_eq!(store.requests().len(), 1, "{}", store.requests());
        assert_eq!((done.size, done.target.as_path()), (length as u64, path.as_path()));
        assert_eq!(done.head.content_type.as_deref(), Some("text/plain"));
        assert_eq!(done.verification, Verification::Verified(ChecksumAlgorithm::Crc64Nvme));
        assert!(fs::read(&path).unwrap() == data, "{length} bytes");
        assert_eq!(folder.names(), ["a"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_object_is_fetched_by_several_requests() {
    let (s3, store) = client().await;
    let folder = Folder::new();
    let data = bytes(40 * MIB + 7);
    s3.put_object("my-bucket", "a", data.clone()).await.unwrap();
    store.clear_requests();
    let path = folder.0.join("a");
    let done = s3.download("my-bucket", "a", path.as_path()).concurrency(2).await.unwrap();
    let asked = store.requests();
    assert!(asked.len() >= 2 && asked.len() <= 5 && asked.count(Operation::GetObject) == asked.len(), "{asked}");
    assert_eq!(done.verification, Verification::Verified(ChecksumAlgorithm::Crc64Nvme));
    assert!(fs::read(&path).unwrap() == data);
    let done = s3.download("my-bucket", "a", path.as_path()).part_size(MIB as u64).concurrency(8).await.unwrap();
    assert!(done.verification.is_verified() && fs::read(&path).unwrap() == data);
}

#[tokio::test]
async fn what_is_not_there_leaves_nothing() {
    let (s3, _store) = client().await;
    let folder = Folder::new();
    let error = s3.download("my-bucket", "a", folder.0.join("a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchKey, "{}", line(&error));
    assert_eq!(
        line(&error),
        "GetObject my-bucket/a: The specified key does not exist. (NoSuchKey, HTTP 404, request ID)"
    );
    let error = s3.download("my-bucket", "a", Path::new("/")).await.unwrap_err();
    assert_eq!(line(&error), "Download my-bucket/a: / is a directory: name the file in it");
    assert!(folder.names().is_empty());
}
