//! `sync` and `verify`.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use wharf_embedded::{Fault, Operation, Personality};

use crate::bench::{Bench, assert_like, done, failed};

/// The lines, in order: many things at a time end in any.
fn sorted((exit, stdout, stderr): (i32, String, String)) -> (i32, Vec<String>, String) {
    let mut lines: Vec<_> = stdout.lines().map(str::to_owned).collect();
    lines.sort();
    (exit, lines, stderr)
}

fn lines(lines: &[&str]) -> (i32, Vec<String>, String) {
    (0, lines.iter().map(|line| (*line).to_owned()).collect(), String::new())
}

/// Sets a file's time to so many seconds before now, or after.
fn touch(bench: &Bench, name: &str, seconds: i64) {
    let now = SystemTime::now();
    let shift = Duration::from_secs(seconds.unsigned_abs());
    let time = if seconds < 0 { now - shift } else { now + shift };
    File::options().write(true).open(bench.path(name)).unwrap().set_modified(time).unwrap();
}

#[test]
fn a_folder_and_a_prefix_become_the_same() {
    let bench = Bench::new();
    bench.files(&["d/1", "d/e/2", "d/3.log"]);
    for name in ["d/1", "d/e/2", "d/3.log"] {
        touch(&bench, name, -100);
    }
    let up = ["upload: d/1 to s3://my-bucket/x/1", "upload: d/e/2 to s3://my-bucket/x/e/2"];
    let args = ["s3", "sync", "d", "s3://my-bucket/x", "--exclude", "*.log"];
    let dryrun = up.map(|line| format!("(dryrun) {line}"));
    assert_eq!(sorted(bench.run(&[&args[..], &["--dryrun"]].concat())).1, dryrun);
    assert!(bench.keys().is_empty());
    assert_eq!(sorted(bench.run(&args)), lines(&up));
    assert_eq!(bench.run(&args), done(""));
    let down = ["download: s3://my-bucket/x/1 to back/1", "download: s3://my-bucket/x/e/2 to back/e/2"];
    let args = ["s3", "sync", "s3://my-bucket/x/", "back"];
    assert_eq!(sorted(bench.run(&args)), lines(&down));
    assert_eq!(bench.run(&args), done(""));
    assert_eq!(bench.read("back/e/2"), "d/e/2");
    let over = ["copy: s3://my-bucket/x/1 to s3://my-bucket/y/1", "copy: s3://my-bucket/x/e/2 to s3://my-bucket/y/e/2"];
    let args = ["s3", "sync", "s3://my-bucket/x", "s3://my-bucket/y"];
    assert_eq!(sorted(bench.run(&args)), lines(&over));
    assert_eq!(bench.run(&args), done(""));
}

#[test]
fn what_the_source_does_not_have_is_deleted_where_asked_for() {
    let bench = Bench::new();
    bench.file("d/1", "1");
    bench.put_all([("x/1", "1"), ("x/old", "2"), ("x/keep.log", "3"), ("other", "4")]);
    touch(&bench, "d/1", -100);
    let args = ["s3", "sync", "d", "s3://my-bucket/x", "--delete", "--exclude", "*.log"];
    assert_eq!(bench.run(&[&args[..], &["--dryrun"]].concat()), done("(dryrun) delete: s3://my-bucket/x/old\n"));
    assert_eq!(bench.run(&args[..4]), done(""));
    assert_eq!(bench.run(&args), done("delete: s3://my-bucket/x/old\n"));
    assert_eq!(bench.keys(), ["other", "x/1", "x/keep.log"]);
    bench.files(&["in/old", "in/keep.log"]);
    let args = ["s3", "sync", "s3://my-bucket/x", "in", "--delete", "--exclude", "*.log"];
    let expected = ["delete: in/old", "download: s3://my-bucket/x/1 to in/1"];
    assert_eq!(sorted(bench.run(&args)), lines(&expected));
    assert_eq!(bench.tree("in"), ["1", "keep.log"]);
}

#[test]
fn a_prefix_that_holds_nothing_is_remarked_on() {
    let bench = Bench::new();
    let remark = "warning: nothing to do: there is no object to take from s3://my-bucket/typo/\n";
    assert_eq!(bench.run(&["sync", "s3://my-bucket/typo", "d"]), (0, String::new(), remark.to_owned()));
    assert_eq!(bench.run(&["s3", "sync", "s3://my-bucket/typo", "d"]), done(""));
    bench.put("x/a", "1");
    assert_eq!(bench.run(&["sync", "s3://my-bucket/x", "d"]).0, 0);
    assert_eq!(bench.run(&["sync", "s3://my-bucket/x", "d"]), done(""));
}

