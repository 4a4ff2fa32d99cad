//! Calls that are waited for, where that could last for ever.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::future::poll_fn;
use std::io::Read;
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::runtime::Builder;
use wharf::blocking::{Client, Wait, WaitEach};
use wharf::{Body, ErrorKind};
use wharf_embedded::{Operation, Store};

/// Does it on a thread of its own, and fails where it does not come to an end.
fn ends<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (tell, told) = mpsc::channel();
    let worker = thread::spawn(move || {
        let done = work();
        let _ = tell.send(());
        done
    });
    if told.recv_timeout(Duration::from_secs(60)) == Err(mpsc::RecvTimeoutError::Timeout) {
        panic!("it hangs");
    }
    worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn client() -> Client {
    let s3 = Client::builder().transport(Store::in_memory()).build_blocking().unwrap();
    s3.create_bucket("my-bucket").wait().unwrap();
    s3
}

/// Tokio lets a task do 128 things before it wants its turn back.
#[test]
fn any_number_of_calls_inside_async_code() {
    for builder in [Builder::new_current_thread, Builder::new_multi_thread] {
        ends(move || {
            let s3 = client();
            builder().enable_all().build().unwrap().block_on(async {
                for count in 0..300 {
                    s3.put_object("my-bucket", format!("{count}"), "1").wait().unwrap();
                }
            });
        });
    }
}

/// What is waited for may itself wait by parking its thread, and be woken then in our place.
#[test]
fn a_wake_is_not_lost() {
    let polls = ends(|| {
        let mut polls = 0;
        poll_fn(move |cx| {
            polls += 1;
            if polls == 1 {
                cx.waker().wake_by_ref();
                thread::park();
                return Poll::Pending;
            }
            Poll::Ready(polls)
        })
        .wait()
    });
    assert_eq!(polls, 2);
}

/// The client's one thread would wait for itself.
#[test]
fn a_body_that_waits_for_its_own_client_is_an_error() {
    let told = ends(|| {
        let s3 = client();
        s3.put_object("my-bucket", "a", "Hello!").wait().unwrap();
        let mut read = s3.get_object("my-bucket", "a").stream().wait().unwrap().into_read();
        let body = stream::once(async move {
            let mut text = Vec::new();
            read.read_to_end(&mut text).map(|_| Bytes::from(text))
        });
        let by_body = s3.put_object("my-bucket", "b", Body::sized_stream(body, 6)).wait().unwrap_err();
        let calls = s3.clone();
        let body = stream::once(async move {
            let text = calls.get_object("my-bucket", "a").bytes().wait();
            text.map_err(std::io::Error::other)
        });
        let by_call = s3.put_object("my-bucket", "b", Body::sized_stream(body, 6)).wait().unwrap_err();
        // Another client's calls are none of its business.
        let other = client();
        other.put_object("my-bucket", "a", "Hello!").wait().unwrap();
        let body = stream::once(async move {
            let text = other.get_object("my-bucket", "a").bytes().wait();
            text.map_err(std::io::Error::other)
        });
        s3.put_object("my-bucket", "b", Body::sized_stream(body, 6)).wait().unwrap();
        [by_body, by_call].map(|error| (error.kind(), error.to_string()))
    });
    for (kind, text) in told {
        assert_eq!(kind, ErrorKind::Body, "{text}");
        assert!(text.contains("wait() in what the client itself runs"), "{text}");
    }
}

/// What is left of the answer is read on the client's own thread.
#[test]
fn an_answer_is_dropped_in_a_runtime_without_timers() {
    let server = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let store = Store::in_memory();
    let listening = server.block_on(store.serve("127.0.0.1:0")).unwrap();
    let s3 = Client::builder()
        .endpoint(listening.endpoint())
        .credentials(store.access_key_id(), store.secret_access_key())
        .build_blocking()
        .unwrap();
    s3.create_bucket("my-bucket").wait().unwrap();
    s3.put_object("my-bucket", "a", vec![7; 50_000]).wait().unwrap();
    ends(move || {
        Builder::new_current_thread().build().unwrap().block_on(async {
            for _ in 0..3 {
                drop(s3.get_object("my-bucket", "a").wait().unwrap());
            }
        });
    });
}

