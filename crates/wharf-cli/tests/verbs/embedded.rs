//! `--embedded`: a store in a directory in place of a server.

use std::fs;

use crate::bench::{Bench, done, failed};

const LARGE: usize = 20 << 20;

fn large() -> Vec<u8> {
    (0..LARGE).map(|at| (at / 1000) as u8).collect()
}

#[test]
fn a_large_file_goes_up_and_comes_down() {
    let bench = Bench::embedded();
    bench.file("a", large());
    bench.must(&["mb", "s3://my-bucket", "--embedded", "store"]);
    let up = ["cp", "a", "s3://my-bucket/a", "--embedded", "store", "--part-size", "8MiB"];
    assert_eq!(bench.run(&up), done("upload: ./a to s3://my-bucket/a\n"));
    let down = ["cp", "s3://my-bucket/a", "b", "--embedded", "store"];
    assert_eq!(bench.run(&down), done("download: s3://my-bucket/a to ./b\n"));
    assert!(fs::read(bench.path("b")).unwrap() == large());
    // Where there is no folder to keep anything in, nothing is kept.
    for state in [None, Some("relative")] {
        let mut command = bench.command(&up);
        command.env_remove("HOME").env_remove("XDG_STATE_HOME");
        if let Some(folder) = state {
            command.env("XDG_STATE_HOME", folder);
        }
        let ran = bench.ran(command.output().unwrap());
        assert_eq!(ran, done("upload: ./a to s3://my-bucket/a\n"), "{state:?}");
    }
}

#[test]
fn what_is_said_of_a_server_does_not_go_with_it() {
    let bench = Bench::embedded();
    let expected = failed(252, "wharf: --profile does not go with --embedded, which uses no server\n");
    assert_eq!(bench.run(&["--embedded", "store", "ls", "--profile", "x"]), expected);
    assert_eq!(bench.run(&["--profile", "x", "ls", "--embedded", "store"]), expected);
    assert!(!bench.path("store").exists());
}

#[test]
fn a_store_is_made_with_a_bucket_and_by_nothing_else() {
    let bench = Bench::embedded();
    bench.file("a", "1");
    let expected =
        "wharf: no store is in store\nhint: `wharf mb s3://BUCKET --embedded DIR` makes one, with a bucket\n";
    for words in [&["ls"][..], &["ls", "s3://my-bucket"], &["sync", ".", "s3://my-bucket", "--dryrun"]] {
        assert_eq!(bench.run(&[words, &["--embedded", "store"]].concat()), failed(253, expected), "{words:?}");
        assert!(!bench.path("store").exists());
    }
    assert_eq!(bench.run(&["mb", "s3://my-bucket", "--embedded", "store"]), done("make_bucket: my-bucket\n"));
    assert_eq!(bench.run(&["ls", "s3://my-bucket", "--embedded", "store"]), done(""));
}

#[test]
fn it_knows_whose_store_it_is() {
    let bench = Bench::embedded();
    bench.must(&["mb", "s3://my-bucket", "--embedded", "store"]);
    for words in [&["whoami", "--embedded", "store"][..], &["whoami", "--embedded", "store", "--offline"]] {
        let stdout = bench.must(words);
        let provider = stdout.lines().find(|line| line.starts_with("provider ")).unwrap();
        assert!(provider.contains(" Embedded "), "{stdout}");
    }
    // It names itself in its answers; behind an address it may be anybody who says so.
    for (options, expected) in [
        ("--embedded store", ""),
        ("--provider embedded", ""),
        ("", "line 2: warning: if this is wharf-embedded, as it says, say --provider embedded\n"),
    ] {
        let list = format!("ls {options}\nwhoami {options}\n");
        let (exit, _, stderr) = bench.run_with(&["run", "-", "--jobs", "1"], list.as_bytes());
        assert_eq!((exit, stderr.as_str()), (0, expected));
    }
}
