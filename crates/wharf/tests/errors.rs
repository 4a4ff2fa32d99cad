//! The exact line of every error that S3 answers, or that is found before anything is sent.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use support::{Server, client_of, error_document, line};
use wharf::{Client, CustomerKey, Encryption, Error, ErrorKind};
use wharf_embedded::Store;

/// The error's line and kind, side by side.
fn told<T: std::fmt::Debug>(result: Result<T, Error>) -> (String, ErrorKind) {
    let error = result.unwrap_err();
    (line(&error), error.kind())
}

fn expect(line: &str, kind: ErrorKind) -> (String, ErrorKind) {
    (line.to_owned(), kind)
}

async fn embedded() -> Client {
    let s3 = Client::builder().transport(Store::in_memory()).build().unwrap();
    s3.create_bucket("my-bucket").await.unwrap();
    s3.put_object("my-bucket", "docs/a.txt", "Hello!").await.unwrap();
    s3
}

/// A client of a server that answers everything the same.
async fn answered(status: u16, code: &str, message: &str) -> (Client, Server) {
    let body = error_document(code, message);
    let server = Server::always(format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len())).await;
    (client_of(server.url()).build().unwrap(), server)
}

#[test]
fn an_error_is_one_pointer_wide() {
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
}

#[tokio::test]
async fn no_such_key() {
    assert_eq!(
        told(embedded().await.get_object("my-bucket", "docs/b\n.txt").await),
        expect(
            "GetObject my-bucket/docs/b\\n.txt: The specified key does not exist. (NoSuchKey, HTTP 404, request ID)",
            ErrorKind::NoSuchKey
        )
    );
}

#[tokio::test]
async fn a_slash_before_a_key_that_is_missing_is_pointed_out() {
    let s3 = embedded().await;
    let hint = |error: Error| error.hint().map(str::to_owned);
    let slash = Some("leave out the slash at the beginning of the key, if it is not part of it".to_owned());
    assert_eq!(hint(s3.get_object("my-bucket", "/docs/a.txt").await.unwrap_err()), slash);
    assert_eq!(hint(s3.head_object("my-bucket", "/docs/a.txt").await.unwrap_err()), slash);
    let source = Some("it is the source that is not there: my-bucket/none".to_owned());
    assert_eq!(hint(s3.copy_object("my-bucket", "none", "my-bucket", "/b").await.unwrap_err()), source);
}

#[tokio::test]
async fn no_such_bucket() {
    let s3 = embedded().await;
    let expected = |operation, place| {
        let line =
            format!("{operation} {place}: The specified bucket does not exist (NoSuchBucket, HTTP 404, request ID)");
        (line, ErrorKind::NoSuchBucket)
    };
    assert_eq!(told(s3.list_objects("no-bucket").await), expected("ListObjectsV2", "no-bucket"));
    assert_eq!(told(s3.put_object("no-bucket", "a", "1").await), expected("PutObject", "no-bucket/a"));
    assert_eq!(told(s3.get_object("no-bucket", "a").text().await), expected("GetObject", "no-bucket/a"));
}

#[tokio::test]
async fn bucket_already_exists() {
    let store = Store::builder().account("other", "AKIAOTHER", "its-secret").build();
    let s3 = Client::builder().transport(store.clone()).build().unwrap();
    let other = Client::builder().transport(store).credentials("AKIAOTHER", "its-secret").build().unwrap();
    other.create_bucket("my-bucket").await.unwrap();
    let (line, kind) = told(s3.create_bucket("my-bucket").await);
    assert_eq!(
        line,
        "CreateBucket my-bucket: The requested bucket name is not available. The bucket namespace is shared by all \
         users of the system. Please select a different name and try again. (BucketAlreadyExists, HTTP 409, request ID)"
    );
    assert_eq!(kind, ErrorKind::BucketAlreadyExists);
}

#[tokio::test]
async fn bucket_already_owned_by_you() {
    // In us-east-1 S3 answers 200 to a second CreateBucket, so another region.
    let store = Store::builder().region("eu-west-1").build();
    let s3 = Client::builder().transport(store).build().unwrap();
    s3.create_bucket("my-bucket").await.unwrap();
    assert_eq!(
        told(s3.create_bucket("my-bucket").await),
        expect(
            "CreateBucket my-bucket: Your previous request to create the named bucket succeeded and you already own \
             it. (BucketAlreadyOwnedByYou, HTTP 409, request ID)",
            ErrorKind::BucketAlreadyOwnedByYou
        )
    );
}

