//! What goes wrong, and how it exits.

mod terms;

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;
use wharf::ErrorKind;
use wharf::proto::escape;

pub(crate) use self::terms::by_option;
use self::terms::{SAY_REGION, hint};
use crate::signals::Signal;
use crate::transfer::place::Locally;
use crate::url::{self, Shown};

/// How the command ends. The numbers are aws-cli's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Exit {
    /// All is done.
    Done = 0,
    /// Of several things one failed, or nothing was found.
    Failed = 1,
    /// Nothing failed, and something was skipped.
    Skipped = 2,
    /// Somebody pressed Ctrl-C.
    Interrupted = 130,
    /// Another program ended it, by SIGTERM.
    Terminated = 143,
    /// What was typed cannot be carried out.
    Usage = 252,
    /// The environment, the AWS files or the options do not make a client.
    Configuration = 253,
    /// The server answered with an error.
    Service = 254,
    /// Anything else: no connection, a full disk.
    Other = 255,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a verb stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Whoever read our output has gone (`wharf cat ... | head`): it has all it wanted, so this is no error.
    ReaderGone,
    /// Something to be told: in one line, with a hint apart from it.
    Told(Box<Told>),
}

/// What is told of a failure. As JSON it is `{"type":"error",...}`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename = "error")]
pub(crate) struct Told {
    #[serde(skip)]
    pub(crate) exit: Exit,
    #[serde(skip)]
    kind: Option<ErrorKind>,
    #[serde(skip)]
    maybe_ours: bool,
    pub(crate) message: String,
    /// The message without the place that a request was about, for who tells that beside it.
    #[serde(skip)]
    brief: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
    /// S3's code, such as `NoSuchKey`.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// What the request was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
    /// The line of `run` that asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self::Told(Box::new(Told {
            exit,
            kind: None,
            maybe_ours: false,
            message: message.into(),
            brief: None,
            hint: None,
            code: None,
            status: None,
            request_id: None,
            source: None,
            line: None,
        }))
    }

    /// What was named is not in a bucket: the same words and exit code for all verbs.
    pub(crate) fn not_there(bucket: &str, key: &str) -> Self {
        let shown = Shown(bucket, key);
        let failure = Self::new(Exit::Failed, format!("{NOT_THERE}: {}", shown.in_error()));
        failure.hint(look_for(bucket, key)).about(shown.to_string())
    }

    /// The same where everything under it was meant.
    pub(crate) fn nothing_under(bucket: &str, key: &str) -> Self {
        let hint = format!("{}; one object goes without --recursive", look_for(bucket, key));
        Self::not_there(bucket, key).hint(hint)
    }

    /// The same where a pattern was named.
    pub(crate) fn nothing_fits(bucket: &str, pattern: &str) -> Self {
        Self::not_there(bucket, pattern).hint(RAW)
    }

    /// An error of a request for an object: where there is none, it is said as in [`Failure::not_there`].
    pub(crate) fn of_object(error: wharf::Error, bucket: &str, key: &str) -> Self {
        let mut failure = Self::from(error);
        if failure.is_not_there()
            && let (Self::Told(told), Self::Told(words)) = (&mut failure, Self::not_there(bucket, key))
        {
            let (code, status, request_id) = (told.code.take(), told.status, told.request_id.take());
            **told = Told { code, status, request_id, kind: told.kind, ..*words };
        }
        failure
    }

    /// The same of something that is told with its source. After `s3` the server's words stay.
    pub(crate) fn of_source(mut self, source: &str, is_aws: bool) -> Self {
        // Of an upload it is something else that the server does not know.
        let is_not_there = self.is_not_there() && source.starts_with("s3://");
        if let Self::Told(told) = &mut self
            && is_not_there
        {
            if !is_aws {
                (told.message, told.brief) = (NOT_THERE.to_owned(), None);
            }
            told.hint = Some(format!("{}; --recursive takes all that is under a prefix", look_beside(source)));
        }
        self
    }

    /// Whether S3 says that there is no such object.
    pub(crate) fn is_not_there(&self) -> bool {
        matches!(self, Self::Told(told) if told.kind.is_some_and(|kind| says_absent(kind, &told.message)))
    }

    /// The same, about this.
    fn about(mut self, what: String) -> Self {
        if let Self::Told(told) = &mut self {
            told.source = Some(what);
        }
        self
    }

    /// The same of a command among many.
    pub(crate) fn of_line(mut self, number: usize) -> Self {
        if let Self::Told(told) = &mut self {
            told.line = Some(number);
        }
        self
    }

    /// A source that is not there, in aws-cli's words.
    pub(crate) fn missing(path: &Path) -> Self {
        let shown = path.display().to_string();
        let shown = url::without_secrets(&shown);
        let failure = Self::new(Exit::Other, format!("The user-provided path {shown} does not exist."));
        let failure = failure.about(url::without_secrets(&Locally::new().shown(path)).into_owned());
        match path.to_str().map(|text| (url::meant(text), text)) {
            Some((Some(meant), _)) => failure.hint(meant),
            Some((None, text)) if text.contains(['*', '?']) => {
                failure.hint("no file is called so, and patterns are the shell's; or say FOLDER --recursive --exclude '*' --include 'PATTERN'")
            }
            _ => failure,
        }
    }

    pub(crate) fn interrupted(signal: Signal) -> Self {
        Self::new(signal.exit(), format!("cancelled: {} received", signal.name()))
    }

    /// Nothing more was begun, for all else would have failed as well.
    pub(crate) fn away(server: &str) -> Self {
        let failure = Self::new(Exit::Failed, format!("stopped, for {server} serves nothing any more"));
        failure.hint("what has no line was left")
    }

    /// The same of a transfer. `again`: what the same command does then.
    pub(crate) fn interrupted_transfer(signal: Signal, again: &str) -> Self {
        Self::interrupted(signal).hint(again)
    }

    /// What a transfer that was cancelled could not undo.
    pub(crate) fn left(error: wharf::Error) -> Self {
        let is_upload = error.operation() == Some("AbortMultipartUpload");
        let failure = Self::from(error).of("cancelled, and not all of it could be undone:");
        if is_upload { failure.hint(LEFT_UPLOADS) } else { failure }
    }

    pub(crate) fn is_interrupted(&self) -> bool {
        matches!(self.exit(), Exit::Interrupted | Exit::Terminated)
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// The same without what signs a link that it quotes.
    pub(crate) fn without_signatures(mut self) -> Self {
        if let Self::Told(told) = &mut self {
            for text in [Some(&mut told.message), told.brief.as_mut(), told.hint.as_mut()].into_iter().flatten() {
                *text = url::without_signatures(text);
            }
        }
        self
    }

    /// The same of a verb that does many things: that the server refused or was not reached is one of them that failed, as with
    /// aws-cli.
    pub(crate) fn of_many(self) -> Self {
        let is_one = match &self {
            Self::Told(told) => told.kind.is_some() && matches!(told.exit, Exit::Service | Exit::Other),
            Self::ReaderGone => false,
        };
        if is_one { self.exits(Exit::Failed) } else { self }
    }

    /// Adds what the reader can do about it.
    pub(crate) fn hint(mut self, text: impl Into<String>) -> Self {
        if let Self::Told(told) = &mut self {
            told.hint = Some(text.into());
        }
        self
    }

    /// The same, with another exit code, but for what has no usable configuration.
    pub(crate) fn exits(mut self, code: Exit) -> Self {
        if let Self::Told(told) = &mut self
            && told.exit != Exit::Configuration
        {
            told.exit = code;
        }
        self
    }

    /// The same, with this before its message.
    pub(crate) fn of(mut self, what: impl fmt::Display) -> Self {
        if let Self::Told(told) = &mut self {
            told.message = format!("{what} {}", told.message);
            told.brief = told.brief.take().map(|brief| format!("{what} {brief}"));
        }
        self
    }

    /// The same of what failed, such as `delete failed: s3://bucket/key`; after `s3` in aws-cli's form, which names it twice.
    pub(crate) fn of_failed(self, what: impl fmt::Display, is_aws: bool) -> Self {
        match self {
            Self::Told(told) if !is_aws => {
                let message = format!("{what}: {}", told.brief.as_ref().unwrap_or(&told.message));
                Self::Told(Box::new(Told { message, brief: None, ..*told }))
            }
            failure => failure.of(what),
        }
    }

    /// Whether the library failed for this reason.
    pub(crate) fn is(&self, kind: ErrorKind) -> bool {
        matches!(self, Self::Told(told) if told.kind == Some(kind))
    }

    /// Whether the write that failed may have been carried out all the same.
    pub(crate) fn maybe_ours(&self) -> bool {
        matches!(self, Self::Told(told) if told.maybe_ours)
    }

    /// Whether nothing came of S3: no answer, or that of a gateway.
    pub(crate) fn is_unheard(&self) -> bool {
        match self {
            Self::Told(told) => match told.kind {
                Some(ErrorKind::Transport | ErrorKind::Timeout) => told.status.is_none(),
                Some(ErrorKind::Server) => told.code.is_none(),
                _ => false,
            },
            Self::ReaderGone => false,
        }
    }

    /// Whether nobody said which region is meant.
    pub(crate) fn is_missing_region(&self) -> bool {
        self.is(ErrorKind::InvalidInput) && matches!(self, Self::Told(told) if told.hint.as_deref() == Some(SAY_REGION))
    }

    /// How the command ends because of it.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::ReaderGone => Exit::Done,
            Self::Told(told) => told.exit,
        }
    }
}

