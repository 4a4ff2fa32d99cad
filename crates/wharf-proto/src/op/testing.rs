//! What the operations' tests share.

use std::borrow::Cow;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;

use crate::Error;
use crate::body::Source;
use crate::operation::{Operation, Presigned, Request, SendFuture, Sender};

/// The query as text: `name=value` or a bare name, one space in between.
pub(super) fn query(request: &Request) -> String {
    let pair = |(name, value): &(Cow<'static, str>, Option<String>)| match value {
        Some(value) => format!("{name}={value}"),
        None => format!("{name}"),
    };
    request.query.iter().map(pair).collect::<Vec<_>>().join(" ")
}

/// The document that the request carries, without its declaration and root's namespace; empty without a body.
pub(super) fn document(request: Request) -> String {
    match request.body.into_source().unwrap() {
        Source::Empty => String::new(),
        Source::Bytes(bytes) => {
            let text = std::str::from_utf8(&bytes).unwrap();
            let text = text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").unwrap();
            text.replacen(" xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"", "", 1)
        }
        other => panic!("a document is bytes, not {other:?}"),
    }
}

/// A success with this body.
pub(super) fn answer(document: &'static str) -> http::Response<Bytes> {
    http::Response::new(Bytes::from_static(document.as_bytes()))
}

/// A success without a body, with these headers.
pub(super) fn headers(headers: &[(&'static str, &'static str)]) -> http::Response<Bytes> {
    let mut response = http::Response::new(Bytes::new());
    for (name, value) in headers {
        response.headers_mut().insert(*name, http::HeaderValue::from_static(value));
    }
    response
}

/// A sender for what needs one and sends nothing.
#[derive(Debug, Clone)]
pub(super) struct Never;

impl Sender for Never {
    type Body = ByteBody;

    fn send<O: Operation>(&self, _operation: O) -> SendFuture<O::Output> {
        panic!("nothing is sent")
    }

    fn open<O: Operation>(&self, _operation: O) -> SendFuture<(O::Output, Self::Body)> {
        panic!("nothing is sent")
    }

    fn presign<O: Operation>(&self, _operation: O, _expires_in: Duration) -> SendFuture<Presigned> {
        panic!("nothing is signed")
    }
}

type ByteBody = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;
