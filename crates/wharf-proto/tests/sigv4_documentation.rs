//! The examples of the S3 documentation: headers, query, signed chunks, trailers, POST policy.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::time::{Duration, SystemTime};

use http::request::Parts;
use http::{HeaderMap, Method, Request, Uri};
use wharf_proto::Credentials;
use wharf_proto::sigv4::{Payload, Scope, SignedChunks, Signer, SigningKeyCache, UnsignedChunks, encoded_len};

fn keys() -> Credentials {
    Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
}

/// 2013-05-24, midnight.
fn time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600)
}

fn signer(keys: &Credentials) -> Signer<'_> {
    Signer::new(keys, Scope::s3("us-east-1"), time(), &SigningKeyCache::new())
}

fn parts(method: Method, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let request = headers
        .iter()
        .fold(Request::builder().method(method).uri(uri), |request, (name, value)| request.header(*name, *value));
    request.body(()).unwrap().into_parts().0
}

fn authorization(parts: &Parts) -> &str {
    parts.headers["authorization"].to_str().unwrap()
}

#[test]
fn get_with_a_range() {
    let keys = keys();
    let mut parts = parts(Method::GET, "https://examplebucket.s3.amazonaws.com/test.txt", &[("range", "bytes=0-9")]);
    signer(&keys).sign(&mut parts, Payload::EMPTY).unwrap();
    assert_eq!(
        authorization(&parts),
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
         SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, \
         Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    );
    let explained = signer(&keys).explain(&parts, Payload::EMPTY).unwrap();
    assert_eq!(
        explained.canonical_request,
        "GET\n/test.txt\n\nhost:examplebucket.s3.amazonaws.com\nrange:bytes=0-9\n\
         x-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n\
         x-amz-date:20130524T000000Z\n\nhost;range;x-amz-content-sha256;x-amz-date\n\
         e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    assert_eq!(
        explained.string_to_sign,
        "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n\
         7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972"
    );
}

