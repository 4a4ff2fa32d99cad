//! Time: what is limited, and what never is. All of it on a paused clock.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Request, Response};
use support::{Conn, Fake, FakeClock, Server, answer, client_of, drain, line};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use wharf::transport::{Body as Bytestream, BoxError, TransportError, TransportErrorKind};
use wharf::{Body, ClientBuilder, Error, ErrorKind};

const HOUR: Duration = Duration::from_secs(3600);

fn fake(fake: Fake) -> ClientBuilder {
    client_of("http://127.0.0.1:1").transport(fake).max_attempts(1)
}

/// The error, and how many seconds passed until it came.
async fn after<T: std::fmt::Debug>(call: impl Future<Output = Result<T, Error>>) -> (Error, u64) {
    let start = Instant::now();
    let error = call.await.unwrap_err();
    (error, start.elapsed().as_secs())
}

/// Pieces with a wait before each.
fn slowly(pieces: usize, wait: Duration) -> impl futures_util::Stream<Item = Result<Bytes, BoxError>> + Send {
    stream::iter(0..pieces).then(move |_| async move {
        sleep(wait).await;
        Ok(Bytes::from_static(b"piece"))
    })
}

fn streamed(
    length: u64,
    body: impl futures_util::Stream<Item = Result<Bytes, BoxError>> + Send + 'static,
) -> Response<Bytestream> {
    let head = Response::builder().header("content-length", length);
    head.body(Bytestream::stream(Some(length), body)).unwrap()
}

#[tokio::test(start_paused = true)]
async fn silence_before_the_head() {
    let silent = || Fake::new(|_, _| std::future::pending());
    let (error, seconds) = after(fake(silent()).build().unwrap().get_object("my-bucket", "a").into_future()).await;
    assert_eq!((error.kind(), error.attempts(), seconds), (ErrorKind::Timeout, 1, 30));
    let s3 = fake(silent()).progress_timeout(Duration::from_secs(3)).max_attempts(3).build().unwrap();
    let (error, seconds) = after(s3.get_object("my-bucket", "a").into_future()).await;
    assert_eq!(line(&error), "GetObject my-bucket/a: the server was silent for 3s (3 attempts)");
    assert_eq!(seconds, 9);
}

#[tokio::test(start_paused = true)]
async fn silence_amid_an_object() {
    let s3 = fake(Fake::new(|_, _| {
        let body = stream::iter([Ok(Bytes::from_static(b"Hello"))]).chain(stream::pending());
        std::future::ready(Ok(streamed(10, body)))
    }));
    let object = s3.build().unwrap().get_object("my-bucket", "a").await.unwrap();
    let (error, seconds) = after(object.bytes()).await;
    assert_eq!(line(&error), "GetObject my-bucket/a: the server was silent for 30s amid its answer");
    assert_eq!((error.kind(), seconds), (ErrorKind::Timeout, 30));
}

#[tokio::test(start_paused = true)]
async fn silence_amid_a_listing() {
    let fake_server = Fake::new(|_, _| {
        let body = stream::iter([Ok(Bytes::from_static(b"<List"))]).chain(stream::pending());
        std::future::ready(Ok(streamed(100, body)))
    });
    let s3 = fake(fake_server.clone()).max_attempts(2).build().unwrap();
    let (error, seconds) = after(s3.list_objects("my-bucket").into_future()).await;
    assert_eq!(
        line(&error),
        "ListObjectsV2 my-bucket: the server was silent for 30s amid its answer (HTTP 200, 2 attempts)"
    );
    assert_eq!((error.kind(), fake_server.count(), seconds), (ErrorKind::Timeout, 2, 60));
}

/// What came of an error's document is told, even where its end never comes.
#[tokio::test(start_paused = true)]
async fn silence_amid_an_error() {
    let s3 = fake(Fake::new(|_, _| {
        let body = stream::iter([Ok(Bytes::from_static(b"<Error><Code>AccessDenied</Code>"))]).chain(stream::pending());
        let mut answer = streamed(100, body);
        *answer.status_mut() = http::StatusCode::FORBIDDEN;
        std::future::ready(Ok(answer))
    }));
    let (error, seconds) = after(s3.build().unwrap().get_object("my-bucket", "a").into_future()).await;
    assert_eq!((error.kind(), error.code(), seconds), (ErrorKind::AccessDenied, Some("AccessDenied"), 30));
}

