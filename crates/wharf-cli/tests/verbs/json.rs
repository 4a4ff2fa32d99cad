//! `--json`: what is printed is what docs/command.md says, for every type of message.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use wharf_embedded::{Fault, Operation};

use crate::bench::Bench;

/// The fields of a type, as the page has them.
#[derive(Default)]
struct Documented {
    always: BTreeSet<String>,
    sometimes: BTreeSet<String>,
    /// Whether there may be others, whose values are text.
    is_open: bool,
}

/// What is in backquotes.
fn names(text: &str) -> impl Iterator<Item = String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned)
}

/// The table of docs/command.md, by type.
fn documented() -> BTreeMap<String, Documented> {
    let page = include_str!("../../../../docs/command.md");
    let table = page.split("| `type` | of | fields |").nth(1).unwrap().lines().skip(2);
    let mut types = BTreeMap::new();
    for row in table.take_while(|line| line.starts_with('|')) {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").collect();
        let [kinds, _, fields] = cells[..] else { panic!("{row}") };
        // What is in parentheses are values, or words about a field.
        let mut plain = String::new();
        let mut depth = 0;
        for c in fields.chars() {
            depth += i32::from(c == '(') - i32::from(c == ')');
            if depth == 0 {
                plain.push(c);
            }
        }
        for kind in names(kinds) {
            let mut fields = Documented { is_open: plain.contains("[and what else"), ..Documented::default() };
            for (at, piece) in plain.split(['[', ']']).enumerate() {
                let of = if at % 2 == 0 { &mut fields.always } else { &mut fields.sometimes };
                of.extend(names(piece.split("such as").next().unwrap()));
            }
            assert!(types.insert(kind.clone(), fields).is_none(), "{kind} has two rows");
        }
    }
    types
}

/// All objects that a run printed, in order.
fn printed(bench: &Bench, args: &[&str]) -> Vec<Value> {
    let (_, stdout, stderr) = bench.run(&[args, &["--json"]].concat());
    let line = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{args:?}: {error}: {line}"));
    stdout.lines().chain(stderr.lines()).map(line).collect()
}

