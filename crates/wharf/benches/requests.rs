//! What a 4 KiB PUT and GET cost the client: `cargo bench -p wharf --bench requests [-- REQUESTS]`.
//!
//! The server is another process, so the time counted is the client's alone: user and system, of all its threads. The
//! floor is a socket that writes the very bytes that wharf writes and reads the answer: no client can cost less.

#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

mod support;

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;

use bytes::Bytes;
use support::sink::{self, Sink};
use support::usage::Cpu;
use support::wire::{Wire, header};
use support::{BUCKET, ROUNDS, Result, arguments, client, median, runtime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;
use wharf::Client;

const SIZE: usize = 4096;

/// The limit that docs/performance.md names, in microseconds a request.
const LIMIT: f64 = 40.0;

/// Requests that open the connections and warm the caches, before anything is counted.
const WARM_UP: usize = 500;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Put,
    Get,
}

fn main() -> ExitCode {
    let done = match arguments().as_slice() {
        [word, scheme] if word == sink::ARGUMENT => sink::serve(scheme),
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
            println!("requests: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(requests: usize) -> Result<()> {
    let sink = Sink::start("http")?;
    let runtime = runtime()?;
    let s3 = client(&sink.url).build()?;
    println!("client CPU in microseconds a request, {requests} requests of 4 KiB, median of {ROUNDS} rounds");
    println!("{:36} {:>6} {:>6} {:>6} {:>8} {:>6}", "", "user", "system", "sum", "x floor", "limit");
    for kind in [Kind::Put, Kind::Get] {
        let bytes = sent_for(&runtime, kind)?;
        let name = if kind == Kind::Put { "PUT" } else { "GET" };
        let mut rows: Vec<Row> = [
            (Who::Floor, 1, "floor: raw socket"),
            (Who::Task, 1, "wharf, one after another in a task"),
            (Who::FloorInMain, 1, "floor: tokio's socket in main"),
            (Who::Main, 1, "wharf, one after another in main"),
            (Who::Floor, 8, "floor: raw sockets, 8 at a time"),
            (Who::Task, 8, "wharf, 8 at a time"),
        ]
        .map(|(who, at_once, what)| Row { who, at_once, what, rounds: Vec::new() })
        .into();
        // In turns, so that a noisy minute hits all alike.
        for _ in 0..ROUNDS {
            for row in &mut rows {
                let run = |count: usize| match row.who {
                    Who::Floor => floor(&sink.url, &bytes, row.at_once, count),
                    Who::FloorInMain => runtime.block_on(floor_in_main(&sink.url, &bytes, count)),
                    Who::Task => in_tasks(&runtime, &s3, kind, row.at_once, count),
                    Who::Main => runtime.block_on(requests_of(s3.clone(), kind, count)),
                };
                run(WARM_UP)?;
                let start = Cpu::now()?;
                run(requests)?;
                row.rounds.push(Cpu::since(start)?);
            }
        }
        let mut floor = f64::NAN;
        for row in rows {
            let each = |part: fn(&Cpu) -> f64| median(row.rounds.iter().map(part).collect()) / requests as f64;
            let sum = each(|cpu| cpu.total());
            print!("{name} {:32} {:6.1} {:6.1} {sum:6.1}", row.what, each(|cpu| cpu.user), each(|cpu| cpu.system));
            match row.who {
                Who::Floor | Who::FloorInMain => {
                    floor = sum;
                    println!();
                }
                _ => {
                    let verdict = match (sum > LIMIT, floor > LIMIT) {
                        (false, _) => "",
                        (true, false) => "  MISSED",
                        // A machine that can show nothing either way.
                        (true, true) => "  NOT SHOWN: the floor alone takes more",
                    };
                    println!(" {:>8.1} {LIMIT:>6.0}{verdict}", sum / floor);
                }
            }
        }
    }
    Ok(())
}

struct Row {
    who: Who,
    at_once: usize,
    what: &'static str,
    rounds: Vec<Cpu>,
}

#[derive(Clone, Copy)]
enum Who {
    Floor,
    /// wharf in a task of the runtime, as in a server's handler.
    Task,
    /// The same bytes over a socket of Tokio's, in `block_on`.
    FloorInMain,
    /// wharf in `block_on`, as in a program's `main`: whatever comes wakes a worker first, which wakes this thread.
    Main,
}

/// `count` requests, one after another.
async fn requests_of(s3: Client, kind: Kind, count: usize) -> Result<()> {
    let body = Bytes::from(vec![7; SIZE]);
    for _ in 0..count {
        match kind {
            Kind::Put => drop(s3.put_object(BUCKET, "4096", body.clone()).await?),
            Kind::Get => {
                let got = s3.get_object(BUCKET, "4096").bytes().await?;
                if got.len() != SIZE {
                    return Err(format!("{} bytes came", got.len()).into());
                }
            }
        }
    }
    Ok(())
}

fn in_tasks(runtime: &Runtime, s3: &Client, kind: Kind, at_once: usize, count: usize) -> Result<()> {
    let tasks: Vec<_> = (0..at_once).map(|_| runtime.spawn(requests_of(s3.clone(), kind, count / at_once))).collect();
    tasks.into_iter().try_for_each(|task| runtime.block_on(task)?)
}

/// The same bytes over sockets of their own, a thread each.
fn floor(url: &str, bytes: &[u8], at_once: usize, count: usize) -> Result<()> {
    let address = url.trim_start_matches("http://");
    let talk = || -> Result<()> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut wire = Wire::new(stream);
        for _ in 0..count / at_once {
            wire.stream.write_all(bytes)?;
            wire.message(|_, _| Ok(()))?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..at_once).map(|_| scope.spawn(talk)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
    })
}

async fn floor_in_main(url: &str, bytes: &[u8], count: usize) -> Result<()> {
    let mut stream = tokio::net::TcpStream::connect(url.trim_start_matches("http://")).await?;
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; 256 * 1024];
    for _ in 0..count {
        stream.write_all(bytes).await?;
        let mut filled = stream.read(&mut buffer).await?;
        // The sink sends head and body together; they may come in two pieces all the same.
        while !is_whole(&buffer[..filled]) {
            filled += stream.read(&mut buffer[filled..]).await?;
        }
    }
    Ok(())
}

fn is_whole(message: &[u8]) -> bool {
    let Some(end) = message.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let length =
        std::str::from_utf8(&message[..end]).ok().and_then(|head| header(head, "Content-Length")?.parse().ok());
    message.len() >= end + 4 + length.unwrap_or(0)
}

/// The bytes of wharf's own request, head and body.
fn sent_for(runtime: &Runtime, kind: Kind) -> Result<Vec<u8>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://localhost:{}", listener.local_addr()?.port());
    let server = thread::spawn(move || -> Result<Vec<u8>> {
        let mut sent = Vec::new();
        let mut wire = Wire::new(listener.accept()?.0);
        wire.message(|stream, head| {
            sent.extend_from_slice(head.as_bytes());
            let length = if kind == Kind::Put { 0 } else { SIZE };
            stream.write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").as_bytes())?;
            stream.write_all(&vec![0; length])
        })?;
        if kind == Kind::Put {
            sent.resize(sent.len() + SIZE, 7);
        }
        Ok(sent)
    });
    runtime.block_on(requests_of(client(&url).build()?, kind, 1))?;
    server.join().map_err(|_| "the listener panicked")?
}
