//! Multipart uploads, by hand.

use bytes::Bytes;
use wharf::{CompletedPart, ErrorKind};

use super::{Check, pattern};
use crate::context::Context;
use crate::expect::{Failure, Outcome, equal, holds, refused, some};

pub(super) const CHECKS: &[Check] = &[
    Check::new("multipart", "Parts become an object", |cx| Box::pin(parts_become_an_object(cx))),
    Check::new("multipart-etag", "Its ETag ends with the number of parts", |cx| Box::pin(etag(cx))),
    Check::new("multipart-any-order", "Parts may come in any order, and be sent again", |cx| Box::pin(any_order(cx))),
    Check::new("multipart-gaps", "Part numbers may have gaps, up to 10,000", |cx| Box::pin(gaps(cx))),
    Check::new("multipart-headers", "The object has the headers and metadata of CreateMultipartUpload", |cx| {
        Box::pin(headers(cx))
    }),
    Check::new("multipart-invisible", "An upload under way is no object", |cx| Box::pin(invisible(cx))),
    Check::new("multipart-abort", "An aborted upload is gone", |cx| Box::pin(abort(cx))),
    Check::new("multipart-part-of-none", "UploadPart to a missing upload is NoSuchUpload", |cx| {
        Box::pin(part_of_none(cx))
    }),
    Check::new("multipart-complete-again", "Completing twice does no harm: the same answer, or NoSuchUpload", |cx| {
        Box::pin(complete_again(cx))
    }),
    Check::new("multipart-too-small", "A part under 5 MiB that is not the last is refused", |cx| {
        Box::pin(too_small(cx))
    }),
    Check::new("multipart-wrong-etag", "A part of another ETag is InvalidPart", |cx| Box::pin(wrong_etag(cx))),
    Check::new("multipart-object-size", "An object of another size than announced is refused", |cx| {
        Box::pin(object_size(cx))
    }),
    Check::new("multipart-list-parts", "ListParts has pages", |cx| Box::pin(list_parts(cx))),
    Check::new("multipart-list-uploads", "ListMultipartUploads has pages", |cx| Box::pin(list_uploads(cx))),
    Check::new("multipart-list-uploads-order", "ListMultipartUploads lists by key", |cx| {
        Box::pin(list_uploads_order(cx))
    }),
    Check::new("multipart-list-uploads-prefixes", "ListMultipartUploads has prefixes and delimiters, too", |cx| {
        Box::pin(list_uploads_prefixes(cx))
    }),
    Check::new("multipart-copy", "UploadPartCopy makes a part of an object", |cx| Box::pin(copy(cx))),
    Check::new("multipart-copy-range", "UploadPartCopy makes a part of a range", |cx| Box::pin(copy_range(cx))),
    Check::new("multipart-copy-conditions", "UploadPartCopy heeds conditions on its source", |cx| {
        Box::pin(copy_conditions(cx))
    }),
    Check::new("multipart-attributes", "GetObjectAttributes counts the parts", |cx| Box::pin(attributes(cx))),
];

/// The smallest part that may be followed by another.
pub(super) const PART: usize = 5 * 1024 * 1024;

pub(super) async fn begin(cx: &Context, key: &str) -> Result<String, Failure> {
    Ok(cx.s3.create_multipart_upload(&cx.bucket, key).await?.upload_id)
}

/// An upload with these parts, not completed.
pub(super) async fn upload_parts(
    cx: &Context,
    key: &str,
    parts: &[Bytes],
) -> Result<(String, Vec<CompletedPart>), Failure> {
    let id = begin(cx, key).await?;
    let mut done = Vec::new();
    for (number, part) in (1..).zip(parts) {
        done.push(cx.s3.upload_part(&cx.bucket, key, &id, number, part.clone()).await?.into());
    }
    Ok((id, done))
}

/// An object of these parts.
pub(super) async fn put_in_parts(cx: &Context, key: &str, parts: &[Bytes]) -> Outcome {
    let (id, done) = upload_parts(cx, key, parts).await?;
    cx.s3.complete_multipart_upload(&cx.bucket, key, id).parts(done).await?;
    Ok(())
}

