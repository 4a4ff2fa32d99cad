//! Work that blocks, kept off the threads that run futures.

use std::future::Future;
use std::io;
use std::pin::Pin;

/// What comes of work that was started.
pub(super) type Working<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

/// Starts work that blocks; it goes on whether or not it is waited for. Outside of a Tokio runtime it is done at once.
pub(super) fn start<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Working<T> {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => {
            let task = runtime.spawn_blocking(work);
            Box::pin(async move { task.await.unwrap_or_else(|error| Err(io::Error::other(error))) })
        }
        Err(_) => Box::pin(std::future::ready(work())),
    }
}
