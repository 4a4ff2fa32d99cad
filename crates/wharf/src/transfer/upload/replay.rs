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
use wharf_proto::evidence::{Comparison, Likeness};
use wharf_proto::{Body, Error, ErrorKind};

use crate::transfer::budgets::Share;
use crate::transfer::reading::{self, Wanted, while_wanted};

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
        shares: Vec<Arc<Share>>,
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
    /// What was taken from a stream. In one piece where all is in memory, for what is several is framed where it is signed; each
    /// is let go of when it has been copied, so that little is there twice.
    pub(super) fn of(held: Vec<Held>) -> Self {
        if held.len() < 2 || held.iter().any(|held| matches!(held, Held::Spooled(_))) {
            return Self::Held(held);
        }
        let mut whole = BytesMut::with_capacity(held.iter().map(Held::length).sum::<u64>() as usize);
        let mut all = Vec::new();
        for held in held {
            if let Held::Memory { bytes, shares } = held {
                whole.extend_from_slice(&bytes);
                all.extend(shares);
            }
        }
        Self::Held(vec![Held::Memory { bytes: whole.freeze(), shares: all }])
    }

    /// The checksum of all its bytes, which are read for it.
    pub(super) async fn checksum(&self, algorithm: ChecksumAlgorithm) -> Result<Checksum, Error> {
        let hasher = ChecksumHasher::new(algorithm);
        self.read_into(hasher, ChecksumHasher::update).await.map(ChecksumHasher::finish)
    }

    /// Whether its bytes, which are read for it, are those that it is to be compared with.
    pub(super) async fn compare(&self, comparison: Comparison) -> Result<Likeness, Error> {
        self.read_into(comparison, Comparison::update).await.map(Comparison::finish)
    }

    async fn read_into<T: Send + 'static>(&self, mut into: T, take: fn(&mut T, &[u8])) -> Result<T, Error> {
        let content = self.clone();
        while_wanted(move |wanted| {
            each_block(&content, wanted, |block| take(&mut into, block)).map_err(|error| {
                let what = match &content {
                    Self::File { path, .. } => path.display().to_string(),
                    _ => "what was spooled".to_owned(),
                };
                Error::new(ErrorKind::Body, format!("{what} cannot be read: {error}")).with_cause(error)
            })?;
            Ok(into)
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
                _ => Body::sized_stream(
                    HeldStream { held: held.clone().into(), offset: 0, reading: None },
                    held.iter().map(Held::length).sum(),
                ),
            },
        }
    }
}

/// Reads it all. Blocks the thread.
fn each_block(content: &Replay, wanted: &Wanted, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    match content {
        Replay::Bytes(bytes) => take(bytes),
        Replay::File { path, offset, length } => return reading::each_block(path, *offset, *length, wanted, take),
        Replay::Held(held) => {
            for held in held {
                match held {
                    Held::Memory { bytes, .. } => take(bytes),
                    Held::Spooled(spool) => {
                        let mut offset = 0;
                        while offset < spool.length {
                            wanted.check()?;
                            let block = spool.read(offset)?;
                            take(&block);
                            offset += block.len() as u64;
                        }
                    }
                }
            }
        }
    }
    Ok(())
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
