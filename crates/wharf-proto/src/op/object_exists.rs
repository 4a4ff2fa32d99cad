//! Whether an object exists: HeadObject, and HeadBucket where its answer does not tell.

use std::future::IntoFuture;

use super::{HeadBucket, HeadObject};
use crate::operation::{SendFuture, Sender};
use crate::{CustomerKey, Error, ErrorKind};

/// Tells whether a bucket has an object: one HeadObject request, and where that answers 404 a HeadBucket request, which tells a
/// missing key from a missing bucket.
///
/// # Errors
/// [`NoSuchBucket`](ErrorKind::NoSuchBucket) rather than `false`; whatever else keeps the answer from being sure, such as
/// [`AccessDenied`](ErrorKind::AccessDenied), which is S3's answer for a missing key to who may not list the bucket.
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct ObjectExists<S = ()> {
    sender: S,
    bucket: String,
    expected_bucket_owner: Option<String>,
    head: HeadObject<S>,
}

impl<S: Clone> ObjectExists<S> {
    /// Asks for `key` in `bucket`, sent by `sender`.
    pub fn new(sender: S, bucket: impl Into<String>, key: impl Into<String>) -> Self {
        let bucket = bucket.into();
        let head = HeadObject::new(sender.clone(), bucket.clone(), key);
        Self { sender, bucket, expected_bucket_owner: None, head }
    }
}

impl<S> ObjectExists<S> {
    /// Asks about this version in place of the newest. To a version that is a delete marker S3 answers 405, which is an error.
    pub fn version_id(mut self, version_id: impl Into<String>) -> Self {
        self.head = self.head.version_id(version_id);
        self
    }

    /// The key that the object was encrypted with (SSE-C), without which S3 answers 400.
    pub fn customer_key(mut self, key: CustomerKey) -> Self {
        self.head = self.head.customer_key(key);
        self
    }

    /// Agrees to pay for the request in a requester-pays bucket.
    pub fn request_payer(mut self) -> Self {
        self.head = self.head.request_payer();
        self
    }

    /// Fails with [`AccessDenied`](ErrorKind::AccessDenied) unless this account owns the bucket.
    pub fn expected_bucket_owner(mut self, account_id: impl Into<String>) -> Self {
        let account_id = account_id.into();
        self.head = self.head.expected_bucket_owner(account_id.clone());
        self.expected_bucket_owner = Some(account_id);
        self
    }
}

impl<S: Sender> IntoFuture for ObjectExists<S> {
    type Output = Result<bool, Error>;
    type IntoFuture = SendFuture<bool>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(exists(self))
    }
}

async fn exists<S: Sender>(call: ObjectExists<S>) -> Result<bool, Error> {
    match call.head.await {
        Ok(_) => return Ok(true),
        Err(error) if error.kind() == ErrorKind::NoSuchKey => return Ok(false),
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Err(_) => {}
    }
    let mut bucket = HeadBucket::new(call.sender, call.bucket);
    if let Some(owner) = call.expected_bucket_owner {
        bucket = bucket.expected_bucket_owner(owner);
    }
    match bucket.await {
        Ok(_) => Ok(false),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(error.with_kind(ErrorKind::NoSuchBucket)),
        Err(error) => Err(error),
    }
}
