//! Deleting any number of objects.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use support::Fake;
use wharf::blocking::Wait;
use wharf::transfer::Keys;
use wharf::{Client, Error, ErrorKind, ObjectIdentifier};
use wharf_embedded::{Fault, Operation, Store};

async fn embedded() -> (Client, Store) {
    let store = Store::in_memory();
    let s3 = Client::builder().transport(store.clone()).build().unwrap();
    s3.create_bucket("my-bucket").await.unwrap();
    (s3, store)
}

async fn put(s3: &Client, keys: impl IntoIterator<Item = String>) {
    for key in keys {
        s3.put_object("my-bucket", key, "x").await.unwrap();
    }
}

async fn left(s3: &Client) -> Vec<String> {
    s3.list_objects("my-bucket").items().map(|object| object.unwrap().key).collect().await
}

#[tokio::test]
async fn keys_go_in_batches_of_a_thousand() {
    let (s3, store) = embedded().await;
    put(&s3, (0..2500).map(|n| format!("a/{n}"))).await;
    put(&s3, ["b".to_owned()]).await;
    store.clear_requests();
    let deleted = s3.delete("my-bucket", (0..2500).map(|n| format!("a/{n}"))).await.unwrap();
    assert_eq!((deleted.deleted, deleted.failed), (2500, 0));
    assert_eq!(store.requests().count(Operation::DeleteObjects), 3);
    assert_eq!(left(&s3).await, ["b"]);
    store.clear_requests();
    assert_eq!(s3.delete("my-bucket", Vec::<String>::new()).await.unwrap().deleted, 0);
    assert!(store.requests().is_empty());
}

#[tokio::test]
async fn keys_come_from_a_stream_and_so_do_outcomes() {
    let (s3, _store) = embedded().await;
    put(&s3, (0..1200).map(|n| format!("{n}"))).await;
    // A listing that is read while what it names is deleted.
    let listing = s3.list_objects("my-bucket").max_keys(100).items().map(|object| object.map(|object| object.key));
    let mut outcomes = s3.delete("my-bucket", Keys::stream(listing)).outcomes();
    let mut keys = BTreeSet::new();
    while let Some(outcome) = outcomes.next().await {
        keys.insert(outcome.unwrap().unwrap().key);
    }
    assert_eq!(keys.len(), 1200);
    assert!(left(&s3).await.is_empty());
    // One that fails says so when the others are done.
    put(&s3, (0..1500).map(|n| format!("{n:04}"))).await;
    let keys = stream::iter((0..1200).map(|n| Ok(format!("{n:04}"))));
    let keys = keys.chain(stream::iter([Err(Error::new(ErrorKind::Timeout, "the listing stopped"))]));
    let (deleted, failed): (Vec<_>, Vec<_>) = {
        let outcomes: Vec<_> = s3.delete("my-bucket", Keys::stream(keys)).outcomes().collect().await;
        outcomes.into_iter().partition(Result::is_ok)
    };
    assert_eq!((deleted.len(), failed.len(), left(&s3).await.len()), (1200, 1, 300));
    assert_eq!(failed[0].as_ref().unwrap_err().message(), "the listing stopped");
}

