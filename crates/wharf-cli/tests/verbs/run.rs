//! `run`.

use crate::bench::{Bench, done, failed};

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn commands_run_from_a_file_or_a_pipe() {
    let bench = Bench::new();
    bench.files(&["a.txt", "b c.txt"]);
    let list = format!("# two\n\ncp a.txt s3://{0}/\n  wharf s3 cp \"b c.txt\" s3://{0}/d/\n", bench.bucket);
    bench.file("list", &list);
    let (exit, stdout, stderr) = bench.run(&["run", "list"]);
    assert_eq!((exit, stderr.as_str()), (0, ""));
    let expected = ["upload: ./a.txt to s3://my-bucket/a.txt", "upload: ./b c.txt to s3://my-bucket/d/b c.txt"];
    assert_eq!(sorted(&stdout), expected);
    assert_eq!(bench.run_with(&["run", "-", "--quiet"], list.as_bytes()), done(""));
    let (exit, stdout, _) = bench.run_with(&["--json", "run", "-"], list.as_bytes());
    assert!(exit == 0 && sorted(&stdout)[0].starts_with("{\"type\":\"upload\",\"source\":\"./a.txt\""), "{stdout}");
}

#[test]
fn what_fails_does_not_hold_up_the_rest() {
    let bench = Bench::new();
    bench.put_all([("a", "1"), ("b", "2")]);
    let list = format!("rm s3://{0}/a\nhead s3://{0}/none\nrm s3://{0}/b\n", bench.bucket);
    let (exit, stdout, stderr) = bench.run_with(&["run", "-", "--jobs", "1"], list.as_bytes());
    let expected = "delete: s3://my-bucket/a\ndelete: s3://my-bucket/b\n";
    let not_there = "wharf: line 2: nothing is there: s3://my-bucket/none\n\
                     hint: `wharf ls s3://my-bucket/` shows what is\n";
    assert_eq!((exit, stdout.as_str(), stderr.as_str()), (1, expected, not_there));
    assert!(bench.keys().is_empty());
    let (_, _, stderr) = bench.run_with(&["--json", "run", "-", "--jobs", "1"], list.as_bytes());
    let error: serde_json::Value = serde_json::from_str(&stderr).unwrap();
    assert_eq!((&error["line"], &error["source"]), (&2.into(), &"s3://my-bucket/none".into()), "{error}");
    let (_, _, said) = bench.run_with(&["run", "-"], format!("head s3://{}/none --json", bench.bucket).as_bytes());
    let (_, _, quiet) = bench.run_with(&["run", "-"], format!("head s3://{}/none --quiet", bench.bucket).as_bytes());
    assert_eq!((said.starts_with("{\"type\":\"error\","), quiet.as_str()), (true, ""), "{said}");
    let (_, _, stderr) = bench.run_with(&["--json", "run", "-"], format!("ls s3://{}-2", bench.bucket).as_bytes());
    let error: serde_json::Value = serde_json::from_str(&stderr).unwrap();
    assert_eq!((&error["line"], &error["source"]), (&1.into(), &"s3://my-bucket-2".into()), "{error}");
    assert_eq!(error["code"], "NoSuchBucket");
}

#[test]
fn a_mistake_stops_everything_before_it_begins() {
    let bench = Bench::new();
    bench.put("a", "1");
    let first = format!("rm s3://{}/a\n", bench.bucket);
    for (line, problem) in [
        ("rmm x", "wharf: line 2: unrecognized subcommand 'rmm'\nhint: a similar subcommand exists: 'rm'\n"),
        ("cat 'x", "wharf: line 2: a quote is not closed\n"),
        ("run other", "wharf: line 2: run and serve have no place in a list of commands\n"),
    ] {
        assert_eq!(
            bench.run_with(&["run", "-"], format!("{first}{line}\n").as_bytes()),
            failed(252, problem),
            "{line}"
        );
    }
    assert_eq!(bench.keys(), ["a"]);
    let missing = "wharf: none cannot be read: No such file or directory (os error 2)\n";
    assert_eq!(bench.run(&["run", "none"]), failed(255, missing));
}
