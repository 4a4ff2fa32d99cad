//! In order: into memory and into writers.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use wharf::transfer::{Budgets, Limits, Memory, Writer};
use wharf::{ChecksumAlgorithm, ErrorKind};
use wharf_embedded::{Fault, Operation};

use crate::common::{MIB, built, bytes, client, in_parts, with_object};
use crate::support::line;

#[tokio::test]
async fn a_small_object_is_one_request() {
    let (s3, store) = client().await;
    for length in [0, 1, 100_000, 16 * MIB] {
        let data = bytes(length);
        s3.put_object("my-bucket", "a", data.clone()).await.unwrap();
        store.clear_requests();
        let done = s3.download("my-bucket", "a", Memory).await.unwrap();
        assert!(done.target == data && done.size as usize == length && done.verification.is_verified());
        let done = s3.download("my-bucket", "a", Writer(Vec::new())).await.unwrap();
        assert!(done.target == data && done.verification.is_verified());
        assert_eq!(store.requests().len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_object_comes_in_order() {
    let data = bytes(20 * MIB + 3);
    let (s3, store) = with_object(&data).await;
    for (part, concurrency, requests) in [(MIB, 5, 21), (8 * MIB, 2, 3), (MIB, 1, 1), (7, 1, 1)] {
        store.clear_requests();
        let call = s3.download("my-bucket", "a", Memory).part_size(part as u64).concurrency(concurrency);
        let done = call.await.unwrap();
        assert!(done.target == data && done.verification.is_verified(), "{}", done.verification);
        assert_eq!(store.requests().len(), requests, "{}", store.requests());
        let done = s3.download("my-bucket", "a", Writer(Vec::new())).part_size(part as u64).concurrency(concurrency);
        assert!(done.await.unwrap().target == data);
    }
    let done = s3.download("my-bucket", "a", Memory).range(5..9 * MIB as u64).part_size(MIB as u64).await.unwrap();
    assert!(done.target == data[5..9 * MIB]);
}

/// Read in order, any checksum can be compared.
#[tokio::test]
async fn digests_and_parts_are_compared() {
    let (s3, _) = client().await;
    let data = bytes(11 * MIB);
    s3.put_object("my-bucket", "a", data.clone()).checksum(ChecksumAlgorithm::Sha1).await.unwrap();
    let call = || s3.download("my-bucket", "a", Memory).part_size(MIB as u64).concurrency(3);
    assert_eq!(call().await.unwrap().verification.to_string(), "verified by SHA1");
    in_parts(&s3, ChecksumAlgorithm::Crc32, true, &[&data[..6 * MIB], &data[6 * MIB..]]).await;
    assert_eq!(call().await.unwrap().verification.to_string(), "verified by CRC32");
}

/// Where it is not said how many requests there shall be, one that is slow gets help.
#[tokio::test(start_paused = true)]
async fn a_fast_stream_is_read_alone() {
    let data = bytes(20 * MIB);
    let (s3, store) = with_object(&data).await;
    let call = || s3.download("my-bucket", "a", Memory).part_size(MIB as u64);
    assert!(call().await.unwrap().target == data);
    assert_eq!(store.requests().len(), 1, "{}", store.requests());
    let slow = Fault::delay_body(3 * MIB as u64, Duration::from_secs(1)).on(Operation::GetObject);
    store.inject(slow).unwrap();
    store.clear_requests();
    assert!(call().await.unwrap().target == data);
    assert!(store.requests().len() > 10, "{}", store.requests());
}

/// While nobody reads on, no more is fetched ahead than there is memory for. Without any the object is read all the same.
#[tokio::test(start_paused = true)]
async fn the_budget_is_kept() {
    let mut limits = Limits::default();
    for (memory, requests) in [(MIB - 1, 1), (MIB, 2), (3 * MIB + 1, 4), (64 * MIB, 8)] {
        limits.memory = memory;
        let (s3, store) = built(|builder| builder.budgets(Budgets::new(limits))).await;
        let data = bytes(10 * MIB);
        s3.put_object("my-bucket", "a", data.clone()).await.unwrap();
        store.clear_requests();
        let (writer, mut reader) = tokio::io::duplex(1000);
        let call = s3.download("my-bucket", "a", Writer(writer)).part_size(MIB as u64).concurrency(8);
        let transfer = call.start().unwrap();
        // Longer than anything lasts that does not wait for the reader.
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(store.requests().len(), requests, "{memory} {}", store.requests());
        let ended = tokio::spawn(async move { transfer.await.map(|done| drop(done.target)) });
        let mut read = Vec::new();
        reader.read_to_end(&mut read).await.unwrap();
        assert!(read == data);
        ended.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn it_goes_on_where_it_broke_off() {
    let data = bytes(4 * MIB);
    let (s3, store) = with_object(&data).await;
    store.inject(Fault::close_response_after(100_001).on(Operation::GetObject)).unwrap();
    store.inject(Fault::respond(503, "SlowDown").share(0.2, 1)).unwrap();
    for concurrency in [1, 4] {
        let call = s3.download("my-bucket", "a", Writer(Vec::new())).part_size(500_000).concurrency(concurrency);
        let done = call.await.unwrap();
        assert!(done.target == data && done.verification.is_verified());
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_replaced() {
    let data = bytes(4 * MIB);
    let (s3, store) = with_object(&data).await;
    let call = |target| s3.download("my-bucket", "a", target).part_size(500_000).concurrency(3);
    let replace = |to: &str| Fault::replace_object(to.to_owned()).if_header("range", "*").times(1);
    store.inject(replace("another")).unwrap();
    assert_eq!(call(Memory).await.unwrap().target, "another");
    // What a writer was given cannot be taken back.
    s3.put_object("my-bucket", "a", data).await.unwrap();
    store.inject(replace("another")).unwrap();
    let call = s3.download("my-bucket", "a", Writer(Vec::new())).part_size(500_000).concurrency(3);
    let error = call.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed, "{}", line(&error));
}

#[tokio::test]
async fn a_spoilt_byte_is_found() {
    let data = bytes(4 * MIB);
    let (s3, store) = with_object(&data).await;
    let spoils = || Fault::corrupt_response(1234).on(Operation::GetObject).if_header("range", "*");
    store.inject(spoils().times(1)).unwrap();
    let call = || s3.download("my-bucket", "a", Memory).part_size(500_000).concurrency(3);
    assert!(call().await.unwrap().target == data);
    // What a writer was given cannot be taken back.
    store.inject(spoils().times(1)).unwrap();
    let call_to = s3.download("my-bucket", "a", Writer(Vec::new())).part_size(500_000).concurrency(3);
    let error = call_to.await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Corrupt, 1));
    assert_eq!(line(&error), "download my-bucket/a: the bytes do not match the object's CRC64NVME checksum");
    assert_eq!(error.hint(), Some("download it again, and use nothing of what came"));
    store.inject(spoils()).unwrap();
    let error = call().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Corrupt, 2));
}

#[tokio::test]
async fn a_writer_that_fails() {
    let (s3, _) = with_object(&bytes(MIB)).await;
    let (writer, reader) = tokio::io::duplex(1000);
    drop(reader);
    let error = s3.download("my-bucket", "a", Writer(writer)).await.unwrap_err();
    assert_eq!(
        (error.kind(), line(&error)),
        (ErrorKind::Body, "download my-bucket/a: the writer failed: broken pipe".into())
    );
}

/// Who takes the bytes slowly is not the server that does not move.
#[tokio::test(start_paused = true)]
async fn a_slow_writer_tries_nobodys_patience() {
    let data = bytes(2 * MIB);
    let (s3, store) = with_object(&data).await;
    let cut = Fault::close_response_after(MIB as u64 / 4 + 1).on(Operation::GetObject).times(1);
    store.inject(cut).unwrap();
    let (writer, mut reader) = tokio::io::duplex(MIB / 4);
    let taking = async {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        let mut taken = Vec::new();
        reader.read_to_end(&mut taken).await.unwrap();
        taken
    };
    let giving =
        async { s3.download("my-bucket", "a", Writer(writer)).patience(Duration::from_secs(60)).await.map(drop) };
    let (given, taken) = tokio::join!(giving, taking);
    given.unwrap();
    assert!(taken == data);
}
