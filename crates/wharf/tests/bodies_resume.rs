//! Bodies that break off in the middle, and go on there.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::io::Read;
use std::time::Duration;

use http::Response;
use support::{Fake, FakeClock, client_of, line};
use wharf::blocking::Wait;
use wharf::transport::{Body as Bytestream, TransportError, TransportErrorKind};
use wharf::{Client, ClientBuilder, ErrorKind};
use wharf_embedded::{Fault, Operation, Store};

/// A client of a store with a bucket and an object, whose retries take no time.
async fn client() -> (Client, Store) {
    let store = Store::in_memory();
    let s3 = builder(&store).build().unwrap();
    s3.create_bucket("my-bucket").await.unwrap();
    s3.put_object("my-bucket", "a", "0123456789").await.unwrap();
    store.clear_requests();
    (s3, store)
}

fn builder(store: &Store) -> ClientBuilder {
    Client::builder().transport(store.clone()).clock(FakeClock::system())
}

fn breaks(after: u64) -> Fault {
    Fault::close_response_after(after).on(Operation::GetObject)
}

#[tokio::test]
async fn a_body_goes_on_where_it_broke_off() {
    let (s3, store) = client().await;
    store.inject(breaks(4)).unwrap();
    let object = s3.get_object("my-bucket", "a").checksum_mode(true).await.unwrap();
    assert_eq!(object.text().await.unwrap(), "0123456789");
    assert_eq!(store.requests().len(), 3, "{}", store.requests());
    store.clear_requests();
    // As often as need be, while something comes each time.
    store.clear_faults();
    store.inject(breaks(1)).unwrap();
    assert_eq!(s3.get_object("my-bucket", "a").range(1..9).text().await.unwrap(), "12345678");
    assert_eq!(store.requests().len(), 8, "{}", store.requests());
    assert_eq!(s3.get_object("my-bucket", "a").part_number(1).text().await.unwrap(), "0123456789");
}

/// What a retry takes from the quota is given back once the body has come.
#[tokio::test]
async fn many_bodies_may_break_off() {
    let (s3, store) = client().await;
    store.inject(breaks(4).if_header("range", "bytes=0-9")).unwrap();
    for _ in 0..100 {
        assert_eq!(s3.get_object("my-bucket", "a").range(0..10).text().await.unwrap(), "0123456789");
    }
}

#[tokio::test]
async fn the_checksum_covers_all_of_it() {
    let (s3, store) = client().await;
    store.inject(breaks(4).times(1)).unwrap();
    store.inject(Fault::corrupt_response(2).on(Operation::GetObject).if_header("range", "*")).unwrap();
    let error = s3.get_object("my-bucket", "a").checksum_mode(true).text().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(line(&error), "GetObject my-bucket/a: the body does not match its CRC64NVME checksum (2 attempts)");
}

#[tokio::test]
async fn another_object_is_never_read_on() {
    let (s3, store) = client().await;
    store.inject(breaks(4).times(1)).unwrap();
    store.inject(Fault::replace_object("ABCDEFGHIJ").if_header("range", "*")).unwrap();
    let error = s3.get_object("my-bucket", "a").text().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed, "{}", line(&error));
    assert!(error.hint().unwrap().contains("make the call again"));
    // Nor where the server does not look at conditions.
    s3.put_object("my-bucket", "a", "0123456789").await.unwrap();
    store.inject(Fault::ignore_conditions()).unwrap();
    store.inject(breaks(4).times(1)).unwrap();
    let error = s3.get_object("my-bucket", "a").text().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed, "{}", line(&error));
}

#[tokio::test]
async fn without_progress_it_ends() {
    let (s3, store) = client().await;
    store.inject(breaks(4).times(1)).unwrap();
    store.inject(breaks(0)).unwrap();
    let error = s3.get_object("my-bucket", "a").text().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), store.requests().len()), (ErrorKind::Transport, 3, 3));
    // A server that is busy meanwhile is no progress either.
    store.clear_faults();
    store.clear_requests();
    store.inject(breaks(4).times(1)).unwrap();
    store.inject(Fault::respond(503, "SlowDown").if_header("range", "*")).unwrap();
    let error = s3.get_object("my-bucket", "a").text().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), store.requests().len()), (ErrorKind::SlowDown, 3, 3));
}

/// A server that says when to come again is asked then, as everywhere.
#[tokio::test]
async fn a_server_may_ask_for_a_longer_wait() {
    let clock = FakeClock::default();
    let fake = Fake::new(|number, _| {
        let broken = Err(TransportError::new(TransportErrorKind::Closed, "reset").into());
        let (status, headers, pieces) = match number {
            1 => (200, [("content-length", "10"), ("etag", "\"e\"")], vec![Ok("0123".into()), broken]),
            2 => (503, [("content-length", "0"), ("retry-after", "3")], vec![]),
            _ => (206, [("content-range", "bytes 4-9/10"), ("etag", "\"e\"")], vec![Ok("456789".into())]),
        };
        let mut answer = Response::new(Bytestream::stream(None, futures_util::stream::iter(pieces)));
        *answer.status_mut() = http::StatusCode::from_u16(status).unwrap();
        for (name, value) in headers {
            answer.headers_mut().insert(name, value.parse().unwrap());
        }
        std::future::ready(Ok(answer))
    });
    let s3 = client_of("http://127.0.0.1:1").transport(fake).clock(clock.clone()).build().unwrap();
    assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "0123456789");
    assert_eq!(clock.waits(), [Duration::from_millis(25), Duration::from_secs(3)]);
}

