//! A download into a file that a later run can go on with, and one that goes on.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as TurnMutex, OwnedMutexGuard};
use tokio::time::Instant;
use wharf_proto::transfer::Arrived;
use wharf_proto::transfer::journal::{DownloadState, Record, State};
use wharf_proto::{Error, ErrorKind};

use super::OnChange;
use super::file::{FileOptions, journal_path, make_directories};
use super::request::{Found, Job};
use crate::payload::blocking;
use crate::transfer::journal::Journal;

/// An object that is shorter is fetched again.
const LEAST: u64 = 1 << 20;

/// The most that a power failure costs, in bytes and in time, where the disk keeps up; else twice as much. Beside that each
/// request has an entry under way, which is not recorded before it is whole.
const MOST: u64 = 32 << 20;
const AT_LEAST_EVERY: Duration = Duration::from_secs(5);

/// More than `MOST` where so much comes in less: that is fetched again in as little, and a network that is faster than the disk
/// would wait for it all the time.
const AT_MOST_EVERY: Duration = Duration::from_secs(1);

/// The first record does not wait for a second, and all wait for it: so much is soon on the disk.
const FIRST: u64 = 4 << 20;

/// How many bytes of a download of `length` are recorded at a time, and have a record of their own: where one of them was
/// spoilt, as many are fetched again.
pub(super) fn at_a_time(length: u64) -> u64 {
    (length / 32).clamp(LEAST, MOST)
}

/// The journal of a download.
#[derive(Debug)]
pub(super) struct Resume {
    recording: Arc<Mutex<Recording>>,
    path: PathBuf,
    inner: Mutex<Inner>,
    /// Held while it is recorded what has arrived, and by the one who waits to do it next.
    turn: Arc<TurnMutex<()>>,
    next: TurnMutex<()>,
}

/// The journal while it is written. Whoever has it locked may be waiting for the disk.
#[derive(Debug)]
struct Recording {
    /// `None` once the download has ended.
    journal: Option<Journal>,
    /// How often it was begun anew. What was read before is not to be recorded after.
    round: u32,
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
    /// Whether something is recorded.
    is_begun: bool,
    /// How many bytes are still to come.
    left: u64,
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
        let inner = Mutex::new(Inner {
            state,
            is_kept,
            every: MOST,
            pending: 0,
            last: Instant::now(),
            is_begun: false,
            left: 0,
        });
        let recording = Arc::new(Mutex::new(Recording { journal: Some(journal), round: 0 }));
        Ok(Some(Self { recording, path, inner, turn: Arc::default(), next: TurnMutex::default() }))
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
            return Err(Error::new(ErrorKind::PreconditionFailed, problem));
        }
        Ok(None)
    }

    /// Has the journal in its turn, on a thread that may wait for the disk.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Recording) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let recording = self.recording.clone();
        blocking(move || work(&mut recording.lock().unwrap_or_else(PoisonError::into_inner))).await
    }

    /// Begins anew. Before anything is written to the file of which an earlier run may have recorded what is in it.
    pub(super) async fn begin(&self, job: &Job, found: &Found, target: &Path) -> Result<(), Error> {
        let worth_it = found.can_be_pinned() && !found.head.etag.is_weak() && found.length() > LEAST;
        let start = Record::Download(found.start(job, target));
        self.with(move |recording| {
            recording.round += 1;
            let records = if worth_it { std::slice::from_ref(&start) } else { &[] };
            recording.journal.as_mut().map_or(Ok(()), |journal| journal.begin(records))
        })
        .await?;
        self.inner().is_kept = worth_it;
        Ok(())
    }

    /// From here on it is recorded what arrives of `length` bytes, of which `resumed` are there. In which round.
    pub(super) async fn go_on(&self, length: u64, resumed: u64) -> Result<u32, Error> {
        {
            let mut inner = self.inner();
            (inner.every, inner.left) = (at_a_time(length), length.saturating_sub(resumed));
            (inner.pending, inner.last, inner.is_begun) = (0, Instant::now(), false);
        }
        self.with(|recording| Ok(recording.round)).await
    }

    pub(super) fn is_kept(&self) -> bool {
        self.inner().is_kept
    }

    /// So many bytes more are in the file. Whether it is time to record them, which it stays until somebody has the
    /// [`turn`](Resume::turn).
    pub(super) fn is_due(&self, bytes: usize) -> bool {
        let mut inner = self.inner();
        inner.pending += bytes as u64;
        inner.left = inner.left.saturating_sub(bytes as u64);
        inner.is_due()
    }

    /// The turn to record what has arrived, held until that is done. Whoever asks waits where the disk is not done with what
    /// was recorded last, all of them, so that no more arrives; then one has it, and the others nothing to do.
    pub(super) async fn turn(&self) -> Option<OwnedMutexGuard<()>> {
        let _next = self.next.lock().await;
        if !self.inner().is_due() {
            return None;
        }
        let turn = self.turn.clone().lock_owned().await;
        let mut inner = self.inner();
        let is_due = inner.is_due();
        if is_due {
            (inner.pending, inner.last) = (0, Instant::now());
        }
        is_due.then_some(turn)
    }

    /// Records that `news` of this round are in the file, once `synced` has seen to it that they are on the disk.
    pub(super) async fn record(
        &self,
        round: u32,
        news: Vec<Arrived>,
        synced: impl FnOnce() -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let recorded = self.with(move |recording| {
            let Some(journal) = recording.journal.as_mut().filter(|_| recording.round == round) else {
                return Ok(false);
            };
            synced()?;
            let news: Vec<_> = news.into_iter().map(Record::Arrived).collect();
            // Without the record it is fetched again, which is no reason to give up.
            if let Err(error) = journal.add(&news) {
                tracing::warn!(%error, "what has arrived is not in the journal");
            }
            Ok(true)
        });
        if recorded.await? {
            self.inner().is_begun = true;
        }
        Ok(())
    }

    /// Nothing is left to resume.
    pub(super) fn over(&self) {
        self.inner().is_kept = false;
    }

    /// The download has ended: another may have the journal, if it is not removed.
    pub(super) async fn close(&self) {
        let is_kept = self.is_kept();
        let closed = self.with(move |recording| match recording.journal.take() {
            Some(journal) if !is_kept => journal.remove(),
            _ => Ok(()),
        });
        if let Err(error) = closed.await {
            tracing::warn!(%error, "a journal is left over");
        }
    }

    /// Says in an error that what has arrived was kept. It is also where that is no help to the same call: another may ask
    /// for something else, or the object be there again.
    pub(super) fn kept(&self, error: Error) -> Error {
        if !self.is_kept() {
            return error;
        }
        let is_of_the_object = [
            ErrorKind::PreconditionFailed,
            ErrorKind::NotModified,
            ErrorKind::NoSuchKey,
            ErrorKind::NoSuchVersion,
            ErrorKind::NoSuchBucket,
            ErrorKind::NotFound,
        ]
        .contains(&error.kind());
        let give_up = format!(
            "to begin anew, remove {} and the file beside it, which Interrupted::list finds",
            self.path.display()
        );
        match is_of_the_object {
            true => error.with_note("what has arrived was kept").with_hint(give_up),
            false => error
                .with_note("what has arrived was kept, to be resumed")
                .with_hint(format!("the same call goes on where this one ended; {give_up}")),
        }
    }
}

