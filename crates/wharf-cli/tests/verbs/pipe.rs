//! `pipe`, and `-` in `cp`.

use wharf_embedded::Personality;

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

/// Rust opens the null device for what was closed, so that it looks empty.
#[cfg(unix)]
#[test]
fn a_closed_standard_input_is_no_empty_one() {
    let bench = Bench::new();
    bench.put("a", "old");
    let binary = env!("CARGO_BIN_EXE_wharf");
    let run = |line: &str| bench.ran(bench.shell(&format!("{binary} {line}")).output().unwrap());
    for line in ["pipe s3://my-bucket/a <&-", "s3 cp - s3://my-bucket/a <&-"] {
        let (exit, stdout, stderr) = run(line);
        assert_eq!((exit, stdout.as_str()), (1, ""), "{stderr}");
        assert!(stderr.contains("standard input is closed: nothing was stored"), "{stderr}");
    }
    assert_eq!(bench.object("a"), "old");
    // Who names the null device means it.
    assert_eq!(run("pipe s3://my-bucket/a </dev/null"), done(""));
    assert_eq!(bench.object("a"), "");
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

/// What comes in is gone then.
#[test]
fn what_is_left_alone_is_told() {
    let bench = Bench::new();
    bench.put("a", "there");
    let expected = "skip: - to s3://my-bucket/a: it is there already\n";
    for args in
        [&["pipe", "s3://my-bucket/a"][..], &["cp", "-", "s3://my-bucket/a"], &["s3", "cp", "-", "s3://my-bucket/a"]]
    {
        let run = |more: &[&str]| bench.run_with(&[args, &["--no-overwrite"], more].concat(), b"here");
        assert_eq!(run(&[]), failed(0, expected), "{args:?}");
        assert_eq!(run(&["--quiet"]), done(""));
        assert_eq!(run(&["--only-show-errors"]), done(""));
    }
    assert_eq!(bench.object("a"), "there");
    let args = ["pipe", "s3://my-bucket/b", "--no-overwrite", "--provider", "other"];
    assert_eq!(bench.run_with(&args, b"here"), done(""));
    assert_eq!(bench.object("b"), "here");
}

#[test]
fn where_conditions_are_ignored_it_looks_before_it_reads() {
    let bench = Bench::like(Personality::Ceph);
    bench.put("a", "there");
    let run = |key: &str| {
        let url = format!("s3://my-bucket/{key}");
        bench.run_with(&["pipe", &url, "--no-overwrite", "--provider", "ceph"], b"here")
    };
    let ignored = "warning: this server ignores conditions: --no-overwrite looks first, and what appears between the look \
                   and the write is overwritten\n";
    assert_eq!(run("a"), failed(0, format!("{ignored}skip: - to s3://my-bucket/a: it is there already\n")));
    assert_eq!(run("b"), failed(0, ignored));
    assert_eq!((bench.object("a"), bench.object("b")), ("there".to_owned(), "here".to_owned()));
}

#[test]
fn a_stream_has_no_name_that_filters_could_fit() {
    let bench = Bench::new();
    bench.put("a", "there");
    let expected =
        "wharf: --exclude and --include choose files and objects, and standard input and output are one stream\n";
    for args in [["cp", "-", "s3://my-bucket/a"], ["cp", "s3://my-bucket/a", "-"]] {
        assert_eq!(
            bench.run_with(&[&args[..], &["--exclude", "*"]].concat(), b"here"),
            failed(252, expected),
            "{args:?}"
        );
    }
    let (exit, _, stderr) = bench.run_with(&["pipe", "s3://my-bucket/a", "--exclude", "*"], b"here");
    assert!(exit == 252 && stderr.starts_with("wharf: pipe has no use for --exclude\n"), "{stderr}");
    assert_eq!(bench.object("a"), "there");
    assert_eq!(bench.run(&["s3", "cp", "s3://my-bucket/a", "-", "--exclude", "*"]), done("there"));
}
