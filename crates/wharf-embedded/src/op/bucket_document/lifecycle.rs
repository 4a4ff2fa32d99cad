//! Lifecycle rules. They are kept and told, and none of them ever runs.

use s3s::dto::{BucketLifecycleConfiguration, LifecycleRule, Timestamp, TimestampFormat};

use super::{Kept, rewritten};
use crate::error::{Code, Error, Result};
use crate::id::Ids;
use crate::xml;

const MOST_RULES: usize = 1000;
const LONGEST_ID: usize = 255;

pub(super) fn check(bytes: &[u8], ids: &Ids) -> Result<Kept> {
    let mut asked: BucketLifecycleConfiguration = xml::parse(bytes)?;
    if asked.rules.is_empty() || asked.rules.len() > MOST_RULES {
        return Err(Code::MalformedXml.into());
    }
    let mut seen: Vec<&str> = Vec::new();
    for rule in &asked.rules {
        check_rule(rule)?;
        let Some(id) = rule.id.as_deref() else { continue };
        if id.len() > LONGEST_ID {
            return invalid("ID length should not exceed allowed limit of 255");
        }
        if seen.contains(&id) {
            return invalid(format!("RuleId must be unique. Found same ID for more than one rule: {id}"));
        }
        seen.push(id);
    }
    if asked.rules.iter().all(|rule| rule.id.is_some()) {
        return Ok(Kept::AsPut);
    }
    for rule in &mut asked.rules {
        rule.id.get_or_insert_with(|| ids.next());
    }
    rewritten(&asked)
}

fn check_rule(rule: &LifecycleRule) -> Result<()> {
    // The prefix is in the filter, or in its place, as it used to be.
    let one_scope = rule.filter.is_some() != rule.prefix.is_some();
    if !matches!(rule.status.as_str(), "Enabled" | "Disabled") || !one_scope {
        return Err(Code::MalformedXml.into());
    }
    if let Some(filter) = &rule.filter {
        let kinds = [
            filter.and.is_some(),
            filter.prefix.is_some(),
            filter.tag.is_some(),
            filter.object_size_greater_than.is_some(),
            filter.object_size_less_than.is_some(),
        ];
        if kinds.into_iter().filter(|kind| *kind).count() > 1 {
            return Err(Code::MalformedXml.into());
        }
    }
    let transitions = rule.transitions.as_deref().unwrap_or_default();
    let later = rule.noncurrent_version_transitions.as_deref().unwrap_or_default();
    let acts = rule.expiration.is_some()
        || rule.noncurrent_version_expiration.is_some()
        || rule.abort_incomplete_multipart_upload.is_some()
        || !transitions.is_empty()
        || !later.is_empty();
    if !acts {
        let message = "At least one action needs to be specified in a rule";
        return Err(Error::new(Code::InvalidRequest, message));
    }
    if let Some(expiration) = &rule.expiration {
        let marker = expiration.expired_object_delete_marker.is_some();
        if [expiration.days.is_some(), expiration.date.is_some(), marker].into_iter().filter(|it| *it).count() != 1 {
            return Err(Code::MalformedXml.into());
        }
        if expiration.days.is_some_and(|days| days < 1) {
            return invalid("'Days' for Expiration action must be a positive integer");
        }
        check_date(expiration.date.as_ref())?;
    }
    for transition in transitions {
        if transition.storage_class.is_none() || transition.days.is_some() == transition.date.is_some() {
            return Err(Code::MalformedXml.into());
        }
        if transition.days.is_some_and(|days| days < 0) {
            return invalid("'Days' in Transition action must be nonnegative");
        }
        check_date(transition.date.as_ref())?;
    }
    if later.iter().any(|transition| transition.storage_class.is_none()) {
        return Err(Code::MalformedXml.into());
    }
    let expiration = rule.noncurrent_version_expiration.as_ref();
    if expiration.and_then(|expiration| expiration.noncurrent_days).is_some_and(|days| days < 1) {
        return invalid("'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer");
    }
    let abort = rule.abort_incomplete_multipart_upload.as_ref();
    if abort.and_then(|abort| abort.days_after_initiation).is_some_and(|days| days < 1) {
        return invalid("'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer");
    }
    Ok(())
}

fn check_date(date: Option<&Timestamp>) -> Result<()> {
    let Some(date) = date else { return Ok(()) };
    let mut text = Vec::new();
    date.format(TimestampFormat::EpochSeconds, &mut text).map_err(|_| Code::MalformedXml)?;
    let seconds: f64 = String::from_utf8_lossy(&text).parse().map_err(|_| Code::MalformedXml)?;
    if seconds % 86_400.0 == 0.0 { Ok(()) } else { invalid("'Date' must be at midnight GMT") }
}

fn invalid<T>(message: impl Into<String>) -> Result<T> {
    Err(Error::new(Code::InvalidArgument, message))
}
