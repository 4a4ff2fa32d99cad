//! Who fetches which bytes of an object.

use std::collections::VecDeque;
use std::ops::Range;

/// Where a cut falls that nothing else decides: files are written in pages.
const PAGE: u64 = 4096;

/// What of an object is still to be fetched, and by whom.
///
/// Whoever is free takes a range that waits, or else the back half of the longest that another is fetching. So few requests
/// fetch few large ranges, many fetch many small ones, and none ends long before the others.
#[derive(Debug)]
pub struct Spans {
    waiting: VecDeque<Range<u64>>,
    /// What each taker has left. Its place is its name.
    running: Vec<Range<u64>>,
    /// No cut leaves less than this on either side.
    least: u64,
    cuts: Cuts,
}

/// Where a range may be cut in two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cuts {
    /// Anywhere.
    Anywhere,
    /// At these bytes only, which ascend.
    At(Vec<u64>),
    /// Nowhere: one after another.
    Nowhere,
}

impl Spans {
    /// `ranges` are to be fetched.
    pub fn new(ranges: impl IntoIterator<Item = Range<u64>>, least: u64, cuts: Cuts) -> Self {
        let waiting = ranges.into_iter().filter(|range| !range.is_empty()).collect();
        Self { waiting, running: Vec::new(), least: least.max(1), cuts }
    }

    /// A range for one more who fetches: his name and the range. `None` where nothing is left that is worth a request.
    pub fn take(&mut self) -> Option<(usize, Range<u64>)> {
        let range = match self.waiting.pop_front() {
            Some(range) => range,
            None => self.split()?,
        };
        self.running.push(range.clone());
        Some((self.running.len() - 1, range))
    }

    /// Whether there is one.
    pub fn has_more(&self) -> bool {
        !self.waiting.is_empty() || self.running.iter().any(|range| self.cut(range).is_some())
    }

    /// How many takers have something left.
    pub fn takers(&self) -> usize {
        self.running.iter().filter(|range| !range.is_empty()).count()
    }

    /// How many of the next `bytes` are still to be fetched by `taker`, to whom they then count as fetched.
    pub fn claim(&mut self, taker: usize, bytes: usize) -> usize {
        let Some(range) = self.running.get_mut(taker) else { return 0 };
        let left = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let claimed = bytes.min(left);
        range.start += claimed as u64;
        claimed
    }

    /// What `taker` has left.
    pub fn rest(&self, taker: usize) -> Range<u64> {
        self.running.get(taker).cloned().unwrap_or_default()
    }

    fn split(&mut self) -> Option<Range<u64>> {
        let cuts = self.running.iter().enumerate().filter_map(|(at, range)| Some((at, self.cut(range)?)));
        let (at, cut) = cuts.max_by_key(|(at, _)| self.running[*at].end - self.running[*at].start)?;
        let end = std::mem::replace(&mut self.running[at].end, cut);
        Some(cut..end)
    }

    /// Where to cut a range in two, if that is worth it: as near to its middle as may be.
    fn cut(&self, range: &Range<u64>) -> Option<u64> {
        let middle = range.start + (range.end - range.start) / 2;
        let cut = match &self.cuts {
            Cuts::Nowhere => return None,
            Cuts::Anywhere => Some(middle - middle % PAGE).filter(|cut| *cut > range.start).unwrap_or(middle),
            Cuts::At(places) => {
                let within = places.partition_point(|place| *place <= range.start)
                    ..places.partition_point(|place| *place < range.end);
                *places.get(within)?.iter().min_by_key(|place| place.abs_diff(middle))?
            }
        };
        (cut - range.start >= self.least && range.end - cut >= self.least).then_some(cut)
    }
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "lists of one range")]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn two_halve_the_object_and_four_quarter_it() {
        let mut spans = Spans::new([0..64 * MIB], 8 * MIB, Cuts::Anywhere);
        assert_eq!(spans.take(), Some((0, 0..64 * MIB)));
        assert_eq!(spans.take(), Some((1, 32 * MIB..64 * MIB)));
        assert_eq!(spans.rest(0), 0..32 * MIB);
        let more: Vec<_> = [spans.take(), spans.take()].into_iter().flatten().map(|(_, range)| range).collect();
        assert_eq!(more, [48 * MIB..64 * MIB, 16 * MIB..32 * MIB]);
    }

    #[test]
    fn what_was_cut_off_is_not_claimed() {
        let mut spans = Spans::new([0..100], 10, Cuts::Anywhere);
        let (first, _) = spans.take().unwrap();
        assert_eq!(spans.claim(first, 30), 30);
        let (second, range) = spans.take().unwrap();
        assert_eq!((range, spans.rest(first)), (65..100, 30..65));
        assert_eq!((spans.claim(first, 50), spans.claim(first, 1)), (35, 0));
        assert_eq!(spans.takers(), 1);
        assert_eq!((spans.claim(second, 50), spans.rest(second)), (35, 100..100));
        assert_eq!(spans.takers(), 0);
        assert_eq!(spans.take(), None);
    }

    #[test]
    fn nothing_is_cut_that_is_too_short() {
        let mut spans = Spans::new([0..19], 10, Cuts::Anywhere);
        assert!(spans.take().is_some() && spans.take().is_none());
        let mut spans = Spans::new([0..100], 10, Cuts::Nowhere);
        assert!(spans.take().is_some() && spans.take().is_none());
    }

    #[test]
    fn gaps_go_first_and_cuts_fall_where_they_may() {
        let mut spans = Spans::new([0..10, 50..90, 90..90], 1, Cuts::At(vec![5, 60, 85]));
        let taken: Vec<_> = std::iter::from_fn(|| spans.take()).map(|(_, range)| range).collect();
        assert_eq!(taken, [0..10, 50..90, 60..90, 85..90, 5..10]);
    }

    #[test]
    fn every_byte_is_claimed_once() {
        let mut seed = 7_u64;
        let mut random = move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            seed >> 33
        };
        for _ in 0..50 {
            let size = random() % 100_000;
            let mut spans = Spans::new([0..size], 1 + random() % 3_000, Cuts::Anywhere);
            let mut seen = vec![0_u8; size as usize];
            let mut takers = Vec::new();
            loop {
                if takers.is_empty() || random() % 4 == 0 {
                    let has_more = spans.has_more();
                    let taken = spans.take();
                    assert_eq!(has_more, taken.is_some());
                    match taken {
                        Some((taker, _)) => takers.push(taker),
                        None if takers.is_empty() => break,
                        None => {}
                    }
                }
                let at = random() as usize % takers.len().max(1);
                let Some(&taker) = takers.get(at) else { break };
                let from = spans.rest(taker).start as usize;
                let claimed = spans.claim(taker, 1 + random() as usize % 5_000);
                seen[from..from + claimed].iter_mut().for_each(|byte| *byte += 1);
                if spans.rest(taker).is_empty() {
                    takers.swap_remove(at);
                }
            }
            assert!(seen.iter().all(|times| *times == 1));
        }
    }
}
