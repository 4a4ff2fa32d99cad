//! The only place that prints.

use std::fmt::{self, Display};
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use serde::Serialize;
use wharf::proto::escape;

use crate::error::{Exit, Failure, HINT};
use crate::globals::Output;
use crate::message::{Message, Warning};
use crate::progress::Bar;

/// How much is gathered before it is written: a listing is many short lines.
const BUFFER: usize = 64 * 1024;

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Loudness {
    /// Nothing: the exit code tells. Only what kept the command from beginning is said.
    Quiet,
    /// What went wrong.
    OnlyErrors,
    /// Everything.
    Everything,
}

/// Writes results to standard output and all else to standard error.
///
/// What cannot be written to standard output is a [`Failure`], so that a full disk never ends as a success. Where
/// standard error is closed nobody can be told, and that is no failure.
pub(crate) struct Printer {
    out: BufWriter<Stdout>,
    json: bool,
    loudness: Loudness,
    /// What has to make room for every line.
    bar: Option<Bar>,
    wants_bar: bool,
    wants_results: bool,
    /// Whether every line is written at once and whole: others write as well.
    by_line: bool,
    /// Whether what is done matters, and not what is told of it.
    goes_on: bool,
    /// Whether results are read by a terminal, which obeys control characters.
    to_terminal: bool,
    /// The hint of the last line beside the results.
    hint: String,
    /// Which line of a list it is for.
    of_line: Option<usize>,
}

/// What a line of a list has to say.
#[derive(Serialize)]
struct OfLine<'a, M> {
    #[serde(flatten)]
    message: &'a M,
    line: usize,
}

impl<M: fmt::Display> fmt::Display for OfLine<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl Printer {
    pub(crate) fn new() -> Self {
        let out = BufWriter::with_capacity(BUFFER, io::stdout());
        Self {
            out,
            json: false,
            loudness: Loudness::Everything,
            bar: None,
            wants_bar: true,
            wants_results: true,
            by_line: false,
            goes_on: false,
            to_terminal: io::stdout().is_terminal(),
            hint: String::new(),
            of_line: None,
        }
    }

    /// One for the command of that line of a list, beside others, whose lines do not mix with its own.
    pub(crate) fn of_line(&self, number: usize) -> Self {
        let of_line = Some(number);
        Self { json: self.json, loudness: self.loudness, wants_bar: false, by_line: true, of_line, ..Self::new() }
    }

    /// One with a bar, terminal or not.
    #[cfg(test)]
    pub(crate) fn with_bar(bar: Bar) -> Self {
        Self { bar: Some(bar), ..Self::new() }
    }

    /// What the options ask for.
    pub(crate) fn set(&mut self, output: &Output) {
        self.json |= output.json;
        if output.quiet {
            self.loudness = Loudness::Quiet;
        }
    }

    /// Tells less from now on, never more.
    pub(crate) fn at_most(&mut self, loudness: Loudness) {
        self.loudness = self.loudness.min(loudness);
    }

    pub(crate) fn without_bar(&mut self) {
        self.wants_bar = false;
    }

    pub(crate) fn without_results(&mut self) {
        self.wants_results = false;
    }

    /// For what changes something: a reader who leaves is no reason to stop.
    pub(crate) fn outlive_reader(&mut self) {
        self.goes_on = true;
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// A bar at the bottom of the terminal, where there is one and somebody wants to see it.
    pub(crate) fn show(&mut self, bar: impl FnOnce() -> Bar) {
        let is_wanted = self.wants_bar && !self.json && self.loudness == Loudness::Everything;
        if is_wanted && io::stderr().is_terminal() {
            self.bar = Some(bar());
        }
    }

    pub(crate) fn bar(&self) -> Option<&Bar> {
        self.bar.as_ref()
    }

    /// Tells the bar how far it is.
    pub(crate) fn update(&mut self, tell: impl FnOnce(&mut Bar)) {
        if let Some(bar) = &mut self.bar {
            tell(bar);
        }
    }

    /// Takes the bar away.
    pub(crate) fn hide(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.clear();
        }
    }

    /// A result.
    pub(crate) fn say(&mut self, message: &impl Message) -> Result<(), Failure> {
        if self.loudness < Loudness::Everything || !self.wants_results {
            return Ok(());
        }
        match self.result(message) {
            Err(Failure::ReaderGone) if self.goes_on => {
                self.at_most(Loudness::OnlyErrors);
                Ok(())
            }
            said => said,
        }
    }

