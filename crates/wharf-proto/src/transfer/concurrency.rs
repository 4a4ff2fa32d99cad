//! How many requests at a time are good: found by trying.

use std::time::Duration;

/// Where the search begins. On a fast link more streams only cost processor time.
const FIRST: usize = 2;

/// As far as it goes by itself.
const MOST: usize = 64;

/// No shorter time says anything of the rate.
const WINDOW: Duration = Duration::from_millis(250);

/// How long a change takes to show, at least.
const SETTLING: Duration = Duration::from_millis(100);

/// How long a number is kept after a larger one did not pay, or the server asked for less.
const HOLD: Duration = Duration::from_secs(10);
const HOLD_AFTER_THROTTLE: Duration = Duration::from_secs(2);

/// The share of the gain that there would be without any bottleneck which pays for more requests.
const WORTHWHILE: f64 = 0.3;

/// A stream that moves as many bytes a second is held back by nothing that another stream would get around.
const FAST_STREAM: f64 = 256.0 * 1024.0 * 1024.0;

/// What an event is worth beside its bytes: small requests are measured by their number.
const EVENT: f64 = 16.0 * 1024.0;

/// What has happened so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    /// Bytes in all.
    pub bytes: u64,
    /// How often some bytes came, and how many requests ended.
    pub events: u64,
    /// How many requests ended.
    pub ended: u64,
}

/// How many requests a transfer should have in flight. It grows while that makes the transfer faster, and is halved when the
/// server asks for less.
///
/// Time is the caller's: any that grows, from the same origin.
#[derive(Debug, Clone)]
pub struct Concurrency {
    limit: usize,
    most: usize,
    /// What it was raised from, and the rate there.
    raised_from: Option<(usize, f64)>,
    /// No step has failed yet: steps may be large.
    doubling: bool,
    hold_until: Duration,
    /// Until as many requests have ended, the server's wish is heeded already.
    halved_until: u64,
    window: Window,
}

/// What is measured since the number last changed.
#[derive(Debug, Clone, Copy)]
enum Window {
    /// What began under the number before ends first.
    Settling {
        events: u64,
        until: Duration,
    },
    Measuring {
        from: Moved,
        began: Duration,
    },
}

impl Concurrency {
    /// `wanted` and never more; `None` begins with two and finds out.
    pub fn new(wanted: Option<usize>) -> Self {
        Self {
            limit: wanted.unwrap_or(FIRST).max(1),
            most: wanted.unwrap_or(MOST).max(1),
            raised_from: None,
            doubling: wanted.is_none(),
            hold_until: Duration::ZERO,
            halved_until: 0,
            window: Window::Measuring { from: Moved::default(), began: Duration::ZERO },
        }
    }

    /// How many requests may be in flight now.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Something happened: `moved` is all up to now. `others` requests are in flight. `is_wanted`: there is more to do than
    /// may be done now.
    pub fn saw(&mut self, moved: Moved, others: usize, is_wanted: bool, now: Duration) {
        match self.window {
            Window::Settling { events, until } => {
                if moved.events >= events && now >= until {
                    self.window = Window::Measuring { from: moved, began: now };
                }
            }
            Window::Measuring { from, began } => {
                let time = now.saturating_sub(began);
                let events = moved.events.saturating_sub(from.events);
                // Of each request two: its bytes came, and it ended.
                if events < (self.limit as u64).saturating_mul(2) || time < WINDOW {
                    return;
                }
                self.window = Window::Measuring { from: moved, began: now };
                // Else the number is not what holds it back.
                if is_wanted {
                    let bytes = moved.bytes.saturating_sub(from.bytes) as f64 + events as f64 * EVENT;
                    self.judge(bytes / time.as_secs_f64(), moved.events + 2 * others as u64, now);
                }
            }
        }
    }

    fn judge(&mut self, rate: f64, settled: u64, now: Duration) {
        if let Some((before, rate_before)) = self.raised_from.take() {
            let ideal = self.limit as f64 / before as f64 - 1.0;
            if rate < rate_before * (1.0 + WORTHWHILE * ideal) {
                self.doubling = false;
                self.hold_until = now + HOLD;
                self.change(before, settled, now);
                return;
            }
        }
        let is_fast = rate / self.limit as f64 > FAST_STREAM;
        if self.limit < self.most && now >= self.hold_until && !is_fast {
            self.raised_from = Some((self.limit, rate));
            let step = if self.doubling { self.limit } else { (self.limit / 4).max(1) };
            self.change((self.limit + step).min(self.most), settled, now);
        }
    }

    /// The server asked for fewer requests: half as many as there are, once for all the requests that are `in_flight`. Until as
    /// many have ended: pieces of bodies that come meanwhile are no sign that they have.
    pub fn throttled(&mut self, moved: Moved, in_flight: usize, now: Duration) {
        if moved.ended < self.halved_until {
            return;
        }
        self.halved_until = moved.ended + in_flight as u64;
        self.raised_from = None;
        self.doubling = false;
        self.hold_until = now + HOLD_AFTER_THROTTLE;
        self.change((self.limit.min(in_flight) / 2).max(1), moved.events + in_flight as u64, now);
    }

