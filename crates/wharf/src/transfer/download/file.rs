//! The file that a download writes: under another name until it is whole.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::{OwnedRwLockReadGuard, RwLock};
use wharf_proto::checksum::{Checksum, ChecksumAlgorithm, ChecksumHasher};
use wharf_proto::evidence::{Comparison, Likeness};
use wharf_proto::transfer::Arrived;
use wharf_proto::transfer::journal::hex;
use wharf_proto::{Error, ErrorKind, ObjectHead};

use super::attributes;
use super::name::rename_to_new;
use super::turn::Turn;
use crate::payload::blocking;
use crate::transfer::handle::Watch;
use crate::transfer::journal;
use crate::transfer::locked::{self, failed, is_missing, write_at};
use crate::transfer::reading::{each_block_of, while_wanted};

/// How long it may take, once a download was dropped, to record what has arrived, and until nothing uses its file any more.
pub(super) const TIDY_UP: Duration = Duration::from_secs(5);

/// What the names of files end in that are not whole.
pub(in crate::transfer) const PART: &str = ".wharf-part";

/// What is wrong with such a name for anything else.
pub(in crate::transfer) const KEPT_NAME: &str = "has a name that is kept for downloads that are not whole";

/// How many bytes a file's name can have nearly everywhere.
const LONGEST_NAME: usize = 255;

/// The most that is written at a time: another writer waits that long.
const BLOCK: usize = 1 << 20;

/// What a file can be asked for beyond its bytes.
#[derive(Debug, Clone, Default)]
pub struct FileOptions {
    pub(super) durable: bool,
    pub(super) preserve: bool,
    /// Whether it gets the time at which the object was stored, and when that was as a listing says it.
    pub(super) is_dated: bool,
    pub(super) listed: Option<SystemTime>,
    pub(super) mode: Option<u32>,
    pub(super) keep_existing: bool,
    pub(super) create_directories: bool,
    pub(super) resumable: bool,
}

impl FileOptions {
    /// The time and the permissions of a file that holds this object.
    pub(super) fn attributes(&self, head: &ObjectHead) -> (Option<SystemTime>, Option<u32>) {
        let stored = || head.last_modified.or(self.listed).filter(|_| self.is_dated);
        match self.preserve {
            true => (attributes::modified(head).or_else(stored), self.mode.or_else(|| attributes::mode(head))),
            false => (stored(), self.mode),
        }
    }
}

/// A file that is not whole yet. Whoever has it open has it locked.
#[derive(Debug)]
pub(super) struct PartFile {
    file: File,
    /// How many bytes it had when it was opened.
    left_over: u64,
    /// The journal of the run that has left it, held until that is given up.
    earlier: Option<File>,
    path: PathBuf,
    /// Several writers at a time fight over the file's lock in the kernel, which costs more than waiting here.
    turn: Turn,
    /// Held by what other threads do with it, which nobody can stop.
    in_use: Arc<RwLock<()>>,
    /// A sync has failed: the next may go well, and what the disk has of it is still unknown.
    is_lost: Arc<AtomicBool>,
    /// Locked while its name is given or taken away.
    fate: Mutex<Fate>,
    watch: Arc<Watch>,
}

/// What became of such a file. What has its old name once that is settled is another download's.
#[derive(Debug, Default)]
enum Fate {
    #[default]
    Unfinished,
    Named,
    Discarded,
}

/// The name beside `target` that its bytes have until they are whole.
pub(super) fn part_path(target: &Path) -> Result<PathBuf, Error> {
    beside(target, PART)
}

/// The name beside `target` of the journal of a download that can be resumed.
pub(super) fn journal_path(target: &Path) -> Result<PathBuf, Error> {
    beside(target, journal::SUFFIX)
}

/// The target's name and `suffix`; where that is too long for a file's name, cut and told apart by a checksum.
fn beside(target: &Path, suffix: &str) -> Result<PathBuf, Error> {
    let Some(name) = target.file_name() else {
        return Err(Error::new(ErrorKind::InvalidInput, format!("{} names no file", target.display())));
    };
    // Both files are called alike.
    let room = LONGEST_NAME - PART.len().max(journal::SUFFIX.len());
    let mut named = name.to_owned();
    if name.len() > room {
        let checksum = hex(&ChecksumAlgorithm::Crc64Nvme.checksum(name.as_encoded_bytes()));
        let text = name.to_string_lossy();
        let cut = text.floor_char_boundary(room - checksum.len() - 1);
        named = format!("{}-{checksum}", &text[..cut]).into();
    }
    named.push(suffix);
    Ok(target.with_file_name(named))
}