/// The lines for standard error; none where nobody need be told.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReaderGone => Ok(()),
            Self::Told(told) => {
                f.write_str("wharf: ")?;
                told.line.map_or(Ok(()), |line| write!(f, "line {line}: "))?;
                write!(f, "{told}")
            }
        }
    }
}

/// The message, and the hint in a line of its own.
impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.in_words(f, &self.message)
    }
}

impl Told {
    /// In few words, where the request was about one of these places, which are told beside it.
    pub(crate) fn briefly(&self, places: [Option<&String>; 2]) -> String {
        let is_told = places.contains(&self.source.as_ref());
        self.brief.as_ref().filter(|_| is_told).unwrap_or(&self.message).clone()
    }

    /// These words, and the hint.
    pub(crate) fn in_words(&self, f: &mut fmt::Formatter<'_>, words: &str) -> fmt::Result {
        f.write_str(&escape::line(words))?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "{HINT}{}", escape::line(hint)))
    }
}

impl From<wharf::Error> for Failure {
    fn from(error: wharf::Error) -> Self {
        let exit = match error.kind() {
            ErrorKind::NoCredentials => Exit::Configuration,
            _ if error.status().is_some() => Exit::Service,
            ErrorKind::InvalidInput => Exit::Usage,
            _ => Exit::Other,
        };
        Self::Told(Box::new(Told {
            exit,
            kind: Some(error.kind()),
            maybe_ours: error.maybe_ours(),
            message: by_option(&error.to_string()),
            brief: brief(&error).map(|text| by_option(&text)),
            hint: hint(&error),
            code: error.code().map(str::to_owned),
            status: error.status().map(|status| status.as_u16()),
            request_id: error.request_id().map(str::to_owned),
            source: error.bucket().map(|bucket| match error.key() {
                Some(key) => Shown(bucket, key).to_string(),
                None => format!("s3://{bucket}"),
            }),
            line: None,
        }))
    }
}

