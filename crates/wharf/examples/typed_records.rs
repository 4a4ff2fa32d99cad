//! Records whose format follows from the key: JSON, XML, and CSV row by row.

#![allow(clippy::print_stdout, reason = "an example")]

mod common;

use serde::{Deserialize, Serialize};
use wharf::{Record, Records, Result};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Reading {
    sensor: String,
    celsius: f64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let place = common::place().await?;
    let (s3, bucket) = (&place.s3, place.bucket.as_str());
    s3.create_bucket(bucket).await?;

    let reading = Reading { sensor: "roof".into(), celsius: 21.5 };
    for key in ["readings/1.json", "readings/1.xml"] {
        s3.put_object(bucket, key, Record(&reading)).await?;
        let back: Reading = s3.get_object(bucket, key).record().await?;
        println!("{key}: {back:?}");
        assert_eq!(back, reading);
    }

    let many = (0..1000).map(|n| Reading { sensor: format!("s{n}"), celsius: n as f64 / 10.0 });
    s3.put_object(bucket, "readings/all.csv", Records(many)).await?;
    let mut rows = s3.get_object(bucket, "readings/all.csv").csv::<Reading>().await?;
    let mut warmest = 0.0f64;
    while let Some(row) = rows.next().await {
        warmest = warmest.max(row?.celsius);
    }
    println!("readings/all.csv: the warmest is {warmest}");
    common::remove(s3, bucket).await
}
