//! What all transfers of a process share: memory, requests in flight, bandwidth.

use std::sync::{Arc, OnceLock};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wharf_proto::{Error, ErrorKind};

/// How much of each the transfers may use, all together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes held in memory by bodies that cannot be read again.
    pub memory: usize,
    /// Requests in flight.
    pub requests: usize,
    /// Bytes a second, both ways together; `None` for no limit.
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
    memory: Arc<Semaphore>,
    requests: Arc<Semaphore>,
    memory_limit: usize,
}

/// A share of a budget, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share(#[expect(dead_code, reason = "held for its Drop")] OwnedSemaphorePermit);

/// Memory is counted in these, for a semaphore's count has 32 bits.
const PAGE: usize = 4096;

impl Budgets {
    /// Budgets of one's own.
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(Shared {
            memory: Arc::new(Semaphore::new(pages(limits.memory) as usize)),
            requests: Arc::new(Semaphore::new(limits.requests.clamp(1, Semaphore::MAX_PERMITS))),
            memory_limit: limits.memory,
        }))
    }

    /// Those of the process.
    pub fn process() -> Self {
        static PROCESS: OnceLock<Budgets> = OnceLock::new();
        PROCESS.get_or_init(|| Self::new(Limits::default())).clone()
    }

    /// Waits until one more request may be in flight.
    pub(crate) async fn request(&self) -> Result<Share, Error> {
        take(&self.0.requests, 1).await
    }

    /// Waits until `bytes` more may be held. More than there are in all count as all.
    pub(crate) async fn memory(&self, bytes: usize) -> Result<Share, Error> {
        take(&self.0.memory, pages(bytes.min(self.0.memory_limit))).await
    }

    /// The same at once, or not at all.
    pub(crate) fn try_memory(&self, bytes: usize) -> Option<Share> {
        self.0.memory.clone().try_acquire_many_owned(pages(bytes)).ok().map(Share)
    }
}

fn pages(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(PAGE).max(1)).unwrap_or(u32::MAX >> 4).min(u32::MAX >> 4)
}

async fn take(semaphore: &Arc<Semaphore>, count: u32) -> Result<Share, Error> {
    let taken = semaphore.clone().acquire_many_owned(count).await;
    taken.map(Share).map_err(|closed| Error::new(ErrorKind::Other, "the budgets are closed").with_cause(closed))
}
