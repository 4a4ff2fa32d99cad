//! Policies as JSON. What S3 would not take is refused in S3's words, as far as they are known.

use serde_json::{Map, Value};

use super::condition::Condition;
use super::{Filter, Policy, Principal, Statement, pattern};
use crate::error::{Code, Error, Result};

/// The most bytes of a policy: 20 KiB.
const MOST: usize = 20 * 1024;

const MEMBERS: [&str; 3] = ["Version", "Id", "Statement"];
const STATEMENT_MEMBERS: [&str; 9] =
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

impl Policy {
    /// Reads a new policy for `bucket`. Beyond what is wrong, it refuses what is not there; a policy that is kept
    /// already is not refused for that, or nobody could take it back.
    pub(crate) fn accept(bytes: &[u8], bucket: &str) -> Result<Self> {
        if serde_json::from_slice(bytes).is_ok_and(|policy| uses_variables(&policy)) {
            return Err(Error::new(Code::NotImplemented, "This store has no policy variables, such as ${aws:userid}."));
        }
        Self::parse(bytes, bucket)
    }

    /// Reads a policy for `bucket`.
    pub(crate) fn parse(bytes: &[u8], bucket: &str) -> Result<Self> {
        read(bytes, bucket).map_err(|message| Error::new(Code::MalformedPolicy, message))
    }
}

/// Whether a policy has texts that stand for what a request says of itself. In the older version they stand for
/// themselves.
fn uses_variables(policy: &Value) -> bool {
    let statements = match &policy["Statement"] {
        Value::Array(statements) => statements.as_slice(),
        statement => std::slice::from_ref(statement),
    };
    let members = ["Resource", "NotResource", "Condition"];
    let mut found = statements.iter().flat_map(|statement| members.iter().map(|name| &statement[*name]));
    policy["Version"] == "2012-10-17" && found.any(has_variable)
}

/// Whether a variable is in a value or in one that it holds. `${*}`, `${?}` and `${$}`, which are none, count as well:
/// the store does not read them either.
fn has_variable(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("${"),
        Value::Array(values) => values.iter().any(has_variable),
        Value::Object(members) => members.values().any(has_variable),
        _ => false,
    }
}

type Read<T> = std::result::Result<T, String>;

fn read(bytes: &[u8], bucket: &str) -> Read<Policy> {
    if bytes.len() > MOST {
        return Err("Policy exceeds the maximum allowed document size.".to_owned());
    }
    let not_json = || "Policies must be valid JSON and the first byte must be '{'".to_owned();
    let document: Value = serde_json::from_slice(bytes).map_err(|_| not_json())?;
    let policy = document.as_object().filter(|_| bytes.starts_with(b"{")).ok_or_else(not_json)?;
    check_members(policy, &MEMBERS)?;
    if !matches!(policy.get("Version").map(Value::as_str), None | Some(Some("2012-10-17" | "2008-10-17"))) {
        return Err("The policy must contain a valid version string".to_owned());
    }
    let statements = match policy.get("Statement") {
        Some(Value::Array(statements)) if !statements.is_empty() => statements.iter().collect(),
        Some(Value::Array(_)) => return Err("Could not parse the policy: Statement is empty!".to_owned()),
        Some(statement) => vec![statement],
        None => return Err("Missing required field Statement".to_owned()),
    };
    let mut sids = Vec::new();
    for sid in statements.iter().filter_map(|statement| statement.get("Sid")?.as_str()) {
        if sids.contains(&sid) {
            return Err("Statement IDs (SID) in a single policy must be unique.".to_owned());
        }
        sids.push(sid);
    }
    statements.into_iter().map(|value| statement(value, bucket)).collect::<Read<_>>().map(Policy)
}

fn statement(value: &Value, bucket: &str) -> Read<Statement> {
    let members = value.as_object().ok_or("Statement must be a JSON object")?;
    check_members(members, &STATEMENT_MEMBERS)?;
    let allow = match members.get("Effect").map(Value::as_str) {
        Some(Some("Allow")) => true,
        Some(Some("Deny")) => false,
        Some(other) => return Err(format!("Invalid effect: {}", other.unwrap_or_default())),
        None => return Err("Missing required field Effect".to_owned()),
    };
    let (found, except) = one_of(members, "Principal", "NotPrincipal")?;
    let principals = Filter { listed: principals(found)?, except };
    let (found, except) = one_of(members, "Action", "NotAction")?;
    let actions = Filter { listed: texts(found).ok_or("Policy has invalid action")?, except };
    if !actions.listed.iter().all(|action| is_action(action)) {
        return Err("Policy has invalid action".to_owned());
    }
    let (found, except) = one_of(members, "Resource", "NotResource")?;
    let found = texts(found).ok_or("Policy has invalid resource")?;
    let resources = found.iter().map(|text| resource(text, bucket)).collect::<Option<_>>();
    let resources = Filter { listed: resources.ok_or("Policy has invalid resource")?, except };
    if !actions.except && !resources.except {
        let applies = |action: &String| resources.listed.iter().any(|resource| applies(action, resource));
        if !actions.listed.iter().all(applies) {
            return Err("Action does not apply to any resource(s) in statement".to_owned());
        }
    }
    let conditions = members.get("Condition").map(conditions).transpose()?.unwrap_or_default();
    Ok(Statement { allow, principals, actions, resources, conditions })
}

