//! A file, or a part of one, as a body: read anew for every attempt, and before the first where its checksum must be
//! known by then.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use tokio::task::JoinHandle;
use wharf_proto::checksum::{Checksum, ChecksumAlgorithm, ChecksumHasher};
use wharf_proto::{BoxError, Error, ErrorKind};

use super::framed::Summed;
use super::{Digests, blocking, digest};

const BLOCK: usize = 256 * 1024;

/// A file as it was when the call began. One that changes meanwhile is an error: nothing torn is ever stored as whole.
#[derive(Debug)]
pub(crate) struct File {
    path: PathBuf,
    offset: u64,
    length: u64,
    /// How long the whole file is.
    size: u64,
    modified: Option<SystemTime>,
    /// Computed while it is sent.
    algorithm: Option<ChecksumAlgorithm>,
    found: Found,
}

/// What was found while the file was sent.
#[derive(Debug, Clone, Default)]
struct Found(Arc<Mutex<(Option<Checksum>, Option<Error>)>>);

impl Found {
    fn lock(&self) -> MutexGuard<'_, (Option<Checksum>, Option<Error>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl File {
    /// The file at `path`, or the part of it that begins at an offset and has a length.
    pub(crate) async fn open(path: PathBuf, range: Option<(u64, u64)>) -> Result<Self, Error> {
        blocking(move || {
            let metadata = fs::metadata(&path).map_err(|error| unreadable(&path, error))?;
            if metadata.is_dir() {
                return Err(Error::new(ErrorKind::Body, format!("{} is a directory, not a file", path.display())));
            }
            if !metadata.is_file() {
                return Err(Error::new(
                    ErrorKind::Body,
                    format!("{} is no regular file; open it and pass it as a Reader", path.display()),
                ));
            }
            let size = metadata.len();
            let (offset, length) = range.unwrap_or((0, size));
            if offset.checked_add(length).is_none_or(|end| end > size) {
                let problem = format!(
                    "{} has {size} bytes, which do not hold the {length} from {offset} on that were to be sent",
                    path.display()
                );
                return Err(Error::new(ErrorKind::Body, problem));
            }
            let modified = metadata.modified().ok();
            Ok(Self { path, offset, length, size, modified, algorithm: None, found: Found::default() })
        })
        .await
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    pub(crate) fn take_error(&self) -> Option<Error> {
        self.found.lock().1.take()
    }

    /// Has this checksum computed while the file is sent.
    pub(crate) fn compute(&mut self, algorithm: ChecksumAlgorithm) {
        self.algorithm = Some(algorithm);
    }

    /// The checksum of what the last attempt sent, if it sent all.
    pub(crate) fn computed(&self) -> Option<Checksum> {
        self.found.lock().0
    }

    pub(crate) async fn digest(&self, algorithm: Option<ChecksumAlgorithm>, sha256: bool) -> Result<Digests, Error> {
        let mut blocks = self.blocks();
        blocking(move || {
            let mut problem = None;
            let pieces = std::iter::from_fn(|| {
                blocks.next().unwrap_or_else(|error| {
                    problem = Some(error);
                    None
                })
            });
            let digests = digest(pieces, algorithm, sha256);
            problem.map_or(Ok(digests), Err)
        })
        .await
    }

    pub(crate) fn stream(&self) -> FileStream {
        self.found.lock().0 = None;
        let hasher = self.algorithm.map(ChecksumHasher::new);
        FileStream { reading: Reading::Idle(self.blocks()), hasher, found: self.found.clone() }
    }

    fn blocks(&self) -> Blocks {
        Blocks {
            path: self.path.clone(),
            file: None,
            offset: self.offset,
            left: self.length,
            size: self.size,
            modified: self.modified,
            buffer: BytesMut::new(),
        }
    }
}

/// The file's bytes, block by block. Blocks the thread.
struct Blocks {
    path: PathBuf,
    file: Option<fs::File>,
    offset: u64,
    left: u64,
    size: u64,
    modified: Option<SystemTime>,
    buffer: BytesMut,
}

impl Blocks {
    fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let mut file = fs::File::open(&self.path).map_err(|error| unreadable(&self.path, error))?;
                if self.offset > 0 {
                    file.seek(SeekFrom::Start(self.offset)).map_err(|error| unreadable(&self.path, error))?;
                }
                self.file.insert(file)
            }
        };
        if self.left == 0 {
            return Ok(None);
        }
        let want = self.left.min(BLOCK as u64) as usize;
        self.buffer.resize(want, 0);
        let got = loop {
            match file.read(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other.map_err(|error| unreadable(&self.path, error))?,
            }
        };
        if got == 0 {
            return Err(changed(&self.path));
        }
        self.left -= got as u64;
        if self.left == 0 {
            // Before the last block is handed on: without it the server has no whole body.
            let metadata = file.metadata().map_err(|error| unreadable(&self.path, error))?;
            // The length too: two writes within a tick of the file system's clock have the same time.
            if metadata.len() != self.size || metadata.modified().ok() != self.modified {
                return Err(changed(&self.path));
            }
        }
        Ok(Some(self.buffer.split_to(got).freeze()))
    }
}

/// The file's bytes for one attempt, read away from the runtime's threads.
pub(crate) struct FileStream {
    reading: Reading,
    hasher: Option<ChecksumHasher>,
    found: Found,
}

enum Reading {
    Idle(Blocks),
    Busy(JoinHandle<(Result<Option<Bytes>, Error>, Blocks)>),
    Done,
}

impl Summed for FileStream {
    fn checksum(&self) -> Option<Checksum> {
        self.found.lock().0
    }
}

impl Stream for FileStream {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match std::mem::replace(&mut self.reading, Reading::Done) {
                Reading::Done => return Poll::Ready(None),
                Reading::Idle(mut blocks) => {
                    self.reading = Reading::Busy(tokio::task::spawn_blocking(move || (blocks.next(), blocks)));
                }
                Reading::Busy(mut task) => {
                    let Poll::Ready(joined) = Pin::new(&mut task).poll(cx) else {
                        self.reading = Reading::Busy(task);
                        return Poll::Pending;
                    };
                    return Poll::Ready(match joined {
                        Ok((Ok(Some(bytes)), blocks)) => {
                            if let Some(hasher) = &mut self.hasher {
                                hasher.update(&bytes);
                            }
                            if blocks.left == 0 {
                                // With the last block, for hyper never asks for what comes after all it needs.
                                let computed = self.hasher.take().map(ChecksumHasher::finish);
                                self.found.lock().0 = computed;
                            }
                            self.reading = Reading::Idle(blocks);
                            Some(Ok(bytes))
                        }
                        Ok((Ok(None), _)) => None,
                        Ok((Err(error), _)) => {
                            let text = error.to_string();
                            self.found.lock().1 = Some(error);
                            Some(Err(text.into()))
                        }
                        Err(error) => Some(Err(error.into())),
                    });
                }
            }
        }
    }
}

fn unreadable(path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Body, format!("{} cannot be read: {error}", path.display())).with_cause(error)
}

fn changed(path: &Path) -> Error {
    Error::new(ErrorKind::Body, format!("{} changed while it was read; nothing was stored", path.display()))
}
