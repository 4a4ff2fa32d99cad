//! What is named and not there: the same words and exit code for all verbs.

use std::time::Duration;

use wharf_embedded::Fault;

use crate::bench::{Bench, assert_like, done, failed};

const NONE: &str = "nothing is there: s3://my-bucket/d/none";

fn not_there(key: &str, hint: &str) -> (i32, String, String) {
    failed(1, format!("wharf: nothing is there: s3://my-bucket/{key}\nhint: {hint}\n"))
}

/// A folder of that name here is no reason to say that something was left out.
#[test]
fn what_is_not_there_is_told_before_what_is_in_its_way() {
    let bench = Bench::embedded();
    bench.put("vd/a", "1");
    bench.file("vd/a", "1");
    for (verb, exit) in [(&["cp"][..], 1), (&["s3", "cp"], 1), (&["mv"], 1)] {
        let ran = bench.run(&[verb, &["s3://my-bucket/vd", "."]].concat());
        assert_eq!((ran.0, ran.1.as_str()), (exit, ""), "{verb:?}: {}", ran.2);
        assert!(!ran.2.contains("a folder stands") && ran.2.contains("--recursive"), "{verb:?}: {}", ran.2);
    }
    bench.put("vd", "2");
    let (exit, _, stderr) = bench.run(&["cp", "s3://my-bucket/vd", "."]);
    assert!(exit == 2 && stderr.contains("a folder stands where the file must be"), "{stderr}");
}

#[test]
fn what_is_not_there_is_said_in_the_same_words_by_all_verbs() {
    let bench = Bench::new();
    bench.put("d/a", "1");
    let shows = "`wharf ls s3://my-bucket/d/` shows what is";
    for args in [
        &["ls", "s3://my-bucket/d/none"][..],
        &["ls", "S3://my-bucket/d/none"],
        &["ls", "s3://my-bucket/d/none", "--recursive"],
        &["du", "s3://my-bucket/d/none"],
        &["head", "s3://my-bucket/d/none"],
        &["cat", "s3://my-bucket/d/none"],
        &["cp", "s3://my-bucket/d/none", "-"],
        &["cp", "s3://my-bucket/d/none", "x", "--dryrun"],
    ] {
        assert_eq!(bench.run(args), not_there("d/none", shows), "{args:?}");
    }
    let or_one = "`wharf ls s3://my-bucket/d/` shows what is; one object goes without --recursive";
    for args in [
        &["rm", "s3://my-bucket/d/none", "--recursive"][..],
        &["rm", "s3://my-bucket/d/none", "--recursive", "--dryrun"],
    ] {
        assert_eq!(bench.run(args), not_there("d/none", or_one), "{args:?}");
    }
    assert_eq!(bench.run(&["cp", "s3://my-bucket/d/a", "x", "--recursive"]), not_there("d/a/", or_one));
    for args in [
        &["cp", "s3://my-bucket/d/none/", "x", "--recursive"][..],
        &["mv", "s3://my-bucket/d/none/", "x", "--recursive"],
        &["mv", "s3://my-bucket/d/none/", "s3://my-bucket/e/", "--recursive"],
    ] {
        assert_eq!(bench.run(args), not_there("d/none/", or_one), "{args:?}");
    }
    for args in [
        &["cp", "s3://my-bucket/d/", "x/"][..],
        &["mv", "s3://my-bucket/d/", "."],
        &["s3", "cp", "s3://my-bucket/d/", "."],
        &["cp", "s3://my-bucket/d/", ".", "--dryrun"],
    ] {
        let expected = "wharf: s3://my-bucket/d/ is a prefix\nhint: --recursive takes all that is under it\n";
        assert_eq!(bench.run(args), failed(1, expected), "{args:?}");
    }
    let raw = "only * and ? are wild; --raw takes them as they are";
    for args in [
        &["ls", "s3://my-bucket/d/none*"][..],
        &["du", "s3://my-bucket/d/none*"],
        &["cat", "s3://my-bucket/d/none*"],
        &["cp", "s3://my-bucket/d/none*", "x"],
        &["mv", "s3://my-bucket/d/none*", "x"],
        &["rm", "s3://my-bucket/d/none*", "--recursive"],
        &["rm", "s3://my-bucket/d/none*", "--dryrun"],
    ] {
        assert_eq!(bench.run(args), not_there("d/none*", raw), "{args:?}");
    }
    for (args, action) in [
        (&["cp", "s3://my-bucket/d/none", "x"][..], "download failed: s3://my-bucket/d/none to ./x"),
        (&["mv", "s3://my-bucket/d/none", "x"], "move failed: s3://my-bucket/d/none to ./x"),
        (
            &["cp", "s3://my-bucket/d/none", "s3://my-bucket/x"],
            "copy failed: s3://my-bucket/d/none to s3://my-bucket/x",
        ),
        (
            &["mv", "s3://my-bucket/d/none", "s3://my-bucket/x"],
            "move failed: s3://my-bucket/d/none to s3://my-bucket/x",
        ),
    ] {
        let expected =
            format!("{action}: nothing is there\nhint: {shows}; --recursive takes all that is under a prefix\n");
        assert_eq!(bench.run(args), failed(1, expected), "{args:?}");
    }
    let (exit, _, stderr) = bench.run(&["cat", "s3://my-bucket/d/none", "--json"]);
    let error: serde_json::Value = serde_json::from_str(&stderr).unwrap();
    assert_eq!((exit, &error["message"], &error["source"]), (1, &NONE.into(), &"s3://my-bucket/d/none".into()));
    assert_eq!((&error["code"], &error["status"]), (&"NoSuchKey".into(), &404.into()));
    assert_eq!(bench.keys(), ["d/a"]);
}

