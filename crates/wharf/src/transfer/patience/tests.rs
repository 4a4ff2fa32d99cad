use std::cell::{Cell, RefCell};

use http::{HeaderMap, HeaderValue, StatusCode};

use super::*;
use crate::counters::Tally;
use crate::transfer::budgets::{Budgets, Limits};
use crate::transfer::silence::REMEMBERED;
use crate::transport::TransportErrorKind;

fn lane() -> Lane {
    Lane::new(Budgets::new(Limits::default()), Arc::default(), Some(1))
}

fn busy(retry_after: Option<&'static str>) -> Error {
    let mut headers = HeaderMap::new();
    headers.extend(retry_after.map(|wait| (http::header::RETRY_AFTER, HeaderValue::from_static(wait))));
    let body = b"<Error><Code>InternalError</Code><Message>Try again.</Message></Error>";
    Error::from_response(StatusCode::INTERNAL_SERVER_ERROR, &headers, &body.as_slice().into())
}

/// Tries with what each attempt does; when the attempts were made, and how it ended.
async fn tries(
    watch: &Arc<Watch>,
    patience: u64,
    each: impl Fn(usize) -> Result<(), Error>,
) -> (Vec<u64>, Result<(), Error>) {
    let (start, times) = (Instant::now(), RefCell::new(Vec::new()));
    let attempt = || {
        times.borrow_mut().push(start.elapsed().as_millis() as u64);
        std::future::ready(each(times.borrow().len()))
    };
    let result = patiently(&lane(), watch, Duration::from_secs(patience), || 1.0, attempt).await;
    (times.into_inner(), result)
}

