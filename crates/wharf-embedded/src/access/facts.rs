//! What a request says of itself to the conditions of a policy.

use std::time::UNIX_EPOCH;

use http::HeaderName;

use crate::access::policy::{Facts, normal};
use crate::backend::{Bucket, Object};
use crate::call::Call;
use crate::tags;
use crate::time::{iso_date, parse_amz_date, whole_seconds};

/// Keys whose values are headers of another name.
const HEADERS: [(&str, &str); 7] = [
    ("aws:referer", "referer"),
    ("aws:useragent", "user-agent"),
    ("s3:if-match", "if-match"),
    ("s3:if-none-match", "if-none-match"),
    ("s3:object-lock-mode", "x-amz-object-lock-mode"),
    ("s3:object-lock-retain-until-date", "x-amz-object-lock-retain-until-date"),
    ("s3:object-lock-legal-hold", "x-amz-object-lock-legal-hold"),
];

/// The facts of a request about `object`, as far as they are known; what is not known is absent.
pub(super) fn of(call: &Call, bucket: &Bucket, version: Option<&str>, object: Option<&Object>) -> Facts {
    let mut facts = Facts::new();
    let mut add = |key: &str, value: String| facts.entry(normal(key)).or_default().push(value);
    add("aws:CurrentTime", iso_date(call.now));
    add("aws:EpochTime", whole_seconds(call.now).to_string());
    add("aws:RequestedRegion", call.shared.region.clone());
    add("aws:ResourceAccount", bucket.owner.clone());
    add("s3:ResourceAccount", bucket.owner.clone());
    add("aws:SecureTransport", call.peer.is_some_and(|peer| peer.secure).to_string());
    add("aws:PrincipalIsAWSService", false.to_string());
    add("aws:ViaAWSService", false.to_string());
    if let Some(peer) = call.peer {
        add("aws:SourceIp", peer.ip.to_canonical().to_string());
    }
    if call.account.is_anonymous() {
        add("aws:PrincipalType", "Anonymous".to_owned());
        add("aws:userid", "anonymous".to_owned());
    } else {
        add("aws:PrincipalType", "Account".to_owned());
        add("aws:PrincipalAccount", call.account.number.clone());
        add("aws:PrincipalArn", format!("arn:aws:iam::{}:root", call.account.number));
        add("aws:userid", call.account.number.clone());
        signature(call, &mut add);
    }
    for (key, header) in HEADERS {
        if let Some(value) = call.header(header) {
            add(key, value.to_owned());
        }
    }
    for name in call.headers.keys().map(HeaderName::as_str).filter(|name| name.starts_with("x-amz-")) {
        // Of several values the first is the one that counts, here as everywhere.
        if let Some(value) = call.header(name) {
            add(&format!("s3:{name}"), value.to_owned());
        }
    }
    for name in ["prefix", "delimiter", "max-keys"] {
        if let Some(value) = call.query.get(name) {
            add(&format!("s3:{name}"), value.to_owned());
        }
    }
    if let Some(version) = version {
        add("s3:VersionId", version.to_owned());
    }
    for (key, value) in object.map(|object| object.tags.as_slice()).unwrap_or_default() {
        add(&format!("s3:ExistingObjectTag/{key}"), value.clone());
    }
    for (key, value) in asked_tags(call) {
        add(&format!("s3:RequestObjectTag/{key}"), value);
        add("s3:RequestObjectTagKeys", key);
    }
    facts
}

fn signature(call: &Call, add: &mut impl FnMut(&str, String)) {
    let presigned = call.query.get("X-Amz-Date");
    add("s3:signatureversion", "AWS4-HMAC-SHA256".to_owned());
    add("s3:authType", if presigned.is_some() { "REST-QUERY-STRING" } else { "REST-HEADER" }.to_owned());
    let signed = presigned.or_else(|| call.header("x-amz-date")).and_then(parse_amz_date).unwrap_or(UNIX_EPOCH);
    let age = call.now.duration_since(signed).unwrap_or_default();
    add("s3:signatureAge", age.as_millis().to_string());
}

/// The tags a request brings, which may be in its header or its document. What is wrong with them is told later.
fn asked_tags(call: &Call) -> tags::Tags {
    match call.header("x-amz-tagging") {
        Some(header) => tags::of_header(header).unwrap_or_default(),
        None if call.query.has("tagging") => {
            tags::of_document(&call.document, tags::MOST_OF_OBJECT).unwrap_or_default()
        }
        None => tags::Tags::new(),
    }
}
