//! `--no-overwrite` on servers that nothing is known of, and on those that are known to keep conditions.

use wharf_embedded::{Fault, Operation, Personality};

use crate::bench::{Bench, Ran, assert_like, done, failed};

const UNKNOWN: &str = "warning: it is not known whether this server keeps conditions: --no-overwrite looks first, and what \
                       appears between the look and the write may be overwritten\n\
                       hint: --provider says whose S3 it is; `--provider other`: of none that has a name\n";

fn run(bench: &Bench, words: &str) -> Ran {
    let words: Vec<_> = words.split(' ').chain(["--no-overwrite", "--part-size", "5MiB"]).collect();
    bench.run_with(&words, b"here")
}

/// This one ignores conditions, and nobody said that it is one that does.
#[test]
fn nothing_is_overwritten_where_the_server_is_not_known() {
    let bench = Bench::like(Personality::Garage);
    let large = vec![7; 17 << 20];
    for words in [
        "cp f s3://my-bucket/there",
        "cp large s3://my-bucket/there",
        "s3 cp f s3://my-bucket/there",
        "mv f s3://my-bucket/there",
        "s3 mv f s3://my-bucket/there",
        "cp s3://my-bucket/f s3://my-bucket/there",
        "cp s3://my-bucket/large s3://my-bucket/there",
        "mv s3://my-bucket/f s3://my-bucket/there",
        "s3 mv s3://my-bucket/large s3://my-bucket/there",
        "pipe s3://my-bucket/there",
        "s3 cp - s3://my-bucket/there",
    ] {
        bench.file("f", "mine");
        bench.file("large", &large);
        bench.put("f", "mine");
        bench.put("large", large.clone());
        bench.put("there", "there");
        let (exit, stdout, stderr) = run(&bench, words);
        assert_eq!((exit, stdout.as_str(), bench.object("there").as_str()), (0, "", "there"), "{words}");
        assert!(
            stderr.starts_with("skip: ") && stderr.ends_with(" to s3://my-bucket/there: it is there already\n"),
            "{stderr}"
        );
        assert!(bench.path("f").exists() && bench.path("large").exists() && bench.object("f") == "mine", "{words}");
    }
}

#[test]
fn what_is_not_known_is_said_once_where_something_is_written() {
    let bench = Bench::embedded();
    bench.files(&["d/a", "d/b"]);
    for (words, count) in
        [("cp d s3://my-bucket/x --recursive", 2), ("sync d s3://my-bucket/y", 2), ("pipe s3://my-bucket/z", 0)]
    {
        bench.store().clear_requests();
        let (exit, stdout, stderr) = run(&bench, words);
        assert_eq!((exit, stdout.lines().count(), stderr.as_str()), (0, count, UNKNOWN), "{words}");
        // A server that keeps conditions keeps them against others who write at the same time, too.
        let requests = bench.store().requests();
        let mut puts = requests.iter().filter(|request| request.operation == "PutObject");
        assert!(puts.all(|put| put.headers["if-none-match"] == "*"), "{words}");
        let (exit, stdout, stderr) = run(&bench, words);
        assert!(exit == 0 && stdout.is_empty() && !stderr.contains("warning"), "{stderr}");
    }
    assert_eq!(run(&bench, "cp d/a s3://my-bucket/c --provider other"), done("upload: d/a to s3://my-bucket/c\n"));
}

#[test]
fn a_server_that_is_known_to_keep_conditions_is_asked_once() {
    let bench = Bench::embedded();
    bench.file("a", "here");
    let asked = || bench.store().requests().iter().map(|request| request.operation).collect::<Vec<_>>();
    for provider in ["aws", "embedded"] {
        bench.put("there", "there");
        bench.wait(bench.s3.delete_object(&bench.bucket, "new"));
        for (source, target, operation, said) in [
            ("cp a", "new", "PutObject", Some("upload: ./a to s3://my-bucket/new\n")),
            ("cp a", "there", "PutObject", None),
            ("pipe", "there", "PutObject", None),
            (
                "cp s3://my-bucket/new",
                "newer",
                "CopyObject",
                Some("copy: s3://my-bucket/new to s3://my-bucket/newer\n"),
            ),
        ] {
            bench.wait(bench.s3.delete_object(&bench.bucket, "newer"));
            bench.store().clear_requests();
            let words = format!("{source} s3://my-bucket/{target} --provider {provider}");
            let ran = run(&bench, &words);
            assert_eq!(asked(), [operation], "{words}");
            match said {
                Some(said) => assert_eq!(ran, done(said)),
                None => assert!(ran.0 == 0 && ran.2.starts_with("skip: "), "{ran:?}"),
            }
        }
    }
}