/// Runs that print every type, and every field that may be missing.
fn everything(bench: &Bench) -> Vec<Value> {
    bench.files(&["d/a", "d/b", "one", "two"]);
    bench.file("list", "head s3://my-bucket/none\nrm s3://my-bucket/none/\nls s3://my-bucket\ncp one s3://my-bucket/one --no-overwrite");
    bench.file("away", "ls s3://my-bucket --patience 6s");
    bench.file("d/dangling/x", "");
    std::fs::remove_dir_all(bench.path("d/dangling")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere", bench.path("d/dangling")).unwrap();
    bench.wait(bench.s3.create_multipart_upload("my-bucket", "begun"));
    let denied =
        |operation| bench.store().inject(Fault::respond(403, "AccessDenied").key("denied").on(operation)).unwrap();
    denied(Operation::PutObject);
    let mut all = Vec::new();
    for args in [
        &["mb", "s3://my-bucket-2"][..],
        &["cp", "one", "s3://my-bucket/one"],
        &["cp", "one", "s3://my-bucket/one", "--dryrun"],
        &["cp", "one", "s3://my-bucket/one", "--no-overwrite"],
        &["cp", "one", "s3://my-bucket/denied"],
        &["cp", "s3://my-bucket/one", "copied"],
        &["cp", "s3://my-bucket/one", "s3://my-bucket/copied"],
        &["mv", "two", "s3://my-bucket/two"],
        &["sync", "d", "s3://my-bucket/d"],
        &["sync", "s3://my-bucket/d", "e"],
        &["sync", "s3://my-bucket/d", "s3://my-bucket/f"],
        &["sync", "e", "s3://my-bucket/f", "--delete", "--dryrun", "--exclude", "none"],
        &["ls"],
        &["ls", "s3://my-bucket", "--summarize"],
        &["head", "s3://my-bucket/one"],
        &["head", "s3://my-bucket/none"],
        &["du", "s3://my-bucket"],
        &["presign", "s3://my-bucket/one"],
        &["verify", "d", "s3://my-bucket/f", "--all"],
        &["whoami"],
        &["version"],
        &["run", "list"],
        &["rm", "s3://my-bucket/copied", "--dryrun"],
        &["rm", "s3://my-bucket/copied"],
        &["rm", "s3://my-bucket", "--incomplete", "--dryrun"],
        &["rm", "s3://my-bucket", "--incomplete"],
        &["rb", "s3://my-bucket"],
        &["rb", "s3://my-bucket-2"],
    ] {
        all.extend(printed(bench, args));
    }
    let of_list = printed(bench, &["run", "list"]);
    assert!(of_list.len() > 3 && of_list.iter().all(|message| message["line"].is_u64()), "{of_list:?}");
    all.extend(resumed(bench));
    all.extend(begun_twice(bench));
    all.extend(waited(bench));
    all.extend(withheld(bench));
    all
}

/// A listing of a server that is away.
fn waited(bench: &Bench) -> Vec<Value> {
    let away = bench.store().inject(Fault::respond(503, "SlowDown").on(Operation::ListObjectsV2)).unwrap();
    let printed = printed(bench, &["run", "away"]);
    away.remove();
    printed
}

/// Deletes that wait until all was transferred.
fn withheld(bench: &Bench) -> Vec<Value> {
    bench.file("some/new", "1");
    bench.put("some/old", "1");
    let refused = bench.store().inject(Fault::respond(403, "AccessDenied").on(Operation::PutObject)).unwrap();
    let printed = printed(bench, &["sync", "some", "s3://my-bucket/some", "--delete"]);
    refused.remove();
    printed
}

/// An upload that goes on where another was stopped.
fn resumed(bench: &Bench) -> Vec<Value> {
    bench.file("large/a", vec![7; 20 << 20]);
    let args = ["sync", "large", "s3://my-bucket/large", "--part-size", "5MiB", "--concurrency", "1"];
    let slow = Fault::delay(std::time::Duration::from_secs(600)).on(Operation::UploadPart).nth(3);
    bench.store().inject(slow).unwrap();
    let before = answered(bench);
    let mut child = bench.command(&args).stdout(std::process::Stdio::null()).spawn().unwrap();
    while answered(bench) < before + 2 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    bench.store().clear_faults();
    let went_on = printed(bench, &args);
    let [upload] = &went_on[..] else { panic!("{went_on:?}") };
    assert_eq!((&upload["type"], &upload["verified"]), (&"upload".into(), &true.into()), "{upload}");
    assert!(upload["resumed"].as_u64().is_some_and(|bytes| bytes >= 5 << 20), "{upload}");
    went_on
}

/// An upload of which the server was asked twice, for its answer was lost.
fn begun_twice(bench: &Bench) -> Vec<Value> {
    let lose = || bench.store().inject(Fault::drop_answer().on(Operation::CreateMultipartUpload).times(1)).unwrap();
    let args = ["cp", "large/a", "s3://my-bucket/twice", "--part-size", "5MiB"];
    lose();
    let told = printed(bench, &args);
    lose();
    let warning = "warning: an answer was lost while s3://my-bucket/twice was begun, and an upload without parts may be left \
                   over: `rm --incomplete --dryrun` shows it\n";
    let line = "upload: large/a to s3://my-bucket/twice\n";
    assert_eq!(bench.run(&args), (0, line.to_owned(), warning.to_owned()));
    [told, never_heard(bench)].concat()
}

/// An upload of which an earlier run never heard whether it was begun.
fn never_heard(bench: &Bench) -> Vec<Value> {
    let args = ["cp", "large/a", "s3://my-bucket/never", "--part-size", "5MiB"];
    let lose = || {
        let lost = Fault::drop_answer().on(Operation::CreateMultipartUpload).key("never");
        let lost = bench.store().inject(lost).unwrap();
        assert_eq!(bench.run(&[&args[..], &["--patience", "1s"]].concat()).0, 1);
        lost.remove();
    };
    lose();
    let (exit, _, stderr) = bench.run(&args);
    let warning = "warning: of an earlier run, uploads to s3://my-bucket/never may be left over, which `rm --incomplete` aborts: ";
    assert!(exit == 0 && stderr.contains(warning), "{exit}: {stderr}");
    lose();
    printed(bench, &args)
}

fn answered(bench: &Bench) -> usize {
    let is_done = |request: &wharf_embedded::LoggedRequest| request.status.is_some_and(|status| status.is_success());
    let requests = bench.store().requests();
    requests.iter().filter(|request| request.operation == "UploadPart" && is_done(request)).count()
}

#[test]
fn every_message_is_as_documented() {
    let documented = documented();
    let bench = Bench::embedded();
    let mut seen: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let all = everything(&bench);
    for message in &all {
        let fields = message.as_object().unwrap();
        let kind = fields["type"].as_str().unwrap();
        let page = documented.get(kind).unwrap_or_else(|| panic!("{kind} is not documented: {message}"));
        for name in &page.always {
            assert!(fields.contains_key(name), "{kind} has no {name}: {message}");
        }
        for (name, value) in fields.iter().filter(|(name, _)| !["type", "line"].contains(&name.as_str())) {
            let is_known = page.always.contains(name) || page.sometimes.contains(name);
            assert!(is_known || page.is_open && value.is_string(), "{name} of {kind} is not documented: {message}");
        }
        seen.entry(kind).or_default().extend(fields.keys().cloned());
    }
    for (kind, page) in &documented {
        let seen = seen.get(kind.as_str()).unwrap_or_else(|| panic!("no {kind} was printed"));
        for name in &page.sometimes {
            // What one of several types in a row has is enough.
            let others = ["upload", "download", "copy", "move"];
            let of_row = others.contains(&kind.as_str());
            let was_seen = seen.contains(name)
                || of_row
                    && all.iter().any(|message| {
                        others.contains(&message["type"].as_str().unwrap()) && message.get(name).is_some()
                    });
            assert!(was_seen, "no {kind} had a {name}");
        }
    }
}

#[test]
fn a_sync_tells_of_each_entry_what_cp_tells() {
    let bench = Bench::new();
    bench.files(&["d/a"]);
    let line = |kind: &str, source: &str, target: &str, more: &str| {
        serde_json::from_str::<Value>(&format!(
            "{{\"type\":\"{kind}\",\"source\":\"{source}\",\"target\":\"{target}\",\"size\":3{more}}}"
        ))
        .unwrap()
    };
    let verified = ",\"verified\":true";
    for (args, expected) in [
        (
            &["sync", "d", "s3://my-bucket/x", "--dryrun"][..],
            line("upload", "d/a", "s3://my-bucket/x/a", ",\"dryrun\":true"),
        ),
        (&["sync", "d", "s3://my-bucket/x"], line("upload", "d/a", "s3://my-bucket/x/a", verified)),
        (&["sync", "s3://my-bucket/x", "e"], line("download", "s3://my-bucket/x/a", "e/a", verified)),
        (
            &["sync", "s3://my-bucket/x", "s3://my-bucket/y"],
            line("copy", "s3://my-bucket/x/a", "s3://my-bucket/y/a", ",\"verified\":false"),
        ),
    ] {
        assert_eq!(printed(&bench, args), [expected], "{args:?}");
    }
}
