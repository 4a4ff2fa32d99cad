//! What a store on disk costs: a million objects, and one of a gigabyte. `docs/embedded.md` has the figures.
//!
//! `cargo bench -p wharf-embedded --bench disk [-- OBJECTS]`. Each figure is of a process of its own. Linux only, which
//! tells peak memory; the data directory is below TMPDIR and takes some hundred megabytes for a million objects.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench fails by panicking, and prints")]
#![allow(dead_code, reason = "the tests use more of their support")]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use futures_util::TryStreamExt;
use wharf_embedded::{Builder, Store};
use wharf_transport::Body;

use support::{Ask, KEY, NOW, SECRET, UNSIGNED, at, get, head, put};

#[path = "../tests/store/support.rs"]
mod support;

/// What the tests' support asks for.
mod backing {
    use super::*;

    pub(crate) fn make(builder: Builder, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Store {
        builder.clock(now).build()
    }
}

/// Writers at the same time.
const WRITERS: usize = 2000;
const PAGES: usize = 200;
const GIGABYTE: u64 = 1 << 30;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [step, path, objects] = arguments.as_slice() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(run(step, Path::new(path), objects.parse().unwrap()));
    }
    let objects = arguments.first().map_or("1000000", String::as_str);
    let directory = tempfile::tempdir().unwrap();
    for step in ["fill", "open", "kill", "open", "gigabyte"] {
        let path = directory.path().join(if step == "gigabyte" { "gigabyte" } else { "million" });
        let child = Command::new(std::env::current_exe().unwrap()).arg(step).arg(path).arg(objects).status().unwrap();
        assert!(child.success() || step == "kill", "{step} failed");
    }
}

async fn run(step: &str, path: &Path, objects: usize) {
    let began = Instant::now();
    let store = Store::builder().credentials(KEY, SECRET).clock(|| at(NOW)).open(path).unwrap();
    let opened = began.elapsed();
    match step {
        "fill" => fill(&store, objects).await,
        "kill" => {
            fill(&store, 10_000.min(objects)).await;
            println!("killed");
            std::process::abort();
        }
        "open" => {
            println!("opened in {opened:.1?}");
            list(&store, objects).await;
        }
        _ => gigabyte(&store).await,
    }
    println!("{step}: peak memory {} MiB\n", peak() / 1024);
}

fn key(number: usize) -> String {
    format!("/bucket/{:04}/object-{number:07}", number / 500)
}

async fn send(store: &Store, ask: Ask) -> (u16, usize) {
    let answer = store.handle(ask.signed().0).await;
    let status = answer.status().as_u16();
    let pieces: Vec<Bytes> = answer.into_body().try_collect().await.unwrap();
    (status, pieces.iter().map(Bytes::len).sum())
}

async fn fill(store: &Store, objects: usize) {
    send(store, put("/bucket")).await;
    let (began, next) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..WRITERS {
        let (store, next) = (store.clone(), next.clone());
        writers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= objects {
                    break;
                }
                let ask = put(&key(number)).body(vec![b'x'; 100]).set(|it| it.payload = Some(UNSIGNED.to_owned()));
                assert_eq!(send(&store, ask).await.0, 200);
            }
        });
    }
    writers.join_all().await;
    let rate = objects as f64 / began.elapsed().as_secs_f64();
    println!("put {objects} objects of 100 bytes, {WRITERS} at a time: {rate:.0} a second");
}

async fn list(store: &Store, objects: usize) {
    let mut random = fastrand::Rng::with_seed(7);
    let mut page = async |what: &str, target: &dyn Fn(usize) -> String| {
        let mut times = Vec::new();
        for _ in 0..PAGES {
            let ask = get(&target(random.usize(0..objects.saturating_sub(2000).max(1))));
            let began = Instant::now();
            let (status, bytes) = send(store, ask).await;
            times.push(began.elapsed());
            assert!(status == 200 && bytes > 0, "{status} {bytes}");
        }
        print(what, times);
    };
    page("page of 1,000 keys", &|number| {
        format!("/bucket?list-type=2&start-after={}", key(number)[8..].replace('/', "%2F"))
    })
    .await;
    page("page of 1,000 common prefixes", &|number| {
        format!("/bucket?delimiter=%2F&list-type=2&start-after={:04}", number / 1000)
    })
    .await;
    page("get of 100 bytes", &key).await;
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort();
    println!(
        "{what}: median {:.2?}, slowest of {} {:.2?}",
        times[times.len() / 2],
        times.len(),
        times[times.len() - 1]
    );
}

async fn gigabyte(store: &Store) {
    send(store, put("/bucket")).await;
    let ask = put("/bucket/big")
        .header("content-length", &GIGABYTE.to_string())
        .set(|it| it.payload = Some(UNSIGNED.to_owned()));
    let block = Bytes::from(vec![b'x'; 64 * 1024]);
    let pieces = (0..GIGABYTE / block.len() as u64).map(move |_| Ok(block.clone()));
    let request = ask.signed().0.map(|_| Body::stream(Some(GIGABYTE), futures_util::stream::iter(pieces)));
    let began = Instant::now();
    assert_eq!(store.handle(request).await.status(), 200);
    println!("put 1 GiB: {:.0} MiB/s", 1024.0 / began.elapsed().as_secs_f64());
    assert_eq!(send(store, head("/bucket/big")).await.0, 200);
    let began = Instant::now();
    let mut body = store.handle(get("/bucket/big").signed().0).await.into_body();
    let mut left = GIGABYTE;
    while let Some(bytes) = body.try_next().await.unwrap() {
        left -= bytes.len() as u64;
    }
    assert_eq!(left, 0);
    println!("get 1 GiB: {:.0} MiB/s", 1024.0 / began.elapsed().as_secs_f64());
}

/// Peak resident memory of this process, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
