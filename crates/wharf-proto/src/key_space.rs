//! How a listing is divided among several requests at a time.
//!
//! The keys are a line, cut into ranges; each range is listed page after page, and the ranges beside each other. There is one at
//! first. Whenever one more request may be sent, the range in which the most pages are left, as far as one can tell, gives its
//! second half away, or all that lies eight pages ahead. Where a cut turns out to be a bad one, nothing is listed twice or left
//! out: a range ends where the next begins, whatever the answers hold.

mod spelling;

use std::collections::VecDeque;

use crate::{Error, ErrorKind};
use spelling::{Sample, Spelling};

/// Where many pages are left, a range is cut off so many ahead.
const PIECE: f64 = 8.0;
/// How many times farther ahead a range is cut of which nothing was seen yet: what it is like there is less and less certain.
const FARTHER: f64 = 4.0;
/// A range in which fewer pages are left is not cut: the one that is under way, and what a request more is worth.
const FEWEST: f64 = 3.0;
/// After so many pages that should not have been, guesses about a range count no more.
const SURPRISES: u32 = 2;
/// Every so many keys of a page one is looked at to learn how they are spelled.
const LEARN_EVERY: usize = 50;

/// The ranges of a listing, and the pages `P` that wait to be handed out.
///
/// ```
/// use wharf_proto::key_space::{KeySpace, Order};
///
/// let mut space = KeySpace::new("", None, Order::ByKey { ahead: 64 });
/// let ask = space.ask().unwrap();
/// assert_eq!((ask.after, ask.token), (None, None));
/// let keys = ["a", "b", "c"];
/// let kept = space.answered(ask.range, &keys, None)?;
/// space.put(ask.range, keys[kept].to_vec());
/// assert_eq!(space.page(), Some(keys.to_vec()));
/// assert!(space.is_done());
/// # Ok::<_, wharf_proto::Error>(())
/// ```
#[derive(Debug)]
pub struct KeySpace<P> {
    prefix: String,
    order: Order,
    /// In the order of their keys, without gaps. Those that are done and empty are taken out.
    ranges: Vec<Range<P>>,
    next_id: u64,
    in_order: bool,
    spelling: Spelling,
    page_size: usize,
    /// How many pages came, and how many were asked for in vain.
    pages: f64,
    in_vain: f64,
    /// By which spread of keys ranges are cut, and how often either has led to nothing of late.
    spread: Spread,
    failures: [f64; 2],
    /// The first and the last key that were seen, which says with the number of pages how keys are spread as a whole.
    first_key: Option<String>,
    last_key: Option<String>,
}

/// In which order pages are handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As they come.
    Any,
    /// By their keys. About so many pages are fetched ahead of the one that is due.
    ByKey {
        /// That many.
        ahead: usize,
    },
}

/// A request for a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// For which range: to be given back with the answer.
    pub range: u64,
    /// Begin after this key.
    pub after: Option<String>,
    /// Go on where an earlier page ended.
    pub token: Option<String>,
}

#[derive(Debug)]
struct Range<P> {
    id: u64,
    /// The last key before it.
    after: Option<String>,
    /// The last key that may be in it.
    until: Option<String>,
    /// The last key of it that was seen.
    at: Option<String>,
    token: Option<String>,
    state: State,
    sample: Option<Sample>,
    /// How many pages are left, as one may guess.
    left: f64,
    /// How often there was more although nothing should have been left.
    surprises: u32,
    /// How many pages ahead it is cut.
    reach: f64,
    /// Whether it may be cut: what it has is known, or else it is the latest to be cut off.
    may_be_cut: bool,
    /// By which spread it was cut off; `None` once something of it came.
    cut_off_by: Option<Spread>,
    ready: VecDeque<P>,
}

/// How keys are taken to be spread. Where they lie in heaps, that of all says where the next heap is, and that of the last page
/// how dense the present one is; which of them is the better guide depends on the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spread {
    Whole,
    Page,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Asked,
    Done,
}

