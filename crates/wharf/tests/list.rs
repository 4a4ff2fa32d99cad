//! Listing with many requests at a time.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test, which shows its figures")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use support::{Fake, answer, client_of_one_that_says};
use tokio::time::{Instant, sleep};
use wharf::blocking::{Wait, WaitEach};
use wharf::transfer::List;
use wharf::{Client, ErrorKind, Provider};
use wharf_embedded::{Fault, Operation, Store};

const LATENCY: Duration = Duration::from_millis(20);

async fn embedded() -> (Client, Store) {
    let store = Store::in_memory();
    let s3 = Client::builder().transport(store.clone()).build().unwrap();
    s3.create_bucket("my-bucket").await.unwrap();
    (s3, store)
}

/// The names that are hard on listings: what sorts oddly, what XML and URLs cannot hold, what looks like something else.
fn hostile() -> Vec<String> {
    let names = [
        "a", "a/", "a//", "a/../b", "a.b", "a+b", "a b", "a%20b", "a&b", "a<b>", "\"", "'", "?", "#", "\u{1}", "\t",
        "\n",
    ];
    let more = [
        "\u{7f}",
        "\u{d7ff}",
        "\u{e000}",
        "\u{fffd}",
        "\u{fffe}",
        "\u{10ffff}",
        "é",
        "e\u{301}",
        "日本語",
        ".",
        "..",
        "/",
        "//",
    ];
    let mut names: Vec<_> = names.iter().chain(&more).map(|name| (*name).to_owned()).collect();
    names.push("k".repeat(1024));
    names.extend((0..60).map(|n| format!("{}{n}", "deep/".repeat(n % 20))));
    names.sort_unstable();
    names
}

async fn names(list: List) -> Vec<String> {
    list.items().map(|object| object.unwrap().key).collect().await
}

#[tokio::test]
async fn any_keys_come_once_and_in_order() {
    let (s3, _store) = embedded().await;
    let keys = hostile();
    for key in &keys {
        s3.put_object("my-bucket", key, "x").await.unwrap();
    }
    for parallel in [1, 2, 16] {
        for size in [1, 3, 7, 1000] {
            let list = || s3.list("my-bucket").max_keys(size).parallel(parallel);
            assert_eq!(names(list()).await, keys, "{parallel} at a time, {size} a page");
            let mut unordered = names(list().unordered()).await;
            unordered.sort_unstable();
            assert_eq!(unordered, keys, "{parallel} at a time, {size} a page");
            let of_prefix: Vec<_> = keys.iter().filter(|key| key.starts_with("deep/")).cloned().collect();
            assert_eq!(names(list().prefix("deep/")).await, of_prefix);
            let later: Vec<_> = keys.iter().filter(|key| key.as_str() > "a/").cloned().collect();
            assert_eq!(names(list().start_after("a/")).await, later);
        }
    }
    assert_eq!(s3.list("my-bucket").await.unwrap().len(), keys.len());
}

#[tokio::test]
async fn groups_come_once_wherever_it_is_cut() {
    let (s3, _store) = embedded().await;
    for n in 0..300 {
        s3.put_object("my-bucket", format!("{:02}/{:02}/{n}", n / 20, n % 7), "x").await.unwrap();
        s3.put_object("my-bucket", format!("{:02}-{n}", n / 20), "x").await.unwrap();
    }
    let list = || s3.list("my-bucket").delimiter("/").max_keys(5);
    let collect = async |list: List| {
        let (mut objects, mut prefixes) = (Vec::new(), Vec::new());
        let mut pages = list.pages();
        while let Some(page) = pages.next().await {
            let page = page.unwrap();
            objects.extend(page.objects.into_iter().map(|object| object.key));
            prefixes.extend(page.common_prefixes);
        }
        (objects, prefixes)
    };
    let alone = collect(list()).await;
    assert_eq!((alone.0.len(), alone.1.len()), (300, 15));
    for parallel in [2, 5, 16] {
        assert_eq!(collect(list().parallel(parallel)).await, alone);
    }
}

#[tokio::test]
async fn the_next_page_is_fetched_while_one_is_read() {
    let (s3, store) = embedded().await;
    for n in 0..10 {
        s3.put_object("my-bucket", n.to_string(), "x").await.unwrap();
    }
    // What has been read is not in what is collected.
    let mut items = s3.list("my-bucket").max_keys(4).items();
    items.next().await.unwrap().unwrap();
    let keys: Vec<_> = items.collect().await.unwrap().into_iter().map(|object| object.key).collect();
    assert_eq!(keys.concat(), "123456789");
    store.clear_requests();
    let mut items = s3.list("my-bucket").max_keys(2).items();
    assert!(store.requests().is_empty());
    items.next().await.unwrap().unwrap();
    while store.requests().len() < 2 {
        tokio::task::yield_now().await;
    }
    // And no more than that is.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(store.requests().count(Operation::ListObjectsV2), 2);
    assert_eq!(items.count().await, 9);
    assert_eq!(store.requests().count(Operation::ListObjectsV2), 5);
}

