//! Buckets that somebody else filled: nothing is written where it does not belong, nothing is lost in silence.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use wharf_embedded::{Fault, Operation};

use crate::bench::Bench;

/// Keys that are files below a folder, however odd.
const ODD: [&str; 30] = [
    "plain",
    "dir/plain",
    " leading and trailing ",
    "tab\tin it",
    "line\nfeed",
    "carriage\rreturn",
    "quote\"and'apostrophe",
    "back\\slash",
    "percent%41%2F",
    "plus+and space",
    "question?mark",
    "star*",
    "[brackets]{braces}",
    "~tilde",
    "-dash",
    "--option",
    "$HOME `x` $(y)",
    "semi;colon & ampersand",
    "less<greater>pipe|",
    "colon:in it",
    "C:drive",
    "dot.",
    "...",
    "..hidden/..more",
    ".hidden",
    "größe/ファイル/🦀",
    "cafe\u{301}",
    "café",
    "CASE",
    "case",
];

/// Keys that no file below a folder can have.
const REFUSED: [&str; 13] = [
    "../outside",
    "a/../../outside",
    "a/../b",
    "..",
    ".",
    "./here",
    "a/./b",
    "/absolute",
    "/etc/passwd",
    "double//slash",
    "trailing/slash/",
    "a/..",
    "//",
];

#[test]
fn a_hostile_bucket_comes_down_and_goes_up_again_or_is_refused_by_name() {
    let bench = Bench::embedded();
    for key in ODD {
        bench.put(key, key);
    }
    for key in REFUSED {
        bench.put(key, "evil");
    }
    bench.put("empty", "");
    bench.put("marker/", "");
    fs::create_dir(bench.path("in")).unwrap();
    let (exit, stdout, stderr) = bench.run(&["cp", "s3://my-bucket", "in/there", "--recursive"]);
    assert_eq!(exit, 2, "{stderr}");
    for key in REFUSED {
        // The dot that ends the sentence is none of the key's.
        let quote = if key.ends_with('.') { "\"" } else { "" };
        let warning = format!("warning: Skipping file {quote}s3://my-bucket/{key}{quote}. \"");
        assert!(stderr.contains(&warning), "{key:?} in {stderr}");
    }
    assert_eq!(stderr.matches("warning: ").count(), REFUSED.len(), "{stderr}");
    assert_eq!(stdout.matches("download: ").count(), ODD.len() + 1, "{stdout}");
    for key in ODD {
        assert_eq!(fs::read_to_string(bench.path("in/there").join(key)).unwrap(), key);
    }
    // The marker of a folder is one, and nothing is where nothing belongs.
    assert!(bench.path("in/there/marker").is_dir());
    assert_eq!(fs::read_dir(bench.path("in")).unwrap().count(), 1);
    assert!(!bench.path("outside").exists() && !bench.path("in/outside").exists());

    let (exit, _, stderr) = bench.run(&["cp", "in/there", "s3://my-bucket/back", "--recursive"]);
    assert_eq!((exit, stderr.as_str()), (0, ""));
    let back: BTreeMap<_, _> = bench
        .keys()
        .iter()
        .filter_map(|key| Some((key.strip_prefix("back/")?.to_owned(), bench.object(key))))
        .collect();
    let mut expected: BTreeMap<_, _> = ODD.map(|key| (key.to_owned(), key.to_owned())).into();
    expected.insert("empty".to_owned(), String::new());
    assert_eq!(back, expected);
}

/// The names that lie beside the workspace: they break clients.
#[expect(clippy::print_stdout, reason = "whoever reads the output learns that it was skipped")]
fn shared_names() -> Option<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases/nasty_names.json");
    let Ok(text) = fs::read(path) else {
        println!("skipped: no names at ../shared/cases/nasty_names.json");
        return None;
    };
    let cases: Vec<serde_json::Value> = serde_json::from_slice(&text).unwrap();
    Some(cases.iter().map(|case| case["key"].as_str().unwrap().to_owned()).collect())
}

