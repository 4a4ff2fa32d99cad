use std::fmt::Write as _;

use crate::support::*;

const SIGNED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const SIGNED_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const CRC32_OF_HELLO: &str = "x-amz-checksum-crc32:NhCmhg==";

fn framed(kind: &str, length: usize) -> Ask {
    put("/bucket/k")
        .header("content-encoding", "aws-chunked,gzip")
        .header("x-amz-decoded-content-length", &length.to_string())
        .set(|it| it.payload = Some(kind.to_owned()))
}

/// Frames `chunks` with chained signatures, then a signed trailer where there is one.
fn signed_body(ask: &Ask, chunks: &[&[u8]], trailer: Option<&str>) -> Vec<u8> {
    let (_, mut previous) = ask.signed();
    let key = ask.signing_key();
    let scope = format!("{}/us-east-1/s3/aws4_request", &DATE[..8]);
    let mut out = Vec::new();
    for chunk in chunks.iter().chain([&&b""[..]]) {
        let empty = sha256(b"");
        let to_sign = format!("AWS4-HMAC-SHA256-PAYLOAD\n{DATE}\n{scope}\n{previous}\n{empty}\n{}", sha256(chunk));
        previous = hex(&hmac(&key, to_sign.as_bytes()));
        out.extend(format!("{:x};chunk-signature={previous}\r\n", chunk.len()).bytes());
        out.extend_from_slice(chunk);
        if !chunk.is_empty() {
            out.extend(b"\r\n");
        }
    }
    if let Some(trailer) = trailer {
        let hash = sha256(format!("{trailer}\n").as_bytes());
        let to_sign = format!("AWS4-HMAC-SHA256-TRAILER\n{DATE}\n{scope}\n{previous}\n{hash}");
        let signature = hex(&hmac(&key, to_sign.as_bytes()));
        out.extend(format!("{trailer}\r\nx-amz-trailer-signature:{signature}\r\n").bytes());
    }
    out.extend(b"\r\n");
    out
}

fn unsigned_body(chunks: &[&str], trailer: &str) -> String {
    let mut out = String::new();
    for chunk in chunks {
        let _ = write!(out, "{:x}\r\n{chunk}\r\n", chunk.len());
    }
    out + "0\r\n" + trailer + "\r\n\r\n"
}

#[tokio::test]
async fn signed_chunks_are_unframed() {
    let store = store_with_bucket().await;
    let (first, second) = (vec![b'a'; 8192], vec![b'b'; 10]);
    let ask = framed(SIGNED, 8202);
    let body = signed_body(&ask, &[&first, &second], None);
    ask.clone().body(body.clone()).send(&store).await.expect(200);
    let answer = get("/bucket/k").send(&store).await.expect(200);
    assert_eq!(answer.body, [first, second].concat());
    assert_eq!(answer.get("content-encoding"), Some("gzip"));

    let at = body.iter().position(|byte| *byte == b'a').unwrap();
    let mut tampered = body.clone();
    // Past the head of the chunk, whose signature may hold an `a` of its own.
    tampered[at + 200] = b'x';
    ask.clone().body(tampered).send(&store).await.refused(403, "SignatureDoesNotMatch");
    let end = body.len() - 88;
    ask.clone().body(&body[..end]).send(&store).await.refused(400, "IncompleteBody");
    let short = signed_body(&ask, &[b"abc", b"def"], None);
    ask.body(short).send(&store).await.refused(403, "InvalidChunkSizeError");
}

#[tokio::test]
async fn the_decoded_length_is_held_to() {
    let store = store_with_bucket().await;
    let ask = framed(SIGNED, 9);
    let body = signed_body(&ask, &[b"hello"], None);
    ask.body(body).send(&store).await.refused(400, "IncompleteBody");
    head("/bucket/k").send(&store).await.expect(404);
    let without = put("/bucket/k").set(|it| it.payload = Some(SIGNED.to_owned())).body("0\r\n\r\n");
    without.send(&store).await.refused(411, "MissingContentLength");
}

