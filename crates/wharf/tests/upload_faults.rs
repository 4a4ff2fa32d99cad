//! Uploads against a server that fails, and uploads that are given up.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::future::IntoFuture;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use support::soon;
use support::upload::{MIB, bytes, client, content, count, embedded, hooked, no_uploads, nothing_stored, pieces};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use wharf::transfer::Interrupted;
use wharf::{Body, Client, ErrorKind};
use wharf_embedded::{Fault, Operation, Store};

const LARGE: usize = 20 * MIB;

#[tokio::test(start_paused = true)]
async fn a_storm_of_503_passes() {
    let (s3, store) = embedded().await;
    let storm = store.inject(Fault::respond(503, "SlowDown").share(0.7, 7)).unwrap();
    for (key, body) in [
        ("bytes", Body::bytes(bytes(LARGE))),
        ("stream", Body::stream(pieces(bytes(LARGE), MIB))),
        ("small", Body::stream(pieces(bytes(MIB), MIB))),
    ] {
        let transfer = s3.upload("my-bucket", key, body).start().unwrap();
        assert!(transfer.await.unwrap().verification.is_verified());
    }
    assert!(storm.fired() > 10, "{}", storm.fired());
    store.clear_faults();
    assert!(content(&s3, "stream").await == bytes(LARGE));
    no_uploads(&s3).await;
}

#[tokio::test(start_paused = true)]
async fn broken_connections_and_silent_failures_are_tried_again() {
    let (s3, store) = embedded().await;
    for fault in [
        Fault::close_request_after(1000).on(Operation::UploadPart).times(2),
        Fault::close_response_after(10).on(Operation::CreateMultipartUpload).times(1),
        Fault::drop_answer().on(Operation::UploadPart).nth(3),
        Fault::respond(500, "InternalError").on(Operation::UploadPart).nth(4),
        Fault::ok_with_error("InternalError").on(Operation::CompleteMultipartUpload).times(1),
    ] {
        store.inject(fault).unwrap();
    }
    let transfer = s3.upload("my-bucket", "a", bytes(LARGE)).start().unwrap();
    let uploaded = transfer.await.unwrap();
    assert!(uploaded.verification.is_verified());
    assert!(content(&s3, "a").await == bytes(LARGE));
}

#[tokio::test]
async fn progress_is_what_has_arrived() {
    let store = Store::in_memory();
    client(&store).await;
    let (tell, mut told) = mpsc::unbounded_channel();
    let go_on = Arc::new(Notify::new());
    let hook = {
        let go_on = go_on.clone();
        move |what: String| {
            let (tell, go_on) = (tell.clone(), go_on.clone());
            async move {
                if what.contains("partNumber=3&") {
                    tell.send(()).unwrap();
                    go_on.notified().await;
                }
            }
        }
    };
    let s3 = hooked(&store, hook).build().unwrap();
    let transfer = s3.upload("my-bucket", "a", bytes(LARGE)).concurrency(1).start().unwrap();
    soon(told.recv()).await.unwrap();
    let progress = transfer.progress();
    assert_eq!((progress.bytes, progress.total, progress.parts), (16 * MIB as u64, Some(LARGE as u64), 2));
    go_on.notify_one();
    transfer.await.unwrap();
}

