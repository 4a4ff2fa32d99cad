//! What `--no-overwrite` goes by: a condition where the server is known to keep it, and else a look before.

use std::sync::atomic::{AtomicBool, Ordering};

use wharf::ErrorKind;
use wharf::provider::{Condition, Provider};
use wharf::transfer::{List, MULTIPART_THRESHOLD};

use super::super::crew::Follower;
use super::Mover;
use crate::error::{Failure, is_absent};
use crate::message::Warning;

/// What is to be known where a server ignores the condition that `--no-overwrite` has.
const UNPROTECTED: &str = "this server ignores conditions: --no-overwrite looks first, and what appears between \
                           the look and the write is overwritten";

/// The same where nothing is known of the server, which the user may change.
const UNKNOWN: &str = "it is not known whether this server keeps conditions: --no-overwrite looks first, and what appears \
                       between the look and the write may be overwritten";

const SAY_PROVIDER: &str = "--provider says whose S3 it is; `--provider other`: of none that has a name";

/// What a look at the target found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Nobody looked: the condition is known to do.
    Spared,
    Free,
    Taken,
}

/// Whether each was said. A list of commands is one process, and one warning is enough for it.
static SAID_UNKNOWN: AtomicBool = AtomicBool::new(false);
static SAID_UNPROTECTED: AtomicBool = AtomicBool::new(false);

impl Mover {
    /// Whether the target's server ignores this condition, or the one by which parts are put together.
    pub(crate) fn may_ignore(&self, condition: Condition) -> bool {
        let ignored = self.ends.target.provider().habits().ignores;
        [condition, Condition::CompleteIfAbsent].iter().any(|known| ignored.contains(*known))
    }

    /// Looks for something that is not to be overwritten, only where nothing is known of what the target's server makes of this
    /// condition, or of the one for an object of so many bytes: it is sent all the same.
    pub(super) async fn look(
        &self,
        (condition, size): (Condition, Option<u64>),
        bucket: &str,
        key: &str,
        follower: &Follower,
    ) -> Result<Look, Failure> {
        if !self.options.no_overwrite || !self.is_unknown(condition, size) {
            return Ok(Look::Spared);
        }
        let is_there = self.is_there_patiently(bucket, key).await.map_err(|failure| {
            let is_refused = failure.is(ErrorKind::AccessDenied);
            let failure = failure.of("--no-overwrite looks first:");
            if is_refused {
                failure.hint("of a --provider that is known to keep conditions nothing is asked first")
            } else {
                failure
            }
        })?;
        if !is_there && let Some(warning) = self.unknown_server() {
            follower.warn(warning);
        }
        Ok(if is_there { Look::Taken } else { Look::Free })
    }

    /// The same as [`is_there`](Self::is_there), as patiently as the write that follows: a listing waits until the server is back.
    async fn is_there_patiently(&self, bucket: &str, key: &str) -> Result<bool, Failure> {
        let failure = match self.is_there(bucket, key).await {
            Err(failure) if failure.is_unheard() || failure.is(ErrorKind::SlowDown) => failure,
            looked => return looked,
        };
        let listed = self.listing_of_target(bucket, key).pages().next().await;
        match listed.and_then(Result::err).map(Failure::from) {
            Some(listing) if listing.is_unheard() => Err(failure),
            _ => self.is_there(bucket, key).await,
        }
    }

    fn is_unknown(&self, condition: Condition, size: Option<u64>) -> bool {
        let habits = self.ends.target.provider().habits();
        let is_known = |condition| habits.keeps.contains(condition) || habits.ignores.contains(condition);
        let is_one_request = size.is_some_and(|size| size < MULTIPART_THRESHOLD.min(habits.parts.max_size));
        !is_known(condition) || !is_one_request && !is_known(Condition::CompleteIfAbsent)
    }

    /// What to say, once, of a server that nothing is known of and whose name nobody said.
    pub(crate) fn unknown_server(&self) -> Option<Warning> {
        let is_unnamed = !self.names_provider && self.ends.target.provider() == Provider::Other;
        let is_told = self.options.no_overwrite && is_unnamed && !self.is_quiet && !self.options.only_show_errors;
        (is_told && !SAID_UNKNOWN.swap(true, Ordering::Relaxed)).then(|| Warning::new(UNKNOWN).hint(SAY_PROVIDER))
    }

    /// What to say, once, of a server that ignores conditions.
    pub(crate) fn unprotected(&self) -> Option<Warning> {
        (!self.is_quiet && !SAID_UNPROTECTED.swap(true, Ordering::Relaxed)).then(|| Warning::new(UNPROTECTED))
    }

    /// Whether a condition failed, and writing only what is not there may have been it.
    pub(super) fn may_be_there(&self, failure: &Failure) -> bool {
        // Where an answer was lost, what is there may be what was just written.
        self.options.no_overwrite && failure.is(ErrorKind::PreconditionFailed) && !failure.maybe_ours()
    }

    /// Whether something stands at the target.
    pub(crate) async fn is_there(&self, bucket: &str, key: &str) -> Result<bool, Failure> {
        match self.head_of_target(bucket, key).await {
            Ok(_) => Ok(true),
            // A bucket that is not there is met by the write.
            Err(error) if is_absent(&error) => Ok(false),
            // It may be there without the key that the new one gets, or with another: a listing asks for none.
            Err(error) if self.may_want_another_key(&error) => {
                let mut pages = self.listing_of_target(bucket, key).pages();
                match pages.next().await {
                    Some(Ok(page)) => Ok(page.objects.iter().any(|object| object.key == key)),
                    Some(Err(_)) => Err(error.into()),
                    None => Ok(false),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    fn may_want_another_key(&self, error: &wharf::Error) -> bool {
        let sends_key = self.options.attributes.source_key(false).is_some();
        let status = error.status().map(|status| status.as_u16());
        status == Some(400) || sends_key && status == Some(403)
    }

    fn listing_of_target(&self, bucket: &str, key: &str) -> List {
        let listing = self.tuning.list(&self.ends.target, bucket).prefix(key).max_keys(1);
        if self.options.requester_pays() { listing.request_payer() } else { listing }
    }

    /// Where no condition protects an object: whether there is one, unless somebody looked.
    pub(super) async fn look_first(
        &self,
        before: Look,
        bucket: &str,
        key: &str,
        follower: &Follower,
    ) -> Result<bool, Failure> {
        if let Some(warning) = self.unprotected() {
            follower.warn(warning);
        }
        match before {
            Look::Spared => self.is_there(bucket, key).await,
            Look::Free => Ok(false),
            Look::Taken => Ok(true),
        }
    }
}
