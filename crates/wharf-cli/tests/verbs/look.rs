//! `ls`, `cat`, `head`, `du`: what looks and changes nothing.

use crate::bench::{Bench, done};

const OBJECTS: [(&str, &str); 6] = [
    ("a.txt", "12345"),
    ("a[1].txt", "6"),
    ("logs/1.gz", "1"),
    ("logs/2.gz", "22"),
    ("logs/old/3.gz", "333"),
    ("z", ""),
];

#[test]
fn a_pattern_lists_what_fits() {
    let bench = Bench::new();
    bench.put_all(OBJECTS);
    let expected = "TIME          1 logs/1.gz\nTIME          2 logs/2.gz\nTIME          3 logs/old/3.gz\n";
    assert_eq!(bench.run(&["ls", "s3://my-bucket/logs/*.gz"]), done(expected));
    assert_eq!(bench.run(&["ls", "s3://my-bucket/?"]), done("TIME          0 z\n"));
    assert_eq!(bench.run(&["ls", "s3://my-bucket/a[1]*"]), done("TIME          1 a[1].txt\n"));
}

#[test]
fn a_star_may_be_a_star() {
    let bench = Bench::new();
    bench.put_all([("a*", "1"), ("ab", "22")]);
    for args in [&["ls", "s3://my-bucket/a*", "--raw"][..], &["s3", "ls", "s3://my-bucket/a*"]] {
        assert_eq!(bench.run(args), done("TIME          1 a*\n"));
    }
}

#[test]
fn listings_for_programs() {
    let bench = Bench::new();
    bench.put_all([("docs/a", "1"), ("b", "22")]);
    let stdout = bench.must(&["ls", "s3://my-bucket", "--json", "--summarize"]);
    let lines: Vec<serde_json::Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0], serde_json::json!({"type": "prefix", "prefix": "docs/"}));
    let object = &lines[1];
    assert_eq!((&object["type"], &object["key"], &object["size"]), (&"object".into(), &"b".into(), &2.into()));
    assert_eq!(object["storage_class"], "STANDARD");
    assert!(object["etag"].as_str().unwrap().len() >= 32 && object["last_modified"].as_str().unwrap().ends_with('Z'));
    assert_eq!(lines[2], serde_json::json!({"type": "summary", "objects": 1, "size": 2}));
}

#[test]
fn options_of_aws_that_mean_nothing_here_are_taken() {
    let bench = Bench::new();
    bench.put("a", "1");
    let args = ["s3", "ls", "s3://my-bucket", "--output", "json", "--no-cli-pager", "--color", "off", "--no-paginate"];
    assert_eq!(bench.run(&args), done("TIME          1 a\n"));
    let args =
        ["s3", "ls", "s3://my-bucket", "--request-payer", "--cli-read-timeout", "60", "--cli-connect-timeout", "0"];
    assert_eq!(bench.run(&args), done("TIME          1 a\n"));
}

#[test]
fn objects_are_written_whole_or_in_part() {
    let bench = Bench::new();
    bench.put_all(OBJECTS);
    assert_eq!(bench.run(&["cat", "s3://my-bucket/logs/*"]), done("122333"));
    assert_eq!(bench.run(&["cat", "s3://my-bucket/a.txt", "--range", "1-2"]), done("23"));
    assert_eq!(bench.run(&["cat", "s3://my-bucket/a.txt", "--range", "3-"]), done("45"));
    assert_eq!(bench.run(&["cat", "s3://my-bucket/a.txt", "--range", "-1"]), done("5"));
}

#[test]
fn heads_say_what_is_known() {
    let bench = Bench::new();
    let put = bench.s3.put_object(&bench.bucket, "a", "12345").content_type("text/plain").metadata("team", "blue");
    bench.wait(put.cache_control("no-cache"));
    let stdout = bench.must(&["head", "s3://my-bucket/a"]);
    for line in [
        "url                        s3://my-bucket/a",
        "size                       5",
        "storage_class              STANDARD",
        "content_type               text/plain",
        "cache_control              no-cache",
        "metadata team              blue",
    ] {
        assert!(stdout.lines().any(|found| found == line), "{line} in {stdout}");
    }
    let json: serde_json::Value = serde_json::from_str(&bench.must(&["head", "s3://my-bucket/a", "--json"])).unwrap();
    assert_eq!((&json["type"], &json["size"]), (&"head".into(), &5.into()));
    assert_eq!(json["metadata"], serde_json::json!({"team": "blue"}));
}

