//! A large object in and out of the embedded store over TCP, beside another server where there is one:
//!
//!     scripts/with-server seaweed-cluster -- cargo bench -p wharf --bench gibibyte [-- MEBIBYTES]
//!
//! The other server is that of `WHARF_TEST_ENDPOINT`, with the keys of the environment. Both are processes of their own,
//! asked by the same client in turns.

#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

mod support;

use std::process::ExitCode;
use std::time::Instant;

use bytes::Bytes;
use futures_util::stream;
use support::usage::peak_resident_of;
use support::{BUCKET, Result, arguments, client, median, runtime, store};
use wharf::{Body, Client};

const MEBIBYTE: u64 = 1024 * 1024;

const ROUNDS: usize = 3;

fn main() -> ExitCode {
    let done = match arguments().as_slice() {
        [word] if word == store::ARGUMENT => store::serve(),
        [] => measure(1024),
        [number] => match number.parse() {
            Ok(mebibytes) if mebibytes > 0 => measure(mebibytes),
            _ => Err("the argument is how many MiB the object has, such as 1024".into()),
        },
        _ => Err("there is one argument: how many MiB the object has".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("gibibyte: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(mebibytes: u64) -> Result<()> {
    let embedded = store::Process::start()?;
    let mut servers = vec![("embedded", client(&embedded.url).unsigned_payload().build()?)];
    if let Ok(endpoint) = std::env::var("WHARF_TEST_ENDPOINT") {
        servers.push(("the other", Client::builder().endpoint(endpoint).unsigned_payload().build()?));
    }
    let runtime = runtime()?;
    println!("{mebibytes} MiB in one request, payload unsigned, MiB/s, median of {ROUNDS} rounds");
    let mut figures: Vec<[Vec<f64>; 2]> = servers.iter().map(|_| Default::default()).collect();
    for (_, s3) in &servers {
        runtime.block_on(s3.create_bucket(BUCKET).into_future())?;
    }
    for _ in 0..ROUNDS {
        for ((_, s3), [puts, gets]) in servers.iter().zip(&mut figures) {
            let s3 = s3.clone();
            let (put, get) = runtime.block_on(runtime.spawn(async move { there_and_back(&s3, mebibytes).await }))??;
            puts.push(put);
            gets.push(get);
        }
    }
    println!("{:12} {:>8} {:>8}", "", "PUT", "GET");
    for ((name, _), [puts, gets]) in servers.iter().zip(figures) {
        println!("{name:12} {:8.0} {:8.0}", median(puts), median(gets));
    }
    println!("peak memory of the embedded store: {:.0} MiB", peak_resident_of(&embedded.id())?);
    Ok(())
}

/// MiB/s in and out. The object is deleted in the end.
async fn there_and_back(s3: &Client, mebibytes: u64) -> Result<(f64, f64)> {
    let piece = Bytes::from(vec![7; MEBIBYTE as usize]);
    let pieces = stream::iter((0..mebibytes).map(move |_| Ok::<_, std::io::Error>(piece.clone())));
    let start = Instant::now();
    s3.put_object(BUCKET, "large", Body::sized_stream(pieces, mebibytes * MEBIBYTE)).await?;
    let put = mebibytes as f64 / start.elapsed().as_secs_f64();
    let start = Instant::now();
    let mut body = s3.get_object(BUCKET, "large").stream().await?;
    let mut left = mebibytes * MEBIBYTE;
    while let Some(bytes) = body.next().await {
        left -= bytes?.len() as u64;
    }
    if left > 0 {
        return Err(format!("{left} bytes are missing").into());
    }
    let get = mebibytes as f64 / start.elapsed().as_secs_f64();
    s3.delete_object(BUCKET, "large").await?;
    Ok((put, get))
}