#[tokio::test]
async fn keys_of_all_kinds() {
    let (s3, store) = embedded().await;
    let keys = ["ä/ö ü", "a&b<c>", "line\nbreak", "tab\tctrl\u{1}", "%2F+ "].map(str::to_owned);
    put(&s3, keys.clone()).await;
    store.clear_requests();
    let asked = keys.iter().cloned().chain([String::new(), "k".repeat(1025)]).collect::<Vec<_>>();
    let deleted = s3.delete("my-bucket", asked).await.unwrap();
    assert_eq!((deleted.deleted, deleted.failed), (5, 2), "{:?}", deleted.errors);
    assert_eq!(deleted.errors[0].code, "InvalidInput");
    assert!(left(&s3).await.is_empty());
    // Versions.
    s3.put_bucket_versioning("my-bucket", wharf::VersioningStatus::Enabled).await.unwrap();
    let first = s3.put_object("my-bucket", "v", "1").await.unwrap().version_id.unwrap();
    s3.put_object("my-bucket", "v", "2").await.unwrap();
    let deleted = s3.delete("my-bucket", [ObjectIdentifier::from(("v", first))]).await.unwrap();
    assert_eq!(deleted.deleted, 1);
    assert_eq!(s3.get_object("my-bucket", "v").text().await.unwrap(), "2");
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_waited_for() {
    let (s3, store) = embedded().await;
    put(&s3, (0..1500).map(|n| format!("{n}"))).await;
    store.inject(Fault::respond(503, "SlowDown").on(Operation::DeleteObjects).times(20)).unwrap();
    store.inject(Fault::drop_answer().on(Operation::DeleteObjects).times(2)).unwrap();
    let deleted = s3.delete("my-bucket", (0..1500).map(|n| n.to_string())).await.unwrap();
    assert_eq!((deleted.deleted, deleted.failed), (1500, 0));
    // Not for ever.
    let gone = store.inject(Fault::respond(503, "SlowDown").on(Operation::DeleteObjects)).unwrap();
    let call = s3.delete("my-bucket", ["a"]).patience(Duration::from_secs(10));
    assert_eq!(call.await.unwrap_err().kind(), ErrorKind::SlowDown);
    assert!((2..20).contains(&gone.fired()), "{}", gone.fired());
}

#[tokio::test]
async fn a_first_request_that_fails_is_the_calls() {
    let (s3, store) = embedded().await;
    let error = s3.delete("nowhere", (0..5000).map(|n| n.to_string())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchBucket);
    assert_eq!(store.requests().count(Operation::DeleteObjects), 1);
    // A later one's keys are among the errors.
    put(&s3, (0..3000).map(|n| format!("{n:04}"))).await;
    store.inject(Fault::respond(403, "AccessDenied").on(Operation::DeleteObjects).nth(2)).unwrap();
    let deleted = s3.delete("my-bucket", (0..3000).map(|n| format!("{n:04}"))).await.unwrap();
    assert_eq!((deleted.deleted, deleted.failed, deleted.errors.len()), (2000, 1000, 1000));
    assert_eq!(deleted.errors[0].code, "AccessDenied");
    assert_eq!(left(&s3).await.len(), 1000);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_fails_for_a_passing_reason_is_asked_for_again() {
    let fake = Fake::new(|number, request| async move {
        let body = request.into_body().into_full().unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        let result = match number {
            1 => {
                assert!(
                    body.contains("<Key>a</Key>") && body.contains("<Key>b</Key>") && body.contains("<Key>c</Key>")
                );
                "<Deleted><Key>a</Key></Deleted><Error><Key>b</Key><Code>InternalError</Code><Message>again</Message></Error>\
                 <Error><Key>c</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
            }
            2 => {
                assert!(
                    body.contains("<Key>b</Key>") && !body.contains("<Key>a</Key>") && !body.contains("<Key>c</Key>")
                );
                "<Error><Key>b</Key><Code>SlowDown</Code><Message>again</Message></Error>"
            }
            _ => "<Deleted><Key>b</Key></Deleted>",
        };
        Ok(support::answer(200, format!("<DeleteResult>{result}</DeleteResult>")))
    });
    let s3 = support::client_of("http://s3.test").transport(fake.clone()).build().unwrap();
    let deleted = s3.delete("my-bucket", ["a", "b", "c"]).await.unwrap();
    assert_eq!((deleted.deleted, deleted.failed, fake.count()), (2, 1, 3));
    assert_eq!(deleted.errors[0].to_string(), "c: no (AccessDenied)");
}

/// Each version has one outcome, told with it or not.
#[tokio::test(start_paused = true)]
async fn of_each_version_one_outcome_is_told() {
    let deleted = |version: &str| format!("<Deleted><Key>a</Key>{version}</Deleted>");
    let failed = "<Error><Key>a</Key><Code>InternalError</Code><Message>again</Message></Error>";
    let v1 = "<VersionId>v1</VersionId>";
    let both = vec![ObjectIdentifier::from("a"), ObjectIdentifier::from(("a", "v1"))];
    let versions = ["v1", "v2", "v3"].map(|version| ObjectIdentifier::from(("a", version))).to_vec();
    for (objects, first, second, asked_again) in [
        (both, deleted(v1) + failed, deleted(""), 1),
        (versions[..2].to_vec(), deleted(v1) + failed, deleted(""), 1),
        (versions, deleted("").repeat(2) + failed, deleted("").repeat(3), 3),
    ] {
        let count = objects.len() as u64;
        let fake = Fake::new(move |number, request| {
            let result = if number == 1 { first.clone() } else { second.clone() };
            async move {
                let body = request.into_body().into_full().unwrap();
                let asked = String::from_utf8(body.to_vec()).unwrap().matches("<Object>").count();
                assert!(number == 1 || asked == asked_again, "{asked}");
                Ok(support::answer(200, format!("<DeleteResult>{result}</DeleteResult>")))
            }
        });
        let s3 = support::client_of("http://s3.test").transport(fake.clone()).build().unwrap();
        let done = s3.delete("my-bucket", objects).await.unwrap();
        assert_eq!((done.deleted, done.failed, fake.count()), (count, 0, 2));
    }
    // Also where it is given up.
    let fake = Fake::new(move |_, _| {
        let result = deleted("") + failed;
        std::future::ready(Ok(support::answer(200, format!("<DeleteResult>{result}</DeleteResult>"))))
    });
    let s3 = support::client_of("http://s3.test").transport(fake).build().unwrap();
    let objects = ["v1", "v2"].map(|version| ObjectIdentifier::from(("a", version)));
    let done = s3.delete("my-bucket", objects).patience(Duration::from_secs(5)).await.unwrap();
    let versions: Vec<_> = done.errors.iter().filter_map(|error| error.version_id.as_deref()).collect();
    assert_eq!((done.deleted, versions), (0, vec!["v1", "v2"]));
}

#[tokio::test]
async fn a_transfer_of_its_own_and_without_async() {
    let (s3, store) = embedded().await;
    put(&s3, (0..10).map(|n| n.to_string())).await;
    let transfer = s3.delete("my-bucket", (0..10).map(|n| n.to_string())).start().unwrap();
    assert_eq!(transfer.await.unwrap().deleted, 10);
    let builder = wharf::blocking::Client::builder().transport(store.clone());
    let deleted = std::thread::spawn(move || {
        let s3 = builder.build_blocking().unwrap();
        s3.delete("my-bucket", ["a"]).wait().unwrap().deleted
    });
    assert_eq!(deleted.join().unwrap(), 1);
}

#[tokio::test]
async fn as_many_at_a_time_as_one_likes() {
    let (s3, _store) = embedded().await;
    put(&s3, (0..1200).map(|n| format!("{n}"))).await;
    let deleted = s3.delete("my-bucket", (0..1200).map(|n| format!("{n}"))).concurrency(usize::MAX).await.unwrap();
    assert_eq!((deleted.deleted, left(&s3).await.len()), (1200, 0));
}
