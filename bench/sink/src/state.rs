//! What the sink remembers: the lengths of what was put.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use crate::content::Content;
use crate::listing::Listing;

pub struct State {
    pub content: Content,
    pub listing: Listing,
    objects: Mutex<HashMap<String, u64>>,
    uploads: Mutex<HashMap<String, BTreeMap<u32, u64>>>,
    next_upload: AtomicU64,
    sent: AtomicU64,
    listed: AtomicU64,
    requests: AtomicU64,
    lists: AtomicU64,
    heads: AtomicU64,
}

/// What was asked of the sink since it last forgot.
pub struct Sums {
    /// Objects that were put, and their bytes.
    pub objects: usize,
    pub bytes: u64,
    /// Bytes of objects that were sent.
    pub sent: u64,
    /// Keys that were listed.
    pub listed: u64,
    /// Requests of all kinds, those that list keys, and those that ask for an object by HEAD.
    pub requests: u64,
    pub lists: u64,
    pub heads: u64,
}

impl State {
    pub fn new(listing: Listing) -> Self {
        let state = Self {
            content: Content::new(),
            listing,
            objects: Mutex::default(),
            uploads: Mutex::default(),
            next_upload: AtomicU64::new(1),
            sent: AtomicU64::new(0),
            listed: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            lists: AtomicU64::new(0),
            heads: AtomicU64::new(0),
        };
        // Now, so that no client waits for it.
        state.content.checksum(state.listing.size);
        state
    }

    /// The length of the object of this name, put or not.
    pub fn length(&self, key: &str) -> Option<u64> {
        if let Some(length) = lock(&self.objects).get(key) {
            return Some(*length);
        }
        if key.starts_with(job::LARGE_KEY) {
            Some(self.listing.size)
        } else if ["small/", job::LIST_PREFIX, job::SYNC_PREFIX].iter().any(|prefix| key.starts_with(prefix)) {
            Some(job::SMALL as u64)
        } else {
            None
        }
    }

    pub fn put(&self, key: &str, length: u64) {
        lock(&self.objects).insert(key.to_owned(), length);
    }

    pub fn delete(&self, key: &str) {
        lock(&self.objects).remove(key);
    }

    pub fn count_sent(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    pub fn count_listed(&self, keys: usize) {
        self.listed.fetch_add(keys as u64, Ordering::Relaxed);
        self.lists.fetch_add(1, Ordering::Relaxed);
    }

    pub fn count_request(&self, is_head: bool) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.heads.fetch_add(u64::from(is_head), Ordering::Relaxed);
    }

    /// Forgets everything, and says what it was.
    pub fn reset(&self) -> Sums {
        lock(&self.uploads).clear();
        let mut objects = lock(&self.objects);
        let sums = Sums {
            objects: objects.len(),
            bytes: objects.values().sum(),
            sent: self.sent.swap(0, Ordering::Relaxed),
            listed: self.listed.swap(0, Ordering::Relaxed),
            requests: self.requests.swap(0, Ordering::Relaxed),
            lists: self.lists.swap(0, Ordering::Relaxed),
            heads: self.heads.swap(0, Ordering::Relaxed),
        };
        objects.clear();
        sums
    }

    pub fn create_upload(&self) -> String {
        let id = format!("upload-{:012}", self.next_upload.fetch_add(1, Ordering::Relaxed));
        lock(&self.uploads).insert(id.clone(), BTreeMap::new());
        id
    }

    /// False where there is no such upload.
    pub fn add_part(&self, upload: &str, number: u32, length: u64) -> bool {
        match lock(&self.uploads).get_mut(upload) {
            Some(parts) => {
                parts.insert(number, length);
                true
            }
            None => false,
        }
    }

    pub fn parts(&self, upload: &str) -> Option<BTreeMap<u32, u64>> {
        lock(&self.uploads).get(upload).cloned()
    }

    pub fn end_upload(&self, upload: &str) -> Option<BTreeMap<u32, u64>> {
        lock(&self.uploads).remove(upload)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|broken| broken.into_inner())
}
