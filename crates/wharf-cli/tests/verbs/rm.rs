//! `rm`.

#[cfg(target_os = "linux")]
use std::time::Duration;

#[cfg(target_os = "linux")]
use wharf::transfer::Interrupted;
use wharf_embedded::{Fault, Operation};

use crate::bench::{Bench, assert_like, done, failed};

const OBJECTS: [(&str, &str); 6] =
    [("a", "1"), ("logs/1.gz", "2"), ("logs/2.txt", "3"), ("logs/old/", ""), ("logs/old/3.gz", "4"), ("logs2", "5")];

#[test]
fn one_object_goes_whether_it_is_there_or_not() {
    let bench = Bench::new();
    bench.put_all(OBJECTS);
    assert_eq!(bench.run(&["s3", "rm", "s3://my-bucket/a"]), done("delete: s3://my-bucket/a\n"));
    assert_eq!(bench.run(&["rm", "s3://my-bucket/a"]), done("delete: s3://my-bucket/a\n"));
    let warning = "warning: s3://my-bucket/logs/old/ is one key: --recursive deletes what is under it\n";
    let deleted = "delete: s3://my-bucket/logs/old/\n".to_owned();
    assert_eq!(bench.run(&["rm", "s3://my-bucket/logs/old/"]), (0, deleted.clone(), warning.to_owned()));
    assert_eq!(bench.run(&["s3", "rm", "s3://my-bucket/logs/old/"]), done(&deleted));
    assert_eq!(bench.run(&["rm", "s3://my-bucket/logs2", "--quiet"]), done(""));
    assert_eq!(bench.keys(), ["logs/1.gz", "logs/2.txt", "logs/old/3.gz"]);
    let json = "{\"type\":\"delete\",\"source\":\"s3://my-bucket/logs/1.gz\"}\n";
    assert_eq!(bench.run(&["rm", "s3://my-bucket/logs/1.gz", "--json"]), done(json));
}

/// Objects have an age as well: none goes by a misunderstanding.
#[test]
fn only_uploads_are_chosen_by_age() {
    let bench = Bench::embedded();
    bench.put("young", "1");
    for args in [
        &["s3://my-bucket", "--recursive"][..],
        &["s3://my-bucket/*", "--recursive"],
        &["s3://my-bucket/young", "--exclude", "x"],
    ] {
        for verb in [&["rm"][..], &["s3", "rm"]] {
            let (exit, stdout, stderr) = bench.run(&[verb, args, &["--older-than", "365d"]].concat());
            assert_eq!((exit, stdout.as_str()), (252, ""), "{args:?} {stderr}");
        }
    }
    assert_eq!(bench.keys(), ["young"]);
}

#[test]
fn a_prefix_is_a_directory() {
    let bench = Bench::new();
    bench.put_all(OBJECTS);
    let dryrun = "(dryrun) delete: s3://my-bucket/logs/1.gz\n(dryrun) delete: s3://my-bucket/logs/2.txt\n\
                  (dryrun) delete: s3://my-bucket/logs/old/\n(dryrun) delete: s3://my-bucket/logs/old/3.gz\n";
    assert_eq!(bench.run(&["rm", "s3://my-bucket/logs", "--recursive", "--dryrun"]), done(dryrun));
    assert_eq!(bench.keys().len(), 6);
    assert_eq!(bench.run(&["s3", "rm", "s3://my-bucket/logs/", "--recursive"]), done(dryrun.replace("(dryrun) ", "")));
    assert_eq!(bench.keys(), ["a", "logs2"]);
}

#[test]
fn filters_are_relative_to_the_prefix() {
    let bench = Bench::new();
    bench.put_all(OBJECTS);
    let args =
        ["rm", "s3://my-bucket/logs", "--recursive", "--exclude", "*", "--include", "*.gz", "--exclude", "old/*"];
    assert_eq!(bench.run(&args), done("delete: s3://my-bucket/logs/1.gz\n"));
    assert_eq!(bench.run(&["rm", "s3://my-bucket/a", "--exclude", "*"]), done(""));
    assert_eq!(bench.keys().len(), 5);
}

