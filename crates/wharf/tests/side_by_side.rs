//! Many embedded stores in one process. The only test of its program: it counts all threads and memory there are.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs;

use tokio::net::TcpStream;
use wharf::Client;
use wharf_embedded::Store;

const STORES: usize = 1000;

/// The most memory that a store with one bucket and one small object may take.
const MOST_KIB: usize = 16;

fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

fn resident_kib() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim_end_matches("kB").trim().parse().unwrap()
}

fn client(store: &Store) -> Client {
    Client::builder().transport(store.clone()).build().unwrap()
}

async fn filled(name: &str) -> Store {
    let store = Store::in_memory();
    let s3 = client(&store);
    s3.create_bucket("my-bucket").await.unwrap();
    s3.put_object("my-bucket", "name", name).await.unwrap();
    store
}

#[tokio::test]
async fn a_thousand_stores_share_nothing_and_leave_no_thread() {
    drop(filled("warm up").await);
    let (threads_before, memory_before) = (threads(), resident_kib());
    let mut stores = Vec::new();
    for number in 0..STORES {
        stores.push(filled(&number.to_string()).await);
    }
    let each = (resident_kib() - memory_before) / STORES;
    assert!(each <= MOST_KIB, "{each} KiB a store");
    for (number, store) in stores.iter().enumerate() {
        let name = client(store).get_object("my-bucket", "name").text().await.unwrap();
        assert_eq!((name, store.requests().len()), (number.to_string(), 3));
    }
    assert_eq!(threads(), threads_before);

    // Behind ports of their own: tasks of the caller's runtime, gone when they are stopped.
    let mut servers = Vec::new();
    for store in &stores[..100] {
        servers.push(store.serve("127.0.0.1:0").await.unwrap());
    }
    let addresses: Vec<_> = servers.iter().map(|server| server.local_addr()).collect();
    let mut open = Vec::new();
    for address in &addresses {
        open.push(TcpStream::connect(address).await.unwrap());
    }
    assert_eq!(threads(), threads_before);
    for server in servers {
        server.stop().await;
    }
    for address in addresses {
        assert!(TcpStream::connect(address).await.is_err());
    }
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    assert_eq!(tasks, 0, "a connection outlives its server");
    assert_eq!(threads(), threads_before);
}