#[test]
fn nothing_was_named_where_a_filter_leaves_everything_out_or_a_bucket_is_empty() {
    let bench = Bench::new();
    for args in [
        &["ls", "s3://my-bucket"][..],
        &["cp", "s3://my-bucket", "x", "--recursive"],
        &["rm", "s3://my-bucket", "--recursive"],
        &["sync", "s3://my-bucket", "x"],
        &["rm", "s3://my-bucket/none", "--incomplete"],
    ] {
        assert_eq!(bench.run(args), done(""), "{args:?}");
    }
    bench.put("d/a", "1");
    for args in [
        &["cp", "s3://my-bucket/d", "x", "--recursive", "--exclude", "*"][..],
        &["cp", "s3://my-bucket/d/*", "x", "--exclude", "*"],
        &["sync", "s3://my-bucket/d", "x", "--exclude", "*"],
        &["rm", "s3://my-bucket/d", "--recursive", "--exclude", "*"],
        &["rm", "s3://my-bucket/none", "--exclude", "*"],
    ] {
        assert_eq!(bench.run(args), done(""), "{args:?}");
    }
    // S3 does not tell whether there was one.
    assert_eq!(bench.run(&["rm", "s3://my-bucket/none"]), done("delete: s3://my-bucket/none\n"));
}

#[test]
fn after_s3_it_is_as_with_aws() {
    let bench = Bench::new();
    assert_eq!(bench.run(&["s3", "ls", "s3://my-bucket/none"]), failed(1, ""));
    assert_eq!(bench.run(&["s3", "rm", "s3://my-bucket/none"]), done("delete: s3://my-bucket/none\n"));
    assert_eq!(bench.run(&["s3", "rm", "s3://my-bucket/none", "--recursive"]), done(""));
    assert_eq!(bench.run(&["s3", "cp", "s3://my-bucket/none", "y", "--recursive"]), done(""));
    let expected = "download failed: s3://my-bucket/none to ./x ...NoSuchKey, HTTP 404...)\n\
                    hint: `wharf ls s3://my-bucket/` shows what is; --recursive takes all that is under a prefix\n";
    assert_like(bench.run(&["s3", "cp", "s3://my-bucket/none", "x"]), 1, "", expected);
}

