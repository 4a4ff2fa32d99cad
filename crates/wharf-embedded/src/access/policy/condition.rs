//! Conditions of a policy's statements: an operator, a key, and the values it is compared with.

use std::cmp::Ordering;
use std::net::IpAddr;
use std::time::SystemTime;

use super::pattern;
use crate::time::parse_iso_date;

/// What a request says of itself: by condition key in lower case.
pub(crate) type Facts = std::collections::BTreeMap<String, Vec<String>>;

/// One line of a `Condition` block.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    operator: Operator,
    /// In lower case, except for the name of a tag.
    key: String,
    values: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
struct Operator {
    test: Test,
    negated: bool,
    if_exists: bool,
    quantifier: Quantifier,
}

/// How many of a key's values must fit.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Quantifier {
    /// Nothing is said: any will do, and an absent key is unlike every value.
    None,
    /// `ForAnyValue:`, which no absent key fulfils.
    Any,
    /// `ForAllValues:`, which an absent key fulfils.
    All,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Test {
    Same,
    SameInAnyCase,
    Like,
    Number(Relation),
    Date(Relation),
    Bool,
    Ip,
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Keys that S3 knows, without those of one tag.
const KEYS: [&str; 61] = [
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:currenttime",
    "aws:epochtime",
    "aws:federatedprovider",
    "aws:multifactorauthage",
    "aws:multifactorauthpresent",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalisawsservice",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "aws:principaltype",
    "aws:referer",
    "aws:requestedregion",
    "aws:resourceaccount",
    "aws:resourceorgid",
    "aws:resourceorgpaths",
    "aws:securetransport",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:tagkeys",
    "aws:tokenissuetime",
    "aws:useragent",
    "aws:userid",
    "aws:username",
    "aws:viaawsservice",
    "aws:vpcsourceip",
    "s3:authtype",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "s3:delimiter",
    "s3:if-match",
    "s3:if-none-match",
    "s3:locationconstraint",
    "s3:max-keys",
    "s3:object-lock-legal-hold",
    "s3:object-lock-mode",
    "s3:object-lock-remaining-retention-days",
    "s3:object-lock-retain-until-date",
    "s3:objectcreationoperation",
    "s3:prefix",
    "s3:requestobjecttagkeys",
    "s3:resourceaccount",
    "s3:signatureage",
    "s3:signatureversion",
    "s3:tlsversion",
    "s3:versionid",
    "s3:x-amz-acl",
    "s3:x-amz-content-sha256",
    "s3:x-amz-copy-source",
    "s3:x-amz-metadata-directive",
    "s3:x-amz-storage-class",
];

/// Beginnings of keys whose rest is a tag's name, a kind of grant or a way of encryption.
const FAMILIES: [&str; 7] = [
    "s3:existingobjecttag/",
    "s3:requestobjecttag/",
    "s3:x-amz-grant-",
    "s3:x-amz-server-side-encryption",
    "aws:principaltag/",
    "aws:requesttag/",
    "aws:resourcetag/",
];

impl Condition {
    /// Reads one line; what is wrong with it is said as S3 says it.
    pub(crate) fn parse(operator: &str, key: &str, values: Vec<String>) -> Result<Self, String> {
        let operator = Operator::parse(operator).ok_or_else(|| format!("Invalid Condition type : {operator}"))?;
        let key = normal(key);
        if !KEYS.contains(&key.as_str()) && !FAMILIES.iter().any(|family| key.starts_with(family)) {
            return Err("Policy has an invalid condition key".to_owned());
        }
        let valid = |value: &String| match operator.test {
            Test::Number(_) => value.parse::<f64>().is_ok(),
            Test::Date(_) => date(value).is_some(),
            Test::Bool | Test::Null => matches!(value.to_ascii_lowercase().as_str(), "true" | "false"),
            Test::Ip => network(value).is_some(),
            Test::Same | Test::SameInAnyCase | Test::Like => true,
        };
        match values.iter().find(|value| !valid(value)) {
            Some(value) => Err(format!("Invalid value in a condition on {key}: {value}")),
            None => Ok(Self { operator, key, values }),
        }
    }

    /// Whether the facts are as the condition wants them.
    pub(crate) fn holds(&self, facts: &Facts) -> bool {
        let Operator { test, negated, if_exists, quantifier } = self.operator;
        let found = facts.get(&self.key).map(Vec::as_slice).unwrap_or_default();
        if test == Test::Null {
            let absent = if found.is_empty() { "true" } else { "false" };
            return self.values.iter().any(|value| value.eq_ignore_ascii_case(absent));
        }
        if found.is_empty() {
            return if_exists
                || match quantifier {
                    Quantifier::None => negated,
                    Quantifier::Any => false,
                    Quantifier::All => true,
                };
        }
        let fits = |fact: &String| self.values.iter().any(|value| test.accepts(value, fact)) != negated;
        match quantifier {
            Quantifier::All => found.iter().all(fits),
            Quantifier::None | Quantifier::Any => found.iter().any(fits),
        }
    }

    /// Whether it pins the request down to a few known senders, so that a policy for everybody is none for the public.
    pub(crate) fn pins_down(&self) -> bool {
        const SENDERS: [&str; 13] = [
            "aws:principalaccount",
            "aws:principalarn",
            "aws:principalorgid",
            "aws:principalorgpaths",
            "aws:sourceaccount",
            "aws:sourcearn",
            "aws:sourceip",
            "aws:sourcevpc",
            "aws:sourcevpce",
            "aws:userid",
            "aws:username",
            "s3:dataaccesspointaccount",
            "s3:dataaccesspointarn",
        ];
        let fixed = |value: &String| match self.operator.test {
            Test::Ip => network(value).is_some_and(|(ip, bits)| bits >= if ip.is_ipv4() { 8 } else { 32 }),
            _ => !value.contains(['*', '?']) || (self.key == "aws:sourcearn" && !value.starts_with('*')),
        };
        let Operator { negated, if_exists, quantifier, .. } = self.operator;
        let all = quantifier == Quantifier::All;
        !negated && !if_exists && !all && SENDERS.contains(&self.key.as_str()) && self.values.iter().all(fixed)
    }
}

/// A key in lower case, save for the name of a tag.
pub(crate) fn normal(key: &str) -> String {
    match key.split_once('/') {
        Some((family, tag)) => format!("{}/{tag}", family.to_ascii_lowercase()),
        None => key.to_ascii_lowercase(),
    }
}

impl Operator {
    fn parse(text: &str) -> Option<Self> {
        let (quantifier, rest) = match (text.strip_prefix("ForAllValues:"), text.strip_prefix("ForAnyValue:")) {
            (Some(rest), _) => (Quantifier::All, rest),
            (None, Some(rest)) => (Quantifier::Any, rest),
            (None, None) => (Quantifier::None, text),
        };
        let (if_exists, name) = match rest.strip_suffix("IfExists") {
            Some(name) => (true, name),
            None => (false, rest),
        };
        let relation = |name: &str| match name {
            "Equals" => Some((Relation::Equal, false)),
            "NotEquals" => Some((Relation::Equal, true)),
            "LessThan" => Some((Relation::Less, false)),
            "LessThanEquals" => Some((Relation::LessOrEqual, false)),
            "GreaterThan" => Some((Relation::Greater, false)),
            "GreaterThanEquals" => Some((Relation::GreaterOrEqual, false)),
            _ => None,
        };
        let (test, negated) = match name {
            "StringEquals" | "BinaryEquals" => (Test::Same, false),
            "StringNotEquals" => (Test::Same, true),
            "StringEqualsIgnoreCase" => (Test::SameInAnyCase, false),
            "StringNotEqualsIgnoreCase" => (Test::SameInAnyCase, true),
            "StringLike" | "ArnEquals" | "ArnLike" => (Test::Like, false),
            "StringNotLike" | "ArnNotEquals" | "ArnNotLike" => (Test::Like, true),
            "Bool" => (Test::Bool, false),
            "IpAddress" => (Test::Ip, false),
            "NotIpAddress" => (Test::Ip, true),
            "Null" if !if_exists => (Test::Null, false),
            _ => match (name.strip_prefix("Numeric"), name.strip_prefix("Date")) {
                (Some(name), _) => relation(name).map(|(relation, negated)| (Test::Number(relation), negated))?,
                (None, Some(name)) => relation(name).map(|(relation, negated)| (Test::Date(relation), negated))?,
                (None, None) => return None,
            },
        };
        Some(Self { test, negated, if_exists, quantifier })
    }
}

impl Test {
    fn accepts(self, value: &str, fact: &str) -> bool {
        match self {
            Test::Same => value == fact,
            Test::SameInAnyCase | Test::Bool => value.to_lowercase() == fact.to_lowercase(),
            Test::Like => pattern::matches(value, fact),
            Test::Number(relation) => {
                let (fact, value) = (fact.parse::<f64>(), value.parse::<f64>());
                fact.ok().zip(value.ok()).is_some_and(|(fact, value)| relation.holds(fact.partial_cmp(&value)))
            }
            Test::Date(relation) => {
                let (fact, value) = (date(fact), date(value));
                fact.zip(value).is_some_and(|(fact, value)| relation.holds(Some(fact.cmp(&value))))
            }
            Test::Ip => {
                let (network, fact) = (network(value), fact.parse::<IpAddr>().ok());
                network.zip(fact).is_some_and(|((ip, bits), fact)| within(fact, ip, bits))
            }
            Test::Null => false,
        }
    }
}

impl Relation {
    fn holds(self, order: Option<Ordering>) -> bool {
        order.is_some_and(|order| match self {
            Relation::Equal => order.is_eq(),
            Relation::Less => order.is_lt(),
            Relation::LessOrEqual => order.is_le(),
            Relation::Greater => order.is_gt(),
            Relation::GreaterOrEqual => order.is_ge(),
        })
    }
}

/// A date, or seconds since 1970.
fn date(text: &str) -> Option<SystemTime> {
    let seconds = |text: &str| {
        let seconds = std::time::Duration::from_secs(text.parse().ok()?);
        SystemTime::UNIX_EPOCH.checked_add(seconds)
    };
    seconds(text).or_else(|| parse_iso_date(text)).or_else(|| parse_iso_date(&format!("{text}T00:00:00Z")))
}

/// An address and how many of its bits count: all of them without a number behind it.
fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (ip, bits) = text.split_once('/').map_or((text, None), |(ip, bits)| (ip, Some(bits)));
    let ip: IpAddr = ip.parse().ok()?;
    let most = if ip.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(most), |bits| bits.parse().ok()).filter(|bits| *bits <= most)?;
    Some((ip, bits))
}

