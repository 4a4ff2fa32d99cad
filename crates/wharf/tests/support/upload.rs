//! What the tests of uploads share.

use bytes::Bytes;
use futures_util::{Stream, stream};
use wharf::Client;
use wharf_embedded::{Operation, Store};

pub const MIB: usize = 1 << 20;

/// A client of a store in memory with a bucket.
pub async fn embedded() -> (Client, Store) {
    let store = Store::in_memory();
    (client(&store).await, store)
}

/// A client of that store, in which a bucket is made.
pub async fn client(store: &Store) -> Client {
    let s3 = Client::builder().transport(store.clone()).build().unwrap();
    s3.create_bucket("my-bucket").await.unwrap();
    store.clear_requests();
    s3
}

/// Bytes of which no two parts are the same.
pub fn bytes(count: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// A file that goes when it is dropped.
pub fn file(content: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    file
}

/// A stream of pieces of that size.
pub fn pieces(data: Vec<u8>, size: usize) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
    let mut data = Bytes::from(data);
    stream::iter(std::iter::from_fn(move || (!data.is_empty()).then(|| Ok(data.split_to(size.min(data.len()))))))
}

/// The operations so far.
pub fn operations(store: &Store) -> Vec<&'static str> {
    store.requests().iter().map(|request| request.operation).collect()
}

pub async fn content(s3: &Client, key: &str) -> Bytes {
    s3.get_object("my-bucket", key).bytes().await.unwrap()
}

/// Nothing is left over of any upload.
pub async fn no_uploads(s3: &Client) {
    let uploads = s3.list_multipart_uploads("my-bucket").await.unwrap().uploads;
    assert!(uploads.is_empty(), "{uploads:?}");
}

/// Nothing stands there.
pub async fn nothing_stored(s3: &Client, key: &str) {
    assert!(!s3.object_exists("my-bucket", key).await.unwrap());
    no_uploads(s3).await;
}

/// How many requests of that kind came.
pub fn count(store: &Store, operation: Operation) -> usize {
    store.requests().count(operation)
}
