//! What the benches need: servers in processes of their own, and what a process has used.

#![allow(dead_code, unreachable_pub, reason = "each bench is a crate and uses a part of it")]

pub mod sink;
pub mod store;
pub mod usage;
pub mod wire;

use std::error::Error;

use wharf::Client;

pub type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

pub const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";

pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

pub const BUCKET: &str = "bench-bucket";

/// How often everything is measured. The middle one is shown: other programs only ever add time.
pub const ROUNDS: usize = 5;

/// A client as anybody would set it up for a server at `url`.
pub fn client(url: &str) -> wharf::ClientBuilder {
    Client::builder().endpoint(url).region("us-east-1").credentials(KEY_ID, SECRET).environment(|_| None)
}

/// The runtime that `#[tokio::main]` makes on a machine with two cores.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The arguments, without `--bench`, which Cargo adds.
pub fn arguments() -> Vec<String> {
    std::env::args().skip(1).filter(|argument| argument != "--bench").collect()
}
