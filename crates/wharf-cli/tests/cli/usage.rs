//! What is typed wrongly, or not set up.

use crate::bench::{Bench, bare, done, failed, run};

fn hint(verb: &str) -> String {
    format!("hint: `wharf {verb} --help` says what can be typed\n")
}

#[test]
fn the_version_is_a_line() {
    assert_eq!(run(bare(&["--version"])), done(format!("wharf {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn help_begins_with_an_example() {
    let of_aws = ["ls", "cp", "mv", "rm", "sync", "mb", "rb", "presign", "website"];
    let ours = ["cat", "pipe", "head", "du", "run", "serve", "verify", "whoami", "completions", "version", "s3"];
    let mut lines: Vec<Vec<&str>> = vec![vec![]];
    lines.extend(of_aws.iter().chain(&ours).map(|verb| vec![*verb]));
    lines.extend(of_aws.iter().map(|verb| vec!["s3", *verb]));
    for line in lines {
        for help in ["--help", "-h"] {
            let (exit, stdout, stderr) = run(bare(&[&line[..], &[help]].concat()));
            assert_eq!((exit, stderr.as_str()), (0, ""), "{line:?}");
            let (example, rest) = stdout.split_once("\n\n").unwrap_or((&stdout, ""));
            assert!(example.starts_with("Example: "), "{stdout}");
            let verb = format!("wharf {}", if line.is_empty() { "serve".to_owned() } else { line.join(" ") });
            let commands = rest.split("\n\n").next().unwrap();
            assert!(example.contains(&verb) || commands.contains(&verb), "{verb} {stdout}");
        }
    }
}

/// Keys are literal there, and one source is taken.
#[test]
fn help_of_the_words_of_aws_says_nothing_of_ours() {
    let help = |args: &[&str]| run(bare(&[args, &["--help"]].concat())).1;
    let ours =
        ["* or ?", "*.csv", "--raw", "or everything that fits", "Several URLs", "several sources", "was transferred"];
    for verb in ["ls", "cp", "mv", "rm", "sync", "mb", "rb", "presign", "website"] {
        let of_aws = help(&["s3", verb]);
        let (example, _) = of_aws.split_once("\n\nUsage: ").unwrap();
        assert!(!example.contains(&format!("wharf {verb}")), "{example}");
        assert!(ours.iter().all(|text| !of_aws.contains(text)), "{of_aws}");
        assert!(example.lines().all(|line| line.len() <= 100), "{example}");
    }
    // Where none of these is said of ours, the table of what differs is out of date.
    let all = ["ls", "cp", "mv", "rm", "sync"].map(|verb| help(&[verb])).concat();
    assert!(ours.iter().all(|text| all.contains(text)), "{all}");
    assert!(help(&["sync"]).contains("--force\n") && !help(&["s3", "sync"]).contains("--force\n"));
}

#[test]
fn help_can_be_a_verb() {
    for (args, same) in [
        (&["help"][..], &["--help"][..]),
        (&["help", "cp"], &["cp", "--help"]),
        (&["s3", "help", "cp"], &["s3", "cp", "--help"]),
        (&["s3", "cp", "help"], &["s3", "cp", "--help"]),
        (&["s3", "ls", "help"], &["s3", "ls", "--help"]),
    ] {
        let help = run(bare(args));
        assert!(help.1.starts_with("Example: "), "{help:?}");
        assert_eq!(help, run(bare(same)));
    }
}

#[test]
fn the_usage_says_how_many_sources_there_can_be() {
    for verb in ["cp", "mv"] {
        let usage = |args: &[&str]| run(bare(&[args, &[verb, "--help"]].concat())).1;
        assert!(usage(&[]).contains(&format!("\nUsage: wharf {verb} [OPTIONS] <SOURCE>... <TARGET>\n")));
        assert!(!usage(&["s3"]).contains("<SOURCE>..."), "aws-cli takes one");
    }
}

#[test]
fn nothing_typed_is_answered_with_the_help() {
    let (exit, stdout, stderr) = run(bare(&[]));
    assert_eq!((exit, stdout.as_str()), (252, ""));
    assert!(stderr.starts_with("Example: ") && stderr.contains("Usage: wharf"), "{stderr}");
}

#[test]
fn a_usage_error_is_one_line_and_a_hint() {
    for (args, stderr) in [
        (&["cat"][..], format!("wharf: the following required arguments were not provided: <URL>...\n{}", hint("cat"))),
        (&["lss"], "wharf: unrecognized subcommand 'lss'\nhint: a similar subcommand exists: 'ls'\n".to_owned()),
        (
            &["ls", "--recursiv"],
            "wharf: unexpected argument '--recursiv' found\nhint: a similar argument exists: '--recursive'\n"
                .to_owned(),
        ),
        (
            &["cat", "s3://ab/key"],
            "wharf: invalid value 's3://ab/key' for '<URL>...': invalid bucket name \"ab\": it must have 3 to 63 \
             characters\n"
                .to_owned(),
        ),
        (
            &["serve", "--listen", "9000"],
            "wharf: invalid value '9000' for '--listen <ADDR>': an address reads like 127.0.0.1:9000 or [::1]:9000\n"
                .to_owned(),
        ),
        (
            &["mb", "my-bucket"],
            "wharf: invalid value 'my-bucket' for '<URL>': \"my-bucket\" is not an S3 URI: it must read s3://BUCKET or \
             s3://BUCKET/KEY\nhint: say s3://my-bucket\n"
                .to_owned(),
        ),
        (
            &["presign", "s3://my-bucket/a", "--expires-in", "8d"],
            "wharf: invalid value '8d' for '--expires-in <TIME>': it is a number of whole seconds from 1 to 604800, such \
             as 600, or 10m, 12h, 7d\n"
                .to_owned(),
        ),
        (
            &["ls", "s3:/my-bucket"],
            "wharf: invalid value 's3:/my-bucket' for '[URL]': invalid bucket name \"s3:\": only a-z, 0-9, '.' and '-' \
             may be used\nhint: say s3://my-bucket\n"
                .to_owned(),
        ),
        (
            &["ls", "http://my-bucket"],
            "wharf: invalid value 'http://my-bucket' for '[URL]': invalid bucket name \"http:\": only a-z, 0-9, '.' \
             and '-' may be used\nhint: an S3 URL reads like s3://BUCKET/KEY; --endpoint-url names a server\n"
                .to_owned(),
        ),
        (
            &["ls", "s3://my-bucket", "--incomplete"],
            "wharf: unexpected argument '--incomplete' found\nhint: --incomplete is an option of `wharf rm`\n".to_owned(),
        ),
        (
            &["ls", "s3://my-bucket", "--nothing-like-it"],
            format!("wharf: unexpected argument '--nothing-like-it' found\n{}", hint("ls")),
        ),
        (
            &["cp", "a", "s3://my-bucket", "--part-size", "1KX"],
            "wharf: invalid value '1KX' for '--part-size <SIZE>': a size reads like 1048576, 512KiB, 8MiB or 1.5GiB, not \
             \"1KX\"\n"
                .to_owned(),
        ),
        (
            &["cp", "a", "s3://my-bucket", "--part-size", "4MiB"],
            "wharf: S3 takes no smaller parts than 5MiB\nhint: leave --part-size out, or say more\n".to_owned(),
        ),
        (
            &["cp", "a", "s3://my-bucket", "--part-size", "6GiB"],
            "wharf: S3 takes no larger parts than 5GiB\nhint: leave --part-size out, or say less\n".to_owned(),
        ),
        (
            &["rm", "-r", "s3://my-bucket"],
            "wharf: unexpected argument '-r' found\nhint: did you mean --recursive?\n".to_owned(),
        ),
        (
            &["serve", "--port", "9000"],
            "wharf: unexpected argument '--port' found\nhint: did you mean --listen 127.0.0.1:PORT?\n".to_owned(),
        ),
        (&["cp", "-n", "a", "b"], "wharf: unexpected argument '-n' found\nhint: did you mean --dryrun, or --no-overwrite?\n".to_owned()),
        (&["rm", "-n", "s3://my-bucket/a"], "wharf: unexpected argument '-n' found\nhint: did you mean --dryrun?\n".to_owned()),
        (&["ls", "-H"], "wharf: unexpected argument '-H' found\nhint: did you mean --human-readable?\n".to_owned()),
        (
            &["s3", "cp", "-u", "a", "b"],
            "wharf: unexpected argument '-u' found\nhint: `wharf s3 sync` copies a folder or a prefix, and leaves alone what has not changed\n".to_owned(),
        ),
        (&["s3", "rb", "-q", "s3://my-bucket"], "wharf: unexpected argument '-q' found\nhint: did you mean --quiet?\n".to_owned()),
        (&["du", "-r", "s3://my-bucket"], format!("wharf: unexpected argument '-r' found\n{}", hint("du"))),
        (&["s3", "mb", "-r", "s3://my-bucket"], format!("wharf: unexpected argument '-r' found\n{}", hint("s3 mb"))),
        (
            &["s3", "du", "s3://my-bucket"],
            "wharf: unrecognized subcommand 'du'\nhint: aws-cli has no such verb: it is `wharf du`\n".to_owned(),
        ),
        (
            &["get", "s3://my-bucket/a"],
            "wharf: unrecognized subcommand 'get'\nhint: did you mean `wharf cp`?\n".to_owned(),
        ),
        (
            &["s3", "stat", "s3://my-bucket/a"],
            "wharf: unrecognized subcommand 'stat'\nhint: did you mean `wharf head`?\n".to_owned(),
        ),
        (
            &["s3", "sync", "a", "s3://my-bucket", "--progress-frequency", "often"],
            "wharf: invalid value 'often' for '--progress-frequency <PROGRESS_FREQUENCY>': invalid digit found in string\n"
                .to_owned(),
        ),
        (&["s3", "nope"], format!("wharf: unrecognized subcommand 'nope'\n{}", hint("s3"))),
    ] {
        assert_eq!(run(bare(args)), failed(252, stderr), "{args:?}");
    }
}

/// What does nothing is refused, but for what aws-cli takes everywhere.
#[test]
fn an_option_that_does_nothing_is_not_taken() {
    for (args, verb, option) in [
        (&["serve", "--profile", "work"][..], "serve", "--profile"),
        (&["serve", "--endpoint-url", "http://127.0.0.1:1"], "serve", "--endpoint-url"),
        (&["serve", "--cli-read-timeout", "1"], "serve", "--cli-read-timeout"),
        (&["serve", "--embedded", "d"], "serve", "--embedded"),
        (&["serve", "--bandwidth", "1M"], "serve", "--bandwidth"),
        (&["version", "--fsync"], "version", "--fsync"),
        (&["completions", "bash", "--provider", "ceph"], "completions", "--provider"),
        (&["ls", "--no-resume"], "ls", "--no-resume"),
        (&["s3", "ls", "--part-size", "8MiB"], "s3 ls", "--part-size"),
        (&["--part-size", "8MiB", "s3", "ls", "--part-size", "9MiB"], "s3 ls", "--part-size"),
        (&["head", "s3://my-bucket/a", "--concurrency", "2"], "head", "--concurrency"),
        (&["verify", ".", "s3://my-bucket", "--fsync"], "verify", "--fsync"),
        (&["pipe", "s3://my-bucket/a", "--page-size", "1000"], "pipe", "--page-size"),
        (&["pipe", "s3://my-bucket/a", "--case-conflict", "skip"], "pipe", "--case-conflict"),
        (&["pipe", "s3://my-bucket/a", "--source-profile", "work"], "pipe", "--source-profile"),
    ] {
        let last = verb.split(' ').next_back().unwrap();
        let problem = format!("wharf: {last} has no use for {option}\n{}", hint(verb));
        // What is not refused ends all the same.
        let missing: &[&str] = if verb == "serve" { &["--faults", "/nonexistent"] } else { &[] };
        assert_eq!(run(bare(&[args, missing].concat())), failed(252, problem), "{args:?}");
        let help = run(bare(&[&verb.split(' ').collect::<Vec<_>>()[..], &["--help"]].concat())).1;
        assert!(!help.contains(&format!(" {option} ")) && help.contains("--json"), "{help}");
    }
    let version = run(bare(&["version"]));
    let of_aws =
        ["--endpoint-url", "http://127.0.0.1:1", "--region", "eu-west-1", "--no-verify-ssl", "--profile", "work"];
    assert_eq!(run(bare(&[&of_aws[..], &["version"]].concat())), version);
    // What stands before the verb may be an alias's, who says it for all of them.
    for before in [
        &["--part-size", "8MiB", "--fsync"][..],
        &["--provider", "ceph", "--bandwidth=1M"],
        &["--embedded", "version"],
        &["--trust-etags", "--concurrency", "2", "--no-resume"],
    ] {
        assert_eq!(run(bare(&[before, &["version"]].concat())), version, "{before:?}");
    }
    let faults = run(bare(&["serve", "--faults", "/nonexistent"]));
    assert_eq!(run(bare(&["--endpoint-url", "http://127.0.0.1:1", "serve", "--faults", "/nonexistent"])), faults);
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("s").display().to_string();
    assert_eq!(run(bare(&["mb", "s3://my-bucket", "--embedded", &store])).0, 0);
    for words in [
        &["--part-size", "8MiB", "ls", "--embedded", &store][..],
        &["--embedded", &store, "--fsync", "s3", "ls"],
        &["s3", "--fsync", "ls", "--embedded", &store],
    ] {
        let (exit, stdout, stderr) = run(bare(words));
        assert!(exit == 0 && stdout.ends_with(" my-bucket\n") && stderr.is_empty(), "{words:?} {stdout} {stderr}");
    }
    let help = run(bare(&["version", "--help"])).1;
    assert!(!help.contains("--region") && !help.contains("--profile"), "{help}");
    for (verb, option) in [("serve", "--region"), ("pipe", "--part-size"), ("cp", "--fsync"), ("verify", "--part-size")]
    {
        let help = run(bare(&[verb, "--help"])).1;
        assert!(help.contains(&format!(" {option} ")) || help.contains(&format!(" {option}\n")), "{verb} {help}");
    }
}

#[test]
fn what_is_never_negative_says_so() {
    for (args, problem) in [
        (
            &["rm", "s3://my-bucket/a", "--incomplete", "--older-than", "-1d"][..],
            "'-1d' for '--older-than <TIME>': a duration reads like 10s, 30m, 12h or 7d, and is never negative",
        ),
        (
            &["rm", "s3://my-bucket/a", "--incomplete", "--older-than=-1d"],
            "'-1d' for '--older-than <TIME>': a duration reads like 10s, 30m, 12h or 7d, and is never negative",
        ),
        (
            &["rm", "s3://my-bucket/a", "--incomplete", "--older-than", "--dryrun"],
            "'--dryrun' for '--older-than <TIME>': a duration reads like 10s, 30m, 12h or 7d, not \"--dryrun\"",
        ),
        (
            &["ls", "--patience", "-3s"],
            "'-3s' for '--patience <TIME>': a duration reads like 10s, 30m, 12h or 7d, and is never negative",
        ),
        (
            &["--patience", "-3s", "ls"],
            "'-3s' for '--patience <TIME>': a duration reads like 10s, 30m, 12h or 7d, and is never negative",
        ),
        (
            &["presign", "s3://my-bucket/a", "--expires-in", "-1"],
            "'-1' for '--expires-in <TIME>': it is a number of whole seconds from 1 to 604800, such as 600, or 10m, 12h, 7d",
        ),
        (
            &["s3", "presign", "s3://my-bucket/a", "--expires-in", "-1d"],
            "'-1d' for '--expires-in <TIME>': it is a number of whole seconds from 1 to 604800, such as 600, or 10m, 12h, 7d",
        ),
        (
            &["ls", "--cli-read-timeout", "-1"],
            "'-1' for '--cli-read-timeout <SECONDS>': a whole number reads like 0, 5 or 60, and is never negative",
        ),
        (
            &["ls", "--cli-connect-timeout=1m"],
            "'1m' for '--cli-connect-timeout <SECONDS>': a whole number reads like 0, 5 or 60, not \"1m\"",
        ),
        (&["ls", "--concurrency", "-1"], "'-1' for '--concurrency <N>': -1 is not in 1..=10000"),
        (&["ls", "--page-size", "-1"], "'-1' for '--page-size <N>': it is a number, from 1 on"),
        (
            &["cp", "a", "s3://my-bucket", "--part-size", "-8MiB"],
            "'-8MiB' for '--part-size <SIZE>': a size reads like 1048576, 512KiB, 8MiB or 1.5GiB, and is never negative",
        ),
        (
            &["pipe", "s3://my-bucket/a", "--expected-size", "-5"],
            "'-5' for '--expected-size <BYTES>': a whole number reads like 0, 5 or 60, and is never negative",
        ),
        (
            &["serve", "--grace", "-1"],
            "'-1' for '--grace <SECONDS>': a whole number reads like 0, 5 or 60, and is never negative",
        ),
        (&["run", "--jobs", "-1", "-"], "'-1' for '--jobs <N>': -1 is not in 1..=1024"),
        (
            &["du", "s3://my-bucket", "--depth", "-1"],
            "'-1' for '--depth <N>': a whole number reads like 0, 5 or 60, and is never negative",
        ),
    ] {
        assert_eq!(run(bare(args)), failed(252, format!("wharf: invalid value {problem}\n")), "{args:?}");
    }
}

#[test]
fn without_keys_it_says_where_it_looked() {
    let expected = "wharf: no credentials found: AWS_ACCESS_KEY_ID is not set, there is no default profile, and \
                    instance metadata is switched off\n\
                    hint: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile with --profile, or read what \
                    is public with --no-sign-request; `wharf whoami` shows what is set\n";
    let mut command = bare(&["ls", "--region", "eu-west-1"]);
    // Without it, whoever runs this on EC2 has keys.
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    assert_eq!(run(command), failed(253, expected));
}

/// Also where keys are looked for no sooner than the first request is made.
#[test]
fn without_keys_every_verb_ends_alike() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a"), "1").unwrap();
    for words in [
        &["cp", "a", "s3://my-bucket/a"][..],
        &["cp", "s3://my-bucket/a", "-"],
        &["s3", "cp", "a", "s3://my-bucket/a"],
        &["rm", "s3://my-bucket/a"],
        &["mb", "s3://my-bucket"],
        &["rb", "s3://my-bucket"],
        &["head", "s3://my-bucket/a"],
        &["cat", "s3://my-bucket/a", "s3://my-bucket/b"],
        &["mv", "a", "s3://my-bucket/a"],
        &["sync", ".", "s3://my-bucket"],
        &["verify", ".", "s3://my-bucket"],
        &["ls", "s3://my-bucket"],
        &["du", "s3://my-bucket"],
    ] {
        let mut command = bare(&[&["--region", "eu-west-1"], words].concat());
        // Where nobody listens.
        command.current_dir(folder.path()).env("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1");
        let (exit, _, stderr) = run(command);
        assert!(exit == 253 && stderr.contains("credentials"), "{words:?}: {exit} {stderr}");
    }
}

#[test]
fn a_file_with_a_name_like_an_option_is_named_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("-dash.txt"), "1").unwrap();
    let mut command = bare(&["cp", "-dash.txt", "s3://my-bucket"]);
    command.current_dir(folder.path());
    let expected = "wharf: unexpected argument '-d' found\nhint: a name that begins with - goes as ./-dash.txt\n";
    assert_eq!(run(command), failed(252, expected));
}