async fn parts_become_an_object(cx: Context) -> Outcome {
    let (first, second) = (pattern(PART + 1), pattern(1000));
    let (id, parts) = upload_parts(&cx, "key", &[first.clone(), second.clone()]).await?;
    cx.s3.complete_multipart_upload(&cx.bucket, "key", id).parts(parts).await?;
    holds("the bytes are the parts', in order", cx.bytes("key").await? == [first, second].concat())
}

async fn etag(cx: Context) -> Outcome {
    let (id, parts) = upload_parts(&cx, "key", &[pattern(PART), pattern(10)]).await?;
    let done = cx.s3.complete_multipart_upload(&cx.bucket, "key", id).parts(parts).await?;
    holds("it ends with the number of parts", done.etag.unquoted().ends_with("-2"))?;
    equal("by HeadObject", cx.s3.head_object(&cx.bucket, "key").await?.etag, done.etag)
}

async fn any_order(cx: Context) -> Outcome {
    let id = begin(&cx, "key").await?;
    let upload = |number, bytes: Bytes| cx.s3.upload_part(&cx.bucket, "key", &id, number, bytes);
    let second = upload(2, pattern(100)).await?;
    upload(1, pattern(7)).await?;
    let first = upload(1, pattern(PART)).await?;
    cx.s3.complete_multipart_upload(&cx.bucket, "key", &id).part(first).part(second).await?;
    holds("the bytes are in order", cx.bytes("key").await? == [pattern(PART), pattern(100)].concat())
}

async fn gaps(cx: Context) -> Outcome {
    let id = begin(&cx, "key").await?;
    let first = cx.s3.upload_part(&cx.bucket, "key", &id, 3, pattern(PART)).await?;
    let last = cx.s3.upload_part(&cx.bucket, "key", &id, 10_000, "tail").await?;
    cx.s3.complete_multipart_upload(&cx.bucket, "key", &id).part(first).part(last).await?;
    equal("length", cx.s3.head_object(&cx.bucket, "key").await?.content_length, PART as u64 + 4)
}

async fn headers(cx: Context) -> Outcome {
    let begun = cx.s3.create_multipart_upload(&cx.bucket, "key").content_type("text/x-parts");
    let begun = begun.cache_control("no-cache").metadata("team", "blue").metadata("city", "Z\u{fc}rich").await?;
    let part = cx.s3.upload_part(&cx.bucket, "key", &begun.upload_id, 1, "x").await?;
    cx.s3.complete_multipart_upload(&cx.bucket, "key", &begun.upload_id).part(part).await?;
    let head = cx.s3.head_object(&cx.bucket, "key").await?;
    equal("content type", head.content_type.as_deref(), Some("text/x-parts"))?;
    equal("cache control", head.cache_control.as_deref(), Some("no-cache"))?;
    let found: Vec<_> = head.metadata.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    equal("metadata", found, [("city", "Z\u{fc}rich"), ("team", "blue")])
}

async fn invisible(cx: Context) -> Outcome {
    upload_parts(&cx, "key", &[pattern(10)]).await?;
    holds("there is no object", !cx.s3.object_exists(&cx.bucket, "key").await?)?;
    equal("keys", cx.keys().await?, [""; 0])
}

async fn abort(cx: Context) -> Outcome {
    let (id, parts) = upload_parts(&cx, "key", &[pattern(10)]).await?;
    cx.s3.abort_multipart_upload(&cx.bucket, "key", &id).await?;
    let gone = [ErrorKind::NoSuchUpload];
    refused("ListParts", cx.s3.list_parts(&cx.bucket, "key", &id).await, &gone)?;
    let complete = cx.s3.complete_multipart_upload(&cx.bucket, "key", &id).parts(parts).await;
    refused("CompleteMultipartUpload", complete, &gone)?;
    equal("uploads", cx.s3.list_multipart_uploads(&cx.bucket).await?.uploads.len(), 0)
}