#[test]
fn a_pattern_is_not_believed_unless_somebody_can_be_asked() {
    let bench = Bench::new();
    bench.put_all(OBJECTS);
    let expected = "wharf: nobody is there to be asked: delete everything that fits s3://my-bucket/logs/*.gz?\n\
                    hint: --recursive does it without a question, --dryrun shows what would go, --raw takes * and ? as they are\n";
    assert_eq!(bench.run(&["rm", "s3://my-bucket/logs/*.gz"]), failed(252, expected));
    assert_eq!(bench.keys().len(), 6);
    let fits = "delete: s3://my-bucket/logs/1.gz\ndelete: s3://my-bucket/logs/old/3.gz\n";
    let dryrun = fits.replace("delete", "(dryrun) delete");
    assert_eq!(bench.run(&["rm", "s3://my-bucket/logs/*.gz", "--dryrun"]), done(dryrun));
    assert_eq!(bench.run(&["rm", "s3://my-bucket/logs/*.gz", "--recursive"]), done(fits));
    assert_eq!(bench.keys().len(), 4);
}

#[test]
fn a_star_may_be_a_star() {
    let bench = Bench::new();
    bench.put_all([("a*", "1"), ("ab", "2"), ("c*", "3")]);
    assert_eq!(bench.run(&["s3", "rm", "s3://my-bucket/a*"]), done("delete: s3://my-bucket/a*\n"));
    assert_eq!(bench.run(&["rm", "s3://my-bucket/c*", "--raw"]), done("delete: s3://my-bucket/c*\n"));
    assert_eq!(bench.keys(), ["ab"]);
}

#[test]
fn a_whole_bucket_needs_recursive() {
    let bench = Bench::new();
    bench.put_all(OBJECTS);
    let expected = "wharf: s3://my-bucket is a whole bucket\n\
                    hint: --recursive deletes all that is in it; `wharf rb` removes the bucket itself\n";
    assert_eq!(bench.run(&["rm", "s3://my-bucket"]), failed(252, expected));
    assert_eq!(bench.keys().len(), 6);
    let (exit, stdout, stderr) = bench.run(&["s3", "rm", "s3://my-bucket", "--recursive"]);
    assert_eq!((exit, stdout.lines().count(), stderr.as_str()), (0, 6, ""));
    assert!(bench.keys().is_empty());
}

#[test]
fn an_unknown_bucket_is_a_failure() {
    let bench = Bench::new();
    let expected = "wharf: ...NoSuchBucket, HTTP 404...)\nhint: check the bucket's name, and that the endpoint is the \
                    one it is on\n";
    assert_like(bench.run(&["rm", "s3://my-bucket-2/a", "--recursive"]), 1, "", expected);
}

#[test]
fn uploads_that_were_left_over_are_aborted() {
    let bench = Bench::embedded();
    for key in ["logs/a", "logs/b", "c"] {
        bench.wait(bench.s3.create_multipart_upload("my-bucket", key));
    }
    bench.put("logs/whole", "1");
    let uploads = || bench.wait(bench.s3.list_multipart_uploads("my-bucket")).uploads.len();
    assert_eq!(bench.run(&["rm", "s3://my-bucket/logs/", "--incomplete", "--older-than", "1d"]), done(""));
    let (exit, stdout, stderr) = bench.run(&["rm", "s3://my-bucket/logs/", "--incomplete", "--dryrun"]);
    assert_eq!((exit, stderr.as_str(), uploads()), (0, "", 3));
    assert!(stdout.starts_with("(dryrun) abort: s3://my-bucket/logs/a upload "), "{stdout}");
    assert_eq!(stdout.lines().count(), 2);
    bench.must(&["rm", "s3://my-bucket/logs/*", "--incomplete", "--older-than", "0s"]);
    assert_eq!((uploads(), bench.keys().len()), (1, 1));
}