    fn result(&mut self, message: &impl Message) -> Result<(), Failure> {
        if self.json {
            return match self.of_line {
                Some(line) => self.line(json(&OfLine { message, line })),
                None => self.line(json(message)),
            };
        }
        if !self.to_terminal {
            return self.line(message);
        }
        let (out, line) = (&mut self.out, harmless(message));
        match &self.bar {
            // The terminal takes both: the line must be out before the bar is drawn again.
            Some(bar) => bar.suspend(|| writeln!(out, "{line}").and_then(|()| out.flush())).map_err(unwritable),
            None => self.line(line),
        }
    }

    /// Text that is the same for people and for programs.
    pub(crate) fn line(&mut self, line: impl Display) -> Result<(), Failure> {
        writeln!(self.out, "{line}").map_err(unwritable)?;
        if self.by_line { self.flush() } else { Ok(()) }
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
        if self.loudness == Loudness::Everything {
            match self.of_line {
                Some(number) => self.error_line(format_args!("line {number}: {line}")),
                None => self.error_line(line),
            }
        }
    }

    /// A message beside the results.
    pub(crate) fn remark(&mut self, message: &impl Message) {
        if self.loudness == Loudness::Everything {
            self.beside(message);
        }
    }

    /// What somebody should know, and what ends no command.
    pub(crate) fn warn(&mut self, warning: &Warning) {
        self.problem(warning);
    }

    /// What went wrong with one of many things.
    pub(crate) fn problem(&mut self, message: &impl Message) {
        if self.loudness > Loudness::Quiet {
            let _ = self.out.flush();
            self.beside(message);
        }
    }

    fn beside(&mut self, message: &impl Message) {
        match self.of_line.map(|line| OfLine { message, line }) {
            Some(of_line) if self.json => self.error_line(json(&of_line)),
            Some(of_line) => self.error_line(of_line),
            None if self.json => self.error_line(json(message)),
            None => self.error_line(message),
        }
    }

    /// Says what ended the command or a part of it, after what was printed before it.
    pub(crate) fn failure(&mut self, failure: Failure) {
        let _ = self.out.flush();
        let failure = match self.of_line {
            Some(number) => failure.of_line(number),
            None => failure,
        };
        let failure = failure.without_signatures();
        let Failure::Told(told) = &failure else { return };
        let began = !matches!(told.exit, Exit::Usage | Exit::Configuration);
        match self.json {
            _ if began && self.loudness == Loudness::Quiet => {}
            true => self.error_line(json(told)),
            false => self.error_line(failure),
        }
    }

    /// The end of what has this outcome, once all of it is handed over.
    pub(crate) fn end(&mut self, outcome: Result<Exit, Failure>) -> Result<Exit, Failure> {
        match self.flush() {
            Err(failure @ Failure::Told(_)) => outcome.and(Err(failure)),
            // All is done, and how it went is known without a reader.
            _ => outcome,
        }
    }

    /// The same: how the command exits.
    pub(crate) fn finish(&mut self, outcome: Result<Exit, Failure>) -> Exit {
        self.hide();
        match self.end(outcome) {
            Ok(exit) => exit,
            Err(failure) => {
                let exit = failure.exit();
                self.failure(failure);
                exit
            }
        }
    }

    fn error_line(&mut self, line: impl Display) {
        let mut line = line.to_string();
        // Of many things in a row that fail alike, the first says what to do.
        let at = line.rfind(HINT).unwrap_or(line.len());
        let hint = line.split_off(at);
        if hint != self.hint {
            line.push_str(&hint);
            self.hint = hint;
        }
        let line = if io::stderr().is_terminal() { harmless(line) } else { line };
        let write = || {
            let _ = writeln!(io::stderr(), "{line}");
        };
        self.bar.as_ref().map_or_else(write, |bar| bar.suspend(write));
    }
}

/// The lines as a terminal may have them: names of objects are somebody else's, and a control character in one could paint
/// over what stands there.
fn harmless(lines: impl Display) -> String {
    let lines = lines.to_string();
    lines.split('\n').map(escape::line).collect::<Vec<_>>().join("\n")
}

fn json(message: &impl Message) -> String {
    // Maps with keys that are no strings are all that could fail, and no message has any.
    serde_json::to_string(message).unwrap_or_default()
}

fn unwritable(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::ReaderGone,
        _ => Failure::new(Exit::Other, format!("standard output cannot be written to: {error}")),
    }
}
