//! `run`.

use std::io::Read;
use std::process::Stdio;

use crate::bench::{Bench, Ran, done, failed};

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
        ("--help", "wharf: line 2: --help and --version have no place in a list of commands\n"),
        ("help ls", "wharf: line 2: --help and --version have no place in a list of commands\n"),
        ("s3 ls -h", "wharf: line 2: --help and --version have no place in a list of commands\n"),
        ("wharf --version", "wharf: line 2: --help and --version have no place in a list of commands\n"),
        ("wharf", "wharf: line 2: it names no verb\nhint: `wharf --help` lists them\n"),
        ("s3", "wharf: line 2: it names no verb\nhint: `wharf --help` lists them\n"),
    ] {
        assert_eq!(
            bench.run_with(&["run", "-"], format!("{first}{line}\n").as_bytes()),
            failed(252, problem),
            "{line}"
        );
    }
    let all =
        "wharf: line 1: a quote is not closed\nwharf: line 3: it names no verb\nhint: `wharf --help` lists them\n";
    let list = format!("cat 'x\n{first}wharf\n");
    assert_eq!(bench.run_with(&["run", "-"], list.as_bytes()), failed(252, all));
    let list = [first.as_bytes(), b"# \xff\n"].concat();
    let no_text = "wharf: line 2: it is no UTF-8, which every line must be\n";
    assert_eq!(bench.run_with(&["run", "-"], &list), failed(252, no_text));
    assert_eq!(bench.keys(), ["a"]);
    let missing = "wharf: none cannot be read: No such file or directory (os error 2)\n";
    assert_eq!(bench.run(&["run", "none"]), failed(255, missing));
}

#[test]
fn what_all_would_share_is_refused() {
    let bench = Bench::new();
    bench.put_all([("a", "1"), ("b", "2"), ("precious", "3")]);
    let no_input = "wharf: line 2: standard input has no place in a list of commands\nhint: name a file\n";
    let no_output = "wharf: line 2: what commands write to standard output at the same time would mix\n\
                     hint: --jobs 1 runs them one after the other; or name a file\n";
    let run = |line: &str, jobs: &str| {
        let list = format!("rm s3://{0}/a\n{line}\n", bench.bucket).replace("my-bucket", &bench.bucket);
        bench.run_with(&["run", "-", "--jobs", jobs], list.as_bytes())
    };
    let devices: &[_] = if cfg!(unix) { &["-", "/dev/stdin", "/dev/fd/0"] } else { &["-"] };
    for device in devices {
        for line in
            ["cp {} s3://my-bucket/precious", "s3 cp {} s3://my-bucket/precious", "mv {} s3://my-bucket/precious"]
        {
            for jobs in ["1", "16"] {
                assert_eq!(run(&line.replace("{}", device), jobs), failed(252, no_input), "{line} {device}");
            }
        }
    }
    assert_eq!(run("pipe s3://my-bucket/precious", "1"), failed(252, no_input));
    let devices: &[_] = if cfg!(unix) { &["-", "/dev/stdout", "/proc/self/fd/1"] } else { &["-"] };
    for device in devices {
        assert_eq!(run(&format!("cp s3://my-bucket/b {device}"), "16"), failed(252, no_output), "{device}");
    }
    assert_eq!(run("cat s3://my-bucket/b", "2"), failed(252, no_output));
    assert_eq!(bench.keys(), ["a", "b", "precious"]);
    assert_eq!(bench.object("precious"), "3");
    // One after the other nothing mixes.
    let list = "cat s3://my-bucket/b\ncp s3://my-bucket/precious -\ncat s3://my-bucket/b\n";
    let list = list.replace("my-bucket", &bench.bucket);
    assert_eq!(bench.run_with(&["run", "-", "--jobs", "1"], list.as_bytes()), done("232"));
}

