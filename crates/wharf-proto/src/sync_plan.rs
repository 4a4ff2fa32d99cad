//! What makes one tree of keys like another: two sorted listings in, actions out.
//!
//! The plan asks for the next entry of a side when it needs one, and holds one of each: ten million keys take no more memory than
//! ten. Where a side does not come in the order of its keys' bytes, it says so at once. What it has said before that still holds
//! of transfers, which do no harm, and of no delete: those are to be carried out when both sides have ended well. With
//! [`Rules::keep`] a transfer can do harm as well, for what seemed to be missing may come later: sort a side of which the order
//! is not known.
//!
//! ```
//! use wharf_proto::sync_plan::{Action, Entry, Rules, Side, Step, SyncPlan};
//!
//! let mut rules = Rules::default();
//! rules.delete = true;
//! let mut plan = SyncPlan::new(rules);
//! let mut source = [Entry::new("a", 1)].into_iter();
//! let mut target = [Entry::new("b", 1)].into_iter();
//! let mut actions = Vec::new();
//! loop {
//!     match plan.next() {
//!         Step::Need(Side::Source) => plan.offer(Side::Source, source.next())?,
//!         Step::Need(Side::Target) => plan.offer(Side::Target, target.next())?,
//!         Step::Act(action) => actions.push(action),
//!         Step::Done => break,
//!     }
//! }
//! assert!(matches!(&actions[..], [Action::Transfer { .. }, Action::Delete(extra)] if extra.key == "b"));
//! # Ok::<_, wharf_proto::sync_plan::Disorder>(())
//! ```

use std::cmp::Ordering;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::checksum::Checksum;
use crate::evidence::Doubt;
use crate::{ETag, Error};

/// A file or an object, as one of the sides names it.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Entry {
    /// Its path below the side's root, with `/` between the parts.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written.
    pub modified: Option<SystemTime>,
    /// Its entity tag, of an object.
    pub etag: Option<ETag>,
    /// A checksum of all its bytes, where it is known.
    pub checksum: Option<Checksum>,
}

impl Entry {
    /// An entry of which no more is known.
    pub fn new(key: impl Into<String>, size: u64) -> Self {
        Self { key: key.into(), size, ..Self::default() }
    }

    /// When it was written.
    #[must_use]
    pub fn modified(mut self, time: SystemTime) -> Self {
        self.modified = Some(time);
        self
    }
}

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// What the other shall be like.
    Source,
    /// What is changed.
    Target,
}

/// What counts as a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compare {
    /// Another size, or a source that was written later. S3 keeps whole seconds: a file that was written later in the very second in
    /// which its object was stored may be what was sent then; its bytes decide ([`Action::Compare`]). Two objects of one second
    /// count as the same.
    #[default]
    SizeAndTime,
    /// Another size, or a target that was written later: as aws-cli compares what it downloads.
    SizeAndLaterTarget,
    /// Another size alone.
    SizeOnly,
    /// Another size, or another time. Of objects that are downloaded `wharf` takes the whole second, as their headers have it.
    ExactTime,
    /// Another size, or other bytes. Where no checksum of both is known, that is left to whoever can read them:
    /// [`Action::Compare`].
    Checksum,
}

/// What is to be done with differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Rules {
    /// What counts as one.
    pub compare: Compare,
    /// Whether what the source does not have is deleted.
    pub delete: bool,
    /// Whether what the target has stays as it is: only what is missing is brought, and nobody need read any bytes.
    pub keep: bool,
}

/// What is to be done with a key.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// Bring the source's bytes to the target: an upload, a download or a copy.
    Transfer {
        /// What is brought.
        source: Entry,
        /// Why.
        because: Reason,
    },
    /// Compare the bytes, and transfer them if they differ.
    Compare {
        /// The source's.
        source: Entry,
        /// The target's.
        target: Entry,
    },
    /// Nothing, by [`Rules::keep`]: the target has another of this name, or one that may be another. The source's.
    Keep(Entry),
    /// Delete it from the target, once both sides have ended well.
    Delete(Entry),
    /// Nothing: both are the same, or the source does not have it and nothing is deleted.
    Skip(Entry),
}

/// Why something is transferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The target does not have it.
    Missing,
    /// The sizes differ.
    Size,
    /// The source was written later or, where that counts, at another time.
    Time,
    /// The bytes differ.
    Content,
    /// Nothing shows whether the bytes differ: why.
    Unproven(Doubt),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "it is missing",
            Self::Size => "the sizes differ",
            Self::Time => "the times differ",
            Self::Content => "the bytes differ",
            Self::Unproven(doubt) => doubt.as_str(),
        })
    }
}

/// What a plan wants next.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one at a time, and none is kept")]
pub enum Step {
    /// The next entry of a side: [`SyncPlan::offer`] it.
    Need(Side),
    /// This done.
    Act(Action),
    /// Nothing more.
    Done,
}

/// A side that does not come in the order of its keys' bytes, or names one twice.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Disorder {
    /// Which.
    pub side: Side,
    /// The key before.
    pub before: String,
    /// The key that is not greater.
    pub key: String,
}

impl fmt::Display for Disorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Source => "source",
            Side::Target => "target",
        };
        write!(f, "the {side} is not in order: {:?} comes after {:?}", self.key, self.before)
    }
}