#[test]
fn without_a_region_it_says_how_to_name_one() {
    let mut command = bare(&["ls"]);
    command.env("AWS_ACCESS_KEY_ID", "id").env("AWS_SECRET_ACCESS_KEY", "x");
    let expected = "wharf: no region is set: not in AWS_REGION, not in the profile\n\
                    hint: say --region, set AWS_REGION, or put region into the profile\n";
    assert_eq!(run(command), failed(253, expected));
}

#[test]
fn an_endpoint_that_is_none_is_a_configuration_error() {
    let expected = "wharf: the endpoint \"127.0.0.1:9000\" cannot be used: it must begin with http:// or https://\n\
                    hint: say https://127.0.0.1:9000, or http://127.0.0.1:9000 where it speaks no TLS\n";
    assert_eq!(run(bare(&["ls", "--endpoint-url", "127.0.0.1:9000"])), failed(253, expected));
}

#[test]
fn a_profile_that_is_not_there_is_a_configuration_error() {
    let (exit, stdout, stderr) = run(bare(&["--profile", "work", "ls"]));
    assert_eq!((exit, stdout.as_str()), (253, ""));
    assert!(stderr.starts_with("wharf: profile \"work\" is not in "), "{stderr}");
}

/// It is set, so it is not passed over.
#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_a_configuration_error() {
    use std::os::unix::ffi::OsStrExt;
    let mut command = bare(&["ls"]);
    command.env("AWS_ACCESS_KEY_ID", "id").env("AWS_SECRET_ACCESS_KEY", "x");
    command.env("AWS_REGION", std::ffi::OsStr::from_bytes(b"eu-w\xffst-1"));
    let expected = "wharf: AWS_REGION: \"eu-w\u{fffd}st-1\" is not a region; regions read like us-east-1 (lower case, digits, \
                    '-')\n";
    assert_eq!(run(command), failed(253, expected));
}

