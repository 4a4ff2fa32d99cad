//! What a provider's habits do to requests.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use support::{Fake, FakeClock, answer};
use wharf::provider::{Condition, Conditions};
use wharf::{AddressingStyle, Body, ChecksumAlgorithm, Client, ClientBuilder, ErrorKind, ObjectIdentifier, Provider};
use wharf_embedded::Store;

const URL: &str = "https://s3.example.com";
const DELETED: &str = "<DeleteResult><Deleted><Key>a</Key></Deleted></DeleteResult>";
const PAGE: &str = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";

type Heads = Arc<Mutex<Vec<http::request::Parts>>>;

/// A client of `url` whose requests are kept and answered with `document`.
fn client(url: &str, document: &'static str, change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> (Client, Heads) {
    let heads = Heads::default();
    let kept = heads.clone();
    let transport = Fake::new(move |_, request: http::Request<wharf::transport::Body>| {
        kept.lock().unwrap().push(request.into_parts().0);
        std::future::ready(Ok(answer(200, document)))
    });
    let builder = Client::builder().environment(|_| None).clock(FakeClock::default()).region("eu-west-1");
    let builder = builder.endpoint(url).credentials("AKIDEXAMPLE", "secret").transport(transport);
    (change(builder).build().unwrap(), heads)
}

fn of(provider: Provider) -> (Client, Heads) {
    client(URL, "", |builder| builder.provider(provider))
}

fn only(heads: &Heads) -> http::request::Parts {
    let mut heads = heads.lock().unwrap();
    assert_eq!(heads.len(), 1);
    heads.pop().unwrap()
}

