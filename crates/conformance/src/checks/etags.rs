//! What ETags are made of.

use wharf::proto::evidence::{Evidence, Facts, Proof};
use wharf::{Checksum, ChecksumAlgorithm, Provider};

use super::multipart::{PART, put_in_parts};
use super::{Check, pattern};
use crate::context::Context;
use crate::expect::{Failure, Outcome, equal};

pub(super) const CHECKS: &[Check] = &[
    Check::new("etag-md5", "The ETag of an object in one request is its MD5", |cx| Box::pin(md5(cx))),
    Check::new("etag-md5-copy", "The ETag of its copy is, too", |cx| Box::pin(copy(cx))),
    Check::new("etag-parts", "The ETag of an object in parts is the MD5 of their MD5s, and their number", |cx| {
        Box::pin(parts(cx))
    }),
];

/// What the ETag is, if it is believed as S3's is.
async fn etag(cx: &Context, key: &str) -> Result<Checksum, Failure> {
    let head = cx.s3.head_object(&cx.bucket, key).await?;
    let facts = Facts { checksum: None, ..(&head).into() };
    match Evidence::of(facts, &Provider::Aws.habits(), &cx.bucket).proof() {
        Ok(Proof { checksum, .. }) => Ok(checksum),
        Err(doubt) => Err(Failure::new(format!("the ETag {}: {doubt}", head.etag))),
    }
}

async fn md5(cx: Context) -> Outcome {
    for (key, bytes) in [("empty", pattern(0)), ("small", pattern(1000)), ("large", pattern(8 << 20))] {
        cx.put(key, bytes.clone()).await?;
        equal(key, etag(&cx, key).await?, ChecksumAlgorithm::Md5.checksum(&bytes))?;
    }
    // More than some servers keep in one piece.
    let bytes = [pattern(8 << 20), pattern(8 << 20), pattern(1)].concat();
    cx.put("larger", bytes.clone()).await?;
    equal("larger", etag(&cx, "larger").await?, ChecksumAlgorithm::Md5.checksum(&bytes))
}

async fn copy(cx: Context) -> Outcome {
    cx.put("key", pattern(1000)).await?;
    cx.s3.copy_object(&cx.bucket, "key", &cx.bucket, "copy").await?;
    equal("ETag", etag(&cx, "copy").await?, ChecksumAlgorithm::Md5.checksum(&pattern(1000)))
}

async fn parts(cx: Context) -> Outcome {
    let bytes = [pattern(PART), pattern(PART), pattern(10)];
    put_in_parts(&cx, "key", &bytes).await?;
    let found = etag(&cx, "key").await?;
    let wanted = Checksum::composite_of(bytes.iter().map(|part| ChecksumAlgorithm::Md5.checksum(part)));
    equal("ETag", Some(found), wanted.ok())
}
