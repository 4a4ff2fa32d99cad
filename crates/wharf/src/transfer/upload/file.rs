//! A file as it was when the upload began.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;
use wharf_proto::{Error, ErrorKind};

use crate::payload::blocking;
use crate::payload::blocks::whole_at_once;
use crate::payload::file::{must_be_file, unreadable};

/// What tells whether a file has changed.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub(super) path: PathBuf,
    pub(super) length: u64,
    pub(super) modified: Option<SystemTime>,
    /// Another file may stand under the name.
    pub(super) identity: Option<(u64, u64)>,
}

impl Snapshot {
    pub(super) async fn take(path: PathBuf) -> Result<Self, Error> {
        blocking(move || Self::of_file(path)).await
    }

    /// The same with the bytes of one that has `most` at most.
    pub(super) async fn with_bytes(path: PathBuf, most: u64) -> Result<(Self, Option<Bytes>), Error> {
        let before = Self::of_file(path)?;
        if before.length > most {
            return Ok((before, None));
        }
        // What is in memory is read in less time than it takes to hop to the threads that read, and back.
        if let Some(bytes) = whole_at_once(&before.path, before.length) {
            return before.whole(bytes);
        }
        blocking(move || {
            let bytes = fs::read(&before.path).map_err(|error| unreadable(&before.path, error))?;
            before.whole(bytes)
        })
        .await
    }

    /// It with its bytes, if it has not changed while they were read.
    fn whole(self, bytes: Vec<u8>) -> Result<(Self, Option<Bytes>), Error> {
        self.compare()?;
        if bytes.len() as u64 != self.length {
            return Err(changed(&self, bytes.len() as u64));
        }
        Ok((self, Some(bytes.into())))
    }

    /// Blocks the thread.
    fn of_file(path: PathBuf) -> Result<Self, Error> {
        let metadata = read(&path)?;
        must_be_file(&path, &metadata)?;
        Ok(Self::of(path, &metadata))
    }

    /// Fails where the file is no longer as it was.
    pub(super) async fn check(&self) -> Result<(), Error> {
        let before = self.clone();
        blocking(move || before.compare()).await
    }

    /// Whether the file is known to be another than it was.
    pub(super) async fn has_changed(&self) -> bool {
        let before = self.clone();
        let differs = blocking(move || before.now().map(|now| !before.is_like(&now)));
        differs.await.unwrap_or(false)
    }

    /// Blocks the thread.
    fn compare(&self) -> Result<(), Error> {
        let now = self.now()?;
        if self.is_like(&now) { Ok(()) } else { Err(changed(self, now.length)) }
    }

    /// Blocks the thread.
    fn now(&self) -> Result<Self, Error> {
        Ok(Self::of(self.path.clone(), &read(&self.path)?))
    }

    fn is_like(&self, now: &Self) -> bool {
        (now.length, now.modified, now.identity) == (self.length, self.modified, self.identity)
    }

    fn of(path: PathBuf, metadata: &Metadata) -> Self {
        Self { path, length: metadata.len(), modified: metadata.modified().ok(), identity: identity(metadata) }
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_metadata: &Metadata) -> Option<(u64, u64)> {
    None
}

fn read(path: &Path) -> Result<Metadata, Error> {
    fs::metadata(path).map_err(|error| unreadable(path, error))
}

fn changed(before: &Snapshot, length: u64) -> Error {
    let how = match length {
        same if same == before.length => "was written to or replaced".to_owned(),
        now => format!("had {} bytes and has {now} now", before.length),
    };
    let problem = format!("{} changed while it was uploaded: it {how}; nothing was stored", before.path.display());
    Error::new(ErrorKind::Body, problem)
}
