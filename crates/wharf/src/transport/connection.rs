//! One connection that speaks HTTP/1.1. Whoever uses it drives it: between requests nothing runs for it.
//!
//! A task of its own would be woken for each answer, and would wake the caller in turn.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::ops::RangeInclusive;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use futures_core::Stream;
use http::request;
use tokio::io::AsyncReadExt;
use tokio::runtime::{self, Handle};
use tokio::task::{unconstrained, yield_now};

use super::connect::Socket;
use super::framing::{Framing, Piece};
use super::head::{self, Form, Head};
use super::wire::{Peeked, Wire};
use super::{Body, BoxError, TransportError, TransportErrorKind};

/// What is read at once while an answer begins: a small object comes with its head.
const READ_AT_FIRST: usize = 16 * 1024;

/// What is read at once of a large body: at first little, which stays in a core's cache, and more while the server is
/// ahead, which costs fewer calls.
const READ_AT_ONCE: RangeInclusive<usize> = 128 * 1024..=512 * 1024;

/// Less room than this is not worth a read.
const WORTH_A_READ: usize = 8 * 1024;

/// So many pieces of a body are written at once.
const PIECES: usize = 16;

/// The runtime of this thread.
pub(crate) fn this_runtime() -> Option<runtime::Id> {
    Handle::try_current().ok().map(|runtime| runtime.id())
}

/// A connection that ends where it is when this is dropped.
pub(crate) struct Connection {
    socket: Box<dyn Socket>,
    wire: Arc<Wire>,
    runtime: Option<Handle>,
    outgoing: Outgoing,
    /// What came and was not taken yet.
    came: BytesMut,
    /// Its memory is that of a large body.
    came_is_large: bool,
    /// How much of a large body is read next.
    at_once: usize,
    /// What is left of the answer's body.
    framing: Framing,
    /// Whether the last exchange left it fit for another.
    keeps_open: bool,
}

/// What of a request is still to be written.
#[derive(Default)]
struct Outgoing {
    head: Vec<u8>,
    /// So much of the head is written.
    head_written: usize,
    pieces: VecDeque<Bytes>,
    /// The bytes of the body that were not asked for yet.
    body_left: u64,
    /// What was written may still be in the socket's own buffer.
    is_flushed: bool,
}

/// Whether there is more to do at once.
enum Sent {
    Some,
    /// All is sent, or what comes next has to be waited for.
    AllForNow,
}

impl Connection {
    /// Speaks HTTP over `socket`, beneath which is `wire`.
    pub(crate) fn new(socket: Box<dyn Socket>, wire: Arc<Wire>) -> Self {
        Self {
            socket,
            wire,
            runtime: Handle::try_current().ok(),
            outgoing: Outgoing::default(),
            came: BytesMut::new(),
            came_is_large: false,
            at_once: *READ_AT_ONCE.start(),
            framing: Framing::NONE,
            keeps_open: true,
        }
    }

    /// The runtime that hears of what comes in. While nobody drives that one, nobody is woken for it.
    pub(crate) fn runtime(&self) -> Option<&Handle> {
        self.runtime.as_ref()
    }

    /// Whether both sides still hold it, as far as is known without reading from it.
    pub(crate) fn is_open(&self) -> bool {
        self.wire.peek() != Peeked::Closed
    }

    /// Whether an idle connection is of use for another request: it is not where the server has closed it, or has said
    /// more than the last answer, which TLS may still hold.
    pub(crate) async fn settle(&mut self) -> bool {
        let unread = self.wire.peek();
        match unread {
            Peeked::Nothing => {}
            Peeked::Closed => return false,
            // A word of TLS, or the last one before the server closes: the runtime has to hear of it first.
            Peeked::Unread => yield_now().await,
        }
        // A task that has used up what Tokio gives it at a time would hear of nothing.
        let silent = unconstrained(poll_fn(|cx| Poll::Ready(self.poll_fill(READ_AT_FIRST, cx).is_pending())));
        silent.await && (unread == Peeked::Nothing || self.wire.peek() == Peeked::Nothing)
    }