#[tokio::test]
async fn no_retries_are_none() {
    let (_, store) = client().await;
    store.inject(breaks(4)).unwrap();
    let s3 = builder(&store).max_attempts(1).build().unwrap();
    let error = s3.get_object("my-bucket", "a").text().await.unwrap_err();
    assert_eq!((error.kind(), store.requests().len()), (ErrorKind::Transport, 1));
    assert!(error.hint().unwrap().starts_with("4 bytes had come"));
}

/// A server whose bodies break off after four of ten bytes, and whose answers have these headers.
fn breaking(headers: &'static [(&'static str, &'static str)]) -> (Client, Fake) {
    let fake = Fake::new(move |_, _| {
        let pieces = [Ok("0123".into()), Err(TransportError::new(TransportErrorKind::Closed, "reset").into())];
        let mut answer = Response::new(Bytestream::stream(Some(10), futures_util::stream::iter(pieces)));
        for (name, value) in headers {
            answer.headers_mut().insert(*name, value.parse().unwrap());
        }
        std::future::ready(Ok(answer))
    });
    (client_of("http://127.0.0.1:1").transport(fake.clone()).build().unwrap(), fake)
}

#[tokio::test]
async fn a_body_that_cannot_go_on_is_an_error() {
    for (headers, requests) in [
        // Nothing says which object it is.
        (&[("content-length", "10")][..], 1),
        // Ranges are not given.
        (&[("content-length", "10"), ("etag", "\"e\"")], 2),
    ] {
        let (s3, fake) = breaking(headers);
        let error = s3.get_object("my-bucket", "a").text().await.unwrap_err();
        assert_eq!((error.kind(), fake.count()), (ErrorKind::Transport, requests), "{}", line(&error));
    }
}

/// Whoever has looked at no condition, and names no tag, may have sent another object's bytes.
#[tokio::test]
async fn a_rest_without_a_tag_is_none() {
    let fake = Fake::new(|number, _| {
        let (piece, header) = match number {
            1 => ("0123", ("etag", "\"e\"")),
            _ => ("456789", ("content-range", "bytes 4-9/10")),
        };
        let broken = Err(TransportError::new(TransportErrorKind::Closed, "reset").into());
        let pieces = [Ok(piece.into())].into_iter().chain((number == 1).then_some(broken));
        let mut answer =
            Response::new(Bytestream::stream(None, futures_util::stream::iter(pieces.collect::<Vec<_>>())));
        answer.headers_mut().insert("content-length", if number == 1 { 10 } else { 6 }.into());
        answer.headers_mut().insert(header.0, header.1.parse().unwrap());
        std::future::ready(Ok(answer))
    });
    let s3 = client_of("http://127.0.0.1:1").transport(fake.clone()).build().unwrap();
    let error = s3.get_object("my-bucket", "a").text().await.unwrap_err();
    assert_eq!((error.kind(), fake.count()), (ErrorKind::Transport, 2), "{}", line(&error));
}

/// What has a weak tag may have other bytes by now.
#[tokio::test]
async fn what_a_weak_tag_names_is_not_read_on() {
    let fake = Fake::new(|_, _| {
        let broken = Err(TransportError::new(TransportErrorKind::Closed, "reset").into());
        let pieces = [Ok("0123".into()), broken];
        let mut answer = Response::new(Bytestream::stream(None, futures_util::stream::iter(pieces)));
        answer.headers_mut().insert("content-length", 10.into());
        answer.headers_mut().insert("etag", "W/\"e\"".parse().unwrap());
        std::future::ready(Ok(answer))
    });
    let s3 = client_of("http://127.0.0.1:1").transport(fake.clone()).build().unwrap();
    let error = s3.get_object("my-bucket", "a").text().await.unwrap_err();
    assert_eq!((error.kind(), fake.count()), (ErrorKind::Transport, 1), "{}", line(&error));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_falls_silent_is_asked_again() {
    let (_, store) = client().await;
    let s3 = builder(&store).progress_timeout(Duration::from_secs(5)).build().unwrap();
    store.inject(Fault::delay_body(4, Duration::from_secs(3600)).on(Operation::GetObject).times(1)).unwrap();
    assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "0123456789");
    assert_eq!(store.requests().len(), 2, "{}", store.requests());
}

#[test]
fn a_blocking_read_goes_on_too() {
    let store = Store::in_memory();
    let s3 = builder(&store).build_blocking().unwrap();
    s3.create_bucket("my-bucket").wait().unwrap();
    s3.put_object("my-bucket", "a", "0123456789").wait().unwrap();
    store.inject(breaks(4)).unwrap();
    let mut text = String::new();
    s3.get_object("my-bucket", "a").wait().unwrap().stream().into_read().read_to_string(&mut text).unwrap();
    assert_eq!(text, "0123456789");
}
