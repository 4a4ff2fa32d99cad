//! Listings: one page, all pages, all items, and "folders".

#![allow(clippy::print_stdout, reason = "an example")]

mod common;

use wharf::Result;

#[tokio::main]
async fn main() -> Result<()> {
    let place = common::place().await?;
    let (s3, bucket) = (&place.s3, place.bucket.as_str());
    s3.create_bucket(bucket).await?;
    for n in 0..25 {
        s3.put_object(bucket, format!("logs/{}/{n:02}.txt", n % 3), "x").await?;
    }

    let page = s3.list_objects(bucket).max_keys(10).await?;
    println!("one page: {} keys, more: {}", page.objects.len(), page.is_truncated);

    let mut pages = s3.list_objects(bucket).max_keys(10).pages();
    while let Some(page) = pages.next().await {
        println!("a page of {}", page?.objects.len());
    }

    let mut total = 0;
    let mut items = s3.list_objects(bucket).prefix("logs/1/").items();
    while let Some(object) = items.next().await {
        total += object?.size;
    }
    println!("{total} bytes under logs/1/");

    let folders = s3.list_objects(bucket).prefix("logs/").delimiter("/").await?;
    println!("folders: {:?}", folders.common_prefixes);
    common::remove(s3, bucket).await
}