#[tokio::test]
async fn what_was_sent_and_not_answered_is_in_flight() {
    let (s3, store) = embedded().await;
    store.inject(Fault::delay(Duration::from_secs(3600)).on(Operation::PutObject)).unwrap();
    let transfer = s3.upload("my-bucket", "a", bytes(MIB)).start().unwrap();
    while transfer.progress().in_flight < MIB as u64 {
        tokio::task::yield_now().await;
    }
    assert_eq!((transfer.progress().in_flight, transfer.progress().bytes), (MIB as u64, 0));
    transfer.cancel().await.unwrap();
    store.clear_faults();
    let mut transfer = s3.upload("my-bucket", "a", bytes(MIB)).start().unwrap();
    assert!((&mut transfer).await.is_ok());
    assert_eq!((transfer.progress().in_flight, transfer.progress().bytes), (0, MIB as u64));
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_spoilt_on_their_way_are_sent_again() {
    let (s3, store) = embedded().await;
    for (body, size, write) in [
        (Body::bytes(bytes(LARGE)), LARGE, Operation::UploadPart),
        (Body::stream(pieces(bytes(LARGE), MIB)), LARGE, Operation::UploadPart),
        (Body::bytes(bytes(MIB)), MIB, Operation::PutObject),
    ] {
        let spoilt = store.inject(Fault::corrupt_request(5).on(write).times(2)).unwrap();
        let transfer = s3.upload("my-bucket", "a", body).concurrency(1).start().unwrap();
        assert!(transfer.await.unwrap().verification.is_verified());
        assert_eq!(spoilt.fired(), 2);
        assert!(content(&s3, "a").await == bytes(size));
    }
    no_uploads(&s3).await;
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_spoilt_each_time_are_refused() {
    let (s3, store) = embedded().await;
    // The last part, which is shorter than the others.
    let last = Fault::corrupt_request(5).on(Operation::UploadPart).if_header("content-length", (4 * MIB).to_string());
    let spoilt = store.inject(last).unwrap();
    let transfer = s3.upload("my-bucket", "a", bytes(LARGE)).start().unwrap();
    let error = transfer.await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::BadDigest | ErrorKind::Corrupt), "{error}");
    assert_eq!((error.operation(), error.part_number()), (Some("UploadPart"), Some(3)));
    assert_eq!(spoilt.fired(), 3);
    nothing_stored(&s3, "a").await;
    store.inject(Fault::corrupt_request(5).on(Operation::PutObject)).unwrap();
    let transfer = s3.upload("my-bucket", "a", bytes(MIB)).start().unwrap();
    let error = transfer.await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::BadDigest, 3));
    assert!(error.message().starts_with("the bytes were spoilt on their way each time: "), "{error}");
    assert_eq!(count(&store, Operation::PutObject), 3);
    nothing_stored(&s3, "a").await;
    // What the caller is wrong about is not sent again.
    store.clear_faults();
    store.clear_requests();
    let wrong = wharf::ChecksumAlgorithm::Crc32.checksum(b"");
    let error = s3.upload("my-bucket", "a", bytes(MIB)).checksum_value(wrong).await.unwrap_err();
    assert_eq!((error.kind(), count(&store, Operation::PutObject)), (ErrorKind::Corrupt, 1), "{error}");
}

/// What no check of a part finds out: the bytes of the parts are right, and those of the object are not.
#[tokio::test]
async fn the_whole_object_is_checked_by_the_server() {
    let store = Store::in_memory();
    let plain = client(&store).await;
    let held = Arc::new(std::sync::Mutex::new(None::<String>));
    let hook = {
        let (held, plain) = (held.clone(), plain.clone());
        move |what: String| {
            let (held, plain) = (held.clone(), plain.clone());
            async move {
                if let Some(at) = what.find("uploadId=") {
                    *held.lock().unwrap() = what[at + 9..].split('&').next().map(str::to_owned);
                }
                // Somebody puts another part in the place of one.
                if what.starts_with("POST ") && what.contains("uploadId=") {
                    let id = held.lock().unwrap().clone().unwrap();
                    plain.upload_part("my-bucket", "a", id, 1, bytes(9 * MIB)).await.unwrap();
                }
            }
        }
    };
    let s3 = hooked(&store, hook).build().unwrap();
    let error = s3.upload("my-bucket", "a", bytes(LARGE)).await.unwrap_err();
    assert_eq!(error.operation(), Some("CompleteMultipartUpload"), "{error}");
    nothing_stored(&plain, "a").await;
}

#[tokio::test]
async fn a_part_that_fails_for_good_ends_it() {
    let (s3, store) = embedded().await;
    store.inject(Fault::respond(403, "AccessDenied").on(Operation::UploadPart).nth(2)).unwrap();
    // Its end is not waited for, which would never come.
    let endless = stream::unfold(0, |sent| async move {
        match sent {
            32 => std::future::pending().await,
            _ => Some((Ok::<_, std::io::Error>(Bytes::from(vec![sent as u8; MIB])), sent + 1)),
        }
    });
    let error =
        soon(s3.upload("my-bucket", "a", Body::stream(endless)).concurrency(1).into_future()).await.unwrap_err();
    assert_eq!((error.kind(), error.part_number()), (ErrorKind::AccessDenied, Some(2)));
    let line = support::line(&error);
    assert!(line.starts_with("UploadPart my-bucket/a: part 2: A fault"), "{line}");
    assert!(line.contains("; the upload was aborted (AccessDenied, HTTP 403"), "{line}");
    nothing_stored(&s3, "a").await;
}

