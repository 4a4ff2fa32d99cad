//! Names the store makes up: of requests, versions and uploads.

use std::sync::atomic::{AtomicU64, Ordering};

use md5::{Digest, Md5};

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

    /// The next name: 32 letters and digits. Names grow in byte order as they are made.
    pub(crate) fn next(&self) -> String {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        // The count comes first, so that order holds; a letter in front keeps it from looking like a number.
        format!("v{count:015x}{}", crate::account::hex(&self.salt))
    }

    /// The name of a request: 16 letters and digits, as S3's are.
    pub(crate) fn request(&self) -> String {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let salt = u64::from_le_bytes(self.salt);
        // An odd factor spreads the count over all digits and repeats none.
        format!("{:016X}", count.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt)
    }

    /// What all of a store's `x-amz-id-2` begin with.
    pub(crate) fn host(&self) -> String {
        crate::account::hex(&self.salt)
    }

    /// An entity tag that looks like an MD5 and is none.
    pub(crate) fn etag(&self, md5: &[u8; 16]) -> String {
        let salted = Md5::new().chain_update(self.salt).chain_update(md5).finalize();
        crate::account::hex(&salted)
    }
}
