//! A file, or a part of one, as a body: read anew for every attempt, and before the first where its checksum must be
//! known by then.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use bytes::Bytes;
use futures_core::Stream;
use tokio::task::{JoinHandle, spawn_blocking};
use wharf_proto::checksum::{Checksum, ChecksumAlgorithm, ChecksumHasher};
use wharf_proto::{BoxError, Error, ErrorKind};

use super::blocks::{AtOnce, Blocks};
use super::framed::Summed;
use super::{Digests, blocking, digest_pieces};

/// A file as it was when the call began. One that changes meanwhile is an error: nothing torn is ever stored as whole.
#[derive(Debug)]
pub(crate) struct File {
    source: Arc<Source>,
    at_once: AtOnce,
    offset: u64,
    length: u64,
    /// Computed while it is sent.
    algorithm: Option<ChecksumAlgorithm>,
    found: Found,
}

/// The open file, and how it was.
#[derive(Debug)]
struct Source {
    path: PathBuf,
    file: Arc<fs::File>,
    size: u64,
    modified: Option<SystemTime>,
}

impl Source {
    fn open(path: PathBuf) -> Result<Self, Error> {
        let unreadable = |error| unreadable(&path, error);
        // Before it is opened, which would wait for the other end of a pipe.
        must_be_file(&path, &fs::metadata(&path).map_err(unreadable)?)?;
        let file = fs::File::open(&path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        Ok(Self { size: metadata.len(), modified: metadata.modified().ok(), file: Arc::new(file), path })
    }

    /// Refuses a file that is not what it was. What is asked is known of any open file without a disk, so that this is done
    /// wherever its last block was read.
    fn check_unchanged(&self) -> Result<(), Error> {
        let metadata = self.file.metadata().map_err(|error| unreadable(&self.path, error))?;
        // The length too: two writes within a tick of the file system's clock have the same time.
        if metadata.len() != self.size || metadata.modified().ok() != self.modified {
            return Err(changed(&self.path));
        }
        Ok(())
    }

    /// A block that was read. The last one is handed on only if the file is what it was: without it the server has no
    /// whole body.
    fn check(&self, read: io::Result<Bytes>, blocks: &Blocks) -> Result<Bytes, Error> {
        let block = read.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => changed(&self.path),
            _ => unreadable(&self.path, error),
        })?;
        if blocks.left() == 0 {
            self.check_unchanged()?;
        }
        Ok(block)
    }
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
            let source = Source::open(path)?;
            let (offset, length) = range.unwrap_or((0, source.size));
            if offset.checked_add(length).is_none_or(|end| end > source.size) {
                let (path, size) = (source.path.display(), source.size);
                let problem = format!(
                    "{path} has {size} bytes, which do not hold the {length} from {offset} on that were to be sent"
                );
                return Err(Error::new(ErrorKind::Body, problem));
            }
            let at_once = AtOnce::of(&source.file, offset, length);
            Ok(Self { source: Arc::new(source), at_once, offset, length, algorithm: None, found: Found::default() })
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
        let (source, mut blocks) = (self.source.clone(), self.blocks());
        blocking(move || {
            let mut problem = None;
            let pieces = std::iter::from_fn(|| {
                let read = (blocks.left() > 0).then(|| blocks.next())?;
                source.check(read, &blocks).map_err(|error| problem = Some(error)).ok()
            });
            let digests = digest_pieces(pieces, algorithm, sha256);
            problem.map_or(Ok(digests), Err)
        })
        .await
    }

    pub(crate) fn stream(&self) -> FileStream {
        self.found.lock().0 = None;
        FileStream {
            source: self.source.clone(),
            reading: Reading::Idle(self.blocks()),
            hasher: self.algorithm.map(ChecksumHasher::new),
            found: self.found.clone(),
        }
    }

    fn blocks(&self) -> Blocks {
        Blocks::new(self.source.file.clone(), self.at_once, self.offset, self.length)
    }
}