fn within(fact: IpAddr, ip: IpAddr, bits: u32) -> bool {
    let same = |fact: u128, ip: u128, width: u32| bits == 0 || (fact ^ ip) >> (width - bits) == 0;
    match (fact.to_canonical(), ip) {
        (IpAddr::V4(fact), IpAddr::V4(ip)) => same(u32::from(fact).into(), u32::from(ip).into(), 32),
        (IpAddr::V6(fact), IpAddr::V6(ip)) => same(fact.into(), ip.into(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(operator: &str, values: &[&str], fact: Option<&str>) -> bool {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        let condition = Condition::parse(operator, "s3:prefix", values).unwrap();
        let facts = fact.map(|fact| ("s3:prefix".to_owned(), vec![fact.to_owned()]));
        condition.holds(&facts.into_iter().collect())
    }

    #[test]
    fn every_operator() {
        for (operator, values, fact, expected) in [
            ("StringEquals", &["a", "b"][..], Some("b"), true),
            ("StringEquals", &["a"], Some("A"), false),
            ("StringEquals", &["a"], None, false),
            ("StringEqualsIfExists", &["a"], None, true),
            ("StringEqualsIfExists", &["a"], Some("b"), false),
            ("StringNotEquals", &["a", "b"], Some("b"), false),
            ("StringNotEquals", &["a"], Some("b"), true),
            ("StringNotEquals", &["a"], None, true),
            ("StringEqualsIgnoreCase", &["É"], Some("é"), true),
            ("StringNotEqualsIgnoreCase", &["É"], Some("é"), false),
            ("StringLike", &["home/*"], Some("home/me"), true),
            ("StringNotLike", &["home/*"], Some("home/me"), false),
            ("ArnLike", &["arn:*:b"], Some("arn:a:b"), true),
            ("NumericEquals", &["10"], Some("10.0"), true),
            ("NumericNotEquals", &["10"], Some("10"), false),
            ("NumericLessThan", &["10"], Some("10"), false),
            ("NumericLessThanEquals", &["10"], Some("10"), true),
            ("NumericGreaterThan", &["10"], Some("11"), true),
            ("NumericGreaterThanEquals", &["10"], Some("9"), false),
            ("NumericGreaterThan", &["10"], Some("many"), false),
            ("DateLessThan", &["2030-01-01T00:00:00Z"], Some("2029-12-31T23:59:59Z"), true),
            ("DateGreaterThanEquals", &["2030-01-01"], Some("2029-12-31T23:59:59Z"), false),
            ("DateEquals", &["0"], Some("1970-01-01T00:00:00Z"), true),
            ("Bool", &["true"], Some("TRUE"), true),
            ("Bool", &["true"], None, false),
            ("IpAddress", &["10.0.0.0/8"], Some("10.1.2.3"), true),
            ("IpAddress", &["10.0.0.0/8"], Some("11.1.2.3"), false),
            ("IpAddress", &["10.0.0.1"], Some("::ffff:10.0.0.1"), true),
            ("IpAddress", &["2001:db8::/32"], Some("2001:db8:1::1"), true),
            ("IpAddress", &["0.0.0.0/0"], None, false),
            ("NotIpAddress", &["10.0.0.0/8"], Some("11.1.2.3"), true),
            ("Null", &["true"], None, true),
            ("Null", &["false"], None, false),
            ("Null", &["false"], Some(""), true),
            ("ForAllValues:StringEquals", &["a"], None, true),
            ("ForAllValues:StringNotEquals", &["a"], None, true),
            ("ForAnyValue:StringEquals", &["a"], Some("a"), true),
            ("ForAnyValue:StringEquals", &["a"], None, false),
            ("ForAnyValue:StringNotEquals", &["a"], Some("b"), true),
            ("ForAnyValue:StringNotEquals", &["a"], None, false),
            ("ForAnyValue:StringNotEqualsIfExists", &["a"], None, true),
        ] {
            assert_eq!(holds(operator, values, fact), expected, "{operator} {values:?} {fact:?}");
        }
    }

    #[test]
    fn quantifiers() {
        let facts: Facts = [("s3:requestobjecttagkeys".to_owned(), vec!["a".to_owned(), "b".to_owned()])].into();
        for (operator, values, expected) in [
            ("ForAllValues:StringEquals", &["a", "b"][..], true),
            ("ForAllValues:StringEquals", &["a"], false),
            ("ForAnyValue:StringEquals", &["a"], true),
            ("ForAnyValue:StringEquals", &["c"], false),
        ] {
            let values = values.iter().map(|value| (*value).to_owned()).collect();
            let condition = Condition::parse(operator, "s3:RequestObjectTagKeys", values).unwrap();
            assert_eq!(condition.holds(&facts), expected, "{operator}");
        }
    }

    #[test]
    fn what_is_refused() {
        for (operator, key, value) in [
            ("StringEqual", "s3:prefix", "a"),
            ("NullIfExists", "s3:prefix", "true"),
            ("StringEquals", "s3:colour", "a"),
            ("StringEquals", "colour", "a"),
            ("NumericEquals", "s3:max-keys", "ten"),
            ("IpAddress", "aws:SourceIp", "10.0.0.0/33"),
            ("DateLessThan", "aws:CurrentTime", "soon"),
            ("Bool", "aws:SecureTransport", "maybe"),
        ] {
            assert!(Condition::parse(operator, key, vec![value.to_owned()]).is_err(), "{operator} {key} {value}");
        }
        assert_eq!(normal("s3:ExistingObjectTag/Team"), "s3:existingobjecttag/Team");
    }
}