#[test]
fn a_bucket_that_is_not_there_is_the_servers_error() {
    let bench = Bench::new();
    let expected = "wharf: ListObjectsV2 my-bucket-2: ...NoSuchBucket, HTTP 404...)\nhint: check the bucket's name, and \
                    that the endpoint is the one it is on\n";
    for (verb, exit) in [
        (&["ls", "s3://my-bucket-2"][..], 254),
        (&["ls", "s3://my-bucket-2/x"], 254),
        (&["du", "s3://my-bucket-2"], 254),
        (&["cat", "s3://my-bucket-2/*"], 254),
        (&["cp", "s3://my-bucket-2", "x", "--recursive"], 1),
        (&["mv", "s3://my-bucket-2/*", "x"], 1),
        (&["rm", "s3://my-bucket-2/x", "--recursive"], 1),
        (&["sync", "s3://my-bucket-2", "x"], 1),
    ] {
        assert_like(bench.run(verb), exit, "", expected);
    }
}

#[test]
fn what_to_do_is_said_once() {
    let bench = Bench::new();
    let expected = "wharf: nothing is there: s3://my-bucket/x\nhint: `wharf ls s3://my-bucket/` shows what is\n\
                    wharf: nothing is there: s3://my-bucket/y\n\
                    wharf: nothing is there: s3://my-bucket//z\nhint: leave out the slash at the beginning of the key\n";
    assert_eq!(bench.run(&["cat", "s3://my-bucket/x", "s3://my-bucket/y", "s3://my-bucket//z"]), failed(1, expected));
}

#[test]
fn a_pattern_that_no_shell_has_filled_in_is_no_file() {
    let bench = Bench::new();
    let expected = "wharf: The user-provided path *.txt does not exist.\nhint: no file is called so, and patterns are the \
                    shell's; or say FOLDER --recursive --exclude '*' --include 'PATTERN'\n";
    assert_eq!(bench.run(&["cp", "*.txt", "s3://my-bucket/"]), failed(255, expected));
    let pattern = "wharf: s3://my-bucket/a* is a pattern, and one target must be named\n\
                   hint: only * and ? are wild; --raw takes them as they are\n";
    assert_eq!(bench.run(&["pipe", "s3://my-bucket/a*"]), failed(252, pattern));
}

#[test]
fn a_source_that_is_empty_is_told_whatever_the_target_has() {
    let bench = Bench::new();
    bench.put("d/a", "1");
    bench.file("x/b", "2");
    let expected = "warning: nothing to do: there is no object to take from s3://my-bucket/d/a/\n";
    assert_eq!(bench.run(&["sync", "s3://my-bucket/d/a", "x"]), (0, String::new(), expected.to_owned()));
    let two = "wharf: the first must be a folder here: two prefixes are not compared\n\
               hint: `wharf sync URL URL --checksum --dryrun` shows what differs\n";
    assert_eq!(bench.run(&["verify", "s3://my-bucket/d", "s3://my-bucket/e"]), failed(252, two));
    let file = "wharf: x/b is a file, and what is copied needs a folder there\nhint: name a folder\n";
    assert_eq!(bench.run(&["cp", "s3://my-bucket/d", "x/b", "--recursive"]), failed(252, file));
}

/// A server that takes requests and says nothing is not waited for longer than was said.
#[test]
fn silence_is_waited_for_as_long_as_was_said() {
    let bench = Bench::embedded();
    bench.file("a", "1");
    bench.store().inject(Fault::delay(Duration::from_secs(3600))).unwrap();
    for args in [&["ls", "s3://my-bucket"][..], &["cp", "a", "s3://my-bucket"], &["du", "s3://my-bucket"]] {
        let (exit, _, stderr) = bench.run(&[args, &["--patience", "1s"]].concat());
        assert!(
            exit != 0 && stderr.contains("nothing moved within a patience of 1 s: the server was silent for 1s"),
            "{stderr}"
        );
    }
}