impl<P> KeySpace<P> {
    /// All keys that begin with `prefix` and come after `after`.
    pub fn new(prefix: &str, after: Option<&str>, order: Order) -> Self {
        let mut space = Self {
            prefix: prefix.to_owned(),
            order,
            ranges: Vec::new(),
            next_id: 0,
            in_order: true,
            spelling: Spelling::default(),
            page_size: 1,
            pages: 0.0,
            in_vain: 0.0,
            spread: Spread::Whole,
            failures: [0.25; 2],
            first_key: None,
            last_key: None,
        };
        let whole = space.range(after.map(str::to_owned), None);
        space.ranges.push(whole);
        space
    }

    fn range(&mut self, after: Option<String>, until: Option<String>) -> Range<P> {
        self.next_id += 1;
        Range {
            id: self.next_id,
            at: after.clone(),
            after,
            until,
            token: None,
            state: State::Waiting,
            sample: None,
            left: 0.0,
            surprises: 0,
            reach: PIECE,
            may_be_cut: true,
            cut_off_by: None,
            ready: VecDeque::new(),
        }
    }

    /// How many requests are under way.
    pub fn asked(&self) -> usize {
        self.ranges.iter().filter(|range| range.state == State::Asked).count()
    }

    /// How many requests it is sensible to have under way: twice as many as pages came, so that a short listing costs no more
    /// than one after the other would.
    pub fn sensible(&self) -> usize {
        1_usize.max(2 * self.pages as usize)
    }

    /// Whether all pages came and were handed out.
    pub fn is_done(&self) -> bool {
        self.ranges.iter().all(|range| range.state == State::Done && range.ready.is_empty())
    }

    /// A request for the next page of a range that nobody is asking for.
    pub fn ask(&mut self) -> Option<Ask> {
        let mut ahead = 0;
        for at in 0..self.ranges.len() {
            ahead += self.ranges[at].ready.len();
            if self.ranges[at].state == State::Waiting && (at == 0 || self.may_run_ahead(ahead)) {
                return Some(self.ranges[at].ask());
            }
        }
        None
    }

    /// A request for what was just cut off from a range, where there is one that it helps.
    pub fn ask_more(&mut self) -> Option<Ask> {
        // Cuts in places where nothing is help nobody.
        if !self.in_order || self.in_vain > self.pages / 4.0 + 32.0 {
            return None;
        }
        let mut ahead = 0;
        let mut best: Option<(usize, f64)> = None;
        for (at, range) in self.ranges.iter().enumerate() {
            ahead += range.ready.len() + 1;
            if !self.may_run_ahead(ahead) {
                break;
            }
            let better = match (best, self.order) {
                (None, _) => true,
                (Some((_, left)), Order::Any) => range.left > left,
                // The nearest, unless it is small.
                (Some((_, left)), Order::ByKey { .. }) => left < 2.0 * PIECE && range.left >= 2.0 * PIECE,
            };
            if range.state == State::Asked && range.may_be_cut && range.left >= FEWEST && better {
                best = Some((at, range.left));
            }
        }
        let (at, _) = best?;
        let Some(cut) = self.cut(at) else {
            self.ranges[at].left = 0.0;
            return self.ask_more();
        };
        self.ranges[at].surprises = 0;
        let until = self.ranges[at].until.replace(cut.clone());
        let mut rest = self.range(Some(cut), until);
        rest.sample = self.ranges[at].sample.clone();
        rest.cut_off_by = Some(self.spread);
        rest.reach = self.ranges[at].reach * FARTHER;
        self.ranges[at].may_be_cut = self.ranges[at].reach == PIECE;
        let ask = rest.ask();
        self.ranges.insert(at + 1, rest);
        self.guess(at);
        self.guess(at + 1);
        Some(ask)
    }

    /// Cuts nothing, for the server may not list in the order of keys. Without effect once something was cut.
    pub fn leave_whole(&mut self) {
        self.in_order &= self.next_id > 1;
    }

