//! The options of `aws s3`: each is taken where aws-cli takes it, and what it does is seen at the server, for what goes
//! in one request and for what goes in parts.

use std::fs;

use wharf::StorageClass;
use wharf::http::HeaderMap;
use wharf_embedded::LoggedRequest;

use crate::bench::{Bench, done, failed};

/// What goes in parts, with `--part-size 5MiB`.
pub(crate) const LARGE: usize = 17 << 20;

/// The options of `cp`, `mv` and `sync`, with a value each.
const TRANSFER: [&[&str]; 37] = [
    &["--dryrun"],
    &["--quiet"],
    &["--include", "*"],
    &["--exclude", "*"],
    &["--acl", "private"],
    &["--follow-symlinks"],
    &["--no-follow-symlinks"],
    &["--no-guess-mime-type"],
    &["--sse", "AES256"],
    &["--sse"],
    &["--sse-c", "AES256", "--sse-c-key", "0123456789abcdef0123456789abcdef"],
    &["--sse-c-copy-source", "AES256", "--sse-c-copy-source-key", "0123456789abcdef0123456789abcdef"],
    &["--sse-kms-key-id", "id"],
    &["--storage-class", "GLACIER"],
    &["--grants", "read=id=1", "full=id=2"],
    &["--website-redirect", "/a"],
    &["--content-type", "a/b"],
    &["--cache-control", "no-cache"],
    &["--content-disposition", "inline"],
    &["--content-encoding", "gzip"],
    &["--content-language", "de"],
    &["--expires", "2026-12-24"],
    &["--source-region", "eu-west-1"],
    &["--only-show-errors"],
    &["--no-progress"],
    &["--progress-frequency", "1"],
    &["--progress-multiline"],
    &["--page-size", "10"],
    &["--ignore-glacier-warnings"],
    &["--force-glacier-transfer"],
    &["--request-payer", "requester"],
    &["--checksum-mode", "ENABLED"],
    &["--checksum-algorithm", "CRC32"],
    &["--metadata", "a=b"],
    &["--copy-props", "none"],
    &["--metadata-directive", "COPY"],
    &["--no-overwrite"],
];

/// Those of all commands.
const GLOBAL: [&str; 28] = [
    "--debug",
    "--endpoint-url",
    "http://localhost:1",
    "--no-verify-ssl",
    "--no-paginate",
    "--output",
    "json",
    "--query",
    "a",
    "--profile",
    "work",
    "--region",
    "eu-west-1",
    "--color",
    "off",
    "--no-sign-request",
    "--ca-bundle",
    "file",
    "--cli-read-timeout",
    "1",
    "--cli-connect-timeout",
    "1",
    "--cli-binary-format",
    "base64",
    "--no-cli-pager",
    "--cli-auto-prompt",
    "--no-cli-auto-prompt",
    "--cli-error-format=text",
];

#[test]
fn every_option_of_aws_is_taken() {
    let bench = Bench::embedded();
    let mut transfer = TRANSFER.to_vec();
    transfer.extend([&["--case-conflict", "warn"][..], &["--tags", "k", "v"]]);
    let recursive: &[&str] = &["--recursive"];
    let with = |more: &[&'static [&'static str]]| [&transfer[..], more].concat();
    let rm = ["--dryrun", "--quiet", "--recursive", "--only-show-errors"].map(|option| vec![option]);
    let mut rm: Vec<_> = rm.iter().map(|option| &option[..]).collect();
    rm.extend([&["--request-payer"][..], &["--include", "*"], &["--exclude", "*"], &["--page-size", "1"]]);
    let ls: [&[&str]; 7] = [
        recursive,
        &["--page-size", "1"],
        &["--human-readable"],
        &["--summarize"],
        &["--request-payer"],
        &["--bucket-name-prefix", "a"],
        &["--bucket-region", "us-east-1"],
    ];
    for (verb, options) in [
        ("ls", ls.to_vec()),
        ("cp", with(&[recursive, &["--expected-size", "1"]])),
        ("mv", with(&[recursive, &["--validate-same-s3-paths"]])),
        ("rm", rm),
        ("sync", with(&[&["--size-only"], &["--exact-timestamps"], &["--delete"]])),
        ("mb", vec![&["--tags", "k", "v"]]),
        ("rb", vec![&["--force"]]),
        ("presign", vec![&["--expires-in", "1"]]),
        ("website", vec![&["--index-document", "a"], &["--error-document", "b"]]),
    ] {
        for option in options.iter().chain([&&GLOBAL[..]]) {
            // Help is printed where all before it was understood.
            let (exit, stdout, stderr) = bench.run(&[&["s3", verb], *option, &["--help"]].concat());
            assert_eq!((exit, stderr.as_str()), (0, ""), "{verb} {option:?}");
            assert!(stdout.starts_with("Example: "), "{verb} {option:?}");
        }
    }
}

