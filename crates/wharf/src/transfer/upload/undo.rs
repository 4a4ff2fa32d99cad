//! An upload that was begun: it is completed, or undone.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tracing::Instrument;
use wharf_proto::op::PartsChecksum;
use wharf_proto::transfer::journal::StoredPart;
use wharf_proto::{Error, ErrorKind};

use super::abandoned::Abandoned;
use super::job::Job;
use crate::transfer::feed::ended;
use crate::transfer::patience::answer_was_lost;

/// How long what goes on after an upload was dropped may take.
const TIDY_UP: Duration = Duration::from_secs(5);

/// What is said where an answer to CreateMultipartUpload was lost.
const ORPHAN: &str = "an answer to CreateMultipartUpload was lost, and an upload without parts may be left over: \
                      list_multipart_uploads shows it";

/// An upload in parts. Dropped before it is completed, it is aborted.
pub(super) struct Begun {
    job: Arc<Job>,
    state: State,
    pub(super) parts: JoinSet<Result<StoredPart, Error>>,
    /// An answer to CreateMultipartUpload was lost.
    pub(super) orphan: bool,
    /// It would fail each time that it is gone on with.
    pub(super) is_hopeless: bool,
}

/// The id of an upload, and what its parts are checked by.
type Created = Result<(String, Option<PartsChecksum>), Error>;

enum State {
    /// In a task of its own, for only its answer tells what to abort. It ends with the time there is to tidy up.
    Beginning(JoinSet<(Created, bool)>, Arc<Mutex<Asked>>),
    Open(String),
    Over,
}

/// What came of CreateMultipartUpload so far. Locked while an answer is awaited.
#[derive(Debug, Default)]
struct Asked {
    is_begun: bool,
    /// An answer was lost.
    lost: bool,
}

impl Begun {
    /// Begins it; with its id, and what its parts are checked by where `sum` was asked for.
    pub(super) async fn create(
        job: Arc<Job>,
        sum: Option<PartsChecksum>,
    ) -> Result<(Self, String, Option<PartsChecksum>), Error> {
        let mut task = JoinSet::new();
        let asked = Arc::default();
        task.spawn(create(job.clone(), sum, Arc::clone(&asked)).in_current_span());
        let mut begun = Self {
            job,
            state: State::Beginning(task, asked),
            parts: JoinSet::new(),
            orphan: false,
            is_hopeless: false,
        };
        let State::Beginning(task, _) = &mut begun.state else { return Err(runtime_ended()) };
        let Some(joined) = task.join_next().await else { return Err(runtime_ended()) };
        let (created, lost) = joined.map_err(ended)?;
        begun.orphan = lost;
        match created {
            Ok((upload_id, sum)) => {
                if lost {
                    tracing::warn!("{ORPHAN}");
                }
                begun.state = State::Open(upload_id.clone());
                Ok((begun, upload_id, sum))
            }
            Err(error) => {
                begun.state = State::Over;
                let error = if lost { error.with_note(ORPHAN) } else { error };
                Err(match &begun.job.resume {
                    Some(resume) => resume.noted(error),
                    None => error,
                })
            }
        }
    }

    /// Goes on with one that was begun earlier.
    pub(super) fn resume(job: Arc<Job>, upload_id: String) -> Self {
        Self { job, state: State::Open(upload_id), parts: JoinSet::new(), orphan: false, is_hopeless: false }
    }

    /// There is nothing left to undo, nor to resume.
    pub(super) async fn over(&mut self) {
        self.state = State::Over;
        if let Some(resume) = &self.job.resume {
            resume.over().await;
        }
    }

    /// Stops the parts, undoes what was begun, and adds to the error how that went.
    pub(super) async fn give_up(mut self, error: Error) -> Error {
        self.parts.shutdown().await;
        let error = if self.orphan { error.with_note(ORPHAN) } else { error };
        let State::Open(upload_id) = &self.state else { return error };
        let upload_id = upload_id.clone();
        if let Some(resume) = &self.job.resume
            && !self.is_hopeless
            && may_succeed(&error)
            && !resume.file.has_changed().await
        {
            self.state = State::Over;
            return resume.kept(error, self.job.settings.journal_dir.is_some());
        }
        // Until it has an answer it is still to be undone: dropped before, it is undone all the same, or kept where it can be resumed.
        let aborted = self.job.abort(&upload_id).await;
        self.state = State::Over;
        let error = match &self.job.resume {
            Some(resume) => resume.noted(error),
            None => error,
        };
        match aborted {
            Ok(()) => {
                if let Some(resume) = &self.job.resume {
                    resume.over().await;
                }
                // One whose completion was not answered may be the object by now.
                if error.maybe_ours() { error } else { error.with_note("the upload was aborted") }
            }
            // It went with its bucket.
            Err(_) if error.kind() == ErrorKind::NoSuchBucket => error,
            Err(problem) => error.with_note(format_args!(
                "the upload {upload_id} could not be aborted, and its parts cost storage until it is: {problem}"
            )),
        }
    }
}

async fn create(job: Arc<Job>, sum: Option<PartsChecksum>, asked: Arc<Mutex<Asked>>) -> (Created, bool) {
    let created = create_noting(&job, sum, &asked).await;
    let lost = asked.lock().await.lost;
    (created, lost)
}

