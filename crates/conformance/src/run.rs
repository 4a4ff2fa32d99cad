//! Runs the checks and holds the outcomes against what is known of the server.

use std::fmt;
use std::time::Duration;

use futures_util::{StreamExt, stream};

use crate::checks::{AREAS, Check};
use crate::context::{Context, Target};
use crate::expect::{Failure, Outcome};
use crate::servers::{Difference, Server};

/// A server that never answers must not hang the suite for ever.
const PATIENCE: Duration = Duration::from_secs(180);

/// What came of one check.
#[derive(Debug)]
pub struct Report {
    /// The check.
    pub check: &'static Check,
    /// What was found.
    pub finding: Finding,
    /// What could not be removed afterwards.
    pub left_behind: Option<String>,
}

/// How a check's outcome compares with what is known of the server.
#[derive(Debug)]
pub enum Finding {
    /// The server does what S3 does.
    Ok,
    /// It fails, as the table says: what the server does instead.
    DiffersAsKnown(&'static str),
    /// It fails, and the table says nothing of that.
    Failed(Failure),
    /// It fails in another way than the table says.
    FailedOtherwise(Failure, &'static Difference),
    /// The table says that it fails, and it does not.
    Stale(&'static str),
}

impl Report {
    /// Whether the suite must fail for it.
    pub fn is_failure(&self) -> bool {
        !matches!(self.finding, Finding::Ok | Finding::DiffersAsKnown(_))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.check.name;
        match &self.finding {
            Finding::Ok => write!(f, "ok                {name}"),
            Finding::DiffersAsKnown(instead) => write!(f, "differs as known  {name}: {instead}"),
            Finding::Failed(failure) => write!(f, "FAILED            {name}: {failure}"),
            Finding::FailedOtherwise(failure, known) => {
                write!(f, "FAILED            {name}: {failure}; the table expects {:?}", known.failure)
            }
            Finding::Stale(instead) => {
                write!(f, "FAILED            {name}: it passes, but the server's table says: {instead}")
            }
        }?;
        self.left_behind.iter().try_for_each(|left| write!(f, "\n                  left behind: {left}"))
    }
}

/// Runs all checks whose name contains `filter`, `at_once` of them at a time, and tells each outcome as it comes.
pub async fn run(
    target: &Target,
    server: Option<&'static Server>,
    filter: &str,
    at_once: usize,
    mut tell: impl FnMut(&Report),
) -> Vec<Report> {
    let checks = AREAS.iter().flat_map(|area| area.checks).filter(|check| check.name.contains(filter));
    let mut running = stream::iter(checks).map(|check| report(target, server, check)).buffer_unordered(at_once);
    let mut reports = Vec::new();
    while let Some(report) = running.next().await {
        tell(&report);
        reports.push(report);
    }
    reports
}

async fn report(target: &Target, server: Option<&'static Server>, check: &'static Check) -> Report {
    let (outcome, left_behind) = match Context::new(target).await {
        Ok(cx) => {
            let outcome = carry_out(check, cx.clone()).await;
            (outcome, cx.remove_buckets().await.err())
        }
        Err(failure) => (Err(failure), None),
    };
    let known = server.and_then(|server| server.difference(check.name));
    Report { check, finding: compare(outcome, known), left_behind }
}

fn compare(outcome: Outcome, known: Option<&'static Difference>) -> Finding {
    match (outcome, known) {
        (Ok(()), None) => Finding::Ok,
        (Ok(()), Some(known)) => Finding::Stale(known.instead),
        (Err(failure), None) => Finding::Failed(failure),
        (Err(failure), Some(known)) if failure.text().contains(known.failure) => Finding::DiffersAsKnown(known.instead),
        (Err(failure), Some(known)) => Finding::FailedOtherwise(failure, known),
    }
}

/// On a task of its own: a panic is that check's failure alone.
async fn carry_out(check: &Check, cx: Context) -> Outcome {
    let task = tokio::spawn(tokio::time::timeout(PATIENCE, (check.run)(cx)));
    match task.await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(Failure::new(format!("not done after {PATIENCE:?}"))),
        Err(error) => Err(Failure::new(format!("panicked: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: Difference = Difference { checks: &["x"], failure: "got 200", instead: "It is 200." };

    #[test]
    fn a_table_must_be_right_in_both_directions() {
        let failed = || Err(Failure::new("status: got 200, not 403"));
        assert!(matches!(compare(Ok(()), None), Finding::Ok));
        assert!(matches!(compare(failed(), Some(&KNOWN)), Finding::DiffersAsKnown("It is 200.")));
        assert!(matches!(compare(failed(), None), Finding::Failed(_)));
        assert!(matches!(compare(Err(Failure::new("panicked")), Some(&KNOWN)), Finding::FailedOtherwise(..)));
        assert!(matches!(compare(Ok(()), Some(&KNOWN)), Finding::Stale("It is 200.")));
        let check: &'static Check = &AREAS[0].checks[0];
        let report = |finding| Report { check, finding, left_behind: None };
        assert!(report(compare(Ok(()), Some(&KNOWN))).is_failure());
        assert!(!report(compare(failed(), Some(&KNOWN))).is_failure());
    }
}
