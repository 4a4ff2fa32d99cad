//! What is said of an object holds at every size.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::time::{Duration, SystemTime};

use support::upload::{MIB, bytes, client, content, embedded, file, no_uploads, nothing_stored, operations, pieces};
use support::{Fake, answer, client_of};
use wharf::proto::evidence::Doubt;
use wharf::transfer::{Upload, Verification};
use wharf::{
    Body, ChecksumAlgorithm, ChecksumType, Client, CustomerKey, Encryption, ErrorKind, KmsKey, ObjectHead, Provider,
    StorageClass,
};
use wharf_embedded::{Fault, Operation, Personality, Store};

const SIZES: [usize; 2] = [MIB, 17 * MIB];

fn expires() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000)
}

fn with_everything(upload: Upload) -> Upload {
    upload
        .content_type("text/csv")
        .content_encoding("gzip")
        .content_disposition("attachment")
        .content_language("de")
        .cache_control("no-store")
        .expires(expires())
        .metadata("team", "blue")
        .tag("k", "v")
        .storage_class(StorageClass::StandardIa)
        .encryption(Encryption::Kms(KmsKey::id("key")))
        .website_redirect_location("/other")
        .if_absent()
}

/// All that is the same at both sizes.
fn comparable(head: &ObjectHead) -> String {
    let mut head = head.clone();
    (head.etag, head.content_length, head.last_modified, head.version_id) = Default::default();
    (head.checksum, head.parts_count) = Default::default();
    format!("{head:?}")
}

#[tokio::test]
async fn options_hold_at_every_size() {
    let (s3, _store) = embedded().await;
    let mut heads = Vec::new();
    for size in SIZES {
        let key = size.to_string();
        let uploaded = with_everything(s3.upload("my-bucket", &key, bytes(size))).await.unwrap();
        assert_eq!(uploaded.parts > 1, size > 16 * MIB);
        assert_eq!(uploaded.encryption.unwrap().algorithm, "aws:kms");
        let head = s3.head_object("my-bucket", &key).checksum_mode(true).await.unwrap();
        assert_eq!((head.content_type.as_deref(), head.tag_count), (Some("text/csv"), Some(1)));
        assert_eq!((head.metadata["team"].as_str(), head.metadata.len()), ("blue", 1));
        assert_eq!(head.storage_class, StorageClass::StandardIa);
        heads.push(comparable(&head));
    }
    assert_eq!(heads[0], heads[1]);
}

#[tokio::test]
async fn the_content_type_follows_the_body_at_every_size() {
    let (s3, _store) = embedded().await;
    for size in SIZES {
        let text = "x".repeat(size);
        s3.upload("my-bucket", "a", text).await.unwrap();
        let head = s3.head_object("my-bucket", "a").await.unwrap();
        assert_eq!(head.content_type.as_deref(), Some("text/plain; charset=utf-8"));
    }
}

#[tokio::test]
async fn a_customers_key_holds_at_every_size() {
    let (s3, store) = embedded().await;
    for size in SIZES {
        let key = CustomerKey::new([7; 32]);
        let upload = s3.upload("my-bucket", "a", bytes(size)).encryption(Encryption::Customer(key.clone()));
        let uploaded = upload.verify(true).await.unwrap();
        assert!(uploaded.verification.is_verified());
        assert!(s3.head_object("my-bucket", "a").await.is_err());
        s3.head_object("my-bucket", "a").customer_key(key).await.unwrap();
    }
    assert_eq!(store.requests().of(Operation::UploadPart).len(), 3);
}

#[tokio::test]
async fn conditions_hold_at_every_size() {
    let (s3, store) = embedded().await;
    for size in SIZES {
        let first = s3.upload("my-bucket", "a", bytes(size)).await.unwrap();
        store.clear_requests();
        let error = s3.upload("my-bucket", "a", bytes(size)).if_absent().await.unwrap_err();
        assert_eq!((error.kind(), error.maybe_ours()), (ErrorKind::PreconditionFailed, false));
        let error = s3.upload("my-bucket", "a", bytes(size)).if_match("other").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PreconditionFailed);
        no_uploads(&s3).await;
        s3.upload("my-bucket", "a", bytes(size)).if_match(first.etag).await.unwrap();
    }
}