/// As after the restart of a store in memory.
#[tokio::test]
async fn an_upload_whose_bucket_is_gone_costs_nothing() {
    let (s3, store) = embedded().await;
    store.inject(Fault::respond(404, "NoSuchBucket").on(Operation::UploadPart)).unwrap();
    let aborted = store.inject(Fault::respond(404, "NoSuchBucket").on(Operation::AbortMultipartUpload)).unwrap();
    let error = s3.upload("my-bucket", "a", bytes(LARGE)).await.unwrap_err();
    assert_eq!((error.kind(), aborted.fired()), (ErrorKind::NoSuchBucket, 1));
    let line = support::line(&error);
    assert!(!line.contains("cost storage") && !line.contains("aborted"), "{line}");
    assert_eq!(error.hint(), Some("check the bucket's name, and that the endpoint is the one it is on"));
}

#[tokio::test]
async fn an_upload_that_cannot_be_aborted_is_named() {
    let (s3, store) = embedded().await;
    store.inject(Fault::respond(403, "AccessDenied").on(Operation::UploadPart)).unwrap();
    store.inject(Fault::respond(403, "AccessDenied").on(Operation::AbortMultipartUpload)).unwrap();
    let error = s3.upload("my-bucket", "a", bytes(LARGE)).await.unwrap_err();
    let left = s3.list_multipart_uploads("my-bucket").await.unwrap().uploads;
    let note = format!("the upload {} could not be aborted, and its parts cost storage until it is", left[0].upload_id);
    assert!(error.to_string().contains(&note), "{error}");
}

/// Who waits is not kept waiting by a server that says nothing any more.
#[tokio::test(start_paused = true)]
async fn an_abort_is_not_waited_for_without_end() {
    let store = Store::in_memory();
    let plain = client(&store).await;
    store.inject(Fault::respond(403, "AccessDenied").on(Operation::UploadPart)).unwrap();
    let hook = |what: String| async move {
        if what.starts_with("DELETE") {
            std::future::pending::<()>().await;
        }
    };
    let s3 = hooked(&store, hook).build().unwrap();
    let begin = Instant::now();
    let error = s3.upload("my-bucket", "a", bytes(LARGE)).start().unwrap().await.unwrap_err();
    assert!(error.to_string().contains("could not be aborted"), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(40), "{:?}", begin.elapsed());
    assert_eq!(plain.list_multipart_uploads("my-bucket").await.unwrap().uploads.len(), 1);
}

