//! The key that signs one day's requests to one service in one region, and a place to keep it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{AmzDate, Scope};
use crate::Credentials;

pub(super) type HmacSha256 = Hmac<Sha256>;

/// A secret access key, narrowed to a day, a region and a service.
///
/// Holds the HMAC states that the key leads to, so that each signature starts from there. `Debug` shows nothing.
#[derive(Clone)]
pub struct SigningKey(HmacSha256);

impl SigningKey {
    /// Derives the key: four HMACs, about a microsecond.
    pub fn derive(secret_access_key: &str, date: AmzDate, scope: Scope<'_>) -> Self {
        let mut secret = Vec::with_capacity(4 + secret_access_key.len());
        secret.extend_from_slice(b"AWS4");
        secret.extend_from_slice(secret_access_key.as_bytes());
        let steps = [date.day(), scope.region, scope.service, "aws4_request"];
        Self(steps.iter().fold(keyed(&secret), |mac, step| keyed(&mac.chain_update(step).finalize().into_bytes())))
    }

    /// An HMAC that has seen the key and waits for the text to sign.
    pub(super) fn mac(&self) -> HmacSha256 {
        self.0.clone()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(<redacted>)")
    }
}

fn keyed(key: &[u8]) -> HmacSha256 {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length; the error is there for other MACs")]
    HmacSha256::new_from_slice(key).expect("HMAC takes a key of any length")
}

/// How many keys a [`SigningKeyCache`] holds: regions and accounts that one client uses at once.
const CAPACITY: usize = 16;

/// The day's signing keys, so that each is derived once.
///
/// Found by secret (not by access key id: a corrected secret must not meet the old one's key), day, region and service.
/// Holds the 16 that were used last, of one day only. Share it by reference or in an `Arc`.
#[derive(Default)]
pub struct SigningKeyCache {
    entries: Mutex<Vec<Entry>>,
}

struct Entry {
    secret: Arc<str>,
    date: AmzDate,
    region: Box<str>,
    service: Box<str>,
    key: SigningKey,
}

impl SigningKeyCache {
    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// The key for `credentials` on `date`'s day in `scope`, derived if it is not here.
    pub fn get(&self, credentials: &Credentials, date: AmzDate, scope: Scope<'_>) -> SigningKey {
        let secret = credentials.shared_secret();
        // Nothing in here leaves the list half changed, so a panic elsewhere does not spoil it.
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let found = entries.iter().position(|entry| {
            entry.date.day_bytes() == date.day_bytes()
                && *entry.region == *scope.region
                && *entry.service == *scope.service
                && (Arc::ptr_eq(&entry.secret, secret) || entry.secret == *secret)
        });
        if let Some(at) = found {
            entries[..=at].rotate_right(1);
            return entries[0].key.clone();
        }
        let key = SigningKey::derive(secret, date, scope);
        entries.retain(|entry| entry.date.day_bytes() == date.day_bytes());
        entries.truncate(CAPACITY - 1);
        let entry = Entry {
            secret: Arc::clone(secret),
            date,
            region: scope.region.into(),
            service: scope.service.into(),
            key: key.clone(),
        };
        entries.insert(0, entry);
        key
    }
}

impl fmt::Debug for SigningKeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeyCache").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    fn day(number: u64) -> AmzDate {
        AmzDate::new(SystemTime::UNIX_EPOCH + Duration::from_secs(number * 86_400 + 5))
    }

    /// What a key signs tells it from another.
    fn fingerprint(key: &SigningKey) -> Vec<u8> {
        key.mac().chain_update("text").finalize().into_bytes().to_vec()
    }

    fn len(cache: &SigningKeyCache) -> usize {
        cache.entries.lock().unwrap().len()
    }

    #[test]
    fn one_entry_per_secret_day_region_and_service() {
        let cache = SigningKeyCache::new();
        let keys = Credentials::new("id", SECRET);
        let s3 = Scope::s3("eu-west-1");
        let base = cache.get(&keys, day(1), s3);
        for (other, scope) in [
            (Credentials::new("id", "corrected"), s3),
            (keys.clone(), Scope::s3("us-east-1")),
            (keys.clone(), Scope { service: "sts", ..s3 }),
        ] {
            let fresh = SigningKey::derive(other.secret_access_key(), day(1), scope);
            assert_eq!(fingerprint(&cache.get(&other, day(1), scope)), fingerprint(&fresh));
            assert_ne!(fingerprint(&fresh), fingerprint(&base));
        }
        assert_eq!(len(&cache), 4);
        // The same secret under another id, in another allocation, is the same key.
        cache.get(&Credentials::new("id2", SECRET), day(1), s3);
        assert_eq!(len(&cache), 4);
    }

    #[test]
    fn a_new_day_drops_the_old_keys() {
        let cache = SigningKeyCache::new();
        let keys = Credentials::new("id", SECRET);
        let first = cache.get(&keys, day(1), Scope::s3("eu-west-1"));
        cache.get(&keys, day(1), Scope::s3("eu-west-2"));
        let second = cache.get(&keys, day(2), Scope::s3("eu-west-1"));
        assert_ne!(fingerprint(&first), fingerprint(&second));
        assert_eq!(len(&cache), 1);
    }

    #[test]
    fn it_stays_small_and_keeps_what_is_used() {
        let cache = SigningKeyCache::new();
        let keys = Credentials::new("id", SECRET);
        let first = day(1);
        cache.get(&keys, first, Scope::s3("used"));
        let later = AmzDate::new(SystemTime::UNIX_EPOCH + Duration::from_secs(86_400 + 9));
        for number in 0..100 {
            cache.get(&keys, later, Scope::s3("used"));
            cache.get(&keys, later, Scope::s3(&format!("region-{number}")));
        }
        let entries = cache.entries.lock().unwrap();
        assert_eq!(entries.len(), CAPACITY);
        // The first one's own time shows that it never left.
        assert!(entries.iter().any(|entry| &*entry.region == "used" && entry.date == first));
    }

    #[test]
    fn debug_shows_no_secret() {
        let cache = SigningKeyCache::new();
        let key = cache.get(&Credentials::new("id", SECRET), day(1), Scope::s3("r"));
        assert_eq!(format!("{key:?} {cache:?}"), "SigningKey(<redacted>) SigningKeyCache { .. }");
    }
}
