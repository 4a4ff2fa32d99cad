//! Whether the first stream of a download needs help.

use std::time::Duration;

/// A stream that brings so many bytes a second is fast.
const FAST: f64 = 256.0 * 1024.0 * 1024.0;

/// How many bytes tell how fast it is.
const LOOK: u64 = 4 << 20;

/// How fast bytes come, while they are waited for.
#[derive(Debug, Default)]
pub(super) struct Speed {
    bytes: u64,
    waited: Duration,
}

/// What a stream was like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// The network keeps it waiting: others would make it faster.
    Slow,
    /// Its thread is what it waits for: what is fetched beside it on the same thread would only cost processor time.
    Fast,
}

impl Speed {
    /// So many more bytes came, that were waited for so long. What they were like, now and then.
    pub(super) fn pace(&mut self, bytes: u64, waited: Duration) -> Option<Pace> {
        self.bytes += bytes;
        self.waited += waited;
        if self.bytes < LOOK {
            return None;
        }
        let seen = std::mem::take(self);
        let is_slow = seen.bytes as f64 / FAST < seen.waited.as_secs_f64();
        Some(if is_slow { Pace::Slow } else { Pace::Fast })
    }
}
