//! The work by opendal: parts of 8 MiB, two at a time, out of one read each, and as many ranges when reading; files by std.
//! It never signs a payload. Its variant `one-stream` reads the large object by one request.

use std::fs::File;
use std::io::{Read, Write};
use std::process::ExitCode;

use bytes::Bytes;
use futures_util::TryStreamExt;
use job::{ACCESS_KEY, BUCKET, Job, LIST_PREFIX, MIB, REGION, Result, SECRET_KEY, SMALL, Work, small_key};
use opendal::Operator;
use opendal::services::S3;

const AT_ONCE: usize = 8;

fn main() -> ExitCode {
    job::run(|job| {
        if job.work == Work::Nothing {
            return Ok(());
        }
        if job.signed && job.work == Work::Put {
            return job.unsupported();
        }
        // Anything else it does as it does without a variant.
        let is_get = matches!(job.work, Work::GetFile | Work::GetNull);
        if is_one_stream(job) && (!is_get || job.concurrency.is_some()) {
            return job.unsupported();
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let job = job.clone();
        runtime.block_on(runtime.spawn(async move { work(operator(&job)?, &job).await }))?
    })
}

fn is_one_stream(job: &Job) -> bool {
    job.variant == "one-stream"
}

/// The certificate to trust comes by `SSL_CERT_FILE`.
fn operator(job: &Job) -> Result<Operator> {
    let s3 = S3::default()
        .endpoint(&job.endpoint)
        .bucket(BUCKET)
        .region(REGION)
        .access_key_id(ACCESS_KEY)
        .secret_access_key(SECRET_KEY)
        .disable_config_load()
        .disable_ec2_metadata();
    Ok(Operator::new(s3)?)
}

async fn work(store: Operator, job: &Job) -> Result {
    match job.work {
        Work::Put => put(store, job).await,
        Work::GetFile | Work::GetNull => get(store, job).await,
        Work::SmallPut | Work::SmallGet => small(store, job).await,
        Work::List => list(store, job).await,
        Work::Nothing => Ok(()),
    }
}

async fn put(store: Operator, job: &Job) -> Result {
    let part_size = job.part_size.unwrap_or(8 * MIB) as usize;
    let mut file = File::open(&job.file)?;
    let mut left = file.metadata()?.len() as usize;
    let writer = store.writer_with(&job.key).chunk(part_size).concurrent(job.concurrency.unwrap_or(2));
    let mut writer = writer.await?;
    while left > 0 {
        let mut bytes = vec![0; part_size.min(left)];
        file.read_exact(&mut bytes)?;
        left -= bytes.len();
        writer.write(bytes).await?;
    }
    writer.close().await?;
    Ok(())
}

async fn get(store: Operator, job: &Job) -> Result {
    let mut reader = store.reader_with(&job.key);
    if !is_one_stream(job) {
        let part_size = job.part_size.unwrap_or(8 * MIB) as usize;
        reader = reader.chunk(part_size).concurrent(job.concurrency.unwrap_or(2));
    }
    let mut stream = reader.await?.into_bytes_stream(..).await?;
    let mut file = match job.work {
        Work::GetFile => Some(File::create(&job.file)?),
        _ => None,
    };
    let mut count = 0;
    while let Some(bytes) = stream.try_next().await? {
        count += bytes.len() as u64;
        if let Some(file) = &mut file {
            file.write_all(&bytes)?;
        }
    }
    job.expect("bytes", count, job.size)
}

async fn small(store: Operator, job: &Job) -> Result {
    let body = Bytes::from(job::block()).slice(..SMALL);
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|first| {
            let (store, job, body) = (store.clone(), job.clone(), body.clone());
            tokio::spawn(async move {
                for number in (first..job.count).step_by(AT_ONCE) {
                    let key = small_key(number);
                    if job.work == Work::SmallPut {
                        store.write(&format!("put-{key}"), body.clone()).await?;
                    } else {
                        let bytes = store.read(&key).await?.to_bytes();
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

async fn list(store: Operator, job: &Job) -> Result {
    let mut entries = store.lister_with(LIST_PREFIX).recursive(true).await?;
    let mut count = 0;
    while let Some(entry) = entries.try_next().await? {
        std::hint::black_box(entry);
        count += 1;
    }
    job.expect("keys", count, job.count as u64)
}
