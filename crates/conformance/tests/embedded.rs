//! All checks on the embedded store: in process, by virtual hosts, and over TCP.

#![allow(clippy::panic, clippy::print_stdout, reason = "the report is what this prints")]

use conformance::servers::EMBEDDED;
use conformance::{Target, run};
use wharf::{AddressingStyle, Client, Provider};
use wharf_embedded::Store;

async fn all_pass(target: &Target) {
    let reports = run(target, Some(&EMBEDDED), "", 8, |report| println!("{report}")).await;
    let failed: Vec<_> = reports.iter().filter(|report| report.is_failure()).map(ToString::to_string).collect();
    assert!(!reports.is_empty());
    assert!(failed.is_empty(), "{} of {} checks:\n{}", failed.len(), reports.len(), failed.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_process() {
    let store = Store::in_memory();
    let (transport, id) = (store.clone(), store.access_key_id().to_owned());
    let builder = move || Client::builder().transport(store.clone());
    all_pass(&Target::new(id, builder).in_process(transport)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_process_by_virtual_hosts() {
    let store = Store::in_memory();
    let (transport, id) = (store.clone(), store.access_key_id().to_owned());
    let builder = move || Client::builder().transport(store.clone()).addressing_style(AddressingStyle::VirtualHost);
    all_pass(&Target::new(id, builder).in_process(transport)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tcp() {
    let store = Store::in_memory();
    let server = store.serve("127.0.0.1:0").await.unwrap();
    let (endpoint, id) = (server.endpoint(), store.access_key_id().to_owned());
    let builder = move || {
        Client::builder()
            .endpoint(&endpoint)
            .region(store.region())
            .credentials(store.access_key_id(), store.secret_access_key())
            .provider(Provider::Embedded)
    };
    all_pass(&Target::new(id, builder)).await;
    server.stop().await;
}
