//! Does to bodies what a plan says, and closes connections.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use http::{Response, StatusCode};
use tokio::runtime::Handle;
use tokio::time::{Sleep, sleep};
use wharf_transport::{Body, BoxError, TransportError, TransportErrorKind};

/// What is done to one body.
#[derive(Debug, Default)]
pub(crate) struct Tampering {
    pub(super) corrupt: Vec<u64>,
    /// After how many bytes, for how long.
    pub(super) pauses: Vec<(u64, Duration)>,
    close_after: Option<u64>,
}

impl Tampering {
    pub(super) fn close_after(&mut self, bytes: u64) {
        self.close_after = Some(self.close_after.map_or(bytes, |other| other.min(bytes)));
    }

    /// Whether the connection is closed before any byte.
    pub(crate) fn closes_at_once(&self) -> bool {
        self.close_after == Some(0)
    }

    /// The same for an answer of this length, which is whole where it is not longer than what is let pass.
    pub(crate) fn of_answer(mut self, length: Option<u64>) -> Self {
        self.close_after = self.close_after.filter(|after| length.is_none_or(|length| length > *after));
        self
    }

    /// The body as it goes on; `closed` is set once it has broken off.
    pub(crate) fn wrap(self, body: Body, closed: &Arc<AtomicBool>) -> Body {
        if self.corrupt.is_empty() && self.pauses.is_empty() && self.close_after.is_none() {
            return body;
        }
        let length = body.length();
        let runtime = Handle::try_current().ok();
        let closed = closed.clone();
        Body::stream(
            length,
            Tampered { body, what: self, at: 0, rest: Bytes::new(), stage: Stage::Flowing, runtime, closed },
        )
    }
}

/// A body on its way.
struct Tampered {
    body: Body,
    what: Tampering,
    /// The bytes that have passed.
    at: u64,
    /// Bytes that have come and wait for a pause to end.
    rest: Bytes,
    stage: Stage,
    /// Where pauses are timed: the body may be read where there is no runtime. Without one there is no pause.
    runtime: Option<Handle>,
    closed: Arc<AtomicBool>,
}

enum Stage {
    Flowing,
    Pausing(Pin<Box<Sleep>>),
    /// What has passed is being sent, before the connection is closed.
    Closing,
}

impl Stream for Tampered {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            match &mut this.stage {
                Stage::Pausing(sleep) => {
                    ready!(sleep.as_mut().poll(cx));
                    this.stage = Stage::Flowing;
                }
                Stage::Closing => {
                    this.closed.store(true, Ordering::Relaxed);
                    return Poll::Ready(Some(Err(closed().into())));
                }
                Stage::Flowing if this.what.close_after == Some(this.at) => {
                    // A server sends what it has before it looks again.
                    this.stage = Stage::Closing;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Stage::Flowing => {
                    if let Some(next) = this.what.pauses.iter().position(|(after, _)| *after == this.at) {
                        let (_, by) = this.what.pauses.swap_remove(next);
                        let _entered = this.runtime.as_ref().map(Handle::enter);
                        if this.runtime.is_some() {
                            this.stage = Stage::Pausing(Box::pin(sleep(by)));
                        }
                    } else if this.rest.is_empty() {
                        match ready!(Pin::new(&mut this.body).poll_next(cx)) {
                            Some(Ok(bytes)) => this.rest = bytes,
                            end => return Poll::Ready(end),
                        }
                    } else {
                        return Poll::Ready(Some(Ok(this.piece())));
                    }
                }
            }
        }
    }
}

impl Tampered {
    /// What passes up to the next place where something happens.
    fn piece(&mut self) -> Bytes {
        let places = self.what.pauses.iter().map(|(after, _)| *after).chain(self.what.close_after);
        let next = places.filter(|place| *place > self.at).min().unwrap_or(u64::MAX);
        let most = usize::try_from(next - self.at).unwrap_or(usize::MAX);
        let piece = self.rest.split_to(most.min(self.rest.len()));
        let start = self.at;
        self.at += piece.len() as u64;
        let hit = |offset: &u64| (start..self.at).contains(offset).then(|| (offset - start) as usize);
        let mut hits = self.what.corrupt.iter().filter_map(hit).peekable();
        if hits.peek().is_none() {
            return piece;
        }
        // The store may hold the same bytes: a copy is spoilt.
        let mut spoilt = BytesMut::from(&piece[..]);
        for at in hits {
            spoilt[at] ^= 1;
        }
        spoilt.freeze()
    }
}

/// Waits by Tokio's clock; where there is none, not at all.
pub(crate) async fn wait(by: Duration) {
    if !by.is_zero() && Handle::try_current().is_ok() {
        sleep(by).await;
    }
}

/// The error of a connection that a fault has closed.
pub(crate) fn closed() -> TransportError {
    let cause = io::Error::new(io::ErrorKind::ConnectionReset, "a fault of the embedded store closed the connection");
    TransportError::new(TransportErrorKind::Closed, cause)
}

/// What stands for no answer where there must be one: an answer that breaks off at once.
pub(crate) fn no_answer(error: TransportError) -> Response<Body> {
    let mut response = Response::new(Body::stream(None, futures_util::stream::iter([Err(error.into())])));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, TryStreamExt, stream};
    use tokio::time::Instant;

    use super::*;

    fn pieces() -> Body {
        Body::stream(Some(10), stream::iter(["0123", "", "456789"]).map(|piece| Ok(Bytes::from(piece))))
    }

    /// What came, and whether it broke off.
    async fn read(what: Tampering) -> (String, bool) {
        let closed = Arc::new(AtomicBool::new(false));
        let mut body = what.wrap(pieces(), &closed);
        let mut text = String::new();
        loop {
            match body.try_next().await {
                Ok(Some(bytes)) => text.push_str(std::str::from_utf8(&bytes).unwrap()),
                Ok(None) => return (text, closed.load(Ordering::Relaxed)),
                Err(error) => {
                    let error = error.downcast::<TransportError>().unwrap();
                    assert_eq!(error.kind(), TransportErrorKind::Closed);
                    assert!(closed.load(Ordering::Relaxed));
                    return (text, true);
                }
            }
        }
    }

    #[tokio::test]
    async fn closes_after_exactly_so_many_bytes() {
        for (after, text, closed) in
            [(0, "", true), (3, "012", true), (4, "0123", true), (9, "012345678", true), (11, "0123456789", false)]
        {
            let mut what = Tampering::default();
            what.close_after(after);
            what.close_after(after + 5);
            assert_eq!(read(what).await, (text.to_owned(), closed), "{after}");
        }
    }

    #[tokio::test]
    async fn flips_the_lowest_bit() {
        let what = Tampering { corrupt: vec![0, 5, 9, 10], ..Tampering::default() };
        assert_eq!(read(what).await.0, "1123446788");
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_and_goes_on() {
        let pauses = vec![(8, Duration::from_secs(1)), (4, Duration::from_secs(60)), (8, Duration::from_secs(2))];
        let mut body = Tampering { pauses, ..Tampering::default() }.wrap(pieces(), &Arc::default());
        let start = Instant::now();
        assert_eq!((body.next().await.unwrap().unwrap(), start.elapsed().as_secs()), ("0123".into(), 0));
        assert_eq!((body.next().await.unwrap().unwrap(), start.elapsed().as_secs()), ("4567".into(), 60));
        assert_eq!((body.next().await.unwrap().unwrap(), start.elapsed().as_secs()), ("89".into(), 63));
        assert!(body.next().await.is_none());
    }
}
