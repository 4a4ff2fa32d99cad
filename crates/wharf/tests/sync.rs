//! Syncs of folders and buckets.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use futures_util::TryStreamExt;
use support::client_of_one_that_says;
use tempfile::TempDir;
use wharf::blocking::Wait;
use wharf::transfer::{Compare, Interrupted, PATIENCE, Reason, Sync, SyncAction, SyncPlace, Synced};
use wharf::{Client, Error, ErrorKind, Provider};
use wharf_embedded::{Fault, Operation, Personality, Store};

struct Scene {
    s3: Client,
    store: Store,
    folder: TempDir,
}

impl Scene {
    async fn new() -> Self {
        let store = Store::in_memory();
        let s3 = Client::builder().transport(store.clone()).build().unwrap();
        s3.create_bucket("my-bucket").await.unwrap();
        s3.create_bucket("your-bucket").await.unwrap();
        Self { s3, store, folder: TempDir::new().unwrap() }
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file that is a minute older than now: one of the second in which it is stored is looked at more closely.
    fn write(&self, key: &str, text: &str) {
        self.write_at(key, text, SystemTime::now() - Duration::from_secs(60));
    }

    /// Writes a file that is an hour older than now.
    fn write_old(&self, key: &str, text: &str) {
        self.write_at(key, text, SystemTime::now() - Duration::from_secs(3600));
    }

    /// Writes a file that no object is newer than, however long it takes until it is stored.
    fn write_new(&self, key: &str, text: &str) {
        self.write_at(key, text, SystemTime::now() + Duration::from_secs(3600));
    }

    fn write_at(&self, key: &str, text: &str, time: SystemTime) {
        let path = self.root().join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    }

    async fn put(&self, key: &str, text: &str) {
        self.s3.put_object("my-bucket", key, text.to_owned()).await.unwrap();
    }

    fn up(&self) -> Sync {
        self.s3.sync(self.root(), ("my-bucket", "p"))
    }

    fn down(&self) -> Sync {
        self.s3.sync(("my-bucket", "p/"), self.root())
    }

    async fn objects(&self, bucket: &str) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for object in self.s3.list(bucket).await.unwrap() {
            let text = self.s3.get_object(bucket, &object.key).text().await.unwrap();
            found.insert(object.key, text);
        }
        found
    }

    fn files(&self) -> BTreeMap<String, String> {
        fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.is_symlink() {
                    walk(root, &path, found);
                } else {
                    let key = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                    found.insert(key, fs::read_to_string(&path).unwrap_or_default());
                }
            }
        }
        let mut found = BTreeMap::new();
        walk(self.root(), self.root(), &mut found);
        found
    }

    fn asked(&self) -> Vec<&'static str> {
        let mut operations: Vec<_> = self.store.requests().iter().map(|request| request.operation).collect();
        self.store.clear_requests();
        operations.sort_unstable();
        operations
    }
}

fn map<const N: usize>(entries: [(&str, &str); N]) -> BTreeMap<String, String> {
    entries.into_iter().map(|(key, text)| (key.to_owned(), text.to_owned())).collect()
}

/// transferred, deleted, skipped, failed.
fn counts(synced: &Synced) -> [u64; 4] {
    [synced.transferred, synced.deleted, synced.skipped, synced.failed]
}

#[tokio::test]
async fn events_tell_what_arrived_and_how_much_is_known() {
    let scene = Scene::new().await;
    scene.write("a", "1");
    scene.write("b", "22");
    let mut events = scene.up().events();
    let mut seen = 0;
    while let Some(item) = events.next().await {
        let item = item.unwrap();
        assert!(item.verification.is_some_and(|verification| verification.is_verified()) && item.resumed_bytes == 0);
        seen += 1;
    }
    let progress = events.progress();
    assert_eq!((seen, events.known(), progress.parts, progress.bytes, progress.total), (2, 2, 2, 3, Some(3)));
    let mut events = scene.up().delete(true).report_skipped(true).events();
    while let Some(item) = events.next().await {
        assert!(item.unwrap().verification.is_none());
    }
    assert_eq!((events.known(), events.progress().total), (0, None));
}

#[tokio::test]
async fn what_is_new_can_be_left_out_and_can_end_it() {
    let scene = Scene::new().await;
    scene.write_old("a", "1");
    scene.write_old("b", "2");
    scene.put("p/b", "longer").await;
    scene.write_old("c", "3");
    let synced = scene.up().take_new(|key| Ok(key != "a")).await.unwrap();
    // What the target has is not asked about.
    assert_eq!(counts(&synced), [2, 0, 1, 0]);
    assert_eq!(scene.objects("my-bucket").await, map([("p/b", "2"), ("p/c", "3")]));
    // It may block, as reading a directory does.
    let here = std::thread::current().id();
    let elsewhere = move |_: &str| Ok(std::thread::current().id() == here);
    assert_eq!(counts(&scene.up().take_new(elsewhere).await.unwrap()), [0, 0, 3, 0]);
    let stop = |_: &str| Err(wharf::Error::invalid_input("no more"));
    let error = scene.up().take_new(stop).await.unwrap_err();
    assert_eq!(error.message(), "no more");
}

#[tokio::test]
async fn listings_ask_for_as_many_names_as_they_are_told() {
    let scene = Scene::new().await;
    for key in ["p/1", "p/2", "p/3"] {
        scene.put(key, "1").await;
    }
    scene.asked();
    let would = scene.down().page_size(2).dry_run(true).await.unwrap();
    assert_eq!(would.transferred, 3);
    let queries: Vec<_> = scene.store.requests().iter().map(|request| request.query.clone()).collect();
    assert!(queries.len() == 2 && queries.iter().all(|query| query.contains("max-keys=2")), "{queries:?}");
}

