//! A form with which a browser uploads one picture without keys; here `curl` plays the browser.

#![allow(clippy::print_stdout, clippy::expect_used, reason = "an example")]

mod common;
#[path = "common/curl.rs"]
mod curl;

use std::time::Duration;

use wharf::{Error, Result};

#[tokio::main]
async fn main() -> Result<()> {
    let place = common::place().await?;
    let (s3, bucket) = (&place.s3, place.bucket.as_str());
    s3.create_bucket(bucket).await?;

    let form = s3
        .post_object(bucket, "inbox/${filename}")
        .content_length_range(1..=1024 * 1024)
        .starts_with("Content-Type", "image/")
        .metadata("sent-by", "ada")
        .presign(Duration::from_secs(900))
        .await?;

    println!("<form action=\"{}\" method=\"post\" enctype=\"multipart/form-data\">", form.url);
    let mut curl = curl::command();
    curl.arg(&form.url);
    for (name, value) in &form.fields {
        let escaped = value.replace('&', "&amp;").replace('"', "&quot;");
        println!("  <input type=\"hidden\" name=\"{name}\" value=\"{escaped}\">");
        curl.arg("--form-string").arg(format!("{name}={value}"));
    }
    println!("  <input type=\"hidden\" name=\"Content-Type\" value=\"image/svg+xml\">");
    println!("  <input type=\"file\" name=\"file\"> <button>Upload</button>\n</form>");

    let picture = std::env::temp_dir().join(format!("{bucket}.svg"));
    std::fs::write(&picture, "<svg xmlns=\"http://www.w3.org/2000/svg\"/>").expect("a file can be written");
    curl.args(["--form-string", "Content-Type=image/svg+xml", "--form", &format!("file=@{}", picture.display())]);
    let sent = curl::printed(&mut curl);
    std::fs::remove_file(&picture).expect("it was written");

    if let Ok(Some(_)) = sent {
        let head = s3.head_object(bucket, format!("inbox/{bucket}.svg")).await?;
        println!("arrived: {} bytes, {:?}, {:?}", head.content_length, head.content_type, head.metadata);
    }
    common::remove(s3, bucket).await?;
    sent?.map(drop).ok_or_else(|| Error::invalid_input("this example needs curl"))
}
