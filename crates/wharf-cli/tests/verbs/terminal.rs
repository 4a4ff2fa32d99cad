//! What somebody at a terminal sees, and is asked.

#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize};
use wharf_embedded::{Fault, Operation};

use crate::bench::Bench;

/// Runs a command at a terminal of its own where somebody types `input`: how it exits, and what the terminal shows.
fn at_a_terminal(mut command: Command, input: &str) -> (i32, String) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    tcsetwinsize(&master, Winsize { ws_row: 24, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let slave = OpenOptions::new().read(true).write(true).open(name).unwrap();
    // What is typed would be echoed whenever it comes, also amid what is printed.
    let mut attributes = tcgetattr(&slave).unwrap();
    attributes.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&slave, OptionalActions::Now, &attributes).unwrap();
    let (stdin, stdout) = (slave.try_clone().unwrap(), slave.try_clone().unwrap());
    let mut child = command.env("TERM", "xterm").stdin(stdin).stdout(stdout).stderr(slave).spawn().unwrap();
    // The command has the terminal open as well: it ends when all of these are gone.
    drop(command);
    let mut master = File::from(master);
    master.write_all(input.as_bytes()).unwrap();
    let reader = thread::spawn(move || {
        let mut seen = Vec::new();
        let mut block = [0; 4096];
        // When nobody has the terminal open any more, reading fails.
        while let Ok(length @ 1..) = master.read(&mut block) {
            seen.extend_from_slice(&block[..length]);
        }
        String::from_utf8_lossy(&seen).replace("\r\n", "\n")
    });
    let status = child.wait().unwrap();
    (status.code().unwrap(), reader.join().unwrap())
}

#[test]
fn a_whole_bucket_is_not_emptied_without_a_word() {
    let bench = Bench::embedded();
    bench.put_all([("a", "1"), ("b", "2")]);
    let question = "delete everything in s3://my-bucket? [y/N] ";
    for verb in [&["rm"][..], &["s3", "rm"]] {
        let command = || bench.command(&[verb, &["s3://my-bucket", "--recursive"]].concat());
        for no in ["n\n", "\n", "whatever\n"] {
            let (exit, seen) = at_a_terminal(command(), no);
            assert_eq!(exit, 1);
            assert!(seen.contains(question) && seen.contains("wharf: nothing was deleted"), "{seen}");
        }
        assert_eq!(bench.keys(), ["a", "b"]);
    }
    let (exit, seen) = at_a_terminal(bench.command(&["rm", "s3://my-bucket/*", "--recursive"]), "n\n");
    assert!(exit == 1 && seen.contains("delete everything in s3://my-bucket? [y/N] "), "{seen}");
    let (exit, seen) = at_a_terminal(bench.command(&["rm", "s3://my-bucket", "--recursive"]), "y\n");
    assert!(exit == 0 && seen.contains("delete: s3://my-bucket/a\ndelete: s3://my-bucket/b\n"), "{seen}");
    assert!(bench.keys().is_empty());
}

#[test]
fn what_is_less_or_meant_is_not_asked() {
    let bench = Bench::embedded();
    bench.put_all([("a", "1"), ("b/c", "2")]);
    let (exit, seen) = at_a_terminal(bench.command(&["rm", "s3://my-bucket/b", "--recursive"]), "");
    assert_eq!((exit, seen.as_str()), (0, "delete: s3://my-bucket/b/c\n"));
    let (exit, seen) = at_a_terminal(bench.command(&["rm", "s3://my-bucket", "--recursive", "--force"]), "");
    assert_eq!((exit, seen.as_str()), (0, "delete: s3://my-bucket/a\n"));
}

#[test]
fn a_pattern_is_asked_about() {
    let bench = Bench::embedded();
    bench.put_all([("a1", "1"), ("a2", "2"), ("b", "3")]);
    let (exit, seen) = at_a_terminal(bench.command(&["rm", "s3://my-bucket/a*"]), "n\n");
    assert!(exit == 1 && seen.contains("delete everything that fits s3://my-bucket/a*? [y/N] "), "{seen}");
    let (exit, _) = at_a_terminal(bench.command(&["rm", "s3://my-bucket/a*"]), "yes\n");
    assert_eq!((exit, bench.keys()), (0, vec!["b".to_owned()]));
}

#[test]
fn a_list_asks_nothing() {
    let bench = Bench::embedded();
    bench.put_all([("a", "1"), ("b", "2")]);
    for verb in ["rm", "s3 rm"] {
        bench.file("list", format!("{verb} s3://my-bucket --recursive\n"));
        let (exit, seen) = at_a_terminal(bench.command(&["run", "list"]), "y\n");
        let expected = "wharf: line 1: nobody is asked in a list of commands: delete everything in s3://my-bucket?\n\
                        hint: --recursive takes what fits a pattern without a question, --force a whole bucket\n";
        assert_eq!((exit, seen.as_str()), (252, expected));
    }
    assert_eq!(bench.keys(), ["a", "b"]);
    bench.file("list", "rm s3://my-bucket --recursive --force\n");
    assert_eq!(at_a_terminal(bench.command(&["run", "list"]), "").0, 0);
    assert!(bench.keys().is_empty());
}

