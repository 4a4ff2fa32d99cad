//! How many streams read one object, by how fast the first is.

use std::time::Duration;

use tokio::runtime::Handle;

/// Streams that bring so many bytes a second are fast.
const FAST: f64 = 256.0 * 1024.0 * 1024.0;

/// How many bytes tell how fast they are.
const LOOK: u64 = 4 << 20;

/// How fast the bytes of a stream come, while they are waited for.
#[derive(Debug, Default)]
pub(super) struct Speed {
    bytes: u64,
    waited: Duration,
}

/// What it was like of late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// The network keeps it waiting: others make it faster.
    Slow,
    /// Its thread is what it waits for: what is fetched beside it on the same thread only costs processor time.
    Fast,
}

/// How many threads the runtime has.
pub(super) fn threads() -> usize {
    Handle::current().metrics().num_workers()
}

impl Speed {
    /// So many more bytes came, that were waited for so long, while so many `streams` like this were read: what it was like, now
    /// and then.
    pub(super) fn pace(&mut self, bytes: u64, waited: Duration, streams: impl FnOnce() -> usize) -> Option<Pace> {
        self.bytes += bytes;
        self.waited += waited;
        if self.bytes < LOOK {
            return None;
        }
        let seen = std::mem::take(self);
        let is_slow = seen.bytes as f64 * streams() as f64 / FAST < seen.waited.as_secs_f64();
        Some(if is_slow { Pace::Slow } else { Pace::Fast })
    }
}

impl Pace {
    /// How many others are to help the first, of whom `helpers` do, where the runtime has so many threads.
    pub(super) fn helpers(self, helpers: usize, threads: usize) -> usize {
        match self {
            Self::Slow => usize::MAX,
            // One more each time: another may not make it faster.
            Self::Fast if helpers + 1 < threads => helpers + 1,
            Self::Fast => helpers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn it_is_judged_by_what_all_bring() {
        // 4 MiB in a 64th of a second are 256 MiB a second.
        let limit = Duration::from_secs(1) / 64;
        let pace = |waited, streams| Speed::default().pace(4 * MIB, waited, || streams);
        assert_eq!(pace(limit, 1), Some(Pace::Fast));
        assert_eq!(pace(limit + Duration::from_micros(1), 1), Some(Pace::Slow));
        assert_eq!(pace(4 * limit, 4), Some(Pace::Fast));
        assert_eq!(pace(5 * limit, 4), Some(Pace::Slow));
    }

    #[test]
    fn each_look_is_at_what_came_since_the_last() {
        let (mut speed, second) = (Speed::default(), Duration::from_secs(1));
        assert_eq!(speed.pace(4 * MIB - 1, second, || 1), None);
        assert_eq!(speed.pace(1, second, || 1), Some(Pace::Slow));
        assert_eq!(speed.pace(4 * MIB, Duration::ZERO, || 1), Some(Pace::Fast));
    }

    #[test]
    fn each_thread_has_a_stream() {
        assert_eq!(Pace::Slow.helpers(0, 1), usize::MAX);
        assert_eq!([0, 1].map(|helpers| Pace::Fast.helpers(helpers, 1)), [0, 1]);
        assert_eq!([0, 1, 2, 3].map(|helpers| Pace::Fast.helpers(helpers, 3)), [1, 2, 2, 3]);
    }
}
