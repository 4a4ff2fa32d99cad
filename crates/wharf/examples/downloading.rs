//! Downloads of any size: into a file with its progress, into memory, into a writer; and an object read like a file.

#![allow(clippy::print_stdout, reason = "an example")]

mod common;

use std::io::SeekFrom;

use tokio::io::{AsyncReadExt, AsyncSeekExt};
use wharf::transfer::{Memory, Writer};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let place = common::place().await?;
    let (s3, bucket) = (&place.s3, place.bucket.as_str());
    s3.create_bucket(bucket).await?;
    s3.put_object(bucket, "numbers", "0123456789".repeat(4_000_000)).await?;
    let file = std::env::temp_dir().join(format!("wharf-example-{}", std::process::id()));

    // Several requests at a time. The file is there whole or not at all; a handle tells how far it is, and cancels.
    let transfer = s3.download(bucket, "numbers", &file).preserve_modified(true).start()?;
    println!("{:?} bytes so far", transfer.progress().bytes);
    let done = transfer.await?;
    println!("{} bytes in {}, {}", done.size, done.target.display(), done.verification);
    std::fs::remove_file(&file)?;

    // Memory gives the bytes, and a writer is given back.
    let bytes = s3.download(bucket, "numbers", Memory).range(10..20).await?.target;
    println!("ten of them: {bytes:?}");
    let written = s3.download(bucket, "numbers", Writer(tokio::io::sink())).await?;
    println!("{} bytes written in order, {}", written.size, written.verification);

    // As a file that is read where one likes: ranges of one object, fetched ahead.
    let mut reader = s3.object_reader(bucket, "numbers").await?;
    reader.seek(SeekFrom::End(-5)).await?;
    let mut last = String::new();
    reader.read_to_string(&mut last).await?;
    println!("the last of {}: {last}", reader.len());
    Ok(common::remove(s3, bucket).await?)
}
