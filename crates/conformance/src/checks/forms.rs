//! Forms of browsers (POST Object), each written and sent by hand.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use wharf::Presigned;
use wharf::op::PresignedPost;

use super::{Check, pattern};
use crate::context::Context;
use crate::expect::{Failure, Outcome, equal, holds};
use crate::http1::Answer;

pub(super) const CHECKS: &[Check] = &[
    Check::new("form-upload", "A signed form takes a file, its type and metadata", |cx| Box::pin(upload(cx))),
    Check::new("form-file-name", "`${filename}` in the key is the file's name", |cx| Box::pin(file_name(cx))),
    Check::new("form-status", "It answers with a document where 201 is wanted", |cx| Box::pin(status(cx))),
    Check::new("form-redirect", "It sends the browser on, and says what was stored", |cx| Box::pin(redirect(cx))),
    Check::new("form-redirect-query", "A query that the page's URL has is kept", |cx| Box::pin(redirect_query(cx))),
    Check::new("form-tags", "A form sets tags", |cx| Box::pin(tags(cx))),
    Check::new("form-size", "A file that is too large or too small is refused", |cx| Box::pin(size(cx))),
    Check::new("form-starts-with", "A field must begin as was signed", |cx| Box::pin(starts_with(cx))),
    Check::new("form-other-value", "A field with another value than was signed is refused", |cx| {
        Box::pin(other_value(cx))
    }),
    Check::new("form-other-key", "A key that was not signed is refused", |cx| Box::pin(other_key(cx))),
    Check::new("form-extra-field", "A field that was not signed is refused", |cx| Box::pin(extra_field(cx))),
    Check::new("form-forged", "A policy that was changed is refused", |cx| Box::pin(forged(cx))),
];

const HOUR: Duration = Duration::from_secs(3600);
const BOUNDARY: &str = "wharf-boundary";

/// Sends a form with a file, as a browser would.
async fn send(cx: &Context, form: &PresignedPost, file: &[u8]) -> Result<Answer, Failure> {
    let mut body = Vec::new();
    for (name, value) in &form.fields {
        let part = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    let part = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"cat.png\"\r\n\r\n");
    body.extend_from_slice(part.as_bytes());
    body.extend_from_slice(file);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    let kind = HeaderValue::from_static("multipart/form-data; boundary=wharf-boundary");
    let request = Presigned {
        method: http::Method::POST,
        url: form.url.clone(),
        headers: [(CONTENT_TYPE, kind)].into_iter().collect(),
        expires_at: form.expires_at,
    };
    cx.send(&request, Bytes::from(body)).await
}

/// Sends it with one field changed, or added.
async fn send_with(cx: &Context, form: &PresignedPost, name: &str, value: &str) -> Result<Answer, Failure> {
    let mut form = form.clone();
    form.fields.retain(|(at, _)| !at.eq_ignore_ascii_case(name));
    form.fields.push((name.to_owned(), value.to_owned()));
    send(cx, &form, b"x").await
}

/// The answer must have this status.
#[track_caller]
fn answers(answer: &Answer, status: u16) -> Outcome {
    let text = String::from_utf8_lossy(&answer.body);
    if answer.status == status { Ok(()) } else { Err(Failure::new(format!("{}, not {status}: {text}", answer.status))) }
}

/// The answer must be this error, and nothing stored.
async fn refused(cx: &Context, what: &str, answer: Answer, status: u16, code: &str) -> Outcome {
    let text = String::from_utf8_lossy(&answer.body);
    equal(&format!("{what}: status"), answer.status.as_u16(), status)?;
    let found = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once('<')).map_or("", |(found, _)| found);
    equal(&format!("{what}: code"), found, code)?;
    equal("keys afterwards", cx.keys().await?, [""; 0])
}

async fn upload(cx: Context) -> Outcome {
    let form = cx.s3.post_object(&cx.bucket, "dir/a +%.bin").content_type("text/x-form").metadata("owner", "ada");
    let form = form.presign(HOUR).await?;
    let file = pattern(200_000);
    answers(&send(&cx, &form, &file).await?, 204)?;
    let object = cx.s3.get_object(&cx.bucket, "dir/a +%.bin").await?;
    equal("content type", object.content_type.as_deref(), Some("text/x-form"))?;
    equal("metadata", object.metadata.get("owner").map(String::as_str), Some("ada"))?;
    holds("its bytes are the file's", object.bytes().await? == file)
}

async fn file_name(cx: Context) -> Outcome {
    let form = cx.s3.post_object(&cx.bucket, "from/${filename}").presign(HOUR).await?;
    answers(&send(&cx, &form, b"x").await?, 204)?;
    equal("keys", cx.keys().await?, ["from/cat.png"])
}

async fn status(cx: Context) -> Outcome {
    let form = cx.s3.post_object(&cx.bucket, "key").success_action_status(201).presign(HOUR).await?;
    let answer = send(&cx, &form, b"x").await?;
    answers(&answer, 201)?;
    let text = String::from_utf8_lossy(&answer.body);
    holds("the answer names the bucket", text.contains(&format!("<Bucket>{}</Bucket>", cx.bucket)))?;
    holds("the answer names the key", text.contains("<Key>key</Key>"))
}

