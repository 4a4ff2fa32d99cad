//! How long work takes.

use std::fs;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Rounds of which the fastest and the middle one are shown: other programs only ever add time.
pub(crate) const ROUNDS: usize = 9;

/// The processor time of this thread where Linux tells it, so that other programs count little; else the time itself.
fn now() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    let spent = fs::read_to_string("/proc/thread-self/schedstat").ok();
    match spent.and_then(|text| text.split(' ').next()?.parse().ok()) {
        Some(nanos) => Duration::from_nanos(nanos),
        None => START.get_or_init(Instant::now).elapsed(),
    }
}

/// Does `work` this often in each round; the fastest round and the middle one, in nanoseconds each.
pub(crate) fn measure<T>(times: u32, mut work: impl FnMut() -> T) -> (f64, f64) {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = now();
            for _ in 0..times {
                std::hint::black_box(work());
            }
            (now() - start).as_nanos() as f64 / f64::from(times)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    (rounds[0], rounds[ROUNDS / 2])
}