    fn change(&mut self, limit: usize, settled: u64, now: Duration) {
        self.limit = limit;
        self.window = Window::Settling { events: settled, until: now + SETTLING };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// A link on which, in a second, as many requests end as may be in flight.
    struct Link {
        concurrency: Concurrency,
        now: Duration,
        moved: Moved,
    }

    impl Link {
        fn new(wanted: Option<usize>) -> Self {
            Self { concurrency: Concurrency::new(wanted), now: Duration::ZERO, moved: Moved::default() }
        }

        fn second(&mut self, bytes: u64) -> usize {
            self.now += Duration::from_secs(1);
            let in_flight = self.concurrency.limit();
            for _ in 0..in_flight {
                self.moved.bytes += bytes / in_flight as u64;
                self.moved.events += 2;
                self.moved.ended += 1;
                self.concurrency.saw(self.moved, in_flight - 1, true, self.now);
            }
            self.concurrency.limit()
        }

        /// The number after each of some seconds.
        fn seconds(&mut self, count: usize, rate: impl Fn(usize) -> u64) -> Vec<usize> {
            (0..count).map(|_| self.second(rate(self.concurrency.limit()))).collect()
        }
    }

    #[test]
    fn it_grows_while_that_pays() {
        let numbers = Link::new(None).seconds(12, |n| n as u64 * 10 * MIB);
        assert_eq!(numbers, [4, 4, 8, 8, 16, 16, 32, 32, 64, 64, 64, 64]);
    }

    #[test]
    fn it_goes_back_where_it_did_not_pay_and_asks_again_later() {
        let mut link = Link::new(None);
        let numbers = link.seconds(9, |n| n.min(8) as u64 * 10 * MIB);
        assert_eq!(numbers, [4, 4, 8, 8, 16, 16, 8, 8, 8]);
        let later = link.seconds(20, |n| n.min(8) as u64 * 10 * MIB);
        assert!(later.iter().all(|n| [8, 10].contains(n)), "{later:?}");
        assert!((1..=4).contains(&later.iter().filter(|n| **n == 10).count()), "{later:?}");
    }

    #[test]
    fn two_fast_streams_are_enough() {
        assert_eq!(Link::new(None).seconds(20, |_| 1 << 30), [2; 20]);
    }

    #[test]
    fn what_was_wanted_is_the_most() {
        assert_eq!(Link::new(Some(16)).seconds(5, |n| n as u64 * MIB), [16; 5]);
        assert_eq!(Concurrency::new(Some(0)).limit(), 1);
        assert_eq!(Link::new(Some(usize::MAX)).concurrency.limit(), usize::MAX);
    }

    /// Several of many requests are refused at about the same time, between pieces of the bodies of the others.
    #[test]
    fn a_burst_of_refusals_halves_once() {
        // How many are refused, how many pieces come and how many requests end after each, and what is left of 32.
        for (refused, pieces, ended, left) in
            [(5, 0, 0, 16), (5, 32, 0, 16), (5, 1000, 1, 16), (31, 1000, 1, 16), (33, 0, 1, 8), (33, 1000, 1, 8)]
        {
            let mut concurrency = Concurrency::new(Some(32));
            let mut moved = Moved { bytes: 0, events: 100, ended: 50 };
            let mut in_flight = 32;
            for millis in 0..refused {
                let now = Duration::from_millis(millis);
                concurrency.throttled(moved, in_flight, now);
                for _ in 0..pieces {
                    moved.bytes += 16 * 1024;
                    moved.events += 1;
                    concurrency.saw(moved, in_flight, true, now);
                }
                moved.ended += ended;
                moved.events += ended;
                in_flight = concurrency.limit();
            }
            assert_eq!(concurrency.limit(), left, "{refused} refused, {pieces} pieces and {ended} ends after each");
        }
    }

    #[test]
    fn a_throttled_one_is_halved_once_and_grows_back() {
        let mut link = Link::new(Some(16));
        link.seconds(1, |n| n as u64 * MIB);
        for _ in 0..16 {
            link.concurrency.throttled(link.moved, 16, link.now);
        }
        assert_eq!(link.concurrency.limit(), 8);
        assert_eq!(link.seconds(12, |n| n as u64 * MIB), [8, 10, 10, 12, 12, 15, 15, 16, 16, 16, 16, 16]);
        let mut link = Link::new(Some(2));
        for seconds in 1..9 {
            link.seconds(1, |_| 0);
            link.concurrency.throttled(link.moved, 1, Duration::from_secs(seconds));
        }
        assert_eq!(link.concurrency.limit(), 1);
    }

    /// One request that lasts, whose bytes come piece by piece.
    #[test]
    fn long_requests_are_measured_by_their_bytes() {
        let mut concurrency = Concurrency::new(None);
        let mut moved = Moved::default();
        let mut numbers = vec![2];
        for millis in 1..4000 {
            moved.events += 1;
            moved.bytes += concurrency.limit().min(16) as u64 * 10_000;
            concurrency.saw(moved, concurrency.limit(), true, Duration::from_millis(millis));
            numbers.push(concurrency.limit());
        }
        numbers.dedup();
        assert_eq!(numbers, [2, 4, 8, 16, 32, 16]);
    }

    #[test]
    fn small_requests_are_measured_by_their_number() {
        assert_eq!(Link::new(None).seconds(9, |_| 0).last(), Some(&64));
    }

    #[test]
    fn a_transfer_that_has_less_to_do_leaves_the_number_alone() {
        let mut concurrency = Concurrency::new(None);
        for seconds in 1..60 {
            let moved = Moved { bytes: seconds * MIB, events: 2 * seconds, ended: seconds };
            concurrency.saw(moved, 1, false, Duration::from_secs(seconds));
        }
        assert_eq!(concurrency.limit(), FIRST);
    }
}
