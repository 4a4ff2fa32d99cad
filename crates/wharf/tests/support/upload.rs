//! What the tests of uploads share.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures_util::{Stream, stream};
use http::Request;
use wharf::transport::{Body, Defaults, ResponseFuture, Transport};
use wharf::{Client, ClientBuilder};
use wharf_embedded::{Operation, Store};

pub const MIB: usize = 1 << 20;

/// A client of a store in memory with a bucket.
pub async fn embedded() -> (Client, Store) {
    let store = Store::in_memory();
    (client(&store).await, store)
}

/// A client of that store, in which a bucket is made.
pub async fn client(store: &Store) -> Client {
    let s3 = Client::builder().environment(|_| None).transport(store.clone()).build().unwrap();
    s3.create_bucket("my-bucket").await.unwrap();
    store.clear_requests();
    s3
}

/// Bytes of which no two parts are the same.
pub fn bytes(count: usize) -> Vec<u8> {
    static ALL: OnceLock<Vec<u8>> = OnceLock::new();
    let next =
        |state: &u64| Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
    let numbers = || std::iter::successors(Some(1_u64), next).take(48 * MIB / 8);
    let all = ALL.get_or_init(|| numbers().flat_map(|number| number.to_be_bytes()).collect());
    all[..count].to_vec()
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

type Hook = dyn Fn(String) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

/// A store, and something that happens before a request reaches it, or after it was answered.
#[derive(Clone)]
pub struct Hooked {
    store: Store,
    when: When,
    hook: Arc<Hook>,
}

#[derive(Clone, Copy, PartialEq)]
pub enum When {
    Before,
    After,
}

impl Transport for Hooked {
    fn send(&self, request: Request<Body>) -> ResponseFuture {
        let Self { store, when, hook } = self.clone();
        let what = format!("{} {}", request.method(), request.uri());
        Box::pin(async move {
            if when == When::Before {
                hook(what).await;
                return store.send(request).await;
            }
            let answer = store.send(request).await;
            hook(what).await;
            answer
        })
    }

    fn defaults(&self) -> Option<Defaults> {
        self.store.defaults()
    }
}

/// A client of that store; each of its requests waits for `hook`, which gets its method and URI.
pub fn hooked<F>(store: &Store, hook: impl Fn(String) -> F + Send + Sync + 'static) -> ClientBuilder
where
    F: Future<Output = ()> + Send + 'static,
{
    hooked_when(When::Before, store, hook)
}

/// The same, with the hook at that time.
pub fn hooked_when<F>(when: When, store: &Store, hook: impl Fn(String) -> F + Send + Sync + 'static) -> ClientBuilder
where
    F: Future<Output = ()> + Send + 'static,
{
    let hook = Arc::new(move |what| -> Pin<Box<dyn Future<Output = ()> + Send>> { Box::pin(hook(what)) });
    Client::builder().environment(|_| None).transport(Hooked { store: store.clone(), when, hook })
}