async fn create_noting(job: &Job, mut sum: Option<PartsChecksum>, asked: &Mutex<Asked>) -> Created {
    if let Some(resume) = &job.resume {
        resume.creating(job.settings.client.inner().now()).await?;
    }
    let created = job
        .patiently(|| async {
            let mut asked = asked.lock().await;
            if let Some(resume) = job.resume.as_ref().filter(|_| asked.lost) {
                resume.creating_again(job.settings.client.inner().now()).await;
            }
            let answer = job.object.create_multipart_upload(job.sender.clone(), sum).await;
            asked.is_begun = answer.is_ok();
            asked.lost |= answer.as_ref().is_err_and(answer_was_lost);
            answer
        })
        .await;
    let lost = asked.lock().await.lost;
    // There is nothing to go on with, unless it was begun all the same.
    if let Some(resume) = job.resume.as_ref().filter(|_| created.is_err() && !lost) {
        resume.over().await;
    }
    let created = created?;
    // Of another type than was asked for where the server has only that.
    if let (Some(sum), Some(kind)) = (&mut sum, created.checksum_type) {
        sum.checksum_type = kind;
    }
    if let Some(resume) = &job.resume
        && let Err(error) = resume.created(&created.upload_id, sum).await
    {
        let upload_id = &created.upload_id;
        return Err(match job.abort(upload_id).await {
            Ok(()) => {
                resume.over().await;
                error
            }
            Err(problem) => {
                // Of a call that was dropped nobody sees the error.
                tracing::warn!(upload_id, error = %problem, "an upload could not be aborted");
                error.with_note(format_args!("the upload {upload_id} could not be aborted: {problem}"))
            }
        });
    }
    Ok((created.upload_id, sum))
}

/// Whether what failed so may succeed when the same call goes on with the same parts.
fn may_succeed(error: &Error) -> bool {
    let of_the_parts = ["InvalidPart", "InvalidPartOrder", "EntityTooSmall", "EntityTooLarge"];
    let is_final = matches!(
        error.kind(),
        ErrorKind::Corrupt
            | ErrorKind::BadDigest
            | ErrorKind::PreconditionFailed
            | ErrorKind::NoSuchUpload
            | ErrorKind::InvalidInput
    );
    !is_final && !error.kind().is_conflict() && !error.code().is_some_and(|code| of_the_parts.contains(&code))
}

impl Drop for Begun {
    fn drop(&mut self) {
        let state = std::mem::replace(&mut self.state, State::Over);
        let (job, orphan) = (self.job.clone(), self.orphan);
        let mut parts = std::mem::take(&mut self.parts);
        if matches!(state, State::Over) {
            return;
        }
        let abandoned = match &state {
            // It is kept, and in a journal already.
            State::Open(_) if job.resume.is_some() => None,
            State::Open(upload_id) => Some(Abandoned::new(job.clone(), Some(upload_id.clone()))),
            State::Beginning(..) | State::Over => Some(Abandoned::new(job.clone(), None)),
        };
        let (watch, object) = (job.watch.clone(), format!("{}/{}", job.object.bucket(), job.object.key()));
        watch.tidy_up(
            format!("an upload of {object}"),
            async move {
                parts.shutdown().await;
                let Some(abandoned) = abandoned else { return Ok(()) };
                match state {
                    State::Beginning(task, asked) => given_up(&job, task, &asked, abandoned).await,
                    State::Open(_) | State::Over => abandoned.abort().await.and_then(|()| not_an_orphan(orphan)),
                }
            },
            TIDY_UP,
        );
    }
}

/// What is undone is undone; but beside it another may be left over.
fn not_an_orphan(lost: bool) -> Result<(), Error> {
    if lost { Err(Error::new(ErrorKind::Other, ORPHAN)) } else { Ok(()) }
}

/// Undoes what is being begun. Whether it was, an answer tells that is awaited; between two attempts nothing is.
async fn given_up(
    job: &Job,
    mut task: JoinSet<(Created, bool)>,
    asked: &Mutex<Asked>,
    mut abandoned: Abandoned,
) -> Result<(), Error> {
    let so_far = asked.lock().await;
    if !so_far.is_begun && !task.is_empty() {
        let lost = so_far.lost;
        // It cannot ask again meanwhile.
        task.shutdown().await;
        if let Some(resume) = job.resume.as_ref().filter(|_| !lost) {
            resume.over().await;
        }
        abandoned.over();
        return not_an_orphan(lost);
    }
    drop(so_far);
    let Some(joined) = task.join_next().await else { return Err(runtime_ended()) };
    match joined.map_err(ended)? {
        (Ok((upload_id, _)), lost) if job.resume.is_none() => {
            abandoned.begun(upload_id);
            abandoned.abort().await.and_then(|()| not_an_orphan(lost))
        }
        // It is kept.
        (Ok(_), _) => {
            abandoned.over();
            Ok(())
        }
        (Err(_), lost) => {
            abandoned.over();
            not_an_orphan(lost)
        }
    }
}

fn runtime_ended() -> Error {
    Error::new(ErrorKind::Other, "the upload was cancelled: its runtime has ended")
}
