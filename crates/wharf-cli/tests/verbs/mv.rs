//! `mv`.

use std::process::Stdio;

use wharf_embedded::{Fault, Operation, Personality};

use crate::bench::{Bench, assert_like, done, failed};

#[test]
fn what_has_arrived_goes_from_where_it_was() {
    let bench = Bench::new();
    bench.file("a.txt", "hello");
    assert_eq!(bench.run(&["s3", "mv", "a.txt", "s3://my-bucket"]), done("move: ./a.txt to s3://my-bucket/a.txt\n"));
    assert!(!bench.path("a.txt").exists());
    let expected = "move: s3://my-bucket/a.txt to s3://my-bucket/b/a.txt\n";
    assert_eq!(bench.run(&["mv", "s3://my-bucket/a.txt", "s3://my-bucket/b/"]), done(expected));
    assert_eq!(bench.keys(), ["b/a.txt"]);
    assert_eq!(bench.run(&["mv", "s3://my-bucket/b/a.txt", "."]), done("move: s3://my-bucket/b/a.txt to ./a.txt\n"));
    assert!(bench.keys().is_empty());
    assert_eq!(bench.read("a.txt"), "hello");
}

#[test]
fn whole_trees_move() {
    let bench = Bench::new();
    bench.files(&["d/1", "d/e/2", "d/e/3.log"]);
    let args = ["mv", "d", "s3://my-bucket/x", "--recursive", "--exclude", "*.log"];
    let (exit, stdout, stderr) = bench.run(&args);
    let mut lines: Vec<_> = stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!((exit, stderr.as_str()), (0, ""));
    assert_eq!(lines, ["move: d/1 to s3://my-bucket/x/1", "move: d/e/2 to s3://my-bucket/x/e/2"]);
    assert_eq!((bench.tree("d"), bench.keys()), (vec!["e/3.log".to_owned()], vec!["x/1".into(), "x/e/2".into()]));
    bench.must(&["mv", "s3://my-bucket/x", "s3://my-bucket/y", "--recursive"]);
    bench.must(&["mv", "s3://my-bucket/y/*", "back"]);
    assert!(bench.keys().is_empty());
    assert_eq!(bench.tree("back"), ["1", "e/2"]);
}

#[test]
fn an_object_that_stands_for_a_folder_goes_as_well() {
    // SeaweedFS has no such objects.
    let bench = Bench::new();
    bench.put_all([("x/", ""), ("x/d/", ""), ("x/d/1", "1")]);
    let run = |more: &[&str]| {
        let (exit, stdout, stderr) = bench.run(&[&["mv", "s3://my-bucket/x", "in", "--recursive"], more].concat());
        let mut lines: Vec<_> = stdout.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        assert_eq!((exit, stderr.as_str()), (0, ""));
        lines
    };
    let moved = [
        "move: s3://my-bucket/x/ to ./in/",
        "move: s3://my-bucket/x/d/ to in/d/",
        "move: s3://my-bucket/x/d/1 to in/d/1",
    ];
    assert_eq!(run(&["--dryrun"]), moved.map(|line| format!("(dryrun) {line}")));
    assert!(!bench.path("in").exists());
    assert_eq!(run(&[]), moved);
    assert!(bench.keys().is_empty() && bench.tree("in") == ["d/1"]);
}

#[test]
fn nothing_moves_onto_itself() {
    let bench = Bench::new();
    bench.put("a", "hello");
    let expected = "wharf: Cannot mv a file onto itself: s3://my-bucket/a - s3://my-bucket/a\n";
    for target in ["s3://my-bucket/a", "s3://my-bucket/", "s3://my-bucket"] {
        assert_eq!(bench.run(&["mv", "s3://my-bucket/a", target]), failed(252, expected), "{target}");
    }
    assert_eq!(bench.object("a"), "hello");
    bench.put("d/b", "there");
    let expected = "wharf: Cannot mv a file onto itself: s3://my-bucket/d/ - s3://my-bucket/d/\n";
    for source in [&["s3://my-bucket/d", "--recursive"][..], &["s3://my-bucket/d/*"]] {
        let args = [&["mv", "s3://my-bucket/d/", "--storage-class", "STANDARD"], source].concat();
        let args = [&args[..1], &args[4..5], &args[1..4], &args[5..]].concat();
        assert_eq!(bench.run(&args), failed(252, expected), "{args:?}");
    }
    assert_eq!(bench.object("d/b"), "there");
}