async fn part_of_none(cx: Context) -> Outcome {
    let (id, _) = upload_parts(&cx, "key", &[pattern(10)]).await?;
    cx.s3.abort_multipart_upload(&cx.bucket, "key", &id).await?;
    let part = cx.s3.upload_part(&cx.bucket, "key", &id, 1, "x").await;
    refused("UploadPart", part, &[ErrorKind::NoSuchUpload]).map(drop)
}

async fn complete_again(cx: Context) -> Outcome {
    let (id, parts) = upload_parts(&cx, "key", &[pattern(10)]).await?;
    let first = cx.s3.complete_multipart_upload(&cx.bucket, "key", &id).parts(&parts).await?;
    match cx.s3.complete_multipart_upload(&cx.bucket, "key", &id).parts(&parts).await {
        Ok(second) => equal("ETag", &second.etag, &first.etag)?,
        other => drop(refused("the second time", other, &[ErrorKind::NoSuchUpload])?),
    }
    equal("the object", cx.bytes("key").await?, pattern(10))
}

async fn too_small(cx: Context) -> Outcome {
    let (id, parts) = upload_parts(&cx, "key", &[pattern(100), pattern(100)]).await?;
    let complete = cx.s3.complete_multipart_upload(&cx.bucket, "key", &id).parts(parts).await;
    let error = refused("CompleteMultipartUpload", complete, &[ErrorKind::InvalidInput])?;
    equal("code", error.code(), Some("EntityTooSmall"))
}

async fn wrong_etag(cx: Context) -> Outcome {
    let (id, _) = upload_parts(&cx, "key", &[pattern(10)]).await?;
    let part = (1, "\"0123456789abcdef0123456789abcdef\"");
    let complete = cx.s3.complete_multipart_upload(&cx.bucket, "key", &id).part(part).await;
    let error = refused("CompleteMultipartUpload", complete, &[ErrorKind::InvalidInput])?;
    equal("code", error.code(), Some("InvalidPart"))
}

async fn object_size(cx: Context) -> Outcome {
    let (id, parts) = upload_parts(&cx, "key", &[pattern(10)]).await?;
    let complete = cx.s3.complete_multipart_upload(&cx.bucket, "key", &id).parts(&parts).object_size(11).await;
    refused("another size", complete, &[ErrorKind::InvalidInput])?;
    cx.s3.complete_multipart_upload(&cx.bucket, "key", &id).parts(&parts).object_size(10).await?;
    equal("length", cx.s3.head_object(&cx.bucket, "key").await?.content_length, 10)
}

async fn list_parts(cx: Context) -> Outcome {
    let sizes = [11, 12, 13, 14, 15];
    let (id, done) = upload_parts(&cx, "key", &sizes.map(pattern)).await?;
    let page = cx.s3.list_parts(&cx.bucket, "key", &id).max_parts(2).await?;
    equal("parts on a page of two", (page.parts.len(), page.is_truncated), (2, true))?;
    let all = cx.s3.list_parts(&cx.bucket, "key", &id).max_parts(2).items().collect().await?;
    let found: Vec<_> = all.iter().map(|part| (part.part_number, part.size as usize, &part.etag)).collect();
    let wanted: Vec<_> = done.iter().zip(sizes).map(|(part, size)| (part.part_number, size, &part.etag)).collect();
    equal("all parts", found, wanted)?;
    let rest = cx.s3.list_parts(&cx.bucket, "key", &id).part_number_marker(3).await?;
    equal("after part 3", rest.parts.iter().map(|part| part.part_number).collect::<Vec<_>>(), [4, 5])
}

