//! All checks on the server that the environment names:
//!
//! | variable | |
//! |---|---|
//! | `WHARF_TEST_ENDPOINT` | its URL; without it nothing is run |
//! | `WHARF_TEST_REGION` | the region to sign for, `us-east-1` by default |
//! | `WHARF_TEST_PROVIDER` | whose table of differences holds, such as `seaweedfs`; none by default |
//! | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` | its keys |
//!
//! A word on the command line picks the checks whose name contains it.

#![allow(clippy::panic, clippy::print_stdout, reason = "the report is what this prints")]

use std::env;
use std::process::ExitCode;

use conformance::servers::Server;
use conformance::{Target, run};
use wharf::{Client, ClientBuilder, Provider};

const AT_ONCE: usize = 4;

#[tokio::main]
async fn main() -> ExitCode {
    let Ok(endpoint) = env::var("WHARF_TEST_ENDPOINT") else {
        println!("no WHARF_TEST_ENDPOINT: skipped");
        return ExitCode::SUCCESS;
    };
    let provider = env::var("WHARF_TEST_PROVIDER").unwrap_or_default();
    let server = Server::named(&provider);
    match server {
        Some(server) => println!("{endpoint}, with what is known of {}", server.version),
        None => println!("{endpoint}, of which nothing is known"),
    }
    let region = env::var("WHARF_TEST_REGION").unwrap_or_else(|_| "us-east-1".to_owned());
    let target =
        Target::new(env::var("AWS_ACCESS_KEY_ID").unwrap_or_default(), move || client(&endpoint, &region, &provider));
    let filter = env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();

    let reports = run(&target, server, &filter, AT_ONCE, |report| println!("{report}")).await;
    let failed: Vec<_> = reports.iter().filter(|report| report.is_failure()).collect();
    println!("\n{} checks, {} failed", reports.len(), failed.len());
    failed.iter().for_each(|report| println!("{report}"));
    if failed.is_empty() && !reports.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn client(endpoint: &str, region: &str, provider: &str) -> ClientBuilder {
    let provider = match provider {
        "embedded" => Provider::Embedded,
        "seaweedfs" => Provider::SeaweedFs,
        "garage" => Provider::Garage,
        "ceph" => Provider::Ceph,
        "moto" => Provider::Moto,
        "rclone" => Provider::Rclone,
        _ => Provider::Other,
    };
    // What the server does is the question, not what is known of it.
    Client::builder().endpoint(endpoint).region(region).provider(provider).assume_conditions()
}