/// A server that lists `keys`, 20 ms away.
fn far(keys: Vec<String>) -> Fake {
    let keys = Arc::new(keys);
    Fake::new(move |_, request| {
        let keys = keys.clone();
        async move {
            sleep(LATENCY).await;
            let query: BTreeMap<_, _> =
                request.uri().query().unwrap().split('&').filter_map(|pair| pair.split_once('=')).collect();
            let after = query.get("continuation-token").or(query.get("start-after"));
            let after = after.map(|after| percent_encoding::percent_decode_str(after).decode_utf8().unwrap());
            let from = after.map_or(0, |after| keys.partition_point(|key| key.as_str() <= after.as_ref()));
            let page = &keys[from..keys.len().min(from + 1000)];
            let mut document =
                format!("<ListBucketResult><IsTruncated>{}</IsTruncated>", from + page.len() < keys.len());
            if let Some(last) = page.last() {
                document.push_str(&format!("<NextContinuationToken>{last}</NextContinuationToken>"));
            }
            for key in page {
                document.push_str("<Contents><Key>");
                document.push_str(key);
                document.push_str("</Key><Size>1</Size></Contents>");
            }
            document.push_str("</ListBucketResult>");
            Ok(answer(200, document))
        }
    })
}

/// How long it takes to list, by the paused clock, and how many requests.
async fn time(fake: &Fake, count: usize, list: impl Fn(&Client) -> List) -> (Duration, usize) {
    let s3 = support::client_of("http://s3.test")
        .provider(Provider::Aws)
        .region("eu-west-1")
        .transport(fake.clone())
        .build()
        .unwrap();
    let (start, before) = (Instant::now(), fake.count());
    let mut pages = list(&s3).pages();
    let mut found = 0;
    while let Some(page) = pages.next().await {
        found += page.unwrap().objects.len();
    }
    assert_eq!(found, count);
    (start.elapsed(), fake.count() - before)
}

/// Lists a sorted prefix one page after the other, and with 16 requests at a time by key and as they come.
async fn race(name: &str, mut keys: Vec<String>) {
    keys.sort_unstable();
    let count = keys.len();
    let fake = far(keys);
    let (alone, requests) = time(&fake, count, |s3| s3.list("my-bucket")).await;
    let pages = count.div_ceil(1000);
    assert_eq!((alone, requests), (LATENCY * pages as u32, pages), "{name}");
    let (ordered, more) = time(&fake, count, |s3| s3.list("my-bucket").parallel(16)).await;
    let (unordered, fewer) = time(&fake, count, |s3| s3.list("my-bucket").parallel(16).unordered()).await;
    println!("{name}: {alone:?}, ordered {ordered:?} by {more} requests, unordered {unordered:?} by {fewer}");
    assert!(ordered * 10 <= alone, "{name}: {ordered:?}");
    assert!(unordered * 12 <= alone, "{name}: {unordered:?}");
    assert!(more * 10 < pages * 13 && fewer * 100 < pages * 115, "{name}: {more}, {fewer}");
}

