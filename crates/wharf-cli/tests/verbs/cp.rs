//! `cp`.

use std::fs;
use std::process::Stdio;

use wharf::StorageClass;
use wharf_embedded::{Fault, Operation};

use crate::bench::{Bench, assert_like, done, failed};

/// The lines, in order: many things at a time end in any.
fn sorted((exit, stdout, stderr): (i32, String, String)) -> (i32, Vec<String>, String) {
    let mut lines: Vec<_> = stdout.lines().map(str::to_owned).collect();
    lines.sort();
    (exit, lines, stderr)
}

fn lines(lines: &[&str]) -> (i32, Vec<String>, String) {
    (0, lines.iter().map(|line| (*line).to_owned()).collect(), String::new())
}

#[test]
fn a_file_goes_where_aws_puts_it() {
    let bench = Bench::new();
    bench.file("a.txt", "hello");
    for (target, key) in [
        ("s3://my-bucket", "a.txt"),
        ("s3://my-bucket/", "a.txt"),
        ("s3://my-bucket/x", "x"),
        ("s3://my-bucket/x/", "x/a.txt"),
    ] {
        let expected = done(format!("upload: ./a.txt to s3://my-bucket/{key}\n"));
        assert_eq!(bench.run(&["s3", "cp", "a.txt", target]), expected, "{target}");
        assert_eq!(bench.object(key), "hello");
    }
    assert_eq!(bench.head("a.txt").content_type.unwrap(), "text/plain");
}

#[test]
fn an_object_comes_where_aws_puts_it() {
    let bench = Bench::new();
    bench.put("d/a.txt", "hello");
    fs::create_dir(bench.path("here")).unwrap();
    for (target, file) in
        [(".", "./a.txt"), ("b.txt", "./b.txt"), ("here", "here/a.txt"), ("new/", "new/a.txt"), ("x/y", "x/y")]
    {
        let expected = done(format!("download: s3://my-bucket/d/a.txt to {file}\n"));
        assert_eq!(bench.run(&["s3", "cp", "s3://my-bucket/d/a.txt", target]), expected, "{target}");
        assert_eq!(bench.read(file), "hello");
    }
    let stored = bench.head("d/a.txt").last_modified.unwrap();
    assert_eq!(fs::metadata(bench.path("a.txt")).unwrap().modified().unwrap(), stored);
}

#[test]
fn an_object_is_copied_by_the_server() {
    let bench = Bench::new();
    bench.put("a.txt", "hello");
    let expected = done("copy: s3://my-bucket/a.txt to s3://my-bucket/d/a.txt\n");
    assert_eq!(bench.run(&["s3", "cp", "s3://my-bucket/a.txt", "s3://my-bucket/d/"]), expected);
    assert_eq!(bench.object("d/a.txt"), "hello");
}

#[test]
fn trees_go_up_and_come_down() {
    let bench = Bench::new();
    bench.files(&["d/1.txt", "d/e/2.txt", "d/e/3.log"]);
    let up = ["upload: d/1.txt to s3://my-bucket/x/1.txt", "upload: d/e/2.txt to s3://my-bucket/x/e/2.txt"];
    let args = ["s3", "cp", "d", "s3://my-bucket/x", "--recursive", "--exclude", "*.log"];
    let dryrun = up.map(|line| format!("(dryrun) {line}"));
    assert_eq!(sorted(bench.run(&[&args[..], &["--dryrun"]].concat())).1, dryrun);
    assert!(bench.keys().is_empty());
    assert_eq!(sorted(bench.run(&args)), lines(&up));
    assert_eq!(bench.keys(), ["x/1.txt", "x/e/2.txt"]);
    let down = ["download: s3://my-bucket/x/1.txt to back/1.txt", "download: s3://my-bucket/x/e/2.txt to back/e/2.txt"];
    let args = ["s3", "cp", "s3://my-bucket/x", "back", "--recursive"];
    let dryrun = down.map(|line| format!("(dryrun) {line}"));
    assert_eq!(sorted(bench.run(&[&args[..], &["--dryrun"]].concat())).1, dryrun);
    assert!(!bench.path("back").exists());
    assert_eq!(sorted(bench.run(&args)), lines(&down));
    assert_eq!(bench.read("back/e/2.txt"), "d/e/2.txt");
    let over = [
        "copy: s3://my-bucket/x/1.txt to s3://my-bucket/y/1.txt",
        "copy: s3://my-bucket/x/e/2.txt to s3://my-bucket/y/e/2.txt",
    ];
    let args = ["s3", "cp", "s3://my-bucket/x/", "s3://my-bucket/y/", "--recursive"];
    let dryrun = over.map(|line| format!("(dryrun) {line}"));
    assert_eq!(sorted(bench.run(&[&args[..], &["--dryrun"]].concat())).1, dryrun);
    assert_eq!(sorted(bench.run(&args)), lines(&over));
    assert_eq!(bench.keys(), ["x/1.txt", "x/e/2.txt", "y/1.txt", "y/e/2.txt"]);
}

