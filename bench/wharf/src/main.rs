//! The work by wharf, as anybody would write it.

mod transfer;

use std::process::ExitCode;

use bytes::Bytes;
use job::{ACCESS_KEY, BUCKET, Job, LIST_PREFIX, REGION, Result, SECRET_KEY, SMALL, Work, small_key};
use wharf::{AddressingStyle, Client, Provider};

/// Small requests that are under way at once.
const AT_ONCE: usize = 8;

fn main() -> ExitCode {
    job::run(|job| {
        if job.work == Work::Nothing {
            return Ok(());
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let (s3, job) = (client(job)?, job.clone());
        // In a task of the runtime, as in a server.
        runtime.block_on(runtime.spawn(async move { work(&s3, &job).await }))?
    })
}

fn client(job: &Job) -> Result<Client> {
    let mut builder = Client::builder()
        .endpoint(&job.endpoint)
        .region(REGION)
        .credentials(ACCESS_KEY, SECRET_KEY)
        // The sink does as S3 does, and all but it are written for S3.
        .provider(Provider::Aws)
        .addressing_style(AddressingStyle::Path)
        .environment(|_| None);
    if let Some(ca) = &job.ca {
        builder = builder.root_certificates_pem(std::fs::read(ca)?);
    }
    if !job.signed && job.work == Work::Put {
        builder = builder.unsigned_payload();
    }
    Ok(builder.build()?)
}

async fn work(s3: &Client, job: &Job) -> Result {
    match job.work {
        Work::Nothing => Ok(()),
        Work::Put => transfer::upload(s3, job).await,
        Work::GetFile => transfer::download(s3, job).await,
        Work::GetNull => transfer::discard(s3, job).await,
        Work::SmallPut | Work::SmallGet => small(s3, job).await,
        Work::List => list(s3, job).await,
    }
}

async fn small(s3: &Client, job: &Job) -> Result {
    let body = Bytes::from(job::block()).slice(..SMALL);
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|first| {
            let (s3, job, body) = (s3.clone(), job.clone(), body.clone());
            tokio::spawn(async move {
                for number in (first..job.count).step_by(AT_ONCE) {
                    let key = small_key(number);
                    if job.work == Work::SmallPut {
                        s3.put_object(BUCKET, format!("put-{key}"), body.clone()).await?;
                    } else {
                        let bytes = s3.get_object(BUCKET, key).bytes().await?;
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

async fn list(s3: &Client, job: &Job) -> Result {
    let mut objects = s3.list_objects(BUCKET).prefix(LIST_PREFIX).items();
    let mut count = 0;
    while let Some(object) = objects.next().await {
        std::hint::black_box(object?);
        count += 1;
    }
    job.expect("keys", count, job.count as u64)
}
