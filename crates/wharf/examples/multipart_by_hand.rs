//! A multipart upload, part by part, with what can be seen of it on the way.

#![allow(clippy::print_stdout, reason = "an example")]

mod common;

use wharf::Result;

const PART: usize = 5 * 1024 * 1024;

#[tokio::main]
async fn main() -> Result<()> {
    let place = common::place().await?;
    let (s3, bucket, key) = (&place.s3, place.bucket.as_str(), "large/data.bin");
    s3.create_bucket(bucket).await?;

    let upload = s3.create_multipart_upload(bucket, key).metadata("source", "example").await?;
    let id = upload.upload_id.as_str();
    let mut parts = Vec::new();
    for number in 1..=3u8 {
        // All parts but the last have 5 MiB or more. Send them in any order, or at the same time.
        let size = if number < 3 { PART } else { 1000 };
        parts.push(s3.upload_part(bucket, key, id, number.into(), vec![number; size]).await?);
    }
    for part in s3.list_parts(bucket, key, id).items().collect().await? {
        println!("part {}: {} bytes", part.part_number, part.size);
    }
    let done = s3.complete_multipart_upload(bucket, key, id).parts(parts).if_absent().await?;
    println!("complete: {}", done.etag);

    let second = s3.get_object(bucket, key).part_number(2).await?;
    println!("part 2 read alone: {} bytes of {:?} parts", second.content_length, second.parts_count);

    let given_up = s3.create_multipart_upload(bucket, "never").await?;
    s3.abort_multipart_upload(bucket, "never", &given_up.upload_id).await?;
    let left = s3.list_multipart_uploads(bucket).items().collect().await?;
    println!("uploads left over: {}", left.len());
    common::remove(s3, bucket).await
}
