//! A large file into a bucket: watched while it moves, verified when it is there, and one that is given up.

#![allow(clippy::print_stdout, reason = "an example")]

mod common;

use wharf::transfer::Progress;
use wharf::{Error, ErrorKind, Result};

fn show(now: Progress) {
    // A part counts when all of it is stored; until then its bytes are in flight.
    let percent = now.total.map_or(0, |total| 100 * (now.bytes + now.in_flight).min(total) / total.max(1));
    let megabytes = now.average_rate() / 1e6;
    println!(
        "{percent:>3} %  {} bytes in {} parts, {megabytes:.0} MB/s, {} retries",
        now.bytes, now.parts, now.retries
    );
}

#[tokio::main]
async fn main() -> Result<()> {
    let place = common::place().await?;
    let (s3, bucket) = (&place.s3, place.bucket.as_str());
    s3.create_bucket(bucket).await?;
    let file = tempfile::NamedTempFile::new().and_then(|file| file.as_file().set_len(100_000_000).map(|()| file));
    let file = file.map_err(|error| Error::new(ErrorKind::Body, error.to_string()))?;

    // Whatever put_object has can be said here too, and holds at every size.
    let upload = s3.upload(bucket, "video.mp4", file.path()).metadata("team", "blue").if_absent().verify(true);
    let transfer = upload.start()?;
    let mut updates = transfer.updates();
    while let Some(now) = updates.next().await {
        show(now);
    }
    let uploaded = transfer.await?;
    println!("{} bytes in {} parts, {}", uploaded.size, uploaded.parts, uploaded.verification);

    // One that is cancelled leaves nothing behind.
    let transfer = s3.upload(bucket, "never", file.path()).start()?;
    transfer.cancel().await?;
    let left = s3.list_multipart_uploads(bucket).items().collect().await?;
    println!("uploads left over: {}", left.len());
    common::remove(s3, bucket).await
}
