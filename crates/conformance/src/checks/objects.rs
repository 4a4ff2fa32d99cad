//! Objects written, read, described and removed, one request each.

use std::time::{Duration, SystemTime};

use wharf::op::ObjectAttribute;
use wharf::{CannedAcl, ErrorKind, StorageClass};

use super::{Check, pattern};
use crate::context::Context;
use crate::expect::{Outcome, equal, holds, refused, some};

pub(super) const CHECKS: &[Check] = &[
    Check::new("object-round-trip", "What was put is what is got", |cx| Box::pin(round_trip(cx))),
    Check::new("object-empty", "An object may be empty", |cx| Box::pin(empty(cx))),
    Check::new("object-large", "An object of some megabytes comes back byte for byte", |cx| Box::pin(large(cx))),
    Check::new("object-overwrite", "A second put replaces the first", |cx| Box::pin(overwrite(cx))),
    Check::new("object-head", "HeadObject tells size, ETag and date", |cx| Box::pin(head(cx))),
    Check::new("object-system-headers", "The six system headers are kept", |cx| Box::pin(system_headers(cx))),
    Check::new("object-metadata", "User metadata is kept", |cx| Box::pin(metadata(cx))),
    Check::new("object-metadata-unicode", "Metadata outside ASCII is kept (RFC 2047)", |cx| {
        Box::pin(metadata_unicode(cx))
    }),
    Check::new("object-metadata-names", "Metadata names keep '-' and '_' apart", |cx| Box::pin(metadata_names(cx))),
    Check::new("object-metadata-too-large", "Metadata over 2 KB is refused before it is sent", |cx| {
        Box::pin(metadata_too_large(cx))
    }),
    Check::new("object-website-redirect", "A website's redirect is kept", |cx| Box::pin(website_redirect(cx))),
    Check::new("object-storage-class", "A storage class is kept, and listed", |cx| Box::pin(storage_class(cx))),
    Check::new("object-acl", "The ACL bucket-owner-full-control is taken", |cx| Box::pin(acl(cx))),
    Check::new("object-attributes", "GetObjectAttributes tells size, ETag and class", |cx| Box::pin(attributes(cx))),
    Check::new("object-exists", "object_exists tells there from missing", |cx| Box::pin(exists(cx))),
    Check::new("object-exists-no-bucket", "object_exists of a missing bucket is an error", |cx| {
        Box::pin(exists_no_bucket(cx))
    }),
];

async fn round_trip(cx: Context) -> Outcome {
    let put = cx.put("docs/readme.txt", "Hello!").await?;
    holds("PutObject gives an ETag", !put.etag.is_empty())?;
    let object = cx.s3.get_object(&cx.bucket, "docs/readme.txt").await?;
    equal("length", object.content_length, 6)?;
    equal("ETag", &object.etag, &put.etag)?;
    equal("content type", object.content_type.as_deref(), Some("text/plain; charset=utf-8"))?;
    equal("body", object.text().await?, "Hello!")
}

async fn empty(cx: Context) -> Outcome {
    cx.put("empty", "").await?;
    let object = cx.s3.get_object(&cx.bucket, "empty").await?;
    equal("length", object.content_length, 0)?;
    equal("body", object.bytes().await?, "")
}

async fn large(cx: Context) -> Outcome {
    let bytes = pattern(7 * 1024 * 1024 + 13);
    cx.put("large", bytes.clone()).await?;
    holds("the bytes are the same", cx.bytes("large").await? == bytes)
}

async fn overwrite(cx: Context) -> Outcome {
    let first = cx.put("key", "first").await?;
    let second = cx.put("key", "the second").await?;
    holds("the ETags differ", first.etag != second.etag)?;
    equal("body", cx.bytes("key").await?, "the second")
}

async fn head(cx: Context) -> Outcome {
    let put = cx.put("key", "0123456789").await?;
    let head = cx.s3.head_object(&cx.bucket, "key").await?;
    equal("length", head.content_length, 10)?;
    equal("ETag", &head.etag, &put.etag)?;
    equal("accept-ranges", head.accept_ranges.as_deref(), Some("bytes"))?;
    let modified = some("Last-Modified", head.last_modified)?;
    let hour = Duration::from_secs(3600);
    holds("Last-Modified is now", modified > SystemTime::now() - hour && modified < SystemTime::now() + hour)
}

async fn system_headers(cx: Context) -> Outcome {
    let expires = SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    cx.s3
        .put_object(&cx.bucket, "key", "x")
        .content_type("text/csv; header=present")
        .content_encoding("identity")
        .content_disposition("attachment; filename=\"a b.csv\"")
        .content_language("de-CH")
        .cache_control("max-age=60, must-revalidate")
        .expires(expires)
        .await?;
    let got = cx.s3.get_object(&cx.bucket, "key").await?.head;
    let head = cx.s3.head_object(&cx.bucket, "key").await?;
    for (by, head) in [("GetObject", got), ("HeadObject", head)] {
        equal(&format!("{by}: content type"), head.content_type.as_deref(), Some("text/csv; header=present"))?;
        equal(&format!("{by}: content encoding"), head.content_encoding.as_deref(), Some("identity"))?;
        let disposition = Some("attachment; filename=\"a b.csv\"");
        equal(&format!("{by}: content disposition"), head.content_disposition.as_deref(), disposition)?;
        equal(&format!("{by}: content language"), head.content_language.as_deref(), Some("de-CH"))?;
        equal(&format!("{by}: cache control"), head.cache_control.as_deref(), Some("max-age=60, must-revalidate"))?;
        equal(&format!("{by}: expires"), head.expires.as_deref(), Some("Tue, 02 Oct 2096 07:06:40 GMT"))?;
    }
    Ok(())
}

