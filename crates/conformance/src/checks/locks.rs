//! Object lock: versions that cannot be removed before their time.

use std::time::{Duration, SystemTime};

use http::Method;
use wharf::{ErrorKind, ObjectLockMode};

use super::Check;
use crate::context::Context;
use crate::expect::{Failure, Outcome, equal, holds, refused, some};

pub(super) const CHECKS: &[Check] = &[
    Check::new("lock-bucket", "A bucket made with object lock keeps versions", |cx| Box::pin(bucket(cx))),
    Check::new("lock-retention", "A version under retention cannot be removed, but by bypassing governance", |cx| {
        Box::pin(retention(cx))
    }),
    Check::new("lock-legal-hold", "A version under legal hold cannot be removed", |cx| Box::pin(legal_hold(cx))),
    Check::new("lock-delete-marker", "A delete without a version is possible all the same", |cx| {
        Box::pin(delete_marker(cx))
    }),
];

async fn locked_bucket(cx: &Context) -> Result<String, Failure> {
    cx.make_bucket(|call| call.object_lock()).await
}

fn tomorrow() -> SystemTime {
    // Whole seconds: finer ones need not be kept.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    SystemTime::UNIX_EPOCH + Duration::from_secs(now + 86_400)
}

async fn bucket(cx: Context) -> Outcome {
    let bucket = locked_bucket(&cx).await?;
    let status = cx.s3.get_bucket_versioning(&bucket).await?.status;
    equal("versioning", status, Some(wharf::VersioningStatus::Enabled))
}

async fn retention(cx: Context) -> Outcome {
    let bucket = locked_bucket(&cx).await?;
    let until = tomorrow();
    let put = cx.s3.put_object(&bucket, "key", "x").object_lock(ObjectLockMode::Governance, until).await?;
    let id = some("the version id", put.version_id)?;
    let head = cx.s3.head_object(&bucket, "key").await?;
    equal("mode", head.object_lock_mode, Some(ObjectLockMode::Governance))?;
    equal("until", head.object_lock_retain_until, Some(until))?;
    let deleted = cx.s3.delete_object(&bucket, "key").version_id(&id).await;
    refused("DeleteObject", deleted, &[ErrorKind::AccessDenied])?;
    cx.s3.delete_object(&bucket, "key").version_id(&id).bypass_governance().await?;
    holds("it is gone", !cx.s3.object_exists(&bucket, "key").await?)
}

async fn legal_hold(cx: Context) -> Outcome {
    let bucket = locked_bucket(&cx).await?;
    let put = cx.s3.put_object(&bucket, "key", "x").legal_hold(true).await?;
    let id = some("the version id", put.version_id)?;
    let refusal = held(&cx, &bucket, &id).await;
    // Whatever came of it, the bucket must be removable.
    let document = "<LegalHold xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>OFF</Status></LegalHold>";
    let call = cx.s3.request(Method::PUT).bucket(&bucket).key("key").subresource("legal-hold").body(document);
    call.checksum(wharf::ChecksumAlgorithm::Crc32).await?;
    refusal?;
    cx.s3.delete_object(&bucket, "key").version_id(&id).await?;
    holds("it is gone", !cx.s3.object_exists(&bucket, "key").await?)
}

async fn held(cx: &Context, bucket: &str, id: &str) -> Outcome {
    equal("legal hold", cx.s3.head_object(bucket, "key").await?.legal_hold, Some(true))?;
    let deleted = cx.s3.delete_object(bucket, "key").version_id(id).await;
    refused("DeleteObject", deleted, &[ErrorKind::AccessDenied]).map(drop)
}

async fn delete_marker(cx: Context) -> Outcome {
    let bucket = locked_bucket(&cx).await?;
    let call = cx.s3.put_object(&bucket, "key", "x").object_lock(ObjectLockMode::Governance, tomorrow());
    let id = some("the version id", call.await?.version_id)?;
    holds("a marker is made", cx.s3.delete_object(&bucket, "key").await?.delete_marker)?;
    equal("the version", cx.s3.get_object(&bucket, "key").version_id(id).text().await?, "x")
}
