//! The work by object_store. Variants: `default` is what its documentation shows; `tuned` is what a good user would make
//! of it: two parts of 8 MiB at a time, out of one read each, or streamed into the file without Tokio's threads, the payload
//! unsigned over http unless it is to be; `checksum` is `tuned` with CRC64NVME, which it does not have by default;
//! `one-stream` is `tuned` but for the large object, which it reads by one request.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::process::ExitCode;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::stream::FuturesUnordered;
use job::{ACCESS_KEY, BUCKET, Job, LIST_PREFIX, MIB, REGION, Result, SECRET_KEY, SMALL, Work, small_key};
use object_store::aws::{AmazonS3, AmazonS3Builder, Checksum};
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{Certificate, ClientOptions, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutPayload};
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;

const AT_ONCE: usize = 8;

fn main() -> ExitCode {
    job::run(|job| {
        if job.work == Work::Nothing {
            return Ok(());
        }
        let is_get = matches!(job.work, Work::GetFile | Work::GetNull);
        let cannot = match job.variant.as_str() {
            // Anything else it does as `tuned` does.
            "one-stream" => !is_get || job.concurrency.is_some(),
            "checksum" => !matches!(job.work, Work::Put | Work::SmallPut),
            // It chooses for itself.
            "default" => (is_get || job.work == Work::Put) && job.concurrency.is_some(),
            _ => false,
        };
        if cannot {
            return job.unsupported();
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let (store, job) = (Arc::new(store(job)?), job.clone());
        runtime.block_on(runtime.spawn(async move { work(store, &job).await }))?
    })
}

fn store(job: &Job) -> Result<AmazonS3> {
    let mut options = ClientOptions::new().with_allow_http(true);
    if let Some(ca) = &job.ca {
        options = options.with_root_certificate(Certificate::from_pem(&std::fs::read(ca)?)?);
    }
    // The default ends a request after 30 seconds, the 50 ms mode may want more.
    let mut builder = AmazonS3Builder::new()
        .with_endpoint(&job.endpoint)
        .with_region(REGION)
        .with_bucket_name(BUCKET)
        .with_access_key_id(ACCESS_KEY)
        .with_secret_access_key(SECRET_KEY)
        .with_client_options(options.with_timeout_disabled());
    // Over https it signs the payload as well, unless it is told not to.
    if job.variant != "default" && !job.signed {
        builder = builder.with_unsigned_payload(true);
    }
    if job.variant == "checksum" {
        builder = builder.with_checksum_algorithm(Checksum::CRC64NVME);
    }
    Ok(builder.build()?)
}

async fn work(store: Arc<AmazonS3>, job: &Job) -> Result {
    let is_default = job.variant == "default";
    match job.work {
        Work::Put if is_default => put_by_writer(store, job).await,
        Work::Put => put_by_parts(store, job).await,
        Work::GetFile | Work::GetNull => get(store, job).await,
        Work::SmallPut | Work::SmallGet => small(store, job).await,
        Work::List => list(store, job).await,
        Work::Nothing => Ok(()),
    }
}

async fn put_by_writer(store: Arc<AmazonS3>, job: &Job) -> Result {
    let mut file = tokio::fs::File::open(&job.file).await?;
    let mut writer = BufWriter::new(store, Path::from(job.key.as_str()));
    tokio::io::copy(&mut file, &mut writer).await?;
    writer.shutdown().await?;
    Ok(())
}

async fn put_by_parts(store: Arc<AmazonS3>, job: &Job) -> Result {
    let part_size = job.part_size.unwrap_or(8 * MIB) as usize;
    let at_once = job.concurrency.unwrap_or(2);
    let mut file = File::open(&job.file)?;
    let mut left = file.metadata()?.len() as usize;
    let mut upload = store.put_multipart(&Path::from(job.key.as_str())).await?;
    let mut parts = FuturesUnordered::new();
    while left > 0 {
        let mut bytes = vec![0; part_size.min(left)];
        file.read_exact(&mut bytes)?;
        left -= bytes.len();
        if parts.len() == at_once {
            if let Some(part) = parts.try_next().await? {
                part?;
            }
        }
        parts.push(tokio::spawn(upload.put_part(PutPayload::from(bytes))));
    }
    while let Some(part) = parts.try_next().await? {
        part?;
    }
    upload.complete().await?;
    Ok(())
}

async fn get(store: Arc<AmazonS3>, job: &Job) -> Result {
    let path = Path::from(job.key.as_str());
    let is_default = job.variant == "default";
    if !is_default && job.variant != "one-stream" {
        return get_by_parts(store, job, path).await;
    }
    let mut count = 0;
    let mut stream = store.get(&path).await?.into_stream();
    if job.work == Work::GetNull {
        while let Some(bytes) = stream.try_next().await? {
            count += bytes.len() as u64;
        }
    } else if is_default {
        let mut file = tokio::fs::File::create(&job.file).await?;
        while let Some(bytes) = stream.try_next().await? {
            count += bytes.len() as u64;
            file.write_all(&bytes).await?;
        }
        file.flush().await?;
    } else {
        let mut file = File::create(&job.file)?;
        while let Some(bytes) = stream.try_next().await? {
            count += bytes.len() as u64;
            file.write_all(&bytes)?;
        }
    }
    job.expect("bytes", count, job.size)
}

/// Ranges, some at a time, each written as it comes.
async fn get_by_parts(store: Arc<AmazonS3>, job: &Job, path: Path) -> Result {
    let part_size = job.part_size.unwrap_or(8 * MIB);
    let at_once = Arc::new(Semaphore::new(job.concurrency.unwrap_or(2)));
    let file = match job.work {
        Work::GetFile => Some(Arc::new(File::create(&job.file)?)),
        _ => None,
    };
    let mut tasks = Vec::new();
    let mut start = 0;
    while start < job.size {
        let permit = at_once.clone().acquire_owned().await?;
        let range = start..job.size.min(start + part_size);
        start = range.end;
        let (store, path, file) = (store.clone(), path.clone(), file.clone());
        tasks.push(tokio::spawn(async move {
            let options = GetOptions { range: Some(GetRange::Bounded(range.clone())), ..GetOptions::default() };
            let mut stream = store.get_opts(&path, options).await?.into_stream();
            let mut at = range.start;
            while let Some(bytes) = stream.try_next().await? {
                if let Some(file) = &file {
                    file.write_all_at(&bytes, at)?;
                }
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

async fn small(store: Arc<AmazonS3>, job: &Job) -> Result {
    let body = Bytes::from(job::block()).slice(..SMALL);
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|first| {
            let (store, job, body) = (store.clone(), job.clone(), body.clone());
            tokio::spawn(async move {
                for number in (first..job.count).step_by(AT_ONCE) {
                    let key = small_key(number);
                    if job.work == Work::SmallPut {
                        store.put(&Path::from(format!("put-{key}")), body.clone().into()).await?;
                    } else {
                        let bytes = store.get(&Path::from(key)).await?.bytes().await?;
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

async fn list(store: Arc<AmazonS3>, job: &Job) -> Result {
    let mut objects = store.list(Some(&Path::from(LIST_PREFIX)));
    let mut count = 0;
    while let Some(object) = objects.try_next().await? {
        std::hint::black_box(object);
        count += 1;
    }
    job.expect("keys", count, job.count as u64)
}
