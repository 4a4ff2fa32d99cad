//! A server of which a part dies in mid-transfer. `ci/full` starts the cluster, whose processes the environment names.

use std::process::Command;
use std::time::Duration;

use wharf::Client;
use wharf::transfer::Transfer;

use crate::common::{BUCKET, Folder, MIB};
use crate::support::upload::bytes;

/// The processes that hold the bytes, if there is such a cluster.
fn volume_servers() -> Option<Vec<String>> {
    let pids = std::env::var("WHARF_TEST_VOLUME_SERVERS").ok()?;
    Some(pids.split_whitespace().map(str::to_owned).collect())
}

fn kill(pid: &str) {
    assert!(Command::new("kill").args(["-KILL", pid]).status().unwrap().success());
}

/// Waits until so many MiB have been moved.
async fn until<T>(transfer: &Transfer<T>, mebibytes: u64) {
    let mut updates = transfer.updates();
    while updates.next().await.is_some_and(|progress| progress.bytes < mebibytes << 20) {}
}

/// Two copies of everything: with one of three servers dead, everything can be read, and written again where it failed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: ci/full starts one"]
async fn a_volume_server_that_is_killed_amid_transfers() {
    let Some(volumes) = volume_servers() else { return };
    let bucket = format!("{BUCKET}-{}", std::process::id());
    let s3 = Client::builder().build().unwrap();
    let folder = Folder::new();
    let data = bytes(48 * MIB).repeat(4);
    let source = folder.file("source", &data);
    s3.create_bucket(&bucket).await.unwrap();
    s3.upload(&bucket, "before", source.as_path()).part_size(5 << 20).await.unwrap();
    let patience = Duration::from_secs(120);
    let upload = s3.upload(&bucket, "during", source.as_path()).part_size(5 << 20).concurrency(4).patience(patience);
    let upload = upload.start().unwrap();
    until(&upload, 20).await;
    let download = s3.download(&bucket, "before", folder.path().join("target")).part_size(1 << 20).concurrency(4);
    let download = download.patience(patience).start().unwrap();
    until(&download, 20).await;
    println!("killed after {} up, {} down", upload.progress().bytes >> 20, download.progress().bytes >> 20);
    kill(&volumes[0]);
    match download.await {
        Ok(done) => assert!(std::fs::read(done.target).unwrap() == data, "other bytes"),
        Err(error) => {
            println!("{error}");
            assert_eq!(folder.names(), ["source"]);
        }
    }
    match upload.await {
        Ok(_) => {
            let back = s3.download(&bucket, "during", folder.path().join("back")).await.unwrap();
            assert!(std::fs::read(back.target).unwrap() == data, "other bytes");
        }
        Err(error) => {
            println!("{error}");
            assert!(!s3.object_exists(&bucket, "during").await.unwrap());
            let left = s3.list_multipart_uploads(&bucket).await.unwrap().uploads;
            assert!(left.is_empty() || error.to_string().contains("could not be aborted"), "{left:?}");
        }
    }
    // What was whole before is whole.
    let after = s3.download(&bucket, "before", folder.path().join("after")).patience(Duration::from_secs(60)).await;
    assert!(std::fs::read(after.unwrap().target).unwrap() == data, "other bytes");
}
