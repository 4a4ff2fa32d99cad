//! A clock that goes when it is told to.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use wharf::Clock;

/// Begins at 2026-01-01T00:00:00Z, is moved by every wait, and never takes time. Jitter is one half.
#[derive(Clone)]
pub struct FakeClock(Arc<Mutex<State>>);

struct State {
    now: SystemTime,
    waits: Vec<Duration>,
}

impl Default for FakeClock {
    fn default() -> Self {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        Self(Arc::new(Mutex::new(State { now, waits: Vec::new() })))
    }
}

impl FakeClock {
    /// One that agrees with the computer's, for servers that look at it.
    pub fn system() -> Self {
        Self(Arc::new(Mutex::new(State { now: SystemTime::now(), waits: Vec::new() })))
    }

    pub fn advance(&self, by: Duration) {
        self.0.lock().unwrap().now += by;
    }

    /// How long was waited before each retry.
    pub fn waits(&self) -> Vec<Duration> {
        self.0.lock().unwrap().waits.clone()
    }
}

impl Clock for FakeClock {
    fn now(&self) -> SystemTime {
        self.0.lock().unwrap().now
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut state = self.0.lock().unwrap();
        state.now += duration;
        state.waits.push(duration);
        Box::pin(std::future::ready(()))
    }

    fn jitter(&self) -> f64 {
        0.5
    }
}
