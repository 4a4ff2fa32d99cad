//! Large objects in bounded memory: a reader as a body, and a body as a reader.

#![allow(clippy::print_stdout, clippy::expect_used, reason = "an example")]

mod common;

use tokio::io::{AsyncReadExt, repeat};
use wharf::{Reader, Result};

const SIZE: u64 = 64 * 1024 * 1024;

#[tokio::main]
async fn main() -> Result<()> {
    let place = common::place().await?;
    let (s3, bucket) = (&place.s3, place.bucket.as_str());
    s3.create_bucket(bucket).await?;

    // A reader whose length is known is sent as it is read: one PutObject, nothing held in memory.
    let reader = repeat(42).take(SIZE);
    let stored = s3.put_object(bucket, "big", Reader::new(reader).length(SIZE)).await?;
    println!("sent {SIZE} bytes, etag {}", stored.etag);

    // An object's body is an AsyncRead and a Stream.
    let mut object = s3.get_object(bucket, "big").await?;
    let mut buffer = vec![0; 64 * 1024];
    let mut sum = 0u64;
    loop {
        let count = object.body.read(&mut buffer).await.expect("a whole body");
        if count == 0 {
            break;
        }
        sum += buffer[..count].iter().map(|byte| u64::from(*byte)).sum::<u64>();
    }
    println!("read it back: {}", if sum == SIZE * 42 { "every byte is right" } else { "something is wrong" });

    let middle = s3.get_object(bucket, "big").range(1000..1010).bytes().await?;
    println!("ten bytes of the middle: {middle:?}");
    common::remove(s3, bucket).await
}
