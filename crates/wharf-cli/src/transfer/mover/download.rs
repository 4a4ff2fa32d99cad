//! An object that comes down, into a file or to standard output.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wharf::transfer::{Download, LocalTree, Writer};
use wharf::{ETag, ErrorKind};

use super::super::crew::{Follower, Outcome};
use super::super::resume;
use super::super::told::{Action, Deed, Done};
use super::{Mover, SourceObject, must_be_verified};
use crate::error::{Exit, Failure};
use crate::message::Warning;

impl Mover {
    /// What downloading an object is called.
    pub(crate) fn download_action(&self, object: &SourceObject, path: &Path) -> Action {
        self.action(Deed::Download, object.shown(), self.locally.shown(path))
    }

    pub(crate) async fn download(
        self: Arc<Self>,
        object: SourceObject,
        path: PathBuf,
        replaces: bool,
        mut follower: Follower,
    ) -> Outcome {
        let action = self.download_action(&object, &path);
        let done = self.download_file(&object, &path, replaces, &action, &mut follower).await;
        if let Err(failure) = &done
            && failure.is(ErrorKind::InvalidInput)
            && let Some(why) = folder_in_the_way(&path)
        {
            return Outcome::Skipped(Warning::skipping(action.source, why));
        }
        self.outcome(Deed::Download, action, done)
    }

    /// What moving an object that stands for a folder is called.
    pub(crate) fn marker_action(&self, object: &SourceObject, folder: &Path) -> Action {
        self.action(Deed::Download, object.shown(), format!("{}/", self.locally.shown(folder)))
    }

    /// Removes such an object, whose folder is made.
    pub(crate) async fn move_marker(self: Arc<Self>, object: SourceObject, etag: ETag, folder: PathBuf) -> Outcome {
        let action = self.marker_action(&object, &folder);
        let removed = self.remove_object(&object, false, &etag).await;
        let done = removed.map(|()| Some(Done { size: object.size, ..Done::new(action.clone()) }));
        self.outcome(Deed::Download, action, done)
    }

    async fn download_file(
        &self,
        object: &SourceObject,
        path: &Path,
        replaces: bool,
        action: &Action,
        follower: &mut Follower,
    ) -> Result<Option<Done>, Failure> {
        let s3 = &self.ends.source;
        let download = s3
            .download(&object.bucket, &object.key, path)
            .create_directories(true)
            .preserve_modified(true)
            .overwrite(replaces);
        // What goes must be known to have come; for a copy, what costs nothing is compared.
        let download = if self.is_move { download.verify(true) } else { download };
        // What was named may have any size.
        let is_large = object.size.is_none_or(|size| size >= resume::DOWNLOADS_FROM);
        let download = self.dress_download(download).resumable(is_large && !self.tuning.no_resume);
        let downloaded = match follower.follow(download.start()).await {
            // An object that was replaced while it was read fails alike.
            Err(failure) if self.may_be_there(&failure) && path.symlink_metadata().is_ok() => return Ok(None),
            Err(failure)
                if !replaces && failure.is(ErrorKind::PreconditionFailed) && path.symlink_metadata().is_ok() =>
            {
                return Err(failure.hint("a file of that name came meanwhile: on this disk two keys may be one name"));
            }
            downloaded => downloaded?,
        };
        if self.is_move {
            must_be_verified(downloaded.verification)?;
            self.remove_object(object, false, &downloaded.head.etag).await?;
        }
        let verified = Some(downloaded.verification.is_verified());
        let resumed = downloaded.resumed_bytes;
        Ok(Some(Done { size: Some(downloaded.size), verified, resumed, ..Done::new(action.clone()) }))
    }

    /// Writes an object into what was named and is no file.
    pub(crate) async fn download_to_device(
        self: Arc<Self>,
        object: SourceObject,
        path: PathBuf,
        mut follower: Follower,
    ) -> Outcome {
        let action = self.download_action(&object, &path);
        let done = self.write_to_device(&object, &path, &action, &mut follower).await;
        self.outcome(Deed::Download, action, done)
    }

    async fn write_to_device(
        &self,
        object: &SourceObject,
        path: &Path,
        action: &Action,
        follower: &mut Follower,
    ) -> Result<Option<Done>, Failure> {
        if self.options.no_overwrite {
            return Ok(None);
        }
        let failed = |problem: io::Error| {
            Failure::new(Exit::Failed, format!("{} cannot be written to: {problem}", self.locally.shown(path)))
        };
        let device = tokio::fs::OpenOptions::new().write(true).open(path).await.map_err(failed)?;
        if device.metadata().await.map_err(failed)?.is_file() {
            return Err(failed(io::Error::other("it has become a file")));
        }
        let download = self.ends.source.download(&object.bucket, &object.key, Writer(device));
        let downloaded = follower.follow(self.dress(download).start()).await?;
        if self.tuning.fsync {
            match downloaded.target.sync_all().await {
                // There is nothing to sync.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {}
                synced => synced.map_err(failed)?,
            }
        }
        let verified = Some(downloaded.verification.is_verified());
        Ok(Some(Done { size: Some(downloaded.size), verified, ..Done::new(action.clone()) }))
    }

    /// Tells a download what the options say.
    pub(crate) fn dress_download(&self, download: Download<PathBuf>) -> Download<PathBuf> {
        // What goes must outlive a power failure where it has come.
        self.dress(download).durable(self.is_move || self.tuning.fsync)
    }

    fn dress<T>(&self, mut download: Download<T>) -> Download<T> {
        if let Some(bytes) = self.tuning.part_size {
            download = download.part_size(bytes);
        }
        if let Some(patience) = self.tuning.patience {
            download = download.patience(patience);
        }
        if let Some(key) = self.options.attributes.source_key(false) {
            download = download.customer_key(key);
        }
        if self.options.requester_pays() {
            download = download.request_payer();
        }
        download
    }
}

/// What is said of a folder that stands where the file must be, where it came after the path was prepared: as if it had been
/// there before.
fn folder_in_the_way(path: &Path) -> Option<String> {
    let (folder, name) = (path.parent()?, path.file_name()?.to_str()?);
    let error = LocalTree::new(folder).prepare(name).err().filter(|_| path.is_dir())?;
    Some(error.message().to_owned())
}
