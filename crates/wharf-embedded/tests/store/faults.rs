//! Each fault, in process.

use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use tokio::time::Instant;
use wharf_embedded::{Fault, FaultError, Injected, Operation, Store};
use wharf_transport::{Transport, TransportError, TransportErrorKind};

use crate::support::*;

fn inject(store: &Store, fault: Fault) -> Injected {
    store.inject(fault).unwrap()
}

/// What a client sees in place of an answer.
async fn lost(store: &Store, ask: Ask) -> TransportErrorKind {
    store.send(ask.signed().0).await.unwrap_err().kind()
}

/// The bytes that came, and how the body broke off.
async fn broken(store: &Store, ask: Ask) -> (String, Option<TransportErrorKind>) {
    let mut body = store.send(ask.signed().0).await.unwrap().into_body();
    let mut text = String::new();
    loop {
        match body.try_next().await {
            Ok(Some(bytes)) => text.push_str(std::str::from_utf8(&bytes).unwrap()),
            Ok(None) => return (text, None),
            Err(error) => return (text, Some(error.downcast::<TransportError>().unwrap().kind())),
        }
    }
}

async fn store_with_object() -> Store {
    let store = store_with_bucket().await;
    put("/bucket/k").body("0123456789").send(&store).await.expect(200);
    store.clear_requests();
    store
}

#[tokio::test]
async fn respond_comes_before_anything_is_done() {
    let store = store_with_bucket().await;
    let busy = inject(
        &store,
        Fault::respond(503, "SlowDown").header("retry-after", "1").on(Operation::PutObject).key("reports/*").times(2),
    );
    for _ in 0..2 {
        let answer = put("/bucket/reports/1").body("x").send(&store).await.refused(503, "SlowDown");
        assert_eq!(answer.get("retry-after"), Some("1"));
        assert_eq!(answer.element("Resource").as_deref(), Some("/bucket/reports/1"));
        assert_eq!(answer.element("RequestId").as_deref(), answer.get("x-amz-request-id"));
        put("/bucket/other").body("x").send(&store).await.expect(200);
    }
    get("/bucket/reports/1").send(&store).await.refused(404, "NoSuchKey");
    put("/bucket/reports/1").body("x").send(&store).await.expect(200);
    assert_eq!(busy.fired(), 2);
}

#[tokio::test]
async fn respond_without_a_code_has_no_document() {
    let store = store();
    inject(&store, Fault::respond(502, "").nth(1));
    assert_eq!(get("/").send(&store).await.expect(502).text(), "");
    inject(&store, Fault::respond(503, "SlowDown").nth(1));
    assert_eq!(head("/bucket").send(&store).await.expect(503).text(), "", "as to every HEAD");
}

#[tokio::test]
async fn it_sees_requests_that_are_refused_or_unknown() {
    let store = store_with_bucket().await;
    let every = inject(&store, Fault::respond(503, "SlowDown"));
    get("/bucket/k").set(|it| it.secret.push('x')).send(&store).await.refused(503, "SlowDown");
    get("/bucket?metrics").send(&store).await.refused(503, "SlowDown");
    get("/bucket/%FF").send(&store).await.refused(503, "SlowDown");
    assert_eq!(every.fired(), 3);
    every.remove();
    get("/bucket/k").set(|it| it.secret.push('x')).send(&store).await.refused(403, "SignatureDoesNotMatch");
    // Those that cannot be read are aimed at nothing.
    let aimed = inject(&store, Fault::respond(503, "SlowDown").key("*"));
    get("/bucket/%FF").send(&store).await.expect(400);
    assert_eq!(aimed.fired(), 0);
}

#[tokio::test(start_paused = true)]
async fn delay_holds_back_the_answer_of_what_is_done() {
    let store = store_with_bucket().await;
    let hour = Duration::from_secs(3600);
    inject(&store, Fault::delay(hour).on(Operation::PutObject));
    let (ask, read) = (put("/bucket/k").body("x"), get("/bucket/k"));
    let start = Instant::now();
    {
        let answer = ask.send(&store);
        tokio::pin!(answer);
        tokio::select! {
            biased;
            _ = answer.as_mut() => panic!("the answer is late"),
            stored = read.send(&store) => { stored.expect(200); }
        }
        answer.await.expect(200);
    }
    assert_eq!(start.elapsed(), hour);
}