/// An error without the place that its request was about. What a whole transfer is called (`download`) goes as well.
fn brief(error: &wharf::Error) -> Option<String> {
    let (operation, mut place) = (error.operation()?, escape::name(error.bucket()?).into_owned());
    if let Some(key) = error.key() {
        place = format!("{place}/{}", escape::name(key));
    }
    let text = error.to_string();
    let rest = text.strip_prefix(&format!("{operation} {place}: "))?;
    let is_request = operation.starts_with(char::is_uppercase);
    Some(if is_request { format!("{operation}: {rest}") } else { rest.to_owned() })
}

const NOT_THERE: &str = "nothing is there";

const SLASH: &str = "leave out the slash at the beginning of the key";

/// What a hint begins with, in a line of its own.
pub(crate) const HINT: &str = "\nhint: ";

/// How to find uploads that nobody completes.
pub(crate) const LEFT_UPLOADS: &str = "`wharf rm URL --incomplete --dryrun` shows uploads that are left over";

/// What the same command does that was interrupted.
pub(crate) const GOES_ON: &str = "the same command goes on where it stopped";
pub(crate) const GOES_ON_IF_LARGE: &str = "the same command goes on where it stopped, unless the file is small";
pub(crate) const BEGINS_ANEW: &str = "the same command begins anew";