/// The last request of one of these kinds.
pub(crate) fn request(bench: &Bench, operations: &[&str]) -> LoggedRequest {
    let requests = bench.store().requests();
    let found = requests.iter().rev().find(|request| operations.contains(&request.operation));
    found.unwrap_or_else(|| panic!("no {operations:?}")).clone()
}

pub(crate) fn assert_headers(headers: &HeaderMap, expected: &[(&str, &str)], what: &str) {
    for (name, value) in expected {
        let found = headers.get(*name).map(|value| value.to_str().unwrap());
        assert_eq!(found, Some(*value), "{name} of {what}");
    }
}

/// All that an object can be given together.
const GIVEN: [&str; 31] = [
    "--content-type",
    "text/x",
    "--content-encoding",
    "gzip",
    "--content-disposition",
    "inline",
    "--content-language",
    "de",
    "--cache-control",
    "no-cache",
    "--expires",
    "2026-12-24T18:00:00Z",
    "--metadata",
    "team=blue,cost=1",
    "--storage-class",
    "STANDARD_IA",
    "--website-redirect",
    "/b",
    "--tags",
    "k",
    "v",
    "--sse",
    "AES256",
    "--checksum-algorithm",
    "SHA256",
    "--request-payer",
    "requester",
    "--acl",
    "bucket-owner-full-control",
    "--metadata-directive",
    "REPLACE",
];

const HEADERS: [(&str, &str); 13] = [
    ("content-type", "text/x"),
    ("content-encoding", "gzip"),
    ("content-disposition", "inline"),
    ("content-language", "de"),
    ("cache-control", "no-cache"),
    ("expires", "Thu, 24 Dec 2026 18:00:00 GMT"),
    ("x-amz-meta-team", "blue"),
    ("x-amz-meta-cost", "1"),
    ("x-amz-storage-class", "STANDARD_IA"),
    ("x-amz-website-redirect-location", "/b"),
    ("x-amz-tagging", "k=v"),
    ("x-amz-server-side-encryption", "AES256"),
    ("x-amz-acl", "bucket-owner-full-control"),
];

/// That the object is what [`GIVEN`] makes of it.
fn assert_given(bench: &Bench, key: &str) {
    let head = bench.wait(bench.s3.head_object("my-bucket", key).checksum_mode(true));
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let headers = [&head.content_type, &head.content_encoding, &head.content_disposition, &head.content_language];
    assert_eq!(headers.map(text), ["text/x", "gzip", "inline", "de"], "{key}");
    let headers = [&head.cache_control, &head.expires, &head.website_redirect_location];
    assert_eq!(headers.map(text), ["no-cache", "Thu, 24 Dec 2026 18:00:00 GMT", "/b"], "{key}");
    assert_eq!((head.metadata["team"].as_str(), head.metadata["cost"].as_str(), head.metadata.len()), ("blue", "1", 2));
    assert_eq!((head.storage_class, head.encryption.unwrap().algorithm.as_str()), (StorageClass::StandardIa, "AES256"));
    assert_eq!(head.checksum.unwrap().algorithm(), wharf::ChecksumAlgorithm::Sha256, "{key}");
    let tags = bench.wait(bench.s3.get_object_tagging("my-bucket", key)).tags;
    assert_eq!((tags.len(), tags[0].key.as_str(), tags[0].value.as_str()), (1, "k", "v"), "{key}");
}

