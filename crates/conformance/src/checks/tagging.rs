//! Object tags.

use wharf::{ErrorKind, Tag};

use super::Check;
use crate::context::Context;
use crate::expect::{Failure, Outcome, equal, refused};

pub(super) const CHECKS: &[Check] = &[
    Check::new("tags-with-put", "PutObject takes tags, and HeadObject counts them", |cx| Box::pin(with_put(cx))),
    Check::new("tags-replace", "PutObjectTagging replaces all tags", |cx| Box::pin(replace(cx))),
    Check::new("tags-delete", "DeleteObjectTagging removes all tags", |cx| Box::pin(delete(cx))),
    Check::new("tags-odd", "Tags may hold spaces, signs and letters of any script", |cx| Box::pin(odd(cx))),
    Check::new("tags-multipart", "CreateMultipartUpload takes tags", |cx| Box::pin(multipart(cx))),
    Check::new("tags-too-many", "Eleven tags are refused", |cx| Box::pin(too_many(cx))),
    Check::new("tags-missing-key", "Tags of a missing key are NoSuchKey", |cx| Box::pin(missing_key(cx))),
];

async fn tags(cx: &Context, key: &str) -> Result<Vec<Tag>, Failure> {
    let mut tags = cx.s3.get_object_tagging(&cx.bucket, key).await?.tags;
    tags.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(tags)
}

async fn with_put(cx: Context) -> Outcome {
    cx.put("bare", "x").await?;
    equal("tags of an object without", tags(&cx, "bare").await?, [])?;
    cx.s3.put_object(&cx.bucket, "key", "x").tag("colour", "blue").tag("empty", "").await?;
    equal("tags", tags(&cx, "key").await?, [("colour", "blue").into(), ("empty", "").into()])?;
    equal("how many", cx.s3.get_object(&cx.bucket, "key").await?.tag_count, Some(2))
}

async fn replace(cx: Context) -> Outcome {
    cx.s3.put_object(&cx.bucket, "key", "x").tag("colour", "blue").await?;
    cx.s3.put_object_tagging(&cx.bucket, "key", [("shape", "round"), ("size", "3")]).await?;
    equal("tags", tags(&cx, "key").await?, [("shape", "round").into(), ("size", "3").into()])?;
    equal("the object", cx.bytes("key").await?, "x")
}

async fn delete(cx: Context) -> Outcome {
    cx.s3.put_object(&cx.bucket, "key", "x").tag("colour", "blue").await?;
    cx.s3.delete_object_tagging(&cx.bucket, "key").await?;
    equal("tags", tags(&cx, "key").await?, [])?;
    equal("the object", cx.bytes("key").await?, "x")
}

async fn odd(cx: Context) -> Outcome {
    let wanted: [Tag; 2] = [("a +-=._:/@b", "c +-=._:/@d").into(), ("gr\u{f6}sse", "\u{65e5}\u{672c}").into()];
    cx.put("key", "x").await?;
    cx.s3.put_object_tagging(&cx.bucket, "key", wanted.clone()).await?;
    equal("by PutObjectTagging", tags(&cx, "key").await?, wanted.clone())?;
    let call = cx.s3.put_object(&cx.bucket, "key", "x").tag(&wanted[0].key, &wanted[0].value);
    call.tag(&wanted[1].key, &wanted[1].value).await?;
    equal("by PutObject", tags(&cx, "key").await?, wanted)
}

async fn multipart(cx: Context) -> Outcome {
    let id = cx.s3.create_multipart_upload(&cx.bucket, "key").tag("colour", "blue").await?.upload_id;
    let part = cx.s3.upload_part(&cx.bucket, "key", &id, 1, "x").await?;
    cx.s3.complete_multipart_upload(&cx.bucket, "key", &id).part(part).await?;
    equal("tags", tags(&cx, "key").await?, [("colour", "blue").into()])
}

async fn too_many(cx: Context) -> Outcome {
    cx.put("key", "x").await?;
    let eleven = (0..11).map(|n| (format!("tag{n}"), "x"));
    let answer = cx.s3.put_object_tagging(&cx.bucket, "key", eleven).await;
    refused("PutObjectTagging", answer, &[ErrorKind::InvalidInput])?;
    equal("tags afterwards", tags(&cx, "key").await?, [])
}

async fn missing_key(cx: Context) -> Outcome {
    let found = cx.s3.get_object_tagging(&cx.bucket, "missing").await;
    refused("GetObjectTagging", found, &[ErrorKind::NoSuchKey]).map(drop)
}