#[test]
fn an_empty_source_deletes_nothing_unless_it_is_meant() {
    let bench = Bench::new();
    bench.put_all([("x/1", "1"), ("x/2", "2")]);
    fs::create_dir(bench.path("empty")).unwrap();
    let expected = "wharf: the source is empty, and 2 entries of the target would be deleted; nothing was\n\
                    hint: say --force if it is meant to be empty\n";
    assert_eq!(bench.run(&["sync", "empty", "s3://my-bucket/x", "--delete"]), failed(1, expected));
    let expected = "wharf: The user-provided path none does not exist.\n";
    for args in [&["sync"][..], &["s3", "sync"]] {
        assert_eq!(bench.run(&[args, &["none", "s3://my-bucket/x", "--delete"]].concat()), failed(255, expected));
    }
    assert_eq!(bench.keys().len(), 2);
    let gone = ["delete: s3://my-bucket/x/1", "delete: s3://my-bucket/x/2"];
    assert_eq!(sorted(bench.run(&["sync", "none", "s3://my-bucket/x", "--delete", "--force"])), lines(&gone));
    bench.put_all([("x/1", "1"), ("x/2", "2")]);
    // As with aws-cli.
    assert_eq!(sorted(bench.run(&["s3", "sync", "empty", "s3://my-bucket/x", "--delete"])), lines(&gone));
}

#[cfg(unix)]
#[test]
fn nothing_is_deleted_after_a_side_was_not_read_whole() {
    let bench = Bench::new();
    bench.file("d/1", "1");
    bench.put_all([("x/1", "1"), ("x/old", "2")]);
    touch(&bench, "d/1", -100);
    // What it leads to may be a folder that is not mounted.
    std::os::unix::fs::symlink("nowhere", bench.path("d/dangling")).unwrap();
    let expected = "warning: Skipping file FOLDER/d/dangling. File does not exist.\n\
                    warning: not deleted: 1 that the source does not have, for not all could be read and \
                    transferred\nhint: once what is named above is mended, the same command deletes them\n";
    assert_eq!(bench.run(&["s3", "sync", "d", "s3://my-bucket/x", "--delete"]), failed(2, expected));
    assert_eq!(bench.keys(), ["x/1", "x/old"]);
    let args = ["s3", "sync", "d", "s3://my-bucket/x", "--delete", "--no-follow-symlinks"];
    assert_eq!(bench.run(&args), done("delete: s3://my-bucket/x/old\n"));
}

/// More names than a folder's may take in memory, and nowhere to sort them.
#[cfg(unix)]
#[test]
fn nothing_is_done_where_names_cannot_be_sorted() {
    let bench = Bench::embedded();
    bench.put("x/old", "1");
    bench.file("d/first", "1");
    for number in 0..30_000 {
        std::fs::write(bench.path("d").join(format!("{number:0>250}")), "").unwrap();
    }
    for args in [&["sync", "d", "s3://my-bucket/x", "--delete"][..], &["cp", "d", "s3://my-bucket/x", "--recursive"]] {
        let mut command = bench.command(args);
        command.env("TMPDIR", bench.path("none"));
        let (exit, stdout, stderr) = bench.ran(command.output().unwrap());
        assert_eq!((exit, stdout.as_str(), bench.keys()), (1, "", vec!["x/old".to_owned()]), "{args:?}: {stderr}");
        assert!(stderr.contains("TMPDIR"), "{args:?}: {stderr}");
    }
}

#[test]
fn nothing_is_deleted_on_the_word_of_a_listing_that_fails() {
    let bench = Bench::embedded();
    bench.file("d/1", "1");
    for number in 0..1100 {
        bench.put(&format!("x/{number:04}"), "1");
    }
    for verb in [&["sync"][..], &["s3", "sync"]] {
        bench.store().inject(Fault::respond(403, "AccessDenied").on(Operation::ListObjectsV2).nth(2)).unwrap();
        let (exit, stdout, stderr) = bench.run(&[verb, &["d", "s3://my-bucket/x", "--delete"]].concat());
        assert_eq!(exit, 1);
        assert!(!stdout.contains("delete") && stderr.contains("AccessDenied, HTTP 403"), "{stdout}{stderr}");
    }
    assert_eq!(bench.keys().len(), 1100);
}

