//! Faults: what goes wrong on purpose, and when.
//!
//! A [`Fault`] says both. `plan` decides what befalls a request, without touching it; `wire` does it to bodies, `answer`
//! to answers, `replace` to objects. `file` reads faults from a file, `personality` puts them together as other servers behave.

mod answer;
mod file;
mod personality;
mod plan;
mod replace;
mod wire;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};

use crate::operations::Operation;
use crate::pattern::Pattern;

pub(crate) use answer::{Answer, bend};
pub use personality::Personality;
pub use plan::Injected;
pub(crate) use plan::{Asked, Faults, Habits};
pub(crate) use replace::replace;
pub(crate) use wire::{closed, no_answer, wait};

/// Something that goes wrong on purpose, and the requests it happens to.
///
/// A constructor says what happens, the methods say when: without any, to every request it can happen to.
/// [`Store::inject`](crate::Store::inject) puts it in force.
///
/// ```
/// use wharf_embedded::{Fault, Operation, Store};
///
/// let store = Store::in_memory();
/// // The first two uploads of a report meet a busy server.
/// let busy = store.inject(
///     Fault::respond(503, "SlowDown").header("retry-after", "1").on(Operation::PutObject).key("reports/*").times(2),
/// )?;
/// assert_eq!(busy.fired(), 0);
/// # Ok::<_, wharf_embedded::FaultError>(())
/// ```
///
/// It stands at the wire: it sees all requests, those too that are refused for their signature or are no operation the
/// store knows. The latter only match faults that name no operation, bucket or key.
///
/// Where several faults hit one request, all of them happen, except that it is answered once: a fault that
/// [`respond`](Self::respond)s leaves its turn untouched where one injected before it has answered. So faults of one
/// operation are a script: twice 503, then once 500.
#[derive(Debug, Clone)]
#[must_use = "a fault does nothing until it is injected"]
pub struct Fault {
    action: Action,
    on: Vec<Operation>,
    bucket: Option<Pattern>,
    key: Option<Pattern>,
    asks: Vec<(String, Pattern)>,
    nth: Option<u64>,
    skip: u64,
    share: Option<(f64, u64)>,
    times: Option<u64>,
    headers: Vec<(String, String)>,
}

/// What happens.
#[derive(Debug, Clone)]
enum Action {
    Respond { status: u16, code: String },
    Delay(Duration),
    DelayBody { after: u64, by: Duration },
    CloseRequest(u64),
    CloseResponse(u64),
    CorruptRequest(u64),
    CorruptResponse(u64),
    DropAnswer,
    ReplaceObject(Bytes),
    ShuffleListing(u64),
    ForgetChecksums,
    IgnoreConditions,
    IgnoreSourceConditions,
    PathStyleOnly,
}

impl Action {
    /// The word for it: the method's, the file's and the log's.
    fn word(&self) -> &'static str {
        match self {
            Action::Respond { .. } => "respond",
            Action::Delay(_) => "delay",
            Action::DelayBody { .. } => "delay_body",
            Action::CloseRequest(_) => "close_request_after",
            Action::CloseResponse(_) => "close_response_after",
            Action::CorruptRequest(_) => "corrupt_request",
            Action::CorruptResponse(_) => "corrupt_response",
            Action::DropAnswer => "drop_answer",
            Action::ReplaceObject(_) => "replace_object",
            Action::ShuffleListing(_) => "shuffle_listing",
            Action::ForgetChecksums => "forget_checksums",
            Action::IgnoreConditions => "ignore_conditions",
            Action::IgnoreSourceConditions => "ignore_source_conditions",
            Action::PathStyleOnly => "path_style_only",
        }
    }

    /// Whether it can happen to the operation of that name.
    fn suits(&self, operation: &str) -> bool {
        match self {
            Action::ReplaceObject(_) => matches!(operation, "GetObject" | "HeadObject"),
            Action::ShuffleListing(_) => matches!(
                operation,
                "ListObjects" | "ListObjectsV2" | "ListObjectVersions" | "ListMultipartUploads" | "ListParts"
            ),
            Action::IgnoreSourceConditions => matches!(operation, "CopyObject" | "UploadPartCopy"),
            _ => true,
        }
    }
}

/// What happens.
impl Fault {
    /// The request is answered with this status and an error document of this code, and is not carried out. Without a
    /// code (`""`) there is no document. The body is left unread, except before a success.
    pub fn respond(status: u16, code: impl Into<String>) -> Self {
        Self::new(Action::Respond { status, code: code.into() })
    }