#[tokio::test]
async fn bucket_not_empty() {
    let error = embedded().await.delete_bucket("my-bucket").await.unwrap_err();
    assert_eq!(
        line(&error),
        "DeleteBucket my-bucket: The bucket you tried to delete is not empty (BucketNotEmpty, HTTP 409, request ID)"
    );
    assert_eq!(error.kind(), ErrorKind::BucketNotEmpty);
    assert_eq!(error.hint(), Some("delete its objects first, all versions and unfinished uploads included"));
}

#[tokio::test]
async fn not_found_for_a_head() {
    assert_eq!(
        told(embedded().await.head_object("my-bucket", "nope").await),
        expect(
            "HeadObject my-bucket/nope: not found: no such object, or no such bucket (HTTP 404, request ID)",
            ErrorKind::NotFound
        )
    );
}

#[tokio::test]
async fn not_found_for_the_head_of_a_bucket() {
    let line = "HeadBucket no-bucket: not found: no such bucket (HTTP 404, request ID)";
    assert_eq!(told(embedded().await.head_bucket("no-bucket").await), expect(line, ErrorKind::NotFound));
    assert_eq!(told(embedded().await.object_exists("no-bucket", "a").await), expect(line, ErrorKind::NoSuchBucket));
}

#[tokio::test]
async fn not_modified() {
    let s3 = embedded().await;
    let etag = s3.head_object("my-bucket", "docs/a.txt").await.unwrap().etag;
    assert_eq!(
        told(s3.get_object("my-bucket", "docs/a.txt").if_none_match(&etag).await),
        expect("GetObject my-bucket/docs/a.txt: not modified (HTTP 304, request ID)", ErrorKind::NotModified)
    );
}

#[tokio::test]
async fn access_denied() {
    let store = Store::builder().account("other", "AKIAOTHER", "its-secret").build();
    let s3 = Client::builder().transport(store.clone()).build().unwrap();
    s3.create_bucket("my-bucket").await.unwrap();
    let other = Client::builder().transport(store).credentials("AKIAOTHER", "its-secret").build().unwrap();
    assert_eq!(
        told(other.get_object("my-bucket", "a").await),
        expect("GetObject my-bucket/a: Access Denied (AccessDenied, HTTP 403, request ID)", ErrorKind::AccessDenied)
    );
    assert_eq!(
        told(other.head_object("my-bucket", "a").await),
        expect("HeadObject my-bucket/a: forbidden (HTTP 403, request ID)", ErrorKind::AccessDenied)
    );
}

#[tokio::test]
async fn wrong_secret() {
    let store = Store::in_memory();
    let s3 = Client::builder().transport(store.clone()).credentials(store.access_key_id(), "wrong").build().unwrap();
    let error = s3.list_buckets().await.unwrap_err();
    assert_eq!(
        line(&error),
        "ListBuckets: The request signature we calculated does not match the signature you provided. Check your key \
         and signing method. (SignatureDoesNotMatch, HTTP 403, request ID)"
    );
    assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
    assert!(format!("{error:?}").contains("hint: check the secret access key"), "{error:?}");
}

#[tokio::test]
async fn unknown_key_id() {
    let s3 = Client::builder().transport(Store::in_memory()).credentials("AKIANOBODY", "wrong").build().unwrap();
    assert_eq!(
        told(s3.list_buckets().await),
        expect(
            "ListBuckets: The AWS Access Key Id you provided does not exist in our records. (InvalidAccessKeyId, HTTP \
             403, request ID)",
            ErrorKind::InvalidCredentials
        )
    );
}

#[tokio::test]
async fn precondition_failed() {
    assert_eq!(
        told(embedded().await.put_object("my-bucket", "docs/a.txt", "again").if_absent().await),
        expect(
            "PutObject my-bucket/docs/a.txt: At least one of the pre-conditions you specified did not hold \
             (PreconditionFailed, HTTP 412, request ID)",
            ErrorKind::PreconditionFailed
        )
    );
}