/// Whether files that are not whole are called so, or their journals. In any case of letters, for some disks know no other.
pub(in crate::transfer) fn is_kept_name(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_lowercase();
    [PART, journal::SUFFIX].iter().any(|end| name.ends_with(end))
}

/// Finds out what would only come out at the end. How many bytes the file has that will be replaced.
pub(super) fn check_target(target: &Path, options: &FileOptions) -> Result<u64, Error> {
    let refused = |problem: &str| Error::new(ErrorKind::InvalidInput, format!("{} {problem}", target.display()));
    if target.file_name().is_some_and(is_kept_name) {
        return Err(refused(&format!("{KEPT_NAME}: give it another")));
    }
    match fs::metadata(target) {
        Ok(found) if found.is_dir() => Err(is_directory(target)),
        Ok(found) if !found.is_file() => Err(refused("is no regular file").with_hint("open it and give a Writer")),
        Ok(_) if options.keep_existing => Err(exists(target)),
        Ok(found) => Ok(found.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        // A link that leads nowhere is replaced.
        Err(error) => fs::symlink_metadata(target).map(|_| 0).map_err(|_| failed("could not be made", target, error)),
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        // It is locked for as long as it is open anywhere, and whoever waits for the transfer to end may begin another.
        if self.in_use.try_write().is_err() {
            let in_use = self.in_use.clone();
            let unused = async move {
                drop(in_use.write().await);
                Ok(())
            };
            self.watch.tidy_up(self.shown(), unused, TIDY_UP);
        }
    }
}

fn is_directory(target: &Path) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("{} is a directory: name the file in it", target.display()))
}

fn exists(target: &Path) -> Error {
    Error::new(ErrorKind::PreconditionFailed, format!("{} exists already", target.display()))
        .with_hint("overwrite(true) replaces it")
}

/// Makes the directories above it, where that was asked for.
pub(super) fn make_directories(path: &Path, options: &FileOptions) -> Result<(), Error> {
    match path.parent().filter(|_| options.create_directories) {
        Some(parent) => fs::create_dir_all(parent).map_err(|error| failed("could not be made", parent, error)),
        None => Ok(()),
    }
}

impl PartFile {
    /// A file that nobody else writes: an empty one, or one that was left over. Whoever keeps no journal has that of the run
    /// that left it, too, where it is not another download's: beside a file that is new there is none of any use.
    pub(super) fn open(
        target: &Path,
        options: &FileOptions,
        watch: Arc<Watch>,
        keeps_journal: bool,
    ) -> Result<Self, Error> {
        let path = part_path(target)?;
        let open = || match locked::open(&path, "another download") {
            Err(error) if options.create_directories && is_missing(&error) => {
                make_directories(&path, options)?;
                locked::open(&path, "another download")
            }
            opened => opened,
        };
        let mut opened = open()?;
        let mut earlier = None;
        if !keeps_journal && !opened.is_new {
            // The journal comes first, as for whoever keeps one: else each could have what the other lacks.
            drop(opened);
            earlier = journal::hold(&journal_path(target)?)?;
            opened = open()?;
        }
        // A crash can leave a finished file with both of its names: only this one is to go.
        if has_other_names(&opened.found) {
            fs::remove_file(&path).map_err(|error| failed("could not be removed", &path, error))?;
            opened = open()?;
        }
        Ok(Self {
            left_over: opened.found.len(),
            earlier,
            file: opened.file,
            path,
            turn: Turn::default(),
            in_use: Arc::default(),
            is_lost: Arc::default(),
            fate: Mutex::default(),
            watch,
        })
    }

    /// Removes the journal of the run that has left it, if there is one.
    pub(super) fn give_up_earlier(&mut self, target: &Path) -> Result<(), Error> {
        self.earlier.take().map_or(Ok(()), |_held| journal::remove(&journal_path(target)?))
    }

    /// Forgets what was left over.
    pub(super) async fn empty(&self) -> Result<(), Error> {
        if self.left_over == 0 {
            return Ok(());
        }
        // It takes the longer the more was left.
        self.apart(|file| file.set_len(0)).await?.map_err(|error| failed("could not be emptied", &self.path, error))
    }