#[test]
fn uploads_get_what_they_are_given_at_every_size() {
    let bench = Bench::embedded();
    bench.file("d/small", "small");
    bench.file("d/large", vec![7; LARGE]);
    for (verb, name) in [("cp", "small"), ("cp", "large"), ("mv", "small"), ("mv", "large")] {
        bench.file(name, fs::read(bench.path(&format!("d/{name}"))).unwrap());
        let (key, url) = (format!("{verb}/{name}"), format!("s3://my-bucket/{verb}/{name}"));
        bench.store().clear_requests();
        bench.must(&[&["s3", verb, name, &url, "--part-size", "5MiB"], &GIVEN[..]].concat());
        assert_headers(&request(&bench, &["PutObject", "CreateMultipartUpload"]).headers, &HEADERS, &key);
        assert_payer(&bench);
        assert_given(&bench, &key);
    }
    bench.store().clear_requests();
    bench.must(&[&["s3", "sync", "d", "s3://my-bucket/sync", "--part-size", "5MiB"], &GIVEN[..]].concat());
    assert_payer(&bench);
    assert_given(&bench, "sync/small");
    assert_given(&bench, "sync/large");
    bench.store().clear_requests();
    let input = vec![7; LARGE];
    let args = [&["s3", "cp", "-", "s3://my-bucket/stream", "--part-size", "5MiB"], &GIVEN[..]].concat();
    assert_eq!(bench.run_with(&args, &input), done(""));
    assert_payer(&bench);
    assert_given(&bench, "stream");
}

/// That every request since the log was cleared says who pays.
fn assert_payer(bench: &Bench) {
    for request in bench.store().requests() {
        assert_headers(&request.headers, &[("x-amz-request-payer", "requester")], request.operation);
    }
}

#[test]
fn payloads_are_signed_over_http_unless_it_is_said_otherwise() {
    let bench = Bench::embedded();
    bench.file("small", "small");
    bench.file("large", vec![7; LARGE]);
    for (option, is_signed) in [(None, true), (Some("--unsigned-payload"), false)] {
        for (name, operation) in [("small", "PutObject"), ("large", "UploadPart")] {
            bench.store().clear_requests();
            let args = ["cp", name, "s3://my-bucket/", "--part-size", "5MiB"];
            bench.must(&[&args[..], option.as_slice()].concat());
            let hash = request(&bench, &[operation]).headers["x-amz-content-sha256"].clone();
            assert_eq!(hash != "UNSIGNED-PAYLOAD", is_signed, "{name} {option:?} {hash:?}");
        }
        bench.store().clear_requests();
        bench.must(&[&["sync", ".", "s3://my-bucket/sync"], option.as_slice()].concat());
        let hash = request(&bench, &["PutObject"]).headers["x-amz-content-sha256"].clone();
        assert_eq!(hash != "UNSIGNED-PAYLOAD", is_signed, "sync {option:?} {hash:?}");
        bench.must(&["rm", "s3://my-bucket/sync", "--recursive"]);
        let (exit, stdout, _) = bench.run(&[&["whoami"], option.as_slice()].concat());
        let row = stdout.lines().find(|line| line.starts_with("payload signing over http ")).unwrap();
        let cells: Vec<&str> = row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        let expected = if is_signed { ["on", "default"] } else { ["off", "an option"] };
        assert_eq!((exit, &cells[1..]), (0, &expected[..]), "{row}");
    }
}

