//! Ctrl-C and SIGTERM.

#![cfg(unix)]

use std::cell::Cell;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use wharf::transfer::Interrupted;
use wharf_embedded::{Fault, Operation};

use crate::bench::{Bench, assert_like, done};

/// Starts a command, presses Ctrl-C when `begun`, and waits for its end: exit code and standard error.
fn interrupted(bench: &Bench, args: &[&str], begun: impl Fn() -> bool) -> (i32, String) {
    ended_by(Signal::INT, bench, start(bench.command(args)), begun)
}

fn start(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn ended_by(signal: Signal, bench: &Bench, mut child: Child, begun: impl Fn() -> bool) -> (i32, String) {
    // Which would be closed by the wait for the end.
    let stdin = child.stdin.take();
    while !begun() {
        if child.try_wait().unwrap().is_some() {
            panic!("it ended before: {:?}", bench.ran(child.wait_with_output().unwrap()));
        }
        std::thread::yield_now();
    }
    send(signal, &child);
    let (exit, _, stderr) = bench.ran(child.wait_with_output().unwrap());
    drop(stdin);
    (exit, stderr)
}

/// One whose standard input stays open.
fn listening(mut command: Command) -> Command {
    command.stdin(Stdio::piped());
    command
}

fn send(signal: Signal, child: &Child) {
    kill_process(Pid::from_raw(child.id().try_into().unwrap()).unwrap(), signal).unwrap();
}

const CANCELLED: &str =
    "wharf: cancelled: ctrl-c received\nhint: the same command goes on where it stopped, unless the file is small\n";
const SYNC_CANCELLED: &str = "wharf: cancelled: ctrl-c received\nhint: the same command goes on where it stopped\n";
const LINE: &str = "wharf: cancelled: ctrl-c received\n";
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
    assert_eq!(ended_by(Signal::INT, &bench, start(slowly), is_stored), (130, CANCELLED.to_owned()));
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
    assert_eq!(interrupted(&bench, &slowly, || answered(&bench, "UploadPart") >= 3), (130, SYNC_CANCELLED.to_owned()));
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
fn what_cannot_be_undone_is_told() {
    let bench = Bench::embedded();
    bench.file("a", vec![7; 40 << 20]);
    bench.store().inject(Fault::respond(403, "AccessDenied").on(Operation::AbortMultipartUpload)).unwrap();
    let args = ["cp", "a", "s3://my-bucket/", "--part-size", "5MiB", "--bandwidth", "1MiB", "--no-resume"];
    let begun = || answered(&bench, "CreateMultipartUpload") == 1;
    let (exit, stderr) = interrupted(&bench, &args, begun);
    let told = "upload failed: ./a to s3://my-bucket/a: cancelled, and not all of it could be undone: ...AccessDenied...\n\
                hint: `wharf rm URL --incomplete --dryrun` shows uploads that are left over\n";
    assert_like((exit, String::new(), stderr), 130, "", &format!("{told}{FOR_GOOD}"));
}

#[test]
fn what_could_not_be_put_away_in_time_is_told_once() {
    let bench = Bench::embedded();
    bench.file("a", vec![7; 40 << 20]);
    bench.store().inject(Fault::delay(Duration::from_secs(3600)).on(Operation::AbortMultipartUpload)).unwrap();
    let args = ["cp", "a", "s3://my-bucket/", "--part-size", "5MiB", "--bandwidth", "1MiB", "--no-resume"];
    let begun = || answered(&bench, "CreateMultipartUpload") == 1;
    let told = "warning: what was under way could not be put away in time\n\
                hint: `wharf rm URL --incomplete --dryrun` shows uploads that are left over\n";
    assert_eq!(interrupted(&bench, &args, begun), (130, format!("{told}{FOR_GOOD}")));
}

#[test]
fn what_a_sync_cannot_undo_is_told() {
    let bench = Bench::embedded();
    bench.file("d/a", vec![7; 40 << 20]);
    let args = ["sync", "d", "s3://my-bucket", "--part-size", "5MiB", "--bandwidth", "1MiB", "--no-resume"];
    let begun = || answered(&bench, "CreateMultipartUpload") == 1;
    let abort = |fault: Fault| bench.store().inject(fault.on(Operation::AbortMultipartUpload)).unwrap();
    let refused = abort(Fault::respond(403, "AccessDenied"));
    let (exit, stderr) = interrupted(&bench, &args, begun);
    let hint = "hint: `wharf rm URL --incomplete --dryrun` shows uploads that are left over\n";
    let told = format!("wharf: cancelled, and not all of it could be undone: ...AccessDenied...\n{hint}");
    assert_like((exit, String::new(), stderr), 130, "", &format!("{told}{SYNC_CANCELLED}"));
    refused.remove();
    bench.store().clear_requests();
    abort(Fault::delay(Duration::from_secs(3600)));
    let told = format!("warning: what was under way could not be put away in time\n{hint}");
    assert_eq!(interrupted(&bench, &args, begun), (130, format!("{told}{SYNC_CANCELLED}")));
}

/// As after a signal.
#[test]
fn what_a_listing_that_fails_ends_is_put_away() {
    let bench = Bench::embedded();
    bench.put("d/1", vec![7; 20 << 20]);
    bench.put("d/2", "2");
    let inject = |fault: Fault, operation| bench.store().inject(fault.on(operation)).unwrap();
    inject(Fault::delay(Duration::from_secs(1)).skip(1), Operation::ListObjectsV2);
    inject(Fault::respond(403, "AccessDenied").skip(1), Operation::ListObjectsV2);
    inject(Fault::delay(Duration::from_secs(3600)), Operation::UploadPart);
    // Longer than the end of a command waits for anything that nobody looks after.
    inject(Fault::delay(Duration::from_millis(400)), Operation::AbortMultipartUpload);
    let endpoint = bench.endpoint();
    let args = ["cp", "s3://my-bucket/d", "s3://my-bucket/e", "--recursive", "--page-size", "1", "--part-size", "5MiB"];
    let (exit, stdout, stderr) = bench.run(&[&args[..], &["--source-endpoint-url", &endpoint]].concat());
    assert_eq!((exit, stdout.as_str(), answered(&bench, "CreateMultipartUpload")), (1, "", 1));
    assert!(stderr.starts_with("wharf: ListObjectsV2 my-bucket: ") && stderr.contains("AccessDenied"), "{stderr}");
    assert!(bench.wait(bench.s3.list_multipart_uploads("my-bucket")).uploads.is_empty());
}

#[test]
fn a_walk_that_sends_nothing_hears_of_it() {
    let bench = Bench::embedded();
    for number in 0..4000 {
        bench.file(&format!("d/{number:0100}"), "");
    }
    // Far more lines than a pipe holds.
    let mut child = start(bench.command(&["cp", "d", "s3://my-bucket", "--recursive", "--dryrun"]));
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 10]).unwrap();
    send(Signal::INT, &child);
    std::thread::sleep(Duration::from_millis(500));
    let (exit, stdout, stderr) = bench.ran(child.wait_with_output().unwrap());
    assert!(exit == 130 && stdout.lines().count() < 3000 && stderr.starts_with(LINE), "{exit} {stderr}");
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

