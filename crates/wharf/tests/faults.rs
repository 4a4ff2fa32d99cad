//! The client against a store that fails on purpose.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::time::Duration;

use support::{FakeClock, line};
use tokio::time::Instant;
use wharf::{Client, ErrorKind};
use wharf_embedded::{Fault, Operation, Personality, Store};

/// A client of a store with a bucket and an object, whose retries take no time.
async fn client(store: Store) -> (Client, Store) {
    let s3 = Client::builder().transport(store.clone()).clock(FakeClock::system()).build().unwrap();
    s3.create_bucket("my-bucket").await.unwrap();
    s3.put_object("my-bucket", "a", "0123456789").await.unwrap();
    store.clear_requests();
    (s3, store)
}

#[tokio::test]
async fn a_busy_server_is_asked_again() {
    let (s3, store) = client(Store::in_memory()).await;
    let busy = store.inject(Fault::respond(503, "SlowDown").on(Operation::PutObject).times(2)).unwrap();
    s3.put_object("my-bucket", "b", "Hello!").await.unwrap();
    assert_eq!((busy.fired(), store.requests().count(Operation::PutObject)), (2, 3));
    store.inject(Fault::respond(503, "SlowDown")).unwrap();
    let error = s3.put_object("my-bucket", "b", "Hello!").await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::SlowDown, 3));
}

#[tokio::test]
async fn a_lost_answer_is_of_a_put_that_is_done_again() {
    let (s3, store) = client(Store::in_memory()).await;
    store.inject(Fault::drop_answer().on(Operation::PutObject).nth(1)).unwrap();
    s3.put_object("my-bucket", "b", "Hello!").await.unwrap();
    let puts = store.requests().of(Operation::PutObject);
    assert_eq!(puts.iter().map(|put| put.status.is_some()).collect::<Vec<_>>(), [false, true], "{puts}");
    assert_eq!(s3.get_object("my-bucket", "b").text().await.unwrap(), "Hello!");
}

#[tokio::test]
async fn a_body_cut_short_is_an_error() {
    let (s3, store) = client(Store::in_memory()).await;
    // One that goes on nowhere; others do: see bodies_resume.rs.
    store.inject(Fault::close_response_after(4).on(Operation::GetObject).times(1)).unwrap();
    store.inject(Fault::close_response_after(0).on(Operation::GetObject).if_header("range", "*")).unwrap();
    let error = s3.get_object("my-bucket", "a").text().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Transport, 3), "{}", line(&error));
    store.clear_faults();
    store.inject(Fault::close_response_after(4).on(Operation::GetObject)).unwrap();
    // Over a socket as well.
    let server = store.serve("127.0.0.1:0").await.unwrap();
    let s3 = Client::builder()
        .endpoint(server.endpoint())
        .credentials(store.access_key_id(), store.secret_access_key())
        .max_attempts(1)
        .build()
        .unwrap();
    let object = s3.get_object("my-bucket", "a").await.unwrap();
    assert_eq!(object.content_length, 10);
    assert_eq!(object.text().await.unwrap_err().kind(), ErrorKind::Transport);
    store.clear_faults();
    store.inject(Fault::drop_answer()).unwrap();
    assert_eq!(s3.get_object("my-bucket", "a").await.unwrap_err().kind(), ErrorKind::Transport);
}

#[tokio::test]
async fn a_spoilt_byte_is_found_by_its_checksum() {
    let (s3, store) = client(Store::in_memory()).await;
    store.inject(Fault::corrupt_response(5).on(Operation::GetObject)).unwrap();
    let error = s3.get_object("my-bucket", "a").text().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{}", line(&error));
    // On the way in the server finds it.
    store.inject(Fault::corrupt_request(5).on(Operation::PutObject)).unwrap();
    let error = s3.put_object("my-bucket", "b", "0123456789").await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::BadDigest | ErrorKind::Corrupt), "{}", line(&error));
    assert!(!s3.object_exists("my-bucket", "b").await.unwrap());
}

#[tokio::test]
async fn an_error_in_a_success_is_tried_again() {
    let (s3, store) = client(Store::in_memory()).await;
    store.inject(Fault::ok_with_error("InternalError").on(Operation::CopyObject).times(1)).unwrap();
    s3.copy_object("my-bucket", "a", "my-bucket", "b").await.unwrap();
    assert_eq!(store.requests().count(Operation::CopyObject), 2);
    assert_eq!(s3.get_object("my-bucket", "b").text().await.unwrap(), "0123456789");

    store.inject(Fault::ok_with_error("InternalError").on(Operation::CompleteMultipartUpload).times(1)).unwrap();
    let upload = s3.create_multipart_upload("my-bucket", "c").await.unwrap().upload_id;
    let part = s3.upload_part("my-bucket", "c", &upload, 1, "part").await.unwrap();
    s3.complete_multipart_upload("my-bucket", "c", &upload).part(part).await.unwrap();
    assert_eq!(store.requests().count(Operation::CompleteMultipartUpload), 2);
}

#[tokio::test(start_paused = true)]
async fn a_slow_server_is_not_waited_for_for_ever() {
    let store = Store::in_memory();
    let builder = Client::builder().transport(store.clone()).max_attempts(1);
    let s3 = builder.progress_timeout(Duration::from_secs(5)).build().unwrap();
    s3.create_bucket("my-bucket").await.unwrap();
    s3.put_object("my-bucket", "a", "0123456789").await.unwrap();
    let late = store.inject(Fault::delay(Duration::from_secs(3600))).unwrap();
    let start = Instant::now();
    assert_eq!(s3.get_object("my-bucket", "a").await.unwrap_err().kind(), ErrorKind::Timeout);
    late.remove();
    store.inject(Fault::delay_body(4, Duration::from_secs(3600)).times(1)).unwrap();
    assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(start.elapsed().as_secs(), 10);
    // One that is slow and not silent is.
    store.inject(Fault::delay_body(4, Duration::from_secs(4)).times(1)).unwrap();
    assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "0123456789");
}

#[tokio::test]
async fn an_object_that_changes_between_two_ranges_is_noticed() {
    let (s3, store) = client(Store::in_memory()).await;
    store.inject(Fault::replace_object("another").if_header("range", "*").nth(2)).unwrap();
    let first = s3.get_object("my-bucket", "a").range(0..4).await.unwrap();
    let etag = first.etag.clone();
    assert_eq!(first.text().await.unwrap(), "0123");
    let error = s3.get_object("my-bucket", "a").range(4..8).if_match(etag).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed);
}

#[tokio::test]
async fn a_server_that_ignores_conditions() {
    let (s3, _store) = client(Store::builder().personality(Personality::Garage).build()).await;
    s3.put_object("my-bucket", "a", "overwritten").if_absent().await.unwrap();
    assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "overwritten");
}