/// In a task of the client's own runtime, wherever it is begun, told of and waited for.
#[test]
fn a_transfer_is_begun_and_waited_for() {
    let moved = |s3: &Client| {
        let transfer = s3.upload("my-bucket", "a", vec![7; 1 << 20]).start().unwrap();
        let seen: Vec<_> = transfer.updates().wait_each().collect();
        assert_eq!(seen.last().unwrap().bytes, 1 << 20);
        assert_eq!(transfer.wait().unwrap().size, 1 << 20);
        s3.download("my-bucket", "a", wharf::transfer::Memory).start().unwrap().cancel().wait().unwrap();
    };
    ends(move || {
        let s3 = client();
        moved(&s3);
        Builder::new_current_thread().build().unwrap().block_on(async { moved(&s3) });
        // It lives as long as what it does.
        let transfer = s3.upload("my-bucket", "b", vec![7; 1 << 20]).start().unwrap();
        drop(s3);
        transfer.wait().unwrap();
    });
}

/// The transfers of a client that is awaited are awaited too: a thread of their runtime would wait for itself.
#[test]
fn a_transfer_that_is_to_be_awaited_says_so() {
    ends(|| {
        Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let s3 = wharf::Client::builder().transport(Store::in_memory()).build().unwrap();
            let transfer = s3.upload("my-bucket", "a", "1").start().unwrap();
            let error = transfer.wait().unwrap_err();
            assert!(error.to_string().contains("wait() is for the client of wharf::blocking"), "{error}");
        });
    });
}

/// Nor can such a body read an object ahead, or look at a transfer.
#[test]
fn what_waits_in_a_body_for_its_own_client_ends() {
    ends(|| {
        let s3 = client();
        s3.put_object("my-bucket", "a", vec![7; 2 << 20]).wait().unwrap();
        let mut reader = s3.object_reader("my-bucket", "a").wait().unwrap();
        let transfer = s3.upload("my-bucket", "c", "1").start().unwrap();
        let mut updates = transfer.updates();
        let body = stream::once(async move {
            assert!(updates.next().wait().is_none());
            let mut text = Vec::new();
            tokio::io::AsyncReadExt::read_to_end(&mut reader, &mut text).wait().map(|_| Bytes::from(text))
        });
        let error = s3.put_object("my-bucket", "b", Body::sized_stream(body, 2 << 20)).wait().unwrap_err();
        assert!(error.to_string().contains("wait() in what the client itself runs"), "{error}");
        transfer.wait().unwrap();
    });
}

/// `cancel()` is certain here too: when it returns, nothing of a sync is left, neither there nor here.
#[test]
fn what_was_cancelled_is_undone_by_then() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..4 {
        std::fs::write(folder.path().join(n.to_string()), vec![n; 20 << 20]).unwrap();
    }
    let from = folder.path().to_owned();
    ends(move || {
        for _ in 0..2 {
            let store = Store::in_memory();
            let s3 = Client::builder().transport(store.clone()).build_blocking().unwrap();
            s3.create_bucket("my-bucket").wait().unwrap();
            let transfer = s3.sync(&*from, ("my-bucket", "")).start().unwrap();
            while store.requests().count(Operation::UploadPart) == 0 {
                thread::yield_now();
            }
            transfer.cancel().wait().unwrap();
            let uploads = || s3.list_multipart_uploads("my-bucket").wait().unwrap().uploads;
            assert!(uploads().is_empty(), "{:?}", uploads());
            // And what is told of one after the other.
            store.clear_requests();
            let mut events = s3.sync(&*from, ("my-bucket", "")).events();
            let first = Pin::new(&mut events).poll_next(&mut Context::from_waker(Waker::noop()));
            assert!(first.is_pending());
            while store.requests().count(Operation::UploadPart) == 0 {
                thread::yield_now();
            }
            events.cancel().wait().unwrap();
            assert!(uploads().is_empty(), "{:?}", uploads());
        }
    });
}

#[tokio::test]
async fn what_would_wait_for_itself_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let s3 = wharf::Client::builder().transport(Store::in_memory()).build().unwrap();
    let events = s3.sync(folder.path(), ("my-bucket", "")).events();
    assert_eq!(events.cancel().wait().unwrap_err().kind(), ErrorKind::InvalidInput);
}