#[tokio::test]
async fn a_folder_goes_up_and_what_is_the_same_is_left_alone() {
    let scene = Scene::new().await;
    for (key, text) in [("a/b", "1"), ("a.b", "2"), ("a-b", "3"), ("é/ü x", "4"), ("deep/er/file.txt", "5")] {
        scene.write(key, text);
    }
    scene.put("other/x", "not ours").await;
    assert_eq!(counts(&scene.up().await.unwrap()), [5, 0, 0, 0]);
    let expected = [
        ("other/x", "not ours"),
        ("p/a-b", "3"),
        ("p/a.b", "2"),
        ("p/a/b", "1"),
        ("p/deep/er/file.txt", "5"),
        ("p/é/ü x", "4"),
    ];
    assert_eq!(scene.objects("my-bucket").await, map(expected));
    let head = scene.s3.head_object("my-bucket", "p/deep/er/file.txt").await.unwrap();
    assert_eq!(head.content_type.as_deref(), Some("text/plain"));
    scene.asked();
    assert_eq!(counts(&scene.up().delete(true).await.unwrap()), [0, 0, 5, 0]);
    assert_eq!(scene.asked(), ["ListObjectsV2"]);

    // One that was stored in the second in which it was written, and one that was written again in that second.
    let stored = scene.s3.head_object("my-bucket", "p/a-b").await.unwrap().last_modified.unwrap();
    scene.write_at("a-b", "3", stored + Duration::from_millis(900));
    scene.asked();
    assert_eq!(counts(&scene.up().await.unwrap()), [0, 0, 5, 0]);
    assert_eq!(scene.asked(), ["HeadObject", "ListObjectsV2"]);
    scene.write_at("a-b", "8", stored + Duration::from_millis(900));
    let denied = scene.store.inject(Fault::respond(403, "AccessDenied").on(Operation::HeadObject)).unwrap();
    assert_eq!(counts(&scene.up().dry_run(true).await.unwrap()), [1, 0, 4, 0]);
    denied.remove();
    assert_eq!(counts(&scene.up().await.unwrap()), [1, 0, 4, 0]);

    // One that is new, one that is larger, one that was written later, one that is gone.
    scene.write("new", "n");
    scene.write("a.b", "larger");
    scene.write("a-b", "4");
    let later = SystemTime::now() + Duration::from_secs(3600);
    File::options().write(true).open(scene.root().join("a-b")).unwrap().set_modified(later).unwrap();
    fs::remove_file(scene.root().join("a/b")).unwrap();
    let mut reasons = BTreeMap::new();
    let mut events = scene.up().delete(true).events();
    while let Some(item) = events.next().await {
        let item = item.unwrap();
        assert!(item.error.is_none());
        reasons.insert(item.key, item.action);
    }
    assert_eq!(events.skipped(), 2);
    let expected = [
        ("a-b", SyncAction::Upload(Reason::Time)),
        ("a.b", SyncAction::Upload(Reason::Size)),
        ("a/b", SyncAction::Delete),
        ("new", SyncAction::Upload(Reason::Missing)),
    ];
    assert_eq!(reasons, expected.map(|(key, action)| (key.to_owned(), action)).into());
}

#[tokio::test]
async fn a_prefix_comes_down_and_the_next_time_nothing_does() {
    let scene = Scene::new().await;
    for (key, text) in
        [("p/a/b", "1"), ("p/a.b", "2"), ("p/large", &"x".repeat(20 << 20)), ("q/no", "no"), ("p/empty", "")]
    {
        scene.put(key, text).await;
    }
    // The marker of a folder, and that of the prefix itself.
    scene.put("p/marker/", "").await;
    scene.put("p/", "").await;
    scene.asked();
    assert_eq!(counts(&scene.down().await.unwrap()), [4, 0, 0, 0]);
    assert_eq!(scene.files(), map([("a.b", "2"), ("a/b", "1"), ("empty", ""), ("large", &"x".repeat(20 << 20))]));
    scene.asked();
    for compare in [Compare::SizeAndTime, Compare::ExactTime] {
        assert_eq!(counts(&scene.down().compare(compare).delete(true).await.unwrap()), [0, 0, 4, 0], "{compare:?}");
        assert_eq!(scene.asked(), ["ListObjectsV2"]);
    }
    // What is only here is deleted when asked for; folders stay.
    scene.write("only/here", "x");
    assert_eq!(counts(&scene.down().await.unwrap()), [0, 0, 5, 0]);
    assert_eq!(counts(&scene.down().delete(true).await.unwrap()), [0, 1, 4, 0]);
    assert!(!scene.files().contains_key("only/here"));
    // Changed here: the time tells, where it counts both ways.
    scene.write_at("a.b", "9", SystemTime::now());
    assert_eq!(counts(&scene.down().await.unwrap())[0], u64::from(false));
    let file = File::options().write(true).open(scene.root().join("a.b")).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(100)).unwrap();
    assert_eq!(counts(&scene.down().compare(Compare::ExactTime).await.unwrap())[0], 1);
    assert_eq!(scene.files()["a.b"], "2");
}

#[tokio::test]
async fn n_unchanged_entries_are_n_over_a_thousand_requests() {
    let scene = Scene::new().await;
    for n in 0..2500 {
        scene.write_old(&format!("{}/{n}", n % 7), "x");
    }
    assert_eq!(counts(&scene.up().concurrency(64).await.unwrap()), [2500, 0, 0, 0]);
    scene.asked();
    assert_eq!(counts(&scene.up().delete(true).await.unwrap()), [0, 0, 2500, 0]);
    assert_eq!(scene.asked(), ["ListObjectsV2"; 3]);
    let twice = || scene.s3.sync(("my-bucket", "p"), ("your-bucket", ""));
    assert_eq!(counts(&twice().await.unwrap()), [2500, 0, 0, 0]);
    scene.asked();
    assert_eq!(counts(&twice().delete(true).await.unwrap()), [0, 0, 2500, 0]);
    assert_eq!(scene.asked(), ["ListObjectsV2"; 6]);
}

#[tokio::test]
async fn from_bucket_to_bucket() {
    let scene = Scene::new().await;
    let there = Scene::new().await;
    for (key, text) in [("p/a/b", "1"), ("p/a.b", "2"), ("p/marker/", ""), ("p/../up", "opaque")] {
        scene.s3.put_object("my-bucket", key, text.to_owned()).metadata("m", "1").await.unwrap();
    }
    let expected = map([("../up", "opaque"), ("a.b", "2"), ("a/b", "1"), ("marker/", "")]);
    assert_eq!(counts(&scene.s3.sync(("my-bucket", "p"), ("your-bucket", "")).await.unwrap()), [4, 0, 0, 0]);
    assert_eq!(scene.objects("your-bucket").await, expected);
    assert_eq!(scene.s3.head_object("your-bucket", "a.b").await.unwrap().metadata["m"], "1");
    let to = SyncPlace::bucket("your-bucket", "").of(&there.s3);
    assert_eq!(counts(&scene.s3.sync(("my-bucket", "p"), to).await.unwrap()), [4, 0, 0, 0]);
    assert_eq!(there.objects("your-bucket").await, expected);
    let from = SyncPlace::bucket("your-bucket", "").of(&there.s3);
    assert_eq!(counts(&scene.s3.sync(from, ("my-bucket", "again")).await.unwrap()), [4, 0, 0, 0]);
    assert_eq!(scene.objects("my-bucket").await["again/a.b"], "2");
    // What has bytes is no marker, also by the name of the prefix itself.
    scene.put("p/", "bytes").await;
    let again = || scene.s3.sync(("my-bucket", "p"), ("your-bucket", "q"));
    assert_eq!(counts(&again().await.unwrap()), [5, 0, 0, 0]);
    assert_eq!(counts(&again().await.unwrap()), [0, 0, 5, 0]);
    assert_eq!(scene.objects("your-bucket").await["q/"], "bytes");
    assert_eq!(scene.down().await.unwrap().failed, 2, "nor can it be a file, as little as `../up`");
    for (source, target) in [("p", "p"), ("p", "p/q"), ("", "p"), ("p/q", "p")] {
        let error = scene.s3.sync(("my-bucket", source), ("my-bucket", target)).await.unwrap_err();
        assert!(error.to_string().contains("lie in each other"), "{error}");
    }
}

