//! Presigned requests, sent by a few lines of HTTP that know nothing of S3.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use wharf::{Clock, Presigned};

use super::{Check, multipart};
use crate::context::Context;
use crate::expect::{Outcome, equal, holds};

pub(super) const CHECKS: &[Check] = &[
    Check::new("presign-get", "A link reads an object", |cx| Box::pin(get(cx))),
    Check::new("presign-get-overrides", "A link may say which headers come back", |cx| Box::pin(get_overrides(cx))),
    Check::new("presign-get-range", "A link with a range needs that header sent", |cx| Box::pin(get_range(cx))),
    Check::new("presign-head", "A link describes an object", |cx| Box::pin(head(cx))),
    Check::new("presign-delete", "A link deletes an object", |cx| Box::pin(delete(cx))),
    Check::new("presign-put", "A link takes an object of any content, with no header besides", |cx| Box::pin(put(cx))),
    Check::new("presign-put-headers", "A link for a put may insist on headers", |cx| Box::pin(put_headers(cx))),
    Check::new("presign-put-if-absent", "A link may write a new key only", |cx| Box::pin(put_if_absent(cx))),
    Check::new("presign-upload-part", "A link takes a part", |cx| Box::pin(upload_part(cx))),
    Check::new("presign-odd-key", "A link works for any key", |cx| Box::pin(odd_key(cx))),
    Check::new("presign-expired", "An expired link is refused", |cx| Box::pin(expired(cx))),
    Check::new("presign-other-key", "A link for one key opens no other", |cx| Box::pin(other_key(cx))),
    Check::new("presign-other-method", "A link to read cannot be used to write", |cx| Box::pin(other_method(cx))),
];

const HOUR: Duration = Duration::from_secs(3600);

async fn get(cx: Context) -> Outcome {
    cx.put("key", "Hello!").await?;
    let link = cx.s3.get_object(&cx.bucket, "key").presign(HOUR).await?;
    equal("headers to send", link.headers.len(), 0)?;
    let answer = cx.send(&link, "").await?;
    equal("status", answer.status.as_u16(), 200)?;
    equal("body", answer.body, "Hello!")
}

async fn get_overrides(cx: Context) -> Outcome {
    cx.put("key", "Hello!").await?;
    let call = cx.s3.get_object(&cx.bucket, "key").response_content_disposition("attachment; filename=\"a b.txt\"");
    let link = call.response_content_type("text/x-other").presign(HOUR).await?;
    let answer = cx.send(&link, "").await?;
    equal("content disposition", answer.header("content-disposition"), "attachment; filename=\"a b.txt\"")?;
    equal("content type", answer.header("content-type"), "text/x-other")
}

async fn get_range(cx: Context) -> Outcome {
    cx.put("key", "0123456789").await?;
    let link = cx.s3.get_object(&cx.bucket, "key").range(2..5).presign(HOUR).await?;
    equal("headers to send", link.headers.keys().map(|name| name.as_str()).collect::<Vec<_>>(), ["range"])?;
    let answer = cx.send(&link, "").await?;
    equal("status", answer.status.as_u16(), 206)?;
    equal("body", answer.body, "234")
}

async fn head(cx: Context) -> Outcome {
    cx.put("key", "0123456789").await?;
    let link = cx.s3.head_object(&cx.bucket, "key").presign(HOUR).await?;
    let answer = cx.send(&link, "").await?;
    equal("status", answer.status.as_u16(), 200)?;
    equal("length", answer.header("content-length"), "10")
}

async fn delete(cx: Context) -> Outcome {
    cx.put("key", "x").await?;
    let link = cx.s3.delete_object(&cx.bucket, "key").presign(HOUR).await?;
    equal("status", cx.send(&link, "").await?.status.as_u16(), 204)?;
    equal("keys afterwards", cx.keys().await?, [""; 0])
}

