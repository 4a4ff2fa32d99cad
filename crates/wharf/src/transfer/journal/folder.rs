//! Where journals are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use std::{fs, io};

use wharf_proto::Error;
use wharf_proto::checksum::ChecksumAlgorithm;
use wharf_proto::profile::{FileLocations, Platform};
use wharf_proto::transfer::journal::hex;

use super::SUFFIX;
use crate::transfer::locked::{failed, sync_directories};

/// By so much file systems may have the time of a folder wrong, at most: something else may have the same.
const COARSE: Duration = Duration::from_secs(3);

/// A folder that had something in it or not, and its time then, by which one look says whether that is still so. (Some file
/// systems, such as FAT, leave a folder's time alone: there it is not seen what other processes put into it.)
#[derive(Debug, Default)]
pub(crate) struct KnownEmpty(Mutex<Option<Known>>);

#[derive(Debug)]
struct Known {
    folder: PathBuf,
    modified: SystemTime,
    is_empty: bool,
}

impl KnownEmpty {
    /// Whether there is nothing in the folder, or no such folder. Blocks the thread.
    pub(in crate::transfer) fn is_empty(&self, folder: &Path) -> bool {
        let modified = match fs::metadata(folder).and_then(|found| found.modified()) {
            Err(error) => return error.kind() == io::ErrorKind::NotFound,
            Ok(modified) => modified,
        };
        if let Some(known) = &*self.known()
            && known.folder == folder
            && known.modified == modified
        {
            return known.is_empty;
        }
        let is_settled = modified.elapsed().is_ok_and(|age| age > COARSE);
        let is_empty = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
        *self.known() = is_settled.then(|| Known { folder: folder.to_owned(), modified, is_empty });
        is_empty
    }

    /// Something is put into it.
    pub(in crate::transfer) fn forget(&self) {
        *self.known() = None;
    }

    fn known(&self) -> MutexGuard<'_, Option<Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The folder in which programs of this user keep what they have to remember, as far as it is known, and ours in it.
pub(crate) fn state_folder(environment: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let named = |name: &str| environment(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || FileLocations::find(Platform::current(), &environment).home;
    let states = match std::env::consts::OS {
        "windows" => named("LOCALAPPDATA"),
        "macos" | "ios" => home().map(|home| home.join("Library").join("Application Support")),
        _ => named("XDG_STATE_HOME").or_else(|| Some(home()?.join(".local").join("state"))),
    };
    Some(states?.join("wharf"))
}

/// The folder of uploads' journals.
pub(in crate::transfer) fn uploads_in(states: &Path) -> PathBuf {
    states.join("uploads")
}

/// The name of an upload's journal: the same for every run of the upload.
pub(in crate::transfer) fn upload_path(
    folder: &Path,
    [endpoint, bucket, key]: [&str; 3],
    file: &Path,
    offset: u64,
) -> PathBuf {
    let mut what = Vec::new();
    for piece in [endpoint.as_bytes(), bucket.as_bytes(), key.as_bytes(), file.as_os_str().as_encoded_bytes()] {
        what.extend((piece.len() as u64).to_be_bytes());
        what.extend(piece);
    }
    what.extend(offset.to_be_bytes());
    let digest = hex(&ChecksumAlgorithm::Sha256.checksum(&what));
    folder.join(format!("{}{SUFFIX}", digest.get(..32).unwrap_or(&digest)))
}

/// Makes the folder, for its user alone. It survives a power failure, as what is written into it is to.
pub(in crate::transfer) fn make_folder(folder: &Path) -> Result<(), Error> {
    if folder.is_dir() {
        return Ok(());
    }
    make(folder).and_then(|()| sync_directories(folder)).map_err(|error| failed("could not be made", folder, error))
}

#[cfg(unix)]
fn make(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_into_a_folder_that_was_empty_is_seen() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("uploads");
        let known = KnownEmpty::default();
        assert!(known.is_empty(&folder), "there is none");
        make_folder(&folder).unwrap();
        assert!(known.is_empty(&folder));
        assert!(known.known().is_none(), "what is put into it now may leave its time as it is");
        let earlier = SystemTime::now() - COARSE * 2;
        fs::File::open(&folder).unwrap().set_modified(earlier).unwrap();
        assert!(known.is_empty(&folder) && known.known().is_some());
        fs::write(folder.join("a"), "").unwrap();
        assert!(!known.is_empty(&folder));
        fs::remove_file(folder.join("a")).unwrap();
        assert!(known.is_empty(&folder));
    }
}
