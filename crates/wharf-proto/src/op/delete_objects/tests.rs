use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;

use super::*;
use crate::ErrorKind;
use crate::body::Source;
use crate::new_object::tests::time;
use crate::op::testing::{answer, document, headers, query};
use crate::operation::{Operation, Presigned, Request};
use crate::provider::{Condition, Conditions};

/// Answers with what was prepared, and keeps what was sent.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<Tape>>);

#[derive(Default)]
struct Tape {
    answers: VecDeque<Result<http::Response<Bytes>, Error>>,
    sent: Vec<(&'static str, Request)>,
}

impl Script {
    fn new(answers: impl IntoIterator<Item = Result<http::Response<Bytes>, Error>>) -> Self {
        Self(Arc::new(Mutex::new(Tape { answers: answers.into_iter().collect(), sent: Vec::new() })))
    }

    fn sent(&self) -> Vec<(&'static str, Request)> {
        std::mem::take(&mut self.0.lock().unwrap().sent)
    }
}

impl Sender for Script {
    type Body = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;

    fn send<O: Operation>(&self, mut operation: O) -> SendFuture<O::Output> {
        let mut tape = self.0.lock().unwrap();
        tape.sent.push((O::NAME, operation.request().unwrap()));
        let answer = tape.answers.pop_front().unwrap();
        Box::pin(std::future::ready(answer.and_then(|answer| operation.response(answer))))
    }

    fn open<O: Operation>(&self, _operation: O) -> SendFuture<(O::Output, Self::Body)> {
        panic!("nothing is opened")
    }

    fn presign<O: Operation>(&self, _operation: O, _expires_in: Duration) -> SendFuture<Presigned> {
        panic!("nothing is signed")
    }
}

fn wait<T>(call: impl IntoFuture<Output = T>) -> T {
    let mut future = pin!(call.into_future());
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the script answers at once"),
    }
}

fn keys_of(request: Request) -> usize {
    let Ok(Source::Bytes(bytes)) = request.body.into_source() else { panic!("a batch has a document") };
    std::str::from_utf8(&bytes).unwrap().matches("<Object>").count()
}

fn keys(output: &DeleteObjectsOutput) -> (Vec<&str>, Vec<&str>) {
    let deleted = output.deleted.iter().map(|deleted| deleted.key.as_str()).collect();
    (deleted, output.errors.iter().map(|error| error.key.as_str()).collect())
}

#[test]
fn every_parameter_reaches_the_request() {
    let script = Script::new([Ok(answer("<DeleteResult/>"))]);
    let full = ObjectIdentifier {
        key: "a&b".to_owned(),
        version_id: Some("v".to_owned()),
        etag: Some("e".into()),
        last_modified: Some(time()),
        size: Some(7),
    };
    let call = DeleteObjects::new(script.clone(), "bucket", [full, "c".into(), ("d", "w").into()])
        .quiet()
        .mfa("serial", "123456")
        .bypass_governance()
        .checksum(ChecksumAlgorithm::Crc32c)
        .request_payer()
        .expected_bucket_owner("111122223333");
    assert_eq!(wait(call).unwrap(), DeleteObjectsOutput::default());

    let (name, request) = script.sent().pop().unwrap();
    assert_eq!((name, query(&request).as_str()), ("DeleteObjects", "delete"));
    assert_eq!((&request.method, request.bucket.as_deref()), (&http::Method::POST, Some("bucket")));
    for (name, value) in [
        ("x-amz-mfa", "serial 123456"),
        ("x-amz-bypass-governance-retention", "true"),
        ("x-amz-request-payer", "requester"),
        ("x-amz-expected-bucket-owner", "111122223333"),
    ] {
        assert_eq!(request.headers[name], value, "{name}");
    }
    assert_eq!(request.checksum, ChecksumPolicy::Algorithm(ChecksumAlgorithm::Crc32c));
    assert_eq!(
        document(request),
        "<Delete><Object><Key>a&amp;b</Key><VersionId>v</VersionId><ETag>\"e\"</ETag>\
         <LastModifiedTime>Wed, 21 Oct 2026 07:28:00 GMT</LastModifiedTime><Size>7</Size></Object>\
         <Object><Key>c</Key></Object><Object><Key>d</Key><VersionId>w</VersionId></Object><Quiet>true</Quiet></Delete>"
    );
}

