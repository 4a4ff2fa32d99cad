//! CopyObject.

use std::time::Duration;

use wharf::ErrorKind;

use super::Check;
use crate::context::Context;
use crate::expect::{Outcome, equal, holds, refused, some};

pub(super) const CHECKS: &[Check] = &[
    Check::new("copy", "A copy has bytes, headers and metadata of its source", |cx| Box::pin(copy(cx))),
    Check::new("copy-between-buckets", "A copy may go to another bucket", |cx| Box::pin(between_buckets(cx))),
    Check::new("copy-replace-metadata", "A copy may have headers and metadata of its own", |cx| {
        Box::pin(replace_metadata(cx))
    }),
    Check::new("copy-tags", "A copy has the tags of its source", |cx| Box::pin(keep_tags(cx))),
    Check::new("copy-replace-tags", "A copy may have tags of its own", |cx| Box::pin(replace_tags(cx))),
    Check::new("copy-onto-itself", "A copy onto itself may change metadata, and must change something", |cx| {
        Box::pin(onto_itself(cx))
    }),
    Check::new("copy-missing", "A missing source is NoSuchKey, a missing bucket NoSuchBucket", |cx| {
        Box::pin(missing(cx))
    }),
    Check::new("copy-source-if-match", "A copy with If-Match on its source", |cx| Box::pin(source_if_match(cx))),
    Check::new("copy-source-if-none-match", "A copy with If-None-Match on its source", |cx| {
        Box::pin(source_if_none_match(cx))
    }),
    Check::new("copy-source-dates", "A copy with conditions on its source's date", |cx| Box::pin(source_dates(cx))),
];

async fn copy(cx: Context) -> Outcome {
    let call = cx.s3.put_object(&cx.bucket, "source", "0123456789").content_type("text/x-source");
    let put = call.metadata("team", "blue").await?;
    let copied = cx.s3.copy_object(&cx.bucket, "source", &cx.bucket, "dir/copy").await?;
    equal("ETag", &copied.etag, &put.etag)?;
    holds("there is a date", copied.last_modified.is_some())?;
    equal("bytes", cx.bytes("dir/copy").await?, "0123456789")?;
    let head = cx.s3.head_object(&cx.bucket, "dir/copy").await?;
    equal("content type", head.content_type.as_deref(), Some("text/x-source"))?;
    equal("metadata", head.metadata.get("team").map(String::as_str), Some("blue"))
}

async fn keep_tags(cx: Context) -> Outcome {
    cx.s3.put_object(&cx.bucket, "source", "x").tag("colour", "blue").await?;
    cx.s3.copy_object(&cx.bucket, "source", &cx.bucket, "copy").await?;
    let tags = cx.s3.get_object_tagging(&cx.bucket, "copy").await?.tags;
    equal("tags", tags, [("colour", "blue").into()])
}

async fn between_buckets(cx: Context) -> Outcome {
    cx.put("source", "x").await?;
    let other = cx.make_bucket(|call| call).await?;
    cx.s3.copy_object(&cx.bucket, "source", &other, "copy").await?;
    equal("the copy", cx.s3.get_object(&other, "copy").text().await?, "x")
}

async fn replace_metadata(cx: Context) -> Outcome {
    let call = cx.s3.put_object(&cx.bucket, "source", "x").content_type("text/x-source").cache_control("no-store");
    call.metadata("team", "blue").await?;
    let call = cx.s3.copy_object(&cx.bucket, "source", &cx.bucket, "copy").replace_metadata();
    call.content_type("text/x-copy").metadata("city", "Z\u{fc}rich").await?;
    let head = cx.s3.head_object(&cx.bucket, "copy").await?;
    equal("content type", head.content_type.as_deref(), Some("text/x-copy"))?;
    equal("cache control", head.cache_control.as_deref(), None)?;
    let found: Vec<_> = head.metadata.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    equal("metadata", found, [("city", "Z\u{fc}rich")])
}

async fn replace_tags(cx: Context) -> Outcome {
    cx.s3.put_object(&cx.bucket, "source", "x").tag("colour", "blue").await?;
    cx.s3.copy_object(&cx.bucket, "source", &cx.bucket, "copy").replace_tags().tag("shape", "round").await?;
    let tags = cx.s3.get_object_tagging(&cx.bucket, "copy").await?.tags;
    equal("tags", tags, [("shape", "round").into()])
}

async fn onto_itself(cx: Context) -> Outcome {
    cx.s3.put_object(&cx.bucket, "key", "x").metadata("team", "blue").await?;
    let call = || cx.s3.copy_object(&cx.bucket, "key", &cx.bucket, "key");
    call().replace_metadata().metadata("team", "red").await?;
    let head = cx.s3.head_object(&cx.bucket, "key").await?;
    equal("metadata", head.metadata.get("team").map(String::as_str), Some("red"))?;
    equal("bytes", cx.bytes("key").await?, "x")?;
    refused("a copy that changes nothing", call().await, &[ErrorKind::InvalidInput]).map(drop)
}

async fn missing(cx: Context) -> Outcome {
    let copied = cx.s3.copy_object(&cx.bucket, "missing", &cx.bucket, "copy").await;
    refused("a missing source", copied, &[ErrorKind::NoSuchKey])?;
    let copied = cx.s3.copy_object(cx.free_name(), "key", &cx.bucket, "copy").await;
    refused("a missing bucket", copied, &[ErrorKind::NoSuchBucket])?;
    equal("keys afterwards", cx.keys().await?, [""; 0])
}

const OTHER_TAG: &str = "\"0123456789abcdef0123456789abcdef\"";

async fn source_if_match(cx: Context) -> Outcome {
    let source = cx.put("source", "x").await?;
    let call = || cx.s3.copy_object(&cx.bucket, "source", &cx.bucket, "copy");
    refused("another ETag", call().source_if_match(OTHER_TAG).await, &[ErrorKind::PreconditionFailed])?;
    equal("keys afterwards", cx.keys().await?, ["source"])?;
    call().source_if_match(&source.etag).await?;
    equal("the copy", cx.bytes("copy").await?, "x")
}

async fn source_if_none_match(cx: Context) -> Outcome {
    let source = cx.put("source", "x").await?;
    let call = || cx.s3.copy_object(&cx.bucket, "source", &cx.bucket, "copy");
    refused("its ETag", call().source_if_none_match(&source.etag).await, &[ErrorKind::PreconditionFailed])?;
    equal("keys afterwards", cx.keys().await?, ["source"])?;
    call().source_if_none_match(OTHER_TAG).await?;
    equal("the copy", cx.bytes("copy").await?, "x")
}

async fn source_dates(cx: Context) -> Outcome {
    cx.put("source", "x").await?;
    let modified = some("Last-Modified", cx.s3.head_object(&cx.bucket, "source").await?.last_modified)?;
    let before = modified - Duration::from_secs(86_400);
    let call = || cx.s3.copy_object(&cx.bucket, "source", &cx.bucket, "copy");
    let failed = [ErrorKind::PreconditionFailed];
    refused("changed since its date", call().source_if_modified_since(modified).await, &failed)?;
    refused("unchanged since a day before", call().source_if_unmodified_since(before).await, &failed)?;
    call().source_if_modified_since(before).await?;
    call().source_if_unmodified_since(modified).await?;
    equal("the copy", cx.bytes("copy").await?, "x")
}
