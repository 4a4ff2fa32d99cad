//! An object that is copied to another key, bucket or server.

use std::sync::Arc;

use wharf::provider::Condition;
use wharf::transfer::Copy;
use wharf::{ETag, ErrorKind};

use super::super::attributes::Attribute;
use super::super::crew::{Follower, Outcome};
use super::super::told::{Action, Deed, Done};
use super::absence::Look;
use super::{Mover, SourceObject, must_be_verified};
use crate::error::{Exit, Failure};
use crate::url::Shown;

impl Mover {
    /// What copying an object is called.
    pub(crate) fn copy_action(&self, object: &SourceObject, bucket: &str, key: &str) -> Action {
        self.action(Deed::Copy, object.shown(), Shown(bucket, key).to_string())
    }

    pub(crate) async fn copy(
        self: Arc<Self>,
        object: SourceObject,
        bucket: String,
        key: String,
        mut follower: Follower,
    ) -> Outcome {
        let action = self.copy_action(&object, &bucket, &key);
        let done = self.copy_object(&object, &bucket, &key, &action, &mut follower).await;
        self.outcome(Deed::Copy, action, done)
    }

    async fn copy_object(
        &self,
        object: &SourceObject,
        bucket: &str,
        key: &str,
        action: &Action,
        follower: &mut Follower,
    ) -> Result<Option<Done>, Failure> {
        if self.may_be_one_object(object, bucket, key) {
            self.refuse_one_object(object, bucket, key).await?;
        }
        let condition = if self.ends.through_here { Condition::PutIfAbsent } else { Condition::CopyIfAbsent };
        let look = self.look((condition, object.size), bucket, key, follower).await?;
        if look == Look::Taken {
            return self.leave(object).await;
        }
        // What goes must be what was copied.
        let etag = match &object.etag {
            Some(etag) if self.is_move => Some(etag.clone()),
            None if self.is_move => Some(self.head_of_source(&object.bucket, &object.key, true).await?.etag),
            _ => None,
        };
        // What this server would ignore is not said to it, and looked at here: what is there before, the source when it goes.
        let (mut is_pinned, mut is_guarded) = (etag.is_some(), self.options.no_overwrite);
        let copied = loop {
            let call = self.copy_unconditionally(object, bucket, key);
            let call = match &etag {
                Some(etag) if is_pinned => call.source_if_match(etag.clone()),
                _ => call,
            };
            let call = if is_guarded { call.if_absent() } else { call };
            match follower.follow(call.start()).await {
                Err(failure) if is_guarded && failure.is(ErrorKind::Unsupported) => {
                    if self.look_first(look, bucket, key, follower).await? {
                        return self.leave(object).await;
                    }
                    is_guarded = false;
                }
                Err(failure) if is_pinned && failure.is(ErrorKind::Unsupported) => is_pinned = false,
                Err(failure) if self.may_be_there(&failure) => {
                    return match self.was_left(object, etag.as_ref(), bucket, key).await {
                        true => self.leave(object).await,
                        false => Err(failure),
                    };
                }
                copied => break copied?,
            }
        };
        if let Some(etag) = etag {
            must_be_verified(copied.verification)?;
            self.remove_object(object, true, &etag).await?;
        }
        let verified = Some(copied.verification.is_verified());
        let lost_create = copied.lost_create;
        Ok(Some(Done { size: copied.size.or(object.size), verified, lost_create, ..Done::new(action.clone()) }))
    }

    /// Leaves alone what is at the target, unless the source is not there: nobody has looked at one that was named.
    async fn leave(&self, object: &SourceObject) -> Result<Option<Done>, Failure> {
        if object.etag.is_none() {
            self.head_of_source(&object.bucket, &object.key, true).await?;
        }
        Ok(None)
    }

    /// Whether it was the target's condition that failed, not one of the source: something is there, and the source is still
    /// what was asked for, where that was one object.
    async fn was_left(&self, object: &SourceObject, etag: Option<&ETag>, bucket: &str, key: &str) -> bool {
        if let Some(etag) = etag
            && !self.head_of_source(&object.bucket, &object.key, true).await.is_ok_and(|head| head.etag == *etag)
        {
            return false;
        }
        self.is_there(bucket, key).await.is_ok_and(|is_there| is_there)
    }

    fn copy_unconditionally(&self, object: &SourceObject, bucket: &str, key: &str) -> Copy {
        let copy = self.copier().copy(&object.bucket, &object.key, bucket, key).verify(self.is_move);
        self.dress_copy(if self.ends.through_here { copy.to(&self.ends.target) } else { copy })
    }

    /// Tells a copy what the options say.
    pub(crate) fn dress_copy(&self, mut copy: Copy) -> Copy {
        let options = &self.options;
        if let Some(bytes) = self.tuning.part_size {
            copy = copy.part_size(bytes);
        }
        if let Some(patience) = self.tuning.patience {
            copy = copy.patience(patience);
        }
        if options.requester_pays() {
            copy = copy.request_payer();
        }
        if let Some(key) = options.attributes.source_key(true) {
            copy = copy.source_customer_key(key);
        }
        if options.replaces_metadata() {
            copy = copy.replace_metadata();
        } else if options.changes_metadata() {
            copy = copy.keep_metadata();
        }
        if options.replaces_tags() {
            copy = copy.replace_tags();
        }
        self.attributes.iter().filter(|attribute| self.is_for_copies(attribute)).cloned().fold(copy, Attribute::on_copy)
    }

    /// Whether a copy by one request is held to what was seen of its source, whose metadata it takes along.
    pub(crate) fn pins_sources(&self) -> bool {
        self.options.changes_metadata() && self.attributes.iter().any(Attribute::is_metadata)
    }

    /// A copy that the server makes is asked of the target; one that comes through here is read from the source.
    fn copier(&self) -> &wharf::Client {
        if self.ends.through_here { &self.ends.source } else { &self.ends.target }
    }

    /// Where its source's metadata is asked for, a copy has none of its own, as with aws-cli.
    fn is_for_copies(&self, attribute: &Attribute) -> bool {
        self.options.replaces_metadata() || self.options.changes_metadata() || !attribute.is_metadata()
    }

    /// Whether source and target could be one object under two names: of a server, or of a bucket.
    fn may_be_one_object(&self, object: &SourceObject, bucket: &str, key: &str) -> bool {
        let is_other_name = |name: &str| name.starts_with("arn:") || name.ends_with("-s3alias");
        let same_name = object.bucket == bucket;
        let two_servers = self.ends.through_here && same_name;
        let two_names =
            !same_name && (self.options.validates_paths || is_other_name(&object.bucket) || is_other_name(bucket));
        object.key == key && (two_servers || two_names)
    }

    /// Refuses to go on where both names lead to an object with the same tag, size and time.
    async fn refuse_one_object(&self, object: &SourceObject, bucket: &str, key: &str) -> Result<(), Failure> {
        let there = match self.head_of_target(bucket, key).await {
            Ok(head) => head,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NoSuchKey) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let here = self.head_of_source(&object.bucket, &object.key, true).await?;
        let same = here.etag == there.etag
            && here.content_length == there.content_length
            && here.last_modified == there.last_modified;
        match same {
            false => Ok(()),
            true => Err(Failure::new(Exit::Failed, "both names seem to be of one object: nothing was done")),
        }
    }
}
