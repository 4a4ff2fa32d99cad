//! A sync as a whole: what its entries have in common.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Request};
use support::upload::{MIB, client, hooked, no_uploads};
use support::{answer, error_document, soon};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use wharf::transfer::{Budgets, Compare, Limits};
use wharf::transport::{Body, Defaults, ResponseFuture, Transport};
use wharf::{ChecksumAlgorithm, Client, ErrorKind};
use wharf_embedded::{Fault, Operation, Store};

/// A store that takes so many writes at a time, each of which lasts a tenth of a second, and refuses the others.
#[derive(Clone)]
struct Busy {
    store: Store,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    takes: AtomicUsize,
    now: AtomicUsize,
    peak: AtomicUsize,
    refused: AtomicUsize,
}

impl Transport for Busy {
    fn send(&self, request: Request<Body>) -> ResponseFuture {
        let Self { store, state } = self.clone();
        Box::pin(async move {
            if request.method() != Method::PUT {
                return store.send(request).await;
            }
            let now = state.now.fetch_add(1, SeqCst) + 1;
            state.peak.fetch_max(now, SeqCst);
            let is_taken = now <= state.takes.load(SeqCst);
            sleep(Duration::from_millis(if is_taken { 100 } else { 5 })).await;
            state.now.fetch_sub(1, SeqCst);
            if is_taken {
                return store.send(request).await;
            }
            state.refused.fetch_add(1, SeqCst);
            Ok(answer(503, error_document("SlowDown", "Please reduce your request rate.")))
        })
    }

