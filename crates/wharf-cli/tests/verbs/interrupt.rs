//! Ctrl-C.

#![cfg(unix)]

use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::bench::Bench;

/// Starts a command, presses Ctrl-C when `begun`, and waits for its end: exit code and standard error.
fn interrupted(bench: &Bench, args: &[&str], begun: impl Fn() -> bool) -> (i32, String) {
    let child: Child = bench.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while !begun() {
        std::thread::yield_now();
    }
    kill_process(Pid::from_raw(child.id().try_into().unwrap()).unwrap(), Signal::INT).unwrap();
    let (exit, _, stderr) = bench.ran(child.wait_with_output().unwrap());
    (exit, stderr)
}

const CANCELLED: &str = "wharf: cancelled: ctrl-c received\nhint: the same command goes on where it stopped\n";

#[test]
fn an_upload_that_is_stopped_leaves_no_object() {
    let bench = Bench::embedded();
    bench.file("a", vec![7; 40 << 20]);
    let args = ["cp", "a", "s3://my-bucket/", "--part-size", "5MiB", "--bandwidth", "1MiB"];
    let begun = || bench.store().requests().iter().any(|request| request.operation == "CreateMultipartUpload");
    assert_eq!(interrupted(&bench, &args, begun), (130, CANCELLED.to_owned()));
    assert!(bench.keys().is_empty());
}

#[test]
fn a_download_that_is_stopped_leaves_no_file() {
    let bench = Bench::embedded();
    bench.put("a", vec![7; 40 << 20]);
    let args = ["cp", "s3://my-bucket/a", ".", "--part-size", "5MiB", "--bandwidth", "1MiB"];
    let begun = || bench.store().requests().iter().any(|request| request.operation == "GetObject");
    assert_eq!(interrupted(&bench, &args, begun), (130, CANCELLED.to_owned()));
    assert!(!bench.path("a").exists());
}
