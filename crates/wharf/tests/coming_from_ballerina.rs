//! The README's table "Coming from the Ballerina connector", row by row.
//!
//! `every_row_is_run` reads the README and fails for a row whose right side does not stand in this file.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wharf::{Body, Client, Csv, Json, Reader, Result, Xml};
use wharf_embedded::Store;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct User {
    name: String,
}

async fn place() -> Result<Client> {
    let s3 = Client::builder().transport(Store::in_memory()).build()?;
    s3.create_bucket("bucket").await?;
    Ok(s3)
}

fn stream(bytes: &'static [u8]) -> impl futures_util::Stream<Item = std::io::Result<&'static [u8]>> + Send {
    futures_util::stream::iter([Ok(bytes)])
}

#[test]
fn every_row_is_run() {
    let readme = include_str!("../../../README.md");
    let squeeze = |text: &str| text.split_whitespace().collect::<String>();
    let run = squeeze(include_str!("coming_from_ballerina.rs"));
    let table = readme.split("## Coming from the Ballerina connector").nth(1).unwrap();
    let table = table.split("\n## ").next().unwrap();
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with("| `")).skip(1).collect();
    assert!(rows.len() >= 28, "{}", rows.len());
    for row in rows {
        let ours = row.rsplit_once("` |").unwrap().0.rsplit_once("| `").unwrap().1;
        let call = squeeze(ours);
        let call = call.trim_end_matches('?').trim_end_matches(".await");
        assert!(run.contains(call), "not run here: {ours}");
    }
}

#[tokio::test]
async fn clients() -> Result<()> {
    let (id, secret) = ("AKIDEXAMPLE", "secret");
    Client::builder().region("us-east-1").credentials(id, secret).build()?;
    let path = std::env::temp_dir().join(format!("wharf-credentials-{}", std::process::id()));
    std::fs::write(&path, "[work]\naws_access_key_id = A\naws_secret_access_key = B\n").unwrap();
    let path = &path;
    let built = Client::builder().region("us-east-1").profile("work").credentials_file(path).build();
    std::fs::remove_file(path).unwrap();
    built.map(|_| ())
}

#[tokio::test]
async fn buckets() -> Result<()> {
    let s3 = place().await?;
    let b = "another";
    s3.create_bucket(b).await?;
    let names: Vec<_> = s3.list_buckets().items().collect().await?.into_iter().map(|bucket| bucket.name).collect();
    assert_eq!(names, ["another", "bucket"]);
    assert_eq!(s3.get_bucket_location(b).await?, "us-east-1");
    s3.delete_bucket(b).await
}

#[tokio::test]
async fn objects() -> Result<()> {
    let s3 = place().await?;
    let (b, k) = ("bucket", "docs/readme.txt");
    s3.put_object(b, k, "text").await?;
    assert_eq!(s3.get_object(b, k).bytes().await?, "text");
    assert_eq!(s3.get_object(b, k).text().await?, "text");
    let mut body = s3.get_object(b, k).stream().await?;
    assert_eq!(tokio::io::copy(&mut body, &mut tokio::io::sink()).await.unwrap(), 4);
    assert_eq!(s3.head_object(b, k).await?.content_length, 4);
    assert!(s3.object_exists(b, k).await?);
    assert_eq!(s3.list_objects(b).prefix("docs/").max_keys(100).await?.objects.len(), 1);
    s3.copy_object(b, k, b, "copy").await?;
    s3.delete_object(b, k).await?;
    assert!(!s3.object_exists(b, k).await?);

    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    s3.put_object(b, k, Path::new(path)).await?;
    let length = 4;
    s3.put_object(b, k, Body::sized_stream(stream(b"data"), length)).await?;
    let reader = b"read".as_slice();
    s3.put_object(b, k, Reader::new(reader).length(length)).await?;
    let stream = stream(b"more");
    s3.put_object(b, k, Body::sized_stream(stream, length)).await?;
    Ok(())
}

#[tokio::test]
async fn typed() -> Result<()> {
    let s3 = place().await?;
    let (b, k) = ("bucket", "user");
    let value = User { name: "Ada".into() };
    s3.put_object(b, k, Json(&value)).await?;
    assert_eq!(s3.get_object(b, k).json::<User>().await?, value);
    s3.put_object(b, k, Xml(&value)).await?;
    assert_eq!(s3.get_object(b, k).xml::<User>().await?, value);
    s3.put_object(b, k, "name\nAda\n").await?;
    let users = s3.get_object(b, k).csv::<User>().await?.collect().await?;
    assert_eq!(users, [value]);
    s3.put_object(b, k, Csv(&users)).await?;
    assert_eq!(s3.get_object(b, k).text().await?, "name\nAda\n");
    Ok(())
}

#[tokio::test]
async fn multipart() -> Result<()> {
    let s3 = place().await?;
    let (b, k) = ("bucket", "large/video.mp4");
    let upload = s3.create_multipart_upload(b, k).content_type("video/mp4").await?;
    let id = upload.upload_id.as_str();
    let bytes = vec![0; 5 << 20];
    let etag1 = s3.upload_part(b, k, id, 1, bytes).await?.etag;
    let (stream, length) = (stream(b"the end"), 7);
    let etag2 = s3.upload_part(b, k, id, 2, Body::sized_stream(stream, length)).await?.etag;
    s3.complete_multipart_upload(b, k, id).parts([(1, etag1), (2, etag2)]).await?;
    assert_eq!(s3.head_object(b, k).await?.content_length, (5 << 20) + 7);
    let upload = s3.create_multipart_upload(b, k).await?;
    let id = upload.upload_id.as_str();
    s3.abort_multipart_upload(b, k, id).await?;
    Ok(())
}

#[tokio::test]
async fn presigned_urls() -> Result<()> {
    let s3 = place().await?;
    let (b, k) = ("bucket", "docs/readme.txt");
    let read = s3.get_object(b, k).presign(Duration::from_secs(30 * 60)).await?;
    let write = s3.put_object(b, k, "").presign(Duration::from_secs(30 * 60)).await?;
    assert!(read.url.contains("X-Amz-Expires=1800") && write.url.contains("X-Amz-Expires=1800"));
    assert!(write.headers.is_empty());
    Ok(())
}