#[tokio::test]
async fn what_a_provider_ignores_is_refused_before_the_parts_are_sent() {
    let store = Store::builder().personality(Personality::Ceph).build();
    client(&store).await;
    let s3 = Client::builder().transport(store.clone()).provider(Provider::Ceph).build().unwrap();
    s3.upload("my-bucket", "a", bytes(MIB)).if_absent().await.unwrap();
    store.clear_requests();
    let error = s3.upload("my-bucket", "b", bytes(17 * MIB)).if_absent().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("CompleteMultipartUpload if absent"), "{error}");
    let error = s3.upload("my-bucket", "b", bytes(17 * MIB)).write_offset_bytes(7).await.unwrap_err();
    assert!(error.to_string().contains("appended to an object by one request"), "{error}");
    assert!(operations(&store).is_empty());
}

#[tokio::test]
async fn each_algorithm_is_the_objects() {
    let (s3, _store) = embedded().await;
    use ChecksumAlgorithm::*;
    for algorithm in [Crc32, Crc32c, Crc64Nvme, Sha1, Sha256] {
        for size in SIZES {
            let data = bytes(size);
            let large = file(&data);
            for body in [Body::bytes(data.clone()), Body::file(large.path()), Body::stream(pieces(data.clone(), MIB))] {
                let uploaded = s3.upload("my-bucket", "a", body).checksum(algorithm).await.unwrap();
                assert_eq!(uploaded.verification, Verification::Verified(algorithm), "{algorithm} {size}");
                let whole = algorithm.checksum(&data);
                if algorithm.supports(ChecksumType::FullObject) || uploaded.parts == 1 {
                    assert_eq!(uploaded.checksum, Some(whole));
                } else {
                    let parts = data.chunks(8 * MIB).map(|part| algorithm.checksum(part));
                    let composite = wharf::Checksum::composite_of(parts).unwrap();
                    assert_eq!(uploaded.checksum, Some(composite), "{algorithm}");
                    assert_eq!(uploaded.checksum_type, Some(ChecksumType::Composite));
                }
            }
        }
    }
}

/// Where a checksum was announced, some servers refuse parts without one.
#[tokio::test]
async fn each_part_has_its_checksum() {
    let store = Store::in_memory();
    client(&store).await;
    let data = bytes(17 * MIB);
    let large = file(&data);
    for (trailers, place) in [(true, "x-amz-trailer"), (false, "x-amz-checksum-crc64nvme")] {
        let s3 =
            Client::builder().transport(store.clone()).provider(Provider::Other).checksum_trailers(trailers).build();
        let s3 = s3.unwrap();
        store.clear_requests();
        let uploaded = s3.upload("my-bucket", "a", large.path()).await.unwrap();
        assert_eq!(uploaded.verification, Verification::Verified(ChecksumAlgorithm::Crc64Nvme));
        let parts = store.requests().of(Operation::UploadPart);
        assert!(parts.iter().all(|part| part.headers.contains_key(place)), "{:?}", parts[0].headers);
        assert!(content(&s3, "a").await == data);
    }
}

#[tokio::test]
async fn a_checksum_that_is_given_is_of_all_bytes_at_every_size() {
    let (s3, _store) = embedded().await;
    use ChecksumAlgorithm::*;
    for algorithm in [Crc64Nvme, Crc32, Sha256, Md5] {
        for size in SIZES {
            let data = bytes(size);
            let large = file(&data);
            let bodies =
                || [Body::bytes(data.clone()), Body::file(large.path()), Body::stream(pieces(data.clone(), MIB))];
            let say = |upload: Upload, checksum: wharf::Checksum| match algorithm {
                Md5 => upload.content_md5(checksum.to_base64()),
                _ => upload.checksum_value(checksum),
            };
            for body in bodies() {
                let uploaded = say(s3.upload("my-bucket", "right", body), algorithm.checksum(&data)).await.unwrap();
                assert!(uploaded.verification.is_verified(), "{algorithm} {size} {}", uploaded.verification);
            }
            for body in bodies() {
                let error = say(s3.upload("my-bucket", "wrong", body), algorithm.checksum(b"")).await.unwrap_err();
                assert!(matches!(error.kind(), ErrorKind::BadDigest | ErrorKind::Corrupt), "{error}");
                nothing_stored(&s3, "wrong").await;
            }
        }
    }
    let error = s3.upload("my-bucket", "a", bytes(17 * MIB)).content_md5("no md5").await.unwrap_err();
    assert!(error.to_string().contains("content_md5: not a MD5 checksum"), "{error}");
}

