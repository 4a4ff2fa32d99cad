//! How an object may have been cut into parts.

use crate::provider::Parts;
use crate::transfer::{PREFERRED_PART_SIZE, PartPlan};

const MIB: u64 = 1 << 20;

/// The sizes, in MiB, that clients use by default or are often told to.
const USUAL: [u64; 17] = [5, 6, 8, 10, 15, 16, 20, 25, 32, 50, 64, 100, 128, 256, 512, 1024, 5120];

/// No server takes more parts.
const MOST: u32 = 100_000;

/// Takes any size of parts.
const ANY: Parts = Parts { min_size: 1, max_size: u64::MAX, max_count: u32::MAX, equal: true, copies: true };

/// The ways to cut `size` bytes into `count` parts that are worth a try: with the size of parts that is `wanted` here, the
/// sizes that clients use, and those that follow from the number of parts.
pub fn likely_cuts(size: u64, count: u32, wanted: u64, limits: Parts) -> Vec<PartPlan> {
    if count > limits.max_count.min(MOST) {
        return Vec::new();
    }
    let least = size.div_ceil(u64::from(count.max(1)));
    let whole_mib = least.div_ceil(MIB).saturating_mul(MIB);
    let ours = [wanted, PREFERRED_PART_SIZE].into_iter().flat_map(|wanted| {
        [PartPlan::of_length(size, wanted, limits).ok(), Some(PartPlan::of_unknown_length(wanted, limits))]
    });
    let sizes = USUAL.map(|mib| mib * MIB).into_iter().chain([whole_mib, least]);
    let theirs = sizes.map(|wanted| PartPlan::of_length(size, wanted, ANY).ok());
    // Never more than one part too many is counted: the number may be anybody's.
    let fits = |plan: &PartPlan| plan.parts(size).take(count as usize + 1).count() == count as usize;
    let mut cuts: Vec<PartPlan> = Vec::new();
    for plan in ours.chain(theirs).flatten().filter(fits) {
        if !cuts.iter().any(|known| known.parts(size).eq(plan.parts(size))) {
            cuts.push(plan);
        }
    }
    cuts
}