fn check_members(object: &Map<String, Value>, known: &[&str]) -> Read<()> {
    match object.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(format!("Unknown field {name}")),
        None => Ok(()),
    }
}

/// The member of one of two names, and whether it is the one that excepts.
fn one_of<'a>(members: &'a Map<String, Value>, plain: &str, except: &str) -> Read<(&'a Value, bool)> {
    match (members.get(plain), members.get(except)) {
        (Some(value), None) => Ok((value, false)),
        (None, Some(value)) => Ok((value, true)),
        (Some(_), Some(_)) => Err(format!("Statement must not contain both {plain} and {except}")),
        (None, None) => Err(format!("Missing required field {plain}")),
    }
}

/// A text, or a list of at least one.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(values) if !values.is_empty() => {
            values.iter().map(|value| value.as_str().map(str::to_owned)).collect()
        }
        _ => None,
    }
}

fn principals(value: &Value) -> Read<Vec<Principal>> {
    let invalid = || "Invalid principal in policy".to_owned();
    if value.as_str() == Some("*") {
        return Ok(vec![Principal::Everyone]);
    }
    let mut found = Vec::new();
    for (kind, value) in value.as_object().filter(|kinds| !kinds.is_empty()).ok_or_else(invalid)? {
        for text in texts(value).ok_or_else(invalid)? {
            found.push(match kind.as_str() {
                "AWS" => aws(&text).ok_or_else(invalid)?,
                "CanonicalUser" => Principal::CanonicalUser(text),
                "Service" | "Federated" => Principal::Elsewhere,
                _ => return Err(invalid()),
            });
        }
    }
    Ok(found)
}

/// `*`, an account number, or the ARN of an account, a user or a role.
fn aws(text: &str) -> Option<Principal> {
    let is_number = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if text == "*" {
        return Some(Principal::Everyone);
    }
    if is_number(text) {
        return Some(Principal::Account(text.to_owned()));
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, "", number, name] = parts[..] else { return None };
    if arn != "arn" || !partition.starts_with("aws") || !matches!(service, "iam" | "sts") {
        return None;
    }
    match name.split_once('/').map_or(name, |(kind, _)| kind) {
        "root" if is_number(number) => Some(Principal::Account(number.to_owned())),
        "user" | "role" | "assumed-role" | "federated-user" => Some(Principal::Elsewhere),
        _ => None,
    }
}

fn is_action(action: &str) -> bool {
    let name = action.get(..3).filter(|service| service.eq_ignore_ascii_case("s3:")).and_then(|_| action.get(3..));
    let named = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'?'))
    };
    action == "*" || name.is_some_and(named)
}

/// The part of an ARN that names the bucket and the key, which must be able to mean this bucket.
fn resource(text: &str, bucket: &str) -> Option<String> {
    if text == "*" {
        return Some(text.to_owned());
    }
    let (partition, path) = text.strip_prefix("arn:")?.split_once(":s3:::")?;
    let name = path.split_once('/').map_or(path, |(name, _)| name);
    (partition.starts_with("aws") && pattern::matches(name, bucket)).then(|| path.to_owned())
}

/// Whether an action can be about what a resource names: a bucket, or what is in it.
fn applies(action: &str, resource: &str) -> bool {
    const OF_OBJECTS: [&str; 6] = [
        "s3:abortmultipartupload",
        "s3:listmultipartuploadparts",
        "s3:bypassgovernanceretention",
        "s3:initiatereplication",
        "s3:replicatedelete",
        "s3:replicatetags",
    ];
    let action = action.to_ascii_lowercase();
    if action.contains(['*', '?']) {
        return true;
    }
    let of_object = OF_OBJECTS.contains(&action.as_str())
        || action.contains("object") && !action.ends_with("bucketobjectlockconfiguration");
    match resource.split_once('/') {
        Some(_) => of_object,
        // A star at the end of the bucket's name takes in the slash and what follows.
        None => !of_object || resource.contains('*'),
    }
}

