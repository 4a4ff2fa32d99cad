//! Uploads from forms: signed by their policy, held to it, or anonymous where the bucket lets anybody write.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use wharf_embedded::Store;
use wharf_transport::Body;

use crate::support::*;

const CREDENTIAL: &str = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";

/// A form: fields in their order, the file last.
#[derive(Clone)]
struct Form {
    fields: Vec<(String, String)>,
    file: String,
}

fn form(fields: &[(&str, &str)]) -> Form {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Form { fields, file: "hello".to_owned() }
}

impl Form {
    fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Signs a policy of these conditions, and those that every signed form must have.
    fn signed(self, conditions: Value, expiration: &str) -> Self {
        let mut all = conditions.as_array().unwrap().clone();
        all.push(json!({"bucket": "bucket"}));
        all.push(json!({"x-amz-algorithm": "AWS4-HMAC-SHA256"}));
        all.push(json!({"x-amz-credential": CREDENTIAL}));
        all.push(json!({"x-amz-date": DATE}));
        let policy = base64(json!({"expiration": expiration, "conditions": all}).to_string().as_bytes());
        let signature = hex(&hmac(&get("/").signing_key(), policy.as_bytes()));
        self.field("policy", &policy)
            .field("x-amz-algorithm", "AWS4-HMAC-SHA256")
            .field("X-Amz-Credential", CREDENTIAL)
            .field("x-amz-date", DATE)
            .field("x-amz-signature", &signature)
    }

    fn change(mut self, name: &str, change: impl FnOnce(&mut String)) -> Self {
        change(&mut self.fields.iter_mut().find(|(at, _)| at == name).unwrap().1);
        self
    }

