//! An upload that was dropped before it was completed: it is aborted, or what is left of it is written down.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Handle;
use wharf_proto::transfer::journal::Record;
use wharf_proto::{Error, ErrorKind};

use super::job::Job;
use crate::transfer::journal::{Journal, make_folder, upload_path};

/// What is to be undone. Dropped before that is over, as where the time for it or its runtime ends, it is warned of, and in a
/// journal from then on: [`interrupted_transfers`](crate::Client::interrupted_transfers) lists and removes it.
pub(super) struct Abandoned {
    job: Arc<Job>,
    /// Where it is known what to abort.
    upload_id: Option<String>,
    is_over: bool,
}

impl Abandoned {
    pub(super) fn new(job: Arc<Job>, upload_id: Option<String>) -> Self {
        Self { job, upload_id, is_over: false }
    }

    /// It is known now what to abort.
    pub(super) fn begun(&mut self, upload_id: String) {
        self.upload_id = Some(upload_id);
    }

    /// There is nothing to undo.
    pub(super) fn over(mut self) {
        self.is_over = true;
    }

    pub(super) async fn abort(self) -> Result<(), Error> {
        if let Some(upload_id) = &self.upload_id
            && let Err(error) = self.job.abort(upload_id).await
            // Else it went with its bucket.
            && error.kind() != ErrorKind::NoSuchBucket
        {
            return Err(error.with_note(format_args!("the upload {upload_id} costs storage until it is aborted")));
        }
        self.over();
        Ok(())
    }
}

impl Drop for Abandoned {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let (bucket, key) = (self.job.object.bucket(), self.job.object.key());
        let upload_id = self.upload_id.take();
        tracing::warn!(bucket, key, upload_id, "an upload that was dropped may be left over, for it was not aborted");
        let Some(upload_id) = upload_id else { return };
        let left = LeftOver { job: self.job.clone(), upload_id };
        // A runtime that goes on has other work than to wait for a disk. One that ends drops what it is given.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn_blocking(move || drop(left));
        }
    }
}

/// Written down when it is dropped, which blocks the thread.
struct LeftOver {
    job: Arc<Job>,
    upload_id: String,
}

impl LeftOver {
    fn write_down(&self, folder: PathBuf) -> Result<(), Error> {
        let start = self.job.start()?;
        make_folder(&folder)?;
        let object = [&*start.endpoint, &*start.bucket, &*start.key];
        // No other upload has the name.
        let (mut journal, _) = Journal::open(upload_path(&folder, object, self.upload_id.as_ref(), 0))?;
        self.job.settings.client.inner().no_journals.forget();
        journal.begin(&[Record::Upload(start), Record::Created { upload_id: self.upload_id.clone(), checksum: None }])
    }
}

impl Drop for LeftOver {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.job.journal_folder().map(|folder| self.write_down(folder)) {
            let upload_id = &*self.upload_id;
            tracing::warn!(%error, upload_id, "what is left over is not in a journal");
        }
    }
}
