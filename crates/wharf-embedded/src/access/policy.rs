//! Bucket policies: what a statement is about, and what all of them together decide. No I/O, no clock.

mod condition;
mod parse;
mod pattern;

pub(crate) use condition::{Facts, normal};

use crate::account::{Account, canonical_id};
use condition::Condition;

/// A policy, read and found valid.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Policy(Vec<Statement>);

#[derive(Debug, Clone, PartialEq)]
struct Statement {
    allow: bool,
    principals: Filter<Principal>,
    actions: Filter<String>,
    resources: Filter<String>,
    conditions: Vec<Condition>,
}

/// A list, or everything but what is in it.
#[derive(Debug, Clone, PartialEq)]
struct Filter<T> {
    listed: Vec<T>,
    except: bool,
}

impl<T> Filter<T> {
    fn admits(&self, is_it: impl Fn(&T) -> bool) -> bool {
        self.listed.iter().any(is_it) != self.except
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Principal {
    Everyone,
    /// An account number.
    Account(String),
    CanonicalUser(String),
    /// A user, a role or a service: nobody who can ask this store.
    Elsewhere,
}

impl Principal {
    fn is(&self, caller: &Account) -> bool {
        match self {
            Principal::Everyone => true,
            Principal::Account(number) => *number == caller.number,
            Principal::CanonicalUser(id) => !caller.is_anonymous() && *id == canonical_id(&caller.number),
            Principal::Elsewhere => false,
        }
    }
}

/// One action on one resource, which a policy is asked about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) caller: &'a Account,
    /// Such as `s3:GetObject`.
    pub(crate) action: &'a str,
    /// The bucket, or the bucket, a slash and the key.
    pub(crate) resource: &'a str,
    pub(crate) facts: &'a Facts,
}

/// What a policy says of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Allow,
    Deny,
    /// It is about others, other actions or other resources.
    Neither,
}

/// Judges a request: one statement that denies beats all that allow.
pub(crate) fn decide(policy: &Policy, request: Request<'_>) -> Decision {
    let mut decision = Decision::Neither;
    for statement in policy.0.iter().filter(|statement| statement.covers(request)) {
        if !statement.allow {
            return Decision::Deny;
        }
        decision = Decision::Allow;
    }
    decision
}

impl Statement {
    fn covers(&self, request: Request<'_>) -> bool {
        self.principals.admits(|principal| principal.is(request.caller))
            && self.actions.admits(|action| pattern::matches_any_case(action, request.action))
            && self.resources.admits(|resource| pattern::matches(resource, request.resource))
            && self.conditions.iter().all(|condition| condition.holds(request.facts))
    }

    /// Whether it lets in whoever comes.
    fn is_public(&self) -> bool {
        let everyone = self.principals.except || self.principals.listed.contains(&Principal::Everyone);
        self.allow && everyone && !self.conditions.iter().any(Condition::pins_down)
    }
}

