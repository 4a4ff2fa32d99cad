//! Files that are read once more, to compare their bytes.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use wharf_proto::Error;

use super::locked::read_at;
use crate::payload::blocking;

const BLOCK: u64 = 256 * 1024;

/// Whether somebody still waits for what is read.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    is_abandoned: Arc<AtomicBool>,
}

/// Ends the reading when it is dropped.
struct Waits(Wanted);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.is_abandoned.store(true, Ordering::Relaxed);
    }
}

impl Wanted {
    /// Fails where nobody waits any more.
    pub(super) fn check(&self) -> io::Result<()> {
        match self.is_abandoned.load(Ordering::Relaxed) {
            true => Err(io::Error::other("nobody waits for it any more")),
            false => Ok(()),
        }
    }
}

/// Reads away from the runtime's threads. Where the caller is dropped, [`Wanted::check`] fails and ends it.
pub(super) async fn while_wanted<T: Send + 'static>(
    read: impl FnOnce(&Wanted) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let wanted = Wanted::default();
    let _waits = Waits(wanted.clone());
    blocking(move || read(&wanted)).await
}

/// Reads at most `length` bytes of a file from `offset` on, block by block. Blocks the thread.
pub(super) fn each_block(
    path: &Path,
    offset: u64,
    length: u64,
    wanted: &Wanted,
    mut take: impl FnMut(&[u8]),
) -> io::Result<()> {
    let taken = |block: &[u8]| {
        take(block);
        wanted.check()
    };
    each_block_of(&File::open(path)?, offset..offset.saturating_add(length), taken).map(drop)
}

/// The same of an open file, until `take` fails. How many bytes of the range there were.
pub(super) fn each_block_of(
    file: &File,
    range: Range<u64>,
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<u64> {
    let Range { start, end } = range;
    let mut block = vec![0; (end - start).min(BLOCK) as usize];
    let mut at = start;
    while at < end {
        let most = block.len().min(usize::try_from(end - at).unwrap_or(usize::MAX));
        match read_at(file, &mut block[..most], at) {
            Ok(0) => break,
            Ok(count) => {
                take(&block[..count])?;
                at += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(at - start)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_range_is_read_and_no_more() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let bytes: Vec<u8> = (0..600_000_u32).map(|n| (n % 251) as u8).collect();
        file.write_all(&bytes).unwrap();
        for (offset, length) in [(0, u64::MAX), (0, 600_000), (1, 300_000), (599_999, 5), (600_000, 5), (7, 0)] {
            let mut read = Vec::new();
            each_block(file.path(), offset, length, &Wanted::default(), |block| read.extend_from_slice(block)).unwrap();
            let end = offset.saturating_add(length).min(600_000) as usize;
            assert!(read == bytes[offset as usize..end], "{offset} {length}");
        }
    }

    #[tokio::test]
    async fn what_nobody_waits_for_ends() {
        let (began, begins) = tokio::sync::oneshot::channel();
        let (ended, ends) = mpsc::channel();
        let reading = tokio::spawn(while_wanted(move |wanted| {
            let _ = began.send(());
            while wanted.check().is_ok() {
                std::thread::yield_now();
            }
            let _ = ended.send(());
            Ok(())
        }));
        begins.await.unwrap();
        reading.abort();
        assert!(reading.await.unwrap_err().is_cancelled());
        tokio::task::spawn_blocking(move || ends.recv().unwrap()).await.unwrap();
    }
}