#[tokio::test(start_paused = true)]
async fn a_delay_comes_before_the_connection_is_closed() {
    let store = store_with_bucket().await;
    let hour = Duration::from_secs(3600);
    for fault in [Fault::drop_answer(), Fault::close_request_after(0), Fault::close_request_after(3)] {
        inject(&store, fault);
        inject(&store, Fault::delay(hour));
        let start = Instant::now();
        assert_eq!(lost(&store, put("/bucket/k").body("0123456789")).await, TransportErrorKind::Closed);
        assert_eq!(start.elapsed(), hour);
        store.clear_faults();
    }
}

#[tokio::test(start_paused = true)]
async fn delay_body_stops_amid_it() {
    let store = store_with_object().await;
    inject(&store, Fault::delay_body(4, Duration::from_secs(60)));
    let start = Instant::now();
    let mut body = store.handle(get("/bucket/k").signed().0).await.into_body();
    assert_eq!(body.try_next().await.unwrap().unwrap(), "0123");
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(body.try_next().await.unwrap().unwrap(), "456789");
    assert_eq!(start.elapsed(), Duration::from_secs(60));
    assert_eq!(body.try_next().await.unwrap(), None);
}

#[tokio::test]
async fn a_request_that_is_closed_stores_nothing() {
    let store = store_with_bucket().await;
    for after in [0, 3, 10] {
        let fault = inject(&store, Fault::close_request_after(after).on(Operation::PutObject));
        assert_eq!(lost(&store, put("/bucket/k").body("0123456789")).await, TransportErrorKind::Closed, "{after}");
        fault.remove();
        get("/bucket/k").send(&store).await.refused(404, "NoSuchKey");
    }
    let at_once = inject(&store, Fault::close_request_after(0));
    let stranger = get("/bucket/k").set(|it| it.secret.push('x'));
    assert_eq!(lost(&store, stranger).await, TransportErrorKind::Closed, "before anybody asks who it is");
    at_once.remove();
    inject(&store, Fault::close_request_after(11));
    put("/bucket/k").body("0123456789").send(&store).await.expect(200);
    assert_eq!(store.requests()[1].status, None);
}

#[tokio::test]
async fn an_answer_is_closed_after_so_many_bytes() {
    let store = store_with_object().await;
    // Not one that is not longer.
    for (after, text) in [(10, "0123456789"), (11, "0123456789")] {
        let fault = inject(&store, Fault::close_response_after(after).on(Operation::GetObject));
        assert_eq!(get("/bucket/k").send(&store).await.expect(200).text(), text);
        fault.remove();
    }
    let fault = inject(&store, Fault::close_response_after(0).on(Operation::PutObject));
    put("/bucket/other").send(&store).await.expect(200);
    fault.remove();
    for (after, text) in [(0, ""), (3, "012"), (9, "012345678")] {
        let fault = inject(&store, Fault::close_response_after(after));
        let answer = store.handle(get("/bucket/k").signed().0).await;
        assert_eq!(answer.headers()["content-length"], "10", "all were announced");
        drop(answer);
        let closed = Some(TransportErrorKind::Closed);
        assert_eq!(broken(&store, get("/bucket/k")).await, (text.to_owned(), closed));
        let log = store.requests();
        assert_eq!(log.last().unwrap().bytes_out, after, "what was sent, not what was announced");
        fault.remove();
    }
    inject(&store, Fault::close_response_after(11));
    assert_eq!(broken(&store, get("/bucket/k")).await, ("0123456789".to_owned(), None));
}

#[tokio::test]
async fn bytes_are_spoilt_in_either_direction() {
    let store = store_with_object().await;
    let fault = inject(&store, Fault::corrupt_response(5));
    assert_eq!(get("/bucket/k").send(&store).await.expect(200).text(), "0123446789");
    fault.remove();
    assert_eq!(get("/bucket/k").send(&store).await.text(), "0123456789", "the object itself is whole");
    inject(&store, Fault::corrupt_request(5));
    put("/bucket/k").body("0123456789").send(&store).await.refused(400, "XAmzContentSHA256Mismatch");
    let unsigned = put("/bucket/k").body("0123456789").set(|it| it.payload = Some(UNSIGNED.to_owned()));
    unsigned.clone().header("content-md5", "eB5eJF1ptWaXm4bijSPyxw==").send(&store).await.refused(400, "BadDigest");
    unsigned.send(&store).await.expect(200);
    assert_eq!(get("/bucket/k").send(&store).await.text(), "0123446789", "nothing vouched for it");
}