#[test]
fn sizes_are_added_up_by_prefix_and_class() {
    let bench = Bench::new();
    bench.put_all(OBJECTS);
    let put = bench.s3.put_object(&bench.bucket, "logs/cold", "4444").storage_class(wharf::StorageClass::GlacierIr);
    bench.wait(put);
    let total = "               4          1 GLACIER_IR          s3://my-bucket/\n              \
                 12          6 STANDARD            s3://my-bucket/\n";
    assert_eq!(bench.run(&["du", "s3://my-bucket"]), done(total));
    let deep = "               6          3 STANDARD            s3://my-bucket/\n               \
                4          1 GLACIER_IR          s3://my-bucket/logs/\n               \
                3          2 STANDARD            s3://my-bucket/logs/\n               \
                3          1 STANDARD            s3://my-bucket/logs/old/\n";
    assert_eq!(bench.run(&["du", "s3://my-bucket", "--depth", "2"]), done(deep));
    let one = "         3 Bytes          1 STANDARD            s3://my-bucket/logs/\n";
    assert_eq!(bench.run(&["du", "s3://my-bucket/logs/o*", "--human-readable"]), done(one));
    let json = "{\"type\":\"usage\",\"prefix\":\"s3://my-bucket/a.\",\"storage_class\":\"STANDARD\",\"objects\":1,\"size\":5}\n";
    assert_eq!(bench.run(&["du", "s3://my-bucket/a.", "--json"]), done(json));
}

#[test]
fn the_version_and_completions_need_no_server() {
    let bench = Bench::new();
    assert_eq!(bench.run(&["version"]), done(format!("wharf {}\n", env!("CARGO_PKG_VERSION"))));
    let json = format!("{{\"type\":\"version\",\"version\":\"{}\"}}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(bench.run(&["version", "--json"]), done(json));
    for (shell, text) in [("bash", "complete -F _wharf"), ("zsh", "#compdef wharf"), ("fish", "complete -c wharf")] {
        assert!(bench.must(&["completions", shell]).contains(text), "{shell}");
    }
}

#[test]
fn completions_offer_what_help_shows() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = bench.must(&["completions", shell]);
        // As aws-cli takes them, or of use to no verb.
        for hidden in ["cli-binary-format", "progress-multiline", "no-cli-pager", "checksum-mode"] {
            assert!(!script.contains(hidden), "{shell} {hidden}");
        }
        for shown in ["no-overwrite", "endpoint-url", "listen", "expires-in", "human-readable"] {
            assert!(script.contains(shown), "{shell} {shown}");
        }
    }
    let script = bench.must(&["completions", "fish"]);
    let offers = |verb: &str, option: &str| {
        let begin = format!("complete -c wharf -n \"__fish_wharf_using_subcommand {verb}\" ");
        let option = format!("-l {option}");
        script.lines().any(|line| line.starts_with(&begin) && line.split(" -d ").any(|part| part.ends_with(&option)))
    };
    assert!(offers("cp", "part-size") && offers("ls", "endpoint-url") && offers("serve", "listen"));
    // What all verbs share and this one has no use for.
    assert!(!offers("ls", "part-size") && !offers("serve", "endpoint-url") && !offers("version", "region"));
}

#[test]
fn a_store_in_a_directory_needs_no_server() {
    let bench = Bench::embedded();
    let run = |args: &[&str]| bench.run(&[args, &["--embedded", "store"]].concat());
    assert_eq!(run(&["mb", "s3://local"]), done("make_bucket: local\n"));
    bench.file("a.txt", "hello");
    assert_eq!(run(&["cp", "a.txt", "s3://local/a"]), done("upload: ./a.txt to s3://local/a\n"));
    assert_eq!(run(&["cat", "s3://local/a"]), done("hello"));
    assert_eq!(run(&["ls", "s3://local"]), done("TIME          5 a\n"));
    let (exit, stdout, _) = run(&["whoami"]);
    assert!(exit == 0 && stdout.lines().next().unwrap().ends_with("  the embedded store"), "{stdout}");
    assert!(bench.keys().is_empty());
}
