//! How many requests at a time are good: found by trying.

use std::time::Duration;

/// Where the search begins. On a fast link more streams only cost processor time.
const FIRST: usize = 2;

/// As far as it goes by itself.
const MOST: usize = 64;

/// No shorter time says anything of the rate.
const WINDOW: Duration = Duration::from_millis(250);

/// How long a number is kept after a larger one did not pay, or the server asked for less.
const HOLD: Duration = Duration::from_secs(10);
const HOLD_AFTER_THROTTLE: Duration = Duration::from_secs(2);

/// The share of the gain that there would be without any bottleneck which pays for more requests.
const WORTHWHILE: f64 = 0.3;

/// A stream that moves as many bytes a second is held back by nothing that another stream would get around.
const FAST_STREAM: f64 = 256.0 * 1024.0 * 1024.0;

/// What a request is worth beside its bytes: small ones are measured by their number.
const REQUEST: f64 = 32.0 * 1024.0;

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
    /// The requests to skip are those that were in flight when it was halved.
    was_halved: bool,
    window: Window,
}

/// What is measured since the number last changed.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    /// Requests to let end first: they began under the number before.
    skip: usize,
    began: Duration,
    bytes: u64,
    requests: usize,
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
            was_halved: false,
            window: Window::default(),
        }
    }

    /// How many requests may be in flight now.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// A request ended; `in_flight` others are on their way. `bytes` were moved by all requests so far. `is_wanted`: there is
    /// more to do than may be done now.
    pub fn ended(&mut self, bytes: u64, in_flight: usize, is_wanted: bool, now: Duration) {
        let window = &mut self.window;
        if window.skip > 0 {
            window.skip -= 1;
            if window.skip == 0 {
                *window = Window { began: now, bytes, ..Window::default() };
            }
            return;
        }
        window.requests += 1;
        let time = now.saturating_sub(window.began);
        if window.requests < self.limit || time < WINDOW {
            return;
        }
        let moved = bytes.saturating_sub(window.bytes) as f64 + window.requests as f64 * REQUEST;
        *window = Window { began: now, bytes, ..Window::default() };
        // Else the number is not what holds it back.
        if is_wanted {
            self.judge(moved / time.as_secs_f64(), in_flight, now);
        }
    }

    fn judge(&mut self, rate: f64, in_flight: usize, now: Duration) {
        if let Some((before, rate_before)) = self.raised_from.take() {
            let ideal = self.limit as f64 / before as f64 - 1.0;
            if rate < rate_before * (1.0 + WORTHWHILE * ideal) {
                self.doubling = false;
                self.hold_until = now + HOLD;
                self.change(before, in_flight);
                return;
            }
        }
        let is_fast = rate / self.limit as f64 > FAST_STREAM;
        if self.limit < self.most && now >= self.hold_until && !is_fast {
            self.raised_from = Some((self.limit, rate));
            let step = if self.doubling { self.limit } else { (self.limit / 4).max(1) };
            self.change((self.limit + step).min(self.most), in_flight);
        }
    }

    /// The server asked for fewer requests: half as many, once for all the requests that are `in_flight`.
    pub fn throttled(&mut self, in_flight: usize, now: Duration) {
        if self.was_halved && self.window.skip > 0 {
            return;
        }
        self.raised_from = None;
        self.doubling = false;
        self.hold_until = now + HOLD_AFTER_THROTTLE;
        self.change((self.limit / 2).max(1), in_flight);
        self.was_halved = true;
    }

    fn change(&mut self, limit: usize, in_flight: usize) {
        self.limit = limit;
        self.was_halved = false;
        (self.window.skip, self.window.requests) = (in_flight, 0);
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
        bytes: u64,
    }

    impl Link {
        fn new(wanted: Option<usize>) -> Self {
            Self { concurrency: Concurrency::new(wanted), now: Duration::ZERO, bytes: 0 }
        }

        fn second(&mut self, bytes: u64) -> usize {
            self.now += Duration::from_secs(1);
            self.bytes += bytes;
            let in_flight = self.concurrency.limit();
            for _ in 0..in_flight {
                self.concurrency.ended(self.bytes, in_flight - 1, true, self.now);
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
        assert_eq!(numbers, [4, 4, 8, 16, 16, 32, 32, 64, 64, 64, 64, 64]);
    }

    #[test]
    fn it_goes_back_where_it_did_not_pay_and_asks_again_later() {
        let mut link = Link::new(None);
        let numbers = link.seconds(9, |n| n.min(8) as u64 * 10 * MIB);
        assert_eq!(numbers, [4, 4, 8, 16, 16, 8, 8, 8, 8]);
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
    }

    #[test]
    fn a_throttled_one_is_halved_once_and_grows_back() {
        let mut link = Link::new(Some(16));
        link.seconds(1, |n| n as u64 * MIB);
        for _ in 0..16 {
            link.concurrency.throttled(16, link.now);
        }
        assert_eq!(link.concurrency.limit(), 8);
        assert_eq!(link.seconds(12, |n| n as u64 * MIB), [8, 8, 10, 10, 12, 12, 15, 15, 16, 16, 16, 16]);
        let mut link = Link::new(Some(2));
        for seconds in 1..9 {
            link.seconds(1, |_| 0);
            link.concurrency.throttled(1, Duration::from_secs(seconds));
        }
        assert_eq!(link.concurrency.limit(), 1);
    }

    #[test]
    fn small_requests_are_measured_by_their_number() {
        assert_eq!(Link::new(None).seconds(9, |_| 0).last(), Some(&64));
    }

    #[test]
    fn a_transfer_that_has_less_to_do_leaves_the_number_alone() {
        let mut concurrency = Concurrency::new(None);
        for seconds in 1..60 {
            concurrency.ended(seconds * MIB, 1, false, Duration::from_secs(seconds));
        }
        assert_eq!(concurrency.limit(), FIRST);
    }
}
