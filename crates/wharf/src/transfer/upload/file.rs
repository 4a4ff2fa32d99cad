//! A file as it was when the upload began.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::time::Duration;
use std::time::SystemTime;

use bytes::Bytes;
use wharf_proto::{Error, ErrorKind};

use crate::payload::blocking;
use crate::payload::blocks::{look_at_once, whole_at_once};
use crate::payload::file::{must_be_file, unreadable};

/// What tells whether a file has changed.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub(super) path: PathBuf,
    pub(super) length: u64,
    pub(super) modified: Option<SystemTime>,
    /// Another file may stand under the name.
    pub(super) identity: Option<(u64, u64)>,
    /// When anything was done to it last, be it that its time was set; where that is known.
    pub(super) touched: Option<SystemTime>,
}

impl Snapshot {
    pub(super) async fn take(path: PathBuf) -> Result<Self, Error> {
        blocking(move || Self::of_file(path)).await
    }

    /// The same with the bytes of one that has `most` at most.
    pub(super) async fn with_bytes(path: PathBuf, most: u64) -> Result<(Self, Option<Bytes>), Error> {
        // What is in memory is looked at and read in less time than it takes to hop to the threads that wait for disks, and back.
        match Self::at_once(&path, most) {
            Some(read) => Ok(read),
            None => blocking(move || Self::read(path, most)).await,
        }
    }

    /// The same without waiting for a disk. `None` where one may have to be waited for, and for what is no file or has changed
    /// meanwhile.
    fn at_once(path: &Path, most: u64) -> Option<(Self, Option<Bytes>)> {
        let as_it_is = |metadata: Metadata| Self::of(path.to_owned(), &metadata);
        let before = look_at_once(path).filter(Metadata::is_file).map(as_it_is)?;
        if before.length > most {
            return Some((before, None));
        }
        let (bytes, after) = whole_at_once(path, before.length)?;
        as_it_is(after).is_like(&before).then_some((before, Some(bytes.into())))
    }

    /// Blocks the thread.
    fn read(path: PathBuf, most: u64) -> Result<(Self, Option<Bytes>), Error> {
        let before = Self::of_file(path)?;
        if before.length > most {
            return Ok((before, None));
        }
        let bytes = fs::read(&before.path).map_err(|error| unreadable(&before.path, error))?;
        before.compare()?;
        if bytes.len() as u64 != before.length {
            return Err(changed(&before, bytes.len() as u64));
        }
        Ok((before, Some(bytes.into())))
    }

    /// Blocks the thread.
    fn of_file(path: PathBuf) -> Result<Self, Error> {
        let metadata = look(&path)?;
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

    /// Whether anything was done to the file, which leaves its bytes alone or not.
    pub(super) async fn was_touched(&self) -> Result<bool, Error> {
        let before = self.clone();
        blocking(move || before.now().map(|now| before.touched.is_some() && before.touched != now.touched)).await
    }

    /// What is said of one whose bytes are others, although it looks as it did.
    pub(super) fn rewritten(&self) -> Error {
        changed(self, self.length)
    }

    /// Blocks the thread.
    fn compare(&self) -> Result<(), Error> {
        let now = self.now()?;
        if self.is_like(&now) { Ok(()) } else { Err(changed(self, now.length)) }
    }

    /// Blocks the thread.
    fn now(&self) -> Result<Self, Error> {
        Ok(Self::of(self.path.clone(), &look(&self.path)?))
    }

    fn is_like(&self, other: &Self) -> bool {
        self.length == other.length && self.modified == other.modified && self.identity == other.identity
    }

    fn of(path: PathBuf, metadata: &Metadata) -> Self {
        let (modified, touched) = (metadata.modified().ok(), touched(metadata));
        Self { path, length: metadata.len(), modified, identity: identity(metadata), touched }
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

#[cfg(unix)]
fn touched(metadata: &Metadata) -> Option<SystemTime> {
    use std::os::unix::fs::MetadataExt;
    let (seconds, nanoseconds) = (u64::try_from(metadata.ctime()).ok()?, u32::try_from(metadata.ctime_nsec()).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds))
}

#[cfg(not(unix))]
fn touched(_metadata: &Metadata) -> Option<SystemTime> {
    None
}

fn look(path: &Path) -> Result<Metadata, Error> {
    fs::metadata(path).map_err(|error| unreadable(path, error))
}

fn changed(before: &Snapshot, length: u64) -> Error {
    let how = match length {
        same if same == before.length => "was written to or replaced".to_owned(),
        now => format!("had {} bytes and has {now} now", before.length),
    };
    let problem = format!("{} changed since its upload began: it {how}", before.path.display());
    Error::new(ErrorKind::Body, problem)
}

#[cfg(test)]
mod tests {
    use std::future::{Future, poll_fn};
    use std::pin::pin;
    use std::sync::mpsc;
    use std::task::Poll;

    use super::*;

    /// What comes of it without the threads that wait for disks, all of which are busy.
    fn at_first(path: &Path, most: u64) -> Option<Result<(u64, Option<Bytes>), Error>> {
        let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
        runtime.block_on(async {
            let (busy, free) = mpsc::channel::<()>();
            let busy_thread = tokio::task::spawn_blocking(move || free.recv());
            let mut reading = pin!(Snapshot::with_bytes(path.to_owned(), most));
            let polled = poll_fn(|cx| Poll::Ready(reading.as_mut().poll(cx))).await;
            drop(busy);
            let _ = busy_thread.await;
            match polled {
                Poll::Ready(read) => Some(read.map(|(file, bytes)| (file.length, bytes))),
                Poll::Pending => None,
            }
        })
    }

    #[test]
    fn what_a_disk_has_to_be_asked_for_keeps_no_thread_of_the_runtime() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        // Nobody has looked for this yet.
        assert!(at_first(&path, 10).is_none());
        assert!(at_first(folder.path(), 10).is_none());
        fs::write(&path, "hello").unwrap();
        // Linux tells what it has in memory.
        let (all, too_long) = (at_first(&path, 5), at_first(&path, 4));
        if cfg!(target_os = "linux") {
            assert_eq!(all.unwrap().unwrap(), (5, Some(Bytes::from("hello"))));
            assert_eq!(too_long.unwrap().unwrap(), (5, None));
        } else {
            assert!(all.is_none() && too_long.is_none());
        }
    }
}