#[test]
fn transfers_show_how_far_they_are() {
    let bench = Bench::embedded();
    bench.file("a", vec![7; 1 << 20]);
    let cp = |more: &[&str]| at_a_terminal(bench.command(&[&["cp", "a", "s3://my-bucket/"], more].concat()), "");
    let (exit, seen) = cp(&["--bandwidth", "4MiB"]);
    assert!(exit == 0 && seen.contains("1.00 MiB") && seen.contains("/1 files"), "{seen}");
    assert!(seen.contains("upload: ./a to s3://my-bucket/a\n"), "{seen}");
    for no_bar in [&["--no-progress"][..], &["--json"], &["--only-show-errors"], &["--quiet"]] {
        let (exit, seen) = cp(no_bar);
        assert!(exit == 0 && !seen.contains("MiB") && !seen.contains('\u{1b}'), "{no_bar:?} {seen}");
        assert!(seen.lines().count() <= 1, "{no_bar:?} {seen}");
    }
}

/// How far the bar was seen to be, of so much.
fn positions(seen: &str, total: &str) -> BTreeSet<String> {
    let behind = format!("/{total}");
    let shown = seen.split(&behind).filter_map(|text| text.rsplit(['\r', '[', ']']).next());
    shown.map(|text| text.trim().to_owned()).filter(|text| text.ends_with('B')).collect()
}

#[test]
fn a_bar_moves_as_bytes_are_sent_and_not_by_whole_parts() {
    let bench = Bench::new();
    bench.file("d/a", vec![7; 3 << 20]);
    for verb in [&["cp", "d/a", "s3://my-bucket/a"][..], &["sync", "d", "s3://my-bucket/x"]] {
        let (exit, seen) = at_a_terminal(bench.command(&[verb, &["--bandwidth", "2MiB"]].concat()), "");
        let positions = positions(&seen, "3.00 MiB");
        // All of it is one request.
        assert!(exit == 0 && positions.len() > 3, "{verb:?} {positions:?} {seen:?}");
        assert!(seen.contains("0/1 files") && seen.contains(" left"), "{verb:?} {seen:?}");
    }
}

#[test]
fn a_sync_shows_files_bytes_and_what_is_left() {
    let bench = Bench::new();
    for number in 0..4 {
        bench.put(&format!("x/{number}"), vec![7; 1 << 20]);
    }
    let args = ["sync", "s3://my-bucket/x", "d", "--bandwidth", "2MiB", "--concurrency", "1"];
    let (exit, seen) = at_a_terminal(bench.command(&args), "");
    assert!(exit == 0 && seen.contains("/4.00 MiB") && seen.contains(" left"), "{seen:?}");
    assert!((1..4).any(|done| seen.contains(&format!("{done}/4 files"))), "{seen:?}");
}

#[test]
fn the_bar_of_a_sync_counts_no_listing() {
    let bench = Bench::embedded();
    for number in 0..30 {
        let name = format!("{number:02}{}", "x".repeat(200));
        bench.put(&name, "");
        bench.file(&format!("d/{name}"), "");
    }
    bench.put("z", vec![7; 1 << 20]);
    bench.store().inject(Fault::delay(Duration::from_secs(1)).on(Operation::GetObject)).unwrap();
    let (exit, seen) = at_a_terminal(bench.command(&["sync", "s3://my-bucket", "d", "--size-only"]), "");
    let positions = positions(&seen, "1.00 MiB");
    assert!(exit == 0 && !positions.is_empty(), "{positions:?} {seen:?}");
    let is_true = |position: &String| position.ends_with(" 0 B") || position.ends_with("1.00 MiB");
    assert!(positions.iter().all(is_true), "{positions:?}");
}

