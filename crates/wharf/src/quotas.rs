//! One retry quota for each bucket, so that one that fails does not use up the others'.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use wharf_proto::retry::RetryQuota;

/// A client's retry quotas, by bucket.
#[derive(Debug, Default)]
pub(crate) struct Quotas(Mutex<HashMap<String, Arc<RetryQuota>>>);

impl Quotas {
    /// The bucket's quota; requests to the service itself share one.
    pub(crate) fn of(&self, bucket: Option<&str>) -> Arc<RetryQuota> {
        let bucket = bucket.unwrap_or_default();
        let mut quotas = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match quotas.get(bucket) {
            Some(quota) => quota.clone(),
            None => quotas.entry(bucket.to_owned()).or_default().clone(),
        }
    }
}