#[test]
fn a_line_is_no_shells() {
    let bench = Bench::new();
    bench.files(&["a"]);
    bench.file("list", format!("cp a s3://{0}/x && cp a s3://{0}/y\ncp a s3://{0}/z", bench.bucket));
    let expected = "wharf: line 1: && means nothing here\nhint: a line is one command, and no shell's\n";
    assert_eq!(bench.run(&["run", "list"]), failed(252, expected));
    assert!(bench.keys().is_empty());
    // A name may have such words.
    bench.file("b & c", "1");
    bench.file("list", format!("cp 'b & c' s3://{}/", bench.bucket));
    bench.must(&["run", "list"]);
    assert_eq!(bench.keys(), ["b & c"]);
}

#[test]
fn what_limits_all_is_not_said_in_a_line() {
    let bench = Bench::new();
    bench.put("a", "1");
    for option in ["--bandwidth", "--concurrency"] {
        let expected = format!(
            "wharf: line 1: {option} is a limit of all that runs, and not of a line\n\
             hint: say it before `run`: `wharf {option} N run LIST`\n"
        );
        let line = format!("cp s3://{}/a b {option} 9\n", bench.bucket);
        assert_eq!(bench.run_with(&["run", "-"], line.as_bytes()), failed(252, expected));
        let line = format!("cat s3://{}/a\n", bench.bucket);
        assert_eq!(bench.run_with(&[option, "9", "run", "-", "--jobs", "1"], line.as_bytes()), done("1"));
    }
    assert!(!bench.path("b").exists());
}

/// At a terminal as without one: two lines would ask at the same time.
#[test]
fn nobody_is_asked_in_a_list() {
    let bench = Bench::new();
    bench.put_all([("a", "1"), ("b", "2")]);
    let hint = "hint: --recursive takes what fits a pattern without a question, --force a whole bucket\n";
    let expected = format!(
        "wharf: line 2: nobody is asked in a list of commands: delete everything that fits s3://my-bucket/b*?\n{hint}"
    );
    let list = |line: &str| format!("rm s3://my-bucket/a\n{line}\n").replace("my-bucket", &bench.bucket);
    let run = |line: &str| bench.run_with(&["run", "-", "--jobs", "1"], list(line).as_bytes());
    assert_eq!(run("rm s3://my-bucket/b*"), failed(252, expected));
    let whole = "wharf: line 2: s3://my-bucket is a whole bucket\n\
                 hint: --recursive deletes all that is in it; `wharf rb` removes the bucket itself\n";
    assert_eq!(run("s3 rm s3://my-bucket"), failed(252, whole));
    assert_eq!(bench.keys(), ["a", "b"]);
    let deleted = ["a", "b*"].map(|key| format!("delete: s3://my-bucket/{key}\n")).concat();
    assert_eq!(run("s3 rm s3://my-bucket/b*"), done(deleted));
    let deleted = ["a", "b"].map(|key| format!("delete: s3://my-bucket/{key}\n")).concat();
    assert_eq!(run("rm s3://my-bucket/b* --recursive"), done(deleted));
}

#[test]
fn a_mark_at_the_beginning_is_no_command() {
    let bench = Bench::new();
    bench.put("a", "1");
    let list = format!("\u{feff}rm s3://{}/a\r\n", bench.bucket);
    assert_eq!(bench.run_with(&["run", "-"], list.as_bytes()), done("delete: s3://my-bucket/a\n"));
}

/// `run` with these options and this list, where the environment names a server that is not there.
fn told(bench: &Bench, options: &[&str], list: &str) -> Ran {
    bench.file("list", list.replace("my-bucket", &bench.bucket));
    let mut command = bench.command(&[options, &["run", "list", "--jobs", "1"]].concat());
    command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").env("AWS_MAX_ATTEMPTS", "1");
    bench.ran(command.output().unwrap())
}

