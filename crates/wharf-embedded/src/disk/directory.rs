//! The data directory: who may use it, which form it has, and the files in it.
//!
//! ```text
//! lock            held while the store is open; says by which process
//! format          the form of all the rest
//! metadata.redb   buckets, versions, uploads, and the bytes of small objects
//! reserve         space that deletes may use where the disk is full
//! incoming/       files that are being written, or were, until the database names them
//! files/00..ff/   files that the database names
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::OpenError;

/// The form that this version writes, and the newest one that it reads.
const FORM: u32 = 1;

/// What the format file says in front of the form's number.
const MARK: &str = "wharf data, format ";

/// What may be in a directory that is still to become a data directory.
const HARMLESS: [&str; 3] = ["lock", "format.new", "lost+found"];

const RESERVE: usize = 1024 * 1024;

/// A data directory that is this store's own, until it is unlocked or dropped.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// Locked.
    lock: File,
}

impl Directory {
    /// Takes a data directory, which is made where there is none.
    pub(super) fn take(path: &Path) -> Result<Self, OpenError> {
        let failed = |error| OpenError::io(path, error);
        make(path, &own_directory()).map_err(failed)?;
        // Before anything is written: it may be somebody else's.
        if !fs::exists(path.join("format")).map_err(failed)? {
            check_empty(path)?;
        }
        let lock = lock(path)?;
        let directory = Self { path: path.to_owned(), lock };
        match fs::read_to_string(path.join("format")) {
            Ok(text) => check_form(path, &text)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                check_empty(path)?;
                directory.write_form().map_err(failed)?;
            }
            Err(error) if error.kind() == ErrorKind::InvalidData => return Err(OpenError::foreign(path)),
            Err(error) => return Err(failed(error)),
        }
        if !directory.complete().map_err(failed)? {
            let source = "metadata.redb is missing; restore it together with files".into();
            return Err(OpenError::Damaged { path: path.to_owned(), source });
        }
        Ok(directory)
    }

    fn write_form(&self) -> io::Result<()> {
        let new = self.path.join("format.new");
        let mut file = own_file().truncate(true).open(&new)?;
        file.write_all(format!("{MARK}{FORM}\n").as_bytes())?;
        file.sync_all()?;
        fs::rename(new, self.path.join("format"))?;
        sync(&self.path)
    }

    /// Makes what is missing: everything in a new directory, and what a crash left undone. Not the database that goes
    /// with files which are there; whether that is so.
    fn complete(&self) -> io::Result<bool> {
        let files = self.path.join("files");
        let has_files = fs::exists(files.join("ff"))?;
        if has_files && !fs::exists(self.database())? {
            return Ok(false);
        }
        if !has_files || !fs::exists(self.incoming())? {
            own_file().open(self.database())?;
            for name in ["incoming", "files"] {
                own_directory().create(self.path.join(name))?;
            }
            // The last one goes last: where it is, all are.
            for number in 0..=0xffu8 {
                own_directory().create(files.join(format!("{number:02x}")))?;
            }
        }
        // Each time: whoever made them may have been killed before he could.
        sync(&files)?;
        sync(&self.path)?;
        Ok(true)
    }

    /// Lets another have it.
    pub(super) fn unlock(&self) {
        let _ = self.lock.unlock();
    }

    pub(super) fn database(&self) -> PathBuf {
        self.path.join("metadata.redb")
    }

    fn incoming(&self) -> PathBuf {
        self.path.join("incoming")
    }

    fn arriving(&self, place: u64) -> PathBuf {
        self.path.join(format!("incoming/{place:016x}"))
    }

    fn settled(&self, place: u64) -> PathBuf {
        self.path.join(format!("files/{:02x}/{place:016x}", place & 0xff))
    }

    /// A new file, which goes with the next sweep unless the database comes to name it.
    pub(super) fn create(&self, place: u64) -> io::Result<File> {
        own_file().create_new(true).open(self.arriving(place))
    }

    pub(super) fn open(&self, place: u64) -> io::Result<File> {
        // It may settle between two looks.
        for path in [self.settled(place), self.arriving(place)] {
            match File::open(path) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                opened => return opened,
            }
        }
        File::open(self.settled(place))
    }

    /// Makes the names of new files outlive a crash.
    pub(super) fn sync_incoming(&self) -> io::Result<()> {
        sync(&self.incoming())
    }

    /// Moves a file that the database names to where it stays. Should that fail it is found where it is.
    pub(super) fn settle(&self, place: u64) {
        let _ = fs::rename(self.arriving(place), self.settled(place));
    }

    /// Removes a file, if there is one. Should that fail the next sweep has it.
    pub(super) fn remove(&self, place: u64) {
        for path in [self.settled(place), self.arriving(place)] {
            let _ = fs::remove_file(path);
        }
    }

    /// The places of files that had not settled.
    pub(super) fn left_over(&self) -> io::Result<Vec<u64>> {
        let mut places = Vec::new();
        for entry in fs::read_dir(self.incoming())? {
            let name = entry?.file_name();
            places.extend(name.to_str().and_then(|name| u64::from_str_radix(name, 16).ok()));
        }
        Ok(places)
    }

    /// Takes space that [`let_go`](Self::let_go) gives back, if there is some.
    pub(super) fn hold_reserve(&self) -> bool {
        let write = || -> io::Result<()> {
            let mut file = own_file().truncate(true).open(self.path.join("reserve"))?;
            file.write_all(&vec![0; RESERVE])
        };
        let held = write().is_ok();
        if !held {
            self.let_go();
        }
        held
    }

    pub(super) fn let_go(&self) {
        let _ = fs::remove_file(self.path.join("reserve"));
    }

    pub(super) fn has_reserve(&self) -> bool {
        fs::metadata(self.path.join("reserve")).is_ok_and(|file| file.len() == RESERVE as u64)
    }
}

