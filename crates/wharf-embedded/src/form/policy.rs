//! The policy of a form: what its signer allows to be sent with his signature. Read by `s3s`, judged here. No I/O.

use std::ops::RangeInclusive;
use std::time::SystemTime;

use s3s::dto::TimestampFormat;
use s3s::post_policy::{PostPolicy, PostPolicyCondition};

use crate::error::{Code, Error, Result};
use crate::form::{Fields, is_ignored};
use crate::receive::MOST;
use crate::time::parse_iso_date;

/// Fields that no condition needs to name.
const FREE: [&str; 3] = ["x-amz-signature", "file", "policy"];

/// Reads a policy.
pub(crate) fn parse(encoded: &str) -> Result<PostPolicy> {
    PostPolicy::from_base64(encoded)
        .map_err(|error| Error::new(Code::InvalidPolicyDocument, format!("Invalid Policy: {error}")))
}

/// Judges the fields of a form by its policy, and gives back how long the file may be.
pub(crate) fn check(
    policy: &PostPolicy,
    fields: &Fields,
    key: &str,
    bucket: &str,
    now: SystemTime,
) -> Result<RangeInclusive<u64>> {
    if expiration(policy).is_none_or(|expiration| expiration <= now) {
        return Err(denied("Policy expired."));
    }
    // Both are where the file will be, whatever fields of these names say.
    let value = |name: &str| match name {
        "key" => Some(key),
        "bucket" => Some(bucket),
        name => fields.get(name),
    };
    let mut length = 0..=MOST;
    for condition in &policy.conditions {
        let (holds, text) = match condition {
            PostPolicyCondition::Eq { field, value: wanted } => {
                (value(field) == Some(wanted), format!("[\"eq\", \"${field}\", \"{wanted}\"]"))
            }
            PostPolicyCondition::StartsWith { field, prefix } => {
                let starts = |value: &str| starts_with(field, value, prefix);
                (value(field).is_some_and(starts), format!("[\"starts-with\", \"${field}\", \"{prefix}\"]"))
            }
            PostPolicyCondition::ContentLengthRange { min, max } => {
                length = (*length.start()).max(*min)..=(*length.end()).min(*max);
                continue;
            }
        };
        if !holds {
            return Err(denied(&format!("Policy Condition failed: {text}")));
        }
    }
    let named = |name: &str| {
        policy.conditions.iter().any(|condition| match condition {
            PostPolicyCondition::Eq { field, .. } | PostPolicyCondition::StartsWith { field, .. } => field == name,
            PostPolicyCondition::ContentLengthRange { .. } => false,
        })
    };
    let free = |name: &str| FREE.contains(&name) || is_ignored(name);
    // The bucket counts as a field: without it the policy would be good for every bucket of its signer's.
    match fields.iter().map(|(name, _)| name).chain(["bucket"]).find(|name| !free(name) && !named(name)) {
        Some(name) => Err(denied(&format!("Extra input fields: {name}"))),
        None => Ok(length),
    }
}

/// Of several content types each must start as it is wanted.
fn starts_with(field: &str, value: &str, prefix: &str) -> bool {
    if field == "content-type" {
        return value.split(',').all(|kind| kind.trim().starts_with(prefix));
    }
    value.starts_with(prefix)
}

fn expiration(policy: &PostPolicy) -> Option<SystemTime> {
    let mut text = Vec::new();
    policy.expiration.format(TimestampFormat::DateTime, &mut text).ok()?;
    parse_iso_date(std::str::from_utf8(&text).ok()?)
}

fn denied(why: &str) -> Error {
    Error::new(Code::AccessDenied, format!("Invalid according to Policy: {why}"))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::{Value, json};

    use super::*;

    fn run(conditions: Value, fields: &[(&str, &str)]) -> Result<RangeInclusive<u64>> {
        let mut conditions = conditions;
        conditions.as_array_mut().unwrap().push(json!({"bucket": "b"}));
        let policy = json!({"expiration": "2013-05-24T01:00:00.000Z", "conditions": conditions}).to_string();
        let now = UNIX_EPOCH + Duration::from_secs(1_369_353_600);
        check(&parse(&STANDARD.encode(policy))?, &Fields::of(fields), "user/f.txt", "b", now)
    }

    #[test]
    fn conditions() {
        for (conditions, fields, expected) in [
            (json!([["starts-with", "$key", "user/"]]), &[("key", "user/${filename}")][..], Ok(0..=MOST)),
            (json!([["eq", "$key", "user/f.txt"], ["content-length-range", 2, 9]]), &[("key", "x")], Ok(2..=9)),
            (json!([["eq", "$Acl", "private"]]), &[("acl", "private"), ("x-ignore-me", "1")], Ok(0..=MOST)),
            (
                json!([["eq", "$acl", "private"]]),
                &[("acl", "public-read")],
                Err("Policy Condition failed: [\"eq\", \"$acl\", \"private\"]"),
            ),
            (json!([["eq", "$acl", "private"]]), &[], Err("Policy Condition failed: [\"eq\", \"$acl\", \"private\"]")),
            (json!([]), &[("x-amz-meta-a", "1")], Err("Extra input fields: x-amz-meta-a")),
            (
                json!([["starts-with", "$Content-Type", "image/"]]),
                &[("content-type", "image/png,text/html")],
                Err("Policy Condition failed: [\"starts-with\", \"$content-type\", \"image/\"]"),
            ),
            (json!([["starts-with", "$x-amz-meta-a", ""]]), &[("x-amz-meta-a", "any")], Ok(0..=MOST)),
        ] {
            let got = run(conditions.clone(), fields);
            let got = got.map_err(|error| (error.code(), error.message().to_owned()));
            let expected = expected.map_err(|why| (Code::AccessDenied, format!("Invalid according to Policy: {why}")));
            assert_eq!(got, expected, "{conditions}");
        }
    }

    #[test]
    fn expired_or_no_policy() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let policy = json!({"expiration": "2013-05-24T01:00:00Z", "conditions": [{"bucket": "b"}]}).to_string();
        let policy = STANDARD.encode(policy);
        let check = |policy: &str, now| {
            parse(policy)
                .and_then(|policy| check(&policy, &Fields::of(&[]), "k", "b", now))
                .map_err(|error| error.code())
        };
        assert_eq!(check(&policy, at(1_369_357_199)), Ok(0..=MOST));
        assert_eq!(check(&policy, at(1_369_357_200)), Err(Code::AccessDenied));
        for bad in ["!", &STANDARD.encode("{}"), &STANDARD.encode("[]")] {
            assert_eq!(check(bad, at(0)), Err(Code::InvalidPolicyDocument), "{bad}");
        }
    }
}
