//! The one thread that writes to the database. It puts all steps that wait into one transaction, since making a
//! transaction outlive a crash takes long and costs the same for one step as for a thousand.
//!
//! Steps are applied one after another, so each sees what those before it did, and each is answered when all of them
//! are safe. A step that is refused leaves nothing of itself; where the disk fails, none of them happened.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::failure::{Failure, Result};
use super::place::Shared;
use super::tables::{Changes, Tx};
use crate::error::{self, Code};

/// The most steps of one transaction.
const MOST: usize = 4096;

/// How long rows of places that are gone may stay, if nothing else is written.
const IDLE: Duration = Duration::from_secs(1);

pub(super) enum Job {
    Step(Box<dyn Step>),
    /// Somebody let go of a place that may have to go with him.
    Free(u64),
    Stop,
}

/// One atomic step, and whoever waits for it.
pub(super) trait Step: Send {
    /// Fails only where the whole transaction must.
    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()>;

    /// Whether it is there to make space.
    fn frees(&self) -> bool;

    /// Answers: what came of it, or why nothing did.
    fn answer(self: Box<Self>, failed: Option<Code>);
}

/// A step and the answer it has.
struct Task<T, F> {
    run: F,
    frees: bool,
    outcome: error::Result<T>,
    reply: oneshot::Sender<error::Result<T>>,
}

impl<T: Send, F: FnMut(&mut Tx<'_>) -> Result<T> + Send> Step for Task<T, F> {
    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        self.outcome = match (self.run)(tx) {
            Ok(value) => Ok(value),
            Err(Failure::Refused(error)) => Err(error),
            Err(broken) => return Err(broken),
        };
        Ok(())
    }

    fn frees(&self) -> bool {
        self.frees
    }

    fn answer(self: Box<Self>, failed: Option<Code>) {
        let Self { outcome, reply, run, .. } = *self;
        // Before the answer: who has it may look at what is left.
        drop(run);
        let _ = reply.send(failed.map_or(outcome, |code| Err(code.into())));
    }
}

impl Shared {
    /// Has a step done, and waits until it is safe. It is done whether or not it is waited for; `frees` says that it
    /// makes space, which the last of the disk is kept for.
    pub(super) async fn commit<T: Send + 'static>(
        &self,
        frees: bool,
        run: impl FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> error::Result<T> {
        let (reply, answer) = oneshot::channel();
        let task = Task { run, frees, outcome: Err(Code::InternalError.into()), reply };
        let sent = self.jobs.send(Job::Step(Box::new(task)));
        sent.map_err(|_| Code::InternalError)?;
        answer.await.unwrap_or_else(|_| Err(Code::InternalError.into()))
    }
}

pub(super) fn run(shared: &Arc<Shared>, jobs: &Receiver<Job>) {
    let mut committer = Committer { shared, gone: Vec::new() };
    while committer.turn(jobs) {}
    let _ = committer.transact(&mut []);
}

struct Committer<'a> {
    shared: &'a Arc<Shared>,
    /// Places that are gone, and still have rows.
    gone: Vec<u64>,
}

impl Committer<'_> {
    /// Does what there is to do; whether there will be more.
    fn turn(&mut self, jobs: &Receiver<Job>) -> bool {
        let first = match self.gone.is_empty() {
            true => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            false => jobs.recv_timeout(IDLE),
        };
        let first = match first {
            Ok(first) => Some(first),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return false,
        };
        let (mut steps, mut freed, mut more) = (Vec::new(), Vec::new(), true);
        let idle = first.is_none();
        for job in first.into_iter().chain(jobs.try_iter()) {
            match job {
                Job::Step(step) => steps.push(step),
                Job::Free(place) => freed.push(place),
                Job::Stop => more = false,
            }
            if !more || steps.len() == MOST {
                break;
            }
        }
        if idle || !steps.is_empty() {
            self.commit(steps);
        }
        self.free(freed);
        more
    }

    fn commit(&mut self, mut steps: Vec<Box<dyn Step>>) {
        let failure = match self.transact(&mut steps) {
            Ok(()) => None,
            Err(failure) if failure.is_full() => return self.commit_those_that_free(steps),
            Err(failure) => Some(error::Error::from(failure).code()),
        };
        steps.into_iter().for_each(|step| step.answer(failure));
    }

    /// On a full disk whatever makes space has the reserve, each step by itself; all else is refused.
    fn commit_those_that_free(&mut self, steps: Vec<Box<dyn Step>>) {
        let (free, take): (Vec<_>, Vec<_>) = steps.into_iter().partition(|step| step.frees());
        take.into_iter().for_each(|step| step.answer(Some(Code::InsufficientStorage)));
        if !free.is_empty() {
            self.shared.directory.let_go();
        }
        for step in free {
            let mut alone = [step];
            let failure = self.transact(&mut alone).err().map(|failure| error::Error::from(failure).code());
            alone.into_iter().for_each(|step| step.answer(failure));
        }
    }

    /// One transaction, and what follows from it for places.
    fn transact(&mut self, steps: &mut [Box<dyn Step>]) -> Result<()> {
        let shared = self.shared;
        if steps.is_empty() && self.gone.is_empty() {
            return Ok(());
        }
        let changes = shared.metadata.write(|transaction| {
            let mut tx = Tx::open(transaction, shared)?;
            tx.forget(&self.gone)?;
            for step in steps {
                step.apply(&mut tx)?;
            }
            let changes = tx.finish()?;
            if !changes.files.is_empty() {
                shared.directory.sync_incoming()?;
            }
            Ok(changes)
        })?;
        self.gone.clear();
        self.follow(&changes);
        Ok(())
    }

    fn follow(&mut self, changes: &Changes) {
        let directory = &self.shared.directory;
        changes.files.iter().for_each(|place| directory.settle(*place));
        let list = |places: &std::collections::BTreeSet<u64>| places.iter().copied().collect::<Vec<_>>();
        if !changes.named.is_empty() || !changes.unnamed.is_empty() {
            let gone = self.shared.settle_and_doom(&list(&changes.named), &list(&changes.unnamed));
            gone.iter().for_each(|place| directory.remove(*place));
            self.gone.extend(gone);
        }
        if !directory.has_reserve() {
            directory.hold_reserve();
        }
    }

    /// Removes the places among these that nobody names or holds.
    fn free(&mut self, places: Vec<u64>) {
        if places.is_empty() {
            return;
        }
        let alone = self.shared.settle_and_doom(&[], &places);
        let unnamed = self.shared.metadata.read(|transaction| {
            let (named, freed) =
                (transaction.open_table(super::tables::PLACES)?, transaction.open_table(super::tables::FREED)?);
            let mut found = Vec::new();
            for place in &alone {
                if named.get(place)?.is_none() {
                    found.push((*place, freed.get(place)?.is_some()));
                }
            }
            Ok(found)
        });
        // Should the database fail now, the next sweep has them.
        for (place, has_row) in unnamed.unwrap_or_default() {
            self.shared.directory.remove(place);
            if has_row {
                self.gone.push(place);
            }
        }
    }
}