#[test]
fn a_line_says_some_of_the_connection_and_has_the_rest_of_what_was_said_for_all() {
    let bench = Bench::new();
    let deleted = || done("delete: s3://my-bucket/a\n");
    for option in [
        "",
        "--region us-east-1",
        "--cli-read-timeout 9",
        "--cli-connect-timeout 9",
        "--unsigned-payload",
        "--no-verify-ssl",
        "--trust-etags",
        "--provider other",
    ] {
        bench.put("a", "1");
        let line = format!("rm s3://my-bucket/a {option}\n");
        assert_eq!(told(&bench, &["--endpoint-url", &bench.endpoint()], &line), deleted(), "{option}");
        assert!(bench.keys().is_empty());
    }
    bench.put("a", "1");
    let line = format!("rm s3://my-bucket/a --endpoint-url {}\n", bench.endpoint());
    assert_eq!(told(&bench, &["--endpoint-url", "http://127.0.0.1:2"], &line), deleted());
}

#[test]
fn a_line_says_whether_it_goes_to_a_store_or_to_a_server() {
    let bench = Bench::new();
    // Of two lines neither opens a store that the other has.
    let list = "mb s3://my-bucket\nls s3://my-bucket --region us-east-1\nls s3://my-bucket --cli-read-timeout 9\nls s3://my-bucket --embedded ./store\n";
    let made = done("make_bucket: my-bucket\n");
    assert_eq!(told(&bench, &["--embedded", "store", "--region", "us-east-1"], list), made);
    let list = "mb s3://my-bucket --embedded other\nls s3://my-bucket --embedded other\n";
    assert_eq!(told(&bench, &["--endpoint-url", "http://127.0.0.1:2", "--no-verify-ssl"], list), made);
    bench.put("a", "1");
    let line = format!("rm s3://my-bucket/a --endpoint-url {}\n", bench.endpoint());
    assert_eq!(told(&bench, &["--embedded", "store"], &line), done("delete: s3://my-bucket/a\n"));
    for option in ["--no-sign-request", "--provider ceph", "--trust-etags=false", "--ca-bundle x", "--unsigned-payload"]
    {
        let name = option.split([' ', '=']).next().unwrap();
        let expected = format!("wharf: line 2: {name} does not go with --embedded, which uses no server\n");
        let list = format!("mb s3://my-bucket-2\nls {option}\n");
        assert_eq!(told(&bench, &["--embedded", "new"], &list), failed(252, expected), "{option}");
    }
    assert!(!bench.path("new").exists());
}

#[test]
fn a_line_whose_reader_leaves_has_not_failed() {
    let bench = Bench::new();
    bench.put("large", vec![b'x'; 16 << 20]);
    bench.file("list", format!("cat s3://{}/large\n", bench.bucket));
    let mut command = bench.command(&["run", "list", "--jobs", "1"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdout.take().unwrap().read_exact(&mut [0; 10]).unwrap();
    assert_eq!(bench.ran(child.wait_with_output().unwrap()), done(""));
}

/// Of many lines it is known which to run again, also where one does many things.
#[test]
fn what_fails_says_of_which_line_it_is() {
    // SeaweedFS makes a bucket that something is put into.
    let bench = Bench::embedded();
    bench.file("a", "1");
    let list = "cp nofile s3://wharf-nonesuch/\ncp a nofile s3://wharf-nonesuch/\nls s3://wharf-nonesuch\n";
    bench.file("list", list);
    let (exit, _, stderr) = bench.run(&["run", "list", "--jobs", "1"]);
    let starts: Vec<_> = stderr.lines().filter(|line| !line.starts_with("hint:")).map(|line| &line[..20]).collect();
    let expected = ["wharf: line 1: The u", "wharf: line 2: The u", "line 2: upload faile", "wharf: line 3: ListO"];
    assert_eq!((exit, starts), (1, expected.to_vec()), "{stderr}");
    let (_, _, stderr) = bench.run(&["--json", "run", "list", "--jobs", "1"]);
    let lines: Vec<_> = stderr.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()).collect();
    let lines: Vec<_> = lines.iter().map(|error| error["line"].as_u64()).collect();
    assert_eq!(lines, [Some(1), Some(2), Some(2), Some(3)]);
}
