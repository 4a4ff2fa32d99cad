//! The signing cases of the AWS common runtime, where they lie beside the workspace.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests are tests")]
#![cfg(feature = "json")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use http::request::Parts;
use http::{HeaderMap, Method, Request};
use serde_json::Value;
use wharf_proto::Credentials;
use wharf_proto::sigv4::{Payload, Scope, Signer, SigningKeyCache, uri_encode};

/// 2015-08-30T12:36:00Z, the time of every case.
const TIME: u64 = 1_440_938_160;

#[test]
#[expect(clippy::disallowed_methods, reason = "the cases are files")]
fn every_case_that_fits_s3() {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases/sigv4"));
    if !root.is_dir() {
        println!("skipped: no signing cases at ../shared/cases/sigv4");
        return;
    }
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let list = [root.join("sigv4-s3-applicability.json"), root.join("../sigv4-s3-applicability.json")];
    let list = list.iter().find(|path| path.exists()).expect("the list of cases that fit S3");
    let list: Value = serde_json::from_str(&read(list)).unwrap();
    let names = list["s3_applicable"].as_array().unwrap();
    for name in names {
        let name = name.as_str().unwrap();
        Case::parse(name, |file| read(&root.join(name).join(file))).check();
    }
    assert_eq!(names.len(), 32);
}

/// Some of them, which are here everywhere: another alphabet, a folded header, one that comes twice, an order, a body.
#[test]
fn some_cases_by_value() {
    let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    for (request, in_header, in_query) in [
        (
            "GET /ሴ HTTP/1.1\nHost:example.amazonaws.com",
            "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
            "10eae3f14a260bd3911cc6d008d3c576d143b05b62f09782a7a4b37f52178e44",
        ),
        (
            "GET / HTTP/1.1\nHost:example.amazonaws.com\nMy-Header1:value1\n  value2\n     value3",
            "cfd34249e4b1c8d6b91ef74165d41a32e5fab3306300901bb65a51a73575eefd",
            "e6f5def831211aca02987a44b96826706278c7bc078112ae0263659c5b2f2d56",
        ),
        (
            "GET / HTTP/1.1\nHost:example.amazonaws.com\nMy-Header1:value2\nMy-Header1:value2\nMy-Header1:value1",
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
            "3349ee0b81b4b589da0ff28a395c3591e04de515651dd74f298fa992d1507a97",
        ),
        (
            "GET /?Param-3=Value3&Param=Value2&%E1%88%B4=Value1 HTTP/1.1\nHost:example.amazonaws.com",
            "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
            "c5f1848ceec943ac2ca68ee720460c23aaae30a2300586597ada94c4a65e4787",
        ),
        (
            "POST / HTTP/1.1\nContent-Type:application/x-www-form-urlencoded\nHost:example.amazonaws.com\nContent-Length:13\n\nParam1=value1",
            "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
            "89a40deed0f26f9461242825a082d2222717248abc7ab41f552ad84a94ad46e9",
        ),
    ] {
        let (parts, body) = parse_request(request);
        let scope = Scope { service: "service", payload_header: !body.is_empty(), ..Scope::s3("us-east-1") };
        let payload = if body.is_empty() { Payload::EMPTY } else { Payload::sha256(body.as_bytes()) };
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(TIME);
        let signer = Signer::new(&credentials, scope, time, &SigningKeyCache::new());
        assert_eq!(signer.sign(&mut parts.clone(), payload).unwrap().as_str(), in_header, "{request}");
        let mut headers = parts.headers.clone();
        headers.remove("host");
        let link = signer.presign(&parts.method, &parts.uri, &headers, Duration::from_secs(3600), payload).unwrap();
        assert!(link.to_string().ends_with(&format!("&X-Amz-Signature={in_query}")), "{request}: {link}");
    }
}

struct Case<R> {
    name: String,
    read: R,
    context: Value,
    credentials: Credentials,
    parts: Parts,
    body: String,
}

