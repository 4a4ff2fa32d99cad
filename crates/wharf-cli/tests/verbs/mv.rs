//! `mv`.

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
fn nothing_moves_onto_itself() {
    let bench = Bench::new();
    bench.put("a", "hello");
    let expected = "wharf: Cannot mv a file onto itself: s3://my-bucket/a - s3://my-bucket/a\n";
    for target in ["s3://my-bucket/a", "s3://my-bucket/", "s3://my-bucket"] {
        assert_eq!(bench.run(&["mv", "s3://my-bucket/a", target]), failed(252, expected), "{target}");
    }
    assert_eq!(bench.object("a"), "hello");
}

#[test]
fn what_did_not_arrive_stays() {
    let bench = Bench::new();
    bench.file("a.txt", "hello");
    let expected = "move failed: ./a.txt to s3://my-bucket-2/a.txt ...NoSuchBucket...";
    assert_like(bench.run(&["mv", "a.txt", "s3://my-bucket-2/"]), 1, "", expected);
    assert_eq!(bench.read("a.txt"), "hello");
}
