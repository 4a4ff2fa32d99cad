//! A file as it was when the upload began.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use wharf_proto::{Error, ErrorKind};

use crate::payload::blocking;

/// What tells whether a file has changed.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub(super) path: PathBuf,
    pub(super) length: u64,
    modified: Option<SystemTime>,
    /// Another file may stand under the name.
    identity: Option<(u64, u64)>,
}

impl Snapshot {
    pub(super) async fn take(path: PathBuf) -> Result<Self, Error> {
        blocking(move || {
            let metadata = read(&path)?;
            if metadata.is_dir() {
                return Err(Error::new(ErrorKind::Body, format!("{} is a directory, not a file", path.display())));
            }
            if !metadata.is_file() {
                return Err(Error::new(
                    ErrorKind::Body,
                    format!("{} is no regular file; open it and pass it as a Reader", path.display()),
                ));
            }
            Ok(Self::of(path, &metadata))
        })
        .await
    }

    /// Fails where the file is no longer as it was.
    pub(super) async fn check(&self) -> Result<(), Error> {
        let before = self.clone();
        blocking(move || {
            let now = Self::of(before.path.clone(), &read(&before.path)?);
            let same =
                now.length == before.length && now.modified == before.modified && now.identity == before.identity;
            if same { Ok(()) } else { Err(changed(&before, &now)) }
        })
        .await
    }

    fn of(path: PathBuf, metadata: &Metadata) -> Self {
        Self { path, length: metadata.len(), modified: metadata.modified().ok(), identity: identity(metadata) }
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_metadata: &Metadata) -> Option<(u64, u64)> {
    None
}

fn read(path: &Path) -> Result<Metadata, Error> {
    fs::metadata(path).map_err(|error| {
        Error::new(ErrorKind::Body, format!("{} cannot be read: {error}", path.display())).with_cause(error)
    })
}

fn changed(before: &Snapshot, now: &Snapshot) -> Error {
    let path = before.path.display();
    let how = match now.length {
        length if length != before.length => format!("had {} bytes and has {length} now", before.length),
        _ => "was written to or replaced".to_owned(),
    };
    Error::new(ErrorKind::Body, format!("{path} changed while it was uploaded: it {how}; nothing was stored"))
}
