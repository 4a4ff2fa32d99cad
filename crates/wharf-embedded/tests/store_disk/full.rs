//! A full disk: an error to whoever writes, and to nobody else. It is a small file system in memory, which only root
//! can mount.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use wharf_embedded::Store;

use crate::files::count;
use crate::support::*;

/// Unmounted when dropped.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn new(size: &str) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let options = format!("size={size}");
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "wharf-test"]).arg(directory.path()).output();
        mount.is_ok_and(|mount| mount.status.success()).then_some(Self(directory))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

fn open(path: &Path) -> Store {
    Store::builder().credentials(KEY, SECRET).clock(|| at(NOW)).open(path).unwrap()
}

/// Puts objects of that size until there is no more space; how many there are.
async fn fill(store: &Store, name: &str, size: usize) -> usize {
    for number in 0.. {
        let answer = put(&format!("/bucket/{name}-{number:06}")).body(vec![b'x'; size]).send(store).await;
        if answer.status != 200 {
            answer.refused(507, "InsufficientStorage");
            return number;
        }
    }
    unreachable!("a disk that is never full")
}

#[tokio::test]
async fn a_full_disk_harms_only_who_writes() {
    let Some(mounted) = Mounted::new("16m") else {
        println!("skipped: a file system can only be mounted by root");
        return;
    };
    let data = mounted.0.path().join("data");
    let store = open(&data);
    put("/bucket").send(&store).await.expect(200);
    put("/bucket/to-delete").body("small").send(&store).await.expect(200);
    // Files fill it first, then rows do.
    let files = fill(&store, "file", 1_000_000).await;
    let rows = fill(&store, "row", 16_000).await;
    let bare = fill(&store, "bare", 0).await;
    println!("{files} files, {rows} rows, {bare} objects without bytes");
    assert!(files > 0);
    // Somebody else has the rest, to the last byte.
    let mut other = std::fs::File::create(mounted.0.path().join("other")).unwrap();
    while other.write(&[0; 100]).is_ok_and(|written| written > 0) {}
    for _ in 0..3 {
        put("/bucket/more").body(vec![b'x'; 1_000_000]).send(&store).await.refused(507, "InsufficientStorage");
        put("/bucket/more").send(&store).await;
        let found = get("/bucket/file-000000").send(&store).await.expect(200);
        assert_eq!(found.body.len(), 1_000_000);
        let listed = get("/bucket?list-type=2&prefix=file").send(&store).await.expect(200);
        assert_eq!(listed.elements("Key").len(), files);
    }
    delete("/bucket/to-delete").send(&store).await.expect(204);
    get("/bucket/to-delete").send(&store).await.refused(404, "NoSuchKey");
    // What failed left no files behind, and a full disk can be opened.
    drop(store);
    assert_eq!(count(&data), (files, 0));
    let store = open(&data);
    assert_eq!(get("/bucket/file-000000").send(&store).await.expect(200).body.len(), 1_000_000);
    for number in 0..files {
        delete(&format!("/bucket/file-{number:06}")).send(&store).await.expect(204);
    }
    put("/bucket/more").body(vec![b'x'; 1_000_000]).send(&store).await.expect(200);
    assert_eq!(get("/bucket/more").send(&store).await.expect(200).body.len(), 1_000_000);
}
