//! The requests that came, to be asserted on.

use std::fmt;
use std::ops::Deref;

use super::LoggedRequest;
use crate::operations::Operation;
use crate::pattern::Pattern;

/// Requests that reached a [`Store`](crate::Store), the oldest first: a slice of [`LoggedRequest`]s that can be counted
/// and chosen from. `Display` is a table, for assertions that fail.
///
/// ```
/// # use wharf_embedded::{Operation, Store};
/// # let store = Store::in_memory();
/// let asked = store.requests();
/// assert_eq!(asked.count(Operation::PutObject), 0, "{asked}");
/// let lost = asked.of(Operation::DeleteObject).key("reports/*");
/// assert!(lost.is_empty(), "nobody may delete a report:\n{lost}");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Requests(pub(super) Vec<LoggedRequest>);

impl Requests {
    /// How many were of that operation.
    pub fn count(&self, operation: Operation) -> usize {
        self.iter().filter(|request| request.operation == operation.name()).count()
    }

    /// Those of that operation.
    pub fn of(&self, operation: Operation) -> Self {
        self.only(|request| request.operation == operation.name())
    }

    /// Those of buckets of this pattern, in which `*` stands for any text.
    pub fn bucket(&self, pattern: &str) -> Self {
        let pattern = Pattern::new(pattern);
        self.only(|request| pattern.matches(&request.bucket))
    }

    /// Those of keys of this pattern, in which `*` stands for any text.
    pub fn key(&self, pattern: &str) -> Self {
        let pattern = Pattern::new(pattern);
        self.only(|request| pattern.matches(&request.key))
    }

    /// Those that something holds of.
    pub fn only(&self, holds: impl Fn(&LoggedRequest) -> bool) -> Self {
        Self(self.iter().filter(|request| holds(request)).cloned().collect())
    }
}

impl Deref for Requests {
    type Target = [LoggedRequest];

    fn deref(&self) -> &[LoggedRequest] {
        &self.0
    }
}

impl IntoIterator for Requests {
    type Item = LoggedRequest;
    type IntoIter = std::vec::IntoIter<LoggedRequest>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Requests {
    type Item = &'a LoggedRequest;
    type IntoIter = std::slice::Iter<'a, LoggedRequest>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("no requests");
        }
        write!(f, "{:>4}  {:<24}  {:>6}  {:>9}  {:>9}  target", "", "operation", "status", "in", "out")?;
        for (at, request) in self.iter().enumerate() {
            let operation = if request.operation.is_empty() { request.method.as_str() } else { request.operation };
            let status = request.status.map_or("none".to_owned(), |status| status.as_u16().to_string());
            let LoggedRequest { path, query, bytes_in, bytes_out, faults, .. } = request;
            write!(f, "\n{:>4}  {operation:<24}  {status:>6}  {bytes_in:>9}  {bytes_out:>9}  {path}", at + 1)?;
            if !query.is_empty() {
                write!(f, "?{query}")?;
            }
            if !faults.is_empty() {
                write!(f, "  [{}]", faults.join(", "))?;
            }
        }
        Ok(())
    }
}
