//! What interrupted transfers have left behind on this machine.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use wharf_proto::op::PutInParts;
use wharf_proto::operation::SendFuture;
use wharf_proto::transfer::journal::State;
use wharf_proto::{Body, Error, ErrorKind};

use super::abort::abort;
use super::download::PART;
use super::journal::{self, Journal, SUFFIX, UNANSWERED, uploads_in};
use super::locked::{self, failed};
use crate::Client;
use crate::payload::blocking;

/// A transfer that was interrupted: it is resumed by the same call, or given up by [`remove`](Interrupted::remove).
///
/// An upload without a [`path`](Interrupted::path) is not resumed by anything: it was dropped, and was to be aborted when the time for that or its runtime ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Interrupted {
    /// Which way.
    pub kind: InterruptedKind,
    /// The server: its URL, for AWS the domain of its hosts.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The file, as it was called then; of a [`Part`](InterruptedKind::Part), by the name of what is left; empty for an upload
    /// that cannot be resumed.
    pub path: PathBuf,
    /// How many bytes are to be moved; 0 where that is not known.
    pub size: u64,
    /// How many of them were, as far as it was recorded; of a [`Part`](InterruptedKind::Part) the file's length, gaps included.
    pub bytes: u64,
    /// When it was begun; of a [`Part`](InterruptedKind::Part), when something was last written.
    pub since: SystemTime,
    /// Whether it was agreed to pay for it in a requester-pays bucket, which [`remove`](Interrupted::remove) then does too.
    pub request_payer: bool,
    /// The id of the upload; `None` for a download, and where it is not known whether one was begun.
    pub upload_id: Option<String>,
    /// Whether it is running now.
    pub is_running: bool,
    /// Where all this was read; of a [`Part`](InterruptedKind::Part), itself.
    pub journal: PathBuf,
    /// Why it could not be read: then nothing else is known but where it is.
    pub problem: Option<String>,
}

/// Which way an interrupted transfer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InterruptedKind {
    /// From a file to S3.
    Upload,
    /// From S3 into a file.
    Download,
    /// From S3 into a file, by a download that kept no journal: only its unfinished file is left. The same call begins anew.
    Part,
    /// Not known, for its journal cannot be read: see [`Interrupted::problem`].
    Unknown,
}

impl Client {
    /// The interrupted uploads whose journals are where they are by default, in the user's state folder. Journals of
    /// downloads are beside their files: [`Interrupted::list`]. Reads files, and sends nothing.
    ///
    /// ```
    /// # async fn clear(s3: &wharf::Client) -> wharf::Result<()> {
    /// for upload in s3.interrupted_transfers()? {
    ///     println!("{} of {} bytes of {}", upload.bytes, upload.size, upload.path.display());
    ///     if !upload.is_running {
    ///         upload.remove(s3).await?;
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// A folder that cannot be read. A journal that cannot is among them.
    pub fn interrupted_transfers(&self) -> Result<Vec<Interrupted>, Error> {
        match &self.inner().state_folder {
            Some(folder) => Interrupted::list(uploads_in(folder)),
            None => Ok(Vec::new()),
        }
    }
}

