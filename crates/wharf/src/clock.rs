//! Time and chance, which tests bring themselves.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

/// What signing and retries need to know about time and chance.
pub trait Clock: Send + Sync + 'static {
    /// The time that requests are signed with.
    fn now(&self) -> SystemTime;

    /// Waits before a retry.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// A random number from 0 to 1, which a retry's wait is multiplied with.
    fn jitter(&self) -> f64;
}

/// The computer's clock, Tokio's timer and a random number generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn jitter(&self) -> f64 {
        fastrand::f64()
    }
}
