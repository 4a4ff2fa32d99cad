//! What the embedded store costs: `cargo bench -p wharf --bench embedded [-- REQUESTS]`.
//!
//! In process: a PUT and a GET of 4 KiB, by wharf and, replayed, without any client. Over TCP: small requests that were
//! signed before, from raw sockets in this process to a store in another one.

#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

mod support;

use std::io::Write;
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use support::usage::Cpu;
use support::wire::Wire;
use support::{BUCKET, ROUNDS, Result, arguments, client, median, store};
use wharf::Client;
use wharf::transport::{Body, Defaults, ResponseFuture, Transport};
use wharf_embedded::Store;

const SIZE: usize = 4096;

/// The limits that docs/performance.md names: microseconds for a PUT with its GET, requests a second.
const PAIR_LIMIT: f64 = 60.0;
const RATE_LIMIT: f64 = 15_000.0;

/// Connections at once, each with a thread that sends the next request when the last is answered.
const CONNECTIONS: usize = 8;

/// Bytes of an object in the TCP part.
const SMALL: usize = 128;

fn main() -> ExitCode {
    let done = match arguments().as_slice() {
        [word] if word == store::ARGUMENT => store::serve(),
        [] => measure(40_000),
        [number] => match number.parse() {
            Ok(requests) if requests >= 1000 => measure(requests),
            _ => Err("the argument is how many requests a round has, from 1000, such as 40000".into()),
        },
        _ => Err("there is one argument: how many requests a round has".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("embedded: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(requests: usize) -> Result<()> {
    in_process(requests)?;
    println!();
    over_tcp(requests)
}

fn in_process(pairs: usize) -> Result<()> {
    // As in a `#[tokio::test]`.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let store = Store::in_memory();
    let recorder = Recorder { store: store.clone(), heads: Arc::default() };
    let s3 = Client::builder().transport(recorder.clone()).build()?;
    runtime.block_on(s3.create_bucket(BUCKET).into_future())?;
    runtime.block_on(pairs_of(&s3, 1))?;
    let heads: Vec<_> = recorder.heads.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
    let [_, put, get] = heads.as_slice() else { return Err("three requests were expected".into()) };
    let s3 = Client::builder().transport(store.clone()).build()?;
    let mut figures = [const { Vec::new() }; 4];
    for _ in 0..ROUNDS {
        let (start, clock) = (Cpu::now()?, Instant::now());
        runtime.block_on(pairs_of(&s3, pairs))?;
        figures[0].push(Cpu::since(start)?.total());
        figures[1].push(clock.elapsed().as_secs_f64() * 1e6);
        let (start, clock) = (Cpu::now()?, Instant::now());
        runtime.block_on(replay(&store, put, get, pairs))?;
        figures[2].push(Cpu::since(start)?.total());
        figures[3].push(clock.elapsed().as_secs_f64() * 1e6);
    }
    let [cpu, wall, bare_cpu, bare_wall] = figures.map(|column| median(column) / pairs as f64);
    println!("in process: a PUT and a GET of 4 KiB, microseconds together, {pairs} pairs, median of {ROUNDS} rounds");
    println!("{:32} {:>6} {:>6} {:>6}", "", "CPU", "wall", "limit");
    let missed = if cpu > PAIR_LIMIT { "  MISSED" } else { "" };
    println!("{:32} {cpu:6.1} {wall:6.1} {PAIR_LIMIT:6.0}{missed}", "wharf and the store");
    println!("{:32} {bare_cpu:6.1} {bare_wall:6.1}", "the store alone");
    Ok(())
}

async fn pairs_of(s3: &Client, count: usize) -> Result<()> {
    let body = Bytes::from(vec![7; SIZE]);
    for _ in 0..count {
        s3.put_object(BUCKET, "4096", body.clone()).await?;
        let got = s3.get_object(BUCKET, "4096").bytes().await?;
        if got.len() != SIZE {
            return Err(format!("{} bytes came", got.len()).into());
        }
    }
    Ok(())
}

/// Keeps the heads of the requests that pass.
#[derive(Clone)]
struct Recorder {
    store: Store,
    heads: Arc<Mutex<Vec<http::request::Parts>>>,
}

impl Transport for Recorder {
    fn send(&self, request: http::Request<Body>) -> ResponseFuture {
        let (head, body) = request.into_parts();
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).push(head.clone());
        self.store.send(http::Request::from_parts(head, body))
    }

    fn defaults(&self) -> Option<Defaults> {
        self.store.defaults()
    }
}

/// The same two requests again and again, signed once.
async fn replay(store: &Store, put: &http::request::Parts, get: &http::request::Parts, count: usize) -> Result<()> {
    let body = Bytes::from(vec![7; SIZE]);
    for _ in 0..count {
        let answer = store.handle(http::Request::from_parts(put.clone(), Body::from(body.clone()))).await;
        let got = store.handle(http::Request::from_parts(get.clone(), Body::empty())).await;
        let whole = got.body().length() == Some(SIZE as u64);
        if !answer.status().is_success() || !whole {
            return Err(format!("{} and {}", answer.status(), got.status()).into());
        }
    }
    Ok(())
}

fn over_tcp(requests: usize) -> Result<()> {
    let server = store::Process::start()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let s3 = client(&server.url).build()?;
    runtime.block_on(s3.create_bucket(BUCKET).into_future())?;
    println!(
        "over TCP: {CONNECTIONS} connections, objects of {SMALL} bytes, {requests} requests, median of {ROUNDS} rounds"
    );
    println!("{:8} {:>10} {:>8} {:>22} {:>14}", "", "requests/s", "limit", "server, CPU us each", "sender's");
    for method in ["PUT", "GET"] {
        let signed = runtime.block_on(signed(&s3, method, &server.url))?;
        load(&server.url, &signed, 500)?;
        let mut figures = [const { Vec::new() }; 3];
        for _ in 0..ROUNDS {
            let (theirs, ours, clock) = (Cpu::of(&server.id())?, Cpu::now()?, Instant::now());
            load(&server.url, &signed, requests / CONNECTIONS)?;
            figures[0].push(requests as f64 / clock.elapsed().as_secs_f64());
            figures[1].push(Cpu::of(&server.id())?.minus(theirs).total() / requests as f64);
            figures[2].push(Cpu::since(ours)?.total() / requests as f64);
        }
        let [rate, theirs, ours] = figures.map(median);
        let missed = if rate < RATE_LIMIT { "  MISSED" } else { "" };
        println!("{method:8} {rate:10.0} {RATE_LIMIT:8.0} {theirs:22.1} {ours:14.1}{missed}");
    }
    Ok(())
}

/// The bytes of a presigned request for each connection, which has an object of its own.
async fn signed(s3: &Client, method: &str, url: &str) -> Result<Vec<Vec<u8>>> {
    let mut all = Vec::new();
    for number in 0..CONNECTIONS {
        let key = format!("small/{number}");
        let hour = Duration::from_secs(3600);
        let (link, body) = match method {
            "PUT" => (s3.put_object(BUCKET, key, "").presign(hour).await?, vec![7; SMALL]),
            _ => (s3.get_object(BUCKET, key).presign(hour).await?, Vec::new()),
        };
        let path = link.url.strip_prefix(url).ok_or("the link is to another server")?;
        let host = url.trim_start_matches("http://");
        let mut bytes = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in &link.headers {
            if name != http::header::HOST {
                bytes += &format!("{name}: {}\r\n", value.to_str()?);
            }
        }
        bytes += "\r\n";
        let mut bytes = bytes.into_bytes();
        bytes.extend_from_slice(&body);
        all.push(bytes);
    }
    Ok(all)
}

/// Sends each request `count` times over a connection of its own.
fn load(url: &str, signed: &[Vec<u8>], count: usize) -> Result<()> {
    let address = url.trim_start_matches("http://");
    let talk = |bytes: &[u8]| -> Result<()> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut wire = Wire::new(stream);
        for _ in 0..count {
            wire.stream.write_all(bytes)?;
            wire.message(|_, head| match head.starts_with("HTTP/1.1 200 ") {
                true => Ok(()),
                false => Err(std::io::Error::other(head.to_owned())),
            })?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = signed.iter().map(|bytes| scope.spawn(|| talk(bytes))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
    })
}