#[tokio::test]
async fn signed_trailers() {
    let store = store_with_bucket().await;
    let ask = framed(SIGNED_TRAILER, 5).header("x-amz-trailer", "x-amz-checksum-crc32");
    let good = signed_body(&ask, &[b"hello"], Some(CRC32_OF_HELLO));
    let answer = ask.clone().body(good.clone()).send(&store).await.expect(200);
    assert_eq!(answer.get("x-amz-checksum-crc32"), Some("NhCmhg=="));
    let mut bad = good;
    let at = bad.len() - 5;
    bad[at] ^= 1;
    let answer = ask.clone().body(bad).send(&store).await;
    assert!(answer.status.is_client_error(), "{}", answer.text());
    let wrong = signed_body(&ask, &[b"hello"], Some("x-amz-checksum-crc32:AAAAAA=="));
    ask.body(wrong).send(&store).await.refused(400, "BadDigest");
}

#[tokio::test]
async fn unsigned_trailers() {
    let store = store_with_bucket().await;
    let ask = framed(UNSIGNED_TRAILER, 5).header("x-amz-trailer", "x-amz-checksum-crc32");
    ask.clone().body(unsigned_body(&["hello"], CRC32_OF_HELLO)).send(&store).await.expect(200);
    assert_eq!(get("/bucket/k").send(&store).await.text(), "hello");
    let wrong = unsigned_body(&["hello"], "x-amz-checksum-crc32:AAAAAA==");
    ask.clone().body(wrong).send(&store).await.refused(400, "BadDigest");
    ask.clone().body("5\r\nhello\r\n0\r\n\r\n").send(&store).await.refused(400, "MalformedTrailerError");
    ask.clone().body("5\r\nhello\r\n").send(&store).await.refused(400, "IncompleteBody");
    ask.body(unsigned_body(&["he", "llo"], CRC32_OF_HELLO)).send(&store).await.refused(403, "InvalidChunkSizeError");
}

#[tokio::test]
async fn nobody_may_frame_his_body_too() {
    let store = store_with_bucket().await;
    let bare = |kind: &str, body: String| {
        let ask = framed(kind, 5).header("x-amz-trailer", "x-amz-checksum-crc32");
        ask.header("x-amz-content-sha256", kind).header("content-length", &body.len().to_string()).body(body)
    };
    let good = || bare(UNSIGNED_TRAILER, unsigned_body(&["hello"], CRC32_OF_HELLO));
    good().send_bare(&store).await.refused(403, "AccessDenied");
    put("/bucket?acl").header("x-amz-acl", "public-read-write").send(&store).await.expect(200);
    good().send_bare(&store).await.expect(200);
    let object = get("/bucket/k").header("x-amz-checksum-mode", "enabled").send_bare(&store).await.expect(200);
    assert_eq!((object.text().as_str(), object.get("content-encoding")), ("hello", Some("gzip")));
    assert_eq!(object.get("x-amz-checksum-crc32"), Some("NhCmhg=="));
    let wrong = bare(UNSIGNED_TRAILER, unsigned_body(&["hello"], "x-amz-checksum-crc32:AAAAAA=="));
    wrong.send_bare(&store).await.refused(400, "BadDigest");
    bare(UNSIGNED_TRAILER, "5\r\nhello\r\n".to_owned()).send_bare(&store).await.refused(400, "IncompleteBody");
    bare(SIGNED, unsigned_body(&["hello"], CRC32_OF_HELLO)).send_bare(&store).await.refused(403, "AccessDenied");
}

/// A part's trailer is named in any case, as a header's name may be.
#[tokio::test]
async fn a_part_has_a_trailer() {
    let store = store_with_bucket().await;
    let begin = post("/bucket/k?uploads").header("x-amz-checksum-algorithm", "CRC32");
    let id = begin.send(&store).await.expect(200).element("UploadId").unwrap();
    let part = |trailer: &str| {
        put(&format!("/bucket/k?partNumber=1&uploadId={id}"))
            .header("content-encoding", "aws-chunked")
            .header("x-amz-decoded-content-length", "5")
            .header("x-amz-trailer", trailer)
            .set(|it| it.payload = Some(UNSIGNED_TRAILER.to_owned()))
            .body(unsigned_body(&["hello"], CRC32_OF_HELLO))
    };
    for trailer in ["x-amz-checksum-crc32", "X-Amz-Checksum-CRC32"] {
        part(trailer).send(&store).await.expect(200);
    }
    part("x-amz-checksum-sha1").send(&store).await.refused(400, "InvalidRequest");
}
