//! Where a download goes.

use std::path::{Path, PathBuf};

use wharf_proto::operation::SendFuture;

use super::Downloaded;
use super::file::FileOptions;
use super::into_file::ToFile;
use super::request::Job;

/// Where a download goes: a path, [`Memory`](super::Memory), or with the feature `tokio-io` a [`Writer`](super::Writer).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no place for a download",
    note = "a file is named by a `Path` or `PathBuf`, such as `Path::new(\"film.mp4\")`; `Memory` gives the bytes"
)]
pub trait Target: Sealed<Self::Output> {
    /// What there is afterwards: [`Downloaded::target`].
    type Output: Send + 'static;
}

/// What makes a [`Target`] one; only those that are here are.
pub trait Sealed<T> {
    #[doc(hidden)]
    fn deliver(self) -> Box<dyn Deliver<T>>;
}

/// A target that knows how to get its bytes.
pub trait Deliver<T>: Send {
    #[doc(hidden)]
    fn deliver(self: Box<Self>, job: Job, file: FileOptions) -> SendFuture<Downloaded<T>>;
}

impl Target for PathBuf {
    type Output = PathBuf;
}

impl Sealed<PathBuf> for PathBuf {
    fn deliver(self) -> Box<dyn Deliver<PathBuf>> {
        Box::new(ToFile(self))
    }
}

impl Target for &Path {
    type Output = PathBuf;
}

impl Sealed<PathBuf> for &Path {
    fn deliver(self) -> Box<dyn Deliver<PathBuf>> {
        self.to_owned().deliver()
    }
}

impl Target for &PathBuf {
    type Output = PathBuf;
}

impl Sealed<PathBuf> for &PathBuf {
    fn deliver(self) -> Box<dyn Deliver<PathBuf>> {
        self.clone().deliver()
    }
}
