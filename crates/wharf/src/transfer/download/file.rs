//! The file that a download writes: under another name until it is whole.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tokio::sync::Mutex;
use wharf_proto::checksum::ChecksumAlgorithm;
use wharf_proto::{Error, ErrorKind};

/// What follows the name of a file that is not whole.
const SUFFIX: &str = ".wharf-part";

/// How many bytes a file's name can have nearly everywhere.
const LONGEST_NAME: usize = 255;

/// The most that is written at a time: another writer waits that long.
const BLOCK: usize = 1 << 20;

/// What a file can be asked for beyond its bytes.
#[derive(Debug, Clone, Default)]
pub struct FileOptions {
    pub(super) durable: bool,
    pub(super) preserve: bool,
    pub(super) mode: Option<u32>,
    pub(super) keep_existing: bool,
    pub(super) create_directories: bool,
}

/// A file that is not whole yet. Whoever has it open has it locked.
#[derive(Debug)]
pub(super) struct PartFile {
    file: File,
    path: PathBuf,
    /// Several writers at a time fight over the file's lock in the kernel, which costs more than waiting here.
    turn: Mutex<()>,
}

/// The name beside `target` that its bytes have until they are whole: with [`SUFFIX`], and where that is too long for a
/// file's name, cut and told apart by a checksum.
pub(super) fn part_path(target: &Path) -> Result<PathBuf, Error> {
    let Some(name) = target.file_name() else {
        return Err(Error::new(ErrorKind::InvalidInput, format!("{} names no file", target.display())));
    };
    let mut part = name.to_owned();
    if name.len() + SUFFIX.len() > LONGEST_NAME {
        let checksum = ChecksumAlgorithm::Crc64Nvme.checksum(name.as_encoded_bytes());
        let checksum: String = checksum.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let text = name.to_string_lossy();
        let cut = text.floor_char_boundary(LONGEST_NAME - SUFFIX.len() - checksum.len() - 1);
        part = format!("{}-{checksum}", &text[..cut]).into();
    }
    part.push(SUFFIX);
    Ok(target.with_file_name(part))
}

/// Finds out what would only come out at the end.
pub(super) fn check_target(target: &Path, options: &FileOptions) -> Result<(), Error> {
    let refused = |problem: &str| Error::new(ErrorKind::InvalidInput, format!("{} {problem}", target.display()));
    match fs::metadata(target) {
        Ok(found) if found.is_dir() => Err(refused("is a directory: name the file in it")),
        Ok(found) if !found.is_file() => Err(refused("is no regular file: open it and give a Writer")),
        Ok(_) if options.keep_existing => Err(exists(target)),
        _ => Ok(()),
    }
}

fn exists(target: &Path) -> Error {
    Error::new(ErrorKind::PreconditionFailed, format!("{} exists already", target.display()))
        .with_hint("overwrite(true) replaces it")
}

/// The error of a file.
pub(super) fn failed(what: &str, path: &Path, error: io::Error) -> Error {
    let told = Error::new(ErrorKind::Body, format!("{} {what}: {error}", path.display()));
    let told = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => told.with_hint("make room and begin anew"),
        io::ErrorKind::NotFound => told.with_hint("create_directories(true) makes the directories above the file"),
        _ => told,
    };
    told.with_cause(error)
}

impl PartFile {
    /// An empty file that nobody else writes; one that was left over is taken.
    pub(super) fn create(target: &Path, options: &FileOptions) -> Result<Self, Error> {
        let path = part_path(target)?;
        if options.create_directories
            && let Some(parent) = path.parent()
        {
            fs::create_dir_all(parent).map_err(|error| failed("could not be made", parent, error))?;
        }
        loop {
            let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
            let file = opened.map_err(|error| failed("could not be made", &path, error))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let problem = format!("another download is writing {}", path.display());
                    return Err(Error::new(ErrorKind::Conflict, problem));
                }
                // Some file systems have no locks.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
                Err(TryLockError::Error(error)) => return Err(failed("could not be locked", &path, error)),
            }
            // Whoever had it may have given it its name between our opening and our locking it.
            if fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) {
                return Err(Error::new(ErrorKind::Body, format!("{} is no regular file: remove it", path.display())));
            }
            if is_at(&file, &path) {
                file.set_len(0).map_err(|error| failed("could not be emptied", &path, error))?;
                return Ok(Self { file, path, turn: Mutex::new(()) });
            }
        }
    }

    /// Writes `bytes` at this place of the file, one writer at a time.
    pub(super) async fn write(&self, mut bytes: &[u8], mut at: u64) -> Result<(), Error> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK));
            {
                let _turn = self.turn.lock().await;
                write_at(&self.file, now, at).map_err(|error| failed("could not be written", &self.path, error))?;
            }
            at += now.len() as u64;
            bytes = later;
        }
        Ok(())
    }

    /// Gives the file its name, now that all `length` bytes are there.
    pub(super) fn finish(
        &self,
        target: &Path,
        length: u64,
        modified: Option<SystemTime>,
        mode: Option<u32>,
        options: &FileOptions,
    ) -> Result<(), Error> {
        let failed = |what: &'static str| move |error| failed(what, target, error);
        let there = self.file.metadata().map_err(failed("could not be looked at"))?.len();
        if there != length {
            let problem =
                format!("{} has {there} bytes in place of {length}: something else wrote it", self.path.display());
            return Err(Error::new(ErrorKind::Corrupt, problem));
        }
        set_mode(&self.file, mode).map_err(failed("could not be given its permissions"))?;
        if let Some(time) = modified {
            self.file.set_modified(time).map_err(failed("could not be given its time"))?;
        }
        if options.durable {
            self.file.sync_all().map_err(failed("could not be synced"))?;
        }
        if options.keep_existing {
            // Unlike a rename, a link never replaces anything.
            match fs::hard_link(&self.path, target) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(exists(target)),
                linked => linked.map_err(failed("could not be given its name"))?,
            }
            let _ = fs::remove_file(&self.path);
        } else {
            fs::rename(&self.path, target).map_err(failed("could not be given its name"))?;
        }
        if options.durable {
            sync_directory(target).map_err(failed("could not be synced"))?;
        }
        Ok(())
    }
}

/// Removes the file that is not whole when it is dropped.
#[derive(Debug)]
pub(super) struct Unfinished(pub(super) PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

impl PartFile {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(windows)]
fn write_at(file: &File, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
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

/// Whether the open file is the one at this path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(unix)]
fn set_mode(file: &File, mode: Option<u32>) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    mode.map_or(Ok(()), |mode| file.set_permissions(fs::Permissions::from_mode(mode & 0o7777)))
}

#[cfg(not(unix))]
fn set_mode(_file: &File, _mode: Option<u32>) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn sync_directory(target: &Path) -> io::Result<()> {
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_target: &Path) -> io::Result<()> {
    Ok(())
}