fn conditions(value: &Value) -> Read<Vec<Condition>> {
    let mut found = Vec::new();
    let shape = || "Conditions must be objects of operators, keys and values".to_owned();
    for (operator, keys) in value.as_object().ok_or_else(shape)? {
        for (key, values) in keys.as_object().ok_or_else(shape)? {
            let values = match values {
                Value::Array(values) => values.iter().map(scalar).collect(),
                value => scalar(value).map(|value| vec![value]),
            };
            found.push(Condition::parse(operator, key, values.ok_or_else(shape)?)?);
        }
    }
    Ok(found)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn replication_is_about_objects() {
        // The statement that AWS's documentation gives the owner of a destination.
        let policy = |resource: &str| {
            json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "123456789012"},
                "Action": ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"], "Resource": resource}})
        };
        Policy::parse(policy("arn:aws:s3:::b/*").to_string().as_bytes(), "b").unwrap();
        assert!(Policy::parse(policy("arn:aws:s3:::b").to_string().as_bytes(), "b").is_err());
    }

    #[test]
    fn variables_are_not_there() {
        let accept = |version: &str, resource: &str, prefix: &str| {
            let policy = json!({"Version": version, "Statement": [{"Effect": "Allow", "Principal": "*",
                "Action": "s3:*", "Resource": ["arn:aws:s3:::b/*", resource],
                "Condition": {"StringLike": {"s3:prefix": ["a", prefix]}}}]});
            Policy::accept(policy.to_string().as_bytes(), "b").map_err(|error| error.code())
        };
        let variable = "arn:aws:s3:::b/${aws:userid}/*";
        accept("2012-10-17", "arn:aws:s3:::b/$/{a}", "$").unwrap();
        accept("2008-10-17", variable, "${aws:userid}").unwrap();
        for (resource, prefix) in
            [(variable, "a"), ("arn:aws:s3:::b/*", "${aws:userid}/"), ("arn:aws:s3:::b/${*}", "a")]
        {
            assert_eq!(accept("2012-10-17", resource, prefix), Err(Code::NotImplemented), "{resource} {prefix}");
        }
    }

    #[test]
    fn what_is_refused() {
        let good = json!({"Version": "2012-10-17", "Id": "x", "Statement": [{"Sid": "1", "Effect": "Allow",
            "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}]});
        let check = |value: &Value| read(value.to_string().as_bytes(), "b");
        check(&good).unwrap();
        for (at, value, message) in [
            ("/Version", json!("2020-01-01"), "The policy must contain a valid version string"),
            ("/Statement", json!([]), "Could not parse the policy: Statement is empty!"),
            ("/Statement/0/Effect", json!("allow"), "Invalid effect: allow"),
            ("/Statement/0/Principal", json!({"AWS": "ann"}), "Invalid principal in policy"),
            ("/Statement/0/Principal", json!({"Nobody": "*"}), "Invalid principal in policy"),
            ("/Statement/0/Action", json!("ec2:GetObject"), "Policy has invalid action"),
            ("/Statement/0/Action", json!([]), "Policy has invalid action"),
            ("/Statement/0/Action", json!("s3:ListBucket"), "Action does not apply to any resource(s) in statement"),
            ("/Statement/0/Resource", json!("arn:aws:s3:::b"), "Action does not apply to any resource(s) in statement"),
            ("/Statement/0/Resource", json!("arn:aws:s3:::c/*"), "Policy has invalid resource"),
            ("/Statement/0/Resource", json!("b/*"), "Policy has invalid resource"),
            ("/Statement/0/Resource", json!(7), "Policy has invalid resource"),
        ] {
            let mut bad = good.clone();
            *bad.pointer_mut(at).unwrap() = value.clone();
            assert_eq!(check(&bad).unwrap_err(), message, "{at} {value}");
        }
        for name in ["Effect", "Principal", "Action", "Resource"] {
            let mut bad = good.clone();
            bad["Statement"][0].as_object_mut().unwrap().remove(name);
            assert_eq!(check(&bad).unwrap_err(), format!("Missing required field {name}"));
        }
        let mut bad = good.clone();
        bad["Statement"][0]["Colour"] = json!("red");
        assert_eq!(check(&bad).unwrap_err(), "Unknown field Colour");
        for bad in ["", "[]", "{", " {}", "x"] {
            assert!(read(bad.as_bytes(), "b").unwrap_err().starts_with("Policies must be valid JSON"), "{bad}");
        }
        let long = json!({"Id": "x".repeat(MOST), "Statement": []});
        assert!(check(&long).unwrap_err().starts_with("Policy exceeds"));
    }
}
