//! What all transfers of a process share: memory, requests in flight, bandwidth.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::bandwidth::Bandwidth;
use super::gate::{Gate, Pass};

/// How much of each may be used, by all together.
///
/// ```
/// use wharf::transfer::{Budgets, Limits};
///
/// let mut limits = Limits::default();
/// limits.bandwidth = Some(10_000_000);
/// Budgets::process().set(limits);
/// # Budgets::process().set(Limits::default());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes held in memory by bodies that cannot be read again: 64 MiB by default. A part of a stream for which there is no
    /// room goes into a temporary file. Where it cannot, for the provider takes no framed bodies and the body is signed, it
    /// waits until those before it are sent: one part of each such stream may be beyond the limit.
    pub memory: usize,
    /// Requests of transfers in flight: 256 by default. Zero counts as one.
    pub requests: usize,
    /// Bytes a second of all bodies, both ways together, also of calls that are no transfers; `None`, the default, for no
    /// limit. Zero counts as one.
    pub bandwidth: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 64 << 20, requests: 256, bandwidth: None }
    }
}

/// Limits that are kept together by whoever has a clone.
///
/// All clients share [`Budgets::process`], unless [`ClientBuilder::budgets`](crate::ClientBuilder::budgets) gives one its own.
#[derive(Debug, Clone)]
pub struct Budgets(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: Mutex<Limits>,
    memory: Arc<Gate>,
    requests: Arc<Gate>,
    bandwidth: Bandwidth,
}

/// A share of a budget, given back when it is dropped.
pub(crate) type Share = Pass;

impl Budgets {
    /// Budgets of one's own.
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(Shared {
            limits: Mutex::new(limits),
            memory: Gate::new(limits.memory),
            requests: Gate::new(limits.requests),
            bandwidth: Bandwidth::new(limits.bandwidth),
        }))
    }

    /// Those of the process.
    pub fn process() -> Self {
        static PROCESS: OnceLock<Budgets> = OnceLock::new();
        PROCESS.get_or_init(|| Self::new(Limits::default())).clone()
    }

    /// Other limits from now on, also for the transfers that are running. What is in use beyond a smaller limit stays in use
    /// until it is given back. A body that is going out without a limit of bandwidth goes on without; the next request
    /// has it.
    pub fn set(&self, limits: Limits) {
        let mut now = self.0.limits.lock().unwrap_or_else(PoisonError::into_inner);
        *now = limits;
        self.0.memory.set_limit(limits.memory);
        self.0.requests.set_limit(limits.requests);
        self.0.bandwidth.set(limits.bandwidth);
    }

    /// The limits that hold now.
    pub fn limits(&self) -> Limits {
        *self.0.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until one more request may be in flight.
    pub(crate) async fn request(&self) -> Share {
        self.0.requests.pass(1).await
    }

    /// Waits until `bytes` more may be held.
    pub(crate) async fn memory(&self, bytes: usize) -> Share {
        self.0.memory.pass(bytes).await
    }

    /// The same at once, or not at all; never more than the limit.
    pub(crate) fn try_memory(&self, bytes: usize) -> Option<Share> {
        self.0.memory.try_pass(bytes)
    }

    pub(crate) fn bandwidth(&self) -> &Bandwidth {
        &self.0.bandwidth
    }
}