#[tokio::test]
async fn a_dropped_answer_is_of_what_was_done() {
    let store = store_with_bucket().await;
    let dropped = inject(&store, Fault::drop_answer().on(Operation::PutObject).times(1));
    assert_eq!(lost(&store, put("/bucket/k").body("x")).await, TransportErrorKind::Closed);
    assert_eq!(get("/bucket/k").send(&store).await.expect(200).text(), "x");
    assert_eq!(dropped.fired(), 1);
    // What must answer gives an answer that breaks off.
    inject(&store, Fault::drop_answer());
    let answer = store.handle(get("/").signed().0).await;
    assert_eq!(answer.status(), 500);
    assert!(answer.into_body().try_collect::<Vec<Bytes>>().await.is_err());
}

#[tokio::test]
async fn an_error_in_a_success() {
    let store = store_with_object().await;
    inject(&store, Fault::ok_with_error("InternalError").on(Operation::CopyObject).times(1));
    let copy = || put("/bucket/copy").header("x-amz-copy-source", "bucket/k");
    copy().send(&store).await.refused(200, "InternalError");
    get("/bucket/copy").send(&store).await.refused(404, "NoSuchKey");
    copy().send(&store).await.expect(200);
    // A success says that the body was taken.
    inject(&store, Fault::ok_with_error("InternalError"));
    put("/bucket/k").body("0123456789").send(&store).await.refused(200, "InternalError");
    assert_eq!(store.requests().last().unwrap().bytes_in, 10);
}

#[tokio::test]
async fn an_object_is_replaced_between_two_ranges() {
    let store = store_with_object().await;
    let replaced =
        inject(&store, Fault::replace_object("another").on(Operation::GetObject).if_header("range", "*").nth(2));
    let range = |range: &str| get("/bucket/k").header("range", range);
    let first = range("bytes=0-3").send(&store).await.expect(206);
    assert_eq!(first.text(), "0123");
    get("/bucket/k").send(&store).await.expect(200);
    let etag = first.get("etag").unwrap();
    range("bytes=4-5").header("if-match", etag).send(&store).await.refused(412, "PreconditionFailed");
    let third = range("bytes=4-5").send(&store).await.expect(206);
    assert_eq!((third.text().as_str(), third.get("content-range")), ("he", Some("bytes 4-5/7")));
    assert_ne!(third.get("etag"), Some(etag));
    assert_ne!(third.get("last-modified"), first.get("last-modified"), "whatever the clock says");
    assert_eq!(replaced.fired(), 1);
    // Nothing is made where there was nothing.
    inject(&store, Fault::replace_object("another"));
    get("/bucket/none").send(&store).await.refused(404, "NoSuchKey");
}

#[tokio::test]
async fn listings_come_out_of_order_and_whole() {
    let store = store_with_bucket().await;
    let keys = ["a", "b", "c", "d", "e"];
    for key in keys {
        put(&format!("/bucket/{key}")).send(&store).await.expect(200);
    }
    inject(&store, Fault::shuffle_listing(7));
    for target in ["/bucket?list-type=2", "/bucket", "/bucket?versions"] {
        let listed = get(target).send(&store).await.expect(200).elements("Key");
        assert_ne!(listed, keys, "{target}");
        assert_eq!(get(target).send(&store).await.elements("Key"), listed, "{target}: the seed decides");
        let mut sorted = listed;
        sorted.sort();
        assert_eq!(sorted, keys, "{target}");
    }
    // Pages go on where they would.
    let first = get("/bucket?list-type=2&max-keys=2").send(&store).await;
    assert_eq!(first.elements("Key"), ["b", "a"]);
    let token = first.element("NextContinuationToken").unwrap();
    let next = format!("/bucket?continuation-token={}&list-type=2&max-keys=2", encode(&token));
    assert_eq!(get(&next).send(&store).await.elements("Key"), ["d", "c"]);
}

