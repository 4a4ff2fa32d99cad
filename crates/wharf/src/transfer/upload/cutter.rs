//! A stream that is cut into pieces which can be sent again.

use std::future::poll_fn;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use wharf_proto::body::ByteStream;
use wharf_proto::checksum::{Checksum, ChecksumAlgorithm, ChecksumHasher};
use wharf_proto::{Error, ErrorKind};

use super::replay::{Held, Spool};
use crate::payload::failed_body;
use crate::transfer::budgets::{Budgets, Share};
use crate::transfer::gate::Gate;
use crate::transfer::unnamed::unnamed_file;

/// So much is made room for before it is known whether it comes, and so many times as much when it has: streams that are slow,
/// or small, hold little more than what they have brought, and few bytes are moved to make room for more.
const FIRST_ROOM: usize = 64 << 10;
const GROWTH: usize = 16;

/// Cuts a stream.
pub(super) struct Cutter {
    /// `None` once it has ended.
    stream: Option<ByteStream>,
    /// What was read of it and not taken yet.
    rest: Bytes,
    budgets: Budgets,
    /// Where pieces go that memory has no room for; `None` where they cannot.
    spool: Option<PathBuf>,
    /// Room for one piece that can go nowhere else, beyond the limit: whoever holds all of it may wait for this stream.
    beyond: Arc<Gate>,
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
        let (stream, beyond) = (Some(stream), Gate::new(0));
        Self { stream, rest: Bytes::new(), budgets, spool, beyond, algorithm: None, whole: None }
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
    /// room, at most until the pieces before it are sent.
    pub(super) async fn take(&mut self, length: u64) -> Result<Cut, Error> {
        match self.take_at_once(length).await? {
            Some(cut) => Ok(cut),
            None => {
                let length = to_usize(length);
                let share = first(self.budgets.memory(length), self.beyond.pass(length)).await;
                self.take_to_memory(length, share).await
            }
        }
    }

    /// The same, or `None` where it would have to wait for room.
    pub(super) async fn take_at_once(&mut self, length: u64) -> Result<Option<Cut>, Error> {
        // What may have to wait for room gets all of it at once: two that hold some would wait for each other.
        let first = if self.spool.is_some() { FIRST_ROOM.min(to_usize(length)) } else { to_usize(length) };
        match (self.budgets.try_memory(first), self.spool.clone()) {
            (Some(share), _) => self.take_to_memory(to_usize(length), share).await.map(Some),
            (None, Some(directory)) => {
                let sum = self.algorithm.map(ChecksumHasher::new);
                self.take_to_file(length, &directory, &[], sum).await.map(Some)
            }
            (None, None) => Ok(None),
        }
    }

    /// Whether all was taken. Waits for the stream to say so, or to go on.
    pub(super) async fn has_ended(&mut self) -> Result<bool, Error> {
        Ok(!self.fill().await?)
    }

    async fn take_to_memory(&mut self, length: usize, mut share: Share) -> Result<Cut, Error> {
        let mut sum = self.algorithm.map(ChecksumHasher::new);
        // One piece is taken as it is.
        let mut taken = Bytes::new();
        let mut more = BytesMut::new();
        while taken.len() + more.len() < length && self.fill().await? {
            let so_far = taken.len() + more.len();
            let then = so_far + self.rest.len().min(length - so_far);
            if then > share.count()
                && !share.try_grow(then.max(share.count().saturating_mul(GROWTH)).min(length))
                && let Some(directory) = self.spool.clone()
            {
                drop(share);
                return self.take_to_file(length as u64, &directory, &[&taken, &more], sum).await;
            }
            let piece = self.next(then - so_far, &mut sum);
            if so_far == 0 {
                taken = piece;
                continue;
            }
            if more.capacity() < then {
                // By growing it would get twice as much, more than its share.
                let mut all = BytesMut::with_capacity(share.count());
                all.extend_from_slice(&std::mem::take(&mut taken));
                all.extend_from_slice(&more);
                more = all;
            }
            more.extend_from_slice(&piece);
        }
        if !more.is_empty() && more.len() < more.capacity() / 2 {
            // The stream has ended, and most of the room that was made for it is not needed.
            taken = Bytes::copy_from_slice(&std::mem::take(&mut more));
        }
        share.shrink(taken.len().max(more.capacity()));
        let bytes = if more.is_empty() { taken } else { more.freeze() };
        let held = Held::Memory { bytes, shares: vec![Arc::new(share)] };
        Ok(Cut { held, checksum: sum.map(ChecksumHasher::finish) })
    }