/// `cargo test -p wharf --test list a_million -- --nocapture` shows the figures.
#[tokio::test(start_paused = true)]
async fn a_million_keys_come_ten_times_faster() {
    race("numbered", (0..1_000_000).map(|n| format!("obj-{n:08}")).collect()).await;
    race("random", (0..300_000_u64).map(|n| format!("{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect()).await;
}

#[tokio::test]
async fn a_short_listing_is_one_request() {
    let (s3, store) = embedded().await;
    s3.put_object("my-bucket", "a", "x").await.unwrap();
    store.clear_requests();
    assert_eq!(names(s3.list("my-bucket").parallel(64)).await, ["a"]);
    assert_eq!(names(s3.list("my-bucket").parallel(64).prefix("b")).await, [""; 0]);
    assert_eq!(store.requests().count(Operation::ListObjectsV2), 2);
}

#[tokio::test]
async fn a_server_without_order_is_asked_for_one_page_after_the_other() {
    let (s3, store) = embedded().await;
    let keys = hostile();
    for key in &keys {
        s3.put_object("my-bucket", key, "x").await.unwrap();
    }
    store.inject(Fault::shuffle_listing(7).on(Operation::ListObjectsV2)).unwrap();
    store.clear_requests();
    let mut found = names(s3.list("my-bucket").max_keys(10).parallel(16)).await;
    assert_eq!(store.requests().count(Operation::ListObjectsV2), keys.len().div_ceil(10));
    found.sort_unstable();
    assert_eq!(found, keys);
    // One that is known for it is not tried.
    store.clear_faults();
    store.clear_requests();
    let s3 = Client::builder().transport(store.clone()).provider(Provider::SeaweedFs).build().unwrap();
    assert_eq!(names(s3.list("my-bucket").max_keys(10).parallel(16)).await, keys);
    assert_eq!(store.requests().count(Operation::ListObjectsV2), keys.len().div_ceil(10));
    // One that says so itself is believed before its order ends.
    store.inject(Fault::shuffle_listing(7).on(Operation::ListObjectsV2).nth(4)).unwrap();
    store.clear_requests();
    let s3 = client_of_one_that_says(&store, "SeaweedFS 4.48");
    let mut found = names(s3.list("my-bucket").max_keys(10).parallel(16)).await;
    assert_eq!(store.requests().count(Operation::ListObjectsV2), keys.len().div_ceil(10));
    found.sort_unstable();
    assert_eq!(found, keys);
}

#[tokio::test]
async fn what_was_not_asked_for_is_not_believed() {
    let page =
        "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>other/a</Key></Contents></ListBucketResult>";
    let fake = Fake::new(move |_, _| async move { Ok(answer(200, page)) });
    let builder = Client::builder().environment(|_| None).endpoint("http://s3.localhost").transport(fake);
    let s3 = builder.credentials("k", "s").build().unwrap();
    assert_eq!(names(s3.list("my-bucket")).await, ["other/a"]);
    let error = s3.list("my-bucket").prefix("mine/").await.unwrap_err();
    let line = r#"the server lists "other/a", but "mine/" was asked for"#;
    assert!(error.kind() == ErrorKind::MalformedResponse && error.to_string().contains(line), "{error}");

    let prefixes = "<ListBucketResult><IsTruncated>false</IsTruncated>\
        <CommonPrefixes><Prefix>other/</Prefix></CommonPrefixes></ListBucketResult>";
    let versions = "<ListVersionsResult><IsTruncated>false</IsTruncated>\
        <Version><Key>other/a</Key><VersionId>1</VersionId></Version></ListVersionsResult>";
    let marker = "<ListVersionsResult><IsTruncated>false</IsTruncated>\
        <DeleteMarker><Key>other/a</Key><VersionId>1</VersionId></DeleteMarker></ListVersionsResult>";
    for page in [prefixes, versions, marker] {
        let fake = Fake::new(move |_, _| async move { Ok(answer(200, page)) });
        let builder = Client::builder().environment(|_| None).endpoint("http://s3.localhost").transport(fake);
        let s3 = builder.credentials("k", "s").build().unwrap();
        let listed = match page == prefixes {
            true => s3.list_objects("my-bucket").prefix("mine/").delimiter("/").await.map(drop),
            false => s3.list_object_versions("my-bucket").prefix("mine/").await.map(drop),
        };
        let error = listed.unwrap_err();
        assert!(error.kind() == ErrorKind::MalformedResponse && error.to_string().contains("other/"), "{error}");
    }
}

#[tokio::test]
async fn order_that_ends_too_late_is_an_error() {
    let (s3, store) = embedded().await;
    for n in 0..200 {
        s3.put_object("my-bucket", format!("{n:04}"), "x").await.unwrap();
    }
    store.inject(Fault::shuffle_listing(7).on(Operation::ListObjectsV2).nth(7)).unwrap();
    let result: Vec<_> = StreamExt::collect(s3.list("my-bucket").max_keys(10).parallel(4).items()).await;
    let error = result.last().unwrap().as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse);
    assert_eq!(error.hint(), Some("list one page after the other, without .parallel()"));
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_waited_for() {
    let (s3, store) = embedded().await;
    for n in 0..50 {
        s3.put_object("my-bucket", format!("{n:04}"), "x").await.unwrap();
    }
    store.inject(Fault::respond(503, "SlowDown").on(Operation::ListObjectsV2).times(7)).unwrap();
    store.inject(Fault::close_response_after(100).on(Operation::ListObjectsV2).times(3)).unwrap();
    assert_eq!(names(s3.list("my-bucket").max_keys(5).parallel(4)).await.len(), 50);
    let error = s3.list("nowhere").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchBucket);
}

#[tokio::test]
async fn a_listing_can_be_deleted() {
    let (s3, _store) = embedded().await;
    for n in 0..50 {
        s3.put_object("my-bucket", format!("{}/{n}", n % 2), "x").await.unwrap();
    }
    assert_eq!(s3.delete("my-bucket", s3.list("my-bucket").prefix("0/").max_keys(7)).await.unwrap().deleted, 25);
    assert_eq!(names(s3.list("my-bucket")).await.len(), 25);
}

#[tokio::test]
async fn without_async() {
    let (s3, store) = embedded().await;
    for n in 0..30 {
        s3.put_object("my-bucket", n.to_string(), "x").await.unwrap();
    }
    let builder = wharf::blocking::Client::builder().transport(store);
    let counts = std::thread::spawn(move || {
        let s3 = builder.build_blocking().unwrap();
        let each = s3.list("my-bucket").max_keys(4).parallel(3).items().wait_each().map(Result::unwrap).count();
        (each, s3.list("my-bucket").wait().unwrap().len())
    });
    assert_eq!(counts.join().unwrap(), (30, 30));
}
