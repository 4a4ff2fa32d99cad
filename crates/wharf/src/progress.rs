//! The timeout on lack of progress: its clock runs only while we wait for the peer, never for the caller.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use tokio::time::{Instant, Sleep, sleep_until};
use wharf_proto::{Error, ErrorKind};
use wharf_transport::BoxError;

use crate::counters::Tally;

/// When the peer last did something, as far as the request's body shows it.
#[derive(Debug)]
pub(crate) struct Progress {
    start: Instant,
    /// Milliseconds after `start`, or [`WAITING_FOR_CALLER`].
    last: AtomicU64,
    tally: Arc<Tally>,
    flight: Option<Arc<Flight>>,
    /// How many of those in flight are this request's.
    sent: AtomicU64,
}

/// What the requests of a transfer have under way.
#[derive(Debug)]
pub(crate) struct Flight {
    start: Instant,
    /// Those that were sent and are not known to have arrived.
    bytes: Arc<AtomicU64>,
    /// When more was last asked for, as it is once a peer has taken what there was, in milliseconds after `start`.
    taken: AtomicU64,
}

impl Default for Flight {
    fn default() -> Self {
        Self::counting(Arc::default())
    }
}

impl Flight {
    fn counting(bytes: Arc<AtomicU64>) -> Self {
        Self { start: Instant::now(), bytes, taken: AtomicU64::new(0) }
    }

    /// Of another transfer, whose bytes are counted with these. When it moves is its own affair.
    pub(crate) fn beside(&self) -> Self {
        Self::counting(self.bytes.clone())
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// When a peer last took bytes, as far as is known; at first when the transfer began.
    pub(crate) fn taken(&self) -> Instant {
        self.start + Duration::from_millis(self.taken.load(Ordering::Relaxed))
    }

    fn add(&self, bytes: u64, now: Instant) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.taken.store(now.saturating_duration_since(self.start).as_millis() as u64, Ordering::Relaxed);
    }
}

const WAITING_FOR_CALLER: u64 = u64::MAX;

impl Progress {
    /// `flight` is told of the bytes of the request until it has ended.
    pub(crate) fn new(tally: Arc<Tally>, flight: Option<Arc<Flight>>) -> Arc<Self> {
        tally.awaits(true);
        let (start, last, sent) = (Instant::now(), AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self { start, last, tally, flight, sent })
    }

    pub(crate) fn peer_moved(&self) {
        self.saw(self.start.elapsed().as_millis() as u64);
    }

    /// So many bytes of the request were handed to the transport, now that the peer took those before.
    pub(crate) fn sent(&self, bytes: usize) {
        self.tally.sent(bytes);
        self.peer_moved();
        if let Some(flight) = &self.flight {
            flight.add(bytes as u64, self.start + Duration::from_millis(self.last.load(Ordering::Relaxed)));
            self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
        }
    }

    pub(crate) fn waits_for_caller(&self) {
        self.saw(WAITING_FOR_CALLER);
    }

    fn saw(&self, now: u64) {
        let was_awaited = self.last.swap(now, Ordering::Relaxed) != WAITING_FOR_CALLER;
        let is_awaited = now != WAITING_FOR_CALLER;
        if was_awaited != is_awaited {
            self.tally.awaits(is_awaited);
        }
    }

    /// For so long nobody was there to see whether the peer moved.
    fn nobody_looked(&self, for_so_long: Duration) {
        let (now, millis) = (self.start.elapsed().as_millis() as u64, for_so_long.as_millis() as u64);
        let _ = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
            (last != WAITING_FOR_CALLER).then(|| now.min(last + millis))
        });
    }

    /// When the peer will have been silent for `limit`, if nothing happens until then.
    fn deadline(&self, limit: Duration) -> Instant {
        match self.last.load(Ordering::Relaxed) {
            WAITING_FOR_CALLER => after(Instant::now(), limit),
            millis => after(self.start + Duration::from_millis(millis), limit),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if *self.last.get_mut() != WAITING_FOR_CALLER {
            self.tally.awaits(false);
        }
        if let Some(flight) = &self.flight {
            flight.bytes.fetch_sub(*self.sent.get_mut(), Ordering::Relaxed);
        }
    }
}

/// `Duration::MAX` means no limit, and no clock goes as far.
pub(crate) fn after(instant: Instant, limit: Duration) -> Instant {
    const DECADES: Duration = Duration::from_secs(30 * 365 * 86_400);
    instant.checked_add(limit.min(DECADES)).unwrap_or(instant)
}

/// A timer that is looked at later than this was left alone: the caller polled something else. So much of that counts, or who
/// is always late would wait for a dead server for ever.
const LEFT_ALONE: Duration = Duration::from_secs(1);

/// A wait is looked at so many times, so that what of it nobody polled is seen.
const LOOKS: u32 = 4;

