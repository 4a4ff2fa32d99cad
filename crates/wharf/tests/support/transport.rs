//! A transport that answers as a closure says.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::StreamExt;
use http::header::{HeaderValue, SERVER};
use http::{Request, Response};
use wharf::Client;
use wharf::transport::{Body, ResponseFuture, Transport, TransportError};
use wharf_embedded::Store;

type Answer = Result<Response<Body>, TransportError>;

/// Calls its closure with the number of the request (from 1), its head and its body.
#[derive(Clone)]
pub struct Fake {
    answer: Arc<dyn Fn(usize, Request<Body>) -> ResponseFuture + Send + Sync>,
    count: Arc<AtomicUsize>,
}

impl Fake {
    pub fn new<F>(answer: impl Fn(usize, Request<Body>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        Self { answer: Arc::new(move |number, request| Box::pin(answer(number, request))), count: Arc::default() }
    }

    /// How many requests came.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

impl Transport for Fake {
    fn send(&self, request: Request<Body>) -> ResponseFuture {
        let number = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        (self.answer)(number, request)
    }
}

/// A client of that store, which says in each answer that it is this server, and is not named to the client.
pub fn client_of_one_that_says(store: &Store, server: &'static str) -> Client {
    let answering = store.clone();
    let fake = Fake::new(move |_, request| {
        let store = answering.clone();
        async move {
            let mut answer = store.send(request).await?;
            answer.headers_mut().insert(SERVER, HeaderValue::from_static(server));
            Ok(answer)
        }
    });
    let builder = Client::builder().environment(|_| None).endpoint("http://s3.localhost").transport(fake);
    builder.credentials(store.access_key_id(), store.secret_access_key()).build().unwrap()
}

/// An answer with a whole body.
pub fn answer(status: u16, body: impl Into<Bytes>) -> Response<Body> {
    let body = body.into();
    let head = Response::builder().status(status).header("content-length", body.len());
    head.body(Body::from(body)).unwrap()
}

/// Reads a request's body to its end.
pub async fn drain(mut body: Body) -> Result<u64, wharf::transport::BoxError> {
    let mut count = 0;
    while let Some(piece) = body.next().await {
        count += piece?.len() as u64;
    }
    Ok(count)
}
