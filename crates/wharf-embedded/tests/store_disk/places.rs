//! The files of objects: named by numbers, there as long as somebody needs them, and gone afterwards.

use std::path::Path;

use futures_util::TryStreamExt;
use wharf_embedded::Store;
use wharf_transport::{Body, BoxError};

use crate::files::{count, files};
use crate::support::*;

const BIG: usize = 600_000;

async fn open(path: &Path) -> Store {
    let store = Store::builder().credentials(KEY, SECRET).clock(|| at(NOW)).open(path).unwrap();
    put("/bucket").send(&store).await;
    store
}

fn big(byte: u8) -> Vec<u8> {
    vec![byte; BIG]
}

#[tokio::test]
async fn no_key_is_a_name_of_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    for key in ["a/../../escaped", "plain", "%00"] {
        put(&format!("/bucket/{key}")).body(big(1)).send(&store).await.expect(200);
        assert_eq!(get(&format!("/bucket/{key}")).send(&store).await.expect(200).body, big(1));
    }
    let names = files(&directory.path().join("files"));
    assert_eq!(names.len(), 3);
    assert!(
        names.iter().all(|name| name.len() == 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit())),
        "{names:?}"
    );
    assert_eq!(files(directory.path()).len(), names.len() + 4);
}

#[tokio::test]
async fn a_reader_has_what_he_began_to_read() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    for (key, content) in [("small", b"first".to_vec()), ("big", big(1))] {
        let target = format!("/bucket/{key}");
        put(&target).body(content.clone()).send(&store).await.expect(200);
        let reading = store.handle(get(&target).signed().0).await;
        put(&target).body(big(2)).send(&store).await.expect(200);
        delete(&target).send(&store).await.expect(204);
        assert_eq!(Answer::of(reading).await.expect(200).body, content);
    }
    drop(store);
    assert_eq!(count(directory.path()), (0, 0));
}

#[test]
fn who_leaves_while_his_file_is_made_leaves_none() {
    let directory = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open(directory.path()).await;
        let (done, busy) = std::sync::mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || busy.recv());
        let mut put = Box::pin(store.handle(put("/bucket/big").body(big(1)).signed().0));
        tokio::select! {
            biased;
            _ = &mut put => panic!("nothing can make its file"),
            () = std::future::ready(()) => {}
        }
        drop((put, done));
        let _ = busy.await.unwrap();
        // Behind all that was waiting.
        tokio::task::spawn_blocking(|| ()).await.unwrap();
    });
    assert_eq!(count(directory.path()), (0, 0));
}

#[tokio::test]
async fn copies_share_what_they_are_made_of() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    put("/bucket/a").body(big(1)).send(&store).await.expect(200);
    put("/bucket/b").header("x-amz-copy-source", "bucket/a").send(&store).await.expect(200);
    let id = post("/bucket/c?uploads").send(&store).await.element("UploadId").unwrap();
    let part = put(&format!("/bucket/c?partNumber=1&uploadId={id}"))
        .header("x-amz-copy-source", "bucket/b")
        .header("x-amz-copy-source-range", "bytes=10-99999");
    let etag = part.send(&store).await.expect(200).element("ETag").unwrap();
    let whole = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    post(&format!("/bucket/c?uploadId={id}")).body(whole).send(&store).await.expect(200);
    assert_eq!(count(directory.path()), (1, 0));
    // Onto itself, which lets go of the bytes and takes them again in one step.
    put("/bucket/b")
        .header("x-amz-copy-source", "bucket/b")
        .header("x-amz-metadata-directive", "REPLACE")
        .send(&store)
        .await
        .expect(200);
    for key in ["a", "b"] {
        delete(&format!("/bucket/{key}")).send(&store).await.expect(204);
    }
    drop(store);
    let store = open(directory.path()).await;
    assert_eq!(get("/bucket/c").send(&store).await.expect(200).body, big(1)[10..100_000]);
    assert_eq!(get("/bucket/c").header("range", "bytes=5-6").send(&store).await.expect(206).body, [1, 1]);
    delete("/bucket/c").send(&store).await.expect(204);
    drop(store);
    assert_eq!(count(directory.path()), (0, 0));
}

#[tokio::test]
async fn what_came_to_nothing_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    put("/bucket/k").body("kept").send(&store).await.expect(200);
    put("/bucket/k").header("if-none-match", "*").body(big(1)).send(&store).await.refused(412, "PreconditionFailed");
    put("/bucket/k")
        .header("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==")
        .body(big(1))
        .send(&store)
        .await
        .refused(400, "BadDigest");
    // A sender that gives up.
    let pieces = [Ok(bytes::Bytes::from(big(1))), Err(BoxError::from("gone"))];
    let (head, _) = put("/bucket/k").set(|it| it.payload = Some(UNSIGNED.to_owned())).signed().0.into_parts();
    let body = Body::stream(None, futures_util::stream::iter(pieces));
    let answer = store.handle(http::Request::from_parts(head, body)).await;
    assert!(!answer.status().is_success());
    let id = post("/bucket/m?uploads").send(&store).await.element("UploadId").unwrap();
    for body in [big(1), big(2)] {
        put(&format!("/bucket/m?partNumber=1&uploadId={id}")).body(body).send(&store).await.expect(200);
    }
    delete(&format!("/bucket/m?uploadId={id}")).send(&store).await.expect(204);
    assert_eq!(get("/bucket/k").send(&store).await.expect(200).body, b"kept");
    drop(store);
    assert_eq!(count(directory.path()), (0, 0));
}

#[tokio::test]
async fn deleting_a_bucket_takes_its_open_uploads() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let id = post("/bucket/m?uploads").send(&store).await.element("UploadId").unwrap();
    put(&format!("/bucket/m?partNumber=1&uploadId={id}")).body(big(1)).send(&store).await.expect(200);
    delete("/bucket").send(&store).await.expect(204);
    put("/bucket").send(&store).await.expect(200);
    put(&format!("/bucket/m?partNumber=1&uploadId={id}")).body("x").send(&store).await.refused(404, "NoSuchUpload");
    drop(store);
    assert_eq!(count(directory.path()), (0, 0));
}

#[tokio::test]
async fn what_a_crash_left_is_swept() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    put("/bucket/k").body(big(1)).send(&store).await.expect(200);
    drop(store);
    // One file that had not settled when the database named it, and one that it never named.
    let (files, incoming) = (directory.path().join("files"), directory.path().join("incoming"));
    let name = crate::files::files(&files).remove(0);
    std::fs::rename(files.join(&name[14..]).join(&name), incoming.join(&name)).unwrap();
    std::fs::write(incoming.join("00000000000fffff"), "half").unwrap();
    let store = open(directory.path()).await;
    assert_eq!(count(directory.path()), (1, 0));
    assert_eq!(get("/bucket/k").send(&store).await.expect(200).body, big(1));
}

#[tokio::test]
async fn a_body_outlives_its_store() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    put("/bucket/k").body(big(1)).send(&store).await.expect(200);
    let mut body = store.handle(get("/bucket/k").signed().0).await.into_body();
    let mut len = body.try_next().await.unwrap().unwrap().len();
    drop(store);
    drop(open(directory.path()).await);
    while let Some(bytes) = body.try_next().await.unwrap() {
        len += bytes.len();
    }
    assert_eq!(len, BIG);
}