#[test]
fn one_of_several_that_cannot_go_holds_up_no_other() {
    let bench = Bench::new();
    bench.files(&["a", "b", "c", "d/e"]);
    bench.put("there", "1");
    let (exit, stdout, stderr) = bench.run(&["cp", "a", "nosuch", "b", ".", "c", "s3://my-bucket/q/"]);
    let mut lines: Vec<_> = stdout.lines().collect();
    lines.sort_unstable();
    let up = ["a", "b", "c"].map(|name| format!("upload: ./{name} to s3://my-bucket/q/{name}"));
    assert_eq!((exit, lines), (1, up.iter().map(String::as_str).collect()));
    let mut lines: Vec<_> = stderr.lines().collect();
    lines.sort_unstable();
    let expected = [
        "hint: --recursive uploads all that is in it",
        "upload failed: . to s3://my-bucket/q/: it is a directory",
        "wharf: The user-provided path nosuch does not exist.",
    ];
    assert_eq!(lines, expected);
    for args in [
        &["cp", "s3://my-bucket/none*", "s3://my-bucket/there", "in"][..],
        &["cp", "s3://my-bucket/none", "s3://my-bucket/there", "in", "--recursive"],
        &["mv", "s3://my-bucket/none/", "s3://my-bucket/there", "in"],
    ] {
        let (exit, _, stderr) = bench.run(args);
        assert!(exit == 1 && stderr.matches("wharf: ").count() >= 1, "{args:?} {stderr}");
    }
    assert_eq!(bench.read("in/there"), "1");
    assert_eq!(bench.run(&["cp", "nosuch", "s3://my-bucket"]).0, 255, "one alone is the whole command");
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_no_text_holds_up_no_other() {
    use std::os::unix::ffi::OsStrExt;
    let bench = Bench::new();
    bench.files(&["a"]);
    let bad = std::ffi::OsStr::from_bytes(b"bad\xff");
    std::fs::write(bench.path("").join(bad), "2").unwrap();
    let url = format!("s3://{}/", bench.bucket);
    let output = bench.command(&["cp"]).args([bad, "a".as_ref(), url.as_ref()]).output().unwrap();
    let expected = "wharf: bad\u{fffd} is no UTF-8, which every key must be\n".to_owned();
    assert_eq!(bench.ran(output), (1, "upload: ./a to s3://my-bucket/a\n".to_owned(), expected));
}

#[test]
fn a_directory_is_said_to_be_one_however_it_is_written() {
    let bench = Bench::new();
    bench.file("d/a", "1");
    for (words, failed_to) in [
        (&["cp", ".", "s3://my-bucket/"][..], "upload failed: . to s3://my-bucket/"),
        (&["cp", "./", "s3://my-bucket/x"], "upload failed: ./ to s3://my-bucket/x"),
        (&["cp", "..", "s3://my-bucket/x/"], "upload failed: .. to s3://my-bucket/x/"),
        (&["cp", "d/..", "s3://my-bucket"], "upload failed: d/.. to s3://my-bucket/"),
        (&["cp", "/", "s3://my-bucket"], "upload failed: / to s3://my-bucket/"),
        (&["mv", ".", "s3://my-bucket"], "move failed: . to s3://my-bucket/"),
        (&["cp", "d", "s3://my-bucket"], "upload failed: ./d to s3://my-bucket/d"),
    ] {
        let hint = "hint: --recursive uploads all that is in it";
        assert_eq!(bench.run(words), failed(1, format!("{failed_to}: it is a directory\n{hint}\n")), "{words:?}");
        let (verb, failed_to) = (&[&["s3"], words].concat(), format!("{failed_to} it is a directory\n{hint}\n"));
        assert_eq!(bench.run(verb), failed(1, failed_to), "{words:?}");
    }
}

#[test]
fn patterns_and_several_sources_go_into_the_last_place() {
    let bench = Bench::new();
    bench.put_all([("logs/1.gz", "1"), ("logs/old/2.gz", "2"), ("logs/3.txt", "3"), ("b", "4")]);
    let down =
        ["download: s3://my-bucket/logs/1.gz to in/1.gz", "download: s3://my-bucket/logs/old/2.gz to in/old/2.gz"];
    assert_eq!(sorted(bench.run(&["cp", "s3://my-bucket/logs/*.gz", "in"])), lines(&down));
    let down = ["download: s3://my-bucket/b to two/b", "download: s3://my-bucket/logs/3.txt to two/3.txt"];
    assert_eq!(sorted(bench.run(&["cp", "s3://my-bucket/b", "s3://my-bucket/logs/3.txt", "two"])), lines(&down));
    let up = ["upload: in/1.gz to s3://my-bucket/up/1.gz", "upload: two/b to s3://my-bucket/up/b"];
    assert_eq!(sorted(bench.run(&["cp", "in/1.gz", "two/b", "s3://my-bucket/up"])), lines(&up));
    let expected = "wharf: `wharf s3` takes one source and one target\nhint: `wharf cp` takes several sources\n";
    assert_eq!(bench.run(&["s3", "cp", "in/1.gz", "two/b", "s3://my-bucket/up"]), failed(252, expected));
}

#[test]
fn a_star_may_be_a_star() {
    let bench = Bench::new();
    bench.put_all([("a*", "1"), ("ab", "2")]);
    for args in [&["s3", "cp", "s3://my-bucket/a*", "one"][..], &["cp", "s3://my-bucket/a*", "one", "--raw"]] {
        assert_eq!(bench.run(args), done("download: s3://my-bucket/a* to ./one\n"));
        assert_eq!(bench.read("one"), "1");
    }
}

#[cfg(unix)]
#[test]
fn what_cannot_be_uploaded_is_said_and_left_out() {
    let bench = Bench::new();
    bench.file("d/a", "1");
    std::os::unix::fs::symlink("nowhere", bench.path("d/dangling")).unwrap();
    let (exit, stdout, stderr) = bench.run(&["s3", "cp", "d", "s3://my-bucket", "--recursive"]);
    let warning = "warning: Skipping file FOLDER/d/dangling. File does not exist.\n";
    assert_eq!((exit, stdout.as_str(), stderr.as_str()), (2, "upload: d/a to s3://my-bucket/a\n", warning));
    let expected = done("upload: d/a to s3://my-bucket/a\n");
    assert_eq!(bench.run(&["s3", "cp", "d", "s3://my-bucket", "--recursive", "--no-follow-symlinks"]), expected);
    let expected = "wharf: The user-provided path none does not exist.\n";
    assert_eq!(bench.run(&["s3", "cp", "none", "s3://my-bucket"]), failed(255, expected));
    assert_eq!(bench.run(&["s3", "cp", "none", "s3://my-bucket", "--recursive"]), failed(255, expected));
    let expected = "wharf: The user-provided path s3:/my-bucket/a does not exist.\nhint: say s3://my-bucket/a\n";
    assert_eq!(bench.run(&["cp", "s3:/my-bucket/a", "s3://my-bucket/b"]), failed(255, expected));
    let expected =
        "upload failed: ./d to s3://my-bucket/d: it is a directory\nhint: --recursive uploads all that is in it\n";
    assert_eq!(bench.run(&["cp", "d", "s3://my-bucket"]), failed(1, expected));
    for (words, hint) in [
        (["d/a", "b"], "an S3 URL reads like s3://BUCKET/KEY"),
        (["d/a", "my-bucket/x"], "say s3://my-bucket/x"),
        (["my-bucket/x", "d/a"], "say s3://my-bucket/x"),
        (["d/a", "s3:/my-bucket/x"], "say s3://my-bucket/x"),
        (["d/a", "d/../x"], "an S3 URL reads like s3://BUCKET/KEY"),
    ] {
        let expected =
            format!("wharf: nothing here is an S3 URL: either the source or the target must be one\nhint: {hint}\n");
        assert_eq!(bench.run(&["cp", words[0], words[1]]), failed(252, expected), "{words:?}");
    }
    let (exit, _, stderr) = bench.run(&["cp", "none", "s3://my-bucket", "--json"]);
    let error: serde_json::Value = serde_json::from_str(&stderr).unwrap();
    assert_eq!((exit, &error["source"]), (255, &"./none".into()), "{error}");
}

/// Nor is a file made that is called like an S3 URL which was mistyped, for `mv` would lose the object in it.
#[test]
fn a_mistyped_url_is_no_file() {
    let bench = Bench::new();
    bench.put("a", "1");
    for verb in ["cp", "mv", "sync"] {
        let expected = "wharf: s3:my-bucket/x is no S3 URL\nhint: say s3://my-bucket/x\n";
        assert_eq!(bench.run(&[verb, "s3://my-bucket/a", "s3:my-bucket/x"]), failed(252, expected), "{verb}");
    }
    assert_eq!(bench.object("a"), "1");
    // One that is there is meant.
    std::fs::create_dir(bench.path("s3:here")).unwrap();
    assert_eq!(bench.run(&["cp", "s3://my-bucket/a", "s3:here"]).0, 0);
    assert_eq!(bench.read("s3:here/a"), "1");
}

#[cfg(unix)]
#[test]
fn what_is_no_utf8_is_no_url() {
    use std::os::unix::ffi::OsStrExt;
    let bench = Bench::new();
    bench.put("a", "1");
    let target = std::ffi::OsStr::from_bytes(b"s3://my-bucket/\xfc");
    for verb in ["cp", "mv"] {
        let output = bench.command(&[verb, "s3://my-bucket/a"]).arg(target).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(252), "{stderr}");
        assert_eq!(stderr, "wharf: s3://my-bucket/\u{fffd} is no S3 URL: a key is UTF-8\n");
    }
    assert_eq!(bench.object("a"), "1");
}