/// Makes a directory with all above it, and makes them outlive a crash.
fn make(path: &Path, how: &DirBuilder) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make(above, DirBuilder::new().recursive(true))?;
    how.create(path)?;
    sync(above)
}

fn lock(path: &Path) -> Result<File, OpenError> {
    let name = path.join("lock");
    let failed = |error| OpenError::io(path, error);
    let mut file = own_file().read(true).open(name).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            // Without a number the refusal is as good.
            let _ = file.read_to_string(&mut text);
            return Err(OpenError::InUse { path: path.to_owned(), process: text.trim().parse().ok() });
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let write = |file: &mut File| {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    // Not worth a refusal: the lock is held, and on a full disk the store must open too.
    let _ = write(&mut file);
    Ok(file)
}

/// Whether there is nothing in it but what an earlier attempt to take it has left.
fn check_empty(path: &Path) -> Result<(), OpenError> {
    let failed = |error| OpenError::io(path, error);
    for entry in fs::read_dir(path).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let is_harmless = HARMLESS.iter().any(|harmless| name == *harmless);
        if !is_harmless || (name == "lock" && !is_own_lock(&path.join(name)).map_err(failed)?) {
            return Err(OpenError::foreign(path));
        }
    }
    Ok(())
}

/// Whether a file holds a process's number, or nothing yet.
fn is_own_lock(path: &Path) -> io::Result<bool> {
    let mut text = Vec::new();
    File::open(path)?.take(32).read_to_end(&mut text)?;
    Ok(text.len() < 32 && text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'\n'))
}

fn check_form(path: &Path, text: &str) -> Result<(), OpenError> {
    match text.strip_prefix(MARK).and_then(|number| number.trim().parse().ok()) {
        Some(number) if number <= FORM => Ok(()),
        Some(number) => Err(OpenError::Newer { path: path.to_owned(), format: number, newest: FORM }),
        None => Err(OpenError::foreign(path)),
    }
}

/// A file for the user alone, opened for writing and made where it is missing.
fn own_file() -> OpenOptions {
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// A directory for the user alone; there may be one already.
fn own_directory() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Makes the names in a directory outlive a crash, where the system has a way to ask for it.
fn sync(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}
