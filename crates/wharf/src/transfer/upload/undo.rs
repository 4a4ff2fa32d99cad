//! An upload that was begun: it is completed, or undone.

use std::future::IntoFuture;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};
use tracing::Instrument;
use wharf_proto::op::{CreateMultipartUploadOutput, PartsChecksum};
use wharf_proto::{Error, ErrorKind};

use super::job::Job;
use super::ledger::StoredPart;

/// How long what goes on after an upload was dropped may take.
const TIDY_UP: Duration = Duration::from_secs(5);

/// How often an upload is aborted in which parts keep turning up.
const ABORTS: u32 = 5;

/// What is said where an answer to CreateMultipartUpload was lost.
const ORPHAN: &str = "an answer to CreateMultipartUpload was lost, and an upload without parts may be left over: \
                      list_multipart_uploads shows it";

/// An upload in parts. Dropped before it is completed, it is aborted.
pub(super) struct Begun {
    job: Arc<Job>,
    state: State,
    pub(super) parts: JoinSet<Result<StoredPart, Error>>,
    /// An answer to CreateMultipartUpload was lost.
    orphan: bool,
}

enum State {
    /// In a task of its own, for only its answer tells what to abort.
    Beginning(JoinHandle<(Result<CreateMultipartUploadOutput, Error>, bool)>),
    Open(String),
    Over,
}

impl Begun {
    /// Begins it.
    pub(super) async fn create(
        job: Arc<Job>,
        sum: Option<PartsChecksum>,
    ) -> Result<(Self, CreateMultipartUploadOutput), Error> {
        let task = tokio::spawn(create(job.clone(), sum).in_current_span());
        let mut begun = Self { job, state: State::Beginning(task), parts: JoinSet::new(), orphan: false };
        let State::Beginning(task) = &mut begun.state else { return Err(runtime_ended()) };
        let (created, lost) = task.await.map_err(|_| runtime_ended())?;
        begun.orphan = lost;
        match created {
            Ok(output) => {
                if lost {
                    tracing::warn!("{ORPHAN}");
                }
                begun.state = State::Open(output.upload_id.clone());
                Ok((begun, output))
            }
            Err(error) => {
                begun.state = State::Over;
                Err(if lost { error.with_note(ORPHAN) } else { error })
            }
        }
    }

    /// Goes on with one that was begun earlier.
    pub(super) fn resume(job: Arc<Job>, upload_id: String) -> Self {
        Self { job, state: State::Open(upload_id), parts: JoinSet::new(), orphan: false }
    }

    /// There is nothing left to undo.
    pub(super) fn over(&mut self) {
        self.state = State::Over;
    }

    /// Stops the parts, undoes what was begun, and adds to the error how that went.
    pub(super) async fn give_up(mut self, error: Error) -> Error {
        self.parts.shutdown().await;
        let error = if self.orphan { error.with_note(ORPHAN) } else { error };
        let State::Open(upload_id) = std::mem::replace(&mut self.state, State::Over) else { return error };
        if self.job.settings.ledger.is_some() {
            return error.with_note("the upload was kept, to be resumed");
        }
        match abort(&self.job, &upload_id).await {
            Ok(()) => error.with_note("the upload was aborted"),
            Err(problem) => error.with_note(format_args!(
                "the upload {upload_id} could not be aborted, and its parts cost storage until it is: {problem}"
            )),
        }
    }
}

async fn create(job: Arc<Job>, sum: Option<PartsChecksum>) -> (Result<CreateMultipartUploadOutput, Error>, bool) {
    let lost = AtomicBool::new(false);
    let created =
        job.write_noting(&lost, || job.object.create_multipart_upload(job.sender.clone(), sum).into_future()).await;
    (created, lost.into_inner())
}

impl Drop for Begun {
    fn drop(&mut self) {
        let state = std::mem::replace(&mut self.state, State::Over);
        let job = self.job.clone();
        let mut parts = std::mem::take(&mut self.parts);
        if matches!(state, State::Over) || job.settings.ledger.is_some() {
            return;
        }
        let watch = job.watch.clone();
        watch.tidy_up(
            async move {
                parts.shutdown().await;
                match state {
                    State::Open(upload_id) => abort(&job, &upload_id).await,
                    State::Beginning(task) => match task.await {
                        Ok((Ok(created), _)) => abort(&job, &created.upload_id).await,
                        Ok((Err(_), _)) => Ok(()),
                        Err(_) => Err(runtime_ended()),
                    },
                    State::Over => Ok(()),
                }
            },
            TIDY_UP,
        );
    }
}

/// Aborts it, and again while parts that were on their way turn up.
async fn abort(job: &Job, upload_id: &str) -> Result<(), Error> {
    for round in 0..ABORTS {
        match job.object.abort_multipart_upload(job.client(), upload_id).await {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NoSuchUpload => return Ok(()),
            Err(error) => return Err(error),
        }
        match job.object.list_parts(job.client(), upload_id).max_parts(1).await {
            Ok(page) if !page.parts.is_empty() => {
                tokio::time::sleep(Duration::from_millis(100 << round)).await;
            }
            // Gone, or not to be seen: whoever may abort need not be allowed to list.
            _ => return Ok(()),
        }
    }
    Err(Error::new(ErrorKind::Other, "parts of it are still being stored"))
}

fn runtime_ended() -> Error {
    Error::new(ErrorKind::Other, "the upload was cancelled: its runtime has ended")
}
