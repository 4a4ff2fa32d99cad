//! A number of things that may be in use at a time, which can change meanwhile.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Lets pass while there is room, in the order of coming. What alone is more than the limit passes alone.
#[derive(Debug)]
pub(crate) struct Gate {
    room: Mutex<Room>,
    /// Held by whoever is next, so that a large one is not overtaken for ever by small ones.
    turn: tokio::sync::Mutex<()>,
    freed: Notify,
}

#[derive(Debug, Clone, Copy)]
struct Room {
    limit: usize,
    used: usize,
    /// How many wait for some, or are about to.
    waiting: usize,
}

/// What passed; gives its room back when it is dropped.
#[derive(Debug)]
pub(crate) struct Pass {
    gate: Arc<Gate>,
    count: usize,
}

impl Gate {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            room: Mutex::new(Room { limit, used: 0, waiting: 0 }),
            turn: tokio::sync::Mutex::default(),
            freed: Notify::new(),
        })
    }

    /// What is in use beyond a smaller limit stays in use.
    pub(crate) fn set_limit(&self, limit: usize) {
        self.room().limit = limit;
        self.freed.notify_one();
    }

    pub(crate) fn used(&self) -> usize {
        self.room().used
    }

    /// Whether somebody waits for room.
    pub(crate) fn is_wanted(&self) -> bool {
        self.room().waiting > 0
    }

    /// Waits for room.
    pub(crate) async fn pass(self: &Arc<Self>, count: usize) -> Pass {
        let _waiting = Waiting::at(self);
        let _turn = self.turn.lock().await;
        loop {
            if let Some(pass) = self.pass_now(count) {
                return pass;
            }
            self.freed.notified().await;
        }
    }

    /// The same at once, or not at all. Who need not wait has another way: more than the limit never passes.
    pub(crate) fn try_pass(self: &Arc<Self>, count: usize) -> Option<Pass> {
        let Room { limit, waiting, .. } = *self.room();
        if waiting == 0 && count <= limit { self.pass_now(count) } else { None }
    }

    fn pass_now(self: &Arc<Self>, count: usize) -> Option<Pass> {
        let mut room = self.room();
        let fits = room.used == 0 || room.used.saturating_add(count) <= room.limit;
        fits.then(|| {
            room.used += count;
            Pass { gate: self.clone(), count }
        })
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who waits, until it is dropped.
struct Waiting<'a>(&'a Gate);

impl<'a> Waiting<'a> {
    fn at(gate: &'a Gate) -> Self {
        gate.room().waiting += 1;
        Self(gate)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.room().waiting -= 1;
    }
}

impl Pass {
    /// How much passed.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Has so much pass in all, at once or not at all: whoever holds some must not wait for more.
    pub(crate) fn try_grow(&mut self, count: usize) -> bool {
        let mut room = self.gate.room();
        let used = (room.used - self.count).saturating_add(count);
        let fits = used <= room.limit && room.waiting == 0;
        if fits {
            (room.used, self.count) = (used, count);
        }
        fits
    }

    /// Gives back all beyond so much.
    pub(crate) fn shrink(&mut self, count: usize) {
        let beyond = self.count.saturating_sub(count);
        self.count -= beyond;
        self.gate.room().used -= beyond;
        self.gate.freed.notify_one();
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.gate.room().used -= self.count;
        self.gate.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether `task` has ended, once all that can run has run.
    async fn has_passed<T>(task: &tokio::task::JoinHandle<T>) -> bool {
        for _ in 0..16 {
            tokio::task::yield_now().await;
        }
        task.is_finished()
    }

    fn passing(gate: &Arc<Gate>, count: usize) -> tokio::task::JoinHandle<Pass> {
        let gate = gate.clone();
        tokio::spawn(async move { gate.pass(count).await })
    }

    #[tokio::test]
    async fn what_comes_first_passes_first() {
        let gate = Gate::new(4);
        let held = gate.pass(3).await;
        let large = passing(&gate, 4);
        assert!(!has_passed(&large).await);
        let small = passing(&gate, 1);
        assert!(!has_passed(&small).await);
        assert!(gate.try_pass(1).is_none(), "it would have overtaken");
        drop(held);
        let large = large.await.unwrap();
        assert!(!has_passed(&small).await);
        drop(large);
        drop(small.await.unwrap());
        assert_eq!(gate.used(), 0);
    }

    /// Who looks does not stand in the way of who looks at the same time.
    #[tokio::test]
    async fn only_who_waits_has_a_turn() {
        let gate = Gate::new(4);
        let mut held = gate.try_pass(1).unwrap();
        let _room = gate.turn.lock().await;
        let other = gate.try_pass(1).unwrap();
        assert!(held.try_grow(2) && !gate.is_wanted());
        let waits = passing(&gate, 1);
        assert!(!has_passed(&waits).await);
        assert!(gate.is_wanted() && gate.try_pass(1).is_none() && !held.try_grow(3));
        waits.abort();
        assert!(waits.await.is_err());
        assert!(!gate.is_wanted() && held.try_grow(3));
        drop((held, other));
    }

    #[tokio::test]
    async fn the_limit_grows_and_shrinks_while_in_use() {
        let gate = Gate::new(1);
        let first = gate.pass(1).await;
        let second = passing(&gate, 1);
        let third = passing(&gate, 1);
        assert!(!has_passed(&second).await);
        gate.set_limit(3);
        let (second, third) = (second.await.unwrap(), third.await.unwrap());
        gate.set_limit(1);
        let fourth = passing(&gate, 1);
        drop((first, second));
        assert!(!has_passed(&fourth).await, "one is still in use");
        drop(third);
        drop(fourth.await.unwrap());
    }

    #[tokio::test]
    async fn what_is_larger_than_the_limit_passes_alone() {
        let gate = Gate::new(0);
        let alone = gate.pass(9).await;
        let next = passing(&gate, 1);
        assert!(!has_passed(&next).await);
        drop(alone);
        drop(next.await.unwrap());
    }

    #[tokio::test]
    async fn nothing_larger_than_the_limit_passes_that_has_another_way() {
        let gate = Gate::new(4);
        assert!(gate.try_pass(5).is_none());
        let held = gate.try_pass(4);
        assert!(held.is_some() && gate.try_pass(1).is_none());
    }

    #[tokio::test]
    async fn what_has_passed_grows_and_shrinks() {
        let gate = Gate::new(4);
        let mut held = gate.pass(1).await;
        assert!(held.try_grow(3) && !held.try_grow(5));
        assert_eq!((held.count(), gate.used()), (3, 3));
        let next = passing(&gate, 2);
        assert!(!has_passed(&next).await);
        assert!(!held.try_grow(4), "it would have overtaken");
        held.shrink(3);
        assert!(!has_passed(&next).await);
        held.shrink(2);
        drop(next.await.unwrap());
        drop(held);
        assert_eq!(gate.used(), 0);
    }

    #[tokio::test]
    async fn who_stops_waiting_holds_nobody_up() {
        let gate = Gate::new(1);
        let held = gate.pass(1).await;
        let gone = passing(&gate, 1);
        let next = passing(&gate, 1);
        assert!(!has_passed(&next).await);
        gone.abort();
        let _ = gone.await;
        drop(held);
        drop(next.await.unwrap());
        assert_eq!(gate.used(), 0);
    }
}
