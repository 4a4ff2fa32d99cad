//! Two writers, one object: neither overwrites what it has not seen.

#![allow(clippy::print_stdout, reason = "an example")]

mod common;

use wharf::{ErrorKind, Result};

#[tokio::main]
async fn main() -> Result<()> {
    let place = common::place().await?;
    let (s3, bucket) = (&place.s3, place.bucket.as_str());
    s3.create_bucket(bucket).await?;

    // A lock: the first one gets it.
    s3.put_object(bucket, "lock", "me").if_absent().await?;
    match s3.put_object(bucket, "lock", "you").if_absent().await {
        Err(error) if error.kind() == ErrorKind::PreconditionFailed => println!("the lock is taken"),
        other => println!("this server ignores conditions: {other:?}"),
    }

    // A counter: read, change, write only if nobody else did meanwhile, else start over.
    s3.put_object(bucket, "counter", "0").await?;
    let add_one = async || -> Result<u32> {
        loop {
            let object = s3.get_object(bucket, "counter").await?;
            let etag = object.etag.clone();
            let next = object.text().await?.parse::<u32>().unwrap_or(0) + 1;
            match s3.put_object(bucket, "counter", next.to_string()).if_match(&etag).await {
                Ok(_) => return Ok(next),
                // Somebody has written it since, or is writing it now.
                Err(error) if error.kind() == ErrorKind::PreconditionFailed || error.kind().is_conflict() => continue,
                Err(error) => return Err(error),
            }
        }
    };
    let (a, b, c) = tokio::try_join!(add_one(), add_one(), add_one())?;
    println!("three writers counted {a}, {b} and {c}");
    println!("the counter is {}", s3.get_object(bucket, "counter").text().await?);
    common::remove(s3, bucket).await
}
