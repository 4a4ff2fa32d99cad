//! What is sent again, how often, after how long; and what never is.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::Request;
use support::{Conn, Fake, FakeClock, Head, Server, answer, client_of, drain, error_document};
use wharf::transport::{Body as Bytestream, TransportError, TransportErrorKind};
use wharf::{Body, ErrorKind};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nHello!";

fn refusal(status: u16, code: &str) -> String {
    let body = error_document(code, "No.");
    format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Gives each answer once, the last one for ever. An empty one closes the connection instead.
async fn answers<const N: usize>(answers: [String; N]) -> Server {
    let next = Arc::new(Mutex::new(0));
    let answers = Arc::new(answers);
    Server::start(move |mut conn: Conn| {
        let (next, answers) = (next.clone(), answers.clone());
        async move {
            while conn.request().await.is_some() {
                let at = {
                    let mut next = next.lock().unwrap();
                    *next += 1;
                    (*next - 1).min(N - 1)
                };
                match answers[at].as_str() {
                    "" => return,
                    "reset" => return conn.reset(),
                    answer => conn.write(answer).await,
                };
            }
        }
    })
    .await
}

fn date(head: &Head) -> &str {
    head.header("x-amz-date").unwrap()
}

/// Each of these is answered once, and then all is well.
#[tokio::test]
async fn what_may_be_over_at_once_is_tried_again_and_signed_anew() {
    for (answer, longest) in [
        (refusal(503, "SlowDown"), 1000),
        (refusal(500, "InternalError"), 50),
        (refusal(400, "RequestTimeout"), 50),
        ("HTTP/1.1 502 X\r\ncontent-length: 0\r\n\r\n".to_owned(), 50),
        ("HTTP/1.1 503 X\r\ncontent-length: 4\r\n\r\n<htm".to_owned(), 50),
        ("HTTP/1.1 429 X\r\ncontent-length: 0\r\n\r\n".to_owned(), 1000),
        (String::new(), 50),
        ("reset".to_owned(), 50),
    ] {
        let server = answers([answer.clone(), OK.to_owned()]).await;
        let clock = FakeClock::default();
        let s3 = client_of(server.url()).clock(clock.clone()).build().unwrap();
        // The shortest wait leads into another second, which is what a signature counts.
        clock.advance(Duration::from_millis(990));
        assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "Hello!", "{answer}");
        assert_eq!(clock.waits(), [Duration::from_millis(longest / 2)], "{answer}");
        let requests = server.requests();
        assert_eq!(requests.len(), 2, "{answer}");
        assert_ne!(date(&requests[0]), date(&requests[1]), "{answer}");
        assert_ne!(requests[0].header("authorization"), requests[1].header("authorization"), "{answer}");
    }
}

