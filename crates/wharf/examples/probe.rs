//! What a server really does, and a client that goes by it.

#![allow(clippy::print_stdout, reason = "an example")]

mod common;

use wharf::Result;
use wharf::provider::Condition;

#[tokio::main]
async fn main() -> Result<()> {
    let place = common::place().await?;
    let (s3, bucket) = (&place.s3, place.bucket.as_str());
    s3.create_bucket(bucket).await?;

    // A hundred small requests; what they write is removed again.
    let report = s3.probe(bucket).await?;
    print!("{report}");

    // A client built with `.habits(report.habits())` goes by what was found: it never sends a condition that is ignored.
    let habits = report.habits();
    if habits.keeps.contains(Condition::PutIfAbsent) {
        s3.put_object(bucket, "lock", "me").if_absent().await?;
        println!("the lock is ours");
    } else {
        println!("this server cannot lock: PutObject if absent is not kept");
    }
    common::remove(s3, bucket).await
}