#[test]
fn standard_input_that_is_silent_holds_nothing_up() {
    let bench = Bench::embedded();
    for args in [&["cp", "-", "s3://my-bucket/a"][..], &["pipe", "s3://my-bucket/a"]] {
        bench.store().clear_requests();
        let mut child = start(listening(bench.command(&[args, &["--part-size", "5MiB"]].concat())));
        // Whoever sends the first part waits for more.
        child.stdin.as_mut().unwrap().write_all(&vec![7; 20 << 20]).unwrap();
        let ended = ended_by(Signal::INT, &bench, child, || answered(&bench, "UploadPart") > 0);
        assert_eq!(ended, (130, FOR_GOOD.to_owned()), "{args:?}");
        assert!(bench.keys().is_empty());
        assert!(bench.wait(bench.s3.list_multipart_uploads("my-bucket")).uploads.is_empty());
    }
}

#[test]
fn commands_that_come_from_a_silent_input_can_be_stopped() {
    let bench = Bench::embedded();
    let mut child = start(listening(bench.command(&["run", "-"])));
    // More than the pipe holds: it reads, and does not know that this is all.
    child.stdin.as_mut().unwrap().write_all(&vec![b'\n'; 1 << 20]).unwrap();
    assert_eq!(ended_by(Signal::INT, &bench, child, || true), (130, LINE.to_owned()));
}

