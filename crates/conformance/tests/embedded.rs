//! All checks on the embedded store: in process, by virtual hosts, and over TCP.

#![allow(clippy::panic, clippy::print_stdout, reason = "the report is what this prints")]

use conformance::servers::{Difference, EMBEDDED, Server};
use conformance::{Target, run};
use wharf::{AddressingStyle, Client, Provider};
use wharf_embedded::Store;

/// The store where buckets are in the host, as S3 is there.
const BY_VIRTUAL_HOSTS: Server = Server {
    differences: &[Difference {
        checks: &["key-dot-dot"],
        failure: "Bad Request",
        instead: "The path climbs out of its root, which has no bucket in it, and is refused.",
    }],
    ..EMBEDDED
};

async fn all_pass(target: &Target, server: &'static Server) {
    let reports = run(target, Some(server), "", 8, |report| println!("{report}")).await;
    let failed: Vec<_> = reports.iter().filter(|report| report.is_failure()).map(ToString::to_string).collect();
    assert!(!reports.is_empty());
    assert!(failed.is_empty(), "{} of {} checks:\n{}", failed.len(), reports.len(), failed.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_process() {
    let store = Store::in_memory();
    let (transport, id) = (store.clone(), store.access_key_id().to_owned());
    let builder = move || Client::builder().transport(store.clone());
    all_pass(&Target::new(id, builder).in_process(transport), &EMBEDDED).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_process_by_virtual_hosts() {
    let store = Store::in_memory();
    let (transport, id) = (store.clone(), store.access_key_id().to_owned());
    let builder = move || Client::builder().transport(store.clone()).addressing_style(AddressingStyle::VirtualHost);
    all_pass(&Target::new(id, builder).in_process(transport), &BY_VIRTUAL_HOSTS).await;
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
    all_pass(&Target::new(id, builder), &EMBEDDED).await;
    server.stop().await;
}