    /// Takes what came: the keys and common prefixes of a page in their order, and the token of the next page where there is
    /// one. Says which of them belong to the range: these are to be [`put`](KeySpace::put).
    ///
    /// A listing out of order is noticed. If that is before the first cut, there will be none.
    ///
    /// # Errors
    /// [`MalformedResponse`](ErrorKind::MalformedResponse) if it is after that, for nobody knows what was left out.
    pub fn answered<K: AsRef<str>>(
        &mut self,
        range: u64,
        keys: &[K],
        next: Option<&str>,
    ) -> Result<std::ops::Range<usize>, Error> {
        let Some(at) = self.ranges.iter().position(|other| other.id == range) else { return Ok(0..0) };
        let kept = self.kept(at, keys)?;
        self.count(&kept, keys);
        let full = self.page_size as f64;
        let range = &mut self.ranges[at];
        range.reach = PIECE;
        range.may_be_cut = true;
        range.token = next.map(str::to_owned);
        range.state = if kept.end < keys.len() || next.is_none() { State::Done } else { State::Waiting };
        if let Some(last) = keys.last().filter(|_| range.state == State::Waiting) {
            range.at = Some(last.as_ref().to_owned());
        }
        if let [first, .., last] = keys {
            let (first, last) = (first.as_ref().to_owned(), last.as_ref().to_owned());
            range.sample = Some(Sample { first, last, pages: (keys.len() - 1) as f64 / full });
        }
        let is_surprise = range.state == State::Waiting && range.left < 1.0;
        range.surprises += u32::from(is_surprise);
        let cut_off_by = range.cut_off_by.take();
        if let Some(spread) = cut_off_by {
            self.judge(spread, kept.is_empty());
        } else if is_surprise {
            self.judge(self.spread, true);
        }
        self.guess(at);
        if kept.is_empty() {
            self.tidy(at);
        }
        Ok(kept)
    }

    /// Takes the part of a page that belongs to the range.
    pub fn put(&mut self, range: u64, page: P) {
        if let Some(at) = self.ranges.iter().position(|other| other.id == range) {
            self.ranges[at].ready.push_back(page);
        }
    }

    /// Which of the keys belong to the range of this place.
    fn kept<K: AsRef<str>>(&mut self, at: usize, keys: &[K]) -> Result<std::ops::Range<usize>, Error> {
        let Range { at: before, until, .. } = &self.ranges[at];
        let before = before.as_deref().unwrap_or_default();
        // A group whose keys lie on both sides of a cut is listed on both. It belongs where its name does.
        let from = keys.partition_point(|key| key.as_ref() <= before && before.starts_with(key.as_ref()));
        let to = keys.partition_point(|key| until.as_deref().is_none_or(|until| key.as_ref() <= until));
        self.in_order &= keys.is_sorted_by(|one, next| one.as_ref() < next.as_ref())
            && keys.get(from).is_none_or(|first| first.as_ref() > before);
        if self.next_id == 1 {
            return Ok(0..keys.len());
        }
        if !self.in_order {
            let error = Error::new(ErrorKind::MalformedResponse, "the server does not list in the order of keys");
            return Err(error.with_hint("list one page after the other, without .parallel()"));
        }
        Ok(from.min(to)..to)
    }

    /// Learns from a page.
    fn count<K: AsRef<str>>(&mut self, kept: &std::ops::Range<usize>, keys: &[K]) {
        keys.iter().step_by(LEARN_EVERY).chain(keys.last()).for_each(|key| self.spelling.learn(key.as_ref()));
        self.page_size = self.page_size.max(keys.len());
        let share = kept.len() as f64 / self.page_size as f64;
        self.pages += share;
        self.in_vain += 1.0 - share;
        if self.first_key.is_none() {
            self.first_key = keys.first().map(|key| key.as_ref().to_owned());
        }
        if let Some(last) = keys[kept.clone()].last().map(AsRef::as_ref)
            && self.last_key.as_deref().is_none_or(|known| known < last)
        {
            self.last_key = Some(last.to_owned());
        }
    }

    /// The next page in the order that was asked for; `None` where it has not come yet, or all is done.
    pub fn page(&mut self) -> Option<P> {
        let at = match self.order {
            Order::Any => self.ranges.iter().position(|range| !range.ready.is_empty())?,
            Order::ByKey { .. } => 0,
        };
        let page = self.ranges.get_mut(at)?.ready.pop_front();
        self.tidy(at);
        // The first range may have been done, and the next have pages.
        match (page, self.order) {
            (None, Order::ByKey { .. }) if self.ranges.first().is_some_and(|range| !range.ready.is_empty()) => {
                self.page()
            }
            (page, _) => page,
        }
    }