/// Scaleway is known for what writes an object at once, and not for what puts parts together.
#[test]
fn what_is_known_is_asked_of_the_condition_that_an_object_of_this_size_has() {
    let bench = Bench::embedded();
    bench.file("small", vec![7; (16 << 20) - 1]);
    bench.file("large", vec![7; 16 << 20]);
    for (words, looks, writes) in
        [("cp small s3://my-bucket/a", 0, "PutObject"), ("cp large s3://my-bucket/b", 1, "CompleteMultipartUpload")]
    {
        bench.store().clear_requests();
        let (exit, _, stderr) = run(&bench, &format!("{words} --provider scaleway"));
        let asked: Vec<_> = bench.store().requests().iter().map(|request| request.operation).collect();
        assert_eq!((exit, asked.iter().filter(|name| **name == "HeadObject").count(), stderr.as_str()), (0, looks, ""));
        assert!(asked.contains(&writes), "{asked:?}");
        let (exit, _, stderr) = run(&bench, &format!("{words} --provider scaleway"));
        assert!(exit == 0 && stderr.ends_with(": it is there already\n"), "{stderr}");
    }
}

/// Who may only write cannot look: to write all the same could overwrite.
#[test]
fn where_nobody_may_look_nothing_is_written() {
    let bench = Bench::embedded();
    bench.file("a", "here");
    bench.store().inject(Fault::respond(403, "AccessDenied").on(Operation::HeadObject)).unwrap();
    let expected = "upload failed: ./a to s3://my-bucket/a: --no-overwrite looks first: ...HTTP 403...\n\
                    hint: of a --provider that is known to keep conditions nothing is asked first\n";
    assert_like(run(&bench, "cp a s3://my-bucket/a"), 1, "", expected);
    assert!(bench.keys().is_empty());
    assert_eq!(run(&bench, "cp a s3://my-bucket/a --provider aws"), done("upload: ./a to s3://my-bucket/a\n"));
    let left = "skip: ./a to s3://my-bucket/a: it is there already\n";
    assert_eq!(run(&bench, "cp a s3://my-bucket/a --provider aws"), failed(0, left));
}

/// As long as for the write itself.
#[test]
fn a_server_that_is_away_for_a_while_is_waited_for() {
    let bench = Bench::embedded();
    bench.file("a", "here");
    bench.store().inject(Fault::respond(503, "").on(Operation::HeadObject).times(3)).unwrap();
    bench.store().inject(Fault::respond(503, "").on(Operation::ListObjectsV2).times(3)).unwrap();
    assert_eq!(
        run(&bench, "cp a s3://my-bucket/a"),
        (0, "upload: ./a to s3://my-bucket/a\n".to_owned(), UNKNOWN.to_owned())
    );
}

