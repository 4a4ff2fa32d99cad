//! Transfers: uploads, downloads, copies, deletes and listings of any size.

use std::path::{Path, PathBuf};

use wharf::transfer::{Compare, Reason, SyncAction};
use wharf::{Body, ErrorKind};

use super::{Check, pattern};
use crate::context::Context;
use crate::expect::{Failure, Outcome, equal, holds, refused};

pub(super) const CHECKS: &[Check] = &[
    Check::new("transfer-small", "A small object is uploaded and downloaded in a request each", |cx| {
        Box::pin(small(cx))
    }),
    Check::new("transfer-upload-file", "A file is uploaded in parts, with all that was said of the object", |cx| {
        Box::pin(upload_file(cx))
    }),
    Check::new("transfer-upload-stream", "A stream whose length is not known is uploaded in parts", |cx| {
        Box::pin(upload_stream(cx))
    }),
    Check::new("transfer-upload-fails", "An upload whose source fails leaves nothing behind", |cx| {
        Box::pin(upload_fails(cx))
    }),
    Check::new("transfer-cancel", "An upload that is cancelled leaves nothing behind", |cx| Box::pin(cancel(cx))),
    Check::new(
        "transfer-verify",
        "What an upload has sent is proven, by a checksum or an ETag, and so is a sync",
        |cx| Box::pin(verify(cx)),
    ),
    Check::new("transfer-copy", "An object is copied in parts, with its headers and metadata", |cx| Box::pin(copy(cx))),
    Check::new("transfer-download-ranges", "An object is downloaded in ranges, several at a time", |cx| {
        Box::pin(download_ranges(cx))
    }),
    Check::new("transfer-download-range", "A range of an object is downloaded", |cx| Box::pin(download_range(cx))),
    Check::new("transfer-delete", "Any number of keys is deleted, also such that do not exist", |cx| {
        Box::pin(delete(cx))
    }),
    Check::new("transfer-list", "A listing in parallel finds what one page after another finds", |cx| {
        Box::pin(list(cx))
    }),
];

const PART: u64 = 5 << 20;

/// A folder of its own, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        let name: String = std::iter::repeat_with(fastrand::alphanumeric).take(16).collect();
        let path = std::env::temp_dir().join(format!("wharf-conformance-{name}"));
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn is_pattern(path: &Path, length: usize) -> Outcome {
    holds("the file has the object's bytes", std::fs::read(path)? == pattern(length))
}

async fn is_stored(cx: &Context, key: &str, length: usize) -> Outcome {
    holds("the object has the source's bytes", cx.bytes(key).await? == pattern(length))
}

async fn nothing_is_left(cx: &Context) -> Outcome {
    let uploads = cx.s3.list_multipart_uploads(&cx.bucket).await?.uploads;
    equal("uploads left over", uploads.len(), 0)
}

async fn verify(cx: Context) -> Outcome {
    let folder = Folder::new()?;
    for (name, length) in [("small", 1000), ("parts", 7 << 20)] {
        let path = folder.path(name);
        std::fs::write(&path, pattern(length))?;
        let upload = cx.s3.upload(&cx.bucket, name, path.as_path()).multipart_threshold(PART).part_size(PART);
        let uploaded = upload.verify(true).await?;
        holds(&format!("{name}: {}", uploaded.verification), uploaded.verification.is_verified())?;
    }
    let compare = || cx.s3.sync(folder.0.as_path(), (cx.bucket.as_str(), "")).compare(Compare::Checksum).dry_run(true);
    let same = compare().await?;
    equal("the same", (same.transferred, same.skipped, same.failed), (0, 2, 0))?;
    let mut other = pattern(1000).to_vec();
    other[999] ^= 1;
    std::fs::write(folder.path("small"), other)?;
    let mut events = compare().events();
    let Some(item) = events.next().await else { return Err(Failure::new("other bytes are taken for the same")) };
    equal("the other", item?.action, SyncAction::Upload(Reason::Content))
}

async fn small(cx: Context) -> Outcome {
    let folder = Folder::new()?;
    let before = cx.s3.counters().requests;
    let uploaded = cx.s3.upload(&cx.bucket, "small", pattern(10_000)).content_type("text/x-small").await?;
    equal("parts", uploaded.parts, 1)?;
    let done = cx.s3.download(&cx.bucket, "small", folder.path("small")).await?;
    equal("content type", done.head.content_type.as_deref(), Some("text/x-small"))?;
    is_pattern(&done.target, 10_000)?;
    equal("requests", cx.s3.counters().requests - before, 2)
}

