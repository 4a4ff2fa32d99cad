//! A file's bytes, block by block, into buffers that are used again.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

/// How much is read at once. It fits into a core's own cache, and so do those that are still on their way.
pub(super) const BLOCK: usize = 128 * 1024;

/// So many blocks are kept to be used again; more are on their way only to somebody who holds them up.
const KEPT: usize = 4;

/// The blocks of one attempt.
pub(super) struct Blocks {
    file: Arc<File>,
    offset: u64,
    left: u64,
    at_once: AtOnce,
    /// What was handed out.
    out: Vec<Bytes>,
}

/// What reading without waiting is like where the file lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux tells"))]
pub(super) enum AtOnce {
    /// The system gives what it has in memory, and says where it has nothing.
    WhatIsThere,
    /// The file is in memory.
    All,
    /// The system does not say.
    Nothing,
}

impl AtOnce {
    /// Asks the system, which may take its time, and tells it what will be read.
    pub(super) fn of(file: &File, offset: u64, length: u64) -> Self {
        system::begin(file, offset, length)
    }
}

/// What is known of a file, where the system can find it without waiting for a disk. It is not opened: that would wake who waits
/// at the other end of a pipe.
pub(crate) fn look_at_once(path: &Path) -> Option<Metadata> {
    system::find_at_once(path).ok()?.metadata().ok()
}

/// The bytes of a file of this length, where the system has it in memory, and what it was when they were read. `None` where it may
/// have to be waited for, or is no longer as long, or the system does not say.
pub(crate) fn whole_at_once(path: &Path, length: u64) -> Option<(Vec<u8>, Metadata)> {
    let file = system::open_at_once(path).ok()?;
    let mut bytes = vec![0; usize::try_from(length).ok()?];
    let read = system::read_what_is_there(&file, &mut bytes, 0);
    let read = match read {
        Err(error) if error.kind() == io::ErrorKind::Unsupported && system::is_in_memory(&file) => {
            system::read(&file, &mut bytes, 0)
        }
        read => read,
    };
    (read.ok()? == bytes.len()).then_some((bytes, file.metadata().ok()?))
}

impl Blocks {
    /// The `length` bytes from `offset` on.
    pub(super) fn new(file: Arc<File>, at_once: AtOnce, offset: u64, length: u64) -> Self {
        Self { file, offset, left: length, at_once, out: Vec::new() }
    }

    /// How many bytes are still to come.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// The next block, as far as it can be had without waiting for a disk. `None` where it cannot.
    ///
    /// # Errors
    /// As reading does; [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) where the file has become shorter.
    pub(super) fn next_at_once(&mut self) -> io::Result<Option<Bytes>> {
        match self.at_once {
            AtOnce::All => self.next().map(Some),
            AtOnce::Nothing => Ok(None),
            AtOnce::WhatIsThere => {
                let read = self.read(system::read_what_is_there);
                match read {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
                    Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                        self.at_once = AtOnce::Nothing;
                        Ok(None)
                    }
                    read => read.map(Some),
                }
            }
        }
    }

    /// The next block. Waits for it.
    ///
    /// # Errors
    /// As [`next_at_once`](Self::next_at_once).
    pub(super) fn next(&mut self) -> io::Result<Bytes> {
        self.read(system::read)
    }

    fn read(&mut self, read: impl Fn(&File, &mut [u8], u64) -> io::Result<usize>) -> io::Result<Bytes> {
        let mut buffer = self.buffer();
        // Of one that was used before, at most its end has to be cleared.
        buffer.resize(self.left.min(BLOCK as u64) as usize, 0);
        let read = loop {
            match read(&self.file, &mut buffer, self.offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) if self.left > 0 => break Err(io::ErrorKind::UnexpectedEof.into()),
                read => break read,
            }
        };
        let mut block = buffer.freeze();
        let read = read.inspect(|count| {
            self.offset += *count as u64;
            self.left -= *count as u64;
        });
        if self.out.len() < KEPT {
            self.out.push(block.clone());
        }
        block.truncate(read?);
        Ok(block)
    }

    /// A buffer that nobody needs any more, else a new one.
    fn buffer(&mut self) -> BytesMut {
        let free = self.out.iter().position(Bytes::is_unique).map(|at| self.out.swap_remove(at));
        match free.map(Bytes::try_into_mut) {
            Some(Ok(buffer)) => buffer,
            _ => BytesMut::with_capacity(self.left.min(BLOCK as u64) as usize),
        }
    }
}

/// Where the system can say that a read would have to wait.
#[cfg(target_os = "linux")]
mod system {
    use std::fs::File;
    use std::io::{self, IoSliceMut};
    use std::num::NonZeroU64;
    use std::path::Path;

    use rustix::fs::{Advice, CWD, FsWord, Mode, OFlags, ResolveFlags, fadvise, fstatfs, openat2};
    use rustix::io::{ReadWriteFlags, preadv2};

