//! The work by rust-s3: its stream upload (parts of 8 MiB, fixed) with two at a time, its download into a writer. It
//! signs every payload. It takes no certificate, so over https it is told not to look at it, which saves it next to
//! nothing.

use std::process::ExitCode;

use bytes::Bytes;
use job::{ACCESS_KEY, BUCKET, Job, LIST_PREFIX, REGION, Result, SECRET_KEY, SMALL, Work, small_key};
use s3::creds::Credentials;
use s3::{Bucket, Region};

const AT_ONCE: usize = 8;

fn main() -> ExitCode {
    job::run(|job| {
        if job.work == Work::Nothing {
            return Ok(());
        }
        // It has no download in parts, which is what the rows at a latency are about.
        if job.work == Work::GetFile && job.concurrency.is_some() {
            return job.unsupported();
        }
        // It would do so signed, for which there is another row.
        if job.work == Work::Put && !job.signed && !job.is_https() {
            return job.unsupported();
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let job = job.clone();
        runtime.block_on(runtime.spawn(async move { work(bucket(&job)?, &job).await }))?
    })
}

fn bucket(job: &Job) -> Result<Bucket> {
    let region = Region::Custom { region: REGION.to_owned(), endpoint: job.endpoint.clone() };
    let credentials = Credentials::new(Some(ACCESS_KEY), Some(SECRET_KEY), None, None, None)?;
    let bucket = *Bucket::new(BUCKET, region, credentials)?.with_path_style();
    Ok(if job.is_https() { bucket.set_dangerous_config(true, true)? } else { bucket })
}

async fn work(bucket: Bucket, job: &Job) -> Result {
    match job.work {
        Work::Put => {
            let mut file = tokio::fs::File::open(&job.file).await?;
            let request = bucket.put_object_stream_builder(&job.key);
            request.with_max_concurrent_chunks(job.concurrency.unwrap_or(2)).execute_stream(&mut file).await?;
            Ok(())
        }
        Work::GetFile => {
            let mut file = tokio::fs::File::create(&job.file).await?;
            bucket.get_object_to_writer(&job.key, &mut file).await?;
            tokio::io::AsyncWriteExt::flush(&mut file).await?;
            Ok(())
        }
        Work::GetNull => {
            bucket.get_object_to_writer(&job.key, &mut tokio::io::sink()).await?;
            Ok(())
        }
        Work::SmallPut | Work::SmallGet => small(bucket, job).await,
        Work::List => {
            let pages = bucket.list(LIST_PREFIX.to_owned(), None).await?;
            job.expect("keys", pages.iter().map(|page| page.contents.len() as u64).sum(), job.count as u64)
        }
        Work::Nothing => Ok(()),
    }
}

async fn small(bucket: Bucket, job: &Job) -> Result {
    let body = Bytes::from(job::block()).slice(..SMALL);
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|first| {
            let (bucket, job, body) = (bucket.clone(), job.clone(), body.clone());
            tokio::spawn(async move {
                for number in (first..job.count).step_by(AT_ONCE) {
                    let key = small_key(number);
                    if job.work == Work::SmallPut {
                        bucket.put_object(format!("put-{key}"), &body).await?;
                    } else {
                        let bytes = bucket.get_object(key).await?.into_bytes();
                        job.expect("bytes", bytes.len() as u64, SMALL as u64)?;
                    }
                }
                Result::<()>::Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}
