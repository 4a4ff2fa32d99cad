//! Names the store makes up: of requests, versions and uploads.

use std::sync::atomic::{AtomicU64, Ordering};

use md5::{Digest, Md5};

use crate::hex::hex;

/// Names that differ within a store and hardly repeat between stores.
pub(crate) struct Ids {
    salt: [u8; 8],
    count: AtomicU64,
}

impl Ids {
    pub(crate) fn new() -> Self {
        let mut salt = [0; 8];
        // A salt of zeros still gives each store names of its own kind, only not unlike another's.
        let _ = getrandom::fill(&mut salt);
        Self { salt, count: AtomicU64::new(1) }
    }

    /// Goes on with the names of a store that was closed, behind all that it made.
    pub(crate) fn resume(salt: [u8; 8], count: u64) -> Self {
        Self { salt, count: AtomicU64::new(count) }
    }

    pub(crate) fn salt(&self) -> [u8; 8] {
        self.salt
    }

    /// A number, greater than all before it.
    pub(crate) fn number(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }

    /// The number that a name was made of, if it is one of this store's.
    pub(crate) fn number_of(&self, name: &str) -> Option<u64> {
        let (count, salt) = name.strip_prefix('v')?.split_at_checked(15)?;
        let ours = salt == hex(&self.salt);
        u64::from_str_radix(count, 16).ok().filter(|_| ours)
    }

    /// The next name.
    pub(crate) fn next(&self) -> String {
        self.name(self.number())
    }

    /// The name of a number: 32 letters and digits. Names have the order of their numbers, byte for byte.
    pub(crate) fn name(&self, count: u64) -> String {
        // The count comes first, so that order holds; a letter in front keeps it from looking like a number.
        format!("v{count:015x}{}", hex(&self.salt))
    }

    /// The name of a request: 16 letters and digits, as S3's are.
    pub(crate) fn request(&self) -> String {
        let count = self.number();
        let salt = u64::from_le_bytes(self.salt);
        // An odd factor spreads the count over all digits and repeats none.
        format!("{:016X}", count.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt)
    }

    /// What all of a store's `x-amz-id-2` begin with.
    pub(crate) fn host(&self) -> String {
        hex(&self.salt)
    }

    /// An entity tag that looks like an MD5 and is none.
    pub(crate) fn etag(&self, md5: &[u8; 16]) -> String {
        let salted = Md5::new().chain_update(self.salt).chain_update(md5).finalize();
        hex(&salted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ascend_and_are_known_again() {
        let ids = Ids::resume([1, 2, 3, 4, 5, 6, 7, 8], 0xff);
        let (first, second) = (ids.next(), ids.next());
        assert!(first < second, "{first} {second}");
        assert_eq!((ids.number_of(&first), ids.number_of(&second)), (Some(0xff), Some(0x100)));
        for foreign in ["null", "v", "", &Ids::new().next(), &first[..20]] {
            assert_eq!(ids.number_of(foreign), None, "{foreign}");
        }
    }
}
