//! Files that are read once more, to compare their bytes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use wharf_proto::Error;

use crate::payload::blocking;

const BLOCK: u64 = 256 * 1024;

/// Whether somebody still waits for what is read.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted(Arc<AtomicBool>);

/// Ends the reading when it is dropped.
struct Waits(Wanted);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

impl Wanted {
    /// Fails where nobody waits any more.
    pub(super) fn check(&self) -> io::Result<()> {
        match self.0.load(Ordering::Relaxed) {
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
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut file = file.take(length);
    let mut block = vec![0; length.min(BLOCK) as usize];
    loop {
        wanted.check()?;
        match file.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(count) => take(&block[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
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