#[test]
fn what_has_arrived_in_the_source_is_not_moved_again() {
    let bench = Bench::new();
    bench.put_all([("d/1.gz", "1"), ("d/2.gz", "2"), ("d/old/0.gz", "0")]);
    bench.must(&["mv", "s3://my-bucket/d/*.gz", "s3://my-bucket/d/old/", "--page-size", "1"]);
    assert_eq!(bench.keys(), ["d/old/0.gz", "d/old/1.gz", "d/old/2.gz"]);
    bench.must(&["s3", "mv", "s3://my-bucket/", "s3://my-bucket/all", "--recursive", "--page-size", "1"]);
    assert_eq!(bench.keys(), ["all/d/old/0.gz", "all/d/old/1.gz", "all/d/old/2.gz"]);
}

/// A level up, the key of one may be that of another that has not moved yet.
#[test]
fn no_source_is_replaced_by_another() {
    let bench = Bench::new();
    for verb in [&["mv"][..], &["s3", "mv"]] {
        bench.put_all([("a/b/b/x", "inner"), ("a/b/x", "outer"), ("a/b/y", "y")]);
        let colon = if verb[0] == "s3" { "" } else { ":" };
        let left = format!(
            "move failed: s3://my-bucket/a/b/b/x to s3://my-bucket/a/b/x{colon} it was left, for \
             s3://my-bucket/a/b/x lies in the source itself\nhint: go by way of another prefix\n"
        );
        let args = [verb, &["s3://my-bucket/a/b", "s3://my-bucket/a", "--recursive", "--page-size", "1"]].concat();
        let (exit, stdout, stderr) = bench.run(&[&args[..], &["--dryrun"]].concat());
        assert_eq!((exit, stdout.lines().count(), stderr.as_str()), (1, 2, left.as_str()));
        let (exit, stdout, stderr) = bench.run(&args);
        assert_eq!((exit, stdout.lines().count(), stderr), (1, 2, left));
        assert_eq!(bench.keys(), ["a/b/b/x", "a/x", "a/y"]);
        assert_eq!((bench.object("a/b/b/x"), bench.object("a/x")), ("inner".to_owned(), "outer".to_owned()));
    }
    // Be it also said where the source is, and by another name of the same server.
    for endpoint in [bench.endpoint().to_owned(), bench.endpoint().replace("127.0.0.1", "localhost")] {
        bench.put_all([("o/b/b/x", "inner"), ("o/b/x", "outer")]);
        let args = ["mv", "s3://my-bucket/o/b", "s3://my-bucket/o", "--recursive", "--source-endpoint-url", &endpoint];
        let (exit, stdout, stderr) = bench.run(&args);
        assert_eq!((exit, stdout.as_str()), (1, "move: s3://my-bucket/o/b/x to s3://my-bucket/o/x\n"), "{stderr}");
        assert_eq!((bench.object("o/b/b/x"), bench.object("o/x")), ("inner".to_owned(), "outer".to_owned()));
        let args = ["sync", "s3://my-bucket/o/b", "s3://my-bucket/o", "--delete", "--source-endpoint-url", &endpoint];
        let (exit, _, stderr) = bench.run(&args);
        assert_eq!(exit, 252, "{stderr}");
        assert!(stderr.contains("s3://my-bucket/o/b/ and s3://my-bucket/o/ lie in each other"), "{stderr}");
    }
    // Nor by that of another.
    bench.put_all([("p/b/c/x", "inner"), ("p/c/x", "outer")]);
    let args = ["mv", "s3://my-bucket/p/b", "s3://my-bucket/p/c", "s3://my-bucket/p", "--recursive"];
    let (exit, stdout, stderr) = bench.run(&args);
    assert_eq!((exit, stdout.as_str()), (1, "move: s3://my-bucket/p/c/x to s3://my-bucket/p/x\n"), "{stderr}");
    assert_eq!((bench.object("p/b/c/x"), bench.object("p/x")), ("inner".to_owned(), "outer".to_owned()));
    // Be it an object, or what replaces it a file.
    bench.put_all([("q/x/c/k", "inner"), ("q/a/c/k", "outer")]);
    let args = ["mv", "s3://my-bucket/q/x/*", "s3://my-bucket/q/a/c/k", "s3://my-bucket/q/a/"];
    let (exit, stdout, stderr) = bench.run(&args);
    assert_eq!((exit, stdout.as_str()), (1, "move: s3://my-bucket/q/a/c/k to s3://my-bucket/q/a/k\n"), "{stderr}");
    assert_eq!((bench.object("q/x/c/k"), bench.object("q/a/k")), ("inner".to_owned(), "outer".to_owned()));
    bench.put("r/c/x", "outer");
    bench.file("d/c/x", "inner");
    let args = ["mv", "d", "s3://my-bucket/r/c", "s3://my-bucket/r", "--recursive"];
    let (exit, stdout, stderr) = bench.run(&args);
    assert_eq!((exit, stdout.as_str()), (1, "move: s3://my-bucket/r/c/x to s3://my-bucket/r/x\n"), "{stderr}");
    assert_eq!((bench.path("d/c/x").exists(), bench.object("r/x")), (true, "outer".to_owned()));
    // What is left out is no source.
    bench.put("a/b/x", "outer");
    bench.must(&["cp", "s3://my-bucket/a/b", "s3://my-bucket/a", "--recursive", "--exclude", "x"]);
    assert_eq!(bench.object("a/b/x"), "inner");
    bench.put("a/b/x", "outer");
    bench.must(&["cp", "s3://my-bucket/a/b/b*", "s3://my-bucket/a/"]);
    assert_eq!(bench.object("a/b/x"), "inner");
}