    /// The request is answered 200 with an error document, as S3 does where work fails after the answer has begun. It
    /// is not carried out.
    pub fn ok_with_error(code: impl Into<String>) -> Self {
        Self::respond(200, code)
    }

    /// The request is carried out, and the head of its answer comes this much later, by Tokio's clock; where there is to be
    /// no answer, the end of its connection.
    pub fn delay(by: Duration) -> Self {
        Self::new(Action::Delay(by))
    }

    /// The answer's body stops for this long after so many bytes, by Tokio's clock.
    pub fn delay_body(after: u64, by: Duration) -> Self {
        Self::new(Action::DelayBody { after, by })
    }

    /// The connection is closed once so many bytes of the request's body were read; with 0, before any. Nothing is
    /// carried out. A shorter body is not hit, and counts as a request that was.
    pub fn close_request_after(bytes: u64) -> Self {
        Self::new(Action::CloseRequest(bytes))
    }

    /// The request is carried out, and the connection is closed behind the answer's head and so many bytes of its body.
    /// A body that is not longer is not hit, and counts as one that was, as the answer of another fault does: say
    /// [`nth`](Fault::nth) or [`if_header`](Fault::if_header) where there are such. Over TCP a reader who lags far behind may find fewer bytes.
    pub fn close_response_after(bytes: u64) -> Self {
        Self::new(Action::CloseResponse(bytes))
    }

    /// The byte at this offset of the request's body arrives with its lowest bit flipped.
    pub fn corrupt_request(offset: u64) -> Self {
        Self::new(Action::CorruptRequest(offset))
    }

    /// The byte at this offset of the answer's body is sent with its lowest bit flipped.
    pub fn corrupt_response(offset: u64) -> Self {
        Self::new(Action::CorruptResponse(offset))
    }

    /// The request is carried out, and the connection is closed without an answer.
    pub fn drop_answer() -> Self {
        Self::new(Action::DropAnswer)
    }

    /// The object gets these bytes, another ETag and another date just before GetObject or HeadObject reads it. With
    /// [`if_header("range", "*")`](Self::if_header) and [`nth(2)`](Self::nth) that is between two ranges.
    pub fn replace_object(bytes: impl Into<Bytes>) -> Self {
        Self::new(Action::ReplaceObject(bytes.into()))
    }

    /// Each page of a listing holds its entries in another order, which the seed decides. Two entries or more are never
    /// left in order.
    pub fn shuffle_listing(seed: u64) -> Self {
        Self::new(Action::ShuffleListing(seed))
    }

    /// Checksums are neither compared nor kept nor told. Content-MD5 and what is signed still count.
    pub fn forget_checksums() -> Self {
        Self::new(Action::ForgetChecksums)
    }

    /// The conditions `If-*` of the request are not looked at, nor are the ETags that DeleteObjects names.
    pub fn ignore_conditions() -> Self {
        Self::new(Action::IgnoreConditions)
    }

    /// The conditions `x-amz-copy-source-if-*` of a copy are not looked at.
    pub fn ignore_source_conditions() -> Self {
        Self::new(Action::IgnoreSourceConditions)
    }

    /// Bodies framed as `aws-chunked` are answered 501 NotImplemented.
    pub fn refuse_framing() -> Self {
        Self::respond(501, "NotImplemented").if_header("x-amz-content-sha256", "STREAMING-*")
    }

    /// A bucket in the host name is not seen: what its path begins with is taken for the bucket. The fault itself is
    /// still matched with the bucket that was meant.
    pub fn path_style_only() -> Self {
        Self::new(Action::PathStyleOnly)
    }

    fn new(action: Action) -> Self {
        Self {
            action,
            on: Vec::new(),
            bucket: None,
            key: None,
            asks: Vec::new(),
            nth: None,
            skip: 0,
            share: None,
            times: None,
            headers: Vec::new(),
        }
    }

    /// Adds a header to what [`respond`](Self::respond) answers.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// When it happens. A pattern is compared whole, and its `*` stands for any text.
impl Fault {
    /// To requests of this operation only; given again, of either.
    pub fn on(mut self, operation: Operation) -> Self {
        self.on.push(operation);
        self
    }

    /// To requests of buckets of this pattern only.
    pub fn bucket(mut self, pattern: impl Into<String>) -> Self {
        self.bucket = Some(Pattern::new(pattern));
        self
    }