    use super::AtOnce;
    pub(super) use super::positioned::read;

    /// The kind of file system that is all in memory, and does not know reads that do not wait.
    const TMPFS: FsWord = 0x0102_1994;

    pub(super) fn begin(file: &File, offset: u64, length: u64) -> AtOnce {
        // Advice alone: nothing depends on it.
        let _ = fadvise(file, offset, NonZeroU64::new(length), Advice::Sequential);
        if is_in_memory(file) { AtOnce::All } else { AtOnce::WhatIsThere }
    }

    pub(super) fn is_in_memory(file: &File) -> bool {
        fstatfs(file).is_ok_and(|system| system.f_type == TMPFS)
    }

    /// Opens what can be found without waiting for a disk.
    pub(super) fn open_at_once(path: &Path) -> io::Result<File> {
        find(path, OFlags::RDONLY | OFlags::NONBLOCK)
    }

    /// The same, and not to be read.
    pub(super) fn find_at_once(path: &Path) -> io::Result<File> {
        find(path, OFlags::PATH)
    }

    fn find(path: &Path, how: OFlags) -> io::Result<File> {
        Ok(openat2(CWD, path, how | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::CACHED)?.into())
    }

    pub(super) fn read_what_is_there(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        Ok(preadv2(file, &mut [IoSliceMut::new(buffer)], offset, ReadWriteFlags::NOWAIT)?)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    use super::AtOnce;
    pub(super) use super::positioned::read;

    pub(super) fn begin(_: &File, _: u64, _: u64) -> AtOnce {
        AtOnce::Nothing
    }

    pub(super) fn is_in_memory(_: &File) -> bool {
        false
    }

    pub(super) fn open_at_once(_: &Path) -> io::Result<File> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn find_at_once(_: &Path) -> io::Result<File> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn read_what_is_there(_: &File, _: &mut [u8], _: u64) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Reading at an offset, which is no part of the file's state: attempts share one open file.
mod positioned {
    use std::fs::File;
    use std::io;

    #[cfg(unix)]
    pub(super) fn read(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(file, buffer, offset)
    }

    #[cfg(windows)]
    pub(super) fn read(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn file(name: &str, bytes: &[u8]) -> (PathBuf, Arc<File>) {
        let path = std::env::temp_dir().join(format!("wharf-blocks-{name}-{}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        let file = Arc::new(File::open(&path).unwrap());
        (path, file)
    }

    fn bytes(count: usize) -> Vec<u8> {
        (0..count as u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
    }

    #[test]
    fn whatever_can_be_had_at_once_it_is_the_same() {
        let written = bytes(3 * BLOCK + 5);
        let (path, file) = file("same", &written);
        let part = BLOCK / 2..3 * BLOCK;
        for at_once in [AtOnce::of(&file, 0, written.len() as u64), AtOnce::All, AtOnce::Nothing] {
            let mut blocks = Blocks::new(file.clone(), at_once, part.start as u64, part.len() as u64);
            let mut read = Vec::new();
            while blocks.left() > 0 {
                let block = match blocks.next_at_once().unwrap() {
                    Some(block) => block,
                    None => {
                        assert_ne!(at_once, AtOnce::All);
                        blocks.next().unwrap()
                    }
                };
                read.extend_from_slice(&block);
            }
            assert!(read == written[part.clone()]);
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_buffer_is_used_again_once_nobody_needs_it() {
        let written = bytes(4 * BLOCK);
        let (path, file) = file("again", &written);
        let mut blocks = Blocks::new(file, AtOnce::Nothing, 0, 4 * BLOCK as u64);
        let held = blocks.next().unwrap();
        let other = blocks.next().unwrap().as_ptr();
        assert_ne!(held.as_ptr(), other);
        let third = blocks.next().unwrap();
        assert_eq!(third.as_ptr(), other);
        drop(blocks);
        assert!(held == written[..BLOCK] && third == written[2 * BLOCK..3 * BLOCK]);
        std::fs::remove_file(path).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_in_memory_is_read_at_once_or_not_at_all() {
        let written = bytes(5000);
        let (path, file) = file("whole", &written);
        // Written a moment ago, it is in memory, on a disk as well.
        assert!(whole_at_once(&path, 5000).unwrap().0 == written);
        assert!(whole_at_once(&path, 5001).is_none());
        drop(file);
        std::fs::remove_file(&path).unwrap();
        assert!(whole_at_once(&path, 5000).is_none());
    }

    #[test]
    fn a_file_that_has_become_shorter() {
        let (path, file) = file("shorter", &bytes(10));
        let mut blocks = Blocks::new(file, AtOnce::Nothing, 0, 20);
        assert_eq!(blocks.next().unwrap().len(), 10);
        assert_eq!(blocks.next().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        std::fs::remove_file(path).unwrap();
    }
}
