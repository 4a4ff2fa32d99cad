//! A stream that is cut into pieces which can be sent again.

use std::future::poll_fn;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use wharf_proto::body::ByteStream;
use wharf_proto::checksum::{Checksum, ChecksumAlgorithm, ChecksumHasher};
use wharf_proto::{Error, ErrorKind};

use super::replay::{Held, Spool};
use crate::payload::failed_body;
use crate::transfer::budgets::{Budgets, Share};
use crate::transfer::unnamed::unnamed_file;

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

    /// The next `length` bytes; fewer where the stream ends before. Where they can only be held in memory, it waits for
    /// room.
    pub(super) async fn take(&mut self, length: u64) -> Result<Cut, Error> {
        match self.take_at_once(length).await? {
            Some(cut) => Ok(cut),
            None => {
                let share = self.budgets.memory(to_usize(length)).await;
                self.take_to_memory(to_usize(length), share).await
            }
        }
    }

    /// The same, or `None` where it would have to wait for room.
    pub(super) async fn take_at_once(&mut self, length: u64) -> Result<Option<Cut>, Error> {
        match (self.budgets.try_memory(to_usize(length)), self.spool.clone()) {
            (Some(share), _) => self.take_to_memory(to_usize(length), share).await.map(Some),
            (None, Some(directory)) => self.take_to_file(length, &directory).await.map(Some),
            (None, None) => Ok(None),
        }
    }

    /// Whether all was taken. Waits for the stream to say so, or to go on.
    pub(super) async fn has_ended(&mut self) -> Result<bool, Error> {
        Ok(!self.fill().await?)
    }

    async fn take_to_memory(&mut self, length: usize, share: Share) -> Result<Cut, Error> {
        let mut sum = self.algorithm.map(ChecksumHasher::new);
        let mut taken = Bytes::new();
        let mut more = BytesMut::new();
        while taken.len() + more.len() < length && self.fill().await? {
            let piece = self.next(length - taken.len() - more.len(), &mut sum);
            if taken.is_empty() && more.is_empty() {
                taken = piece;
                continue;
            }
            if more.is_empty() {
                more.reserve(length.min(FIRST_ROOM.max(taken.len() + piece.len())));
                more.extend_from_slice(&std::mem::take(&mut taken));
            }
            if more.capacity() - more.len() < piece.len() {
                // Room for all of it at once: by growing it would get twice as much, more than its share.
                let mut all = BytesMut::with_capacity(length);
                all.extend_from_slice(&more);
                more = all;
            }
            more.extend_from_slice(&piece);
        }
        let bytes = if more.is_empty() { taken } else { more.freeze() };
        let held = Held::Memory { bytes, _share: Arc::new(share) };
        Ok(Cut { held, checksum: sum.map(ChecksumHasher::finish) })
    }

    async fn take_to_file(&mut self, length: u64, directory: &Path) -> Result<Cut, Error> {
        let mut sum = self.algorithm.map(ChecksumHasher::new);
        let failed = |error: io::Error| {
            let problem = format!("part of the stream could not be kept in {}: {error}", directory.display());
            Error::new(ErrorKind::Body, problem).with_cause(error)
        };
        let mut file = unnamed_file(directory).map_err(failed)?;
        let mut written = 0;
        while written < length && self.fill().await? {
            let piece = self.next(to_usize(length - written), &mut sum);
            // Into the page cache; a hop to another thread for each piece would cost more.
            file.write_all(&piece).map_err(failed)?;
            written += piece.len() as u64;
        }
        let held = Held::Spooled(Arc::new(Spool { file: Mutex::new(file), length: written }));
        Ok(Cut { held, checksum: sum.map(ChecksumHasher::finish) })
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

fn to_usize(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::Limits;

    #[tokio::test]
    async fn a_piece_takes_no_more_than_its_share() {
        let pieces = [3, 1, 1, 1].map(|size| Ok(Bytes::from(vec![7; size << 20])));
        let stream: ByteStream = Box::pin(futures_util::stream::iter(pieces));
        let mut cutter = Cutter::new(stream, Budgets::new(Limits::default()), None);
        let Held::Memory { bytes, .. } = cutter.take(5 << 20).await.unwrap().held else { panic!("it was spooled") };
        assert_eq!(bytes.len(), 5 << 20);
        assert_eq!(bytes.try_into_mut().unwrap().capacity(), 5 << 20);
    }
}