async fn metadata(cx: Context) -> Outcome {
    let call = cx.s3.put_object(&cx.bucket, "key", "x").metadata("team", "blue").metadata("Build-Id", "7 of 9");
    call.await?;
    let head = cx.s3.head_object(&cx.bucket, "key").await?;
    let found: Vec<_> = head.metadata.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    equal("metadata", found, [("build-id", "7 of 9"), ("team", "blue")])
}

async fn metadata_unicode(cx: Context) -> Outcome {
    let texts = ["Z\u{fc}rich", "\u{65e5}\u{672c}\u{8a9e}", "=?not an encoded word?=", "\u{1f980} and plain"];
    let mut call = cx.s3.put_object(&cx.bucket, "key", "x");
    for (n, text) in texts.iter().enumerate() {
        call = call.metadata(format!("t{n}"), *text);
    }
    call.await?;
    let head = cx.s3.get_object(&cx.bucket, "key").await?.head;
    equal("metadata", head.metadata.values().map(String::as_str).collect::<Vec<_>>(), texts)
}

async fn metadata_names(cx: Context) -> Outcome {
    cx.s3.put_object(&cx.bucket, "key", "x").metadata("a-b", "1").metadata("a_b", "2").await?;
    let head = cx.s3.head_object(&cx.bucket, "key").await?;
    let found: Vec<_> = head.metadata.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    equal("metadata", found, [("a-b", "1"), ("a_b", "2")])
}

async fn metadata_too_large(cx: Context) -> Outcome {
    let put = cx.s3.put_object(&cx.bucket, "key", "x").metadata("long", "v".repeat(2_048)).await;
    let error = refused("PutObject", put, &[ErrorKind::InvalidInput])?;
    equal("times it was sent", error.attempts(), 0)?;
    cx.s3.put_object(&cx.bucket, "key", "x").metadata("long", "v".repeat(2_040)).await?;
    equal("as much as S3 takes", cx.s3.head_object(&cx.bucket, "key").await?.metadata["long"].len(), 2_040)
}

async fn website_redirect(cx: Context) -> Outcome {
    cx.s3.put_object(&cx.bucket, "key", "x").website_redirect_location("/elsewhere.html").await?;
    let head = cx.s3.head_object(&cx.bucket, "key").await?;
    equal("where to", head.website_redirect_location.as_deref(), Some("/elsewhere.html"))
}

async fn storage_class(cx: Context) -> Outcome {
    cx.put("plain", "x").await?;
    cx.s3.put_object(&cx.bucket, "rare", "x").storage_class(StorageClass::StandardIa).await?;
    equal("without", cx.s3.head_object(&cx.bucket, "plain").await?.storage_class, StorageClass::Standard)?;
    equal("by HeadObject", cx.s3.head_object(&cx.bucket, "rare").await?.storage_class, StorageClass::StandardIa)?;
    let listed = cx.s3.list_objects(&cx.bucket).prefix("rare").await?;
    equal("listed", listed.objects.first().map(|object| &object.storage_class), Some(&StorageClass::StandardIa))
}

async fn acl(cx: Context) -> Outcome {
    cx.s3.put_object(&cx.bucket, "key", "x").acl(CannedAcl::BucketOwnerFullControl).await?;
    equal("body", cx.bytes("key").await?, "x")
}

async fn attributes(cx: Context) -> Outcome {
    let put = cx.put("key", "0123456789").await?;
    let found = cx.s3.get_object_attributes(&cx.bucket, "key").await?;
    equal("size", found.size, Some(10))?;
    equal("ETag", found.etag, Some(put.etag))?;
    equal("class", found.storage_class, Some(StorageClass::Standard))?;
    holds("there is a date", found.last_modified.is_some())?;
    let one = cx.s3.get_object_attributes(&cx.bucket, "key").attributes([ObjectAttribute::ObjectSize]).await?;
    equal("size, asked for alone", (one.size, one.etag), (Some(10), None))?;
    let missing = cx.s3.get_object_attributes(&cx.bucket, "missing").await;
    refused("of a missing key", missing, &[ErrorKind::NoSuchKey]).map(drop)
}

async fn exists(cx: Context) -> Outcome {
    cx.put("there", "x").await?;
    holds("the key exists", cx.s3.object_exists(&cx.bucket, "there").await?)?;
    holds("another does not", !cx.s3.object_exists(&cx.bucket, "missing").await?)?;
    holds("nor does the beginning of a key", !cx.s3.object_exists(&cx.bucket, "the").await?)
}

async fn exists_no_bucket(cx: Context) -> Outcome {
    let answer = cx.s3.object_exists(cx.free_name(), "key").await;
    refused("object_exists", answer, &[ErrorKind::NoSuchBucket]).map(drop)
}
