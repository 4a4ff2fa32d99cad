//! Conditions: what must hold for a request to be carried out.

use std::time::SystemTime;

use crate::operation::Request;
use crate::time::format_http_date;
use crate::{ETag, Error};

/// The four conditions of a read (GetObject, HeadObject).
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadConditions {
    pub(crate) if_match: Option<ETag>,
    pub(crate) if_none_match: Option<ETag>,
    pub(crate) if_modified_since: Option<SystemTime>,
    pub(crate) if_unmodified_since: Option<SystemTime>,
}

impl ReadConditions {
    pub(crate) fn apply(&self, request: &mut Request) -> Result<(), Error> {
        self.apply_as(request, ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since"])
    }

    /// As conditions on the source of a copy.
    pub(crate) fn apply_to_source(&self, request: &mut Request) -> Result<(), Error> {
        self.apply_as(
            request,
            [
                "x-amz-copy-source-if-match",
                "x-amz-copy-source-if-none-match",
                "x-amz-copy-source-if-modified-since",
                "x-amz-copy-source-if-unmodified-since",
            ],
        )
    }

    fn apply_as(&self, request: &mut Request, names: [&'static str; 4]) -> Result<(), Error> {
        request.header_opt(names[0], entity_tag(&self.if_match)?)?;
        request.header_opt(names[1], entity_tag(&self.if_none_match)?)?;
        request.header_opt(names[2], self.if_modified_since.map(format_http_date).transpose()?)?;
        request.header_opt(names[3], self.if_unmodified_since.map(format_http_date).transpose()?)
    }
}

/// The conditions of a write (PutObject, CopyObject, CompleteMultipartUpload): the object is this one, or there is
/// none. Never both.
#[derive(Debug, Clone, Default)]
pub(crate) enum WriteCondition {
    #[default]
    Always,
    IfMatch(ETag),
    IfAbsent,
}

impl WriteCondition {
    pub(crate) fn apply(&self, request: &mut Request) -> Result<(), Error> {
        match self {
            Self::Always => Ok(()),
            Self::IfMatch(tag) => request.header_opt("if-match", entity_tag(&Some(tag.clone()))?),
            Self::IfAbsent => request.header("if-none-match", "*"),
        }
    }

    /// Whether S3 has the request tried again as it stands where it conflicts with another. One that is about an object of a
    /// certain tag is not: the tag is to be read anew first.
    pub(crate) fn outlives_conflicts(&self) -> bool {
        !matches!(self, Self::IfMatch(_))
    }
}

/// The tag as a header has it: quoted, as HTTP demands, even where the caller left the quotes out; and strong, for the
/// `W/` that a proxy put in front never matches.
pub(crate) fn entity_tag(tag: &Option<ETag>) -> Result<Option<String>, Error> {
    match tag {
        None => Ok(None),
        Some(tag) if tag.is_empty() => Err(Error::invalid_input("an empty ETag cannot be a condition")),
        Some(tag) if tag.as_str() == "*" => Ok(Some("*".to_owned())),
        Some(tag) => Ok(Some(format!("\"{}\"", tag.unquoted()))),
    }
}