#[test]
fn the_answer_is_read_and_put_in_the_order_asked_for() {
    let script = Script::new([Ok(answer(
        "<DeleteResult><Deleted><Key>c</Key></Deleted>\
         <Error><Key>b</Key><VersionId>v</VersionId><Code>AccessDenied</Code><Message>No.</Message></Error>\
         <Deleted><Key>a</Key><DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>m</DeleteMarkerVersionId>\
         </Deleted></DeleteResult>",
    ))]);
    let objects = [ObjectIdentifier::from("a"), ("b", "v").into(), "c".into()];
    let output = wait(DeleteObjects::new(script.clone(), "bucket", objects)).unwrap();
    assert_eq!(keys(&output), (vec!["a", "c"], vec!["b"]));
    assert!(output.deleted[0].delete_marker);
    assert_eq!(output.deleted[0].delete_marker_version_id.as_deref(), Some("m"));
    let error = &output.errors[0];
    assert_eq!((error.version_id.as_deref(), error.code.as_str()), (Some("v"), "AccessDenied"));
    assert_eq!(error.to_string(), "b: No. (AccessDenied)");
    assert_eq!(script.sent()[0].1.checksum, ChecksumPolicy::Required);
}

/// What the answer leaves out is told, of versions too.
#[test]
fn each_version_has_an_outcome() {
    let versions = || [ObjectIdentifier::from(("a", "1")), ("a", "2").into(), ("b", "1").into(), "c".into()];
    let answered = |document| {
        let output = wait(DeleteObjects::new(Script::new([Ok(answer(document))]), "bucket", versions())).unwrap();
        let unnamed = output.errors.iter().map(|error| (error.key.clone(), error.version_id.clone()));
        (output.deleted.len(), unnamed.collect::<Vec<_>>())
    };
    let of = |key: &str, version: &str| (key.to_owned(), Some(version.to_owned()));
    let rest = "<Deleted><Key>b</Key><VersionId>1</VersionId></Deleted><Deleted><Key>c</Key></Deleted>";
    let document = |first: &str| -> &'static str { format!("<DeleteResult>{first}{rest}</DeleteResult>").leak() };
    let second = "<Deleted><Key>a</Key><VersionId>2</VersionId></Deleted>";
    assert_eq!(answered(document(second)), (3, vec![of("a", "1")]));
    assert_eq!(answered(document("")), (2, vec![of("a", "1"), of("a", "2")]));
    // Some servers do not repeat the versions.
    let bare = "<Deleted><Key>a</Key></Deleted>";
    assert_eq!(answered(document(&bare.repeat(2))), (4, vec![]));
    assert_eq!(answered(document(bare)), (3, vec![of("a", "2")]));
    assert_eq!(answered(document(&format!("{bare}{second}"))), (4, vec![]));
    // Asked for twice, and told of once.
    let twice = DeleteObjects::new(
        Script::new([Ok(answer("<DeleteResult><Deleted><Key>a</Key></Deleted></DeleteResult>"))]),
        "bucket",
        ["a", "a"],
    );
    assert!(wait(twice).unwrap().errors.is_empty());
}

#[test]
fn conditions_in_the_body_are_told() {
    let conditional = |object: ObjectIdentifier| {
        let settings = DeleteObjects::new((), "bucket", ["a"]).settings;
        DeleteBatch::new(settings, [(0, "a".into()), (1, object)].into()).request().unwrap().body_conditions
    };
    assert!(conditional("b".into()).is_empty() && conditional(("b", "v").into()).is_empty());
    let by_etag = ObjectIdentifier { etag: Some("e".into()), ..ObjectIdentifier::from("b") };
    assert_eq!(conditional(by_etag), Conditions::of(&[Condition::DeleteObjectsIfMatch]));
    let by_size = ObjectIdentifier { size: Some(1), ..ObjectIdentifier::from("b") };
    assert_eq!(conditional(by_size), Conditions::of(&[Condition::DeleteIfSizeOrDate]));
}

