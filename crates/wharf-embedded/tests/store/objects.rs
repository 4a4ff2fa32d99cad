use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::{FutureExt, StreamExt};
use wharf_transport::Body;

use crate::support::*;

const NASTY: [&str; 25] = [
    "\0\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}\u{8}\t\n\u{b}\u{c}\r\u{e}\u{f}\u{10}\u{11}\u{1e}\u{1f}\u{7f}",
    ".",
    "..",
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    " leading space",
    "~leading tilde",
    "\rleading CR",
    "\nleading LF",
    "\tleading HT",
    "\u{b}leading VT",
    ".leading dot",
    "trailing space ",
    "trailing CR\r",
    "trailing LF\n",
    "trailing HT\t",
    "trailing VT\u{b}",
    "trailing dot.",
    "test%46.txt",
    "a//b",
    "a/../b",
    "/lead",
    "a+b c%2Bd",
    "naïve/日本語/🦀.txt",
    "dir/",
    "dir",
];

#[tokio::test]
async fn keys_are_bytes() {
    let store = store_with_bucket().await;
    for key in NASTY {
        put(&format!("/bucket/{}", encode(key))).body(key).send(&store).await.expect(200);
    }
    for key in NASTY {
        assert_eq!(get(&format!("/bucket/{}", encode(key))).send(&store).await.expect(200).text(), key);
    }
    let mut sorted = NASTY;
    sorted.sort_unstable();
    let listed = get("/bucket?encoding-type=url&list-type=2").send(&store).await.elements("Key");
    let decode = |text: &String| {
        let spaced = text.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced).decode_utf8().unwrap().into_owned()
    };
    assert_eq!(listed.iter().map(decode).collect::<Vec<_>>(), sorted);
    let plain = get("/bucket?list-type=2&prefix=%0D").send(&store).await;
    assert_eq!(plain.elements("Key"), ["&#xd;leading CR"]);
    for key in NASTY {
        delete(&format!("/bucket/{}", encode(key))).send(&store).await.expect(204);
    }
    delete("/bucket").send(&store).await.expect(204);
}

#[tokio::test]
async fn key_lengths() {
    let store = store_with_bucket().await;
    put(&format!("/bucket/{}", "k".repeat(1024))).send(&store).await.expect(200);
    put(&format!("/bucket/{}", "k".repeat(1025))).send(&store).await.refused(400, "KeyTooLongError");
    put(&format!("/bucket/{}", encode(&"é".repeat(513)))).send(&store).await.refused(400, "KeyTooLongError");
}

#[tokio::test]
async fn what_is_put_comes_back() {
    let store = store_with_bucket().await;
    let headers = [
        ("content-type", "text/x"),
        ("cache-control", "no-cache"),
        ("content-disposition", "attachment"),
        ("content-language", "de"),
        ("content-encoding", "gzip"),
        ("expires", "0"),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-website-redirect-location", "/elsewhere"),
        ("x-amz-server-side-encryption", "aws:kms"),
        ("x-amz-server-side-encryption-aws-kms-key-id", "a-key"),
        ("x-amz-meta-one", "=?UTF-8?B?w6k=?="),
    ];
    let tagged = put("/bucket/k").header("x-amz-tagging", "a=1&b=2").header("x-amz-acl", "public-read").body("12345");
    headers.iter().fold(tagged, |ask, (name, value)| ask.header(name, value)).send(&store).await.expect(200);
    for (answer, body) in [(get("/bucket/k"), "12345"), (head("/bucket/k"), "")] {
        let answer = answer.send(&store).await.expect(200);
        assert_eq!(answer.text(), body);
        for (name, value) in headers {
            assert_eq!(answer.get(name), Some(value), "{name}");
        }
        assert_eq!(answer.get("content-length"), Some("5"));
        assert_eq!(answer.get("x-amz-tagging-count"), Some("2"));
        assert_eq!(answer.get("last-modified"), Some("Fri, 24 May 2013 00:00:00 GMT"));
        assert_eq!(answer.get("accept-ranges"), Some("bytes"));
    }
    let acl = get("/bucket/k?acl").send(&store).await.expect(200);
    assert_eq!(acl.elements("Permission"), ["FULL_CONTROL", "READ"]);
    assert_eq!(get("/bucket?acl").send(&store).await.expect(200).elements("Permission"), ["FULL_CONTROL"]);
    put("/bucket/k").header("x-amz-acl", "open").send(&store).await.refused(400, "InvalidArgument");
    put("/bucket/k").header("x-amz-meta-big", &"x".repeat(2046)).send(&store).await.refused(400, "MetadataTooLarge");
    // Encoded words count as what they stand for.
    let word = format!("=?UTF-8?B?{}?=", base64("ü".repeat(1022).as_bytes()));
    put("/bucket/k").header("x-amz-meta-word", &word).send(&store).await.expect(200);
    put("/bucket/k").header("x-amz-meta-words", &word).send(&store).await.refused(400, "MetadataTooLarge");
    put("/bucket/k").header("x-amz-storage-class", "PAPER").send(&store).await.refused(400, "InvalidStorageClass");
    put("/bucket/k").header("x-amz-tagging", "a=1&a=2").send(&store).await.refused(400, "InvalidTag");
}

