//! Transfers: what moves data of any size, many requests at a time, within limits that the whole process shares.

mod budgets;
mod download;
mod handle;
mod lane;
mod patience;
mod verification;

pub use budgets::{Budgets, Limits};
pub use download::{Download, Downloaded, OnChange, Target};
pub use handle::{Progress, Transfer};
pub use verification::Verification;
