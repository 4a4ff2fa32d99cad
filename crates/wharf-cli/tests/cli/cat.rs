//! `wharf cat`.

use std::io::Read;
use std::process::Stdio;

use wharf_embedded::{Fault, Operation};

use crate::bench::{Bench, done, run};

const MISSING: &str = "wharf: nothing is there: s3://my-bucket/none\nhint: `wharf ls s3://my-bucket/` shows what is\n";

#[test]
fn objects_follow_each_other() {
    let bench = Bench::with(&[("a", "one\n"), ("b", "two"), ("empty", "")]);
    assert_eq!(bench.run(&["cat", "s3://my-bucket/a"]), done("one\n"));
    assert_eq!(bench.run(&["cat", "s3://my-bucket/b", "s3://my-bucket/empty", "my-bucket/a"]), done("twoone\n"));
}

#[test]
fn every_byte_arrives() {
    let bench = Bench::new();
    let bytes: Vec<u8> = (0..3_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    bench.put("binary", bytes.clone());
    let output = bench.command(&["cat", "s3://my-bucket/binary"]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
    assert!(output.stdout == bytes);
}

#[test]
fn of_several_one_that_fails_does_not_stop_the_others() {
    let bench = Bench::with(&[("a", "one\n")]);
    let ran = bench.run(&["cat", "s3://my-bucket/a", "s3://my-bucket/none", "s3://my-bucket/a"]);
    assert_eq!(ran, (1, "one\none\n".to_owned(), MISSING.to_owned()));
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let bench = Bench::new();
    // Far more than a pipe holds.
    bench.put("large", vec![b'x'; 16 << 20]);
    bench.store.clear_requests();
    let mut command = bench.command(&["cat", "s3://my-bucket/large", "s3://my-bucket/large"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((&first, output.status.code(), output.stderr.as_slice()), (b"xxxxxxxxxx", Some(0), &b""[..]));
    // Nor is there any point in the second one.
    assert_eq!(bench.store.requests().len(), 1);
}

#[test]
fn what_failed_before_the_reader_left_has_failed() {
    let bench = Bench::new();
    bench.put("large", vec![b'x'; 16 << 20]);
    bench.put("lost", vec![b'x'; 10]);
    bench.store.inject(Fault::respond(403, "AccessDenied").on(Operation::GetObject).key("lost")).unwrap();
    for urls in [&["s3://my-bucket/none", "s3://my-bucket/large"][..], &["s3://my-bucket/lost", "s3://my-bucket/l*"]] {
        let mut command = bench.command(&[&["cat"], urls].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdout.take().unwrap().read_exact(&mut [0; 10]).unwrap();
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(1), "{urls:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let bench = Bench::with(&[("a", "one\n")]);
    for args in [&["cat", "s3://my-bucket/a"][..], &["ls", "s3://my-bucket"], &["--version"]] {
        let mut command = bench.command(args);
        command.stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
        let output = command.stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let expected = "wharf: standard output cannot be written to: No space left on device (os error 28)\n";
        assert_eq!((output.status.code(), stderr.as_str()), (Some(255), expected), "{args:?}");
    }
}

#[test]
fn a_wrong_secret_gets_a_hint_and_is_never_printed() {
    let bench = Bench::with(&[("a", "one\n")]);
    let mut command = bench.command(&["cat", "s3://my-bucket/a"]);
    command.env("AWS_SECRET_ACCESS_KEY", "another-secret");
    let (exit, stdout, stderr) = run(command);
    assert_eq!((exit, stdout.as_str()), (254, ""));
    let lines: Vec<_> = stderr.lines().collect();
    assert!(lines[0].starts_with("wharf: GetObject my-bucket/a: ") && lines[0].contains("SignatureDoesNotMatch"));
    let hint = "hint: check the secret access key: the server knows the key id but not this secret; \
                `wharf whoami` says where the keys are from";
    assert_eq!(lines[1..], [hint]);
    assert!(!stderr.contains("another-secret"));
}