#[tokio::test]
async fn bytes_decide_where_checksums_are_asked_for() {
    let scene = Scene::new().await;
    for (key, text) in [("same", "1"), ("other", "2"), ("size", "3")] {
        scene.write_old(key, text);
    }
    assert_eq!(scene.up().await.unwrap().transferred, 3);
    scene.write_old("other", "9");
    scene.write_old("size", "33");
    // The time says that nothing has changed.
    assert_eq!(counts(&scene.up().dry_run(true).await.unwrap())[0], 1);
    scene.asked();
    let up = || scene.up().compare(Compare::Checksum);
    assert_eq!(counts(&up().await.unwrap()), [2, 0, 1, 0]);
    assert_eq!(scene.asked(), ["HeadObject", "HeadObject", "ListObjectsV2", "PutObject", "PutObject"]);
    assert_eq!(counts(&scene.down().compare(Compare::Checksum).await.unwrap()), [0, 0, 3, 0]);
    let copy = || scene.s3.sync(("my-bucket", "p"), ("your-bucket", "")).compare(Compare::Checksum);
    assert_eq!(counts(&copy().await.unwrap()), [3, 0, 0, 0]);
    assert_eq!(counts(&copy().await.unwrap()), [0, 0, 3, 0]);
    scene.s3.put_object("your-bucket", "same", "x").await.unwrap();
    assert_eq!(counts(&copy().await.unwrap()), [1, 0, 2, 0]);
    assert_eq!(counts(&scene.up().compare(Compare::SizeOnly).await.unwrap()), [0, 0, 3, 0]);
}

#[tokio::test]
async fn nothing_is_written_outside_the_folder() {
    let scene = Scene::new().await;
    let root = scene.root().join("inside");
    fs::create_dir_all(root.join("real")).unwrap();
    let outside = scene.root().join("outside");
    fs::create_dir(&outside).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&outside, root.join("link")).unwrap();
    fs::write(root.join("file"), "in the way").unwrap();
    let hostile = [
        "p/../outside/x",
        "p//x",
        "p/a/../../outside/x",
        "p/./x",
        "p/a/",
        "p/file/x",
        "p/real",
        "p/a\0b",
        "p/..",
        "p/link/x",
    ];
    for key in hostile {
        scene.put(key, "evil").await;
    }
    scene.put("p/good", "good").await;
    let down = || scene.s3.sync(("my-bucket", "p"), root.as_path());
    // A dry run says so too.
    assert_eq!(down().dry_run(true).await.unwrap().failed, hostile.len() as u64);
    let synced = down().await.unwrap();
    let failed: Vec<_> = synced.failures.iter().map(|item| item.key.as_str()).collect();
    assert_eq!((synced.transferred, synced.failed), (1, hostile.len() as u64), "{failed:?}");
    for item in &synced.failures {
        assert_eq!(item.error.as_ref().unwrap().kind(), ErrorKind::InvalidInput, "{item:?}");
    }
    assert_eq!(fs::read_to_string(root.join("good")).unwrap(), "good");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    assert_eq!(fs::read_to_string(root.join("file")).unwrap(), "in the way");
    assert!(!scene.root().join("x").exists());
}

#[tokio::test]
async fn what_was_not_seen_is_not_overwritten() {
    let scene = Scene::new().await;
    scene.put("p/a", "theirs").await;
    // As of two keys that are one name on a disk, the file is there and was not listed.
    let path = scene.root().join("a");
    let down = scene.down().downloads(move |download| {
        fs::write(&path, "mine").unwrap();
        download
    });
    let synced = down.await.unwrap();
    assert_eq!(counts(&synced), [0, 0, 0, 1]);
    let error = synced.failures[0].error.as_ref().unwrap();
    assert!(error.hint().unwrap().contains("two keys may be one name"), "{error:?}");
    assert_eq!(scene.files(), map([("a", "mine")]));
}

#[tokio::test]
async fn what_is_there_can_be_kept() {
    let scene = Scene::new().await;
    for key in ["larger", "later", "same", "same size"] {
        scene.put(&format!("p/{key}"), "there").await;
    }
    scene.put("p/old", "extra").await;
    scene.write_old("larger", "larger here");
    scene.write_new("later", "later");
    scene.write_old("new", "new");
    scene.write_old("same", "there");
    scene.write_old("same size", "other");
    let keep = |key: &str| (key.to_owned(), SyncAction::Keep);
    let bring = |key: &str, action: SyncAction| (key.to_owned(), action);
    let uploaded = [keep("larger"), keep("later"), bring("new", SyncAction::Upload(Reason::Missing))];
    scene.asked();
    for dry_run in [true, false] {
        let mut events = scene.up().overwrite(false).dry_run(dry_run).events();
        let mut told = BTreeMap::new();
        while let Some(item) = events.next().await {
            let item = item.unwrap();
            assert!(item.error.is_none(), "{item:?}");
            told.insert(item.key, item.action);
        }
        assert_eq!((told, events.skipped()), (uploaded.clone().into(), 5));
    }
    assert_eq!(scene.asked(), ["ListObjectsV2", "ListObjectsV2", "PutObject"]);
    // No bytes are compared, and nothing is sent to be refused. What only the target has is another matter.
    let synced = scene.up().overwrite(false).compare(Compare::Checksum).delete(true).await.unwrap();
    assert_eq!((counts(&synced), synced.bytes), ([0, 1, 5, 0], 0));
    assert_eq!(scene.asked(), ["DeleteObjects", "ListObjectsV2"]);
    let expected = [("p/larger", "there"), ("p/later", "there"), ("p/new", "new"), ("p/same", "there")];
    let mut expected = map(expected);
    expected.insert("p/same size".to_owned(), "there".to_owned());
    assert_eq!(scene.objects("my-bucket").await, expected);

    // Files and copies as well.
    let files = scene.files();
    assert_eq!(counts(&scene.down().overwrite(false).compare(Compare::SizeOnly).await.unwrap()), [0, 0, 5, 0]);
    assert_eq!(scene.files(), files);
    scene.s3.put_object("your-bucket", "larger", "here too").await.unwrap();
    let copy = scene.s3.sync(("my-bucket", "p"), ("your-bucket", "")).overwrite(false);
    assert_eq!(counts(&copy.await.unwrap()), [4, 0, 1, 0]);
    assert_eq!(scene.objects("your-bucket").await["larger"], "here too");
    assert_eq!(counts(&scene.up().overwrite(true).await.unwrap())[0], 2);
}

