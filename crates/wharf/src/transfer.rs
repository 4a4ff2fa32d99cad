//! Transfers: what moves data of any size, many requests at a time, within limits that the whole process shares.

mod budgets;
mod download;
mod handle;
mod lane;
#[cfg(feature = "tokio-io")]
mod object_reader;
mod patience;
mod verification;

pub use budgets::{Budgets, Limits};
#[cfg(feature = "tokio-io")]
pub use download::Writer;
pub use download::{Download, Downloaded, Memory, OnChange, Target};
pub use handle::{Progress, Transfer};
#[cfg(feature = "tokio-io")]
pub use object_reader::{ObjectReader, OpenObject};
pub use verification::Verification;
