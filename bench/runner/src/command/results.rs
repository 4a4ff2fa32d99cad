//! What was measured of the commands, and what it says.

use super::rows::{ONE_LINE, Row, Verb};
use crate::programs::Kind;
use crate::results::{Measured, median};
use crate::servers::Sums;

/// All runs of one command in one row, and what the last of them asked of the server.
pub struct Typed {
    pub measured: Measured,
    /// What wharf is compared with.
    pub is_s5cmd: bool,
    pub asked: Option<Sums>,
    /// It takes so long that it was run once.
    pub is_once: bool,
}

/// All commands of one row.
pub struct CommandResult {
    pub row: Row,
    pub typed: Vec<Typed>,
    /// How many files or keys there are.
    pub count: usize,
}

/// How many times the cost of `who` that of s5cmd is.
pub struct Ahead {
    pub who: &'static str,
    pub what: &'static str,
    pub times: f64,
    pub must: f64,
    /// The better one of the ways in which s5cmd was set up.
    pub of: &'static str,
}

impl Ahead {
    pub fn is_met(&self) -> bool {
        self.times >= self.must
    }
}

impl CommandResult {
    fn done(&self) -> impl Iterator<Item = &Typed> {
        self.typed.iter().filter(|typed| !typed.measured.runs.is_empty())
    }

    pub fn wharf(&self) -> Option<&Typed> {
        self.done().find(|typed| typed.measured.kind == Kind::Wharf)
    }

    /// Processor time and time against s5cmd.
    pub fn ahead(&self) -> Vec<Ahead> {
        let Some(must) = self.row.must() else { return Vec::new() };
        let against = |wharf: &Measured, what, value: fn(&Measured) -> f64| {
            let all = self.done().filter(|typed| typed.is_s5cmd).map(|typed| &typed.measured);
            let best = all.min_by(|one, other| value(one).total_cmp(&value(other)))?;
            Some(Ahead { who: wharf.name, what, times: value(best) / value(wharf), must, of: best.name })
        };
        let all = self.done().map(|typed| &typed.measured).filter(|measured| measured.kind == Kind::Wharf);
        all.flat_map(|wharf| [against(wharf, "processor time", Measured::cpu), against(wharf, "time", Measured::wall)])
            .flatten()
            .collect()
    }

    /// Processor time (seconds) and memory (MiB) of the line of one key, and whether that is little enough.
    pub fn one_line(&self) -> Option<(f64, f64, bool)> {
        let wharf = &self.wharf().filter(|_| self.row.verb == Verb::ListOne)?.measured;
        let (cpu, resident) = (wharf.cpu(), wharf.resident());
        Some((cpu, resident, cpu <= ONE_LINE.0 && resident <= ONE_LINE.1))
    }

    /// What a sync of unchanged files asked of the server, and whether that is a list call for each 1,000 and no more.
    pub fn few_requests(&self) -> Option<(Sums, bool)> {
        let asked = self.wharf().filter(|_| self.row.verb == Verb::Sync)?.asked?;
        let lists = self.count.div_ceil(1000) as u64;
        Some((asked, asked.lists == lists && asked.heads == 0 && asked.requests == lists))
    }

    /// The share of a processor that others took, in the middle of all runs.
    pub fn others(&self) -> f64 {
        median(self.done().map(|typed| typed.measured.others()))
    }
}