#[test]
fn left_over_uploads_are_of_a_key_and_of_what_is_under_it() {
    let bench = Bench::embedded();
    for key in ["log", "log/a", "logs2/x"] {
        bench.wait(bench.s3.create_multipart_upload("my-bucket", key));
    }
    let aborts = |url: &str| {
        let lines = bench.must(&["rm", url, "--incomplete", "--dryrun"]);
        let key = |line: &str| line.split(' ').nth(2).unwrap().to_owned();
        lines.lines().map(key).collect::<Vec<_>>()
    };
    let [log, a, x] = ["log", "log/a", "logs2/x"].map(|key| format!("s3://my-bucket/{key}"));
    assert_eq!(aborts(&log), [log.as_str(), &a]);
    assert_eq!(aborts("s3://my-bucket/log/"), [a.as_str()]);
    assert_eq!(aborts("s3://my-bucket/log*"), [log.as_str(), &a, &x]);
    assert_eq!(aborts("s3://my-bucket"), [log.as_str(), &a, &x]);
}

#[test]
fn a_left_over_upload_that_is_gone_by_then_is_what_was_asked_for() {
    let bench = Bench::embedded();
    bench.wait(bench.s3.create_multipart_upload("my-bucket", "a"));
    bench.store().inject(Fault::respond(404, "NoSuchUpload").on(Operation::AbortMultipartUpload)).unwrap();
    let aborted = bench.must(&["rm", "s3://my-bucket", "--incomplete"]);
    assert!(aborted.starts_with("abort: s3://my-bucket/a upload "), "{aborted}");
}

/// What this machine wrote down of an upload goes with it.
#[cfg(target_os = "linux")]
#[test]
fn the_journal_of_an_upload_goes_with_it() {
    let bench = Bench::embedded();
    bench.file("a", vec![7; 20 << 20]);
    // The third part is refused: what was sent is kept.
    bench.store().inject(Fault::respond(403, "AccessDenied").on(Operation::UploadPart).nth(3)).unwrap();
    let args = ["cp", "a", "s3://my-bucket/", "--part-size", "5MiB", "--concurrency", "1"];
    assert_eq!(bench.run(&args).0, 1);
    let journals = || Interrupted::list(bench.state().join("wharf/uploads")).unwrap().len();
    let dryrun = ["rm", "s3://my-bucket", "--incomplete", "--dryrun"];
    assert_eq!((bench.must(&dryrun).lines().count(), journals()), (1, 1));
    assert_eq!((bench.must(&dryrun[..3]).lines().count(), journals()), (1, 0));
}

#[cfg(target_os = "linux")]
#[test]
fn an_upload_that_is_under_way_is_left() {
    let bench = Bench::embedded();
    bench.file("a", vec![7; 20 << 20]);
    bench.store().inject(Fault::delay(Duration::from_secs(3600)).on(Operation::UploadPart)).unwrap();
    let mut child = bench.command(&["cp", "a", "s3://my-bucket/", "--part-size", "5MiB"]).spawn().unwrap();
    let begun = || bench.store().requests().iter().any(|request| request.operation == "UploadPart");
    while !begun() {
        std::thread::yield_now();
    }
    let uploads = || bench.wait(bench.s3.list_multipart_uploads("my-bucket")).uploads;
    let id = uploads().remove(0).upload_id;
    bench.wait(bench.s3.create_multipart_upload("my-bucket", "b"));
    let left = format!("warning: s3://my-bucket/a upload {id} is under way on this machine: it is left\n");
    let (exit, stdout, stderr) = bench.run(&["rm", "s3://my-bucket", "--incomplete", "--dryrun"]);
    assert_eq!((exit, stdout.lines().count(), stderr.as_str()), (2, 1, left.as_str()));
    let (exit, stdout, stderr) = bench.run(&["rm", "s3://my-bucket/b", "s3://my-bucket/a", "--incomplete"]);
    assert_eq!((exit, stdout.lines().count(), stderr), (2, 1, left));
    child.kill().unwrap();
    child.wait().unwrap();
    bench.must(&["rm", "s3://my-bucket", "--incomplete"]);
    assert!(uploads().is_empty());
}