#[test]
fn a_listing_out_of_order_is_sorted_before_anything_is_deleted() {
    let bench = Bench::embedded();
    for number in 0..50 {
        bench.file(&format!("d/{number:02}"), "1");
        touch(&bench, &format!("d/{number:02}"), -100);
        bench.put(&format!("x/{number:02}"), "1");
    }
    bench.put("x/only", "2");
    bench.store().inject(Fault::shuffle_listing(7).on(Operation::ListObjectsV2)).unwrap();
    let (exit, stdout, stderr) = bench.run(&["sync", "d", "s3://my-bucket/x", "--delete"]);
    // What seemed to be missing before the disorder was found may be there twice: that does no harm.
    let deleted: Vec<_> = stdout.lines().filter(|line| !line.starts_with("upload: ")).collect();
    assert_eq!((exit, deleted, stderr.as_str()), (0, vec!["delete: s3://my-bucket/x/only"], ""));
    assert_eq!(bench.keys().len(), 50);
}

#[test]
fn what_counts_as_a_difference_can_be_chosen() {
    let bench = Bench::embedded();
    bench.file("d/same", "12345");
    bench.wait(bench.s3.put_object("my-bucket", "same", "54321"));
    let up = |more: &[&str]| bench.run(&[&["sync", "d", "s3://my-bucket", "--dryrun"], more].concat());
    let would = done("(dryrun) upload: d/same to s3://my-bucket/same\n");
    touch(&bench, "d/same", -100);
    assert_eq!(up(&[]), done(""));
    assert_eq!(up(&["--checksum"]), would);
    touch(&bench, "d/same", 100);
    assert_eq!(up(&[]), would);
    assert_eq!(up(&["--size-only"]), done(""));
    bench.file("d/same", "54321");
    touch(&bench, "d/same", 100);
    assert_eq!(up(&["--checksum"]), done(""));

    let down =
        |verb: &[&str], more: &[&str]| bench.run(&[verb, &["sync", "s3://my-bucket", "d", "--dryrun"], more].concat());
    let would = done("(dryrun) download: s3://my-bucket/same to d/same\n");
    // The file is newer: aws-cli takes that for a difference, and an older one for none.
    assert_eq!((down(&["s3"], &[]), down(&[], &[])), (would.clone(), done("")));
    touch(&bench, "d/same", -100);
    assert_eq!((down(&["s3"], &[]), down(&[], &[])), (done(""), would.clone()));
    assert_eq!((down(&["s3"], &["--exact-timestamps"]), down(&["s3"], &["--size-only"])), (would, done("")));
}

#[test]
fn a_sync_of_what_is_the_same_lists_and_does_no_more() {
    let bench = Bench::embedded();
    for number in 0..1500 {
        bench.put(&format!("x/{number:04}"), "1");
    }
    bench.must(&["sync", "s3://my-bucket/x", "d"]);
    bench.store().clear_requests();
    assert_eq!(bench.run(&["sync", "d", "s3://my-bucket/x"]), done(""));
    let requests: Vec<_> = bench.store().requests().iter().map(|request| request.operation).collect();
    assert_eq!(requests, ["ListObjectsV2", "ListObjectsV2"]);
}

#[test]
fn listings_ask_for_as_many_names_as_they_are_told() {
    let bench = Bench::embedded();
    bench.put_all([("x/1", "1"), ("x/2", "2"), ("x/3", "3"), ("y/1", "1"), ("y/2", "2"), ("y/3", "3")]);
    bench.store().clear_requests();
    bench.must(&["s3", "sync", "s3://my-bucket/x", "s3://my-bucket/y", "--page-size", "2", "--size-only"]);
    let requests = bench.store().requests();
    assert!(
        requests.iter().all(|request| request.query.contains("max-keys=2&") || request.query.ends_with("max-keys=2"))
    );
    assert_eq!(requests.len(), 4);
}

#[test]
fn what_is_there_can_be_left_alone() {
    let bench = Bench::new();
    bench.put("x/1", "there");
    bench.files(&["d/1", "d/2"]);
    let args = ["s3", "sync", "d", "s3://my-bucket/x", "--no-overwrite", "--provider", "other"];
    let expected = "skip: d/1 to s3://my-bucket/x/1: it is there already\n";
    assert_eq!(bench.run(&args), (0, "upload: d/2 to s3://my-bucket/x/2\n".to_owned(), expected.to_owned()));
    assert_eq!((bench.object("x/1"), bench.object("x/2")), ("there".to_owned(), "d/2".to_owned()));
}

