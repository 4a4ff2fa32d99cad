//! Files that one transfer at a time has open.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
#[cfg(unix)]
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
#[cfg(unix)]
use std::time::SystemTime;

use wharf_proto::{Error, ErrorKind};

/// How often, and how long, whoever only looks is waited for.
const LOOKS: u32 = 50;
const LOOK: Duration = Duration::from_millis(1);

/// A file that nobody else has.
#[derive(Debug)]
pub(super) struct Locked {
    pub(super) file: File,
    /// What it was like when it was locked.
    pub(super) found: Metadata,
    /// It was made just now.
    pub(super) is_new: bool,
}

/// Opens the file, made if it is not there, and locks it until it is closed. Blocks the thread, but not on the lock.
///
/// # Errors
/// `InUse` where `who` has it.
pub(super) fn open(path: &Path, who: &str) -> Result<Locked, Error> {
    open_between(path, who, || thread::sleep(LOOK))
}

fn open_between(path: &Path, who: &str, mut wait: impl FnMut()) -> Result<Locked, Error> {
    let mut looks = 0;
    loop {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let (opened, is_new) = match options.clone().create_new(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (options.create(true).open(path), false),
            made => (made, true),
        };
        let file = opened.map_err(|error| failed("could not be made", path, error))?;
        if !lock(&file, path)? {
            // It can be shared, so that nobody writes it.
            if looks < LOOKS && file.try_lock_shared().is_ok() {
                looks += 1;
                drop(file);
                wait();
                continue;
            }
            let problem = format!("{who} is writing {}", path.display());
            return Err(Error::new(ErrorKind::InUse, problem).with_hint("let it end, or end it, and try again"));
        }
        // Whoever had it may have given it another name, or none, between our opening and our locking it.
        let named = fs::symlink_metadata(path).ok();
        if named.as_ref().is_some_and(|named| !named.is_file()) {
            return Err(Error::new(ErrorKind::Body, format!("{} is no regular file: remove it", path.display())));
        }
        if let Some(found) = named.filter(|named| is_of(named, &file)) {
            return Ok(Locked { file, found, is_new });
        }
    }
}

/// Locks an open file; `false` where somebody else has.
pub(super) fn lock(file: &File, path: &Path) -> Result<bool, Error> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        // Some file systems have no locks.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(true),
        Err(TryLockError::Error(error)) => Err(failed("could not be locked", path, error)),
    }
}

/// The error of a file.
pub(super) fn failed(what: &str, path: &Path, error: io::Error) -> Error {
    let told = Error::new(ErrorKind::Body, format!("{} {what}: {error}", path.display()));
    let folder = path.parent().filter(|folder| error.kind() == io::ErrorKind::NotFound && !is_here(folder));
    let told = match folder {
        Some(folder) => told.with_message(format!("the folder {} is not there", folder.display())),
        None => told,
    };
    let told = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => told.with_hint("make room and begin anew"),
        io::ErrorKind::NotFound => told.with_hint("make the folders above it first, or let create_directories() do so"),
        _ => told,
    };
    told.with_cause(error)
}

/// Whether there is such a folder; the empty path is this one.
fn is_here(folder: &Path) -> bool {
    folder.as_os_str().is_empty() || folder.exists()
}

/// Whether there was no file, or no folder above it.
pub(super) fn is_missing(error: &Error) -> bool {
    let cause = error.cause().and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::NotFound)
}

/// Whether this is said of the open file.
#[cfg(unix)]
fn is_of(named: &Metadata, file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|open| (open.dev(), open.ino()) == (named.dev(), named.ino()))
}

#[cfg(not(unix))]
fn is_of(_named: &Metadata, _file: &File) -> bool {
    true
}

#[cfg(unix)]
pub(super) fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(windows)]
pub(super) fn write_at(file: &File, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let count = std::os::windows::fs::FileExt::seek_write(file, bytes, at)?;
        if count == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[count..];
        at += count as u64;
    }
    Ok(())
}

#[cfg(unix)]
pub(super) fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, bytes, at)
}

#[cfg(windows)]
pub(super) fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, bytes, at)
}

/// Has the names in the directory above survive a power failure.
#[cfg(unix)]
pub(super) fn sync_directory(file: &Path) -> io::Result<()> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync_directory(_file: &Path) -> io::Result<()> {
    Ok(())
}

/// Has the file's name survive a power failure, and those of the folders on the way to it, for any may have just been made.
#[cfg(unix)]
pub(super) fn sync_directories(file: &Path) -> io::Result<()> {
    sync_directory(file)?;
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // The way is not to be seen: then nothing new is in it.
    let Ok(parent) = fs::canonicalize(parent) else { return Ok(()) };
    let mut known = named().clone();
    for folder in parent.ancestors() {
        let (Some(above), Ok(found)) = (folder.parent(), fs::metadata(folder)) else { break };
        let id = Identity::of(&found);
        let is_mounted = fs::metadata(above).map_or(true, |above| Identity::of(&above).device != id.device);
        if is_mounted || known.contains(&id) {
            break;
        }
        match File::open(above).and_then(|above| above.sync_all()) {
            // Not every folder can be synced, nor by everybody: then what is in it has not just been made here.
            Err(error) if cannot_be_synced(error.kind()) => break,
            synced => synced?,
        }
        if id.born.is_some() {
            known.insert(0, id);
        }
    }
    known.truncate(FOLDERS);
    *named() = known;
    Ok(())
}

#[cfg(unix)]
fn cannot_be_synced(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{InvalidInput, NotFound, PermissionDenied, ReadOnlyFilesystem, Unsupported};
    matches!(kind, InvalidInput | NotFound | PermissionDenied | ReadOnlyFilesystem | Unsupported)
}

/// A folder, and no other that is called like it later, or gets its place on the disk.
#[cfg(unix)]
#[derive(Clone, PartialEq)]
struct Identity {
    device: u64,
    inode: u64,
    born: Option<SystemTime>,
}

#[cfg(unix)]
impl Identity {
    fn of(folder: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self { device: folder.dev(), inode: folder.ino(), born: folder.created().ok() }
    }
}

/// The last of the folders whose names are known to survive: thousands of files are in few folders.
#[cfg(unix)]
fn named() -> MutexGuard<'static, Vec<Identity>> {
    static NAMED: Mutex<Vec<Identity>> = Mutex::new(Vec::new());
    NAMED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
const FOLDERS: usize = 64;

#[cfg(not(unix))]
pub(super) fn sync_directories(_file: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_only_looks_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "").unwrap();
        let look = || {
            let looking = File::open(&path).unwrap();
            looking.try_lock_shared().unwrap();
            looking
        };
        let mut looking = Some(look());
        let held = open_between(&path, "another", || drop(looking.take())).unwrap();
        // Whoever writes it has it, and is not waited for.
        let error = open_between(&path, "another", || panic!("it waits")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InUse);
        drop(held);
        // Nor is a look that never ends, for ever.
        let (looking, mut waits) = (look(), 0);
        assert_eq!(open_between(&path, "another", || waits += 1).unwrap_err().kind(), ErrorKind::InUse);
        assert_eq!(waits, LOOKS);
        drop(looking);
        open_between(&path, "another", || panic!("it waits")).unwrap();
    }
}
