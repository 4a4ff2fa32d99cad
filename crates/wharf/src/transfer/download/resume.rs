//! A download into a file that a later run can go on with, and one that goes on.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use wharf_proto::transfer::Arrived;
use wharf_proto::transfer::journal::{DownloadState, Record, State};
use wharf_proto::{Error, ErrorKind};

use super::OnChange;
use super::file::{FileOptions, PartFile, journal_path, make_directories};
use super::request::{Found, Job};
use crate::payload::blocking;
use crate::transfer::journal::{self, Journal};

/// An object that is shorter is fetched again.
const LEAST: u64 = 1 << 20;

/// The most that a power failure costs, in bytes and in time.
const MOST: u64 = 32 << 20;
const AT_LEAST_EVERY: Duration = Duration::from_secs(5);

/// The journal of a download.
#[derive(Debug)]
pub(super) struct Resume {
    journal: Arc<Mutex<Journal>>,
    path: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// What an earlier run has left, until it is taken.
    state: Option<DownloadState>,
    /// Whether there is something to go on with.
    is_kept: bool,
    /// How many bytes are recorded at a time, how many there are that are not, and when it was done last.
    every: u64,
    pending: u64,
    last: Instant,
}

impl Resume {
    /// Opens the journal beside `target`.
    pub(super) async fn open(target: &Path, options: &FileOptions) -> Result<Option<Self>, Error> {
        if !options.resumable {
            return Ok(None);
        }
        let (path, options) = (journal_path(target)?, options.clone());
        let (journal, state) = blocking(move || {
            make_directories(&path, &options)?;
            Journal::open(path)
        })
        .await?;
        let path = journal.path().to_owned();
        let state = match state {
            State::Download(state) => Some(state),
            _ => None,
        };
        let is_kept = state.is_some();
        let inner = Mutex::new(Inner { state, is_kept, every: MOST, pending: 0, last: Instant::now() });
        Ok(Some(Self { journal: Arc::new(Mutex::new(journal)), path, inner }))
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The object that an earlier run has read a part of, and what of it is in the file; `None` to begin anew.
    ///
    /// # Errors
    /// `PreconditionFailed` where the object was replaced, and that is to be an error.
    pub(super) async fn found(&self, job: &Job, target: &Path) -> Result<Option<(Found, Vec<Arrived>)>, Error> {
        let Some(state) = self.inner().state.take() else { return Ok(None) };
        let Some(found) = job.look().await? else { return Ok(None) };
        let now = found.start(job, target);
        if state.is_of(&now) {
            return Ok(Some((found, state.arrived.arrived().to_vec())));
        }
        let is_same_place =
            (&state.start.endpoint, &state.start.bucket, &state.start.key) == (&now.endpoint, &now.bucket, &now.key);
        if is_same_place && state.start.etag != now.etag && job.options().on_change == OnChange::Fail {
            let problem = "the object was replaced since the download of it was interrupted";
            return Err(Error::new(ErrorKind::PreconditionFailed, problem)
                .with_hint(format!("remove {} to begin with the new one", self.path.display())));
        }
        Ok(None)
    }

    /// Begins anew. Before anything is written to the file of which an earlier run may have recorded what is in it.
    pub(super) async fn begin(&self, job: &Job, found: &Found, target: &Path) -> Result<(), Error> {
        let worth_it = found.can_be_pinned() && found.length() > LEAST;
        let start = Record::Download(found.start(job, target));
        let journal = self.journal.clone();
        blocking(move || {
            let mut journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
            journal.begin(if worth_it { std::slice::from_ref(&start) } else { &[] })
        })
        .await?;
        self.inner().is_kept = worth_it;
        self.go_on(found.length());
        Ok(())
    }

    /// From here on it is recorded what arrives of `length` bytes.
    pub(super) fn go_on(&self, length: u64) {
        let mut inner = self.inner();
        (inner.every, inner.pending, inner.last) = ((length / 32).clamp(LEAST, MOST), 0, Instant::now());
    }

    pub(super) fn is_kept(&self) -> bool {
        self.inner().is_kept
    }

    /// So many bytes more are in the file. Whether it is time to record them.
    pub(super) fn is_due(&self, bytes: usize) -> bool {
        let mut inner = self.inner();
        inner.pending += bytes as u64;
        let is_due = inner.is_kept && (inner.pending >= inner.every || inner.last.elapsed() >= AT_LEAST_EVERY);
        if is_due {
            (inner.pending, inner.last) = (0, Instant::now());
        }
        is_due
    }

    /// Records that `news` are in the file, once they are on the disk.
    pub(super) async fn record(&self, news: Vec<Arrived>, file: &PartFile) -> Result<(), Error> {
        let (journal, synced) = (self.journal.clone(), file.sync()?);
        blocking(move || {
            synced()?;
            let news: Vec<_> = news.into_iter().map(Record::Arrived).collect();
            // Without the record it is fetched again, which is no reason to give up.
            if let Err(error) = journal.lock().unwrap_or_else(PoisonError::into_inner).add(&news) {
                tracing::warn!(%error, "what has arrived is not in the journal");
            }
            Ok(())
        })
        .await
    }

    /// Nothing is left to resume.
    pub(super) fn over(&self) {
        self.inner().is_kept = false;
    }

    /// Says in an error that what has arrived was kept.
    pub(super) fn kept(&self, error: Error) -> Error {
        // It is no use to make the same call again where that is what is wrong.
        if !self.is_kept() || error.kind() == ErrorKind::PreconditionFailed {
            return error;
        }
        error.with_note("what has arrived was kept, to be resumed").with_hint(format!(
            "the same call goes on where this one ended; to give it up, remove {} and the file beside it, \
             or have Interrupted::list find it",
            self.path.display()
        ))
    }
}

impl Drop for Resume {
    fn drop(&mut self) {
        if self.is_kept() {
            return;
        }
        if let Err(error) = journal::remove(&self.path) {
            tracing::warn!(%error, "a journal is left over");
        }
    }
}
