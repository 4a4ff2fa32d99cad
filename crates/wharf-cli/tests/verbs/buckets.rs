//! `mb`, `rb`, `website`.

use crate::bench::{Bench, assert_like, done, failed};

#[test]
fn buckets_are_made_and_removed() {
    let bench = Bench::new();
    assert_eq!(bench.run(&["mb", "s3://my-bucket-2"]), done("make_bucket: my-bucket-2\n"));
    assert_eq!(bench.run(&["s3", "rb", "s3://my-bucket-2"]), done("remove_bucket: my-bucket-2\n"));
    assert_eq!(bench.run(&["s3", "mb", "s3://my-bucket-2/"]), done("make_bucket: my-bucket-2\n"));
    let json = "{\"type\":\"remove_bucket\",\"bucket\":\"my-bucket-2\"}\n";
    assert_eq!(bench.run(&["rb", "s3://my-bucket-2", "--json"]), done(json));
    assert_eq!(bench.run(&["mb", "s3://my-bucket-2", "--quiet"]), done(""));
    let json = "{\"type\":\"bucket\",\"name\":\"my-bucket-2\"";
    assert!(bench.must(&["ls", "--json", "--bucket-name-prefix", "my-bucket-2"]).starts_with(json));
    assert_eq!(bench.run(&["ls", "--bucket-name-prefix", "my-bucket-"]), done("TIME my-bucket-2\n"));
    bench.must(&["rb", "s3://my-bucket-2"]);
}

#[test]
fn a_bucket_of_somebody_else_or_with_objects_says_so() {
    let bench = Bench::new();
    bench.put("a", "1");
    let expected = "wharf: remove_bucket failed: s3://my-bucket: DeleteBucket: ...BucketNotEmpty, HTTP 409...)\n\
                    hint: --force deletes all objects in it first\n";
    assert_like(bench.run(&["rb", "s3://my-bucket"]), 1, "", expected);
    let (exit, stdout, stderr) = bench.run(&["rb", "s3://my-bucket", "--json"]);
    assert_eq!((exit, stdout.as_str()), (1, ""));
    let start = "{\"type\":\"error\",\"message\":\"remove_bucket failed: s3://my-bucket: DeleteBucket: ";
    assert!(stderr.starts_with(start) && stderr.contains("\"code\":\"BucketNotEmpty\",\"status\":409"), "{stderr}");
    assert_eq!(
        bench.run(&["rb", "s3://my-bucket/a"]),
        failed(252, "wharf: invalid value 's3://my-bucket/a' for '<URL>': a bucket alone is s3://my-bucket\n")
    );
}

#[test]
fn force_removes_what_is_in_a_bucket_first() {
    let bench = Bench::new();
    bench.put_all([("a", "1"), ("b/c", "2"), ("d/", "")]);
    let expected = "delete: s3://my-bucket/a\ndelete: s3://my-bucket/b/c\ndelete: s3://my-bucket/d/\n\
                    remove_bucket: my-bucket\n";
    assert_eq!(bench.run(&["s3", "rb", "s3://my-bucket", "--force"]), done(expected));
}

#[test]
fn what_force_does_not_remove_is_said() {
    let bench = Bench::embedded();
    bench.wait(bench.s3.put_bucket_versioning("my-bucket", wharf::VersioningStatus::Enabled));
    bench.put("a", "1");
    let expected = "wharf: remove_bucket failed: s3://my-bucket: DeleteBucket: ...BucketNotEmpty, HTTP 409...)\n\
                    hint: old versions of objects are in it, which this command does not remove, or uploads that were never \
                    completed: `wharf rm s3://my-bucket --incomplete` removes those\n";
    assert_like(bench.run(&["rb", "s3://my-bucket", "--force"]), 1, "delete: s3://my-bucket/a\n", expected);
}

#[test]
fn tags_are_pairs() {
    let bench = Bench::new();
    bench.must(&["mb", "s3://my-bucket-2", "--tags", "team", "blue", "--tags", "cost", "1"]);
    let (exit, _, stderr) = bench.run(&["mb", "s3://my-bucket-3", "--tags", "team"]);
    assert!(exit == 252 && stderr.starts_with("wharf: 2 values required for '--tags <KEY> <VALUE>'"), "{stderr}");
}

#[test]
fn a_bucket_becomes_a_website() {
    let bench = Bench::embedded();
    let args = ["website", "s3://my-bucket/", "--index-document", "index.html", "--error-document", "sorry.html"];
    assert_eq!(bench.run(&args), done(""));
    let website = bench.wait(bench.s3.request(wharf::http::Method::GET).bucket("my-bucket").subresource("website"));
    let text = String::from_utf8_lossy(website.body()).into_owned();
    assert!(text.contains("<Suffix>index.html</Suffix>") && text.contains("<Key>sorry.html</Key>"), "{text}");
    let (exit, _, stderr) = bench.run(&["s3", "website", "my-bucket", "--index-document", "a/b"]);
    assert_eq!(exit, 254, "{stderr}");
}
