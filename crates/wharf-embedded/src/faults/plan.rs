//! Decides what befalls a request. Nothing happens here; who asked and in which order is all it depends on.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use http::HeaderMap;

use super::answer::remove;
use super::wire::Tampering;
use super::{Action, Answer, Fault};
use crate::target::Target;

/// What a fault can be chosen by.
pub(crate) struct Asked<'a> {
    /// The name of the operation; "" where the store knows none.
    pub(crate) operation: &'a str,
    /// `None` where the path or the query cannot be read.
    pub(crate) target: Option<&'a Target>,
    pub(crate) headers: &'a HeaderMap,
}

/// What befalls one request.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) answer: Option<Answer>,
    pub(crate) delay: Duration,
    pub(crate) request: Tampering,
    pub(crate) response: Tampering,
    pub(crate) drop_answer: bool,
    pub(crate) replacement: Option<Bytes>,
    pub(crate) shuffle: Option<u64>,
    pub(crate) path_style_only: bool,
    pub(crate) habits: Habits,
    /// The words for all of it.
    pub(crate) words: Vec<&'static str>,
}

/// What the store leaves undone for one request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Habits {
    pub(crate) forget_checksums: bool,
    pub(crate) ignore_conditions: bool,
    pub(crate) ignore_source_conditions: bool,
}

impl Habits {
    /// Takes the headers away that are not looked at.
    pub(crate) fn blind(self, headers: &mut HeaderMap) {
        let Self { forget_checksums, ignore_conditions, ignore_source_conditions } = self;
        if !(forget_checksums || ignore_conditions || ignore_source_conditions) {
            return;
        }
        remove(headers, |name| match name {
            "x-amz-sdk-checksum-algorithm" | "x-amz-trailer" => forget_checksums,
            "if-match" | "if-none-match" | "if-modified-since" | "if-unmodified-since" => ignore_conditions,
            _ if name.starts_with("x-amz-checksum-") => forget_checksums,
            _ if name.starts_with("x-amz-copy-source-if-") => ignore_source_conditions,
            _ => false,
        });
    }
}

/// The faults in force.
#[derive(Default)]
pub(crate) struct Faults {
    /// Read before the lock is taken: most stores have no faults.
    some: AtomicBool,
    rules: Mutex<Rules>,
}

#[derive(Default)]
struct Rules {
    /// In the order they were injected.
    injected: Vec<Rule>,
    /// Those of the personality, which stay. What was injected comes before them.
    lasting: Vec<Rule>,
}

/// A fault in force, and how far it has come.
struct Rule {
    fault: Fault,
    seen: u64,
    fired: Arc<AtomicU64>,
    chance: Rng,
}

impl Faults {
    /// With faults that stay.
    pub(crate) fn lasting(faults: Vec<Fault>) -> Self {
        let some = AtomicBool::new(!faults.is_empty());
        let lasting = faults.into_iter().map(Rule::new).collect();
        Self { some, rules: Mutex::new(Rules { injected: Vec::new(), lasting }) }
    }

    pub(crate) fn inject(self: &Arc<Self>, fault: Fault) -> Injected {
        let rule = Rule::new(fault);
        let fired = rule.fired.clone();
        self.change(|rules| rules.injected.push(rule));
        Injected { fired, faults: self.clone() }
    }

    pub(crate) fn clear(&self) {
        self.change(|rules| rules.injected.clear());
    }

    /// Counts the request, and tells what befalls it.
    pub(crate) fn plan(&self, asked: &Asked<'_>) -> Plan {
        let mut plan = Plan::default();
        if self.some.load(Ordering::Relaxed) {
            let Rules { injected, lasting } = &mut *self.lock();
            for rule in injected.iter_mut().chain(lasting) {
                let answered = plan.answer.is_some() && matches!(rule.fault.action, Action::Respond { .. });
                if !answered && rule.fault.is_about(asked) && rule.fires() {
                    plan.add(&rule.fault);
                }
            }
        }
        plan
    }

