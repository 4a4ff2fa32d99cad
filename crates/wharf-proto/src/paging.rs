//! Listings as streams: pages, and their items.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use futures_core::Stream;

use crate::operation::{Paged, SendFuture, Sender};
use crate::{Error, ErrorKind};

/// All pages of a listing, one request each, as a [`Stream`]. Nothing is sent until it is polled.
///
/// Ends after the last page or the first error.
#[must_use = "streams do nothing unless polled"]
pub struct Pages<O: Paged, S> {
    sender: S,
    state: State<O>,
}

enum State<O: Paged> {
    Ready(O),
    Waiting(O, SendFuture<O::Output>),
    Done,
}

impl<O: Paged + Unpin, S: Sender + Unpin> Pages<O, S> {
    pub(crate) fn new(sender: S, first: O) -> Self {
        Self { sender, state: State::Ready(first) }
    }

    /// The next page; `None` after the last one.
    pub async fn next(&mut self) -> Option<Result<O::Output, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<O: Paged + Unpin, S: Sender + Unpin> Stream for Pages<O, S> {
    type Item = Result<O::Output, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match std::mem::replace(&mut self.state, State::Done) {
                State::Done => return Poll::Ready(None),
                State::Ready(operation) => {
                    let answer = self.sender.send(operation.clone());
                    self.state = State::Waiting(operation, answer);
                }
                State::Waiting(operation, mut answer) => {
                    let Poll::Ready(answered) = answer.as_mut().poll(cx) else {
                        self.state = State::Waiting(operation, answer);
                        return Poll::Pending;
                    };
                    let page = answered.and_then(|page| Ok((next_page(&operation, &page)?, page)));
                    return Poll::Ready(Some(page.map(|(next, page)| {
                        self.state = next.map_or(State::Done, State::Ready);
                        page
                    })));
                }
            }
        }
    }
}

/// The operation that lists what comes after `page`.
///
/// One that would ask for the same page again is an error: a server that repeats its marker would be asked for ever.
fn next_page<O: Paged>(operation: &O, page: &O::Output) -> Result<Option<O>, Error> {
    let next = operation.after(page)?;
    if let Some(next) = &next
        && next.clone().request()?.query == operation.clone().request()?.query
    {
        let message = "the server names the same page as the next one again; the listing would never end";
        return Err(Error::new(ErrorKind::MalformedResponse, message));
    }
    Ok(next)
}

/// All items of a listing, over all its pages, as a [`Stream`]. Nothing is sent until it is polled.
///
/// Ends after the last item or the first error.
#[must_use = "streams do nothing unless polled"]
pub struct Items<O: Paged, S> {
    pages: Pages<O, S>,
    page: vec::IntoIter<O::Item>,
}

impl<O: Paged + Unpin, S: Sender + Unpin> Items<O, S> {
    pub(crate) fn new(sender: S, first: O) -> Self {
        Self { pages: Pages::new(sender, first), page: Vec::new().into_iter() }
    }

    /// The next item; `None` after the last one.
    pub async fn next(&mut self) -> Option<Result<O::Item, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// All items, in memory.
    ///
    /// # Errors
    /// The first error of any page.
    pub async fn collect(mut self) -> Result<Vec<O::Item>, Error> {
        let mut items = Vec::new();
        while let Some(page) = self.pages.next().await {
            items.extend(O::into_items(page?));
        }
        Ok(items)
    }
}

impl<O: Paged + Unpin, S: Sender + Unpin> Stream for Items<O, S> {
    type Item = Result<O::Item, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(item) = self.page.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(Pin::new(&mut self.pages).poll_next(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(page)) => self.page = O::into_items(page).into_iter(),
            }
        }
    }
}

impl<O: Paged, S> fmt::Debug for Pages<O, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pages({})", O::NAME)
    }
}

impl<O: Paged, S> fmt::Debug for Items<O, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Items({})", O::NAME)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, ready};
    use std::task::Waker;
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::op::ListObjects;
    use crate::operation::{Operation, Presigned};

    /// Answers every request with the same document.
    #[derive(Clone)]
    struct Same(&'static str);

    struct NoBody;

    impl Stream for NoBody {
        type Item = Result<Bytes, Error>;

        fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Ready(None)
        }
    }

    impl Sender for Same {
        type Body = NoBody;

        fn send<O: Operation>(&self, operation: O) -> SendFuture<O::Output> {
            let answer = operation.response(http::Response::new(Bytes::from_static(self.0.as_bytes())));
            Box::pin(ready(answer))
        }

        fn open<O: Operation>(&self, _: O) -> SendFuture<(O::Output, NoBody)> {
            Box::pin(never())
        }

        fn presign<O: Operation>(&self, _: O, _: Duration) -> SendFuture<Presigned> {
            Box::pin(never())
        }
    }

    fn never<T>() -> Ready<Result<T, Error>> {
        ready(Err(Error::invalid_input("not used")))
    }

    fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
        match Pin::new(stream).poll_next(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(item) => item,
            Poll::Pending => panic!("nothing waits here"),
        }
    }

    #[test]
    fn a_server_that_repeats_its_marker_is_not_asked_for_ever() {
        let page = "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>\
                    <Contents><Key>k</Key></Contents></ListBucketResult>";
        let mut pages = ListObjects::new(Same(page), "bucket").pages();
        assert!(next(&mut pages).unwrap().is_ok());
        assert_eq!(next(&mut pages).unwrap().unwrap_err().kind(), ErrorKind::MalformedResponse);
        assert!(next(&mut pages).is_none());
    }
}
