//! Comparing what arrives with what the server keeps of the object.

use std::ops::{Range, RangeInclusive};
use std::sync::{Mutex, PoisonError};

use wharf_proto::checksum::{Checksum, ChecksumAlgorithm, ChecksumHasher, ChecksumType};
use wharf_proto::transfer::{Arrived, Cuts, Ledger};
use wharf_proto::{Error, ErrorKind};

use super::request::Found;
use crate::transfer::verification::Verification;

/// How much of a range is entered into the ledger at a time, which joins it to what is there.
const ENTRY: u64 = 32 << 20;

/// The same of one that can be resumed, where what is not entered is fetched again: a part in so many, within these bounds.
const SMALL_ENTRIES: u64 = 128;
const SMALL_ENTRY: RangeInclusive<u64> = 256 << 10..=4 << 20;

/// What the bytes are compared with.
#[derive(Debug, Clone)]
pub(super) enum Check {
    /// With nothing: why.
    Nothing(&'static str),
    /// With the checksum of the object's bytes. Where the server does not say that it is one, only equality means something.
    Whole { expected: Checksum, certain: bool },
    /// With the checksum of the checksums of its parts, which end here.
    Parts { expected: Checksum, ends: Vec<u64> },
}

impl Check {
    /// What can be compared by what the first answer says.
    pub(super) fn of(found: &Found, verify: Option<bool>) -> Self {
        if verify == Some(false) {
            return Self::Nothing("it was not asked for");
        }
        if !found.is_whole() {
            return Self::Nothing("a checksum covers the whole object, and this is a part of it");
        }
        let Some(expected) = found.head.checksum else {
            return Self::Nothing("the server keeps no checksum of the object");
        };
        match found.head.checksum_type {
            Some(ChecksumType::FullObject) => Self::Whole { expected, certain: true },
            None if !expected.is_composite() => Self::Whole { expected, certain: false },
            _ => Self::Nothing("the object's checksum is one of its parts' checksums"),
        }
    }

    /// The checksum that could be compared if the parts were known.
    pub(super) fn of_parts(&self, found: &Found) -> Option<Checksum> {
        let is_composite = found.head.checksum_type == Some(ChecksumType::Composite);
        found.head.checksum.filter(|_| is_composite && found.is_whole() && matches!(self, Self::Nothing(_)))
    }

    pub(super) fn algorithm(&self) -> Option<ChecksumAlgorithm> {
        match self {
            Self::Nothing(_) => None,
            Self::Whole { expected, .. } | Self::Parts { expected, .. } => Some(expected.algorithm()),
        }
    }

    /// What a journal records of the bytes, so that the next run knows them again: the object's checksum covers that, or
    /// nothing does.
    fn recorded_by(&self) -> ChecksumAlgorithm {
        self.algorithm().unwrap_or(ChecksumAlgorithm::Crc64Nvme)
    }

    /// Whether checksums of ranges give that of the object.
    fn joins(&self) -> bool {
        use ChecksumAlgorithm::{Crc32, Crc32c, Crc64Nvme};
        self.algorithm().is_none_or(|algorithm| matches!(algorithm, Crc32 | Crc32c | Crc64Nvme))
    }

    /// The same, where the object is fetched in several ranges, out of order.
    pub(super) fn out_of_order(self) -> Self {
        match self {
            Self::Whole { .. } if !self.joins() => Self::Nothing(
                "only a CRC can be compared after several requests; ask for .concurrency(1), not resumable",
            ),
            same => same,
        }
    }

    /// Where ranges may be cut.
    pub(super) fn cuts(&self) -> Cuts {
        match self {
            Self::Parts { ends, .. } => Cuts::At(ends.clone()),
            _ => Cuts::Anywhere,
        }
    }

    pub(super) fn ledger(&self) -> Ledger {
        Ledger::new(matches!(self, Self::Parts { .. }))
    }

    /// What compares the bytes of this range where an earlier run has fetched some, and which of those count. That they have
    /// come is worth more than that they can be compared.
    pub(super) fn beside(self, mut arrived: Vec<Arrived>, wanted: &Range<u64>) -> (Self, Vec<Arrived>) {
        arrived.retain(|Arrived { range, .. }| range.start >= wanted.start && range.end <= wanted.end);
        let bytes = |arrived: &Arrived| arrived.range.end - arrived.range.start;
        let (taken, lost): (Vec<_>, Vec<_>) = arrived.iter().partition(|arrived| self.takes(arrived));
        let is_worth_it = taken.into_iter().map(bytes).sum::<u64>() >= lost.into_iter().map(bytes).sum();
        let check = match is_worth_it {
            true => self,
            false => Self::Nothing("what an earlier run fetched cannot be compared with the object's checksum"),
        };
        arrived.retain(|arrived| check.takes(arrived));
        (check, arrived)
    }

    /// Whether what an earlier run has recorded can be compared by this.
    fn takes(&self, arrived: &Arrived) -> bool {
        let Range { start, end } = arrived.range;
        let is_part = match self {
            Self::Parts { ends, .. } => match ends.binary_search(&end) {
                Ok(0) => start == 0,
                Ok(at) => ends.get(at - 1) == Some(&start),
                Err(_) => false,
            },
            _ => true,
        };
        let algorithm = arrived.checksum.map(|checksum| checksum.algorithm());
        match self {
            // It only has to be known again.
            Self::Nothing(_) => algorithm.is_some(),
            _ => is_part && algorithm == Some(self.recorded_by()),
        }
    }

