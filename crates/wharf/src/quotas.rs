//! One retry quota for each bucket, so that one that fails does not use up the others'.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use wharf_proto::retry::RetryQuota;

/// With this many buckets, those whose quota is as good as new are forgotten before another is added.
const MANY: usize = 1000;

/// A client's retry quotas, by bucket.
#[derive(Debug, Default)]
pub(crate) struct Quotas(Mutex<HashMap<String, Arc<RetryQuota>>>);

impl Quotas {
    /// The bucket's quota; requests to the service itself share one.
    pub(crate) fn of(&self, bucket: Option<&str>) -> Arc<RetryQuota> {
        let bucket = bucket.unwrap_or_default();
        let mut quotas = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(quota) = quotas.get(bucket) {
            return quota.clone();
        }
        if quotas.len() >= MANY {
            let full = RetryQuota::default().available();
            quotas.retain(|_, quota| Arc::strong_count(quota) > 1 || quota.available() < full);
        }
        quotas.entry(bucket.to_owned()).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use wharf_proto::retry::{FailureClass, RetryPolicy, RetryState};

    use super::*;

    #[test]
    fn only_quotas_that_matter_are_kept() {
        let quotas = Quotas::default();
        let in_use = quotas.of(Some("in-use"));
        RetryState::new(RetryPolicy::default()).failed(FailureClass::Transient, None, 0.5, &quotas.of(Some("failing")));
        for n in 0..10 * MANY {
            quotas.of(Some(&format!("bucket-{n}")));
        }
        assert!(quotas.0.lock().unwrap().len() <= MANY);
        assert!(Arc::ptr_eq(&in_use, &quotas.of(Some("in-use"))));
        assert!(quotas.of(Some("failing")).available() < in_use.available());
    }
}
