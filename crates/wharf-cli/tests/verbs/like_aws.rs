//! What `wharf s3` has learned from aws-cli. `scripts/compare-aws-cli` compares the two in whole.

use std::fs;

use wharf::StorageClass;

use crate::bench::{Bench, assert_like, done, failed};

#[test]
fn what_is_said_of_a_copy_changes_nothing_else() {
    let bench = Bench::embedded();
    let put = bench.s3.put_object("my-bucket", "a", "hello").content_type("text/x").cache_control("no-cache");
    bench.wait(put.metadata("team", "blue").tag("k", "v"));
    for (verb, key) in [(&["s3", "cp", "s3://my-bucket/a"][..], "b"), (&["s3", "sync", "s3://my-bucket"], "all/a")] {
        let target = if key == "b" { "s3://my-bucket/b" } else { "s3://my-bucket-2/all" };
        let bucket = if key == "b" { "my-bucket" } else { "my-bucket-2" };
        if bucket == "my-bucket-2" {
            bench.must(&["mb", "s3://my-bucket-2"]);
        }
        bench.must(&[verb, &[target, "--content-type", "text/y"]].concat());
        let head = bench.wait(bench.s3.head_object(bucket, key));
        assert_eq!(head.content_type.as_deref(), Some("text/y"));
        assert_eq!(head.cache_control.as_deref(), Some("no-cache"));
        assert_eq!(head.metadata["team"], "blue");
        assert_eq!(bench.wait(bench.s3.get_object_tagging(bucket, key)).tags[0].value, "v");
    }
}