/// It takes a piece of the body and never another one.
#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_read() {
    for body in [Body::bytes(vec![0; 8 << 20]), Body::sized_stream(slowly(1000, Duration::ZERO), 5000)] {
        let s3 = fake(Fake::new(|_, request: Request<Bytestream>| async move {
            let mut body = request.into_body();
            sleep(Duration::from_secs(20)).await;
            body.next().await.unwrap().unwrap();
            std::future::pending().await
        }));
        let (error, seconds) = after(s3.build().unwrap().put_object("my-bucket", "a", body).into_future()).await;
        assert_eq!(line(&error), "PutObject my-bucket/a: the server was silent for 30s");
        assert_eq!((error.kind(), seconds), (ErrorKind::Timeout, 50));
    }
}

/// The same over a socket: once the system's buffers are full, nothing moves.
#[tokio::test(start_paused = true)]
async fn a_socket_that_takes_no_more() {
    let server = Server::start(|mut conn: Conn| async move {
        conn.head().await;
        conn.stall().await;
    })
    .await;
    let s3 = client_of(server.url()).max_attempts(1).build().unwrap();
    let error = s3.put_object("my-bucket", "a", vec![0; 64 << 20]).await.unwrap_err();
    assert_eq!(line(&error), "PutObject my-bucket/a: the server was silent for 30s");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_reads_slowly_has_all_the_time_it_needs() {
    let s3 = fake(Fake::new(|_, request: Request<Bytestream>| async move {
        let mut body = request.into_body();
        while body.next().await.is_some() {
            sleep(Duration::from_secs(29)).await;
        }
        Ok(answer(200, ""))
    }));
    s3.build().unwrap().put_object("my-bucket", "a", vec![0; 4 << 20]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_writes_slowly_has_all_the_time_it_needs() {
    let s3 = fake(Fake::new(|_, request: Request<Bytestream>| async move {
        drain(request.into_body()).await.unwrap();
        Ok(answer(200, ""))
    }));
    let start = Instant::now();
    let body = || Body::sized_stream(slowly(3, HOUR), 15);
    s3.build().unwrap().put_object("my-bucket", "a", body()).await.unwrap();
    assert!(start.elapsed() >= 3 * HOUR);
}

/// As in a `buffered` stream whose consumer does something else.
#[tokio::test(start_paused = true)]
async fn a_caller_that_does_something_else_meanwhile() {
    let answers = Arc::new(Notify::new());
    let told = answers.clone();
    let s3 = fake(Fake::new(move |_, _| {
        let answers = answers.clone();
        async move {
            answers.notified().await;
            Ok(answer(200, "Hello!"))
        }
    }))
    .build()
    .unwrap();
    let mut call = std::pin::pin!(s3.get_object("my-bucket", "a").text());
    for _ in 0..3 {
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        tokio::time::advance(HOUR).await;
    }
    let (text, ()) = tokio::join!(call, async {
        // All but as long as the server may be silent, a second for each time away.
        sleep(Duration::from_secs(26)).await;
        told.notify_one();
    });
    assert_eq!(text.unwrap(), "Hello!");
}

/// ... and the server's time begins when the caller is done.
#[tokio::test(start_paused = true)]
async fn a_silent_server_after_a_slow_caller() {
    let s3 = fake(Fake::new(|_, request: Request<Bytestream>| async move {
        drain(request.into_body()).await.unwrap();
        std::future::pending().await
    }));
    let body = Body::sized_stream(slowly(2, HOUR), 10);
    let (error, seconds) = after(s3.build().unwrap().put_object("my-bucket", "a", body).into_future()).await;
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(seconds, 7200 + 30);
}

/// Gathering a body of unknown length is the caller's time as well.
#[tokio::test(start_paused = true)]
async fn a_slow_stream_of_unknown_length() {
    let s3 = fake(Fake::new(|_, _| std::future::ready(Ok(answer(200, "")))));
    s3.build().unwrap().put_object("my-bucket", "a", Body::stream(slowly(3, HOUR))).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_reads_slowly_has_all_the_time_it_needs() {
    let s3 = fake(Fake::new(|_, _| std::future::ready(Ok(streamed(15, slowly(3, Duration::from_secs(29)))))));
    let object = s3.build().unwrap().get_object("my-bucket", "a").await.unwrap();
    sleep(HOUR).await;
    let mut body = object.stream();
    let mut count = 0;
    while let Some(piece) = body.next().await {
        count += piece.unwrap().len();
        sleep(HOUR).await;
    }
    assert_eq!(count, 15);
}

/// What S3 may work at for minutes has ten of them.
#[tokio::test(start_paused = true)]
async fn long_operations() {
    let silent = || Fake::new(|_, _| std::future::pending());
    let s3 = fake(silent()).build().unwrap();
    let complete = s3.complete_multipart_upload("my-bucket", "a", "upload").part((1, "\"e\""));
    let (error, seconds) = after(complete.into_future()).await;
    assert_eq!(line(&error), "CompleteMultipartUpload my-bucket/a: the server was silent for 600s");
    assert_eq!((error.kind(), seconds), (ErrorKind::Timeout, 600));
    let (_, seconds) = after(s3.copy_object("my-bucket", "a", "my-bucket", "b").into_future()).await;
    assert_eq!(seconds, 600);
    let copy = s3.upload_part_copy("my-bucket", "a", "my-bucket", "b", "upload", 1);
    assert_eq!(after(copy.into_future()).await.1, 600);
    assert_eq!(after(s3.delete_objects("my-bucket", ["a"]).into_future()).await.1, 600);
    assert_eq!(after(s3.list_objects("my-bucket").into_future()).await.1, 600);
    assert_eq!(after(s3.list_object_versions("my-bucket").into_future()).await.1, 600);
    assert_eq!(after(s3.list_multipart_uploads("my-bucket").into_future()).await.1, 600);
    assert_eq!(after(s3.list_parts("my-bucket", "a", "upload").into_future()).await.1, 600);
    assert_eq!(after(s3.list_buckets().into_future()).await.1, 600);
    assert_eq!(after(s3.create_multipart_upload("my-bucket", "a").into_future()).await.1, 600);
    assert_eq!(after(s3.get_object_attributes("my-bucket", "a").into_future()).await.1, 600);
    assert_eq!(after(s3.get_object_tagging("my-bucket", "a").into_future()).await.1, 600);
    assert_eq!(after(s3.get_bucket_versioning("my-bucket").into_future()).await.1, 600);
    assert_eq!(after(s3.get_bucket_location("my-bucket").into_future()).await.1, 600);
    // Transfers ask again.
    let (error, seconds) = after(s3.delete("my-bucket", ["a"]).into_future()).await;
    assert_eq!((error.attempts() > 1, (300..=420).contains(&seconds)), (true, true), "{seconds} s: {error:?}");
    assert_eq!(after(s3.head_object("my-bucket", "a").into_future()).await.1, 30);
    assert_eq!(after(s3.get_object("my-bucket", "a").into_future()).await.1, 30);
    assert_eq!(after(s3.delete_object("my-bucket", "a").into_future()).await.1, 30);
    let s3 = fake(silent()).long_operation_timeout(Duration::from_secs(60)).build().unwrap();
    let (_, seconds) = after(s3.copy_object("my-bucket", "a", "my-bucket", "b").into_future()).await;
    assert_eq!(seconds, 60);
}

/// Over all attempts and their waits; the stream's time counts too, for that is what a deadline is.
#[tokio::test(start_paused = true)]
async fn a_deadline() {
    let limit = Duration::from_secs(70);
    let s3 = fake(Fake::new(|_, _| std::future::pending())).max_attempts(9).deadline(limit).build().unwrap();
    let (error, seconds) = after(s3.get_object("my-bucket", "a").into_future()).await;
    assert_eq!(line(&error), "GetObject my-bucket/a: the call took longer than its deadline of 70s (3 attempts)");
    assert_eq!((error.kind(), error.attempts(), seconds), (ErrorKind::Timeout, 3, 70));
    let body = Body::sized_stream(slowly(2, HOUR), 10);
    let (error, seconds) = after(s3.put_object("my-bucket", "a", body).into_future()).await;
    assert_eq!((error.kind(), seconds), (ErrorKind::Timeout, 70));
    // A transfer's requests take as long as they take: it ends by its patience.
    let slow = Fake::new(|_, _| async {
        sleep(Duration::from_secs(25)).await;
        Ok(answer(200, "Hello!"))
    });
    let s3 = fake(slow).deadline(Duration::from_secs(10)).build().unwrap();
    assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(s3.download("my-bucket", "a", wharf::transfer::Memory).await.unwrap().target, "Hello!");
}

/// A transfer's patience is for what does not move: on a slow line a request may take longer than that, and is made again where
/// it breaks off in the end.
#[tokio::test(start_paused = true)]
async fn what_goes_out_slowly_is_sent_again() {
    let slow = |spoilt: usize| {
        Fake::new(move |number, request| async move {
            let mut body = request.into_body();
            while let Some(piece) = body.next().await {
                piece.unwrap();
                sleep(Duration::from_secs(25)).await;
            }
            if number > spoilt {
                return Ok(answer(200, ""));
            }
            Err(TransportError::new(TransportErrorKind::Closed, "reset"))
        })
    };
    let bytes = || vec![7; 512 * 1024];
    let (fake, begin) = (slow(1), Instant::now());
    self::fake(fake.clone()).build().unwrap().upload("my-bucket", "a", bytes()).await.unwrap();
    assert_eq!(fake.count(), 2);
    assert!(begin.elapsed() > Duration::from_secs(1500), "{:?}", begin.elapsed());
    // What never comes to anything ends all the same.
    let error = self::fake(slow(usize::MAX)).build().unwrap().upload("my-bucket", "a", bytes()).await.unwrap_err();
    assert!(error.message().starts_with("nothing moved within a patience of 300 s: "), "{error}");
    assert!(error.attempts() > 10, "{error}");
}

/// A wait before a retry is no silence of the server.
#[tokio::test(start_paused = true)]
async fn waits_do_not_count() {
    let clock = FakeClock::default();
    let s3 = fake(Fake::new(|number, _| async move {
        sleep(Duration::from_secs(25)).await;
        Ok(answer(if number < 3 { 500 } else { 200 }, ""))
    }));
    s3.clock(clock.clone()).max_attempts(3).build().unwrap().get_object("my-bucket", "a").await.unwrap();
    assert_eq!(clock.waits().len(), 2);
}

/// Asks somebody slow.
struct SlowKeys;

impl wharf::ProvideCredentials for SlowKeys {
    fn credentials(&self) -> std::pin::Pin<Box<dyn Future<Output = Result<wharf::Credentials, Error>> + Send + '_>> {
        Box::pin(async {
            sleep(HOUR).await;
            Ok(wharf::Credentials::new("id", "secret"))
        })
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_that_credentials_take_is_not_the_servers() {
    let slow = Fake::new(|_, _| async {
        sleep(Duration::from_secs(20)).await;
        Ok(answer(200, "Hello!"))
    });
    let s3 = fake(slow).credentials_provider(SlowKeys).build().unwrap();
    assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "Hello!");
}

#[tokio::test(start_paused = true)]
async fn no_limit_at_all() {
    let slow = Fake::new(|_, _| async {
        sleep(HOUR).await;
        let body = stream::once(async {
            sleep(HOUR).await;
            Ok(Bytes::from_static(b"Hello!"))
        });
        Ok(streamed(6, body))
    });
    let s3 = fake(slow).progress_timeout(Duration::MAX).long_operation_timeout(Duration::MAX).build().unwrap();
    assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "Hello!");
}
