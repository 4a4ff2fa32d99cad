//! What was measured, and what it says.

use crate::measure::{Outcome, Usage};
use crate::programs::Kind;
use crate::rows::{Counts, Row};

/// How much better than the best peer wharf must be.
pub const MUST: f64 = 1.3;

/// How far floor against best peer may be from what it was at first.
pub const TOLERANCE: f64 = 0.15;

/// The most memory that wharf may take for a large file, MiB.
pub const MOST_MEMORY: f64 = 20.0;

/// A machine on which others take more than this share of a processor is not quiet.
pub const QUIET: f64 = 0.10;

/// A program that failed so often in a row is not tried again.
const GIVE_UP: usize = 2;

/// All runs of one program in one row.
pub struct Measured {
    pub name: &'static str,
    pub kind: Kind,
    /// It moves a large object without parts side by side.
    pub in_one_stream: bool,
    pub is_unsupported: bool,
    pub runs: Vec<Usage>,
    pub failures: Vec<String>,
    /// The share of a processor that others took, a run each.
    others: Vec<f64>,
}

impl Measured {
    pub fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            in_one_stream: false,
            is_unsupported: false,
            runs: Vec::new(),
            failures: Vec::new(),
            others: Vec::new(),
        }
    }

    pub fn add(&mut self, outcome: Outcome, others: f64) {
        match outcome {
            Outcome::Done(usage) => {
                self.runs.push(usage);
                self.others.push(others);
            }
            Outcome::Unsupported => self.is_unsupported = true,
            Outcome::Failed(why) => self.failures.push(why),
        }
    }

    pub fn is_out(&self) -> bool {
        self.is_unsupported || (self.failures.len() >= GIVE_UP && self.runs.is_empty())
    }

    pub fn cpu(&self) -> f64 {
        median(self.runs.iter().map(Usage::cpu))
    }

    pub fn wall(&self) -> f64 {
        median(self.runs.iter().map(|run| run.wall))
    }

    pub fn resident(&self) -> f64 {
        median(self.runs.iter().map(|run| run.resident))
    }

    pub fn others(&self) -> f64 {
        median(self.others.iter().copied())
    }

    /// What counts, lowest and highest.
    pub fn span(&self, counts: Counts) -> (f64, f64) {
        let values = self.runs.iter().map(|run| if counts == Counts::Cpu { run.cpu() } else { run.wall });
        values.fold((f64::INFINITY, 0.0), |(low, high), value| (low.min(value), high.max(value)))
    }

    /// What counts, in the middle.
    pub fn value(&self, counts: Counts) -> f64 {
        if counts == Counts::Cpu { self.cpu() } else { self.wall() }
    }
}

/// All programs of one row.
pub struct RowResult {
    pub row: Row,
    pub measured: Vec<Measured>,
}

impl RowResult {
    fn done(&self) -> impl Iterator<Item = &Measured> {
        self.measured.iter().filter(|program| !program.runs.is_empty())
    }

    /// What counts, of a program.
    pub fn value(&self, program: &Measured) -> f64 {
        program.value(self.row.counts)
    }

    pub fn floor(&self) -> Option<f64> {
        self.done().find(|program| program.name == "floor").map(|program| self.value(program))
    }

    pub fn wharf(&self) -> Option<&Measured> {
        self.done().find(|program| program.kind == Kind::Wharf)
    }

    pub fn best_peer(&self) -> Option<&Measured> {
        self.best_of(|_| true)
    }

    /// The best of the peers that move parts side by side, where others do not.
    pub fn best_in_parallel(&self) -> Option<&Measured> {
        self.done().find(|program| program.in_one_stream)?;
        self.best_of(|program| !program.in_one_stream)
    }

    fn best_of(&self, is_meant: impl Fn(&Measured) -> bool) -> Option<&Measured> {
        let peers = self.done().filter(|program| program.kind == Kind::Peer && is_meant(program));
        peers.min_by(|one, other| self.value(one).total_cmp(&self.value(other)))
    }

    /// How many times wharf's cost that of a peer is.
    pub fn ahead_of(&self, peer: &Measured) -> Option<f64> {
        Some(self.value(peer) / self.value(self.wharf()?))
    }

    /// How many times wharf's cost the best peer's is.
    pub fn ahead(&self) -> Option<f64> {
        self.ahead_of(self.best_peer()?)
    }

    pub fn meets_must(&self) -> Option<bool> {
        self.ahead().filter(|_| self.row.is_judged()).map(|ahead| ahead >= MUST)
    }

    /// wharf's cost as a multiple of the floor's, and what it is to be at most.
    pub fn aim(&self) -> Option<(f64, f64)> {
        let first = self.row.first?;
        Some((self.value(self.wharf()?) / self.floor()?, first.aim / first.floor))
    }

    pub fn meets_aim(&self) -> Option<bool> {
        self.aim().map(|(is, most)| is <= most)
    }

    /// The floor as a share of the best peer, now and at first.
    pub fn proportion(&self) -> Option<(f64, f64)> {
        let first = self.row.first?;
        Some((self.floor()? / self.value(self.best_peer()?), first.floor / first.best_peer))
    }

    /// Whether the floor is to the best peer what it was: a slow floor would flatter everybody.
    pub fn is_in_proportion(&self) -> Option<bool> {
        self.proportion().map(|(now, first)| (now / first - 1.0).abs() <= TOLERANCE)
    }

    /// The share of a processor that others took, in the middle of all runs.
    pub fn others(&self) -> f64 {
        median(self.done().map(Measured::others))
    }
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}
