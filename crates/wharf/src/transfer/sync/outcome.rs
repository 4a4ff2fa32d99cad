//! What becomes of each entry of a sync, and of all.

use wharf_proto::Error;
use wharf_proto::sync_plan::Reason;

#[cfg(doc)]
use super::Sync;
use super::work::Told;
use crate::transfer::Verification;

/// How many of the failures a [`Synced`] holds.
pub(super) const FAILURES: usize = 1000;

/// What a sync did.
#[must_use = "what failed is in `failures`"]
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Synced {
    /// How many entries were uploaded, downloaded or copied.
    pub transferred: u64,
    /// How many bytes they had.
    pub bytes: u64,
    /// How many entries of the target were deleted.
    pub deleted: u64,
    /// How many were left alone: the same at both ends, only at the target, or kept ([`overwrite`](Sync::overwrite)).
    pub skipped: u64,
    /// How many failed, or could not be read.
    pub failed: u64,
    /// How many deletes were not carried out because a part of one end could not be read, or something not be transferred.
    pub withheld: u64,
    /// Whether the source had nothing that the filter lets through, or nothing that could be read. A prefix that is mistyped is
    /// as empty.
    pub source_was_empty: bool,
    /// The first 1,000 of those that failed.
    pub failures: Vec<SyncItem>,
}

/// What became of one entry.
#[derive(Debug)]
#[non_exhaustive]
pub struct SyncItem {
    /// Its path below both ends, with `/` between the parts.
    pub key: String,
    /// Its size in bytes; 0 where it is not known.
    pub size: u64,
    /// What was done, or would be done in a dry run.
    pub action: SyncAction,
    /// Whether its bytes are known to have arrived as they were; `None` where none were moved.
    pub verification: Option<Verification>,
    /// How many of its bytes an earlier run had moved: see [`resumable`](Sync::resumable).
    pub resumed_bytes: u64,
    /// Uploads to its key that may be left over of an earlier run: see [`Uploaded::left_over`](crate::transfer::Uploaded::left_over).
    pub left_over: Vec<String>,
    /// Whether an answer to CreateMultipartUpload was lost on the way, so that another upload without parts may be left over:
    /// [`list_multipart_uploads`](crate::Client::list_multipart_uploads) shows it.
    pub lost_create: bool,
    /// Why it failed.
    pub error: Option<Error>,
}

/// What is done with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SyncAction {
    /// A file is uploaded.
    Upload(Reason),
    /// An object is downloaded.
    Download(Reason),
    /// An object is copied.
    Copy(Reason),
    /// Nothing, by [`overwrite(false)`](Sync::overwrite): the target has another of this name, or one that may be another.
    Keep,
    /// It is deleted from the target.
    Delete,
    /// Nothing: told of only where [`report_skipped`](Sync::report_skipped) asks for it.
    Skip,
    /// It could not be read, so that nothing can be done with it.
    Read,
}

impl Synced {
    pub(super) fn count(&mut self, told: Told) {
        let item = match told {
            Told::Skipped(count) => return self.skipped += count,
            Told::Withheld(count) => return self.withheld += count,
            Told::SourceEmpty => return self.source_was_empty = true,
            Told::Item(item) => item,
        };
        match (item.action, &item.error) {
            (_, Some(_)) => {
                self.failed += 1;
                if self.failures.len() < FAILURES {
                    self.failures.push(item);
                }
            }
            (SyncAction::Delete, None) => self.deleted += 1,
            (SyncAction::Keep | SyncAction::Skip | SyncAction::Read, None) => {}
            (SyncAction::Upload(_) | SyncAction::Download(_) | SyncAction::Copy(_), None) => {
                self.transferred += 1;
                self.bytes += item.size;
            }
        }
    }
}