#[test]
fn put_with_a_body() {
    let keys = keys();
    let mut parts = parts(
        Method::PUT,
        "https://examplebucket.s3.amazonaws.com/test%24file.text",
        &[("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
    );
    let signature = signer(&keys).sign(&mut parts, Payload::sha256(b"Welcome to Amazon S3.")).unwrap();
    assert_eq!(signature.as_str(), "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
    assert_eq!(
        parts.headers["x-amz-content-sha256"],
        "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
    );
}

#[test]
fn queries() {
    let keys = keys();
    for (query, signature) in [
        ("lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
        ("prefix=J&max-keys=2", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ] {
        let mut parts = parts(Method::GET, &format!("https://examplebucket.s3.amazonaws.com/?{query}"), &[]);
        assert_eq!(signer(&keys).sign(&mut parts, Payload::EMPTY).unwrap().as_str(), signature, "{query}");
    }
}

#[test]
fn presigned_get() {
    let keys = keys();
    let uri = Uri::from_static("https://examplebucket.s3.amazonaws.com/test.txt");
    let day = Duration::from_secs(86_400);
    let link = signer(&keys).presign(&Method::GET, &uri, &HeaderMap::new(), day, Payload::Unsigned).unwrap();
    assert_eq!(
        link.to_string(),
        "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
         &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
         &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
    let explained = signer(&keys).explain_presigned(&Method::GET, &link, &HeaderMap::new(), Payload::Unsigned).unwrap();
    assert_eq!(
        explained.string_to_sign,
        "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n\
         3bfa292879f6447bbcda7001decf97f4a54dc650c8942174ae0a9121cf58ad04"
    );
}

/// 65 KiB of `a`, in chunks of 64 KiB.
fn chunks() -> [Vec<u8>; 2] {
    [vec![b'a'; 65_536], vec![b'a'; 1024]]
}

fn streaming_parts(extra: (&str, &str)) -> Parts {
    let headers = [
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "66560"),
        extra,
    ];
    parts(Method::PUT, "https://s3.amazonaws.com/examplebucket/chunkObject.txt", &headers)
}

#[test]
fn signed_chunks() {
    let keys = keys();
    let signer = signer(&keys);
    let mut parts = streaming_parts(("content-length", "66824"));
    let seed = signer.sign(&mut parts, Payload::StreamingSigned).unwrap();
    assert_eq!(seed.as_str(), "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");

    let mut framing = SignedChunks::new(&signer, seed);
    let [first, second] = chunks();
    assert_eq!(
        framing.chunk(&first),
        "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n"
    );
    assert!(framing.chunk(&[]).is_empty());
    assert_eq!(
        framing.chunk(&second),
        "\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n"
    );
    // The signing library of the AWS CRT has published what these trailers get after this body.
    let trailers = framing.clone().finish(&[("first", "1st"), ("second", "2nd"), ("third", "3rd")]);
    assert_eq!(
        trailers,
        "\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\
         first:1st\r\nsecond:2nd\r\nthird:3rd\r\n\
         x-amz-trailer-signature:df5735bd9f3295cd9386572292562fefc93ba94e80a0a1ddcbd652c4e0a75e6c\r\n\r\n"
    );
    assert_eq!(
        framing.finish(&[]),
        "\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n"
    );
}

#[test]
fn signed_chunks_with_a_trailer() {
    let keys = keys();
    let signer = signer(&keys);
    let mut parts = streaming_parts(("x-amz-trailer", "x-amz-checksum-crc32c"));
    let seed = signer.sign(&mut parts, Payload::StreamingSignedTrailer).unwrap();
    assert_eq!(seed.as_str(), "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");

    let mut framing = SignedChunks::new(&signer, seed);
    let [first, second] = chunks();
    assert_eq!(
        framing.chunk(&first),
        "10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n"
    );
    assert_eq!(
        framing.chunk(&second),
        "\r\n400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n"
    );
    assert_eq!(
        framing.finish(&[("x-amz-checksum-crc32c", "sOO8/Q==")]),
        "\r\n0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n\
         x-amz-checksum-crc32c:sOO8/Q==\r\n\
         x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"
    );
}

#[test]
fn the_encoded_length_is_what_is_framed() {
    let keys = keys();
    let signer = signer(&keys);
    let mut parts = streaming_parts(("content-length", "66824"));
    let seed = signer.sign(&mut parts, Payload::StreamingSigned).unwrap();
    let trailer = [("x-amz-checksum-crc64nvme", "AAAAAAAAAAA=")];
    let trailer_length = trailer.map(|(name, value)| (name, value.len()));

    for length in [0, 1, 15, 16, 17, 255, 256, 4095, 4096, 8191, 8192, 8193, 65_536, 70_000_usize] {
        for chunk_size in [1_usize, 16, 100, 4096, 8192, 65_536, 1 << 20] {
            let body = vec![b'x'; length];
            let (mut plain, mut unsigned) = (SignedChunks::new(&signer, seed), UnsignedChunks::default());
            if length / chunk_size > 1000 {
                continue;
            }
            let (mut plain_length, mut unsigned_length) = (0, 0);
            for piece in body.chunks(chunk_size) {
                plain_length += plain.chunk(piece).len() + piece.len();
                unsigned_length += unsigned.chunk(piece.len() as u64).len() + piece.len();
            }
            let with_trailer = plain_length + plain.clone().finish(&trailer).len();
            plain_length += plain.finish(&[]).len();
            unsigned_length += unsigned.finish(&trailer).len();

            let encoded = |payload, trailers: &[_]| encoded_len(payload, length as u64, chunk_size as u64, trailers);
            assert_eq!(encoded(Payload::StreamingSigned, &[]), plain_length as u64, "{length} by {chunk_size}");
            assert_eq!(encoded(Payload::StreamingSignedTrailer, &trailer_length), with_trailer as u64);
            assert_eq!(encoded(Payload::StreamingUnsignedTrailer, &trailer_length), unsigned_length as u64);
            assert_eq!(encoded(Payload::Unsigned, &[]), length as u64);
        }
    }
    assert_eq!(encoded_len(Payload::StreamingUnsignedTrailer, 5, 0, &[]), "5\r\nhello\r\n0\r\n\r\n".len() as u64);
    assert_eq!(encoded_len(Payload::StreamingUnsignedTrailer, 0, 0, &[]), "0\r\n\r\n".len() as u64);
}

#[test]
fn post_policy() {
    let keys = keys();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_451_347_200);
    let signer = Signer::new(&keys, Scope::s3("us-east-1"), time, &SigningKeyCache::new());
    let lines = [
        r#"{ "expiration": "2015-12-30T12:00:00.000Z","#,
        r#"  "conditions": ["#,
        r#"    {"bucket": "sigv4examplebucket"},"#,
        r#"    ["starts-with", "$key", "user/user1/"],"#,
        r#"    {"acl": "public-read"},"#,
        r#"    {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},"#,
        r#"    ["starts-with", "$Content-Type", "image/"],"#,
        r#"    {"x-amz-meta-uuid": "14365123651274"},"#,
        r#"    {"x-amz-server-side-encryption": "AES256"},"#,
        r#"    ["starts-with", "$x-amz-meta-tag", ""],"#,
        r#""#,
        r#"    {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},"#,
        r#"    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},"#,
        r#"    {"x-amz-date": "20151229T000000Z" }"#,
        r#"  ]"#,
        r#"}"#,
    ];
    let policy = lines.join("\r\n");
    assert_eq!(
        Payload::sha256(policy.as_bytes()),
        Payload::Sha256([
            0xbd, 0xbc, 0x87, 0x31, 0x03, 0xbd, 0x66, 0xb8, 0x2f, 0x3a, 0x98, 0x47, 0x8e, 0x59, 0x38, 0xca, 0x1c, 0x7d,
            0x82, 0x04, 0x56, 0x33, 0x09, 0x23, 0x2b, 0xdd, 0x4b, 0x1b, 0xbd, 0xcf, 0x74, 0xfb,
        ]),
        "the policy is not the published one"
    );
    let signed = signer.sign_policy(&policy);
    assert!(signed.policy().starts_with("eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0K"));
    assert_eq!(signed.signature().as_str(), "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e");
    let names: Vec<_> = signed.fields().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["x-amz-algorithm", "x-amz-credential", "x-amz-date", "policy", "x-amz-signature"]);
    assert_eq!(signed.fields()[1].1, "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request");

    let temporary = keys.clone().with_session_token("t0k3n");
    let signed = Signer::new(&temporary, Scope::s3("us-east-1"), time, &SigningKeyCache::new()).sign_policy("{}");
    assert_eq!(signed.fields().last(), Some(&("x-amz-security-token", "t0k3n")));
    assert!(!format!("{signed:?}").contains("t0k3n"));
}
