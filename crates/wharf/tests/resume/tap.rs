//! A proxy that lets so many bytes pass, and then none.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};

pub(crate) struct Tap {
    url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    /// How many bytes may pass, both ways together.
    left: AtomicI64,
    dry: Notify,
    connections: Mutex<JoinSet<()>>,
    /// How often all connections were cut.
    cuts: watch::Sender<u32>,
}

impl Tap {
    /// Before the server at this URL. Closed.
    pub(crate) async fn before(endpoint: &str) -> Self {
        let server = endpoint.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared::default());
        let state = shared.clone();
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, shared, cuts) = (server.clone(), state.clone(), state.cuts.subscribe());
                state.connections.lock().unwrap().spawn(async move {
                    let Ok(server) = TcpStream::connect(server).await else { return };
                    shared.carry(client, server, cuts).await;
                });
            }
        });
        Self { url, shared, task }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Cuts all connections, and lets so many bytes pass from now on.
    pub(crate) fn open(&self, bytes: i64) {
        self.shared.connections.lock().unwrap().abort_all();
        self.shared.left.store(bytes, Ordering::Relaxed);
    }

    /// Cuts all connections, and waits until the server has closed its ends: then it has heard all that it was sent.
    pub(crate) async fn cut(&self) {
        let mut connections = std::mem::take(&mut *self.shared.connections.lock().unwrap());
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
        while connections.join_next().await.is_some() {}
    }

    /// Waits until nothing passes any more.
    pub(crate) async fn dry(&self) {
        // One that was told of before it was opened again does not count.
        while self.shared.left.load(Ordering::Relaxed) >= 0 {
            self.shared.dry.notified().await;
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    /// Until one of them closes its end, or all are cut.
    async fn carry(&self, client: TcpStream, server: TcpStream, mut cuts: watch::Receiver<u32>) {
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        tokio::select! {
            _ = cuts.changed() => {}
            () = self.pass(&mut from_client, &mut to_server) => {}
            () = self.pass(&mut from_server, &mut to_client) => {}
        }
        let _ = to_server.shutdown().await;
        while from_server.read(&mut [0; 4096]).await.is_ok_and(|count| count > 0) {}
    }

    async fn pass(&self, from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf) {
        let mut block = vec![0; 64 * 1024];
        loop {
            let Ok(count) = from.read(&mut block).await else { return };
            if count == 0 {
                return;
            }
            let left = self.left.fetch_sub(count as i64, Ordering::Relaxed);
            let passed = usize::try_from(left).unwrap_or(0).min(count);
            if to.write_all(&block[..passed]).await.is_err() {
                return;
            }
            if passed < count {
                self.dry.notify_one();
                std::future::pending::<()>().await;
            }
        }
    }
}
