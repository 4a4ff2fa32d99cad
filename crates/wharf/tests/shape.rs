//! The public face: how calls are made, awaited, spawned and presigned.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use wharf::blocking::{Wait, WaitEach};
use wharf::{Client, ErrorKind, Json};
use wharf_embedded::Store;

async fn client() -> (Client, Store) {
    let store = Store::in_memory();
    let s3 = Client::builder().transport(store.clone()).build().unwrap();
    s3.create_bucket("my-bucket").await.unwrap();
    store.clear_requests();
    (s3, store)
}

#[tokio::test]
async fn a_call_is_awaited() {
    let (s3, store) = client().await;
    s3.put_object("my-bucket", "docs/readme.txt", "Hello!").content_type("text/plain").await.unwrap();
    assert_eq!(s3.get_object("my-bucket", "docs/readme.txt").text().await.unwrap(), "Hello!");
    let object = s3.get_object("my-bucket", "docs/readme.txt").await.unwrap();
    assert_eq!((object.content_length, object.content_type.as_deref()), (6, Some("text/plain")));
    assert_eq!(object.bytes().await.unwrap(), "Hello!");
    assert_eq!(store.requests().len(), 3);
}

#[tokio::test]
async fn a_call_owns_what_it_needs_and_can_be_spawned() {
    let (s3, _store) = client().await;
    let value = serde_json::json!({"name": "Ada"});
    let call = s3.put_object("my-bucket", "users/1.json", Json(&value));
    drop(value);
    tokio::spawn(call.into_future()).await.unwrap().unwrap();
    let reading = tokio::spawn(s3.get_object("my-bucket", "users/1.json").json::<serde_json::Value>());
    assert_eq!(reading.await.unwrap().unwrap()["name"], "Ada");
}

#[tokio::test]
async fn a_value_that_cannot_be_serialised_fails_on_await() {
    let (s3, store) = client().await;
    let unserialisable = std::collections::HashMap::from([((1, 2), 3)]);
    let call = s3.put_object("my-bucket", "x.json", Json(&unserialisable));
    assert_eq!(call.await.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert!(store.requests().is_empty());
}

#[tokio::test]
async fn a_listing_is_a_page_or_streams() {
    let (s3, store) = client().await;
    for n in 0..5 {
        s3.put_object("my-bucket", format!("docs/{n}"), "x").await.unwrap();
    }
    store.clear_requests();
    let page = s3.list_objects("my-bucket").prefix("docs/").max_keys(2).await.unwrap();
    assert_eq!((page.objects.len(), page.is_truncated), (2, true));
    let mut items = s3.list_objects("my-bucket").max_keys(2).items();
    let mut keys = Vec::new();
    while let Some(object) = items.next().await {
        keys.push(object.unwrap().key);
    }
    assert_eq!(keys, ["docs/0", "docs/1", "docs/2", "docs/3", "docs/4"]);
    assert_eq!(store.requests().len(), 1 + 3);
}

#[tokio::test]
async fn a_read_is_presigned() {
    let (s3, store) = client().await;
    let link = s3.get_object("my-bucket", "a b").presign(Duration::from_secs(1800)).await.unwrap();
    assert!(link.url.starts_with("http://s3.localhost/my-bucket/a%20b?"), "{}", link.url);
    assert!(link.headers.is_empty());
    assert!(store.requests().is_empty());
}

#[test]
fn the_same_calls_without_async() {
    let store = Store::in_memory();
    let s3 = wharf::blocking::Client::builder().transport(store.clone()).build_blocking().unwrap();
    s3.create_bucket("my-bucket").wait().unwrap();
    s3.put_object("my-bucket", "a", "1").wait().unwrap();
    assert_eq!(s3.get_object("my-bucket", "a").text().wait().unwrap(), "1");
    let keys: Vec<_> = s3.list_objects("my-bucket").items().wait_each().map(|object| object.unwrap().key).collect();
    assert_eq!(keys, ["a"]);
}

#[tokio::test]
async fn blocking_inside_async_neither_panics_nor_deadlocks() {
    let s3 = wharf::blocking::Client::builder().transport(Store::in_memory()).build_blocking().unwrap();
    s3.create_bucket("my-bucket").wait().unwrap();
    drop(s3);
}

#[test]
fn an_async_client_without_a_runtime_says_so() {
    let s3 = Client::builder().transport(Store::in_memory()).build().unwrap();
    let error = s3.get_object("my-bucket", "a").text().wait().unwrap_err();
    assert!(error.to_string().contains("use wharf::blocking"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tcp_just_the_same() {
    let store = Store::in_memory();
    let server = store.serve("127.0.0.1:0").await.unwrap();
    let s3 = Client::builder()
        .endpoint(server.endpoint())
        .credentials(store.access_key_id(), store.secret_access_key())
        .build()
        .unwrap();
    s3.create_bucket("my-bucket").await.unwrap();
    let big = vec![7u8; 3 << 20];
    s3.put_object("my-bucket", "big", big.clone()).await.unwrap();
    assert_eq!(s3.get_object("my-bucket", "big").bytes().await.unwrap(), big);
    server.stop().await;
}

#[test]
fn a_body_can_be_read_on_a_thread_without_a_runtime() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let size = 8 << 20;
    let (body, _server) = runtime.block_on(async {
        let store = Store::in_memory();
        let server = store.serve("127.0.0.1:0").await.unwrap();
        let keys = (store.access_key_id(), store.secret_access_key());
        let s3 = Client::builder().endpoint(server.endpoint()).credentials(keys.0, keys.1).build().unwrap();
        s3.create_bucket("my-bucket").await.unwrap();
        s3.put_object("my-bucket", "big", vec![1; size]).await.unwrap();
        (s3.get_object("my-bucket", "big").stream().await.unwrap(), server)
    });
    let read: usize = body.wait_each().map(|piece| piece.unwrap().len()).sum();
    assert_eq!(read, size);
}
