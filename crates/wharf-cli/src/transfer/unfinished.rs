//! What is called like a download that is not whole: two sides leave it out, and name it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tokio::sync::mpsc::UnboundedSender;
use wharf::S3Uri;
use wharf::transfer::LocalTree;

use super::place::Locally;
use super::route::as_prefix;
use crate::message::Warning;
use crate::url::Shown;

/// What a file is that is not taken along.
pub(crate) const LEFT: &str = "A download has left it, or is writing it.";

/// A folder and a prefix of which names are left out.
pub(crate) struct Unfinished {
    root: PathBuf,
    bucket: String,
    prefix: String,
    is_download: bool,
    /// Whether objects that no file here is called like are named too.
    names_objects: bool,
    said: Mutex<HashSet<String>>,
    warnings: UnboundedSender<(Warning, bool)>,
}

impl Unfinished {
    pub(crate) fn new(
        root: &Path,
        url: &S3Uri,
        is_download: bool,
        names_objects: bool,
        warnings: UnboundedSender<(Warning, bool)>,
    ) -> Self {
        let (bucket, prefix) = (url.bucket().to_owned(), as_prefix(url.key()));
        let root = Locally::new().absolute(root);
        Self { root, bucket, prefix, is_download, names_objects, said: Mutex::default(), warnings }
    }

    /// Whether a name is left out, which is said when it is first met.
    pub(crate) fn leaves(&self, name: &str) -> bool {
        if !LocalTree::is_unfinished(name) {
            return false;
        }
        if self.said.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned())
            && let Some(warning) = self.warning(name)
        {
            // Whoever would hear of it is there for as long as names are met.
            let _ = self.warnings.send((warning, true));
        }
        true
    }

    fn warning(&self, name: &str) -> Option<Warning> {
        let object = || Shown(&self.bucket, &format!("{}{name}", self.prefix)).to_string();
        if self.is_download {
            let why = LocalTree::new(&self.root).path_of(name).err()?;
            return Some(Warning::skipping(object(), why.message()));
        }
        let path = self.root.join(name);
        if path.symlink_metadata().is_ok() {
            return Some(Warning::skipping(path.display(), LEFT));
        }
        self.names_objects.then(|| Warning::skipping(object(), "It is called like what a download has left."))
    }
}