/// The two listings tell: nothing is sent to be refused, and no object is asked for itself.
#[test]
fn no_byte_of_what_is_left_alone_is_sent() {
    let bench = Bench::embedded();
    bench.put_all([("x/1", "there"), ("x/parts", "there"), ("x/size", "ONE")]);
    bench.file("d/1", "one");
    bench.file("d/parts", vec![1; 20 << 20]);
    bench.file("d/size", "one");
    bench.file("d/new", "new");
    bench.store().clear_requests();
    let args = ["sync", "d", "s3://my-bucket/x", "--no-overwrite", "--checksum", "--provider", "other"];
    let left = |name: &str| format!("skip: d/{name} to s3://my-bucket/x/{name}: it is there already\n");
    let all_left = ["1", "parts", "size"].map(left).concat();
    let would = "(dryrun) upload: d/new to s3://my-bucket/x/new\n".to_owned();
    assert_eq!(bench.run(&[&args[..], &["--dryrun"]].concat()), (0, would, all_left.clone()));
    let uploaded = "upload: d/new to s3://my-bucket/x/new\n".to_owned();
    assert_eq!(bench.run(&args), (0, uploaded, all_left));
    let requests = bench.store().requests();
    let asked: Vec<_> = requests.iter().map(|request| request.operation).collect();
    assert_eq!(asked, ["ListObjectsV2", "ListObjectsV2", "PutObject"]);
    assert!(requests.iter().map(|request| request.bytes_in).sum::<u64>() < 1000, "{requests:?}");
    assert_eq!(requests[2].headers["if-none-match"], "*");
    // What is the same is nothing that was left alone.
    let args = ["sync", "s3://my-bucket/x", "back", "--no-overwrite", "--json"];
    bench.must(&args);
    bench.file("back/1", "mine, and larger");
    let (exit, stdout, stderr) = bench.run(&args);
    assert_eq!((exit, stdout.as_str()), (0, ""));
    let line = "{\"type\":\"skip\",\"source\":\"s3://my-bucket/x/1\",\"target\":\"back/1\",\
                \"reason\":\"it is there already\"}\n";
    assert_eq!((stderr.as_str(), bench.read("back/1").as_str()), (line, "mine, and larger"));
}

#[test]
fn what_appears_after_the_listing_is_left_alone_too() {
    let bench = Bench::embedded();
    bench.files(&["d/1"]);
    // As the store says it of an object that came meanwhile.
    bench.store().inject(Fault::respond(412, "PreconditionFailed").on(Operation::PutObject).key("x/1")).unwrap();
    let expected = "skip: d/1 to s3://my-bucket/x/1: it is there already\n";
    assert_eq!(bench.run(&["sync", "d", "s3://my-bucket/x", "--no-overwrite"]), failed(0, expected));
}

#[test]
fn where_conditions_are_ignored_what_is_there_is_left_alone_and_the_rest_is_copied() {
    let bench = Bench::like(Personality::Garage);
    bench.put_all([("x/1", "there"), ("y/1", "also there")]);
    bench.files(&["d/1", "d/2"]);
    bench.file("d/parts", vec![1; 20 << 20]);
    let warning = "warning: this server ignores conditions: --no-overwrite looks first, and what appears between the \
                   look and the write is overwritten\n";
    let more = ["--no-overwrite", "--provider", "garage"];
    for (source, target, deed) in
        [("d", "s3://my-bucket/x", "upload"), ("s3://my-bucket/x", "s3://my-bucket/y", "copy")]
    {
        let brought = ["2", "parts"].map(|name| format!("{deed}: {source}/{name} to {target}/{name}"));
        let left = format!("{warning}skip: {source}/1 to {target}/1: it is there already\n");
        let ran = sorted(bench.run(&[&["sync", source, target], &more[..]].concat()));
        assert_eq!(ran, (0, brought.to_vec(), left));
        let would = bench.run(&[&["sync", source, target, "--dryrun"], &more[..]].concat());
        assert_eq!(would, failed(0, format!("skip: {source}/1 to {target}/1: it is there already\n")));
    }
    assert_eq!((bench.object("x/1"), bench.object("y/1")), ("there".to_owned(), "also there".to_owned()));
    // A file is protected by the disk.
    bench.file("e/1", "mine");
    let (exit, _, stderr) = bench.run(&[&["sync", "s3://my-bucket/x", "e"], &more[..]].concat());
    assert_eq!((exit, stderr.as_str()), (0, "skip: s3://my-bucket/x/1 to e/1: it is there already\n"));
    assert_eq!((bench.read("e/1"), bench.read("e/2")), ("mine".to_owned(), "d/2".to_owned()));
}

