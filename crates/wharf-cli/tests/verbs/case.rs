//! Keys that differ only in case: `--case-conflict` of `cp` and `sync`.

use crate::bench::{Bench, done};

const BY_CASE: &str = "a file whose name differs only by case either exists or is being downloaded.";

fn bench() -> Bench {
    let bench = Bench::new();
    bench.put_all([("x/A", "1"), ("x/a", "2"), ("x/b", "3")]);
    bench
}

/// `cp` or `sync` of all of it into a folder called like the deed.
fn run(bench: &Bench, dialect: &[&str], verb: &[&str], deed: &str) -> (i32, usize, String) {
    let args = [dialect, &verb[..1], &["s3://my-bucket/x", deed], &verb[1..], &["--case-conflict", deed]].concat();
    let (exit, stdout, stderr) = bench.run(&args);
    let (said, there) = (stdout.lines().count(), bench.tree(deed).len());
    // What ends everything may come between a file and its line.
    assert!(said == there || deed == "error" && said < there, "{args:?} {stdout}");
    (exit, bench.tree(deed).len(), stderr)
}

#[test]
fn after_s3_it_is_done_and_said_as_with_aws() {
    for verb in [&["cp", "--recursive"][..], &["sync"], &["mv", "--recursive"]] {
        let bench = bench();
        let run = |deed| run(&bench, &["s3"], verb, deed);
        let skipped = format!("warning: Skipping my-bucket/x/a -> FOLDER/skip/a because {BY_CASE}\n");
        assert_eq!(run("skip"), (0, 2, skipped), "{verb:?}");
        bench.put_all([("x/A", "1"), ("x/a", "2"), ("x/b", "3")]);
        let (exit, count, stderr) = run("warn");
        assert_eq!((exit, count), (0, 3), "{verb:?}");
        let warned = "warning: Downloading my-bucket/x/a -> FOLDER/warn/a despite a file whose name differs only by case \
                      either existing or being downloaded. This behavior is not defined on case-insensitive filesystems and \
                      may result in overwriting existing files or race conditions between concurrent downloads. For more \
                      information, see https://docs.aws.amazon.com/cli/latest/topic/s3-case-insensitivity.html.\n";
        assert_eq!(stderr, warned, "{verb:?}");
        bench.put_all([("x/A", "1"), ("x/a", "2"), ("x/b", "3")]);
        let (exit, _, stderr) = run("error");
        let failed = format!("Failed to download my-bucket/x/a -> FOLDER/error/a because {BY_CASE}\n");
        assert_eq!((exit, stderr.as_str()), (1, format!("wharf: {failed}").as_str()), "{verb:?}");
        bench.put_all([("x/A", "1"), ("x/a", "2"), ("x/b", "3")]);
        assert_eq!(run("ignore"), (0, 3, String::new()), "{verb:?}");
    }
}

#[test]
fn without_s3_what_is_left_out_shows_in_the_exit_code() {
    for verb in [&["cp", "--recursive"][..], &["sync"]] {
        let bench = bench();
        let skipped = format!("warning: Skipping s3://my-bucket/x/a -> FOLDER/skip/a because {BY_CASE}\n");
        assert_eq!(run(&bench, &[], verb, "skip"), (2, 2, skipped), "{verb:?}");
        let args = [verb, &["--json", "--case-conflict", "skip", "s3://my-bucket/x", "json"]].concat();
        let (_, _, stderr) = bench.run(&args);
        let warning: serde_json::Value = serde_json::from_str(&stderr).unwrap();
        assert_eq!((&warning["type"], &warning["path"]), (&"warning".into(), &"s3://my-bucket/x/a".into()));
    }
}

#[test]
fn what_is_there_by_the_same_name_is_no_conflict() {
    let bench = bench();
    bench.must(&["s3", "cp", "s3://my-bucket/x", "d", "--recursive"]);
    for deed in ["skip", "warn", "error"] {
        let args = ["s3", "cp", "s3://my-bucket/x", "d", "--recursive", "--case-conflict", deed, "--only-show-errors"];
        assert_eq!(bench.run(&args), done(""), "{deed}");
        assert_eq!(bench.run(&["s3", "sync", "s3://my-bucket/x", "d", "--case-conflict", deed]), done(""), "{deed}");
    }
}
