//! A gate whose width is found by trying.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use wharf_proto::transfer::{Concurrency, Moved};

use super::gate::{Gate, Pass};

/// Lets as many requests pass as [`Concurrency`] finds good.
#[derive(Debug)]
pub(super) struct AdaptiveGate {
    gate: Arc<Gate>,
    concurrency: Mutex<Concurrency>,
    /// Whether it is measured what moves: else there is no telling, and none needed.
    measures: AtomicBool,
    start: Instant,
    bytes: AtomicU64,
    events: AtomicU64,
    /// How many requests ended.
    ended: AtomicU64,
    /// When the last request ended, in milliseconds after `start`.
    last: AtomicU64,
}

impl AdaptiveGate {
    pub(super) fn new(concurrency: Concurrency) -> Self {
        Self {
            gate: Gate::new(concurrency.limit()),
            concurrency: Mutex::new(concurrency),
            measures: AtomicBool::new(true),
            start: Instant::now(),
            bytes: AtomicU64::new(0),
            events: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            last: AtomicU64::new(0),
        }
    }

    /// The same, which stays as it is, and costs next to nothing, until it is [`throttled`](Self::throttled).
    pub(super) fn from_the_first_throttle(concurrency: Concurrency) -> Self {
        Self { measures: AtomicBool::new(false), ..Self::new(concurrency) }
    }

    /// Waits for leave to send one more request.
    pub(super) async fn pass(&self) -> Pass {
        self.gate.pass(1).await
    }

    /// Forgets what it has found, if nothing has moved for so long.
    pub(super) fn forget_after(&self, idle: Duration, concurrency: impl FnOnce() -> Concurrency) {
        let since = Duration::from_millis(self.last.load(Ordering::Relaxed));
        let is_idle = self.measures.load(Ordering::Relaxed)
            && self.gate.used() == 0
            && self.start.elapsed().saturating_sub(since) >= idle;
        if is_idle {
            self.measures.store(false, Ordering::Relaxed);
            self.adapt(|now| *now = concurrency());
        }
    }

    /// The server asked for fewer requests.
    pub(super) fn throttled(&self) {
        self.measures.store(true, Ordering::Relaxed);
        let (moved, in_flight, now) = (self.so_far(), self.gate.used(), self.start.elapsed());
        self.adapt(|concurrency| concurrency.throttled(moved, in_flight, now));
    }

    /// A request moved so many bytes: at its end, or as they come.
    pub(super) fn moved(&self, bytes: u64) {
        if !self.measures.load(Ordering::Relaxed) {
            return;
        }
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        // Not for each piece.
        if self.events.fetch_add(1, Ordering::Relaxed) % 16 == 15 {
            self.look(self.gate.used());
        }
    }

    /// A request has ended, whose `passes` are given back with this.
    pub(super) fn ended(&self, passes: usize) {
        if self.measures.load(Ordering::Relaxed) {
            self.events.fetch_add(1, Ordering::Relaxed);
            self.ended.fetch_add(1, Ordering::Relaxed);
            self.last.store(self.start.elapsed().as_millis() as u64, Ordering::Relaxed);
            self.look(self.gate.used().saturating_sub(passes));
        }
    }

    fn look(&self, others: usize) {
        let (moved, is_wanted, now) = (self.so_far(), self.gate.is_wanted(), self.start.elapsed());
        self.adapt(|concurrency| concurrency.saw(moved, others, is_wanted, now));
    }

    fn so_far(&self) -> Moved {
        let [bytes, events, ended] =
            [&self.bytes, &self.events, &self.ended].map(|number| number.load(Ordering::Relaxed));
        Moved { bytes, events, ended }
    }

    fn adapt(&self, change: impl FnOnce(&mut Concurrency)) {
        let mut concurrency = self.concurrency.lock().unwrap_or_else(PoisonError::into_inner);
        let before = concurrency.limit();
        change(&mut concurrency);
        let now = concurrency.limit();
        if now != before {
            tracing::debug!(before, now, "requests at a time");
            self.gate.set_limit(now);
        }
    }

    #[cfg(test)]
    pub(super) fn limit(&self) -> usize {
        self.concurrency.lock().unwrap().limit()
    }
}
