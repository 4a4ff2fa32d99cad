//! Why a step did not happen.

use std::io;

use crate::error::{Code, Error};

/// A refusal, which is an answer; or a disk or database that failed, which spoils the whole transaction.
pub(super) enum Failure {
    Refused(Error),
    Broken(redb::Error),
}

pub(super) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// Whether the disk, or what this user may have of it, is used up.
    pub(super) fn is_full(&self) -> bool {
        matches!(self, Failure::Broken(redb::Error::Io(error)) if is_full(error))
    }
}

pub(super) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(error) => error,
            full if full.is_full() => Code::InsufficientStorage.into(),
            // What exactly failed is no business of the client's; S3 has him try again.
            Failure::Broken(_) => Code::InternalError.into(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Refused(error)
    }
}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Failure::Refused(code.into())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Broken(error.into())
    }
}

impl From<redb::StorageError> for Failure {
    fn from(error: redb::StorageError) -> Self {
        Failure::Broken(error.into())
    }
}

impl From<redb::TableError> for Failure {
    fn from(error: redb::TableError) -> Self {
        Failure::Broken(error.into())
    }
}

impl From<redb::TransactionError> for Failure {
    fn from(error: redb::TransactionError) -> Self {
        Failure::Broken(error.into())
    }
}

impl From<redb::CommitError> for Failure {
    fn from(error: redb::CommitError) -> Self {
        Failure::Broken(error.into())
    }
}
