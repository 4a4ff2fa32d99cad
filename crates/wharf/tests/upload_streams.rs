//! Streams: of what length, in what parts, and where they are kept.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::io;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use support::upload::{MIB, bytes, client, content, embedded, no_uploads, nothing_stored, operations, pieces};
use wharf::transfer::{Budgets, Limits};
use wharf::{Body, ChecksumAlgorithm, Client, ErrorKind, Provider};
use wharf_embedded::{Fault, Operation, Store};

fn sized(data: Vec<u8>, length: usize) -> Body {
    Body::sized_stream(pieces(data, 64 * 1024), length as u64)
}

#[tokio::test]
async fn a_stream_of_another_length_stores_nothing() {
    let (s3, _store) = embedded().await;
    for (length, said) in
        [(MIB, MIB + 1), (MIB + 1, MIB), (20 * MIB, 20 * MIB + 1), (20 * MIB + 1, 20 * MIB), (0, 1), (1, 0)]
    {
        let error = s3.upload("my-bucket", "a", sized(bytes(length), said)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{length} {said}: {error}");
        let problem = match length < said {
            true => format!("upload my-bucket/a: the body ended after {length} of the {said} bytes declared"),
            false => format!("upload my-bucket/a: the body is longer than the {said} bytes declared"),
        };
        assert!(error.to_string().starts_with(&problem), "{error}");
        nothing_stored(&s3, "a").await;
    }
}

#[tokio::test]
async fn a_stream_that_fails_stores_nothing() {
    let (s3, store) = embedded().await;
    for length in [MIB, 20 * MIB] {
        let broken = pieces(bytes(length), MIB).chain(stream::iter([Err(io::Error::other("the tape tore"))]));
        let error = s3.upload("my-bucket", "a", Body::stream(broken)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Body);
        assert!(error.to_string().contains("the body could not be read: the tape tore"), "{error}");
        nothing_stored(&s3, "a").await;
    }
    assert_eq!(store.requests().count(Operation::CompleteMultipartUpload), 0);
}

#[tokio::test]
async fn a_stream_that_ends_soon_is_one_request() {
    let (s3, store) = embedded().await;
    let length = 16 * MIB;
    s3.upload("my-bucket", "a", Body::stream(pieces(bytes(length), 1 << 20))).await.unwrap();
    assert_eq!(operations(&store), ["PutObject"]);
    assert!(content(&s3, "a").await == bytes(length));
    store.clear_requests();
    let uploaded = s3.upload("my-bucket", "a", Body::stream(pieces(bytes(length + 1), 1 << 20))).await.unwrap();
    assert_eq!((uploaded.parts, uploaded.size, operations(&store).len()), (3, length as u64 + 1, 5));
    assert!(content(&s3, "a").await == bytes(length + 1));
}

#[tokio::test]
async fn an_expected_size_makes_room() {
    let (s3, store) = embedded().await;
    // For that many bytes parts of 5 MiB are not enough.
    let upload = s3.upload("my-bucket", "a", Body::stream(pieces(bytes(20 * MIB), MIB))).part_size(5 << 20);
    assert_eq!(upload.expected_size(60_000 * MIB as u64).multipart_threshold(1).await.unwrap().parts, 4);
    let first = &store.requests().of(Operation::UploadPart)[0];
    assert!(first.headers["content-length"].to_str().unwrap().parse::<usize>().unwrap() > 6 * MIB - 300 * 1024);
    // More than there can be is known at once.
    let error = s3.upload("my-bucket", "a", Body::stream(stream::pending::<io::Result<Bytes>>()));
    let error = error.expected_size(u64::MAX).await.unwrap_err();
    assert!(error.to_string().contains("is too long"), "{error}");
}

#[tokio::test]
async fn more_parts_than_the_server_takes() {
    let store = Store::in_memory();
    client(&store).await;
    let mut habits = Provider::Embedded.habits();
    habits.parts.max_count = 3;
    habits.parts.equal = true;
    let s3 = Client::builder().transport(store.clone()).habits(habits).build().unwrap();
    let upload = |length: usize| {
        s3.upload("my-bucket", "a", Body::stream(pieces(bytes(length), MIB))).part_size(5 << 20).multipart_threshold(1)
    };
    assert_eq!(upload(15 * MIB).await.unwrap().parts, 3);
    let error = upload(15 * MIB + 1).await.unwrap_err();
    assert!(error.to_string().contains("the server takes at most 3 parts"), "{error}");
    no_uploads(&s3).await;
    // A known length is refused before anything is sent.
    store.clear_requests();
    habits.parts.max_size = 5 << 20;
    let s3 = Client::builder().transport(store.clone()).habits(habits).build().unwrap();
    let error = s3.upload("my-bucket", "a", bytes(15 * MIB + 1)).await.unwrap_err();
    assert!(error.to_string().contains("too long"), "{error}");
    assert!(operations(&store).is_empty());
}

/// A client that may hold so many bytes.
async fn holding(memory: usize, store: &Store) -> Client {
    client(store).await;
    let mut limits = Limits::default();
    limits.memory = memory;
    Client::builder().transport(store.clone()).budgets(Budgets::new(limits)).build().unwrap()
}

#[tokio::test]
async fn what_memory_has_no_room_for_is_spooled() {
    let store = Store::in_memory();
    let s3 = holding(4096, &store).await;
    let directory = tempfile::tempdir().unwrap();
    let data = bytes(21 * MIB);
    for (key, body) in [
        ("unknown", Body::stream(pieces(data.clone(), 100_000))),
        ("known", sized(data.clone(), data.len())),
        ("one", Body::stream(pieces(data[..15 * MIB].to_vec(), 100_000))),
    ] {
        // Each part is sent twice.
        store
            .inject(Fault::respond(503, "SlowDown").on(Operation::UploadPart).on(Operation::PutObject).times(3))
            .unwrap();
        let uploaded = s3.upload("my-bucket", key, body).spool_dir(directory.path()).await.unwrap();
        assert!(uploaded.verification.is_verified(), "{key}");
        assert!(content(&s3, key).await == data[..uploaded.size as usize], "{key}");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "it has a name");
    }
    let nowhere = directory.path().join("nowhere");
    let error =
        s3.upload("my-bucket", "b", Body::stream(pieces(data.clone(), MIB))).spool_dir(&nowhere).await.unwrap_err();
    let problem = format!("upload my-bucket/b: part of the stream could not be kept in {}: ", nowhere.display());
    assert!(error.to_string().starts_with(&problem), "{error}");
    // However small the stream is: memory has no room for one part either.
    let small = Body::stream(pieces(data[..MIB].to_vec(), MIB));
    s3.upload("my-bucket", "b", small).spool_dir(&nowhere).await.unwrap_err();
    // With room nothing is spooled.
    let s3 = holding(64 * MIB, &store).await;
    s3.upload("my-bucket", "b", Body::stream(pieces(data, MIB))).spool_dir(&nowhere).await.unwrap();
}