/// What keeps nothing under its name takes a copy, and no move.
#[cfg(unix)]
#[test]
fn a_device_takes_a_copy() {
    let bench = Bench::new();
    bench.put("a", "1");
    let (exit, stdout, _) = bench.run(&["cp", "s3://my-bucket/a", "/dev/null"]);
    assert!(exit == 0 && stdout.starts_with("download: s3://my-bucket/a to "), "{stdout}");
    let (exit, _, stderr) = bench.run(&["mv", "s3://my-bucket/a", "/dev/null"]);
    assert!(exit == 1 && stderr.contains("/dev/null is no regular file"), "{stderr}");
    assert!(stderr.ends_with("hint: write to standard output: `wharf cp URL - > FILE`\n"), "{stderr}");
    assert_eq!(bench.object("a"), "1");
}

/// A file that is called like a link would hide the mistake.
#[test]
fn a_link_is_no_place() {
    let bench = Bench::new();
    bench.put("a", "1");
    for verb in ["cp", "mv", "sync"] {
        for [source, target] in [["https://b.test/k", "s3://my-bucket/b"], ["s3://my-bucket/a", "https://b.test/k"]] {
            let expected = "wharf: https://b.test/k is no S3 URL\n\
                            hint: an S3 URL reads like s3://BUCKET/KEY; --endpoint-url names a server\n";
            assert_eq!(bench.run(&[verb, source, target]), failed(252, expected), "{verb} {source}");
        }
    }
    assert!(bench.tree(".").is_empty() && bench.keys() == ["a"]);
}

#[test]
fn what_fails_is_said_and_the_rest_goes_on() {
    let bench = Bench::new();
    bench.put("a", "1");
    let expected = "download failed: s3://my-bucket/none to ./none ...NoSuchKey, HTTP 404...)\n\
                    hint: `wharf ls s3://my-bucket/` shows what is; --recursive takes all that is under a prefix\n";
    assert_like(bench.run(&["s3", "cp", "s3://my-bucket/none", "."]), 1, "", expected);
    let ran = bench.run(&["cp", "s3://my-bucket/none", "s3://my-bucket/a", "in"]);
    let expected = "download failed: s3://my-bucket/none to in/none: nothing is there\n\
                    hint: `wharf ls s3://my-bucket/` shows what is; --recursive takes all that is under a prefix\n";
    assert_eq!(ran, (1, "download: s3://my-bucket/a to in/a\n".to_owned(), expected.to_owned()));
    let (exit, stdout, stderr) = bench.run(&["cp", "s3://my-bucket/none", "x", "--json"]);
    assert_eq!((exit, stdout.as_str()), (1, ""));
    let error: serde_json::Value = serde_json::from_str(&stderr).unwrap();
    assert_eq!((&error["type"], &error["operation"]), (&"error".into(), &"download".into()));
    assert_eq!((&error["source"], &error["code"]), (&"s3://my-bucket/none".into(), &"NoSuchKey".into()));
    assert_eq!(bench.run(&["cp", "s3://my-bucket/none", "x", "--quiet"]), failed(1, ""));
    assert_like(bench.run(&["cp", "s3://my-bucket-2", "x", "--recursive"]), 1, "", "wharf: ...NoSuchBucket...");
}

