//! Transfers: what moves data of any size, many requests at a time, within limits that the whole process shares.
//!
//! An **upload** ([`Client::upload`](crate::Client::upload)) goes in one request or in parts, whatever its source is: each
//! request can be made again, what was begun is undone where it fails, and what is known of the bytes that the server has
//! is its [`Verification`].
//!
//! A **download** ([`Client::download`](crate::Client::download)) writes a file by several requests, each of which puts its
//! bytes where they belong, or gives memory and writers the bytes in order. All requests are held to the ETag that the
//! first one saw. The first asks for the object without a range: where it is small, nothing else is asked, and where it is
//! large, its answer goes on until the bytes begin that others fetch. To read here and there, there is
//! [`Client::object_reader`](crate::Client::object_reader).
//!
//! Many objects at a time, or objects that never come here: [`copy`](crate::Client::copy),
//! [`delete`](crate::Client::delete), [`list`](crate::Client::list) and [`sync`](crate::Client::sync). What they list,
//! delete or compare passes through; nothing grows with the number of keys.
//!
//! What all have in common:
//!
//! * **Limits**: [`Budgets::process`] has one of memory, of requests in flight and of bandwidth for everything, to be
//!   [set](Budgets::set) at any time. None of them holds a request while it waits for what may need one, so that a download can
//!   be piped into an upload where there is one request in all.
//! * **How many requests at a time** a transfer finds out where it is not told: it begins with two and makes more while
//!   that makes it faster; a download begins with one, and leaves it alone while it is fast. A server that asks for fewer
//!   (503 SlowDown) gets half as many, of this transfer and of all transfers of the client together.
//! * **A request that fails** for a passing reason is made again until nothing of the transfer has moved for its
//!   `patience`, and [`Client::waiting`](crate::Client::waiting) says what for; one whose bytes were spoilt on their way, twice.
//!   A download whose bytes came spoilt is made once more. A server that was never reached is given up after 6 attempts.
//! * **Resumed**: what is [`resumable`](Upload::resumable) goes on after a crash, in another process. What was not is
//!   [listed](Interrupted) and removed, as are [uploads that nobody ended](IncompleteUploads).
//! * **Started** by `.start()`, a transfer is a [`Transfer`]: [progress](Transfer::progress), also as a
//!   [stream](Transfer::updates), and [`cancel`](Transfer::cancel). Dropped, it undoes what it began in the background, for
//!   5 s at most.

mod abort;
mod adaptive;
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
mod reading;
mod safe_path;
mod silence;
mod sync;
mod unnamed;
mod upload;
mod verification;
mod waiting;
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
pub(crate) use journal::{KnownEmpty, state_folder};
pub(crate) use lane::ServerLimit;
pub use list::{List, ListItems, ListPages, ListedPage};
#[cfg(feature = "tokio-io")]
pub use object_reader::{ObjectReader, OpenObject};
pub use patience::PATIENCE;
pub use safe_path::LocalTree;
pub(crate) use silence::{LEAST, Silence};
pub use sync::{Hides, IntoSyncPlace, Sync, SyncAction, SyncEvents, SyncItem, SyncPlace, Synced, Trouble};
pub use upload::{MULTIPART_THRESHOLD, Upload, Uploaded};
pub use verification::Verification;
pub use waiting::Waiting;
pub(crate) use waiting::Waits;
pub use wharf_proto::sync_plan::{Compare, Reason};