/// A spooled part is a stream, which over plain http some providers cannot take.
#[tokio::test]
async fn where_a_stream_cannot_be_signed_its_parts_wait_for_room() {
    let store = Store::in_memory();
    client(&store).await;
    let mut limits = Limits::default();
    limits.memory = 9 * MIB;
    let s3 = Client::builder().transport(store.clone()).provider(Provider::R2).budgets(Budgets::new(limits));
    let s3 = s3.build().unwrap();
    let data = bytes(41 * MIB);
    let upload = s3.upload("my-bucket", "a", sized(data.clone(), data.len()));
    let uploaded = upload.spool_dir("/nowhere").await.unwrap();
    assert_eq!(uploaded.parts, 6);
    assert!(content(&s3, "a").await == data);
}

#[tokio::test]
async fn pieces_of_any_size_are_the_same_bytes() {
    let (s3, _store) = embedded().await;
    let data = bytes(17 * MIB + 3);
    for size in [1017, 3 * MIB, 20 * MIB] {
        let uploaded = s3.upload("my-bucket", "a", Body::stream(pieces(data.clone(), size))).await.unwrap();
        assert_eq!(uploaded.checksum, Some(ChecksumAlgorithm::Crc64Nvme.checksum(&data)));
        assert!(content(&s3, "a").await == data);
    }
    // Empty pieces are none.
    let empty = stream::iter((0..10).map(|_| Ok::<_, io::Error>(Bytes::new())));
    assert_eq!(s3.upload("my-bucket", "a", Body::stream(empty)).await.unwrap().size, 0);
}

/// One request takes no more than a part, and what is longer is not spooled first to find that out.
#[tokio::test]
async fn a_threshold_beyond_what_one_request_takes() {
    let store = Store::in_memory();
    client(&store).await;
    let mut habits = Provider::Embedded.habits();
    habits.parts.max_size = 5 << 20;
    let s3 = Client::builder().transport(store.clone()).habits(habits).build().unwrap();
    for body in [Body::stream(pieces(bytes(12 * MIB), MIB)), sized(bytes(12 * MIB), 12 * MIB)] {
        let uploaded = s3.upload("my-bucket", "a", body).multipart_threshold(1 << 40).part_size(5 << 20).await.unwrap();
        assert_eq!(uploaded.parts, 3);
    }
}
