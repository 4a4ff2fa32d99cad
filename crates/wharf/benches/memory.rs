//! How much memory a streamed GiB needs: `cargo bench -p wharf --bench memory [-- MEBIBYTES]`.
//!
//! Each figure is the peak of a fresh process that does nothing else (Linux's VmHWM, the program itself included); the
//! server is yet another process.

#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

mod support;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Command, ExitCode};
use std::task::{Context, Poll};
use std::time::Instant;

use support::sink::{self, Sink};
use support::usage::{Cpu, peak_resident};
use support::{BUCKET, ROUNDS, Result, arguments, client, median, runtime};
use tokio::io::{AsyncRead, ReadBuf};
use wharf::{Client, Reader};

/// The limit that docs/performance.md names, in MiB.
const LIMIT: f64 = 24.0;

const MEBIBYTE: u64 = 1024 * 1024;

/// What the fresh process is told to do.
const ARGUMENT: &str = "transfer";

const WORK: [(&str, &str, &str); 9] = [
    ("start", "http", "a client that sends nothing"),
    ("get", "http", "get, http"),
    ("put-signed", "http", "put of a reader, http, chunks signed"),
    ("put-unsigned", "http", "put of a reader, http, unsigned"),
    ("put-file", "http", "put of a file, http, signed"),
    ("put-file-unsigned", "http", "put of a file, http, unsigned"),
    ("get", "https", "get, https"),
    ("put-trailer", "https", "put of a reader, https, CRC64NVME trailer"),
    ("put-file", "https", "put of a file, https"),
];

fn main() -> ExitCode {
    let arguments = arguments();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [sink::ARGUMENT, scheme] => sink::serve(scheme),
        [ARGUMENT, work, url, certificate, size] => transfer(work, url, certificate, size),
        [] => measure(1024),
        [number] => match number.parse() {
            Ok(mebibytes) if mebibytes > 0 => measure(mebibytes),
            _ => Err("the argument is how many MiB to move, such as 1024".into()),
        },
        _ => Err("there is one argument: how many MiB to move".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("memory: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(mebibytes: u64) -> Result<()> {
    let size = mebibytes * MEBIBYTE;
    // Sparse: it takes no room on the disk.
    let file = Scratch(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("wharf-bench-body"));
    File::create(&file.0)?.set_len(size)?;
    println!("{mebibytes} MiB in one request, median of {ROUNDS} fresh processes");
    println!("{:44} {:>8} {:>6}  {:>11} {:>9}", "", "peak MiB", "limit", "CPU seconds", "seconds");
    for (work, scheme, what) in WORK {
        let sink = Sink::start(scheme)?;
        let mut figures = [const { Vec::new() }; 3];
        for _ in 0..ROUNDS {
            let child = Command::new(std::env::current_exe()?)
                .args([ARGUMENT, work, &sink.url, &sink.certificate, &size.to_string()])
                .env("WHARF_BENCH_FILE", &file.0)
                .output()?;
            let told = String::from_utf8_lossy(&child.stdout).into_owned();
            let told: Vec<f64> = told.split_whitespace().filter_map(|word| word.parse().ok()).collect();
            if !child.status.success() || told.len() != figures.len() {
                return Err(format!("{what}: {}", String::from_utf8_lossy(&child.stdout).trim()).into());
            }
            figures.iter_mut().zip(told).for_each(|(column, value)| column.push(value));
        }
        let [peak, cpu, elapsed] = figures.map(median);
        let missed = if peak > LIMIT { "  MISSED" } else { "" };
        println!("{what:44} {peak:>8.1} {LIMIT:>6.0}  {cpu:>11.2} {elapsed:>9.2}{missed}");
    }
    Ok(())
}

/// The fresh process: does one piece of work, prints its peak, its processor time and how long it took.
fn transfer(work: &str, url: &str, certificate: &str, size: &str) -> Result<()> {
    let start = Instant::now();
    let size = size.parse()?;
    let mut builder = client(url).checksum_trailers(work == "put-trailer");
    if work.ends_with("unsigned") {
        builder = builder.unsigned_payload();
    }
    if !certificate.is_empty() {
        builder = builder.root_certificates_pem(certificate);
    }
    let s3 = builder.build()?;
    // In a task, not in main: there, each buffer would wake another thread.
    let runtime = runtime()?;
    let work = work.to_owned();
    runtime.block_on(runtime.spawn(async move { carry_out(&s3, &work, size).await }))??;
    println!("{} {} {}", peak_resident()?, Cpu::now()?.total() / 1e6, start.elapsed().as_secs_f64());
    Ok(())
}

async fn carry_out(s3: &Client, work: &str, size: u64) -> Result<()> {
    match work {
        "start" => {}
        "get" => {
            let mut body = s3.get_object(BUCKET, size.to_string()).stream().await?;
            let mut left = size;
            while let Some(bytes) = body.next().await {
                left -= bytes?.len() as u64;
            }
            if left > 0 {
                return Err(format!("{left} bytes are missing").into());
            }
        }
        "put-file" | "put-file-unsigned" => {
            let path = std::env::var("WHARF_BENCH_FILE")?;
            s3.put_object(BUCKET, "file", Path::new(&path)).await?;
        }
        _ => {
            s3.put_object(BUCKET, "reader", Reader::new(Sevens { left: size }).length(size)).await?;
        }
    }
    Ok(())
}

/// A reader that costs next to nothing.
struct Sevens {
    left: u64,
}

impl AsyncRead for Sevens {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let count = self.left.min(buffer.remaining() as u64);
        self.left -= count;
        buffer.initialize_unfilled_to(count as usize).fill(7);
        buffer.advance(count as usize);
        Poll::Ready(Ok(()))
    }
}

/// A file that goes when this does.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