#[tokio::test]
async fn checksums_are_forgotten() {
    let store = store_with_bucket().await;
    let forgets = inject(&store, Fault::forget_checksums());
    let wrong = put("/bucket/k").body("x").header("x-amz-checksum-crc32", "AAAAAA==");
    let wrong = wrong.header("x-amz-sdk-checksum-algorithm", "CRC32");
    let answer = wrong.clone().send(&store).await.expect(200);
    let told = |answer: &Answer| answer.headers.keys().any(|name| name.as_str().starts_with("x-amz-checksum"));
    assert!(!told(&answer));
    let read = get("/bucket/k").header("x-amz-checksum-mode", "ENABLED");
    assert!(!told(&read.send(&store).await.expect(200)));
    let attributes = get("/bucket/k?attributes").header("x-amz-object-attributes", "Checksum,ETag");
    assert!(!attributes.send(&store).await.expect(200).text().contains("Checksum"));
    let delete = post("/bucket?delete").body("<Delete><Object><Key>none</Key></Object></Delete>");
    delete.send(&store).await.expect(200);
    // A lock wants a checksum, which there is, although nobody looks at it.
    put("/locked").header("x-amz-bucket-object-lock-enabled", "true").send(&store).await.expect(200);
    let held = put("/locked/k").header("x-amz-object-lock-legal-hold", "ON").header("x-amz-checksum-crc32", "AAAAAA==");
    held.send(&store).await.expect(200);
    forgets.remove();
    assert!(!told(&read.send(&store).await), "none was kept");
    wrong.send(&store).await.refused(400, "BadDigest");
    put("/bucket/k").body("<ChecksumType>x</ChecksumType>").send(&store).await.expect(200);
    assert!(told(&read.send(&store).await));
    inject(&store, Fault::forget_checksums());
    let got = read.send(&store).await;
    assert!(!told(&got), "none is told");
    assert_eq!(got.text(), "<ChecksumType>x</ChecksumType>", "an object is not ours to change");
    assert!(!get("/bucket").send(&store).await.text().contains("Checksum"));
}

#[tokio::test]
async fn checksums_of_parts_are_forgotten() {
    let store = store_with_bucket().await;
    inject(&store, Fault::forget_checksums());
    let created = post("/bucket/k?uploads").header("x-amz-checksum-algorithm", "CRC32").send(&store).await.expect(200);
    let id = created.element("UploadId").unwrap();
    let target = format!("/bucket/k?partNumber=1&uploadId={id}");
    let part = put(&target).body("x").header("x-amz-checksum-crc32", "AAAAAA==").send(&store).await.expect(200);
    let etag = part.get("etag").unwrap();
    let document = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag>\
         <ChecksumCRC32>AAAAAA==</ChecksumCRC32></Part></CompleteMultipartUpload>"
    );
    let done = post(&format!("/bucket/k?uploadId={id}")).body(document).send(&store).await.expect(200);
    assert!(!done.text().contains("Checksum"), "{}", done.text());
}

#[tokio::test]
async fn conditions_are_ignored() {
    let store = store_with_object().await;
    inject(&store, Fault::ignore_conditions().on(Operation::PutObject).on(Operation::DeleteObjects));
    put("/bucket/k").header("if-none-match", "*").body("y").send(&store).await.expect(200);
    put("/bucket/k").header("if-match", "\"other\"").body("z").send(&store).await.expect(200);
    delete("/bucket/k").header("if-match", "\"other\"").send(&store).await.refused(412, "PreconditionFailed");
    let source = |it: Ask| it.header("x-amz-copy-source", "bucket/k").header("x-amz-copy-source-if-match", "\"other\"");
    source(put("/bucket/copy")).send(&store).await.refused(412, "PreconditionFailed");
    inject(&store, Fault::ignore_source_conditions());
    source(put("/bucket/copy")).send(&store).await.expect(200);
    let document = "<Delete><Object><Key>k</Key><ETag>other</ETag></Object></Delete>";
    let many = post("/bucket?delete").header("content-md5", "wtJg2x4WNZkJVNCVDbqyVQ==").body(document);
    let md5 = base64(&md5_of(document));
    let many = many.set(|it| it.headers.last_mut().unwrap().1 = md5);
    assert_eq!(many.send(&store).await.expect(200).elements("Error").len(), 0);
    get("/bucket/k").send(&store).await.refused(404, "NoSuchKey");
}

