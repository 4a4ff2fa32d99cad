//! One request's keys, until it is known what became of each.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;
use wharf_proto::op::{DeleteError, DeleteObjects, DeleteObjectsOutput, DeletedObject, ObjectIdentifier};
use wharf_proto::retry::FailureClass;
use wharf_proto::{Error, ErrorKind};

use super::Outcome;
use crate::Client;
use crate::transfer::handle::Watch;
use crate::transfer::lane::Lane;
use crate::transfer::patience::patiently;

/// How batches are deleted.
#[derive(Clone)]
pub(super) struct Batch {
    pub(super) client: Client,
    pub(super) call: DeleteObjects<Client>,
    pub(super) lane: Lane,
    pub(super) watch: Arc<Watch>,
    pub(super) patience: Duration,
}

/// The keys that are left, and what became of the others.
struct State {
    left: Vec<ObjectIdentifier>,
    outcomes: Vec<Outcome>,
    /// What the last answer said of those that are left.
    errors: Vec<DeleteError>,
}

impl Batch {
    /// Deletes the objects. A request that fails for good after an earlier one has succeeded is told of its keys.
    ///
    /// # Errors
    /// That of a request while nothing was answered yet.
    pub(super) async fn delete(&self, objects: Vec<ObjectIdentifier>) -> Result<Vec<Outcome>, Error> {
        let count = objects.len() as u64;
        let state = Arc::new(Mutex::new(State { left: objects, outcomes: Vec::new(), errors: Vec::new() }));
        let jitter = || self.client.inner().clock.jitter();
        let result = patiently(&self.lane, &self.watch, self.patience, jitter, || {
            let left = state.lock().unwrap_or_else(PoisonError::into_inner).left.clone();
            let (call, state) = (self.call.clone().with_objects(left), state.clone());
            async move {
                let output = call.await?;
                state.lock().unwrap_or_else(PoisonError::into_inner).answered(output)
            }
        })
        .await;
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut outcomes = std::mem::take(&mut state.outcomes);
        let errors = std::mem::take(&mut state.errors);
        match result {
            Err(error) if outcomes.is_empty() && errors.is_empty() => return Err(error),
            Err(error) => outcomes.extend(state.left.iter().map(|object| {
                // An answer told why; a request that failed later does not know better.
                let told = errors.iter().find(|told| told.key_and_version() == object.key_and_version());
                let told = told.or_else(|| errors.iter().find(|told| told.key == object.key));
                let mut failed = told.cloned().unwrap_or_else(|| failed(object, &error));
                failed.version_id.clone_from(&object.version_id);
                Err(failed)
            })),
            Ok(()) => {}
        }
        for _ in 0..count {
            self.watch.part_done();
        }
        Ok(outcomes)
    }

    /// The same, with the error of a request told of each of its keys.
    pub(super) async fn delete_or_tell(&self, objects: Vec<ObjectIdentifier>) -> Vec<Outcome> {
        let asked = objects.clone();
        self.delete(objects)
            .await
            .unwrap_or_else(|error| asked.iter().map(|object| Err(failed(object, &error))).collect())
    }
}

impl State {
    /// Takes an answer. Where keys are left that may be deleted later, it is as if the request had failed for that reason.
    fn answered(&mut self, output: DeleteObjectsOutput) -> Result<(), Error> {
        let (passing, lasting): (Vec<_>, Vec<_>) = output.errors.into_iter().partition(may_pass);
        let done: Vec<Outcome> = output.deleted.into_iter().map(Ok).chain(lasting.into_iter().map(Err)).collect();
        let left = std::mem::take(&mut self.left);
        let asked: HashSet<_> = left.iter().map(ObjectIdentifier::key_and_version).collect();
        let again: HashSet<_> = passing.iter().map(DeleteError::key_and_version).collect();
        // Some servers do not repeat the version. Nobody knows then which of a key's they tell of: all are asked for again, and what
        // was told is told anew.
        let doubtful: HashSet<_> = again.difference(&asked).map(|(key, _)| *key).collect();
        let told: HashSet<_> = done.iter().map(subject).filter(|name| asked.contains(name)).collect();
        let is_left = |object: &ObjectIdentifier| {
            again.contains(&object.key_and_version())
                || doubtful.contains(&*object.key) && !told.contains(&object.key_and_version())
        };
        let are_left: Vec<_> = left.iter().map(is_left).collect();
        let stands = |outcome: &Outcome| asked.contains(&subject(outcome)) || !doubtful.contains(subject(outcome).0);
        self.outcomes.extend(done.into_iter().filter(stands));
        self.left = left.into_iter().zip(are_left).filter_map(|(object, is_left)| is_left.then_some(object)).collect();
        let reason = passing.first().map(|error| Error::new(ErrorKind::SlowDown, error.to_string()));
        match reason {
            Some(reason) if !self.left.is_empty() => {
                self.errors = passing;
                Err(reason)
            }
            // Of keys that were not asked about there is nothing to ask again.
            _ => {
                self.outcomes.extend(passing.into_iter().map(Err));
                self.errors.clear();
                Ok(())
            }
        }
    }
}

/// Of what an outcome tells.
fn subject(outcome: &Outcome) -> (&str, Option<&str>) {
    outcome.as_ref().map_or_else(DeleteError::key_and_version, DeletedObject::key_and_version)
}

/// Whether a key that was not deleted may be deleted later.
fn may_pass(error: &DeleteError) -> bool {
    // Where no answer came, the code is the name of the error's kind.
    let kinds = [ErrorKind::Timeout, ErrorKind::Transport, ErrorKind::SlowDown, ErrorKind::Server];
    kinds.iter().any(|kind| error.code == format!("{kind:?}"))
        || matches!(
            FailureClass::of_response(StatusCode::OK, Some(&error.code)),
            FailureClass::Transient | FailureClass::Throttling
        )
}

/// Says of an object why it was not deleted, where no answer did.
pub(super) fn failed(object: &ObjectIdentifier, error: &Error) -> DeleteError {
    let mut failed = DeleteError::default();
    failed.key.clone_from(&object.key);
    failed.version_id.clone_from(&object.version_id);
    failed.code = error.code().map_or_else(|| format!("{:?}", error.kind()), str::to_owned);
    failed.message = error.message().to_owned();
    failed
}