#[tokio::test]
async fn a_provider_without_checksums_gets_none() {
    let store = Store::builder().personality(Personality::Plain).build();
    client(&store).await;
    for provider in [Provider::B2, Provider::Gcs, Provider::Oci] {
        let s3 = Client::builder().transport(store.clone()).provider(provider).build().unwrap();
        for size in SIZES {
            store.clear_requests();
            let data = bytes(size);
            for body in [Body::bytes(data.clone()), Body::sized_stream(pieces(data.clone(), MIB), size as u64)] {
                let uploaded = s3.upload("my-bucket", "a", body).verify(true).await.unwrap();
                // Of one request, Google's ETag is the MD5.
                let expected = (provider == Provider::Gcs && size == MIB).then_some(Verification::VerifiedByEtag);
                assert_eq!(Some(uploaded.verification).filter(|it| it.is_verified()), expected, "{provider} {size}");
                assert!(content(&s3, "a").await == data);
            }
            let asked = store.requests();
            let complete = asked.of(Operation::CompleteMultipartUpload);
            assert!(complete.iter().all(|it| it.headers.keys().all(|name| !name.as_str().contains("checksum"))));
            if provider != Provider::Oci {
                let named = asked.only(|it| it.headers.keys().any(|name| name.as_str().contains("checksum")));
                assert!(named.is_empty(), "{named}");
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_forgets_checksums_verifies_nothing() {
    let (s3, store) = embedded().await;
    store.inject(Fault::forget_checksums()).unwrap();
    for size in SIZES {
        let told = "the server names no checksum of what it stored";
        for (verify, told) in [(false, told), (true, Doubt::NotTrusted.as_str())] {
            let uploaded = s3.upload("my-bucket", "a", bytes(size)).verify(verify).await.unwrap();
            assert_eq!(uploaded.verification, Verification::NotVerified(told));
        }
    }
    let uploaded = s3.upload("my-bucket", "a", bytes(MIB)).no_checksum().await.unwrap();
    assert_eq!(uploaded.verification, Verification::NotVerified("no checksum was sent"));
}

#[tokio::test]
async fn to_verify_is_one_request_more() {
    let (s3, store) = embedded().await;
    for size in SIZES {
        store.clear_requests();
        let data = bytes(size);
        let large = file(&data);
        for body in [Body::bytes(data.clone()), Body::file(large.path()), Body::stream(pieces(data.clone(), MIB))] {
            let uploaded = s3.upload("my-bucket", "a", body).verify(true).await.unwrap();
            assert_eq!(uploaded.verification, Verification::Verified(ChecksumAlgorithm::Crc64Nvme));
        }
        assert_eq!(store.requests().count(Operation::HeadObject), 3);
        // An object that replaces it is another one.
        store.inject(Fault::replace_object("another").on(Operation::HeadObject).times(1)).unwrap();
        let uploaded = s3.upload("my-bucket", "a", bytes(size)).verify(true).await.unwrap();
        assert_eq!(
            uploaded.verification,
            Verification::NotVerified("what stands there has not the ETag that the write got")
        );
    }
}

/// A setter that `put_object` has and `upload` has not would be an option that does not hold.
#[test]
fn every_option_of_put_object_is_one_of_upload() {
    let put = include_str!("../../wharf-proto/src/op/put_object.rs");
    let upload = include_str!("../src/transfer/upload/options.rs");
    let setters = put.lines().filter_map(|line| line.trim().strip_prefix("pub fn ")?.split_once("(mut self"));
    let names: Vec<_> = setters.map(|(name, _)| name).collect();
    assert!(names.len() > 25, "{names:?}");
    for name in names {
        assert!(upload.contains(&format!("pub fn {name}(self")), "{name}");
        assert!(upload.contains(&format!("put.{name}(")), "{name}");
    }
}

/// What is appended is not all that the object has, so that its checksum is another.
#[tokio::test]
async fn an_append_is_not_taken_for_spoilt() {
    let whole = ChecksumAlgorithm::Crc64Nvme.checksum(b"Hello, world!").to_base64();
    let fake = Fake::new(move |_, request| {
        let mut answer = answer(200, "");
        let is_put = request.method() == http::Method::PUT;
        assert!(!is_put || request.headers()["x-amz-write-offset-bytes"] == "7");
        let told = [("etag", "\"2\""), ("x-amz-checksum-crc64nvme", &whole), ("x-amz-checksum-type", "FULL_OBJECT")];
        for (name, value) in &told[..if is_put { 1 } else { 3 }] {
            answer.headers_mut().insert(*name, value.parse().unwrap());
        }
        if !is_put {
            answer.headers_mut().insert("content-length", 13.into());
        }
        std::future::ready(Ok(answer))
    });
    let s3 = client_of("http://127.0.0.1:1").provider(Provider::Aws).transport(fake).build().unwrap();
    let uploaded = s3.upload("my-bucket", "a", "world!").write_offset_bytes(7).verify(true).await.unwrap();
    assert_eq!(uploaded.etag.unquoted(), "2");
    assert!(!uploaded.verification.is_verified(), "{}", uploaded.verification);
}