/// Somebody else's write while a transfer is put together.
fn put_meanwhile(store: &Store, bucket: &str, key: &str) {
    let other = wharf::blocking::Client::builder().transport(store.clone());
    let put = || other.build_blocking().unwrap().put_object(bucket, key, "theirs").wait().unwrap();
    std::thread::scope(|scope| scope.spawn(put).join().map(drop).unwrap());
}

#[tokio::test]
async fn what_appears_meanwhile_is_kept_too() {
    let scene = Scene::new().await;
    scene.write("a", "ours");
    let store = scene.store.clone();
    let up = scene.up().overwrite(false).uploads(move |upload| {
        put_meanwhile(&store, "my-bucket", "p/a");
        upload
    });
    let synced = up.await.unwrap();
    assert_eq!(counts(&synced), [0, 0, 0, 1]);
    assert_eq!(synced.failures[0].error.as_ref().unwrap().kind(), ErrorKind::PreconditionFailed);
    assert_eq!(scene.objects("my-bucket").await, map([("p/a", "theirs")]));
}

/// The condition goes with whatever writes the object, unless that is known to ignore it.
#[tokio::test]
async fn what_is_missing_is_brought_also_where_conditions_are_ignored() {
    const MIB: u64 = 1 << 20;
    for (personality, provider, guarded) in [
        (None, Provider::Embedded, &["CompleteMultipartUpload", "CopyObject", "PutObject"][..]),
        // It keeps that of PutObject.
        (Some(Personality::Ceph), Provider::Ceph, &["PutObject"]),
        (Some(Personality::Garage), Provider::Garage, &[]),
    ] {
        let store = match personality {
            Some(personality) => Store::builder().personality(personality).build(),
            None => Store::in_memory(),
        };
        let client = || Client::builder().transport(store.clone()).provider(provider).build().unwrap();
        let (s3, folder) = (client(), TempDir::new().unwrap());
        s3.create_bucket("my-bucket").await.unwrap();
        let sizes = [("kept", 1), ("parts", 12 * MIB), ("whole", 11 * MIB)];
        for (name, size) in sizes {
            File::create(folder.path().join(name)).unwrap().set_len(size).unwrap();
        }
        let to = |prefix: &str| SyncPlace::bucket("my-bucket", prefix);
        for prefix in ["up", "copy", "through"] {
            s3.put_object("my-bucket", format!("{prefix}/kept"), "there").await.unwrap();
        }
        let up =
            s3.sync(folder.path(), to("up")).uploads(|upload| upload.part_size(6 * MIB).multipart_threshold(12 * MIB));
        let copy = s3.sync(to("up"), to("copy")).copies(|copy| copy.part_size(6 * MIB).multipart_threshold(12 * MIB));
        // From one client to another all goes through here, in parts from 16 MiB on.
        let through = s3.sync(to("up").of(&client()), to("through"));
        for (sync, requests) in [
            (up, &["CompleteMultipartUpload", "PutObject"][..]),
            (copy, &["CompleteMultipartUpload", "CopyObject"]),
            (through, &["PutObject", "PutObject"]),
        ] {
            store.clear_requests();
            let synced = sync.overwrite(false).compare(Compare::SizeOnly).await.unwrap();
            assert_eq!((synced.transferred, synced.failed, synced.skipped), (2, 0, 1), "{provider} {synced:?}");
            let mut wrote = Vec::new();
            for request in store.requests() {
                if ["CompleteMultipartUpload", "CopyObject", "PutObject"].contains(&request.operation) {
                    let has = request.headers.contains_key("if-none-match");
                    assert_eq!(has, guarded.contains(&request.operation), "{provider} {request:?}");
                    wrote.push(request.operation);
                }
            }
            wrote.sort_unstable();
            assert_eq!(wrote, requests, "{provider}");
        }
    }
}

/// Else it would be taken for missing, and this store ignores the condition.
#[tokio::test]
async fn what_comes_out_of_order_is_kept_too() {
    let store = Store::builder().personality(Personality::Garage).build();
    let s3 = Client::builder().transport(store.clone()).build().unwrap();
    s3.create_bucket("my-bucket").await.unwrap();
    let folder = TempDir::new().unwrap();
    for n in 0..100 {
        s3.put_object("my-bucket", format!("{n:03}"), "there").await.unwrap();
        fs::write(folder.path().join(format!("{n:03}")), "larger here").unwrap();
    }
    store.inject(Fault::shuffle_listing(7).on(Operation::ListObjectsV2)).unwrap();
    store.clear_requests();
    let synced = s3.sync(folder.path(), ("my-bucket", "")).overwrite(false).await.unwrap();
    assert_eq!(counts(&synced), [0, 0, 100, 0]);
    let asked: Vec<_> = store.requests().iter().map(|request| request.operation).collect();
    assert_eq!(asked, ["ListObjectsV2"]);
}

