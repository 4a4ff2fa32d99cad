//! For how long a client's server has served nothing while its transfers try it.

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
    /// While nothing comes.
    unheard: Spell,
    /// While nothing comes but wishes for fewer requests: all of `unheard` is a part of it.
    unserved: Spell,
    ended: watch::Sender<()>,
}

impl Default for Silence {
    fn default() -> Self {
        let (unheard, unserved) = Default::default();
        Self { start: Instant::now(), unheard, unserved, ended: watch::Sender::new(()) }
    }
}

impl Silence {
    /// Milliseconds after `start`.
    fn now(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    /// The server does something other than to ask for fewer requests.
    pub(crate) fn served(&self) {
        let now = self.now();
        self.unserved.end(now);
        let ended = self.unheard.end(now);
        // Where others are served all the time, one that is not has no reason to hurry.
        if ended.is_some_and(|tried| tried.first.elapsed() >= LEAST) {
            self.ended.send_replace(());
        }
    }

    /// A request that was begun then was not taken, for there are too many. It is not made again before `wish` is over.
    pub(super) fn refused(&self, begun: Instant, wish: Duration) {
        self.unheard.end(self.now());
        self.unserved.goes_on(self.start, begun, wish);
    }

    /// A request that was begun then got no answer.
    pub(super) fn unheard(&self, begun: Instant, wish: Duration) {
        self.unheard.goes_on(self.start, begun, wish);
        self.unserved.goes_on(self.start, begun, wish);
    }

    /// For how long nothing has been served; `None` where the server is there, as far as is known.
    pub(crate) fn lasted(&self) -> Option<Duration> {
        self.unserved.lasted()
    }

    /// Tells when the server serves again that was not heard for a while. One that is busy tells nobody: all would come at once.
    pub(super) fn end(&self) -> watch::Receiver<()> {
        self.ended.subscribe()
    }
}

/// A time in which something is tried in vain.
#[derive(Debug, Default)]
struct Spell {
    /// When the last one ended, in milliseconds.
    ended: AtomicU64,
    /// Whether anything was tried in vain since.
    lasts: AtomicBool,
    tried: Mutex<Option<Tried>>,
}

/// From when to when requests were tried in vain, with nothing in between that came. As long as the server wishes for a wait it
/// is being tried.
#[derive(Debug)]
struct Tried {
    first: Instant,
    last: Instant,
}

impl Spell {
    fn tried(&self) -> MutexGuard<'_, Option<Tried>> {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, now: u64) -> Option<Tried> {
        // All threads share it.
        if self.ended.load(Ordering::Relaxed) != now {
            self.ended.store(now, Ordering::Relaxed);
        }
        let lasted = self.lasts.load(Ordering::Relaxed) && self.lasts.swap(false, Ordering::Relaxed);
        if lasted { self.tried().take() } else { None }
    }

    fn goes_on(&self, start: Instant, begun: Instant, wish: Duration) {
        let begun = begun.max(start + Duration::from_millis(self.ended.load(Ordering::Relaxed)));
        let mut tried = self.tried();
        let known = tried.take().filter(|tried| begun.saturating_duration_since(tried.last) < REMEMBERED);
        *tried = Some(Tried { first: known.map_or(begun, |tried| tried.first), last: Instant::now() + wish });
        self.lasts.store(true, Ordering::Relaxed);
    }

    fn lasted(&self) -> Option<Duration> {
        if !self.lasts.load(Ordering::Relaxed) {
            return None;
        }
        let tried = self.tried();
        tried.as_ref().filter(|tried| tried.last.elapsed() < REMEMBERED).map(|tried| tried.first.elapsed())
    }
}
