//! What a probe finds out.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use support::{Fake, FakeClock, answer};
use wharf::provider::{Condition, Conditions};
use wharf::{Client, ErrorKind, Finding, Provider};
use wharf_embedded::{Fault, Operation, Personality, Store};

async fn client_of(store: &Store) -> Client {
    let s3 = Client::builder().transport(store.clone()).build().unwrap();
    s3.create_bucket("my-bucket").await.unwrap();
    s3
}

#[tokio::test]
async fn the_embedded_store_does_as_s3_does() {
    let store = Store::in_memory();
    let s3 = client_of(&store).await;
    s3.put_object("my-bucket", "mine", "x").await.unwrap();
    store.clear_requests();
    let report = s3.probe("my-bucket").await.unwrap();
    let sent = store.requests().len();
    assert!((100..200).contains(&sent), "{sent}");
    let printed = report.to_string();
    let lines: Vec<_> = printed.lines().collect();
    assert_eq!(lines[1], "calls itself                      wharf-embedded");
    for line in &lines[2..lines.len() - 1] {
        // Directory buckets' only: it has none.
        let expected = match line.starts_with("DeleteObject if size") || line.starts_with("PutObject at an offset") {
            true => " refused: 501 NotImplemented",
            false => " yes",
        };
        assert!(line.ends_with(expected), "{line}\n\n{report}");
    }
    assert_eq!(
        lines.last(),
        Some(&"hint: if this is wharf-embedded, as it says, tell the client: .provider(Provider::Embedded)")
    );
    assert_eq!(report.conditions.len(), Condition::ALL.len());
    assert_eq!(report.remains, Vec::<String>::new());

    // What it is said to be.
    let (found, known) = (report.habits(), Provider::Embedded.habits());
    assert_eq!((found.keeps, found.ignores), (known.keeps, known.ignores));
    assert_eq!((found.sorted, found.trailers, found.chunks), (known.sorted, known.trailers, known.chunks));
    assert_eq!((found.etag_is_md5, found.multipart_etag), (known.etag_is_md5, known.multipart_etag));

    // Nothing is left behind, and nothing else was touched.
    let left = s3.list_object_versions("my-bucket").items().collect().await.unwrap();
    assert_eq!(left.iter().map(|version| version.key.as_str()).collect::<Vec<_>>(), ["mine"]);
    assert!(s3.list_multipart_uploads("my-bucket").await.unwrap().uploads.is_empty());
}

#[tokio::test]
async fn a_bucket_with_versions_is_left_as_it_was() {
    let store = Store::in_memory();
    let s3 = client_of(&store).await;
    s3.put_bucket_versioning("my-bucket", wharf::VersioningStatus::Enabled).await.unwrap();
    let report = s3.probe("my-bucket").await.unwrap();
    assert_eq!(report.remains, Vec::<String>::new());
    assert!(s3.list_object_versions("my-bucket").items().collect().await.unwrap().is_empty());
}