#[tokio::test]
async fn the_body_is_sent_again_whole() {
    let bodies: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let seen = bodies.clone();
    let server = Server::start(move |mut conn: Conn| {
        let seen = seen.clone();
        async move {
            while let Some((_, body)) = conn.request().await {
                let status = if seen.lock().unwrap().is_empty() { 500 } else { 200 };
                seen.lock().unwrap().push(body);
                conn.answer(status, "").await;
            }
        }
    })
    .await;
    let s3 = client_of(server.url()).build().unwrap();
    let data: Vec<u8> = (0..3_000_000_u32).map(|n| n as u8).collect();
    s3.put_object("my-bucket", "a", data.clone()).await.unwrap();
    assert!(bodies.lock().unwrap().iter().all(|body| *body == data));
    assert_eq!(bodies.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn an_xml_answer_that_breaks_off_is_asked_for_again() {
    let page = "<ListBucketResult><Name>my-bucket</Name><IsTruncated>false</IsTruncated></ListBucketResult>";
    let whole = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{page}", page.len());
    let server = Server::start(move |mut conn: Conn| {
        let whole = whole.clone();
        async move {
            conn.request().await;
            match conn.number {
                1 => {
                    conn.write(&whole[..whole.len() - 5]).await;
                    conn.reset();
                }
                2 => {
                    conn.write(&whole[..whole.len() - 5]).await;
                }
                _ => {
                    conn.write(&whole).await;
                }
            }
        }
    })
    .await;
    let s3 = client_of(server.url()).build().unwrap();
    assert!(s3.list_objects("my-bucket").await.unwrap().objects.is_empty());
    assert_eq!(server.requests().len(), 3);
}

/// CompleteMultipartUpload and its like begin their 200 before they know how it ends.
#[tokio::test]
async fn an_error_in_a_200_is_an_error() {
    let error = "<Error><Code>InternalError</Code><Message>It broke.</Message></Error>";
    let done =
        "<?xml version=\"1.0\"?><CompleteMultipartUploadResult><ETag>\"e\"</ETag></CompleteMultipartUploadResult>";
    for error in [
        error.to_owned(),
        format!("   \n\n <?xml version=\"1.0\"?>\n{error}"),
        format!("\u{feff}<?xml version=\"1.0\"?>{error}"),
    ] {
        let ok = |body: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let server = answers([ok(&error), ok(done)]).await;
        let s3 = client_of(server.url()).build().unwrap();
        let call = || s3.complete_multipart_upload("my-bucket", "a", "upload").part((1, "\"e\""));
        call().await.unwrap();
        assert_eq!(server.requests().len(), 2);

        let server = answers([ok(&error)]).await;
        let s3 = client_of(server.url()).build().unwrap();
        let failed = s3.complete_multipart_upload("my-bucket", "a", "upload").part((1, "\"e\"")).await.unwrap_err();
        assert_eq!(
            failed.to_string(),
            "CompleteMultipartUpload my-bucket/a: It broke. (InternalError, HTTP 200, 3 attempts)"
        );
        assert_eq!(failed.kind(), ErrorKind::Server);
    }
}

#[tokio::test]
async fn attempts_are_limited_and_waits_grow() {
    let server = answers([refusal(500, "InternalError")]).await;
    for (limit, waits) in [(1, vec![]), (2, vec![25]), (4, vec![25, 50, 100])] {
        let clock = FakeClock::default();
        let s3 = client_of(server.url()).clock(clock.clone()).max_attempts(limit).build().unwrap();
        let before = server.requests().len();
        let error = s3.get_object("my-bucket", "a").await.unwrap_err();
        assert_eq!((error.attempts(), error.kind()), (limit, ErrorKind::Server));
        assert_eq!(server.requests().len() - before, limit as usize);
        assert_eq!(clock.waits(), waits.into_iter().map(Duration::from_millis).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn the_server_may_ask_for_a_longer_wait() {
    let slow = |header: &str| format!("HTTP/1.1 503 X\r\n{header}\r\ncontent-length: 0\r\n\r\n");
    for (header, wait) in [("retry-after: 3", 3000), ("x-amz-retry-after: 1500", 1500), ("retry-after: 3600", 5025)] {
        let server = answers([slow(header), OK.to_owned()]).await;
        let clock = FakeClock::default();
        let s3 = client_of(server.url()).clock(clock.clone()).build().unwrap();
        s3.get_object("my-bucket", "a").await.unwrap();
        assert_eq!(clock.waits(), [Duration::from_millis(wait)]);
    }
}

#[tokio::test]
async fn what_another_attempt_cannot_mend_is_final() {
    for answer in [
        "HTTP/1.1 304 X\r\n\r\n".to_owned(),
        refusal(404, "NoSuchKey"),
        refusal(403, "AccessDenied"),
        refusal(412, "PreconditionFailed"),
        refusal(400, "ExpiredToken"),
        refusal(301, "PermanentRedirect"),
        refusal(501, "NotImplemented"),
    ] {
        let server = answers([answer, OK.to_owned()]).await;
        let s3 = client_of(server.url()).build().unwrap();
        let error = s3.get_object("my-bucket", "a").await.unwrap_err();
        assert_eq!((error.attempts(), server.requests().len()), (1, 1), "{error}");
    }
}

#[tokio::test]
async fn a_conflict_is_tried_again_where_s3_says_so() {
    let conflict = || refusal(409, "ConditionalRequestConflict");
    let server = answers([conflict(), OK.to_owned()]).await;
    let s3 = client_of(server.url()).build().unwrap();
    s3.put_object("my-bucket", "a", "1").if_absent().await.unwrap();
    assert_eq!(server.requests().len(), 2);

    let copied = "<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>";
    let copied = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{copied}", copied.len());
    let server = answers([conflict(), copied]).await;
    let s3 = client_of(server.url()).build().unwrap();
    s3.copy_object("my-bucket", "a", "my-bucket", "b").if_absent().await.unwrap();
    assert_eq!(server.requests().len(), 2);

    // Whoever names a tag has to read it anew first.
    let server = answers([conflict(), conflict()]).await;
    let s3 = client_of(server.url()).build().unwrap();
    let put = s3.put_object("my-bucket", "a", "1").if_match("\"e\"").into_future();
    let copy = s3.copy_object("my-bucket", "a", "my-bucket", "b").if_match("\"e\"").into_future();
    for error in [put.await.unwrap_err(), copy.await.unwrap_err()] {
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::ConditionalRequestConflict, 1));
    }
    assert_eq!(server.requests().len(), 2);

    let server = answers([conflict()]).await;
    let s3 = client_of(server.url()).build().unwrap();
    let complete = s3.complete_multipart_upload("my-bucket", "a", "upload").part((1, "\"e\"")).if_absent();
    let error = complete.await.unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts(), server.requests().len()),
        (ErrorKind::ConditionalRequestConflict, 1, 1)
    );
}

fn one_pass(data: &'static str) -> Body {
    Body::sized_stream(stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(data.as_bytes()))]), data.len() as u64)
}