/// An object that is called like the rest of a download takes no other's place, and the rest goes on.
#[tokio::test]
async fn what_is_called_like_the_rest_of_a_download_stays_where_it_is() {
    let scene = Scene::new().await;
    let ours = [("b", "1"), ("dir.wharf-part/x", "2")];
    for (key, text) in ours.into_iter().chain([("b.wharf-part", "a part"), ("b.wharf-journal", "a journal")]) {
        scene.write_old(key, text);
    }
    // They are files like others in a source.
    assert_eq!(counts(&scene.up().await.unwrap()), [4, 0, 0, 0]);
    for key in ["b", "b.wharf-part", "b.wharf-journal", "dir.wharf-part/x"] {
        fs::remove_file(scene.root().join(key)).unwrap();
    }
    for (dry_run, expected) in [(true, [2, 0, 0, 2]), (false, [2, 0, 0, 2]), (false, [0, 0, 2, 2])] {
        let synced = scene.down().delete(true).dry_run(dry_run).await.unwrap();
        assert_eq!(counts(&synced), expected, "{synced:?}");
        for item in &synced.failures {
            let error = item.error.as_ref().unwrap();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains("a name that is kept for downloads that are not whole"), "{error}");
        }
    }
    assert_eq!(scene.files(), map(ours));
}

/// The file is opened for its time before it has permissions that say no to that.
#[cfg(unix)]
#[tokio::test]
async fn a_file_that_nobody_may_write_gets_its_time() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new().await;
    scene.put("p/a", "1").await;
    let stored = scene.s3.head_object("my-bucket", "p/a").await.unwrap().last_modified.unwrap();
    let synced = scene.down().downloads(|download| download.mode(0o444)).await.unwrap();
    assert_eq!((counts(&synced), synced.bytes), ([1, 0, 0, 0], 1), "{synced:?}");
    let found = fs::metadata(scene.root().join("a")).unwrap();
    assert_eq!((found.permissions().mode() & 0o7777, found.modified().unwrap()), (0o444, stored));
    // The time that the metadata has, where that is wanted.
    let put = scene.s3.put_object("my-bucket", "p/b", "2").metadata("mtime", "1234567890").metadata("mode", "33060");
    put.await.unwrap();
    let synced = scene.down().downloads(|download| download.preserve_modified(true)).await.unwrap();
    assert_eq!(counts(&synced), [1, 0, 1, 0], "{synced:?}");
    let found = fs::metadata(scene.root().join("b")).unwrap();
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_234_567_890);
    assert_eq!((found.permissions().mode() & 0o7777, found.modified().unwrap()), (0o444, then));
}

/// What is copied would be copied again, deeper each time.
#[tokio::test]
async fn ends_that_lie_in_each_other_are_seen_through_other_clients() {
    let scene = Scene::new().await;
    scene.put("a", "1").await;
    let other = Client::builder().transport(scene.store.clone()).build().unwrap();
    let of_other = |bucket: &str, prefix: &str| SyncPlace::bucket(bucket, prefix).of(&other);
    for (source, target) in [
        (of_other("my-bucket", ""), SyncPlace::bucket("my-bucket", "backup")),
        (SyncPlace::bucket("my-bucket", "backup"), of_other("my-bucket", "")),
        (of_other("my-bucket", ""), of_other("my-bucket", "backup")),
    ] {
        let error = scene.s3.sync(source, target).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("lie in each other"), "{error}");
    }
    // Two buckets of one name, as tenants of a server have them, cannot be told from one: there is nothing that would go deeper.
    assert_eq!(counts(&scene.s3.sync(of_other("my-bucket", ""), ("my-bucket", "")).await.unwrap()), [0, 0, 1, 0]);
    assert_eq!(
        counts(&scene.s3.sync(of_other("my-bucket", ""), ("your-bucket", "backup")).await.unwrap()),
        [1, 0, 0, 0]
    );
    // Nor can one that another name of the server leads to, but by what is in it.
    let elsewhere = |store: &Store| {
        let client = Client::builder().transport(store.clone()).endpoint("http://elsewhere.test").build().unwrap();
        (SyncPlace::bucket("my-bucket", "").of(&client), client)
    };
    let backup = || ("my-bucket", "backup");
    let error = scene.s3.sync(elsewhere(&scene.store).0, backup()).dry_run(true).await.unwrap_err();
    assert!(error.to_string().contains("lie in each other"), "{error}");
    let (place, client) = elsewhere(&Store::in_memory());
    client.create_bucket("my-bucket").await.unwrap();
    client.put_object("my-bucket", "a", "another").await.unwrap();
    let would = scene.s3.sync(place, backup()).dry_run(true).await.unwrap();
    assert_eq!(would.transferred, 1);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_that_leads_nowhere_is_named() {
    let scene = Scene::new().await;
    std::os::unix::fs::symlink("nowhere", scene.root().join("a")).unwrap();
    scene.put("p/a", "theirs").await;
    for follow in [true, false] {
        let synced = scene.down().follow_symlinks(follow).await.unwrap();
        assert_eq!(counts(&synced), [0, 0, 0, 1]);
        let error = synced.failures[0].error.as_ref().unwrap();
        assert!(error.hint().unwrap().contains("symbolic link"), "{error:?}");
        assert!(scene.root().join("a").is_symlink() && !scene.root().join("nowhere").exists());
    }
}

#[cfg(unix)]
#[tokio::test]
async fn links_of_the_target_lead_to_no_delete() {
    let scene = Scene::new().await;
    let (root, outside) = (scene.root().join("inside"), scene.root().join("outside"));
    fs::create_dir_all(&root).unwrap();
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("precious"), "x").unwrap();
    std::os::unix::fs::symlink(&outside, root.join("link")).unwrap();
    std::os::unix::fs::symlink(outside.join("precious"), root.join("one")).unwrap();
    scene.put("p/good", "good").await;
    let down = || scene.s3.sync(("my-bucket", "p"), root.as_path()).delete(true);
    for dry_run in [true, false] {
        assert_eq!(down().follow_symlinks(false).dry_run(dry_run).await.unwrap().deleted, 0);
    }
    assert!(root.join("one").is_symlink());
    fs::remove_file(root.join("good")).unwrap();
    let synced = down().await.unwrap();
    // The link to a file is one, unless links are left alone; what it leads to is not touched.
    assert_eq!(counts(&synced), [1, 1, 0, 0]);
    assert_eq!(fs::read_to_string(outside.join("precious")).unwrap(), "x");
    assert!(root.join("link").is_symlink());
}