#[tokio::test]
async fn conflict() {
    let message = "The conditional request cannot succeed due to a conflicting operation against this resource.";
    let (s3, _server) = answered(409, "ConditionalRequestConflict", message).await;
    assert_eq!(
        told(s3.put_object("my-bucket", "a", "1").if_absent().await),
        expect(
            "PutObject my-bucket/a: The conditional request cannot succeed due to a conflicting operation against \
             this resource. (ConditionalRequestConflict, HTTP 409, request ID, 3 attempts)",
            ErrorKind::ConditionalRequestConflict
        )
    );
}

#[tokio::test]
async fn invalid_range() {
    assert_eq!(
        told(embedded().await.get_object("my-bucket", "docs/a.txt").range(100..200).await),
        expect(
            "GetObject my-bucket/docs/a.txt: The requested range is not satisfiable (InvalidRange, HTTP 416, request ID)",
            ErrorKind::InvalidRange
        )
    );
}

#[tokio::test]
async fn a_range_that_was_ignored() {
    let head = "HTTP/1.1 200 OK\r\nx-amz-request-id: 4442587FB7D0A2F9\r\ncontent-length: 6\r\n\r\n";
    let server = Server::always(format!("{head}Hello!")).await;
    let s3 = client_of(server.url()).build().unwrap();
    let error = s3.get_object("my-bucket", "a").range(2..4).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "GetObject my-bucket/a: the server ignored the range and sent the whole object (HTTP 200, request \
         4442587FB7D0A2F9)"
    );
    assert_eq!(error.attempts(), 1);
}

/// Whether that is the range, nobody can tell.
#[tokio::test]
async fn a_range_that_is_not_said() {
    let server =
        Server::always("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\nHello!\r\n0\r\n\r\n".to_owned())
            .await;
    let s3 = client_of(server.url()).build().unwrap();
    let error = s3.get_object("my-bucket", "a").range(0..4).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse);
    assert!(error.to_string().contains("does not say which bytes it sent"), "{error}");
    assert_eq!(s3.get_object("my-bucket", "a").range(0..).text().await.unwrap(), "Hello!");
}

/// As Ceph and rclone do, and as a cache might.
#[tokio::test]
async fn other_bytes_than_were_asked_for() {
    let whole = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nHello!".to_owned();
    let server = Server::always(whole).await;
    let s3 = client_of(server.url()).build().unwrap();
    assert_eq!(s3.get_object("my-bucket", "a").part_number(1).text().await.unwrap(), "Hello!");
    let error = s3.get_object("my-bucket", "a").part_number(2).await.unwrap_err();
    assert_eq!(
        told(Err::<(), _>(error)),
        (
            "GetObject my-bucket/a: the server ignored the part's number and sent the whole object (HTTP 200)"
                .to_owned(),
            ErrorKind::MalformedResponse
        )
    );
    let rounded = "HTTP/1.1 206 X\r\ncontent-range: bytes 0-3/10\r\ncontent-length: 4\r\n\r\nHell".to_owned();
    let server = Server::always(rounded).await;
    let s3 = client_of(server.url()).build().unwrap();
    assert_eq!(s3.get_object("my-bucket", "a").range(0..4).text().await.unwrap(), "Hell");
    let error = s3.get_object("my-bucket", "a").range(2..4).await.unwrap_err();
    assert_eq!(
        told(Err::<(), _>(error)),
        (
            "GetObject my-bucket/a: the server sent other bytes than the range has (HTTP 206)".to_owned(),
            ErrorKind::MalformedResponse
        )
    );
}

/// What cannot be sent is told with its object too.
#[tokio::test]
async fn options_that_cannot_be_sent() {
    let s3 = client_of("http://127.0.0.1:1").build().unwrap();
    let put = s3.put_object("my-bucket", "a", "1").if_match("").await;
    assert_eq!(told(put).0, "PutObject my-bucket/a: an empty ETag cannot be a condition");
    let get = s3.get_object("my-bucket", "a").range(5..5).await;
    assert_eq!(told(get).0, "GetObject my-bucket/a: the byte range is empty");
}

#[tokio::test]
async fn no_such_upload() {
    let message = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been \
                   aborted or completed.";
    let (s3, _server) = answered(404, "NoSuchUpload", message).await;
    assert_eq!(
        told(s3.upload_part("my-bucket", "big", "no-upload", 1, "bytes").await),
        (format!("UploadPart my-bucket/big: {message} (NoSuchUpload, HTTP 404, request ID)"), ErrorKind::NoSuchUpload)
    );
}

