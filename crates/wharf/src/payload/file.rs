//! A file as a body: read once for its checksum, and again for every attempt.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use tokio::task::JoinHandle;
use wharf_proto::checksum::ChecksumAlgorithm;
use wharf_proto::{BoxError, Error, ErrorKind};

use super::{Digests, blocking, digest};

const BLOCK: usize = 256 * 1024;

/// A file as it was when the call began. One that changes meanwhile is an error: nothing torn is ever stored as whole.
#[derive(Debug)]
pub(crate) struct File {
    path: PathBuf,
    length: u64,
    modified: Option<SystemTime>,
    error: Arc<Mutex<Option<Error>>>,
}

impl File {
    pub(crate) async fn open(path: PathBuf) -> Result<Self, Error> {
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
            Ok(Self { length: metadata.len(), modified: metadata.modified().ok(), path, error: Arc::default() })
        })
        .await
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    pub(crate) fn take_error(&self) -> Option<Error> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
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

    pub(crate) async fn stream(&self) -> Result<FileStream, Error> {
        Ok(FileStream { reading: Reading::Idle(self.blocks()), error: self.error.clone() })
    }

    fn blocks(&self) -> Blocks {
        Blocks {
            path: self.path.clone(),
            file: None,
            length: self.length,
            left: self.length,
            modified: self.modified,
            buffer: BytesMut::new(),
        }
    }
}

/// The file's bytes, block by block. Blocks the thread.
struct Blocks {
    path: PathBuf,
    file: Option<fs::File>,
    length: u64,
    left: u64,
    modified: Option<SystemTime>,
    buffer: BytesMut,
}

impl Blocks {
    fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let file = fs::File::open(&self.path).map_err(|error| unreadable(&self.path, error))?;
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
            if metadata.len() != self.length || metadata.modified().ok() != self.modified {
                return Err(changed(&self.path));
            }
        }
        Ok(Some(self.buffer.split_to(got).freeze()))
    }
}

/// The file's bytes for one attempt, read away from the runtime's threads.
pub(crate) struct FileStream {
    reading: Reading,
    error: Arc<Mutex<Option<Error>>>,
}

enum Reading {
    Idle(Blocks),
    Busy(JoinHandle<(Result<Option<Bytes>, Error>, Blocks)>),
    Done,
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
                            self.reading = Reading::Idle(blocks);
                            Some(Ok(bytes))
                        }
                        Ok((Ok(None), _)) => None,
                        Ok((Err(error), _)) => {
                            let text = error.to_string();
                            *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
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
