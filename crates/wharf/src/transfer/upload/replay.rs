//! Bytes that can be sent as often as need be.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use tokio::task::JoinHandle;
use wharf_proto::checksum::{Checksum, ChecksumAlgorithm, ChecksumHasher};
use wharf_proto::{Body, Error, ErrorKind};

use crate::payload::blocking;
use crate::transfer::budgets::Share;

const BLOCK: u64 = 256 * 1024;

/// Where the bytes of a request are until it has succeeded.
#[derive(Debug, Clone)]
pub(super) enum Replay {
    /// In memory.
    Bytes(Bytes),
    /// In a file of the caller's.
    File { path: PathBuf, offset: u64, length: u64 },
    /// Taken from a stream, one behind the other.
    Held(Vec<Held>),
}

/// Bytes that were taken from a stream.
#[derive(Debug, Clone)]
pub(super) enum Held {
    Memory {
        bytes: Bytes,
        /// Of the budget, until the last clone is dropped.
        _share: Arc<Share>,
    },
    Spooled(Arc<Spool>),
}

/// A temporary file without a name.
#[derive(Debug)]
pub(super) struct Spool {
    pub(super) file: Mutex<File>,
    pub(super) length: u64,
}

impl Held {
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Memory { bytes, .. } => bytes.len() as u64,
            Self::Spooled(spool) => spool.length,
        }
    }
}

impl Replay {
    /// The checksum of all its bytes, which are read for it.
    pub(super) async fn checksum(&self, algorithm: ChecksumAlgorithm) -> Result<Checksum, Error> {
        let content = self.clone();
        blocking(move || {
            sum(&content, algorithm).map_err(|error| {
                let what = match &content {
                    Self::File { path, .. } => path.display().to_string(),
                    _ => "what was spooled".to_owned(),
                };
                Error::new(ErrorKind::Body, format!("{what} cannot be read: {error}")).with_cause(error)
            })
        })
        .await
    }

    /// The body of one attempt.
    pub(super) fn body(&self) -> Body {
        match self {
            Self::Bytes(bytes) => Body::bytes(bytes.clone()),
            Self::File { path, offset, length } => Body::file_range(path.clone(), *offset, *length),
            Self::Held(held) => match held.as_slice() {
                [] => Body::empty(),
                [Held::Memory { bytes, .. }] => Body::bytes(bytes.clone()),
                _ if held.iter().all(|held| matches!(held, Held::Memory { .. })) => Body::bytes(joined(held)),
                _ => Body::sized_stream(
                    HeldStream { held: held.clone().into(), offset: 0, reading: None },
                    held.iter().map(Held::length).sum(),
                ),
            },
        }
    }
}

/// Reads it all. Blocks the thread.
fn sum(content: &Replay, algorithm: ChecksumAlgorithm) -> io::Result<Checksum> {
    let mut hasher = ChecksumHasher::new(algorithm);
    match content {
        Replay::Bytes(bytes) => hasher.update(bytes),
        Replay::File { path, offset, length } => {
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start(*offset))?;
            let mut file = file.take(*length);
            let mut block = vec![0; BLOCK as usize];
            loop {
                match file.read(&mut block) {
                    Ok(0) => break,
                    Ok(count) => hasher.update(&block[..count]),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Replay::Held(held) => {
            for held in held {
                match held {
                    Held::Memory { bytes, .. } => hasher.update(bytes),
                    Held::Spooled(spool) => {
                        let mut offset = 0;
                        while offset < spool.length {
                            let block = spool.read(offset)?;
                            hasher.update(&block);
                            offset += block.len() as u64;
                        }
                    }
                }
            }
        }
    }
    Ok(hasher.finish())
}

fn joined(held: &[Held]) -> Bytes {
    let mut whole = BytesMut::with_capacity(held.iter().map(Held::length).sum::<u64>() as usize);
    for held in held {
        if let Held::Memory { bytes, .. } = held {
            whole.extend_from_slice(bytes);
        }
    }
    whole.freeze()
}

/// What is held, block by block.
struct HeldStream {
    held: VecDeque<Held>,
    offset: u64,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

impl Spool {
    /// Blocks the thread.
    fn read(&self, offset: u64) -> io::Result<Bytes> {
        let mut block = BytesMut::zeroed(BLOCK.min(self.length - offset) as usize);
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(&mut block)?;
        Ok(block.freeze())
    }
}

impl Stream for HeldStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(reading) = &mut self.reading {
                let read = ready!(Pin::new(reading).poll(cx));
                self.reading = None;
                let read = read.unwrap_or_else(|error| Err(io::Error::other(error)));
                return Poll::Ready(Some(match read {
                    Ok(bytes) => {
                        self.offset += bytes.len() as u64;
                        Ok(bytes)
                    }
                    Err(error) => Err(Error::new(ErrorKind::Body, format!("what was spooled cannot be read: {error}"))
                        .with_cause(error)),
                }));
            }
            match self.held.front() {
                None => return Poll::Ready(None),
                Some(Held::Memory { bytes, .. }) => {
                    let bytes = bytes.clone();
                    self.held.pop_front();
                    return Poll::Ready(Some(Ok(bytes)));
                }
                Some(Held::Spooled(spool)) if self.offset < spool.length => {
                    let (spool, offset) = (spool.clone(), self.offset);
                    self.reading = Some(tokio::task::spawn_blocking(move || spool.read(offset)));
                }
                Some(Held::Spooled(_)) => {
                    self.held.pop_front();
                    self.offset = 0;
                }
            }
        }
    }
}
