//! A sync as a whole: what its entries have in common.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use http::{Method, Request};
use support::upload::{MIB, client, hooked, no_uploads};
use support::{answer, error_document, soon};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::sleep;
use wharf::transport::{Body, Defaults, ResponseFuture, Transport};
use wharf::{Client, ErrorKind};
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
