//! Journals in files.

mod folder;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{self, Path, PathBuf};

use wharf_proto::transfer::journal::{self, Encoder, Record, State};
use wharf_proto::{Error, ErrorKind};

use super::locked::{self, failed, sync_directory, write_at};
pub(crate) use folder::{KnownEmpty, state_folder};
pub(super) use folder::{make_folder, upload_path, uploads_in};

/// What the names of journals end in.
pub(super) const SUFFIX: &str = ".wharf-journal";

/// What is said where an earlier run's answer to CreateMultipartUpload was lost.
pub(super) const UNANSWERED: &str =
    "an earlier run's CreateMultipartUpload was not answered, and may have left an upload without parts";

/// A journal that is written. Nobody else has it meanwhile. All of its methods block the thread, for a moment; those that
/// sync, for as long as the disk takes.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    path: PathBuf,
    encoder: Encoder,
    /// How many of its bytes can be believed.
    length: u64,
}

impl Journal {
    /// Opens the journal at `path`, which is made if it is not there, and what it says.
    ///
    /// # Errors
    /// `InUse` where another transfer has it, `InvalidInput` where it is no journal that this version can read.
    pub(super) fn open(path: PathBuf) -> Result<(Self, State), Error> {
        let mut file = locked::open(&path, "another run of the same transfer")?.file;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| failed("could not be read", &path, error))?;
        let decoded = journal::decode(&bytes).map_err(|error| unreadable(&path, error))?;
        let length = decoded.length as u64;
        Ok((Self { file, path, encoder: decoded.encoder, length }, State::of(decoded.records)))
    }

    /// Begins it anew. It survives a power failure from then on.
    pub(super) fn begin(&mut self, records: &[Record]) -> Result<(), Error> {
        self.file.set_len(0).map_err(|error| failed("could not be emptied", &self.path, error))?;
        (self.encoder, self.length) = (Encoder::new(), 0);
        self.add(records)?;
        self.sync()?;
        sync_directory(&self.path).map_err(|error| failed("could not be synced", &self.path, error))
    }

    /// Adds what happened.
    pub(super) fn add(&mut self, records: &[Record]) -> Result<(), Error> {
        let mut encoder = self.encoder.clone();
        let text: String = records.iter().map(|record| encoder.encode(record)).collect();
        // What fails half-way is overwritten by what comes next.
        write_at(&self.file, text.as_bytes(), self.length)
            .map_err(|error| failed("could not be written", &self.path, error))?;
        (self.encoder, self.length) = (encoder, self.length + text.len() as u64);
        Ok(())
    }

    /// What was added survives a power failure from then on.
    pub(super) fn sync(&self) -> Result<(), Error> {
        self.file.sync_data().map_err(|error| failed("could not be synced", &self.path, error))
    }

    /// Nothing was begun.
    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Removes it. One that comes back after a power failure does no harm: what it tells of is no longer there.
    pub(super) fn remove(self) -> Result<(), Error> {
        unlink(&self.path).map(drop).map_err(|error| failed("could not be removed", &self.path, error))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// What the journal at `path` says, and whether a transfer has it. Takes it from nobody: [`locked::open`] waits for the moment
/// that it takes to find out.
pub(super) fn look(path: &Path) -> Result<(State, bool), Error> {
    let mut file = File::open(path).map_err(|error| failed("could not be read", path, error))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|error| failed("could not be read", path, error))?;
    let decoded = journal::decode(&bytes).map_err(|error| unreadable(path, error))?;
    let is_held = is_held(&file);
    drop(file);
    Ok((State::of(decoded.records), is_held))
}

/// Whether a transfer has locked the file.
pub(super) fn is_held(file: &File) -> bool {
    matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock))
}

/// The path from the root on, by which another run knows the same file, whatever it is called by: symbolic links on the way
/// to it are what they lead to. It may be a file that is not there yet, in a folder that is.
pub(super) fn whole_path(path: &Path) -> PathBuf {
    let absolute = path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if cfg!(windows) {
        // Without `..` already, and what the system makes of it would not be known again by those who read it.
        return absolute;
    }
    let resolved = match (absolute.parent(), absolute.file_name()) {
        (Some(folder), Some(name)) => fs::canonicalize(folder).map(|folder| folder.join(name)),
        _ => fs::canonicalize(&absolute),
    };
    resolved.unwrap_or(absolute)
}

/// A download's journal at `path`, whatever it says, if there is one: nobody else has it while the file is open.
///
/// # Errors
/// `InUse` where another transfer has it.
pub(super) fn hold(path: &Path) -> Result<Option<File>, Error> {
    if !path.exists() {
        return Ok(None);
    }
    locked::open(path, "another download").map(|held| Some(held.file))
}

/// Removes the file, if it is there. It stays removed through a power failure.
pub(super) fn remove(path: &Path) -> Result<(), Error> {
    let removed = unlink(path).and_then(|was_there| if was_there { sync_directory(path) } else { Ok(()) });
    removed.map_err(|error| failed("could not be removed", path, error))
}

/// Whether there was such a file.
fn unlink(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        removed => removed.map(|()| true),
    }
}

fn unreadable(path: &Path, error: Error) -> Error {
    let problem = format!("{} cannot be used: {}", path.display(), error.message());
    Error::new(ErrorKind::InvalidInput, problem).with_hint("remove the file to begin without what it knows")
}

#[cfg(test)]
mod tests;