    /// Sends a request and waits for the head of its answer, which may come before all of `body` is sent: then no more
    /// of it is.
    pub(crate) async fn exchange(
        &mut self,
        request: &mut request::Parts,
        form: Form,
        mut body: Body,
    ) -> Result<Head, TransportError> {
        self.outgoing.begin(request, form, &body)?;
        self.keeps_open = false;
        let (mut reader, mut headers) = (head::Reader::default(), std::mem::take(&mut request.headers));
        headers.clear();
        let head = poll_fn(|cx| {
            loop {
                let sent = self.poll_send(&mut body, cx)?;
                loop {
                    if let Some(head) = reader.take(&mut self.came, &request.method, &mut headers).map_err(not_http)? {
                        return Poll::Ready(Ok(head));
                    }
                    match self.poll_fill(READ_AT_FIRST, cx) {
                        Poll::Ready(Ok(0)) if self.came.is_empty() => {
                            return Poll::Ready(Err(closed("nothing of it came")));
                        }
                        Poll::Ready(Ok(0)) => return Poll::Ready(Err(closed("its head broke off"))),
                        Poll::Ready(Ok(_)) => {}
                        Poll::Ready(Err(error)) => return Poll::Ready(Err(closed(error))),
                        Poll::Pending => break,
                    }
                }
                if matches!(sent, Sent::AllForNow) {
                    return Poll::Pending;
                }
            }
        })
        .await?;
        self.framing = head.framing;
        self.keeps_open = head.keeps_open;
        Ok(head)
    }

    /// Whether the whole request went into the socket.
    pub(crate) fn took_whole_request(&self) -> bool {
        self.outgoing.is_sent() && !self.wire.is_broken()
    }

    /// Whether the answer is read to its end.
    pub(crate) fn is_over(&self) -> bool {
        self.framing.is_over()
    }

    /// The bytes that are still to come of the answer's body, where that is known.
    pub(crate) fn left(&self) -> Option<u64> {
        self.framing.left()
    }

    /// Whether another request may follow once the answer is read to its end.
    pub(crate) fn may_follow(&self) -> bool {
        self.keeps_open && self.took_whole_request()
    }

    /// Makes a connection ready to idle after an answer was read to its end; `None` where no other request may follow.
    pub(crate) fn into_idle(mut self) -> Option<Self> {
        let is_fit = self.may_follow() && self.is_over() && self.came.is_empty();
        if self.came_is_large {
            self.came = BytesMut::new();
            self.came_is_large = false;
        }
        self.at_once = *READ_AT_ONCE.start();
        is_fit.then_some(self)
    }

    /// The next piece of the answer's body.
    pub(crate) fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, TransportError>>> {
        loop {
            match self.framing.take(&mut self.came).map_err(not_http)? {
                Piece::Data(bytes) => return Poll::Ready(Some(Ok(bytes))),
                Piece::Over => return Poll::Ready(None),
                Piece::Wanted => {}
            }
            let left = self.left().and_then(|left| usize::try_from(left).ok()).unwrap_or(usize::MAX);
            let wanted = left.max(WORTH_A_READ).min(self.at_once);
            match ready!(self.poll_fill(wanted, cx)) {
                Ok(0) => self.framing.close().map_err(closed)?,
                Ok(count) if count >= self.at_once => self.at_once = (2 * self.at_once).min(*READ_AT_ONCE.end()),
                // All that there was, not all that there was room for.
                Ok(count) if count < self.at_once / 4 && self.came.len() < self.came.capacity() => {
                    self.at_once = (self.at_once / 2).max(*READ_AT_ONCE.start())
                }
                Ok(_) => {}
                Err(error) => return Poll::Ready(Some(Err(closed(error)))),
            }
        }
    }

    /// Reads what there is, about `wanted` bytes at most; 0 where the server has closed the connection.
    fn poll_fill(&mut self, wanted: usize, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let room = self.came.capacity() - self.came.len();
        // The same memory again where nobody holds what it gave: that is in the core's cache still.
        if room < wanted && !self.came.try_reclaim(wanted) && room < WORTH_A_READ {
            if self.came.is_empty() {
                // More of the same would be as large as both.
                self.came = BytesMut::with_capacity(wanted);
            } else {
                self.came.reserve(wanted);
            }
            self.came_is_large = self.came.capacity() > 2 * READ_AT_FIRST;
        }
        pin!(self.socket.read_buf(&mut self.came)).poll(cx)
    }

