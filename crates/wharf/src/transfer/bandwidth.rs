//! So many bytes a second, and no more.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep, sleep};
use wharf_transport::{Body, BoxError};

use super::budgets::Budgets;
use crate::progress::Progress;

/// A limit that all bodies share, both ways together.
#[derive(Debug)]
pub(crate) struct Bandwidth {
    /// Bytes a second; 0 for no limit.
    rate: AtomicU64,
    meter: Mutex<Meter>,
    start: Instant,
}

/// Bytes are moved on credit, and whoever moved some waits until all that was moved up to then is paid for by time.
#[derive(Debug, Default)]
struct Meter {
    moved: f64,
    paid: f64,
    at: Duration,
}

/// Timers have milliseconds: so much time may be used later than it passed.
const BURST: Duration = Duration::from_millis(50);

/// No wait is longer, so that a limit that was raised meanwhile is seen.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

impl Meter {
    /// Up to where it is paid for: `rate` bytes for every second that has passed.
    fn advance(&mut self, rate: u64, now: Duration) {
        let rate = rate as f64;
        let earned = now.saturating_sub(self.at).as_secs_f64() * rate;
        self.paid = (self.paid + earned).min(self.moved + rate * BURST.as_secs_f64());
        self.at = now;
    }

    fn moved(&mut self, bytes: u64) -> f64 {
        self.moved += bytes as f64;
        self.moved
    }

    /// How long it takes until all up to `position` is paid for.
    fn wait(&self, position: f64, rate: u64) -> Option<Duration> {
        let owed = position - self.paid;
        // Less than a microsecond's worth is nothing.
        let wait = Duration::try_from_secs_f64(owed.max(0.0) / rate.max(1) as f64).unwrap_or(Duration::MAX);
        (wait > Duration::from_micros(1)).then_some(wait)
    }
}

impl Bandwidth {
    pub(crate) fn new(limit: Option<u64>) -> Self {
        Self { rate: AtomicU64::new(rate(limit)), meter: Mutex::default(), start: Instant::now() }
    }

    pub(crate) fn set(&self, limit: Option<u64>) {
        let mut meter = self.meter();
        match self.rate.swap(rate(limit), Ordering::Relaxed) {
            // What was moved while there was no limit is no debt.
            0 => *meter = Meter { moved: meter.moved, paid: meter.moved, at: self.start.elapsed() },
            before => meter.advance(before, self.start.elapsed()),
        }
    }

    pub(crate) fn limit(&self) -> Option<u64> {
        Some(self.rate.load(Ordering::Relaxed)).filter(|rate| *rate > 0)
    }

    /// Counts bytes; gives back what has to be paid for before the same body moves more.
    fn moved(&self, bytes: u64) -> Option<f64> {
        let rate = self.limit()?;
        let mut meter = self.meter();
        meter.advance(rate, self.start.elapsed());
        Some(meter.moved(bytes))
    }

    fn wait(&self, position: f64) -> Option<Duration> {
        let rate = self.limit()?;
        let mut meter = self.meter();
        meter.advance(rate, self.start.elapsed());
        meter.wait(position, rate)
    }

    fn meter(&self) -> MutexGuard<'_, Meter> {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn rate(limit: Option<u64>) -> u64 {
    limit.map_or(0, |rate| rate.max(1))
}

/// One body's way through the limit.
#[derive(Debug)]
pub(crate) struct Pace {
    budgets: Budgets,
    /// What has to be paid for before more is moved; `None` when nothing is owed.
    owes: Option<f64>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    /// A body that begins now waits for what others have moved.
    pub(crate) fn new(budgets: &Budgets) -> Self {
        Self { owes: budgets.bandwidth().moved(0), budgets: budgets.clone(), timer: None }
    }

    /// Ready when more may be moved. `timers` is the runtime to wait on where the thread may have none.
    pub(crate) fn poll_ready(&mut self, timers: Option<&Handle>, cx: &mut Context<'_>) -> Poll<()> {
        if self.owes.is_none() {
            return Poll::Ready(());
        }
        let _entered = timers.map(Handle::enter);
        while let Some(position) = self.owes {
            let Some(wait) = self.budgets.bandwidth().wait(position) else {
                self.owes = None;
                break;
            };
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(wait.min(LONGEST_WAIT))));
            ready!(timer.as_mut().poll(cx));
            self.timer = None;
        }
        self.timer = None;
        Poll::Ready(())
    }

    pub(crate) fn moved(&mut self, bytes: usize) {
        self.owes = self.budgets.bandwidth().moved(bytes as u64);
    }
}

