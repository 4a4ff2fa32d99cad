//! Every step of the quickstart, with what came back.
//!
//! `cargo run --release --example quickstart` runs it on an embedded store. Set the usual AWS variables and it runs on
//! yours.

#![allow(clippy::print_stdout, clippy::expect_used, reason = "an example")]

mod common;
#[path = "common/curl.rs"]
mod curl;

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wharf::{Body, Json, Result, Xml};

#[derive(Debug, Serialize, Deserialize)]
struct User {
    name: String,
    team: String,
}

#[tokio::main]
async fn main() -> Result<()> {
    let place = common::place().await?;
    let (s3, bucket) = (&place.s3, place.bucket.as_str());

    println!("# Buckets");
    s3.create_bucket(bucket).await?;
    println!("created {bucket} in {}", s3.get_bucket_location(bucket).await?);
    let buckets = s3.list_buckets().items().collect().await?;
    println!("{} bucket(s) in the account", buckets.len());

    println!("# Upload");
    let stored = s3.put_object(bucket, "docs/readme.txt", "Hello from wharf!").metadata("team", "blue").await?;
    println!("text, etag {}", stored.etag);
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    s3.put_object(bucket, "docs/manifest.toml", manifest.as_path()).await?;
    println!("a file");
    let user = User { name: "Ada".into(), team: "blue".into() };
    s3.put_object(bucket, "users/1.json", Json(&user)).await?;
    s3.put_object(bucket, "users/1.xml", Xml(&user)).await?;
    println!("a value as JSON and as XML");

    println!("# Download");
    println!("bytes: {}", s3.get_object(bucket, "docs/manifest.toml").bytes().await?.len());
    println!("text: {}", s3.get_object(bucket, "docs/readme.txt").text().await?);
    println!("json: {:?}", s3.get_object(bucket, "users/1.json").json::<User>().await?);
    println!("xml: {:?}", s3.get_object(bucket, "users/1.xml").xml::<User>().await?);
    let object = s3.get_object(bucket, "docs/readme.txt").await?;
    println!("head: {} bytes, {:?}, {:?}", object.content_length, object.content_type, object.metadata);
    let mut file = tokio::io::sink();
    let mut stream = s3.get_object(bucket, "docs/manifest.toml").stream().await?;
    println!("stream: {} bytes copied", tokio::io::copy(&mut stream, &mut file).await.expect("a whole body"));

    println!("# List, look, copy, delete");
    let page = s3.list_objects(bucket).prefix("docs/").max_keys(100).await?;
    for object in &page.objects {
        println!("{} ({} bytes)", object.key, object.size);
    }
    let head = s3.head_object(bucket, "docs/readme.txt").await?;
    let age = head.last_modified.and_then(|time| time.elapsed().ok()).unwrap_or_default();
    println!("written {} s ago", age.as_secs());
    s3.copy_object(bucket, "docs/readme.txt", bucket, "docs/copy.txt").await?;
    s3.delete_object(bucket, "docs/readme.txt").await?;
    println!("docs/readme.txt exists: {}", s3.object_exists(bucket, "docs/readme.txt").await?);

    println!("# Multipart upload");
    let upload = s3.create_multipart_upload(bucket, "large/video.mp4").content_type("video/mp4").await?;
    let id = upload.upload_id.as_str();
    let first = s3.upload_part(bucket, "large/video.mp4", id, 1, vec![0u8; 5 << 20]).await?;
    let last = s3.upload_part(bucket, "large/video.mp4", id, 2, Body::sized_stream(pieces(), 6)).await?;
    let done = s3.complete_multipart_upload(bucket, "large/video.mp4", id).parts([first, last]).await?;
    println!("2 parts made one object, etag {}", done.etag);

    println!("# Presigned URL");
    let link = s3.get_object(bucket, "docs/copy.txt").presign(Duration::from_secs(30 * 60)).await?;
    println!("{}", link.url);
    println!("whoever has it reads docs/copy.txt for half an hour");
    let by_curl = curl::printed(curl::command().arg(&link.url));
    match &by_curl {
        Ok(Some(text)) => println!("curl reads: {text}"),
        Ok(None) => println!("curl is not here to try it"),
        Err(_) => println!("curl cannot read it, of which more at the end"),
    }

    println!("# A profile in place of keys");
    let file = std::env::temp_dir().join(format!("{bucket}-credentials"));
    let keys = "[myAwsProfile]\naws_access_key_id = ANOTHER_KEY_ID\naws_secret_access_key = another-secret\n";
    std::fs::write(&file, keys).expect("a file of keys");
    let other = wharf::Client::builder().profile("myAwsProfile").credentials_file(&file).region("us-east-1").build()?;
    println!("{}", other.explain());
    std::fs::remove_file(&file).expect("the file of keys");

    common::remove(s3, bucket).await?;
    println!("deleted {bucket}");
    by_curl.map(drop)
}

/// A stream of bytes, as it might come from anywhere.
fn pieces() -> impl futures_util::Stream<Item = std::io::Result<&'static [u8]>> {
    futures_util::stream::iter([Ok(b"the ".as_slice()), Ok(b"en")])
}
