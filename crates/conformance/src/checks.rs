//! The checks, by area.

mod buckets;

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::context::Context;
use crate::expect::Outcome;

/// A part of S3, and its checks.
#[derive(Debug)]
pub struct Area {
    /// Its title.
    pub title: &'static str,
    /// Its checks.
    pub checks: &'static [Check],
}

/// Something that S3 does.
pub struct Check {
    /// A short name, which the servers' tables call it by.
    pub name: &'static str,
    /// What S3 does: one sentence without its full stop.
    pub sentence: &'static str,
    /// Finds out whether a server does it, too.
    pub run: Run,
}

/// A check at work.
pub type Run = fn(Context) -> Pin<Box<dyn Future<Output = Outcome> + Send>>;

impl Check {
    pub(crate) const fn new(name: &'static str, sentence: &'static str, run: Run) -> Self {
        Self { name, sentence, run }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// All checks.
pub const AREAS: &[Area] = &[Area { title: "Buckets", checks: buckets::CHECKS }];