impl Policy {
    /// Whether it opens anything to the public, as PublicAccessBlock and GetBucketPolicyStatus mean it.
    pub(crate) fn is_public(&self) -> bool {
        self.0.iter().any(Statement::is_public)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn account(number: &str) -> Account {
        Account { number: number.to_owned(), ..Account::anonymous() }
    }

    fn policy(statements: Value) -> Policy {
        let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        Policy::parse(text.as_bytes(), "b").unwrap()
    }

    /// Decides on `action` of `caller` on `resource`, with the facts `prefix` and `secure`.
    fn ask(policy: &Policy, caller: &str, action: &str, resource: &str, facts: &[(&str, &str)]) -> Decision {
        let facts = facts.iter().map(|(key, value)| (normal(key), vec![(*value).to_owned()])).collect();
        decide(policy, Request { caller: &account(caller), action, resource, facts: &facts })
    }

    const ME: &str = "111122223333";
    const OTHER: &str = "444455556666";

    #[test]
    fn principals() {
        let mine = canonical_id(ME);
        for (principal, caller, expected) in [
            (json!("*"), "", Decision::Allow),
            (json!({"AWS": "*"}), "", Decision::Allow),
            (json!({"AWS": ME}), ME, Decision::Allow),
            (json!({"AWS": ME}), OTHER, Decision::Neither),
            (json!({"AWS": ME}), "", Decision::Neither),
            (json!({"AWS": [OTHER, format!("arn:aws:iam::{ME}:root")]}), ME, Decision::Allow),
            (json!({"AWS": format!("arn:aws:iam::{ME}:user/ann")}), ME, Decision::Neither),
            (json!({"CanonicalUser": mine}), ME, Decision::Allow),
            (json!({"CanonicalUser": mine}), OTHER, Decision::Neither),
            (json!({"Service": "cloudfront.amazonaws.com"}), ME, Decision::Neither),
        ] {
            let policy = policy(json!({"Effect": "Allow", "Principal": principal.clone(), "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::b/*"}));
            assert_eq!(ask(&policy, caller, "s3:GetObject", "b/k", &[]), expected, "{principal} {caller}");
        }
        let others = policy(json!([{"Effect": "Deny", "NotPrincipal": {"AWS": ME}, "Action": "s3:*",
            "Resource": "arn:aws:s3:::b/*"}]));
        assert_eq!(ask(&others, ME, "s3:GetObject", "b/k", &[]), Decision::Neither);
        assert_eq!(ask(&others, "", "s3:GetObject", "b/k", &[]), Decision::Deny);
    }

    #[test]
    fn actions_and_resources() {
        let policy = policy(json!([
            {"Effect": "Allow", "Principal": "*", "Action": ["s3:get*", "s3:PutObject"],
             "Resource": ["arn:aws:s3:::b/public/*", "arn:aws:s3:::b/one"]},
            {"Effect": "Deny", "Principal": "*", "NotAction": ["s3:Get*"], "NotResource": "arn:aws:s3:::b/public/free/*"},
        ]));
        for (action, resource, expected) in [
            ("s3:GetObject", "b/public/a/b", Decision::Allow),
            ("s3:GetObject", "b/one", Decision::Allow),
            ("s3:GetObject", "b/two", Decision::Neither),
            ("s3:PutObject", "b/one", Decision::Deny),
            ("s3:PutObject", "b/public/free/x", Decision::Allow),
            ("s3:DeleteObject", "b/two", Decision::Deny),
            ("s3:ListBucket", "b", Decision::Deny),
        ] {
            assert_eq!(ask(&policy, ME, action, resource, &[]), expected, "{action} {resource}");
        }
    }

    #[test]
    fn all_conditions_must_hold() {
        let policy = policy(json!([{"Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::b", "Condition": {
                "StringLike": {"s3:prefix": ["home/*", ""]}, "Bool": {"aws:SecureTransport": true},
                "NumericLessThanEquals": {"s3:max-keys": 10}}}]));
        for (facts, expected) in [
            (&[("s3:prefix", "home/me"), ("aws:SecureTransport", "true"), ("s3:max-keys", "10")][..], Decision::Allow),
            (&[("s3:prefix", ""), ("aws:SecureTransport", "true"), ("s3:max-keys", "1")], Decision::Allow),
            (&[("s3:prefix", "etc"), ("aws:SecureTransport", "true"), ("s3:max-keys", "1")], Decision::Neither),
            (&[("s3:prefix", "home/me"), ("aws:SecureTransport", "false"), ("s3:max-keys", "1")], Decision::Neither),
            (&[("s3:prefix", "home/me"), ("aws:SecureTransport", "true")], Decision::Neither),
        ] {
            assert_eq!(ask(&policy, ME, "s3:ListBucket", "b", facts), expected, "{facts:?}");
        }
    }

    #[test]
    fn what_is_public() {
        let with = |principal: Value, condition: Value| {
            policy(json!([{"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::b/*", "Condition": condition}]))
            .is_public()
        };
        assert!(with(json!("*"), json!({})));
        assert!(!with(json!({"AWS": ME}), json!({})));
        assert!(with(json!("*"), json!({"StringLike": {"aws:Referer": "https://example.com/*"}})));
        assert!(!with(json!("*"), json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})));
        assert!(with(json!("*"), json!({"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}})));
        assert!(with(json!("*"), json!({"StringNotEquals": {"aws:PrincipalAccount": ME}})));
    }
}
