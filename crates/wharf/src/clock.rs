//! Time and chance, which tests bring themselves.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use wharf_proto::correct::is_credible;

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

/// A client's clock, corrected by what servers said of theirs: what is signed for them, and what they give an end to, goes
/// by it.
pub(crate) struct ServerClock {
    own: Arc<dyn Clock>,
    /// How many seconds theirs is ahead.
    ahead: AtomicI64,
}

impl ServerClock {
    pub(crate) fn new(own: Arc<dyn Clock>) -> Self {
        Self { own, ahead: AtomicI64::default() }
    }

    /// Has it agree with a server's, from now on, and says whether it does: not with one that is too far off.
    pub(crate) fn set(&self, theirs: SystemTime) -> bool {
        let ours = self.own.now();
        if !is_credible(theirs, ours) {
            return false;
        }
        let seconds = |by: Duration| i64::try_from(by.as_secs()).unwrap_or_default();
        self.set_ahead(match theirs.duration_since(ours) {
            Ok(ahead) => seconds(ahead),
            Err(behind) => -seconds(behind.duration()),
        });
        true
    }

    pub(crate) fn ahead(&self) -> i64 {
        self.ahead.load(Ordering::Relaxed)
    }

    pub(crate) fn set_ahead(&self, seconds: i64) {
        self.ahead.store(seconds, Ordering::Relaxed);
    }
}

impl Clock for ServerClock {
    fn now(&self) -> SystemTime {
        let ahead = self.ahead();
        let by = Duration::from_secs(ahead.unsigned_abs());
        let now = self.own.now();
        let corrected = if ahead < 0 { now.checked_sub(by) } else { now.checked_add(by) };
        corrected.unwrap_or(now)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.own.sleep(duration)
    }

    fn jitter(&self) -> f64 {
        self.own.jitter()
    }
}