    /// Writes once what of the request can be written now.
    fn poll_send(&mut self, body: &mut Body, cx: &mut Context<'_>) -> Result<Sent, TransportError> {
        let outgoing = &mut self.outgoing;
        // Once it takes no more, reading ends at once, or brings the reason.
        if self.wire.is_broken() || outgoing.is_sent() {
            return Ok(Sent::AllForNow);
        }
        outgoing.fill(body, cx)?;
        let mut socket = Pin::new(&mut *self.socket);
        if !outgoing.is_written() {
            let mut slices = [IoSlice::new(&[]); PIECES + 1];
            let count = outgoing.slices(&mut slices);
            match socket.as_mut().poll_write_vectored(cx, &slices[..count]).map_err(closed)? {
                Poll::Ready(0) => return Err(closed("it takes no more")),
                Poll::Ready(written) => outgoing.advance(written),
                Poll::Pending => return Ok(Sent::AllForNow),
            }
            if !outgoing.is_written() || outgoing.body_left > 0 {
                return Ok(Sent::Some);
            }
        }
        outgoing.is_flushed = socket.poll_flush(cx).map_err(closed)?.is_ready();
        Ok(Sent::AllForNow)
    }
}

impl Outgoing {
    fn begin(&mut self, request: &request::Parts, form: Form, body: &Body) -> Result<(), TransportError> {
        let length = body.length().ok_or_else(|| failed_body("nothing says how long it is"))?;
        head::check(&request.headers, length).map_err(not_http)?;
        self.head.clear();
        head::write(request, form, length, &mut self.head);
        self.head_written = 0;
        self.body_left = length;
        self.is_flushed = false;
        Ok(())
    }

    /// Asks the body for as much as is written at once.
    fn fill(&mut self, body: &mut Body, cx: &mut Context<'_>) -> Result<(), TransportError> {
        while self.body_left > 0 && self.pieces.len() < PIECES {
            let Poll::Ready(piece) = Pin::new(&mut *body).poll_next(cx) else { break };
            let piece = piece.ok_or_else(|| failed_body(format!("it ended {} bytes early", self.body_left)))?;
            let piece = piece.map_err(failed_body)?;
            let left = self.body_left.checked_sub(piece.len() as u64);
            self.body_left = left.ok_or_else(|| failed_body("it is longer than it says"))?;
            if !piece.is_empty() {
                self.pieces.push_back(piece);
            }
        }
        Ok(())
    }

    fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>; PIECES + 1]) -> usize {
        let head = Some(&self.head[self.head_written..]).filter(|head| !head.is_empty());
        let mut count = 0;
        for (slice, bytes) in slices.iter_mut().zip(head.into_iter().chain(self.pieces.iter().map(|piece| &piece[..])))
        {
            *slice = IoSlice::new(bytes);
            count += 1;
        }
        count
    }

    fn advance(&mut self, written: usize) {
        let of_head = written.min(self.head.len() - self.head_written);
        self.head_written += of_head;
        let mut left = written - of_head;
        while let Some(piece) = self.pieces.front_mut().filter(|_| left > 0) {
            let of_piece = left.min(piece.len());
            left -= of_piece;
            piece.advance(of_piece);
            if piece.is_empty() {
                self.pieces.pop_front();
            }
        }
        self.is_flushed = false;
    }

    /// Whether all that was asked for is written.
    fn is_written(&self) -> bool {
        self.head_written == self.head.len() && self.pieces.is_empty()
    }

    fn is_sent(&self) -> bool {
        self.body_left == 0 && self.is_flushed && self.is_written()
    }
}

fn closed(reason: impl Into<BoxError>) -> TransportError {
    TransportError::new(TransportErrorKind::Closed, reason)
}

fn failed_body(reason: impl Into<BoxError>) -> TransportError {
    TransportError::new(TransportErrorKind::RequestBody, reason)
}

