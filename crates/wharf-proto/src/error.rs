//! The one public error: what failed, where, and why.

mod kind;

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::retry::retry_after;
use crate::{endpoint, escape, xml};

pub use kind::ErrorKind;
use kind::{hint_for, kind_of};

/// Any error, boxed.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// Why an S3 call failed.
///
/// One pointer wide. [`kind`](Error::kind) is for matching; `Display` is one line for people that names the operation,
/// the bucket and key, what went wrong, and S3's own code, status and request id where there was an answer. Neither
/// `Display` nor `Debug` ever contains a secret.
pub struct Error(Box<Inner>);

#[derive(Default)]
struct Inner {
    kind: ErrorKind,
    message: String,
    operation: Option<&'static str>,
    bucket: Option<String>,
    key: Option<String>,
    part_number: Option<u32>,
    maybe_ours: bool,
    code: Option<String>,
    status: Option<StatusCode>,
    request_id: Option<String>,
    host_id: Option<String>,
    region: Option<String>,
    attempts: u32,
    retry_after: Option<Duration>,
    hint: Option<String>,
    cause: Option<BoxError>,
}

/// A 404 that says no more.
const NOT_FOUND: &str = "not found: no such object, or no such bucket";

impl Error {
    /// An error of `kind` with a sentence that says what is wrong.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), ..Inner::default() }))
    }

    /// An [`ErrorKind::InvalidInput`] error.
    pub fn invalid_input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    /// The error that a server's answer stands for. `body` may be empty, cut short, or not S3's XML at all.
    pub fn from_response(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Self {
        let document = xml::ErrorDocument::parse(body);
        let has_code = document.code.is_some();
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let code = document.code.or_else(|| header("x-amz-error-code")).map(|code| short(&code));
        let of_endpoint = || document.endpoint.as_deref().and_then(endpoint::region_of_host).map(str::to_owned);
        let region = header("x-amz-bucket-region").or(document.region).or_else(of_endpoint);
        let region = region.map(|region| short(&region));
        let kind = match kind_of(status, code.as_deref()) {
            // A HEAD has no body: the header is all that tells a wrong region from a malformed request.
            ErrorKind::MalformedResponse if body.is_empty() && status == StatusCode::BAD_REQUEST => {
                if region.is_some() { ErrorKind::WrongRegion } else { ErrorKind::InvalidInput }
            }
            // S3's answer to reading a delete marker by its version.
            ErrorKind::NotImplemented if headers.contains_key("x-amz-delete-marker") => ErrorKind::NoSuchVersion,
            kind => kind,
        };
        let message = match (kind, document.message) {
            (ErrorKind::NotFound, None) if body.is_empty() => NOT_FOUND.to_owned(),
            (ErrorKind::NotModified, _) => "not modified".to_owned(),
            (_, Some(message)) => match document.argument.filter(|argument| !message.contains(&**argument)) {
                Some(argument) => one_line(&format!("{message} ({argument})")),
                None => one_line(&message),
            },
            (_, None) if body.is_empty() => {
                header("x-amz-error-message").unwrap_or_else(|| reason(status).to_lowercase())
            }
            // Ceph sends a code alone.
            (_, None) if has_code => reason(status).to_lowercase(),
            (_, None) => format!("the answer is not S3's: {}", excerpt(body)),
        };
        let mut error = Self::new(kind, message);
        error.0.region = region;
        error.0.hint = match &error.0.region {
            Some(region) if kind == ErrorKind::WrongRegion => {
                Some(format!("the bucket is in {region}: set the client's region to it"))
            }
            _ if kind == ErrorKind::Server && status == StatusCode::SERVICE_UNAVAILABLE => {
                Some("the server is starting or overloaded: go on later".to_owned())
            }
            _ if code.is_none() && !body.is_empty() && matches!(status.as_u16(), 400 | 403..=405) => {
                Some("is the endpoint that of an S3 server? What answered is none".to_owned())
            }
            _ => hint_for(kind, code.as_deref()),
        };
        error.0.code = code;
        error.0.status = Some(status);
        error.0.request_id = header("x-amz-request-id").or(document.request_id).map(|id| short(&id));
        error.0.retry_after = retry_after(headers);
        error.0.host_id = header("x-amz-id-2").or(document.host_id).map(|id| short(&id));
        error
    }

    /// Says which bucket and key the call was about, where its operation is not known yet.
    pub(crate) fn in_place(mut self, bucket: Option<&str>, key: Option<&str>) -> Self {
        self.0.bucket = self.0.bucket.or_else(|| bucket.map(str::to_owned));
        self.0.key = self.0.key.or_else(|| key.map(str::to_owned));
        self
    }

    /// Says which operation failed, on which bucket and key.
    #[must_use]
    pub fn at(mut self, operation: &'static str, bucket: Option<&str>, key: Option<&str>) -> Self {
        self.0.operation = self.0.operation.or(Some(operation));
        if self.0.message == NOT_FOUND && bucket.is_some() && key.is_none() {
            self.0.message = "not found: no such bucket".to_owned();
            self.0.hint = self.0.hint.or_else(|| hint_for(ErrorKind::NoSuchBucket, None));
        }
        if self.kind() == ErrorKind::AccessDenied && self.0.code.is_none() && operation.starts_with("Head") {
            self.0
                .hint
                .get_or_insert_with(|| "the answer to a HEAD has no words: a GET or a listing says why".to_owned());
        }
        self.in_place(bucket, key)
    }

    /// Says which part of a multipart upload it is about.
    #[must_use]
    pub fn at_part(mut self, part_number: u32) -> Self {
        self.0.part_number = self.0.part_number.or(Some(part_number));
        self
    }

    /// Adds to the sentence what else the reader has to know, such as what became of the parts.
    #[must_use]
    pub fn with_note(mut self, note: impl fmt::Display) -> Self {
        // What servers say often ends with a full stop.
        let told = self.0.message.strip_suffix('.').unwrap_or(&self.0.message);
        self.0.message = format!("{told}; {note}");
        self
    }

    /// Says whether what stands there may be what this call wrote: see [`maybe_ours`](Error::maybe_ours).
    #[must_use]
    pub fn with_maybe_ours(mut self, maybe_ours: bool) -> Self {
        self.0.maybe_ours = maybe_ours;
        self
    }

    /// Adds what the reader can do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Says it in other words, keeping all else.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    /// Adds the cause. Its text belongs into the message; see [`Error::cause`].
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<BoxError>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Adds how many times the request was sent.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Adds the status, request id and host id of the answer in which the failure was found.
    #[must_use]
    pub fn with_answer(mut self, status: StatusCode, headers: &HeaderMap) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        self.0.status = self.0.status.or(Some(status));
        self.0.request_id = self.0.request_id.or_else(|| header("x-amz-request-id"));
        self.0.host_id = self.0.host_id.or_else(|| header("x-amz-id-2"));
        self
    }

    /// Turns the error into one of another kind, keeping all else.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The sentence alone, without operation, bucket, key and codes.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// S3's error code, such as `NoSuchKey`, where the server sent one.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The HTTP status, where there was an answer.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The server's id of the request (`x-amz-request-id`), for its support or logs.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The server's second id (`x-amz-id-2`).
    pub fn host_id(&self) -> Option<&str> {
        self.0.host_id.as_deref()
    }

    /// The region that the answer named, where it did.
    pub fn region(&self) -> Option<&str> {
        self.0.region.as_deref()
    }

    /// The S3 operation, such as `GetObject`.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// The bucket of the call.
    pub fn bucket(&self) -> Option<&str> {
        self.0.bucket.as_deref()
    }

    /// The key of the call.
    pub fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }

    /// The part of a multipart upload that it is about.
    pub fn part_number(&self) -> Option<u32> {
        self.0.part_number
    }

    /// Whether the write may have been carried out after all: an answer was lost, and nothing proves whose object stands
    /// there now. It may be this call's, or somebody else's; equal bytes tell nothing. A write with a
    /// write id (`Upload::write_id`) finds out.
    pub fn maybe_ours(&self) -> bool {
        self.0.maybe_ours
    }

    /// How many times the request was sent; 0 when it failed before.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// How long the server asked to be left alone, as its header `x-amz-retry-after` or `Retry-After` says.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What one can do about it, where that is known.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The cause, for downcasting. Its text is already part of `Display`, so it is not repeated as `source()`.
    pub fn cause(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.0.cause.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        match (inner.operation, &inner.bucket, &inner.key) {
            (Some(operation), Some(bucket), Some(key)) => {
                write!(f, "{operation} {}/{}: ", escape::name(bucket), escape::name(key))?
            }
            (Some(operation), Some(bucket), None) => write!(f, "{operation} {}: ", escape::name(bucket))?,
            (Some(operation), None, _) => write!(f, "{operation}: ")?,
            (None, ..) => {}
        }
        if let Some(number) = inner.part_number {
            write!(f, "part {number}: ")?;
        }
        // Names of files and keys stand in it.
        f.write_str(&escape::line(&inner.message))?;
        let mut details = Vec::new();
        details.extend(inner.code.clone());
        details.extend(inner.status.map(|status| format!("HTTP {}", status.as_u16())));
        details.extend(inner.request_id.as_ref().map(|id| format!("request {id}")));
        if inner.attempts > 1 {
            details.push(format!("{} attempts", inner.attempts));
        }
        if !details.is_empty() {
            write!(f, " ({})", details.join(", "))?;
        }
        Ok(())
    }
}