    /// To requests of keys of this pattern only.
    pub fn key(mut self, pattern: impl Into<String>) -> Self {
        self.key = Some(Pattern::new(pattern));
        self
    }

    /// To requests that have this header with a value of this pattern only; given again, both must be.
    pub fn if_header(mut self, name: impl Into<String>, pattern: impl Into<String>) -> Self {
        self.asks.push((name.into(), Pattern::new(pattern)));
        self
    }

    /// To the n-th of those requests only, counted from 1.
    pub fn nth(mut self, n: u64) -> Self {
        self.nth = Some(n);
        self
    }

    /// To none of the first `n` of those requests: a server that works for a while, and then does not.
    pub fn skip(mut self, n: u64) -> Self {
        self.skip = n;
        self
    }

    /// To a share of those requests only, from 0 to 1. Which they are depends on the seed and their order alone, so that
    /// a run can be had again.
    pub fn share(mut self, share: f64, seed: u64) -> Self {
        self.share = Some((share, seed));
        self
    }

    /// At most so many times.
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }
}

impl Fault {
    /// Reads faults from a file's text, in TOML: a table `[[fault]]` each, with the words of this type's methods.
    ///
    /// ```
    /// # use wharf_embedded::{Fault, Store};
    /// let store = Store::in_memory();
    /// let text = r#"
    ///     [[fault]]              # the first two uploads of a report meet a busy server
    ///     respond = 503
    ///     code = "SlowDown"
    ///     header = { retry-after = "1" }
    ///     on = "PutObject"
    ///     key = "reports/*"
    ///     times = 2
    ///
    ///     [[fault]]              # every tenth answer or so is lost
    ///     drop_answer = true
    ///     share = 0.1
    ///     seed = 7
    /// "#;
    /// for fault in Fault::from_toml(text)? {
    ///     store.inject(fault)?;
    /// }
    /// # Ok::<_, wharf_embedded::FaultError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The text is no TOML, has words that no fault has, or a fault that [`Store::inject`](crate::Store::inject) would
    /// refuse. The error names the line.
    pub fn from_toml(text: &str) -> Result<Vec<Self>, FaultError> {
        file::parse(text)
    }

    /// Finds what could only be a mistake: a fault that does nothing would let a test pass for nothing.
    pub(crate) fn check(&self) -> Result<(), FaultError> {
        let word = self.action.word();
        let problem = if let Action::Respond { status, .. } = &self.action
            && !(200..=599).contains(status)
        {
            format!("{status} is no status of a final answer; say one from 200 to 599")
        } else if !matches!(self.action, Action::Respond { .. }) && !self.headers.is_empty() {
            format!("header is for respond, not for {word}; say if_header to choose requests by a header")
        } else if let Some((name, value)) = self.headers.iter().find(|(name, value)| !is_header(name, value)) {
            format!("{name}: {value} is no header that can be sent")
        } else if let Some((name, _)) = self.asks.iter().find(|(name, _)| !is_header(name, "")) {
            format!("{name:?} is no name of a header")
        } else if let Some(operation) = self.on.iter().find(|operation| !self.action.suits(operation.name())) {
            format!("{word} cannot happen to {operation}")
        } else if self.nth == Some(0) {
            "nth counts from 1".to_owned()
        } else if self.times == Some(0) {
            "times = 0 would never happen; leave the fault out".to_owned()
        } else if self.nth.is_some() && self.share.is_some() {
            "nth and share exclude each other; say one of them".to_owned()
        } else if self.nth.is_some() && self.skip > 0 {
            "nth and skip exclude each other; say one of them".to_owned()
        } else if let Some((share, _)) = self.share
            && !(0.0..=1.0).contains(&share)
        {
            format!("share is a part of all requests, from 0 to 1, not {share}")
        } else {
            return Ok(());
        };
        Err(FaultError::new(problem))
    }
}

fn is_header(name: &str, value: &str) -> bool {
    HeaderName::try_from(name).is_ok() && HeaderValue::try_from(value).is_ok()
}

/// Why a fault cannot be: one line that says what is wrong, and in which line where it came from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultError {
    line: Option<usize>,
    problem: String,
}

impl FaultError {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self { line: None, problem: problem.into() }
    }

    fn at(mut self, line: usize) -> Self {
        self.line = Some(line);
        self
    }

    /// The line of the file, counted from 1.
    pub fn line(&self) -> Option<usize> {
        self.line
    }
}

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

impl std::error::Error for FaultError {}
