//! Transfers: what moves data of any size, many requests at a time, within limits that the whole process shares.
//!
//! Beside [`upload`](crate::Client::upload) and [`download`](crate::Client::download) there is what concerns many objects at a
//! time, or objects that never come here: [`copy`](crate::Client::copy), [`delete`](crate::Client::delete),
//! [`list`](crate::Client::list) and [`sync`](crate::Client::sync). What they list, delete or compare passes through; nothing grows
//! with the number of keys.

mod bandwidth;
mod budgets;
mod copy;
mod delete;
mod download;
mod feed;
mod gate;
mod handle;
mod incomplete;
mod interrupted;
mod journal;
mod lane;
mod list;
mod locked;
#[cfg(feature = "tokio-io")]
mod object_reader;
mod patience;
mod safe_path;
mod sync;
mod upload;
mod verification;
mod watch;

pub(crate) use bandwidth::{Pace, pace, paced};
pub use budgets::{Budgets, Limits};
pub use copy::{Copied, Copy};
pub use delete::{Delete, DeleteOutcomes, Deleted, Keys};
#[cfg(feature = "tokio-io")]
pub use download::Writer;
pub use download::{Download, Downloaded, Memory, OnChange, Target};
pub use handle::{Progress, Transfer, Updates};
pub use incomplete::{AbortedUploads, IncompleteUploads};
pub use interrupted::{Interrupted, InterruptedKind};
pub(crate) use journal::state_folder;
pub use list::{List, ListItems, ListPages, ListedPage};
#[cfg(feature = "tokio-io")]
pub use object_reader::{ObjectReader, OpenObject};
pub use safe_path::LocalTree;
pub use sync::{Sync, SyncAction, SyncEvents, SyncItem, SyncPlace, Synced};
pub use upload::{Upload, Uploaded};
pub use verification::Verification;
pub use wharf_proto::sync_plan::{Compare, Reason};