    fn change(&self, change: impl FnOnce(&mut Rules)) {
        let mut rules = self.lock();
        change(&mut rules);
        self.some.store(!(rules.injected.is_empty() && rules.lasting.is_empty()), Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rule {
    fn new(fault: Fault) -> Self {
        let chance = Rng::with_seed(fault.share.map_or(0, |(_, seed)| seed));
        Self { fault, seen: 0, fired: Arc::default(), chance }
    }

    /// Whether it is the turn of one more request that it is about.
    fn fires(&mut self) -> bool {
        self.seen += 1;
        let chosen = match (self.fault.nth, self.fault.share) {
            (Some(nth), _) => self.seen == nth,
            // Drawn for each request, so that which ones it hits does not depend on how often it may.
            (None, Some((share, _))) => self.chance.f64() < share,
            (None, None) => true,
        };
        let chosen = chosen && self.seen > self.fault.skip;
        let left = self.fault.times.is_none_or(|times| self.fired.load(Ordering::Relaxed) < times);
        if chosen && left {
            self.fired.fetch_add(1, Ordering::Relaxed);
        }
        chosen && left
    }
}

impl Fault {
    fn is_about(&self, asked: &Asked<'_>) -> bool {
        let bucket = asked.target.map(|target| target.bucket.as_str());
        let key = asked.target.map(|target| target.key.as_str());
        self.action.suits(asked.operation)
            && (self.on.is_empty() || self.on.iter().any(|operation| operation.name() == asked.operation))
            && self.bucket.as_ref().is_none_or(|pattern| bucket.is_some_and(|bucket| pattern.matches(bucket)))
            && self.key.as_ref().is_none_or(|pattern| key.is_some_and(|key| pattern.matches(key)))
            && self.asks.iter().all(|(name, pattern)| {
                let mut values = asked.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
                values.any(|value| pattern.matches(value))
            })
    }
}

impl Plan {
    fn add(&mut self, fault: &Fault) {
        self.words.push(fault.action.word());
        match &fault.action {
            Action::Respond { status, code } => self.answer = Some(Answer::new(*status, code, &fault.headers)),
            Action::Delay(by) => self.delay += *by,
            Action::DelayBody { after, by } => self.response.pauses.push((*after, *by)),
            Action::CloseRequest(after) => self.request.close_after(*after),
            Action::CloseResponse(after) => self.response.close_after(*after),
            Action::CorruptRequest(offset) => self.request.corrupt.push(*offset),
            Action::CorruptResponse(offset) => self.response.corrupt.push(*offset),
            Action::DropAnswer => self.drop_answer = true,
            Action::ReplaceObject(bytes) => self.replacement = Some(bytes.clone()),
            Action::ShuffleListing(seed) => self.shuffle = Some(*seed),
            Action::ForgetChecksums => self.habits.forget_checksums = true,
            Action::IgnoreConditions => self.habits.ignore_conditions = true,
            Action::IgnoreSourceConditions => self.habits.ignore_source_conditions = true,
            Action::PathStyleOnly => self.path_style_only = true,
        }
    }
}

/// A fault in force. Dropping this leaves it there.
pub struct Injected {
    fired: Arc<AtomicU64>,
    faults: Arc<Faults>,
}

impl Injected {
    /// How many requests it was meant for so far, those included that were too short for it.
    pub fn fired(&self) -> u64 {
        self.fired.load(Ordering::Relaxed)
    }

    /// Takes it out of force; what it does to requests under way goes on.
    pub fn remove(self) {
        self.faults.change(|rules| rules.injected.retain(|rule| !Arc::ptr_eq(&rule.fired, &self.fired)));
    }
}

impl std::fmt::Debug for Injected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Injected").field("fired", &self.fired()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::Operation;

    fn words(faults: &Faults, operation: &str, path: &str) -> Vec<&'static str> {
        let target = Target::parse(path, "x", &[]).ok();
        faults.plan(&Asked { operation, target: target.as_ref(), headers: &HeaderMap::new() }).words
    }

    fn hits(faults: &Faults, requests: usize) -> Vec<usize> {
        (1..=requests).filter(|_| !words(faults, "GetObject", "/b/k").is_empty()).collect()
    }

    fn with(fault: Fault) -> Arc<Faults> {
        let faults = Arc::new(Faults::default());
        faults.inject(fault);
        faults
    }

    #[test]
    fn turns() {
        let fault = Fault::drop_answer;
        assert_eq!(hits(&with(fault()), 3), [1, 2, 3]);
        assert_eq!(hits(&with(fault().nth(2)), 5), [2]);
        assert_eq!(hits(&with(fault().times(2)), 5), [1, 2]);
        assert_eq!(hits(&with(fault().skip(3)), 5), [4, 5]);
        assert_eq!(hits(&with(fault().skip(1).times(2)), 5), [2, 3]);
        let some = hits(&with(fault().share(0.3, 7)), 1000);
        assert_eq!(hits(&with(fault().share(0.3, 7)), 1000), some);
        assert_ne!(hits(&with(fault().share(0.3, 8)), 1000), some);
        assert!((250..350).contains(&some.len()), "{}", some.len());
        assert_eq!(hits(&with(fault().share(0.3, 7).times(2)), 1000), some[..2]);
        assert_eq!(hits(&with(fault().share(0.3, 7).skip(some[1] as u64)), 1000), some[2..]);
        assert!(hits(&with(fault().share(0.0, 7)), 100).is_empty());
        assert_eq!(hits(&with(fault().share(1.0, 7)), 100).len(), 100);
    }

    #[test]
    fn aims() {
        let get = "GetObject";
        let faults =
            with(Fault::drop_answer().on(Operation::GetObject).on(Operation::HeadObject).bucket("b").key("a/*"));
        assert_eq!(words(&faults, get, "/b/a/1"), ["drop_answer"]);
        assert_eq!(words(&faults, "HeadObject", "/b/a/1"), ["drop_answer"]);
        for (operation, path) in
            [("PutObject", "/b/a/1"), (get, "/c/a/1"), (get, "/b/b"), ("", "/b/a/1"), (get, "no path")]
        {
            assert!(words(&faults, operation, path).is_empty(), "{operation:?} {path}");
        }
        assert_eq!(words(&with(Fault::drop_answer()), "", "no path"), ["drop_answer"]);
        assert!(words(&with(Fault::shuffle_listing(1)), get, "/b/k").is_empty());
    }

    #[test]
    fn a_request_is_answered_once() {
        let faults = Arc::new(Faults::lasting(vec![Fault::respond(501, "NotImplemented")]));
        let twice = faults.inject(Fault::respond(503, "SlowDown").times(2));
        let once = faults.inject(Fault::respond(500, "InternalError").times(1));
        faults.inject(Fault::delay(Duration::ZERO));
        let statuses: Vec<u16> = (0..4)
            .map(|_| {
                let plan = faults.plan(&Asked { operation: "", target: None, headers: &HeaderMap::new() });
                assert_eq!(plan.words.len(), 2, "the delay goes with each answer: {:?}", plan.words);
                plan.answer.unwrap().reply("", "", "").status().as_u16()
            })
            .collect();
        assert_eq!(statuses, [503, 503, 500, 501]);
        assert_eq!((twice.fired(), once.fired()), (2, 1));
        twice.remove();
        faults.clear();
        assert_eq!(words(&faults, "", "/"), ["respond"], "a personality stays");
    }
}