impl Interrupted {
    /// Those that have left something in this folder, by their time: downloads into it, or what was uploaded with it as
    /// [`journal_dir`](super::Upload::journal_dir). A folder that is not there has none. Folders in it are not looked at.
    ///
    /// A journal that cannot be read, for another version has written it, say, is one of [`Unknown`](InterruptedKind::Unknown)
    /// kind, and hides none of the others.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn list(folder: impl AsRef<Path>) -> Result<Vec<Self>, Error> {
        let folder = folder.as_ref();
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|error| failed("could not be read", folder, error))?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| failed("could not be read", folder, error))?.path();
            let name = path.file_name().unwrap_or_default().as_encoded_bytes();
            if name.ends_with(PART.as_bytes()) {
                found.extend(Self::part(path));
            } else if name.ends_with(SUFFIX.as_bytes()) {
                found.extend(Self::read(path.clone()).unwrap_or_else(|error| Some(Self::unreadable(path, &error))));
            }
        }
        found.sort_by_key(|interrupted| interrupted.since);
        Ok(found)
    }

    fn unreadable(journal: PathBuf, error: &Error) -> Self {
        let is_running = File::open(&journal).is_ok_and(|file| journal::is_held(&file));
        Self { problem: Some(error.message().to_owned()), is_running, ..Self::unknown(journal) }
    }

    /// `None` for what a journal tells of, is no file, or is gone since.
    fn part(part: PathBuf) -> Option<Self> {
        let journal = beside(&part, SUFFIX);
        if journal.exists() && !matches!(journal::look(&journal), Ok((State::Nothing, _))) {
            return None;
        }
        let found = fs::symlink_metadata(&part).ok().filter(fs::Metadata::is_file)?;
        Some(Self {
            kind: InterruptedKind::Part,
            path: beside(&part, ""),
            bytes: found.len(),
            since: found.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            is_running: File::open(&part).is_ok_and(|file| journal::is_held(&file)),
            ..Self::unknown(part)
        })
    }

    fn unknown(journal: PathBuf) -> Self {
        Self {
            kind: InterruptedKind::Unknown,
            endpoint: String::new(),
            bucket: String::new(),
            key: String::new(),
            path: PathBuf::new(),
            size: 0,
            bytes: 0,
            since: SystemTime::UNIX_EPOCH,
            request_payer: false,
            upload_id: None,
            is_running: false,
            journal,
            problem: None,
        }
    }

    /// `None` where nothing was begun, or it has ended since.
    fn read(journal: PathBuf) -> Result<Option<Self>, Error> {
        let (state, is_running) = match journal::look(&journal) {
            Err(_) if !journal.exists() => return Ok(None),
            looked => looked?,
        };
        Ok(match state {
            State::Nothing => None,
            State::Upload(upload) => Some(Self {
                kind: InterruptedKind::Upload,
                bytes: upload.bytes(),
                size: upload.start.length,
                request_payer: upload.start.request_payer,
                upload_id: upload.created.map(|(upload_id, _)| upload_id),
                endpoint: upload.start.endpoint,
                bucket: upload.start.bucket,
                key: upload.start.key,
                path: upload.start.path.into(),
                since: upload.start.since,
                is_running,
                journal,
                problem: None,
            }),
            State::Download(download) => Some(Self {
                kind: InterruptedKind::Download,
                bytes: download.arrived.bytes(),
                size: download.start.wanted.end.saturating_sub(download.start.wanted.start),
                request_payer: false,
                upload_id: None,
                endpoint: download.start.endpoint,
                bucket: download.start.bucket,
                key: download.start.key,
                path: download.start.path.into(),
                since: download.start.since,
                is_running,
                journal,
                problem: None,
            }),
        })
    }

    /// Gives it up: aborts the upload (AbortMultipartUpload), or removes the unfinished file; and removes the journal, if there
    /// is one.
    ///
    /// # Errors
    /// [`InUse`](crate::ErrorKind::InUse) while it or another download into the file is running, and where the call was made
    /// again since and has begun anew,
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an upload to another server than the client's and for a journal
    /// that cannot be read, those of AbortMultipartUpload, which is asked for again while parts of it are still being stored. The journal is kept then.
    pub fn remove(self, client: &Client) -> SendFuture<()> {
        let sender = client.clone();
        client.inner().runtime.run(async move { self.give_up(&sender).await })
    }

    async fn give_up(self, client: &Client) -> Result<(), Error> {
        if self.kind == InterruptedKind::Upload && client.inner().endpoint.server() != self.endpoint {
            return Err(Error::invalid_input(format!(
                "the upload is to {}, not to the client's server",
                self.endpoint
            )));
        }
        if self.kind == InterruptedKind::Part {
            return blocking(move || remove_unrecorded(&self.journal)).await;
        }
        let path = self.journal.clone();
        // Nobody goes on with it meanwhile.
        let (journal, state) = blocking(move || Journal::open(path)).await?;
        if !self.is_told_by(&state) {
            return Err(begun_since(&self.journal));
        }
        if let State::Upload(upload) = &state
            && upload.unanswered.is_some()
        {
            let (bucket, key) = (&self.bucket, &self.key);
            tracing::warn!(bucket, key, "{UNANSWERED}");
        }
        // It was made by being opened, and would be found by nobody.
        let journal = match state {
            State::Nothing => blocking(move || journal.remove().map(|()| None)).await?,
            _ => Some(journal),
        };
        if let Some(upload_id) = &self.upload_id {
            match abort(client, &self.object(client), upload_id).await {
                // It went with its bucket.
                Err(error) if error.kind() != ErrorKind::NoSuchBucket => return Err(error),
                _ => {}
            }
        }
        blocking(move || {
            if let State::Download(_) = state {
                remove_part(&beside(&self.journal, PART))?;
            }
            journal.map_or(Ok(()), Journal::remove)
        })
        .await
    }

    fn object(&self, client: &Client) -> PutInParts {
        let put = client.put_object(&self.bucket, &self.key, Body::empty());
        let put = if self.request_payer { put.request_payer() } else { put };
        put.take_apart().0
    }

    /// Whether the journal still tells of this transfer, or of none any more: another may have begun in its place.
    fn is_told_by(&self, state: &State) -> bool {
        match state {
            State::Nothing => true,
            State::Upload(upload) => {
                let upload_id = upload.created.as_ref().map(|(upload_id, _)| upload_id);
                self.kind == InterruptedKind::Upload
                    && self.upload_id.as_ref() == upload_id
                    && (upload_id.is_some() || self.since == upload.start.since)
            }
            State::Download(download) => self.kind == InterruptedKind::Download && self.since == download.start.since,
        }
    }
}

fn begun_since(path: &Path) -> Error {
    let message = format!("{} is another transfer's by now", path.display());
    Error::new(ErrorKind::InUse, message).with_hint("list what was interrupted again")
}

/// Removes an unfinished file, unless a journal tells of it by now.
fn remove_unrecorded(part: &Path) -> Result<(), Error> {
    let (journal, state) = Journal::open(beside(part, SUFFIX))?;
    if !matches!(state, State::Nothing) {
        return Err(begun_since(part));
    }
    let removed = remove_part(part);
    // It was made to keep others away, and tells nothing.
    journal.remove()?;
    removed
}

/// Removes the file, unless a download is writing it that keeps no journal.
fn remove_part(path: &Path) -> Result<(), Error> {
    if !path.exists() {
        return Ok(());
    }
    let held = locked::open(path, "another download")?;
    journal::remove(path)?;
    drop(held);
    Ok(())
}

/// The file beside a journal or an unfinished file that ends like this instead.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(end);
    path.with_file_name(name)
}