#[tokio::test]
async fn metadata_of_one_name_is_joined() {
    let store = store_with_bucket().await;
    // The signer would sign two lines of one name; S3 signs them joined.
    let (mut request, _) = put("/bucket/k").header("x-amz-meta-a", "1,2").signed();
    request.headers_mut().remove("x-amz-meta-a");
    for value in ["1", "2"] {
        request.headers_mut().append("x-amz-meta-a", value.parse().unwrap());
    }
    Answer::of(store.handle(request).await).await.expect(200);
    assert_eq!(head("/bucket/k").send(&store).await.get("x-amz-meta-a"), Some("1,2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_first_writers_wins() {
    let store = store_with_bucket().await;
    let calls = (0..64).map(|at| {
        let store = store.clone();
        tokio::spawn(async move {
            put("/bucket/k").header("if-none-match", "*").body(format!("{at}")).send(&store).await.status.as_u16()
        })
    });
    let mut statuses: Vec<u16> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert!(statuses[1..].iter().all(|status| *status == 412), "{statuses:?}");
}

#[tokio::test]
async fn conditions() {
    let store = store_with_bucket().await;
    let etag = put("/bucket/k").body("x").send(&store).await.get("etag").unwrap().to_owned();
    let (past, now, future) =
        ("Thu, 23 May 2013 00:00:00 GMT", "Fri, 24 May 2013 00:00:00 GMT", "Sat, 25 May 2013 00:00:00 GMT");
    for (headers, status) in [
        (vec![("if-match", etag.as_str())], 200),
        (vec![("if-match", "\"other\"")], 412),
        (vec![("if-match", "*")], 200),
        (vec![("if-none-match", etag.as_str())], 304),
        (vec![("if-none-match", "\"a\", \"b\"")], 200),
        (vec![("if-modified-since", past)], 200),
        (vec![("if-modified-since", now)], 304),
        (vec![("if-modified-since", "garbage")], 200),
        // What is not yet is no date to have been modified since.
        (vec![("if-modified-since", future)], 200),
        (vec![("if-unmodified-since", past)], 412),
        (vec![("if-unmodified-since", now)], 200),
        (vec![("if-match", etag.as_str()), ("if-unmodified-since", past)], 200),
        (vec![("if-none-match", "\"a\""), ("if-modified-since", future)], 200),
    ] {
        for method in ["GET", "HEAD"] {
            let asked = headers.iter().fold(ask(method, "/bucket/k"), |it, (name, value)| it.header(name, value));
            let answer = asked.send(&store).await;
            assert_eq!(answer.status.as_u16(), status, "{method} {headers:?}");
            if status == 304 {
                assert_eq!((answer.get("etag"), answer.body.len()), (Some(etag.as_str()), 0));
            }
        }
    }
    put("/bucket/k").header("if-match", "\"other\"").send(&store).await.refused(412, "PreconditionFailed");
    put("/bucket/new").header("if-match", &etag).send(&store).await.refused(404, "NoSuchKey");
    put("/bucket/k").header("if-none-match", &etag).send(&store).await.refused(501, "NotImplemented");
    delete("/bucket/k").header("if-match", "\"other\"").send(&store).await.refused(412, "PreconditionFailed");
    delete("/bucket/k").header("if-match", &etag).send(&store).await.expect(204);
    get("/bucket/k").send(&store).await.refused(404, "NoSuchKey");
}

#[tokio::test]
async fn ranges() {
    let store = store_with_bucket().await;
    put("/bucket/k").body("0123456789").send(&store).await.expect(200);
    for (range, status, body, content_range) in [
        ("bytes=2-4", 206, "234", Some("bytes 2-4/10")),
        ("bytes=7-", 206, "789", Some("bytes 7-9/10")),
        ("bytes=-3", 206, "789", Some("bytes 7-9/10")),
        ("bytes=0-99", 206, "0123456789", Some("bytes 0-9/10")),
        ("bytes=0-1,3-4", 200, "0123456789", None),
        ("bytes=4-2", 200, "0123456789", None),
        ("nonsense", 200, "0123456789", None),
    ] {
        let answer = get("/bucket/k").header("range", range).send(&store).await.expect(status);
        assert_eq!((answer.text().as_str(), answer.get("content-range")), (body, content_range), "{range}");
        let answer = head("/bucket/k").header("range", range).send(&store).await.expect(status);
        assert_eq!(answer.get("content-length"), Some(body.len().to_string().as_str()), "{range}");
        assert!(answer.body.is_empty());
    }
    let answer = get("/bucket/k").header("range", "bytes=10-").send(&store).await.refused(416, "InvalidRange");
    assert_eq!(answer.get("content-range"), Some("bytes */10"));
}

#[tokio::test]
async fn checksums() {
    let store = store_with_bucket().await;
    let send = |name: &str, value: &str| put("/bucket/k").header(name, value).body("hello");
    for (name, good, bad) in [
        ("x-amz-checksum-crc32", "NhCmhg==", "AAAAAA=="),
        ("x-amz-checksum-crc32c", "mnG7TA==", "AAAAAA=="),
        ("x-amz-checksum-crc64nvme", "M3eFcAZSQlc=", "AAAAAAAAAAA="),
        ("x-amz-checksum-sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00=", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("x-amz-checksum-sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=", &base64(&[0; 32])),
        ("content-md5", "XUFAKrxLKna5cZ2REBfFkg==", &base64(&[0; 16])),
    ] {
        send(name, good).send(&store).await.expect(200);
        if name.starts_with("x-amz") {
            let answer = get("/bucket/k").header("x-amz-checksum-mode", "ENABLED").send(&store).await;
            assert_eq!((answer.get(name), answer.get("x-amz-checksum-type")), (Some(good), Some("FULL_OBJECT")));
            assert_eq!(get("/bucket/k").send(&store).await.get(name), None);
        }
        send(name, bad).send(&store).await.refused(400, "BadDigest");
    }
    send("content-md5", "short").send(&store).await.refused(400, "InvalidDigest");
    send("x-amz-checksum-crc32", "short").send(&store).await.refused(400, "InvalidRequest");
    send("x-amz-checksum-sha512", &base64(&[0; 64])).send(&store).await.refused(501, "NotImplemented");
    let begun = post("/bucket/k?uploads").header("x-amz-checksum-algorithm", "SHA512");
    begun.send(&store).await.refused(501, "NotImplemented");
    send("x-amz-sdk-checksum-algorithm", "CRC32").send(&store).await.refused(400, "InvalidRequest");
    let two = send("x-amz-checksum-crc32", "NhCmhg==").header("x-amz-checksum-crc32c", "mnG7TA==");
    two.send(&store).await.refused(400, "InvalidRequest");
    let answer = put("/bucket/k").body("hello").send(&store).await.expect(200);
    assert_eq!(answer.get("x-amz-checksum-crc64nvme"), Some("M3eFcAZSQlc="), "the default");
    let ranged = get("/bucket/k").header("range", "bytes=0-1").header("x-amz-checksum-mode", "ENABLED");
    assert_eq!(ranged.send(&store).await.get("x-amz-checksum-crc64nvme"), None);
}

#[tokio::test]
async fn a_customers_key_is_asked_for_again() {
    let store = store_with_bucket().await;
    let with_key = |ask: Ask, prefix: &str, byte: u8| {
        ask.header(&format!("{prefix}-algorithm"), "AES256")
            .header(&format!("{prefix}-key"), &base64(&[byte; 32]))
            .header(&format!("{prefix}-key-md5"), &md5_base64(&[byte; 32]))
    };
    let prefix = "x-amz-server-side-encryption-customer";
    let md5_of_key = md5_base64(&[b'k'; 32]);
    let half = put("/bucket/k").header(&format!("{prefix}-algorithm"), "AES256");
    half.send(&store).await.refused(400, "InvalidArgument");
    let written = with_key(put("/bucket/k").body("x"), prefix, b'k').send(&store).await.expect(200);
    assert_eq!(written.get("x-amz-server-side-encryption-customer-key-md5"), Some(md5_of_key.as_str()));
    get("/bucket/k").send(&store).await.refused(400, "InvalidRequest");
    head("/bucket/k").send(&store).await.expect(400);
    with_key(get("/bucket/k"), prefix, b'z').send(&store).await.refused(403, "AccessDenied");
    assert_eq!(with_key(get("/bucket/k"), prefix, b'k').send(&store).await.expect(200).text(), "x");
    let copy = put("/bucket/copy").header("x-amz-copy-source", "bucket/k");
    copy.send(&store).await.refused(400, "InvalidRequest");
    let source = "x-amz-copy-source-server-side-encryption-customer";
    with_key(copy, source, b'k').send(&store).await.expect(200);
    assert_eq!(get("/bucket/copy").send(&store).await.text(), "x");
    let log = format!("{:?}", store.requests());
    assert!(!log.contains(&base64(&[b'k'; 32])), "the key is in the log");
}

fn md5_base64(bytes: &[u8]) -> String {
    use md5::Digest;
    base64(&md5::Md5::digest(bytes))
}

#[tokio::test]
async fn copies() {
    let store = store_with_bucket().await;
    let original = put("/bucket/a%3Fb").header("x-amz-meta-m", "1").header("content-type", "t/t").body("data");
    let etag = original.header("x-amz-tagging", "a=1").send(&store).await.get("etag").unwrap().to_owned();
    let copy = |to: &str| put(to).header("x-amz-copy-source", "/bucket/a%3Fb");
    let answer = copy("/bucket/c").send(&store).await.expect(200);
    assert_eq!(answer.element("ETag"), Some(etag.replace('"', "&quot;")));
    let there = head("/bucket/c").send(&store).await;
    assert_eq!(
        (there.get("x-amz-meta-m"), there.get("content-type"), there.get("x-amz-tagging-count")),
        (Some("1"), Some("t/t"), Some("1"))
    );
    let replaced = copy("/bucket/c").header("x-amz-metadata-directive", "REPLACE").header("x-amz-meta-n", "2");
    replaced.header("x-amz-tagging-directive", "REPLACE").send(&store).await.expect(200);
    let there = head("/bucket/c").send(&store).await;
    assert_eq!(
        (there.get("x-amz-meta-m"), there.get("x-amz-meta-n"), there.get("x-amz-tagging-count")),
        (None, Some("2"), None)
    );
    copy("/bucket/a%3Fb").send(&store).await.refused(400, "InvalidRequest");
    copy("/bucket/c").header("if-none-match", "*").send(&store).await.refused(412, "PreconditionFailed");
    for (name, value, status) in [
        ("x-amz-copy-source-if-match", "\"other\"", 412),
        ("x-amz-copy-source-if-match", etag.as_str(), 200),
        ("x-amz-copy-source-if-none-match", etag.as_str(), 412),
        ("x-amz-copy-source-if-modified-since", "Fri, 24 May 2013 00:00:00 GMT", 412),
        ("x-amz-copy-source-if-modified-since", "Sat, 25 May 2013 00:00:00 GMT", 200),
        ("x-amz-copy-source-if-unmodified-since", "Thu, 23 May 2013 00:00:00 GMT", 412),
    ] {
        let answer = copy("/bucket/d").header(name, value).send(&store).await.expect(status);
        let condition = answer.element("Condition").filter(|condition| condition.to_lowercase() == name);
        assert_eq!(condition.is_some(), status == 412, "{name}: {}", answer.text());
    }
    put("/bucket/d").header("x-amz-copy-source", "bucket/none").send(&store).await.refused(404, "NoSuchKey");
    put("/bucket/d").header("x-amz-copy-source", "nowhere/k").send(&store).await.refused(404, "NoSuchBucket");
}

#[tokio::test]
async fn a_stream_must_say_its_length() {
    let store = store_with_bucket().await;
    let (request, _) = put("/bucket/k").set(|it| it.payload = Some(UNSIGNED.to_owned())).signed();
    let pieces = || futures_util::stream::iter([Ok(Bytes::from_static(b"he")), Ok(Bytes::from_static(b"llo"))]);
    let send = |length: Option<u64>| {
        let mut sent = http::Request::new(Body::stream(length, pieces()));
        *sent.method_mut() = request.method().clone();
        *sent.uri_mut() = request.uri().clone();
        *sent.headers_mut() = request.headers().clone();
        let store = store.clone();
        async move { Answer::of(store.handle(sent).await).await }
    };
    put("/bucket/k").header("content-length", "5368709121").send(&store).await.refused(400, "EntityTooLarge");
    send(None).await.refused(411, "MissingContentLength");
    send(Some(4)).await.refused(400, "IncompleteBody");
    send(Some(6)).await.refused(400, "IncompleteBody");
    head("/bucket/k").send(&store).await.expect(404);
    send(Some(5)).await.expect(200);
    assert_eq!(get("/bucket/k").send(&store).await.text(), "hello");
}

#[tokio::test]
async fn a_put_that_is_dropped_leaves_nothing() {
    let store = store_with_bucket().await;
    let (mut request, _) = put("/bucket/k").set(|it| it.payload = Some(UNSIGNED.to_owned())).signed();
    let first = futures_util::stream::iter([Ok(Bytes::from_static(b"he"))]);
    *request.body_mut() = Body::stream(Some(5), first.chain(futures_util::stream::pending()));
    assert!(store.handle(request).now_or_never().is_none());
    get("/bucket/k").send(&store).await.refused(404, "NoSuchKey");
    assert_eq!(store.requests()[1].status, None, "nobody saw an answer");
}

#[tokio::test]
async fn archived_objects_cannot_be_read() {
    let store = store_with_bucket().await;
    put("/bucket/k").header("x-amz-storage-class", "GLACIER").body("x").send(&store).await.expect(200);
    let answer = get("/bucket/k").send(&store).await.refused(403, "InvalidObjectState");
    assert_eq!(answer.element("StorageClass").as_deref(), Some("GLACIER"));
    head("/bucket/k").send(&store).await.expect(200);
}

#[tokio::test]
async fn what_is_not_carried_is_said_so() {
    let store = store_with_bucket().await;
    for ask in [
        get("/bucket?metrics"),
        put("/bucket?replication").body("<x/>"),
        put("/bucket?inventory&id=1").body("<x/>"),
        get("/bucket?brand-new"),
        get("/bucket/k?torrent"),
        post("/bucket/k?restore"),
        post("/bucket/k"),
        delete("/bucket?notification"),
        put("/bucket/k").header("x-amz-write-offset-bytes", "0"),
        // A lock that was taken and not kept would be worse than none.
        put("/bucket/k").header("x-amz-object-lock-event-hold", "ON"),
        put("/bucket/k").header("x-amz-object-lock-event-hold-duration-days", "7"),
        put("/other-bucket").header("x-amz-bucket-namespace", "account-regional"),
    ] {
        let answer = ask.send(&store).await.refused(501, "NotImplemented");
        assert_eq!(answer.get("content-type"), Some("application/xml"));
    }
}

#[tokio::test]
async fn documents_are_read_strictly() {
    let store = store_with_bucket().await;
    let md5 = |body: &str| md5_base64(body.as_bytes());
    let versioning = |body: &str| put("/bucket?versioning").body(body);
    let good = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    versioning(&format!("{good}trailing")).send(&store).await.refused(400, "MalformedXML");
    versioning("<VersioningConfiguration>").send(&store).await.refused(400, "MalformedXML");
    versioning(good).header("content-md5", &md5("other")).send(&store).await.refused(400, "BadDigest");
    versioning(good).header("content-md5", &md5(good)).send(&store).await.expect(200);
    let doc = "<Delete><Object><Key>k</Key></Object></Delete>";
    post("/bucket?delete").body(doc).send(&store).await.refused(400, "InvalidRequest");
    let bad = post("/bucket?delete").body(doc).header("x-amz-checksum-crc32", "AAAAAA==");
    bad.send(&store).await.refused(400, "BadDigest");
    post("/bucket?delete").body(doc).header("content-md5", &md5(doc)).send(&store).await.expect(200);
    for (object, status, code) in [
        ("<Key></Key>", 400, "MalformedXML"),
        ("<Key>k</Key><VersionId></VersionId>", 400, "MalformedXML"),
        ("<Key><![CDATA[k]]></Key>", 501, "NotImplemented"),
    ] {
        let doc = format!("<Delete><Object>{object}</Object></Delete>");
        let ask = post("/bucket?delete").header("content-md5", &md5(&doc)).body(doc);
        ask.send(&store).await.refused(status, code);
    }
}

#[tokio::test]
async fn requests_are_logged() {
    let store = store_with_bucket().await;
    store.clear_requests();
    put("/bucket/a%20b").body("12345").send(&store).await.expect(200);
    get("/bucket/a%20b").send(&store).await.expect(200);
    get("/bucket?metrics").send(&store).await.expect(501);
    let url = get("/bucket/a%20b?versionId=null").presigned("60");
    Answer::of(store.handle(url.bare()).await).await.expect(200);
    assert_eq!(store.requests()[3].query, "versionId=null");
    let log: Vec<_> = store
        .requests()
        .into_iter()
        .map(|it| (it.operation, it.key, it.path, it.status.unwrap().as_u16(), it.bytes_in, it.bytes_out))
        .collect();
    assert_eq!(log[0], ("PutObject", "a b".to_owned(), "/bucket/a%20b".to_owned(), 200, 5, 0));
    assert_eq!(log[1], ("GetObject", "a b".to_owned(), "/bucket/a%20b".to_owned(), 200, 0, 5));
    assert_eq!((log[2].0, log[2].3), ("", 501));
    assert_eq!(log.len(), 4);
}