#[test]
fn without_keys_nothing_is_sent() {
    let script = Script::default();
    let output = wait(DeleteObjects::new(script, "bucket", Vec::<String>::new())).unwrap();
    assert_eq!(output, DeleteObjectsOutput::default());
}

#[test]
fn a_thousand_at_a_time_and_odd_keys_alone() {
    let script = Script::new([
        Ok(answer("<DeleteResult><Deleted><Key>k0</Key></Deleted></DeleteResult>")),
        Ok(answer("<DeleteResult><Deleted><Key>k1000</Key></Deleted></DeleteResult>")),
        Ok(headers(&[
            ("x-amz-delete-marker", "true"),
            ("x-amz-version-id", "m"),
            ("x-amz-request-charged", "requester"),
        ])),
    ]);
    let mut objects: Vec<_> = (0..1001).map(|n| format!("k{n}")).collect();
    objects.insert(1, "odd\u{1}".to_owned());
    let output = wait(DeleteObjects::new(script.clone(), "bucket", &objects).bypass_governance()).unwrap();

    assert_eq!(keys(&output).0, ["k0", "odd\u{1}", "k1000"]);
    assert_eq!(output.deleted[1].delete_marker_version_id.as_deref(), Some("m"));
    assert!(output.request_charged);
    let mut sent = script.sent();
    assert_eq!(
        sent.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        ["DeleteObjects", "DeleteObjects", "DeleteObject"]
    );
    let (_, alone) = sent.pop().unwrap();
    assert_eq!(alone.key.as_deref(), Some("odd\u{1}"));
    assert_eq!(alone.headers["x-amz-bypass-governance-retention"], "true");
    assert_eq!(sent.into_iter().map(|(_, request)| keys_of(request)).collect::<Vec<_>>(), [1000, 1]);
}

#[test]
fn conditions_travel_with_a_key_that_goes_alone() {
    let script = Script::new([Ok(headers(&[]))]);
    let odd = ObjectIdentifier {
        key: "\u{2}".to_owned(),
        version_id: Some("v".to_owned()),
        etag: Some("e".into()),
        last_modified: Some(time()),
        size: Some(7),
    };
    let output = wait(DeleteObjects::new(script.clone(), "bucket", [odd]).quiet()).unwrap();
    assert!(output.deleted.is_empty(), "quiet holds for single requests too");
    let (_, request) = script.sent().pop().unwrap();
    assert_eq!(query(&request), "versionId=v");
    for (name, value) in [
        ("if-match", "\"e\""),
        ("x-amz-if-match-last-modified-time", "Wed, 21 Oct 2026 07:28:00 GMT"),
        ("x-amz-if-match-size", "7"),
    ] {
        assert_eq!(request.headers[name], value, "{name}");
    }
}

#[test]
fn the_first_failure_is_the_calls_own() {
    let script = Script::new([Err(Error::new(ErrorKind::NoSuchBucket, "no bucket"))]);
    let error = wait(DeleteObjects::new(script.clone(), "bucket", ["a", "\u{1}"])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchBucket);
    assert_eq!(script.sent().len(), 1);
}

/// As S3 answers for the keys of a batch: what is said of one key is no reason to leave the others.
#[test]
fn what_s3_says_of_one_odd_key_is_that_keys_own() {
    for kind in [ErrorKind::AccessDenied, ErrorKind::PreconditionFailed, ErrorKind::NoSuchKey] {
        let script = Script::new([Err(Error::new(kind, "No.")), Ok(headers(&[]))]);
        let output = wait(DeleteObjects::new(script, "bucket", ["\u{1}", "\u{2}"])).unwrap();
        assert_eq!(keys(&output), (vec!["\u{2}"], vec!["\u{1}"]), "{kind:?}");
        assert_eq!(output.errors[0].code, format!("{kind:?}"));
    }
    for kind in [ErrorKind::NoSuchBucket, ErrorKind::InvalidCredentials] {
        let script = Script::new([Err(Error::new(kind, "No."))]);
        assert_eq!(wait(DeleteObjects::new(script, "bucket", ["\u{1}", "\u{2}"])).unwrap_err().kind(), kind);
    }
}

