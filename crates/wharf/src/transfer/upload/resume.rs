//! An upload that a later run can go on with, and one that goes on.

use std::future::{IntoFuture, poll_fn};
use std::ops::Range;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use futures_core::Stream;
use wharf_proto::op::{ListedUpload, PartsChecksum};
use wharf_proto::transfer::journal::{Record, State, StoredPart, UploadStart, UploadState};
use wharf_proto::{Error, ErrorKind};

use super::file::Snapshot;
use super::job::Job;
use crate::payload::blocking;
use crate::transfer::journal::{Journal, UNANSWERED, make_folder, upload_path, whole_path};

/// How far two clocks may be apart. S3 refuses requests beyond it.
const SKEW: Duration = Duration::from_secs(15 * 60);

/// The journal of an upload, and what an earlier run has left.
#[derive(Debug)]
pub(super) struct Resume {
    /// `None` once there is nothing to resume.
    journal: Arc<Mutex<Option<Journal>>>,
    pub(super) file: Snapshot,
    start: UploadStart,
    pub(super) earlier: Option<Earlier>,
    pub(super) done: Option<Done>,
    /// Uploads that may be an earlier run's whose CreateMultipartUpload was not answered.
    pub(super) left_over: Vec<String>,
    /// Since when they may be there.
    unanswered: Option<SystemTime>,
    /// What an error has to say besides.
    note: Option<String>,
}

/// An upload that goes on.
#[derive(Debug, Clone)]
pub(super) struct Earlier {
    pub(super) upload_id: String,
    pub(super) checksum: Option<PartsChecksum>,
    /// Those that the server still has.
    pub(super) parts: Vec<StoredPart>,
}

/// What an earlier run may have completed: it had stored all parts, and its upload is gone.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) write_id: Option<String>,
}

impl Resume {
    /// Opens the journal of this upload and finds out what of an earlier run's work is still there.
    pub(super) async fn open(job: &mut Job, file: Snapshot, range: Range<u64>, part_size: u64) -> Result<Self, Error> {
        let place = Place::of(job, &file, range.start)?;
        let (mut resume, state) = Self::begin(job, &place, file, range, part_size).await?;
        if let State::Upload(state) = state {
            resume.take_up(job, state).await.map_err(|error| place.is_in_the_way(error))?;
        }
        Ok(resume)
    }

    /// Gives up what an earlier run has left of a file that goes out in one request now, if any. Its journal stays until that
    /// is [`over`](Resume::over), for it tells of uploads that may be left over all the same.
    pub(super) async fn clear(
        job: &Job,
        file: Snapshot,
        range: Range<u64>,
        part_size: u64,
    ) -> Result<Option<Self>, Error> {
        let is_empty = |folder: PathBuf| job.settings.client.inner().no_journals.is_empty(&folder);
        if job.journal_folder().is_none_or(is_empty) {
            return Ok(None);
        }
        let Some(place) = Place::of(job, &file, range.start).ok().filter(|place| place.journal.exists()) else {
            return Ok(None);
        };
        let (mut resume, state) = Self::begin(job, &place, file, range, part_size).await?;
        if let State::Upload(UploadState { created, unanswered, .. }) = state {
            if let Some((upload_id, _)) = created {
                tracing::warn!(upload_id, "an earlier upload is aborted, for the object is sent in one request now");
                job.abort(&upload_id).await.map_err(|error| place.is_in_the_way(error))?;
            }
            if let Some(time) = unanswered {
                resume.suspect(job, time, None).await;
            }
        }
        Ok(Some(resume))
    }

    /// Opens the journal, and what it says.
    async fn begin(
        job: &Job,
        place: &Place,
        file: Snapshot,
        range: Range<u64>,
        part_size: u64,
    ) -> Result<(Self, State), Error> {
        let start = UploadStart {
            path: place.path.display().to_string(),
            offset: range.start,
            length: range.end - range.start,
            modified: file.modified,
            inode: file.identity.map(|(_, inode)| inode),
            touched: file.touched,
            part_size,
            ..job.start()?
        };
        let (folder, journal) = (place.folder.clone(), place.journal.clone());
        let (journal, state) = blocking(move || {
            make_folder(&folder)?;
            Journal::open(journal)
        })
        .await?;
        job.settings.client.inner().no_journals.forget();
        let journal = Arc::new(Mutex::new(Some(journal)));
        let (earlier, done, left_over) = (None, None, Vec::new());
        Ok((Self { journal, file, start, earlier, done, left_over, unanswered: None, note: None }, state))
    }

