//! Ctrl-C.

#![cfg(unix)]

use std::cell::Cell;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use wharf::transfer::Interrupted;

use crate::bench::{Bench, done};

/// Starts a command, presses Ctrl-C when `begun`, and waits for its end: exit code and standard error.
fn interrupted(bench: &Bench, args: &[&str], begun: impl Fn() -> bool) -> (i32, String) {
    stopped(bench, bench.command(args), begun)
}

fn stopped(bench: &Bench, mut command: Command, begun: impl Fn() -> bool) -> (i32, String) {
    let mut child: Child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while !begun() {
        if child.try_wait().unwrap().is_some() {
            panic!("it ended before: {:?}", bench.ran(child.wait_with_output().unwrap()));
        }
        std::thread::yield_now();
    }
    kill_process(Pid::from_raw(child.id().try_into().unwrap()).unwrap(), Signal::INT).unwrap();
    let (exit, _, stderr) = bench.ran(child.wait_with_output().unwrap());
    (exit, stderr)
}

const CANCELLED: &str = "wharf: cancelled: ctrl-c received\nhint: the same command goes on where it stopped\n";
const FOR_GOOD: &str = "wharf: cancelled: ctrl-c received\nhint: the same command begins anew\n";

/// How many requests of a kind have been answered.
fn answered(bench: &Bench, operation: &str) -> usize {
    bench.store().requests().iter().filter(|request| request.operation == operation && request.status.is_some()).count()
}

#[test]
fn an_upload_that_is_stopped_goes_on() {
    let bench = Bench::embedded();
    bench.file("a", vec![7; 80 << 20]);
    let args = ["cp", "a", "s3://my-bucket/", "--part-size", "8MiB", "--concurrency", "1"];
    let slowly = [&args[..], &["--bandwidth", "24MiB"]].concat();
    assert_eq!(interrupted(&bench, &slowly, || answered(&bench, "UploadPart") >= 3), (130, CANCELLED.to_owned()));
    assert!(bench.keys().is_empty());
    bench.store().clear_requests();
    let json: serde_json::Value = serde_json::from_str(&bench.must(&[&args[..], &["--json"]].concat())).unwrap();
    assert!(json["resumed"].as_u64().unwrap() >= 16 << 20 && answered(&bench, "UploadPart") < 9, "{json}");
    assert_eq!(bench.head("a").content_length, 80 << 20);
    assert!(bench.wait(bench.s3.list_multipart_uploads("my-bucket")).uploads.is_empty());
}

/// Without a server nobody can be asked how far it is: the journal tells.
#[test]
fn an_upload_into_a_directory_that_is_stopped_goes_on() {
    let bench = Bench::embedded();
    bench.file("a", vec![7; 40 << 20]);
    bench.must(&["mb", "s3://my-bucket", "--embedded", "store"]);
    let args = ["cp", "a", "s3://my-bucket/", "--embedded", "store", "--part-size", "8MiB", "--concurrency", "1"];
    let command = |more: &[&str]| {
        let mut command = bench.command(&[&args[..], more].concat());
        command.env_remove("XDG_STATE_HOME").env("HOME", bench.path("home"));
        command
    };
    let journals = bench.path("home/.local/state/wharf/uploads");
    let is_stored = || Interrupted::list(&journals).unwrap().iter().any(|upload| upload.bytes >= 16 << 20);
    let slowly = command(&["--bandwidth", "16MiB"]);
    assert_eq!(stopped(&bench, slowly, is_stored), (130, CANCELLED.to_owned()));
    let output = command(&["--json"]).output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(json["resumed"].as_u64().unwrap() >= 16 << 20, "{json}");
    assert_eq!(bench.must(&["cat", "s3://my-bucket/a", "--embedded", "store"]).len(), 40 << 20);
}

#[test]
fn a_sync_that_is_stopped_goes_on() {
    let bench = Bench::embedded();
    bench.file("d/a", vec![7; 80 << 20]);
    bench.file("d/b", "1");
    let args = ["sync", "d", "s3://my-bucket/x", "--part-size", "8MiB", "--concurrency", "1"];
    let slowly = [&args[..], &["--bandwidth", "24MiB"]].concat();
    assert_eq!(interrupted(&bench, &slowly, || answered(&bench, "UploadPart") >= 3), (130, CANCELLED.to_owned()));
    assert!(!bench.keys().contains(&"x/a".to_owned()));
    bench.store().clear_requests();
    let (exit, _, stderr) = bench.run(&args);
    let resumed =
        stderr.strip_prefix("resumed: ").and_then(|line| line.strip_suffix(" MiB of d/a were there already\n"));
    let resumed: f64 = resumed.unwrap().parse().unwrap();
    assert!(exit == 0 && resumed >= 16.0 && answered(&bench, "UploadPart") < 9, "{stderr}");
    assert_eq!(bench.keys(), ["x/a", "x/b"]);
    assert!(bench.wait(bench.s3.list_multipart_uploads("my-bucket")).uploads.is_empty());
}

#[test]
fn a_download_that_is_stopped_goes_on() {
    let bench = Bench::embedded();
    bench.put("a", vec![7; 80 << 20]);
    let args = ["cp", "s3://my-bucket/a", ".", "--part-size", "8MiB", "--concurrency", "2"];
    let slowly = [&args[..], &["--bandwidth", "24MiB"]].concat();
    // The journal grows when bytes are safe.
    let (journal, first) = (bench.path("a.wharf-journal"), Cell::new(0));
    let has_grown = || {
        let length = std::fs::metadata(&journal).map_or(0, |found| found.len());
        if first.get() == 0 {
            first.set(length);
        }
        length > first.get()
    };
    assert_eq!(interrupted(&bench, &slowly, has_grown), (130, CANCELLED.to_owned()));
    assert!(!bench.path("a").exists());
    // What an earlier run has left is looked up; aws-cli has no words for it.
    bench.store().clear_requests();
    let done = done("download: s3://my-bucket/a to ./a\n");
    assert_eq!(bench.run(&[&["s3"][..], &args, &["--no-progress"]].concat()), done);
    assert_eq!(answered(&bench, "HeadObject"), 1);
    assert_eq!((std::fs::metadata(bench.path("a")).unwrap().len(), bench.tree(".").len()), (80 << 20, 1));
}

#[test]
fn an_upload_that_is_stopped_leaves_no_object() {
    let bench = Bench::embedded();
    bench.file("a", vec![7; 40 << 20]);
    let args = ["cp", "a", "s3://my-bucket/", "--part-size", "5MiB", "--bandwidth", "1MiB", "--no-resume"];
    let begun = || bench.store().requests().iter().any(|request| request.operation == "CreateMultipartUpload");
    assert_eq!(interrupted(&bench, &args, begun), (130, FOR_GOOD.to_owned()));
    assert!(bench.keys().is_empty());
    assert!(bench.wait(bench.s3.list_multipart_uploads("my-bucket")).uploads.is_empty());
}

#[test]
fn a_download_that_is_stopped_leaves_no_file() {
    let bench = Bench::embedded();
    bench.put("a", vec![7; 40 << 20]);
    let args = ["cp", "s3://my-bucket/a", ".", "--part-size", "5MiB", "--bandwidth", "1MiB", "--no-resume"];
    let begun = || bench.store().requests().iter().any(|request| request.operation == "GetObject");
    assert_eq!(interrupted(&bench, &args, begun), (130, FOR_GOOD.to_owned()));
    assert!(!bench.path("a").exists());
    assert!(bench.tree(".").is_empty());
}
