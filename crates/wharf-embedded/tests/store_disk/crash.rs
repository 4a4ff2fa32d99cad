//! A process that writes is killed, over and over: what it had acknowledged must be there and whole, and nothing of the
//! rest may be left.
//!
//! The writer is this very test binary, run again. It says on its standard output what it begins and what was
//! acknowledged, so that after the kill each key may be in one of two states at most.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use futures_util::future::join_all;
use wharf_embedded::Store;

use crate::files::files;
use crate::support::*;

/// Tells the writer its directory and its seed.
const DIRECTORY: &str = "WHARF_CRASH_DIRECTORY";
const SEED: &str = "WHARF_CRASH_SEED";

/// Writers at the same time, each with keys of its own.
const WRITERS: usize = 1000;
const KEYS: usize = 3;

#[test]
fn what_was_acknowledged_outlives_three_kills() {
    kill_and_look(3, 1500, fastrand::u64(..));
}

/// As above, often enough to trust it.
#[test]
#[ignore = "takes minutes"]
fn what_was_acknowledged_outlives_fifty_kills() {
    let seed = fastrand::u64(..);
    let acknowledged = kill_and_look(50, 6000, seed);
    // Past the test harness, which would keep it to itself.
    let note = format!(
        "\nnote: 50 kills in the middle of {WRITERS} concurrent writes, {acknowledged} objects acknowledged, none lost (seed {seed})\n"
    );
    std::io::stdout().write_all(note.as_bytes()).unwrap();
}

/// What a key holds: the number of the step that wrote it, or nothing.
type State = Option<usize>;

/// The steps of one key: the last one acknowledged, and the one begun after it.
#[derive(Debug, Default, Clone, Copy)]
struct Progress {
    acknowledged: Option<usize>,
    begun: Option<usize>,
    /// Steps acknowledged that put an object.
    puts: usize,
}

/// What a step does to its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Put,
    Multipart,
    Delete,
}

fn mix(seed: u64, key: &str, step: usize) -> fastrand::Rng {
    let sum = key.bytes().fold(seed ^ step as u64, |sum, byte| sum.wrapping_mul(0x100_0000_01b3) ^ u64::from(byte));
    fastrand::Rng::with_seed(sum)
}

fn kind(seed: u64, key: &str, step: usize) -> Kind {
    match mix(seed, key, step).u8(0..10) {
        0..6 => Kind::Put,
        6..8 => Kind::Multipart,
        _ => Kind::Delete,
    }
}

/// The bytes a step puts: within the database, or in a file.
fn content(seed: u64, key: &str, step: usize) -> Vec<u8> {
    let mut random = mix(seed, key, step);
    random.u8(0..10);
    let len = if random.bool() { random.usize(0..200) } else { random.usize(16_000..80_000) };
    let mut bytes = format!("{key} {step} ").into_bytes();
    bytes.resize(len, random.u8(..));
    bytes
}

fn after(seed: u64, key: &str, step: usize) -> State {
    (kind(seed, key, step) != Kind::Delete).then_some(step)
}

fn open(path: &Path) -> Store {
    Store::builder().credentials(KEY, SECRET).clock(|| at(NOW)).open(path).unwrap()
}

/// The writer. Without a directory it is no test at all.
#[test]
fn writer() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let seed = std::env::var(SEED).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open(Path::new(&directory));
        for bucket in ["plain", "versioned"] {
            put(&format!("/{bucket}")).send(&store).await;
        }
        let body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        put("/versioned?versioning").body(body).send(&store).await.expect(200);
        let writers = (0..WRITERS).map(|number| tokio::spawn(write(store.clone(), number, seed)));
        join_all(writers).await;
    });
}

/// Writes to its keys in turn, until it is killed.
async fn write(store: Store, number: usize, seed: u64) {
    let bucket = if number.is_multiple_of(2) { "plain" } else { "versioned" };
    for step in 0.. {
        let key = format!("{bucket}/{number:04}-{}", step % KEYS);
        say(&format!("begun {key} {step}"));
        let target = format!("/{key}");
        match kind(seed, &key, step) {
            Kind::Put => drop(put(&target).body(content(seed, &key, step)).send(&store).await.expect(200)),
            Kind::Delete => drop(delete(&target).send(&store).await.expect(204)),
            Kind::Multipart => {
                let id = post(&format!("{target}?uploads")).send(&store).await.element("UploadId").unwrap();
                let part = put(&format!("{target}?partNumber=1&uploadId={id}")).body(content(seed, &key, step));
                let etag = part.send(&store).await.expect(200).get("etag").unwrap().to_owned();
                let list = format!("<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>");
                let whole = format!("<CompleteMultipartUpload>{list}</CompleteMultipartUpload>");
                post(&format!("{target}?uploadId={id}")).body(whole).send(&store).await.expect(200);
            }
        }
        say(&format!("acknowledged {key} {step}"));
    }
}

