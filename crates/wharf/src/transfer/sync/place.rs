//! The two ends of a sync.

use std::fmt;
use std::path::{Path, PathBuf};

use wharf_proto::S3Uri;

use crate::Client;

/// One end of a sync: a folder of this machine, or what begins with a prefix in a bucket.
///
/// A [`Path`] is the former. A bucket and a prefix as a pair are the latter, and so is an [`S3Uri`]. A prefix is that of a
/// folder: where it does not end with `/`, it gets one.
#[derive(Clone)]
pub struct SyncPlace(pub(super) Kind);

#[derive(Clone)]
pub(super) enum Kind {
    Local(PathBuf),
    Bucket { client: Option<Client>, bucket: String, prefix: String },
}

impl SyncPlace {
    /// A folder of this machine.
    pub fn local(path: impl Into<PathBuf>) -> Self {
        Self(Kind::Local(path.into()))
    }

    /// What begins with `prefix` in a bucket. All of it where the prefix is empty.
    pub fn bucket(bucket: impl Into<String>, prefix: impl Into<String>) -> Self {
        let mut prefix = prefix.into();
        if !prefix.is_empty() && !prefix.ends_with('/') {
            prefix.push('/');
        }
        Self(Kind::Bucket { client: None, bucket: bucket.into(), prefix })
    }

    /// The same at another endpoint, or with another account: that of `client`, in place of the one that syncs. Two buckets of one
    /// name at one server, or that show the same objects ([`List::shows_same_bucket`](crate::transfer::List::shows_same_bucket)), count as one
    /// bucket, and their prefixes must not lie in each other; they may be the same, for the buckets may be of two tenants.
    #[must_use]
    pub fn of(mut self, client: &Client) -> Self {
        if let Kind::Bucket { client: of, .. } = &mut self.0 {
            *of = Some(client.clone());
        }
        self
    }
}

/// What names one end of a [`sync`](Client::sync): see [`SyncPlace`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no end of a sync",
    note = "a folder is named by a `Path` or `PathBuf`, such as `Path::new(\"photos\")`, and what is in a bucket by `(\"my-bucket\", \"photos/\")`"
)]
pub trait IntoSyncPlace {
    /// The end that it names.
    fn into_sync_place(self) -> SyncPlace;
}

impl IntoSyncPlace for SyncPlace {
    fn into_sync_place(self) -> SyncPlace {
        self
    }
}

impl IntoSyncPlace for &Path {
    fn into_sync_place(self) -> SyncPlace {
        SyncPlace::local(self)
    }
}

impl IntoSyncPlace for &PathBuf {
    fn into_sync_place(self) -> SyncPlace {
        SyncPlace::local(self)
    }
}

impl IntoSyncPlace for PathBuf {
    fn into_sync_place(self) -> SyncPlace {
        SyncPlace::local(self)
    }
}

impl<B: Into<String>, P: Into<String>> IntoSyncPlace for (B, P) {
    fn into_sync_place(self) -> SyncPlace {
        SyncPlace::bucket(self.0, self.1)
    }
}

impl IntoSyncPlace for S3Uri {
    fn into_sync_place(self) -> SyncPlace {
        self.into()
    }
}

impl From<S3Uri> for SyncPlace {
    fn from(uri: S3Uri) -> Self {
        Self::bucket(uri.bucket(), uri.key())
    }
}

impl fmt::Debug for SyncPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Local(path) => write!(f, "{}", path.display()),
            Kind::Bucket { bucket, prefix, .. } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}
