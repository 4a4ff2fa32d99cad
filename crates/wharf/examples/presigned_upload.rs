//! A link with which somebody without keys uploads one file: here plain `curl`.

#![allow(clippy::print_stdout, clippy::expect_used, reason = "an example")]

mod common;
#[path = "common/curl.rs"]
mod curl;

use std::path::Path;
use std::time::Duration;

use wharf::{Error, Result};

#[tokio::main]
async fn main() -> Result<()> {
    let place = common::place().await?;
    let (s3, bucket) = (&place.s3, place.bucket.as_str());
    s3.create_bucket(bucket).await?;

    // What is signed is exactly what the holder must send: here a content type too.
    let link = s3
        .put_object(bucket, "inbox/report.txt", "")
        .content_type("text/plain")
        .presign(Duration::from_secs(900))
        .await?;
    println!("{} until {:?}", link.method, link.expires_at);

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let mut curl = curl::command();
    curl.arg("--upload-file").arg(&file);
    for (name, value) in &link.headers {
        curl.arg("--header").arg(format!("{name}: {}", value.to_str().expect("a header that was signed")));
    }
    let sent = curl::printed(curl.arg(&link.url));
    if let Ok(Some(_)) = sent {
        let head = s3.head_object(bucket, "inbox/report.txt").await?;
        println!("arrived: {} bytes, {:?}", head.content_length, head.content_type);
    }
    common::remove(s3, bucket).await?;
    sent?.map(drop).ok_or_else(|| Error::invalid_input("this example needs curl"))
}
