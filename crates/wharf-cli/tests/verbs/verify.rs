//! `verify` of one file says what it would say of a folder that has nothing else.

use wharf_embedded::{Fault, Operation};

use crate::bench::{Bench, assert_like};

const UNREAD: &str = "0 same, 0 differ, 0 missing in the bucket, 0 missing here, 1 unread, 0 unproven\n";

#[test]
fn an_object_that_may_not_be_asked_for_is_unread() {
    let bench = Bench::embedded();
    bench.file("a", "1");
    bench.put("x/a", "1");
    for (status, code) in [(403, "AccessDenied"), (400, "InvalidRequest")] {
        bench.store().inject(Fault::respond(status, code).on(Operation::HeadObject).times(1)).unwrap();
        let (exit, stdout, stderr) = bench.run(&["verify", "a", "s3://my-bucket/x/"]);
        let told = stdout.starts_with("unread: a (HeadObject ") && stdout.contains(&format!("HTTP {status}"));
        assert!(exit == 1 && told && stdout.ends_with(UNREAD) && stderr.is_empty(), "{stdout} {stderr}");
    }
}

#[test]
fn what_is_encrypted_with_ones_own_key_is_compared_with_it() {
    let bench = Bench::new();
    bench.file("key", "0123456789abcdef0123456789abcdef");
    bench.files(&["d/a", "d/b"]);
    let own = ["--sse-c", "--sse-c-key", "fileb://key"];
    bench.must(&[&["cp", "d", "s3://my-bucket/d", "--recursive"][..], &own].concat());
    bench.file("d/b", "x");
    // One that is not encrypted so is compared all the same.
    bench.file("d/c", "c");
    bench.put("d/c", "c");
    let report = |same, differ, unread| {
        format!("{same} same, {differ} differ, 0 missing in the bucket, 0 missing here, {unread} unread, 0 unproven\n")
    };
    for (path, url, with_key, without) in [
        ("d", "s3://my-bucket/d", report(2, 1, 0), report(1, 1, 1)),
        ("d/a", "s3://my-bucket/d/a", report(1, 0, 0), report(0, 0, 1)),
        ("d/c", "s3://my-bucket/d/c", report(1, 0, 0), report(1, 0, 0)),
    ] {
        let (_, stdout, stderr) = bench.run(&[&["verify", path, url][..], &own].concat());
        assert!(stdout.ends_with(&with_key), "{path}: {stdout} {stderr}");
        let (_, stdout, stderr) = bench.run(&["verify", path, url]);
        assert!(stdout.ends_with(&without), "{path}: {stdout} {stderr}");
    }
}

#[test]
fn a_bucket_that_is_not_there_is_no_object_that_is_missing() {
    let bench = Bench::new();
    bench.file("d/a", "1");
    assert_like(
        bench.run(&["verify", "d/a", "s3://my-bucket-2/a"]),
        254,
        "",
        "wharf: HeadBucket my-bucket-2: ...HTTP 404...",
    );
    assert_eq!(bench.run(&["verify", "d", "s3://my-bucket-2/"]).0, 254);
    let (exit, stdout, _) = bench.run(&["verify", "d/a", "s3://my-bucket/a"]);
    assert!(exit == 1 && stdout.starts_with("missing: a\n"), "{stdout}");
}

/// Who may not ask for the bucket still hears what is known of the object.
#[test]
fn a_bucket_that_may_not_be_asked_for_is_taken_to_be_there() {
    let bench = Bench::embedded();
    bench.file("a", "1");
    bench.store().inject(Fault::respond(403, "AccessDenied").on(Operation::HeadBucket)).unwrap();
    let (exit, stdout, _) = bench.run(&["verify", "a", "s3://my-bucket/a"]);
    assert!(exit == 1 && stdout.starts_with("missing: a\n"), "{stdout}");
}

#[cfg(unix)]
#[test]
fn a_link_that_is_left_out_is_not_compared() {
    let bench = Bench::new();
    bench.file("a", "1");
    bench.put("link", "1");
    std::os::unix::fs::symlink("a", bench.path("link")).unwrap();
    assert_eq!(bench.run(&["verify", "link", "s3://my-bucket/"]).0, 0);
    let (exit, stdout, stderr) = bench.run(&["verify", "link", "s3://my-bucket/", "--no-follow-symlinks"]);
    let why = "wharf: nothing was compared: the file is a symbolic link, which --no-follow-symlinks leaves out\n";
    assert_eq!((exit, stderr.as_str()), (1, why));
    assert!(stdout.starts_with("0 same, 0 differ, 0 missing"), "{stdout}");
    assert_eq!(bench.run(&["verify", "a", "s3://my-bucket/link", "--no-follow-symlinks"]).0, 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_no_text_is_no_key() {
    use std::os::unix::ffi::OsStrExt;

    use crate::bench::failed;
    let bench = Bench::new();
    let bad = std::ffi::OsStr::from_bytes(b"bad\xff");
    std::fs::write(bench.path("").join(bad), "1").unwrap();
    bench.put("bad\u{fffd}", "1");
    let verify = |url: &str| {
        let url = url.replace("my-bucket", &bench.bucket);
        bench.ran(bench.command(&["verify"]).args([bad, url.as_ref()]).output().unwrap())
    };
    let expected = failed(255, "wharf: bad\u{fffd} is no UTF-8, which every key must be\n");
    assert_eq!(verify("s3://my-bucket"), expected);
    assert_eq!(verify("s3://my-bucket/bad\u{fffd}").0, 0);
}
