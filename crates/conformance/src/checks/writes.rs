//! Writes under conditions.

use futures_util::future::join_all;
use wharf::ErrorKind;

use super::{Check, multipart, pattern};
use crate::context::Context;
use crate::expect::{Failure, Outcome, equal, refused, some, taken};

pub(super) const CHECKS: &[Check] = &[
    Check::new("put-if-absent", "PutObject with If-None-Match: * only writes a new key", |cx| {
        Box::pin(put_if_absent(cx))
    }),
    Check::new("put-if-absent-race", "Of 8 such puts at once exactly one succeeds", |cx| Box::pin(race(cx))),
    Check::new("put-if-match", "PutObject with If-Match only replaces that object", |cx| Box::pin(put_if_match(cx))),
    Check::new("put-if-match-missing", "PutObject with If-Match on a missing key is NoSuchKey", |cx| {
        Box::pin(put_if_match_missing(cx))
    }),
    Check::new("copy-if-absent", "CopyObject with If-None-Match: * only writes a new key", |cx| {
        Box::pin(copy_if_absent(cx))
    }),
    Check::new("copy-if-match", "CopyObject with If-Match only replaces that object", |cx| Box::pin(copy_if_match(cx))),
    Check::new("complete-if-absent", "CompleteMultipartUpload with If-None-Match: * only writes a new key", |cx| {
        Box::pin(complete_if_absent(cx))
    }),
    Check::new("complete-if-match", "CompleteMultipartUpload with If-Match only replaces that object", |cx| {
        Box::pin(complete_if_match(cx))
    }),
    Check::new("delete-if-match", "DeleteObject with If-Match only removes that object", |cx| {
        Box::pin(delete_if_match(cx))
    }),
];

const OTHER_TAG: &str = "\"0123456789abcdef0123456789abcdef\"";

/// The object was left alone.
async fn unchanged(cx: &Context) -> Outcome {
    equal("the object afterwards", cx.bytes("key").await?, "first")
}

async fn put_if_absent(cx: Context) -> Outcome {
    cx.s3.put_object(&cx.bucket, "key", "first").if_absent().await?;
    let again = cx.s3.put_object(&cx.bucket, "key", "second").if_absent().await;
    refused("the second put", again, &[ErrorKind::PreconditionFailed])?;
    unchanged(&cx).await
}

async fn race(cx: Context) -> Outcome {
    let racers = (0..8).map(|n| {
        let call = cx.s3.put_object(&cx.bucket, "key", format!("racer {n}")).if_absent();
        tokio::spawn(call.into_future())
    });
    let mut winners = Vec::new();
    for (n, outcome) in join_all(racers).await.into_iter().enumerate() {
        match outcome.map_err(|error| Failure::new(error.to_string()))? {
            Ok(_) => winners.push(n),
            lost => {
                refused(
                    "a racer that lost",
                    lost,
                    &[ErrorKind::PreconditionFailed, ErrorKind::ConditionalRequestConflict],
                )?;
            }
        }
    }
    equal("winners", winners.len(), 1)?;
    equal("the object afterwards", cx.bytes("key").await?, format!("racer {}", winners[0]))
}

async fn put_if_match(cx: Context) -> Outcome {
    let first = cx.put("key", "first").await?;
    let other = cx.s3.put_object(&cx.bucket, "key", "second").if_match(OTHER_TAG).await;
    refused("with another ETag", other, &[ErrorKind::PreconditionFailed])?;
    unchanged(&cx).await?;
    taken("with its ETag", cx.s3.put_object(&cx.bucket, "key", "second").if_match(&first.etag).await)?;
    equal("the object afterwards", cx.bytes("key").await?, "second")
}

async fn put_if_match_missing(cx: Context) -> Outcome {
    let put = cx.s3.put_object(&cx.bucket, "key", "x").if_match(OTHER_TAG).await;
    refused("the put", put, &[ErrorKind::NoSuchKey])?;
    equal("keys afterwards", cx.keys().await?, [""; 0])
}

async fn copy_if_absent(cx: Context) -> Outcome {
    cx.put("source", "second").await?;
    cx.put("key", "first").await?;
    let copy = cx.s3.copy_object(&cx.bucket, "source", &cx.bucket, "key").if_absent().await;
    refused("onto a key that exists", copy, &[ErrorKind::PreconditionFailed])?;
    unchanged(&cx).await?;
    cx.s3.copy_object(&cx.bucket, "source", &cx.bucket, "new").if_absent().await?;
    equal("the copy", cx.bytes("new").await?, "second")
}

async fn copy_if_match(cx: Context) -> Outcome {
    cx.put("source", "second").await?;
    let first = cx.put("key", "first").await?;
    let copy = cx.s3.copy_object(&cx.bucket, "source", &cx.bucket, "key").if_match(OTHER_TAG).await;
    refused("with another ETag", copy, &[ErrorKind::PreconditionFailed])?;
    unchanged(&cx).await?;
    cx.s3.copy_object(&cx.bucket, "source", &cx.bucket, "key").if_match(&first.etag).await?;
    equal("the object afterwards", cx.bytes("key").await?, "second")
}

async fn complete_if_absent(cx: Context) -> Outcome {
    cx.put("key", "first").await?;
    let (id, parts) = multipart::upload_parts(&cx, "key", &[pattern(10)]).await?;
    let call = cx.s3.complete_multipart_upload(&cx.bucket, "key", id).parts(&parts);
    refused("onto a key that exists", call.if_absent().await, &[ErrorKind::PreconditionFailed])?;
    unchanged(&cx).await?;
    let (id, parts) = multipart::upload_parts(&cx, "new", &[pattern(10)]).await?;
    cx.s3.complete_multipart_upload(&cx.bucket, "new", id).parts(&parts).if_absent().await?;
    equal("the new object", cx.bytes("new").await?, pattern(10))
}

async fn complete_if_match(cx: Context) -> Outcome {
    let first = cx.put("key", "first").await?;
    let (id, parts) = multipart::upload_parts(&cx, "key", &[pattern(10)]).await?;
    let call = cx.s3.complete_multipart_upload(&cx.bucket, "key", &id).parts(&parts);
    refused("with another ETag", call.if_match(OTHER_TAG).await, &[ErrorKind::PreconditionFailed])?;
    unchanged(&cx).await?;
    let (id, parts) = multipart::upload_parts(&cx, "key", &[pattern(10)]).await?;
    cx.s3.complete_multipart_upload(&cx.bucket, "key", id).parts(&parts).if_match(&first.etag).await?;
    equal("the object afterwards", cx.bytes("key").await?, pattern(10))
}

async fn delete_if_match(cx: Context) -> Outcome {
    let first = cx.put("key", "first").await?;
    let other = cx.s3.delete_object(&cx.bucket, "key").if_match(OTHER_TAG).await;
    refused("with another ETag", other, &[ErrorKind::PreconditionFailed])?;
    unchanged(&cx).await?;
    cx.s3.delete_object(&cx.bucket, "key").if_match(&first.etag).await?;
    let gone = cx.s3.head_object(&cx.bucket, "key").await;
    some("the object's absence", gone.err()).map(drop)
}