async fn upload_file(cx: Context) -> Outcome {
    let folder = Folder::new()?;
    let source = folder.path("source");
    std::fs::write(&source, pattern(8 << 20))?;
    let upload = cx.s3.upload(&cx.bucket, "file", source.as_path()).part_size(PART).multipart_threshold(PART);
    let uploaded = upload.content_type("text/x-file").metadata("team", "blue").await?;
    equal("parts", uploaded.parts, 2)?;
    is_stored(&cx, "file", 8 << 20).await?;
    let head = cx.s3.head_object(&cx.bucket, "file").await?;
    equal("content type", head.content_type.as_deref(), Some("text/x-file"))?;
    equal("metadata", head.metadata.get("team").map(String::as_str), Some("blue"))?;
    nothing_is_left(&cx).await
}

async fn upload_stream(cx: Context) -> Outcome {
    let mut left = pattern(8 << 20);
    let pieces = std::iter::from_fn(move || {
        (!left.is_empty()).then(|| Ok::<_, std::io::Error>(left.split_to(left.len().min(99_999))))
    });
    let body = Body::stream(futures_util::stream::iter(pieces));
    let uploaded = cx.s3.upload(&cx.bucket, "stream", body).part_size(PART).multipart_threshold(PART).await?;
    equal("size", uploaded.size, 8 << 20)?;
    is_stored(&cx, "stream", 8 << 20).await?;
    nothing_is_left(&cx).await
}

async fn upload_fails(cx: Context) -> Outcome {
    let pieces = (0..80).map(|n| if n < 70 { Ok(pattern(100_000)) } else { Err(std::io::Error::other("broken")) });
    let body = Body::stream(futures_util::stream::iter(pieces));
    let uploaded = cx.s3.upload(&cx.bucket, "broken", body).part_size(PART).multipart_threshold(PART).await;
    refused("a broken source", uploaded, &[ErrorKind::Body])?;
    holds("there is no object", !cx.s3.object_exists(&cx.bucket, "broken").await?)?;
    nothing_is_left(&cx).await
}

async fn cancel(cx: Context) -> Outcome {
    // It never ends by itself.
    let pieces = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(pattern(100_000)));
    let upload = cx.s3.upload(&cx.bucket, "endless", Body::stream(pieces)).part_size(PART).multipart_threshold(PART);
    let upload = upload.start()?;
    let mut updates = upload.updates();
    while updates.next().await.is_some_and(|progress| progress.parts == 0) {}
    upload.cancel().await?;
    holds("there is no object", !cx.s3.object_exists(&cx.bucket, "endless").await?)?;
    nothing_is_left(&cx).await
}

async fn copy(cx: Context) -> Outcome {
    let put = cx.s3.put_object(&cx.bucket, "source", pattern(8 << 20)).content_type("text/x-source");
    put.metadata("team", "blue").await?;
    let copy = cx.s3.copy(&cx.bucket, "source", &cx.bucket, "copy").part_size(PART).multipart_threshold(PART);
    equal("parts", copy.await?.parts, 2)?;
    is_stored(&cx, "copy", 8 << 20).await?;
    let head = cx.s3.head_object(&cx.bucket, "copy").await?;
    equal("content type", head.content_type.as_deref(), Some("text/x-source"))?;
    equal("metadata", head.metadata.get("team").map(String::as_str), Some("blue"))?;
    nothing_is_left(&cx).await
}

async fn download_ranges(cx: Context) -> Outcome {
    let folder = Folder::new()?;
    cx.put("ranges", pattern(3 << 20)).await?;
    let download = cx.s3.download(&cx.bucket, "ranges", folder.path("whole")).part_size(300_000).concurrency(4);
    is_pattern(&download.await?.target, 3 << 20)?;
    cx.s3.upload(&cx.bucket, "parts", pattern(8 << 20)).part_size(PART).multipart_threshold(PART).await?;
    let download = cx.s3.download(&cx.bucket, "parts", folder.path("parts")).part_size(1 << 20).concurrency(4);
    is_pattern(&download.await?.target, 8 << 20)
}

async fn download_range(cx: Context) -> Outcome {
    let folder = Folder::new()?;
    cx.put("range", pattern(100_000)).await?;
    let done = cx.s3.download(&cx.bucket, "range", folder.path("range")).range(1000..90_000).await?;
    equal("size", done.size, 89_000)?;
    holds("the file has the range's bytes", std::fs::read(&done.target)? == pattern(100_000).slice(1000..90_000))
}

async fn delete(cx: Context) -> Outcome {
    for n in 0..20 {
        cx.put(&format!("k{n}"), "x").await?;
    }
    let keys = (0..25).map(|n| format!("k{n}"));
    let deleted = cx.s3.delete(&cx.bucket, keys).await?;
    equal("failed", deleted.failed, 0)?;
    equal("keys that are left", cx.keys().await?.len(), 0)
}

async fn list(cx: Context) -> Outcome {
    for n in 0..30 {
        cx.put(&format!("k{n:02}"), "x").await?;
    }
    let one_by_one = cx.keys().await?;
    let listed = cx.s3.list(&cx.bucket).max_keys(10).parallel(4).await?;
    let keys: Vec<_> = listed.into_iter().map(|object| object.key).collect();
    equal("keys", keys, one_by_one)
}