#[test]
fn several_urls_go_one_after_the_other() {
    let bench = Bench::new();
    bench.put_all(OBJECTS);
    let args = ["rm", "s3://my-bucket/logs", "s3://my-bucket/none", "--recursive", "s3://my-bucket/a"];
    let (exit, stdout, stderr) = bench.run(&args);
    let missing = "wharf: nothing is there: s3://my-bucket/none\n\
                   hint: `wharf ls s3://my-bucket/` shows what is; one object goes without --recursive\n\
                   wharf: nothing is there: s3://my-bucket/a\n";
    assert_eq!((exit, stdout.lines().count(), stderr.as_str()), (1, 4, missing));
    bench.must(&["rm", "s3://my-bucket/a", "s3://my-bucket/logs2"]);
    assert!(bench.keys().is_empty());
    // Nothing is done of a list with a mistake in it.
    bench.put("a", "1");
    let whole = "wharf: s3://my-bucket is a whole bucket\nhint: --recursive deletes all that is in it; `wharf rb` \
                 removes the bucket itself\n";
    assert_eq!(bench.run(&["rm", "s3://my-bucket/a", "s3://my-bucket"]), failed(252, whole));
    let (exit, stdout, _) = bench.run(&["rm", "s3://my-bucket/a", "s3://my-bucket/x*"]);
    assert_eq!((exit, stdout.as_str()), (252, ""), "nobody is there to be asked");
    let one = "wharf: `wharf s3` takes one URL\nhint: `wharf rm` takes several\n";
    assert_eq!(bench.run(&["s3", "rm", "s3://my-bucket/a", "s3://my-bucket/b"]), failed(252, one));
    assert_eq!(bench.keys(), ["a"]);
}

#[test]
fn one_lost_answer_of_several_urls_ends_nothing_and_two_do() {
    let bench = Bench::embedded();
    for key in ["a", "b", "c", "d"] {
        bench.put(key, "1");
    }
    let deaf = Fault::close_request_after(0).on(Operation::DeleteObject);
    let urls = ["a", "b", "c", "d"].map(|key| format!("s3://my-bucket/{key}"));
    let args: Vec<_> = std::iter::once("rm").chain(urls.iter().map(String::as_str)).collect();
    bench.store().inject(deaf.clone().key("b")).unwrap();
    let (exit, stdout, stderr) = bench.run(&args);
    assert_eq!((exit, stdout.lines().count(), stderr.lines().count()), (1, 3, 1), "{stderr}");
    assert_eq!(bench.keys(), ["b"]);
    bench.store().clear_faults();
    bench.put("d", "1");
    bench.store().inject(deaf).unwrap();
    let (exit, stdout, stderr) = bench.run(&args);
    let stopped =
        format!("wharf: stopped, for {} serves nothing any more\nhint: what has no line was left\n", bench.endpoint());
    assert_eq!((exit, stdout.as_str()), (1, ""));
    assert!(stderr.ends_with(&stopped) && stderr.matches("delete failed: ").count() == 2, "{stderr}");
    assert_eq!(bench.keys(), ["b", "d"]);
    // Where nothing is left, nothing is stopped.
    let (exit, _, stderr) = bench.run(&args[..3]);
    assert_eq!((exit, stderr.lines().count()), (1, 2), "{stderr}");
}

/// A folder may be called like a bucket.
#[test]
fn what_is_no_url_is_not_deleted() {
    let bench = Bench::new();
    bench.put("a", "1");
    for (args, url) in [(&["rm", "my-bucket/a"][..], "my-bucket/a"), (&["rm", "my-bucket", "--recursive"], "my-bucket")]
    {
        let (exit, stdout, stderr) = bench.run(args);
        assert!(exit == 252 && stdout.is_empty() && stderr.ends_with(&format!("\nhint: say s3://{url}\n")), "{stderr}");
    }
    let include = "wharf: --include takes what an --exclude before it leaves out, and there is none\n\
                   hint: --exclude '*' --include 'PATTERN' takes what fits, and nothing else\n";
    assert_eq!(bench.run(&["rm", "s3://my-bucket", "--recursive", "--include", "*.txt"]), failed(252, include));
    assert_eq!(bench.keys(), ["a"]);
}
