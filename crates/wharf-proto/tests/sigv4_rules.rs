//! What signing promises beyond the published examples.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::time::{Duration, SystemTime};

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use wharf_proto::Credentials;
use wharf_proto::sigv4::{MAX_EXPIRY, Payload, Scope, Signer, SigningError, SigningKeyCache, TokenName, is_signed};

const HOUR: Duration = Duration::from_secs(3600);

fn keys() -> Credentials {
    Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
}

fn signer(keys: &Credentials) -> Signer<'_> {
    scoped(keys, Scope::s3("eu-west-1"))
}

fn scoped<'a>(keys: &'a Credentials, scope: Scope<'a>) -> Signer<'a> {
    Signer::new(keys, scope, SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000), &SigningKeyCache::new())
}

fn get(uri: &str) -> Parts {
    Request::get(uri).body(()).unwrap().into_parts().0
}

/// The canonical request's lines.
fn canonical(parts: &Parts, scope: Scope<'_>) -> Vec<String> {
    let keys = keys();
    let text = scoped(&keys, scope).explain(parts, Payload::Unsigned).unwrap().canonical_request;
    text.split('\n').map(str::to_owned).collect()
}

fn presign(uri: &str, headers: &HeaderMap, expires: Duration) -> Result<Uri, SigningError> {
    let keys = keys();
    signer(&keys).presign(&Method::GET, &uri.parse().unwrap(), headers, expires, Payload::Unsigned)
}

#[test]
fn headers_that_change_on_the_way_are_not_signed() {
    let mut parts = get("https://b.s3.amazonaws.com/k");
    for name in ["user-agent", "connection", "expect", "te", "transfer-encoding", "accept-encoding", "x-amzn-trace-id"]
    {
        assert!(!is_signed(name));
        parts.headers.insert(name, HeaderValue::from_static("x"));
    }
    for name in ["content-type", "content-md5", "content-length", "range", "if-match", "x-amz-meta-a", "accept"] {
        assert!(is_signed(name));
        parts.headers.insert(name, HeaderValue::from_static("x"));
    }
    let lines = canonical(&parts, Scope::s3("r"));
    assert_eq!(lines[12], "accept;content-length;content-md5;content-type;host;if-match;range;x-amz-meta-a");
}

/// A directory bucket's session has a token of its own name, in headers and in links, and never both.
#[test]
fn a_sessions_token_has_a_name_of_its_own() {
    let keys = keys().with_session_token("t0k3n");
    let session = Scope { service: "s3express", token: TokenName::S3Session, ..Scope::s3("us-east-1") };
    let mut parts = get("https://b--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com/k");
    for (scope, name, other) in [
        (Scope::s3("us-east-1"), "x-amz-security-token", "x-amz-s3session-token"),
        (session, "x-amz-s3session-token", "x-amz-security-token"),
        (Scope::s3("us-east-1"), "x-amz-security-token", "x-amz-s3session-token"),
    ] {
        scoped(&keys, scope).sign(&mut parts, Payload::Unsigned).unwrap();
        assert_eq!((parts.headers[name].to_str().unwrap(), parts.headers[name].is_sensitive()), ("t0k3n", true));
        assert!(!parts.headers.contains_key(other));
        assert!(parts.headers["authorization"].to_str().unwrap().contains(name));
    }
    let uri = parts.uri.clone();
    let link = scoped(&keys, session).presign(&Method::GET, &uri, &HeaderMap::new(), HOUR, Payload::Unsigned).unwrap();
    let query = link.query().unwrap();
    assert!(query.contains("X-Amz-S3session-Token=t0k3n") && !query.contains("Security-Token"), "{query}");
    scoped(&self::keys(), session).sign(&mut parts, Payload::Unsigned).unwrap();
    assert!(!parts.headers.contains_key("x-amz-security-token"));
}

#[test]
fn values_are_trimmed_collapsed_and_joined_in_order() {
    let mut parts = get("https://b.s3.amazonaws.com/k");
    for value in [" z  y ", "a", "\tb\t \tc\t", ""] {
        parts.headers.append("x-amz-meta-a", HeaderValue::from_str(value).unwrap());
    }
    parts.headers.insert("x-amz-meta-b", HeaderValue::from_bytes(b"caf\xe9").unwrap());
    let lines = canonical(&parts, Scope::s3("r"));
    assert_eq!(lines[4], "x-amz-meta-a:z y,a,b c,");
    assert_eq!(lines[5], "x-amz-meta-b:caf\u{fffd}");
}