    fn body(&self) -> String {
        let fields = self.fields.iter().fold(String::new(), |out, (name, value)| {
            out + &format!("--xx\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        });
        let file = &self.file;
        format!(
            "{fields}--xx\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a b.txt\"\r\n\
             Content-Type: text/ignored\r\n\r\n{file}\r\n\
             --xx\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nignored\r\n--xx--\r\n"
        )
    }

    async fn send(&self, store: &Store) -> Answer {
        post("/bucket")
            .header("content-type", "multipart/form-data; boundary=xx")
            .body(self.body())
            .send_bare(store)
            .await
    }
}

const LATER: &str = "2013-05-24T01:00:00.000Z";

/// A form that is good: its key starts as its policy wants it.
fn good() -> Form {
    form(&[("key", "user/${filename}")]).signed(json!([["starts-with", "$key", "user/"]]), LATER)
}

#[tokio::test]
async fn a_signed_form_uploads() {
    let store = store_with_bucket().await;
    let answer = good().send(&store).await.expect(204);
    assert_eq!(answer.get("location"), Some("http://s3.localhost/bucket/user/a%20b.txt"));
    assert!(answer.get("etag").is_some());
    let object = get("/bucket/user/a%20b.txt").send(&store).await.expect(200);
    assert_eq!((object.text().as_str(), object.get("content-type")), ("hello", Some("binary/octet-stream")));
    assert_eq!(store.requests()[1].operation, "PostObject");
    get("/bucket/ignored").send(&store).await.refused(404, "NoSuchKey");
}

#[tokio::test]
async fn fields_are_headers() {
    let store = store_with_bucket().await;
    let fields = [
        ("key", "k"),
        ("Content-Type", "text/plain"),
        ("cache-control", "no-cache"),
        ("acl", "public-read"),
        ("x-amz-meta-team", "blue"),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-server-side-encryption", "aws:kms"),
        ("tagging", "<Tagging><TagSet><Tag><Key>a b</Key><Value>1</Value></Tag></TagSet></Tagging>"),
        ("x-amz-checksum-crc32", &crc32("hello")),
        ("x-ignore-me", "anything"),
    ];
    let conditions: Vec<Value> =
        fields.iter().map(|(name, _)| json!(["starts-with", format!("${name}"), ""])).collect();
    form(&fields).signed(json!(conditions), LATER).send(&store).await.expect(204);
    let answer = get("/bucket/k").header("x-amz-checksum-mode", "enabled").send(&store).await.expect(200);
    for (name, value) in [
        ("content-type", "text/plain"),
        ("cache-control", "no-cache"),
        ("x-amz-meta-team", "blue"),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-server-side-encryption", "aws:kms"),
        ("x-amz-tagging-count", "1"),
        ("x-amz-checksum-crc32", &crc32("hello")),
    ] {
        assert_eq!(answer.get(name), Some(value), "{name}");
    }
    get("/bucket/k").send_bare(&store).await.expect(200);
    let any = json!([["starts-with", "$key", ""], ["starts-with", "$x-amz-checksum-crc32", ""]]);
    let wrong = form(&[("key", "w"), ("x-amz-checksum-crc32", "AAAAAA==")]).signed(any, LATER);
    wrong.send(&store).await.refused(400, "BadDigest");
}

#[tokio::test]
async fn what_success_answers() {
    let store = store_with_bucket().await;
    let with = |name: &str, value: &str| {
        let any = json!([["starts-with", "$key", ""], ["starts-with", format!("${name}"), ""]]);
        form(&[("key", "a/${filename}"), (name, value)]).signed(any, LATER)
    };
    for (wish, status) in [("200", 200), ("204", 204), ("302", 204)] {
        assert_eq!(with("success_action_status", wish).send(&store).await.expect(status).text(), "");
    }
    let created = with("success_action_status", "201").send(&store).await.expect(201);
    for (name, value) in [
        ("Bucket", "bucket"),
        ("Key", "a/a b.txt"),
        ("ETag", "&quot;5d41402abc4b2a76b9719d911017c592&quot;"),
        ("Location", "http://s3.localhost/bucket/a/a%20b.txt"),
    ] {
        assert_eq!(created.element(name).as_deref(), Some(value), "{name}");
    }
    let sent = with("success_action_redirect", "https://app.example/done?a=1").send(&store).await.expect(303);
    let expected =
        "https://app.example/done?a=1&bucket=bucket&key=a%2Fa%20b.txt&etag=%225d41402abc4b2a76b9719d911017c592%22";
    assert_eq!(sent.get("location"), Some(expected));
    with("success_action_redirect", "not a url").send(&store).await.expect(204);
}

#[tokio::test]
async fn a_form_at_the_buckets_host_tells_the_url_of_its_object() {
    let store = store_with_bucket().await;
    let answer = post("/")
        .header("content-type", "multipart/form-data; boundary=xx")
        .set(|it| it.headers[0].1 = "bucket.s3.localhost:9000".to_owned())
        .body(good().body())
        .send_bare(&store)
        .await
        .expect(204);
    assert_eq!(answer.get("location"), Some("http://bucket.s3.localhost:9000/user/a%20b.txt"));
}

#[tokio::test]
async fn a_field_that_cannot_be_read_is_not_absent() {
    let store = store_with_bucket().await;
    for name in ["acl", "x-amz-object-lock-legal-hold"] {
        let any = json!([["starts-with", "$key", ""], ["starts-with", format!("${name}"), ""]]);
        let quoted = form(&[("key", "k"), (name, "“private”")]).signed(any, LATER);
        quoted.send(&store).await.refused(400, "InvalidArgument");
    }
    get("/bucket/k").send(&store).await.refused(404, "NoSuchKey");
}

#[tokio::test]
async fn a_form_is_held_to_its_policy() {
    let store = store_with_bucket().await;
    let sized = |least: u64, most: u64| {
        form(&[("key", "k")]).signed(json!([["starts-with", "$key", ""], ["content-length-range", least, most]]), LATER)
    };
    sized(6, 9).send(&store).await.refused(400, "EntityTooSmall");
    sized(0, 4).send(&store).await.refused(400, "EntityTooLarge");
    let key = json!([["starts-with", "$key", "user/"]]);
    let extra = form(&[("key", "user/k"), ("acl", "public-read")]).signed(key.clone(), LATER);
    for (form, status, code) in [
        (form(&[("key", "other")]).signed(key.clone(), LATER), 403, "AccessDenied"),
        (form(&[("key", "user/k")]).signed(key.clone(), "2013-05-24T00:00:00Z"), 403, "AccessDenied"),
        (extra, 403, "AccessDenied"),
        (good().change("x-amz-signature", |it| it.replace_range(..2, "zz")), 403, "SignatureDoesNotMatch"),
        (good().change("policy", |it| *it = base64(b"{}")), 400, "InvalidPolicyDocument"),
        (good().change("x-amz-date", |it| *it = "20130524T000001Z".to_owned()), 403, "AccessDenied"),
        (good().change("X-Amz-Credential", |it| *it = it.replace("us-east-1", "eu-west-1")), 400, "InvalidArgument"),
        (good().change("X-Amz-Credential", |it| *it = it.replace("AKIA", "AKIB")), 403, "InvalidAccessKeyId"),
        (good().change("x-amz-date", |it| *it = "20130525T000000Z".to_owned()), 400, "InvalidArgument"),
        (form(&[]).signed(json!([]), LATER), 400, "InvalidArgument"),
        (form(&[("key", "k"), ("x-amz-signature", "00")]), 400, "InvalidArgument"),
        (
            form(&[("key", &"k".repeat(1025))]).signed(json!([["starts-with", "$key", ""]]), LATER),
            400,
            "KeyTooLongError",
        ),
    ] {
        let answer = form.send(&store).await;
        assert_eq!(
            (answer.status.as_u16(), answer.element("Code").as_deref()),
            (status, Some(code)),
            "{}",
            answer.text()
        );
    }
    assert_eq!(get("/bucket").send(&store).await.elements("Key"), Vec::<String>::new());
}

/// A form for one bucket is good for no other, whatever it says of itself.
#[tokio::test]
async fn a_form_is_for_one_bucket() {
    let store = store_with_bucket().await;
    put("/other").send(&store).await.expect(200);
    let send =
        |form: Form| post("/other").header("content-type", "multipart/form-data; boundary=xx").body(form.body()).bare();
    for form in [good(), good().field("bucket", "bucket")] {
        Answer::of(store.handle(send(form)).await).await.refused(403, "AccessDenied");
    }
    good().field("bucket", "bucket").send(&store).await.expect(204);
    let all = json!([["starts-with", "$key", ""], {"x-amz-algorithm": "AWS4-HMAC-SHA256"},
        {"x-amz-credential": CREDENTIAL}, {"x-amz-date": DATE}]);
    let policy = base64(json!({"expiration": LATER, "conditions": all}).to_string().as_bytes());
    let signature = hex(&hmac(&get("/").signing_key(), policy.as_bytes()));
    let any = good().change("policy", |it| *it = policy).change("x-amz-signature", |it| *it = signature);
    let answer = any.send(&store).await.refused(403, "AccessDenied");
    assert!(answer.text().contains("Extra input fields: bucket"), "{}", answer.text());
}

#[tokio::test]
async fn a_field_has_one_value() {
    let store = store_with_bucket().await;
    let twice = form(&[("key", "k"), ("acl", "private"), ("Acl", "public-read")]);
    let conditions = json!([["starts-with", "$key", ""], {"acl": "private"}]);
    twice.signed(conditions, LATER).send(&store).await.refused(400, "InvalidArgument");
    head("/bucket/k").send(&store).await.expect(404);
    let ignored = good().field("x-ignore-me", "1").field("x-ignore-me", "2");
    ignored.send(&store).await.expect(204);
}

/// What comes in front of the file is in memory, so it has an end even where the form's has none.
#[tokio::test]
async fn what_is_in_front_of_the_file_is_limited() {
    let store = store_with_bucket().await;
    for endless in ["--xx\r\nContent-Disposition: form-data; name=\"".to_owned(), "--xx\r\nX: ".to_owned()] {
        let taken = Arc::new(AtomicUsize::new(0));
        let count = taken.clone();
        let piece = Bytes::from(vec![b'x'; 1024 * 1024]);
        let more = stream::repeat(piece).take(64).inspect(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let pieces = stream::iter([Bytes::from(endless)]).chain(more);
        let request = http::Request::post("http://s3.localhost/bucket")
            .header("content-type", "multipart/form-data; boundary=xx");
        let body = Body::stream(Some(1 << 30), pieces.map(Ok));
        let answer = Answer::of(store.handle(request.body(body).unwrap()).await).await;
        answer.refused(400, "MaxPostPreDataLengthExceeded");
        assert!(taken.load(Ordering::Relaxed) < 4, "{taken:?} MiB were read");
    }
    let many = (0..10_000).fold(good(), |form, at| form.field(&format!("x-ignore-{at}"), ""));
    many.send(&store).await.refused(400, "MaxPostPreDataLengthExceeded");
    let fair = (0..100).fold(good(), |form, at| form.field(&format!("x-ignore-{at}"), &"x".repeat(120)));
    fair.send(&store).await.expect(204);
}

#[tokio::test]
async fn anybody_uploads_where_anybody_may() {
    let store = store_with_bucket().await;
    let unsigned = form(&[("key", "k")]);
    unsigned.send(&store).await.refused(403, "AccessDenied");
    put("/bucket?acl").header("x-amz-acl", "public-read-write").send(&store).await.expect(200);
    unsigned.send(&store).await.expect(204);
    good().send(&store).await.expect(204);
    let deny = json!({"Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::bucket/user/*"}});
    put("/bucket?policy").body(deny.to_string()).send(&store).await.expect(204);
    good().send(&store).await.refused(403, "AccessDenied");
}

#[tokio::test]
async fn what_is_no_form() {
    let store = store_with_bucket().await;
    let send = |kind: &str, body: &str| post("/bucket").header("content-type", kind).body(body);
    send("multipart/form-data", "x").send_bare(&store).await.refused(400, "MalformedPOSTRequest");
    send("multipart/form-data; boundary=xx", "x").send_bare(&store).await.refused(400, "MalformedPOSTRequest");
    let body = good().body();
    let cut = &body[..body.find("hello").unwrap() + 3];
    send("multipart/form-data; boundary=xx", cut).send_bare(&store).await.refused(400, "MalformedPOSTRequest");
    let mut long = good();
    long.fields.insert(0, ("x-ignore-me".to_owned(), "x".repeat(20_001)));
    long.send(&store).await.refused(400, "MaxPostPreDataLengthExceeded");
    post("/bucket").send(&store).await.refused(501, "NotImplemented");
    get("/bucket/user/a%20b.txt").send(&store).await.refused(404, "NoSuchKey");
}

/// A body that is ready at once in all its length is taken a piece at a time: what is too large is refused before the
/// rest of it was read.
#[tokio::test]
async fn a_file_streams() {
    let store = store_with_bucket().await;
    let piece = Bytes::from(vec![b'x'; 64 * 1024]);
    for (most, status) in [(100 * piece.len(), 204), (piece.len(), 400)] {
        let conditions = json!([["starts-with", "$key", ""], ["content-length-range", 0, most]]);
        let text = form(&[("key", "k")]).signed(conditions, LATER).body();
        let (start, end) = text.split_once("hello").unwrap();
        let (start, end) = (Bytes::from(start.to_owned()), Bytes::from(end.to_owned()));
        let length = start.len() + end.len() + 100 * piece.len();
        let taken = Arc::new(AtomicUsize::new(0));
        let count = taken.clone();
        let file = stream::repeat(piece.clone()).take(100).inspect(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let pieces = stream::iter([start]).chain(file).chain(stream::iter([end]));
        let request = http::Request::post("http://s3.localhost/bucket")
            .header("content-type", "multipart/form-data; boundary=xx");
        let body = Body::stream(Some(length as u64), pieces.map(Ok));
        Answer::of(store.handle(request.body(body).unwrap()).await).await.expect(status);
        let taken = taken.load(Ordering::Relaxed);
        // The parser takes a piece or two with each field.
        assert!(if status == 204 { taken == 100 } else { taken < 30 }, "{taken} pieces");
    }
    let answer = head("/bucket/k").send(&store).await.expect(200);
    assert_eq!(answer.get("content-length"), Some((100 * piece.len()).to_string().as_str()));
}
