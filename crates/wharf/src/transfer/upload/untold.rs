//! An upload that was to be undone and was not, for its runtime has ended: what is said of it, and written down.

use std::path::PathBuf;
use std::sync::Arc;

use wharf_proto::Error;
use wharf_proto::transfer::journal::{Record, UploadStart};

use super::job::Job;
use super::proof;
use crate::transfer::journal::{Journal, make_folder, upload_path};

/// What is to be undone. Dropped before that is over, as where a runtime ends or there is none, it is warned of, and in a
/// journal from then on: [`interrupted_transfers`](crate::Client::interrupted_transfers) lists and removes it.
pub(super) struct Untold {
    what: String,
    /// `None` once it is undone.
    job: Option<Arc<Job>>,
    /// Where it is known what to abort.
    upload_id: Option<String>,
}

impl Untold {
    pub(super) fn new(what: String, job: Arc<Job>, upload_id: Option<String>) -> Self {
        Self { what, job: Some(job), upload_id }
    }

    pub(super) fn told(mut self) {
        self.job = None;
    }
}

impl Drop for Untold {
    fn drop(&mut self) {
        let Some(job) = self.job.take() else { return };
        let what = &self.what;
        tracing::warn!(what, "an upload was not tidied up, for its runtime has ended, or the time for it");
        let Some(upload_id) = self.upload_id.take() else { return };
        if let Some(Err(error)) = job.journal_folder().map(|folder| write_down(&job, upload_id, folder)) {
            tracing::warn!(%error, "nor was it written down");
        }
    }
}

/// Blocks the thread, which has nothing else to do any more where a runtime ends.
fn write_down(job: &Job, upload_id: String, folder: PathBuf) -> Result<(), Error> {
    let client = job.settings.client.inner();
    let start = UploadStart {
        endpoint: client.endpoint.server(),
        bucket: job.object.bucket().to_owned(),
        key: job.object.key().to_owned(),
        // Nobody goes on with it, so it is of no file.
        path: String::new(),
        offset: 0,
        length: 0,
        modified: None,
        inode: None,
        part_size: 0,
        options: job.object.digest(proof::NAME)?,
        write_id: None,
        request_payer: job.object.is_paid_by_requester(),
        since: client.now(),
    };
    make_folder(&folder)?;
    let object = [&*start.endpoint, &*start.bucket, &*start.key];
    // No other upload has the name.
    let (mut journal, _) = Journal::open(upload_path(&folder, object, upload_id.as_ref(), 0))?;
    journal.begin(&[Record::Upload(start), Record::Created { upload_id, checksum: None }])
}
