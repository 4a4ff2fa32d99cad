//! One connection, with the task that drives it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::task::AbortHandle;

use super::connect::Socket;
use super::http1::RequestBody;

/// An object can have hundreds of metadata entries. What a head may weigh in all is limited by hyper, to about 400 KiB.
const MAX_HEADERS: usize = 1024;

/// A connection that ends where it is when this is dropped.
///
/// Once an answer has come, hyper alone would send the rest of the request's body whether anybody waits for it or not.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) sender: SendRequest<RequestBody>,
    task: AbortHandle,
    broken: Arc<AtomicBool>,
}

impl Connection {
    /// Speaks HTTP over `socket`; `broken` is set once that takes no more bytes.
    pub(crate) async fn start(socket: Box<dyn Socket>, broken: Arc<AtomicBool>) -> Result<Self, hyper::Error> {
        let (sender, connection) =
            http1::Builder::new().max_headers(MAX_HEADERS).handshake(TokioIo::new(socket)).await?;
        let task = tokio::spawn(async move {
            // Whoever uses the connection hears of its errors.
            let _ = connection.await;
        });
        Ok(Self { sender, task: task.abort_handle(), broken })
    }

    /// Whether bytes were lost that hyper believes sent.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}
