//! The checks, by area.

mod buckets;
mod checksums;
mod copies;
mod deletes;
mod encryption;
mod errors;
mod etags;
mod forms;
mod listings;
mod locks;
mod multipart;
mod nasty;
mod objects;
mod presigned;
mod reads;
mod requests;
mod streams;
mod tagging;
mod transfers;
mod typed;
mod versions;
mod writes;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::LazyLock;

use bytes::Bytes;

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
pub const AREAS: &[Area] = &[
    Area { title: "Buckets", checks: buckets::CHECKS },
    Area { title: "Objects", checks: objects::CHECKS },
    Area { title: "Keys", checks: nasty::CHECKS },
    Area { title: "Bodies", checks: streams::CHECKS },
    Area { title: "Typed content", checks: typed::CHECKS },
    Area { title: "Reads: ranges, parts, conditions, overrides", checks: reads::CHECKS },
    Area { title: "Conditional writes", checks: writes::CHECKS },
    Area { title: "Listings", checks: listings::CHECKS },
    Area { title: "Deletes", checks: deletes::CHECKS },
    Area { title: "Copies", checks: copies::CHECKS },
    Area { title: "Multipart uploads", checks: multipart::CHECKS },
    Area { title: "Transfers", checks: transfers::CHECKS },
    Area { title: "Presigned requests", checks: presigned::CHECKS },
    Area { title: "Forms of browsers", checks: forms::CHECKS },
    Area { title: "Checksums", checks: checksums::CHECKS },
    Area { title: "ETags", checks: etags::CHECKS },
    Area { title: "Tags", checks: tagging::CHECKS },
    Area { title: "Versions", checks: versions::CHECKS },
    Area { title: "Encryption", checks: encryption::CHECKS },
    Area { title: "Object lock", checks: locks::CHECKS },
    Area { title: "Errors", checks: errors::CHECKS },
    Area { title: "Bare requests", checks: requests::CHECKS },
];

/// The first of eight million bytes without a period.
fn pattern(length: usize) -> Bytes {
    static ALL: LazyLock<Bytes> =
        LazyLock::new(|| (0..8 << 20).map(|n: u64| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect());
    ALL.slice(..length)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::servers::SERVERS;

    #[test]
    fn every_name_is_used_once() {
        let mut names = HashSet::new();
        for check in AREAS.iter().flat_map(|area| area.checks) {
            assert!(names.insert(check.name), "{} is there twice", check.name);
        }
        for server in SERVERS {
            let mut told = HashSet::new();
            for check in server.differences.iter().flat_map(|difference| difference.checks) {
                assert!(names.contains(check), "{}: there is no check {check}", server.provider);
                assert!(told.insert(check), "{}: {check} is there twice", server.provider);
            }
        }
    }
}
