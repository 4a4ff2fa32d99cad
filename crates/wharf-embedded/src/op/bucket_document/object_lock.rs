//! Object lock of a bucket: whether there is one, and the retention of new objects.

use s3s::dto::ObjectLockConfiguration;

use super::Kept;
use crate::backend::{Bucket, Versioning};
use crate::error::{Code, Error, Result};
use crate::xml;

pub(super) fn check(bytes: &[u8], bucket: &Bucket) -> Result<Kept> {
    let asked: ObjectLockConfiguration = xml::parse(bytes)?;
    if asked.object_lock_enabled.as_ref().map(|enabled| enabled.as_str()) != Some("Enabled") {
        return Err(Code::MalformedXml.into());
    }
    if let Some(rule) = &asked.rule {
        let retention = rule.default_retention.as_ref().ok_or(Code::MalformedXml)?;
        let mode = retention.mode.as_ref().map(|mode| mode.as_str());
        let known = matches!(mode, Some("GOVERNANCE" | "COMPLIANCE"));
        if !known || retention.days.is_some() == retention.years.is_some() {
            return Err(Code::MalformedXml.into());
        }
        if retention.days.or(retention.years).is_some_and(|period| period < 1) {
            let message = "Default retention period must be a positive integer value.";
            return Err(Error::new(Code::InvalidArgument, message));
        }
    }
    if bucket.versioning != Versioning::Enabled {
        let message = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration";
        return Err(Error::new(Code::InvalidBucketState, message));
    }
    Ok(Kept::AsPut)
}