async fn redirect(cx: Context) -> Outcome {
    let form = cx.s3.post_object(&cx.bucket, "key").success_action_redirect("http://127.0.0.1/done");
    let answer = send(&cx, &form.presign(HOUR).await?, b"x").await?;
    answers(&answer, 303)?;
    let (page, query) = answer.header("location").split_once('?').unwrap_or_default();
    equal("the page", page, "http://127.0.0.1/done")?;
    for part in [&format!("bucket={}", cx.bucket), "key=key", "etag=%22"] {
        holds(&format!("{query:?} has {part}"), query.split('&').any(|found| found.starts_with(part)))?;
    }
    Ok(())
}

async fn redirect_query(cx: Context) -> Outcome {
    let form = cx.s3.post_object(&cx.bucket, "key").success_action_redirect("http://127.0.0.1/done?a=b");
    let answer = send(&cx, &form.presign(HOUR).await?, b"x").await?;
    let location = answer.header("location");
    holds(&format!("{location:?} keeps a=b"), location.starts_with("http://127.0.0.1/done?a=b&"))
}

async fn tags(cx: Context) -> Outcome {
    let form = cx.s3.post_object(&cx.bucket, "key").tag("a", "1 + 2").tag("b", "").presign(HOUR).await?;
    answers(&send(&cx, &form, b"x").await?, 204)?;
    let mut tags = cx.s3.get_object_tagging(&cx.bucket, "key").await?.tags;
    tags.sort_by(|a, b| a.key.cmp(&b.key));
    let pairs: Vec<_> = tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect();
    equal("tags", pairs, [("a", "1 + 2"), ("b", "")])
}

async fn size(cx: Context) -> Outcome {
    let form = cx.s3.post_object(&cx.bucket, "key").content_length_range(2..=1000).presign(HOUR).await?;
    refused(&cx, "too large", send(&cx, &form, &pattern(1001)).await?, 400, "EntityTooLarge").await?;
    refused(&cx, "too small", send(&cx, &form, b"x").await?, 400, "EntityTooSmall").await?;
    for length in [2, 1000] {
        answers(&send(&cx, &form, &pattern(length)).await?, 204)?;
        equal("length", cx.bytes("key").await?.len(), length)?;
    }
    Ok(())
}

async fn starts_with(cx: Context) -> Outcome {
    let form = cx.s3.post_object(&cx.bucket, "key").starts_with("Content-Type", "image/");
    let form = form.starts_with("x-amz-meta-note", "").field("x-amz-meta-fixed", "1").presign(HOUR).await?;
    let with_note = |note: &str| {
        let mut form = form.clone();
        form.fields.push(("x-amz-meta-note".to_owned(), note.to_owned()));
        form
    };
    let other = send_with(&cx, &with_note("any"), "Content-Type", "text/html").await?;
    refused(&cx, "another type", other, 403, "AccessDenied").await?;
    refused(&cx, "no type", send(&cx, &with_note("any"), b"x").await?, 403, "AccessDenied").await?;
    let answer = send_with(&cx, &with_note("any"), "Content-Type", "image/png").await?;
    answers(&answer, 204)?;
    let head = cx.s3.head_object(&cx.bucket, "key").await?;
    equal("content type", head.content_type.as_deref(), Some("image/png"))?;
    equal("metadata", head.metadata.get("note").map(String::as_str), Some("any"))
}

async fn other_value(cx: Context) -> Outcome {
    let form = cx.s3.post_object(&cx.bucket, "key").metadata("owner", "ada").presign(HOUR).await?;
    let answer = send_with(&cx, &form, "x-amz-meta-owner", "eve").await?;
    refused(&cx, "another owner", answer, 403, "AccessDenied").await
}

async fn other_key(cx: Context) -> Outcome {
    let form = cx.s3.post_object(&cx.bucket, "mine/key").presign(HOUR).await?;
    refused(&cx, "another key", send_with(&cx, &form, "key", "mine/kez").await?, 403, "AccessDenied").await?;
    let form = cx.s3.post_object(&cx.bucket, "mine/${filename}").presign(HOUR).await?;
    refused(&cx, "another folder", send_with(&cx, &form, "key", "yours/a").await?, 403, "AccessDenied").await?;
    equal("a key in the folder", send_with(&cx, &form, "key", "mine/a").await?.status.as_u16(), 204)
}

async fn extra_field(cx: Context) -> Outcome {
    let form = cx.s3.post_object(&cx.bucket, "key").presign(HOUR).await?;
    refused(&cx, "metadata", send_with(&cx, &form, "x-amz-meta-owner", "eve").await?, 403, "AccessDenied").await?;
    equal("one to be ignored", send_with(&cx, &form, "x-ignore-me", "1").await?.status.as_u16(), 204)
}

async fn forged(cx: Context) -> Outcome {
    let form = cx.s3.post_object(&cx.bucket, "key").presign(HOUR).await?;
    let other = cx.s3.post_object(&cx.bucket, "other").presign(HOUR).await?;
    let mut forged = form.clone();
    for (mine, theirs) in forged.fields.iter_mut().zip(&other.fields) {
        if matches!(mine.0.as_str(), "key" | "policy") {
            mine.clone_from(theirs);
        }
    }
    refused(&cx, "another policy", send(&cx, &forged, b"x").await?, 403, "SignatureDoesNotMatch").await
}