#[tokio::test]
async fn a_stream_is_not_sent_twice() {
    for first in [refusal(500, "InternalError"), "reset".to_owned()] {
        let server = answers([first, OK.to_owned()]).await;
        let clock = FakeClock::default();
        let s3 = client_of(server.url()).clock(clock.clone()).build().unwrap();
        let error = s3.put_object("my-bucket", "a", one_pass("Hello!")).await.unwrap_err();
        assert_eq!((error.attempts(), server.requests().len()), (1, 1), "{error}");
        assert!(clock.waits().is_empty());
    }
}

/// The first connections are refused, so no byte of the stream was asked for.
#[tokio::test]
async fn a_stream_that_was_not_touched_is_sent_again() {
    let fake = Fake::new(|number, request: Request<Bytestream>| async move {
        if number < 3 {
            return Err(TransportError::new(TransportErrorKind::Connect, std::io::Error::other("refused")));
        }
        assert_eq!(drain(request.into_body()).await.unwrap(), 6);
        Ok(answer(200, ""))
    });
    let s3 = client_of("http://127.0.0.1:1").transport(fake.clone()).unsigned_payload().build().unwrap();
    s3.put_object("my-bucket", "a", one_pass("Hello!")).no_checksum().await.unwrap();
    assert_eq!(fake.count(), 3);
}

