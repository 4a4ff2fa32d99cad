//! Why a data directory cannot be opened.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why [`Store::open`](crate::Store::open) refused a data directory. Its display is one line that names the directory.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it open, or another [`Store`](crate::Store) of this one.
    InUse {
        /// The directory.
        path: PathBuf,
        /// The other process, where it could be found out.
        process: Option<u32>,
    },
    /// It was written by a later version, in a form that this one does not know.
    Newer {
        /// The directory.
        path: PathBuf,
        /// Its format.
        format: u32,
        /// The newest format that this version knows.
        newest: u32,
    },
    /// There is something else in it.
    Foreign {
        /// The directory.
        path: PathBuf,
    },
    /// It cannot be read or written.
    Io {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Its database cannot be read.
    Damaged {
        /// The directory.
        path: PathBuf,
        /// What the database said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl OpenError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        OpenError::Io { path: path.to_owned(), source }
    }

    pub(super) fn foreign(path: &Path) -> Self {
        OpenError::Foreign { path: path.to_owned() }
    }

    pub(super) fn database(path: &Path, error: redb::Error) -> Self {
        match error {
            redb::Error::Io(source) if source.kind() != io::ErrorKind::InvalidData => Self::io(path, source),
            error => OpenError::Damaged { path: path.to_owned(), source: error.into() },
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::InUse { path, process } => {
                write!(f, "the data directory {} is in use by ", path.display())?;
                match process {
                    Some(process) => write!(f, "process {process}; stop it, or name another directory"),
                    None => f.write_str("another process; stop it, or name another directory"),
                }
            }
            OpenError::Newer { path, format, newest } => write!(
                f,
                "the data directory {} has format {format}, and this version knows none above {newest}; use a later version",
                path.display()
            ),
            OpenError::Foreign { path } => write!(
                f,
                "{} is neither empty nor a data directory of wharf's; name one that is empty, or does not exist",
                path.display()
            ),
            OpenError::Io { path, source } => write!(f, "cannot use the data directory {}: {source}", path.display()),
            OpenError::Damaged { path, source } => {
                write!(f, "the database in the data directory {} cannot be read: {source}", path.display())
            }
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            OpenError::Io { source, .. } => Some(source),
            OpenError::Damaged { source, .. } => Some(&**source),
            _ => None,
        }
    }
}
