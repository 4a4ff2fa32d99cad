//! How many requests it takes.

use wharf::Client;
use wharf_embedded::{Operation, Store};

use crate::common::{BUCKET, Folder, MIB};
use crate::support::upload::{bytes, operations};

async fn place() -> (Client, Store, Folder) {
    let store = Store::in_memory();
    let s3 = Client::builder().transport(store.clone()).build().unwrap();
    s3.create_bucket(BUCKET).await.unwrap();
    store.clear_requests();
    (s3, store, Folder::new())
}

#[tokio::test]
async fn small_ones_take_one() {
    let (s3, store, folder) = place().await;
    let file = folder.file("source", &bytes(MIB));
    s3.upload(BUCKET, "a", file.as_path()).await.unwrap();
    assert_eq!(operations(&store), ["PutObject"]);
    s3.download(BUCKET, "a", folder.path().join("target")).await.unwrap();
    assert_eq!(operations(&store), ["PutObject", "GetObject"]);
    assert_eq!(s3.counters().requests, 3, "with the bucket's");
}

#[tokio::test]
async fn parts_take_two_more() {
    let (s3, store, folder) = place().await;
    let file = folder.file("source", &bytes(41 * MIB));
    let uploaded = s3.upload(BUCKET, "a", file.as_path()).await.unwrap();
    assert_eq!(uploaded.parts, 6);
    let requests = store.requests();
    let count = |operation| requests.count(operation);
    assert_eq!((requests.len(), count(Operation::UploadPart)), (8, 6));
    assert_eq!((count(Operation::CreateMultipartUpload), count(Operation::CompleteMultipartUpload)), (1, 1));
}