async fn list_uploads(cx: Context) -> Outcome {
    let mut wanted = Vec::new();
    for key in ["a", "b", "b", "c"] {
        wanted.push((key.to_owned(), begin(&cx, key).await?));
    }
    let page = cx.s3.list_multipart_uploads(&cx.bucket).max_uploads(2).await?;
    equal("uploads on a page of two", (page.uploads.len(), page.is_truncated), (2, true))?;
    let all = cx.s3.list_multipart_uploads(&cx.bucket).max_uploads(2).items().collect().await?;
    holds("each has its date", all.iter().all(|upload| upload.initiated.is_some()))?;
    let mut found: Vec<_> = all.into_iter().map(|upload| (upload.key, upload.upload_id)).collect();
    found.sort();
    wanted.sort();
    equal("all uploads", found, wanted)
}

async fn list_uploads_order(cx: Context) -> Outcome {
    // So many that no other order is this one by chance.
    let wanted = ["a", "b", "c", "d", "e", "f", "g", "h"];
    for key in wanted.iter().rev() {
        begin(&cx, key).await?;
    }
    let all = cx.s3.list_multipart_uploads(&cx.bucket).items().collect().await?;
    equal("keys", all.iter().map(|upload| upload.key.as_str()).collect::<Vec<_>>(), wanted)
}

async fn list_uploads_prefixes(cx: Context) -> Outcome {
    for key in ["a/1", "a/2", "b/1", "top"] {
        begin(&cx, key).await?;
    }
    let page = cx.s3.list_multipart_uploads(&cx.bucket).delimiter("/").await?;
    equal("prefixes", page.common_prefixes, ["a/", "b/"])?;
    equal("keys", page.uploads.iter().map(|upload| upload.key.as_str()).collect::<Vec<_>>(), ["top"])?;
    let page = cx.s3.list_multipart_uploads(&cx.bucket).prefix("a/").await?;
    let mut found: Vec<_> = page.uploads.iter().map(|upload| upload.key.as_str()).collect();
    found.sort_unstable();
    equal("by prefix", found, ["a/1", "a/2"])
}

async fn copy(cx: Context) -> Outcome {
    cx.put("source +1", "the source").await?;
    let id = begin(&cx, "key").await?;
    let part = cx.s3.upload_part_copy(&cx.bucket, "source +1", &cx.bucket, "key", &id, 1).await?;
    holds("there is a date", part.last_modified.is_some())?;
    cx.s3.complete_multipart_upload(&cx.bucket, "key", &id).part(part).await?;
    equal("body", cx.bytes("key").await?, "the source")
}

async fn copy_range(cx: Context) -> Outcome {
    let source = pattern(PART + 100);
    cx.put("source", source.clone()).await?;
    let id = begin(&cx, "key").await?;
    let first = cx.s3.upload_part_copy(&cx.bucket, "source", &cx.bucket, "key", &id, 1);
    let first = first.source_range(100..PART as u64 + 100).await?;
    let second = cx.s3.upload_part_copy(&cx.bucket, "source", &cx.bucket, "key", &id, 2).source_range(0..10).await?;
    cx.s3.complete_multipart_upload(&cx.bucket, "key", &id).part(first).part(second).await?;
    holds("the bytes are the ranges'", cx.bytes("key").await? == [&source[100..], &source[..10]].concat())
}

async fn copy_conditions(cx: Context) -> Outcome {
    let source = cx.put("source", "the source").await?;
    let id = begin(&cx, "key").await?;
    let call = || cx.s3.upload_part_copy(&cx.bucket, "source", &cx.bucket, "key", &id, 1);
    let failed = [ErrorKind::PreconditionFailed];
    refused("If-None-Match", call().source_if_none_match(&source.etag).await, &failed)?;
    let other = call().source_if_match("\"0123456789abcdef0123456789abcdef\"").await;
    refused("If-Match", other, &failed)?;
    call().source_if_match(&source.etag).await?;
    Ok(())
}

async fn attributes(cx: Context) -> Outcome {
    put_in_parts(&cx, "key", &[pattern(PART), pattern(9)]).await?;
    let found = cx.s3.get_object_attributes(&cx.bucket, "key").await?;
    equal("size", found.size, Some(PART as u64 + 9))?;
    equal("parts", some("ObjectParts", found.parts)?.total_parts, Some(2))
}