    /// Goes on with what was left, or clears it away.
    async fn take_up(&mut self, job: &mut Job, state: UploadState) -> Result<(), Error> {
        if let Some(time) = state.unanswered {
            self.suspect(job, time, state.created.as_ref().map(|(upload_id, _)| upload_id.as_str())).await;
        }
        let Some((upload_id, checksum)) = state.created.clone() else { return Ok(()) };
        if let Some(reason) = state.differs(&self.start) {
            tracing::warn!(upload_id, "an earlier upload is aborted, for {reason}");
            return job.abort(&upload_id).await;
        }
        let parts = match parts(job, &upload_id, &state).await {
            Err(error) if error.kind() == ErrorKind::NoSuchUpload => {
                let is_all = state.bytes() == self.start.length;
                self.done = is_all.then_some(Done { write_id: state.start.write_id });
                return Ok(());
            }
            parts => parts?,
        };
        // Whose bytes are then looked at where they have a checksum.
        let was_touched = state.start.touched != self.start.touched;
        if was_touched && parts.iter().any(|part| part.checksum.is_none()) {
            tracing::warn!(upload_id, "an earlier upload is aborted, for the file may have been written to since");
            return job.abort(&upload_id).await;
        }
        job.write_id = state.start.write_id;
        // What is not known may have been.
        self.file.touched = state.start.touched.or(self.file.touched.map(|_| SystemTime::UNIX_EPOCH));
        self.earlier = Some(Earlier { upload_id, checksum, parts });
        Ok(())
    }

    /// Looks for an upload that an earlier run began at `time`, maybe. None of them is known to be its own, and `known` is not it.
    async fn suspect(&mut self, job: &Job, time: SystemTime, known: Option<&str>) {
        self.unanswered = Some(time);
        let since = time.checked_sub(SKEW).unwrap_or(time);
        let mut uploads = job.object.list_multipart_uploads(job.client()).items();
        let is_one = |upload: &ListedUpload| {
            upload.key == job.object.key()
                && known != Some(&*upload.upload_id)
                && upload.initiated.is_none_or(|initiated| initiated >= since)
        };
        let found = loop {
            match poll_fn(|cx| Pin::new(&mut uploads).poll_next(cx)).await {
                Some(Ok(upload)) if is_one(&upload) => self.left_over.push(upload.upload_id),
                Some(Ok(_)) => {}
                Some(Err(error)) => break format!("which they are could not be found out: {error}"),
                None if self.left_over.is_empty() => {
                    self.unanswered = None;
                    return;
                }
                None => break format!("it is among these: {}", self.left_over.join(", ")),
            }
        };
        let note = format!("{UNANSWERED}; {found}");
        tracing::warn!("{note}");
        self.note = Some(note);
    }

    /// CreateMultipartUpload is about to be sent.
    pub(super) async fn creating(&self, now: SystemTime) -> Result<(), Error> {
        // What nobody could tell anything of is told by the next run as well.
        let earlier = self.unanswered.map(Record::Creating);
        let records: Vec<_> = [Record::Upload(self.start.clone())].into_iter().chain(earlier).collect();
        self.with(move |journal| journal.begin(&[records, vec![Record::Creating(now)]].concat())).await
    }

    /// It was not answered, and is about to be sent again.
    pub(super) async fn creating_again(&self, now: SystemTime) {
        if let Err(error) = self.with(move |journal| journal.add(&[Record::Creating(now)])).await {
            tracing::warn!(%error, "a lost answer is not in the journal");
        }
    }

    /// The upload was begun.
    pub(super) async fn created(&self, upload_id: &str, checksum: Option<PartsChecksum>) -> Result<(), Error> {
        let record = Record::Created { upload_id: upload_id.to_owned(), checksum };
        self.with(move |journal| journal.add(&[record]).and_then(|()| journal.sync())).await
    }

