//! The same client without async: calls run on a thread of the client's own.
//!
//! Everything that [`wharf::Client`](crate::Client) has is here, call by call, with [`wait`](Wait::wait) in place of
//! `.await` and [`wait_each`](WaitEach::wait_each) in place of a stream. It works on any thread, also inside async
//! code, where it blocks that thread as any blocking call does.
//!
//! **Use them with this client only.** What a [`wharf::Client`](crate::Client) does runs on the runtime where it is
//! awaited, and a thread of that runtime that blocks may wait for itself. Such a client's calls are an error under
//! `wait`. The body of its object cannot be told apart: read it in a thread of `spawn_blocking`.
//!
//! ```no_run
//! use wharf::blocking::{Client, Wait, WaitEach};
//!
//! # fn main() -> wharf::Result<()> {
//! let s3 = Client::from_env()?;
//! s3.put_object("my-bucket", "hello.txt", "Hello!").wait()?;
//! let text = s3.get_object("my-bucket", "hello.txt").text().wait()?;
//! for object in s3.list_objects("my-bucket").items().wait_each() {
//!     println!("{}", object?.key);
//! }
//! # Ok(())
//! # }
//! ```

use std::cell::Cell;
use std::future::IntoFuture;
use std::io;
use std::ops::Deref;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use bytes::Bytes;
use futures_core::Stream;
use tokio::task::unconstrained;

use crate::config::ClientBuilder;
use crate::{Error, ObjectBody};

/// A client whose calls run on a thread of its own: see the [module](self).
///
/// Dereferences to [`wharf::Client`](crate::Client), whose calls it makes.
#[derive(Debug, Clone)]
pub struct Client(crate::Client);

impl Client {
    /// A client from the environment: see [`wharf::Client::from_env`](crate::Client::from_env).
    ///
    /// # Errors
    /// As there.
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::default().build_blocking()
    }

    /// Sets a client up; end with [`build_blocking`](ClientBuilder::build_blocking).
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    pub(crate) fn new(client: crate::Client) -> Self {
        Self(client)
    }
}

impl Deref for Client {
    type Target = crate::Client;

    fn deref(&self) -> &crate::Client {
        &self.0
    }
}

/// `.wait()` in place of `.await`.
pub trait Wait: IntoFuture {
    /// Blocks this thread until the call is done.
    fn wait(self) -> Self::Output;
}

impl<F: IntoFuture> Wait for F {
    fn wait(self) -> F::Output {
        // Tokio lets the task around it do so much at a time, and this never gives its turn back.
        let mut future = pin!(unconstrained(self.into_future()));
        let unpark = Arc::new(Unpark { thread: thread::current(), woken: AtomicBool::new(false) });
        let waker = Waker::from(unpark.clone());
        let mut cx = Context::from_waker(&waker);
        loop {
            let polled = {
                let _waiting = Waiting::begin();
                future.as_mut().poll(&mut cx)
            };
            match polled {
                Poll::Ready(output) => return output,
                Poll::Pending => unpark.wait(),
            }
        }
    }
}

/// `.wait_each()` makes an iterator of a stream.
pub trait WaitEach: Stream + Unpin + Sized {
    /// An iterator whose `next` blocks until the stream has an item.
    fn wait_each(self) -> Each<Self> {
        Each(self)
    }
}

impl<S: Stream + Unpin> WaitEach for S {}

/// The iterator of [`WaitEach::wait_each`].
#[derive(Debug)]
pub struct Each<S>(S);

impl<S: Stream + Unpin> Iterator for Each<S> {
    type Item = S::Item;

    fn next(&mut self) -> Option<S::Item> {
        std::future::poll_fn(|cx| Pin::new(&mut self.0).poll_next(cx)).wait()
    }
}

/// A body as [`io::Read`].
#[derive(Debug)]
pub struct BodyReader {
    body: Each<ObjectBody>,
    rest: Bytes,
}

impl ObjectBody {
    /// The bytes as a blocking [`io::Read`].
    pub fn into_read(self) -> BodyReader {
        BodyReader { body: self.wait_each(), rest: Bytes::new() }
    }
}

impl io::Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.body.next() {
                None => return Ok(0),
                Some(bytes) => self.rest = bytes.map_err(io::Error::other)?,
            }
        }
        let count = self.rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.rest.split_to(count));
        Ok(count)
    }
}

thread_local! {
    static WAITING: Cell<bool> = const { Cell::new(false) };
}

/// Whether what is polled on this thread is polled by [`Wait::wait`].
pub(crate) fn is_waiting() -> bool {
    WAITING.get()
}

/// Marks a poll as one of [`Wait::wait`], until dropped.
struct Waiting {
    before: bool,
}

impl Waiting {
    fn begin() -> Self {
        Self { before: WAITING.replace(true) }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        WAITING.set(self.before);
    }
}

struct Unpark {
    thread: Thread,
    /// What is polled may park by itself, and be woken in our place.
    woken: AtomicBool,
}

impl Unpark {
    fn wait(&self) {
        while !self.woken.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}
