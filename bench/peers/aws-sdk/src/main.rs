//! The work by the AWS SDK for Rust. Without a variant: `aws-sdk-s3` itself, two parts of 8 MiB at a time out of one read
//! each with CRC64NVME, the payload unsigned unless it is to be signed; one GetObject, which verifies the checksum, but
//! ranges where it is said how many requests there are to be at once.
//! `transfer-manager`: the same by `aws-sdk-s3-transfer-manager`, two requests at a time; `transfer-manager-default`: what
//! it chooses for itself.

mod manager;

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::process::ExitCode;
use std::sync::Arc;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Credentials;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::stream::FuturesUnordered;
use job::{ACCESS_KEY, BUCKET, Job, LIST_PREFIX, MIB, REGION, Result, SECRET_KEY, SMALL, Work, small_key};
use tokio::sync::Semaphore;

const AT_ONCE: usize = 8;

fn main() -> ExitCode {
    job::run(|job| {
        if job.work == Work::Nothing {
            return Ok(());
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let job = job.clone();
        runtime.block_on(runtime.spawn(async move {
            let config = config(&job).await;
            if job.variant.is_empty() {
                work(Client::from_conf(config.build()), &job).await
            } else {
                manager::work(config, &job).await
            }
        }))?
    })
}

/// The certificate to trust comes by `SSL_CERT_FILE`.
async fn config(job: &Job) -> aws_sdk_s3::config::Builder {
    let shared = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(&job.endpoint)
        .credentials_provider(Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "bench"))
        .load()
        .await;
    aws_sdk_s3::config::Builder::from(&shared).force_path_style(true)
}

async fn work(s3: Client, job: &Job) -> Result {
    match job.work {
        Work::Put => put(s3, job).await,
        Work::GetFile if job.concurrency.is_some() => get_by_parts(s3, job).await,
        Work::GetFile | Work::GetNull => get(s3, job).await,
        Work::SmallPut | Work::SmallGet => small(s3, job).await,
        Work::List => list(s3, job).await,
        Work::Nothing => Ok(()),
    }
}

async fn put(s3: Client, job: &Job) -> Result {
    let part_size = job.part_size.unwrap_or(8 * MIB) as usize;
    let at_once = job.concurrency.unwrap_or(2);
    let mut file = File::open(&job.file)?;
    let mut left = file.metadata()?.len() as usize;
    let create = s3.create_multipart_upload().bucket(BUCKET).key(&job.key);
    let created =
        create.checksum_algorithm(ChecksumAlgorithm::Crc64Nvme).checksum_type(ChecksumType::FullObject).send().await?;
    let id = created.upload_id().ok_or("no upload id came")?.to_owned();
    let mut parts = Vec::new();
    let mut tasks = FuturesUnordered::new();
    let mut number = 0;
    while left > 0 {
        let mut bytes = vec![0; part_size.min(left)];
        file.read_exact(&mut bytes)?;
        left -= bytes.len();
        number += 1;
        if tasks.len() == at_once
            && let Some(part) = tasks.try_next().await?
        {
            parts.push(part?);
        }
        let (s3, key, id, signed) = (s3.clone(), job.key.clone(), id.clone(), job.signed);
        tasks.push(tokio::spawn(async move {
            let call = s3.upload_part().bucket(BUCKET).key(key).upload_id(id).part_number(number);
            let call = call.checksum_algorithm(ChecksumAlgorithm::Crc64Nvme).body(ByteStream::from(bytes)).customize();
            let sent = if signed { call.send().await? } else { call.disable_payload_signing().send().await? };
            let part = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
            Result::<_>::Ok(part.set_checksum_crc64_nvme(sent.checksum_crc64_nvme).build())
        }));
    }
    while let Some(part) = tasks.try_next().await? {
        parts.push(part?);
    }
    parts.sort_by_key(CompletedPart::part_number);
    let whole = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    s3.complete_multipart_upload().bucket(BUCKET).key(&job.key).upload_id(id).multipart_upload(whole).send().await?;
    Ok(())
}

async fn get(s3: Client, job: &Job) -> Result {
    let got = s3.get_object().bucket(BUCKET).key(&job.key).checksum_mode(ChecksumMode::Enabled).send().await?;
    let mut body = got.body;
    let mut file = match job.work {
        Work::GetFile => Some(File::create(&job.file)?),
        _ => None,
    };
    let mut count = 0;
    while let Some(bytes) = body.try_next().await? {
        count += bytes.len() as u64;
        if let Some(file) = &mut file {
            file.write_all(&bytes)?;
        }
    }
    job.expect("bytes", count, job.size)
}

/// Ranges, some at a time, each written as it comes. They have no checksum.
async fn get_by_parts(s3: Client, job: &Job) -> Result {
    let part_size = job.part_size.unwrap_or(8 * MIB);
    let at_once = Arc::new(Semaphore::new(job.concurrency.unwrap_or(2)));
    let file = Arc::new(File::create(&job.file)?);
    let mut tasks = Vec::new();
    let mut start = 0;
    while start < job.size {
        let permit = at_once.clone().acquire_owned().await?;
        let range = start..job.size.min(start + part_size);
        start = range.end;
        let get = s3.get_object().bucket(BUCKET).key(&job.key);
        let get = get.range(format!("bytes={}-{}", range.start, range.end - 1));
        let file = file.clone();
        tasks.push(tokio::spawn(async move {
            let mut body = get.send().await?.body;
            let mut at = range.start;
            while let Some(bytes) = body.try_next().await? {
                file.write_all_at(&bytes, at)?;
                at += bytes.len() as u64;
            }
            drop(permit);
            Result::<_>::Ok(at - range.start)
        }));
    }
    let mut count = 0;
    for task in tasks {
        count += task.await??;
    }
    job.expect("bytes", count, job.size)
}

async fn small(s3: Client, job: &Job) -> Result {
    let body = Bytes::from(job::block()).slice(..SMALL);
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|first| {
            let (s3, job, body) = (s3.clone(), job.clone(), body.clone());
            tokio::spawn(async move {
                for number in (first..job.count).step_by(AT_ONCE) {
                    let key = small_key(number);
                    if job.work == Work::SmallPut {
                        let put = s3.put_object().bucket(BUCKET).key(format!("put-{key}"));
                        put.body(ByteStream::from(body.clone())).send().await?;
                    } else {
                        let bytes =
                            s3.get_object().bucket(BUCKET).key(key).send().await?.body.collect().await?.into_bytes();
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

async fn list(s3: Client, job: &Job) -> Result {
    let mut pages = s3.list_objects_v2().bucket(BUCKET).prefix(LIST_PREFIX).into_paginator().send();
    let mut count = 0;
    while let Some(page) = pages.try_next().await? {
        count += page.contents().len() as u64;
    }
    job.expect("keys", count, job.count as u64)
}
