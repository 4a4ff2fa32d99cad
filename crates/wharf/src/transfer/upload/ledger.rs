//! Where an upload that is to be resumed says what it has done.

use std::fmt;

use wharf_proto::checksum::Checksum;
use wharf_proto::{ETag, Error};

/// What an upload tells of itself while it runs. An upload with a ledger is not aborted when it fails.
///
/// Without one nothing is written down.
pub(crate) trait Ledger: fmt::Debug + Send + Sync {
    /// What an earlier run has left.
    fn earlier(&self) -> Option<Earlier>;

    /// The upload was begun. Nothing is sent before this returns.
    fn begun(&self, upload_id: &str) -> Result<(), Error>;

    /// A part is stored.
    fn stored(&self, part: &StoredPart) -> Result<(), Error>;

    /// The object is there: nothing is left to resume.
    fn ended(&self) -> Result<(), Error>;
}

/// An upload that goes on.
#[derive(Debug, Clone)]
pub(crate) struct Earlier {
    pub(crate) upload_id: String,
    /// Those that the server still has.
    pub(crate) parts: Vec<StoredPart>,
}

/// A part that the server has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredPart {
    pub(crate) number: u32,
    pub(crate) length: u64,
    pub(crate) etag: ETag,
    /// The checksum of the bytes that were sent.
    pub(crate) checksum: Option<Checksum>,
    /// Whether the server has named it.
    pub(crate) confirmed: bool,
}