#[test]
fn every_verb_says_that_it_was_stopped() {
    let bench = Bench::embedded();
    bench.file("d/a", "1");
    bench.put_all([("a", "1"), ("x/a", "2")]);
    bench.store().inject(Fault::delay(Duration::from_secs(3600))).unwrap();
    for args in [
        &["du", "s3://my-bucket"][..],
        &["rm", "s3://my-bucket/a"],
        &["rm", "s3://my-bucket/x", "--recursive"],
        &["cat", "s3://my-bucket/a"],
        &["cp", "s3://my-bucket/a", "-"],
        &["verify", "d", "s3://my-bucket/x"],
        &["s3", "rb", "s3://my-bucket", "--force"],
    ] {
        bench.store().clear_requests();
        let begun = || !bench.store().requests().is_empty();
        assert_eq!(interrupted(&bench, args, begun), (130, LINE.to_owned()), "{args:?}");
    }
    bench.store().clear_requests();
    let child = start(bench.command(&["du", "s3://my-bucket", "--json"]));
    let (exit, stderr) = ended_by(Signal::TERM, &bench, child, || !bench.store().requests().is_empty());
    let expected = "{\"type\":\"error\",\"message\":\"cancelled: SIGTERM received\"}\n";
    assert_eq!((exit, stderr.as_str()), (143, expected));
}

#[test]
fn who_is_ended_by_sigterm_puts_away_what_it_began() {
    let bench = Bench::embedded();
    bench.file("d/a", vec![7; 40 << 20]);
    for (args, hint) in [
        (&["cp", "d/a", "s3://my-bucket/"][..], "begins anew"),
        (&["sync", "d", "s3://my-bucket"], "goes on where it stopped"),
    ] {
        bench.store().clear_requests();
        let slowly = ["--part-size", "5MiB", "--bandwidth", "1MiB", "--no-resume"];
        let child = start(bench.command(&[args, &slowly].concat()));
        let begun = || answered(&bench, "CreateMultipartUpload") == 1;
        let expected = format!("wharf: cancelled: SIGTERM received\nhint: the same command {hint}\n");
        assert_eq!(ended_by(Signal::TERM, &bench, child, begun), (143, expected));
        assert!(bench.keys().is_empty());
        assert!(bench.wait(bench.s3.list_multipart_uploads("my-bucket")).uploads.is_empty());
    }
}

#[test]
fn every_command_of_a_list_puts_away_what_it_began() {
    let bench = Bench::embedded();
    bench.file("a", vec![7; 40 << 20]);
    bench.file("list", "cp a s3://my-bucket/a\ncp a s3://my-bucket/b\ncp a s3://my-bucket/c\n");
    // One of them takes longer than the others.
    let slow = Fault::delay(Duration::from_millis(400)).on(Operation::AbortMultipartUpload).nth(2);
    bench.store().inject(slow).unwrap();
    let args = ["run", "list", "--part-size", "5MiB", "--bandwidth", "1MiB", "--no-resume"];
    let (exit, stderr) = interrupted(&bench, &args, || answered(&bench, "CreateMultipartUpload") == 3);
    assert_eq!((exit, stderr.lines().next()), (130, LINE.lines().next()));
    assert!(bench.wait(bench.s3.list_multipart_uploads("my-bucket")).uploads.is_empty());
}

#[test]
fn a_second_ctrl_c_ends_what_is_stuck() {
    let bench = Bench::embedded();
    bench.put("a", vec![7; 8 << 20]);
    let mut child = start(bench.command(&["cat", "s3://my-bucket/a"]));
    // And then nobody reads any more.
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0]).unwrap();
    let status = loop {
        send(Signal::INT, &child);
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::yield_now();
    };
    assert_eq!(status.code(), Some(130));
}
