//! Buckets: made, found, listed, removed.

use wharf::ErrorKind;

use super::Check;
use crate::context::Context;
use crate::expect::{Outcome, equal, holds, refused};

pub(super) const CHECKS: &[Check] = &[
    Check::new("bucket-head", "HeadBucket finds a bucket", |cx| Box::pin(head(cx))),
    Check::new("bucket-head-missing", "HeadBucket of a missing bucket is 404", |cx| Box::pin(head_missing(cx))),
    Check::new("bucket-listed", "ListBuckets names a bucket and when it was made", |cx| Box::pin(listed(cx))),
    Check::new("bucket-list-pages", "ListBuckets has pages, and filters by prefix", |cx| Box::pin(pages(cx))),
    Check::new("bucket-create-again", "CreateBucket of one's own bucket is refused, but for us-east-1", |cx| {
        Box::pin(create_again(cx))
    }),
    Check::new("bucket-bad-name", "CreateBucket refuses a name such as Under_Score", |cx| Box::pin(bad_name(cx))),
    Check::new("bucket-location", "GetBucketLocation names the region", |cx| Box::pin(location(cx))),
    Check::new("bucket-delete", "DeleteBucket removes an empty bucket", |cx| Box::pin(delete(cx))),
    Check::new("bucket-delete-missing", "DeleteBucket of a missing bucket is NoSuchBucket", |cx| {
        Box::pin(delete_missing(cx))
    }),
    Check::new("bucket-delete-not-empty", "DeleteBucket refuses a bucket that holds objects", |cx| {
        Box::pin(delete_not_empty(cx))
    }),
    Check::new("bucket-owner", "A bucket of another owner than expected is AccessDenied", |cx| {
        Box::pin(other_owner(cx))
    }),
];

async fn head(cx: Context) -> Outcome {
    let found = cx.s3.head_bucket(&cx.bucket).await?;
    if let Some(region) = found.region {
        equal("its region", region, cx.s3.region())?;
    }
    Ok(())
}

async fn head_missing(cx: Context) -> Outcome {
    let error = refused("HeadBucket", cx.s3.head_bucket(cx.free_name()).await, &[ErrorKind::NotFound])?;
    equal("status", error.status().map(|status| status.as_u16()), Some(404))
}

async fn listed(cx: Context) -> Outcome {
    let buckets = cx.s3.list_buckets().items().collect().await?;
    let ours = buckets.into_iter().find(|bucket| bucket.name == cx.bucket);
    holds("the bucket is listed, with its date", ours.is_some_and(|bucket| bucket.creation_date.is_some()))
}

async fn pages(cx: Context) -> Outcome {
    let second = cx.make_bucket(|call| call).await?;
    let mut wanted = [cx.bucket.clone(), second];
    wanted.sort();
    let page = cx.s3.list_buckets().max_buckets(1).await?;
    equal("buckets on a page of one", page.buckets.len(), 1)?;
    let all = cx.s3.list_buckets().max_buckets(1).items().collect().await?;
    let found: Vec<_> = all.into_iter().map(|bucket| bucket.name).filter(|name| wanted.contains(name)).collect();
    equal("ours among all pages", found, wanted)?;
    let by_prefix = cx.s3.list_buckets().prefix(&cx.bucket).items().collect().await?;
    let names: Vec<_> = by_prefix.into_iter().map(|bucket| bucket.name).collect();
    equal("by prefix", names, [cx.bucket])
}

async fn create_again(cx: Context) -> Outcome {
    match cx.s3.create_bucket(&cx.bucket).await {
        // The oldest region answers 200, for the sake of those who relied on it.
        Ok(_) if cx.s3.region() == "us-east-1" => Ok(()),
        other => refused("CreateBucket", other, &[ErrorKind::BucketAlreadyOwnedByYou]).map(drop),
    }
}

async fn bad_name(cx: Context) -> Outcome {
    let name = cx.free_name().replace("wharf-", "Under_Score");
    let created = cx.s3.create_bucket(&name).await;
    if created.is_ok() {
        cx.s3.delete_bucket(&name).await?;
    }
    refused("CreateBucket", created, &[ErrorKind::InvalidInput]).map(drop)
}

async fn location(cx: Context) -> Outcome {
    equal("the region", cx.s3.get_bucket_location(&cx.bucket).await?, cx.s3.region())
}

async fn delete(cx: Context) -> Outcome {
    let name = cx.make_bucket(|call| call).await?;
    cx.s3.delete_bucket(&name).await?;
    refused("HeadBucket afterwards", cx.s3.head_bucket(&name).await, &[ErrorKind::NotFound]).map(drop)
}

async fn delete_missing(cx: Context) -> Outcome {
    refused("DeleteBucket", cx.s3.delete_bucket(cx.free_name()).await, &[ErrorKind::NoSuchBucket]).map(drop)
}

async fn delete_not_empty(cx: Context) -> Outcome {
    cx.put("key", "x").await?;
    refused("DeleteBucket", cx.s3.delete_bucket(&cx.bucket).await, &[ErrorKind::BucketNotEmpty])?;
    equal("the object afterwards", cx.bytes("key").await?, "x")
}

async fn other_owner(cx: Context) -> Outcome {
    let other = "000000000001";
    let head = cx.s3.head_bucket(&cx.bucket).expected_bucket_owner(other).await;
    refused("HeadBucket", head, &[ErrorKind::AccessDenied])?;
    let put = cx.s3.put_object(&cx.bucket, "key", "x").expected_bucket_owner(other).await;
    refused("PutObject", put, &[ErrorKind::AccessDenied])?;
    equal("keys afterwards", cx.keys().await?, [""; 0])
}