#[cfg(unix)]
#[tokio::test]
async fn what_has_no_key_is_named_and_the_rest_goes_on() {
    use std::os::unix::ffi::OsStrExt;
    let scene = Scene::new().await;
    scene.write("a", "1");
    scene.write("z", "2");
    fs::write(scene.root().join(std::ffi::OsStr::from_bytes(b"m\xff")), "x").unwrap();
    std::os::unix::fs::symlink("nowhere", scene.root().join("broken")).unwrap();
    scene.put("p/old", "x").await;
    let synced = scene.up().delete(true).await.unwrap();
    // What a broken link stands for may be what is at the target: nothing is deleted.
    assert_eq!((counts(&synced), synced.withheld), ([2, 0, 0, 2], 1));
    assert_eq!(synced.failures[0].action, SyncAction::Read);
    let synced = scene.up().delete(true).follow_symlinks(false).await.unwrap();
    assert_eq!((counts(&synced), synced.withheld), ([0, 1, 2, 1], 0));
}

/// What got another name and could not be stored under it would be nowhere.
#[tokio::test]
async fn nothing_is_deleted_where_something_could_not_be_transferred() {
    let scene = Scene::new().await;
    scene.write("new", "1");
    scene.put("p/old", "1").await;
    for (status, code) in [(400, "KMS.DisabledException"), (412, "PreconditionFailed")] {
        let refused = scene.store.inject(Fault::respond(status, code).on(Operation::PutObject)).unwrap();
        let synced = scene.up().delete(true).await.unwrap();
        assert_eq!((counts(&synced), synced.withheld), ([0, 0, 0, 1], 1));
        refused.remove();
    }
    let refused = scene.store.inject(Fault::respond(403, "AccessDenied").on(Operation::PutObject)).unwrap();
    let synced = scene.up().delete(true).delete_after_failures(true).await.unwrap();
    assert_eq!((counts(&synced), synced.withheld), ([0, 1, 0, 1], 0));
    refused.remove();
    // Nor where it was refused before it was sent, for another reason than its name.
    scene.put("p/old", "1").await;
    let synced = scene.up().delete(true).uploads(|upload| upload.cache_control("f\u{fc}r immer")).await.unwrap();
    assert_eq!(synced.failures[0].error.as_ref().unwrap().kind(), ErrorKind::InvalidInput);
    assert_eq!((counts(&synced), synced.withheld), ([0, 0, 0, 1], 1));
    // A file that is missing may be there by another spelling; this one is not.
    let refused = scene.store.inject(Fault::respond(412, "PreconditionFailed").on(Operation::GetObject)).unwrap();
    let synced = scene.down().delete(true).await.unwrap();
    assert_eq!((counts(&synced), synced.withheld), ([0, 0, 0, 1], 1));
    refused.remove();
    scene.s3.delete_object("my-bucket", "p/old").await.unwrap();
    // A copy is refused so too where its source is another by now; where its target came meanwhile, nothing is lost.
    scene.s3.put_object("my-bucket", "q/new", "1").await.unwrap();
    scene.store.inject(Fault::respond(412, "PreconditionFailed").on(Operation::CopyObject)).unwrap();
    for (meanwhile, withheld) in [("other", 1), ("new", 0)] {
        scene.s3.put_object("your-bucket", "old", "1").await.unwrap();
        let store = scene.store.clone();
        let copy = scene.s3.sync(("my-bucket", "q"), ("your-bucket", "")).overwrite(false).delete(true);
        let synced = copy.copies(move |copy| {
            put_meanwhile(&store, "your-bucket", meanwhile);
            copy
        });
        let synced = synced.await.unwrap();
        assert_eq!((synced.failed, synced.deleted > 0, synced.withheld), (1, withheld == 0, withheld), "{meanwhile}");
    }
    scene.store.clear_faults();
    // What cannot come for its name never comes.
    scene.put("p/../x", "1").await;
    scene.put("p/new", "1").await;
    scene.write("more", "1");
    let synced = scene.down().delete(true).await.unwrap();
    assert_eq!((synced.deleted, synced.failed, synced.withheld), (1, 1, 0));
    // Nor does what has too long a name for a file.
    scene.put(&format!("p/{}", "n".repeat(300)), "1").await;
    scene.write("more", "1");
    for dry_run in [true, false] {
        let synced = scene.down().delete(true).dry_run(dry_run).await.unwrap();
        assert_eq!((synced.deleted, synced.failed, synced.withheld), (1, 2, 0), "{synced:?}");
    }
    scene.s3.delete_object("my-bucket", format!("p/{}", "n".repeat(300))).await.unwrap();
    // What is in the way is told before, and not deleted after it was said that nothing was changed.
    scene.put("p/folder/below", "1").await;
    scene.write("folder", "a file");
    for dry_run in [true, false] {
        let synced = scene.down().delete(true).dry_run(dry_run).await.unwrap();
        assert_eq!((synced.deleted, synced.failed, synced.withheld), (0, 2, 1), "{synced:?}");
    }
    assert_eq!(scene.files()["folder"], "a file");
}

/// A socket is nothing to store; what was stored under its name once may still be wanted.
#[cfg(unix)]
#[tokio::test]
async fn what_stands_for_something_that_cannot_be_read_is_left_alone() {
    let scene = Scene::new().await;
    scene.write("a", "1");
    let _listening = std::os::unix::net::UnixListener::bind(scene.root().join("socket")).unwrap();
    for key in ["p/socket", "p/socket/below", "p/sockets", "p/old"] {
        scene.put(key, "x").await;
    }
    let synced = scene.up().delete(true).await.unwrap();
    assert_eq!((counts(&synced), synced.withheld), ([1, 2, 0, 1], 2));
    assert_eq!(scene.objects("my-bucket").await, map([("p/a", "1"), ("p/socket", "x"), ("p/socket/below", "x")]));
}

/// A filter that says no to a folder may say yes to what was in it.
#[cfg(unix)]
#[tokio::test]
async fn what_a_filter_lets_through_may_be_hidden_too() {
    let scene = Scene::new().await;
    scene.write("a.jpg", "1");
    scene.write("photos/b.jpg", "2");
    let up = || scene.up().filter(|key| key.ends_with(".jpg"));
    assert_eq!(counts(&up().await.unwrap()), [2, 0, 0, 0]);
    // As where the disk that a link leads to is gone.
    fs::remove_dir_all(scene.root().join("photos")).unwrap();
    std::os::unix::fs::symlink("nowhere", scene.root().join("photos")).unwrap();
    assert_eq!(counts(&up().await.unwrap()), [0, 0, 2, 0]);
    let synced = up().delete(true).await.unwrap();
    assert_eq!((counts(&synced), synced.withheld), ([0, 0, 1, 1], 1));
}