#[test]
fn names_that_break_clients_come_down_and_go_up_again_or_are_refused_by_name() {
    let Some(names) = shared_names() else { return };
    assert!(names.len() >= 25);
    let bench = Bench::embedded();
    for name in &names {
        bench.put(name, format!("in {name}"));
    }
    for verb in [&["cp", "--recursive"][..], &["sync"], &["s3", "cp", "--recursive"], &["s3", "sync"]] {
        let (exit, stdout, stderr) = bench.run(&[verb, &["s3://my-bucket", "in/there"]].concat());
        assert!(!bench.path("outside").exists() && fs::read_dir(bench.path("in")).unwrap().count() == 1);
        let (come, refused): (Vec<_>, Vec<_>) = names.iter().partition(|name| {
            let path = bench.path("in/there").join(name.trim_start_matches('/'));
            fs::read(path).is_ok_and(|found| found == format!("in {name}").as_bytes())
        });
        for name in &refused {
            // A line for each: what would end it is escaped.
            let escaped = |c: char| if c.is_control() { c.escape_debug().to_string() } else { c.to_string() };
            let said: String = name.chars().map(escaped).collect();
            assert!(stderr.contains(&format!("s3://my-bucket/{said}")), "{verb:?} {name:?} in {stderr}");
            assert!(!stdout.contains(&format!("s3://my-bucket/{name} to ")), "{verb:?} {name:?} in {stdout}");
        }
        // Paths that lead elsewhere, a NUL, and a name longer than a disk allows.
        assert_eq!((refused.len(), exit), (8, 1), "{verb:?} {refused:?}");
        assert_eq!(bench.tree("in/there").len(), come.len());
        let up = [verb, &["in/there", "s3://my-bucket/back", "--only-show-errors"]].concat();
        assert_eq!(bench.run(&up), (0, String::new(), String::new()), "{verb:?}");
        for name in &come {
            assert_eq!(bench.object(&format!("back/{name}")), format!("in {name}"), "{verb:?}");
        }
        let back = bench.keys().iter().filter(|key| key.starts_with("back/")).count();
        assert_eq!(back, come.len());
        bench.must(&["rm", "s3://my-bucket/back", "--recursive"]);
        fs::remove_dir_all(bench.path("in")).unwrap();
    }
}

#[test]
fn odd_names_are_json() {
    let bench = Bench::new();
    bench.put("\u{1b}]0;title\u{7}", "1");
    let json = bench.must(&["ls", "s3://my-bucket", "--json"]);
    assert!(json.contains("\\u001b]0;title\\u0007"), "{json}");
}

#[cfg(unix)]
#[test]
fn links_in_a_tree_are_no_way_out() {
    use std::os::unix::fs::symlink;
    for verb in
        [&["cp", "--recursive"][..], &["sync"], &["mv", "--recursive"], &["s3", "cp", "--recursive"], &["s3", "sync"]]
    {
        let bench = Bench::new();
        bench.put_all([("out/evil", "evil"), ("link", "new"), ("ok", "ok")]);
        fs::create_dir_all(bench.path("secret")).unwrap();
        fs::create_dir_all(bench.path("tree")).unwrap();
        bench.file("target", "old");
        symlink(bench.path("secret"), bench.path("tree/out")).unwrap();
        symlink(bench.path("target"), bench.path("tree/link")).unwrap();
        let (exit, _, stderr) = bench.run(&[verb, &["s3://my-bucket", "tree"]].concat());
        assert_eq!(exit, 2, "{verb:?} {stderr}");
        assert!(stderr.starts_with("warning: Skipping file s3://my-bucket/out/evil. "), "{verb:?} {stderr}");
        assert_eq!(fs::read_dir(bench.path("secret")).unwrap().count(), 0, "{verb:?}");
        // A link where the file belongs is replaced, or left, by a sync that takes what it leads to for the file: what it
        // led to stays.
        assert_eq!((bench.read("target"), bench.read("tree/ok")), ("old".into(), "ok".into()), "{verb:?}");
        if !verb.contains(&"sync") {
            assert_eq!(bench.read("tree/link"), "new", "{verb:?}");
        }
    }
}

#[test]
fn a_file_where_a_folder_must_be_is_said_and_the_rest_goes_on() {
    let bench = Bench::new();
    bench.put_all([("a", "file"), ("a/b", "below"), ("c", "rest"), ("d/e", "x")]);
    bench.files(&["in/d"]);
    let (exit, stdout, stderr) = bench.run(&["cp", "s3://my-bucket", "in", "--recursive"]);
    assert_eq!(exit, 2);
    assert!(stderr.contains("s3://my-bucket/d/e"), "{stderr}");
    assert!(stderr.contains("s3://my-bucket/a/b") || stderr.contains("s3://my-bucket/a. "), "{stderr}");
    assert!(stdout.contains("download: s3://my-bucket/c to in/c"), "{stdout}");
    assert_eq!((bench.read("in/d"), bench.read("in/c")), ("in/d".to_owned(), "rest".to_owned()));
}

#[test]
#[ignore = "takes a minute: a hundred thousand objects"]
fn a_hundred_thousand_objects_come_down_and_go_up_again() {
    let bench = Bench::embedded();
    for number in 0..100_000 {
        bench.file(&format!("up/{:02}/{number}", number % 100), number.to_string());
    }
    let (exit, stdout, stderr) = bench.run(&["cp", "up", "s3://my-bucket/up", "--recursive"]);
    assert_eq!((exit, stdout.lines().count(), stderr.as_str()), (0, 100_000, ""));
    bench.must(&["sync", "s3://my-bucket/up", "down"]);
    assert_eq!(bench.must(&["sync", "down", "s3://my-bucket/up"]), "");
    assert_eq!(bench.tree("up"), bench.tree("down"));
    for name in bench.tree("down") {
        assert_eq!(bench.read(&format!("down/{name}")), name.split_once('/').unwrap().1);
    }
}