fn md5_of(text: &str) -> Vec<u8> {
    use md5::Digest;
    md5::Md5::digest(text).to_vec()
}

#[tokio::test]
async fn framing_is_refused() {
    let store = store_with_bucket().await;
    inject(&store, Fault::refuse_framing());
    let framed = put("/bucket/k")
        .header("x-amz-decoded-content-length", "0")
        .set(|it| it.payload = Some("STREAMING-AWS4-HMAC-SHA256-PAYLOAD".to_owned()));
    framed.send(&store).await.refused(501, "NotImplemented");
    put("/bucket/k").body("x").send(&store).await.expect(200);
}

#[tokio::test]
async fn a_bucket_in_the_host_is_not_seen() {
    let store = store_with_object().await;
    let by_host = |it: Ask| it.set(|it| it.headers[0].1 = "bucket.s3.localhost".to_owned());
    by_host(get("/k")).send(&store).await.expect(200);
    inject(&store, Fault::path_style_only().bucket("bucket"));
    by_host(get("/k")).send(&store).await.refused(400, "InvalidBucketName");
    by_host(put("/mistaken")).send(&store).await.expect(200);
    let names = get("/").send(&store).await.elements("Name");
    assert_eq!(names, ["bucket", "mistaken"], "a put of a key made a bucket");
    get("/bucket/k").send(&store).await.expect(200);
}

#[tokio::test]
async fn faults_go_together_and_are_told_in_the_log() {
    let store = store_with_object().await;
    inject(&store, Fault::corrupt_response(0));
    inject(&store, Fault::close_response_after(4));
    inject(&store, Fault::delay(Duration::ZERO));
    assert_eq!(broken(&store, get("/bucket/k")).await, ("1123".to_owned(), Some(TransportErrorKind::Closed)));
    assert_eq!(store.requests()[0].faults, ["corrupt_response", "close_response_after", "delay"]);
    store.clear_faults();
    get("/bucket/k").send(&store).await.expect(200);
    assert!(store.requests()[1].faults.is_empty());
}

#[tokio::test]
async fn the_log_is_counted_chosen_from_and_read() {
    let store = store_with_object().await;
    inject(&store, Fault::respond(503, "SlowDown").on(Operation::DeleteObject));
    inject(&store, Fault::drop_answer().on(Operation::ListObjectsV2));
    get("/bucket/k").send(&store).await.expect(200);
    delete("/bucket/reports/1").send(&store).await.expect(503);
    lost(&store, get("/bucket?list-type=2")).await;
    get("/bucket?metrics").send(&store).await.expect(501);
    let asked = store.requests();
    assert_eq!((asked.len(), asked.count(Operation::GetObject), asked.count(Operation::PutObject)), (4, 1, 0));
    assert_eq!(asked.of(Operation::DeleteObject).key("reports/*").len(), 1);
    assert_eq!(asked.key("reports/*").bucket("other").len(), 0);
    assert_eq!(asked.only(|request| request.status.is_none())[0].operation, "ListObjectsV2");
    let table: Vec<String> =
        asked.to_string().lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let refusal = asked[1].bytes_out;
    let unknown = asked[3].bytes_out;
    assert_eq!(
        table,
        [
            "operation status in out target".to_owned(),
            "1 GetObject 200 0 10 /bucket/k".to_owned(),
            format!("2 DeleteObject 503 0 {refusal} /bucket/reports/1 [respond]"),
            "3 ListObjectsV2 none 0 0 /bucket?list-type=2 [drop_answer]".to_owned(),
            format!("4 GET 501 0 {unknown} /bucket?metrics"),
        ]
    );
    store.clear_requests();
    assert_eq!(store.requests().to_string(), "no requests");
}

