//! How many requests one transfer has in flight.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use wharf_proto::transfer::Concurrency;

use super::adaptive::AdaptiveGate;
use super::budgets::{Budgets, Share};
use super::gate::Pass;
use super::silence::Silence;
use super::waiting::Again;
use crate::Client;
use crate::counters::Tally;

/// What a transfer's requests pass before they are sent: a number of its own, which grows while that helps and shrinks when the
/// server asks for less, then what the server takes from all transfers of the client, within what the process may have.
#[derive(Debug, Clone)]
pub(crate) struct Lane(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    own: AdaptiveGate,
    server: Arc<ServerLimit>,
    budgets: Budgets,
    tally: Arc<Tally>,
}

/// What all transfers of a client have in flight. There is no limit until the server asks for fewer: then as many lanes as
/// there are, each with a few requests, keep to what it takes of all of them.
#[derive(Debug)]
pub(crate) struct ServerLimit(AdaptiveGate);

/// So many are never in flight.
const NO_LIMIT: usize = 1 << 16;

/// How long a server's wish is remembered while nothing is sent.
const REMEMBERED: Duration = Duration::from_secs(30);

impl Default for ServerLimit {
    fn default() -> Self {
        Self(AdaptiveGate::from_the_first_throttle(Self::unlimited()))
    }
}

impl ServerLimit {
    fn unlimited() -> Concurrency {
        Concurrency::new(Some(NO_LIMIT))
    }

    async fn pass(&self) -> Pass {
        self.0.forget_after(REMEMBERED, Self::unlimited);
        self.0.pass().await
    }
}

/// Leave to send one request, and to read its answer.
#[derive(Debug)]
pub(crate) struct Slot {
    lane: Lane,
    leave: Mutex<Option<Leave>>,
    /// Microseconds without it.
    aside: AtomicU64,
}

#[derive(Debug)]
struct Leave {
    _own: Pass,
    _server: Pass,
    _shared: Share,
}

impl Lane {
    /// `concurrency` requests at a time of that client, fewer where the server wants that; `None` finds out how many are
    /// good.
    pub(crate) fn of(client: &Client, concurrency: Option<usize>) -> Self {
        let inner = client.inner();
        Self::beside(inner.server_takes.clone(), inner.budgets.clone(), inner.tally.clone(), concurrency)
    }

    fn beside(server: Arc<ServerLimit>, budgets: Budgets, tally: Arc<Tally>, concurrency: Option<usize>) -> Self {
        let own = AdaptiveGate::new(Concurrency::new(concurrency));
        Self(Arc::new(Shared { own, server, budgets, tally }))
    }

    /// The only one of its client.
    #[cfg(test)]
    pub(super) fn new(budgets: Budgets, tally: Arc<Tally>, concurrency: Option<usize>) -> Self {
        Self::beside(Arc::default(), budgets, tally, concurrency)
    }

    /// Whether the client has ever heard from a server.
    pub(super) fn was_answered(&self) -> bool {
        self.0.tally.was_answered()
    }

    /// For how long the client's server has served nothing.
    pub(super) fn silence(&self) -> &Silence {
        self.0.tally.silence()
    }

    /// A request that may be made again and again.
    pub(super) fn again(&self) -> Again<'_> {
        self.0.tally.waits().again()
    }

    /// Waits for leave to send one more request.
    pub(crate) async fn enter(&self) -> Slot {
        Slot { leave: Mutex::new(Some(self.leave().await)), lane: self.clone(), aside: AtomicU64::new(0) }
    }

    async fn leave(&self) -> Leave {
        let own = self.0.own.pass().await;
        let server = self.0.server.pass().await;
        Leave { _own: own, _server: server, _shared: self.0.budgets.request().await }
    }

    /// The server asked for fewer requests ([`ErrorKind::SlowDown`](wharf_proto::ErrorKind)).
    pub(crate) fn throttled(&self) {
        self.0.own.throttled();
        self.0.server.0.throttled();
    }

    /// A request moved so many bytes: at its end, or as they come.
    pub(crate) fn moved(&self, bytes: u64) {
        self.silence().served();
        self.0.own.moved(bytes);
        self.0.server.0.moved(bytes);
    }

    /// A request is made again.
    pub(crate) fn retried(&self) {
        self.0.tally.retry();
    }
}

impl Slot {
    /// Waits for what may itself need leave to send, which is given back meanwhile: whoever holds some and waits for more may
    /// wait for another who does the same.
    pub(crate) async fn aside<T>(&self, wait: impl Future<Output = T>) -> T {
        let mut wait = pin!(wait);
        // Mostly it takes no time.
        if let Some(done) = std::future::poll_fn(|cx| match wait.as_mut().poll(cx) {
            std::task::Poll::Ready(done) => std::task::Poll::Ready(Some(done)),
            std::task::Poll::Pending => std::task::Poll::Ready(None),
        })
        .await
        {
            return done;
        }
        let began = Instant::now();
        drop(self.leave.lock().unwrap_or_else(PoisonError::into_inner).take());
        let done = wait.await;
        let leave = self.lane.leave().await;
        *self.leave.lock().unwrap_or_else(PoisonError::into_inner) = Some(leave);
        self.aside.fetch_add(began.elapsed().as_micros() as u64, Ordering::Relaxed);
        done
    }

    /// How long it was given back.
    pub(crate) fn time_aside(&self) -> Duration {
        Duration::from_micros(self.aside.load(Ordering::Relaxed))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let held = self.leave.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Shared { own, server, .. } = &*self.lane.0;
        own.ended(usize::from(held.is_some()));
        server.0.ended(usize::from(held.is_some()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

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
        lane.0.own.limit()
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
    async fn what_one_lane_is_told_holds_for_all_of_the_client_for_a_while() {
        let (server, budgets) = (Arc::<ServerLimit>::default(), Budgets::new(Limits::default()));
        let lane = || Lane::beside(server.clone(), budgets.clone(), Arc::default(), Some(4));
        let (one, two) = (lane(), lane());
        let held = [one.enter().await, one.enter().await, one.enter().await, two.enter().await];
        one.throttled();
        drop(held);
        let held = [two.enter().await, two.enter().await];
        let waiting = tokio::spawn(async move { two.enter().await });
        sleep(REMEMBERED).await;
        assert!(!waiting.is_finished());
        drop(held);
        drop(waiting.await.unwrap());
        sleep(REMEMBERED).await;
        let three = lane();
        drop([three.enter().await, three.enter().await, three.enter().await]);
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

    #[tokio::test(start_paused = true)]
    async fn who_waits_aside_holds_nobody_up() {
        let budgets = Budgets::new(Limits { requests: 1, ..Limits::default() });
        let lane = Lane::new(budgets, Arc::default(), Some(1));
        let slot = lane.enter().await;
        assert_eq!(slot.aside(std::future::ready(7)).await, 7);
        let (done, wait) = tokio::sync::oneshot::channel();
        let waiting = tokio::spawn(async move {
            let waited = slot.aside(wait).await;
            (slot, waited)
        });
        // It needs the only one there is to end the other's waiting.
        let other = lane.enter().await;
        done.send(8).unwrap();
        sleep(Duration::from_secs(3)).await;
        assert!(!waiting.is_finished(), "two at a time");
        drop(other);
        let (slot, waited) = waiting.await.unwrap();
        assert_eq!((waited.unwrap(), slot.time_aside()), (8, Duration::from_secs(3)));
    }
}