#[test]
fn a_source_is_gone_also_where_nobody_heard_so() {
    let bench = Bench::embedded();
    for target in ["s3://my-bucket/b", "b"] {
        bench.put("a", "hello");
        bench.store().clear_requests();
        bench.store().inject(Fault::drop_answer().on(Operation::DeleteObject).times(1)).unwrap();
        bench.must(&["mv", "s3://my-bucket/a", target]);
        assert!(!bench.keys().contains(&"a".to_owned()));
    }
    assert_eq!(bench.object("b"), "hello");
}

#[test]
fn what_a_download_has_left_is_not_taken_along() {
    let bench = Bench::new();
    bench.files(&["d/a", "d/b.wharf-part", "d/b.wharf-journal"]);
    let (exit, stdout, stderr) = bench.run(&["mv", "d", "s3://my-bucket/x", "--recursive"]);
    assert_eq!((exit, stdout.as_str()), (2, "move: d/a to s3://my-bucket/x/a\n"));
    let left = "A download has left it, or is writing it.";
    assert!(stderr.lines().count() == 2 && stderr.matches(left).count() == 2, "{stderr}");
    assert_eq!(bench.tree("d"), ["b.wharf-journal", "b.wharf-part"]);
}

#[test]
fn a_source_that_has_changed_stays() {
    let bench = Bench::embedded();
    bench.put("a", "hello");
    // Its removal waits for a second, in which somebody writes it anew.
    bench.store().inject(Fault::respond(503, "SlowDown").on(Operation::DeleteObject).nth(1)).unwrap();
    let child = bench.command(&["mv", "s3://my-bucket/a", "b"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    while !bench.store().requests().iter().any(|request| request.operation == "DeleteObject") {
        std::thread::yield_now();
    }
    bench.put("a", "new");
    let ran = bench.ran(child.unwrap().wait_with_output().unwrap());
    let expected = "move failed: s3://my-bucket/a to ./b: it was copied, but the source could not be removed: ...\
                    PreconditionFailed, HTTP 412...";
    assert_like(ran, 1, "", expected);
    assert_eq!((bench.object("a"), bench.read("b")), ("new".to_owned(), "hello".to_owned()));
}

#[test]
fn only_what_stands_at_the_target_is_skipped() {
    let bench = Bench::embedded();
    let more = ["--no-overwrite", "--provider", "embedded"];
    let run = |words: &str| bench.run(&[&words.split(' ').collect::<Vec<_>>()[..], &more].concat());
    let is_refused = |operation| bench.store().inject(Fault::respond(412, "PreconditionFailed").on(operation)).unwrap();
    bench.put("a", "hello");
    // The source that was copied is another by now.
    is_refused(Operation::DeleteObject);
    for (target, shown) in [("b", "./b"), ("s3://my-bucket/b", "s3://my-bucket/b")] {
        let expected = format!(
            "move failed: s3://my-bucket/a to {shown}: it was copied, but the source could not be removed: \
             ...PreconditionFailed, HTTP 412..."
        );
        assert_like(run(&format!("mv s3://my-bucket/a {target}")), 1, "", &expected);
        // What is there is skipped.
        let expected = format!("skip: s3://my-bucket/a to {shown}: it is there already\n");
        assert_eq!(run(&format!("mv s3://my-bucket/a {target}")), failed(0, expected));
        assert_eq!(run(&format!("cp s3://my-bucket/a {target} --quiet")), done(""));
    }
    // It is another before it could be copied.
    for operation in [Operation::CopyObject, Operation::GetObject] {
        is_refused(operation);
    }
    for verb in ["cp", "mv"] {
        for target in ["c", "s3://my-bucket/c"] {
            let (exit, stdout, stderr) = run(&format!("{verb} s3://my-bucket/a {target}"));
            assert!(exit == 1 && stdout.is_empty() && stderr.contains(" failed: s3://my-bucket/a to "), "{stderr}");
        }
    }
    assert!(!bench.path("c").exists() && bench.keys() == ["a", "b"]);
}

#[test]
fn whether_two_names_are_of_one_bucket_is_found_out_first() {
    let bench = Bench::embedded();
    bench.must(&["mb", "s3://my-bucket-2"]);
    let looked = |more: &[&str], variable: &str| {
        bench.put("a", "hello");
        bench.must(&["rm", "s3://my-bucket-2/a"]);
        bench.store().clear_requests();
        let mut command = bench.command(&[&["mv", "s3://my-bucket/a", "s3://my-bucket-2/a"], more].concat());
        command.env("AWS_CLI_S3_MV_VALIDATE_SAME_S3_PATHS", variable);
        let moved = done("move: s3://my-bucket/a to s3://my-bucket-2/a\n");
        assert_eq!(bench.ran(command.output().unwrap()), moved);
        let requests = bench.store().requests();
        requests[0].operation == "HeadObject" && requests[0].bucket == "my-bucket-2"
    };
    assert!(!looked(&[], "") && !looked(&[], "false"));
    assert!(looked(&["--validate-same-s3-paths"], "") && looked(&[], "true"));
}

#[test]
fn what_nothing_shows_to_have_arrived_stays() {
    // Such a server keeps no checksums, and who it is nobody said.
    let bench = Bench::like(Personality::Rclone);
    bench.put("a", "hello");
    bench.file("up", "hello");
    let why = "it was copied, and the source is kept: the copy is not verified: the server keeps no checksum of it, and \
               ETags of this provider are not trusted: --trust-etags overrides\n\
               hint: cp and rm do the same where that is good enough\n";
    for verb in [&["mv"][..], &["s3", "mv"]] {
        let run = |words: &[&str]| bench.run(&[verb, words].concat());
        let colon = if verb[0] == "s3" { "" } else { ":" };
        let expected = format!("move failed: s3://my-bucket/a to ./down{colon} {why}");
        assert_eq!(run(&["s3://my-bucket/a", "down"]), failed(1, expected));
        assert_eq!((bench.object("a"), bench.read("down")), ("hello".to_owned(), "hello".to_owned()));
        let expected = format!("move failed: ./up to s3://my-bucket/up{colon} {why}");
        assert_eq!(run(&["up", "s3://my-bucket/up"]), failed(1, expected));
        let expected = format!("move failed: s3://my-bucket/a to s3://my-bucket/b{colon} {why}");
        assert_eq!(run(&["s3://my-bucket/a", "s3://my-bucket/b"]), failed(1, expected));
        bench.must(&["rm", "s3://my-bucket/b"]);
    }
    // By an ETag that is an MD5.
    let moved = bench.run(&["mv", "s3://my-bucket/a", "down", "--trust-etags"]);
    assert_eq!(moved, done("move: s3://my-bucket/a to ./down\n"));
    assert_eq!((bench.keys(), bench.read("down")), (vec!["up".to_owned()], "hello".to_owned()));
}

#[test]
fn what_came_as_other_bytes_is_said_with_what_to_do() {
    let bench = Bench::like(Personality::Rclone);
    bench.put("a", "hello");
    bench.store().inject(Fault::corrupt_response(0).on(Operation::GetObject)).unwrap();
    let expected = "move failed: s3://my-bucket/a to ./down: the bytes ... is not their MD5\n\
                    hint: download it again; or its ETags are no MD5s: say --trust-etags=false\n";
    assert_like(bench.run(&["mv", "s3://my-bucket/a", "down", "--trust-etags"]), 1, "", expected);
    assert_eq!((bench.object("a").len(), bench.path("down").exists()), (5, false));
}

#[test]
fn what_did_not_arrive_stays() {
    // Others make a bucket that is not there.
    let bench = Bench::embedded();
    bench.file("a.txt", "hello");
    let expected = "move failed: ./a.txt to s3://my-bucket-2/a.txt: ...NoSuchBucket...";
    assert_like(bench.run(&["mv", "a.txt", "s3://my-bucket-2/"]), 1, "", expected);
    assert_eq!(bench.read("a.txt"), "hello");
}

/// What the server ignores is not said to it; that the source is still what was copied is looked at when it goes.
#[test]
fn where_conditions_are_ignored_it_moves_all_the_same() {
    let bench = Bench::like(Personality::Ceph);
    bench.put("a", "hello");
    let moves = |more: &[&str]| {
        bench.run(&[&["mv", "s3://my-bucket/a", "s3://my-bucket/b", "--provider", "ceph"], more].concat())
    };
    assert_eq!(moves(&[]), done("move: s3://my-bucket/a to s3://my-bucket/b\n"));
    assert_eq!((bench.keys(), bench.object("b")), (vec!["b".to_owned()], "hello".to_owned()));
    bench.put("a", "another");
    let (exit, stdout, _) = moves(&["--no-overwrite"]);
    assert_eq!((exit, stdout.as_str(), bench.object("b")), (0, "", "hello".to_owned()));
    bench.must(&["rm", "s3://my-bucket/b"]);
    let (exit, stdout, _) = moves(&["--no-overwrite"]);
    assert_eq!((exit, stdout.as_str()), (0, "move: s3://my-bucket/a to s3://my-bucket/b\n"));
    assert_eq!((bench.keys(), bench.object("b")), (vec!["b".to_owned()], "another".to_owned()));
}
