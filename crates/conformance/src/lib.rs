//! What S3 does, as functions that take a client: each runs on any server, and says what the server did otherwise.
//!
//! A [`Check`] gets a [`Context`] with a client and an empty bucket of its own. [`run`] runs all of [`AREAS`] on a
//! [`Target`]. What a known server does differently is written down in [`servers`]: such a check still runs and must
//! fail as described there, so the tables, and the page that is made of them, cannot go stale unseen.

mod checks;
mod context;
mod expect;
mod http1;
pub mod page;
mod run;
pub mod servers;

pub use checks::{AREAS, Area, Check, Run};
pub use context::{Context, Target};
pub use expect::{Failure, Outcome};
pub use run::{Report, run};