#[tokio::test]
async fn what_is_cancelled_is_undone_or_said() {
    let scene = Scene::new().await;
    for name in ["a", "b"] {
        scene.write(name, &"x".repeat(20 << 20));
    }
    scene.store.inject(Fault::delay(Duration::from_secs(3600)).on(Operation::UploadPart)).unwrap();
    let journals = TempDir::new().unwrap();
    let begun = async || {
        let folder = journals.path().to_owned();
        let mut events = scene.up().uploads(move |upload| upload.journal_dir(&folder)).events();
        let is_begun = |key: &str| {
            let requests = scene.store.requests();
            requests.iter().any(|request| request.operation == "UploadPart" && request.key == key)
        };
        while !(is_begun("p/a") && is_begun("p/b")) {
            tokio::select! {
                biased;
                item = events.next() => panic!("{item:?}"),
                () = tokio::task::yield_now() => {}
            }
        }
        events
    };
    let left = async || scene.s3.list_multipart_uploads("my-bucket").items().try_collect::<Vec<_>>().await.unwrap();
    begun().await.cancel().await.unwrap();
    assert!(left().await.is_empty());

    scene.store.clear_requests();
    scene.store.inject(Fault::respond(403, "AccessDenied").on(Operation::AbortMultipartUpload).key("p/b")).unwrap();
    let error = begun().await.cancel().await.unwrap_err();
    assert_eq!((error.kind(), error.key()), (ErrorKind::AccessDenied, Some("p/b")));
    assert_eq!(left().await.len(), 1);
    // What is left over is written down.
    let list = || Interrupted::list(journals.path()).unwrap();
    while list().first().is_none_or(|left| left.is_running) {
        tokio::task::yield_now().await;
    }
    assert_eq!(list().iter().map(|left| &*left.key).collect::<Vec<_>>(), ["p/b"]);
}