/// Whether nobody has looked at a timer that is due.
fn is_left_alone(timer: &Sleep) -> bool {
    timer.deadline().elapsed() > LEFT_ALONE
}

/// Runs `step` until it is done or has been polled for as long as `left`, which becomes less meanwhile.
pub(crate) async fn within<T>(left: &mut Duration, step: impl Future<Output = T>) -> Option<T> {
    let mut step = pin!(step);
    let look = *left / LOOKS;
    let mut looked = Instant::now();
    let mut timer = pin!(sleep_until(after(looked, look)));
    poll_fn(|cx| {
        let done = step.as_mut().poll(cx);
        if done.is_ready() {
            *left = left.saturating_sub(looked.elapsed().min(look));
            return done.map(Some);
        }
        while timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            let counted = if is_left_alone(&timer) { LEFT_ALONE } else { now - looked };
            *left = left.saturating_sub(counted);
            looked = now;
            if left.is_zero() {
                return Poll::Ready(None);
            }
            timer.as_mut().reset(after(now, look.min(*left)));
        }
        Poll::Pending
    })
    .await
}

/// Runs `exchange` until it is done or the peer has been silent for `limit`.
pub(crate) async fn with_limit<T>(
    exchange: impl Future<Output = T>,
    progress: &Progress,
    limit: Duration,
) -> Option<T> {
    let mut exchange = pin!(exchange);
    let next_look = |now| progress.deadline(limit).min(after(now, limit / LOOKS));
    let mut looked = Instant::now();
    let mut timer = pin!(sleep_until(next_look(looked)));
    poll_fn(|cx| {
        if let Poll::Ready(done) = exchange.as_mut().poll(cx) {
            return Poll::Ready(Some(done));
        }
        while timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            if is_left_alone(&timer) {
                progress.nobody_looked((now - looked).saturating_sub(LEFT_ALONE));
            }
            if progress.deadline(limit) <= now {
                return Poll::Ready(None);
            }
            looked = now;
            timer.as_mut().reset(next_look(now));
        }
        Poll::Pending
    })
    .await
}

/// A request's body that tells [`Progress`] who is waiting for whom.
///
/// Each poll by the transport means that the peer took what it had been given. Large buffers are handed over in
/// pieces, so that a slow peer shows its progress.
pub(crate) struct Watched<S> {
    stream: S,
    rest: Bytes,
    progress: Arc<Progress>,
}

/// The transport collects 16 pieces before it writes: as much as fits into a core's cache together with what it was made of.
const PIECE: usize = 16 * 1024;

impl<S> Watched<S> {
    pub(crate) fn new(stream: S, progress: Arc<Progress>) -> Self {
        Self { stream, rest: Bytes::new(), progress }
    }
}

impl<S: Stream<Item = Result<Bytes, BoxError>> + Unpin> Stream for Watched<S> {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.rest.is_empty() {
            match Pin::new(&mut this.stream).poll_next(cx) {
                Poll::Ready(Some(Ok(bytes))) => this.rest = bytes,
                Poll::Ready(other) => {
                    this.progress.peer_moved();
                    return Poll::Ready(other);
                }
                Poll::Pending => {
                    this.progress.waits_for_caller();
                    return Poll::Pending;
                }
            }
        }
        let piece = this.rest.split_to(this.rest.len().min(PIECE));
        this.progress.sent(piece.len());
        Poll::Ready(Some(Ok(piece)))
    }
}

/// The same limit for an answer's body, which runs only while somebody is polling for more.
#[derive(Debug)]
pub(crate) struct StallTimer {
    limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl StallTimer {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, timer: None }
    }

    /// What to tell the caller once it is ready.
    pub(crate) fn error(&self) -> Error {
        Error::new(ErrorKind::Timeout, format!("the server was silent for {:?} amid its answer", self.limit))
    }

    /// Something came: the next wait begins anew.
    pub(crate) fn moved(&mut self) {
        self.timer = None;
    }

    /// Nothing came: ready once that has lasted too long.
    pub(crate) fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = after(Instant::now(), self.limit);
        self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline))).as_mut().poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::time::{advance, sleep};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_step_has_the_time_in_which_it_is_polled() {
        let (mut left, began) = (5 * SECOND, Instant::now());
        assert_eq!(within(&mut left, sleep(2 * SECOND)).await, Some(()));
        assert!(left <= 3 * SECOND + SECOND / 100 && left > 2 * SECOND, "{left:?}");
        assert_eq!(within(&mut left, std::future::pending::<()>()).await, None);
        assert_eq!((left, began.elapsed().as_secs()), (Duration::ZERO, 5));

        let mut left = 5 * SECOND;
        {
            let mut step = pin!(within(&mut left, std::future::pending::<()>()));
            assert!(step.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            advance(60 * SECOND).await;
            let alone = Instant::now();
            assert_eq!(step.await, None);
            assert_eq!(alone.elapsed().as_secs(), 4);
        }
    }
}