    fn defaults(&self) -> Option<Defaults> {
        self.store.defaults()
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_fewer_requests_gets_fewer_of_all_entries() {
    let folder = TempDir::new().unwrap();
    for n in 0..600 {
        fs::write(folder.path().join(format!("{n:03}")), "x").unwrap();
    }
    let store = Store::in_memory();
    let state = Arc::new(State::default());
    state.takes.store(usize::MAX, SeqCst);
    let s3 = Client::builder().transport(Busy { store, state: state.clone() }).build().unwrap();
    s3.create_bucket("my-bucket").await.unwrap();
    state.takes.store(4, SeqCst);
    let mut events = s3.sync(folder.path(), ("my-bucket", "")).concurrency(32).events();
    let (mut done, mut refused, mut peak) = (0, [0; 2], 0);
    while let Some(item) = events.next().await {
        assert!(item.unwrap().error.is_none());
        done += 1;
        if done == 100 {
            refused[0] = state.refused.load(SeqCst);
            state.peak.store(0, SeqCst);
        }
        if done == 400 {
            refused[1] = state.refused.load(SeqCst) - refused[0];
            peak = state.peak.swap(0, SeqCst);
            // It has more to give from now on.
            state.takes.store(usize::MAX, SeqCst);
        }
    }
    // Now and then it is tried whether the server takes one more.
    assert!(peak <= 6, "{peak} at a time of a server that takes 4");
    assert!(refused[0] < 100 && refused[1] < 30, "{refused:?}");
    assert!(state.peak.load(SeqCst) >= 7, "it grew to {} only", state.peak.load(SeqCst));
}

/// What the sync's entries have begun is undone when `cancel` says that it is over, and their bytes are the sync's.
#[tokio::test]
async fn a_cancelled_sync_has_undone_what_its_entries_began() {
    let folder = TempDir::new().unwrap();
    for name in ["a", "b", "c"] {
        fs::File::create(folder.path().join(name)).unwrap().set_len(20 * MIB as u64).unwrap();
    }
    let store = Store::in_memory();
    let plain = client(&store).await;
    let (tell, mut told) = mpsc::unbounded_channel();
    let hook = move |what: String| {
        let tell = tell.clone();
        async move {
            if what.contains("partNumber=3&") {
                tell.send(()).unwrap();
                std::future::pending::<()>().await;
            }
        }
    };
    let s3 = hooked(&store, hook).build().unwrap();
    let sync = s3.sync(folder.path(), ("my-bucket", "")).uploads(|upload| upload.concurrency(1));
    let transfer = sync.start().unwrap();
    for _ in 0..3 {
        soon(told.recv()).await.unwrap();
    }
    let progress = transfer.progress();
    assert_eq!((progress.bytes, progress.parts), (3 * 16 * MIB as u64, 0));
    store.inject(Fault::delay(Duration::from_millis(300)).on(Operation::AbortMultipartUpload)).unwrap();
    transfer.cancel().await.unwrap();
    let requests = store.requests();
    assert_eq!(requests.count(Operation::AbortMultipartUpload), 3, "{requests}");
    no_uploads(&plain).await;
}

/// What cannot be undone, `cancel` says.
#[tokio::test]
async fn a_cancelled_sync_says_what_it_could_not_undo() {
    let folder = TempDir::new().unwrap();
    fs::File::create(folder.path().join("a")).unwrap().set_len(20 * MIB as u64).unwrap();
    let store = Store::in_memory();
    client(&store).await;
    let (tell, mut told) = mpsc::unbounded_channel();
    let hook = move |what: String| {
        let tell = tell.clone();
        async move {
            if what.contains("partNumber=") {
                tell.send(()).unwrap();
                std::future::pending::<()>().await;
            }
        }
    };
    let s3 = hooked(&store, hook).build().unwrap();
    store.inject(Fault::respond(403, "AccessDenied").on(Operation::AbortMultipartUpload)).unwrap();
    let transfer = s3.sync(folder.path(), ("my-bucket", "")).start().unwrap();
    soon(told.recv()).await.unwrap();
    assert_eq!(transfer.cancel().await.unwrap_err().kind(), ErrorKind::AccessDenied);
}

/// Folder and bucket with so many objects of the same bytes, which a sync by checksum has to ask for.
async fn same(count: usize, store: &Store) -> TempDir {
    let folder = TempDir::new().unwrap();
    let s3 = client(store).await;
    for n in 0..count {
        fs::write(folder.path().join(format!("{n:02}")), "x").unwrap();
        s3.put_object("my-bucket", format!("{n:02}"), "x").await.unwrap();
    }
    folder
}

#[tokio::test(start_paused = true)]
async fn a_sync_by_checksum_asks_patiently() {
    let store = Store::in_memory();
    let folder = same(1, &store).await;
    // More often than a call makes a request again by itself, and for longer than the fault lasts.
    store.inject(Fault::respond(503, "SlowDown").on(Operation::HeadObject).times(20)).unwrap();
    let s3 = Client::builder().transport(store.clone()).build().unwrap();
    let sync = || s3.sync(folder.path(), ("my-bucket", "")).compare(Compare::Checksum);
    let synced = sync().await.unwrap();
    assert_eq!((synced.skipped, synced.failed), (1, 0), "{synced:?}");
    // And no longer than it is told.
    store.inject(Fault::respond(503, "SlowDown").on(Operation::HeadObject)).unwrap();
    let start = Instant::now();
    let synced = sync().patience(Duration::from_secs(20)).await.unwrap();
    assert_eq!(synced.failures[0].error.as_ref().unwrap().kind(), ErrorKind::Server);
    assert_eq!(start.elapsed().as_secs(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_sync_by_checksum_asks_within_the_budget_of_requests() {
    let store = Store::in_memory();
    let folder = same(20, &store).await;
    let (now, peak) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = peak.clone();
    let hook = move |what: String| {
        let (now, peak) = (now.clone(), seen.clone());
        async move {
            if what.starts_with("HEAD") {
                peak.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                sleep(Duration::from_millis(50)).await;
                now.fetch_sub(1, SeqCst);
            }
        }
    };
    let mut limits = Limits::default();
    limits.requests = 3;
    let s3 = hooked(&store, hook).budgets(Budgets::new(limits)).build().unwrap();
    let synced = s3.sync(folder.path(), ("my-bucket", "")).compare(Compare::Checksum).await.unwrap();
    assert_eq!((synced.skipped, synced.failed), (20, 0), "{synced:?}");
    assert!(peak.load(SeqCst) <= 3, "{peak:?} at a time");
}

#[tokio::test]
async fn what_a_sync_has_sent_and_nobody_answered_is_in_flight() {
    let store = Store::in_memory();
    client(&store).await;
    let folder = TempDir::new().unwrap();
    for name in ["a", "b"] {
        fs::write(folder.path().join(name), vec![7; MIB]).unwrap();
    }
    store.inject(Fault::delay(Duration::from_secs(3600)).on(Operation::PutObject)).unwrap();
    let s3 = Client::builder().transport(store.clone()).build().unwrap();
    let transfer = s3.sync(folder.path(), ("my-bucket", "")).start().unwrap();
    let all = 2 * MIB as u64;
    soon(async {
        while transfer.progress().in_flight < all {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let progress = transfer.progress();
    assert_eq!((progress.in_flight, progress.bytes, progress.total), (all, 0, Some(all)));
    transfer.cancel().await.unwrap();
    store.clear_faults();
    // What was not answered was stored.
    let mut transfer = s3.sync(folder.path(), ("my-bucket", "again/")).start().unwrap();
    let synced = (&mut transfer).await.unwrap();
    assert_eq!(synced.transferred, 2, "{synced:?}");
    assert_eq!((transfer.progress().in_flight, transfer.progress().bytes), (0, all));
}

/// Also to learn how an object was cut, `uploads` is asked for an upload that could be made.
#[tokio::test]
async fn no_upload_is_made_up_to_compare_bytes() {
    let store = Store::in_memory();
    let s3 = client(&store).await;
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a"), vec![7; 6 * MIB]).unwrap();
    let upload = s3.upload("my-bucket", "in/a", vec![7; 6 * MIB]).checksum(ChecksumAlgorithm::Sha256);
    upload.multipart_threshold(MIB as u64).part_size(5_555_555).await.unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = seen.clone();
    let sync = s3.sync(folder.path(), ("my-bucket", "in/")).compare(Compare::Checksum).uploads(move |upload| {
        told.lock().unwrap().push(format!("{upload:?}"));
        upload.part_size(5_555_555)
    });
    assert_eq!(sync.await.unwrap().skipped, 1);
    let seen = seen.lock().unwrap();
    assert!(seen.len() == 1 && seen[0].contains("\"my-bucket\"") && seen[0].contains("\"in/a\""), "{seen:?}");
}