#[tokio::test]
async fn invalid_bucket_names() {
    let s3 = client_of("http://127.0.0.1:1").build().unwrap();
    for (bucket, problem) in [
        ("", "it is empty"),
        ("s3://my-bucket", "it is a URI; give the bucket alone, or parse it with S3Uri"),
        ("my-bucket/docs", "it contains '/'; a bucket and a key are two arguments"),
        ("my", "it must have 3 to 63 characters"),
        ("b*", "a bucket is named in full, * and ? stand for nothing in its name"),
        ("my bucket", "only a-z, 0-9, '.' and '-' may be used"),
        ("my..bucket", "it must begin and end with a letter or digit, without two dots in a row"),
    ] {
        assert_eq!(
            told(s3.create_bucket(bucket).await),
            (format!("CreateBucket: invalid bucket name {bucket:?}: {problem}"), ErrorKind::InvalidInput)
        );
    }
}

#[tokio::test]
async fn keys_that_cannot_be() {
    let s3 = client_of("http://127.0.0.1:1").build().unwrap();
    assert_eq!(
        told(s3.get_object("my-bucket", "").await),
        expect("GetObject my-bucket: the key is empty", ErrorKind::InvalidInput)
    );
    assert_eq!(
        told(s3.head_object("my-bucket", "").await),
        expect("HeadObject my-bucket: the key is empty", ErrorKind::InvalidInput)
    );
    assert_eq!(
        told(s3.put_object("my-bucket", "é".repeat(513), "x").await),
        expect("PutObject my-bucket: the key has 1026 bytes; S3 keys have at most 1024", ErrorKind::InvalidInput)
    );
}

#[tokio::test]
async fn metadata_and_headers_that_cannot_be_sent() {
    let s3 = client_of("http://127.0.0.1:1").build().unwrap();
    for (call, problem) in [
        (
            s3.put_object("my-bucket", "a", "x").metadata("note", "b\nc"),
            "metadata \"note\": a value must not contain '\\n'",
        ),
        (
            s3.put_object("my-bucket", "a", "x").metadata("note", "b".repeat(3000)),
            "the metadata has 3004 bytes of names and values; S3 takes at most 2048",
        ),
        (
            s3.put_object("my-bucket", "a", "x").content_language("é"),
            "content-language: a header's value must be ASCII",
        ),
    ] {
        let error = call.await.unwrap_err();
        assert_eq!(error.to_string(), format!("PutObject my-bucket/a: {problem}"));
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidInput, 0));
    }
}

#[tokio::test]
async fn bad_digest() {
    let s3 = embedded().await;
    let wrong = wharf::Checksum::parse(wharf::ChecksumAlgorithm::Crc32, "AAAAAA==").unwrap();
    assert_eq!(
        told(s3.put_object("my-bucket", "a", "Hello!").checksum_value(wrong).await),
        expect(
            "PutObject my-bucket/a: The CRC32 you specified did not match the calculated checksum. (BadDigest, HTTP \
             400, request ID)",
            ErrorKind::BadDigest
        )
    );
    assert_eq!(s3.get_object("my-bucket", "a").await.unwrap_err().kind(), ErrorKind::NoSuchKey);
}

#[tokio::test]
async fn an_archived_object() {
    let message = "The operation is not valid for the object's storage class";
    let (s3, _server) = answered(403, "InvalidObjectState", message).await;
    let error = s3.get_object("my-bucket", "old").await.unwrap_err();
    assert_eq!(line(&error), format!("GetObject my-bucket/old: {message} (InvalidObjectState, HTTP 403, request ID)"));
    assert_eq!(error.kind(), ErrorKind::InvalidObjectState);
    assert_eq!(error.hint(), Some("restore the object from the archive first (RestoreObject)"));
}

#[tokio::test]
async fn not_implemented() {
    let (s3, _server) =
        answered(501, "NotImplemented", "A header you provided implies functionality that is not implemented").await;
    assert_eq!(
        told(s3.get_bucket_versioning("my-bucket").await),
        expect(
            "GetBucketVersioning my-bucket: A header you provided implies functionality that is not implemented \
             (NotImplemented, HTTP 501, request ID)",
            ErrorKind::NotImplemented
        )
    );
}

#[tokio::test]
async fn slow_down_after_all_attempts() {
    let (s3, _server) = answered(503, "SlowDown", "Please reduce your request rate.").await;
    let error = s3.get_object("my-bucket", "a").await.unwrap_err();
    assert_eq!(
        line(&error),
        "GetObject my-bucket/a: Please reduce your request rate. (SlowDown, HTTP 503, request ID, 3 attempts)"
    );
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::SlowDown, 3));
}

