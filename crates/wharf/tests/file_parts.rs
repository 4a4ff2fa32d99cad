//! Parts of a file as bodies, and the checksum that is computed while they go out.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use http::{HeaderMap, Request};
use support::{ACCESS_KEY, Fake, SECRET, answer, client_of, drain, line};
use wharf::transport::{Body as Bytestream, Transport};
use wharf::{Body, Checksum, ChecksumAlgorithm, ClientBuilder, ErrorKind, Provider};
use wharf_embedded::Store;

const CRC: ChecksumAlgorithm = ChecksumAlgorithm::Crc64Nvme;

const PART: usize = 5 << 20;

/// A file that goes when this does.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("wharf-parts-{name}-{}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Bytes that differ everywhere.
fn bytes(count: usize) -> Vec<u8> {
    (0..count as u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}

/// The store, and the heads of the parts that it is sent.
fn watched(store: &Store) -> (Fake, Arc<Mutex<Vec<HeaderMap>>>) {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let (store, seen) = (store.clone(), heads.clone());
    let fake = Fake::new(move |_, request: Request<Bytestream>| {
        if request.uri().query().is_some_and(|query| query.contains("partNumber")) {
            seen.lock().unwrap().push(request.headers().clone());
        }
        store.send(request)
    });
    (fake, heads)
}

#[tokio::test]
async fn parts_of_a_file_make_the_object() {
    let whole = bytes(PART + 300_001);
    let file = Scratch::new("object", &whole);
    type Setup = fn(ClientBuilder) -> ClientBuilder;
    let ways: [(&str, Option<&str>, Setup); 5] = [
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", None, |http| http),
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", Some("trailer"), |http| http.checksum_trailers(true)),
        ("UNSIGNED-PAYLOAD", None, |http| http.unsigned_payload()),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", Some("trailer"), |http| http.unsigned_payload().checksum_trailers(true)),
        // It takes no chunks, so that the part is read before it is sent.
        ("", Some("header"), |http| http.provider(Provider::Gcs)),
    ];
    for (sent_as, told_by, setup) in ways {
        let store = Store::builder().credentials(ACCESS_KEY, SECRET).build();
        let (fake, heads) = watched(&store);
        let builder = client_of("http://s3.localhost").region("us-east-1").transport(fake);
        let s3 = setup(builder).build().unwrap();
        s3.create_bucket("my-bucket").await.unwrap();
        let begun = s3.create_multipart_upload("my-bucket", "a").checksum_algorithm(CRC).await.unwrap();
        let mut parts = Vec::new();
        for (number, range) in [(1, 0..PART), (2, PART..whole.len())] {
            let body = Body::file_range(file.path(), range.start as u64, range.len() as u64);
            let call = s3.upload_part("my-bucket", "a", &begun.upload_id, number, body);
            let part = call.checksum_while_sending(CRC).await.unwrap();
            assert_eq!(part.sent_checksum, Some(CRC.checksum(&whole[range.clone()])), "{sent_as}");
            parts.push((part, range.len() as u64));
        }
        let sums = parts.iter().map(|(part, length)| (part.sent_checksum.unwrap(), *length));
        let of_all = Checksum::full_object_of(sums).unwrap();
        assert_eq!(of_all, CRC.checksum(&whole));
        let done = s3.complete_multipart_upload("my-bucket", "a", &begun.upload_id);
        done.parts(parts.into_iter().map(|(part, _)| part)).checksum_value(of_all).await.unwrap();
        assert!(s3.get_object("my-bucket", "a").bytes().await.unwrap() == whole, "{sent_as}");
        for head in heads.lock().unwrap().iter() {
            let digest = head["x-amz-content-sha256"].to_str().unwrap();
            assert!(digest == sent_as || (sent_as.is_empty() && digest.len() == 64), "{digest}");
            assert_eq!(head.contains_key("x-amz-trailer"), told_by == Some("trailer"), "{sent_as}");
            assert_eq!(head.contains_key("x-amz-checksum-crc64nvme"), told_by == Some("header"), "{sent_as}");
        }
    }
}

/// What was sent is computed anew for each attempt, and never compared with an earlier one's.
#[tokio::test]
async fn a_part_that_is_sent_again() {
    let whole = bytes(700_000);
    let file = Scratch::new("again", &whole);
    let transport = Fake::new(|number, request: Request<Bytestream>| async move {
        drain(request.into_body()).await.unwrap();
        let mut answer = answer(if number == 1 { 503 } else { 200 }, "");
        answer.headers_mut().insert("etag", "\"e\"".parse().unwrap());
        Ok(answer)
    });
    let s3 = client_of("http://127.0.0.1:1").transport(transport.clone()).build().unwrap();
    let part = |body| s3.upload_part("my-bucket", "a", "u", 1, body).checksum_while_sending(CRC);
    let sent = part(Body::file_range(file.path(), 3, 600_000)).await.unwrap();
    assert_eq!(sent.sent_checksum, Some(CRC.checksum(&whole[3..600_003])));
    assert_eq!(transport.count(), 2);
    // Of bytes in memory it is known before, and told as well; and nothing has a checksum too.
    let nothing = Body::file_range(file.path(), 700_000, 0);
    for (body, bytes) in [(Body::bytes("text"), "text"), (Body::empty(), ""), (nothing, "")] {
        assert_eq!(part(body).await.unwrap().sent_checksum, Some(CRC.checksum(bytes.as_bytes())));
    }
}

#[tokio::test]
async fn a_server_that_stored_another_part() {
    let file = Scratch::new("other", &bytes(300_000));
    let transport = Fake::new(|_, request: Request<Bytestream>| async move {
        drain(request.into_body()).await.unwrap();
        let mut answer = answer(200, "");
        answer.headers_mut().insert("etag", "\"e\"".parse().unwrap());
        answer.headers_mut().insert("x-amz-checksum-crc64nvme", "AAAAAAAAAAA=".parse().unwrap());
        Ok(answer)
    });
    let s3 = client_of("http://127.0.0.1:1").transport(transport).build().unwrap();
    let body = Body::file_range(file.path(), 0, 300_000);
    let error = s3.upload_part("my-bucket", "a", "u", 1, body).checksum_while_sending(CRC).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[tokio::test]
async fn a_part_that_the_file_has_not() {
    let file = Scratch::new("short", &bytes(1000));
    let s3 = client_of("http://127.0.0.1:1").build().unwrap();
    for (offset, length) in [(0, 1001), (1000, 1), (u64::MAX, 2)] {
        let body = Body::file_range(file.path(), offset, length);
        let error = s3.upload_part("my-bucket", "a", "u", 1, body).await.unwrap_err();
        let problem = format!("has 1000 bytes, which do not hold the {length} from {offset} on that were to be sent");
        assert_eq!(line(&error), format!("UploadPart my-bucket/a: {} {problem}", file.path().display()));
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Body, 0));
    }
}

/// A change anywhere in the file: the parts would not be of one state of it.
#[tokio::test]
async fn a_file_that_changes_beside_the_part() {
    let file = Scratch::new("changes", &bytes(900_000));
    let path = file.path().to_owned();
    let transport = Fake::new(move |_, request: Request<Bytestream>| {
        std::fs::write(&path, bytes(900_001)).unwrap();
        async move {
            assert!(drain(request.into_body()).await.is_err());
            Ok(answer(400, ""))
        }
    });
    let s3 = client_of("http://127.0.0.1:1").transport(transport).build().unwrap();
    let body = Body::file_range(file.path(), 100, 600_000);
    let error = s3.upload_part("my-bucket", "a", "u", 1, body).checksum_while_sending(CRC).await.unwrap_err();
    assert!(line(&error).ends_with("changed while it was read; nothing was stored"), "{error}");
}
