//! What can be said of a file that shall go up, in aws-cli's words where it has any.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;

use wharf::Error;

const MISSING: &str = "File does not exist.";
const UNREADABLE: &str = "File/Directory is not readable.";

/// What a file is, or why it is none that can be uploaded.
pub(crate) fn check(path: &Path) -> Result<Metadata, &'static str> {
    let metadata = fs::metadata(path).map_err(|_| MISSING)?;
    if !metadata.is_dir() && !metadata.is_file() {
        return Err("File is character special device, block special device, FIFO, or socket.");
    }
    if metadata.is_file() && !is_readable(path, &metadata) {
        return Err(UNREADABLE);
    }
    Ok(metadata)
}

/// Why something in a tree could not be read.
pub(crate) fn why(path: &Path, error: &Error) -> String {
    let cause = error.cause().and_then(|cause| cause.downcast_ref::<io::Error>());
    match cause.map(io::Error::kind) {
        Some(io::ErrorKind::NotFound) => MISSING.to_owned(),
        Some(io::ErrorKind::PermissionDenied) => UNREADABLE.to_owned(),
        // A name that is no text is not found again.
        _ => check(path).err().filter(|why| *why != MISSING).unwrap_or(error.message()).to_owned(),
    }
}

/// Whether a file can be opened. Where anybody may read it, it is not opened to find out.
#[cfg(unix)]
fn is_readable(path: &Path, metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o444 == 0o444 || File::open(path).is_ok()
}

#[cfg(not(unix))]
fn is_readable(path: &Path, _: &Metadata) -> bool {
    File::open(path).is_ok()
}