#[test]
fn a_source_that_was_replaced_is_not_left_alone() {
    let (bench, other) = (Bench::embedded(), Bench::embedded());
    bench.put_all([("x/1", "1"), ("x/2", "2"), ("y/1", "there already")]);
    other.put("y/1", "there already");
    // For both ends, the store says no more than a server does.
    bench.store().inject(Fault::respond(412, "PreconditionFailed").on(Operation::CopyObject).key("y/2")).unwrap();
    bench.store().inject(Fault::respond(412, "PreconditionFailed").on(Operation::GetObject).key("x/2")).unwrap();
    let endpoint = bench.endpoint();
    let pinned = ["--content-type", "text/plain"];
    let here = ["--source-endpoint-url", &endpoint];
    for (bench, target, shown, more) in [
        (&bench, "s3://my-bucket/y", "s3://my-bucket/y", &pinned[..]),
        (&other, "s3://my-bucket/y", "s3://my-bucket/y", &here),
        (&bench, "d", "d", &[]),
    ] {
        bench.file("d/1", "there already");
        let args = [&["sync", "s3://my-bucket/x", target, "--no-overwrite"], more].concat();
        let (exit, stdout, stderr) = bench.run(&args);
        let mut said: Vec<_> = stderr.lines().collect();
        said.sort_unstable();
        let [failed, left] = said[..] else { panic!("{args:?} {stdout}{stderr}") };
        assert_eq!((exit, stdout.as_str()), (1, ""), "{args:?} {stderr}");
        assert!(failed.contains(&format!(" failed: s3://my-bucket/x/2 to {shown}/2: ")), "{args:?} {stderr}");
        assert_eq!(left, format!("skip: s3://my-bucket/x/1 to {shown}/1: it is there already"), "{args:?}");
        assert!(!bench.keys().contains(&"y/2".to_owned()) && !bench.path("d/2").exists());
    }
}

#[test]
fn what_has_no_place_in_a_folder_is_refused_by_name() {
    let bench = Bench::embedded();
    bench.put_all([("../out", "evil"), ("a/../../out", "evil"), ("ok", "1"), ("m/", "")]);
    let (exit, stdout, stderr) = bench.run(&["sync", "s3://my-bucket", "in/d"]);
    assert_eq!((exit, stdout.as_str()), (2, "download: s3://my-bucket/ok to in/d/ok\n"));
    for key in ["../out", "a/../../out"] {
        assert!(stderr.contains(&format!("warning: Skipping file s3://my-bucket/{key}. ")), "{stderr}");
    }
    assert_eq!(bench.tree("."), ["in/d/ok"]);
}

#[test]
fn what_a_download_has_left_is_named() {
    let bench = Bench::new();
    bench.files(&["d/a", "d/b.wharf-part", "d/e/c.wharf-journal"]);
    let left = |names: &[&str]| {
        let line =
            |name| format!("warning: Skipping file FOLDER/d/{name}. A download has left it, or is writing it.\n");
        names.iter().map(line).collect::<String>()
    };
    let names = ["b.wharf-part", "e/c.wharf-journal"];
    let up = |target: &str| (2, format!("upload: d/a to {target}/a\n"), left(&names));
    assert_eq!(bench.run(&["sync", "d", "s3://my-bucket/x"]), up("s3://my-bucket/x"));
    assert_eq!(bench.keys(), ["x/a"]);
    let same =
        |count: u32| format!("{count} same, 0 differ, 0 missing in the bucket, 0 missing here, 0 unread, 0 unproven\n");
    assert_eq!(bench.run(&["verify", "d", "s3://my-bucket/x"]), (2, same(1), left(&names)));
    // With a name of its own at both ends, it is named once; at the target alone, where it would be deleted.
    bench.put_all([("x/b.wharf-part", "1"), ("x/z.wharf-part", "1")]);
    let object = |name: &str, why: &str| format!("warning: Skipping file s3://my-bucket/x/{name}. {why}\n");
    let other = object("z.wharf-part", "It is called like what a download has left.");
    assert_eq!(bench.run(&["sync", "d", "s3://my-bucket/x"]), failed(2, left(&names)));
    let more = format!("{}{other}", left(&names));
    assert_eq!(bench.run(&["sync", "d", "s3://my-bucket/x", "--delete"]), failed(2, &more));
    assert_eq!(bench.run(&["verify", "d", "s3://my-bucket/x"]), (2, same(1), more));
    let without = ["--exclude", "*.wharf-*"];
    assert_eq!(bench.run(&[&["sync", "d", "s3://my-bucket/x", "--delete"], &without[..]].concat()), done(""));
    // The other way, in the words of `cp`.
    let (exit, stdout, said) = bench.run(&["cp", "s3://my-bucket/x", "by-cp", "--recursive"]);
    assert_eq!((exit, stdout.as_str(), said.lines().count()), (2, "download: s3://my-bucket/x/a to by-cp/a\n", 2));
    let without_hint =
        |said: &str| said.lines().filter(|line| !line.starts_with("hint")).map(str::to_owned).collect::<Vec<_>>();
    for verb in [&["sync"][..], &["s3", "sync"]] {
        let target = format!("by-{}", verb.len());
        let ran = bench.run(&[verb, &["s3://my-bucket/x", &target]].concat());
        assert_eq!((ran.0, ran.1), (2, format!("download: s3://my-bucket/x/a to {target}/a\n")));
        let mut lines = without_hint(&ran.2);
        lines.sort_unstable();
        assert_eq!(lines, without_hint(&said));
    }
    // What stands in the way of nothing is copied, as by `cp`.
    bench.must(&["sync", "s3://my-bucket/x", "s3://my-bucket/y"]);
    assert_eq!(bench.keys(), ["x/a", "x/b.wharf-part", "x/z.wharf-part", "y/a", "y/b.wharf-part", "y/z.wharf-part"]);
    let (exit, _, stderr) = bench.run(&["verify", "d", "s3://my-bucket/none", "--exclude", "a"]);
    let nothing = "wharf: nothing was compared: all there is is what downloads have left\n";
    assert_eq!((exit, stderr), (1, format!("{}{nothing}", left(&names))));
}

