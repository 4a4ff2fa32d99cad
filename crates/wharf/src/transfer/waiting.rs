//! What a client's transfers wait for while its server is away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use wharf_proto::Error;

use crate::progress::after;

/// What the transfers of a client wait for, where its server cannot be reached or does not do what it is asked:
/// [`Client::waiting`](crate::Client::waiting).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// The server: its URL, or the host of the region.
    pub server: String,
    /// What went wrong last.
    pub reason: String,
    /// For how long nothing came of it.
    pub so_far: Duration,
    /// For how long it is tried yet, if nothing moves: what is left of the transfer's
    /// [`patience`](super::Upload::patience).
    pub left: Duration,
}

/// Where transfers say that they wait.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    /// Whether there is anything to forget: each request that succeeds asks.
    any: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How many requests are made again and again.
    count: usize,
    wait: Option<Wait>,
    /// When one succeeded last, while others waited.
    came: Option<Instant>,
}

#[derive(Debug)]
struct Wait {
    reason: String,
    since: Instant,
    until: Instant,
}

/// One request that may be made again and again. Dropped, it no longer is.
#[derive(Debug)]
pub(super) struct Again<'a> {
    waits: &'a Waits,
    is_counted: bool,
}

impl Waits {
    pub(super) fn again(&self) -> Again<'_> {
        Again { waits: self, is_counted: false }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is waited for now.
    pub(crate) fn now(&self, server: impl FnOnce() -> String) -> Option<Waiting> {
        if !self.any.load(Ordering::Relaxed) {
            return None;
        }
        let state = self.state();
        let Wait { reason, since, until } = state.wait.as_ref()?;
        let left = until.saturating_duration_since(Instant::now());
        Some(Waiting { server: server(), reason: reason.clone(), so_far: since.elapsed(), left })
    }
}

impl Again<'_> {
    /// It failed, after nothing has moved for `tried`, and is made again for as long as `left`.
    pub(super) fn failed(&mut self, error: &Error, tried: Duration, left: Duration) {
        let (now, mut state) = (Instant::now(), self.waits.state());
        state.count += usize::from(!std::mem::replace(&mut self.is_counted, true));
        let since = now.checked_sub(tried).unwrap_or(now);
        let since = state.wait.as_ref().map_or(since, |wait| wait.since.min(since));
        let since = state.came.map_or(since, |came| came.max(since));
        // Of several, the one that goes on longest.
        let until = state.wait.as_ref().map_or(now, |wait| wait.until).max(after(now, left));
        state.wait = Some(Wait { reason: error.message().to_owned(), since, until });
        self.waits.any.store(true, Ordering::Relaxed);
    }

    /// The server did what it was asked, or some of it.
    pub(super) fn came(&self) {
        if self.waits.any.swap(false, Ordering::Relaxed) {
            let mut state = self.waits.state();
            (state.wait, state.came) = (None, Some(Instant::now()));
        }
    }
}

impl Drop for Again<'_> {
    fn drop(&mut self) {
        if self.is_counted {
            let mut state = self.waits.state();
            state.count -= 1;
            if state.count == 0 {
                state.wait = None;
            }
        }
    }
}