#[test]
fn how_much_is_told_can_be_chosen() {
    let bench = Bench::new();
    bench.file("a", "1");
    let json =
        "{\"type\":\"upload\",\"source\":\"./a\",\"target\":\"s3://my-bucket/a\",\"size\":1,\"verified\":true}\n";
    let (exit, stdout, _) = bench.run(&["cp", "a", "s3://my-bucket/", "--json"]);
    assert_eq!((exit, stdout.replace("false", "true").as_str()), (0, json));
    assert_eq!(bench.run(&["s3", "cp", "a", "s3://my-bucket/", "--quiet"]), done(""));
    assert_eq!(bench.run(&["s3", "cp", "a", "s3://my-bucket/", "--only-show-errors"]), done(""));
}

#[test]
fn objects_get_what_is_asked_for() {
    let bench = Bench::embedded();
    bench.file("a.json", "{}");
    let mut args = vec!["s3", "cp", "a.json", "s3://my-bucket/a"];
    args.extend(["--content-type", "text/x", "--content-encoding", "gzip", "--content-disposition", "inline"]);
    args.extend(["--content-language", "de", "--cache-control", "no-cache", "--expires", "2026-12-24T18:00:00Z"]);
    args.extend(["--metadata", "team=blue,cost=1", "--storage-class", "STANDARD_IA", "--sse", "AES256"]);
    args.extend(["--website-redirect", "/b", "--tags", "k", "v", "--checksum-algorithm", "SHA256"]);
    args.extend(["--acl", "private"]);
    bench.must(&args);
    let head = bench.wait(bench.s3.head_object("my-bucket", "a").checksum_mode(true));
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    assert_eq!(text(&head.content_type), "text/x");
    assert_eq!(text(&head.content_encoding), "gzip");
    assert_eq!(text(&head.content_disposition), "inline");
    assert_eq!(text(&head.content_language), "de");
    assert_eq!(text(&head.cache_control), "no-cache");
    assert_eq!(text(&head.expires), "Thu, 24 Dec 2026 18:00:00 GMT");
    assert_eq!(head.metadata.get("team").unwrap(), "blue");
    assert_eq!(head.metadata.get("cost").unwrap(), "1");
    assert_eq!((head.storage_class, head.encryption.unwrap().algorithm.as_str()), (StorageClass::StandardIa, "AES256"));
    assert_eq!(text(&head.website_redirect_location), "/b");
    assert_eq!(head.checksum.unwrap().algorithm(), wharf::ChecksumAlgorithm::Sha256);
    assert_eq!(bench.wait(bench.s3.get_object_tagging("my-bucket", "a")).tags[0].value, "v");
    bench.must(&["s3", "cp", "a.json", "s3://my-bucket/b", "--no-guess-mime-type"]);
    assert_eq!(text(&bench.head("b").content_type), "binary/octet-stream");
}

/// After `s3` it is warned of, as by aws-cli.
#[cfg(unix)]
#[test]
fn of_what_filters_leave_out_nothing_is_said() {
    let bench = Bench::new();
    bench.file("d/a", "1");
    bench.file("d/sub/b", "2");
    std::os::unix::fs::symlink("nowhere", bench.path("d/sub/broken")).unwrap();
    for verb in ["cp", "mv"] {
        bench.must(&[verb, "d", "s3://my-bucket/d", "--recursive", "--exclude", "sub/*"]);
    }
    assert_eq!(bench.run(&["cp", "d", "s3://my-bucket/d", "--recursive"]).0, 2);
    assert_eq!(bench.run(&["s3", "cp", "d", "s3://my-bucket/d", "--recursive", "--exclude", "sub/*"]).0, 2);
    // It may lead to a folder, with what is taken in it.
    let some = ["cp", "d", "s3://my-bucket/d", "--recursive", "--exclude", "*", "--include", "*.jpg"];
    assert_eq!(bench.run(&some).0, 2);
}

#[test]
fn a_sync_compares_what_ones_own_key_encrypts() {
    let bench = Bench::new();
    bench.file("d/a", "hello");
    bench.file("key", "0123456789abcdef0123456789abcdef");
    let key = ["--checksum", "--sse-c", "--sse-c-key", "fileb://key"];
    let up = [&["sync", "d", "s3://my-bucket/d"][..], &key].concat();
    assert_eq!(bench.must(&up), "upload: d/a to s3://my-bucket/d/a\n");
    assert_eq!(bench.must(&up), "");
    let down = [&["sync", "s3://my-bucket/d", "d"][..], &key].concat();
    assert_eq!(bench.must(&down), "");
    // One that has no key is compared all the same.
    bench.must(&["cp", "d/a", "s3://my-bucket/d/a"]);
    assert_eq!(bench.must(&up), "");
    bench.must(&[&["cp", "d/a", "s3://my-bucket/d/a"][..], &key[1..]].concat());
    let copy = [&["sync", "s3://my-bucket/d", "s3://my-bucket/e"][..], &key].concat();
    let copy = [&copy[..], &["--sse-c-copy-source", "--sse-c-copy-source-key", "fileb://key"]].concat();
    assert_eq!(bench.must(&copy), "copy: s3://my-bucket/d/a to s3://my-bucket/e/a\n");
    assert_eq!(bench.must(&copy), "");
}