#[test]
fn no_server_is_another_error() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = bare(&["ls", "--endpoint-url", &format!("http://127.0.0.1:{port}")]);
    command.env("AWS_ACCESS_KEY_ID", "id").env("AWS_SECRET_ACCESS_KEY", "x");
    let (exit, stdout, stderr) = run(command);
    assert_eq!((exit, stdout.as_str()), (255, ""));
    assert!(stderr.starts_with("wharf: ListBuckets: no connection could be made: "), "{stderr}");
    assert!(
        stderr.ends_with("\nhint: see that a server listens there, and that the endpoint names its port\n"),
        "{stderr}"
    );
}

#[test]
fn options_of_the_connection_stand_before_or_after_the_verb() {
    let bench = Bench::with(&[("a", "one")]);
    for args in [
        ["--endpoint-url", &bench.endpoint, "cat", "my-bucket/a"],
        ["cat", "my-bucket/a", "--endpoint-url", &bench.endpoint],
    ] {
        let mut command = bench.command(&args);
        command.env_remove("AWS_ENDPOINT_URL");
        assert_eq!(run(command), done("one"));
    }
}

#[test]
fn unsigned_requests_are_unsigned() {
    let bench = Bench::with(&[("a", "one")]);
    let (exit, _, stderr) = bench.run(&["cat", "my-bucket/a", "--no-sign-request"]);
    assert_eq!(exit, 254);
    assert!(stderr.contains("AccessDenied"), "{stderr}");
}
