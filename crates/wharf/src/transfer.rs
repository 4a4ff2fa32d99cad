//! Transfers: what moves data of any size, many requests at a time, within limits that the whole process shares.

mod bandwidth;
mod budgets;
mod delete;
mod download;
mod feed;
mod gate;
mod handle;
mod lane;
mod list;
mod patience;
mod upload;
mod verification;
mod watch;

pub(crate) use bandwidth::{Pace, pace, paced};
pub use budgets::{Budgets, Limits};
pub use delete::{Delete, DeleteOutcomes, Deleted, Keys};
pub use download::{Download, Downloaded, OnChange, Target};
pub use handle::{Progress, Transfer, Updates};
pub use list::{List, ListItems, ListPages, ListedPage};
pub use upload::{Upload, Uploaded};
pub use verification::Verification;