impl std::error::Error for Disorder {}

/// The merge of two sides: see the [module](self).
#[derive(Debug)]
pub struct SyncPlan {
    rules: Rules,
    source: Head,
    target: Head,
}

/// Where a side stands.
#[derive(Debug, Default)]
struct Head {
    next: Option<Entry>,
    last: Option<String>,
    ended: bool,
    count: u64,
}

impl SyncPlan {
    /// A plan that has seen nothing yet.
    pub fn new(rules: Rules) -> Self {
        Self { rules, source: Head::default(), target: Head::default() }
    }

    /// Takes the next entry of a side, or its end.
    ///
    /// # Errors
    /// A key that is not greater than the one before it. The plan is of no use after that: sort the side, and make another.
    pub fn offer(&mut self, side: Side, entry: Option<Entry>) -> Result<(), Disorder> {
        let head = match side {
            Side::Source => &mut self.source,
            Side::Target => &mut self.target,
        };
        let Some(entry) = entry else {
            head.ended = true;
            return Ok(());
        };
        match &mut head.last {
            Some(last) if *last >= entry.key => {
                return Err(Disorder { side, before: last.clone(), key: entry.key });
            }
            Some(last) => last.clone_from(&entry.key),
            None => head.last = Some(entry.key.clone()),
        }
        head.count += 1;
        head.next = Some(entry);
        Ok(())
    }

    /// What comes next.
    #[expect(clippy::should_implement_trait, reason = "it is no iterator: it has to be fed")]
    pub fn next(&mut self) -> Step {
        if self.source.needs() {
            return Step::Need(Side::Source);
        }
        if self.target.needs() {
            return Step::Need(Side::Target);
        }
        let order = match (&self.source.next, &self.target.next) {
            (None, None) => return Step::Done,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(source), Some(target)) => source.key.cmp(&target.key),
        };
        let source = if order.is_le() { self.source.next.take() } else { None };
        let target = if order.is_ge() { self.target.next.take() } else { None };
        Step::Act(match (source, target) {
            (Some(source), Some(target)) => self.of_both(source, target),
            (Some(source), None) => Action::Transfer { source, because: Reason::Missing },
            (None, Some(target)) if self.rules.delete => Action::Delete(target),
            (None, Some(target)) => Action::Skip(target),
            (None, None) => return Step::Done,
        })
    }

    /// What is to be done with what both have.
    fn of_both(&self, source: Entry, target: Entry) -> Action {
        match self.compare(source, target) {
            Action::Transfer { source, .. } | Action::Compare { source, .. } if self.rules.keep => Action::Keep(source),
            action => action,
        }
    }

    fn compare(&self, source: Entry, target: Entry) -> Action {
        if source.size != target.size {
            return Action::Transfer { source, because: Reason::Size };
        }
        let times = source.modified.zip(target.modified);
        let because = match self.rules.compare {
            Compare::SizeOnly => None,
            // What is not known may differ.
            Compare::SizeAndTime => match times {
                Some((one, other)) if one <= other => None,
                // What is left alone in any case need not be read.
                Some((one, other)) if is_second_of(other, one) && self.rules.keep => None,
                Some((one, other)) if is_second_of(other, one) => return Action::Compare { source, target },
                _ => Some(Reason::Time),
            },
            Compare::SizeAndLaterTarget => times.is_none_or(|(source, target)| target > source).then_some(Reason::Time),
            Compare::ExactTime => times.is_none_or(|(source, target)| source != target).then_some(Reason::Time),
            Compare::Checksum => match (&source.checksum, &target.checksum) {
                (Some(one), Some(other)) if one.algorithm() == other.algorithm() => {
                    (one != other).then_some(Reason::Content)
                }
                _ => return Action::Compare { source, target },
            },
        };
        match because {
            None => Action::Skip(source),
            Some(because) => Action::Transfer { source, because },
        }
    }

    /// How many entries a side had so far.
    pub fn count(&self, side: Side) -> u64 {
        match side {
            Side::Source => self.source.count,
            Side::Target => self.target.count,
        }
    }

    /// Whether its deletes may be carried out: both sides have ended, and the source had something, or the caller says that it
    /// may be empty. A disk that is not mounted looks like an empty folder.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an empty source.
    pub fn may_delete(&self, may_be_empty: bool) -> Result<bool, Error> {
        if !self.source.ended || !self.target.ended {
            return Ok(false);
        }
        if self.source.count == 0 && self.target.count > 0 && !may_be_empty {
            return Err(Error::invalid_input(format!(
                "the source is empty, and {} entries of the target would be deleted; nothing was",
                self.target.count
            ))
            .with_hint("if it is meant to be empty, say so: `allow_empty_source`"));
        }
        Ok(true)
    }
}

impl Head {
    fn needs(&self) -> bool {
        self.next.is_none() && !self.ended
    }
}

/// Whether `second` is a whole one, in which `time` lies.
fn is_second_of(second: SystemTime, time: SystemTime) -> bool {
    let is_whole = second.duration_since(UNIX_EPOCH).is_ok_and(|since| since.subsec_nanos() == 0);
    is_whole && time.duration_since(second).is_ok_and(|after| after.as_secs() == 0)
}

#[cfg(test)]
mod tests;
