//! A disk that is full.

use std::path::Path;
use std::process::Command;

use wharf::transfer::{Budgets, Limits};
use wharf::{Body, Client, Error, ErrorKind};
use wharf_embedded::Store;

use crate::common::{BUCKET, Child, Folder, MIB, is_clear};
use crate::support::upload::{bytes, pieces};

/// A client of a store with an object of 3 MiB that may hold next to nothing in memory.
async fn place() -> (Client, Store) {
    let store = Store::in_memory();
    let mut limits = Limits::default();
    limits.memory = 1;
    let s3 = Client::builder().transport(store.clone()).budgets(Budgets::new(limits)).build().unwrap();
    s3.create_bucket(BUCKET).await.unwrap();
    s3.put_object(BUCKET, "a", bytes(3 * MIB)).await.unwrap();
    (s3, store)
}

fn is_of_the_disk(error: &Error, store: &Store) {
    is_clear(error, store);
    assert_eq!(error.kind(), ErrorKind::Body, "{error}");
}

/// What a disk without room does to a download, and to a stream that has to be kept there.
async fn fails(folder: &Path) {
    let (s3, store) = place().await;
    let target = folder.join("target");
    let error = s3.download(BUCKET, "a", target.as_path()).part_size(200_000).await.unwrap_err();
    is_of_the_disk(&error, &store);
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0, "something is left over");
    // Tasks that were stopped let go of the file when they are next looked at.
    tokio::task::yield_now().await;
    // What was there before stays.
    std::fs::write(&target, "before").unwrap();
    let error = s3.download(BUCKET, "a", target.as_path()).await.unwrap_err();
    is_of_the_disk(&error, &store);
    assert_eq!(std::fs::read(&target).unwrap(), b"before");
    std::fs::remove_file(&target).unwrap();
    // Two parts at a time: one is in memory, as the only one may, the other goes to the disk.
    let body = Body::stream(pieces(bytes(22 * MIB), 99_999));
    let upload = s3.upload(BUCKET, "b", body).part_size(5 * MIB as u64).multipart_threshold(5 * MIB as u64);
    let error = upload.spool_dir(folder).await.unwrap_err();
    is_of_the_disk(&error, &store);
    assert!(!s3.object_exists(BUCKET, "b").await.unwrap());
    assert!(s3.list_multipart_uploads(BUCKET).await.unwrap().uploads.is_empty());
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0, "something is left over");
}

/// A small disk of its own, where this user may have one.
struct Disk(Folder);

impl Disk {
    fn new() -> Option<Self> {
        let folder = Folder::new();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(folder.path()).output();
        mounted.is_ok_and(|mounted| mounted.status.success()).then(|| Self(folder))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).output();
    }
}

#[tokio::test]
async fn a_full_disk() {
    let Some(disk) = Disk::new() else {
        // No disk of a test's own: the next one does it by the limit of a process.
        return;
    };
    fails(disk.0.path()).await;
}

#[tokio::test]
async fn a_file_that_may_not_grow() {
    let folder = Folder::new();
    // Blocks of 512 bytes; the signal that comes with the limit is not wanted, only the error.
    let limits = "trap '' XFSZ; ulimit -f 2048; exec \"$@\"";
    let mut shell = Command::new("sh");
    shell.args(["-c", limits, "sh"]);
    Child::run(Some(shell), "disk::child", folder.path().to_str().unwrap());
}

#[tokio::test]
#[ignore = "the child of another test"]
async fn child() {
    let Some(folder) = Child::argument() else { return };
    fails(Path::new(&folder)).await;
}
