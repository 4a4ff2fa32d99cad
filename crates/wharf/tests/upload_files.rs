//! Files that change while they are uploaded.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use support::upload::{MIB, When, bytes, client, content, file, hooked_when, nothing_stored};
use wharf::{Client, ErrorKind};
use wharf_embedded::Store;

/// What happens to the file when a request whose URI has `marker` reaches the store, or was answered.
fn changing(store: &Store, path: &Path, (when, marker): (When, &'static str), change: fn(&Path)) -> Client {
    let path = path.to_owned();
    let hook = move |what: String| {
        if what.contains(marker) {
            change(&path);
        }
        std::future::ready(())
    };
    hooked_when(when, store, hook).build().unwrap()
}

fn grow(path: &Path) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(b"more").unwrap();
}

fn shrink(path: &Path) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_len(file.metadata().unwrap().len() - 1).unwrap();
}

/// The same length, another time.
fn touch(path: &Path) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1)).unwrap();
}

/// The same length and time, another file.
fn replace(path: &Path) {
    let before = fs::metadata(path).unwrap();
    let other: PathBuf = path.with_extension("other");
    let file = File::create(&other).unwrap();
    file.set_len(before.len()).unwrap();
    file.set_modified(before.modified().unwrap()).unwrap();
    fs::rename(other, path).unwrap();
}

#[tokio::test]
async fn a_file_that_changes_is_named_and_nothing_is_stored() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 4] =
        [("grows", grow), ("shrinks", shrink), ("touched", touch), ("replaced", replace)];
    for (name, change) in changes {
        // In the first part, in the last, and when all that is left is to complete it.
        for place in [(When::Before, "partNumber=1&"), (When::Before, "partNumber=3&"), (When::After, "partNumber=3&")]
        {
            let store = Store::in_memory();
            let plain = client(&store).await;
            let large = file(&bytes(20 * MIB));
            let s3 = changing(&store, large.path(), place, change);
            let error = s3.upload("my-bucket", "a", large.path()).concurrency(1).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Body, "{name}: {error}");
            assert!(error.to_string().contains(large.path().to_str().unwrap()), "{name}: {error}");
            assert!(error.to_string().contains("the upload was aborted"), "{name}: {error}");
            nothing_stored(&plain, "a").await;
        }
    }
}

/// Other bytes, and the time put back.
#[cfg(unix)]
fn rewrite(path: &Path) {
    use std::os::unix::fs::FileExt;
    let file = File::options().write(true).open(path).unwrap();
    let time = file.metadata().unwrap().modified().unwrap();
    file.write_all_at(b"other", 100).unwrap();
    file.set_modified(time).unwrap();
}

/// Nothing that is in it changes.
#[cfg(unix)]
fn link(path: &Path) {
    let _ = fs::hard_link(path, path.with_extension("link"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_whose_time_was_put_back_is_looked_at() {
    for (change, is_stored) in [(rewrite as fn(&Path), false), (link, true)] {
        let store = Store::in_memory();
        let plain = client(&store).await;
        let data = bytes(20 * MIB);
        let large = file(&data);
        let s3 = changing(&store, large.path(), (When::Before, "partNumber=3&"), change);
        let uploaded = s3.upload("my-bucket", "a", large.path()).concurrency(1).await;
        let _ = fs::remove_file(large.path().with_extension("link"));
        if is_stored {
            uploaded.unwrap();
            assert!(content(&plain, "a").await == data);
        } else {
            let error = uploaded.unwrap_err();
            assert!(error.to_string().contains("changed since its upload began: it was written to"), "{error}");
            nothing_stored(&plain, "a").await;
        }
    }
}

/// What has no checksum cannot be compared.
#[cfg(unix)]
#[tokio::test]
async fn a_file_whose_time_was_put_back_is_not_believed_without_checksums() {
    let store = Store::in_memory();
    let plain = client(&store).await;
    let large = file(&bytes(20 * MIB));
    let s3 = changing(&store, large.path(), (When::Before, "partNumber=3&"), rewrite);
    let error = s3.upload("my-bucket", "a", large.path()).concurrency(1).no_checksum().await.unwrap_err();
    assert!(error.to_string().contains("changed since its upload began: it was written to"), "{error}");
    nothing_stored(&plain, "a").await;
}

#[tokio::test]
async fn a_small_file_that_changes_before_another_attempt_is_named() {
    let store = Store::in_memory();
    let plain = client(&store).await;
    let small = file(&bytes(MIB));
    store.inject(wharf_embedded::Fault::respond(503, "SlowDown").times(1)).unwrap();
    let s3 = changing(&store, small.path(), (When::Before, "PUT"), grow);
    let error = s3.upload("my-bucket", "a", small.path()).await.unwrap_err();
    assert!(
        error.to_string().contains("changed since its upload began: it had 1048576 bytes and has 1048580 now"),
        "{error}"
    );
    nothing_stored(&plain, "a").await;
}

#[tokio::test]
async fn a_part_of_a_file() {
    let store = Store::in_memory();
    let s3 = client(&store).await;
    let data = bytes(20 * MIB);
    let large = file(&data);
    for (length, parts) in [(MIB, 1), (17 * MIB, 3)] {
        let body = wharf::Body::file_range(large.path(), 77, length as u64);
        let uploaded = s3.upload("my-bucket", "a", body).await.unwrap();
        assert_eq!((uploaded.size, uploaded.parts), (length as u64, parts));
        assert!(content(&s3, "a").await == data[77..77 + length]);
    }
}

#[tokio::test]
async fn a_retried_part_is_read_again() {
    let store = Store::in_memory();
    let s3 = client(&store).await;
    let data = bytes(20 * MIB);
    let large = file(&data);
    store
        .inject(wharf_embedded::Fault::close_request_after(1000).on(wharf_embedded::Operation::UploadPart).times(2))
        .unwrap();
    let uploaded = s3.upload("my-bucket", "a", large.path()).await.unwrap();
    assert!(uploaded.verification.is_verified());
    assert!(content(&s3, "a").await == data);
}
