//! `pipe`, and `-` in `cp`.

use crate::bench::{Bench, assert_like, done, failed};

#[test]
fn standard_input_becomes_an_object_and_comes_out_again() {
    let bench = Bench::new();
    assert_eq!(bench.run_with(&["s3", "cp", "-", "s3://my-bucket/a"], b"hello"), done(""));
    assert_eq!(bench.run(&["s3", "cp", "s3://my-bucket/a", "-"]), done("hello"));
    assert_eq!(bench.run_with(&["pipe", "s3://my-bucket/b", "--content-type", "text/plain"], b"there"), done(""));
    assert_eq!(bench.object("b"), "there");
    assert_eq!(bench.head("b").content_type.unwrap(), "text/plain");
    assert_eq!(bench.run_with(&["pipe", "s3://my-bucket/empty"], b""), done(""));
    assert_eq!(bench.object("empty"), "");
}

#[test]
fn a_long_stream_goes_in_parts() {
    let bench = Bench::new();
    let long = "0123456789abcdef".repeat(20 << 16);
    assert_eq!(bench.run_with(&["pipe", "s3://my-bucket/a", "--part-size", "5MiB"], long.as_bytes()), done(""));
    assert!(bench.object("a") == long);
    assert!(bench.head("a").etag.unquoted().contains('-'));
}

#[test]
fn the_other_end_is_an_object() {
    let bench = Bench::new();
    bench.file("a", "1");
    let other = "wharf: the other end of - must be an S3 URL\n";
    assert_eq!(bench.run(&["cp", "-", "a"]), failed(252, other));
    assert_eq!(bench.run(&["cp", "-", "-"]), failed(252, other));
    let whole = "wharf: s3://my-bucket/ names no object\nhint: say its whole key\n";
    assert_eq!(bench.run(&["pipe", "s3://my-bucket"]), failed(252, whole));
    let recursive = "wharf: standard input and output work without --recursive\n";
    assert_eq!(bench.run(&["cp", "-", "s3://my-bucket/a", "--recursive"]), failed(252, recursive));
    let alone = "wharf: standard input and output work with cp alone, and without --recursive\n";
    assert_eq!(bench.run(&["mv", "-", "s3://my-bucket/a"]), failed(252, alone));
    let expected = "wharf: download failed: s3://my-bucket/none to - GetObject my-bucket/none: ...NoSuchKey...\n";
    assert_like(bench.run(&["s3", "cp", "s3://my-bucket/none", "-"]), 1, "", expected);
}