/// The line of `Display` and the hint, so that `fn main() -> Result<(), wharf::Error>` prints something useful.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} [{:?}]", self.0.kind)?;
        match &self.0.hint {
            Some(hint) => write!(f, "\nhint: {}", escape::line(hint)),
            None => Ok(()),
        }
    }
}

impl StdError for Error {}

fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("unexpected status")
}

/// Text from a server as part of a line: white space folded, and left out what could do something to the line.
pub(crate) fn one_line(text: &str) -> String {
    let visible: String = text.chars().map(|c| if escape::is_harmful(c) { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A code or an id: no server's is longer than this.
fn short(text: &str) -> String {
    one_line(text).chars().take(128).collect()
}

/// The visible text at the start of an answer that is not S3's, such as an HTML error page's title.
fn excerpt(body: &[u8]) -> String {
    const MAX_CHARS: usize = 80;
    let text = String::from_utf8_lossy(&body[..body.len().min(4096)]);
    let mut visible = String::new();
    let mut in_tag = false;
    for c in text.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                visible.push(' ');
            }
            _ if !in_tag => visible.push(c),
            _ => {}
        }
    }
    let visible = one_line(&visible);
    match visible.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("\"{}...\"", &visible[..end]),
        None => format!("\"{visible}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_without_a_message_is_still_s3s() {
        let body = Bytes::from_static(b"<Error><Code>NoSuchKey</Code><Message></Message><HostId>a</HostId></Error>");
        let error = Error::from_response(StatusCode::NOT_FOUND, &HeaderMap::new(), &body);
        assert_eq!(error.to_string(), "not found (NoSuchKey, HTTP 404)");
    }

    #[test]
    fn a_note_follows_a_sentence_of_the_server() {
        let told = Error::invalid_input("Slow down.").with_note("the upload was kept").with_note("try again");
        assert_eq!(told.message(), "Slow down; the upload was kept; try again");
    }

    fn error(status: u16, headers: &[(&'static str, &'static str)], body: &'static str) -> Error {
        let headers = headers
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), http::HeaderValue::from_static(value)));
        let status = StatusCode::from_u16(status).unwrap();
        Error::from_response(status, &headers.collect(), &Bytes::from_static(body.as_bytes()))
    }

    #[test]
    fn a_head_without_a_body_is_told_apart_by_its_headers() {
        let elsewhere = error(400, &[("x-amz-bucket-region", "eu-west-1")], "");
        assert_eq!(elsewhere.kind(), ErrorKind::WrongRegion);
        assert_eq!(elsewhere.hint(), Some("the bucket is in eu-west-1: set the client's region to it"));
        assert_eq!(error(400, &[], "").kind(), ErrorKind::InvalidInput);
        assert_eq!(error(405, &[("x-amz-delete-marker", "true")], "").kind(), ErrorKind::NoSuchVersion);
        assert_eq!(error(405, &[], "").kind(), ErrorKind::NotImplemented);
    }

    #[test]
    fn what_helps_is_said() {
        let hinted = |status, code: &str| {
            let body = Bytes::from(format!("<Error><Code>{code}</Code></Error>"));
            let error = Error::from_response(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), &body);
            error.hint().unwrap_or_default().to_owned()
        };
        assert_eq!(hinted(404, "NoSuchBucket"), "check the bucket's name, and that the endpoint is the one it is on");
        assert!(hinted(400, "InvalidToken").starts_with("the session token is not one of this server"));
        assert!(hinted(400, "BadDigest").starts_with("make the call again: "));
        let head = error(403, &[], "").at("HeadObject", Some("my-bucket"), Some("a"));
        assert_eq!(head.hint(), Some("the answer to a HEAD has no words: a GET or a listing says why"));
        let bucket = error(404, &[], "").at("HeadBucket", Some("my-bucket"), None);
        assert_eq!(bucket.hint(), Some("check the bucket's name, and that the endpoint is the one it is on"));
        let page = error(404, &[], "<html>Not here</html>");
        assert_eq!(page.hint(), Some("is the endpoint that of an S3 server? What answered is none"));
        assert_eq!(hinted(503, "SlowDown"), "send fewer requests at a time, or go on later");
        assert_eq!(hinted(503, "ServiceUnavailable"), "the server is starting or overloaded: go on later");
        assert_eq!(error(503, &[], "").hint(), Some("the server is starting or overloaded: go on later"));
        assert_eq!((hinted(500, "InternalError"), hinted(404, "NoSuchKey")), (String::new(), String::new()));
    }

    #[test]
    fn what_a_server_writes_stays_on_one_line() {
        let hostile =
            "<Error><Code>A\nB\u{1b}[31m</Code><Message>m \u{1b}[2J\r\nn</Message><RequestId>x\ny</RequestId></Error>";
        assert_eq!(error(400, &[], hostile).to_string(), "m [2J n (A B [31m, HTTP 400, request x y)");
        let turned = "<Error><Code>A\u{202e}B</Code><Message>m\u{2028}n</Message></Error>";
        assert_eq!(error(400, &[], turned).to_string(), "m n (A B, HTTP 400)");
    }

    #[test]
    fn no_name_makes_a_second_line_of_an_error() {
        let error = Error::invalid_input("a\n/b\u{1b}[2J leads out of the folder").with_hint("name it\notherwise");
        assert_eq!(error.to_string(), "a\\n/b\\u{1b}[2J leads out of the folder");
        let error = error.at("sync", Some("my-bucket"), Some("a\n/b"));
        assert_eq!(error.to_string(), "sync my-bucket/a\\n/b: a\\n/b\\u{1b}[2J leads out of the folder");
        assert_eq!(format!("{error:?}").lines().count(), 2, "{error:?}");
        // Nor is taken for another.
        let said = |key| Error::invalid_input("no").at("Get", Some("my-bucket"), Some(key)).to_string();
        assert_eq!(said("it's\\nb\u{202e}"), "Get my-bucket/it's\\\\nb\\u{202e}: no");
    }

    #[test]
    fn all_that_retries_call_throttling_is_one_kind() {
        for code in ["SlowDown", "SlowDownRead", "BandwidthLimitExceeded", "RequestLimitExceeded", "TooManyRequests"] {
            let answer = Error::from_response(
                StatusCode::SERVICE_UNAVAILABLE,
                &HeaderMap::new(),
                &Bytes::from(format!("<Error><Code>{code}</Code></Error>")),
            );
            assert_eq!(answer.kind(), ErrorKind::SlowDown, "{code}");
        }
        assert_eq!(error(429, &[], "").kind(), ErrorKind::SlowDown);
    }
}