#[tokio::test(start_paused = true)]
async fn what_was_spoilt_on_its_way_is_sent_again_twice() {
    let refused = |code: &str, operation| {
        let body = format!("<Error><Code>{code}</Code><Message>No.</Message></Error>").into_bytes().into();
        let error = Error::from_response(StatusCode::BAD_REQUEST, &HeaderMap::new(), &body);
        error.at(operation, None, None)
    };
    for (code, operation, attempts) in [
        ("BadDigest", "PutObject", 3),
        ("XAmzContentSHA256Mismatch", "CompleteMultipartUpload", 3),
        ("IncompleteBody", "UploadPart", 3),
        ("SignatureDoesNotMatch", "UploadPart", 3),
        // The keys may be wrong.
        ("SignatureDoesNotMatch", "PutObject", 1),
        ("InvalidDigest", "PutObject", 1),
    ] {
        let (times, result) = tries(&Watch::new(), 300, |_| Err(refused(code, operation))).await;
        assert_eq!((times.len(), result.unwrap_err().code()), (attempts, Some(code)));
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_a_reason_to_stay_as_it_is_is_not_asked_for_long() {
    for (status, kind, operation, attempts) in [
        // A success whose document broke off.
        (StatusCode::OK, ErrorKind::MalformedResponse, "UploadPartCopy", 3),
        (StatusCode::OK, ErrorKind::MalformedResponse, "GetObject", 1),
        (StatusCode::INSUFFICIENT_STORAGE, ErrorKind::Server, "PutObject", 1),
        (StatusCode::NOT_IMPLEMENTED, ErrorKind::Server, "PutObject", 1),
    ] {
        let answered = |_| {
            let error = Error::new(kind, "no").with_answer(status, &HeaderMap::new());
            Err(error.at(operation, None, None))
        };
        let (times, result) = tries(&Watch::new(), 300, answered).await;
        assert_eq!((times.len(), result.unwrap_err().message()), (attempts, "no"), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_was_never_reached_is_soon_given_up() {
    let refused = || {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let refused = crate::transport::TransportError::new(TransportErrorKind::Connect, refused);
        Err(crate::transport::transport_error(refused))
    };
    let (times, result) = tries(&Watch::new(), 300, |_| refused()).await;
    assert_eq!((times.len(), result.unwrap_err().attempts()), (6, 6));
    let tally = Arc::<Tally>::default();
    tally.answer();
    let known = Lane::new(Budgets::new(Limits::default()), tally, Some(1));
    let attempts = Cell::new(0);
    let attempt = || {
        attempts.set(attempts.get() + 1);
        std::future::ready(refused())
    };
    patiently(&known, &Watch::new(), Duration::from_secs(300), || 1.0, attempt).await.unwrap_err();
    assert!(attempts.get() > 6, "a server that went away may come back: {}", attempts.get());
}

#[tokio::test(start_paused = true)]
async fn the_waits_grow_until_patience_ends() {
    let (times, result) = tries(&Watch::new(), 100, |_| Err(busy(None))).await;
    assert_eq!(times, [0, 100, 300, 700, 1500, 3100, 6300, 12700, 25500, 45500, 65500, 85500, 100_000]);
    let error = result.unwrap_err();
    let expected = "nothing moved within a patience of 100 s: Try again. (InternalError, HTTP 500, 13 attempts)";
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.kind(), ErrorKind::Server);
}

#[tokio::test(start_paused = true)]
async fn a_patience_without_an_end() {
    let attempts = Cell::new(0);
    let attempt = || {
        attempts.set(attempts.get() + 1);
        std::future::ready(if attempts.get() < 9 { Err(busy(None)) } else { Ok(()) })
    };
    patiently(&lane(), &Watch::new(), Duration::MAX, || 1.0, attempt).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_short_patience_ends_when_it_says() {
    let start = Instant::now();
    let patience = Duration::from_millis(1600);
    let attempt = || std::future::ready(Err::<(), _>(busy(None)));
    let error = patiently(&lane(), &Watch::new(), patience, || 1.0, attempt).await.unwrap_err();
    assert_eq!(start.elapsed(), patience);
    assert!(error.to_string().starts_with("nothing moved within a patience of 1.6 s: "), "{error}");
    // Nobody is asked before he wants to be.
    let (times, result) = tries(&Watch::new(), 5, |_| Err(busy(Some("7")))).await;
    assert_eq!(times, [0]);
    let error = result.unwrap_err().to_string();
    assert!(error.starts_with("the server asks for a wait beyond a patience of 5 s: "), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_is_waited_for_can_be_asked() {
    let tally = Arc::<Tally>::default();
    let lane = Lane::new(Budgets::new(Limits::default()), tally.clone(), Some(2));
    let waiting =
        || tally.waits().now(String::new).map(|wait| (wait.reason, wait.so_far.as_millis(), wait.left.as_secs()));
    let attempts = Cell::new(0);
    let attempt = || {
        attempts.set(attempts.get() + 1);
        std::future::ready(if attempts.get() < 6 { Err(busy(None)) } else { Ok(()) })
    };
    let watch = Watch::new();
    assert_eq!(waiting(), None);
    let trying = patiently(&lane, &watch, Duration::from_secs(101), || 1.0, attempt);
    let asking = async {
        sleep(Duration::from_millis(1000)).await;
        // The last failure is of 700 ms after the first.
        assert_eq!(waiting(), Some(("Try again.".to_owned(), 1000, 100)));
        // Another that succeeds shows that the server is there.
        patiently(&lane, &watch, PATIENCE, || 1.0, || std::future::ready(Ok(()))).await.unwrap();
        assert_eq!(waiting(), None);
        sleep(Duration::from_millis(1000)).await;
        assert_eq!(waiting().unwrap().1, 1000);
    };
    let (done, ()) = tokio::join!(trying, asking);
    done.unwrap();
    assert_eq!(waiting(), None);
    // Nor is anything waited for by one that is dropped.
    let dropped = patiently(&lane, &watch, PATIENCE, || 1.0, || std::future::ready(Err::<(), _>(busy(None))));
    tokio::time::timeout(Duration::from_secs(3), dropped).await.unwrap_err();
    assert_eq!(waiting(), None);
}

/// What one says that wants fewer requests.
fn throttled() -> Error {
    throttled_for(None)
}

fn throttled_for(wish: Option<&'static str>) -> Error {
    let mut headers = HeaderMap::new();
    headers.extend(wish.map(|wish| (http::header::RETRY_AFTER, HeaderValue::from_static(wish))));
    let body = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>";
    Error::from_response(StatusCode::SERVICE_UNAVAILABLE, &headers, &body.as_slice().into())
}

fn reset() -> Error {
    let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    crate::transport::transport_error(crate::transport::TransportError::new(TransportErrorKind::Closed, reset))
}

/// A transfer that fails as `error` says, until it is given up: how long that took.
async fn in_vain(lane: &Lane, patience: Duration, error: impl Fn() -> Error) -> Duration {
    let start = Instant::now();
    let failing = || std::future::ready(Err::<(), _>(error()));
    patiently(lane, &Watch::new(), patience, || 1.0, failing).await.unwrap_err();
    start.elapsed()
}

/// A client that has heard from its server.
fn known() -> (Lane, Arc<Tally>) {
    let tally = Arc::<Tally>::default();
    tally.answer();
    (Lane::new(Budgets::new(Limits::default()), tally.clone(), Some(4)), tally)
}

#[tokio::test(start_paused = true)]
async fn what_one_waited_for_in_vain_others_do_not_wait_for_again() {
    let (lane, tally) = known();
    let (first, second) = tokio::join!(in_vain(&lane, PATIENCE, reset), in_vain(&lane, PATIENCE, reset));
    assert_eq!((first, second), (PATIENCE, PATIENCE));
    for _ in 0..100 {
        let time = in_vain(&lane, PATIENCE, reset).await;
        assert_eq!(time, LEAST);
        assert!(tally.is_away(PATIENCE));
    }
    // Whoever has more patience tries for longer.
    assert!(!tally.is_away(2 * PATIENCE));
    let time = in_vain(&lane, 2 * PATIENCE, reset).await;
    assert_eq!(time, PATIENCE - 100 * LEAST);
    // It is back.
    patiently(&lane, &Watch::new(), PATIENCE, || 1.0, || std::future::ready(Ok(()))).await.unwrap();
    lane.moved(1);
    assert!(!tally.is_away(Duration::ZERO));
    assert_eq!(in_vain(&lane, PATIENCE, reset).await, PATIENCE);
    // Who comes much later has all the time there is.
    sleep(2 * REMEMBERED).await;
    assert!(!tally.is_away(Duration::ZERO));
    assert_eq!(in_vain(&lane, PATIENCE, reset).await, PATIENCE);
}

#[tokio::test(start_paused = true)]
async fn one_that_has_little_patience_ends_nobody_elses() {
    let (lane, _) = known();
    let hasty = async {
        sleep(Duration::from_secs(10)).await;
        assert_eq!(in_vain(&lane, Duration::ZERO, reset).await, Duration::ZERO);
        in_vain(&lane, Duration::from_secs(2), reset).await
    };
    let (patient, hasty) = tokio::join!(in_vain(&lane, PATIENCE, reset), hasty);
    assert_eq!(patient, PATIENCE);
    assert!(hasty <= Duration::from_secs(2), "{hasty:?}");
}

/// How long one waits that fails so, where another is served after a minute: its waits have grown to 20 s by then, and it would
/// be made again 5.5 s later.
async fn until_served(error: fn() -> Error) -> Duration {
    let (lane, _) = known();
    let is_back = Cell::new(false);
    let attempt = || std::future::ready(if is_back.get() { Ok(()) } else { Err(error()) });
    let start = Instant::now();
    let waiting = async {
        patiently(&lane, &Watch::new(), PATIENCE, || 1.0, attempt).await.unwrap();
        start.elapsed()
    };
    let other = async {
        sleep(Duration::from_secs(60)).await;
        is_back.set(true);
        lane.moved(1);
    };
    tokio::join!(waiting, other).0
}

#[tokio::test(start_paused = true)]
async fn the_first_that_is_served_again_wakes_the_others() {
    assert_eq!(until_served(reset).await, Duration::from_secs(60) + FIRST_WAIT);
}

/// A thousand files are not each tried for the whole of their patience, where the first sixty-four met nothing else.
#[tokio::test(start_paused = true)]
async fn one_that_wants_fewer_requests_of_all_is_waited_for_once() {
    let (lane, tally) = known();
    let (first, second) = tokio::join!(in_vain(&lane, PATIENCE, throttled), in_vain(&lane, PATIENCE, throttled));
    assert_eq!((first, second), (PATIENCE, PATIENCE));
    for error in [throttled, reset, throttled] {
        assert!(tally.is_away(PATIENCE));
        assert_eq!(in_vain(&lane, PATIENCE, error).await, LEAST);
    }
    // What is wrong with one object, or with one operation, is nothing of that.
    assert_eq!(in_vain(&lane, PATIENCE, || busy(None)).await, PATIENCE);
    assert!(!tally.is_away(Duration::ZERO));
    assert_eq!(in_vain(&lane, PATIENCE, throttled).await, PATIENCE);
    // Nor where anything is served meanwhile.
    lane.moved(1);
    let other = async {
        sleep(PATIENCE / 2).await;
        lane.moved(1);
    };
    let (time, ()) = tokio::join!(in_vain(&lane, PATIENCE, throttled), other);
    assert_eq!(time, PATIENCE);
    assert!(!tally.is_away(PATIENCE));
}

/// It is not forgotten while nobody tries because the server said so, and what cuts the next one's time short is said.
#[tokio::test(start_paused = true)]
async fn what_the_server_asks_to_wait_is_no_time_in_which_nothing_is_tried() {
    for (wish, seconds) in [("60", 60), ("5", 5)] {
        let (lane, tally) = known();
        let busy = || throttled_for(Some(wish));
        assert!(in_vain(&lane, PATIENCE, busy).await >= PATIENCE - Duration::from_secs(60));
        assert!(tally.is_away(PATIENCE - Duration::from_secs(60)), "{wish}");
        let failing = || std::future::ready(Err::<(), _>(busy()));
        sleep(Duration::from_secs(seconds)).await;
        let error = patiently(&lane, &Watch::new(), PATIENCE, || 1.0, failing).await.unwrap_err();
        assert!(
            error.message().starts_with("nothing was served to any transfer within a patience of 300 s: "),
            "{error}"
        );
    }
}

/// A server that wants fewer requests has them wait for leave to send, which is nobody's own patience.
#[test]
fn one_that_tried_alone_does_not_speak_of_others() {
    let said = |left, own| exhausted(throttled(), PATIENCE, left, own).message().to_owned();
    assert!(said(Duration::ZERO, LEAST / 2).starts_with("nothing moved within a patience of 300 s: "));
    assert!(said(Duration::ZERO, LEAST).starts_with("nothing was served to any transfer within a patience of 300 s: "));
}

/// All would come at once where they are too many: also those that fell silent meanwhile.
#[tokio::test(start_paused = true)]
async fn who_is_told_that_there_are_too_many_wakes_nobody() {
    let (lane, _) = known();
    let start = Instant::now();
    let (is_busy, attempts) = (Cell::new(false), Cell::new(0));
    let silent = || {
        attempts.set(attempts.get() + 1);
        std::future::ready(Err::<(), _>(if is_busy.get() { throttled() } else { reset() }))
    };
    let watch = Watch::new();
    let waiting = patiently(&lane, &watch, Duration::from_secs(100), || 1.0, silent);
    let other = async {
        sleep(Duration::from_secs(60)).await;
        let before = attempts.get();
        is_busy.set(true);
        in_vain(&lane, Duration::ZERO, throttled).await;
        sleep(Duration::from_secs(2)).await;
        assert_eq!(attempts.get(), before);
    };
    let (error, ()) = tokio::join!(waiting, other);
    assert!(error.is_err() && start.elapsed() <= Duration::from_secs(101));
}

/// All would come at once where they are too many.
#[tokio::test(start_paused = true)]
async fn the_first_that_is_served_where_there_were_too_many_wakes_nobody() {
    let time = until_served(throttled).await;
    assert!(time > Duration::from_secs(65), "{time:?}");
}

/// A server that takes requests and says nothing.
#[tokio::test(start_paused = true)]
async fn a_silent_server_is_waited_for_once() {
    let (lane, tally) = known();
    let silent = || async {
        let start = Instant::now();
        let attempt = || async {
            sleep(Duration::from_secs(30)).await;
            Err::<(), _>(Error::new(ErrorKind::Timeout, "silent"))
        };
        patiently(&lane, &Watch::new(), PATIENCE, || 1.0, attempt).await.unwrap_err();
        start.elapsed()
    };
    assert!(silent().await >= PATIENCE);
    for _ in 0..10 {
        assert!(tally.is_away(PATIENCE));
        assert_eq!(silent().await, Duration::from_secs(30));
    }
}

/// What fails at once is no silence, however little patience there is.
#[tokio::test(start_paused = true)]
async fn one_reset_is_no_silence() {
    let (lane, tally) = known();
    in_vain(&lane, Duration::ZERO, reset).await;
    assert!(!tally.is_away(Duration::ZERO));
    sleep(LEAST).await;
    assert!(tally.is_away(Duration::ZERO) && !tally.is_away(PATIENCE));
}

/// One object that cannot be had says nothing of the server.
#[tokio::test(start_paused = true)]
async fn what_comes_meanwhile_shows_that_the_server_is_there() {
    let (lane, tally) = known();
    // A long body of another, which ends much later.
    let flowing = async {
        for _ in 0..70_000 {
            sleep(Duration::from_millis(5)).await;
            lane.moved(1);
        }
    };
    let checked = async {
        let attempts = Cell::new(0);
        let refused = || {
            attempts.set(attempts.get() + 1);
            reset()
        };
        assert_eq!(in_vain(&lane, PATIENCE, refused).await, PATIENCE);
        assert!(attempts.get() < 30, "it waits all the same: {} attempts", attempts.get());
        assert!(!tally.is_away(Duration::from_secs(10)));
    };
    tokio::join!(flowing, checked);
    // Nor does one that is answered, be it with an error of S3; a gateway is not S3.
    assert_eq!(in_vain(&lane, PATIENCE, || busy(None)).await, PATIENCE);
    assert!(!tally.is_away(Duration::ZERO));
    let gateway = || Error::from_response(StatusCode::BAD_GATEWAY, &HeaderMap::new(), &b"<html>".as_slice().into());
    assert_eq!(in_vain(&lane, PATIENCE, gateway).await, PATIENCE);
    assert!(tally.is_away(PATIENCE - Duration::from_secs(1)));
}

#[tokio::test(start_paused = true)]
async fn what_moves_renews_it() {
    let watch = Watch::new();
    let (times, result) = tries(&watch, 1, |attempt| {
        watch.moved(u64::from(attempt < 50));
        Err(busy(None))
    })
    .await;
    assert!(result.is_err());
    assert_eq!(times.len(), 53);
}

#[tokio::test(start_paused = true)]
async fn the_server_says_how_long_to_wait() {
    let (times, result) = tries(&Watch::new(), 100, |attempt| match attempt {
        1 => Err(busy(Some("7"))),
        2 => Err(busy(Some("0"))),
        _ => Ok(()),
    })
    .await;
    result.unwrap();
    assert_eq!(times, [0, 7000, 7200]);
}

#[tokio::test(start_paused = true)]
async fn what_no_repetition_mends_is_told_at_once() {
    let (times, result) = tries(&Watch::new(), 100, |_| Err(Error::invalid_input("no"))).await;
    assert_eq!((times.len(), result.unwrap_err().to_string().as_str()), (1, "no"));
}

#[tokio::test(start_paused = true)]
async fn waiting_for_leave_tries_nobodys_patience() {
    let (lane, watch) = (lane(), Watch::new());
    let held = RefCell::new(Some(lane.enter().await));
    let attempts = Cell::new(0);
    let trying = patiently(
        &lane,
        &watch,
        Duration::from_secs(10),
        || 1.0,
        || {
            attempts.set(attempts.get() + 1);
            std::future::ready(if attempts.get() == 1 { Err(busy(None)) } else { Ok(()) })
        },
    );
    let free = async {
        sleep(Duration::from_secs(600)).await;
        held.take();
    };
    let (result, ()) = tokio::join!(trying, free);
    result.unwrap();
}
