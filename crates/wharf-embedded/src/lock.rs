//! Object lock: what may be removed, and what may be loosened.

use std::time::{Duration, SystemTime};

use s3s::dto::ObjectLockConfiguration;

use crate::backend::{Bucket, Lock, Retention};
use crate::document::Document;
use crate::error::{Code, Error, Result};
use crate::xml;

const GOVERNANCE: &str = "GOVERNANCE";

/// Whether a version under `lock` may be removed for good.
pub(crate) fn check_removal(lock: &Lock, now: SystemTime, bypass: bool) -> Result<()> {
    let held = lock.legal_hold == Some(true);
    let kept = lock.retention.as_ref().is_some_and(|retention| retention.until > now && !may_pass(retention, bypass));
    if held || kept {
        return Err(Error::new(Code::AccessDenied, "Access Denied because object protected by object lock."));
    }
    Ok(())
}

/// Whether `new` may take the place of `old`: it may be longer, or the old one may be passed or over.
pub(crate) fn check_change(
    old: Option<&Retention>,
    new: Option<&Retention>,
    now: SystemTime,
    bypass: bool,
) -> Result<()> {
    let Some(old) = old.filter(|old| old.until > now) else { return Ok(()) };
    let longer = new.is_some_and(|new| new.until >= old.until && (new.mode == old.mode || old.mode == GOVERNANCE));
    if longer || may_pass(old, bypass) {
        return Ok(());
    }
    Err(Error::new(Code::AccessDenied, "Access Denied because object protected by object lock."))
}

/// The retention that a bucket gives to new objects.
pub(crate) fn default_retention(bucket: &Bucket, now: SystemTime) -> Result<Option<Retention>> {
    let Some(document) = bucket.documents.get(Document::ObjectLock.subresource()) else { return Ok(None) };
    let configured: ObjectLockConfiguration = xml::parse(document)?;
    let Some(chosen) = configured.rule.and_then(|rule| rule.default_retention) else { return Ok(None) };
    let days = chosen.days.unwrap_or_default().saturating_add(chosen.years.unwrap_or_default().saturating_mul(365));
    let period = Duration::from_secs(u64::try_from(days).unwrap_or_default() * 24 * 60 * 60);
    let until = now.checked_add(period);
    Ok(chosen.mode.zip(until).map(|(mode, until)| Retention { mode: mode.as_str().to_owned(), until }))
}

fn may_pass(retention: &Retention, bypass: bool) -> bool {
    bypass && retention.mode == GOVERNANCE
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn retention(mode: &str, until: u64) -> Retention {
        Retention { mode: mode.to_owned(), until: UNIX_EPOCH + Duration::from_secs(until) }
    }

    #[test]
    fn removal() {
        let now = UNIX_EPOCH + Duration::from_secs(100);
        let lock = |retention, legal_hold| Lock { retention, legal_hold };
        for (lock, bypass, allowed) in [
            (lock(None, None), false, true),
            (lock(None, Some(true)), true, false),
            (lock(Some(retention("GOVERNANCE", 200)), None), false, false),
            (lock(Some(retention("GOVERNANCE", 200)), Some(false)), true, true),
            (lock(Some(retention("COMPLIANCE", 200)), None), true, false),
            (lock(Some(retention("COMPLIANCE", 100)), None), false, true),
        ] {
            assert_eq!(check_removal(&lock, now, bypass).is_ok(), allowed, "{lock:?} {bypass}");
        }
    }

    #[test]
    fn changes() {
        let now = UNIX_EPOCH + Duration::from_secs(100);
        let check = |old, new, bypass| check_change(Some(&old), Some(&new), now, bypass).is_ok();
        assert!(check(retention("COMPLIANCE", 200), retention("COMPLIANCE", 300), false));
        assert!(!check(retention("COMPLIANCE", 200), retention("COMPLIANCE", 150), true));
        assert!(!check(retention("COMPLIANCE", 200), retention("GOVERNANCE", 300), true));
        assert!(!check(retention("GOVERNANCE", 200), retention("GOVERNANCE", 150), false));
        assert!(check(retention("GOVERNANCE", 200), retention("GOVERNANCE", 150), true));
        assert!(check(retention("COMPLIANCE", 50), retention("GOVERNANCE", 60), false));
        let remove = |old, bypass| check_change(Some(&old), None, now, bypass).is_ok();
        assert!(remove(retention("GOVERNANCE", 200), true) && !remove(retention("GOVERNANCE", 200), false));
        assert!(remove(retention("COMPLIANCE", 50), false) && !remove(retention("COMPLIANCE", 200), true));
    }
}
