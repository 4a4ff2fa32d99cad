//! The large object.

use job::{BUCKET, Job, Result};
use wharf::Client;
use wharf::transfer::Verification;

pub async fn upload(s3: &Client, job: &Job) -> Result {
    let mut upload = s3.upload(BUCKET, &job.key, job.file.as_path());
    if let Some(bytes) = job.part_size {
        upload = upload.part_size(bytes);
    }
    if let Some(requests) = job.concurrency {
        upload = upload.concurrency(requests);
    }
    let uploaded = upload.await?;
    job.expect("bytes", uploaded.size, job.size)?;
    verified(uploaded.verification)
}

pub async fn download(s3: &Client, job: &Job) -> Result {
    let mut download = s3.download(BUCKET, &job.key, job.file.as_path());
    if let Some(bytes) = job.part_size {
        download = download.part_size(bytes);
    }
    if let Some(requests) = job.concurrency {
        download = download.concurrency(requests);
    }
    let downloaded = download.await?;
    job.expect("bytes", downloaded.size, job.size)?;
    verified(downloaded.verification)
}

/// One answer, which is verified at its end.
pub async fn discard(s3: &Client, job: &Job) -> Result {
    let mut body = s3.get_object(BUCKET, &job.key).stream().await?;
    let mut count = 0;
    while let Some(bytes) = body.next().await {
        count += bytes?.len() as u64;
    }
    job.expect("bytes", count, job.size)
}

fn verified(verification: Verification) -> Result {
    if verification.is_verified() { Ok(()) } else { Err(verification.to_string().into()) }
}