#[test]
fn objects_get_what_is_asked_for() {
    let bench = Bench::new();
    bench.files(&["d/a.txt"]);
    bench.must(&["sync", "d", "s3://my-bucket/x", "--storage-class", "STANDARD_IA", "--metadata", "team=blue"]);
    let head = bench.head("x/a.txt");
    assert_eq!((head.storage_class, head.metadata["team"].as_str()), (wharf::StorageClass::StandardIa, "blue"));
    bench.must(&["sync", "s3://my-bucket/x", "s3://my-bucket/y"]);
    assert_eq!(bench.head("y/a.txt").metadata["team"], "blue");
}

#[test]
fn servers_are_synced_through_here() {
    let (bench, other) = (Bench::embedded(), Bench::embedded());
    bench.put_all([("x/1", "1"), ("x/2", "2")]);
    let endpoint = bench.endpoint();
    let args = ["sync", "s3://my-bucket/x", "s3://my-bucket/y", "--source-endpoint-url", &endpoint];
    let expected = ["copy: s3://my-bucket/x/1 to s3://my-bucket/y/1", "copy: s3://my-bucket/x/2 to s3://my-bucket/y/2"];
    assert_eq!(sorted(other.run(&args)), lines(&expected));
    assert_eq!(other.run(&args), done(""));
    assert_eq!((other.object("y/1"), other.keys().len()), ("1".to_owned(), 2));
}

#[test]
fn an_unknown_bucket_is_a_failure() {
    let bench = Bench::new();
    assert_like(bench.run(&["s3", "sync", "s3://my-bucket-2", "in"]), 1, "", "wharf: ...NoSuchBucket...");
    assert_eq!(bench.run(&["sync", "-", "s3://my-bucket"]).0, 252);
}

#[test]
fn verify_compares_bytes() {
    let bench = Bench::new();
    bench.files(&["d/same", "d/other", "d/e/missing", "d/x.log"]);
    bench.put_all([("x/same", "d/same"), ("x/other", "d/OTHER"), ("x/extra", "1")]);
    let args = ["verify", "d", "s3://my-bucket/x", "--exclude", "*.log"];
    let (exit, stdout, stderr) = bench.run(&args);
    let mut found: Vec<_> = stdout.lines().collect();
    let report = found.pop().unwrap();
    found.sort_unstable();
    assert_eq!((exit, stderr.as_str()), (1, ""));
    assert_eq!(found, ["differs: other (the bytes differ)", "extra: extra", "missing: e/missing"]);
    assert_eq!(report, "1 same, 1 differ, 1 missing in the bucket, 1 missing here, 0 unread, 0 unproven");
    assert_eq!(bench.keys(), ["x/extra", "x/other", "x/same"]);
    let (_, stdout, _) = bench.run(&[&args[..], &["--json", "--all"]].concat());
    assert!(stdout.contains("{\"type\":\"comparison\",\"name\":\"same\",\"verdict\":\"same\"}\n"), "{stdout}");
    let report =
        "{\"type\":\"report\",\"same\":1,\"differs\":1,\"missing\":1,\"extra\":1,\"unread\":0,\"unproven\":0}\n";
    assert!(stdout.ends_with(report), "{stdout}");
    let (exit, _, remark) = bench.run(&["verify", "d", "s3://my-bucket/typo"]);
    let expected = "warning: nothing is there: there is no object under s3://my-bucket/typo/\n";
    assert_eq!((exit, remark.as_str()), (1, expected));
    bench.must(&["sync", "d", "s3://my-bucket/x", "--delete", "--checksum"]);
    let expected = done("4 same, 0 differ, 0 missing in the bucket, 0 missing here, 0 unread, 0 unproven\n");
    assert_eq!(bench.run(&["verify", "d", "s3://my-bucket/x"]), expected);
}