    /// Does with the file what may take long, on another thread.
    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&File) -> io::Result<T> + Send + 'static,
    ) -> Result<io::Result<T>, Error> {
        let work = self.to_do(work).await?;
        blocking(move || Ok(work())).await
    }

    /// The same, for whoever has a thread. The file is in use until it is done or dropped.
    async fn to_do<T: Send + 'static>(
        &self,
        work: impl FnOnce(&File) -> io::Result<T> + Send + 'static,
    ) -> Result<impl FnOnce() -> io::Result<T> + Send + 'static, Error> {
        let file = self.file.try_clone().map_err(|error| failed("could not be opened again", &self.path, error))?;
        let in_use = self.in_use().await;
        Ok(move || {
            let done = work(&file);
            drop((file, in_use));
            done
        })
    }

    /// Those of the ranges whose bytes are in the file, which begins with the byte `start` of the object. Of a range
    /// without a checksum it can only be seen whether it is there.
    pub(super) async fn still_holds(&self, arrived: Vec<Arrived>, start: u64) -> Result<Vec<Arrived>, Error> {
        let mut held = Vec::new();
        for Arrived { range, checksum } in arrived {
            let (at, length) = (range.start.saturating_sub(start), range.end - range.start);
            // One after the other, so that a transfer that is dropped does not go on reading.
            let holds = self.apart(move |file| holds(file, at, length, checksum)).await?;
            if holds.map_err(|error| failed("could not be read", &self.path, error))? {
                held.push(Arrived { range, checksum });
            }
        }
        Ok(held)
    }

    /// Compares all of its bytes, as many as the comparison is of. Ends early where the caller is dropped.
    pub(super) async fn compare(&self, mut comparison: Comparison, size: u64) -> Result<Likeness, Error> {
        let (in_use, path) = (self.in_use().await, self.path.clone());
        let file = self.file.try_clone().map_err(|error| failed("could not be opened again", &self.path, error))?;
        while_wanted(move |wanted| {
            let read = each_block_of(&file, 0..size, |block| {
                comparison.update(block);
                wanted.check()
            });
            drop((file, in_use));
            read.map(|_| comparison.finish()).map_err(|error| failed("could not be read", &path, error))
        })
        .await
    }

    /// What has its bytes survive a power failure. It blocks the thread.
    pub(super) async fn sync(&self) -> Result<impl FnOnce() -> Result<(), Error> + Send + 'static, Error> {
        let (sync, path) = (self.to_do(File::sync_data).await?, self.path.clone());
        let is_lost = self.is_lost.clone();
        Ok(move || {
            // A failure is told once, to whoever syncs first; what could not be written then is not tried again.
            let before = is_lost.load(Ordering::Relaxed);
            let synced = if before { Err(io::Error::other("an earlier sync has failed")) } else { sync() };
            synced.map_err(|error| {
                is_lost.store(true, Ordering::Relaxed);
                failed("could not be synced", &path, error)
            })
        })
    }

    /// Whether a sync has failed, and nothing that is in it can be relied on any more.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }

    /// Has it count as in use for as long as what this gives is held.
    pub(super) async fn in_use(&self) -> OwnedRwLockReadGuard<()> {
        self.in_use.clone().read_owned().await
    }

    /// Waits until no other thread uses it.
    pub(super) async fn unused(&self) {
        drop(self.in_use.write().await);
    }

    /// Its path, as it is said.
    pub(super) fn shown(&self) -> String {
        self.path.display().to_string()
    }

    fn fate(&self) -> MutexGuard<'_, Fate> {
        self.fate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes it, where it is not to have its name. Once it has it, what is called as it was is another's.
    pub(super) fn discard(&self) {
        let mut fate = self.fate();
        if matches!(*fate, Fate::Unfinished) {
            let _ = fs::remove_file(&self.path);
            *fate = Fate::Discarded;
        }
    }

    /// Writes `bytes` at this place of the file, one writer at a time.
    pub(super) async fn write(&self, mut bytes: &[u8], mut at: u64) -> Result<(), Error> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK));
            let written = self.turn.take(|| write_at(&self.file, now, at)).await;
            written.map_err(|error| failed("could not be written", &self.path, error))?;
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
        head: &ObjectHead,
        options: &FileOptions,
    ) -> Result<(), Error> {
        let failed = |what: &'static str| move |error| failed(what, target, error);
        let there = self.file.metadata().map_err(failed("could not be looked at"))?.len();
        if there != length {
            let problem =
                format!("{} has {there} bytes in place of {length}: something else wrote it", self.path.display());
            return Err(Error::new(ErrorKind::Corrupt, problem).with_hint("let nothing else write it, and try again"));
        }
        let (modified, mode) = options.attributes(head);
        set_mode(&self.file, mode).map_err(failed("could not be given its permissions"))?;
        match modified.map(|time| self.file.set_modified(time)) {
            // What counts for more is that it is there.
            Some(Err(error)) if !options.preserve => {
                tracing::warn!(%error, path = %target.display(), "a file keeps a time of its own");
            }
            set => set.unwrap_or(Ok(())).map_err(failed("could not be given its time"))?,
        }
        if options.durable {
            let synced = self.file.sync_all();
            self.is_lost.fetch_or(synced.is_err(), Ordering::Relaxed);
            synced.map_err(failed("could not be synced"))?;
        }
        let mut fate = self.fate();
        if matches!(*fate, Fate::Discarded) {
            return Err(Error::new(ErrorKind::Other, format!("{} was given up", self.path.display())));
        }
        let rename = if options.keep_existing { rename_to_new } else { |from: &Path, to: &Path| fs::rename(from, to) };
        match rename(&self.path, target) {
            // It was none when the download began.
            Err(_) if target.is_dir() => return Err(is_directory(target)),
            Err(error) if options.keep_existing && error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(exists(target));
            }
            renamed => renamed.map_err(failed("could not be given its name"))?,
        }
        *fate = Fate::Named;
        Ok(())
    }
}

