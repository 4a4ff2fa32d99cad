//! How much memory a gibibyte takes: the peak (Linux's VmHWM) of a process that does nothing else, in a cgroup that has no more,
//! pages of its files included, where this user may make one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
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
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// What a reader holds besides, in KiB: it may have two requests' worth, of 8 MiB each, and a mebibyte behind it.
const OF_A_READER: u64 = 8 * 1024;

/// In KiB.
fn limit_of(work: &str) -> u64 {
    match work {
        "stream" | "copy" => LIMIT + OF_STREAMS,
        "reader" => LIMIT + OF_A_READER,
        _ => LIMIT,
    }
}

/// Processes that together have no more than so many KiB of memory: one that cannot do with it is killed.
struct Group(PathBuf);

impl Group {
    /// `None` where this user may not make one.
    fn of(limit: u64) -> Option<Self> {
        let first = |(root, limiting): (&str, &str)| {
            let group = Self(Path::new(root).join(format!("wharf-proofs-{}", std::process::id())));
            fs::create_dir(&group.0).ok()?;
            group.write(limiting, limit << 10).ok()?;
            Some(group)
        };
        [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")]
            .into_iter()
            .find_map(first)
    }

    /// To one of the files that the system has put there.
    fn write(&self, name: &str, value: u64) -> io::Result<()> {
        OpenOptions::new().write(true).open(self.0.join(name))?.write_all(value.to_string().as_bytes())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

/// What runs the child in the group. glibc gives freed megabytes back at once there, so that the peak is what was held and not
/// the holes between. It takes anything from nothing to half as much again for those, by how the parts' ends happen to follow
/// one another.
fn within(group: Option<&Group>) -> Command {
    let mut sh = Command::new("sh");
    let joins = r#"[ -z "$0" ] || echo $$ >"$0/cgroup.procs" || exit 1; MALLOC_MMAP_THRESHOLD_=1048576 exec "$@""#;
    sh.args(["-c", joins]).arg(group.map_or(Path::new(""), |group| &group.0));
    sh
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
        let run = move || {
            let group = Group::of(limit_of(work));
            println!("{work}: {}", if group.is_some() { "in a cgroup" } else { "note: no cgroup may be made here" });
            Child::run(Some(within(group.as_ref())), "memory::child", &argument);
        };
        tokio::task::spawn_blocking(run).await.unwrap();
    }
    assert_eq!(s3.head_object(BUCKET, "a").await.unwrap().content_length, GIB);
    assert_eq!(fs::metadata(folder.path().join("target")).unwrap().len(), GIB);
}

#[tokio::test]
#[ignore = "the child of another test"]
async fn child() {
    let Some(argument) = Child::argument() else { return };
    let words: Vec<&str> = argument.split(' ').collect();
    let [work, endpoint, id, secret, folder] = words[..] else { panic!("{words:?}") };
    let folder = Path::new(folder);
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
    assert!(peak < limit_of(work), "{work}: {peak} KiB");
}
