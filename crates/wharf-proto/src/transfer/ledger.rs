//! What has arrived of an object.

use std::ops::Range;

use crate::checksum::Checksum;

/// The ranges of an object that have arrived, with their checksums.
///
/// Neighbours become one where their checksums can be joined, so that it stays short; a composite object's parts are kept
/// apart.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// In order, without overlaps.
    ranges: Vec<Arrived>,
    apart: bool,
    /// How long what becomes one may be.
    longest: u64,
    /// What was added since it was asked for last, where somebody asks.
    news: Option<Box<Ledger>>,
}

/// A range that has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// Which bytes.
    pub range: Range<u64>,
    /// Their checksum, where the object has one to compare with.
    pub checksum: Option<Checksum>,
}

impl Ledger {
    /// Nothing has arrived. `apart` keeps neighbours apart.
    pub fn new(apart: bool) -> Self {
        Self { ranges: Vec::new(), apart, longest: u64::MAX, news: None }
    }

    /// Has what is added from now on told by [`news`](Ledger::news), in ranges that do not become longer than `longest`
    /// bytes.
    pub fn tell_news(&mut self, longest: u64) {
        self.news = Some(Box::new(Self { longest, ..Self::new(self.apart) }));
    }

    /// What was added since the last time, in order.
    pub fn news(&mut self) -> Vec<Arrived> {
        self.news.as_mut().map(|news| std::mem::take(&mut news.ranges)).unwrap_or_default()
    }

    /// A range has arrived. What overlaps another is left out: its bytes are there.
    pub fn add(&mut self, range: Range<u64>, checksum: Option<Checksum>) {
        let at = self.ranges.partition_point(|known| known.range.end <= range.start);
        if range.is_empty() || self.ranges.get(at).is_some_and(|next| next.range.start < range.end) {
            return;
        }
        if let Some(news) = &mut self.news {
            news.add(range.clone(), checksum);
        }
        self.ranges.insert(at, Arrived { range, checksum });
        self.join(at);
        if at > 0 {
            self.join(at - 1);
        }
    }

    /// Makes one of the range at this place and the next, if that can be.
    fn join(&mut self, at: usize) {
        let Some([left, right]) = self.ranges.get(at..at + 2) else { return };
        if self.apart || left.range.end != right.range.start || right.range.end - left.range.start > self.longest {
            return;
        }
        let checksum = match (left.checksum, right.checksum) {
            (None, None) => None,
            (Some(a), Some(b)) => {
                let length = |range: &Range<u64>| range.end - range.start;
                match Checksum::full_object_of([(a, length(&left.range)), (b, length(&right.range))]) {
                    Ok(joined) => Some(joined),
                    Err(_) => return,
                }
            }
            _ => return,
        };
        let range = left.range.start..right.range.end;
        self.ranges[at] = Arrived { range, checksum };
        self.ranges.remove(at + 1);
    }

    /// What has arrived, in order.
    pub fn arrived(&self) -> &[Arrived] {
        &self.ranges
    }

    /// How many bytes have arrived.
    pub fn bytes(&self) -> u64 {
        self.ranges.iter().map(|arrived| arrived.range.end - arrived.range.start).sum()
    }

    /// What of `whole` has not.
    pub fn gaps(&self, whole: Range<u64>) -> Vec<Range<u64>> {
        let mut gaps = Vec::new();
        let mut at = whole.start;
        for Arrived { range, .. } in &self.ranges {
            if range.start.min(whole.end) > at {
                gaps.push(at..range.start.min(whole.end));
            }
            at = at.max(range.end);
        }
        if at < whole.end {
            gaps.push(at..whole.end);
        }
        gaps
    }
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "lists of one range")]
mod tests {
    use super::*;
    use crate::checksum::ChecksumAlgorithm::{Crc64Nvme, Sha256};

    #[test]
    fn ranges_join_to_the_whole_in_any_order() {
        let data: Vec<u8> = (0..100).collect();
        let mut ledger = Ledger::new(false);
        for range in [60..100, 0..10, 30..60, 10..30] {
            ledger.add(range.start as u64..range.end as u64, Some(Crc64Nvme.checksum(&data[range])));
        }
        assert_eq!(ledger.arrived(), [Arrived { range: 0..100, checksum: Some(Crc64Nvme.checksum(&data)) }]);
        assert_eq!((ledger.bytes(), ledger.gaps(0..100)), (100, Vec::new()));
    }

    #[test]
    fn parts_stay_apart_and_digests_do_not_join() {
        let mut parts = Ledger::new(true);
        parts.add(10..20, None);
        parts.add(0..10, None);
        assert_eq!(parts.arrived().len(), 2);
        let mut digests = Ledger::new(false);
        digests.add(0..1, Some(Sha256.checksum(b"a")));
        digests.add(1..2, Some(Sha256.checksum(b"b")));
        assert_eq!(digests.arrived().len(), 2);
    }

    #[test]
    fn news_are_told_once() {
        let mut ledger = Ledger::new(false);
        ledger.add(0..10, None);
        assert_eq!(ledger.news(), []);
        ledger.tell_news(30);
        for range in [20..30, 10..20, 5..15, 40..50] {
            ledger.add(range, None);
        }
        assert_eq!(ledger.news().into_iter().map(|news| news.range).collect::<Vec<_>>(), [10..30, 40..50]);
        assert_eq!(ledger.news(), []);
    }

    #[test]
    fn news_do_not_become_too_long() {
        let mut ledger = Ledger::new(false);
        ledger.tell_news(20);
        for start in [0, 20, 10, 30, 40, 50] {
            ledger.add(start..start + 10, None);
        }
        let news: Vec<_> = ledger.news().into_iter().map(|news| news.range).collect();
        assert!(news.iter().all(|range| range.end - range.start <= 20) && news.len() < 5, "{news:?}");
        assert_eq!(ledger.arrived(), [Arrived { range: 0..60, checksum: None }]);
    }

    #[test]
    fn gaps_are_what_is_missing() {
        let mut ledger = Ledger::new(false);
        ledger.add(10..20, None);
        ledger.add(15..25, None);
        ledger.add(40..50, None);
        assert_eq!(ledger.gaps(5..60), [5..10, 20..40, 50..60]);
        assert_eq!(ledger.gaps(12..45), [20..40]);
        assert_eq!(ledger.gaps(0..5), [0..5]);
    }
}
