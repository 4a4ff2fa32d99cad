//! Transfers: what moves data of any size, many requests at a time, within limits that the whole process shares.

mod budgets;
mod handle;
mod lane;
mod patience;
mod upload;
mod verification;

pub use budgets::{Budgets, Limits};
pub use handle::{Progress, Transfer};
pub use upload::{Upload, Uploaded};
pub use verification::Verification;
