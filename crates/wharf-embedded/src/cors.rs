//! Requests across origins: the rules of a bucket, and what they answer. No I/O.

use http::HeaderMap;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HeaderName, HeaderValue, VARY,
};
use s3s::dto::{CORSConfiguration, CORSRule};

use crate::error::{Code, Error, Result};
use crate::pattern::Pattern;
use crate::xml;

const MOST_RULES: usize = 100;
const METHODS: [&str; 5] = ["GET", "PUT", "HEAD", "POST", "DELETE"];
const VARIES: &str = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

/// Reads a configuration and checks it.
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<CORSRule>> {
    let configuration: CORSConfiguration = xml::parse(bytes)?;
    let rules = configuration.cors_rules;
    if rules.is_empty() || rules.len() > MOST_RULES {
        return Err(Code::MalformedXml.into());
    }
    let invalid = |message: String| Err(Error::new(Code::InvalidRequest, message));
    for rule in &rules {
        if rule.allowed_methods.is_empty() || rule.allowed_origins.is_empty() {
            return Err(Code::MalformedXml.into());
        }
        if let Some(method) = rule.allowed_methods.iter().find(|method| !METHODS.contains(&method.as_str())) {
            return invalid(format!("Found unsupported HTTP method in CORS config. Unsupported method is {method}"));
        }
        let many = |text: &&String| text.matches('*').count() > 1;
        if let Some(origin) = rule.allowed_origins.iter().find(many) {
            return invalid(format!("AllowedOrigin \"{origin}\" can not have more than one wildcard."));
        }
        if let Some(header) = rule.allowed_headers.iter().flatten().find(many) {
            return invalid(format!("AllowedHeader \"{header}\" can not have more than one wildcard."));
        }
        if let Some(header) = rule.expose_headers.iter().flatten().find(|header| header.contains('*')) {
            return invalid(format!(
                "ExposeHeader \"{header}\" contains wildcard. We currently do not support wildcard for ExposeHeader."
            ));
        }
    }
    Ok(rules)
}

/// A question across origins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) origin: &'a str,
    pub(crate) method: &'a str,
    /// The headers that a preflight asks for, in one line; a request itself has none to ask for.
    pub(crate) headers: Option<&'a str>,
}

/// The headers of the answer, by the first rule that allows what is asked. Without one there are none.
pub(crate) fn answer(rules: &[CORSRule], question: Question<'_>) -> Option<HeaderMap> {
    let rule = rules.iter().find(|rule| allows(rule, question))?;
    let mut answer = HeaderMap::new();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            answer.insert(name, value);
        }
    };
    // Who may be anybody is told so, and sends no credentials.
    if rule.allowed_origins.iter().any(|origin| origin == "*") {
        set(ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    } else {
        set(ACCESS_CONTROL_ALLOW_ORIGIN, question.origin);
        set(ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    }
    set(ACCESS_CONTROL_ALLOW_METHODS, &rule.allowed_methods.join(", "));
    if let Some(headers) = question.headers.filter(|headers| !headers.trim().is_empty()) {
        set(ACCESS_CONTROL_ALLOW_HEADERS, &names(headers).collect::<Vec<_>>().join(", "));
    }
    if let Some(exposed) = rule.expose_headers.as_ref().filter(|exposed| !exposed.is_empty()) {
        set(ACCESS_CONTROL_EXPOSE_HEADERS, &exposed.join(", "));
    }
    if let Some(seconds) = rule.max_age_seconds {
        set(ACCESS_CONTROL_MAX_AGE, &seconds.to_string());
    }
    set(VARY, VARIES);
    Some(answer)
}

fn allows(rule: &CORSRule, question: Question<'_>) -> bool {
    let allowed = rule.allowed_headers.iter().flatten().map(|header| Pattern::new(header.to_lowercase()));
    let allowed: Vec<Pattern> = allowed.collect();
    let header = |name: String| allowed.iter().any(|pattern| pattern.matches(&name));
    rule.allowed_origins.iter().any(|origin| Pattern::new(origin).matches(question.origin))
        && rule.allowed_methods.iter().any(|method| method == question.method)
        && names(question.headers.unwrap_or_default()).all(header)
}

/// The names in a line of names, in lower case.
fn names(line: &str) -> impl Iterator<Item = String> {
    line.split(',').map(|name| name.trim().to_lowercase()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(inside: &str) -> Result<Vec<CORSRule>> {
        parse(format!("<CORSConfiguration><CORSRule>{inside}</CORSRule></CORSConfiguration>").as_bytes())
    }

    const TWO: &str = "<AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod>";

    #[test]
    fn which_rule_answers() {
        let inside = format!(
            "{TWO}<AllowedOrigin>https://*.example.com</AllowedOrigin><AllowedHeader>x-amz-*</AllowedHeader>\
             <ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>60</MaxAgeSeconds>"
        );
        let rules = rule(&inside).unwrap();
        for (origin, method, headers, allowed) in [
            ("https://a.example.com", "GET", None, true),
            ("https://example.com", "GET", None, false),
            ("https://.example.com", "GET", None, true),
            ("http://a.example.com", "GET", None, false),
            ("https://a.example.com", "DELETE", None, false),
            ("https://a.example.com", "PUT", Some("X-Amz-Date, x-amz-acl"), true),
            ("https://a.example.com", "PUT", Some("x-amz-date, content-type"), false),
        ] {
            let found = answer(&rules, Question { origin, method, headers });
            assert_eq!(found.is_some(), allowed, "{origin} {method} {headers:?}");
        }
        let origin = "https://a.example.com";
        let found = answer(&rules, Question { origin, method: "PUT", headers: Some("X-Amz-Date") }).unwrap();
        for (name, value) in [
            ("access-control-allow-origin", origin),
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-methods", "GET, PUT"),
            ("access-control-allow-headers", "x-amz-date"),
            ("access-control-expose-headers", "ETag"),
            ("access-control-max-age", "60"),
            ("vary", VARIES),
        ] {
            assert_eq!(found[name], value, "{name}");
        }
        let anybody = rule(&format!("{TWO}<AllowedOrigin>*</AllowedOrigin>")).unwrap();
        let found = answer(&anybody, Question { origin, method: "GET", headers: None }).unwrap();
        assert_eq!(found["access-control-allow-origin"], "*");
        assert!(!found.contains_key("access-control-allow-credentials"));
    }

    #[test]
    fn what_is_refused() {
        let origin = "<AllowedOrigin>*</AllowedOrigin>";
        for (inside, code) in [
            (TWO.to_owned(), Code::MalformedXml),
            (origin.to_owned(), Code::MalformedXml),
            (format!("{origin}<AllowedMethod>PATCH</AllowedMethod>"), Code::InvalidRequest),
            (format!("{TWO}<AllowedOrigin>*.*</AllowedOrigin>"), Code::InvalidRequest),
            (format!("{TWO}{origin}<AllowedHeader>*a*</AllowedHeader>"), Code::InvalidRequest),
            (format!("{TWO}{origin}<ExposeHeader>*</ExposeHeader>"), Code::InvalidRequest),
            (format!("{TWO}{origin}<Colour>red</Colour>"), Code::MalformedXml),
        ] {
            assert_eq!(rule(&inside).unwrap_err().code(), code, "{inside}");
        }
    }
}
