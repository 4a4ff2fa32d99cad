//! How much memory a gibibyte takes: the peak (Linux's VmHWM) of a process that does nothing else.

use std::fs::File;
use std::process::Command;

use wharf::Client;
use wharf::transfer::SyncPlace;
use wharf_embedded::Store;

use crate::common::{BUCKET, Child, Folder};

const GIB: u64 = 1 << 30;

/// In KiB: program, runtime and TLS library included. An unoptimised program is itself larger.
const LIMIT: u64 = if cfg!(debug_assertions) { 32 } else { 24 } * 1024;

/// What streams may hold besides, in KiB: their parts, for another attempt.
const OF_STREAMS: u64 = 64 * 1024;

/// The peak so far, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Has glibc give freed megabytes back at once, so that the peak is what was held and not the holes between. It takes
/// anything from nothing to half as much again for those, by how the parts' ends happen to follow one another.
fn env() -> Command {
    let mut env = Command::new("env");
    env.arg("MALLOC_MMAP_THRESHOLD_=1048576");
    env
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: run by ci/full"]
async fn a_gibibyte_either_way() {
    let folder = Folder::new();
    let store = Store::open(folder.path().join("store")).unwrap();
    let server = store.serve("127.0.0.1:0").await.unwrap();
    let s3 = Client::builder().transport(store.clone()).build().unwrap();
    s3.create_bucket(BUCKET).await.unwrap();
    File::create(folder.path().join("source")).unwrap().set_len(GIB).unwrap();
    for work in ["upload", "download", "stream", "reader", "sync", "copy"] {
        let keys = format!("{} {}", store.access_key_id(), store.secret_access_key());
        let argument = format!("{work} {} {keys} {}", server.endpoint(), folder.path().display());
        tokio::task::spawn_blocking(move || Child::run(Some(env()), "memory::child", &argument)).await.unwrap();
    }
    assert_eq!(s3.head_object(BUCKET, "a").await.unwrap().content_length, GIB);
    assert_eq!(std::fs::metadata(folder.path().join("target")).unwrap().len(), GIB);
}

#[tokio::test]
#[ignore = "the child of another test"]
async fn child() {
    let Some(argument) = Child::argument() else { return };
    let words: Vec<&str> = argument.split(' ').collect();
    let [work, endpoint, id, secret, folder] = words[..] else { panic!("{words:?}") };
    let folder = std::path::Path::new(folder);
    let client = || Client::builder().environment(|_| None).endpoint(endpoint).credentials(id, secret).build().unwrap();
    let s3 = client();
    let before = peak();
    match work {
        "upload" => s3.upload(BUCKET, "a", folder.join("source").as_path()).await.map(drop),
        "download" => s3.download(BUCKET, "a", folder.join("target")).await.map(drop),
        "reader" => {
            let mut reader = s3.object_reader(BUCKET, "a").await.unwrap();
            tokio::io::copy(&mut reader, &mut tokio::io::sink()).await.unwrap();
            Ok(())
        }
        "sync" => {
            let to = SyncPlace::local(folder.join("synced"));
            s3.sync(SyncPlace::bucket(BUCKET, ""), to).await.map(drop)
        }
        // Through this machine, as to another server.
        "copy" => s3.copy(BUCKET, "a", BUCKET, "c").to(&client()).await.map(drop),
        _ => {
            let file = tokio::fs::File::open(folder.join("source")).await.unwrap();
            s3.upload(BUCKET, "b", wharf::Reader::new(file)).part_size(5 << 20).await.map(drop)
        }
    }
    .unwrap();
    let peak = peak();
    println!("{work}: {} MiB, {} before it", peak >> 10, before >> 10);
    let limit = if matches!(work, "stream" | "copy") { LIMIT + OF_STREAMS } else { LIMIT };
    assert!(peak < limit, "{work}: {peak} KiB");
}