fn not_http(reason: impl Into<BoxError>) -> TransportError {
    TransportError::new(TransportErrorKind::Other, reason)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};
    use std::time::Duration;

    use http::Request;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::Notify;
    use tokio::task::coop::consume_budget;
    use tokio::time::timeout;

    use super::super::connect::over;
    use super::*;

    async fn connection() -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (socket, wire) = over(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
        (Connection::new(socket, wire), listener.accept().await.unwrap().0)
    }

    fn get() -> request::Parts {
        Request::get("http://h/").header("host", "h").body(()).unwrap().into_parts().0
    }

    /// Lets `future` have what others of the same task leave of the 128 reads, writes and the like that Tokio gives a
    /// task at a time.
    async fn beside<F: Future>(others: usize, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|cx| {
            for _ in 0..others {
                if pin!(consume_budget()).poll(cx).is_pending() {
                    return Poll::Pending;
                }
            }
            future.as_mut().poll(cx)
        })
        .await
    }

    #[tokio::test]
    async fn an_answer_is_not_missed_by_a_task_with_much_to_do() {
        for others in 100..128 {
            let (mut connection, mut server) = connection().await;
            let call = tokio::spawn(beside(others, async move {
                let answer = connection.exchange(&mut get(), Form::Origin, Body::empty()).await;
                answer.map(|head| head.status.as_u16())
            }));
            assert!(server.read(&mut [0; 1024]).await.unwrap() > 0);
            server.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello").await.unwrap();
            let answer = timeout(Duration::from_secs(60), call).await.expect("it hangs");
            assert_eq!(answer.unwrap().unwrap(), 200);
        }
    }

    #[derive(Default)]
    struct Wakes {
        count: AtomicUsize,
        woken: Notify,
    }

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.count.fetch_add(1, Ordering::Relaxed);
            self.woken.notify_one();
        }
    }

    #[tokio::test]
    async fn the_server_wakes_a_task_and_the_task_not_itself() {
        let (mut connection, mut server) = connection().await;
        let wakes = Arc::<Wakes>::default();
        let waker = Waker::from(wakes.clone());
        let mut cx = Context::from_waker(&waker);
        for (before, text) in ["", "hello", "", "hello", ""].into_iter().enumerate() {
            {
                let mut request = get();
                let mut answer = pin!(connection.exchange(&mut request, Form::Origin, Body::empty()));
                assert!(answer.as_mut().poll(&mut cx).is_pending());
                assert!(server.read(&mut [0; 1024]).await.unwrap() > 0);
                let answered = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len());
                server.write_all(answered.as_bytes()).await.unwrap();
                wakes.woken.notified().await;
                assert!(answer.poll(&mut cx).is_ready(), "no answer");
            }
            if !text.is_empty() {
                let piece = connection.poll_data(&mut cx);
                assert!(matches!(piece, Poll::Ready(Some(Ok(piece))) if piece == text));
            }
            assert!(connection.settle().await);
            connection = connection.into_idle().unwrap();
            assert_eq!(wakes.count.load(Ordering::Relaxed), before + 1);
        }
    }

    /// What else the server says there would be taken for the answer to the next request.
    #[tokio::test]
    async fn a_connection_on_which_more_came_than_the_answer_is_of_no_more_use() {
        let (mut answered, mut server) = connection().await;
        server.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        assert!(answered.exchange(&mut get(), Form::Origin, Body::empty()).await.is_ok());
        assert!(answered.is_over() && answered.into_idle().is_none());

        let (mut silent, mut server) = connection().await;
        server.write_all(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        while silent.wire.peek() == Peeked::Nothing {
            yield_now().await;
        }
        assert!(!silent.settle().await);
    }

    /// The memory of a large body is not kept while nothing runs, and is used again while nobody holds what it gave.
    #[tokio::test]
    async fn memory_is_used_again() {
        let (mut connection, mut server) = connection().await;
        let writing = tokio::spawn(async move {
            server.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 67108864\r\n\r\n").await.unwrap();
            server.write_all(&vec![7; 64 << 20]).await.unwrap();
            server
        });
        connection.exchange(&mut get(), Form::Origin, Body::empty()).await.unwrap();
        let (mut came, mut places) = (0, std::collections::HashSet::new());
        while let Some(piece) = poll_fn(|cx| connection.poll_data(cx)).await {
            let piece = piece.unwrap();
            came += piece.len();
            assert!(piece.len() <= *READ_AT_ONCE.end());
            places.insert(piece.as_ptr() as usize / (READ_AT_ONCE.end() * 2));
        }
        assert_eq!(came, 64 << 20);
        assert!(places.len() < 10, "{} places", places.len());
        let connection = connection.into_idle().unwrap();
        assert_eq!(connection.came.capacity(), 0);
        writing.await.unwrap();
    }
}