impl<R: Fn(&str) -> String> Case<R> {
    fn parse(name: &str, read: R) -> Self {
        let context: Value = serde_json::from_str(&read("context.json")).unwrap();
        assert_eq!(context["timestamp"], "2015-08-30T12:36:00Z");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut credentials = Credentials::new(
            text(&context["credentials"]["access_key_id"]),
            text(&context["credentials"]["secret_access_key"]),
        );
        // A token that is added after signing is no business of the signature.
        if context["omit_session_token"] != true && context["credentials"]["token"].is_string() {
            credentials = credentials.with_session_token(text(&context["credentials"]["token"]));
        }
        let (parts, body) = parse_request(&read("request.txt"));
        Self { name: name.to_owned(), read, context, credentials, parts, body }
    }

    fn check(self) {
        let Self { name, read, context, credentials, parts, body } = self;
        let scope = Scope {
            service: context["service"].as_str().unwrap(),
            payload_header: context["sign_body"] == true,
            ..Scope::s3(context["region"].as_str().unwrap())
        };
        let payload = if scope.payload_header { Payload::sha256(body.as_bytes()) } else { Payload::EMPTY };
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(TIME);
        let signer = Signer::new(&credentials, scope, time, &SigningKeyCache::new());

        let mut signed = parts.clone();
        let signature = signer.sign(&mut signed, payload).unwrap();
        let explained = signer.explain(&signed, payload).unwrap();
        assert_eq!(explained.canonical_request, read("header-canonical-request.txt").trim_end(), "{name}");
        assert_eq!(explained.string_to_sign, read("header-string-to-sign.txt").trim_end(), "{name}");
        assert_eq!(signature.as_str(), read("header-signature.txt").trim(), "{name}");
        let expected = read("header-signed-request.txt");
        let expected = expected.lines().find_map(|line| line.strip_prefix("Authorization:")).unwrap();
        assert_eq!(signed.headers["authorization"], expected, "{name}");

        let mut headers = parts.headers.clone();
        headers.remove("host");
        let expires = Duration::from_secs(context["expiration_in_seconds"].as_u64().unwrap());
        let link = signer.presign(&parts.method, &parts.uri, &headers, expires, payload).unwrap();
        let explained = signer.explain_presigned(&parts.method, &link, &headers, payload).unwrap();
        assert_eq!(explained.canonical_request, read("query-canonical-request.txt").trim_end(), "{name}");
        assert_eq!(explained.string_to_sign, read("query-string-to-sign.txt").trim_end(), "{name}");
        let signature = format!("&X-Amz-Signature={}", read("query-signature.txt").trim());
        assert!(link.to_string().ends_with(&signature), "{name}: {link} lacks {signature}");

        let expected = read("query-signed-request.txt");
        let mut expected = parameters(expected.split_once('?').unwrap().1.split(' ').next().unwrap());
        if context["omit_session_token"] == true {
            expected.retain(|parameter| !parameter.starts_with("X-Amz-Security-Token="));
        }
        assert_eq!(parameters(link.query().unwrap()), expected, "{name}");
    }
}

fn parameters(query: &str) -> Vec<&str> {
    let mut parameters: Vec<_> = query.split('&').collect();
    parameters.sort_unstable();
    parameters
}

/// Reads a raw request, whose path is not encoded yet and whose header lines may be folded.
fn parse_request(text: &str) -> (Parts, String) {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let line = lines.next().unwrap().strip_suffix(" HTTP/1.1").unwrap();
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));

    let mut fields: Vec<(String, String)> = Vec::new();
    for line in lines {
        if line.starts_with(' ') {
            fields.last_mut().unwrap().1.push_str(line);
        } else {
            let (name, value) = line.split_once(':').unwrap();
            fields.push((name.to_owned(), value.to_owned()));
        }
    }
    let host = &fields.iter().find(|(name, _)| name == "Host").unwrap().1;
    let mut uri = format!("https://{host}");
    uri_encode::path(path, &mut uri);
    if let Some(query) = query {
        uri.push('?');
        uri.push_str(query);
    }

    let mut parts =
        Request::builder().method(method.parse::<Method>().unwrap()).uri(uri).body(()).unwrap().into_parts().0;
    parts.headers = HeaderMap::new();
    for (name, value) in &fields {
        let name: http::HeaderName = name.parse().unwrap();
        parts.headers.append(name, value.parse().unwrap());
    }
    (parts, body.to_owned())
}