/// What somebody should know of a server is enough for all lines of a list.
#[test]
fn a_list_of_commands_is_told_once_of_a_server() {
    let bench = Bench::like(Personality::Garage);
    bench.file("a", "here");
    let lines = |words: &[&str]| words.iter().map(|word| format!("cp a s3://my-bucket/{word}\n")).collect::<String>();
    let said = |list: &str| {
        let list = list.replace("my-bucket", &bench.bucket);
        let (exit, _, stderr) = bench.run_with(&["run", "-", "--jobs", "1"], list.as_bytes());
        assert_eq!(exit, 0, "{stderr}");
        ["not known whether", "this server ignores conditions"].map(|text| stderr.matches(text).count())
    };
    assert_eq!(said(&lines(&["b --no-overwrite", "c --no-overwrite", "d --no-overwrite"])), [1, 0]);
    let garage = "--no-overwrite --provider garage";
    let known = [format!("f {garage}"), format!("g {garage}")];
    // That it is known to ignore them is told after that it was not known.
    assert_eq!(said(&lines(&["e --no-overwrite", &known[0], &known[1]])), [1, 1]);
    assert_eq!(said(&lines(&["h --no-overwrite --only-show-errors", "i --no-overwrite"])), [1, 0]);
    assert_eq!(said(&lines(&["j --no-overwrite --quiet", "k --no-overwrite"])), [1, 0]);
    let known = [format!("l {garage} --quiet"), format!("m {garage}")];
    assert_eq!(said(&lines(&[&known[0], &known[1]])), [0, 1]);
    bench.files(&["d/a"]);
    for words in ["cp a s3://my-bucket/x --only-show-errors", "sync d s3://my-bucket/y --only-show-errors"] {
        assert_eq!(run(&bench, words), done(""), "{words}");
    }
    // What is known of it goes wrong for whoever relies on conditions.
    let (exit, _, stderr) = run(&bench, "cp a s3://my-bucket/z --only-show-errors --provider garage");
    assert!(exit == 0 && stderr.starts_with("warning: this server ignores conditions"), "{stderr}");
}

/// Nobody has looked at a source that was named, and that it is not there is no success.
#[test]
fn a_source_that_is_not_there_is_no_object_that_was_left() {
    let unknown = Bench::embedded();
    let ignoring = Bench::like(Personality::Garage);
    for (bench, more) in [(&unknown, ""), (&ignoring, ""), (&ignoring, " --provider garage")] {
        bench.put("there", "there");
        for verb in ["cp", "mv"] {
            let words = format!("s3 {verb} s3://my-bucket/none s3://my-bucket/there{more}");
            let (exit, stdout, stderr) = run(bench, &words);
            assert!(exit == 1 && stdout.is_empty() && stderr.contains("HTTP 404"), "{words} {exit} {stderr}");
            let words = format!("{verb} s3://my-bucket/none s3://my-bucket/there{more}");
            let (exit, stdout, stderr) = run(bench, &words);
            assert!(
                exit == 1 && stdout.is_empty() && stderr.contains(": nothing is there\n"),
                "{words} {exit} {stderr}"
            );
        }
        assert_eq!(bench.object("there"), "there");
    }
}

#[test]
fn what_is_there_is_seen_whatever_key_it_has() {
    let bench = Bench::embedded();
    bench.file("a", "here");
    let with = |words: &str, key: &str| run(&bench, &format!("{words} --sse-c AES256 --sse-c-key {key}"));
    let [key, other] = ["k", "m"].map(|letter| letter.repeat(32));
    bench.put("plain", "there");
    // An exact name is looked for, not what begins with it.
    bench.put("neww", "there");
    let skip = |key: &str| failed(0, format!("skip: ./a to s3://my-bucket/{key}: it is there already\n"));
    assert_eq!(with("cp a s3://my-bucket/plain", &key), skip("plain"));
    assert_eq!(
        with("cp a s3://my-bucket/new", &key),
        (0, "upload: ./a to s3://my-bucket/new\n".to_owned(), UNKNOWN.to_owned())
    );
    assert_eq!(run(&bench, "cp a s3://my-bucket/new"), skip("new"));
    assert_eq!(with("cp a s3://my-bucket/new", &key), skip("new"));
    assert_eq!(with("cp a s3://my-bucket/new", &other), skip("new"));
    bench.store().inject(Fault::respond(400, "InvalidRequest").on(Operation::HeadObject)).unwrap();
    let written = (0, "upload: ./a to s3://my-bucket/ne\n".to_owned(), UNKNOWN.to_owned());
    assert_eq!(run(&bench, "cp a s3://my-bucket/ne"), written);
}
