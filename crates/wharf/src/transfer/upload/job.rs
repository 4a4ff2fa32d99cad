//! What all requests of an upload share.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use wharf_proto::Error;
use wharf_proto::op::PutInParts;
use wharf_proto::provider::Habits;
use wharf_proto::transfer::journal::UploadStart;

use super::resume::Resume;
use super::{Settings, proof};
use crate::Client;
use crate::transfer::abort::abort;
use crate::transfer::handle::Watch;
use crate::transfer::journal::uploads_in;
use crate::transfer::lane::Lane;
use crate::transfer::patience::{answer_was_lost, patiently};

/// An upload under way.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) object: PutInParts,
    pub(super) settings: Settings,
    pub(super) watch: Arc<Watch>,
    /// For what is done again here. What is not is sent by the client itself.
    pub(super) sender: Client,
    pub(super) write_id: Option<String>,
    /// Where it is written down what was done, and what an earlier run has left.
    pub(super) resume: Option<Resume>,
    lane: Lane,
}

/// A write that was not confirmed.
pub(super) struct Unconfirmed {
    pub(super) error: Error,
    /// Whether an answer was lost, so that it may have been carried out.
    pub(super) lost: bool,
}

impl Job {
    pub(super) fn new(mut object: PutInParts, settings: Settings, watch: Arc<Watch>) -> Self {
        let write_id = settings.write_id.then(proof::new_id);
        if let Some(id) = &write_id {
            object.add_metadata(proof::NAME, id);
        }
        let lane = Lane::of(&settings.client, settings.concurrency);
        let sender = settings.client.for_transfers().telling(watch.flight());
        Self { object, sender, settings, watch, write_id, resume: None, lane }
    }

    pub(super) fn client(&self) -> Client {
        self.settings.client.clone()
    }

    pub(super) fn habits(&self) -> &Habits {
        &self.settings.client.inner().sending.habits
    }

    /// Gives up an upload of the object.
    pub(super) async fn abort(&self, upload_id: &str) -> Result<(), Error> {
        abort(&self.settings.client, &self.object, upload_id).await
    }

    /// What a journal begins with, of what is from no file.
    pub(super) fn start(&self) -> Result<UploadStart, Error> {
        let client = self.settings.client.inner();
        Ok(UploadStart {
            endpoint: client.endpoint.server(),
            bucket: self.object.bucket().to_owned(),
            key: self.object.key().to_owned(),
            path: String::new(),
            offset: 0,
            length: 0,
            modified: None,
            inode: None,
            touched: None,
            part_size: 0,
            options: self.object.digest(proof::NAME)?,
            write_id: self.write_id.clone(),
            request_payer: self.object.is_paid_by_requester(),
            since: client.now(),
        })
    }

    /// Where journals are kept, as far as it is known.
    pub(super) fn journal_folder(&self) -> Option<PathBuf> {
        let states = || self.settings.client.inner().state_folder.as_deref().map(uploads_in);
        self.settings.journal_dir.clone().or_else(states)
    }

    /// A request has stored so many bytes.
    pub(super) fn moved(&self, bytes: u64) {
        self.watch.moved(bytes);
        self.lane.moved(bytes);
    }

    /// Makes a request until it succeeds, fails for good, or patience ends.
    pub(super) async fn patiently<T, F>(&self, attempt: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let clock = &self.settings.client.inner().clock;
        patiently(&self.lane, &self.watch, self.settings.patience, || clock.jitter(), attempt).await
    }

    /// The same for a request that must not be taken as failed where it may have been carried out.
    pub(super) async fn write<T, F>(&self, mut attempt: impl FnMut() -> F) -> Result<T, Unconfirmed>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let lost = AtomicBool::new(false);
        let noting = || {
            let call = attempt();
            let lost = &lost;
            async move {
                call.await.inspect_err(|error| {
                    lost.fetch_or(answer_was_lost(error), Ordering::Relaxed);
                })
            }
        };
        let written = self.patiently(noting).await;
        written.map_err(|error| Unconfirmed { error, lost: lost.into_inner() })
    }
}
