//! By the transfer manager.

use aws_sdk_s3::config::Builder;
use aws_sdk_s3_transfer_manager::config::S3ClientConfig;
use aws_sdk_s3_transfer_manager::io::InputStream;
use aws_sdk_s3_transfer_manager::operation::upload::ChecksumStrategy;
use aws_sdk_s3_transfer_manager::types::{ConcurrencyMode, PartSize};
use aws_sdk_s3_transfer_manager::{Client, Config};
use job::{BUCKET, Job, MIB, Result, Work};

pub async fn work(s3: Builder, job: &Job) -> Result {
    // Files are sent unsigned.
    if job.signed && job.work == Work::Put {
        return job.unsupported();
    }
    let mut config = Config::builder().s3_config(S3ClientConfig::new(s3));
    if job.variant == "transfer-manager" {
        config = config
            .part_size(PartSize::Target(job.part_size.unwrap_or(8 * MIB)))
            .concurrency(ConcurrencyMode::Explicit(job.concurrency.unwrap_or(2)));
    }
    let manager = Client::new(config.build());
    match job.work {
        Work::Put => {
            let upload = manager.upload().bucket(BUCKET).key(&job.key).body(InputStream::from_path(&job.file)?);
            upload.checksum_strategy(ChecksumStrategy::with_calculated_crc64_nvme()).initiate()?.join().await?;
            Ok(())
        }
        Work::GetFile => {
            manager.download().bucket(BUCKET).key(&job.key).write_to_path(&job.file).await?.join().await?;
            Ok(())
        }
        Work::GetNull => {
            let mut download = manager.download().bucket(BUCKET).key(&job.key).initiate()?;
            let mut count = 0;
            while let Some(chunk) = download.body_mut().next().await {
                count += chunk?.data.len() as u64;
            }
            job.expect("bytes", count, job.size)
        }
        _ => job.unsupported(),
    }
}
