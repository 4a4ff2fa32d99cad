//! `wharf presign`.

use crate::bench::{Bench, KEY_ID, bare, failed, fetch, run};

/// A link with what depends on the time taken out.
fn without_time(link: &str) -> String {
    let (path, query) = link.trim_end().split_once('?').unwrap();
    let parameters: Vec<_> = query
        .split('&')
        .map(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap();
            match name {
                "X-Amz-Date" | "X-Amz-Signature" => format!("{name}=..."),
                "X-Amz-Credential" => {
                    let day = value.split("%2F").nth(1).unwrap();
                    format!("{name}={}", value.replace(day, "DAY"))
                }
                _ => parameter.to_owned(),
            }
        })
        .collect();
    format!("{path}?{}", parameters.join("&"))
}

#[test]
fn a_link_says_what_was_asked_for_and_nothing_is_sent() {
    let bench = Bench::new();
    bench.store.clear_requests();
    for (more, seconds) in [(&[][..], 3600), (&["--expires-in", "604800"], 604_800)] {
        let (exit, link, stderr) = bench.run(&[&["presign", "s3://my-bucket/a b.txt"], more].concat());
        assert_eq!((exit, stderr.as_str()), (0, ""));
        let expected = format!(
            "{}/my-bucket/a%20b.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&\
             X-Amz-Credential={KEY_ID}%2FDAY%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=...&\
             X-Amz-Expires={seconds}&X-Amz-SignedHeaders=host&X-Amz-Signature=...",
            bench.endpoint
        );
        assert_eq!(without_time(&link), expected);
        assert!(link.ends_with('\n'));
    }
    assert!(bench.store.requests().is_empty());
}

#[test]
fn whoever_has_a_link_can_use_it_for_its_method_alone() {
    let bench = Bench::with(&[("a", "hello")]);
    let link = |method| {
        let (exit, link, stderr) = bench.run(&["presign", "s3://my-bucket/a", "--method", method]);
        assert_eq!((exit, stderr.as_str()), (0, ""));
        link.trim_end().to_owned()
    };
    assert_eq!(fetch("GET", &link("GET"), ""), (200, "hello".to_owned()));
    assert_eq!(fetch("HEAD", &link("head"), ""), (200, String::new()));
    assert_eq!(fetch("PUT", &link("PUT"), "changed").0, 200);
    assert_eq!(fetch("GET", &link("GET"), ""), (200, "changed".to_owned()));
    assert_eq!(fetch("DELETE", &link("GET"), "").0, 403);
    assert_eq!(fetch("DELETE", &link("DELETE"), "").0, 204);
    assert_eq!(fetch("GET", &link("GET"), "").0, 404);
}

#[test]
fn on_aws_the_bucket_is_in_the_host_name() {
    let mut command = bare(&["presign", "s3://my-bucket/a", "--region", "eu-west-1"]);
    command.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", "x");
    let (exit, link, _) = run(command);
    assert_eq!(exit, 0);
    assert!(link.starts_with("https://my-bucket.s3.eu-west-1.amazonaws.com/a?X-Amz-Algorithm="), "{link}");
}

#[test]
fn what_cannot_be_signed_says_why() {
    let bench = Bench::new();
    let too_long = "wharf: invalid value '604801' for '--expires-in <TIME>': it is a number of whole seconds from 1 to 604800, such as 600, or 10m, 12h, 7d\n";
    let (_, link, _) = bench.run(&["presign", "s3://my-bucket/a", "--expires-in", "10m"]);
    assert!(link.contains("X-Amz-Expires=600&"), "{link}");
    assert_eq!(bench.run(&["presign", "s3://my-bucket/a", "--expires-in", "604801"]), failed(252, too_long));
    let no_key = "wharf: invalid value 's3://my-bucket' for '<URL>': no key: an object is s3://my-bucket/KEY\n";
    assert_eq!(bench.run(&["presign", "s3://my-bucket"]), failed(252, no_key));
    let nowhere = "wharf: --embedded has no address that a link could lead to\nhint: `wharf serve --data DIR` serves the \
                   same directory; then presign with --endpoint-url\n";
    assert_eq!(bench.run(&["presign", "s3://my-bucket/a", "--embedded", "d"]), failed(252, nowhere));
    let anonymous = "wharf: GetObject my-bucket/a: an anonymous client has no keys to presign with\n";
    assert_eq!(bench.run(&["presign", "s3://my-bucket/a", "--no-sign-request"]), failed(252, anonymous));
}

#[test]
fn a_pattern_is_no_object() {
    let bench = Bench::with(&[("a*", "1")]);
    for verb in ["presign", "head"] {
        let expected = "wharf: s3://my-bucket/a* is a pattern, and one object must be named\n\
                        hint: only * and ? are wild; --raw takes them as they are\n";
        assert_eq!(bench.run(&[verb, "s3://my-bucket/a*"]), failed(252, expected));
        assert_eq!(bench.run(&[verb, "s3://my-bucket/a*", "--raw"]).0, 0, "{verb}");
    }
    assert_eq!(bench.run(&["s3", "presign", "s3://my-bucket/a*"]).0, 0);
}