/// As a tree that has nothing else, whatever stands beside the two.
#[test]
fn verify_compares_one_file() {
    let bench = Bench::new();
    bench.files(&["d/a", "d/b"]);
    bench.put_all([("x/a", "d/a"), ("x/b", "d/B"), ("x/c", "d/a"), ("x/long", "d/a, and more"), ("a", "d/a")]);
    let same = done("1 same, 0 differ, 0 missing in the bucket, 0 missing here, 0 unread, 0 unproven\n");
    for url in ["s3://my-bucket/x/a", "s3://my-bucket/x/", "s3://my-bucket", "s3://my-bucket/x/c"] {
        assert_eq!(bench.run(&["verify", "./d/a", url]), same, "{url}");
    }
    let differs = "0 same, 1 differ, 0 missing in the bucket, 0 missing here, 0 unread, 0 unproven\n";
    for (path, url, line) in [
        ("d/b", "s3://my-bucket/x/", "differs: b (the bytes differ)\n"),
        ("d/a", "s3://my-bucket/x/long", "differs: a (the sizes differ)\n"),
    ] {
        assert_eq!(bench.run(&["verify", path, url]), (1, format!("{line}{differs}"), String::new()));
    }
    let missing = "missing: a\n0 same, 0 differ, 1 missing in the bucket, 0 missing here, 0 unread, 0 unproven\n";
    let remark = "warning: nothing is there: there is no object s3://my-bucket/x\n";
    assert_eq!(bench.run(&["verify", "d/a", "s3://my-bucket/x"]), (1, missing.to_owned(), remark.to_owned()));
    let (exit, _, stderr) = bench.run(&["verify", "d/a", "s3://my-bucket/x/", "--exclude", "a"]);
    assert_eq!((exit, stderr.as_str()), (1, "wharf: nothing was compared: the filters leave the file out\n"));
    let line = "{\"type\":\"comparison\",\"name\":\"a\",\"verdict\":\"same\"}\n";
    let (_, stdout, _) = bench.run(&["verify", "d/a", "s3://my-bucket/x/", "--all", "--json"]);
    assert!(stdout.starts_with(line), "{stdout}");
    assert_eq!(bench.run(&["verify", "d/a", "s3://my-bucket/x/?"]).0, 252);
    // Parts of no usual size.
    bench.file("large", vec![b'a'; 20 << 20]);
    bench.must(&["cp", "large", "s3://my-bucket/large", "--part-size", "5242881", "--checksum-algorithm", "SHA256"]);
    for (path, url) in [("large", "s3://my-bucket/large"), (".", "s3://my-bucket/")] {
        let verify = ["verify", path, url, "--exclude", "d/*", "--exclude", "x/*", "--exclude", "a"];
        assert_eq!(bench.run(&verify).0, 1, "{path}");
        assert_eq!(bench.run(&[&verify[..], &["--part-size", "5242881"]].concat()), same, "{path}");
    }
}

#[test]
fn filters_of_verify_may_be_whole_paths() {
    let bench = Bench::new();
    bench.files(&["d/a", "d/logs/b"]);
    bench.put("x/a", "d/a");
    let logs = bench.path("d/logs/*").display().to_string();
    let report = "1 same, 0 differ, 0 missing in the bucket, 0 missing here, 0 unread, 0 unproven\n";
    assert_eq!(bench.run(&["verify", "d", "s3://my-bucket/x", "--exclude", &logs]), done(report));
    let nothing = report.replace('1', "0");
    let why = "wharf: nothing was compared: of what is in the folder and under the prefix, the filters take nothing\n";
    let ran = bench.run(&["verify", "d", "s3://my-bucket/x", "--exclude", "*"]);
    assert_eq!(ran, (1, nothing.clone(), why.to_owned()));
    std::fs::create_dir(bench.path("empty")).unwrap();
    let why = "wharf: nothing was compared: the folder and the prefix are both empty\n";
    assert_eq!(bench.run(&["verify", "empty", "s3://my-bucket/y"]), (1, nothing, why.to_owned()));
}

