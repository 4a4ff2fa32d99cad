//! Which conditions a request has.

use std::fmt;

use http::Method;

use crate::operation::Request;

/// A condition of a request, by what it guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Condition {
    /// PutObject with `If-None-Match`.
    PutIfAbsent,
    /// PutObject with `If-Match`.
    PutIfMatch,
    /// CompleteMultipartUpload with `If-None-Match`.
    CompleteIfAbsent,
    /// CompleteMultipartUpload with `If-Match`.
    CompleteIfMatch,
    /// CopyObject with `If-None-Match`, which is about its destination.
    CopyIfAbsent,
    /// CopyObject with `If-Match`, which is about its destination.
    CopyIfMatch,
    /// CopyObject or UploadPartCopy with any of `x-amz-copy-source-if-*`.
    CopySource,
    /// DeleteObject with `If-Match`.
    DeleteIfMatch,
    /// DeleteObjects with an ETag for one of its objects.
    DeleteObjectsIfMatch,
    /// DeleteObject with any of `x-amz-if-match-*`, or DeleteObjects with the same of one of its objects.
    DeleteIfSizeOrDate,
    /// PutObject with `x-amz-write-offset-bytes`.
    Append,
    /// GetObject or HeadObject with `If-Match`.
    ReadIfMatch,
    /// GetObject or HeadObject with `If-None-Match`.
    ReadIfNoneMatch,
    /// GetObject or HeadObject with `If-Modified-Since` or `If-Unmodified-Since`.
    ReadDates,
}

use Condition::*;

impl Condition {
    /// All of them.
    pub const ALL: [Self; 14] = [
        PutIfAbsent,
        PutIfMatch,
        CompleteIfAbsent,
        CompleteIfMatch,
        CopyIfAbsent,
        CopyIfMatch,
        CopySource,
        DeleteIfMatch,
        DeleteObjectsIfMatch,
        DeleteIfSizeOrDate,
        Append,
        ReadIfMatch,
        ReadIfNoneMatch,
        ReadDates,
    ];

    /// The conditions that `request` has.
    pub(crate) fn of(request: &Request) -> Conditions {
        let has = |name: &str| request.query.iter().any(|(known, _)| known == name);
        let is_copy = request.headers.keys().any(|name| name == "x-amz-copy-source");
        let method = &request.method;
        // By header and condition. A request of another shape is of another operation, which has none of these.
        let guards: &[(&str, Self)] = if request.key.is_none() {
            &[]
        } else if is_copy && !has("partNumber") {
            &[("if-none-match", CopyIfAbsent), ("if-match", CopyIfMatch), ("x-amz-copy-source-if-", CopySource)]
        } else if is_copy {
            &[("x-amz-copy-source-if-", CopySource)]
        } else if *method == Method::PUT && request.query.iter().all(|(name, _)| name == "x-id") {
            &[("if-none-match", PutIfAbsent), ("if-match", PutIfMatch), ("x-amz-write-offset-bytes", Append)]
        } else if *method == Method::POST && has("uploadId") {
            &[("if-none-match", CompleteIfAbsent), ("if-match", CompleteIfMatch)]
        } else if *method == Method::DELETE && !has("uploadId") && !has("tagging") {
            &[("if-match", DeleteIfMatch), ("x-amz-if-match-", DeleteIfSizeOrDate)]
        } else if *method == Method::GET || *method == Method::HEAD {
            &[
                ("if-match", ReadIfMatch),
                ("if-none-match", ReadIfNoneMatch),
                ("if-modified-since", ReadDates),
                ("if-unmodified-since", ReadDates),
            ]
        } else {
            &[]
        };
        let named = |name: &str| request.headers.keys().any(|header| header.as_str().starts_with(name));
        let in_headers = guards.iter().filter(|(name, _)| named(name)).map(|(_, condition)| *condition);
        in_headers.chain(request.body_conditions.iter()).collect()
    }

    /// What happens where it is ignored.
    pub(crate) fn damage(self) -> &'static str {
        match self {
            PutIfAbsent | PutIfMatch | CompleteIfAbsent | CompleteIfMatch | CopyIfAbsent | CopyIfMatch => {
                "the object would be written in any case"
            }
            DeleteIfMatch | DeleteObjectsIfMatch | DeleteIfSizeOrDate => "the object would be deleted in any case",
            Append => "the object would be replaced by what was to be appended",
            CopySource => "whatever the source is would be copied",
            ReadIfMatch | ReadIfNoneMatch | ReadDates => "whatever the object is would be read",
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            PutIfAbsent => "PutObject if absent",
            PutIfMatch => "PutObject if match",
            CompleteIfAbsent => "CompleteMultipartUpload if absent",
            CompleteIfMatch => "CompleteMultipartUpload if match",
            CopyIfAbsent => "CopyObject if absent",
            CopyIfMatch => "CopyObject if match",
            CopySource => "CopyObject if the source",
            DeleteIfMatch => "DeleteObject if match",
            DeleteObjectsIfMatch => "DeleteObjects if match",
            DeleteIfSizeOrDate => "DeleteObject if size or date",
            Append => "PutObject at an offset",
            ReadIfMatch => "GetObject if match",
            ReadIfNoneMatch => "GetObject if none match",
            ReadDates => "GetObject if (un)modified since",
        })
    }
}

/// A set of conditions.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Conditions(u16);

impl Conditions {
    /// No condition at all.
    pub const NONE: Self = Self(0);
    /// Every condition.
    pub const ALL: Self = Self::of(&Condition::ALL);

    /// These conditions.
    pub const fn of(conditions: &[Condition]) -> Self {
        let mut set = 0;
        // An iterator is not for a constant.
        let mut at = 0;
        while at < conditions.len() {
            set |= 1 << conditions[at] as u16;
            at += 1;
        }
        Self(set)
    }

    /// These and those.
    #[must_use]
    pub const fn with(self, those: Self) -> Self {
        Self(self.0 | those.0)
    }

    /// These, and no longer those.
    #[must_use]
    pub const fn without(self, those: Self) -> Self {
        Self(self.0 & !those.0)
    }

    /// Whether it is among them.
    pub const fn contains(self, condition: Condition) -> bool {
        self.0 & (1 << condition as u16) != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// One after the other.
    pub fn iter(self) -> impl Iterator<Item = Condition> {
        Condition::ALL.into_iter().filter(move |condition| self.contains(*condition))
    }
}

impl FromIterator<Condition> for Conditions {
    fn from_iter<I: IntoIterator<Item = Condition>>(conditions: I) -> Self {
        conditions.into_iter().fold(Self::NONE, |set, condition| Self(set.0 | Self::of(&[condition]).0))
    }
}

impl fmt::Debug for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
