//! An object that is copied to another key, bucket or server.

use std::sync::Arc;

use super::super::crew::{Follower, Outcome};
use super::super::told::{Action, Deed, Done};
use super::{Mover, SourceObject};
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
        self.outcome(action, done)
    }

    async fn copy_object(
        &self,
        object: &SourceObject,
        bucket: &str,
        key: &str,
        action: &Action,
        _: &mut Follower,
    ) -> Result<Done, Failure> {
        if self.ends.through_here {
            return Err(Failure::new(Exit::Failed, "copies between servers are not there yet"));
        }
        let head = self.ends.source.head_object(&object.bucket, &object.key).await?;
        let call =
            self.ends.target.copy_object(&object.bucket, &object.key, bucket, key).source_if_match(head.etag.clone());
        call.await?;
        if self.is_move {
            self.remove_object(&self.ends.source, object, &head.etag).await?;
        }
        Ok(Done { size: Some(head.content_length), ..Done::new(action.clone()) })
    }
}