#[test]
fn copies_get_what_they_are_given_by_the_server_and_through_here() {
    let bench = Bench::embedded();
    bench.put("d/small", "small");
    bench.put("d/large", vec![7; LARGE]);
    for verb in ["cp", "mv"] {
        bench.put("small", "small");
        bench.store().clear_requests();
        let target = format!("s3://my-bucket/{verb}");
        // A copy with another checksum than its source is not known to have its bytes, and nothing is moved.
        let checksum = GIVEN.iter().position(|option| *option == "--checksum-algorithm").unwrap();
        let given = [&GIVEN[..checksum], &GIVEN[checksum + 2..]].concat();
        let given = if verb == "mv" { &given } else { &GIVEN.to_vec() };
        bench.must(&[&["s3", verb, "s3://my-bucket/small", &target], &given[..]].concat());
        let headers = request(&bench, &["CopyObject"]).headers;
        assert_headers(&headers, &HEADERS, verb);
        let directives = [("x-amz-metadata-directive", "REPLACE"), ("x-amz-tagging-directive", "REPLACE")];
        assert_headers(&headers, &directives, verb);
        assert_payer(&bench);
        if verb == "cp" {
            assert_headers(&headers, &[("x-amz-checksum-algorithm", "SHA256")], verb);
            assert_given(&bench, verb);
        }
    }
    bench.store().clear_requests();
    bench.must(&[&["s3", "sync", "s3://my-bucket/d", "s3://my-bucket/sync"], &GIVEN[..]].concat());
    assert_payer(&bench);
    assert_given(&bench, "sync/small");
    assert_given(&bench, "sync/large");
    // In parts, through here.
    let endpoint = bench.endpoint();
    let through_here = ["--source-endpoint-url", &endpoint, "--part-size", "5MiB"];
    bench.store().clear_requests();
    let args = ["s3", "cp", "s3://my-bucket/d", "s3://my-bucket/here", "--recursive"];
    bench.must(&[&args[..], &through_here, &GIVEN].concat());
    assert_headers(&request(&bench, &["PutObject"]).headers, &HEADERS, "small");
    assert_headers(&request(&bench, &["CreateMultipartUpload"]).headers, &HEADERS, "large");
    assert_payer(&bench);
    assert_given(&bench, "here/small");
    assert_given(&bench, "here/large");
}

#[test]
fn what_reads_says_who_pays() {
    let bench = Bench::embedded();
    let payer = "--request-payer";
    for args in [
        &["s3", "cp", "s3://my-bucket/d", "in", "--recursive"][..],
        &["s3", "cp", "s3://my-bucket/d/large", "one", "--part-size", "5MiB"],
        &["s3", "cp", "s3://my-bucket/d/small", "-"],
        &["s3", "mv", "s3://my-bucket/d/small", "moved"],
        &["s3", "sync", "s3://my-bucket/d", "synced"],
        &["s3", "sync", "empty", "s3://my-bucket/d", "--delete"],
        &["s3", "ls", "s3://my-bucket"],
        &["s3", "rm", "s3://my-bucket/d/small"],
        &["s3", "rm", "s3://my-bucket/d", "--recursive"],
        &["cat", "s3://my-bucket/d/small"],
        &["head", "s3://my-bucket/d/small"],
        &["du", "s3://my-bucket"],
        &["sync", "synced", "s3://my-bucket/d", "--checksum"],
    ] {
        fs::create_dir_all(bench.path("empty")).unwrap();
        bench.put("d/small", "small");
        bench.put("d/large", vec![7; LARGE]);
        bench.store().clear_requests();
        bench.must(&[args, &[payer]].concat());
        assert!(!bench.store().requests().is_empty());
        assert_payer(&bench);
    }
}

#[test]
fn kinds_of_encryption_and_grants_are_sent_at_every_size() {
    let bench = Bench::embedded();
    bench.file("small", "small");
    bench.file("large", vec![7; LARGE]);
    let all = "http://acs.amazonaws.com/groups/global/AllUsers";
    let (read, quoted) = (format!("read=uri={all}"), format!("uri=\"{all}\""));
    let kms = ("x-amz-server-side-encryption", "aws:kms");
    for (options, expected) in [
        (&["--sse"][..], &[("x-amz-server-side-encryption", "AES256")][..]),
        (&["--sse", "aws:kms"], &[kms]),
        (
            &["--sse", "aws:kms", "--sse-kms-key-id", "my-key"],
            &[kms, ("x-amz-server-side-encryption-aws-kms-key-id", "my-key")],
        ),
        (
            &["--sse", "aws:kms:dsse", "--sse-kms-key-id", "my-key"],
            &[
                ("x-amz-server-side-encryption", "aws:kms:dsse"),
                ("x-amz-server-side-encryption-aws-kms-key-id", "my-key"),
            ],
        ),
        (&["--acl", "public-read"], &[("x-amz-acl", "public-read")]),
        (
            &["--grants", &read, "readacl=id=1", "writeacl=id=2", "full=id=3,emailaddress=a@b.example"],
            &[
                ("x-amz-grant-read", &quoted),
                ("x-amz-grant-read-acp", "id=\"1\""),
                ("x-amz-grant-write-acp", "id=\"2\""),
                ("x-amz-grant-full-control", "id=\"3\", emailAddress=\"a@b.example\""),
            ],
        ),
    ] {
        for (name, operation) in [("small", "PutObject"), ("large", "CreateMultipartUpload")] {
            bench.store().clear_requests();
            // Not every kind is something that the store has: what was asked of it counts.
            let _ = bench.run(&[&["s3", "cp", name, "s3://my-bucket/", "--part-size", "5MiB"], options].concat());
            assert_headers(&request(&bench, &[operation]).headers, expected, &format!("{name} {options:?}"));
        }
        bench.put("source", "1");
        bench.store().clear_requests();
        let _ = bench.run(&[&["s3", "cp", "s3://my-bucket/source", "s3://my-bucket/copy"], options].concat());
        assert_headers(&request(&bench, &["CopyObject"]).headers, expected, &format!("copy {options:?}"));
    }
}

