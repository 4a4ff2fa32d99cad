//! What a client knows of each bucket: its retry quota, so that one that fails does not use up the others'; where it
//! is; and the session of a directory bucket.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wharf_proto::Error;
use wharf_proto::endpoint::{Endpoint, Plane, Target};
use wharf_proto::retry::RetryQuota;

use crate::session::Session;

/// With this many buckets, those whose quota is as good as new are forgotten before another is added.
const MANY: usize = 1000;

/// The buckets that a client has used lately, by name.
#[derive(Debug, Default)]
pub(crate) struct Buckets(Mutex<HashMap<String, Arc<Bucket>>>);

/// What is known of one.
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    pub(crate) quota: RetryQuota,
    pub(crate) session: Session,
    place: Mutex<Place>,
}

#[derive(Debug, Default)]
struct Place {
    /// Where an answer said that it is.
    moved: Option<Endpoint>,
    /// What the rules make of that, or of the client's own endpoint.
    target: Option<Arc<Target>>,
}

impl Buckets {
    /// What is known of `bucket`; requests to the service itself share one.
    pub(crate) fn of(&self, bucket: Option<&str>) -> Arc<Bucket> {
        let bucket = bucket.unwrap_or_default();
        let mut buckets = lock(&self.0);
        if let Some(bucket) = buckets.get(bucket) {
            return bucket.clone();
        }
        if buckets.len() >= MANY {
            let full = RetryQuota::default().available();
            buckets.retain(|_, bucket| Arc::strong_count(bucket) > 1 || bucket.quota.available() < full);
        }
        buckets.entry(bucket.to_owned()).or_default().clone()
    }
}

impl Bucket {
    /// Where requests on the bucket `name` go. The rules are asked once.
    pub(crate) fn target(&self, own: &Endpoint, name: Option<&str>, plane: Plane) -> Result<Arc<Target>, Error> {
        let mut place = lock(&self.place);
        let endpoint = place.moved.as_ref().unwrap_or(own);
        if plane == Plane::Control && name.is_some_and(|name| endpoint.has_planes(name)) {
            return endpoint.target(name, plane).map(Arc::new);
        }
        if let Some(target) = &place.target {
            return Ok(target.clone());
        }
        let target = Arc::new(endpoint.target(name, Plane::Data)?);
        place.target = Some(target.clone());
        Ok(target)
    }

    /// Remembers that the bucket is in `region`; `false` where the rules lead to no such place.
    pub(crate) fn is_in(&self, own: &Endpoint, region: &str) -> bool {
        let Some(moved) = own.moved_to(region) else { return false };
        *lock(&self.place) = Place { moved: Some(moved), target: None };
        true
    }

    /// Forgets where the bucket was.
    pub(crate) fn forget_place(&self) {
        *lock(&self.place) = Place::default();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use wharf_proto::retry::{FailureClass, RetryPolicy, RetryState};

    use super::*;

    #[test]
    fn only_what_matters_is_kept() {
        let buckets = Buckets::default();
        let in_use = buckets.of(Some("in-use"));
        let failing = buckets.of(Some("failing"));
        RetryState::new(RetryPolicy::default()).failed(FailureClass::Transient, None, 0.5, &failing.quota);
        drop(failing);
        for n in 0..10 * MANY {
            buckets.of(Some(&format!("bucket-{n}")));
        }
        assert!(lock(&buckets.0).len() <= MANY);
        assert!(Arc::ptr_eq(&in_use, &buckets.of(Some("in-use"))));
        assert!(buckets.of(Some("failing")).quota.available() < in_use.quota.available());
    }

    #[test]
    fn the_rules_are_asked_once_for_each_place() {
        let aws = Endpoint::aws("us-east-1").unwrap();
        let bucket = Bucket::default();
        let target = || bucket.target(&aws, Some("my-bucket"), Plane::Data).unwrap();
        let first = target();
        assert!(Arc::ptr_eq(&first, &target()));
        assert!(!bucket.is_in(&aws, "cn-north-1") && !bucket.is_in(&aws, "evil.example"));
        assert!(Arc::ptr_eq(&first, &target()));
        assert!(bucket.is_in(&aws, "eu-west-1"));
        assert_eq!(target().base(), "https://my-bucket.s3.eu-west-1.amazonaws.com");
        // Made, deleted and configured there too.
        let control = bucket.target(&aws, Some("my-bucket"), Plane::Control).unwrap();
        assert!(Arc::ptr_eq(&control, &target()));
    }
}
