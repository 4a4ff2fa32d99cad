//! How many requests one transfer has in flight.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;
use wharf_proto::transfer::{Concurrency, Moved};

use super::budgets::{Budgets, Share};
use super::gate::{Gate, Pass};
use crate::Client;
use crate::counters::Tally;

/// What a transfer's requests pass before they are sent: a number of its own, which grows while that helps and shrinks when the
/// server asks for less, within what the process may have.
#[derive(Debug, Clone)]
pub(crate) struct Lane(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    gate: Arc<Gate>,
    budgets: Budgets,
    tally: Arc<Tally>,
    concurrency: Mutex<Concurrency>,
    start: Instant,
    bytes: AtomicU64,
    events: AtomicU64,
}

/// Leave to send one request, and to read its answer.
#[derive(Debug)]
pub(crate) struct Slot {
    lane: Lane,
    _own: Pass,
    _shared: Share,
}

impl Lane {
    /// `concurrency` requests at a time of that client, fewer where the server wants that; `None` finds out how many are
    /// good.
    pub(crate) fn of(client: &Client, concurrency: Option<usize>) -> Self {
        let inner = client.inner();
        Self::new(inner.budgets.clone(), inner.tally.clone(), concurrency)
    }

    pub(super) fn new(budgets: Budgets, tally: Arc<Tally>, concurrency: Option<usize>) -> Self {
        let concurrency = Concurrency::new(concurrency);
        Self(Arc::new(Shared {
            gate: Gate::new(concurrency.limit()),
            budgets,
            tally,
            concurrency: Mutex::new(concurrency),
            start: Instant::now(),
            bytes: AtomicU64::new(0),
            events: AtomicU64::new(0),
        }))
    }

    /// Whether the client has ever heard from a server.
    pub(super) fn was_answered(&self) -> bool {
        self.0.tally.was_answered()
    }

    /// Waits for leave to send one more request.
    pub(crate) async fn enter(&self) -> Slot {
        let own = self.0.gate.pass(1).await;
        Slot { _own: own, _shared: self.0.budgets.request().await, lane: self.clone() }
    }

    /// The server asked for fewer requests ([`ErrorKind::SlowDown`](wharf_proto::ErrorKind)).
    pub(crate) fn throttled(&self) {
        let (moved, in_flight, now) = (self.so_far(), self.0.gate.used(), self.0.start.elapsed());
        self.adapt(|concurrency| concurrency.throttled(moved, in_flight, now));
    }

    /// A request moved so many bytes: at its end, or as they come.
    pub(crate) fn moved(&self, bytes: u64) {
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
        // Not for each piece.
        if self.0.events.fetch_add(1, Ordering::Relaxed) % 16 == 15 {
            self.look(self.0.gate.used());
        }
    }

    /// A request is made again.
    pub(crate) fn retried(&self) {
        self.0.tally.retry();
    }

    fn look(&self, others: usize) {
        let (moved, is_wanted, now) = (self.so_far(), self.0.gate.is_wanted(), self.0.start.elapsed());
        self.adapt(|concurrency| concurrency.saw(moved, others, is_wanted, now));
    }

    fn so_far(&self) -> Moved {
        Moved { bytes: self.0.bytes.load(Ordering::Relaxed), events: self.0.events.load(Ordering::Relaxed) }
    }

