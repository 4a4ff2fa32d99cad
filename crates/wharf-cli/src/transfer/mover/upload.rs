//! A file, or standard input, that goes up.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wharf::provider::Condition;
use wharf::transfer::{Upload, Uploaded};
use wharf::{ErrorKind, IntoBody, Reader};

use super::super::attributes::Attribute;
use super::super::crew::{Follower, Outcome};
use super::super::local;
use super::super::told::{Action, Deed, Done};
use super::absence::Look;
use super::{Mover, must_be_verified, remove_file};
use crate::error::{Exit, Failure};
use crate::message::Warning;
use crate::streams;
use crate::url::Shown;

/// Why a directory that was named is not uploaded.
pub(crate) fn is_directory() -> Failure {
    Failure::new(Exit::Failed, "it is a directory").hint("--recursive uploads all that is in it")
}

impl Mover {
    /// What uploading a file is called.
    pub(crate) fn upload_action(&self, path: &Path, bucket: &str, key: &str) -> Action {
        self.action(Deed::Upload, self.locally.shown(path), Shown(bucket, key).to_string())
    }

    pub(crate) async fn upload(
        self: Arc<Self>,
        path: PathBuf,
        bucket: String,
        key: String,
        mut follower: Follower,
    ) -> Outcome {
        let action = self.upload_action(&path, &bucket, &key);
        let before = match local::check(&path) {
            Ok(before) => before,
            Err(why) => return Outcome::Skipped(Warning::skipping(self.locally.absolute(&path).display(), why)),
        };
        let done = self.upload_file(&path, &before, (&bucket, &key), &action, &mut follower).await;
        self.outcome(Deed::Upload, action, done)
    }

    async fn upload_file(
        &self,
        path: &Path,
        before: &Metadata,
        (bucket, key): (&str, &str),
        action: &Action,
        follower: &mut Follower,
    ) -> Result<Option<Done>, Failure> {
        if before.is_dir() {
            return Err(is_directory());
        }
        // A pipe has no size.
        let size = before.is_file().then_some(before.len());
        let look = self.look((Condition::PutIfAbsent, size), bucket, key, follower).await?;
        if look == Look::Taken {
            return Ok(None);
        }
        let keeps = self.keeps_uploads;
        let uploaded = match follower.follow(self.put(bucket, key, path).resumable(keeps).start()).await {
            Err(failure) if self.options.no_overwrite && failure.is(ErrorKind::Unsupported) => {
                if self.look_first(look, bucket, key, follower).await? {
                    return Ok(None);
                }
                follower.follow(self.put_unconditionally(bucket, key, path).resumable(keeps).start()).await?
            }
            // A file has no other condition.
            Err(failure) if self.may_be_there(&failure) => return Ok(None),
            uploaded => uploaded?,
        };
        if self.is_move {
            must_be_verified(uploaded.verification)?;
            remove_file(path, before)?;
        }
        let verified = Some(uploaded.verification.is_verified());
        let Uploaded { size, resumed_bytes: resumed, left_over, lost_create, .. } = uploaded;
        Ok(Some(Done { size: Some(size), verified, resumed, lost_create, left_over, ..Done::new(action.clone()) }))
    }

    /// Uploads what comes in on standard input.
    pub(crate) async fn upload_stdin(
        self: Arc<Self>,
        bucket: String,
        key: String,
        expected_size: Option<u64>,
        mut follower: Follower,
    ) -> Outcome {
        let action = self.action(Deed::Upload, "-".to_owned(), Shown(&bucket, &key).to_string());
        let done = self.put_stdin(&bucket, &key, expected_size, &action, &mut follower).await;
        self.outcome(Deed::Upload, action, done)
    }

    async fn put_stdin(
        &self,
        bucket: &str,
        key: &str,
        expected_size: Option<u64>,
        action: &Action,
        follower: &mut Follower,
    ) -> Result<Option<Done>, Failure> {
        if streams::is_closed(std::io::stdin()) {
            let failure = Failure::new(Exit::Failed, "standard input is closed: nothing was stored");
            return Err(failure.hint("`</dev/null` stores an empty object"));
        }
        // What comes in cannot be read again when the condition has been refused.
        let look = self.look((Condition::PutIfAbsent, None), bucket, key, follower).await?;
        if look == Look::Taken {
            return Ok(None);
        }
        let is_unprotected = self.options.no_overwrite && self.may_ignore(Condition::PutIfAbsent);
        if is_unprotected && self.look_first(look, bucket, key, follower).await? {
            return Ok(None);
        }
        let input = Reader::new(tokio::io::stdin());
        let mut upload = match is_unprotected {
            true => self.put_unconditionally(bucket, key, input),
            false => self.put(bucket, key, input),
        };
        if let Some(bytes) = expected_size {
            upload = upload.expected_size(bytes);
        }
        let uploaded = match follower.follow(upload.start()).await {
            Err(failure) if self.may_be_there(&failure) => return Ok(None),
            uploaded => uploaded?,
        };
        let verified = Some(uploaded.verification.is_verified());
        let lost_create = uploaded.lost_create;
        Ok(Some(Done { size: Some(uploaded.size), verified, lost_create, ..Done::new(action.clone()) }))
    }

    fn put(&self, bucket: &str, key: &str, body: impl IntoBody) -> Upload {
        let upload = self.put_unconditionally(bucket, key, body);
        if self.options.no_overwrite { upload.if_absent() } else { upload }
    }

    fn put_unconditionally(&self, bucket: &str, key: &str, body: impl IntoBody) -> Upload {
        self.dress_upload(self.ends.target.upload(bucket, key, body).verify(self.is_move))
    }

    /// Tells an upload what the options say.
    pub(crate) fn dress_upload(&self, mut upload: Upload) -> Upload {
        if let Some(bytes) = self.tuning.part_size {
            upload = upload.part_size(bytes);
        }
        if let Some(patience) = self.tuning.patience {
            upload = upload.patience(patience);
        }
        if self.options.requester_pays() {
            upload = upload.request_payer();
        }
        self.attributes.iter().cloned().fold(upload, Attribute::on_upload)
    }
}