#[tokio::test]
async fn a_cancelled_upload_that_cannot_be_aborted_is_named() {
    let (s3, store) = embedded().await;
    let journals = tempfile::tempdir().unwrap();
    store.inject(Fault::delay(Duration::from_secs(3600)).on(Operation::UploadPart)).unwrap();
    store.inject(Fault::respond(403, "AccessDenied").on(Operation::AbortMultipartUpload)).unwrap();
    let transfer = s3.upload("my-bucket", "a", bytes(LARGE)).journal_dir(journals.path()).start().unwrap();
    while count(&store, Operation::UploadPart) == 0 {
        tokio::task::yield_now().await;
    }
    let error = transfer.cancel().await.unwrap_err();
    let upload_id = s3.list_multipart_uploads("my-bucket").await.unwrap().uploads.remove(0).upload_id;
    assert!(error.to_string().contains(&upload_id), "{error}");
    let kept = || Interrupted::list(journals.path()).unwrap();
    let written = async {
        while kept().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    soon(written).await;
    assert_eq!(kept()[0].upload_id, Some(upload_id));
}

/// A part that was on its way when the upload was aborted may be stored after that, and keeps the upload alive.
#[tokio::test(start_paused = true)]
async fn an_upload_is_aborted_until_no_part_is_left() {
    let (s3, store) = embedded().await;
    store.inject(Fault::respond(403, "AccessDenied").on(Operation::CompleteMultipartUpload)).unwrap();
    let alive = store.inject(Fault::respond(204, "").on(Operation::AbortMultipartUpload).times(2)).unwrap();
    let error = s3.upload("my-bucket", "a", bytes(LARGE)).start().unwrap().await.unwrap_err();
    assert!(error.to_string().contains("the upload was aborted"), "{error}");
    assert_eq!((alive.fired(), store.requests().count(Operation::AbortMultipartUpload)), (2, 3));
    nothing_stored(&s3, "a").await;
    // Not for ever.
    store.inject(Fault::respond(204, "").on(Operation::AbortMultipartUpload)).unwrap();
    let error = s3.upload("my-bucket", "a", bytes(LARGE)).start().unwrap().await.unwrap_err();
    assert!(error.to_string().contains("parts of it are still being stored"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn patience_ends() {
    let (s3, store) = embedded().await;
    store.inject(Fault::respond(503, "SlowDown").on(Operation::UploadPart)).unwrap();
    let upload = s3.upload("my-bucket", "a", bytes(LARGE)).patience(Duration::from_secs(60));
    let error = upload.start().unwrap().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SlowDown);
    nothing_stored(&s3, "a").await;
}

/// A client whose requests of that kind are told, and never answered.
fn stuck(store: &Store, marker: &'static str) -> (Client, mpsc::UnboundedReceiver<()>) {
    let (tell, told) = mpsc::unbounded_channel();
    let hook = move |what: String| {
        let tell = tell.clone();
        async move {
            if what.contains(marker) {
                tell.send(()).unwrap();
                std::future::pending::<()>().await;
            }
        }
    };
    (hooked(store, hook).progress_timeout(Duration::from_secs(3600)).build().unwrap(), told)
}

/// What marks the request at which it is given up: the first part, the last one, and the last request of all.
const PLACES: [&str; 3] = ["partNumber=1&", "partNumber=3&", "a?uploadId="];

#[tokio::test]
async fn a_cancelled_upload_leaves_nothing() {
    for place in PLACES {
        let store = Store::in_memory();
        let plain = client(&store).await;
        let (s3, mut told) = stuck(
            &store,
            if place == "a?uploadId=" { "POST http://s3.localhost/my-bucket/a?uploadId=" } else { place },
        );
        let transfer = s3.upload("my-bucket", "a", bytes(LARGE)).start().unwrap();
        soon(told.recv()).await.unwrap();
        transfer.cancel().await.unwrap();
        nothing_stored(&plain, "a").await;
    }
}

/// Who waits for it gets what he waits for, also from a slow server.
#[tokio::test(start_paused = true)]
async fn a_cancelled_upload_is_aborted_however_long_that_takes() {
    let (s3, store) = embedded().await;
    store.inject(Fault::delay(Duration::from_secs(3600)).on(Operation::UploadPart)).unwrap();
    store.inject(Fault::delay(Duration::from_secs(20)).on(Operation::AbortMultipartUpload)).unwrap();
    let transfer = s3.upload("my-bucket", "a", bytes(LARGE)).start().unwrap();
    while count(&store, Operation::UploadPart) == 0 {
        tokio::task::yield_now().await;
    }
    transfer.cancel().await.unwrap();
    assert_eq!(count(&store, Operation::AbortMultipartUpload), 1);
    no_uploads(&s3).await;
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_upload_is_aborted_through_a_storm() {
    let (s3, store) = embedded().await;
    store.inject(Fault::delay(Duration::from_secs(3600)).on(Operation::UploadPart)).unwrap();
    store.inject(Fault::respond(503, "SlowDown").on(Operation::AbortMultipartUpload).times(8)).unwrap();
    let transfer = s3.upload("my-bucket", "a", bytes(LARGE)).start().unwrap();
    while count(&store, Operation::UploadPart) == 0 {
        tokio::task::yield_now().await;
    }
    transfer.cancel().await.unwrap();
    no_uploads(&s3).await;
}

/// One that has failed is dropped while it is being aborted.
#[tokio::test(start_paused = true)]
async fn an_upload_is_aborted_though_nobody_waits_for_it() {
    let store = Store::in_memory();
    let plain = client(&store).await;
    store.inject(Fault::respond(403, "AccessDenied").on(Operation::UploadPart)).unwrap();
    let aborts = Arc::new(AtomicUsize::new(0));
    let count = aborts.clone();
    let hook = move |what: String| {
        let is_first = what.starts_with("DELETE") && count.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            if is_first {
                std::future::pending::<()>().await;
            }
        }
    };
    let s3 = hooked(&store, hook).build().unwrap();
    let upload = s3.upload("my-bucket", "a", bytes(LARGE)).into_future();
    tokio::time::timeout(Duration::from_secs(1), upload).await.unwrap_err();
    assert_eq!(aborts.load(Ordering::SeqCst), 1);
    tokio::time::sleep(Duration::from_secs(4)).await;
    no_uploads(&plain).await;
}

#[tokio::test]
async fn an_upload_that_is_cancelled_before_its_id_is_known_leaves_nothing() {
    let store = Store::in_memory();
    let plain = client(&store).await;
    let (tell, mut told) = mpsc::unbounded_channel();
    let go_on = Arc::new(Notify::new());
    let gate = go_on.clone();
    let hook = move |what: String| {
        let (tell, gate) = (tell.clone(), gate.clone());
        async move {
            if what.contains("?uploads") {
                tell.send(()).unwrap();
                gate.notified().await;
            }
        }
    };
    let s3 = hooked(&store, hook).build().unwrap();
    let transfer = s3.upload("my-bucket", "a", bytes(LARGE)).start().unwrap();
    soon(told.recv()).await.unwrap();
    let cancelled = tokio::spawn(transfer.cancel());
    go_on.notify_one();
    soon(cancelled).await.unwrap().unwrap();
    assert_eq!(store.requests().count(Operation::CreateMultipartUpload), 1);
    assert_eq!(store.requests().count(Operation::AbortMultipartUpload), 1);
    nothing_stored(&plain, "a").await;
}

#[tokio::test]
async fn a_dropped_upload_is_aborted_behind_it() {
    let store = Store::in_memory();
    let plain = client(&store).await;
    let (tell, mut told) = mpsc::unbounded_channel();
    let hook = move |what: String| {
        let tell = tell.clone();
        async move {
            if what.contains("partNumber=2&") {
                tell.send("part").unwrap();
                std::future::pending::<()>().await;
            }
            // The abort is followed by a look at what is left.
            if what.starts_with("GET ") && what.contains("uploadId=") {
                tell.send("looked").unwrap();
            }
        }
    };
    let s3 = hooked(&store, hook).progress_timeout(Duration::from_secs(3600)).build().unwrap();
    let mut upload = s3.upload("my-bucket", "a", bytes(LARGE)).into_future();
    tokio::select! {
        _ = &mut upload => panic!("it was never answered"),
        saw = told.recv() => assert_eq!(saw, Some("part")),
    }
    drop(upload);
    assert_eq!(soon(told.recv()).await, Some("looked"));
    nothing_stored(&plain, "a").await;
}

/// Without a runtime nothing can be undone, and nothing panics.
#[test]
fn an_upload_that_outlives_its_runtime() {
    let store = Store::in_memory();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (s3, mut told) = stuck(&store, "partNumber=1&");
    let mut upload = s3.upload("my-bucket", "a", bytes(LARGE)).into_future();
    runtime.block_on(async {
        client(&store).await;
        tokio::select! {
            _ = &mut upload => panic!("it was never answered"),
            _ = told.recv() => {}
        }
    });
    drop(runtime);
    let warnings = Warnings::default();
    tracing::subscriber::with_default(warnings.clone(), || drop(upload));
    assert_eq!(store.requests().count(Operation::AbortMultipartUpload), 0);
    let told = warnings.0.lock().unwrap().join(", ");
    assert!(told.contains("key: \"a\"") && told.contains("was not aborted"), "{told}");
}

/// The fields of what is warned of.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() == tracing::Level::WARN
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut told = self.0.lock().unwrap();
        event.record(&mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
            told.push(format!("{field}: {value:?}"));
        });
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

/// Between two attempts there is no answer to wait for that would tell what to abort.
#[tokio::test(start_paused = true)]
async fn what_was_given_up_is_not_begun_later() {
    let (s3, store) = embedded().await;
    store.inject(Fault::respond(503, "SlowDown").on(Operation::CreateMultipartUpload)).unwrap();
    let transfer = s3.upload("my-bucket", "a", bytes(LARGE)).start().unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    transfer.cancel().await.unwrap();
    let before = store.requests().count(Operation::CreateMultipartUpload);
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert!(before > 1);
    assert_eq!(store.requests().count(Operation::CreateMultipartUpload), before);
}