#[tokio::test]
async fn an_empty_source_deletes_nothing() {
    let scene = Scene::new().await;
    scene.put("p/a", "1").await;
    let error = scene.up().delete(true).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let synced = scene.up().await.unwrap();
    assert!(synced.source_was_empty && counts(&synced) == [0, 0, 1, 0]);
    let gone = scene.root().join("gone");
    let up = || scene.s3.sync(gone.as_path(), ("my-bucket", "p")).delete(true);
    assert!(up().await.unwrap_err().to_string().contains("does not exist"));
    assert_eq!(scene.objects("my-bucket").await.len(), 1);
    assert_eq!(counts(&up().allow_empty_source(true).await.unwrap()), [0, 1, 0, 0]);
    scene.write("here", "x");
    assert!(!scene.up().dry_run(true).await.unwrap().source_was_empty);
    let error = scene.s3.sync(("my-bucket", "nothing"), scene.root()).delete(true).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(scene.files().len(), 1);
    let error = scene.s3.sync(scene.root().join("here"), ("my-bucket", "p")).await.unwrap_err();
    assert!(error.to_string().contains("a sync is of folders"), "{error}");
    let error = scene.s3.sync(scene.root(), scene.root()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_listing_that_fails_deletes_nothing() {
    let scene = Scene::new().await;
    for n in 0..1500 {
        scene.put(&format!("p/{n:04}"), "x").await;
    }
    scene.write("0000", "x");
    scene.store.inject(Fault::respond(403, "AccessDenied").on(Operation::ListObjectsV2).nth(2)).unwrap();
    let error = scene.up().delete(true).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    assert_eq!(scene.objects("my-bucket").await.len(), 1500);
    // The other way round as well.
    scene.store.inject(Fault::respond(403, "AccessDenied").on(Operation::ListObjectsV2).nth(2)).unwrap();
    scene.write("zzzz", "x");
    assert_eq!(scene.down().delete(true).await.unwrap_err().kind(), ErrorKind::AccessDenied);
    assert!(scene.files().contains_key("zzzz"));
}

#[tokio::test]
async fn a_server_without_order_is_sorted_before_anything_is_deleted() {
    let scene = Scene::new().await;
    for n in 0..300 {
        scene.put(&format!("p/{n:03}"), "x").await;
        scene.write_old(&format!("{n:03}"), "x");
    }
    scene.put("p/zzz", "only there").await;
    scene.store.inject(Fault::shuffle_listing(7).on(Operation::ListObjectsV2)).unwrap();
    scene.asked();
    let synced = scene.up().delete(true).await.unwrap();
    assert_eq!((synced.deleted, synced.failed), (1, 0));
    let asked = scene.asked();
    assert_eq!(asked.iter().filter(|operation| **operation == "ListObjectsV2").count(), 2, "{asked:?}");
    scene.store.clear_faults();
    assert_eq!(scene.objects("my-bucket").await.len(), 300);
    // Where it is known, it is read once, and a dry run is right too.
    let s3 = Client::builder().transport(scene.store.clone()).provider(Provider::SeaweedFs).build().unwrap();
    scene.store.inject(Fault::shuffle_listing(7).on(Operation::ListObjectsV2)).unwrap();
    scene.asked();
    for dry_run in [true, false] {
        let synced = s3.sync(scene.root(), ("my-bucket", "p")).delete(true).dry_run(dry_run).await.unwrap();
        assert_eq!((counts(&synced), scene.asked()), ([0, 0, 300, 0], vec!["ListObjectsV2"]));
    }
}

/// A folder that was not there is looked at again: what came before the order ended is in it.
#[tokio::test]
async fn what_came_before_the_order_ended_is_there() {
    let scene = Scene::new().await;
    for n in 0..300 {
        scene.put(&format!("p/{n:03}"), "x").await;
    }
    scene.store.inject(Fault::shuffle_listing(7).on(Operation::ListObjectsV2).nth(2)).unwrap();
    let root = scene.root().join("new");
    let synced = scene.s3.sync(("my-bucket", "p/"), &*root).page_size(100).await.unwrap();
    assert_eq!((synced.transferred, synced.failed), (300, 0));
    assert_eq!(scene.files().len(), 300);
}

/// What seems to be missing for want of order is not sent again where the server says whose it is.
#[tokio::test]
async fn a_server_that_says_that_it_has_no_order_is_believed() {
    let scene = Scene::new().await;
    for n in 0..300 {
        scene.put(&format!("p/{n:03}"), "x").await;
        scene.write_old(&format!("{n:03}"), "x");
    }
    scene.store.inject(Fault::shuffle_listing(7).on(Operation::ListObjectsV2)).unwrap();
    let s3 = client_of_one_that_says(&scene.store, "SeaweedFS 4.48");
    scene.asked();
    let synced = s3.sync(scene.root(), ("my-bucket", "p")).await.unwrap();
    assert_eq!((counts(&synced), scene.asked()), ([0, 0, 300, 0], vec!["ListObjectsV2"]));
}

/// What was told before it came out that the order is wrong is not told again.
#[tokio::test]
async fn a_server_that_loses_its_order_midway_has_nothing_told_twice() {
    let scene = Scene::new().await;
    for n in 0..300 {
        scene.put(&format!("p/{n:03}"), "x").await;
        scene.write_old(&format!("{n:03}"), if n == 10 { "y" } else { "x" });
    }
    scene.store.inject(Fault::respond(403, "AccessDenied").on(Operation::PutObject).key("p/010")).unwrap();
    for report in [false, true] {
        scene.store.inject(Fault::shuffle_listing(7).on(Operation::ListObjectsV2).nth(2)).unwrap();
        let up = || scene.up().compare(Compare::Checksum).page_size(100).report_skipped(report);
        let mut events = up().events();
        let (mut skipped, mut failed) = (BTreeMap::<String, u32>::new(), Vec::new());
        while let Some(item) = events.next().await {
            let item = item.unwrap();
            match item.action {
                SyncAction::Skip => *skipped.entry(item.key).or_default() += 1,
                _ if item.error.is_some() => failed.push(item.key),
                _ => {}
            }
        }
        assert_eq!((failed.as_slice(), events.skipped()), (["010".to_owned()].as_slice(), 299), "{report}");
        assert_eq!((skipped.len(), skipped.values().all(|times| *times == 1)), (if report { 299 } else { 0 }, true));
    }
}

/// What each of thousands would wait for in vain, those that are under way wait for.
#[tokio::test(start_paused = true)]
async fn a_server_that_went_away_ends_it() {
    let scene = Scene::new().await;
    for n in 0..100 {
        scene.write(&format!("{n:03}"), "x");
    }
    scene.put("p/old", "x").await;
    scene.store.inject(Fault::close_request_after(0).on(Operation::PutObject)).unwrap();
    let start = tokio::time::Instant::now();
    let (failed, error) = failures(scene.up().concurrency(8).delete(true)).await;
    assert_eq!((failed, error.kind()), (8, ErrorKind::Transport));
    assert!(start.elapsed() < 2 * PATIENCE, "{:?}", start.elapsed());
    assert!(error.to_string().starts_with("stopped, for "), "{error}");
    assert_eq!(scene.objects("my-bucket").await, map([("p/old", "x")]));
}

/// Where all that is to be sent has failed, nothing is deleted one by one in vain either.
#[tokio::test(start_paused = true)]
async fn nothing_is_deleted_where_the_server_went_away() {
    let scene = Scene::new().await;
    scene.write("new", "x");
    scene.put("p/old", "x").await;
    scene.store.inject(Fault::close_request_after(0).on(Operation::PutObject)).unwrap();
    let (failed, error) = failures(scene.up().delete(true)).await;
    assert_eq!((failed, error.kind()), (1, ErrorKind::Transport));
    assert_eq!(scene.objects("my-bucket").await, map([("p/old", "x")]));
}

/// How many entries fail until it ends with an error, and with which.
async fn failures(sync: Sync) -> (u32, Error) {
    let (mut events, mut failed) = (sync.events(), 0);
    loop {
        match events.next().await.unwrap() {
            Ok(item) => failed += u32::from(item.error.is_some()),
            Err(error) => return (failed, error),
        }
    }
}

/// Objects that a server fails to take say nothing of the others.
#[tokio::test(start_paused = true)]
async fn what_one_server_answers_ends_nothing() {
    let scene = Scene::new().await;
    for n in 0..30 {
        scene.write(&format!("{n:03}"), "x");
    }
    scene.store.inject(Fault::respond(503, "ServiceUnavailable").on(Operation::PutObject).key("p/01*")).unwrap();
    let done = scene.up().concurrency(4).await.unwrap();
    assert_eq!(counts(&done), [20, 0, 0, 10]);
}

#[tokio::test]
async fn filters_dry_runs_and_options() {
    let scene = Scene::new().await;
    for key in ["a.txt", "b.log", "c/d.txt"] {
        scene.write_new(key, "x");
    }
    scene.put("p/old.log", "left alone").await;
    scene.put("p/old.txt", "deleted").await;
    let up = || scene.up().delete(true).filter(|key| key.ends_with(".txt"));
    scene.asked();
    let synced = up().dry_run(true).await.unwrap();
    assert_eq!((counts(&synced), synced.bytes), ([2, 1, 0, 0], 2));
    assert_eq!(scene.asked(), ["ListObjectsV2"]);
    let class = wharf::StorageClass::StandardIa;
    let synced = up().uploads(|upload| upload.storage_class(wharf::StorageClass::StandardIa)).await.unwrap();
    assert_eq!(counts(&synced), [2, 1, 0, 0]);
    let listed = scene.s3.list("my-bucket").await.unwrap();
    assert_eq!(
        listed.iter().map(|object| object.key.as_str()).collect::<Vec<_>>(),
        ["p/a.txt", "p/c/d.txt", "p/old.log"]
    );
    assert_eq!(listed[0].storage_class, class);
    let transfer = scene.down().report_skipped(true).start().unwrap();
    let synced = transfer.await.unwrap();
    assert_eq!(counts(&synced), [1, 0, 3, 0]);
}

#[tokio::test]
async fn one_that_fails_does_not_stop_the_others() {
    let scene = Scene::new().await;
    for key in ["a", "b", "c"] {
        scene.write(key, "x");
    }
    scene.store.inject(Fault::respond(403, "AccessDenied").on(Operation::PutObject).key("p/b")).unwrap();
    let synced = scene.up().await.unwrap();
    assert_eq!(counts(&synced), [2, 0, 0, 1]);
    assert_eq!(
        (synced.failures[0].key.as_str(), synced.failures[0].action),
        ("b", SyncAction::Upload(Reason::Missing))
    );
    let error = scene.s3.sync(scene.root(), ("nowhere", "")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchBucket);
}

#[tokio::test]
async fn without_async() {
    let scene = Scene::new().await;
    scene.write("a", "x");
    let builder = wharf::blocking::Client::builder().transport(scene.store.clone());
    let root = scene.root().to_owned();
    let synced =
        std::thread::spawn(move || builder.build_blocking().unwrap().sync(root, ("my-bucket", "p")).wait().unwrap());
    assert_eq!(counts(&synced.join().unwrap()), [1, 0, 0, 0]);
}
