use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use wharf_embedded::Store;

use crate::support::*;

const FIVE: usize = 5 * 1024 * 1024;

async fn begin(store: &Store, headers: &[(&str, &str)]) -> String {
    let ask = headers.iter().fold(post("/bucket/k?uploads"), |ask, (name, value)| ask.header(name, value));
    ask.send(store).await.expect(200).element("UploadId").unwrap()
}

fn part(id: &str, number: u16, body: &[u8]) -> Ask {
    // Hashing megabytes in a debug build is slow, so that only what needs it signs its payload.
    put(&format!("/bucket/k?partNumber={number}&uploadId={id}"))
        .body(body)
        .set(|it| it.payload = Some(UNSIGNED.to_owned()))
}

fn complete(id: &str, parts: &[(u16, &str)]) -> Ask {
    let parts: String = parts
        .iter()
        .map(|(number, etag)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"))
        .collect();
    post(&format!("/bucket/k?uploadId={id}"))
        .body(format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>"))
}

#[tokio::test]
async fn sparse_and_sent_again() {
    let store = store_with_bucket().await;
    let id = begin(&store, &[("x-amz-meta-m", "1"), ("content-type", "t/t"), ("x-amz-tagging", "a=1")]).await;
    let big = vec![b'a'; FIVE];
    let first = part(&id, 3, &big).send(&store).await.expect(200).get("etag").unwrap().to_owned();
    let stale = part(&id, 9_000, b"stale").send(&store).await.get("etag").unwrap().to_owned();
    let last = part(&id, 9_000, b"end").send(&store).await.get("etag").unwrap().to_owned();
    part(&id, 10_000, b"left out").send(&store).await.expect(200);
    part(&id, 10_001, b"x").send(&store).await.refused(400, "InvalidArgument");

    let listed = get(&format!("/bucket/k?max-parts=1&part-number-marker=3&uploadId={id}")).send(&store).await;
    assert_eq!(
        (listed.elements("PartNumber"), listed.element("IsTruncated")),
        (vec!["9000".into()], Some("true".into()))
    );
    let uploads = get("/bucket?uploads").send(&store).await;
    assert_eq!((uploads.elements("Key"), uploads.elements("UploadId")), (vec!["k".into()], vec![id.clone()]));

    complete(&id, &[]).send(&store).await.refused(400, "MalformedXML");
    complete(&id, &[(9_000, &last), (3, &first)]).send(&store).await.refused(400, "InvalidPartOrder");
    complete(&id, &[(3, &first), (9_000, &stale)]).send(&store).await.refused(400, "InvalidPart");
    complete(&id, &[(3, &first), (4, &last)]).send(&store).await.refused(400, "InvalidPart");
    complete(&id, &[(9_000, &last), (10_000, &last)]).send(&store).await.refused(400, "InvalidPart");
    let wrong = complete(&id, &[(3, &first), (9_000, &last)]).header("x-amz-mp-object-size", "7");
    wrong.send(&store).await.refused(400, "InvalidRequest");
    let size = (FIVE + 3).to_string();
    let right = complete(&id, &[(3, &first), (9_000, &last)]).header("x-amz-mp-object-size", &size);
    let answer = right.send(&store).await.expect(200);
    // MD5 of the two parts' MD5s.
    use md5::{Digest, Md5};
    let inner = [Md5::digest(&big).to_vec(), Md5::digest(b"end").to_vec()].concat();
    assert_eq!(answer.element("ETag").unwrap(), format!("&quot;{}-2&quot;", hex(&Md5::digest(&inner))));

    let there = head("/bucket/k").send(&store).await;
    assert_eq!(
        (
            there.get("content-length"),
            there.get("x-amz-meta-m"),
            there.get("content-type"),
            there.get("x-amz-tagging-count")
        ),
        (Some(size.as_str()), Some("1"), Some("t/t"), Some("1"))
    );
    let second = get("/bucket/k?partNumber=2").send(&store).await.expect(206);
    assert_eq!((second.text().as_str(), second.get("x-amz-mp-parts-count")), ("end", Some("2")));
    let across = get("/bucket/k").header("range", &format!("bytes={}-", FIVE - 2)).send(&store).await.expect(206);
    assert_eq!(across.text(), "aaend");
    get("/bucket/k?partNumber=3").send(&store).await.refused(416, "InvalidPartNumber");
    complete(&id, &[(3, &first)]).send(&store).await.refused(404, "NoSuchUpload");
}

#[tokio::test]
async fn small_parts_conditions_and_abort() {
    let store = store_with_bucket().await;
    let id = begin(&store, &[]).await;
    let one = part(&id, 1, b"tiny").send(&store).await.get("etag").unwrap().to_owned();
    let two = part(&id, 2, b"tiny").send(&store).await.get("etag").unwrap().to_owned();
    let answer = complete(&id, &[(1, &one), (2, &two)]).send(&store).await.refused(400, "EntityTooSmall");
    assert_eq!(answer.element("PartNumber").as_deref(), Some("1"));
    put("/bucket/k").body("first").send(&store).await.expect(200);
    let absent = complete(&id, &[(1, &one)]).header("if-none-match", "*");
    absent.send(&store).await.refused(412, "PreconditionFailed");
    complete(&id, &[(1, &one)]).header("if-match", "\"other\"").send(&store).await.refused(412, "PreconditionFailed");
    complete(&id, &[(1, &one)]).send(&store).await.expect(200);
    let completed = id;
    let id = begin(&store, &[]).await;
    let abort = |id: &str| delete(&format!("/bucket/k?uploadId={id}"));
    abort(&id).send(&store).await.expect(204);
    part(&id, 1, b"late").send(&store).await.refused(404, "NoSuchUpload");
    complete(&id, &[(1, &one)]).send(&store).await.refused(404, "NoSuchUpload");
    // Whoever did not hear of the end may ask again; of what never was there is no end.
    abort(&id).send(&store).await.expect(204);
    abort(&completed).send(&store).await.expect(204);
    assert_eq!(get("/bucket/k").send(&store).await.text(), "tiny");
    abort("made-up").send(&store).await.refused(404, "NoSuchUpload");
    delete(&format!("/bucket/other?uploadId={id}")).send(&store).await.refused(404, "NoSuchUpload");
    assert_eq!(get("/bucket?uploads").send(&store).await.element("Upload"), None);
}

/// As AWS was recorded to answer where the object is gone (LocalStack's test_multipart_if_none_match_with_delete), and
/// LocalStack answers where there is another.
#[tokio::test]
async fn a_condition_that_holds_again_is_a_conflict() {
    let store = store_with_bucket().await;
    let overwrite = async || put("/bucket/k").body("x").send(&store).await.expect(200).get("etag").unwrap().to_owned();
    let conflict = async |ask: Ask, condition: &str| {
        let refused = ask.send(&store).await.refused(409, "ConditionalRequestConflict");
        assert_eq!(
            (refused.element("Condition").as_deref(), refused.element("Key").as_deref()),
            (Some(condition), Some("k"))
        );
    };
    overwrite().await;
    let id = begin(&store, &[]).await;
    let part_of = async |id: &str| part(id, 1, b"tiny").send(&store).await.get("etag").unwrap().to_owned();
    let one = part_of(&id).await;
    let absent = complete(&id, &[(1, &one)]).header("if-none-match", "*");
    absent.send(&store).await.refused(412, "PreconditionFailed");
    delete("/bucket/k").send(&store).await.expect(204);
    conflict(absent, "If-None-Match").await;
    let there = overwrite().await;
    conflict(complete(&id, &[(1, &one)]).header("if-match", &there), "If-Match").await;
    complete(&id, &[(1, &one)]).header("if-match", "\"other\"").send(&store).await.refused(412, "PreconditionFailed");
    // Of an upload that began after all that, both hold.
    let id = begin(&store, &[]).await;
    complete(&id, &[(1, &part_of(&id).await)]).header("if-match", &there).send(&store).await.expect(200);
    delete("/bucket/k").send(&store).await.expect(204);
    let id = begin(&store, &[]).await;
    complete(&id, &[(1, &part_of(&id).await)]).header("if-none-match", "*").send(&store).await.expect(200);
}

#[tokio::test]
async fn completing_again_is_answered_again() {
    let store = store_with_bucket().await;
    let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    put("/bucket?versioning").body(enabled).send(&store).await.expect(200);
    let id = begin(&store, &[("x-amz-server-side-encryption", "AES256")]).await;
    let one = part(&id, 1, b"tiny").send(&store).await.get("etag").unwrap().to_owned();
    let first = complete(&id, &[(1, &one)]).send(&store).await.expect(200);
    put("/bucket/k").body("newer").send(&store).await.expect(200);
    let again = complete(&id, &[(1, &one)]).send(&store).await.expect(200);
    assert_eq!(again.text(), first.text());
    for name in ["x-amz-version-id", "x-amz-server-side-encryption"] {
        assert!(first.get(name).is_some() && again.get(name) == first.get(name), "{name}");
    }
    // Nothing was done again.
    assert_eq!(get("/bucket/k").send(&store).await.text(), "newer");
    assert_eq!(get("/bucket?versions").send(&store).await.elements("Key").len(), 2);
    // It is over all the same, and was never of other parts.
    complete(&id, &[(2, &one)]).send(&store).await.refused(404, "NoSuchUpload");
    complete(&id, &[(1, "\"other\"")]).send(&store).await.refused(404, "NoSuchUpload");
    complete(&id, &[]).send(&store).await.refused(400, "MalformedXML");
    part(&id, 1, b"late").send(&store).await.refused(404, "NoSuchUpload");
    let other_key = complete(&id, &[(1, &one)]).set(|it| it.path = "/bucket/other".to_owned());
    other_key.send(&store).await.refused(404, "NoSuchUpload");
}

/// By S3's documentation: "the object creation date is the date of initiation of the multipart upload", and the version
/// that was begun last is the current one.
#[tokio::test]
async fn an_object_is_as_old_as_its_upload() {
    let seconds = Arc::new(AtomicU64::new(NOW));
    let clock = seconds.clone();
    let builder = Store::builder().credentials(KEY, SECRET);
    let store = crate::backing::make(builder, move || at(clock.load(Ordering::Relaxed)));
    put("/bucket").send(&store).await.expect(200);
    let id = begin(&store, &[]).await;
    let one = part(&id, 1, b"begun first").send(&store).await.get("etag").unwrap().to_owned();
    seconds.fetch_add(60, Ordering::Relaxed);
    put("/bucket/k").body("written later").send(&store).await.expect(200);
    complete(&id, &[(1, &one)]).send(&store).await.expect(200);
    let got = get("/bucket/k").send(&store).await.expect(200);
    assert_eq!((got.text().as_str(), got.get("last-modified")), ("begun first", Some("Fri, 24 May 2013 00:00:00 GMT")));

    let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    put("/bucket?versioning").body(enabled).send(&store).await.expect(200);
    let id = begin(&store, &[]).await;
    let one = part(&id, 1, b"begun first").send(&store).await.get("etag").unwrap().to_owned();
    seconds.fetch_add(60, Ordering::Relaxed);
    let later = put("/bucket/k").body("written later").send(&store).await.expect(200);
    let done = complete(&id, &[(1, &one)]).send(&store).await.expect(200);
    let version = |answer: &Answer| answer.get("x-amz-version-id").unwrap().to_owned();
    assert_eq!(get("/bucket/k").send(&store).await.text(), "written later");
    let got = get(&format!("/bucket/k?versionId={}", version(&done))).send(&store).await.expect(200);
    assert_eq!((got.text().as_str(), got.get("last-modified")), ("begun first", Some("Fri, 24 May 2013 00:01:00 GMT")));
    let listed = get("/bucket?versions").send(&store).await;
    assert_eq!(listed.elements("VersionId"), [version(&later), version(&done), "null".to_owned()]);
    assert_eq!(listed.elements("IsLatest"), ["true", "false", "false"]);
    // What is gone goes at its place.
    delete(&format!("/bucket/k?versionId={}", version(&later))).send(&store).await.expect(204);
    assert_eq!(get("/bucket/k").send(&store).await.text(), "begun first");
}

#[tokio::test]
async fn checksums_of_parts_and_whole() {
    let store = store_with_bucket().await;
    let named = |number: u16, etag: &str, element: &str, value: &str| {
        format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag><{element}>{value}</{element}></Part>")
    };
    let body = |parts: &str| format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");

    // CRC32 of "hello" is NhCmhg==; a composite one is the CRC32 of that checksum's bytes.
    let id = begin(&store, &[("x-amz-checksum-algorithm", "CRC32")]).await;
    part(&id, 1, b"hello").send(&store).await.refused(400, "InvalidRequest");
    let bad = part(&id, 1, b"hello").header("x-amz-checksum-crc32", "AAAAAA==");
    bad.send(&store).await.refused(400, "BadDigest");
    let good = part(&id, 1, b"hello").header("x-amz-checksum-crc32", "NhCmhg==");
    let etag = good.send(&store).await.expect(200).get("etag").unwrap().to_owned();
    complete(&id, &[(1, &etag)]).send(&store).await.refused(400, "InvalidRequest");
    let ask = post(&format!("/bucket/k?uploadId={id}"));
    let other = body(&named(1, &etag, "ChecksumCRC32", "AAAAAA=="));
    ask.clone().body(other).send(&store).await.refused(400, "InvalidPart");
    let answer = ask.body(body(&named(1, &etag, "ChecksumCRC32", "NhCmhg=="))).send(&store).await.expect(200);
    let composite = answer.element("ChecksumCRC32").unwrap();
    assert!(composite.ends_with("-1") && answer.element("ChecksumType").as_deref() == Some("COMPOSITE"), "{composite}");
    let there = head("/bucket/k").header("x-amz-checksum-mode", "ENABLED").send(&store).await;
    assert_eq!(there.get("x-amz-checksum-crc32"), Some(composite.as_str()));
    let wanted = get("/bucket/k?attributes")
        .header("x-amz-object-attributes", "Checksum,ObjectParts,ObjectSize,ETag,StorageClass");
    let attributes = wanted.send(&store).await.expect(200);
    assert_eq!(attributes.elements("ChecksumCRC32"), [composite.strip_suffix("-1").unwrap(), "NhCmhg=="]);
    assert_eq!(
        (attributes.element("PartsCount").as_deref(), attributes.element("ObjectSize").as_deref()),
        (Some("1"), Some("5"))
    );

    let full = [("x-amz-checksum-algorithm", "CRC32"), ("x-amz-checksum-type", "FULL_OBJECT")];
    let id = begin(&store, &full).await;
    let ask = part(&id, 1, b"hello").header("x-amz-checksum-crc32", "NhCmhg==");
    let etag = ask.send(&store).await.get("etag").unwrap().to_owned();
    let wrong = complete(&id, &[(1, &etag)]).header("x-amz-checksum-crc32", "AAAAAA==");
    wrong.send(&store).await.refused(400, "BadDigest");
    let right = complete(&id, &[(1, &etag)]).header("x-amz-checksum-crc32", "NhCmhg==");
    let answer = right.header("x-amz-checksum-type", "FULL_OBJECT").send(&store).await.expect(200);
    assert_eq!(answer.element("ChecksumCRC32").as_deref(), Some("NhCmhg=="));
    // Only parts whose checksums make the object's are told.
    let counted = get("/bucket/k?attributes").header("x-amz-object-attributes", "ObjectParts").send(&store).await;
    assert!(counted.text().contains("<ObjectParts><PartsCount>1</PartsCount></ObjectParts>"), "{}", counted.text());

    let nonsense = post("/bucket/k?uploads")
        .header("x-amz-checksum-algorithm", "SHA1")
        .header("x-amz-checksum-type", "FULL_OBJECT");
    nonsense.send(&store).await.refused(400, "InvalidRequest");
}

#[tokio::test]
async fn of_an_upload_without_an_algorithm_only_given_checksums_are_told() {
    let store = store_with_bucket().await;
    let id = begin(&store, &[]).await;
    let plain = part(&id, 1, b"hello").send(&store).await.expect(200);
    assert!(plain.headers.keys().all(|name| !name.as_str().starts_with("x-amz-checksum")), "{:?}", plain.headers);
    let given = part(&id, 2, b"hello").header("x-amz-checksum-crc32", "NhCmhg==").send(&store).await.expect(200);
    assert_eq!(given.get("x-amz-checksum-crc32"), Some("NhCmhg=="));
    let sum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, b"hello");
    let sum = base64(&sum.to_be_bytes());
    let given_as_kept = part(&id, 2, b"hello").header("x-amz-checksum-crc64nvme", &sum).send(&store).await.expect(200);
    assert_eq!(given_as_kept.get("x-amz-checksum-crc64nvme"), Some(sum.as_str()));
    let listed = get(&format!("/bucket/k?uploadId={id}")).send(&store).await.expect(200);
    assert!(listed.elements("Part").len() == 2 && !listed.text().contains("Checksum"), "{}", listed.text());
    // They are kept for the object's.
    complete(&id, &[(2, given.get("etag").unwrap())]).send(&store).await.expect(200);
    let there = head("/bucket/k").header("x-amz-checksum-mode", "ENABLED").send(&store).await;
    assert!(there.get("x-amz-checksum-crc64nvme").is_some());
}

/// As AWS was recorded to list, by LocalStack's TestS3ListMultipartUploads and TestS3ListParts.
#[tokio::test]
async fn listings_of_uploads_and_parts() {
    let builder = Store::builder().credentials(KEY, SECRET);
    let store = crate::backing::make(builder, || at(NOW) + Duration::from_millis(250));
    put("/bucket").send(&store).await.expect(200);
    let next = |page: &Answer| ["NextKeyMarker", "NextUploadIdMarker"].map(|name| page.element(name).unwrap());
    let uploads = async |query: &str| get(&format!("/bucket?{query}uploads")).send(&store).await.expect(200);
    assert_eq!(next(&uploads("").await), ["", ""]);
    let id = begin(&store, &[]).await;
    let parts = async |query: &str| get(&format!("/bucket/k?{query}uploadId={id}")).send(&store).await.expect(200);
    assert_eq!(parts("").await.element("NextPartNumberMarker").as_deref(), Some("0"));
    part(&id, 1, b"x").send(&store).await.expect(200);
    let listed = parts("").await;
    assert_eq!(listed.element("NextPartNumberMarker").as_deref(), Some("1"));
    assert_eq!(listed.element("LastModified").as_deref(), Some("2013-05-24T00:00:00.000Z"));
    assert_eq!(parts("part-number-marker=10&").await.element("NextPartNumberMarker").as_deref(), Some("0"));

    let page = uploads("").await;
    assert_eq!(page.element("Initiated").as_deref(), Some("2013-05-24T00:00:00.000Z"));
    assert_eq!((page.element("IsTruncated").as_deref(), next(&page)), (Some("false"), ["k".to_owned(), id.clone()]));
    post("/bucket/a/1?uploads").send(&store).await.expect(200);
    assert_eq!(next(&uploads("delimiter=%2F&").await), ["k".to_owned(), id.clone()]);
    post("/bucket/z/1?uploads").send(&store).await.expect(200);
    assert_eq!(next(&uploads("delimiter=%2F&").await), ["", ""]);
    assert_eq!(next(&uploads("key-marker=z%2F1&").await), ["", ""]);
}

#[tokio::test]
async fn parts_by_copy() {
    let store = store_with_bucket().await;
    put("/bucket/source").body("0123456789").send(&store).await.expect(200);
    let id = begin(&store, &[]).await;
    let copy = |range: &str| {
        let ask = put(&format!("/bucket/k?partNumber=1&uploadId={id}")).header("x-amz-copy-source", "bucket/source");
        if range.is_empty() { ask } else { ask.header("x-amz-copy-source-range", range) }
    };
    for bad in ["bytes=5-", "bytes=-5", "bytes=5-10", "5-6", "bytes=6-5"] {
        copy(bad).send(&store).await.refused(400, "InvalidArgument");
    }
    copy("").header("x-amz-copy-source-if-match", "\"other\"").send(&store).await.refused(412, "PreconditionFailed");
    let answer = copy("bytes=2-4").send(&store).await.expect(200);
    let etag = answer.element("ETag").unwrap();
    complete(&id, &[(1, &etag)]).send(&store).await.expect(200);
    assert_eq!(get("/bucket/k").send(&store).await.text(), "234");
}

#[tokio::test]
async fn a_completion_tells_the_url_of_its_object() {
    let store = store_with_bucket().await;
    for (host, path, expected) in [
        ("s3.localhost", "/bucket/a%20b/%C3%A9%3F", "http://s3.localhost/bucket/a%20b/%C3%A9%3F"),
        ("bucket.s3.localhost:9000", "/a%20b/%C3%A9%3F", "http://bucket.s3.localhost:9000/a%20b/%C3%A9%3F"),
    ] {
        let at_host = |ask: Ask| ask.set(|it| it.headers[0].1 = host.to_owned());
        let begun = at_host(post(&format!("{path}?uploads"))).send(&store).await.expect(200);
        let id = begun.element("UploadId").unwrap();
        let sent = at_host(put(&format!("{path}?partNumber=1&uploadId={id}")).body("x")).send(&store).await.expect(200);
        let end = complete(&id, &[(1, sent.get("etag").unwrap())]).set(|it| it.path = path.to_owned());
        let done = at_host(end).send(&store).await.expect(200);
        assert_eq!(done.element("Location").as_deref(), Some(expected));
    }
}
