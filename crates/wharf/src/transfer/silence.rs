//! For how long nothing has come of a client's server while its transfers try it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// How long a server is tried at least, however long others have tried it in vain; what is shorter is no silence.
pub(crate) const LEAST: Duration = Duration::from_secs(1);

/// How long it is remembered while nobody tries.
pub(super) const REMEMBERED: Duration = Duration::from_secs(30);

/// What all transfers of a client know of their server together.
#[derive(Debug)]
pub(crate) struct Silence {
    start: Instant,
    /// When something came last, in milliseconds after `start`.
    heard: AtomicU64,
    /// Whether anything was tried in vain since.
    lasts: AtomicBool,
    tried: Mutex<Option<Tried>>,
    ended: watch::Sender<()>,
}

/// From when to when requests were tried in vain, with nothing in between that came.
#[derive(Debug)]
struct Tried {
    first: Instant,
    last: Instant,
}

impl Default for Silence {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            heard: AtomicU64::new(0),
            lasts: AtomicBool::new(false),
            tried: Mutex::default(),
            ended: watch::Sender::new(()),
        }
    }
}

impl Silence {
    fn tried(&self) -> MutexGuard<'_, Option<Tried>> {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something came from the server.
    pub(crate) fn heard(&self) {
        let now = self.start.elapsed().as_millis() as u64;
        // All threads share it.
        if self.heard.load(Ordering::Relaxed) != now {
            self.heard.store(now, Ordering::Relaxed);
        }
        if self.lasts.load(Ordering::Relaxed) && self.lasts.swap(false, Ordering::Relaxed) {
            let tried = self.tried().take();
            // Where others are served all the time, one that is not has no reason to hurry.
            if tried.is_some_and(|tried| tried.first.elapsed() >= LEAST) {
                self.ended.send_replace(());
            }
        }
    }

    /// A request that was begun then got no answer.
    pub(super) fn tried_in_vain(&self, begun: Instant) {
        let heard = self.start + Duration::from_millis(self.heard.load(Ordering::Relaxed));
        let begun = begun.max(heard);
        let mut tried = self.tried();
        let known = tried.take().filter(|tried| begun.saturating_duration_since(tried.last) < REMEMBERED);
        *tried = Some(Tried { first: known.map_or(begun, |tried| tried.first), last: Instant::now() });
        self.lasts.store(true, Ordering::Relaxed);
    }

    /// How long it lasts; `None` where the server is there, as far as is known.
    pub(crate) fn lasted(&self) -> Option<Duration> {
        if !self.lasts.load(Ordering::Relaxed) {
            return None;
        }
        let tried = self.tried();
        tried.as_ref().filter(|tried| tried.last.elapsed() < REMEMBERED).map(|tried| tried.first.elapsed())
    }

    /// Tells when one ends that has lasted.
    pub(super) fn end(&self) -> watch::Receiver<()> {
        self.ended.subscribe()
    }
}