#[test]
fn a_later_failure_hides_nothing_and_the_rest_goes_on() {
    let last = "<DeleteResult><Error><Key>k2000</Key><Code>InternalError</Code></Error></DeleteResult>";
    let script = Script::new([
        // Quiet: a success leaves no trace, and must count all the same.
        Ok(answer("")),
        Err(Error::new(ErrorKind::Timeout, "no answer in time")),
        Ok(answer(last)),
        Err(Error::from_response(
            http::StatusCode::FORBIDDEN,
            &http::HeaderMap::new(),
            &Bytes::from_static(b"<Error><Code>AccessDenied</Code><Message>No.</Message></Error>"),
        )),
    ]);
    let keys = (0..2001).map(|n| format!("k{n}")).chain(["\u{1}".to_owned()]);
    let output = wait(DeleteObjects::new(script, "bucket", keys).quiet()).unwrap();
    assert_eq!(output.errors.len(), 1002);
    let first = &output.errors[0];
    assert_eq!((first.key.as_str(), first.code.as_str()), ("k1000", "Timeout"));
    assert_eq!(first.message, "no answer in time");
    assert_eq!((output.errors[1000].key.as_str(), output.errors[1000].code.as_str()), ("k2000", "InternalError"));
    assert_eq!(output.errors[1001].to_string(), "\\u{1}: No. (AccessDenied)");
}

#[test]
fn an_impossible_key_stops_the_call_before_anything_is_sent() {
    let error = wait(DeleteObjects::new(Script::default(), "bucket", ["a", ""])).unwrap_err();
    assert_eq!(error.to_string(), "DeleteObjects bucket: object 2 of 2: the key is empty");
    let objects = (0..1500).map(|n| ObjectIdentifier {
        etag: Some(ETag::from(if n == 1399 { "" } else { "e" })),
        ..ObjectIdentifier::from(format!("k{n}"))
    });
    let error = wait(DeleteObjects::new(Script::default(), "bucket", objects)).unwrap_err();
    assert_eq!(error.to_string(), "DeleteObjects bucket: object 1400 of 1500: an empty ETag cannot be a condition");
}

#[test]
fn a_version_that_is_listed_is_named() {
    let listed =
        |version_id: &str| ListedVersion { key: "a".into(), version_id: version_id.into(), ..Default::default() };
    assert_eq!(ObjectIdentifier::from(listed("v")), ("a", "v").into());
    assert_eq!(ObjectIdentifier::from(listed("")), "a".into());
}

#[test]
fn an_answer_that_is_no_result_is_an_error() {
    let script = Script::new([Ok(answer("<html/>"))]);
    let error = wait(DeleteObjects::new(script, "bucket", ["a"])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse);
    let script = Script::new([Ok(answer(""))]);
    let error = wait(DeleteObjects::new(script, "bucket", ["a"])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse, "only a quiet answer may be empty");
}

#[test]
fn a_key_that_the_answer_leaves_out_is_an_error_of_its_own() {
    let result = "<DeleteResult><Deleted><Key>a</Key></Deleted></DeleteResult>";
    let output = wait(DeleteObjects::new(Script::new([Ok(answer(result))]), "bucket", ["a", "b"])).unwrap();
    assert_eq!(keys(&output), (vec!["a"], vec!["b"]));
    assert_eq!(
        output.errors[0].to_string(),
        "b: the server's answer does not say what became of it (MalformedResponse)"
    );
    let quiet = DeleteObjects::new(Script::new([Ok(answer("<DeleteResult/>"))]), "bucket", ["a"]).quiet();
    assert_eq!(keys(&wait(quiet).unwrap()), (vec![], vec![]));
}