#[test]
fn ones_own_key_encrypts_and_decrypts() {
    let bench = Bench::new();
    bench.file("a", "hello");
    bench.file("key", "0123456789abcdef0123456789abcdef");
    bench.must(&["s3", "cp", "a", "s3://my-bucket/", "--sse-c", "--sse-c-key", "fileb://key"]);
    assert_eq!(bench.run(&["s3", "cp", "s3://my-bucket/a", "b"]).0, 1);
    bench.must(&["s3", "cp", "s3://my-bucket/a", "b", "--sse-c", "AES256", "--sse-c-key", "fileb://key"]);
    let mut at_home = bench.command(&["cp", "s3://my-bucket/a", "c", "--sse-c", "--sse-c-key", "fileb://~/key"]);
    at_home.env("HOME", bench.path("")).env("USERPROFILE", bench.path(""));
    assert_eq!(bench.ran(at_home.output().unwrap()), done("download: s3://my-bucket/a to ./c\n"));
    assert_eq!(bench.read("b"), "hello");
    let own = ["s3://my-bucket/a", "--sse-c", "--sse-c-key", "fileb://key"];
    assert_eq!(bench.must(&[&["cat"][..], &own].concat()), "hello");
    assert!(bench.must(&[&["head"][..], &own].concat()).contains(&format!("{:26} 5\n", "size")));
    assert_eq!(bench.run(&["cat", "s3://my-bucket/a"]).0, 254);
    let (exit, _, stderr) = bench.run(&["head", "s3://my-bucket/a"]);
    assert!(
        exit == 254 && stderr.contains("\nhint: the credentials may have expired, --sse-c be missing "),
        "{stderr}"
    );
    for (args, problem) in [
        (&["--sse-c"][..], "the following required arguments were not provided: --sse-c-key <KEY>"),
        (&["--sse-kms-key-id", "x"], "--sse-kms-key-id needs --sse aws:kms"),
    ] {
        let (exit, _, stderr) = bench.run(&[&["s3", "cp", "a", "s3://my-bucket/"], args].concat());
        assert!(exit == 252 && stderr.starts_with(&format!("wharf: {problem}")), "{stderr}");
    }
}

#[test]
fn a_dry_run_fails_and_leaves_alone_what_the_run_would() {
    let bench = Bench::new();
    bench.files(&["d/a", "there"]);
    bench.put_all([("x/there", "1"), ("x/new", "2")]);
    let directory =
        "upload failed: ./d to s3://my-bucket/y: it is a directory\nhint: --recursive uploads all that is in it\n";
    for dryrun in [&["--dryrun"][..], &[]] {
        assert_eq!(bench.run(&[&["cp", "d", "s3://my-bucket/y"], dryrun].concat()), failed(1, directory));
    }
    let args = ["cp", "s3://my-bucket/x", ".", "--recursive", "--no-overwrite"];
    let skipped = "skip: s3://my-bucket/x/there to ./there: it is there already\n".to_owned();
    let down = "download: s3://my-bucket/x/new to ./new\n".to_owned();
    let would = (0, format!("(dryrun) {down}"), skipped.clone());
    assert_eq!(bench.run(&[&args[..], &["--dryrun"]].concat()), would);
    assert_eq!(bench.run(&args), (0, down, skipped));
}

#[test]
fn what_is_there_can_be_left_alone() {
    let bench = Bench::new();
    bench.put("a", "there");
    bench.file("a", "here");
    assert_eq!(bench.run(&["s3", "cp", "a", "s3://my-bucket/", "--no-overwrite", "--only-show-errors"]), done(""));
    let expected = "skip: ./a to s3://my-bucket/a: it is there already\n";
    assert_eq!(bench.run(&["cp", "a", "s3://my-bucket/", "--no-overwrite"]), failed(0, expected));
    assert_eq!(bench.object("a"), "there");
    let expected = "skip: s3://my-bucket/a to ./a: it is there already\n";
    assert_eq!(bench.run(&["cp", "s3://my-bucket/a", ".", "--no-overwrite"]), failed(0, expected));
    assert_eq!(bench.read("a"), "here");
    assert_eq!(
        bench.run(&["cp", "a", "s3://my-bucket/b", "--no-overwrite", "--provider", "other"]),
        done("upload: ./a to s3://my-bucket/b\n")
    );
}

#[test]
fn large_files_go_in_parts_both_ways() {
    let bench = Bench::new();
    let large: Vec<u8> = (0..21_u32 << 20).map(|at| (at >> 8) as u8 ^ at as u8).collect();
    bench.file("large", &large);
    let args = ["cp", "large", "s3://my-bucket/", "--part-size", "5MiB", "--concurrency", "3"];
    assert_eq!(bench.run(&args), done("upload: ./large to s3://my-bucket/large\n"));
    assert!(bench.head("large").etag.unquoted().ends_with("-5"));
    let args = ["cp", "s3://my-bucket/large", "back", "--part-size", "5MiB", "--fsync", "--bandwidth", "1GiB"];
    assert_eq!(bench.run(&args), done("download: s3://my-bucket/large to ./back\n"));
    assert!(fs::read(bench.path("back")).unwrap() == large);
    assert_eq!(bench.tree("."), ["back", "large"]);
}

#[test]
fn objects_in_an_archive_are_left_out() {
    let bench = Bench::embedded();
    bench.put("a", "1");
    bench.wait(bench.s3.put_object("my-bucket", "cold", "2").storage_class(StorageClass::Glacier));
    let run = |more: &[&str]| bench.run(&[&["s3", "cp", "s3://my-bucket", "in", "--recursive"], more].concat());
    let (exit, stdout, stderr) = run(&[]);
    assert_eq!((exit, stdout.as_str()), (2, "download: s3://my-bucket/a to in/a\n"));
    let start = "warning: Skipping file s3://my-bucket/cold. Object is of storage class GLACIER. Unable to perform download \
                 operations on GLACIER objects. You must restore the object to be able to perform the operation.";
    assert!(stderr.starts_with(start), "{stderr}");
    assert_eq!(run(&["--ignore-glacier-warnings"]), done("download: s3://my-bucket/a to in/a\n"));
}

#[test]
fn nothing_is_copied_onto_itself_unless_something_changes() {
    let bench = Bench::new();
    bench.put("a", "hello");
    let expected = "wharf: Cannot cp a file onto itself: s3://my-bucket/a - s3://my-bucket/a\n";
    assert_eq!(bench.run(&["cp", "s3://my-bucket/a", "s3://my-bucket/"]), failed(252, expected));
}