/// What is a pattern, and how it is none.
pub(crate) const RAW: &str = "only * and ? are wild; --raw takes them as they are";

/// How to choose where a whole prefix is named.
pub(crate) const CHOOSE: &str = "--exclude '*' --include 'PATTERN' chooses; --raw takes * and ? as they are";

/// How to find what was meant where a key is not there.
fn look_for(bucket: &str, key: &str) -> String {
    if key.starts_with('/') { SLASH.to_owned() } else { look_beside(&Shown(bucket, key).to_string()) }
}

/// Whether S3 says that there is no such object.
pub(crate) fn is_absent(error: &wharf::Error) -> bool {
    says_absent(error.kind(), error.message())
}

fn says_absent(kind: ErrorKind, message: &str) -> bool {
    // What is no S3 server says 404 of everything.
    kind == ErrorKind::NoSuchKey || kind == ErrorKind::NotFound && !message.contains("the answer is not S3's")
}

/// How to see what is there where `url` is not.
fn look_beside(url: &str) -> String {
    let parent = url.trim_end_matches('/').rfind('/').map_or(url, |slash| &url[..=slash]);
    format!("`wharf ls {parent}` shows what is")
}

#[cfg(test)]
mod tests {
    use super::terms::BY_OPTION;
    use super::*;

    #[test]
    fn only_of_a_source_in_s3_it_is_said_that_it_is_not_there() {
        let told = |source, is_aws| {
            let error = wharf::Error::new(ErrorKind::NoSuchKey, "the server's words");
            Failure::from(error).of_source(source, is_aws).to_string()
        };
        let hint = "\nhint: `wharf ls s3://b/` shows what is; --recursive takes all that is under a prefix";
        assert_eq!(told("s3://b/k", false), format!("wharf: {NOT_THERE}{hint}"));
        assert_eq!(told("s3://b/k", true), format!("wharf: the server's words{hint}"));
        let gateways = "the answer is not S3's: no such page";
        assert!(is_absent(&wharf::Error::new(ErrorKind::NotFound, "Not Found")));
        assert!(!is_absent(&wharf::Error::new(ErrorKind::NotFound, gateways)));
        for is_aws in [false, true] {
            assert_eq!(told("./k", is_aws), "wharf: the server's words");
        }
    }

    #[test]
    fn an_error_of_the_library_has_its_code_and_hint() {
        let cases = [
            (wharf::Error::invalid_input("no"), Exit::Usage, "wharf: no"),
            (wharf::Error::new(ErrorKind::Transport, "refused"), Exit::Other, "wharf: refused"),
            (
                wharf::Error::new(ErrorKind::NoCredentials, "no keys").with_hint(BY_OPTION[0].0),
                Exit::Configuration,
                "wharf: no keys\nhint: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile with \
                 --profile, or read what is public with --no-sign-request; `wharf whoami` shows what is set",
            ),
            (
                wharf::Error::new(ErrorKind::WrongRegion, "moved").with_hint("set the client's region"),
                Exit::Other,
                "wharf: moved\nhint: say the bucket's region with --region",
            ),
            (
                wharf::Error::new(ErrorKind::Transport, "TLS").with_hint(BY_OPTION[2].0),
                Exit::Other,
                "wharf: TLS\nhint: name the file of the certificate with --ca-bundle, or put it into the system's store",
            ),
        ];
        for (error, exit, text) in cases {
            let failure = Failure::from(error);
            assert_eq!((failure.exit(), failure.to_string().as_str()), (exit, text));
        }
    }
}