    /// Whether a page may be fetched although so many come before it that nobody has taken yet.
    fn may_run_ahead(&self, before: usize) -> bool {
        match self.order {
            Order::Any => true,
            Order::ByKey { ahead } => {
                let waiting: usize = self.ranges.iter().map(|range| range.ready.len()).sum();
                before <= ahead && waiting <= ahead.saturating_mul(2)
            }
        }
    }

    /// Where the range of this place is to be cut.
    fn cut(&self, at: usize) -> Option<String> {
        let range = &self.ranges[at];
        let after = range.at.as_deref().unwrap_or_default();
        let sample = self.sample(range)?;
        let guess = self.spelling.guess(&sample, &self.prefix, after, range.until.as_deref(), 2.0 * range.reach);
        if guess.pages < FEWEST {
            return spelling::between(after, range.until.as_deref()?);
        }
        // One page of it is under way.
        let pages = range.reach.min(guess.pages.midpoint(1.0));
        let cut = self.spelling.text(after, &guess, pages)?;
        range.until.as_deref().is_none_or(|until| cut.as_str() < until).then_some(cut)
    }

    /// Keeps account of a cut, and takes the other spread for a guide where that has led to nothing less often.
    fn judge(&mut self, spread: Spread, in_vain: bool) {
        let failures = &mut self.failures;
        failures[spread as usize] = 0.85 * failures[spread as usize] + if in_vain { 0.15 } else { 0.0 };
        // What is not tried gets another chance in time.
        failures[1 - spread as usize] *= 0.99;
        let better = if failures[0] <= failures[1] { Spread::Whole } else { Spread::Page };
        if better != self.spread {
            self.spread = better;
            (0..self.ranges.len()).for_each(|at| self.guess(at));
        }
    }

    /// How keys are spread in a range.
    fn sample(&self, range: &Range<P>) -> Option<Sample> {
        let whole = if self.spread == Spread::Whole { self.whole() } else { None };
        whole.or_else(|| range.sample.clone())
    }

    /// What is known of all that was seen.
    fn whole(&self) -> Option<Sample> {
        let (first, last) = (self.first_key.clone()?, self.last_key.clone()?);
        (first < last && self.pages > 0.0).then_some(Sample { first, last, pages: self.pages })
    }

    /// Guesses anew how much is left of a range.
    fn guess(&mut self, at: usize) {
        let range = &self.ranges[at];
        let (after, until) = (range.at.as_deref().unwrap_or_default(), range.until.as_deref());
        let sample = self.sample(range).filter(|_| range.state != State::Done);
        let left =
            sample.map(|sample| self.spelling.guess(&sample, &self.prefix, after, until, 2.0 * range.reach).pages);
        // Where guesses are wrong again and again, there may be as much to come as there was.
        let unknown = if range.surprises >= SURPRISES { FEWEST } else { 0.0 };
        self.ranges[at].left = left.map_or(0.0, |left| left.max(unknown));
    }

    /// Takes ranges out that nobody needs any more: the first, and what follows another that is done too.
    fn tidy(&mut self, at: usize) {
        while let Some(range) = self.ranges.first()
            && range.is_over()
            && self.ranges.len() > 1
        {
            self.ranges.remove(0);
        }
        if at > 0 && at < self.ranges.len() && self.ranges[at - 1].is_over() && self.ranges[at].is_over() {
            let range = self.ranges.remove(at);
            self.ranges[at - 1].until = range.until;
        }
    }
}

impl<P> Range<P> {
    fn ask(&mut self) -> Ask {
        self.state = State::Asked;
        let after = if self.token.is_none() { self.after.clone() } else { None };
        Ask { range: self.id, after, token: self.token.clone() }
    }

    fn is_over(&self) -> bool {
        self.state == State::Done && self.ready.is_empty()
    }
}

#[cfg(test)]
mod tests;