impl Inner {
    /// Not when the last bytes are there: the file gets its name then, which would have to wait.
    fn is_due(&self) -> bool {
        let since = self.last.elapsed();
        let is_enough = match self.is_begun {
            false => self.pending >= self.every.min(FIRST),
            true => self.pending >= self.every && since >= AT_MOST_EVERY,
        };
        let is_time = is_enough || since >= AT_LEAST_EVERY;
        self.is_kept && self.left > 0 && is_time
    }
}

impl Drop for Resume {
    fn drop(&mut self) {
        if self.is_kept() {
            return;
        }
        let journal = self.recording.lock().unwrap_or_else(PoisonError::into_inner).journal.take();
        if let Some(Err(error)) = journal.map(Journal::remove) {
            tracing::warn!(%error, "a journal is left over");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use futures_util::FutureExt;
    use wharf_proto::transfer::journal::DownloadStart;

    use super::super::file::PartFile;
    use super::*;
    use crate::transfer::handle::Watch;
    use crate::transfer::journal::look;

    #[tokio::test]
    async fn what_was_read_before_it_began_anew_is_not_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        let options = FileOptions { resumable: true, ..FileOptions::default() };
        let resume = Resume::open(&target, &options).await.unwrap().unwrap();
        let start = Record::Download(DownloadStart {
            endpoint: "http://127.0.0.1:1".to_owned(),
            bucket: "my-bucket".to_owned(),
            key: "a".to_owned(),
            path: "a".to_owned(),
            etag: "\"1\"".into(),
            version_id: None,
            size: Some(100),
            wanted: 0..100,
            since: SystemTime::UNIX_EPOCH,
        });
        let begun = resume.with(move |recording| {
            recording.round += 1;
            recording.journal.as_mut().unwrap().begin(&[start])
        });
        begun.await.unwrap();
        let file = PartFile::open(&target, &options, Watch::new(), true).unwrap();
        for (round, expected) in [(0, 0), (1, 10)] {
            let synced = file.sync().await.unwrap();
            resume.record(round, vec![Arrived { range: 0..10, checksum: None }], synced).await.unwrap();
            let State::Download(state) = look(&resume.path).unwrap().0 else { panic!("no download") };
            assert_eq!(state.arrived.bytes(), expected);
        }
    }

    const MIB: usize = 1 << 20;

    /// A download of 8 MiB, of which a mebibyte at a time is recorded, and so many bytes are to come.
    async fn coming(left: usize) -> (tempfile::TempDir, Resume) {
        let folder = tempfile::tempdir().unwrap();
        let options = FileOptions { resumable: true, ..FileOptions::default() };
        let resume = Resume::open(&folder.path().join("a"), &options).await.unwrap().unwrap();
        resume.inner().is_kept = true;
        resume.go_on(8 * MIB as u64, (8 * MIB - left) as u64).await.unwrap();
        (folder, resume)
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_bytes_are_not_recorded() {
        let (_folder, resume) = coming(3 * MIB).await;
        assert_eq!([MIB / 2, MIB / 2, MIB, MIB].map(|bytes| resume.is_due(bytes)), [false, true, true, false]);
        assert!(resume.turn().await.is_none());
        let (_folder, resume) = coming(2).await;
        tokio::time::advance(AT_LEAST_EVERY).await;
        assert_eq!([1, 1].map(|bytes| resume.is_due(bytes)), [true, false]);
    }

    /// However many requests there are, no more is unrecorded than what is being recorded and as much again.
    #[tokio::test(start_paused = true)]
    async fn all_wait_while_the_last_is_recorded_and_one_records() {
        let (_folder, resume) = coming(8 * MIB).await;
        assert!(resume.is_due(MIB));
        let recording = resume.turn().await.unwrap();
        assert!(!resume.is_due(MIB - 1), "this much may arrive meanwhile");
        let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(resume.turn())).collect();
        assert!(resume.is_due(1) && resume.is_due(1), "for each of them");
        for turn in &mut waiting {
            assert!(turn.now_or_never().is_none());
        }
        drop(recording);
        let mut turns = Vec::new();
        for turn in waiting {
            // The first has it still.
            turns.push(turn.now_or_never().unwrap());
        }
        assert_eq!(turns.iter().flatten().count(), 1);
        assert!(!resume.is_due(MIB - 1));
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_recorded_by_bytes_once_and_then_by_time_too() {
        let (_folder, resume) = coming(8 * MIB).await;
        let nearly = AT_MOST_EVERY - Duration::from_millis(1);
        for (after, bytes, is_due) in [
            (Duration::ZERO, MIB, true),
            (nearly, MIB, false),
            (Duration::from_millis(1), 1, true),
            (AT_MOST_EVERY, MIB - 1, false),
            (Duration::ZERO, 1, true),
            (AT_LEAST_EVERY, 1, true),
        ] {
            tokio::time::advance(after).await;
            assert_eq!(resume.is_due(bytes), is_due, "{after:?} {bytes}");
            let turn = resume.turn().await;
            assert_eq!(turn.is_some(), is_due);
            if turn.is_some() {
                resume.record(0, Vec::new(), || Ok(())).await.unwrap();
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_record_of_a_large_object_comes_soon() {
        let (_folder, resume) = coming(8 * MIB).await;
        resume.go_on(1 << 30, 0).await.unwrap();
        assert_eq!([FIRST - 1, 1].map(|bytes| resume.is_due(bytes as usize)), [false, true]);
        let turn = resume.turn().await.unwrap();
        resume.record(0, Vec::new(), || Ok(())).await.unwrap();
        drop(turn);
        tokio::time::advance(AT_MOST_EVERY).await;
        assert_eq!([FIRST, MOST - FIRST].map(|bytes| resume.is_due(bytes as usize)), [false, true]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_came_to_nothing_meanwhile_is_not_recorded() {
        let (_folder, resume) = coming(3 * MIB).await;
        assert!(resume.is_due(MIB));
        let recording = resume.turn().await.unwrap();
        assert!(resume.is_due(MIB));
        let mut waiting = Box::pin(resume.turn());
        assert!((&mut waiting).now_or_never().is_none());
        // The last bytes.
        assert!(!resume.is_due(MIB));
        drop(recording);
        assert!(waiting.now_or_never().unwrap().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_little_is_recorded_once_in_a_while() {
        let (_folder, resume) = coming(3 * MIB).await;
        tokio::time::advance(AT_LEAST_EVERY).await;
        assert!(resume.is_due(1) && resume.turn().now_or_never().unwrap().is_some());
        assert!(!resume.is_due(1) && resume.turn().now_or_never().unwrap().is_none());
        tokio::time::advance(AT_LEAST_EVERY).await;
        assert!(resume.is_due(1));
        resume.over();
        assert!(!resume.is_due(1));
    }
}