    /// After what was `taken` of the piece already.
    async fn take_to_file(
        &mut self,
        length: u64,
        directory: &Path,
        taken: &[&[u8]],
        mut sum: Option<ChecksumHasher>,
    ) -> Result<Cut, Error> {
        let failed = |error: io::Error| {
            let problem = format!("part of the stream could not be kept in {}: {error}", directory.display());
            Error::new(ErrorKind::Body, problem).with_cause(error)
        };
        let mut file = unnamed_file(directory).map_err(failed)?;
        let mut written = 0;
        for taken in taken {
            file.write_all(taken).map_err(failed)?;
            written += taken.len() as u64;
        }
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

/// What comes of the one that is ready first.
async fn first<T>(one: impl Future<Output = T>, other: impl Future<Output = T>) -> T {
    let (mut one, mut other) = (pin!(one), pin!(other));
    poll_fn(|cx| match one.as_mut().poll(cx) {
        Poll::Pending => other.as_mut().poll(cx),
        ready => ready,
    })
    .await
}

fn to_usize(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};

    use futures_util::{FutureExt, StreamExt};

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

    fn stream(pieces: impl IntoIterator<Item = usize>) -> ByteStream {
        let pieces: Vec<_> = pieces.into_iter().map(|size| Ok(Bytes::from(vec![7; size]))).collect();
        Box::pin(futures_util::stream::iter(pieces))
    }

    /// Others hold all the room, and may wait for what this stream brings.
    #[tokio::test]
    async fn one_piece_that_cannot_be_spooled_passes_beyond_the_limit() {
        let budgets = Budgets::new(Limits { memory: 100, ..Limits::default() });
        let others = budgets.memory(100).await;
        let mut cutter = Cutter::new(stream([10; 30]), budgets, None);
        let first = cutter.take(100).now_or_never().expect("it waits for others").unwrap();
        assert_eq!(first.held.length(), 100);
        assert!(cutter.take_at_once(100).await.unwrap().is_none());
        assert!(cutter.take(100).now_or_never().is_none(), "two of them are beyond it");
        drop(first);
        let second = cutter.take(100).now_or_never().expect("nothing of it is held").unwrap();
        drop(others);
        let third = cutter.take(100).now_or_never().expect("there is room").unwrap();
        assert_eq!((second.held.length(), third.held.length()), (100, 100));
    }

    fn spooling(pieces: impl IntoIterator<Item = usize>, budgets: &Budgets, directory: &Path) -> Cutter {
        Cutter::new(stream(pieces), budgets.clone(), Some(directory.to_owned()))
    }

    #[tokio::test]
    async fn small_streams_hold_what_they_brought() {
        let budgets = Budgets::new(Limits { memory: 8 << 20, ..Limits::default() });
        let nowhere = Path::new("/no/such/folder");
        let mut held = Vec::new();
        for _ in 0..1000 {
            held.push(spooling([50, 50], &budgets, nowhere).take(8 << 20).await.unwrap().held);
        }
        assert!(held.iter().all(|held| held.length() == 100));
        drop(held);
        // Also while they are silent.
        let mut quiet: Vec<_> = (0..100)
            .map(|_| {
                let silence = futures_util::stream::once(async { Ok(Bytes::from_static(b"x")) });
                let silence = Box::pin(silence.chain(futures_util::stream::pending()));
                Cutter::new(silence, budgets.clone(), Some(nowhere.to_owned()))
            })
            .collect();
        let mut taking: Vec<_> = quiet.iter_mut().map(|cutter| Box::pin(cutter.take(8 << 20))).collect();
        assert!(taking.iter_mut().all(|taking| taking.now_or_never().is_none()));
        assert!(budgets.try_memory(1 << 20).is_some());
        drop(taking);
        assert!(budgets.try_memory(8 << 20).is_some());
    }

    #[tokio::test]
    async fn what_outgrows_the_room_goes_to_a_file_as_a_whole() {
        let budgets = Budgets::new(Limits { memory: 2 << 20, ..Limits::default() });
        let directory = tempfile::tempdir().unwrap();
        let bytes = vec![7; 2_000_000];
        for others in [1 << 20, 0] {
            let _others = budgets.memory(others).await;
            let mut cutter = spooling([100_000; 30], &budgets, directory.path());
            cutter.sum_pieces(Some(ChecksumAlgorithm::Crc64Nvme));
            let cut = cutter.take(bytes.len() as u64).await.unwrap();
            assert_eq!(cut.checksum, Some(ChecksumAlgorithm::Crc64Nvme.checksum(&bytes)));
            match cut.held {
                Held::Spooled(spool) => {
                    assert!(others > 0 && budgets.try_memory(1 << 20).is_some());
                    assert_eq!(spool.length, bytes.len() as u64);
                    let mut spooled = Vec::new();
                    let mut file = spool.file.lock().unwrap();
                    file.rewind().unwrap();
                    file.read_to_end(&mut spooled).unwrap();
                    assert!(spooled == bytes);
                }
                Held::Memory { bytes: held, .. } => assert!(others == 0 && held == bytes),
            }
        }
    }
}
