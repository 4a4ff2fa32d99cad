//! Into files, from servers that fail and connections that break.

use std::fs;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use wharf::transfer::{Memory, OnChange};
use wharf::transport::{Body, Transport, TransportError, TransportErrorKind};
use wharf::{ByteRange, Client, ErrorKind, Provider};
use wharf_embedded::{Fault, Operation, Store};

use crate::common::{Folder, MIB, bytes, slowly, with_object};
use crate::support::{Fake, answer, client_of, error_document, line};

fn get(fault: Fault) -> Fault {
    fault.on(Operation::GetObject)
}

#[tokio::test(start_paused = true)]
async fn whatever_breaks_the_bytes_are_right() {
    let data = bytes(6 * MIB + 11);
    let folder = Folder::new();
    let path = folder.join("a");
    for (name, faults) in [
        ("bodies cut short", vec![get(Fault::close_response_after(300_007))]),
        ("every other answer is lost", vec![get(Fault::drop_answer()).share(0.5, 3)]),
        ("a storm of 503", vec![get(Fault::respond(503, "SlowDown")).share(0.6, 4)]),
        (
            "500 and cut bodies",
            vec![
                get(Fault::respond(500, "InternalError")).share(0.3, 5),
                get(Fault::close_response_after(700_001)).share(0.5, 6),
            ],
        ),
        ("silence in the middle", vec![get(Fault::delay_body(200_000, Duration::from_secs(3600))).share(0.3, 7)]),
    ] {
        let (s3, store) = with_object(&data).await;
        for fault in faults {
            store.inject(fault).unwrap();
        }
        for concurrency in [1, 2, 7] {
            let _ = fs::remove_file(&path);
            slowly(&store);
            let call = s3.download("my-bucket", "a", &path).part_size(400_000).concurrency(concurrency);
            let done = call.await.unwrap();
            assert!(done.verification.is_verified() && fs::read(&path).unwrap() == data, "{name}, {concurrency}");
            assert_eq!(folder.names(), ["a"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_well() {
    let (s3, store) = with_object(&bytes(MIB)).await;
    let folder = Folder::new();
    store.inject(get(Fault::respond(503, "SlowDown"))).unwrap();
    let start = tokio::time::Instant::now();
    let call = s3.download("my-bucket", "a", folder.join("a")).patience(Duration::from_secs(60));
    let error = call.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SlowDown);
    let lasted = start.elapsed().as_secs();
    assert!((20..=60).contains(&lasted), "{lasted} s");
    // What is final is told at once. By a client that was not asked to send less.
    let (s3, store) = with_object(&bytes(MIB)).await;
    slowly(&store);
    store.inject(get(Fault::respond(403, "AccessDenied")).if_header("range", "*")).unwrap();
    let call = s3.download("my-bucket", "a", folder.join("a")).part_size(100_000).concurrency(4);
    assert_eq!(call.await.unwrap_err().kind(), ErrorKind::AccessDenied);
    assert!(folder.names().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_spoilt_byte_leaves_what_was_there() {
    let (s3, store) = with_object(&bytes(3 * MIB)).await;
    let folder = Folder::new();
    let path = folder.join("a");
    fs::write(&path, "the old one").unwrap();
    slowly(&store);
    store.inject(get(Fault::corrupt_response(77_777))).unwrap();
    for resumable in [false, true] {
        let call = s3.download("my-bucket", "a", &path).part_size(500_000).concurrency(3).resumable(resumable);
        let error = call.await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Corrupt, 2));
        let expected = "download my-bucket/a: the bytes do not match the object's CRC64NVME checksum (2 attempts)";
        assert_eq!(line(&error), expected);
        assert!(error.hint().unwrap().starts_with("it came so each time: "), "{error:?}");
        assert_eq!((folder.names(), fs::read(&path).unwrap()), (vec!["a".to_owned()], b"the old one".to_vec()));
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_that_came_spoilt_once_are_fetched_once_more() {
    let data = bytes(3 * MIB);
    for (nth, resumable) in [(1, false), (2, true), (3, false)] {
        let (s3, store) = with_object(&data).await;
        let folder = Folder::new();
        let path = folder.join("a");
        slowly(&store);
        store.inject(get(Fault::corrupt_response(77_777)).nth(nth)).unwrap();
        let call = s3.download("my-bucket", "a", &path).part_size(500_000).concurrency(3).resumable(resumable);
        let transfer = call.start().unwrap();
        let updates = transfer.updates();
        assert!(transfer.await.unwrap().verification.is_verified());
        assert_eq!((folder.names(), fs::read(&path).unwrap() == data), (vec!["a".to_owned()], true));
        let last = futures_util::StreamExt::fold(updates, None, |_, now| async move { Some(now) }).await.unwrap();
        assert_eq!((last.bytes, last.retries, s3.counters().retries), (data.len() as u64, 1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_replaced() {
    let (data, other) = (bytes(3 * MIB), vec![b'x'; 2 * MIB]);
    let folder = Folder::new();
    let path = folder.join("a");
    for honest in [true, false] {
        for nth in 2..5 {
            let (s3, store) = with_object(&data).await;
            if !honest {
                store.inject(Fault::ignore_conditions()).unwrap();
            }
            slowly(&store);
            store.inject(get(Fault::replace_object(other.clone())).nth(nth)).unwrap();
            let call = || s3.download("my-bucket", "a", &path).part_size(300_000).concurrency(4);
            let error = call().on_change(OnChange::Fail).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::PreconditionFailed, "{}", line(&error));
            assert!(folder.names().is_empty());
            store.clear_faults();
            if !honest {
                store.inject(Fault::ignore_conditions()).unwrap();
            }
            s3.put_object("my-bucket", "a", data.clone()).await.unwrap();
            slowly(&store);
            store.inject(get(Fault::replace_object(other.clone())).nth(nth)).unwrap();
            let done = call().await.unwrap();
            assert!(done.verification.is_verified() && fs::read(&path).unwrap() == other);
            fs::remove_file(&path).unwrap();
        }
    }
    // One that never stays the same.
    let (s3, store) = with_object(&data).await;
    for nth in 1..20 {
        let another = vec![nth as u8; 2 * MIB];
        store.inject(get(Fault::replace_object(another)).if_header("range", "*").nth(nth)).unwrap();
    }
    store.inject(get(Fault::delay_body(1000, Duration::from_millis(20)))).unwrap();
    let error = s3.download("my-bucket", "a", &path).part_size(300_000).concurrency(2).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed);
    assert!(folder.names().is_empty());
}

#[tokio::test(start_paused = true)]
async fn dropped_or_cancelled_it_leaves_nothing() {
    let (s3, store) = with_object(&bytes(3 * MIB)).await;
    let folder = Folder::new();
    let path = folder.join("a");
    store.inject(get(Fault::delay_body(100_000, Duration::from_secs(20)))).unwrap();
    let begin = || s3.download("my-bucket", "a", &path).part_size(500_000).concurrency(3).start().unwrap();
    let transfer = begin();
    while transfer.progress().bytes == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(folder.names(), ["a.wharf-part"]);
    assert_eq!(transfer.progress().total, Some(3 * MIB as u64));
    transfer.cancel().await.unwrap();
    assert!(folder.names().is_empty());
    let transfer = begin();
    while transfer.progress().bytes == 0 {
        tokio::task::yield_now().await;
    }
    drop(transfer);
    while !folder.names().is_empty() {
        tokio::task::yield_now().await;
    }
}

/// How a server answers that is not S3.
#[derive(Clone, Copy, Default)]
struct Habits {
    /// Ranges are ignored.
    whole: bool,
    /// A range is answered with 200, as rclone does.
    ok: bool,
    no_etag: bool,
    no_length: bool,
    /// Every second body breaks off after so many bytes.
    breaks: Option<usize>,
    /// Ranges come without their length, and every second one ends well in its middle.
    short: bool,
    /// Ranges come without their length, and go on to the object's end.
    long: bool,
}

/// A client of such a server, which has one object of these bytes.
fn served(data: Vec<u8>, habits: Habits) -> (Client, Fake) {
    let data = Bytes::from(data);
    let fake = Fake::new(move |number, request: Request<Body>| {
        let size = data.len();
        let range = request.headers().get("range").filter(|_| !habits.whole).map(|range| {
            let (first, last) = range.to_str().unwrap().strip_prefix("bytes=").unwrap().split_once('-').unwrap();
            first.parse::<usize>().unwrap()..last.parse::<usize>().map_or(size, |last| last + 1).min(size)
        });
        let mut answer = Response::builder().status(if range.is_some() && !habits.ok { 206 } else { 200 });
        if let Some(range) = &range {
            answer = answer.header("content-range", format!("bytes {}-{}/{size}", range.start, range.end - 1));
        }
        if !habits.no_etag {
            answer = answer.header("etag", "\"e\"");
        }
        let is_short = habits.short && range.is_some();
        let is_long = habits.long && range.is_some();
        let range = range.unwrap_or(0..size);
        let mut sent = data.slice(range.start..if is_long { size } else { range.end });
        if !habits.no_length && !is_short && !is_long {
            answer = answer.header("content-length", sent.len());
        }
        if is_short && number % 2 == 0 {
            sent.truncate(sent.len() / 2);
        }
        let mut pieces: Vec<Result<Bytes, _>> = sent.chunks(10_000).map(|piece| Ok(sent.slice_ref(piece))).collect();
        if let Some(after) = habits.breaks.filter(|after| number % 2 == 1 && *after < sent.len()) {
            pieces.truncate(after / 10_000);
            pieces.push(Err(TransportError::new(TransportErrorKind::Closed, "reset").into()));
        }
        std::future::ready(Ok(answer.body(Body::stream(None, futures_util::stream::iter(pieces))).unwrap()))
    });
    (client_of("http://127.0.0.1:1").transport(fake.clone()).build().unwrap(), fake)
}

#[tokio::test(start_paused = true)]
async fn servers_that_are_not_s3() {
    let data = bytes(500_000);
    let folder = Folder::new();
    let path = folder.join("a");
    let breaks = Some(150_000);
    for (name, habits, most) in [
        ("it ignores ranges", Habits { whole: true, ..Habits::default() }, 9),
        ("it ignores ranges and breaks off", Habits { whole: true, breaks, ..Habits::default() }, 9),
        ("it answers 200 to a range", Habits { ok: true, ..Habits::default() }, 30),
        ("it has no tags", Habits { no_etag: true, ..Habits::default() }, 1),
        ("it has no tags and breaks off", Habits { no_etag: true, breaks, ..Habits::default() }, 2),
        ("it does not say how long it is", Habits { no_length: true, ..Habits::default() }, 1),
        ("it breaks off", Habits { breaks, ..Habits::default() }, 40),
        ("its ranges end early", Habits { short: true, ..Habits::default() }, 60),
        ("its ranges do not end", Habits { long: true, ..Habits::default() }, 30),
    ] {
        for concurrency in [1, 4] {
            let (s3, fake) = served(data.clone(), habits);
            let done = s3.download("my-bucket", "a", &path).part_size(50_000).concurrency(concurrency).await.unwrap();
            assert!(fs::read(&path).unwrap() == data && done.size == 500_000, "{name}");
            assert!(fake.count() <= most, "{name}: {}", fake.count());
            let (s3, _) = served(data.clone(), habits);
            let done = s3.download("my-bucket", "a", Memory).part_size(50_000).concurrency(concurrency).await.unwrap();
            assert!(done.target == data, "{name}");
        }
    }
    assert_eq!(folder.names(), ["a"]);
    // A range of it that is not given is an error, and not the whole.
    let (s3, _) = served(data.clone(), Habits { whole: true, ..Habits::default() });
    let error = s3.download("my-bucket", "a", &path).range(ByteRange::from(5..10)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse, "{}", line(&error));
}

/// What cannot be asked for in part is not given up before the connection is.
#[tokio::test(start_paused = true)]
async fn a_server_without_ranges_may_be_silent_for_as_long_as_there_is() {
    let data = bytes(500_000);
    for (tag, silence) in [(None, 25), (Some("\"e\""), 25), (None, 35)] {
        let sent = Bytes::from(data.clone());
        let fake = Fake::new(move |number, _| {
            let head = Response::builder().header("content-length", sent.len());
            let head = tag.into_iter().fold(head, |head, tag: &str| head.header("etag", tag));
            let pieces = futures_util::stream::unfold(sent.clone(), move |mut left| async move {
                if left.is_empty() {
                    return None;
                }
                // The first answer falls silent in its middle.
                if number == 1 && left.len() == 250_000 {
                    tokio::time::sleep(Duration::from_secs(silence)).await;
                }
                Some((Ok(left.split_to(50_000)), left))
            });
            std::future::ready(Ok(head.body(Body::stream(None, pieces)).unwrap()))
        });
        let s3 = client_of("http://127.0.0.1:1").progress_timeout(Duration::from_secs(30)).transport(fake.clone());
        let s3 = s3.build().unwrap();
        let done = s3.download("my-bucket", "a", Memory).await.unwrap();
        assert!(done.target == data);
        // Where the rest can be asked for, that is sooner done; where the time is over, all of it is.
        let is_waited_for = tag.is_none() && silence < 30;
        assert_eq!(fake.count() == 1, is_waited_for, "{tag:?} {silence} s: {} requests", fake.count());
    }
}

/// With a limit on the size of files in place of a small disk: the same error from the same call.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_one_error() {
    let test = std::env::current_exe().unwrap();
    let script = "trap '' XFSZ; ulimit -f 4096; WHARF_TEST_SMALL_FILES=1 exec \"$0\" --exact faults::what_does_not_fit --ignored";
    let child = std::process::Command::new("sh").args(["-c", script]).arg(test).output().unwrap();
    let told = String::from_utf8_lossy(&child.stdout).into_owned();
    assert!(child.status.success() && told.contains("1 passed"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the test above, which limits the size of files"]
async fn what_does_not_fit() {
    if std::env::var_os("WHARF_TEST_SMALL_FILES").is_none() {
        return; // With all that are ignored, and without the limit.
    }
    let (s3, _) = with_object(&bytes(9 * MIB)).await;
    let folder = Folder::new();
    let path = folder.join("a");
    fs::write(&path, "the old one").unwrap();
    for concurrency in [1, 3] {
        let call = s3.download("my-bucket", "a", &path).part_size(MIB as u64).concurrency(concurrency);
        let error = call.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Body);
        let cause = error.cause().unwrap().downcast_ref::<std::io::Error>().unwrap();
        assert_eq!(cause.kind(), std::io::ErrorKind::FileTooLarge, "{}", line(&error));
        assert_eq!((folder.names(), fs::read(&path).unwrap()), (vec!["a".to_owned()], b"the old one".to_vec()));
    }
    // Also where it was begun anew before, for another reason.
    let (s3, fake) = served(bytes(9 * MIB), Habits { no_etag: true, breaks: Some(150_000), ..Habits::default() });
    let error = s3.download("my-bucket", "a", &path).await.unwrap_err();
    assert_eq!((error.kind(), fake.count()), (ErrorKind::Body, 2));
}

/// All tags are called weak, by a proxy or, where `own`, by the server itself: then none matches (RFC 9110, 13.1.1).
fn weakening(store: Store, own: bool) -> Fake {
    Fake::new(move |_, request: Request<Body>| {
        let store = store.clone();
        async move {
            if own && request.headers().contains_key("if-match") {
                return Ok(answer(412, error_document("PreconditionFailed", "A weak tag matches nothing.")));
            }
            let mut answer = store.send(request).await?;
            if let Some(tag) = answer.headers().get("etag").and_then(|tag| tag.to_str().ok()) {
                let weak = format!("W/{tag}").parse().unwrap();
                answer.headers_mut().insert("etag", weak);
            }
            Ok(answer)
        }
    })
}

#[tokio::test(start_paused = true)]
async fn weak_tags_hold_ranges_together_or_nothing_does() {
    let data = bytes(6 * MIB);
    for (own, provider) in [(false, Provider::Embedded), (true, Provider::Embedded), (false, Provider::Rclone)] {
        let (_, store) = with_object(&data).await;
        let keys = (store.access_key_id().to_owned(), store.secret_access_key().to_owned());
        let builder = client_of("http://127.0.0.1:1").credentials(keys.0, keys.1).region("us-east-1");
        let s3 = builder.transport(weakening(store.clone(), own)).provider(provider).build().unwrap();
        let folder = Folder::new();
        let path = folder.join("a");
        let call = || s3.download("my-bucket", "a", &path).part_size(MIB as u64).concurrency(4);
        slowly(&store);
        let done = call().await.unwrap();
        assert!(done.verification.is_verified() && fs::read(&path).unwrap() == data);
        let requests = store.requests();
        let ranges = requests.iter().filter(|request| request.headers.contains_key("range")).count();
        assert_eq!(ranges > 0, !own && provider == Provider::Embedded, "{requests}");
        // Broken off, and interrupted.
        store.inject(get(Fault::close_response_after(2 * MIB as u64)).times(1)).unwrap();
        call().resumable(true).await.unwrap();
        assert!(fs::read(&path).unwrap() == data);
        assert_eq!(folder.names(), ["a"]);
        store.inject(get(Fault::close_response_after(2 * MIB as u64)).times(1)).unwrap();
        assert_eq!(s3.download("my-bucket", "a", Memory).await.unwrap().target, data);
    }
}

/// A stream that falls silent before it is known how fast it is gets help, and is asked for again before the connection is
/// given up.
#[tokio::test(start_paused = true)]
async fn a_silent_stream_holds_up_little() {
    let data = bytes(12 * MIB);
    let (s3, store) = with_object(&data).await;
    let folder = Folder::new();
    let silent = Fault::delay_body(MIB as u64, Duration::from_secs(3600)).on(Operation::GetObject);
    store.inject(silent.nth(1)).unwrap();
    let start = tokio::time::Instant::now();
    let transfer = s3.download("my-bucket", "a", folder.join("a")).part_size(MIB as u64).start().unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let progress = transfer.progress();
    assert!(progress.bytes >= 10 * MIB as u64, "{progress:?}");
    assert!(transfer.await.unwrap().verification.is_verified());
    assert!(fs::read(folder.join("a")).unwrap() == data);
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    // In order too; and a server that is slow each time is waited for, longer and longer.
    store.clear_faults();
    let slow = Fault::delay_body(1000, Duration::from_secs(25)).on(Operation::GetObject);
    store.inject(slow).unwrap();
    for concurrency in [1, 3] {
        let call = s3.download("my-bucket", "a", Memory).part_size(4 * MIB as u64).concurrency(concurrency);
        assert!(call.patience(Duration::from_secs(60)).await.unwrap().target == data);
    }
}