#[test]
fn an_error_is_one_line_whatever_the_name() {
    let bench = Bench::embedded();
    bench.put("d/x\ny", "1");
    bench.put("d/../up\nwards", "1");
    bench.store().inject(Fault::respond(403, "AccessDenied").on(Operation::GetObject)).unwrap();
    bench.store().inject(Fault::respond(403, "AccessDenied").on(Operation::DeleteObject)).unwrap();
    for verb in [&["cp"][..], &["s3", "cp"], &["sync"]] {
        let recursive: &[&str] = if verb == ["sync"] { &[] } else { &["--recursive"] };
        let (exit, _, stderr) = bench.run(&[verb, &["s3://my-bucket/d", "in"], recursive].concat());
        let lines: Vec<_> = stderr.lines().collect();
        assert!(exit == 1 && lines.len() == 2, "{verb:?} {stderr:?}");
        let has = |text: &str| lines.iter().any(|line| line.contains(text));
        let colon = if verb[0] == "s3" { "" } else { ":" };
        assert!(has(&format!("download failed: s3://my-bucket/d/x\\ny to in/x\\ny{colon} ")), "{stderr}");
        assert!(has("Skipping file s3://my-bucket/d/../up\\nwards. "), "{stderr}");
    }
    let (exit, _, stderr) = bench.run(&["rm", "s3://my-bucket/d/x\ny"]);
    assert!(exit == 1 && stderr.starts_with("wharf: delete failed: s3://my-bucket/d/x\\ny: "), "{stderr}");
    assert!(stderr.lines().all(|line| line.starts_with("wharf: ") || line.starts_with("hint: ")), "{stderr}");
    // A backslash is one, and what controls the direction of text controls none.
    for (key, shown) in
        [("a\\b", "a\\b"), ("a\\n\u{202e}b", "a\\\\n\\u{202e}b"), ("a\u{2028}b\u{85}c", "a\\u{2028}b\\u{85}c")]
    {
        bench.put(key, "1");
        let url = format!("s3://my-bucket/{key}");
        for verb in [&["cp", "--raw"][..], &["s3", "cp"]] {
            let (exit, _, stderr) = bench.run(&[verb, &[&url, "in/"]].concat());
            let place =
                if verb[0] == "s3" { format!(" GetObject my-bucket/{shown}: ") } else { ": GetObject: ".into() };
            let said = format!("download failed: s3://my-bucket/{shown} to in/{shown}{place}");
            assert!(exit == 1 && stderr.starts_with(&said), "{stderr}");
        }
        let (exit, _, stderr) = bench.run(&["rm", &url]);
        assert!(
            exit == 1 && stderr.starts_with(&format!("wharf: delete failed: s3://my-bucket/{shown}: ")),
            "{stderr}"
        );
    }
    // Results are as they are.
    assert!(bench.must(&["ls", "s3://my-bucket/d/"]).ends_with(" x\ny\n"));
}

/// Whichever of the two gets its place, also where the folder is made while the file is on its way.
#[test]
fn of_a_file_and_a_folder_of_one_name_one_is_refused_by_name() {
    let bench = Bench::embedded();
    bench.store().inject(Fault::delay(Duration::from_millis(500)).on(Operation::GetObject).key("f")).unwrap();
    for (number, verb) in
        ["sync", "s3 sync", "cp --recursive", "s3 cp --recursive", "mv --recursive"].iter().enumerate()
    {
        for (there, refused, why) in [
            (None, "f", "f: a folder stands where the file must be"),
            (Some("f"), "f/x", "f: a file stands where a folder must be"),
        ] {
            bench.put_all([("f", "f"), ("f/x", "f/x"), ("g", "g")]);
            let folder = format!("{}{number}", there.unwrap_or("o"));
            if let Some(name) = there {
                bench.file(&format!("{folder}/{name}"), "f");
            }
            let words: Vec<_> = verb.split(' ').chain(["s3://my-bucket", &folder]).collect();
            let (exit, stdout, stderr) = bench.run(&words);
            let expected =
                format!("warning: Skipping file s3://my-bucket/{refused}. {folder}/{why}; nothing was changed\n");
            assert_eq!((exit, stderr), (2, expected), "{words:?} {stdout}");
            let left = if there.is_some() { "f" } else { "f/x" };
            assert_eq!(bench.tree(&folder), [left, "g"], "{words:?}");
            assert!(bench.keys().contains(&refused.to_owned()));
        }
    }
}

/// A shell's soft limit is for programs of old; what is allowed beyond it is taken.
#[cfg(unix)]
#[test]
fn few_open_files_are_no_obstacle_where_more_are_allowed() {
    let bench = Bench::embedded();
    let names: Vec<String> = (0..200).map(|number| format!("tree/{number:03}")).collect();
    bench.files(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let binary = env!("CARGO_BIN_EXE_wharf");
    let line = format!("ulimit -S -n 16 && {binary} cp tree s3://my-bucket/ --recursive --quiet");
    assert_eq!(bench.ran(bench.shell(&line).output().unwrap()), crate::bench::done(""));
    assert_eq!(bench.keys().len(), names.len());
}