/// The same over sockets: a pooled connection that the server has closed takes no byte of the stream.
#[tokio::test]
async fn a_stream_that_meets_a_closed_connection_is_sent_on_a_new_one() {
    let server = Server::start(|mut conn: Conn| async move {
        conn.request().await;
        conn.answer(200, "").await;
    })
    .await;
    let s3 = client_of(server.url()).max_attempts(1).build().unwrap();
    for _ in 0..20 {
        s3.put_object("my-bucket", "a", one_pass("Hello!")).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(server.connections(), 20);
}

/// A retry costs 14 of a bucket's 500 tokens: after 35 of them that bucket has no more, and others have all theirs.
#[tokio::test]
async fn each_bucket_has_a_quota_of_its_own() {
    let fake = Fake::new(|_, _| std::future::ready(Ok(answer(500, ""))));
    let s3 = client_of("http://127.0.0.1:1").transport(fake.clone()).max_attempts(2).build().unwrap();
    let attempts = async |bucket: &str| s3.get_object(bucket, "a").await.unwrap_err().attempts();
    for n in 0..35 {
        assert_eq!(attempts("failing").await, 2, "call {n}");
    }
    assert_eq!(attempts("failing").await, 1);
    assert_eq!(attempts("another").await, 2);
}

/// A client that mostly asks for what is not there keeps its retries.
#[tokio::test]
async fn a_final_answer_gives_the_quota_back() {
    let fake = Fake::new(|number, _| {
        let status = if number % 2 == 1 { 500 } else { 404 };
        std::future::ready(Ok(answer(status, "")))
    });
    let s3 = client_of("http://127.0.0.1:1").transport(fake).build().unwrap();
    for n in 0..50 {
        let error = s3.get_object("my-bucket", "a").await.unwrap_err();
        assert_eq!((error.attempts(), error.kind()), (2, ErrorKind::NotFound), "call {n}");
    }
}

/// The first attempt was carried out, its answer was lost, and the second fails because of it.
#[tokio::test]
async fn a_write_that_may_have_been_in_its_own_way_says_so() {
    let server = answers(["reset".to_owned(), refusal(412, "PreconditionFailed")]).await;
    let s3 = client_of(server.url()).clock(FakeClock::default()).build().unwrap();
    let error = s3.put_object("my-bucket", "lock", "me").if_absent().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::PreconditionFailed, 2));
    assert!(error.hint().unwrap().contains("may have succeeded"), "{error:?}");
    assert!(error.maybe_ours());

    let server = answers([refusal(412, "PreconditionFailed")]).await;
    let s3 = client_of(server.url()).clock(FakeClock::default()).build().unwrap();
    let error = s3.put_object("my-bucket", "lock", "me").if_absent().await.unwrap_err();
    assert_eq!(error.hint(), None);
}

/// Of what is deleted under a condition the second attempt finds nothing.
#[tokio::test]
async fn a_delete_that_may_have_been_made_says_so() {
    let error = |server: Server| async move {
        let s3 = client_of(server.url()).clock(FakeClock::default()).build().unwrap();
        s3.delete_object("my-bucket", "lock").if_match("\"e\"").await.unwrap_err()
    };
    let lost = error(answers(["reset".to_owned(), refusal(404, "NoSuchKey")]).await).await;
    assert_eq!((lost.kind(), lost.maybe_ours()), (ErrorKind::NoSuchKey, true));
    assert!(lost.hint().unwrap().contains("may have succeeded"), "{lost:?}");
    let first = error(answers([refusal(404, "NoSuchKey")]).await).await;
    assert_eq!((first.kind(), first.maybe_ours()), (ErrorKind::NoSuchKey, false));
}

/// What reads is never in its own way, and its hints are those of what failed.
#[tokio::test]
async fn a_read_is_no_write_that_may_have_succeeded() {
    let server = answers(["reset".to_owned(), refusal(412, "PreconditionFailed")]).await;
    let s3 = client_of(server.url()).clock(FakeClock::default()).build().unwrap();
    let error = s3.get_object("my-bucket", "a").if_match("\"e\"").await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::PreconditionFailed, 2));
    assert_eq!((error.hint(), error.maybe_ours()), (None, false));

    let server = answers(["reset".to_owned(), refusal(404, "NoSuchBucket")]).await;
    let s3 = client_of(server.url()).clock(FakeClock::default()).build().unwrap();
    let error = s3.list_objects("my-bucket").await.unwrap_err();
    assert_eq!(error.hint(), Some("check the bucket's name, and that the endpoint is the one it is on"));
}

