//! Where journals are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};

use wharf_proto::Error;
use wharf_proto::checksum::ChecksumAlgorithm;
use wharf_proto::profile::{FileLocations, Platform};
use wharf_proto::transfer::journal::hex;

use super::SUFFIX;
use crate::transfer::locked::{failed, sync_directories};

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
