//! Bytes that are compared with a checksum as they come.

use super::{Doubt, Likeness, Proof};
use crate::checksum::{Checksum, ChecksumHasher};
use crate::transfer::PartPlan;

/// Compares bytes with a [`Proof`], piece by piece.
#[derive(Debug)]
pub struct Comparison {
    proof: Proof,
    size: u64,
    taken: u64,
    way: Way,
}

/// How the bytes are hashed.
#[derive(Debug)]
enum Way {
    Whole(Box<ChecksumHasher>),
    /// For each way to cut them that may be the right one.
    Parts(Vec<Parts>),
}

/// The checksum of the checksums of parts that are cut in one way.
#[derive(Debug)]
struct Parts {
    plan: PartPlan,
    number: u32,
    /// How many bytes the part under way still takes.
    room: u64,
    part: ChecksumHasher,
    whole: ChecksumHasher,
}

impl Comparison {
    /// With an object of `size` bytes, cut in one of these ways if the proof is one of parts.
    ///
    /// # Errors
    /// [`Doubt::OtherParts`] where none of the cuts gives the right number of parts.
    pub fn new(proof: Proof, size: u64, cuts: &[PartPlan]) -> Result<Self, Doubt> {
        let hasher = ChecksumHasher::new(proof.checksum.algorithm());
        let way = match proof.checksum.part_count() {
            None => Way::Whole(Box::new(hasher)),
            Some(count) => {
                let fitting = cuts.iter().filter(|plan| plan.count(size) == u64::from(count));
                let ways: Vec<_> = fitting.map(|plan| Parts::new(*plan, hasher.clone())).collect();
                if ways.is_empty() {
                    return Err(Doubt::OtherParts);
                }
                Way::Parts(ways)
            }
        };
        Ok(Self { proof, size, taken: 0, way })
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.taken += bytes.len() as u64;
        match &mut self.way {
            Way::Whole(hasher) => hasher.update(bytes),
            Way::Parts(ways) => ways.iter_mut().for_each(|parts| parts.update(bytes)),
        }
    }

    /// What they are. Another cut than those that were tried may give what the object has: so what differs in parts proves
    /// nothing.
    pub fn finish(self) -> Likeness {
        if self.taken != self.size {
            return Likeness::Differs;
        }
        let same = |found: Checksum| found.as_bytes() == self.proof.checksum.as_bytes();
        let (is_same, otherwise) = match self.way {
            Way::Whole(hasher) => (same(hasher.finish()), Likeness::Differs),
            Way::Parts(ways) => {
                (ways.into_iter().any(|parts| same(parts.finish())), Likeness::Unknown(Doubt::OtherParts))
            }
        };
        if is_same { Likeness::Same(self.proof) } else { otherwise }
    }
}

impl Parts {
    fn new(plan: PartPlan, hasher: ChecksumHasher) -> Self {
        Self { plan, number: 1, room: plan.size_of(1), part: hasher.clone(), whole: hasher }
    }

    fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.room == 0 {
                self.close();
            }
            let now = usize::try_from(self.room).unwrap_or(usize::MAX).min(bytes.len());
            let (part, later) = bytes.split_at(now);
            self.part.update(part);
            self.room -= now as u64;
            bytes = later;
        }
    }

    fn close(&mut self) {
        let next = ChecksumHasher::new(self.part.algorithm());
        let part = std::mem::replace(&mut self.part, next).finish();
        self.whole.update(part.as_bytes());
        self.number += 1;
        self.room = self.plan.size_of(self.number);
    }

    fn finish(mut self) -> Checksum {
        self.close();
        self.whole.finish()
    }
}