#[test]
fn etags_tell_where_they_are_known_to_be_md5s() {
    let bench = Bench::like(Personality::Ceph);
    bench.files(&["d/a", "d/b"]);
    bench.put_all([("x/a", "d/a"), ("x/b", "d/B")]);
    let verify = |more: &[&str]| sorted(bench.run(&[&["verify", "d", "s3://my-bucket/x"], more].concat()));
    let why = "the server keeps no checksum of it, and ETags of this provider are not trusted: --trust-etags overrides";
    let (exit, lines, stderr) = verify(&[]);
    assert_eq!((exit, stderr.as_str()), (1, ""));
    let report = "0 same, 0 differ, 0 missing in the bucket, 0 missing here, 0 unread, 2 unproven";
    assert_eq!(lines, [report.to_owned(), format!("unproven: a ({why})"), format!("unproven: b ({why})")]);
    for known in [&["--provider", "ceph"][..], &["--trust-etags"], &["--trust-etags=true"]] {
        let (exit, lines, _) = verify(known);
        let report = "1 same, 1 differ, 0 missing in the bucket, 0 missing here, 0 unread, 0 unproven";
        assert_eq!(
            (exit, lines),
            (1, vec![report.to_owned(), "differs: b (the bytes differ)".to_owned()]),
            "{known:?}"
        );
    }
    assert_eq!(verify(&["--provider", "ceph", "--trust-etags=false"]).1[0], report);

    // What nothing shows to be the same is copied, and it says why.
    let sync = |more: &[&str]| sorted(bench.run(&[&["sync", "d", "s3://my-bucket/x", "--checksum"], more].concat()));
    let (exit, lines, stderr) = sync(&["--dryrun"]);
    assert_eq!((exit, lines.len()), (0, 2));
    assert_eq!(stderr, format!("warning: 2 of the same size may have had the same bytes: {why}\n"));
    let (_, lines, stderr) = sync(&["--trust-etags"]);
    assert_eq!((lines, stderr.as_str()), (vec!["upload: d/b to s3://my-bucket/x/b".to_owned()], ""));
    assert_eq!(sync(&["--trust-etags"]), (0, vec![], String::new()));
    assert_eq!(verify(&["--trust-etags"]).0, 0);

    // A source is removed once its copy is known to be right.
    let (exit, _, stderr) = bench.run(&["mv", "d/a", "s3://my-bucket/y/a"]);
    assert!(
        exit == 1 && stderr.contains("the source is kept") && stderr.contains("--trust-etags overrides"),
        "{stderr}"
    );
    bench.must(&["mv", "d/a", "s3://my-bucket/y/a", "--provider", "ceph"]);
    bench.must(&["mv", "s3://my-bucket/y/a", "s3://my-bucket/z/a", "--trust-etags"]);
    assert!(!bench.path("d/a").exists());
    assert_eq!(bench.keys(), ["x/a", "x/b", "z/a"]);
    let (exit, _, stderr) = bench.run(&["ls", "--provider", "nobody"]);
    assert!(exit == 252 && stderr.contains("there is no provider \"nobody\"; say one of aws"), "{stderr}");
}

/// It would be a prefix that nothing has, and nothing would be said.
#[test]
fn a_pattern_is_no_prefix() {
    let bench = Bench::new();
    bench.put("a/1", "1");
    bench.put("a*/2", "2");
    for words in [
        &["sync", "s3://my-bucket/a*", "d"][..],
        &["sync", ".", "s3://my-bucket/a*"],
        &["verify", ".", "s3://my-bucket/a*"],
    ] {
        let expected = "wharf: s3://my-bucket/a* is a pattern, and a prefix must be named\n\
                        hint: --exclude '*' --include 'PATTERN' chooses; --raw takes * and ? as they are\n";
        assert_eq!(bench.run(words), failed(252, expected), "{words:?}");
    }
    bench.must(&["sync", "s3://my-bucket/a*", "d", "--raw", "--quiet"]);
    assert_eq!(std::fs::read(bench.path("d/2")).unwrap(), b"2");
}