fn header(head: &http::request::Parts, name: &str) -> Option<String> {
    head.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_condition_that_would_be_ignored_is_never_sent() {
    let (s3, heads) = of(Provider::Garage);
    let error = s3.put_object("my-bucket", "a", "x").if_absent().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(
        error.to_string(),
        "PutObject my-bucket/a: this provider is known to ignore the condition \"PutObject if absent\": the object \
         would be written in any case; nothing was sent"
    );
    assert_eq!(
        error.hint().unwrap(),
        "the server is taken for Garage: Client::probe finds out what it really does, \
         ClientBuilder::assume_conditions sends conditions all the same"
    );
    let refused = |kind: ErrorKind| assert_eq!(kind, ErrorKind::Unsupported);
    refused(s3.put_object("my-bucket", "a", "x").if_match("e").await.unwrap_err().kind());
    refused(s3.copy_object("my-bucket", "a", "my-bucket", "b").if_absent().await.unwrap_err().kind());
    refused(s3.complete_multipart_upload("my-bucket", "a", "id").part((1, "e")).if_absent().await.unwrap_err().kind());
    refused(s3.delete_object("my-bucket", "a").if_match("e").await.unwrap_err().kind());
    let object = ObjectIdentifier { etag: Some("e".into()), ..ObjectIdentifier::from("a") };
    refused(s3.delete_objects("my-bucket", [object]).await.unwrap_err().kind());
    // Whoever holds a link cannot be told later.
    let link = s3.put_object("my-bucket", "a", "").if_absent().presign(Duration::from_secs(60));
    refused(link.await.unwrap_err().kind());
    assert!(heads.lock().unwrap().is_empty());

    // All else goes out, conditions that it keeps among it.
    s3.put_object("my-bucket", "a", "x").await.unwrap();
    s3.get_object("my-bucket", "a").if_match("e").await.unwrap();
    assert_eq!(heads.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn the_refusal_can_be_overridden() {
    let (s3, heads) = client(URL, "", |builder| builder.provider(Provider::Garage).assume_conditions());
    s3.put_object("my-bucket", "a", "x").if_absent().await.unwrap();
    assert_eq!(header(&only(&heads), "if-none-match").as_deref(), Some("*"));

    // What nobody knows is sent.
    let (s3, heads) = of(Provider::Other);
    s3.put_object("my-bucket", "a", "x").if_absent().await.unwrap();
    assert_eq!(header(&only(&heads), "if-none-match").as_deref(), Some("*"));

    let mut habits = Provider::Other.habits();
    habits.ignores = Conditions::of(&[Condition::PutIfAbsent]);
    let (s3, heads) = client(URL, "", |builder| builder.habits(habits));
    assert!(s3.put_object("my-bucket", "a", "x").if_absent().await.is_err());
    assert!(heads.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_host_name_chooses_and_the_user_before_it() {
    let (s3, _) = client("https://s3.eu-central-003.backblazeb2.com", "", |builder| builder);
    assert_eq!(s3.provider(), Provider::B2);
    let (s3, heads) = client("https://s3.eu-central-003.backblazeb2.com", "", |b| b.provider(Provider::Aws));
    assert_eq!(s3.provider(), Provider::Aws);
    s3.put_object("my-bucket", "a", "x").await.unwrap();
    assert!(header(&only(&heads), "x-amz-checksum-crc64nvme").is_some());
}

#[tokio::test]
async fn unknown_endpoints_have_the_bucket_in_the_path() {
    let uri = |change: fn(ClientBuilder) -> ClientBuilder| async move {
        let (s3, heads) = client("https://s3.eu-west-1.amazonaws.com", "", change);
        s3.put_object("my-bucket", "a", "x").await.unwrap();
        only(&heads).uri.to_string()
    };
    let by_host = "https://my-bucket.s3.eu-west-1.amazonaws.com/a";
    let by_path = "https://s3.eu-west-1.amazonaws.com/my-bucket/a";
    assert_eq!(uri(|builder| builder).await, by_host);
    assert_eq!(uri(|builder| builder.provider(Provider::Other)).await, by_path);
    let said = |b: ClientBuilder| b.provider(Provider::Other).addressing_style(AddressingStyle::VirtualHost);
    assert_eq!(uri(said).await, by_host);
}

#[tokio::test]
async fn checksums_go_where_they_are_taken() {
    let (s3, heads) = of(Provider::B2);
    s3.put_object("my-bucket", "a", "x").await.unwrap();
    let head = only(&heads);
    let sent: Vec<_> = head.headers.keys().filter(|name| name.as_str().contains("checksum")).collect();
    assert!(sent.is_empty(), "{sent:?}");
    s3.head_object("my-bucket", "a").checksum_mode(true).await.unwrap();
    assert_eq!(header(&only(&heads), "x-amz-checksum-mode"), None);
    s3.put_object("my-bucket", "a", "x").checksum(ChecksumAlgorithm::Sha1).await.unwrap();
    assert!(header(&only(&heads), "x-amz-checksum-sha1").is_some(), "the call's own wish comes first");

    let (s3, heads) = of(Provider::Oci);
    s3.put_object("my-bucket", "a", "x").await.unwrap();
    assert!(header(&only(&heads), "x-amz-checksum-crc32c").is_some());
    let (s3, heads) = client(URL, "", |builder| builder.provider(Provider::Oci).checksum(ChecksumAlgorithm::Sha256));
    s3.put_object("my-bucket", "a", "x").await.unwrap();
    assert!(header(&only(&heads), "x-amz-checksum-sha256").is_some(), "so does the client's setting");
}

#[tokio::test]
async fn the_digest_of_a_deletion() {
    let digests = |provider: Provider| async move {
        let (s3, heads) = client(URL, DELETED, |builder| builder.provider(provider));
        assert_eq!(s3.delete_objects("my-bucket", ["a"]).await.unwrap().deleted.len(), 1);
        let head = only(&heads);
        assert_eq!(header(&head, "x-amz-checksum-md5"), None);
        (header(&head, "content-md5"), header(&head, "x-amz-checksum-crc64nvme").is_some())
    };
    assert_eq!(digests(Provider::Aws).await, (None, true));
    assert_eq!(digests(Provider::Other).await, (None, true), "MD5 is for those that ask for it");
    let (md5, checksum) = digests(Provider::Oci).await;
    assert!(md5.is_some() && !checksum);
    let store = Store::in_memory();
    for provider in [Provider::Other, Provider::Oci] {
        let s3 = Client::builder().transport(store.clone()).provider(provider).build().unwrap();
        s3.create_bucket("my-bucket").await.unwrap();
        // The store compares either with the body.
        assert_eq!(s3.delete_objects("my-bucket", ["a"]).await.unwrap().deleted.len(), 1);
        s3.delete_bucket("my-bucket").await.unwrap();
    }
}

#[tokio::test]
async fn a_listing_asks_for_the_encoding_where_there_is_one() {
    for (provider, asks) in [(Provider::Aws, true), (Provider::Spaces, false), (Provider::Scaleway, false)] {
        let (s3, heads) = client(URL, PAGE, |builder| builder.provider(provider));
        s3.list_objects("my-bucket").await.unwrap();
        assert_eq!(only(&heads).uri.query().unwrap().contains("encoding-type=url"), asks, "{provider}");
    }
}

#[tokio::test]
async fn version_1_of_listings_is_paged_by_its_markers() {
    let mut habits = Provider::Other.habits();
    habits.list_v2 = false;
    let page = "<ListBucketResult><Marker></Marker><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
                <Contents><Key>a%2Bb</Key></Contents></ListBucketResult>";
    let (s3, heads) = client(URL, page, |builder| builder.habits(habits));
    let listing = s3.list_objects("my-bucket").prefix("a").start_after("a%");
    let first = listing.clone().await.unwrap();
    assert_eq!(only(&heads).uri.query().unwrap(), "prefix=a&marker=a%25&encoding-type=url");
    listing.continuation_token(first.next_continuation_token.unwrap()).await.unwrap();
    assert_eq!(only(&heads).uri.query().unwrap(), "prefix=a&marker=a%2Bb&encoding-type=url");
}

fn stream_of(text: &'static str) -> Body {
    let pieces = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(text.as_bytes()))]);
    Body::sized_stream(pieces, text.len() as u64)
}

#[tokio::test]
async fn streams_are_framed_where_that_is_understood() {
    // Over https nothing needs a frame.
    for (provider, framed) in [(Provider::Aws, true), (Provider::Gcs, false), (Provider::Other, false)] {
        let (s3, heads) = of(provider);
        s3.put_object("my-bucket", "a", stream_of("x")).await.unwrap_or_else(|_| Default::default());
        let encoding = header(&only(&heads), "content-encoding");
        assert_eq!(encoding.is_some_and(|encoding| encoding.contains("aws-chunked")), framed, "{provider}");
    }
    // Over http a stream cannot be signed without.
    let http = |change: fn(ClientBuilder) -> ClientBuilder| {
        client("http://s3.example.com", "", move |builder| change(builder.provider(Provider::Gcs)))
    };
    let (s3, heads) = http(|builder| builder);
    let error = s3.put_object("my-bucket", "a", stream_of("x")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(
        error.to_string(),
        "PutObject my-bucket/a: this provider takes no framed bodies, without which a stream cannot be signed"
    );
    assert!(heads.lock().unwrap().is_empty());
    s3.put_object("my-bucket", "a", "bytes are another matter").await.unwrap();
    let (s3, heads) = http(ClientBuilder::unsigned_payload);
    s3.put_object("my-bucket", "a", stream_of("x")).await.unwrap();
    assert_eq!(header(&only(&heads), "x-amz-content-sha256").as_deref(), Some("UNSIGNED-PAYLOAD"));
    // The caller knows better.
    let (s3, heads) = http(|builder| builder.checksum_trailers(true).checksum(ChecksumAlgorithm::Crc32));
    s3.put_object("my-bucket", "a", stream_of("x")).await.unwrap_or_else(|_| Default::default());
    assert_eq!(header(&only(&heads), "x-amz-trailer").as_deref(), Some("x-amz-checksum-crc32"));
}

#[tokio::test]
async fn version_1_lists_what_version_2_lists() {
    let store = Store::in_memory();
    let s3 = Client::builder().transport(store.clone()).build().unwrap();
    s3.create_bucket("my-bucket").await.unwrap();
    for key in ["a", "a b+c%41", "a!", "d/1", "d/2", "e/1", "\u{1f980}", "\u{1}"] {
        s3.put_object("my-bucket", key, "x").await.unwrap();
    }
    let mut habits = Provider::Other.habits();
    habits.list_v2 = false;
    let old = Client::builder().transport(store.clone()).habits(habits).build().unwrap();
    store.clear_requests();
    for max_keys in [1, 2, 3, 1000] {
        for delimiter in [None, Some("/")] {
            let pages = |s3: &Client| {
                let listing = s3.list_objects("my-bucket").max_keys(max_keys);
                let listing = match delimiter {
                    Some(delimiter) => listing.delimiter(delimiter),
                    None => listing,
                };
                listing.pages().collect::<Vec<_>>()
            };
            let names = |pages: Vec<wharf::Result<wharf::op::ListObjectsOutput>>| {
                let page = |page: wharf::Result<wharf::op::ListObjectsOutput>| {
                    let page = page.unwrap();
                    let keys: Vec<_> = page.objects.into_iter().map(|object| object.key).collect();
                    (keys, page.common_prefixes)
                };
                pages.into_iter().map(page).collect::<Vec<_>>()
            };
            assert_eq!(names(pages(&old).await), names(pages(&s3).await), "{max_keys} {delimiter:?}");
        }
    }
    let asked = |operation: &str| store.requests().iter().filter(|request| request.operation == operation).count();
    assert!(asked("ListObjects") > 10);
    assert_eq!(asked("ListObjects"), asked("ListObjectsV2"));
}