#[test]
fn a_host_header_wins_over_the_uri() {
    let mut parts = get("http://localhost:9000/b/k");
    assert_eq!(canonical(&parts, Scope::s3("r"))[3], "host:localhost:9000");
    parts.headers.insert("host", HeaderValue::from_static("storage.example"));
    assert_eq!(canonical(&parts, Scope::s3("r"))[3], "host:storage.example");
    for (uri, host) in [
        ("https://h.example:443/", "host:h.example"),
        ("http://h.example:80/", "host:h.example"),
        ("https://h.example:80/", "host:h.example:80"),
        ("http://user:pw@h.example:1/", "host:h.example:1"),
        ("http://[::1]:9000/", "host:[::1]:9000"),
        ("http://[::1]:80/", "host:[::1]"),
    ] {
        assert_eq!(canonical(&get(uri), Scope::s3("r"))[3], host);
    }
}

#[test]
fn without_a_host_there_is_no_signature() {
    let keys = keys();
    let mut parts = get("/b/k");
    assert_eq!(signer(&keys).sign(&mut parts, Payload::EMPTY), Err(SigningError::NoHost));
    assert!(!parts.headers.contains_key("authorization"));
    let uri = Uri::from_static("/b/k");
    let result = signer(&keys).presign(&Method::GET, &uri, &HeaderMap::new(), HOUR, Payload::Unsigned);
    assert_eq!(result, Err(SigningError::NoHost));
}

#[test]
fn paths_are_signed_as_they_stand() {
    let path = |uri: &str, scope| canonical(&get(uri), scope).swap_remove(1);
    let s3 = Scope::s3("r");
    for wire in ["/a/../b", "/./a//b/", "//lead", "/a%20b%2Bc", "/%C3%A9", "/a%2Fb"] {
        assert_eq!(path(&format!("https://h{wire}"), s3), wire);
    }
    assert_eq!(path("https://h", s3), "/");
    assert_eq!(path("https://h?x", s3), "/");
    assert_eq!(path("https://h/a%20b/c", Scope::other("sts", "r")), "/a%2520b/c");
}

#[test]
fn queries_are_sorted_by_name_then_value() {
    let query = |query: &str| canonical(&get(&format!("https://h/?{query}")), Scope::s3("r")).swap_remove(2);
    assert_eq!(query("b=2&a=9&b=1&a-=0&a"), "a=&a=9&a-=0&b=1&b=2");
    assert_eq!(query("prefix=a/b&x=c%3D&&y=d=e"), "prefix=a%2Fb&x=c%3D&y=d%3De");
    assert_eq!(query("uploads"), "uploads=");
    assert_eq!(query(""), "");
}

#[test]
fn signing_again_replaces_what_was_signed_before() {
    let temporary = keys().with_session_token("t0k3n");
    let mut parts = get("https://h/k");
    signer(&temporary).sign(&mut parts, Payload::Unsigned).unwrap();
    assert_eq!(parts.headers["x-amz-security-token"], "t0k3n");
    assert!(parts.headers["authorization"].to_str().unwrap().contains(";x-amz-security-token,"));
    assert!(!format!("{parts:?}").contains("t0k3n") && !format!("{parts:?}").contains("Signature="));

    let keys = keys();
    let again = signer(&keys).sign(&mut parts, Payload::EMPTY).unwrap();
    let fresh = signer(&keys).sign(&mut get("https://h/k"), Payload::EMPTY).unwrap();
    assert_eq!(again, fresh);
    assert_eq!(parts.headers.len(), 3);
}

#[test]
fn keys_that_fit_no_header_are_an_error_without_the_secret() {
    let mut parts = get("https://h/k");
    for bad in [Credentials::new("AKID\n", "s3cr3t"), keys().with_session_token("t0k3n\r\n")] {
        let error = signer(&bad).sign(&mut parts, Payload::EMPTY).unwrap_err();
        assert_eq!(error, SigningError::NotAHeader);
        assert!(!format!("{error} {error:?}").contains("t0k3n"));
    }
    assert!(!format!("{:?}", signer(&keys().with_session_token("t0k3n"))).contains("t0k3n"));
    assert!(!format!("{:?}", signer(&keys())).contains("wJalr"));
}

#[test]
fn other_services_send_no_payload_hash() {
    let keys = keys();
    let mut parts = get("https://sts.amazonaws.com/");
    scoped(&keys, Scope::other("sts", "us-east-1")).sign(&mut parts, Payload::EMPTY).unwrap();
    assert!(!parts.headers.contains_key("x-amz-content-sha256"));
    assert!(parts.headers["authorization"].to_str().unwrap().contains("/us-east-1/sts/aws4_request, "));
}