/// The file's bytes for one attempt. What the system has in memory is read here and now, which takes less than handing
/// the work to another thread; what it has to fetch from a disk is read away from the runtime's threads.
pub(crate) struct FileStream {
    source: Arc<Source>,
    reading: Reading,
    hasher: Option<ChecksumHasher>,
    found: Found,
}

enum Reading {
    Idle(Blocks),
    Busy(JoinHandle<(Result<Bytes, Error>, Blocks)>),
    Done,
}

impl FileStream {
    fn poll_block(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        loop {
            let (block, blocks) = match std::mem::replace(&mut self.reading, Reading::Done) {
                Reading::Done => return Poll::Ready(None),
                Reading::Idle(blocks) if blocks.left() == 0 => return Poll::Ready(None),
                Reading::Idle(mut blocks) => match blocks.next_at_once().transpose() {
                    Some(read) => (self.source.check(read, &blocks), blocks),
                    None => {
                        let source = self.source.clone();
                        self.reading = Reading::Busy(spawn_blocking(move || {
                            let read = blocks.next();
                            (source.check(read, &blocks), blocks)
                        }));
                        continue;
                    }
                },
                Reading::Busy(mut task) => match Pin::new(&mut task).poll(cx) {
                    Poll::Pending => {
                        self.reading = Reading::Busy(task);
                        return Poll::Pending;
                    }
                    Poll::Ready(Ok(read)) => read,
                    Poll::Ready(Err(error)) => {
                        return Poll::Ready(Some(Err(unreadable(&self.source.path, io::Error::other(error)))));
                    }
                },
            };
            let block = block?;
            if let Some(hasher) = &mut self.hasher {
                hasher.update(&block);
            }
            if blocks.left() == 0 {
                // Now, and not at the end: who needs no more than the last block does not ask for it.
                self.found.lock().0 = self.hasher.take().map(ChecksumHasher::finish);
            }
            self.reading = Reading::Idle(blocks);
            return Poll::Ready(Some(Ok(block)));
        }
    }
}

impl Summed for FileStream {
    fn checksum(&self) -> Option<Checksum> {
        self.found.lock().0
    }
}

impl Stream for FileStream {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(match ready!(self.poll_block(cx)) {
            Some(Ok(block)) => Some(Ok(block)),
            Some(Err(error)) => {
                // The transport needs a reason to stop; the caller is told the error itself.
                let text = error.to_string();
                self.found.lock().1 = Some(error);
                Some(Err(text.into()))
            }
            None => None,
        })
    }
}

/// Only a regular file has a length and can be read from any place.
pub(crate) fn must_be_file(path: &Path, metadata: &fs::Metadata) -> Result<(), Error> {
    let problem = match metadata {
        metadata if metadata.is_file() => return Ok(()),
        metadata if metadata.is_dir() => "is a directory, not a file",
        _ => "is no regular file; open it and pass it as a Reader",
    };
    Err(Error::new(ErrorKind::Body, format!("{} {problem}", path.display())))
}

pub(crate) fn unreadable(path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Body, format!("{} cannot be read: {error}", path.display())).with_cause(error)
}

fn changed(path: &Path) -> Error {
    Error::new(ErrorKind::Body, format!("{} changed while it was read; nothing was stored", path.display()))
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    /// Where the system cannot say that a read would wait, other threads read.
    #[tokio::test]
    async fn a_file_that_has_to_be_waited_for() {
        let path = std::env::temp_dir().join(format!("wharf-waited-for-{}", std::process::id()));
        let written: Vec<u8> = (0..700_000_u32).map(|n| (n >> 3) as u8).collect();
        fs::write(&path, &written).unwrap();
        let mut file = File::open(path.clone(), Some((1000, 600_000))).await.unwrap();
        file.compute(ChecksumAlgorithm::Crc64Nvme);
        file.at_once = AtOnce::Nothing;
        let mut stream = file.stream();
        let mut read = Vec::new();
        while let Some(block) = poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await {
            read.extend_from_slice(&block.unwrap());
        }
        assert!(read == written[1000..601_000]);
        assert_eq!(file.computed(), Some(ChecksumAlgorithm::Crc64Nvme.checksum(&read)));
        fs::remove_file(path).unwrap();
    }
}