    fn adapt(&self, change: impl FnOnce(&mut Concurrency)) {
        let mut concurrency = self.0.concurrency.lock().unwrap_or_else(PoisonError::into_inner);
        let before = concurrency.limit();
        change(&mut concurrency);
        let now = concurrency.limit();
        if now != before {
            tracing::debug!(before, now, "requests at a time");
            self.0.gate.set_limit(now);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.lane.0.events.fetch_add(1, Ordering::Relaxed);
        self.lane.look(self.lane.0.gate.used().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use tokio::task::JoinSet;
    use tokio::time::sleep;

    use super::super::budgets::Limits;
    use super::*;

    const PART: u64 = 8 << 20;

    /// Moves `parts` over a link with so much latency, on which one stream gets `stream` bytes a second and all together `all`.
    async fn over(lane: &Lane, parts: usize, latency: Duration, stream: f64, all: f64) -> Duration {
        let (start, streams) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
        let mut tasks = JoinSet::new();
        for _ in 0..parts {
            let (lane, streams) = (lane.clone(), streams.clone());
            tasks.spawn(async move {
                let _slot = lane.enter().await;
                sleep(latency).await;
                streams.fetch_add(1, Ordering::Relaxed);
                for _ in 0..16 {
                    let now = streams.load(Ordering::Relaxed) as f64;
                    sleep(Duration::from_secs_f64(PART as f64 / 16.0 / stream.min(all / now))).await;
                }
                streams.fetch_sub(1, Ordering::Relaxed);
                lane.moved(PART);
            });
        }
        tasks.join_all().await;
        start.elapsed()
    }

    fn lane(concurrency: Option<usize>) -> Lane {
        Lane::new(Budgets::new(Limits::default()), Arc::default(), concurrency)
    }

    fn limit(lane: &Lane) -> usize {
        lane.0.concurrency.lock().unwrap().limit()
    }

    #[tokio::test(start_paused = true)]
    async fn a_fast_link_keeps_two_streams() {
        let lane = lane(None);
        over(&lane, 2000, Duration::from_micros(200), 1.2e9, 1.2e9).await;
        assert_eq!(limit(&lane), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_that_is_full_gets_few_streams() {
        let lane = lane(None);
        over(&lane, 500, Duration::from_millis(1), 2e8, 2e8).await;
        assert!(limit(&lane) <= 4, "{}", limit(&lane));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_stream_gets_many_others_beside_it() {
        let (found, sixteen) = (lane(None), lane(Some(16)));
        let (latency, stream, all) = (Duration::from_millis(50), 1e7, 1e9);
        let time = over(&found, 1000, latency, stream, all).await;
        assert!(limit(&found) >= 48, "{}", limit(&found));
        assert!(time < over(&sixteen, 1000, latency, stream, all).await / 2);
        assert_eq!(limit(&sixteen), 16);
    }

    /// A server that refuses more than eight requests at a time.
    async fn throttling(lane: &Lane) -> (usize, usize) {
        let (at_once, refused, served) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), 1500);
        let mut tasks = JoinSet::new();
        for _ in 0..served {
            let (lane, at_once, refused) = (lane.clone(), at_once.clone(), refused.clone());
            tasks.spawn(async move {
                loop {
                    let slot = lane.enter().await;
                    let takes = at_once.fetch_add(1, Ordering::Relaxed) < 8;
                    sleep(Duration::from_millis(if takes { 100 } else { 5 })).await;
                    at_once.fetch_sub(1, Ordering::Relaxed);
                    if takes {
                        lane.moved(PART);
                        return;
                    }
                    refused.fetch_add(1, Ordering::Relaxed);
                    lane.throttled();
                    drop(slot);
                    sleep(Duration::from_millis(200)).await;
                }
            });
        }
        tasks.join_all().await;
        (served, refused.load(Ordering::Relaxed))
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_throttles_is_spared() {
        for lane in [lane(None), lane(Some(64))] {
            let (served, refused) = throttling(&lane).await;
            assert!((3..=10).contains(&limit(&lane)), "{}", limit(&lane));
            assert!(refused < served / 5, "{refused} of {served}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn all_lanes_keep_to_what_the_process_may_have() {
        let mut limits = Limits { requests: 3, ..Limits::default() };
        let budgets = Budgets::new(limits);
        let (one, two) =
            (Lane::new(budgets.clone(), Arc::default(), Some(4)), Lane::new(budgets.clone(), Arc::default(), Some(4)));
        let slots = [one.enter().await, two.enter().await, two.enter().await];
        let waiting = tokio::spawn(async move { one.enter().await });
        sleep(Duration::from_secs(1)).await;
        assert!(!waiting.is_finished());
        limits.requests = 4;
        budgets.set(limits);
        waiting.await.unwrap();
        drop(slots);
    }
}