#[test]
fn ones_own_keys_go_with_every_request_that_needs_them() {
    let bench = Bench::embedded();
    bench.file("key", "0123456789abcdef0123456789abcdef");
    bench.file("other", "fedcba9876543210fedcba9876543210");
    bench.file("d/small", "small");
    bench.file("d/large", vec![7; LARGE]);
    let own = ["--sse-c", "AES256", "--sse-c-key", "fileb://key"];
    let parts = ["--part-size", "5MiB"];
    let algorithm = [("x-amz-server-side-encryption-customer-algorithm", "AES256")];
    bench.must(&[&["s3", "cp", "d", "s3://my-bucket/d", "--recursive"], &own[..], &parts].concat());
    for request in bench.store().requests() {
        if ["PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"].contains(&request.operation)
        {
            assert_headers(&request.headers, &algorithm, request.operation);
        }
    }
    bench.must(&[&["s3", "cp", "s3://my-bucket/d", "in", "--recursive"], &own[..], &parts].concat());
    bench.must(&[&["s3", "sync", "s3://my-bucket/d", "synced"], &own[..], &parts].concat());
    for name in ["small", "large"] {
        let sent = fs::read(bench.path(&format!("d/{name}"))).unwrap();
        assert!(fs::read(bench.path(&format!("in/{name}"))).unwrap() == sent, "{name}");
        assert!(fs::read(bench.path(&format!("synced/{name}"))).unwrap() == sent, "{name}");
    }
    let (exit, stdout, _) = bench.run(&[&["s3", "cp", "s3://my-bucket/d/small", "-"], &own[..]].concat());
    assert_eq!((exit, stdout.as_str()), (0, "small"));
    // From one key to another, and to none.
    let from = ["--sse-c-copy-source", "--sse-c-copy-source-key", "fileb://key"];
    let to = ["--sse-c", "--sse-c-key", "fileb://other"];
    for verb in ["cp", "mv"] {
        let target = format!("s3://my-bucket/{verb}");
        bench.must(&[&["s3", verb, "s3://my-bucket/d/small", &target], &from[..], &to].concat());
        let read = bench.run(&["s3", "cp", &target, "-", "--sse-c", "--sse-c-key", "fileb://other"]);
        assert_eq!(read, done("small"));
        bench.must(&[&["s3", "cp", "d/small", "s3://my-bucket/d/"], &own[..]].concat());
    }
    bench.must(&[&["s3", "sync", "s3://my-bucket/d", "s3://my-bucket/e"], &from[..]].concat());
    assert_eq!(bench.object("e/small"), "small");
    let endpoint = bench.endpoint();
    let through_here = ["--source-endpoint-url", &endpoint];
    bench.must(
        &[&["s3", "cp", "s3://my-bucket/d/large", "s3://my-bucket/f"], &from[..], &through_here, &parts].concat(),
    );
    assert_eq!(bench.head("f").content_length, LARGE as u64);
}

