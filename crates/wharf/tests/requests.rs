//! How many HTTP requests each call costs.

#![allow(clippy::unwrap_used, reason = "a test")]

use futures_util::StreamExt;
use wharf::{Client, CustomerKey, Encryption, ErrorKind, Json, VersioningStatus};
use wharf_embedded::Store;

async fn embedded() -> (Client, Store) {
    let store = Store::in_memory();
    let s3 = Client::builder().transport(store.clone()).build().unwrap();
    s3.create_bucket("my-bucket").await.unwrap();
    s3.put_object("my-bucket", "a", "Hello!").await.unwrap();
    store.clear_requests();
    (s3, store)
}

/// The operations since the last time.
fn asked(store: &Store) -> Vec<&'static str> {
    let operations = store.requests().iter().map(|request| request.operation).collect();
    store.clear_requests();
    operations
}

#[tokio::test]
async fn one_call_is_one_request() {
    let (s3, store) = embedded().await;
    s3.put_object("my-bucket", "a", "Hello!").await.unwrap();
    assert_eq!(asked(&store), ["PutObject"]);
    s3.put_object("my-bucket", "b.json", Json(&[1, 2])).await.unwrap();
    assert_eq!(asked(&store), ["PutObject"]);
    s3.put_object("my-bucket", "big", vec![0; 20 << 20]).await.unwrap();
    assert_eq!(asked(&store), ["PutObject"]);
    s3.get_object("my-bucket", "a").text().await.unwrap();
    assert_eq!(asked(&store), ["GetObject"]);
    s3.get_object("my-bucket", "big").await.unwrap().bytes().await.unwrap();
    assert_eq!(asked(&store), ["GetObject"]);
    s3.head_object("my-bucket", "a").await.unwrap();
    assert_eq!(asked(&store), ["HeadObject"]);
    s3.list_objects("my-bucket").await.unwrap();
    assert_eq!(asked(&store), ["ListObjectsV2"]);
    s3.delete_object("my-bucket", "a").await.unwrap();
    assert_eq!(asked(&store), ["DeleteObject"]);
    s3.list_buckets().await.unwrap();
    assert_eq!(asked(&store), ["ListBuckets"]);
    s3.create_bucket("another-bucket").await.unwrap();
    s3.delete_bucket("another-bucket").await.unwrap();
    assert_eq!(asked(&store), ["CreateBucket", "DeleteBucket"]);
}

#[tokio::test]
async fn a_listing_is_one_request_a_page() {
    let (s3, store) = embedded().await;
    for n in 0..10 {
        s3.put_object("my-bucket", format!("docs/{n}"), "x").await.unwrap();
    }
    asked(&store);
    // Ten keys: pages of four, four and two; pages of five end with the second, nothing is asked after it.
    for (size, pages) in [(4, 3), (5, 2), (10, 1), (1000, 1)] {
        let listing = || s3.list_objects("my-bucket").prefix("docs/").max_keys(size);
        assert_eq!(listing().items().count().await, 10);
        assert_eq!(asked(&store).len(), pages, "items, {size} a page");
        assert_eq!(listing().pages().count().await, pages);
        assert_eq!(asked(&store).len(), pages, "pages of {size}");
    }
    // Nothing is asked before it is needed.
    let mut items = s3.list_objects("my-bucket").prefix("docs/").max_keys(4).items();
    assert!(asked(&store).is_empty());
    for _ in 0..4 {
        items.next().await.unwrap().unwrap();
    }
    assert_eq!(asked(&store).len(), 1);
}

#[tokio::test]
async fn whether_an_object_exists() {
    let (s3, store) = embedded().await;
    assert!(s3.object_exists("my-bucket", "a").await.unwrap());
    assert_eq!(asked(&store), ["HeadObject"]);
    assert!(!s3.object_exists("my-bucket", "nope").await.unwrap());
    assert_eq!(asked(&store), ["HeadObject", "HeadBucket"]);
}

#[tokio::test]
async fn whether_an_object_exists_of_which_more_has_to_be_said() {
    let (s3, store) = embedded().await;
    let key = || CustomerKey::new([7; 32]);
    s3.put_object("my-bucket", "sealed", "x").encryption(Encryption::Customer(key())).await.unwrap();
    s3.object_exists("my-bucket", "sealed").await.unwrap_err();
    assert!(s3.object_exists("my-bucket", "sealed").customer_key(key()).request_payer().await.unwrap());
    s3.put_bucket_versioning("my-bucket", VersioningStatus::Enabled).await.unwrap();
    let version = s3.put_object("my-bucket", "a", "x").await.unwrap().version_id.unwrap();
    s3.delete_object("my-bucket", "a").await.unwrap();
    assert!(!s3.object_exists("my-bucket", "a").await.unwrap());
    assert!(s3.object_exists("my-bucket", "a").version_id(version).await.unwrap());
    let _ = asked(&store);
    for key in ["sealed", "nope"] {
        let error = s3.object_exists("my-bucket", key).expected_bucket_owner("999999999999").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AccessDenied);
    }
    assert_eq!(asked(&store), ["HeadObject", "HeadObject"]);
}

#[tokio::test]
async fn what_cannot_be_sent_is_not() {
    let (s3, store) = embedded().await;
    s3.get_object("my-bucket", "").await.unwrap_err();
    s3.object_exists("my-bucket", "").await.unwrap_err();
    s3.put_object("my-bucket", "k".repeat(1025), "x").await.unwrap_err();
    s3.create_bucket("x").await.unwrap_err();
    s3.put_object("my-bucket", "a", "x").metadata("team", "blue\nred").await.unwrap_err();
    s3.put_object("my-bucket", "a", "x").metadata("team", "x".repeat(2049)).await.unwrap_err();
    s3.get_object("my-bucket", "a").presign(std::time::Duration::from_secs(8 * 86_400)).await.unwrap_err();
    assert!(asked(&store).is_empty());
}
