//! One connection. Whoever uses it drives it: between requests nothing runs for it.
//!
//! A task of its own would be woken for each answer, and would wake the caller in turn.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use atomic_waker::AtomicWaker;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as _, Frame};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::runtime;
use tokio::task::unconstrained;
use tokio::time::timeout;

use super::connect::Socket;
use super::http1::RequestBody;
use super::wire::{Peeked, Wire};

/// How many headers an answer may have on a connection with room for many: an object can have hundreds of metadata
/// entries. What a head may weigh in all is limited by hyper, to about 400 KiB.
///
/// On others it may have 100, for which hyper has room on the stack; for more it clears 64 KiB for each answer.
const MANY_HEADERS: usize = 1024;

/// A connection whose last answer came before its request was sent may never take another: one that does not settle
/// at once is closed.
const SETTLING: Duration = Duration::from_millis(100);

type Driver = http1::Connection<TokioIo<Box<dyn Socket>>, RequestBody>;

/// The runtime of this thread.
pub(crate) fn this_runtime() -> Option<runtime::Id> {
    runtime::Handle::try_current().ok().map(|runtime| runtime.id())
}

/// A connection that ends where it is when this is dropped.
pub(crate) struct Connection {
    sender: SendRequest<RequestBody>,
    /// `None` once it has ended, which tells whoever still waits for it.
    driver: Option<Box<Driver>>,
    waiting: Arc<Waiting>,
    /// Wakes `waiting`.
    waker: Waker,
    wire: Arc<Wire>,
    runtime: Option<runtime::Id>,
    /// There is room for an answer with many headers.
    pub(crate) roomy: bool,
}

impl Connection {
    /// Speaks HTTP over `socket`, beneath which is `wire`.
    pub(crate) async fn start(socket: Box<dyn Socket>, wire: Arc<Wire>, roomy: bool) -> Result<Self, hyper::Error> {
        let mut http = http1::Builder::new();
        if roomy {
            http.max_headers(MANY_HEADERS);
        }
        let (sender, driver) = http.handshake(TokioIo::new(socket)).await?;
        let waiting = Arc::<Waiting>::default();
        let waker = Waker::from(waiting.clone());
        Ok(Self { sender, driver: Some(Box::new(driver)), waiting, waker, wire, runtime: this_runtime(), roomy })
    }

    /// The runtime that hears of what comes in. While nobody drives that one, nobody is woken for it.
    pub(crate) fn runtime(&self) -> Option<runtime::Id> {
        self.runtime
    }

    /// Whether bytes were lost that hyper believes sent.
    pub(crate) fn is_broken(&self) -> bool {
        self.wire.is_broken()
    }

    /// Whether both sides still hold it, as far as is known without reading from it.
    pub(crate) fn is_open(&self) -> bool {
        self.driver.is_some() && !self.sender.is_closed() && self.wire.peek() != Peeked::Closed
    }

    /// Makes an idle connection ready for a request; `false` where it is of no more use.
    pub(crate) async fn settle(&mut self) -> bool {
        match self.wire.peek() {
            Peeked::Closed => return false,
            // As a rule it was left ready when the last answer was read.
            Peeked::Nothing if self.sender.is_ready() => return self.driver.is_some(),
            // A word of TLS, or the last one before the server closes: the runtime has to hear of it first.
            Peeked::Unread => tokio::task::yield_now().await,
            Peeked::Nothing => {}
        }
        let ready = poll_fn(|cx| {
            self.drive(cx);
            self.sender.poll_ready(cx)
        });
        matches!(timeout(SETTLING, ready).await, Ok(Ok(())))
    }

    /// Sends a request. The head of its answer comes while the connection is driven.
    pub(crate) fn send(
        &mut self,
        request: Request<RequestBody>,
    ) -> impl Future<Output = Result<Response<Incoming>, TrySendError<Request<RequestBody>>>> + use<> {
        // Taking the request wakes the connection: as a rule the very task that sends it and drives it next.
        self.waiting.0.take();
        // Not held back where the task has used up what Tokio gives it at a time: nobody would be woken for it.
        unconstrained(self.sender.try_send_request(request))
    }

    /// Moves on what was begun on this connection until `answer` is there.
    pub(crate) async fn drive_until<F: Future>(&mut self, mut answer: Pin<&mut F>) -> F::Output {
        poll_fn(|cx| {
            self.drive(cx);
            answer.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        })
        .await
    }

    /// The next frame of an answer's body.
    pub(crate) fn poll_frame(
        &mut self,
        body: &mut Incoming,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut frame = || Pin::new(&mut *body).poll_frame(&mut Context::from_waker(Waker::noop()));
        // Asking for more wakes the connection, which is driven next.
        self.waiting.0.take();
        match frame() {
            Poll::Pending => {
                self.drive(cx);
                frame()
            }
            ready => ready,
        }
    }

    /// Reads and writes what can be read and written now. Only this moves an answer on, so that only this needs to
    /// know whom to wake.
    fn drive(&mut self, cx: &mut Context<'_>) {
        self.waiting.0.register(cx.waker());
        if let Some(driver) = &mut self.driver
            && Pin::new(driver).poll(&mut Context::from_waker(&self.waker)).is_ready()
        {
            self.driver = None;
        }
    }
}

/// Whoever drives a connection now. hyper and the socket wake only this, so that whoever moves the connection on himself
/// can have it wake nobody.
#[derive(Default)]
struct Waiting(AtomicWaker);

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.0.wake();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::Notify;
    use tokio::task::coop::consume_budget;

    use super::super::connect::over;
    use super::*;

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
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        for others in 100..128 {
            let (socket, wire) = over(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
            let (mut server, _) = listener.accept().await.unwrap();
            let mut connection = Connection::start(socket, wire, false).await.unwrap();
            let call = tokio::spawn(beside(others, async move {
                let request = Request::get("/").header("host", "h").body(RequestBody::empty()).unwrap();
                let answer = pin!(connection.send(request));
                connection
                    .drive_until(answer)
                    .await
                    .map(|answer| answer.status().as_u16())
                    .map_err(|failed| failed.into_error())
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
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (socket, wire) = over(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
        let (mut server, _) = listener.accept().await.unwrap();
        let mut connection = Connection::start(socket, wire, false).await.unwrap();
        let wakes = Arc::<Wakes>::default();
        let waker = Waker::from(wakes.clone());
        let mut cx = Context::from_waker(&waker);
        for (before, text) in ["", "hello", "", "hello", ""].into_iter().enumerate() {
            let request = Request::get("/").header("host", "h").body(RequestBody::empty()).unwrap();
            let answer = pin!(connection.send(request));
            let mut body = {
                let mut answer = pin!(connection.drive_until(answer));
                assert!(answer.as_mut().poll(&mut cx).is_pending());
                assert!(server.read(&mut [0; 1024]).await.unwrap() > 0);
                let answered = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len());
                server.write_all(answered.as_bytes()).await.unwrap();
                wakes.woken.notified().await;
                let Poll::Ready(Ok(answer)) = answer.poll(&mut cx) else { panic!("no answer") };
                answer.into_body()
            };
            if !text.is_empty() {
                let frame = connection.poll_frame(&mut body, &mut cx);
                assert!(
                    matches!(frame, Poll::Ready(Some(Ok(frame))) if frame.data_ref().is_some_and(|data| data == text))
                );
            }
            assert!(connection.settle().await);
            assert_eq!(wakes.count.load(Ordering::Relaxed), before + 1);
        }
    }
}