/// An object with all that it can have.
fn dressed(bench: &Bench, key: &str, size: usize) {
    let put = bench.s3.put_object(&bench.bucket, key, vec![7; size]).content_type("text/x").cache_control("no-cache");
    bench.wait(put.metadata("team", "blue").tag("k", "v"));
}

fn is_dressed(bench: &Bench, key: &str) -> bool {
    let head = bench.head(key);
    let tags = bench.wait(bench.s3.get_object_tagging(&bench.bucket, key)).tags;
    let headers = (head.content_type.as_deref(), head.cache_control.as_deref());
    headers == (Some("text/x"), Some("no-cache"))
        && head.metadata.get("team").is_some_and(|team| team == "blue")
        && tags.iter().any(|tag| (tag.key.as_str(), tag.value.as_str()) == ("k", "v"))
}

#[test]
fn copies_have_what_their_source_has() {
    let bench = Bench::new();
    dressed(&bench, "a", 5);
    bench.must(&["s3", "cp", "s3://my-bucket/a", "s3://my-bucket/b"]);
    assert!(is_dressed(&bench, "b"));
    bench.must(&["s3", "mv", "s3://my-bucket/b", "s3://my-bucket/c"]);
    assert!(is_dressed(&bench, "c"));
    bench.must(&["s3", "cp", "s3://my-bucket/a", "s3://my-bucket/d", "--storage-class", "STANDARD"]);
    assert!(is_dressed(&bench, "d"));
}

#[test]
fn copies_can_have_something_else() {
    let bench = Bench::embedded();
    dressed(&bench, "a", 5);
    let cp = |key: &str, more: &[&str]| {
        let target = format!("s3://my-bucket/{key}");
        bench.must(&[&["s3", "cp", "s3://my-bucket/a", &target], more].concat());
        (bench.head(key), bench.wait(bench.s3.get_object_tagging("my-bucket", key)).tags.len())
    };
    let (head, tags) = cp("b", &["--metadata", "team=red"]);
    assert_eq!((head.metadata["team"].as_str(), head.cache_control.as_deref(), tags), ("red", Some("no-cache"), 1));
    let (head, tags) = cp("c", &["--metadata-directive", "REPLACE", "--content-type", "text/y"]);
    assert_eq!((head.metadata.len(), head.content_type.as_deref(), tags), (0, Some("text/y"), 1));
    let (head, tags) = cp("d", &["--copy-props", "none"]);
    assert_eq!((head.metadata.len(), tags), (0, 0));
    let (head, tags) = cp("e", &["--copy-props", "metadata-directive"]);
    assert_eq!((head.metadata.len(), tags), (1, 0));
    let (head, tags) = cp("f", &["--tags", "one", "1", "--tags", "two", "2"]);
    assert_eq!((head.metadata.len(), tags), (1, 2));
    bench.must(&["cp", "s3://my-bucket/a", "s3://my-bucket/a", "--metadata", "team=green"]);
    assert_eq!(bench.head("a").metadata.get("team").unwrap(), "green");
}

#[test]
fn copies_between_servers_pass_through_here() {
    let (bench, other) = (Bench::embedded(), Bench::embedded());
    dressed(&bench, "d/a", 5);
    bench.put("d/b", "there");
    let endpoint = bench.endpoint();
    let args = ["cp", "s3://my-bucket/d", "s3://my-bucket/e", "--recursive", "--source-endpoint-url", &endpoint];
    let expected = ["copy: s3://my-bucket/d/a to s3://my-bucket/e/a", "copy: s3://my-bucket/d/b to s3://my-bucket/e/b"];
    assert_eq!(sorted(other.run(&args)), lines(&expected));
    assert_eq!(other.keys(), ["e/a", "e/b"]);
    assert!(is_dressed(&other, "e/a"));
    // Two buckets of one name are two: none lies in the other.
    let args = ["sync", "s3://my-bucket/d", "s3://my-bucket", "--source-endpoint-url", &endpoint];
    assert_eq!(other.run(&args).0, 0);
    assert_eq!(other.keys(), ["a", "b", "e/a", "e/b"]);
    dressed(&bench, "large", 17 << 20);
    for (verb, key) in [("cp", "large"), ("mv", "moved")] {
        let target = format!("s3://my-bucket/{key}");
        let args = [verb, "s3://my-bucket/large", &target, "--source-endpoint-url", &endpoint, "--part-size", "5MiB"];
        other.must(&args);
        assert!(is_dressed(&other, key) && other.head(key).etag.unquoted().ends_with("-4"), "{verb}");
    }
    other.must(&["mv", "s3://my-bucket/d/b", "s3://my-bucket/f", "--source-endpoint-url", &endpoint]);
    assert_eq!((bench.keys(), other.object("f")), (vec!["d/a".to_owned()], "there".to_owned()));
}

#[test]
fn two_names_of_a_server_are_one_server() {
    let bench = Bench::new();
    bench.put("a", "hello");
    let other_name = bench.endpoint().replace("127.0.0.1", "localhost");
    for verb in ["cp", "mv"] {
        let args = [verb, "s3://my-bucket/a", "s3://my-bucket/a", "--source-endpoint-url", &other_name];
        let action = if verb == "cp" { "copy" } else { "move" };
        let expected = format!(
            "{action} failed: s3://my-bucket/a to s3://my-bucket/a: both names seem to be of one object: nothing was done\n"
        );
        assert_eq!(bench.run(&args), failed(1, expected));
    }
    assert_eq!(bench.object("a"), "hello");
}