async fn put(cx: Context) -> Outcome {
    let link = cx.s3.put_object(&cx.bucket, "key", "").presign(HOUR).await?;
    equal("headers to send", link.headers.len(), 0)?;
    holds("no checksum sneaks in", !link.url.to_lowercase().contains("checksum"))?;
    let answer = cx.send(&link, "whatever the holder sends").await?;
    equal("status", answer.status.as_u16(), 200)?;
    equal("the object", cx.bytes("key").await?, "whatever the holder sends")
}

async fn put_headers(cx: Context) -> Outcome {
    let call = cx.s3.put_object(&cx.bucket, "key", "").content_type("text/x-link").metadata("team", "blue");
    let link = call.presign(HOUR).await?;
    let without = Presigned { headers: http::HeaderMap::new(), ..link.clone() };
    equal("status without the headers", cx.send(&without, "x").await?.status.as_u16(), 403)?;
    equal("status with them", cx.send(&link, "x").await?.status.as_u16(), 200)?;
    let head = cx.s3.head_object(&cx.bucket, "key").await?;
    equal("content type", head.content_type.as_deref(), Some("text/x-link"))?;
    equal("metadata", head.metadata.get("team").map(String::as_str), Some("blue"))
}

async fn put_if_absent(cx: Context) -> Outcome {
    let link = cx.s3.put_object(&cx.bucket, "key", "").if_absent().presign(HOUR).await?;
    equal("the first put", cx.send(&link, "first").await?.status.as_u16(), 200)?;
    equal("the second", cx.send(&link, "second").await?.status.as_u16(), 412)?;
    equal("the object", cx.bytes("key").await?, "first")
}

async fn upload_part(cx: Context) -> Outcome {
    let id = multipart::begin(&cx, "key").await?;
    let link = cx.s3.upload_part(&cx.bucket, "key", &id, 1, "").presign(HOUR).await?;
    let answer = cx.send(&link, "a part").await?;
    equal("status", answer.status.as_u16(), 200)?;
    let part = (1, answer.header("etag"));
    cx.s3.complete_multipart_upload(&cx.bucket, "key", &id).part(part).await?;
    equal("the object", cx.bytes("key").await?, "a part")
}

async fn odd_key(cx: Context) -> Outcome {
    let key = "a +%2B/\u{e4}&=?#';~.txt";
    let link = cx.s3.put_object(&cx.bucket, key, "").presign(HOUR).await?;
    equal("status of the put", cx.send(&link, "x").await?.status.as_u16(), 200)?;
    equal("keys", cx.keys().await?, [key])?;
    let link = cx.s3.get_object(&cx.bucket, key).presign(HOUR).await?;
    equal("body", cx.send(&link, "").await?.body, "x")
}

/// A clock that is behind.
struct Late(Duration);

impl Clock for Late {
    fn now(&self) -> SystemTime {
        SystemTime::now() - self.0
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn jitter(&self) -> f64 {
        0.5
    }
}

async fn expired(cx: Context) -> Outcome {
    cx.put("key", "x").await?;
    let yesterday = cx.client(|settings| settings.clock(Late(24 * HOUR)))?;
    let old = yesterday.get_object(&cx.bucket, "key").presign(HOUR).await?;
    equal("status", cx.send(&old, "").await?.status.as_u16(), 403)?;
    let young = yesterday.get_object(&cx.bucket, "key").presign(48 * HOUR).await?;
    equal("status of one that lasts longer", cx.send(&young, "").await?.status.as_u16(), 200)
}

async fn other_key(cx: Context) -> Outcome {
    cx.put("open", "x").await?;
    cx.put("shut", "x").await?;
    let link = cx.s3.get_object(&cx.bucket, "open").presign(HOUR).await?;
    let other = Presigned { url: link.url.replacen("/open?", "/shut?", 1), ..link };
    equal("status", cx.send(&other, "").await?.status.as_u16(), 403)
}

async fn other_method(cx: Context) -> Outcome {
    cx.put("key", "x").await?;
    let link = cx.s3.get_object(&cx.bucket, "key").presign(HOUR).await?;
    let other = Presigned { method: http::Method::PUT, ..link };
    equal("status", cx.send(&other, "y").await?.status.as_u16(), 403)?;
    equal("the object", cx.bytes("key").await?, "x")
}