#[test]
fn a_server_that_is_away_is_waited_for_aloud() {
    let bench = Bench::embedded();
    bench.file("a", "1");
    for operation in [Operation::PutObject, Operation::ListObjectsV2] {
        bench.store().inject(Fault::respond(503, "SlowDown").on(operation)).unwrap();
    }
    let command = |words: &str| bench.command(&words.split(' ').collect::<Vec<_>>());
    let waiting = format!("waiting for {}: ", bench.endpoint());
    let (exit, seen) = at_a_terminal(command("cp a s3://my-bucket/ --patience 3s"), "");
    assert!(exit == 1 && seen.contains(&waiting) && seen.contains(", trying until "), "{seen:?}");
    assert!(seen.contains("nothing moved within a patience of 3 s: "), "{seen:?}");
    // Without a terminal it is a line, and only when it lasts.
    let ran = |words| {
        let mut command = command(words);
        thread::spawn(move || command.args(["--patience", "6s"]).output().unwrap())
    };
    let loud =
        ["cp a s3://my-bucket/", "ls s3://my-bucket", "pipe s3://my-bucket/b", "rb s3://my-bucket --force"].map(ran);
    let [json, quiet] = ["sync . s3://my-bucket/x --json", "cp a s3://my-bucket/ --quiet"].map(ran);
    let stderr = |child: thread::JoinHandle<Output>| String::from_utf8(child.join().unwrap().stderr).unwrap();
    for said in loud.map(stderr) {
        assert!(said.starts_with(&waiting) && said.matches("waiting for").count() == 1, "{said}");
    }
    let said = stderr(json);
    assert!(said.starts_with("{\"type\":\"waiting\",\"server\":\"http://127.0.0.1:"), "{said}");
    assert_eq!(stderr(quiet), "");
}

#[test]
fn a_server_that_says_nothing_is_waited_for_aloud() {
    let bench = Bench::embedded();
    bench.put("a", "1");
    bench.store().inject(Fault::delay(Duration::from_secs(8))).unwrap();
    let said = ["ls s3://my-bucket", "cp s3://my-bucket/a b"].map(|words| {
        let mut command = bench.command(&words.split(' ').collect::<Vec<_>>());
        thread::spawn(move || command.output().unwrap())
    });
    for child in said {
        let output = child.join().unwrap();
        let (said, expected) =
            (String::from_utf8(output.stderr).unwrap(), format!("waiting for {}: ", bench.endpoint()));
        assert!(said.starts_with(&(expected + "no answer for ")) && said.lines().count() == 1, "{said}");
        assert!(output.status.success());
    }
}

#[test]
fn standard_input_and_listings_have_a_bar() {
    let bench = Bench::embedded();
    let wharf = env!("CARGO_BIN_EXE_wharf");
    let line = format!("head -c 3145728 /dev/zero | {wharf} pipe s3://my-bucket/a --bandwidth 4MiB");
    let mut shell = bench.shell(&line);
    shell.env("PATH", std::env::var_os("PATH").unwrap());
    let (exit, seen) = at_a_terminal(shell, "");
    assert!(exit == 0 && seen.contains(" MiB/s") && seen.contains("iB  "), "{seen:?}");
    assert_eq!(bench.head("a").content_length, 3 << 20);
    bench.store().inject(Fault::delay(Duration::from_millis(700)).on(Operation::ListObjectsV2)).unwrap();
    for listing in [&format!("{wharf} ls s3://my-bucket --recursive > list")[..], &format!("{wharf} du s3://my-bucket")]
    {
        let (exit, seen) = at_a_terminal(bench.shell(listing), "");
        assert!(exit == 0 && seen.contains(" objects "), "{seen:?}");
        let (_, seen) = at_a_terminal(bench.shell(&format!("{listing} --quiet")), "");
        assert!(!seen.contains("objects"), "{seen:?}");
    }
    assert!(bench.read("list").is_empty());
}

#[test]
fn names_of_objects_cannot_command_the_terminal() {
    let bench = Bench::embedded();
    bench.put("a\u{1b}[2Jb\u{7}", "1");
    bench.put("d/x\u{202e}fdp\\n", "1");
    let (exit, seen) = at_a_terminal(bench.command(&["ls", "s3://my-bucket"]), "");
    assert!(exit == 0 && seen.ends_with("1 a\\u{1b}[2Jb\\u{7}\n"), "{seen:?}");
    // Backslashes in results are as they are.
    let (exit, seen) = at_a_terminal(bench.command(&["ls", "s3://my-bucket/d/"]), "");
    assert!(exit == 0 && seen.ends_with("1 x\\u{202e}fdp\\n\n"), "{seen:?}");
    // Nobody but a terminal obeys them: a list in a file has the names as they are, also with a bar beside it.
    let line = format!("{} ls s3://my-bucket --recursive > list", env!("CARGO_BIN_EXE_wharf"));
    assert_eq!(at_a_terminal(bench.shell(&line), "").0, 0);
    let list = bench.read("list");
    assert!(list.contains(" a\u{1b}[2Jb\u{7}\n") && list.ends_with(" d/x\u{202e}fdp\\n\n"), "{list:?}");
    let (_, seen) = at_a_terminal(bench.command(&["cp", "s3://my-bucket", "in", "--recursive", "--no-progress"]), "");
    assert!(seen.contains("in/a\\u{1b}[2Jb\\u{7}\n") && !seen.contains('\u{1b}'), "{seen:?}");
}
