//! The work by minio: `put_object_content` of a path in parts of 8 MiB, `to_file`. It signs every payload over http, and
//! has no option for parts at a time.

use std::process::ExitCode;

use bytes::Bytes;
use futures_util::StreamExt;
use job::{ACCESS_KEY, BUCKET, Job, LIST_PREFIX, MIB, REGION, Result, SECRET_KEY, SMALL, Work, small_key};
use minio::s3::builders::ObjectContent;
use minio::s3::creds::StaticProvider;
use minio::s3::http::BaseUrl;
use minio::s3::types::{Region, S3Api, ToStream};
use minio::s3::{MinioClient, MinioClientBuilder};

const AT_ONCE: usize = 8;

fn main() -> ExitCode {
    job::run(|job| {
        if job.work == Work::Nothing {
            return Ok(());
        }
        // It has no parts at a time, which is what the rows at a latency are about.
        if matches!(job.work, Work::Put | Work::GetFile) && job.concurrency.is_some() {
            return job.unsupported();
        }
        // It would do so signed, for which there is another row.
        if job.work == Work::Put && !job.signed && !job.is_https() {
            return job.unsupported();
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let job = job.clone();
        runtime.block_on(runtime.spawn(async move { work(client(&job)?, &job).await }))?
    })
}

fn client(job: &Job) -> Result<MinioClient> {
    let client = MinioClientBuilder::new(job.endpoint.parse::<BaseUrl>()?)
        .provider(Some(StaticProvider::new(ACCESS_KEY, SECRET_KEY, None)))
        .skip_region_lookup(true)
        .ssl_cert_file(job.ca.as_deref())
        .build()?;
    Ok(client)
}

async fn work(client: MinioClient, job: &Job) -> Result {
    match job.work {
        Work::Put => {
            let content = ObjectContent::from(job.file.as_path());
            let put = client.put_object_content(BUCKET, job.key.as_str(), content)?;
            put.region(Region::new(REGION)?).part_size(Some(job.part_size.unwrap_or(8 * MIB))).build().send().await?;
            Ok(())
        }
        Work::GetFile => {
            let got = client.get_object(BUCKET, job.key.as_str())?.build().send().await?;
            got.content()?.to_file(&job.file).await?;
            Ok(())
        }
        Work::GetNull => {
            let got = client.get_object(BUCKET, job.key.as_str())?.build().send().await?;
            let (mut stream, _) = got.content()?.to_stream().await?;
            let mut count = 0;
            while let Some(bytes) = stream.next().await {
                count += bytes?.len() as u64;
            }
            job.expect("bytes", count, job.size)
        }
        Work::SmallPut | Work::SmallGet => small(client, job).await,
        Work::List => {
            let list = client.list_objects(BUCKET)?.prefix(LIST_PREFIX.to_owned()).recursive(true).build();
            let mut pages = list.to_stream().await;
            let mut count = 0;
            while let Some(page) = pages.next().await {
                count += page?.contents.len() as u64;
            }
            job.expect("keys", count, job.count as u64)
        }
        Work::Nothing => Ok(()),
    }
}

async fn small(client: MinioClient, job: &Job) -> Result {
    let body = Bytes::from(job::block()).slice(..SMALL);
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|first| {
            let (client, job, body) = (client.clone(), job.clone(), body.clone());
            tokio::spawn(async move {
                for number in (first..job.count).step_by(AT_ONCE) {
                    let key = small_key(number);
                    if job.work == Work::SmallPut {
                        client.put_object(BUCKET, format!("put-{key}"), body.clone().into())?.build().send().await?;
                    } else {
                        let got = client.get_object(BUCKET, key)?.build().send().await?;
                        let bytes = got.content()?.to_segmented_bytes().await?.to_bytes();
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