#[test]
fn a_file_that_changes_while_it_is_read_is_not_uploaded() {
    let bench = Bench::embedded();
    bench.file("a", vec![7; 20 << 20]);
    let args = ["cp", "a", "s3://my-bucket/", "--part-size", "5MiB", "--bandwidth", "8MiB"];
    let child = bench.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while !bench.store().requests().iter().any(|request| request.operation == "UploadPart") {
        std::thread::yield_now();
    }
    bench.file("a", vec![8; 21 << 20]);
    let (exit, stdout, stderr) = bench.ran(child.wait_with_output().unwrap());
    assert_eq!((exit, stdout.as_str()), (1, ""), "{stderr}");
    assert!(stderr.starts_with("upload failed: ./a to s3://my-bucket/a: ") && stderr.contains("changed"), "{stderr}");
    assert!(bench.keys().is_empty());
}

/// What a server ignores is known by its host name: this one's leads to the store, by way of a proxy.
#[test]
fn a_condition_that_the_server_ignores_is_said_once() {
    let bench = Bench::new();
    bench.put("a", "there");
    bench.files(&["a", "b", "c"]);
    let run = |args: &[&str]| {
        let mut command = bench.command(&[args, &["--no-overwrite"]].concat());
        command.env("AWS_ENDPOINT_URL", "http://storage.googleapis.com").env("HTTP_PROXY", bench.endpoint());
        let (exit, stdout, stderr) = bench.ran(command.output().unwrap());
        let mut lines: Vec<_> = stdout.lines().chain(stderr.lines()).map(str::to_owned).collect();
        lines.sort_unstable();
        (exit, lines)
    };
    let ignored = "warning: this server ignores conditions: --no-overwrite looks first, and what appears between the look \
                   and the write is overwritten";
    let skipped = "skip: ./a to s3://my-bucket/a: it is there already";
    let copied = "copy: s3://my-bucket/b to s3://my-bucket/d";
    let uploaded = ["upload: ./b to s3://my-bucket/b", "upload: ./c to s3://my-bucket/c"];
    assert_eq!(
        run(&["cp", "a", "b", "c", "s3://my-bucket"]),
        (0, vec![skipped.to_owned(), uploaded[0].to_owned(), uploaded[1].to_owned(), ignored.to_owned()])
    );
    assert_eq!(
        run(&["s3", "cp", "s3://my-bucket/b", "s3://my-bucket/d"]),
        (0, vec![copied.to_owned(), ignored.to_owned()])
    );
    assert_eq!((bench.object("a"), bench.object("b"), bench.object("d")), ("there".into(), "b".into(), "b".into()));
}

/// Else the first would be lost, and with `mv` for good.
#[test]
fn no_source_takes_the_place_of_another() {
    for verb in ["cp", "mv"] {
        let bench = Bench::new();
        let run = |words: &str| bench.run(&[&[verb][..], &words.split(' ').collect::<Vec<_>>()].concat());
        let left = |line: String| format!("{line}: it was left: what another source has by this name goes there\n");
        bench.files(&["d/a", "e/a", "e/b"]);
        let said = |deed: &str, line: &str| format!("{} failed: {line}", if verb == "mv" { "move" } else { deed });
        let (exit, stdout, stderr) = run("d/a e/a e/b s3://my-bucket/up/");
        assert_eq!(stderr, left(said("upload", "e/a to s3://my-bucket/up/a")));
        assert_eq!((exit, stdout.lines().count(), bench.object("up/a").as_str()), (1, 2, "d/a"));
        assert_eq!(bench.read("e/a"), "e/a");
        bench.put_all([("x/1", "x"), ("y/1", "y"), ("y/2", "y")]);
        for (target, deed) in [("s3://my-bucket/z", "copy"), ("down", "download")] {
            let (exit, _, stderr) = run(&format!("s3://my-bucket/x s3://my-bucket/y {target} --recursive"));
            assert_eq!(stderr, left(said(deed, &format!("s3://my-bucket/y/1 to {target}/1"))));
            assert_eq!((exit, bench.object("y/1").as_str()), (1, "y"));
            bench.put_all([("x/1", "x"), ("y/2", "y")]);
        }
        assert_eq!((bench.object("z/1").as_str(), bench.read("down/1").as_str()), ("x", "x"));
        // One source gives each name once.
        bench.must(&[verb, "s3://my-bucket/y/*", "s3://my-bucket/w"]);
    }
}

#[test]
fn the_others_are_done_where_one_source_is_missing() {
    for verb in ["cp", "mv"] {
        let bench = Bench::new();
        bench.file("a", vec![7; 17 << 20]);
        bench.file("b", "hello");
        let (exit, stdout, stderr) = bench.run(&[verb, "a", "missing", "b", "s3://my-bucket/"]);
        assert_eq!((exit, stdout.lines().count()), (1, 2), "{stdout}{stderr}");
        assert_eq!(stderr, "wharf: The user-provided path missing does not exist.\n");
        assert_eq!(bench.keys(), ["a", "b"]);
    }
}

#[test]
fn patience_ends_when_it_is_told_to() {
    let bench = Bench::embedded();
    bench.file("a", "1");
    bench.put("b", "1");
    for operation in [Operation::PutObject, Operation::GetObject, Operation::CopyObject, Operation::ListObjectsV2] {
        bench.store().inject(Fault::respond(503, "SlowDown").on(operation)).unwrap();
    }
    for (args, operation) in [
        (&["cp", "a", "s3://my-bucket/a"][..], "PutObject"),
        (&["cp", "s3://my-bucket/b", "b"], "GetObject"),
        (&["cp", "s3://my-bucket/b", "s3://my-bucket/c"], "CopyObject"),
        (&["cp", "s3://my-bucket", "c", "--recursive"], "ListObjectsV2"),
        (&["ls", "s3://my-bucket"], "ListObjectsV2"),
        (&["du", "s3://my-bucket"], "ListObjectsV2"),
        (&["rm", "s3://my-bucket/x", "--recursive"], "ListObjectsV2"),
        (&["sync", "s3://my-bucket/x", "d"], "ListObjectsV2"),
    ] {
        // Five minutes would be the end of the test.
        let (exit, stdout, stderr) = bench.run(&[args, &["--patience", "0s"]].concat());
        assert!(exit != 0 && stdout.is_empty() && stderr.contains("SlowDown"), "{args:?} {stdout}{stderr}");
        assert!(bench.store().requests().iter().any(|request| request.operation == operation));
    }
    let expected =
        "wharf: invalid value '5' for '--patience <TIME>': a duration reads like 10s, 30m, 12h or 7d, not \"5\"\n";
    assert!(bench.run(&["ls", "--patience", "5"]).2.starts_with(expected));
}