    /// A part is stored. Without the record it is sent again, which is no reason to give up.
    pub(super) fn stored(&self, part: &StoredPart) {
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Err(error)) = journal.as_mut().map(|journal| journal.add(&[Record::Stored(part.clone())])) else {
            return;
        };
        tracing::warn!(%error, "a part is not in the journal");
    }

    /// It is about to be completed: what tells whose object stands there then has to survive a power failure.
    pub(super) async fn completing(&self) {
        if let Err(error) = self.with(|journal| journal.sync()).await {
            tracing::warn!(%error, "the journal may not survive a power failure");
        }
    }

    /// There is nothing left to resume.
    pub(super) async fn over(&self) {
        let journal = self.journal.clone();
        let over = blocking(move || {
            remove(&journal);
            Ok(())
        });
        if let Err(error) = over.await {
            tracing::warn!(%error, "a journal is left over");
        }
    }

    /// Says in an error what has become of the upload, where it was kept; in a folder of its own, or in the user's.
    pub(super) fn kept(&self, error: Error, is_own_folder: bool) -> Error {
        self.noted(error.with_note("the upload was kept, to be resumed")).with_hint(match is_own_folder {
            true => "the same call goes on where this one ended; Interrupted::list of its journal_dir tells what was kept, to remove it",
            false => {
                "the same call goes on where this one ended; Client::interrupted_transfers tells what was kept, to remove it"
            }
        })
    }

    /// Says in an error what an earlier run may have left over.
    pub(super) fn noted(&self, error: Error) -> Error {
        match &self.note {
            Some(note) => error.with_note(note),
            None => error,
        }
    }

    /// Writes what has to survive a power failure.
    async fn with(&self, write: impl FnOnce(&mut Journal) -> Result<(), Error> + Send + 'static) -> Result<(), Error> {
        let journal = self.journal.clone();
        blocking(move || journal.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map_or(Ok(()), write)).await
    }
}

impl Drop for Resume {
    fn drop(&mut self) {
        let is_empty = |journal: &mut Journal| journal.is_empty();
        let begun_nothing = self.journal.lock().unwrap_or_else(PoisonError::into_inner).as_mut().is_some_and(is_empty);
        if begun_nothing {
            remove(&self.journal);
        }
    }
}

fn remove(journal: &Mutex<Option<Journal>>) {
    let journal = journal.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(Err(error)) = journal.map(Journal::remove) {
        tracing::warn!(%error, "a journal is left over");
    }
}

/// Where an upload is written down.
struct Place {
    folder: PathBuf,
    journal: PathBuf,
    /// Of the file, from the root on.
    path: PathBuf,
}

impl Place {
    fn of(job: &Job, file: &Snapshot, offset: u64) -> Result<Self, Error> {
        let client = job.settings.client.inner();
        let folder = job.journal_folder().ok_or_else(|| {
            Error::invalid_input("there is no folder to keep a journal in: neither XDG_STATE_HOME nor HOME is set")
                .with_hint(".journal_dir() names one")
        })?;
        let path = whole_path(&file.path);
        let object = [&*client.endpoint.server(), job.object.bucket(), job.object.key()];
        Ok(Self { journal: upload_path(&folder, object, &path, offset), folder, path })
    }

    /// Says in an error how to go on without what an earlier run has left.
    fn is_in_the_way(&self, error: Error) -> Error {
        error.with_hint(format!("remove {} to begin without what an earlier run has left", self.journal.display()))
    }
}

/// Those of an earlier run's parts that the server still has.
async fn parts(job: &Job, upload_id: &str, state: &UploadState) -> Result<Vec<StoredPart>, Error> {
    let mut listed = Vec::new();
    let mut marker = None;
    loop {
        let page = job.patiently(|| {
            let call = job.object.list_parts(job.sender.clone(), upload_id);
            match marker {
                Some(marker) => call.part_number_marker(marker).into_future(),
                None => call.into_future(),
            }
        });
        let page = page.await?;
        listed.extend(page.parts);
        marker = page.next_part_number_marker.filter(|next| page.is_truncated && marker.is_none_or(|now| *next > now));
        if marker.is_none() {
            return Ok(state.still_stored(&listed));
        }
    }
}
