//! The bar at the bottom of the terminal.

use std::fmt;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// How often it is drawn, at most.
const PER_SECOND: u8 = 10;

/// Bytes, rate, files and time left; a count, for what has no bytes.
pub(crate) struct Bar {
    bar: ProgressBar,
    style: Option<ProgressStyle>,
    /// What stands beside the numbers.
    message: String,
    /// Whether it has given its place to what is waited for.
    waits: bool,
    /// Files that are done, and all that are known of.
    files: (u64, u64),
}

impl Bar {
    /// For what moves bytes, of which more and more are known.
    pub(crate) fn bytes() -> Self {
        Self::with("{bar:24} {bytes}/{total_bytes}  {binary_bytes_per_sec}  {msg}  {eta} left")
    }

    /// For bytes of which nobody knows how many will come.
    pub(crate) fn stream() -> Self {
        Self::with("{spinner} {bytes}  {binary_bytes_per_sec}  {elapsed}")
    }

    /// For a listing: how many there are so far.
    pub(crate) fn count(what: &'static str) -> Self {
        let mut bar = Self::with("{spinner} {human_pos} {msg}  {rate}");
        bar.says(what.to_owned());
        bar
    }

    fn with(template: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(PER_SECOND));
        let style = ProgressStyle::with_template(template).ok();
        let style = style.map(|style| style.progress_chars("=> ").with_key("rate", rate));
        if let Some(style) = style.clone() {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, style, message: String::new(), waits: false, files: (0, 0) }
    }

    fn says(&mut self, message: String) {
        if !self.waits {
            self.bar.set_message(message.clone());
        }
        self.message = message;
    }

    /// Gives its place to what is waited for, or has it back.
    pub(crate) fn wait(&mut self, what: Option<String>) {
        let waits = what.is_some();
        if !waits && !self.waits {
            return;
        }
        if std::mem::replace(&mut self.waits, waits) != waits {
            let style = if waits { ProgressStyle::with_template("{spinner} {msg}").ok() } else { self.style.clone() };
            if let Some(style) = style {
                self.bar.set_style(style);
            }
        }
        self.bar.set_message(what.unwrap_or_else(|| self.message.clone()));
    }

    /// Whether it has given its place to what is waited for.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waits
    }

    /// Sets how far it is.
    pub(crate) fn at(&self, position: u64) {
        self.bar.set_position(position);
    }

    /// Sets how much there is in all.
    pub(crate) fn of(&self, bytes: u64) {
        // All of nothing would be a bar that is full.
        if bytes > 0 {
            self.bar.set_length(bytes);
        }
    }

    /// Sets how many files are done, and how many there are.
    pub(crate) fn files(&mut self, done: u64, all: u64) {
        if self.files != (done, all) {
            self.files = (done, all);
            self.says(format!("{done}/{all} files"));
        }
    }

    /// Does what writes to the terminal while the bar is away.
    pub(crate) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    pub(crate) fn clear(self) {
        self.bar.finish_and_clear();
    }
}

/// How many come in a second, whole ones.
fn rate(state: &ProgressState, to: &mut dyn fmt::Write) {
    let _ = write!(to, "{:.0}/s", state.per_sec());
}
