//! Trying again for as long as anything moves.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use wharf_proto::{Error, ErrorKind};

use super::handle::Watch;
use super::lane::Lane;

/// How long a transfer goes on trying while nothing moves, unless it is told otherwise.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5 * 60);

const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Makes a request again and again until it succeeds, fails for good, or the whole transfer has not moved for `patience`.
///
/// The client's own retries and their quota are for small requests: those that go through here are sent by a client that makes
/// one attempt ([`Client::for_transfers`](crate::Client)).
pub(crate) async fn patiently<T, F>(
    lane: &Lane,
    watch: &Watch,
    patience: Duration,
    jitter: impl Fn() -> f64,
    mut attempt: impl FnMut() -> F,
) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut since = (watch.bytes(), Instant::now());
    let mut wait = FIRST_WAIT;
    loop {
        let slot = lane.enter().await?;
        let result = attempt().await;
        drop(slot);
        let error = match result {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        if error.kind() == ErrorKind::SlowDown {
            lane.throttled();
        }
        if watch.bytes() != since.0 {
            since = (watch.bytes(), Instant::now());
            wait = FIRST_WAIT;
        }
        if !may_pass(&error) || since.1.elapsed() + wait > patience {
            return Err(error);
        }
        watch.retried();
        sleep(wait.mul_f64(jitter())).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Whether the same request may succeed later.
fn may_pass(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::SlowDown | ErrorKind::Timeout | ErrorKind::Transport | ErrorKind::Server)
        || error.status().is_some_and(|status| status.is_server_error() && status != http::StatusCode::NOT_IMPLEMENTED)
        || error.code() == Some("RequestTimeout")
}