#[test]
fn each_payload_says_what_it_is() {
    let keys = keys();
    for (payload, value) in [
        (Payload::EMPTY, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (Payload::sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (Payload::Unsigned, "UNSIGNED-PAYLOAD"),
        (Payload::StreamingSigned, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        (Payload::StreamingSignedTrailer, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"),
        (Payload::StreamingUnsignedTrailer, "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
    ] {
        let mut parts = get("https://h/k");
        signer(&keys).sign(&mut parts, payload).unwrap();
        assert_eq!(parts.headers["x-amz-content-sha256"], value);
        assert!(signer(&keys).explain(&parts, payload).unwrap().canonical_request.ends_with(value));
    }
}

#[test]
fn a_presigned_uri_lasts_from_a_second_to_seven_days() {
    let uri = "https://h/k";
    for bad in [Duration::ZERO, Duration::from_millis(999), MAX_EXPIRY + Duration::from_nanos(1), Duration::MAX] {
        let error = presign(uri, &HeaderMap::new(), bad).unwrap_err();
        assert_eq!(error, SigningError::Expiry(bad));
        assert!(error.to_string().contains("from 1 second to 7 days (604800 seconds)"), "{error}");
    }
    for (good, seconds) in [(Duration::from_millis(1999), "1"), (MAX_EXPIRY, "604800")] {
        let link = presign(uri, &HeaderMap::new(), good).unwrap();
        assert!(link.query().unwrap().contains(&format!("&X-Amz-Expires={seconds}&")));
    }
}

#[test]
fn a_presigned_uri_has_its_own_query_the_signature_and_nothing_else() {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-meta-a", HeaderValue::from_static("1"));
    headers.insert("user-agent", HeaderValue::from_static("the holder must send this"));
    let link = presign("https://h:443/a//../b%20c?partNumber=1&uploadId=x%2By", &headers, HOUR).unwrap();
    assert!(link.to_string().starts_with("https://h/a//../b%20c?partNumber=1&uploadId=x%2By&X-Amz-Algorithm="));
    let query = link.query().unwrap();
    assert!(query.contains("&X-Amz-SignedHeaders=host%3Buser-agent%3Bx-amz-meta-a&"));
    let names: Vec<_> = query.split('&').map(|parameter| parameter.split_once('=').unwrap().0).collect();
    let expected = "partNumber uploadId X-Amz-Algorithm X-Amz-Credential X-Amz-Date X-Amz-Expires X-Amz-SignedHeaders \
                    X-Amz-Signature";
    assert_eq!(names.join(" "), expected);

    let empty = presign("http://h/k?", &HeaderMap::new(), HOUR).unwrap();
    assert!(empty.to_string().starts_with("http://h/k?X-Amz-Algorithm="));
}

#[test]
fn a_presigned_uri_carries_the_token() {
    let keys = keys().with_session_token("a/b+c==");
    let uri = Uri::from_static("https://h/k");
    let link = signer(&keys).presign(&Method::PUT, &uri, &HeaderMap::new(), HOUR, Payload::Unsigned).unwrap();
    assert!(link.query().unwrap().contains("&X-Amz-Security-Token=a%2Fb%2Bc%3D%3D&X-Amz-SignedHeaders=host&"));
}

#[test]
fn what_is_presigned_is_not_presigned_again() {
    let link = presign("https://h/k", &HeaderMap::new(), HOUR).unwrap().to_string();
    assert_eq!(presign(&link, &HeaderMap::new(), HOUR), Err(SigningError::AlreadyPresigned));
    assert_eq!(presign("https://h/k?x-amz-signature=1", &HeaderMap::new(), HOUR), Err(SigningError::AlreadyPresigned));
    let long = format!("https://h/{}", "k".repeat(65_400));
    assert_eq!(presign(&long, &HeaderMap::new(), HOUR), Err(SigningError::UriTooLong));
}

#[test]
fn method_headers_and_time_all_count() {
    let keys = keys();
    let uri = Uri::from_static("https://h/k");
    let mut headers = HeaderMap::new();
    let link =
        |method, headers: &HeaderMap| signer(&keys).presign(&method, &uri, headers, HOUR, Payload::Unsigned).unwrap();
    let base = link(Method::GET, &headers);
    assert_eq!(base, link(Method::GET, &headers));
    assert_ne!(base, link(Method::PUT, &headers));
    headers.insert("content-type", HeaderValue::from_static("a"));
    let typed = link(Method::GET, &headers);
    headers.insert("content-type", HeaderValue::from_static("b"));
    assert_ne!(typed, link(Method::GET, &headers));
}
