//! A stream that is cut into pieces which can be sent again.

use std::future::poll_fn;
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use wharf_proto::body::ByteStream;
use wharf_proto::checksum::{Checksum, ChecksumAlgorithm, ChecksumHasher};
use wharf_proto::{Error, ErrorKind};

use super::replay::{Held, Spool};
use crate::payload::failed_body;
use crate::transfer::budgets::{Budgets, Share};

/// So much is made room for before it is known whether it comes.
const FIRST_ROOM: usize = 1 << 20;

/// Cuts a stream.
pub(super) struct Cutter {
    /// `None` once it has ended.
    stream: Option<ByteStream>,
    /// What was read of it and not taken yet.
    rest: Bytes,
    budgets: Budgets,
    /// Where pieces go that memory has no room for; `None` to wait for room.
    spool: Option<PathBuf>,
    /// Of each piece.
    algorithm: Option<ChecksumAlgorithm>,
    /// Of all of them.
    whole: Option<ChecksumHasher>,
}

/// A piece of the stream.
#[derive(Debug)]
pub(super) struct Cut {
    pub(super) held: Held,
    pub(super) checksum: Option<Checksum>,
}

impl Cutter {
    pub(super) fn new(stream: ByteStream, budgets: Budgets, spool: Option<PathBuf>) -> Self {
        Self { stream: Some(stream), rest: Bytes::new(), budgets, spool, algorithm: None, whole: None }
    }

    /// Has a checksum of each piece computed.
    pub(super) fn sum_pieces(&mut self, algorithm: Option<ChecksumAlgorithm>) {
        self.algorithm = algorithm;
    }

    /// Has a checksum of all bytes computed.
    pub(super) fn sum_all(&mut self, algorithm: Option<ChecksumAlgorithm>) {
        self.whole = algorithm.map(ChecksumHasher::new);
    }

    /// The checksum of all bytes that were taken.
    pub(super) fn sum_of_all(&self) -> Option<Checksum> {
        self.whole.clone().map(ChecksumHasher::finish)
    }

    /// The next `length` bytes; fewer where the stream ends before.
    pub(super) async fn take(&mut self, length: u64) -> Result<Cut, Error> {
        let mut sum = self.algorithm.map(ChecksumHasher::new);
        let held = match self.memory_for(length).await? {
            Some(share) => self.take_to_memory(length as usize, share, &mut sum).await?,
            None => self.spool(length, &mut sum).await?,
        };
        Ok(Cut { held, checksum: sum.map(ChecksumHasher::finish) })
    }

    /// Whether all was taken. Waits for the stream to say so, or to go on.
    pub(super) async fn has_ended(&mut self) -> Result<bool, Error> {
        Ok(!self.fill().await?)
    }

    /// A share for so many bytes, or none where they are to be spooled.
    async fn memory_for(&mut self, length: u64) -> Result<Option<Share>, Error> {
        let bytes = usize::try_from(length).unwrap_or(usize::MAX);
        match (self.budgets.try_memory(bytes), &self.spool) {
            (Some(share), _) => Ok(Some(share)),
            (None, Some(_)) => Ok(None),
            (None, None) => self.budgets.memory(bytes).await.map(Some),
        }
    }

    async fn take_to_memory(
        &mut self,
        length: usize,
        share: Share,
        sum: &mut Option<ChecksumHasher>,
    ) -> Result<Held, Error> {
        let mut taken = Bytes::new();
        let mut more = BytesMut::new();
        while taken.len() + more.len() < length && self.fill().await? {
            let piece = self.next(length - taken.len() - more.len(), sum);
            if taken.is_empty() && more.is_empty() {
                taken = piece;
                continue;
            }
            if more.is_empty() {
                more.reserve(length.min(FIRST_ROOM.max(taken.len() + piece.len())));
                more.extend_from_slice(&std::mem::take(&mut taken));
            }
            more.extend_from_slice(&piece);
        }
        let bytes = if more.is_empty() { taken } else { more.freeze() };
        Ok(Held::Memory { bytes, _share: Arc::new(share) })
    }

    async fn spool(&mut self, length: u64, sum: &mut Option<ChecksumHasher>) -> Result<Held, Error> {
        let directory = self.spool.clone().unwrap_or_default();
        let failed = |error: std::io::Error| {
            let problem = format!("part of the stream could not be kept in {}: {error}", directory.display());
            Error::new(ErrorKind::Body, problem).with_cause(error)
        };
        let mut file = tempfile::tempfile_in(&directory).map_err(failed)?;
        let mut written = 0;
        while written < length && self.fill().await? {
            let piece = self.next(usize::try_from(length - written).unwrap_or(usize::MAX), sum);
            // Into the page cache; a hop to another thread for each piece would cost more.
            file.write_all(&piece).map_err(failed)?;
            written += piece.len() as u64;
        }
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        Ok(Held::Spooled(Arc::new(Spool { file: Mutex::new(file), length: written })))
    }

    /// At most so many of the bytes that are there.
    fn next(&mut self, most: usize, sum: &mut Option<ChecksumHasher>) -> Bytes {
        let piece = self.rest.split_to(most.min(self.rest.len()));
        for sum in [sum.as_mut(), self.whole.as_mut()].into_iter().flatten() {
            sum.update(&piece);
        }
        piece
    }

    /// Reads until there are bytes; `false` at the end.
    async fn fill(&mut self) -> Result<bool, Error> {
        while self.rest.is_empty() {
            let Some(stream) = &mut self.stream else { return Ok(false) };
            match poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
                Some(piece) => self.rest = piece.map_err(failed_body)?,
                None => self.stream = None,
            }
        }
        Ok(true)
    }
}
