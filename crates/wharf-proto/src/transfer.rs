//! How an object is cut into parts, and how many of them are moved at a time.

mod concurrency;
pub mod journal;
mod ledger;
mod spans;

use crate::Error;
use crate::provider::Parts;

pub use concurrency::{Concurrency, Moved};
pub use ledger::{Arrived, Ledger};
pub use spans::{Cuts, Spans};

/// The size of parts that is good for most: large enough that a part's request costs nothing beside its bytes, small enough that a
/// part that fails is soon sent again.
pub const PREFERRED_PART_SIZE: u64 = 8 << 20;

/// How many parts of one size there are before a stream of unknown length gets larger ones.
const PARTS_OF_A_SIZE: u32 = 100;

/// The parts of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartPlan {
    first_size: u64,
    grows: bool,
    limits: Parts,
}

/// One part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Its number, from 1.
    pub number: u32,
    /// Where in the object it begins.
    pub offset: u64,
    /// How many bytes it has.
    pub length: u64,
}

impl PartPlan {
    /// Equal parts for an object of `length` bytes: as large as wanted, or as they must be to stay within the provider's limits.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an object that is longer than the provider's parts together.
    pub fn of_length(length: u64, wanted: u64, limits: Parts) -> Result<Self, Error> {
        let least = length.div_ceil(u64::from(limits.max_count.max(1))).max(limits.min_size).max(1);
        let size = wanted.min(limits.max_size).max(least);
        if size > limits.max_size {
            return Err(too_long(length, limits));
        }
        Ok(Self { first_size: size, grows: false, limits })
    }

    /// Parts for an object whose length will only be known at its end. They grow, so that any object fits that the provider
    /// takes; where it wants equal parts they do not, and an object fits of at most [`max_length`](PartPlan::max_length).
    pub fn of_unknown_length(wanted: u64, limits: Parts) -> Self {
        let size = wanted.clamp(limits.min_size.max(1), limits.max_size.max(1));
        Self { first_size: size, grows: !limits.equal, limits }
    }

    /// How many bytes the part of this number, from 1, has, if it is not the last.
    pub fn size_of(&self, number: u32) -> u64 {
        if !self.grows {
            return self.first_size;
        }
        let doublings = number.saturating_sub(1) / PARTS_OF_A_SIZE;
        self.first_size
            .checked_shl(doublings.min(40))
            .filter(|size| size >> doublings.min(40) == self.first_size)
            .unwrap_or(u64::MAX)
            .min(self.limits.max_size)
    }

    /// The number of the last part that there can be.
    pub fn max_count(&self) -> u32 {
        self.limits.max_count
    }

    /// The longest object that fits.
    pub fn max_length(&self) -> u64 {
        (1..=self.limits.max_count).map(|number| self.size_of(number)).fold(0, u64::saturating_add)
    }

    /// The parts of an object of `length` bytes, in order. An empty one has one, and it is empty.
    pub fn parts(&self, length: u64) -> impl Iterator<Item = Part> + Clone + use<> {
        let plan = *self;
        let mut next = Some(Part { number: 1, offset: 0, length: plan.size_of(1).min(length) });
        std::iter::from_fn(move || {
            let part = next?;
            let offset = part.offset + part.length;
            let number = part.number + 1;
            next =
                (offset < length).then(|| Part { number, offset, length: plan.size_of(number).min(length - offset) });
            Some(part)
        })
    }

    /// How many parts an object of `length` bytes has.
    pub fn count(&self, length: u64) -> u64 {
        if self.grows { self.parts(length).count() as u64 } else { length.div_ceil(self.first_size).max(1) }
    }

    /// The error of an object that does not fit.
    pub fn too_long(&self, length: u64) -> Error {
        too_long(length, self.limits)
    }
}

fn too_long(length: u64, limits: Parts) -> Error {
    Error::invalid_input(format!(
        "an object of {length} bytes is too long: the server takes at most {} parts of {} bytes",
        limits.max_count, limits.max_size
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Provider;

    const MIB: u64 = 1 << 20;
    const GIB: u64 = 1 << 30;

    fn aws() -> Parts {
        Provider::Aws.habits().parts
    }

    #[test]
    fn parts_are_as_wanted_until_there_would_be_too_many() {
        assert_eq!(PartPlan::of_length(GIB, 8 * MIB, aws()).unwrap().count(GIB), 128);
        let plan = PartPlan::of_length(5 << 40, 8 * MIB, aws()).unwrap();
        assert_eq!(plan.count(5 << 40), 10_000);
        assert!(PartPlan::of_length(10_000 * 5 * GIB + 1, 8 * MIB, aws()).is_err());
        assert_eq!(PartPlan::of_length(10_000 * 5 * GIB, 8 * MIB, aws()).unwrap().count(10_000 * 5 * GIB), 10_000);
    }

    #[test]
    fn parts_are_no_larger_than_the_provider_takes() {
        for (length, wanted, size) in [(5, 6 * GIB, 5 * GIB), (7 * GIB, u64::MAX, 5 * GIB), (5, 5 * GIB, 5 * GIB)] {
            assert_eq!(PartPlan::of_length(length, wanted, aws()).unwrap().size_of(1), size, "{length} {wanted}");
        }
    }

    #[test]
    fn the_parts_cover_the_object_once() {
        for (length, wanted) in
            [(0, 5 * MIB), (1, 5 * MIB), (5 * MIB, 5 * MIB), (5 * MIB + 1, 5 * MIB), (GIB, 7 * MIB + 3)]
        {
            let plan = PartPlan::of_length(length, wanted, aws()).unwrap();
            let parts: Vec<_> = plan.parts(length).collect();
            assert_eq!(parts.len() as u64, plan.count(length));
            let mut offset = 0;
            for (index, part) in parts.iter().enumerate() {
                assert_eq!((part.number as usize, part.offset), (index + 1, offset));
                assert!(part.length > 0 || length == 0);
                offset += part.length;
            }
            assert_eq!(offset, length);
        }
    }

    #[test]
    fn a_stream_of_unknown_length_reaches_the_limit() {
        let plan = PartPlan::of_unknown_length(8 * MIB, aws());
        assert_eq!((plan.size_of(1), plan.size_of(100), plan.size_of(101)), (8 * MIB, 8 * MIB, 16 * MIB));
        assert_eq!(plan.size_of(10_000), 5 * GIB);
        assert!(plan.max_length() > 5 << 40, "{}", plan.max_length());
    }

    #[test]
    fn equal_parts_stay_equal() {
        let plan = PartPlan::of_unknown_length(8 * MIB, Provider::R2.habits().parts);
        assert_eq!(plan.size_of(10_000), 8 * MIB);
        assert_eq!(plan.max_length(), 10_000 * 8 * MIB);
    }

    #[test]
    fn parts_are_no_smaller_than_the_provider_takes() {
        assert_eq!(PartPlan::of_length(10, 1, aws()).unwrap().size_of(1), 5 * MIB);
        assert_eq!(PartPlan::of_length(GIB, 8 * MIB, Provider::Storj.habits().parts).unwrap().size_of(1), 64 * MIB);
    }
}