#[test]
fn what_could_never_be_is_refused() {
    let store = store();
    for (fault, problem) in [
        (Fault::respond(42, "SlowDown"), "42 is no status of a final answer; say one from 200 to 599"),
        (Fault::respond(503, "").header("a b", "c"), "a b: c is no header that can be sent"),
        (Fault::respond(503, "").if_header("", "*"), "\"\" is no name of a header"),
        (
            Fault::drop_answer().header("retry-after", "1"),
            "header is for respond, not for drop_answer; say if_header to choose requests by a header",
        ),
        (Fault::drop_answer().nth(0), "nth counts from 1"),
        (Fault::drop_answer().times(0), "times = 0 would never happen; leave the fault out"),
        (Fault::drop_answer().nth(1).share(0.1, 7), "nth and share exclude each other; say one of them"),
        (Fault::drop_answer().nth(1).skip(1), "nth and skip exclude each other; say one of them"),
        (Fault::drop_answer().share(f64::NAN, 7), "share is a part of all requests, from 0 to 1, not NaN"),
        (Fault::shuffle_listing(7).on(Operation::GetObject), "shuffle_listing cannot happen to GetObject"),
    ] {
        assert_eq!(store.inject(fault).unwrap_err().to_string(), problem);
    }
}

#[test]
fn a_file_that_is_wrong_says_where() {
    let table = |text: &str| format!("# faults\n\n[[fault]]\n{text}\n");
    for (text, line, problem) in [
        (table("respond = 503\nop = \"PutObject\""), 5, "unknown field `op`, expected one of `respond`"),
        (table("respond = \"503\""), 4, "invalid type: string \"503\", expected u16"),
        (table("respond ="), 4, "string values must be quoted"),
        ("[fault]\nrespond = 503".to_owned(), 1, "invalid type: map, expected a sequence"),
        ("[[faults]]\nrespond = 503".to_owned(), 1, "unknown field `faults`, expected `fault`"),
        (
            table("drop_answer = true\non = \"PutObjet\""),
            3,
            "\"PutObjet\" is no operation of the store's; they are named as S3 names them, such as PutObject",
        ),
        (table("on = \"PutObject\""), 3, "this fault does nothing; say what happens, such as respond = 503"),
        (
            table("drop_answer = true\nrespond = 503"),
            3,
            "one fault does one thing; give respond and drop_answer a table [[fault]] each",
        ),
        (table("delay = \"soon\""), 3, "\"soon\" is no duration; they read like 250ms, 2s or 1m"),
        (table("drop_answer = true\nshare = 0.1"), 3, "share goes with a seed, such as seed = 7"),
        (table("drop_answer = true\nseed = 1"), 3, "seed goes with a share, such as share = 0.1"),
        (table("drop_answer = true\ncode = \"SlowDown\""), 3, "code goes with respond, such as respond = 503"),
        (table("delay = \"1s\"\nafter = 1"), 3, "after goes with delay_body, such as delay_body = \"2s\""),
        (table("drop_answer = true\nnth = 0"), 3, "nth counts from 1"),
    ] {
        let error: FaultError = Fault::from_toml(&text).unwrap_err();
        assert_eq!(error.line(), Some(line), "{text}{error}");
        assert!(error.to_string().starts_with(&format!("line {line}: {problem}")), "{text}{error}");
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
}

/// The second column of a table, without its marks of code.
fn column(table: &str) -> impl Iterator<Item = Vec<&str>> {
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| row.split('|').nth(2).unwrap().split('`').skip(1).step_by(2).collect())
}

#[test]
fn the_files_of_the_documentation_are_faults() {
    let page = include_str!("../../../../docs/embedded.md");
    let section = page.split("\n## ").find(|section| section.starts_with("Making it fail")).unwrap();
    let example = section.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(Fault::from_toml(example).unwrap().len(), 3);
    let (what, when) = section.split_once("### What goes wrong").unwrap().1.split_once("### When").unwrap();
    for words in column(what) {
        Fault::from_toml(&format!("[[fault]]\n{}", words.join("\n"))).unwrap();
    }
    let when = when.split("###").next().unwrap();
    for words in column(when) {
        // One operation and several are two ways to say it.
        let ways = if words[0].starts_with("on = ") { words.chunks(1) } else { words.chunks(2) };
        for words in ways {
            Fault::from_toml(&format!("[[fault]]\ndrop_answer = true\n{}", words.join("\n"))).unwrap();
        }
    }
}