#[tokio::test]
async fn a_server_error_without_a_word() {
    let server = Server::always("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").await;
    let s3 = client_of(server.url()).build().unwrap();
    assert_eq!(
        told(s3.get_object("my-bucket", "a").await),
        expect("GetObject my-bucket/a: bad gateway (HTTP 502, 3 attempts)", ErrorKind::Server)
    );
}

/// Where the server says which region is right, the client goes on with that: see corrections.rs.
#[tokio::test]
async fn the_wrong_region() {
    let message = "The authorization header is malformed; the region 'us-east-1' is wrong";
    let (s3, _server) = answered(400, "AuthorizationHeaderMalformed", message).await;
    let error = s3.list_buckets().await.unwrap_err();
    assert_eq!(line(&error), format!("ListBuckets: {message} (AuthorizationHeaderMalformed, HTTP 400, request ID)"));
    assert_eq!((error.kind(), error.region()), (ErrorKind::WrongRegion, None));
    assert_eq!(error.hint(), Some("set the client's region to the bucket's region"));
}

#[tokio::test]
async fn a_clock_that_is_wrong() {
    let (s3, _server) = answered(403, "RequestTimeTooSkewed", "The difference is too large.").await;
    let error = s3.list_buckets().await.unwrap_err();
    let expected = "ListBuckets: The difference is too large. (RequestTimeTooSkewed, HTTP 403, request ID)";
    assert_eq!(line(&error), expected);
    assert_eq!((error.kind(), error.hint()), (ErrorKind::RequestTimeTooSkewed, Some("set the clock of this machine")));
}

#[tokio::test]
async fn malformed_xml() {
    for (body, problem) in [
        ("<ListBucketResult><Contents>", "it ends early"),
        ("<ListBucketResult><A></B></ListBucketResult>", "<A> is closed by </B>"),
        ("{\"Contents\": []}", "it ends early"),
    ] {
        let head = format!("HTTP/1.1 200 OK\r\nx-amz-request-id: 1\r\ncontent-length: {}\r\n\r\n", body.len());
        let server = Server::always(head + body).await;
        let s3 = client_of(server.url()).build().unwrap();
        let expected =
            format!("ListObjectsV2 my-bucket: the answer is not well-formed XML: {problem} (HTTP 200, request ID)");
        assert_eq!(told(s3.list_objects("my-bucket").await), (expected, ErrorKind::MalformedResponse));
    }
}

#[tokio::test]
async fn an_html_page() {
    let page =
        "<!DOCTYPE html>\n<html><head><title>Sign in</title></head>\n<body><p>Welcome to the hotel.</p></body></html>";
    for (status, kind) in [(200, ErrorKind::MalformedResponse), (503, ErrorKind::Server), (404, ErrorKind::NotFound)] {
        let head = format!("HTTP/1.1 {status} X\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n", page.len());
        let server = Server::always(head + page).await;
        let s3 = client_of(server.url()).max_attempts(1).build().unwrap();
        let error = s3.list_objects("my-bucket").await.unwrap_err();
        let hint = format!("the answer is a web page, not S3's: is {} an S3 endpoint?", server.url());
        assert_eq!(error.hint() == Some(&hint), status == 200, "{error:?}");
        let (line, is) = (line(&error), error.kind());
        let problem = match status {
            200 => "the answer is not well-formed XML: expected <ListBucketResult>, found <html>",
            _ => "the answer is not S3's: \"Sign in Welcome to the hotel.\"",
        };
        assert_eq!(line, format!("ListObjectsV2 my-bucket: {problem} (HTTP {status})"));
        assert_eq!(is, kind);
    }
}