    /// Where the entry ends that the byte at this place belongs to, of those that are `entry` long.
    fn entry_end(&self, at: u64, entry: u64) -> u64 {
        match self {
            Self::Parts { ends, .. } => ends.get(ends.partition_point(|end| *end <= at)).copied().unwrap_or(u64::MAX),
            Self::Whole { .. } if !self.joins() => u64::MAX,
            _ => (at / entry + 1).saturating_mul(entry),
        }
    }

    /// What is known now that all has arrived.
    ///
    /// # Errors
    /// `Corrupt` where it is known to be wrong.
    pub(super) fn conclude(&self, ledger: &Ledger) -> Result<Verification, Error> {
        let checksums = ledger.arrived().iter().filter_map(|arrived| arrived.checksum);
        let (expected, computed) = match self {
            Self::Nothing(reason) => return Ok(Verification::NotVerified(reason)),
            Self::Whole { expected, .. } => (
                expected,
                match ledger.arrived() {
                    [] => Some(expected.algorithm().checksum(b"")),
                    [one] => one.checksum,
                    _ => None,
                },
            ),
            Self::Parts { expected, .. } => (expected, Checksum::composite_of(checksums).ok()),
        };
        let algorithm = expected.algorithm();
        match computed {
            Some(computed) if computed.as_bytes() == expected.as_bytes() => Ok(Verification::Verified(algorithm)),
            Some(_) if matches!(self, Self::Whole { certain: false, .. }) => {
                Ok(Verification::NotVerified("the server does not say what its checksum covers"))
            }
            _ => {
                Err(Error::new(ErrorKind::Corrupt, format!("the bytes do not match the object's {algorithm} checksum")))
            }
        }
    }
}

/// The checksums of bytes that arrive in order, entered into a ledger.
#[derive(Debug)]
pub(super) struct Tally {
    /// Where the entry under way began, where the next byte goes, and where the entry will end.
    start: u64,
    at: u64,
    end: u64,
    /// How long an entry is.
    entry: u64,
    algorithm: Option<ChecksumAlgorithm>,
    hasher: Option<ChecksumHasher>,
}

impl Tally {
    pub(super) fn new(check: &Check, start: u64) -> Self {
        Self::of_entries(check, check.algorithm(), start, ENTRY)
    }

    /// One that enters what arrives soon, so that it can be recorded.
    pub(super) fn often(check: &Check, start: u64, length: u64) -> Self {
        let entry = (length / SMALL_ENTRIES).clamp(*SMALL_ENTRY.start(), *SMALL_ENTRY.end());
        Self::of_entries(check, Some(check.recorded_by()), start, entry)
    }

    fn of_entries(check: &Check, algorithm: Option<ChecksumAlgorithm>, start: u64, entry: u64) -> Self {
        let (end, hasher) = (check.entry_end(start, entry), algorithm.map(ChecksumHasher::new));
        Self { start, at: start, end, entry, algorithm, hasher }
    }

    /// Where the next byte goes.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// These bytes have arrived, and are where they belong.
    pub(super) fn add(&mut self, check: &Check, mut bytes: &[u8], ledger: &Mutex<Ledger>) {
        while !bytes.is_empty() {
            let room = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            if let Some(hasher) = &mut self.hasher {
                hasher.update(now);
            }
            self.at += now.len() as u64;
            bytes = later;
            if self.at == self.end {
                self.close(check, ledger);
            }
        }
    }

    /// Nothing follows: what is under way is entered as it is.
    pub(super) fn close(&mut self, check: &Check, ledger: &Mutex<Ledger>) {
        let next = Self::of_entries(check, self.algorithm, self.at, self.entry);
        let done = std::mem::replace(self, next);
        let checksum = done.hasher.map(ChecksumHasher::finish);
        ledger.lock().unwrap_or_else(PoisonError::into_inner).add(done.start..done.at, checksum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_come_counts_by_its_bytes() {
        let sum = |algorithm: ChecksumAlgorithm| Some(algorithm.checksum(b"x"));
        let arrived = |range: Range<u64>, algorithm| Arrived { range, checksum: sum(algorithm) };
        let parts = || Check::Parts { expected: ChecksumAlgorithm::Sha256.checksum(b"x"), ends: vec![10, 100] };
        let of_part = || arrived(0..10, ChecksumAlgorithm::Sha256);
        // A small part that can be compared is not worth a large one that cannot.
        let (check, kept) = parts().beside(vec![of_part(), arrived(10..90, ChecksumAlgorithm::Crc64Nvme)], &(0..100));
        assert!(matches!(check, Check::Nothing(_)) && kept.len() == 2);
        let (check, kept) = parts().beside(vec![of_part(), arrived(10..15, ChecksumAlgorithm::Crc64Nvme)], &(0..100));
        assert!(matches!(check, Check::Parts { .. }) && kept == [of_part()]);
        let (check, kept) = parts().beside(Vec::new(), &(0..100));
        assert!(matches!(check, Check::Parts { .. }) && kept.is_empty());
    }
}
