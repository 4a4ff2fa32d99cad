//! Transfers: what moves data of any size, many requests at a time, within limits that the whole process shares.

mod budgets;
mod delete;
mod feed;
mod handle;
mod lane;
mod list;
mod patience;
mod verification;

pub use budgets::{Budgets, Limits};
pub use delete::{Delete, DeleteOutcomes, Deleted, Keys};
pub use handle::{Progress, Transfer};
pub use list::{List, ListItems, ListPages, ListedPage};
pub use verification::Verification;
