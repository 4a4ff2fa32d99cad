//! What is told of things that move.

use std::fmt;

use serde::Serialize;
use wharf::proto::escape;

use crate::error::{Failure, Told};
use crate::message::Warning;
use crate::printer::Printer;
use crate::units::human;

/// What is done to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Deed {
    Upload,
    Download,
    Copy,
    Move,
    Delete,
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Upload => "upload",
            Self::Download => "download",
            Self::Copy => "copy",
            Self::Move => "move",
            Self::Delete => "delete",
        })
    }
}

/// What is done, and to what.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Action {
    #[serde(rename = "type")]
    pub(crate) deed: Deed,
    pub(crate) source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<String>,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        self.target.as_ref().map_or(Ok(()), |target| write!(f, " to {target}"))
    }
}

/// Something that was done: `upload: ./a.txt to s3://my-bucket/a.txt`.
#[derive(Debug, Serialize)]
pub(crate) struct Done {
    #[serde(flatten)]
    pub(crate) action: Action,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<u64>,
    /// Whether both ends are known to have the same bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verified: Option<bool>,
    /// Bytes that an earlier run had moved.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) resumed: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) dryrun: bool,
    /// Whether an upload without parts may be left over beside it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) lost_create: bool,
    /// The ids of uploads that may be left over of an earlier run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) left_over: Vec<String>,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Done {
    pub(crate) fn new(action: Action) -> Self {
        let left_over = Vec::new();
        Self { action, size: None, verified: None, resumed: 0, dryrun: false, lost_create: false, left_over }
    }

    /// What would have been done.
    pub(crate) fn dryrun(action: Action, size: Option<u64>) -> Self {
        Self { size, dryrun: true, ..Self::new(action) }
    }

    /// Tells it; and beside the results that it went on with what an earlier run had done, which aws-cli never does.
    pub(crate) fn tell(&self, printer: &mut Printer, is_aws: bool) -> Result<(), Failure> {
        printer.say(self)?;
        // Its JSON says so.
        if self.resumed > 0 && !is_aws && !printer.is_json() {
            let source = escape::name(&self.action.source);
            printer.note(format_args!("resumed: {} of {source} were there already", human(self.resumed)));
        }
        if printer.is_json() {
            return Ok(());
        }
        let target = escape::name(self.action.target.as_deref().unwrap_or_default());
        if self.lost_create {
            printer.problem(&Warning::new(format!(
                "an answer was lost while {target} was begun, and an upload without parts may be left over: \
                 `rm --incomplete --dryrun` shows it"
            )));
        }
        if !self.left_over.is_empty() {
            printer.problem(&Warning::new(format!(
                "of an earlier run, uploads to {target} may be left over, which `rm --incomplete` aborts: {}",
                self.left_over.join(", ")
            )));
        }
        Ok(())
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dryrun = if self.dryrun { "(dryrun) " } else { "" };
        write!(f, "{dryrun}{}: {}", self.action.deed, self.action)
    }
}

/// Something that was left alone, as was asked for.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "skip")]
pub(crate) struct Left {
    pub(crate) source: String,
    pub(crate) target: String,
    pub(crate) reason: &'static str,
}

impl Left {
    pub(crate) fn of(action: Action) -> Self {
        let Action { source, target, .. } = action;
        Self { source, target: target.unwrap_or_default(), reason: "it is there already" }
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "skip: {} to {}: {}", escape::name(&self.source), escape::name(&self.target), self.reason)
    }
}

/// An object that has to be restored before it can be read, in aws-cli's words.
pub(crate) fn archived(deed: Deed, source: impl fmt::Display) -> Warning {
    let why = format!(
        "Object is of storage class GLACIER. Unable to perform {deed} operations on GLACIER objects. You must restore \
         the object to be able to perform the operation. --force-glacier-transfer tries all the same, \
         --ignore-glacier-warnings says nothing."
    );
    Warning::skipping(source, why)
}

/// Something that could not be done: `upload failed: ./a.txt to s3://my-bucket/a.txt ...`.
#[derive(Debug, Serialize)]
pub(crate) struct NotDone {
    #[serde(flatten)]
    told: Told,
    operation: Deed,
    source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// What went wrong, in as many words as it takes beside the rest; `None` for aws-cli's form.
    #[serde(skip)]
    brief: Option<String>,
}

impl NotDone {
    /// `None` where nobody need be told.
    pub(crate) fn new(action: Action, failure: Failure, is_aws: bool) -> Option<Self> {
        let Failure::Told(mut told) = failure else { return None };
        let Action { deed: operation, source, target } = action;
        let brief = (!is_aws).then(|| told.briefly([Some(&source), target.as_ref()]));
        // It is told here.
        told.source = None;
        Some(Self { told: *told, operation, source, target, brief })
    }
}

impl fmt::Display for NotDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed: {}", self.operation, escape::name(&self.source))?;
        if let Some(target) = &self.target {
            write!(f, " to {}", escape::name(target))?;
        }
        match &self.brief {
            Some(brief) => {
                f.write_str(": ")?;
                self.told.in_words(f, brief)
            }
            None => write!(f, " {}", self.told),
        }
    }
}
