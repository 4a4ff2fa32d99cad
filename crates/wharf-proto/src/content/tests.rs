//! Typed content, written and read without a network.
#![cfg_attr(
    not(all(feature = "json", feature = "xml", feature = "csv")),
    allow(dead_code, unused_imports, reason = "the helpers serve the tests of all formats")
)]

#[cfg(feature = "csv")]
mod csv_errors;
#[cfg(feature = "csv")]
mod csv_round;
mod read;
mod write;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use serde::{Deserialize, Serialize};

use crate::body::{Body, IntoBody, Source};
use crate::op::GetObject;
use crate::operation::{Operation, Presigned, SendFuture, Sender};
use crate::{BoxError, Error, ErrorKind, Object, ObjectHead};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Sale {
    product: String,
    units: u32,
    price: Option<f64>,
}

fn sale(product: &str, units: u32, price: Option<f64>) -> Sale {
    Sale { product: product.to_owned(), units, price }
}

/// Runs what never waits for anything outside.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..10_000_000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
    panic!("never ready");
}

/// A body in given chunks, each of which is waited for once.
#[derive(Debug)]
struct Chunks {
    chunks: VecDeque<Result<Bytes, Error>>,
    waited: bool,
}

impl Chunks {
    fn new(chunks: impl IntoIterator<Item = Result<Bytes, Error>>) -> Self {
        Self { chunks: chunks.into_iter().collect(), waited: false }
    }
}

impl Stream for Chunks {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.waited = !self.waited;
        if self.waited {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.chunks.pop_front())
    }
}

/// A stream of ready items.
struct Ready<I>(I);

impl<I: Iterator + Unpin> Stream for Ready<I> {
    type Item = I::Item;

    fn poll_next(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<I::Item>> {
        Poll::Ready(self.0.next())
    }
}

fn object_of(key: &str, chunks: impl IntoIterator<Item = Result<Bytes, Error>>) -> Object<Chunks> {
    Object {
        head: ObjectHead::default(),
        body: Chunks::new(chunks),
        bucket: "bucket".to_owned(),
        key: key.to_owned(),
        limit: None,
    }
}

/// The object `bucket/key` in two chunks.
fn object(key: &str, content: impl AsRef<[u8]>) -> Object<Chunks> {
    let content = content.as_ref();
    let (left, right) = content.split_at(content.len() / 2);
    object_of(key, [left, right].map(|chunk| Ok(Bytes::copy_from_slice(chunk))))
}

/// Answers every read with the same bytes.
#[derive(Clone)]
struct Always(&'static str);

impl Sender for Always {
    type Body = Chunks;

    fn send<O: Operation>(&self, _operation: O) -> SendFuture<O::Output> {
        unreachable!()
    }

    fn open<O: Operation>(&self, operation: O) -> SendFuture<(O::Output, Chunks)> {
        let content = Bytes::from_static(self.0.as_bytes());
        Box::pin(async move {
            let answer = http::Response::builder().header("content-length", content.len()).body(Bytes::new()).unwrap();
            Ok((operation.response(answer)?, Chunks::new([Ok(content)])))
        })
    }

    fn presign<O: Operation>(&self, _operation: O, _expires_in: Duration) -> SendFuture<Presigned> {
        unreachable!()
    }
}

fn get(key: &str, content: &'static str) -> GetObject<Always> {
    GetObject::new(Always(content), "bucket", key)
}

/// The content type and bytes of a body, or its error.
fn sent(body: impl IntoBody, key: &str) -> Result<(String, Vec<u8>), String> {
    let body: Body = body.into_body(key);
    let content_type = body.content_type().unwrap_or_default().to_owned();
    match body.into_source().map_err(|error| error.to_string())? {
        Source::Bytes(bytes) => Ok((content_type, bytes.to_vec())),
        Source::Stream { length: None, mut stream } => {
            let mut bytes = Vec::new();
            while let Some(chunk) = block_on(std::future::poll_fn(|cx| stream.as_mut().poll_next(cx))) {
                bytes.extend(chunk.map_err(|error: BoxError| error.to_string())?);
            }
            Ok((content_type, bytes))
        }
        other => panic!("{other:?}"),
    }
}

/// Content that must be text, without its type.
fn written(body: impl IntoBody, key: &str) -> String {
    String::from_utf8(sent(body, key).unwrap().1).unwrap()
}

fn invalid_content(error: &Error) -> String {
    assert_eq!(error.kind(), ErrorKind::InvalidContent);
    error.to_string()
}