#[cfg(unix)]
fn has_other_names(file: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.nlink() > 1
}

#[cfg(not(unix))]
fn has_other_names(_file: &Metadata) -> bool {
    false
}

/// Whether these bytes are in the file.
fn holds(file: &File, at: u64, length: u64, checksum: Option<Checksum>) -> io::Result<bool> {
    let Some(checksum) = checksum else { return Ok(file.metadata()?.len() >= at + length) };
    let mut hasher = ChecksumHasher::new(checksum.algorithm());
    let read = each_block_of(file, at..at + length, |block| {
        hasher.update(block);
        Ok(())
    })?;
    Ok(read == length && hasher.finish() == checksum)
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// The kernel tells of bytes that it could not write once, and forgets them.
    #[tokio::test]
    async fn after_a_sync_that_failed_none_goes_well() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        let mut part = PartFile::open(&target, &FileOptions::default(), Watch::new(), false).unwrap();
        part.sync().await.unwrap()().unwrap();
        assert!(!part.is_lost());
        // Of this none can be synced.
        let good = std::mem::replace(&mut part.file, File::open("/dev/zero").unwrap());
        part.sync().await.unwrap()().unwrap_err();
        assert!(part.is_lost());
        part.file = good;
        part.sync().await.unwrap()().unwrap_err();
        assert!(part.is_lost());
    }

    /// Whoever gave it up may have begun another download, whose file is called the same.
    #[tokio::test]
    async fn what_was_given_up_gets_no_name_and_removes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (target, options) = (folder.path().join("a"), FileOptions::default());
        let begun = PartFile::open(&target, &options, Watch::new(), false).unwrap();
        begun.discard();
        let other = folder.path().join("a.wharf-part");
        fs::write(&other, "").unwrap();
        begun.finish(&target, 0, &ObjectHead::default(), &options).unwrap_err();
        begun.discard();
        assert!(other.exists() && !target.exists());
    }

    /// As on a file system that takes no times.
    #[tokio::test]
    async fn a_file_that_takes_no_time_comes_all_the_same() {
        use std::os::unix::fs::OpenOptionsExt;
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        let mut head = ObjectHead::default();
        head.last_modified = Some(SystemTime::UNIX_EPOCH);
        for preserve in [true, false] {
            let options = FileOptions { is_dated: true, preserve, ..FileOptions::default() };
            let mut part = PartFile::open(&target, &options, Watch::new(), false).unwrap();
            let only_a_name = rustix::fs::OFlags::PATH.bits() as i32;
            part.file = File::options().read(true).custom_flags(only_a_name).open(&part.path).unwrap();
            assert_eq!(part.finish(&target, 0, &head, &options).is_ok(), !preserve);
            assert_eq!(target.exists(), !preserve);
        }
    }

    #[tokio::test]
    async fn a_last_sync_that_fails_counts_too() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        let options = FileOptions { durable: true, ..FileOptions::default() };
        let mut part = PartFile::open(&target, &options, Watch::new(), false).unwrap();
        part.file = File::open("/dev/zero").unwrap();
        part.finish(&target, 0, &ObjectHead::default(), &options).unwrap_err();
        assert!(part.is_lost() && !target.exists());
    }
}
