//! How a check says what it expected and what came instead.

use std::fmt;
use std::panic::Location;

use wharf::{Error, ErrorKind};

/// What a check comes to.
pub type Outcome = Result<(), Failure>;

/// Why a check failed: one line, and where in the check it was found.
pub struct Failure {
    text: String,
    at: &'static Location<'static>,
}

impl Failure {
    /// A failure with a line that says what was found.
    #[track_caller]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), at: Location::caller() }
    }

    /// The line alone.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.at.file().rsplit('/').next().unwrap_or_default();
        write!(f, "{} ({file}:{})", self.text, self.at.line())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Error> for Failure {
    #[track_caller]
    fn from(error: Error) -> Self {
        Self::new(format!("{:?}: {error}", error.kind()))
    }
}

impl From<std::io::Error> for Failure {
    #[track_caller]
    fn from(error: std::io::Error) -> Self {
        Self::new(format!("i/o: {error}"))
    }
}

/// `got` must be `wanted`.
#[track_caller]
pub(crate) fn equal<A: PartialEq<B> + fmt::Debug, B: fmt::Debug>(what: &str, got: A, wanted: B) -> Outcome {
    if got == wanted {
        return Ok(());
    }
    Err(Failure::new(format!("{what}: got {}, not {}", brief(&got), brief(&wanted))))
}

/// The sentence must hold.
#[track_caller]
pub(crate) fn holds(sentence: &str, does: bool) -> Outcome {
    if does { Ok(()) } else { Err(Failure::new(format!("not so: {sentence}"))) }
}

/// There must be a value.
#[track_caller]
pub(crate) fn some<T>(what: &str, value: Option<T>) -> Result<T, Failure> {
    value.ok_or_else(|| Failure::new(format!("{what}: missing")))
}

/// The call must succeed.
#[track_caller]
pub(crate) fn taken<T>(what: &str, result: Result<T, Error>) -> Result<T, Failure> {
    result.map_err(|error| Failure::new(format!("{what}: {:?}: {error}", error.kind())))
}

/// The call must fail with one of these kinds.
#[track_caller]
pub(crate) fn refused<T>(what: &str, result: Result<T, Error>, kinds: &[ErrorKind]) -> Result<Error, Failure> {
    match result {
        Ok(_) => Err(Failure::new(format!("{what}: succeeded, wanted {}", names(kinds)))),
        Err(error) if kinds.contains(&error.kind()) => Ok(error),
        Err(error) => Err(Failure::new(format!("{what}: wanted {}, got {:?}: {error}", names(kinds), error.kind()))),
    }
}

fn names(kinds: &[ErrorKind]) -> String {
    kinds.iter().map(|kind| format!("{kind:?}")).collect::<Vec<_>>().join(" or ")
}

/// Bodies can be megabytes.
fn brief(value: &impl fmt::Debug) -> String {
    const MOST: usize = 300;
    let text = format!("{value:?}");
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}... ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}
