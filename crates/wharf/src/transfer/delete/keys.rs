//! Where the keys come from.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;

use futures_core::Stream;
use tokio::sync::mpsc;
use wharf_proto::op::ObjectIdentifier;
use wharf_proto::{Error, check_key};

use super::batch::failed;
use super::{Outcome, deliver};

/// How many keys S3 takes in one request.
const BATCH: usize = 1000;

/// Keys that are to be deleted, taken as they are needed.
///
/// An iterator turns into this by itself, as do a [`List`](crate::transfer::List) and anything else that [`Into`] is written
/// for.
pub struct Keys(Source);

enum Source {
    Iterator(Box<dyn Iterator<Item = Result<ObjectIdentifier, Error>> + Send>),
    Stream(Pin<Box<dyn Stream<Item = Result<ObjectIdentifier, Error>> + Send>>),
}

impl Keys {
    /// The keys of a stream that may fail, such as a listing's: `Keys::stream(s3.list_object_versions("my-bucket").items())` are
    /// all versions and delete markers.
    pub fn stream<O: Into<ObjectIdentifier>>(stream: impl Stream<Item = Result<O, Error>> + Send + 'static) -> Self {
        Self(Source::Stream(Box::pin(Identifiers(Box::pin(stream)))))
    }

    /// The keys of an iterator that may fail.
    pub(crate) fn each(keys: impl Iterator<Item = Result<String, Error>> + Send + 'static) -> Self {
        Self(Source::Iterator(Box::new(keys.map(|key| key.map(Into::into)))))
    }

    /// The keys of the next request, and how the keys end if these are the last. Those that are none are reported at once.
    pub(super) async fn take(
        &mut self,
        out: &mpsc::Sender<Vec<Outcome>>,
    ) -> (Vec<ObjectIdentifier>, Option<Result<(), Error>>) {
        let (mut objects, mut refused) = (Vec::new(), Vec::new());
        let mut end = None;
        while end.is_none() && objects.len() < BATCH && refused.len() < BATCH {
            match self.next().await {
                None => end = Some(Ok(())),
                Some(Err(error)) => end = Some(Err(error)),
                Some(Ok(object)) => match check_key(&object.key) {
                    Ok(()) => objects.push(object),
                    Err(error) => refused.push(Err(failed(&object, &error))),
                },
            }
        }
        if !refused.is_empty() {
            deliver(out, refused).await;
        }
        (objects, end)
    }

    async fn next(&mut self) -> Option<Result<ObjectIdentifier, Error>> {
        match &mut self.0 {
            Source::Iterator(keys) => keys.next(),
            Source::Stream(keys) => poll_fn(|cx| keys.as_mut().poll_next(cx)).await,
        }
    }
}

impl<I> From<I> for Keys
where
    I: IntoIterator<Item: Into<ObjectIdentifier> + 'static, IntoIter: Send + 'static>,
{
    fn from(keys: I) -> Self {
        Self(Source::Iterator(Box::new(keys.into_iter().map(Into::into).map(Ok))))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

/// A stream's items as what they stand for.
struct Identifiers<S>(Pin<Box<S>>);

impl<O: Into<ObjectIdentifier>, S: Stream<Item = Result<O, Error>>> Stream for Identifiers<S> {
    type Item = Result<ObjectIdentifier, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx).map(|item| item.map(|object| object.map(Into::into)))
    }
}