#[test]
fn markers_of_folders_are_left_out_of_a_sync_as_well() {
    // SeaweedFS copies no marker.
    let bench = Bench::embedded();
    bench.put_all([("x/d/", ""), ("x/d/1", "1"), ("x/full/", "2")]);
    bench.must(&["s3", "sync", "s3://my-bucket/x", "s3://my-bucket/y"]);
    bench.must(&["sync", "s3://my-bucket/x", "s3://my-bucket/z"]);
    let expected = ["x/d/", "x/d/1", "x/full/", "y/d/1", "y/full/", "z/d/", "z/d/1", "z/full/"];
    assert_eq!(bench.keys(), expected);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_said_to_be_none() {
    let bench = Bench::new();
    bench.file("d/a", "1");
    std::os::unix::net::UnixListener::bind(bench.path("d/socket")).unwrap();
    let expected = "warning: Skipping file FOLDER/d/socket. File is character special device, block special device, \
                    FIFO, or socket.\n";
    let up = "upload: d/a to s3://my-bucket/a\n".to_owned();
    for args in [&["s3", "cp", "d", "s3://my-bucket", "--recursive"][..], &["s3", "sync", "d", "s3://my-bucket"]] {
        assert_eq!(bench.run(args), (2, up.clone(), expected.to_owned()));
        bench.must(&["rm", "s3://my-bucket/a"]);
    }
    let expected = "warning: Skipping file FOLDER/d/a/. It is no folder.\n";
    assert_eq!(bench.run(&["s3", "cp", "d/a", "s3://my-bucket", "--recursive"]), failed(2, expected));
    let hinted = format!("{expected}hint: one file goes without --recursive\n");
    assert_eq!(bench.run(&["cp", "d/a", "s3://my-bucket", "--recursive"]), failed(2, &hinted));
    std::os::unix::fs::symlink("nowhere", bench.path("dangling")).unwrap();
    let expected = "wharf: The user-provided path dangling does not exist.\n";
    assert_eq!(bench.run(&["s3", "cp", "dangling", "s3://my-bucket"]), failed(255, expected));
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_no_text_is_left_out() {
    use std::os::unix::ffi::OsStrExt;
    let bench = Bench::new();
    bench.file("d/a", "1");
    fs::write(bench.path("d").join(std::ffi::OsStr::from_bytes(b"bad\xff")), "2").unwrap();
    for args in [&["s3", "cp", "d", "s3://my-bucket", "--recursive"][..], &["s3", "sync", "d", "s3://my-bucket/x"]] {
        let (exit, _, stderr) = bench.run(args);
        assert!(exit == 2 && stderr.contains("bad\u{fffd}: the name is not UTF-8"), "{stderr}");
    }
    assert_eq!(bench.keys(), ["a", "x/a"]);
}

#[test]
fn a_pipe_that_is_only_tried_says_what_it_would_do() {
    let bench = Bench::embedded();
    bench.store().clear_requests();
    for s3 in [&[][..], &["s3"]] {
        for (from, to, deed) in [("-", "s3://my-bucket/b", "upload"), ("s3://my-bucket/a", "-", "download")] {
            let expected = done(format!("(dryrun) {deed}: {from} to {to}\n"));
            assert_eq!(bench.run(&[s3, &["cp", from, to, "--dryrun", "--only-show-errors"]].concat()), expected);
        }
    }
    assert!(bench.store().requests().is_empty(), "nobody is asked");
}

#[test]
fn an_archived_object_that_was_named_is_skipped() {
    let bench = Bench::embedded();
    bench.wait(bench.s3.put_object("my-bucket", "cold", "2").storage_class(StorageClass::Glacier));
    for (target, deed) in [("in", "download"), ("s3://my-bucket/x", "copy")] {
        let run = |more: &[&str]| bench.run(&[&["s3", "cp", "s3://my-bucket/cold", target], more].concat());
        let warning = format!(
            "warning: Skipping file s3://my-bucket/cold. Object is of storage class GLACIER. Unable to perform {deed} \
             operations on GLACIER objects. ..."
        );
        assert_like(run(&[]), 2, "", &warning);
        assert_eq!(run(&["--ignore-glacier-warnings"]), done(""));
        assert_eq!(run(&["--force-glacier-transfer"]).0, 1);
    }
    let expected = "warning: Skipping file s3://my-bucket/cold. Object is of storage class GLACIER. ...";
    assert_like(bench.run(&["s3", "sync", "s3://my-bucket", "in"]), 2, "", expected);
}

#[test]
fn the_folder_is_made_even_where_nothing_comes() {
    let bench = Bench::new();
    bench.must(&["s3", "cp", "s3://my-bucket", "one", "--recursive"]);
    bench.must(&["s3", "sync", "s3://my-bucket", "two/three"]);
    bench.must(&["s3", "sync", "s3://my-bucket", "four", "--dryrun"]);
    assert_eq!(bench.run(&["s3", "sync", "one", "four"]).0, 252);
    assert!(bench.path("one").is_dir() && bench.path("two/three").is_dir() && !bench.path("four").exists());
}

#[test]
fn exact_timestamps_count_more_than_sizes() {
    let bench = Bench::new();
    bench.put("a", "1");
    bench.file("d/a", "2");
    fs::File::options().write(true).open(bench.path("d/a")).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    let sync = ["s3", "sync", "s3://my-bucket", "d", "--size-only"];
    assert_eq!(bench.run(&sync), done(""));
    let expected = done("download: s3://my-bucket/a to d/a\n");
    assert_eq!(bench.run(&[&sync[..], &["--exact-timestamps"]].concat()), expected);
}

#[test]
fn two_folders_are_no_sync() {
    let bench = Bench::new();
    bench.file("d/a", "1");
    let problem = "wharf: nothing here is an S3 URL: either the source or the target must be one\nhint: an S3 URL reads \
                   like s3://BUCKET/KEY\n";
    for s3 in [&[][..], &["s3"]] {
        for (source, target) in [("d", "."), ("none", "neither"), ("none", "d")] {
            assert_eq!(bench.run(&[s3, &["sync", source, target]].concat()), failed(252, problem));
        }
    }
}

#[test]
fn filters_do_not_know_the_names_of_buckets() {
    let bench = Bench::new();
    fs::create_dir(bench.path("d")).unwrap();
    bench.put("x/a", "1");
    let args = ["s3", "cp", "s3://my-bucket/x", "d", "--recursive", "--exclude", "my-bucket/x/*"];
    assert_eq!(bench.run(&args), done("download: s3://my-bucket/x/a to d/a\n"));
}

#[cfg(unix)]
#[test]
fn links_that_are_not_followed_are_not_deleted() {
    let bench = Bench::new();
    bench.put("a", "1");
    bench.files(&["d/b", "outside"]);
    std::os::unix::fs::symlink("../outside", bench.path("d/link")).unwrap();
    bench.must(&["s3", "sync", "s3://my-bucket", "d", "--delete", "--no-follow-symlinks"]);
    assert_eq!(bench.tree("d"), ["a", "link"]);
}

#[cfg(unix)]
#[test]
fn links_that_are_not_followed_give_way_to_objects_of_their_name() {
    let bench = Bench::new();
    bench.put("a", "new");
    bench.files(&["d/b", "outside"]);
    std::os::unix::fs::symlink("../outside", bench.path("d/a")).unwrap();
    let args = ["s3", "sync", "s3://my-bucket", "d", "--no-follow-symlinks"];
    assert_eq!(bench.run(&args), done("download: s3://my-bucket/a to d/a\n"));
    assert!(!bench.path("d/a").is_symlink());
    assert_eq!(fs::read_to_string(bench.path("d/a")).unwrap(), "new");
    assert_eq!(fs::read_to_string(bench.path("outside")).unwrap(), "outside");
    assert_eq!(bench.run(&args), done(""));
}

#[test]
fn what_looks_like_the_rest_of_a_download_is_a_file_of_a_source() {
    let bench = Bench::new();
    bench.files(&["d/a.wharf-journal", "d/a.wharf-part"]);
    bench.must(&["s3", "cp", "d", "s3://my-bucket/x", "--recursive", "--no-follow-symlinks"]);
    assert_eq!(bench.keys(), ["x/a.wharf-journal", "x/a.wharf-part"]);
    bench.put("x/old", "1");
    bench.must(&["s3", "sync", "d", "s3://my-bucket/x", "--delete", "--no-follow-symlinks"]);
    assert_eq!(bench.keys(), ["x/a.wharf-journal", "x/a.wharf-part"]);
}

#[test]
fn a_copy_onto_itself_fails() {
    let bench = Bench::new();
    bench.put("a", "1");
    let expected = "wharf: Cannot cp a file onto itself: s3://my-bucket/a - s3://my-bucket/a\n";
    assert_eq!(bench.run(&["s3", "cp", "s3://my-bucket/a", "s3://my-bucket"]), failed(1, expected));
}

#[test]
fn a_bucket_that_cannot_be_emptied_is_another_error() {
    let bench = Bench::new();
    let expected = "wharf: ListObjectsV2 my-bucket-2: ...NoSuchBucket, HTTP 404...";
    assert_like(bench.run(&["s3", "rb", "s3://my-bucket-2", "--force"]), 255, "", expected);
}
