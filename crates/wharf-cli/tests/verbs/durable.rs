//! What is on the disk before something else is said: seen by the system calls of the real binary.

use std::process::Command;

use crate::bench::Bench;

const MIB: usize = 1 << 20;

/// The calls that write, sync and rename, in their order, each with the files it is about.
fn traced(bench: &Bench, args: &[&str]) -> Vec<String> {
    let (binary, log) = (bench.command(args), bench.path("trace"));
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-e", "trace=fsync,fdatasync,rename,unlink,pwrite64", "-o"]).arg(&log);
    strace.arg(binary.get_program()).args(binary.get_args()).current_dir(binary.get_current_dir().unwrap());
    strace.env_clear().envs(binary.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let done = strace.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = std::fs::read_to_string(log).unwrap();
    // One thread's call may be told in two lines: it is over with the second.
    let mut begun = std::collections::HashMap::new();
    let mut calls = Vec::new();
    for line in text.lines() {
        let (thread, call) = line.split_once(' ').unwrap();
        let call = call.trim_start();
        if let Some(begin) = call.strip_suffix("<unfinished ...>") {
            // A write counts from its begin, for that is when it may be on the disk.
            if begin.starts_with("pwrite64") {
                calls.push(begin.to_owned());
            } else {
                begun.insert(thread.to_owned(), begin.to_owned());
            }
        } else if call.starts_with("<...") {
            calls.extend(begun.remove(thread));
        } else {
            calls.push(call.to_owned());
        }
    }
    calls
}

fn place(calls: &[String], starts: &str, holds: &str) -> usize {
    let found = calls.iter().position(|call| call.starts_with(starts) && call.contains(holds));
    found.unwrap_or_else(|| panic!("no {starts} of {holds} in {calls:#?}"))
}

#[test]
#[ignore = "needs strace: run by ci/full"]
fn a_durable_file_and_the_folders_on_its_way_are_synced() {
    let bench = Bench::embedded();
    bench.put("a", "Hello!");
    let calls = traced(&bench, &["cp", "s3://my-bucket/a", "new/deep/a", "--fsync"]);
    let [file, renamed] = [place(&calls, "fsync", "a.wharf-part"), place(&calls, "rename", "new/deep/a")];
    assert!(file < renamed, "{calls:#?}");
    let root = bench.path("").canonicalize().unwrap().display().to_string();
    let root = root.trim_end_matches('/');
    let syncs = |calls: &[String], folder: &str| {
        calls.iter().any(|call| call.starts_with("fsync") && call.contains(&format!("<{root}{folder}>")))
    };
    for folder in ["/new/deep", "/new", ""] {
        assert!(syncs(&calls[renamed..], folder), "{folder}: {calls:#?}");
    }
    let calls = traced(&bench, &["cp", "s3://my-bucket/a", "new/b"]);
    assert!(!syncs(&calls[place(&calls, "rename", "new/b")..], "/new"), "{calls:#?}");
}

/// After a power failure the records alone tell who has completed an upload.
#[test]
#[ignore = "needs strace: run by ci/full"]
fn all_parts_are_recorded_on_the_disk_before_an_upload_is_completed() {
    let bench = Bench::embedded();
    bench.file("a", vec![7; 20 * MIB]);
    let calls = traced(&bench, &["cp", "a", "s3://my-bucket/a", "--part-size", "5MiB"]);
    let is_of = |call: &String, what: &str| call.starts_with(what) && call.contains(".wharf-journal");
    let last = calls.iter().rposition(|call| is_of(call, "pwrite64")).unwrap();
    assert!(calls[last..].iter().any(|call| is_of(call, "fdatasync")), "{calls:#?}");
}

/// A record says that bytes are there: they are, and so is the record of what begins.
#[test]
#[ignore = "needs strace: run by ci/full"]
fn bytes_are_synced_before_they_are_recorded() {
    let bench = Bench::embedded();
    bench.put("a", vec![7; 96 * MIB]);
    let calls = traced(&bench, &["cp", "s3://my-bucket/a", "a"]);
    let records: Vec<usize> = (0..calls.len())
        .filter(|&at| calls[at].starts_with("pwrite64") && calls[at].contains("a.wharf-journal"))
        .collect();
    assert!(records.len() > 1, "{calls:#?}");
    for (number, pair) in records.windows(2).enumerate() {
        let between = &calls[pair[0]..pair[1]];
        let syncs = |file: &str| between.iter().any(|call| call.starts_with("fdatasync") && call.contains(file));
        // The first says what is fetched, and has to be there itself.
        assert!(syncs("a.wharf-part") && (number > 0 || syncs("a.wharf-journal")), "{pair:?} of {calls:#?}");
    }
}
