//! The large object. By hand, until `upload` and `download` are there.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use job::{BUCKET, Job, MIB, Result};
use tokio::sync::Semaphore;
use wharf::Client;

pub async fn upload(s3: &Client, job: &Job) -> Result {
    let part_size = job.part_size.unwrap_or(8 * MIB);
    let at_once = Arc::new(Semaphore::new(job.concurrency.unwrap_or(2)));
    let file = Arc::new(File::open(&job.file)?);
    let size = file.metadata()?.len();
    let upload = s3.create_multipart_upload(BUCKET, &job.key).await?.upload_id;
    let mut tasks = Vec::new();
    for number in 1..=size.div_ceil(part_size) {
        let permit = at_once.clone().acquire_owned().await?;
        let (s3, file, upload, key) = (s3.clone(), file.clone(), upload.clone(), job.key.clone());
        tasks.push(tokio::spawn(async move {
            let start = (number - 1) * part_size;
            let mut bytes = vec![0; part_size.min(size - start) as usize];
            file.read_exact_at(&mut bytes, start)?;
            let part = s3.upload_part(BUCKET, key, upload, number as u32, Bytes::from(bytes)).await?;
            drop(permit);
            Result::<_>::Ok(part)
        }));
    }
    let mut complete = s3.complete_multipart_upload(BUCKET, &job.key, upload);
    for task in tasks {
        complete = complete.part(task.await??);
    }
    complete.await?;
    Ok(())
}

pub async fn download(s3: &Client, job: &Job) -> Result {
    let mut body = s3.get_object(BUCKET, &job.key).stream().await?;
    let mut file = File::create(&job.file)?;
    while let Some(bytes) = body.next().await {
        file.write_all(&bytes?)?;
    }
    job.expect("bytes", file.metadata()?.len(), job.size)
}

pub async fn discard(s3: &Client, job: &Job) -> Result {
    let mut body = s3.get_object(BUCKET, &job.key).stream().await?;
    let mut count = 0;
    while let Some(bytes) = body.next().await {
        count += bytes?.len() as u64;
    }
    job.expect("bytes", count, job.size)
}
