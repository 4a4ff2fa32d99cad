//! What the options of `aws s3` do that is no property of an object: pages, parts, archives, regions, buckets, timeouts.

use std::process::Stdio;
use std::time::Duration;

use wharf::StorageClass;
use wharf_embedded::{Fault, Operation};

use crate::bench::{Bench, assert_like, done};
use crate::options::{LARGE, assert_headers, request};

#[test]
fn what_is_expected_makes_parts_large_enough() {
    let bench = Bench::embedded();
    let parts = |more: &[&str]| {
        bench.store().clear_requests();
        let args = [&["s3", "cp", "-", "s3://my-bucket/a"], more].concat();
        assert_eq!(bench.run_with(&args, &vec![7; LARGE]), done(""));
        bench.store().requests().iter().filter(|request| request.operation == "UploadPart").count()
    };
    assert_eq!(parts(&[]), 3);
    // A tebibyte does not fit into ten thousand parts of the usual size, and all of this fits into one of the larger.
    assert_eq!(parts(&["--expected-size", &(1_u64 << 40).to_string()]), 0);
}

/// More than is gathered before it is written is told of them.
#[test]
fn a_reader_who_leaves_stops_nothing() {
    let bench = Bench::embedded();
    let name = |number: usize| format!("{number:03}{}", "x".repeat(900));
    for number in 0..100 {
        bench.put(&format!("x/{}", name(number)), "");
    }
    let run = |args: &[&str]| {
        let mut child = bench.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let (exit, _, stderr) = bench.ran(child.wait_with_output().unwrap());
        (exit, stderr, bench.keys().len())
    };
    bench
        .store()
        .inject(Fault::respond(403, "AccessDenied").on(Operation::CopyObject).key(format!("z/{}", name(99))))
        .unwrap();
    assert_eq!(run(&["cp", "s3://my-bucket/x", "s3://my-bucket/y", "--recursive"]), (0, String::new(), 200));
    // How it went shows all the same.
    let (exit, stderr, count) = run(&["sync", "s3://my-bucket/x", "s3://my-bucket/z"]);
    assert!(exit == 1 && stderr.starts_with("copy failed: ") && count == 299, "{exit} {count} {stderr}");
    assert_eq!(run(&["rm", "s3://my-bucket/x", "--recursive"]), (0, String::new(), 199));
    // Nor is it an error where nothing is changed.
    assert_eq!(run(&["ls", "s3://my-bucket", "--recursive"]), (0, String::new(), 199));
}

#[test]
fn pages_have_as_many_names_as_asked_for() {
    let bench = Bench::embedded();
    let pages = |args: &[&str]| {
        bench.put_all([("d/1", "1"), ("d/2", "2"), ("d/3", "3")]);
        bench.store().clear_requests();
        bench.must(&[args, &["--page-size", "2"]].concat());
        let requests = bench.store().requests();
        let listings: Vec<_> = requests.iter().filter(|request| request.operation.starts_with("List")).collect();
        assert!(listings.iter().all(|request| request.query.split('&').any(|pair| pair.ends_with("=2"))), "{args:?}");
        listings.len()
    };
    for args in [
        &["s3", "cp", "s3://my-bucket/d", "in", "--recursive"][..],
        &["s3", "mv", "s3://my-bucket/d", "in", "--recursive"],
        &["s3", "rm", "s3://my-bucket/d", "--recursive"],
        &["s3", "ls", "s3://my-bucket/d/"],
        &["s3", "sync", "s3://my-bucket/d", "other"],
    ] {
        assert_eq!(pages(args), 2, "{args:?}");
    }
    assert_eq!(pages(&["s3", "ls"]), 1);
}

#[test]
fn archives_are_tried_where_that_is_asked_for() {
    let bench = Bench::embedded();
    bench.wait(bench.s3.put_object("my-bucket", "d/cold", "2").storage_class(StorageClass::Glacier));
    let reads = |more: &[&str]| {
        bench.store().clear_requests();
        let (exit, ..) = bench.run(&[&["s3", "cp", "s3://my-bucket/d", "in", "--recursive"], more].concat());
        (exit, bench.store().requests().iter().filter(|request| request.operation == "GetObject").count())
    };
    assert_eq!(reads(&[]), (2, 0));
    assert_eq!(reads(&["--ignore-glacier-warnings"]), (0, 0));
    assert_eq!(reads(&["--force-glacier-transfer"]).1, 1);
}

#[test]
fn downloads_are_compared_with_the_stored_checksum_whether_asked_for_or_not() {
    let bench = Bench::embedded();
    bench.put("a", "1");
    for more in [&[][..], &["--checksum-mode", "ENABLED"]] {
        bench.store().clear_requests();
        bench.must(&[&["s3", "cp", "s3://my-bucket/a", "b"], more].concat());
        let headers = request(&bench, &["GetObject"]).headers;
        assert_headers(&headers, &[("x-amz-checksum-mode", "ENABLED")], "GetObject");
    }
}

/// The store names its region to whoever takes it for another, so only the first request shows what was said.
#[test]
fn the_source_may_be_in_another_region() {
    let bench = Bench::embedded();
    bench.put("d/a", "1");
    let refused = |more: &[&str]| {
        bench.store().clear_requests();
        let args = ["s3", "cp", "s3://my-bucket/d", "s3://my-bucket/e", "--recursive"];
        bench.must(&[&args[..], more].concat());
        let requests = bench.store().requests();
        requests.iter().filter(|request| request.status.is_some_and(|status| !status.is_success())).count()
    };
    assert_eq!(refused(&[]), 0);
    assert_eq!(refused(&["--source-region", "us-east-1"]), 0);
    assert_eq!(refused(&["--source-region", "eu-west-1"]), 1);
}

#[test]
fn buckets_get_their_tags() {
    let bench = Bench::embedded();
    bench.must(&["s3", "mb", "s3://my-bucket-2", "--tags", "team", "blue", "--tags", "cost", "1"]);
    let call = bench.s3.request(wharf::http::Method::GET).bucket("my-bucket-2").subresource("tagging");
    let text = String::from_utf8_lossy(bench.wait(call).body()).into_owned();
    for tag in ["<Key>team</Key><Value>blue</Value>", "<Key>cost</Key><Value>1</Value>"] {
        assert!(text.contains(tag), "{text}");
    }
}

#[test]
fn a_server_may_be_silent_for_as_long_as_is_said() {
    let bench = Bench::embedded();
    bench.store().inject(Fault::delay(Duration::from_secs(3600)).on(Operation::ListObjectsV2)).unwrap();
    let mut command = bench.command(&["s3", "ls", "s3://my-bucket", "--cli-read-timeout", "1", "--patience", "0s"]);
    let (exit, stdout, stderr) = bench.ran(command.env("AWS_MAX_ATTEMPTS", "1").output().unwrap());
    let expected = "wharf: ListObjectsV2 my-bucket: ...the server was silent for 1s\nhint: a longer --patience goes on \
                    trying\n";
    assert_like((exit, stdout, stderr), 255, "", expected);
}

#[test]
fn buckets_are_asked_for_by_region() {
    let bench = Bench::embedded();
    bench.store().clear_requests();
    bench.must(&["s3", "ls", "--bucket-region", "us-east-1", "--bucket-name-prefix", "my"]);
    let query = request(&bench, &["ListBuckets"]).query;
    assert!(query.contains("bucket-region=us-east-1") && query.contains("prefix=my"), "{query}");
}
