//! Reading a body whole, and as a value.

use std::future::poll_fn;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
#[cfg(feature = "json")]
use serde::de::DeserializeOwned;

use crate::object::Object;
use crate::op::GetObject;
use crate::operation::Sender;
use crate::{Error, ErrorKind};

impl<B: Stream<Item = Result<Bytes, Error>> + Unpin> Object<B> {
    /// The whole body. Refused as [`InvalidContent`](ErrorKind::InvalidContent) over the [`limit`](Object::limit), if
    /// there is one.
    ///
    /// # Errors
    /// As the body breaks off, or does not match its checksum.
    pub async fn bytes(mut self) -> Result<Bytes, Error> {
        let limit = self.limit.unwrap_or(u64::MAX);
        if self.head.content_length > limit {
            return Err(self.too_large(limit));
        }
        let mut first = Bytes::new();
        let mut whole = BytesMut::new();
        let mut body = Pin::new(&mut self.body);
        while let Some(chunk) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
            let chunk = chunk?;
            if (first.len() + whole.len() + chunk.len()) as u64 > limit {
                return Err(self.too_large(limit));
            }
            // A small object is one chunk: it is handed on as it came.
            if first.is_empty() && whole.is_empty() {
                first = chunk;
            } else {
                if whole.is_empty() {
                    whole.reserve(self.head.content_length.min(MAX_RESERVED) as usize);
                    whole.extend_from_slice(&std::mem::take(&mut first));
                }
                whole.extend_from_slice(&chunk);
            }
        }
        Ok(if whole.is_empty() { first } else { whole.freeze() })
    }

    /// The whole body as text, which must be UTF-8.
    ///
    /// # Errors
    /// [`InvalidContent`](ErrorKind::InvalidContent) where it is not; else as [`bytes`](Object::bytes).
    pub async fn text(self) -> Result<String, Error> {
        let place = self.place();
        let bytes = self.bytes().await?;
        String::from_utf8(bytes.into()).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            place.invalid(format!("the object is not UTF-8 text: byte {at} is not")).with_cause(error.utf8_error())
        })
    }

    /// The whole body as JSON, read into a value.
    ///
    /// # Errors
    /// [`InvalidContent`](ErrorKind::InvalidContent) where it is not that; else as [`bytes`](Object::bytes).
    #[cfg(feature = "json")]
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        let place = self.place();
        let bytes = self.bytes().await?;
        serde_json::from_slice(&bytes)
            .map_err(|error| place.invalid(format!("the object is not the expected JSON: {error}")).with_cause(error))
    }

    pub(super) fn place(&self) -> Place {
        Place { bucket: self.bucket.clone(), key: self.key.clone() }
    }

    fn too_large(&self, limit: u64) -> Error {
        let size = self.head.content_length;
        self.place()
            .invalid(format!("the object has {size} bytes, more than the limit of {limit}"))
            .with_hint("raise .limit(), or read it with .stream()")
    }
}

/// More than this is not reserved on a server's word alone.
const MAX_RESERVED: u64 = 64 * 1024 * 1024;

/// Which object an error is about.
pub(super) struct Place {
    pub(super) bucket: String,
    pub(super) key: String,
}

impl Place {
    pub(super) fn invalid(&self, message: String) -> Error {
        Error::new(ErrorKind::InvalidContent, message).at("GetObject", Some(&self.bucket), Some(&self.key))
    }
}

impl<S: Sender> GetObject<S> {
    /// Sends the request and reads the whole body: see [`Object::bytes`].
    ///
    /// # Errors
    /// As the request's and [`Object::bytes`].
    pub async fn bytes(self) -> Result<Bytes, Error> {
        self.open().await?.bytes().await
    }

    /// Sends the request and reads the whole body as UTF-8 text: see [`Object::text`].
    ///
    /// # Errors
    /// As the request's and [`Object::text`].
    pub async fn text(self) -> Result<String, Error> {
        self.open().await?.text().await
    }

    /// Sends the request and reads the whole body as JSON: see [`Object::json`].
    ///
    /// # Errors
    /// As the request's and [`Object::json`].
    #[cfg(feature = "json")]
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        self.open().await?.json().await
    }

    /// Sends the request and hands over the bytes as they arrive.
    ///
    /// # Errors
    /// As the request's; the stream ends with an error where the body breaks off.
    pub async fn stream(self) -> Result<S::Body, Error> {
        Ok(self.open().await?.body)
    }
}