#[tokio::test]
async fn it_sends_what_the_client_would_refuse() {
    let store = Store::in_memory();
    let garage = Client::builder().transport(store.clone()).provider(Provider::Garage).build().unwrap();
    garage.create_bucket("my-bucket").await.unwrap();
    let put = || garage.put_object("my-bucket", "a", "x").if_absent();
    assert_eq!(put().await.unwrap_err().kind(), ErrorKind::Unsupported);
    let habits = garage.probe("my-bucket").await.unwrap().habits();
    assert_eq!((habits.keeps, habits.ignores), (Provider::Embedded.habits().keeps, Conditions::NONE));
    // What was found makes a client that knows better.
    let s3 = Client::builder().transport(store).habits(habits).build().unwrap();
    s3.put_object("my-bucket", "a", "x").if_absent().await.unwrap();
    // The probe has changed nothing about the first.
    assert_eq!(put().await.unwrap_err().kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_probe_that_cannot_begin_says_why() {
    let s3 = Client::builder().transport(Store::in_memory()).build().unwrap();
    let error = s3.probe("missing").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchBucket);
}

/// A server that says yes to everything and means nothing by it.
#[tokio::test]
async fn a_server_that_nods_is_found_out() {
    let transport = Fake::new(move |_, request: http::Request<wharf::transport::Body>| {
        let query = request.uri().query().unwrap_or_default();
        let document = match request.method().as_str() {
            "POST" if query.starts_with("uploads") => {
                "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
            }
            "POST" if query.starts_with("delete") => "<DeleteResult/>",
            "POST" => "<CompleteMultipartUploadResult><ETag>\"1\"</ETag></CompleteMultipartUploadResult>",
            "GET" if query.contains("versions") => "<ListVersionsResult></ListVersionsResult>",
            "GET" if query.contains("prefix=") => "<ListBucketResult></ListBucketResult>",
            "PUT" if request.headers().contains_key("x-amz-copy-source") => {
                "<CopyObjectResult><ETag>\"1\"</ETag></CopyObjectResult>"
            }
            "GET" => "something else",
            _ => "",
        };
        let mut answer = answer(200, document);
        answer.headers_mut().insert("etag", "\"1\"".parse().unwrap());
        answer.headers_mut().insert("server", "MinIO".parse().unwrap());
        std::future::ready(Ok(answer))
    });
    let s3 = client_with(transport);
    let report = s3.probe("my-bucket").await.unwrap();
    let ignored = Finding::No("the condition is ignored".to_owned());
    for (condition, finding) in &report.conditions {
        if *condition != Condition::DeleteObjectsIfMatch {
            assert_eq!(*finding, ignored, "{condition}");
        }
    }
    for (name, finding) in [
        ("trailers", &report.trailers),
        ("chunks", &report.chunks),
        ("list_v2", &report.list_v2),
        ("list_encoding", &report.list_encoding),
        ("sorted", &report.sorted),
        ("ranges", &report.ranges),
        ("etag_is_md5", &report.etag_is_md5),
        ("multipart_etag", &report.multipart_etag),
    ] {
        assert!(matches!(finding, Finding::No(_)), "{name}: {finding}");
    }
    assert!(report.checksums.iter().all(|(_, finding)| *finding == Finding::No("it is not kept".to_owned())));
    let habits = report.habits();
    assert!(habits.keeps.is_empty() && !habits.trailers && !habits.sorted && !habits.multipart_etag);
    // The header chooses nothing; it is told, and what it may mean.
    assert_eq!((s3.provider(), report.provider), (Provider::Other, Provider::Other));
    let told = s3.explain();
    assert_eq!(told.get("server").unwrap().value(), "MinIO");
    assert!(told.notes().last().unwrap().contains(".provider(Provider::Minio)"), "{told}");
    let printed = report.to_string();
    assert!(printed.contains("\nPutObject if absent               NO: the condition is ignored\n"), "{printed}");
    assert!(printed.contains("\ncalls itself                      MinIO\n"), "{printed}");
    assert!(
        printed.ends_with("hint: if this is MinIO, as it says, tell the client: .provider(Provider::Minio)\n"),
        "{printed}"
    );
}

/// The habits that the table has of a server are those that a probe finds in the store that takes after it.
#[tokio::test]
async fn other_servers_are_what_the_table_says() {
    for (personality, provider) in [
        (Personality::Ceph, Provider::Ceph),
        (Personality::Garage, Provider::Garage),
        (Personality::Rclone, Provider::Rclone),
    ] {
        let store = Store::builder().personality(personality).build();
        let report = client_of(&store).await.probe("my-bucket").await.unwrap();
        let (found, known) = (report.habits(), provider.habits());
        // A personality has the habits that break programs, not all: a condition of reads that rclone ignores is kept.
        for condition in known.ignores.without(DIRECTORY).iter().filter(|condition| !READS.contains(condition)) {
            assert!(found.ignores.contains(condition), "{personality}: {condition}\n{report}");
        }
        for condition in found.ignores.iter() {
            assert!(known.ignores.contains(condition), "{personality}: {condition}\n{report}");
        }
        assert!(!known.trailers || found.trailers, "{personality}: {report}");
        assert_eq!(report.remains, Vec::<String>::new(), "{personality}");

        let s3 = Client::builder().transport(store.clone()).build().unwrap();
        assert!(s3.list_objects("my-bucket").await.unwrap().is_empty(), "{personality}");

        // A client that knows better sends none of these.
        let s3 = Client::builder().transport(store.clone()).provider(provider).build().unwrap();
        let etag = s3.put_object("my-bucket", "a", "x").await.unwrap().etag;
        store.clear_requests();
        let copied = s3.copy_object("my-bucket", "a", "my-bucket", "a").if_match(etag).await;
        assert_eq!(copied.unwrap_err().kind(), ErrorKind::Unsupported, "{personality}");
        assert!(store.requests().is_empty(), "{personality}");
    }
    let store = Store::builder().personality(Personality::Plain).build();
    let report = client_of(&store).await.probe("my-bucket").await.unwrap();
    let found = report.habits();
    assert_eq!(found.ignores, Conditions::ALL.without(DIRECTORY), "{report}");
    assert!(!found.trailers && !found.chunks, "{report}");
    assert_eq!(report.chunks, Finding::Refused("501 NotImplemented".to_owned()));
}

/// What directory buckets have: the store refuses it.
const DIRECTORY: Conditions = Conditions::of(&[Condition::DeleteIfSizeOrDate, Condition::Append]);

const READS: [Condition; 3] = [Condition::ReadIfMatch, Condition::ReadIfNoneMatch, Condition::ReadDates];

#[tokio::test]
async fn a_probe_that_fails_cleans_up_too() {
    let store = Store::in_memory();
    client_of(&store).await;
    let s3 = Client::builder().transport(store.clone()).max_attempts(1).build().unwrap();
    // The object is written, but nobody hears of it.
    let lost = store.inject(Fault::drop_answer().on(Operation::PutObject).times(1)).unwrap();
    assert_eq!(s3.probe("my-bucket").await.unwrap_err().kind(), ErrorKind::Transport);
    assert_eq!(lost.fired(), 1);
    assert!(s3.list_objects("my-bucket").await.unwrap().is_empty());
}

#[tokio::test]
async fn what_could_not_be_removed_is_told() {
    let store = Store::in_memory();
    let s3 = client_of(&store).await;
    let kept = Fault::respond(403, "AccessDenied").on(Operation::DeleteObject).key("*/checksum");
    store.inject(kept).unwrap();
    let report = s3.probe("my-bucket").await.unwrap();
    assert_eq!(report.remains.len(), 1, "{report}");
    assert!(report.remains[0].starts_with(".wharf-probe-") && report.remains[0].contains("/checksum ("), "{report}");
    assert!(report.to_string().contains("\ncould not be removed              .wharf-probe-"), "{report}");
    assert_eq!(s3.list_objects("my-bucket").await.unwrap().objects.len(), 1);
}

#[tokio::test]
async fn listings_out_of_order_are_seen() {
    let store = Store::in_memory();
    let s3 = client_of(&store).await;
    store.inject(Fault::shuffle_listing(1)).unwrap();
    let report = s3.probe("my-bucket").await.unwrap();
    assert_eq!(report.sorted, Finding::No("another order".to_owned()));
    assert!(!report.habits().sorted);
}

/// A client of a server that is nothing but this function.
fn client_with(transport: Fake) -> Client {
    Client::builder()
        .environment(|_| None)
        .clock(FakeClock::default())
        .endpoint("http://s3.example.com")
        .credentials("AKIDEXAMPLE", "secret")
        .transport(transport)
        .build()
        .unwrap()
}

#[tokio::test]
async fn what_is_not_its_own_is_never_deleted() {
    let deleted = Arc::new(Mutex::new(Vec::new()));
    let seen = deleted.clone();
    // It lists what nobody asked for.
    let s3 = client_with(Fake::new(move |_, request: http::Request<wharf::transport::Body>| {
        let query = request.uri().query().unwrap_or_default();
        let entry = "<Key>mine</Key><ETag>\"1\"</ETag><Size>1</Size><VersionId>1</VersionId><IsLatest>true</IsLatest>\
                     <LastModified>2026-01-01T00:00:00.000Z</LastModified>";
        let document = match request.method().as_str() {
            "GET" if query.contains("versions") => {
                format!("<ListVersionsResult><Version>{entry}</Version></ListVersionsResult>")
            }
            "GET" if query.contains("prefix=") => {
                format!("<ListBucketResult><Contents>{entry}</Contents></ListBucketResult>")
            }
            "DELETE" => {
                seen.lock().unwrap().push(request.uri().path().to_owned());
                String::new()
            }
            _ => String::new(),
        };
        let mut answer = answer(200, document);
        answer.headers_mut().insert("etag", "\"1\"".parse().unwrap());
        std::future::ready(Ok(answer))
    }));
    let report = s3.probe("my-bucket").await.unwrap();
    let listed = format!("{:?}", report.list_encoding);
    assert!(listed.contains("the server lists") && listed.contains("was asked for"), "{listed}");
    let deleted = deleted.lock().unwrap();
    assert!(deleted.iter().any(|path| path.ends_with("/order/b")), "{deleted:?}");
    let foreign: Vec<_> = deleted.iter().filter(|path| !path.contains("/.wharf-probe-")).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

#[tokio::test]
async fn a_server_that_refuses_a_checksum_is_asked_the_rest() {
    let store = Store::in_memory();
    let s3 = client_of(&store).await;
    store.inject(Fault::respond(400, "InvalidArgument").if_header("x-amz-checksum-crc64nvme", "*")).unwrap();
    let report = s3.probe("my-bucket").await.unwrap();
    let kept = report.conditions.iter().filter(|(_, finding)| finding.is_yes()).map(|(condition, _)| *condition);
    assert_eq!(kept.collect::<Conditions>(), Provider::Embedded.habits().keeps, "{report}");
    assert_eq!(report.checksums[0].1, Finding::Refused("400 InvalidArgument".to_owned()));
    assert_eq!(report.habits().checksum, Some(report.checksums[1].0));
}

/// A finding corrects what was known; where there is none, that stays.
#[tokio::test]
async fn what_was_not_found_out_stays_known() {
    let store = Store::in_memory();
    let s3 = client_of(&store).await;
    let client = || Client::builder().transport(store.clone()).provider(Provider::Garage).max_attempts(1);
    store.inject(Fault::respond(503, "SlowDown").if_header("if-none-match", "*")).unwrap();
    store.inject(Fault::respond(501, "NotImplemented").if_header("x-amz-copy-source-if-match", "*")).unwrap();
    let report = client().build().unwrap().probe("my-bucket").await.unwrap();
    let (found, known) = (report.habits(), Provider::Garage.habits());
    for condition in [Condition::PutIfAbsent, Condition::CopyIfAbsent, Condition::CompleteIfAbsent] {
        assert!(known.ignores.contains(condition) && found.ignores.contains(condition), "{condition}\n{report}");
    }
    assert!(known.keeps.contains(Condition::ReadIfNoneMatch) && found.keeps.contains(Condition::ReadIfNoneMatch));
    assert!(found.keeps.contains(Condition::PutIfMatch) && !found.ignores.contains(Condition::PutIfMatch));
    // What is refused is neither kept nor ignored.
    assert!(known.keeps.contains(Condition::CopySource) && !found.keeps.contains(Condition::CopySource), "{report}");
    assert!(!found.ignores.contains(Condition::CopySource));
    assert!(s3.list_objects("my-bucket").await.unwrap().is_empty());
}

#[tokio::test]
async fn versions_and_uploads_that_stay_are_told() {
    let store = Store::in_memory();
    let s3 = client_of(&store).await;
    s3.put_bucket_versioning("my-bucket", wharf::VersioningStatus::Enabled).await.unwrap();
    let abort = Fault::respond(403, "AccessDenied").on(Operation::AbortMultipartUpload);
    let aborts = store.inject(abort).unwrap();
    store.inject(Fault::respond(403, "AccessDenied").on(Operation::DeleteObject).key("*/v2/1")).unwrap();
    let report = s3.probe("my-bucket").await.unwrap();
    let told = |what: &str| report.remains.iter().filter(|line| line.contains(what)).count();
    assert_eq!((told("/v2/1 ("), told("/v2/1, version ")), (1, 1), "{report}");
    assert!(aborts.fired() > 0);
    assert_eq!(told(", upload ") as u64, aborts.fired(), "{report}");
    let left = s3.list_object_versions("my-bucket").items().collect().await.unwrap();
    assert_eq!(left.len(), 1, "{left:?}");
}

/// Each write of this server makes another ETag, so that one that was read before matches no more.
#[tokio::test]
async fn etags_are_taken_anew() {
    let current = Arc::new(Mutex::new(BTreeMap::<String, String>::new()));
    let s3 = client_with(Fake::new(move |number, request: http::Request<wharf::transport::Body>| {
        let mut current = current.lock().unwrap();
        let path = request.uri().path().to_owned();
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let now = current.get(&path).cloned();
        let source = header("x-amz-copy-source").and_then(|source| current.get(&format!("/{source}")).cloned());
        let fails = header("if-match").is_some_and(|wanted| now.as_ref() != Some(&wanted))
            || header("if-none-match")
                .is_some_and(|wanted| wanted == "*" && now.is_some() || now.as_ref() == Some(&wanted))
            || header("x-amz-copy-source-if-match").is_some_and(|wanted| source.as_ref() != Some(&wanted))
            || header("x-amz-copy-source-if-none-match").is_some_and(|wanted| source.as_ref() == Some(&wanted));
        let mut response = if fails {
            answer(412, "<Error><Code>PreconditionFailed</Code></Error>")
        } else {
            match request.method().as_str() {
                "PUT" => drop(current.insert(path.clone(), format!("\"{number}\""))),
                "DELETE" => drop(current.remove(&path)),
                _ => {}
            }
            let is_copy = header("x-amz-copy-source").is_some();
            answer(200, if is_copy { "<CopyObjectResult><ETag>\"1\"</ETag></CopyObjectResult>" } else { "" })
        };
        let etag = current.get(&path).cloned().unwrap_or_else(|| "\"none\"".to_owned());
        response.headers_mut().insert("etag", etag.parse().unwrap());
        std::future::ready(Ok(response))
    }));
    let report = s3.probe("my-bucket").await.unwrap();
    for condition in [
        Condition::PutIfAbsent,
        Condition::PutIfMatch,
        Condition::CopyIfAbsent,
        Condition::CopyIfMatch,
        Condition::CopySource,
        Condition::DeleteIfMatch,
        Condition::ReadIfMatch,
    ] {
        assert!(report.habits().keeps.contains(condition), "{condition}\n{report}");
    }
}