/// A write whose answer has no document is not taken for done by whatever answers.
#[tokio::test]
async fn a_web_page_is_no_success() {
    let page = "\n<!doctype HTML><html><body>Welcome</body></html>";
    let server = Server::always(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{page}", page.len())).await;
    let s3 = client_of(server.url()).max_attempts(1).build().unwrap();
    for result in [
        s3.put_object("my-bucket", "a", "x").await.map(drop),
        s3.delete_object("my-bucket", "a").await.map(drop),
        s3.create_bucket("my-bucket").await.map(drop),
        s3.delete_bucket("my-bucket").await.map(drop),
    ] {
        let error = result.unwrap_err();
        assert!(line(&error).contains(": the server answered with a web page (HTTP 200"), "{error}");
        assert_eq!(error.hint(), Some(&*format!("is {} an S3 endpoint?", server.url())));
    }
}

#[tokio::test]
async fn an_endpoint_that_names_a_bucket() {
    let hint =
        |path: &str| format!("the endpoint has a path, {path}: a bucket is named by the call, not by the endpoint");
    for (code, status) in [("NoSuchKey", 404), ("NoSuchBucket", 404)] {
        let (_, server) = answered(status, code, "It is not there.").await;
        let s3 = client_of(format!("{}/my-bucket", server.url())).build().unwrap();
        let error = s3.list_objects("other").await.unwrap_err();
        assert_eq!(error.hint(), Some(&*hint("/my-bucket")), "{error:?}");
    }
    // A key that is not there is none of the endpoint's.
    let (_, server) = answered(404, "NoSuchKey", "It is not there.").await;
    let s3 = client_of(format!("{}/s3", server.url())).build().unwrap();
    assert_eq!(s3.get_object("my-bucket", "a").await.unwrap_err().hint(), None);
    let s3 = client_of(server.url()).build().unwrap();
    assert_eq!(s3.list_objects("my-bucket").await.unwrap_err().hint(), None);
    // A bucket's listing in place of the buckets'.
    let server = Server::always("HTTP/1.1 200 OK\r\ncontent-length: 19\r\n\r\n<ListBucketResult/>").await;
    let s3 = client_of(format!("{}/my-bucket", server.url())).build().unwrap();
    assert_eq!(s3.list_buckets().await.unwrap_err().hint(), Some(&*hint("/my-bucket")));
}

#[tokio::test]
async fn a_service_that_speaks_another_dialect() {
    let body = "{\"error\": \"unauthorised\"}";
    let server = Server::always(format!("HTTP/1.1 401 X\r\ncontent-length: {}\r\n\r\n{body}", body.len())).await;
    let s3 = client_of(server.url()).build().unwrap();
    assert_eq!(
        told(s3.list_objects("my-bucket").await),
        expect(
            "ListObjectsV2 my-bucket: the answer is not S3's: \"{\"error\": \"unauthorised\"}\" (HTTP 401)",
            ErrorKind::AccessDenied
        )
    );
}

/// Anybody on the way could read it, and whoever keeps such a key would have to change it.
#[tokio::test]
async fn a_customers_key_over_plain_http() {
    let key = || CustomerKey::new([7; 32]);
    let own = |url: &str| Client::builder().environment(|_| None).endpoint(url).credentials("AKID", "secret");
    let s3 = own("http://ceph.example.test:8080").build().unwrap();
    let line = "an SSE-C key is not sent over plain http, where anybody on the way to http://ceph.example.test:8080 can \
                read it: use an https:// endpoint";
    let refused = |result: (String, ErrorKind), of: &str| {
        assert_eq!(result, expect(&format!("{of}: {line}"), ErrorKind::InvalidInput));
    };
    let put = s3.put_object("my-bucket", "a", "Hello!").encryption(Encryption::Customer(key()));
    refused(told(put.await), "PutObject my-bucket/a");
    refused(told(s3.get_object("my-bucket", "a").customer_key(key()).await), "GetObject my-bucket/a");
    let copy = s3.copy_object("my-bucket", "a", "my-bucket", "b").source_customer_key(key());
    refused(told(copy.await), "CopyObject my-bucket/b");
    let by_hand = s3.request(http::Method::GET).bucket("my-bucket").key("a");
    let by_hand = by_hand.header("x-amz-server-side-encryption-customer-key", "a2V5");
    refused(told(by_hand.await), "SignedRequest my-bucket/a");
    // Nobody is on the way by TLS, to this machine, or by a transport of the program's own.
    let link = |s3: Client| async move {
        s3.get_object("my-bucket", "a").customer_key(key()).presign(std::time::Duration::from_secs(60)).await
    };
    for url in ["https://ceph.example.test", "http://localhost:9000", "http://127.0.0.1:9000", "http://[::1]:9000"] {
        link(own(url).build().unwrap()).await.unwrap();
    }
    link(own("http://ceph.example.test").transport(Store::in_memory()).build().unwrap()).await.unwrap();
}
