//! What must never be shown: keys, and what signs a link.

use crate::bench::{Bench, bare, done, failed, run};

#[test]
fn a_key_that_is_wrong_is_not_shown() {
    for (option, value, problem) in [
        ("--sse-c-key", "<KEY>", "a key has 32 bytes, and this has 11; it is not base64"),
        ("--sse-c-copy-source-key", "<KEY>", "a key has 32 bytes, and this has 11; it is not base64"),
        ("--sse-c", "[<ALGORITHM>]", "[possible values: AES256]"),
        ("--sse-c-copy-source", "[<ALGORITHM>]", "[possible values: AES256]"),
    ] {
        let colon = if problem.starts_with('[') { "" } else { ":" };
        let problem = format!("invalid value '...' for '{option} {value}'{colon} {problem}\n");
        for verb in ["cp", "mv", "sync"] {
            let words = [verb, "a", "s3://my-bucket/a", option, "SECRETSHORT"];
            assert_eq!(run(bare(&words)), failed(252, format!("wharf: {problem}")), "{words:?}");
            let words = [verb, "a", "s3://my-bucket/a", &format!("{option}=SECRETSHORT")];
            assert_eq!(run(bare(&words)), failed(252, format!("wharf: {problem}")), "{words:?}");
            if value == "<KEY>" {
                let words = [verb, "a", "s3://my-bucket/a", option, "--SECRETKEY"];
                assert_eq!(run(bare(&words)), failed(252, format!("wharf: {problem}")), "{words:?}");
            }
            let list = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(list.path(), words.join(" ")).unwrap();
            let ran = run(bare(&["run", list.path().to_str().unwrap()]));
            assert_eq!(ran, failed(252, format!("wharf: line 1: {problem}")), "{words:?}");
        }
    }
}

#[test]
fn what_signs_a_link_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a"), "1").unwrap();
    let folder_name = folder.path().to_str().unwrap();
    let query = "?X-Amz-Signature=DEADBEEF&X-Amz-Security-Token=TOKEN a'b\"&X-Amz-Credential=DEADBEEF";
    for start in [
        "https://my-bucket.s3.amazonaws.com/k",
        "HTTP://my-bucket.s3.amazonaws.com",
        " https://my-bucket.test/k",
        "s3:/my-bucket",
        "s3://my-bucket",
        "b/k",
        "https://id:DEADBEEF@my-bucket.test/k",
    ] {
        let link = &format!("{start}{query}");
        for words in [
            &["ls", link][..],
            &["cat", link],
            &["cat", "s3://my-bucket/a", link],
            &["head", link],
            &["du", link],
            &["rm", link],
            &["mb", link],
            &["rb", link],
            &["presign", link],
            &["website", link],
            &["pipe", link],
            &["cp", link, "s3://my-bucket/b"],
            &["cp", link, "b"],
            &["cp", "a", link],
            &["cp", "s3://my-bucket/a", link],
            &["cp", "s3://my-bucket/a", link, "--recursive"],
            &["mv", link, "s3://my-bucket/b"],
            &["mv", "a", link],
            &["sync", link, "s3://my-bucket/b"],
            &["sync", folder_name, link],
            &["sync", "s3://my-bucket/a", link],
            &["verify", folder_name, link],
            &["verify", link, "s3://my-bucket/a"],
            &["s3", "ls", link],
            &["s3", "cp", link, "b"],
            &["s3", "rm", link],
            &[link],
            &["s3", link],
            &["ls", "s3://my-bucket", link],
            &["ls", "s3://my-bucket", "--region", link],
            &["ls", "s3://my-bucket", "--profile", link],
            &["ls", "s3://my-bucket", "--provider", link],
            &["ls", "s3://my-bucket", "--ca-bundle", link],
            &["du", "s3://my-bucket", "--depth", link],
            &["run", link],
        ] {
            // Where nobody listens.
            let words =
                [words, &["--endpoint-url", "http://127.0.0.1:1", "--no-sign-request", "--dryrun"][..]].concat();
            for words in [&words[..], &words[..words.len() - 1]] {
                // These are names of files.
                let is_path = !start.contains("://");
                if is_path && ["cp", "mv", "sync"].iter().any(|verb| words.contains(verb)) {
                    continue;
                }
                let mut command = bare(words);
                command.current_dir(folder.path());
                let (exit, stdout, stderr) = run(command);
                assert!(exit != 0 && !stderr.is_empty(), "{words:?} {stdout}");
                for secret in ["DEADBEEF", "TOKEN"] {
                    assert!(!stdout.contains(secret) && !stderr.contains(secret), "{words:?} {stdout} {stderr}");
                }
            }
        }
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_is_wrong_with_a_link_is_said() {
    let link = "https://my-bucket.s3.amazonaws.com/k?X-Amz-Signature=DEADBEEF";
    let hint = "hint: an S3 URL reads like s3://BUCKET/KEY; --endpoint-url names a server\n";
    for (words, problem) in [
        (
            &["cat", link][..],
            "invalid value 'https://my-bucket.s3.amazonaws.com/k?...' for '<URL>...': invalid bucket name \"https:\": only \
             a-z, 0-9, '.' and '-' may be used",
        ),
        (
            &["mb", link],
            "invalid value 'https://my-bucket.s3.amazonaws.com/k?...' for '<URL>': \
             \"https://my-bucket.s3.amazonaws.com/k?...\" is not an S3 URI: it must read s3://BUCKET or s3://BUCKET/KEY",
        ),
        (&["cp", "a", link], "https://my-bucket.s3.amazonaws.com/k?... is no S3 URL"),
    ] {
        assert_eq!(run(bare(words)), failed(252, format!("wharf: {problem}\n{hint}")), "{words:?}");
    }
    // A key may have a question mark.
    let bench = Bench::with(&[("a?b", "1")]);
    assert_eq!(bench.run(&["cat", "s3://my-bucket/a?b", "--raw"]), done("1"));
}