/// One line in one piece, past the test harness.
fn say(line: &str) {
    std::io::stdout().lock().write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// Kills a writer `rounds` times in the same directory, each time before it has said `most` lines, and looks. How many
/// puts were acknowledged.
fn kill_and_look(rounds: usize, most: usize, seed: u64) -> usize {
    println!("seed {seed}");
    let directory = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut acknowledged = 0;
    for round in 0..rounds {
        let seed = seed.wrapping_add(round as u64);
        let keys = run_and_kill(directory.path(), most, seed);
        acknowledged += keys.values().map(|progress| progress.puts).sum::<usize>();
        runtime.block_on(async {
            let store = open(directory.path());
            check(&store, seed, &keys).await;
            empty(&store).await;
        });
        // The store is closed. With no object left, no file may be.
        assert_eq!(files(&directory.path().join("incoming")), Vec::<String>::new(), "round {round}, seed {seed}");
        assert_eq!(files(&directory.path().join("files")), Vec::<String>::new(), "round {round}, seed {seed}");
    }
    acknowledged
}

fn run_and_kill(directory: &Path, most: usize, seed: u64) -> BTreeMap<String, Progress> {
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args(["crash::writer", "--exact", "--nocapture"])
        .env(DIRECTORY, directory)
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = fastrand::Rng::with_seed(seed).usize(1..most);
    let mut keys = BTreeMap::<String, Progress>::new();
    let mut output = BufReader::new(writer.stdout.take().unwrap()).lines().map_while(Result::ok);
    for (count, line) in output.by_ref().enumerate() {
        note(&mut keys, seed, &line);
        if count == lines {
            // What it had said by then is still in the pipe.
            writer.kill().unwrap();
        }
    }
    assert!(!writer.wait().unwrap().success(), "the writer ended by itself");
    keys
}

fn note(keys: &mut BTreeMap<String, Progress>, seed: u64, line: &str) {
    let mut words = line.split(' ');
    let (Some(what @ ("begun" | "acknowledged")), Some(key), Some(step)) = (words.next(), words.next(), words.next())
    else {
        return;
    };
    let step: usize = step.parse().unwrap();
    let progress = keys.entry(key.to_owned()).or_default();
    match what {
        "begun" => progress.begun = Some(step),
        _ => {
            progress.acknowledged = Some(step);
            progress.puts += usize::from(kind(seed, key, step) != Kind::Delete);
        }
    }
}

/// Each key must hold what was acknowledged last, or what was begun after it; and nothing else may be listed.
async fn check(store: &Store, seed: u64, keys: &BTreeMap<String, Progress>) {
    let mut there = 0;
    for (key, progress) in keys {
        let answer = get(&format!("/{key}")).send(store).await;
        let possible = [progress.acknowledged, progress.begun].map(|step| step.and_then(|step| after(seed, key, step)));
        let found = possible.iter().any(|state| match state {
            Some(step) => answer.status == 200 && answer.body == content(seed, key, *step),
            None => answer.status == 404,
        });
        assert!(found, "{key}, {progress:?}, seed {seed}: {} with {} bytes", answer.status, answer.body.len());
        there += usize::from(answer.status == 200);
        if key.starts_with("versioned") {
            let name = key.strip_prefix("versioned/").unwrap();
            let versions = get(&format!("/versioned?prefix={name}&versions")).send(store).await.expect(200);
            let count = versions.text().matches("<Version>").count();
            assert!((progress.puts..=progress.puts + 1).contains(&count), "{key}, {progress:?}, {count}, seed {seed}");
        }
    }
    let mut listed = 0;
    for bucket in ["plain", "versioned"] {
        let mut after = String::new();
        loop {
            let page = get(&format!("/{bucket}?list-type=2&start-after={after}")).send(store).await;
            let keys = page.elements("Key");
            listed += keys.len();
            let Some(last) = keys.into_iter().next_back() else { break };
            after = last;
        }
    }
    assert_eq!(listed, there, "seed {seed}");
}

/// Removes every version and every upload; each version must be whole.
async fn empty(store: &Store) {
    for bucket in ["plain", "versioned"] {
        loop {
            let page = get(&format!("/{bucket}?versions")).send(store).await;
            let (keys, ids) = (page.elements("Key"), page.elements("VersionId"));
            if keys.is_empty() {
                break;
            }
            let versions = keys.iter().zip(ids).map(async |(key, id)| {
                let target = format!("/{bucket}/{key}?versionId={id}");
                let answer = get(&target).send(store).await;
                if answer.status == 200 {
                    let (etag, body) = (answer.get("etag").unwrap(), hex(&md5(&answer.body)));
                    assert!(etag.contains('-') || etag.trim_matches('"') == body, "{target}");
                }
                delete(&target).send(store).await.expect(204);
            });
            join_all(versions).await;
        }
        loop {
            let page = get(&format!("/{bucket}?uploads")).send(store).await;
            let (keys, ids) = (page.elements("Key"), page.elements("UploadId"));
            if keys.is_empty() {
                break;
            }
            let uploads = keys.iter().zip(ids).map(async |(key, id)| {
                delete(&format!("/{bucket}/{key}?uploadId={id}")).send(store).await.expect(204);
            });
            join_all(uploads).await;
        }
    }
}

fn md5(bytes: &[u8]) -> Vec<u8> {
    use md5::{Digest, Md5};
    Md5::digest(bytes).to_vec()
}
