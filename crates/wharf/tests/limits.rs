//! What all calls of a process share, and what a client counts.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::future::IntoFuture;
use std::io::SeekFrom;
use std::time::Duration;

use futures_util::StreamExt;
use support::FakeClock;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::time::Instant;
use wharf::transfer::{Budgets, Limits};
use wharf::{Body, Client, ErrorKind};
use wharf_embedded::{Fault, Operation, Store};

fn bandwidth(bytes_a_second: u64) -> Budgets {
    let mut limits = Limits::default();
    limits.bandwidth = Some(bytes_a_second);
    Budgets::new(limits)
}

/// A client of a store with a bucket; a peer that is silent for a second is given up.
async fn client(budgets: Budgets) -> (Client, Store) {
    let store = Store::in_memory();
    let free = Client::builder().transport(store.clone()).build().unwrap();
    free.create_bucket("my-bucket").await.unwrap();
    free.put_object("my-bucket", "a", vec![7; 64 * 1024]).await.unwrap();
    let builder = Client::builder().transport(store.clone()).clock(FakeClock::system()).budgets(budgets);
    (builder.progress_timeout(Duration::from_secs(1)).build().unwrap(), store)
}

#[tokio::test(start_paused = true)]
async fn waiting_for_bandwidth_is_no_stall() {
    // Each piece takes four seconds, and the peer has one.
    let (s3, store) = client(bandwidth(4096)).await;
    let pieces = || (0..8).map(|_| Ok::<_, std::io::Error>(bytes::Bytes::from(vec![1; 8192])));
    let stream = || Body::sized_stream(futures_util::stream::iter(pieces()), 64 * 1024);
    for (name, body) in [("bytes", Body::bytes(vec![1; 64 * 1024])), ("stream", stream())] {
        let start = Instant::now();
        s3.put_object("my-bucket", name, body).await.unwrap();
        let time = start.elapsed().as_secs();
        assert!((11..=17).contains(&time), "{name}: {time} s");
    }
    let start = Instant::now();
    assert_eq!(s3.get_object("my-bucket", "a").bytes().await.unwrap().len(), 64 * 1024);
    assert!(start.elapsed() >= Duration::from_secs(3), "it waits for what the puts moved");
    // A peer that is silent all the same is found out.
    store.inject(Fault::delay(Duration::from_secs(60)).on(Operation::PutObject)).unwrap();
    let error = s3.put_object("my-bucket", "late", vec![1; 8192]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[tokio::test(start_paused = true)]
async fn small_bodies_both_ways_share_the_bandwidth() {
    let (s3, _store) = client(bandwidth(64 * 1024)).await;
    let start = Instant::now();
    for n in 0..16 {
        s3.put_object("my-bucket", format!("small-{n}"), vec![1; 8192]).await.unwrap();
        s3.get_object("my-bucket", format!("small-{n}")).bytes().await.unwrap();
    }
    let time = start.elapsed().as_secs_f64();
    assert!((3.7..5.0).contains(&time), "256 KiB in {time} s");
    // What answers hold counts as well.
    let start = Instant::now();
    for _ in 0..16 {
        s3.list_objects("my-bucket").await.unwrap();
    }
    assert!(start.elapsed() > Duration::from_millis(500), "{:?}", start.elapsed());
}

#[tokio::test]
async fn what_a_client_did_is_counted() {
    let (s3, store) = client(Budgets::process()).await;
    let twin = s3.clone();
    assert_eq!(s3.counters(), Default::default());
    s3.put_object("my-bucket", "b", "Hello!").await.unwrap();
    s3.put_object("my-bucket", "c", vec![1; 100_000]).await.unwrap();
    s3.get_object("my-bucket", "b").text().await.unwrap();
    let counted = twin.counters();
    assert_eq!((counted.requests, counted.retries, counted.throttles), (3, 0, 0));
    assert_eq!((counted.bytes_sent, counted.bytes_received), (100_006, 6));
    assert_eq!(counted.connections_opened, 0);
    store.inject(Fault::respond(503, "SlowDown").on(Operation::PutObject).times(2)).unwrap();
    s3.put_object("my-bucket", "b", "Hello!").await.unwrap();
    let then = s3.counters();
    assert_eq!((then.requests, then.retries, then.throttles), (6, 2, 2));
    assert_eq!(then.bytes_sent - counted.bytes_sent, 18);
}

#[tokio::test]
async fn a_transfers_retries_are_counted_too() {
    let (s3, store) = client(Budgets::process()).await;
    store.inject(Fault::respond(503, "SlowDown").on(Operation::PutObject).times(2)).unwrap();
    s3.upload("my-bucket", "b", "Hello!").await.unwrap();
    let counted = s3.counters();
    assert_eq!((counted.requests, counted.retries, counted.throttles), (3, 2, 2));
}

#[tokio::test]
async fn connections_are_counted() {
    let (_, store) = client(Budgets::process()).await;
    let server = store.serve("127.0.0.1:0").await.unwrap();
    let keys = (store.access_key_id().to_owned(), store.secret_access_key().to_owned());
    let s3 = Client::builder().endpoint(server.endpoint()).credentials(keys.0, keys.1).build().unwrap();
    for _ in 0..3 {
        s3.get_object("my-bucket", "a").bytes().await.unwrap();
    }
    assert_eq!(s3.counters().connections_opened, 1);
    let list = || async { s3.list_objects("my-bucket").await.unwrap() };
    tokio::join!(list(), list(), list());
    assert!((2..=3).contains(&s3.counters().connections_opened), "{:?}", s3.counters());
}

#[tokio::test]
async fn what_waits_for_the_server_is_counted_until_it_answers() {
    let (_, store) = client(Budgets::process()).await;
    let server = store.serve("127.0.0.1:0").await.unwrap();
    let keys = (store.access_key_id().to_owned(), store.secret_access_key().to_owned());
    let s3 = Client::builder().endpoint(server.endpoint()).credentials(keys.0, keys.1).build().unwrap();
    let put = || async { s3.put_object("my-bucket", "b", vec![1; 1_000_000]).if_absent().await };
    put().await.unwrap();
    nothing_is_awaited(&s3).await;
    // Its answer comes before the body is taken.
    put().await.unwrap_err();
    nothing_is_awaited(&s3).await;
    let (give, given) = tokio::sync::mpsc::channel::<Result<&'static [u8], std::io::Error>>(1);
    let given = futures_util::stream::unfold(given, |mut given| async { Some((given.recv().await?, given)) });
    let putting = s3.put_object("my-bucket", "c", Body::sized_stream(given, 6));
    let putting = tokio::spawn(putting.into_future());
    while s3.counters().requests < 3 {
        tokio::task::yield_now().await;
    }
    // It waits for us.
    nothing_is_awaited(&s3).await;
    assert!(!putting.is_finished());
    give.send(Ok(b"Hello!")).await.unwrap();
    drop(give);
    putting.await.unwrap().unwrap();
    nothing_is_awaited(&s3).await;
}

/// What is piped from one transfer into another, where one request at a time is all there is.
#[tokio::test]
async fn a_download_into_an_upload_needs_one_request_at_a_time() {
    let mut limits = Limits::default();
    (limits.requests, limits.memory) = (1, 16 << 20);
    let (s3, store) = client(Budgets::new(limits)).await;
    let data: Vec<u8> = (0..20 << 20).map(|at: u32| (at / 251) as u8).collect();
    s3.put_object("my-bucket", "from", data.clone()).await.unwrap();
    for concurrency in [Some(1), Some(3), None] {
        let (writer, reader) = tokio::io::duplex(64 << 10);
        let mut download = s3.download("my-bucket", "from", wharf::transfer::Writer(writer));
        let mut upload = s3.upload("my-bucket", "to", wharf::Reader::new(reader)).part_size(5 << 20);
        if let Some(requests) = concurrency {
            (download, upload) = (download.concurrency(requests), upload.concurrency(requests));
        }
        let both = async { tokio::join!(async { download.await.map(|done| drop(done.target)) }, upload) };
        let (down, up) = tokio::time::timeout(Duration::from_secs(60), both).await.expect("they wait for each other");
        down.unwrap();
        assert_eq!((up.unwrap().size, store.requests().count(Operation::UploadPart)), (20 << 20, 4));
        store.clear_requests();
        assert!(s3.get_object("my-bucket", "to").bytes().await.unwrap() == data);
    }
}

/// Whoever holds all the memory may be the one that waits for the upload.
#[tokio::test(start_paused = true)]
async fn an_upload_of_a_file_waits_for_nobodys_memory() {
    let mut limits = Limits::default();
    limits.memory = 256 << 10;
    let (s3, _store) = client(Budgets::new(limits)).await;
    s3.put_object("my-bucket", "archive", vec![7; 1 << 20]).await.unwrap();
    let mut reader = s3.object_reader("my-bucket", "archive").await.unwrap();
    reader.seek(SeekFrom::Start(600_000)).await.unwrap();
    assert_eq!(reader.read_u8().await.unwrap(), 7);
    let file = support::upload::file(b"Hello!");
    let upload = s3.upload("my-bucket", "b", file.path()).into_future();
    let uploaded = tokio::time::timeout(Duration::from_secs(60), upload).await.expect("it waits for the reader");
    assert_eq!(uploaded.unwrap().size, 6);
    assert_eq!(s3.get_object("my-bucket", "b").text().await.unwrap(), "Hello!");
    assert_eq!(reader.read_u8().await.unwrap(), 7);
}

/// Without room a reader goes on by little pieces, and not by what nobody has given it.
#[tokio::test]
async fn a_reader_holds_no_more_than_there_is_room_for() {
    let data: Vec<u8> = (0..4 << 20).map(|at: u32| (at / 251) as u8).collect();
    for (memory, requests) in [(1, 16), (64 << 20, 5)] {
        let mut limits = Limits::default();
        limits.memory = memory;
        let (s3, store) = client(Budgets::new(limits)).await;
        s3.put_object("my-bucket", "a", data.clone()).await.unwrap();
        let (mut read, mut reader) = (Vec::new(), s3.object_reader("my-bucket", "a").await.unwrap());
        reader.read_to_end(&mut read).await.unwrap();
        assert!(read == data);
        assert_eq!(store.requests().count(Operation::GetObject), requests, "{memory}");
    }
}

/// The largest number there is means that nobody is to be held up.
#[tokio::test]
async fn as_many_requests_as_one_likes() {
    let (s3, _store) = client(Budgets::new(Limits::default())).await;
    let part = 5 << 20;
    for round in 0..3 {
        let data = vec![round; 12 << 20];
        let upload = s3.upload("my-bucket", "b", data.clone()).part_size(part).multipart_threshold(part);
        upload.concurrency(usize::MAX).await.unwrap();
        let copy = s3.copy("my-bucket", "b", "my-bucket", "c").part_size(part).multipart_threshold(part);
        copy.concurrency(usize::MAX).await.unwrap();
        let download = s3.download("my-bucket", "c", wharf::transfer::Memory).part_size(part);
        assert!(download.concurrency(usize::MAX).await.unwrap().target == data);
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("c");
        s3.download("my-bucket", "c", target.clone()).part_size(part).concurrency(usize::MAX).await.unwrap();
        assert!(std::fs::read(target).unwrap() == data);
    }
    let listed = s3.list("my-bucket").parallel(usize::MAX).items().count().await;
    assert_eq!(listed, 3);
    let folder = tempfile::tempdir().unwrap();
    let synced = s3.sync(("my-bucket", ""), folder.path()).concurrency(usize::MAX).await.unwrap();
    assert_eq!(synced.failed, 0);
}

/// A connection may let go of a body a moment after the answer.
async fn nothing_is_awaited(s3: &Client) {
    let wait = async {
        while s3.counters().awaited > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.unwrap();
}