/// An append whose answer was lost has moved the end of the object.
#[tokio::test]
async fn an_append_that_may_have_been_made_says_so() {
    let server = answers(["reset".to_owned(), refusal(400, "InvalidWriteOffset")]).await;
    let s3 = client_of(server.url()).clock(FakeClock::default()).assume_conditions().build().unwrap();
    let append = s3.put_object("my-bucket", "log", "line").write_offset_bytes(10);
    let error = append.await.unwrap_err();
    assert_eq!((error.code(), error.attempts()), (Some("InvalidWriteOffset"), 2));
    assert!(error.hint().unwrap().contains("may have succeeded"), "{error:?}");
    assert!(error.maybe_ours());

    let server = answers([refusal(400, "InvalidWriteOffset")]).await;
    let s3 = client_of(server.url()).clock(FakeClock::default()).assume_conditions().build().unwrap();
    let error = s3.put_object("my-bucket", "log", "line").write_offset_bytes(10).await.unwrap_err();
    assert_eq!((error.hint(), error.maybe_ours()), (None, false));
}

/// S3 begins these answers before it knows how they end, and some end without a word, or in the middle of one.
#[tokio::test]
async fn a_success_without_its_document_is_none() {
    let ok = |body: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let done = "<CompleteMultipartUploadResult><ETag>\"e\"</ETag></CompleteMultipartUploadResult>";
    for broken in ["", " \n ", "<?xml version=\"1.0\"?>\n ", &done[..50]] {
        let server = answers([ok(broken), ok(done)]).await;
        let s3 = client_of(server.url()).clock(FakeClock::default()).build().unwrap();
        let call = s3.complete_multipart_upload("my-bucket", "a", "upload").part((1, "\"e\""));
        assert_eq!(call.await.unwrap().etag.as_str(), "\"e\"", "{broken:?}");
        assert_eq!(server.requests().len(), 2);

        let server = answers([ok(broken)]).await;
        let s3 = client_of(server.url()).clock(FakeClock::default()).build().unwrap();
        let error = s3.copy_object("my-bucket", "a", "my-bucket", "b").await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::MalformedResponse, 3), "{error}");
        assert_eq!(error.status().map(|status| status.as_u16()), Some(200));
        assert_eq!(error.message(), "the server ended its answer without a whole document");

        // It was carried out.
        let server = answers([ok(broken), refusal(404, "NoSuchUpload")]).await;
        let s3 = client_of(server.url()).clock(FakeClock::default()).build().unwrap();
        let call = s3.complete_multipart_upload("my-bucket", "a", "upload").part((1, "\"e\""));
        assert!(call.await.unwrap_err().maybe_ours());
    }
}

/// An object may hold anything, also what reads like an error.
#[tokio::test]
async fn an_object_that_reads_like_an_error_is_fetched_as_it_is() {
    let document = error_document("InternalError", "Stored as it is.");
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{document}", document.len());
    let server = answers([answer]).await;
    let s3 = client_of(server.url()).clock(FakeClock::default()).build().unwrap();
    let fetched = s3.request(http::Method::GET).bucket("my-bucket").key("stored.xml").await.unwrap();
    assert_eq!(fetched.body(), document.as_bytes());
    let stored = s3.request(http::Method::GET).bucket("my-bucket").key("stored.xml");
    let stored = stored.query("versionId", "v").query("partNumber", "1").query("response-content-type", "text/xml");
    assert_eq!(stored.await.unwrap().body(), document.as_bytes());
    let tags = s3.request(http::Method::GET).bucket("my-bucket").key("stored.xml").subresource("tagging");
    assert_eq!(tags.query("versionId", "v").await.unwrap_err().code(), Some("InternalError"));
    let listing = s3.request(http::Method::GET).bucket("my-bucket").await.unwrap_err();
    assert_eq!(listing.code(), Some("InternalError"));
}