/// A request's body that keeps to the limit there is when it begins.
pub(crate) fn paced(body: Body, budgets: &Budgets, progress: &Arc<Progress>) -> Body {
    if budgets.bandwidth().limit().is_none() || body.length() == Some(0) {
        return body;
    }
    let (length, pace) = (body.length(), Pace::new(budgets));
    let paced = Paced { body, rest: Bytes::new(), pace, progress: progress.clone() };
    Body::stream(length, paced)
}

struct Paced {
    body: Body,
    rest: Bytes,
    pace: Pace,
    progress: Arc<Progress>,
}

/// What is handed over at a time where there is a limit: more would come in jerks.
const PIECE: usize = 16 * 1024;

impl Stream for Paced {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.pace.poll_ready(None, cx).is_pending() {
            // Nor does the server have to do anything meanwhile.
            this.progress.waits_for_caller();
            return Poll::Pending;
        }
        this.progress.peer_moved();
        if this.rest.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_next(cx)) {
                Some(Ok(bytes)) => this.rest = bytes,
                other => return Poll::Ready(other),
            }
        }
        let piece = this.rest.split_to(this.rest.len().min(PIECE));
        this.pace.moved(piece.len());
        Poll::Ready(Some(Ok(piece)))
    }
}

/// Counts the bytes of an answer that is read whole, and waits for them. An answer of none, as to a put, waits for nobody
/// else's: what is stored is known when it is.
pub(crate) async fn pace(bytes: usize, budgets: &Budgets) {
    if bytes == 0 {
        return;
    }
    let Some(position) = budgets.bandwidth().moved(bytes as u64) else { return };
    let mut pace = Pace { budgets: budgets.clone(), owes: Some(position), timer: None };
    std::future::poll_fn(|cx| pace.poll_ready(None, cx)).await;
}

#[cfg(test)]
mod tests {
    use super::super::budgets::Limits;
    use super::*;

    fn budgets(bandwidth: Option<u64>) -> Budgets {
        Budgets::new(Limits { bandwidth, ..Limits::default() })
    }

    fn slow(bytes: Vec<u8>, budgets: &Budgets) -> Body {
        paced(Body::from(Bytes::from(bytes)), budgets, &Progress::new(Arc::default(), None))
    }

    async fn read(mut body: Body) -> usize {
        let mut count = 0;
        while let Some(piece) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_next(cx)).await {
            count += piece.unwrap().len();
        }
        count
    }

    fn near(time: Duration, seconds: f64) {
        let difference = (time.as_secs_f64() - seconds).abs();
        assert!(difference < 0.06 + seconds * 0.02, "{time:?}, not {seconds} s");
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_share_the_limit() {
        let budgets = budgets(Some(1 << 20));
        let start = Instant::now();
        let body = || slow(vec![1; 2 << 20], &budgets);
        let (a, b, ()) = tokio::join!(read(body()), read(body()), pace(1 << 20, &budgets));
        assert_eq!((a, b), (2 << 20, 2 << 20));
        near(start.elapsed(), 5.0);
        let start = Instant::now();
        budgets.bandwidth().moved(1 << 20);
        pace(0, &budgets).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_fast_limit_is_reached_in_spite_of_slow_timers() {
        let budgets = budgets(Some(200 << 20));
        let start = Instant::now();
        read(slow(vec![1; 200 << 20], &budgets)).await;
        near(start.elapsed(), 1.0);
    }

    #[tokio::test(start_paused = true)]
    async fn many_small_bodies_keep_to_it_too() {
        let budgets = budgets(Some(64 * 1024));
        let start = Instant::now();
        for _ in 0..64 {
            read(slow(vec![1; 4096], &budgets)).await;
        }
        near(start.elapsed(), 4.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_is_lifted_and_set_while_bodies_wait() {
        let budgets = budgets(Some(1));
        let waiting = tokio::spawn(read(slow(vec![1; 1 << 20], &budgets)));
        tokio::time::sleep(Duration::from_secs(3)).await;
        let start = Instant::now();
        budgets.set(Limits { bandwidth: None, ..Limits::default() });
        assert!(!waiting.is_finished());
        waiting.await.unwrap();
        assert!(start.elapsed() <= LONGEST_WAIT);
        budgets.set(Limits { bandwidth: Some(1 << 20), ..Limits::default() });
        let start = Instant::now();
        read(slow(vec![1; 1 << 20], &budgets)).await;
        near(start.elapsed(), 1.0);
    }

    #[test]
    fn without_a_limit_a_body_is_left_alone() {
        let body = slow(b"abc".to_vec(), &budgets(None));
        assert_eq!(body.into_full().unwrap(), "abc");
    }
}