#[test]
fn a_server_that_went_away_ends_it() {
    let bench = Bench::embedded();
    for n in 0..200 {
        bench.file(&format!("d/{n:03}"), "1");
    }
    let gone = || Fault::close_request_after(0).on(Operation::PutObject);
    let busy = || Fault::respond(503, "SlowDown").on(Operation::PutObject);
    for (words, fault) in [
        ("cp d s3://my-bucket/ --recursive", gone()),
        ("mv d s3://my-bucket/ --recursive", gone()),
        ("sync d s3://my-bucket/", gone()),
        ("cp d s3://my-bucket/ --recursive", busy()),
        ("sync d s3://my-bucket/", busy()),
    ] {
        bench.store().clear_faults();
        bench.store().inject(fault).unwrap();
        let args: Vec<_> = words.split(' ').chain(["--patience", "1s"]).collect();
        let (exit, stdout, stderr) = bench.run(&args);
        let failed = stderr.lines().filter(|line| line.contains(" failed: ")).count();
        assert!(exit == 1 && stdout.is_empty() && (1..100).contains(&failed), "{words}: {stderr}");
        let stopped = format!("wharf: stopped, for {} serves nothing any more\n", bench.endpoint());
        assert_eq!(stderr.matches(&stopped).count(), 1, "{words}: {stderr}");
    }
}

#[test]
fn what_may_have_been_written_is_not_told_as_left() {
    let bench = Bench::embedded();
    bench.file("a", "1");
    bench.store().inject(Fault::drop_answer().on(Operation::PutObject).times(1)).unwrap();
    let args = ["cp", "a", "s3://my-bucket/", "--no-overwrite"];
    let (exit, stdout, stderr) = bench.run(&args);
    assert_eq!((exit, stdout.as_str()), (1, ""), "{stderr}");
    assert!(
        stderr.contains("hint: an answer was lost, and it may be stored: the same command again does no harm"),
        "{stderr}"
    );
    let left = "skip: ./a to s3://my-bucket/a: it is there already\n";
    assert_eq!(bench.run(&args), (0, String::new(), left.to_owned()));
}

#[cfg(unix)]
#[test]
fn a_link_that_was_named_stays_and_its_file_is_replaced() {
    use std::os::unix::fs::symlink;
    let bench = Bench::new();
    bench.put("a", "new");
    bench.file("real", "old");
    symlink("real", bench.path("link")).unwrap();
    symlink("nowhere", bench.path("dangling")).unwrap();
    bench.must(&["cp", "s3://my-bucket/a", "link"]);
    assert!(bench.path("link").is_symlink() && fs::read(bench.path("real")).unwrap() == b"new");
    let (exit, stdout, stderr) = bench.run(&["cp", "s3://my-bucket/a", "dangling"]);
    let nowhere =
        "wharf: dangling is a symbolic link that leads to no file\nhint: remove it, or name the file to be written\n";
    assert_eq!((exit, stdout.as_str(), stderr.as_str()), (252, "", nowhere));
    bench.must(&["cp", "s3://my-bucket/a", "dangling", "--no-overwrite", "--quiet"]);
    // As with aws-cli.
    bench.must(&["s3", "cp", "s3://my-bucket/a", "link"]);
    assert!(!bench.path("link").is_symlink() && fs::read(bench.path("link")).unwrap() == b"new");
    for output in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        assert_eq!(bench.run(&["cp", "s3://my-bucket/a", output]), done("new"));
    }
    let (exit, _, stderr) = bench.run(&["cp", "s3://my-bucket/a", "/dev/stdin"]);
    assert!(exit == 252 && stderr.starts_with("wharf: /dev/stdin is no file that can be replaced\n"), "{stderr}");
    assert_eq!(bench.run_with(&["cp", "/dev/stdin", "s3://my-bucket/in"], b"came in").0, 0);
    assert_eq!(bench.object("in"), "came in");
}

#[test]
fn options_may_stand_anywhere() {
    let bench = Bench::new();
    bench.files(&["d/a", "d/b"]);
    let target = "s3://my-bucket/x";
    bench.must(&["cp", "d", "--recursive", target]);
    bench.must(&["s3", "cp", "d/a", "--no-progress", target, "--content-type", "text/plain"]);
    bench.must(&["mv", "--recursive", "d", "--exclude", "b", target]);
    assert_eq!(
        (bench.keys(), bench.tree("d")),
        (["x", "x/a", "x/b"].map(str::to_owned).to_vec(), vec!["b".to_owned()])
    );
    let both = "wharf: the source and the target are missing\nhint: `wharf mv --help` says what can be typed\n";
    assert_eq!(bench.run(&["mv", "--recursive"]), failed(252, both));
    let one = "wharf: the target is missing: where d goes to\nhint: `wharf s3 cp --help` says what can be typed\n";
    assert_eq!(bench.run(&["s3", "cp", "d", "--recursive"]), failed(252, one));
    // Nothing is done of a list that cannot be done.
    let list = format!("rm s3://{}/x\ncp d/b\n", bench.bucket);
    let (exit, stdout, stderr) = bench.run_with(&["run", "-"], list.as_bytes());
    assert_eq!((exit, stdout.as_str(), bench.keys().len()), (252, "", 3));
    assert!(stderr.starts_with("wharf: line 2: the target is missing: where d/b goes to\n"), "{stderr}");
}
