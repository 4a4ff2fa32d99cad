//! `wharf ls`.

use std::time::Duration;

use crate::bench::{Bench, done, failed, run, without_request_id};

const OBJECTS: [(&str, &str); 5] =
    [("a.txt", "12345"), ("docs/", ""), ("docs/one.txt", "1"), ("docs/two/deep.txt", "22"), ("docs+more", "333")];

/// `text` with the bench's time for `TIME`.
fn lines(bench: &Bench, text: &str) -> String {
    text.replace("TIME", &bench.time(Duration::ZERO))
}

#[test]
fn buckets_have_a_line_each() {
    let bench = Bench::new();
    bench.runtime.block_on(bench.s3.create_bucket("another").into_future()).unwrap();
    let expected = done(lines(&bench, "TIME another\nTIME my-bucket\n"));
    assert_eq!(bench.run(&["ls"]), expected);
    assert_eq!(bench.run(&["ls", "s3://"]), expected);
}

#[test]
fn a_directory_has_its_prefixes_first_and_then_its_objects() {
    let bench = Bench::with(&OBJECTS);
    let expected =
        done(lines(&bench, "                           PRE docs/\nTIME          5 a.txt\nTIME          3 docs+more\n"));
    for uri in ["s3://my-bucket", "s3://my-bucket/", "my-bucket"] {
        assert_eq!(bench.run(&["ls", uri]), expected, "{uri}");
    }
}

#[test]
fn the_marker_of_a_directory_has_no_name_in_it() {
    let bench = Bench::with(&OBJECTS);
    let expected = lines(&bench, "                           PRE two/\nTIME          0 \nTIME          1 one.txt\n");
    assert_eq!(bench.run(&["ls", "s3://my-bucket/docs/"]), done(expected));
}

#[test]
fn without_a_slash_the_prefix_is_a_plain_prefix() {
    let bench = Bench::with(&OBJECTS);
    let expected = lines(&bench, "                           PRE docs/\nTIME          3 docs+more\n");
    assert_eq!(bench.run(&["ls", "s3://my-bucket/do"]), done(expected));
}

#[test]
fn recursive_lists_whole_keys() {
    let bench = Bench::with(&OBJECTS);
    let expected =
        lines(&bench, "TIME          0 docs/\nTIME          1 docs/one.txt\nTIME          2 docs/two/deep.txt\n");
    assert_eq!(bench.run(&["ls", "s3://my-bucket/docs/", "--recursive"]), done(expected));
}

#[test]
fn sizes_for_people_and_a_total() {
    let bench = Bench::with(&[("one", "1"), ("small", "12345")]);
    bench.put("large", vec![0; 2950]);
    let args = ["ls", "my-bucket", "--human-readable", "--summarize"];
    let expected = "TIME    2.9 KiB large\nTIME     1 Byte one\nTIME    5 Bytes small\n\nTotal Objects: 3\n   Total Size: 2.9 KiB\n";
    assert_eq!(bench.run(&args), done(lines(&bench, expected)));
    let expected = "\nTotal Objects: 0\n   Total Size: 0\n";
    assert_eq!(bench.run(&["s3", "ls", "my-bucket/none", "--summarize"]), (1, expected.to_owned(), String::new()));
}

#[test]
fn a_listing_of_many_pages_has_no_gaps() {
    let bench = Bench::with(&OBJECTS);
    bench.store.clear_requests();
    let expected = lines(
        &bench,
        "TIME          5 a.txt\nTIME          3 docs+more\nTIME          0 docs/\nTIME          1 docs/one.txt\n\
         TIME          2 docs/two/deep.txt\n",
    );
    assert_eq!(bench.run(&["ls", "my-bucket", "--recursive", "--page-size", "2"]), done(expected));
    assert_eq!(bench.store.requests().len(), 3);
}

#[test]
fn nothing_found_under_a_prefix_exits_with_1() {
    let bench = Bench::new();
    assert_eq!(bench.run(&["s3", "ls", "s3://my-bucket/none"]), failed(1, ""));
    assert_eq!(bench.run(&["ls", "s3://my-bucket"]), done(""));
}

#[test]
fn times_are_local() {
    let bench = Bench::with(&[("a", "1")]);
    let mut command = bench.command(&["ls", "my-bucket"]);
    command.env("TZ", "XYZ-5:30");
    let time = bench.time(Duration::from_secs(5 * 3600 + 1800));
    assert_eq!(run(command), done(format!("{time}          1 a\n")));
}

#[test]
fn the_time_zone_may_be_named() {
    if !std::path::Path::new("/usr/share/zoneinfo/Asia/Kathmandu").exists() {
        return;
    }
    let bench = Bench::with(&[("a", "1")]);
    let time = bench.time(Duration::from_secs(5 * 3600 + 45 * 60));
    for zone in ["Asia/Kathmandu", ":Asia/Kathmandu", "/usr/share/zoneinfo/Asia/Kathmandu"] {
        let mut command = bench.command(&["ls", "my-bucket"]);
        command.env("TZ", zone);
        assert_eq!(run(command), done(format!("{time}          1 a\n")), "{zone}");
    }
}

#[test]
fn an_unknown_bucket_is_the_services_error() {
    let bench = Bench::new();
    let expected = "wharf: ListObjectsV2 other-bucket: The specified bucket does not exist (NoSuchBucket, HTTP 404, \
                    request ...)\nhint: check the bucket's name, and that the endpoint is the one it is on\n";
    assert_eq!(without_request_id(bench.run(&["ls", "s3://other-bucket"])), failed(254, expected));
}
