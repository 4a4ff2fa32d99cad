//! The only place that prints.

use std::fmt::Display;
use std::io::{self, BufWriter, StdoutLock, Write};

use crate::error::{Exit, Failure};

/// How much is gathered before it is written: a listing is many short lines.
const BUFFER: usize = 64 * 1024;

/// Writes results to standard output and all else to standard error.
///
/// What cannot be written to standard output is a [`Failure`], so that a full disk never ends as a success. Where
/// standard error is closed nobody can be told, and that is no failure.
pub(crate) struct Printer {
    out: BufWriter<StdoutLock<'static>>,
}

impl Printer {
    pub(crate) fn new() -> Self {
        Self { out: BufWriter::with_capacity(BUFFER, io::stdout().lock()) }
    }

    /// A result, as a line.
    pub(crate) fn line(&mut self, line: impl Display) -> Result<(), Failure> {
        writeln!(self.out, "{line}").map_err(unwritable)
    }

    /// A result, as bytes.
    pub(crate) fn data(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes).map_err(unwritable)
    }

    /// Hands over what was printed so far.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(unwritable)
    }

    /// A line for people, beside the results.
    pub(crate) fn note(&mut self, line: impl Display) {
        let _ = writeln!(io::stderr(), "{line}");
    }

    /// Says what went wrong, after what was printed before it.
    pub(crate) fn failure(&mut self, failure: &Failure) {
        let _ = self.out.flush();
        if matches!(failure, Failure::Told { .. }) {
            self.note(failure);
        }
    }

    /// The end: how the command exits.
    pub(crate) fn finish(&mut self, outcome: Result<Exit, Failure>) -> Exit {
        match outcome.and_then(|exit| self.flush().map(|()| exit)) {
            Ok(exit) => exit,
            Err(failure) => {
                self.failure(&failure);
                failure.exit()
            }
        }
    }
}

fn unwritable(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::ReaderGone,
        _ => Failure::new(Exit::Other, format!("standard output cannot be written to: {error}")),
    }
}
