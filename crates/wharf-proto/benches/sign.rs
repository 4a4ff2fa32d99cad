//! What signing a 4 KiB PUT costs, and making its URI, in nanoseconds: `cargo bench -p wharf-proto --bench sign [-- ITERATIONS]`.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench measures time and prints it")]

mod clock;

use std::hint::black_box;
use std::process::ExitCode;
use std::time::SystemTime;

use clock::ROUNDS;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use wharf_proto::Credentials;
use wharf_proto::endpoint::{Endpoint, Plane};
use wharf_proto::sigv4::{Payload, Scope, Signer, SigningKeyCache};

/// The limit that docs/performance.md names for a signed PUT of 4 KiB, in nanoseconds.
const LIMIT: f64 = 5_000.0;

fn main() -> ExitCode {
    // Cargo passes `--bench`.
    let argument = std::env::args().skip(1).find(|argument| argument != "--bench");
    let iterations = match argument.as_deref().map_or(Ok(100_000), str::parse::<u32>) {
        Ok(iterations) if iterations > 0 => iterations,
        _ => {
            println!("sign: the argument is how often to sign, a whole number from 1, such as 100000");
            return ExitCode::FAILURE;
        }
    };

    let keys = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let cache = SigningKeyCache::new();
    let body = vec![7_u8; 4096];
    let base = request();
    let sign = |payload: Payload| {
        let mut parts = copy(&base);
        let signer = Signer::new(&keys, Scope::s3("eu-west-1"), SystemTime::now(), &cache);
        (signer.sign(&mut parts, payload), parts)
    };

    println!("nanoseconds each, {iterations} times in {ROUNDS} rounds");
    println!("{:32} {:>8} {:>8} {:>6}", "", "fastest", "median", "limit");
    show("copy the request, not signed", None, clock::measure(iterations, || copy(&base)));
    show("SHA-256 of 4 KiB alone", None, clock::measure(iterations, || Payload::sha256(black_box(&body))));
    let hashed = clock::measure(iterations, || sign(Payload::sha256(black_box(&body))));
    show("PUT 4 KiB, body hashed", Some(LIMIT), hashed);
    show("PUT, unsigned payload", Some(LIMIT), clock::measure(iterations, || sign(Payload::Unsigned)));
    let endpoint = Endpoint::aws("eu-west-1");
    let target = || endpoint.as_ref().map(|endpoint| endpoint.target(Some("my-bucket"), Plane::Data));
    show("the rule, once a bucket", None, clock::measure(iterations, target));
    let Ok(Ok(target)) = target() else { return ExitCode::FAILURE };
    let uri = || target.uri(Some("some/prefix/object-000123.bin"), &[]);
    show("a URI, once a request", None, clock::measure(iterations, uri));
    ExitCode::SUCCESS
}

/// A PUT as a client sends it, but for its signature.
fn request() -> Parts {
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.method = http::Method::PUT;
    parts.uri = http::Uri::from_static("https://my-bucket.s3.eu-west-1.amazonaws.com/some/prefix/object-000123.bin");
    let mut headers = HeaderMap::with_capacity(16);
    for (name, value) in [
        ("content-type", "application/octet-stream"),
        ("content-length", "4096"),
        ("x-amz-checksum-crc64nvme", "AAAAAAAAAAA="),
        ("x-amz-sdk-checksum-algorithm", "CRC64NVME"),
        ("user-agent", "wharf/0.1.0"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    parts.headers = headers;
    parts
}

/// A request to sign: each iteration needs a fresh one. Its cost is printed by itself.
fn copy(base: &Parts) -> Parts {
    let mut parts = base.clone();
    parts.headers.reserve(8);
    parts
}

fn show(name: &str, limit: Option<f64>, (fastest, median): (f64, f64)) {
    print!("{name:32} {fastest:>8.0} {median:>8.0}");
    match limit {
        Some(limit) => println!(" {limit:>6.0}{}", if median > limit { "  MISSED" } else { "" }),
        None => println!(),
    }
}