/// As aws-cli has it.
#[test]
fn of_an_option_that_is_said_twice_the_last_holds() {
    let bench = Bench::new();
    bench.file("a", "1");
    bench.file("d/b", "2");
    for s3 in [&[][..], &["s3"]] {
        let run = |before: &[&str], verb: &[&str]| bench.run(&[before, s3, verb].concat());
        let twice =
            ["--content-type", "text/x", "--content-type", "text/y", "--acl", "private", "--acl", "public-read"];
        let up = [&["cp", "a", "s3://my-bucket", "--quiet", "--quiet", "--region", "us-west-2"][..], &twice].concat();
        assert_eq!(run(&["--region", "eu-west-1"], &[&up[..], &["--region", "us-east-1"]].concat()), done(""));
        assert_eq!(bench.head("a").content_type.as_deref(), Some("text/y"));
        let tried = run(&[], &["cp", "a", "s3://my-bucket", "--dryrun", "--dryrun"]);
        assert_eq!(tried, done("(dryrun) upload: ./a to s3://my-bucket/a\n"));
        let (exit, link, _) = run(&[], &["presign", "s3://my-bucket/a", "--expires-in", "60", "--expires-in", "90"]);
        assert!(exit == 0 && link.contains("X-Amz-Expires=90&"), "{link}");
        // These are meant to be.
        let filters = ["--exclude", "*", "--exclude", "x", "--include", "b", "--include", "c"];
        assert_eq!(run(&[], &[&["rm", "s3://my-bucket", "--recursive"][..], &filters].concat()), done(""));
        let tags = ["--tags", "a", "1", "--tags", "b", "2", "--quiet"];
        assert_eq!(run(&[], &[&["cp", "a", "s3://my-bucket/t"][..], &tags].concat()), done(""));
        assert_eq!(bench.wait(bench.s3.get_object_tagging(&bench.bucket, "t")).tags.len(), 2);
    }
}

#[test]
fn a_value_may_be_in_a_file() {
    let bench = Bench::new();
    bench.file("a", "1");
    bench.file("type", "text/x\n");
    bench.file("meta.json", "{\"team\": \"blue\"}\n");
    for s3 in [&[][..], &["s3"]] {
        let up = [s3, &["cp", "a", "s3://my-bucket", "--quiet", "--metadata", "file://meta.json"]].concat();
        bench.must(&[&up[..], &["--content-type", "file://type"]].concat());
        let head = bench.head("a");
        assert_eq!((head.content_type.as_deref(), head.metadata["team"].as_str()), (Some("text/x"), "blue"));
        for (value, why) in [
            ("file://none", "none cannot be read: No such file or directory (os error 2)"),
            ("fileb://type", "this is a text, and fileb:// is for bytes: say file://PATH"),
        ] {
            let expected = format!("wharf: invalid value '{value}' for '--content-type <TYPE>': {why}\n");
            assert_eq!(bench.run(&[&up[..], &["--content-type", value]].concat()), failed(252, expected));
        }
    }
}

#[test]
fn more_names_than_a_page_has_are_asked_for_by_the_page() {
    let bench = Bench::embedded();
    bench.put("a", "1");
    for verb in [
        &["ls", "s3://my-bucket"][..],
        &["cp", "s3://my-bucket", "in", "--recursive"],
        &["sync", "s3://my-bucket", "in"],
        &["rm", "s3://my-bucket", "--recursive"],
    ] {
        bench.store().clear_requests();
        bench.must(&[&["s3"], verb, &["--page-size", "5000"]].concat());
        let listings = bench.store().requests().into_iter().filter(|request| request.operation == "ListObjectsV2");
        let queries: Vec<_> = listings.map(|request| request.query).collect();
        assert!(!queries.is_empty() && queries.iter().all(|query| !query.contains("max-keys=5000")), "{queries:?}");
    }
}

#[test]
fn what_would_be_done_is_no_success_to_be_left_out() {
    let bench = Bench::new();
    bench.files(&["d/a"]);
    bench.put("x", "1");
    for s3 in [&[][..], &["s3"]] {
        for (verb, expected) in [
            (&["cp", "d/a", "s3://my-bucket"][..], "(dryrun) upload: d/a to s3://my-bucket/a\n"),
            (&["sync", "d", "s3://my-bucket"], "(dryrun) upload: d/a to s3://my-bucket/a\n"),
            (&["rm", "s3://my-bucket/x"], "(dryrun) delete: s3://my-bucket/x\n"),
            (&["rm", "s3://my-bucket", "--recursive"], "(dryrun) delete: s3://my-bucket/x\n"),
        ] {
            let args = [s3, verb, &["--dryrun", "--only-show-errors"]].concat();
            assert_eq!(bench.run(&args), done(expected), "{args:?}");
        }
    }
}
