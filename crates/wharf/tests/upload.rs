//! Uploads: what goes over the wire at which size, and what comes back.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::path::Path;

use support::upload::{MIB, bytes, content, embedded, file, no_uploads, operations, pieces};
use wharf::blocking::Wait;
use wharf::transfer::Verification;
use wharf::{Body, ChecksumAlgorithm, ChecksumType, Client};
use wharf_embedded::{Fault, Operation, Store};

const CRC64NVME: Verification = Verification::Verified(ChecksumAlgorithm::Crc64Nvme);

#[tokio::test]
async fn what_is_small_is_one_request() {
    let (s3, store) = embedded().await;
    let small = file(&bytes(3 * MIB));
    let first = pieces(bytes(15 * MIB), 64 * 1024);
    let bodies = [
        ("text", Body::bytes("Hello!"), 6),
        ("empty", Body::empty(), 0),
        ("bytes", Body::bytes(bytes(MIB)), MIB),
        ("file", Body::file(small.path()), 3 * MIB),
        ("stream", Body::stream(first), 15 * MIB),
        ("sized", Body::sized_stream(pieces(bytes(9 * MIB), 1000), 9 * MIB as u64), 9 * MIB),
        ("empty-stream", Body::stream(pieces(Vec::new(), 1)), 0),
        ("below", Body::bytes(bytes(16 * MIB - 1)), 16 * MIB - 1),
    ];
    for (key, body, size) in bodies {
        let uploaded = s3.upload("my-bucket", key, body).await.unwrap();
        assert_eq!(operations(&store), ["PutObject"], "{key}");
        assert_eq!((uploaded.size, uploaded.parts, uploaded.verification), (size as u64, 1, CRC64NVME), "{key}");
        assert_eq!(s3.head_object("my-bucket", key).await.unwrap().etag, uploaded.etag);
        assert_eq!(content(&s3, key).await.len(), size, "{key}");
        store.clear_requests();
    }
}

#[tokio::test]
async fn what_is_large_is_its_parts_and_two_requests() {
    let (s3, store) = embedded().await;
    let data = bytes(21 * MIB + 1);
    let large = file(&data);
    let bodies = [
        ("bytes", Body::bytes(data.clone())),
        ("file", Body::file(large.path())),
        ("stream", Body::stream(pieces(data.clone(), 100_000))),
        ("sized", Body::sized_stream(pieces(data.clone(), 3 * MIB), data.len() as u64)),
    ];
    for (key, body) in bodies {
        let uploaded = s3.upload("my-bucket", key, body).await.unwrap();
        let asked = store.requests();
        assert_eq!((uploaded.size, uploaded.parts), (data.len() as u64, 3), "{key}");
        assert_eq!(asked.count(Operation::UploadPart), 3, "{asked}");
        assert_eq!(asked.len(), 3 + 2, "{asked}");
        assert_eq!(uploaded.verification, CRC64NVME, "{key}");
        assert_eq!(uploaded.checksum, Some(ChecksumAlgorithm::Crc64Nvme.checksum(&data)), "{key}");
        assert_eq!(uploaded.checksum_type, Some(ChecksumType::FullObject), "{key}");
        assert!(content(&s3, key).await == data, "{key}");
        store.clear_requests();
    }
    no_uploads(&s3).await;
}

#[tokio::test]
async fn the_server_is_given_the_checksum_and_the_size_of_all_bytes() {
    let (s3, store) = embedded().await;
    let data = bytes(16 * MIB);
    s3.upload("my-bucket", "a", data.clone()).await.unwrap();
    let complete = store.requests().of(Operation::CompleteMultipartUpload);
    let headers = &complete[0].headers;
    let whole = ChecksumAlgorithm::Crc64Nvme.checksum(&data).to_string();
    assert_eq!(headers["x-amz-checksum-crc64nvme"], whole.as_str());
    assert_eq!(headers["x-amz-checksum-type"], "FULL_OBJECT");
    assert_eq!(headers["x-amz-mp-object-size"], (16 * MIB).to_string().as_str());
}

#[tokio::test]
async fn where_the_parts_begin_can_be_said() {
    let (s3, store) = embedded().await;
    let upload = |key: &str| s3.upload("my-bucket", key, bytes(10 * MIB));
    assert_eq!(upload("a").part_size(5 << 20).multipart_threshold(1).await.unwrap().parts, 2);
    // One part is none.
    assert_eq!(upload("b").part_size(10 << 20).multipart_threshold(1).await.unwrap().parts, 1);
    assert_eq!(upload("c").part_size(5 << 20).multipart_threshold(1 << 30).await.unwrap().parts, 1);
    // Smaller ones the server does not take.
    assert_eq!(upload("d").part_size(1 << 20).multipart_threshold(1).await.unwrap().parts, 2);
    assert_eq!(store.requests().count(Operation::PutObject), 2);
}

#[tokio::test]
async fn a_missing_file_is_named() {
    let (s3, store) = embedded().await;
    let error = s3.upload("my-bucket", "a", Path::new("/nowhere/at-all")).await.unwrap_err();
    assert!(error.to_string().starts_with("upload my-bucket/a: /nowhere/at-all cannot be read: "), "{error}");
    let directory = std::env::temp_dir();
    let error = s3.upload("my-bucket", "a", directory).await.unwrap_err();
    assert!(error.to_string().ends_with(" is a directory, not a file"), "{error}");
    assert!(operations(&store).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tcp_just_the_same() {
    let store = Store::in_memory();
    let server = store.serve("127.0.0.1:0").await.unwrap();
    let client = Client::builder().endpoint(server.endpoint());
    let s3 = client.credentials(store.access_key_id(), store.secret_access_key()).build().unwrap();
    s3.create_bucket("my-bucket").await.unwrap();
    let data = bytes(20 * MIB);
    let large = file(&data);
    for body in [Body::file(large.path()), Body::stream(pieces(data.clone(), MIB)), Body::bytes(data.clone())] {
        store.inject(Fault::close_request_after(70_000).on(Operation::UploadPart).times(2)).unwrap();
        let uploaded = s3.upload("my-bucket", "a", body).await.unwrap();
        assert_eq!(uploaded.verification, CRC64NVME);
        assert!(content(&s3, "a").await == data);
    }
    server.stop().await;
}

#[test]
fn an_upload_without_async() {
    let store = Store::in_memory();
    let s3 = wharf::blocking::Client::builder().transport(store.clone()).build_blocking().unwrap();
    s3.create_bucket("my-bucket").wait().unwrap();
    let data = bytes(17 * MIB);
    let large = file(&data);
    let uploaded = s3.upload("my-bucket", "a", large.path()).metadata("team", "blue").wait().unwrap();
    assert_eq!((uploaded.parts, uploaded.verification), (3, CRC64NVME));
    assert!(s3.get_object("my-bucket", "a").bytes().wait().unwrap() == data);
    // A client of the other kind says so.
    let other = Client::builder().transport(store).build().unwrap();
    let error = other.upload("my-bucket", "a", "x").wait().unwrap_err();
    assert!(error.to_string().contains("use wharf::blocking"), "{error}");
}
